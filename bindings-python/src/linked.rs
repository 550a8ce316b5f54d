//! Instances as the imports of others.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use undergo::Imports;

use crate::async_instance::AsyncInstance;
use crate::instance::Instance;

/// Links an interface to what was given for it, if that is an instance; otherwise it is none of
/// this, and the answer is false.
pub(crate) fn link(imports: &mut Imports, interface: &str, given: &Bound<'_, PyAny>) -> PyResult<bool> {
    if let Ok(instance) = given.cast::<Instance>() {
        imports.link(interface, instance.get().lasting().ok_or_else(|| lent(interface))?);
    } else if let Ok(instance) = given.cast::<AsyncInstance>() {
        imports.link(interface, instance.get().lasting().ok_or_else(|| lent(interface))?);
    } else {
        return Ok(false);
    }
    Ok(true)
}

fn lent(interface: &str) -> PyErr {
    PyTypeError::new_err(format!("imports[{interface:?}] is an instance of a pool, to which it returns: link one that was made by itself"))
}
