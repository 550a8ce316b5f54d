//! Interchangeable instances of a plugin, whose calls suspend instead of holding a thread.

use std::fmt;
use std::future::Future;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use crate::abi::typed::{FromGuest, Params};
use crate::abi::value::{ToValue, Value};
use crate::call::outcome::Outcome;
use crate::config::CallOptions;
use crate::error::Result;
use crate::guest::options::InstanceOptions;
use crate::instance::arguments::Arguments;
use crate::instance::async_instance::AsyncInstance;
use crate::instance::function::{self, Function, Suspending, Target};
use crate::instance::running::{Wait, hold};
use crate::plugin::Plugin;
use crate::pool::PoolOptions;
use crate::pool::members::{Members, Taken};
use crate::pool::wait_queue::PoolStats;
use crate::sched::driver::Driver;

impl Plugin {
    /// Creates a pool of instances whose calls are futures (see
    /// [`instantiate_async`](Plugin::instantiate_async)). It has no instances yet.
    ///
    /// # Errors
    ///
    /// As [`pool`](Plugin::pool).
    pub fn async_pool(&self, options: PoolOptions) -> Result<AsyncPool> {
        Ok(AsyncPool(Members::new(self, options, true)?))
    }
}

/// Interchangeable instances of one plugin, for many tasks. Cheap to clone; clones are the same
/// pool.
///
/// A call takes a free instance, creates one, or waits for its turn: first come, first served. An
/// instance that a call has killed is replaced.
#[derive(Clone)]
pub struct AsyncPool(Arc<Members>);

impl AsyncPool {
    /// The plugin of these instances.
    #[must_use]
    pub fn plugin(&self) -> &Plugin {
        &self.0.plugin
    }

    /// The maximum number of instances.
    #[must_use]
    pub fn size(&self) -> usize {
        self.0.queue.size()
    }

    /// Borrows an instance for several calls that belong together, such as those that use handles
    /// of its objects. It counts as one call.
    ///
    /// # Errors
    ///
    /// `timeout` if none became free in time; `busy` if none is free and this comes from a host
    /// function of the pool itself, because it might wait for itself; whatever ends the
    /// initialisation of a new instance; `dead-instance` if the pool is closed.
    pub async fn take(&self, options: &CallOptions) -> Result<AsyncPooled> {
        let taken = self.0.take(Wait::Task, &self.0.budget(options), self.0.is_within(options.within)).await?;
        Ok(AsyncPooled::new(taken))
    }

    /// The same, on this thread: see [`AsyncInstance::call_here`].
    ///
    /// # Errors
    ///
    /// As [`take`](AsyncPool::take), but `busy` if no instance is free.
    pub fn take_here(&self, options: &CallOptions) -> Result<AsyncPooled> {
        hold(Driver::Fiber, self.0.take(Wait::Never, &self.0.budget(options), false)).map(AsyncPooled::new)
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

    /// Calls an export of any free instance. `then` lifts the result, at home.
    ///
    /// # Errors
    ///
    /// Those of [`take`](AsyncPool::take), of the call, and of `then`.
    pub async fn call_then<R: Send + 'static>(
        &self,
        arguments: Arguments<'_, '_>,
        options: &CallOptions,
        then: impl FnOnce(Outcome<'_, '_>) -> Result<R> + Send + 'static,
    ) -> Result<R> {
        arguments.check_pooled()?;
        let budget = self.0.budget(options);
        let taken = self.0.take(Wait::Task, &budget, self.0.is_within(options.within)).await?;
        AsyncInstance(taken.running().clone()).call_within(arguments, budget, options.within, then).await
    }

    /// Calls an export, and does not return before the call is over: see
    /// [`AsyncInstance::call_here`].
    ///
    /// # Errors
    ///
    /// As [`call_then`](AsyncPool::call_then), but `busy` if no instance is free, because the calls
    /// that have them need this thread.
    pub fn call_here<R>(
        &self,
        mut arguments: Arguments<'_, '_>,
        options: &CallOptions,
        then: impl FnOnce(Outcome<'_, '_>) -> Result<R>,
    ) -> Result<R> {
        arguments.check_pooled()?;
        let budget = self.0.budget(options);
        let taken = hold(Driver::Fiber, self.0.take(Wait::Never, &budget, false))?;
        taken.running().call_within(Wait::Never, &mut arguments, budget, then)
    }

    /// The export of that name, as a function of these types: see
    /// [`Function::call_async`].
    ///
    /// # Errors
    ///
    /// As [`Function::new`].
    pub fn function<Args: Params, Ret: FromGuest>(&self, name: &str) -> Result<Function<Args, Ret, AsyncPool>> {
        Function::new(self.clone(), name)
    }

    /// Creates instances until there are that many, or as many as the pool may have.
    ///
    /// # Errors
    ///
    /// Whatever ends an initialisation; `dead-instance` if the pool is closed.
    pub async fn warm_up(&self, instances: usize) -> Result<()> {
        self.0.warm_up(instances).await
    }

    /// What the pool has done so far, and what it has now.
    #[must_use]
    pub fn stats(&self) -> PoolStats {
        self.0.queue.stats()
    }

    /// Refuses new and waiting calls, and waits for running calls. Closing again has no further
    /// effect.
    ///
    /// # Errors
    ///
    /// `timeout` if calls are still running then; the pool is closed all the same.
    pub async fn close(&self, timeout: Option<Duration>) -> Result<()> {
        self.close_now();
        self.0.empty(Driver::Fiber, timeout).await
    }

    /// The same without waiting for running calls.
    pub fn close_now(&self) {
        self.0.close();
    }

    /// Whether it is closed.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.0.queue.is_closed()
    }

    /// How each instance is created.
    #[must_use]
    pub fn options(&self) -> &InstanceOptions {
        &self.0.options.instance
    }
}

impl Target for AsyncPool {
    fn plugin(&self) -> &Plugin {
        AsyncPool::plugin(self)
    }
}

impl Suspending for AsyncPool {
    fn call_suspending<R: FromGuest + Send + 'static>(
        &self,
        arguments: Arguments<'_, '_>,
        options: &CallOptions,
    ) -> impl Future<Output = Result<R>> + Send {
        self.call_then(arguments, options, function::lift)
    }
}

impl fmt::Debug for AsyncPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AsyncPool({} × {}{})", self.size(), self.0.plugin.name(), if self.is_closed() { ", closed" } else { "" })
    }
}

/// An instance of an asynchronous pool, which returns to the pool when this is dropped. Its handles
/// end then.
pub struct AsyncPooled {
    instance: AsyncInstance,
    _taken: Taken,
}

impl AsyncPooled {
    fn new(taken: Taken) -> AsyncPooled {
        AsyncPooled { instance: AsyncInstance(taken.running().clone()), _taken: taken }
    }
}

impl Deref for AsyncPooled {
    type Target = AsyncInstance;

    fn deref(&self) -> &AsyncInstance {
        &self.instance
    }
}

impl fmt::Debug for AsyncPooled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.instance.fmt(f)
    }
}
