//! Stacks for guests whose callers have too little stack.
//!
//! Such a guest runs on a *fiber*, a stack of this crate. Host code that it calls runs on the stack
//! that the host has called from: virtual machines know the stacks of their threads, and coroutines
//! can be switched only on their own stacks. So a host function leaves the fiber, and a call of the
//! guest from within it returns there.
//!
//! Both stacks grow and shrink together, and the guest calls of a thread still end in the reverse
//! order of their beginnings, as Wasmtime requires.

use std::any::Any;
use std::cell::{Cell, RefCell, UnsafeCell};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::ptr::{self, NonNull};

use corosensei::stack::{DefaultStack, Stack as _};
use corosensei::{Coroutine, CoroutineResult, Yielder};

use crate::platform::stack::{self, Bounds};

/// Code for the other stack, with the lifetime of the call that passes it.
type Job = *mut dyn FnMut();

/// What a fiber does next: the job, or `None` if its request is done.
type Input = Option<Job>;

/// Why a fiber was left.
enum Left {
    /// The job is done.
    Done,
    /// Host code has to run.
    For(Job),
}

/// A stack, and the coroutine on it.
pub(crate) struct Fiber {
    coroutine: UnsafeCell<Coroutine<Input, Left, ()>>,
    /// The coroutine's, once it has begun.
    yielder: Cell<*const Yielder<Input, Left>>,
    bounds: Bounds,
    /// Whether the stack from which it was entered is known. If not, it is impossible to tell
    /// whether a call comes from there, and host code runs here.
    is_left: Cell<bool>,
    /// Bytes that were left of the stack from which it was entered.
    room: Cell<usize>,
}

/// A fiber on which a guest runs, for calls from within its host functions.
#[derive(Clone, Copy)]
pub(crate) struct FiberRef(NonNull<Fiber>);

// SAFETY: it is used on the thread alone that runs the guest: calls from within a host function
// come from nowhere else (`guest/lock.rs`).
unsafe impl Send for FiberRef {}
// SAFETY: as above.
unsafe impl Sync for FiberRef {}

/// The maximum size of a stack that is kept for the next call, because its used part stays in
/// memory.
const KEPT: usize = 8 << 20;

thread_local! {
    static SPARE: RefCell<Option<Box<Fiber>>> = const { RefCell::new(None) };
}

/// Runs guest code with at least that much stack: on this stack, if as much is left. `code` gets
/// the fiber, if there is one.
///
/// # Errors
///
/// The system's error, if it provides no memory for a stack.
#[inline(always)]
#[expect(clippy::inline_always, reason = "a comparison, in each call")]
pub(crate) fn with_stack<R>(needed: usize, code: impl FnOnce(Option<FiberRef>) -> R) -> io::Result<R> {
    // Miri knows no stacks.
    if cfg!(miri) || stack::remaining_stack() >= needed { Ok(code(None)) } else { on_fiber(needed, code) }
}

#[cold]
fn on_fiber<R>(needed: usize, code: impl FnOnce(Option<FiberRef>) -> R) -> io::Result<R> {
    let spare = SPARE.try_with(RefCell::take).ok().flatten().filter(|fiber| fiber.size() >= needed);
    let fiber = match spare {
        Some(fiber) => fiber,
        None => Fiber::new(needed)?,
    };
    let room = stack::remaining_stack();
    fiber.is_left.set(room > 0);
    fiber.room.set(room);
    let done = fiber.carry(|| code(Some(FiberRef(NonNull::from(&*fiber)))));
    if fiber.size() <= KEPT {
        // A thread that is ending keeps nothing.
        drop(SPARE.try_with(|spare| spare.replace(Some(fiber))));
    }
    Ok(done)
}

/// Runs host code in the middle of a guest, on the stack that the host has called from.
#[inline]
pub(crate) fn leave<R>(code: impl FnOnce() -> R) -> R {
    let fiber = stack::fiber();
    if fiber.is_null() { code() } else { leave_fiber(fiber, code) }
}

#[cold]
fn leave_fiber<R>(fiber: *const Fiber, code: impl FnOnce() -> R) -> R {
    // SAFETY: this thread is on the fiber, so that it lives.
    let fiber = unsafe { &*fiber };
    if !fiber.is_left.get() {
        return code();
    }
    handed(code, |job| {
        // SAFETY: it was set when the coroutine began, and lies on its stack, which this is.
        let yielder = unsafe { &*fiber.yielder.get() };
        serve(yielder, yielder.suspend(Left::For(job)));
    })
}

/// Runs the given jobs until there is none.
fn serve(yielder: &Yielder<Input, Left>, mut input: Input) {
    while let Some(job) = input {
        // SAFETY: who gives it waits until it is done, and lends what it refers to as long.
        unsafe { (*job)() };
        input = yielder.suspend(Left::Done);
    }
}

/// Runs code on the other stack, and returns its result. A panic continues here, so that no stack
/// is unwound beyond its beginning.
fn handed<R>(code: impl FnOnce() -> R, run: impl FnOnce(Job)) -> R {
    let mut code = Some(code);
    let mut done: Option<Result<R, Box<dyn Any + Send>>> = None;
    let mut job = || done = code.take().map(|code| catch_unwind(AssertUnwindSafe(code)));
    let job: *mut (dyn FnMut() + '_) = &raw mut job;
    // SAFETY: only the lifetime changes. `run` returns when the job is done, which is then gone.
    run(unsafe { std::mem::transmute::<*mut (dyn FnMut() + '_), Job>(job) });
    match done {
        Some(Ok(result)) => result,
        Some(Err(panic)) => resume_unwind(panic),
        None => unreachable!("the job was done"),
    }
}

impl FiberRef {
    /// Runs guest code within a host function of a guest that runs there. `None` if the nested
    /// calls leave no room for another one.
    pub(crate) fn enter<R>(self, code: impl FnOnce() -> R) -> Option<R> {
        // SAFETY: the guest's outermost call is under way, and has the fiber until its end.
        let fiber = unsafe { self.0.as_ref() };
        if ptr::eq(stack::fiber(), fiber) {
            return Some(code());
        }
        // The guest's stack has its own limit. This bounds the host's stack, which calls back and
        // forth could use up; a quarter is left to host code.
        (stack::remaining_stack() > fiber.room.get() / 4).then(|| fiber.carry(code))
    }
}

impl Fiber {
    fn new(size: usize) -> io::Result<Box<Fiber>> {
        let stack = DefaultStack::new(size)?;
        let high = stack.base().get();
        let bounds = Bounds { low: high - size, high };
        let coroutine = Coroutine::with_stack(stack, |yielder: &Yielder<Input, Left>, input: Input| {
            // SAFETY: who has begun it is on it, so that it lives.
            unsafe { &*stack::fiber() }.yielder.set(yielder);
            serve(yielder, input);
        });
        let (is_left, room) = (Cell::new(false), Cell::new(0));
        Ok(Box::new(Fiber { coroutine: UnsafeCell::new(coroutine), yielder: Cell::new(ptr::null()), bounds, is_left, room }))
    }

    fn size(&self) -> usize {
        self.bounds.high - self.bounds.low
    }

    /// Runs code on the fiber and, here, the host code for which it leaves the fiber.
    fn carry<R>(&self, code: impl FnOnce() -> R) -> R {
        handed(code, |job| {
            let mut input = Some(job);
            while let Left::For(job) = self.resume(input) {
                // SAFETY: as in `serve`.
                unsafe { (*job)() };
                input = None;
            }
        })
    }

    /// Resumes the fiber until it is left.
    fn resume(&self, input: Input) -> Left {
        let outer = stack::change(self.bounds, self);
        // SAFETY: the coroutine is suspended, so that nobody else has a reference to it: whoever
        // has resumed it before waits for what it was left for, or that is over.
        let left = unsafe { &mut *self.coroutine.get() }.resume(input);
        stack::change(outer.0, outer.1);
        match left {
            CoroutineResult::Yield(left) => left,
            CoroutineResult::Return(()) => Left::Done,
        }
    }
}

impl Drop for Fiber {
    fn drop(&mut self) {
        // Its loop ends, so that there is nothing to unwind.
        if self.coroutine.get_mut().started() && !self.coroutine.get_mut().done() {
            self.resume(None);
        }
    }
}

#[cfg(all(test, not(miri)))]
mod tests {
    use super::*;
    use crate::platform::stack::remaining_stack;

    const SIZE: usize = 1 << 20;

    fn here() -> usize {
        let mark = 0_u8;
        std::hint::black_box(&raw const mark).addr()
    }

    /// With a stack that the thread does not have.
    fn on_another<R>(code: impl FnOnce(FiberRef) -> R) -> R {
        with_stack(1 << 30, |fiber| code(fiber.expect("a fiber"))).expect("memory")
    }

    #[test]
    fn a_fiber_is_left_for_the_hosts_code_and_entered_again() {
        let caller = here();
        let near = |at: usize| at.abs_diff(caller) < 1 << 18;
        let sum = on_another(|fiber| {
            let guest = here();
            assert!(!near(guest) && remaining_stack() > SIZE);
            let answer = leave(|| {
                assert!(near(here()));
                let nested = fiber.enter(|| {
                    assert!(here() < guest && guest - here() < 1 << 18);
                    leave(|| {
                        assert!(near(here()));
                        fiber.enter(|| 1).expect("room") + 2
                    }) + 4
                });
                nested.expect("room") + 8
            });
            assert!(!near(here()));
            answer + 16
        });
        assert_eq!(sum, 31);
        assert!(stack::fiber().is_null());
        assert_eq!(leave(|| 5), 5);
    }

    #[test]
    fn fibers_within_each_others_host_functions_keep_their_order() {
        let text = on_another(|a| {
            leave(|| {
                on_another(|b| {
                    leave(|| {
                        let inner = a.enter(|| leave(|| b.enter(|| "b").expect("room").to_owned()) + "a");
                        inner.expect("room") + "host"
                    })
                })
            })
        });
        assert_eq!(text, "bahost");
    }

    #[test]
    fn panics_go_through_the_calls_and_leave_the_stacks_as_they_were() {
        for _ in 0..3 {
            let deepest = catch_unwind(|| on_another(|fiber| leave(|| fiber.enter(|| leave(|| panic!("for the test"))))));
            assert!(deepest.is_err() && stack::fiber().is_null());
            let caught = on_another(|_| catch_unwind(|| leave(|| panic!("for the test"))).is_err());
            assert!(caught);
        }
        assert!((1..1 << 40).contains(&remaining_stack()));
    }

    #[test]
    fn calls_back_and_forth_end_before_the_callers_stack_does() {
        fn deeper(fiber: FiberRef, depth: usize) -> usize {
            let filler = [depth; 64];
            leave(|| fiber.enter(|| deeper(fiber, std::hint::black_box(&filler)[3] + 1)).unwrap_or(depth))
        }
        let depth = std::thread::Builder::new()
            .stack_size(512 << 10)
            .spawn(|| on_another(|fiber| deeper(fiber, 0)))
            .expect("a thread")
            .join()
            .expect("no overflow");
        assert!(depth > 10, "{depth}");
    }

    #[test]
    fn a_stack_is_kept_for_the_next_call_unless_it_is_large() {
        std::thread::spawn(|| {
            let place = || with_stack(remaining_stack() + 1, |fiber| fiber.expect("a fiber").0).expect("memory");
            let kept = || SPARE.with_borrow(|spare| spare.as_deref().map(NonNull::from));
            let first = place();
            assert_eq!(kept(), Some(first));
            assert_eq!(place(), first);
            on_another(|_| ());
            assert!(kept().is_none());
        })
        .join()
        .expect("no panic");
    }

    /// As a coroutine of the host's does, without telling: its stack can't be told from others.
    #[test]
    fn where_the_callers_stack_is_not_known_the_hosts_code_runs_on_the_fiber() {
        stacker::grow(1 << 20, || {
            assert_eq!(remaining_stack(), 0);
            with_stack(SIZE, |fiber| {
                let guest = here();
                let host = leave(here);
                assert!(guest.abs_diff(host) < 1 << 16);
                assert_eq!(leave(|| fiber.expect("a fiber").enter(|| 3)), Some(3));
            })
            .expect("memory");
        });
    }
}
