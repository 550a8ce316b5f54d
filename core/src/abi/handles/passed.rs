//! What is passed to a guest as a handle.

use std::ptr;
use std::sync::Arc;

use super::{Handle, HostObject};
use crate::error::{Error, ErrorKind, Result};
use crate::interface::{Function, ResourceType, Shape, Side, names};

/// What is passed to a guest as a handle.
pub(crate) enum Passed {
    /// An object of the guest, borrowed.
    Borrow(Handle),
    /// An object of the guest, which is given away.
    Own(Handle),
    /// An object of the host, for the call or for as long as the guest wants.
    Host { ty: Arc<ResourceType>, object: HostObject, is_own: bool },
    /// One whose resource the interface says, when it is known what is called: a part of the
    /// parameter of that number, or of the result.
    Typed { param: Option<usize>, object: Typed },
}

/// What a type of Rust passes, which knows no more of its resource.
pub(crate) enum Typed {
    Guest(Handle),
    /// An object of the host for a resource of that shape and, unless all of that shape are alike,
    /// of that name.
    Host(HostObject, Shape, Option<&'static str>),
}

impl Passed {
    /// With its resource, if it is passed to that function, or is what that gives.
    pub(crate) fn resolve(self, function: &Function) -> Result<Passed> {
        let Passed::Typed { param, object } = self else { return Ok(self) };
        let ty = match param {
            Some(number) => function.params.get(number).map(|param| &param.ty),
            None => function.result.as_ref(),
        };
        let find = |fits: &dyn Fn(&ResourceType) -> bool| ty.and_then(|ty| ty.handle(fits));
        match object {
            Typed::Guest(handle) => match find(&|resource| ptr::eq(resource, &raw const **handle.ty())) {
                Some((_, true)) => Ok(Passed::Own(handle)),
                Some((_, false)) => Ok(Passed::Borrow(handle)),
                None => Err(match find(&|resource| resource.side == Side::Guest) {
                    Some((wanted, _)) => unlike(handle.ty(), wanted),
                    None => unwanted(&handle.ty().name),
                }),
            },
            Typed::Host(object, shape, name) => {
                let fits = |resource: &ResourceType| {
                    resource.side == Side::Host && resource.shape == shape && name.is_none_or(|name| names::means(name, &resource.name))
                };
                match find(&fits) {
                    Some((resource, is_own)) => Ok(Passed::Host { ty: resource.clone(), object, is_own }),
                    None => Err(unwanted(name.unwrap_or("object"))),
                }
            }
        }
    }
}

#[cold]
pub(super) fn unlike(found: &ResourceType, wanted: &ResourceType) -> Error {
    let text = if found.name == wanted.name {
        format!("the {} is one of another plugin", found.name)
    } else {
        format!("expected {}, got {}", wanted.name, found.name)
    };
    Error::new(ErrorKind::TypeMismatch, text)
}

#[cold]
fn unwanted(name: &str) -> Error {
    Error::new(ErrorKind::TypeMismatch, format!("the plugin takes no {name} here"))
}
