//! Swift's text: comments, literals, names.

use crate::bindgen::{scope, text};

/// A comment for documentation; nothing for no text.
pub(super) fn docs(text: &str) -> String {
    let line = |line: &String| format!("/// {}", harmless(line)).trim_end().to_owned();
    text::lines(text).iter().map(line).collect::<Vec<_>>().join("\n")
}

/// A line without the beginning or the end of another kind of comment.
pub(super) fn harmless(line: &str) -> String {
    text::apart(&text::apart(line, '*', '/', " "), '/', '*', " ")
}

/// Names that are taken in one place: the parameters of a function, say.
pub(super) struct Scope(scope::Scope);

impl Scope {
    pub(super) fn new(taken: &[&str]) -> Scope {
        Scope(scope::Scope::new(taken.iter().copied()))
    }

    /// A name of WIT as one of a property, a parameter, a case or a method that is not taken:
    /// `minor-units` is `minorUnits`.
    pub(super) fn name(&mut self, kebab: &str) -> String {
        escaped(self.0.take(plain(kebab)))
    }
}

/// A name of WIT as Swift has names.
pub(super) fn plain(kebab: &str) -> String {
    let name = text::camel(kebab);
    // Of these `x.self` means another thing, whether it is quoted or not.
    let is_special = matches!(name.as_str(), "init" | "self" | "Self" | "Type" | "Protocol" | "_");
    match name.chars().next() {
        _ if is_special => name + "_",
        None => "n".to_owned(),
        Some(first) if !first.is_ascii_digit() => name,
        _ => format!("_{name}"),
    }
}

/// The name, quoted where it is a keyword.
fn escaped(name: String) -> String {
    #[rustfmt::skip]
    const KEYWORDS: [&str; 53] = [
        "Any", "any", "as", "associatedtype", "await", "break", "case", "catch", "class", "continue", "default", "defer", "deinit", "do", "else", "enum", "extension",
        "fallthrough", "false", "fileprivate", "for", "func", "guard", "if", "import", "in", "inout", "internal", "is", "let", "nil", "operator",
        "precedencegroup", "private", "protocol", "public", "repeat", "rethrows", "return", "some", "static", "struct", "subscript", "super", "switch", "throw",
        "throws", "true", "try", "typealias", "var", "where", "while",
    ];
    if KEYWORDS.contains(&name.as_str()) { format!("`{name}`") } else { name }
}

/// A string's literal.
pub(super) fn literal(text: &str) -> String {
    let code = |c: char| format!("\\u{{{:x}}}", u32::from(c));
    // Nor what begins another kind of string, or a comment: programs that colour Swift take a
    // comment's beginning in one string and its end in the next for one.
    text::literal('"', text, &[], |out, c| *out += &code(c)).replace('#', &code('#')).replace('*', &code('*'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_stay_on_their_lines() {
        assert_eq!(docs("Ends here,\r\n\nnot */\rthere."), "/// Ends here,\n///\n/// not * /\n/// there.");
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
        assert_eq!(literal("a\"#\\(b)\nü"), "\"a\\\"\\u{23}\\\\(b)\\u{a}\\u{fc}\"");
    }
}
