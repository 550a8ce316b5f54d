//! A value that one caller waits for, on a thread or in a task, and another one provides.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::config::budget::Budget;
use crate::error::Result;
use crate::sched::driver::Driver;

/// A place for one value, which is provided once and awaited once.
pub(crate) struct Handoff<T> {
    given: Mutex<Option<T>>,
    thread: Condvar,
    task: Notify,
}

impl<T> Handoff<T> {
    pub(crate) fn new() -> Handoff<T> {
        Handoff { given: Mutex::new(None), thread: Condvar::new(), task: Notify::new() }
    }

    /// Provides it, and wakes the waiter.
    pub(crate) fn give(&self, thing: T) {
        *self.lock() = Some(thing);
        self.thread.notify_one();
        self.task.notify_one();
    }

    /// Takes the value.
    pub(crate) fn take(&self) -> Option<T> {
        self.lock().take()
    }

    /// Waits for it as long as the budget lasts. A caller that stops waiting has to
    /// [`take`](Handoff::take) once more, because the value may have come meanwhile.
    pub(crate) async fn wait(&self, driver: Driver, budget: &Budget) -> Result<T> {
        match driver {
            Driver::Direct => self.hold(budget),
            Driver::Fiber => driver.bounded(budget, async { Ok(self.suspend().await) }).await,
        }
    }

    /// Waits on the thread.
    fn hold(&self, budget: &Budget) -> Result<T> {
        loop {
            let mut given = self.lock();
            if given.is_none() {
                given = match budget.pause() {
                    None => self.thread.wait(given).unwrap_or_else(PoisonError::into_inner),
                    Some(pause) => self.thread.wait_timeout(given, pause).unwrap_or_else(PoisonError::into_inner).0,
                };
            }
            if let Some(thing) = given.take() {
                return Ok(thing);
            }
            // The host's interrupt function is called without the lock, because it may take long,
            // or use what is waited for.
            drop(given);
            budget.check()?;
        }
    }

    /// Waits in a task.
    async fn suspend(&self) -> T {
        loop {
            if let Some(thing) = self.take() {
                return thing;
            }
            self.task.notified().await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<T>> {
        // It is consistent after each statement, so a panic in another thread does no harm.
        self.given.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
