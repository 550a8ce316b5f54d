//! The host functions of the other language.

use std::sync::{Arc, Mutex, PoisonError};

use undergo::host::{Answer, HostCall};
use undergo::interface::names;

use crate::errors::HostFailure;
use crate::handle::Shape;
use crate::lease::Lease;
use crate::passed::{HostObject, Passed};
use crate::threads;
use crate::value::Value;
use crate::values::{Borrowed, Given, ToValue};

/// A function of the other language.
#[uniffi::export(with_foreign)]
pub trait HostFunction: Send + Sync {
    /// Runs it. Called from any thread; from an instance or pool of synchronous calls on the thread
    /// that is in the instance, so that it may call back into the instance; from an asynchronous
    /// one with a lease, on a thread that may wait.
    ///
    /// # Errors
    ///
    /// What the other language's code raises: the Go `error` where the import returns one; the end
    /// of the call elsewhere. The caller gets the same object.
    fn call(&self, args: Vec<Value>, lease: Option<Arc<Lease>>) -> Result<Value, HostFailure>;
}

/// A function of the other language that can wait without a thread.
#[uniffi::export(with_foreign)]
#[async_trait::async_trait]
pub trait AsyncHostFunction: Send + Sync {
    /// Runs it. Dropped when the call that wanted it ends.
    ///
    /// # Errors
    ///
    /// As those of a [`HostFunction`].
    async fn call(&self, args: Vec<Value>, lease: Option<Arc<Lease>>) -> Result<Value, HostFailure>;
}

#[derive(Clone)]
enum Function {
    Sync(Arc<dyn HostFunction>),
    Async(Arc<dyn AsyncHostFunction>),
}

/// The functions that are given to a plugin, by interface and name, as in WIT or as in the other
/// language: `echo-string`, `echoString`.
#[derive(Default, uniffi::Object)]
pub struct Imports(Mutex<Vec<(String, String, Function)>>);

#[uniffi::export]
impl Imports {
    /// None yet.
    #[uniffi::constructor]
    pub fn new() -> Arc<Imports> {
        Arc::default()
    }

    /// Gives a function.
    pub fn give(&self, interface: String, name: String, function: Arc<dyn HostFunction>) {
        self.push(interface, name, Function::Sync(function));
    }

    /// Gives a function that can wait, for asynchronous instances.
    pub fn give_async(&self, interface: String, name: String, function: Arc<dyn AsyncHostFunction>) {
        self.push(interface, name, Function::Async(function));
    }
}

impl Imports {
    fn push(&self, interface: String, name: String, function: Function) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((interface, name, function));
    }

    /// Those that the plugin imports. What it does not import is left alone; what is missing is the
    /// core's to say.
    pub(crate) fn core(&self, plugin: &undergo::Plugin) -> undergo::Imports {
        let given = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut imports = undergo::Imports::default();
        for (interface, wanted) in plugin.imports() {
            // The last one given for a name is the one that counts.
            let found = given.iter().rfind(|(module, name, _)| names::means(module, interface) && names::means(name, &wanted.name));
            if let Some((_, _, function)) = found {
                imports.set(interface, wanted.name.clone(), Arc::new(Import(function.clone())));
            }
        }
        imports
    }
}

#[uniffi::export]
impl Passed {
    /// What a plugin may have: the functions of its methods, by their names in WIT or in the other
    /// language, and the object that a plugin passes back.
    #[uniffi::constructor]
    pub fn new(shape: Shape, names: Vec<String>, functions: Vec<Arc<dyn HostFunction>>, own: Arc<dyn HostObject>) -> Arc<Passed> {
        passed(shape, names, functions.into_iter().map(Function::Sync), own)
    }

    /// The same with functions that can wait, for asynchronous instances.
    #[uniffi::constructor]
    pub fn awaited(shape: Shape, names: Vec<String>, functions: Vec<Arc<dyn AsyncHostFunction>>, own: Arc<dyn HostObject>) -> Arc<Passed> {
        passed(shape, names, functions.into_iter().map(Function::Async), own)
    }
}

fn passed(shape: Shape, names: Vec<String>, functions: impl Iterator<Item = Function>, own: Arc<dyn HostObject>) -> Arc<Passed> {
    let import = |function| Arc::new(Import(function)) as Arc<dyn undergo::host::HostFunction>;
    Passed::of(shape, names.into_iter().zip(functions.map(import)).collect(), own)
}

struct Import(Function);

impl undergo::host::HostFunction for Import {
    fn call(&self, call: &mut HostCall<'_>) -> undergo::Result<()> {
        let args = call.args(&ToValue::default())?;
        let errors = call.function().errors.clone();
        let failed = move |failure: HostFailure| failure.error(errors.as_deref());
        if !call.is_async() {
            return match &self.0 {
                Function::Sync(function) => {
                    let result = call.outside(|| function.call(args, None)).map_err(failed)?;
                    call.answer(&Given::<Borrowed>::new(&result))
                }
                // The core says why that can't be.
                Function::Async(_) => call.defer(Box::pin(async { Ok(Box::new(|_: &mut HostCall<'_>| Ok(())) as Answer) })),
            };
        }
        // On a fiber: the other language's code runs elsewhere, and the guest waits.
        let lease = call.lease().map(|lease| Arc::new(Lease(lease)));
        let function = self.0.clone();
        call.defer(Box::pin(async move {
            let result = match function {
                Function::Sync(function) => threads::blocking(move || function.call(args, lease).map_err(failed)).await,
                Function::Async(function) => threads::task(async move { function.call(args, lease).await.map_err(failed) }).await,
            }?;
            Ok(Box::new(move |call: &mut HostCall<'_>| call.answer(&Given::<Borrowed>::new(&result))) as Answer)
        }))
    }

    fn at_home(&self) -> bool {
        false
    }
}
