//! Which exports compute for long, learnt from their last calls.
//!
//! A task begins on the thread of the host's loop (see [`task`](crate::task)), and a guest that computes leaves it at the clock's next tick. Until then the loop
//! stands still: where hundreds of calls of such a function begin in one turn of the loop, it would do so for each of them. So the first that is found
//! computing has the others begin elsewhere.

use std::sync::atomic::{AtomicBool, Ordering};

/// One for each export of a plugin, shared by its instances.
pub(crate) struct Habits(Box<[AtomicBool]>);

impl Habits {
    pub(crate) fn new(exports: usize) -> Habits {
        Habits((0..exports).map(|_| AtomicBool::new(false)).collect())
    }

    /// Whether the clock ticked in a late call of the export, and in none that ended since.
    pub(crate) fn computes(&self, export: usize) -> bool {
        self.0.get(export).is_some_and(|habit| habit.load(Ordering::Relaxed))
    }

    pub(crate) fn learn(&self, export: usize, computes: bool) {
        if let Some(habit) = self.0.get(export)
            && habit.load(Ordering::Relaxed) != computes
        {
            habit.store(computes, Ordering::Relaxed);
        }
    }
}
