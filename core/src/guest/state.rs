//! What a store carries: the guest's handles, its limits and its host functions; and how guest code is run.

use std::sync::Arc;

use wasmtime::{AsContext, Func, Memory, StoreContextMut, ValRaw};

use crate::abi::block::Block;
use crate::abi::memory::{self, GuestMemory};
use crate::call::host_call::HostFunction;
use crate::call::reentry::Doors;
use crate::call::words::Words;
use crate::compile::engine::Stack;
use crate::error::go_panic;
use crate::error::{Error, ErrorKind, Frame, Result};
use crate::guest::lifecycle::Lifecycle;
use crate::guest::limiter::Limiter;
use crate::guest::lock::Gate;
use crate::guest::memory_cache::MemoryCache;
use crate::guest::refusal::Refusals;
use crate::platform::stack;
use crate::plugin::linked::Ready;
use crate::sched::fairness::Turn;
use crate::wasi::context::{Host, Wasi};

/// The data of a store.
pub(crate) struct State {
    pub(crate) wasi: Wasi,
    pub(crate) limiter: Limiter,
    pub(crate) memory_cache: MemoryCache,
    pub(crate) guest: Guest,
    /// By the number of the plugin's export: the function, and its post-return function.
    pub(crate) exports: Vec<(Func, Option<Func>)>,
    /// Of an instance on fibers: where calls from its host functions come in, and the number of its pool.
    pub(crate) doors: Arc<Doors>,
    pub(crate) pool: u64,
    /// Of an instance on fibers: a large result that the guest may let go of, and the function that tells it.
    pub(crate) release: Option<(Func, u64)>,
    /// Of an instance on fibers.
    pub(crate) turn: Turn,
    /// By the number of the plugin's export, those of words that were called on a fiber.
    pub(crate) words: Vec<Option<Arc<Words>>>,
    /// What gives goroutines a turn.
    pub(crate) poll: Option<Func>,
    /// By the number of the plugin's import.
    pub(crate) host: Vec<Arc<dyn HostFunction>>,
    pub(crate) gate: Arc<Gate>,
    pub(crate) life: Arc<Lifecycle>,
    pub(crate) max_value: u64,
    /// What it is an instance of.
    pub(crate) ready: Arc<Ready>,
    /// What each call may use, if it is counted.
    pub(crate) fuel: Option<u64>,
    pub(crate) refusals: Refusals,
    /// How many calls into the guest are under way, one within the other.
    pub(crate) depth: u32,
    /// Whether the guest's handles are there. Before that, only its start section runs.
    pub(crate) is_linked: bool,
}

impl Host for State {
    fn wasi(&mut self) -> &mut Wasi {
        &mut self.wasi
    }

    fn memory(&self) -> Option<Memory> {
        self.guest.memory
    }

    fn resume(&mut self) {
        self.turn.resume();
    }
}

/// The guest's exports that every call needs.
#[derive(Clone, Copy, Default)]
pub(crate) struct Guest {
    pub(crate) memory: Option<Memory>,
    pub(crate) realloc: Option<Func>,
    /// The address of the arena's two words.
    pub(crate) arena: Option<u32>,
}

impl Guest {
    /// Finds room for the block in the guest and copies it there; gives its address.
    pub(crate) fn place(self, store: &mut StoreContextMut<'_, State>, block: &mut Block<'_>, with_head: bool) -> Result<u32> {
        if let Some(address) = self.place_at_once(store, block, with_head)? {
            return Ok(address);
        }
        let address = self.allocate(store, block.placed_size(with_head)?)?;
        self.place_at(store, block, with_head, address)
    }

    /// Finds room for so many bytes, of which there is one at the least; gives its address, a multiple of 8. All of it lies within the memory.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "as `PlainCall::run`")]
    pub(crate) fn find_room(self, store: &mut StoreContextMut<'_, State>, size: u32) -> Result<u32> {
        match self.take_from_arena(MemoryCache::write(self.memory()?, store), size)? {
            Some(address) => Ok(address),
            None => self.allocate_checked(store, size),
        }
    }

    /// The same where there is no room in the arena.
    #[cold]
    fn allocate_checked(self, store: &mut StoreContextMut<'_, State>, size: u32) -> Result<u32> {
        let address = self.allocate(store, size)?;
        check_room(address, size, self.memory()?.data(store))?;
        Ok(address)
    }

    /// Has the guest's `cabi_realloc` find room.
    #[cold]
    fn allocate(self, store: &mut StoreContextMut<'_, State>, size: u32) -> Result<u32> {
        let mut raw = Self::realloc_params(size).map(ValRaw::u32);
        enter(store, self.realloc()?, &mut raw)?;
        Ok(raw[0].get_u32())
    }

    /// As [`place`](Guest::place), if no code of the guest has to run for it.
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

    /// Copies the block to where the guest's `cabi_realloc` found room for it.
    pub(crate) fn place_at(
        self,
        store: &mut StoreContextMut<'_, State>,
        block: &mut Block<'_>,
        with_head: bool,
        address: u32,
    ) -> Result<u32> {
        let size = block.placed_size(with_head)?;
        let data = self.memory()?.data_mut(store);
        check_room(address, size, data)?;
        block.write(data, address, with_head)?;
        Ok(address)
    }

    /// The parameters of `cabi_realloc` for that many fresh bytes.
    pub(crate) fn realloc_params(size: u32) -> [u32; 4] {
        [0, 0, 8, size]
    }

    pub(crate) fn realloc(self) -> Result<Func> {
        self.realloc.ok_or_else(|| Error::new(ErrorKind::InvalidPlugin, "the module exports no cabi_realloc"))
    }

    #[inline]
    pub(crate) fn memory(self) -> Result<Memory> {
        self.memory.ok_or_else(|| Error::new(ErrorKind::InvalidPlugin, "the module exports no memory"))
    }

    /// See docs/abi.md, section 6.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "as `PlainCall::run`")]
    fn take_from_arena(self, data: &mut [u8], size: u32) -> Result<Option<u32>> {
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

/// Checks what the guest's `cabi_realloc` gave.
fn check_room(address: u32, size: u32, memory: &[u8]) -> Result<()> {
    if address & 7 == 0 && u64::from(address) + u64::from(size) <= memory.len() as u64 {
        return Ok(());
    }
    let text = format!("the guest's cabi_realloc gave address {address:#x} for {size} bytes, misaligned or outside its memory");
    Err(Error::new(ErrorKind::Trap, text))
}

/// Runs guest code. `raw` holds the parameters, and then the result.
pub(crate) fn enter(store: &mut StoreContextMut<'_, State>, func: Func, raw: &mut [ValRaw]) -> Result<()> {
    let mark = store.data().wasi.streams.stderr.total();
    let outermost = store.data().depth == 0;
    if outermost {
        store.data().wasi.sockets.denials.begin();
        store.data_mut().refusals.begin();
    }
    let stack = store.data().ready.settings.stack;
    let mut within = Within::begin(store);
    let mut call = || {
        // SAFETY: every function that comes here was found in this store, and its signature was compared with the interface when the plugin
        // was loaded (`signatures.rs`); `raw` has room for the parameters and for the result, whose types hold no references.
        unsafe { func.call_unchecked(&mut *within.store, raw) }
    };
    let result = if outermost {
        on_large_stack(stack, call)
    } else {
        // A nested call shares the outermost one's stack and Wasmtime's limit for it, so it must not change stacks.
        call()
    };
    within.has_returned = true;
    drop(within);
    let result = result.map_err(|error| classify(&error, &*store, mark));
    if result.is_err() {
        store.data_mut().wasi.sockets.close();
    }
    if outermost {
        // What ended the guest tells more than what became of its last words.
        return result.and(store.data().wasi.streams.finish());
    }
    result
}

/// A call of the guest that is under way.
struct Within<'s, 'c> {
    store: &'s mut StoreContextMut<'c, State>,
    has_returned: bool,
}

impl<'s, 'c> Within<'s, 'c> {
    fn begin(store: &'s mut StoreContextMut<'c, State>) -> Self {
        store.data_mut().depth += 1;
        Within { store, has_returned: false }
    }
}

impl Drop for Within<'_, '_> {
    #[inline]
    fn drop(&mut self) {
        self.store.data_mut().depth -= 1;
        if !self.has_returned {
            abandoned(self.store.data_mut());
        }
    }
}

/// A panic has come out of a call, of code of ours or of the engine: nobody knows in what state it has left the guest.
#[cold]
fn abandoned(state: &mut State) {
    state.life.kill(&Error::new(ErrorKind::Trap, "a panic of the host has ended the call"));
    state.wasi.sockets.close();
}

/// Runs code that enters the guest. On a thread with a small stack, guest code would run into its end, which kills the process: it gets a
/// stack of its own.
pub(crate) fn on_large_stack<R>(stack: Stack, code: impl FnOnce() -> R) -> R {
    stack::with_stack(native_stack(stack), code)
}

/// What a guest needs with such a stack: some for the host functions that it calls, on top of its own.
pub(crate) fn native_stack(stack: Stack) -> usize {
    stack.bytes() + (1 << 20)
}

/// What ended the guest, as an error.
#[cold]
pub(crate) fn classify(error: &wasmtime::Error, store: impl AsContext<Data = State>, mark: u64) -> Error {
    let store = store.as_context();
    let state = store.data();
    let frames = |error| frames(error, state.guest.memory.map_or(&[][..], |memory| memory.data(&store)), state.ready.imported);
    let stderr = state.wasi.streams.stderr.since(mark);
    if let Some(ended) = Error::from_wasmtime(error) {
        // What ended within an inner call has that one's.
        let ended =
            if ended.stderr().is_empty() { ended.with_stderr(stderr).with_denied(state.wasi.sockets.denials.take_last()) } else { ended };
        // Where it stood. What a host function raised has its own traceback.
        return if ended.kind() == ErrorKind::Timeout && ended.frames().is_empty() { ended.with_frames(frames(error)) } else { ended };
    }
    let exit = error.downcast_ref::<wasmtime_wasi::I32Exit>().map(|exit| exit.0);
    let trap = error.downcast_ref::<wasmtime::Trap>();
    // A plugin's Go runtime ends itself in this way and no other: an exit is the plugin's own, whatever it has printed.
    let gave_up = exit.is_none() && trap == Some(&wasmtime::Trap::UnreachableCodeReached);
    let report = if gave_up { state.wasi.streams.stderr.report(mark) } else { None };
    let ended = match (report, exit, trap) {
        (Some(report), ..) => {
            let panic = go_panic::parse(&report, &stderr);
            match state.limiter.exceeded() {
                Some(exceeded) if panic.kind() == ErrorKind::OutOfMemory => exceeded.with_frames(panic.frames().to_vec()),
                _ => panic,
            }
        }
        (_, Some(code), _) => Error::new(ErrorKind::Exit, format!("the guest called os.Exit({code})")).with_exit_code(code),
        (None, None, Some(wasmtime::Trap::StackOverflow)) => Error::new(
            ErrorKind::Trap,
            format!(
                "the guest's stack of {} KiB overflowed: is there a recursion without end? If not, the limit of the stack can be raised",
                state.ready.settings.stack.bytes() >> 10
            ),
        )
        .with_frames(frames(error)),
        (None, None, Some(wasmtime::Trap::OutOfFuel)) => {
            let fuel = state.fuel.unwrap_or_default();
            Error::new(ErrorKind::OutOfFuel, format!("the call used up its fuel, of which it had {fuel}")).with_frames(frames(error))
        }
        (None, None, Some(trap)) => Error::new(ErrorKind::Trap, trap.to_string()).with_frames(frames(error)),
        (None, None, None) => Error::new(ErrorKind::Trap, format!("{error:#}")),
    };
    ended.with_stderr(stderr).with_denied(state.wasi.sockets.denials.take_last())
}

/// The frames of a backtrace. A recursion without end has a hundred thousand of them, all alike: the innermost ones are enough.
fn backtrace(error: &wasmtime::Error) -> impl Iterator<Item = &wasmtime::FrameInfo> {
    const MOST: usize = 64;
    error.downcast_ref::<wasmtime::WasmBacktrace>().into_iter().flat_map(|trace| trace.frames()).take(MOST)
}

/// The same with the names that the module or Go has for them.
fn frames(error: &wasmtime::Error, memory: &[u8], imported: u32) -> Vec<Frame> {
    let mut backtrace = backtrace(error).peekable();
    // To look for the names takes a while.
    let names = backtrace.peek().and_then(|_| gowasm::GoNames::find(memory, imported));
    let name = |frame: &wasmtime::FrameInfo| {
        let of_go = names.as_ref().and_then(|names| names.of(frame.func_index()));
        of_go.or_else(|| frame.func_name()).map_or_else(|| format!("function {}", frame.func_index()), str::to_owned)
    };
    backtrace.map(|frame| Frame { function: name(frame), file: String::new(), line: 0 }).collect()
}
