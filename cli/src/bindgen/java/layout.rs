//! Where values lie in C's structs, by the rules of `bindings-c/src/layout.rs`, on machines of 64
//! bits. The digests of the functions, which the library compares, stand for the types.

use undergo::interface::{Type, TypeKind, VariantType};

/// How many bytes a value takes.
pub(super) fn size(ty: &Type) -> usize {
    place(ty).0
}

/// Its size and its alignment.
fn place(ty: &Type) -> (usize, usize) {
    match &ty.kind {
        TypeKind::Bool => (1, 1),
        TypeKind::Scalar(scalar) => (scalar.size() as usize, scalar.size() as usize),
        TypeKind::Enum(_) => (4, 4),
        TypeKind::Duration | TypeKind::Option(_) => (8, 8),
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

    fn place(&self) -> (usize, usize) {
        (self.size, self.align)
    }
}

/// The struct of a variant: the number of the case, and the values of all cases at one place.
pub(super) struct Cases {
    /// Where the value of a case lies.
    pub(super) value: usize,
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
        Cases { value, size: (value + largest).next_multiple_of(align), align }
    }
}
