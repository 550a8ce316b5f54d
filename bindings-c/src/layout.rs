//! The layout of an interface's types in C: fixed rules, which `undergo bindgen --lang c` follows.
//!
//! | WIT | C |
//! | --- | --- |
//! | `bool`, numbers | `bool`, `int8_t` … `uint64_t`, `float`, `double` |
//! | `string`, `json` | `undergo_string_t` |
//! | `list<T>` | `struct { const T *ptr; size_t len; }` |
//! | `map<K, V>` | a list of `struct { K key; V value; }` |
//! | `option<T>` | `const T *`, NULL for nothing |
//! | a record, a tuple | a struct of the fields in order; what has no fields has one byte |
//! | an enum | `int32_t`, the number of the case |
//! | a variant | a struct of an `int32_t`, the number of the case, and a union of the cases' values, if any has one |
//! | `duration` | `int64_t`, nanoseconds |
//! | `time` | `undergo_time_t` |
//! | `own<T>`, `borrow<T>` of the guest | `undergo_handle_t *` |
//! | the same of the host | `undergo_object_t *` |
//! | `option` of these | the same, NULL for nothing |
//!
//! The arguments of a function are a struct of its parameters.

use std::sync::Arc;

use undergo::interface::{Scalar, Side, Type, TypeKind, VariantType};

use crate::types::{List, TimeValue};

/// A type's place in C.
pub(crate) struct Layout {
    pub(crate) size: usize,
    pub(crate) align: usize,
    pub(crate) kind: Kind,
}

pub(crate) enum Kind {
    Bool,
    Scalar(Scalar),
    Text,
    Duration,
    Time,
    Enum,
    Option(Box<Layout>),
    List(Box<Layout>),
    /// Of the entries: a key and a value.
    Map(Fields),
    Struct(Arc<Fields>),
    Variant(Arc<Cases>),
    /// A handle of an object of the guest; NULL where it is optional.
    Handle,
    /// An object of the host, as above.
    Object,
    /// The result of a function that has none.
    Nothing,
}

/// A struct's fields, each with its offset.
pub(crate) struct Fields {
    pub(crate) items: Vec<(usize, Layout)>,
    pub(crate) size: usize,
    pub(crate) align: usize,
    /// Whether any of them points to anything.
    has_nested: bool,
    /// Whether any of them is, or points to, a handle or an object.
    has_handles: bool,
}

/// A variant's struct.
pub(crate) struct Cases {
    /// The values of the cases; `None` for a case without one.
    pub(crate) values: Vec<Option<Layout>>,
    /// Where the union of them lies.
    pub(crate) union: usize,
    pub(crate) size: usize,
    pub(crate) align: usize,
    /// Whether any of them points to anything.
    has_nested: bool,
    /// As of fields.
    has_handles: bool,
}

/// The number of a case.
const TAG: usize = size_of::<i32>();

impl Layout {
    pub(crate) fn of(ty: &Type) -> Layout {
        let list = (size_of::<List>(), align_of::<List>());
        let (kind, (size, align)) = match &ty.kind {
            TypeKind::Bool => (Kind::Bool, (1, 1)),
            TypeKind::Scalar(scalar) => (Kind::Scalar(*scalar), (scalar.size() as usize, scalar.size() as usize)),
            TypeKind::String | TypeKind::Json => (Kind::Text, list),
            TypeKind::Duration => (Kind::Duration, (8, 8)),
            TypeKind::Time => (Kind::Time, (size_of::<TimeValue>(), align_of::<TimeValue>())),
            TypeKind::Enum(_) => (Kind::Enum, (4, 4)),
            TypeKind::Own(resource) | TypeKind::Borrow(resource) => {
                let kind = if resource.side == Side::Guest { Kind::Handle } else { Kind::Object };
                (kind, (size_of::<*const u8>(), align_of::<*const u8>()))
            }
            TypeKind::Option(inner) if matches!(inner.kind, TypeKind::Own(_) | TypeKind::Borrow(_)) => return Layout::of(inner),
            TypeKind::Option(inner) => (Kind::Option(Box::new(Layout::of(inner))), (size_of::<*const u8>(), align_of::<*const u8>())),
            TypeKind::List(item) => (Kind::List(Box::new(Layout::of(item))), list),
            TypeKind::Map(map) => (Kind::Map(Fields::of([&map.key, &map.value].into_iter())), list),
            TypeKind::Tuple(tuple) => Layout::of_fields(Arc::new(Fields::of(tuple.items.iter()))),
            TypeKind::Record(record) => {
                let make = || Arc::new(Fields::of(record.fields.iter().map(|field| &field.ty)));
                // Once for each record: written out, records within records may be billions. Where
                // another host has its own beside it, its own way.
                Layout::of_fields(record.extension.get_or_init(make).cloned().unwrap_or_else(make))
            }
            TypeKind::Variant(variant) => {
                let make = || Arc::new(Cases::of(variant));
                // As for records.
                let cases = variant.extension.get_or_init(make).cloned().unwrap_or_else(make);
                let place = (cases.size, cases.align);
                (Kind::Variant(cases), place)
            }
        };
        Layout { size, align, kind }
    }

    fn of_fields(fields: Arc<Fields>) -> (Kind, (usize, usize)) {
        let place = (fields.size, fields.align);
        (Kind::Struct(fields), place)
    }

    pub(crate) fn has_nested(&self) -> bool {
        match &self.kind {
            Kind::Bool | Kind::Scalar(_) | Kind::Duration | Kind::Time | Kind::Enum | Kind::Nothing => false,
            // They have an end of their own.
            Kind::Handle | Kind::Object => false,
            Kind::Text | Kind::Option(_) | Kind::List(_) | Kind::Map(_) => true,
            Kind::Struct(fields) => fields.has_nested,
            Kind::Variant(cases) => cases.has_nested,
        }
    }
}

impl Layout {
    /// Whether it is, or points to, a handle or an object.
    pub(crate) fn has_handles(&self) -> bool {
        match &self.kind {
            Kind::Handle | Kind::Object => true,
            Kind::Option(inner) | Kind::List(inner) => inner.has_handles(),
            Kind::Map(fields) => fields.has_handles,
            Kind::Struct(fields) => fields.has_handles,
            Kind::Variant(cases) => cases.has_handles,
            _ => false,
        }
    }
}

impl Fields {
    pub(crate) fn of<'t>(types: impl Iterator<Item = &'t Type>) -> Fields {
        let (mut end, mut align) = (0_usize, 1);
        let place = |ty| {
            let layout = Layout::of(ty);
            let at = end.next_multiple_of(layout.align);
            end = at + layout.size;
            align = align.max(layout.align);
            (at, layout)
        };
        let items: Vec<(usize, Layout)> = types.map(place).collect();
        let has_nested = items.iter().any(|(_, field)| field.has_nested());
        let has_handles = items.iter().any(|(_, field)| field.has_handles());
        // C has no struct without a member.
        Fields { has_handles, items, size: end.max(1).next_multiple_of(align), align, has_nested }
    }
}

impl Cases {
    pub(crate) fn of(variant: &VariantType) -> Cases {
        let values: Vec<Option<Layout>> = variant.cases.iter().map(|case| case.ty.as_ref().map(Layout::of)).collect();
        let (mut largest, mut align) = (0, TAG);
        for value in values.iter().flatten() {
            largest = largest.max(value.size);
            align = align.max(value.align);
        }
        // What aligns the struct is in the union, if it is not the number.
        let union = TAG.next_multiple_of(align);
        let has_nested = values.iter().flatten().any(Layout::has_nested);
        let has_handles = values.iter().flatten().any(Layout::has_handles);
        Cases { has_handles, values, union, size: (union + largest).next_multiple_of(align), align, has_nested }
    }
}
