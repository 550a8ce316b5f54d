//! JSON, to and from the values of these languages. Numbers keep all their digits.

use undergo::host::{FromJson, Reject, longest_json_number, nesting_room, read_json};
use undergo::{Error, ErrorKind, Result};

use crate::value::{Entry, Value};

/// How deep lists and objects may be nested: these languages walk over them, too.
const MAX_DEPTH: usize = 500;

/// Digits of a number. Java takes the square of them to read it, and no deadline ends that. Python
/// reads as many.
const MAX_DIGITS: usize = 4300;

/// Bytes of stack for a level, when it is written or read. Code that is not optimised needs more.
const LEVEL: usize = if cfg!(debug_assertions) { 8 << 10 } else { 1 << 10 };

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
    /// How much deeper it may be nested.
    room: usize,
}

type Written = std::result::Result<(), Misfit>;

impl Writer {
    /// What `write` writes.
    pub(crate) fn text(write: impl FnOnce(&mut Writer) -> Written) -> std::result::Result<String, Reject> {
        let mut writer = Writer { text: String::new(), room: nesting_room(MAX_DEPTH, LEVEL) };
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
        self.room = self.room.checked_sub(1).ok_or_else(|| {
            Misfit::new(format!(
                "it is nested more than {MAX_DEPTH} deep, or deeper than the thread's stack has room for, or contains itself"
            ))
        })?;
        self.text.push(open);
        write(self)?;
        self.text.push(close);
        self.room += 1;
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
        Value::Case { .. } => Err(Misfit::new("JSON has no variants: give a map")),
        Value::Bytes { .. } => Err(Misfit::new("JSON has no bytes: give a string, or a list of numbers")),
        Value::Unfit { reason } => Err(Misfit::new(reason.clone())),
        Value::Duration { .. } | Value::Time { .. } => Err(Misfit::new("JSON has no times: give a number or a string")),
    }
}

/// Refuses numbers that no language reads in a reasonable time.
fn check_digits(text: &str) -> Result<()> {
    let longest = longest_json_number(text);
    if longest <= MAX_DIGITS {
        return Ok(());
    }
    Err(wrong(format!("a number has {longest} digits, and {MAX_DIGITS} is the most")))
}

/// The value that a text holds. Numbers that are neither integers of 64 bits nor floats stay text.
pub(crate) fn parse(text: &str) -> Result<Value> {
    check_digits(text)?;
    read_json(text, MAX_DEPTH, LEVEL).map_err(wrong)
}

impl FromJson for Value {
    fn null() -> Value {
        Value::None
    }

    fn bool(value: bool) -> Value {
        Value::Bool { value }
    }

    fn number(digits: &str) -> Value {
        let is_integer = !digits.contains(['.', 'e', 'E']);
        // An integer has no zero below zero.
        if is_integer && digits != "-0" {
            if let Ok(value) = digits.parse() {
                return Value::Int { value };
            }
            if let Ok(value) = digits.parse() {
                return Value::Uint { value };
            }
            return Value::Json { text: digits.to_owned() };
        }
        match digits.parse::<f64>() {
            Ok(value) if value.is_finite() => Value::Float { value },
            _ => Value::Json { text: digits.to_owned() },
        }
    }

    fn string(value: String) -> Value {
        Value::Text { value }
    }

    fn list(items: Vec<Value>) -> Value {
        Value::Items { items }
    }

    fn object(members: Vec<(String, Value)>) -> Value {
        Value::Entries { entries: members.into_iter().map(|(key, value)| Entry { key: Value::Text { value: key }, value }).collect() }
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
    }

    #[test]
    fn a_number_has_so_many_digits() {
        assert!(parse(&format!("[{}]", "7".repeat(MAX_DIGITS))).is_ok());
        for text in [format!("[{}]", "7".repeat(MAX_DIGITS + 1)), format!("0.{}", "7".repeat(MAX_DIGITS))] {
            let refused = parse(&text).map(drop).expect_err("too long");
            assert!(refused.message().contains("and 4300 is the most"), "{refused}");
        }
        assert!(parse(&format!("[\"{}\"]", "7".repeat(MAX_DIGITS + 1))).is_ok());
    }

    #[test]
    fn what_is_nested_needs_stack() {
        let deep = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        let on = |stack: usize, n: usize| {
            let work = move || {
                let read = parse(&deep(n)).map_err(|error| error.message().to_owned())?;
                Writer::text(|writer| to_json(&read, writer)).map(drop).map_err(|_| "not written".to_owned())
            };
            std::thread::Builder::new().stack_size(stack).spawn(work).expect("a thread").join().expect("no panic")
        };
        assert!(on(16 << 20, MAX_DEPTH).is_ok());
        assert!(on(16 << 20, MAX_DEPTH + 1).is_err());
        assert!(on(256 << 10, 20).is_ok());
        assert!(on(256 << 10, MAX_DEPTH).is_err());
        let mut nested = Value::None;
        for _ in 0..MAX_DEPTH {
            nested = Value::Items { items: vec![nested] };
        }
        let write = move || Writer::text(|writer| to_json(&nested, writer)).is_err();
        assert!(std::thread::Builder::new().stack_size(256 << 10).spawn(write).expect("a thread").join().expect("no panic"));
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
