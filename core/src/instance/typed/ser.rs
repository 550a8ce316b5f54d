//! From Rust values to the block of a call.

use std::borrow::Cow;

use serde::ser::{Impossible, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeTuple, SerializeTupleStruct, Serializer};

use super::{Failed, is_same};
use crate::abi::blob::Blob;
use crate::abi::block::Block;
use crate::abi::lower::{Lower, Reject};
use crate::interface::{EnumType, RecordType, Scalar, Time, TupleType, Type, TypeKind, names};

type Done<T = (), E = Failed> = Result<T, E>;

/// The place of one value.
pub(super) struct Place<'b, 'a> {
    pub(super) block: &'b mut Block<'a>,
    pub(super) ty: &'b Type,
    pub(super) at: u32,
}

impl<'b, 'a> Place<'b, 'a> {
    fn mismatch(&self, found: &str) -> Failed {
        Failed::new(format!("expected {}, got {found}", self.ty))
    }

    /// The value is present: if an option is expected, it is set.
    fn present(mut self) -> Self {
        while let TypeKind::Option(inner) = &self.ty.kind {
            self.block.put(self.at, [1]);
            self.at += inner.some_offset();
            self.ty = inner;
        }
        self
    }

    fn plain(self, value: &Plain<'_>) -> Done {
        let place = self.present();
        Ok(place.block.lower(place.ty, value, place.at)?)
    }

    fn list(self, len: Option<usize>) -> Done<Items<'b, 'a>> {
        let place = self.present();
        match &place.ty.kind {
            TypeKind::List(item) => {
                let len = len.ok_or_else(|| Failed::new("a sequence must know its length"))?;
                let target = place.block.reserve(len, item.size, item.align)?;
                place.block.put_list(place.at, target, len);
                Ok(Items { block: place.block, shape: Shape::List(item), at: target, len, seen: 0 })
            }
            TypeKind::Tuple(tuple) => {
                let len = tuple.items.len();
                Ok(Items { block: place.block, shape: Shape::Tuple(tuple), at: place.at, len, seen: 0 })
            }
            _ => Err(place.mismatch("a sequence")),
        }
    }

    fn fields(self, found: &str) -> Done<Named<'b, 'a>> {
        let place = self.present();
        let record = match &place.ty.kind {
            TypeKind::Record(record) => record,
            TypeKind::Time => super::time_record(),
            _ => return Err(place.mismatch(found)),
        };
        Ok(Named { block: place.block, record, at: place.at, given: vec![false; record.fields.len()] })
    }
}

macro_rules! plain {
    ($($method:ident($ty:ty) => $variant:ident;)*) => {
        $(fn $method(self, value: $ty) -> Done {
            self.plain(&Plain::$variant(value.into()))
        })*
    };
}

impl<'b, 'a> Serializer for Place<'b, 'a> {
    type Ok = ();
    type Error = Failed;
    type SerializeSeq = Items<'b, 'a>;
    type SerializeTuple = Items<'b, 'a>;
    type SerializeTupleStruct = Items<'b, 'a>;
    type SerializeTupleVariant = Impossible<(), Failed>;
    type SerializeMap = Items<'b, 'a>;
    type SerializeStruct = Named<'b, 'a>;
    type SerializeStructVariant = Impossible<(), Failed>;

    plain! {
        serialize_bool(bool) => Bool;
        serialize_i8(i8) => Int;
        serialize_i16(i16) => Int;
        serialize_i32(i32) => Int;
        serialize_i64(i64) => Int;
        serialize_u8(u8) => Int;
        serialize_u16(u16) => Int;
        serialize_u32(u32) => Int;
        serialize_u64(u64) => Int;
        serialize_f32(f32) => Float;
        serialize_f64(f64) => Float;
    }

    fn serialize_char(self, value: char) -> Done {
        self.plain(&Plain::Text(value.encode_utf8(&mut [0; 4])))
    }

    fn serialize_str(self, value: &str) -> Done {
        self.plain(&Plain::Text(value))
    }

    fn serialize_bytes(self, value: &[u8]) -> Done {
        let place = self.present();
        match &place.ty.kind {
            TypeKind::List(item) if matches!(item.kind, TypeKind::Scalar(Scalar::U8)) => Ok(place.block.put_bytes(place.at, value)?),
            _ => Err(place.mismatch("bytes")),
        }
    }

    fn serialize_none(self) -> Done {
        if matches!(self.ty.kind, TypeKind::Option(_)) { Ok(()) } else { Err(self.mismatch("none")) }
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Done {
        let TypeKind::Option(inner) = &self.ty.kind else { return value.serialize(self) };
        self.block.put(self.at, [1]);
        value.serialize(Place { block: self.block, ty: inner, at: self.at + inner.some_offset() })
    }

    fn serialize_unit(self) -> Done {
        match &self.ty.kind {
            TypeKind::Tuple(tuple) if tuple.items.is_empty() => Ok(()),
            _ => self.serialize_none(),
        }
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Done {
        self.serialize_none()
    }

    fn serialize_unit_variant(self, _name: &'static str, _index: u32, variant: &'static str) -> Done {
        self.plain(&Plain::Text(&names::kebab(variant)))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _name: &'static str, value: &T) -> Done {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(self, _name: &'static str, _index: u32, variant: &'static str, _value: &T) -> Done {
        Err(self.mismatch(&format!("the variant {variant} with a value")))
    }

    fn serialize_seq(self, len: Option<usize>) -> Done<Items<'b, 'a>> {
        self.list(len)
    }

    fn serialize_tuple(self, len: usize) -> Done<Items<'b, 'a>> {
        self.list(Some(len))
    }

    fn serialize_tuple_struct(self, _name: &'static str, len: usize) -> Done<Items<'b, 'a>> {
        self.list(Some(len))
    }

    fn serialize_tuple_variant(self, _: &'static str, _: u32, variant: &'static str, _: usize) -> Done<Impossible<(), Failed>> {
        Err(self.mismatch(&format!("the variant {variant} with values")))
    }

    fn serialize_map(self, len: Option<usize>) -> Done<Items<'b, 'a>> {
        let place = self.present();
        let TypeKind::Map(map) = &place.ty.kind else { return Err(place.mismatch("a map")) };
        let len = len.ok_or_else(|| Failed::new("a map must know its length"))?;
        let target = place.block.reserve(len, map.entry.size, map.entry.align)?;
        place.block.put_list(place.at, target, len);
        Ok(Items { block: place.block, shape: Shape::Map(&map.entry), at: target, len: 2 * len, seen: 0 })
    }

    fn serialize_struct(self, name: &'static str, _len: usize) -> Done<Named<'b, 'a>> {
        self.fields(name)
    }

    fn serialize_struct_variant(self, _: &'static str, _: u32, variant: &'static str, _: usize) -> Done<Impossible<(), Failed>> {
        Err(self.mismatch(&format!("the variant {variant} with fields")))
    }
}

/// Values in order: of a list, of a tuple, or alternating keys and values.
pub(super) struct Items<'b, 'a> {
    block: &'b mut Block<'a>,
    shape: Shape<'b>,
    at: u32,
    len: usize,
    seen: usize,
}

enum Shape<'b> {
    List(&'b Type),
    Tuple(&'b TupleType),
    Map(&'b TupleType),
}

impl Items<'_, '_> {
    fn add<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
        let i = self.seen;
        if i >= self.len {
            return Err(Failed::new(format!("expected {} values, got more", self.len)));
        }
        self.seen += 1;
        // Less than the reserved length, so it fits a u32.
        let (ty, offset) = match &self.shape {
            Shape::List(item) => (*item, i as u32 * item.size),
            Shape::Tuple(tuple) => (&tuple.items[i], tuple.offsets[i]),
            Shape::Map(entry) => (&entry.items[i % 2], (i / 2) as u32 * entry.size + entry.offsets[i % 2]),
        };
        value.serialize(Place { block: self.block, ty, at: self.at + offset }).map_err(|failed| Failed(failed.0.at(format!("[{i}]"))))
    }

    fn finish(self) -> Done {
        if self.seen == self.len { Ok(()) } else { Err(Failed::new(format!("expected {} values, got {}", self.len, self.seen))) }
    }
}

impl SerializeSeq for Items<'_, '_> {
    type Ok = ();
    type Error = Failed;
    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
        self.add(value)
    }
    fn end(self) -> Done {
        self.finish()
    }
}

impl SerializeTuple for Items<'_, '_> {
    type Ok = ();
    type Error = Failed;
    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
        self.add(value)
    }
    fn end(self) -> Done {
        self.finish()
    }
}

impl SerializeTupleStruct for Items<'_, '_> {
    type Ok = ();
    type Error = Failed;
    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
        self.add(value)
    }
    fn end(self) -> Done {
        self.finish()
    }
}

impl SerializeMap for Items<'_, '_> {
    type Ok = ();
    type Error = Failed;
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Done {
        self.add(key)
    }
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
        self.add(value)
    }
    fn end(self) -> Done {
        self.finish()
    }
}

/// The fields of a record.
pub(super) struct Named<'b, 'a> {
    block: &'b mut Block<'a>,
    record: &'b RecordType,
    at: u32,
    given: Vec<bool>,
}

impl SerializeStruct for Named<'_, '_> {
    type Ok = ();
    type Error = Failed;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Done {
        let Some(i) = self.record.fields.iter().position(|field| is_same(name, &field.name)) else {
            return Err(Failed::new(self.record.unknown_field(name, names::snake)));
        };
        self.given[i] = true;
        let field = &self.record.fields[i];
        let at = self.at + self.record.layout.offsets[i];
        value.serialize(Place { block: self.block, ty: &field.ty, at }).map_err(|failed| Failed(failed.0.at(format!(".{}", field.name))))
    }

    fn end(self) -> Done {
        for (field, given) in self.record.fields.iter().zip(&self.given) {
            if !given && !matches!(field.ty.kind, TypeKind::Option(_)) {
                return Err(Failed::new(format!("the field '{}' of {} is missing", field.name, self.record.name)));
            }
        }
        Ok(())
    }
}

/// A value without parts, as serde passes it.
enum Plain<'s> {
    Bool(bool),
    Int(i128),
    Float(f64),
    Text(&'s str),
}

impl<'a> Lower<'a> for Plain<'_> {
    fn type_name(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Plain::Bool(_) => "bool",
            Plain::Int(_) => "integer",
            Plain::Float(_) => "float",
            Plain::Text(_) => "string",
        })
    }
    fn as_bool(&self) -> Done<bool, Reject> {
        if let Plain::Bool(value) = self { Ok(*value) } else { Err(Reject::Type) }
    }
    fn as_s64(&self) -> Done<i64, Reject> {
        let Plain::Int(n) = self else { return Err(Reject::Type) };
        i64::try_from(*n).map_err(|_| Reject::Value(format!("{n} is out of range for s64")))
    }
    fn as_u64(&self) -> Done<u64, Reject> {
        let Plain::Int(n) = self else { return Err(Reject::Type) };
        u64::try_from(*n).map_err(|_| Reject::Value(format!("{n} is out of range for u64 (0 to {})", u64::MAX)))
    }
    fn as_f64(&self) -> Done<f64, Reject> {
        match self {
            Plain::Float(value) => Ok(*value),
            Plain::Int(value) => Ok(*value as f64),
            _ => Err(Reject::Type),
        }
    }
    fn as_str(&self) -> Done<Cow<'_, str>, Reject> {
        if let Plain::Text(text) = self { Ok(Cow::Borrowed(text)) } else { Err(Reject::Type) }
    }
    fn as_scalars(&self, _: Scalar) -> Done<Option<Blob<'a>>, Reject> {
        Err(Reject::Type)
    }
    fn as_list(&self) -> Done<impl ExactSizeIterator<Item = Done<Self, Reject>>, Reject> {
        Err::<std::iter::Empty<_>, _>(Reject::Type)
    }
    fn as_map(&self) -> Done<impl ExactSizeIterator<Item = Done<(Self, Self), Reject>>, Reject> {
        Err::<std::iter::Empty<_>, _>(Reject::Type)
    }
    fn as_record(&self, _: &RecordType) -> Done<Vec<Option<Self>>, Reject> {
        Err(Reject::Type)
    }
    fn is_none(&self) -> bool {
        false
    }
    fn as_enum(&self, cases: &EnumType) -> Done<u32, Reject> {
        let Plain::Text(name) = self else { return Err(Reject::Type) };
        cases.case(name).ok_or_else(|| Reject::Value(cases.unknown_case(name)))
    }
    fn as_json(&self) -> Done<Cow<'_, str>, Reject> {
        self.as_str()
    }
    fn as_duration(&self) -> Done<i64, Reject> {
        self.as_s64()
    }
    fn as_time(&self) -> Done<Time, Reject> {
        Err(Reject::Type)
    }
}
