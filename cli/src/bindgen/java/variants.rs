//! Variants: a sealed interface each, which the records of its cases implement.

use undergo::interface::{Type, TypeKind, VariantType};

use super::super::layout::{Cases, Place};
use super::text::{docs, literal};
use super::types::Names;
use super::{client, or};

/// A sealed interface, and what writes and reads its values.
pub(super) struct Variant {
    pub(super) name: String,
    pub(super) docs: Vec<String>,
    /// The name in the interface, as a literal.
    pub(super) wit: String,
    pub(super) permits: String,
    pub(super) cases: Vec<Case>,
    /// What reads it takes this before the place.
    pub(super) client: &'static str,
}

pub(super) struct Case {
    /// The record that stands for it.
    pub(super) class: String,
    /// Statements that write the value, which is called `found$`; none for a case without.
    pub(super) puts: Vec<String>,
    /// Makes the record of what lies at `at`.
    pub(super) get: String,
}

/// A record for a case whose value is no record of the case's name.
pub(super) struct CaseRecord {
    pub(super) class: String,
    pub(super) docs: Vec<String>,
    /// `String value`
    pub(super) components: String,
    /// ` implements Shape`
    pub(super) implements: String,
}

/// What a record implements as a case.
pub(super) fn implements(names: &Names, class: &str) -> String {
    match names.variants_of(class).as_slice() {
        [] => String::new(),
        variants => format!(" implements {}", variants.join(", ")),
    }
}

/// The variants of a plugin, and the records of their cases.
pub(super) fn all(names: &Names, types: &[Type]) -> (Vec<Variant>, Vec<CaseRecord>) {
    let (mut variants, mut records) = (Vec::new(), Vec::new());
    for ty in types {
        if let TypeKind::Variant(found) = &ty.kind {
            variants.push(variant(names, ty, found));
            records.extend(case_records(names, found));
        }
    }
    (variants, records)
}

fn variant(names: &Names, ty: &Type, variant: &VariantType) -> Variant {
    let place = Place("at", Cases::of(variant).value);
    let cases: Vec<Case> = names
        .cases(variant)
        .into_iter()
        .map(|found| {
            let (puts, get) = match &found.case.ty {
                Some(ty) => {
                    let value = if found.is_record { "found$" } else { "found$.value()" };
                    let get = names.get(ty, &place, 0);
                    let get = if found.is_record { get } else { format!("new {}({get})", found.class) };
                    (names.put(ty, "room", &place, value, 0), get)
                }
                None => (Vec::new(), format!("new {}()", found.class)),
            };
            Case { class: found.class, puts, get }
        })
        .collect();
    Variant {
        name: names.of(&variant.name),
        docs: docs(or(&variant.docs, &format!("The variant {}.", variant.name))),
        wit: literal(&variant.name),
        permits: cases.iter().map(|case| case.class.as_str()).collect::<Vec<_>>().join(", "),
        cases,
        client: client(ty),
    }
}

fn case_records<'a>(names: &'a Names, variant: &'a VariantType) -> impl Iterator<Item = CaseRecord> + 'a {
    names.cases(variant).into_iter().filter(|found| found.is_new).map(|found| CaseRecord {
        docs: docs(or(&found.case.docs, &format!("The case {} of {}.", found.case.name, variant.name))),
        components: found.case.ty.as_ref().map_or_else(String::new, |ty| format!("{} value", names.show(ty))),
        implements: implements(names, &found.class),
        class: found.class,
    })
}
