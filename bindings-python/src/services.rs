//! Services of the core that plugins import under standard names.

use pyo3::prelude::*;
use undergo::{Imports, KeyValueOptions};

use crate::errors;

/// Stores of keys and values, for plugins that import `wasi:keyvalue`: see `keyvalue`.
#[pyclass(frozen, module = "undergo")]
pub(crate) struct KeyValue(undergo::KeyValue);

#[pymethods]
impl KeyValue {
    #[new]
    #[pyo3(signature = (redis=None, *, stores, entries, bytes))]
    fn new(py: Python<'_>, redis: Option<&str>, stores: Vec<String>, entries: usize, bytes: usize) -> PyResult<KeyValue> {
        let options = KeyValueOptions { stores, entries, bytes };
        match redis {
            None => Ok(KeyValue(undergo::KeyValue::memory(options))),
            Some(url) => undergo::KeyValue::redis(url, options).map(KeyValue).map_err(|error| errors::to_python(py, &error)),
        }
    }

    /// Give the value of a key of a store; `None` if there is none.
    fn get(&self, py: Python<'_>, store: &str, key: &str) -> PyResult<Option<Vec<u8>>> {
        py.detach(|| self.0.get(store, key)).map_err(|error| errors::to_python(py, &error))
    }

    /// Set the value of a key of a store.
    fn set(&self, py: Python<'_>, store: &str, key: &str, value: Vec<u8>) -> PyResult<()> {
        py.detach(|| self.0.set(store, key, value)).map_err(|error| errors::to_python(py, &error))
    }

    fn __repr__(&self) -> &'static str {
        "KeyValue()"
    }
}

/// Adds the functions of a service, if that is what is given for an interface.
pub(crate) fn add(imports: &mut Imports, given: &Bound<'_, PyAny>) -> bool {
    match given.cast::<KeyValue>() {
        Ok(service) => {
            imports.keyvalue(&service.get().0);
            true
        }
        Err(_) => false,
    }
}
