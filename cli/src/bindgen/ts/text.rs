//! The text of a TypeScript module, line by line.

use undergo::names;

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
    let name = names::camel(kebab);
    if RESERVED.contains(&name.as_str()) || matches!(name.as_str(), "with" | "yield") { name + "_" } else { name }
}

/// A WIT name as the key of an object.
pub(super) fn key(kebab: &str) -> String {
    property(&names::camel(kebab))
}

/// A name as the key of an object.
pub(super) fn property(name: &str) -> String {
    let is_identifier = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_' || c == '$')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '$');
    if is_identifier { name.to_owned() } else { format!("'{}'", name.replace('\\', "\\\\").replace('\'', "\\'").replace('\n', "\\n")) }
}

#[derive(Default)]
pub(super) struct Lines {
    text: String,
}

impl Lines {
    pub(super) fn line(&mut self, indent: usize, text: &str) {
        if !text.is_empty() {
            self.text.push_str(&"  ".repeat(indent));
            self.text.push_str(text);
        }
        self.text.push('\n');
    }

    /// Writes a doc comment, which its text can't end.
    pub(super) fn docs(&mut self, indent: usize, text: &str) {
        let text = text.trim().replace("*/", "*\\/");
        let mut lines = text.lines();
        let Some(first) = lines.next() else { return };
        let rest: Vec<&str> = lines.collect();
        if rest.is_empty() {
            return self.line(indent, &format!("/** {first} */"));
        }
        self.line(indent, "/**");
        for line in [first].iter().chain(&rest) {
            self.line(indent, format!(" * {line}").trim_end());
        }
        self.line(indent, " */");
    }

    /// A method of an interface.
    pub(super) fn signature(&mut self, indent: usize, name: &str, params: &[String], result: &str) {
        self.broken(indent, name, params, result, "");
    }

    /// The head of a function.
    pub(super) fn function(&mut self, name: &str, params: &[String], result: &str) {
        self.broken(0, name, params, result, " {");
    }

    fn broken(&mut self, indent: usize, name: &str, params: &[String], result: &str, end: &str) {
        let one = format!("{name}({}): {result}{end}", params.join(", "));
        if indent * 2 + one.chars().count() <= WIDTH || params.is_empty() {
            return self.line(indent, &one);
        }
        self.line(indent, &format!("{name}("));
        for (i, param) in params.iter().enumerate() {
            self.line(indent + 1, &format!("{param}{}", if i + 1 < params.len() { "," } else { "" }));
        }
        self.line(indent, &format!("): {result}{end}"));
    }

    pub(super) fn finish(self) -> String {
        self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_stay_closed_and_names_are_names() {
        let mut out = Lines::default();
        out.docs(1, "a */ b\n\nc");
        assert_eq!(out.finish(), "  /**\n   * a *\\/ b\n   *\n   * c\n   */\n");
        assert_eq!((parameter("class").as_str(), parameter("user-id").as_str()), ("class_", "userId"));
        assert_eq!((key("user-id").as_str(), property("a.b'c").as_str()), ("userId", "'a.b\\'c'"));
    }
}
