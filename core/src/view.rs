//! Where a guest's memory lies. To ask Wasmtime takes ten loads, each of which waits for the one before, and a call asks twice.

use std::ptr::NonNull;
use std::slice;

use wasmtime::{AsContext, AsContextMut, Memory};

use crate::state::State;

/// Where the memory lay in a certain generation: it moves and grows only when a store's limiter hears of it first, and each time that it does, a generation ends.
#[derive(Clone, Copy)]
pub(crate) struct View {
    start: NonNull<u8>,
    len: usize,
    /// The limiter's generation at that time.
    generation: u64,
}

// SAFETY: it points to memory of the store that it is kept in, and moves with it.
unsafe impl Send for View {}
// SAFETY: what it points to is reached through a reference to the store alone.
unsafe impl Sync for View {}

impl View {
    /// Of no memory. Generations are counted from 0, and would take centuries to come to this.
    pub(crate) const NONE: View = View { start: NonNull::dangling(), len: 0, generation: u64::MAX };

    /// The guest's memory, as it is while nothing of the guest runs. `memory` is the one that it exports, of which a store has one at most.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "a comparison")]
    pub(crate) fn read(memory: Memory, store: &impl AsContext<Data = State>) -> &[u8] {
        let context = store.as_context();
        let state = context.data();
        if state.view.generation == state.limiter.generation {
            // SAFETY: the memory lay there in this generation, which has not ended, and stays as it is for as long as the store is borrowed.
            return unsafe { slice::from_raw_parts(state.view.start.as_ptr(), state.view.len) };
        }
        ask(memory, store)
    }

    /// The same, to be changed. Keeps where it is.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "a comparison")]
    pub(crate) fn write(memory: Memory, store: &mut impl AsContextMut<Data = State>) -> &mut [u8] {
        let mut context = store.as_context_mut();
        let state = context.data_mut();
        if state.view.generation != state.limiter.generation {
            note(memory, store);
            return memory.data_mut(store);
        }
        // SAFETY: as in `read`; the store is borrowed by nobody else.
        unsafe { slice::from_raw_parts_mut(state.view.start.as_ptr(), state.view.len) }
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
        state.view = View { start, len: data.len(), generation: state.limiter.generation };
    }
}
