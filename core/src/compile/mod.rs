//! From a module's bytes to code: what it says of itself, what it may ask of the compilers, which
//! compiler runs, and where the code is kept.

pub(crate) mod apart;
pub(crate) mod artifact;
pub(crate) mod bounds;
pub(crate) mod cache;
pub(crate) mod component;
pub(crate) mod engine;
pub(crate) mod how;
pub(crate) mod module;
pub(crate) mod optimize;
pub(crate) mod program;
pub(crate) mod proposals;
pub(crate) mod queue;
pub(crate) mod tiering;

/// The version of this crate, and of every other part of Undergo.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
