//! Host functions of guests on fibers.

use std::marker::PhantomData;
use std::mem::MaybeUninit;

use wasmtime::{AsContextMut, Caller, StoreContextMut, Val, ValRaw};

use crate::call::fiber::{self, bits, place};
use crate::call::host_call::{Answer, Deferred, HostCall, Import, Later, Within, guarded, put_result};
use crate::call::reentry::Door;
use crate::config::Lease;
use crate::error::Result;
use crate::guest::state::{Guest, State};
use crate::sched::task;

/// What every import of such a guest comes to.
pub(crate) async fn dispatch(
    import: &Import,
    number: usize,
    mut caller: Caller<'_, State>,
    params: &[Val],
    results: &mut [Val],
) -> Result<()> {
    let host = caller.data().host[number].clone();
    let mut store = caller.as_context_mut();
    let mut words: Vec<u64> = params.iter().map(bits).collect();
    // Room for the result, which takes the place of the parameters.
    words.resize(words.len().max(1), 0);
    let mut later = Later::default();
    let lease = crate::call::reentry::unique();
    let mut call = || within(import, &mut store, &mut words, &mut later, lease, |call| guarded(|| host.call(call)));
    let mut result = if host.at_home() { task::at_home(call).await } else { call() };
    if let (Ok(()), Some(deferred)) = (&result, later.deferred.take()) {
        let door = store.data().doors.open(lease);
        let (answer, has_waited) = task::noticing(wait(deferred, door, &mut store)).await;
        if has_waited {
            store.data_mut().turn.resume();
            store.set_epoch_deadline(1);
        }
        let (store, words, later) = (&mut store, &mut words, &mut later);
        let give = |answer: Answer| within(import, store, words, later, lease, |call| guarded(|| answer(call)));
        result = task::at_home(|| answer.and_then(give)).await;
    }
    within(import, &mut store, &mut words, &mut later, lease, |call| call.conclude(result))?;
    if let Some(mut block) = later.block.take() {
        let guest: Guest = store.data().guest;
        place(guest, &mut store, &mut block, false).await?;
        if import.function.abi.returns_by_pointer() {
            let target = words[import.function.abi.core_values() - 1] as u32;
            put_result(import, &mut store, &block, target)?;
        }
    }
    if let (Some(slot), Some(result)) = (&import.function.abi.result.flat, results.first_mut()) {
        *result = fiber::value(slot, words[0]);
    }
    Ok(())
}

/// Runs something with the call as the host sees it.
fn within(
    import: &Import,
    store: &mut StoreContextMut<'_, State>,
    words: &mut [u64],
    later: &mut Later,
    lease: u64,
    code: impl FnOnce(&mut HostCall<'_>) -> Result<()>,
) -> Result<()> {
    let mut raw: Vec<MaybeUninit<ValRaw>> = words.iter().map(|word| MaybeUninit::new(ValRaw::u64(*word))).collect();
    let lease = Lease { id: lease, pool: store.data().pool };
    let answered = later.answered;
    let fiber = Within::Fiber { later, lease };
    let mut call = HostCall { import, store: store.as_context_mut(), raw: &mut raw, within: fiber, answered, _not_send: PhantomData };
    let result = code(&mut call);
    let answered = call.answered;
    if let Within::Fiber { later, .. } = &mut call.within {
        later.answered = answered;
    }
    words[0] = crate::call::host_call::raw_u64(&raw, 0);
    result
}

/// Waits for the host's answer; lets visitors in meanwhile.
async fn wait(mut deferred: Deferred, mut door: Door, store: &mut StoreContextMut<'_, State>) -> Result<Answer> {
    loop {
        let visit = tokio::select! {
            biased;
            Some(visit) = door.visits.recv() => visit,
            answer = &mut deferred => return answer,
        };
        visit(store).await;
    }
}
