//! From guest memory to Rust values.

use serde::de::value::{StrDeserializer, StringDeserializer};
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor,
};

use super::Failed;
use crate::abi::lift::{self, lift_list};
use crate::abi::memory::{self, GuestMemory};
use crate::abi::quota::Quota;
use crate::error::Result;
use crate::interface::{Field, Function, Scalar, TupleType, Type, TypeKind, names};

type Found<T> = Result<T, Failed>;

/// The cost of an element that is not a number, in addition to its bytes.
const ELEMENT_COST: u64 = 32;

/// Reads the result of a function.
pub(super) fn read<R: DeserializeOwned>(function: &Function, memory: GuestMemory<'_>, bytes: &[u8], quota: &Quota<'_>) -> Result<R> {
    let value = match &function.result {
        None => R::deserialize(serde::de::value::UnitDeserializer::<Failed>::new()),
        Some(ty) => R::deserialize(Place { memory, quota, ty, bytes, at: function.abi.result.value_offset }),
    };
    value.map_err(|failed| failed.0)
}

/// The place of one value.
#[derive(Clone, Copy)]
struct Place<'m, 't> {
    memory: GuestMemory<'m>,
    quota: &'t Quota<'t>,
    ty: &'t Type,
    bytes: &'t [u8],
    at: u32,
}

impl<'m, 't> Place<'m, 't> {
    fn with(self, ty: &'t Type, at: u32) -> Self {
        Place { ty, at, ..self }
    }

    /// The elements of a text, list or map. The program decides what it makes of them; its types
    /// are about as wide as those of the interface, except for pointers and spare capacity of
    /// collections.
    fn elements(&self, size: u32, align: u32, is_scalar: bool) -> Found<(&'m [u8], usize)> {
        let found = lift_list(self.memory, size, align, self.bytes, self.at)?;
        self.quota.note_read(found.0.len());
        let items = if is_scalar { 0 } else { (found.1 as u64).saturating_mul(ELEMENT_COST) };
        self.quota.charge(items.saturating_add(2 * found.0.len() as u64))?;
        Ok(found)
    }

    fn text(&self) -> Found<&'m str> {
        Ok(lift::utf8(self.elements(1, 1, true)?.0)?)
    }

    fn list<V: Visitor<'m>>(self, item: &Type, visitor: V) -> Found<V::Value> {
        let (bytes, len) = self.elements(item.size, item.align, matches!(item.kind, TypeKind::Scalar(_)))?;
        let mut items = Items { place: Place { ty: item, bytes, at: 0, ..self }, len, next: 0 };
        visitor.visit_seq(&mut items)
    }
}

impl<'m> Deserializer<'m> for Place<'m, '_> {
    type Error = Failed;

    fn deserialize_any<V: Visitor<'m>>(self, visitor: V) -> Found<V::Value> {
        let (bytes, at) = (self.bytes, self.at);
        // A walk over many small values should check its deadline.
        self.quota.charge(1)?;
        match &self.ty.kind {
            TypeKind::Bool => visitor.visit_bool(lift::lift_bool(bytes, at)?),
            TypeKind::Scalar(scalar) => match scalar {
                Scalar::S8 => visitor.visit_i8(memory::read_i8(bytes, at)),
                Scalar::U8 => visitor.visit_u8(memory::read_u8(bytes, at)),
                Scalar::S16 => visitor.visit_i16(memory::read_i16(bytes, at)),
                Scalar::U16 => visitor.visit_u16(memory::read_u16(bytes, at)),
                Scalar::S32 | Scalar::WasmI32 => visitor.visit_i32(memory::read_i32(bytes, at)),
                Scalar::U32 => visitor.visit_u32(memory::read_u32(bytes, at)),
                Scalar::S64 | Scalar::WasmI64 => visitor.visit_i64(memory::read_i64(bytes, at)),
                Scalar::U64 => visitor.visit_u64(memory::read_u64(bytes, at)),
                Scalar::F32 => visitor.visit_f32(memory::read_f32(bytes, at)),
                Scalar::F64 => visitor.visit_f64(memory::read_f64(bytes, at)),
            },
            // The text is in the guest's memory; a visitor that keeps it copies it.
            TypeKind::String => visitor.visit_str(self.text()?),
            TypeKind::Json => visitor.visit_str(lift::lift_json(self.text()?)?),
            TypeKind::Duration => visitor.visit_i64(memory::read_i64(bytes, at)),
            TypeKind::Time => {
                lift::lift_time(bytes, at)?;
                let record = super::time_record();
                visitor.visit_map(Fields { place: self, fields: &record.fields, layout: &record.layout, next: 0 })
            }
            TypeKind::Enum(cases) => visitor.visit_str(&cases.cases[lift::lift_case(self.ty, cases, bytes, at)? as usize].0),
            TypeKind::Option(inner) => {
                if lift::lift_some(bytes, at)? {
                    visitor.visit_some(self.with(inner, at + inner.some_offset()))
                } else {
                    visitor.visit_none()
                }
            }
            TypeKind::List(item) => self.list(item, visitor),
            TypeKind::Tuple(tuple) => visitor.visit_seq(Tuple { place: self, tuple, next: 0 }),
            TypeKind::Record(record) => visitor.visit_map(Fields { place: self, fields: &record.fields, layout: &record.layout, next: 0 }),
            TypeKind::Map(map) => {
                let (bytes, len) = self.elements(map.entry.size, map.entry.align, false)?;
                visitor.visit_map(Entries { place: Place { bytes, at: 0, ..self }, entry: &map.entry, len, next: 0 })
            }
        }
    }

    fn deserialize_option<V: Visitor<'m>>(self, visitor: V) -> Found<V::Value> {
        if matches!(self.ty.kind, TypeKind::Option(_)) { self.deserialize_any(visitor) } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'m>>(self, _: &'static str, visitor: V) -> Found<V::Value> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_bytes<V: Visitor<'m>>(self, visitor: V) -> Found<V::Value> {
        match &self.ty.kind {
            TypeKind::List(item) if matches!(item.kind, TypeKind::Scalar(Scalar::U8)) => visitor.visit_bytes(self.elements(1, 1, true)?.0),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_byte_buf<V: Visitor<'m>>(self, visitor: V) -> Found<V::Value> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_enum<V: Visitor<'m>>(self, _: &'static str, variants: &'static [&'static str], visitor: V) -> Found<V::Value> {
        let TypeKind::Enum(cases) = &self.ty.kind else { return self.deserialize_any(visitor) };
        let case = &cases.cases[lift::lift_case(self.ty, cases, self.bytes, self.at)? as usize].0;
        let variant = variants.iter().find(|variant| **variant == case || names::kebab(variant) == *case).copied();
        visitor.visit_enum(Case(variant.unwrap_or(case).into_deserializer()))
    }

    serde::forward_to_deserialize_any! { <V: Visitor<'m>>
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string unit unit_struct seq tuple tuple_struct map struct identifier
        ignored_any
    }
}

struct Items<'m, 't> {
    place: Place<'m, 't>,
    len: usize,
    next: usize,
}

impl<'m> SeqAccess<'m> for &mut Items<'m, '_> {
    type Error = Failed;
    fn next_element_seed<T: DeserializeSeed<'m>>(&mut self, seed: T) -> Found<Option<T::Value>> {
        if self.next == self.len {
            return Ok(None);
        }
        let i = self.next;
        self.next += 1;
        let at = i as u32 * self.place.ty.size;
        let place = self.place.with(self.place.ty, at);
        seed.deserialize(place).map(Some).map_err(|failed| Failed(failed.0.at(format!("[{i}]"))))
    }
    fn size_hint(&self) -> Option<usize> {
        Some(self.len - self.next)
    }
}

struct Tuple<'m, 't> {
    place: Place<'m, 't>,
    tuple: &'t TupleType,
    next: usize,
}

impl<'m> SeqAccess<'m> for Tuple<'m, '_> {
    type Error = Failed;
    fn next_element_seed<T: DeserializeSeed<'m>>(&mut self, seed: T) -> Found<Option<T::Value>> {
        let i = self.next;
        let Some(ty) = self.tuple.items.get(i) else { return Ok(None) };
        self.next += 1;
        let place = self.place.with(ty, self.place.at + self.tuple.offsets[i]);
        seed.deserialize(place).map(Some).map_err(|failed| Failed(failed.0.at(format!("[{i}]"))))
    }
    fn size_hint(&self) -> Option<usize> {
        Some(self.tuple.items.len() - self.next)
    }
}

struct Fields<'m, 't> {
    place: Place<'m, 't>,
    fields: &'t [Field],
    layout: &'t TupleType,
    next: usize,
}

impl<'m> MapAccess<'m> for Fields<'m, '_> {
    type Error = Failed;
    fn next_key_seed<K: DeserializeSeed<'m>>(&mut self, seed: K) -> Found<Option<K::Value>> {
        let Some(field) = self.fields.get(self.next) else { return Ok(None) };
        let name: StringDeserializer<Failed> = names::snake(&field.name).into_deserializer();
        seed.deserialize(name).map(Some)
    }
    fn next_value_seed<T: DeserializeSeed<'m>>(&mut self, seed: T) -> Found<T::Value> {
        let i = self.next;
        self.next += 1;
        let place = self.place.with(&self.fields[i].ty, self.place.at + self.layout.offsets[i]);
        seed.deserialize(place).map_err(|failed| Failed(failed.0.at(format!(".{}", self.fields[i].name))))
    }
}

struct Entries<'m, 't> {
    place: Place<'m, 't>,
    entry: &'t TupleType,
    len: usize,
    next: usize,
}

impl<'m> MapAccess<'m> for Entries<'m, '_> {
    type Error = Failed;
    fn next_key_seed<K: DeserializeSeed<'m>>(&mut self, seed: K) -> Found<Option<K::Value>> {
        if self.next == self.len {
            return Ok(None);
        }
        seed.deserialize(self.place.with(&self.entry.items[0], self.next as u32 * self.entry.size)).map(Some)
    }
    fn next_value_seed<T: DeserializeSeed<'m>>(&mut self, seed: T) -> Found<T::Value> {
        let at = self.next as u32 * self.entry.size + self.entry.offsets[1];
        self.next += 1;
        seed.deserialize(self.place.with(&self.entry.items[1], at))
    }
    fn size_hint(&self) -> Option<usize> {
        Some(self.len - self.next)
    }
}

/// The case of an enum, by its name in Rust if that is known.
struct Case<'s>(StrDeserializer<'s, Failed>);

impl<'de> EnumAccess<'de> for Case<'_> {
    type Error = Failed;
    type Variant = Unit;
    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Found<(V::Value, Unit)> {
        Ok((seed.deserialize(self.0)?, Unit))
    }
}

struct Unit;

impl<'de> VariantAccess<'de> for Unit {
    type Error = Failed;
    fn unit_variant(self) -> Found<()> {
        Ok(())
    }
    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, _: T) -> Found<T::Value> {
        Err(Failed::new("the case of an enum has no value"))
    }
    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Found<V::Value> {
        Err(Failed::new("the case of an enum has no values"))
    }
    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], _: V) -> Found<V::Value> {
        Err(Failed::new("the case of an enum has no fields"))
    }
}
