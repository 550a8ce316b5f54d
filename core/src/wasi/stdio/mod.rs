//! The three standard streams: where a guest's input comes from, and where its output goes.

pub(crate) mod component;
#[cfg(feature = "wasi-0-3")]
pub(crate) mod concurrent;
pub(crate) mod input;
pub(crate) mod output;
pub(crate) mod streams;
