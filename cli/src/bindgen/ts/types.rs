//! The types of an interface in TypeScript.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use undergo::interface::{self, Function, RecordType, ResourceType, Scalar, Shape, Side, Type, TypeKind};

use super::text::parameter;
use crate::bindgen::classes::Classes;

/// Names that the module uses itself, or that mean something else where it is used.
#[rustfmt::skip]
const TAKEN: [&str; 48] = [
    "AnyObject", "Array", "ArrayBuffer", "AsyncItems", "AsyncIterable", "BigInt", "BigInt64Array", "BigUint64Array", "Boolean", "Bytes", "Date", "Error", "Float32Array", "Float64Array", "GuestClass", "GuestError", "GuestObject",
    "Imports", "Instance", "InstanceOptions", "InstanceType", "Int16Array", "Int32Array", "Int8Array", "Iterable", "Map", "Number", "Object", "Omit", "Plugin", "PluginOptions", "Pool", "PoolOptions",
    "Promise", "Readable", "ReadableSource", "Readonly", "ReadonlyMap", "Record", "String", "Symbol", "URL", "Uint8Array", "Uint8ClampedArray", "Uint16Array", "Uint32Array", "Writable", "WritableTarget",
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
    /// The resources, by their numbers.
    resources: Vec<Resource>,
    /// The types of packages that were shown.
    used: RefCell<BTreeSet<&'static str>>,
}

/// What the module has of a resource.
struct Resource {
    /// The type of its objects, and of their methods.
    object: String,
    methods: String,
    /// Of what has one method, that.
    only: Option<Arc<Function>>,
}

impl Names {
    pub(super) fn new(types: &[Type], resources: &[interface::Resource]) -> Names {
        let (inputs, fields) = (BTreeMap::new(), BTreeMap::new());
        let mut names = Names { classes: Classes::new(types, TAKEN), inputs, fields, resources: Vec::new(), used: RefCell::default() };
        for resource in resources {
            let only = resource.methods.first().cloned();
            let (mut object, mut methods) = (String::new(), String::new());
            if resource.ty.shape == Shape::Object {
                object = names.class(&resource.ty.name);
                if resource.ty.side == Side::Guest {
                    methods = names.class(&format!("{}-methods", resource.ty.name));
                }
            }
            names.resources.push(Resource { object, methods, only });
        }
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

    /// The types of packages that were shown: those of the package itself, or of Node's streams.
    pub(super) fn used(&self, of_node: bool) -> Vec<&'static str> {
        let is_node = |name: &&str| matches!(*name, "Readable" | "Writable");
        self.used.borrow().iter().copied().filter(|name| is_node(name) == of_node).collect()
    }

    /// Notes that a type of a package is shown.
    pub(super) fn uses(&self, name: &'static str) -> &'static str {
        self.used.borrow_mut().insert(name);
        name
    }

    /// The type of a resource's objects.
    pub(super) fn object(&self, resource: &ResourceType) -> &str {
        &self.resources[resource.number].object
    }

    /// The type of the methods of a resource of the guest's.
    pub(super) fn methods(&self, resource: &ResourceType) -> &str {
        &self.resources[resource.number].methods
    }

    /// The type of what lives longer than a call.
    fn handle(&self, resource: &ResourceType, direction: Direction) -> String {
        let only = self.resources[resource.number].only.as_deref();
        match (resource.shape, resource.side) {
            (Shape::Object, Side::Guest) if direction != Direction::FromGuest => {
                format!("{}<{}>", self.uses("AnyObject"), self.methods(resource))
            }
            (Shape::Object, _) => self.object(resource).to_owned(),
            (Shape::Callback, _) => only.map_or_else(String::new, |call| {
                let params = call
                    .own_params()
                    .iter()
                    .map(|param| format!("{}: {}", parameter(&param.name), self.show(&param.ty, Direction::FromGuest)));
                let result = call.result.as_ref().map_or_else(|| "void".to_owned(), |ty| self.show(ty, Direction::ToGuest));
                format!("(({}) => {result} | Promise<{result}>)", params.collect::<Vec<_>>().join(", "))
            }),
            (Shape::Iterator, Side::Guest) => format!("{}<{}>", self.uses("AsyncItems"), self.item(only, Direction::FromGuest)),
            (Shape::Iterator, Side::Host) => {
                let item = self.item(only, Direction::ToGuest);
                format!("Iterable<{item}> | AsyncIterable<{item}>")
            }
            (Shape::Reader, Side::Guest) => self.uses("Readable").to_owned(),
            (Shape::Reader, Side::Host) => self.uses("ReadableSource").to_owned(),
            (Shape::Writer, Side::Guest) => self.uses("Writable").to_owned(),
            (Shape::Writer, Side::Host) => self.uses("WritableTarget").to_owned(),
        }
    }

    /// The type of an iterator's items, which `next` gives in a list.
    fn item(&self, next: Option<&Function>, direction: Direction) -> String {
        let Some(TypeKind::Tuple(batch)) = next.and_then(|next| next.result.as_ref()).map(|ty| &ty.kind) else {
            return "unknown".to_owned();
        };
        match batch.items.first().map(|ty| &ty.kind) {
            Some(TypeKind::List(item)) => self.show(item, direction),
            _ => "unknown".to_owned(),
        }
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
            TypeKind::Own(resource) | TypeKind::Borrow(resource) => resource.side == Side::Guest,
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
            TypeKind::Own(resource) | TypeKind::Borrow(resource) => self.handle(resource, direction),
        }
    }

    fn list(&self, item: &Type, direction: Direction) -> String {
        if let TypeKind::Scalar(scalar) = item.kind {
            let shown = scalars(scalar, direction);
            if shown == "Bytes" {
                self.uses("Bytes");
            }
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
