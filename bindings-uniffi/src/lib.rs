//! Go plugins as typed, sandboxed functions of Kotlin, Swift and Ruby, by UniFFI.
//!
//! What is here is the same for these languages; a layer by hand in each of them makes it look like home. One file for each noun:
//!
//! - `values`: [`Value`](values::Value), and how it is read by the types of a plugin's interface;
//! - `errors`: one error for callers, and one that host functions raise;
//! - `config`: sandbox, limits, how code is made;
//! - `imports`: the host's functions, which are objects of the other language;
//! - `plugin`, `instance`, `pool`, `async_instance`, `async_pool`, `cancel`: as in the core;
//! - `threads`: where calls run;
//! - `turns`, `wire`: calls that run on their caller's thread, turn by turn, with packed values: Ruby's.
//!
//! Nothing of the other language runs on a stack that its virtual machine does not know: see `threads`.

#![expect(clippy::needless_pass_by_value, reason = "UniFFI makes values of what the other language gives")]
#![expect(clippy::result_large_err, reason = "UniFFI wants errors as they are written to the other language")]

uniffi::setup_scaffolding!("undergo_core");

pub mod async_instance;
pub mod async_pool;
pub mod cancel;
pub mod config;
pub mod errors;
pub mod imports;
pub mod instance;
mod json;
pub mod plugin;
pub mod pool;
pub mod records;
mod threads;
pub mod turns;
pub mod values;
mod wire;

/// The version of this library.
#[uniffi::export]
pub fn version() -> String {
    undergo::VERSION.to_owned()
}
