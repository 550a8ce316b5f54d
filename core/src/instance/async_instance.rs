//! A running copy of a plugin whose calls suspend instead of holding a thread.

mod arguments;
mod memory;

pub use arguments::AsyncArguments;

use std::fmt;
use std::pin::pin;
use std::ptr;
use std::sync::Arc;

use tokio::sync::{Mutex, OwnedMutexGuard, oneshot};
use wasmtime::{AsContextMut, Store, StoreContextMut};

use crate::abi::block::Block;
use crate::abi::value::{ToValue, Value};
use crate::call::fiber::{self, AsyncReturned, bounded, enter};
use crate::call::reentry::{Visit, is_outside_of, through, would_wait_for_itself};
use crate::config::CallOptions;
use crate::config::Lease;
use crate::config::Tier;
use crate::config::budget::Budget;
use crate::error::{Error, ErrorKind, Result};
use crate::guest::lifecycle::{Lifecycle, Usage};
use crate::guest::options::InstanceOptions;
use crate::guest::state::State;
use crate::instance::running::unlinked;
use crate::instance::store::{Seed, note_fuel, refuel};
use crate::interface::Function;
use crate::platform::fork::Kept;
use crate::platform::stack;
use crate::platform::tsc::Stopwatch;
use crate::plugin::Plugin;
use crate::sched::task::{self, run_here};
use crate::sched::ticker::Ticking;

impl Plugin {
    /// Makes an instance whose calls are futures, and runs its `_initialize` under the limits. Those of `call` are about the initialisation.
    ///
    /// Run the future, and those of its calls, as a task with a home (see [`spawn`](crate::spawn)), or on any executor of Rust.
    ///
    /// # Errors
    ///
    /// As [`instantiate`](Plugin::instantiate).
    pub async fn instantiate_async(&self, options: InstanceOptions, call: &CallOptions) -> Result<AsyncInstance> {
        self.check_reactor()?;
        let budget = Budget::of(call, &options.limits);
        AsyncInstance::within(Seed::new(self, options)?, budget).await
    }

    /// The same, on this thread: see [`AsyncInstance::call_here`].
    ///
    /// # Errors
    ///
    /// As [`instantiate`](Plugin::instantiate).
    pub fn instantiate_here(&self, options: InstanceOptions, call: &CallOptions) -> Result<AsyncInstance> {
        run_here(pin!(self.instantiate_async(options, call)))
    }
}

/// A running copy of a plugin whose calls suspend instead of holding a thread. Cheap to clone; clones are the same instance.
///
/// One call runs at a time, and others wait: first come, first served. What a call awaits may be dropped at any moment; a guest that had begun is
/// dead then.
#[derive(Clone)]
pub struct AsyncInstance(Arc<Inner>);

struct Inner {
    seed: Seed,
    store: Arc<Mutex<Kept<Store<State>>>>,
}

/// Ends an instance whose call is dropped before it is over.
struct Dropped<'l>(&'l Lifecycle);

impl Drop for Dropped<'_> {
    fn drop(&mut self) {
        self.0.kill(&crate::config::budget::cancelled());
    }
}

impl AsyncInstance {
    pub(crate) async fn within(seed: Seed, budget: Budget) -> Result<AsyncInstance> {
        stack::check()?;
        // An instance takes a while to make, and no loop should wait for it.
        task::away().await;
        let mut store = seed.store()?;
        come_up(&seed, &mut store, budget).await?;
        Ok(AsyncInstance(Arc::new(Inner { seed, store: Arc::new(Mutex::new(Kept::new(store))) })))
    }

    /// The plugin that it is a copy of.
    #[must_use]
    pub fn plugin(&self) -> &Plugin {
        &self.0.seed.plugin
    }

    /// The error that calls get once the instance has ended; `None` while it lives.
    #[must_use]
    pub fn dead(&self) -> Option<Error> {
        self.0.seed.life.dead()
    }

    /// What the last call used.
    #[must_use]
    pub fn usage(&self) -> Usage {
        self.0.seed.life.usage()
    }

    /// What the sandbox has denied this instance so far of the network, each thing once with the rule that would allow it; 64 of them at the most.
    #[must_use]
    pub fn denied(&self) -> Vec<String> {
        self.0.seed.denials.all()
    }

    /// Takes what the guest wrote to a captured standard output.
    #[must_use]
    pub fn take_stdout(&self) -> Vec<u8> {
        self.0.seed.streams.stdout.take()
    }

    /// Takes what the guest wrote to a captured standard error.
    #[must_use]
    pub fn take_stderr(&self) -> Vec<u8> {
        self.0.seed.streams.stderr.take()
    }

    /// Calls an export with [`Value`]s.
    ///
    /// # Errors
    ///
    /// As [`Instance::call`](crate::Instance::call).
    pub async fn call(&self, name: &str, args: &[Value], options: &CallOptions) -> Result<Value> {
        let arguments = AsyncArguments::of_values(self.plugin(), name, args)?;
        self.call_then(arguments, options, |returned| returned.lift(&ToValue)).await
    }

    /// Calls an export. Its result is given to `then`, at home, which lifts it.
    ///
    /// # Errors
    ///
    /// As [`Arguments::call`](crate::Arguments::call), and those of `then`.
    pub async fn call_then<R: Send + 'static>(
        &self,
        arguments: AsyncArguments,
        options: &CallOptions,
        then: impl FnOnce(AsyncReturned<'_, '_>) -> Result<R> + Send + 'static,
    ) -> Result<R> {
        let budget = Budget::of(options, &self.0.seed.options.limits);
        self.call_within(arguments, budget, options.within, then).await
    }

    /// Calls an export, and does not return before the call is over: it runs on this thread, which must be the instance's home. A host function that wants to be
    /// awaited can't be here: nobody would run the loop. `then` lifts the result.
    ///
    /// # Errors
    ///
    /// As [`call_then`](AsyncInstance::call_then), and `busy` while another call is under way, unless this comes from the host function that it runs.
    pub fn call_here<R>(
        &self,
        arguments: AsyncArguments,
        options: &CallOptions,
        then: impl FnOnce(AsyncReturned<'_, '_>) -> Result<R>,
    ) -> Result<R> {
        let (function, export, block) = self.check(arguments)?;
        let budget = Budget::of(options, &self.0.seed.options.limits);
        let gate = &self.0.seed.gate;
        if gate.is_mine() {
            let mut store = self.take_inner()?;
            let call = async {
                let dropped = Dropped(&self.0.seed.life);
                let result = fiber::call(&mut store, &function, export, block, budget, false, then).await;
                std::mem::forget(dropped);
                result
            };
            let result = run_here(pin!(call));
            gate.put_inner(store);
            return result;
        }
        let mut store = self.enter_here()?;
        budget.check_limits()?;
        run_here(pin!(self.call_in(&mut store, &function, export, block, budget, then)))
    }

    /// As [`poll`](AsyncInstance::poll), on this thread: see [`call_here`](AsyncInstance::call_here).
    ///
    /// # Errors
    ///
    /// As of [`poll`](AsyncInstance::poll), and `busy` while a call is under way.
    pub fn poll_here(&self, options: &CallOptions) -> Result<()> {
        drop(self.enter_here()?);
        run_here(pin!(self.poll(options)))
    }

    /// As [`reset`](AsyncInstance::reset), on this thread.
    ///
    /// # Errors
    ///
    /// As of [`reset`](AsyncInstance::reset), and `busy` while a call is under way.
    pub fn reset_here(&self, options: &CallOptions) -> Result<()> {
        drop(self.lock_here()?);
        run_here(pin!(self.reset(options)))
    }

    /// Lets go of the guest and its memory, for hosts whose collector would be late to do so. Later calls get `dead-instance`; a [`reset`](AsyncInstance::reset)
    /// brings it back.
    ///
    /// # Errors
    ///
    /// `busy` while a call is under way.
    pub fn close(&self) -> Result<()> {
        let mut store = self.lock_here()?;
        self.0.seed.life.end(&Error::new(ErrorKind::DeadInstance, "it was closed"));
        // One that no guest is in.
        *store = Kept::new(self.0.seed.store()?);
        Ok(())
    }

    /// Takes the instance, which whoever has it might need this thread to give back.
    fn lock_here(&self) -> Result<OwnedMutexGuard<Kept<Store<State>>>> {
        stack::check()?;
        let text =
            "the instance is in the middle of an asynchronous call, which needs this thread to go on: await that one first, or await both";
        self.0.store.clone().try_lock_owned().map_err(|_| Error::new(ErrorKind::Busy, text))
    }

    /// The store, for a call from within a host function that runs on this thread.
    fn take_inner(&self) -> Result<StoreContextMut<'static, State>> {
        stack::check()?;
        let text = "the instance is in the middle of a call of this thread";
        if !is_outside_of(&self.0.seed.gate) {
            return Err(Error::new(ErrorKind::Busy, text));
        }
        let gate = &self.0.seed.gate;
        let store = gate.take_inner().ok_or_else(|| Error::new(ErrorKind::Busy, text))?;
        if !store.data().is_linked {
            gate.put_inner(store);
            return Err(unlinked());
        }
        Ok(store)
    }

    fn enter_here(&self) -> Result<OwnedMutexGuard<Kept<Store<State>>>> {
        self.0.seed.life.check()?;
        self.lock_here()
    }

    /// The compiler that its code is from.
    #[must_use]
    pub fn tier(&self) -> Tier {
        self.0.seed.life.tier()
    }

    /// Takes the arguments apart, if they can be those of a call of this instance.
    fn check(&self, arguments: AsyncArguments) -> Result<(Arc<Function>, usize, Box<Block<'static>>)> {
        let AsyncArguments { plugin, export, function, block } = arguments;
        let own = &self.0.seed.plugin;
        if !ptr::eq(own.compiled(), plugin.compiled()) {
            let text = format!("the arguments are for a call of {}, and the instance is one of {}", plugin.name(), own.name());
            return Err(Error::new(ErrorKind::UnknownExport, text));
        }
        // What can't be placed in any guest is the caller's mistake, and does the instance no harm.
        block.placed_size(function.abi.spilled)?;
        self.0.seed.life.check()?;
        Ok((function, export, block))
    }

    pub(crate) async fn call_within<R: Send + 'static>(
        &self,
        arguments: AsyncArguments,
        budget: Budget,
        lease: Option<Lease>,
        then: impl FnOnce(AsyncReturned<'_, '_>) -> Result<R> + Send + 'static,
    ) -> Result<R> {
        let (function, export, block) = self.check(arguments)?;
        if let Some(door) = lease.and_then(|lease| self.0.seed.doors.find(lease)) {
            let visit = |sender: oneshot::Sender<Result<R>>| -> Visit {
                Box::new(move |store| {
                    Box::pin(async move {
                        let result = if store.data().is_linked {
                            fiber::call(store, &function, export, block, budget, true, then).await
                        } else {
                            Err(unlinked())
                        };
                        // Who does not wait any more does not need it.
                        drop(sender.send(result));
                    })
                })
            };
            return through(door, visit).await;
        }
        let mut store = self.enter(&budget).await?;
        // Nothing begins whose end was asked for: a short call would be over before anybody looked.
        budget.check_limits()?;
        self.call_in(&mut store, &function, export, block, budget, then).await
    }

    /// Runs an outermost call.
    async fn call_in<R>(
        &self,
        store: &mut Store<State>,
        function: &Function,
        export: usize,
        block: Box<Block<'static>>,
        budget: Budget,
        then: impl FnOnce(AsyncReturned<'_, '_>) -> Result<R>,
    ) -> Result<R> {
        if self.0.seed.plugin.compiled().cpu_history.computes(export) {
            task::away().await;
        }
        let _ticking = Ticking::start()?;
        let dropped = Dropped(&self.0.seed.life);
        let watch = Stopwatch::start();
        store.set_epoch_deadline(1);
        refuel(&mut *store)?;
        store.data_mut().turn.begin(export, watch);
        let result = fiber::call(&mut store.as_context_mut(), function, export, block, budget, false, then).await;
        self.0.seed.life.used(watch.ticks(), store.data().limiter.memory);
        note_fuel(&*store);
        std::mem::forget(dropped);
        result
    }

    /// Checks that this may wait for the instance, and enter it here.
    fn check_way(&self) -> Result<()> {
        stack::check()?;
        if would_wait_for_itself(&self.0.seed.gate) {
            let text = "the instance is in the middle of a call of this thread, whose host function would wait for itself: call back without awaiting                         (call_here), or make the host function asynchronous and await the call there";
            return Err(Error::new(ErrorKind::Busy, text));
        }
        Ok(())
    }

    /// Waits for the instance.
    async fn enter(&self, budget: &Budget) -> Result<OwnedMutexGuard<Kept<Store<State>>>> {
        self.check_way()?;
        let locked = bounded(budget, async { Ok(self.0.store.clone().lock_owned().await) }).await;
        let store = locked.map_err(|ended| match ended.kind() {
            ErrorKind::Timeout => {
                Error::new(ErrorKind::Timeout, format!("the instance was busy with another call for the whole time: {}", ended.message()))
            }
            _ => ended,
        })?;
        self.0.seed.life.check()?;
        Ok(store)
    }

    /// Gives the guest's background goroutines a turn: they run only while a call does. Does nothing for a guest without the SDK.
    ///
    /// # Errors
    ///
    /// `dead-instance`, and whatever ends the guest.
    pub async fn poll(&self, options: &CallOptions) -> Result<()> {
        let budget = Budget::of(options, &self.0.seed.options.limits);
        let mut store = self.enter(&budget).await?;
        let Some(poll) = store.data().poll else { return Ok(()) };
        let _ticking = Ticking::start()?;
        let dropped = Dropped(&self.0.seed.life);
        store.set_epoch_deadline(1);
        refuel(&mut **store)?;
        store.data_mut().wasi.budget = budget.clone();
        let polled = bounded(&budget, enter(&mut store.as_context_mut(), poll, &[], false)).await;
        store.data_mut().wasi.budget = Budget::default();
        std::mem::forget(dropped);
        polled.map(drop).inspect_err(|error| self.0.seed.life.end(error))
    }

    /// Makes the guest anew: see [`Instance::reset`](crate::Instance::reset).
    ///
    /// # Errors
    ///
    /// Whatever ends the initialisation, after which the instance is dead.
    pub async fn reset(&self, options: &CallOptions) -> Result<()> {
        if options.within.is_some_and(|lease| self.0.seed.doors.find(lease).is_some()) {
            return Err(Error::new(ErrorKind::Busy, "the instance is in the middle of a call, and can't be reset from within it"));
        }
        self.check_way()?;
        let budget = Budget::of(options, &self.0.seed.options.limits);
        let mut store = bounded(&budget, async { Ok(self.0.store.clone().lock_owned().await) }).await?;
        task::away().await;
        let mut fresh = self.0.seed.store()?;
        self.0.seed.life.begin();
        let dropped = Dropped(&self.0.seed.life);
        let came_up = come_up(&self.0.seed, &mut fresh, budget).await;
        std::mem::forget(dropped);
        *store = Kept::new(fresh);
        came_up.inspect_err(|error| self.0.seed.life.end(error))
    }
}

impl fmt::Debug for AsyncInstance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AsyncInstance({}{})", self.plugin().name(), if self.0.seed.life.cause().is_some() { ", dead" } else { "" })
    }
}

/// Brings up a guest within that budget.
pub(crate) async fn come_up(seed: &Seed, store: &mut Store<State>, budget: Budget) -> Result<()> {
    let _ticking = Ticking::start()?;
    let watch = Stopwatch::start();
    budget.check_limits()?;
    store.data_mut().wasi.budget = budget.clone();
    seed.life.set_tier(store.data().ready.settings.flavor.tier);
    let came_up = bounded(&budget, fiber::bring_up(seed, store)).await;
    store.data_mut().wasi.budget = Budget::default();
    seed.life.used(watch.ticks(), store.data().limiter.memory);
    note_fuel(&*store);
    came_up
}
