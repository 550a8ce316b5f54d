//! Which exports fit an import: the same types, by what they consist of. What a type is called says
//! nothing, since a world may rename it, as one that has several types of that name. Objects are
//! told by their names and their methods.

use std::collections::HashSet;
use std::sync::Arc;

use crate::error::{Error, ErrorKind, Result};
use crate::interface::{Function, ResourceType, Scalar, Shape, Side, Type, TypeKind};

/// Compares an import with the export that it is linked to.
pub(super) fn compare(interface: &str, import: &Function, export: &Function, plugin: &str) -> Result<()> {
    let differs = |why: String| {
        let text = format!("the import is {interface}.{import}, and the export of {plugin} is {export}: {why}");
        Error::new(ErrorKind::SignatureMismatch, text)
    };
    let mut objects = Objects::default();
    objects.compare(import, export).map_err(differs)?;
    // Their methods may take and give others.
    let mut next = 0;
    while let Some((wanted, found)) = objects.pairs.get(next).cloned() {
        objects.compare_methods(&wanted, &found).map_err(differs)?;
        next += 1;
    }
    Ok(())
}

/// What is compared for one import.
#[derive(Default)]
struct Objects {
    /// The resources of both sides that stand for each other, each pair once.
    pairs: Vec<(Arc<ResourceType>, Arc<ResourceType>)>,
    /// The records and variants that were compared: each may have the previous one twice, by lists.
    seen: HashSet<(usize, usize)>,
}

impl Objects {
    fn compare(&mut self, import: &Function, export: &Function) -> Result<(), String> {
        if import.params.len() != export.params.len() {
            return Err("they have different numbers of parameters".to_owned());
        }
        for (given, taken) in import.params.iter().zip(&export.params) {
            self.fit(&given.ty, &taken.ty).map_err(|why| format!("the types of {} differ{why}", given.name))?;
        }
        match (&import.result, &export.result) {
            (None, None) => {}
            (Some(taken), Some(given)) => self.fit(taken, given).map_err(|why| format!("their results differ{why}"))?,
            _ => return Err("one of them has no result".to_owned()),
        }
        // Errors go over as such, so that the plugins may declare others.
        if import.fallible == export.fallible { Ok(()) } else { Err("one of them returns no error".to_owned()) }
    }

    fn compare_methods(&mut self, wanted: &Arc<ResourceType>, found: &Arc<ResourceType>) -> Result<(), String> {
        for (number, name) in wanted.methods.iter().enumerate() {
            let of = |why: String| format!("the method {name} of {}: {why}", wanted.name);
            let method = found.methods.iter().position(|method| method == name).and_then(|number| found.function(number));
            let (Some(import), Some(export)) = (wanted.function(number), method) else {
                return Err(of("one of them has none".to_owned()));
            };
            self.compare(&import, &export).map_err(of)?;
        }
        Ok(())
    }

    /// Compares a type of the import with that of the export; the error says more than that they
    /// differ.
    fn fit(&mut self, import: &Type, export: &Type) -> Result<(), &'static str> {
        if !import.holds_handles() && !export.holds_handles() && is_same(import, export) {
            return Ok(());
        }
        let parts = |import: &Type, export: &Type| Err(within(import, export));
        let mut is_new = |import: usize, export: usize| self.seen.insert((import, export));
        match (&import.kind, &export.kind) {
            (TypeKind::Own(wanted), TypeKind::Own(found)) | (TypeKind::Borrow(wanted), TypeKind::Borrow(found)) => {
                if wanted.shape != Shape::Object || found.shape != Shape::Object || wanted.side != Side::Host {
                    return Err(": functions, iterators and streams belong to one instance, and can't be passed to another");
                }
                if wanted.core_name != found.core_name {
                    return Err("");
                }
                if !self.pairs.iter().any(|(other, known)| Arc::ptr_eq(other, wanted) && Arc::ptr_eq(known, found)) {
                    self.pairs.push((wanted.clone(), found.clone()));
                }
                Ok(())
            }
            (TypeKind::List(a), TypeKind::List(b)) if import.length() == export.length() => self.fit(a, b),
            (TypeKind::Option(a), TypeKind::Option(b)) => self.fit(a, b),
            (TypeKind::Map(a), TypeKind::Map(b)) => self.fit(&a.key, &b.key).and_then(|()| self.fit(&a.value, &b.value)),
            (TypeKind::Tuple(a), TypeKind::Tuple(b)) if a.items.len() == b.items.len() => {
                a.items.iter().zip(&b.items).try_for_each(|(a, b)| self.fit(a, b))
            }
            (TypeKind::Record(a), TypeKind::Record(b)) if !is_new(Arc::as_ptr(a) as usize, Arc::as_ptr(b) as usize) => Ok(()),
            (TypeKind::Variant(a), TypeKind::Variant(b)) if !is_new(Arc::as_ptr(a) as usize, Arc::as_ptr(b) as usize) => Ok(()),
            (TypeKind::Enum(a), TypeKind::Enum(b)) if a.cases.iter().map(|(name, _)| name).eq(b.cases.iter().map(|(name, _)| name)) => {
                Ok(())
            }
            (TypeKind::Record(a), TypeKind::Record(b)) if a.fields.len() == b.fields.len() && a.is_flags == b.is_flags => {
                a.fields.iter().zip(&b.fields).try_for_each(|(a, b)| {
                    if a.name != b.name {
                        return parts(import, export);
                    }
                    self.fit(&a.ty, &b.ty)
                })
            }
            (TypeKind::Variant(a), TypeKind::Variant(b)) if a.cases.len() == b.cases.len() && a.origin == b.origin => {
                a.cases.iter().zip(&b.cases).try_for_each(|(a, b)| match (&a.ty, &b.ty) {
                    (None, None) if a.name == b.name => Ok(()),
                    (Some(given), Some(taken)) if a.name == b.name => self.fit(given, taken),
                    _ => parts(import, export),
                })
            }
            _ => parts(import, export),
        }
    }
}

/// Where types have the same name, that it is not the same type.
fn within(a: &Type, b: &Type) -> &'static str {
    if a.to_string() == b.to_string() { " in what they consist of" } else { "" }
}

/// Whether they are the same type, in memory and by the names of its parts.
fn is_same(a: &Type, b: &Type) -> bool {
    use Scalar::{S32, S64, U32, U64, WasmI32, WasmI64};
    match (&a.kind, &b.kind) {
        // The numbers of a bare module have no sign.
        (TypeKind::Scalar(WasmI32), TypeKind::Scalar(S32 | U32))
        | (TypeKind::Scalar(S32 | U32), TypeKind::Scalar(WasmI32))
        | (TypeKind::Scalar(WasmI64), TypeKind::Scalar(S64 | U64))
        | (TypeKind::Scalar(S64 | U64), TypeKind::Scalar(WasmI64)) => true,
        _ => a.digest() == b.digest(),
    }
}
