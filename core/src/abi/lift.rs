//! From guest memory to host values: a walk over the type that checks every pointer, length,
//! discriminant and string.

use std::str::Utf8Error;
use std::sync::Arc;

use super::handles::{Handle, HostObject};
use super::json;
use super::memory::{self, GuestMemory};
use super::quota::{DEFAULT_MAX_VALUE, JsonPieces, Piece, Quota};
use super::text::text;
use crate::error::{Error, ErrorKind, Result};
use crate::interface::{EnumType, MapType, RecordType, ResourceType, Scalar, Side, Time, TupleType, Type, TypeKind, VariantType};

/// Makes host values of what the core finds in guest memory. Each host implements it for its own
/// values.
///
/// Text and bytes are lent: they lie in the guest's memory, and the guest may change them once the
/// method has returned.
pub trait Lift {
    /// The host's value.
    type Value;

    /// Bytes of the host's memory that this part of a value will take, including what the host
    /// allocates on the way. They count against [`Limits::value`](crate::Limits::value). Called
    /// before the part is made. It should be at least half of the true cost.
    fn cost(&self, piece: Piece<'_>) -> u64;
    /// The same for a text of JSON: the cost of everything in it, for hosts that make values of it.
    fn json_cost(&self, text: &str) -> u64 {
        JsonPieces::of(text).cost(text, |piece| self.cost(piece))
    }
    /// Whether lists of that scalar go to [`scalars`](Lift::scalars) as one run of bytes, and not
    /// to [`list`](Lift::list).
    fn packs(&self, scalar: Scalar) -> bool {
        let _ = scalar;
        true
    }

    /// A bool.
    ///
    /// # Errors
    ///
    /// As all of these: an error of the host's own code.
    fn bool(&self, value: bool) -> Result<Self::Value>;
    /// An integer of at most 32 bits, signed or unsigned: for hosts that have other integers for 64
    /// bits.
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
    /// A list of scalars that the host [packs](Lift::packs), as its bytes (little-endian; their
    /// number is a multiple of the scalar's size).
    fn scalars(&self, scalar: Scalar, bytes: &[u8]) -> Result<Self::Value>;
    /// Nanoseconds.
    fn duration(&self, nanoseconds: i64) -> Result<Self::Value>;
    /// An instant.
    fn time(&self, time: Time) -> Result<Self::Value>;
    /// An option without a value, or the result of a function that has none.
    fn none(&self) -> Result<Self::Value>;
    /// The case of an enum; its number is checked.
    fn case(&self, cases: &EnumType, case: u32) -> Result<Self::Value>;
    /// A list of `len` items; `item` returns the one at an index. The guest's memory does hold
    /// `len` items.
    fn list(&self, len: usize, item: impl FnMut(usize) -> Result<Self::Value>) -> Result<Self::Value>;
    /// A tuple.
    fn tuple(&self, len: usize, item: impl FnMut(usize) -> Result<Self::Value>) -> Result<Self::Value>;
    /// A map of `len` entries.
    fn map(&self, len: usize, entry: impl FnMut(usize) -> Result<(Self::Value, Self::Value)>) -> Result<Self::Value>;
    /// The same with the map's types: for hosts whose maps differ by them.
    ///
    /// # Errors
    ///
    /// As all of these.
    fn map_of(&self, map: &MapType, len: usize, entry: impl FnMut(usize) -> Result<(Self::Value, Self::Value)>) -> Result<Self::Value> {
        let _ = map;
        self.map(len, entry)
    }
    /// A record; `field` returns the value of a field.
    fn record(&self, record: &RecordType, field: impl FnMut(usize) -> Result<Self::Value>) -> Result<Self::Value>;
    /// A case of a variant with its value, if it has one; its number is checked.
    fn variant(&self, variant: &VariantType, case: u32, value: Option<Self::Value>) -> Result<Self::Value>;
    /// The same before the value is made, which `value` returns: for hosts that have to know where
    /// it goes.
    ///
    /// # Errors
    ///
    /// As all of these.
    fn variant_of(&self, variant: &VariantType, case: u32, value: impl FnOnce() -> Result<Option<Self::Value>>) -> Result<Self::Value> {
        self.variant(variant, case, value()?)
    }
    /// A handle of an object of the guest, which is the host's from now on.
    ///
    /// # Errors
    ///
    /// As all of these.
    fn handle(&self, resource: &Arc<ResourceType>, handle: Handle) -> Result<Self::Value>;
    /// An object of the host's program that a component passes back, with what the program has
    /// [given](HostObject::value) for it.
    ///
    /// # Errors
    ///
    /// As all of these; `signature-mismatch` where the host has no way to give the object back.
    fn object(&self, resource: &Arc<ResourceType>, object: HostObject) -> Result<Self::Value> {
        let _ = object;
        let text = format!("an object of the host, a {}, can't be passed back to this host", resource.name);
        Err(Error::new(ErrorKind::SignatureMismatch, text))
    }
}

/// The error for an object of the host that the program has not given, but a service has, say.
#[cold]
#[must_use]
pub fn not_given(resource: &ResourceType) -> Error {
    Error::new(ErrorKind::TypeMismatch, format!("the {} is not one that this program has given", resource.name))
}

/// Lifts a value of a type from `bytes`, with nested data in `memory`. `bytes` must be as long as
/// the type is.
///
/// A call lifts its result in this way. It is public so that a host, or a fuzzer, can show what
/// becomes of hostile memory.
///
/// # Errors
///
/// `trap` for invalid pointers, lengths and discriminants, `type-mismatch` for text that is not
/// UTF-8, and errors of the host's own code; with the path of the value.
pub fn lift_bytes<L: Lift>(ty: &Type, memory: GuestMemory<'_>, bytes: &[u8], lift: &L) -> Result<L::Value> {
    if bytes.len() < ty.size as usize {
        return Err(Error::new(ErrorKind::Trap, format!("a value of {ty} needs {} bytes, and there are {}", ty.size, bytes.len())));
    }
    Lifting::new(memory, lift, &Quota::new(DEFAULT_MAX_VALUE)).value(ty, bytes, 0)
}

/// How many keys of a map are lifted between two checks of the deadline.
const LOOK_AT_KEYS: usize = 16;

/// A walk over one result, or over the arguments of one host function.
pub(crate) struct Lifting<'m, 'l, L> {
    memory: GuestMemory<'m>,
    lift: &'l L,
    quota: &'l Quota<'l>,
}

impl<'m, 'l, L: Lift> Lifting<'m, 'l, L> {
    pub(crate) fn new(memory: GuestMemory<'m>, lift: &'l L, quota: &'l Quota<'l>) -> Self {
        Lifting { memory, lift, quota }
    }

    #[inline]
    fn charge(&self, piece: Piece<'_>) -> Result<()> {
        self.quota.charge(self.lift.cost(piece))
    }

    /// The elements of a list or map.
    fn elements(&self, size: u32, align: u32, bytes: &[u8], at: u32) -> Result<(&'m [u8], usize)> {
        let found = lift_list(self.memory, size, align, bytes, at)?;
        self.quota.note_read(found.0.len());
        Ok(found)
    }

    fn text(&self, bytes: &[u8], at: u32) -> Result<&'m str> {
        utf8(self.elements(1, 1, bytes, at)?.0)
    }
}

impl<L: Lift> Lifting<'_, '_, L> {
    /// Lifts the value at `at` in `bytes`, which lies within by the type's layout.
    pub(crate) fn value(&self, ty: &Type, bytes: &[u8], at: u32) -> Result<L::Value> {
        let lift = self.lift;
        match &ty.kind {
            TypeKind::Bool => {
                self.charge(Piece::Bool)?;
                lift.bool(lift_bool(bytes, at)?)
            }
            TypeKind::Scalar(scalar) => {
                self.charge(Piece::Number)?;
                self.scalar(*scalar, bytes, at)
            }
            TypeKind::String => {
                let text = self.text(bytes, at)?;
                self.charge(Piece::Text(text))?;
                lift.string(text)
            }
            TypeKind::Json => {
                let text = self.text(bytes, at)?;
                self.quota.charge(lift.json_cost(text))?;
                let value = lift.json(lift_json(text)?)?;
                // The host may parse the text, which nothing can interrupt.
                self.quota.look()?;
                Ok(value)
            }
            TypeKind::Duration => {
                self.charge(Piece::Duration)?;
                lift.duration(memory::read_i64(bytes, at))
            }
            TypeKind::Time => {
                self.charge(Piece::Time)?;
                lift.time(lift_time(bytes, at)?)
            }
            TypeKind::Enum(cases) => {
                let case = lift_case(ty.size, cases.cases.len(), bytes, at)?;
                self.charge(Piece::Case(&cases.cases[case as usize].0))?;
                lift.case(cases, case)
            }
            TypeKind::Variant(variant) => self.variant(variant, bytes, at),
            TypeKind::Own(resource) => self.handle(resource, bytes, at, true),
            TypeKind::Borrow(resource) => self.handle(resource, bytes, at, false),
            TypeKind::Option(inner) => {
                if lift_some(bytes, at)? {
                    self.charge(Piece::Some)?;
                    self.value(inner, bytes, at + inner.some_offset())
                } else {
                    self.charge(Piece::None)?;
                    lift.none()
                }
            }
            TypeKind::List(item) => self.list(ty, item, bytes, at),
            TypeKind::Map(map) => self.map(map, bytes, at),
            TypeKind::Tuple(tuple) => self.tuple(tuple, bytes, at),
            TypeKind::Record(record) => {
                self.charge(Piece::Record(record))?;
                lift.record(record, |i| {
                    let field = &record.fields[i];
                    self.value(&field.ty, bytes, at + record.layout.offsets[i]).map_err(|error| error.at(format!(".{}", field.name)))
                })
            }
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

    fn list(&self, ty: &Type, item: &Type, bytes: &[u8], at: u32) -> Result<L::Value> {
        let (items, len) = self.elements(item.size, item.align, bytes, at)?;
        if !ty.takes(len) {
            return Err(Error::new(ErrorKind::TypeMismatch, format!("the guest gave a list of {len} items for {ty}")));
        }
        if let TypeKind::Scalar(scalar) = item.kind
            && self.lift.packs(scalar)
        {
            self.charge(Piece::Scalars(scalar, len))?;
            return self.lift.scalars(scalar, items);
        }
        self.charge(Piece::List(len))?;
        self.lift.list(len, |i| self.value(item, items, i as u32 * item.size).map_err(|error| error.at(format!("[{i}]"))))
    }

    fn map(&self, map: &MapType, bytes: &[u8], at: u32) -> Result<L::Value> {
        let (entries, len) = self.elements(map.entry.size, map.entry.align, bytes, at)?;
        self.charge(Piece::Map(len))?;
        self.lift.map_of(map, len, |i| {
            // A guest may choose keys that collide in the host's hash table: each then takes time
            // proportional to the others.
            if i % LOOK_AT_KEYS == 0 {
                self.quota.look()?;
            }
            let place = i as u32 * map.entry.size;
            let entry = |error: Error| error.at(format!("[entry {i}]"));
            let key = self.value(&map.key, entries, place).map_err(entry)?;
            Ok((key, self.value(&map.value, entries, place + map.entry.offsets[1]).map_err(entry)?))
        })
    }

    fn variant(&self, variant: &VariantType, bytes: &[u8], at: u32) -> Result<L::Value> {
        let number = lift_case(variant.tag, variant.cases.len(), bytes, at)?;
        let case = &variant.cases[number as usize];
        self.charge(Piece::Variant(variant, number))?;
        self.lift.variant_of(variant, number, || {
            let value = |ty| self.value(ty, bytes, at + variant.payload).map_err(|error| error.at(format!(".{}", case.name)));
            case.ty.as_ref().map(value).transpose()
        })
    }

    fn handle(&self, resource: &Arc<ResourceType>, bytes: &[u8], at: u32, is_own: bool) -> Result<L::Value> {
        let number = memory::read_u32(bytes, at);
        let Some((handles, _)) = self.quota.handles() else {
            return Err(Error::new(ErrorKind::Trap, format!("the guest gave the handle {number} where it can give none")));
        };
        self.charge(Piece::Handle(resource))?;
        if resource.side == Side::Host {
            let object = if is_own { handles.take_object(resource, number)? } else { handles.object(resource, number)? };
            return self.lift.object(resource, object);
        }
        self.lift.handle(resource, handles.give(resource, number)?)
    }

    fn tuple(&self, tuple: &TupleType, bytes: &[u8], at: u32) -> Result<L::Value> {
        self.charge(Piece::Tuple(tuple.items.len()))?;
        self.lift.tuple(tuple.items.len(), |i| {
            self.value(&tuple.items[i], bytes, at + tuple.offsets[i]).map_err(|error| error.at(format!("[{i}]")))
        })
    }
}

/// The elements that the pointer and the length at `at` denote, as bytes, and their number.
#[inline(always)]
#[expect(clippy::inline_always, reason = "as `GuestMemory::slice`")]
pub(crate) fn lift_list<'m>(memory: GuestMemory<'m>, size: u32, align: u32, bytes: &[u8], at: u32) -> Result<(&'m [u8], usize)> {
    let len = memory::read_u32(bytes, at + 4);
    let items = memory.slice(memory::read_u32(bytes, at), len, size, align)?;
    Ok((items, len as usize))
}

#[inline]
pub(crate) fn utf8(bytes: &[u8]) -> Result<&str> {
    text(bytes).map_err(|error| not_utf8(error, bytes))
}

#[cold]
fn not_utf8(error: Utf8Error, bytes: &[u8]) -> Error {
    let text = format!("the guest gave a string that is not UTF-8, from byte {} of {} on", error.valid_up_to(), bytes.len());
    let error = Error::new(ErrorKind::TypeMismatch, text);
    // What a guest passes in place of a text that it refused to carry.
    if bytes == [0xFF] { error.of_no_value() } else { error }
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

/// The discriminant, of `size` bytes, of a type with so many cases.
pub(crate) fn lift_case(size: u32, cases: usize, bytes: &[u8], at: u32) -> Result<u32> {
    let case = match size {
        1 => memory::read_u8(bytes, at).into(),
        2 => memory::read_u16(bytes, at).into(),
        _ => memory::read_u32(bytes, at),
    };
    if case as usize >= cases {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::abi::block;
    use crate::interface::{Choice, Interface, SlotKind};

    /// Where a discriminant just has room, and just has none, for one more case.
    #[test]
    #[cfg_attr(miri, ignore = "takes long")]
    fn enums_at_the_bounds_of_their_discriminants() {
        use std::fmt::Write as _;

        for (count, size, kind) in [
            (1_u32, 1, SlotKind::Case8),
            (255, 1, SlotKind::Case8),
            (256, 1, SlotKind::Case8),
            (257, 2, SlotKind::Case16),
            (65_535, 2, SlotKind::Case16),
            (65_536, 2, SlotKind::Case16),
            (65_537, 4, SlotKind::I32),
        ] {
            let cases = (0..count).fold(String::new(), |mut cases, i| {
                let _ = write!(cases, "c{i},");
                cases
            });
            let text = format!(
                "package a:b;\ninterface types {{ enum e {{ {cases} }} }}\nworld w {{ use types.{{e}}; export f: func(a: e, b: option<e>) -> e; }}\n"
            );
            let interface = Interface::parse(&text).unwrap_or_else(|error| panic!("{count}: {error}"));
            let function = &interface.exports[0];
            let ty = &function.params[0].ty;
            let TypeKind::Enum(cases) = &ty.kind else { panic!("{ty}") };
            assert_eq!((cases.cases.len() as u32, ty.size, ty.align), (count, size, size));
            assert_eq!(function.abi.slots.iter().map(|slot| slot.kind).collect::<Vec<_>>(), [kind, SlotKind::Case8, kind], "{count}");
            assert_eq!(function.abi.params.offsets, [0, size], "{count}");
            assert_eq!((function.params[1].ty.size, function.abi.result.size), (2 * size, size), "{count}");
            // Its last case comes as it went, in memory and flat, and what lies beyond is none.
            let slot = function.abi.slots[0];
            let mut bytes = [0; 8];
            block::store(&mut bytes, slot, u64::from(count - 1)).unwrap_or_else(|error| panic!("{count}: {error}"));
            assert_eq!(lift_case(ty.size, cases.cases.len(), &bytes, 0).ok(), Some(count - 1));
            assert_eq!(cases.case(&format!("c{}", count - 1)), Some(count - 1));
            for beyond in [count, u32::MAX] {
                let stored = block::store(&mut bytes, slot, beyond.into());
                let refused = stored.and_then(|()| lift_case(ty.size, cases.cases.len(), &bytes, 0)).expect_err("no such case");
                assert_eq!(refused.kind(), ErrorKind::Trap, "{count}");
            }
        }
    }
}
