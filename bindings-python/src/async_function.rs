//! An export of an asynchronous instance or pool, as a Python callable.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use undergo::host::Arguments;
use undergo::{CallOptions, Error};

use crate::coroutine::{self, Call, Outcome};
use crate::errors;
use crate::function::Shape;
use crate::imports::HostTable;
use crate::lift::ToPython;
use crate::lower::Object;
use crate::signature;

/// What is called.
#[derive(Clone)]
pub(crate) enum Target {
    Instance(undergo::AsyncInstance),
    Pool(undergo::AsyncPool),
}

impl Target {
    pub(crate) fn plugin(&self) -> &undergo::Plugin {
        match self {
            Target::Instance(instance) => instance.plugin(),
            Target::Pool(pool) => pool.plugin(),
        }
    }

    async fn call(&self, arguments: Arguments<'static, 'static>, options: &CallOptions) -> Outcome {
        let lift = |returned: undergo::host::Outcome<'_, '_>| Python::attach(|py| returned.lift(&ToPython(py)).map(Bound::unbind));
        match self {
            Target::Instance(instance) => instance.call_then(arguments, options, lift).await,
            Target::Pool(pool) => pool.call_then(arguments, options, lift).await,
        }
    }
}

// An export of an asynchronous instance or pool. Called with the function's arguments, by position
// or by name, on the thread of a running event loop; gives what is to be awaited. (No doc comment:
// that would be the class's `__doc__`, which hides the getter for the function's own.)
#[pyclass(frozen, module = "undergo")]
pub(crate) struct AsyncFunction {
    target: Target,
    shape: Arc<Shape>,
    options: CallOptions,
    /// Keeps the host functions alive, which the core knows weakly.
    host: Py<HostTable>,
}

impl AsyncFunction {
    pub(crate) fn new(py: Python<'_>, target: &Target, shape: &Arc<Shape>, host: &Py<HostTable>) -> AsyncFunction {
        AsyncFunction { target: target.clone(), shape: shape.clone(), options: CallOptions::default(), host: host.clone_ref(py) }
    }

    pub(crate) fn with_options(&self, py: Python<'_>, options: CallOptions) -> AsyncFunction {
        AsyncFunction { target: self.target.clone(), shape: self.shape.clone(), options, host: self.host.clone_ref(py) }
    }
}

#[pymethods]
impl AsyncFunction {
    #[pyo3(signature = (*args, **kwargs))]
    fn __call__<'py>(&self, py: Python<'py>, args: &Bound<'py, PyTuple>, kwargs: Option<&Bound<'py, PyDict>>) -> PyResult<Call> {
        let fail = |error: Error| errors::to_python(py, &error);
        let mut arguments = self.target.plugin().owned_arguments(self.shape.export).map_err(fail)?;
        self.shape.lower(args, kwargs, |i, value| arguments.lower(i, &Object(value))).map_err(fail)?;
        let within = coroutine::lease(py)?;
        let (target, host, options) = (self.target.clone(), self.host.clone_ref(py), self.options.clone());
        Ok(Call::new(&self.shape.name, self.options.cancel.clone(), move |start| {
            Box::pin(async move {
                // The host functions are needed until the end.
                let _host = host;
                let options = options_of(&options, start, within);
                target.call(arguments, &options).await
            })
        }))
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
        format!("<undergo async function {}>", signature::text(&self.shape.function))
    }

    fn __traverse__(&self, visit: pyo3::PyVisit<'_>) -> Result<(), pyo3::PyTraverseError> {
        visit.call(&self.host)
    }
}

/// The options of a call with what is known only when it starts.
pub(crate) fn options_of(options: &CallOptions, start: coroutine::Start, within: Option<undergo::Lease>) -> CallOptions {
    CallOptions { timeout: options.timeout, cancel: Some(start.cancel), within, caller: Some(start.caller) }
}
