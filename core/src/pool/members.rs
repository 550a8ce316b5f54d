//! The instances of synchronous and asynchronous pools: created on demand, returned, and dropped
//! when unused.

use std::sync::{Arc, Weak};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use crate::config::budget::Budget;
use crate::config::{CallOptions, Lease, Limits};
use crate::error::{Error, ErrorKind, Result};
use crate::guest::reentry::{InPool, unique, would_wait_for_its_pool};
use crate::instance::running::{Running, Wait};
use crate::instance::seed::{Kind, Seed};
use crate::platform::{runtime, window};
use crate::plugin::Plugin;
use crate::pool::PoolOptions;
use crate::pool::wait_queue::{Fate, Grant, Member, WaitQueue};
use crate::sched::driver::Driver;
use crate::wasi::files::given::Given;

/// The pool behind its handles.
pub(crate) struct Members {
    pub(crate) plugin: Plugin,
    pub(crate) options: PoolOptions,
    given: Arc<Given>,
    pub(crate) queue: Arc<WaitQueue<Arc<Running>>>,
    /// Drops members that were unused for long.
    janitor: Option<Thread>,
    id: u64,
    /// Whether its calls suspend.
    suspends: bool,
}

impl Drop for Members {
    fn drop(&mut self) {
        if let Some(janitor) = &self.janitor {
            janitor.unpark();
        }
    }
}

impl Members {
    pub(crate) fn new(plugin: &Plugin, options: PoolOptions, suspends: bool) -> Result<Arc<Members>> {
        plugin.check_callable()?;
        Members::of(plugin, options, suspends)
    }

    /// Those of a server, whose instances have no other functions.
    pub(crate) fn serving(plugin: &Plugin, options: PoolOptions) -> Result<Arc<Members>> {
        Members::of(plugin, options, true)
    }

    fn of(plugin: &Plugin, options: PoolOptions, suspends: bool) -> Result<Arc<Members>> {
        options.check()?;
        // Missing functions should be reported now, not by the first call.
        let given = Seed::new(plugin, options.instance.clone(), Kind::SUSPENDING)?.given.clone();
        let queue = Arc::new(WaitQueue::new(options.size));
        let janitor = options.idle.map(|unused| hire(&queue, unused)).transpose()?;
        Ok(Arc::new(Members { plugin: plugin.clone(), options, given, queue, janitor, id: unique(), suspends }))
    }

    /// The budget of a call that begins now.
    pub(crate) fn budget(&self, options: &CallOptions) -> Budget {
        Budget::of(options, &self.options.instance.limits)
    }

    /// How instances are created now.
    pub(crate) fn kind(&self) -> Kind {
        let kind = if self.suspends { Kind::SUSPENDING } else { Kind::holding(&self.plugin) };
        Kind { pool: self.id, ..kind }
    }

    /// Takes a free instance, creates one, or waits for its turn. A caller that already has one, as
    /// `is_within` says, might wait for itself.
    pub(crate) async fn take(self: &Arc<Self>, wait: Wait, budget: &Budget, is_within: bool) -> Result<Taken> {
        // Before any wait: this may be the thread that has to return it.
        window::check()?;
        let grant = match wait {
            Wait::Never => self.queue.try_take()?.ok_or_else(needs_this_thread)?,
            _ if is_within => self.queue.try_take()?.ok_or_else(is_its_own)?,
            Wait::Thread => self.queue.take(Driver::Direct, budget).await?,
            Wait::Task => self.queue.take(Driver::Fiber, budget).await?,
        };
        match grant {
            Grant::Use(member) => Ok(Taken { members: self.clone(), member: Some(member), is_back: false }),
            Grant::Make => self.make(budget.clone()).await,
        }
    }

    /// Whether a call with that lease, or one that is polled here, comes from a host function of
    /// this pool.
    pub(crate) fn is_within(&self, lease: Option<Lease>) -> bool {
        lease.is_some_and(|lease| lease.pool == self.id) || would_wait_for_its_pool(self.id)
    }

    /// While what it gives lives, the thread runs the host's code for one of them.
    pub(crate) fn enter_host(&self) -> InPool {
        InPool::enter(self.id)
    }

    /// Creates a member, in a place that was taken for it.
    async fn make(self: &Arc<Self>, budget: Budget) -> Result<Taken> {
        // Returns the place if the creation fails or is dropped.
        let mut taken = Taken { members: self.clone(), member: None, is_back: false };
        let seed = Seed::with(&self.plugin, self.options.instance.clone(), self.given.clone(), self.kind())?;
        let item = Running::instantiate(seed, budget).await?;
        self.queue.made();
        taken.member = Some(Member { item, calls: 0 });
        Ok(taken)
    }

    /// Creates instances until there are that many, or as many as the pool may have.
    pub(crate) async fn warm_up(self: &Arc<Self>, instances: usize) -> Result<()> {
        while self.queue.reserve(instances)?.is_some() {
            self.make(self.budget(CallOptions::NONE)).await?.unused();
        }
        Ok(())
    }

    /// Refuses new and waiting calls.
    pub(crate) fn close(&self) {
        drop(self.queue.close());
        if let Some(janitor) = &self.janitor {
            janitor.unpark();
        }
    }

    /// Waits for the running calls of a closed pool.
    pub(crate) async fn empty(&self, driver: Driver, timeout: Option<Duration>) -> Result<()> {
        let options = CallOptions { timeout, ..CallOptions::default() };
        self.queue.empty(driver, &Budget::of(&options, &Limits::default())).await
    }
}

#[cold]
fn is_its_own() -> Error {
    let text = "all instances of the pool are busy, one of them with the call from which this one comes: a host function that calls its \
                own pool needs a larger one";
    Error::new(ErrorKind::Busy, text)
}

#[cold]
fn needs_this_thread() -> Error {
    let text = "all instances of the pool are busy with asynchronous calls, which need this thread to go on: await them first";
    Error::new(ErrorKind::Busy, text)
}

/// An instance of a pool, or a place for one, which returns to the pool when this is dropped.
pub(crate) struct Taken {
    members: Arc<Members>,
    member: Option<Member<Arc<Running>>>,
    is_back: bool,
}

impl Taken {
    pub(crate) fn running(&self) -> &Arc<Running> {
        // `take` returns no other.
        &self.member.as_ref().unwrap_or_else(|| unreachable!("a place without an instance is given to nobody")).item
    }

    /// Returns it as one that was not called.
    fn unused(mut self) {
        drop(self.members.queue.give_back(self.member.take(), Fate::Keep));
        self.is_back = true;
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        if self.is_back {
            return;
        }
        let fate = match &mut self.member {
            None => Fate::Unmade,
            Some(member) => {
                member.calls += 1;
                member.item.seed.handles.end_given();
                self.members.options.fate(member.calls, member.item.seed.life.dead().is_some())
            }
        };
        let dropped = self.members.queue.give_back(self.member.take(), fate);
        if self.members.suspends && dropped.is_some() {
            // Freeing a guest's memory takes a while, which should not block a loop.
            runtime::compute(move || drop(dropped));
        }
    }
}

/// A thread that drops a pool's instances after they were unused for that long. It ends with the
/// pool.
fn hire<T: Send + 'static>(queue: &Arc<WaitQueue<T>>, unused: Duration) -> Result<Thread> {
    let queue = Arc::downgrade(queue);
    // Even for "at once", the thread has to sleep between checks.
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

/// Returns the time of the next check; `None` if the pool is dropped or closed.
fn tidy<T>(queue: &Weak<WaitQueue<T>>, unused: Duration) -> Option<Instant> {
    let queue = queue.upgrade()?;
    let (stale, next) = queue.shrink(unused);
    drop(stale);
    let now = Instant::now();
    // A member that returns in the meantime is not due before that.
    (!queue.is_closed()).then(|| next.or_else(|| now.checked_add(unused)).unwrap_or(now + Duration::from_secs(1 << 32)))
}
