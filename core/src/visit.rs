//! Calls back into an instance whose guest waits for an asynchronous host function.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;
use wasmtime::StoreContextMut;

use crate::error::{Error, ErrorKind, Result};
use crate::state::State;

/// The right of a host function that runs to call back into the instance that called it: see [`HostCall::lease`](crate::HostCall::lease).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    pub(crate) id: u64,
    /// The pool of the instance; 0 where it is in none.
    pub(crate) pool: u64,
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
