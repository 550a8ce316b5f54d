//! A cache of the address of guest memory. Asking Wasmtime takes ten dependent loads, and a call
//! asks twice.

use std::ptr::NonNull;
use std::slice;

use wasmtime::{AsContext, AsContextMut, Memory};

use crate::guest::state::State;

/// The address of the memory in one generation. Memory moves and grows only after the store's
/// limiter was told, which ends a generation.
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

    /// The guest's memory, while no guest code runs. `memory` is the exported one; a store has at
    /// most one.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "a comparison")]
    pub(crate) fn read(memory: Memory, store: &impl AsContext<Data = State>) -> &[u8] {
        let context = store.as_context();
        let state = context.data();
        if state.memory_cache.generation == state.limiter.generation {
            // SAFETY: the memory lay there in this generation, which has not ended, and stays as it
            // is for as long as the store is borrowed.
            return unsafe { slice::from_raw_parts(state.memory_cache.start.as_ptr(), state.memory_cache.len) };
        }
        ask(memory, store)
    }

    /// The same, mutable. Caches the address.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "a comparison")]
    pub(crate) fn write(memory: Memory, store: &mut impl AsContextMut<Data = State>) -> &mut [u8] {
        let mut context = store.as_context_mut();
        let state = context.data_mut();
        if state.memory_cache.generation != state.limiter.generation {
            note(memory, store);
            return memory.data_mut(store);
        }
        // SAFETY: as in `read`; the store is borrowed by nobody else.
        unsafe { slice::from_raw_parts_mut(state.memory_cache.start.as_ptr(), state.memory_cache.len) }
    }
}

#[cold]
fn ask(memory: Memory, store: &impl AsContext<Data = State>) -> &[u8] {
    memory.data(store)
}

#[cold]
fn note(memory: Memory, store: &mut impl AsContextMut<Data = State>) {
    let (data, state) = memory.data_and_store_mut(&mut *store);
    if let Some(start) = NonNull::new(data.as_mut_ptr()) {
        state.memory_cache = MemoryCache { start, len: data.len(), generation: state.limiter.generation };
    }
}
