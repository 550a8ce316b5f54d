//! The host functions of a Python program.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyMapping, PyTuple, PyWeakrefMethods, PyWeakrefReference};
use undergo::host::{HostCall, HostFunction, Lower, Reject};
use undergo::interface::{ResourceType, Shape, names};
use undergo::{Error, ErrorKind, HostObject, Imports, Output, Plugin};

use crate::coroutine;
use crate::errors;
use crate::greenlets;
use crate::lift::{Own, ToPython};
use crate::lower::{Keeper, Lowered, Object};
use crate::names::python_name;
use crate::package;
use crate::raised;

/// Owns what an instance has of the host's Python, its host functions and the objects that calls
/// pass, for the garbage collector to see: a function that refers to the instance makes a cycle.
/// The core's instance knows the table weakly; whoever can call the instance holds it.
#[pyclass(frozen, weakref, module = "undergo")]
pub(crate) struct HostTable(Mutex<Places>);

/// What a table owns, by number.
#[derive(Default)]
struct Places {
    all: Vec<Option<Py<PyAny>>>,
    free: Vec<usize>,
}

impl HostTable {
    /// No code of Python's runs while it is locked, so nobody waits.
    fn places(&self) -> MutexGuard<'_, Places> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, function: Py<PyAny>) -> usize {
        let mut places = self.places();
        match places.free.pop() {
            Some(place) => {
                places.all[place] = Some(function);
                place
            }
            None => {
                places.all.push(Some(function));
                places.all.len() - 1
            }
        }
    }

    fn get<'py>(&self, py: Python<'py>, place: usize) -> Option<Bound<'py, PyAny>> {
        self.places().all.get(place)?.as_ref().map(|function| function.bind(py).clone())
    }

    fn remove(&self, place: usize) -> Option<Py<PyAny>> {
        let mut places = self.places();
        places.free.push(place);
        places.all[place].take()
    }
}

#[pymethods]
impl HostTable {
    fn __traverse__(&self, visit: pyo3::PyVisit<'_>) -> Result<(), pyo3::PyTraverseError> {
        self.places().all.iter().flatten().try_for_each(|function| visit.call(function))
    }
}

/// A table of an instance or pool that is being made.
pub(crate) struct Table<'py> {
    table: Bound<'py, HostTable>,
    weak: WeakTable,
}

impl<'py> Table<'py> {
    pub(crate) fn new(py: Python<'py>) -> PyResult<Table<'py>> {
        let table = Bound::new(py, HostTable(Mutex::default()))?;
        let weak = WeakTable::of(&table)?;
        Ok(Table { table, weak })
    }

    fn hold(&self, function: &Bound<'py, PyAny>) -> Callable {
        Callable { table: self.weak.clone(), place: self.table.get().add(function.clone().unbind()) }
    }

    /// An output whose lines go to a function.
    pub(crate) fn lines(&self, stream: &'static str, function: &Bound<'py, PyAny>) -> Output {
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

    /// Finds the functions that the plugin imports among those given: `{interface: {name:
    /// callable}}`, or an object with the methods in place of the inner dict, or what `link` links:
    /// it is held, and what holds its host functions with it. What the plugin does not import is
    /// left alone; what is missing is the core's to say.
    pub(crate) fn imports(
        &self,
        plugin: &Plugin,
        given: Option<&Bound<'py, PyAny>>,
        link: impl Fn(&mut Imports, &str, &Bound<'py, PyAny>) -> PyResult<bool>,
    ) -> PyResult<Imports> {
        let mut imports = Imports::default();
        let mut linked = Vec::new();
        let Some(given) = given else { return Ok(imports) };
        for (interface, function) in plugin.imports() {
            if linked.contains(&interface) {
                continue;
            }
            let Some(group) = member(given, interface)? else { continue };
            if link(&mut imports, interface, &group)? {
                self.table.get().add(group.unbind());
                linked.push(interface);
                continue;
            }
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
        self.table.unbind()
    }
}

/// An item of a mapping, or a public attribute of an object, by its WIT name or its name in Python.
fn member<'py>(container: &Bound<'py, PyAny>, name: &str) -> PyResult<Option<Bound<'py, PyAny>>> {
    let spellings = [name.to_owned(), without_version(name).to_owned(), python_name(name), names::snake(name)];
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

/// The name of an interface for any version of it.
fn without_version(name: &str) -> &str {
    name.split_once('@').map_or(name, |(name, _)| name)
}

/// A table as the core knows it.
#[derive(Clone)]
struct WeakTable(Arc<Py<PyWeakrefReference>>);

impl WeakTable {
    fn of(table: &Bound<'_, HostTable>) -> PyResult<WeakTable> {
        Ok(WeakTable(Arc::new(PyWeakrefReference::new(table)?.unbind())))
    }

    fn upgrade<'py>(&self, py: Python<'py>) -> Option<Bound<'py, HostTable>> {
        self.0.bind(py).upgrade_as::<HostTable>().ok().flatten()
    }
}

/// A function in a table, which a guest calls.
struct Callable {
    table: WeakTable,
    place: usize,
}

impl Callable {
    fn function<'py>(&self, py: Python<'py>) -> undergo::Result<Bound<'py, PyAny>> {
        let function = self.table.upgrade(py).and_then(|table| table.get().get(py, self.place));
        function.ok_or_else(|| Error::new(ErrorKind::HostError, "the host function is gone with the instance that it was given to"))
    }
}

impl HostFunction for Callable {
    fn call(&self, call: &mut HostCall<'_>) -> undergo::Result<()> {
        Python::attach(|py| {
            greenlets::note(py);
            let function = self.function(py)?;
            let args = PyTuple::new(py, call.args(&ToPython::plain(py))?).map_err(|raised| raised::from_host(py, raised))?;
            let result = if call.is_async() {
                coroutine::call_host(call, &function, args)
            } else {
                call.outside(|| greenlets::call(&function, args))
            };
            let result = result.map_err(|raised| {
                let function = call.function();
                note(py, &raised, &format!("raised in {}, called by the plugin", described(function)));
                errors::from_function(py, raised, function.errors.as_deref())
            })?;
            match coroutine::defer(call, &result, &self.table) {
                Some(deferred) => deferred,
                None => call.answer(&Object::of(result, &self.table)),
            }
        })
    }
}

/// What a note in an exception calls a function of the host.
fn described(function: &undergo::interface::Function) -> String {
    match function.name.strip_suffix(".call") {
        Some(callback) if function.is_method => format!("the callback {}", python_name(callback)),
        _ if function.is_method => format!("the method {}", python_name(&function.name)),
        _ => format!("the host function {}", python_name(&function.name)),
    }
}

/// A function in a table, for as long as the guest has the object whose method it is.
struct Kept(Callable);

impl HostFunction for Kept {
    fn call(&self, call: &mut HostCall<'_>) -> undergo::Result<()> {
        self.0.call(call)
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        // Without an interpreter there is nothing to let go of. What is removed is dropped when the
        // table is not locked any more, and still here: it may have code of its own.
        Python::try_attach(|py| drop(self.0.table.upgrade(py).and_then(|table| table.get().remove(self.0.place))));
    }
}

impl Keeper for Py<HostTable> {
    fn object(&self, value: &Bound<'_, PyAny>, resource: &Arc<ResourceType>) -> Lowered<HostObject> {
        let table = self.bind(value.py());
        let weak = WeakTable::of(table).map_err(|raised| Reject::Error(raised::from_host(value.py(), raised)))?;
        let methods = methods(value, resource)?;
        let keep = |object: Bound<'_, PyAny>| Kept(Callable { table: weak.clone(), place: table.get().add(object.unbind()) });
        let object = HostObject::new(methods.into_iter().map(|method| Arc::new(keep(method)) as Arc<dyn HostFunction>));
        if resource.shape != Shape::Object {
            return Ok(object);
        }
        let own = keep(value.clone());
        Ok(object.standing_for(Own(Box::new(move |py| own.0.function(py).ok().map(Bound::unbind)))))
    }
}

impl Keeper for WeakTable {
    fn object(&self, value: &Bound<'_, PyAny>, resource: &Arc<ResourceType>) -> Lowered<HostObject> {
        match self.upgrade(value.py()) {
            Some(table) => table.unbind().object(value, resource),
            None => Err(Reject::Value("the instance that it is given to is gone".into())),
        }
    }
}

/// The methods of an object that is passed to a guest, in the order of the resource's.
fn methods<'py>(value: &Bound<'py, PyAny>, resource: &ResourceType) -> Lowered<Vec<Bound<'py, PyAny>>> {
    let py = value.py();
    let adapter = match resource.shape {
        Shape::Callback if value.is_callable() => return Ok(vec![value.clone()]),
        Shape::Callback => return Err(Reject::Value(format!("expected a callable, got {}", Object::plain(value.clone()).type_name()))),
        Shape::Object => None,
        Shape::Iterator => Some("Feed"),
        Shape::Reader => Some("Source"),
        Shape::Writer => Some("Sink"),
    };
    let refused = |raised: PyErr| Reject::Error(raised::refused(py, raised));
    let object = match adapter {
        Some(adapter) => package::handles(py, adapter).and_then(|class| class.call1((value,))).map_err(refused)?,
        None => value.clone(),
    };
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    for name in &resource.methods {
        match member(&object, name).map_err(refused)?.filter(|method| method.is_callable()) {
            Some(method) => found.push(method),
            None => missing.push(python_name(name)),
        }
    }
    if missing.is_empty() {
        return Ok(found);
    }
    let all = names::listed(resource.methods.iter().map(String::as_str));
    let text =
        format!("expected {}, an object with {all}, and {} lacks {}", resource.name, Object::plain(object).type_name(), missing.join(", "));
    Err(Reject::Value(text))
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
