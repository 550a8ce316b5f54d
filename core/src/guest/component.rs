//! What a store has of a component: its functions, and the host's buffer in which values cross.
//!
//! A component's memories are its own: the engine lifts and lowers its values. So that everything
//! else works as it does for a module, the host keeps a buffer in place of the guest's memory.
//! Arguments are placed there, and read from there for the engine; what the engine returns is
//! written there, and lifted from there.

use std::mem::{replace, take};
use std::sync::Arc;

use wasmtime::StoreContextMut;
use wasmtime::component::{Func, Resource, ResourceAny, TypedFunc};

use crate::abi::block::Block;
use crate::abi::component::direct::Returned;
use crate::abi::memory::GuestMemory;
use crate::error::Result;
use crate::guest::state::State;
use crate::interface::ResourceType;
use crate::wasi::http::message::{IncomingRequest, ResponseOutparam};

/// What a store has of a component.
pub(crate) struct Component {
    /// By the number of the plugin's export; none while it is initialised.
    pub(crate) exports: Vec<Func>,
    /// Of a server, what answers requests.
    pub(crate) handler: Option<Handler>,
    /// The buffer in place of a memory.
    pub(crate) values: Vec<u8>,
    /// What the guest has given the host of its objects.
    pub(crate) objects: Objects,
    /// The engine's handles of the host's objects that are lent for the call.
    pub(crate) lent: Vec<ResourceAny>,
    /// Handles of these in the results of the last calls, which the host's program has taken by now
    /// or never will.
    pub(crate) given: Vec<(Arc<ResourceType>, u32)>,
    /// How many handles a guest may have whose functions suspend.
    pub(crate) most_handles: Option<usize>,
    /// Bytes of the values that such a guest has given the host, for calls that are not answered.
    #[cfg(feature = "wasi-0-3")]
    pub(crate) unanswered: Arc<std::sync::atomic::AtomicUsize>,
    /// Another one, for the next call.
    spare: Vec<u8>,
}

/// The `handle` of `wasi:http/incoming-handler`.
pub(crate) type Handler = TypedFunc<(Resource<IncomingRequest>, Resource<ResponseOutparam>), ()>;

/// No value lies at address 0.
const FIRST: usize = 8;

impl Default for Component {
    fn default() -> Component {
        Component {
            exports: Vec::new(),
            handler: None,
            values: vec![0; FIRST],
            objects: Objects::default(),
            lent: Vec::new(),
            given: Vec::new(),
            most_handles: None,
            #[cfg(feature = "wasi-0-3")]
            unanswered: Arc::default(),
            spare: Vec::new(),
        }
    }
}

/// Objects of the guest, as the engine knows them. Their places are their representations.
#[derive(Default)]
pub(crate) struct Objects {
    all: Vec<Option<ResourceAny>>,
    free: Vec<u32>,
}

impl Objects {
    pub(crate) fn insert(&mut self, object: ResourceAny) -> u32 {
        if let Some(rep) = self.free.pop() {
            self.all[rep as usize] = Some(object);
            return rep;
        }
        self.all.push(Some(object));
        // The engine has fewer handles than that.
        (self.all.len() - 1) as u32
    }

    pub(crate) fn get(&self, rep: u32) -> Option<ResourceAny> {
        self.all.get(rep as usize).copied().flatten()
    }

    pub(crate) fn take(&mut self, rep: u32) -> Option<ResourceAny> {
        let object = self.all.get_mut(rep as usize)?.take()?;
        self.free.push(rep);
        Some(object)
    }
}

/// Where the next value will lie.
pub(crate) fn mark(store: &StoreContextMut<'_, State>) -> usize {
    store.data().component.as_ref().map_or(0, |component| component.values.len())
}

/// Takes the arguments of a call out of the buffer, which is empty then: what the last call has
/// returned was read.
pub(crate) fn take_arguments(store: &mut StoreContextMut<'_, State>) -> Vec<u8> {
    let state = store.data_mut();
    let Some(component) = &mut state.component else { return Vec::new() };
    state.limiter.generation += 1;
    component.spare.resize(FIRST, 0);
    replace(&mut component.values, take(&mut component.spare))
}

/// Returns their memory, for the arguments of the next call.
pub(crate) fn give_back(store: &mut StoreContextMut<'_, State>, mut arguments: Vec<u8>) {
    if let Some(component) = &mut store.data_mut().component {
        arguments.clear();
        arguments.shrink_to(KEPT);
        component.spare = arguments;
    }
}

/// Runs code with the buffer, and with the store beside it.
pub(crate) fn with_values<R>(
    store: &mut StoreContextMut<'_, State>,
    code: impl FnOnce(&mut StoreContextMut<'_, State>, GuestMemory<'_>) -> R,
) -> R {
    let values = store.data_mut().component.as_mut().map(|component| take(&mut component.values)).unwrap_or_default();
    let result = code(store, GuestMemory::new(&values));
    if let Some(component) = &mut store.data_mut().component {
        component.values = values;
    }
    result
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

/// Places what a call has returned; returns its address.
pub(crate) fn place_returned(store: &mut StoreContextMut<'_, State>, returned: Returned) -> u32 {
    let (address, size) = (room(store, returned.size()), returned.size() as usize);
    if let Some(component) = &mut store.data_mut().component {
        returned.place(address, &mut component.values[address as usize..address as usize + size]);
    }
    address
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
