//! Filters of the templates.
#![allow(unreachable_pub, reason = "the macro writes methods that are")]

use std::fmt::{self, Display, Formatter};

/// Each line of a text on a line of its own, below what comes before it; nothing for no text. In a
/// template it stands alone behind `{{-`.
#[askama::filter_fn]
pub(super) fn lines<'t>(text: &'t str, _: &dyn askama::Values, indent: usize) -> askama::Result<Lines<'t>> {
    Ok(Lines { text, indent: " ".repeat(indent) })
}

/// The same behind so many tabs.
#[askama::filter_fn]
pub(super) fn tabbed<'t>(text: &'t str, _: &dyn askama::Values, indent: usize) -> askama::Result<Lines<'t>> {
    Ok(Lines { text, indent: "\t".repeat(indent) })
}

pub(super) struct Lines<'t> {
    text: &'t str,
    indent: String,
}

impl Display for Lines<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.text.lines().try_for_each(|line| match line {
            "" => f.write_str("\n"),
            line => write!(f, "\n{}{line}", self.indent),
        })
    }
}

/// On one line, if it has at most so many characters there; the template has the broken form.
#[askama::filter_fn]
pub(super) fn fitted(text: impl Display, _: &dyn askama::Values, width: usize) -> askama::Result<String> {
    Ok(fit(text.to_string(), width))
}

fn fit(text: String, width: usize) -> String {
    let first = text.lines().next().unwrap_or_default();
    let lines: Vec<&str> = [first].into_iter().chain(text.lines().skip(1).map(str::trim_start)).collect();
    let one = lines.join(" ").replace("( ", "(");
    if one.chars().count() <= width { one } else { text }
}

#[cfg(test)]
mod tests {
    use super::{Lines, fit};

    #[test]
    fn what_fits_is_on_one_line() {
        let broken = "  void f(
      int a,
      int b) {";
        assert_eq!(fit(broken.to_owned(), 24), "  void f(int a, int b) {");
        assert_eq!(fit(broken.to_owned(), 23), broken);
        assert_eq!(fit(String::new(), 0), "");
    }

    #[test]
    fn an_empty_line_is_not_indented() {
        assert_eq!(Lines { text: "a\n\n b", indent: "  ".to_owned() }.to_string(), "\n  a\n\n   b");
        assert_eq!(Lines { text: "", indent: "  ".to_owned() }.to_string(), "");
    }
}
