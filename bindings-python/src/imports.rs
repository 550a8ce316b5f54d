//! The host functions of a Python program.

use std::sync::{Arc, OnceLock};

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyMapping, PyTuple, PyWeakrefMethods, PyWeakrefReference};
use undergo::host::{HostCall, HostFunction};
use undergo::interface::names;
use undergo::{Error, ErrorKind, Imports, Output, Plugin};

use crate::coroutine;
use crate::errors;
use crate::greenlets;
use crate::lift::ToPython;
use crate::lower::Object;
use crate::names::python_name;
use crate::package;
use crate::raised;

/// Owns an instance's host functions, for the garbage collector to see: a function that refers to
/// the instance makes a cycle. The core's instance knows the table weakly; whoever can call the
/// instance holds it.
#[pyclass(frozen, weakref, module = "undergo")]
pub(crate) struct HostTable(OnceLock<Vec<Py<PyAny>>>);

#[pymethods]
impl HostTable {
    fn __traverse__(&self, visit: pyo3::PyVisit<'_>) -> Result<(), pyo3::PyTraverseError> {
        self.0.get().into_iter().flatten().try_for_each(|function| visit.call(function))
    }
}

/// A table that is being filled.
pub(crate) struct Table<'py> {
    table: Bound<'py, HostTable>,
    weak: Bound<'py, PyWeakrefReference>,
    functions: Vec<Py<PyAny>>,
}

impl<'py> Table<'py> {
    pub(crate) fn new(py: Python<'py>) -> PyResult<Table<'py>> {
        let table = Bound::new(py, HostTable(OnceLock::new()))?;
        let weak = PyWeakrefReference::new(&table)?;
        Ok(Table { table, weak, functions: Vec::new() })
    }

    fn hold(&mut self, function: &Bound<'py, PyAny>) -> Callable {
        self.functions.push(function.clone().unbind());
        Callable { table: self.weak.clone().unbind(), number: self.functions.len() - 1 }
    }

    /// An output whose lines go to a function.
    pub(crate) fn lines(&mut self, stream: &'static str, function: &Bound<'py, PyAny>) -> Output {
        let callable = self.hold(function);
        Output::lines(move |line| {
            Python::attach(|py| {
                greenlets::note(py);
                let line = PyTuple::new(py, [String::from_utf8_lossy(line)]).map_err(|raised| raised::from_host(py, raised))?;
                greenlets::call(&callable.function(py)?, line).map(drop).map_err(|raised| {
                    note(py, &raised, &format!("raised in Sandbox.{stream}, for a line of the plugin's output"));
                    raised::from_host(py, raised)
                })
            })
        })
    }

    /// Finds the functions that the plugin imports among those given:
    /// `{interface: {name: callable}}`, or an object with the methods in place of the inner dict.
    /// What the plugin does not import is left alone; what is missing is the core's to say.
    pub(crate) fn imports(&mut self, plugin: &Plugin, given: Option<&Bound<'py, PyAny>>) -> PyResult<Imports> {
        let mut imports = Imports::default();
        let Some(given) = given else { return Ok(imports) };
        for (interface, function) in plugin.imports() {
            let Some(group) = member(given, interface)? else { continue };
            let Some(found) = member(&group, &function.name)? else { continue };
            if !found.is_callable() {
                let text = format!("imports[{interface:?}][{:?}] is not callable: {}", function.name, found.get_type().name()?);
                return Err(PyTypeError::new_err(text));
            }
            imports.set(interface, function.name.clone(), Arc::new(self.hold(&found)));
        }
        Ok(imports)
    }

    /// The table with all that it holds.
    pub(crate) fn finish(self) -> Py<HostTable> {
        // Set here alone, and the table ends with it.
        self.table.get().0.get_or_init(|| self.functions);
        self.table.unbind()
    }
}

/// An item of a mapping, or a public attribute of an object, by its WIT name or its name in Python.
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
    // A plugin names what it imports, and whoever gives an object means its public methods.
    let public = package::types(container.py(), "public_attribute")?;
    for spelling in &spellings {
        let found = public.call1((container, spelling.as_str()))?;
        if !found.is_none() {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

struct Callable {
    table: Py<PyWeakrefReference>,
    number: usize,
}

impl Callable {
    fn function<'py>(&self, py: Python<'py>) -> undergo::Result<Bound<'py, PyAny>> {
        let table = self.table.bind(py).upgrade_as::<HostTable>().ok().flatten();
        let function = table.and_then(|table| Some(table.get().0.get()?.get(self.number)?.bind(py).clone()));
        function.ok_or_else(|| Error::new(ErrorKind::HostError, "the host function is gone with the instance that it was given to"))
    }
}

impl HostFunction for Callable {
    fn call(&self, call: &mut HostCall<'_>) -> undergo::Result<()> {
        Python::attach(|py| {
            greenlets::note(py);
            let function = self.function(py)?;
            let args = PyTuple::new(py, call.args(&ToPython(py))?).map_err(|raised| raised::from_host(py, raised))?;
            let result = if call.is_async() {
                coroutine::call_host(call, &function, args)
            } else {
                call.outside(|| greenlets::call(&function, args))
            };
            let result = result.map_err(|raised| {
                let function = call.function();
                note(py, &raised, &format!("raised in the host function {}, called by the plugin", python_name(&function.name)));
                errors::from_function(py, raised, function.errors.as_deref())
            })?;
            match coroutine::defer(call, &result) {
                Some(deferred) => deferred,
                None => call.answer(&Object(result)),
            }
        })
    }
}

/// Notes in an exception where it was raised (Python 3.11 and later have notes).
fn note(py: Python<'_>, raised: &PyErr, note: &str) {
    // Without notes the exception is as good, so a failure to add one is none.
    drop(raised.value(py).call_method1("add_note", (note,)));
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
