//! The host functions of a Ruby program.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use magnus::prelude::*;
use magnus::rb_sys::{AsRawValue, FromRawValue, protect};
use magnus::{Error, RArray, RString, Ruby, Value, gc};
use undergo::host::{HostCall, HostFunction, Reject};
use undergo::interface::{ResourceType, Shape};
use undergo::{ErrorKind, HostObject, Imports, Output};

use crate::keep::{Kept, Reading, Slots};
use crate::lift::{Own, ToRuby};
use crate::lower::{Given, Keeper, Lowered};
use crate::{chain, gem, lock};

/// What an instance has of the host's Ruby: its host functions, and the objects that calls pass.
/// Ruby's collector has to see them through the object that has the instance, since a function that
/// refers to this object makes a cycle. So the core's functions do not keep them alive.
struct Table {
    slots: Slots,
    is_alive: AtomicBool,
    /// The instances that this one is linked to.
    linked: Mutex<Vec<Kept>>,
}

/// The part of an object of Ruby that has the table, and shows it to the collector.
pub(crate) struct HostTable {
    table: Arc<Table>,
    is_owner: bool,
}

impl HostTable {
    pub(crate) fn mark(&self, marker: &gc::Marker) {
        self.table.slots.mark(marker);
    }

    /// Whether it is that of another object.
    pub(crate) fn is_lent(&self) -> bool {
        !self.is_owner
    }

    /// That of another object, which keeps this one alive.
    pub(crate) fn lent(&self) -> HostTable {
        HostTable { table: self.table.clone(), is_owner: false }
    }
}

impl Drop for HostTable {
    fn drop(&mut self) {
        if self.is_owner {
            self.table.is_alive.store(false, Ordering::Release);
        }
    }
}

impl Keeper for HostTable {
    fn object(&self, ruby: &Ruby, value: Value, resource: &ResourceType) -> Lowered<HostObject> {
        self.table.object(ruby, value, resource)
    }
}

impl Table {
    fn hold(self: &Arc<Table>, function: Value) -> Callable {
        Callable { table: self.clone(), kept: Arc::new(self.slots.keep(function)), member: None }
    }

    /// What a guest gets of an object: a function for each method.
    fn object(self: &Arc<Table>, ruby: &Ruby, value: Value, resource: &ResourceType) -> Lowered<HostObject> {
        let shape = match resource.shape {
            Shape::Object => "object",
            Shape::Callback => "callback",
            Shape::Iterator => "items",
            Shape::Reader => "source",
            Shape::Writer => "sink",
        };
        let methods = ruby.ary_from_iter(resource.methods.iter().map(|method| ruby.str_new(method)));
        let found: Value = gem::call(ruby, "passed", (shape, value, methods)).map_err(|error| Reject::Error(lock::raised(ruby, error)))?;
        let Some(functions) = RArray::from_value(found) else {
            return Err(RString::from_value(found).and_then(|text| text.to_string().ok()).map_or(Reject::Type, Reject::Value));
        };
        let all = self.hold(functions.as_value());
        let member = |number: usize| Arc::new(Callable { member: Some(number), ..all.clone() }) as Arc<dyn HostFunction>;
        let object = HostObject::new((0..resource.methods.len()).map(member));
        if resource.shape != Shape::Object {
            return Ok(object);
        }
        let own = self.hold(value);
        Ok(object.standing_for(Own(Box::new(move |ruby| own.function(ruby)))))
    }
}

/// A table that is being filled, with functions that the caller keeps alive.
pub(crate) struct Filling(Arc<Table>);

impl Filling {
    pub(crate) fn new() -> Filling {
        Filling(Arc::new(Table { slots: Slots::new(), is_alive: AtomicBool::new(true), linked: Mutex::default() }))
    }

    /// An output whose lines go to a function.
    pub(crate) fn lines(&mut self, function: Value) -> Output {
        let callable = self.0.hold(function);
        Output::lines(move |line| {
            lock::with(|ruby| {
                let args = ruby.ary_new();
                args.push(String::from_utf8_lossy(line).into_owned()).map_err(|error| lock::raised(ruby, error))?;
                apply(callable.function(ruby)?, args).map(drop).map_err(|error| lock::raised(ruby, error))
            })
        })
    }

    /// The functions, each with the names of its interface and its own. What has an empty name is
    /// an instance, which `link` links.
    pub(crate) fn imports(
        &mut self,
        given: RArray,
        link: impl Fn(&mut Imports, &str, Value) -> Result<(), Error>,
    ) -> Result<Imports, Error> {
        let mut imports = Imports::default();
        for number in 0..given.len() {
            let (interface, name, function): (String, String, Value) = given.entry(number.cast_signed())?;
            if name.is_empty() {
                link(&mut imports, &interface, function)?;
                // With it, what holds its own functions.
                self.0.linked.lock().unwrap_or_else(PoisonError::into_inner).push(self.0.slots.keep(function));
            } else {
                imports.set(&interface, name, Arc::new(self.0.hold(function)));
            }
        }
        Ok(imports)
    }

    /// The table with all that it holds.
    pub(crate) fn finish(self) -> HostTable {
        HostTable { table: self.0, is_owner: true }
    }
}

/// A function in a table, for as long as the core has it.
#[derive(Clone)]
struct Callable {
    table: Arc<Table>,
    kept: Arc<Kept>,
    /// Which one it is of those in an array.
    member: Option<usize>,
}

impl Callable {
    fn function(&self, ruby: &Ruby) -> undergo::Result<Value> {
        if !self.table.is_alive.load(Ordering::Acquire) {
            return Err(undergo::Error::new(ErrorKind::HostError, "the host function is gone with the instance that it was given to"));
        }
        let kept = self.kept.value(ruby);
        match (self.member, RArray::from_value(kept)) {
            (Some(number), Some(all)) => all.entry(number.cast_signed()).map_err(|error| lock::raised(ruby, error)),
            _ => Ok(kept),
        }
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
            call.answer(&Given::with(ruby, result, &Objects(&self.table)))
        })
    }
}

/// The table of a running function, for the objects that it returns.
struct Objects<'t>(&'t Arc<Table>);

impl Keeper for Objects<'_> {
    fn object(&self, ruby: &Ruby, value: Value, resource: &ResourceType) -> Lowered<HostObject> {
        self.0.object(ruby, value, resource)
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
