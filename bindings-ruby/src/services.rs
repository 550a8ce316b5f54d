//! Services of the core that plugins import under standard names.

use magnus::prelude::*;
use magnus::typed_data::Obj;
use magnus::{Error, RModule, RString, Ruby, function, method};
use undergo::KeyValueOptions;

use crate::lock;

/// Stores of keys and values.
#[magnus::wrap(class = "Undergo::KeyValue", free_immediately)]
pub(crate) struct KeyValue {
    pub(crate) core: undergo::KeyValue,
}

impl KeyValue {
    /// Of what the gem has checked.
    fn make(ruby: &Ruby, redis: Option<String>, stores: Vec<String>, entries: usize, bytes: usize) -> Result<KeyValue, Error> {
        let options = KeyValueOptions { stores, entries, bytes };
        let core = match redis {
            None => undergo::KeyValue::memory(options),
            Some(url) => undergo::KeyValue::redis(&url, options).map_err(|error| lock::to_ruby(ruby, &error))?,
        };
        Ok(KeyValue { core })
    }

    fn get(ruby: &Ruby, this: Obj<KeyValue>, store: String, key: String) -> Result<Option<RString>, Error> {
        let found = lock::detached(ruby, || this.core.get(&store, &key))?;
        Ok(found.map(|value| ruby.str_from_slice(&value)))
    }

    fn set(ruby: &Ruby, this: Obj<KeyValue>, store: String, key: String, value: RString) -> Result<(), Error> {
        // SAFETY: the bytes are copied before any of Ruby's code runs.
        let value = unsafe { value.as_slice() }.to_vec();
        lock::detached(ruby, || this.core.set(&store, &key, value))
    }
}

pub(crate) fn define(ruby: &Ruby, module: RModule) -> Result<(), Error> {
    let class = module.define_class("KeyValue", ruby.class_object())?;
    class.define_singleton_method("_make", function!(KeyValue::make, 4))?;
    class.define_private_method("_get", method!(KeyValue::get, 2))?;
    class.define_private_method("_set", method!(KeyValue::set, 3))
}
