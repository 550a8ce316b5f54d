//! A running guest, and the entry to it, which all calls of an instance use.

use std::cell::UnsafeCell;
use std::mem::MaybeUninit;
use std::pin::pin;
use std::sync::Arc;

use wasmtime::{AsContextMut, Store, StoreContextMut};

use crate::call::invoke::Work;
use crate::call::outcome::Outcome;
use crate::config::CallOptions;
use crate::config::budget::{self, Budget};
use crate::error::{Error, ErrorKind, Result};
use crate::guest::lock::{Lock, call_id};
use crate::guest::memory_cache::MemoryCache;
use crate::guest::state::State;
use crate::instance::arguments::Arguments;
use crate::instance::seed::{Seed, note_fuel, refuel};
use crate::interface::Function;
use crate::platform::fork::Kept;
use crate::platform::stack::thread_id;
use crate::platform::tsc::Stopwatch;
use crate::platform::window;
use crate::sched::driver::{Driver, at_once};
use crate::sched::task;
use crate::sched::ticker::Ticking;

/// The instance behind its handles.
pub(crate) struct Running {
    pub(crate) seed: Seed,
    /// Whether calls run on their caller's stack, and no limit has to be checked with each of them.
    is_simple: bool,
    /// Only the owner of the lock uses it.
    store: Guarded<Kept<Store<State>>>,
}

/// The data behind the lock.
struct Guarded<T>(UnsafeCell<T>);

// SAFETY: only the lock's owner, one caller at a time on any thread, reaches it: through `Entered`,
// which exists once at a time for outer entries and passes the same store to nested ones, and by
// `reset`.
unsafe impl<T: Send> Sync for Guarded<T> {}

/// How a caller waits for an instance that another caller has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wait {
    /// On its thread.
    Thread,
    /// In a task.
    Task,
    /// Not at all, because the caller that has it may need this thread to go on.
    Never,
}

/// How a caller has entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Entry {
    /// The instance was free.
    Outer,
    /// From within a host function, with the store of its loan.
    Nested,
    /// By the channel of an awaited host function.
    Reentered,
}

/// An entry to the instance: the right to use its store. Small, because each call moves it.
pub(crate) struct Entered<'i> {
    running: &'i Running,
    /// Not a plain reference: a nested entry that a coroutine has left may be moved, or dropped,
    /// after the store was dropped. It is stale then.
    store: MaybeUninit<StoreContextMut<'static, State>>,
    entry: Entry,
    /// Whether guest code is running. Dropping the entry then ends the instance.
    is_running: bool,
    /// While it lives, the guest regularly checks whether it should go on.
    ticking: Option<Ticking>,
    /// For a call with its own bounds: those of the enclosing call.
    outer: Option<Box<Budget>>,
    watch: Stopwatch,
    /// For a nested entry: the loan from which it has the store.
    lease: u64,
}

impl Running {
    /// Creates a guest, and initialises it.
    pub(crate) async fn instantiate(seed: Seed, budget: Budget) -> Result<Arc<Running>> {
        let (store, begun) = seed.begin(budget).await?;
        begun?;
        let limits = &seed.options.limits;
        let is_simple = seed.kind.driver == Driver::Direct && limits.timeout.is_none() && limits.fuel.is_none();
        Ok(Arc::new(Running { seed, is_simple, store: Guarded(UnsafeCell::new(Kept::new(store))) }))
    }

    /// How its guest is run.
    #[inline]
    pub(crate) fn driver(&self) -> Driver {
        self.seed.kind.driver
    }

    /// What bounds a call that begins now.
    pub(crate) fn budget(&self, options: &CallOptions) -> Budget {
        Budget::of(options, &self.seed.options.limits)
    }

    /// Enters at once, for a call without bounds, if nobody has the instance and nothing prevents
    /// it.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "what is entered is then made in its place; to move it costs as much as the rest")]
    pub(crate) fn admit(&self, options: &CallOptions) -> Option<Admitted<'_>> {
        if self.is_simple
            && options.are_default()
            && budget::interrupt().is_none()
            && window::is_clear()
            && self.seed.lock.try_enter(thread_id())
        {
            if self.seed.life.is_fine() {
                return Some(Admitted(self));
            }
            self.seed.lock.leave();
        }
        None
    }

    /// Enters for a call that is bounded, that may have to wait, or that may be refused.
    pub(crate) async fn enter(&self, wait: Wait, budget: Budget) -> Result<Entered<'_>> {
        window::check()?;
        let driver = self.driver();
        let mut entered = self.come_in(wait, &budget).await?;
        if entered.entry == Entry::Nested && !entered.data().is_linked {
            return Err(unlinked());
        }
        // A caller that was cancelled while waiting gets that error, not that the instance has died
        // of it. Also, a call that was already cancelled does not begin.
        if budget.is_limited() {
            budget.look(driver)?;
        }
        self.seed.life.check()?;
        if entered.entry == Entry::Outer {
            // Calls within a call share the fuel of the outermost one.
            refuel(entered.store())?;
        }
        entered.bound(budget)?;
        Ok(entered)
    }

    async fn come_in(&self, wait: Wait, budget: &Budget) -> Result<Entered<'_>> {
        let lock = &self.seed.lock;
        let caller = if wait == Wait::Task { call_id() } else { thread_id() };
        if !lock.try_enter(caller) {
            match wait {
                Wait::Thread | Wait::Never if lock.is_lent_here() => {
                    let store = lock.borrow().ok_or_else(busy)?;
                    return Ok(Entered::new(self, store, Entry::Nested));
                }
                Wait::Thread if lock.is_owned_by(caller) => return Err(busy()),
                Wait::Thread => lock.enter(Driver::Direct, caller, budget).await?,
                Wait::Task if lock.would_wait_for_itself() => return Err(waits_for_itself()),
                Wait::Task => lock.enter(Driver::Fiber, caller, budget).await?,
                Wait::Never => return Err(taken()),
            }
        }
        Ok(Admitted(self).enter())
    }

    /// Enters by the channel of an awaited host function, with the store of the waiting guest.
    pub(crate) fn reenter(&self, store: &mut StoreContextMut<'_, State>, budget: Budget) -> Result<Entered<'_>> {
        if !store.data().is_linked {
            return Err(unlinked());
        }
        // SAFETY: only the lifetime changes. The caller, which is the host function's own future,
        // lends the store as long as it polls the user of this, which it drops before it goes on.
        let store = unsafe { std::mem::transmute::<StoreContextMut<'_, State>, StoreContextMut<'static, State>>(store.as_context_mut()) };
        let mut entered = Entered::new(self, store, Entry::Reentered);
        entered.bound(budget)?;
        Ok(entered)
    }

    /// Calls an export from a thread that waits for the result, which `then` lifts.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "what was called is then not moved")]
    pub(crate) fn call_here<R>(
        &self,
        arguments: &mut Arguments<'_, '_>,
        options: &CallOptions,
        then: impl FnOnce(Outcome<'_, '_>) -> Result<R>,
    ) -> Result<R> {
        arguments.check(self.seed.plugin.compiled())?;
        match self.admit(options) {
            Some(admitted) => arguments.run_here(admitted.enter(), then),
            None => self.call_within(Wait::Thread, arguments, self.budget(options), then),
        }
    }

    /// The same for a call that is bounded, that may have to wait, or that may be refused.
    #[cold]
    pub(crate) fn call_within<R>(
        &self,
        wait: Wait,
        arguments: &mut Arguments<'_, '_>,
        budget: Budget,
        then: impl FnOnce(Outcome<'_, '_>) -> Result<R>,
    ) -> Result<R> {
        self.hold(self.call(wait, arguments, budget, then))
    }

    /// Calls an export.
    pub(crate) async fn call<R>(
        &self,
        wait: Wait,
        arguments: &mut Arguments<'_, '_>,
        budget: Budget,
        then: impl FnOnce(Outcome<'_, '_>) -> Result<R>,
    ) -> Result<R> {
        arguments.check(self.seed.plugin.compiled())?;
        self.seed.life.check()?;
        let entered = self.enter(wait, budget).await?;
        arguments.run_in(entered, self.driver(), then).await
    }

    /// Runs a future to completion on this thread.
    pub(crate) fn hold<T>(&self, future: impl Future<Output = Result<T>>) -> Result<T> {
        if self.driver() == Driver::Direct {
            return at_once(future);
        }
        let done = hold_until(self.driver(), future, |cause| self.seed.life.interrupt(Some(cause)));
        self.seed.life.interrupt(None);
        done
    }

    /// Lets the guest's background goroutines run.
    pub(crate) async fn poll(&self, wait: Wait, budget: Budget) -> Result<()> {
        self.seed.life.check()?;
        let mut entered = self.enter(wait, budget).await?;
        let Some(poll) = entered.data().poll else { return Ok(()) };
        entered.run(self.driver(), Work::Poll(poll)).await.map(drop)
    }

    /// Reads or writes the guest's memory.
    pub(crate) async fn memory<R>(&self, wait: Wait, budget: Budget, code: impl FnOnce(&mut [u8]) -> Result<R>) -> Result<R> {
        self.seed.life.check()?;
        code(self.enter(wait, budget).await?.memory()?)
    }

    /// Makes the guest anew, as it was after its initialisation.
    pub(crate) async fn reset(&self, wait: Wait, budget: Budget) -> Result<()> {
        self.seed.life.check_process()?;
        window::check()?;
        let _leaving = self.come_in_alone(wait, &budget).await?;
        let (store, begun) = self.seed.begin(budget).await?;
        // SAFETY: this caller has the lock by an outer entry, so nobody has a reference to the
        // store.
        unsafe { *self.store.0.get() = Kept::new(store) };
        begun.inspect_err(|error| self.seed.life.end(error))
    }

    /// Frees the guest and its memory.
    pub(crate) async fn close(&self, wait: Wait) -> Result<()> {
        let _leaving = self.come_in_alone(wait, &Budget::default()).await?;
        self.seed.life.end(&Error::new(ErrorKind::DeadInstance, "it was closed"));
        let empty = self.seed.empty()?;
        // SAFETY: as in `reset`.
        unsafe { *self.store.0.get() = Kept::new(empty) };
        Ok(())
    }

    /// Enters from outside, to replace the store.
    async fn come_in_alone(&self, wait: Wait, budget: &Budget) -> Result<Leaving<'_>> {
        let entered = self.come_in(wait, budget).await?;
        if entered.entry != Entry::Outer {
            return Err(in_the_middle());
        }
        // Ending the entry would read the store, and record what a call has used.
        std::mem::forget(entered);
        Ok(Leaving(&self.seed.lock))
    }
}

/// Runs a future to completion on this thread, by the driver of this instance.
pub(crate) fn hold<T>(driver: Driver, future: impl Future<Output = Result<T>>) -> Result<T> {
    hold_until(driver, future, |_| ())
}

/// The same. If the host interrupts it, `interrupted` gets the cause before the future is dropped.
fn hold_until<T>(driver: Driver, future: impl Future<Output = Result<T>>, interrupted: impl Fn(&Error)) -> Result<T> {
    match driver {
        Driver::Direct => at_once(future),
        // Coroutines that share a stack move it away while others run, but timers on other threads
        // know a waiting future by its address.
        Driver::Fiber if window::has_coroutines() => task::run_here(Box::pin(future).as_mut(), interrupted),
        Driver::Fiber => task::run_here(pin!(future), interrupted),
    }
}

/// A caller that has the lock by an outer entry, and has to [`enter`](Admitted::enter) now.
#[must_use]
pub(crate) struct Admitted<'i>(&'i Running);

impl<'i> Admitted<'i> {
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "as `Running::admit`")]
    pub(crate) fn enter(self) -> Entered<'i> {
        // SAFETY: this caller has just become the lock's owner, so nobody else has a reference to
        // the store. The true lifetime is that of `Entered`, which borrows the instance and
        // releases the store when it is dropped.
        let store = unsafe { &mut *self.0.store.0.get() };
        Entered::new(self.0, store.as_context_mut(), Entry::Outer)
    }
}

/// Leaves the lock.
struct Leaving<'l>(&'l Lock);

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        self.0.leave();
    }
}

#[cold]
fn busy() -> Error {
    let text = "the instance is in the middle of a call of this thread, and can be called from within a host function only";
    Error::new(ErrorKind::Busy, text)
}

#[cold]
fn taken() -> Error {
    let text =
        "the instance is in the middle of an asynchronous call, which needs this thread to go on: await that one first, or await both";
    Error::new(ErrorKind::Busy, text)
}

#[cold]
fn waits_for_itself() -> Error {
    let text = "the instance is in the middle of a call of this thread, whose host function would wait for itself: call back without awaiting \
                (call_here), or make the host function asynchronous and await the call there";
    Error::new(ErrorKind::Busy, text)
}

#[cold]
pub(crate) fn in_the_middle() -> Error {
    Error::new(ErrorKind::Busy, "the instance is in the middle of a call, and can't be reset from within it")
}

/// The error for uses of the guest's exports or memory while its start section runs.
#[cold]
fn unlinked() -> Error {
    let text = "the instance is being made: what its start section calls can use neither its exports nor its memory";
    Error::new(ErrorKind::Busy, text)
}

impl<'i> Entered<'i> {
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "as `Running::admit`")]
    fn new(running: &'i Running, store: StoreContextMut<'static, State>, entry: Entry) -> Entered<'i> {
        let lease = running.seed.lock.lease();
        Entered {
            running,
            store: MaybeUninit::new(store),
            entry,
            is_running: false,
            ticking: None,
            outer: None,
            watch: Stopwatch::start(),
            lease,
        }
    }

    /// Whether the host function of a nested entry has returned, and the store with it: a coroutine
    /// was left in the middle, and the instance has ended.
    #[inline]
    fn is_stale(&self) -> bool {
        self.entry == Entry::Nested && self.running.seed.lock.lease() != self.lease
    }

    /// Bounds the call, within the bounds of the enclosing call, and makes the guest check whether
    /// it should go on.
    fn bound(&mut self, budget: Budget) -> Result<()> {
        let on_fiber = self.entry == Entry::Outer && self.running.driver() == Driver::Fiber;
        if on_fiber || budget.is_limited() || (self.running.driver() == Driver::Direct && budget::interrupt().is_some()) {
            self.ticking = Some(Ticking::start()?);
            self.store().set_epoch_deadline(1);
        }
        if budget.is_limited() || budget.caller.is_some() {
            let state = self.store().data_mut();
            let inner = budget.within(&state.wasi.budget);
            self.outer = Some(Box::new(std::mem::replace(&mut state.wasi.budget, inner)));
        }
        Ok(())
    }

    /// The store. A [stale](Entered::is_stale) entry must not use it.
    #[inline]
    pub(crate) fn store(&mut self) -> &mut StoreContextMut<'static, State> {
        assert!(!self.is_stale(), "a stale entry has no store");
        // SAFETY: it was written in `new`. The store lives: an outer entry has excluded everybody
        // else since then, including `reset`, and a nested one is within its host function, hence
        // within the outer one.
        unsafe { self.store.assume_init_mut() }
    }

    #[inline]
    fn store_ref(&self) -> &StoreContextMut<'static, State> {
        assert!(!self.is_stale(), "a stale entry has no store");
        // SAFETY: as in `store`.
        unsafe { self.store.assume_init_ref() }
    }

    #[inline]
    pub(crate) fn data(&self) -> &State {
        self.store_ref().data()
    }

    /// The guest's memory.
    pub(crate) fn memory(&mut self) -> Result<&mut [u8]> {
        let store = self.store();
        Ok(MemoryCache::write(store.data().guest.memory()?, store))
    }

    /// Runs guest code. An error ends the instance.
    async fn run(&mut self, driver: Driver, work: Work<'_, '_>) -> Result<u64> {
        self.is_running = true;
        let done = if driver == Driver::Fiber && self.data().wasi.budget.is_limited() {
            let budget = self.data().wasi.budget.clone();
            driver.bounded(&budget, work.run(driver, self.store())).await
        } else {
            work.run(driver, self.store()).await
        };
        self.is_running = false;
        done.inspect_err(|error| self.failed(error))
    }

    /// The same for a guest on its caller's stack.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "as `call_here`")]
    fn run_here(&mut self, work: Work<'_, '_>) -> Result<u64> {
        let done = work.run_here(self.store());
        if let Err(error) = &done {
            self.failed(error);
        }
        done
    }

    #[cold]
    fn failed(&mut self, error: &Error) {
        self.running.seed.life.kill(error);
        self.store().data_mut().wasi.sockets.close();
    }

    /// Calls an export. `then` lifts the result, on the thread where the host's objects may be
    /// used.
    pub(crate) async fn call<R>(
        &mut self,
        driver: Driver,
        export: usize,
        function: &Function,
        work: Work<'_, '_>,
        then: impl FnOnce(Outcome<'_, '_>) -> Result<R>,
    ) -> Result<R> {
        if driver == Driver::Direct {
            return self.call_here(export, function, work, then);
        }
        if self.entry == Entry::Outer {
            if self.running.seed.plugin.compiled().cpu_history.computes(export) {
                task::away().await;
            }
            let watch = self.watch;
            self.store().data_mut().fairness.begin(export, watch);
        }
        self.release(driver).await?;
        let raw = self.run(driver, work).await?;
        self.store().data_mut().refusals.check(function)?;
        let is_reentered = self.entry == Entry::Reentered;
        if !is_reentered {
            task::go_home().await;
            // Before the result is read, because its receiver may call the instance at once.
            if self.entry == Entry::Outer && self.store().data_mut().fairness.end() {
                task::give_turn().await;
            }
        }
        let outcome = Outcome { driver, store: self.store(), function, export, raw };
        // A call that has entered by a channel is polled on the stack of the waiting guest, and
        // others on their thread's own stack.
        let result = if is_reentered { driver.host(|| then(outcome)).await } else { then(outcome) };
        if !self.data().suspends {
            self.release(driver).await?;
        }
        result
    }

    /// Releases a large result that was lifted. Of an instance whose calls suspend, the next call
    /// does so: whoever has the result may call again at once, and is to find the instance free.
    async fn release(&mut self, driver: Driver) -> Result<()> {
        match self.store().data_mut().release.take() {
            Some((post, raw)) => self.run(driver, Work::Release(post, raw)).await.map(drop),
            None => Ok(()),
        }
    }

    /// The same for a guest on its caller's stack.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "what was called is then not moved")]
    pub(crate) fn call_here<R>(
        &mut self,
        export: usize,
        function: &Function,
        work: Work<'_, '_>,
        then: impl FnOnce(Outcome<'_, '_>) -> Result<R>,
    ) -> Result<R> {
        let raw = self.run_here(work)?;
        self.store().data_mut().refusals.check(function)?;
        let result = then(Outcome { driver: Driver::Direct, store: self.store(), function, export, raw });
        if self.data().release.is_some() {
            self.release_here()?;
        }
        result
    }

    #[cold]
    fn release_here(&mut self) -> Result<()> {
        let Some((post, raw)) = self.store().data_mut().release.take() else { return Ok(()) };
        self.run_here(Work::Release(post, raw)).map(drop)
    }
}

impl Drop for Entered<'_> {
    #[inline]
    fn drop(&mut self) {
        if self.entry == Entry::Outer && self.outer.is_none() && self.running.is_simple && !self.is_running {
            let memory = self.data().limiter.memory;
            self.running.seed.life.used(self.watch.ticks(), memory);
            self.running.seed.lock.leave();
        } else {
            self.leave();
        }
    }
}

impl Entered<'_> {
    /// Leaves a nested entry, a bounded call, a call on a fiber, or one that was dropped.
    #[cold]
    fn leave(&mut self) {
        if self.is_running && !std::thread::panicking() {
            self.running.seed.life.abandon();
        }
        if self.is_stale() {
            return;
        }
        if let Some(outer) = self.outer.take() {
            self.store().data_mut().wasi.budget = *outer;
        }
        match self.entry {
            Entry::Outer => {
                let store = self.store_ref();
                self.running.seed.life.used(self.watch.ticks(), store.data().limiter.memory);
                note_fuel(store);
                self.running.seed.lock.leave();
            }
            Entry::Nested => {
                // SAFETY: it was written in `new`, and only taken out here, at the end. It is not
                // stale, so its store lives.
                let store = unsafe { self.store.assume_init_read() };
                self.running.seed.lock.give_back(store);
            }
            Entry::Reentered => {}
        }
    }
}
