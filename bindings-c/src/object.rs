//! Objects of the host, as handles.

use std::sync::Arc;

use undergo::HostObject;
use undergo::host::HostFunction;
use undergo::interface::ResourceType;

use crate::boundary::delete;

/// An object of the host, for a guest to call: one with methods, a function, an iterable or a
/// stream. Whoever creates it owns it, and frees it with `undergo_object_delete`; it may be passed
/// to any number of calls, of several instances. What a guest still holds of it lives on: its data
/// is freed by its `drop` function, once, when neither the program nor a guest has it any more.
pub struct ObjectHandle {
    core: HostObject,
    functions: Vec<Arc<dyn HostFunction>>,
    /// The WIT names of its methods. `None` for those of a dispatcher, which knows their digests.
    names: Option<Vec<String>>,
}

impl ObjectHandle {
    pub(crate) fn named(methods: Vec<(String, Arc<dyn HostFunction>)>) -> ObjectHandle {
        let (names, functions): (Vec<_>, Vec<_>) = methods.into_iter().unzip();
        ObjectHandle { names: Some(names), ..ObjectHandle::unnamed(functions) }
    }

    pub(crate) fn unnamed(functions: Vec<Arc<dyn HostFunction>>) -> ObjectHandle {
        ObjectHandle { core: HostObject::new(functions.iter().cloned()), functions, names: None }
    }

    /// For a value, whose resource is not known: what it lacks is told when it is called.
    pub(crate) fn any(&self) -> HostObject {
        self.core.clone()
    }

    /// As an object of that resource.
    ///
    /// # Errors
    ///
    /// What it lacks.
    pub(crate) fn of(&self, resource: &ResourceType) -> Result<HostObject, String> {
        let wanted = &resource.methods;
        match &self.names {
            None if self.functions.len() == wanted.len() => Ok(self.core.clone()),
            None => Err(format!("the object has {} methods, and {} has {}", self.functions.len(), resource.name, wanted.len())),
            Some(names) if names == wanted => Ok(self.core.clone()),
            Some(names) => {
                let function = |name: &String| {
                    let at = names.iter().position(|own| own == name);
                    at.map(|at| self.functions[at].clone())
                        .ok_or_else(|| format!("the object has no method {name}, as {} has", resource.name))
                };
                Ok(HostObject::new(wanted.iter().map(function).collect::<Result<Vec<_>, _>>()?))
            }
        }
    }
}

/// Frees an object of the host, on any thread. NULL is accepted.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_object_delete(object: *mut ObjectHandle) {
    // SAFETY: C's promise.
    unsafe { delete(object) };
}
