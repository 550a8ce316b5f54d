//! JSON, to and from the values of these languages. Numbers keep all their digits.

use undergo::{Error, ErrorKind, Reject, Result};

use crate::value::{Entry, Value};

/// How deep lists and objects may be nested: as deep as the stack of any thread surely has room for.
const MAX_DEPTH: usize = 500;

/// What JSON can't hold.
pub(crate) struct Misfit {
    /// The way to it, innermost step first.
    path: Vec<String>,
    why: String,
}

impl Misfit {
    pub(crate) fn new(why: impl Into<String>) -> Misfit {
        Misfit { path: Vec::new(), why: why.into() }
    }

    fn at(mut self, step: String) -> Misfit {
        self.path.push(step);
        self
    }

    fn reject(mut self) -> Reject {
        if self.path.is_empty() {
            return Reject::Value(self.why);
        }
        self.path.reverse();
        Reject::Within(self.path.concat(), self.why)
    }
}

/// A text of JSON in the making.
pub(crate) struct Writer {
    text: String,
    depth: usize,
}

type Written = std::result::Result<(), Misfit>;

impl Writer {
    /// What `write` writes.
    pub(crate) fn text(write: impl FnOnce(&mut Writer) -> Written) -> std::result::Result<String, Reject> {
        let mut writer = Writer { text: String::new(), depth: 0 };
        write(&mut writer).map(|()| writer.text).map_err(Misfit::reject)
    }

    /// A number, `null`, a bool: what is JSON already.
    pub(crate) fn raw(&mut self, text: &str) -> Written {
        self.text.push_str(text);
        Ok(())
    }

    pub(crate) fn float(&mut self, value: f64) -> Written {
        if !value.is_finite() {
            return Err(Misfit::new(format!("{value} is no number of JSON")));
        }
        // The least digits that give the same float again.
        self.raw(&format!("{value:?}"))
    }

    pub(crate) fn string(&mut self, text: &str) -> Written {
        let quoted = serde_json::to_string(text).map_err(|error| Misfit::new(error.to_string()))?;
        self.raw(&quoted)
    }

    pub(crate) fn list<T>(&mut self, items: &[T], mut write: impl FnMut(&mut Writer, &T) -> Written) -> Written {
        self.nested('[', ']', |writer| {
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    writer.text.push(',');
                }
                write(writer, item).map_err(|misfit| misfit.at(format!("[{i}]")))?;
            }
            Ok(())
        })
    }

    pub(crate) fn object<'n, T>(
        &mut self,
        members: impl Iterator<Item = (Option<&'n str>, T)>,
        mut write: impl FnMut(&mut Writer, T) -> Written,
    ) -> Written {
        self.nested('{', '}', |writer| {
            for (i, (name, value)) in members.enumerate() {
                let name = name.ok_or_else(|| Misfit::new("the keys of a JSON object must be strings"))?;
                if i > 0 {
                    writer.text.push(',');
                }
                writer.string(name)?;
                writer.text.push(':');
                write(writer, value).map_err(|misfit| {
                    let is_plain = name.chars().all(|c| c == '_' || c.is_ascii_alphanumeric());
                    misfit.at(if is_plain && !name.is_empty() { format!(".{name}") } else { format!("[{name:?}]") })
                })?;
            }
            Ok(())
        })
    }

    fn nested(&mut self, open: char, close: char, write: impl FnOnce(&mut Writer) -> Written) -> Written {
        if self.depth == MAX_DEPTH {
            return Err(Misfit::new(format!("it is nested more than {MAX_DEPTH} deep, or contains itself")));
        }
        self.depth += 1;
        self.text.push(open);
        write(self)?;
        self.text.push(close);
        self.depth -= 1;
        Ok(())
    }
}

/// Writes the value as JSON.
pub(crate) fn to_json(value: &Value, writer: &mut Writer) -> Result<(), Misfit> {
    match value {
        Value::None => writer.raw("null"),
        Value::Bool { value } => writer.raw(if *value { "true" } else { "false" }),
        Value::Int { value } => writer.raw(&value.to_string()),
        Value::Uint { value } => writer.raw(&value.to_string()),
        Value::Float { value } => writer.float(*value),
        Value::Text { value } => writer.string(value),
        Value::Items { items } => writer.list(items, |writer, item| to_json(item, writer)),
        Value::Fields { fields } => {
            let members = fields.iter().map(|field| (Some(field.name.as_str()), &field.value));
            writer.object(members, |writer, value| to_json(value, writer))
        }
        Value::Entries { entries } => {
            let members = entries.iter().map(|entry| match &entry.key {
                Value::Text { value: name } => (Some(name.as_str()), &entry.value),
                _ => (None, &entry.value),
            });
            writer.object(members, |writer, value| to_json(value, writer))
        }
        // The core looks whether the whole is JSON.
        Value::Json { text } => writer.raw(text),
        Value::Bytes { .. } => Err(Misfit::new("JSON has no bytes: give a string, or a list of numbers")),
        Value::Unfit { reason } => Err(Misfit::new(reason.clone())),
        Value::Duration { .. } | Value::Time { .. } => Err(Misfit::new("JSON has no times: give a number or a string")),
    }
}

/// The value that a text holds which is known to be JSON. Numbers that are neither integers of 64 bits nor floats stay text.
pub(crate) fn parse(text: &str) -> Result<Value> {
    let mut reader = Reader { text, at: 0 };
    reader.value(MAX_DEPTH)
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl Reader<'_> {
    fn value(&mut self, depth: usize) -> Result<Value> {
        match self.skip_space() {
            b'[' | b'{' if depth == 0 => Err(wrong(format!("it is nested more than {MAX_DEPTH} deep"))),
            b'[' => {
                let mut items = Vec::new();
                while self.more(b']') {
                    items.push(self.value(depth - 1)?);
                }
                Ok(Value::Items { items })
            }
            b'{' => {
                let mut entries = Vec::new();
                while self.more(b'}') {
                    self.skip_space();
                    let key = Value::Text { value: self.string()? };
                    self.skip_space();
                    self.at += 1;
                    entries.push(Entry { key, value: self.value(depth - 1)? });
                }
                Ok(Value::Entries { entries })
            }
            b'"' => Ok(Value::Text { value: self.string()? }),
            b't' => Ok(self.word("true", Value::Bool { value: true })),
            b'f' => Ok(self.word("false", Value::Bool { value: false })),
            b'n' => Ok(self.word("null", Value::None)),
            _ => self.number(),
        }
    }

    /// Steps behind the bracket or comma that it stands at, or behind the end. Says whether something comes.
    fn more(&mut self, end: u8) -> bool {
        // At the opening bracket, or behind an item.
        let first = self.skip_space();
        if first != end {
            self.at += 1;
            if first == b',' || self.skip_space() != end {
                return true;
            }
        }
        self.at += 1;
        false
    }

    fn word(&mut self, word: &str, value: Value) -> Value {
        self.at += word.len();
        value
    }

    fn string(&mut self) -> Result<String> {
        let bytes = self.text.as_bytes();
        let start = self.at;
        self.at += 1;
        while bytes.get(self.at).is_some_and(|byte| *byte != b'"') {
            self.at += if bytes[self.at] == b'\\' { 2 } else { 1 };
        }
        self.at += 1;
        let quoted = self.text.get(start..self.at).unwrap_or_default();
        serde_json::from_str(quoted).map_err(|error| wrong(error.to_string()))
    }

    fn number(&mut self) -> Result<Value> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let end = rest.find(|c: char| !matches!(c, '0'..='9' | '-' | '+' | '.' | 'e' | 'E')).unwrap_or(rest.len());
        let digits = &rest[..end];
        self.at += end;
        if digits.is_empty() {
            return Err(wrong("a value is missing".to_owned()));
        }
        let is_integer = !digits.contains(['.', 'e', 'E']);
        // An integer has no zero below zero.
        if is_integer && digits != "-0" {
            if let Ok(value) = digits.parse() {
                return Ok(Value::Int { value });
            }
            if let Ok(value) = digits.parse() {
                return Ok(Value::Uint { value });
            }
            return Ok(Value::Json { text: digits.to_owned() });
        }
        match digits.parse::<f64>() {
            Ok(value) if value.is_finite() => Ok(Value::Float { value }),
            _ => Ok(Value::Json { text: digits.to_owned() }),
        }
    }

    /// The first byte that is no space; 0 at the end.
    fn skip_space(&mut self) -> u8 {
        let bytes = self.text.as_bytes();
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = bytes.get(self.at) {
            self.at += 1;
        }
        bytes.get(self.at).copied().unwrap_or(0)
    }
}

fn wrong(why: String) -> Error {
    Error::new(ErrorKind::TypeMismatch, format!("the plugin gave JSON that can't be read: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_written_again() {
        for text in [
            "null",
            "[]",
            "{}",
            "[1,-2,[],{},[{}]]",
            r#"{"a":[true,false,null],"":{"b":"ü\"\\\n"},"c":0.1}"#,
            "[9007199254740993,-9223372036854775808,18446744073709551615,18446744073709551616,-123456789012345678901234567890]",
            "[1e400,5e-324,1.5,-0.0,1e300]",
        ] {
            let value = parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(Writer::text(|writer| to_json(&value, writer)).ok().as_deref(), Some(text));
        }
        let spaced = parse(" { \"a\" : [ 1 , 2 ] , \"b\" : { } }\n").expect("it is JSON");
        assert_eq!(Writer::text(|writer| to_json(&spaced, writer)).ok().as_deref(), Some(r#"{"a":[1,2],"b":{}}"#));
        let deep = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        assert!(parse(&deep(MAX_DEPTH)).is_ok());
        assert!(parse(&deep(MAX_DEPTH + 1)).is_err());
    }

    #[test]
    fn what_json_cannot_hold_is_named() {
        let nan = Value::Items { items: vec![Value::None, Value::Float { value: f64::NAN }] };
        let key = |name: &str| Value::Text { value: name.to_owned() };
        let outer = Value::Entries { entries: vec![Entry { key: key("a"), value: nan }] };
        match Writer::text(|writer| to_json(&outer, writer)) {
            Err(Reject::Within(path, why)) => assert_eq!((path.as_str(), why.as_str()), (".a[1]", "NaN is no number of JSON")),
            other => panic!("{other:?}"),
        }
    }
}
