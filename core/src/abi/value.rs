//! The crate's own dynamic value: for programs that learn the types at run time.

use std::borrow::Cow;
use std::sync::Arc;

use crate::abi::blob::Blob;
use crate::abi::handles::{Handle, HostObject};
use crate::abi::lift::Lift;
use crate::abi::lower::{Lower, Reject};
use crate::abi::quota::Piece;
use crate::error::Result;
use crate::interface::{Choice, EnumType, RecordType, ResourceType, Scalar, Time, VariantType};

/// A value of any type that can cross the boundary.
#[cfg_attr(not(feature = "host"), non_exhaustive)]
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// An option without a value, or no result.
    None,
    /// `bool`
    Bool(bool),
    /// Any integer that fits.
    Int(i64),
    /// An integer above the range of `Int`.
    Uint(u64),
    /// `f32` and `f64`
    Float(f64),
    /// `string`; also the case of an enum, by its WIT name
    String(String),
    /// `list<u8>`
    Bytes(Vec<u8>),
    /// Any other list, and a tuple.
    List(Vec<Value>),
    /// A map, in any order.
    Map(Vec<(Value, Value)>),
    /// A record, by the WIT names of its fields. Optional fields may be left out when lowered.
    Record(Vec<(String, Value)>),
    /// A case of a variant, by its WIT name, with its value if it has one.
    Variant(String, Option<Box<Value>>),
    /// Text that holds one JSON value.
    Json(String),
    /// Nanoseconds.
    Duration(i64),
    /// An instant.
    Time(Time),
    /// A handle of an object of the guest.
    Handle(Handle),
    /// An object, function, iterator or stream of the host, for the guest.
    Object(HostObject),
}

impl Value {
    fn integer(&self) -> Option<i128> {
        match self {
            Value::Int(n) => Some((*n).into()),
            Value::Uint(n) => Some((*n).into()),
            _ => None,
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::String(text.to_owned())
    }
}

impl<'a> Lower<'a> for &'a Value {
    fn type_name(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Value::None => "none",
            Value::Bool(_) => "bool",
            Value::Int(_) | Value::Uint(_) => "integer",
            Value::Float(_) => "float",
            Value::String(_) => "string",
            Value::Bytes(_) => "bytes",
            Value::List(_) => "list",
            Value::Map(_) => "map",
            Value::Record(_) => "record",
            Value::Variant(..) => "variant",
            Value::Json(_) => "json",
            Value::Duration(_) => "duration",
            Value::Time(_) => "time",
            Value::Handle(_) => "handle",
            Value::Object(_) => "object",
        })
    }

    fn as_bool(&self) -> Result<bool, Reject> {
        if let Value::Bool(value) = self { Ok(*value) } else { Err(Reject::Type) }
    }

    fn as_s64(&self) -> Result<i64, Reject> {
        let n = self.integer().ok_or(Reject::Type)?;
        i64::try_from(n).map_err(|_| Reject::Value(format!("{n} is out of range for s64")))
    }

    fn as_u64(&self) -> Result<u64, Reject> {
        let n = self.integer().ok_or(Reject::Type)?;
        u64::try_from(n).map_err(|_| Reject::Value(format!("{n} is out of range for u64 (0 to {})", u64::MAX)))
    }

    fn as_f64(&self) -> Result<f64, Reject> {
        match self {
            Value::Float(value) => Ok(*value),
            Value::Int(value) => Ok(*value as f64),
            Value::Uint(value) => Ok(*value as f64),
            _ => Err(Reject::Type),
        }
    }

    fn as_str(&self) -> Result<Cow<'_, str>, Reject> {
        if let Value::String(text) = self { Ok(Cow::Borrowed(text)) } else { Err(Reject::Type) }
    }

    fn as_scalars(&self, scalar: Scalar) -> Result<Option<Blob<'a>>, Reject> {
        match self {
            Value::Bytes(bytes) if scalar == Scalar::U8 => Ok(Some(Blob::Borrowed(bytes))),
            _ => Ok(None),
        }
    }

    fn as_list(&self) -> Result<impl ExactSizeIterator<Item = Result<Self, Reject>>, Reject> {
        if let Value::List(items) = self { Ok(items.iter().map(Ok)) } else { Err(Reject::Type) }
    }

    fn as_map(&self) -> Result<impl ExactSizeIterator<Item = Result<(Self, Self), Reject>>, Reject> {
        if let Value::Map(entries) = self { Ok(entries.iter().map(|(key, value)| Ok((key, value)))) } else { Err(Reject::Type) }
    }

    fn as_record(&self, record: &RecordType) -> Result<Vec<Option<Self>>, Reject> {
        let Value::Record(fields) = self else { return Err(Reject::Type) };
        let mut values = vec![None; record.fields.len()];
        for (name, value) in fields {
            match record.fields.iter().position(|field| field.name == *name) {
                Some(i) => values[i] = Some(value),
                None => return Err(Reject::Value(record.unknown_field(name, str::to_owned))),
            }
        }
        Ok(values)
    }

    fn is_none(&self) -> bool {
        matches!(self, Value::None)
    }

    fn as_enum(&self, cases: &EnumType) -> Result<u32, Reject> {
        let Value::String(name) = self else { return Err(Reject::Type) };
        cases.case(name).ok_or_else(|| Reject::Value(cases.unknown_case(name)))
    }

    fn as_variant(&self, variant: &VariantType) -> Result<(u32, Option<Self>), Reject> {
        let Value::Variant(name, value) = self else { return Err(Reject::Type) };
        let case = variant.case(name).ok_or_else(|| Reject::Value(variant.unknown_case(name)))?;
        Ok((case, value.as_deref()))
    }

    fn as_json(&self) -> Result<Cow<'_, str>, Reject> {
        if let Value::Json(text) = self { Ok(Cow::Borrowed(text)) } else { Err(Reject::Type) }
    }

    fn as_duration(&self) -> Result<i64, Reject> {
        if let Value::Duration(nanoseconds) = self { Ok(*nanoseconds) } else { Err(Reject::Type) }
    }

    fn as_time(&self) -> Result<Time, Reject> {
        if let Value::Time(time) = self { Ok(*time) } else { Err(Reject::Type) }
    }

    fn as_handle(&self, _resource: &ResourceType) -> Result<Handle, Reject> {
        if let Value::Handle(handle) = self { Ok(handle.clone()) } else { Err(Reject::Type) }
    }

    fn as_object(&self, _resource: &Arc<ResourceType>) -> Result<HostObject, Reject> {
        if let Value::Object(object) = self { Ok(object.clone()) } else { Err(Reject::Type) }
    }
}

/// Lifts to [`Value`].
#[derive(Clone, Copy, Debug, Default)]
pub struct ToValue;

impl Lift for ToValue {
    type Value = Value;

    fn cost(&self, piece: Piece<'_>) -> u64 {
        /// A run of bytes, or of values, on the heap.
        const RUN: u64 = 32;
        const PLACE: u64 = size_of::<Value>() as u64;
        match piece {
            // These take only the room that their container has for them.
            Piece::None | Piece::Some | Piece::Bool | Piece::Number | Piece::Duration | Piece::Time => 0,
            Piece::Case(text) | Piece::Text(text) => RUN + text.len() as u64,
            Piece::Scalars(scalar, len) => RUN + len as u64 * u64::from(scalar.size()),
            Piece::List(len) | Piece::Tuple(len) => RUN + len as u64 * PLACE,
            Piece::Map(len) => RUN + len as u64 * 2 * PLACE,
            // Each field carries its name.
            Piece::Record(record) => {
                let field = |field: &crate::interface::Field| PLACE + size_of::<String>() as u64 + RUN + field.name.len() as u64;
                RUN + record.fields.iter().map(field).sum::<u64>()
            }
            Piece::Handle(_) => 2 * RUN + PLACE,
            Piece::Variant(variant, case) => 2 * RUN + PLACE + variant.cases[case as usize].name.len() as u64,
        }
    }
    fn json_cost(&self, text: &str) -> u64 {
        self.cost(Piece::Text(text))
    }
    fn packs(&self, scalar: Scalar) -> bool {
        scalar == Scalar::U8
    }

    fn bool(&self, value: bool) -> Result<Value> {
        Ok(Value::Bool(value))
    }
    fn s64(&self, value: i64) -> Result<Value> {
        Ok(Value::Int(value))
    }
    fn u64(&self, value: u64) -> Result<Value> {
        Ok(i64::try_from(value).map_or(Value::Uint(value), Value::Int))
    }
    fn f32(&self, value: f32) -> Result<Value> {
        Ok(Value::Float(value.into()))
    }
    fn f64(&self, value: f64) -> Result<Value> {
        Ok(Value::Float(value))
    }
    fn string(&self, value: &str) -> Result<Value> {
        Ok(Value::String(value.to_owned()))
    }
    fn json(&self, value: &str) -> Result<Value> {
        Ok(Value::Json(value.to_owned()))
    }
    fn scalars(&self, _scalar: Scalar, bytes: &[u8]) -> Result<Value> {
        Ok(Value::Bytes(bytes.to_owned()))
    }
    fn duration(&self, nanoseconds: i64) -> Result<Value> {
        Ok(Value::Duration(nanoseconds))
    }
    fn handle(&self, _resource: &Arc<ResourceType>, handle: Handle) -> Result<Value> {
        Ok(Value::Handle(handle))
    }
    fn object(&self, _resource: &Arc<ResourceType>, object: HostObject) -> Result<Value> {
        Ok(Value::Object(object))
    }
    fn time(&self, time: Time) -> Result<Value> {
        Ok(Value::Time(time))
    }
    fn none(&self) -> Result<Value> {
        Ok(Value::None)
    }
    fn case(&self, cases: &EnumType, case: u32) -> Result<Value> {
        Ok(Value::String(cases.cases[case as usize].0.clone()))
    }
    fn list(&self, len: usize, item: impl FnMut(usize) -> Result<Value>) -> Result<Value> {
        gather(len, item).map(Value::List)
    }
    fn tuple(&self, len: usize, item: impl FnMut(usize) -> Result<Value>) -> Result<Value> {
        self.list(len, item)
    }
    fn map(&self, len: usize, entry: impl FnMut(usize) -> Result<(Value, Value)>) -> Result<Value> {
        gather(len, entry).map(Value::Map)
    }
    fn record(&self, record: &RecordType, mut field: impl FnMut(usize) -> Result<Value>) -> Result<Value> {
        gather(record.fields.len(), |i| Ok((record.fields[i].name.clone(), field(i)?))).map(Value::Record)
    }
    fn variant(&self, variant: &VariantType, case: u32, value: Option<Value>) -> Result<Value> {
        Ok(Value::Variant(variant.cases[case as usize].name.clone(), value.map(Box::new)))
    }
}

/// That many items, in a vector with exactly that capacity: one that grows may end with twice as
/// much.
fn gather<T>(len: usize, mut item: impl FnMut(usize) -> Result<T>) -> Result<Vec<T>> {
    let mut items = Vec::with_capacity(len);
    for i in 0..len {
        items.push(item(i)?);
    }
    Ok(items)
}
