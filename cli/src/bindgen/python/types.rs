//! The types of an interface as Python's annotations.

use std::collections::{BTreeMap, BTreeSet};

use undergo::{Scalar, Type, TypeKind, names};

use super::text::escape;

/// The protocol for objects that lend bytes; `collections.abc.Buffer` needs Python 3.12.
pub(super) const BUFFER: &str = "Buffer";

/// The module datetime, where a member of that name hides it.
pub(super) const HIDDEN_DATETIME: &str = "_datetime";

/// Names that the module uses itself.
const TAKEN: [&str; 9] = ["Any", BUFFER, "Callable", "Imports", "Mapping", "Protocol", "Sequence", "TYPES", "TypedDict"];

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
pub(super) struct Names {
    classes: BTreeMap<String, String>,
    taken: BTreeSet<String>,
}

impl Names {
    pub(super) fn new(types: &[Type]) -> Names {
        let mut names = Names { classes: BTreeMap::new(), taken: TAKEN.iter().map(|name| (*name).to_owned()).collect() };
        for ty in types {
            let name = ty.to_string();
            let class = names.class(&name);
            names.classes.insert(name, class);
        }
        names
    }

    /// A new name for a class.
    pub(super) fn class(&mut self, kebab: &str) -> String {
        let word: String = names::pascal(kebab).chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
        let mut name = escape(word);
        if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
            name.insert_str(0, "Plugin");
        }
        while !self.taken.insert(name.clone()) {
            name.push('_');
        }
        name
    }

    /// The class of a record or an enum.
    pub(super) fn of(&self, kebab: &str) -> String {
        self.classes.get(kebab).cloned().unwrap_or_else(|| names::pascal(kebab))
    }

    /// The names as they are to be written where `hidden` hide others: the members of a class, the parameters of a function.
    pub(super) fn shadowed_by<'h>(&self, hidden: impl IntoIterator<Item = &'h str>) -> Shown {
        Shown { classes: self.classes.clone(), hidden: hidden.into_iter().map(str::to_owned).collect() }
    }
}

/// How types are written in one scope.
pub(super) struct Shown {
    classes: BTreeMap<String, String>,
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
                // The keys of a Mapping are invariant: more of them than one type would accept less.
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
            TypeKind::Record(record) if accepts => format!("{} | Mapping[{}, object]", self.class(&record.name), self.name("str")),
            TypeKind::Record(record) => self.class(&record.name),
            TypeKind::Enum(cases) if accepts => format!("{} | {}", self.class(&cases.name), self.name("str")),
            TypeKind::Enum(cases) => self.class(&cases.name),
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

    fn class(&self, kebab: &str) -> String {
        self.classes.get(kebab).cloned().unwrap_or_else(|| names::pascal(kebab))
    }
}
