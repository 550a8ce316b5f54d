//! The type model: what can cross the boundary, with its layout in memory.

use std::any::{Any, TypeId};
use std::fmt;
use std::sync::Arc;

use crate::platform::fork::Lasting;

use super::layout::{Signature, SlotKind, TOO_LARGE, discriminant_size, joined, payload_offset, round_up};
use super::resource::{ResourceType, Side};

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

/// Which sorts of handles a type holds, in itself or in its parts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Holds(u8);

impl Holds {
    pub(crate) const NONE: Holds = Holds(0);
    /// Of an object of the guest, owned.
    pub(crate) const GUEST_OWN: Holds = Holds(1);
    pub(crate) const GUEST_BORROW: Holds = Holds(2);
    /// Of an object of the host, owned.
    pub(crate) const HOST_OWN: Holds = Holds(4);
    pub(crate) const HOST_BORROW: Holds = Holds(8);

    pub(crate) fn with(self, other: Holds) -> Holds {
        Holds(self.0 | other.0)
    }

    /// Whether there are no others than these.
    pub(crate) fn is_within(self, others: Holds) -> bool {
        self.0 & !others.0 == 0
    }
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

/// A number of fixed width.
#[cfg_attr(not(feature = "host"), non_exhaustive)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are WIT's")]
pub enum Scalar {
    S8,
    U8,
    S16,
    U16,
    S32,
    U32,
    S64,
    U64,
    F32,
    F64,
    /// The i32 of a bare module, which says nothing of its sign: takes -2³¹ to 2³²-1, and is lifted
    /// signed.
    WasmI32,
    /// The i64 of a bare module: takes -2⁶³ to 2⁶⁴-1, and is lifted signed.
    WasmI64,
}

/// An instant with an offset from UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Time {
    /// Seconds since 1970-01-01T00:00:00Z.
    pub seconds: i64,
    /// 0 to 999,999,999.
    pub nanoseconds: u32,
    /// Seconds east of UTC.
    pub offset: i32,
}

/// The key and the value of a map.
#[derive(Debug)]
pub struct MapType {
    /// The type of the keys.
    pub key: Type,
    /// The type of the values.
    pub value: Type,
    /// The layout of an entry.
    pub(crate) entry: TupleType,
}

/// Several values in order.
#[derive(Debug)]
pub struct TupleType {
    /// Their types.
    pub items: Vec<Type>,
    pub(crate) offsets: Vec<u32>,
    pub(crate) size: u32,
    pub(crate) align: u32,
}

/// A record: named fields in order.
#[derive(Debug)]
pub struct RecordType {
    /// Its name, in kebab-case.
    pub name: String,
    /// The doc comment; may be empty.
    pub docs: String,
    /// The fields.
    pub fields: Vec<Field>,
    /// Whether it holds the fields of an error.
    pub is_error: bool,
    /// Whether its fields are the `flags` of a component: each is a bool, and false if it is left
    /// out.
    pub is_flags: bool,
    /// What a host caches for this record (a class, names in its own form).
    pub extension: Extension,
    pub(crate) layout: TupleType,
}

/// A field of a record, or a parameter of a function.
#[derive(Debug)]
pub struct Field {
    /// Its name, in kebab-case.
    pub name: String,
    /// The doc comment; may be empty.
    pub docs: String,
    /// Its type.
    pub ty: Type,
}

/// An enum: one of several names.
#[derive(Debug)]
pub struct EnumType {
    /// Its name, in kebab-case.
    pub name: String,
    /// The doc comment; may be empty.
    pub docs: String,
    /// The cases' names, in kebab-case, and their doc comments.
    pub cases: Vec<(String, String)>,
    /// What a host caches for this enum.
    pub extension: Extension,
}

/// A variant: one of several cases, each with a value or without.
#[derive(Debug)]
pub struct VariantType {
    /// Its name, in kebab-case.
    pub name: String,
    /// The doc comment; may be empty.
    pub docs: String,
    /// The cases.
    pub cases: Vec<Case>,
    /// What a host caches for this variant.
    pub extension: Extension,
    /// What it is in WIT.
    pub(crate) origin: Origin,
    /// Bytes of the discriminant.
    pub(crate) tag: u32,
    /// Where the value of a case begins.
    pub(crate) payload: u32,
    /// The flat values behind the discriminant, which the cases share.
    pub(crate) joined: Box<[SlotKind]>,
    pub(crate) size: u32,
    pub(crate) align: u32,
}

/// What a variant is in WIT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A variant.
    Variant,
    /// The `result` within a value of a component: `ok`, then `err`.
    Result,
    /// The `option` of an option, for a component: `none`, then `some`.
    Option,
}

/// A case of a variant.
#[derive(Debug)]
pub struct Case {
    /// Its name, in kebab-case.
    pub name: String,
    /// The doc comment; may be empty.
    pub docs: String,
    /// The type of its value, if it has one.
    pub ty: Option<Type>,
}

impl Case {
    /// The record that is the case's value, if it has the case's name: what stands for one in a
    /// language with classes stands for the other.
    #[must_use]
    pub fn own_record(&self) -> Option<&Arc<RecordType>> {
        match &self.ty.as_ref()?.kind {
            TypeKind::Record(record) if record.name == self.name => Some(record),
            _ => None,
        }
    }
}

impl VariantType {
    /// Whether its values lie in the host's blocks as they do in a component's memory.
    fn is_alike(&self) -> bool {
        self.cases.iter().all(|case| case.ty.as_ref().is_none_or(|ty| ty.is_alike))
    }

    /// A variant of these cases.
    #[must_use]
    pub fn new(name: String, docs: String, cases: Vec<Case>) -> VariantType {
        let tag = discriminant_size(cases.len());
        let types = || cases.iter().filter_map(|case| case.ty.as_ref());
        let align = types().map(|ty| ty.align).fold(tag, u32::max);
        let payload = payload_offset(tag, types().map(|ty| ty.align).fold(1, u32::max));
        let largest = types().map(|ty| ty.size).fold(0, u32::max);
        let size = round_up(payload.saturating_add(largest).min(TOO_LARGE), align);
        let joined = joined(types());
        VariantType { name, docs, cases, extension: Extension::default(), origin: Origin::Variant, tag, payload, joined, size, align }
    }
}

/// A function of the interface.
#[derive(Debug)]
pub struct Function {
    /// Its name, in kebab-case.
    pub name: String,
    /// The doc comment; may be empty.
    pub docs: String,
    /// The parameters.
    pub params: Vec<Field>,
    /// The result without its error; `None` when there is none.
    pub result: Option<Type>,
    /// Whether it can return an error: the result is a `result<T, string>`, or a `result<T,
    /// list<E>>` with `errors`.
    pub fallible: bool,
    /// The sorts of errors that it returns chains of, if the interface has errors with fields.
    pub errors: Option<Arc<VariantType>>,
    /// What the error is in the component that has the function.
    pub(crate) failure: Failure,
    /// Whether its first parameter is the object whose method it is.
    pub is_method: bool,
    /// What a host caches for this function.
    pub extension: Extension,
    /// Its name in the module.
    pub(crate) core_name: String,
    pub(crate) abi: Signature,
}

/// What the error of a function is in its guest.
#[derive(Clone, Debug, Default)]
pub(crate) enum Failure {
    /// As [`Function::errors`] says: a text, or a chain of errors.
    #[default]
    Error,
    /// A value of a component's own type, which is the fields of the one error in a chain.
    Value(Type),
    /// Nothing.
    Nothing,
}

impl Function {
    /// The parameters but for the object of a method.
    #[must_use]
    pub fn own_params(&self) -> &[Field] {
        &self.params[usize::from(self.is_method)..]
    }

    /// Whether all its values lie in the host's blocks as they do in a component's memory.
    pub(crate) fn is_alike(&self) -> bool {
        let mut all = self.params.iter().map(|param| &param.ty).chain(&self.result);
        matches!(self.failure, Failure::Error) && all.all(|ty| ty.is_alike) && self.errors.as_ref().is_none_or(|errors| errors.is_alike())
    }

    /// Whether a parameter or the result is, or has, a handle.
    #[must_use]
    pub fn holds_handles(&self) -> bool {
        self.gives_handles() || self.params.iter().any(|param| param.ty.holds_handles())
    }

    /// Whether its result has handles, which belong to one instance.
    #[must_use]
    pub fn gives_handles(&self) -> bool {
        self.result.as_ref().is_some_and(Type::holds_handles)
    }
}

impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}(", self.name)?;
        for (i, param) in self.params.iter().enumerate() {
            write!(f, "{}{}: {}", if i == 0 { "" } else { ", " }, param.name, param.ty)?;
        }
        f.write_str(")")?;
        let error = match (&self.failure, &self.errors) {
            (Failure::Value(ty), _) => format!(", {ty}"),
            (Failure::Nothing, _) => String::new(),
            (Failure::Error, Some(errors)) => format!(", list<{}>", errors.name),
            (Failure::Error, None) => ", string".to_owned(),
        };
        match (&self.result, self.fallible) {
            (Some(result), false) => write!(f, " -> {result}"),
            (Some(result), true) => write!(f, " -> result<{result}{error}>"),
            (None, true) if error.is_empty() => f.write_str(" -> result"),
            (None, true) => write!(f, " -> result<_{error}>"),
            (None, false) => Ok(()),
        }
    }
}

/// A host's own data beside a type or function; set once.
#[derive(Default)]
pub struct Extension(Lasting<(TypeId, Box<dyn Any + Send + Sync>)>);

impl Extension {
    /// The host's data; made by `make` the first time, or by another thread at the same time.
    /// `None` if it has another type than `T`.
    #[inline]
    pub fn get_or_init<T: Any + Send + Sync>(&self, make: impl FnOnce() -> T) -> Option<&T> {
        let (id, data) = self.0.get_or_make(|| (TypeId::of::<T>(), Box::new(make())));
        // As `downcast_ref`, without its call for the type's id: each call of a host gets here.
        // SAFETY: the id of the type in the box was stored along with it.
        (*id == TypeId::of::<T>()).then(|| unsafe { &*std::ptr::from_ref(&**data).cast::<T>() })
    }

    /// The host's data, if any.
    pub fn get<T: Any + Send + Sync>(&self) -> Option<&T> {
        self.0.get()?.1.downcast_ref()
    }
}

impl fmt::Debug for Extension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Extension")
    }
}

impl Scalar {
    /// Every scalar.
    pub const ALL: &[Scalar] = &[
        Scalar::S8,
        Scalar::U8,
        Scalar::S16,
        Scalar::U16,
        Scalar::S32,
        Scalar::U32,
        Scalar::S64,
        Scalar::U64,
        Scalar::F32,
        Scalar::F64,
        Scalar::WasmI32,
        Scalar::WasmI64,
    ];

    /// Bytes in memory.
    #[must_use]
    pub const fn size(self) -> u32 {
        match self {
            Scalar::S8 | Scalar::U8 => 1,
            Scalar::S16 | Scalar::U16 => 2,
            Scalar::S32 | Scalar::U32 | Scalar::F32 | Scalar::WasmI32 => 4,
            Scalar::S64 | Scalar::U64 | Scalar::F64 | Scalar::WasmI64 => 8,
        }
    }

    /// The name in WIT; for a bare module's, in WebAssembly.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Scalar::S8 => "s8",
            Scalar::U8 => "u8",
            Scalar::S16 => "s16",
            Scalar::U16 => "u16",
            Scalar::S32 => "s32",
            Scalar::U32 => "u32",
            Scalar::S64 => "s64",
            Scalar::U64 => "u64",
            Scalar::F32 => "f32",
            Scalar::F64 => "f64",
            Scalar::WasmI32 => "i32",
            Scalar::WasmI64 => "i64",
        }
    }
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

fn held<'t>(types: impl IntoIterator<Item = &'t Type>) -> Holds {
    types.into_iter().fold(Holds::NONE, |all, ty| all.with(ty.holds))
}

impl TupleType {
    /// Lays out values in order.
    #[must_use]
    pub fn new(items: Vec<Type>) -> TupleType {
        let mut offsets = Vec::with_capacity(items.len());
        let (mut end, mut align) = (0_u32, 1);
        for item in &items {
            let at = round_up(end, item.align).min(TOO_LARGE);
            offsets.push(at);
            end = at.saturating_add(item.size).min(TOO_LARGE);
            align = align.max(item.align);
        }
        TupleType { items, offsets, size: round_up(end, align), align }
    }

    pub(crate) fn is_joined(&self) -> bool {
        self.items.iter().any(|item| item.is_joined)
    }
}

impl MapType {
    /// A map of these types.
    #[must_use]
    pub fn new(key: Type, value: Type) -> MapType {
        MapType { entry: TupleType::new(vec![key.clone(), value.clone()]), key, value }
    }
}

impl RecordType {
    /// A record of these fields.
    #[must_use]
    pub fn new(name: String, docs: String, fields: Vec<Field>) -> RecordType {
        let layout = TupleType::new(fields.iter().map(|field| field.ty.clone()).collect());
        RecordType { name, docs, fields, is_error: false, is_flags: false, extension: Extension::default(), layout }
    }
}

impl RecordType {
    /// The end of an error about an unknown field: near names in the host's own form, or all of
    /// them.
    #[must_use]
    pub fn unknown_field(&self, name: &str, shape: impl Fn(&str) -> String) -> String {
        let known: Vec<String> = self.fields.iter().map(|field| shape(&field.name)).collect();
        let near = super::names::did_you_mean(name, known.iter().map(String::as_str));
        let hint =
            if near.is_empty() { format!("; its fields are {}", super::names::listed(known.iter().map(String::as_str))) } else { near };
        format!("{} has no field '{name}'{hint}", self.name)
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
