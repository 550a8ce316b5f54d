//! Swift's text: lines, comments, names.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use undergo::names;

use super::super::lines::Lines;

/// Comments for documentation.
pub(super) trait Docs {
    fn docs(&mut self, indent: usize, docs: &str);
}

impl Docs for Lines {
    fn docs(&mut self, indent: usize, docs: &str) {
        for line in docs.trim().lines() {
            self.line(indent, format!("/// {}", one_line(line)).trim_end());
        }
    }
}

/// The text without what would end a line, and so a comment.
pub(super) fn one_line(text: &str) -> String {
    text.replace(char::is_control, " ")
}

/// Names that are taken in one place: the parameters of a function, say.
pub(super) struct Scope(BTreeSet<String>);

impl Scope {
    pub(super) fn new(taken: &[&str]) -> Scope {
        Scope(taken.iter().map(|&name| name.to_owned()).collect())
    }

    /// A name of WIT as one of a property, a parameter, a case or a method that is not taken: `minor-units` is `minorUnits`.
    pub(super) fn name(&mut self, kebab: &str) -> String {
        let mut name = plain(kebab);
        while !self.0.insert(name.clone()) {
            name.push('_');
        }
        escaped(name)
    }
}

/// A name of WIT as Swift has names.
pub(super) fn plain(kebab: &str) -> String {
    let name: String = names::camel(kebab).chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '_' }).collect();
    // Of these `x.self` means another thing, whether it is quoted or not.
    let is_special = matches!(name.as_str(), "init" | "self" | "Self" | "Type" | "Protocol" | "_");
    match name.chars().next() {
        _ if is_special => name + "_",
        Some(first) if !first.is_ascii_digit() => name,
        _ => format!("_{name}"),
    }
}

/// The name, quoted where it is a keyword.
fn escaped(name: String) -> String {
    #[rustfmt::skip]
    const KEYWORDS: [&str; 51] = [
        "Any", "as", "associatedtype", "await", "break", "case", "catch", "class", "continue", "default", "defer", "deinit", "do", "else", "enum", "extension",
        "fallthrough", "false", "fileprivate", "for", "func", "guard", "if", "import", "in", "inout", "internal", "is", "let", "nil", "operator",
        "precedencegroup", "private", "protocol", "public", "repeat", "rethrows", "return", "static", "struct", "subscript", "super", "switch", "throw",
        "throws", "true", "try", "typealias", "var", "where", "while",
    ];
    if KEYWORDS.contains(&name.as_str()) { format!("`{name}`") } else { name }
}

/// A string's literal.
pub(super) fn literal(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            // Writing to a String can't fail.
            c if c.is_control() => drop(write!(out, "\\u{{{:x}}}", u32::from(c))),
            c => out.push(c),
        }
    }
    out + "\""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_stay_on_their_lines() {
        let mut lines = Lines::new("    ");
        lines.docs(1, "Ends here,\r\n\nnot \rthere.");
        assert_eq!(lines.finish(), "    /// Ends here,\n    ///\n    /// not  there.\n");
    }

    #[test]
    fn keywords_are_quoted_and_names_stay_apart() {
        let mut scope = Scope::new(&["calls"]);
        let given = ["class", "minor-units", "minorUnits", "self", "calls", "1st", "while"];
        let wanted = ["`class`", "minorUnits", "minorUnits_", "self_", "calls_", "_1st", "`while`"];
        assert_eq!(given.map(|name| scope.name(name)), wanted);
    }

    #[test]
    fn literals_hold_what_they_are_given() {
        assert_eq!(literal("a\"\\(b)\n"), "\"a\\\"\\\\(b)\\u{a}\"");
    }
}
