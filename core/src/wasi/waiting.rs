//! How the functions of WASI wait: by holding the thread of a guest that runs on its caller's
//! stack, or by suspending one that runs on a fiber. Each function that may wait is one `async fn`,
//! which leaves every wait to the [`Driver`].

use std::future::poll_fn;
use std::pin::pin;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::task::{Context, Poll};
use std::thread;
use std::time::{Duration, Instant};

use wasmtime_wasi::runtime::spawn_blocking;

use crate::config::budget::{Budget, Deadline, LOOK};
use crate::error::{Error, ErrorKind, Result};
use crate::platform::descriptor::{self, Wanted};
use crate::platform::runtime;
use crate::sched::driver::Driver;

/// The longest single wait: whoever waits for ever waits again.
const LONG: Duration = Duration::from_secs(3600);

impl Driver {
    /// Waits until one of the descriptors is ready, the time has passed, or the budget has to be
    /// checked. May return early: look again then. Returns whether one is reported to be ready.
    pub(crate) async fn pause(self, wanted: &[Wanted<'_>], budget: &Budget, time: Option<Duration>) -> bool {
        let until = match self {
            Driver::Direct => budget.pause(),
            // Tokens end a task from outside (`call/`), and tasks can't be interrupted.
            Driver::Fiber => budget.deadline.map(Deadline::left),
        };
        let pause = [time, until].into_iter().flatten().min().unwrap_or(LONG).min(LONG);
        match self {
            Driver::Direct if wanted.is_empty() => {
                thread::sleep(pause);
                false
            }
            Driver::Direct => descriptor::wait(wanted, pause),
            Driver::Fiber if wanted.is_empty() => {
                runtime::sleep_until(Instant::now() + pause).await;
                false
            }
            Driver::Fiber => {
                // All of them are polled, so that each one wakes the task.
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
                // Other readers share the host's own streams, so those have no event queue.
                let end = Instant::now() + if is_looked_for { pause.min(LOOK) } else { pause };
                let mut end = pin!(runtime::sleep_until(end));
                poll_fn(|context| if ready(context).is_none() { Poll::Ready(true) } else { end.as_mut().poll(context).map(|()| false) })
                    .await
            }
        }
    }

    /// Runs a system call that is expected to return at once. On a thread it runs there, without a
    /// hop to another one. In a task it runs elsewhere, since the thread may be an event loop's,
    /// which should not wait for a disk.
    pub(crate) async fn blocking<R: Send + 'static>(self, work: impl FnOnce() -> R + Send + 'static) -> R {
        match self {
            Driver::Direct => work(),
            Driver::Fiber => spawn_blocking(work).await,
        }
    }

    /// Runs a system call that may take long. The call waits for it only as long as its budget
    /// lasts; the operation continues on its own then.
    pub(crate) async fn aside<R: Send + 'static>(self, budget: &Budget, work: impl FnOnce() -> R + Send + 'static) -> Result<R> {
        if self == Driver::Fiber || budget.pause().is_none() {
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
