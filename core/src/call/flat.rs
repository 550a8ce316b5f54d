//! Calls whose arguments are copied unchanged from the host's memory to the guest.

use wasmtime::{StoreContextMut, ValRaw};

use crate::call::invoke::{Callee, allocate, allocate_here, enter, enter_here};
use crate::error::Result;
use crate::guest::memory_cache::MemoryCache;
use crate::guest::state::State;
use crate::interface::Function;
use crate::sched::driver::Driver;

/// Arguments that are copied unchanged from the host's memory to the guest: see
/// [`PlainCall`](crate::host::PlainCall).
pub(crate) struct Flat<'w> {
    /// The core values; for a text or a list, its offset in the nested data.
    pub(crate) raw: &'w mut [ValRaw],
    /// Texts and lists, each with the index of the core value that points to it.
    pub(crate) nested: &'w [&'w [u8]],
    pub(crate) places: &'w [u8],
    /// The bytes of the nested data.
    pub(crate) size: u32,
}

impl Flat<'_> {
    /// Copies texts and lists to the guest, if no guest code has to run to find room.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "as `PlainCall::run`")]
    fn place_at_once(&mut self, store: &mut StoreContextMut<'_, State>) -> Result<bool> {
        if self.size == 0 {
            return Ok(true);
        }
        let guest = store.data().guest;
        let memory = MemoryCache::write(guest.memory()?, store);
        let Some(base) = guest.take_from_arena(memory, self.size)? else { return Ok(false) };
        self.copy(base, &mut memory[base as usize..]);
        Ok(true)
    }

    /// Copies them to the place that the guest's `cabi_realloc` has provided.
    #[cold]
    fn place_at(&mut self, store: &mut StoreContextMut<'_, State>, base: u32) -> Result<()> {
        let memory = store.data().guest.memory()?;
        self.copy(base, &mut MemoryCache::write(memory, store)[base as usize..]);
        Ok(())
    }

    /// Copies them to the target, whose address is `base`, and sets the pointers to them.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "as `PlainCall::run`")]
    fn copy(&mut self, base: u32, target: &mut [u8]) {
        for (bytes, place) in self.nested.iter().zip(self.places) {
            // `PlainCall::nest` has counted them in the same way.
            let pointer = &mut self.raw[usize::from(*place)];
            let start = pointer.get_u32();
            target[start as usize..start as usize + bytes.len()].copy_from_slice(bytes);
            *pointer = ValRaw::u32(base + start);
        }
    }
}

/// Places the arguments of an export and runs it; returns the core value of its result.
pub(super) async fn invoke_flat(
    driver: Driver,
    store: &mut StoreContextMut<'_, State>,
    export: usize,
    function: &Function,
    mut flat: Flat<'_>,
) -> Result<u64> {
    if !flat.place_at_once(store)? {
        let base = allocate(driver, store, flat.size).await?;
        flat.place_at(store, base)?;
    }
    enter(driver, store, Callee::Export(export, function), flat.raw).await?;
    Ok(function.abi.result.core_value(flat.raw[0]))
}

/// The same for a guest on its caller's stack.
#[inline(always)]
#[expect(clippy::inline_always, reason = "as `PlainCall::run`")]
pub(super) fn invoke_flat_here(
    store: &mut StoreContextMut<'_, State>,
    export: usize,
    function: &Function,
    mut flat: Flat<'_>,
) -> Result<u64> {
    if !flat.place_at_once(store)? {
        let base = allocate_here(store, flat.size)?;
        flat.place_at(store, base)?;
    }
    let func = store.data().exports[export].0;
    enter_here(store, func, flat.raw)?;
    Ok(function.abi.result.core_value(flat.raw[0]))
}
