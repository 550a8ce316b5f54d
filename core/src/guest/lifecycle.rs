//! Whether an instance lives, and what ended it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::config::Tier;
use crate::config::budget::cancelled;
use crate::error::{Error, Result};
use crate::platform::fork;
use crate::platform::tsc;

/// Whether an instance lives, and what it has used so far. Any thread may read it, whichever has
/// the instance.
pub(crate) struct Lifecycle {
    /// The process in which it began: see `fork.rs`.
    generation: u64,
    is_dead: AtomicBool,
    cause: Mutex<Option<Error>>,
    /// Why a call is being dropped, if that was recorded.
    interruption: Mutex<Option<Error>>,
    /// In ticks of the time-stamp counter.
    time: AtomicU64,
    memory: AtomicU64,
    /// `u64::MAX` where it is not counted.
    fuel: AtomicU64,
    is_best: AtomicBool,
}

/// What an instance used.
#[cfg_attr(not(feature = "host"), non_exhaustive)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// How long the last call took, or the initialisation before the first: from its entry into the
    /// instance on, including host functions.
    pub time: Duration,
    /// Bytes of guest memory after it. Guest memory never shrinks, so this is also its maximum so
    /// far.
    pub memory: u64,
    /// Fuel that the last call used, or the initialisation before the first; `None` without a limit
    /// of fuel.
    pub fuel: Option<u64>,
}

impl Lifecycle {
    pub(crate) fn new() -> Lifecycle {
        Lifecycle {
            generation: fork::generation(),
            is_dead: AtomicBool::new(false),
            cause: Mutex::new(None),
            interruption: Mutex::new(None),
            time: AtomicU64::new(0),
            memory: AtomicU64::new(0),
            fuel: AtomicU64::new(u64::MAX),
            is_best: AtomicBool::new(false),
        }
    }

    /// Fails in a process that was forked since then.
    #[inline]
    pub(crate) fn check_process(&self) -> Result<()> {
        if self.generation == fork::generation() { Ok(()) } else { Err(fork::left_behind("instance")) }
    }

    /// The error for calls of a dead instance, if it is dead.
    pub(crate) fn dead(&self) -> Option<Error> {
        self.check_process().err().or_else(|| self.cause().map(|cause| cause.as_dead()))
    }

    /// Fails with that error.
    #[inline]
    pub(crate) fn check(&self) -> Result<()> {
        if self.is_fine() { Ok(()) } else { self.check_dead() }
    }

    /// Whether [`check`](Lifecycle::check) succeeds.
    #[inline]
    pub(crate) fn is_fine(&self) -> bool {
        self.generation == fork::generation() && !self.is_dead.load(Ordering::SeqCst)
    }

    #[cold]
    fn check_dead(&self) -> Result<()> {
        self.dead().map_or(Ok(()), Err)
    }

    /// What ended the instance, if it has ended.
    pub(crate) fn cause(&self) -> Option<Error> {
        if let Err(left_behind) = self.check_process() {
            return Some(left_behind);
        }
        if !self.is_dead.load(Ordering::SeqCst) {
            return None;
        }
        self.cause.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Ends the instance. The first cause is kept.
    pub(crate) fn kill(&self, cause: &Error) {
        self.cause.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(|| cause.clone());
        self.is_dead.store(true, Ordering::SeqCst);
    }

    /// Records why a call is about to be dropped.
    pub(crate) fn interrupt(&self, cause: Option<&Error>) {
        *self.interruption.lock().unwrap_or_else(PoisonError::into_inner) = cause.cloned();
    }

    /// Ends the instance after its call was dropped.
    #[cold]
    pub(crate) fn abandon(&self) {
        let cause = self.interruption.lock().unwrap_or_else(PoisonError::into_inner).clone();
        self.kill(&cause.unwrap_or_else(cancelled));
    }

    /// Ends the instance while no call runs that could return the cause.
    pub(crate) fn end(&self, cause: &Error) {
        self.kill(cause);
        self.let_go();
    }

    /// Drops the host's own error object in the cause, which the caller has by now. Such an object
    /// may refer to the instance, as an exception does by its traceback, and a collector of the
    /// host can't see that the instance refers to it.
    #[cold]
    fn let_go(&self) {
        let host = self.cause.lock().unwrap_or_else(PoisonError::into_inner).as_mut().and_then(Error::take_host);
        // Without the lock, because this may run the host's code.
        drop(host);
    }

    /// Starts again, after a reset.
    pub(crate) fn begin(&self) {
        let mut cause = self.cause.lock().unwrap_or_else(PoisonError::into_inner);
        self.is_dead.store(false, Ordering::SeqCst);
        *cause = None;
    }

    /// Records what a call has used, at its end: ticks of the counter, bytes of memory.
    #[inline]
    pub(crate) fn used(&self, ticks: u64, memory: u64) {
        // Every call pays for this, so the two are not written together atomically.
        self.time.store(ticks, Ordering::Relaxed);
        self.memory.store(memory, Ordering::Relaxed);
        if self.is_dead.load(Ordering::Relaxed) {
            self.let_go();
        }
    }

    /// Records which compiler made the guest's code.
    pub(crate) fn set_tier(&self, tier: Tier) {
        self.is_best.store(tier == Tier::Best, Ordering::Relaxed);
    }

    pub(crate) fn tier(&self) -> Tier {
        if self.is_best.load(Ordering::Relaxed) { Tier::Best } else { Tier::Fast }
    }

    /// Records how much fuel a call has used.
    pub(crate) fn burnt(&self, fuel: u64) {
        self.fuel.store(fuel, Ordering::Relaxed);
    }

    pub(crate) fn usage(&self) -> Usage {
        Usage {
            time: tsc::duration(self.time.load(Ordering::Relaxed)),
            memory: self.memory.load(Ordering::Relaxed),
            fuel: Some(self.fuel.load(Ordering::Relaxed)).filter(|fuel| *fuel != u64::MAX),
        }
    }
}
