//! Lines of Python.

use undergo::interface::RecordType;

use crate::bindgen::text;

/// The width that lines are kept to, where they can be broken.
const WIDTH: usize = 88;

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

/// Text in the making; and the same without docstrings, to see what the code refers to.
#[derive(Default)]
pub(super) struct Lines {
    text: String,
    code: String,
}

impl Lines {
    pub(super) fn line(&mut self, indent: usize, text: &str) {
        self.prose(indent, text);
        self.code.push_str(text);
        self.code.push('\n');
    }

    fn prose(&mut self, indent: usize, text: &str) {
        if !text.is_empty() {
            self.text.push_str(&"    ".repeat(indent));
            self.text.push_str(text);
        }
        self.text.push('\n');
    }

    pub(super) fn code(&self) -> &str {
        &self.code
    }

    pub(super) fn blank(&mut self, lines: usize) {
        for _ in 0..lines {
            self.text.push('\n');
        }
    }

    /// `def name(params) -> result` and `end`, broken as the common formatters break it.
    pub(super) fn signature(&mut self, indent: usize, name: &str, params: &[String], result: &str, end: &str) {
        let all = params.join(", ");
        let one = format!("def {name}({all}) -> {result}{end}");
        if indent * 4 + one.chars().count() <= WIDTH {
            self.line(indent, &one);
            return;
        }
        self.line(indent, &format!("def {name}("));
        if (indent + 1) * 4 + all.chars().count() <= WIDTH {
            self.line(indent + 1, &all);
        } else {
            for param in params {
                // A slash or star with a comma behind it is right everywhere but at the end after a
                // star, which does not occur.
                self.line(indent + 1, &format!("{param},"));
            }
        }
        self.line(indent, &format!(") -> {result}{end}"));
    }

    /// `result: type = f(arguments)`, broken likewise: within the parentheses, or, where that is no
    /// help, around the call.
    pub(super) fn call(&mut self, indent: usize, assigned: &str, target: &str, arguments: &str) {
        let one = format!("{assigned}{target}{arguments})");
        if indent * 4 + one.chars().count() <= WIDTH {
            self.line(indent, &one);
        } else if indent * 4 + assigned.len() + target.len() > WIDTH {
            self.line(indent, &format!("{assigned}("));
            self.call(indent + 1, "", target, arguments);
            self.line(indent, ")");
        } else {
            self.line(indent, &format!("{assigned}{target}"));
            self.line(indent + 1, arguments);
            self.line(indent, ")");
        }
    }

    /// `Name: TypeAlias = A | B`, broken where it is too long. Of many classes Python makes no
    /// such union in time, and no parser reads so long a chain.
    pub(super) fn union(&mut self, name: &str, classes: &[String]) {
        const MANY: usize = 64;
        let one = format!("{name}: TypeAlias = {}", classes.join(" | "));
        if classes.len() > MANY {
            self.line(0, &format!("{name}: TypeAlias = Union["));
            classes.iter().for_each(|class| self.line(1, &format!("{class},")));
            self.line(0, "]");
        } else if one.chars().count() <= WIDTH {
            self.line(0, &one);
        } else {
            self.line(0, &format!("{name}: TypeAlias = ("));
            for (i, class) in classes.iter().enumerate() {
                self.line(1, &format!("{}{class}", if i == 0 { "" } else { "| " }));
            }
            self.line(0, ")");
        }
    }

    /// `name = (a, b)`, broken where it is too long.
    pub(super) fn tuple(&mut self, indent: usize, assigned: &str, items: &[String]) {
        let one = format!("{assigned}({}{})", items.join(", "), if items.len() == 1 { "," } else { "" });
        if indent * 4 + one.chars().count() <= WIDTH {
            self.line(indent, &one);
            return;
        }
        self.line(indent, &format!("{assigned}("));
        items.iter().for_each(|item| self.line(indent + 1, &format!("{item},")));
        self.line(indent, ")");
    }

    pub(super) fn finish(self) -> String {
        self.text
    }

    /// Writes a docstring. What the text says can't end it, nor escape.
    pub(super) fn docstring(&mut self, indent: usize, text: &str) {
        let mut lines = text::lines(text).into_iter().map(|line| harmless(&line));
        let first = lines.next().unwrap_or_default();
        if lines.len() == 0 {
            self.prose(indent, &format!("\"\"\"{first}\"\"\""));
            return;
        }
        self.prose(indent, &format!("\"\"\"{first}"));
        for line in lines {
            self.prose(indent, &line);
        }
        self.prose(indent, "\"\"\"");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn docstrings_stay_closed() {
        let mut out = Lines::default();
        out.docstring(1, "Says \"\"\" and \\n \"x\"");
        assert_eq!(out.finish(), "    \"\"\"Says \\\"\\\"\\\" and \\\\n \"x\\\"\"\"\"\n");
        for (text, shown) in [
            ("ends with \"\"\"", "\"\"\"ends with \\\"\\\"\\\"\"\"\"\n"),
            ("a \"\"\"\" b", "\"\"\"a \\\"\\\"\\\"\\\" b\"\"\"\n"),
            ("ends with \\", "\"\"\"ends with \\\\\"\"\"\n"),
            ("ends with \\\"", "\"\"\"ends with \\\\\\\"\"\"\"\n"),
            ("\"", "\"\"\"\\\"\"\"\"\n"),
            ("one\r>>> two()", "\"\"\"one\n> > > two()\n\"\"\"\n"),
        ] {
            let mut out = Lines::default();
            out.docstring(0, text);
            assert_eq!(out.finish(), shown, "{text}");
        }
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
