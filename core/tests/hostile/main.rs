//! Guests that break the contract on purpose: each is an error of the right kind, and the host and
//! other instances go on.

mod arguments;
mod callable;
#[path = "../common/mod.rs"]
mod common;
mod handles;
mod imports;
mod modules;
mod poll;
mod results;
mod time;
