//! JSON, to and from the values of these languages. Numbers keep all their digits.

use undergo::Result;
use undergo::host::{FromJson, JsonWriter, Reject, check_json_digits, read_json, unreadable_json};

use crate::value::{Entry, Value, type_name};

/// How deep lists and objects may be nested: these languages walk over them, too.
const MAX_DEPTH: usize = 500;

/// Bytes of stack for a level, when it is written or read. Code that is not optimised needs more.
const LEVEL: usize = if cfg!(debug_assertions) { 8 << 10 } else { 1 << 10 };

/// The value as a text of JSON.
///
/// # Errors
///
/// What JSON can't hold, with the way to it.
pub(crate) fn to_json(value: &Value) -> Result<String, Reject> {
    JsonWriter::text(MAX_DEPTH, LEVEL, |writer| write(value, writer))
}

fn write(value: &Value, writer: &mut JsonWriter) -> Result<(), Reject> {
    match value {
        Value::None => writer.null(),
        Value::Bool { value } => writer.bool(*value),
        Value::Int { value } => writer.integer(value),
        Value::Uint { value } => writer.integer(value),
        Value::Float { value } => writer.float(*value)?,
        Value::Text { value } => writer.string(value),
        // The core looks whether the whole is JSON.
        Value::Json { text } => writer.raw(text),
        Value::Items { items } => {
            writer.list()?;
            for item in items {
                writer.item();
                write(item, writer)?;
            }
            writer.end();
        }
        Value::Fields { fields } => write_members(fields.iter().map(|field| Ok((field.name.as_str(), &field.value))), writer)?,
        Value::Entries { entries } => write_members(entries.iter().map(|entry| Ok((name(&entry.key)?, &entry.value))), writer)?,
        Value::Unfit { reason } => return Err(Reject::Value(reason.clone())),
        Value::Bytes { .. }
        | Value::Case { .. }
        | Value::Duration { .. }
        | Value::Time { .. }
        | Value::Handle { .. }
        | Value::Passed { .. } => {
            return Err(Reject::no_json(type_name(value), "none, a bool, a number, a string, a list or a map"));
        }
    }
    Ok(())
}

fn write_members<'v>(members: impl Iterator<Item = Result<(&'v str, &'v Value), Reject>>, writer: &mut JsonWriter) -> Result<(), Reject> {
    writer.object()?;
    for member in members {
        writer.item();
        let (name, value) = member?;
        writer.name(name);
        write(value, writer)?;
    }
    writer.end();
    Ok(())
}

fn name(key: &Value) -> Result<&str, Reject> {
    if let Value::Text { value } = key { Ok(value) } else { Err(Reject::no_json_name(type_name(key))) }
}

/// The value that a text holds. Numbers that are neither integers of 64 bits nor floats stay text.
pub(crate) fn parse(text: &str) -> Result<Value> {
    check_json_digits(text).and_then(|()| read_json(text, MAX_DEPTH, LEVEL)).map_err(unreadable_json)
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
            assert_eq!(to_json(&value).ok().as_deref(), Some(text));
        }
        let spaced = parse(" { \"a\" : [ 1 , 2 ] , \"b\" : { } }\n").expect("it is JSON");
        assert_eq!(to_json(&spaced).ok().as_deref(), Some(r#"{"a":[1,2],"b":{}}"#));
    }

    #[test]
    fn a_number_has_so_many_digits() {
        assert!(parse(&"7".repeat(4300)).is_ok());
        let refused = parse(&"7".repeat(4301)).map(drop).expect_err("too long");
        assert_eq!(refused.message(), "the plugin gave JSON that can't be read: a number has 4301 digits, and 4300 is the most");
    }

    #[test]
    fn what_is_nested_needs_stack() {
        let deep = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        let on = |stack: usize, n: usize| {
            let work = move || {
                let read = parse(&deep(n)).map_err(|error| error.message().to_owned())?;
                to_json(&read).map(drop).map_err(|_| "not written".to_owned())
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
        let write = move || to_json(&nested).is_err();
        assert!(std::thread::Builder::new().stack_size(256 << 10).spawn(write).expect("a thread").join().expect("no panic"));
    }

    #[test]
    fn what_json_cannot_hold_is_named() {
        let nan = Value::Items { items: vec![Value::None, Value::Float { value: f64::NAN }] };
        let key = |name: &str| Value::Text { value: name.to_owned() };
        let outer = Value::Entries { entries: vec![Entry { key: key("a"), value: nan }] };
        match to_json(&outer) {
            Err(Reject::Within(path, why)) => assert_eq!((path.as_str(), why.as_str()), (".a[1]", "NaN is no number of JSON")),
            other => panic!("{other:?}"),
        }
    }
}
