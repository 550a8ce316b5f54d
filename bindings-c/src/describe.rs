//! The types of a plugin's functions as text, with the places of all values in C's structs.

use std::fmt::Write as _;
use std::ptr;
use std::sync::Arc;

use undergo::Plugin;
use undergo::interface::{EnumType, Function, RecordType, ResourceType, Shape, Side, Type, TypeKind, VariantType};

use crate::chain::fields_of;
use crate::layout::{Cases, Fields, Layout};
use crate::shape;

/// See `undergo_plugin_describe`.
pub(crate) fn describe(plugin: &Plugin) -> String {
    let mut description = Description::default();
    let resources = plugin.interface().map_or(&[][..], |interface| &interface.resources);
    resources.iter().for_each(|resource| description.resource(&resource.ty));
    for function in plugin.exports() {
        description.function("export", function);
    }
    for (_, function) in plugin.imports() {
        description.function("import", function);
    }
    for resource in resources {
        let number = resource.ty.number;
        if let Some(constructor) = &resource.constructor {
            let place = plugin.member(constructor).unwrap_or_default();
            description.function(&format!("constructor {number} {place} {}", word(&constructor.name)), constructor);
        }
        for (place, method) in resource.methods.iter().enumerate() {
            let (place, name) = (plugin.member(method).unwrap_or(place), &resource.ty.methods[place]);
            description.function(&format!("method {number} {place} {}", word(name)), method);
        }
    }
    description.types + &description.functions
}

#[derive(Default)]
struct Description {
    types: String,
    functions: String,
    /// Those that have their lines, by their numbers.
    records: Vec<Arc<RecordType>>,
    enums: Vec<Arc<EnumType>>,
    variants: Vec<Arc<VariantType>>,
    /// The numbers of the records that hold the fields of errors.
    errors: Vec<usize>,
}

impl Description {
    fn function(&mut self, what: &str, function: &Function) {
        if let Some(errors) = &function.errors {
            self.errors(errors);
        }
        let own = shape::params(function);
        let params = Fields::of(own.iter().map(|param| &param.ty));
        let result = function.result.as_ref().map_or_else(|| "none".to_owned(), |ty| self.ty(ty));
        let mut lines = format!("{what} {} {} {} {result}\n", function.digest(), params.size, function.fallible);
        for (param, (offset, _)) in own.iter().zip(&params.items) {
            let ty = self.ty(&param.ty);
            let _ = writeln!(lines, "param {} {offset} {ty}", word(&param.name));
        }
        self.functions.push_str(&lines);
    }

    /// A type, as words. Records, enums and variants get their lines before those that have them.
    fn ty(&mut self, ty: &Type) -> String {
        match &ty.kind {
            TypeKind::Bool => "bool".to_owned(),
            TypeKind::Scalar(scalar) => scalar.as_str().to_owned(),
            TypeKind::String => "string".to_owned(),
            TypeKind::Json => "json".to_owned(),
            TypeKind::Duration => "duration".to_owned(),
            TypeKind::Time => "time".to_owned(),
            TypeKind::Option(inner) => format!("option {}", self.ty(inner)),
            TypeKind::List(item) => format!("list {}", self.ty(item)),
            TypeKind::Map(map) => {
                let entry = Fields::of([&map.key, &map.value].into_iter());
                let at = entry.items.get(1).map_or(0, |(offset, _)| *offset);
                format!("map {} {} {at} {}", entry.size, self.ty(&map.key), self.ty(&map.value))
            }
            TypeKind::Tuple(tuple) => {
                let fields = Fields::of(tuple.items.iter());
                let mut words = format!("tuple {} {} {}", fields.items.len(), fields.size, fields.align);
                for (item, (offset, _)) in tuple.items.iter().zip(&fields.items) {
                    let _ = write!(words, " {offset} {}", self.ty(item));
                }
                words
            }
            TypeKind::Record(record) => format!("record {}", self.record(record, ty)),
            TypeKind::Enum(cases) => format!("enum {}", self.cases(cases)),
            TypeKind::Variant(variant) => format!("variant {}", self.variant(variant)),
            TypeKind::Own(resource) => format!("own {}", resource.number),
            TypeKind::Borrow(resource) => format!("borrow {}", resource.number),
        }
    }

    fn resource(&mut self, resource: &ResourceType) {
        let side = if resource.side == Side::Guest { "guest" } else { "host" };
        let shape = match resource.shape {
            Shape::Object => "object",
            Shape::Callback => "callback",
            Shape::Iterator => "iterator",
            Shape::Reader => "reader",
            Shape::Writer => "writer",
        };
        let _ = writeln!(self.types, "resource {} {side} {shape}", word(&resource.name));
    }

    fn record(&mut self, record: &Arc<RecordType>, ty: &Type) -> usize {
        if let Some(number) = self.records.iter().position(|known| ptr::eq(&raw const **known, &raw const **record)) {
            return number;
        }
        let (layout, fields) = (Layout::of(ty), Fields::of(record.fields.iter().map(|field| &field.ty)));
        let mut lines = format!("record {} {} {}\n", word(&record.name), layout.size, layout.align);
        for (field, (offset, _)) in record.fields.iter().zip(&fields.items) {
            let ty = self.ty(&field.ty);
            let _ = writeln!(lines, "field {} {offset} {ty}", word(&field.name));
        }
        self.types.push_str(&lines);
        self.records.push(record.clone());
        self.records.len() - 1
    }

    fn cases(&mut self, cases: &Arc<EnumType>) -> usize {
        if let Some(number) = self.enums.iter().position(|known| ptr::eq(&raw const **known, &raw const **cases)) {
            return number;
        }
        let mut lines = format!("enum {}\n", word(&cases.name));
        for (case, _) in &cases.cases {
            let _ = writeln!(lines, "case {}", word(case));
        }
        self.types.push_str(&lines);
        self.enums.push(cases.clone());
        self.enums.len() - 1
    }

    fn variant(&mut self, variant: &Arc<VariantType>) -> usize {
        if let Some(number) = self.variants.iter().position(|known| Arc::ptr_eq(known, variant)) {
            return number;
        }
        let Cases { union, size, align, .. } = Cases::of(variant);
        let mut lines = format!("variant {} {size} {align} {union}\n", word(&variant.name));
        for case in &variant.cases {
            let ty = case.ty.as_ref().map_or_else(|| "none".to_owned(), |ty| self.ty(ty));
            let _ = writeln!(lines, "case {} {ty}", word(&case.name));
        }
        self.types.push_str(&lines);
        self.variants.push(variant.clone());
        self.variants.len() - 1
    }

    /// The errors with fields, which are those of the whole interface.
    fn errors(&mut self, errors: &VariantType) {
        for ty in errors.cases.iter().filter_map(|case| fields_of(errors, &case.name)) {
            let TypeKind::Record(record) = &ty.kind else { continue };
            let number = self.record(record, ty);
            if !self.errors.contains(&number) {
                let _ = writeln!(self.types, "error {number} {}", ty.digest());
                self.errors.push(number);
            }
        }
    }
}

/// A name of WIT has no spaces. Were there any, the lines would say something else.
fn word(name: &str) -> String {
    name.replace(|c: char| c.is_whitespace() || c.is_control(), "_")
}
