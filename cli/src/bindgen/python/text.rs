//! Lines of Python.

use undergo::names;

/// The width that lines are kept to, where they can be broken.
const WIDTH: usize = 88;

pub(super) const KEYWORDS: [&str; 35] = [
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del", "elif", "else", "except",
    "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal", "not", "or", "pass", "raise", "return", "try",
    "while", "with", "yield",
];

/// The Python name for a WIT name: snake_case, with an underscore behind a keyword.
pub(super) fn identifier(kebab: &str) -> String {
    escape(names::snake(kebab))
}

fn escape(mut name: String) -> String {
    if KEYWORDS.contains(&name.as_str()) {
        name.push('_');
    }
    name
}

/// Whether Python takes it for a name. Those of bare modules may be anything.
pub(super) fn is_identifier(name: &str) -> bool {
    let start = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    start && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
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
                // A slash or star with a comma behind it is right everywhere but at the end after a star, which does not occur.
                self.line(indent + 1, &format!("{param},"));
            }
        }
        self.line(indent, &format!(") -> {result}{end}"));
    }

    /// `result: type = f(arguments)`, broken likewise: within the parentheses, or, where that is no help, around the call.
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

    pub(super) fn finish(self) -> String {
        self.text
    }

    /// Writes a docstring. What the text says can't end it, nor escape.
    pub(super) fn docstring(&mut self, indent: usize, text: &str) {
        let text = text.trim().replace('\\', "\\\\").replace("\"\"\"", "\\\"\\\"\\\"");
        // A quote at the end would be one of the four that end it.
        let text = text.strip_suffix('"').map_or(text.clone(), |rest| format!("{rest}\\\""));
        let mut lines = text.lines();
        let first = lines.next().unwrap_or_default();
        let rest: Vec<&str> = lines.collect();
        if rest.is_empty() {
            self.prose(indent, &format!("\"\"\"{first}\"\"\""));
            return;
        }
        self.prose(indent, &format!("\"\"\"{first}"));
        for line in rest {
            self.prose(if line.trim().is_empty() { 0 } else { indent }, line.trim_end());
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
    }

    #[test]
    fn keywords_get_an_underscore() {
        assert_eq!(identifier("class"), "class_");
        assert_eq!(identifier("user-id"), "user_id");
        assert!(is_identifier("add_two") && !is_identifier("a.b") && !is_identifier("2a") && !is_identifier(""));
    }
}
