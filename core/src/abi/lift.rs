//! From guest memory to host values: a walk over the type, with every pointer, length, discriminant and string checked.

use std::cell::Cell;
use std::str::Utf8Error;

use super::json;
use super::memory::{self, GuestMemory};
use super::text::text;
use crate::error::{Error, ErrorKind, Result};
use crate::interface::{EnumType, MapType, RecordType, Scalar, Time, TupleType, Type, TypeKind};

/// Makes host values of what the core finds in guest memory. Implemented by each host for its own values.
///
/// Text and bytes are lent: they lie in the guest's memory, and are the guest's again when the method returns.
pub trait Lift {
    /// The host's value.
    type Value;

    /// A bool.
    ///
    /// # Errors
    ///
    /// As all of these: what the host's own code said.
    fn bool(&self, value: bool) -> Result<Self::Value>;
    /// An integer of at most 32 bits, with a sign or without: for hosts that have other integers for 64 bits.
    ///
    /// # Errors
    ///
    /// As all of these.
    fn s33(&self, value: i64) -> Result<Self::Value> {
        self.s64(value)
    }
    /// An integer that fits 64 signed bits.
    fn s64(&self, value: i64) -> Result<Self::Value>;
    /// An integer that may need all of 64 unsigned bits.
    fn u64(&self, value: u64) -> Result<Self::Value>;
    /// A float of 32 bits.
    fn f32(&self, value: f32) -> Result<Self::Value>;
    /// A float of 64 bits.
    fn f64(&self, value: f64) -> Result<Self::Value>;
    /// Text.
    fn string(&self, value: &str) -> Result<Self::Value>;
    /// Text that should hold one JSON value.
    fn json(&self, value: &str) -> Result<Self::Value>;
    /// A list of scalars, as its bytes (little-endian, their number a multiple of the scalar's size). `list<u8>` is one of them.
    fn scalars(&self, scalar: Scalar, bytes: &[u8]) -> Result<Self::Value>;
    /// Nanoseconds.
    fn duration(&self, nanoseconds: i64) -> Result<Self::Value>;
    /// An instant.
    fn time(&self, time: Time) -> Result<Self::Value>;
    /// The value of an option that has none, or of a function without a result.
    fn none(&self) -> Result<Self::Value>;
    /// The case of an enum; the number is checked.
    fn case(&self, cases: &EnumType, case: u32) -> Result<Self::Value>;
    /// A list of `len` items; `item` gives the one of that index. `len` items do lie in the guest's memory.
    fn list(&self, len: usize, item: impl FnMut(usize) -> Result<Self::Value>) -> Result<Self::Value>;
    /// A tuple.
    fn tuple(&self, len: usize, item: impl FnMut(usize) -> Result<Self::Value>) -> Result<Self::Value>;
    /// A map of `len` entries.
    fn map(&self, len: usize, entry: impl FnMut(usize) -> Result<(Self::Value, Self::Value)>) -> Result<Self::Value>;
    /// The same, with the types: for hosts whose maps differ by them.
    ///
    /// # Errors
    ///
    /// As all of these.
    fn map_of(&self, map: &MapType, len: usize, entry: impl FnMut(usize) -> Result<(Self::Value, Self::Value)>) -> Result<Self::Value> {
        let _ = map;
        self.map(len, entry)
    }
    /// A record; `field` gives the value of that field.
    fn record(&self, record: &RecordType, field: impl FnMut(usize) -> Result<Self::Value>) -> Result<Self::Value>;
}

/// Lifts a value of a type whose bytes are `bytes`, with nested data in `memory`. `bytes` must be as long as the type is.
///
/// This is what a call does with its result. It is public so that a host, or a fuzzer, can show what becomes of hostile memory.
///
/// # Errors
///
/// `trap` for pointers, lengths and discriminants that can't be, `type-mismatch` for text that is not UTF-8, and whatever
/// the host's own code says; with the path of the value.
pub fn lift_bytes<L: Lift>(ty: &Type, memory: GuestMemory<'_>, bytes: &[u8], lift: &L) -> Result<L::Value> {
    if bytes.len() < ty.size as usize {
        return Err(Error::new(ErrorKind::Trap, format!("a value of {ty} needs {} bytes, and there are {}", ty.size, bytes.len())));
    }
    Lifting::new(memory, lift, &Budget::new(DEFAULT_MAX_VALUE)).value(ty, bytes, 0)
}

/// Bytes that one value may have on the host's side of the boundary, unless the limits say otherwise.
pub(crate) const DEFAULT_MAX_VALUE: u64 = 1 << 30;

/// A walk over one result, or over the arguments of one host function.
pub(crate) struct Lifting<'m, 'l, L> {
    memory: GuestMemory<'m>,
    lift: &'l L,
    budget: &'l Budget,
}

impl<'m, 'l, L> Lifting<'m, 'l, L> {
    pub(crate) fn new(memory: GuestMemory<'m>, lift: &'l L, budget: &'l Budget) -> Self {
        Lifting { memory, lift, budget }
    }

    /// The elements of a list, charged against what one value may have.
    fn elements(&self, item: &Type, bytes: &[u8], at: u32) -> Result<(&'m [u8], usize)> {
        let found = lift_list(self.memory, item.size, item.align, bytes, at)?;
        self.budget.charge(found.0.len(), if matches!(item.kind, TypeKind::Scalar(_)) { 0 } else { found.1 })?;
        Ok(found)
    }

    fn text(&self, bytes: &[u8], at: u32) -> Result<&'m str> {
        let (text, len) = lift_list(self.memory, 1, 1, bytes, at)?;
        self.budget.charge(len, 0)?;
        utf8(text)
    }
}

impl<L: Lift> Lifting<'_, '_, L> {
    /// Lifts the value at `at` in `bytes`, which the type's layout says lies within.
    pub(crate) fn value(&self, ty: &Type, bytes: &[u8], at: u32) -> Result<L::Value> {
        let lift = self.lift;
        match &ty.kind {
            TypeKind::Bool => lift.bool(lift_bool(bytes, at)?),
            TypeKind::Scalar(scalar) => self.scalar(*scalar, bytes, at),
            TypeKind::String => lift.string(self.text(bytes, at)?),
            TypeKind::Json => lift.json(lift_json(self.text(bytes, at)?)?),
            TypeKind::Duration => lift.duration(memory::read_i64(bytes, at)),
            TypeKind::Time => lift.time(lift_time(bytes, at)?),
            TypeKind::Enum(cases) => lift.case(cases, lift_case(ty, cases, bytes, at)?),
            TypeKind::Option(inner) => {
                if lift_some(bytes, at)? {
                    self.value(inner, bytes, at + inner.some_offset())
                } else {
                    lift.none()
                }
            }
            TypeKind::List(item) => self.list(item, bytes, at),
            TypeKind::Map(map) => self.map(map, bytes, at),
            TypeKind::Tuple(tuple) => self.tuple(tuple, bytes, at),
            TypeKind::Record(record) => lift.record(record, |i| {
                let field = &record.fields[i];
                self.value(&field.ty, bytes, at + record.layout.offsets[i]).map_err(|error| error.at(format!(".{}", field.name)))
            }),
        }
    }

    fn scalar(&self, scalar: Scalar, bytes: &[u8], at: u32) -> Result<L::Value> {
        let lift = self.lift;
        match scalar {
            Scalar::S8 => lift.s33(memory::read_i8(bytes, at).into()),
            Scalar::U8 => lift.s33(memory::read_u8(bytes, at).into()),
            Scalar::S16 => lift.s33(memory::read_i16(bytes, at).into()),
            Scalar::U16 => lift.s33(memory::read_u16(bytes, at).into()),
            Scalar::S32 | Scalar::WasmI32 => lift.s33(memory::read_i32(bytes, at).into()),
            Scalar::U32 => lift.s33(memory::read_u32(bytes, at).into()),
            Scalar::S64 | Scalar::WasmI64 => lift.s64(memory::read_i64(bytes, at)),
            Scalar::U64 => lift.u64(memory::read_u64(bytes, at)),
            Scalar::F32 => lift.f32(memory::read_f32(bytes, at)),
            Scalar::F64 => lift.f64(memory::read_f64(bytes, at)),
        }
    }

    fn list(&self, item: &Type, bytes: &[u8], at: u32) -> Result<L::Value> {
        let (items, len) = self.elements(item, bytes, at)?;
        if let TypeKind::Scalar(scalar) = item.kind {
            return self.lift.scalars(scalar, items);
        }
        self.lift.list(len, |i| self.value(item, items, i as u32 * item.size).map_err(|error| error.at(format!("[{i}]"))))
    }

    fn map(&self, map: &MapType, bytes: &[u8], at: u32) -> Result<L::Value> {
        let (entries, len) = lift_list(self.memory, map.entry.size, map.entry.align, bytes, at)?;
        self.budget.charge(entries.len(), len)?;
        self.lift.map_of(map, len, |i| {
            let place = i as u32 * map.entry.size;
            let entry = |error: Error| error.at(format!("[entry {i}]"));
            let key = self.value(&map.key, entries, place).map_err(entry)?;
            Ok((key, self.value(&map.value, entries, place + map.entry.offsets[1]).map_err(entry)?))
        })
    }

    fn tuple(&self, tuple: &TupleType, bytes: &[u8], at: u32) -> Result<L::Value> {
        self.lift.tuple(tuple.items.len(), |i| {
            self.value(&tuple.items[i], bytes, at + tuple.offsets[i]).map_err(|error| error.at(format!("[{i}]")))
        })
    }
}

/// What a host needs for an element that is not a number, at the least: a few bytes of a guest can become an object.
const ELEMENT_COST: u64 = 32;

/// What one value may still have. A guest's lists may overlap, and so mean far more than its memory holds.
pub(crate) struct Budget {
    max: u64,
    left: Cell<u64>,
}

impl Budget {
    pub(crate) fn new(max: u64) -> Budget {
        Budget { max, left: Cell::new(max) }
    }

    /// Takes bytes, and elements that are no numbers.
    #[inline]
    pub(crate) fn charge(&self, bytes: usize, elements: usize) -> Result<()> {
        let cost = bytes as u64 + elements as u64 * ELEMENT_COST;
        let left = self.left.get().checked_sub(cost).ok_or_else(|| too_large(self.max))?;
        self.left.set(left);
        Ok(())
    }

    /// What was taken so far.
    pub(crate) fn spent(&self) -> u64 {
        self.max - self.left.get()
    }
}

#[cold]
pub(crate) fn too_large(max: u64) -> Error {
    Error::new(ErrorKind::OutOfMemory, format!("the guest gave a value of more than {max} bytes, the limit for one value"))
}

/// The elements that a pointer and a length at `at` denote, as bytes, and their number.
#[inline(always)]
#[expect(clippy::inline_always, reason = "as `GuestMemory::slice`")]
pub(crate) fn lift_list<'m>(memory: GuestMemory<'m>, size: u32, align: u32, bytes: &[u8], at: u32) -> Result<(&'m [u8], usize)> {
    let len = memory::read_u32(bytes, at + 4);
    let items = memory.slice(memory::read_u32(bytes, at), len, size, align)?;
    Ok((items, len as usize))
}

#[inline]
pub(crate) fn utf8(bytes: &[u8]) -> Result<&str> {
    text(bytes).map_err(|error| not_utf8(error, bytes.len()))
}

#[cold]
fn not_utf8(error: Utf8Error, len: usize) -> Error {
    let text = format!("the guest gave a string that is not UTF-8, from byte {} of {len} on", error.valid_up_to());
    Error::new(ErrorKind::TypeMismatch, text)
}

pub(crate) fn lift_bool(bytes: &[u8], at: u32) -> Result<bool> {
    match memory::read_u8(bytes, at) {
        0 => Ok(false),
        1 => Ok(true),
        other => Err(Error::new(ErrorKind::Trap, format!("the guest gave the bool {other}, which is neither 0 nor 1"))),
    }
}

pub(crate) fn lift_some(bytes: &[u8], at: u32) -> Result<bool> {
    match memory::read_u8(bytes, at) {
        0 => Ok(false),
        1 => Ok(true),
        other => Err(no_case(other.into())),
    }
}

pub(crate) fn lift_time(bytes: &[u8], at: u32) -> Result<Time> {
    let time = Time {
        seconds: memory::read_i64(bytes, at),
        nanoseconds: memory::read_u32(bytes, at + 8),
        offset: memory::read_i32(bytes, at + 12),
    };
    if time.nanoseconds > 999_999_999 {
        return Err(Error::new(ErrorKind::TypeMismatch, format!("the guest gave a time with {} nanoseconds", time.nanoseconds)));
    }
    Ok(time)
}

pub(crate) fn lift_case(ty: &Type, cases: &EnumType, bytes: &[u8], at: u32) -> Result<u32> {
    let case = match ty.size {
        1 => memory::read_u8(bytes, at).into(),
        2 => memory::read_u16(bytes, at).into(),
        _ => memory::read_u32(bytes, at),
    };
    if case as usize >= cases.cases.len() {
        return Err(no_case(case).of_no_value());
    }
    Ok(case)
}

/// The text, if it is JSON.
pub(crate) fn lift_json(text: &str) -> Result<&str> {
    json::check_lifted(text).map(|()| text)
}

#[cold]
pub(crate) fn no_case(case: u32) -> Error {
    Error::new(ErrorKind::Trap, format!("the guest gave the discriminant {case}, which has no case"))
}
