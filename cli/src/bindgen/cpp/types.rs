//! Types as C++ has them: bindings-c/include/undergo/typed.hpp has the same rules.

use std::collections::{BTreeMap, BTreeSet};

use undergo::interface::{EnumType, Field, RecordType, Resource, ResourceType, Scalar, Shape, Side, Type, TypeKind, VariantType};

use crate::bindgen::c::text::{all_alone, alone, comment, literal};
use crate::bindgen::classes::{CaseClass, Classes};

/// A type that the header declares.
pub(super) enum Declared {
    Record {
        class: String,
        docs: String,
        members: Vec<Member>,
        error: Option<Error>,
    },
    Variant {
        class: String,
        docs: String,
        /// `Circle, Label`
        cases: String,
    },
    /// A case of a variant that is no record: a struct with its value, if it has one.
    Case {
        class: String,
        docs: String,
        members: Vec<Member>,
    },
    Enum {
        class: String,
        docs: String,
        cases: Vec<Constant>,
    },
}

pub(super) struct Member {
    pub(super) docs: String,
    pub(super) ty: String,
    pub(super) name: String,
}

/// How the library knows the record of an error.
pub(super) struct Error {
    pub(super) wit: String,
    pub(super) digest: String,
}

pub(super) struct Constant {
    pub(super) docs: String,
    pub(super) name: String,
    pub(super) wit: String,
}

/// The classes, enums, records and variants of a header.
pub(super) struct Types {
    classes: Classes,
    /// Those of the resources.
    resources: BTreeMap<String, String>,
    done: BTreeSet<String>,
    /// Each behind those that it is made of.
    pub(super) declared: Vec<Declared>,
}

impl Types {
    pub(super) fn new(types: &[Type], resources: &[Resource]) -> Types {
        let mut classes = Classes::beside_macros(types);
        let has_class = |resource: &&Resource| !matches!(resource.ty.shape, Shape::Reader | Shape::Writer);
        let declare = |resource: &Resource| (resource.ty.name.clone(), classes.declare(&resource.ty.name));
        let resources = resources.iter().filter(has_class).map(declare).collect();
        // A case that has the name of a resource is a struct with an object, and steps aside.
        Types { classes: classes.with_cases(types), resources, done: BTreeSet::new(), declared: Vec::new() }
    }

    /// A new name for a class.
    pub(super) fn class(&mut self, kebab: &str) -> String {
        self.classes.declare(kebab)
    }

    fn of(&self, kebab: &str) -> String {
        self.classes.of(kebab)
    }

    /// A type that has its values.
    pub(super) fn show(&self, ty: &Type) -> String {
        match &ty.kind {
            TypeKind::Bool => "bool".to_owned(),
            TypeKind::Scalar(scalar) => scalar_name(*scalar).to_owned(),
            TypeKind::String => "std::string".to_owned(),
            TypeKind::Json => "undergo::Json".to_owned(),
            TypeKind::Duration => "undergo::Duration".to_owned(),
            TypeKind::Time => "undergo::Time".to_owned(),
            TypeKind::List(item) => format!("std::vector<{}>", self.show(item)),
            TypeKind::Map(map) => format!("std::map<{}, {}>", self.show(&map.key), self.show(&map.value)),
            TypeKind::Option(inner) => format!("std::optional<{}>", self.show(inner)),
            TypeKind::Tuple(tuple) => {
                format!("std::tuple<{}>", tuple.items.iter().map(|item| self.show(item)).collect::<Vec<_>>().join(", "))
            }
            TypeKind::Record(record) => self.of(&record.name),
            TypeKind::Enum(cases) => self.of(&cases.name),
            TypeKind::Variant(variant) => self.of(&variant.name),
            TypeKind::Own(resource) | TypeKind::Borrow(resource) => self.resource(resource),
        }
    }

    /// What stands for an object of a resource.
    pub(super) fn resource(&self, resource: &ResourceType) -> String {
        let class = || self.resources.get(&resource.name).cloned().unwrap_or_default();
        match (resource.side, resource.shape) {
            (Side::Guest, Shape::Reader) => "undergo::Reader".to_owned(),
            (Side::Guest, Shape::Writer) => "undergo::Writer".to_owned(),
            (Side::Host, Shape::Reader) => "undergo::Source".to_owned(),
            (Side::Host, Shape::Writer) => "undergo::Sink".to_owned(),
            (Side::Host, Shape::Object) => format!("std::shared_ptr<{}>", class()),
            _ => class(),
        }
    }

    /// The class of a resource.
    pub(super) fn class_of(&self, resource: &ResourceType) -> &str {
        self.resources.get(&resource.name).map_or("", String::as_str)
    }

    /// A parameter of that type, up to its name: a view, where values are not small.
    pub(super) fn parameter(&self, ty: &Type) -> String {
        match &ty.kind {
            TypeKind::Bool | TypeKind::Scalar(_) | TypeKind::Duration | TypeKind::Enum(_) => self.show(ty) + " ",
            TypeKind::String => "std::string_view ".to_owned(),
            TypeKind::List(item) if matches!(item.kind, TypeKind::Scalar(_)) => format!("undergo::Span<{}> ", self.show(item)),
            _ => format!("const {} &", self.show(ty)),
        }
    }

    /// Writes a type, behind those that it is made of.
    pub(super) fn define(&mut self, ty: &Type) {
        match &ty.kind {
            // No record is within itself, so that what it is made of may come between.
            TypeKind::Record(record) if self.done.insert(record.name.clone()) => {
                record.fields.iter().for_each(|field| self.define(&field.ty));
                self.record(record, ty);
            }
            TypeKind::Variant(variant) if self.done.insert(variant.name.clone()) => {
                variant.cases.iter().filter_map(|case| case.ty.as_ref()).for_each(|ty| self.define(ty));
                self.variant(variant);
            }
            TypeKind::Enum(cases) if self.done.insert(cases.name.clone()) => self.cases(cases),
            TypeKind::List(inner) | TypeKind::Option(inner) => self.define(inner),
            TypeKind::Map(map) => {
                self.define(&map.key);
                self.define(&map.value);
            }
            TypeKind::Tuple(tuple) => tuple.items.iter().for_each(|item| self.define(item)),
            _ => {}
        }
    }

    fn record(&mut self, record: &RecordType, ty: &Type) {
        let class = self.of(&record.name);
        let names = all_alone(record.fields.iter().map(|field| field.name.as_str()), &[&class]);
        let member = |(field, name): (&Field, String)| Member { docs: comment(2, &field.docs), ty: self.show(&field.ty), name };
        let members = record.fields.iter().zip(names).map(member).collect();
        let error = || Error { wit: literal(&record.name), digest: format!("{:#018x}", ty.digest()) };
        let docs = comment(0, or(&record.docs, &format!("The record {}.", record.name)));
        self.declared.push(Declared::Record { class, docs, members, error: record.is_error.then(error) });
    }

    fn variant(&mut self, variant: &VariantType) {
        let cases = self.classes.cases(variant);
        for CaseClass { case, class, .. } in cases.iter().filter(|case| case.is_new) {
            let docs = comment(0, or(&case.docs, &format!("The case {} of {}.", case.name, variant.name)));
            let member = |ty| Member { docs: String::new(), ty: self.show(ty), name: alone("value", &[class]) };
            let members = case.ty.iter().map(member).collect();
            self.declared.push(Declared::Case { class: class.clone(), docs, members });
        }
        let docs = comment(0, or(&variant.docs, &format!("The variant {}.", variant.name)));
        let cases: Vec<String> = cases.into_iter().map(|case| case.class).collect();
        self.declared.push(Declared::Variant { class: self.of(&variant.name), docs, cases: cases.join(", ") });
    }

    fn cases(&mut self, cases: &EnumType) {
        let names = all_alone(cases.cases.iter().map(|(case, _)| case.as_str()), &[]);
        let constant = |((case, docs), name): (&(String, String), String)| Constant { docs: comment(2, docs), name, wit: literal(case) };
        let docs = comment(0, or(&cases.docs, &format!("The enum {}.", cases.name)));
        let class = self.of(&cases.name);
        self.declared.push(Declared::Enum { class, docs, cases: cases.cases.iter().zip(names).map(constant).collect() });
    }
}

fn scalar_name(scalar: Scalar) -> &'static str {
    match scalar {
        Scalar::S8 => "std::int8_t",
        Scalar::U8 => "std::uint8_t",
        Scalar::S16 => "std::int16_t",
        Scalar::U16 => "std::uint16_t",
        Scalar::S32 | Scalar::WasmI32 => "std::int32_t",
        Scalar::U32 => "std::uint32_t",
        Scalar::S64 | Scalar::WasmI64 => "std::int64_t",
        Scalar::U64 => "std::uint64_t",
        Scalar::F32 => "float",
        Scalar::F64 => "double",
    }
}

fn or<'t>(docs: &'t str, otherwise: &'t str) -> &'t str {
    if docs.is_empty() { otherwise } else { docs }
}
