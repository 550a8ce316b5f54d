//! An order of memory between two threads, of which one pays for both.
//!
//! Who leaves an instance writes that it is free and then looks whether somebody waits; who waits says so and then looks whether it is free. Unless each sees
//! its own write done before it looks, both may miss the other. To see to that costs a call of a small function a tenth of its time, and hardly anybody ever waits:
//! so those who wait have the operating system see to it for all threads of the process.

use std::sync::atomic::{Ordering, compiler_fence, fence};

/// What those who hardly ever wait say between their write and their look. Costs nothing where [`heavy`] does the work.
#[inline(always)]
#[expect(clippy::inline_always, reason = "a test of a flag")]
pub(crate) fn light() {
    if system::is_ready() {
        compiler_fence(Ordering::SeqCst);
    } else {
        fence(Ordering::SeqCst);
    }
}

/// What those who wait say between their write and their look.
pub(crate) fn heavy() {
    fence(Ordering::SeqCst);
    system::all_threads();
}

/// To be called before the first of the others.
pub(crate) fn prepare() {
    system::prepare();
}

/// membarrier(2), from Linux 4.14 on.
#[cfg(all(target_os = "linux", not(miri)))]
mod system {
    use std::sync::atomic::{AtomicU8, Ordering};

    const UNKNOWN: u8 = 0;
    const READY: u8 = 1;
    const ABSENT: u8 = 2;

    /// Never changes once it is known. A forked child has what its parent had, and has inherited the registration.
    static STATE: AtomicU8 = AtomicU8::new(UNKNOWN);

    #[inline(always)]
    #[expect(clippy::inline_always, reason = "a load")]
    pub(super) fn is_ready() -> bool {
        STATE.load(Ordering::Relaxed) == READY
    }

    /// Those who use a gate have it from a thread that was here before it made the gate, and so know the same state.
    pub(super) fn prepare() {
        if STATE.load(Ordering::Relaxed) == UNKNOWN {
            // Whoever comes meanwhile registers too, which does no harm. The first answer counts for all: were it to change, one thread could trust the
            // system where another trusts its fence.
            let found = if command(libc::MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) { READY } else { ABSENT };
            let _ = STATE.compare_exchange(UNKNOWN, found, Ordering::SeqCst, Ordering::SeqCst);
        }
    }

    pub(super) fn all_threads() {
        if is_ready() && !command(libc::MEMBARRIER_CMD_PRIVATE_EXPEDITED) {
            // The kernel gives no error to a process that has registered, which a forked child has inherited. Should one do so all the same, the slower command needs no registration.
            command(libc::MEMBARRIER_CMD_GLOBAL);
        }
    }

    fn command(command: libc::c_int) -> bool {
        // SAFETY: the call takes a command, no flags and no processor, and touches no memory of ours.
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

    /// Dekker's: of two threads that each write and then look, one at the least sees the other.
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
                        // The other may be in the next round by then.
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
                    // The next round begins when the other has ended this one.
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
