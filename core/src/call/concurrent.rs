//! Imports of components that are asynchronous functions (WASI 0.3): a guest that has called one
//! may go on, and call others, before it is answered.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;

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
        Box::pin(async move {
            let counted = accessor.with(|mut store| Counted::new(&mut store.as_context_mut(), params));
            let answered = answer(&all[number], number, accessor, params, results).await;
            drop(counted);
            accessor.with(|mut store| bound_values(&mut store.as_context_mut()));
            answered.map_err(Error::into_wasmtime)
        })
    })
}

/// How many handles a guest may have whose functions suspend, of so many: those of its streams,
/// futures and tasks count, of which many hold a descriptor of WASI; those that it has given to the
/// host's program don't. Bounds the tasks, too, which go on after the function has returned that
/// began them.
pub(crate) fn bound(store: &mut StoreContextMut<'_, State>, most: usize, given: usize) -> usize {
    let most_wasi = store.data().max_wasi;
    let Some(tasks) = store.concurrent_resource_table() else { return most };
    tasks.set_max_capacity(most_wasi.saturating_mul(PARTS));
    bound_values(store);
    let most = most.min(most_wasi.saturating_add(given));
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

/// A call by the engine's event loop. It is in that loop when it is dropped, too: so are its tasks.
struct Looped<F>(Option<Pin<Box<F>>>);

impl<F> Drop for Looped<F> {
    fn drop(&mut self) {
        let _left = Left(IN_EVENT_LOOP.replace(true));
        self.0 = None;
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
    let mut call = Looped(Some(Box::pin(call)));
    let in_loop = poll_fn(|context| {
        let _left = Left(IN_EVENT_LOOP.replace(true));
        call.0.as_mut().map_or(Poll::Pending, |call| call.as_mut().poll(context))
    });
    task::with_errands(|errand| errand(), in_loop).await
}

/// Lets the engine lift for one call what a value may have, without what was lifted for others that
/// are not answered: together they have no more.
fn bound_values(store: &mut StoreContextMut<'_, State>) {
    let state = store.data();
    let unanswered = state.component.as_ref().map_or(0, |component| component.unanswered.load(Ordering::Relaxed));
    let most = usize::try_from(state.max_value).unwrap_or(usize::MAX);
    store.set_hostcall_fuel(most.saturating_sub(unanswered));
}

/// The parameters of a call that is not answered.
struct Counted {
    size: usize,
    unanswered: Arc<AtomicUsize>,
}

impl Counted {
    fn new(store: &mut StoreContextMut<'_, State>, params: &[Val]) -> Counted {
        let unanswered = store.data().component.as_ref().map(|component| component.unanswered.clone()).unwrap_or_default();
        let counted = Counted { size: params.iter().map(size).sum(), unanswered };
        counted.unanswered.fetch_add(counted.size, Ordering::Relaxed);
        bound_values(store);
        counted
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.unanswered.fetch_sub(self.size, Ordering::Relaxed);
    }
}

/// Bytes of a value of the engine's, about.
fn size(value: &Val) -> usize {
    size_of::<Val>()
        + match value {
            Val::String(text) | Val::Enum(text) => text.len(),
            Val::List(values) | Val::Tuple(values) => values.iter().map(size).sum(),
            Val::Record(fields) => fields.iter().map(|(name, value)| size_of::<String>() + name.len() + size(value)).sum(),
            Val::Variant(name, value) => name.len() + value.as_deref().map_or(0, size),
            Val::Option(value) | Val::Result(Ok(value) | Err(value)) => value.as_deref().map_or(0, size),
            Val::Flags(names) => names.iter().map(|name| size_of::<String>() + name.len()).sum(),
            _ => 0,
        }
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
    let Some(deferred) = begun else { return Ok(()) };
    let answer = task::outside(deferred).await;
    task::go_home().await;
    accessor.with(|mut access| {
        let mut store = access.as_context_mut();
        store.data_mut().fairness.resume();
        store.set_epoch_deadline(1);
        // The call that has asked may be over, and its task answered within another.
        let lease = store.data().lease();
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
) -> Result<Option<Deferred>> {
    let (host, lease) = (store.data().host.get(number).clone(), store.data().lease());
    let crossing = Crossing::begin(import, &mut store, Some(params))?;
    run(import, crossing, lease, store, results, |call| host.call(call))
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
