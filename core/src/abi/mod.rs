//! The canonical ABI: between host values and guest memory, without anything in between.

pub(crate) mod blob;
pub(crate) mod block;
pub(crate) mod budget;
mod buffer;
pub(crate) mod flat;
pub(crate) mod json;
pub(crate) mod lift;
pub(crate) mod lower;
pub(crate) mod memory;
pub(crate) mod text;
