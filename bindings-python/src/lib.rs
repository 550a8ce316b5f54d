//! The Python binding: own the inputs, leave the interpreter's lock, call the core, convert, map
//! the error.
//!
//! # Levels
//!
//! A file imports from those below it only, which `core/tests/levels.rs` checks:
//!
//! ```text
//! lib.rs             the native module `undergo._undergo`
//! plugin.rs          a compiled plugin
//! server.rs          a plugin that serves HTTP
//! async_pool.rs      interchangeable instances whose exports are awaited
//! pool.rs            interchangeable instances
//! lending.rs         instances of pools, for calls that belong together
//! linked.rs          instances as the imports of others
//! services.rs        services of the core that plugins import
//! async_instance.rs  a running copy whose exports are awaited
//! instance.rs        a running copy of a plugin, and its memory
//! parts.rs           what instances and pools are made from, and what they own
//! exports.rs         the exports as attributes, by name, and with other options
//! resource.rs        objects of a guest, and their classes
//! async_function.rs  an export that is awaited
//! function.rs        an export, as a Python callable
//! config.rs          sandboxes, limits and options
//! imports.rs         host functions
//! coroutine.rs       a call that Python awaits, and a coroutine that a guest waits for
//! errors.rs          errors as exceptions, and those of host functions as errors
//! lower.rs           from Python objects to guest memory
//! lift.rs            from guest memory to Python objects
//! types.rs           the classes of records, enums, variants and errors
//! signature.rs       annotations and signatures
//! handle.rs          handles of a guest's objects
//! signals.rs         Ctrl-C
//! records.rs         what is measured, as immutable records
//! package.rs         functions of the package's own Python
//! raised.rs          exceptions of Python code as errors
//! names.rs           names as Python writes them
//! json.rs            Python objects as JSON
//! greenlets.rs       which greenlet runs
//! event_loop.rs      the event loops of asyncio
//! cancel.rs          cancellation tokens
//! buffer.rs          the buffer protocol
//! cached.rs          Python objects that are looked up once
//! ```

mod async_function;
mod async_instance;
mod async_pool;
mod buffer;
mod cached;
mod cancel;
mod config;
mod coroutine;
mod errors;
mod event_loop;
mod exports;
mod function;
mod greenlets;
mod handle;
mod imports;
mod instance;
mod json;
mod lending;
mod lift;
mod linked;
mod lower;
mod names;
mod package;
mod parts;
mod plugin;
mod pool;
mod raised;
mod records;
mod resource;
mod server;
mod services;
mod signals;
mod signature;
mod types;

use std::sync::atomic::{AtomicI64, Ordering};

use pyo3::exceptions::PyImportError;
use pyo3::prelude::*;

/// Refuses to be imported by a second interpreter of the process. Python itself refuses it only
/// where that one has a lock of its own; classes and cached objects are kept once for the process,
/// and belong to the interpreter that made them.
fn only_one_interpreter(_py: Python<'_>) -> PyResult<()> {
    static FIRST: AtomicI64 = AtomicI64::new(-1);
    // SAFETY: an interpreter runs on this thread, as `_py` shows.
    let this = unsafe { pyo3::ffi::PyInterpreterState_GetID(pyo3::ffi::PyInterpreterState_Get()) };
    match FIRST.compare_exchange(-1, this, Ordering::SeqCst, Ordering::SeqCst) {
        Err(first) if first != this => Err(PyImportError::new_err(
            "undergo does not support subinterpreters: one interpreter of a process has it, the first that imported it; threads may share its pools",
        )),
        _ => Ok(()),
    }
}

/// The native half of the package `undergo`.
#[pymodule]
mod _undergo {
    use pyo3::prelude::*;

    #[pymodule_export]
    use crate::async_function::AsyncFunction;
    #[pymodule_export]
    use crate::async_instance::AsyncInstance;
    #[pymodule_export]
    use crate::async_pool::AsyncPool;
    #[pymodule_export]
    use crate::cancel::CancelToken;
    #[pymodule_export]
    use crate::config::{parse_size, parse_stack_size};
    #[pymodule_export]
    use crate::coroutine::Call;
    #[pymodule_export]
    use crate::exports::{Exports, View};
    #[pymodule_export]
    use crate::function::Function;
    #[pymodule_export]
    use crate::instance::{Instance, Memory};
    #[pymodule_export]
    use crate::plugin::Plugin;
    #[pymodule_export]
    use crate::pool::Pool;
    #[pymodule_export]
    use crate::resource::Resource;
    #[pymodule_export]
    use crate::server::Server;
    #[pymodule_export]
    use crate::services::KeyValue;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        crate::only_one_interpreter(module.py())?;
        crate::cached::fill(module.py())?;
        crate::signals::install(module.py())?;
        crate::greenlets::install();
        module.add("__version__", undergo::VERSION)?;
        module.add("BATCH", undergo::host::BATCH.as_secs_f64())?;
        module.add("ERROR_KINDS", undergo::ErrorKind::ALL.iter().map(|kind| kind.as_str()).collect::<Vec<_>>())
    }
}
