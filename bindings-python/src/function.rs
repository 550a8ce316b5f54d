//! An export, as a Python callable.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};
use undergo::{CallOptions, Error, ErrorKind, names};

use crate::errors;
use crate::imports::HostTable;
use crate::lift::ToPython;
use crate::lower::Object;
use crate::names::python_name;
use crate::signature;

// An export of an instance, or of a pool. Called with the function's arguments, by position or by name, from any thread; the interpreter's lock is
// released while the guest runs. (No doc comment: that would be the class's `__doc__`, which hides the getter for the function's own.)
#[pyclass(frozen, module = "undergo")]
pub(crate) struct Function {
    target: Target,
    shape: Arc<Shape>,
    options: CallOptions,
    /// Keeps the host functions alive, which the core knows weakly.
    host: Py<HostTable>,
}

/// What runs the calls.
#[derive(Clone)]
pub(crate) enum Target {
    Instance(undergo::Instance),
    Pool(undergo::Pool),
}

impl Target {
    fn arguments<'a>(&self, export: usize) -> undergo::Result<undergo::Arguments<'_, 'a>> {
        match self {
            // A dead instance says so before any argument is looked at.
            Target::Instance(instance) => instance.arguments(export),
            Target::Pool(pool) => pool.plugin().arguments(export),
        }
    }

    /// Runs the call without the interpreter's lock, which is taken again to lift the result.
    fn call<'py>(
        &self,
        py: Python<'py>,
        arguments: &mut undergo::Arguments<'_, 'py>,
        options: &CallOptions,
    ) -> undergo::Result<Bound<'py, PyAny>> {
        // The instance is left when this returns, which must not happen with the interpreter's lock held: who has it next may have to be waited for.
        let lift = |outcome: undergo::Outcome<'_, '_>| Python::attach(|py| outcome.lift(&ToPython(py)).map(Bound::unbind));
        match self {
            Target::Instance(instance) => py.detach(|| arguments.call(instance, options, lift)),
            Target::Pool(pool) => py.detach(|| pool.call_then(arguments, options, lift)),
        }
        .map(|value| value.into_bound(py))
    }
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
        // Gathered first: a value's own code may come by the dictionary and change it.
        let kwargs: Vec<(Bound<'py, PyAny>, Bound<'py, PyAny>)> = kwargs.iter().collect();
        for (key, value) in kwargs {
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
    pub(crate) fn new(py: Python<'_>, target: &Target, shape: &Arc<Shape>, host: &Py<HostTable>) -> Function {
        Function { target: target.clone(), shape: shape.clone(), options: CallOptions::default(), host: host.clone_ref(py) }
    }

    pub(crate) fn with_options(&self, py: Python<'_>, options: CallOptions) -> Function {
        Function { target: self.target.clone(), shape: self.shape.clone(), options, host: self.host.clone_ref(py) }
    }
}

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
        let mut arguments = self.target.arguments(self.shape.export).map_err(fail)?;
        self.shape.lower(args, kwargs, |i, value| arguments.lower(i, &Object(value))).map_err(fail)?;
        self.target.call(py, &mut arguments, &self.options).map_err(fail)
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
