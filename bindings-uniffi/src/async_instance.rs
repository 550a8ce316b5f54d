//! A running copy of a plugin whose calls are awaited.

use std::sync::Arc;

use crate::cancel::CancelToken;
use crate::config::call_options;
use crate::errors::CallError;
use crate::lease::Lease;
use crate::records::Usage;
use crate::threads;
use crate::value::Value;
use crate::values::{Copied, Given, ToValue};

/// A running copy of a plugin whose calls are awaited, and hold no thread while they wait. One call
/// runs at a time; others wait, first come, first served. A call that is not awaited any more is
/// cancelled.
#[derive(uniffi::Object)]
pub struct AsyncInstance {
    pub(crate) core: undergo::AsyncInstance,
}

#[uniffi::export]
impl AsyncInstance {
    /// Calls an export, by its name in WIT or in the other language. `lease` is that of the host
    /// function from which the call comes.
    ///
    /// # Errors
    ///
    /// `unknown-export`, `type-mismatch`, and whatever the call ends with.
    pub async fn call(
        &self,
        name: String,
        args: Vec<Value>,
        timeout: Option<f64>,
        cancel: Option<Arc<CancelToken>>,
        lease: Option<Arc<Lease>>,
    ) -> Result<Value, CallError> {
        let options = call_options(timeout, cancel.as_deref(), lease.as_deref())?;
        let arguments = arguments(self.core.plugin(), &name, &args)?;
        let core = self.core.clone();
        let called = threads::task(async move { core.call_then(arguments, &options, |returned| returned.lift(&ToValue)).await });
        Ok(called.await?)
    }

    /// Whether it answers calls.
    pub fn is_alive(&self) -> bool {
        self.core.dead().is_none()
    }

    /// What the last call used, or the initialisation before the first.
    pub fn usage(&self) -> Usage {
        self.core.usage().into()
    }

    /// What the sandbox has denied it so far of the network, each denial once, with the rule that
    /// would allow it; at most 64.
    pub fn denied(&self) -> Vec<String> {
        self.core.denied()
    }

    /// Lets the guest's background goroutines run, which otherwise run only during calls.
    ///
    /// # Errors
    ///
    /// `dead-instance`, and whatever ends the guest.
    pub async fn poll(&self, timeout: Option<f64>) -> Result<(), CallError> {
        let (options, core) = (call_options(timeout, None, None)?, self.core.clone());
        Ok(threads::task(async move { core.poll(&options).await }).await?)
    }

    /// Makes the guest anew, as it was after its first initialisation; a dead instance lives again.
    ///
    /// # Errors
    ///
    /// `busy` from within a host function; whatever ends the initialisation.
    pub async fn reset(&self, timeout: Option<f64>, lease: Option<Arc<Lease>>) -> Result<(), CallError> {
        let (options, core) = (call_options(timeout, None, lease.as_deref())?, self.core.clone());
        Ok(threads::task(async move { core.reset(&options).await }).await?)
    }

    /// Takes what the guest wrote to a captured standard output.
    pub fn take_stdout(&self) -> Vec<u8> {
        self.core.take_stdout()
    }

    /// Takes what the guest wrote to a captured standard error.
    pub fn take_stderr(&self) -> Vec<u8> {
        self.core.take_stderr()
    }
}

/// Lowers the arguments of an asynchronous call.
pub(crate) fn arguments(
    plugin: &undergo::Plugin,
    name: &str,
    args: &[Value],
) -> undergo::Result<undergo::host::Arguments<'static, 'static>> {
    let mut arguments = plugin.owned_arguments(plugin.export(name)?)?;
    arguments.expect(args.len())?;
    args.iter().enumerate().try_for_each(|(number, value)| arguments.lower(number, &Given::<Copied>::new(value)))?;
    Ok(arguments)
}
