//! Load Go plugins, compiled to WebAssembly, as typed and sandboxed functions.
//!
//! A [`Plugin`] is a compiled module and its [`Interface`]; an [`Instance`] is a running copy of
//! it. A call lowers the host's own values straight into the guest's memory and lifts the result
//! straight out of it, by the canonical ABI of the Component Model: see [`Lower`] and [`Lift`],
//! which each host implements for its values. [`Value`] is the crate's own dynamic value, and
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
//! An [`AsyncInstance`] has the same calls as futures: [`spawn`] runs them for a host with an event
//! loop, and any executor does for Rust.
//!
//! # Levels
//!
//! The modules lie in levels, and each uses those below it only. `tests/levels.rs` reads the
//! imports and fails on one that points upwards. docs/architecture.md says more.
//!
//! ```text
//! lib.rs        what users and bindings see
//! command.rs    running a program to completion
//! pool/         interchangeable instances, and the queue for them
//! instance/     the facades: Instance, AsyncInstance; calls, reset, memory
//! plugin/       a loaded module: signatures checked, imports linked
//! call/         entering a guest, on the caller's stack or on a fiber; host functions; re-entrancy
//! guest/        the data of a store, instantiation, lifecycle, the lock
//! wasi/         WASI preview 1 and the extension for sockets, for any data of a store
//! sched/        tasks, fairness on event loops, the clock of deadlines
//! compile/      engines, the two compilers, the cache, files to ship, a module's declarations
//! abi/          the canonical ABI: lower, lift, the memory of a guest, dynamic values
//! interface/    WIT, types, their layout, names
//! config/       limits, options of calls, deadlines and cancellation: plain data
//! platform/     forks, stacks, threads, memory barriers, private folders, blocking descriptors
//! error/        the kinds of errors, panics of Go
//!                                                                   each may use those below it
//! ```

mod abi;
mod call;
mod command;
mod compile;
mod config;
mod error;
mod guest;
mod instance;
mod interface;
mod platform;
mod plugin;
mod pool;
mod sched;
mod wasi;

pub use abi::blob::{Blob, Lend};
pub use abi::json_tree::{FromJson, check_json_depth, longest_json_number, read_json};
pub use abi::lift::{Lift, lift_bytes};
pub use abi::lower::{Lower, Reject, lower_bytes};
pub use abi::memory::GuestMemory;
pub use abi::quota::{JsonPieces, Piece};
pub use abi::text::text;
pub use abi::value::{ToValue, Value};
pub use call::outcome::Outcome;
pub use command::Completed;
pub use compile::VERSION;
pub use compile::module::{CoreFunction, CoreImport, CoreType, ModuleInfo, ModuleKind, Section};
pub use config::budget::Caller;
pub use config::budget::set_interrupt;
pub use config::cancel::CancelToken;
pub use config::size::{parse_size, parse_stack_size};
pub use config::{CallOptions, CodeCache, Compile, CompileOptions, Lease, Limits, PluginOptions, Tier};
pub use error::escape;
pub use error::{Error, ErrorKind, Frame, HostError, Result};
pub use guest::host::{Answer, Deferred, HostCall, HostFunction, Imports};
pub use guest::lifecycle::Usage;
pub use guest::options::InstanceOptions;
pub use instance::Instance;
pub use instance::arguments::Arguments;
pub use instance::async_instance::AsyncInstance;
pub use instance::plain::PlainCall;
pub use interface::names;
pub use interface::parameters::{Keywords, Parameters};
pub use interface::{
    EnumType, Extension, Field, Function, ImportedInterface, Interface, MapType, RecordType, Scalar, Time, TupleType, Type, TypeKind,
};
#[doc(hidden)]
pub use platform::file::read_regular;
#[doc(hidden)]
pub use platform::folder::{open_lock, private_file, private_folder};
pub use platform::fork::{Lasting, PerProcess};
pub use platform::stack::{nesting_room, on_hosts_stack, remaining_stack};
pub use platform::window::{in_coroutine, set_coroutine};
pub use plugin::Plugin;
pub use pool::async_pool::AsyncPool;
pub use pool::wait_queue::PoolStats;
pub use pool::{Pool, PoolOptions, Pooled};
pub use sched::task::{Home, Job, give_turn, go_home, spawn};
pub use wasi::clock::Clock;
pub use wasi::random::Random;
pub use wasi::sandbox::{Dir, Sandbox};
pub use wasi::sockets::network::Network;
pub use wasi::stdio::input::Input;
pub use wasi::stdio::output::{LineSink, Output};

#[cfg(fuzzing)]
#[doc(hidden)]
pub use wasi::sockets::address::read_and_write as fuzz_address;

/// The functions that a plugin may import from `wasi_snapshot_preview1`: those of WASI preview 1,
/// and those of the extension for sockets.
pub const WASI_FUNCTIONS: &[&str] = &wasi::linker::FUNCTIONS;
