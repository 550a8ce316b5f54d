//! Types as C has them: bindings-c/src/layout.rs has the same rules.

use std::collections::HashMap;
use std::fmt::Write as _;

use undergo::interface::{EnumType, RecordType, Scalar, TupleType, Type, TypeKind, VariantType};

use super::places::{Places, assertion};
use super::text::{all_alone, comment, identifier};
use crate::bindgen::scope::Scope;

/// The types of a header, each written once, in an order in which C can read them.
pub(super) struct Types {
    prefix: String,
    names: Scope,
    /// The C name of each type that has one, by what it is made of.
    known: HashMap<String, String>,
    pub(super) places: Places,
    out: String,
}

impl Types {
    pub(super) fn new(prefix: &str) -> Types {
        Types { prefix: prefix.to_owned(), names: Scope::default(), known: HashMap::new(), places: Places::default(), out: String::new() }
    }

    pub(super) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The text of all types that were asked for so far.
    pub(super) fn finish(&mut self) -> String {
        std::mem::take(&mut self.out)
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
                let _ = writeln!(
                    self.out,
                    "// An entry of a map.\ntypedef struct {entry} {{\n  {}key;\n  {}value;\n}} {entry};",
                    spaced(&inner_key),
                    spaced(&value)
                );
                let parts = self.places.of_fields([&map.key, &map.value].into_iter());
                self.out += &assertion(&entry, &parts, &["key".to_owned(), "value".to_owned()]);
                let _ = writeln!(
                    self.out,
                    "// A map of len entries, in any order.\ntypedef struct {name} {{\n  const {entry} *ptr;\n  size_t len;\n}} {name};"
                );
                self.out += &assertion(&name, &Places::of_list(), &["ptr".to_owned(), "len".to_owned()]);
                self.known.insert(key, name.clone());
                name
            }
            TypeKind::Tuple(tuple) => self.tuple(ty, tuple),
            TypeKind::Variant(variant) => self.variant(variant),
        }
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
                let _ = writeln!(
                    self.out,
                    "// A list of len items.\ntypedef struct {name} {{\n  {}ptr;\n  size_t len;\n}} {name};",
                    spaced(&shown)
                );
                self.out += &assertion(&name, &Places::of_list(), &["ptr".to_owned(), "len".to_owned()]);
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
        let fields: Vec<String> = tuple.items.iter().map(|item| self.show(item)).collect();
        let name = self.type_name(&key);
        let _ = writeln!(self.out, "// Several values in order.\ntypedef struct {name} {{");
        for (i, field) in fields.iter().enumerate() {
            let _ = writeln!(self.out, "  {}f{i};", spaced(field));
        }
        let _ = writeln!(self.out, "}} {name};");
        let parts = self.places.of_fields(tuple.items.iter());
        self.out += &assertion(&name, &parts, &(0..fields.len()).map(|i| format!("f{i}")).collect::<Vec<_>>());
        self.known.insert(key, name.clone());
        name
    }

    pub(super) fn record(&mut self, record: &RecordType) -> String {
        let key = format!("record {}", record.name);
        if let Some(known) = self.known.get(&key) {
            return known.clone();
        }
        let types: Vec<String> = record.fields.iter().map(|field| self.show(&field.ty)).collect();
        let name = self.type_name(&record.name);
        let mut fields = all_alone(record.fields.iter().map(|field| field.name.as_str()), &[]);
        let mut out = String::new();
        comment(&mut out, 0, or(&record.docs, &format!("The record {}.", record.name)));
        let _ = writeln!(out, "typedef struct {name} {{");
        for ((field, ident), shown) in record.fields.iter().zip(&fields).zip(&types) {
            if !field.docs.is_empty() {
                comment(&mut out, 1, &field.docs);
            }
            let remark = if matches!(field.ty.kind, TypeKind::Option(_)) { "  // or NULL" } else { "" };
            let _ = writeln!(out, "  {}{ident};{remark}", spaced(shown));
        }
        if record.fields.is_empty() {
            // C has no struct without a member.
            fields.push("nothing".to_owned());
            let _ = writeln!(out, "  char nothing;");
        }
        let _ = writeln!(out, "}} {name};");
        let parts = self.places.of_fields(record.fields.iter().map(|field| &field.ty));
        self.out += &out;
        self.out += &assertion(&name, &parts, &fields);
        self.known.insert(key, name.clone());
        name
    }

    pub(super) fn cases(&mut self, cases: &EnumType) -> String {
        let key = format!("enum {}", cases.name);
        if let Some(known) = self.known.get(&key) {
            return known.clone();
        }
        let name = self.type_name(&cases.name);
        let mut out = String::new();
        comment(&mut out, 0, or(&cases.docs, &format!("The enum {}.", cases.name)));
        let _ = writeln!(out, "typedef int32_t {name};\nenum {{");
        self.numbers(&cases.name, cases.cases.iter().map(|(case, docs)| (case.as_str(), docs.as_str())), &mut out);
        let _ = writeln!(out, "}};\n");
        self.out += &out;
        self.known.insert(key, name.clone());
        name
    }

    /// Writes the cases of a type as numbers.
    fn numbers<'c>(&mut self, ty: &str, cases: impl Iterator<Item = (&'c str, &'c str)>, out: &mut String) {
        for (number, (case, docs)) in cases.enumerate() {
            if !docs.is_empty() {
                comment(out, 1, docs);
            }
            let case = format!("{}_{}_{}", self.prefix, identifier(ty), identifier(case)).to_uppercase();
            let case = self.names.take(case);
            let _ = writeln!(out, "  {case} = {number},");
        }
    }

    pub(super) fn variant(&mut self, variant: &VariantType) -> String {
        let key = format!("variant {}", variant.name);
        if let Some(known) = self.known.get(&key) {
            return known.clone();
        }
        let types: Vec<Option<String>> = variant.cases.iter().map(|case| case.ty.as_ref().map(|ty| self.show(ty))).collect();
        let name = self.type_name(&variant.name);
        let members = all_alone(variant.cases.iter().map(|case| case.name.as_str()), &[]);
        let mut out = String::new();
        comment(&mut out, 0, &format!("The cases of {}.", variant.name));
        let _ = writeln!(out, "enum {{");
        self.numbers(&variant.name, variant.cases.iter().map(|case| (case.name.as_str(), case.docs.as_str())), &mut out);
        let _ = writeln!(out, "}};\n");
        comment(&mut out, 0, or(&variant.docs, &format!("The variant {}.", variant.name)));
        let _ = writeln!(out, "typedef struct {name} {{\n  int32_t tag;  // the case");
        let mut parts = vec!["tag".to_owned()];
        if types.iter().any(Option::is_some) {
            comment(&mut out, 1, "That of the case; one without a value has no member.");
            let _ = writeln!(out, "  union {{");
            for ((case, member), shown) in variant.cases.iter().zip(&members).zip(&types) {
                let (Some(ty), Some(shown)) = (&case.ty, shown) else { continue };
                let remark = if matches!(ty.kind, TypeKind::Option(_)) { "  // or NULL" } else { "" };
                let _ = writeln!(out, "    {}{member};{remark}", spaced(shown));
            }
            let _ = writeln!(out, "  }} value;");
            parts.push("value".to_owned());
        }
        let _ = writeln!(out, "}} {name};");
        let places = self.places.of_cases(variant);
        self.out += &out;
        self.out += &assertion(&name, &places, &parts);
        self.known.insert(key, name.clone());
        name
    }

    /// Whether a result of that type points to anything.
    pub(super) fn has_nested(ty: &Type) -> bool {
        match &ty.kind {
            TypeKind::Bool | TypeKind::Scalar(_) | TypeKind::Duration | TypeKind::Time | TypeKind::Enum(_) => false,
            TypeKind::String | TypeKind::Json | TypeKind::List(_) | TypeKind::Map(_) | TypeKind::Option(_) => true,
            TypeKind::Tuple(tuple) => tuple.items.iter().any(Types::has_nested),
            TypeKind::Record(record) => record.fields.iter().any(|field| Types::has_nested(&field.ty)),
            TypeKind::Variant(variant) => variant.cases.iter().filter_map(|case| case.ty.as_ref()).any(Types::has_nested),
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

fn or<'t>(docs: &'t str, otherwise: &'t str) -> &'t str {
    if docs.is_empty() { otherwise } else { docs }
}
