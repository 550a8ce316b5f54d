//! The exports of a guest that every call needs, and its arena.

use wasmtime::{Func, StoreContextMut};

use crate::abi::block::Block;
use crate::abi::memory::{self, GuestMemory};
use crate::error::{Error, ErrorKind, Result};
use crate::guest::memory_cache::{MemoryCache, Values, all};
use crate::guest::state::State;

/// The guest's exports that every call needs.
#[derive(Clone, Copy, Default)]
pub(crate) struct Guest {
    pub(crate) memory: Option<Values>,
    pub(crate) realloc: Option<Func>,
    /// The address of the arena's two words.
    pub(crate) arena: Option<u32>,
}

impl Guest {
    /// Copies the block to a place in the guest, if no guest code has to run to find one; returns
    /// its address.
    pub(crate) fn place_at_once(
        self,
        store: &mut StoreContextMut<'_, State>,
        block: &mut Block<'_>,
        with_head: bool,
    ) -> Result<Option<u32>> {
        let size = block.placed_size(with_head)?;
        if size == 0 {
            block.write(&mut [], 0, with_head)?;
            return Ok(Some(0));
        }
        let data = MemoryCache::write(self.memory()?, store);
        let Some(address) = self.take_from_arena(data, size)? else { return Ok(None) };
        block.write(data, address, with_head)?;
        Ok(Some(address))
    }

    /// Copies the block to the place that the guest's `cabi_realloc` has provided.
    pub(crate) fn place_at(
        self,
        store: &mut StoreContextMut<'_, State>,
        block: &mut Block<'_>,
        with_head: bool,
        address: u32,
    ) -> Result<u32> {
        let size = block.placed_size(with_head)?;
        let data = all(self.memory()?, store);
        check_room(address, size, data)?;
        block.write(data, address, with_head)?;
        Ok(address)
    }

    pub(crate) fn realloc(self) -> Result<Func> {
        self.realloc.ok_or_else(|| Error::new(ErrorKind::InvalidPlugin, "the module exports no cabi_realloc"))
    }

    #[inline]
    pub(crate) fn memory(self) -> Result<Values> {
        self.memory.ok_or_else(|| Error::new(ErrorKind::InvalidPlugin, "the module exports no memory"))
    }

    /// See docs/abi.md, section 6.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "as `PlainCall::run`")]
    pub(crate) fn take_from_arena(self, data: &mut [u8], size: u32) -> Result<Option<u32>> {
        let Some(arena) = self.arena else { return Ok(None) };
        let words = GuestMemory::new(data).slice(arena, 1, 8, 4)?;
        let next = u64::from(memory::read_u32(words, 0)).next_multiple_of(8);
        let end = u64::from(memory::read_u32(words, 4));
        let taken = next + u64::from(size);
        if taken > end || end > data.len() as u64 {
            return Ok(None);
        }
        let at = arena as usize;
        // Not above `end`, so a u32.
        data[at..at + 4].copy_from_slice(&(taken as u32).to_le_bytes());
        Ok(Some(next as u32))
    }
}

/// Checks the result of the guest's `cabi_realloc`.
pub(crate) fn check_room(address: u32, size: u32, memory: &[u8]) -> Result<()> {
    if address & 7 == 0 && u64::from(address) + u64::from(size) <= memory.len() as u64 {
        return Ok(());
    }
    let text = format!("the guest's cabi_realloc gave address {address:#x} for {size} bytes, misaligned or outside its memory");
    Err(Error::new(ErrorKind::Trap, text))
}
