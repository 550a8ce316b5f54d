//! What bounds a call: its deadline, cancellation tokens, and the host's wish to interrupt it.

use std::any::Any;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::config::cancel::CancelToken;
use crate::config::{CallOptions, Limits};
use crate::error::{Error, ErrorKind, Result};
use crate::platform::fork::Lasting;
use crate::platform::window;

/// What the host attaches to a call, for its own functions to read: see
/// [`HostCall::caller`](crate::host::HostCall::caller).
pub type Caller = Arc<dyn Any + Send + Sync>;

/// How often a wait checks whether the call should go on.
pub(crate) const LOOK: Duration = Duration::from_millis(5);

/// When a call must have ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    pub(crate) at: Instant,
    pub(crate) limit: Duration,
}

impl Deadline {
    pub(crate) fn after(limit: Duration) -> Deadline {
        // A deadline beyond the clock's range is set to a year far away.
        let now = Instant::now();
        Deadline { at: now.checked_add(limit).unwrap_or(now + Duration::from_secs(1 << 32)), limit }
    }

    /// The earlier of two.
    pub(crate) fn min(a: Option<Deadline>, b: Option<Deadline>) -> Option<Deadline> {
        match (a, b) {
            (Some(a), Some(b)) => Some(if a.at <= b.at { a } else { b }),
            (a, b) => a.or(b),
        }
    }

    pub(crate) fn left(self) -> Duration {
        self.at.saturating_duration_since(Instant::now())
    }

    /// The time that the guest is told it has left. Its deadline is earlier by a quarter of the
    /// timeout, at most 50 ms, so that it can still return what it has.
    pub(crate) fn left_for_guest(self) -> Duration {
        self.left().saturating_sub((self.limit / 4).min(Duration::from_millis(50)))
    }

    pub(crate) fn is_past(self) -> bool {
        Instant::now() >= self.at
    }

    pub(crate) fn passed(self) -> Error {
        Error::new(ErrorKind::Timeout, format!("the call took longer than its timeout of {:?}", self.limit))
    }
}

/// What bounds a call. Cheap to clone when there is no token.
#[derive(Clone, Default)]
pub(crate) struct Budget {
    pub(crate) deadline: Option<Deadline>,
    /// Those of the call and of the calls around it.
    pub(crate) cancel: Vec<CancelToken>,
    /// What the host's functions are told of the caller.
    pub(crate) caller: Option<Caller>,
    /// The pool of an instance that has called this one by a link; 0 for none.
    pub(crate) pool: u64,
}

impl Budget {
    /// The budget of a call that begins now.
    #[inline]
    pub(crate) fn of(options: &CallOptions, limits: &Limits) -> Budget {
        let deadline = options.timeout.or(limits.timeout).map(Deadline::after);
        let cancel = options.cancel.as_ref().map_or_else(Vec::new, |token| vec![token.clone()]);
        Budget { deadline, cancel, caller: options.caller.clone(), pool: 0 }
    }

    /// Whether anything but an interrupt can end the call.
    #[inline]
    pub(crate) fn is_limited(&self) -> bool {
        self.deadline.is_some() || !self.cancel.is_empty()
    }

    /// The budget of a call within another: what ends either of them ends it.
    pub(crate) fn within(mut self, outer: &Budget) -> Budget {
        self.deadline = Deadline::min(outer.deadline, self.deadline);
        self.cancel.extend(outer.cancel.iter().cloned());
        self.caller = self.caller.or_else(|| outer.caller.clone());
        if self.pool == 0 {
            self.pool = outer.pool;
        }
        self
    }

    /// Whether the call should go on. Called on its thread, some hundred times a second while it
    /// computes or waits.
    ///
    /// # Errors
    ///
    /// `timeout`, `cancelled`, and what the host's interrupt function returns.
    pub(crate) fn check(&self) -> Result<()> {
        self.check_limits()?;
        // The interrupt function is host code, and may run in the middle of a guest.
        interrupt().map_or(Ok(()), window::outside)
    }

    /// The same for a call that holds no thread, and so can't be interrupted.
    pub(crate) fn check_limits(&self) -> Result<()> {
        if self.cancel.iter().any(CancelToken::is_cancelled) {
            return Err(cancelled());
        }
        match self.deadline {
            Some(deadline) if deadline.is_past() => Err(deadline.passed()),
            _ => Ok(()),
        }
    }

    /// How long to wait at most before the next [`check`](Budget::check); `None` for as long as it
    /// takes.
    pub(crate) fn pause(&self) -> Option<Duration> {
        let left = self.deadline.map(Deadline::left);
        if self.cancel.is_empty() && interrupt().is_none() {
            return left;
        }
        Some(left.map_or(LOOK, |left| left.min(LOOK)))
    }
}

#[cold]
pub(crate) fn cancelled() -> Error {
    Error::new(ErrorKind::Cancelled, "the call was cancelled")
}

static INTERRUPT: Lasting<fn() -> Result<()>> = Lasting::new();

/// Sets a function that is called every few milliseconds on the thread of each call while its guest
/// computes or waits: to see whether the user interrupts the program, for example. An error from it
/// ends the call and its instance, and is what the caller gets. It should return quickly. Only the
/// first function that is set counts.
pub fn set_interrupt(function: fn() -> Result<()>) {
    INTERRUPT.get_or_make(|| function);
}

#[inline]
pub(crate) fn interrupt() -> Option<fn() -> Result<()>> {
    INTERRUPT.get().copied()
}
