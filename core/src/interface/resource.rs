//! Resources: what lives longer than a call, and crosses as a handle. See docs/abi.md, section 10.

use std::sync::{Arc, OnceLock, Weak};

use super::types::{Extension, Function};

/// A resource.
#[derive(Debug)]
pub struct ResourceType {
    /// Its name, in kebab-case.
    pub name: String,
    /// The doc comment; may be empty.
    pub docs: String,
    /// Who implements it.
    pub side: Side,
    /// What it is in a language of the host.
    pub shape: Shape,
    /// The names of its methods, in kebab-case, in the order of [`Resource::methods`].
    pub methods: Vec<String>,
    /// What a host caches for this resource.
    pub extension: Extension,
    /// Its place among the [resources](super::Interface::resources) of the interface.
    pub number: usize,
    /// The interface that it belongs to, as the core names of its functions have it.
    pub(crate) interface: String,
    /// Its name within that.
    pub(crate) core_name: String,
    /// A number that no other resource of the process has.
    pub(crate) id: u32,
    /// Its methods, which have it among their types.
    pub(crate) functions: OnceLock<Box<[Weak<Function>]>>,
}

/// Who implements a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "host"), non_exhaustive)]
pub enum Side {
    /// The plugin: a host's program has handles of its objects.
    Guest,
    /// The host's program: the plugin has handles of its objects.
    Host,
}

/// What a resource is in a language of the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "host"), non_exhaustive)]
pub enum Shape {
    /// An object with methods.
    Object,
    /// A function: its one method is `call`.
    Callback,
    /// Its one method is `next`, which gives a tuple: a list of one to so many items, and whether
    /// there are no more, in which case the list may be empty.
    Iterator,
    /// A stream to read from: its methods are `read`, which gives one to so many bytes, or none at
    /// the end, and `close`.
    Reader,
    /// A stream to write to: its methods are `write`, which takes all bytes, and `close`.
    Writer,
}

/// A resource with its functions.
#[derive(Debug)]
pub struct Resource {
    /// What values of it have as their type.
    pub ty: Arc<ResourceType>,
    /// Makes an object, if the plugin lets the host do that.
    pub constructor: Option<Arc<Function>>,
    /// The functions of an object, which is the first parameter of each.
    pub methods: Vec<Arc<Function>>,
}

impl Resource {
    /// The method of that name.
    #[must_use]
    pub fn method(&self, name: &str) -> Option<&Arc<Function>> {
        let at = self.ty.methods.iter().position(|method| method == name)?;
        self.methods.get(at)
    }
}

impl ResourceType {
    /// The method of that number, while its interface lives.
    pub(crate) fn function(&self, number: usize) -> Option<Arc<Function>> {
        self.functions.get()?.get(number)?.upgrade()
    }

    /// The core name of what the canonical ABI does with its handles: `[resource-drop]document`.
    pub(crate) fn builtin(&self, what: &str) -> String {
        format!("[resource-{what}]{}", self.core_name)
    }

    /// The core name of its destructor.
    pub(crate) fn destructor(&self) -> String {
        format!("{}#[dtor]{}", self.interface, self.core_name)
    }
}
