//! The Python binding: own the inputs, leave the interpreter's lock, call the core, convert, map the error.
//!
//! One file per noun, as in the core: `plugin`, `instance`, `function`, `imports`, `config`, `errors`; `lower` and `lift` are the
//! conversion, and `types` holds the classes that are made for a plugin's records and enums.

mod async_function;
mod async_instance;
mod async_pool;
mod buffer;
mod config;
mod coroutine;
mod errors;
mod event_loop;
mod function;
mod imports;
mod instance;
mod lift;
mod lower;
mod plugin;
mod signature;
mod types;

use pyo3::prelude::*;

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
    use crate::coroutine::Call;
    #[pymodule_export]
    use crate::function::{Exports, Function};
    #[pymodule_export]
    use crate::instance::{Instance, Memory, View};
    #[pymodule_export]
    use crate::plugin::Plugin;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", undergo::VERSION)?;
        module.add("ERROR_KINDS", undergo::ErrorKind::ALL.iter().map(|kind| kind.as_str()).collect::<Vec<_>>())
    }
}
