//! The imports of a plugin that concern resources: what the canonical ABI does with handles, and
//! the methods of the host's objects. See docs/abi.md, section 10.

use std::sync::Arc;

use crate::abi::value::Value;
use crate::error::{Error, ErrorKind, Result};
use crate::guest::host::{HostCall, HostFunction};
use crate::interface::{Field, Function, Interface, Resource, ResourceType, Scalar, Side, Type, TypeKind};

/// An import that no program provides.
pub(crate) struct Provided {
    pub(crate) module: String,
    pub(crate) name: String,
    pub(crate) function: Arc<Function>,
    pub(crate) provided: Arc<dyn HostFunction>,
}

/// All of them that a plugin with that interface may import.
pub(crate) fn imports(interface: &Interface) -> Vec<Provided> {
    interface.resources.iter().flat_map(of_resource).collect()
}

/// The methods of the host's objects, which are all that a component imports of these: the engine
/// has its handles.
pub(crate) fn methods(interface: &Interface) -> Vec<Provided> {
    let hosts = interface.resources.iter().filter(|resource| resource.ty.side == Side::Host);
    hosts.flat_map(methods_of).collect()
}

fn methods_of(resource: &Resource) -> impl Iterator<Item = Provided> {
    let ty = &resource.ty;
    resource.methods.iter().enumerate().map(|(number, function)| Provided {
        module: ty.interface.clone(),
        name: function.core_name.clone(),
        function: function.clone(),
        provided: Arc::new(Method { resource: ty.clone(), number }),
    })
}

fn of_resource(resource: &Resource) -> Vec<Provided> {
    let ty = &resource.ty;
    let builtin = |module: &str, what, does, result| {
        let function = word_to(ty.builtin(what), result);
        let provided: Arc<dyn HostFunction> = Arc::new(Builtin { resource: ty.clone(), does });
        Provided { module: module.to_owned(), name: function.name.clone(), function: Arc::new(function), provided }
    };
    match ty.side {
        Side::Guest => {
            let module = format!("[export]{}", ty.interface);
            vec![
                builtin(&module, "new", Does::New, true),
                builtin(&module, "rep", Does::Rep, true),
                builtin(&module, "drop", Does::Drop, false),
            ]
        }
        Side::Host => {
            let mut all: Vec<_> = methods_of(resource).collect();
            all.push(builtin(&ty.interface, "drop", Does::Drop, false));
            all
        }
    }
}

/// A function of a word of 32 bits.
fn word_to(name: String, has_result: bool) -> Function {
    let word = || Type::new(TypeKind::Scalar(Scalar::U32));
    let param = Field { name: "handle".to_owned(), docs: String::new(), ty: word() };
    Function::new(name, String::new(), vec![param], has_result.then(word), false)
}

/// What the canonical ABI does with handles of a resource.
struct Builtin {
    resource: Arc<ResourceType>,
    does: Does,
}

#[derive(Clone, Copy)]
enum Does {
    New,
    Rep,
    Drop,
}

impl HostFunction for Builtin {
    fn at_home(&self) -> bool {
        // What ends then is the host's.
        matches!(self.does, Does::Drop) && self.resource.side == Side::Host
    }

    fn call(&self, call: &mut HostCall<'_>) -> Result<()> {
        let word = call.first_word()?;
        let handles = call.store.data().handles.clone();
        let answer = match self.does {
            Does::New => handles.new_own(self.resource.number, word)?,
            Does::Rep => handles.rep(&self.resource, word)?,
            Does::Drop => {
                if let Some(object) = handles.drop_handle(&self.resource, word)? {
                    // Its code may call the instance.
                    call.outside(|| drop(object));
                }
                return call.answer(&&Value::None);
            }
        };
        call.answer(&&Value::Int(answer.into()))
    }
}

/// A method of the host's objects of a resource.
struct Method {
    resource: Arc<ResourceType>,
    number: usize,
}

impl HostFunction for Method {
    fn call(&self, call: &mut HostCall<'_>) -> Result<()> {
        let handle = call.first_word()?;
        let object = call.store.data().handles.object(&self.resource, handle)?;
        match object.method(self.number) {
            Some(function) => function.call(call),
            None => {
                let text = format!("the host's object has no method {} of {}", self.resource.methods[self.number], self.resource.name);
                Err(Error::new(ErrorKind::HostError, text))
            }
        }
    }
}
