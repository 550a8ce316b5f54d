//! Types as C has them: bindings-c/src/layout.rs has the same rules.

use std::collections::HashMap;

use undergo::interface::{Case, EnumType, Field, RecordType, ResourceType, Scalar, Shape, Side, TupleType, Type, TypeKind, VariantType};

use super::places::{Layout, Parts, Places};
use super::resource;
use super::text::{all_alone, comment, identifier};
use crate::bindgen::scope::Scope;

/// A type that the header declares.
pub(super) enum Declared {
    Enum {
        name: String,
        docs: String,
        cases: Vec<Constant>,
    },
    /// A type of which there are only pointers.
    Resource {
        name: String,
        docs: String,
    },
    Struct {
        name: String,
        docs: String,
        members: Vec<Member>,
        layout: Layout,
    },
    Variant {
        name: String,
        docs: String,
        about_cases: String,
        cases: Vec<Constant>,
        /// Those of the union: the cases that have values.
        members: Vec<Member>,
        layout: Layout,
    },
}

/// A case as a number.
pub(super) struct Constant {
    pub(super) name: String,
    pub(super) docs: String,
}

/// A member of a struct, or a parameter.
pub(super) struct Member {
    pub(super) name: String,
    /// Its type and its name.
    pub(super) declared: String,
    pub(super) docs: String,
    /// Whether it may be NULL.
    pub(super) is_optional: bool,
}

impl Member {
    pub(super) fn new(ty: &str, name: String) -> Member {
        Member { declared: format!("{}{name}", spaced(ty)), name, docs: String::new(), is_optional: false }
    }
}

/// The types of a header, each declared once, in an order in which C can read them.
pub(super) struct Types {
    prefix: String,
    names: Scope,
    /// The C name of each type that has one, by what it is made of.
    known: HashMap<String, String>,
    pub(super) places: Places,
    declared: Vec<Declared>,
}

impl Types {
    pub(super) fn new(prefix: &str) -> Types {
        Types { prefix: prefix.to_owned(), names: Scope::default(), known: HashMap::new(), places: Places::default(), declared: Vec::new() }
    }

    /// All types that were asked for.
    pub(super) fn finish(self) -> Vec<Declared> {
        self.declared
    }

    /// A name that nothing else in the header has.
    pub(super) fn name(&mut self, name: &str) -> String {
        self.names.take(format!("{}_{}", self.prefix, identifier(name)))
    }

    fn type_name(&mut self, name: &str) -> String {
        self.names.take(format!("{}_{}_t", self.prefix, identifier(name)))
    }

    /// A type in C.
    pub(super) fn show(&mut self, ty: &Type) -> String {
        match &ty.kind {
            TypeKind::Bool => "bool".to_owned(),
            TypeKind::Scalar(scalar) => scalar_name(*scalar).to_owned(),
            TypeKind::String | TypeKind::Json => "undergo_string_t".to_owned(),
            TypeKind::Duration => "int64_t".to_owned(),
            TypeKind::Time => "undergo_time_t".to_owned(),
            TypeKind::Own(resource) => spaced(&self.resource(resource)) + "*",
            // What is only used for the call.
            TypeKind::Borrow(resource) => pointer(&self.resource(resource)),
            TypeKind::Option(inner) if matches!(inner.kind, TypeKind::Own(_) | TypeKind::Borrow(_)) => self.show(inner),
            TypeKind::Option(inner) => pointer(&self.show(inner)),
            TypeKind::Enum(cases) => self.cases(cases),
            TypeKind::Record(record) => self.record(record),
            TypeKind::List(item) => self.list(item),
            TypeKind::Map(map) => {
                let key = part(ty);
                if let Some(known) = self.known.get(&key) {
                    return known.clone();
                }
                let (inner_key, value) = (self.show(&map.key), self.show(&map.value));
                let (entry, name) = (self.type_name(&format!("{key}-entry")), self.type_name(&key));
                let members = vec![Member::new(&inner_key, "key".to_owned()), Member::new(&value, "value".to_owned())];
                let parts = self.places.of_fields([&map.key, &map.value].into_iter());
                self.structure(&entry, "An entry of a map.", members, &parts);
                self.span(&name, "A map of len entries, in any order.", &format!("const {entry} *"));
                self.known.insert(key, name.clone());
                name
            }
            TypeKind::Tuple(tuple) => self.tuple(ty, tuple),
            TypeKind::Variant(variant) => self.variant(variant),
        }
    }

    /// The type that pointers to objects of a resource are of.
    pub(super) fn resource(&mut self, resource: &ResourceType) -> String {
        if let Shape::Reader | Shape::Writer = resource.shape {
            return if resource.side == Side::Guest { "undergo_handle_t" } else { "undergo_object_t" }.to_owned();
        }
        let key = format!("resource {}", resource.name);
        if let Some(known) = self.known.get(&key) {
            return known.clone();
        }
        let name = self.type_name(&resource.name);
        let docs = comment(0, &resource::about(resource));
        self.declared.push(Declared::Resource { name: name.clone(), docs });
        self.known.insert(key, name.clone());
        name
    }

    fn list(&mut self, item: &Type) -> String {
        let predefined = match &item.kind {
            TypeKind::Bool => "undergo_list_bool_t",
            TypeKind::String | TypeKind::Json => "undergo_list_string_t",
            TypeKind::Duration => "undergo_list_s64_t",
            TypeKind::Scalar(scalar) => match scalar {
                Scalar::S8 => "undergo_list_s8_t",
                Scalar::U8 => "undergo_bytes_t",
                Scalar::S16 => "undergo_list_s16_t",
                Scalar::U16 => "undergo_list_u16_t",
                Scalar::S32 | Scalar::WasmI32 => "undergo_list_s32_t",
                Scalar::U32 => "undergo_list_u32_t",
                Scalar::S64 | Scalar::WasmI64 => "undergo_list_s64_t",
                Scalar::U64 => "undergo_list_u64_t",
                Scalar::F32 => "undergo_list_f32_t",
                Scalar::F64 => "undergo_list_f64_t",
            },
            _ => {
                let key = format!("list-{}", part(item));
                if let Some(known) = self.known.get(&key) {
                    return known.clone();
                }
                let shown = pointer(&self.show(item));
                let name = self.type_name(&key);
                self.span(&name, "A list of len items.", &shown);
                self.known.insert(key, name.clone());
                return name;
            }
        };
        predefined.to_owned()
    }

    fn tuple(&mut self, ty: &Type, tuple: &TupleType) -> String {
        let key = part(ty);
        if let Some(known) = self.known.get(&key) {
            return known.clone();
        }
        let members = tuple.items.iter().enumerate().map(|(i, item)| Member::new(&self.show(item), format!("f{i}"))).collect();
        let name = self.type_name(&key);
        let parts = self.places.of_fields(tuple.items.iter());
        self.structure(&name, "Several values in order.", members, &parts);
        self.known.insert(key, name.clone());
        name
    }

    /// Declares a struct.
    fn structure(&mut self, name: &str, docs: &str, members: Vec<Member>, parts: &Parts) {
        let layout = parts.layout(members.iter().map(|member| &member.name));
        self.declared.push(Declared::Struct { name: name.to_owned(), docs: comment(0, docs), members, layout });
    }

    /// Declares a struct of a pointer and a length.
    fn span(&mut self, name: &str, docs: &str, pointer: &str) {
        let members = vec![Member::new(pointer, "ptr".to_owned()), Member::new("size_t", "len".to_owned())];
        self.structure(name, docs, members, &Places::of_list());
    }

    pub(super) fn record(&mut self, record: &RecordType) -> String {
        let key = format!("record {}", record.name);
        if let Some(known) = self.known.get(&key) {
            return known.clone();
        }
        let names = all_alone(record.fields.iter().map(|field| field.name.as_str()), &[]);
        let member = |(field, name): (&Field, String)| Member {
            docs: comment(2, &field.docs),
            is_optional: matches!(field.ty.kind, TypeKind::Option(_)),
            ..Member::new(&self.show(&field.ty), name)
        };
        let mut members: Vec<Member> = record.fields.iter().zip(names).map(member).collect();
        if members.is_empty() {
            // C has no struct without a member.
            members.push(Member::new("char", "nothing".to_owned()));
        }
        let name = self.type_name(&record.name);
        let parts = self.places.of_fields(record.fields.iter().map(|field| &field.ty));
        self.structure(&name, or(&record.docs, &format!("The record {}.", record.name)), members, &parts);
        self.known.insert(key, name.clone());
        name
    }

    fn cases(&mut self, cases: &EnumType) -> String {
        let key = format!("enum {}", cases.name);
        if let Some(known) = self.known.get(&key) {
            return known.clone();
        }
        let name = self.type_name(&cases.name);
        let docs = comment(0, or(&cases.docs, &format!("The enum {}.", cases.name)));
        let cases = self.constants(&cases.name, cases.cases.iter().map(|(case, docs)| (case.as_str(), docs.as_str())));
        self.declared.push(Declared::Enum { name: name.clone(), docs, cases });
        self.known.insert(key, name.clone());
        name
    }

    /// The cases of a type as numbers.
    fn constants<'c>(&mut self, ty: &str, cases: impl Iterator<Item = (&'c str, &'c str)>) -> Vec<Constant> {
        let constant = |(case, docs): (&str, &str)| {
            let name = format!("{}_{}_{}", self.prefix, identifier(ty), identifier(case)).to_uppercase();
            Constant { name: self.names.take(name), docs: comment(2, docs) }
        };
        cases.map(constant).collect()
    }

    fn variant(&mut self, variant: &VariantType) -> String {
        let key = format!("variant {}", variant.name);
        if let Some(known) = self.known.get(&key) {
            return known.clone();
        }
        let names = all_alone(variant.cases.iter().map(|case| case.name.as_str()), &[]);
        let member = |(case, name): (&Case, String)| {
            let ty = case.ty.as_ref()?;
            Some(Member { is_optional: matches!(ty.kind, TypeKind::Option(_)), ..Member::new(&self.show(ty), name) })
        };
        let members: Vec<Member> = variant.cases.iter().zip(names).filter_map(member).collect();
        let name = self.type_name(&variant.name);
        let declared = Declared::Variant {
            name: name.clone(),
            docs: comment(0, or(&variant.docs, &format!("The variant {}.", variant.name))),
            about_cases: comment(0, &format!("The cases of {}.", variant.name)),
            cases: self.constants(&variant.name, variant.cases.iter().map(|case| (case.name.as_str(), case.docs.as_str()))),
            members,
            layout: self.places.of_cases(variant).layout(["tag".to_owned(), "value".to_owned()].iter()),
        };
        self.declared.push(declared);
        self.known.insert(key, name.clone());
        name
    }

    /// Whether a result of that type points to anything.
    pub(super) fn has_nested(ty: &Type) -> bool {
        match &ty.kind {
            TypeKind::Bool | TypeKind::Scalar(_) | TypeKind::Duration | TypeKind::Time | TypeKind::Enum(_) => false,
            TypeKind::Option(inner) if matches!(inner.kind, TypeKind::Own(_) | TypeKind::Borrow(_)) => false,
            TypeKind::String | TypeKind::Json | TypeKind::List(_) | TypeKind::Map(_) | TypeKind::Option(_) => true,
            TypeKind::Tuple(tuple) => tuple.items.iter().any(Types::has_nested),
            TypeKind::Record(record) => record.fields.iter().any(|field| Types::has_nested(&field.ty)),
            TypeKind::Variant(variant) => variant.cases.iter().filter_map(|case| case.ty.as_ref()).any(Types::has_nested),
            // They have an end of their own.
            TypeKind::Own(_) | TypeKind::Borrow(_) => false,
        }
    }
}

/// A type and the space behind it, where there is one: behind a pointer's star there is none.
pub(super) fn spaced(ty: &str) -> String {
    if ty.ends_with('*') { ty.to_owned() } else { format!("{ty} ") }
}

/// A pointer to what is not changed.
fn pointer(ty: &str) -> String {
    if ty.ends_with('*') { format!("{ty}const *") } else { format!("const {ty} *") }
}

/// The word that stands for a type in the name of another; the same for types that are the same in
/// C.
fn part(ty: &Type) -> String {
    match &ty.kind {
        TypeKind::Bool => "bool".to_owned(),
        TypeKind::Scalar(Scalar::WasmI32) => "s32".to_owned(),
        TypeKind::Scalar(Scalar::WasmI64) | TypeKind::Duration => "s64".to_owned(),
        TypeKind::Scalar(scalar) => scalar.as_str().to_owned(),
        TypeKind::String | TypeKind::Json => "string".to_owned(),
        TypeKind::Time => "time".to_owned(),
        TypeKind::Record(record) => record.name.clone(),
        TypeKind::Enum(cases) => cases.name.clone(),
        TypeKind::Option(inner) => format!("option-{}", part(inner)),
        TypeKind::List(item) => format!("list-{}", part(item)),
        TypeKind::Map(map) => format!("map-{}-{}", part(&map.key), part(&map.value)),
        TypeKind::Tuple(tuple) => tuple.items.iter().fold("tuple".to_owned(), |name, item| format!("{name}-{}", part(item))),
        TypeKind::Variant(variant) => variant.name.clone(),
        TypeKind::Own(resource) => resource.name.clone(),
        TypeKind::Borrow(resource) => format!("borrow-{}", resource.name),
    }
}

fn scalar_name(scalar: Scalar) -> &'static str {
    match scalar {
        Scalar::S8 => "int8_t",
        Scalar::U8 => "uint8_t",
        Scalar::S16 => "int16_t",
        Scalar::U16 => "uint16_t",
        Scalar::S32 | Scalar::WasmI32 => "int32_t",
        Scalar::U32 => "uint32_t",
        Scalar::S64 | Scalar::WasmI64 => "int64_t",
        Scalar::U64 => "uint64_t",
        Scalar::F32 => "float",
        Scalar::F64 => "double",
    }
}

pub(super) fn or<'t>(docs: &'t str, otherwise: &'t str) -> &'t str {
    if docs.is_empty() { otherwise } else { docs }
}
