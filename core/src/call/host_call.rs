//! A guest's call of a host function: its arguments, and the host's code.

use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use wasmtime::{AsContextMut, StoreContextMut, ValRaw};

use crate::abi::joined::store_params;
use crate::abi::lift::{Lift, Lifting};
use crate::abi::memory::{self, GuestMemory};
use crate::abi::quota::Quota;
use crate::call::answer::put_result;
#[cfg(feature = "wasi-0-3")]
use crate::call::component::suspends;
use crate::call::invoke::place;
use crate::config::Lease;
use crate::config::budget::Caller;
use crate::error::{Error, ErrorKind, Result};
use crate::guest::host::{Answer, Deferred, HostCall, Import, Later};
use crate::guest::memory_cache::MemoryCache;
use crate::guest::reentry::{self, Channel};
use crate::guest::state::State;
use crate::interface::Function;
use crate::platform::window;
use crate::sched::driver::Driver;
use crate::sched::task;

/// Runs every import of a guest on a fiber.
pub(crate) async fn dispatch(
    import: &Import,
    number: usize,
    mut store: StoreContextMut<'_, State>,
    raw: &mut [MaybeUninit<ValRaw>],
) -> Result<()> {
    let host = store.data().host.get(number).clone();
    let mut later = Later::default();
    let lease = store.data().lease();
    let mut calls = Calls { import, store: &mut store, raw, later: &mut later, lease };
    let concluded =
        if host.at_home() { task::at_home(|| calls.with(|call| host.call(call))).await } else { calls.with(|call| host.call(call)) };
    concluded?;
    if let Some(deferred) = calls.later.deferred.take() {
        calls.answered_by(deferred).await?;
    }
    place_result(import, &mut store, raw, &mut later).await
}

/// Gives the guest the result for which it has to provide room.
pub(super) async fn place_result(
    import: &Import,
    store: &mut StoreContextMut<'_, State>,
    raw: &mut [MaybeUninit<ValRaw>],
    later: &mut Later,
) -> Result<()> {
    if let Some(mut block) = later.block.take() {
        place(Driver::Fiber, store, &mut block, false).await?;
        if import.function.abi.returns_by_pointer() {
            put_result(import, store, block.head(), raw)?;
        }
    }
    Ok(())
}

/// Runs every import of a guest on its caller's stack, whose answers can't be awaited.
pub(crate) fn dispatch_here(
    import: &Import,
    number: usize,
    store: StoreContextMut<'_, State>,
    raw: &mut [MaybeUninit<ValRaw>],
) -> Result<()> {
    // Not counted: that takes as long as the rest of a small call.
    // SAFETY: `HostFunctions` are never changed, so the function lives as long as the store, which
    // has it. The store lives until this has returned, because its guest has called this: that
    // call, further up this stack, has the store by a reference. Who replaces the store of an
    // instance (`reset`, `close`) has to have its lock by an outer entry, for which other threads
    // wait, and which host functions of this call are refused; and a coroutine that leaves this
    // call in the middle ends no call around it (`platform::window`).
    let host = unsafe { &*Arc::as_ptr(store.data().host.get(number)) };
    let mut later = Later::default();
    let mut call = HostCall { driver: Driver::Direct, import, store, raw, later: &mut later, lease: None, _not_send: PhantomData };
    window::outside(|| concluded(&mut call, |call| host.call(call)))
}

/// Runs the host's code, and gives its guest the answer. Both are done where the host's code runs,
/// because an error of the program's may have code that runs when it is dropped.
#[inline]
fn concluded(call: &mut HostCall<'_>, code: impl FnOnce(&mut HostCall<'_>) -> Result<()>) -> Result<()> {
    let result = caught(|| code(call));
    caught(|| call.conclude(result))
}

/// Runs the host's code, whose panic must not unwind through the guest's frames.
#[inline]
fn caught(code: impl FnOnce() -> Result<()>) -> Result<()> {
    catch_unwind(AssertUnwindSafe(code)).unwrap_or_else(|panic| Err(Error::from_panic("the host function", &*panic)))
}

/// Creates the [`HostCall`] for a guest on a fiber, each time that the host's code runs.
pub(super) struct Calls<'d, 'c> {
    pub(super) import: &'d Import,
    pub(super) store: &'d mut StoreContextMut<'c, State>,
    pub(super) raw: &'d mut [MaybeUninit<ValRaw>],
    pub(super) later: &'d mut Later,
    pub(super) lease: Option<Lease>,
}

impl Calls<'_, '_> {
    /// Runs the host's code, to the answer unless that is deferred.
    pub(super) fn with(&mut self, code: impl FnOnce(&mut HostCall<'_>) -> Result<()>) -> Result<()> {
        let Calls { import, store, raw, later, lease } = self;
        let store = store.as_context_mut();
        let mut call = HostCall { driver: Driver::Fiber, import, store, raw, later, lease: *lease, _not_send: PhantomData };
        concluded(&mut call, code)
    }

    /// Waits for the host's answer, and passes it to the guest. Meanwhile the host function may
    /// call the instance.
    async fn answered_by(&mut self, deferred: Deferred) -> Result<()> {
        // It may call another component whose functions suspend, which this one's event loop does
        // not allow.
        #[cfg(feature = "wasi-0-3")]
        let deferred: Deferred = if suspends(self.store) { Box::pin(task::outside(deferred)) } else { deferred };
        let answer = match self.lease {
            Some(lease) => {
                let channel = self.store.data().channels.open(lease.id);
                let (answer, has_waited) = task::noticing(wait(deferred, channel, self.store)).await;
                if has_waited {
                    self.store.data_mut().fairness.resume();
                    self.store.set_epoch_deadline(1);
                }
                answer
            }
            None => deferred.await,
        };
        task::at_home(|| self.with(|call| answer?(call))).await
    }
}

/// Waits for the host's answer, and admits calls back into the instance.
async fn wait(mut deferred: Deferred, mut channel: Channel, store: &mut StoreContextMut<'_, State>) -> Result<Answer> {
    loop {
        let entry = tokio::select! {
            biased;
            Some(entry) = channel.entries.recv() => entry,
            answer = &mut deferred => return answer,
        };
        entry(store).await;
    }
}

impl<'c> HostCall<'c> {
    /// The function that was called.
    #[must_use]
    pub fn function(&self) -> &'c Function {
        &self.import.function
    }
}

impl HostCall<'_> {
    /// Lifts the arguments, without the object of a method.
    ///
    /// # Errors
    ///
    /// Those of [`lift_bytes`](crate::host::lift_bytes), with the parameter's name in the path.
    pub fn args<L: Lift>(&mut self, lift: &L) -> Result<Vec<L::Value>> {
        self.read_args(|function, memory, bytes, quota| {
            let lifting = Lifting::new(memory, lift, quota);
            let one = |(param, offset): (&crate::interface::Field, &u32)| {
                lifting.value(&param.ty, bytes, *offset).map_err(|error| error.at(param.name.clone()))
            };
            function.params.iter().zip(&function.abi.params.offsets).skip(usize::from(function.is_method)).map(one).collect()
        })
    }

    /// Passes the arguments, as the record that all of them make, to what lifts them.
    pub(crate) fn read_args<R>(&mut self, lift: impl FnOnce(&Function, GuestMemory<'_>, &[u8], &Quota<'_>) -> Result<R>) -> Result<R> {
        let function = &*self.import.function;
        let abi = &function.abi;
        let memory = self.guest_memory();
        // Room for flat parameters in memory form: on the stack, unless there are very many.
        let (mut few, mut many) = ([0; 256], Vec::new());
        let bytes = if abi.spilled {
            memory.slice(raw_u64(self.raw, 0) as u32, 1, abi.params.size, abi.params.align)?
        } else {
            let size = abi.params.size as usize;
            let buffer = if size <= few.len() {
                &mut few[..size]
            } else {
                many.resize(size, 0);
                &mut many[..]
            };
            let values = (0..abi.slots.len()).map(|i| raw_u64(self.raw, i));
            if let Err(error) = store_params(function, buffer, values) {
                return Err(self.misfit(error));
            }
            buffer
        };
        let lifted = lift(function, memory, bytes, &self.quota());
        lifted.map_err(|error| self.misfit(error))
    }

    /// The first parameter, if that is a word of 32 bits, as a handle is.
    pub(crate) fn first_word(&self) -> Result<u32> {
        let abi = &self.import.function.abi;
        let word = raw_u64(self.raw, 0) as u32;
        if !abi.spilled {
            return Ok(word);
        }
        let bytes = self.guest_memory().slice(word, 1, abi.params.size, abi.params.align)?;
        Ok(memory::read_u32(bytes, 0))
    }

    #[inline]
    pub(crate) fn guest_memory(&self) -> GuestMemory<'_> {
        let memory = self.store.data().guest.memory;
        GuestMemory::new(memory.map_or(&[][..], |memory| MemoryCache::read(memory, &self.store)))
    }

    /// What the arguments may cost the host.
    #[inline]
    pub(crate) fn quota(&self) -> Quota<'_> {
        let state = self.store.data();
        let quota = match self.driver {
            Driver::Direct => Quota::within(state.max_value, &state.wasi.budget),
            Driver::Fiber => Quota::within_limits(state.max_value, &state.wasi.budget),
        };
        // The guest may pass objects of the host back.
        match self.import.function.own_params().iter().map(|param| &param.ty).find(|ty| ty.holds_handles()) {
            None => quota,
            given => quota.with_handles(&state.handles, given),
        }
    }

    /// How a call ends whose argument can't be lifted. If the import returns an error, the guest's
    /// code gets a type mismatch in this way.
    #[cold]
    pub(crate) fn misfit(&mut self, error: Error) -> Error {
        let error = self.store.data_mut().refusals.explain(error);
        if error.kind() != ErrorKind::TypeMismatch || !self.import.function.fallible {
            return error;
        }
        let error = error.in_function(&format!("{}.{}", self.import.module, self.import.function.name));
        Error::new(ErrorKind::HostError, error.to_string())
    }

    /// Runs the host's own code. Meanwhile, and only then, that may call the same instance, on this
    /// thread.
    ///
    /// Awaited calls of an asynchronous instance wait until the host function has deferred its
    /// answer.
    pub fn outside<R>(&mut self, code: impl FnOnce() -> R) -> R {
        outside(self.driver, &mut self.store, code)
    }

    /// Whether this call can [`defer`](HostCall::defer) its answer.
    #[must_use]
    pub fn is_async(&self) -> bool {
        self.lease.is_some()
    }

    /// The right to call back into the instance while the host function runs, for
    /// [`CallOptions::within`](crate::CallOptions). `None` for a call of an instance that is not
    /// asynchronous, where the thread that runs the host function has that right.
    #[must_use]
    pub fn lease(&self) -> Option<Lease> {
        self.lease
    }

    /// The [`Caller`](crate::host::Caller) of the asynchronous call from which this one comes.
    #[must_use]
    pub fn caller(&self) -> Option<&Caller> {
        self.store.data().wasi.budget.caller.as_ref()
    }

    /// Lets the guest wait, without a thread, until the future is done; its result then answers, at
    /// home. The host function returns meanwhile.
    ///
    /// # Errors
    ///
    /// `host-error` for a call of an instance that is not asynchronous.
    pub fn defer(&mut self, future: Deferred) -> Result<()> {
        if !self.is_async() {
            let text = "the host function is asynchronous, and the call is not: make the instance, or the pool, an asynchronous one";
            return Err(Error::new(ErrorKind::HostError, text));
        }
        self.later.deferred = Some(future);
        Ok(())
    }

    /// When the call ends, if it has a deadline.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.store.data().wasi.budget.deadline.map(|deadline| deadline.at)
    }
}

#[inline]
pub(crate) fn raw_u64(raw: &[MaybeUninit<ValRaw>], i: usize) -> u64 {
    // SAFETY: Wasmtime has written as many parameters as the signature has, which `signatures.rs`
    // compared with the interface; a core value is 16 bytes of plain data, of which the low bytes
    // hold the number, little-endian, whatever its type.
    unsafe { raw[i].assume_init_ref() }.get_u64()
}

/// Runs the host's own code, in the middle of a call of the guest.
pub(crate) fn outside<R>(driver: Driver, store: &mut StoreContextMut<'_, State>, code: impl FnOnce() -> R) -> R {
    let state = store.data();
    let _in_pool = (driver == Driver::Fiber).then(|| reentry::InPool::enter(state.pool_of_call()));
    let lock = state.lock.clone();
    let (result, in_order) = lock.lend(driver, store.as_context_mut(), code);
    if !in_order {
        let text = "its host functions have returned in another order than they were called in";
        store.data().life.kill(&Error::new(ErrorKind::Busy, text));
    }
    result
}
