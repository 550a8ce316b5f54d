//! Host code that runs in the middle of a guest.
//!
//! For each thread, Wasmtime chains the running guest calls through the frames on the stack: they
//! must end in the reverse order of their beginnings. Host code may break that order. A greenlet of
//! Python, a fiber of Ruby or a coroutine of C leaves its stack in the middle, and another one that
//! calls a guest adds a link to the chain that ends too early. So each call from a guest to host
//! code opens a *window*, which records its stack. On a thread with a window, only code on that
//! same stack, below the window, may enter a guest.

use std::cell::{Cell, RefCell};
use std::ptr;

use crate::error::{Error, ErrorKind, Result};
use crate::platform::fiber;
use crate::platform::fork::Lasting;
use crate::platform::stack::{address, is_below};

/// Where host code runs that a guest has called.
#[derive(Clone, Copy)]
struct Place {
    /// The address of a frame on its stack; 0 for none.
    frame: usize,
    /// Its coroutine, among those that share a stack.
    coroutine: u64,
}

const NOWHERE: Place = Place { frame: 0, coroutine: 0 };

/// What a thread has of windows. In one place, because finding it costs as much as a small call
/// where this crate is in a shared library.
struct Thread {
    innermost: Cell<Place>,
    /// Whether there are jobs in [`LATER`].
    has_later: Cell<bool>,
}

thread_local! {
    static THREAD: Thread = const { Thread { innermost: Cell::new(NOWHERE), has_later: Cell::new(false) } };
    /// Jobs that wait until the thread has no window of another stack.
    static LATER: RefCell<Vec<Box<dyn FnOnce()>>> = const { RefCell::new(Vec::new()) };
}

/// Whether no guest of this thread has called host code, so that any guest may be entered.
#[inline]
pub(crate) fn is_clear() -> bool {
    innermost().frame == 0
}

#[inline]
fn innermost() -> Place {
    THREAD.with(|thread| thread.innermost.get())
}

/// Whether a guest may be entered here.
///
/// # Errors
///
/// `busy` while a host function of another stack is running on this thread.
#[inline]
pub(crate) fn check() -> Result<()> {
    if is_clear() || is_within() { Ok(()) } else { Err(elsewhere()) }
}

/// Whether this is the stack of the innermost window, below it.
#[cold]
fn is_within() -> bool {
    let Place { frame, coroutine } = innermost();
    is_below(frame) && coroutine == self::coroutine()
}

#[cold]
fn elsewhere() -> Error {
    let text = "a host function of another greenlet, fiber or coroutine is under way on this thread: its guest has \
                to go on first. Make calls whose host functions switch to others on threads of their own, or await \
                them (an asynchronous instance)";
    Error::new(ErrorKind::Busy, text)
}

/// Runs a job as soon as guests may be entered on this thread again, usually now.
pub(crate) fn when_clear(job: impl FnOnce() + 'static) {
    if check().is_ok() {
        return job();
    }
    LATER.with_borrow_mut(|later| later.push(Box::new(job)));
    THREAD.with(|thread| thread.has_later.set(true));
}

/// Runs host code in the middle of a guest, on the stack that the host has called from.
#[inline]
pub(crate) fn outside<R>(code: impl FnOnce() -> R) -> R {
    fiber::leave(|| {
        let _window = Window::open();
        code()
    })
}

/// Marks host code that runs in the middle of a guest, while this lives.
struct Window {
    /// Of the thread, by which that is known. Only compared.
    thread: *const Thread,
    own: Place,
    outer: Place,
}

impl Window {
    #[inline]
    fn open() -> Window {
        let own = Place { frame: address(), coroutine: 0 };
        THREAD.with(|thread| Window { thread, own, outer: thread.innermost.replace(own) })
    }
}

impl Drop for Window {
    // Not inlined: what was found of the thread when the window was opened may be another's by now.
    #[inline(never)]
    fn drop(&mut self) {
        let has_later = THREAD.with(|thread| {
            let innermost = thread.innermost.replace(self.outer);
            if innermost.frame != self.own.frame || !ptr::eq(thread, self.thread) {
                out_of_order();
            }
            thread.has_later.get()
        });
        if has_later {
            catch_up();
        }
    }
}

/// The calling guest's frames are in another thread's chain, so neither a return nor a panic could
/// find its way.
#[cold]
fn out_of_order() -> ! {
    eprintln!(
        "undergo: a host function has returned on another thread than it was called on, or was left by a \
         jump; its guest can't go on, nor can the process"
    );
    std::process::abort()
}

#[cold]
fn catch_up() {
    THREAD.with(|thread| thread.has_later.set(false));
    // A thread that is ending has no jobs left.
    for job in LATER.try_with(RefCell::take).unwrap_or_default() {
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

/// Sets the function that tells which coroutine runs, for languages whose coroutines share one
/// native stack, as Python's greenlets do: a number that no other living coroutine of the thread
/// has; 0 for the thread's own code; `None` in a program without coroutines.
///
/// In a program with coroutines, instances run their guests as asynchronous instances do, so that a
/// host function may be left in the middle, and others entered meanwhile. Only the first function
/// that is set counts. The binding also reports when host code begins to run: see [`in_coroutine`].
pub fn set_coroutine(function: fn() -> Option<u64>) {
    COROUTINE.get_or_make(|| function);
}

/// Reports that the host code which this thread's guest has called runs in that coroutine. Without
/// this call, it counts as the thread's own code.
#[inline]
pub fn in_coroutine(coroutine: u64) {
    THREAD.with(|thread| {
        let innermost = thread.innermost.get();
        if innermost.frame != 0 {
            thread.innermost.set(Place { coroutine, ..innermost });
        }
    });
}

#[cfg(all(test, not(miri)))]
mod tests {
    use std::cell::Cell;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[test]
    fn a_window_lets_in_what_is_below_it_on_its_stack() {
        assert!(is_clear() && check().is_ok());
        outside(|| {
            assert!(!is_clear());
            below(|| assert!(check().is_ok()));
            // Another stack, at any address.
            assert!(check_on_another_stack().is_err_and(|error| error.kind() == ErrorKind::Busy));
        });
        assert!(is_clear());
        // Host code is on its caller's stack, although the guest is not.
        let checked = fiber::with_stack(1 << 30, |_| outside(|| (below(check).is_ok(), check_on_another_stack().is_ok())));
        assert_eq!(checked.expect("memory"), (true, false));
        assert!(is_clear());
    }

    #[inline(never)]
    fn below<R>(code: impl FnOnce() -> R) -> R {
        let mut frame = [0_u8; 256];
        std::hint::black_box(&mut frame);
        code()
    }

    fn check_on_another_stack() -> Result<()> {
        // As a coroutine does, without a report.
        stacker::grow(1 << 20, check)
    }

    #[test]
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
