//! C's names, comments and literals.

use crate::bindgen::scope::Scope;
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

/// Writes a comment, in lines. An empty one is an empty line of it.
pub(in crate::bindgen) fn comment(out: &mut String, indent: usize, text: &str) {
    let start = format!("{}//", "  ".repeat(indent));
    if text.is_empty() {
        *out += &start;
        out.push('\n');
    }
    for line in text::lines(text) {
        let line = harmless(&line);
        let mut row = start.clone();
        for word in line.split(' ') {
            if row.len() > start.len() && row.chars().count() + 1 + word.chars().count() > WIDTH {
                end_line(out, &row);
                row.clone_from(&start);
            }
            if !line.is_empty() {
                row.push(' ');
                row += word;
            }
        }
        end_line(out, &row);
    }
}

/// A line of a comment without what begins or ends another kind of comment, and without trigraphs,
/// of which `??/` is a backslash.
fn harmless(line: &str) -> String {
    let line = text::apart(line, '?', '?', " ");
    text::apart(&text::apart(&line, '*', '/', " "), '/', '*', " ")
}

/// A backslash at its end, spaces behind it or not, would join the next line to the comment.
fn end_line(out: &mut String, row: &str) {
    let row = row.trim_end();
    *out += row;
    *out += if row.ends_with('\\') { ".\n" } else { "\n" };
}

/// A string literal.
pub(in crate::bindgen) fn literal(text: &str) -> String {
    text::literal('"', text, &['?'], |out, c| {
        for byte in c.encode_utf8(&mut [0; 4]).bytes() {
            *out += &format!("\\{byte:03o}");
        }
    })
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
        let mut out = String::new();
        comment(&mut out, 1, &"word ".repeat(40));
        assert!(out.lines().count() == 2 && out.lines().all(|line| line.starts_with("  // word") && line.len() <= WIDTH), "{out}");
        let mut out = String::new();
        comment(&mut out, 0, "ends with \\\n\nand goes on");
        assert_eq!(out, "// ends with \\.\n//\n// and goes on\n");
        let mut out = String::new();
        comment(&mut out, 0, "one\r#two ???/\n*/ three /*/ \\\u{a0}\n??/");
        assert_eq!(out, "// one\n// #two ? ? ?/\n// * / three / * / \\.\n// ? ?/\n");
        let mut out = String::new();
        comment(&mut out, 0, &"\\ ".repeat(100));
        assert!(out.lines().count() > 1 && out.lines().all(|line| line.ends_with("\\.")), "{out}");
    }
}
