//! How a host function answers its guest: with a result, or with an error.

use std::mem::MaybeUninit;
use std::sync::Arc;

use wasmtime::{StoreContextMut, ValRaw};

use crate::abi::block::Block;
use crate::abi::chain::{ErrorFields, chain_of, lower_chain, lower_failure};
use crate::abi::lower::Lower;
use crate::abi::memory::GuestMemory;
use crate::abi::value::Value;
use crate::call::host_call::raw_u64;
use crate::call::invoke::place_here;
use crate::error::{Error, ErrorKind, Result};
use crate::guest::host::{HostCall, Import};
use crate::guest::memory_cache::MemoryCache;
use crate::guest::state::State;
use crate::interface::{Case, Failure, Function, RecordType, Type, TypeKind};
use crate::sched::driver::Driver;

impl HostCall<'_> {
    /// Lowers the result. Without a result the guest gets zero values.
    ///
    /// # Errors
    ///
    /// `type-mismatch` if the value does not fit the result's type. A function without a result
    /// ignores the value.
    pub fn answer<'a, V: Lower<'a>>(&mut self, value: &V) -> Result<()> {
        self.answer_by(|ty, block, at| block.lower(ty, value, at))
    }

    /// The same with other code that lowers the result to its place in the block.
    pub(crate) fn answer_by<'a>(&mut self, lower: impl FnOnce(&Type, &mut Block<'a>, u32) -> Result<()>) -> Result<()> {
        let function = &self.import.function;
        let mut block = Block::begin(function.abi.result.size);
        block.bound(&self.store.data().wasi.budget);
        if let Some(ty) = &function.result {
            lower(ty, &mut block, function.abi.result.value_offset).map_err(|error| error.at(" -> result"))?;
        }
        if block.passes_handles() {
            // Only owned ones can be a result, so none of them ends with the call.
            block.settle(function, &self.store.data().handles)?;
        }
        self.give(block)
    }

    /// Answers with an error of the function's own type. Where it has none, the guest gets the
    /// text.
    pub(crate) fn fail_with(&mut self, text: &str, value: &Value) -> Result<()> {
        let function = &self.import.function;
        let Failure::Value(ty) = &function.failure else { return Err(Error::new(ErrorKind::HostError, text)) };
        let layout = &function.abi.result;
        let fields;
        let mut block = Block::begin(layout.size);
        block.bound(&self.store.data().wasi.budget);
        block.put(0, [1]);
        let lowered = if self.store.data().component.is_none() {
            block.lower(ty, &value, layout.value_offset)
        } else {
            // A chain, of which an engine's value is made.
            let (Some(errors), Some(record)) = (&function.errors, failing_record(function)) else {
                return Err(Error::new(ErrorKind::HostError, text));
            };
            fields = if is_record(ty, record) { value.clone() } else { Value::Record(vec![("value".to_owned(), value.clone())]) };
            lower_failure(errors, text, &fields, &mut block, layout.value_offset)
        };
        lowered.map_err(|error| error.at(" -> error"))?;
        if block.passes_handles() {
            block.settle(function, &self.store.data().handles)?;
        }
        self.give(block)
    }

    /// Lowers the error of a function that can fail.
    fn fail(&mut self, error: &Error) -> Result<()> {
        let function = &self.import.function;
        if let Failure::Value(ty) = &function.failure {
            let chain = match &function.errors {
                Some(errors) => chain_of(error, errors, &self.store.data().errors)?,
                None => error.chain().into(),
            };
            let value = chain.iter().find_map(|link| own_value(function, ty, link.fields()?)).or_else(|| worded(ty, error.message()));
            return match value {
                Some(value) => self.fail_with(error.message(), &value),
                None => {
                    let text = format!("{} (the guest takes no other error than {ty})", error.message());
                    let mut other = Error::new(ErrorKind::HostError, text);
                    if let Some(host) = error.host() {
                        other = other.with_host(host.clone());
                    }
                    Err(other)
                }
            };
        }
        let layout = &function.abi.result;
        let chain = match &function.errors {
            Some(errors) => Some((errors, chain_of(error, errors, &self.store.data().errors)?)),
            None => None,
        };
        let mut block = Block::begin(layout.size);
        block.put(0, [1]);
        match &chain {
            Some((errors, chain)) => lower_chain(errors, chain, &mut block, layout.value_offset)?,
            None => block.put_str(layout.value_offset, error.message())?,
        }
        self.give(block)
    }

    pub(crate) fn give(&mut self, mut block: Block<'_>) -> Result<()> {
        self.later.answered = true;
        let abi = &self.import.function.abi;
        if let Some(slot) = abi.result.flat {
            self.raw[0].write(ValRaw::u64(block.load(slot)));
            if block.placed_size(false)? == 0 {
                return Ok(());
            }
        }
        if !abi.returns_by_pointer() {
            return Ok(());
        }
        match self.driver {
            Driver::Direct => drop(place_here(&mut self.store, &mut block, false)?),
            Driver::Fiber => {
                let guest = self.store.data().guest;
                if guest.place_at_once(&mut self.store, &mut block, false)?.is_none() {
                    self.later.block = Some(block.into_owned());
                    return Ok(());
                }
            }
        }
        self.put_result(block.head())
    }

    /// Copies a result, whose nested data is already placed, to where the guest expects it.
    #[inline]
    pub(crate) fn put_result(&mut self, head: &[u8]) -> Result<()> {
        put_result(self.import, &mut self.store, head, self.raw)
    }

    #[cold]
    fn in_import(&self, error: Error) -> Error {
        error.in_function(&format!("{}.{}", self.import.module, self.import.function.name))
    }

    /// What the guest gets, or what ends it, after the host's code has returned; nothing yet if
    /// that has deferred its answer.
    pub(crate) fn conclude(&mut self, result: Result<()>) -> Result<()> {
        if self.later.deferred.is_some() {
            if result.is_ok() {
                return Ok(());
            }
            self.later.deferred = None;
        }
        // A host function that ignores the end of the instance into which it has called back must
        // not revive it.
        let life = &self.store.data().life;
        if !life.is_fine()
            && let Some(cause) = life.cause()
        {
            return Err(result.err().unwrap_or(cause));
        }
        match result {
            Err(error) if error.kind() == ErrorKind::HostError && self.import.function.fallible => {
                self.fail(&error).map_err(|error| self.in_import(error))?;
            }
            Err(error) => return Err(self.in_import(error)),
            // Zero bytes: otherwise the guest would read its own argument, or its stack, as the
            // result.
            Ok(()) if !self.later.answered => self.give(Block::begin(self.import.function.abi.result.size))?,
            Ok(()) => {}
        }
        let budget = &self.store.data().wasi.budget;
        if budget.is_limited() { budget.check() } else { Ok(()) }
    }
}

/// The record that an error of a function's own type is, or that has it as its one field.
fn failing_record(function: &Function) -> Option<&Arc<RecordType>> {
    let errors = function.errors.as_ref()?;
    match &errors.cases.last()?.ty.as_ref()?.kind {
        TypeKind::Tuple(both) => match &both.items.get(1)?.kind {
            TypeKind::Record(record) => Some(record),
            _ => None,
        },
        _ => None,
    }
}

fn is_record(ty: &Type, record: &Arc<RecordType>) -> bool {
    matches!(&ty.kind, TypeKind::Record(own) if Arc::ptr_eq(own, record))
}

/// The error that the fields of a host's error are, if they are those of the function's.
fn own_value(function: &Function, ty: &Type, fields: &ErrorFields) -> Option<Value> {
    let record = failing_record(function)?;
    if !Arc::ptr_eq(fields.record(), record) {
        return None;
    }
    match fields.value() {
        value if is_record(ty, record) => Some(value.clone()),
        Value::Record(all) => all.first().map(|(_, value)| value.clone()),
        _ => None,
    }
}

/// An error in words, if the type has a case for these: `other`, or the only one with a text.
fn worded(ty: &Type, text: &str) -> Option<Value> {
    let TypeKind::Variant(variant) = &ty.kind else { return None };
    let is_text = |case: &&Case| case.ty.as_ref().is_some_and(|ty| matches!(ty.kind, TypeKind::String));
    let mut cases = variant.cases.iter().filter(is_text);
    let first = cases.next()?;
    let case = if cases.next().is_some() { variant.cases.iter().filter(is_text).find(|case| case.name == "other")? } else { first };
    Some(Value::Variant(case.name.clone(), Some(Box::new(Value::String(text.to_owned())))))
}

/// Copies a result to where the guest expects it.
pub(super) fn put_result(import: &Import, store: &mut StoreContextMut<'_, State>, head: &[u8], raw: &[MaybeUninit<ValRaw>]) -> Result<()> {
    let abi = &import.function.abi;
    let target = raw_u64(raw, abi.core_values() - 1) as u32;
    let data = MemoryCache::write(store.data().guest.memory()?, store);
    let size = abi.result.size;
    GuestMemory::new(data).slice(target, 1, size, abi.result.align)?;
    // Checked by the line above.
    let at = target as usize;
    data[at..at + size as usize].copy_from_slice(&head[..size as usize]);
    Ok(())
}
