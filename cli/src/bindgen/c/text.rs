//! C's names, comments and literals.

use std::sync::Arc;

use undergo::interface::Function;

use crate::bindgen::scope::Scope;
use crate::bindgen::surface::Surface;
use crate::bindgen::text;

/// The width that comments are kept to.
const WIDTH: usize = 120;

/// What C or C++ has as a keyword, or their usual headers or compilers as a macro, in lower case.
/// No name without a letter in lower case is used as it is.
const TAKEN: &[&str] = &[
    "alignas",
    "alignof",
    "and",
    "and_eq",
    "asm",
    "assert",
    "atomic_cancel",
    "auto",
    "bitand",
    "bitor",
    "bool",
    "break",
    "case",
    "catch",
    "char",
    "class",
    "co_await",
    "co_return",
    "co_yield",
    "compl",
    "complex",
    "concept",
    "const",
    "const_cast",
    "consteval",
    "constexpr",
    "constinit",
    "continue",
    "decltype",
    "default",
    "delete",
    "do",
    "double",
    "dynamic_cast",
    "else",
    "enum",
    "errno",
    "explicit",
    "export",
    "extern",
    "false",
    "far",
    "float",
    "for",
    "friend",
    "goto",
    "i386",
    "if",
    "imaginary",
    "inline",
    "int",
    "interface",
    "linux",
    "long",
    "mips",
    "mutable",
    "namespace",
    "near",
    "new",
    "noexcept",
    "noreturn",
    "not",
    "not_eq",
    "nullptr",
    "offsetof",
    "operator",
    "or",
    "or_eq",
    "private",
    "protected",
    "public",
    "register",
    "reinterpret_cast",
    "requires",
    "restrict",
    "return",
    "setjmp",
    "short",
    "signed",
    "sizeof",
    "small",
    "sparc",
    "static",
    "static_assert",
    "static_cast",
    "stderr",
    "stdin",
    "stdout",
    "struct",
    "switch",
    "template",
    "this",
    "thread_local",
    "throw",
    "true",
    "try",
    "typedef",
    "typeid",
    "typename",
    "typeof",
    "typeof_unqual",
    "union",
    "unix",
    "unsigned",
    "using",
    "virtual",
    "void",
    "volatile",
    "wchar_t",
    "while",
    "xor",
    "xor_eq",
];

/// The first words of names that C or its usual headers have, and Undergo's own.
const OF_C: &[&str] = &[
    "atomic", "int", "int16", "int32", "int64", "int8", "intmax", "intptr", "max", "ptrdiff", "sig", "size", "ssize", "static", "thread",
    "uint", "uint16", "uint32", "uint64", "uint8", "uintmax", "uintptr", "undergo", "va", "wchar", "wint",
];

/// What all names of a header begin with.
pub(crate) fn prefix(world: &str) -> String {
    let name = identifier(world);
    let first = name.split('_').next().unwrap_or_default().to_lowercase();
    if first.is_empty() || OF_C.contains(&first.as_str()) { format!("plugin_{name}") } else { name }
}

/// A name of C for a WIT name, or for that of a bare module, which may be anything.
pub(in crate::bindgen) fn identifier(name: &str) -> String {
    let snake = text::snake(name);
    if snake.starts_with(|c: char| c.is_ascii_digit()) || snake.is_empty() { format!("n{snake}") } else { snake }
}

/// A name that stands alone: of a field or a parameter.
pub(in crate::bindgen) fn alone(name: &str, taken: &[&str]) -> String {
    let mut name = identifier(name);
    if name.starts_with('_') {
        name.insert(0, 'n');
    }
    // Macros of any header are like that: NULL, EOF, BUFSIZ.
    if !name.contains(|c: char| c.is_ascii_lowercase()) {
        name.push('_');
    }
    while TAKEN.contains(&name.as_str()) || taken.contains(&name.as_str()) {
        name.push('_');
    }
    name
}

/// Names for a list that has none twice.
pub(in crate::bindgen) fn all_alone<'a>(names: impl Iterator<Item = &'a str>, taken: &[&str]) -> Vec<String> {
    let mut scope = Scope::default();
    names.map(|name| scope.take(alone(name, taken))).collect()
}

/// A comment in lines, which a template indents by so many spaces.
pub(in crate::bindgen) fn comment(indent: usize, text: &str) -> String {
    let mut rows = Vec::new();
    for line in text::lines(text) {
        let mut row = "//".to_owned();
        for word in harmless(&line).split(' ') {
            if row.len() > 2 && indent + row.chars().count() + 1 + word.chars().count() > WIDTH {
                rows.push(ended(&row));
                row.truncate(2);
            }
            row.push(' ');
            row += word;
        }
        rows.push(ended(&row));
    }
    rows.join("\n")
}

/// A line of a comment without what begins or ends another kind of comment, and without trigraphs,
/// of which `??/` is a backslash.
fn harmless(line: &str) -> String {
    let line = text::apart(line, '?', '?', " ");
    text::apart(&text::apart(&line, '*', '/', " "), '/', '*', " ")
}

/// A backslash at its end, spaces behind it or not, would join the next line to the comment.
fn ended(row: &str) -> String {
    let row = row.trim_end();
    if row.ends_with('\\') { format!("{row}.") } else { row.to_owned() }
}

/// A string literal.
pub(in crate::bindgen) fn literal(text: &str) -> String {
    text::literal('"', text, &['?'], |out, c| {
        for byte in c.encode_utf8(&mut [0; 4]).bytes() {
            *out += &format!("\\{byte:03o}");
        }
    })
}

/// The table by which the library knows the functions.
pub(in crate::bindgen) struct Table {
    pub(in crate::bindgen) rows: Vec<String>,
    /// How many of them the plugin has to have.
    pub(in crate::bindgen) expected: usize,
}

pub(in crate::bindgen) fn table(surface: &Surface<'_>, null: &str) -> Table {
    let row = |(interface, function, number): (Option<&str>, &Arc<Function>, usize)| {
        let interface = interface.map_or_else(|| null.to_owned(), literal);
        let (name, signature, digest) = (literal(&function.name), literal(&function.to_string()), function.digest());
        format!("{{{interface}, {name}, {signature}, UINT64_C({digest:#018x}), {number}}}")
    };
    let (functions, expected) = surface.functions();
    Table { rows: functions.into_iter().map(row).collect(), expected }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_names_of_c() {
        assert_eq!(alone("user-id", &[]), "user_id");
        assert_eq!(alone("class", &[]), "class_");
        assert_eq!(alone("result", &["result"]), "result_");
        assert_eq!(identifier("2d.x"), "n2d_x");
        assert_eq!(
            ["NULL", "_x", "__FILE__", "URL", "unix", "ü"].map(|name| alone(name, &[])),
            ["NULL_", "n_x", "n__FILE__", "URL_", "unix_", "n_"]
        );
        assert_eq!(
            ["greeter", "undergo", "va", "int8-x", "\u{fc}"].map(prefix),
            ["greeter", "plugin_undergo", "plugin_va", "plugin_int8_x", "plugin__"]
        );
        assert_eq!(all_alone(["a-b", "a-b", "int"].into_iter(), &[]), ["a_b", "a_b_", "int_"]);
        assert_eq!(literal("a\"b\\ü?"), "\"a\\\"b\\\\\\303\\274\\?\"");
    }

    #[test]
    fn comments_are_broken() {
        let found = comment(2, &"word ".repeat(40));
        assert!(found.lines().count() == 2 && found.lines().all(|line| line.starts_with("// word") && line.len() <= WIDTH - 2), "{found}");
        assert_eq!(comment(0, "ends with \\\n\nand goes on"), "// ends with \\.\n//\n// and goes on");
        let found = comment(0, "one\r#two ???/\n*/ three /*/ \\\u{a0}\n??/");
        assert_eq!(found, "// one\n// #two ? ? ?/\n// * / three / * / \\.\n// ? ?/");
        let found = comment(0, &"\\ ".repeat(100));
        assert!(found.lines().count() > 1 && found.lines().all(|line| line.ends_with("\\.")), "{found}");
    }
}
