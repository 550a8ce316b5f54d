//! Where values lie in C's structs, by the rules of `bindings-c/src/layout.rs`, on machines of 64
//! bits: for languages that have no structs of C, or no unions. The digests of the functions, which
//! the library compares, stand for the types.

use std::fmt;

use undergo::interface::{Type, TypeKind, VariantType};

/// Bytes and alignment.
type Room = (usize, usize);

/// How many bytes a value takes.
pub(super) fn size(ty: &Type) -> usize {
    place(ty).0
}

/// Its size and its alignment.
fn place(ty: &Type) -> Room {
    match &ty.kind {
        TypeKind::Bool => (1, 1),
        TypeKind::Scalar(scalar) => (scalar.size() as usize, scalar.size() as usize),
        TypeKind::Enum(_) => (4, 4),
        // A handle, or an object of the host: a pointer, NULL where it is optional and not there.
        TypeKind::Duration | TypeKind::Option(_) | TypeKind::Own(_) | TypeKind::Borrow(_) => (8, 8),
        TypeKind::String | TypeKind::Json | TypeKind::Time | TypeKind::List(_) | TypeKind::Map(_) => (16, 8),
        TypeKind::Tuple(tuple) => Fields::of(tuple.items.iter()).place(),
        TypeKind::Record(record) => Fields::of(record.fields.iter().map(|field| &field.ty)).place(),
        TypeKind::Variant(variant) => {
            // Computed once: of variants that each have the previous one twice, the last would be
            // looked at a billion times. Here nothing else is kept beside them.
            let place = |cases: &Cases| (cases.size, cases.align);
            variant.extension.get_or_init(|| Cases::of(variant)).map_or_else(|| place(&Cases::of(variant)), place)
        }
    }
}

/// A place in memory: a variable, and so many bytes behind it.
pub(super) struct Place<'a>(pub(super) &'a str, pub(super) usize);

impl Place<'_> {
    pub(super) fn at(&self, offset: usize) -> Place<'_> {
        Place(self.0, self.1 + offset)
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place(name, 0) => f.write_str(name),
            Place(name, offset) => write!(f, "{name} + {offset}"),
        }
    }
}

/// The fields of a struct.
pub(super) struct Fields {
    pub(super) offsets: Vec<usize>,
    pub(super) size: usize,
    align: usize,
}

impl Fields {
    pub(super) fn of<'t>(types: impl Iterator<Item = &'t Type>) -> Fields {
        let (mut offsets, mut end, mut align) = (Vec::new(), 0_usize, 1);
        for ty in types {
            let (size, own) = place(ty);
            let at = end.next_multiple_of(own);
            offsets.push(at);
            end = at + size;
            align = align.max(own);
        }
        // C has no struct without a member.
        Fields { offsets, size: end.max(1).next_multiple_of(align), align }
    }

    fn place(&self) -> Room {
        (self.size, self.align)
    }
}

/// The struct of a variant: the number of the case, and the values of all cases at one place.
pub(super) struct Cases {
    /// Where the value of a case lies.
    pub(super) value: usize,
    /// Bytes of the largest value; 0 if no case has one.
    largest: usize,
    size: usize,
    align: usize,
}

impl Cases {
    pub(super) fn of(variant: &VariantType) -> Cases {
        const TAG: usize = 4;
        let (mut largest, mut align) = (0, TAG);
        for (size, own) in variant.cases.iter().filter_map(|case| case.ty.as_ref()).map(place) {
            largest = largest.max(size);
            align = align.max(own);
        }
        let value = TAG.next_multiple_of(align);
        Cases { value, largest, size: (value + largest).next_multiple_of(align), align }
    }

    /// The words that have the room of the union of the values: their number and the bytes of each.
    /// `None` for a variant without values.
    pub(super) fn words(&self) -> Option<(usize, usize)> {
        (self.largest > 0).then(|| (self.largest.div_ceil(self.align), self.align))
    }
}

#[cfg(test)]
mod tests {
    use undergo::interface::Interface;

    use super::*;

    /// What the variants are that a function of that interface has for its parameters.
    fn places(wit: &str) -> Vec<(Option<(usize, usize)>, Room)> {
        let interface = Interface::parse(&format!("package go:t;\n\nworld t {{\n{wit}\n}}\n")).expect("it is WIT");
        let of = |param: &undergo::interface::Field| match &param.ty.kind {
            TypeKind::Variant(variant) => (Cases::of(variant).words(), place(&param.ty)),
            _ => unreachable!("all are variants"),
        };
        interface.exports[0].params.iter().map(of).collect()
    }

    #[test]
    fn unions_have_room_for_each_value() {
        let found = places(
            "record r { a: u8, b: u16 }\n record e { a: bool }\n variant none { x, y }\n variant small { r(r), e(e), x }\n \
             variant text { s(string), f(f32) }\n variant within { s(small), n(none) }\n variant odd { t(tuple<u64, u8>), s(text) }\n \
             export f: func(n: none, s: small, t: text, w: within, o: odd);",
        );
        let wanted = [(None, (4, 4)), (Some((1, 4)), (8, 4)), (Some((2, 8)), (24, 8)), (Some((2, 4)), (12, 4)), (Some((3, 8)), (32, 8))];
        assert_eq!(found, wanted);
    }

    #[test]
    fn a_variant_within_all_cases_of_another_takes_no_time() {
        let mut wit = "variant v0 { a(u8), b }\n".to_owned();
        for i in 1..40 {
            wit += &format!("variant v{i} {{ a(v{0}), b(v{0}) }}\n", i - 1);
        }
        assert_eq!(places(&(wit + "export f: func(v: v39);")).len(), 1);
    }
}
