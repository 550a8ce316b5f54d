//! How a guest is run: on its caller's stack, or on a fiber of its own.
//!
//! Whatever is done with a guest is written once, as an `async fn` that is told the driver. On its caller's stack such a future never waits: what has to be
//! waited for holds the thread, and [`at_once`] gives the result of its first poll. On a fiber the same future suspends.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use crate::config::budget::{Budget, cancelled};
use crate::error::{Error, Result};
use crate::platform::runtime;
use crate::sched::task;

/// How a guest is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Driver {
    /// On its caller's stack, whose thread waits with it.
    Direct,
    /// On a fiber. Host code runs when the guest has left the thread, on the stack that the host has called from.
    Fiber,
}

impl Driver {
    /// Runs code of the host's: where the host's objects may be touched, and on the host's own stack.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "a branch that is known where it is called")]
    pub(crate) async fn host<R>(self, code: impl FnOnce() -> R) -> R {
        match self {
            Driver::Direct => code(),
            Driver::Fiber => task::at_home(code).await,
        }
    }

    /// Awaits the future for as long as the budget lasts. A guest on its caller's stack looks at the budget itself, and so does whatever holds its thread.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "as `host`")]
    pub(crate) async fn bounded<T>(self, budget: &Budget, future: impl Future<Output = Result<T>>) -> Result<T> {
        if self == Driver::Direct || !budget.is_limited() {
            return future.await;
        }
        tokio::select! {
            biased;
            done = future => done,
            ended = budget.ended() => Err(ended),
        }
    }
}

impl Budget {
    /// Whether the call should go on, of a guest that is run in that way. Nobody can be interrupted who does not wait on a thread.
    pub(crate) fn look(&self, driver: Driver) -> Result<()> {
        match driver {
            Driver::Direct => self.check(),
            Driver::Fiber => self.check_limits(),
        }
    }

    /// Waits for its end.
    async fn ended(&self) -> Error {
        let deadline = async {
            match self.deadline {
                Some(deadline) => {
                    runtime::sleep_until(deadline.at).await;
                    deadline.passed()
                }
                None => std::future::pending().await,
            }
        };
        let mut tokens: Vec<_> = self.cancel.iter().map(|token| Box::pin(token.cancelled())).collect();
        let cancelled = poll_fn(|context| {
            let is_cancelled = tokens.iter_mut().any(|token| token.as_mut().poll(context).is_ready());
            if is_cancelled { Poll::Ready(cancelled()) } else { Poll::Pending }
        });
        tokio::select! {
            ended = deadline => ended,
            ended = cancelled => ended,
        }
    }
}

/// Runs a future of the driver [`Direct`](Driver::Direct). It is not run by Tokio: a function of the host's may want a runtime of its own.
#[inline(always)]
#[expect(clippy::inline_always, reason = "the future is then a call")]
pub(crate) fn at_once<T>(work: impl Future<Output = T>) -> T {
    match pin!(work).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => done,
        Poll::Pending => unreachable!("what is waited for on a thread holds it"),
    }
}
