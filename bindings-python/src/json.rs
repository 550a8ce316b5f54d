//! Python objects as JSON.

use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};
use undergo::host::{Reject, nesting_room};

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
    let mut text = String::new();
    match write(value, &mut text, nesting_room(MAX_DEPTH, LEVEL)) {
        Ok(()) => Ok(text),
        Err(Misfit { path, why }) if path.is_empty() => Err(Reject::Value(why)),
        Err(Misfit { mut path, why }) => {
            path.reverse();
            Err(Reject::Within(path.concat(), why))
        }
    }
}

struct Misfit {
    /// Innermost step first.
    path: Vec<String>,
    why: String,
}

fn misfit(why: impl Into<String>) -> Misfit {
    Misfit { path: Vec::new(), why: why.into() }
}

fn raised(value: &Bound<'_, PyAny>, error: &PyErr) -> Misfit {
    misfit(error.value(value.py()).to_string())
}

fn write(value: &Bound<'_, PyAny>, out: &mut String, depth: usize) -> Result<(), Misfit> {
    if value.is_none() {
        out.push_str("null");
    } else if let Ok(value) = value.cast::<PyBool>() {
        out.push_str(if value.is_true() { "true" } else { "false" });
    } else if let Ok(text) = value.cast::<PyString>() {
        write_str(text, out)?;
    } else if value.cast::<PyInt>().is_ok() {
        write_int(value, out)?;
    } else if let Ok(float) = value.cast::<PyFloat>() {
        let float = float.value();
        if !float.is_finite() {
            return Err(misfit(format!("JSON has no {}", if float.is_nan() { "NaN" } else { "infinity" })));
        }
        // The least digits that give the same float again.
        out.push_str(&format!("{float:?}"));
    } else if let Some(deeper) = depth.checked_sub(1) {
        return write_container(value, out, deeper);
    } else {
        return Err(misfit(format!(
            "it is nested more than {MAX_DEPTH} deep, or deeper than the thread's stack has room for, or contains itself"
        )));
    }
    Ok(())
}

fn write_container(value: &Bound<'_, PyAny>, out: &mut String, depth: usize) -> Result<(), Misfit> {
    if let Ok(dict) = value.cast::<PyDict>() {
        // A copy of its items: what is asked of them may run code that changes the dict.
        let items = dict.items();
        out.push('{');
        for (i, item) in items.iter().enumerate() {
            let (key, value) = item.extract::<(Bound<'_, PyAny>, Bound<'_, PyAny>)>().map_err(|error| raised(&item, &error))?;
            if i > 0 {
                out.push(',');
            }
            let Ok(name) = key.cast::<PyString>() else {
                let ty = key.get_type().name().map_or_else(|_| "object".to_owned(), |name| name.to_string());
                return Err(misfit(format!("the keys of an object in JSON are strings, and one is {ty}")));
            };
            write_str(name, out)?;
            out.push(':');
            write(&value, out, depth).map_err(|misfit| in_member(misfit, &name.to_string_lossy()))?;
        }
        out.push('}');
        return Ok(());
    }
    let mut items = |items: &mut dyn Iterator<Item = Bound<'_, PyAny>>| {
        out.push('[');
        for (i, item) in items.enumerate() {
            if i > 0 {
                out.push(',');
            }
            write(&item, out, depth).map_err(|mut misfit| {
                misfit.path.push(format!("[{i}]"));
                misfit
            })?;
        }
        out.push(']');
        Ok(())
    };
    if let Ok(list) = value.cast::<PyList>() {
        items(&mut list.iter())
    } else if let Ok(tuple) = value.cast::<PyTuple>() {
        items(&mut tuple.iter())
    } else {
        let ty = value.get_type().name().map_or_else(|_| "object".to_owned(), |name| name.to_string());
        Err(misfit(format!("JSON has no {ty}: give None, a bool, an int, a float, a str, a list or a dict")))
    }
}

fn in_member(mut misfit: Misfit, name: &str) -> Misfit {
    let is_plain = name.chars().all(|c| c == '_' || c.is_ascii_alphanumeric()) && !name.starts_with(|c: char| c.is_ascii_digit());
    misfit.path.push(if is_plain && !name.is_empty() { format!(".{name}") } else { format!("[{name:?}]") });
    misfit
}

fn write_int(value: &Bound<'_, PyAny>, out: &mut String) -> Result<(), Misfit> {
    if let Ok(small) = value.extract::<i64>() {
        out.push_str(&small.to_string());
        return Ok(());
    }
    // That of int itself: an enum's shows its name.
    let digits = value.py().get_type::<PyInt>().call_method1("__repr__", (value,));
    out.push_str(&digits.map_err(|error| raised(value, &error))?.to_string());
    Ok(())
}

fn write_str(value: &Bound<'_, PyString>, out: &mut String) -> Result<(), Misfit> {
    let text = value.to_str().map_err(|_| misfit("the string has half of a surrogate pair in it, which UTF-8 can't hold"))?;
    out.push('"');
    let mut rest = text;
    while let Some(at) = rest.find(|c| matches!(c, '"' | '\\' | '\0'..='\x1f')) {
        out.push_str(&rest[..at]);
        match rest.as_bytes()[at] {
            byte @ (b'"' | b'\\') => out.extend(['\\', char::from(byte)]),
            byte => out.push_str(&format!("\\u{byte:04x}")),
        }
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
    out.push('"');
    Ok(())
}
