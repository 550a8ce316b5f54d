//! A running copy of a plugin.

use std::sync::Arc;

use undergo::host::Lent;

use crate::cancel::CancelToken;
use crate::config::call_options;
use crate::errors::CallError;
use crate::exports::{lend, number};
use crate::handle::{Access, Owner};
use crate::records::{HandleCounts, Usage};
use crate::value::Value;
use crate::values::ToValue;

/// A running copy of a plugin. Threads may share it: one call runs at a time. When a call ends in
/// any other way than by a return or a returned Go error, the instance is dead, and each later call
/// fails with `dead-instance`.
#[derive(uniffi::Object)]
pub struct Instance {
    pub(crate) access: Arc<Access<undergo::Instance>>,
}

#[uniffi::export]
impl Instance {
    /// Calls an export, by its name in WIT or in the other language.
    ///
    /// # Errors
    ///
    /// `unknown-export`, `type-mismatch`, and whatever the call ends with.
    pub fn call(&self, name: String, args: Vec<Value>, timeout: Option<f64>, cancel: Option<Arc<CancelToken>>) -> Result<Value, CallError> {
        let options = call_options(timeout, cancel.as_deref(), None)?;
        let core = self.access.check()?;
        let mut arguments = core.arguments(number(core.plugin(), &name)?)?;
        lend(&mut arguments, None, &args)?;
        let owner = Owner::Blocks(self.access.clone());
        Ok(arguments.call(core, &options, |outcome| outcome.lift(&ToValue::of(&owner)))?)
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
    /// As of [`usage`](Instance::usage).
    pub fn handles(&self) -> Result<HandleCounts, CallError> {
        Ok(self.access.check()?.handles().into())
    }

    /// What the sandbox has denied it so far of the network, each denial once, with the rule that
    /// would allow it; at most 64.
    ///
    /// # Errors
    ///
    /// As of [`usage`](Instance::usage).
    pub fn denied(&self) -> Result<Vec<String>, CallError> {
        Ok(self.access.check()?.denied())
    }

    /// The compiler that its code is from: `fast` or `best`.
    ///
    /// # Errors
    ///
    /// As of [`usage`](Instance::usage).
    pub fn tier(&self) -> Result<String, CallError> {
        Ok(self.access.check()?.tier().as_str().to_owned())
    }

    /// Lets the guest's background goroutines run, which otherwise run only during calls.
    ///
    /// # Errors
    ///
    /// `busy`, `dead-instance`, and whatever ends the guest.
    pub fn poll(&self, timeout: Option<f64>) -> Result<(), CallError> {
        Ok(self.access.check()?.poll(&call_options(timeout, None, None)?)?)
    }

    /// Makes the guest anew, as it was after its first initialisation; a dead instance lives again.
    ///
    /// # Errors
    ///
    /// `busy` from within a host function; whatever ends the initialisation.
    pub fn reset(&self, timeout: Option<f64>) -> Result<(), CallError> {
        Ok(self.access.check()?.reset(&call_options(timeout, None, None)?)?)
    }

    /// Reads guest memory.
    ///
    /// # Errors
    ///
    /// `type-mismatch` when the bytes do not lie within the memory; `busy`, `dead-instance`.
    pub fn read_memory(&self, address: u32, length: u32) -> Result<Vec<u8>, CallError> {
        Ok(self.access.check()?.read_memory(address, length)?)
    }

    /// Writes guest memory.
    ///
    /// # Errors
    ///
    /// As of [`read_memory`](Instance::read_memory).
    pub fn write_memory(&self, address: u32, bytes: Vec<u8>) -> Result<(), CallError> {
        Ok(self.access.check()?.write_memory(address, &bytes)?)
    }

    /// Bytes of guest memory now.
    ///
    /// # Errors
    ///
    /// `busy`, `dead-instance`.
    pub fn memory_size(&self) -> Result<u64, CallError> {
        Ok(self.access.check()?.memory_size()?)
    }

    /// Takes what the guest wrote to a captured standard output.
    ///
    /// # Errors
    ///
    /// As of [`usage`](Instance::usage).
    pub fn take_stdout(&self) -> Result<Vec<u8>, CallError> {
        Ok(self.access.check()?.take_stdout())
    }

    /// Takes what the guest wrote to a captured standard error.
    ///
    /// # Errors
    ///
    /// As of [`usage`](Instance::usage).
    pub fn take_stderr(&self) -> Result<Vec<u8>, CallError> {
        Ok(self.access.check()?.take_stderr())
    }

    /// Returns an instance that a pool has lent: it answers no call then, and all its objects end.
    /// Does nothing to any other.
    pub fn give_back(&self) {
        self.access.give_back();
    }
}

impl Instance {
    pub(crate) fn new(core: undergo::Instance) -> Arc<Instance> {
        Arc::new(Instance { access: Access::new(core) })
    }

    pub(crate) fn lent(lent: Lent) -> Arc<Instance> {
        Arc::new(Instance { access: Access::lent(lent) })
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        self.give_back();
    }
}
