//! A cache of the address of guest memory. Asking Wasmtime takes ten dependent loads, and a call
//! asks twice.

use std::ptr::NonNull;
use std::slice;

use wasmtime::{AsContext, Memory, StoreContextMut};

use crate::guest::state::State;

/// Where a guest's values lie.
#[derive(Clone, Copy)]
pub(crate) enum Values {
    /// In the memory that a module exports.
    Memory(Memory),
    /// In the host's buffer for a component: see `component.rs`.
    Buffer,
}

impl Values {
    /// The memory of a module.
    pub(crate) fn memory(self) -> Option<Memory> {
        if let Values::Memory(memory) = self { Some(memory) } else { None }
    }
}

/// The address of the memory in one generation. Memory moves and grows only after the store's
/// limiter was told, which ends a generation; so does whatever changes a component's buffer.
#[derive(Clone, Copy)]
pub(crate) struct MemoryCache {
    start: NonNull<u8>,
    len: usize,
    /// The limiter's generation then.
    generation: u64,
}

// SAFETY: it points to memory of the store that it is kept in, and moves with it.
unsafe impl Send for MemoryCache {}
// SAFETY: what it points to is reached through a reference to the store alone.
unsafe impl Sync for MemoryCache {}

impl MemoryCache {
    /// Sentinel for "not cached yet". Generations are counted from 0, and would take centuries to
    /// reach this.
    pub(crate) const NONE: MemoryCache = MemoryCache { start: NonNull::dangling(), len: 0, generation: u64::MAX };

    /// The guest's memory, while no guest code runs. `values` are where a store has it: in one
    /// place for its whole life.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "a comparison")]
    pub(crate) fn read(values: Values, store: &impl AsContext<Data = State>) -> &[u8] {
        let context = store.as_context();
        let state = context.data();
        if state.memory_cache.generation == state.limiter.generation {
            // SAFETY: the memory lay there in this generation, which has not ended, and stays as it
            // is for as long as the store is borrowed.
            return unsafe { slice::from_raw_parts(state.memory_cache.start.as_ptr(), state.memory_cache.len) };
        }
        ask(values, store)
    }

    /// The same, mutable. Caches the address.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "a comparison")]
    pub(crate) fn write<'s>(values: Values, store: &'s mut StoreContextMut<'_, State>) -> &'s mut [u8] {
        let state = store.data_mut();
        if state.memory_cache.generation != state.limiter.generation {
            note(values, store);
            return all(values, store);
        }
        // SAFETY: as in `read`; the store is borrowed by nobody else.
        unsafe { slice::from_raw_parts_mut(state.memory_cache.start.as_ptr(), state.memory_cache.len) }
    }
}

#[cold]
fn ask(values: Values, store: &impl AsContext<Data = State>) -> &[u8] {
    match values {
        Values::Memory(memory) => memory.data(store),
        Values::Buffer => store.as_context().data().component.as_ref().map_or(&[], |component| &component.values),
    }
}

/// The same, mutable, without the cache.
#[cold]
pub(crate) fn all<'s>(values: Values, store: &'s mut StoreContextMut<'_, State>) -> &'s mut [u8] {
    match values {
        Values::Memory(memory) => memory.data_mut(store),
        Values::Buffer => buffer(store.data_mut()),
    }
}

fn buffer(state: &mut State) -> &mut [u8] {
    state.component.as_mut().map_or(&mut [], |component| &mut component.values)
}

#[cold]
fn note(values: Values, context: &mut StoreContextMut<'_, State>) {
    let (start, len) = match values {
        Values::Memory(memory) => {
            let data = memory.data_mut(&mut *context);
            (data.as_mut_ptr(), data.len())
        }
        Values::Buffer => {
            let data = buffer(context.data_mut());
            (data.as_mut_ptr(), data.len())
        }
    };
    let state = context.data_mut();
    if let Some(start) = NonNull::new(start) {
        state.memory_cache = MemoryCache { start, len, generation: state.limiter.generation };
    }
}
