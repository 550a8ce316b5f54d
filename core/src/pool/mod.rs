//! Interchangeable instances of a plugin, called from many threads.

pub(crate) mod async_pool;
pub(crate) mod members;
pub(crate) mod wait_queue;

use std::cell::RefCell;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use crate::abi::typed::{FromGuest, Params};
use crate::abi::value::{ToValue, Value};
use crate::call::outcome::Outcome;
use crate::config::budget::Budget;
use crate::config::{CallOptions, setters};
use crate::error::{Error, ErrorKind, Result};
use crate::guest::options::InstanceOptions;
use crate::instance::Instance;
use crate::instance::arguments::Arguments;
use crate::instance::function::{self, Blocking, Function, Target};
use crate::instance::running::{Wait, hold};
use crate::plugin::Plugin;
use crate::pool::members::{Members, Taken};
use crate::pool::wait_queue::{Fate, PoolStats};
use crate::sched::driver::{Driver, at_once};

/// How many instances a pool has, and for how long.
///
/// ```
/// use undergo::{InstanceOptions, PoolOptions};
///
/// let fresh_for_each_call = PoolOptions::new(8, InstanceOptions::default()).max_calls(1);
/// ```
#[cfg_attr(not(feature = "host"), non_exhaustive)]
#[derive(Clone, Debug)]
pub struct PoolOptions {
    /// The maximum number of instances, at least 1. They are created on demand.
    pub size: usize,
    /// An instance is replaced after this many calls; 1 gives each call a fresh instance. `None`:
    /// it serves as long as it lives.
    pub max_calls: Option<u64>,
    /// An instance that was unused for this long is dropped. `None`: it is kept.
    pub idle: Option<Duration>,
    /// How each instance is created.
    pub instance: InstanceOptions,
}

setters!(PoolOptions {
    max_calls ? u64,
    idle ? Duration,
});

impl PoolOptions {
    /// A pool of at most that many instances, which live until a call kills them.
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

    /// What happens to an instance that has answered so many calls.
    pub(crate) fn fate(&self, calls: u64, is_dead: bool) -> Fate {
        match self.max_calls {
            _ if is_dead => Fate::Died,
            Some(max) if calls >= max => Fate::Retired,
            _ => Fate::Keep,
        }
    }
}

impl Plugin {
    /// Creates a pool. It has no instances yet.
    ///
    /// # Errors
    ///
    /// `type-mismatch` for invalid numbers; `invalid-plugin` and `missing-import` as
    /// [`instantiate`](Plugin::instantiate).
    pub fn pool(&self, options: PoolOptions) -> Result<Pool> {
        Ok(Pool(Members::new(self, options, false)?))
    }
}

/// Interchangeable instances of one plugin. Cheap to clone; clones are the same pool. May be used
/// from any thread.
///
/// A call takes a free instance, creates one, or waits for its turn: first come, first served. An
/// instance that a call has killed is replaced.
#[derive(Clone)]
pub struct Pool(Arc<Members>);

thread_local! {
    /// The pools of which this thread has an instance.
    static HELD: RefCell<Vec<*const Members>> = const { RefCell::new(Vec::new()) };
}

impl Pool {
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

    /// Borrows an instance for several calls that belong together. It counts as one call.
    ///
    /// # Errors
    ///
    /// `timeout` if none became free in time; `busy` if none is free and this thread already has
    /// one, within a host function, because it would wait for itself; whatever ends the
    /// initialisation of a new instance; `dead-instance` if the pool is closed.
    pub fn take(&self, options: &CallOptions) -> Result<Pooled> {
        self.take_within(&self.0.budget(options))
    }

    /// The same for hosts whose callers move between threads: the instance returns on any thread.
    ///
    /// # Errors
    ///
    /// Those of [`take`](Pool::take); a thread that already has one so is not told that it waits
    /// for itself.
    #[cfg(feature = "host")]
    pub fn lend(&self, options: &CallOptions) -> Result<Lent> {
        let taken = hold(self.0.kind().driver, self.0.take(Wait::Thread, &self.0.budget(options), self.is_held()))?;
        Ok(Lent { instance: Instance(taken.running().clone()), _taken: taken })
    }

    fn take_within(&self, budget: &Budget) -> Result<Pooled> {
        let taken = hold(self.0.kind().driver, self.0.take(Wait::Thread, budget, self.is_held()))?;
        HELD.with_borrow_mut(|held| held.push(Arc::as_ptr(&self.0)));
        Ok(Pooled { instance: Instance(taken.running().clone()), _taken: taken, pool: Arc::as_ptr(&self.0), _not_send: PhantomData })
    }

    /// Whether this thread has one of its instances.
    fn is_held(&self) -> bool {
        HELD.with_borrow(|held| held.contains(&Arc::as_ptr(&self.0)))
    }

    /// Calls an export of any free instance. `then` lifts the result.
    ///
    /// # Errors
    ///
    /// Those of [`take`](Pool::take), of the call, and of `then`. The timeout covers all of these.
    pub fn call_then<R>(
        &self,
        arguments: &mut Arguments<'_, '_>,
        options: &CallOptions,
        then: impl FnOnce(Outcome<'_, '_>) -> Result<R>,
    ) -> Result<R> {
        arguments.check_pooled()?;
        let budget = self.0.budget(options);
        let pooled = self.take_within(&budget)?;
        pooled.running().call_within(Wait::Thread, arguments, budget, then)
    }

    /// Calls an export with [`Value`]s.
    ///
    /// # Errors
    ///
    /// As [`Instance::call`], and those of [`take`](Pool::take).
    pub fn call(&self, name: &str, args: &[Value], options: &CallOptions) -> Result<Value> {
        let mut arguments = self.0.plugin.arguments(self.0.plugin.export(name)?)?;
        arguments.lower_all(args.iter())?;
        self.call_then(&mut arguments, options, |outcome| outcome.lift(&ToValue))
    }

    /// The export of that name, as a function of these types. Each call takes an instance.
    ///
    /// ```no_run
    /// # fn main() -> undergo::Result<()> {
    /// use undergo::{InstanceOptions, Plugin, PoolOptions};
    ///
    /// let plugin = Plugin::from_file("phones.wasm")?;
    /// let pool = plugin.pool(PoolOptions::new(4, InstanceOptions::default()))?;
    /// let normalise = pool.function::<(&str,), String>("normalise")?;
    /// std::thread::scope(|scope| {
    ///     for number in ["030 123456", "040 654321"] {
    ///         let normalise = &normalise;
    ///         scope.spawn(move || println!("{:?}", normalise.call((number,))));
    ///     }
    /// });
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Function::new`].
    pub fn function<Args: Params, Ret: FromGuest>(&self, name: &str) -> Result<Function<Args, Ret, Pool>> {
        Function::new(self.clone(), name)
    }

    /// Creates instances until there are that many, or as many as the pool may have.
    ///
    /// # Errors
    ///
    /// Whatever ends an initialisation; `dead-instance` if the pool is closed.
    pub fn warm_up(&self, instances: usize) -> Result<()> {
        hold(self.0.kind().driver, self.0.warm_up(instances))
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
    /// `timeout` if calls are still running then, and `busy` if one of them is this thread's own;
    /// the pool is closed all the same.
    pub fn close(&self, timeout: Option<Duration>) -> Result<()> {
        self.0.close();
        if self.is_held() {
            let text = "the pool is closed, but the call from which this comes is one of its own, and can't be waited for";
            return Err(Error::new(ErrorKind::Busy, text));
        }
        at_once(self.0.empty(Driver::Direct, timeout))
    }

    /// Whether it is closed.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.0.queue.is_closed()
    }
}

impl Target for Pool {
    fn plugin(&self) -> &Plugin {
        Pool::plugin(self)
    }
}

impl Blocking for Pool {
    fn call_block<R: FromGuest>(&self, arguments: &mut Arguments<'_, '_>, options: &CallOptions) -> Result<R> {
        self.call_then(arguments, options, function::lift)
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pool({} × {}{})", self.size(), self.0.plugin.name(), if self.is_closed() { ", closed" } else { "" })
    }
}

/// An instance of a pool, which returns to the pool when this is dropped. It belongs to the thread
/// that took it.
pub struct Pooled {
    instance: Instance,
    _taken: Taken,
    pool: *const Members,
    /// The thread keeps a record of what it has.
    _not_send: PhantomData<*mut ()>,
}

impl Deref for Pooled {
    type Target = Instance;

    fn deref(&self) -> &Instance {
        &self.instance
    }
}

impl Drop for Pooled {
    fn drop(&mut self) {
        HELD.with_borrow_mut(|held| {
            if let Some(at) = held.iter().rposition(|pool| *pool == self.pool) {
                held.swap_remove(at);
            }
        });
    }
}

/// An instance of a pool, which returns to the pool when this is dropped, on any thread.
#[cfg(feature = "host")]
pub struct Lent {
    instance: Instance,
    _taken: Taken,
}

#[cfg(feature = "host")]
impl Deref for Lent {
    type Target = Instance;

    fn deref(&self) -> &Instance {
        &self.instance
    }
}

#[cfg(feature = "host")]
const _: () = {
    const fn is_send_and_sync<T: Send + Sync>() {}
    is_send_and_sync::<Lent>();
};
