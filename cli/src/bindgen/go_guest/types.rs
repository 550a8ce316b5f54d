//! Types of WIT as Go has them.

use std::collections::BTreeSet;

use anyhow::{Result, bail, ensure};
use wit_parser::{Handle, InterfaceId, Resolve, Type, TypeDefKind, TypeId, TypeOwner};

/// The definition behind all aliases of a type, if it has one.
pub(super) fn unaliased(resolve: &Resolve, mut ty: Type) -> Option<TypeId> {
    while let Type::Id(id) = ty {
        match resolve.types[id].kind {
            TypeDefKind::Type(alias) => ty = alias,
            _ => return Some(id),
        }
    }
    None
}

/// The interface that declares a definition under a name.
pub(super) fn home(resolve: &Resolve, id: TypeId) -> Option<InterfaceId> {
    let def = &resolve.types[id];
    match (def.owner, &def.name) {
        (TypeOwner::Interface(interface), Some(_)) => Some(interface),
        _ => None,
    }
}

/// Whether a definition has a type of its own in Go. Others are written out where they are used.
pub(super) fn is_declared(resolve: &Resolve, id: TypeId) -> bool {
    let def = &resolve.types[id];
    def.name.is_some()
        && matches!(
            def.kind,
            TypeDefKind::Record(_) | TypeDefKind::Enum(_) | TypeDefKind::Variant(_) | TypeDefKind::Resource | TypeDefKind::Tuple(_)
        )
}

/// The other interfaces whose types an interface uses.
pub(super) fn used(resolve: &Resolve, id: InterfaceId) -> BTreeSet<InterfaceId> {
    let uses = resolve.interfaces[id].types.values().filter_map(|ty| match resolve.types[*ty].kind {
        TypeDefKind::Type(Type::Id(from)) => home(resolve, from),
        _ => None,
    });
    uses.filter(|from| *from != id).collect()
}

/// What an expression of a type needs: names for the types of an interface, for what other packages
/// declare, and for tuples.
pub(super) trait Names {
    fn declared(&mut self, id: TypeId) -> Result<String>;
    fn tuple(&mut self, items: &[Type], parts: &[String]) -> Result<String>;
}

/// The Go expression of a type.
pub(super) fn expression(resolve: &Resolve, ty: &Type, names: &mut impl Names) -> Result<String> {
    let go = match ty {
        Type::Bool => "bool",
        Type::S8 => "int8",
        Type::S16 => "int16",
        Type::S32 => "int32",
        Type::S64 => "int64",
        Type::U8 => "uint8",
        Type::U16 => "uint16",
        Type::U32 => "uint32",
        Type::U64 => "uint64",
        Type::F32 => "float32",
        Type::F64 => "float64",
        Type::String => "string",
        Type::Char => bail!("Go has no type for char: its rune is a number, s32"),
        Type::ErrorContext => bail!("Go has no type for error-context"),
        Type::Id(id) => return defined(resolve, *id, names),
    };
    Ok(go.to_owned())
}

fn defined(resolve: &Resolve, id: TypeId, names: &mut impl Names) -> Result<String> {
    let Some(id) = unaliased(resolve, Type::Id(id)) else {
        // An alias of what has no definition.
        let mut ty = Type::Id(id);
        while let Type::Id(next) = ty {
            let TypeDefKind::Type(alias) = resolve.types[next].kind else { break };
            ty = alias;
        }
        return expression(resolve, &ty, names);
    };
    if is_declared(resolve, id) {
        return names.declared(id);
    }
    match &resolve.types[id].kind {
        TypeDefKind::List(Type::U8) => Ok("[]byte".to_owned()),
        TypeDefKind::List(item) => Ok("[]".to_owned() + &expression(resolve, item, names)?),
        TypeDefKind::Map(key, value) => Ok(format!("map[{}]{}", expression(resolve, key, names)?, expression(resolve, value, names)?)),
        TypeDefKind::Option(inner) => {
            let of_option = unaliased(resolve, *inner).is_some_and(|id| matches!(resolve.types[id].kind, TypeDefKind::Option(_)));
            ensure!(!of_option, "an option of an option: Go has one sort of nil only");
            Ok("*".to_owned() + &expression(resolve, inner, names)?)
        }
        TypeDefKind::Tuple(tuple) => {
            let parts = tuple.types.iter().map(|ty| expression(resolve, ty, names)).collect::<Result<Vec<_>>>()?;
            names.tuple(&tuple.types, &parts)
        }
        TypeDefKind::Handle(Handle::Own(resource) | Handle::Borrow(resource)) => defined(resolve, *resource, names),
        TypeDefKind::Flags(_) => bail!("Go has no type for flags"),
        TypeDefKind::Result(_) => bail!("a result within a value: Go has errors as results of functions only"),
        other => bail!("Go has no type for a {}", other.as_str()),
    }
}

/// Whether a type is, or has, a handle.
pub(super) fn has_handle(resolve: &Resolve, ty: &Type, seen: &mut BTreeSet<TypeId>) -> bool {
    let Some(id) = unaliased(resolve, *ty) else { return false };
    if !seen.insert(id) {
        return false;
    }
    let mut any = |ty: &Type| has_handle(resolve, ty, seen);
    match &resolve.types[id].kind {
        TypeDefKind::Handle(_) | TypeDefKind::Resource => true,
        TypeDefKind::List(ty) | TypeDefKind::Option(ty) => any(ty),
        TypeDefKind::Map(key, value) => any(key) || any(value),
        TypeDefKind::Tuple(tuple) => tuple.types.iter().any(any),
        TypeDefKind::Record(record) => record.fields.iter().any(|field| any(&field.ty)),
        TypeDefKind::Variant(variant) => variant.cases.iter().filter_map(|case| case.ty.as_ref()).any(any),
        _ => false,
    }
}
