//! Calls into a guest and out of it: exports, host functions, and calls back from within these.

mod answer;
pub(crate) mod batches;
pub(crate) mod closures;
pub(crate) mod component;
pub(crate) mod component_handles;
#[cfg(feature = "wasi-0-3")]
pub(crate) mod concurrent;
pub(crate) mod flat;
pub(crate) mod given;
pub(crate) mod host_call;
pub(crate) mod invoke;
pub(crate) mod outcome;
pub(crate) mod plain;
pub(crate) mod provided;
pub(crate) mod read_ahead;
pub(crate) mod resources;
pub(crate) mod typed;
