//! A JSON value whose numbers keep all their digits.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use undergo::host::{FromJson, quote_json};

/// How deep lists and objects may be nested, and bytes of stack for a level.
const MAX_DEPTH: usize = 500;
const LEVEL: usize = if cfg!(debug_assertions) { 8 << 10 } else { 1 << 10 };

/// A value of JSON.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    /// As it is written.
    Number(String),
    String(String),
    Array(Vec<Value>),
    /// In the order in which they were written; each name occurs once.
    Object(Vec<(String, Value)>),
}

impl Value {
    /// Reads a text.
    pub(crate) fn parse(text: &str) -> Result<Value, String> {
        undergo::host::read_json(text, MAX_DEPTH, LEVEL)
    }

    /// A float; what is no number in JSON is a string.
    pub(crate) fn float(value: f64) -> Value {
        serde_json::Number::from_f64(value).map_or_else(
            || {
                Value::from(if value.is_nan() {
                    "NaN"
                } else if value > 0.0 {
                    "Infinity"
                } else {
                    "-Infinity"
                })
            },
            |number| Value::Number(number.to_string()),
        )
    }

    pub(crate) fn as_str(&self) -> Option<&str> {
        match self {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn as_bool(&self) -> Option<bool> {
        match self {
            Value::Bool(value) => Some(*value),
            _ => None,
        }
    }

    pub(crate) fn as_i64(&self) -> Option<i64> {
        self.digits()?.parse().ok()
    }

    pub(crate) fn as_u64(&self) -> Option<u64> {
        self.digits()?.parse().ok()
    }

    /// The nearest float. `None` beyond all of them.
    pub(crate) fn as_f64(&self) -> Option<f64> {
        self.digits()?.parse().ok().filter(|float: &f64| float.is_finite())
    }

    pub(crate) fn as_array(&self) -> Option<&[Value]> {
        match self {
            Value::Array(items) => Some(items),
            _ => None,
        }
    }

    fn digits(&self) -> Option<&str> {
        match self {
            Value::Number(digits) => Some(digits),
            _ => None,
        }
    }

    /// The value in one line.
    pub(crate) fn line(&self) -> String {
        let mut out = Out { text: String::new(), most: usize::MAX, indent: None };
        // There is no end to what it may be.
        let _ = out.value(self);
        out.text
    }

    /// The value in several lines. `None` where that has more bytes.
    pub(crate) fn lines(&self, most: usize) -> Option<String> {
        let mut out = Out { text: String::new(), most, indent: Some(0) };
        out.value(self).map(|()| out.text)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::String(text.to_owned())
    }
}

impl FromJson for Value {
    fn null() -> Value {
        Value::Null
    }

    fn bool(value: bool) -> Value {
        Value::Bool(value)
    }

    fn number(digits: &str) -> Value {
        Value::Number(digits.to_owned())
    }

    fn string(text: String) -> Value {
        Value::String(text)
    }

    fn list(items: Vec<Value>) -> Value {
        Value::Array(items)
    }

    fn object(members: Vec<(String, Value)>) -> Value {
        let mut places: HashMap<String, usize> = HashMap::new();
        let mut kept: Vec<(String, Value)> = Vec::with_capacity(members.len());
        for (name, value) in members {
            match places.entry(name.clone()) {
                // The last one counts.
                Entry::Occupied(place) => kept[*place.get()].1 = value,
                Entry::Vacant(place) => {
                    place.insert(kept.len());
                    kept.push((name, value));
                }
            }
        }
        Value::Object(kept)
    }
}

/// Text up to a length, behind which nothing can be written.
struct Out {
    text: String,
    most: usize,
    /// How deep the next line is; none for a single line.
    indent: Option<usize>,
}

impl Out {
    fn value(&mut self, value: &Value) -> Option<()> {
        match value {
            Value::Null => self.put("null"),
            Value::Bool(value) => self.put(if *value { "true" } else { "false" }),
            Value::Number(digits) => self.put(digits),
            Value::String(text) => self.string(text),
            Value::Array(items) => self.nested('[', ']', items.iter(), Out::value),
            Value::Object(members) => self.nested('{', '}', members.iter(), |out, (name, value): &(String, Value)| {
                out.string(name)?;
                out.put(if out.indent.is_some() { ": " } else { ":" })?;
                out.value(value)
            }),
        }
    }

    fn nested<T>(
        &mut self,
        open: char,
        close: char,
        items: impl ExactSizeIterator<Item = T>,
        write: impl Fn(&mut Out, T) -> Option<()>,
    ) -> Option<()> {
        self.put(open.encode_utf8(&mut [0; 4]))?;
        let any = items.len() > 0;
        self.indent = self.indent.map(|indent| indent + 1);
        for (i, item) in items.enumerate() {
            if i > 0 {
                self.put(",")?;
            }
            self.new_line()?;
            write(self, item)?;
        }
        self.indent = self.indent.map(|indent| indent - 1);
        if any {
            self.new_line()?;
        }
        self.put(close.encode_utf8(&mut [0; 4]))
    }

    fn new_line(&mut self) -> Option<()> {
        let Some(indent) = self.indent else { return Some(()) };
        self.put("\n")?;
        (0..indent).try_for_each(|_| self.put("  "))
    }

    fn string(&mut self, text: &str) -> Option<()> {
        let mut quoted = String::new();
        quote_json(text, &mut quoted);
        self.put(&quoted)
    }

    fn put(&mut self, text: &str) -> Option<()> {
        if text.len() > self.most - self.text.len() {
            return None;
        }
        self.text.push_str(text);
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_written_with_all_its_digits() {
        for text in [
            r#"{"a":[18446744073709551616,-123456789012345678901234567890,0.1000000000000000000001,1e400,-0]}"#,
            r#"[null,true,false,"ü\n",[],{}]"#,
        ] {
            let value = Value::parse(text).expect("JSON");
            assert_eq!(value.line(), text);
            assert_eq!(Value::parse(&value.lines(10_000).expect("short")), Ok(value));
        }
        assert_eq!(
            Value::parse("{\"b\":0,\"a\":[2],\"b\":1}").expect("JSON").lines(100).as_deref(),
            Some("{\n  \"b\": 1,\n  \"a\": [\n    2\n  ]\n}")
        );
        assert!(Value::parse("[1").is_err_and(|error| error.contains("at its end")));
        let number = |digits: &str| Value::Number(digits.to_owned());
        assert_eq!((number("1e2").as_i64(), number("1e2").as_f64()), (None, Some(100.0)));
        assert_eq!((number("18446744073709551615").as_u64(), number("1e400").as_f64()), (Some(u64::MAX), None));
        assert_eq!((Value::float(0.1).line(), Value::float(f64::NEG_INFINITY).line()), ("0.1".to_owned(), "\"-Infinity\"".to_owned()));
    }

    #[test]
    fn what_is_nested_needs_stack() {
        fn read(n: usize) -> bool {
            let deep = format!("{}{}", "[".repeat(n), "]".repeat(n));
            Value::parse(&deep).is_ok_and(|value| value.lines(1 << 20).is_some() && value.line() == deep)
        }
        let on = |n| std::thread::Builder::new().stack_size(16 << 20).spawn(move || read(n)).expect("a thread").join().expect("no panic");
        assert!(on(MAX_DEPTH) && !on(MAX_DEPTH + 1));
    }
}
