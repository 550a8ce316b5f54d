//! Ruby's text: names, literals, comments.

use undergo::interface::names;

use crate::bindgen::text;

#[rustfmt::skip]
const KEYWORDS: [&str; 41] = [
    "BEGIN", "END", "__ENCODING__", "__FILE__", "__LINE__", "alias", "and", "begin", "break", "case", "class", "def", "defined?", "do", "else", "elsif",
    "end", "ensure", "false", "for", "if", "in", "module", "next", "nil", "not", "or", "redo", "rescue", "retry", "return", "self", "super", "then",
    "true", "undef", "unless", "until", "when", "while", "yield",
];

/// The Ruby name of a parameter for a WIT name: snake_case, in lower case, since constants have
/// capitals, with an underscore behind a keyword.
pub(super) fn identifier(kebab: &str) -> String {
    let mut name = text::snake(kebab).to_lowercase();
    if KEYWORDS.contains(&name.as_str()) {
        name.push('_');
    }
    name
}

/// The Ruby constant for a WIT name.
pub(super) fn constant(kebab: &str) -> String {
    let mut name = text::snake(kebab).to_uppercase();
    if KEYWORDS.contains(&name.as_str()) {
        name.push('_');
    }
    name
}

/// Whether Ruby takes it for the name of a method or variable. Those of bare modules may be
/// anything.
pub(super) fn is_identifier(name: &str) -> bool {
    let start = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_');
    start && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Whether a function can be a method. Names that begin with two underscores mean something to
/// Ruby.
pub(super) fn is_method(kebab: &str) -> bool {
    let name = names::snake(kebab);
    is_identifier(&name) && !name.starts_with("__")
}

/// A symbol, quoted where it must be.
pub(super) fn symbol(name: &str) -> String {
    if is_identifier(name) { format!(":{name}") } else { format!(":{}", quoted(name)) }
}

/// A string in quotes. What it says can't end it, nor be run.
pub(super) fn quoted(text: &str) -> String {
    text::literal('"', text, &['#'], |out, c| *out += &format!("\\u{{{:x}}}", u32::from(c)))
}

/// A comment, of as many lines as the text has; none for no text. None of them tells Ruby how to
/// read the file.
pub(super) fn comment(text: &str) -> String {
    const MAGIC: [&str; 6] = ["coding", "encoding", "frozen_string_literal", "shareable_constant_value", "warn_indent", "warn_past_scope"];
    let harmless = |line: &String| {
        let first = line.split(':').next().unwrap_or_default().trim().to_lowercase().replace('-', "_");
        let line = apart(line);
        if MAGIC.contains(&first.as_str()) { format!("# ({line})") } else { format!("# {line}").trim_end().to_owned() }
    };
    text::lines(text).iter().map(harmless).collect::<Vec<_>>().join("\n")
}

/// The text as a part of a comment's line, behind other words.
pub(super) fn prose(text: &str) -> String {
    apart(&text::one_line(text))
}

fn apart(line: &str) -> String {
    line.replace("-*-", "- * -")
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
        assert_eq!(quoted("ü\n\u{2028}"), "\"\\u{fc}\\u{a}\\u{2028}\"");
        assert_eq!(
            (identifier("URL"), constant("end"), constant("begin-it")),
            ("url".to_owned(), "END_".to_owned(), "BEGIN_IT".to_owned())
        );
        assert_eq!(comment("one\r\n\n=end"), "# one\n#\n# =end");
        assert_eq!(
            comment("Shareable-Constant-Value: literal\n-*- encoding: big5 -*-\nencoding of text"),
            "# (Shareable-Constant-Value: literal)\n# - * - encoding: big5 - * -\n# encoding of text"
        );
        assert_eq!(prose("a\n-*-"), "a - * -");
    }
}
