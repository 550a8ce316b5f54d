//! The Node binding: own the inputs, leave the event loop, call the core, convert, map the error.
//! What needs no speed is JavaScript: `lib/`.
//!
//! # Levels
//!
//! A file imports from those below it only, which `core/tests/levels.rs` checks:
//!
//! ```text
//! lib.rs        what Node gets when it loads the library
//! open.rs       the native functions of the package, in one table
//! command.rs    running a command
//! instance.rs   a running copy of a plugin
//! server.rs     servers of HTTP
//! pool.rs       interchangeable instances
//! plugin.rs     a compiled plugin
//! services.rs   services of the core that plugins import
//! config.rs     options that the package's JavaScript has checked
//! cancel.rs     what stands behind an AbortSignal
//! imports.rs    host functions
//! native.rs     native functions, as JavaScript calls them
//! function.rs   an export, as a function of JavaScript
//! promise.rs    calls as promises
//! exceptions.rs the core's errors as exceptions, and what host functions throw
//! lower.rs      from JavaScript's values to guest memory
//! lift.rs       from guest memory to JavaScript's values
//! object.rs     objects of a guest, and those that it gets
//! types.rs      names as JavaScript writes them
//! realm.rs      values of a context of module `vm`
//! serving.rs    servers that run
//! under_way.rs  calls that keep the event loop alive
//! table.rs      functions that a guest may call
//! errors.rs     what JavaScript throws as errors
//! bytes.rs      the bytes of buffers
//! kept.rs       references to objects that may be carried to other threads
//! home.rs       the event loop
//! reference.rs  references of Node-API
//! js.rs         values of Node-API
//! ```

mod bytes;
mod cancel;
mod command;
mod config;
mod errors;
mod exceptions;
mod function;
mod home;
mod imports;
mod instance;
mod js;
mod kept;
mod lift;
mod lower;
mod native;
mod object;
mod open;
mod plugin;
mod pool;
mod promise;
mod realm;
mod reference;
mod server;
mod services;
mod serving;
mod table;
mod types;
mod under_way;

use napi::bindgen_prelude::Object;
use napi::{JsValue as _, Status};
use napi_derive::napi;

use crate::js::Env;

/// What Node gets when it loads the library: once for the main thread, and once for each worker
/// that asks for it. It has one function, `open(helpers)`, which each copy of the package's
/// JavaScript calls for native functions of its own: a program may have several, when it loads the
/// package anew, or in contexts of module `vm`, as Jest does.
#[napi(module_exports)]
pub fn init(exports: Object<'_>, env: napi::Env) -> napi::Result<()> {
    undergo::host::set_interrupt(home::look);
    let env = Env(env.raw());
    let exports = env.value(exports.value().value);
    let made = open::opener(env).and_then(|open| exports.set_named("open", open));
    made.map_err(|failed| napi::Error::new(Status::from(failed.0), "the native half of the package undergo can't be set up"))
}
