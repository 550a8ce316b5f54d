//! The errors that an error consists of, each of which wraps the next: those that C reads, and
//! those that it gives.

use std::cell::RefCell;
use std::ffi::{c_char, c_void};
use std::ptr;
use std::sync::Arc;

use undergo::interface::{Function, Type, TypeKind, VariantType};
use undergo::{ChainedError, Error, ErrorFields, ErrorKind, Result};

use crate::arena::Arena;
use crate::boundary::{borrow, bytes, null, quietly};
use crate::errors::{self, ErrorHandle};
use crate::layout::Layout;
use crate::lift::Filling;
use crate::links::{Lifted, Link, LinkFields};
use crate::lower::Place;
use crate::types::Text;
use crate::values::ValueHandle;

/// One of the errors of a chain, in which each wraps the next, as `fmt.Errorf("…: %w", err)` does
/// in Go.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ChainedValue {
    /// What it says.
    pub text: Text,
    /// The WIT name of its type, if it has fields; NULL otherwise.
    pub name: *const c_char,
    /// What identifies its type in full: the struct of its fields is the one of a generated header
    /// if the digest is the same.
    pub digest: u64,
    /// The struct of its fields.
    pub fields: *const c_void,
    /// Bytes of it.
    pub size: usize,
    /// The same fields as a record.
    pub value: *const ValueHandle,
}

/// How many errors the error consists of: a guest-error of a plugin that has errors with fields of
/// one or more, and a host function's own of those that were given with
/// `undergo_error_with_chain`; others of 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_error_chain_count(error: *const ErrorHandle) -> usize {
    // SAFETY: C's promise.
    unsafe { error.as_ref() }.map_or(0, |error| error.links().len())
}

/// Sets one of the errors of which the error consists; that of index 0 is the outermost. What it
/// points to lives as long as the error. Returns whether there is one of that index.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_error_chained(error: *const ErrorHandle, index: usize, chained: *mut ChainedValue) -> bool {
    quietly(false, || {
        // SAFETY: C's promise.
        let Some(link) = unsafe { error.as_ref() }.and_then(|error| error.links().get(index)) else { return false };
        // SAFETY: C's promise.
        if let Some(chained) = unsafe { chained.as_mut() } {
            *chained = ChainedValue::of(link);
        }
        true
    })
}

/// The struct of the fields of the outermost error in the chain whose type has that digest, as
/// `errors.As` finds it in Go: for generated headers, which know the struct. It lives as long as
/// the error. NULL if there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_error_find(error: *const ErrorHandle, digest: u64) -> *const c_void {
    quietly(ptr::null(), || {
        // SAFETY: C's promise.
        let links = unsafe { error.as_ref() }.map_or(&[][..], ErrorHandle::links);
        let mut found = links.iter().map(|link| ChainedValue::of(link)).filter(|chained| chained.digest == digest);
        found.find(|chained| !chained.fields.is_null()).map_or(ptr::null(), |chained| chained.fields)
    })
}

/// The same error, consisting of these, of which each wraps the next. The first one is the error
/// itself, whose text is that of the error if it has none (`ptr` is NULL). The given error is taken
/// over, and the caller owns the one that is returned, also if this fails: then that is a
/// type-mismatch.
///
/// A host function that returns it fails with Go errors of these types, which the plugin finds with
/// `errors.As`. One of a type that the plugin does not have has only its text there. Of `fields`,
/// with `size` and `digest`, and `value`, one is enough. Fields that do not fit their type are a
/// type-mismatch, which ends the call and the instance.
///
/// All is copied, except for what a struct of fields points to: as of a result, that may lie in the
/// arena of the host function, or anywhere else where it lives until the function has returned.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_error_with_chain(error: *mut ErrorHandle, chain: *const ChainedValue, count: usize) -> *mut ErrorHandle {
    // SAFETY: C's promise: the error is handed over.
    let given = unsafe { errors::take(error) };
    errors::made(|| {
        let error = given.ok_or_else(|| null("error"))?;
        let links = (0..count).map(|i| {
            // SAFETY: C's promise: there are as many.
            let chained = unsafe { borrow(chain.wrapping_add(i), "chain") }?;
            let own = (i == 0).then(|| error.message());
            // SAFETY: C's promise.
            unsafe { chained.link(own) }
        });
        let links = links.collect::<Result<_>>()?;
        Ok(error.with_links(links))
    })
}

/// An error of the kind host-error that wraps another one, with the errors of which that consists,
/// and with its payload. The text is copied. The cause is taken over; NULL is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_error_wrap(message: *const c_char, cause: *mut ErrorHandle) -> *mut ErrorHandle {
    // SAFETY: C's promise: the cause is handed over.
    let (message, cause) = unsafe { (errors::given_text(message), errors::take(cause)) };
    errors::made(|| Ok(ErrorHandle::wrapping(&message, cause)))
}

impl ChainedValue {
    fn of(link: &Link) -> ChainedValue {
        let name = link.name.as_ref().map_or(ptr::null(), |name| name.as_ptr());
        let bare = ChainedValue { text: link.given_text(), name, digest: 0, fields: ptr::null(), size: 0, value: ptr::null() };
        match &link.fields {
            LinkFields::None => bare,
            LinkFields::Struct { digest, size, words } => {
                ChainedValue { digest: *digest, fields: words.as_ptr().cast(), size: *size, ..bare }
            }
            LinkFields::Value(value) => ChainedValue { value: ValueHandle::part(value), ..bare },
            LinkFields::Known(fields, lifted) => {
                let Lifted { digest, size, at, .. } = lifted.get_or_make(|| lift(fields));
                ChainedValue { digest: *digest, fields: *at, size: *size, value: ValueHandle::part(fields.value()), ..bare }
            }
        }
    }

    /// # Safety
    ///
    /// What it points to can be read.
    unsafe fn link(&self, own_text: Option<&str>) -> Result<Arc<Link>> {
        let refuse = |text| Error::new(ErrorKind::TypeMismatch, text);
        let text = match own_text {
            Some(text) if self.text.ptr.is_null() => text.into(),
            // SAFETY: the caller's promise.
            _ => String::from_utf8_lossy(unsafe { bytes(self.text.ptr.cast(), self.text.len) }.map_err(refuse)?),
        };
        if self.name.is_null() {
            return Ok(Link::new(&text, None, LinkFields::None));
        }
        // SAFETY: the caller's promise.
        let (name, value) = unsafe { (crate::boundary::text(self.name, "the name of an error's type")?, self.value.as_ref()) };
        let fields = match value {
            Some(value) => LinkFields::Value(value.0.clone()),
            None => {
                // SAFETY: the caller's promise.
                let fields = unsafe { bytes(self.fields.cast(), self.size) }.map_err(refuse)?;
                let mut words = vec![0_u64; fields.len().div_ceil(8)].into_boxed_slice();
                // SAFETY: there is room for as many, and a number may have any bytes.
                unsafe { ptr::copy_nonoverlapping(fields.as_ptr(), words.as_mut_ptr().cast(), fields.len()) };
                LinkFields::Struct { digest: self.digest, size: fields.len(), words }
            }
        };
        Ok(Link::new(&text, Some(name), fields))
    }
}

/// The struct of an error's fields.
fn lift(fields: &ErrorFields) -> Lifted {
    let ty = Type::new(TypeKind::Record(fields.record().clone()));
    let layout = Layout::of(&ty);
    let arena = RefCell::new(Arena::new());
    let place = arena.borrow_mut().alloc(layout.size, layout.align);
    // SAFETY: there is room for the struct.
    let filled = place.and_then(|place| fields.lift(&unsafe { Filling::value(&layout, place.as_ptr(), &arena) }).map(|()| place));
    let at = filled.map_or(ptr::null(), |place| place.as_ptr().cast_const().cast());
    Lifted { digest: ty.digest(), size: layout.size, at, _arena: arena.into_inner() }
}

/// The record with the fields of the errors of a case; `None` for those that have none.
pub(crate) fn fields_of<'t>(errors: &'t VariantType, case: &str) -> Option<&'t Type> {
    let case = errors.cases.iter().find(|known| known.name == case)?;
    match &case.ty.as_ref()?.kind {
        TypeKind::Tuple(both) => both.items.get(1),
        _ => None,
    }
}

/// An error that a host function returned, on its way through the guest, with the errors of which
/// it consists. If the fields of one do not fit, what says so.
///
/// # Safety
///
/// The pointer is from C, which hands the error over, with what its fields point to.
#[cold]
pub(crate) unsafe fn from_host(given: *mut ErrorHandle, function: &Function) -> Error {
    // SAFETY: the caller's promise.
    let Some(error) = (unsafe { errors::take(given) }) else { return null("the error of a host function") };
    // SAFETY: the caller's promise.
    match error.links().iter().map(|link| unsafe { chained(link, function) }).collect() {
        Ok(chain) => error.through(chain),
        Err(misfit) => misfit,
    }
}

/// # Safety
///
/// What the fields point to lives.
unsafe fn chained(link: &Link, function: &Function) -> Result<ChainedError> {
    let record = || {
        let name = link.name.as_ref()?.to_str().ok()?;
        let ty = fields_of(function.errors.as_ref()?, name)?;
        let TypeKind::Record(record) = &ty.kind else { return None };
        Some((ty, record))
    };
    let fields = match &link.fields {
        LinkFields::None => None,
        LinkFields::Known(fields, _) => Some(fields.clone()),
        LinkFields::Value(value) => record().map(|(_, record)| ErrorFields::lower(record, &value)).transpose()?,
        LinkFields::Struct { digest, words, size } => {
            let lower = |(ty, record)| {
                let layout = Layout::of(ty);
                if ty.digest() != *digest || layout.size != *size {
                    return None;
                }
                // SAFETY: the struct is of that type, as its digest says, and the caller's promise.
                Some(ErrorFields::lower(record, &unsafe { Place::new(words.as_ptr().cast(), &layout) }))
            };
            record().and_then(lower).transpose()?
        }
    };
    Ok(ChainedError::new(link.text(), fields))
}

#[cfg(test)]
mod tests {
    use std::ffi::CStr;

    use undergo::Value;
    use undergo::interface::Interface;

    use super::*;
    use crate::errors::{undergo_error_delete, undergo_error_kind, undergo_error_new, undergo_error_new_with, undergo_error_payload};

    const WIT: &str = "package go:t;\n\nworld t {\n  record not-found { key: string, code: s64 }\n  \
                       variant error { text(string), not-found(tuple<string, not-found>) }\n  \
                       export f: func() -> result<string, list<error>>;\n}\n";

    /// The record, as C has it.
    #[repr(C)]
    struct NotFound {
        key: Text,
        code: i64,
    }

    fn text(text: &str) -> Text {
        Text { ptr: text.as_ptr().cast(), len: text.len() }
    }

    fn digest(interface: &Interface) -> u64 {
        let errors = interface.exports[0].errors.as_ref().expect("it has errors with fields");
        fields_of(errors, "not-found").expect("it is one of them").digest()
    }

    fn bare(says: &str) -> ChainedValue {
        ChainedValue { text: text(says), name: ptr::null(), digest: 0, fields: ptr::null(), size: 0, value: ptr::null() }
    }

    fn with_struct(fields: &NotFound, digest: u64) -> ChainedValue {
        let fields = ptr::from_ref(fields).cast();
        ChainedValue { name: c"not-found".as_ptr(), digest, fields, size: size_of::<NotFound>(), ..bare("not found: x") }
    }

    /// What the guest of a host function gets that fails with these.
    fn passed(chain: &[ChainedValue], function: &Function) -> Error {
        // SAFETY: the handles are used once where they are handed over, and what is given lives.
        unsafe { from_host(undergo_error_with_chain(undergo_error_new(c"looking up".as_ptr()), chain.as_ptr(), chain.len()), function) }
    }

    fn read(error: *const ErrorHandle, index: usize) -> Option<ChainedValue> {
        let mut found = bare("");
        // SAFETY: the handle is live.
        unsafe { undergo_error_chained(error, index, &raw mut found) }.then_some(found)
    }

    #[test]
    fn what_a_host_gives_reaches_the_guest_and_comes_back() {
        let interface = Interface::parse(WIT).expect("it is WIT");
        let not_found = NotFound { key: text("x"), code: 404 };
        let outer = ChainedValue { text: Text { ptr: ptr::null(), len: 0 }, ..bare("") };
        let error = passed(&[outer, with_struct(&not_found, digest(&interface))], &interface.exports[0]);
        assert_eq!(error.chain().iter().map(ChainedError::text).collect::<Vec<_>>(), ["looking up", "not found: x"]);
        let value = Value::Record(vec![("key".to_owned(), "x".into()), ("code".to_owned(), Value::Int(404))]);
        assert!(error.chain()[0].fields().is_none());
        assert_eq!(error.chain()[1].fields().map(ErrorFields::value), Some(&value));
        let back = errors::handle(error);
        // SAFETY: the handle is live until it is deleted, and what is read of it as well.
        unsafe {
            assert_eq!(undergo_error_chain_count(back), 2);
            assert!(read(back, 0).is_some_and(|first| first.name.is_null() && first.fields.is_null() && first.value.is_null()));
            let second = read(back, 1).expect("there are two");
            assert_eq!((CStr::from_ptr(second.name), CStr::from_ptr(second.text.ptr)), (c"not-found", c"not found: x"));
            assert_eq!((second.digest, second.size), (digest(&interface), size_of::<NotFound>()));
            assert_eq!((*second.value).0, value);
            let fields = &*second.fields.cast::<NotFound>();
            assert_eq!((CStr::from_ptr(fields.key.ptr), fields.key.len, fields.code), (c"x", 1, 404));
            assert_eq!(undergo_error_find(back, digest(&interface)), second.fields);
            assert!(undergo_error_find(back, 0).is_null() && undergo_error_find(ptr::null(), 1).is_null());
            assert!(read(back, 2).is_none() && read(back, usize::MAX).is_none() && read(ptr::null(), 0).is_none());
            undergo_error_delete(back);
        }
    }

    #[test]
    fn what_the_plugin_does_not_have_is_a_text() {
        let interface = Interface::parse(WIT).expect("it is WIT");
        let not_found = NotFound { key: text("x"), code: 404 };
        let known = with_struct(&not_found, digest(&interface));
        for unknown in [
            ChainedValue { digest: known.digest ^ 1, ..known },
            ChainedValue { size: 8, ..known },
            ChainedValue { name: c"other".as_ptr(), ..known },
            ChainedValue { name: c"text".as_ptr(), ..known },
            ChainedValue { fields: ptr::null(), size: 0, ..known },
        ] {
            let error = passed(&[unknown], &interface.exports[0]);
            assert!(error.kind() == ErrorKind::HostError && error.chain()[0].fields().is_none());
            assert_eq!(error.chain()[0].text(), "not found: x");
        }
        let plain = Interface::parse("package go:t;\n\nworld t {\n  export f: func() -> result<_, string>;\n}\n").expect("it is WIT");
        assert!(passed(&[known], &plain.exports[0]).chain()[0].fields().is_none());
    }

    #[test]
    fn fields_that_do_not_fit_are_told() {
        let interface = Interface::parse(WIT).expect("it is WIT");
        let not_utf8 = NotFound { key: Text { ptr: b"\xff".as_ptr().cast(), len: 1 }, code: 404 };
        let nowhere = NotFound { key: Text { ptr: ptr::null(), len: 3 }, code: 404 };
        for fields in [not_utf8, nowhere] {
            let error = passed(&[with_struct(&fields, digest(&interface))], &interface.exports[0]);
            assert_eq!((error.kind(), error.path()), (ErrorKind::TypeMismatch, " -> not-found.key".to_owned()));
        }
        let value = ValueHandle(Value::Record(vec![("key".to_owned(), "x".into()), ("code".to_owned(), "404".into())]));
        let given = ChainedValue { name: c"not-found".as_ptr(), value: &raw const value, ..bare("") };
        let error = passed(&[given], &interface.exports[0]);
        assert_eq!((error.kind(), error.path()), (ErrorKind::TypeMismatch, " -> not-found.code".to_owned()));
    }

    #[test]
    fn what_can_not_be_a_chain_is_refused() {
        let not_found = NotFound { key: text("x"), code: 404 };
        let given = with_struct(&not_found, 1);
        let refused = |error, chain: *const ChainedValue, count| {
            // SAFETY: the handles are used once where they are handed over.
            unsafe {
                let made = undergo_error_with_chain(error, chain, count);
                assert_eq!(undergo_error_kind(made), errors::Kind::TypeMismatch);
                undergo_error_delete(made);
            }
        };
        // SAFETY: the text ends with a NUL.
        let new = || unsafe { undergo_error_new(c"mine".as_ptr()) };
        refused(ptr::null_mut(), ptr::null(), 0);
        refused(new(), ptr::null(), 1);
        for chained in [
            ChainedValue { name: c"\xff".as_ptr(), ..given },
            ChainedValue { fields: ptr::null(), ..given },
            ChainedValue { size: usize::MAX, ..given },
            ChainedValue { text: Text { ptr: ptr::null(), len: 7 }, ..given },
        ] {
            refused(new(), [bare("first"), chained].as_ptr(), 2);
        }
    }

    #[test]
    fn what_wraps_has_the_payload_and_the_chain() {
        let interface = Interface::parse(WIT).expect("it is WIT");
        let mut mark = 7_i32;
        // SAFETY: the handles are live until they are handed over, or deleted.
        unsafe {
            let cause = undergo_error_new_with(c"a\xff".as_ptr(), (&raw mut mark).cast(), None);
            let wrapped = undergo_error_wrap(c"again".as_ptr(), undergo_error_wrap(c"wraps".as_ptr(), cause));
            assert_eq!(undergo_error_payload(wrapped), (&raw mut mark).cast());
            let error = from_host(wrapped, &interface.exports[0]);
            assert_eq!(error.chain().iter().map(ChainedError::text).collect::<Vec<_>>(), ["again", "wraps", "a\u{fffd}"]);
            let back = errors::handle(error);
            assert_eq!(undergo_error_payload(back), (&raw mut mark).cast());
            undergo_error_delete(back);
            let alone = undergo_error_wrap(ptr::null(), ptr::null_mut());
            assert_eq!((undergo_error_chain_count(alone), undergo_error_kind(alone)), (1, errors::Kind::HostError));
            undergo_error_delete(alone);
        }
    }
}
