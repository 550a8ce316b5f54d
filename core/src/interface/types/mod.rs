//! The type model: what can cross the boundary, with its layout in memory.

mod compound;
mod extension;
mod function;
mod holds;
mod scalar;
mod variant;

use std::fmt;
use std::sync::Arc;

pub use compound::{EnumType, Field, MapType, RecordType, TupleType};
pub use extension::Extension;
pub(crate) use function::Failure;
pub use function::Function;
pub(crate) use holds::Holds;
pub use scalar::{Scalar, Time};
pub(crate) use variant::Origin;
pub use variant::{Case, VariantType};

use super::layout::{discriminant_size, payload_offset, round_up};
use super::resource::{ResourceType, Side};
use holds::held;

/// A type with its layout. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Type {
    /// What it is.
    pub kind: TypeKind,
    /// Bytes in memory, a multiple of `align`.
    pub(crate) size: u32,
    /// 1, 2, 4 or 8.
    pub(crate) align: u32,
    /// How many items it has, if it is a list that always has as many.
    pub(crate) length: Option<u32>,
    /// Whether it is text of one character: `char` of a component.
    pub(crate) is_char: bool,
    /// Whether it lies in the host's blocks as it does in a component's memory, and has no handles.
    pub(crate) is_alike: bool,
    /// Whether it points to other values: it is, or has, a text or a list.
    pub(crate) points: bool,
    /// Whether it has flat values that several cases of a variant share.
    pub(crate) is_joined: bool,
    /// The handles in it.
    pub(crate) holds: Holds,
}

/// What a type is.
#[cfg_attr(not(feature = "host"), non_exhaustive)]
#[derive(Clone, Debug)]
pub enum TypeKind {
    /// `bool`
    Bool,
    /// A number of fixed width.
    Scalar(Scalar),
    /// UTF-8 text.
    String,
    /// `undergo:go/types.{json}`: text that holds one JSON value.
    Json,
    /// `undergo:go/types.{duration}`: nanoseconds.
    Duration,
    /// `undergo:go/types.{time}`: see [`Time`].
    Time,
    /// `list<T>`
    List(Arc<Type>),
    /// `map<K, V>`
    Map(Arc<MapType>),
    /// `option<T>`
    Option(Arc<Type>),
    /// `tuple<…>`
    Tuple(Arc<TupleType>),
    /// A record.
    Record(Arc<RecordType>),
    /// An enum.
    Enum(Arc<EnumType>),
    /// A variant.
    Variant(Arc<VariantType>),
    /// A handle of a resource, which passes to the receiver.
    Own(Arc<ResourceType>),
    /// A handle of a resource, for the duration of the call.
    Borrow(Arc<ResourceType>),
}

impl Type {
    /// Whether it has handles of one side that are owned, and others that are borrowed.
    pub(crate) fn mixes_handles(&self) -> bool {
        let has = |holds: Holds| holds.is_within(self.holds);
        has(Holds::GUEST_OWN.with(Holds::GUEST_BORROW)) || has(Holds::HOST_OWN.with(Holds::HOST_BORROW))
    }

    /// The first handle in it of a resource that fits: the resource, and whether it is owned.
    pub(crate) fn handle(&self, fits: &dyn Fn(&ResourceType) -> bool) -> Option<(&Arc<ResourceType>, bool)> {
        if !self.holds_handles() {
            return None;
        }
        match &self.kind {
            TypeKind::Own(resource) => fits(resource).then_some((resource, true)),
            TypeKind::Borrow(resource) => fits(resource).then_some((resource, false)),
            TypeKind::List(item) | TypeKind::Option(item) => item.handle(fits),
            TypeKind::Map(map) => map.value.handle(fits),
            TypeKind::Tuple(tuple) => tuple.items.iter().find_map(|item| item.handle(fits)),
            TypeKind::Record(record) => record.fields.iter().find_map(|field| field.ty.handle(fits)),
            TypeKind::Variant(variant) => variant.cases.iter().find_map(|case| case.ty.as_ref()?.handle(fits)),
            _ => None,
        }
    }

    /// Gives a kind its layout.
    #[must_use]
    pub fn new(kind: TypeKind) -> Type {
        let (size, align) = match &kind {
            TypeKind::Bool => (1, 1),
            TypeKind::Scalar(scalar) => (scalar.size(), scalar.size()),
            TypeKind::String | TypeKind::Json | TypeKind::List(_) | TypeKind::Map(_) => (8, 4),
            TypeKind::Duration => (8, 8),
            TypeKind::Time => (16, 8),
            TypeKind::Option(inner) => {
                let at = payload_offset(1, inner.align);
                (round_up(at + inner.size, inner.align), inner.align)
            }
            TypeKind::Tuple(tuple) => (tuple.size, tuple.align),
            TypeKind::Record(record) => (record.layout.size, record.layout.align),
            TypeKind::Enum(cases) => {
                let size = discriminant_size(cases.cases.len());
                (size, size)
            }
            TypeKind::Variant(variant) => (variant.size, variant.align),
            TypeKind::Own(_) | TypeKind::Borrow(_) => (4, 4),
        };
        let is_joined = match &kind {
            TypeKind::Option(inner) => inner.is_joined,
            TypeKind::Tuple(tuple) => tuple.is_joined(),
            TypeKind::Record(record) => record.layout.is_joined(),
            TypeKind::Variant(variant) => !variant.joined.is_empty(),
            _ => false,
        };
        let holds = match &kind {
            TypeKind::Own(resource) if resource.side == Side::Guest => Holds::GUEST_OWN,
            TypeKind::Own(_) => Holds::HOST_OWN,
            TypeKind::Borrow(resource) if resource.side == Side::Guest => Holds::GUEST_BORROW,
            TypeKind::Borrow(_) => Holds::HOST_BORROW,
            TypeKind::Option(inner) | TypeKind::List(inner) => inner.holds,
            TypeKind::Map(map) => map.value.holds,
            TypeKind::Tuple(tuple) => held(&tuple.items),
            TypeKind::Record(record) => held(&record.layout.items),
            TypeKind::Variant(variant) => held(variant.cases.iter().filter_map(|case| case.ty.as_ref())),
            _ => Holds::NONE,
        };
        let is_alike = match &kind {
            TypeKind::Map(_) | TypeKind::Own(_) | TypeKind::Borrow(_) => false,
            TypeKind::Record(record) if record.is_flags => false,
            _ => !kind.has_part(|part| !part.is_alike),
        };
        let is_list = matches!(kind, TypeKind::String | TypeKind::Json | TypeKind::List(_) | TypeKind::Map(_));
        let points = is_list || kind.has_part(|part| part.points);
        Type { kind, size, align, length: None, is_char: false, is_alike, points, is_joined, holds }
    }

    /// Text of one character.
    pub(crate) fn char() -> Type {
        Type { is_char: true, is_alike: false, ..Type::new(TypeKind::String) }
    }

    /// How many items it has, if it is a list that always has as many: an array of Go's.
    #[must_use]
    pub fn length(&self) -> Option<usize> {
        self.length.map(|length| length as usize)
    }

    /// Whether a list of it can have that many items.
    pub(crate) fn takes(&self, count: usize) -> bool {
        self.length.is_none_or(|length| length as usize == count)
    }

    /// Whether it is, or has, a handle.
    #[must_use]
    pub fn holds_handles(&self) -> bool {
        self.holds != Holds::NONE
    }

    /// The same of the objects of that side.
    #[must_use]
    pub fn holds_handles_of(&self, side: Side) -> bool {
        let others = match side {
            Side::Guest => Holds::HOST_OWN.with(Holds::HOST_BORROW),
            Side::Host => Holds::GUEST_OWN.with(Holds::GUEST_BORROW),
        };
        !self.holds.is_within(others)
    }

    /// Whether it is that record.
    pub(crate) fn is_record(&self, record: &Arc<RecordType>) -> bool {
        matches!(&self.kind, TypeKind::Record(own) if Arc::ptr_eq(own, record))
    }

    /// The name of a record, an enum or a variant.
    pub(crate) fn name(&self) -> Option<&str> {
        match &self.kind {
            TypeKind::Record(record) => Some(&record.name),
            TypeKind::Enum(cases) => Some(&cases.name),
            TypeKind::Variant(variant) => Some(&variant.name),
            _ => None,
        }
    }
}

impl TypeKind {
    /// Whether one of the types that it consists of is such.
    fn has_part(&self, is: impl Fn(&Type) -> bool) -> bool {
        match self {
            TypeKind::Option(inner) | TypeKind::List(inner) => is(inner),
            TypeKind::Map(map) => is(&map.key) || is(&map.value),
            TypeKind::Tuple(tuple) => tuple.items.iter().any(is),
            TypeKind::Record(record) => record.layout.items.iter().any(is),
            TypeKind::Variant(variant) => variant.cases.iter().filter_map(|case| case.ty.as_ref()).any(is),
            _ => false,
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            TypeKind::Bool => f.write_str("bool"),
            TypeKind::Scalar(scalar) => f.write_str(scalar.as_str()),
            TypeKind::String => f.write_str(if self.is_char { "char" } else { "string" }),
            TypeKind::Json => f.write_str("json"),
            TypeKind::Duration => f.write_str("duration"),
            TypeKind::Time => f.write_str("time"),
            TypeKind::List(item) => match self.length {
                Some(length) => write!(f, "list<{item}, {length}>"),
                None => write!(f, "list<{item}>"),
            },
            TypeKind::Map(map) => write!(f, "map<{}, {}>", map.key, map.value),
            TypeKind::Option(inner) => write!(f, "option<{inner}>"),
            TypeKind::Record(record) => f.write_str(&record.name),
            TypeKind::Enum(cases) => f.write_str(&cases.name),
            TypeKind::Variant(variant) => f.write_str(&variant.name),
            TypeKind::Own(resource) => f.write_str(&resource.name),
            TypeKind::Borrow(resource) => write!(f, "borrow<{}>", resource.name),
            TypeKind::Tuple(tuple) => {
                f.write_str("tuple<")?;
                for (i, item) in tuple.items.iter().enumerate() {
                    write!(f, "{}{item}", if i == 0 { "" } else { ", " })?;
                }
                f.write_str(">")
            }
        }
    }
}
