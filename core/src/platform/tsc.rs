//! Cheap measurement of how long calls take. Reading the system's clock twice would cost as much as
//! a small call.
//!
//! Only what is reported to users comes from here. Deadlines use the system's clock.

use std::time::{Duration, Instant};

use crate::platform::fork::Lasting;

/// A reading of the processor's counter.
#[derive(Clone, Copy)]
pub(crate) struct Stopwatch(u64);

impl Stopwatch {
    #[inline]
    pub(crate) fn start() -> Stopwatch {
        Stopwatch(counter::read())
    }

    /// The ticks since then, for [`duration`]. 0 if the counter went back, as it may when a virtual
    /// machine moves to another host.
    #[inline]
    pub(crate) fn ticks(self) -> u64 {
        counter::read().saturating_sub(self.0)
    }
}

/// One moment, on both clocks.
struct Anchor {
    time: Instant,
    ticks: u64,
}

static ANCHOR: Lasting<Anchor> = Lasting::new();

/// Reads both clocks. The longer ago that was, the better the frequency of the counter is known.
/// Must be called before anything is measured.
pub(crate) fn anchor() {
    anchored();
}

fn anchored() -> &'static Anchor {
    counter::choose();
    ANCHOR.get_or_make(Anchor::now)
}

/// The duration of that many ticks.
pub(crate) fn duration(ticks: u64) -> Duration {
    let anchor = anchored();
    loop {
        let (time, passed) = (anchor.time.elapsed(), counter::read().saturating_sub(anchor.ticks));
        // Reading both takes some tens of nanoseconds, so the frequency is known to one part in ten
        // thousand.
        if time >= Duration::from_millis(1) {
            let nanoseconds = u128::from(ticks) * time.as_nanos() / u128::from(passed.max(1));
            return Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX));
        }
        std::hint::spin_loop();
    }
}

impl Anchor {
    fn now() -> Anchor {
        Anchor { time: Instant::now(), ticks: counter::read() }
    }
}

#[cfg(all(target_arch = "x86_64", not(miri)))]
mod counter {
    use std::arch::x86_64::{__cpuid, _rdtsc};
    use std::sync::atomic::{AtomicU8, Ordering};

    const UNKNOWN: u8 = 0;
    const STEADY: u8 = 1;
    const UNSTEADY: u8 = 2;

    /// Whether the counter has a constant frequency, whatever the processor's (Intel's manual,
    /// volume 3, "Invariant TSC").
    static STATE: AtomicU8 = AtomicU8::new(UNKNOWN);

    /// Threads that get here at once all find the same answer.
    pub(super) fn choose() {
        if STATE.load(Ordering::Relaxed) == UNKNOWN {
            let is_steady = __cpuid(0x8000_0000).eax >= 0x8000_0007 && __cpuid(0x8000_0007).edx & 1 << 8 != 0;
            STATE.store(if is_steady { STEADY } else { UNSTEADY }, Ordering::Relaxed);
        }
    }

    #[inline(always)]
    #[expect(clippy::inline_always, reason = "an instruction and a test")]
    pub(super) fn read() -> u64 {
        if STATE.load(Ordering::Relaxed) != STEADY {
            return super::nanoseconds();
        }
        // SAFETY: every x86-64 processor has the instruction.
        unsafe { _rdtsc() }
    }
}

#[cfg(not(all(target_arch = "x86_64", not(miri))))]
mod counter {
    pub(super) use super::nanoseconds as read;

    pub(super) fn choose() {}
}

/// The system's clock as a counter, where the processor's does not serve.
#[cold]
fn nanoseconds() -> u64 {
    static BEGUN: Lasting<Instant> = Lasting::new();
    u64::try_from(BEGUN.get_or_make(Instant::now).elapsed().as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_agrees_with_the_clock() {
        anchor();
        let (clock, watch) = (Instant::now(), Stopwatch::start());
        while clock.elapsed() < Duration::from_millis(5) {
            std::hint::spin_loop();
        }
        let measured = duration(watch.ticks());
        let passed = clock.elapsed();
        // The reading lies between the two of the clock.
        assert!(
            measured <= passed + passed / 100 && measured >= Duration::from_millis(5) - Duration::from_micros(50),
            "{measured:?}, {passed:?}"
        );
    }

    #[test]
    fn no_tick_is_no_time() {
        assert_eq!(duration(0), Duration::ZERO);
        assert!(duration(u64::MAX) > Duration::from_secs(60));
    }
}
