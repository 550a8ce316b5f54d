//! The Python spelling of names of an interface.

use std::collections::HashSet;

use undergo::interface::{RecordType, Type, names};

#[rustfmt::skip]
const KEYWORDS: [&str; 35] = [
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del", "elif", "else",
    "except", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal", "not", "or", "pass", "raise",
    "return", "try", "while", "with", "yield",
];

/// Attributes that every error has, and names that the constructor of one uses in what
/// `undergo bindgen` writes.
#[rustfmt::skip]
const OF_ERRORS: [&str; 13] = [
    "add_note", "args", "denied", "exit_code", "frames", "kind", "message", "origin", "path", "self", "stderr", "super",
    "with_traceback",
];

/// Attributes that every object of a resource has.
const OF_RESOURCES: [&str; 3] = ["aclose", "close", "closed"];

/// A WIT name as Python writes it: `user-id` is `user_id`, and a keyword gets an underscore.
pub(crate) fn python_name(kebab: &str) -> String {
    apart(names::snake(kebab), &KEYWORDS)
}

/// The same for a field of a record. Those of an error leave alone what every error has.
pub(crate) fn field_name(record: &RecordType, kebab: &str) -> String {
    let name = python_name(kebab);
    if record.is_error { apart(name, &OF_ERRORS) } else { name }
}

/// The same for a method of a resource.
pub(crate) fn method_name(kebab: &str) -> String {
    apart(python_name(kebab), &OF_RESOURCES)
}

/// The name of a class: `user-id` is `UserId`.
pub(crate) fn class_name(kebab: &str) -> String {
    apart(names::pascal(kebab), &KEYWORDS)
}

/// Names for classes of cases: new ones, beside those of the types.
pub(crate) fn new_class_names(types: &[Type]) -> impl FnMut(&str) -> String {
    let mut taken: HashSet<String> = types.iter().map(|ty| class_name(&ty.to_string())).collect();
    move |kebab| {
        let mut name = class_name(kebab);
        while !taken.insert(name.clone()) {
            name.push('_');
        }
        name
    }
}

fn apart(name: String, taken: &[&str]) -> String {
    if taken.contains(&name.as_str()) { name + "_" } else { name }
}
