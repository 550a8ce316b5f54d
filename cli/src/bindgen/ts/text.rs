//! The text of a TypeScript module, line by line.

use super::super::lines::Lines;
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

/// What TypeScript has of its own.
pub(super) trait Code {
    /// Writes a doc comment, which its text can't end.
    fn docs(&mut self, indent: usize, text: &str);

    /// A method of an interface.
    fn signature(&mut self, indent: usize, name: &str, params: &[String], result: &str);

    /// The head of a function.
    fn function(&mut self, name: &str, params: &[String], result: &str);

    /// A call of a function.
    fn call(&mut self, function: &str, args: &[String]);
}

impl Code for Lines {
    fn docs(&mut self, indent: usize, text: &str) {
        // Nor does it tell the compiler what to check.
        self.block_comment(indent, text, |line| text::apart(line, '*', '/', "\\").replace("@ts-", "@ ts-"));
    }

    fn signature(&mut self, indent: usize, name: &str, params: &[String], result: &str) {
        broken(self, indent, name, params, &format!(": {result}"));
    }

    fn function(&mut self, name: &str, params: &[String], result: &str) {
        broken(self, 0, name, params, &format!(": {result} {{"));
    }

    fn call(&mut self, function: &str, args: &[String]) {
        broken(self, 0, function, args, "");
    }
}

fn broken(out: &mut Lines, indent: usize, name: &str, params: &[String], end: &str) {
    let one = format!("{name}({}){end}", params.join(", "));
    if indent * 2 + one.chars().count() <= WIDTH || params.is_empty() {
        return out.line(indent, &one);
    }
    out.line(indent, &format!("{name}("));
    for (i, param) in params.iter().enumerate() {
        out.line(indent + 1, &format!("{param}{}", if i + 1 < params.len() { "," } else { "" }));
    }
    out.line(indent, &format!("){end}"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_stay_closed_and_names_are_names() {
        let mut out = Lines::new("  ");
        out.docs(1, "a */ b\n\nc");
        assert_eq!(out.finish(), "  /**\n   * a *\\/ b\n   *\n   * c\n   */\n");
        out.docs(0, "@ts-expect-error **/ /");
        assert_eq!(out.finish(), "/** @ ts-expect-error **\\/ / */\n");
        assert_eq!(property("a.b\r\u{2028}`"), "'a.b\\u000d\\u2028`'");
        assert_eq!((parameter("class").as_str(), parameter("user-id").as_str()), ("class_", "userId"));
        assert_eq!((key("new").as_str(), key("__proto__").as_str(), parameter("1\u{fc}").as_str()), ("'new'", "__proto__", "_1_"));
        assert_eq!((key("user-id").as_str(), property("a.b'c").as_str()), ("userId", "'a.b\\'c'"));
    }
}
