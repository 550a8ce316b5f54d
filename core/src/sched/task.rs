//! Tasks: calls that suspend instead of holding a thread, and where they run.
//!
//! A host with an event loop has a *home*: the one thread on which its own code runs. A task begins
//! at home, where most calls finish before another thread could have started them. A guest that
//! computes for longer than a tick of the clock or two moves *away* (see
//! [`fairness`](crate::sched::fairness)), to one of a few threads of this crate. The task returns
//! home for host functions and for its result. So the host's objects are used at home only, and
//! guests do not block the loop.
//!
//! A host may also block its loop until such a call is over ([`run_here`]); then all of it happens
//! on that thread.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::{mem, ptr};

use crate::config::budget::{LOOK, interrupt};
use crate::error::{Error, Result};
use crate::platform::runtime;
use crate::platform::window;

/// The thread of a host's event loop.
pub trait Home: Send + Sync {
    /// Schedules [`Job::run`] on that thread, soon, and after this has returned. May be called from
    /// any thread. Dropping the job instead ends its task.
    fn schedule(&self, job: Job);

    /// Whether the host's code must run on its thread's own stack. A guest that can wait has a
    /// separate stack, on which its host functions would run, and some interpreters take that for a
    /// stack overflow. Such code then runs while the guest is suspended.
    fn own_stack(&self) -> bool {
        false
    }
}

/// One step of a task.
pub struct Job(Option<Arc<Task>>);

impl Job {
    /// Runs the task until it waits or moves to another thread. Takes at most two ticks of the
    /// clock, of 2 ms each, plus the time of host functions.
    pub fn run(mut self) {
        if window::check().is_err() {
            return window::when_clear(|| self.run());
        }
        // The loop runs this task, so it has had its turn.
        IS_OWED.set(false);
        if let Some(task) = self.0.take() {
            task.run();
        }
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        if let Some(task) = self.0.take() {
            drop(task.future.lock().unwrap_or_else(PoisonError::into_inner).take());
        }
    }
}

/// Starts a task on the thread of its home, which must be this one. Returns when the task waits,
/// has moved to another thread, or is over.
pub fn spawn(home: Arc<dyn Home>, future: impl Future<Output = ()> + Send + 'static) {
    Arc::new(Task {
        future: Mutex::new(Some(Box::pin(future))),
        place: AtomicU8::new(HOME),
        at: AtomicU8::new(HOME),
        state: AtomicU8::new(SCHEDULED),
        home,
    })
    .run();
}

/// Starts a task that begins away from its home, to which it goes for host functions.
pub(crate) fn spawn_away(home: Arc<dyn Home>, future: impl Future<Output = ()> + Send + 'static) {
    let task = Task {
        future: Mutex::new(Some(Box::pin(future))),
        place: AtomicU8::new(AWAY),
        at: AtomicU8::new(AWAY),
        state: AtomicU8::new(SCHEDULED),
        home,
    };
    Arc::new(task).schedule();
}

/// Awaits a future outside of all tasks, and has `by` run the host's code, on the stack of the
/// thread that polls it.
pub(crate) async fn with_errands<T>(by: impl Fn(&mut dyn FnMut()), future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    poll_fn(|context| poll_with_errands(true, &by, context, |context| future.as_mut().poll(context))).await
}

struct Task {
    /// Empty once it is over.
    future: Mutex<Option<Pin<Box<dyn Future<Output = ()> + Send>>>>,
    /// Where it wants to run next.
    place: AtomicU8,
    /// Where it runs. What it consists of may ask to move several times before it does.
    at: AtomicU8,
    state: AtomicU8,
    home: Arc<dyn Home>,
}

// Where a task runs.
const HOME: u8 = 0;
const AWAY: u8 = 1;

// Whether a task runs. One that is woken while it runs is run once more.
const WAITING: u8 = 0;
const SCHEDULED: u8 = 1;
const RUNNING: u8 = 2;
const WOKEN: u8 = 3;

thread_local! {
    /// The task that this thread runs.
    static CURRENT: RefCell<Option<Arc<Task>>> = const { RefCell::new(None) };
    /// Whether a task has blocked this thread, a home, for a while, so that its loop has to run
    /// next.
    static IS_OWED: Cell<bool> = const { Cell::new(false) };
}

impl Task {
    fn run(self: Arc<Self>) {
        let outer = CURRENT.replace(Some(self.clone()));
        self.state.store(RUNNING, Ordering::SeqCst);
        self.at.store(self.place.load(Ordering::SeqCst), Ordering::SeqCst);
        let waker = Waker::from(self.clone());
        let mut future = self.future.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = future.as_mut() {
            let poll = |context: &mut Context<'_>| running.as_mut().poll(context);
            let mut context = Context::from_waker(&waker);
            // A panic ends the task; dropping what the task owns notifies its waiters.
            let polled = catch_unwind(AssertUnwindSafe(|| poll_with_errands(self.home.own_stack(), |errand| errand(), &mut context, poll)));
            if !matches!(polled, Ok(Poll::Pending)) {
                *future = None;
            }
        }
        let over = future.is_none();
        drop(future);
        CURRENT.set(outer);
        if over {
            return;
        }
        if self.state.compare_exchange(RUNNING, WAITING, Ordering::SeqCst, Ordering::SeqCst).is_err() {
            self.state.store(SCHEDULED, Ordering::SeqCst);
            self.schedule();
        }
    }

    fn schedule(self: Arc<Self>) {
        if self.place.load(Ordering::SeqCst) == HOME {
            let home = self.home.clone();
            home.schedule(Job(Some(self)));
        } else {
            runtime::compute(move || self.run());
        }
    }
}

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        let next = |state| match state {
            WAITING => Some(SCHEDULED),
            RUNNING => Some(WOKEN),
            _ => None,
        };
        if self.state.fetch_update(Ordering::SeqCst, Ordering::SeqCst, next) == Ok(WAITING) {
            self.schedule();
        }
    }
}

/// Runs a future to completion on this thread, even within a task. What the future does at home, it
/// does here. The host's interrupt function is called now and then meanwhile.
///
/// # Errors
///
/// Those of the future, and that of the interrupt function, in which case the future is dropped,
/// after `interrupted` was called.
pub(crate) fn run_here<T>(mut future: Pin<&mut impl Future<Output = Result<T>>>, interrupted: impl Fn(&Error)) -> Result<T> {
    let ask = || interrupt().map_or(Ok(()), |interrupt| interrupt()).inspect_err(&interrupted);
    let _outer = Outside(CURRENT.take());
    let sleeper = Sleeper::take();
    let Sleeper { woken, waker } = &sleeper;
    let mut context = Context::from_waker(waker);
    loop {
        if let Poll::Ready(done) = poll_with_errands(true, |errand| errand(), &mut context, |context| future.as_mut().poll(context)) {
            sleeper.give_back();
            return done;
        }
        while !woken.woken.swap(false, Ordering::SeqCst) {
            match interrupt() {
                Some(_) => thread::park_timeout(LOOK),
                None => thread::park(),
            }
            ask()?;
        }
        // A computing guest wakes the thread at each tick of the clock.
        ask()?;
    }
}

/// Restores the thread's current task when it is dropped.
struct Outside(Option<Arc<Task>>);

impl Drop for Outside {
    fn drop(&mut self) {
        CURRENT.set(self.0.take());
    }
}

/// How a thread sleeps and is woken. It is kept for the thread's next future, because creating it
/// costs a twentieth of a small call. A future within a future has another one, because a wake is
/// meant for one of them. A late wake reaches the thread's next future, which checks and sleeps on.
struct Sleeper {
    woken: Arc<Unparked>,
    waker: Waker,
}

thread_local! {
    static SLEEPER: Cell<Option<Sleeper>> = const { Cell::new(None) };
}

impl Sleeper {
    fn take() -> Sleeper {
        // A thread that is ending keeps none.
        SLEEPER.try_with(Cell::take).ok().flatten().unwrap_or_else(|| {
            let woken = Arc::new(Unparked { thread: thread::current(), woken: AtomicBool::new(false) });
            Sleeper { waker: Waker::from(woken.clone()), woken }
        })
    }

    fn give_back(self) {
        let _ = SLEEPER.try_with(|kept| kept.set(Some(self)));
    }
}

/// A thread that waits for its future.
struct Unparked {
    thread: Thread,
    woken: AtomicBool,
}

impl Wake for Unparked {
    fn wake(self: Arc<Self>) {
        self.woken.store(true, Ordering::SeqCst);
        self.thread.unpark();
    }
}

/// Code for which a guest's stack is left.
struct Errand<F, R> {
    code: Option<F>,
    result: Option<thread::Result<R>>,
}

impl<F: FnOnce() -> R, R> Errand<F, R> {
    /// # Safety
    ///
    /// The address must be that of such an errand, which nobody else uses meanwhile.
    unsafe fn run(address: usize) {
        // SAFETY: the caller's promise.
        let errand = unsafe { &mut *ptr::with_exposed_provenance_mut::<Self>(address) };
        if let Some(code) = errand.code.take() {
            errand.result = Some(catch_unwind(AssertUnwindSafe(code)));
        }
    }
}

/// The address of an errand, and what runs it.
type Post = (usize, unsafe fn(usize));

/// Who polls a future, on a thread.
#[derive(Clone, Copy)]
struct Poller {
    /// Whether it runs errands.
    errands: bool,
    /// Identifies its waker.
    waker: *const (),
}

thread_local! {
    /// The poller on this thread.
    static POLLER: Cell<Poller> = const { Cell::new(Poller { errands: false, waker: ptr::null() }) };
    /// The errand for which the current poll was left.
    static POSTED: Cell<Option<Post>> = const { Cell::new(None) };
}

/// Polls, and runs the errand for which the poll was left. The poll's thread-local settings do not
/// apply to the errand, which is host code: coroutines may leave it in the middle for other calls
/// on this thread.
fn poll_with_errands<T>(
    errands: bool,
    by: impl Fn(&mut dyn FnMut()),
    context: &mut Context<'_>,
    mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>,
) -> Poll<T> {
    let poller = Poller { errands, waker: context.waker().data() };
    loop {
        // Of a poll around this one, which posts it again when it is polled again.
        POSTED.set(None);
        let polled = {
            let _outer = Around(POLLER.replace(poller));
            // What a guest waits for may need Tokio's clock.
            let _within = runtime::clock().enter();
            poll(context)
        };
        let posted = POSTED.take();
        // A future that is over may leave others behind, such as those of a guest's streams. What
        // has posted the errand posts it again when it is polled.
        let (Some((errand, run)), Poll::Pending) = (posted, &polled) else { return polled };
        // SAFETY: `at_home` posted it in this poll, and its future is still there, as it takes the
        // errand back when it is dropped. It waits for us.
        by(&mut || unsafe { run(errand) });
    }
}

struct Around(Poller);

impl Drop for Around {
    fn drop(&mut self) {
        POLLER.set(self.0);
        if thread::panicking() {
            // The future of another one may have posted it, and may be dropped before it is polled.
            POSTED.set(None);
        }
    }
}

/// Takes back an errand that has not been run.
struct Posted(usize);

impl Drop for Posted {
    fn drop(&mut self) {
        POSTED.set(POSTED.take().filter(|(errand, _)| *errand != self.0));
    }
}

/// Runs the host's code at home, and on the stack that it needs.
pub(crate) async fn at_home<R>(code: impl FnOnce() -> R) -> R {
    go_home().await;
    if POLLER.get().errands { off_the_stack(code).await } else { code() }
}

/// Awaits a future of the host's, and polls it on the stack that the host's code needs.
#[cfg(feature = "wasi-0-3")]
pub(crate) async fn outside<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    loop {
        let waker = poll_fn(|context| Poll::Ready(context.waker().clone())).await;
        let noted = Arc::new(Noted { woken: AtomicBool::new(false), waker });
        let waker = Waker::from(noted.clone());
        if let Poll::Ready(done) = at_home(|| future.as_mut().poll(&mut Context::from_waker(&waker))).await {
            return done;
        }
        // It may have been woken since, of which nobody is told again; or another waker is to be
        // woken by now.
        poll_fn(|context| {
            let is_due = noted.woken.load(Ordering::SeqCst) || !noted.waker.will_wake(context.waker());
            if is_due { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}

/// Notes that what waits was woken, and wakes it.
#[cfg(feature = "wasi-0-3")]
struct Noted {
    woken: AtomicBool,
    waker: Waker,
}

#[cfg(feature = "wasi-0-3")]
impl Wake for Noted {
    fn wake(self: Arc<Self>) {
        self.woken.store(true, Ordering::SeqCst);
        self.waker.wake_by_ref();
    }
}

async fn off_the_stack<F: FnOnce() -> R, R>(code: F) -> R {
    let mut errand = Errand { code: Some(code), result: None };
    // It does not move until its future, which is pinned, ends.
    let address = (&raw mut errand).expose_provenance();
    let posted = Posted(address);
    loop {
        let mut left = false;
        go_home().await;
        poll_fn(|context| {
            if mem::replace(&mut left, true) {
                return Poll::Ready(());
            }
            // An engine that runs several of a guest's tasks polls those that were woken.
            if context.waker().data() != POLLER.get().waker {
                context.waker().wake_by_ref();
            }
            POSTED.set(Some((address, Errand::<F, R>::run)));
            Poll::Pending
        })
        .await;
        if let Some(result) = errand.result.take() {
            drop(posted);
            return result.unwrap_or_else(|panic| resume_unwind(panic));
        }
    }
}

/// Moves there, if the code that awaits this is elsewhere. Does nothing for code outside of all
/// tasks, on an executor of the host.
fn go(place: u8) -> impl Future<Output = ()> + Send {
    poll_fn(move |context| {
        let arrived = CURRENT.with_borrow(|task| {
            task.as_ref().is_none_or(|task| {
                task.place.store(place, Ordering::SeqCst);
                task.at.load(Ordering::SeqCst) == place
            })
        });
        if arrived {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
}

/// Moves to the thread where the host's own code runs: after awaiting this, the task continues
/// there.
pub fn go_home() -> impl Future<Output = ()> + Send {
    go(HOME)
}

/// Moves to a thread where a guest may compute.
pub(crate) fn away() -> impl Future<Output = ()> + Send {
    go(AWAY)
}

/// Awaits the future, and returns whether it has suspended.
pub(crate) async fn noticing<T>(future: impl Future<Output = T>) -> (T, bool) {
    let mut future = pin!(future);
    let mut has_waited = false;
    let done = poll_fn(|context| {
        let polled = future.as_mut().poll(context);
        has_waited |= polled.is_pending();
        polled
    })
    .await;
    (done, has_waited)
}

/// Identifies the task that this thread runs among living ones; 0 for none.
pub(crate) fn current() -> usize {
    CURRENT.with_borrow(|task| task.as_ref().map_or(0, |task| Arc::as_ptr(task).addr()))
}

/// Whether this is a task at home.
pub(crate) fn is_at_home() -> bool {
    CURRENT.with_borrow(|task| task.as_ref().is_some_and(|task| task.at.load(Ordering::SeqCst) == HOME))
}

/// Lets a task block the loop a little longer, after which it has to [let it run](give_turn). Only
/// one task may do so until the loop has run.
pub(crate) fn take_breath() -> bool {
    !IS_OWED.replace(true)
}

/// Moves away, or yields to others there.
pub(crate) async fn give_way() {
    if is_at_home() {
        return away().await;
    }
    give_turn().await;
}

/// Yields to others on the same thread, until this task is run again.
pub async fn give_turn() {
    let yielded = AtomicBool::new(false);
    poll_fn(|context| {
        if yielded.swap(true, Ordering::Relaxed) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
