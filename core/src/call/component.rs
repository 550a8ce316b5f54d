//! Calls into a component and out of it. The engine lifts and lowers its values; they cross through
//! the host's buffer: see `guest/component.rs`.

use std::mem::MaybeUninit;

use wasmtime::component::Val;
use wasmtime::{AsContextMut as _, StoreContextMut, ValRaw};

use crate::abi::block::{self, Block};
use crate::abi::component;
use crate::abi::joined::store_params;
use crate::abi::memory::GuestMemory;
use crate::call::host_call::{dispatch, raw_u64};
use crate::call::invoke::load;
use crate::error::{Error, ErrorKind, Result};
use crate::guest::component::{cut, mark, note_result, place, room};
use crate::guest::host::Import;
use crate::guest::memory_cache::MemoryCache;
use crate::guest::state::State;
use crate::interface::Function;

/// Calls the export of that number. `raw` has the core values of the parameters, and then that of
/// the result.
pub(crate) async fn call(
    store: &mut StoreContextMut<'_, State>,
    export: usize,
    function: &Function,
    raw: &mut [ValRaw],
) -> Result<(), Failed> {
    let values = raw.iter().map(ValRaw::get_u64);
    let params = in_record(store, function, values, component::read_params)?;
    // The engine has copies of the arguments.
    let begun = mark(store);
    let func = exported(store, export)?;
    let mut results = [Val::Bool(false)];
    let results = &mut results[..usize::from(function.result.is_some() || function.fallible)];
    func.call_async(&mut *store, &params, results).await.map_err(Failed::Guest)?;
    drop(params);
    let outputs = store.data().wasi.outputs.clone();
    for output in outputs.iter().flatten() {
        output.pass_on().await?;
    }
    note_result(store, begun);
    let abi = &function.abi;
    let mut written = Block::begin(abi.result.size);
    written.bound(&store.data().wasi.budget);
    component::write_result(function, results.first(), &mut written)?;
    let address = place(store, &mut written, abi.result.flat.is_none() && abi.result.size > 0)?;
    let result = match abi.result.flat {
        Some(slot) => written.load(slot),
        None => address.into(),
    };
    if let Some(first) = raw.first_mut() {
        *first = ValRaw::u64(result);
    }
    Ok(())
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

fn exported(store: &StoreContextMut<'_, State>, export: usize) -> Result<wasmtime::component::Func> {
    let found = store.data().component.as_ref().and_then(|component| component.exports.get(export).copied());
    found.ok_or_else(|| Error::new(ErrorKind::UnknownExport, format!("the component has no export number {export}")))
}

/// Passes the parameters of a call, as the record that all of them make, to what reads them.
fn in_record<R>(
    store: &StoreContextMut<'_, State>,
    function: &Function,
    values: impl Iterator<Item = u64>,
    read: impl FnOnce(&Function, GuestMemory<'_>, &[u8]) -> Result<R>,
) -> Result<R> {
    let abi = &function.abi;
    let memory = GuestMemory::new(MemoryCache::read(store.data().guest.memory()?, store));
    if abi.spilled {
        let address = { values }.next().unwrap_or_default() as u32;
        return read(function, memory, memory.slice(address, 1, abi.params.size, abi.params.align)?);
    }
    let mut bytes = vec![0; abi.params.size as usize];
    store_params(function, &mut bytes, values)?;
    read(function, memory, &bytes)
}

/// Answers a component's call of the import of that number.
pub(crate) async fn answer(
    import: &Import,
    number: usize,
    mut store: StoreContextMut<'_, State>,
    params: &[Val],
    results: &mut [Val],
) -> Result<()> {
    let (function, abi) = (&*import.function, &import.function.abi);
    let begun = mark(&mut store);
    let mut record = Block::begin(abi.params.size);
    record.bound(&store.data().wasi.budget);
    component::write_params(function, params, &mut record)?;
    let address = place(&mut store, &mut record, abi.spilled)?;
    let mut raw = vec![ValRaw::u64(0); abi.core_values().max(1)];
    load(function, &record, address, &mut raw);
    drop(record);
    let area = if abi.returns_by_pointer() { room(&mut store, abi.result.size) } else { 0 };
    if abi.returns_by_pointer() {
        raw[abi.core_values() - 1] = ValRaw::u32(area);
    }
    let mut raw: Vec<MaybeUninit<ValRaw>> = raw.into_iter().map(MaybeUninit::new).collect();
    dispatch(import, number, store.as_context_mut(), &mut raw).await?;
    if let Some(result) = results.first_mut() {
        let memory = GuestMemory::new(MemoryCache::read(store.data().guest.memory()?, &store));
        let mut flat = [0; 8];
        let bytes = match abi.result.flat {
            Some(slot) => {
                block::store(&mut flat, slot, raw_u64(&raw, 0))?;
                &flat[..]
            }
            None => memory.slice(area, 1, abi.result.size, abi.result.align)?,
        };
        if let Some(value) = component::read_result(function, memory, bytes)? {
            *result = value;
        }
    }
    cut(&mut store, begun);
    Ok(())
}
