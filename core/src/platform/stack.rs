//! Which native stack a thread runs guest code on, and where host code runs in the middle of it.
//!
//! Wasmtime keeps, for each thread, a chain of the guest calls that are under way, through the
//! frames on the stack: they must end in the order in which they began. Host code that a guest has
//! called may break it. A greenlet of Python, a fiber of Ruby or a coroutine of C leaves its stack
//! in the middle, and another one that calls a guest adds to the chain what will end too early. So
//! each place where a guest has called the host's code is a *window*, which notes the stack that it
//! is on, and nothing enters a guest on a thread with a window but code on that same stack, below
//! it.

use std::cell::{Cell, RefCell};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::{Error, ErrorKind, Result};
use crate::platform::fork::Lasting;

/// What the thread runs on.
#[derive(Clone, Copy)]
struct Stack {
    /// The addresses that guest code may use. Both 0 as long as they are not known.
    low: usize,
    high: usize,
}

/// Where host code runs that a guest has called.
#[derive(Clone, Copy)]
struct Place {
    /// The address of a frame on its stack; 0 where there is none.
    frame: usize,
    /// The coroutine that it is of, among those that share a stack.
    coroutine: u64,
}

const NOWHERE: Place = Place { frame: 0, coroutine: 0 };

struct Thread {
    id: Cell<u64>,
    stack: Cell<Stack>,
    innermost: Cell<Place>,
}

thread_local! {
    static THREAD: Thread = const {
        Thread { id: Cell::new(0), stack: Cell::new(Stack { low: 0, high: 0 }), innermost: Cell::new(NOWHERE) }
    };
    /// What waits for the thread to have no window of another stack.
    static LATER: RefCell<Vec<Box<dyn FnOnce()>>> = const { RefCell::new(Vec::new()) };
}

/// A number that no other thread has or had.
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

/// Whether no guest of this thread has called the host's code, so that any guest may be entered.
#[inline]
pub(crate) fn is_clear() -> bool {
    THREAD.with(|thread| thread.innermost.get().frame == 0)
}

/// Whether a guest may be entered here.
///
/// # Errors
///
/// `busy` while a host function is under way on this thread that belongs to another stack.
#[inline]
pub(crate) fn check() -> Result<()> {
    if is_clear() || is_within() { Ok(()) } else { Err(elsewhere()) }
}

/// Whether this is the stack of the innermost window, below it.
#[cold]
fn is_within() -> bool {
    let here = address();
    THREAD.with(|thread| {
        let Place { frame, coroutine } = thread.innermost.get();
        (stack_of(thread).low..frame).contains(&here) && coroutine == self::coroutine()
    })
}

/// Whether a guest that needs so much stack may be entered here, and may call the host's functions.
///
/// # Errors
///
/// `busy` where coroutines share the stack of their thread, and there is not as much left of it:
/// they can't be switched on another one.
#[inline]
pub(crate) fn check_stack(needed: usize) -> Result<()> {
    if remaining_stack() < needed && coroutine() != 0 { Err(too_small(needed)) } else { Ok(()) }
}

#[cold]
fn too_small(needed: usize) -> Error {
    let text = format!(
        "the call needs {} KiB of stack, and the thread has {} KiB left: greenlets can't be switched on another stack. Give the thread a larger one, lower the limit \
         of the guest's stack, or make the call outside of greenlets",
        needed >> 10,
        remaining_stack() >> 10
    );
    Error::new(ErrorKind::Busy, text)
}

#[cold]
fn elsewhere() -> Error {
    let text = "a host function of another greenlet, fiber or coroutine is under way on this thread: its guest has to go on first. Make calls whose host \
                functions switch to others on threads of their own, or await them (an asynchronous instance)";
    Error::new(ErrorKind::Busy, text)
}

/// Does something as soon as guests may be entered on this thread again: now, most often.
pub(crate) fn when_clear(job: impl FnOnce() + 'static) {
    if check().is_ok() {
        return job();
    }
    LATER.with_borrow_mut(|later| later.push(Box::new(job)));
}

/// Host code that runs in the middle of a guest, while this lives.
pub(crate) struct Window {
    thread: u64,
    own: Place,
    outer: Place,
}

impl Window {
    pub(crate) fn open() -> Window {
        let thread = thread_id();
        THREAD.with(|known| {
            let own = Place { frame: address(), coroutine: 0 };
            Window { thread, own, outer: known.innermost.replace(own) }
        })
    }
}

impl Drop for Window {
    #[inline]
    fn drop(&mut self) {
        let is_innermost = THREAD.with(|thread| {
            let in_order = thread.id.get() == self.thread && thread.innermost.get().frame == self.own.frame;
            thread.innermost.set(self.outer);
            in_order
        });
        if !is_innermost {
            out_of_order();
        }
        // A thread that ends has nothing to catch up with.
        if LATER.try_with(|later| !later.borrow().is_empty()).unwrap_or(false) {
            catch_up();
        }
    }
}

/// The frames of the guest that called are on top of another chain than this thread's: neither a
/// return nor a panic could find their way.
#[cold]
fn out_of_order() -> ! {
    eprintln!(
        "undergo: a host function has returned on another thread than it was called on, or was left by a jump; its guest can't go on, nor can the process"
    );
    std::process::abort()
}

#[cold]
fn catch_up() {
    for job in LATER.take() {
        when_clear(job);
    }
}

/// Which coroutine of the host's language runs, if these share the stack of their thread.
pub(crate) fn coroutine() -> u64 {
    COROUTINE.get().and_then(|function| function()).unwrap_or(0)
}

/// Whether there may be such coroutines in this program.
pub(crate) fn has_coroutines() -> bool {
    COROUTINE.get().is_some_and(|function| function().is_some())
}

static COROUTINE: Lasting<fn() -> Option<u64>> = Lasting::new();

/// Sets what tells which coroutine runs, for languages whose coroutines take turns on one native
/// stack, as Python's greenlets do: a number that no other living coroutine of the thread has; 0
/// for the thread's own; `None` in a program that has none. Instances that are made where there may
/// be some run their guests on fibers, so that a host function may be left in the middle, and
/// others entered meanwhile. Only the first one that is set counts. The binding also tells when the
/// host's code begins to run: see [`in_coroutine`].
pub fn set_coroutine(function: fn() -> Option<u64>) {
    COROUTINE.get_or_make(|| function);
}

/// Tells that the host's code which the guest of this thread has called runs in that coroutine.
/// Without it, it counts as that of the thread itself.
#[inline]
pub fn in_coroutine(coroutine: u64) {
    THREAD.with(|thread| {
        let innermost = thread.innermost.get();
        if innermost.frame != 0 {
            thread.innermost.set(Place { coroutine, ..innermost });
        }
    });
}

/// Bytes that are left of this thread's stack. 0 on any other: that of a coroutine, say, whose end
/// nobody knows.
#[inline]
#[must_use]
pub fn remaining_stack() -> usize {
    let here = address();
    let Stack { low, high } = THREAD.with(stack_of);
    if here < high { here.saturating_sub(low) } else { 0 }
}

/// How deep code may go here that calls itself for what is nested, and needs `each` bytes of stack
/// for it: `most`, if there is room for so much.
#[must_use]
pub fn nesting_room(most: usize, each: usize) -> usize {
    // Coroutines have at least as much where nobody knows how much they have.
    const UNKNOWN: usize = 256 << 10;
    // For what is called at the bottom.
    const KEPT: usize = 32 << 10;
    let left = match remaining_stack() {
        0 => UNKNOWN,
        left => left,
    };
    (left.saturating_sub(KEPT) / each).min(most)
}

/// Runs code with that much stack at the least: on this one, if there is as much left of it.
#[inline(always)]
#[expect(clippy::inline_always, reason = "a comparison, in each call")]
pub(crate) fn with_stack<R>(needed: usize, code: impl FnOnce() -> R) -> R {
    if remaining_stack() >= needed { code() } else { on_fresh_stack(needed, code) }
}

#[cold]
fn on_fresh_stack<R>(needed: usize, code: impl FnOnce() -> R) -> R {
    struct Outer(Stack);
    impl Drop for Outer {
        fn drop(&mut self) {
            THREAD.with(|thread| thread.stack.set(self.0));
        }
    }
    let _outer = Outer(THREAD.with(|thread| thread.stack.get()));
    // As much again for the frames of host functions as `needed` has for them.
    stacker::grow(needed + (1 << 20), || {
        let here = address();
        let left = stacker::remaining_stack().unwrap_or(needed);
        // All frames from here on are below this one.
        THREAD.with(|thread| thread.stack.set(Stack { low: here.saturating_sub(left), high: here + 1 }));
        code()
    })
}

/// About where the stack ends now.
#[inline(always)]
#[expect(clippy::inline_always, reason = "the frame that is meant is the caller's")]
fn address() -> usize {
    let mark = 0_u8;
    std::hint::black_box(&raw const mark).addr()
}

#[inline]
fn stack_of(thread: &Thread) -> Stack {
    match thread.stack.get() {
        Stack { high: 0, .. } => own_stack(thread),
        known => known,
    }
}

/// Finds out about the thread's own stack, the first time.
#[cold]
fn own_stack(thread: &Thread) -> Stack {
    let stack = bounds().unwrap_or_else(|| {
        // Where the system does not tell, coroutines are not told apart.
        let left = stacker::remaining_stack().unwrap_or(0);
        Stack { low: address().saturating_sub(left), high: usize::MAX }
    });
    thread.stack.set(stack);
    stack
}

#[cfg(all(any(target_os = "linux", target_os = "android"), not(miri)))]
fn bounds() -> Option<Stack> {
    let mut attributes = std::mem::MaybeUninit::<libc::pthread_attr_t>::uninit();
    let (mut low, mut size) = (std::ptr::null_mut(), 0);
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
    Some(Stack { low: low.addr(), high: low.addr() + size })
}

#[cfg(target_vendor = "apple")]
fn bounds() -> Option<Stack> {
    // SAFETY: both only ask, about a thread that is there.
    let (high, size) = unsafe {
        let thread = libc::pthread_self();
        (libc::pthread_get_stackaddr_np(thread).addr(), libc::pthread_get_stacksize_np(thread))
    };
    Some(Stack { low: high.saturating_sub(size), high })
}

#[cfg(not(any(all(any(target_os = "linux", target_os = "android"), not(miri)), target_vendor = "apple")))]
fn bounds() -> Option<Stack> {
    None
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::AtomicU32;

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
    fn a_window_lets_in_what_is_below_it_on_its_stack() {
        assert!(is_clear() && check().is_ok());
        let window = Window::open();
        assert!(!is_clear());
        below(|| assert!(check().is_ok()));
        // Another stack, wherever it lies.
        let other = check_on_another_stack();
        assert!(other.is_err_and(|error| error.kind() == ErrorKind::Busy));
        // One that was made for guest code is known.
        assert!(
            on_fresh_stack(1 << 20, || {
                let inner = Window::open();
                let within = below(check);
                drop(inner);
                within
            })
            .is_ok()
        );
        drop(window);
        assert!(is_clear());
    }

    #[inline(never)]
    fn below<R>(code: impl FnOnce() -> R) -> R {
        let mut frame = [0_u8; 256];
        std::hint::black_box(&mut frame);
        code()
    }

    fn check_on_another_stack() -> Result<()> {
        // As a coroutine does: without telling us.
        stacker::grow(1 << 20, check)
    }

    #[test]
    #[cfg_attr(miri, ignore = "is about the machine's stack")]
    fn a_stack_that_is_not_the_threads_has_nothing_left() {
        assert!(remaining_stack() > 16 << 10);
        assert_eq!(stacker::grow(1 << 20, remaining_stack), 0);
        assert!(on_fresh_stack(1 << 20, remaining_stack) > 900 << 10);
        let on_it = on_fresh_stack(1 << 20, || with_stack(8 << 20, remaining_stack));
        assert!(on_it > 7 << 20, "{on_it}");
        assert!(std::panic::catch_unwind(|| on_fresh_stack(1 << 20, || panic!("for the test"))).is_err());
        assert!((1..1 << 40).contains(&remaining_stack()));
    }

    #[test]
    #[cfg_attr(miri, ignore = "is about the machine's stack")]
    fn coroutines_of_one_stack_are_told_apart() {
        thread_local!(static CURRENT: Cell<u64> = const { Cell::new(0) });
        set_coroutine(|| Some(CURRENT.get()));
        let done = Arc::new(AtomicU32::new(0));
        let window = Window::open();
        below(|| assert!(check().is_ok()));
        CURRENT.set(1);
        below(|| assert!(check().is_err()));
        in_coroutine(1);
        below(|| assert!(check().is_ok()));
        CURRENT.set(2);
        below(|| assert!(check().is_err()));
        let counted = done.clone();
        when_clear(move || {
            counted.fetch_add(1, Ordering::SeqCst);
        });
        assert_eq!(done.load(Ordering::SeqCst), 0);
        CURRENT.set(1);
        drop(window);
        assert_eq!(done.load(Ordering::SeqCst), 1);
        CURRENT.set(0);
    }
}
