//! What a plugin's types become: data classes, exceptions, enum classes, and sealed interfaces with
//! the classes of their cases.

use undergo::interface::{self, EnumType, RecordType, Type, TypeKind, VariantType};

use super::or;
use super::text::{docs, identifier, literal};
use super::types::Names;
use crate::bindgen::classes::CaseClass;
use crate::bindgen::scope::Scope;

/// What every exception has that a plugin's error becomes, and what makes one.
#[rustfmt::skip]
const OF_EXCEPTIONS: [&str; 20] = [
    "addSuppressed", "cause", "denied", "errorFields", "errorName", "exitCode", "fillInStackTrace", "frames", "initCause", "javaClass", "kind",
    "localizedMessage", "message", "origin", "path", "sentence", "stackTrace", "stderr", "suppressed", "toValue",
];

pub(super) enum Declared {
    /// With the interfaces of the variants of which it is a case.
    Record {
        class: String,
        docs: String,
        fields: Vec<Field>,
        variants: Vec<String>,
    },
    /// An error with fields, and with its name in the interface, as a literal.
    Error {
        class: String,
        docs: String,
        wit: String,
        fields: Vec<Field>,
        variants: Vec<String>,
    },
    Enum {
        class: String,
        docs: String,
        cases: Vec<EnumCase>,
    },
    Variant {
        class: String,
        docs: String,
        cases: Vec<Case>,
    },
}

pub(super) struct Field {
    pub(super) name: String,
    pub(super) docs: String,
    pub(super) wit: String,
    /// With what it is when it is left out: `String? = null`.
    pub(super) ty: String,
    /// The expression of its value.
    pub(super) make: String,
    /// Reads it from `fields`.
    pub(super) read: String,
}

pub(super) struct EnumCase {
    pub(super) name: String,
    pub(super) docs: String,
    pub(super) wit: String,
}

pub(super) struct Case {
    pub(super) class: String,
    pub(super) docs: String,
    pub(super) wit: String,
    /// Whether its class has to be declared, and the interfaces of that: `Mark, Shape`.
    pub(super) is_new: bool,
    pub(super) variants: String,
    /// The type of its value; none of a case without.
    pub(super) ty: Option<String>,
    /// The expression of the value of the case `of`, and what reads the case of the value `of`.
    pub(super) make: String,
    pub(super) read: String,
}

impl Declared {
    pub(super) fn new(names: &Names, ty: &Type) -> Option<Declared> {
        match &ty.kind {
            TypeKind::Record(found) => Some(record(names, found)),
            TypeKind::Enum(found) => Some(cases(names, found)),
            TypeKind::Variant(found) => Some(variant(names, found)),
            _ => None,
        }
    }
}

fn record(names: &Names, record: &RecordType) -> Declared {
    let mut scope = if record.is_error { Scope::new(OF_EXCEPTIONS) } else { Scope::default() };
    let field = |(i, field): (usize, &interface::Field)| {
        let name = scope.take_quoted(identifier(&field.name));
        let default = if matches!(field.ty.kind, TypeKind::Option(_)) { " = null" } else { "" };
        Field {
            docs: docs(&field.docs),
            wit: literal(&field.name),
            ty: names.show(&field.ty) + default,
            make: names.make(&field.ty, &name),
            read: names.read(&field.ty, &format!("fields[{i}]")),
            name,
        }
    };
    let fields = record.fields.iter().enumerate().map(field).collect();
    let class = names.of(&record.name);
    let variants = names.variants_of(&class);
    if record.is_error {
        let docs = docs(or(&record.docs, &format!("The error {}.", record.name)));
        Declared::Error { class, docs, wit: literal(&record.name), fields, variants }
    } else {
        let docs = docs(or(&record.docs, &format!("The record {}.", record.name)));
        Declared::Record { class, docs, fields, variants }
    }
}

fn cases(names: &Names, cases: &EnumType) -> Declared {
    let mut scope = Scope::default();
    let case = |(wit, about): &(String, String)| {
        let name = crate::bindgen::text::snake(wit).to_uppercase();
        let name = scope.take(if name.starts_with(|c: char| c.is_ascii_digit()) { format!("_{name}") } else { name });
        EnumCase { name, docs: docs(about), wit: literal(wit) }
    };
    let listed = cases.cases.iter().map(case).collect();
    let docs = docs(or(&cases.docs, &format!("The enum {}.", cases.name)));
    Declared::Enum { class: names.of(&cases.name), docs, cases: listed }
}

fn variant(names: &Names, variant: &VariantType) -> Declared {
    let case = |CaseClass { case, class, is_record, is_new }: CaseClass<'_>| {
        let (make, read) = match &case.ty {
            Some(ty) if is_record => (names.make(ty, "of"), names.read(ty, "of")),
            Some(ty) => (names.make(ty, "of.value"), format!("{class}({})", names.read(ty, "of"))),
            None => ("null".to_owned(), class.clone()),
        };
        Case {
            docs: docs(or(&case.docs, &format!("The case {} of {}.", case.name, variant.name))),
            wit: literal(&case.name),
            is_new,
            variants: names.variants_of(&class).join(", "),
            ty: case.ty.as_ref().map(|ty| names.show(ty)),
            make,
            read,
            class,
        }
    };
    let cases = names.cases(variant).into_iter().map(case).collect();
    let docs = docs(or(&variant.docs, &format!("The variant {}.", variant.name)));
    Declared::Variant { class: names.of(&variant.name), docs, cases }
}
