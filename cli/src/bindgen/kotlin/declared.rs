//! What a plugin's types become: data classes, exceptions, enum classes, and sealed interfaces with
//! the classes of their cases.

use undergo::interface::{self, EnumType, RecordType, Side, Type, TypeKind, VariantType, names};

use super::or;
use super::text::{docs, identifier, literal, long};
use super::types::Names;
use crate::bindgen::classes::CaseClass;
use crate::bindgen::layout::{Cases, Fields, Place};
use crate::bindgen::scope::Scope;

/// What every exception has that a plugin's error becomes, and what makes one.
#[rustfmt::skip]
const OF_EXCEPTIONS: [&str; 19] = [
    "addSuppressed", "cause", "denied", "errorFields", "errorName", "exitCode", "fillInStackTrace", "frames", "initCause", "javaClass", "kind",
    "localizedMessage", "message", "origin", "path", "sentence", "stackTrace", "stderr", "suppressed",
];

pub(super) enum Declared {
    /// With the interfaces of the variants of which it is a case.
    Record {
        class: String,
        docs: String,
        fields: Vec<Field>,
        variants: Vec<String>,
        reading: Reading,
    },
    /// An error with fields, and with its name in the interface, as a literal, the digest of its
    /// type, and what it says where it is not told, as a literal.
    Error {
        class: String,
        docs: String,
        wit: String,
        digest: String,
        says: String,
        fields: Vec<Field>,
        variants: Vec<String>,
    },
    Enum {
        class: String,
        docs: String,
        cases: Vec<EnumCase>,
    },
    /// With its name in the interface, as a literal.
    Variant {
        class: String,
        docs: String,
        wit: String,
        cases: Vec<Case>,
        reading: Reading,
    },
}

/// How a value is read.
#[derive(PartialEq)]
pub(super) enum Reading {
    /// By its place.
    Plain,
    /// With what calls the methods of the plugin's objects in it.
    Living,
}

impl Reading {
    fn of(ty: &Type) -> Reading {
        if ty.holds_handles_of(Side::Guest) { Reading::Living } else { Reading::Plain }
    }

    pub(super) fn needs_client(&self) -> bool {
        *self == Reading::Living
    }
}

pub(super) struct Field {
    pub(super) name: String,
    pub(super) docs: String,
    /// With what it is when it is left out: `String? = null`.
    pub(super) ty: String,
    /// The name in the interface, as Kotlin spells it, as a literal.
    pub(super) key: String,
    /// Statements that write it to the struct of `_value`, and that of the parameter of its name.
    pub(super) puts: Vec<String>,
    pub(super) own_puts: Vec<String>,
    /// Reads it from what lies at `_at`.
    pub(super) get: String,
}

pub(super) struct EnumCase {
    pub(super) name: String,
    pub(super) docs: String,
    pub(super) wit: String,
}

pub(super) struct Case {
    pub(super) class: String,
    pub(super) docs: String,
    /// Whether its class has to be declared, and the interfaces of that: `Mark, Shape`.
    pub(super) is_new: bool,
    pub(super) variants: String,
    /// The type of its value; none of a case without.
    pub(super) ty: Option<String>,
    /// Statements that write its value, which is that of `_value`.
    pub(super) puts: Vec<String>,
    /// Makes the case of what lies at `_at`.
    pub(super) get: String,
}

impl Declared {
    pub(super) fn new(names: &Names, ty: &Type) -> Option<Declared> {
        match &ty.kind {
            TypeKind::Record(found) => Some(record(names, found, ty)),
            TypeKind::Enum(found) => Some(cases(names, found)),
            TypeKind::Variant(found) => Some(variant(names, found, ty)),
            _ => None,
        }
    }
}

fn record(names: &Names, record: &RecordType, ty: &Type) -> Declared {
    let mut scope = if record.is_error { Scope::new(OF_EXCEPTIONS) } else { Scope::default() };
    let offsets = Fields::of(record.fields.iter().map(|field| &field.ty)).offsets;
    let field = |(field, offset): (&interface::Field, usize)| {
        let name = scope.take_quoted(identifier(&field.name));
        let default = if matches!(field.ty.kind, TypeKind::Option(_)) { " = null" } else { "" };
        let place = Place("_at", offset);
        Field {
            docs: docs(&field.docs),
            key: literal(&names::camel(&field.name)),
            ty: names.show(&field.ty) + default,
            puts: names.put(&field.ty, "_room", &place, &format!("_value.{name}")),
            own_puts: names.put(&field.ty, "_room", &place, &name),
            get: names.get(&field.ty, &place, "_client"),
            name,
        }
    };
    let fields = record.fields.iter().zip(offsets).map(field).collect();
    let class = names.of(&record.name);
    let variants = names.variants_of(&class);
    if record.is_error {
        let docs = docs(or(&record.docs, &format!("The error {}.", record.name)));
        let says = literal(&record.name.replace('-', " "));
        Declared::Error { class, docs, wit: literal(&record.name), digest: long(ty.digest()), says, fields, variants }
    } else {
        let docs = docs(or(&record.docs, &format!("The record {}.", record.name)));
        Declared::Record { class, docs, fields, variants, reading: Reading::of(ty) }
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

fn variant(names: &Names, variant: &VariantType, ty: &Type) -> Declared {
    let place = Place("_at", Cases::of(variant).value);
    let case = |CaseClass { case, class, is_record, is_new }: CaseClass<'_>| {
        let (puts, get) = match &case.ty {
            Some(ty) if is_record => (names.put(ty, "_room", &place, "_value"), names.get(ty, &place, "_client")),
            Some(ty) => (names.put(ty, "_room", &place, "_value.value"), format!("{class}({})", names.get(ty, &place, "_client"))),
            None => (Vec::new(), class.clone()),
        };
        Case {
            docs: docs(or(&case.docs, &format!("The case {} of {}.", case.name, variant.name))),
            is_new,
            variants: names.variants_of(&class).join(", "),
            ty: case.ty.as_ref().map(|ty| names.show(ty)),
            puts,
            get,
            class,
        }
    };
    let cases = names.cases(variant).into_iter().map(case).collect();
    let docs = docs(or(&variant.docs, &format!("The variant {}.", variant.name)));
    Declared::Variant { class: names.of(&variant.name), docs, wit: literal(&variant.name), cases, reading: Reading::of(ty) }
}
