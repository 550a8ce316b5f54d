//! Go's text: comments, literals, names.

use crate::bindgen::{scope, text};

/// A comment in lines. The space keeps them from being directives, as `//go:embed` is one.
pub(in crate::bindgen) fn docs(docs: &str) -> String {
    text::lines(docs).iter().map(|line| format!("// {line}").trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

/// Names that are taken in one place: the fields of a struct, say.
pub(in crate::bindgen) struct Scope(scope::Scope);

impl Scope {
    pub(in crate::bindgen) fn new<'t>(taken: impl IntoIterator<Item = &'t str>) -> Scope {
        Scope(scope::Scope::new(taken))
    }

    /// Of the parameters of a function, which must not hide what its body uses.
    pub(in crate::bindgen) fn of_params() -> Scope {
        #[rustfmt::skip]
        const USED: [&str; 70] = [
            "any", "append", "bool", "byte", "cap", "clear", "close", "comparable", "complex", "complex128", "complex64", "copy", "delete", "error", "false", "float32",
            "float64", "imag", "int", "int16", "int32", "int64", "int8", "iota", "len", "make", "max", "min", "new", "nil", "panic", "print", "println", "real", "recover",
            "rune", "string", "true", "uint", "uint16", "uint32", "uint64", "uint8", "uintptr",
            "break", "case", "chan", "const", "continue", "default", "defer", "else", "fallthrough", "for", "func", "go", "goto", "if", "import", "interface", "map",
            "package", "range", "return", "select", "struct", "switch", "type", "var", "_",
        ];
        let own =
            ["client", "c", "context", "ctx", "err", "io", "iter", "items", "json", "l", "object", "result", "time", "undergo", "v", "w"];
        Scope::new(USED.into_iter().chain(own))
    }

    /// A name as it is.
    pub(in crate::bindgen) fn take(&mut self, name: String) -> String {
        self.0.take(name)
    }

    /// A name of WIT as one of a type, a field or a method: `user-id` is `UserID`.
    pub(in crate::bindgen) fn exported(&mut self, kebab: &str) -> String {
        self.0.take(exported(kebab))
    }

    /// A name of WIT as one of a parameter: `user-id` is `userID`.
    pub(in crate::bindgen) fn param(&mut self, kebab: &str) -> String {
        let name = exported(kebab);
        // The capitals at its beginning: all of `ID`, and the first letter of `UserID`.
        let capitals = name.bytes().take_while(u8::is_ascii_uppercase).count();
        let small =
            if capitals > 1 && capitals < name.len() && name.as_bytes()[capitals].is_ascii_lowercase() { capitals - 1 } else { capitals };
        self.0.take(name[..small].to_ascii_lowercase() + &name[small..])
    }
}

/// `user-id` as `UserID`, of letters and digits of ASCII.
pub(in crate::bindgen) fn exported(kebab: &str) -> String {
    const INITIALISMS: [&str; 19] = [
        "api", "css", "dns", "html", "http", "https", "id", "ip", "json", "sql", "tcp", "tls", "ttl", "udp", "uri", "url", "utf8", "uuid",
        "xml",
    ];
    let mut name = String::new();
    for word in kebab.split(|c: char| !c.is_ascii_alphanumeric()) {
        if INITIALISMS.contains(&word) {
            name += &word.to_ascii_uppercase();
        } else if let Some(first) = word.chars().next() {
            name.push(first.to_ascii_uppercase());
            name += &word[first.len_utf8()..];
        }
    }
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        name.insert(0, 'X');
    }
    name
}

/// The name of a package: small letters and digits. `plugin` where that is none.
pub(in crate::bindgen) fn package(name: &str) -> String {
    let name: String = name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic()) && !KEYWORDS.contains(&name.as_str());
    if is_name { name } else { "plugin".to_owned() }
}

/// Words that no package is called by.
#[rustfmt::skip]
const KEYWORDS: [&str; 26] = [
    "break", "case", "chan", "const", "continue", "default", "defer", "else", "fallthrough", "for", "func", "go", "goto", "if", "import", "interface", "main", "map",
    "package", "range", "return", "select", "struct", "switch", "type", "var",
];

/// A string's literal.
pub(in crate::bindgen) fn literal(text: &str) -> String {
    text::literal('"', text, &[], |out, c| {
        let code = u32::from(c);
        *out += &if code > 0xffff { format!("\\U{code:08x}") } else { format!("\\u{code:04x}") };
    })
    // What begins a comment elsewhere: programs that colour Go are not to take it for one.
    .replace("*/", "\\u002a/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_stay_on_their_lines_and_are_no_directives() {
        let found = docs("go:embed x\r\n\nEnds here,\n\rnot \nthere.");
        assert_eq!(found, "// go:embed x\n//\n// Ends here,\n//\n// not\n// there.");
    }

    #[test]
    fn names_are_gos_and_stay_apart() {
        let mut scope = Scope::new(["Close"]);
        let given = ["close", "minor-units", "minorUnits", "user-id", "1st", "url", "a.b*/ü"];
        assert_eq!(given.map(|name| scope.exported(name)), ["Close_", "MinorUnits", "MinorUnits_", "UserID", "X1st", "URL", "AB"]);
        let mut params = Scope::of_params();
        let given = ["user-id", "id", "url-of", "type", "string", "p", "ctx"];
        assert_eq!(given.map(|name| params.param(name)), ["userID", "id", "urlOf", "type_", "string_", "p", "ctx_"]);
    }

    #[test]
    fn packages_have_names() {
        assert_eq!(["my-plugin", "go", "1st", "ü", "Greeter"].map(package), ["myplugin", "plugin", "plugin", "plugin", "greeter"]);
    }

    #[test]
    fn literals_hold_what_they_are_given() {
        assert_eq!(literal("a\"\\\n`ü🙂"), "\"a\\\"\\\\\\u000a`\\u00fc\\U0001f642\"");
    }
}
