//! A host's values as JSON: how it is written, and what is said of what it can't hold.

use std::fmt::Display;
use std::ops::Range;

use crate::abi::lower::Reject;
use crate::platform::stack;

/// A text of JSON in the making, piece by piece. It knows the way to the piece that it is at, so
/// that whoever finds something that JSON can't hold gives the reason alone.
#[derive(Debug)]
pub struct JsonWriter {
    text: String,
    /// The lists and objects that are open.
    open: Vec<Open>,
    /// How many may be, and how many of these the stack has room for.
    most: usize,
    room: usize,
}

/// A list or an object that has no end yet.
#[derive(Debug)]
struct Open {
    is_object: bool,
    /// Its items so far, with the one that is being written.
    count: usize,
    /// Where the quoted name of the member that is being written lies; nowhere before it has one.
    name: Range<usize>,
}

impl JsonWriter {
    /// What `write` writes, which is one value. Lists and objects may be nested `most` deep, and
    /// need `each` bytes of stack a level wherever the host goes down them.
    ///
    /// # Errors
    ///
    /// Those of `write`, with the way to the value that they are about.
    #[inline]
    pub fn text(most: usize, each: usize, write: impl FnOnce(&mut JsonWriter) -> Result<(), Reject>) -> Result<String, Reject> {
        let mut writer = JsonWriter { text: String::new(), open: Vec::new(), most, room: stack::nesting_room(most, each) };
        match write(&mut writer) {
            Ok(()) => Ok(writer.text),
            Err(Reject::Value(why)) => Err(match writer.path() {
                path if path.is_empty() => Reject::Value(why),
                path => Reject::Within(path, why),
            }),
            Err(reject) => Err(reject),
        }
    }

    /// What is JSON as the host has it: a number of any size, for example.
    #[inline]
    pub fn raw(&mut self, json: &str) {
        self.text.push_str(json);
    }

    /// `null`.
    #[inline]
    pub fn null(&mut self) {
        self.raw("null");
    }

    /// `true` or `false`.
    #[inline]
    pub fn bool(&mut self, value: bool) {
        self.raw(if value { "true" } else { "false" });
    }

    /// An integer.
    #[inline]
    pub fn integer(&mut self, value: impl Display) {
        self.raw(&value.to_string());
    }

    /// A float, by the least digits that give the same one again.
    ///
    /// # Errors
    ///
    /// For what is no number.
    #[inline]
    pub fn float(&mut self, value: f64) -> Result<(), Reject> {
        if value.is_finite() {
            self.raw(&format!("{value:?}"));
            return Ok(());
        }
        let name = if value.is_nan() {
            "NaN"
        } else if value > 0.0 {
            "Infinity"
        } else {
            "-Infinity"
        };
        Err(Reject::Value(format!("{name} is no number of JSON")))
    }

    /// A string.
    #[inline]
    pub fn string(&mut self, text: &str) {
        quote_json(text, &mut self.text);
    }

    /// Begins a list.
    ///
    /// # Errors
    ///
    /// For one that is nested too deep.
    #[inline]
    pub fn list(&mut self) -> Result<(), Reject> {
        self.begin(false)
    }

    /// Begins an object.
    ///
    /// # Errors
    ///
    /// For one that is nested too deep.
    #[inline]
    pub fn object(&mut self) -> Result<(), Reject> {
        self.begin(true)
    }

    /// Begins an item of the list, or a member of the object, whose [`name`](JsonWriter::name) is
    /// next.
    #[inline]
    pub fn item(&mut self) {
        let Some(open) = self.open.last_mut() else { return };
        open.name = 0..0;
        open.count += 1;
        if open.count > 1 {
            self.text.push(',');
        }
    }

    /// The name of a member. Its value is next.
    #[inline]
    pub fn name(&mut self, name: &str) {
        let start = self.text.len();
        quote_json(name, &mut self.text);
        if let Some(open) = self.open.last_mut() {
            open.name = start..self.text.len();
        }
        self.text.push(':');
    }

    /// Ends the list or object.
    #[inline]
    pub fn end(&mut self) {
        if let Some(open) = self.open.pop() {
            self.text.push(if open.is_object { '}' } else { ']' });
        }
    }

    #[inline]
    fn begin(&mut self, is_object: bool) -> Result<(), Reject> {
        if self.open.len() >= self.room {
            let most = self.most;
            let text = format!("it is nested more than {most} deep, or deeper than the thread's stack has room for, or contains itself");
            return Err(Reject::Value(text));
        }
        self.text.push(if is_object { '{' } else { '[' });
        self.open.push(Open { is_object, count: 0, name: 0..0 });
        Ok(())
    }

    /// The way to the value that is being written: `.a["b c"][2]`.
    fn path(&self) -> String {
        let mut path = String::new();
        for open in &self.open {
            let quoted = &self.text[open.name.clone()];
            let name = quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default();
            if !open.is_object {
                path.extend(open.count.checked_sub(1).map(|number| format!("[{number}]")));
            } else if is_plain(name) {
                path.extend([".", name]);
            } else if !quoted.is_empty() {
                path.extend(["[", quoted, "]"]);
            }
        }
        path
    }
}

/// Whether a name is written as that of a member in most languages.
fn is_plain(name: &str) -> bool {
    name.chars().all(|c| c == '_' || c.is_ascii_alphanumeric()) && name.starts_with(|c: char| !c.is_ascii_digit())
}

/// Writes a text as a string of JSON.
#[inline]
pub fn quote_json(text: &str, out: &mut String) {
    out.reserve(text.len() + 2);
    out.push('"');
    let mut rest = text;
    // Bytes of ASCII, at which a text can be cut.
    while let Some(at) = rest.bytes().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f)) {
        out.push_str(&rest[..at]);
        match rest.as_bytes()[at] {
            byte @ (b'"' | b'\\') => out.extend(['\\', char::from(byte)]),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            byte => out.push_str(&format!("\\u{byte:04x}")),
        }
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
    out.push('"');
}

impl Reject {
    /// For a value that JSON has no counterpart of, by the name of its type. `instead` are the
    /// host's types that have one.
    #[cold]
    #[must_use]
    pub fn no_json(what: &str, instead: &str) -> Reject {
        Reject::Value(format!("JSON has no {what}: give {instead}"))
    }

    /// For a key of an object that is no string, but of that type.
    #[cold]
    #[must_use]
    pub fn no_json_name(what: &str) -> Reject {
        Reject::Value(format!("the keys of an object in JSON are strings, and one is {what}"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    const EACH: usize = 8 << 10;

    fn write(value: &Value, writer: &mut JsonWriter) -> Result<(), Reject> {
        match value {
            Value::Null => writer.null(),
            Value::Bool(value) => writer.bool(*value),
            Value::Number(digits) => writer.raw(&digits.to_string()),
            // What JSON can't hold.
            Value::String(text) if text == "NaN" => writer.float(f64::NAN)?,
            Value::String(text) => writer.string(text),
            Value::Array(items) => {
                writer.list()?;
                for item in items {
                    writer.item();
                    write(item, writer)?;
                }
                writer.end();
            }
            Value::Object(members) => {
                writer.object()?;
                for (name, value) in members {
                    writer.item();
                    if name == "1" {
                        return Err(Reject::no_json_name("a number"));
                    }
                    writer.name(name);
                    write(value, writer)?;
                }
                writer.end();
            }
        }
        Ok(())
    }

    fn written(json: &str, most: usize) -> Result<String, Reject> {
        let value = serde_json::from_str(json).expect("JSON");
        JsonWriter::text(most, EACH, |writer| write(&value, writer))
    }

    #[test]
    fn what_json_cannot_hold_is_named_with_the_way_to_it() {
        for (json, path, why) in [
            (r#"["a", {"b": {"c d": [0, "NaN"]}}]"#, r#"[1].b["c d"][1]"#, "NaN is no number of JSON"),
            (r#"{"a": [], "1": 2}"#, "", "the keys of an object in JSON are strings, and one is a number"),
            (r#"{"a": {"b": 1, "1": 2}}"#, ".a", "and one is a number"),
            (r#"{"a\n": "NaN"}"#, r#"["a\n"]"#, "NaN"),
            (r#"{"1a": "NaN"}"#, r#"["1a"]"#, "NaN"),
            (r#"{"": "NaN"}"#, r#"[""]"#, "NaN"),
            ("[1, [[], {}, [[[]]]]]", "[1][2][0][0]", "it is nested more than 4 deep, or deeper than"),
            (r#""NaN""#, "", "NaN"),
        ] {
            let (found, said) = match written(json, 4) {
                Err(Reject::Within(path, why)) => (path, why),
                Err(Reject::Value(why)) => (String::new(), why),
                other => panic!("{json}: {other:?}"),
            };
            assert!(found == path && said.contains(why), "{json}: {found}: {said}");
        }
    }

    #[test]
    fn numbers_have_all_their_digits() {
        let text = JsonWriter::text(1, EACH, |writer| {
            writer.list()?;
            for value in [0.1, -0.0, 1e300, 5e-324, 3.0] {
                writer.item();
                writer.float(value)?;
            }
            writer.item();
            writer.integer(u64::MAX);
            writer.item();
            writer.integer(i64::MIN);
            writer.item();
            writer.raw("123456789012345678901234567890");
            writer.end();
            Ok(())
        });
        let wanted = "[0.1,-0.0,1e300,5e-324,3.0,18446744073709551615,-9223372036854775808,123456789012345678901234567890]";
        assert_eq!(text.expect("JSON"), wanted);
        for (value, name) in [(f64::NAN, "NaN is"), (f64::INFINITY, "Infinity is"), (f64::NEG_INFINITY, "-Infinity is")] {
            match JsonWriter::text(1, EACH, |writer| writer.float(value)) {
                Err(Reject::Value(why)) => assert!(why.starts_with(name), "{why}"),
                other => panic!("{other:?}"),
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 16 } else { 256 }, failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        #[cfg_attr(miri, ignore = "any text takes Miri minutes to make up")]
        fn it_is_what_a_parser_reads(parts in prop::collection::vec(any::<String>(), 0..8)) {
            let list: Vec<Value> = parts.iter().map(|part| Value::from(part.as_str())).chain([Value::Null, true.into()]).collect();
            let object = Value::Object(parts.iter().map(|part| (format!(" {part}"), Value::from(list.clone()))).collect());
            let text = JsonWriter::text(10, EACH, |writer| write(&object, writer)).expect("it fits");
            prop_assert_eq!(serde_json::from_str::<Value>(&text).expect("JSON"), object);
        }
    }

    #[test]
    fn strings_are_quoted() {
        for (text, quoted) in [("", r#""""#), ("ü\"\\\n\r\t\0\u{1f}\u{7f}😀/", "\"ü\\\"\\\\\\n\\r\\t\\u0000\\u001f\u{7f}😀/\"")] {
            let mut out = String::new();
            quote_json(text, &mut out);
            assert_eq!(out, quoted);
            assert_eq!(serde_json::from_str::<String>(&out).ok().as_deref(), Some(text));
        }
    }
}
