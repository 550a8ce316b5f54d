//! Writes the lines of a program.

use std::{iter, mem};

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
        lines.blank();
        assert_eq!(lines.finish(), "    a\n\n\n");
    }
}
