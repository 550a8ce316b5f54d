//! Converts the core's errors to exceptions, and back.

use std::sync::Arc;

use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyTuple};
use undergo::{Error, ErrorKind};

/// An exception of a value's own code, which an error of its own speaks of: its cause.
struct Remark(PyErr);

/// The error for a value whose own code raised an exception.
pub(crate) fn remark(py: Python<'_>, raised: PyErr) -> Error {
    let said = raised.value(py).str().map(|text| text.to_string()).unwrap_or_default();
    let name = raised.get_type(py).name().map(|name| name.to_string()).unwrap_or_default();
    let text = if said.is_empty() { name } else { said };
    Error::new(ErrorKind::TypeMismatch, text).with_host(Arc::new(Remark(raised)))
}

/// The exception for an error: the one that a host function raised, if that is the cause, as the
/// same object.
pub(crate) fn to_python(py: Python<'_>, error: &Error) -> PyErr {
    if let Some(raised) = error.host().and_then(|host| host.downcast_ref::<PyErr>()) {
        return raised.clone_ref(py);
    }
    make(py, error).unwrap_or_else(|failed| failed)
}

fn make(py: Python<'_>, error: &Error) -> PyResult<PyErr> {
    static CLASSES: PyOnceLock<(Py<PyDict>, Py<PyAny>)> = PyOnceLock::new();
    let (classes, frame) = CLASSES.get_or_try_init(py, || {
        let module = py.import("undergo._errors")?;
        let by_kind: Bound<'_, PyDict> = module.getattr("BY_KIND")?.cast_into()?;
        PyResult::Ok((by_kind.unbind(), module.getattr("Frame")?.unbind()))
    })?;
    let frames = error.frames().iter().map(|f| frame.bind(py).call1((&f.function, &f.file, f.line))).collect::<PyResult<Vec<_>>>()?;
    let details = PyDict::new(py);
    details.set_item("message", error.message())?;
    details.set_item("path", error.path())?;
    details.set_item("frames", PyTuple::new(py, frames)?)?;
    details.set_item("origin", error.frames().iter().position(|frame| !frame.is_runtime()))?;
    details.set_item("exit_code", error.exit_code())?;
    details.set_item("stderr", error.stderr())?;
    details.set_item("denied", error.denied())?;
    let class = classes.bind(py).as_any().get_item(error.kind().as_str())?;
    let made = PyErr::from_value(class.call((error.to_string(),), Some(&details))?);
    if let Some(Remark(raised)) = error.host().and_then(|host| host.downcast_ref::<Remark>()) {
        made.set_cause(py, Some(raised.clone_ref(py)));
    }
    Ok(made)
}

/// An exception of a host function, on its way through the guest. An `Exception` becomes a Go error
/// where the import returns one; what asks the program to end (`KeyboardInterrupt`, `SystemExit`)
/// does not.
pub(crate) fn from_host(py: Python<'_>, raised: PyErr) -> Error {
    let value = raised.value(py);
    let text = value.str().map(|text| text.to_string()).unwrap_or_default();
    let name = value.get_type().name().map(|name| name.to_string()).unwrap_or_default();
    let text = match (text.is_empty(), raised.is_instance_of::<PyException>(py)) {
        (true, _) => name,
        (false, true) => text,
        (false, false) => format!("{name}: {text}"),
    };
    let kind = if raised.is_instance_of::<PyException>(py) { ErrorKind::HostError } else { ErrorKind::Cancelled };
    Error::new(kind, text).with_host(Arc::new(raised))
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
