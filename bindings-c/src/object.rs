//! Objects of the host, as handles.

use std::ffi::c_void;
use std::ptr;
use std::sync::Arc;

use undergo::HostObject;
use undergo::host::HostFunction;
use undergo::interface::{ResourceType, Shape};

use crate::boundary::{Destroy, UserData, delete, give};

/// An object of the host, for a guest to call: one with methods, a function, an iterable or a
/// stream. Whoever creates it owns it, and frees it with `undergo_object_delete`; it may be passed
/// to any number of calls, of several instances. What a guest still holds of it lives on: its data
/// is freed by its `drop` function, once, when neither the program nor a guest has it any more.
///
/// A component may pass an object with methods back, to a host function or in a result. That is
/// another handle of the object which the program has created, with its data. In structs it belongs
/// to Undergo, and is not freed: it lives as long as the arguments or, in a result, as the arena. A
/// copy lives on, and may be given to a guest as the result of a host function.
#[derive(Clone)]
pub struct ObjectHandle {
    core: HostObject,
    functions: Arc<[Arc<dyn HostFunction>]>,
    /// The WIT names of its methods. `None` for those of a dispatcher, which knows their digests.
    names: Option<Arc<[String]>>,
    origin: Origin,
}

/// What the program knows an object by.
#[derive(Clone)]
pub(crate) enum Origin {
    Nothing,
    /// Its data, with what frees that; something else keeps it.
    Data(Arc<UserData>, Destroy),
    /// The number that a dispatcher gave.
    Number(u64),
}

impl Origin {
    pub(crate) fn data(data: *mut c_void, destroy: Destroy) -> Origin {
        Origin::Data(Arc::new(UserData::borrowed(data)), destroy)
    }
}

impl ObjectHandle {
    pub(crate) fn named(methods: Vec<(String, Arc<dyn HostFunction>)>) -> ObjectHandle {
        let (names, functions): (Vec<_>, Vec<_>) = methods.into_iter().unzip();
        ObjectHandle { names: Some(names.into()), ..ObjectHandle::unnamed(functions) }
    }

    pub(crate) fn unnamed(functions: Vec<Arc<dyn HostFunction>>) -> ObjectHandle {
        let core = HostObject::new(functions.iter().cloned());
        ObjectHandle { core, functions: functions.into(), names: None, origin: Origin::Nothing }
    }

    /// The same with what the program knows it by.
    pub(crate) fn from(self, origin: Origin) -> ObjectHandle {
        ObjectHandle { origin, ..self }
    }

    /// For a value, whose resource is not known: what it lacks is told when it is called.
    pub(crate) fn any(&self) -> HostObject {
        self.standing(self.core.clone())
    }

    /// As an object of that resource.
    ///
    /// # Errors
    ///
    /// What it lacks.
    pub(crate) fn of(&self, resource: &ResourceType) -> Result<HostObject, String> {
        let wanted = &resource.methods;
        let object = match &self.names {
            None if self.functions.len() == wanted.len() => self.core.clone(),
            None => return Err(format!("the object has {} methods, and {} has {}", self.functions.len(), resource.name, wanted.len())),
            Some(names) if **names == **wanted => self.core.clone(),
            Some(names) => {
                let function = |name: &String| {
                    let at = names.iter().position(|own| own == name);
                    at.map(|at| self.functions[at].clone())
                        .ok_or_else(|| format!("the object has no method {name}, as {} has", resource.name))
                };
                HostObject::new(wanted.iter().map(function).collect::<Result<Vec<_>, _>>()?)
            }
        };
        // A guest passes no others back.
        Ok(if resource.shape == Shape::Object { self.standing(object) } else { object })
    }

    fn standing(&self, object: HostObject) -> HostObject {
        object.standing_for(self.clone())
    }

    /// Another handle of the object, which a guest passes back. `None` for one that is not the
    /// program's.
    pub(crate) fn back(object: &HostObject) -> Option<ObjectHandle> {
        object.value::<ObjectHandle>().cloned()
    }
}

/// Another handle of the same object, which the caller frees. NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_object_copy(object: *const ObjectHandle) -> *mut ObjectHandle {
    // SAFETY: C's promise.
    unsafe { object.as_ref() }.map_or(ptr::null_mut(), |object| give(object.clone()))
}

/// The data with which an object was created; NULL for one of a dispatcher, and for what has none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_object_data(object: *const ObjectHandle) -> *mut c_void {
    // SAFETY: C's promise.
    match unsafe { object.as_ref() }.map(|object| &object.origin) {
        Some(Origin::Data(data, _)) => data.data,
        _ => ptr::null_mut(),
    }
}

/// The same if it was created with that `drop`, so that the data is what the caller knows; NULL
/// otherwise.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_object_data_of(object: *const ObjectHandle, drop: Destroy) -> *mut c_void {
    // SAFETY: C's promise.
    match unsafe { object.as_ref() }.map(|object| &object.origin) {
        Some(Origin::Data(data, Some(own))) if drop.is_some_and(|drop| ptr::fn_addr_eq(*own, drop)) => data.data,
        _ => ptr::null_mut(),
    }
}

/// Whether two handles are of the same object, which NULL is not.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_object_is_same(object: *const ObjectHandle, other: *const ObjectHandle) -> bool {
    // SAFETY: C's promise.
    match unsafe { (object.as_ref(), other.as_ref()) } {
        (Some(object), Some(other)) => object.core == other.core,
        _ => false,
    }
}

/// Sets the number that a dispatcher gave for an object. Whether it is one of a dispatcher.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_object_dispatched(object: *const ObjectHandle, id: *mut u64) -> bool {
    // SAFETY: C's promise.
    let (object, out) = unsafe { (object.as_ref(), id.as_mut()) };
    let Some(Origin::Number(number)) = object.map(|object| &object.origin) else { return false };
    if let Some(out) = out {
        *out = *number;
    }
    true
}

/// Frees an object of the host, on any thread. NULL is accepted.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_object_delete(object: *mut ObjectHandle) {
    // SAFETY: C's promise.
    unsafe { delete(object) };
}
