//! Iterators of the guest, whose items come in batches.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::ffi::c_void;
use std::ptr;
use std::time::Instant;

use undergo::host::ToValue;
use undergo::{CallOptions, Error, ErrorKind, Result, Value};

use crate::arena::Arena;
use crate::boundary::{borrow, give, null};
use crate::config::{CallOptionsValue, call_options};
use crate::errors::ErrorHandle;
use crate::exports::{self, SignatureValue};
use crate::guard::guard;
use crate::handles::{Batch, NextResult, ResourceHandle, Structs};
use crate::lift::Filling;
use crate::lower::Place;
use crate::members;
use crate::shape::Shape;
use crate::values::ValueHandle;

/// Takes the next item of an iterator of the guest's: sets `*item` to a value that the caller frees
/// with `undergo_value_delete`, or to NULL at the end, which closes the iterator. `options` may be
/// NULL.
///
/// Items come in batches, which grow while they come quickly. An error, such as a panic of the
/// guest, comes after the items before it. May be called on any thread, one at a time, and within
/// host functions that the instance has called; busy within those that the iterator itself has
/// called. Signature-mismatch while there are items that `undergo_iterator_next_typed` read ahead.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_iterator_next(
    iterator: *const ResourceHandle,
    options: *const CallOptionsValue,
    item: *mut *mut ValueHandle,
) -> *mut ErrorHandle {
    guard(|| {
        if item.is_null() {
            return Err(null("item"));
        }
        // SAFETY: C's promise.
        let (handle, options) = unsafe {
            item.write(ptr::null_mut());
            (borrow(iterator, "iterator")?, call_options(options))
        };
        let mut batch = handle.lock()?;
        if batch.structs.left > 0 {
            return Err(read_otherwise(handle));
        }
        if batch.values.is_empty() && !batch.has_ended {
            fetch_values(handle, &mut batch, &options)?;
        }
        if let Some(value) = batch.values.pop_front() {
            // SAFETY: C's promise.
            unsafe { item.write(give(ValueHandle(value))) };
        }
        Ok(())
    })
}

/// The same with structs, for generated headers: fills `item`, and sets whether there was one. What
/// the item points to lives until the next call of this function, or until the iterator is freed,
/// except for handles, which the caller frees. The signature is that of `next`; signature-mismatch
/// for another one, also while there are items that `undergo_iterator_next` read ahead.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_iterator_next_typed(
    iterator: *const ResourceHandle,
    signature: *const SignatureValue,
    options: *const CallOptionsValue,
    item: *mut c_void,
    has_item: *mut bool,
) -> *mut ErrorHandle {
    guard(|| {
        if item.is_null() || has_item.is_null() {
            return Err(null(if item.is_null() { "item" } else { "has_item" }));
        }
        // SAFETY: C's promise.
        let (handle, wanted) = unsafe {
            has_item.write(false);
            (borrow(iterator, "iterator")?, borrow(signature, "signature")?)
        };
        let mut batch = handle.lock()?;
        if !batch.values.is_empty() || batch.structs.left > 0 && batch.structs.digest != wanted.digest {
            return Err(read_otherwise(handle));
        }
        if batch.structs.left == 0 {
            if batch.has_ended {
                return Ok(());
            }
            // SAFETY: C's promise.
            fetch_structs(handle, &mut batch, wanted, &unsafe { call_options(options) })?;
        }
        if let Some(left) = batch.structs.left.checked_sub(1) {
            let size = batch.structs.size;
            // SAFETY: C's promise: there is room for an item of the function with that digest; and
            // there is one more.
            unsafe {
                ptr::copy_nonoverlapping(batch.structs.at, item.cast::<u8>(), size);
                has_item.write(true);
            }
            batch.structs.at = batch.structs.at.wrapping_add(size);
            batch.structs.left = left;
            batch.structs.handles.pop_front();
        }
        Ok(())
    })
}

fn fetch_values(handle: &ResourceHandle, batch: &mut Batch, options: &CallOptions) -> Result<()> {
    let (most, begun) = (batch.most(), Instant::now());
    let given = members::invoke(handle, "next", &[&Value::Int(most.into())], options, |outcome| outcome.lift(&ToValue))?;
    let (items, has_ended) = parts(handle, given)?;
    match items {
        Value::List(items) => batch.values = items.into(),
        Value::Bytes(bytes) => batch.values = bytes.into_iter().map(|byte| Value::Int(byte.into())).collect(),
        Value::Map(entries) => batch.values = entries.into_iter().map(|(key, value)| Value::List(vec![key, value])).collect(),
        _ => return Err(no_iterator(handle)),
    }
    check(batch.values.len(), has_ended)?;
    let are_small = batch.values.front().is_some_and(|item| matches!(item, Value::Int(_) | Value::Uint(_) | Value::Float(_)));
    batch.note(batch.values.len(), begun, are_small);
    batch.end(handle, has_ended);
    Ok(())
}

/// The items that `next` gave, and whether there are no more.
pub(crate) fn parts(handle: &ResourceHandle, given: Value) -> Result<(Value, bool)> {
    let Value::List(parts) = given else { return Err(no_iterator(handle)) };
    let Ok([items, Value::Bool(has_ended)]) = <[Value; 2]>::try_from(parts) else { return Err(no_iterator(handle)) };
    Ok((items, has_ended))
}

fn fetch_structs(handle: &ResourceHandle, batch: &mut Batch, wanted: &SignatureValue, options: &CallOptions) -> Result<()> {
    /// The struct of the arguments.
    #[repr(C)]
    struct Args {
        iterator: *const ResourceHandle,
        most: u32,
    }
    let (most, begun) = (batch.most(), Instant::now());
    let alive = handle.instance()?;
    let (export, shape) = exports::find(alive.core.plugin(), wanted)?;
    let (Some(layout), Some(item)) = (&shape.result, shape.item()) else { return Err(no_iterator(handle)) };
    let args = Args { iterator: ptr::from_ref(handle), most };
    let mut result = NextResult { items: ptr::null(), len: 0, has_ended: false };
    let arena = RefCell::new(Arena::new());
    alive.core.call_with(
        export,
        options,
        // SAFETY: these are the arguments of the function, if it is an iterator's.
        |arguments| unsafe { exports::lower_struct(arguments, next(shape, handle)?, (&raw const args).cast()) },
        |outcome| {
            // SAFETY: there is room for the result.
            let filling = unsafe { Filling::value(layout, (&raw mut result).cast(), &arena) }.with_handles_of(Some(&alive));
            outcome.lift(&filling).inspect_err(|_| filling.take_back())
        },
    )?;
    check(result.len, result.has_ended)?;
    let (at, left, size) = (result.items.cast::<u8>(), result.len, item.size);
    let mut handles = VecDeque::new();
    if item.has_handles() {
        for i in 0..left {
            let mut own = Vec::new();
            // SAFETY: so many items lie there, which the call has filled.
            unsafe { Place::new(at.wrapping_add(i * size), item) }.each_handle(&mut |handle, _| own.push(handle.cast()));
            handles.push_back(own);
        }
    }
    batch.structs = Structs { at, left, size, digest: wanted.digest, _arena: arena.into_inner(), handles };
    batch.note(result.len, begun, !item.has_nested() && item.size <= 16);
    batch.end(handle, result.has_ended);
    Ok(())
}

/// Checks that a batch brings the caller further, who would take one without items for the end.
pub(crate) fn check(came: usize, has_ended: bool) -> Result<()> {
    if came == 0 && !has_ended {
        return Err(Error::new(ErrorKind::Trap, "the guest's iterator gave neither an item nor its end"));
    }
    Ok(())
}

/// The shape, if its arguments are those of an iterator's `next`.
fn next<'s>(shape: &'s Shape, handle: &ResourceHandle) -> Result<&'s Shape> {
    let sizes: Vec<_> = shape.params.items.iter().map(|(offset, layout)| (*offset, layout.size)).collect();
    if sizes == [(0, size_of::<*const u8>()), (size_of::<*const u8>(), size_of::<u32>())] { Ok(shape) } else { Err(no_iterator(handle)) }
}

/// What was read ahead is there in one form only.
#[cold]
fn read_otherwise(handle: &ResourceHandle) -> Error {
    let name = &handle.core.ty().name;
    Error::new(ErrorKind::SignatureMismatch, format!("items of the {name} were read ahead for another function: go on with that one"))
}

#[cold]
pub(crate) fn no_iterator(handle: &ResourceHandle) -> Error {
    Error::new(ErrorKind::TypeMismatch, format!("the {} is no iterator", handle.core.ty().name))
}
