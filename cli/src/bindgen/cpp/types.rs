//! Types as C++ has them: bindings-c/include/undergo/typed.hpp has the same rules.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use undergo::interface::{EnumType, RecordType, Scalar, Type, TypeKind, VariantType};

use crate::bindgen::c::text::{all_alone, alone, literal};
use crate::bindgen::classes::{CaseClass, Classes};

/// The classes, enums, records and variants of a header.
pub(super) struct Types {
    namespace: String,
    classes: Classes,
    done: BTreeSet<String>,
    /// The types, each behind those that it is made of.
    out: String,
    /// What tells undergo.hpp how the records and cases lie, in the same order.
    codecs: String,
}

impl Types {
    pub(super) fn new(namespace: &str, types: &[Type]) -> Types {
        Types {
            namespace: namespace.to_owned(),
            classes: Classes::beside_macros(types).with_cases(types),
            done: BTreeSet::new(),
            out: String::new(),
            codecs: String::new(),
        }
    }

    /// A new name for a class.
    pub(super) fn class(&mut self, kebab: &str) -> String {
        self.classes.declare(kebab)
    }

    fn of(&self, kebab: &str) -> String {
        self.classes.of(kebab)
    }

    /// The text of the types.
    pub(super) fn finish(&self) -> (&str, &str) {
        (&self.out, &self.codecs)
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
        }
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
        let fields = all_alone(record.fields.iter().map(|field| field.name.as_str()), &[&class]);
        let shown = record.fields.iter().zip(&fields).map(|(field, name)| (field.docs.as_str(), self.show(&field.ty), name.as_str()));
        let text = structure(&class, or(&record.docs, &format!("The record {}.", record.name)), &shown.collect::<Vec<_>>());
        self.out += &text;
        let full = self.full(&class);
        let members: String = fields.iter().map(|field| format!(", &{full}::{field}")).collect();
        let _ = writeln!(self.codecs, "template <>\nstruct Codec<{full}> : typed::RecordCodec<{full}{members}> {{}};\n");
        if record.is_error {
            let (name, digest) = (literal(&record.name), ty.digest());
            let _ = writeln!(
                self.codecs,
                "template <>\nstruct ErrorType<{full}> {{\n  static constexpr const char *name = {name};\n  \
                 static constexpr std::uint64_t digest = UINT64_C({digest:#018x});\n}};\n"
            );
        }
    }

    fn full(&self, class: &str) -> String {
        format!("{}::{class}", self.namespace)
    }

    fn variant(&mut self, variant: &VariantType) {
        let cases = self.classes.cases(variant);
        for case in cases.iter().filter(|case| case.is_new) {
            self.case(variant, case);
        }
        crate::bindgen::cpp::comment(&mut self.out, 0, or(&variant.docs, &format!("The variant {}.", variant.name)));
        let classes: Vec<String> = cases.into_iter().map(|case| case.class).collect();
        let _ = writeln!(self.out, "using {} = std::variant<{}>;\n", self.of(&variant.name), classes.join(", "));
    }

    /// Writes the struct that stands for a case whose value is no record of its name.
    fn case(&mut self, variant: &VariantType, CaseClass { case, class, .. }: &CaseClass<'_>) {
        let docs = or(&case.docs, &format!("The case {} of {}.", case.name, variant.name)).to_owned();
        let full = self.full(class);
        let codec = match &case.ty {
            Some(ty) => {
                let value = alone("value", &[class]);
                let text = structure(class, &docs, &[("", self.show(ty), &value)]);
                self.out += &text;
                format!("typed::ValueCase<{full}, &{full}::{value}>")
            }
            None => {
                self.out += &structure(class, &docs, &[]);
                format!("typed::EmptyCase<{full}>")
            }
        };
        let _ = writeln!(self.codecs, "template <>\nstruct CaseCodec<{full}> : {codec} {{}};\n");
    }

    fn cases(&mut self, cases: &EnumType) {
        let class = self.of(&cases.name);
        let found = all_alone(cases.cases.iter().map(|(case, _)| case.as_str()), &[]);
        let mut out = String::new();
        crate::bindgen::cpp::comment(&mut out, 0, or(&cases.docs, &format!("The enum {}.", cases.name)));
        let _ = writeln!(out, "enum class {class} : std::int32_t {{");
        for (number, ((_, docs), name)) in cases.cases.iter().zip(&found).enumerate() {
            if !docs.is_empty() {
                crate::bindgen::cpp::comment(&mut out, 1, docs);
            }
            let _ = writeln!(out, "  {name} = {number},");
        }
        let _ = writeln!(out, "}};\n");
        crate::bindgen::cpp::comment(&mut out, 0, "The name of a case in WIT; empty for a number that is none.");
        let _ = writeln!(out, "constexpr std::string_view to_string({class} value) noexcept {{\n  switch (value) {{");
        for ((case, _), name) in cases.cases.iter().zip(&found) {
            let _ = writeln!(out, "    case {class}::{name}: return {};", literal(case));
        }
        let _ = writeln!(out, "  }}\n  return {{}};\n}}\n");
        self.out += &out;
    }
}

/// A struct of these members, each with its doc comment and its type, that can be compared.
fn structure(class: &str, docs: &str, members: &[(&str, String, &str)]) -> String {
    let mut out = String::new();
    crate::bindgen::cpp::comment(&mut out, 0, docs);
    let _ = writeln!(out, "struct {class} {{");
    for (docs, ty, name) in members {
        if !docs.is_empty() {
            crate::bindgen::cpp::comment(&mut out, 1, docs);
        }
        let _ = writeln!(out, "  {ty} {name}{{}};");
    }
    let tie = |value: &str| members.iter().map(|(.., name)| format!("{value}.{name}")).collect::<Vec<_>>().join(", ");
    if members.is_empty() {
        let _ = writeln!(out, "\n  friend bool operator==(const {class} &, const {class} &) {{ return true; }}");
    } else {
        let _ = writeln!(out, "\n  friend bool operator==(const {class} &a_, const {class} &b_) {{");
        let _ = writeln!(out, "    return std::tie({}) == std::tie({});\n  }}", tie("a_"), tie("b_"));
    }
    let _ = writeln!(out, "  friend bool operator!=(const {class} &a_, const {class} &b_) {{ return !(a_ == b_); }}\n}};\n");
    out
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

pub(super) fn or<'t>(docs: &'t str, otherwise: &'t str) -> &'t str {
    if docs.is_empty() { otherwise } else { docs }
}
