//! Errors, as handles.

use std::ffi::{CString, c_char, c_void};
use std::ptr;
use std::sync::Arc;

use undergo::host::Lasting;
use undergo::{ChainedError, Error, ErrorKind, Result};

use crate::boundary::{Destroy, UserData, c_text, delete, give, quietly};
use crate::links::{Link, LinkFields};

/// What went wrong.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Nothing: the kind of NULL.
    None = 0,
    /// The module is not WebAssembly, is damaged, or was built in a way that can't be called.
    InvalidPlugin = 1,
    /// The plugin needs functions that were not given.
    MissingImport = 2,
    /// The plugin has no export of that name.
    UnknownExport = 3,
    /// A function has another signature than expected.
    SignatureMismatch = 4,
    /// A value does not fit its type; the path says which.
    TypeMismatch = 5,
    /// The Go function returned an error. The instance lives on.
    GuestError = 6,
    /// The Go code panicked, or its runtime gave up. The instance is dead.
    Panic = 7,
    /// The Go code called os.Exit. The instance is dead.
    Exit = 8,
    /// The guest did what WebAssembly forbids, or its stack overflowed. The instance is dead.
    Trap = 9,
    /// The call took longer than its timeout. The instance is dead, unless the call had not begun.
    Timeout = 10,
    /// The call was cancelled. The instance is dead, unless the call had not begun.
    Cancelled = 11,
    /// The fuel was used up. The instance is dead.
    OutOfFuel = 12,
    /// The guest wanted more memory than its limit. The instance is dead.
    OutOfMemory = 13,
    /// A host function failed.
    HostError = 14,
    /// The sandbox forbids it, or can't be made as requested.
    Denied = 15,
    /// The instance is dead and answers no further call; the message says what ended it.
    DeadInstance = 16,
    /// The instance is in the middle of another call of the same thread.
    Busy = 17,
}

macro_rules! kinds {
    ($($name:ident = $number:literal,)*) => {
        impl From<ErrorKind> for Kind {
            fn from(kind: ErrorKind) -> Kind {
                match kind {
                    $(ErrorKind::$name => Kind::$name,)*
                }
            }
        }

        /// The kinds of the core, in the order of their numbers, which count from 1.
        const KINDS: [ErrorKind; ErrorKind::ALL.len()] = [$(ErrorKind::$name),*];

        // Programs are compiled with these numbers.
        $(const _: () = assert!(Kind::$name as i32 == $number && KINDS[$number - 1] as i32 == ErrorKind::$name as i32);)*
    };
}

kinds! {
    InvalidPlugin = 1,
    MissingImport = 2,
    UnknownExport = 3,
    SignatureMismatch = 4,
    TypeMismatch = 5,
    GuestError = 6,
    Panic = 7,
    Exit = 8,
    Trap = 9,
    Timeout = 10,
    Cancelled = 11,
    OutOfFuel = 12,
    OutOfMemory = 13,
    HostError = 14,
    Denied = 15,
    DeadInstance = 16,
    Busy = 17,
}

/// A frame of a Go traceback. Its texts live as long as the error.
#[repr(C)]
pub struct FrameValue {
    /// The function with its package: `main.Greet`.
    pub function: *const c_char,
    /// The source file as the Go toolchain names it; empty if unknown.
    pub file: *const c_char,
    /// The line in it, from 1; 0 if unknown.
    pub line: u32,
    /// Whether it belongs to Go's runtime; the first frame that does not is the one to show.
    pub is_runtime: bool,
}

/// An error. The receiver owns it, and frees it with `undergo_error_delete`, or returns it from a
/// host function.
pub struct ErrorHandle(Arc<Inner>);

struct Inner {
    error: Error,
    message: CString,
    path: CString,
    text: CString,
    stderr: CString,
    denied: Option<CString>,
    frames: Vec<(CString, CString)>,
    /// The errors of which it consists, outermost first.
    links: Vec<Arc<Link>>,
    payload: Option<Arc<UserData>>,
}

impl ErrorHandle {
    fn new(error: Error, payload: Option<UserData>) -> ErrorHandle {
        let links = error.chain().iter().map(Link::of).collect();
        ErrorHandle::consisting(error, links, payload.map(Arc::new))
    }

    fn consisting(error: Error, links: Vec<Arc<Link>>, payload: Option<Arc<UserData>>) -> ErrorHandle {
        ErrorHandle(Arc::new(Inner {
            message: c_text(error.message()),
            path: c_text(&error.path()),
            text: c_text(&error.to_string()),
            stderr: c_text(error.stderr()),
            denied: error.denied().map(c_text),
            frames: error.frames().iter().map(|frame| (c_text(&frame.function), c_text(&frame.file))).collect(),
            error,
            links,
            payload,
        }))
    }

    pub(crate) fn message(&self) -> &str {
        self.0.error.message()
    }

    /// The errors of which it consists, outermost first.
    pub(crate) fn links(&self) -> &[Arc<Link>] {
        &self.0.links
    }

    /// The same, consisting of others.
    pub(crate) fn with_links(self, links: Vec<Arc<Link>>) -> ErrorHandle {
        ErrorHandle::consisting(self.0.error.clone(), links, self.0.payload.clone())
    }

    /// A host's error that wraps another one.
    pub(crate) fn wrapping(message: &str, cause: Option<ErrorHandle>) -> ErrorHandle {
        let own = Link::new(message, None, LinkFields::None);
        let rest = match &cause {
            Some(cause) if cause.links().is_empty() => vec![Link::new(&cause.0.error.to_string(), None, LinkFields::None)],
            Some(cause) => cause.links().to_vec(),
            None => Vec::new(),
        };
        let links = std::iter::once(own).chain(rest).collect();
        ErrorHandle::consisting(Error::new(ErrorKind::HostError, message), links, cause.and_then(|cause| cause.0.payload.clone()))
    }

    /// The same on its way through the guest: the host's own, whatever its kind was, so that Go can
    /// handle it; consisting of these. What the host gave to end the call stays that.
    pub(crate) fn through(self, chain: Vec<ChainedError>) -> Error {
        let text = self.0.error.to_string();
        if chain.is_empty() {
            let is_ending = self.0.error.kind() == ErrorKind::Cancelled && self.0.payload.is_some();
            let kind = if is_ending { ErrorKind::Cancelled } else { ErrorKind::HostError };
            return Error::new(kind, text).with_host(self.0);
        }
        // What the caller of the export gets points to nothing that the host function had.
        let error = self.0.error.clone().with_chain(chain.clone());
        let links = chain.iter().map(Link::of).collect();
        let ErrorHandle(inner) = ErrorHandle::consisting(error, links, self.0.payload.clone());
        Error::from_host(text, inner).with_chain(chain)
    }
}

/// Takes an error over from C; `None` for NULL.
///
/// # Safety
///
/// The pointer is NULL, or from C, which hands the error over.
pub(crate) unsafe fn take(given: *mut ErrorHandle) -> Option<ErrorHandle> {
    // SAFETY: the caller's promise.
    (!given.is_null()).then(|| *unsafe { Box::from_raw(given) })
}

/// An error for C to own, or the one for which it could not be made.
pub(crate) fn made(make: impl FnOnce() -> Result<ErrorHandle>) -> *mut ErrorHandle {
    quietly(ptr::null_mut(), || make().map_or_else(handle, give))
}

/// An error on its way to C. One that a host function gave is what the caller gets.
#[cold]
pub(crate) fn handle(error: Error) -> *mut ErrorHandle {
    let given = error.host().and_then(|host| host.clone().downcast::<Inner>().ok());
    give(given.map_or_else(|| ErrorHandle::new(error, None), ErrorHandle))
}

/// An error that code of the host returned which no guest has called.
///
/// # Safety
///
/// The pointer is from C, which hands the error over.
#[cold]
pub(crate) unsafe fn from_host(given: *mut ErrorHandle) -> Error {
    // SAFETY: the caller's promise.
    unsafe { Box::from_raw(given) }.through(Vec::new())
}

/// SAFETY of those that read: the handle is NULL, or a live error.
unsafe fn read<'a, R>(error: *const ErrorHandle, otherwise: R, get: impl FnOnce(&'a Inner) -> R) -> R {
    // SAFETY: the caller's promise.
    unsafe { error.as_ref() }.map_or(otherwise, |error| get(&error.0))
}

/// An error of the kind host-error, for a host function to return. The text is copied; what is not
/// UTF-8 in it is replaced.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_error_new(message: *const c_char) -> *mut ErrorHandle {
    // SAFETY: C's promise.
    unsafe { undergo_error_new_with(message, ptr::null_mut(), None) }
}

/// An error of another kind, for errors on the host's side of a call, such as a value of a wrong
/// type: for libraries on top of this one. An invalid number means host-error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_error_of_kind(kind: i32, message: *const c_char) -> *mut ErrorHandle {
    let kind = usize::try_from(kind).ok().and_then(|kind| KINDS.get(kind.checked_sub(1)?)).copied();
    // SAFETY: C's promise.
    give(ErrorHandle::new(Error::new(kind.unwrap_or(ErrorKind::HostError), unsafe { given_text(message) }), None))
}

/// The same, with a payload, which the caller of the export gets back with `undergo_error_payload`.
/// `destroy`, if there is one, is called once, when the last owner frees the error, on its thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_error_new_with(message: *const c_char, payload: *mut c_void, destroy: Destroy) -> *mut ErrorHandle {
    let payload = UserData { data: payload, destroy };
    // SAFETY: C's promise.
    with_payload(Error::new(ErrorKind::HostError, unsafe { given_text(message) }), payload)
}

/// An error with a payload, as a handle.
pub(crate) fn with_payload(error: Error, payload: UserData) -> *mut ErrorHandle {
    give(ErrorHandle::new(error, Some(payload)))
}

/// The error of a host whose result does not fit its type, if it is that, which is taken then: it
/// ends the call whatever the guest expects.
///
/// # Safety
///
/// The pointer is from C, which hands the error over when there is a result.
#[cold]
pub(crate) unsafe fn misfit(given: *mut ErrorHandle) -> Option<Error> {
    // SAFETY: the caller's promise.
    let inner = unsafe { &(*given).0 };
    if inner.error.kind() != ErrorKind::TypeMismatch || inner.payload.is_some() {
        return None;
    }
    let error = inner.error.clone();
    // SAFETY: as above.
    unsafe { delete(given) };
    Some(error)
}

/// SAFETY: NULL, or a text that ends with a NUL.
pub(crate) unsafe fn given_text<'a>(message: *const c_char) -> std::borrow::Cow<'a, str> {
    // SAFETY: the caller's promise.
    if message.is_null() { "".into() } else { unsafe { std::ffi::CStr::from_ptr(message) }.to_string_lossy() }
}

/// Frees an error. NULL is accepted.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_error_delete(error: *mut ErrorHandle) {
    // SAFETY: C's promise.
    unsafe { delete(error) };
}

/// The kind of the error; `UNDERGO_NONE` for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_error_kind(error: *const ErrorHandle) -> Kind {
    // SAFETY: C's promise.
    unsafe { read(error, Kind::None, |error| error.error.kind().into()) }
}

/// The name of a kind in every language, as `"type-mismatch"`; NULL for an invalid number.
#[unsafe(no_mangle)]
pub extern "C" fn undergo_kind_name(kind: i32) -> *const c_char {
    static NAMES: Lasting<Vec<CString>> = Lasting::new();
    quietly(ptr::null(), || {
        let names = NAMES.get_or_make(|| KINDS.iter().map(|kind| c_text(kind.as_str())).collect());
        let name = usize::try_from(kind).ok().and_then(|kind| names.get(kind.checked_sub(1)?));
        name.map_or(ptr::null(), |name| name.as_ptr())
    })
}

/// The sentence, without the path. Lives as long as the error, as all its texts; NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_error_message(error: *const ErrorHandle) -> *const c_char {
    // SAFETY: C's promise.
    unsafe { read(error, ptr::null(), |error| error.message.as_ptr()) }
}

/// Which part of a value is wrong: `greet(p.tags[3])`; empty if the error is not about a value.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_error_path(error: *const ErrorHandle) -> *const c_char {
    // SAFETY: C's promise.
    unsafe { read(error, ptr::null(), |error| error.path.as_ptr()) }
}

/// The path, if there is one, and the message: what to print.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_error_text(error: *const ErrorHandle) -> *const c_char {
    // SAFETY: C's promise.
    unsafe { read(error, ptr::null(), |error| error.text.as_ptr()) }
}

/// The end of what the plugin wrote to its standard error during the call; may be empty.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_error_stderr(error: *const ErrorHandle) -> *const c_char {
    // SAFETY: C's promise.
    unsafe { read(error, ptr::null(), |error| error.stderr.as_ptr()) }
}

/// The last thing that the sandbox denied the plugin of the network in the call that failed, with
/// the rule that would allow it: perhaps why it failed. NULL if there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_error_denied(error: *const ErrorHandle) -> *const c_char {
    // SAFETY: C's promise.
    unsafe { read(error, ptr::null(), |error| error.denied.as_ref().map_or(ptr::null(), |denied| denied.as_ptr())) }
}

/// Sets the code of os.Exit. Returns whether there is one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_error_exit_code(error: *const ErrorHandle, code: *mut i32) -> bool {
    // SAFETY: C's promise.
    let found = unsafe { read(error, None, |error| error.error.exit_code()) };
    if let (Some(found), false) = (found, code.is_null()) {
        // SAFETY: C's promise: an int32_t can be written there.
        unsafe { code.write(found) };
    }
    found.is_some()
}

/// How many frames the traceback has: of the goroutine that ended the call, innermost first.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_error_frame_count(error: *const ErrorHandle) -> usize {
    // SAFETY: C's promise.
    unsafe { read(error, 0, |error| error.frames.len()) }
}

/// Sets a frame of the traceback. Returns whether there is one of that index.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_error_frame(error: *const ErrorHandle, index: usize, frame: *mut FrameValue) -> bool {
    // SAFETY: C's promise.
    let found = unsafe {
        read(error, None, |error| {
            let (function, file) = error.frames.get(index)?;
            let frame = error.error.frames().get(index)?;
            Some(FrameValue { function: function.as_ptr(), file: file.as_ptr(), line: frame.line, is_runtime: frame.is_runtime() })
        })
    };
    match found {
        Some(found) if !frame.is_null() => {
            // SAFETY: C's promise: a frame can be written there.
            unsafe { frame.write(found) };
            true
        }
        found => found.is_some(),
    }
}

/// The payload, if this is a host function's own error; NULL if there is none. It belongs to the
/// error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_error_payload(error: *const ErrorHandle) -> *mut c_void {
    // SAFETY: C's promise.
    unsafe { read(error, ptr::null_mut(), |error| error.payload.as_ref().map_or(ptr::null_mut(), |payload| payload.data)) }
}

/// The payload, if it was created with this `destroy`, and NULL otherwise: for programs whose
/// errors come from several libraries with different payloads.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_error_payload_of(error: *const ErrorHandle, destroy: Destroy) -> *mut c_void {
    let is_wanted = |payload: &&Arc<UserData>| match (payload.destroy, destroy) {
        (Some(given), Some(wanted)) => ptr::fn_addr_eq(given, wanted),
        _ => false,
    };
    // SAFETY: C's promise.
    unsafe {
        read(error, ptr::null_mut(), |error| error.payload.as_ref().filter(is_wanted).map_or(ptr::null_mut(), |payload| payload.data))
    }
}

/// Another handle of the same error, which the caller frees, or passes on. NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_error_copy(error: *const ErrorHandle) -> *mut ErrorHandle {
    // SAFETY: C's promise.
    unsafe { error.as_ref() }.map_or(ptr::null_mut(), |error| give(ErrorHandle(error.0.clone())))
}

#[cfg(test)]
mod tests {
    use std::ffi::CStr;

    use super::*;

    #[test]
    fn each_kind_has_its_number_and_its_name() {
        for &kind in ErrorKind::ALL {
            let error = handle(Error::new(kind, "text"));
            // SAFETY: the handle is live until it is deleted, and a kind has a name.
            unsafe {
                let number = undergo_error_kind(error);
                assert_eq!(number, Kind::from(kind));
                assert_eq!(CStr::from_ptr(undergo_kind_name(number as i32)).to_str(), Ok(kind.as_str()));
                undergo_error_delete(error);
                let made = undergo_error_of_kind(number as i32, c"mine".as_ptr());
                assert_eq!((undergo_error_kind(made), CStr::from_ptr(undergo_error_message(made))), (number, c"mine"));
                undergo_error_delete(made);
            }
        }
        assert!([-1, 0, KINDS.len() as i32 + 1, i32::MAX, i32::MIN].iter().all(|&none| undergo_kind_name(none).is_null()));
    }

    #[test]
    fn an_error_of_the_host_comes_back_as_it_was() {
        // SAFETY: each handle is used once where it is handed over.
        unsafe {
            let mut mark = 7_i32;
            let given = undergo_error_new_with(c"mine".as_ptr(), (&raw mut mark).cast(), None);
            let carried = from_host(given);
            assert_eq!((carried.kind(), carried.message()), (ErrorKind::HostError, "mine"));
            let back = handle(carried);
            assert_eq!(undergo_error_payload(back), (&raw mut mark).cast());
            assert_eq!(undergo_error_kind(back), Kind::HostError);
            let copy = undergo_error_copy(back);
            undergo_error_delete(back);
            assert_eq!(undergo_error_payload(copy), (&raw mut mark).cast());
            undergo_error_delete(copy);
            assert!(undergo_error_copy(ptr::null()).is_null());
            undergo_error_delete(ptr::null_mut());
        }
    }

    unsafe extern "C" fn one(mark: *mut c_void) {
        // SAFETY: the tests give it a number that lives.
        unsafe { *mark.cast::<i32>() += 1 };
    }

    unsafe extern "C" fn another(mark: *mut c_void) {
        // SAFETY: as above.
        unsafe { *mark.cast::<i32>() += 2 };
    }

    #[test]
    fn a_payload_is_known_by_what_frees_it() {
        let mut mark = 0_i32;
        let payload: *mut c_void = (&raw mut mark).cast();
        // SAFETY: the handle is live until it is deleted.
        unsafe {
            let error = undergo_error_new_with(c"mine".as_ptr(), payload, Some(one));
            assert_eq!(undergo_error_payload_of(error, Some(one)), payload);
            assert!(undergo_error_payload_of(error, Some(another)).is_null() && undergo_error_payload_of(error, None).is_null());
            undergo_error_delete(error);
            assert_eq!(payload.cast::<i32>().read(), 1);
            let error = undergo_error_new_with(c"mine".as_ptr(), payload, Some(another));
            assert!(undergo_error_payload_of(error, Some(one)).is_null());
            undergo_error_delete(error);
            assert_eq!(payload.cast::<i32>().read(), 3);
        }
    }
}
