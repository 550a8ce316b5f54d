//! Services that a program switches on for its plugins, under the names that WASI has for them.

pub(crate) mod config;
pub(crate) mod keyvalue;
pub(crate) mod logging;
