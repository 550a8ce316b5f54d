//! WASI preview 1 over wasmtime-wasi: standard streams, and waiting that a deadline can end.

use std::io::Write as _;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime::{Caller, Linker};
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p1::{WasiP1Ctx, add_to_linker_async, add_to_linker_sync, wasi_snapshot_preview1};
use wasmtime_wasi::p2::pipe::MemoryInputPipe;
use wasmtime_wasi::p2::{OutputStream as P2OutputStream, Pollable, StreamResult};
use wasmtime_wasi::runtime::in_tokio;
use wasmtime_wasi::{FsPerms, WasiCtxBuilder};
use wiggle::GuestMemory;

use crate::abi::memory::{self, GuestMemory as Checked};
use crate::config::{InstanceOptions, Output, Sandbox};
use crate::error::{Error, ErrorKind, Result};
use crate::state::State;

pub(crate) const MODULE: &str = "wasi_snapshot_preview1";

/// The functions of preview 1. Any other import of its module is the host's to give.
#[rustfmt::skip]
pub(crate) const FUNCTIONS: [&str; 45] = [
    "args_get", "args_sizes_get", "clock_res_get", "clock_time_get", "environ_get", "environ_sizes_get", "fd_advise", "fd_allocate",
    "fd_close", "fd_datasync", "fd_fdstat_get", "fd_fdstat_set_flags", "fd_fdstat_set_rights", "fd_filestat_get", "fd_filestat_set_size",
    "fd_filestat_set_times", "fd_pread", "fd_prestat_dir_name", "fd_prestat_get", "fd_pwrite", "fd_read", "fd_readdir", "fd_renumber",
    "fd_seek", "fd_sync", "fd_tell", "fd_write", "path_create_directory", "path_filestat_get", "path_filestat_set_times", "path_link",
    "path_open", "path_readlink", "path_remove_directory", "path_rename", "path_symlink", "path_unlink_file", "poll_oneoff", "proc_exit",
    "proc_raise", "random_get", "sched_yield", "sock_accept", "sock_recv", "sock_send",
];

/// Bytes of standard error that are kept for the text of a panic: a goroutine trace is rarely longer.
const TAIL: usize = 64 << 10;

/// A guest's standard streams, as the host sees them.
pub(crate) struct Streams {
    pub(crate) stdout: Stream,
    pub(crate) stderr: Stream,
}

impl Streams {
    pub(crate) fn new(sandbox: &Sandbox) -> Streams {
        Streams { stdout: Stream::new(sandbox.stdout, false), stderr: Stream::new(sandbox.stderr, true) }
    }
}

/// Makes what an instance may reach.
pub(crate) fn context(name: &str, options: &InstanceOptions, streams: &Streams, fibers: bool) -> Result<WasiP1Ctx> {
    let (sandbox, limits) = (&options.sandbox, &options.limits);
    let mut builder = WasiCtxBuilder::new();
    // argv[0] is never absent: real libraries panic without it.
    builder.arg(name).args(&sandbox.args).envs(&sandbox.env);
    if let Some(memory) = limits.memory
        && !sandbox.env.iter().any(|(key, _)| key == "GOMEMLIMIT")
    {
        builder.env("GOMEMLIMIT", (memory / 10 * 9).to_string());
    }
    for (guest, dir) in &sandbox.dirs {
        let perms = if dir.readonly { FsPerms::ReadOnly } else { FsPerms::ReadWrite };
        builder.preopened_dir(&dir.path, guest, perms).map_err(|error| {
            let text = format!("the directory {} can't be given to the guest as {guest}: {error}", dir.path.display());
            Error::new(ErrorKind::Denied, text)
        })?;
    }
    builder.stdin(MemoryInputPipe::new(sandbox.stdin.clone()));
    builder.stdout(streams.stdout.clone()).stderr(streams.stderr.clone());
    // A guest that runs on its caller's thread may do its file operations there: that spares a hop to another thread for each. One on a fiber may be on the thread
    // of an event loop, which should not wait for a disk.
    builder.allow_blocking_current_thread(!fibers);
    Ok(builder.build_p1())
}

/// Gives the linker all of preview 1.
pub(crate) fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    add_to_linker_sync(linker, |state: &mut State| &mut state.wasi)?;
    linker.allow_shadowing(true);
    linker.func_wrap(MODULE, "poll_oneoff", poll_oneoff)?;
    linker.allow_shadowing(false);
    Ok(())
}

/// The same for instances on fibers, whose waits hold no thread.
pub(crate) fn link_async(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    add_to_linker_async(linker, |state: &mut State| &mut state.wasi)
}

/// `time.Sleep` and blocked reads end here. The wait lasts no longer than the patience of the call.
fn poll_oneoff(mut caller: Caller<'_, State>, subscriptions: i32, events: i32, count: i32, ready: i32) -> wasmtime::Result<i32> {
    let Some(memory) = caller.data().guest.memory.or_else(|| caller.get_export("memory")?.into_memory()) else {
        return Err(Error::new(ErrorKind::Trap, "the guest waits, but exports no memory").into_wasmtime());
    };
    let (bytes, state) = memory.data_and_store_mut(&mut caller);
    let patience = state.patience.clone();
    if count == 1
        && let Some(sleep) = Sleep::read(bytes, subscriptions as u32)
    {
        // wasmtime-wasi sleeps this case away on the thread, where nothing can end it.
        return patience.sleep(sleep.time).and_then(|()| sleep.wake(bytes, events as u32, ready as u32)).map_err(Error::into_wasmtime);
    }
    let mut bytes = GuestMemory::Unshared(bytes);
    let mut wait = pin!(wasi_snapshot_preview1::poll_oneoff(&mut state.wasi, &mut bytes, subscriptions, events, count, ready));
    loop {
        let Some(pause) = patience.pause() else { return in_tokio(wait) };
        // The timeout must be made within the runtime, so it is made by the future.
        if let Ok(done) = in_tokio(async { tokio::time::timeout(pause, wait.as_mut()).await }) {
            return done;
        }
        patience.check().map_err(Error::into_wasmtime)?;
    }
}

/// A subscription to a span of time. Layouts: `subscription` and `event` of preview 1.
struct Sleep {
    userdata: u64,
    time: Duration,
}

impl Sleep {
    const SUBSCRIPTION: u32 = 48;
    const EVENT: usize = 32;

    /// Reads the subscription at that address, if it is one to a span of time, and not to a moment or a descriptor.
    fn read(memory: &[u8], at: u32) -> Option<Sleep> {
        const CLOCK: u8 = 0;
        const ABSTIME: u16 = 1;
        let bytes = Checked::new(memory).slice(at, 1, Self::SUBSCRIPTION, 8).ok()?;
        let is_span = memory::read_u8(bytes, 8) == CLOCK && memory::read_u16(bytes, 40) & ABSTIME == 0;
        let time = Duration::from_nanos(memory::read_u64(bytes, 24));
        is_span.then(|| Sleep { userdata: memory::read_u64(bytes, 0), time })
    }

    /// Writes the event that says that the time has passed, and that it is the only one.
    fn wake(&self, memory: &mut [u8], event: u32, ready: u32) -> Result<i32> {
        Checked::new(memory).slice(event, 1, Self::EVENT as u32, 8)?;
        Checked::new(memory).slice(ready, 1, 4, 4)?;
        let mut bytes = [0; Self::EVENT];
        bytes[..8].copy_from_slice(&self.userdata.to_le_bytes());
        // Error, kind and flags are all zero: success, of a clock.
        memory[event as usize..event as usize + Self::EVENT].copy_from_slice(&bytes);
        memory[ready as usize..ready as usize + 4].copy_from_slice(&1_u32.to_le_bytes());
        Ok(0)
    }
}

/// One of the guest's output streams. Clones share it.
#[derive(Clone)]
pub(crate) struct Stream(Arc<Shared>);

struct Shared {
    state: Mutex<StreamState>,
    /// How many bytes were written in all. Beside the lock, because each call reads it.
    total: AtomicU64,
}

struct StreamState {
    output: Output,
    is_stderr: bool,
    captured: Vec<u8>,
    /// The last bytes that were written; only of standard error.
    tail: Vec<u8>,
}

impl Stream {
    fn new(output: Output, is_stderr: bool) -> Stream {
        let state = StreamState { output, is_stderr, captured: Vec::new(), tail: Vec::new() };
        Stream(Arc::new(Shared { state: Mutex::new(state), total: AtomicU64::new(0) }))
    }

    fn lock(&self) -> MutexGuard<'_, StreamState> {
        // The state is consistent after each statement, so a panic of another thread harms nothing.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what was captured.
    pub(crate) fn take(&self) -> Vec<u8> {
        std::mem::take(&mut self.lock().captured)
    }

    /// How many bytes were written so far: a mark for [`since`](Stream::since).
    pub(crate) fn total(&self) -> u64 {
        self.0.total.load(Ordering::Relaxed)
    }

    /// What was written since that mark; the end of it, where it was long.
    pub(crate) fn since(&self, mark: u64) -> String {
        let state = self.lock();
        let written = usize::try_from(self.total() - mark).unwrap_or(usize::MAX);
        let from = state.tail.len().saturating_sub(written);
        String::from_utf8_lossy(&state.tail[from..]).into_owned()
    }

    fn accept(&self, bytes: &[u8]) {
        let mut state = self.lock();
        self.0.total.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        if state.is_stderr {
            let excess = (state.tail.len() + bytes.len()).saturating_sub(2 * TAIL);
            if excess > 0 {
                // Cut to one tail at a time, not byte by byte.
                let cut = state.tail.len().min(excess + TAIL);
                state.tail.drain(..cut);
            }
            let from = bytes.len().saturating_sub(TAIL);
            state.tail.extend_from_slice(&bytes[from..]);
        }
        match state.output {
            Output::Discard => {}
            Output::Capture(limit) => {
                let room = limit.saturating_sub(state.captured.len()).min(bytes.len());
                state.captured.extend_from_slice(&bytes[..room]);
            }
            // A host whose own stream is closed should not end a guest that prints.
            Output::Inherit if state.is_stderr => drop(std::io::stderr().write_all(bytes)),
            Output::Inherit => {
                let mut stdout = std::io::stdout();
                drop(stdout.write_all(bytes).and_then(|()| stdout.flush()));
            }
        }
    }
}

impl IsTerminal for Stream {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Stream {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn P2OutputStream> {
        Box::new(self.clone())
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for Stream {
    async fn ready(&mut self) {}
}

impl P2OutputStream for Stream {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.accept(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(64 << 10)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        self.accept(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
