//! How the functions of WASI wait: on the thread of their caller, or as a task.
//!
//! Each function that may wait is one `async fn`, which asks the [`Waiting`] that it is given for every wait. On a thread these waits block, so that the future never
//! suspends and [`at_once`] runs it to its end; in a task they suspend it.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use wasmtime_wasi::runtime::spawn_blocking;

use crate::config::budget::{Budget, Deadline, LOOK};
use crate::error::{Error, ErrorKind, Result};
use crate::platform::descriptor::{self, Wanted};
use crate::platform::runtime;
use crate::sched::task;

/// Runs what waits on the thread, if at all. It is not run by Tokio: a function of the host that gets output may want a runtime of its own.
pub(crate) fn at_once<T>(work: impl Future<Output = wasmtime::Result<T>>) -> wasmtime::Result<T> {
    match pin!(work).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => done,
        Poll::Pending => unreachable!("waits on a thread block it"),
    }
}

/// How a guest's caller waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Waiting {
    /// On its thread. Nothing of a runtime is needed, whose threads would be gone in a forked process.
    Thread,
    /// As a task, on a fiber: the thread is free meanwhile.
    Task,
}

/// A wait for what never comes is one for a long time.
const LONG: Duration = Duration::from_secs(3600);

impl Waiting {
    /// Waits until one of the descriptors is ready, or the time has passed, or the budget wants to be asked again. It may come back early: look
    /// again then. Gives whether one is said to be ready.
    pub(crate) async fn pause(self, wanted: &[Wanted<'_>], budget: &Budget, time: Option<Duration>) -> bool {
        let until = match self {
            Waiting::Thread => budget.pause(),
            // Tokens end a task from without (`fiber.rs`), and nobody interrupts one.
            Waiting::Task => budget.deadline.map(Deadline::left),
        };
        let pause = [time, until].into_iter().flatten().min().unwrap_or(LONG).min(LONG);
        match self {
            Waiting::Thread if wanted.is_empty() => {
                thread::sleep(pause);
                false
            }
            Waiting::Thread => descriptor::wait(wanted, pause),
            Waiting::Task if wanted.is_empty() => {
                runtime::sleep_until(Instant::now() + pause).await;
                false
            }
            Waiting::Task => {
                // All of them are asked, so that each wakes the task.
                let ready = |context: &mut Context<'_>| {
                    let mut is_looked_for = false;
                    for (awaited, wants) in wanted {
                        match awaited.poll_ready(*wants, context) {
                            Some(Poll::Ready(())) => return None,
                            Some(Poll::Pending) => {}
                            None => is_looked_for = true,
                        }
                    }
                    Some(is_looked_for)
                };
                let Some(is_looked_for) = poll_fn(|context| Poll::Ready(ready(context))).await else { return true };
                // The host's own streams are shared with other readers, so none of them has an event queue.
                let end = Instant::now() + if is_looked_for { pause.min(LOOK) } else { pause };
                let mut end = pin!(runtime::sleep_until(end));
                poll_fn(|context| if ready(context).is_none() { Poll::Ready(true) } else { end.as_mut().poll(context).map(|()| false) })
                    .await
            }
        }
    }

    /// Whether the call should go on.
    pub(crate) fn check(self, budget: &Budget) -> Result<()> {
        match self {
            Waiting::Thread => budget.check(),
            Waiting::Task => budget.check_limits(),
        }
    }

    /// Runs the host's own code where that has to run.
    pub(crate) async fn at_home<R>(self, code: impl FnOnce() -> R) -> R {
        match self {
            Waiting::Thread => code(),
            Waiting::Task => task::at_home(code).await,
        }
    }

    pub(crate) fn is_task(self) -> bool {
        self == Waiting::Task
    }

    /// Runs what the system has at once. A guest that runs on its caller's thread has that do it, which spares a hop to another one; one on a fiber may be on
    /// the thread of an event loop, which should not wait for a disk.
    pub(crate) async fn blocking<R: Send + 'static>(self, work: impl FnOnce() -> R + Send + 'static) -> R {
        match self {
            Waiting::Thread => work(),
            Waiting::Task => spawn_blocking(work).await,
        }
    }

    /// Runs what the system may take long for. Who waits for it does so no longer than the budget lasts: it goes on by itself then.
    pub(crate) async fn aside<R: Send + 'static>(self, budget: &Budget, work: impl FnOnce() -> R + Send + 'static) -> Result<R> {
        if self.is_task() || budget.pause().is_none() {
            return Ok(self.blocking(work).await);
        }
        let (done, result) = mpsc::sync_channel(1);
        let apart = move || drop(done.send(work()));
        thread::Builder::new().spawn(apart).map_err(|error| {
            let text = format!("the system gives no thread for an operation of the guest's that has a deadline: {error}");
            Error::new(ErrorKind::Trap, text)
        })?;
        loop {
            match result.recv_timeout(budget.pause().unwrap_or(Duration::from_secs(1))) {
                Ok(result) => return Ok(result),
                Err(RecvTimeoutError::Timeout) => budget.check()?,
                Err(RecvTimeoutError::Disconnected) => return Err(Error::new(ErrorKind::Trap, "an operation on a file has panicked")),
            }
        }
    }
}
