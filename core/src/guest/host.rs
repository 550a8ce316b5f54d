//! The functions that a host provides to a plugin, and a call of one of them.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::Arc;

use wasmtime::{StoreContextMut, ValRaw};

use crate::abi::block::Block;
use crate::abi::typed::ErrorType;
use crate::config::Lease;
use crate::error::Result;
use crate::guest::state::State;
use crate::interface::Function;
use crate::sched::driver::Driver;

/// A host function. Each host implements it for its own callables.
pub trait HostFunction: Send + Sync {
    /// Runs it: take the arguments with [`HostCall::args`], run the host's code within
    /// [`HostCall::outside`], and [`answer`](HostCall::answer).
    ///
    /// # Errors
    ///
    /// A `host-error` becomes the Go error if the import returns one. Any other error, and a
    /// `host-error` otherwise, ends the guest's call and the instance, and is the caller's error.
    fn call(&self, call: &mut HostCall<'_>) -> Result<()>;

    /// Checks, when an instance is created, that it has the signature of the import. A function
    /// over values that know their types accepts any.
    ///
    /// # Errors
    ///
    /// `signature-mismatch`.
    fn check(&self, function: &Function) -> Result<()> {
        let _ = function;
        Ok(())
    }

    /// Whether an asynchronous call must be on the thread of its [`Home`](crate::host::Home) to run
    /// it.
    fn at_home(&self) -> bool {
        true
    }
}

/// The functions of an instance, by the number of the import. They are the same for its whole life:
/// nothing changes them.
#[derive(Clone)]
pub(crate) struct HostFunctions(Arc<[Arc<dyn HostFunction>]>);

impl HostFunctions {
    pub(crate) fn new(functions: Vec<Arc<dyn HostFunction>>) -> HostFunctions {
        HostFunctions(functions.into())
    }

    #[inline]
    pub(crate) fn get(&self, number: usize) -> &Arc<dyn HostFunction> {
        &self.0[number]
    }
}

/// A function that a plugin imports, other than WASI's.
pub(crate) struct Import {
    pub(crate) module: String,
    pub(crate) name: String,
    pub(crate) function: Arc<Function>,
    /// Functions that the host provides by itself.
    pub(crate) provided: Option<Arc<dyn HostFunction>>,
}

/// The functions that a host provides, by interface and name, both as in WIT (kebab-case).
#[derive(Clone, Default)]
pub struct Imports {
    functions: BTreeMap<(String, String), Arc<dyn HostFunction>>,
    /// The types of errors with which they may fail, and whose fields the guest gets.
    pub(crate) errors: Vec<ErrorType>,
}

impl Imports {
    /// Adds a function. An interface without a version stands for all that have one.
    pub fn set(&mut self, interface: impl Into<String>, name: impl Into<String>, function: Arc<dyn HostFunction>) {
        self.functions.insert((interface.into(), name.into()), function);
    }

    /// The one for an import. Links know those of components by their names there as well.
    pub(crate) fn get(&self, import: &Import) -> Option<&Arc<dyn HostFunction>> {
        // There are few functions, and each instance looks them up once, so copying the names does
        // not matter.
        let find = |interface: &str, name: &str| self.functions.get(&(interface.to_owned(), name.to_owned()));
        let either = |name: &str| find(&import.module, name).or_else(|| find(import.module.split_once('@')?.0, name));
        either(&import.function.name).or_else(|| either(&import.function.core_name))
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = String> {
        // Those of links for components alone say no more.
        self.functions.keys().filter(|(_, name)| !name.starts_with('[')).map(|(interface, name)| format!("{interface}.{name}"))
    }
}

impl fmt::Debug for Imports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}

/// A deferred answer: a future of code that answers, or of an error as of [`HostFunction::call`].
pub type Deferred = Pin<Box<dyn Future<Output = Result<Answer>> + Send>>;

/// Answers a call of the guest: see [`HostCall::answer`].
pub type Answer = Box<dyn FnOnce(&mut HostCall<'_>) -> Result<()> + Send>;

/// What remains to be done after the host's code has returned.
#[derive(Default)]
pub(crate) struct Later {
    /// What the guest waits for, on a fiber.
    pub(crate) deferred: Option<Deferred>,
    /// A result for which the guest, on a fiber, has to provide room.
    pub(crate) block: Option<Block<'static>>,
    /// Whether the guest has its result, or will have it when there is room for it.
    pub(crate) answered: bool,
}

/// One call of a host function by the guest.
pub struct HostCall<'c> {
    pub(crate) driver: Driver,
    pub(crate) import: &'c Import,
    pub(crate) store: StoreContextMut<'c, State>,
    pub(crate) raw: &'c mut [MaybeUninit<ValRaw>],
    pub(crate) later: &'c mut Later,
    /// Of a guest on a fiber: the right to call back into it.
    pub(crate) lease: Option<Lease>,
    /// Only the thread that has the instance may call back into it.
    pub(crate) _not_send: PhantomData<*mut ()>,
}
