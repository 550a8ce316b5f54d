//! Services of the core that plugins import under standard names.

use std::ffi::{c_char, c_void};
use std::{ptr, slice};

use undergo::{Error, ErrorKind, KeyValue, KeyValueOptions, LogLevel, Value};

use crate::boundary::{Destroy, UserData, borrow, borrow_mut, bytes, c_text, delete, give, null, text};
use crate::errors::ErrorHandle;
use crate::guard::{guard, put};
use crate::imports::ImportsHandle;
use crate::values::ValueHandle;

/// Stores of keys and values, for plugins that import `wasi:keyvalue`. It may be used from any
/// thread.
pub struct KeyValueHandle(KeyValue);

/// Makes stores with these names: `default`, if there are none. They are in memory, or, if `redis`
/// is not NULL, at `redis://[user:password@]host[:port][/database]`. In memory they have that many
/// entries together at most, and that many bytes of keys and values, which is also how long an
/// answer of Redis may be; 0 stands for 100,000 and for 64 MiB. Free it with
/// `undergo_keyvalue_delete`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_keyvalue_new(
    redis: *const c_char,
    stores: *const *const c_char,
    count: usize,
    entries: u64,
    size: u64,
    result: *mut *mut KeyValueHandle,
) -> *mut ErrorHandle {
    guard(|| {
        let mut options = KeyValueOptions::default();
        if count > 0 {
            // SAFETY: C's promise: so many texts are there.
            let given = unsafe { slice::from_raw_parts(borrow(stores, "stores")?, count) };
            // SAFETY: as above.
            options.stores =
                given.iter().map(|name| Ok(unsafe { text(*name, "the name of a store") }?.to_owned())).collect::<undergo::Result<_>>()?;
        }
        let room = |given: u64, otherwise| if given == 0 { otherwise } else { usize::try_from(given).unwrap_or(usize::MAX) };
        (options.entries, options.bytes) = (room(entries, options.entries), room(size, options.bytes));
        let make = || {
            if redis.is_null() {
                return Ok(KeyValueHandle(KeyValue::memory(options)));
            }
            // SAFETY: C's promise.
            KeyValue::redis(unsafe { text(redis, "redis") }?, options).map(KeyValueHandle)
        };
        // SAFETY: C's promise.
        unsafe { put(result, "result", make) }
    })
}

/// Frees it. NULL is accepted. Imports and instances that have the stores keep them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_keyvalue_delete(stores: *mut KeyValueHandle) {
    // SAFETY: C's promise.
    unsafe { delete(stores) };
}

/// The value of a key of a store: sets `*result` to a value that the caller frees with
/// `undergo_value_delete`, or to NULL if there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_keyvalue_get(
    stores: *const KeyValueHandle,
    store: *const c_char,
    key: *const c_char,
    result: *mut *mut ValueHandle,
) -> *mut ErrorHandle {
    guard(|| {
        // SAFETY: C's promise.
        let (stores, store, key) = unsafe { (borrow(stores, "stores")?, text(store, "store")?, text(key, "key")?) };
        if result.is_null() {
            return Err(null("result"));
        }
        let found = stores.0.get(store, key)?.map_or(ptr::null_mut(), |value| give(ValueHandle(Value::Bytes(value))));
        // SAFETY: C's promise.
        unsafe { result.write(found) };
        Ok(())
    })
}

/// Sets the value of a key of a store to a copy of these bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_keyvalue_set(
    stores: *const KeyValueHandle,
    store: *const c_char,
    key: *const c_char,
    data: *const c_void,
    len: usize,
) -> *mut ErrorHandle {
    guard(|| {
        // SAFETY: C's promise.
        let (stores, store, key) = unsafe { (borrow(stores, "stores")?, text(store, "store")?, text(key, "key")?) };
        // SAFETY: C's promise: so many bytes are there.
        let value = unsafe { bytes(data.cast(), len) }.map_err(|text| Error::new(ErrorKind::TypeMismatch, text))?;
        stores.0.set(store, key, value)
    })
}

/// Gives plugins `wasi:keyvalue`: `store`, `batch` and `atomics`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_imports_keyvalue(imports: *mut ImportsHandle, stores: *const KeyValueHandle) -> *mut ErrorHandle {
    guard(|| {
        // SAFETY: C's promise.
        let (imports, stores) = unsafe { (borrow_mut(imports, "imports")?, borrow(stores, "stores")?) };
        imports.serve(|core| core.keyvalue(&stores.0));
        Ok(())
    })
}

/// Gives plugins `wasi:config` with these values, which are copied: `count` keys, and as many
/// values.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_imports_config(
    imports: *mut ImportsHandle,
    keys: *const *const c_char,
    values: *const *const c_char,
    count: usize,
) -> *mut ErrorHandle {
    guard(|| {
        // SAFETY: C's promise.
        let imports = unsafe { borrow_mut(imports, "imports") }?;
        let mut pairs = Vec::with_capacity(count);
        for i in 0..count {
            if keys.is_null() || values.is_null() {
                return Err(null("keys or values"));
            }
            // SAFETY: C's promise: so many texts are there.
            let (key, value) = unsafe { (text(*keys.add(i), "a key")?, text(*values.add(i), "a value")?) };
            pairs.push((key, value));
        }
        imports.serve(|core| core.config(pairs));
        Ok(())
    })
}

/// What gets a line that a plugin logs, on the thread of the call. The level is 0 (trace) to 5
/// (critical). The texts have no control characters and no ends of lines, and live until it
/// returns.
pub type LogFn = Option<unsafe extern "C" fn(user_data: *mut c_void, level: u32, context: *const c_char, message: *const c_char)>;

/// Gives plugins `wasi:logging`. `destroy`, if there is one, is called once with the user data,
/// when nobody can call the function any more, or at once if this fails.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_imports_logging(
    imports: *mut ImportsHandle,
    log: LogFn,
    user_data: *mut c_void,
    destroy: Destroy,
) -> *mut ErrorHandle {
    guard(|| {
        let user_data = UserData { data: user_data, destroy };
        // SAFETY: C's promise.
        let imports = unsafe { borrow_mut(imports, "imports") }?;
        let log = log.ok_or_else(|| null("log"))?;
        imports.serve(|core| {
            core.logging(move |line| {
                let level = LogLevel::ALL.iter().position(|level| *level == line.level).unwrap_or_default() as u32;
                let (context, message) = (c_text(&line.context), c_text(&line.message));
                let data = &user_data;
                // SAFETY: C's promise: the function may be called so, with its own data.
                unsafe { log(data.data, level, context.as_ptr(), message.as_ptr()) };
            });
        });
        Ok(())
    })
}
