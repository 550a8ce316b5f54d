//! Where calls run.
//!
//! The virtual machine of another language knows the stacks of its threads, and must not be called on any other. So
//!
//! - a synchronous call for whose guest the caller's stack is too small runs on a thread of this crate, with the host functions that it calls, while the
//!   caller waits: a Java thread has 1 MiB by default, a guest's stack alone 4 MiB;
//! - asynchronous calls run on threads of this crate, on fibers, and the host's code that they call runs beside them.

use std::any::Any;
use std::cell::RefCell;
use std::collections::HashMap;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::sync_channel;
use std::sync::{Mutex, PoisonError};

use tokio::runtime::{Builder, EnterGuard, Handle, Runtime};
use tokio::task::JoinHandle;
use undergo::{Error, ErrorKind, PerProcess, Result};

/// Native stack for the frames between here and the core, on top of what the core asks for.
const FRAMES: usize = 128 << 10;

/// Room on a thread of this crate for calls within host functions: only what is used is memory.
const NESTED: u64 = 24 << 20;

/// Stack that a call needs.
pub(crate) fn stack_of(limits: &undergo::Limits) -> usize {
    limits.native_stack().saturating_add(FRAMES)
}

thread_local! {
    /// The instances and pools in whose calls this thread is.
    static INSIDE: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
}

struct Inside;

impl Inside {
    fn enter(owner: usize) -> Inside {
        INSIDE.with_borrow_mut(|inside| inside.push(owner));
        Inside
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        INSIDE.with_borrow_mut(Vec::pop);
    }
}

/// Runs a call of that owner (an instance, a pool) where there is enough stack for it. A call from within a host function of the same owner stays on its
/// thread, which has the right to it.
pub(crate) fn with_stack<R: Send + 'static>(needed: usize, owner: usize, code: impl FnOnce() -> Result<R> + Send + 'static) -> Result<R> {
    let is_enough = undergo::remaining_stack() >= needed;
    if is_enough || INSIDE.with_borrow(|inside| inside.contains(&owner)) {
        let _inside = Inside::enter(owner);
        return code();
    }
    let (sender, result) = sync_channel(1);
    runtimes().callers(needed).spawn_blocking(move || {
        let _inside = Inside::enter(owner);
        // Who waits is there until the end.
        drop(sender.send(guarded(code)));
    });
    result.recv().unwrap_or_else(|_| Err(Error::new(ErrorKind::Busy, "the system gives no thread for the call")))
}

/// Runs the host's code on a thread that the other language knows, or can know, and waits.
pub(crate) fn elsewhere(code: impl FnOnce() -> Result<()> + Send + 'static) -> Result<()> {
    let (sender, result) = sync_channel(1);
    runtimes().tasks().spawn_blocking(move || drop(sender.send(guarded(code))));
    result.recv().unwrap_or_else(|_| Err(Error::new(ErrorKind::Busy, "the system gives no thread for the host's function")))
}

/// A panic must not take the caller's waiting with it.
fn guarded<R>(code: impl FnOnce() -> Result<R>) -> Result<R> {
    catch_unwind(AssertUnwindSafe(code)).unwrap_or_else(|panic| Err(panicked(&*panic)))
}

fn panicked(panic: &(dyn Any + Send)) -> Error {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    Error::new(ErrorKind::HostError, format!("the binding panicked, which is a mistake in it: {}", text.unwrap_or_default()))
}

/// Runs a future on a thread of this crate. When this is dropped, the future is.
pub(crate) async fn task<R: Send + 'static>(future: impl Future<Output = Result<R>> + Send + 'static) -> Result<R> {
    joined(Joined(runtimes().tasks().spawn(future))).await
}

/// Runs code that may block on a thread of this crate.
pub(crate) async fn blocking<R: Send + 'static>(code: impl FnOnce() -> Result<R> + Send + 'static) -> Result<R> {
    joined(Joined(runtimes().tasks().spawn_blocking(code))).await
}

/// Lets futures of this crate and of the core be polled on this thread, while the result lives.
pub(crate) fn enter() -> EnterGuard<'static> {
    runtimes().tasks.enter()
}

/// Drops something of the other language, whatever stack this is.
pub(crate) fn dropped(object: impl Send + 'static) {
    drop(runtimes().tasks().spawn_blocking(move || drop(object)));
}

struct Joined<R>(JoinHandle<Result<R>>);

impl<R> Drop for Joined<R> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn joined<R>(mut joined: Joined<R>) -> Result<R> {
    match (&mut joined.0).await {
        Ok(result) => result,
        Err(failed) if failed.is_panic() => Err(panicked(&*failed.into_panic())),
        Err(_) => Err(Error::new(ErrorKind::Cancelled, "the call was cancelled")),
    }
}

/// The threads, made when they are first needed, and never ended: a process that ends does not wait for them.
struct Runtimes {
    tasks: Runtime,
    /// By the size of their stacks.
    callers: Mutex<HashMap<usize, Handle>>,
}

impl Runtimes {
    fn tasks(&self) -> &Handle {
        self.tasks.handle()
    }

    fn callers(&self, needed: usize) -> Handle {
        let size = needed.saturating_add(NESTED as usize).next_power_of_two();
        let mut callers = self.callers.lock().unwrap_or_else(PoisonError::into_inner);
        let made = || {
            let mut builder = Builder::new_current_thread();
            // One for each caller that waits: those that may come are as many as the callers' threads.
            builder.thread_name("undergo-call").thread_stack_size(size).max_blocking_threads(1 << 15);
            let runtime: &'static Runtime = Box::leak(Box::new(build(&mut builder)));
            runtime.handle().clone()
        };
        callers.entry(size).or_insert_with(made).clone()
    }
}

fn build(builder: &mut Builder) -> Runtime {
    // Without threads no call can go on.
    builder.build().unwrap_or_else(|error| panic!("the system gives no threads for calls: {error}"))
}

fn runtimes() -> &'static Runtimes {
    // A forked child has no thread of its parent's, so it makes its own.
    static RUNTIMES: PerProcess<Runtimes> = PerProcess::new();
    RUNTIMES.get_or_make(|| {
        let mut builder = Builder::new_multi_thread();
        let threads = std::thread::available_parallelism().map_or(2, usize::from);
        builder.worker_threads(threads).thread_name("undergo-task").max_blocking_threads(1 << 15).enable_time();
        Runtimes { tasks: build(&mut builder), callers: Mutex::default() }
    })
}
