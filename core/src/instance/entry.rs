//! The entry to a running guest, which all calls of an instance use.

use std::mem::MaybeUninit;

use wasmtime::StoreContextMut;

use crate::abi::block::Block;
use crate::abi::handles::Lent;
use crate::call::component_handles::forget_results;
use crate::call::invoke::Work;
use crate::call::outcome::Outcome;
use crate::config::budget::{self, Budget};
use crate::error::{Error, Result};
use crate::guest::memory_cache::MemoryCache;
use crate::guest::state::State;
use crate::instance::running::Running;
use crate::instance::seed::note_fuel;
use crate::interface::Function;
use crate::platform::tsc::Stopwatch;
use crate::sched::driver::{Driver, at_once};
use crate::sched::task;
use crate::sched::ticker::Ticking;

/// How a caller has entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entry {
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
    pub(super) entry: Entry,
    /// Whether guest code is running. Dropping the entry then ends the instance.
    is_running: bool,
    /// Whether handles were passed to the guest, which are to stay valid.
    is_passing: bool,
    /// While it lives, the guest regularly checks whether it should go on.
    ticking: Option<Ticking>,
    /// For a call with its own bounds: those of the enclosing call.
    outer: Option<Box<Budget>>,
    watch: Stopwatch,
    /// For a nested entry: the loan from which it has the store.
    lease: u64,
}

impl<'i> Entered<'i> {
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "as `Running::admit`")]
    pub(super) fn new(running: &'i Running, store: StoreContextMut<'static, State>, entry: Entry) -> Entered<'i> {
        let lease = running.seed.lock.lease();
        Entered {
            running,
            store: MaybeUninit::new(store),
            entry,
            is_running: false,
            is_passing: false,
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
    pub(super) fn bound(&mut self, budget: Budget) -> Result<()> {
        let on_fiber = self.entry == Entry::Outer && self.running.driver() == Driver::Fiber;
        if on_fiber || budget.is_limited() || (self.running.driver() == Driver::Direct && budget::interrupt().is_some()) {
            self.ticking = Some(Ticking::start()?);
            self.store().set_epoch_deadline(1);
        }
        if budget.is_limited() || budget.caller.is_some() || budget.pool != 0 {
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
    pub(super) async fn run(&mut self, driver: Driver, work: Work<'_, '_>) -> Result<u64> {
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
        self.store().data_mut().wasi.close();
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
        self.release_objects(driver).await?;
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

    /// Releases the guest's objects whose handles have ended: not from within another call, whose
    /// code may be using them.
    pub(super) async fn release_objects(&mut self, driver: Driver) -> Result<()> {
        if self.entry != Entry::Outer || self.is_passing || !self.running.has_objects {
            return Ok(());
        }
        forget_results(self.store());
        if !self.running.seed.handles.has_ended() {
            return Ok(());
        }
        for (resource, rep) in self.running.seed.handles.take_ended() {
            if self.data().component.is_some() {
                self.run(driver, Work::Destroy(rep)).await?;
            } else if let Some(Some(destructor)) = self.data().destructors.get(resource).copied() {
                self.run(driver, Work::Release(destructor, u64::from(rep))).await?;
            }
        }
        Ok(())
    }

    /// Releases what has ended, before handles are passed: one that another thread closes from now
    /// on stays valid until the call is over.
    pub(super) async fn begin_passing(&mut self, driver: Driver) -> Result<()> {
        self.release_objects(driver).await?;
        self.is_passing = true;
        Ok(())
    }

    /// Gives the guest the handles among the arguments. Returns those that end with the call.
    pub(crate) async fn pass(&mut self, driver: Driver, function: &Function, block: &mut Block<'_>) -> Result<Option<Lent>> {
        self.begin_passing(driver).await?;
        block.settle(function, &self.running.seed.handles).map_err(|error| error.in_function(&function.name))
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
        if self.running.has_objects && self.running.seed.handles.has_ended() {
            at_once(self.release_objects(Driver::Direct))?;
        }
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
