//! Handles of a component, between the engine's tables and the instance's.
//!
//! The engine has the guest's own tables. What the host's program has of the guest's objects, and
//! the guest of the program's, is in the instance's, as it is for a module: an object of the guest
//! is known there by its place among the component's, and one of the host by its number there.

use std::mem::take;
use std::sync::Arc;

use wasmtime::StoreContextMut;
use wasmtime::component::{ResourceAny, ResourceDynamic, Val};

use crate::abi::component::Handing;
use crate::error::{Error, ErrorKind, Result};
use crate::guest::component::Component;
use crate::guest::state::State;
use crate::interface::{ResourceType, Side};

impl Handing for StoreContextMut<'_, State> {
    fn give(&mut self, resource: &ResourceType, number: u32, is_own: bool) -> Result<Val> {
        let handle = match (resource.side, is_own) {
            (Side::Guest, true) => {
                let rep = self.data().handles.take_own(resource, number)?;
                component(self)?.objects.take(rep)
            }
            (Side::Guest, false) => component(self)?.objects.get(number),
            (Side::Host, _) => {
                // An owned handle can be lent. The engine takes one that is borrowed during a call
                // only.
                let own = ResourceDynamic::new_own(number, resource.id);
                let handle = own.try_into_resource_any(&mut *self).map_err(|error| refused(&error))?;
                if !is_own {
                    component(self)?.lent.push(handle);
                }
                Some(handle)
            }
        };
        handle.map(Val::Resource).ok_or_else(|| Error::new(ErrorKind::Trap, format!("the {} has ended", resource.name)))
    }

    fn take(&mut self, resource: &Arc<ResourceType>, handle: ResourceAny) -> Result<u32> {
        match resource.side {
            Side::Guest => {
                let rep = component(self)?.objects.insert(handle);
                let number = self.data().handles.new_own(resource.number, rep)?;
                component(self)?.given.push((resource.clone(), number));
                Ok(number)
            }
            Side::Host => Ok(handle.try_into_resource_dynamic(&mut *self).map_err(|error| refused(&error))?.rep()),
        }
    }
}

fn component<'s>(store: &'s mut StoreContextMut<'_, State>) -> Result<&'s mut Component> {
    store.data_mut().component.as_deref_mut().ok_or_else(|| Error::new(ErrorKind::Trap, "the instance is no component"))
}

#[cold]
fn refused(error: &wasmtime::Error) -> Error {
    Error::new(ErrorKind::Trap, format!("the engine refuses a handle: {error:#}"))
}

/// Ends the engine's handles of what was lent for a call, which is over.
pub(crate) fn take_back(store: &mut StoreContextMut<'_, State>) -> Result<()> {
    for handle in take(&mut component(store)?.lent) {
        handle.try_into_resource_dynamic(&mut *store).map_err(|error| refused(&error))?;
    }
    Ok(())
}

/// Ends the objects in results that the host's program did not take: one whose conversion failed in
/// the middle, say.
pub(crate) fn forget_results(store: &mut StoreContextMut<'_, State>) {
    let Some(component) = store.data_mut().component.as_deref_mut() else { return };
    for (resource, number) in take(&mut component.given) {
        // What was taken is no handle of the guest any more.
        let _ = store.data().handles.drop_handle(&resource, number);
    }
}
