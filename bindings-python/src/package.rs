//! Functions of the package's own Python.

use pyo3::prelude::*;

use crate::cached::Cached;

macro_rules! module {
    ($(#[$doc:meta])* $name:ident, $module:literal) => {
        $(#[$doc])*
        pub(crate) fn $name<'py>(py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
            static MODULE: Cached = Cached::new();
            MODULE.get_or_find(py, || Ok(py.import($module)?.into_any()))?.getattr(name)
        }
    };
}

module!(
    /// Checks what users set.
    config,
    "undergo._config"
);
module!(
    /// Makes classes and signatures.
    types,
    "undergo._types"
);
module!(
    /// Converts times.
    values,
    "undergo._values"
);
module!(
    /// Pickles plugins.
    pickling,
    "undergo._pickling"
);
module!(
    /// Makes functions that can be sent to other processes.
    bound,
    "undergo._bound"
);
module!(
    /// What servers tell of.
    serving,
    "undergo._serving"
);
module!(
    /// Iterators and streams, from a guest and to one.
    handles,
    "undergo._handles"
);
