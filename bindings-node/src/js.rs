//! JavaScript values, by Node-API.
//!
//! A [`Js`] is a handle: it belongs to the thread of its environment, and is valid until the native
//! function or callback that has received it returns. A value that has to live longer is
//! [`Kept`](crate::kept::Kept). A Node-API call fails ([`Failed`]) if an exception is thrown or the
//! environment ends.

use std::ffi::c_void;
use std::ptr;

use napi::sys::{self, ValueType};

/// A call of Node-API did not do what it should: an exception waits to be taken, or JavaScript
/// can't run any more.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Failed(pub(crate) i32);

impl Failed {
    /// The status that says so.
    pub(crate) fn is(self, status: i32) -> bool {
        self.0 == status
    }
}

pub(crate) type Made<T = Js> = Result<T, Failed>;

/// Calls a function of Node-API.
macro_rules! node {
    ($function:ident($env:expr $(, $arg:expr)* $(,)?)) => {{
        // SAFETY: the environment and all values are live: handles are used only while the callback
        // that got them runs. Pointers are to variables of the caller.
        let status = unsafe { napi::sys::$function($env.0 $(, $arg)*) };
        if status == napi::sys::Status::napi_ok { Ok(()) } else { Err($crate::js::Failed(status)) }
    }};
}
pub(crate) use node;

/// The same for a function that writes its result behind a pointer.
macro_rules! get {
    ($init:expr; $function:ident($env:expr $(, $arg:expr)* $(,)?)) => {{
        let mut result = $init;
        match node!($function($env $(, $arg)*, &mut result)) {
            Ok(()) => Ok(result),
            Err(failed) => Err(failed),
        }
    }};
}
pub(crate) use get;

/// Bytes of which there are so many are worth more calls of Node-API.
const LARGE: usize = 16 << 10;

/// An environment: a thread of JavaScript.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Env(pub(crate) sys::napi_env);

/// A value.
#[derive(Clone, Copy)]
pub(crate) struct Js {
    pub(crate) env: Env,
    pub(crate) raw: sys::napi_value,
}

/// What `typeof` says, with `null` apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Undefined,
    Null,
    Boolean,
    Number,
    String,
    Symbol,
    Object,
    Function,
    BigInt,
}

/// A typed array, a DataView or an ArrayBuffer: where its bytes are now.
pub(crate) struct Bytes {
    /// The number of Node-API's, or `None` for what is plain bytes.
    pub(crate) array: Option<i32>,
    pub(crate) data: *const u8,
    pub(crate) len: usize,
}

impl Bytes {
    /// A copy of them. JavaScript of this thread does not run meanwhile; another thread may write
    /// to shared memory, of which any mixture is copied then.
    pub(crate) fn copy_to(&self, target: &mut [u8]) {
        let len = target.len().min(self.len);
        if len > 0 {
            // SAFETY: Node says that so many bytes are there, and no guest's memory is part of a
            // buffer of JavaScript.
            unsafe { ptr::copy_nonoverlapping(self.data, target.as_mut_ptr(), len) };
        }
    }
}

impl Env {
    pub(crate) fn value(self, raw: sys::napi_value) -> Js {
        Js { env: self, raw }
    }

    fn made(self, result: Made<sys::napi_value>) -> Made {
        result.map(|raw| self.value(raw))
    }

    pub(crate) fn undefined(self) -> Made {
        self.made(get!(ptr::null_mut(); napi_get_undefined(self)))
    }

    pub(crate) fn bool(self, value: bool) -> Made {
        self.made(get!(ptr::null_mut(); napi_get_boolean(self, value)))
    }

    pub(crate) fn number(self, value: f64) -> Made {
        self.made(get!(ptr::null_mut(); napi_create_double(self, value)))
    }

    pub(crate) fn int32(self, value: i32) -> Made {
        self.made(get!(ptr::null_mut(); napi_create_int32(self, value)))
    }

    pub(crate) fn bigint(self, value: i64) -> Made {
        self.made(get!(ptr::null_mut(); napi_create_bigint_int64(self, value)))
    }

    pub(crate) fn biguint(self, value: u64) -> Made {
        self.made(get!(ptr::null_mut(); napi_create_bigint_uint64(self, value)))
    }

    pub(crate) fn string(self, text: &str) -> Made {
        let (data, len) = (text.as_ptr().cast(), text.len().cast_signed());
        // What is ASCII needs no decoding.
        self.made(if text.is_ascii() {
            get!(ptr::null_mut(); napi_create_string_latin1(self, data, len))
        } else {
            get!(ptr::null_mut(); napi_create_string_utf8(self, data, len))
        })
    }

    pub(crate) fn object(self) -> Made {
        self.made(get!(ptr::null_mut(); napi_create_object(self)))
    }

    pub(crate) fn array(self, len: usize) -> Made {
        self.made(get!(ptr::null_mut(); napi_create_array_with_length(self, len)))
    }

    pub(crate) fn strings(self, texts: &[String]) -> Made {
        let array = self.array(texts.len())?;
        for (i, text) in (0..).zip(texts) {
            array.set_element(i, self.string(text)?)?;
        }
        Ok(array)
    }

    pub(crate) fn date(self, milliseconds: f64) -> Made {
        self.made(get!(ptr::null_mut(); napi_create_date(self, milliseconds)))
    }

    /// Calls a class for a new object.
    pub(crate) fn construct(self, class: Js, args: &[Js]) -> Made {
        let raw: Vec<_> = args.iter().map(|arg| arg.raw).collect();
        self.made(get!(ptr::null_mut(); napi_new_instance(self, class.raw, raw.len(), raw.as_ptr())))
    }

    /// A typed array of that type with a copy of the bytes.
    pub(crate) fn typed_array(self, array: i32, bytes: &[u8], item: usize) -> Made {
        if bytes.len() >= LARGE
            && let Some(made) = self.large_array(array, bytes, item)
        {
            return Ok(made);
        }
        let buffer = self.buffer(bytes)?;
        self.made(get!(ptr::null_mut(); napi_create_typedarray(self, array, bytes.len() / item, buffer.raw, 0)))
    }

    /// An ArrayBuffer with a copy of the bytes.
    pub(crate) fn buffer(self, bytes: &[u8]) -> Made {
        let mut data: *mut c_void = ptr::null_mut();
        let buffer = get!(ptr::null_mut(); napi_create_arraybuffer(self, bytes.len(), &mut data))?;
        if !bytes.is_empty() {
            // SAFETY: the new buffer has that many bytes, and nobody else has it yet.
            unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), data.cast::<u8>(), bytes.len()) };
        }
        Ok(self.value(buffer))
    }

    /// The same by a Buffer, whose memory Node does not clear before it copies the bytes there; for
    /// many bytes that is half of the work. `None` where a Buffer is part of memory that the array
    /// must not lie in.
    fn large_array(self, array: i32, bytes: &[u8], item: usize) -> Option<Js> {
        let raw = get!(ptr::null_mut(); napi_create_buffer_copy(self, bytes.len(), bytes.as_ptr().cast(), &mut ptr::null_mut())).ok()?;
        let (mut len, mut buffer, mut offset) = (0, ptr::null_mut(), 0);
        node!(napi_get_typedarray_info(self, raw, &mut -1, &mut len, &mut ptr::null_mut(), &mut buffer, &mut offset)).ok()?;
        let (mut start, mut whole) = (ptr::null_mut(), 0);
        node!(napi_get_arraybuffer_info(self, buffer, &mut start, &mut whole)).ok()?;
        if offset != 0 || whole != bytes.len() {
            return None;
        }
        self.made(get!(ptr::null_mut(); napi_create_typedarray(self, array, len / item, buffer, 0))).ok()
    }

    pub(crate) fn global(self) -> Made {
        self.made(get!(ptr::null_mut(); napi_get_global(self)))
    }

    /// Calls a function.
    pub(crate) fn call(self, function: Js, this: Js, args: &[Js]) -> Made {
        let mut few = [ptr::null_mut(); 8];
        let many: Vec<_>;
        let raw = if args.len() <= few.len() {
            few.iter_mut().zip(args).for_each(|(raw, arg)| *raw = arg.raw);
            &few[..args.len()]
        } else {
            many = args.iter().map(|arg| arg.raw).collect();
            &many
        };
        self.made(get!(ptr::null_mut(); napi_call_function(self, this.raw, function.raw, raw.len(), raw.as_ptr())))
    }

    /// Whether two values are the same.
    pub(crate) fn same(self, a: Js, b: Js) -> bool {
        get!(false; napi_strict_equals(self, a.raw, b.raw)).unwrap_or(false)
    }

    /// Takes the exception that is thrown. `None` when there is none: then JavaScript can't run any
    /// more.
    pub(crate) fn take_exception(self) -> Option<Js> {
        let pending = get!(false; napi_is_exception_pending(self)).unwrap_or(false);
        if !pending {
            return None;
        }
        self.made(get!(ptr::null_mut(); napi_get_and_clear_last_exception(self))).ok()
    }

    /// Throws an exception: it is there when the native function returns.
    pub(crate) fn throw(self, exception: Js) {
        // An environment that ends takes none, and needs none.
        let _ = node!(napi_throw(self, exception.raw));
    }

    /// Runs code whose handles end with it.
    pub(crate) fn scope<R>(self, code: impl FnOnce() -> R) -> R {
        let scope = get!(ptr::null_mut(); napi_open_handle_scope(self));
        let result = code();
        if let Ok(scope) = scope {
            let _ = node!(napi_close_handle_scope(self, scope));
        }
        result
    }
}

impl Js {
    #[inline]
    pub(crate) fn kind(self) -> Made<Kind> {
        Ok(match get!(0; napi_typeof(self.env, self.raw))? {
            ValueType::napi_undefined => Kind::Undefined,
            ValueType::napi_null => Kind::Null,
            ValueType::napi_boolean => Kind::Boolean,
            ValueType::napi_number => Kind::Number,
            ValueType::napi_string => Kind::String,
            ValueType::napi_symbol => Kind::Symbol,
            ValueType::napi_function => Kind::Function,
            ValueType::napi_bigint => Kind::BigInt,
            _ => Kind::Object,
        })
    }

    pub(crate) fn is(self, kind: Kind) -> bool {
        self.kind().is_ok_and(|found| found == kind)
    }

    /// Undefined, or null.
    pub(crate) fn is_nothing(self) -> bool {
        matches!(self.kind(), Ok(Kind::Undefined | Kind::Null))
    }

    pub(crate) fn get(self, key: Js) -> Made {
        self.env.made(get!(ptr::null_mut(); napi_get_property(self.env, self.raw, key.raw)))
    }

    pub(crate) fn get_named(self, key: &str) -> Made {
        self.get(self.env.string(key)?)
    }

    pub(crate) fn set(self, key: Js, value: Js) -> Made<()> {
        node!(napi_set_property(self.env, self.raw, key.raw, value.raw))
    }

    pub(crate) fn set_named(self, key: &str, value: Js) -> Made<()> {
        self.set(self.env.string(key)?, value)
    }

    /// The names of its enumerable properties, as an array.
    pub(crate) fn keys(self) -> Made {
        self.env.made(get!(ptr::null_mut(); napi_get_property_names(self.env, self.raw)))
    }

    pub(crate) fn element(self, index: u32) -> Made {
        self.env.made(get!(ptr::null_mut(); napi_get_element(self.env, self.raw, index)))
    }

    pub(crate) fn set_element(self, index: u32, value: Js) -> Made<()> {
        node!(napi_set_element(self.env, self.raw, index, value.raw))
    }

    pub(crate) fn is_array(self) -> bool {
        get!(false; napi_is_array(self.env, self.raw)).unwrap_or(false)
    }

    pub(crate) fn array_len(self) -> Made<u32> {
        get!(0; napi_get_array_length(self.env, self.raw))
    }

    /// Of a boolean.
    #[inline]
    pub(crate) fn bool(self) -> Made<bool> {
        get!(false; napi_get_value_bool(self.env, self.raw))
    }

    /// Of a number.
    #[inline]
    pub(crate) fn f64(self) -> Made<f64> {
        get!(0.0; napi_get_value_double(self.env, self.raw))
    }

    /// Of a bigint: its value, if that fits.
    pub(crate) fn i64(self) -> Made<Option<i64>> {
        let mut lossless = false;
        let mut value = 0;
        node!(napi_get_value_bigint_int64(self.env, self.raw, &mut value, &mut lossless))?;
        Ok(lossless.then_some(value))
    }

    /// Of a bigint: its value, if that fits.
    pub(crate) fn u64(self) -> Made<Option<u64>> {
        let mut lossless = false;
        let mut value = 0;
        node!(napi_get_value_bigint_uint64(self.env, self.raw, &mut value, &mut lossless))?;
        Ok(lossless.then_some(value))
    }

    /// The text of a string; what has no form in UTF-8 is replaced.
    #[inline]
    pub(crate) fn string(self) -> Made<String> {
        // Most fit here, and are then read at once.
        let mut few = [0_u8; 512];
        let len = get!(0; napi_get_value_string_utf8(self.env, self.raw, few.as_mut_ptr().cast(), few.len()))?;
        // A character that did not fit is left out whole: up to 3 bytes of it, beside the NUL.
        let bytes = if len + 4 < few.len() {
            few[..len].to_vec()
        } else {
            let len = get!(0; napi_get_value_string_utf8(self.env, self.raw, ptr::null_mut(), 0))?;
            let mut bytes = vec![0; len + 1];
            let len = get!(0; napi_get_value_string_utf8(self.env, self.raw, bytes.as_mut_ptr().cast(), bytes.len()))?;
            bytes.truncate(len);
            bytes
        };
        Ok(String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
    }

    /// Whether a string holds half a surrogate pair.
    pub(crate) fn has_lone_surrogate(self) -> Made<bool> {
        let len = get!(0; napi_get_value_string_utf16(self.env, self.raw, ptr::null_mut(), 0))?;
        let mut units = vec![0_u16; len + 1];
        let len = get!(0; napi_get_value_string_utf16(self.env, self.raw, units.as_mut_ptr(), units.len()))?;
        Ok(char::decode_utf16(units[..len].iter().copied()).any(|decoded| decoded.is_err()))
    }

    pub(crate) fn is_date(self) -> bool {
        get!(false; napi_is_date(self.env, self.raw)).unwrap_or(false)
    }

    /// Milliseconds of a Date; NaN for an invalid one.
    pub(crate) fn date(self) -> Made<f64> {
        get!(0.0; napi_get_date_value(self.env, self.raw))
    }

    pub(crate) fn is_promise(self) -> bool {
        get!(false; napi_is_promise(self.env, self.raw)).unwrap_or(false)
    }

    pub(crate) fn is_error(self) -> bool {
        get!(false; napi_is_error(self.env, self.raw)).unwrap_or(false)
    }

    pub(crate) fn is_typed_array(self) -> bool {
        get!(false; napi_is_typedarray(self.env, self.raw)).unwrap_or(false)
    }

    /// Where the bytes of a typed array, a DataView or an ArrayBuffer are; `None` for anything
    /// else.
    pub(crate) fn bytes(self) -> Option<Bytes> {
        let (env, raw) = (self.env, self.raw);
        let mut data: *mut c_void = ptr::null_mut();
        let mut len = 0;
        let (mut buffer, mut offset) = (ptr::null_mut(), 0);
        if self.is_typed_array() {
            let mut array = -1;
            node!(napi_get_typedarray_info(env, raw, &mut array, &mut len, &mut data, &mut buffer, &mut offset)).ok()?;
            return Some(Bytes { array: Some(array), data: data.cast(), len: len * item_size(array) });
        }
        if get!(false; napi_is_arraybuffer(env, raw)).unwrap_or(false) {
            node!(napi_get_arraybuffer_info(env, raw, &mut data, &mut len)).ok()?;
        } else if get!(false; napi_is_dataview(env, raw)).unwrap_or(false) {
            node!(napi_get_dataview_info(env, raw, &mut len, &mut data, &mut buffer, &mut offset)).ok()?;
        } else {
            return None;
        }
        Some(Bytes { array: None, data: data.cast(), len })
    }

    /// The text that `String` makes of it, for messages; empty where that fails.
    pub(crate) fn shown(self) -> String {
        let text = get!(ptr::null_mut(); napi_coerce_to_string(self.env, self.raw)).and_then(|raw| self.env.value(raw).string());
        text.unwrap_or_else(|_| {
            let _ = self.env.take_exception();
            String::new()
        })
    }

    /// A value of Rust as an object of JavaScript, which owns it.
    pub(crate) fn owner<T: Tagged>(env: Env, value: T) -> Made {
        env.object()?.own(value)
    }

    /// Has an object, which owns nothing yet, own the value.
    pub(crate) fn own<T: Tagged>(self, value: T) -> Made {
        unsafe extern "C" fn free<T>(_env: sys::napi_env, data: *mut c_void, _hint: *mut c_void) {
            // SAFETY: the box that was leaked for the object; Node calls this once.
            drop(unsafe { Box::from_raw(data.cast::<T>()) });
        }
        let env = self.env;
        let data = Box::into_raw(Box::new(value));
        if let Err(failed) = node!(napi_wrap(env, self.raw, data.cast(), Some(free::<T>), ptr::null_mut(), ptr::null_mut())) {
            // SAFETY: nobody took the box.
            drop(unsafe { Box::from_raw(data) });
            return Err(failed);
        }
        node!(napi_type_tag_object(env, self.raw, &T::TAG))?;
        Ok(self)
    }

    /// What such an object owns; `None` for any other value, and for an object of another addon.
    pub(crate) fn owned<'v, T: Tagged>(self) -> Option<&'v T> {
        let is_ours = self.is(Kind::Object) && get!(false; napi_check_object_type_tag(self.env, self.raw, &T::TAG)).unwrap_or(false);
        if !is_ours {
            return None;
        }
        let data: *mut c_void = get!(ptr::null_mut(); napi_unwrap(self.env, self.raw)).ok()?;
        // SAFETY: only `owner` gives an object this tag, with a value of this type, which lives as
        // long as the object, which the caller has on its stack.
        Some(unsafe { &*data.cast::<T>() })
    }
}

/// A type of Rust whose values objects of JavaScript own. A tag is a random number, for this type
/// of this addon alone.
pub(crate) trait Tagged: 'static {
    const TAG: sys::napi_type_tag;
}

/// Bytes of an item of a typed array.
fn item_size(array: i32) -> usize {
    use sys::TypedarrayType as T;
    match array {
        T::int8_array | T::uint8_array | T::uint8_clamped_array => 1,
        T::int16_array | T::uint16_array => 2,
        T::int32_array | T::uint32_array | T::float32_array => 4,
        T::float64_array | T::bigint64_array | T::biguint64_array => 8,
        // One that is newer than this (Float16Array) has no data for us.
        _ => 0,
    }
}
