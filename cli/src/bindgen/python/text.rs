//! Python's text: names, literals, docstrings, and what is broken into lines.

use std::iter;

use undergo::interface::RecordType;

use crate::bindgen::text;

/// The width that lines are kept to, where they can be broken.
const WIDTH: usize = 88;

/// How far each level is indented.
const STEP: usize = 4;

pub(super) const KEYWORDS: [&str; 35] = [
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del", "elif", "else", "except",
    "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal", "not", "or", "pass", "raise", "return", "try",
    "while", "with", "yield",
];

/// Attributes that every error has, and names that the constructor of one uses.
const OF_ERRORS: [&str; 13] =
    ["add_note", "args", "denied", "exit_code", "frames", "kind", "message", "origin", "path", "self", "stderr", "super", "with_traceback"];

/// The Python name for a WIT name: snake_case, with an underscore behind a keyword. Letters beyond
/// ASCII are left out: Python takes several for the same.
pub(super) fn identifier(kebab: &str) -> String {
    let mut name = text::snake(kebab);
    if KEYWORDS.contains(&name.as_str()) {
        name.push('_');
    }
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
        name.insert(0, '_');
    }
    name
}

/// The same for a field of a record. Those of an error leave alone what every error has, as they do
/// where classes are made at run time.
pub(super) fn field(record: &RecordType, kebab: &str) -> String {
    let mut name = identifier(kebab);
    if record.is_error && OF_ERRORS.contains(&name.as_str()) {
        name.push('_');
    }
    name
}

/// Whether a name of a bare module, which may be anything, can be that of a method. Names that
/// begin with two underscores mean something to Python.
pub(super) fn is_method(name: &str) -> bool {
    let start = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && !name.starts_with("__");
    start && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
}

/// A string's literal.
pub(super) fn literal(text: &str) -> String {
    text::literal('"', text, &[], |out, c| {
        *out += &match u32::from(c) {
            code @ 0..=0xff => format!("\\x{code:02x}"),
            code @ ..=0xffff => format!("\\u{code:04x}"),
            code => format!("\\U{code:08x}"),
        };
    })
}

/// A line of a docstring, which can't end it, nor escape, nor be taken for a test of doctest's.
fn harmless(line: &str) -> String {
    let line = line.replace('\\', "\\\\").replace(">>>", "> > >");
    let mut out = String::with_capacity(line.len());
    let mut letters = line.chars().peekable();
    let mut after_quote = false;
    while let Some(c) = letters.next() {
        // A single one within the line can't end anything.
        if c == '"' && (after_quote || matches!(letters.peek(), None | Some('"'))) {
            out.push('\\');
        }
        after_quote = c == '"';
        out.push(c);
    }
    out
}

/// A docstring. What the text says can't end it, nor escape.
pub(super) fn docstring(text: &str) -> String {
    let lines: Vec<String> = text::lines(text).iter().map(|line| harmless(line)).collect();
    let end = if lines.len() > 1 { "\n" } else { "" };
    format!("\"\"\"{}{end}\"\"\"", lines.join("\n"))
}

/// The same as a part of a docstring's line, between words.
pub(super) fn prose(text: &str) -> String {
    harmless(&text::one_line(text))
}

/// The head of a method, broken as the common formatters break it.
pub(super) fn signature(name: &str, params: impl Iterator<Item = String>, result: &str) -> String {
    let params: Vec<String> = iter::once("self".to_owned()).chain(params).collect();
    let all = params.join(", ");
    let one = format!("def {name}({all}) -> {result}:");
    if STEP + one.len() <= WIDTH {
        return one;
    }
    let inner = match 2 * STEP + all.len() <= WIDTH {
        true => format!("    {all}\n"),
        // A slash or star with a comma behind it is right everywhere but at the end after a star,
        // which does not occur.
        false => params.iter().map(|param| format!("    {param},\n")).collect(),
    };
    format!("def {name}(\n{inner}) -> {result}:")
}

/// `result: type = f(arguments)`, broken likewise: within the parentheses, or, where that is no
/// help, around the call.
pub(super) fn call(indent: usize, assigned: &str, target: &str, arguments: &str) -> String {
    let one = format!("{assigned}{target}{arguments})");
    let is_bare = assigned.is_empty();
    if indent + one.len() <= WIDTH || is_bare && arguments.is_empty() {
        one
    } else if is_bare || indent + assigned.len() + target.len() <= WIDTH {
        format!("{assigned}{target}\n    {arguments}\n)")
    } else {
        format!("{assigned}(\n    {}\n)", call(indent + STEP, "", target, arguments).replace('\n', "\n    "))
    }
}

/// `Name: TypeAlias = A | B`, broken where it is too long. Of many classes Python makes no such
/// union in time, and no parser reads so long a chain.
pub(super) fn union(name: &str, classes: &[String]) -> String {
    let one = format!("{name}: TypeAlias = {}", classes.join(" | "));
    if is_long(classes) {
        format!("{name}: TypeAlias = Union[\n    {},\n]", classes.join(",\n    "))
    } else if one.len() <= WIDTH {
        one
    } else {
        format!("{name}: TypeAlias = (\n    {}\n)", classes.join("\n    | "))
    }
}

/// Whether a union of so many classes is written with `Union`.
pub(super) fn is_long(classes: &[String]) -> bool {
    classes.len() > 64
}

/// `name = (a, b)` in a class, broken where it is too long.
pub(super) fn tuple(assigned: &str, items: &[String]) -> String {
    let one = format!("{assigned}({}{})", items.join(", "), if items.len() == 1 { "," } else { "" });
    if STEP + one.len() <= WIDTH {
        return one;
    }
    format!("{assigned}(\n    {},\n)", items.join(",\n    "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn docstrings_stay_closed() {
        for (text, shown) in [
            ("Says \"\"\" and \\n \"x\"", "\"\"\"Says \\\"\\\"\\\" and \\\\n \"x\\\"\"\"\""),
            ("ends with \"\"\"", "\"\"\"ends with \\\"\\\"\\\"\"\"\""),
            ("a \"\"\"\" b", "\"\"\"a \\\"\\\"\\\"\\\" b\"\"\""),
            ("ends with \\", "\"\"\"ends with \\\\\"\"\""),
            ("ends with \\\"", "\"\"\"ends with \\\\\\\"\"\"\""),
            ("\"", "\"\"\"\\\"\"\"\""),
            ("one\r>>> two()", "\"\"\"one\n> > > two()\n\"\"\""),
        ] {
            assert_eq!(docstring(text), shown, "{text}");
        }
    }

    #[test]
    fn calls_are_broken_where_they_are_too_long() {
        let target = format!("{}(", "f".repeat(87));
        let (assigned, short) = ("result: tuple[str] = ", &target[20..]);
        assert_eq!(call(8, "", "f(", "a"), "f(a)");
        assert_eq!(call(8, "", short, "a, b, c, d, e"), format!("{short}\n    a, b, c, d, e\n)"));
        assert_eq!(call(8, assigned, short, "a"), format!("{assigned}(\n    {short}a)\n)"));
        assert_eq!(call(8, assigned, &target, "a"), format!("{assigned}(\n    {target}\n        a\n    )\n)"));
        assert_eq!(call(8, "", &target, ""), format!("{target})"));
    }

    #[test]
    fn literals_are_of_ascii() {
        assert_eq!(literal("a\"b\\ü\u{2028}\u{1f642}\r"), "\"a\\\"b\\\\\\xfc\\u2028\\U0001f642\\x0d\"");
    }

    #[test]
    fn keywords_get_an_underscore() {
        assert_eq!(identifier("class"), "class_");
        assert_eq!(identifier("user-id"), "user_id");
        assert_eq!((identifier("1\u{ff49}f"), identifier("")), ("_1_f".to_owned(), "_".to_owned()));
        assert!(is_method("add_two") && is_method("a-b") && is_method("_x"));
        assert!(!is_method("a.b") && !is_method("2a") && !is_method("") && !is_method("__init__") && !is_method("\u{ff49}f"));
    }
}
