//! The clocks that a guest reads: the host's, or a simulated one for reproducible runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use wasmtime_wasi::{HostMonotonicClock, HostWallClock, WasiCtxBuilder};

/// The clock that a guest reads.
#[cfg_attr(not(feature = "host"), non_exhaustive)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Clock {
    /// The host's clocks.
    #[default]
    Host,
    /// A clock of the guest's own, for reproducible runs. It shows `start` when an instance, or a
    /// run, begins. It advances by `step` whenever the guest reads it, and to the end of each wait
    /// (`time.Sleep`, for example), which takes no real time. Nothing else advances it. Time limits
    /// and the times of files still use the host's clock.
    ///
    /// Without a step, a guest that reads the clock until some time has passed never ends. A start
    /// before 1970 counts as 1970.
    Simulated {
        /// The time that it shows at first.
        start: SystemTime,
        /// How much it advances with each reading.
        step: Duration,
    },
}

impl Clock {
    /// A simulated clock that advances by a microsecond with each reading.
    #[must_use]
    pub fn simulated(start: SystemTime) -> Clock {
        Clock::Simulated { start, step: Duration::from_micros(1) }
    }
}

/// The first reading of a guest's monotonic clock. Go takes 0 for a broken clock.
const BEGIN: u64 = 1_000_000_000;

/// A simulated clock. Clones are the same clock.
#[derive(Clone)]
pub(crate) struct Simulated(Arc<Inner>);

struct Inner {
    start: Duration,
    step: u64,
    /// Nanoseconds since the start.
    passed: AtomicU64,
}

impl Simulated {
    /// `None` where the clocks are the host's.
    pub(crate) fn of(clock: Clock) -> Option<Simulated> {
        let Clock::Simulated { start, step } = clock else { return None };
        let start = start.duration_since(UNIX_EPOCH).unwrap_or_default();
        Some(Simulated(Arc::new(Inner { start, step: nanoseconds(step), passed: AtomicU64::new(0) })))
    }

    /// Has wasmtime-wasi read it for the guest.
    pub(crate) fn give_to(&self, builder: &mut WasiCtxBuilder) {
        builder.wall_clock(self.clone()).monotonic_clock(self.clone());
    }

    /// Nanoseconds since the start, without counting as a reading.
    pub(crate) fn passed(&self) -> u64 {
        self.0.passed.load(Ordering::Relaxed)
    }

    /// Advances to that many nanoseconds since the start, unless it has passed them.
    pub(crate) fn go_to(&self, passed: u64) {
        self.0.passed.fetch_max(passed, Ordering::Relaxed);
    }

    /// The nanoseconds since the start at which the guest's wall clock or monotonic clock shows
    /// `time`.
    pub(crate) fn when(&self, is_wall: bool, time: u64) -> u64 {
        time.saturating_sub(if is_wall { nanoseconds(self.0.start) } else { BEGIN })
    }

    fn read(&self) -> u64 {
        let next = |passed: u64| Some(passed.saturating_add(self.0.step));
        // The closure never returns `None`, so this is the previous value; one thread at a time
        // reads a guest's clock.
        let before = self.0.passed.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).unwrap_or_else(|passed| passed);
        before.saturating_add(self.0.step)
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

impl HostWallClock for Simulated {
    fn resolution(&self) -> Duration {
        Duration::from_nanos(self.0.step.max(1))
    }

    fn now(&self) -> Duration {
        self.0.start.saturating_add(Duration::from_nanos(self.read()))
    }
}

impl HostMonotonicClock for Simulated {
    fn resolution(&self) -> u64 {
        self.0.step.max(1)
    }

    fn now(&self) -> u64 {
        self.read().saturating_add(BEGIN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_goes_on_with_each_look_and_each_wait() {
        let start = UNIX_EPOCH + Duration::from_secs(1000);
        let clock = Simulated::of(Clock::Simulated { start, step: Duration::from_nanos(5) }).expect("a clock");
        assert_eq!(HostWallClock::now(&clock), Duration::new(1000, 5));
        assert_eq!(HostMonotonicClock::now(&clock), BEGIN + 10);
        let soon = clock.when(true, 1_000_000_000_700);
        assert_eq!((soon, clock.when(false, BEGIN + 700)), (700, 700));
        clock.go_to(soon);
        clock.go_to(3);
        assert_eq!((clock.passed(), HostMonotonicClock::now(&clock)), (700, BEGIN + 705));
        assert_eq!(clock.when(true, 5), 0);
    }

    #[test]
    fn it_does_not_wrap() {
        let clock = Simulated::of(Clock::simulated(UNIX_EPOCH - Duration::from_secs(1))).expect("a clock");
        clock.go_to(u64::MAX);
        assert_eq!((HostMonotonicClock::now(&clock), clock.passed()), (u64::MAX, u64::MAX));
        assert!(HostWallClock::now(&clock) > Duration::from_secs(500 * 365 * 86_400));
        assert!(Simulated::of(Clock::Host).is_none());
    }
}
