//! Values of any type, as trees of handles.

use std::ffi::{c_char, c_void};
use std::ptr;

use undergo::{Error, ErrorKind, Result, Time, Value};

use crate::boundary::{borrow, borrow_mut, bytes, delete, give, null, quietly, text as given_text};
use crate::errors::ErrorHandle;
use crate::guard::guard;
use crate::handles::ResourceHandle;
use crate::object::ObjectHandle;
use crate::types::{BytesList, Text, TimeValue};

/// What a value is.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueKind {
    /// An option without a value, or no result; also the kind of NULL.
    None = 0,
    /// A bool.
    Bool = 1,
    /// An integer that fits int64_t.
    Int = 2,
    /// An integer above that, which fits uint64_t.
    Uint = 3,
    /// A float of either width.
    Float = 4,
    /// Text; also the case of an enum, by its WIT name.
    String = 5,
    /// A list of u8.
    Bytes = 6,
    /// Any other list, several results, or a tuple.
    List = 7,
    /// A map, in any order.
    Map = 8,
    /// A record, by the WIT names of its fields.
    Record = 9,
    /// Text that holds one JSON value.
    Json = 10,
    /// Nanoseconds.
    Duration = 11,
    /// An instant.
    Time = 12,
    /// A case of a variant, by its WIT name, with a value or without.
    Variant = 13,
    /// A handle of an object of the guest.
    Handle = 14,
    /// An object of the host.
    Object = 15,
}

const _: () = assert!(
    ValueKind::None as i32 == 0
        && ValueKind::Bool as i32 == 1
        && ValueKind::Int as i32 == 2
        && ValueKind::Uint as i32 == 3
        && ValueKind::Float as i32 == 4
        && ValueKind::String as i32 == 5
        && ValueKind::Bytes as i32 == 6
        && ValueKind::List as i32 == 7
        && ValueKind::Map as i32 == 8
        && ValueKind::Record as i32 == 9
        && ValueKind::Json as i32 == 10
        && ValueKind::Duration as i32 == 11
        && ValueKind::Time as i32 == 12
        && ValueKind::Variant as i32 == 13
        && ValueKind::Handle as i32 == 14
        && ValueKind::Object as i32 == 15
);

/// A value. The caller owns a `undergo_value_t *` that a function of undergo.h returns, and frees
/// it with `undergo_value_delete`, once for the whole tree. A `const undergo_value_t *` is a part
/// of another value, and lives as long as that. Not thread-safe while being modified.
#[repr(transparent)]
pub struct ValueHandle(pub(crate) Value);

impl ValueHandle {
    /// A part of a value, as C sees it.
    pub(crate) fn part(value: &Value) -> *const ValueHandle {
        // The struct is the value.
        ptr::from_ref(value).cast()
    }
}

/// A list of strings, for C to own.
pub(crate) fn texts(texts: Vec<String>) -> *mut ValueHandle {
    made(Value::List(texts.into_iter().map(Value::String).collect()))
}

fn made(value: Value) -> *mut ValueHandle {
    give(ValueHandle(value))
}

/// Nothing, for an option without a value.
#[unsafe(no_mangle)]
pub extern "C" fn undergo_value_none() -> *mut ValueHandle {
    made(Value::None)
}

/// A bool.
#[unsafe(no_mangle)]
pub extern "C" fn undergo_value_bool(value: bool) -> *mut ValueHandle {
    made(Value::Bool(value))
}

/// An integer, for a parameter of any width that holds it.
#[unsafe(no_mangle)]
pub extern "C" fn undergo_value_int(value: i64) -> *mut ValueHandle {
    made(Value::Int(value))
}

/// An integer that may need all of 64 unsigned bits.
#[unsafe(no_mangle)]
pub extern "C" fn undergo_value_uint(value: u64) -> *mut ValueHandle {
    made(i64::try_from(value).map_or(Value::Uint(value), Value::Int))
}

/// A float of either width.
#[unsafe(no_mangle)]
pub extern "C" fn undergo_value_float(value: f64) -> *mut ValueHandle {
    made(Value::Float(value))
}

/// A text that ends with a NUL, which is copied; also the case of an enum, by its WIT name. Invalid
/// UTF-8 is kept as bytes, which no text parameter accepts, so that the call reports it. NULL is an
/// option without a value.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_value_string(text: *const c_char) -> *mut ValueHandle {
    if text.is_null() {
        return made(Value::None);
    }
    // SAFETY: C's promise: the text ends with a NUL.
    let len = unsafe { std::ffi::CStr::from_ptr(text) }.count_bytes();
    // SAFETY: as above.
    unsafe { undergo_value_string_n(text, len) }
}

/// The same with a length, so that the text may contain NULs.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_value_string_n(text: *const c_char, len: usize) -> *mut ValueHandle {
    // SAFETY: C's promise: so many bytes can be read there.
    let text = unsafe { bytes(text.cast(), len) }.unwrap_or(&[]).to_owned();
    made(String::from_utf8(text).map_or_else(|error| Value::Bytes(error.into_bytes()), Value::String))
}

/// Bytes, which are copied.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_value_bytes(content: *const c_void, len: usize) -> *mut ValueHandle {
    // SAFETY: C's promise: so many bytes can be read there.
    made(Value::Bytes(unsafe { bytes(content.cast(), len) }.unwrap_or(&[]).to_owned()))
}

/// A text that holds one JSON value, for a parameter of that type. As `undergo_value_string_n`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_value_json(text: *const c_char, len: usize) -> *mut ValueHandle {
    // SAFETY: C's promise: so many bytes can be read there.
    let text = unsafe { bytes(text.cast(), len) }.unwrap_or(&[]).to_owned();
    made(String::from_utf8(text).map_or_else(|error| Value::Bytes(error.into_bytes()), Value::Json))
}

/// A duration in nanoseconds.
#[unsafe(no_mangle)]
pub extern "C" fn undergo_value_duration(nanoseconds: i64) -> *mut ValueHandle {
    made(Value::Duration(nanoseconds))
}

/// An instant.
#[unsafe(no_mangle)]
pub extern "C" fn undergo_value_time(time: TimeValue) -> *mut ValueHandle {
    made(Value::Time(Time { seconds: time.seconds, nanoseconds: time.nanoseconds, offset: time.offset }))
}

/// A list without items, for `undergo_value_push`. It serves for a tuple, too.
#[unsafe(no_mangle)]
pub extern "C" fn undergo_value_list() -> *mut ValueHandle {
    made(Value::List(Vec::new()))
}

/// A map without entries, for `undergo_value_put`.
#[unsafe(no_mangle)]
pub extern "C" fn undergo_value_map() -> *mut ValueHandle {
    made(Value::Map(Vec::new()))
}

/// A record without fields, for `undergo_value_set`.
#[unsafe(no_mangle)]
pub extern "C" fn undergo_value_record() -> *mut ValueHandle {
    made(Value::Record(Vec::new()))
}

/// A case of a variant, by its WIT name, with its value, or NULL for a case without one. The value
/// then belongs to the variant. A name that no case has is reported by the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_value_variant(name: *const c_char, value: *mut ValueHandle) -> *mut ValueHandle {
    // SAFETY: C's promise: NULL, or a text that ends with a NUL.
    let name = if name.is_null() { "".into() } else { unsafe { std::ffi::CStr::from_ptr(name) }.to_string_lossy() };
    // SAFETY: C's promise.
    let value = (!value.is_null()).then(|| unsafe { Box::from_raw(value) });
    made(Value::Variant(name.into_owned(), value.map(|value| Box::new(value.0))))
}

/// A handle of an object of the guest, for a parameter that takes one. The handle stays the
/// caller's, and may be freed before the value.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_value_handle(handle: *const ResourceHandle) -> *mut ValueHandle {
    // SAFETY: C's promise.
    made(unsafe { handle.as_ref() }.map_or(Value::None, |handle| Value::Handle(handle.core.clone())))
}

/// An object, function, iterable or stream of the host, for a parameter that takes one, or for the
/// result of a host function. The object stays the caller's, and may be freed before the value.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_value_object(object: *const ObjectHandle) -> *mut ValueHandle {
    // SAFETY: C's promise.
    made(unsafe { object.as_ref() }.map_or(Value::None, |object| Value::Object(object.any())))
}

/// Sets another handle of the object of the host that a value is, which a component has passed
/// back. The caller frees it with `undergo_object_delete`. Returns whether it is one that the
/// program has created with methods.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_value_get_object(value: *const ValueHandle, out: *mut *mut ObjectHandle) -> bool {
    // SAFETY: C's promise.
    let (value, out) = unsafe { (value.as_ref(), out.as_mut()) };
    let (Some(ValueHandle(Value::Object(object))), Some(out)) = (value, out) else { return false };
    let Some(own) = ObjectHandle::back(object) else { return false };
    *out = give(own);
    true
}

/// A copy of a value with all its parts; a copy of a handle is the same handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_value_copy(value: *const ValueHandle) -> *mut ValueHandle {
    // SAFETY: C's promise.
    made(quietly(Value::None, || unsafe { value.as_ref() }.map_or(Value::None, |value| value.0.clone())))
}

/// Frees a value with all its parts. NULL is accepted.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_value_delete(value: *mut ValueHandle) {
    // SAFETY: C's promise.
    unsafe { delete(value) };
}

/// Takes ownership of a value from C, whatever happens to it.
///
/// SAFETY: NULL, or a value that C owns and does not use again.
unsafe fn take(value: *mut ValueHandle, name: &str) -> Result<Value> {
    if value.is_null() {
        return Err(null(name));
    }
    // SAFETY: the caller's promise.
    Ok(unsafe { Box::from_raw(value) }.0)
}

fn not_a(value: &ValueHandle, wanted: &str) -> Error {
    Error::new(ErrorKind::TypeMismatch, format!("the value is no {wanted}, but of the kind {:?}", kind_of(&value.0)))
}

/// Adds an item to a list. The item then belongs to the list, also if this fails.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_value_push(list: *mut ValueHandle, item: *mut ValueHandle) -> *mut ErrorHandle {
    guard(|| {
        // SAFETY: C's promise.
        let (item, list) = unsafe { (take(item, "item")?, borrow_mut(list, "list")?) };
        let Value::List(items) = &mut list.0 else { return Err(not_a(list, "list")) };
        items.push(item);
        Ok(())
    })
}

/// Adds an entry to a map. Key and value then belong to the map, also if this fails.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_value_put(map: *mut ValueHandle, key: *mut ValueHandle, value: *mut ValueHandle) -> *mut ErrorHandle {
    guard(|| {
        // SAFETY: C's promise.
        let (key, value) = unsafe { (take(key, "key"), take(value, "value")) };
        let (key, value) = (key?, value?);
        // SAFETY: C's promise.
        let map = unsafe { borrow_mut(map, "map") }?;
        let Value::Map(entries) = &mut map.0 else { return Err(not_a(map, "map")) };
        entries.push((key, value));
        Ok(())
    })
}

/// Sets a field of a record, by its WIT name. The value then belongs to the record, also if this
/// fails.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_value_set(record: *mut ValueHandle, name: *const c_char, value: *mut ValueHandle) -> *mut ErrorHandle {
    guard(|| {
        // SAFETY: C's promise.
        let (value, name, record) = unsafe { (take(value, "value")?, given_text(name, "name")?, borrow_mut(record, "record")?) };
        let Value::Record(fields) = &mut record.0 else { return Err(not_a(record, "record")) };
        match fields.iter_mut().find(|(known, _)| known == name) {
            Some((_, known)) => *known = value,
            None => fields.push((name.to_owned(), value)),
        }
        Ok(())
    })
}

fn kind_of(value: &Value) -> ValueKind {
    match value {
        Value::None => ValueKind::None,
        Value::Bool(_) => ValueKind::Bool,
        Value::Int(_) => ValueKind::Int,
        Value::Uint(_) => ValueKind::Uint,
        Value::Float(_) => ValueKind::Float,
        Value::String(_) => ValueKind::String,
        Value::Bytes(_) => ValueKind::Bytes,
        Value::List(_) => ValueKind::List,
        Value::Map(_) => ValueKind::Map,
        Value::Record(_) => ValueKind::Record,
        Value::Json(_) => ValueKind::Json,
        Value::Duration(_) => ValueKind::Duration,
        Value::Time(_) => ValueKind::Time,
        Value::Variant(..) => ValueKind::Variant,
        Value::Handle(_) => ValueKind::Handle,
        Value::Object(_) => ValueKind::Object,
    }
}

/// What a value is.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_value_kind(value: *const ValueHandle) -> ValueKind {
    // SAFETY: C's promise.
    unsafe { value.as_ref() }.map_or(ValueKind::None, |value| kind_of(&value.0))
}

/// Writes what was found, and returns whether there was anything.
///
/// SAFETY: `value` is NULL or live, `out` NULL or a place for a `T`.
unsafe fn read<T>(value: *const ValueHandle, out: *mut T, get: impl FnOnce(&Value) -> Option<T>) -> bool {
    // SAFETY: the caller's promise.
    let found = unsafe { value.as_ref() }.and_then(|value| get(&value.0));
    match found {
        Some(found) if !out.is_null() => {
            // SAFETY: the caller's promise.
            unsafe { out.write(found) };
            true
        }
        found => found.is_some(),
    }
}

/// Sets the bool of a value. Returns whether it is one; if not, this and the following functions
/// leave `out` unchanged.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_value_get_bool(value: *const ValueHandle, out: *mut bool) -> bool {
    // SAFETY: C's promise.
    unsafe { read(value, out, |value| if let Value::Bool(value) = value { Some(*value) } else { None }) }
}

/// Sets the integer of a value, if it fits.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_value_get_int(value: *const ValueHandle, out: *mut i64) -> bool {
    // SAFETY: C's promise.
    unsafe { read(value, out, |value| if let Value::Int(value) = value { Some(*value) } else { None }) }
}

/// Sets the integer of a value, if it is not negative.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_value_get_uint(value: *const ValueHandle, out: *mut u64) -> bool {
    let get = |value: &Value| match value {
        Value::Int(value) => u64::try_from(*value).ok(),
        Value::Uint(value) => Some(*value),
        _ => None,
    };
    // SAFETY: C's promise.
    unsafe { read(value, out, get) }
}

/// Sets the float of a value.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_value_get_float(value: *const ValueHandle, out: *mut f64) -> bool {
    // SAFETY: C's promise.
    unsafe { read(value, out, |value| if let Value::Float(value) = value { Some(*value) } else { None }) }
}

/// Sets the text of a value: a string, a case, or JSON. It lives as long as the value, and no NUL
/// follows it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_value_get_string(value: *const ValueHandle, out: *mut Text) -> bool {
    let get = |value: &Value| match value {
        Value::String(text) | Value::Json(text) => Some(Text { ptr: text.as_ptr().cast(), len: text.len() }),
        _ => None,
    };
    // SAFETY: C's promise.
    unsafe { read(value, out, get) }
}

/// Sets the name of a variant's case, which lives as long as the value; no NUL follows it. Its
/// value is `undergo_value_at` with the index 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_value_get_variant(value: *const ValueHandle, name: *mut Text) -> bool {
    let get = |value: &Value| match value {
        Value::Variant(name, _) => Some(Text { ptr: name.as_ptr().cast(), len: name.len() }),
        _ => None,
    };
    // SAFETY: C's promise.
    unsafe { read(value, name, get) }
}

/// Sets the bytes of a value. They live as long as the value.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_value_get_bytes(value: *const ValueHandle, out: *mut BytesList) -> bool {
    let get = |value: &Value| match value {
        Value::Bytes(bytes) => Some(BytesList { ptr: bytes.as_ptr(), len: bytes.len() }),
        _ => None,
    };
    // SAFETY: C's promise.
    unsafe { read(value, out, get) }
}

/// Sets the nanoseconds of a value.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_value_get_duration(value: *const ValueHandle, out: *mut i64) -> bool {
    // SAFETY: C's promise.
    unsafe { read(value, out, |value| if let Value::Duration(value) = value { Some(*value) } else { None }) }
}

/// Sets the instant of a value.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_value_get_time(value: *const ValueHandle, out: *mut TimeValue) -> bool {
    let get = |value: &Value| match value {
        Value::Time(Time { seconds, nanoseconds, offset }) => {
            Some(TimeValue { seconds: *seconds, nanoseconds: *nanoseconds, offset: *offset })
        }
        _ => None,
    };
    // SAFETY: C's promise.
    unsafe { read(value, out, get) }
}

/// How many items, entries or fields a value has; of a variant, 1 for a case with a value; 0 for
/// what has none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_value_len(value: *const ValueHandle) -> usize {
    // SAFETY: C's promise.
    match unsafe { value.as_ref() }.map(|value| &value.0) {
        Some(Value::List(items)) => items.len(),
        Some(Value::Map(entries)) => entries.len(),
        Some(Value::Record(fields)) => fields.len(),
        Some(Value::Variant(_, value)) => value.is_some().into(),
        _ => 0,
    }
}

/// The item of a list, the value of a map's entry, or of a record's field, of that index; the value
/// of a variant's case, with the index 0; NULL if there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_value_at(value: *const ValueHandle, index: usize) -> *const ValueHandle {
    // SAFETY: C's promise.
    let found = match unsafe { value.as_ref() }.map(|value| &value.0) {
        Some(Value::List(items)) => items.get(index),
        Some(Value::Map(entries)) => entries.get(index).map(|(_, value)| value),
        Some(Value::Record(fields)) => fields.get(index).map(|(_, value)| value),
        Some(Value::Variant(_, value)) => value.as_deref().filter(|_| index == 0),
        _ => None,
    };
    found.map_or(ptr::null(), ValueHandle::part)
}

/// The key of a map's entry of that index; NULL if there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_value_key_at(map: *const ValueHandle, index: usize) -> *const ValueHandle {
    // SAFETY: C's promise.
    match unsafe { map.as_ref() }.map(|value| &value.0) {
        Some(Value::Map(entries)) => entries.get(index).map_or(ptr::null(), |(key, _)| ValueHandle::part(key)),
        _ => ptr::null(),
    }
}

/// Sets the name of a record's field of that index, which lives as long as the record. Returns
/// whether there is one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_value_name_at(record: *const ValueHandle, index: usize, name: *mut Text) -> bool {
    let get = |value: &Value| match value {
        Value::Record(fields) => fields.get(index).map(|(name, _)| Text { ptr: name.as_ptr().cast(), len: name.len() }),
        _ => None,
    };
    // SAFETY: C's promise.
    unsafe { read(record, name, get) }
}

/// The value of a record's field, by its WIT name; NULL if there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_value_get(record: *const ValueHandle, name: *const c_char) -> *const ValueHandle {
    // SAFETY: C's promise.
    let found = unsafe { borrow(record, "record").ok().zip(given_text(name, "name").ok()) };
    let found = found.and_then(|(record, name)| match &record.0 {
        Value::Record(fields) => fields.iter().find(|(known, _)| known == name).map(|(_, value)| value),
        _ => None,
    });
    found.map_or(ptr::null(), ValueHandle::part)
}
