//! Types in Java: as programs have them, and what writes and reads them in C's structs.

use std::cell::RefCell;
use std::collections::BTreeSet;

use undergo::interface::{Resource, ResourceType, Scalar, Shape, Side, Type, TypeKind, VariantType};

use super::super::layout::{Fields, Place, size};
use super::text::literal;
use crate::bindgen::classes::{CaseClass, Classes};
use crate::bindgen::surface::item;

/// Names that the file uses, and so does not declare: of Java's own package, and those it imports.
const USED: [&str; 38] = [
    "Boolean",
    "Byte",
    "Double",
    "Duration",
    "Enum",
    "Exception",
    "Exports",
    "Float",
    "FunctionalInterface",
    "GuestException",
    "GuestObject",
    "InputStream",
    "Integer",
    "Items",
    "Iterable",
    "Json",
    "List",
    "Long",
    "Map",
    "Object",
    "OffsetDateTime",
    "Options",
    "OutputStream",
    "Override",
    "Raw",
    "RawCall",
    "RawClient",
    "RawError",
    "RawFields",
    "RawFunction",
    "RawHandle",
    "RawRoom",
    "RawSignature",
    "RuntimeException",
    "Short",
    "String",
    "SuppressWarnings",
    "Throwable",
];

/// What the types of a plugin are called.
pub(super) struct Names {
    classes: Classes,
    /// By the numbers of the resources.
    living: Vec<Living>,
    outer: String,
    /// How many values there are in what has several.
    tuples: RefCell<BTreeSet<usize>>,
}

/// What stands for a resource.
struct Living {
    class: String,
    /// Of an iterator.
    item: Option<Type>,
}

impl Names {
    /// For the file of a class.
    pub(super) fn new(types: &[Type], resources: &[Resource], outer: &str) -> Names {
        let mut classes = Classes::within(outer, types, USED);
        let living = |resource: &Resource| Living { class: classes.declare(&resource.ty.name), item: item(resource).cloned() };
        let living = resources.iter().map(living).collect();
        Names { classes: classes.with_cases(types), living, outer: outer.to_owned(), tuples: RefCell::default() }
    }

    /// The name of what stands for a resource, also where that is no class of the file's.
    pub(super) fn class_of(&self, resource: &ResourceType) -> String {
        self.living[resource.number].class.clone()
    }

    /// What is written for a resource.
    pub(super) fn living(&self, resource: &ResourceType) -> String {
        let found = &self.living[resource.number];
        let of_items =
            |class: &str| format!("{class}<{}>", found.item.as_ref().map_or_else(|| "Object".to_owned(), |item| self.boxed(item)));
        match (resource.shape, resource.side) {
            (Shape::Object | Shape::Callback, _) => found.class.clone(),
            (Shape::Iterator, Side::Guest) => of_items("Items"),
            (Shape::Iterator, Side::Host) => of_items("Iterable"),
            (Shape::Reader, _) => "InputStream".to_owned(),
            (Shape::Writer, _) => "OutputStream".to_owned(),
        }
    }

    /// A new name for a class.
    pub(super) fn class(&mut self, kebab: &str) -> String {
        self.classes.declare(kebab)
    }

    /// The class of a record or an enum, or the interface of a variant.
    pub(super) fn of(&self, kebab: &str) -> String {
        self.classes.of(kebab)
    }

    /// The cases of a variant with their classes.
    pub(super) fn cases<'v>(&self, variant: &'v VariantType) -> Vec<CaseClass<'v>> {
        self.classes.cases(variant)
    }

    /// The interfaces of the variants that have a case of that class.
    pub(super) fn variants_of(&self, class: &str) -> Vec<String> {
        self.classes.variants_of(class)
    }

    /// The counts of several values that were asked for, with their classes.
    pub(super) fn tuples(&self) -> Vec<(usize, String)> {
        self.tuples.borrow().iter().map(|&count| (count, self.tuple_class(count))).collect()
    }

    fn tuple(&self, count: usize) -> String {
        self.tuples.borrow_mut().insert(count);
        self.tuple_class(count)
    }

    fn tuple_class(&self, count: usize) -> String {
        let name = format!("Tuple{count}");
        if self.classes.is_taken(&name) { name + "_" } else { name }
    }

    /// The type as Java writes it.
    pub(super) fn show(&self, ty: &Type) -> String {
        match &ty.kind {
            TypeKind::Bool => "boolean".to_owned(),
            TypeKind::Scalar(scalar) => number(*scalar).0.to_owned(),
            TypeKind::List(item) => array(item).map_or_else(|| format!("List<{}>", self.boxed(item)), |(class, _)| class.to_owned()),
            TypeKind::Map(map) => format!("Map<{}, {}>", self.boxed(&map.key), self.boxed(&map.value)),
            TypeKind::Option(inner) => self.boxed(inner),
            TypeKind::Tuple(tuple) => {
                let items: Vec<String> = tuple.items.iter().map(|item| self.boxed(item)).collect();
                if items.is_empty() { self.tuple(0) } else { format!("{}<{}>", self.tuple(items.len()), items.join(", ")) }
            }
            TypeKind::Record(record) => self.of(&record.name),
            TypeKind::Enum(cases) => self.of(&cases.name),
            TypeKind::String => "String".to_owned(),
            TypeKind::Json => "Json".to_owned(),
            TypeKind::Duration => "Duration".to_owned(),
            TypeKind::Time => "OffsetDateTime".to_owned(),
            TypeKind::Variant(variant) => self.of(&variant.name),
            TypeKind::Own(resource) | TypeKind::Borrow(resource) => self.living(resource),
        }
    }

    /// The type as an argument of a generic one, which can't be primitive.
    fn boxed(&self, ty: &Type) -> String {
        match &ty.kind {
            TypeKind::Bool => "Boolean".to_owned(),
            TypeKind::Scalar(scalar) => number(*scalar).1.to_owned(),
            _ => self.show(ty),
        }
    }

    /// Statements that write a value to a place. `depth` is that of lambdas around them.
    pub(super) fn put(&self, ty: &Type, room: &str, place: &Place<'_>, value: &str, depth: usize) -> Vec<String> {
        let parts = |fields: Fields, items: &mut dyn Iterator<Item = (&Type, String)>| {
            let write = |(offset, (ty, value)): (usize, (&Type, String))| self.put(ty, room, &place.at(offset), &value, depth);
            fields.offsets.into_iter().zip(items).flat_map(write).collect()
        };
        let call = match &ty.kind {
            TypeKind::Option(inner) if is_handle(inner) => {
                format!("Raw.putNullable({room}, {place}, {value}, {})", self.putter(inner, depth))
            }
            TypeKind::Option(inner) => format!("Raw.putOption({room}, {place}, {value}, {}, {})", size(inner), self.putter(inner, depth)),
            TypeKind::List(item) => match array(item) {
                Some((_, name)) => format!("Raw.put{name}({room}, {place}, {value})"),
                None => format!("Raw.putList({room}, {place}, {value}, {}, {})", size(item), self.putter(item, depth)),
            },
            TypeKind::Map(map) => {
                let entry = Fields::of([&map.key, &map.value].into_iter());
                let (key, of) = (self.putter(&map.key, depth), self.putter(&map.value, depth));
                format!("Raw.putMap({room}, {place}, {value}, {}, {}, {key}, {of})", entry.size, entry.offsets[1])
            }
            TypeKind::Tuple(tuple) => {
                let items = &mut tuple.items.iter().enumerate().map(|(i, item)| (item, format!("{value}.v{i}()")));
                return parts(Fields::of(tuple.items.iter()), items);
            }
            TypeKind::Record(_) | TypeKind::Variant(_) => format!("put${}({room}, {place}, {value})", self.show(ty)),
            TypeKind::Own(resource) | TypeKind::Borrow(resource) if resource.side == Side::Host => {
                format!("put${}({room}, {place}, {value})", self.class_of(resource))
            }
            _ => format!("Raw.put{}({room}, {place}, {value})", plain(ty)),
        };
        vec![call + ";"]
    }

    /// A function that writes a value to a place.
    pub(super) fn putter(&self, ty: &Type, depth: usize) -> String {
        if let Some(name) = whole(ty) {
            return format!("Raw::put{name}");
        }
        match &ty.kind {
            TypeKind::Record(_) | TypeKind::Variant(_) => format!("{}::put${}", self.outer, self.show(ty)),
            TypeKind::Own(resource) | TypeKind::Borrow(resource) if resource.side == Side::Host => {
                format!("{}::put${}", self.outer, self.class_of(resource))
            }
            TypeKind::Option(_) | TypeKind::List(_) | TypeKind::Map(_) | TypeKind::Tuple(_) => {
                // No name of a plugin has a dollar in it.
                let [room, at, value] = ["room", "at", "value"].map(|name| format!("{name}${depth}"));
                let body = self.put(ty, &room, &Place(&at, 0), &value, depth + 1);
                format!("({room}, {at}, {value}) -> {{ {} }}", body.join(" "))
            }
            _ => format!("Raw::put{}", plain(ty)),
        }
    }

    /// An expression that reads a value from a place.
    pub(super) fn get(&self, ty: &Type, place: &Place<'_>, depth: usize) -> String {
        match &ty.kind {
            TypeKind::Option(inner) if is_handle(inner) => self.get(inner, place, depth),
            TypeKind::Option(inner) => format!("Raw.getOption({place}, {})", self.getter(inner, depth)),
            TypeKind::List(item) => match array(item) {
                Some((_, name)) => format!("Raw.get{name}({place})"),
                None => format!("Raw.getList({place}, {}, {})", size(item), self.getter(item, depth)),
            },
            TypeKind::Map(map) => {
                let entry = Fields::of([&map.key, &map.value].into_iter());
                let (key, of) = (self.getter(&map.key, depth), self.getter(&map.value, depth));
                format!("Raw.getMap({place}, {}, {}, {key}, {of})", entry.size, entry.offsets[1])
            }
            TypeKind::Tuple(tuple) => {
                let offsets = Fields::of(tuple.items.iter()).offsets;
                let items: Vec<String> =
                    tuple.items.iter().zip(offsets).map(|(item, offset)| self.get(item, &place.at(offset), depth)).collect();
                format!("new {}({})", self.show(ty), items.join(", "))
            }
            TypeKind::Record(_) | TypeKind::Variant(_) => {
                format!("get${}({}{place})", self.show(ty), if ty.holds_handles_of(Side::Guest) { "client$, " } else { "" })
            }
            TypeKind::Own(resource) | TypeKind::Borrow(resource) => self.handle(resource, place, depth),
            TypeKind::Enum(cases) => format!("Raw.getCase({place}, {}.CASES$)", self.of(&cases.name)),
            _ => format!("Raw.get{}({place})", plain(ty)),
        }
    }

    /// An expression that takes a handle of the plugin's, or one of the host's that comes back.
    fn handle(&self, resource: &ResourceType, place: &Place<'_>, depth: usize) -> String {
        if resource.side == Side::Host {
            // A plugin passes no others back.
            let is_object = resource.shape == Shape::Object;
            return if is_object { format!("Raw.getObject({place}, {}.class)", self.class_of(resource)) } else { "null".to_owned() };
        }
        let wit = literal(&resource.name);
        match (resource.shape, &self.living[resource.number].item) {
            (Shape::Reader, _) => format!("Raw.getReader(client$, {place})"),
            (Shape::Writer, _) => format!("Raw.getWriter(client$, {place})"),
            (_, Some(item)) => format!("Raw.getItems(client$, {place}, {wit}, {}, {})", size(item), self.getter(item, depth)),
            (_, None) => format!("Raw.getHandle(client$, {place}, {wit}, {}::new)", self.class_of(resource)),
        }
    }

    /// A function that reads a value from a place.
    fn getter(&self, ty: &Type, depth: usize) -> String {
        if let Some(name) = whole(ty) {
            return format!("Raw::get{name}");
        }
        match &ty.kind {
            TypeKind::Record(_) | TypeKind::Variant(_) if !ty.holds_handles_of(Side::Guest) => {
                format!("{}::get${}", self.outer, self.show(ty))
            }
            _ if ty.holds_handles() => {
                let at = format!("at${depth}");
                format!("{at} -> {}", self.get(ty, &Place(&at, 0), depth + 1))
            }
            TypeKind::Option(_) | TypeKind::List(_) | TypeKind::Map(_) | TypeKind::Tuple(_) | TypeKind::Enum(_) => {
                let at = format!("at${depth}");
                format!("{at} -> {}", self.get(ty, &Place(&at, 0), depth + 1))
            }
            _ => format!("Raw::get{}", plain(ty)),
        }
    }
}

fn is_handle(ty: &Type) -> bool {
    matches!(ty.kind, TypeKind::Own(_) | TypeKind::Borrow(_))
}

/// What the functions for a type without parts are called after.
fn plain(ty: &Type) -> &'static str {
    match &ty.kind {
        TypeKind::Bool => "Bool",
        TypeKind::Scalar(scalar) => match scalar {
            Scalar::S8 => "S8",
            Scalar::U8 => "U8",
            Scalar::S16 => "S16",
            Scalar::U16 => "U16",
            Scalar::S32 | Scalar::WasmI32 => "S32",
            Scalar::U32 => "U32",
            Scalar::S64 | Scalar::U64 | Scalar::WasmI64 => "S64",
            Scalar::F32 => "F32",
            Scalar::F64 => "F64",
        },
        TypeKind::Json => "Json",
        TypeKind::Duration => "Duration",
        TypeKind::Time => "Time",
        TypeKind::Enum(_) => "Case",
        TypeKind::Own(_) | TypeKind::Borrow(_) => "Handle",
        _ => "Text",
    }
}

/// Java's type of a number, as it is and in a box: one that holds all of them, for 64 bits without
/// a sign a long of the same bits.
fn number(scalar: Scalar) -> (&'static str, &'static str) {
    match scalar {
        Scalar::S8 => ("byte", "Byte"),
        Scalar::S16 => ("short", "Short"),
        Scalar::U8 | Scalar::U16 | Scalar::S32 | Scalar::WasmI32 => ("int", "Integer"),
        Scalar::U32 | Scalar::S64 | Scalar::U64 | Scalar::WasmI64 => ("long", "Long"),
        Scalar::F32 => ("float", "Float"),
        Scalar::F64 => ("double", "Double"),
    }
}

/// What the functions of a list are called after that is an array.
fn whole(ty: &Type) -> Option<&'static str> {
    match &ty.kind {
        TypeKind::List(item) => array(item).map(|(_, name)| name),
        _ => None,
    }
}

/// The array for a list of what lies in it as it does in C, and what its functions are called
/// after.
fn array(item: &Type) -> Option<(&'static str, &'static str)> {
    match &item.kind {
        TypeKind::Bool => Some(("boolean[]", "Bools")),
        TypeKind::Scalar(scalar) => match scalar {
            Scalar::S8 | Scalar::U8 => Some(("byte[]", "Bytes")),
            Scalar::S16 => Some(("short[]", "Shorts")),
            Scalar::S32 | Scalar::WasmI32 => Some(("int[]", "Ints")),
            Scalar::S64 | Scalar::U64 | Scalar::WasmI64 => Some(("long[]", "Longs")),
            Scalar::F32 => Some(("float[]", "Floats")),
            Scalar::F64 => Some(("double[]", "Doubles")),
            Scalar::U16 | Scalar::U32 => None,
        },
        _ => None,
    }
}
