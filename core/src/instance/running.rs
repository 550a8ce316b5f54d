//! A running guest, and who may enter it.

use std::cell::UnsafeCell;
use std::pin::pin;
use std::sync::{Arc, Weak};

use wasmtime::{AsContextMut, Store, StoreContextMut};

use crate::call::invoke::Work;
use crate::call::outcome::Outcome;
use crate::config::CallOptions;
use crate::config::budget::{self, Budget};
use crate::error::{Error, ErrorKind, Result};
use crate::guest::lock::{Lock, call_id};
use crate::guest::state::State;
use crate::guest::waits::Child;
use crate::instance::arguments::Arguments;
use crate::instance::entry::{Entered, Entry};
use crate::instance::seed::{Seed, refuel};
use crate::interface::Side;
use crate::platform::fork::Kept;
use crate::platform::stack::thread_id;
use crate::platform::window;
use crate::sched::driver::{Driver, at_once};
use crate::sched::task;
use crate::wasi::http::message::{IncomingRequest, ResponseOutparam};

/// The instance behind its handles.
pub(crate) struct Running {
    pub(crate) seed: Seed,
    /// Whether calls run on their caller's stack, and no limit has to be checked with each of them.
    pub(super) is_simple: bool,
    /// Whether its guest has objects of which the host's program may have handles.
    pub(super) has_objects: bool,
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

impl Wait {
    /// A number for a call that begins now.
    fn caller(self) -> u64 {
        if self == Wait::Task { call_id() } else { thread_id() }
    }
}

impl Running {
    /// Creates a guest, and initialises it.
    pub(crate) async fn instantiate(seed: Seed, budget: Budget) -> Result<Arc<Running>> {
        let (store, begun) = seed.begin(budget).await?;
        begun?;
        let limits = &seed.options.limits;
        let is_simple = seed.kind.driver == Driver::Direct && limits.timeout.is_none() && limits.fuel.is_none();
        let interface = seed.plugin.interface();
        let has_objects = interface.is_some_and(|all| all.resources.iter().any(|resource| resource.ty.side == Side::Guest));
        let running = Arc::new(Running { seed, is_simple, has_objects, store: Guarded(UnsafeCell::new(Kept::new(store))) });
        let home: Weak<Running> = Arc::downgrade(&running);
        running.seed.handles.belong_to(home);
        Ok(running)
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
        self.enter_as(wait.caller(), wait, budget).await
    }

    /// The same for a caller of that number.
    async fn enter_as(&self, caller: u64, wait: Wait, budget: Budget) -> Result<Entered<'_>> {
        window::check()?;
        let driver = self.driver();
        let mut entered = self.come_in(caller, wait, &budget).await?;
        if entered.entry == Entry::Nested && !entered.data().is_linked {
            return Err(unlinked());
        }
        if entered.entry == Entry::Nested && entered.data().component.is_some() {
            return Err(one_at_a_time());
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

    async fn come_in(&self, caller: u64, wait: Wait, budget: &Budget) -> Result<Entered<'_>> {
        let lock = &self.seed.lock;
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
        if store.data().component.is_some() {
            return Err(one_at_a_time());
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
        self.call_for(0, wait, arguments, budget, then).await
    }

    /// The same on behalf of a caller that goes on only when this is over, by its number: 0 if
    /// there is none.
    pub(crate) async fn call_for<R>(
        &self,
        parent: u64,
        wait: Wait,
        arguments: &mut Arguments<'_, '_>,
        budget: Budget,
        then: impl FnOnce(Outcome<'_, '_>) -> Result<R>,
    ) -> Result<R> {
        arguments.check(self.seed.plugin.compiled())?;
        self.seed.life.check()?;
        let caller = wait.caller();
        let _child = Child::new(caller, parent);
        let entered = self.enter_as(caller, wait, budget).await?;
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

    /// Lets the guest answer a request of HTTP.
    pub(crate) async fn serve(&self, request: IncomingRequest, answer: ResponseOutparam, budget: Budget) -> Result<()> {
        self.seed.life.check()?;
        let mut entered = self.enter(Wait::Task, budget).await?;
        entered.run(self.driver(), Work::Serve(Box::new((request, answer)))).await.map(drop)
    }

    /// Lets the guest's background goroutines run.
    pub(crate) async fn poll(&self, wait: Wait, budget: Budget) -> Result<()> {
        self.seed.life.check()?;
        let mut entered = self.enter(wait, budget).await?;
        let Some(poll) = entered.data().poll else { return Ok(()) };
        entered.run(self.driver(), Work::Poll(poll)).await.map(drop)
    }

    /// Releases the guest's objects whose handles have ended, or leaves that to the call that runs.
    pub(crate) async fn release_objects(&self, wait: Wait, budget: Budget) -> Result<()> {
        if !self.seed.handles.has_ended() || self.seed.life.cause().is_some() {
            return Ok(());
        }
        match self.enter(wait, budget).await {
            Ok(mut entered) => entered.release_objects(self.driver()).await,
            Err(error) if error.kind() == ErrorKind::Busy => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Reads or writes the guest's memory.
    pub(crate) async fn memory<R>(&self, wait: Wait, budget: Budget, code: impl FnOnce(&mut [u8]) -> Result<R>) -> Result<R> {
        self.seed.life.check()?;
        let mut entered = self.enter(wait, budget).await?;
        if entered.data().component.is_some() {
            return Err(Error::new(ErrorKind::TypeMismatch, "a component's memory is its own: no address in it can be read or written"));
        }
        code(entered.memory()?)
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
        let entered = self.come_in(wait.caller(), wait, budget).await?;
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

/// The error for calls into a component from within its host functions: by the Component Model's
/// rules that would trap.
#[cold]
fn one_at_a_time() -> Error {
    Error::new(ErrorKind::Busy, "the instance is in the middle of a call, and a component can't be called again from within one")
}

/// The error for uses of the guest's exports or memory while its start section runs.
#[cold]
fn unlinked() -> Error {
    let text = "the instance is being made: what its start section calls can use neither its exports nor its memory";
    Error::new(ErrorKind::Busy, text)
}
