//! Closures over [`Value`]s as host functions.

use std::future::Future;
use std::sync::Arc;

use crate::abi::handles::HostObject;
use crate::abi::value::{ToValue, Value};
use crate::config::Lease;
use crate::error::Result;
use crate::guest::host::{Answer, HostCall, HostFunction, Imports};

impl Imports {
    /// Adds a closure over [`Value`]s. Go code may handle its error if that has the kind
    /// `host-error`.
    pub fn func<F>(&mut self, interface: impl Into<String>, name: impl Into<String>, function: F)
    where
        F: Fn(&[Value]) -> Result<Value> + Send + Sync + 'static,
    {
        self.set(interface, name, Arc::new(Closure(function)));
    }

    /// Adds an asynchronous closure over [`Value`]s, for asynchronous instances. Its lease is the
    /// right to call back into the instance.
    pub fn async_func<F, Fut>(&mut self, interface: impl Into<String>, name: impl Into<String>, function: F)
    where
        F: Fn(Vec<Value>, Option<Lease>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Value>> + Send + 'static,
    {
        self.set(interface, name, Arc::new(AsyncClosure(function)));
    }
}

impl HostObject {
    /// A function over [`Value`]s, for a parameter of a func type. Go code may handle its error if
    /// that has the kind `host-error`.
    pub fn func<F>(function: F) -> HostObject
    where
        F: Fn(&[Value]) -> Result<Value> + Send + Sync + 'static,
    {
        HostObject::new([Arc::new(Closure(function)) as Arc<dyn HostFunction>])
    }
}

struct Closure<F>(F);

impl<F> HostFunction for Closure<F>
where
    F: Fn(&[Value]) -> Result<Value> + Send + Sync,
{
    fn call(&self, call: &mut HostCall<'_>) -> Result<()> {
        let args = call.args(&ToValue)?;
        let result = call.outside(|| (self.0)(&args))?;
        call.answer(&&result)
    }
}

struct AsyncClosure<F>(F);

impl<F, Fut> HostFunction for AsyncClosure<F>
where
    F: Fn(Vec<Value>, Option<Lease>) -> Fut + Send + Sync,
    Fut: Future<Output = Result<Value>> + Send + 'static,
{
    fn call(&self, call: &mut HostCall<'_>) -> Result<()> {
        let args = call.args(&ToValue)?;
        let future = (self.0)(args, call.lease());
        call.defer(Box::pin(async move {
            let result = future.await?;
            Ok(Box::new(move |call: &mut HostCall<'_>| call.answer(&&result)) as Answer)
        }))
    }
}
