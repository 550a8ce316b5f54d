//! Kotlin's text: lines, comments, names.

use undergo::names;

/// A text in the making.
#[derive(Default)]
pub(super) struct Lines(String);

impl Lines {
    pub(super) fn line(&mut self, indent: usize, text: &str) {
        if !text.is_empty() {
            self.0.push_str(&"    ".repeat(indent));
            self.0.push_str(text);
        }
        self.0.push('\n');
    }

    pub(super) fn blank(&mut self) {
        self.0.push('\n');
    }

    /// A comment for documentation.
    pub(super) fn docs(&mut self, indent: usize, docs: &str) {
        // What would end the comment, or begin another within it.
        let docs = docs.trim().replace("*/", "*&#47;").replace("/*", "&#47;*");
        let lines: Vec<&str> = docs.lines().map(str::trim_end).collect();
        match lines.as_slice() {
            [] => {}
            [one] => self.line(indent, &format!("/** {one} */")),
            many => {
                self.line(indent, "/**");
                for line in many {
                    self.line(indent, format!(" * {line}").trim_end());
                }
                self.line(indent, " */");
            }
        }
    }

    pub(super) fn finish(self) -> String {
        self.0
    }
}

/// A name of WIT as one of a property, a parameter or a method: `minor-units` is `minorUnits`.
pub(super) fn identifier(kebab: &str) -> String {
    #[rustfmt::skip]
    const KEYWORDS: [&str; 28] = [
        "as", "break", "class", "continue", "do", "else", "false", "for", "fun", "if", "in", "interface", "is", "null", "object", "package", "return", "super",
        "this", "throw", "true", "try", "typealias", "typeof", "val", "var", "when", "while",
    ];
    let name: String = names::camel(kebab).chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '_' }).collect();
    if KEYWORDS.contains(&name.as_str()) || !name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
        format!("`{name}`")
    } else {
        name
    }
}

/// A string's literal.
pub(super) fn literal(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('$', "\\$"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_stay_closed() {
        let mut lines = Lines::default();
        lines.docs(1, "Ends */ here,\nand /* there.");
        assert_eq!(lines.finish(), "    /**\n     * Ends *&#47; here,\n     * and &#47;* there.\n     */\n");
    }

    #[test]
    fn keywords_are_quoted() {
        assert_eq!(identifier("class"), "`class`");
        assert_eq!(identifier("minor-units"), "minorUnits");
        assert_eq!(literal("a\"$b"), "\"a\\\"\\$b\"");
    }
}
