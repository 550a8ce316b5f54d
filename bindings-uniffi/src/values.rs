//! Converts values of the other languages by the types of a plugin.

use std::borrow::Cow;
use std::marker::PhantomData;
use std::sync::Arc;

use undergo::host::{Blob, Lift, Lower, Piece, Reject, not_given};
use undergo::interface::{Choice, EnumType, Field, RecordType, ResourceType, Scalar, VariantType, names};
use undergo::{Error, ErrorKind, Handle, HostObject, Result};

use crate::handle::{GuestHandle, Owner};
use crate::json::{self, to_json};
use crate::passed::Passed;
use crate::value::{Entry, NamedValue, Value, type_name};

/// How bytes are lent to a call.
pub(crate) trait Lend<'v, 'a> {
    fn lend(bytes: &'v [u8]) -> Blob<'a>;
}

/// For calls that are over before the values are dropped.
pub(crate) struct Borrowed;

impl<'v> Lend<'v, 'v> for Borrowed {
    fn lend(bytes: &'v [u8]) -> Blob<'v> {
        Blob::Borrowed(bytes)
    }
}

/// For calls that go on by themselves.
pub(crate) struct Copied;

impl<'v> Lend<'v, 'static> for Copied {
    fn lend(bytes: &'v [u8]) -> Blob<'static> {
        Blob::Guarded(Box::new(bytes.to_owned()))
    }
}

/// A value on its way to a plugin.
pub(crate) struct Given<'v, L>(&'v Value, PhantomData<L>);

impl<'v, L> Given<'v, L> {
    pub(crate) fn new(value: &'v Value) -> Self {
        Given(value, PhantomData)
    }

    fn integer(&self) -> Option<i128> {
        match self.0 {
            Value::Int { value } => Some((*value).into()),
            Value::Uint { value } => Some((*value).into()),
            _ => None,
        }
    }

    /// Why it is not what the type wants.
    fn unfit(&self) -> Reject {
        match self.0 {
            Value::Unfit { reason } => Reject::Value(reason.clone()),
            // A number that JSON alone can hold.
            Value::Json { text } if text.starts_with(|c: char| c == '-' || c.is_ascii_digit()) => {
                Reject::Value(format!("{text} is out of range for 64 bits"))
            }
            _ => Reject::Type,
        }
    }
}

impl<'v, 'a, L: Lend<'v, 'a>> Lower<'a> for Given<'v, L> {
    fn type_name(&self) -> Cow<'static, str> {
        Cow::Borrowed(type_name(self.0))
    }

    fn as_bool(&self) -> Result<bool, Reject> {
        if let Value::Bool { value } = self.0 { Ok(*value) } else { Err(self.unfit()) }
    }

    fn as_s64(&self) -> Result<i64, Reject> {
        let n = self.integer().ok_or_else(|| self.unfit())?;
        i64::try_from(n).map_err(|_| Reject::Value(format!("{n} is out of range for s64")))
    }

    fn as_u64(&self) -> Result<u64, Reject> {
        let n = self.integer().ok_or_else(|| self.unfit())?;
        u64::try_from(n).map_err(|_| Reject::Value(format!("{n} is out of range for u64 (0 to {})", u64::MAX)))
    }

    fn as_f64(&self) -> Result<f64, Reject> {
        match self.0 {
            Value::Float { value } => Ok(*value),
            Value::Int { value } => Ok(*value as f64),
            Value::Uint { value } => Ok(*value as f64),
            _ => Err(self.unfit()),
        }
    }

    fn as_str(&self) -> Result<Cow<'_, str>, Reject> {
        if let Value::Text { value } = self.0 { Ok(Cow::Borrowed(value)) } else { Err(self.unfit()) }
    }

    fn as_scalars(&self, scalar: Scalar) -> Result<Option<Blob<'a>>, Reject> {
        match self.0 {
            Value::Bytes { value } if scalar == Scalar::U8 => Ok(Some(L::lend(value))),
            _ => Ok(None),
        }
    }

    fn as_list(&self) -> Result<impl ExactSizeIterator<Item = Result<Self, Reject>>, Reject> {
        if let Value::Items { items } = self.0 { Ok(items.iter().map(|item| Ok(Given::new(item)))) } else { Err(self.unfit()) }
    }

    fn as_map(&self) -> Result<impl ExactSizeIterator<Item = Result<(Self, Self), Reject>>, Reject> {
        let Value::Entries { entries } = self.0 else { return Err(self.unfit()) };
        Ok(entries.iter().map(|entry| Ok((Given::new(&entry.key), Given::new(&entry.value)))))
    }

    fn as_record(&self, record: &RecordType) -> Result<Vec<Option<Self>>, Reject> {
        let mut values: Vec<Option<Self>> = record.fields.iter().map(|_| None).collect();
        let mut set = |name: &str, value: &'v Value| {
            let number = number_of(&record.fields, name).ok_or_else(|| Reject::Value(record.unknown_field(name, str::to_owned)))?;
            values[number] = Some(Given::new(value));
            Ok(())
        };
        match self.0 {
            Value::Fields { fields } => fields.iter().try_for_each(|field| set(&field.name, &field.value))?,
            Value::Entries { entries } => entries.iter().try_for_each(|entry| match &entry.key {
                Value::Text { value: name } => set(name, &entry.value),
                _ => Err(Reject::Value(format!("the keys of {} must be strings", record.name))),
            })?,
            _ => return Err(self.unfit()),
        }
        Ok(values)
    }

    fn is_none(&self) -> bool {
        matches!(self.0, Value::None)
    }

    fn as_enum(&self, cases: &EnumType) -> Result<u32, Reject> {
        let Value::Text { value: name } = self.0 else { return Err(self.unfit()) };
        cases.case(name).ok_or_else(|| Reject::Value(cases.unknown_case(name)))
    }

    fn as_variant(&self, variant: &VariantType) -> Result<(u32, Option<Self>), Reject> {
        let Value::Case { name, value } = self.0 else { return Err(self.unfit()) };
        let case = variant.case(name).ok_or_else(|| Reject::Value(variant.unknown_case(name)))?;
        Ok((case, value.as_deref().map(Given::new)))
    }

    fn as_json(&self) -> Result<Cow<'_, str>, Reject> {
        match self.0 {
            Value::Json { text } => Ok(Cow::Borrowed(text)),
            value => to_json(value).map(Cow::Owned),
        }
    }

    fn as_duration(&self) -> Result<i64, Reject> {
        if let Value::Duration { nanoseconds } = self.0 { Ok(*nanoseconds) } else { Err(self.unfit()) }
    }

    fn as_time(&self) -> Result<undergo::Time, Reject> {
        let Value::Time { seconds, nanoseconds, offset } = self.0 else { return Err(self.unfit()) };
        Ok(undergo::Time { seconds: *seconds, nanoseconds: *nanoseconds, offset: *offset })
    }

    fn as_handle(&self, _resource: &ResourceType) -> Result<Handle, Reject> {
        let Value::Handle { handle } = self.0 else { return Err(self.unfit()) };
        Ok(handle.core.clone())
    }

    fn as_object(&self, resource: &Arc<ResourceType>) -> Result<HostObject, Reject> {
        let Value::Passed { object } = self.0 else { return Err(self.unfit()) };
        object.object(resource).map_err(Reject::Value)
    }
}

/// The number of the field of that name, as in WIT or as in the other languages.
pub(crate) fn number_of(fields: &[Field], name: &str) -> Option<usize> {
    let exact = fields.iter().position(|field| field.name == name);
    exact.or_else(|| {
        let kebab = names::kebab(name);
        fields.iter().position(|field| field.name == kebab)
    })
}

/// Lifts what a plugin gives.
#[derive(Clone, Default)]
pub(crate) struct ToValue {
    /// What calls the objects that it gives; nothing where it can give none.
    owner: Option<Owner>,
}

impl ToValue {
    pub(crate) fn of(owner: &Owner) -> ToValue {
        ToValue { owner: Some(owner.clone()) }
    }
}

fn unsigned(value: u64) -> Value {
    i64::try_from(value).map_or(Value::Uint { value }, |value| Value::Int { value })
}

impl Lift for ToValue {
    type Value = Value;

    // At their most a value is there as this one, as bytes on the way, as the other language's
    // value, and as a plain object made of that; with a header of 16 bytes, and a place of 8, for
    // each object.
    fn cost(&self, piece: Piece<'_>) -> u64 {
        match piece {
            Piece::None | Piece::Some | Piece::Bool | Piece::Number => 96,
            Piece::Duration | Piece::Time => 192,
            Piece::Case(text) | Piece::Text(text) => 160 + 4 * text.len() as u64,
            // Scalars that are packed are bytes.
            Piece::Scalars(_, len) => 128 + 3 * len as u64,
            Piece::List(len) | Piece::Tuple(len) => 192 + 16 * len as u64,
            Piece::Map(len) => 256 + 160 * len as u64,
            // Each field has its name with it.
            Piece::Record(record) => 256 + record.fields.iter().map(|field| 256 + 4 * field.name.len() as u64).sum::<u64>(),
            Piece::Variant(variant, case) => 256 + 4 * variant.cases[case as usize].name.len() as u64,
            Piece::Handle(_) => 512,
        }
    }
    fn packs(&self, scalar: Scalar) -> bool {
        scalar == Scalar::U8
    }

    fn bool(&self, value: bool) -> Result<Value> {
        Ok(Value::Bool { value })
    }
    fn s64(&self, value: i64) -> Result<Value> {
        Ok(Value::Int { value })
    }
    fn u64(&self, value: u64) -> Result<Value> {
        Ok(unsigned(value))
    }
    fn f32(&self, value: f32) -> Result<Value> {
        Ok(Value::Float { value: value.into() })
    }
    fn f64(&self, value: f64) -> Result<Value> {
        Ok(Value::Float { value })
    }
    fn string(&self, value: &str) -> Result<Value> {
        Ok(Value::Text { value: value.to_owned() })
    }
    fn json(&self, value: &str) -> Result<Value> {
        json::parse(value)
    }
    fn scalars(&self, _scalar: Scalar, bytes: &[u8]) -> Result<Value> {
        Ok(Value::Bytes { value: bytes.to_owned() })
    }
    fn duration(&self, nanoseconds: i64) -> Result<Value> {
        Ok(Value::Duration { nanoseconds })
    }
    fn time(&self, time: undergo::Time) -> Result<Value> {
        Ok(Value::Time { seconds: time.seconds, nanoseconds: time.nanoseconds, offset: time.offset })
    }
    fn none(&self) -> Result<Value> {
        Ok(Value::None)
    }
    fn case(&self, cases: &EnumType, case: u32) -> Result<Value> {
        Ok(Value::Text { value: cases.cases[case as usize].0.clone() })
    }
    fn list(&self, len: usize, item: impl FnMut(usize) -> Result<Value>) -> Result<Value> {
        Ok(Value::Items { items: gather(len, item)? })
    }
    fn tuple(&self, len: usize, item: impl FnMut(usize) -> Result<Value>) -> Result<Value> {
        self.list(len, item)
    }
    fn map(&self, len: usize, mut entry: impl FnMut(usize) -> Result<(Value, Value)>) -> Result<Value> {
        Ok(Value::Entries { entries: gather(len, |number| entry(number).map(|(key, value)| Entry { key, value }))? })
    }
    fn record(&self, record: &RecordType, mut field: impl FnMut(usize) -> Result<Value>) -> Result<Value> {
        let named = |(i, of): (usize, &Field)| Ok(NamedValue { name: of.name.clone(), value: field(i)? });
        Ok(Value::Fields { fields: record.fields.iter().enumerate().map(named).collect::<Result<_>>()? })
    }
    fn variant(&self, variant: &VariantType, case: u32, value: Option<Value>) -> Result<Value> {
        Ok(Value::Case { name: variant.cases[case as usize].name.clone(), value: value.map(Box::new) })
    }

    fn handle(&self, resource: &Arc<ResourceType>, handle: Handle) -> Result<Value> {
        let Some(owner) = &self.owner else {
            return Err(Error::new(ErrorKind::TypeMismatch, format!("a {} can't be given here", resource.name)));
        };
        Ok(Value::Handle { handle: GuestHandle::new(handle, owner.clone()) })
    }
    fn object(&self, resource: &Arc<ResourceType>, object: HostObject) -> Result<Value> {
        let own = object.value::<Arc<Passed>>().ok_or_else(|| not_given(resource))?;
        Ok(Value::Passed { object: own.clone() })
    }
}

/// So many items, in a vector that is as long as that from the beginning: one that grows has twice
/// the room in the end.
fn gather<T>(len: usize, mut item: impl FnMut(usize) -> Result<T>) -> Result<Vec<T>> {
    let mut items = Vec::with_capacity(len);
    for i in 0..len {
        items.push(item(i)?);
    }
    Ok(items)
}
