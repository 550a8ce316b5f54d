//! The Ruby binding: own the inputs, leave Ruby's lock, call the core, convert, map the error.
//!
//! # Levels
//!
//! A file imports from those below it only, which `core/tests/levels.rs` checks:
//!
//! ```text
//! lib.rs        the native half of the module `Undergo`
//! plugin.rs     a compiled plugin
//! server.rs     a plugin that serves HTTP
//! pool.rs       interchangeable instances
//! resource.rs   the objects of a guest
//! instance.rs   a running copy of a plugin, and its memory
//! exports.rs    the exports as methods, and by their numbers
//! function.rs   an export: its names, its call
//! config.rs     sandboxes, limits and options
//! imports.rs    host functions
//! services.rs   services of the core that plugins import
//! chain.rs      errors with fields, and what they wrap
//! lower.rs      from Ruby's values to guest memory
//! lift.rs       from guest memory to Ruby's values
//! handle.rs     handles of a guest's objects
//! types.rs      the classes of records and variants, and the symbols of enums
//! json.rs       Ruby's values as JSON
//! records.rs    what is measured, as arrays for the gem's Structs
//! cancel.rs     cancellation tokens
//! lock.rs       leaving Ruby's lock and taking it again; interrupts
//! errors.rs     errors and exceptions
//! gem.rs        functions of the gem's own Ruby
//! values.rs     what is in Ruby's values
//! keep.rs       values that Ruby's collector has to see
//! ```

#![expect(clippy::needless_pass_by_value, reason = "magnus makes values of what Ruby gives")]
#![expect(missing_docs, reason = "the function that Ruby calls first is made by a macro, which writes no documentation")]

mod cancel;
mod chain;
mod config;
mod errors;
mod exports;
mod function;
mod gem;
mod handle;
mod imports;
mod instance;
mod json;
mod keep;
mod lift;
mod lock;
mod lower;
mod plugin;
mod pool;
mod records;
mod resource;
mod server;
mod services;
mod types;
mod values;

use magnus::prelude::*;
use magnus::{Error, Ruby};

/// Defines the native half of the module `Undergo`. Ruby itself refuses its methods to ractors
/// other than the main one, since it does not say that it is safe for them.
#[magnus::init(name = "undergo_ruby")]
fn init(ruby: &Ruby) -> Result<(), Error> {
    let module = ruby.define_module("Undergo")?;
    keep::define(ruby, module)?;
    let kinds: Vec<&str> = undergo::ErrorKind::ALL.iter().map(|kind| kind.as_str()).collect();
    module.const_set("ERROR_KINDS", ruby.ary_from_iter(kinds.into_iter().map(|kind| ruby.str_new(kind))))?;
    module.const_set("BATCH", undergo::host::BATCH.as_secs_f64())?;
    cancel::define(ruby, module)?;
    config::define(module)?;
    services::define(ruby, module)?;
    instance::define(ruby, module)?;
    resource::define(ruby, module)?;
    pool::define(ruby, module)?;
    server::define(ruby, module)?;
    plugin::define(ruby, module)?;
    lock::install(ruby);
    Ok(())
}
