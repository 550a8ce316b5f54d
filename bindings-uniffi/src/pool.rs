//! Interchangeable instances of a plugin, called from many threads.

use std::sync::Arc;

use crate::cancel::CancelToken;
use crate::config::{call_options, seconds};
use crate::errors::CallError;
use crate::exports::{lend, number};
use crate::instance::Instance;
use crate::records::PoolStats;
use crate::value::Value;
use crate::values::ToValue;

/// Interchangeable instances of one plugin. A call takes a free instance, creates one, or waits for
/// its turn; one that a call has ended is replaced.
#[derive(uniffi::Object)]
pub struct Pool {
    pub(crate) core: undergo::Pool,
}

#[uniffi::export]
impl Pool {
    /// Calls an export of any free instance.
    ///
    /// # Errors
    ///
    /// `timeout` when none became free in time; `busy` when none is free and the call comes from a
    /// host function of the pool; `dead-instance` once the pool is closed; whatever the call ends
    /// with.
    pub fn call(&self, name: String, args: Vec<Value>, timeout: Option<f64>, cancel: Option<Arc<CancelToken>>) -> Result<Value, CallError> {
        let options = call_options(timeout, cancel.as_deref(), None)?;
        let plugin = self.core.plugin();
        let mut arguments = plugin.arguments(number(plugin, &name)?)?;
        lend(&mut arguments, None, &args)?;
        Ok(self.core.call_then(&mut arguments, &options, |outcome| outcome.lift(&ToValue::default()))?)
    }

    /// Lends an instance, for calls that belong together: nobody else has it until it is given
    /// back, or dropped.
    ///
    /// # Errors
    ///
    /// As of [`call`](Pool::call).
    pub fn lend(&self, timeout: Option<f64>, cancel: Option<Arc<CancelToken>>) -> Result<Arc<Instance>, CallError> {
        Ok(Instance::lent(self.core.lend(&call_options(timeout, cancel.as_deref(), None)?)?))
    }

    /// The maximum number of instances.
    pub fn size(&self) -> u64 {
        self.core.size() as u64
    }

    /// What the pool did so far, and what it has now.
    pub fn stats(&self) -> PoolStats {
        self.core.stats().into()
    }

    /// Creates instances until there are that many, or as many as the pool may have.
    ///
    /// # Errors
    ///
    /// What ends an initialisation; `dead-instance` once the pool is closed.
    pub fn warm_up(&self, instances: u64) -> Result<(), CallError> {
        Ok(self.core.warm_up(usize::try_from(instances).unwrap_or(usize::MAX))?)
    }

    /// Refuses new and waiting calls, and waits for running calls.
    ///
    /// # Errors
    ///
    /// `timeout` when calls still run by then; `busy` from within a host function of the pool. The
    /// pool is closed all the same.
    pub fn shut_down(&self, timeout: Option<f64>) -> Result<(), CallError> {
        Ok(self.core.close(timeout.map(seconds).transpose()?)?)
    }

    /// Whether it is closed.
    pub fn is_closed(&self) -> bool {
        self.core.is_closed()
    }
}
