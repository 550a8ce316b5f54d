//! Objects of a guest, as Python objects, and their classes.

use std::sync::Arc;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple, PyType};
use undergo::Plugin;
use undergo::interface::{ResourceType, Shape as Form, Side};

use crate::async_function::{AsyncAccess, AsyncFunction};
use crate::coroutine::Call;
use crate::function::{Access, Function, Shape};
use crate::handle::{Given, Handle, ResourceClass};
use crate::names::{class_name, method_name};
use crate::{package, signature};

/// An object of a guest. `plugin.types` has the classes, which derive from this one.
///
/// A call of the instance gives it, or its constructor: `instance.Document("text")`. The methods
/// are those of the Go type; on an asynchronous instance they are awaited. The guest keeps the
/// object until it is closed, at the end of `with` or `async with` for example, or until Python has
/// no reference to it left. It can't be used then, nor after a reset of its instance or the return
/// to a pool.
#[pyclass(frozen, extends = Handle, subclass, module = "undergo")]
pub(crate) struct Resource {
    owner: Owner,
}

/// What calls the methods.
enum Owner {
    Calls(Py<Access>),
    Awaits(Py<AsyncAccess>),
}

#[pymethods]
impl Resource {
    #[new]
    #[classmethod]
    #[pyo3(signature = (*args, **_kwargs))]
    fn new(
        class: &Bound<'_, PyType>,
        args: &Bound<'_, PyTuple>,
        _kwargs: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<PyClassInitializer<Resource>> {
        let first = args.get_borrowed_item(0).ok();
        let Some(given) = first.as_ref().and_then(|first| first.cast::<Given>().ok()) else {
            let name = class.name()?;
            let text = format!("{name} stands for objects of a plugin's instance, which makes them: instance.{name}(...)");
            return Err(PyTypeError::new_err(text));
        };
        let given = given.get();
        let owner = given.owner.bind(class.py());
        let owner = match owner.cast::<Access>() {
            Ok(access) => Owner::Calls(access.clone().unbind()),
            Err(_) => Owner::Awaits(owner.cast::<AsyncAccess>()?.clone().unbind()),
        };
        Ok(PyClassInitializer::from(Handle { core: given.handle.clone() }).add_subclass(Resource { owner }))
    }

    /// Whether it was closed, given away to the guest, or ended with its instance.
    #[getter]
    fn closed(slf: &Bound<'_, Self>) -> bool {
        !slf.as_super().get().core.is_open()
    }

    /// Close it: the guest releases its object.
    ///
    /// It does so at once, or after the call that is running; on an asynchronous instance with the
    /// next call. Closing it again does nothing.
    fn close(slf: &Bound<'_, Self>) -> PyResult<()> {
        let handle = &slf.as_super().get().core;
        match &slf.get().owner {
            Owner::Calls(access) => access.get().close(slf.py(), handle),
            Owner::Awaits(_) => {
                handle.close();
                Ok(())
            }
        }
    }

    /// Close it, and wait until the guest has released its object. To be awaited.
    fn aclose(slf: &Bound<'_, Self>) -> PyResult<Call> {
        match &slf.get().owner {
            Owner::Awaits(access) => Ok(access.get().closing("aclose", &slf.as_super().get().core)),
            Owner::Calls(_) => Err(not_awaited(slf.as_any(), "close() or `with`")),
        }
    }

    /// Whether its methods are awaited.
    #[getter]
    fn _is_async(&self) -> bool {
        matches!(self.owner, Owner::Awaits(_))
    }

    fn __enter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    #[pyo3(signature = (*_raised))]
    fn __exit__(slf: &Bound<'_, Self>, _raised: &Bound<'_, PyTuple>) -> PyResult<()> {
        Self::close(slf)
    }

    fn __aenter__(slf: &Bound<'_, Self>) -> PyResult<Call> {
        if let Owner::Calls(_) = slf.get().owner {
            return Err(not_awaited(slf.as_any(), "`with`"));
        }
        let object = slf.clone().into_any().unbind();
        Ok(Call::new("__aenter__", None, move |_| Box::pin(async move { Ok(object) })))
    }

    #[pyo3(signature = (*_raised))]
    fn __aexit__(slf: &Bound<'_, Self>, _raised: &Bound<'_, PyTuple>) -> PyResult<Call> {
        Self::aclose(slf)
    }

    fn __reduce_ex__(slf: &Bound<'_, Self>, _protocol: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        let name = slf.get_type().name()?;
        Err(PyTypeError::new_err(format!("{name} can't be pickled or copied: it is an object in one instance of a plugin")))
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let name = slf.get_type().name()?;
        Ok(format!("<undergo {name}{}>", if Self::closed(slf) { ", closed" } else { "" }))
    }

    fn __traverse__(&self, visit: pyo3::PyVisit<'_>) -> Result<(), pyo3::PyTraverseError> {
        match &self.owner {
            Owner::Calls(access) => visit.call(access),
            Owner::Awaits(access) => visit.call(access),
        }
    }
}

fn not_awaited(object: &Bound<'_, PyAny>, instead: &str) -> PyErr {
    let name = object.get_type().name().map_or_else(|_| "it".to_owned(), |name| name.to_string());
    PyTypeError::new_err(format!("this {name} is one of an instance whose calls are not awaited: use {instead}"))
}

// A method of a resource, as an attribute of its class. (No doc comment: that would be the class's
// `__doc__`, which hides the getter for the method's own.)
#[pyclass(frozen, module = "undergo")]
struct Method {
    shape: Arc<Shape>,
}

#[pymethods]
impl Method {
    fn __get__<'py>(slf: Bound<'py, Self>, object: &Bound<'py, PyAny>, _class: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        if object.is_none() {
            return Ok(slf.into_any());
        }
        let py = slf.py();
        let of = object.clone().unbind();
        Ok(match &object.cast::<Resource>()?.get().owner {
            Owner::Calls(access) => Bound::new(py, Function::method(access.clone_ref(py), &slf.get().shape, of))?.into_any(),
            Owner::Awaits(access) => Bound::new(py, AsyncFunction::method(access.clone_ref(py), &slf.get().shape, of))?.into_any(),
        })
    }

    #[pyo3(signature = (object, /, *args, **kwargs))]
    fn __call__<'py>(
        slf: Bound<'py, Self>,
        object: &Bound<'py, PyAny>,
        args: &Bound<'py, PyTuple>,
        kwargs: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let class = object.get_type().into_any();
        Self::__get__(slf, object, &class)?.call(args, kwargs)
    }

    #[getter]
    fn __name__(&self) -> &str {
        &self.shape.name
    }

    #[getter]
    fn __doc__(&self) -> &str {
        &self.shape.function.docs
    }

    #[getter]
    fn __signature__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        signature::make(py, &self.shape.function, true)
    }

    fn __repr__(&self) -> String {
        format!("<undergo method {}>", signature::text(&self.shape.function))
    }
}

/// Gives each resource of the plugin what Python has for it, and adds the classes by name.
pub(crate) fn make_classes<'py>(py: Python<'py>, plugin: &Plugin, classes: &Bound<'py, PyDict>) -> PyResult<()> {
    for resource in plugin.interface().into_iter().flat_map(|interface| &interface.resources) {
        let ty = &resource.ty;
        let mut made = ResourceClass::new(signature::of_resource(resource));
        if ty.side == Side::Guest {
            let members = PyDict::new(py);
            for (name, function) in ty.methods.iter().zip(&resource.methods) {
                let Some(export) = plugin.member(function) else { continue };
                let shape = Arc::new(Shape::new(py, export, function, method_name(name)));
                members.set_item(shape.name.clone(), Bound::new(py, Method { shape })?)?;
            }
            let name = class_name(&ty.name);
            let class = package::types(py, "make_resource")?.call1((py.get_type::<Resource>(), &name, &ty.docs, members))?;
            let class = class.cast_into::<PyType>()?;
            if ty.shape == Form::Object {
                classes.set_item(name, &class)?;
            }
            made = made.with_class(&class, around(py, ty)?);
        }
        ty.extension.get_or_init(|| made);
    }
    Ok(())
}

/// What makes of a resource's object what Python has for its shape.
fn around<'py>(py: Python<'py>, ty: &ResourceType) -> PyResult<Option<Bound<'py, PyAny>>> {
    let name = match ty.shape {
        Form::Object | Form::Callback => return Ok(None),
        Form::Iterator => "items",
        Form::Reader => "reader",
        Form::Writer => "writer",
    };
    package::handles(py, name).map(Some)
}
