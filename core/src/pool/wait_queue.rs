//! The queue for a pool's instances. It does not know how instances are created or called.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::config::budget::Budget;
use crate::error::{Error, ErrorKind, Result};
use crate::platform::fork;
use crate::sched::driver::Driver;
use crate::sched::handoff::Handoff;

/// What a pool has done so far, and what it has now.
#[cfg_attr(not(feature = "host"), non_exhaustive)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PoolStats {
    /// Instances that are in a call, or are being created for one.
    pub busy: usize,
    /// Instances that are free.
    pub idle: usize,
    /// Callers that wait for an instance.
    pub waiting: usize,
    /// Calls that got an instance.
    pub calls: u64,
    /// Instances that were created.
    pub made: u64,
    /// Instances that were dropped because a call had killed them.
    pub died: u64,
    /// Instances that were dropped because they had answered their number of calls.
    pub retired: u64,
    /// Instances that were dropped because they had been unused for long.
    pub shrunk: u64,
}

/// An instance of the pool, on loan.
#[derive(Debug)]
pub(crate) struct Member<T> {
    pub(crate) item: T,
    /// How many calls it has answered.
    pub(crate) calls: u64,
}

/// What a caller gets when its turn comes.
pub(crate) enum Grant<T> {
    /// Use that one.
    Use(Member<T>),
    /// Create one.
    Make,
}

/// What happens to a member that returns.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Keep,
    Died,
    Retired,
    /// It was never created.
    Unmade,
}

/// Hands out at most `size` members, first come, first served.
pub(crate) struct WaitQueue<T> {
    size: usize,
    /// The process that created it: see `fork.rs`. In another process its lock may stay locked for
    /// ever.
    generation: u64,
    state: Mutex<State<T>>,
}

struct State<T> {
    /// The one that returned last is at the end and is used first, so that the others may be
    /// dropped.
    idle: Vec<(Member<T>, Instant)>,
    busy: usize,
    waiting: VecDeque<Arc<Waiter<T>>>,
    /// Callers that wait for the last one to return to a closed pool.
    closing: Vec<Arc<Handoff<()>>>,
    closed: bool,
    stats: PoolStats,
}

/// A caller that waits.
type Waiter<T> = Handoff<Result<Grant<T>>>;

fn lock<S>(mutex: &Mutex<S>) -> MutexGuard<'_, S> {
    // All states are consistent after each statement, so a panic of another thread harms nothing.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<T> WaitQueue<T> {
    pub(crate) fn new(size: usize) -> WaitQueue<T> {
        let state =
            State { idle: Vec::new(), busy: 0, waiting: VecDeque::new(), closing: Vec::new(), closed: false, stats: PoolStats::default() };
        WaitQueue { size, generation: fork::generation(), state: Mutex::new(state) }
    }

    pub(crate) fn size(&self) -> usize {
        self.size
    }

    fn check_process(&self) -> Result<()> {
        if self.generation == fork::generation() { Ok(()) } else { Err(fork::left_behind("pool")) }
    }

    /// A turn at once, if there is one.
    fn turn(&self, state: &mut State<T>) -> Result<Option<Grant<T>>> {
        if state.closed {
            return Err(closed());
        }
        if !state.waiting.is_empty() {
            return Ok(None);
        }
        let turn = match state.idle.pop() {
            Some((member, _)) => Grant::Use(member),
            None if state.busy < self.size => Grant::Make,
            None => return Ok(None),
        };
        state.busy += 1;
        state.stats.calls += 1;
        Ok(Some(turn))
    }

    /// A turn without waiting for it.
    pub(crate) fn try_take(&self) -> Result<Option<Grant<T>>> {
        self.check_process()?;
        self.turn(&mut lock(&self.state))
    }

    /// Waits for a turn as long as the budget lasts.
    ///
    /// # Errors
    ///
    /// `timeout` and whatever else ends the budget; `dead-instance` once the pool is closed.
    pub(crate) async fn take(&self, driver: Driver, budget: &Budget) -> Result<Grant<T>> {
        let waiter = {
            self.check_process()?;
            let mut state = lock(&self.state);
            if let Some(turn) = self.turn(&mut state)? {
                return Ok(turn);
            }
            let waiter = Arc::new(Waiter::new());
            state.waiting.push_back(waiter.clone());
            waiter
        };
        let leaving = Leaving { queue: self, waiter: &waiter };
        match waiter.wait(driver, budget).await {
            Ok(turn) => {
                std::mem::forget(leaving);
                turn
            }
            Err(ended) => Err(waited(ended, self.size)),
        }
    }

    /// Stops waiting. A turn that has come meanwhile goes to the next caller.
    fn give_up(&self, waiter: &Arc<Waiter<T>>) {
        lock(&self.state).waiting.retain(|other| !Arc::ptr_eq(other, waiter));
        match waiter.take() {
            Some(Ok(Grant::Use(member))) => drop(self.give_back(Some(member), Fate::Keep)),
            Some(Ok(Grant::Make)) => drop(self.give_back(None, Fate::Unmade)),
            Some(Err(_)) | None => {}
        }
    }

    /// Takes back a member, or the permission to create one, and gives it to the caller that has
    /// waited longest. The caller drops what is returned, without holding a lock: dropping may take
    /// a while and run the host's code.
    #[must_use]
    pub(crate) fn give_back(&self, member: Option<Member<T>>, fate: Fate) -> Option<Member<T>> {
        if self.check_process().is_err() {
            return member;
        }
        let mut state = lock(&self.state);
        match fate {
            Fate::Keep | Fate::Unmade => {}
            Fate::Died => state.stats.died += 1,
            Fate::Retired => state.stats.retired += 1,
        }
        let (kept, dropped) = if fate == Fate::Keep && !state.closed { (member, None) } else { (None, member) };
        if let Some(waiter) = state.waiting.pop_front() {
            // The place in the pool passes to another caller, so `busy` stays the same.
            state.stats.calls += 1;
            waiter.give(Ok(kept.map_or(Grant::Make, Grant::Use)));
            return dropped;
        }
        state.busy -= 1;
        if let Some(member) = kept {
            state.idle.push((member, Instant::now()));
        }
        if state.closed && state.busy == 0 {
            for waiter in state.closing.drain(..) {
                waiter.give(());
            }
        }
        dropped
    }

    /// Counts a member that was created.
    pub(crate) fn made(&self) {
        lock(&self.state).stats.made += 1;
    }

    /// A place for a member that is created ahead of calls; `None` if the pool has as many as
    /// requested, or is full.
    pub(crate) fn reserve(&self, wanted: usize) -> Result<Option<Grant<T>>> {
        self.check_process()?;
        let mut state = lock(&self.state);
        if state.closed {
            return Err(closed());
        }
        let live = state.busy + state.idle.len();
        if live >= wanted.min(self.size) {
            return Ok(None);
        }
        state.busy += 1;
        Ok(Some(Grant::Make))
    }

    /// Removes members that were unused for that long, for the caller to drop. Also returns when to
    /// check again.
    pub(crate) fn shrink(&self, unused: Duration) -> (Vec<T>, Option<Instant>) {
        let mut state = lock(&self.state);
        let now = Instant::now();
        // Those that returned first are at the beginning.
        let stale = state.idle.iter().take_while(|(_, since)| now.duration_since(*since) >= unused).count();
        let taken: Vec<T> = state.idle.drain(..stale).map(|(member, _)| member.item).collect();
        state.stats.shrunk += taken.len() as u64;
        (taken, state.idle.first().and_then(|(_, since)| since.checked_add(unused)))
    }

    pub(crate) fn stats(&self) -> PoolStats {
        if self.check_process().is_err() {
            return PoolStats::default();
        }
        let state = lock(&self.state);
        PoolStats { busy: state.busy, idle: state.idle.len(), waiting: state.waiting.len(), ..state.stats }
    }

    /// Refuses waiting and new callers, and lets running calls finish. Returns the idle members,
    /// for the caller to drop.
    #[must_use]
    pub(crate) fn close(&self) -> Vec<T> {
        if self.check_process().is_err() {
            return Vec::new();
        }
        let mut state = lock(&self.state);
        state.closed = true;
        for waiter in state.waiting.drain(..) {
            waiter.give(Err(closed()));
        }
        state.idle.drain(..).map(|(member, _)| member.item).collect()
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.check_process().is_err() || lock(&self.state).closed
    }

    /// Waits until all members have returned to a closed pool, as long as the budget lasts.
    pub(crate) async fn empty(&self, driver: Driver, budget: &Budget) -> Result<()> {
        let last = {
            if self.check_process().is_err() {
                return Ok(());
            }
            let mut state = lock(&self.state);
            if state.busy == 0 {
                return Ok(());
            }
            let last = Arc::new(Handoff::new());
            state.closing.push(last.clone());
            last
        };
        last.wait(driver, budget).await
    }
}

/// Leaves the queue when a caller stops waiting.
struct Leaving<'r, T> {
    queue: &'r WaitQueue<T>,
    waiter: &'r Arc<Waiter<T>>,
}

impl<T> Drop for Leaving<'_, T> {
    fn drop(&mut self) {
        self.queue.give_up(self.waiter);
    }
}

fn closed() -> Error {
    Error::new(ErrorKind::DeadInstance, "the pool is closed, and answers no further call")
}

/// The end of a wait for a turn.
fn waited(ended: Error, size: usize) -> Error {
    if ended.kind() != ErrorKind::Timeout {
        return ended;
    }
    let all = if size == 1 { "the pool's one instance was".to_owned() } else { format!("all {size} instances of the pool were") };
    Error::new(ErrorKind::Timeout, format!("{all} busy for the whole time: {}", ended.message()))
}
