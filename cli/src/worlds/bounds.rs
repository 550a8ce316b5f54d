//! What an interface may ask of those who read and write it.
//!
//! The parsers bound neither their recursion nor their work. A few lines of text can nest lists by
//! the thousand, and in a few bytes of a component each type may use the previous one twice, and
//! each of a thousand functions may use the last.

use undergo::{Error, Result};
use wasmparser::{Parser, Payload};
use wit_parser::{Function, Resolve, Type, TypeDef, TypeDefKind};

use super::invalid;

/// Bytes of text, in all files together. All of WASI has a tenth of it.
pub(super) const MAX_TEXT: usize = 4 << 20;
/// Brackets within brackets.
const MAX_NESTING: usize = 256;
/// Components within components.
const MAX_COMPONENTS: usize = 32;
/// Modules and components in one; the engine's validator stops there too, but of each component.
const MAX_PARTS: usize = 1000;
/// Bytes of a component besides its modules and custom sections.
const MAX_DECLARED: usize = 8 << 20;
/// Types of components and instances, which the parser reads by a call of itself within each other.
const MAX_SCOPES: usize = 100_000;
/// Bytes of the text that a printer makes.
const MAX_PRINTED: usize = 32 << 20;

/// Refuses a text that would take the parser's stack, or its time.
pub(super) fn check_text(text: &str, all: usize) -> Result<()> {
    if all > MAX_TEXT {
        return Err(invalid(format!("the interfaces have {all} bytes; at most {MAX_TEXT} are accepted")));
    }
    if nesting(text.as_bytes()) > MAX_NESTING {
        return Err(invalid("the interface is nested too deeply"));
    }
    Ok(())
}

/// How deep brackets are within brackets.
fn nesting(text: &[u8]) -> usize {
    let (mut rest, mut depth, mut deepest) = (text, 0_usize, 0);
    while let [first, tail @ ..] = rest {
        let mut skipped = 0;
        match (first, tail.first()) {
            (b'/', Some(b'/')) => skipped = tail.iter().position(|byte| *byte == b'\n').unwrap_or(tail.len()),
            (b'/', Some(b'*')) => skipped = comment(tail),
            (b'-', Some(b'>')) => skipped = 1,
            (b'<' | b'(' | b'{', _) => depth += 1,
            (b'>' | b')' | b'}', _) => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
        rest = &tail[skipped..];
    }
    deepest
}

/// The bytes of a comment, from its first `*` on. It may have others in it.
fn comment(text: &[u8]) -> usize {
    let (mut at, mut depth) = (1, 1_usize);
    while depth > 0 && at < text.len() {
        match (text[at], text.get(at + 1)) {
            (b'/', Some(b'*')) => (depth, at) = (depth + 1, at + 2),
            (b'*', Some(b'/')) => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
    }
    at.min(text.len())
}

/// Refuses a component that would take too much, by one pass over its sections, of which it reads
/// the headers. Says what is wrong with a damaged one.
pub(super) fn check_component(bytes: &[u8]) -> Result<()> {
    if let [_, _, _, _, low, high, 1, 0, ..] = bytes
        && [*low, *high] != [13, 0]
    {
        let version = u16::from_le_bytes([*low, *high]);
        return Err(invalid(format!("it is a component of version {version}, and this host knows version 13")));
    }
    // Each scope begins with a byte that few others are, so this counts somewhat too many.
    let (mut depth, mut parts, mut declared, mut scopes) = (0_usize, 0, 0, 0);
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.map_err(|error| damaged(&error))? {
            Payload::ModuleSection { .. } => (depth, parts) = (depth + 1, parts + 1),
            Payload::ComponentSection { .. } => (depth, parts) = (depth + 1, parts + 1),
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentTypeSection(section) => {
                declared += section.range().len();
                scopes += bytes.get(section.range()).unwrap_or_default().iter().filter(|byte| matches!(byte, 0x41 | 0x42)).count();
            }
            Payload::CoreTypeSection(section) => declared += section.range().len(),
            Payload::ComponentImportSection(section) => declared += section.range().len(),
            Payload::ComponentExportSection(section) => declared += section.range().len(),
            Payload::ComponentAliasSection(section) => declared += section.range().len(),
            Payload::ComponentInstanceSection(section) => declared += section.range().len(),
            _ => {}
        }
        if depth > MAX_COMPONENTS {
            return Err(invalid(format!("the component has more than {MAX_COMPONENTS} others within each other")));
        }
        if parts > MAX_PARTS {
            return Err(invalid(format!("the component has more than {MAX_PARTS} modules and components in it")));
        }
        if scopes > MAX_SCOPES {
            return Err(invalid(format!("the component has more than {MAX_SCOPES} types of components and instances")));
        }
        if declared > MAX_DECLARED {
            return Err(invalid(format!("the component declares more than {MAX_DECLARED} bytes of types, imports and exports")));
        }
    }
    Ok(())
}

fn damaged(error: &wasmparser::BinaryReaderError) -> Error {
    invalid(format!("the component is damaged: {} (at byte {})", error.message(), error.offset()))
}

/// Refuses an interface whose text would be far longer than its binary form.
pub(super) fn check_resolved(resolve: &Resolve) -> Result<()> {
    // The bytes that each type takes where it is used. Types use earlier ones only.
    let mut used: Vec<usize> = Vec::with_capacity(resolve.types.len());
    let mut printed = 0_usize;
    for (_, def) in resolve.types.iter() {
        let body = parts(def).fold(0_usize, |sum, ty| sum.saturating_add(size(&used, &ty)));
        used.push(match &def.name {
            Some(name) => {
                printed = printed.saturating_add(body).saturating_add(name.len());
                name.len()
            }
            None => body.saturating_add(8),
        });
    }
    let of_interfaces = resolve.interfaces.iter().flat_map(|(_, interface)| interface.functions.values());
    let of_worlds = resolve.worlds.iter().flat_map(|(_, world)| world.imports.values().chain(world.exports.values()));
    let functions = of_interfaces.chain(of_worlds.filter_map(|item| match item {
        wit_parser::WorldItem::Function(function) => Some(function),
        _ => None,
    }));
    for function in functions {
        printed = printed.saturating_add(of_function(&used, function));
    }
    if printed > MAX_PRINTED {
        return Err(invalid(format!("the interface would have {printed} bytes as text; at most {MAX_PRINTED} are accepted")));
    }
    Ok(())
}

fn of_function(used: &[usize], function: &Function) -> usize {
    let params = function.params.iter().map(|param| param.name.len().saturating_add(size(used, &param.ty)));
    let result = function.result.as_ref().map(|ty| size(used, ty));
    params.chain(result).fold(function.name.len(), usize::saturating_add)
}

fn size(used: &[usize], ty: &Type) -> usize {
    match ty {
        Type::Id(id) => used.get(id.index()).copied().unwrap_or(0),
        _ => 8,
    }
}

/// The types that a definition names.
fn parts(def: &TypeDef) -> impl Iterator<Item = Type> {
    let list: Vec<Type> = match &def.kind {
        TypeDefKind::Record(record) => record.fields.iter().map(|field| field.ty).collect(),
        TypeDefKind::Variant(variant) => variant.cases.iter().filter_map(|case| case.ty).collect(),
        TypeDefKind::Tuple(tuple) => tuple.types.clone(),
        TypeDefKind::Result(result) => result.ok.into_iter().chain(result.err).collect(),
        TypeDefKind::Map(key, value) => vec![*key, *value],
        TypeDefKind::Option(ty) | TypeDefKind::List(ty) | TypeDefKind::FixedLengthList(ty, _) | TypeDefKind::Type(ty) => vec![*ty],
        TypeDefKind::Future(ty) | TypeDefKind::Stream(ty) => ty.iter().copied().collect(),
        TypeDefKind::Handle(wit_parser::Handle::Own(id) | wit_parser::Handle::Borrow(id)) => vec![Type::Id(*id)],
        TypeDefKind::Resource | TypeDefKind::Flags(_) | TypeDefKind::Enum(_) | TypeDefKind::Unknown => Vec::new(),
    };
    list.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_of_comments_do_not_count() {
        let cases: [(&str, usize); 6] = [
            ("f: func(a: list<list<u8>>) -> tuple<u8>;", 3),
            ("// (((((\n(", 1),
            ("/* ((( /* (( */ ((( */ (<", 2),
            ("/* (((", 0),
            ("f: func() -> (", 1),
            ("/*/ ((( */", 0),
        ];
        for (text, depth) in cases {
            assert_eq!(nesting(text.as_bytes()), depth, "{text}");
        }
    }
}
