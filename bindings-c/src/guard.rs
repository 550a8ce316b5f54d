//! The boundary for code that can fail: stops panics, and turns errors into handles.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

use undergo::{Error, ErrorKind, Result};

use crate::boundary::{give, null};
use crate::errors::{self, ErrorHandle};

/// Runs what can fail. A panic is an error, too.
#[inline]
pub(crate) fn guard(code: impl FnOnce() -> Result<()>) -> *mut ErrorHandle {
    match catch_unwind(AssertUnwindSafe(code)) {
        Ok(Ok(())) => ptr::null_mut(),
        Ok(Err(error)) => errors::handle(error),
        Err(panic) => panicked(&*panic),
    }
}

#[cold]
fn panicked(panic: &(dyn std::any::Any + Send)) -> *mut ErrorHandle {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    errors::handle(Error::new(ErrorKind::HostError, format!("undergo itself panicked: {}", text.unwrap_or_default())))
}

/// Writes a handle where C wants it.
///
/// SAFETY: `out` is NULL, or a place for a pointer.
pub(crate) unsafe fn put<T>(out: *mut *mut T, name: &str, make: impl FnOnce() -> Result<T>) -> Result<()> {
    if out.is_null() {
        return Err(null(name));
    }
    // SAFETY: the caller's promise.
    unsafe {
        out.write(ptr::null_mut());
        out.write(give(make()?));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::ffi::CStr;

    use super::*;
    use crate::boundary::quietly;

    #[test]
    fn a_panic_becomes_an_error() {
        let error = guard(|| panic!("oh no"));
        // SAFETY: `guard` gave it.
        let text = unsafe { CStr::from_ptr(errors::undergo_error_message(error)) };
        assert!(text.to_str().is_ok_and(|text| text.contains("oh no")));
        // SAFETY: as above, and it is not used again.
        unsafe { errors::undergo_error_delete(error) };
        assert_eq!(quietly(7, || panic!("oh no")), 7);
    }
}
