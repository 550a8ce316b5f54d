//! Where the parts of structs lie: bindings-c/src/layout.rs has the same rules, and the library
//! counts on them.
//!
//! What a compiler makes of a header may differ: it may have other rules for structs, or be told to
//! pack them. So the header says what it counts on, and does not compile where that does not hold.

use std::collections::HashMap;

use undergo::interface::{Type, TypeKind, VariantType};

/// Sizes of pointers for which a header is written.
const POINTERS: [u64; 2] = [8, 4];

/// Bytes and alignment, by the size of a pointer.
#[derive(Clone, Copy)]
struct Place {
    size: [u64; 2],
    align: [u64; 2],
}

impl Place {
    fn fixed(size: u64, align: u64) -> Place {
        Place { size: [size; 2], align: [align; 2] }
    }

    /// The union of both.
    fn beside(self, other: Place) -> Place {
        let larger = |[a, b]: [u64; 2], [c, d]: [u64; 2]| [a.max(c), b.max(d)];
        Place { size: larger(self.size, other.size), align: larger(self.align, other.align) }
    }

    /// With as many bytes as its alignment asks for.
    fn rounded(self) -> Place {
        Place { size: [0, 1].map(|i| self.size[i].next_multiple_of(self.align[i])), ..self }
    }

    /// So many pointers, or numbers of their size.
    fn pointers(count: u64) -> Place {
        Place { size: POINTERS.map(|pointer| pointer * count), align: POINTERS }
    }
}

/// The parts of a struct: where each begins, and what all have together.
pub(super) struct Parts {
    offsets: Vec<[u64; 2]>,
    place: Place,
}

/// The places of records and variants by their names, each computed once.
#[derive(Default)]
pub(super) struct Places(HashMap<String, Place>);

impl Places {
    /// A struct of these fields in order.
    pub(super) fn of_fields<'t>(&mut self, types: impl Iterator<Item = &'t Type>) -> Parts {
        let places: Vec<Place> = types.map(|ty| self.of(ty)).collect();
        Parts::of(&places)
    }

    /// A case's number and, if any case has a value, the union of them.
    pub(super) fn of_cases(&mut self, variant: &VariantType) -> Parts {
        let tag = Place::fixed(4, 4);
        let values: Vec<Place> = variant.cases.iter().filter_map(|case| case.ty.as_ref()).map(|ty| self.of(ty)).collect();
        let union = values.into_iter().reduce(Place::beside).map(Place::rounded);
        Parts::of(&union.map_or_else(|| vec![tag], |union| vec![tag, union]))
    }

    /// A pointer and a length.
    pub(super) fn of_list() -> Parts {
        Parts::of(&[Place::pointers(1), Place::pointers(1)])
    }

    fn of(&mut self, ty: &Type) -> Place {
        match &ty.kind {
            TypeKind::Bool => Place::fixed(1, 1),
            TypeKind::Scalar(scalar) => Place::fixed(scalar.size().into(), scalar.size().into()),
            TypeKind::Duration => Place::fixed(8, 8),
            TypeKind::Time => Place::fixed(16, 8),
            TypeKind::Enum(_) => Place::fixed(4, 4),
            TypeKind::Option(_) | TypeKind::Own(_) | TypeKind::Borrow(_) => Place::pointers(1),
            TypeKind::String | TypeKind::Json | TypeKind::List(_) | TypeKind::Map(_) => Place::pointers(2),
            TypeKind::Tuple(tuple) => self.of_fields(tuple.items.iter()).place,
            TypeKind::Record(record) => {
                if let Some(known) = self.0.get(&record.name) {
                    return *known;
                }
                let place = self.of_fields(record.fields.iter().map(|field| &field.ty)).place;
                self.0.insert(record.name.clone(), place);
                place
            }
            TypeKind::Variant(variant) => {
                if let Some(known) = self.0.get(&variant.name) {
                    return *known;
                }
                let place = self.of_cases(variant).place;
                self.0.insert(variant.name.clone(), place);
                place
            }
        }
    }
}

impl Parts {
    fn of(places: &[Place]) -> Parts {
        let (mut end, mut align) = ([0_u64; 2], [1_u64; 2]);
        let mut offsets = Vec::with_capacity(places.len());
        for place in places {
            let mut at = [0; 2];
            for i in 0..POINTERS.len() {
                at[i] = end[i].next_multiple_of(place.align[i]);
                end[i] = at[i] + place.size[i];
                align[i] = align[i].max(place.align[i]);
            }
            offsets.push(at);
        }
        // C has no struct without a member.
        let size = [0, 1].map(|i| end[i].max(1).next_multiple_of(align[i]));
        Parts { offsets, place: Place { size, align } }
    }

    /// How many bytes they have together, as an expression of C.
    pub(super) fn size(&self) -> String {
        number(self.place.size)
    }

    /// The same with where each of them begins, by its name.
    pub(super) fn layout<'n>(&self, names: impl Iterator<Item = &'n String>) -> Layout {
        let offsets = names.zip(&self.offsets).map(|(name, offset)| (name.clone(), number(*offset)));
        Layout { size: self.size(), offsets: offsets.collect() }
    }
}

/// What a header says that it counts on.
pub(super) struct Layout {
    pub(super) size: String,
    pub(super) offsets: Vec<(String, String)>,
}

fn number([of8, of4]: [u64; 2]) -> String {
    if of8 == of4 { of8.to_string() } else { format!("(sizeof(void *) == 8 ? {of8} : {of4})") }
}

#[cfg(test)]
mod tests {
    use undergo::interface::Interface;

    use super::*;

    #[test]
    fn structs_lie_as_the_library_has_them() {
        // The same interface as in bindings-c/src/layout.rs.
        let wit = "package go:t;\n\nworld t {\n  record r { a: u8, b: f64, c: bool, d: option<string>, e: s16 }\n  \
                   enum color { red, green }\n  export f: func(a: bool, b: r, c: list<r>, d: color, e: tuple<u8, u16>) -> tuple<s8, s32>;\n}\n";
        let interface = Interface::parse(wit).expect("it is WIT");
        let mut places = Places::default();
        let params = places.of_fields(interface.exports[0].params.iter().map(|param| &param.ty));
        assert_eq!(params.offsets.iter().map(|[of8, _]| *of8).collect::<Vec<_>>(), [0, 8, 48, 64, 68]);
        assert_eq!((params.place.size[0], params.place.align[0]), (72, 8));
        assert_eq!(places.of_fields([].into_iter()).place.size, [1, 1]);
        let layout = Places::of_list().layout(["ptr".to_owned(), "len".to_owned()].iter());
        assert_eq!(layout.offsets[1], ("len".to_owned(), "(sizeof(void *) == 8 ? 8 : 4)".to_owned()));
    }

    #[test]
    fn variants_lie_as_the_library_has_them() {
        // The same types as in bindings-c/src/shape.rs.
        let wit = "package go:t;\n\nworld t {\n  record circle { radius: f64 }\n  \
                   variant shape { circle(circle), label(string), tiny(u8), empty }\n  \
                   variant small { a(bool), b(u8) }\n  variant bare { none, some }\n  \
                   export f: func(a: bool, b: shape, c: small, d: bare, e: option<shape>);\n}\n";
        let interface = Interface::parse(wit).expect("it is WIT");
        let mut places = Places::default();
        let params = &interface.exports[0].params;
        assert_eq!(
            places.of_fields(params.iter().map(|param| &param.ty)).offsets.iter().map(|[of8, _]| *of8).collect::<Vec<_>>(),
            [0, 8, 32, 40, 48]
        );
        let mut place = |i: usize| {
            let TypeKind::Variant(variant) = &params[i].ty.kind else { panic!("it is a variant") };
            let parts = places.of_cases(variant);
            (parts.offsets, parts.place.size, parts.place.align)
        };
        // A pointer of four bytes beside a number of eight.
        assert_eq!(place(1), (vec![[0, 0], [8, 8]], [24, 16], [8, 8]));
        assert_eq!(place(2), (vec![[0, 0], [4, 4]], [8, 8], [4, 4]));
        assert_eq!(place(3), (vec![[0, 0]], [4, 4], [4, 4]));
    }
}
