//! Streams: those of the host, which are callbacks, and those of the guest.

use std::cell::RefCell;
use std::ffi::c_void;
use std::ptr;
use std::sync::{Arc, Mutex, TryLockError};

use undergo::host::{HostCall, HostFunction, Outcome, ToValue};
use undergo::interface::Shape as ResourceShape;
use undergo::{CallOptions, Error, ErrorKind, Result, Value};

use crate::arena::Arena;
use crate::boundary::{Destroy, UserData, borrow, bytes, null};
use crate::config::{CallOptionsValue, call_options};
use crate::errors::ErrorHandle;
use crate::exports;
use crate::guard::{guard, put};
use crate::handles::ResourceHandle;
use crate::imports::{Kept, check};
use crate::layout::{Kind, Layout};
use crate::lift::Filling;
use crate::lower::Place;
use crate::members;
use crate::methods::method_name;
use crate::object::ObjectHandle;
use crate::shape::Shape;
use crate::types::List;

/// Reads up to `most` bytes, which are at least one, to `buffer`, and sets `*len` to how many there
/// were: 0 at the end. To say that it gave more than `most` is an error.
pub type ReadFn = Option<unsafe extern "C" fn(data: *mut c_void, buffer: *mut c_void, most: usize, len: *mut usize) -> *mut ErrorHandle>;

/// Writes all of these bytes.
pub type WriteFn = Option<unsafe extern "C" fn(data: *mut c_void, bytes: *const c_void, len: usize) -> *mut ErrorHandle>;

/// Closes a stream, when the guest does so: not when it ends otherwise, for which there is `drop`.
pub type CloseFn = Option<unsafe extern "C" fn(data: *mut c_void) -> *mut ErrorHandle>;

/// The most bytes that a stream gives or takes at once.
const MOST: usize = 1 << 20;

/// Creates a stream to read from, of the host, for `undergo_value_object` and a parameter that
/// takes one. The callbacks are called on the thread of the call; `close` may be NULL. An error
/// that they return belongs to Undergo, and becomes an error of Go. Otherwise as
/// `undergo_object_new`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_reader_new(
    read: ReadFn,
    close: CloseFn,
    data: *mut c_void,
    drop: Destroy,
    object: *mut *mut ObjectHandle,
) -> *mut ErrorHandle {
    guard(|| {
        let stream = Stream::new(data, drop);
        let read = read.ok_or_else(|| null("read"))?;
        let reader = Arc::new(Reader { read, buffer: Mutex::default(), stream: stream.same() });
        // SAFETY: C's promise.
        unsafe { put(object, "object", || Ok(stream.object("read", reader, close))) }
    })
}

/// Creates a stream to write to, of the host. Otherwise as `undergo_reader_new`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_writer_new(
    write: WriteFn,
    close: CloseFn,
    data: *mut c_void,
    drop: Destroy,
    object: *mut *mut ObjectHandle,
) -> *mut ErrorHandle {
    guard(|| {
        let stream = Stream::new(data, drop);
        let write = write.ok_or_else(|| null("write"))?;
        let writer = Arc::new(Writer { write, stream: stream.same() });
        // SAFETY: C's promise.
        unsafe { put(object, "object", || Ok(stream.object("write", writer, close))) }
    })
}

/// The data of a stream's callbacks.
struct Stream {
    data: UserData,
    _kept: Arc<Kept>,
}

impl Stream {
    /// The data is destroyed with the last of those that are the same.
    fn new(data: *mut c_void, drop: Destroy) -> Stream {
        Stream { data: UserData::borrowed(data), _kept: Kept::new(UserData { data, destroy: drop }) }
    }

    fn same(&self) -> Stream {
        Stream { data: UserData::borrowed(self.data.data), _kept: self._kept.clone() }
    }

    fn object(self, name: &str, function: Arc<dyn HostFunction>, close: CloseFn) -> ObjectHandle {
        let closer: Arc<dyn HostFunction> = Arc::new(Closer { close, stream: self });
        ObjectHandle::named(vec![(name.to_owned(), function), ("close".to_owned(), closer)])
    }
}

struct Reader {
    read: unsafe extern "C" fn(*mut c_void, *mut c_void, usize, *mut usize) -> *mut ErrorHandle,
    /// Kept for the next read.
    buffer: Mutex<Vec<u8>>,
    stream: Stream,
}

impl HostFunction for Reader {
    fn call(&self, call: &mut HostCall<'_>) -> Result<()> {
        let most = match argument(call, "read")? {
            Some(Value::Int(most)) => usize::try_from(most).unwrap_or_default().clamp(1, MOST),
            _ => 1,
        };
        // A read within a read of the same stream has a buffer of its own.
        let (mut kept, mut own);
        let buffer = match self.buffer.try_lock() {
            Ok(buffer) => {
                kept = buffer;
                &mut *kept
            }
            Err(TryLockError::Poisoned(poisoned)) => {
                kept = poisoned.into_inner();
                &mut *kept
            }
            Err(TryLockError::WouldBlock) => {
                own = Vec::new();
                &mut own
            }
        };
        if buffer.len() < most {
            buffer.resize(most, 0);
        }
        let (at, mut len) = (buffer.as_mut_ptr(), 0);
        // SAFETY: C's promise: the function may be called so, with its own data. There is room for
        // as many bytes.
        let returned = call.outside(|| unsafe { (self.read)(self.stream.data.data, at.cast(), most, &raw mut len) });
        // SAFETY: an error that is returned is handed over.
        unsafe { check(returned, call.function()) }?;
        match buffer.get(..len).filter(|_| len <= most) {
            Some(read) => {
                let layout = Shape::of(call.function()).and_then(|shape| shape.result.as_ref()).ok_or_else(|| no_method("read"))?;
                let list = List { ptr: read.as_ptr(), len };
                // SAFETY: the result of a `read` is a list of bytes.
                call.answer(&unsafe { Place::new((&raw const list).cast(), layout) })
            }
            None => Err(Error::new(ErrorKind::HostError, format!("the stream's read gave {len} bytes, of {most} that it was asked for"))),
        }
    }
}

struct Writer {
    write: unsafe extern "C" fn(*mut c_void, *const c_void, usize) -> *mut ErrorHandle,
    stream: Stream,
}

impl HostFunction for Writer {
    fn call(&self, call: &mut HostCall<'_>) -> Result<()> {
        let Some(Value::Bytes(bytes)) = argument(call, "write")? else { return Err(no_method("write")) };
        // SAFETY: C's promise: the function may be called so, with its own data.
        let returned = call.outside(|| unsafe { (self.write)(self.stream.data.data, bytes.as_ptr().cast(), bytes.len()) });
        // SAFETY: an error that is returned is handed over.
        unsafe { check(returned, call.function()) }?;
        call.answer(&&Value::None)
    }
}

struct Closer {
    close: CloseFn,
    stream: Stream,
}

impl HostFunction for Closer {
    fn call(&self, call: &mut HostCall<'_>) -> Result<()> {
        argument(call, "close")?;
        if let Some(close) = self.close {
            // SAFETY: C's promise: the function may be called so, with its own data.
            let returned = call.outside(|| unsafe { close(self.stream.data.data) });
            // SAFETY: an error that is returned is handed over.
            unsafe { check(returned, call.function()) }?;
        }
        call.answer(&&Value::None)
    }
}

/// The argument of a method, if it is the one of that name.
pub(crate) fn argument(call: &mut HostCall<'_>, name: &str) -> Result<Option<Value>> {
    if method_name(&call.function().name) == name {
        Ok(call.args(&ToValue)?.pop())
    } else {
        Err(no_method(method_name(&call.function().name)))
    }
}

#[cold]
fn no_method(name: &str) -> Error {
    Error::new(ErrorKind::HostError, format!("the host's object is a stream, and has no method {name}"))
}

/// Reads up to `most` bytes from a stream of the guest's to `buffer`, and sets `*len` to how many
/// there were: 0 at the end, or if `most` is 0. `options` may be NULL. An error of the Go code's is
/// a guest-error. May be called on any thread, and within host functions that the instance has
/// called. `undergo_handle_close` closes the stream.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_stream_read(
    stream: *const ResourceHandle,
    buffer: *mut c_void,
    most: usize,
    options: *const CallOptionsValue,
    len: *mut usize,
) -> *mut ErrorHandle {
    /// The struct of the arguments.
    #[repr(C)]
    struct Args {
        stream: *const ResourceHandle,
        most: u32,
    }
    guard(|| {
        if len.is_null() || (buffer.is_null() && most > 0) {
            return Err(null(if len.is_null() { "len" } else { "buffer" }));
        }
        // SAFETY: C's promise.
        let (handle, options) = unsafe {
            len.write(0);
            (of_shape(stream, ResourceShape::Reader)?, call_options(options))
        };
        let most = most.min(MOST);
        if most == 0 {
            return Ok(());
        }
        // At most 2^20.
        let args = Args { stream, most: most as u32 };
        let mut read = List { ptr: ptr::null(), len: 0 };
        // The bytes go straight to their place.
        // SAFETY: C's promise: there is room for so many.
        let arena = RefCell::new(unsafe { Arena::over(buffer.cast(), most) });
        call(handle, "read", (&raw const args).cast(), &options, |outcome, layout| {
            // SAFETY: there is room for a list.
            outcome.lift(&unsafe { Filling::value(layout, (&raw mut read).cast(), &arena) })
        })?;
        if read.len > most {
            return Err(Error::new(ErrorKind::Trap, format!("the guest's stream gave {} bytes, of {most}", read.len)));
        }
        // SAFETY: C's promise.
        unsafe { len.write(read.len) };
        Ok(())
    })
}

/// Writes all of these bytes to a stream of the guest's. Otherwise as `undergo_stream_read`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_stream_write(
    stream: *const ResourceHandle,
    data: *const c_void,
    len: usize,
    options: *const CallOptionsValue,
) -> *mut ErrorHandle {
    /// The struct of the arguments.
    #[repr(C)]
    struct Args {
        stream: *const ResourceHandle,
        data: List,
    }
    guard(|| {
        // SAFETY: C's promise.
        let (handle, data, options) = unsafe {
            let data = bytes(data.cast(), len).map_err(|text| Error::new(ErrorKind::TypeMismatch, text))?;
            (of_shape(stream, ResourceShape::Writer)?, data, call_options(options))
        };
        data.chunks(MOST).try_for_each(|chunk| {
            let args = Args { stream, data: List { ptr: chunk.as_ptr(), len: chunk.len() } };
            call(handle, "write", (&raw const args).cast(), &options, |outcome, _| outcome.lift(&ToValue).map(drop))
        })
    })
}

/// Closes a stream of the guest's as Go's `Close` does, whose error is a guest-error, and its
/// handle, which remains to be freed. Closing it again does nothing. Otherwise as
/// `undergo_stream_read`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_stream_close(stream: *const ResourceHandle, options: *const CallOptionsValue) -> *mut ErrorHandle {
    guard(|| {
        // SAFETY: C's promise.
        let (handle, options) = unsafe { (borrow(stream, "stream")?, call_options(options)) };
        close(handle, &options)
    })
}

/// Closes it, unless that was done.
pub(crate) fn close(handle: &ResourceHandle, options: &CallOptions) -> Result<()> {
    if !handle.core.is_open() {
        return Ok(());
    }
    let stream = ptr::from_ref(handle);
    let closed = call(handle, "close", (&raw const stream).cast(), options, |outcome, _| outcome.lift(&ToValue).map(drop));
    let alive = handle.instance()?;
    closed.and(alive.core.close_handle(&handle.core))
}

/// The handle, if it is of such a stream.
///
/// # Safety
///
/// NULL, or a live handle.
unsafe fn of_shape<'a>(stream: *const ResourceHandle, shape: ResourceShape) -> Result<&'a ResourceHandle> {
    // SAFETY: the caller's promise.
    let handle = unsafe { borrow(stream, "stream") }?;
    if handle.core.ty().shape == shape {
        return Ok(handle);
    }
    let what = if shape == ResourceShape::Reader { "read from" } else { "write to" };
    Err(Error::new(ErrorKind::TypeMismatch, format!("the {} is no stream to {what}", handle.core.ty().name)))
}

/// Calls a method of a stream, whose arguments are as those of all streams.
fn call<R>(
    handle: &ResourceHandle,
    name: &str,
    args: *const c_void,
    options: &CallOptions,
    then: impl FnOnce(Outcome<'_, '_>, &Layout) -> Result<R>,
) -> Result<R> {
    const NOTHING: &Layout = &Layout { size: 1, align: 1, kind: Kind::Nothing };
    let alive = handle.instance()?;
    let method = members::method(alive.core.plugin(), handle, name)?;
    let (export, shape) = members::place(alive.core.plugin(), method)?;
    let layout = shape.result.as_ref().unwrap_or(NOTHING);
    // SAFETY: the core has seen that a stream has these methods; the arguments are as the method's.
    alive.core.call_with(
        export,
        options,
        |arguments| unsafe { exports::lower_struct(arguments, shape, args) },
        |outcome| then(outcome, layout),
    )
}
