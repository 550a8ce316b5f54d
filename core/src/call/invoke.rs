//! Running guest code: entering a function, placing a block, invoking an export.

use std::io;

use smallvec::{SmallVec, smallvec};
use wasmtime::{Func, StoreContextMut, Trap, Val, ValRaw};

use crate::abi::block::Block;
use crate::abi::joined;
use crate::call::component::{self, Failed};
use crate::call::flat::{Flat, invoke_flat, invoke_flat_here};
use crate::error::{Error, ErrorKind, Result};
use crate::guest::component::room;
use crate::guest::ended::classify;
use crate::guest::handles::check_room;
use crate::guest::memory_cache::MemoryCache;
use crate::guest::state::State;
use crate::guest::words::Words;
use crate::interface::{Function, MOST_WORDS, Slot, SlotKind};
use crate::platform::fiber::{self, FiberRef};
use crate::sched::driver::{Driver, at_once};
use crate::wasi::http::message::{IncomingRequest, ResponseOutparam};

/// A function of the guest.
#[derive(Clone, Copy)]
pub(crate) enum Callee<'f> {
    /// The export of that number.
    Export(usize, &'f Function),
    /// A function of the contract, with that many 32-bit parameters, and a 32-bit result if it has
    /// one.
    Contract { func: Func, params: usize, has_result: bool },
    /// The destructor of an object of a component.
    Destructor(u32),
    /// The whole program that a component is.
    Program(wasmtime::component::Func),
    /// What answers a request of HTTP: its numbers of the request, and of what it answers by.
    Handler(u32, u32),
}

impl Callee<'_> {
    /// A function without parameters and result.
    pub(crate) fn plain(func: Func) -> Callee<'static> {
        Callee::Contract { func, params: 0, has_result: false }
    }
}

/// Runs guest code. `raw` holds the parameters, and then the result.
pub(crate) async fn enter(driver: Driver, store: &mut StoreContextMut<'_, State>, callee: Callee<'_>, raw: &mut [ValRaw]) -> Result<()> {
    match driver {
        Driver::Direct => {
            let func = match callee {
                Callee::Export(number, _) => store.data().exports[number].0,
                Callee::Contract { func, .. } => func,
                // Components run on fibers.
                Callee::Destructor(_) | Callee::Program(_) | Callee::Handler(..) => return Ok(()),
            };
            enter_here(store, func, raw)
        }
        Driver::Fiber => {
            let entered = Entered::begin(store);
            let result = run_on_fiber(entered.store, callee, raw).await;
            if entered.end(result)? && store.data().wasi.streams.are_unfinished() {
                let streams = store.data().wasi.streams.clone();
                driver.host(move || streams.finish()).await?;
            }
            Ok(())
        }
    }
}

/// The same on this stack, or on a fiber that is like it: host functions are called from there.
#[inline]
pub(super) fn enter_here(store: &mut StoreContextMut<'_, State>, func: Func, raw: &mut [ValRaw]) -> Result<()> {
    let entered = Entered::begin(store);
    let mut call = |store: &mut StoreContextMut<'_, State>| {
        // SAFETY: every function that comes here was found in this store, and its signature was
        // compared with the interface when the plugin was loaded (`signatures.rs`); `raw` has room
        // for the parameters and for the result, whose types hold no references.
        unsafe { func.call_unchecked(&mut *store, raw) }
    };
    let result = if entered.is_outermost {
        // On a thread with a small stack, guest code would run into its end, which kills the
        // process.
        let needed = entered.store.data().settings.stack.native();
        match fiber::with_stack(needed, |fiber| outermost(entered.store, fiber, call)) {
            Ok(result) => result,
            Err(error) => return entered.end(Err(no_stack(&error).into_wasmtime())).map(drop),
        }
    } else {
        // A nested call shares the outermost one's stack and Wasmtime's limit for it.
        match entered.store.data().fiber {
            None => call(entered.store),
            Some(fiber) => fiber.enter(|| call(entered.store)).unwrap_or_else(|| Err(Trap::StackOverflow.into())),
        }
    };
    let streams = if entered.end(result)? { &store.data().wasi.streams } else { return Ok(()) };
    if streams.are_unfinished() { streams.finish() } else { Ok(()) }
}

/// Runs guest code. Calls from within its host functions find the fiber on which it runs.
#[inline(always)]
#[expect(clippy::inline_always, reason = "nothing but a call, most often")]
fn outermost<R>(
    store: &mut StoreContextMut<'_, State>,
    fiber: Option<FiberRef>,
    call: impl FnOnce(&mut StoreContextMut<'_, State>) -> R,
) -> R {
    if fiber.is_none() {
        return call(store);
    }
    store.data_mut().fiber = fiber;
    let result = call(store);
    store.data_mut().fiber = None;
    result
}

/// The error if the system provides no memory for a stack.
#[cold]
pub(crate) fn no_stack(error: &io::Error) -> Error {
    Error::new(
        ErrorKind::Trap,
        format!("the guest needs a stack of its own, since its caller's is too small, and the system gives none: {error}"),
    )
}

/// Running guest code.
struct Entered<'s, 'c> {
    store: &'s mut StoreContextMut<'c, State>,
    /// How much the guest had written to its standard error before.
    mark: u64,
    is_outermost: bool,
    has_returned: bool,
}

impl<'s, 'c> Entered<'s, 'c> {
    #[inline]
    fn begin(store: &'s mut StoreContextMut<'c, State>) -> Self {
        let state = store.data_mut();
        let mark = state.wasi.streams.stderr.total();
        let is_outermost = state.depth == 0;
        if is_outermost {
            state.wasi.sockets.access.denials.begin();
        }
        state.refusals.begin();
        state.depth += 1;
        Entered { store, mark, is_outermost, has_returned: false }
    }

    /// Returns whether it was the outermost call, whose unfinished lines have to be passed on. An
    /// error that ended the guest takes precedence over one of these.
    #[inline]
    fn end(mut self, result: wasmtime::Result<()>) -> Result<bool> {
        self.has_returned = true;
        match result {
            Ok(()) => Ok(self.is_outermost),
            Err(error) => Err(self.failed(&error)),
        }
    }

    #[cold]
    fn failed(&mut self, error: &wasmtime::Error) -> Error {
        let ended = classify(error, &*self.store, self.mark);
        self.store.data_mut().wasi.close();
        if self.is_outermost {
            drop(self.store.data().wasi.streams.finish());
        }
        ended
    }
}

impl Drop for Entered<'_, '_> {
    #[inline]
    fn drop(&mut self) {
        self.store.data_mut().depth -= 1;
        if !self.has_returned {
            abandoned(self.store.data_mut());
        }
    }
}

/// The guest was left in the middle and can't go on: our code or the engine has panicked, or the
/// future was dropped, in which case the dropper has recorded why.
#[cold]
fn abandoned(state: &mut State) {
    state.fiber = None;
    if std::thread::panicking() {
        state.life.kill(&Error::new(ErrorKind::Trap, "a panic of the host has ended the call"));
    }
    state.wasi.close();
}

async fn run_on_fiber(store: &mut StoreContextMut<'_, State>, callee: Callee<'_>, raw: &mut [ValRaw]) -> wasmtime::Result<()> {
    const WORD: Slot = Slot { offset: 0, kind: SlotKind::I32 };
    let (func, slots, result) = match callee {
        Callee::Export(number, function) if store.data().component.is_some() => {
            return component::call(store, number, function, raw).await.map_err(Failed::into_wasmtime);
        }
        Callee::Program(run) => return component::run(store, run).await.map_err(Failed::into_wasmtime),
        Callee::Handler(request, answer) => return component::handle(store, request, answer).await.map_err(Failed::into_wasmtime),
        Callee::Export(number, function) => {
            let abi = &function.abi;
            if abi.is_words() {
                let count = abi.param_count();
                let mut words = [0; MOST_WORDS];
                for (word, raw) in words.iter_mut().zip(&raw[..count]) {
                    *word = raw.get_i32();
                }
                let result = words_of(store, number, count, abi.result.size > 0)?.call(store, &words[..count]).await?;
                raw[0] = ValRaw::i32(result);
                return Ok(());
            }
            let slots = if abi.spilled { &[WORD][..] } else { &abi.slots };
            let result = if abi.result.size == 0 { None } else { Some(abi.result.flat.map_or(SlotKind::I32, |slot| slot.kind)) };
            (store.data().exports[number].0, slots, result)
        }
        Callee::Destructor(rep) => return component::release(store, rep).await,
        Callee::Contract { func, params, has_result } => (func, &[WORD; MOST_WORDS][..params], has_result.then_some(SlotKind::I32)),
    };
    let params: Vec<Val> = slots.iter().zip(raw.iter()).map(|(slot, raw)| value(slot.kind, *raw)).collect();
    let mut results = [Val::I32(0)];
    let results = &mut results[..usize::from(result.is_some())];
    func.call_async(&mut *store, &params, results).await?;
    if let Some(result) = results.first() {
        raw[0] = self::raw(result);
    }
    Ok(())
}

/// The export's function, which its first call has looked up.
fn words_of(
    store: &mut StoreContextMut<'_, State>,
    export: usize,
    count: usize,
    has_result: bool,
) -> wasmtime::Result<std::sync::Arc<Words>> {
    let state = store.data();
    if let Some(Some(found)) = state.words.get(export) {
        return Ok(found.clone());
    }
    let (func, exports) = (state.exports[export].0, state.exports.len());
    let found = std::sync::Arc::new(Words::of(&*store, func, count, has_result)?);
    let words = &mut store.data_mut().words;
    words.resize(exports, None);
    words[export] = Some(found.clone());
    Ok(found)
}

/// A core value as Wasmtime represents it for checked calls.
pub(crate) fn value(kind: SlotKind, raw: ValRaw) -> Val {
    match kind {
        SlotKind::I64 => Val::I64(raw.get_i64()),
        SlotKind::F32 => Val::F32(raw.get_f32()),
        SlotKind::F64 => Val::F64(raw.get_f64()),
        _ => Val::I32(raw.get_i32()),
    }
}

/// The reverse.
pub(crate) fn raw(value: &Val) -> ValRaw {
    match value {
        Val::I32(n) => ValRaw::i32(*n),
        Val::I64(n) => ValRaw::i64(*n),
        Val::F32(bits) => ValRaw::f32(*bits),
        Val::F64(bits) => ValRaw::f64(*bits),
        // `signatures.rs` accepts no others.
        _ => ValRaw::u64(0),
    }
}

/// Copies the block to a place in the guest; returns its address.
pub(crate) async fn place(driver: Driver, store: &mut StoreContextMut<'_, State>, block: &mut Block<'_>, with_head: bool) -> Result<u32> {
    let guest = store.data().guest;
    if let Some(address) = guest.place_at_once(store, block, with_head)? {
        return Ok(address);
    }
    let address = allocate(driver, store, block.placed_size(with_head)?).await?;
    guest.place_at(store, block, with_head, address)
}

/// Calls the guest's `cabi_realloc` for so many bytes; returns their address, a multiple of 8. All
/// of them are within the memory.
#[cold]
pub(super) async fn allocate(driver: Driver, store: &mut StoreContextMut<'_, State>, size: u32) -> Result<u32> {
    if store.data().component.is_some() {
        return Ok(room(store, size));
    }
    let guest = store.data().guest;
    let mut raw = [0, 0, 8, size].map(ValRaw::u32);
    enter(driver, store, Callee::Contract { func: guest.realloc()?, params: 4, has_result: true }, &mut raw).await?;
    let address = raw[0].get_u32();
    check_room(address, size, MemoryCache::read(guest.memory()?, &*store))?;
    Ok(address)
}

/// The same for a guest on its caller's stack.
#[inline]
pub(crate) fn place_here(store: &mut StoreContextMut<'_, State>, block: &mut Block<'_>, with_head: bool) -> Result<u32> {
    let guest = store.data().guest;
    if let Some(address) = guest.place_at_once(store, block, with_head)? {
        return Ok(address);
    }
    let address = allocate_here(store, block.placed_size(with_head)?)?;
    guest.place_at(store, block, with_head, address)
}

#[cold]
pub(super) fn allocate_here(store: &mut StoreContextMut<'_, State>, size: u32) -> Result<u32> {
    at_once(allocate(Driver::Direct, store, size))
}

/// Writes the core values of arguments whose nested data is at that address.
#[inline]
pub(crate) fn load(function: &Function, block: &Block<'_>, address: u32, raw: &mut [ValRaw]) {
    let abi = &function.abi;
    if abi.spilled {
        raw[0] = ValRaw::u32(address);
    } else if abi.joined {
        let mut raw = raw.iter_mut();
        joined::load_all(&abi.params.items, &abi.params.offsets, block.head(), 0, &mut |value| {
            if let Some(raw) = raw.next() {
                *raw = ValRaw::u64(value);
            }
        });
    } else {
        for (raw, slot) in raw.iter_mut().zip(&abi.slots) {
            *raw = ValRaw::u64(block.load(*slot));
        }
    }
}

/// Places the arguments of an export and runs it; returns the core value of its result.
async fn invoke(
    driver: Driver,
    store: &mut StoreContextMut<'_, State>,
    export: usize,
    function: &Function,
    block: &mut Block<'_>,
) -> Result<u64> {
    let address = place(driver, store, block, function.abi.spilled).await?;
    let mut raw: SmallVec<[ValRaw; FEW]> = smallvec![ValRaw::u64(0); function.abi.core_values()];
    load(function, block, address, &mut raw);
    enter(driver, store, Callee::Export(export, function), &mut raw).await?;
    Ok(function.abi.result.core_value(raw[0]))
}

/// The same for a guest on its caller's stack: a future would keep all of this in memory, which
/// costs as much as the rest of a small call.
#[inline(always)]
#[expect(clippy::inline_always, reason = "as `PlainCall::run`")]
fn invoke_here(store: &mut StoreContextMut<'_, State>, export: usize, function: &Function, block: &mut Block<'_>) -> Result<u64> {
    let address = place_here(store, block, function.abi.spilled)?;
    // Only as much room as needed, for the same reason.
    let (mut few, mut many);
    let raw = match function.abi.core_values() {
        n @ ..=FEW => {
            few = [ValRaw::u64(0); FEW];
            &mut few[..n]
        }
        n => {
            many = vec![ValRaw::u64(0); n];
            &mut many[..]
        }
    };
    load(function, block, address, raw);
    let func = store.data().exports[export].0;
    enter_here(store, func, raw)?;
    Ok(function.abi.result.core_value(raw[0]))
}

/// Enough core values for most functions.
const FEW: usize = 6;

/// The error if a guest has as many resources of WASI as it may.
#[cold]
fn no_room(error: &wasmtime::Error) -> Error {
    Error::new(ErrorKind::OutOfMemory, format!("the guest keeps the resources of earlier requests: {error:#}"))
}

/// A reason to run guest code.
pub(crate) enum Work<'w, 'a> {
    /// The export of that number, with arguments in a block.
    Export(usize, &'w Function, &'w mut Block<'a>),
    /// The same with plain arguments.
    Flat(usize, &'w Function, Flat<'w>),
    /// Letting goroutines run.
    Poll(Func),
    /// Answering a request of HTTP.
    Serve(Box<(IncomingRequest, ResponseOutparam)>),
    /// Releasing a large result that was lifted, by the post-return function of its export.
    Release(Func, u64),
    /// Ending an object of a component.
    Destroy(u32),
}

impl Work<'_, '_> {
    /// Runs it; returns the core value of an export's result.
    pub(crate) async fn run(self, driver: Driver, store: &mut StoreContextMut<'_, State>) -> Result<u64> {
        match self {
            Work::Export(export, function, block) => invoke(driver, store, export, function, block).await,
            Work::Flat(export, function, flat) => invoke_flat(driver, store, export, function, flat).await,
            Work::Poll(poll) => enter(driver, store, Callee::plain(poll), &mut []).await.map(|()| 0),
            Work::Serve(exchange) => {
                let (request, answer) = store.data_mut().wasi.give_request(exchange.0, exchange.1).map_err(|error| no_room(&error))?;
                enter(driver, store, Callee::Handler(request.rep(), answer.rep()), &mut []).await.map(|()| 0)
            }
            Work::Release(post, raw) => {
                let callee = Callee::Contract { func: post, params: 1, has_result: false };
                enter(driver, store, callee, &mut [ValRaw::u64(raw)]).await.map(|()| 0)
            }
            Work::Destroy(rep) => enter(driver, store, Callee::Destructor(rep), &mut []).await.map(|()| 0),
        }
    }

    /// The same for a guest on its caller's stack.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "as `PlainCall::run`")]
    pub(crate) fn run_here(self, store: &mut StoreContextMut<'_, State>) -> Result<u64> {
        match self {
            Work::Export(export, function, block) => invoke_here(store, export, function, block),
            Work::Flat(export, function, flat) => invoke_flat_here(store, export, function, flat),
            other => at_once(other.run(Driver::Direct, store)),
        }
    }
}
