//! The values of components, which the engine lifts and lowers by itself: read from a block, and
//! written into one.

use wasmtime::component::Val;

use super::block::Block;
use super::lift::{lift_bool, lift_case, lift_list, lift_some, lift_time, utf8};
use super::memory::{self, GuestMemory};
use crate::error::{Error, ErrorKind, Result};
use crate::interface::{Choice as _, Field, Function, Scalar, Time, Type, TypeKind};

/// Reads a value from a block that was written to `memory`.
///
/// # Errors
///
/// Those of lifting. A block that the host's values were lowered into causes none.
pub(crate) fn read(ty: &Type, memory: GuestMemory<'_>, bytes: &[u8], at: u32) -> Result<Val> {
    let text = || -> Result<Val> { Ok(Val::String(utf8(lift_list(memory, 1, 1, bytes, at)?.0)?.to_owned())) };
    let items = |item: &Type| -> Result<Vec<Val>> {
        let (items, len) = lift_list(memory, item.size, item.align, bytes, at)?;
        (0..len as u32).map(|i| read(item, memory, items, i * item.size)).collect()
    };
    Ok(match &ty.kind {
        TypeKind::Bool => Val::Bool(lift_bool(bytes, at)?),
        TypeKind::Scalar(scalar) => number(*scalar, bytes, at),
        TypeKind::String | TypeKind::Json => text()?,
        TypeKind::Duration => Val::S64(memory::read_i64(bytes, at)),
        TypeKind::Time => {
            let Time { seconds, nanoseconds, offset } = lift_time(bytes, at)?;
            let field = |name: &str, value| (name.to_owned(), value);
            Val::Record(vec![field(TIME[0], Val::S64(seconds)), field(TIME[1], Val::U32(nanoseconds)), field(TIME[2], Val::S32(offset))])
        }
        TypeKind::Enum(cases) => Val::Enum(cases.cases[lift_case(ty.size, cases.cases.len(), bytes, at)? as usize].0.clone()),
        TypeKind::Variant(variant) => {
            let case = &variant.cases[lift_case(variant.tag, variant.cases.len(), bytes, at)? as usize];
            let value = case.ty.as_ref().map(|ty| read(ty, memory, bytes, at + variant.payload)).transpose()?;
            Val::Variant(case.name.clone(), value.map(Box::new))
        }
        TypeKind::Option(inner) => {
            let value = lift_some(bytes, at)?.then(|| read(inner, memory, bytes, at + inner.some_offset())).transpose()?;
            Val::Option(value.map(Box::new))
        }
        TypeKind::List(item) => Val::List(items(item)?),
        TypeKind::Map(map) => {
            let (entries, len) = lift_list(memory, map.entry.size, map.entry.align, bytes, at)?;
            let entry = |i: u32| -> Result<(Val, Val)> {
                let at = i * map.entry.size;
                Ok((read(&map.key, memory, entries, at)?, read(&map.value, memory, entries, at + map.entry.offsets[1])?))
            };
            Val::Map((0..len as u32).map(entry).collect::<Result<_>>()?)
        }
        TypeKind::Tuple(tuple) => {
            let items = tuple.items.iter().zip(&tuple.offsets);
            Val::Tuple(items.map(|(item, offset)| read(item, memory, bytes, at + offset)).collect::<Result<_>>()?)
        }
        TypeKind::Record(record) => {
            let fields = record.fields.iter().zip(&record.layout.offsets);
            let one = |(field, offset): (&Field, &u32)| Ok((field.name.clone(), read(&field.ty, memory, bytes, at + offset)?));
            Val::Record(fields.map(one).collect::<Result<_>>()?)
        }
        TypeKind::Own(_) | TypeKind::Borrow(_) => return Err(no_handles()),
    })
}

/// Reads the value of each parameter from a record of all of them.
pub(crate) fn read_params(function: &Function, memory: GuestMemory<'_>, bytes: &[u8]) -> Result<Vec<Val>> {
    let params = function.params.iter().zip(&function.abi.params.offsets);
    params.map(|(param, offset)| read(&param.ty, memory, bytes, *offset)).collect()
}

/// Reads the result of a host function, as the engine passes it on: no value, or one.
pub(crate) fn read_result(function: &Function, memory: GuestMemory<'_>, bytes: &[u8]) -> Result<Option<Val>> {
    let at = function.abi.result.value_offset;
    let value = |ty: &Type| read(ty, memory, bytes, at);
    if !function.fallible {
        return function.result.as_ref().map(value).transpose();
    }
    let failed = lift_some(bytes, 0)?;
    let boxed = |value: Option<Val>| value.map(Box::new);
    Ok(Some(Val::Result(if failed {
        Err(Some(Box::new(value(&error_type(function))?)))
    } else {
        Ok(boxed(function.result.as_ref().map(value).transpose()?))
    })))
}

/// Writes a value of the component to its place in a block.
///
/// # Errors
///
/// `trap` for a value of another type, which the engine has excluded.
pub(crate) fn write(ty: &Type, value: &Val, block: &mut Block<'_>, at: u32) -> Result<()> {
    block.step()?;
    match (&ty.kind, value) {
        (TypeKind::Bool, Val::Bool(value)) => block.put(at, [u8::from(*value)]),
        (TypeKind::Scalar(scalar), value) => put_number(*scalar, value, block, at).ok_or_else(other_type)?,
        (TypeKind::String | TypeKind::Json, Val::String(text)) => block.put_str(at, text)?,
        (TypeKind::Duration, Val::S64(value)) => block.put(at, value.to_le_bytes()),
        (TypeKind::Time, Val::Record(fields)) => {
            let [(_, Val::S64(seconds)), (_, Val::U32(nanoseconds)), (_, Val::S32(offset))] = &fields[..] else { return Err(other_type()) };
            block.put(at, seconds.to_le_bytes());
            block.put(at + 8, nanoseconds.to_le_bytes());
            block.put(at + 12, offset.to_le_bytes());
        }
        (TypeKind::Enum(cases), Val::Enum(name)) => block.put_case(at, ty.size, cases.case(name).ok_or_else(other_type)?),
        (TypeKind::Variant(variant), Val::Variant(name, value)) => {
            let number = variant.case(name).ok_or_else(other_type)?;
            block.put_case(at, variant.tag, number);
            match (&variant.cases[number as usize].ty, value) {
                (Some(ty), Some(value)) => write(ty, value, block, at + variant.payload)?,
                (None, None) => {}
                _ => return Err(other_type()),
            }
        }
        (TypeKind::Option(_), Val::Option(None)) => {}
        (TypeKind::Option(inner), Val::Option(Some(value))) => {
            block.put(at, [1]);
            write(inner, value, block, at + inner.some_offset())?;
        }
        (TypeKind::List(item), Val::List(items) | Val::FixedLengthList(items)) => {
            let target = block.reserve(items.len(), item.size, item.align)?;
            for (i, value) in items.iter().enumerate() {
                write(item, value, block, target + i as u32 * item.size)?;
            }
            block.put_list(at, target, items.len());
        }
        (TypeKind::Map(map), Val::Map(entries)) => {
            let target = block.reserve(entries.len(), map.entry.size, map.entry.align)?;
            for (i, (key, value)) in entries.iter().enumerate() {
                let place = target + i as u32 * map.entry.size;
                write(&map.key, key, block, place)?;
                write(&map.value, value, block, place + map.entry.offsets[1])?;
            }
            block.put_list(at, target, entries.len());
        }
        (TypeKind::Tuple(tuple), Val::Tuple(items)) if items.len() == tuple.items.len() => {
            for ((ty, offset), value) in tuple.items.iter().zip(&tuple.offsets).zip(items) {
                write(ty, value, block, at + offset)?;
            }
        }
        (TypeKind::Record(record), Val::Record(fields)) if fields.len() == record.fields.len() => {
            for ((field, offset), (_, value)) in record.fields.iter().zip(&record.layout.offsets).zip(fields) {
                write(&field.ty, value, block, at + offset)?;
            }
        }
        _ => return Err(other_type()),
    }
    Ok(())
}

/// Writes the values of parameters to their places in the record of all of them.
pub(crate) fn write_params(function: &Function, values: &[Val], block: &mut Block<'_>) -> Result<()> {
    let params = function.params.iter().zip(&function.abi.params.offsets);
    params.zip(values).try_for_each(|((param, offset), value)| write(&param.ty, value, block, *offset))
}

/// Writes the result of an export to the return area at the beginning of a block.
pub(crate) fn write_result(function: &Function, value: Option<&Val>, block: &mut Block<'_>) -> Result<()> {
    let at = function.abi.result.value_offset;
    let value = match (function.fallible, value) {
        (true, Some(Val::Result(Ok(value)))) => value.as_deref(),
        (true, Some(Val::Result(Err(Some(error))))) => {
            block.put(0, [1]);
            return write(&error_type(function), error, block, at);
        }
        (true, _) => return Err(other_type()),
        (false, value) => value,
    };
    match (&function.result, value) {
        (Some(ty), Some(value)) => write(ty, value, block, at),
        (None, None) => Ok(()),
        _ => Err(other_type()),
    }
}

/// What a function fails with: text, or a list of marked errors, outermost first.
fn error_type(function: &Function) -> Type {
    match &function.errors {
        None => Type::new(TypeKind::String),
        Some(errors) => Type::new(TypeKind::List(Type::new(TypeKind::Variant(errors.clone())).into())),
    }
}

/// The fields of `undergo:go/types.time`.
const TIME: [&str; 3] = ["seconds", "nanoseconds", "offset"];

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

#[cold]
fn no_handles() -> Error {
    Error::new(ErrorKind::Trap, "handles are not passed to components")
}
