//! The exports of an instance or a pool, together: as attributes, by name, with other options.

use std::sync::Arc;

use pyo3::PyClassInitializer;
use pyo3::exceptions::PyAttributeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};
use undergo::interface::names;
use undergo::{CallOptions, Error, ErrorKind};

use crate::async_function::AsyncFunction;
use crate::errors;
use crate::function::{Function, Shape};
use crate::names::python_name;

/// All exports of an instance or a pool: as attributes, by `[]`, and iterable.
#[pyclass(frozen, module = "undergo")]
pub(crate) struct Exports {
    functions: Py<PyDict>,
    plugin: String,
}

impl Exports {
    /// Those of the plugin of that name; `function` makes the object for each.
    pub(crate) fn make<'py, F>(
        py: Python<'py>,
        plugin: &str,
        shapes: &[Arc<Shape>],
        function: impl Fn(&Arc<Shape>) -> F,
    ) -> PyResult<Bound<'py, Exports>>
    where
        F: pyo3::PyClass + Into<PyClassInitializer<F>>,
    {
        let functions = PyDict::new(py);
        for shape in shapes {
            functions.set_item(&shape.name, Py::new(py, function(shape))?)?;
        }
        Bound::new(py, Exports { functions: functions.unbind(), plugin: plugin.to_owned() })
    }

    /// One of them with other options.
    fn function_with<'py>(&self, py: Python<'py>, name: &str, options: &CallOptions) -> PyResult<Bound<'py, PyAny>> {
        let found = self.functions.bind(py).get_item(name)?.ok_or_else(|| self.unknown(py, name))?;
        Ok(if let Ok(function) = found.cast::<Function>() {
            Bound::new(py, function.get().with_options(py, options.clone())?)?.into_any()
        } else {
            Bound::new(py, found.cast::<AsyncFunction>()?.get().with_options(py, options.clone())?)?.into_any()
        })
    }

    /// All of them with other options.
    fn with_options<'py>(&self, py: Python<'py>, options: &CallOptions) -> PyResult<Bound<'py, Exports>> {
        let functions = PyDict::new(py);
        for name in self.functions.bind(py).keys() {
            functions.set_item(&name, self.function_with(py, name.cast::<PyString>()?.to_str()?, options)?)?;
        }
        Bound::new(py, Exports { functions: functions.unbind(), plugin: self.plugin.clone() })
    }

    /// Makes them attributes of the object, but for those whose names its class has taken.
    pub(crate) fn bind_to(&self, object: &Bound<'_, PyAny>) -> PyResult<()> {
        let class = object.get_type();
        let attributes = object.getattr("__dict__")?.cast_into::<PyDict>()?;
        for (name, function) in self.functions.bind(object.py()).iter() {
            if class.getattr_opt(name.cast::<PyString>()?)?.is_none() {
                attributes.set_item(name, function)?;
            }
        }
        Ok(())
    }

    /// The error for a name that is no export; an `AttributeError` too, so that `hasattr` works.
    pub(crate) fn unknown(&self, py: Python<'_>, name: &str) -> PyErr {
        if name.starts_with("__") {
            return PyAttributeError::new_err(name.to_owned());
        }
        let known: Vec<String> = self.functions.bind(py).keys().iter().map(|key| key.to_string()).collect();
        let hint = names::did_you_mean(name, known.iter().map(String::as_str));
        errors::to_python(py, &Error::new(ErrorKind::UnknownExport, format!("{} has no export '{name}'{hint}", self.plugin)))
    }
}

#[pymethods]
impl Exports {
    fn __getattr__<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
        self.functions.bind(py).get_item(name)?.ok_or_else(|| self.unknown(py, name))
    }

    fn __getitem__<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
        let functions = self.functions.bind(py);
        match functions.get_item(name)? {
            Some(found) => Ok(found),
            None => functions.get_item(python_name(&names::kebab(name)))?.ok_or_else(|| self.unknown(py, name)),
        }
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(self.functions.bind(py).as_any().try_iter()?.into_any())
    }

    fn __len__(&self, py: Python<'_>) -> usize {
        self.functions.bind(py).len()
    }

    fn __contains__(&self, py: Python<'_>, name: &str) -> PyResult<bool> {
        self.functions.bind(py).contains(name)
    }

    fn __dir__<'py>(&self, py: Python<'py>) -> Bound<'py, PyAny> {
        self.functions.bind(py).keys().into_any()
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        let names: Vec<String> = self.functions.bind(py).keys().iter().map(|name| name.to_string()).collect();
        format!("<undergo exports of {}: {}>", self.plugin, names.join(", "))
    }

    fn __traverse__(&self, visit: pyo3::PyVisit<'_>) -> Result<(), pyo3::PyTraverseError> {
        visit.call(&self.functions)
    }
}

/// A view of an instance or a pool whose calls have other options.
///
/// It is cheap: its functions are made when they are used.
#[pyclass(frozen, module = "undergo")]
pub(crate) struct View {
    of: Py<Exports>,
    options: CallOptions,
}

impl View {
    pub(crate) fn make<'py>(of: &Bound<'py, Exports>, options: CallOptions) -> PyResult<Bound<'py, View>> {
        Bound::new(of.py(), View { of: of.clone().unbind(), options })
    }
}

#[pymethods]
impl View {
    /// All exports, as attributes and by `[]`.
    #[getter]
    fn exports<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, Exports>> {
        self.of.get().with_options(py, &self.options)
    }

    fn __getattr__<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
        self.of.get().function_with(py, name, &self.options)
    }

    fn __dir__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let names = self.of.get().functions.bind(py).keys();
        names.append("exports")?;
        Ok(names.into_any())
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        format!("<undergo view of {}: {} exports>", self.of.get().plugin, self.of.get().functions.bind(py).len())
    }

    fn __traverse__(&self, visit: pyo3::PyVisit<'_>) -> Result<(), pyo3::PyTraverseError> {
        visit.call(&self.of)
    }
}
