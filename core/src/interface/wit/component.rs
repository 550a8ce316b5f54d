//! What components have and modules don't: results within values, errors of any type, and several
//! interfaces that export functions of the same names.

use std::collections::HashSet;
use std::sync::Arc;

use wit_parser::{FunctionKind, Resolve, WorldId, WorldItem};

use super::{Reader, is_wasi, waited_for};
use crate::error::Result;
use crate::interface::names;
use crate::interface::types::{Case, Failure, Field, Origin, RecordType, TupleType, Type, TypeKind, VariantType};

impl Reader<'_> {
    /// Gives a type that has no name in the text its place among those that hosts show. Where it
    /// occurs again, it is the same.
    pub(super) fn made(&mut self, ty: Type) -> Type {
        let name = ty.name().unwrap_or_default();
        match self.made.get(name) {
            Some(known) if known.digest() == ty.digest() => known.clone(),
            _ => {
                self.made.insert(name.to_owned(), ty.clone());
                self.named.push(ty.clone());
                ty
            }
        }
    }

    /// What a function fails with, if that is any type: the fields of an error of its own. A type
    /// that is no record is the one field of a record that is named after it.
    pub(super) fn failure(&mut self, error: &wit_parser::Type) -> Result<(Failure, Arc<VariantType>)> {
        let ty = self.ty(error, 0)?;
        let record = match &ty.kind {
            TypeKind::Record(record) if record.is_error => record.clone(),
            _ => {
                let field = Field { name: "value".to_owned(), docs: String::new(), ty: ty.clone() };
                let docs = format!("What a function fails with: {ty}.");
                let mut record = RecordType::new(format!("{}-failure", words(&ty)), docs, vec![field]);
                record.is_error = true;
                match self.made(Type::new(TypeKind::Record(Arc::new(record)))).kind {
                    TypeKind::Record(record) => record,
                    other => unreachable!("a record was made, not {other:?}"),
                }
            }
        };
        let text = Type::new(TypeKind::String);
        let pair = TupleType::new(vec![text.clone(), Type::new(TypeKind::Record(record.clone()))]);
        let case = |name: &str, ty| Case { name: name.to_owned(), docs: String::new(), ty: Some(ty) };
        let cases = vec![case("text", text), case(&record.name, Type::new(TypeKind::Tuple(Arc::new(pair))))];
        let errors = VariantType::new(format!("{}-or-text", record.name), String::new(), cases);
        Ok((Failure::Value(ty), Arc::new(errors)))
    }
}

/// The names of functions that a world exports more than once, by itself and by its interfaces.
pub(super) fn shared(resolve: &Resolve, world: WorldId) -> HashSet<String> {
    let (mut seen, mut shared) = (HashSet::new(), HashSet::new());
    let mut note = |name: &str| {
        let name = names::folded(name);
        if !seen.insert(name.clone()) {
            shared.insert(name);
        }
    };
    for (key, item) in &resolve.worlds[world].exports {
        match item {
            WorldItem::Function(function) => note(&function.name),
            WorldItem::Interface { id, .. } if !is_wasi(resolve, key) => {
                let functions = resolve.interfaces[*id].functions.values();
                functions
                    .filter(|function| waited_for(&function.kind) == FunctionKind::Freestanding)
                    .for_each(|function| note(&function.name));
            }
            _ => {}
        }
    }
    shared
}

/// A `result` within a value, as a variant: `result-u32-string`, unless it has a name.
pub(super) fn nested_result(name: &str, docs: String, ok: Option<Type>, err: Option<Type>) -> TypeKind {
    let of = |ty: &Option<Type>| ty.as_ref().map_or_else(|| "none".to_owned(), words);
    let name = if name.is_empty() { format!("result-{}-{}", of(&ok), of(&err)) } else { name.to_owned() };
    made_variant(name, docs, Origin::Result, [("ok", ok), ("err", err)])
}

/// The option of an option, as a variant: no host's null says which of them has no value.
pub(super) fn nested_option(value: Type) -> TypeKind {
    made_variant(format!("option-{}", words(&value)), String::new(), Origin::Option, [("none", None), ("some", Some(value))])
}

fn made_variant(name: String, docs: String, origin: Origin, cases: [(&str, Option<Type>); 2]) -> TypeKind {
    let cases = cases.map(|(name, ty)| Case { name: name.to_owned(), docs: String::new(), ty });
    TypeKind::Variant(Arc::new(VariantType { origin, ..VariantType::new(name, docs, cases.into()) }))
}

/// A type as words of a name.
fn words(ty: &Type) -> String {
    match &ty.kind {
        TypeKind::List(item) => format!("list-{}", words(item)),
        TypeKind::Option(inner) => format!("option-{}", words(inner)),
        TypeKind::Map(map) => format!("map-{}-{}", words(&map.key), words(&map.value)),
        TypeKind::Tuple(tuple) => {
            tuple.items.iter().fold(format!("tuple{}", tuple.items.len()), |name, item| format!("{name}-{}", words(item)))
        }
        TypeKind::Own(resource) => resource.name.clone(),
        TypeKind::Borrow(resource) => format!("borrow-{}", resource.name),
        _ => ty.to_string(),
    }
}
