//! An export, as a Python callable.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};
use undergo::host::Parameters;
use undergo::{CallOptions, Error};

use crate::errors;
use crate::imports::HostTable;
use crate::lift::ToPython;
use crate::lower::Object;
use crate::names::python_name;
use crate::signature;

// An export of an instance, or of a pool. Called with the function's arguments, by position or by
// name, from any thread; the interpreter's lock is released while the guest runs. (No doc comment:
// that would be the class's `__doc__`, which hides the getter for the function's own.)
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
    fn arguments<'a>(&self, export: usize) -> undergo::Result<undergo::host::Arguments<'_, 'a>> {
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
        arguments: &mut undergo::host::Arguments<'_, 'py>,
        options: &CallOptions,
    ) -> undergo::Result<Bound<'py, PyAny>> {
        // The instance is left when this returns, which must not happen with the interpreter's lock
        // held: who has it next may have to be waited for.
        let lift = |outcome: undergo::host::Outcome<'_, '_>| Python::attach(|py| outcome.lift(&ToPython(py)).map(Bound::unbind));
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
    pub(crate) function: Arc<undergo::interface::Function>,
    pub(crate) name: String,
    names: Vec<Py<PyString>>,
    params: Parameters,
}

impl Shape {
    pub(crate) fn new(py: Python<'_>, export: usize, function: &Arc<undergo::interface::Function>) -> Shape {
        let intern = |param: &undergo::interface::Field| PyString::intern(py, &python_name(&param.name)).unbind();
        Shape {
            export,
            name: python_name(&function.name),
            names: function.params.iter().map(intern).collect(),
            params: Parameters::new(function.clone(), python_name, signature::text),
            function: function.clone(),
        }
    }

    /// Gives `put` each argument with the number of its parameter.
    pub(crate) fn lower<'py>(
        &self,
        args: &Bound<'py, PyTuple>,
        kwargs: Option<&Bound<'py, PyDict>>,
        mut put: impl FnMut(usize, Bound<'py, PyAny>) -> undergo::Result<()>,
    ) -> undergo::Result<()> {
        let given = args.len();
        let keywords = match kwargs {
            None => {
                self.params.check(given)?;
                None
            }
            // Gathered first: a value's own code may come by the dictionary and change it.
            Some(kwargs) => Some((self.params.keywords(given)?, kwargs.iter().collect::<Vec<_>>())),
        };
        for (i, arg) in args.iter_borrowed().enumerate() {
            put(i, arg.to_owned())?;
        }
        let Some((mut keywords, kwargs)) = keywords else { return Ok(()) };
        for (key, value) in kwargs {
            let key = key.cast::<PyString>().map_err(|_| self.params.wrong("takes names as keywords"))?;
            // Names in calls are interned, so that most often the same object is found.
            let number = match self.names.iter().position(|name| name.is(key)) {
                Some(number) => keywords.place_at(number)?,
                None => keywords.place(&key.to_string_lossy())?,
            };
            put(number, value)?;
        }
        keywords.finish()
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

    /// Functions that have `__get__` are routines for `inspect` and `help`, and this one is already
    /// bound.
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
