//! Handles of a guest's objects, and what Ruby has for their resources.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use magnus::prelude::*;
use magnus::value::Opaque;
use magnus::{DataTypeFunctions, Error, RClass, Ruby, TypedData, Value, gc};
use undergo::ErrorKind;
use undergo::host::ReadAhead;
use undergo::interface::Function;

use crate::gem;
use crate::keep::Kept;

/// An object of a guest. The gem has its documentation.
#[derive(TypedData)]
#[magnus(class = "Undergo::Resource", mark)]
pub(crate) struct Handle {
    pub(crate) core: undergo::Handle,
    /// The instance, which calls the methods.
    pub(crate) owner: Opaque<Value>,
    /// Of an iterator.
    pub(crate) ahead: RefCell<Option<ReadAhead>>,
}

impl DataTypeFunctions for Handle {
    fn mark(&self, marker: &gc::Marker) {
        marker.mark(self.owner);
    }
}

/// An instance, which may be one that a pool lends.
pub(crate) struct Access {
    instance: undergo::Instance,
    is_over: AtomicBool,
}

impl Access {
    pub(crate) fn new(instance: undergo::Instance) -> Access {
        Access { instance, is_over: AtomicBool::new(false) }
    }

    /// The instance, unless it was returned: somebody else may have it then.
    pub(crate) fn check(&self) -> undergo::Result<&undergo::Instance> {
        if self.is_over.load(Ordering::Relaxed) {
            return Err(undergo::Error::new(ErrorKind::DeadInstance, "the instance was returned to its pool"));
        }
        Ok(&self.instance)
    }

    /// Ends the lending.
    pub(crate) fn end(&self) {
        self.is_over.store(true, Ordering::Relaxed);
    }
}

/// What stands for a resource.
pub(crate) struct ResourceClass {
    class: Kept,
    /// The function of the gem that makes an iterator or a stream of an object.
    around: Option<&'static str>,
    /// The function that gives an iterator's items.
    next: Option<Arc<Function>>,
}

impl ResourceClass {
    pub(crate) fn new(class: RClass, around: Option<&'static str>, next: Option<Arc<Function>>) -> ResourceClass {
        ResourceClass { class: Kept::new(class.as_value()), around, next }
    }

    /// What Ruby has of the object with that handle, whose methods the owner calls.
    pub(crate) fn make(&self, ruby: &Ruby, owner: Value, handle: undergo::Handle) -> Result<Value, Error> {
        let class = RClass::from_value(self.class.value(ruby)).ok_or_else(|| Error::new(ruby.exception_type_error(), "no class"))?;
        let ahead = RefCell::new(self.next.as_deref().map(ReadAhead::of));
        let object = ruby.obj_wrap_as(Handle { core: handle, owner: owner.into(), ahead }, class).as_value();
        match self.around {
            Some(function) => gem::call(ruby, function, (object,)),
            None => Ok(object),
        }
    }
}
