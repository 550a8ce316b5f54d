//! An export, as a Python callable.

use std::sync::Arc;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};
use undergo::host::Parameters;
use undergo::interface::ResourceType;
use undergo::{CallOptions, Error};

use crate::errors;
use crate::handle::{Lent, ResourceClass};
use crate::imports::HostTable;
use crate::lift::ToPython;
use crate::lower::Object;
use crate::names::{class_name, python_name};
use crate::signature;

/// What runs calls, with which options, and what they need meanwhile.
#[pyclass(frozen, module = "undergo")]
pub(crate) struct Access {
    target: Target,
    options: CallOptions,
    /// Keeps the host functions alive, which the core knows weakly.
    host: Py<HostTable>,
}

#[pymethods]
impl Access {
    fn __traverse__(&self, visit: pyo3::PyVisit<'_>) -> Result<(), pyo3::PyTraverseError> {
        visit.call(&self.host)
    }
}

impl Access {
    pub(crate) fn make<'py>(py: Python<'py>, target: Target, host: &Py<HostTable>) -> PyResult<Bound<'py, Access>> {
        Bound::new(py, Access { target, options: CallOptions::default(), host: host.clone_ref(py) })
    }

    /// Closes a handle, and has the guest release its object.
    pub(crate) fn close(&self, py: Python<'_>, handle: &undergo::Handle) -> PyResult<()> {
        match self.target.instance().filter(|instance| instance.dead().is_none()) {
            Some(instance) => py.detach(|| instance.close_handle(handle)).map_err(|error| errors::to_python(py, &error)),
            // With its instance the object has ended, too.
            None => {
                handle.close();
                Ok(())
            }
        }
    }
}

/// What runs the calls.
#[derive(Clone)]
pub(crate) enum Target {
    Instance(undergo::Instance),
    /// An instance of a pool, for as long as it is lent.
    Lent(Arc<Lent<undergo::Instance>>),
    Pool(undergo::Pool),
}

impl Target {
    /// The instance, if it is one.
    fn instance(&self) -> Option<&undergo::Instance> {
        match self {
            Target::Instance(instance) => Some(instance),
            Target::Lent(lent) => lent.check().ok(),
            Target::Pool(_) => None,
        }
    }

    fn arguments<'a>(&self, export: usize) -> undergo::Result<undergo::host::Arguments<'_, 'a>> {
        match self {
            // A dead instance says so before any argument is looked at.
            Target::Instance(instance) => instance.arguments(export),
            Target::Lent(lent) => lent.check()?.arguments(export),
            Target::Pool(pool) => pool.plugin().arguments(export),
        }
    }

    /// Runs the call without the interpreter's lock, which is taken again to lift the result.
    fn call<'py>(
        &self,
        owner: &Bound<'py, Access>,
        arguments: &mut undergo::host::Arguments<'_, 'py>,
        options: &CallOptions,
    ) -> undergo::Result<Bound<'py, PyAny>> {
        let py = owner.py();
        let owner = owner.as_any().as_unbound();
        // The instance is left when this returns, which must not happen with the interpreter's lock
        // held: who has it next may have to be waited for.
        let lift =
            |outcome: undergo::host::Outcome<'_, '_>| Python::attach(|py| outcome.lift(&ToPython::of(owner.bind(py))).map(Bound::unbind));
        match self {
            Target::Instance(instance) => py.detach(|| arguments.call(instance, options, lift)),
            Target::Lent(lent) => py.detach(|| arguments.call(lent.check()?, options, lift)),
            Target::Pool(pool) => py.detach(|| pool.call_then(arguments, options, lift)),
        }
        .map(|value| value.into_bound(py))
    }
}

// An export of an instance, or of a pool, or a method of an object. Called with the function's
// arguments, by position or by name, from any thread; the interpreter's lock is released while the
// guest runs. (No doc comment: that would be the class's `__doc__`, which hides the getter for the
// function's own.)
#[pyclass(frozen, module = "undergo")]
pub(crate) struct Function {
    access: Py<Access>,
    shape: Arc<Shape>,
    /// The object of a method.
    object: Option<Py<PyAny>>,
}

/// What all copies of an export share.
pub(crate) struct Shape {
    pub(crate) export: usize,
    pub(crate) function: Arc<undergo::interface::Function>,
    pub(crate) name: String,
    names: Vec<Py<PyString>>,
    params: Parameters,
    /// The resource of which it makes objects.
    makes: Option<Arc<ResourceType>>,
}

impl Shape {
    pub(crate) fn new(py: Python<'_>, export: usize, function: &Arc<undergo::interface::Function>, name: String) -> Shape {
        let intern = |param: &undergo::interface::Field| PyString::intern(py, &python_name(&param.name)).unbind();
        Shape {
            export,
            name,
            names: function.params.iter().map(intern).collect(),
            params: Parameters::new(function.clone(), python_name, signature::text),
            function: function.clone(),
            makes: None,
        }
    }

    /// That of a resource's constructor, which is called as the class is.
    pub(crate) fn of_constructor(
        py: Python<'_>,
        export: usize,
        function: &Arc<undergo::interface::Function>,
        resource: &Arc<ResourceType>,
    ) -> Shape {
        Shape { makes: Some(resource.clone()), ..Shape::new(py, export, function, class_name(&resource.name)) }
    }

    /// `greet(p: Person, shout: bool) -> str`
    pub(crate) fn text(&self) -> String {
        signature::text_as(&self.name, &self.function)
    }

    /// Whether it is an object of the resource whose constructor this is.
    pub(crate) fn is_instance(&self, object: &Bound<'_, PyAny>) -> PyResult<bool> {
        match self.makes.as_ref().and_then(|resource| resource.extension.get::<ResourceClass>()) {
            Some(class) => class.is_instance(object),
            None => Err(PyTypeError::new_err(format!("{} is a function, and no class", self.name))),
        }
    }

    /// Gives `put` each argument with the number of its parameter.
    pub(crate) fn lower<'py>(
        &self,
        object: Option<&Bound<'py, PyAny>>,
        args: &Bound<'py, PyTuple>,
        kwargs: Option<&Bound<'py, PyDict>>,
        mut put: impl FnMut(usize, Bound<'py, PyAny>) -> undergo::Result<()>,
    ) -> undergo::Result<()> {
        let first = usize::from(object.is_some());
        let given = args.len() + first;
        let keywords = match kwargs {
            None => {
                self.params.check(given)?;
                None
            }
            // Gathered first: a value's own code may come by the dictionary and change it.
            Some(kwargs) => Some((self.params.keywords(given)?, kwargs.iter().collect::<Vec<_>>())),
        };
        if let Some(object) = object {
            put(0, object.clone())?;
        }
        for (i, arg) in args.iter_borrowed().enumerate() {
            put(i + first, arg.to_owned())?;
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
    pub(crate) fn new(access: &Bound<'_, Access>, shape: &Arc<Shape>) -> Function {
        Function { access: access.clone().unbind(), shape: shape.clone(), object: None }
    }

    pub(crate) fn method(access: Py<Access>, shape: &Arc<Shape>, object: Py<PyAny>) -> Function {
        Function { access, shape: shape.clone(), object: Some(object) }
    }

    pub(crate) fn with_options(&self, py: Python<'_>, options: CallOptions) -> PyResult<Function> {
        let Access { target, host, .. } = self.access.get();
        let access = Bound::new(py, Access { target: target.clone(), options, host: host.clone_ref(py) })?;
        Ok(Function { access: access.unbind(), shape: self.shape.clone(), object: None })
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
        let owner = self.access.bind(py);
        let Access { target, options, host } = owner.get();
        let mut arguments = target.arguments(self.shape.export).map_err(fail)?;
        let object = self.object.as_ref().map(|object| object.bind(py));
        self.shape.lower(object, args, kwargs, |i, value| arguments.lower(i, &Object::of(value, host))).map_err(fail)?;
        target.call(owner, &mut arguments, options).map_err(fail)
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
        format!("<undergo function {}>", self.shape.text())
    }

    fn __traverse__(&self, visit: pyo3::PyVisit<'_>) -> Result<(), pyo3::PyTraverseError> {
        visit.call(&self.access)?;
        visit.call(&self.object)
    }
}
