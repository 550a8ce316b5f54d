//! Iterators and streams of a guest, as objects of the host that other functions take.

use std::sync::Arc;

use undergo::host::{HostCall, HostFunction, ToValue};
use undergo::interface::Shape as ResourceShape;
use undergo::{CallOptions, Error, ErrorKind, Result, Value};

use crate::boundary::{borrow, delete};
use crate::chain::from_host;
use crate::errors::{self, ErrorHandle};
use crate::guard::{guard, put};
use crate::handles::{Batch, NextResult, ResourceHandle};
use crate::iterators::{check, no_iterator, parts};
use crate::lower::Place;
use crate::object::ObjectHandle;
use crate::{items, members, streams};

/// Creates an object of the host that has what an iterator or a stream of the guest's has: an
/// iterable, or a stream, for `undergo_value_object` and a parameter of any function of any
/// instance that takes one. Type-mismatch for other handles.
///
/// The handle stays the caller's, and may be freed before the object, but what is taken from one of
/// them is gone from the other. When the guest that has got the object is at the end of the
/// iterator, or closes the stream, both are closed. The caller frees the object with
/// `undergo_object_delete`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_handle_as_object(handle: *const ResourceHandle, object: *mut *mut ObjectHandle) -> *mut ErrorHandle {
    guard(|| {
        // SAFETY: C's promise.
        let handle = unsafe { borrow(handle, "handle") }?;
        // SAFETY: C's promise.
        unsafe { put(object, "object", || passed_on(handle)) }
    })
}

fn passed_on(handle: &ResourceHandle) -> Result<ObjectHandle> {
    let stream = |name| {
        let handle = Arc::new(handle.same());
        let transfer: Arc<dyn HostFunction> = Arc::new(Transfer { name, handle: handle.clone() });
        let close: Arc<dyn HostFunction> = Arc::new(Close(handle));
        Ok(ObjectHandle::named(vec![(name.to_owned(), transfer), ("close".to_owned(), close)]))
    };
    match handle.core.ty().shape {
        ResourceShape::Iterator => {
            let next: Arc<dyn HostFunction> = Arc::new(Items(handle.same()));
            Ok(ObjectHandle::named(vec![("next".to_owned(), next)]))
        }
        ResourceShape::Reader => stream("read"),
        ResourceShape::Writer => stream("write"),
        ResourceShape::Object | ResourceShape::Callback => {
            let text = format!("the {} is neither an iterator nor a stream", handle.core.ty().name);
            Err(Error::new(ErrorKind::TypeMismatch, text))
        }
    }
}

/// Calls the instance that an object belongs to, which may be the one that waits for the host.
fn ask<R>(call: &mut HostCall<'_>, code: impl FnOnce() -> Result<R>) -> Result<R> {
    let function = call.function();
    // As if a function of C had passed the error on.
    // SAFETY: its handle is new.
    call.outside(code).map_err(|error| unsafe { from_host(errors::handle(error), function) })
}

/// An iterator of the guest's. What was read ahead comes first.
struct Items(ResourceHandle);

impl HostFunction for Items {
    fn call(&self, call: &mut HostCall<'_>) -> Result<()> {
        let most = items::most(call)?;
        let mut batch = self.0.lock()?;
        if batch.structs.left > 0 {
            return self.answer_structs(call, &mut batch, most);
        }
        let (items, has_ended) = if batch.values.is_empty() && !batch.has_ended {
            // As many as the other guest asks for, which adapts that to what it needs.
            let given = ask(call, || {
                let args = [&Value::Int(most.into())];
                members::invoke(&self.0, "next", &args, CallOptions::NONE, |outcome| outcome.lift(&ToValue))
            })?;
            let (items, has_ended) = parts(&self.0, given)?;
            let came = match &items {
                Value::List(items) => items.len(),
                Value::Bytes(bytes) => bytes.len(),
                Value::Map(entries) => entries.len(),
                _ => return Err(no_iterator(&self.0)),
            };
            check(came, has_ended)?;
            batch.end(&self.0, has_ended);
            (items, has_ended)
        } else {
            let count = (most as usize).min(batch.values.len());
            (Value::List(batch.values.drain(..count).collect()), batch.has_ended && batch.values.is_empty())
        };
        call.answer(&&Value::List(vec![items, Value::Bool(has_ended)]))
    }
}

impl Items {
    /// Gives items that were read ahead as structs.
    fn answer_structs(&self, call: &mut HostCall<'_>, batch: &mut Batch, most: u32) -> Result<()> {
        let alive = self.0.instance()?;
        let plugin = alive.core.plugin();
        let (_, shape) = members::place(plugin, members::method(plugin, &self.0, "next")?)?;
        let structs = &mut batch.structs;
        let Some(layout) = shape.result.as_ref().filter(|_| shape.digest == structs.digest) else { return Err(no_iterator(&self.0)) };
        let count = (most as usize).min(structs.left);
        let given = NextResult { items: structs.at.cast(), len: count, has_ended: batch.has_ended && count == structs.left };
        // SAFETY: the result of `next` is such a struct, and so many items are there.
        let answered = call.answer(&unsafe { Place::new((&raw const given).cast(), layout) });
        structs.at = structs.at.wrapping_add(count * structs.size);
        structs.left -= count;
        let own = structs.handles.len().min(count);
        for handle in structs.handles.drain(..own).flatten() {
            // SAFETY: its item is gone, and nobody else has it.
            unsafe { delete(handle) };
        }
        answered
    }
}

/// The reading, or the writing, of a stream of the guest's.
struct Transfer {
    name: &'static str,
    handle: Arc<ResourceHandle>,
}

impl HostFunction for Transfer {
    fn call(&self, call: &mut HostCall<'_>) -> Result<()> {
        let given = streams::argument(call, self.name)?.unwrap_or(Value::None);
        let answer =
            ask(call, || members::invoke(&self.handle, self.name, &[&given], CallOptions::NONE, |outcome| outcome.lift(&ToValue)))?;
        call.answer(&&answer)
    }
}

struct Close(Arc<ResourceHandle>);

impl HostFunction for Close {
    fn call(&self, call: &mut HostCall<'_>) -> Result<()> {
        streams::argument(call, "close")?;
        ask(call, || streams::close(&self.0, CallOptions::NONE))?;
        call.answer(&&Value::None)
    }
}
