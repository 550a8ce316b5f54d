//! The core's errors as exceptions, and the exceptions of host functions as errors that Go gets.

use std::sync::Arc;

use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use undergo::interface::{RecordType, TypeKind, VariantType};
use undergo::{ChainedError, Error, ErrorFields, ErrorKind};

use crate::cached::Cached;
use crate::lift::ToPython;
use crate::lower::Object;
use crate::raised::{self, Remark};
use crate::types::RecordClass;

/// The most exceptions of a chain that Go gets; what they raise from is left out.
const LONGEST: usize = 64;

/// The exception for an error: the one that a host function raised, if that is the cause, as the
/// same object.
pub(crate) fn to_python(py: Python<'_>, error: &Error) -> PyErr {
    if let Some(raised) = error.host().and_then(|host| host.downcast_ref::<PyErr>()) {
        return raised.clone_ref(py);
    }
    make(py, error).unwrap_or_else(|failed| failed)
}

fn make(py: Python<'_>, error: &Error) -> PyResult<PyErr> {
    static FRAME: Cached = Cached::new();
    let frame = FRAME.get_or_import(py, "undergo._errors", "Frame")?;
    let frames = error.frames().iter().map(|f| frame.call1((&f.function, &f.file, f.line))).collect::<PyResult<Vec<_>>>()?;
    let details = PyDict::new(py);
    details.set_item("message", error.message())?;
    details.set_item("path", error.path())?;
    details.set_item("frames", PyTuple::new(py, frames)?)?;
    details.set_item("origin", error.frames().iter().position(|frame| !frame.is_runtime()))?;
    details.set_item("exit_code", error.exit_code())?;
    details.set_item("stderr", error.stderr())?;
    details.set_item("denied", error.denied())?;
    let text = error.to_string();
    if error.kind() == ErrorKind::GuestError
        && let Some((outermost, wrapped)) = error.chain().split_first()
    {
        let made = link(py, outermost, &text, &details)?;
        set_causes(py, &made, wrapped)?;
        return Ok(made);
    }
    let made = PyErr::from_value(class(py, error.kind())?.call((text,), Some(&details))?);
    if let Some(Remark(raised)) = error.host().and_then(|host| host.downcast_ref::<Remark>()) {
        made.set_cause(py, Some(raised.clone_ref(py)));
    }
    Ok(made)
}

/// The class of a kind of error.
fn class(py: Python<'_>, kind: ErrorKind) -> PyResult<Bound<'_, PyAny>> {
    static CLASSES: Cached = Cached::new();
    CLASSES.get_or_import(py, "undergo._errors", "BY_KIND")?.get_item(kind.as_str())
}

/// Each exception is the cause of the one before it.
fn set_causes(py: Python<'_>, outermost: &PyErr, wrapped: &[ChainedError]) -> PyResult<()> {
    let mut last = outermost.clone_ref(py);
    for error in wrapped {
        let details = PyDict::new(py);
        let made = link(py, error, error.text(), &details)?;
        last.set_cause(py, Some(made.clone_ref(py)));
        last = made;
    }
    Ok(())
}

/// The exception for one error of a chain, of the class that it is declared to have.
fn link<'py>(py: Python<'py>, error: &ChainedError, text: &str, details: &Bound<'py, PyDict>) -> PyResult<PyErr> {
    let plain = || class(py, ErrorKind::GuestError)?.call((text,), Some(details));
    let made = match error.fields().map(|fields| (fields, fields.lift(&ToPython::plain(py)))) {
        None => plain()?,
        Some((_, Ok(made))) => {
            // Its own constructor knows nothing of these.
            class(py, ErrorKind::GuestError)?.getattr("_told")?.call((&made, text), Some(details))?;
            made
        }
        Some((fields, Err(error))) => {
            if let Some(raised) = error.host().and_then(|host| host.downcast_ref::<PyErr>()) {
                return Err(raised.clone_ref(py));
            }
            // What the guest gave is still its error, if not with what Python has no value for.
            let made = plain()?;
            let note = format!("It is {}, whose fields can't be given: {error}", fields.record().name);
            // Without notes, before Python 3.11, the exception is as good.
            drop(made.call_method1("add_note", (note,)));
            made
        }
    };
    Ok(PyErr::from_value(made))
}

/// What Go gets of an exception that a host function raised. If it returns errors of the sorts
/// `errors`, those are found in the exception and in what it was raised from.
pub(crate) fn from_function(py: Python<'_>, raised: PyErr, errors: Option<&VariantType>) -> Error {
    let error = raised::from_host(py, raised.clone_ref(py));
    match errors {
        Some(errors) if raised.is_instance_of::<PyException>(py) => match chain(py, raised, errors) {
            Ok(chain) => error.with_chain(chain),
            Err(misfit) => misfit,
        },
        _ => error,
    }
}

fn chain(py: Python<'_>, raised: PyErr, errors: &VariantType) -> undergo::Result<Vec<ChainedError>> {
    let mut chain = Vec::new();
    let mut seen = Vec::new();
    let mut next = Some(raised);
    while let Some(raised) = next {
        // A cause may be a circle, which Python prints once.
        if chain.len() == LONGEST || seen.iter().any(|seen| raised.value(py).is(seen)) {
            break;
        }
        let fields = fields(py, &raised, errors)?;
        chain.push(ChainedError::new(raised::text(py, &raised), fields));
        seen.push(raised.value(py).clone());
        next = raised.cause(py);
    }
    Ok(chain)
}

/// The fields of an exception, if the plugin declares its class.
fn fields(py: Python<'_>, raised: &PyErr, errors: &VariantType) -> undergo::Result<Option<ErrorFields>> {
    let Some(record) = raised.get_type(py).mro().iter().find_map(|class| declared(errors, &class)) else { return Ok(None) };
    ErrorFields::lower(record, &Object::plain(raised.value(py).clone().into_any())).map(Some).map_err(|misfit| {
        let is_bare = misfit.host().is_none();
        if is_bare { misfit.with_host(Arc::new(Remark(raised.clone_ref(py)))) } else { misfit }
    })
}

/// The record of the error that has this very class.
fn declared<'t>(errors: &'t VariantType, class: &Bound<'_, PyAny>) -> Option<&'t Arc<RecordType>> {
    errors.cases.iter().find_map(|case| {
        let TypeKind::Tuple(pair) = &case.ty.as_ref()?.kind else { return None };
        let TypeKind::Record(record) = &pair.items[1].kind else { return None };
        record.extension.get::<RecordClass>()?.is_class(class).then_some(record)
    })
}
