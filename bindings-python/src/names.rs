//! The Python spelling of names of an interface.

use undergo::interface::names;

/// A WIT name as Python writes it: `user-id` is `user_id`, and a keyword gets an underscore.
pub(crate) fn python_name(kebab: &str) -> String {
    #[rustfmt::skip]
    const KEYWORDS: [&str; 35] = [
        "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del", "elif", "else",
        "except", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal", "not", "or", "pass", "raise",
        "return", "try", "while", "with", "yield",
    ];
    let name = names::snake(kebab);
    if KEYWORDS.contains(&name.as_str()) { name + "_" } else { name }
}
