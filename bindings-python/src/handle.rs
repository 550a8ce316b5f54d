//! Handles of a guest's objects, and what Python has for their resources.

use std::sync::atomic::{AtomicBool, Ordering};

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyType;
use undergo::{Error, ErrorKind};

/// What all objects that stand for one of a guest have.
#[pyclass(frozen, subclass, weakref, module = "undergo")]
pub(crate) struct Handle {
    pub(crate) core: undergo::Handle,
}

/// A handle on its way to the class of its resource, which makes an object of it. No code of the
/// user's gets one, so no other objects are made.
#[pyclass(frozen, module = "undergo")]
pub(crate) struct Given {
    pub(crate) handle: undergo::Handle,
    /// What calls the methods.
    pub(crate) owner: Py<PyAny>,
}

/// An instance of a pool that one caller has.
pub(crate) struct Lent<I> {
    pub(crate) instance: I,
    is_over: AtomicBool,
}

impl<I> Lent<I> {
    pub(crate) fn new(instance: I) -> Lent<I> {
        Lent { instance, is_over: AtomicBool::new(false) }
    }

    /// The instance, unless it was returned: somebody else may have it then.
    pub(crate) fn check(&self) -> undergo::Result<&I> {
        if self.is_over.load(Ordering::Relaxed) {
            return Err(Error::new(ErrorKind::DeadInstance, "the instance was returned to its pool"));
        }
        Ok(&self.instance)
    }

    pub(crate) fn end(&self) {
        self.is_over.store(true, Ordering::Relaxed);
    }
}

/// What stands for a resource.
pub(crate) struct ResourceClass {
    /// The annotation of its handles.
    pub(crate) annotation: String,
    /// The class of its objects, if they are the guest's.
    class: Option<Py<PyType>>,
    /// What is around an object: an iterator, or a stream.
    around: Option<Py<PyAny>>,
}

impl ResourceClass {
    pub(crate) fn new(annotation: String) -> ResourceClass {
        ResourceClass { annotation, class: None, around: None }
    }

    pub(crate) fn with_class(self, class: &Bound<'_, PyType>, around: Option<Bound<'_, PyAny>>) -> ResourceClass {
        ResourceClass { class: Some(class.clone().unbind()), around: around.map(Bound::unbind), ..self }
    }

    /// What Python has of the object with that handle, whose methods the owner calls.
    pub(crate) fn make<'py>(&self, owner: &Bound<'py, PyAny>, handle: undergo::Handle) -> PyResult<Bound<'py, PyAny>> {
        let py = owner.py();
        let class = self.class.as_ref().ok_or_else(|| PyTypeError::new_err("it is no object of the guest"))?.bind(py);
        let object = class.call1((Bound::new(py, Given { handle, owner: owner.clone().unbind() })?,))?;
        match &self.around {
            Some(around) => around.bind(py).call1((object,)),
            None => Ok(object),
        }
    }

    /// Whether it is an object of this resource.
    pub(crate) fn is_instance(&self, object: &Bound<'_, PyAny>) -> PyResult<bool> {
        match &self.class {
            Some(class) => object.is_instance(class.bind(object.py())),
            None => Ok(false),
        }
    }
}
