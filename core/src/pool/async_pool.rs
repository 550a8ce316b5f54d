//! Interchangeable instances of a plugin, whose calls suspend instead of holding a thread.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::abi::value::{ToValue, Value};
use crate::call::outcome::Outcome;
use crate::config::CallOptions;
use crate::error::Result;
use crate::guest::options::InstanceOptions;
use crate::instance::arguments::Arguments;
use crate::instance::async_instance::AsyncInstance;
use crate::instance::running::{Wait, hold};
use crate::plugin::Plugin;
use crate::pool::PoolOptions;
use crate::pool::members::Members;
use crate::pool::wait_queue::PoolStats;
use crate::sched::driver::Driver;

impl Plugin {
    /// Makes a pool of instances whose calls are futures (see
    /// [`instantiate_async`](Plugin::instantiate_async)). None is made yet.
    ///
    /// # Errors
    ///
    /// As [`pool`](Plugin::pool).
    pub fn async_pool(&self, options: PoolOptions) -> Result<AsyncPool> {
        Ok(AsyncPool(Members::new(self, options, true)?))
    }
}

/// Instances of one plugin that stand in for each other, for many tasks. Cheap to clone; clones are
/// the same pool.
///
/// A call takes an instance that is free, or makes one, or waits its turn: first come, first
/// served. One that a call has ended is replaced.
#[derive(Clone)]
pub struct AsyncPool(Arc<Members>);

impl AsyncPool {
    /// The plugin whose instances these are.
    #[must_use]
    pub fn plugin(&self) -> &Plugin {
        &self.0.plugin
    }

    /// The most instances that there are at once.
    #[must_use]
    pub fn size(&self) -> usize {
        self.0.queue.size()
    }

    /// Calls an export with [`Value`]s.
    ///
    /// # Errors
    ///
    /// As [`Pool::call`](crate::Pool::call).
    pub async fn call(&self, name: &str, args: &[Value], options: &CallOptions) -> Result<Value> {
        let mut arguments = self.0.plugin.arguments(self.0.plugin.export(name)?)?;
        arguments.lower_all(args.iter())?;
        self.call_then(arguments, options, |outcome| outcome.lift(&ToValue)).await
    }

    /// Calls an export of whichever instance is free. Its result is given to `then`, at home, which
    /// lifts it.
    ///
    /// # Errors
    ///
    /// `timeout` when none became free in time; `busy` when none is free and the call comes from a
    /// host function of the pool itself, which has one: it might wait for itself; what ends the
    /// initialisation of a new one; `dead-instance` once the pool is closed; those of the call, and
    /// of `then`.
    pub async fn call_then<R: Send + 'static>(
        &self,
        arguments: Arguments<'_, '_>,
        options: &CallOptions,
        then: impl FnOnce(Outcome<'_, '_>) -> Result<R> + Send + 'static,
    ) -> Result<R> {
        let budget = self.0.budget(options);
        let taken = self.0.take(Wait::Task, &budget, self.0.is_within(options.within)).await?;
        AsyncInstance(taken.running().clone()).call_within(arguments, budget, None, then).await
    }

    /// Calls an export, and does not return before the call is over: see
    /// [`AsyncInstance::call_here`].
    ///
    /// # Errors
    ///
    /// As [`call_then`](AsyncPool::call_then), but `busy` when no instance is free: those that have
    /// them need this thread.
    pub fn call_here<R>(
        &self,
        mut arguments: Arguments<'_, '_>,
        options: &CallOptions,
        then: impl FnOnce(Outcome<'_, '_>) -> Result<R>,
    ) -> Result<R> {
        let budget = self.0.budget(options);
        let taken = hold(Driver::Fiber, self.0.take(Wait::Never, &budget, false))?;
        taken.running().call_within(Wait::Never, &mut arguments, budget, then)
    }

    /// Makes instances until there are that many, or as many as the pool may have.
    ///
    /// # Errors
    ///
    /// What ends an initialisation; `dead-instance` once the pool is closed.
    pub async fn warm_up(&self, instances: usize) -> Result<()> {
        self.0.warm_up(instances).await
    }

    /// What the pool did so far, and what it has now.
    #[must_use]
    pub fn stats(&self) -> PoolStats {
        self.0.queue.stats()
    }

    /// Turns away new calls and those that wait, lets those that run finish, and waits for that.
    /// Closing twice does nothing more.
    ///
    /// # Errors
    ///
    /// `timeout` when calls still run by then: the pool is closed all the same.
    pub async fn close(&self, timeout: Option<Duration>) -> Result<()> {
        self.close_now();
        self.0.empty(Driver::Fiber, timeout).await
    }

    /// The same without waiting for those that run.
    pub fn close_now(&self) {
        self.0.close();
    }

    /// Whether it was closed.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.0.queue.is_closed()
    }

    /// What each instance is made with.
    #[must_use]
    pub fn options(&self) -> &InstanceOptions {
        &self.0.options.instance
    }
}

impl fmt::Debug for AsyncPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AsyncPool({} × {}{})", self.size(), self.0.plugin.name(), if self.is_closed() { ", closed" } else { "" })
    }
}
