//! How a guest is run: on its caller's stack, or on a fiber.
//!
//! Everything that is done with a guest is written once, as an `async fn` with the driver as a
//! parameter. On the caller's stack such a future never suspends: waits block the thread, and
//! [`at_once`] returns the result of its first poll. On a fiber the same future suspends.

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
    /// On its caller's stack. Waits block the thread.
    Direct,
    /// On a fiber. Host code runs on the stack that the host has called from, while the guest is
    /// suspended.
    Fiber,
}

impl Driver {
    /// Runs the host's code: on the thread where its objects may be used, and on the host's own
    /// stack.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "a branch that is known where it is called")]
    pub(crate) async fn host<R>(self, code: impl FnOnce() -> R) -> R {
        match self {
            Driver::Direct => code(),
            Driver::Fiber => task::at_home(code).await,
        }
    }

    /// Awaits the future as long as the budget lasts. A guest on its caller's stack checks the
    /// budget itself, and so does everything that blocks its thread.
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
    /// Whether the call of a guest with that driver should go on. Only callers that wait on a
    /// thread can be interrupted by the host.
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

/// Runs a future of the driver [`Direct`](Driver::Direct). Tokio does not run it, because a host
/// function may use a runtime of its own.
#[inline(always)]
#[expect(clippy::inline_always, reason = "the future is then a call")]
pub(crate) fn at_once<T>(work: impl Future<Output = T>) -> T {
    match pin!(work).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => done,
        Poll::Pending => unreachable!("what is waited for on a thread holds it"),
    }
}
