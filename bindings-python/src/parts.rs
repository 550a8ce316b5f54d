//! The parts from which instances and pools are created, and what they own.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::{PyClass, PyClassInitializer, PyTraverseError, PyVisit};

use crate::exports::Exports;
use crate::function::Shape;
use crate::imports::HostTable;

/// What a plugin hands to an instance or a pool that is made of it.
pub(crate) struct Origin {
    pub(crate) plugin: Py<PyAny>,
    pub(crate) shapes: Arc<[Arc<Shape>]>,
    pub(crate) host: Py<HostTable>,
}

impl Origin {
    pub(crate) fn clone_ref(&self, py: Python<'_>) -> Origin {
        Origin { plugin: self.plugin.clone_ref(py), shapes: self.shapes.clone(), host: self.host.clone_ref(py) }
    }

    pub(crate) fn visit(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.plugin)?;
        visit.call(&self.host)
    }

    /// Makes an instance or a pool with its exports as methods. `function` makes one of the
    /// exports, `object` the whole.
    pub(crate) fn make<'py, F, T>(
        self,
        py: Python<'py>,
        name: &str,
        function: impl Fn(&Arc<Shape>) -> F,
        object: impl FnOnce(Owned) -> T,
    ) -> PyResult<Bound<'py, T>>
    where
        F: PyClass + Into<PyClassInitializer<F>>,
        T: PyClass + Into<PyClassInitializer<T>>,
    {
        let exports = Exports::make(py, name, &self.shapes, function)?;
        let parts = Parts { origin: self, exports: exports.clone().unbind() };
        let made = Bound::new(py, object(Owned(Some(Box::new(parts)))))?;
        exports.get().bind_to(made.as_any())?;
        Ok(made)
    }
}

struct Parts {
    origin: Origin,
    exports: Py<Exports>,
}

/// What an object with a `__dict__` owns for the garbage collector to see. Python tracks such an
/// object before its contents are written: it makes the object's dict in between, and that may
/// start a collection, whose traversal then meets zeroed memory. Zero is `None` here, and nothing
/// to visit.
pub(crate) struct Owned(Option<Box<Parts>>);

impl Owned {
    fn get(&self) -> &Parts {
        // Set by `Origin::make`, and never taken.
        self.0.as_deref().unwrap_or_else(|| unreachable!("methods are called on complete objects only"))
    }

    pub(crate) fn plugin(&self, py: Python<'_>) -> Py<PyAny> {
        self.get().origin.plugin.clone_ref(py)
    }

    /// What another one is made from.
    pub(crate) fn origin(&self, py: Python<'_>) -> Origin {
        self.get().origin.clone_ref(py)
    }

    pub(crate) fn exports(&self) -> &Py<Exports> {
        &self.get().exports
    }

    /// For `__traverse__`, which may come before the object is complete.
    pub(crate) fn visit(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        let Some(Parts { origin, exports }) = self.0.as_deref() else { return Ok(()) };
        origin.visit(visit)?;
        visit.call(exports)
    }
}
