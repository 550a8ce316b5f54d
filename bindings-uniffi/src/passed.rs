//! What the program passes to a plugin for longer than a call.

use std::fmt;
use std::sync::Arc;

use undergo::host::{HostCall, HostFunction, remaining_stack};
use undergo::interface::{ResourceType, names};
use undergo::{HostObject as Core, Result};

use crate::handle::Shape;
use crate::threads;

/// An object of the other language, which crosses as itself: an exception that a host function has
/// raised, of which whoever called the plugin gets the same object, or what a plugin passes back.
#[uniffi::export(with_foreign)]
pub trait HostObject: Send + Sync {
    /// What it says.
    fn describe(&self) -> String;
}

impl fmt::Debug for dyn HostObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HostObject")
    }
}

/// An object of the program, a function, an iterable or a stream, as a plugin calls it: one host
/// function for each method. It lives for as long as the program or a plugin has it.
#[derive(uniffi::Object)]
pub struct Passed {
    shape: Shape,
    /// By the names of their methods.
    functions: Vec<(String, Arc<dyn HostFunction>)>,
    own: Option<Arc<dyn HostObject>>,
}

#[uniffi::export]
impl Passed {
    /// What the program has given.
    pub fn own(&self) -> Option<Arc<dyn HostObject>> {
        self.own.clone()
    }
}

impl Passed {
    pub(crate) fn of(shape: Shape, functions: Vec<(String, Arc<dyn HostFunction>)>, own: Arc<dyn HostObject>) -> Arc<Passed> {
        Arc::new(Passed { shape, functions, own: Some(own) })
    }

    /// What a plugin gets as an object of that resource; why it is none otherwise.
    pub(crate) fn object(self: &Arc<Passed>, resource: &ResourceType) -> Result<Core, String> {
        let wanted = Shape::from(resource.shape);
        if self.shape != wanted {
            return Err(format!("expected {}, got {}", what(wanted), what(self.shape)));
        }
        let method = |wanted: &String| {
            let function = self.functions.iter().find(|(name, _)| names::means(name, wanted)).map(|(_, function)| function.clone());
            let function = function.ok_or_else(|| format!("the object has no method {wanted}, as {} has", resource.name))?;
            Ok(Arc::new(Method { function, _of: self.clone() }) as Arc<dyn HostFunction>)
        };
        let object = Core::new(resource.methods.iter().map(method).collect::<Result<Vec<_>, String>>()?);
        Ok(if wanted == Shape::Object { object.standing_for(self.clone()) } else { object })
    }
}

impl PartialEq for Passed {
    fn eq(&self, other: &Passed) -> bool {
        std::ptr::eq(self, other)
    }
}

impl fmt::Debug for Passed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Passed({:?})", self.shape)
    }
}

/// Bytes of stack that the other language's code gets, where it runs because something is dropped.
const ROOM: usize = 256 << 10;

impl Drop for Passed {
    fn drop(&mut self) {
        // A guest may drop its last handle, on a stack of which it has used the most.
        if remaining_stack() < ROOM {
            threads::dropped((std::mem::take(&mut self.functions), self.own.take()));
        }
    }
}

/// What a shape is in a sentence.
fn what(shape: Shape) -> &'static str {
    match shape {
        Shape::Object => "an object with methods",
        Shape::Callback => "a function",
        Shape::Iterator => "a sequence",
        Shape::Reader => "a stream to read from",
        Shape::Writer => "a stream to write to",
    }
}

/// A method of an object, which keeps the whole of it alive.
struct Method {
    function: Arc<dyn HostFunction>,
    _of: Arc<Passed>,
}

impl HostFunction for Method {
    fn call(&self, call: &mut HostCall<'_>) -> Result<()> {
        self.function.call(call)
    }

    fn at_home(&self) -> bool {
        false
    }
}
