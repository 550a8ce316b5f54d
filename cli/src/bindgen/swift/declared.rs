//! What a plugin's types become: structs, some of which are errors, and enums.

use undergo::interface::{self, EnumType, RecordType, Side, Type, TypeKind, VariantType};

use super::or;
use super::text::{Scope, docs, literal};
use super::types::Names;

pub(super) enum Declared {
    /// With the name in the interface, as a literal, of an error, and with what makes one:
    /// `name: String, email: String? = nil`.
    Struct {
        name: String,
        docs: String,
        error: Option<String>,
        fields: Vec<Field>,
        params: String,
        is_hashable: bool,
    },
    Enum {
        name: String,
        docs: String,
        cases: Vec<EnumCase>,
    },
    Variant {
        name: String,
        docs: String,
        cases: Vec<Case>,
        is_hashable: bool,
    },
}

pub(super) struct Field {
    pub(super) name: String,
    pub(super) docs: String,
    pub(super) wit: String,
    pub(super) ty: String,
    /// Reads it from `fields`.
    pub(super) read: String,
    /// The value for it.
    pub(super) write: String,
}

pub(super) struct EnumCase {
    pub(super) name: String,
    pub(super) docs: String,
    /// The name in the interface, where it is another.
    pub(super) renamed: Option<String>,
}

pub(super) struct Case {
    pub(super) name: String,
    pub(super) docs: String,
    pub(super) wit: String,
    /// The type of its value, what reads that from `given`, and what writes `value`; none of a
    /// case without.
    pub(super) value: Option<(String, String, String)>,
}

impl Declared {
    pub(super) fn new(names: &Names, ty: &Type) -> Option<Declared> {
        match &ty.kind {
            TypeKind::Record(found) => Some(structure(names, found, ty)),
            TypeKind::Enum(found) => Some(cases(names, found)),
            TypeKind::Variant(found) => Some(variant(names, found, ty)),
            _ => None,
        }
    }
}

fn structure(names: &Names, record: &RecordType, ty: &Type) -> Declared {
    let of_errors = if record.is_error { &["description", "errorName", "localizedDescription"][..] } else { &[] };
    let mut scope = Scope::new(&[&["hash", "hashValue", "pluginValue"][..], of_errors].concat());
    let mut params = Vec::new();
    let field = |(i, field): (usize, &interface::Field)| {
        let name = scope.name(&field.name);
        params.push(format!("{name}: {}", names.show_with_default(&field.ty)));
        let read = names.read(&field.ty, &format!("fields[{i}]"));
        let write = names.write(&field.ty, &format!("self.{name}"));
        Field { name, docs: docs(&field.docs), wit: literal(&field.name), ty: names.show(&field.ty), read, write }
    };
    let fields = record.fields.iter().enumerate().map(field).collect();
    let what = if record.is_error { "error" } else { "record" };
    let docs = docs(or(&record.docs, &format!("The {what} {}.", record.name)));
    let error = record.is_error.then(|| literal(&record.name));
    Declared::Struct { name: names.of(&record.name), docs, error, fields, params: params.join(", "), is_hashable: is_hashable(ty) }
}

fn cases(names: &Names, cases: &EnumType) -> Declared {
    let mut scope = Scope::new(&["allCases"]);
    let case = |(wit, about): &(String, String)| {
        let name = scope.name(wit);
        EnumCase { renamed: (name.trim_matches('`') != wit).then(|| literal(wit)), name, docs: docs(about) }
    };
    let listed = cases.cases.iter().map(case).collect();
    let docs = docs(or(&cases.docs, &format!("The enum {}.", cases.name)));
    Declared::Enum { name: names.of(&cases.name), docs, cases: listed }
}

fn variant(names: &Names, variant: &VariantType, ty: &Type) -> Declared {
    let mut scope = Scope::new(&["hashValue", "pluginValue"]);
    let value = |ty: &Type| (names.show(ty), names.read(ty, "given.value"), names.write(ty, "value"));
    let case = |case: &interface::Case| Case {
        name: scope.name(&case.name),
        docs: docs(&case.docs),
        wit: literal(&case.name),
        value: case.ty.as_ref().map(value),
    };
    let cases = variant.cases.iter().map(case).collect();
    let docs = docs(or(&variant.docs, &format!("The variant {}.", variant.name)));
    Declared::Variant { name: names.of(&variant.name), docs, cases, is_hashable: is_hashable(ty) }
}

/// Objects of the host are of any type.
fn is_hashable(ty: &Type) -> bool {
    !ty.holds_handles_of(Side::Host)
}
