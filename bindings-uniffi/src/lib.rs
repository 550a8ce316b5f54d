//! Go plugins as typed, sandboxed functions of Swift, by UniFFI.
//!
//! A hand-written layer in Swift provides its idioms. Code of the other language never runs on a
//! stack of the core's own: see `threads.rs`.
//!
//! # Levels
//!
//! A file imports from those below it only, which `core/tests/levels.rs` checks:
//!
//! ```text
//! lib.rs             the version
//! plugin.rs          a compiled plugin
//! imports.rs         host functions, which are objects of the other language
//! async_pool.rs      interchangeable instances whose calls are awaited
//! pool.rs            interchangeable instances
//! instance.rs        a running copy of a plugin
//! async_instance.rs  a running copy whose calls are awaited
//! object.rs          calls of a plugin's objects
//! exports.rs         functions by their names, and the arguments of calls
//! config.rs          sandbox, limits, how code is made
//! errors.rs          one error for callers, and one that host functions raise
//! values.rs          values, read and made by the types of a plugin's interface
//! json.rs            values as JSON
//! value.rs           a value as the other languages have it
//! passed.rs          what the program passes for longer than a call
//! handle.rs          handles of a plugin's objects
//! threads.rs         where calls run
//! records.rs         what calls, commands and pools tell of themselves
//! lease.rs           the right of a host function that runs
//! cancel.rs          cancellation tokens
//! ```

#![expect(clippy::needless_pass_by_value, reason = "UniFFI makes values of what the other language gives")]
#![expect(clippy::result_large_err, reason = "UniFFI wants errors as they are written to the other language")]

uniffi::setup_scaffolding!("undergo_core");

pub mod async_instance;
pub mod async_pool;
pub mod cancel;
pub mod config;
pub mod errors;
mod exports;
pub mod handle;
pub mod imports;
pub mod instance;
mod json;
pub mod lease;
pub mod object;
pub mod passed;
pub mod plugin;
pub mod pool;
pub mod records;
mod threads;
pub mod value;
mod values;

/// The version of this library.
#[uniffi::export]
pub fn version() -> String {
    undergo::VERSION.to_owned()
}
