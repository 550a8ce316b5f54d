//! The types of an interface in Kotlin, and how values of them are made and read.

use std::cell::RefCell;
use std::collections::BTreeSet;

use undergo::interface::{Scalar, Type, TypeKind, VariantType};

use crate::bindgen::classes::{CaseClass, Classes};

/// Names of the package, and where each is.
const PACKAGE: [(&str, &str); 32] = [
    ("AsyncExports", "dev.undergo"),
    ("AsyncInstance", "dev.undergo"),
    ("AsyncPool", "dev.undergo"),
    ("CancelToken", "dev.undergo"),
    ("Entry", "dev.undergo.core"),
    ("Exports", "dev.undergo"),
    ("GuestException", "dev.undergo"),
    ("Imports", "dev.undergo"),
    ("Instance", "dev.undergo"),
    ("Limits", "dev.undergo"),
    ("Plugin", "dev.undergo"),
    ("Pool", "dev.undergo"),
    ("Sandbox", "dev.undergo"),
    ("ToValue", "dev.undergo"),
    ("Value", "dev.undergo.core"),
    ("asBoolean", "dev.undergo"),
    ("asBytes", "dev.undergo"),
    ("asCase", "dev.undergo"),
    ("asDouble", "dev.undergo"),
    ("asDuration", "dev.undergo"),
    ("asEntries", "dev.undergo"),
    ("asFields", "dev.undergo"),
    ("asItems", "dev.undergo"),
    ("asLong", "dev.undergo"),
    ("asText", "dev.undergo"),
    ("asTime", "dev.undergo"),
    ("asULong", "dev.undergo"),
    ("orNull", "dev.undergo"),
    ("record", "dev.undergo"),
    ("unknownCase", "dev.undergo"),
    ("Duration", "java.time"),
    ("OffsetDateTime", "java.time"),
];

/// The classes of the file, and what it uses of others.
pub(super) struct Names {
    classes: Classes,
    imports: RefCell<BTreeSet<String>>,
    /// The sizes of several results that Kotlin has no class for.
    results: RefCell<BTreeSet<usize>>,
}

impl Names {
    pub(super) fn new(types: &[Type]) -> Names {
        // Within a class, the name of its companion is not that of another class.
        Names { classes: Classes::new(types, ["Companion"]).with_cases(types), imports: RefCell::default(), results: RefCell::default() }
    }

    /// A new name for a class.
    pub(super) fn class(&mut self, kebab: &str) -> String {
        self.classes.declare(kebab)
    }

    /// The class of a record, an enum or a variant.
    pub(super) fn of(&self, kebab: &str) -> String {
        self.classes.of(kebab)
    }

    /// The cases of a variant with their classes.
    pub(super) fn cases<'v>(&self, variant: &'v VariantType) -> Vec<CaseClass<'v>> {
        self.classes.cases(variant)
    }

    /// The interfaces of a class: those of the variants of which it is a case.
    pub(super) fn variants_of(&self, class: &str) -> Vec<String> {
        self.classes.variants_of(class)
    }

    /// A name of another package, which the file imports, unless it has a class of that name.
    pub(super) fn lib(&self, name: &str) -> String {
        let package = PACKAGE.iter().find(|(known, _)| *known == name).map_or("dev.undergo", |(_, package)| package);
        if self.classes.is_taken(name) {
            return format!("{package}.{name}");
        }
        self.imports.borrow_mut().insert(format!("{package}.{name}"));
        name.to_owned()
    }

    /// A class of Kotlin's own.
    pub(super) fn std(&self, name: &str) -> String {
        if !self.classes.is_taken(name) {
            return name.to_owned();
        }
        let package = if matches!(name, "List" | "Map") { "kotlin.collections" } else { "kotlin" };
        format!("{package}.{name}")
    }

    pub(super) fn imported(&self) -> Vec<String> {
        self.imports.borrow().iter().cloned().collect()
    }

    /// The type as Kotlin writes it.
    pub(super) fn show(&self, ty: &Type) -> String {
        match &ty.kind {
            TypeKind::Bool => self.std("Boolean"),
            TypeKind::Scalar(scalar) => self.std(scalar_class(*scalar)),
            TypeKind::String => self.std("String"),
            TypeKind::Json => format!("{}?", self.std("Any")),
            TypeKind::Duration => self.lib("Duration"),
            TypeKind::Time => self.lib("OffsetDateTime"),
            TypeKind::List(item) if is_byte(item) => self.std("ByteArray"),
            TypeKind::List(item) => format!("{}<{}>", self.std("List"), self.show(item)),
            TypeKind::Map(map) => format!("{}<{}, {}>", self.std("Map"), self.show(&map.key), self.show(&map.value)),
            TypeKind::Option(inner) => match self.show(inner) {
                nested if nested.ends_with('?') => nested,
                plain => format!("{plain}?"),
            },
            TypeKind::Tuple(tuple) => {
                let items: Vec<String> = tuple.items.iter().map(|item| self.show(item)).collect();
                format!("{}<{}>", self.several(items.len()), items.join(", "))
            }
            TypeKind::Record(record) => self.of(&record.name),
            TypeKind::Enum(cases) => self.of(&cases.name),
            TypeKind::Variant(variant) => self.of(&variant.name),
            TypeKind::Own(_) | TypeKind::Borrow(_) => unreachable!("what has handles is left out"),
        }
    }

    /// The class of several results.
    fn several(&self, count: usize) -> String {
        match count {
            2 => self.std("Pair"),
            3 => self.std("Triple"),
            _ => {
                self.results.borrow_mut().insert(count);
                self.results_class(count)
            }
        }
    }

    /// The name of the class for so many results.
    fn results_class(&self, count: usize) -> String {
        let name = format!("Results{count}");
        if self.classes.is_taken(&name) { name + "_" } else { name }
    }

    /// The classes for several results that the file has to declare: how many each is for, and its
    /// name.
    pub(super) fn results(&self) -> Vec<(usize, String)> {
        self.results.borrow().iter().map(|count| (*count, self.results_class(*count))).collect()
    }

    /// The expression of a value for an expression of that type.
    pub(super) fn make(&self, ty: &Type, from: &str) -> String {
        let value = || self.lib("Value");
        match &ty.kind {
            TypeKind::Bool => format!("{}.Bool({from})", value()),
            TypeKind::Scalar(Scalar::F32) => format!("{}.Float({from}.toDouble())", value()),
            TypeKind::Scalar(Scalar::F64) => format!("{}.Float({from})", value()),
            TypeKind::Scalar(Scalar::U64) => format!("{}.Uint({from})", value()),
            TypeKind::Scalar(Scalar::S64 | Scalar::WasmI64) => format!("{}.Int({from})", value()),
            TypeKind::Scalar(_) => format!("{}.Int({from}.toLong())", value()),
            TypeKind::String => format!("{}({from})", self.lib("text")),
            TypeKind::Json => format!("{}({from})", self.lib("toValue")),
            TypeKind::Duration => format!("{}({from})", self.lib("duration")),
            TypeKind::Time => format!("{}({from})", self.lib("time")),
            TypeKind::List(item) if is_byte(item) => format!("{}.Bytes({from})", value()),
            TypeKind::List(item) => format!("{}.Items({from}.map {{ {} }})", value(), self.make(item, "it")),
            TypeKind::Map(map) => {
                let (key, of) = (self.make(&map.key, "it.key"), self.make(&map.value, "it.value"));
                format!("{}.Entries({from}.map {{ {}({key}, {of}) }})", value(), self.lib("Entry"))
            }
            TypeKind::Option(inner) if matches!(inner.kind, TypeKind::Json) => self.make(inner, from),
            TypeKind::Option(inner) => format!("({from}?.let {{ {} }} ?: {}.None)", self.make(inner, "it"), value()),
            TypeKind::Tuple(tuple) => {
                let part = |(i, item): (usize, &Type)| self.make(item, &format!("{from}.component{}()", i + 1));
                let items: Vec<String> = tuple.items.iter().enumerate().map(part).collect();
                format!("{}.Items(listOf({}))", value(), items.join(", "))
            }
            TypeKind::Record(_) | TypeKind::Enum(_) => format!("{from}.toValue()"),
            TypeKind::Variant(variant) => format!("{}.toValue({from})", self.of(&variant.name)),
            TypeKind::Own(_) | TypeKind::Borrow(_) => unreachable!("what has handles is left out"),
        }
    }

    /// The expression of that type for the expression of a value.
    pub(super) fn read(&self, ty: &Type, from: &str) -> String {
        let by = |name: &str| format!("{from}.{}()", self.lib(name));
        match &ty.kind {
            TypeKind::Bool => by("asBoolean"),
            TypeKind::Scalar(Scalar::F32) => format!("{}.toFloat()", by("asDouble")),
            TypeKind::Scalar(Scalar::F64) => by("asDouble"),
            TypeKind::Scalar(Scalar::U64) => by("asULong"),
            TypeKind::Scalar(Scalar::S64 | Scalar::WasmI64) => by("asLong"),
            TypeKind::Scalar(scalar) => format!("{}.to{}()", by("asLong"), scalar_class(*scalar)),
            TypeKind::String => by("asText"),
            TypeKind::Json => format!("{}({from})", self.lib("toPlain")),
            TypeKind::Duration => by("asDuration"),
            TypeKind::Time => by("asTime"),
            TypeKind::List(item) if is_byte(item) => by("asBytes"),
            TypeKind::List(item) => format!("{}.map {{ {} }}", by("asItems"), self.read(item, "it")),
            TypeKind::Map(map) => {
                format!("{}.associate {{ {} to {} }}", by("asEntries"), self.read(&map.key, "it.key"), self.read(&map.value, "it.value"))
            }
            TypeKind::Option(inner) => format!("{from}.{} {{ {} }}", self.lib("orNull"), self.read(inner, "it")),
            TypeKind::Tuple(tuple) => {
                let part = |(i, item): (usize, &Type)| self.read(item, &format!("it[{i}]"));
                let items: Vec<String> = tuple.items.iter().enumerate().map(part).collect();
                format!("{}.let {{ {}({}) }}", by("asItems"), self.several(items.len()), items.join(", "))
            }
            TypeKind::Record(record) => format!("{}.of({from})", self.of(&record.name)),
            TypeKind::Enum(cases) => format!("{}.of({from})", self.of(&cases.name)),
            TypeKind::Variant(variant) => format!("{}.of({from})", self.of(&variant.name)),
            TypeKind::Own(_) | TypeKind::Borrow(_) => unreachable!("what has handles is left out"),
        }
    }
}

fn is_byte(ty: &Type) -> bool {
    matches!(ty.kind, TypeKind::Scalar(Scalar::U8))
}

fn scalar_class(scalar: Scalar) -> &'static str {
    match scalar {
        Scalar::S8 => "Byte",
        Scalar::S16 => "Short",
        Scalar::S32 | Scalar::WasmI32 => "Int",
        Scalar::S64 | Scalar::WasmI64 => "Long",
        Scalar::U8 => "UByte",
        Scalar::U16 => "UShort",
        Scalar::U32 => "UInt",
        Scalar::U64 => "ULong",
        Scalar::F32 => "Float",
        Scalar::F64 => "Double",
    }
}
