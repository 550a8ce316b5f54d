//! What a store of keys and values has to do, wherever it keeps them.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

/// Why an operation failed: the cases of `error` of `wasi:keyvalue/store`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum StoreError {
    NoSuchStore,
    Other(String),
}

impl StoreError {
    pub(crate) fn other(text: impl Into<String>) -> StoreError {
        StoreError::Other(text.into())
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StoreError::NoSuchStore => f.write_str("no such store"),
            StoreError::Other(text) => f.write_str(text),
        }
    }
}

pub(crate) type Result<T> = std::result::Result<T, StoreError>;

/// A page of keys, and where the next one begins.
pub(crate) type Page = (Vec<String>, Option<u64>);

/// All stores of one sort.
pub(crate) trait Stores: Send + Sync {
    /// The store of that name.
    fn open(&self, name: &str) -> Result<Arc<dyn Store>>;
}

/// One store. What takes long ends at `until`.
pub(crate) trait Store: Send + Sync {
    fn get(&self, keys: &[String], until: Option<Instant>) -> Result<Vec<Option<Vec<u8>>>>;

    /// Either sets all of them or none.
    fn set(&self, entries: Vec<(String, Vec<u8>)>, until: Option<Instant>) -> Result<()>;

    fn delete(&self, keys: &[String], until: Option<Instant>) -> Result<()>;

    fn exists(&self, key: &str, until: Option<Instant>) -> Result<bool>;

    fn page(&self, from: u64, until: Option<Instant>) -> Result<Page>;

    /// Adds to a number, which is text of digits, and 0 where there is none.
    fn increment(&self, key: &str, delta: i64, until: Option<Instant>) -> Result<i64>;

    /// Replaces a value, if it is still the one that was read.
    fn swap(&self, key: &str, read: Option<&[u8]>, value: Vec<u8>, until: Option<Instant>) -> Result<bool>;
}

/// A number as stores keep it.
pub(crate) fn number(value: Option<&[u8]>) -> Result<i64> {
    let Some(value) = value else { return Ok(0) };
    let number = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok());
    number.ok_or_else(|| StoreError::other("the value is no number of 64 bits in digits"))
}
