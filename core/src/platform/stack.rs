//! The native stack of a thread: its place, and how much of it is left.

use std::cell::Cell;
use std::ptr;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::platform::fiber::Fiber;

/// The addresses of a stack that code may use. Both are 0 until they are known.
#[derive(Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) low: usize,
    pub(crate) high: usize,
}

struct Thread {
    id: Cell<u64>,
    /// The current stack, if that is the thread's own or a fiber.
    bounds: Cell<Bounds>,
    /// The current fiber; null on any other stack.
    fiber: Cell<*const Fiber>,
}

thread_local! {
    static THREAD: Thread = const {
        Thread { id: Cell::new(0), bounds: Cell::new(Bounds { low: 0, high: 0 }), fiber: Cell::new(ptr::null()) }
    };
}

/// A number that no other thread has or has had.
#[inline]
pub(crate) fn thread_id() -> u64 {
    THREAD.with(|thread| match thread.id.get() {
        0 => first_id(thread),
        id => id,
    })
}

#[cold]
fn first_id(thread: &Thread) -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let id = NEXT.fetch_add(1, Ordering::Relaxed);
    thread.id.set(id);
    id
}

/// This thread's current fiber; null on any other stack.
#[inline]
pub(crate) fn fiber() -> *const Fiber {
    THREAD.with(|thread| thread.fiber.get())
}

/// Records that the thread changes to another stack; returns the current one.
pub(crate) fn change(bounds: Bounds, fiber: *const Fiber) -> (Bounds, *const Fiber) {
    THREAD.with(|thread| (thread.bounds.replace(bounds), thread.fiber.replace(fiber)))
}

/// Whether this is a known stack, and deeper than that address of it.
pub(crate) fn is_below(frame: usize) -> bool {
    let here = address();
    let Bounds { low, high } = THREAD.with(stack_of);
    frame <= high && (low..frame).contains(&here)
}

/// Runs code on a stack that is not the thread's own, and that the host knows: a fiber's of Ruby,
/// for example. At least `room` bytes of it are left. Host functions of guests then run on it, and
/// calls from there are told from those of other stacks.
pub fn on_hosts_stack<R>(room: usize, code: impl FnOnce() -> R) -> R {
    // What the caller has in its own frame may lie a little above.
    const FRAME: usize = 4 << 10;
    let here = address();
    let _known = Known(change(Bounds { low: here.saturating_sub(room), high: here + FRAME }, ptr::null()));
    code()
}

/// What was known of the stack before, and is again when this is dropped.
struct Known((Bounds, *const Fiber));

impl Drop for Known {
    fn drop(&mut self) {
        change(self.0.0, self.0.1);
    }
}

/// Bytes that are left of this thread's stack. 0 on any other stack, such as a coroutine's, whose
/// end is unknown.
#[inline]
#[must_use]
pub fn remaining_stack() -> usize {
    let here = address();
    let Bounds { low, high } = THREAD.with(stack_of);
    if here < high { here.saturating_sub(low) } else { 0 }
}

/// How deep recursive code may go here, if it needs `each` bytes of stack for a level: at most
/// `most`.
#[must_use]
pub fn nesting_room(most: usize, each: usize) -> usize {
    // Coroutines have at least as much, if it is unknown how much they have.
    const UNKNOWN: usize = 256 << 10;
    // For functions that are called at the deepest level.
    const KEPT: usize = 32 << 10;
    let left = match remaining_stack() {
        0 => UNKNOWN,
        left => left,
    };
    (left.saturating_sub(KEPT) / each).min(most)
}

/// Approximately the current end of the stack.
#[inline(always)]
#[expect(clippy::inline_always, reason = "the frame that is meant is the caller's")]
pub(crate) fn address() -> usize {
    let mark = 0_u8;
    std::hint::black_box(&raw const mark).addr()
}

#[inline]
fn stack_of(thread: &Thread) -> Bounds {
    match thread.bounds.get() {
        Bounds { high: 0, .. } => own_stack(thread),
        known => known,
    }
}

/// Determines the thread's own stack, the first time.
#[cold]
fn own_stack(thread: &Thread) -> Bounds {
    let stack = bounds().unwrap_or_else(|| {
        // If the system does not report the stack, coroutines can't be told apart.
        let left = stacker::remaining_stack().unwrap_or(0);
        Bounds { low: address().saturating_sub(left), high: usize::MAX }
    });
    thread.bounds.set(stack);
    stack
}

#[cfg(all(any(target_os = "linux", target_os = "android"), not(miri)))]
fn bounds() -> Option<Bounds> {
    let mut attributes = std::mem::MaybeUninit::<libc::pthread_attr_t>::uninit();
    let (mut low, mut size) = (ptr::null_mut(), 0);
    // SAFETY: the attributes are initialised by the first call, if it succeeds, read by the second,
    // and freed by the third.
    unsafe {
        if libc::pthread_getattr_np(libc::pthread_self(), attributes.as_mut_ptr()) != 0 {
            return None;
        }
        let failed = libc::pthread_attr_getstack(attributes.as_ptr(), &raw mut low, &raw mut size);
        libc::pthread_attr_destroy(attributes.as_mut_ptr());
        if failed != 0 {
            return None;
        }
    }
    Some(Bounds { low: low.addr(), high: low.addr() + size })
}

#[cfg(target_vendor = "apple")]
fn bounds() -> Option<Bounds> {
    // SAFETY: both only query a thread that exists.
    let (high, size) = unsafe {
        let thread = libc::pthread_self();
        (libc::pthread_get_stackaddr_np(thread).addr(), libc::pthread_get_stacksize_np(thread))
    };
    Some(Bounds { low: high.saturating_sub(size), high })
}

#[cfg(not(any(all(any(target_os = "linux", target_os = "android"), not(miri)), target_vendor = "apple")))]
fn bounds() -> Option<Bounds> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_have_numbers_of_their_own() {
        let mine = thread_id();
        assert_eq!(mine, thread_id());
        let others: std::collections::HashSet<u64> =
            (0..20).map(|_| std::thread::spawn(thread_id).join().expect("no panic")).chain([mine]).collect();
        assert_eq!(others.len(), 21);
    }

    #[test]
    #[cfg_attr(miri, ignore = "is about the machine's stack")]
    fn a_stack_that_is_not_the_threads_has_nothing_left() {
        assert!(remaining_stack() > 16 << 10);
        assert_eq!(stacker::grow(1 << 20, remaining_stack), 0);
        assert!((1..1 << 40).contains(&remaining_stack()));
    }

    #[test]
    #[cfg_attr(miri, ignore = "is about the machine's stack")]
    fn a_stack_of_the_hosts_has_what_it_says() {
        let own = address();
        stacker::grow(1 << 20, || {
            on_hosts_stack(128 << 10, || {
                assert!((64 << 10..=132 << 10).contains(&remaining_stack()));
                assert!(!is_below(own));
                assert_eq!(stacker::grow(1 << 20, remaining_stack), 0);
            });
            assert_eq!(remaining_stack(), 0);
        });
        assert!(remaining_stack() > 16 << 10);
    }
}
