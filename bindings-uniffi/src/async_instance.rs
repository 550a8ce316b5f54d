//! A running copy of a plugin whose calls are awaited.

use std::sync::Arc;

use undergo::AsyncPooled;

use crate::cancel::CancelToken;
use crate::config::call_options;
use crate::errors::CallError;
use crate::exports::{copied, number};
use crate::handle::{Access, Owner};
use crate::lease::Lease;
use crate::records::{HandleCounts, Usage};
use crate::threads;
use crate::value::Value;
use crate::values::ToValue;

/// A running copy of a plugin whose calls are awaited, and hold no thread while they wait. One call
/// runs at a time; others wait, first come, first served. A call that is not awaited any more is
/// cancelled.
#[derive(uniffi::Object)]
pub struct AsyncInstance {
    pub(crate) access: Arc<Access<undergo::AsyncInstance>>,
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
        let core = self.access.check()?.clone();
        let arguments = copied(core.plugin(), number(core.plugin(), &name)?, None, &args)?;
        let lift = ToValue::of(&Owner::Awaits(self.access.clone()));
        let called = threads::task(async move { core.call_then(arguments, &options, move |returned| returned.lift(&lift)).await });
        Ok(called.await?)
    }

    /// Whether it answers calls.
    pub fn is_alive(&self) -> bool {
        self.access.check().is_ok_and(|core| core.dead().is_none())
    }

    /// What the last call used, or the initialisation before the first.
    ///
    /// # Errors
    ///
    /// `dead-instance` once it was returned to its pool.
    pub fn usage(&self) -> Result<Usage, CallError> {
        Ok(self.access.check()?.usage().into())
    }

    /// How many handles there are.
    ///
    /// # Errors
    ///
    /// As of [`usage`](AsyncInstance::usage).
    pub fn handles(&self) -> Result<HandleCounts, CallError> {
        Ok(self.access.check()?.handles().into())
    }

    /// What the sandbox has denied it so far of the network, each denial once, with the rule that
    /// would allow it; at most 64.
    ///
    /// # Errors
    ///
    /// As of [`usage`](AsyncInstance::usage).
    pub fn denied(&self) -> Result<Vec<String>, CallError> {
        Ok(self.access.check()?.denied())
    }

    /// Lets the guest's background goroutines run, which otherwise run only during calls.
    ///
    /// # Errors
    ///
    /// `dead-instance`, and whatever ends the guest.
    pub async fn poll(&self, timeout: Option<f64>) -> Result<(), CallError> {
        let (options, core) = (call_options(timeout, None, None)?, self.access.check()?.clone());
        Ok(threads::task(async move { core.poll(&options).await }).await?)
    }

    /// Makes the guest anew, as it was after its first initialisation; a dead instance lives again.
    ///
    /// # Errors
    ///
    /// `busy` from within a host function; whatever ends the initialisation.
    pub async fn reset(&self, timeout: Option<f64>, lease: Option<Arc<Lease>>) -> Result<(), CallError> {
        let (options, core) = (call_options(timeout, None, lease.as_deref())?, self.access.check()?.clone());
        Ok(threads::task(async move { core.reset(&options).await }).await?)
    }

    /// Takes what the guest wrote to a captured standard output.
    ///
    /// # Errors
    ///
    /// As of [`usage`](AsyncInstance::usage).
    pub fn take_stdout(&self) -> Result<Vec<u8>, CallError> {
        Ok(self.access.check()?.take_stdout())
    }

    /// Takes what the guest wrote to a captured standard error.
    ///
    /// # Errors
    ///
    /// As of [`usage`](AsyncInstance::usage).
    pub fn take_stderr(&self) -> Result<Vec<u8>, CallError> {
        Ok(self.access.check()?.take_stderr())
    }

    /// Returns an instance that a pool has lent: it answers no call then, and all its objects end.
    /// Does nothing to any other.
    pub fn give_back(&self) {
        self.access.give_back();
    }
}

impl AsyncInstance {
    pub(crate) fn new(core: undergo::AsyncInstance) -> Arc<AsyncInstance> {
        Arc::new(AsyncInstance { access: Access::new(core) })
    }

    pub(crate) fn lent(lent: AsyncPooled) -> Arc<AsyncInstance> {
        Arc::new(AsyncInstance { access: Access::lent(lent) })
    }
}

impl Drop for AsyncInstance {
    fn drop(&mut self) {
        self.give_back();
    }
}
