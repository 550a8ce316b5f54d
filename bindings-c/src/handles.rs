//! Handles of the guest's objects, and the items of an iterator that have come and were not taken.

use std::collections::VecDeque;
use std::ffi::{CString, c_char, c_void};
use std::ptr;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, Weak};
use std::time::{Duration, Instant};

use undergo::host::Lent;
use undergo::interface::Shape;
use undergo::{Error, ErrorKind, Handle, Instance, Pooled, Result, Value};

use crate::arena::Arena;
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
    /// Of an iterator that was used.
    batch: OnceLock<Arc<Mutex<Batch>>>,
}

/// An instance, as long as its handle of C's lives.
pub(crate) struct Alive {
    pub(crate) core: Instance,
    /// The right to it, if it is a pool's.
    right: Option<Right>,
}

/// What returns an instance to its pool when it is dropped.
#[expect(dead_code, reason = "nothing else is done with it")]
enum Right {
    Taken(Pooled),
    Lent(Lent),
}

// SAFETY: the header says that an instance which was taken of a pool is freed on the thread that
// took it; calls are those of the instance itself, which any thread may make.
unsafe impl Send for Right {}
// SAFETY: as above.
unsafe impl Sync for Right {}

impl Alive {
    pub(crate) fn own(core: Instance) -> Arc<Alive> {
        Arc::new(Alive { core, right: None })
    }

    /// Whether it returns to a pool.
    pub(crate) fn is_of_pool(&self) -> bool {
        self.right.is_some()
    }

    pub(crate) fn taken(pooled: Pooled) -> Arc<Alive> {
        Arc::new(Alive { core: pooled.clone(), right: Some(Right::Taken(pooled)) })
    }

    pub(crate) fn lent(lent: Lent) -> Arc<Alive> {
        Arc::new(Alive { core: lent.clone(), right: Some(Right::Lent(lent)) })
    }
}

impl ResourceHandle {
    pub(crate) fn new(core: Handle, giver: &Arc<Alive>) -> ResourceHandle {
        ResourceHandle { name: c_text(&core.ty().name), core, instance: Arc::downgrade(giver), batch: OnceLock::new() }
    }

    /// The same handle, with what it has read ahead.
    pub(crate) fn same(&self) -> ResourceHandle {
        let ResourceHandle { core, instance, name, .. } = self;
        let batch = OnceLock::from(self.batch.get_or_init(Arc::default).clone());
        ResourceHandle { core: core.clone(), instance: instance.clone(), name: name.clone(), batch }
    }

    /// What an iterator has read ahead. It stays the caller's during the call that reads on.
    pub(crate) fn lock(&self) -> Result<MutexGuard<'_, Batch>> {
        let batch = self.batch.get_or_init(Arc::default);
        batch.try_lock().map_err(|_| Error::new(ErrorKind::Busy, "the iterator is in the middle of another call"))
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

/// What the object of a handle is used for.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HandleShape {
    /// For its methods.
    Object = 0,
    /// For its items: see `undergo_iterator_next`.
    Iterator = 1,
    /// For reading: see `undergo_stream_read`.
    Reader = 2,
    /// For writing: see `undergo_stream_write`.
    Writer = 3,
}

/// What its object is used for: `UNDERGO_SHAPE_OBJECT` for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_handle_shape(handle: *const ResourceHandle) -> HandleShape {
    // SAFETY: C's promise.
    match unsafe { handle.as_ref() }.map(|handle| handle.core.ty().shape) {
        Some(Shape::Iterator) => HandleShape::Iterator,
        Some(Shape::Reader) => HandleShape::Reader,
        Some(Shape::Writer) => HandleShape::Writer,
        // A guest has no callbacks.
        Some(Shape::Object | Shape::Callback) | None => HandleShape::Object,
    }
}

/// The most items that come at once.
const MOST: u32 = 256;
/// The same of numbers and other items that are small and point to nothing.
const MOST_SMALL: u32 = 1024;
/// Batches grow while they come in less than this.
const QUICK: Duration = Duration::from_millis(1);

/// What an iterator has read ahead.
#[derive(Default)]
pub(crate) struct Batch {
    /// How many to ask for; 0 is 1.
    next: u32,
    pub(crate) has_ended: bool,
    /// As values.
    pub(crate) values: VecDeque<Value>,
    /// As structs.
    pub(crate) structs: Structs,
}

/// Items as structs, one after another.
pub(crate) struct Structs {
    pub(crate) at: *const u8,
    pub(crate) left: usize,
    /// Bytes of one.
    pub(crate) size: usize,
    /// Of the function that has given them.
    pub(crate) digest: u64,
    /// What they lie in, with all that they point to.
    pub(crate) _arena: Arena,
    /// The handles in each of them, if they have any.
    pub(crate) handles: VecDeque<Vec<*mut ResourceHandle>>,
}

impl Drop for Structs {
    fn drop(&mut self) {
        for handle in self.handles.drain(..).flatten() {
            // SAFETY: its item was not taken, so nobody else has it.
            unsafe { delete(handle) };
        }
    }
}

// SAFETY: they belong to whoever has the batch.
unsafe impl Send for Structs {}

impl Default for Structs {
    fn default() -> Structs {
        Structs { at: ptr::null(), left: 0, size: 0, digest: 0, _arena: Arena::new(), handles: VecDeque::new() }
    }
}

impl Batch {
    /// How many items to ask for now.
    pub(crate) fn most(&self) -> u32 {
        self.next.max(1)
    }

    /// Notes how many have come of those that were asked for, and since when.
    pub(crate) fn note(&mut self, came: usize, begun: Instant, are_small: bool) {
        let most = self.most();
        let is_quick = came == most as usize && begun.elapsed() < QUICK;
        self.next = if is_quick { (most * 2).min(if are_small { MOST_SMALL } else { MOST }) } else { 1 };
    }

    /// Notes the end. The guest's part is released by the next call: it has nothing more to do.
    pub(crate) fn end(&mut self, handle: &ResourceHandle, has_ended: bool) {
        if has_ended {
            self.has_ended = true;
            handle.core.close();
        }
    }
}

/// The struct of the result of `next` of an iterator.
#[repr(C)]
pub(crate) struct NextResult {
    pub(crate) items: *const c_void,
    pub(crate) len: usize,
    pub(crate) has_ended: bool,
}
