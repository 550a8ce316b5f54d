//! The types of a plugin, as they are written in Rust.

use std::collections::BTreeMap;

use undergo::interface::{Function, Interface, ResourceType, Scalar, Shape, Side, Type, TypeKind, VariantType};

use super::super::classes::Classes;

/// What the file names without a path.
#[rustfmt::skip]
const OWN: [&str; 18] = [
    "AsRef", "Box", "Clone", "Debug", "Err", "Fn", "IntoIterator", "None", "Ok", "On", "Option", "Result", "Self", "Send", "Some", "String",
    "Sync", "Vec",
];

/// What functions of the host may fail with.
pub(super) const ERROR: &str = "Box<dyn std::error::Error + Send + Sync>";

/// The names of the types.
pub(super) struct Names<'i> {
    classes: Classes,
    interface: Option<&'i Interface>,
    /// Those of the resources that are objects, by their numbers.
    objects: BTreeMap<usize, String>,
}

impl<'i> Names<'i> {
    pub(super) fn new(interface: Option<&'i Interface>) -> Names<'i> {
        let mut classes = Classes::new(interface.map_or(&[], |interface| &interface.types), OWN);
        let mut objects = BTreeMap::new();
        for resource in interface.iter().flat_map(|interface| &interface.resources) {
            let ty = &resource.ty;
            match (ty.shape, ty.side) {
                (Shape::Object, Side::Guest) => drop(objects.insert(ty.number, classes.declare(&ty.name))),
                (Shape::Object, Side::Host) => drop(objects.insert(ty.number, classes.declare(&format!("{}-object", ty.name)))),
                _ => {}
            }
        }
        Names { classes, interface, objects }
    }

    /// The type of a resource's objects.
    pub(super) fn object(&self, resource: &ResourceType) -> String {
        self.objects.get(&resource.number).cloned().unwrap_or_default()
    }

    /// The one method of a function, an iterator or a stream.
    fn method(&self, resource: &ResourceType) -> Option<&'i Function> {
        Some(self.interface?.resource(resource).methods.first()?)
    }

    /// The type of the items of an iterator.
    fn item(&self, resource: &ResourceType) -> String {
        let batch = self.method(resource).and_then(|next| next.result.as_ref());
        match batch.map(|batch| &batch.kind) {
            Some(TypeKind::Tuple(both)) => match both.items.first().map(|items| &items.kind) {
                Some(TypeKind::List(item)) => self.owned(item),
                _ => String::new(),
            },
            _ => String::new(),
        }
    }

    /// The types of a function of the host: `(String) -> bool`.
    pub(super) fn signature(&self, function: &Function) -> String {
        let params: Vec<String> = function.own_params().iter().map(|param| self.owned(&param.ty)).collect();
        format!("({}) -> {}", params.join(", "), self.answer(function))
    }

    /// What a function of the host gives.
    pub(super) fn answer(&self, function: &Function) -> String {
        let result = self.result(function.result.as_ref());
        if function.fallible { format!("Result<{result}, {ERROR}>") } else { result }
    }

    fn resource(&self, resource: &ResourceType) -> String {
        match (resource.shape, resource.side) {
            (Shape::Object, _) => self.object(resource),
            (Shape::Callback, _) => {
                let signature = self.method(resource).map_or_else(String::new, |call| self.signature(call));
                format!("undergo::Callback<fn{signature}>")
            }
            (Shape::Iterator, Side::Host) => format!("undergo::HostItems<{}>", self.item(resource)),
            (Shape::Iterator, Side::Guest) => format!("undergo::GuestItems<{}>", self.item(resource)),
            (Shape::Reader, Side::Host) => "undergo::HostReader".to_owned(),
            (Shape::Reader, Side::Guest) => "undergo::GuestReader".to_owned(),
            (Shape::Writer, Side::Host) => "undergo::HostWriter".to_owned(),
            (Shape::Writer, Side::Guest) => "undergo::GuestWriter".to_owned(),
        }
    }

    /// A parameter's type as its caller sees it, and what makes an argument of that: of closures,
    /// iterators and streams any type will do.
    pub(super) fn taken(&self, ty: &Type, name: &str) -> (String, String) {
        if let TypeKind::Own(resource) | TypeKind::Borrow(resource) = &ty.kind {
            match resource.shape {
                Shape::Callback => {
                    let signature = self.method(resource).map_or_else(String::new, |call| self.signature(call));
                    return (format!("impl Fn{signature} + Send + Sync + 'static"), format!("undergo::Callback::new({name})"));
                }
                Shape::Iterator => {
                    let item = self.item(resource);
                    let items = format!("impl IntoIterator<Item = {item}, IntoIter: Send + 'static>");
                    return (items, format!("undergo::HostItems::new({name})"));
                }
                Shape::Reader => {
                    return ("impl std::io::Read + Send + 'static".to_owned(), format!("undergo::HostReader::new({name})"));
                }
                Shape::Writer => {
                    return ("impl std::io::Write + Send + 'static".to_owned(), format!("undergo::HostWriter::new({name})"));
                }
                Shape::Object => {}
            }
        }
        (self.lent(ty, "&"), name.to_owned())
    }

    /// A new name of a type or a trait.
    pub(super) fn declare(&mut self, kebab: &str) -> String {
        self.classes.declare(kebab)
    }

    /// The name of a record, an enum or a variant.
    pub(super) fn of(&self, kebab: &str) -> String {
        self.classes.of(kebab)
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
            TypeKind::List(item) => match ty.length() {
                Some(length) => format!("[{}; {length}]", self.owned(item)),
                None => format!("Vec<{}>", self.owned(item)),
            },
            TypeKind::Map(map) => format!("std::collections::BTreeMap<{}, {}>", self.owned(&map.key), self.owned(&map.value)),
            TypeKind::Tuple(tuple) => {
                let items: Vec<String> = tuple.items.iter().map(|item| self.owned(item)).collect();
                // A tuple of one value has a comma as well.
                format!("({}{})", items.join(", "), if items.len() == 1 { "," } else { "" })
            }
            TypeKind::Record(record) => self.of(&record.name),
            TypeKind::Enum(cases) => self.of(&cases.name),
            TypeKind::Variant(variant) => self.of(&variant.name),
            TypeKind::Own(resource) | TypeKind::Borrow(resource) => self.resource(resource),
        }
    }

    /// The type of an argument, which is lent unless it is small. `lent` is `&` or `&'static `.
    pub(super) fn lent(&self, ty: &Type, lent: &str) -> String {
        match &ty.kind {
            TypeKind::String => format!("{lent}str"),
            TypeKind::List(_) if ty.length().is_some() => format!("{lent}{}", self.owned(ty)),
            TypeKind::List(item) => format!("{lent}[{}]", self.owned(item)),
            TypeKind::Option(inner) => format!("Option<{}>", self.lent(inner, lent)),
            TypeKind::Variant(variant) if !has_values(variant) => self.owned(ty),
            TypeKind::Json | TypeKind::Map(_) | TypeKind::Tuple(_) | TypeKind::Record(_) | TypeKind::Variant(_) => {
                format!("{lent}{}", self.owned(ty))
            }
            TypeKind::Bool | TypeKind::Scalar(_) | TypeKind::Duration | TypeKind::Time | TypeKind::Enum(_) => self.owned(ty),
            TypeKind::Borrow(resource) if resource.shape == Shape::Object => format!("{lent}{}", self.object(resource)),
            TypeKind::Own(_) | TypeKind::Borrow(_) => self.owned(ty),
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
