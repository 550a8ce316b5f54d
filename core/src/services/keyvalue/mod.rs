//! `wasi:keyvalue`: stores, batches and atomic operations, in the versions that there are.

mod memory;
mod operation;
mod redis;
mod resp;
mod shapes;
mod store;

use std::fmt;
use std::sync::Arc;

use self::memory::{Bounds, Memory};
use self::operation::{Does, Operation};
use self::redis::Redis;
use self::store::{StoreError, Stores};
use crate::error::{Error, ErrorKind, Result};
use crate::guest::host::{HostFunction, Imports};

/// Stores of keys and values for plugins that import `wasi:keyvalue`: see [`Imports::keyvalue`].
/// Clones are the same stores.
#[derive(Clone)]
pub struct KeyValue(Arc<Inner>);

struct Inner {
    stores: Arc<dyn Stores>,
    /// Of a value, and of all that one operation gives.
    bytes: usize,
}

/// What [`KeyValue`] has room for.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "host"), non_exhaustive)]
pub struct KeyValueOptions {
    /// The names of the stores that plugins may open: `default` only, unless it says otherwise.
    pub stores: Vec<String>,
    /// How many entries all stores in memory have at most: 100,000.
    pub entries: usize,
    /// How many bytes of keys and values these have at most, and one answer of Redis: 64 MiB.
    pub bytes: usize,
}

impl Default for KeyValueOptions {
    fn default() -> Self {
        KeyValueOptions { stores: vec!["default".to_owned()], entries: 100_000, bytes: 64 << 20 }
    }
}

impl KeyValue {
    /// In memory. What is in the stores is there for as long as anybody has them.
    #[must_use]
    pub fn memory(options: KeyValueOptions) -> KeyValue {
        let bounds = Bounds { entries: options.entries, bytes: options.bytes };
        KeyValue(Arc::new(Inner { stores: Arc::new(Memory::new(options.stores, bounds)), bytes: options.bytes }))
    }

    /// In Redis, at `redis://[user:password@]host[:port][/database]`. The key `k` of the store `s`
    /// is `s:k` there. It connects when a plugin needs it; an operation ends with the deadline of
    /// the call, and after 5 seconds where there is none.
    ///
    /// # Errors
    ///
    /// `type-mismatch` for another address.
    pub fn redis(url: &str, options: KeyValueOptions) -> Result<KeyValue> {
        let redis = Redis::new(url, options.stores, options.bytes).map_err(|text| Error::new(ErrorKind::TypeMismatch, text))?;
        Ok(KeyValue(Arc::new(Inner { stores: Arc::new(redis), bytes: options.bytes })))
    }

    /// The value of a key; `None` if there is none.
    ///
    /// # Errors
    ///
    /// `host-error` if there is no such store, or for a failure of Redis.
    pub fn get(&self, store: &str, key: &str) -> Result<Option<Vec<u8>>> {
        let found = self.0.stores.open(store).and_then(|store| store.get(&[key.to_owned()], None));
        found.map(|mut values| values.pop().flatten()).map_err(|error| of_program(&error))
    }

    /// Sets the value of a key.
    ///
    /// # Errors
    ///
    /// `host-error` if there is no such store, or no room, or for a failure of Redis.
    pub fn set(&self, store: &str, key: &str, value: impl Into<Vec<u8>>) -> Result<()> {
        let done = self.0.stores.open(store).and_then(|store| store.set(vec![(key.to_owned(), value.into())], None));
        done.map_err(|error| of_program(&error))
    }
}

fn of_program(error: &StoreError) -> Error {
    Error::new(ErrorKind::HostError, error.to_string())
}

impl fmt::Debug for KeyValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyValue")
    }
}

impl Imports {
    /// Gives plugins `wasi:keyvalue`, in any of its versions 0.2.0: `store`, `batch` and `atomics`.
    ///
    /// ```
    /// use undergo::{Imports, KeyValue, KeyValueOptions};
    ///
    /// let store = KeyValue::memory(KeyValueOptions::default());
    /// store.set("default", "greeting", "Hello")?;
    /// let mut imports = Imports::default();
    /// imports.keyvalue(&store);
    /// # Ok::<(), undergo::Error>(())
    /// ```
    pub fn keyvalue(&mut self, stores: &KeyValue) {
        for (interface, name, function) in stores.functions() {
            self.set(interface, name, function);
        }
    }
}

impl KeyValue {
    /// All functions, each with its interface and its name.
    fn functions(&self) -> impl Iterator<Item = (&'static str, &'static str, Arc<dyn HostFunction>)> {
        const ALL: [(&str, &str, Does); 7] = [
            ("wasi:keyvalue/store", "open", Does::Open),
            ("wasi:keyvalue/batch", "get-many", Does::GetMany),
            ("wasi:keyvalue/batch", "set-many", Does::SetMany),
            ("wasi:keyvalue/batch", "delete-many", Does::DeleteMany),
            ("wasi:keyvalue/atomics", "increment", Does::Increment),
            ("wasi:keyvalue/atomics", "cas-new", Does::NewCas),
            ("wasi:keyvalue/atomics", "swap", Does::Swap),
        ];
        let function = |(interface, name, does)| {
            let function: Arc<dyn HostFunction> = Arc::new(Operation::new(self.clone(), does));
            (interface, name, function)
        };
        ALL.into_iter().map(function)
    }
}
