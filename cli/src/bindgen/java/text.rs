//! Java's text: comments, literals, names.

use undergo::interface::names;

use crate::bindgen::text;

/// A comment for documentation, line by line.
pub(super) fn docs(text: &str) -> Vec<String> {
    documented(text, None)
}

/// The same with what a method throws, as the text of a tag.
pub(super) fn documented(text: &str, throws: Option<&str>) -> Vec<String> {
    let mut lines: Vec<String> = text::lines(text).iter().map(|line| harmless(line)).collect();
    if let Some(throws) = throws {
        lines.extend([String::new(), format!("@throws {throws}")]);
    }
    text::block_comment(&lines).lines().map(str::to_owned).collect()
}

/// A line without what would end the comment, or mean something in it: Java reads `\u002a` as a
/// star there, too, and Javadoc has tags and HTML.
fn harmless(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    for c in line.chars() {
        match c {
            '\\' => out.push_str("&#92;"),
            '/' if out.ends_with('*') => out.push_str("&#47;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '@' => out.push_str("&#64;"),
            _ => out.push(c),
        }
    }
    out
}

/// A string's literal. Java reads `\u000a` as the end of a line even here, so what controls has
/// another escape.
pub(super) fn literal(text: &str) -> String {
    text::literal('"', text, &[], |out, c| match u32::from(c) {
        code @ ..=0xff => *out += &format!("\\{code:03o}"),
        _ => text::utf16(out, c),
    })
}

/// A name of WIT as one of a component, a parameter or a method: `minor-units` is `minorUnits`.
pub(super) fn identifier(kebab: &str) -> String {
    #[rustfmt::skip]
    const KEYWORDS: [&str; 55] = [
        "_", "abstract", "assert", "boolean", "break", "byte", "case", "catch", "char", "class", "const", "continue", "default", "do", "double", "else",
        "enum", "extends", "false", "final", "finally", "float", "for", "goto", "if", "implements", "import", "instanceof", "int", "interface", "long",
        "native", "new", "null", "package", "private", "protected", "public", "return", "short", "static", "strictfp", "super", "switch", "synchronized",
        "this", "throw", "throws", "transient", "true", "try", "void", "volatile", "while", "yield",
    ];
    let mut name = text::camel(kebab);
    if !name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
        name.insert(0, '_');
    }
    if KEYWORDS.contains(&name.as_str()) {
        name.push('_');
    }
    name
}

/// Methods of every object, which no export may be called like, nor a record's component.
pub(super) const OF_OBJECTS: [&str; 9] = ["clone", "equals", "finalize", "getClass", "hashCode", "notify", "notifyAll", "toString", "wait"];

/// The name of a file's class: letters and digits.
pub(super) fn class(kebab: &str) -> String {
    let name: String = names::pascal(kebab).chars().filter(char::is_ascii_alphanumeric).collect();
    if is_class(&name) { name } else { format!("Plugin{name}") }
}

/// Whether that is the name of a class, as a file may have it.
pub(super) fn is_class(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_uppercase()) && name.chars().all(|c| c.is_ascii_alphanumeric())
}

/// Whether that is the name of a package.
pub(super) fn is_package(name: &str) -> bool {
    name.split('.').all(|word| {
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        word.starts_with(|c: char| c.is_ascii_lowercase()) && word.chars().all(fits) && identifier_is_free(word)
    })
}

/// Whether a word of small letters is no keyword.
fn identifier_is_free(word: &str) -> bool {
    !identifier(&word.replace('_', "-")).ends_with('_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_stay_closed() {
        assert_eq!(
            docs("Ends */ here: \\u002a/,\nand <b> @there."),
            ["/**", " * Ends *&#47; here: &#92;u002a/,", " * and &lt;b&gt; &#64;there.", " */"]
        );
        assert_eq!(docs("**/"), ["/** **&#47; */"]);
        assert!(docs(" \n").is_empty());
    }

    #[test]
    fn literals_hold_what_they_are_given() {
        assert_eq!(literal("a\"\\u0022\n\u{7f}ü€🙂"), "\"a\\\"\\\\u0022\\012\\177\\374\\u20ac\\ud83d\\ude42\"");
    }

    #[test]
    fn names_are_javas() {
        assert_eq!(
            ["class", "minor-units", "1st", "", "__", "yield"].map(identifier),
            ["class_", "minorUnits", "_1st", "__", "__", "yield_"]
        );
        assert!(
            is_package("com.example.my_app2") && !is_package("com.int") && !is_package("Com") && !is_package("a..b") && !is_package("")
        );
        assert!(is_class("GreeterPlugin") && !is_class("greeter") && !is_class("A$B"));
    }
}
