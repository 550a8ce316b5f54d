//! Interchangeable instances of a plugin, whose calls suspend instead of holding a thread.

use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::thread::Thread;
use std::time::Duration;

use crate::abi::value::{ToValue, Value};
use crate::call::fiber::{AsyncReturned, bounded};
use crate::call::reentry::{unique, would_wait_for_its_pool};
use crate::config::Lease;
use crate::config::budget::Budget;
use crate::config::{CallOptions, Limits};
use crate::error::{Error, ErrorKind, Result};
use crate::guest::options::InstanceOptions;
use crate::instance::async_instance::{AsyncArguments, AsyncInstance};
use crate::instance::store::Seed;
use crate::platform::runtime;
use crate::platform::stack;
use crate::plugin::Plugin;
use crate::pool::wait_queue::{Fate, Member, PoolStats, Turn, WaitQueue, waited};
use crate::pool::{PoolOptions, hire};
use crate::sched::task::run_here;
use crate::wasi::files::given::Given;

impl Plugin {
    /// Makes a pool of instances whose calls are futures (see [`instantiate_async`](Plugin::instantiate_async)). None is made yet.
    ///
    /// # Errors
    ///
    /// As [`pool`](Plugin::pool).
    pub fn async_pool(&self, options: PoolOptions) -> Result<AsyncPool> {
        self.check_reactor()?;
        options.check()?;
        // What is missing should be said now, and not by the first call.
        let given = Seed::new(self, options.instance.clone())?.given;
        let queue = Arc::new(WaitQueue::new(options.size));
        let janitor = options.idle.map(|unused| hire(&queue, unused)).transpose()?;
        Ok(AsyncPool(Arc::new(Inner { plugin: self.clone(), options, given, queue, janitor, id: unique() })))
    }
}

/// Instances of one plugin that stand in for each other, for many tasks. Cheap to clone; clones are the same pool.
///
/// A call takes an instance that is free, or makes one, or waits its turn: first come, first served. One that a call has ended is replaced.
#[derive(Clone)]
pub struct AsyncPool(Arc<Inner>);

struct Inner {
    plugin: Plugin,
    options: PoolOptions,
    given: Arc<Given>,
    queue: Arc<WaitQueue<AsyncInstance>>,
    /// Drops what is unused for long.
    janitor: Option<Thread>,
    id: u64,
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(janitor) = &self.janitor {
            janitor.unpark();
        }
    }
}

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
        let arguments = AsyncArguments::of_values(&self.0.plugin, name, args)?;
        self.call_then(arguments, options, |returned| returned.lift(&ToValue)).await
    }

    /// Calls an export of whichever instance is free. Its result is given to `then`, at home, which lifts it.
    ///
    /// # Errors
    ///
    /// `timeout` when none became free in time; `busy` when none is free and the call comes from a host function of the pool itself, which has one: it might wait
    /// for itself; what ends the initialisation of a new one; `dead-instance` once the pool is closed; those of the call, and of `then`.
    pub async fn call_then<R: Send + 'static>(
        &self,
        arguments: AsyncArguments,
        options: &CallOptions,
        then: impl FnOnce(AsyncReturned<'_, '_>) -> Result<R> + Send + 'static,
    ) -> Result<R> {
        let budget = Budget::of(options, &self.0.options.instance.limits);
        let loan = self.take(&budget, options.within).await?;
        loan.instance().call_within(arguments, budget, None, then).await
    }

    /// Calls an export, and does not return before the call is over: see [`AsyncInstance::call_here`].
    ///
    /// # Errors
    ///
    /// As [`call_then`](AsyncPool::call_then), but `busy` when no instance is free: those that have them need this thread.
    pub fn call_here<R>(
        &self,
        arguments: AsyncArguments,
        options: &CallOptions,
        then: impl FnOnce(AsyncReturned<'_, '_>) -> Result<R>,
    ) -> Result<R> {
        let text = "all instances of the pool are busy with asynchronous calls, which need this thread to go on: await them first";
        let turn = self.0.queue.try_take()?.ok_or_else(|| Error::new(ErrorKind::Busy, text))?;
        let budget = Budget::of(options, &self.0.options.instance.limits);
        let loan = match turn {
            Turn::Use(member) => Loan { pool: self.clone(), member: Some(member), is_back: false },
            Turn::Make => run_here(pin!(self.make(budget)))?,
        };
        loan.instance().call_here(arguments, options, then)
    }

    async fn take(&self, budget: &Budget, lease: Option<Lease>) -> Result<Loan> {
        stack::check()?;
        let turn = if lease.is_some_and(|lease| lease.pool == self.0.id) || would_wait_for_its_pool(self.0.id) {
            let text = "all instances of the pool are busy, one of them with the call from which this one comes: a host function that calls its \
                        own pool needs a larger one";
            self.0.queue.try_take()?.ok_or_else(|| Error::new(ErrorKind::Busy, text))?
        } else {
            let taken = bounded(budget, self.0.queue.take_async()).await;
            taken.map_err(|ended| waited(ended, self.size()))?
        };
        match turn {
            Turn::Use(member) => Ok(Loan { pool: self.clone(), member: Some(member), is_back: false }),
            Turn::Make => self.make(budget.clone()).await,
        }
    }

    /// Makes a member, in a place that was taken for it.
    async fn make(&self, budget: Budget) -> Result<Loan> {
        // Gives the place back when the making fails, or is dropped.
        let mut loan = Loan { pool: self.clone(), member: None, is_back: false };
        let mut seed = Seed::with(&self.0.plugin, self.0.options.instance.clone(), self.0.given.clone())?;
        seed.pool = self.0.id;
        let item = AsyncInstance::within(seed, budget).await?;
        self.0.queue.made();
        loan.member = Some(Member { item, calls: 0 });
        Ok(loan)
    }

    /// Makes instances until there are that many, or as many as the pool may have.
    ///
    /// # Errors
    ///
    /// What ends an initialisation; `dead-instance` once the pool is closed.
    pub async fn warm_up(&self, instances: usize) -> Result<()> {
        while self.0.queue.reserve(instances)?.is_some() {
            self.make(Budget::of(&CallOptions::default(), &self.0.options.instance.limits)).await?.unused();
        }
        Ok(())
    }

    /// What the pool did so far, and what it has now.
    #[must_use]
    pub fn stats(&self) -> PoolStats {
        self.0.queue.stats()
    }

    /// Turns away new calls and those that wait, lets those that run finish, and waits for that. Closing twice does nothing more.
    ///
    /// # Errors
    ///
    /// `timeout` when calls still run by then: the pool is closed all the same.
    pub async fn close(&self, timeout: Option<Duration>) -> Result<()> {
        self.close_now();
        let options = CallOptions { timeout, ..CallOptions::default() };
        let empty = async {
            self.0.queue.empty().await;
            Ok(())
        };
        bounded(&Budget::of(&options, &Limits::default()), empty).await
    }

    /// The same without waiting for those that run.
    pub fn close_now(&self) {
        drop(self.0.queue.close());
        if let Some(janitor) = &self.0.janitor {
            janitor.unpark();
        }
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

/// An instance of a pool, or a place for one, which goes back when this is dropped.
struct Loan {
    pool: AsyncPool,
    member: Option<Member<AsyncInstance>>,
    is_back: bool,
}

impl Loan {
    fn instance(&self) -> &AsyncInstance {
        // `take` gives no other.
        &self.member.as_ref().unwrap_or_else(|| unreachable!("a loan without an instance is given to nobody")).item
    }

    /// Gives it back as one that was not called.
    fn unused(mut self) {
        drop(self.pool.0.queue.give_back(self.member.take(), Fate::Keep));
        self.is_back = true;
    }
}

impl Drop for Loan {
    fn drop(&mut self) {
        if self.is_back {
            return;
        }
        let fate = match &mut self.member {
            None => Fate::Unmade,
            Some(member) => {
                member.calls += 1;
                self.pool.0.options.fate(member.calls, member.item.dead().is_some())
            }
        };
        let dropped = self.pool.0.queue.give_back(self.member.take(), fate);
        if dropped.is_some() {
            // To free a guest's memory takes a while, and no loop should wait for it.
            runtime::compute(move || drop(dropped));
        }
    }
}
