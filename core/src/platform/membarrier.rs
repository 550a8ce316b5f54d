//! An asymmetric memory barrier: of two sides, the rare one pays for both.
//!
//! Unlocking stores *free* and only then checks for waiters; waiting announces the waiter and only
//! then checks for *free*. Each side must see its own store completed before its load, or both may
//! miss the other. A fence for that would cost a tenth of a small call, and waiting is rare: so the
//! waiting side has the operating system run a barrier on all threads of the process.

use std::sync::atomic::{Ordering, compiler_fence, fence};

/// The frequent side's barrier, between its store and its load. Costs nothing where [`heavy`] does
/// the work.
#[inline(always)]
#[expect(clippy::inline_always, reason = "a test of a flag")]
pub(crate) fn light() {
    if system::is_ready() {
        compiler_fence(Ordering::SeqCst);
    } else {
        fence(Ordering::SeqCst);
    }
}

/// The rare side's barrier, between its store and its load.
pub(crate) fn heavy() {
    fence(Ordering::SeqCst);
    system::all_threads();
}

/// Must be called before either barrier is first used.
pub(crate) fn prepare() {
    system::prepare();
}

/// membarrier(2), since Linux 4.14.
#[cfg(all(target_os = "linux", not(miri)))]
mod system {
    use std::sync::atomic::{AtomicU8, Ordering};

    const UNKNOWN: u8 = 0;
    const READY: u8 = 1;
    const ABSENT: u8 = 2;

    /// Never changes once it is known. A forked child inherits it, and the registration too.
    static STATE: AtomicU8 = AtomicU8::new(UNKNOWN);

    #[inline(always)]
    #[expect(clippy::inline_always, reason = "a load")]
    pub(super) fn is_ready() -> bool {
        STATE.load(Ordering::Relaxed) == READY
    }

    /// A thread that uses a lock got it from a thread that called this before it made the lock. So
    /// both know the same state.
    pub(super) fn prepare() {
        if STATE.load(Ordering::Relaxed) == UNKNOWN {
            // Threads that get here at once all register, which does no harm. The first answer
            // counts for all: if it changed, one thread could rely on the system where another
            // relies on its fence.
            let found = if command(libc::MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) { READY } else { ABSENT };
            let _ = STATE.compare_exchange(UNKNOWN, found, Ordering::SeqCst, Ordering::SeqCst);
        }
    }

    pub(super) fn all_threads() {
        if is_ready() && !command(libc::MEMBARRIER_CMD_PRIVATE_EXPEDITED) {
            // The kernel does not fail for a registered process, and a forked child inherits the
            // registration. If it does fail, the slower command needs no registration.
            command(libc::MEMBARRIER_CMD_GLOBAL);
        }
    }

    fn command(command: libc::c_int) -> bool {
        // SAFETY: the call takes a command, no flags and no processor, and touches no memory of
        // ours.
        unsafe { libc::syscall(libc::SYS_membarrier, command, 0, 0) == 0 }
    }
}

#[cfg(not(all(target_os = "linux", not(miri))))]
mod system {
    pub(super) fn is_ready() -> bool {
        false
    }

    pub(super) fn prepare() {}

    pub(super) fn all_threads() {}
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU32;
    use std::thread;

    use super::*;

    /// Dekker's algorithm: of two threads that each store and then load, at least one sees the
    /// other's store.
    #[test]
    fn one_of_two_sees_the_other() {
        const ROUNDS: u32 = if cfg!(miri) { 20 } else { 20_000 };
        prepare();
        let (light_side, heavy_side, turn) = (AtomicU32::new(0), AtomicU32::new(0), AtomicU32::new(0));
        let mut missed = 0;
        thread::scope(|scope| {
            let often = scope.spawn(|| {
                (1..=ROUNDS)
                    .map(|round| {
                        while turn.load(Ordering::Acquire) < round {
                            std::hint::spin_loop();
                        }
                        light_side.store(round, Ordering::Release);
                        light();
                        // The other thread may be in the next round by then.
                        heavy_side.load(Ordering::Relaxed) >= round
                    })
                    .collect::<Vec<_>>()
            });
            let seldom: Vec<_> = (1..=ROUNDS)
                .map(|round| {
                    turn.store(round, Ordering::Release);
                    heavy_side.store(round, Ordering::Relaxed);
                    heavy();
                    let saw = light_side.load(Ordering::Relaxed) == round;
                    // The next round begins when the other thread has ended this one.
                    while light_side.load(Ordering::Acquire) < round {
                        std::hint::spin_loop();
                    }
                    saw
                })
                .collect();
            let often = often.join().expect("no panic");
            missed = often.iter().zip(&seldom).filter(|(often, seldom)| !**often && !**seldom).count();
        });
        assert_eq!(missed, 0, "neither saw the other");
    }
}
