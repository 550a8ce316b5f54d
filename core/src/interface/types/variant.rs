//! Variants: one of several types.

use std::sync::Arc;

use super::{Extension, RecordType, Type, TypeKind};
use crate::interface::layout::{SlotKind, TOO_LARGE, discriminant_size, joined, payload_offset, round_up};

/// A variant: one of several cases, each with a value or without.
#[derive(Debug)]
pub struct VariantType {
    /// Its name, in kebab-case.
    pub name: String,
    /// The doc comment; may be empty.
    pub docs: String,
    /// The cases.
    pub cases: Vec<Case>,
    /// What a host caches for this variant.
    pub extension: Extension,
    /// What it is in WIT.
    pub(crate) origin: Origin,
    /// Bytes of the discriminant.
    pub(crate) tag: u32,
    /// Where the value of a case begins.
    pub(crate) payload: u32,
    /// The flat values behind the discriminant, which the cases share.
    pub(crate) joined: Box<[SlotKind]>,
    pub(crate) size: u32,
    pub(crate) align: u32,
}

/// What a variant is in WIT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A variant.
    Variant,
    /// The `result` within a value of a component: `ok`, then `err`.
    Result,
    /// The `option` of an option, for a component: `none`, then `some`.
    Option,
}

/// A case of a variant.
#[derive(Debug)]
pub struct Case {
    /// Its name, in kebab-case.
    pub name: String,
    /// The doc comment; may be empty.
    pub docs: String,
    /// The type of its value, if it has one.
    pub ty: Option<Type>,
}

impl Case {
    /// The record that is the case's value, if it has the case's name: what stands for one in a
    /// language with classes stands for the other.
    #[must_use]
    pub fn own_record(&self) -> Option<&Arc<RecordType>> {
        match &self.ty.as_ref()?.kind {
            TypeKind::Record(record) if record.name == self.name => Some(record),
            _ => None,
        }
    }
}

impl VariantType {
    /// Whether its values lie in the host's blocks as they do in a component's memory.
    pub(super) fn is_alike(&self) -> bool {
        self.cases.iter().all(|case| case.ty.as_ref().is_none_or(|ty| ty.is_alike))
    }

    /// A variant of these cases.
    #[must_use]
    pub fn new(name: String, docs: String, cases: Vec<Case>) -> VariantType {
        let tag = discriminant_size(cases.len());
        let types = || cases.iter().filter_map(|case| case.ty.as_ref());
        let align = types().map(|ty| ty.align).fold(tag, u32::max);
        let payload = payload_offset(tag, types().map(|ty| ty.align).fold(1, u32::max));
        let largest = types().map(|ty| ty.size).fold(0, u32::max);
        let size = round_up(payload.saturating_add(largest).min(TOO_LARGE), align);
        let joined = joined(types());
        VariantType { name, docs, cases, extension: Extension::default(), origin: Origin::Variant, tag, payload, joined, size, align }
    }
}
