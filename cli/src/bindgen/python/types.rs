//! The types of an interface as Python's annotations.

use std::collections::BTreeSet;

use undergo::interface::{Scalar, Type, TypeKind, VariantType};

use super::text::KEYWORDS;
use crate::bindgen::classes::{CaseClass, Classes};

/// The protocol for objects that lend bytes; `collections.abc.Buffer` needs Python 3.12.
pub(super) const BUFFER: &str = "Buffer";

/// The module datetime, where a member of that name hides it.
pub(super) const HIDDEN_DATETIME: &str = "_datetime";

/// Names that the module uses itself.
const TAKEN: [&str; 11] =
    ["Any", BUFFER, "Callable", "Imports", "Mapping", "Protocol", "Sequence", "TYPES", "TypeAlias", "TypedDict", "Union"];

/// Names in annotations that a member of a class may hide.
const BUILTINS: [&str; 9] = ["bool", "bytes", "dict", "float", "int", "list", "memoryview", "str", "tuple"];

/// Which way a value goes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    /// What the package makes: one exact type.
    FromGuest,
    /// What it accepts, which is more.
    ToGuest,
}

/// The classes of the module.
pub(super) struct Names(Classes);

impl Names {
    pub(super) fn new(types: &[Type]) -> Names {
        Names(Classes::new(types, TAKEN.into_iter().chain(KEYWORDS)).with_cases(types))
    }

    /// A new name for a class.
    pub(super) fn class(&mut self, kebab: &str) -> String {
        self.0.declare(kebab)
    }

    /// The class of a record or an enum, and what stands for a variant.
    pub(super) fn of(&self, kebab: &str) -> String {
        self.0.of(kebab)
    }

    /// The cases of a variant with their classes.
    pub(super) fn cases<'v>(&self, variant: &'v VariantType) -> Vec<CaseClass<'v>> {
        self.0.cases(variant)
    }

    /// The names as they are to be written where `hidden` hide others: the members of a class, the
    /// parameters of a function.
    pub(super) fn shadowed_by<'h>(&self, hidden: impl IntoIterator<Item = &'h str>) -> Shown {
        Shown { classes: self.0.clone(), hidden: hidden.into_iter().map(str::to_owned).collect() }
    }
}

/// How types are written in one scope.
pub(super) struct Shown {
    classes: Classes,
    hidden: BTreeSet<String>,
}

impl Shown {
    /// A builtin, so that it means that.
    pub(super) fn name(&self, name: &str) -> String {
        if BUILTINS.contains(&name) && self.hidden.contains(name) { format!("builtins.{name}") } else { name.to_owned() }
    }

    fn datetime(&self, name: &str) -> String {
        let module = if self.hidden.contains("datetime") { HIDDEN_DATETIME } else { "datetime" };
        format!("{module}.{name}")
    }

    pub(super) fn show(&self, ty: &Type, direction: Direction) -> String {
        let accepts = direction == Direction::ToGuest;
        match &ty.kind {
            TypeKind::Bool => self.name("bool"),
            TypeKind::Scalar(Scalar::F32 | Scalar::F64) => self.name("float"),
            TypeKind::Scalar(_) => self.name("int"),
            TypeKind::String => self.name("str"),
            TypeKind::Json => "Any".to_owned(),
            TypeKind::Duration => self.datetime("timedelta"),
            TypeKind::Time => self.datetime("datetime"),
            TypeKind::List(item) => self.list(item, direction),
            TypeKind::Map(map) => {
                // The keys of a Mapping are invariant: more of them than one type would accept
                // less.
                let (key, value) = (self.show(&map.key, Direction::FromGuest), self.show(&map.value, direction));
                let class = if accepts { "Mapping".to_owned() } else { self.name("dict") };
                format!("{class}[{key}, {value}]")
            }
            TypeKind::Option(inner) => match self.show(inner, direction) {
                nested if nested == "Any" || nested.ends_with(" | None") => nested,
                plain => format!("{plain} | None"),
            },
            TypeKind::Tuple(tuple) => {
                let items: Vec<String> = tuple.items.iter().map(|item| self.show(item, direction)).collect();
                format!("{}[{}]", self.name("tuple"), items.join(", "))
            }
            TypeKind::Record(record) if accepts => format!("{} | Mapping[{}, object]", self.classes.of(&record.name), self.name("str")),
            TypeKind::Record(record) => self.classes.of(&record.name),
            TypeKind::Enum(cases) if accepts => format!("{} | {}", self.classes.of(&cases.name), self.name("str")),
            TypeKind::Enum(cases) => self.classes.of(&cases.name),
            TypeKind::Variant(variant) => self.classes.of(&variant.name),
        }
    }

    fn list(&self, item: &Type, direction: Direction) -> String {
        match (&item.kind, direction) {
            (TypeKind::Scalar(Scalar::U8), Direction::FromGuest) => self.name("bytes"),
            (TypeKind::Scalar(Scalar::U8), Direction::ToGuest) => BUFFER.to_owned(),
            (_, Direction::FromGuest) => format!("{}[{}]", self.name("list"), self.show(item, direction)),
            (TypeKind::Scalar(_), Direction::ToGuest) => format!("Sequence[{}] | {BUFFER}", self.show(item, direction)),
            (_, Direction::ToGuest) => format!("Sequence[{}]", self.show(item, direction)),
        }
    }
}
