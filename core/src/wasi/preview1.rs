//! What the functions of preview 1 share: the guest's memory as they are given it, and how they wait.

use std::future::Future;
use std::pin::pin;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use wasmtime::{AsContextMut as _, Caller};
use wasmtime_wasi::p1::wasi_snapshot_preview1::WasiSnapshotPreview1 as _;
use wasmtime_wasi::runtime::spawn_blocking;

use crate::abi::memory::{self, GuestMemory as Checked};
use crate::config::budget::Budget;
use crate::error::{Error, ErrorKind, Result};
use crate::guest::state::State;
use crate::wasi::descriptor::Waiting;
use crate::wasi::errno;

/// The module whose functions these are.
pub(crate) const MODULE: &str = "wasi_snapshot_preview1";

/// Bytes that one call carries at most: between two of them the guest looks whether it should go on.
pub(crate) const MOST: usize = 1 << 20;

/// Buffers that one call may name. POSIX has the same limit.
pub(crate) const MOST_BUFFERS: u32 = 1024;

/// Runs what waits on the thread, if at all. It is not run by Tokio: a function of the host that gets output may want a runtime of its own.
pub(crate) fn at_once<T>(work: impl Future<Output = wasmtime::Result<T>>) -> wasmtime::Result<T> {
    match pin!(work).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => done,
        Poll::Pending => unreachable!("waits on a thread block it"),
    }
}

impl Waiting {
    pub(crate) fn is_task(self) -> bool {
        self == Waiting::Task
    }

    /// Runs what the system has at once. A guest that runs on its caller's thread has that do it, which spares a hop to another one; one on a fiber may be on
    /// the thread of an event loop, which should not wait for a disk.
    pub(crate) async fn blocking<R: Send + 'static>(self, work: impl FnOnce() -> R + Send + 'static) -> R {
        match self {
            Waiting::Thread => work(),
            Waiting::Task => spawn_blocking(work).await,
        }
    }

    /// Runs what the system may take long for. Who waits for it does so no longer than the budget lasts: it goes on by itself then.
    pub(crate) async fn aside<R: Send + 'static>(self, budget: &Budget, work: impl FnOnce() -> R + Send + 'static) -> Result<R> {
        if self.is_task() || budget.pause().is_none() {
            return Ok(self.blocking(work).await);
        }
        let (done, result) = mpsc::sync_channel(1);
        let apart = move || drop(done.send(work()));
        thread::Builder::new().spawn(apart).map_err(|error| {
            let text = format!("the system gives no thread for an operation of the guest's that has a deadline: {error}");
            Error::new(ErrorKind::Trap, text)
        })?;
        loop {
            match result.recv_timeout(budget.pause().unwrap_or(Duration::from_secs(1))) {
                Ok(result) => return Ok(result),
                Err(RecvTimeoutError::Timeout) => budget.check()?,
                Err(RecvTimeoutError::Disconnected) => return Err(Error::new(ErrorKind::Trap, "an operation on a file has panicked")),
            }
        }
    }
}

/// The guest's memory, and all else.
pub(crate) fn parts<'c>(caller: &'c mut Caller<'_, State>) -> wasmtime::Result<(&'c mut [u8], &'c mut State)> {
    // While the start section runs, the state does not know the memory yet.
    match caller.data().guest.memory.or_else(|| caller.get_export("memory")?.into_memory()) {
        Some(memory) => {
            // What bounds copies into the host, for each call anew. wasmtime-wasi's own wrappers do the same.
            let fuel = caller.as_context_mut().hostcall_fuel();
            let (memory, state) = memory.data_and_store_mut(caller);
            state.wasi.set_hostcall_fuel(fuel);
            Ok((memory, state))
        }
        None => Err(Error::new(ErrorKind::Trap, "the guest calls WASI, but exports no memory").into_wasmtime()),
    }
}

/// An `iovec` or `ciovec`, and that it lies in the memory.
pub(crate) fn buffer(memory: &[u8], list: &[u8], number: u32) -> Result<(usize, usize)> {
    let (at, len) = (memory::read_u32(list, number * 8), memory::read_u32(list, number * 8 + 4));
    Checked::new(memory).slice(at, 1, len, 1)?;
    // Nothing may lie anywhere, also outside the memory.
    Ok(if len == 0 { (0, 0) } else { (at as usize, len as usize) })
}

/// Writes a count for the guest. The number that it gets as the function's result.
pub(crate) fn answer(memory: &mut [u8], at: i32, count: usize) -> i32 {
    if Checked::new(memory).slice(at as u32, 1, 4, 4).is_err() {
        return errno::FAULT;
    }
    // Bounded by MOST.
    memory[at as u32 as usize..][..4].copy_from_slice(&(count as u32).to_le_bytes());
    errno::SUCCESS
}
