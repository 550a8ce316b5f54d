//! Errors with fields: an exception each.

use std::collections::BTreeSet;

use undergo::interface::{Function, RecordType, Type, TypeKind, names};

use super::super::layout::{Fields, Place};
use super::or;
use super::text::{OF_OBJECTS, docs, identifier, literal};
use super::types::Names;
use crate::bindgen::scope::Scope;

/// Methods of exceptions, which no accessor may be called like.
const OF_EXCEPTIONS: [&str; 19] = [
    "addSuppressed",
    "chain",
    "denied",
    "errorName",
    "exitCode",
    "fields",
    "fillInStackTrace",
    "frames",
    "getCause",
    "getLocalizedMessage",
    "getMessage",
    "getStackTrace",
    "getSuppressed",
    "initCause",
    "kind",
    "origin",
    "path",
    "sentence",
    "stderr",
];

/// An exception for an error of the plugin's.
pub(super) struct ErrorClass {
    pub(super) class: String,
    pub(super) docs: Vec<String>,
    /// The name in the interface, as a literal.
    pub(super) wit: String,
    /// Stands for its name and types.
    pub(super) digest: String,
    /// What the constructor calls the text, and the cause.
    pub(super) message: String,
    pub(super) cause: String,
    pub(super) fields: Vec<ErrorField>,
    /// `, String key, long code`
    pub(super) params: String,
    /// `, key, code`
    pub(super) given: String,
    /// The same, read from what lies at `at`.
    pub(super) gets: String,
}

pub(super) struct ErrorField {
    pub(super) name: String,
    pub(super) docs: Vec<String>,
    pub(super) ty: String,
    /// The name in the interface, as a literal in Java's spelling.
    pub(super) key: String,
}

/// The exceptions of a plugin's errors.
pub(super) fn all(names: &mut Names, types: &[Type]) -> Vec<ErrorClass> {
    let errors = types.iter().filter_map(|ty| match &ty.kind {
        TypeKind::Record(record) if record.is_error => Some((ty, &**record)),
        _ => None,
    });
    let named: Vec<_> = errors.map(|(ty, record)| (ty, record, names.class(&exception(&record.name)))).collect();
    named.into_iter().map(|(ty, record, name)| class(names, record, name, ty.digest())).collect()
}

/// The name of an error's exception, in kebab-case: that of the error with another end.
fn exception(error: &str) -> String {
    let stem = ["-error", "-exception"].iter().find_map(|end| error.strip_suffix(end)).unwrap_or(error);
    format!("{stem}-exception")
}

fn class(names: &Names, record: &RecordType, class: String, digest: u64) -> ErrorClass {
    let mut scope = Scope::new(OF_OBJECTS.into_iter().chain(OF_EXCEPTIONS).chain(["serialVersionUID"]));
    let offsets = Fields::of(record.fields.iter().map(|field| &field.ty)).offsets;
    let (mut fields, mut gets) = (Vec::new(), String::new());
    for (field, offset) in record.fields.iter().zip(offsets) {
        fields.push(ErrorField {
            name: scope.take(identifier(&field.name)),
            docs: docs(or(&field.docs, &format!("The field {}.", field.name))),
            ty: names.show(&field.ty),
            key: literal(&names::camel(&field.name)),
        });
        gets += &format!(", {}", names.get(&field.ty, &Place("at", offset), 0));
    }
    let about = or(&record.docs, &format!("The error {}.", record.name)).to_owned();
    let also = "A host function fails with it by throwing it, or an exception that it is a cause of.";
    ErrorClass {
        class,
        docs: docs(&format!("{about}\n\n{also}")),
        wit: literal(&record.name),
        digest: format!("{digest:#018x}L"),
        message: scope.take("message".to_owned()),
        cause: scope.take("cause".to_owned()),
        params: fields.iter().map(|field| format!(", {} {}", field.ty, field.name)).collect(),
        given: fields.iter().map(|field| format!(", {}", field.name)).collect(),
        fields,
        gets,
    }
}

/// The names of the types that values are of: all but the records that only errors have.
pub(super) fn of_values<'a>(types: &'a [Type], functions: impl Iterator<Item = &'a Function>) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::new();
    for function in functions {
        function.params.iter().map(|param| &param.ty).chain(&function.result).for_each(|ty| walk(ty, &mut found));
    }
    for ty in types {
        match &ty.kind {
            TypeKind::Record(record) if record.is_error => record.fields.iter().for_each(|field| walk(&field.ty, &mut found)),
            TypeKind::Record(record) => walk_named(&record.name, record.fields.iter().map(|field| &field.ty), &mut found),
            TypeKind::Variant(variant) => walk_named(&variant.name, variant.cases.iter().filter_map(|case| case.ty.as_ref()), &mut found),
            _ => {}
        }
    }
    found
}

fn walk<'a>(ty: &'a Type, found: &mut BTreeSet<&'a str>) {
    match &ty.kind {
        TypeKind::List(inner) | TypeKind::Option(inner) => walk(inner, found),
        TypeKind::Map(map) => [&map.key, &map.value].into_iter().for_each(|ty| walk(ty, found)),
        TypeKind::Tuple(tuple) => tuple.items.iter().for_each(|ty| walk(ty, found)),
        TypeKind::Record(record) => walk_named(&record.name, record.fields.iter().map(|field| &field.ty), found),
        TypeKind::Variant(variant) => walk_named(&variant.name, variant.cases.iter().filter_map(|case| case.ty.as_ref()), found),
        _ => {}
    }
}

fn walk_named<'a>(name: &'a str, parts: impl Iterator<Item = &'a Type>, found: &mut BTreeSet<&'a str>) {
    if found.insert(name) {
        parts.for_each(|ty| walk(ty, found));
    }
}
