//! The type model: what can cross the boundary, with its layout in memory.

use std::any::Any;
use std::fmt;
use std::sync::{Arc, OnceLock};

/// A type with its layout. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Type {
    /// What it is.
    pub kind: TypeKind,
    /// Bytes in memory, a multiple of `align`.
    pub(crate) size: u32,
    /// 1, 2, 4 or 8.
    pub(crate) align: u32,
}

/// What a type is.
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
}

/// A number of fixed width.
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
    /// The i32 of a bare module, which says nothing of its sign: takes -2³¹ to 2³²-1, and is lifted signed.
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
    /// Where a host keeps what it made for this record (a class, names in its own form).
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
    /// Where a host keeps what it made for this enum.
    pub extension: Extension,
}

impl EnumType {
    /// The number of the case of that name.
    #[must_use]
    pub fn case(&self, name: &str) -> Option<u32> {
        self.cases.iter().position(|(case, _)| case == name).and_then(|n| u32::try_from(n).ok())
    }

    /// What to say to a name that is no case: the names that are.
    #[must_use]
    pub fn unknown_case(&self, name: &str) -> String {
        let cases: Vec<&str> = self.cases.iter().map(|(case, _)| case.as_str()).collect();
        format!("{name:?} is not a case of {}: {}", self.name, cases.join(", "))
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
    /// Whether the result is a `result<T, string>`.
    pub fallible: bool,
    /// Where a host keeps what it made for this function.
    pub extension: Extension,
    pub(crate) abi: Signature,
}

impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}(", self.name)?;
        for (i, param) in self.params.iter().enumerate() {
            write!(f, "{}{}: {}", if i == 0 { "" } else { ", " }, param.name, param.ty)?;
        }
        f.write_str(")")?;
        match (&self.result, self.fallible) {
            (Some(result), false) => write!(f, " -> {result}"),
            (Some(result), true) => write!(f, " -> result<{result}, string>"),
            (None, true) => f.write_str(" -> result<_, string>"),
            (None, false) => Ok(()),
        }
    }
}

/// A host's own data beside a type or function; set once.
#[derive(Default)]
pub struct Extension(OnceLock<Box<dyn Any + Send + Sync>>);

impl Extension {
    /// What the host put here; made by `make` the first time. `None` when it is of another type than `T`.
    pub fn get_or_init<T: Any + Send + Sync>(&self, make: impl FnOnce() -> T) -> Option<&T> {
        self.0.get_or_init(|| Box::new(make())).downcast_ref()
    }

    /// What the host put here, if anything.
    pub fn get<T: Any + Send + Sync>(&self) -> Option<&T> {
        self.0.get()?.downcast_ref()
    }
}

impl fmt::Debug for Extension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Extension")
    }
}

/// How a function's values travel by the canonical ABI. No type of this model needs the join of flat types that variants do,
/// so each flat value has one place in the record of all parameters: to flatten is to load, to unflatten is to store.
#[derive(Debug)]
pub(crate) struct Signature {
    /// The record of all parameters.
    pub(crate) params: Arc<TupleType>,
    /// That record as a type.
    pub(crate) params_type: Type,
    /// The flat parameters' places in it; empty when it travels by pointer.
    pub(crate) slots: Vec<Slot>,
    /// Whether the parameters travel by pointer (more than 16 of them when flat).
    pub(crate) spilled: bool,
    /// The layout of the result with its error, if it has any.
    pub(crate) result: ResultLayout,
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
}

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
    /// A discriminant of one byte, or of two: flat, it has 32 bits, which must not be cut off silently.
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

const MAX_FLAT_PARAMS: usize = 16;
const TOO_LARGE: u32 = 1 << 30;

impl Scalar {
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
        };
        Type { kind, size, align }
    }

    /// Where the value of an `option` of this type begins.
    pub(crate) fn some_offset(&self) -> u32 {
        payload_offset(1, self.align)
    }

    /// Adds the flat values of this type. Stops when there are more than `most`: a hostile interface has billions of them.
    fn slots(&self, at: u32, most: usize, out: &mut Vec<Slot>) {
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
            TypeKind::Enum(_) => push(
                at,
                match self.size {
                    1 => SlotKind::Case8,
                    2 => SlotKind::Case16,
                    _ => SlotKind::I32,
                },
            ),
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
    /// Lays out values in order.
    #[must_use]
    pub fn new(items: Vec<Type>) -> TupleType {
        let mut offsets = Vec::with_capacity(items.len());
        let (mut end, mut align) = (0_u32, 1);
        for item in &items {
            // Clamped far above what the reader of interfaces accepts, and far below an overflow.
            let at = round_up(end, item.align).min(TOO_LARGE);
            offsets.push(at);
            end = at.saturating_add(item.size).min(TOO_LARGE);
            align = align.max(item.align);
        }
        TupleType { items, offsets, size: round_up(end, align), align }
    }

    fn slots(&self, at: u32, most: usize, out: &mut Vec<Slot>) {
        for (item, offset) in self.items.iter().zip(&self.offsets) {
            if out.len() > most {
                return;
            }
            item.slots(at + offset, most, out);
        }
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
        RecordType { name, docs, fields, extension: Extension::default(), layout }
    }
}

impl RecordType {
    /// What to say to a name that is no field: near names in the host's own form, or all of them.
    #[must_use]
    pub fn unknown_field(&self, name: &str, shape: impl Fn(&str) -> String) -> String {
        let known: Vec<String> = self.fields.iter().map(|field| shape(&field.name)).collect();
        let near = super::names::did_you_mean(name, known.iter().map(String::as_str));
        let hint = if near.is_empty() { format!("; its fields are {}", known.join(", ")) } else { near };
        format!("{} has no field '{name}'{hint}", self.name)
    }
}

impl Function {
    /// A function, with the way its values travel.
    #[must_use]
    pub fn new(name: String, docs: String, params: Vec<Field>, result: Option<Type>, fallible: bool) -> Function {
        let record = Arc::new(TupleType::new(params.iter().map(|param| param.ty.clone()).collect()));
        let params_type = Type::new(TypeKind::Tuple(record.clone()));
        let mut slots = Vec::new();
        record.slots(0, MAX_FLAT_PARAMS, &mut slots);
        let spilled = slots.len() > MAX_FLAT_PARAMS;
        if spilled {
            slots.clear();
        }
        let layout = result_layout(result.as_ref(), fallible);
        let abi = Signature { params: record, params_type, slots, spilled, result: layout };
        Function { name, docs, params, result, fallible, extension: Extension::default(), abi }
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

    /// How many core values a call passes, at most: the parameters with a pointer to the return area, or the result.
    pub(crate) fn core_values(&self) -> usize {
        if self.spilled { 2 } else { self.slots.len() + 1 }
    }
}

fn result_layout(result: Option<&Type>, fallible: bool) -> ResultLayout {
    let (size, align) = result.map_or((0, 1), |ty| (ty.size, ty.align));
    if fallible {
        // result<T, string>: a byte, then the larger of the two, at the alignment of the stricter.
        let align = align.max(4);
        let value_offset = payload_offset(1, align);
        return ResultLayout { size: round_up(value_offset + size.max(8), align), align, value_offset, flat: None };
    }
    let mut slots = Vec::new();
    if let Some(ty) = result {
        ty.slots(0, 1, &mut slots);
    }
    let flat = match slots.as_slice() {
        [only] => Some(*only),
        _ => None,
    };
    ResultLayout { size, align, value_offset: 0, flat }
}

fn payload_offset(discriminant: u32, align: u32) -> u32 {
    round_up(discriminant, align)
}

fn discriminant_size(cases: usize) -> u32 {
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

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            TypeKind::Bool => f.write_str("bool"),
            TypeKind::Scalar(scalar) => f.write_str(scalar.as_str()),
            TypeKind::String => f.write_str("string"),
            TypeKind::Json => f.write_str("json"),
            TypeKind::Duration => f.write_str("duration"),
            TypeKind::Time => f.write_str("time"),
            TypeKind::List(item) => write!(f, "list<{item}>"),
            TypeKind::Map(map) => write!(f, "map<{}, {}>", map.key, map.value),
            TypeKind::Option(inner) => write!(f, "option<{inner}>"),
            TypeKind::Record(record) => f.write_str(&record.name),
            TypeKind::Enum(cases) => f.write_str(&cases.name),
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
