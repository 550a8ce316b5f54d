//! The threads of asynchronous calls: a few that run guests, and one for timers and sockets. They
//! are started when they are first needed.

use std::thread::available_parallelism;

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::time::{Instant, Sleep};

use crate::platform::fork::PerProcess;

struct Runtimes {
    /// Runs no guest, so that timers and sockets are on time however busy the others are.
    clock: Threads,
    guests: Threads,
}

/// A runtime that may be dropped anywhere. If two threads make one at once, the second is dropped
/// in the middle of a call, where nothing may block.
struct Threads {
    handle: Handle,
    /// Present until it is dropped.
    runtime: Option<Runtime>,
}

impl From<Runtime> for Threads {
    fn from(runtime: Runtime) -> Threads {
        Threads { handle: runtime.handle().clone(), runtime: Some(runtime) }
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn runtimes() -> &'static Runtimes {
    // A forked child has none of its parent's threads, so it starts its own.
    static RUNTIMES: PerProcess<Runtimes> = PerProcess::new();
    RUNTIMES.get_or_make(|| {
        let threads = available_parallelism().map_or(2, usize::from);
        let make = |name: &str, threads, minds_sockets| {
            let mut builder = Builder::new_multi_thread();
            builder.worker_threads(threads).thread_name(name).enable_time();
            if minds_sockets {
                builder.enable_io();
            }
            // Without threads no asynchronous call can make progress, and there is nobody to report
            // that to.
            let runtime = builder.build().unwrap_or_else(|error| panic!("the system gives no threads for asynchronous calls: {error}"));
            Threads::from(runtime)
        };
        Runtimes { clock: make("undergo-clock", 1, true), guests: make("undergo-guest", threads, false) }
    })
}

/// Runs it on a thread for guests.
pub(crate) fn compute(turn: impl FnOnce() + Send + 'static) {
    runtimes().guests.handle.spawn(async move {
        turn();
        // With a guest on each processor, the host's event loop should not have to wait until the
        // system preempts one of them.
        std::thread::yield_now();
    });
}

/// Runs blocking work where it keeps nobody from computing.
pub(crate) fn clock() -> &'static Handle {
    &runtimes().clock.handle
}

/// A sleep that may be awaited on any executor.
pub(crate) fn sleep_until(at: std::time::Instant) -> Sleep {
    let _within = clock().enter();
    tokio::time::sleep_until(Instant::from_std(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_that_are_not_needed_are_dropped_within_a_task() {
        let make = || Builder::new_multi_thread().worker_threads(1).build().expect("threads");
        let task = make().block_on(async { tokio::spawn(async move { drop(Threads::from(make())) }).await });
        assert!(task.is_ok(), "{task:?}");
    }
}
