//! Handles of the guest's objects.

use std::ffi::{CString, c_char};
use std::ptr;
use std::sync::{Arc, Mutex, Weak};

use undergo::{Error, ErrorKind, Handle, Instance, Pooled, Result};

use crate::batch::Batch;
use crate::boundary::{borrow, c_text, delete, quietly};
use crate::errors::ErrorHandle;
use crate::guard::guard;

/// An object of the guest's: one of a resource, an iterator or a stream. Whoever receives it owns
/// it, and frees it with `undergo_handle_delete`, on any thread. It does not keep its instance:
/// after the end of that, and after `undergo_handle_close`, `undergo_instance_reset`, or the return
/// of the instance to its pool, each use fails with type-mismatch or dead-instance.
pub struct ResourceHandle {
    pub(crate) core: Handle,
    instance: Weak<Alive>,
    /// Of the resource.
    name: CString,
    /// Of an iterator.
    pub(crate) batch: Mutex<Batch>,
}

/// An instance, as long as its handle of C's lives.
pub(crate) struct Alive {
    pub(crate) core: Instance,
    /// The right to it, if it is a pool's.
    _lent: Option<Lent>,
}

/// An instance that a pool has lent.
struct Lent(#[expect(dead_code, reason = "it is returned when it is dropped")] Pooled);

// SAFETY: the header says that an instance of a pool is freed on the thread that took it; calls are
// those of the instance itself, which any thread may make.
unsafe impl Send for Lent {}
// SAFETY: as above.
unsafe impl Sync for Lent {}

impl Alive {
    pub(crate) fn own(core: Instance) -> Arc<Alive> {
        Arc::new(Alive { core, _lent: None })
    }

    pub(crate) fn lent(pooled: Pooled) -> Arc<Alive> {
        Arc::new(Alive { core: pooled.clone(), _lent: Some(Lent(pooled)) })
    }
}

impl ResourceHandle {
    pub(crate) fn new(core: Handle, giver: &Arc<Alive>) -> ResourceHandle {
        ResourceHandle { name: c_text(&core.ty().name), core, instance: Arc::downgrade(giver), batch: Mutex::default() }
    }

    /// The instance that the object belongs to.
    #[inline]
    pub(crate) fn instance(&self) -> Result<Arc<Alive>> {
        self.instance.upgrade().ok_or_else(|| ended(self))
    }
}

#[cold]
fn ended(handle: &ResourceHandle) -> Error {
    Error::new(ErrorKind::DeadInstance, format!("the instance of the {} has ended", handle.core.ty().name))
}

/// Frees a handle. Unless it was closed, the guest releases the object at the beginning of the next
/// call of its instance: no code of the guest runs here. NULL is accepted. May be called on any
/// thread, also during a call of the instance, but not while another thread uses the handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_handle_delete(handle: *mut ResourceHandle) {
    // SAFETY: C's promise.
    unsafe { delete(handle) };
}

/// Closes a handle, which remains to be freed: its object can't be used any more. The guest
/// releases the object at once, which runs its `Close`, or, if a call of the instance is under way,
/// at the end of that. Closing it again does nothing. May be called on any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_handle_close(handle: *const ResourceHandle) -> *mut ErrorHandle {
    guard(|| {
        // SAFETY: C's promise.
        let handle = unsafe { borrow(handle, "handle") }?;
        match handle.instance.upgrade() {
            Some(instance) if handle.core.is_open() => instance.core.close_handle(&handle.core),
            _ => Ok(()),
        }
    })
}

/// Whether it can be used: it was not closed, nor given away, and its instance lives and was not
/// reset. May be called on any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_handle_is_open(handle: *const ResourceHandle) -> bool {
    quietly(false, || {
        // SAFETY: C's promise.
        let handle = unsafe { handle.as_ref() };
        handle.is_some_and(|handle| handle.core.is_open() && handle.instance.upgrade().is_some_and(|alive| alive.core.dead().is_none()))
    })
}

/// The WIT name of its resource, which lives as long as the handle. NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_handle_resource(handle: *const ResourceHandle) -> *const c_char {
    // SAFETY: C's promise.
    unsafe { handle.as_ref() }.map_or(ptr::null(), |handle| handle.name.as_ptr())
}
