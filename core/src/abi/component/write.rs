//! From the engine's values to a block.

use wasmtime::component::Val;

use super::said::said;
use super::{FIELDS, Handing, fields_offset, listed};
use crate::abi::block::Block;
use crate::error::{Error, ErrorKind, Result};
use crate::interface::{Choice as _, Failure, Function, Origin, Scalar, Type, TypeKind, VariantType};

/// Writes values of a component to their places in a block.
///
/// # Errors
///
/// `trap` for a value of another type, which the engine has excluded; those of handles.
pub(crate) struct Writer<'w, 'b> {
    block: &'w mut Block<'b>,
    handing: &'w mut dyn Handing,
}

impl<'w, 'b> Writer<'w, 'b> {
    pub(crate) fn new(block: &'w mut Block<'b>, handing: &'w mut dyn Handing) -> Writer<'w, 'b> {
        Writer { block, handing }
    }

    /// The values of parameters, to the record of all of them.
    pub(crate) fn params(&mut self, function: &Function, values: &[Val]) -> Result<()> {
        let params = function.params.iter().zip(&function.abi.params.offsets);
        params.zip(values).try_for_each(|((param, offset), value)| self.value(&param.ty, value, *offset))
    }

    /// The result of an export, to the return area at the beginning of the block.
    pub(crate) fn result(&mut self, function: &Function, value: Option<&Val>) -> Result<()> {
        let at = function.abi.result.value_offset;
        let value = match (function.fallible, value) {
            (true, Some(Val::Result(Ok(value)))) => value.as_deref(),
            (true, Some(Val::Result(Err(error)))) => {
                self.block.put(0, [1]);
                return self.error(function, error.as_deref(), at);
            }
            (true, _) => return Err(other_type()),
            (false, value) => value,
        };
        match (&function.result, value) {
            (Some(ty), Some(value)) => self.value(ty, value, at),
            (None, None) => Ok(()),
            _ => Err(other_type()),
        }
    }

    fn error(&mut self, function: &Function, error: Option<&Val>, at: u32) -> Result<()> {
        match (&function.failure, &function.errors, error) {
            (Failure::Nothing, _, None) => self.block.put_str(at, "the function failed, and says no more"),
            (Failure::Value(ty), Some(errors), Some(error)) => {
                let target = self.block.reserve(1, errors.size, errors.align)?;
                self.block.put_case(target, errors.tag, FIELDS);
                let place = target + errors.payload;
                self.block.put_str(place, &said(error))?;
                self.value(ty, error, place + fields_offset(errors))?;
                self.block.put_list(at, target, 1);
                Ok(())
            }
            (Failure::Error, None, Some(Val::String(text))) => self.block.put_str(at, text),
            (Failure::Error, Some(errors), Some(error)) => self.value(&listed(errors), error, at),
            _ => Err(other_type()),
        }
    }

    fn value(&mut self, ty: &Type, value: &Val, at: u32) -> Result<()> {
        let block = &mut *self.block;
        block.step()?;
        match (&ty.kind, value) {
            (TypeKind::Bool, Val::Bool(value)) => block.put(at, [u8::from(*value)]),
            (TypeKind::Scalar(scalar), value) => put_number(*scalar, value, block, at).ok_or_else(other_type)?,
            (TypeKind::String, Val::Char(char)) if ty.is_char => block.put_str(at, char.encode_utf8(&mut [0; 4]))?,
            (TypeKind::String | TypeKind::Json, Val::String(text)) => block.put_str(at, text)?,
            (TypeKind::Duration, Val::S64(value)) => block.put(at, value.to_le_bytes()),
            (TypeKind::Time, Val::Record(fields)) => {
                let [(_, Val::S64(seconds)), (_, Val::U32(nanoseconds)), (_, Val::S32(offset))] = &fields[..] else {
                    return Err(other_type());
                };
                block.put(at, seconds.to_le_bytes());
                block.put(at + 8, nanoseconds.to_le_bytes());
                block.put(at + 12, offset.to_le_bytes());
            }
            (TypeKind::Enum(cases), Val::Enum(name)) => block.put_case(at, ty.size, cases.case(name).ok_or_else(other_type)?),
            (TypeKind::Variant(variant), Val::Variant(name, value)) => {
                let number = variant.case(name).ok_or_else(other_type)?;
                self.case(variant, number, value.as_deref(), at)?;
            }
            (TypeKind::Variant(variant), Val::Result(value)) if variant.origin == Origin::Result => match value {
                Ok(value) => self.case(variant, 0, value.as_deref(), at)?,
                Err(value) => self.case(variant, 1, value.as_deref(), at)?,
            },
            (TypeKind::Variant(variant), Val::Option(value)) if variant.origin == Origin::Option => {
                self.case(variant, u32::from(value.is_some()), value.as_deref(), at)?;
            }
            (TypeKind::Option(_), Val::Option(None)) => {}
            (TypeKind::Option(inner), Val::Option(Some(value))) => {
                block.put(at, [1]);
                self.value(inner, value, at + inner.some_offset())?;
            }
            (TypeKind::List(item), Val::List(items) | Val::FixedLengthList(items)) => {
                let target = block.reserve(items.len(), item.size, item.align)?;
                for (i, value) in items.iter().enumerate() {
                    self.value(item, value, target + i as u32 * item.size)?;
                }
                self.block.put_list(at, target, items.len());
            }
            (TypeKind::Map(map), Val::Map(entries)) => {
                let target = block.reserve(entries.len(), map.entry.size, map.entry.align)?;
                for (i, (key, value)) in entries.iter().enumerate() {
                    let place = target + i as u32 * map.entry.size;
                    self.value(&map.key, key, place)?;
                    self.value(&map.value, value, place + map.entry.offsets[1])?;
                }
                self.block.put_list(at, target, entries.len());
            }
            (TypeKind::Tuple(tuple), Val::Tuple(items)) if items.len() == tuple.items.len() => {
                for ((ty, offset), value) in tuple.items.iter().zip(&tuple.offsets).zip(items) {
                    self.value(ty, value, at + offset)?;
                }
            }
            (TypeKind::Record(record), Val::Flags(set)) if record.is_flags => {
                for name in set {
                    let flag = record.fields.iter().position(|field| field.name == *name).ok_or_else(other_type)?;
                    block.put(at + record.layout.offsets[flag], [1]);
                }
            }
            (TypeKind::Record(record), Val::Record(fields)) if fields.len() == record.fields.len() => {
                for ((field, offset), (_, value)) in record.fields.iter().zip(&record.layout.offsets).zip(fields) {
                    self.value(&field.ty, value, at + offset)?;
                }
            }
            (TypeKind::Own(resource) | TypeKind::Borrow(resource), Val::Resource(handle)) => {
                let number = self.handing.take(resource, *handle)?;
                block.put(at, number.to_le_bytes());
            }
            _ => return Err(other_type()),
        }
        Ok(())
    }

    fn case(&mut self, variant: &VariantType, number: u32, value: Option<&Val>, at: u32) -> Result<()> {
        self.block.put_case(at, variant.tag, number);
        match (&variant.cases[number as usize].ty, value) {
            (Some(ty), Some(value)) => self.value(ty, value, at + variant.payload),
            (None, None) => Ok(()),
            _ => Err(other_type()),
        }
    }
}

fn put_number(scalar: Scalar, value: &Val, block: &mut Block<'_>, at: u32) -> Option<()> {
    match (scalar, value) {
        (Scalar::S8, Val::S8(n)) => block.put(at, n.to_le_bytes()),
        (Scalar::U8, Val::U8(n)) => block.put(at, n.to_le_bytes()),
        (Scalar::S16, Val::S16(n)) => block.put(at, n.to_le_bytes()),
        (Scalar::U16, Val::U16(n)) => block.put(at, n.to_le_bytes()),
        (Scalar::S32, Val::S32(n)) => block.put(at, n.to_le_bytes()),
        (Scalar::U32, Val::U32(n)) => block.put(at, n.to_le_bytes()),
        (Scalar::S64, Val::S64(n)) => block.put(at, n.to_le_bytes()),
        (Scalar::U64, Val::U64(n)) => block.put(at, n.to_le_bytes()),
        (Scalar::F32, Val::Float32(n)) => block.put(at, n.to_le_bytes()),
        (Scalar::F64, Val::Float64(n)) => block.put(at, n.to_le_bytes()),
        _ => return None,
    }
    Some(())
}

#[cold]
fn other_type() -> Error {
    Error::new(ErrorKind::Trap, "the component gave a value of another type than its interface has")
}
