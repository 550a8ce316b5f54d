//! The canonical ABI: straight between host values and guest memory.

pub(crate) mod access;
pub(crate) mod blob;
pub(crate) mod block;
mod buffer;
pub(crate) mod chain;
pub(crate) mod component;
pub(crate) mod flat;
pub(crate) mod handles;
pub(crate) mod joined;
pub(crate) mod json;
pub(crate) mod json_tree;
pub(crate) mod json_writer;
pub(crate) mod lift;
pub(crate) mod lower;
pub(crate) mod memory;
pub(crate) mod quota;
pub(crate) mod text;
pub(crate) mod transfer;
pub(crate) mod typed;
pub(crate) mod value;
