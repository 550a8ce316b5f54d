//! How long a guest may compute on the event loop's thread, and when it moves to another one.
//!
//! A task begins on that thread (see [`task`](crate::sched::task)), where most calls finish
//! quickly; meanwhile the loop is blocked. Each tick of the clock decides again:
//!
//! - A call that began just before the tick may be a short one, for which moving to another thread
//!   and back would take long. It stays, and when it is over, the loop runs before its caller does.
//! - A call that began earlier, or that a second tick finds before the loop has run, moves away. So
//!   do all later calls of the same export, until one of them is over within a tick: hundreds that
//!   begin in one iteration of the loop would otherwise block it for a tick each.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::platform::tsc::{Stopwatch, duration};
use crate::sched::task;

/// A call that has taken less time than this at a tick may be a short one.
const SHORT: Duration = Duration::from_millis(1);

/// Which exports of a plugin compute for long, by their last calls. Its instances share this.
pub(crate) struct CpuHistory(Box<[AtomicBool]>);

impl CpuHistory {
    pub(crate) fn new(exports: usize) -> CpuHistory {
        CpuHistory((0..exports).map(|_| AtomicBool::new(false)).collect())
    }

    /// Whether a call of the export has moved away, and none has finished at home since.
    pub(crate) fn computes(&self, export: usize) -> bool {
        self.0.get(export).is_some_and(|habit| habit.load(Ordering::Relaxed))
    }

    fn learn(&self, export: usize, computes: bool) {
        if let Some(habit) = self.0.get(export)
            && habit.load(Ordering::Relaxed) != computes
        {
            habit.store(computes, Ordering::Relaxed);
        }
    }
}

/// The outermost call of an instance, as the clock sees it.
pub(crate) struct Fairness {
    cpu_history: Arc<CpuHistory>,
    /// The number of the export; `None` while the guest initialises.
    export: Option<usize>,
    /// When the guest began to compute, or resumed after a wait.
    since: Stopwatch,
    went_away: bool,
    owes: bool,
}

impl Fairness {
    pub(crate) fn new(cpu_history: Arc<CpuHistory>) -> Fairness {
        Fairness { cpu_history, export: None, since: Stopwatch::start(), went_away: false, owes: false }
    }

    /// A call begins now.
    pub(crate) fn begin(&mut self, export: usize, since: Stopwatch) {
        self.export = Some(export);
        (self.since, self.went_away, self.owes) = (since, false, false);
    }

    /// The guest computes again after a wait, which does not count.
    pub(crate) fn resume(&mut self) {
        self.since = Stopwatch::start();
    }

    /// Whether the guest stays where it is, at a tick of the clock.
    pub(crate) fn stays(&mut self) -> bool {
        if task::is_at_home() && self.export.is_some() && duration(self.since.ticks()) < SHORT && task::take_breath() {
            self.owes = true;
            return true;
        }
        self.went_away = true;
        if let Some(export) = self.export {
            self.cpu_history.learn(export, true);
        }
        false
    }

    /// The call is over. Returns whether the loop has to run next.
    pub(crate) fn end(&mut self) -> bool {
        if let Some(export) = self.export.take()
            && !self.went_away
        {
            self.cpu_history.learn(export, false);
        }
        std::mem::take(&mut self.owes)
    }
}
