//! TypeScript's text: names, literals, comments, and what is broken into lines.

use crate::bindgen::text;

/// Where longer lines are broken.
const WIDTH: usize = 120;

/// Words that no parameter may be called.
#[rustfmt::skip]
const RESERVED: [&str; 46] = [
    "arguments", "await", "break", "case", "catch", "class", "const", "continue", "debugger", "default", "delete", "do", "else", "enum", "eval", "export",
    "extends", "false", "finally", "for", "function", "if", "implements", "import", "in", "instanceof", "interface", "let", "new", "null", "package", "private",
    "protected", "public", "return", "static", "super", "switch", "this", "throw", "true", "try", "typeof", "var", "void", "while",
];

/// A parameter's name.
pub(super) fn parameter(kebab: &str) -> String {
    let mut name = text::camel(kebab);
    if !name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
        name.insert(0, '_');
    }
    if RESERVED.contains(&name.as_str()) || matches!(name.as_str(), "with" | "yield") { name + "_" } else { name }
}

/// A WIT name as the key of an object.
pub(super) fn key(kebab: &str) -> String {
    property(&undergo::interface::names::camel(kebab))
}

/// A string's literal.
pub(super) fn literal(text: &str) -> String {
    text::literal('\'', text, &[], text::utf16)
}

/// A name as the key of an object.
pub(super) fn property(name: &str) -> String {
    let is_identifier = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_' || c == '$')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '$');
    // As a method, `new` would be what makes an object.
    if is_identifier && name != "new" { name.to_owned() } else { literal(name) }
}

/// A part of a doc comment's line, which can't end it, nor tell the compiler what to check.
pub(super) fn harmless(line: &str) -> String {
    text::apart(line, '*', '/', "\\").replace("@ts-", "@ ts-")
}

/// A doc comment, on one line if it has one; none for no text.
pub(super) fn docs(text: &str) -> String {
    text::block_comment(&text::lines(text).iter().map(|line| harmless(line)).collect::<Vec<_>>())
}

/// `name(params)` and what follows, broken where it is too long for a line that has so many columns
/// of other text.
pub(super) fn broken(columns: usize, name: &str, params: &[String], end: &str) -> String {
    let one = format!("{name}({}){end}", params.join(", "));
    if columns + one.chars().count() <= WIDTH || params.is_empty() {
        return one;
    }
    format!("{name}(\n  {}\n){end}", params.join(",\n  "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_stay_closed_and_names_are_names() {
        assert_eq!(docs("a */ b\n\nc"), "/**\n * a *\\/ b\n *\n * c\n */");
        assert_eq!(docs("@ts-expect-error **/ /"), "/** @ ts-expect-error **\\/ / */");
        assert_eq!(property("a.b\r\u{2028}`"), "'a.b\\u000d\\u2028`'");
        assert_eq!((parameter("class").as_str(), parameter("user-id").as_str()), ("class_", "userId"));
        assert_eq!((key("new").as_str(), key("__proto__").as_str(), parameter("1\u{fc}").as_str()), ("'new'", "__proto__", "_1_"));
        assert_eq!((key("user-id").as_str(), property("a.b'c").as_str()), ("userId", "'a.b\\'c'"));
    }
}
