//! Load Go plugins, compiled to WebAssembly, as typed and sandboxed functions.
//!
//! A [`Plugin`] is a compiled module and its [`interface::Interface`]; an [`Instance`] is a running
//! copy of it. A [`Function`] is one of its exports with types of Rust, which are compared with the
//! interface once.
//!
//! ```no_run
//! use undergo::{Imports, InstanceOptions, Plugin};
//!
//! # fn main() -> Result<(), undergo::Error> {
//! let plugin = Plugin::from_file("greeter.wasm")?;
//!
//! let mut imports = Imports::default();
//! imports.function("directory", "lookup", |name: String| vec![format!("about {name}")]);
//! let greeter = plugin.instantiate(InstanceOptions::default().imports(imports))?;
//!
//! let greet = greeter.function::<(&str, bool), String>("greet")?;
//! println!("{}", greet.call(("Ada", true))?);
//! # Ok(())
//! # }
//! ```
//!
//! - [`GuestType`] has the types that cross, and the derive for structs and enums. `undergo bindgen
//!   --lang rust` writes all types and functions of a plugin. For programs that learn the types at
//!   run time, [`Instance::call`] takes and returns [`Value`]s.
//! - [`Imports`] are the host functions: closures, also asynchronous ones.
//! - A [`Pool`] has interchangeable instances for many threads. An [`AsyncInstance`] and an
//!   [`AsyncPool`] have the same functions as futures, on any executor.
//! - [`InstanceOptions`] say what an instance may reach ([`Sandbox`]) and use ([`Limits`]), and
//!   [`CallOptions`] what bounds one call.
//! - Every [`Error`] has an [`ErrorKind`].
//!
//! What the bindings for other languages need besides is in `undergo::host`, with the feature
//! `host`; that changes with any version.
//!
//! # Levels
//!
//! The modules lie in levels, and each uses those below it only. `tests/levels.rs` reads the
//! imports and fails on one that points upwards. docs/architecture.md says more.
//!
//! ```text
//! lib.rs        what users and bindings see
//! serve/        servers of HTTP
//! command.rs    running a program to completion
//! pool/         interchangeable instances, and the queue for them
//! instance/     the facades: Instance, AsyncInstance; calls, reset, memory
//! plugin/       a loaded module: signatures checked, imports linked
//! services/     what a program switches on under names of WASI: keys and values, logs, a config
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

#![cfg_attr(not(feature = "host"), allow(dead_code, unreachable_pub, reason = "bindings use what programs do not"))]

mod abi;
mod call;
mod command;
mod compile;
mod config;
mod error;
mod guest;
mod instance;
pub mod interface;
mod platform;
mod plugin;
mod pool;
mod sched;
mod serve;
mod services;
mod wasi;

pub use abi::chain::ErrorFields;
pub use abi::handles::{Handle, HandleCounts, HostObject};
pub use abi::typed::{FromGuest, GuestError, GuestType, Json, Nanoseconds, Params, ToGuest};
pub use abi::value::Value;
pub use call::given::{Callback, HostItems, HostReader, HostWriter};
pub use call::typed::{AsyncHostClosure, Call, HostClosure, Reply};
pub use command::Completed;
pub use compile::VERSION;
pub use compile::module::{CoreFunction, CoreImport, CoreType, ModuleInfo, ModuleKind, Section};
pub use config::cancel::CancelToken;
pub use config::{CallOptions, CodeCache, Compile, CompileOptions, Lease, Limits, PluginOptions, Tier};
pub use error::{ChainedError, Error, ErrorKind, Frame, HostError, Result};
pub use guest::host::Imports;
pub use guest::lifecycle::Usage;
pub use guest::options::InstanceOptions;
pub use instance::Instance;
pub use instance::async_instance::AsyncInstance;
pub use instance::function::{Blocking, Function, Suspending, Target};
pub use instance::items::GuestItems;
pub use instance::link::Linkable;
pub use instance::object::{Method, Object};
pub use instance::streams::{GuestReader, GuestWriter};
pub use interface::Time;
pub use plugin::Plugin;
pub use pool::async_pool::{AsyncPool, AsyncPooled};
pub use pool::wait_queue::PoolStats;
pub use pool::{Pool, PoolOptions, Pooled};
pub use serve::{ErrorSink, ServeOptions, Server, ServerStats};
pub use services::keyvalue::{KeyValue, KeyValueOptions};
pub use services::logging::{LogLevel, LogLine};
pub use undergo_derive::GuestType;
/// Makes of a trait what a plugin can call: a Go interface with `//undergo:resource import`.
///
/// For a trait `Store` there is a struct `StoreObject`, which is [`ToGuest`], and is made of what
/// implements the trait by `StoreObject::new`; and a trait `AsyncStore` with the same methods as
/// futures, behind a [`Call`], whose objects `StoreObject::awaited` makes, for asynchronous
/// instances. The methods are as closures for [`Imports::function`]: they may give a result, whose
/// error becomes that of the Go code. They stand in the order of the Go interface.
///
/// Names are said as for [`resource`](macro@resource), and those of the struct and of the other
/// trait by `class = …` and `awaited = …`. With `partial`, the trait lacks methods, and nothing can
/// be made of it.
///
/// ```no_run
/// use std::collections::HashMap;
/// use std::sync::Mutex;
///
/// use undergo::{InstanceOptions, Plugin};
///
/// #[undergo::object]
/// trait Store {
///     fn get(&self, key: String) -> Result<String, String>;
///     fn put(&self, key: String, value: String);
/// }
///
/// #[derive(Default)]
/// struct Texts(Mutex<HashMap<String, String>>);
///
/// impl Store for Texts {
///     fn get(&self, key: String) -> Result<String, String> {
///         self.0.lock().unwrap().get(&key).cloned().ok_or_else(|| format!("no {key}"))
///     }
///
///     fn put(&self, key: String, value: String) {
///         self.0.lock().unwrap().insert(key, value);
///     }
/// }
///
/// # fn main() -> undergo::Result<()> {
/// let instance = Plugin::from_file("shelf.wasm")?.instantiate(InstanceOptions::default())?;
/// let fill = instance.function::<(&StoreObject,), ()>("fill")?;
/// fill.call((&StoreObject::new(Texts::default()),))?;
/// # Ok(())
/// # }
/// ```
pub use undergo_derive::object;
/// Makes of a trait a struct for the objects of a plugin's resource, with the methods of the trait.
///
/// What a method gives is a [`Result`], since each call can fail. It has a twin with the suffix
/// `_async`, for asynchronous instances, and the struct has `close` and `close_async`. Closures
/// (`impl Fn(…) -> …`), iterators (`impl IntoIterator<Item = …>`), readers (`impl Read`) and
/// writers (`impl Write`) are taken as they are; other parameters are [`ToGuest`]. The types are
/// compared with the plugin's when a method is called first.
///
/// The names in the interface are those in Rust, or `#[undergo::resource(name = "…")]` and, of a
/// method, `#[guest(name = "…")]`. The name of the twin can be said too: `#[guest(awaited = …)]`.
///
/// ```no_run
/// use undergo::{Function, GuestItems, InstanceOptions, Plugin, Result};
///
/// /// A note is a text in several lines.
/// #[undergo::resource]
/// trait Note {
///     fn lines(&self) -> Result<GuestItems<String>>;
///     fn edit(&self, f: impl Fn(String) -> String + Send + Sync + 'static) -> Result<()>;
///     fn append(&self, other: &Note) -> Result<()>;
/// }
///
/// # fn main() -> Result<()> {
/// let instance = Plugin::from_file("notes.wasm")?.instantiate(InstanceOptions::default())?;
/// let new = Function::<(&str,), Note>::constructor(instance, "note")?;
/// let (note, other) = (new.call(("milk\nbread",))?, new.call(("butter",))?);
/// note.append(&other)?;
/// note.edit(|line| format!("- {line}"))?;
/// # Ok(())
/// # }
/// ```
pub use undergo_derive::resource;
pub use wasi::clock::Clock;
pub use wasi::random::Random;
pub use wasi::sandbox::{Dir, Sandbox};
pub use wasi::sockets::network::Network;
pub use wasi::stdio::input::Input;
pub use wasi::stdio::output::{LineSink, Output};

/// What implementations of [`GuestType`], [`ToGuest`] and [`FromGuest`] use. The derive writes
/// them; by hand they are for types whose representation differs from the interface's.
///
/// ```
/// use undergo::interface::Type;
/// use undergo::typed::{Reader, Writer};
/// use undergo::{FromGuest, GuestType, Result, ToGuest};
///
/// /// A name, which is a string in the interface.
/// struct Name(String);
///
/// impl GuestType for Name {
///     const SIZE: u32 = String::SIZE;
///     const ALIGN: u32 = String::ALIGN;
///
///     fn check(ty: &Type) -> Result<()> {
///         String::check(ty)
///     }
/// }
///
/// impl ToGuest for Name {
///     fn lower<'a>(&'a self, writer: &mut Writer<'_, 'a>, at: u32) -> Result<()> {
///         self.0.lower(writer, at)
///     }
/// }
///
/// impl FromGuest for Name {
///     fn lift(reader: Reader<'_>, at: u32) -> Result<Name> {
///         String::lift(reader, at).map(Name)
///     }
/// }
/// ```
pub mod typed {
    pub use crate::abi::typed::{
        Cases, Layout, MethodCheck, PlainValue, Reader, Writer, check_enum, check_object, check_record, check_resource, check_variant,
        no_case, no_object,
    };
    pub use crate::call::given::{HostMethod, check_method};
}

/// What bindings to other languages need besides: values of their own, tasks on their event loops,
/// stacks, forks, private files. Not for programs: it changes with any version.
///
/// With the feature `host`, which has this module, the options and kinds are exhaustive as well, so
/// that the compiler names what a binding lacks. Otherwise they are `#[non_exhaustive]`.
#[cfg(feature = "host")]
pub mod host {
    pub use crate::abi::blob::{Blob, Lend};
    pub use crate::abi::json_tree::{FromJson, check_json_depth, check_json_digits, read_json, unreadable_json};
    pub use crate::abi::json_writer::{JsonWriter, quote_json};
    pub use crate::abi::lift::{Lift, lift_bytes, not_given};
    pub use crate::abi::lower::{Lower, Reject, lower_bytes};
    pub use crate::abi::memory::GuestMemory;
    pub use crate::abi::quota::{JsonPieces, Piece};
    pub use crate::abi::text::text;
    pub use crate::abi::value::ToValue;
    pub use crate::call::batches::{BATCH, Batches};
    pub use crate::call::outcome::Outcome;
    pub use crate::call::plain::PlainArgs;
    pub use crate::call::read_ahead::ReadAhead;
    pub use crate::compile::component::component_section;
    pub use crate::compile::program::is_component;
    pub use crate::config::budget::{Caller, set_interrupt};
    pub use crate::config::size::{parse_size, parse_stack_size};
    pub use crate::error::escape;
    pub use crate::guest::host::{Answer, Deferred, HostCall, HostFunction};
    pub use crate::instance::arguments::Arguments;
    pub use crate::instance::plain::PlainCall;
    pub use crate::interface::case_classes::{ClassOfCase, classes_of_cases};
    pub use crate::interface::parameters::{Keywords, Parameters};
    pub use crate::platform::file::read_regular;
    pub use crate::platform::folder::{open_lock, private_file, private_folder};
    pub use crate::platform::fork::{Lasting, PerProcess};
    pub use crate::platform::stack::{nesting_room, on_hosts_stack, remaining_stack};
    pub use crate::platform::window::{in_coroutine, set_coroutine};
    pub use crate::pool::Lent;
    pub use crate::sched::task::{Home, Job, give_turn, go_home, spawn};
    pub use crate::wasi::http::WIT as HTTP_WIT;
    #[cfg(fuzzing)]
    #[doc(hidden)]
    pub use crate::wasi::sockets::address::read_and_write as fuzz_address;
}

/// The functions that a plugin may import from `wasi_snapshot_preview1`: those of WASI preview 1,
/// and those of the extension for sockets.
pub const WASI_FUNCTIONS: &[&str] = &wasi::linker::FUNCTIONS;
