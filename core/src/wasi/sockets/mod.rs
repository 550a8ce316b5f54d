//! A guest's network: the WasmEdge extension of preview 1, versions 1 and 2, over sockets of the
//! host, within the rules of the sandbox.
//!
//! From the bottom up: `rules`, `network`, `address`, `denials`, `peers`, `socket`, `lookups`,
//! `names`, `public`, `access`, `table`, `place`, `permit`, `options`, `transfer`, `functions`,
//! `versions`; and `component`, for WASI 0.2.

pub(crate) mod access;
pub(crate) mod address;
pub(crate) mod component;
pub(crate) mod denials;
pub(crate) mod functions;
pub(crate) mod lookups;
mod names;
pub(crate) mod network;
mod options;
mod peers;
mod permit;
pub(crate) mod place;
mod public;
pub(crate) mod rules;
pub(crate) mod socket;
pub(crate) mod table;
pub(crate) mod transfer;
pub(crate) mod versions;
