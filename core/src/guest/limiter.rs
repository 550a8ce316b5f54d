//! Limits a guest's memory, and counts its growths.

use wasmtime::ResourceLimiter;

use crate::config::Limits;
use crate::error::{Error, ErrorKind};

/// Bytes of all memories, unless the limits say otherwise: what 32 bits address.
const MAX_MEMORY: u64 = 4 << 30;

/// Elements of all tables, unless the limits say otherwise.
const MAX_TABLE: usize = 4 << 20;

/// Counts and limits memory.
pub(crate) struct Limiter {
    max_memory: u64,
    max_table: usize,
    instances: usize,
    /// The last refusal, as a sentence.
    refused: Option<String>,
    /// Bytes of all memories.
    pub(crate) memory: u64,
    /// Elements of all tables.
    table: usize,
    /// How often memory was about to grow, whether or not it did. A value never repeats: as long as
    /// it stays the same, no memory has moved or grown. See `memory_cache.rs`.
    pub(crate) generation: u64,
    /// What the last growth has added if it was allowed, to be subtracted should it fail. Wasmtime
    /// reports a failure right after it has asked, except for memories with pages of one byte and
    /// tables with 64-bit indices, which the engine refuses.
    added_memory: u64,
    added_table: usize,
}

impl Limiter {
    pub(crate) fn new(limits: &Limits) -> Limiter {
        Limiter {
            max_memory: limits.memory.unwrap_or(MAX_MEMORY),
            max_table: limits.table.map_or(MAX_TABLE, |most| most as usize),
            instances: 1,
            refused: None,
            memory: 0,
            table: 0,
            generation: 0,
            added_memory: 0,
            added_table: 0,
        }
    }

    /// For a component, which has several modules.
    pub(crate) fn of_component(mut self) -> Limiter {
        /// More than a component of one language has, whose shims and adapters are counted, too.
        const MAX_INSTANCES: usize = 1000;
        self.instances = MAX_INSTANCES;
        self
    }

    pub(crate) fn exceeded(&self) -> Option<Error> {
        self.refused.clone().map(|text| Error::new(ErrorKind::OutOfMemory, text))
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        self.generation += 1;
        self.added_memory = 0;
        let added = desired.saturating_sub(current) as u64;
        let total = self.memory.saturating_add(added);
        if total > self.max_memory {
            self.refused = Some(format!("the guest wanted {total} bytes of memory; its limit is {} bytes", self.max_memory));
            return Ok(false);
        }
        let allowed = maximum.is_none_or(|max| desired <= max);
        if allowed {
            self.memory = total;
            self.added_memory = added;
        }
        Ok(allowed)
    }

    fn memory_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        self.generation += 1;
        self.memory -= std::mem::take(&mut self.added_memory);
        self.refused = Some(format!("the host has no more memory for the guest, which has {} bytes: {error:#}", self.memory));
        Ok(())
    }

    fn table_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        self.added_table = 0;
        let added = desired.saturating_sub(current);
        let total = self.table.saturating_add(added);
        if total > self.max_table {
            self.refused = Some(format!("the guest wanted tables of {total} elements; its limit is {}", self.max_table));
            return Ok(false);
        }
        let allowed = maximum.is_none_or(|max| desired <= max);
        if allowed {
            self.table = total;
            self.added_table = added;
        }
        Ok(allowed)
    }

    fn table_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        self.table -= std::mem::take(&mut self.added_table);
        self.refused = Some(format!("the host has no more memory for the guest's tables, which have {} elements: {error:#}", self.table));
        Ok(())
    }

    /// A store has one instance of the plugin's one module, or those of a component's modules.
    fn instances(&self) -> usize {
        self.instances
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: usize = 64 << 10;

    fn limited(memory: Option<u64>) -> Limiter {
        Limiter::new(&Limits { memory, table: Some(100), ..Limits::default() })
    }

    fn failed() -> wasmtime::Error {
        wasmtime::Error::msg("out of memory")
    }

    #[test]
    fn a_growth_that_failed_is_not_counted() {
        let mut limiter = limited(Some(10 * PAGE as u64));
        assert!(limiter.memory_growing(0, PAGE, None).is_ok_and(|allowed| allowed));
        for _ in 0..100 {
            assert!(limiter.memory_growing(PAGE, 9 * PAGE, None).is_ok_and(|allowed| allowed));
            assert!(limiter.memory_grow_failed(failed()).is_ok());
            assert_eq!(limiter.memory, PAGE as u64);
        }
        // Refusals by the memory's own maximum and by the limit: no failure follows either of them.
        assert!(limiter.memory_growing(PAGE, 9 * PAGE, Some(8 * PAGE)).is_ok_and(|allowed| !allowed));
        assert!(limiter.memory_growing(PAGE, usize::MAX, None).is_ok_and(|allowed| !allowed));
        assert!(limiter.memory_growing(PAGE, 10 * PAGE, None).is_ok_and(|allowed| allowed));
        assert_eq!(limiter.memory, 10 * PAGE as u64);
        for _ in 0..100 {
            assert!(limiter.table_growing(0, 90, None).is_ok_and(|allowed| allowed));
            assert!(limiter.table_grow_failed(failed()).is_ok());
        }
        assert!(limiter.table_growing(0, 100, None).is_ok_and(|allowed| allowed));
        assert!(limiter.table_growing(100, 101, None).is_ok_and(|allowed| !allowed));
    }

    #[test]
    fn no_generation_comes_twice() {
        let mut limiter = limited(None);
        let mut seen = std::collections::HashSet::from([limiter.generation]);
        // Growths that saturate, that fail, that are refused, and that restore the count.
        for (current, desired, fails) in
            [(0, PAGE, false), (PAGE, usize::MAX, false), (PAGE, 2 * PAGE, true), (PAGE, 2 * PAGE, false), (PAGE, PAGE, false)]
        {
            assert!(limiter.memory_growing(current, desired, None).is_ok());
            assert!(seen.insert(limiter.generation));
            if fails {
                assert!(limiter.memory_grow_failed(failed()).is_ok());
                assert!(seen.insert(limiter.generation));
            }
        }
    }

    #[test]
    fn all_memories_together_have_four_gibibytes_by_default() {
        let mut limiter = limited(None);
        for _ in 0..4 {
            assert!(limiter.memory_growing(0, 1 << 30, None).is_ok_and(|allowed| allowed));
        }
        assert!(limiter.memory_growing(0, PAGE, None).is_ok_and(|allowed| !allowed));
        let refused = limiter.exceeded().expect("it was refused");
        assert!(refused.message().contains("4295032832") && refused.message().contains("4294967296"), "{refused:?}");
    }
}
