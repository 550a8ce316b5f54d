//! Exceptions of Python code, as the core's errors.

use std::sync::Arc;

use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use undergo::{Error, ErrorKind};

/// An exception of a value's own code, which an error of its own speaks of: its cause.
pub(crate) struct Remark(pub(crate) PyErr);

/// The error for a value whose own code raised an exception.
pub(crate) fn remark(py: Python<'_>, raised: PyErr) -> Error {
    let said = raised.value(py).str().map(|text| text.to_string()).unwrap_or_default();
    let name = raised.get_type(py).name().map(|name| name.to_string()).unwrap_or_default();
    let text = if said.is_empty() { name } else { said };
    Error::new(ErrorKind::TypeMismatch, text).with_host(Arc::new(Remark(raised)))
}

/// The error for a value that its own code, or this package's, refuses. What is no `Exception` asks
/// the program to end, and passes as it is.
pub(crate) fn refused(py: Python<'_>, raised: PyErr) -> Error {
    if raised.is_instance_of::<PyException>(py) { remark(py, raised) } else { from_host(py, raised) }
}

/// An exception of a host function, on its way through the guest. An `Exception` becomes a Go error
/// where the import returns one; what asks the program to end (`KeyboardInterrupt`, `SystemExit`)
/// does not.
pub(crate) fn from_host(py: Python<'_>, raised: PyErr) -> Error {
    let kind = if raised.is_instance_of::<PyException>(py) { ErrorKind::HostError } else { ErrorKind::Cancelled };
    Error::new(kind, text(py, &raised)).with_host(Arc::new(raised))
}

/// What an exception of a host function says.
pub(crate) fn text(py: Python<'_>, raised: &PyErr) -> String {
    let value = raised.value(py);
    let text = value.str().map(|text| text.to_string()).unwrap_or_default();
    let name = value.get_type().name().map(|name| name.to_string()).unwrap_or_default();
    match (text.is_empty(), raised.is_instance_of::<PyException>(py)) {
        (true, _) => name,
        (false, true) => text,
        (false, false) => format!("{name}: {text}"),
    }
}

/// An exception of a signal's handler, which ends a call: `KeyboardInterrupt` most often.
pub(crate) fn interrupted(py: Python<'_>, raised: PyErr) -> Error {
    let text =
        format!("a signal's handler raised {}", raised.value(py).repr().map_or_else(|_| "an exception".into(), |text| text.to_string()));
    Error::new(ErrorKind::Cancelled, text).with_host(Arc::new(raised))
}

/// An exception of Python code that ran during a conversion.
pub(crate) fn from_conversion(raised: PyErr) -> Error {
    Error::new(ErrorKind::TypeMismatch, raised.to_string()).with_host(Arc::new(raised))
}
