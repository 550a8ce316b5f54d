//! From a block to the engine's values.

use wasmtime::component::Val;

use super::{FIELDS, Handing, TIME, fields_offset, listed};
use crate::abi::lift::{lift_bool, lift_case, lift_list, lift_some, lift_time, utf8};
use crate::abi::memory::{self, GuestMemory};
use crate::error::{Error, ErrorKind, Result};
use crate::interface::{Failure, Function, Origin, RecordType, Scalar, Time, Type, TypeKind, VariantType};

/// Reads values from a block that was written to `memory`.
///
/// The errors are those of lifting, of which a block that the host's values were lowered into
/// causes none, and those of handles.
pub(crate) struct Reader<'m, 'h> {
    memory: GuestMemory<'m>,
    handing: &'h mut dyn Handing,
}

impl<'m, 'h> Reader<'m, 'h> {
    pub(crate) fn new(memory: GuestMemory<'m>, handing: &'h mut dyn Handing) -> Reader<'m, 'h> {
        Reader { memory, handing }
    }

    /// The value of each parameter, from a record of all of them.
    pub(crate) fn params(&mut self, function: &Function, bytes: &[u8]) -> Result<Vec<Val>> {
        let params = function.params.iter().zip(&function.abi.params.offsets);
        params.map(|(param, offset)| self.value(&param.ty, bytes, *offset)).collect()
    }

    /// The result of a host function, as the engine passes it on: no value, or one.
    pub(crate) fn result(&mut self, function: &Function, bytes: &[u8]) -> Result<Option<Val>> {
        let at = function.abi.result.value_offset;
        if function.fallible && lift_some(bytes, 0)? {
            return Ok(Some(Val::Result(Err(self.error(function, bytes, at)?.map(Box::new)))));
        }
        let value = function.result.as_ref().map(|ty| self.value(ty, bytes, at)).transpose()?;
        Ok(if function.fallible { Some(Val::Result(Ok(value.map(Box::new)))) } else { value })
    }

    fn error(&mut self, function: &Function, bytes: &[u8], at: u32) -> Result<Option<Val>> {
        let value = match (&function.failure, &function.errors) {
            (Failure::Nothing, _) => return Ok(None),
            (Failure::Value(ty), Some(errors)) => return self.fields(ty, errors, bytes, at).map(Some),
            (_, None) => self.text(bytes, at)?,
            (_, Some(errors)) => self.value(&listed(errors), bytes, at)?,
        };
        Ok(Some(value))
    }

    /// The error's value, which is what the first error of a chain has as its fields.
    fn fields(&mut self, ty: &Type, errors: &VariantType, bytes: &[u8], at: u32) -> Result<Val> {
        let (items, len) = lift_list(self.memory, errors.size, errors.align, bytes, at)?;
        for i in 0..len as u32 {
            let at = i * errors.size;
            if lift_case(errors.tag, errors.cases.len(), items, at)? == FIELDS {
                return self.value(ty, items, at + errors.payload + fields_offset(errors));
            }
        }
        let text = if len > 0 { utf8(lift_list(self.memory, 1, 1, items, errors.payload)?.0)? } else { "" };
        let text = format!("{text} (the component takes no other error than {})", errors.cases[FIELDS as usize].name);
        Err(Error::new(ErrorKind::HostError, text))
    }

    fn text(&self, bytes: &[u8], at: u32) -> Result<Val> {
        Ok(Val::String(utf8(lift_list(self.memory, 1, 1, bytes, at)?.0)?.to_owned()))
    }

    fn value(&mut self, ty: &Type, bytes: &[u8], at: u32) -> Result<Val> {
        Ok(match &ty.kind {
            TypeKind::Bool => Val::Bool(lift_bool(bytes, at)?),
            TypeKind::Scalar(scalar) => number(*scalar, bytes, at),
            TypeKind::String if ty.is_char => match self.text(bytes, at)? {
                Val::String(text) if text.chars().count() == 1 => Val::Char(text.chars().next().unwrap_or_default()),
                _ => return Err(Error::new(ErrorKind::TypeMismatch, "a char is one character")),
            },
            TypeKind::String | TypeKind::Json => self.text(bytes, at)?,
            TypeKind::Duration => Val::S64(memory::read_i64(bytes, at)),
            TypeKind::Time => {
                let Time { seconds, nanoseconds, offset } = lift_time(bytes, at)?;
                let field = |name: &str, value| (name.to_owned(), value);
                Val::Record(vec![
                    field(TIME[0], Val::S64(seconds)),
                    field(TIME[1], Val::U32(nanoseconds)),
                    field(TIME[2], Val::S32(offset)),
                ])
            }
            TypeKind::Enum(cases) => Val::Enum(cases.cases[lift_case(ty.size, cases.cases.len(), bytes, at)? as usize].0.clone()),
            TypeKind::Variant(variant) => self.variant(variant, bytes, at)?,
            TypeKind::Option(inner) => {
                let value = lift_some(bytes, at)?.then(|| self.value(inner, bytes, at + inner.some_offset())).transpose()?;
                Val::Option(value.map(Box::new))
            }
            TypeKind::List(item) => {
                let (items, len) = lift_list(self.memory, item.size, item.align, bytes, at)?;
                Val::List((0..len as u32).map(|i| self.value(item, items, i * item.size)).collect::<Result<_>>()?)
            }
            TypeKind::Map(map) => {
                let (entries, len) = lift_list(self.memory, map.entry.size, map.entry.align, bytes, at)?;
                let entry = |i: u32| -> Result<(Val, Val)> {
                    let at = i * map.entry.size;
                    let key = self.value(&map.key, entries, at)?;
                    Ok((key, self.value(&map.value, entries, at + map.entry.offsets[1])?))
                };
                Val::Map((0..len as u32).map(entry).collect::<Result<_>>()?)
            }
            TypeKind::Tuple(tuple) => {
                let items = tuple.items.iter().zip(&tuple.offsets);
                Val::Tuple(items.map(|(item, offset)| self.value(item, bytes, at + offset)).collect::<Result<_>>()?)
            }
            TypeKind::Record(record) => self.record(record, bytes, at)?,
            TypeKind::Own(resource) => self.handing.give(resource, memory::read_u32(bytes, at), true)?,
            TypeKind::Borrow(resource) => self.handing.give(resource, memory::read_u32(bytes, at), false)?,
        })
    }

    fn variant(&mut self, variant: &VariantType, bytes: &[u8], at: u32) -> Result<Val> {
        let number = lift_case(variant.tag, variant.cases.len(), bytes, at)?;
        let case = &variant.cases[number as usize];
        let value = case.ty.as_ref().map(|ty| self.value(ty, bytes, at + variant.payload)).transpose()?.map(Box::new);
        Ok(match (variant.origin, number) {
            (Origin::Result, 0) => Val::Result(Ok(value)),
            (Origin::Result, _) => Val::Result(Err(value)),
            (Origin::Option, _) => Val::Option(value),
            (Origin::Variant, _) => Val::Variant(case.name.clone(), value),
        })
    }

    fn record(&mut self, record: &RecordType, bytes: &[u8], at: u32) -> Result<Val> {
        let fields = record.fields.iter().zip(&record.layout.offsets);
        if record.is_flags {
            let mut set = Vec::new();
            for (field, offset) in fields {
                if lift_bool(bytes, at + offset)? {
                    set.push(field.name.clone());
                }
            }
            return Ok(Val::Flags(set));
        }
        let fields = fields.map(|(field, offset)| Ok((field.name.clone(), self.value(&field.ty, bytes, at + offset)?)));
        Ok(Val::Record(fields.collect::<Result<_>>()?))
    }
}

fn number(scalar: Scalar, bytes: &[u8], at: u32) -> Val {
    match scalar {
        Scalar::S8 => Val::S8(memory::read_i8(bytes, at)),
        Scalar::U8 => Val::U8(memory::read_u8(bytes, at)),
        Scalar::S16 => Val::S16(memory::read_i16(bytes, at)),
        Scalar::U16 => Val::U16(memory::read_u16(bytes, at)),
        Scalar::S32 | Scalar::WasmI32 => Val::S32(memory::read_i32(bytes, at)),
        Scalar::U32 => Val::U32(memory::read_u32(bytes, at)),
        Scalar::S64 | Scalar::WasmI64 => Val::S64(memory::read_i64(bytes, at)),
        Scalar::U64 => Val::U64(memory::read_u64(bytes, at)),
        Scalar::F32 => Val::Float32(memory::read_f32(bytes, at)),
        Scalar::F64 => Val::Float64(memory::read_f64(bytes, at)),
    }
}
