//! Ruby's values as JSON.

use magnus::prelude::*;
use magnus::{Float, Integer, RArray, RHash, RString, RStruct, Ruby, Symbol, Value};
use undergo::Result;
use undergo::host::{JsonWriter, Reject, check_json_depth, check_json_digits, unreadable_json};

use crate::values;

/// How deep lists and objects may be nested.
pub(crate) const MAX_DEPTH: usize = 500;

/// Bytes of stack for a level, when it is written here, or read by Ruby's own `JSON`. Code that is
/// not optimised needs more.
const LEVEL: usize = if cfg!(debug_assertions) { 8 << 10 } else { 1 << 10 };

type Written<T = ()> = std::result::Result<T, Reject>;

/// The value as a text of JSON.
///
/// # Errors
///
/// What JSON can't hold, with the way to it.
pub(crate) fn dump(ruby: &Ruby, value: Value) -> Written<String> {
    JsonWriter::text(MAX_DEPTH, LEVEL, |writer| write(ruby, value, writer))
}

/// Checks that Ruby can read a text: how deep it is nested, and how long its numbers are.
pub(crate) fn check(text: &str) -> Result<()> {
    check_json_digits(text).and_then(|()| check_json_depth(text, MAX_DEPTH, LEVEL)).map_err(unreadable_json)
}

fn write(ruby: &Ruby, value: Value, writer: &mut JsonWriter) -> Written {
    if value.is_nil() {
        writer.null();
    } else if let Some(text) = RString::from_value(value) {
        writer.string(&values::text_of(&text).ok_or_else(no_text)?);
    } else if let Some(number) = Integer::from_value(value) {
        writer.integer(number);
    } else if let Some(float) = Float::from_value(value) {
        writer.float(float.to_f64())?;
    } else if let Some(symbol) = Symbol::from_value(value) {
        writer.string(&symbol.name().map_err(|_| no_text())?);
    } else if let Some(is_true) = values::boolean(ruby, value) {
        writer.bool(is_true);
    } else if let Some(list) = RArray::from_value(value) {
        write_list(ruby, list, writer)?;
    } else if let Some(hash) = RHash::from_value(value) {
        write_pairs(ruby, values::pairs_of_hash(ruby, hash), writer)?;
    } else if let Some(fields) = RStruct::from_value(value).filter(|_| values::is_struct(ruby, value)) {
        write_pairs(ruby, values::pairs_of_struct(ruby, fields), writer)?;
    } else {
        let instead = "nil, true or false, an Integer, a Float, a String, an Array, a Hash or a Struct";
        return Err(Reject::no_json(&values::class_name(value), instead));
    }
    Ok(())
}

fn write_list(ruby: &Ruby, list: RArray, writer: &mut JsonWriter) -> Written {
    writer.list()?;
    let mut number = 0;
    while number < list.len() {
        writer.item();
        write(ruby, list.entry(number.cast_signed()).map_err(|error| raised(&error))?, writer)?;
        number += 1;
    }
    writer.end();
    Ok(())
}

/// `pairs` are the members' names and values, in turn.
fn write_pairs(ruby: &Ruby, pairs: std::result::Result<RArray, magnus::Error>, writer: &mut JsonWriter) -> Written {
    let pairs = pairs.map_err(|error| raised(&error))?;
    writer.object()?;
    for number in 0..pairs.len() / 2 {
        writer.item();
        let at = |offset: usize| pairs.entry::<Value>((2 * number + offset).cast_signed()).map_err(|error| raised(&error));
        let (key, value) = (at(0)?, at(1)?);
        if let Some(name) = RString::from_value(key) {
            writer.name(&values::text_of(&name).ok_or_else(no_text)?);
        } else if let Some(name) = Symbol::from_value(key) {
            writer.name(&name.name().map_err(|_| no_text())?);
        } else {
            return Err(Reject::no_json_name(&values::class_name(key)));
        }
        write(ruby, value, writer)?;
    }
    writer.end();
    Ok(())
}

fn no_text() -> Reject {
    Reject::no_json("bytes", "text in UTF-8")
}

fn raised(error: &magnus::Error) -> Reject {
    Reject::Value(error.to_string())
}
