//! Kotlin's text: lines, comments, names.

use undergo::names;

use super::super::lines::Lines;

/// Comments for documentation.
pub(super) trait Docs {
    fn docs(&mut self, indent: usize, docs: &str);
}

impl Docs for Lines {
    fn docs(&mut self, indent: usize, docs: &str) {
        // What would end the comment, or begin another within it.
        self.block_comment(indent, &docs.replace("*/", "*&#47;").replace("/*", "&#47;*"));
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
        let mut lines = Lines::new("    ");
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
