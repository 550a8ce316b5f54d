//! Names of WIT as Go declares them. The SDK's generator makes a name of WIT of each again, and has
//! to come to the same one.

use anyhow::{Result, bail, ensure};
use wit_parser::{InterfaceId, Resolve};

use crate::bindgen::go::text::{Scope, exported};

/// The whole name of an interface, such as `wasi:keyvalue/store@0.2.0`.
pub(super) fn interface(resolve: &Resolve, id: InterfaceId) -> Result<String> {
    let Some(name) = resolve.id_of(id) else { bail!("an interface that is declared within a world has no name of its own") };
    let is_plain = |c: char| c.is_ascii_alphanumeric() || ":/@.+-".contains(c);
    ensure!(name.len() <= 256 && name.chars().all(is_plain), "the name of an interface is longer than 256 characters, or no plain text");
    Ok(name)
}

/// The name of a type, a method or a field; `None` where Go can't say it.
pub(super) fn spelled(wit: &str) -> Option<String> {
    let capital = |word: &str| {
        let mut letters = word.chars();
        letters.next().map_or_else(String::new, |first| first.to_ascii_uppercase().to_string() + letters.as_str())
    };
    let words = || wit.split('-').map(capital);
    let candidates = [exported(wit), words().collect(), words().collect::<Vec<_>>().join("_")];
    candidates.into_iter().find(|name| is_same(name, wit))
}

/// The same for one that is no other in a scope.
pub(super) fn in_scope(scope: &mut Scope, what: &str, wit: &str) -> Result<String> {
    let taken = spelled(wit).map(|name| scope.take(name));
    match taken.filter(|name| is_same(name, wit)) {
        Some(name) => Ok(name),
        None => bail!("{what} {wit}: Go has no name for it that stands for this one: names are of small letters, and not like each other"),
    }
}

/// That of a parameter.
pub(super) fn param(scope: &mut Scope, function: &str, wit: &str) -> Result<String> {
    let name = scope.param(wit);
    if is_same(&name, wit) {
        return Ok(name);
    }
    let name = scope.take(wit.replace('-', "_"));
    ensure!(is_same(&name, wit), "the parameter {wit} of {function}: Go has no name that stands for it: names are of small letters");
    Ok(name)
}

/// Whether the generator makes that name of WIT of one of Go.
pub(super) fn is_same(go: &str, wit: &str) -> bool {
    kebab(go) == wit
}

/// As the function `Kebab` of the generator's package `model`.
fn kebab(name: &str) -> String {
    let bytes = name.as_bytes();
    let is_word = |c: u8| c.is_ascii_alphanumeric();
    let (mut out, mut boundary) = (String::new(), false);
    for (i, &c) in bytes.iter().enumerate() {
        if matches!(c, b'_' | b'-' | b'.' | b' ') {
            boundary = !out.is_empty();
            continue;
        }
        if c.is_ascii_uppercase() {
            let before = i.checked_sub(1).map(|before| bytes[before]);
            let is_last_capital = bytes.get(i + 1).is_some_and(u8::is_ascii_lowercase);
            boundary |= before.is_some_and(|before| before.is_ascii_lowercase() || is_word(before) && is_last_capital);
        } else if !c.is_ascii_lowercase() {
            boundary = false;
        }
        if boundary && !out.is_empty() {
            out.push('-');
        }
        boundary = false;
        out.push(c.to_ascii_lowercase().into());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_the_generator_makes_the_same_of() {
        let cases = [
            ("user-id", Some("UserID")),
            ("list-keys", Some("ListKeys")),
            ("http-url", Some("HttpUrl")),
            ("a-b", Some("A_B")),
            ("sha256-sum", Some("Sha256Sum")),
            ("get-all", Some("GetAll")),
            ("x", Some("X")),
            ("URL", None),
            ("get-URL", None),
        ];
        for (wit, go) in cases {
            assert_eq!(spelled(wit).as_deref(), go, "{wit}");
        }
    }

    #[test]
    fn a_name_that_is_taken_stands_for_the_same() {
        let mut scope = Scope::new(["Error"]);
        assert_eq!(in_scope(&mut scope, "type", "error").ok().as_deref(), Some("Error_"));
        assert_eq!(param(&mut Scope::of_params(), "f", "type").ok().as_deref(), Some("type_"));
        assert_eq!(param(&mut Scope::of_params(), "f", "a-b").ok().as_deref(), Some("a_b"));
        assert!(in_scope(&mut scope, "type", "getURL").is_err());
    }
}
