//! The three standard streams: where a guest's input comes from, and where its output goes.

pub(crate) mod component;
pub(crate) mod input;
pub(crate) mod output;
pub(crate) mod streams;
