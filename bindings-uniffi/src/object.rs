//! Calls of a plugin's objects: their methods, and the items of iterators.

use std::sync::{Arc, PoisonError};
use std::time::Instant;

use undergo::host::ReadAhead;
use undergo::{CallOptions, Error, ErrorKind, Plugin, Result};

use crate::cancel::CancelToken;
use crate::config::call_options;
use crate::errors::CallError;
use crate::exports::{copied, lend, method, resource};
use crate::handle::{Access, GuestHandle, Owner, Shape};
use crate::lease::Lease;
use crate::threads;
use crate::value::Value;
use crate::values::ToValue;

/// Items of an iterator.
#[derive(Debug, uniffi::Record)]
pub struct Batch {
    /// In order; none only at the end.
    pub items: Vec<Value>,
    /// Whether there are no more.
    pub is_over: bool,
}

#[uniffi::export]
impl GuestHandle {
    /// The name of its resource in WIT.
    pub fn resource(&self) -> String {
        self.core.ty().name.clone()
    }

    /// What it is a handle of.
    pub fn shape(&self) -> Shape {
        self.core.ty().shape.into()
    }

    /// Whether it can be used: it was not closed, nor given away, nor ended with its instance.
    pub fn is_open(&self) -> bool {
        self.core.is_open()
    }

    /// Whether its calls are awaited.
    pub fn is_awaited(&self) -> bool {
        matches!(self.owner, Owner::Awaits(_))
    }

    /// Calls a method, by its name in WIT or in the other language.
    ///
    /// # Errors
    ///
    /// `unknown-export`, `type-mismatch` once it is closed, `signature-mismatch` where calls are
    /// awaited, and whatever the call ends with.
    pub fn call(
        self: Arc<Self>,
        name: String,
        args: Vec<Value>,
        timeout: Option<f64>,
        cancel: Option<Arc<CancelToken>>,
    ) -> Result<Value, CallError> {
        let options = call_options(timeout, cancel.as_deref(), None)?;
        Ok(self.run(&name, &args, &options)?)
    }

    /// Calls a method of an object whose calls are awaited. `lease` is that of the host function
    /// from which the call comes.
    ///
    /// # Errors
    ///
    /// As those of [`call`](GuestHandle::call); `signature-mismatch` where calls are not awaited.
    pub async fn call_async(
        self: Arc<Self>,
        name: String,
        args: Vec<Value>,
        timeout: Option<f64>,
        cancel: Option<Arc<CancelToken>>,
        lease: Option<Arc<Lease>>,
    ) -> Result<Value, CallError> {
        let options = call_options(timeout, cancel.as_deref(), lease.as_deref())?;
        Ok(self.run_async(name, args, options).await?)
    }

    /// Gives the next items of an iterator: as many as it is likely to give quickly.
    ///
    /// # Errors
    ///
    /// As those of [`call`](GuestHandle::call).
    pub fn next(self: Arc<Self>, timeout: Option<f64>, cancel: Option<Arc<CancelToken>>) -> Result<Batch, CallError> {
        let options = call_options(timeout, cancel.as_deref(), None)?;
        let (most, begun) = (self.most()?, Instant::now());
        let batch = self.run("next", &[Value::Int { value: most.into() }], &options)?;
        Ok(self.batch(batch, begun)?)
    }

    /// The same for an iterator whose calls are awaited.
    ///
    /// # Errors
    ///
    /// As those of [`call_async`](GuestHandle::call_async).
    pub async fn next_async(
        self: Arc<Self>,
        timeout: Option<f64>,
        cancel: Option<Arc<CancelToken>>,
        lease: Option<Arc<Lease>>,
    ) -> Result<Batch, CallError> {
        let options = call_options(timeout, cancel.as_deref(), lease.as_deref())?;
        let (most, begun) = (self.most()?, Instant::now());
        let batch = self.run_async("next".to_owned(), vec![Value::Int { value: most.into() }], options).await?;
        Ok(self.batch(batch, begun)?)
    }

    /// Closes it: the plugin releases its object, at once or after the call that is running; where
    /// calls are awaited, with the next one. Closing it again does nothing.
    ///
    /// # Errors
    ///
    /// Whatever ends the guest while the object is released.
    pub fn close(&self) -> Result<(), CallError> {
        match &self.owner {
            Owner::Blocks(access) => match access.check() {
                Ok(instance) => Ok(instance.close_handle(&self.core)?),
                // It was closed as the instance was returned.
                Err(_) => Ok(()),
            },
            Owner::Awaits(_) => {
                self.core.close();
                Ok(())
            }
        }
    }

    /// The same, and waits until the plugin has released its object.
    ///
    /// # Errors
    ///
    /// As those of [`close`](GuestHandle::close).
    pub async fn close_async(&self) -> Result<(), CallError> {
        let Owner::Awaits(access) = &self.owner else { return self.close() };
        let Ok(instance) = access.check() else { return Ok(()) };
        let (instance, handle) = (instance.clone(), self.core.clone());
        Ok(threads::task(async move { instance.close_handle(&handle).await }).await?)
    }
}

impl GuestHandle {
    fn method(&self, plugin: &Plugin, name: &str) -> Result<usize> {
        method(plugin, resource(plugin, self.core.ty())?, name)
    }

    fn blocking(&self) -> Result<&Arc<Access<undergo::Instance>>> {
        let Owner::Blocks(access) = &self.owner else {
            let text = format!("the {} is one of an asynchronous instance: await its calls", self.core.ty().name);
            return Err(Error::new(ErrorKind::SignatureMismatch, text));
        };
        Ok(access)
    }

    fn run(self: &Arc<Self>, name: &str, args: &[Value], options: &CallOptions) -> Result<Value> {
        let access = self.blocking()?;
        let instance = access.check()?;
        let own = Value::Handle { handle: self.clone() };
        let mut arguments = instance.arguments(self.method(instance.plugin(), name)?)?;
        lend(&mut arguments, Some(&own), args)?;
        arguments.call(instance, options, |outcome| outcome.lift(&ToValue::of(&self.owner)))
    }

    async fn run_async(self: &Arc<Self>, name: String, args: Vec<Value>, options: CallOptions) -> Result<Value> {
        let Owner::Awaits(access) = &self.owner else {
            let text = format!("the {} is no one of an asynchronous instance: its calls are not awaited", self.core.ty().name);
            return Err(Error::new(ErrorKind::SignatureMismatch, text));
        };
        let (instance, lift) = (access.check()?.clone(), ToValue::of(&self.owner));
        let own = Value::Handle { handle: self.clone() };
        let arguments = copied(instance.plugin(), self.method(instance.plugin(), &name)?, Some(&own), &args)?;
        threads::task(async move { instance.call_then(arguments, &options, move |outcome| outcome.lift(&lift)).await }).await
    }

    /// How many items to ask for.
    fn most(&self) -> Result<u32> {
        let plugin = match &self.owner {
            Owner::Blocks(access) => access.check()?.plugin(),
            Owner::Awaits(access) => access.check()?.plugin(),
        };
        let next = resource(plugin, self.core.ty())?.methods.first();
        let next = next.filter(|_| self.core.ty().shape == undergo::interface::Shape::Iterator);
        let next = next.ok_or_else(|| Error::new(ErrorKind::TypeMismatch, format!("the {} is no iterator", self.core.ty().name)))?;
        let mut ahead = self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(ahead.get_or_insert_with(|| ReadAhead::of(next)).most())
    }

    /// What `next` has given. The plugin's iterator is released at the end.
    fn batch(&self, given: Value, begun: Instant) -> Result<Batch> {
        let Value::Items { items: given } = given else { return Err(misfit()) };
        let mut parts = given.into_iter();
        let (Some(items), Some(Value::Bool { value: is_over })) = (parts.next(), parts.next()) else { return Err(misfit()) };
        let items = match items {
            Value::Items { items } => items,
            // Items that are bytes come packed.
            Value::Bytes { value } => value.into_iter().map(|byte| Value::Int { value: byte.into() }).collect(),
            _ => return Err(misfit()),
        };
        if items.is_empty() && !is_over {
            // Whoever wants an item would ask for ever.
            return Err(Error::new(ErrorKind::Trap, "the guest's iterator gave neither an item nor its end"));
        }
        if let Some(ahead) = &mut *self.ahead.lock().unwrap_or_else(PoisonError::into_inner) {
            ahead.note(begun.elapsed(), items.len());
        }
        if is_over {
            self.core.close();
        }
        Ok(Batch { items, is_over })
    }
}

fn misfit() -> Error {
    Error::new(ErrorKind::TypeMismatch, "the iterator's next gives no items: it has another type than iterators have")
}
