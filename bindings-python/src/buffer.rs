//! The buffer protocol: another object's contiguous memory, borrowed for a call.

use std::ffi::CStr;
use std::mem::MaybeUninit;
use std::os::raw::{c_char, c_int, c_void};
use std::ptr;

use pyo3::exceptions::PyException;
use pyo3::ffi::{Py_ssize_t, PyObject};
use pyo3::prelude::*;
use undergo::host::Lend;
use undergo::interface::Scalar;

/// The protocol joined the stable ABI with Python 3.11, so `abi3-py310` has no declarations for it;
/// functions and struct have been the same, and exported, since Python 3.0 (PEP 3118; the struct in
/// 3.10's `Include/cpython/object.h` and 3.11's `Include/pybuffer.h` is one).
#[repr(C)]
struct RawBuffer {
    buf: *mut c_void,
    obj: *mut PyObject,
    len: Py_ssize_t,
    itemsize: Py_ssize_t,
    readonly: c_int,
    ndim: c_int,
    format: *mut c_char,
    shape: *mut Py_ssize_t,
    strides: *mut Py_ssize_t,
    suboffsets: *mut Py_ssize_t,
    internal: *mut c_void,
}

unsafe extern "C" {
    fn PyObject_GetBuffer(object: *mut PyObject, view: *mut RawBuffer, flags: c_int) -> c_int;
    fn PyBuffer_Release(view: *mut RawBuffer);
}

const FORMAT: c_int = 0x4;
const C_CONTIGUOUS: c_int = 0x20 | 0x10 | 0x8;

/// An exported buffer. Its exporter keeps the memory in place until it is dropped.
pub(crate) struct Buffer(Box<RawBuffer>);

// SAFETY: the struct is only read; the memory behind it stays in place whatever thread looks (an
// exporter may not move it while it is exported), and it is released with the interpreter's lock
// held, in `drop`.
unsafe impl Send for Buffer {}
// SAFETY: as above.
unsafe impl Sync for Buffer {}

impl Buffer {
    /// The object's memory, if it has a C-contiguous one of at most one dimension whose items are
    /// `scalar`s. Fails where the object's own code asks the program to end.
    pub(crate) fn of(object: &Bound<'_, PyAny>, scalar: Scalar) -> PyResult<Option<Buffer>> {
        let mut view = Box::new(MaybeUninit::<RawBuffer>::uninit());
        // SAFETY: the lock is held, as `object` shows, and `view` is room for the struct that the
        // function fills.
        if unsafe { PyObject_GetBuffer(object.as_ptr(), view.as_mut_ptr(), FORMAT | C_CONTIGUOUS) } != 0 {
            let raised = PyErr::fetch(object.py());
            return if raised.is_instance_of::<PyException>(object.py()) { Ok(None) } else { Err(raised) };
        }
        // SAFETY: the call succeeded, so it has filled the struct.
        let view = Buffer(unsafe { view.assume_init() });
        Ok((view.0.ndim <= 1 && view.holds(scalar)).then_some(view))
    }

    fn holds(&self, scalar: Scalar) -> bool {
        let format = if self.0.format.is_null() {
            b"B"
        } else {
            // SAFETY: a format that is not null is a C string of the exporter, which lives as long
            // as the view.
            unsafe { CStr::from_ptr(self.0.format) }.to_bytes()
        };
        let format = match format {
            [b'@' | b'=', code] => *code,
            [b'<', code] if cfg!(target_endian = "little") => *code,
            [code] => *code,
            _ => return false,
        };
        let signed = match format {
            b'b' | b'h' | b'i' | b'l' | b'q' | b'n' => true,
            b'B' | b'H' | b'I' | b'L' | b'Q' | b'N' | b'c' => false,
            b'f' => return scalar == Scalar::F32 && self.0.itemsize == 4,
            b'd' => return scalar == Scalar::F64 && self.0.itemsize == 8,
            _ => return false,
        };
        matches!(
            (self.0.itemsize, signed, scalar),
            (1, true, Scalar::S8)
                | (1, false, Scalar::U8)
                | (2, true, Scalar::S16)
                | (2, false, Scalar::U16)
                | (4, true, Scalar::S32)
                | (4, false, Scalar::U32)
                | (8, true, Scalar::S64)
                | (8, false, Scalar::U64)
        )
    }
}

// Not a slice: other threads may write to a mutable buffer meanwhile, as with every user of the
// protocol. Any mixture is copied then.
impl Lend for Buffer {
    fn size(&self) -> usize {
        if self.0.buf.is_null() { 0 } else { usize::try_from(self.0.len).unwrap_or(0) }
    }

    fn copy_to(&self, target: &mut [u8]) {
        let len = target.len().min(self.size());
        // SAFETY: the exporter promises `size` contiguous bytes at `buf` until the view is
        // released, and the guest's memory is no part of them, as no object exports that.
        unsafe { ptr::copy_nonoverlapping(self.0.buf.cast_const().cast(), target.as_mut_ptr(), len) }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        Python::attach(|_| {
            // SAFETY: the lock is held, and the view was filled and not released yet.
            unsafe { PyBuffer_Release(&raw mut *self.0) }
        });
    }
}
