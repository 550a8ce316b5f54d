//! Rust's text: comments, literals, names.

use crate::bindgen::text;

/// A comment for documentation whose lines begin with `mark`, such as `///`.
///
/// What has a meaning in Markdown stands behind a backslash, and no line has two spaces in a row:
/// an indented or fenced block would be a program that `cargo test` runs.
pub(super) fn docs(mark: &str, docs: &str) -> String {
    let lines = text::lines(docs).into_iter().map(|line| format!("{mark} {}", harmless(&line)).trim_end().to_owned());
    lines.collect::<Vec<_>>().join("\n")
}

fn harmless(line: &str) -> String {
    const PLAIN: &str = " !\"'(),-./:;=?_%";
    let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut out = String::with_capacity(line.len());
    for c in line.chars() {
        if c.is_ascii_punctuation() && !PLAIN.contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// A name of WIT as one of a field, a parameter or a function: `minor-units` is `minor_units`.
pub(super) fn identifier(kebab: &str) -> String {
    // A parameter of such a name would be a pattern: the variant of an option or a result.
    const VARIANTS: [&str; 4] = ["None", "Some", "Ok", "Err"];
    let name = written(text::snake(kebab));
    if VARIANTS.contains(&name.as_str()) { name + "_" } else { name }
}

/// The name, as a raw one if it is a keyword.
pub(super) fn written(mut name: String) -> String {
    #[rustfmt::skip]
    const KEYWORDS: [&str; 48] = [
        "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "do", "dyn", "else", "enum", "extern", "false", "final", "fn", "for",
        "gen", "if", "impl", "in", "let", "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return", "static", "struct", "trait",
        "true", "try", "type", "typeof", "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
    ];
    // These can't be raw.
    const RESERVED: [&str; 6] = ["", "_", "Self", "self", "super", "crate"];
    if name.starts_with(|c: char| c.is_ascii_digit()) {
        name.insert(0, '_');
    }
    if RESERVED.contains(&name.as_str()) {
        name.push_str(if name.len() < 2 { "_n" } else { "_" });
    }
    if KEYWORDS.contains(&name.as_str()) { format!("r#{name}") } else { name }
}

/// A name without the mark of a raw one.
pub(super) fn plain(name: &str) -> &str {
    name.strip_prefix("r#").unwrap_or(name)
}

/// A string's literal.
pub(super) fn literal(text: &str) -> String {
    text::literal('"', text, &[], |out, c| out.push_str(&format!("\\u{{{:x}}}", u32::from(c))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_have_no_programs_and_no_links() {
        let found = docs("///", "```rust\n    panic!()\n~~~ [Vec] <b>\n\n1.     x_y\u{2028} */ # ü");
        let wanted = ["/// \\`\\`\\`rust", "/// panic!()", "/// \\~\\~\\~ \\[Vec\\] \\<b\\>", "///", "/// 1. x_y", "/// \\*/ \\# ü"];
        assert_eq!(found, wanted.join("\n"));
    }

    #[test]
    fn names_are_rusts() {
        let given = ["type", "self", "Self", "minor-units", "1st", "_", "__", "", "a.b*/ü", "gen", "None"];
        assert_eq!(
            given.map(identifier),
            ["r#type", "self_", "Self_", "minor_units", "_1st", "__n", "__", "_n", "a_b___", "r#gen", "None_"]
        );
        assert_eq!(plain("r#type"), "type");
    }

    #[test]
    fn literals_hold_what_they_are_given() {
        assert_eq!(literal("a\"\\\n`ü🙂"), "\"a\\\"\\\\\\u{a}`\\u{fc}\\u{1f642}\"");
    }
}
