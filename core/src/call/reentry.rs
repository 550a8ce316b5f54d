//! Calls back into an instance whose guest waits for an asynchronous host function.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::ptr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;
use wasmtime::StoreContextMut;

use crate::config::Lease;
use crate::error::{Error, ErrorKind, Result};
use crate::guest::lock::Gate;
use crate::guest::state::State;
use crate::platform::stack;
use crate::sched::task;

/// The code of a host function that has not returned yet, of a guest on a fiber.
struct Outside {
    number: u64,
    gate: *const Gate,
    pool: u64,
    /// The task that runs it, and the coroutine of the host's language.
    task: usize,
    coroutine: u64,
}

thread_local! {
    /// Those of this thread, one within the other.
    static OUTSIDE: RefCell<Vec<Outside>> = const { RefCell::new(Vec::new()) };
}

/// While this lives, the thread runs the code of a host function.
pub(crate) struct IsOutside(u64);

impl IsOutside {
    pub(crate) fn of(gate: &Gate, pool: u64) -> IsOutside {
        let number = unique();
        OUTSIDE.with_borrow_mut(|all| {
            all.push(Outside { number, gate, pool, task: task::current(), coroutine: stack::coroutine() });
        });
        IsOutside(number)
    }
}

impl Drop for IsOutside {
    fn drop(&mut self) {
        // The last one, but for coroutines that return in another order.
        OUTSIDE.with_borrow_mut(|all| all.retain(|outside| outside.number != self.0));
    }
}

/// Whether the coroutine that runs is the one of the host function that the instance has called last on this thread.
pub(crate) fn is_outside_of(gate: &Gate) -> bool {
    let coroutine = stack::coroutine();
    OUTSIDE.with_borrow(|all| all.iter().rfind(|outside| ptr::eq(outside.gate, gate)).is_some_and(|outside| outside.coroutine == coroutine))
}

/// Whether whoever waits here for that instance waits for itself: this is polled by code of a host function that the instance has called, and not by a task of its own, which
/// would go on once the function has returned.
pub(crate) fn would_wait_for_itself(gate: &Gate) -> bool {
    let task = task::current();
    OUTSIDE.with_borrow(|all| all.iter().any(|outside| ptr::eq(outside.gate, gate) && outside.task == task))
}

/// The same for a pool.
pub(crate) fn would_wait_for_its_pool(pool: u64) -> bool {
    let task = task::current();
    OUTSIDE.with_borrow(|all| all.iter().any(|outside| outside.pool == pool && outside.task == task))
}

/// Something to do in the guest meanwhile. Each is done before the next begins, and before the host function's answer is taken: last in, first out.
pub(crate) type Visit = Box<dyn for<'s, 'c> FnOnce(&'s mut StoreContextMut<'c, State>) -> Visiting<'s> + Send>;

pub(crate) type Visiting<'s> = Pin<Box<dyn Future<Output = ()> + Send + 's>>;

/// A number that no other lease or pool has.
pub(crate) fn unique() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// Where visits to an instance come in, by their lease.
#[derive(Default)]
pub(crate) struct Doors(Mutex<Vec<(u64, UnboundedSender<Visit>)>>);

impl Doors {
    /// Opens the door for a lease.
    pub(crate) fn open(self: &Arc<Self>, lease: u64) -> Door {
        let (sender, visits) = unbounded_channel();
        self.lock().push((lease, sender));
        Door { doors: self.clone(), lease, visits }
    }

    /// The way in, if the host function still runs.
    pub(crate) fn find(&self, lease: Lease) -> Option<UnboundedSender<Visit>> {
        self.lock().iter().find(|(id, _)| *id == lease.id).map(|(_, sender)| sender.clone())
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(u64, UnboundedSender<Visit>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Has something done at a door, and gives what came of it: `visit` makes what is to be done, which sends its result.
///
/// # Errors
///
/// `busy` when the host function has returned before it was done.
pub(crate) async fn through<R>(door: UnboundedSender<Visit>, visit: impl FnOnce(oneshot::Sender<Result<R>>) -> Visit) -> Result<R> {
    let over = || Error::new(ErrorKind::Busy, "the host function from which this came has returned");
    let (sender, done) = oneshot::channel();
    door.send(visit(sender)).map_err(|_| over())?;
    done.await.map_err(|_| over())?
}

/// An open door. Closed when the host function is done.
pub(crate) struct Door {
    doors: Arc<Doors>,
    lease: u64,
    pub(crate) visits: UnboundedReceiver<Visit>,
}

impl Drop for Door {
    fn drop(&mut self) {
        self.doors.lock().retain(|(lease, _)| *lease != self.lease);
    }
}
