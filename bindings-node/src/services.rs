//! Services of the core that plugins import under standard names.

use undergo::{KeyValue, KeyValueOptions, Result};

use crate::bytes::Copied;
use crate::config::strings;
use crate::js::Js;
use crate::native::{Call, Handle};

/// `keyvalue(redis, stores, entries, bytes)`, of which the package has checked all but the address.
pub(crate) fn keyvalue(call: &Call<'_>) -> Result<Js> {
    let (redis, stores) = (call.arg(0)?, call.made(strings(call.arg(1)?))?);
    let number = |number: usize| -> Result<usize> { call.made(call.arg(number)?.f64()).map(|n| n as usize) };
    let options = KeyValueOptions { stores, entries: number(2)?, bytes: number(3)? };
    let made = if redis.is_nothing() { KeyValue::memory(options) } else { KeyValue::redis(&call.made(redis.string())?, options)? };
    call.made(Handle::KeyValue(made).into_js(call.env))
}

/// `storedValue(stores, store, key)`
pub(crate) fn stored_value(call: &Call<'_>) -> Result<Js> {
    let (store, key) = (call.made(call.arg(1)?.string())?, call.made(call.arg(2)?.string())?);
    match call.keyvalue(0)?.get(&store, &key)? {
        Some(value) => call.made(call.env.buffer(&value)),
        None => call.undefined(),
    }
}

/// `storeValue(stores, store, key, value)`
pub(crate) fn store_value(call: &Call<'_>) -> Result<Js> {
    let (store, key) = (call.made(call.arg(1)?.string())?, call.made(call.arg(2)?.string())?);
    let value = call.arg(3)?.bytes().map_or_else(Vec::new, |bytes| Copied::new(&bytes).into_vec());
    call.keyvalue(0)?.set(&store, &key, value)?;
    call.undefined()
}
