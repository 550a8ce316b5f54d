//! Ruby's lock, which a thread leaves while a call computes or waits, and takes again for Ruby's
//! own code; and interrupts: Ctrl-C, `Thread#raise`, `Thread#kill`.
//!
//! Ruby's code leaves its frames by jumps (exceptions, `throw`, `break`), which must not cross
//! frames of Rust or of a guest. So each piece of Ruby's code runs protected, and what leaves it
//! becomes an error. That error ends the call in order, and the method of this library that was
//! called goes on with the jump when all its frames are gone.
//!
//! Ruby checks for interrupts when a thread returns from its code to where it does not have the
//! lock, and that check may jump too. The thread has the lock then, although those who called
//! expect that it has not. It keeps the lock until the call has ended, which runs no more of Ruby's
//! code, and jumps from there.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use magnus::error::ErrorType;
use magnus::prelude::*;
use magnus::rb_sys::{protect, resume_error};
use magnus::{Error, Ruby};
use undergo::{ErrorKind, Result};

use crate::errors;

/// Interrupts are this file's to handle, and the function that notes one may run in a handler of
/// signals.
const FLAGS: i32 = (rb_sys::RB_NOGVL_INTR_FAIL | rb_sys::RB_NOGVL_UBF_ASYNC_SAFE) as i32;

/// Bytes of stack of a fiber.
static FIBER: AtomicUsize = AtomicUsize::new(512 << 10);

/// Bytes of it that are left to what Ruby does at its end.
const KEPT: usize = 32 << 10;

/// A stretch of a thread without Ruby's lock.
struct Region {
    is_interrupted: AtomicBool,
    /// The jump that has given the thread the lock, and ends the call.
    jump: RefCell<Option<Error>>,
}

thread_local! {
    /// The stretch that this thread is in; null where it has Ruby's lock, or is none of Ruby's.
    static REGION: Cell<*const Region> = const { Cell::new(ptr::null()) };
    /// A jump that Ruby's code has made, until the thread goes on with it.
    static JUMP: RefCell<Option<Error>> = const { RefCell::new(None) };
}

/// Has this thread go on in another stretch, until it is dropped.
struct Within(*const Region);

impl Within {
    fn enter(region: *const Region) -> Within {
        Within(REGION.replace(region))
    }
}

impl Drop for Within {
    fn drop(&mut self) {
        REGION.set(self.0);
    }
}

/// Code that Ruby calls back, and what has become of it.
struct Job<F, R> {
    code: Option<F>,
    done: Option<std::result::Result<R, Box<dyn Any + Send>>>,
    region: *const Region,
}

impl<F: FnOnce() -> R, R> Job<F, R> {
    fn new(code: F, region: *const Region) -> Job<F, R> {
        Job { code: Some(code), done: None, region }
    }

    fn run(&mut self, within: *const Region) {
        let _within = Within::enter(within);
        self.done = self.code.take().map(|code| catch_unwind(AssertUnwindSafe(code)));
    }
}

/// Runs code of the core without Ruby's lock. What it makes for Ruby has to be put into a variable
/// of the caller, on the stack that the collector sees.
///
/// # Errors
///
/// The jump that interrupts it.
pub(crate) fn without<R>(code: impl FnOnce() -> R) -> std::result::Result<R, Error> {
    if undergo::host::remaining_stack() == 0 { undergo::host::on_hosts_stack(room_of_fiber(), || leave(code)) } else { leave(code) }
}

/// How much of its stack the running fiber has left.
#[cold]
fn room_of_fiber() -> usize {
    // SAFETY: the thread has Ruby's lock; no place is asked for.
    let used = unsafe { rb_sys::ruby_stack_length(ptr::null_mut()) } as usize * size_of::<rb_sys::VALUE>();
    FIBER.load(Ordering::Relaxed).saturating_sub(used + KEPT)
}

fn leave<R>(code: impl FnOnce() -> R) -> std::result::Result<R, Error> {
    let region = Region { is_interrupted: AtomicBool::new(false), jump: RefCell::new(None) };
    let mut job = Job::new(code, &raw const region);
    loop {
        let left = protect(|| {
            leave_with(&mut job, &region);
            rb_sys::Qnil as rb_sys::VALUE
        });
        if let Err(jump) = left {
            reset_signals();
            return Err(jump);
        }
        match job.done.take() {
            Some(Ok(result)) => return JUMP.take().map_or(Ok(result), Err),
            Some(Err(panic)) => resume_unwind(panic),
            // It was interrupted before it began.
            None => check()?,
        }
    }
}

fn leave_with<F: FnOnce() -> R, R>(job: &mut Job<F, R>, region: &Region) {
    // SAFETY: the job and the region outlive the call, and the thread has Ruby's lock, as each
    // caller of this library has.
    unsafe {
        rb_sys::rb_nogvl(
            Some(outside::<F, R>),
            ptr::from_mut(job).cast(),
            Some(interrupt),
            ptr::from_ref(&region.is_interrupted).cast_mut().cast(),
            FLAGS,
        );
    }
}

unsafe extern "C" fn outside<F: FnOnce() -> R, R>(job: *mut c_void) -> *mut c_void {
    // SAFETY: it is that of `leave_with`, which waits for this function.
    let job = unsafe { &mut *job.cast::<Job<F, R>>() };
    job.run(job.region);
    // SAFETY: as above.
    let jump = unsafe { &*job.region }.jump.take();
    if let Some(jump) = jump {
        // What the code returned is not of use any more, and is dropped here.
        job.done = None;
        // SAFETY: the thread has Ruby's lock, and the frames from here to the `protect` in `leave`
        // have nothing to drop.
        unsafe { resume_error(jump) }
    }
    ptr::null_mut()
}

/// Notes an interrupt. It may run in a handler of signals.
unsafe extern "C" fn interrupt(flag: *mut c_void) {
    // SAFETY: it is the flag of a region which the thread is in.
    unsafe { &*flag.cast::<AtomicBool>() }.store(true, Ordering::Release);
}

/// Ends what `rb_nogvl` has begun, if it was left by a jump: that functions which interrupt are
/// called by handlers of signals.
fn reset_signals() {
    unsafe extern "C" fn nothing(_: *mut c_void) -> *mut c_void {
        ptr::null_mut()
    }
    // SAFETY: the thread has Ruby's lock, and the function does nothing.
    unsafe { rb_sys::rb_nogvl(Some(nothing), ptr::null_mut(), None, ptr::null_mut(), FLAGS) };
}

/// Runs Ruby's code, with its lock, in the middle of a call: on the stack that Ruby has called
/// from, as host functions, lines of output and results are.
///
/// # Errors
///
/// Those of the code; `cancelled` when the call is about to end by a jump.
pub(crate) fn with<R>(code: impl FnOnce(&Ruby) -> Result<R>) -> Result<R> {
    let region = REGION.get();
    // SAFETY: both only ask for the state of this thread.
    if unsafe { rb_sys::ruby_native_thread_p() == 0 || (region.is_null() && rb_sys::rb_during_gc() != 0) } {
        return Err(undergo::Error::new(ErrorKind::HostError, "Ruby's code can't run here: on a thread that is not Ruby's"));
    }
    // SAFETY: this thread runs Ruby's code, since the lock is taken below, or was never left.
    let code = || code(&unsafe { Ruby::get_unchecked() });
    if region.is_null() {
        return code();
    }
    // SAFETY: the thread is in it, so that it lives.
    let region = unsafe { &*region };
    if region.jump.borrow().is_some() {
        return Err(jumping());
    }
    let mut job = Job::new(code, region);
    match protect(|| {
        enter_with(&mut job);
        rb_sys::Qnil as rb_sys::VALUE
    }) {
        Ok(_) => match job.done {
            Some(Ok(result)) => result,
            Some(Err(panic)) => resume_unwind(panic),
            None => Err(jumping()),
        },
        Err(jump) => {
            region.jump.replace(Some(jump));
            Err(jumping())
        }
    }
}

fn enter_with<F: FnOnce() -> R, R>(job: &mut Job<F, R>) {
    // SAFETY: the job outlives the call, and the thread is Ruby's and does not have the lock: it is
    // in a region without a jump.
    unsafe { rb_sys::rb_thread_call_with_gvl(Some(inside::<F, R>), ptr::from_mut(job).cast()) };
}

unsafe extern "C" fn inside<F: FnOnce() -> R, R>(job: *mut c_void) -> *mut c_void {
    // SAFETY: it is that of `enter_with`, which waits for this function.
    let job = unsafe { &mut *job.cast::<Job<F, R>>() };
    job.run(ptr::null());
    if let Some(jump) = JUMP.take() {
        job.done = None;
        // SAFETY: the thread has Ruby's lock, and the frames from here to the `protect` in `with`
        // have nothing to drop.
        unsafe { resume_error(jump) }
    }
    ptr::null_mut()
}

#[cold]
fn jumping() -> undergo::Error {
    undergo::Error::new(ErrorKind::Cancelled, "Ruby's code has left the call, or the call was interrupted")
}

/// The error for what Ruby's code raised, as an error of the host's code. A jump that is no
/// exception is kept for [`to_ruby`], or for where the lock is left again.
pub(crate) fn raised(ruby: &Ruby, error: Error) -> undergo::Error {
    let converted = match error.error_type() {
        ErrorType::Jump(_) => Err(error),
        ErrorType::Error(..) => Ok(undergo::Error::new(ErrorKind::HostError, error.to_string())),
        ErrorType::Exception(exception) => errors::from_host(ruby, exception.as_value()),
    };
    converted.unwrap_or_else(|jump| {
        JUMP.replace(Some(jump));
        jumping()
    })
}

/// The exception for an error, or the jump that has led to it.
pub(crate) fn to_ruby(ruby: &Ruby, error: &undergo::Error) -> Error {
    JUMP.take().unwrap_or_else(|| errors::to_ruby(ruby, error))
}

/// Runs code of the core without Ruby's lock, and converts its error.
pub(crate) fn detached<R>(ruby: &Ruby, code: impl FnOnce() -> Result<R>) -> std::result::Result<R, Error> {
    without(code)?.map_err(|error| to_ruby(ruby, &error))
}

/// Waits without Ruby's lock, in code that runs none of Ruby's nor of a guest's. `wake` ends the
/// wait when the thread is to see to an [interrupt](check). It is called by another thread, and
/// must not want Ruby's lock.
///
/// # Errors
///
/// The jump of an interrupt that came before.
pub(crate) fn waiting<R, W: Fn()>(code: impl FnOnce() -> R, wake: &W) -> std::result::Result<R, Error> {
    let mut job = Job::new(code, ptr::null());
    loop {
        protect(|| {
            wait_with(&mut job, wake);
            rb_sys::Qnil as rb_sys::VALUE
        })?;
        match job.done.take() {
            Some(Ok(result)) => return Ok(result),
            Some(Err(panic)) => resume_unwind(panic),
            // It was interrupted before it began.
            None => check()?,
        }
    }
}

fn wait_with<F: FnOnce() -> R, R, W: Fn()>(job: &mut Job<F, R>, wake: &W) {
    unsafe extern "C" fn waited<F: FnOnce() -> R, R>(job: *mut c_void) -> *mut c_void {
        // SAFETY: it is that of `wait_with`, which waits for this function.
        unsafe { &mut *job.cast::<Job<F, R>>() }.run(ptr::null());
        ptr::null_mut()
    }
    unsafe extern "C" fn woken<W: Fn()>(wake: *mut c_void) {
        // SAFETY: it is that of `wait_with`, which has not returned while the thread waits.
        let wake = unsafe { &*wake.cast::<W>() };
        wake();
    }
    // SAFETY: the job and the function outlive the call, and the thread has Ruby's lock.
    unsafe {
        rb_sys::rb_nogvl(
            Some(waited::<F, R>),
            ptr::from_mut(job).cast(),
            Some(woken::<W>),
            ptr::from_ref(wake).cast_mut().cast(),
            rb_sys::RB_NOGVL_INTR_FAIL as i32,
        );
    }
}

/// Has Ruby see to the interrupts of this thread.
///
/// # Errors
///
/// The jump that this leads to.
pub(crate) fn check() -> std::result::Result<(), Error> {
    protect(|| {
        // SAFETY: the thread has Ruby's lock, and a jump is caught.
        unsafe { rb_sys::rb_thread_check_ints() };
        rb_sys::Qnil as rb_sys::VALUE
    })
    .map(drop)
}

/// Has every call look for interrupts, which it does some hundred times a second.
pub(crate) fn install(ruby: &Ruby) {
    // As the environment has set it.
    let size = ruby.eval::<usize>("RubyVM::DEFAULT_PARAMS[:fiber_machine_stack_size]");
    if let Ok(size) = size {
        FIBER.store(size, Ordering::Relaxed);
    }
    undergo::host::set_interrupt(look);
}

fn look() -> Result<()> {
    let region = REGION.get();
    if region.is_null() {
        return Ok(());
    }
    // SAFETY: the thread is in it, so that it lives.
    let region = unsafe { &*region };
    if region.jump.borrow().is_some() {
        return Err(jumping());
    }
    if !region.is_interrupted.swap(false, Ordering::AcqRel) {
        return Ok(());
    }
    with(|ruby| check().map_err(|error| errors::interrupted(&raised(ruby, error))))
}
