//! Text of a plugin on its way into a file, as far as that is the same in all languages: what a
//! language takes for the end of a comment or a string is in its own `text.rs`.
//!
//! All that a plugin says of itself comes into a file by one of three ways of its language: as an
//! identifier, as a literal, or in a comment. What is not known to be harmless there is replaced or
//! escaped, whatever the core has refused before.

use undergo::host::escape;
use undergo::interface::names;

/// A comment's lines, of plain characters and tabs.
pub(super) fn lines(text: &str) -> Vec<String> {
    escape::docs(text).trim().lines().map(|line| line.trim_end().to_owned()).collect()
}

/// A comment in one line.
pub(super) fn one_line(text: &str) -> String {
    lines(text).join(" ")
}

/// The comment `/** … */` of lines that don't end it, on one line if there is one; nothing of none.
pub(super) fn block_comment(lines: &[String]) -> String {
    match lines {
        [] => String::new(),
        [one] => format!("/** {one} */"),
        many => many.iter().fold("/**\n".to_owned(), |out, line| out + format!(" * {line}").trim_end() + "\n") + " */",
    }
}

/// Keeps two characters apart wherever they follow each other.
pub(super) fn apart(text: &str, first: char, second: char, between: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut last = None;
    for c in text.chars() {
        if last == Some(first) && c == second {
            out.push_str(between);
        }
        out.push(c);
        last = Some(c);
    }
    out
}

/// A literal between quotes: characters of ASCII that mean nothing in it stay, and `escaped` writes
/// all others.
pub(super) fn literal(quote: char, text: &str, special: &[char], escaped: impl Fn(&mut String, char)) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push(quote);
    for c in text.chars() {
        if c == quote || c == '\\' || special.contains(&c) {
            out.extend(['\\', c]);
        } else if matches!(c, ' '..='~') {
            out.push(c);
        } else {
            escaped(&mut out, c);
        }
    }
    out.push(quote);
    out
}

/// An escape of four digits for each unit of UTF-16, as several languages have them.
pub(super) fn utf16(out: &mut String, c: char) {
    for unit in c.encode_utf16(&mut [0; 2]) {
        out.push_str(&format!("\\u{unit:04x}"));
    }
}

/// A name in snake_case of letters and digits of ASCII and underscores, whatever it was; it may
/// begin with a digit.
pub(super) fn snake(name: &str) -> String {
    word(&names::snake(name))
}

/// The same in camelCase.
pub(super) fn camel(name: &str) -> String {
    word(&names::camel(name))
}

fn word(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_has_plain_lines() {
        assert_eq!(lines(" a\rb \u{2028}\n\x1b]c "), ["a", "b", "", "\u{fffd}]c"]);
        assert_eq!(one_line("a\nb"), "a b");
        assert_eq!(
            ["", " one ", "two\n\nthree"].map(|text| block_comment(&lines(text))),
            ["", "/** one */", "/**\n * two\n *\n * three\n */"]
        );
        assert_eq!(apart("**/*//", '*', '/', " "), "** /* //");
        assert_eq!(apart("????/", '?', '?', " "), "? ? ? ?/");
    }

    #[test]
    fn a_literal_has_what_it_was_given() {
        assert_eq!(literal('"', "a\"\\$ü🙂\n", &['$'], utf16), "\"a\\\"\\\\\\$\\u00fc\\ud83d\\ude42\\u000a\"");
    }

    #[test]
    fn a_name_is_a_word() {
        assert_eq!((snake("a-b.c ü"), camel("a-b.c*/")), ("a_b_c__".to_owned(), "aB_c__".to_owned()));
    }
}
