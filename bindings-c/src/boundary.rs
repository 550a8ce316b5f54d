//! The boundary between Rust and C: checks pointers.

use std::ffi::{CStr, CString, OsStr, c_char, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::slice;
use std::str;

use undergo::{Error, ErrorKind, Result};

/// Frees what a pointer points to; may be called on any thread.
pub type Destroy = Option<unsafe extern "C" fn(data: *mut c_void)>;

/// Runs code that can't return an error. Returns `otherwise` if it panics.
#[inline]
pub(crate) fn quietly<R>(otherwise: R, code: impl FnOnce() -> R) -> R {
    catch_unwind(AssertUnwindSafe(code)).unwrap_or(otherwise)
}

/// What a handle points to.
///
/// # Safety
///
/// The pointer is NULL, or one that may be read for as long as the reference lives.
#[inline]
pub(crate) unsafe fn borrow<'a, T>(pointer: *const T, name: &str) -> Result<&'a T> {
    // SAFETY: the caller's promise.
    unsafe { pointer.as_ref() }.ok_or_else(|| null(name))
}

/// The same, mutable.
///
/// # Safety
///
/// As for [`borrow`], and nobody else uses it meanwhile.
#[inline]
pub(crate) unsafe fn borrow_mut<'a, T>(pointer: *mut T, name: &str) -> Result<&'a mut T> {
    // SAFETY: the caller's promise.
    unsafe { pointer.as_mut() }.ok_or_else(|| null(name))
}

#[cold]
pub(crate) fn null(name: &str) -> Error {
    Error::new(ErrorKind::TypeMismatch, format!("{name} is NULL"))
}

/// Moves a value to the heap, for C to own.
pub(crate) fn give<T>(value: T) -> *mut T {
    Box::into_raw(Box::new(value))
}

/// Takes back what [`give`] gave, and drops it.
///
/// # Safety
///
/// The pointer is NULL, or from `give`, and not used again.
pub(crate) unsafe fn delete<T>(pointer: *mut T) {
    if !pointer.is_null() {
        // SAFETY: the caller's promise.
        quietly((), || drop(unsafe { Box::from_raw(pointer) }));
    }
}

/// Text that ends with a NUL.
///
/// # Safety
///
/// The pointer is NULL, or to such text, which lives as long as the reference.
pub(crate) unsafe fn text<'a>(pointer: *const c_char, name: &str) -> Result<&'a str> {
    if pointer.is_null() {
        return Err(null(name));
    }
    // SAFETY: the caller's promise.
    let text = unsafe { CStr::from_ptr(pointer) };
    text.to_str().map_err(|error| {
        let text = format!("{name} is not UTF-8, from byte {} on", error.valid_up_to());
        Error::new(ErrorKind::TypeMismatch, text)
    })
}

/// A path as the system has them: any bytes.
///
/// # Safety
///
/// As for [`text`].
pub(crate) unsafe fn path(pointer: *const c_char, name: &str) -> Result<PathBuf> {
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt;
        if pointer.is_null() {
            return Err(null(name));
        }
        // SAFETY: the caller's promise.
        let bytes = unsafe { CStr::from_ptr(pointer) }.to_bytes();
        Ok(OsStr::from_bytes(bytes).into())
    }
    #[cfg(not(unix))]
    {
        // SAFETY: the caller's promise.
        Ok(OsStr::new(unsafe { text(pointer, name) }?).into())
    }
}

/// So many bytes. None of them may be NULL.
///
/// # Safety
///
/// The pointer is NULL, or `len` bytes can be read there for as long as the reference lives.
#[inline]
pub(crate) unsafe fn bytes<'a>(pointer: *const u8, len: usize) -> Result<&'a [u8], String> {
    if len == 0 {
        return Ok(&[]);
    }
    if pointer.is_null() {
        return Err(format!("{len} bytes at NULL"));
    }
    if isize::try_from(len).is_err() {
        return Err(format!("{len} bytes are more than there can be"));
    }
    // SAFETY: the caller's promise.
    Ok(unsafe { slice::from_raw_parts(pointer, len) })
}

/// Text for C, followed by a NUL. NULs within it, which C would take for the end, are replaced.
pub(crate) fn c_text(text: &str) -> CString {
    CString::new(text).unwrap_or_else(|_| CString::new(text.replace('\0', "\u{fffd}")).unwrap_or_default())
}

/// A pointer of C's that is only handed back to C.
pub(crate) struct UserData {
    pub(crate) data: *mut c_void,
    pub(crate) destroy: Destroy,
}

impl UserData {
    /// The pointer for what is called with it, while something else keeps the data.
    pub(crate) fn borrowed(data: *mut c_void) -> UserData {
        UserData { data, destroy: None }
    }
}

// SAFETY: Rust never looks behind the pointer, and the header says on which threads C's functions
// get it.
unsafe impl Send for UserData {}
// SAFETY: as above.
unsafe impl Sync for UserData {}

impl Drop for UserData {
    fn drop(&mut self) {
        if let Some(destroy) = self.destroy {
            // SAFETY: C gave the two together, and this is the only call.
            unsafe { destroy(self.data) };
        }
    }
}
