//! A running copy of a plugin.

use std::sync::Arc;

use crate::cancel::CancelToken;
use crate::config::call_options;
use crate::errors::CallError;
use crate::records::Usage;
use crate::value::Value;
use crate::values::{Borrowed, Given, ToValue};

/// A running copy of a plugin. Threads may share it: one call runs at a time. When a call ends in
/// any other way than by a return or a returned Go error, the instance is dead, and each later call
/// fails with `dead-instance`.
#[derive(uniffi::Object)]
pub struct Instance {
    pub(crate) core: undergo::Instance,
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
        let mut arguments = self.core.arguments(self.core.plugin().export(&name)?)?;
        arguments.lower_all(args.iter().map(Given::<Borrowed>::new))?;
        Ok(arguments.call(&self.core, &options, |outcome| outcome.lift(&ToValue))?)
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

    /// The compiler that its code is from: `fast` or `best`.
    pub fn tier(&self) -> String {
        self.core.tier().as_str().to_owned()
    }

    /// Lets the guest's background goroutines run, which otherwise run only during calls.
    ///
    /// # Errors
    ///
    /// `busy`, `dead-instance`, and whatever ends the guest.
    pub fn poll(&self, timeout: Option<f64>) -> Result<(), CallError> {
        Ok(self.core.poll(&call_options(timeout, None, None)?)?)
    }

    /// Makes the guest anew, as it was after its first initialisation; a dead instance lives again.
    ///
    /// # Errors
    ///
    /// `busy` from within a host function; whatever ends the initialisation.
    pub fn reset(&self, timeout: Option<f64>) -> Result<(), CallError> {
        Ok(self.core.reset(&call_options(timeout, None, None)?)?)
    }

    /// Reads guest memory.
    ///
    /// # Errors
    ///
    /// `type-mismatch` when the bytes do not lie within the memory; `busy`, `dead-instance`.
    pub fn read_memory(&self, address: u32, length: u32) -> Result<Vec<u8>, CallError> {
        Ok(self.core.read_memory(address, length)?)
    }

    /// Writes guest memory.
    ///
    /// # Errors
    ///
    /// As of [`read_memory`](Instance::read_memory).
    pub fn write_memory(&self, address: u32, bytes: Vec<u8>) -> Result<(), CallError> {
        Ok(self.core.write_memory(address, &bytes)?)
    }

    /// Bytes of guest memory now.
    ///
    /// # Errors
    ///
    /// `busy`, `dead-instance`.
    pub fn memory_size(&self) -> Result<u64, CallError> {
        Ok(self.core.memory_size()?)
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
