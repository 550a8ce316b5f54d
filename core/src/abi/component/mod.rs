//! The values of components: what has the same form in a block and in the guest's memory is copied,
//! and the rest is lifted and lowered by the engine, and read from a block and written into one.

pub(crate) mod direct;
mod read;
mod said;
mod write;

use std::sync::Arc;

use wasmtime::component::{ResourceAny, Val};

use crate::error::Result;
use crate::interface::{ResourceType, Type, TypeKind, VariantType};

pub(crate) use read::Reader;
pub(crate) use write::Writer;

/// Whoever has an instance's handles, and knows those of the engine.
pub(crate) trait Handing {
    /// For the engine, what has that number in a block.
    fn give(&mut self, resource: &ResourceType, number: u32, is_own: bool) -> Result<Val>;

    /// The number in a block for what the engine gives.
    fn take(&mut self, resource: &Arc<ResourceType>, handle: ResourceAny) -> Result<u32>;
}

/// A list of marked errors, outermost first.
fn listed(errors: &Arc<VariantType>) -> Type {
    Type::new(TypeKind::List(Type::new(TypeKind::Variant(errors.clone())).into()))
}

/// The case of the one error of a component's own type: the text is the other.
const FIELDS: u32 = 1;

/// Where the fields of that case begin, behind its text.
fn fields_offset(errors: &VariantType) -> u32 {
    match errors.cases.get(FIELDS as usize).and_then(|case| case.ty.as_ref()).map(|ty| &ty.kind) {
        Some(TypeKind::Tuple(pair)) => pair.offsets[1],
        _ => 0,
    }
}

/// The fields of `undergo:go/types.time`.
const TIME: [&str; 3] = ["seconds", "nanoseconds", "offset"];
