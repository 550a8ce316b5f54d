//! The functions that a Python program gives to a plugin.

use std::sync::Arc;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyMapping, PyTuple, PyWeakrefMethods, PyWeakrefReference};
use undergo::{Error, ErrorKind, HostCall, HostFunction, Imports, Plugin, names};

use crate::coroutine;
use crate::errors;
use crate::lift::ToPython;
use crate::lower::Object;
use crate::types::python_name;

/// Owns an instance's host functions, for the garbage collector to see: a function that refers to the instance makes a cycle. The core's
/// instance knows the table weakly; whoever can call the instance holds it.
#[pyclass(frozen, weakref, module = "undergo")]
pub(crate) struct HostTable(Vec<Py<PyAny>>);

#[pymethods]
impl HostTable {
    fn __traverse__(&self, visit: pyo3::PyVisit<'_>) -> Result<(), pyo3::PyTraverseError> {
        self.0.iter().try_for_each(|function| visit.call(function))
    }
}

/// Finds the functions that the plugin imports among those given: `{interface: {name: callable}}`, or an object with the methods in place of the
/// inner dict. What the plugin does not import is left alone; what is missing is the core's to say.
pub(crate) fn collect(py: Python<'_>, plugin: &Plugin, given: Option<&Bound<'_, PyAny>>) -> PyResult<(Imports, Py<HostTable>)> {
    let mut functions = Vec::new();
    let mut places = Vec::new();
    if let Some(given) = given {
        for (interface, function) in plugin.imports() {
            let Some(group) = member(given, interface)? else { continue };
            let Some(found) = member(&group, &function.name)? else { continue };
            if !found.is_callable() {
                let text = format!("imports[{interface:?}][{:?}] is not callable: {}", function.name, found.get_type().name()?);
                return Err(PyTypeError::new_err(text));
            }
            places.push((interface.to_owned(), function.name.clone()));
            functions.push(found.unbind());
        }
    }
    let table = Bound::new(py, HostTable(functions))?;
    let weak = PyWeakrefReference::new(&table)?.unbind();
    let mut imports = Imports::default();
    for (number, (interface, name)) in places.into_iter().enumerate() {
        imports.set(interface, name, Arc::new(Callable { table: weak.clone_ref(py), number }));
    }
    Ok((imports, table.unbind()))
}

/// An item of a mapping, or an attribute of an object, by its WIT name or its name in Python.
fn member<'py>(container: &Bound<'py, PyAny>, name: &str) -> PyResult<Option<Bound<'py, PyAny>>> {
    let spellings = [name.to_owned(), python_name(name), names::snake(name)];
    if let Ok(mapping) = container.cast::<PyMapping>() {
        for spelling in &spellings {
            if mapping.contains(spelling)? {
                return mapping.get_item(spelling).map(Some);
            }
        }
        return Ok(None);
    }
    for spelling in &spellings {
        if let Some(found) = container.getattr_opt(spelling.as_str())? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

struct Callable {
    table: Py<PyWeakrefReference>,
    number: usize,
}

impl HostFunction for Callable {
    fn call(&self, call: &mut HostCall<'_>) -> undergo::Result<()> {
        Python::attach(|py| {
            let table = self.table.bind(py).upgrade_as::<HostTable>().ok().flatten();
            let Some(table) = table else {
                return Err(Error::new(ErrorKind::HostError, "the host function is gone with the instance that it was given to"));
            };
            let function = table.get().0[self.number].bind(py).clone();
            let args = PyTuple::new(py, call.args(&ToPython(py))?).map_err(|raised| errors::from_host(py, raised))?;
            let result = if call.is_async() { coroutine::call_host(call, &function, args) } else { call.outside(|| function.call1(args)) };
            let result = result.map_err(|raised| noted(py, raised, call))?;
            match coroutine::defer(call, &result) {
                Some(deferred) => deferred,
                None => call.answer(&Object(result)),
            }
        })
    }
}

/// The exception with a note that says where it was raised (Python 3.11 and later have notes).
fn noted(py: Python<'_>, raised: PyErr, call: &HostCall<'_>) -> Error {
    let note = format!("raised in the host function {}, called by the plugin", python_name(&call.function().name));
    // Without notes the exception is as good, so a failure to add one is none.
    drop(raised.value(py).call_method1("add_note", (note,)));
    errors::from_host(py, raised)
}

/// What `Plugin.imports` shows: the signatures of the functions that must be given.
pub(crate) fn describe<'py>(py: Python<'py>, plugin: &Plugin) -> PyResult<Bound<'py, PyDict>> {
    let all = PyDict::new(py);
    for (interface, function) in plugin.imports() {
        let group = match all.get_item(interface)? {
            Some(group) => group.cast_into::<PyDict>()?,
            None => {
                let group = PyDict::new(py);
                all.set_item(interface, &group)?;
                group
            }
        };
        group.set_item(python_name(&function.name), crate::signature::text(function))?;
    }
    Ok(all)
}
