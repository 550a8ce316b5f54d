//! The types of an interface in TypeScript.

use std::cell::Cell;
use std::collections::BTreeMap;

use undergo::interface::{RecordType, Scalar, Type, TypeKind};

use crate::bindgen::classes::Classes;

/// Names that the module uses itself, or that mean something else where it is used.
#[rustfmt::skip]
const TAKEN: [&str; 38] = [
    "Array", "ArrayBuffer", "BigInt", "BigInt64Array", "BigUint64Array", "Boolean", "Bytes", "Date", "Error", "Float32Array", "Float64Array", "GuestError",
    "Imports", "Instance", "InstanceOptions", "InstanceType", "Int16Array", "Int32Array", "Int8Array", "Map", "Number", "Object", "Omit", "Plugin", "PluginOptions", "Pool", "PoolOptions",
    "Promise", "Readonly", "ReadonlyMap", "Record", "String", "Symbol", "URL", "Uint8Array", "Uint8ClampedArray", "Uint16Array", "Uint32Array",
];

/// Which way a value goes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    /// What the package makes: one exact type.
    FromGuest,
    /// What it accepts, which is more.
    ToGuest,
    /// The same within another value: as little more as possible, so that most types need not be
    /// written twice.
    Within,
}

/// The types of the module.
pub(super) struct Names {
    classes: Classes,
    /// What is accepted for a record or a variant, where that is more.
    inputs: BTreeMap<String, String>,
    /// The fields of errors, whose own names are those of classes.
    fields: BTreeMap<String, String>,
    /// Whether `Bytes` is used.
    has_bytes: Cell<bool>,
}

impl Names {
    pub(super) fn new(types: &[Type]) -> Names {
        let (inputs, fields) = (BTreeMap::new(), BTreeMap::new());
        let mut names = Names { classes: Classes::new(types, TAKEN), inputs, fields, has_bytes: Cell::default() };
        // Each type comes behind those that it is made of.
        for ty in types {
            let (name, differs) = match &ty.kind {
                TypeKind::Record(record) => (&record.name, record.fields.iter().any(|field| names.differs(&field.ty))),
                TypeKind::Variant(variant) => {
                    (&variant.name, variant.cases.iter().filter_map(|case| case.ty.as_ref()).any(|ty| names.differs(ty)))
                }
                _ => continue,
            };
            if matches!(&ty.kind, TypeKind::Record(record) if record.is_error) {
                let fields = names.class(&format!("{name}-fields"));
                names.fields.insert(name.clone(), fields);
            }
            if differs {
                let input = names.class(&format!("{name}-input"));
                names.inputs.insert(name.clone(), input);
            }
        }
        names
    }

    /// A new name for a type.
    pub(super) fn class(&mut self, kebab: &str) -> String {
        self.classes.declare(kebab)
    }

    /// The type of a record, an enum or a variant; the class of an error.
    pub(super) fn of(&self, kebab: &str) -> String {
        self.classes.of(kebab)
    }

    /// The type of a record: for that of an error, of its fields.
    pub(super) fn record(&self, kebab: &str) -> String {
        self.fields.get(kebab).cloned().unwrap_or_else(|| self.of(kebab))
    }

    /// Whether the type of what is taken for bytes was shown.
    pub(super) fn has_bytes(&self) -> bool {
        self.has_bytes.get()
    }

    /// Whether more is accepted for a record or a variant than is made of it.
    pub(super) fn has_input(&self, kebab: &str) -> bool {
        self.inputs.contains_key(kebab)
    }

    /// Whether more is accepted for a type than is made of it.
    fn differs(&self, ty: &Type) -> bool {
        match &ty.kind {
            TypeKind::List(item) => matches!(item.kind, TypeKind::Scalar(_)) || self.differs(item),
            TypeKind::Option(inner) => self.differs(inner),
            TypeKind::Map(map) => self.differs(&map.key) || self.differs(&map.value),
            TypeKind::Tuple(tuple) => tuple.items.iter().any(|item| self.differs(item)),
            TypeKind::Record(record) => self.has_input(&record.name),
            TypeKind::Variant(variant) => self.has_input(&variant.name),
            _ => false,
        }
    }

    /// What is accepted for a record or a variant.
    pub(super) fn input(&self, kebab: &str) -> String {
        self.inputs.get(kebab).cloned().unwrap_or_else(|| self.record(kebab))
    }

    pub(super) fn show(&self, ty: &Type, direction: Direction) -> String {
        let within = if direction == Direction::FromGuest { direction } else { Direction::Within };
        match &ty.kind {
            TypeKind::Bool => "boolean".to_owned(),
            TypeKind::Scalar(Scalar::S64 | Scalar::U64 | Scalar::WasmI64) if direction == Direction::ToGuest => {
                "number | bigint".to_owned()
            }
            TypeKind::Scalar(_) | TypeKind::Duration => "number".to_owned(),
            TypeKind::String => "string".to_owned(),
            TypeKind::Json => "unknown".to_owned(),
            TypeKind::Time => "Date".to_owned(),
            TypeKind::List(item) => self.list(item, direction),
            TypeKind::Map(map) => {
                let (key, value) = (self.show(&map.key, within), self.show(&map.value, within));
                match (&map.key.kind, direction) {
                    (TypeKind::String, Direction::ToGuest) => format!("Readonly<Record<string, {value}>> | ReadonlyMap<string, {value}>"),
                    (TypeKind::String, _) => format!("Record<string, {value}>"),
                    (_, Direction::ToGuest) => format!("ReadonlyMap<{key}, {value}>"),
                    _ => format!("Map<{key}, {value}>"),
                }
            }
            TypeKind::Option(inner) => match self.show(inner, direction) {
                shown if shown == "unknown" || shown.ends_with("undefined") => shown,
                shown if direction == Direction::ToGuest => format!("{shown} | null | undefined"),
                shown => format!("{shown} | undefined"),
            },
            TypeKind::Tuple(tuple) => {
                let items: Vec<String> = tuple.items.iter().map(|item| self.show(item, within)).collect();
                format!("[{}]", items.join(", "))
            }
            TypeKind::Record(record) if direction == Direction::FromGuest => self.record(&record.name),
            TypeKind::Record(record) => self.input(&record.name),
            TypeKind::Enum(cases) => self.of(&cases.name),
            TypeKind::Variant(variant) if direction == Direction::FromGuest => self.of(&variant.name),
            TypeKind::Variant(variant) => self.input(&variant.name),
            TypeKind::Own(_) | TypeKind::Borrow(_) => todo!("handles"),
        }
    }

    fn list(&self, item: &Type, direction: Direction) -> String {
        if let TypeKind::Scalar(scalar) = item.kind {
            let shown = scalars(scalar, direction);
            self.has_bytes.set(self.has_bytes() || shown == "Bytes");
            return shown.to_owned();
        }
        let within = if direction == Direction::FromGuest { direction } else { Direction::Within };
        let item = match self.show(item, within) {
            shown if shown.contains(" | ") => format!("({shown})"),
            shown => shown,
        };
        let readonly = if direction == Direction::ToGuest { "readonly " } else { "" };
        format!("{readonly}{item}[]")
    }
}

/// What identifies the errors with the fields of that record (`bindings-node/src/types.rs`).
pub(super) fn error_type(world: &str, record: &RecordType) -> String {
    let fields: Vec<String> = record.fields.iter().map(|field| format!("{}: {}", field.name, field.ty)).collect();
    format!("{world}: {} {{ {} }}", record.name, fields.join(", "))
}

/// A list of numbers.
fn scalars(scalar: Scalar, direction: Direction) -> &'static str {
    let (made, accepted) = match scalar {
        Scalar::U8 => ("Uint8Array", "Bytes"),
        Scalar::S8 => ("Int8Array", "Int8Array | readonly number[]"),
        Scalar::S16 => ("Int16Array", "Int16Array | readonly number[]"),
        Scalar::U16 => ("Uint16Array", "Uint16Array | readonly number[]"),
        Scalar::S32 | Scalar::WasmI32 => ("Int32Array", "Int32Array | readonly number[]"),
        Scalar::U32 => ("Uint32Array", "Uint32Array | readonly number[]"),
        Scalar::F32 => ("Float32Array", "Float32Array | readonly number[]"),
        Scalar::F64 => ("Float64Array", "Float64Array | readonly number[]"),
        Scalar::S64 | Scalar::WasmI64 => ("number[]", "BigInt64Array | readonly (number | bigint)[]"),
        Scalar::U64 => ("number[]", "BigUint64Array | readonly (number | bigint)[]"),
    };
    if direction == Direction::FromGuest { made } else { accepted }
}
