//! The threads that compile: at most one module that a caller waits for, and one in the background.
//!
//! A caller can stop waiting for a compilation, but the compilation can't be stopped. Since they
//! run one at a time, abandoned ones do not pile up: one set of threads and the memory for one
//! module are in use until it is done.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;

use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::error::{Error, ErrorKind, Result};
use crate::platform::fork::PerProcess;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum PoolKind {
    /// A caller waits for it.
    Urgent,
    /// Half of the cores, so that the program has the others.
    Background,
}

type Job = Box<dyn FnOnce() + Send>;

#[derive(Default)]
struct Queue {
    jobs: Mutex<VecDeque<Job>>,
    bell: Condvar,
    started: OnceLock<bool>,
}

/// A forked child has none of its parent's threads, so it starts its own.
static QUEUES: [PerProcess<Queue>; 2] = [const { PerProcess::new() }; 2];

/// Queues a job for the thread of that kind. A job must not panic.
///
/// # Errors
///
/// `invalid-plugin` when the system gives no thread.
pub(crate) fn submit(kind: PoolKind, job: impl FnOnce() + Send + 'static) -> Result<()> {
    let queue = QUEUES[kind as usize].get_or_make(Queue::default);
    lock(&queue.jobs).push_back(Box::new(job));
    let started = queue.started.get_or_init(|| {
        let thread = thread::Builder::new().name("undergo-compiling".into());
        thread.spawn(move || serve(queue)).is_ok()
    });
    if !started {
        lock(&queue.jobs).clear();
        return Err(no_threads("there is no room for one"));
    }
    queue.bell.notify_one();
    Ok(())
}

fn serve(queue: &Queue) {
    let mut jobs = lock(&queue.jobs);
    loop {
        match jobs.pop_front() {
            Some(job) => {
                drop(jobs);
                job();
                jobs = lock(&queue.jobs);
            }
            None => jobs = queue.bell.wait(jobs).unwrap_or_else(PoisonError::into_inner),
        }
    }
}

/// The threads that share one compilation. Not rayon's global ones, which don't survive a fork.
/// They don't delay the exit of the process.
pub(crate) fn pool(kind: PoolKind) -> Result<&'static ThreadPool> {
    static POOLS: [PerProcess<Result<ThreadPool, String>>; 2] = [const { PerProcess::new() }; 2];
    let cores = thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let (threads, name) = match kind {
        PoolKind::Urgent => (cores, "undergo-compile"),
        PoolKind::Background => ((cores / 2).max(1), "undergo-tier"),
    };
    let made = POOLS[kind as usize].get_or_make(|| {
        let builder = ThreadPoolBuilder::new().thread_name(move |i| format!("{name}-{i}")).stack_size(8 << 20);
        builder.num_threads(threads).build().map_err(|error| error.to_string())
    });
    made.as_ref().map_err(|error| no_threads(error))
}

fn no_threads(why: &str) -> Error {
    Error::new(ErrorKind::InvalidPlugin, format!("the system gave no threads to compile on: {why}"))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing panics while it holds one of these locks.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
