//! Guest code on a fiber, which can wait without a thread.

use std::future::{Future, poll_fn};
use std::sync::Arc;
use std::task::Poll;

use wasmtime::{AsContextMut, Func, Store, StoreContextMut, UpdateDeadline, Val};

use crate::abi::block::Block;
use crate::abi::lift::Lift;
use crate::abi::quota::Quota;
use crate::call::words::Words;
use crate::config::budget::Budget;
use crate::error::{Error, Result};
use crate::guest::state::{Guest, State, classify};
use crate::instance::call::{RELEASE_FROM, ends, in_result, lift_value, read_result};
use crate::instance::store::{Seed, handles, not_linked, refuel};
use crate::interface::{Function, MOST_WORDS, Slot, SlotKind};
use crate::platform::fork;
use crate::platform::runtime;
use crate::sched::task;
use crate::wasi::stdio::streams::Streams;

/// Waits for the future as long as the budget lasts.
pub(crate) async fn bounded<T>(budget: &Budget, future: impl Future<Output = Result<T>>) -> Result<T> {
    if !budget.is_limited() {
        return future.await;
    }
    tokio::select! {
        biased;
        done = future => done,
        ended = ended(budget) => Err(ended),
    }
}

/// Waits for the end of the budget.
async fn ended(budget: &Budget) -> Error {
    let deadline = async {
        match budget.deadline {
            Some(deadline) => {
                runtime::sleep_until(deadline.at).await;
                deadline.passed()
            }
            None => std::future::pending().await,
        }
    };
    let mut tokens: Vec<_> = budget.cancel.iter().map(|token| Box::pin(token.cancelled())).collect();
    let cancelled = poll_fn(|context| {
        let is_cancelled = tokens.iter_mut().any(|token| token.as_mut().poll(context).is_ready());
        if is_cancelled { Poll::Ready(crate::config::budget::cancelled()) } else { Poll::Pending }
    });
    tokio::select! {
        ended = deadline => ended,
        ended = cancelled => ended,
    }
}

/// Instantiates the module in its store, and runs its `_initialize`; of a command, all of it. The caller has set the store's budget.
pub(crate) async fn bring_up(seed: &Seed, store: &mut Store<State>) -> Result<()> {
    let compiled = seed.plugin.compiled();
    store.epoch_deadline_callback(|mut store| {
        store.data().wasi.budget.check_limits().map_err(Error::into_wasmtime)?;
        if store.data_mut().turn.stays() {
            return Ok(UpdateDeadline::Continue(1));
        }
        Ok(UpdateDeadline::YieldCustom(1, Box::pin(task::give_way())))
    });
    refuel(&mut *store)?;
    let ready = store.data().ready.clone();
    let held = fork::hold()?;
    let linked = ready.async_pre()?.instantiate_async(&mut *store).await;
    drop(held);
    let instance = linked.map_err(|error| not_linked(&error, &*store))?;
    let start = handles(store, &instance, compiled)?;
    let mut store = store.as_context_mut();
    if let Some(begin) = start.begin {
        enter(&mut store, begin, &[], false).await?;
    }
    if let Some(arena) = start.arena {
        let address = enter(&mut store, arena, &[], true).await?;
        store.data_mut().guest.arena = Some(address as u32);
    }
    finish(&store.data().wasi.streams).await
}

/// Gives the functions that get output by lines what has no end yet.
async fn finish(streams: &Streams) -> Result<()> {
    if streams.are_unfinished() {
        task::go_home().await;
        streams.finish()?;
    }
    Ok(())
}

/// Runs guest code; gives the bits of its result, 0 where there is none.
pub(crate) async fn enter(store: &mut StoreContextMut<'_, State>, func: Func, params: &[Val], has_result: bool) -> Result<u64> {
    let mark = store.data().wasi.streams.stderr.total();
    let mut results = [Val::I32(0)];
    let results = &mut results[..usize::from(has_result)];
    func.call_async(&mut *store, params, results).await.map_err(|error| classify(&error, &*store, mark))?;
    Ok(results.first().map_or(0, bits))
}

/// The same for an export of words: see [`Words`].
async fn enter_with_words(store: &mut StoreContextMut<'_, State>, export: usize, words: &[i32], has_result: bool) -> Result<u64> {
    let mark = store.data().wasi.streams.stderr.total();
    let result = match words_of(store, export, words.len(), has_result) {
        Ok(func) => func.call(store, words).await,
        Err(error) => Err(error),
    };
    result.map(|word| u64::from(word as u32)).map_err(|error| classify(&error, &*store, mark))
}

/// The export, as it was found out to be in its first call.
fn words_of(store: &mut StoreContextMut<'_, State>, export: usize, count: usize, has_result: bool) -> wasmtime::Result<Arc<Words>> {
    let state = store.data();
    if let Some(Some(found)) = state.words.get(export) {
        return Ok(found.clone());
    }
    let (func, exports) = (state.exports[export].0, state.exports.len());
    let found = Arc::new(Words::of(&*store, func, count, has_result)?);
    let words = &mut store.data_mut().words;
    words.resize(exports, None);
    words[export] = Some(found.clone());
    Ok(found)
}

pub(crate) fn bits(value: &Val) -> u64 {
    match value {
        Val::I32(n) => u64::from(*n as u32),
        Val::I64(n) => *n as u64,
        Val::F32(bits) => u64::from(*bits),
        Val::F64(bits) => *bits,
        // No signature that `signatures.rs` lets through has others.
        _ => 0,
    }
}

pub(crate) fn value(slot: &Slot, bits: u64) -> Val {
    match slot.kind {
        SlotKind::I64 => Val::I64(bits as i64),
        SlotKind::F32 => Val::F32(bits as u32),
        SlotKind::F64 => Val::F64(bits),
        _ => Val::I32(bits as i32),
    }
}

/// Finds room for the block in the guest and copies it there; gives its address.
pub(crate) async fn place(guest: Guest, store: &mut StoreContextMut<'_, State>, block: &mut Block<'_>, with_head: bool) -> Result<u32> {
    if let Some(address) = guest.place_at_once(store, block, with_head)? {
        return Ok(address);
    }
    let params = Guest::realloc_params(block.placed_size(with_head)?).map(|word| Val::I32(word as i32));
    let address = enter(store, guest.realloc()?, &params, true).await?;
    guest.place_at(store, block, with_head, address as u32)
}

/// A result that still lies in the guest.
pub struct AsyncReturned<'s, 'c> {
    store: &'s mut StoreContextMut<'c, State>,
    function: &'s Function,
    export: usize,
    raw: u64,
    /// What bounds the call.
    budget: &'s Budget,
}

impl AsyncReturned<'_, '_> {
    /// Lifts the result.
    ///
    /// # Errors
    ///
    /// As [`Returned::lift`](crate::Returned::lift).
    pub fn lift<L: Lift>(self, lift: &L) -> Result<L::Value> {
        let state = self.store.data();
        let (max, guest) = (state.max_value, state.guest);
        let data = || guest.memory().map(|memory| memory.data(&*self.store));
        let quota = Quota::within_limits(max, self.budget);
        let value = read_result(self.function, data, self.raw, &quota, |function, memory, bytes, quota| {
            lift_value(lift, function, memory, bytes, quota)
        });
        let read = quota.read();
        let state = self.store.data_mut();
        let value = value.map_err(|error| in_result(state.refusals.explain(error), self.function, &state.wasi.sockets.denials));
        match &value {
            Err(error) if ends(error) => state.life.kill(error),
            _ if read >= RELEASE_FROM => {
                // Guest code, for which this is not the place: the next call begins with it.
                state.release = state.exports[self.export].1.map(|post| (post, self.raw));
            }
            _ => {}
        }
        value
    }
}

/// Runs a call of an export, within the guest's present call where there is one. `then` reads the result, at home.
///
/// The future of a visit is polled on the stack of the guest that is visited, and others on their thread's own.
pub(crate) async fn call<R>(
    store: &mut StoreContextMut<'_, State>,
    function: &Function,
    export: usize,
    block: Box<Block<'static>>,
    budget: Budget,
    is_visit: bool,
    then: impl FnOnce(AsyncReturned<'_, '_>) -> Result<R>,
) -> Result<R> {
    let within = budget.clone().within(&store.data().wasi.budget);
    let outer = std::mem::replace(&mut store.data_mut().wasi.budget, within);
    if store.data().depth == 0 {
        store.data().wasi.sockets.denials.begin();
        store.data_mut().refusals.begin();
    }
    store.data_mut().depth += 1;
    // To be bounded costs a small call something, if only that the future is moved around.
    let called = if budget.is_limited() {
        bounded(&budget, run(store, function, export, block)).await
    } else {
        run(store, function, export, block).await
    };
    store.data_mut().depth -= 1;
    let within = std::mem::replace(&mut store.data_mut().wasi.budget, outer);
    // What ended the guest tells more than what became of its last words.
    let finished = if store.data().depth == 0 { finish(&store.data().wasi.streams).await } else { Ok(()) };
    let called = called.and_then(|raw| finished.map(|()| raw));
    let raw = called.inspect_err(|error| {
        let state = store.data_mut();
        state.life.kill(error);
        state.wasi.sockets.close();
    })?;
    store.data_mut().refusals.check(function)?;
    if is_visit {
        return task::at_home(|| then(AsyncReturned { store, function, export, raw, budget: &within })).await;
    }
    task::go_home().await;
    // Before the result is read: whoever has it may want to call the instance at once.
    if store.data().depth == 0 && store.data_mut().turn.end() {
        task::give_turn().await;
    }
    then(AsyncReturned { store, function, export, raw, budget: &within })
}

async fn run(store: &mut StoreContextMut<'_, State>, function: &Function, export: usize, mut block: Box<Block<'static>>) -> Result<u64> {
    let abi = &function.abi;
    if let Some((post, raw)) = store.data_mut().release.take() {
        enter(store, post, &[Val::I32(raw as i32)], false).await?;
    }
    let (guest, func) = (store.data().guest, store.data().exports[export].0);
    let address = place(guest, store, &mut block, abi.spilled).await?;
    let has_result = abi.result.size > 0;
    if abi.is_words() {
        let mut words = [address as i32; MOST_WORDS];
        for (word, slot) in words.iter_mut().zip(&abi.slots) {
            *word = block.load(*slot) as i32;
        }
        drop(block);
        let count = if abi.spilled { 1 } else { abi.slots.len() };
        return enter_with_words(store, export, &words[..count], has_result).await;
    }
    let params: Vec<Val> =
        if abi.spilled { vec![Val::I32(address as i32)] } else { abi.slots.iter().map(|slot| value(slot, block.load(*slot))).collect() };
    drop(block);
    enter(store, func, &params, has_result).await
}
