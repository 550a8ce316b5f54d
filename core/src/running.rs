//! A running guest, and the right of one thread to be in it.

use std::cell::UnsafeCell;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use wasmtime::{AsContextMut, Func, Store, StoreContextMut, ValRaw};

use crate::abi::block::Block;
use crate::config::CallOptions;
use crate::engine::Ticking;
use crate::error::{Error, ErrorKind, Result};
use crate::gate::{Entry, Gate};
use crate::interface::Function;
use crate::patience::{self, Deadline, Patience};
use crate::plugin::Plugin;
use crate::state::{State, enter};
use crate::wasi::Streams;

/// What an instance is, behind its handle.
pub(crate) struct Running {
    pub(crate) plugin: Plugin,
    pub(crate) gate: Arc<Gate>,
    /// Touched only by who is through the gate.
    pub(crate) store: UnsafeCell<Store<State>>,
    pub(crate) exports: Vec<(Func, Option<Func>)>,
    pub(crate) poll: Option<Func>,
    pub(crate) streams: Arc<Streams>,
    pub(crate) timeout: Option<Duration>,
}

// SAFETY: the store is reached only through `Entered`, which exists once at a time for outer entries (the gate's owner) and hands the
// same store on for nested ones, on the same thread. Everything else in it is Sync.
unsafe impl Sync for Running {}

/// Being in the instance: the right to use its store. Small, because each call moves it.
pub(crate) struct Entered<'i> {
    pub(crate) running: &'i Running,
    store: Option<StoreContextMut<'static, State>>,
    entry: Entry,
    /// While it lives, the guest looks now and then whether it should go on.
    ticking: Option<Ticking>,
    /// Of a call with a deadline or a token: the patience of the call around it.
    outer: Option<Box<Patience>>,
    /// Of a nested entry: the loan that it has the store from.
    lease: u64,
    /// The gate's owner is a thread, so this stays on it.
    _not_send: PhantomData<*mut ()>,
}

impl Running {
    #[inline]
    pub(crate) fn enter(&self, options: &CallOptions) -> Result<Entered<'_>> {
        let deadline = options.timeout.or(self.timeout).map(Deadline::after);
        let patience = Patience::new(deadline, options.cancel.as_ref());
        let entry = self.gate.enter(&patience)?;
        let store = match entry {
            Entry::Outer => {
                // SAFETY: this thread has just become the gate's owner, so nobody else has a reference to the store; the lifetime is
                // that of `Entered` in truth, which borrows `self` and gives the store up when it is dropped.
                let store = unsafe { &mut *self.store.get() };
                Some(store.as_context_mut())
            }
            Entry::Nested => self.gate.take_inner(),
        };
        if store.is_none() {
            return Err(busy());
        }
        let mut entered =
            Entered { running: self, store, entry, ticking: None, outer: None, lease: self.gate.lease(), _not_send: PhantomData };
        if patience.is_limited() {
            // Who was cancelled while waiting should hear that, and not that the instance has died of it.
            patience.check()?;
        }
        if let Some(dead) = self.gate.dead() {
            return Err(dead);
        }
        if patience.is_limited() {
            entered.limit(patience)?;
        } else if patience::interrupt().is_some() {
            entered.tick()?;
        }
        Ok(entered)
    }

    pub(crate) fn initialize(&self, initialize: Option<Func>, realloc: Option<Func>, arena: Option<Func>) -> Result<()> {
        let mut entered = self.enter(&CallOptions::default())?;
        let store = entered.store();
        // An init function of Go may call the host, and be given strings.
        store.data_mut().guest.realloc = realloc;
        if let Some(initialize) = initialize {
            enter(store, initialize, &mut [])?;
        }
        if let Some(arena) = arena {
            let mut raw = [ValRaw::u32(0)];
            enter(store, arena, &mut raw)?;
            store.data_mut().guest.arena = Some(raw[0].get_u32());
        }
        Ok(())
    }
}

#[cold]
fn busy() -> Error {
    let text = "the instance is in the middle of a call of this thread, and can be called from within a host function only";
    Error::new(ErrorKind::Busy, text)
}

#[cold]
pub(crate) fn stale() -> Error {
    Error::new(ErrorKind::Busy, "the result of a call from within a host function can be read only until that function returns")
}

impl Entered<'_> {
    /// Whether the host function that a nested entry belongs to has returned, and the store with it.
    pub(crate) fn is_stale(&self) -> bool {
        self.entry == Entry::Nested && self.running.gate.lease() != self.lease
    }

    /// Bounds the call, within the bounds of the call around it.
    #[cold]
    fn limit(&mut self, patience: Patience) -> Result<()> {
        self.tick()?;
        let state = self.store().data_mut();
        let inner = patience.within(&state.patience);
        self.outer = Some(Box::new(std::mem::replace(&mut state.patience, inner)));
        Ok(())
    }

    /// Has the guest look, from now on, whether it should go on.
    fn tick(&mut self) -> Result<()> {
        self.ticking = Some(Ticking::start(self.running.plugin.compiled().engine)?);
        self.store().set_epoch_deadline(1);
        Ok(())
    }

    pub(crate) fn store(&mut self) -> &mut StoreContextMut<'static, State> {
        // Taken in `drop` only.
        self.store.as_mut().unwrap_or_else(|| unreachable!("the store is there until the end"))
    }

    pub(crate) fn store_ref(&self) -> &StoreContextMut<'static, State> {
        self.store.as_ref().unwrap_or_else(|| unreachable!("the store is there until the end"))
    }

    pub(crate) fn data(&self) -> Result<&[u8]> {
        let store = self.store_ref();
        let memory = store.data().guest.memory;
        memory.map(|memory| memory.data(store)).ok_or_else(no_memory)
    }

    pub(crate) fn data_mut(&mut self) -> Result<&mut [u8]> {
        let store = self.store();
        let memory = store.data().guest.memory;
        memory.map(|memory| memory.data_mut(store)).ok_or_else(no_memory)
    }

    pub(crate) fn call(&mut self, export: usize, function: &Function, block: &mut Block<'_>) -> Result<ValRaw> {
        let func = self.running.exports[export].0;
        let store = self.store();
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
        Ok(raw[0])
    }
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        if self.is_stale() {
            return;
        }
        if let (Some(outer), Some(store)) = (self.outer.take(), &mut self.store) {
            store.data_mut().patience = *outer;
        }
        match self.entry {
            Entry::Outer => {
                self.store = None;
                self.running.gate.leave();
            }
            Entry::Nested => {
                if let Some(store) = self.store.take() {
                    self.running.gate.put_inner(store);
                }
            }
        }
    }
}

fn no_memory() -> Error {
    Error::new(ErrorKind::InvalidPlugin, "the module exports no memory")
}
