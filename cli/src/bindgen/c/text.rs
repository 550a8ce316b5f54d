//! C's names, comments and literals.

use undergo::names;

/// The width that comments are kept to.
const WIDTH: usize = 120;

/// What C or C++ has as a keyword, or their usual headers as a macro, in lower case.
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
    "float",
    "for",
    "friend",
    "goto",
    "if",
    "imaginary",
    "inline",
    "int",
    "linux",
    "long",
    "mutable",
    "namespace",
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

/// A name of C for a WIT name, or for that of a bare module, which may be anything.
pub(in crate::bindgen) fn identifier(name: &str) -> String {
    let snake: String = names::snake(name).chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '_' }).collect();
    if snake.starts_with(|c: char| c.is_ascii_digit()) || snake.is_empty() { format!("n{snake}") } else { snake }
}

/// A name that stands alone: of a field or a parameter.
pub(in crate::bindgen) fn alone(name: &str, taken: &[&str]) -> String {
    let mut name = identifier(name);
    while TAKEN.contains(&name.as_str()) || taken.contains(&name.as_str()) || name.starts_with('_') {
        name = if let Some(rest) = name.strip_prefix('_') { format!("n{rest}") } else { name + "_" };
    }
    name
}

/// Names for a list that has none twice.
pub(in crate::bindgen) fn all_alone<'a>(names: impl Iterator<Item = &'a str>, taken: &[&str]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for name in names {
        let mut name = alone(name, taken);
        while found.contains(&name) {
            name.push('_');
        }
        found.push(name);
    }
    found
}

/// Writes a comment, in lines. An empty one is an empty line of it.
pub(in crate::bindgen) fn comment(out: &mut String, indent: usize, text: &str) {
    let start = format!("{}//", "  ".repeat(indent));
    if text.is_empty() {
        *out += &start;
        out.push('\n');
    }
    for line in text.lines() {
        let mut width = 0;
        *out += &start;
        for word in line.split(' ') {
            // A backslash at the end would join the next line to the comment.
            if width > 0 && start.len() + width + 1 + word.chars().count() > WIDTH {
                out.push('\n');
                *out += &start;
                width = 0;
            }
            if !(word.is_empty() && width == 0 && line.is_empty()) {
                out.push(' ');
                *out += word;
                width += 1 + word.chars().count();
            }
        }
        if out.ends_with('\\') {
            out.push('.');
        }
        out.push('\n');
    }
}

/// A string literal.
pub(in crate::bindgen) fn literal(text: &str) -> String {
    let mut out = "\"".to_owned();
    for c in text.chars() {
        match c {
            '"' => out += "\\\"",
            '\\' => out += "\\\\",
            '?' => out += "\\?",
            ' '..='~' => out.push(c),
            _ => {
                for byte in c.to_string().bytes() {
                    out += &format!("\\{byte:03o}");
                }
            }
        }
    }
    out + "\""
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
    }
}
