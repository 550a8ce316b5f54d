//! Python objects as JSON.

use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};
use undergo::host::{JsonWriter, Reject};

/// How deep lists and dicts may be nested: as deep as Python's own `json` goes.
const MAX_DEPTH: usize = 1000;

/// Bytes of stack for a level, when it is written here, or read by Python's own `json`. Code that
/// is not optimised needs more.
pub(crate) const LEVEL: usize = if cfg!(debug_assertions) { 6 << 10 } else { 1 << 10 };

/// The object as a JSON text.
///
/// `json.dumps` would make strings of a dict's other keys, and is slower.
///
/// # Errors
///
/// What JSON can't hold, with the way to it.
pub(crate) fn dump(value: &Bound<'_, PyAny>) -> Result<String, Reject> {
    JsonWriter::text(MAX_DEPTH, LEVEL, |writer| write(value, writer))
}

fn write(value: &Bound<'_, PyAny>, writer: &mut JsonWriter) -> Result<(), Reject> {
    if value.is_none() {
        writer.null();
    } else if let Ok(value) = value.cast::<PyBool>() {
        writer.bool(value.is_true());
    } else if let Ok(text) = value.cast::<PyString>() {
        writer.string(str_of(text)?);
    } else if value.cast::<PyInt>().is_ok() {
        write_int(value, writer)?;
    } else if let Ok(float) = value.cast::<PyFloat>() {
        writer.float(float.value())?;
    } else if let Ok(dict) = value.cast::<PyDict>() {
        write_dict(dict, writer)?;
    } else if let Ok(list) = value.cast::<PyList>() {
        write_items(list.iter(), writer)?;
    } else if let Ok(tuple) = value.cast::<PyTuple>() {
        write_items(tuple.iter(), writer)?;
    } else {
        return Err(Reject::no_json(&type_name(value), "None, a bool, an int, a float, a str, a list or a dict"));
    }
    Ok(())
}

fn write_dict(dict: &Bound<'_, PyDict>, writer: &mut JsonWriter) -> Result<(), Reject> {
    writer.object()?;
    // A copy of its items: what is asked of them may run code that changes the dict.
    for item in dict.items() {
        writer.item();
        let (key, value) = item.extract::<(Bound<'_, PyAny>, Bound<'_, PyAny>)>().map_err(|error| raised(&item, &error))?;
        let name = key.cast::<PyString>().map_err(|_| Reject::no_json_name(&type_name(&key)))?;
        writer.name(str_of(name)?);
        write(&value, writer)?;
    }
    writer.end();
    Ok(())
}

fn write_items<'py>(items: impl Iterator<Item = Bound<'py, PyAny>>, writer: &mut JsonWriter) -> Result<(), Reject> {
    writer.list()?;
    for item in items {
        writer.item();
        write(&item, writer)?;
    }
    writer.end();
    Ok(())
}

fn write_int(value: &Bound<'_, PyAny>, writer: &mut JsonWriter) -> Result<(), Reject> {
    if let Ok(small) = value.extract::<i64>() {
        writer.integer(small);
        return Ok(());
    }
    // That of int itself: an enum's shows its name.
    let digits = value.py().get_type::<PyInt>().call_method1("__repr__", (value,));
    writer.raw(&digits.map_err(|error| raised(value, &error))?.to_string());
    Ok(())
}

fn str_of<'t>(text: &'t Bound<'_, PyString>) -> Result<&'t str, Reject> {
    text.to_str().map_err(|_| Reject::lone_surrogate())
}

fn type_name(value: &Bound<'_, PyAny>) -> String {
    value.get_type().name().map_or_else(|_| "object".to_owned(), |name| name.to_string())
}

fn raised(value: &Bound<'_, PyAny>, error: &PyErr) -> Reject {
    Reject::Value(error.value(value.py()).to_string())
}
