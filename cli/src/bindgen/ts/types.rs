//! The types of an interface in TypeScript.

use std::collections::BTreeMap;

use undergo::interface::{Scalar, Type, TypeKind};

use crate::bindgen::classes::Classes;

/// Names that the module uses itself, or that mean something else where it is used.
#[rustfmt::skip]
const TAKEN: [&str; 36] = [
    "Array", "ArrayBuffer", "BigInt", "BigInt64Array", "BigUint64Array", "Boolean", "Bytes", "Date", "Error", "Float32Array", "Float64Array", "Imports",
    "Instance", "InstanceOptions", "Int16Array", "Int32Array", "Int8Array", "Map", "Number", "Object", "Omit", "Plugin", "PluginOptions", "Pool", "PoolOptions",
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
    /// What is accepted for a record, where that is more.
    inputs: BTreeMap<String, String>,
}

impl Names {
    pub(super) fn new(types: &[Type]) -> Names {
        let mut names = Names { classes: Classes::new(types, TAKEN), inputs: BTreeMap::new() };
        // Each type comes behind those that it is made of.
        for ty in types {
            if let TypeKind::Record(record) = &ty.kind
                && record.fields.iter().any(|field| names.differs(&field.ty))
            {
                let input = names.class(&format!("{}-input", record.name));
                names.inputs.insert(record.name.clone(), input);
            }
        }
        names
    }

    /// A new name for a type.
    pub(super) fn class(&mut self, kebab: &str) -> String {
        self.classes.declare(kebab)
    }

    /// The type of a record or an enum.
    pub(super) fn of(&self, kebab: &str) -> String {
        self.classes.of(kebab)
    }

    /// Whether more is accepted for a record than is made of it.
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
            TypeKind::Record(record) => self.inputs.contains_key(&record.name),
            _ => false,
        }
    }

    /// What is accepted for a record.
    pub(super) fn input(&self, kebab: &str) -> String {
        self.inputs.get(kebab).cloned().unwrap_or_else(|| self.of(kebab))
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
            TypeKind::Record(record) if direction == Direction::FromGuest => self.of(&record.name),
            TypeKind::Record(record) => self.input(&record.name),
            TypeKind::Enum(cases) => self.of(&cases.name),
            &undergo::interface::TypeKind::Variant(_) => todo!("variants"),
        }
    }

    fn list(&self, item: &Type, direction: Direction) -> String {
        if let TypeKind::Scalar(scalar) = item.kind {
            return scalars(scalar, direction).to_owned();
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
