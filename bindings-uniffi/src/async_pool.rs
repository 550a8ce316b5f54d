//! Interchangeable instances of a plugin whose calls are awaited.

use std::sync::Arc;

use crate::async_instance::AsyncInstance;
use crate::cancel::CancelToken;
use crate::config::{call_options, seconds};
use crate::errors::CallError;
use crate::exports::{copied, number};
use crate::lease::Lease;
use crate::records::PoolStats;
use crate::threads;
use crate::value::Value;
use crate::values::ToValue;

/// Interchangeable instances of one plugin, for many tasks. A call takes a free instance, creates
/// one, or waits for its turn.
#[derive(uniffi::Object)]
pub struct AsyncPool {
    pub(crate) core: undergo::AsyncPool,
}

#[uniffi::export]
impl AsyncPool {
    /// Calls an export of any free instance. `lease` is that of the host function from which the
    /// call comes.
    ///
    /// # Errors
    ///
    /// `timeout` when none became free in time; `busy` when none is free and the call comes from a
    /// host function of the pool; `dead-instance` once the pool is closed; whatever the call ends
    /// with.
    pub async fn call(
        &self,
        name: String,
        args: Vec<Value>,
        timeout: Option<f64>,
        cancel: Option<Arc<CancelToken>>,
        lease: Option<Arc<Lease>>,
    ) -> Result<Value, CallError> {
        let options = call_options(timeout, cancel.as_deref(), lease.as_deref())?;
        let core = self.core.clone();
        let arguments = copied(core.plugin(), number(core.plugin(), &name)?, None, &args)?;
        let lift = ToValue::default();
        let called = threads::task(async move { core.call_then(arguments, &options, move |returned| returned.lift(&lift)).await });
        Ok(called.await?)
    }

    /// Lends an instance, for calls that belong together: nobody else has it until it is given
    /// back, or dropped.
    ///
    /// # Errors
    ///
    /// As of [`call`](AsyncPool::call).
    pub async fn lend(&self, timeout: Option<f64>, cancel: Option<Arc<CancelToken>>) -> Result<Arc<AsyncInstance>, CallError> {
        let (options, core) = (call_options(timeout, cancel.as_deref(), None)?, self.core.clone());
        Ok(AsyncInstance::lent(threads::task(async move { core.take(&options).await }).await?))
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
    pub async fn warm_up(&self, instances: u64) -> Result<(), CallError> {
        let core = self.core.clone();
        Ok(threads::task(async move { core.warm_up(usize::try_from(instances).unwrap_or(usize::MAX)).await }).await?)
    }

    /// Refuses new and waiting calls, and waits for running calls.
    ///
    /// # Errors
    ///
    /// `timeout` when calls still run by then: the pool is closed all the same.
    pub async fn shut_down(&self, timeout: Option<f64>) -> Result<(), CallError> {
        let (timeout, core) = (timeout.map(seconds).transpose()?, self.core.clone());
        Ok(threads::task(async move { core.close(timeout).await }).await?)
    }

    /// The same without waiting for running calls.
    pub fn shut_down_now(&self) {
        self.core.close_now();
    }

    /// Whether it is closed.
    pub fn is_closed(&self) -> bool {
        self.core.is_closed()
    }
}
