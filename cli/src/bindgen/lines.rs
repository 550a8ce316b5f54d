//! Writes the lines of a program.

use std::{iter, mem};

use super::text;

/// Text, line by line. What a language has of its own for it, comments above all, is in the
/// language's `text.rs`.
pub(super) struct Lines {
    step: &'static str,
    text: String,
}

impl Lines {
    /// Of a language whose lines are indented by so much.
    pub(super) fn new(step: &'static str) -> Lines {
        Lines { step, text: String::new() }
    }

    pub(super) fn line(&mut self, indent: usize, text: &str) {
        if !text.is_empty() {
            self.text.extend(iter::repeat_n(self.step, indent));
            self.text.push_str(text);
        }
        self.text.push('\n');
    }

    pub(super) fn blank(&mut self) {
        self.text.push('\n');
    }

    /// `/** … */`, on one line if it has one. `harmless` takes from a line what would end the
    /// comment.
    pub(super) fn block_comment(&mut self, indent: usize, text: &str, harmless: impl Fn(&str) -> String) {
        let lines: Vec<String> = text::lines(text).iter().map(|line| harmless(line)).collect();
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

    /// Gives the text, and has none any more.
    pub(super) fn finish(&mut self) -> String {
        mem::take(&mut self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_line_is_not_indented() {
        let mut lines = Lines::new("  ");
        lines.line(2, "a");
        lines.line(2, "");
        lines.block_comment(1, " one ", str::to_owned);
        lines.blank();
        lines.block_comment(1, "", str::to_owned);
        lines.block_comment(0, "two\n\nthree", str::to_owned);
        assert_eq!(lines.finish(), "    a\n\n  /** one */\n\n/**\n * two\n *\n * three\n */\n");
    }
}
