//! Imports of components that are asynchronous functions (WASI 0.3): a guest that has called one
//! may go on, and call others, before it is answered.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;

use wasmtime::component::{Accessor, LinkerInstance, Val};
use wasmtime::{AsContextMut as _, StoreContextMut};

use crate::call::component::Crossing;
use crate::call::host_call::{Calls, place_result};
use crate::config::Lease;
use crate::error::{Error, ErrorKind, Result};
use crate::guest::host::{Deferred, HostCall, Import, Later};
use crate::guest::state::State;
use crate::sched::driver::at_once;
use crate::sched::task;

/// Defines the import of that number.
pub(crate) fn define(linked: &mut LinkerInstance<'_, State>, name: &str, imports: &Arc<[Import]>, number: usize) -> wasmtime::Result<()> {
    let all = imports.clone();
    linked.func_new_concurrent(name, move |accessor, _, params, results| {
        let all = all.clone();
        Box::pin(async move { answer(&all[number], number, accessor, params, results).await.map_err(Error::into_wasmtime) })
    })
}

/// How many handles a guest may have whose functions suspend, of so many: those of its streams,
/// futures and tasks count, of which many hold a descriptor of WASI. Bounds the tasks, too, which
/// go on after the function has returned that began them.
pub(crate) fn bound(store: &mut StoreContextMut<'_, State>, most: usize) -> usize {
    let most_wasi = store.data().max_wasi;
    let Some(tasks) = store.concurrent_resource_table() else { return most };
    tasks.set_max_capacity(most_wasi.saturating_mul(PARTS));
    let most = most.min(most_wasi);
    if let Some(component) = &mut store.data_mut().component {
        component.most_handles = Some(most);
    }
    most
}

/// What the engine has for a task, a stream or a future, at most.
const PARTS: usize = 4;

thread_local! {
    /// Whether this thread is in the engine's event loop, of which there can't be two.
    static IN_EVENT_LOOP: Cell<bool> = const { Cell::new(false) };
}

struct Left(bool);

impl Drop for Left {
    fn drop(&mut self) {
        IN_EVENT_LOOP.set(self.0);
    }
}

/// Awaits a call by the engine's event loop. The host's code runs outside of it, where it may call
/// other instances; but for that which answers an `async` import, which has the store meanwhile.
///
/// # Errors
///
/// `busy` within another such call's event loop.
pub(crate) async fn in_event_loop<R>(call: impl Future<Output = wasmtime::Result<R>>) -> wasmtime::Result<R> {
    if IN_EVENT_LOOP.get() {
        let text = "a host function for an async import can't call a component of WASI 0.3 and wait for it: call an asynchronous instance";
        return Err(Error::new(ErrorKind::Busy, text).into_wasmtime());
    }
    let mut call = pin!(call);
    let in_loop = poll_fn(|context| {
        let _left = Left(IN_EVENT_LOOP.replace(true));
        call.as_mut().poll(context)
    });
    task::with_errands(|errand| errand(), in_loop).await
}

/// Answers a call. The store is used before and after the wait for a deferred answer, and not
/// meanwhile.
async fn answer(import: &Import, number: usize, accessor: &Accessor<State>, params: &[Val], results: &mut [Val]) -> Result<()> {
    // The first poll is on the guest's stack, the next ones are on that of the guest's caller,
    // which the host's code needs.
    task::give_turn().await;
    let at_home = accessor.with(|mut access| access.get().host.get(number).at_home());
    if at_home {
        task::go_home().await;
    }
    let begun = accessor.with(|mut access| begin(import, number, access.as_context_mut(), params, results))?;
    let Some((deferred, lease)) = begun else { return Ok(()) };
    let answer = task::outside(deferred).await;
    task::go_home().await;
    accessor.with(|mut access| {
        let mut store = access.as_context_mut();
        store.data_mut().fairness.resume();
        store.set_epoch_deadline(1);
        let crossing = Crossing::begin(import, &mut store, None)?;
        run(import, crossing, lease, store, results, |call| answer?(call)).map(drop)
    })
}

/// Runs the host function. Returns its answer, if that is deferred.
fn begin(
    import: &Import,
    number: usize,
    mut store: StoreContextMut<'_, State>,
    params: &[Val],
    results: &mut [Val],
) -> Result<Option<(Deferred, Option<Lease>)>> {
    let (host, lease) = (store.data().host.get(number).clone(), store.data().lease());
    let crossing = Crossing::begin(import, &mut store, Some(params))?;
    let deferred = run(import, crossing, lease, store, results, |call| host.call(call))?;
    Ok(deferred.map(|deferred| (deferred, lease)))
}

/// Runs the host's code, and gives the guest its answer, unless that is deferred.
fn run(
    import: &Import,
    mut crossing: Crossing,
    lease: Option<Lease>,
    mut store: StoreContextMut<'_, State>,
    results: &mut [Val],
    code: impl FnOnce(&mut HostCall<'_>) -> Result<()>,
) -> Result<Option<Deferred>> {
    let mut later = Later::default();
    Calls { import, store: &mut store, raw: &mut crossing.raw, later: &mut later, lease }.with(code)?;
    if let Some(deferred) = later.deferred.take() {
        crossing.drop_values(&mut store);
        return Ok(Some(deferred));
    }
    // A component's results are placed in the host's buffer, for which nothing is waited for.
    at_once(place_result(import, &mut store, &mut crossing.raw, &mut later))?;
    crossing.end(import, &mut store, results).map(|()| None)
}
