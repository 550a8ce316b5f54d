//! The types of an interface in Kotlin, and what writes and reads values of them in C's structs.

use std::cell::RefCell;
use std::collections::BTreeSet;

use undergo::interface::{Resource, ResourceType, Scalar, Shape, Side, Type, TypeKind, VariantType};

use super::text::literal;
use crate::bindgen::classes::{CaseClass, Classes};
use crate::bindgen::layout::{Fields, Place, size};
use crate::bindgen::surface::item;

/// Names of other packages, and where each is. What is not here is in `dev.undergo`.
const PACKAGE: [(&str, &str); 22] = [
    ("Duration", "java.time"),
    ("GuestObject", "dev.undergo.java"),
    ("InputStream", "java.io"),
    ("OffsetDateTime", "java.time"),
    ("OutputStream", "java.io"),
    ("Raw", "dev.undergo.java"),
    ("RawClient", "dev.undergo.java"),
    ("RawError", "dev.undergo.java"),
    ("RawFields", "dev.undergo.java"),
    ("RawFunction", "dev.undergo.java"),
    ("RawHandle", "dev.undergo.java"),
    ("RawRoom", "dev.undergo.java"),
    ("RawSignature", "dev.undergo.java"),
    ("awaited", "dev.undergo.raw"),
    ("call", "dev.undergo.raw"),
    ("getAny", "dev.undergo.raw"),
    ("getItems", "dev.undergo.raw"),
    ("putAny", "dev.undergo.raw"),
    ("suspended", "dev.undergo.raw"),
    ("List", "kotlin.collections"),
    ("Map", "kotlin.collections"),
    ("Sequence", "kotlin.sequences"),
];

/// The classes of the file, and what it uses of others.
pub(super) struct Names {
    classes: Classes,
    /// The object that has what writes and reads the records and the variants.
    values: String,
    /// By the numbers of the resources.
    living: Vec<Living>,
    imports: RefCell<BTreeSet<String>>,
    /// The sizes of several results that Kotlin has no class for.
    results: RefCell<BTreeSet<usize>>,
}

/// What stands for a resource.
struct Living {
    class: String,
    /// Of an iterator.
    item: Option<Type>,
}

impl Names {
    pub(super) fn new(types: &[Type], resources: &[Resource]) -> Names {
        // Within a class, the name of its companion is not that of another class.
        let mut classes = Classes::new(types, ["Companion"]);
        let living = |resource: &Resource| Living { class: classes.declare(&resource.ty.name), item: item(resource).cloned() };
        let living = resources.iter().map(living).collect();
        let mut classes = classes.with_cases(types);
        let values = classes.declare("values");
        Names { classes, values, living, imports: RefCell::default(), results: RefCell::default() }
    }

    /// The object that has what writes and reads the records and the variants.
    pub(super) fn values(&self) -> &str {
        &self.values
    }

    /// A new name for a class.
    pub(super) fn class(&mut self, kebab: &str) -> String {
        self.classes.declare(kebab)
    }

    /// The name of what stands for a resource, also where that is no class of the file's.
    pub(super) fn class_of(&self, resource: &ResourceType) -> String {
        self.living[resource.number].class.clone()
    }

    /// What is written for a resource.
    pub(super) fn living(&self, resource: &ResourceType) -> String {
        let found = &self.living[resource.number];
        let item = || found.item.as_ref().map_or_else(|| format!("{}?", self.std("Any")), |item| self.show(item));
        match (resource.shape, resource.side) {
            (Shape::Object | Shape::Callback, _) => found.class.clone(),
            (Shape::Iterator, Side::Guest) => format!("{}<{}>", self.lib("Items"), item()),
            (Shape::Iterator, Side::Host) => format!("{}<{}>", self.std("Sequence"), item()),
            (Shape::Reader, _) => self.lib("InputStream"),
            (Shape::Writer, _) => self.lib("OutputStream"),
        }
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
        let package = package(name).unwrap_or("dev.undergo");
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
        format!("{}.{name}", package(name).unwrap_or("kotlin"))
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
            TypeKind::Own(resource) | TypeKind::Borrow(resource) => self.living(resource),
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

    /// Statements that write a value to a place. No name of a plugin begins with an underscore.
    pub(super) fn put(&self, ty: &Type, room: &str, place: &Place<'_>, value: &str) -> Vec<String> {
        let raw = |name: &str, value: &str| format!("{}.put{name}({room}, {place}, {value})", self.lib("Raw"));
        let call = match &ty.kind {
            TypeKind::Json => format!("{}({room}, {place}, {value})", self.lib("putAny")),
            TypeKind::Enum(_) => raw("Case", value),
            TypeKind::Option(inner) if is_handle(inner) => raw("Nullable", &format!("{value}, {}", self.putter(inner))),
            TypeKind::Option(inner) => raw("Option", &format!("{value}, {}, {}", size(inner), self.putter(inner))),
            TypeKind::Own(resource) | TypeKind::Borrow(resource) if resource.side == Side::Host => {
                format!("{}.put{}({room}, {place}, {value})", self.values, self.class_of(resource))
            }
            TypeKind::Own(_) | TypeKind::Borrow(_) => raw("Handle", value),
            TypeKind::List(item) if is_byte(item) => raw("Bytes", value),
            TypeKind::List(item) => raw("List", &format!("{value}, {}, {}", size(item), self.putter(item))),
            TypeKind::Map(map) => {
                let entry = Fields::of([&map.key, &map.value].into_iter());
                let (key, of) = (self.putter(&map.key), self.putter(&map.value));
                raw("Map", &format!("{value}, {}, {}, {key}, {of}", entry.size, entry.offsets[1]))
            }
            TypeKind::Tuple(tuple) => {
                let offsets = Fields::of(tuple.items.iter()).offsets;
                let part = |(i, (item, offset)): (usize, (&Type, usize))| {
                    self.put(item, room, &place.at(offset), &format!("{value}.component{}()", i + 1))
                };
                return tuple.items.iter().zip(offsets).enumerate().flat_map(part).collect();
            }
            TypeKind::Record(_) | TypeKind::Variant(_) => format!("{}.put{}({room}, {place}, {value})", self.values, self.show(ty)),
            _ => {
                let (name, to, _) = plain(ty);
                raw(name, &format!("{value}{to}"))
            }
        };
        vec![call]
    }

    /// A function that writes a value to a place.
    pub(super) fn putter(&self, ty: &Type) -> String {
        match &ty.kind {
            TypeKind::Own(resource) | TypeKind::Borrow(resource) if resource.side == Side::Host => {
                format!("{}::put{}", self.values, self.class_of(resource))
            }
            TypeKind::Record(_) | TypeKind::Variant(_) => format!("{}::put{}", self.values, self.show(ty)),
            _ => {
                let body = self.put(ty, "_room", &Place("_at", 0), "_value").join("; ");
                format!("{{ _room, _at, _value: {} -> {body} }}", self.show(ty))
            }
        }
    }

    /// An expression that reads a value from a place, with what calls the methods of its objects.
    pub(super) fn get(&self, ty: &Type, place: &Place<'_>, client: &str) -> String {
        let raw = |name: &str, more: &str| format!("{}.get{name}({place}{more})", self.lib("Raw"));
        match &ty.kind {
            TypeKind::Json => format!("{}({place})", self.lib("getAny")),
            TypeKind::Enum(cases) => format!("{}.entries[{}]", self.of(&cases.name), raw("Tag", "")),
            TypeKind::Option(inner) => match &inner.kind {
                // Of a handle it is none of its own.
                TypeKind::Own(resource) | TypeKind::Borrow(resource) => self.handle(resource, place, client),
                _ => raw("Option", &format!(", {}", self.getter(inner, client))),
            },
            TypeKind::Own(resource) | TypeKind::Borrow(resource) => self.handle(resource, place, client) + "!!",
            TypeKind::List(item) if is_byte(item) => raw("Bytes", ""),
            TypeKind::List(item) => raw("List", &format!(", {}, {}", size(item), self.getter(item, client))),
            TypeKind::Map(map) => {
                let entry = Fields::of([&map.key, &map.value].into_iter());
                let (key, of) = (self.getter(&map.key, client), self.getter(&map.value, client));
                raw("Map", &format!(", {}, {}, {key}, {of}", entry.size, entry.offsets[1]))
            }
            TypeKind::Tuple(tuple) => {
                let offsets = Fields::of(tuple.items.iter()).offsets;
                let items: Vec<String> =
                    tuple.items.iter().zip(offsets).map(|(item, offset)| self.get(item, &place.at(offset), client)).collect();
                format!("{}({})", self.several(items.len()), items.join(", "))
            }
            TypeKind::Record(_) | TypeKind::Variant(_) => {
                let client = if ty.holds_handles_of(Side::Guest) { format!("{client}, ") } else { String::new() };
                format!("{}.get{}({client}{place})", self.values, self.show(ty))
            }
            _ => {
                let (name, _, from) = plain(ty);
                format!("{}{from}", raw(name, ""))
            }
        }
    }

    /// An expression that takes a handle of the plugin's, or one of the host's that comes back;
    /// null where there is none.
    fn handle(&self, resource: &ResourceType, place: &Place<'_>, client: &str) -> String {
        if resource.side == Side::Host {
            // A plugin passes no others back.
            let is_object = resource.shape == Shape::Object;
            let class = self.class_of(resource);
            return if is_object { format!("{}.getObject({place}, {class}::class.java)", self.lib("Raw")) } else { "null".to_owned() };
        }
        let wit = literal(&resource.name);
        match (resource.shape, &self.living[resource.number].item) {
            (Shape::Reader, _) => format!("{}.getReader({client}, {place})", self.lib("Raw")),
            (Shape::Writer, _) => format!("{}.getWriter({client}, {place})", self.lib("Raw")),
            (_, Some(item)) => format!("{}({client}, {place}, {wit}, {}, {})", self.lib("getItems"), size(item), self.getter(item, client)),
            (_, None) => format!("{}.getHandle({client}, {place}, {wit}, ::{})", self.lib("Raw"), self.class_of(resource)),
        }
    }

    /// A function that reads a value from a place.
    fn getter(&self, ty: &Type, client: &str) -> String {
        match &ty.kind {
            TypeKind::Record(_) | TypeKind::Variant(_) if !ty.holds_handles_of(Side::Guest) => {
                format!("{}::get{}", self.values, self.show(ty))
            }
            _ => format!("{{ _at -> {} }}", self.get(ty, &Place("_at", 0), client)),
        }
    }
}

fn is_handle(ty: &Type) -> bool {
    matches!(ty.kind, TypeKind::Own(_) | TypeKind::Borrow(_))
}

fn package(name: &str) -> Option<&'static str> {
    PACKAGE.iter().find(|(known, _)| *known == name).map(|(_, package)| *package)
}

/// What the functions for a type without parts are called after, and what makes Java's type of
/// Kotlin's, and the other way round.
fn plain(ty: &Type) -> (&'static str, &'static str, &'static str) {
    match &ty.kind {
        TypeKind::Bool => ("Bool", "", ""),
        TypeKind::Scalar(scalar) => match scalar {
            Scalar::S8 => ("S8", "", ""),
            Scalar::U8 => ("U8", ".toInt()", ".toUByte()"),
            Scalar::S16 => ("S16", "", ""),
            Scalar::U16 => ("U16", ".toInt()", ".toUShort()"),
            Scalar::S32 | Scalar::WasmI32 => ("S32", "", ""),
            Scalar::U32 => ("U32", ".toLong()", ".toUInt()"),
            Scalar::S64 | Scalar::WasmI64 => ("S64", "", ""),
            Scalar::U64 => ("S64", ".toLong()", ".toULong()"),
            Scalar::F32 => ("F32", "", ""),
            Scalar::F64 => ("F64", "", ""),
        },
        TypeKind::Duration => ("Duration", "", ""),
        TypeKind::Time => ("Time", "", ""),
        _ => ("Text", "", ""),
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
