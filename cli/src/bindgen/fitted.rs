//! A filter of templates for languages whose lines are broken where they are long.

#![expect(unreachable_pub, reason = "askama makes a public struct of a filter")]

use std::fmt::Display;

use askama::{Result, Values, filter_fn};

/// On one line, if that has at most so many characters; a template has the broken form.
#[filter_fn]
pub(super) fn fitted(text: impl Display, _: &dyn Values, width: usize) -> Result<String> {
    let text = text.to_string();
    let one = text.lines().enumerate().map(|(i, line)| if i == 0 { line } else { line.trim_start() }).collect::<Vec<_>>().join(" ");
    let one = one.replace("( ", "(");
    Ok(if one.chars().count() <= width { one } else { text })
}
