//! A running guest, and the right of one thread to be in it.

use std::cell::UnsafeCell;
use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::sync::Arc;

use wasmtime::{AsContextMut, Store, StoreContextMut, ValRaw};

use crate::abi::block::Block;
use crate::config::CallOptions;
use crate::config::budget::{self, Budget};
use crate::error::{Error, ErrorKind, Result};
use crate::guest::lifecycle::Lifecycle;
use crate::guest::lock::{Entry, Gate};
use crate::guest::memory_cache::MemoryCache;
use crate::guest::state::{State, enter};
use crate::instance::store::{Seed, note_fuel, refuel};
use crate::interface::Function;
use crate::platform::fork::Kept;
use crate::platform::stack;
use crate::platform::tsc::Stopwatch;
use crate::sched::ticker::Ticking;

/// What an instance is, behind its handle.
pub(crate) struct Running {
    pub(crate) seed: Seed,
    pub(crate) gate: Arc<Gate>,
    pub(crate) life: Arc<Lifecycle>,
    /// Whether no limit has to be seen to with each call.
    is_unlimited: bool,
    /// Touched only by who is through the gate.
    store: Guarded<Kept<Store<State>>>,
}

/// What is behind the gate.
struct Guarded<T>(UnsafeCell<T>);

// SAFETY: it is reached only by the gate's owner, one thread at a time, and so goes from thread to thread: through `Entered`, which exists once at a time for outer entries and
// hands the same store on for nested ones, on the same thread, and by `reset`.
unsafe impl<T: Send> Sync for Guarded<T> {}

/// Being in the instance: the right to use its store. Small, because each call moves it.
pub(crate) struct Entered<'i> {
    pub(crate) running: &'i Running,
    /// Not a plain reference: a nested entry that somebody keeps beyond its host function may be moved, or dropped, when the store is no more. It is stale then.
    store: MaybeUninit<StoreContextMut<'static, State>>,
    entry: Entry,
    /// While it lives, the guest looks now and then whether it should go on.
    ticking: Option<Ticking>,
    /// Of a call with a deadline or a token: the budget of the call around it.
    outer: Option<Box<Budget>>,
    watch: Stopwatch,
    /// Of a nested entry: the loan that it has the store from.
    lease: u64,
    /// The gate's owner is a thread, so this stays on it.
    _not_send: PhantomData<*mut ()>,
}

impl Running {
    /// Makes a guest, and initialises it.
    pub(crate) fn new(seed: Seed, budget: Budget) -> Result<Running> {
        stack::check()?;
        seed.check_stack()?;
        let (gate, life) = (seed.gate.clone(), seed.life.clone());
        let mut store = seed.store()?;
        // Nobody else knows the instance yet, so this does not wait; host functions expect it.
        gate.enter(&budget)?;
        let leaving = Leaving(&gate);
        come_up(&seed, &mut store, budget)?;
        drop(leaving);
        let limits = &seed.options.limits;
        let is_unlimited = limits.timeout.is_none() && limits.fuel.is_none();
        Ok(Running { seed, gate, life, is_unlimited, store: Guarded(UnsafeCell::new(Kept::new(store))) })
    }

    /// Comes in, or waits for it.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "what is entered is then made in its place; to move it costs as much as the rest")]
    pub(crate) fn enter(&self, options: &CallOptions) -> Result<Entered<'_>> {
        match self.admit(options) {
            Some(admitted) => Ok(admitted.enter()),
            None => self.enter_slowly(options),
        }
    }

    /// Comes in at once, for a call without bounds, if nobody is in and nothing speaks against it.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "as `enter`")]
    pub(crate) fn admit(&self, options: &CallOptions) -> Option<Admitted<'_>> {
        if self.is_unlimited && options.are_default() && budget::interrupt().is_none() && stack::is_clear() && self.gate.enter_at_once() {
            if self.life.is_fine() {
                return Some(Admitted(self));
            }
            self.gate.leave();
        }
        None
    }

    /// Comes in for a call that is bounded, that may have to wait, or that may be refused.
    #[cold]
    pub(crate) fn enter_slowly(&self, options: &CallOptions) -> Result<Entered<'_>> {
        self.enter_within(Budget::of(options, &self.seed.options.limits))
    }

    /// The same within that budget.
    pub(crate) fn enter_within(&self, budget: Budget) -> Result<Entered<'_>> {
        stack::check()?;
        let entry = self.gate.enter(&budget)?;
        let store = match entry {
            Entry::Outer => {
                // SAFETY: this thread has just become the gate's owner, so nobody else has a reference to the store; the lifetime is
                // that of `Entered` in truth, which borrows `self` and gives the store up when it is dropped.
                let store = unsafe { &mut *self.store.0.get() };
                Some(store.as_context_mut())
            }
            Entry::Nested => self.gate.take_inner(),
        };
        let Some(store) = store else { return Err(busy()) };
        let mut entered = Entered::new(self, store, entry);
        if entry == Entry::Nested && !entered.store_ref().data().is_linked {
            return Err(unlinked());
        }
        if entry == Entry::Outer {
            self.seed.check_stack()?;
        }
        if budget.is_limited() {
            // Who was cancelled while waiting should hear that, and not that the instance has died of it.
            budget.check()?;
        }
        self.life.check()?;
        // Calls within a call share the fuel of the outermost one.
        if self.seed.options.limits.fuel.is_some() && entered.entry == Entry::Outer {
            refuel(entered.store())?;
        }
        if budget.is_limited() {
            entered.limit(budget)?;
        } else if budget::interrupt().is_some() {
            entered.tick()?;
        }
        Ok(entered)
    }

    /// Makes the guest anew, as it was after its initialisation.
    pub(crate) fn reset(&self, options: &CallOptions) -> Result<()> {
        self.life.check_process()?;
        stack::check()?;
        self.seed.check_stack()?;
        let budget = Budget::of(options, &self.seed.options.limits);
        if self.gate.enter(&budget)? == Entry::Nested {
            return Err(Error::new(ErrorKind::Busy, "the instance is in the middle of a call, and can't be reset from within it"));
        }
        let _leaving = Leaving(&self.gate);
        let mut fresh = self.seed.store()?;
        self.life.begin();
        let unmade = Unmade(&self.life);
        let came_up = come_up(&self.seed, &mut fresh, budget).inspect_err(|error| self.life.end(error));
        std::mem::forget(unmade);
        // SAFETY: this thread is the gate's owner, and entered from outside: nobody has a reference to the store.
        unsafe { *self.store.0.get() = Kept::new(fresh) };
        came_up
    }
}

/// Who is through the gate, from outside, and has to [`enter`](Admitted::enter) now.
#[must_use]
pub(crate) struct Admitted<'i>(&'i Running);

impl<'i> Admitted<'i> {
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "as `Running::enter`")]
    pub(crate) fn enter(self) -> Entered<'i> {
        // SAFETY: this thread has just become the gate's owner, and this is made where it does: see `enter_within`.
        let store = unsafe { &mut *self.0.store.0.get() };
        Entered::new(self.0, store.as_context_mut(), Entry::Outer)
    }
}

/// Ends an instance whose guest was not made anew because of a panic: its store is still the old one.
struct Unmade<'l>(&'l Lifecycle);

impl Drop for Unmade<'_> {
    fn drop(&mut self) {
        self.0.kill(&Error::new(ErrorKind::Trap, "a panic of the host has ended the initialisation"));
    }
}

/// Leaves the gate.
pub(crate) struct Leaving<'g>(pub(crate) &'g Gate);

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        self.0.leave();
    }
}

/// Brings up a guest within that budget. The caller is through the gate.
pub(crate) fn come_up(seed: &Seed, store: &mut Store<State>, budget: Budget) -> Result<()> {
    let _ticking = Ticking::start()?;
    let watch = Stopwatch::start();
    budget.check()?;
    store.data_mut().wasi.budget = budget;
    seed.life.set_tier(store.data().ready.settings.flavor.tier);
    let came_up = seed.bring_up(store);
    store.data_mut().wasi.budget = Budget::default();
    seed.life.used(watch.ticks(), store.data().limiter.memory);
    note_fuel(&*store);
    came_up
}

#[cold]
fn busy() -> Error {
    let text = "the instance is in the middle of a call of this thread, and can be called from within a host function only";
    Error::new(ErrorKind::Busy, text)
}

/// The error for what needs the guest's exports or memory while its start section runs.
#[cold]
pub(crate) fn unlinked() -> Error {
    let text = "the instance is being made: what its start section calls can use neither its exports nor its memory";
    Error::new(ErrorKind::Busy, text)
}

#[cold]
pub(crate) fn stale() -> Error {
    Error::new(ErrorKind::Busy, "the result of a call from within a host function can be read only until that function returns")
}

impl<'i> Entered<'i> {
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "as `Running::enter`")]
    fn new(running: &'i Running, store: StoreContextMut<'static, State>, entry: Entry) -> Entered<'i> {
        let lease = running.gate.lease();
        Entered {
            running,
            store: MaybeUninit::new(store),
            entry,
            ticking: None,
            outer: None,
            watch: Stopwatch::start(),
            lease,
            _not_send: PhantomData,
        }
    }

    /// Whether the host function that a nested entry belongs to has returned, and the store with it.
    #[inline]
    pub(crate) fn is_stale(&self) -> bool {
        self.entry == Entry::Nested && self.running.gate.lease() != self.lease
    }

    /// Bounds the call, within the bounds of the call around it.
    #[cold]
    fn limit(&mut self, budget: Budget) -> Result<()> {
        self.tick()?;
        let state = self.store().data_mut();
        let inner = budget.within(&state.wasi.budget);
        self.outer = Some(Box::new(std::mem::replace(&mut state.wasi.budget, inner)));
        Ok(())
    }

    /// Has the guest look, from now on, whether it should go on.
    fn tick(&mut self) -> Result<()> {
        self.ticking = Some(Ticking::start()?);
        self.store().set_epoch_deadline(1);
        Ok(())
    }

    /// The store. Nobody may ask for it who is [stale](Entered::is_stale).
    #[inline]
    pub(crate) fn store(&mut self) -> &mut StoreContextMut<'static, State> {
        assert!(!self.is_stale(), "who is stale has no store");
        // SAFETY: it was written in `new`. The store lives: an outer entry has kept everybody else out since, `reset` included, and a nested one is within
        // its host function, hence within the outer one.
        unsafe { self.store.assume_init_mut() }
    }

    #[inline]
    pub(crate) fn store_ref(&self) -> &StoreContextMut<'static, State> {
        assert!(!self.is_stale(), "who is stale has no store");
        // SAFETY: as in `store`.
        unsafe { self.store.assume_init_ref() }
    }

    #[inline]
    pub(crate) fn data(&self) -> Result<&[u8]> {
        let store = self.store_ref();
        let memory = store.data().guest.memory;
        memory.map(|memory| MemoryCache::read(memory, store)).ok_or_else(no_memory)
    }

    pub(crate) fn data_mut(&mut self) -> Result<&mut [u8]> {
        let store = self.store();
        let memory = store.data().guest.memory;
        memory.map(|memory| MemoryCache::write(memory, store)).ok_or_else(no_memory)
    }

    #[inline]
    pub(crate) fn call(&mut self, export: usize, function: &Function, block: &mut Block<'_>) -> Result<u64> {
        let store = self.store();
        // The plugin is the one that the arguments were made for, so the number is one of its exports.
        let func = store.data().exports[export].0;
        let guest = store.data().guest;
        let abi = &function.abi;
        let address = guest.place(store, block, abi.spilled)?;
        // Room for what there is: to clear an array for the longest signature would cost as much as the rest of a small call.
        let (mut few, mut some, mut many);
        let raw = match abi.core_values() {
            n @ ..=4 => {
                few = [ValRaw::u64(0); 4];
                &mut few[..n]
            }
            n @ ..=17 => {
                some = [ValRaw::u64(0); 17];
                &mut some[..n]
            }
            n => {
                many = vec![ValRaw::u64(0); n];
                &mut many[..]
            }
        };
        if abi.spilled {
            raw[0] = ValRaw::u32(address);
        } else {
            for (raw, slot) in raw.iter_mut().zip(&abi.slots) {
                *raw = ValRaw::u64(block.load(*slot));
            }
        }
        enter(store, func, raw)?;
        Ok(abi.result.core_value(raw[0]))
    }
}

impl Drop for Entered<'_> {
    #[inline]
    fn drop(&mut self) {
        if self.entry == Entry::Outer && self.outer.is_none() && self.running.is_unlimited {
            let memory = self.store_ref().data().limiter.memory;
            self.running.life.used(self.watch.ticks(), memory);
            self.running.gate.leave();
        } else {
            self.leave();
        }
    }
}

impl Entered<'_> {
    /// Leaves a nested entry, or a call that was bounded.
    #[cold]
    fn leave(&mut self) {
        if self.is_stale() {
            return;
        }
        if let Some(outer) = self.outer.take() {
            self.store().data_mut().wasi.budget = *outer;
        }
        match self.entry {
            Entry::Outer => {
                let store = self.store_ref();
                self.running.life.used(self.watch.ticks(), store.data().limiter.memory);
                if store.data().fuel.is_some() {
                    note_fuel(store);
                }
                self.running.gate.leave();
            }
            Entry::Nested => {
                // SAFETY: it was written in `new`, and this, at the end, is the only place where it is taken out. It is not stale, so its store lives.
                let store = unsafe { self.store.assume_init_read() };
                self.running.gate.put_inner(store);
            }
        }
    }
}

fn no_memory() -> Error {
    Error::new(ErrorKind::InvalidPlugin, "the module exports no memory")
}
