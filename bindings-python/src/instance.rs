//! A running copy of a plugin, as a Python object whose methods are the exports.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use undergo::host::Blob;
use undergo::{Error, ErrorKind};

use crate::cancel::CancelToken;
use crate::exports::{Exports, View};
use crate::function::{Access, Function, Target};
use crate::handle::Lent;
use crate::parts::{Origin, Owned};
use crate::{config, errors, records};

/// A running copy of a plugin, whose exports are its methods.
///
/// `exports` holds all of them, including those whose names are taken by a method of this
/// class.
///
/// Threads may share an instance; one call runs at a time. When a call ends in any other way
/// than by a return or a returned Go error, the instance is dead, and each later call raises
/// `DeadInstanceError`.
#[pyclass(frozen, dict, weakref, module = "undergo")]
pub(crate) struct Instance {
    core: undergo::Instance,
    /// Says when it is a pool's again.
    lent: Option<Arc<Lent<undergo::Instance>>>,
    owned: Owned,
}

impl Instance {
    pub(crate) fn make<'py>(py: Python<'py>, origin: Origin, core: undergo::Instance) -> PyResult<Bound<'py, Instance>> {
        Self::of(py, origin, core.clone(), Target::Instance(core), None)
    }

    /// The same for an instance that a pool lends.
    pub(crate) fn lent<'py>(py: Python<'py>, origin: Origin, lent: &Arc<Lent<undergo::Instance>>) -> PyResult<Bound<'py, Instance>> {
        Self::of(py, origin, lent.instance.clone(), Target::Lent(lent.clone()), Some(lent.clone()))
    }

    fn of<'py>(
        py: Python<'py>,
        origin: Origin,
        core: undergo::Instance,
        target: Target,
        lent: Option<Arc<Lent<undergo::Instance>>>,
    ) -> PyResult<Bound<'py, Instance>> {
        let access = Access::make(py, target, &origin.host)?;
        let plugin = core.plugin().clone();
        origin.make(py, plugin.name(), |shape| Function::new(&access, shape), |owned| Instance { core, lent, owned })
    }

    /// The instance, unless it is a pool's.
    pub(crate) fn lasting(&self) -> Option<&undergo::Instance> {
        self.lent.is_none().then_some(&self.core)
    }

    /// The instance, unless it was returned to its pool.
    fn own(&self, py: Python<'_>) -> PyResult<&undergo::Instance> {
        self.lent.as_ref().map_or(Ok(&self.core), |lent| lent.check()).map_err(|error| errors::to_python(py, &error))
    }
}

#[pymethods]
impl Instance {
    /// All exports, as attributes and by `[]`.
    #[getter]
    fn exports(&self, py: Python<'_>) -> Py<Exports> {
        self.owned.exports().clone_ref(py)
    }

    /// The plugin of this instance.
    #[getter]
    fn plugin(&self, py: Python<'_>) -> Py<PyAny> {
        self.owned.plugin(py)
    }

    /// Whether the instance answers calls.
    #[getter]
    fn alive(&self) -> bool {
        self.lent.as_ref().is_none_or(|lent| lent.check().is_ok()) && self.core.dead().is_none()
    }

    /// The guest's memory, for modules that pass pointers and lengths themselves.
    #[getter]
    fn memory(&self, py: Python<'_>) -> PyResult<Memory> {
        Ok(Memory { core: self.own(py)?.clone() })
    }

    /// What the last call used, or the initialisation before the first call.
    ///
    /// Can be read during a call and after the instance has ended.
    #[getter]
    fn usage<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        records::usage(py, self.core.usage())
    }

    /// Give other options to calls: `instance.using(timeout=0.1).greet(...)`.
    ///
    /// Args:
    ///     timeout: seconds that a call may take, including the wait for the instance; None: the
    ///         limit of the instance.
    ///     cancel: a token that can end the calls earlier, from any thread.
    #[pyo3(signature = (*, timeout = None, cancel = None))]
    fn using<'py>(
        &self,
        py: Python<'py>,
        timeout: Option<Bound<'py, PyAny>>,
        cancel: Option<&Bound<'py, CancelToken>>,
    ) -> PyResult<Bound<'py, View>> {
        View::make(self.owned.exports().bind(py), config::call_options(py, timeout, cancel)?)
    }

    /// Make the guest anew; a dead instance lives again.
    ///
    /// Memory, goroutines and globals are as after the first initialisation. Waits for a call that
    /// is running. Nothing is compiled. Host functions, sandbox and limits stay, and so does
    /// captured output that nobody has taken.
    ///
    /// Args:
    ///     timeout: seconds for the wait and the initialisation; None: the limit of the instance.
    ///
    /// Raises:
    ///     BusyError: if called from within a host function that this instance has called.
    ///     Error: whatever ended the initialisation, and the instance with it.
    #[pyo3(signature = (*, timeout = None))]
    fn reset(&self, py: Python<'_>, timeout: Option<Bound<'_, PyAny>>) -> PyResult<()> {
        let options = config::call_options(py, timeout, None)?;
        let core = self.own(py)?;
        py.detach(|| core.reset(&options)).map_err(|error| errors::to_python(py, &error))
    }

    /// Let the guest's background goroutines run, which otherwise run only during calls.
    ///
    /// Args:
    ///     timeout: seconds that they may take.
    #[pyo3(signature = (*, timeout = None))]
    fn poll(&self, py: Python<'_>, timeout: Option<Bound<'_, PyAny>>) -> PyResult<()> {
        let options = config::call_options(py, timeout, None)?;
        let core = self.own(py)?;
        py.detach(|| core.poll(&options)).map_err(|error| errors::to_python(py, &error))
    }

    /// Take what the guest has written to its captured standard output.
    fn take_stdout<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.core.take_stdout())
    }

    /// Take what the guest has written to its captured standard error.
    fn take_stderr<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.core.take_stderr())
    }

    /// What the sandbox has denied this instance of the network so far.
    ///
    /// Each denial is listed once, with the rule that would allow it; there are at most 64.
    #[getter]
    fn denied(&self) -> Vec<String> {
        self.core.denied()
    }

    fn __getattr__(&self, py: Python<'_>, name: &str) -> PyResult<Py<PyAny>> {
        Err(self.owned.exports().get().unknown(py, name))
    }

    fn __repr__(&self) -> String {
        let state = self.core.dead().map_or_else(String::new, |dead| format!(", ended: {}", dead.message()));
        format!("<undergo.Instance of {}{state}>", self.core.plugin().name())
    }

    fn __traverse__(&self, visit: pyo3::PyVisit<'_>) -> Result<(), pyo3::PyTraverseError> {
        self.owned.visit(&visit)
    }
}

/// A guest's memory. Addresses are the guest's, and every access is checked.
#[pyclass(frozen, module = "undergo")]
pub(crate) struct Memory {
    core: undergo::Instance,
}

#[pymethods]
impl Memory {
    /// Copy `length` bytes, starting at `address`.
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
        let Some(buffer) = crate::buffer::Buffer::of(data, undergo::interface::Scalar::U8)? else {
            let text = format!("expected bytes, got {}", data.get_type().name()?);
            return Err(fail(Error::new(ErrorKind::TypeMismatch, text)));
        };
        let copy = Blob::Guarded(Box::new(buffer)).to_vec();
        py.detach(|| self.core.write_memory(address, &copy)).map_err(fail)
    }

    /// The memory's size in bytes, which never shrinks.
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
