//! How long a guest may compute on the thread of the host's loop, and when it goes elsewhere.
//!
//! A task begins on that thread (see [`task`](crate::sched::task)), where most calls are over at once, and until they are the loop stands still. At each tick of the clock
//! it is decided anew:
//!
//! - A call that began just before the tick may well be a short one, for which a way to another thread and back would be long. It stays, and when it is over,
//!   the loop gets its turn before the caller does.
//! - One that has been there for a while, or that a second tick finds since the loop went on, goes away. So do all calls of the same export from then on, until
//!   one of them is over within a tick: hundreds that begin in one turn of the loop would hold it for a tick each.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::platform::tsc::{Stopwatch, duration};
use crate::sched::task;

/// A call that has taken less time than this at a tick may be a short one.
const SHORT: Duration = Duration::from_millis(1);

/// Which exports of a plugin compute for long, learnt from their last calls. Shared by its instances.
pub(crate) struct CpuHistory(Box<[AtomicBool]>);

impl CpuHistory {
    pub(crate) fn new(exports: usize) -> CpuHistory {
        CpuHistory((0..exports).map(|_| AtomicBool::new(false)).collect())
    }

    /// Whether a call of the export has gone away, and none was over at home since.
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
    /// The number of the export; none while the guest initialises.
    export: Option<usize>,
    /// When the guest began to compute, or went on after it had waited.
    since: Stopwatch,
    went_away: bool,
    owes: bool,
}

impl Fairness {
    pub(crate) fn new(cpu_history: Arc<CpuHistory>) -> Fairness {
        Fairness { cpu_history, export: None, since: Stopwatch::start(), went_away: false, owes: false }
    }

    /// Notes that a call begins now.
    pub(crate) fn begin(&mut self, export: usize, since: Stopwatch) {
        self.export = Some(export);
        (self.since, self.went_away, self.owes) = (since, false, false);
    }

    /// Notes that the guest, which has waited, computes again. The clock ticked meanwhile, but not for it.
    pub(crate) fn resume(&mut self) {
        self.since = Stopwatch::start();
    }

    /// Whether the guest stays where it is, now that the clock ticks.
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

    /// Notes that the call is over. Says whether the loop is owed a turn.
    pub(crate) fn end(&mut self) -> bool {
        if let Some(export) = self.export.take()
            && !self.went_away
        {
            self.cpu_history.learn(export, false);
        }
        std::mem::take(&mut self.owes)
    }
}
