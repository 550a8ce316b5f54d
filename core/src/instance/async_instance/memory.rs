//! The memory of a guest whose calls suspend, as its host reads and writes it.

use std::future::ready;

use tokio::sync::oneshot::Sender;
use wasmtime::{AsContextMut, StoreContextMut};

use super::AsyncInstance;
use crate::abi::access;
use crate::call::reentry::{Visit, through};
use crate::config::CallOptions;
use crate::config::budget::Budget;
use crate::error::Result;
use crate::guest::state::State;
use crate::instance::running::unlinked;

impl AsyncInstance {
    /// Reads guest memory: see [`Instance::read_memory`](crate::Instance::read_memory).
    ///
    /// # Errors
    ///
    /// `type-mismatch` when the bytes do not lie within the memory; `busy` while a call is under way, unless this comes from the host function that it runs;
    /// `dead-instance`.
    pub fn read_memory(&self, address: u32, len: u32) -> Result<Vec<u8>> {
        self.with_memory(|data| access::read(data, address, len))
    }

    /// Writes guest memory.
    ///
    /// # Errors
    ///
    /// As [`read_memory`](AsyncInstance::read_memory).
    pub fn write_memory(&self, address: u32, bytes: &[u8]) -> Result<()> {
        self.with_memory(|data| access::write(data, address, bytes))
    }

    /// Bytes of guest memory now.
    ///
    /// # Errors
    ///
    /// `busy`, `dead-instance`.
    pub fn memory_size(&self) -> Result<u64> {
        self.with_memory(|data| Ok(data.len() as u64))
    }

    /// Reads guest memory when no call is under way; from within a host function that is awaited, by its lease in `options`.
    ///
    /// # Errors
    ///
    /// `type-mismatch` when the bytes do not lie within the memory; `dead-instance`, `timeout`, `cancelled`.
    pub async fn read_memory_then(&self, address: u32, len: u32, options: &CallOptions) -> Result<Vec<u8>> {
        self.visit_memory(options, move |data| access::read(data, address, len)).await
    }

    /// Writes guest memory likewise.
    ///
    /// # Errors
    ///
    /// As [`read_memory_then`](AsyncInstance::read_memory_then).
    pub async fn write_memory_then(&self, address: u32, bytes: Vec<u8>, options: &CallOptions) -> Result<()> {
        self.visit_memory(options, move |data| access::write(data, address, &bytes)).await
    }

    /// Bytes of guest memory, asked likewise.
    ///
    /// # Errors
    ///
    /// `dead-instance`, `timeout`, `cancelled`.
    pub async fn memory_size_then(&self, options: &CallOptions) -> Result<u64> {
        self.visit_memory(options, |data| Ok(data.len() as u64)).await
    }

    async fn visit_memory<R: Send + 'static>(
        &self,
        options: &CallOptions,
        code: impl FnOnce(&mut [u8]) -> Result<R> + Send + 'static,
    ) -> Result<R> {
        let budget = Budget::of(options, &self.0.seed.options.limits);
        self.0.seed.life.check()?;
        if let Some(door) = options.within.and_then(|lease| self.0.seed.doors.find(lease)) {
            let visit = |sender: Sender<Result<R>>| -> Visit {
                Box::new(move |store| {
                    // Who does not wait any more does not need it.
                    drop(sender.send(memory_of(store).and_then(code)));
                    Box::pin(ready(()))
                })
            };
            return through(door, visit).await;
        }
        let mut store = self.enter(&budget).await?;
        memory_of(&mut store.as_context_mut()).and_then(code)
    }

    fn with_memory<R>(&self, code: impl FnOnce(&mut [u8]) -> Result<R>) -> Result<R> {
        let gate = &self.0.seed.gate;
        if gate.is_mine() {
            let mut store = self.take_inner()?;
            let result = memory_of(&mut store).and_then(code);
            gate.put_inner(store);
            return result;
        }
        let mut store = self.enter_here()?;
        memory_of(&mut store.as_context_mut()).and_then(code)
    }
}

fn memory_of<'s>(store: &'s mut StoreContextMut<'_, State>) -> Result<&'s mut [u8]> {
    if !store.data().is_linked {
        return Err(unlinked());
    }
    Ok(store.data().guest.memory()?.data_mut(store))
}
