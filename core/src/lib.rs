//! Load Go plugins, compiled to WebAssembly, as typed and sandboxed functions.
//!
//! A [`Plugin`] is a compiled module and its [`Interface`]; an [`Instance`] is a running copy of it. A call lowers the host's
//! own values straight into the guest's memory and lifts the result straight out of it, by the canonical ABI of the Component Model:
//! see [`Lower`] and [`Lift`], which each host implements for its values. [`Value`] is the crate's own dynamic value, and
//! [`Instance::call_typed`] takes any Rust type by serde.
//!
//! ```no_run
//! use undergo::{CallOptions, InstanceOptions, Plugin};
//!
//! # fn main() -> Result<(), undergo::Error> {
//! let plugin = Plugin::from_file("greeter.wasm")?;
//! let greeter = plugin.instantiate(InstanceOptions::default())?;
//! let text: String = greeter.call_typed("greet", &("Ada", true), &CallOptions::default())?;
//! # Ok(())
//! # }
//! ```
//!
//! An [`AsyncInstance`] has the same calls as futures: [`spawn`] runs them for a host with an event loop, and any executor does for Rust.
//!
//! The modules depend downwards only: `escape`, `error`, `fork`, `activation`, `interface`, `abi`, `config`, `clock`, `patience`, `input`, `output`, `streams`, `random`, `sockets`, `pipes`, `files`, `own`, `fd`, `wasi`, `proposals`, `engine`, `ticker`,
//! `cache`, `code`, `artifact`, `imports`, `signatures`, `ready`, `plugin`, `limiter`, `store`, `running`, `call`, `instance`, `command`, `roster`, `pool`; for calls on fibers `runtime`, `task`, `visit`,
//! `fiber`, `async_imports`, `async_instance`, `async_pool`.

mod abi;
mod access;
mod activation;
mod artifact;
mod async_imports;
mod async_instance;
mod async_pool;
mod barrier;
mod bounds;
mod cache;
mod call;
mod cancel;
mod clock;
mod code;
mod command;
mod compile_queue;
mod compiler;
mod config;
mod descriptor;
mod engine;
mod errno;
mod error;
pub mod escape;
mod fd;
mod fiber;
mod files;
mod folder;
mod fork;
mod gate;
mod gonames;
mod gopanic;
mod imports;
mod input;
mod instance;
mod interface;
mod life;
mod limiter;
mod module;
mod output;
mod own;
mod patience;
mod pipes;
mod plain;
mod plugin;
mod poll;
mod pool;
mod preview1;
mod proposals;
mod random;
mod ready;
mod refusal;
mod roster;
mod running;
mod runtime;
mod signatures;
mod sockets;
mod state;
mod stopwatch;
mod store;
mod streams;
mod task;
mod ticker;
mod turn;
mod typed;
mod value;
mod view;
mod visit;
mod wasi;
mod watched;
mod words;

pub use abi::blob::{Blob, Lend};
pub use abi::budget::{JsonPieces, Piece};
pub use abi::lift::{Lift, lift_bytes};
pub use abi::lower::{Lower, Reject, lower_bytes};
pub use abi::memory::GuestMemory;
pub use abi::text::text;
pub use activation::{in_coroutine, remaining_stack, set_coroutine};
pub use async_instance::{AsyncArguments, AsyncInstance};
pub use async_pool::AsyncPool;
pub use call::{Arguments, Outcome, Returned};
pub use cancel::CancelToken;
pub use clock::Clock;
pub use command::Completed;
pub use config::{CallOptions, Caller, CodeCache, Compile, CompileOptions, Dir, InstanceOptions, Limits, PluginOptions, Sandbox};
pub use engine::Tier;
pub use error::{Error, ErrorKind, Frame, HostError, Result};
pub use fiber::AsyncReturned;
#[doc(hidden)]
pub use folder::{open_lock, private_file, private_folder};
pub use fork::{Lasting, PerProcess};
pub use imports::{Answer, Deferred, HostCall, HostFunction, Imports};
pub use input::Input;
pub use instance::Instance;
pub use interface::names;
pub use interface::{
    EnumType, Extension, Field, Function, ImportedInterface, Interface, MapType, RecordType, Scalar, Time, TupleType, Type, TypeKind,
};
pub use life::Usage;
pub use module::{CoreFunction, CoreImport, CoreType, ModuleInfo, ModuleKind, Section};
pub use output::{LineSink, Output};
pub use patience::set_interrupt;
pub use plain::PlainCall;
pub use plugin::Plugin;
pub use pool::{Pool, PoolOptions, Pooled};
pub use random::Random;
pub use roster::PoolStats;
pub use sockets::network::Network;
pub use task::{Home, Job, give_turn, go_home, spawn};
pub use value::{ToValue, Value};
pub use visit::Lease;

#[cfg(fuzzing)]
#[doc(hidden)]
pub use sockets::address::read_and_write as fuzz_address;

/// The functions that a plugin may import from `wasi_snapshot_preview1`: those of WASI preview 1, and those of the extension for sockets.
pub const WASI_FUNCTIONS: &[&str] = &wasi::FUNCTIONS;

/// The version of this crate, and of every other part of Undergo.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
