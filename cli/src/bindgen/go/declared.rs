//! The types of a plugin as Go declares them, and what makes those of C of them.

use std::collections::BTreeSet;

use undergo::interface::{Case, EnumType, RecordType, Type, TypeKind, VariantType};

use super::super::layout::Cases;
use super::or;
use super::text::{Scope, docs, exported, literal};
use super::types::{Names, is_wrapped, lifter_param};

pub(super) enum Declared {
    Record {
        class: String,
        docs: String,
        members: Vec<Member>,
        /// Whether blank lines are between the members, as there are comments.
        is_spread: bool,
        /// Its struct in C, and expressions for the fields of that one, and for its own.
        raw: String,
        lowered: Vec<String>,
        lifted: Vec<String>,
        /// The first parameter of what lifts it, where it has handles.
        lifter: &'static str,
        error: Option<Error>,
    },
    Enum {
        class: String,
        docs: String,
        wit: String,
        cases: Vec<Constant>,
        /// `"red", "blue"`
        names: String,
    },
    Variant {
        class: String,
        docs: String,
        wit: String,
        cases: Vec<VariantCase>,
        /// The union in C: `; Value [2]uint64`.
        raw: String,
        /// As of a record.
        lifter: &'static str,
    },
}

pub(super) struct Member {
    pub(super) docs: String,
    /// Its name and its type.
    pub(super) declared: String,
}

/// What a record has that is an error.
#[derive(Clone)]
pub(super) struct Error {
    pub(super) class: String,
    pub(super) wit: String,
    pub(super) digest: String,
    /// The member with its text.
    pub(super) message: String,
}

pub(super) struct Constant {
    pub(super) docs: String,
    pub(super) name: String,
}

pub(super) struct VariantCase {
    pub(super) class: String,
    /// Its type, unless that is a record or is declared already.
    pub(super) own: Option<OwnType>,
    /// Expressions that write its value for C, if it has one, and that read the case.
    pub(super) lowered: Option<String>,
    pub(super) lifted: String,
}

pub(super) struct OwnType {
    pub(super) docs: String,
    pub(super) ty: String,
}

pub(super) fn all(names: &mut Names, types: &[Type]) -> Vec<Declared> {
    // Variants share the types of cases.
    let mut written = BTreeSet::new();
    let declared = |ty: &Type| match &ty.kind {
        TypeKind::Record(found) => Some(record(names, found, ty)),
        TypeKind::Enum(found) => Some(cases(names, found)),
        TypeKind::Variant(found) => Some(variant(names, found, lifter_param(ty), &mut written)),
        _ => None,
    };
    types.iter().filter_map(declared).collect()
}

fn record(names: &Names, record: &RecordType, ty: &Type) -> Declared {
    let class = names.of(&record.name);
    // A field has no name of a method.
    let mut scope = Scope::new(record.is_error.then_some("Error"));
    let fields: Vec<String> = record.fields.iter().map(|field| scope.exported(&field.name)).collect();
    let error = record.is_error.then(|| Error {
        class: class.clone(),
        wit: literal(&record.name),
        digest: format!("{:#018x}", ty.digest()),
        message: scope.exported("message"),
    });
    let types = || record.fields.iter().map(|field| &field.ty);
    let is_spread = error.is_some() || record.fields.iter().any(|field| !field.docs.is_empty());
    // Names are aligned where no comments are between them.
    let width = if is_spread { 0 } else { fields.iter().map(String::len).max().unwrap_or(0) };
    let member = |name: &str, about: &str, ty: &str| Member { docs: docs(about), declared: format!("{name:width$} {ty}") };
    let own = record.fields.iter().zip(&fields).map(|(field, name)| member(name, &field.docs, &names.show(&field.ty)));
    let of_error = error.iter().map(|Error { message, .. }| {
        let about = format!("{message} is what it says; what it is and its fields, if that is empty.");
        member(message, &about, "string `undergo:\"-\" json:\"-\"`")
    });
    Declared::Record {
        docs: docs(or(&record.docs, &format!("{class} is the record {}.", record.name))),
        class,
        members: own.chain(of_error).collect(),
        is_spread,
        raw: names.raw_fields(types()),
        lowered: types().zip(&fields).map(|(ty, name)| names.lower(ty, &format!("v.{name}"), "w")).collect(),
        lifted: types().enumerate().map(|(i, ty)| names.lift(ty, &format!("v.V{i}"))).collect(),
        lifter: lifter_param(ty),
        error,
    }
}

fn cases(names: &mut Names, cases: &EnumType) -> Declared {
    let class = names.of(&cases.name);
    let constant = |(case, about): &(String, String)| Constant {
        docs: docs(about),
        name: names.scope.exported(&format!("{class}-{}", exported(case))),
    };
    let constants = cases.cases.iter().map(constant).collect();
    Declared::Enum {
        docs: docs(or(&cases.docs, &format!("{class} is the enum {}.", cases.name))),
        wit: literal(&cases.name),
        cases: constants,
        names: cases.cases.iter().map(|(case, _)| literal(case)).collect::<Vec<_>>().join(", "),
        class,
    }
}

/// An interface that the types of the cases implement, and those that are none of the plugin's.
fn variant(names: &Names, variant: &VariantType, lifter: &'static str, written: &mut BTreeSet<String>) -> Declared {
    let class = names.of(&variant.name);
    let case = |case: &Case| {
        let name = names.of_case(variant, case);
        let is_record = case.own_record().is_some();
        let own = (!is_record && written.insert(name.clone())).then(|| OwnType {
            docs: docs(or(&case.docs, &format!("{name} is the case {} of {class}.", case.name))),
            ty: match &case.ty {
                None => "struct{}".to_owned(),
                Some(ty) if is_wrapped(ty) => format!("struct{{ Value {} }}", names.show(ty)),
                Some(ty) => names.show(ty),
            },
        });
        let Some(ty) = &case.ty else {
            return VariantCase { own, lowered: None, lifted: format!("{name}{{}}"), class: name };
        };
        let lifted = names.lift(ty, &format!("undergo.LiftCase[{}](&v.Value)", names.raw(ty)));
        let (value, lifted) = match () {
            () if is_record => ("v".to_owned(), lifted),
            () if is_wrapped(ty) => ("v.Value".to_owned(), format!("{name}{{{lifted}}}")),
            () => (format!("{}(v)", names.show(ty)), format!("{name}({lifted})")),
        };
        VariantCase { own, lowered: Some(names.lower(ty, &value, "w")), lifted, class: name }
    };
    let cases = variant.cases.iter().map(case).collect();
    let union = |(count, bytes)| format!("; Value [{count}]uint{}", 8 * bytes);
    Declared::Variant {
        docs: docs(or(&variant.docs, &format!("{class} is the variant {}.", variant.name))),
        wit: literal(&variant.name),
        cases,
        raw: Cases::of(variant).words().map_or_else(String::new, union),
        lifter,
        class,
    }
}
