//! An export of an asynchronous instance or pool, as a Python callable.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use undergo::host::Arguments;
use undergo::{CallOptions, Error};

use crate::coroutine::{Call, Outcome, Start};
use crate::errors;
use crate::function::Shape;
use crate::handle::Lent;
use crate::imports::HostTable;
use crate::lift::ToPython;
use crate::lower::Object;
use crate::signature;

/// What is called.
#[derive(Clone)]
pub(crate) enum Target {
    Instance(undergo::AsyncInstance),
    /// An instance of a pool, for as long as it is lent.
    Lent(Arc<Lent<undergo::AsyncInstance>>),
    Pool(undergo::AsyncPool),
}

impl Target {
    pub(crate) fn plugin(&self) -> &undergo::Plugin {
        match self {
            Target::Instance(instance) => instance.plugin(),
            Target::Lent(lent) => lent.instance.plugin(),
            Target::Pool(pool) => pool.plugin(),
        }
    }

    async fn call(&self, owner: Py<AsyncAccess>, arguments: Arguments<'static, 'static>, options: &CallOptions) -> Outcome {
        let lift = move |returned: undergo::host::Outcome<'_, '_>| {
            Python::attach(|py| returned.lift(&ToPython::of(owner.bind(py).as_any())).map(Bound::unbind))
        };
        match self {
            Target::Instance(instance) => instance.call_then(arguments, options, lift).await,
            Target::Lent(lent) => lent.check()?.call_then(arguments, options, lift).await,
            Target::Pool(pool) => pool.call_then(arguments, options, lift).await,
        }
    }
}

/// What runs awaited calls, with which options, and what they need meanwhile.
#[pyclass(frozen, module = "undergo")]
pub(crate) struct AsyncAccess {
    target: Target,
    options: CallOptions,
    /// Keeps the host functions alive, which the core knows weakly.
    host: Py<HostTable>,
}

#[pymethods]
impl AsyncAccess {
    fn __traverse__(&self, visit: pyo3::PyVisit<'_>) -> Result<(), pyo3::PyTraverseError> {
        visit.call(&self.host)
    }
}

impl AsyncAccess {
    pub(crate) fn make<'py>(py: Python<'py>, target: Target, host: &Py<HostTable>) -> PyResult<Bound<'py, AsyncAccess>> {
        Bound::new(py, AsyncAccess { target, options: CallOptions::default(), host: host.clone_ref(py) })
    }

    /// Closes a handle, and waits until the guest has released its object.
    pub(crate) fn closing(&self, name: &str, handle: &undergo::Handle) -> Call {
        let (target, host, handle) = (self.target.clone(), Python::attach(|py| self.host.clone_ref(py)), handle.clone());
        Call::new(name, None, move |_| {
            Box::pin(async move {
                // The host functions are needed until the end.
                let _host = host;
                match target {
                    Target::Instance(instance) if instance.dead().is_none() => instance.close_handle(&handle).await?,
                    Target::Lent(lent) if lent.check().is_ok_and(|instance| instance.dead().is_none()) => {
                        lent.instance.close_handle(&handle).await?;
                    }
                    // With its instance the object has ended, too.
                    _ => handle.close(),
                }
                Ok(Python::attach(|py| py.None()))
            })
        })
    }
}

// An export of an asynchronous instance or pool, or a method of an object. Called with the
// function's arguments, by position or by name, on the thread of a running event loop; gives what
// is to be awaited. (No doc comment: that would be the class's `__doc__`, which hides the getter
// for the function's own.)
#[pyclass(frozen, module = "undergo")]
pub(crate) struct AsyncFunction {
    access: Py<AsyncAccess>,
    shape: Arc<Shape>,
    /// The object of a method.
    object: Option<Py<PyAny>>,
}

impl AsyncFunction {
    pub(crate) fn new(access: &Bound<'_, AsyncAccess>, shape: &Arc<Shape>) -> AsyncFunction {
        AsyncFunction { access: access.clone().unbind(), shape: shape.clone(), object: None }
    }

    pub(crate) fn method(access: Py<AsyncAccess>, shape: &Arc<Shape>, object: Py<PyAny>) -> AsyncFunction {
        AsyncFunction { access, shape: shape.clone(), object: Some(object) }
    }

    pub(crate) fn with_options(&self, py: Python<'_>, options: CallOptions) -> PyResult<AsyncFunction> {
        let AsyncAccess { target, host, .. } = self.access.get();
        let access = Bound::new(py, AsyncAccess { target: target.clone(), options, host: host.clone_ref(py) })?;
        Ok(AsyncFunction { access: access.unbind(), shape: self.shape.clone(), object: None })
    }
}

#[pymethods]
impl AsyncFunction {
    #[pyo3(signature = (*args, **kwargs))]
    fn __call__<'py>(&self, py: Python<'py>, args: &Bound<'py, PyTuple>, kwargs: Option<&Bound<'py, PyDict>>) -> PyResult<Call> {
        let fail = |error: Error| errors::to_python(py, &error);
        let AsyncAccess { target, options, host } = self.access.get();
        let mut arguments = target.plugin().owned_arguments(self.shape.export).map_err(fail)?;
        let object = self.object.as_ref().map(|object| object.bind(py));
        self.shape.lower(object, args, kwargs, |i, value| arguments.lower(i, &Object::of(value, host))).map_err(fail)?;
        // It keeps the host functions, which are needed until the end.
        let access = self.access.clone_ref(py);
        Ok(Call::new(&self.shape.name, options.cancel.clone(), move |start| {
            Box::pin(async move {
                let AsyncAccess { target, options, .. } = access.get();
                let options = options_of(options, start);
                let owner = Python::attach(|py| access.clone_ref(py));
                target.call(owner, arguments, &options).await
            })
        }))
    }

    /// The constructor of a resource stands for its class.
    fn __instancecheck__(&self, object: &Bound<'_, PyAny>) -> PyResult<bool> {
        self.shape.is_instance(object)
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
        signature::make(py, &self.shape.function, false)
    }

    /// The function's name in WIT.
    #[getter]
    fn wit_name(&self) -> &str {
        &self.shape.function.name
    }

    fn __repr__(&self) -> String {
        format!("<undergo async function {}>", self.shape.text())
    }

    fn __traverse__(&self, visit: pyo3::PyVisit<'_>) -> Result<(), pyo3::PyTraverseError> {
        visit.call(&self.access)?;
        visit.call(&self.object)
    }
}

/// The options of a call with what is known only when it starts.
pub(crate) fn options_of(options: &CallOptions, start: Start) -> CallOptions {
    CallOptions { timeout: options.timeout, cancel: Some(start.cancel), within: start.within, caller: Some(start.caller) }
}
