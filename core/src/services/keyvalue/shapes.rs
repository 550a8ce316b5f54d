//! The functions of `wasi:keyvalue` that are known, in all versions.

use super::operation::{Does, is_bytes};
use crate::error::{Error, ErrorKind, Result};
use crate::interface::{Function, Type, TypeKind};

/// What a function takes and gives.
fn shapes(does: Does) -> &'static [&'static str] {
    match does {
        Does::Open => &["string -> own"],
        Does::Get => &["string -> ?bytes"],
        Does::Set => &["string, bytes -> "],
        Does::Delete => &["string -> "],
        Does::Exists => &["string -> bool"],
        Does::ListKeys => &["?u64 -> {[string], ?u64}", "?string -> {[string], ?string}"],
        Does::GetMany => &["borrow, [string] -> [?{string, bytes}]"],
        Does::SetMany => &["borrow, [{string, bytes}] -> "],
        Does::DeleteMany => &["borrow, [string] -> "],
        Does::Increment => &["borrow, string, u64 -> u64", "borrow, string, s64 -> s64"],
        Does::NewCas => &["borrow, string -> own"],
        Does::Current => &[" -> ?bytes"],
        Does::Swap => &["own, bytes -> "],
    }
}

/// What a method of that name does.
pub(super) fn method(name: &str) -> Option<Does> {
    Some(match name {
        "get" => Does::Get,
        "set" => Does::Set,
        "delete" => Does::Delete,
        "exists" => Does::Exists,
        "list-keys" => Does::ListKeys,
        "current" => Does::Current,
        _ => return None,
    })
}

/// Checks that a function is one of those that are known, and so are the methods of what it gives.
pub(super) fn check(does: Does, function: &Function) -> Result<()> {
    if !function.fallible || !shapes(does).contains(&shape(function).as_str()) {
        return Err(unknown(&function.to_string()));
    }
    if let Some(TypeKind::Own(resource)) = function.result.as_ref().map(|ty| &ty.kind) {
        for (number, name) in resource.methods.iter().enumerate() {
            let does = method(name).ok_or_else(|| unknown(&format!("{}.{name}", resource.name)))?;
            match resource.function(number) {
                Some(method) => check(does, &method)?,
                None => return Err(unknown(name)),
            }
        }
    }
    Ok(())
}

fn unknown(function: &str) -> Error {
    let text = format!("the plugin has another wasi:keyvalue than this host, which knows 0.2.0-draft and 0.2.0-draft2: {function}");
    Error::new(ErrorKind::SignatureMismatch, text)
}

fn shape(function: &Function) -> String {
    let params: Vec<_> = function.own_params().iter().map(|param| of(&param.ty)).collect();
    format!("{} -> {}", params.join(", "), function.result.as_ref().map(of).unwrap_or_default())
}

fn of(ty: &Type) -> String {
    let all = |types: &[&Type]| types.iter().map(|ty| of(ty)).collect::<Vec<_>>().join(", ");
    match &ty.kind {
        TypeKind::Bool => "bool".to_owned(),
        TypeKind::String => "string".to_owned(),
        TypeKind::Scalar(scalar) => scalar.as_str().to_owned(),
        TypeKind::List(_) if is_bytes(ty) => "bytes".to_owned(),
        TypeKind::List(item) => format!("[{}]", of(item)),
        TypeKind::Option(inner) => format!("?{}", of(inner)),
        TypeKind::Tuple(tuple) => format!("{{{}}}", all(&tuple.items.iter().collect::<Vec<_>>())),
        TypeKind::Record(record) => format!("{{{}}}", all(&record.fields.iter().map(|field| &field.ty).collect::<Vec<_>>())),
        TypeKind::Own(_) => "own".to_owned(),
        TypeKind::Borrow(_) => "borrow".to_owned(),
        _ => "_".to_owned(),
    }
}
