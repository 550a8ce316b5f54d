//! The layout of types and functions by the canonical ABI: sizes, alignments, flat values.

use std::sync::Arc;

use smallvec::SmallVec;
use wasmtime::ValRaw;

use super::resource::Side;
use super::types::{Extension, Failure, Field, Function, Scalar, TupleType, Type, TypeKind};

/// How a function's values travel by the canonical ABI. Each flat value has one place in the record
/// of all parameters: to flatten is to load, to unflatten is to store. Only the values that the
/// cases of a variant share have several, and depend on the discriminant: see `abi/joined.rs`.
#[derive(Debug)]
pub(crate) struct Signature {
    /// The record of all parameters.
    pub(crate) params: Arc<TupleType>,
    /// The flat parameters' places in it; empty when it travels by pointer. Those that the cases of
    /// a variant share have only their kind.
    pub(crate) slots: Slots,
    /// Whether the parameters travel by pointer (more than 16 of them when flat).
    pub(crate) spilled: bool,
    /// Whether flat parameters hold a variant, so that not each has one place.
    pub(crate) joined: bool,
    /// The parameters of a function that [`PlainCall`](crate::host::PlainCall) can call.
    pub(crate) plain: Option<Box<[Plain]>>,
    /// The layout of the result with its error, if it has any.
    pub(crate) result: ResultLayout,
}

/// A parameter that is copied as it lies in the host's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Plain {
    /// A bool, a number or a duration.
    Number(SlotKind),
    Text,
    /// Text of JSON.
    Json,
    /// A list of numbers.
    List(Scalar),
    /// An object of the guest, borrowed.
    Object,
    /// An object of the host, borrowed: the one whose method is called, above all.
    HostObject,
}

/// The result in memory.
#[derive(Debug)]
pub(crate) struct ResultLayout {
    pub(crate) size: u32,
    pub(crate) align: u32,
    /// Where the value begins: behind the discriminant, when the function can fail.
    pub(crate) value_offset: u32,
    /// A single flat result, if it is one.
    pub(crate) flat: Option<Slot>,
    /// How the value is copied, if it can be without a look at what is in it.
    pub(crate) plain: Option<Plain>,
    /// Of a result that is a bool, a number or a duration, and can't be an error.
    pub(crate) number: Option<SlotKind>,
}

impl ResultLayout {
    /// What the guest gave as the first core value. Guest code writes as many bytes as the value
    /// has, and the processor waits when more are read so soon.
    #[inline]
    pub(crate) fn core_value(&self, raw: ValRaw) -> u64 {
        match self.flat {
            Some(Slot { kind: SlotKind::I64 | SlotKind::F64, .. }) => raw.get_u64(),
            _ => raw.get_u32().into(),
        }
    }
}

/// The flat values of a type or of all parameters.
pub(crate) type Slots = SmallVec<[Slot; MAX_FLAT_PARAMS]>;

/// One flat value and its place in memory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slot {
    pub(crate) offset: u32,
    pub(crate) kind: SlotKind,
}

/// How a flat value is loaded and stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SlotKind {
    Bool,
    /// A discriminant of one byte, or of two: flat, it has 32 bits, which must not be cut off
    /// silently.
    Case8,
    Case16,
    S8,
    U8,
    S16,
    U16,
    I32,
    I64,
    F32,
    F64,
}

impl SlotKind {
    /// A discriminant of that many bytes.
    pub(crate) fn of_tag(size: u32) -> SlotKind {
        match size {
            1 => SlotKind::Case8,
            2 => SlotKind::Case16,
            _ => SlotKind::I32,
        }
    }

    /// The core value's type, as the kind of a value that is as wide.
    fn core(self) -> SlotKind {
        match self {
            SlotKind::I64 | SlotKind::F32 | SlotKind::F64 => self,
            _ => SlotKind::I32,
        }
    }

    /// Bytes in memory.
    #[inline]
    pub(crate) fn size(self) -> usize {
        match self {
            SlotKind::Bool | SlotKind::Case8 | SlotKind::S8 | SlotKind::U8 => 1,
            SlotKind::Case16 | SlotKind::S16 | SlotKind::U16 => 2,
            SlotKind::I32 | SlotKind::F32 => 4,
            SlotKind::I64 | SlotKind::F64 => 8,
        }
    }
}

const MAX_FLAT_PARAMS: usize = 16;

/// The most parameters of a function that [`PlainCall`](crate::host::PlainCall) can call. More are
/// rare, and clearing room for them would cost the others.
pub(crate) const MAX_PLAIN_PARAMS: usize = 4;

/// The most parameters of a core function for which there is a short way, if all of them are words
/// of 32 bits.
pub(crate) const MOST_WORDS: usize = 4;

/// Clamps what a hostile interface says: far above what its reader accepts, and far below an
/// overflow.
pub(super) const TOO_LARGE: u32 = 1 << 30;

impl Scalar {
    fn slot(self) -> SlotKind {
        match self {
            Scalar::S8 => SlotKind::S8,
            Scalar::U8 => SlotKind::U8,
            Scalar::S16 => SlotKind::S16,
            Scalar::U16 => SlotKind::U16,
            Scalar::S32 | Scalar::U32 | Scalar::WasmI32 => SlotKind::I32,
            Scalar::S64 | Scalar::U64 | Scalar::WasmI64 => SlotKind::I64,
            Scalar::F32 => SlotKind::F32,
            Scalar::F64 => SlotKind::F64,
        }
    }
}

impl Type {
    /// Where the value of an `option` of this type begins.
    pub(crate) fn some_offset(&self) -> u32 {
        payload_offset(1, self.align)
    }

    /// The way from a value of this type to the part of it whose discriminant lies at that offset:
    /// `.state`.
    #[cold]
    pub(crate) fn step_to(&self, offset: u32) -> String {
        let last = |offsets: &[u32]| offsets.partition_point(|start| *start <= offset).saturating_sub(1);
        match &self.kind {
            TypeKind::Option(inner) if offset >= inner.some_offset() => inner.step_to(offset - inner.some_offset()),
            TypeKind::Tuple(tuple) => {
                let i = last(&tuple.offsets);
                format!("[{i}]{}", tuple.items[i].step_to(offset - tuple.offsets[i]))
            }
            TypeKind::Record(record) => {
                let (i, offsets) = (last(&record.layout.offsets), &record.layout.offsets);
                format!(".{}{}", record.fields[i].name, record.fields[i].ty.step_to(offset - offsets[i]))
            }
            _ => String::new(),
        }
    }

    /// How it is copied, if it can be without a look at what is in it.
    fn plain(&self) -> Option<Plain> {
        Some(match &self.kind {
            TypeKind::Bool => Plain::Number(SlotKind::Bool),
            TypeKind::Scalar(scalar) => Plain::Number(scalar.slot()),
            TypeKind::Duration => Plain::Number(SlotKind::I64),
            // One character is looked at.
            TypeKind::String if self.is_char => return None,
            TypeKind::String => Plain::Text,
            TypeKind::Json => Plain::Json,
            TypeKind::List(item) => match item.kind {
                TypeKind::Scalar(scalar) if self.length.is_none() => Plain::List(scalar),
                _ => return None,
            },
            TypeKind::Borrow(resource) => match resource.side {
                Side::Guest => Plain::Object,
                Side::Host => Plain::HostObject,
            },
            _ => return None,
        })
    }

    /// Adds the flat values of this type. Stops when there are more than `most`: a hostile
    /// interface has billions of them.
    pub(crate) fn slots(&self, at: u32, most: usize, out: &mut Slots) {
        let mut push = |offset, kind| out.push(Slot { offset, kind });
        match &self.kind {
            TypeKind::Bool => push(at, SlotKind::Bool),
            TypeKind::Scalar(scalar) => push(at, scalar.slot()),
            TypeKind::String | TypeKind::Json | TypeKind::List(_) | TypeKind::Map(_) => {
                push(at, SlotKind::I32);
                push(at + 4, SlotKind::I32);
            }
            TypeKind::Duration => push(at, SlotKind::I64),
            TypeKind::Time => {
                push(at, SlotKind::I64);
                push(at + 8, SlotKind::I32);
                push(at + 12, SlotKind::I32);
            }
            TypeKind::Enum(_) => push(at, SlotKind::of_tag(self.size)),
            TypeKind::Own(_) | TypeKind::Borrow(_) => push(at, SlotKind::I32),
            TypeKind::Variant(variant) => {
                push(at, SlotKind::of_tag(variant.tag));
                out.extend(variant.joined.iter().map(|&kind| Slot { offset: at + variant.payload, kind }));
            }
            TypeKind::Option(inner) => {
                push(at, SlotKind::Case8);
                inner.slots(at + inner.some_offset(), most, out);
            }
            TypeKind::Tuple(tuple) => tuple.slots(at, most, out),
            TypeKind::Record(record) => record.layout.slots(at, most, out),
        }
    }
}

impl TupleType {
    fn slots(&self, at: u32, most: usize, out: &mut Slots) {
        for (item, offset) in self.items.iter().zip(&self.offsets) {
            if out.len() > most {
                return;
            }
            item.slots(at + offset, most, out);
        }
    }
}

impl Function {
    /// The way to the part of the arguments whose discriminant lies at that offset: `job.state`.
    #[cold]
    pub(crate) fn param_at(&self, offset: u32) -> String {
        let offsets = &self.abi.params.offsets;
        let i = offsets.partition_point(|start| *start <= offset).saturating_sub(1);
        format!("{}{}", self.params[i].name, self.params[i].ty.step_to(offset - offsets[i]))
    }

    /// A function, with the way its values travel.
    #[must_use]
    pub fn new(name: String, docs: String, params: Vec<Field>, result: Option<Type>, fallible: bool) -> Function {
        let record = Arc::new(TupleType::new(params.iter().map(|param| param.ty.clone()).collect()));
        let mut slots = Slots::new();
        record.slots(0, MAX_FLAT_PARAMS, &mut slots);
        let spilled = slots.len() > MAX_FLAT_PARAMS;
        if spilled {
            slots.clear();
        }
        let layout = result_layout(result.as_ref(), fallible);
        let plain = if params.len() <= MAX_PLAIN_PARAMS { params.iter().map(|param| param.ty.plain()).collect() } else { None };
        let joined = !spilled && record.is_joined();
        let abi = Signature { params: record, slots, spilled, joined, plain, result: layout };
        let core_name = name.clone();
        Function {
            name,
            docs,
            params,
            result,
            fallible,
            errors: None,
            failure: Failure::Error,
            is_method: false,
            extension: Extension::default(),
            core_name,
            abi,
        }
    }
}

impl Function {
    /// A function of a bare module: its parameters are flat, however many.
    pub(crate) fn bare(name: String, params: Vec<Field>, result: Option<Type>) -> Function {
        let mut function = Function::new(name, String::new(), params, result, false);
        if function.abi.spilled {
            function.abi.spilled = false;
            function.abi.params.slots(0, usize::MAX, &mut function.abi.slots);
        }
        function
    }
}

impl Signature {
    /// Whether the result lies in a return area.
    pub(crate) fn returns_by_pointer(&self) -> bool {
        self.result.flat.is_none() && self.result.size > 0
    }

    /// Whether the core function has words of 32 bits alone, [`MOST_WORDS`] at most, and gives one,
    /// if anything.
    pub(crate) fn is_words(&self) -> bool {
        let is_word = |slot: &Slot| !matches!(slot.kind, SlotKind::I64 | SlotKind::F32 | SlotKind::F64);
        // Where the parameters travel by pointer there are no slots.
        self.slots.len() <= MOST_WORDS && self.slots.iter().chain(&self.result.flat).all(is_word)
    }

    /// How many core parameters the function has when it is an export.
    pub(crate) fn param_count(&self) -> usize {
        if self.spilled { 1 } else { self.slots.len() }
    }

    /// How many core values a call passes, at most: the parameters with a pointer to the return
    /// area, or the result.
    pub(crate) fn core_values(&self) -> usize {
        if self.spilled { 2 } else { self.slots.len() + 1 }
    }
}

/// The layout of a result whose error is of that type.
pub(super) fn failing_layout(result: Option<&Type>, error: &Type) -> ResultLayout {
    let (size, align) = result.map_or((0, 1), |ty| (ty.size, ty.align));
    let align = align.max(error.align);
    let value_offset = payload_offset(1, align);
    let size = round_up(value_offset.saturating_add(size.max(error.size)).min(TOO_LARGE), align);
    ResultLayout { size, align, value_offset, flat: None, plain: result.and_then(Type::plain), number: None }
}

fn result_layout(result: Option<&Type>, fallible: bool) -> ResultLayout {
    let (size, align) = result.map_or((0, 1), |ty| (ty.size, ty.align));
    let plain = result.and_then(Type::plain);
    if fallible {
        // result<T, string> or result<T, list<E>>: a byte, then the larger of the two, at the
        // alignment of the stricter.
        let align = align.max(4);
        let value_offset = payload_offset(1, align);
        return ResultLayout { size: round_up(value_offset + size.max(8), align), align, value_offset, flat: None, plain, number: None };
    }
    let mut slots = Slots::new();
    if let Some(ty) = result {
        ty.slots(0, 1, &mut slots);
    }
    let flat = match slots.as_slice() {
        [only] => Some(*only),
        _ => None,
    };
    let number = match plain {
        Some(Plain::Number(kind)) => Some(kind),
        _ => None,
    };
    ResultLayout { size, align, value_offset: 0, flat, plain, number }
}

/// The flat values that cases with values of these types share: each is of the type that all of
/// them have there, or of one that is wide enough (canonical ABI, "Flattening", `join`). No more
/// are listed than parameters may have before they travel by pointer.
pub(super) fn joined<'t>(types: impl Iterator<Item = &'t Type>) -> Box<[SlotKind]> {
    let mut joined = Vec::new();
    for ty in types {
        let mut slots = Slots::new();
        ty.slots(0, MAX_FLAT_PARAMS, &mut slots);
        slots.truncate(MAX_FLAT_PARAMS + 1);
        for (i, slot) in slots.iter().enumerate() {
            let kind = slot.kind.core();
            match joined.get_mut(i) {
                None => joined.push(kind),
                Some(shared) if *shared == kind => {}
                Some(shared) => *shared = if shared.size() + kind.size() == 8 { SlotKind::I32 } else { SlotKind::I64 },
            }
        }
    }
    joined.into_boxed_slice()
}

pub(super) fn payload_offset(discriminant: u32, align: u32) -> u32 {
    round_up(discriminant, align)
}

/// Bytes of the number of a case.
pub(crate) const fn discriminant_size(cases: usize) -> u32 {
    match cases {
        0..=0x100 => 1,
        0x101..=0x1_0000 => 2,
        _ => 4,
    }
}

/// `n` up to the next multiple of `align`, a power of two.
pub(crate) const fn round_up(n: u32, align: u32) -> u32 {
    (n + align - 1) & !(align - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interface::{Case, VariantType};

    /// By the book (CanonicalABI.md, "Alignment" and "Element Size"), for variants at the bounds of
    /// their discriminants.
    #[test]
    fn variants_are_laid_out_by_the_canonical_abi() {
        let scalar = |scalar| Type::new(TypeKind::Scalar(scalar));
        let values: [&[Type]; 6] = [
            &[],
            &[scalar(Scalar::U8)],
            &[scalar(Scalar::U16), Type::new(TypeKind::String)],
            &[scalar(Scalar::F64), scalar(Scalar::S8)],
            &[Type::new(TypeKind::Time)],
            &[Type::new(TypeKind::Tuple(Arc::new(TupleType::new(vec![scalar(Scalar::U8), scalar(Scalar::U16)]))))],
        ];
        for count in [1, 2, 256, 257, 65_536, 65_537] {
            for types in values {
                let discriminant: u32 = if count <= 1 << 8 {
                    1
                } else if count <= 1 << 16 {
                    2
                } else {
                    4
                };
                let alignments = types.iter().map(|ty| ty.align).max().unwrap_or(1);
                let alignment = alignments.max(discriminant);
                let payload = discriminant.next_multiple_of(alignments);
                let size = (payload + types.iter().map(|ty| ty.size).max().unwrap_or(0)).next_multiple_of(alignment);
                let mut given = types.iter().cloned();
                let case = |i| Case { name: format!("c{i}"), docs: String::new(), ty: given.next() };
                let variant = VariantType::new("v".into(), String::new(), (0..count.max(types.len())).map(case).collect());
                let found = (variant.tag, variant.payload, variant.size, variant.align);
                assert_eq!(found, (discriminant, payload, size, alignment), "{count} {types:?}");
            }
        }
    }

    #[test]
    fn a_variant_that_is_too_large_is_clamped() {
        let mut ty = Type::new(TypeKind::Time);
        for _ in 0..100 {
            ty = Type::new(TypeKind::Tuple(Arc::new(TupleType::new(vec![ty; 4]))));
            let case = |name: &str| Case { name: name.into(), docs: String::new(), ty: Some(ty.clone()) };
            ty = Type::new(TypeKind::Variant(Arc::new(VariantType::new("v".into(), String::new(), vec![case("a"), case("b")]))));
        }
        assert!(ty.size >= TOO_LARGE && ty.is_joined);
        let TypeKind::Variant(variant) = &ty.kind else { panic!("no variant") };
        assert_eq!(variant.joined.len(), MAX_FLAT_PARAMS + 1);
    }
}
