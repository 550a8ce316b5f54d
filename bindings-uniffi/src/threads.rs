//! The threads of asynchronous calls.
//!
//! A synchronous call runs on its caller's thread: its guest on a separate stack if the caller's is
//! too small, and host functions on the caller's stack. Asynchronous calls run on threads of this
//! crate, and the host code that they call runs on other threads.

use std::any::Any;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::sync_channel;

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::JoinHandle;
use undergo::host::PerProcess;
use undergo::{Error, ErrorKind, Result};

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

/// The threads, made when they are first needed, and never ended: a process that ends does not wait
/// for them.
struct Runtimes {
    tasks: Runtime,
}

impl Runtimes {
    fn tasks(&self) -> &Handle {
        self.tasks.handle()
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
        Runtimes { tasks: build(&mut builder) }
    })
}
