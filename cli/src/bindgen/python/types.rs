//! The types of an interface as Python's annotations.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use undergo::interface::{Function, Resource, ResourceType, Scalar, Shape, Side, Type, TypeKind, VariantType};

use super::text::KEYWORDS;
use crate::bindgen::classes::{CaseClass, Classes};

/// The protocol for objects that lend bytes; `collections.abc.Buffer` needs Python 3.12.
const BUFFER: &str = "Buffer";

/// Names that the module uses itself.
#[rustfmt::skip]
const TAKEN: [&str; 13] = [
    "Any", "BinaryIO", BUFFER, "Callable", "Imports", "Iterable", "Mapping", "Protocol", "Sequence", "TYPES", "TypeAlias", "TypedDict",
    "Union",
];

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

/// What a module uses of the standard library: the names that it takes from each module; of one
/// that it uses as a whole, none.
pub(super) type Used = BTreeMap<&'static str, BTreeSet<&'static str>>;

/// The names of the module.
pub(super) struct Names {
    classes: Classes,
    /// By the numbers of the resources.
    resources: Vec<Known>,
    used: RefCell<Used>,
    /// Whether the protocol for buffers is used.
    has_buffers: Cell<bool>,
}

impl Names {
    pub(super) fn new(types: &[Type], resources: &[Resource]) -> Names {
        let mut classes = Classes::new(types, TAKEN.into_iter().chain(KEYWORDS)).with_cases(types);
        let known = |resource: &Resource| {
            // Others have no class of their own.
            let has_class = resource.ty.shape == Shape::Object;
            let class = if has_class { classes.declare(&resource.ty.name) } else { String::new() };
            Known { class, methods: resource.methods.clone() }
        };
        let resources = resources.iter().map(known).collect();
        Names { classes, resources, used: RefCell::default(), has_buffers: Cell::default() }
    }

    /// A module of the standard library, which is used.
    pub(super) fn module(&self, module: &'static str) -> &'static str {
        self.used.borrow_mut().entry(module).or_default();
        module
    }

    /// A name of the module `typing`, which is used.
    pub(super) fn typing(&self, name: &'static str) -> &'static str {
        self.used.borrow_mut().entry("typing").or_default().insert(name);
        name
    }

    /// The same of `collections.abc`.
    pub(super) fn collection(&self, name: &'static str) -> &'static str {
        self.used.borrow_mut().entry("collections.abc").or_default().insert(name);
        name
    }

    fn buffer(&self) -> &'static str {
        self.typing("Protocol");
        self.has_buffers.set(true);
        BUFFER
    }

    /// What is used of the standard library, and whether the protocol for buffers is.
    pub(super) fn used(self) -> (Used, bool) {
        (self.used.into_inner(), self.has_buffers.get())
    }

    /// A new name for a class.
    pub(super) fn class(&mut self, kebab: &str) -> String {
        self.classes.declare(kebab)
    }

    /// The class of a record or an enum, and what stands for a variant.
    pub(super) fn of(&self, kebab: &str) -> String {
        self.classes.of(kebab)
    }

    /// The class of a resource's objects.
    pub(super) fn of_resource(&self, resource: &ResourceType) -> &str {
        self.resources.get(resource.number).map_or("object", |known| &known.class)
    }

    /// The cases of a variant with their classes.
    pub(super) fn cases<'v>(&self, variant: &'v VariantType) -> Vec<CaseClass<'v>> {
        self.classes.cases(variant)
    }

    /// The names as they are to be written where `hidden` hide others: the members of a class, the
    /// parameters of a function.
    pub(super) fn shadowed_by<'h>(&self, hidden: impl IntoIterator<Item = &'h str>) -> Shown<'_> {
        Shown { names: self, hidden: hidden.into_iter().map(str::to_owned).collect() }
    }
}

/// A resource's name and functions.
struct Known {
    class: String,
    methods: Vec<Arc<Function>>,
}

/// The type of the items that a `next` gives.
fn item(next: &Function) -> Option<&Type> {
    let TypeKind::Tuple(both) = &next.result.as_ref()?.kind else { return None };
    match &both.items.first()?.kind {
        TypeKind::List(item) => Some(item),
        _ => None,
    }
}

/// How types are written in one scope.
pub(super) struct Shown<'n> {
    names: &'n Names,
    hidden: BTreeSet<String>,
}

impl Shown<'_> {
    /// A builtin, so that it means that.
    pub(super) fn name(&self, name: &str) -> String {
        if BUILTINS.contains(&name) && self.hidden.contains(name) {
            format!("{}.{name}", self.names.module("builtins"))
        } else {
            name.to_owned()
        }
    }

    fn datetime(&self, name: &str) -> String {
        if self.hidden.contains("datetime") {
            self.names.module("datetime as _datetime");
            format!("_datetime.{name}")
        } else {
            format!("{}.{name}", self.names.module("datetime"))
        }
    }

    /// What a function gives.
    pub(super) fn result(&self, function: &Function, direction: Direction) -> String {
        function.result.as_ref().map_or_else(|| "None".to_owned(), |ty| self.show(ty, direction))
    }

    pub(super) fn show(&self, ty: &Type, direction: Direction) -> String {
        let accepts = direction == Direction::ToGuest;
        match &ty.kind {
            TypeKind::Bool => self.name("bool"),
            TypeKind::Scalar(Scalar::F32 | Scalar::F64) => self.name("float"),
            TypeKind::Scalar(_) => self.name("int"),
            TypeKind::String => self.name("str"),
            TypeKind::Json => self.names.typing("Any").to_owned(),
            TypeKind::Duration => self.datetime("timedelta"),
            TypeKind::Time => self.datetime("datetime"),
            TypeKind::List(item) => self.list(item, direction),
            TypeKind::Map(map) => {
                // The keys of a Mapping are invariant: more of them than one type would accept
                // less.
                let (key, value) = (self.show(&map.key, Direction::FromGuest), self.show(&map.value, direction));
                let class = if accepts { self.names.collection("Mapping").to_owned() } else { self.name("dict") };
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
            TypeKind::Record(record) if accepts => {
                let mapping = self.names.collection("Mapping");
                format!("{} | {mapping}[{}, object]", self.names.of(&record.name), self.name("str"))
            }
            TypeKind::Record(record) => self.names.of(&record.name),
            TypeKind::Enum(cases) if accepts => format!("{} | {}", self.names.of(&cases.name), self.name("str")),
            TypeKind::Enum(cases) => self.names.of(&cases.name),
            TypeKind::Variant(variant) => self.names.of(&variant.name),
            TypeKind::Own(resource) | TypeKind::Borrow(resource) => self.handle(resource, direction),
        }
    }

    fn handle(&self, resource: &ResourceType, direction: Direction) -> String {
        let Some(found) = self.names.resources.get(resource.number) else { return self.name("object") };
        match (resource.shape, resource.side) {
            (Shape::Object, _) => found.class.clone(),
            (Shape::Callback, _) => {
                let call = &found.methods[0];
                // What it takes comes from the guest, and what it gives goes there.
                let params: Vec<String> = call.own_params().iter().map(|param| self.show(&param.ty, Direction::FromGuest)).collect();
                let callable = self.names.collection("Callable");
                format!("{callable}[[{}], {}]", params.join(", "), self.result(call, Direction::ToGuest))
            }
            (Shape::Iterator, side) => {
                let item = item(&found.methods[0]).map_or_else(|| self.names.typing("Any").to_owned(), |item| self.show(item, direction));
                if side == Side::Guest {
                    format!("undergo.Items[{item}]")
                } else {
                    format!("{}[{item}]", self.names.collection("Iterable"))
                }
            }
            (Shape::Reader, Side::Guest) => "undergo.Reader".to_owned(),
            (Shape::Writer, Side::Guest) => "undergo.Writer".to_owned(),
            (Shape::Reader | Shape::Writer, Side::Host) => self.names.typing("BinaryIO").to_owned(),
        }
    }

    fn list(&self, item: &Type, direction: Direction) -> String {
        match (&item.kind, direction) {
            (TypeKind::Scalar(Scalar::U8), Direction::FromGuest) => self.name("bytes"),
            (TypeKind::Scalar(Scalar::U8), Direction::ToGuest) => self.names.buffer().to_owned(),
            (_, Direction::FromGuest) => format!("{}[{}]", self.name("list"), self.show(item, direction)),
            (TypeKind::Scalar(_), Direction::ToGuest) => {
                format!("{}[{}] | {}", self.names.collection("Sequence"), self.show(item, direction), self.names.buffer())
            }
            (_, Direction::ToGuest) => format!("{}[{}]", self.names.collection("Sequence"), self.show(item, direction)),
        }
    }
}
