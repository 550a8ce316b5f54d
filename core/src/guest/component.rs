//! What a store has of a component: its functions, and the host's buffer in which values cross.
//!
//! A component's memories are its own: the engine lifts and lowers its values. So that everything
//! else works as it does for a module, the host keeps a buffer in place of the guest's memory.
//! Arguments are placed there, and read from there for the engine; what the engine returns is
//! written there, and lifted from there.

use wasmtime::StoreContextMut;
use wasmtime::component::Func;

use crate::abi::block::Block;
use crate::error::Result;
use crate::guest::state::State;

/// What a store has of a component.
pub(crate) struct Component {
    /// By the number of the plugin's export.
    pub(crate) exports: Vec<Func>,
    /// The buffer in place of a memory.
    pub(crate) values: Vec<u8>,
    /// Where the result of the last call begins, and how many calls it was nested in.
    result: Option<(u32, usize)>,
}

/// No value lies at address 0.
const FIRST: usize = 8;

impl Component {
    pub(crate) fn new(exports: Vec<Func>) -> Component {
        Component { exports, values: vec![0; FIRST], result: None }
    }
}

/// Where the next value will lie. Results of calls that are over go first.
pub(crate) fn mark(store: &mut StoreContextMut<'_, State>) -> usize {
    let depth = store.data().depth;
    let Some(component) = &mut store.data_mut().component else { return 0 };
    if let Some((_, at)) = component.result.take_if(|(of, _)| *of >= depth) {
        cut(store, at);
    }
    store.data().component.as_ref().map_or(0, |component| component.values.len())
}

/// Frees what was placed since that mark.
pub(crate) fn cut(store: &mut StoreContextMut<'_, State>, mark: usize) {
    let state = store.data_mut();
    if let Some(component) = &mut state.component {
        component.values.truncate(mark.max(FIRST));
        component.values.shrink_to(component.values.len().max(KEPT));
        state.limiter.generation += 1;
    }
}

/// Of the buffer, what is kept for the next call.
const KEPT: usize = 64 << 10;

/// Makes room for that many bytes; returns their address, a multiple of 8.
pub(crate) fn room(store: &mut StoreContextMut<'_, State>, size: u32) -> u32 {
    let at = mark(store).next_multiple_of(8);
    let state = store.data_mut();
    if let Some(component) = &mut state.component {
        component.values.resize(at + size as usize, 0);
        // The buffer may have moved.
        state.limiter.generation += 1;
    }
    at as u32
}

/// Places a block; returns its address.
pub(crate) fn place(store: &mut StoreContextMut<'_, State>, block: &mut Block<'_>, with_head: bool) -> Result<u32> {
    let size = block.placed_size(with_head)?;
    let address = if size == 0 { 0 } else { room(store, size) };
    let mut none = Vec::new();
    let values = store.data_mut().component.as_mut().map_or(&mut none, |component| &mut component.values);
    block.write(values, address, with_head)?;
    Ok(address)
}

/// Notes that the result of the running call begins there.
pub(crate) fn note_result(store: &mut StoreContextMut<'_, State>, at: usize) {
    // The caller's depth.
    let depth = store.data().depth.saturating_sub(1);
    if let Some(component) = &mut store.data_mut().component {
        component.result = Some((depth, at));
    }
}
