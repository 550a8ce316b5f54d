//! Types of several values: maps, tuples, records and enums.

use super::{Extension, Type};
use crate::interface::layout::{TOO_LARGE, round_up};
use crate::interface::names;

/// The key and the value of a map.
#[derive(Debug)]
pub struct MapType {
    /// The type of the keys.
    pub key: Type,
    /// The type of the values.
    pub value: Type,
    /// The layout of an entry.
    pub(crate) entry: TupleType,
}

/// Several values in order.
#[derive(Debug)]
pub struct TupleType {
    /// Their types.
    pub items: Vec<Type>,
    pub(crate) offsets: Vec<u32>,
    pub(crate) size: u32,
    pub(crate) align: u32,
}

/// A record: named fields in order.
#[derive(Debug)]
pub struct RecordType {
    /// Its name, in kebab-case.
    pub name: String,
    /// The doc comment; may be empty.
    pub docs: String,
    /// The fields.
    pub fields: Vec<Field>,
    /// Whether it holds the fields of an error.
    pub is_error: bool,
    /// Whether its fields are the `flags` of a component: each is a bool, and false if it is left
    /// out.
    pub is_flags: bool,
    /// What a host caches for this record (a class, names in its own form).
    pub extension: Extension,
    pub(crate) layout: TupleType,
}

/// A field of a record, or a parameter of a function.
#[derive(Debug)]
pub struct Field {
    /// Its name, in kebab-case.
    pub name: String,
    /// The doc comment; may be empty.
    pub docs: String,
    /// Its type.
    pub ty: Type,
}

/// An enum: one of several names.
#[derive(Debug)]
pub struct EnumType {
    /// Its name, in kebab-case.
    pub name: String,
    /// The doc comment; may be empty.
    pub docs: String,
    /// The cases' names, in kebab-case, and their doc comments.
    pub cases: Vec<(String, String)>,
    /// What a host caches for this enum.
    pub extension: Extension,
}

impl TupleType {
    /// Lays out values in order.
    #[must_use]
    pub fn new(items: Vec<Type>) -> TupleType {
        let mut offsets = Vec::with_capacity(items.len());
        let (mut end, mut align) = (0_u32, 1);
        for item in &items {
            let at = round_up(end, item.align).min(TOO_LARGE);
            offsets.push(at);
            end = at.saturating_add(item.size).min(TOO_LARGE);
            align = align.max(item.align);
        }
        TupleType { items, offsets, size: round_up(end, align), align }
    }

    pub(crate) fn is_joined(&self) -> bool {
        self.items.iter().any(|item| item.is_joined)
    }
}

impl MapType {
    /// A map of these types.
    #[must_use]
    pub fn new(key: Type, value: Type) -> MapType {
        MapType { entry: TupleType::new(vec![key.clone(), value.clone()]), key, value }
    }
}

impl RecordType {
    /// A record of these fields.
    #[must_use]
    pub fn new(name: String, docs: String, fields: Vec<Field>) -> RecordType {
        let layout = TupleType::new(fields.iter().map(|field| field.ty.clone()).collect());
        RecordType { name, docs, fields, is_error: false, is_flags: false, extension: Extension::default(), layout }
    }

    /// The end of an error about an unknown field: near names in the host's own form, or all of
    /// them.
    #[must_use]
    pub fn unknown_field(&self, name: &str, shape: impl Fn(&str) -> String) -> String {
        let known: Vec<String> = self.fields.iter().map(|field| shape(&field.name)).collect();
        let near = names::did_you_mean(name, known.iter().map(String::as_str));
        let hint = if near.is_empty() { format!("; its fields are {}", names::listed(known.iter().map(String::as_str))) } else { near };
        format!("{} has no field '{name}'{hint}", self.name)
    }
}
