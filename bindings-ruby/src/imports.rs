//! The host functions of a Ruby program.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use magnus::rb_sys::{AsRawValue, FromRawValue, protect};
use magnus::value::Opaque;
use magnus::{Error, RArray, Ruby, Value, gc};
use undergo::host::{HostCall, HostFunction, Lasting};
use undergo::{ErrorKind, Imports, Output};

use crate::chain;
use crate::keep::Reading;
use crate::lift::ToRuby;
use crate::lock;
use crate::lower::Given;

/// An instance's host functions. Ruby's collector has to see them through the object that has the
/// instance, since a function that refers to this object makes a cycle. So the core's functions do
/// not keep them alive.
struct Table {
    functions: Lasting<Vec<Opaque<Value>>>,
    is_alive: AtomicBool,
}

/// The part of an object of Ruby that has the table, and shows it to the collector.
pub(crate) struct HostTable(Arc<Table>);

impl HostTable {
    pub(crate) fn mark(&self, marker: &gc::Marker) {
        self.0.functions.get().into_iter().flatten().for_each(|function| marker.mark(*function));
    }
}

impl Drop for HostTable {
    fn drop(&mut self) {
        self.0.is_alive.store(false, Ordering::Release);
    }
}

/// A table that is being filled, with functions that the caller keeps alive.
pub(crate) struct Filling {
    table: Arc<Table>,
    functions: Vec<Opaque<Value>>,
}

impl Filling {
    pub(crate) fn new() -> Filling {
        let table = Table { functions: Lasting::new(), is_alive: AtomicBool::new(true) };
        Filling { table: Arc::new(table), functions: Vec::new() }
    }

    fn hold(&mut self, function: Value) -> Callable {
        self.functions.push(function.into());
        Callable { table: self.table.clone(), number: self.functions.len() - 1 }
    }

    /// An output whose lines go to a function.
    pub(crate) fn lines(&mut self, function: Value) -> Output {
        let callable = self.hold(function);
        Output::lines(move |line| {
            lock::with(|ruby| {
                let args = ruby.ary_new();
                args.push(String::from_utf8_lossy(line).into_owned()).map_err(|error| lock::raised(ruby, error))?;
                apply(callable.function(ruby)?, args).map(drop).map_err(|error| lock::raised(ruby, error))
            })
        })
    }

    /// The functions, each with the names of its interface and its own.
    pub(crate) fn imports(&mut self, given: RArray) -> Result<Imports, Error> {
        let mut imports = Imports::default();
        for number in 0..given.len() {
            let (interface, name, function): (String, String, Value) = given.entry(number.cast_signed())?;
            imports.set(&interface, name, Arc::new(self.hold(function)));
        }
        Ok(imports)
    }

    /// The table with all that it holds.
    pub(crate) fn finish(self) -> HostTable {
        // Set here alone.
        self.table.functions.get_or_make(|| self.functions);
        HostTable(self.table)
    }
}

struct Callable {
    table: Arc<Table>,
    number: usize,
}

impl Callable {
    fn function(&self, ruby: &Ruby) -> undergo::Result<Value> {
        let is_alive = self.table.is_alive.load(Ordering::Acquire);
        let function = self.table.functions.get().filter(|_| is_alive).and_then(|functions| functions.get(self.number));
        let function = function.map(|function| ruby.get_inner(*function));
        let gone = || undergo::Error::new(ErrorKind::HostError, "the host function is gone with the instance that it was given to");
        function.ok_or_else(gone)
    }
}

impl HostFunction for Callable {
    fn call(&self, call: &mut HostCall<'_>) -> undergo::Result<()> {
        lock::with(|ruby| {
            let function = self.function(ruby)?;
            let reading = Reading::begin();
            let args = ruby.ary_new_from_values(&call.args(&ToRuby::holding(ruby))?);
            drop(reading);
            let result = call.outside(|| apply(function, args)).map_err(|error| chain::raised(ruby, error, call.function()))?;
            let _reading = Reading::begin();
            call.answer(&Given::new(ruby, result))
        })
    }
}

/// Calls what responds to `call`.
fn apply(function: Value, args: RArray) -> Result<Value, Error> {
    let result = protect(|| {
        // SAFETY: two live objects; the thread has Ruby's lock, and a jump is caught.
        unsafe { rb_sys::rb_apply(function.as_raw(), rb_sys::rb_intern(c"call".as_ptr()), args.as_raw()) }
    });
    // SAFETY: it is what the function has returned, and on this stack.
    result.map(|value| unsafe { Value::from_raw(value) })
}
