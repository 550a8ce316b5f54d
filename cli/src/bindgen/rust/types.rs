//! The types of a plugin, as they are written in Rust.

use undergo::interface::{Scalar, Type, TypeKind, VariantType};

use super::super::classes::Classes;

/// What the file names without a path.
const OWN: [&str; 13] = ["Box", "Clone", "Debug", "Err", "None", "Ok", "On", "Option", "Result", "Self", "Some", "String", "Vec"];

/// The names of the types.
pub(super) struct Names(Classes);

impl Names {
    pub(super) fn new(types: &[Type]) -> Names {
        Names(Classes::new(types, OWN))
    }

    /// A new name of a type or a trait.
    pub(super) fn declare(&mut self, kebab: &str) -> String {
        self.0.declare(kebab)
    }

    /// The name of a record, an enum or a variant.
    pub(super) fn of(&self, kebab: &str) -> String {
        self.0.of(kebab)
    }

    /// The type of a value that its owner has.
    pub(super) fn owned(&self, ty: &Type) -> String {
        match &ty.kind {
            TypeKind::Bool => "bool".to_owned(),
            TypeKind::Scalar(scalar) => self::scalar(*scalar).to_owned(),
            TypeKind::String => "String".to_owned(),
            TypeKind::Json => "undergo::Json".to_owned(),
            TypeKind::Duration => "undergo::Nanoseconds".to_owned(),
            TypeKind::Time => "undergo::Time".to_owned(),
            TypeKind::Option(inner) => format!("Option<{}>", self.owned(inner)),
            TypeKind::List(item) => format!("Vec<{}>", self.owned(item)),
            TypeKind::Map(map) => format!("std::collections::BTreeMap<{}, {}>", self.owned(&map.key), self.owned(&map.value)),
            TypeKind::Tuple(tuple) => {
                let items: Vec<String> = tuple.items.iter().map(|item| self.owned(item)).collect();
                // A tuple of one value has a comma as well.
                format!("({}{})", items.join(", "), if items.len() == 1 { "," } else { "" })
            }
            TypeKind::Record(record) => self.of(&record.name),
            TypeKind::Enum(cases) => self.of(&cases.name),
            TypeKind::Variant(variant) => self.of(&variant.name),
            TypeKind::Own(_) | TypeKind::Borrow(_) => todo!("handles"),
        }
    }

    /// The type of an argument, which is lent unless it is small. `lent` is `&` or `&'static `.
    pub(super) fn lent(&self, ty: &Type, lent: &str) -> String {
        match &ty.kind {
            TypeKind::String => format!("{lent}str"),
            TypeKind::List(item) => format!("{lent}[{}]", self.owned(item)),
            TypeKind::Option(inner) => format!("Option<{}>", self.lent(inner, lent)),
            TypeKind::Variant(variant) if !has_values(variant) => self.owned(ty),
            TypeKind::Json | TypeKind::Map(_) | TypeKind::Tuple(_) | TypeKind::Record(_) | TypeKind::Variant(_) => {
                format!("{lent}{}", self.owned(ty))
            }
            TypeKind::Bool | TypeKind::Scalar(_) | TypeKind::Duration | TypeKind::Time | TypeKind::Enum(_) => self.owned(ty),
            TypeKind::Own(_) | TypeKind::Borrow(_) => todo!("handles"),
        }
    }

    /// The type of what a function gives, which may be nothing.
    pub(super) fn result(&self, ty: Option<&Type>) -> String {
        ty.map_or_else(|| "()".to_owned(), |ty| self.owned(ty))
    }
}

/// Whether any of its cases has a value. In Rust it is an enum as others if none has.
pub(super) fn has_values(variant: &VariantType) -> bool {
    variant.cases.iter().any(|case| case.ty.is_some())
}

fn scalar(scalar: Scalar) -> &'static str {
    match scalar {
        Scalar::S8 => "i8",
        Scalar::U8 => "u8",
        Scalar::S16 => "i16",
        Scalar::U16 => "u16",
        Scalar::S32 | Scalar::WasmI32 => "i32",
        Scalar::U32 => "u32",
        Scalar::S64 | Scalar::WasmI64 => "i64",
        Scalar::U64 => "u64",
        Scalar::F32 => "f32",
        Scalar::F64 => "f64",
    }
}
