//! Digests of interfaces and functions: for code that was generated for them, and must not be used
//! with others.

use std::collections::HashSet;
use std::fmt::{self, Write as _};
use std::sync::Arc;

use super::types::{Function, Type, TypeKind};
use super::{Interface, ResourceType, Shape, Side};

impl Interface {
    /// A text that identifies the interface with its comments, for artifacts that are made for one
    /// and looked up by another process.
    #[must_use]
    pub fn digest(&self) -> String {
        blake3::hash(self.wit.as_bytes()).to_hex().to_string()
    }
}

impl Function {
    /// A number that identifies the function's name and its types in full: with the names of
    /// parameters, fields and cases, in order. Functions with the same number are called alike, so
    /// code that was generated for one fits the other. Doc comments don't count.
    #[must_use]
    pub fn digest(&self) -> u64 {
        number_of(|hash| self.describe(hash))
    }

    fn describe(&self, out: &mut Hash) -> fmt::Result {
        write!(out, "{}(", self.name)?;
        for param in &self.params {
            write!(out, "{}: ", param.name)?;
            describe(&param.ty, out)?;
            out.write_str(",")?;
        }
        out.write_str(")")?;
        if let Some(result) = &self.result {
            out.write_str(" -> ")?;
            describe(result, out)?;
        }
        out.write_str(if self.fallible { " or error" } else { "" })?;
        match &self.errors {
            Some(errors) => describe(&Type::new(TypeKind::Variant(errors.clone())), out),
            None => Ok(()),
        }
    }
}

impl Type {
    /// A number that identifies the type in full, as [`Function::digest`] does a function.
    #[must_use]
    pub fn digest(&self) -> u64 {
        number_of(|hash| describe(self, hash))
    }
}

/// The number of what is described.
fn number_of(describe: impl FnOnce(&mut Hash) -> fmt::Result) -> u64 {
    let mut hash = Hash { hasher: blake3::Hasher::new(), left: MOST_IN_FULL, described: HashSet::new() };
    // Writing to a hash can't fail.
    let _ = describe(&mut hash);
    let hash = hash.hasher.finalize();
    let mut first = [0; 8];
    first.copy_from_slice(&hash.as_bytes()[..8]);
    u64::from_le_bytes(first)
}

/// A record, enum or variant is described wherever it occurs. Those that each contain the previous
/// one twice would be described a billion times; so after that many types and cases, one that was
/// described before is represented by its name.
const MOST_IN_FULL: usize = 10_000;

/// A type as `Display` writes it, with the definitions of its names.
fn describe(ty: &Type, out: &mut Hash) -> fmt::Result {
    out.left = out.left.saturating_sub(1);
    match &ty.kind {
        TypeKind::Record(record) if out.is_known(record) => write!(out, "record {}", record.name),
        TypeKind::Enum(cases) if out.is_known(cases) => write!(out, "enum {}", cases.name),
        TypeKind::Variant(variant) if out.is_known(variant) => write!(out, "variant {}", variant.name),
        TypeKind::List(item) => {
            out.write_str("list<")?;
            describe(item, out)?;
            if let Some(length) = ty.length {
                write!(out, ",{length}")?;
            }
            out.write_str(">")
        }
        TypeKind::Option(inner) => {
            out.write_str("option<")?;
            describe(inner, out)?;
            out.write_str(">")
        }
        TypeKind::Map(map) => {
            out.write_str("map<")?;
            describe(&map.key, out)?;
            out.write_str(",")?;
            describe(&map.value, out)?;
            out.write_str(">")
        }
        TypeKind::Tuple(tuple) => {
            out.write_str("tuple<")?;
            for item in &tuple.items {
                describe(item, out)?;
                out.write_str(",")?;
            }
            out.write_str(">")
        }
        TypeKind::Record(record) => {
            write!(out, "record {} {{", record.name)?;
            for field in &record.fields {
                write!(out, "{}: ", field.name)?;
                describe(&field.ty, out)?;
                out.write_str(",")?;
            }
            out.write_str("}")
        }
        TypeKind::Enum(cases) => {
            out.left = out.left.saturating_sub(cases.cases.len());
            write!(out, "enum {} {{", cases.name)?;
            for (case, _) in &cases.cases {
                write!(out, "{case},")?;
            }
            out.write_str("}")
        }
        TypeKind::Variant(variant) => {
            out.left = out.left.saturating_sub(variant.cases.len());
            write!(out, "variant {} {{", variant.name)?;
            for case in &variant.cases {
                out.write_str(&case.name)?;
                if let Some(ty) = &case.ty {
                    out.write_str("(")?;
                    describe(ty, out)?;
                    out.write_str(")")?;
                }
                out.write_str(",")?;
            }
            out.write_str("}")
        }
        TypeKind::Own(resource) | TypeKind::Borrow(resource) => describe_handle(ty, resource, out),
        TypeKind::Bool | TypeKind::Scalar(_) | TypeKind::String | TypeKind::Json | TypeKind::Duration | TypeKind::Time => {
            write!(out, "{ty}")
        }
    }
}

/// A handle, with the functions that are called by it. Those of the guest's objects are called by
/// their names, and so described by themselves.
fn describe_handle(ty: &Type, resource: &Arc<ResourceType>, out: &mut Hash) -> fmt::Result {
    write!(out, "resource {ty} {:?} {:?}", resource.side, resource.shape)?;
    // Its functions may have handles of it.
    let is_described = !out.described.insert(Arc::as_ptr(resource).cast());
    if is_described || (resource.side, resource.shape) == (Side::Guest, Shape::Object) {
        return Ok(());
    }
    out.write_str("{")?;
    for function in (0..resource.methods.len()).filter_map(|number| resource.function(number)) {
        function.describe(out)?;
        out.write_str(",")?;
    }
    out.write_str("}")
}

struct Hash {
    hasher: blake3::Hasher,
    /// How many more types and cases are described in full.
    left: usize,
    /// The records, enums and variants that have been described.
    described: HashSet<*const ()>,
}

impl Hash {
    /// Whether a type is only named now, since it has been described; from now on it has.
    fn is_known<T>(&mut self, ty: &Arc<T>) -> bool {
        !self.described.insert(Arc::as_ptr(ty).cast()) && self.left == 0
    }
}

impl fmt::Write for Hash {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.hasher.update(text.as_bytes());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::interface::Interface;

    fn digest(types: &str, function: &str) -> u64 {
        let wit = format!("package go:t;\n\nworld t {{\n  {types}\n  export f: {function};\n}}\n");
        Interface::parse(&wit).unwrap_or_else(|error| panic!("{wit}: {error}")).exports[0].digest()
    }

    #[test]
    fn it_tells_apart_what_is_called_otherwise() {
        let texts = [
            ("", "func()"),
            ("", "func() -> string"),
            ("", "func() -> result<string, string>"),
            ("record p { x: s32 } variant e { text(string), p(tuple<string, p>) }", "func() -> result<string, list<e>>"),
            ("", "func(a: string)"),
            ("", "func(b: string)"),
            ("", "func(a: list<string>)"),
            ("type array2-string = list<string>;", "func(a: array2-string)"),
            ("type array3-string = list<string>;", "func(a: array3-string)"),
            ("", "func(a: option<string>)"),
            ("", "func(a: tuple<string, string>)"),
            ("record p { x: s32 }", "func(a: p)"),
            ("record p { y: s32 }", "func(a: p)"),
            ("record p { x: s64 }", "func(a: p)"),
            ("record p { x: s32, y: s32 }", "func(a: p)"),
            ("enum p { x, y }", "func(a: p)"),
            ("variant p { x, y }", "func(a: p)"),
            ("variant p { x, y(s8) }", "func(a: p)"),
            ("variant p { x(s8), y }", "func(a: p)"),
            ("variant p { x, y(u8) }", "func(a: p)"),
            ("enum p { y, x }", "func(a: p)"),
        ];
        let digests: std::collections::HashSet<u64> = texts.iter().map(|(types, function)| digest(types, function)).collect();
        assert_eq!(digests.len(), texts.len());
    }

    #[test]
    fn types_that_mean_a_billion_are_described_once() {
        let records: String = (1..30).map(|i| format!("record r{i} {{ a: list<r{}>, b: list<r{}> }} ", i - 1, i - 1)).collect();
        let of = |innermost: &str| digest(&format!("record r0 {{ {innermost} }} {records}"), "func(x: r29) -> r29");
        assert_ne!(of("x: bool"), of("x: s8"));
        assert_eq!(of("x: bool"), of("x: bool"));
    }

    /// A large enum or variant is described a few times, not thousands of times.
    #[test]
    #[cfg_attr(miri, ignore = "takes long")]
    fn many_cases_are_described_a_few_times() {
        let cases: String = (0..30_000).map(|i| format!("case-{i},")).collect();
        let records: String = (1..14).map(|i| format!("record r{i} {{ a: r{0}, b: r{0} }} ", i - 1)).collect();
        for kind in ["enum", "variant"] {
            let of = |last: &str| digest(&format!("{kind} e {{ {cases} {last} }} record r0 {{ x: e }} {records}"), "func(x: list<r13>)");
            let started = std::time::Instant::now();
            assert_ne!(of("y"), of("z"));
            assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
        }
    }

    #[test]
    fn it_tells_functions_of_the_host_apart() {
        let of = |call: &str, used: &str| {
            let wit = format!(
                "package go:t; interface callbacks {{ resource f-g {{ call: {call}; }} }} \
                 interface objects {{ resource store {{ child: func(name: string) -> store; {used} }} }} \
                 world t {{ use callbacks.{{f-g}}; use objects.{{store}}; export f: func(g: borrow<f-g>, s: borrow<store>); }}"
            );
            Interface::parse(&wit).unwrap_or_else(|error| panic!("{wit}: {error}")).exports[0].digest()
        };
        assert_eq!(of("func(n: s64) -> s64", ""), of("func(n: s64) -> s64", ""));
        assert_ne!(of("func(n: s64) -> s64", ""), of("func(n: s32) -> s64", ""));
        assert_ne!(of("func(n: s64)", ""), of("func(n: s64)", "size: func() -> s64;"));
    }

    #[test]
    fn docs_do_not_count() {
        assert_eq!(digest("record p { x: s32 }", "func(a: p)"), digest("/// A pair.\n  record p { /// one\n x: s32 }", "func(a: p)"));
    }
}
