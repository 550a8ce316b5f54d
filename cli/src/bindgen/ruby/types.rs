//! The types of an interface as RBS, Ruby's language of signatures.

use undergo::interface::{Function, Scalar, Type, TypeKind, VariantType};

use super::text;
use crate::bindgen::classes::{CaseClass, Classes};

/// Which way a value goes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    /// What the gem makes: one exact type.
    FromGuest,
    /// What it accepts, which is more.
    ToGuest,
}

/// The constants of the module.
pub(super) struct Names(Classes);

impl Names {
    /// The gem finds the plugin's types by their own names in PascalCase: nothing is reserved
    /// before them, but keywords.
    pub(super) fn new(types: &[Type]) -> Names {
        Names(Classes::new(types, ["BEGIN", "END"]).with_cases(types))
    }

    /// A new name for a constant.
    pub(super) fn constant(&mut self, kebab: &str) -> String {
        self.0.declare(kebab)
    }

    /// The constant of a record, an enum or a variant.
    pub(super) fn of(&self, kebab: &str) -> String {
        self.0.of(kebab)
    }

    /// The cases of a variant with their classes.
    pub(super) fn cases<'v>(&self, variant: &'v VariantType) -> Vec<CaseClass<'v>> {
        self.0.cases(variant)
    }

    pub(super) fn show(&self, ty: &Type, direction: Direction) -> String {
        let accepts = direction == Direction::ToGuest;
        match &ty.kind {
            TypeKind::Bool => "bool".to_owned(),
            TypeKind::Scalar(Scalar::F32 | Scalar::F64) => if accepts { "Numeric" } else { "Float" }.to_owned(),
            TypeKind::Scalar(_) => "Integer".to_owned(),
            TypeKind::String => "String".to_owned(),
            TypeKind::Json => "untyped".to_owned(),
            TypeKind::Duration => if accepts { "Numeric" } else { "Rational" }.to_owned(),
            TypeKind::Time => "Time".to_owned(),
            TypeKind::List(item) if matches!(item.kind, TypeKind::Scalar(Scalar::U8)) => "String".to_owned(),
            TypeKind::List(item) => format!("Array[{}]", self.show(item, direction)),
            TypeKind::Map(map) => format!("Hash[{}, {}]", self.show(&map.key, direction), self.show(&map.value, direction)),
            TypeKind::Option(inner) => match self.show(inner, direction) {
                nested if nested == "untyped" || nested.ends_with('?') => nested,
                plain if plain.contains(" | ") => format!("({plain})?"),
                plain => format!("{plain}?"),
            },
            TypeKind::Tuple(tuple) => {
                let items: Vec<String> = tuple.items.iter().map(|item| self.show(item, direction)).collect();
                format!("[{}]", items.join(", "))
            }
            TypeKind::Record(record) if accepts => format!("{} | Hash[Symbol, untyped]", self.of(&record.name)),
            TypeKind::Record(record) => self.of(&record.name),
            TypeKind::Enum(_) if accepts => "Symbol | String".to_owned(),
            TypeKind::Enum(_) => "Symbol".to_owned(),
            TypeKind::Variant(variant) if accepts => format!("{} | Hash[Symbol, untyped]", self.of(&variant.name)),
            TypeKind::Variant(variant) => self.of(&variant.name),
            TypeKind::Own(_) | TypeKind::Borrow(_) => todo!("handles"),
        }
    }

    /// The signature of a function: `(Person p, bool shout) -> String`.
    pub(super) fn signature(&self, function: &Function, given: Direction, answered: Direction) -> String {
        let params = function.params.iter().map(|param| {
            let shown = self.show(&param.ty, given);
            let shown = if shown.contains(" | ") && !shown.ends_with('?') { format!("({shown})") } else { shown };
            format!("{shown} {}", text::identifier(&param.name))
        });
        let result = function.result.as_ref().map_or_else(|| "void".to_owned(), |ty| self.show(ty, answered));
        let result = if result.contains(" | ") && !result.ends_with('?') { format!("({result})") } else { result };
        format!("({}) -> {result}", params.collect::<Vec<_>>().join(", "))
    }
}
