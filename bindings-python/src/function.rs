//! An export, as a Python callable.

use std::sync::Arc;

use pyo3::exceptions::PyAttributeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};
use undergo::{CallOptions, Error, ErrorKind, names};

use crate::errors;
use crate::imports::HostTable;
use crate::lift::ToPython;
use crate::lower::Object;
use crate::signature;
use crate::types::python_name;

// An export of an instance. Called with the function's arguments, by position or by name, from any thread; the interpreter's lock is
// released while the guest runs. (No doc comment: that would be the class's `__doc__`, which hides the getter for the function's own.)
#[pyclass(frozen, module = "undergo")]
pub(crate) struct Function {
    pub(crate) instance: undergo::Instance,
    pub(crate) shape: Arc<Shape>,
    pub(crate) options: CallOptions,
    /// Keeps the host functions alive, which the core knows weakly.
    pub(crate) host: Py<HostTable>,
}

/// What all copies of an export share.
pub(crate) struct Shape {
    pub(crate) export: usize,
    pub(crate) function: Arc<undergo::Function>,
    pub(crate) name: String,
    params: Vec<Py<PyString>>,
    required: usize,
}

impl Shape {
    pub(crate) fn new(py: Python<'_>, export: usize, function: &Arc<undergo::Function>) -> Shape {
        let intern = |param: &undergo::Field| PyString::intern(py, &python_name(&param.name)).unbind();
        Shape {
            export,
            name: python_name(&function.name),
            params: function.params.iter().map(intern).collect(),
            required: signature::required(function),
            function: function.clone(),
        }
    }

    fn wrong(&self, text: &str) -> Error {
        Error::new(ErrorKind::TypeMismatch, format!("{}() {text}: {}", self.name, signature::text(&self.function)))
    }

    fn number(&self, name: &Bound<'_, PyString>) -> Option<usize> {
        // Names in calls are interned, so that most often the same object is found.
        self.params.iter().position(|param| param.is(name)).or_else(|| {
            let text = name.to_str().ok()?;
            self.params.iter().position(|param| param.to_str(name.py()).is_ok_and(|known| known == text))
        })
    }
}

impl Shape {
    /// Gives `put` each argument with the number of its parameter.
    pub(crate) fn lower<'py>(
        &self,
        args: &Bound<'py, PyTuple>,
        kwargs: Option<&Bound<'py, PyDict>>,
        mut put: impl FnMut(usize, Bound<'py, PyAny>) -> undergo::Result<()>,
    ) -> undergo::Result<()> {
        let given = args.len();
        let wanted = self.params.len();
        if given > wanted {
            return Err(self.wrong(&format!("takes {wanted} argument{}, got {given}", if wanted == 1 { "" } else { "s" })));
        }
        for (i, arg) in args.iter_borrowed().enumerate() {
            put(i, arg.to_owned())?;
        }
        let Some(kwargs) = kwargs else {
            return if given < self.required { Err(self.missing(given, &[])) } else { Ok(()) };
        };
        let mut named = vec![false; wanted];
        for (key, value) in kwargs.iter() {
            let key = key.cast::<PyString>().map_err(|_| self.wrong("takes names as keywords"))?;
            let Some(i) = self.number(key) else {
                let known = self.function.params.iter().map(|param| python_name(&param.name)).collect::<Vec<_>>();
                let hint = names::did_you_mean(&key.to_string(), known.iter().map(String::as_str));
                return Err(self.wrong(&format!("has no parameter '{key}'{hint}")));
            };
            if i < given || named[i] {
                return Err(self.wrong(&format!("got two values for '{key}'")));
            }
            named[i] = true;
            put(i, value)?;
        }
        if (given..self.required).any(|i| !named[i]) { Err(self.missing(given, &named)) } else { Ok(()) }
    }

    #[cold]
    fn missing(&self, given: usize, named: &[bool]) -> Error {
        let params = self.function.params.iter().enumerate();
        let missing = params.filter(|(i, _)| (given..self.required).contains(i) && !named.get(*i).copied().unwrap_or(false));
        let names: Vec<String> = missing.map(|(_, param)| format!("'{}'", python_name(&param.name))).collect();
        self.wrong(&format!("needs a value for {}", names.join(", ")))
    }
}

impl Function {
    pub(crate) fn with_options(&self, py: Python<'_>, options: CallOptions) -> Function {
        Function { instance: self.instance.clone(), shape: self.shape.clone(), options, host: self.host.clone_ref(py) }
    }
}

/// What may leave `Python::detach`, though it may not leave its thread.
struct OnThisThread<T>(T);

// SAFETY: made in one place, as the result of a closure that `Python::detach` runs on the calling thread, and taken apart there.
unsafe impl<T> Send for OnThisThread<T> {}

#[pymethods]
impl Function {
    #[pyo3(signature = (*args, **kwargs))]
    fn __call__<'py>(
        &self,
        py: Python<'py>,
        args: &Bound<'py, PyTuple>,
        kwargs: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let fail = |error: Error| errors::to_python(py, &error);
        let mut arguments = self.instance.arguments(self.shape.export).map_err(fail)?;
        self.shape.lower(args, kwargs, |i, value| arguments.lower(i, &Object(value))).map_err(fail)?;
        let OnThisThread(returned) = py.detach(|| OnThisThread(arguments.call(&self.instance, &self.options)));
        let returned = returned.map_err(fail)?;
        returned.lift(&ToPython(py)).map_err(fail)
    }

    /// Functions that have `__get__` are routines for `inspect` and `help`, and this one is already bound.
    fn __get__<'py>(slf: Bound<'py, Self>, _instance: &Bound<'py, PyAny>, _owner: &Bound<'py, PyAny>) -> Bound<'py, Self> {
        slf
    }

    #[getter]
    fn __name__(&self) -> &str {
        &self.shape.name
    }

    #[getter]
    fn __qualname__(&self) -> &str {
        &self.shape.name
    }

    #[getter]
    fn __doc__(&self) -> &str {
        &self.shape.function.docs
    }

    #[getter]
    fn __signature__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        signature::make(py, &self.shape.function)
    }

    /// The function's name in WIT.
    #[getter]
    fn wit_name(&self) -> &str {
        &self.shape.function.name
    }

    fn __repr__(&self) -> String {
        format!("<undergo function {}>", signature::text(&self.shape.function))
    }

    fn __traverse__(&self, visit: pyo3::PyVisit<'_>) -> Result<(), pyo3::PyTraverseError> {
        visit.call(&self.host)
    }
}

/// All exports of an instance, whatever their names: as attributes, by `[]`, and to iterate over.
#[pyclass(frozen, module = "undergo")]
pub(crate) struct Exports {
    pub(crate) functions: Py<PyDict>,
    pub(crate) plugin: String,
}

#[pymethods]
impl Exports {
    fn __getattr__<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
        self.functions.bind(py).get_item(name)?.ok_or_else(|| unknown(py, &self.plugin, self.functions.bind(py), name))
    }

    fn __getitem__<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
        let functions = self.functions.bind(py);
        match functions.get_item(name)? {
            Some(found) => Ok(found),
            None => functions.get_item(python_name(&names::kebab(name)))?.ok_or_else(|| unknown(py, &self.plugin, functions, name)),
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

/// The error for a name that is no export; an `AttributeError` too, so that `hasattr` works.
pub(crate) fn unknown(py: Python<'_>, plugin: &str, functions: &Bound<'_, PyDict>, name: &str) -> PyErr {
    if name.starts_with("__") {
        return PyAttributeError::new_err(name.to_owned());
    }
    let known: Vec<String> = functions.keys().iter().map(|key| key.to_string()).collect();
    let hint = names::did_you_mean(name, known.iter().map(String::as_str));
    errors::to_python(py, &Error::new(ErrorKind::UnknownExport, format!("{plugin} has no export '{name}'{hint}")))
}
