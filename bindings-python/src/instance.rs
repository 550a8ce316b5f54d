//! A running copy of a plugin, as a Python object whose methods are the exports.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use undergo::{CallOptions, Error, ErrorKind};

use crate::config;
use crate::errors;
use crate::function::{self, Exports, Function};
use crate::imports::HostTable;
use crate::plugin::Plugin;

/// A running copy of a plugin. Its exports are its methods; `exports` holds all of them, also those whose names are taken by a method
/// of this class.
///
/// Threads may share an instance: one call runs at a time. After anything but a return or a returned Go error the instance has ended,
/// and each later call raises `DeadInstanceError`.
#[pyclass(frozen, dict, weakref, module = "undergo")]
pub(crate) struct Instance {
    core: undergo::Instance,
    owned: Owned<(Py<Plugin>, Py<Exports>, Py<HostTable>)>,
}

/// What an object with a `__dict__` owns for the garbage collector to see. Such an object is tracked before its contents are written: Python makes its dict
/// in between, and that may start a collection, whose traversal then meets zeroed memory. Zero is `None` here, and nothing to visit.
pub(crate) struct Owned<T>(pub(crate) Option<Box<T>>);

impl<T> Owned<T> {
    pub(crate) fn new(owned: T) -> Self {
        Owned(Some(Box::new(owned)))
    }

    pub(crate) fn get(&self) -> &T {
        // Set by `new`, and never taken.
        self.0.as_deref().unwrap_or_else(|| unreachable!("methods are called on complete objects only"))
    }
}

impl Instance {
    pub(crate) fn make<'py>(
        py: Python<'py>,
        plugin: &Bound<'py, Plugin>,
        core: undergo::Instance,
        host: Py<HostTable>,
    ) -> PyResult<Bound<'py, Instance>> {
        let functions = PyDict::new(py);
        for shape in plugin.get().shapes() {
            let options = CallOptions::default();
            let function = Function { instance: core.clone(), shape: shape.clone(), options, host: host.clone_ref(py) };
            functions.set_item(&shape.name, Py::new(py, function)?)?;
        }
        let exports = Py::new(py, Exports { functions: functions.clone().unbind(), plugin: core.plugin().name().to_owned() })?;
        let made = Bound::new(py, Instance { core, owned: Owned::new((plugin.clone().unbind(), exports, host)) })?;
        bind(made.as_any(), &functions)?;
        Ok(made)
    }
}

/// Makes the functions attributes of the object, but for those whose names its class has taken.
pub(crate) fn bind(object: &Bound<'_, PyAny>, functions: &Bound<'_, PyDict>) -> PyResult<()> {
    let class = object.get_type();
    let attributes = object.getattr("__dict__")?.cast_into::<PyDict>()?;
    for (name, function) in functions.iter() {
        if class.getattr_opt(name.cast::<pyo3::types::PyString>()?)?.is_none() {
            attributes.set_item(name, function)?;
        }
    }
    Ok(())
}

#[pymethods]
impl Instance {
    /// All exports, as attributes and by `[]`.
    #[getter]
    fn exports(&self, py: Python<'_>) -> Py<Exports> {
        self.owned.get().1.clone_ref(py)
    }

    /// The plugin that this is a copy of.
    #[getter]
    fn plugin(&self, py: Python<'_>) -> Py<Plugin> {
        self.owned.get().0.clone_ref(py)
    }

    /// Whether the instance answers calls.
    #[getter]
    fn alive(&self) -> bool {
        self.core.dead().is_none()
    }

    /// The guest's memory, for modules that pass pointers and lengths themselves.
    #[getter]
    fn memory(&self) -> Memory {
        Memory { core: self.core.clone() }
    }

    /// A view of the same instance with other options for its calls: `instance.using(timeout=0.1).greet(...)`.
    ///
    /// Args:
    ///     timeout: seconds that a call may take.
    #[pyo3(signature = (*, timeout = None))]
    fn using<'py>(&self, py: Python<'py>, timeout: Option<Bound<'py, PyAny>>) -> PyResult<Bound<'py, View>> {
        let options = config::call_options(py, timeout)?;
        let functions = PyDict::new(py);
        for (name, function) in self.owned.get().1.get().functions.bind(py).iter() {
            functions.set_item(name, function.cast::<Function>()?.get().with_options(py, options.clone()))?;
        }
        let plugin = self.core.plugin().name().to_owned();
        let exports = Py::new(py, Exports { functions: functions.clone().unbind(), plugin })?;
        let view = Bound::new(py, View { owned: Owned::new(exports) })?;
        bind(view.as_any(), &functions)?;
        Ok(view)
    }

    /// Give the guest's background goroutines a turn: they run only while a call does.
    ///
    /// Args:
    ///     timeout: seconds that they may take.
    #[pyo3(signature = (*, timeout = None))]
    fn poll(&self, py: Python<'_>, timeout: Option<Bound<'_, PyAny>>) -> PyResult<()> {
        let options = config::call_options(py, timeout)?;
        py.detach(|| self.core.poll(&options)).map_err(|error| errors::to_python(py, &error))
    }

    /// Take what the guest wrote to a captured standard output.
    fn take_stdout<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.core.take_stdout())
    }

    /// Take what the guest wrote to a captured standard error.
    fn take_stderr<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.core.take_stderr())
    }

    fn __getattr__(&self, py: Python<'_>, name: &str) -> PyResult<Py<PyAny>> {
        Err(function::unknown(py, self.core.plugin().name(), self.owned.get().1.get().functions.bind(py), name))
    }

    fn __repr__(&self) -> String {
        let state = self.core.dead().map_or_else(String::new, |dead| format!(", ended: {}", dead.message()));
        format!("<undergo.Instance of {}{state}>", self.core.plugin().name())
    }

    fn __traverse__(&self, visit: pyo3::PyVisit<'_>) -> Result<(), pyo3::PyTraverseError> {
        let Some(owned) = &self.owned.0 else { return Ok(()) };
        visit.call(&owned.0)?;
        visit.call(&owned.1)?;
        visit.call(&owned.2)
    }
}

/// A view of an instance whose calls have other options.
#[pyclass(frozen, dict, module = "undergo")]
pub(crate) struct View {
    pub(crate) owned: Owned<Py<Exports>>,
}

#[pymethods]
impl View {
    /// All exports, as attributes and by `[]`.
    #[getter]
    fn exports(&self, py: Python<'_>) -> Py<Exports> {
        self.owned.get().clone_ref(py)
    }

    fn __getattr__(&self, py: Python<'_>, name: &str) -> PyResult<Py<PyAny>> {
        let exports = self.owned.get().get();
        Err(function::unknown(py, &exports.plugin, exports.functions.bind(py), name))
    }

    fn __traverse__(&self, visit: pyo3::PyVisit<'_>) -> Result<(), pyo3::PyTraverseError> {
        self.owned.0.iter().try_for_each(|exports| visit.call(&**exports))
    }
}

/// A guest's memory. Addresses are the guest's, and every access is checked.
#[pyclass(frozen, module = "undergo")]
pub(crate) struct Memory {
    core: undergo::Instance,
}

#[pymethods]
impl Memory {
    /// Copy `length` bytes from `address` on.
    fn read<'py>(&self, py: Python<'py>, address: i64, length: i64) -> PyResult<Bound<'py, PyBytes>> {
        let fail = |error| errors::to_python(py, &error);
        let (address, length) = (word(address, "address").map_err(fail)?, word(length, "length").map_err(fail)?);
        let bytes = py.detach(|| self.core.read_memory(address, length)).map_err(fail)?;
        Ok(PyBytes::new(py, &bytes))
    }

    /// Copy bytes to `address`.
    fn write(&self, py: Python<'_>, address: i64, data: &Bound<'_, PyAny>) -> PyResult<()> {
        let fail = |error| errors::to_python(py, &error);
        let address = word(address, "address").map_err(fail)?;
        let Some(buffer) = crate::buffer::Buffer::of(data, undergo::Scalar::U8) else {
            let text = format!("expected bytes, got {}", data.get_type().name()?);
            return Err(fail(Error::new(ErrorKind::TypeMismatch, text)));
        };
        py.detach(|| self.core.write_memory(address, buffer.as_ref())).map_err(fail)
    }

    /// The memory's size in bytes, which only grows.
    #[getter]
    fn size(&self, py: Python<'_>) -> PyResult<u64> {
        py.detach(|| self.core.memory_size()).map_err(|error| errors::to_python(py, &error))
    }

    fn __len__(&self, py: Python<'_>) -> PyResult<usize> {
        Ok(usize::try_from(self.size(py)?)?)
    }
}

/// A number of 32 bits; a negative one is what a signed i32 export gave for an address above 2 GiB.
fn word(value: i64, name: &str) -> undergo::Result<u32> {
    let unsigned = if value < 0 && name == "address" { value + (1 << 32) } else { value };
    u32::try_from(unsigned).map_err(|_| Error::new(ErrorKind::TypeMismatch, format!("the {name} {value} is out of range")))
}
