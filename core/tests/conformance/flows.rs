//! Iterators and streams: those that the runner gives to the guest, and those of the guest.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use serde_json::Value as Json;
use undergo::host::{HostCall, HostFunction, ReadAhead, ToValue};
use undergo::interface::{Resource, Type, TypeKind};
use undergo::{Error, Handle, HostObject, Instance, Result, Value};

use crate::common::PLAIN;
use crate::common::host::fail;
use crate::values::{self, Mark};

/// What the guest has written to a stream of the runner's.
pub(crate) type Written = Arc<Mutex<Vec<u8>>>;

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Calls a method of an object of the guest.
pub(crate) fn method(instance: &Instance, object: &Handle, name: &str, args: &[Value]) -> Result<Value> {
    let plugin = instance.plugin();
    let member = plugin.interface().and_then(|interface| interface.resource(object.ty()).method(name));
    let number = member.and_then(|member| plugin.member(member)).ok_or_else(|| fail(&format!("there is no method {name}")))?;
    let all: Vec<Value> = [Value::Handle(object.clone())].into_iter().chain(args.iter().cloned()).collect();
    instance.call_with(number, &PLAIN, |arguments| arguments.lower_all(all.iter()), |outcome| outcome.lift(&ToValue))
}

/// An iterator of the guest, which is read ahead.
pub(crate) struct Items {
    ready: VecDeque<Value>,
    is_over: bool,
    ahead: ReadAhead,
}

impl Items {
    pub(crate) fn of(resource: &Resource) -> Option<Items> {
        let next = resource.method("next")?;
        Some(Items { ready: VecDeque::new(), is_over: false, ahead: ReadAhead::of(next) })
    }

    /// The next item, if there is one.
    pub(crate) fn next(&mut self, instance: &Instance, iterator: &Handle) -> Result<Option<Value>> {
        while self.ready.is_empty() && !self.is_over {
            let began = Instant::now();
            let batch = method(instance, iterator, "next", &[Value::Int(self.ahead.most().into())])?;
            let Value::List(mut parts) = batch else { return Err(fail("a batch is no tuple")) };
            let (Some(Value::Bool(is_over)), Some(Value::List(items))) = (parts.pop(), parts.pop()) else {
                return Err(fail("a batch has items, and whether there are no more"));
            };
            self.ahead.note(began.elapsed(), items.len());
            (self.ready, self.is_over) = (items.into(), is_over);
        }
        Ok(self.ready.pop_front())
    }
}

/// The type of a list of the items of an iterator.
pub(crate) fn items_type(resource: &Resource) -> Option<&Type> {
    match resource.method("next")?.result.as_ref().map(|result| &result.kind) {
        Some(TypeKind::Tuple(batch)) => batch.items.first(),
        _ => None,
    }
}

/// Up to `most` bytes of a stream of the guest; fewer at its end.
pub(crate) fn read(instance: &Instance, stream: &Handle, most: usize) -> Result<Vec<u8>> {
    let mut all = Vec::new();
    while all.len() < most {
        let next = u32::try_from(most - all.len()).unwrap_or(u32::MAX);
        match method(instance, stream, "read", &[Value::Int(next.into())])? {
            Value::Bytes(bytes) if !bytes.is_empty() => all.extend(bytes),
            _ => break,
        }
    }
    Ok(all)
}

/// A method of the runner's own.
struct Function<F>(F);

impl<F: Fn(&[Value]) -> Result<Value> + Send + Sync> HostFunction for Function<F> {
    fn call(&self, call: &mut HostCall<'_>) -> Result<()> {
        let args = call.args(&ToValue)?;
        let result = call.outside(|| (self.0)(&args))?;
        call.answer(&&result)
    }
}

/// A stream, of which that is the first method.
fn stream(first: impl Fn(&[Value]) -> Result<Value> + Send + Sync + 'static) -> Value {
    let close = |_: &[Value]| Ok(Value::None);
    Value::Object(HostObject::new([Arc::new(Function(first)) as Arc<dyn HostFunction>, Arc::new(Function(close))]))
}

/// The number that a method was called with.
fn most(args: &[Value]) -> usize {
    match args.last() {
        Some(Value::Int(n)) => usize::try_from(*n).unwrap_or(0),
        Some(Value::Uint(n)) => usize::try_from(*n).unwrap_or(usize::MAX),
        _ => 0,
    }
}

/// The iterable or stream that a mark stands for, for a parameter of that resource.
pub(crate) fn given(mark: &Mark<'_>, resource: &Resource, write_to: impl FnOnce(&str) -> Written) -> Option<Value> {
    let nothing_lives = |_: &Mark<'_>| None;
    let fails = mark.then == Some("fail");
    match mark.name {
        "$items" => {
            let Ok(Value::List(items)) = values::from_json(mark.inner, items_type(resource), Some(&nothing_lives)) else { return None };
            let left = Mutex::new(VecDeque::from(items));
            Some(Value::Object(HostObject::func(move |args| {
                let mut left = lock(&left);
                if left.is_empty() && fails {
                    return Err(fail("no more items"));
                }
                let count = most(args).min(left.len());
                let items = left.drain(..count).collect();
                Ok(Value::List(vec![Value::List(items), Value::Bool(left.is_empty() && !fails)]))
            })))
        }
        "$endless" => {
            let Some(TypeKind::List(item)) = items_type(resource).map(|ty| &ty.kind) else { return None };
            let value = values::from_json(mark.inner, Some(item), Some(&nothing_lives)).ok()?;
            let next = move |args: &[Value]| Ok(Value::List(vec![Value::List(vec![value.clone(); most(args)]), Value::Bool(false)]));
            Some(Value::Object(HostObject::func(next)))
        }
        "$reader" => {
            let Ok(Value::Bytes(all)) = values::from_json(mark.inner, Some(&bytes_type()), Some(&nothing_lives)) else { return None };
            let (at, repeats) = (Mutex::new(0), mark.then == Some("repeat"));
            Some(stream(move |args| {
                let mut at = lock(&at);
                if *at == all.len() && fails {
                    return Err(fail("broken reader"));
                }
                if *at == all.len() && repeats {
                    *at = 0;
                }
                let from = *at;
                *at = from.saturating_add(most(args)).min(all.len());
                Ok(Value::Bytes(all[from..*at].to_vec()))
            }))
        }
        "$writer" => {
            let written = write_to(mark.inner.get("as")?.as_str()?);
            let room = mark.inner.get("most").and_then(Json::as_u64).and_then(|n| usize::try_from(n).ok()).unwrap_or(usize::MAX);
            Some(stream(move |args| {
                let Some(Value::Bytes(data)) = args.last() else { return Err(fail("what is written is no bytes")) };
                let mut written = lock(&written);
                if written.len() + data.len() > room {
                    return Err(fail("broken writer"));
                }
                written.extend(data);
                Ok(Value::None)
            }))
        }
        _ => None,
    }
}

/// An iterator or stream of the guest as one of the runner's.
pub(crate) fn passed_on(instance: &Instance, object: &Handle, resource: &Resource) -> Value {
    let method = |name: &str| {
        let (instance, object, name) = (instance.clone(), object.clone(), name.to_owned());
        let call = move |args: &[Value]| method(&instance, &object, &name, args).map_err(|error: Error| fail(error.message()));
        Arc::new(Function(call)) as Arc<dyn HostFunction>
    };
    Value::Object(HostObject::new(resource.ty.methods.iter().map(|name| method(name))))
}

/// The type of a list of bytes.
pub(crate) fn bytes_type() -> Type {
    Type::new(TypeKind::List(Arc::new(Type::new(TypeKind::Scalar(undergo::interface::Scalar::U8)))))
}
