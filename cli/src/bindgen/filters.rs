//! Filters of the templates.
#![allow(unreachable_pub, reason = "the macro writes methods that are")]

use std::fmt::{self, Display, Formatter};

/// Each line of a text on a line of its own, below what comes before it; nothing for no text. In a
/// template it stands alone behind `{{-`.
#[askama::filter_fn]
pub(super) fn lines<'t>(text: &'t str, _: &dyn askama::Values, indent: usize) -> askama::Result<Lines<'t>> {
    Ok(Lines { text, indent })
}

pub(super) struct Lines<'t> {
    text: &'t str,
    indent: usize,
}

impl Display for Lines<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.text.lines().try_for_each(|line| match line {
            "" => f.write_str("\n"),
            line => write!(f, "\n{:indent$}{line}", "", indent = self.indent),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Lines;

    #[test]
    fn an_empty_line_is_not_indented() {
        assert_eq!(Lines { text: "a\n\n b", indent: 2 }.to_string(), "\n  a\n\n   b");
        assert_eq!(Lines { text: "", indent: 2 }.to_string(), "");
    }
}
