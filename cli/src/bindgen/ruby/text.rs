//! Lines of Ruby.

use undergo::names;

use super::super::lines::Lines;

const KEYWORDS: [&str; 41] = [
    "BEGIN",
    "END",
    "__ENCODING__",
    "__FILE__",
    "__LINE__",
    "alias",
    "and",
    "begin",
    "break",
    "case",
    "class",
    "def",
    "defined?",
    "do",
    "else",
    "elsif",
    "end",
    "ensure",
    "false",
    "for",
    "if",
    "in",
    "module",
    "next",
    "nil",
    "not",
    "or",
    "redo",
    "rescue",
    "retry",
    "return",
    "self",
    "super",
    "then",
    "true",
    "undef",
    "unless",
    "until",
    "when",
    "while",
    "yield",
];

/// The Ruby name for a WIT name, where a keyword can't be: snake_case, with an underscore behind a keyword.
pub(super) fn identifier(kebab: &str) -> String {
    let mut name = names::snake(kebab);
    if KEYWORDS.contains(&name.as_str()) {
        name.push('_');
    }
    name
}

/// Whether Ruby takes it for the name of a method or variable. Those of bare modules may be anything.
pub(super) fn is_identifier(name: &str) -> bool {
    let start = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_');
    start && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// A symbol, quoted where it must be.
pub(super) fn symbol(name: &str) -> String {
    if is_identifier(name) { format!(":{name}") } else { format!(":{}", quoted(name)) }
}

/// A string in quotes. What it says can't end it, nor be run.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        if matches!(c, '"' | '\\' | '#') {
            out.push('\\');
        }
        out.push(if c.is_control() { ' ' } else { c });
    }
    out.push('"');
    out
}

/// Comments.
pub(super) trait Docs {
    fn comment(&mut self, indent: usize, text: &str);
}

impl Docs for Lines {
    /// Writes as many as the text has lines.
    fn comment(&mut self, indent: usize, text: &str) {
        for line in text.trim().split(['\n', '\r']) {
            self.line(indent, format!("# {}", line.trim_end()).trim_end());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_texts_stay_what_they_are() {
        assert_eq!(identifier("class"), "class_");
        assert_eq!(identifier("user-id"), "user_id");
        assert_eq!(symbol("a.b"), ":\"a.b\"");
        assert_eq!(quoted("a\"#{b}\\"), "\"a\\\"\\#{b}\\\\\"");
        let mut out = Lines::new("  ");
        out.comment(1, "one\r\n\n=end");
        assert_eq!(out.finish(), "  # one\n  #\n  #\n  # =end\n");
    }
}
