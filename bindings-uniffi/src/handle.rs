//! Handles of a plugin's objects, and the instances that the objects belong to.

use std::fmt;
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use undergo::host::ReadAhead;
use undergo::{Error, ErrorKind, Result};

/// What a handle, or an object of the program, is in the other language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum Shape {
    /// An object with methods.
    Object,
    /// A function.
    Callback,
    /// What gives items, one after the other.
    Iterator,
    /// A stream to read from.
    Reader,
    /// A stream to write to.
    Writer,
}

impl From<undergo::interface::Shape> for Shape {
    fn from(shape: undergo::interface::Shape) -> Shape {
        match shape {
            undergo::interface::Shape::Object => Shape::Object,
            undergo::interface::Shape::Callback => Shape::Callback,
            undergo::interface::Shape::Iterator => Shape::Iterator,
            undergo::interface::Shape::Reader => Shape::Reader,
            undergo::interface::Shape::Writer => Shape::Writer,
        }
    }
}

/// An instance, which may be one that a pool lends.
pub(crate) struct Access<I> {
    instance: I,
    is_over: AtomicBool,
    /// What returns it to its pool when it is dropped.
    lent: Mutex<Option<Box<dyn Send>>>,
}

impl<I> Access<I> {
    pub(crate) fn new(instance: I) -> Arc<Access<I>> {
        Arc::new(Access { instance, is_over: AtomicBool::new(false), lent: Mutex::new(None) })
    }

    pub(crate) fn lent<L: Deref<Target = I> + Send + 'static>(lent: L) -> Arc<Access<I>>
    where
        I: Clone,
    {
        let instance = I::clone(&lent);
        Arc::new(Access { instance, is_over: AtomicBool::new(false), lent: Mutex::new(Some(Box::new(lent))) })
    }

    /// The instance, unless it was returned: somebody else may have it then.
    ///
    /// # Errors
    ///
    /// `dead-instance`.
    pub(crate) fn check(&self) -> Result<&I> {
        if self.is_over.load(Ordering::Relaxed) {
            return Err(Error::new(ErrorKind::DeadInstance, "the instance was returned to its pool"));
        }
        Ok(&self.instance)
    }

    /// Ends the lending, if it is lent.
    pub(crate) fn give_back(&self) {
        let lent = self.lent.lock().unwrap_or_else(PoisonError::into_inner).take();
        if lent.is_some() {
            // Before the pool has it, which is when `lent` is dropped.
            self.is_over.store(true, Ordering::Relaxed);
        }
    }
}

/// What calls the methods of an object.
#[derive(Clone)]
pub(crate) enum Owner {
    /// On the thread that asks for it.
    Blocks(Arc<Access<undergo::Instance>>),
    /// Elsewhere, while the caller awaits it.
    Awaits(Arc<Access<undergo::AsyncInstance>>),
}

/// A handle of an object of a plugin, which may be an iterator or a stream. The plugin keeps the
/// object until the handle is closed or dropped, on any thread. It can't be used then, nor after a
/// reset of its instance or the return to a pool.
#[derive(uniffi::Object)]
pub struct GuestHandle {
    pub(crate) core: undergo::Handle,
    pub(crate) owner: Owner,
    /// Of an iterator: how many items to ask for.
    pub(crate) ahead: Mutex<Option<ReadAhead>>,
}

impl GuestHandle {
    pub(crate) fn new(core: undergo::Handle, owner: Owner) -> Arc<GuestHandle> {
        Arc::new(GuestHandle { core, owner, ahead: Mutex::new(None) })
    }
}

impl PartialEq for GuestHandle {
    fn eq(&self, other: &GuestHandle) -> bool {
        self.core == other.core
    }
}

impl fmt::Debug for GuestHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.core.fmt(f)
    }
}
