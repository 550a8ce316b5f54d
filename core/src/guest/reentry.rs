//! Calls back into an instance whose guest waits for an asynchronous host function, and into its
//! pool.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;
use wasmtime::StoreContextMut;

use crate::config::Lease;
use crate::error::{Error, ErrorKind, Result};
use crate::guest::state::State;
use crate::sched::task;

thread_local! {
    /// The pools whose host functions this thread runs, from the outermost to the innermost, each
    /// with the task that runs it.
    static POOLS: RefCell<Vec<(u64, usize)>> = const { RefCell::new(Vec::new()) };
}

/// While this lives, the thread runs a host function for an instance of a pool.
pub(crate) struct InPool(u64, usize);

impl InPool {
    pub(crate) fn enter(pool: u64) -> InPool {
        let task = task::current();
        if pool != 0 {
            POOLS.with_borrow_mut(|pools| pools.push((pool, task)));
        }
        InPool(pool, task)
    }
}

impl Drop for InPool {
    fn drop(&mut self) {
        if self.0 == 0 {
            return;
        }
        // The last one, unless coroutines return in another order.
        POOLS.with_borrow_mut(|pools| {
            if let Some(at) = pools.iter().rposition(|found| *found == (self.0, self.1)) {
                pools.remove(at);
            }
        });
    }
}

/// Whether a caller that waits here for an instance of that pool would wait for itself: if this is
/// polled by a host function that one of the pool's instances has called, and not by a separate
/// task, which would go on after the function has returned.
pub(crate) fn would_wait_for_its_pool(pool: u64) -> bool {
    let task = task::current();
    POOLS.with_borrow(|pools| pools.contains(&(pool, task)))
}

/// A closure that runs in a waiting guest. Each is done before the next one begins, and before the
/// host function's answer is taken: last in, first out.
pub(crate) type Reentry = Box<dyn for<'s, 'c> FnOnce(&'s mut StoreContextMut<'c, State>) -> Reentering<'s> + Send>;

pub(crate) type Reentering<'s> = Pin<Box<dyn Future<Output = ()> + Send + 's>>;

/// A number that no other lease or pool has.
pub(crate) fn unique() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// Channels through which callbacks re-enter a suspended instance, keyed by lease.
#[derive(Default)]
pub(crate) struct Channels(Mutex<Vec<(u64, UnboundedSender<Reentry>)>>);

impl Channels {
    /// Opens one for a lease.
    pub(crate) fn open(self: &Arc<Self>, lease: u64) -> Channel {
        let (sender, entries) = unbounded_channel();
        self.lock().push((lease, sender));
        Channel { channels: self.clone(), lease, entries }
    }

    /// The channel, if the host function still runs.
    pub(crate) fn find(&self, lease: Lease) -> Option<UnboundedSender<Reentry>> {
        self.lock().iter().find(|(id, _)| *id == lease.id).map(|(_, sender)| sender.clone())
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(u64, UnboundedSender<Reentry>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs a closure by a channel, and returns its result: `entry` makes the closure, which sends its
/// result.
///
/// # Errors
///
/// `busy` if the host function has returned before the closure was done.
pub(crate) async fn reenter<R>(channel: UnboundedSender<Reentry>, entry: impl FnOnce(oneshot::Sender<Result<R>>) -> Reentry) -> Result<R> {
    let over = || Error::new(ErrorKind::Busy, "the host function from which this came has returned");
    let (sender, done) = oneshot::channel();
    channel.send(entry(sender)).map_err(|_| over())?;
    done.await.map_err(|_| over())?
}

/// An open channel, which is closed when the host function is done.
pub(crate) struct Channel {
    channels: Arc<Channels>,
    lease: u64,
    pub(crate) entries: UnboundedReceiver<Reentry>,
}

impl Drop for Channel {
    fn drop(&mut self) {
        self.channels.lock().retain(|(lease, _)| *lease != self.lease);
    }
}
