//! Kotlin's text: comments, literals, names.

use crate::bindgen::text;

/// A comment for documentation; nothing for no text.
pub(super) fn docs(text: &str) -> String {
    text::block_comment(&text::lines(text).iter().map(|line| harmless(line)).collect::<Vec<_>>())
}

/// A line without what would end the comment, or begin another within it.
pub(super) fn harmless(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut letters = line.chars().peekable();
    let mut last = None;
    while let Some(c) = letters.next() {
        if c == '/' && (last == Some('*') || letters.peek() == Some(&'*')) {
            out.push_str("&#47;");
        } else {
            out.push(c);
        }
        last = Some(c);
    }
    out
}

/// A name of WIT as one of a property, a parameter or a method: `minor-units` is `minorUnits`.
pub(super) fn identifier(kebab: &str) -> String {
    #[rustfmt::skip]
    const KEYWORDS: [&str; 28] = [
        "as", "break", "class", "continue", "do", "else", "false", "for", "fun", "if", "in", "interface", "is", "null", "object", "package", "return", "super",
        "this", "throw", "true", "try", "typealias", "typeof", "val", "var", "when", "while",
    ];
    let mut name = text::camel(kebab);
    if name.chars().all(|c| c == '_') {
        // Kotlin keeps these for itself.
        name.push('n');
    }
    if KEYWORDS.contains(&name.as_str()) || !name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
        format!("`{name}`")
    } else {
        name
    }
}

/// A string's literal.
pub(super) fn literal(text: &str) -> String {
    text::literal('"', text, &['$'], text::utf16)
}

/// The literal of a number of 64 bits, as a long: Kotlin has none above the largest long.
pub(super) fn long(bits: u64) -> String {
    format!("{bits:#018x}uL.toLong()")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_stay_closed() {
        assert_eq!(docs("Ends */ here,\nand /* there."), "/**\n * Ends *&#47; here,\n * and &#47;* there.\n */");
        assert_eq!(docs("/*/ **/ /**/"), "/** &#47;*&#47; **&#47; &#47;**&#47; */");
    }

    #[test]
    fn keywords_are_quoted() {
        assert_eq!(identifier("class"), "`class`");
        assert_eq!(identifier("minor-units"), "minorUnits");
        assert_eq!((identifier("__"), identifier(""), identifier("1\u{fc}")), ("__n".to_owned(), "n".to_owned(), "`1_`".to_owned()));
        assert_eq!(literal("a\"$b\r\u{2028}"), "\"a\\\"\\$b\\u000d\\u2028\"");
    }
}
