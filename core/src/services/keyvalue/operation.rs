//! The functions of `wasi:keyvalue`, and the methods of its objects.

use std::sync::Arc;
use std::time::Instant;

use super::store::{self, Store, StoreError};
use super::{KeyValue, of_program, shapes};
use crate::abi::handles::HostObject;
use crate::abi::memory::read_u32;
use crate::abi::value::{ToValue, Value};
use crate::error::Result;
use crate::guest::host::{HostCall, HostFunction};
use crate::interface::{Field, Function, ResourceType, Scalar, Type, TypeKind};

/// Bytes of a key.
const MAX_KEY: usize = 4 << 10;

/// What a function does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Does {
    Open,
    Get,
    Set,
    Delete,
    Exists,
    ListKeys,
    GetMany,
    SetMany,
    DeleteMany,
    Increment,
    NewCas,
    Current,
    Swap,
}

/// The object whose method it is.
#[derive(Clone)]
enum On {
    Nothing,
    Store(Arc<dyn Store>),
    Cas(Arc<Cas>),
}

/// A value that is to be replaced.
struct Cas {
    store: Arc<dyn Store>,
    key: String,
    read: Option<Vec<u8>>,
}

pub(super) struct Operation {
    of: KeyValue,
    does: Does,
    on: On,
}

/// What an operation has led to.
enum Done {
    Value(Value),
    Page(Vec<String>, Option<u64>),
    Object(On),
    /// A swap whose value has changed meanwhile.
    Changed(Cas),
}

impl HostFunction for Operation {
    fn at_home(&self) -> bool {
        false
    }

    fn check(&self, function: &Function) -> Result<()> {
        shapes::check(self.does, function)
    }

    fn call(&self, call: &mut HostCall<'_>) -> Result<()> {
        let until = call.deadline();
        let done = match self.arguments(call)? {
            Ok(values) => call.outside(|| self.perform(values, until)),
            Err(error) => Err(error),
        };
        match done {
            Ok(Done::Value(value)) => call.answer(&&value),
            Ok(Done::Page(keys, next)) => {
                let value = page(call.function(), keys, next);
                call.answer(&&value)
            }
            Ok(Done::Object(on)) => match call.function().result.as_ref().map(|ty| &ty.kind) {
                Some(TypeKind::Own(resource)) => {
                    let object = Value::Object(self.object(on, resource));
                    call.answer(&&object)
                }
                _ => Err(of_program(&StoreError::other("it has no object as its result"))),
            },
            Ok(Done::Changed(cas)) => self.changed(call, cas),
            Err(error) => {
                let mut value = failure(&error);
                if self.does == Does::Swap {
                    value = Value::Variant("store-error".to_owned(), Some(Box::new(value)));
                }
                call.fail_with(&error.to_string(), &value)
            }
        }
    }
}

/// The case of `error` of `wasi:keyvalue/store`.
fn failure(error: &StoreError) -> Value {
    match error {
        StoreError::NoSuchStore => Value::Variant("no-such-store".to_owned(), None),
        StoreError::Other(text) => Value::Variant("other".to_owned(), Some(Box::new(Value::String(text.clone())))),
    }
}

/// A page of keys: the cursor is a number in some versions, and text in others.
fn page(function: &Function, keys: Vec<String>, next: Option<u64>) -> Value {
    let is_number = function.own_params().iter().any(|param| match &param.ty.kind {
        TypeKind::Option(inner) => matches!(inner.kind, TypeKind::Scalar(Scalar::U64)),
        _ => false,
    });
    let cursor = match next {
        None => Value::None,
        Some(next) if is_number => i64::try_from(next).map_or(Value::Uint(next), Value::Int),
        Some(next) => Value::String(next.to_string()),
    };
    let keys = Value::List(keys.into_iter().map(Value::String).collect());
    Value::Record(vec![("keys".to_owned(), keys), ("cursor".to_owned(), cursor)])
}

type Values = std::vec::IntoIter<Value>;

impl Operation {
    /// A function, which is no method.
    pub(super) fn new(of: KeyValue, does: Does) -> Operation {
        Operation { of, does, on: On::Nothing }
    }

    /// The arguments. What is too long is not copied.
    fn arguments(&self, call: &mut HostCall<'_>) -> Result<store::Result<Values>> {
        let most = self.of.0.bytes;
        let too_long = call.read_args(|function, _, bytes, _| {
            let one = |(param, offset): (&Field, &u32)| {
                let len = || read_u32(bytes, offset + 4) as usize;
                match &param.ty.kind {
                    TypeKind::String => long_key(len()),
                    _ if is_bytes(&param.ty) => long_value(len(), most),
                    _ => None,
                }
            };
            let params = function.params.iter().zip(&function.abi.params.offsets);
            Ok(params.skip(usize::from(function.is_method)).find_map(one))
        })?;
        match too_long {
            Some(error) => Ok(Err(error)),
            None => Ok(Ok(call.args(&ToValue)?.into_iter())),
        }
    }

    fn perform(&self, mut values: Values, until: Option<Instant>) -> store::Result<Done> {
        let most = self.of.0.bytes;
        let done = match (self.does, &self.on) {
            (Does::Open, _) => return Ok(Done::Object(On::Store(self.of.0.stores.open(&text(&mut values)?)?))),
            (Does::Get, On::Store(store)) => optional(store.get(&[text(&mut values)?], until)?.pop().flatten()),
            (Does::Set, On::Store(store)) => {
                store.set(vec![(text(&mut values)?, bytes(&mut values)?)], until)?;
                Value::None
            }
            (Does::Delete, On::Store(store)) => {
                store.delete(&[text(&mut values)?], until)?;
                Value::None
            }
            (Does::Exists, On::Store(store)) => Value::Bool(store.exists(&text(&mut values)?, until)?),
            (Does::ListKeys, On::Store(store)) => {
                let (keys, next) = store.page(cursor(&mut values)?, until)?;
                return Ok(Done::Page(keys, next));
            }
            (Does::GetMany, _) => {
                let (store, keys) = (bucket(&mut values)?, texts(&mut values)?);
                get_many(&*store, &keys, most, until)?
            }
            (Does::SetMany, _) => {
                let (store, entries) = (bucket(&mut values)?, entries(&mut values, most)?);
                store.set(entries, until)?;
                Value::None
            }
            (Does::DeleteMany, _) => {
                let (store, keys) = (bucket(&mut values)?, texts(&mut values)?);
                store.delete(&keys, until)?;
                Value::None
            }
            (Does::Increment, _) => {
                let (store, key) = (bucket(&mut values)?, text(&mut values)?);
                let delta = match values.next() {
                    Some(Value::Int(delta)) => delta,
                    _ => return Err(StoreError::other("the delta has more than 63 bits")),
                };
                Value::Int(store.increment(&key, delta, until)?)
            }
            (Does::NewCas, _) => {
                let (store, key) = (bucket(&mut values)?, text(&mut values)?);
                let read = store.get(std::slice::from_ref(&key), until)?.pop().flatten();
                return Ok(Done::Object(On::Cas(Arc::new(Cas { store, key, read }))));
            }
            (Does::Current, On::Cas(cas)) => optional(cas.read.clone()),
            (Does::Swap, _) => return swap(&mut values, until),
            _ => return Err(missing()),
        };
        Ok(Done::Value(done))
    }

    /// An object of the host's, with the methods that its resource has.
    fn object(&self, on: On, resource: &ResourceType) -> HostObject {
        let method = |name: &String| -> Arc<dyn HostFunction> {
            // Of another name there is none, which was found out before.
            let does = shapes::method(name).unwrap_or(Does::Exists);
            Arc::new(Operation { of: self.of.clone(), does, on: on.clone() })
        };
        HostObject::new(resource.methods.iter().map(method)).standing_for(on)
    }

    /// Fails with what a swap needs for the next try.
    fn changed(&self, call: &mut HostCall<'_>, cas: Cas) -> Result<()> {
        const TEXT: &str = "the value has changed meanwhile";
        let resource = call.function().params.first().and_then(|param| match &param.ty.kind {
            TypeKind::Own(resource) => Some(resource.clone()),
            _ => None,
        });
        let (case, value) = match resource {
            Some(resource) => ("cas-failed", Value::Object(self.object(On::Cas(Arc::new(cas)), &resource))),
            None => ("store-error", failure(&StoreError::other(TEXT))),
        };
        call.fail_with(TEXT, &Value::Variant(case.to_owned(), Some(Box::new(value))))
    }
}

fn swap(values: &mut Values, until: Option<Instant>) -> store::Result<Done> {
    let Some(Value::Object(object)) = values.next() else { return Err(missing()) };
    let Some(On::Cas(cas)) = object.value::<On>() else { return Err(missing()) };
    if cas.store.swap(&cas.key, cas.read.as_deref(), bytes(values)?, until)? {
        return Ok(Done::Value(Value::None));
    }
    let read = cas.store.get(std::slice::from_ref(&cas.key), until)?.pop().flatten();
    Ok(Done::Changed(Cas { store: cas.store.clone(), key: cas.key.clone(), read }))
}

fn get_many(store: &dyn Store, keys: &[String], most: usize, until: Option<Instant>) -> store::Result<Value> {
    // A few keys again and again would be a long answer.
    const AT_ONCE: usize = 256;
    let (mut found, mut size) = (Vec::with_capacity(keys.len()), 0);
    for part in keys.chunks(AT_ONCE) {
        for (key, value) in part.iter().zip(store.get(part, until)?) {
            size += key.len() + value.as_ref().map_or(0, Vec::len);
            if let Some(error) = long_value(size, most) {
                return Err(error);
            }
            found.push(value.map_or(Value::None, |value| Value::List(vec![Value::String(key.clone()), Value::Bytes(value)])));
        }
    }
    Ok(Value::List(found))
}

fn long_key(len: usize) -> Option<StoreError> {
    (len > MAX_KEY).then(|| StoreError::other(format!("the key, or the name, has {len} bytes, and may have {MAX_KEY}")))
}

fn long_value(len: usize, most: usize) -> Option<StoreError> {
    (len > most).then(|| StoreError::other(format!("the values have {len} bytes or more, and may have {most}")))
}

/// For a function with other parameters, which is found out before there is an instance.
fn missing() -> StoreError {
    StoreError::other("it is no object of these stores, or an argument is missing")
}

fn optional(value: Option<Vec<u8>>) -> Value {
    value.map_or(Value::None, Value::Bytes)
}

fn bucket(values: &mut Values) -> store::Result<Arc<dyn Store>> {
    match values.next() {
        Some(Value::Object(object)) => match object.value::<On>() {
            Some(On::Store(store)) => Ok(store.clone()),
            _ => Err(missing()),
        },
        _ => Err(missing()),
    }
}

fn key(value: Value) -> store::Result<String> {
    let Value::String(key) = value else { return Err(missing()) };
    long_key(key.len()).map_or(Ok(key), Err)
}

fn text(values: &mut Values) -> store::Result<String> {
    key(values.next().ok_or_else(missing)?)
}

fn texts(values: &mut Values) -> store::Result<Vec<String>> {
    let Some(Value::List(keys)) = values.next() else { return Err(missing()) };
    keys.into_iter().map(key).collect()
}

fn bytes(values: &mut Values) -> store::Result<Vec<u8>> {
    match values.next() {
        Some(Value::Bytes(bytes)) => Ok(bytes),
        _ => Err(missing()),
    }
}

fn entries(values: &mut Values, most: usize) -> store::Result<Vec<(String, Vec<u8>)>> {
    let Some(Value::List(pairs)) = values.next() else { return Err(missing()) };
    let mut size = 0;
    let mut entries = Vec::with_capacity(pairs.len());
    for pair in pairs {
        let Value::List(pair) = pair else { return Err(missing()) };
        let mut pair = pair.into_iter();
        let entry = (text(&mut pair)?, bytes(&mut pair)?);
        size += entry.0.len() + entry.1.len();
        if let Some(error) = long_value(size, most) {
            return Err(error);
        }
        entries.push(entry);
    }
    Ok(entries)
}

/// Where a page begins.
fn cursor(values: &mut Values) -> store::Result<u64> {
    let unknown = || StoreError::other("the cursor is none that was given before");
    match values.next() {
        Some(Value::None) => Ok(0),
        Some(Value::Int(cursor)) => u64::try_from(cursor).map_err(|_| unknown()),
        Some(Value::Uint(cursor)) => Ok(cursor),
        Some(Value::String(cursor)) => cursor.parse().map_err(|_| unknown()),
        _ => Err(missing()),
    }
}

/// Whether a type is that of bytes.
pub(super) fn is_bytes(ty: &Type) -> bool {
    matches!(&ty.kind, TypeKind::List(item) if matches!(item.kind, TypeKind::Scalar(Scalar::U8)))
}
