//! Interchangeable instances of a plugin, called from many threads.

pub(crate) mod async_pool;
pub(crate) mod wait_queue;

use std::cell::RefCell;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::{Arc, Weak};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use crate::abi::value::{ToValue, Value};
use crate::config::budget::Budget;
use crate::config::{CallOptions, Limits};
use crate::error::{Error, ErrorKind, Result};
use crate::guest::options::InstanceOptions;
use crate::instance::Instance;
use crate::instance::call::{Arguments, Returned};
use crate::instance::store::Seed;
use crate::platform::stack;
use crate::plugin::Plugin;
use crate::pool::wait_queue::{Fate, Member, PoolStats, Turn, WaitQueue};
use crate::wasi::files::given::Given;

/// How many instances a pool has, and for how long.
#[derive(Clone, Debug)]
pub struct PoolOptions {
    /// The most instances that there are at once; made when they are needed. At least 1.
    pub size: usize,
    /// After so many calls an instance is replaced; 1 is a fresh instance for each call. `None`: it serves as long as it lives.
    pub max_calls: Option<u64>,
    /// An instance that was not called for that long is dropped. `None`: it is kept.
    pub idle: Option<Duration>,
    /// What each instance is made with.
    pub instance: InstanceOptions,
}

impl PoolOptions {
    /// A pool of at most that many instances, which live until a call ends them.
    #[must_use]
    pub fn new(size: usize, instance: InstanceOptions) -> PoolOptions {
        PoolOptions { size, max_calls: None, idle: None, instance }
    }

    pub(crate) fn check(&self) -> Result<()> {
        match (self.size, self.max_calls) {
            (0, _) => Err(Error::new(ErrorKind::TypeMismatch, "a pool has at least one instance: its size can't be 0")),
            (_, Some(0)) => Err(Error::new(ErrorKind::TypeMismatch, "an instance answers at least one call: max_calls can't be 0")),
            _ => Ok(()),
        }
    }

    /// What becomes of an instance that has answered so many calls.
    pub(crate) fn fate(&self, calls: u64, is_dead: bool) -> Fate {
        match self.max_calls {
            _ if is_dead => Fate::Died,
            Some(max) if calls >= max => Fate::Retired,
            _ => Fate::Keep,
        }
    }
}

impl Plugin {
    /// Makes a pool of instances, none of which is made yet.
    ///
    /// # Errors
    ///
    /// `type-mismatch` for numbers that make no pool; `invalid-plugin` and `missing-import` as [`instantiate`](Plugin::instantiate).
    pub fn pool(&self, options: PoolOptions) -> Result<Pool> {
        self.check_reactor()?;
        Pool::new(self, options)
    }
}

/// Instances of one plugin that stand in for each other. Cheap to clone; clones are the same pool. May be used from any thread.
///
/// A call takes an instance that is free, or makes one, or waits its turn: first come, first served. One that a call has ended is replaced.
#[derive(Clone)]
pub struct Pool(Arc<Inner>);

struct Inner {
    plugin: Plugin,
    options: PoolOptions,
    given: Arc<Given>,
    queue: Arc<WaitQueue<Instance>>,
    /// Drops what is unused for long.
    janitor: Option<Thread>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(janitor) = &self.janitor {
            janitor.unpark();
        }
    }
}

thread_local! {
    /// The pools of which this thread has an instance.
    static HELD: RefCell<Vec<*const Inner>> = const { RefCell::new(Vec::new()) };
}

impl Pool {
    pub(crate) fn new(plugin: &Plugin, options: PoolOptions) -> Result<Pool> {
        options.check()?;
        // What is missing should be said now, and not by the first call.
        let given = Seed::new(plugin, options.instance.clone())?.given;
        let queue = Arc::new(WaitQueue::new(options.size));
        let janitor = options.idle.map(|unused| hire(&queue, unused)).transpose()?;
        Ok(Pool(Arc::new(Inner { plugin: plugin.clone(), options, given, queue, janitor })))
    }

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

    /// Borrows an instance: for several calls that belong together. It counts as one call.
    ///
    /// # Errors
    ///
    /// `timeout` when none became free in time; `busy` when none is free and this thread has one already, from within a host function: it would
    /// wait for itself; what ends the initialisation of a new one; `dead-instance` once the pool is closed.
    pub fn take(&self, options: &CallOptions) -> Result<Pooled> {
        self.take_within(&self.budget(options))
    }

    fn budget(&self, options: &CallOptions) -> Budget {
        Budget::of(options, &self.0.options.instance.limits)
    }

    fn take_within(&self, budget: &Budget) -> Result<Pooled> {
        // Before anything is waited for: it may be this thread that has to give it back.
        stack::check()?;
        let this = Arc::as_ptr(&self.0);
        let turn = if HELD.with_borrow(|held| held.contains(&this)) {
            let text = "all instances of the pool are busy, one of them with the call from which this one comes: a host function that calls its \
                        own pool needs a larger one";
            self.0.queue.try_take()?.ok_or_else(|| Error::new(ErrorKind::Busy, text))?
        } else {
            self.0.queue.take(budget)?
        };
        let member = match turn {
            Turn::Use(member) => member,
            Turn::Make => self.make(budget)?,
        };
        HELD.with_borrow_mut(|held| held.push(this));
        Ok(Pooled { pool: self.clone(), member: Some(member), _not_send: PhantomData })
    }

    /// Makes a member, in a place that was taken for it.
    fn make(&self, budget: &Budget) -> Result<Member<Instance>> {
        let unmade = Unmade(&self.0.queue);
        let seed = Seed::with(&self.0.plugin, self.0.options.instance.clone(), self.0.given.clone())?;
        let item = Instance::within(seed, budget.clone())?;
        std::mem::forget(unmade);
        self.0.queue.made();
        Ok(Member { item, calls: 0 })
    }

    /// Calls an export of whichever instance is free; its result is given to `then`, which lifts it.
    ///
    /// # Errors
    ///
    /// Those of [`take`](Pool::take), of the call, and of `then`. The timeout covers all of it.
    pub fn call_then<R>(
        &self,
        arguments: &mut Arguments<'_, '_>,
        options: &CallOptions,
        then: impl FnOnce(Returned<'_>) -> Result<R>,
    ) -> Result<R> {
        let budget = self.budget(options);
        let pooled = self.take_within(&budget)?;
        then(arguments.call_within(&pooled, budget)?)
    }

    /// Calls an export with [`Value`]s.
    ///
    /// # Errors
    ///
    /// As [`Instance::call`], and those of [`take`](Pool::take).
    pub fn call(&self, name: &str, args: &[Value], options: &CallOptions) -> Result<Value> {
        let mut arguments = self.0.plugin.arguments(self.0.plugin.export(name)?)?;
        arguments.lower_all(args.iter())?;
        self.call_then(&mut arguments, options, |returned| returned.lift(&ToValue))
    }

    /// Makes instances until there are that many, or as many as the pool may have.
    ///
    /// # Errors
    ///
    /// What ends an initialisation; `dead-instance` once the pool is closed.
    pub fn warm_up(&self, instances: usize) -> Result<()> {
        while self.0.queue.reserve(instances)?.is_some() {
            let member = self.make(&self.budget(&CallOptions::default()))?;
            drop(self.0.queue.give_back(Some(member), Fate::Keep));
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
    /// `timeout` when calls still run by then, and `busy` when one of them is this thread's own: the pool is closed all the same.
    pub fn close(&self, timeout: Option<Duration>) -> Result<()> {
        drop(self.0.queue.close());
        if let Some(janitor) = &self.0.janitor {
            janitor.unpark();
        }
        if HELD.with_borrow(|held| held.contains(&Arc::as_ptr(&self.0))) {
            let text = "the pool is closed, but the call from which this comes is one of its own, and can't be waited for";
            return Err(Error::new(ErrorKind::Busy, text));
        }
        let options = CallOptions { timeout, ..CallOptions::default() };
        self.0.queue.wait_empty(&Budget::of(&options, &Limits::default()))
    }

    /// Whether it was closed.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.0.queue.is_closed()
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pool({} × {}{})", self.0.queue.size(), self.0.plugin.name(), if self.is_closed() { ", closed" } else { "" })
    }
}

/// A thread that drops a pool's instances once they were not used for that long, and ends with the pool.
pub(crate) fn hire<T: Send + 'static>(queue: &Arc<WaitQueue<T>>, unused: Duration) -> Result<Thread> {
    let queue = Arc::downgrade(queue);
    // Where "at once" is asked for, the thread still has to rest between its looks.
    let unused = unused.max(Duration::from_millis(1));
    let work = move || {
        while let Some(next) = tidy(&queue, unused) {
            thread::park_timeout(next.saturating_duration_since(Instant::now()));
        }
    };
    let spawned = thread::Builder::new().name("undergo-janitor".into()).spawn(work);
    let hired = spawned
        .map_err(|error| Error::new(ErrorKind::Busy, format!("the system gives no thread for a pool with an idle time: {error}")))?;
    Ok(hired.thread().clone())
}

/// Gives the moment of the next look; `None` when the pool is gone or closed.
fn tidy<T>(queue: &Weak<WaitQueue<T>>, unused: Duration) -> Option<Instant> {
    let queue = queue.upgrade()?;
    let (stale, next) = queue.shrink(unused);
    drop(stale);
    let now = Instant::now();
    // One that comes back in the meantime is stale no earlier than that.
    (!queue.is_closed()).then(|| next.or_else(|| now.checked_add(unused)).unwrap_or(now + Duration::from_secs(1 << 32)))
}

/// Gives back the place of an instance whose making failed.
struct Unmade<'p>(&'p WaitQueue<Instance>);

impl Drop for Unmade<'_> {
    fn drop(&mut self) {
        drop(self.0.give_back(None, Fate::Unmade));
    }
}

/// An instance of a pool, which goes back when this is dropped. It belongs to the thread that took it.
pub struct Pooled {
    pool: Pool,
    /// There until it is dropped.
    member: Option<Member<Instance>>,
    /// What the thread has is noted with the thread.
    _not_send: PhantomData<*mut ()>,
}

impl Deref for Pooled {
    type Target = Instance;

    fn deref(&self) -> &Instance {
        &self.member.as_ref().unwrap_or_else(|| unreachable!("the instance is there until the end")).item
    }
}

impl Drop for Pooled {
    fn drop(&mut self) {
        let this = Arc::as_ptr(&self.pool.0);
        HELD.with_borrow_mut(|held| {
            if let Some(at) = held.iter().rposition(|pool| *pool == this) {
                held.swap_remove(at);
            }
        });
        let Some(mut member) = self.member.take() else { return };
        member.calls += 1;
        let fate = self.pool.0.options.fate(member.calls, member.item.dead().is_some());
        drop(self.pool.0.queue.give_back(Some(member), fate));
    }
}
