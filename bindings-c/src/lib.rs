//! The C binding: own the inputs, call the core, convert, map the error. `include/undergo.h` is
//! generated from it, comments included.
//!
//! Values have two ways to cross: `values.rs` is the dynamic one, a tree of handles; `layout.rs`
//! says how the types of an interface lie in C structs, which `lower.rs` and `lift.rs` read and
//! fill in place.
//!
//! # Levels
//!
//! A file imports from those below it only, which `core/tests/levels.rs` checks:
//!
//! ```text
//! jvm.rs       what the Java host calls
//! lib.rs       the version
//! plugin.rs    a compiled plugin
//! entries.rs   calls through one pointer
//! pool.rs      interchangeable instances
//! passing.rs   iterators and streams of a guest, for other functions
//! iterators.rs iterators of the guest
//! streams.rs   streams of both sides
//! members.rs   constructors and methods of the guest's resources
//! instance.rs  a running copy of a plugin
//! server.rs    a plugin that serves HTTP
//! command.rs   running a command
//! loaded.rs    a compiled plugin with its texts, and the options of its instances
//! describe.rs  the types of a plugin as text
//! dispatch.rs  calls of the host through one function
//! items.rs     iterables of the host
//! methods.rs   objects and functions of the host, for a guest to call
//! services.rs  services of the core that plugins import
//! imports.rs   host functions
//! exports.rs   describing and calling exports
//! chain.rs     the errors that an error consists of
//! values.rs    dynamic values, as trees of handles
//! shape.rs     what a function takes and gives
//! sandbox.rs   what an instance may reach
//! plain.rs     calls whose arguments go straight to the guest
//! lower.rs     from C structs to guest memory
//! lift.rs      from guest memory to C structs
//! handles.rs   handles of the guest's objects, and what iterators have given
//! object.rs    handles of the host's objects
//! guard.rs     panics stop, errors become handles
//! config.rs    options and limits
//! layout.rs    how types lie in C structs
//! errors.rs    errors, as handles
//! links.rs     what their handles keep of the errors that they consist of
//! cancel.rs    cancellation tokens
//! arena.rs     memory for the nested data of a result
//! types.rs     texts, lists and times
//! boundary.rs  checked pointers
//! ```

#![allow(clippy::missing_safety_doc, reason = "the header says it once for all functions, and each function where it wants more")]
#![allow(unreachable_pub, reason = "who uses this is not Rust, and cbindgen reads what is pub")]

mod arena;
mod boundary;
mod cancel;
mod chain;
mod command;
mod config;
mod describe;
mod dispatch;
mod entries;
mod errors;
mod exports;
mod guard;
mod handles;
mod imports;
mod instance;
mod items;
mod iterators;
#[cfg(target_pointer_width = "64")]
mod jvm;
mod layout;
mod lift;
mod links;
mod loaded;
mod lower;
mod members;
mod methods;
mod object;
mod passing;
mod plain;
mod plugin;
mod pool;
mod sandbox;
mod server;
mod services;
mod shape;
mod streams;
mod types;
mod values;

#[cfg(not(target_endian = "little"))]
compile_error!("guest memory is little-endian, and numbers are copied as they are");

use std::ffi::c_char;

/// The version of the library: `"0.1.0"`.
#[unsafe(no_mangle)]
pub extern "C" fn undergo_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}
