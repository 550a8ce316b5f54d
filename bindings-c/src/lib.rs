//! The C binding: own the inputs, call the core, convert, map the error. `include/undergo.h` is generated from it, comments included.
//!
//! One file per noun, as in the core: `plugin`, `instance`, `pool`, `command`, `exports`, `imports`, `cancel`, `config`, `sandbox`, `errors`, `values`. Values have two ways to cross:
//! `values` is the dynamic one, a tree of handles; `layout` says how the types of an interface lie in C structs, which `lower` and `lift` read and fill in
//! place, with nested data in an `arena`. `boundary` is where Rust begins and ends.

#![allow(clippy::missing_safety_doc, reason = "the header says it once for all functions, and each function where it wants more")]
#![allow(unreachable_pub, reason = "who uses this is not Rust, and cbindgen reads what is pub")]

mod arena;
mod boundary;
mod cancel;
mod command;
mod config;
mod errors;
mod exports;
mod imports;
mod instance;
mod layout;
mod lift;
mod lower;
mod plain;
mod plugin;
mod pool;
mod sandbox;
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
