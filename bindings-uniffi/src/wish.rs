//! Requests for host functions, for the thread that polls a call: see `turns`.

use std::cell::RefCell;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;
use undergo::{Answer, Error, ErrorKind, HostCall, Result};

use crate::wire::{self, Given, Packing};

/// What a guest wants of the host.
pub(crate) struct Wish {
    pub(crate) function: u32,
    /// Taken to be told.
    pub(crate) packed: Option<Vec<u8>>,
    pub(crate) lease: Option<undergo::Lease>,
    pub(crate) answer: oneshot::Sender<Result<Vec<u8>>>,
}

/// The number of an exception of Ruby, as what an error carries.
pub(crate) struct Exception(pub(crate) u64);

/// Where a call has its wish, from when the guest has it to the answer.
pub(crate) type Wishes = Arc<Mutex<Option<Wish>>>;

thread_local! {
    /// Those of the call whose turn this thread runs.
    static CURRENT: RefCell<Option<Wishes>> = const { RefCell::new(None) };
}

/// Asks the host whose turn it is.
pub(crate) fn ask(call: &mut HostCall<'_>, plugin: &undergo::Plugin, function: u32) -> Result<()> {
    let packing = Packing::new(plugin.clone());
    call.args(&packing)?;
    let (answer, answered) = oneshot::channel();
    let wish = Wish { function, packed: Some(packing.finish()), lease: call.lease(), answer };
    let current = CURRENT.with_borrow(Clone::clone);
    let current = current.ok_or_else(|| Error::new(ErrorKind::HostError, "the host's functions can be called in turns only"))?;
    *lock(&current) = Some(wish);
    call.defer(Box::pin(async move {
        let gone = || Error::new(ErrorKind::Cancelled, "the call was cancelled");
        let packed = answered.await.map_err(|_| gone())??;
        let answer: Answer = Box::new(move |call| match wire::read(&packed)?.first() {
            Some(node) => call.answer(&Given(node)),
            None => Ok(()),
        });
        Ok(answer)
    }))
}

/// Has this thread run a turn, until it is dropped.
pub(crate) struct Current(Option<Wishes>);

impl Current {
    pub(crate) fn set(wishes: Wishes) -> Current {
        Current(CURRENT.replace(Some(wishes)))
    }
}

impl Drop for Current {
    fn drop(&mut self) {
        CURRENT.set(self.0.take());
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
