//! How much room values take in C's structs, by the rules of `bindings-c/src/layout.rs`, on
//! machines of 64 bits: Go has no union, and its structs have words in the place of one.

use std::collections::HashMap;

use undergo::interface::{Type, TypeKind, VariantType};

/// Bytes and alignment.
type Place = (usize, usize);

/// The places of records and variants by their names, each computed once: a variant whose cases all
/// have the next one, and so on, has as many values as nobody could count.
#[derive(Default)]
pub(super) struct Places(HashMap<String, Place>);

impl Places {
    /// The words in place of the union of a variant's values: their number and the bytes of each.
    /// `None` for a variant without values.
    pub(super) fn words(&mut self, variant: &VariantType) -> Option<(usize, usize)> {
        let (size, align) = self.union(variant)?;
        let word = align.max(4);
        Some((size.div_ceil(word), word))
    }

    fn union(&mut self, variant: &VariantType) -> Option<Place> {
        let places = variant.cases.iter().filter_map(|case| case.ty.as_ref()).map(|ty| self.of(ty));
        places.reduce(|(size, align), place| (size.max(place.0), align.max(place.1)))
    }

    fn of(&mut self, ty: &Type) -> Place {
        match &ty.kind {
            TypeKind::Bool => (1, 1),
            TypeKind::Scalar(scalar) => (scalar.size() as usize, scalar.size() as usize),
            TypeKind::Enum(_) => (4, 4),
            TypeKind::Duration | TypeKind::Option(_) => (8, 8),
            TypeKind::String | TypeKind::Json | TypeKind::Time | TypeKind::List(_) | TypeKind::Map(_) => (16, 8),
            TypeKind::Tuple(tuple) => self.fields(tuple.items.iter()),
            TypeKind::Record(record) => self.named(&record.name, |places| places.fields(record.fields.iter().map(|field| &field.ty))),
            TypeKind::Variant(variant) => self.named(&variant.name, |places| {
                let (size, align) = places.union(variant).map_or((0, 4), |(size, align)| (size, align.max(4)));
                // The tag, of four bytes, comes first.
                ((align + size).next_multiple_of(align), align)
            }),
        }
    }

    fn named(&mut self, name: &str, place: impl FnOnce(&mut Places) -> Place) -> Place {
        if let Some(known) = self.0.get(name) {
            return *known;
        }
        let place = place(self);
        self.0.insert(name.to_owned(), place);
        place
    }

    fn fields<'t>(&mut self, types: impl Iterator<Item = &'t Type>) -> Place {
        let (mut end, mut align) = (0_usize, 1);
        for (size, own) in types.map(|ty| self.of(ty)) {
            end = end.next_multiple_of(own) + size;
            align = align.max(own);
        }
        // C has no struct without a member.
        (end.max(1).next_multiple_of(align), align)
    }
}

#[cfg(test)]
mod tests {
    use undergo::interface::Interface;

    use super::*;

    /// What the variants are that a function of that interface has for its parameters.
    fn places(wit: &str) -> Vec<(Option<(usize, usize)>, Place)> {
        let interface = Interface::parse(&format!("package go:t;\n\nworld t {{\n{wit}\n}}\n")).expect("it is WIT");
        let mut places = Places::default();
        let of = |param: &undergo::interface::Field| match &param.ty.kind {
            TypeKind::Variant(variant) => (places.words(variant), places.of(&param.ty)),
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
