//! The connections of a server, and which of them may be ended.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use tokio::task::AbortHandle;

use crate::config::budget::Budget;
use crate::error::Result;
use crate::sched::driver::Driver;
use crate::sched::handoff::Handoff;

/// How long a connection may be unused, and how long a head may take from its first byte on.
const IDLE: Duration = Duration::from_secs(60);
const HEAD: Duration = Duration::from_secs(10);

/// What a connection does.
const UNUSED: u8 = 0;
const BUSY: u8 = 1;
/// It is being ended.
const ENDED: u8 = 2;

/// A connection.
pub(super) struct Entry {
    began: Instant,
    phase: AtomicU8,
    /// When it became unused, and when it has to be busy again: milliseconds since it began.
    since: AtomicU64,
    until: AtomicU64,
    task: OnceLock<AbortHandle>,
}

impl Entry {
    fn new() -> Entry {
        let until = AtomicU64::new(IDLE.as_millis() as u64);
        Entry { began: Instant::now(), phase: AtomicU8::new(UNUSED), since: AtomicU64::new(0), until, task: OnceLock::new() }
    }

    fn now(&self) -> u64 {
        self.began.elapsed().as_millis() as u64
    }

    fn wait(&self, most: Duration) {
        let now = self.now();
        self.since.store(now, Ordering::Relaxed);
        self.until.store(now + most.as_millis() as u64, Ordering::Relaxed);
    }

    /// A head begins.
    pub(super) fn reads_head(&self) {
        self.wait(HEAD);
    }

    /// A request begins, unless the connection is being ended.
    pub(super) fn begin(&self) -> bool {
        self.phase.compare_exchange(UNUSED, BUSY, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }

    /// The request is over.
    pub(super) fn rest(&self) {
        self.wait(IDLE);
        self.phase.store(UNUSED, Ordering::SeqCst);
    }

    /// Ends it, if it is unused. Returns whether it was.
    fn end_if_unused(&self) -> bool {
        let is_unused = self.phase.compare_exchange(UNUSED, ENDED, Ordering::SeqCst, Ordering::SeqCst).is_ok();
        if is_unused {
            self.end();
        }
        is_unused
    }

    fn end(&self) {
        if let Some(task) = self.task.get() {
            task.abort();
        }
    }
}

/// All connections.
pub(super) struct Registry {
    most: usize,
    state: Mutex<Connections>,
}

#[derive(Default)]
struct Connections {
    open: HashMap<u64, Arc<Entry>>,
    next: u64,
    /// Whether nobody listens any more.
    has_stopped: bool,
    /// Callers that wait until there are none.
    closing: Vec<Arc<Handoff<()>>>,
}

impl Connections {
    fn is_over(&self) -> bool {
        self.has_stopped && self.open.is_empty()
    }

    fn tell(&mut self) {
        if self.is_over() {
            for waiter in self.closing.drain(..) {
                waiter.give(());
            }
        }
    }
}

impl Registry {
    pub(super) fn new(most: usize) -> Registry {
        Registry { most, state: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Connections> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn len(&self) -> usize {
        self.lock().open.len()
    }

    /// Enters a connection; `None` if there are too many, and all of them are busy.
    pub(super) fn enter(&self) -> Option<(u64, Arc<Entry>)> {
        let mut state = self.lock();
        if state.open.len() >= self.most {
            let mut unused: Vec<_> = state.open.iter().map(|(number, entry)| (entry.began + entry.last(), *number)).collect();
            unused.sort_unstable();
            let ended = unused.into_iter().find(|(_, number)| state.open[number].end_if_unused())?;
            state.open.remove(&ended.1);
        }
        let number = state.next;
        state.next += 1;
        let entry = Arc::new(Entry::new());
        state.open.insert(number, entry.clone());
        Some((number, entry))
    }

    /// Says which task a connection has.
    pub(super) fn began(entry: &Entry, task: AbortHandle) {
        let _ = entry.task.set(task);
        if entry.phase.load(Ordering::SeqCst) == ENDED {
            entry.end();
        }
    }

    pub(super) fn leave(&self, number: u64) {
        let mut state = self.lock();
        state.open.remove(&number);
        state.tell();
    }

    /// Nobody listens any more.
    pub(super) fn stopped(&self) {
        let mut state = self.lock();
        state.has_stopped = true;
        state.tell();
    }

    /// Ends those that were unused for too long.
    pub(super) fn tidy(&self) {
        for entry in self.lock().open.values() {
            if entry.now() > entry.until.load(Ordering::Relaxed) {
                entry.end_if_unused();
            }
        }
    }

    /// Ends those that are unused.
    pub(super) fn end_idle(&self) {
        for entry in self.lock().open.values() {
            entry.end_if_unused();
        }
    }

    /// Ends all of them.
    pub(super) fn end_all(&self) {
        for entry in self.lock().open.values() {
            entry.end();
        }
    }

    /// Waits until there are none, and nobody listens, as long as the budget lasts.
    pub(super) async fn empty(&self, driver: Driver, budget: &Budget) -> Result<()> {
        let last = {
            let mut state = self.lock();
            if state.is_over() {
                return Ok(());
            }
            let last = Arc::new(Handoff::new());
            state.closing.push(last.clone());
            last
        };
        last.wait(driver, budget).await
    }
}

impl Entry {
    fn last(&self) -> Duration {
        Duration::from_millis(self.since.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_too_many_ends_what_was_unused_for_the_longest_time() {
        let registry = Registry::new(2);
        let (first, one) = registry.enter().expect("room");
        let (_, two) = registry.enter().expect("room");
        assert!(one.begin());
        assert!(registry.enter().is_some() && registry.len() == 2);
        assert!(!two.begin(), "it was ended");
        one.rest();
        assert!(one.begin() && !one.begin());
        let (_, three) = registry.enter().expect("an unused one is left");
        assert!(three.begin());
        assert!(registry.enter().is_none(), "all are busy");
        registry.leave(first);
        assert!(registry.enter().is_some());
    }

    #[test]
    fn only_what_is_unused_is_tidied_up() {
        let registry = Registry::new(10);
        let (_, busy) = registry.enter().expect("room");
        let (_, unused) = registry.enter().expect("room");
        assert!(busy.begin());
        busy.until.store(0, Ordering::Relaxed);
        std::thread::sleep(Duration::from_millis(3));
        registry.tidy();
        unused.until.store(0, Ordering::Relaxed);
        registry.tidy();
        assert!(!unused.begin() && busy.phase.load(Ordering::SeqCst) == BUSY);
    }
}
