//! Calls of the host through one function, for hosts to which a function pointer for each host
//! function would cost too much.

use std::cell::Cell;
use std::ffi::{c_char, c_void};
use std::ptr;
use std::sync::Arc;

use undergo::host::{HostCall, HostFunction};
use undergo::{Error, ErrorKind, ErrorSink, LineSink, Output, Result};

use crate::arena::Arena;
use crate::boundary::{UserData, borrow, borrow_mut, bytes, give, null, text};
use crate::chain;
use crate::errors::{self, ErrorHandle};
use crate::guard::{guard, put};
use crate::imports::{self, ImportsHandle, Room, Scratch};
use crate::object::{ObjectHandle, Origin};
use crate::sandbox::{self, SandboxHandle};
use crate::shape::Shape;

/// A host function is called: it reads `args`, fills `result`, and sets `error` if it fails.
pub const UNDERGO_DISPATCH_CALL: u32 = 1;
/// A line of output: `len` bytes at `args`, without the newline. It may set `error`.
pub const UNDERGO_DISPATCH_LINE: u32 = 2;
/// Nobody uses the object any more. It may come on any thread.
pub const UNDERGO_DISPATCH_RELEASE: u32 = 3;

/// A request that a server answers has failed, with the `undergo_error_t` at `args`, which stays
/// Undergo's.
pub const UNDERGO_DISPATCH_FAILURE: u32 = 4;

/// Something that a dispatcher is called for.
#[repr(C)]
pub struct DispatchValue {
    /// The dispatcher's own: `undergo_dispatcher_t.context`.
    pub context: *mut c_void,
    /// `undergo_entry_t.caller` of the call of this thread that is under way; NULL when there is
    /// none.
    pub caller: *mut c_void,
    /// The number that the host gave with the function, the output or the error.
    pub id: u64,
    /// One of `UNDERGO_DISPATCH_CALL`, `_LINE`, `_RELEASE`, `_FAILURE`.
    pub what: u32,
    /// Of an object of the host: which of its methods is called, in the order of their digests.
    pub method: u32,
    /// The struct of the function's arguments, the bytes of a line, or an error. They live until
    /// the dispatcher returns.
    pub args: *const c_void,
    /// Bytes of a line.
    pub len: usize,
    /// Room for the function's result, all zero. What it points to must live until the dispatcher
    /// has returned and Undergo has read it: it may lie in `scratch`, or in what
    /// `undergo_arena_alloc` gives of `arena`.
    pub result: *mut c_void,
    /// Some room, aligned for anything.
    pub scratch: *mut c_void,
    /// Bytes of it.
    pub scratch_len: usize,
    /// More room.
    pub arena: *mut Arena,
    /// Set to an error, which is Undergo's then, when the function fails. One of the kind
    /// type-mismatch without an object says that the result does not fit, and ends the call and the
    /// instance; others are as of `undergo_host_fn`.
    pub error: *mut ErrorHandle,
}

/// The function of a host through which it is called for all that it gives to Undergo. It must not
/// unwind or longjmp.
pub type DispatchFn = Option<unsafe extern "C" fn(dispatch: *mut DispatchValue)>;

/// A host's dispatcher.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct DispatcherValue {
    /// What is called, on the thread of the call; for a pool, on several threads at once; for a
    /// server, on threads of Undergo's.
    pub function: DispatchFn,
    /// Whatever it wants to have.
    pub context: *mut c_void,
}

/// An object of the host, by its number. The host is told when nobody has it any more.
struct Object {
    function: unsafe extern "C" fn(*mut DispatchValue),
    context: *mut c_void,
    id: u64,
}

// SAFETY: Rust never looks behind the pointer, and the header says on which threads the dispatcher
// gets it.
unsafe impl Send for Object {}
// SAFETY: as above.
unsafe impl Sync for Object {}

impl Object {
    /// SAFETY: NULL, or a dispatcher that may be called from now on.
    unsafe fn new(dispatcher: *const DispatcherValue, id: u64) -> Result<Object> {
        // SAFETY: the caller's promise.
        let given = unsafe { borrow(dispatcher, "dispatcher") }?;
        let function = given.function.ok_or_else(|| null("the dispatcher's function"))?;
        Ok(Object { function, context: given.context, id })
    }

    fn empty(&self, what: u32) -> DispatchValue {
        DispatchValue {
            context: self.context,
            caller: THREAD.with(|thread| thread.caller.get()),
            id: self.id,
            what,
            method: 0,
            args: ptr::null(),
            len: 0,
            result: ptr::null_mut(),
            scratch: ptr::null_mut(),
            scratch_len: 0,
            arena: ptr::null_mut(),
            error: ptr::null_mut(),
        }
    }

    /// Calls the dispatcher.
    fn dispatch(&self, dispatch: &mut DispatchValue) {
        let _host = InHost::enter();
        // SAFETY: C's promise: the dispatcher may be called so.
        unsafe { (self.function)(dispatch) };
    }
}

impl Drop for Object {
    fn drop(&mut self) {
        let mut dispatch = self.empty(UNDERGO_DISPATCH_RELEASE);
        self.dispatch(&mut dispatch);
        if !dispatch.error.is_null() {
            // SAFETY: an error that is set is handed over.
            drop(unsafe { errors::take(dispatch.error) });
        }
    }
}

/// What a thread has of calls. In one place, because finding it costs as much as a small call.
struct Thread {
    /// Whose call of this thread is under way.
    caller: Cell<*mut c_void>,
    /// How many calls of dispatchers this thread is in.
    depth: Cell<u32>,
}

thread_local! {
    static THREAD: Thread = const { Thread { caller: Cell::new(ptr::null_mut()), depth: Cell::new(0) } };
}

/// Notes the caller for the time of a call.
pub(crate) struct Calling {
    thread: *const Thread,
    before: *mut c_void,
}

impl Calling {
    #[inline]
    pub(crate) fn enter(caller: *mut c_void) -> Calling {
        THREAD.with(|thread| Calling { thread, before: thread.caller.replace(caller) })
    }
}

impl Drop for Calling {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: a call ends on the thread on which it began, which is not over before.
        unsafe { &(*self.thread).caller }.set(self.before);
    }
}

/// Counts a call of a dispatcher for its time.
struct InHost;

impl InHost {
    fn enter() -> InHost {
        THREAD.with(|thread| thread.depth.set(thread.depth.get() + 1));
        InHost
    }
}

impl Drop for InHost {
    fn drop(&mut self) {
        THREAD.with(|thread| thread.depth.set(thread.depth.get() - 1));
    }
}

/// Gives how many calls of dispatchers this thread is in the middle of: 0 outside of host
/// functions. A thread that has one can call back into the instance that called.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_dispatch_depth(depth: *mut u32) {
    // SAFETY: C's promise.
    if let Some(out) = unsafe { depth.as_mut() } {
        *out = THREAD.with(|thread| thread.depth.get());
    }
}

/// What a dispatcher set as its error.
///
/// SAFETY: an error that is not NULL is handed over.
unsafe fn failed(error: *mut ErrorHandle, through: impl FnOnce(*mut ErrorHandle) -> Error) -> Result<()> {
    if error.is_null() {
        return Ok(());
    }
    // SAFETY: the caller's promise.
    Err(unsafe { errors::misfit(error) }.unwrap_or_else(|| through(error)))
}

struct Dispatched {
    object: Arc<Object>,
    digest: u64,
    method: u32,
}

impl HostFunction for Dispatched {
    fn call(&self, call: &mut HostCall<'_>) -> Result<()> {
        let shape = Shape::called(call, self.digest)?;
        let (mut nested, mut scratch) = (Scratch::new(), Scratch::new());
        // SAFETY: the scratch outlives the arena.
        let mut arena = unsafe { nested.arena() };
        let (mut args, mut result) = (Room::new(), Room::new());
        let args = args.zeroed(shape.params.size);
        // SAFETY: there is room for the struct of the arguments.
        unsafe { imports::take_args(call, shape, args, &mut arena) }?;
        let empty = self.object.empty(UNDERGO_DISPATCH_CALL);
        let mut dispatch = DispatchValue { method: self.method, args: args.cast(), arena: &raw mut arena, ..empty };
        if let Some(layout) = &shape.result {
            dispatch.result = result.zeroed(layout.size).cast();
            (dispatch.scratch, dispatch.scratch_len) = scratch.place();
        }
        call.outside(|| self.object.dispatch(&mut dispatch));
        // SAFETY: an error that is set is handed over.
        unsafe { failed(dispatch.error, |error| chain::from_host(error, call.function())) }?;
        // SAFETY: C's promise: the function has filled the struct with what lives until now.
        unsafe { imports::answer(call, shape, dispatch.result.cast()) }
    }
}

/// Gives a function that the dispatcher runs, by the WIT names of its interface and its own.
/// `digest` is that of the import in `undergo_plugin_describe`, whose structs it reads and fills;
/// instances of plugins that have another function of the name are refused when it is called.
///
/// As of all numbers, the dispatcher gets `UNDERGO_DISPATCH_RELEASE` with `id` when nobody can call
/// the function any more, or at once when this fails.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_imports_set_dispatched(
    imports: *mut ImportsHandle,
    interface: *const c_char,
    name: *const c_char,
    digest: u64,
    dispatcher: *const DispatcherValue,
    id: u64,
) -> *mut ErrorHandle {
    guard(|| {
        // SAFETY: C's promise.
        let object = unsafe { Object::new(dispatcher, id) }?;
        // SAFETY: C's promise.
        let (imports, interface, name) = unsafe { (borrow_mut(imports, "imports")?, text(interface, "interface")?, text(name, "name")?) };
        imports.set(interface, name, Arc::new(Dispatched { object: Arc::new(object), digest, method: 0 }));
        Ok(())
    })
}

/// Creates an object of the host whose methods the dispatcher runs, for a parameter that takes an
/// `undergo_object_t *`: `digests` are those of the methods of its resource in
/// `undergo_plugin_describe`, in their order. A function has the one method `call`, an iterable
/// `next`, a stream `read` or `write`, and `close`. The caller frees it with
/// `undergo_object_delete`; in the result of a host function it is Undergo's.
///
/// The dispatcher gets `UNDERGO_DISPATCH_CALL` with `id` and the number of the method, and
/// `UNDERGO_DISPATCH_RELEASE` as of all numbers: once, on any thread, when neither the caller nor a
/// guest has the object any more, or at once when this fails. `undergo_object_dispatched` gives the
/// number of an object that a guest passes back.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_object_new_dispatched(
    digests: *const u64,
    count: usize,
    dispatcher: *const DispatcherValue,
    id: u64,
    object: *mut *mut ObjectHandle,
) -> *mut ErrorHandle {
    guard(|| {
        // SAFETY: C's promise.
        let shared = Arc::new(unsafe { Object::new(dispatcher, id) }?);
        if digests.is_null() && count > 0 {
            return Err(null("digests"));
        }
        let method = |method: usize| -> Arc<dyn HostFunction> {
            // SAFETY: C's promise: there are so many.
            let digest = unsafe { digests.add(method).read() };
            Arc::new(Dispatched { object: shared.clone(), digest, method: method as u32 })
        };
        // SAFETY: C's promise.
        unsafe { put(object, "object", || Ok(ObjectHandle::unnamed((0..count).map(method).collect()).from(Origin::Number(id)))) }
    })
}

/// Gives an output to the dispatcher, line by line; as `undergo_sandbox_lines`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_sandbox_lines_dispatched(
    sandbox: *mut SandboxHandle,
    stream: u32,
    dispatcher: *const DispatcherValue,
    id: u64,
) -> *mut ErrorHandle {
    guard(|| {
        // SAFETY: C's promise.
        let object = unsafe { Object::new(dispatcher, id) }?;
        let sink = LineSink::new(move |line| {
            let mut dispatch = DispatchValue { args: line.as_ptr().cast(), len: line.len(), ..object.empty(UNDERGO_DISPATCH_LINE) };
            object.dispatch(&mut dispatch);
            // SAFETY: an error that is set is handed over.
            unsafe { failed(dispatch.error, |error| errors::from_host(error)) }
        });
        // SAFETY: C's promise.
        unsafe { sandbox::set(sandbox, stream, Output::Lines(sink)) }
    })
}

/// Tells a dispatcher of failed requests.
///
/// # Safety
///
/// NULL, or a dispatcher that may be called from now on.
pub(crate) unsafe fn failures(dispatcher: *const DispatcherValue, id: u64) -> Result<ErrorSink> {
    // SAFETY: the caller's promise.
    let object = unsafe { Object::new(dispatcher, id) }?;
    Ok(ErrorSink::new(move |error| {
        let given = errors::handle(error.clone());
        let mut dispatch = DispatchValue { args: given.cast_const().cast(), ..object.empty(UNDERGO_DISPATCH_FAILURE) };
        object.dispatch(&mut dispatch);
        // SAFETY: an error that is set is handed over; the other one is this function's.
        drop(unsafe { (errors::take(dispatch.error), errors::take(given)) });
    }))
}

/// Frees an object of the host.
unsafe extern "C" fn release(object: *mut c_void) {
    // SAFETY: `undergo_error_new_dispatched` gave the two together, and this is the only call.
    drop(unsafe { Box::from_raw(object.cast::<Object>()) });
}

/// An error of the kind host-error for a dispatcher to set, which stands for one of the host's own
/// by its number: `len` bytes of text, in which what is not UTF-8 is replaced. The caller of the
/// export gets the number back with `undergo_error_dispatched`. NULL when there is no dispatcher.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_error_new_dispatched(
    message: *const c_char,
    len: usize,
    dispatcher: *const DispatcherValue,
    id: u64,
) -> *mut ErrorHandle {
    // SAFETY: C's promise.
    unsafe { standing(ErrorKind::HostError, message, len, dispatcher, id) }
}

/// The same of the kind cancelled, for what asks the host's program to end, or the call: no Go code
/// gets it as an error to handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_error_ending_dispatched(
    message: *const c_char,
    len: usize,
    dispatcher: *const DispatcherValue,
    id: u64,
) -> *mut ErrorHandle {
    // SAFETY: C's promise.
    unsafe { standing(ErrorKind::Cancelled, message, len, dispatcher, id) }
}

/// SAFETY: the caller's promise is that of `undergo_error_new_dispatched`.
unsafe fn standing(kind: ErrorKind, message: *const c_char, len: usize, dispatcher: *const DispatcherValue, id: u64) -> *mut ErrorHandle {
    crate::boundary::quietly(ptr::null_mut(), || {
        // SAFETY: the caller's promise.
        let (message, object) = unsafe { (bytes(message.cast(), len).unwrap_or_default(), Object::new(dispatcher, id)) };
        let Ok(object) = object else { return ptr::null_mut() };
        let payload = UserData { data: give(object).cast(), destroy: Some(release) };
        errors::with_payload(Error::new(kind, String::from_utf8_lossy(message)), payload)
    })
}

/// Gives the number of the host's own error that this is. Whether it is one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_error_dispatched(error: *const ErrorHandle, id: *mut u64) -> bool {
    // SAFETY: C's promise; a payload with that destructor is such an object.
    let found = unsafe { errors::undergo_error_payload_of(error, Some(release)).cast::<Object>().as_ref() };
    // SAFETY: C's promise.
    if let (Some(object), Some(out)) = (found, unsafe { id.as_mut() }) {
        *out = object.id;
    }
    found.is_some()
}
