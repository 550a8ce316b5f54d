//! Calls into a component and out of it. The engine lifts and lowers its values; they cross through
//! the host's buffer: see `guest/component.rs`.

use std::mem::MaybeUninit;

use smallvec::SmallVec;
use wasmtime::component::{Func, Resource, TypedFunc, Val};
use wasmtime::{AsContextMut as _, StoreContextMut, ValRaw};
use wasmtime_wasi::I32Exit;

use crate::abi::block::{self, Block};
use crate::abi::component::direct::{Arguments, Returned};
use crate::abi::component::{Reader, Writer};
use crate::abi::joined::store_params;
use crate::abi::memory::GuestMemory;
use crate::call::component_handles::take_back;
#[cfg(feature = "wasi-0-3")]
use crate::call::concurrent;
use crate::call::host_call::{dispatch, outside, raw_u64};
use crate::call::invoke::load;
use crate::error::{Error, ErrorKind, Result};
use crate::guest::component::{cut, give_back, mark, place, place_returned, room, take_arguments, with_values};
use crate::guest::exhausted::exhausted;
use crate::guest::host::Import;
use crate::guest::state::State;
use crate::interface::{Function, ResourceType};
use crate::sched::driver::Driver;
use crate::sched::task;

/// Calls the export of that number. `raw` has the core values of the parameters, and then that of
/// the result.
pub(crate) async fn call(
    store: &mut StoreContextMut<'_, State>,
    export: usize,
    function: &Function,
    raw: &mut [ValRaw],
) -> Result<(), Failed> {
    let func = exported(store, export)?;
    bound_handles(store);
    let arguments = take_arguments(store);
    // The results of functions that may suspend lie otherwise, and only the engine knows which
    // these are.
    let result = if function.is_alike() && !suspends(store) {
        call_directly(store, func, function, raw, &arguments).await
    } else {
        call_by_values(store, func, function, raw, &arguments).await
    };
    give_back(store, arguments);
    let result = pass_on(store, result).await?;
    if let Some(first) = raw.first_mut() {
        *first = result;
    }
    Ok(())
}

/// Copies the arguments to the guest, and the result from there.
async fn call_directly(
    store: &mut StoreContextMut<'_, State>,
    func: Func,
    function: &Function,
    raw: &[ValRaw],
    arguments: &[u8],
) -> Result<ValRaw, Failed> {
    let memory = GuestMemory::new(arguments);
    let mut own = SmallVec::new();
    let record = record_of(function, raw, memory, &mut own)?;
    // SAFETY: these stand for the types of any function: see `abi/component/direct.rs`.
    let typed = unsafe { TypedFunc::<Arguments<'_>, Returned>::new_unchecked(func) };
    let returned = typed.call_async(&mut *store, Arguments::new(function, record, memory)).await;
    let returned = returned.map_err(|error| ended(store, error))?;
    Ok(if returned.size() == 0 { returned.raw } else { ValRaw::u32(place_returned(store, returned)) })
}

/// Lets the engine lower the arguments, and lift the result.
async fn call_by_values(
    store: &mut StoreContextMut<'_, State>,
    func: Func,
    function: &Function,
    raw: &[ValRaw],
    arguments: &[u8],
) -> Result<ValRaw, Failed> {
    let memory = GuestMemory::new(arguments);
    let params = Reader::new(memory, store).params(function, record_of(function, raw, memory, &mut SmallVec::new())?)?;
    let mut results = [Val::Bool(false)];
    let results = &mut results[..usize::from(function.result.is_some() || function.fallible)];
    in_turn(suspends(store), func.call_async(&mut *store, &params, results)).await.map_err(|error| ended(store, error))?;
    drop(params);
    take_back(store)?;
    let abi = &function.abi;
    let mut written = Block::begin(abi.result.size);
    written.bound(&store.data().wasi.budget);
    Writer::new(&mut written, store).result(function, results.first())?;
    let address = place(store, &mut written, abi.result.flat.is_none() && abi.result.size > 0)?;
    Ok(match abi.result.flat {
        Some(slot) => ValRaw::u64(written.load(slot)),
        None => ValRaw::u32(address),
    })
}

/// Whether the functions of the component may suspend.
pub(super) fn suspends(store: &StoreContextMut<'_, State>) -> bool {
    cfg!(feature = "wasi-0-3") && store.engine().get_concurrency_support()
}

/// Awaits a call of the component: if its functions suspend, by the engine's event loop.
async fn in_turn<R>(suspends: bool, call: impl Future<Output = wasmtime::Result<R>>) -> wasmtime::Result<R> {
    #[cfg(feature = "wasi-0-3")]
    if suspends {
        return concurrent::in_event_loop(call).await;
    }
    let _ = suspends;
    call.await
}

/// Lets the engine have as many handles as the limits say, beside those that WASI needs. Of the
/// guest's objects, those that the host's program has are no handles of the guest.
pub(crate) fn bound_handles(store: &mut StoreContextMut<'_, State>) {
    let state = store.data();
    let given = state.handles.counts().given as usize;
    let most = state.max_handles() + given;
    #[cfg(feature = "wasi-0-3")]
    let most = concurrent::bound(store, most, given);
    store.set_max_component_handles(most);
}

/// What has ended the guest.
fn ended(store: &StoreContextMut<'_, State>, error: wasmtime::Error) -> Failed {
    match exhausted(&error, store.data()) {
        Some(error) => Failed::Host(error),
        None => Failed::Guest(error),
    }
}

/// Runs a program: the `run` of `wasi:cli/run`, whose error is exit code 1.
pub(crate) async fn run(store: &mut StoreContextMut<'_, State>, run: Func) -> Result<(), Failed> {
    bound_handles(store);
    let mut results = [Val::Bool(false)];
    let done = in_turn(suspends(store), run.call_async(&mut *store, &[], &mut results)).await;
    let done = done.map_err(|error| ended(store, error));
    pass_on(store, done).await?;
    match results {
        [Val::Result(Err(_))] => Err(Failed::Guest(wasmtime::Error::new(I32Exit(1)))),
        _ => Ok(()),
    }
}

/// Lets a server answer a request, by its numbers of the request and of what it answers by.
pub(crate) async fn handle(store: &mut StoreContextMut<'_, State>, request: u32, answer: u32) -> Result<(), Failed> {
    let handler = store.data().component.as_ref().and_then(|component| component.handler);
    let handler = handler.ok_or_else(|| Error::new(ErrorKind::UnknownExport, "the component answers no requests"))?;
    bound_handles(store);
    let args = (Resource::new_own(request), Resource::new_own(answer));
    let done = in_turn(suspends(store), handler.call_async(&mut *store, args)).await;
    let done = done.map_err(|error| ended(store, error));
    pass_on(store, done).await
}

/// Passes on what the guest has written, however its call has ended.
async fn pass_on<R>(store: &mut StoreContextMut<'_, State>, done: Result<R, Failed>) -> Result<R, Failed> {
    let mut passed = Ok(());
    for place in 0..2 {
        // What nobody has written to costs nothing.
        let output = store.data().wasi.outputs.as_ref().map(|outputs| &outputs[place]);
        if let Some(output) = output.filter(|output| output.has_more()).cloned() {
            passed = passed.and(output.pass_on().await);
        }
    }
    match (done, passed) {
        // What the host's function has failed with is why the guest could not go on.
        (Err(Failed::Guest(ended)), Err(error)) if Error::from_wasmtime(&ended).is_none() => Err(error.into()),
        (done, passed) => done.and_then(|result| passed.map(|()| result).map_err(Failed::from)),
    }
}

/// Why a call of a component has ended.
pub(crate) enum Failed {
    /// As the engine says it.
    Guest(wasmtime::Error),
    /// By the host.
    Host(Error),
}

impl From<Error> for Failed {
    fn from(error: Error) -> Failed {
        Failed::Host(error)
    }
}

impl Failed {
    pub(crate) fn into_wasmtime(self) -> wasmtime::Error {
        match self {
            Failed::Guest(error) => error,
            Failed::Host(error) => error.into_wasmtime(),
        }
    }
}

fn exported(store: &StoreContextMut<'_, State>, export: usize) -> Result<Func> {
    let found = store.data().component.as_ref().and_then(|component| component.exports.get(export).copied());
    found.ok_or_else(|| Error::new(ErrorKind::UnknownExport, format!("the component has no export number {export}")))
}

/// The record of all parameters of a call, by their core values: in memory, or in `own`.
fn record_of<'m>(function: &Function, raw: &[ValRaw], memory: GuestMemory<'m>, own: &'m mut Record) -> Result<&'m [u8]> {
    let abi = &function.abi;
    let mut values = raw.iter().map(ValRaw::get_u64);
    if abi.spilled {
        let address = values.next().unwrap_or_default() as u32;
        return memory.slice(address, 1, abi.params.size, abi.params.align);
    }
    own.resize(abi.params.size as usize, 0);
    store_params(function, own, values)?;
    Ok(own)
}

/// The record of a few parameters, without an allocation.
type Record = SmallVec<[u8; 64]>;

/// Answers a component's call of the import of that number.
pub(crate) async fn answer(
    import: &Import,
    number: usize,
    mut store: StoreContextMut<'_, State>,
    params: &[Val],
    results: &mut [Val],
) -> Result<()> {
    let mut crossing = Crossing::begin(import, &mut store, Some(params))?;
    dispatch(import, number, store.as_context_mut(), &mut crossing.raw).await?;
    crossing.end(import, &mut store, results)
}

/// What of an import's call lies in the host's buffer.
pub(crate) struct Crossing {
    /// Where the buffer ended before.
    begun: usize,
    /// Where the result will lie, unless it is a core value.
    area: u32,
    /// The core values of the parameters, and then that of the result.
    pub(crate) raw: Vec<MaybeUninit<ValRaw>>,
}

impl Crossing {
    /// Places the parameters, unless they were read before, and makes room for the result.
    pub(crate) fn begin(import: &Import, store: &mut StoreContextMut<'_, State>, params: Option<&[Val]>) -> Result<Crossing> {
        let (function, abi) = (&*import.function, &import.function.abi);
        let begun = mark(store);
        let mut raw = vec![ValRaw::u64(0); abi.core_values().max(1)];
        if let Some(params) = params {
            let mut record = Block::begin(abi.params.size);
            record.bound(&store.data().wasi.budget);
            Writer::new(&mut record, store).params(function, params)?;
            let address = place(store, &mut record, abi.spilled)?;
            load(function, &record, address, &mut raw);
        }
        let area = if abi.returns_by_pointer() { room(store, abi.result.size) } else { 0 };
        if abi.returns_by_pointer() {
            raw[abi.core_values() - 1] = ValRaw::u32(area);
        }
        Ok(Crossing { begun, area, raw: raw.into_iter().map(MaybeUninit::new).collect() })
    }

    /// Reads the result, and frees the rest.
    pub(crate) fn end(self, import: &Import, store: &mut StoreContextMut<'_, State>, results: &mut [Val]) -> Result<()> {
        let (function, abi) = (&*import.function, &import.function.abi);
        if let Some(result) = results.first_mut() {
            let value = with_values(store, |store, memory| {
                let mut flat = [0; 8];
                let bytes = match abi.result.flat {
                    Some(slot) => {
                        block::store(&mut flat, slot, raw_u64(&self.raw, 0))?;
                        &flat[..]
                    }
                    None => memory.slice(self.area, 1, abi.result.size, abi.result.align)?,
                };
                Reader::new(memory, store).result(function, bytes)
            })?;
            if let Some(value) = value {
                *result = value;
            }
        }
        self.drop_values(store);
        Ok(())
    }

    /// Frees all of it.
    pub(crate) fn drop_values(self, store: &mut StoreContextMut<'_, State>) {
        cut(store, self.begun);
    }
}

/// Ends an object of the guest, whose last handle has ended: runs its destructor.
pub(crate) async fn release(store: &mut StoreContextMut<'_, State>, rep: u32) -> wasmtime::Result<()> {
    let object = store.data_mut().component.as_mut().and_then(|component| component.objects.take(rep));
    let Some(object) = object else { return Ok(()) };
    object.resource_drop_async(store).await
}

/// Lets go of an object of the host, which the guest has dropped.
pub(crate) async fn drop_object(mut store: StoreContextMut<'_, State>, resource: &ResourceType, number: u32) -> Result<()> {
    if let Some(object) = store.data().handles.drop_handle(resource, number)? {
        // It is code of the host's, which may call the instance.
        task::at_home(|| outside(Driver::Fiber, &mut store, || drop(object))).await;
    }
    Ok(())
}
