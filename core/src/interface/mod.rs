//! What a plugin gives and wants, as types: read from its WIT, laid out by the canonical ABI.

pub(crate) mod case_classes;
mod choice;
mod digest;
mod layout;
pub mod names;
pub(crate) mod parameters;
mod resource;
mod types;
mod wit;

pub use choice::Choice;
pub(crate) use layout::{MAX_PLAIN_PARAMS, MOST_WORDS, Plain, Slot, SlotKind, Slots};
pub use resource::{Resource, ResourceType, Shape, Side};
pub use types::{Case, EnumType, Extension, Field, Function, MapType, RecordType, Scalar, Time, TupleType, Type, TypeKind, VariantType};

use layout::failing_layout;
pub(crate) use layout::{discriminant_size, round_up};
pub(crate) use types::{Failure, Origin};
use wit::Sort;
pub(crate) use wit::{CONTEXT_INTERFACE, REFUSAL_INTERFACE, WORLD};

use std::sync::Arc;

use crate::error::{Error, ErrorKind, Result};
use crate::platform::fiber;

/// The typed description of a plugin: a WIT world.
#[derive(Debug)]
pub struct Interface {
    /// The world's name, in kebab-case.
    pub name: String,
    /// The WIT text as the plugin carries it.
    pub wit: String,
    /// The functions that the plugin gives, in the order of the text.
    pub exports: Vec<Arc<Function>>,
    /// The resources, of either side, in the order of the text.
    pub resources: Vec<Resource>,
    /// The interfaces that the plugin wants, with their functions.
    pub imports: Vec<ImportedInterface>,
    /// The records, enums and variants, in the order of the text.
    pub types: Vec<Type>,
}

/// An interface whose functions the host gives.
#[derive(Debug)]
pub struct ImportedInterface {
    /// Its name, which is the core module of its imports: `directory`.
    pub name: String,
    /// Its functions.
    pub functions: Vec<Arc<Function>>,
}

impl Interface {
    /// The export of that WIT name.
    #[must_use]
    pub fn export(&self, name: &str) -> Option<&Arc<Function>> {
        self.exports.iter().find(|function| function.name == name)
    }

    /// The import of that interface and function, by their WIT names.
    #[must_use]
    pub fn import(&self, interface: &str, name: &str) -> Option<&Arc<Function>> {
        self.imports.iter().find(|i| i.name == interface)?.functions.iter().find(|f| f.name == name)
    }

    /// Whether a module's export of that name is one of the functions, or what ends the objects of
    /// a resource.
    #[must_use]
    pub fn has_core_export(&self, name: &str) -> bool {
        let guests = || self.resources.iter().filter(|resource| resource.ty.side == Side::Guest);
        self.exports.iter().chain(self.members()).any(|function| function.core_name == name)
            || guests().any(|resource| resource.ty.destructor() == name)
    }

    /// Whether a module's import of these names is about handles of a resource: each host provides
    /// it, and no program has to.
    #[must_use]
    pub fn has_resource_import(&self, module: &str, name: &str) -> bool {
        self.resources.iter().any(|Resource { ty, methods, .. }| match ty.side {
            Side::Guest => {
                module.strip_prefix("[export]") == Some(&ty.interface) && ["new", "rep", "drop"].iter().any(|what| ty.builtin(what) == name)
            }
            Side::Host => module == ty.interface && (ty.builtin("drop") == name || methods.iter().any(|method| method.core_name == name)),
        })
    }

    /// The resource with its functions.
    ///
    /// # Panics
    ///
    /// If it is of another interface.
    #[must_use]
    pub fn resource(&self, ty: &ResourceType) -> &Resource {
        &self.resources[ty.number]
    }

    /// The functions of the guest's resources, which are numbered after all other exports.
    pub(crate) fn members(&self) -> impl Iterator<Item = &Arc<Function>> {
        let guests = self.resources.iter().filter(|resource| resource.ty.side == Side::Guest);
        guests.flat_map(|resource| resource.constructor.iter().chain(&resource.methods))
    }

    /// Reads the interface of a plugin that is a module from WIT text.
    ///
    /// # Errors
    ///
    /// `invalid-plugin` when the text is not WIT, or uses what a module's interface can't.
    pub fn parse(wit: &str) -> Result<Interface> {
        Interface::parse_of(Sort::Module, wit)
    }

    /// Reads the interface of a component, which may have any type.
    ///
    /// # Errors
    ///
    /// `invalid-plugin` when the text is not WIT, or uses what no plugin can.
    pub fn parse_component(wit: &str) -> Result<Interface> {
        Interface::parse_of(Sort::Component, wit)
    }

    fn parse_of(sort: Sort, wit: &str) -> Result<Interface> {
        // The reader of WIT calls itself for what is nested, and this may be a thread with a small
        // stack.
        const NEEDED: usize = 1 << 20;
        fiber::with_stack(NEEDED, |_| wit::parse(sort, wit))
            .unwrap_or_else(|error| Err(Error::new(ErrorKind::InvalidPlugin, format!("no stack to read WIT on: {error}"))))
    }
}
