//! Ruby's values as JSON.

use magnus::prelude::*;
use magnus::{Float, Integer, RArray, RHash, RString, RStruct, Ruby, Symbol, Value};
use undergo::host::{Reject, check_json_depth, longest_json_number, nesting_room};
use undergo::{Error, ErrorKind, Result};

use crate::values;

/// How deep lists and objects may be nested.
pub(crate) const MAX_DEPTH: usize = 500;

/// Digits of a number. Ruby takes nearly the square of them to read it, and no deadline ends that.
/// Python reads as many.
const MAX_DIGITS: usize = 4300;

/// Bytes of stack for a level, when it is written here, or read by Ruby's own `JSON`. Code that is
/// not optimised needs more.
const LEVEL: usize = if cfg!(debug_assertions) { 8 << 10 } else { 1 << 10 };

struct Misfit {
    /// Innermost step first.
    path: Vec<String>,
    why: String,
}

fn misfit(why: impl Into<String>) -> Misfit {
    Misfit { path: Vec::new(), why: why.into() }
}

/// The value as a text of JSON.
///
/// # Errors
///
/// What JSON can't hold, with the way to it.
pub(crate) fn dump(ruby: &Ruby, value: Value) -> std::result::Result<String, Reject> {
    let mut text = String::new();
    match write(ruby, value, &mut text, nesting_room(MAX_DEPTH, LEVEL)) {
        Ok(()) => Ok(text),
        Err(Misfit { path, why }) if path.is_empty() => Err(Reject::Value(why)),
        Err(Misfit { mut path, why }) => {
            path.reverse();
            Err(Reject::Within(path.concat(), why))
        }
    }
}

/// Checks that Ruby can read a text: how deep it is nested, and how long its numbers are.
pub(crate) fn check(text: &str) -> Result<()> {
    let wrong = |why: String| Error::new(ErrorKind::TypeMismatch, format!("the plugin gave JSON that can't be read: {why}"));
    let longest = longest_json_number(text);
    if longest > MAX_DIGITS {
        return Err(wrong(format!("a number has {longest} digits, and {MAX_DIGITS} is the most")));
    }
    check_json_depth(text, MAX_DEPTH, LEVEL).map_err(wrong)
}

fn write(ruby: &Ruby, value: Value, out: &mut String, depth: usize) -> std::result::Result<(), Misfit> {
    if value.is_nil() {
        out.push_str("null");
    } else if let Some(text) = RString::from_value(value) {
        write_string(text, out)?;
    } else if let Some(number) = Integer::from_value(value) {
        // Integers of any size; the digits are ASCII.
        out.push_str(&number.to_string());
    } else if let Some(float) = Float::from_value(value) {
        let float = float.to_f64();
        if !float.is_finite() {
            return Err(misfit(format!("{float} is no number of JSON")));
        }
        // The least digits that give the same float again.
        out.push_str(&format!("{float:?}"));
    } else if let Some(symbol) = Symbol::from_value(value) {
        quote(&symbol.name().map_err(|_| misfit("the symbol is not valid UTF-8"))?, out);
    } else if let Some(is_true) = values::boolean(ruby, value) {
        out.push_str(if is_true { "true" } else { "false" });
    } else if let Some(deeper) = depth.checked_sub(1) {
        return write_container(ruby, value, out, deeper);
    } else {
        return Err(misfit(format!(
            "it is nested more than {MAX_DEPTH} deep, or deeper than the thread's stack has room for, or contains itself"
        )));
    }
    Ok(())
}

fn write_container(ruby: &Ruby, value: Value, out: &mut String, depth: usize) -> std::result::Result<(), Misfit> {
    if let Some(list) = RArray::from_value(value) {
        out.push('[');
        let mut number = 0;
        while number < list.len() {
            if number > 0 {
                out.push(',');
            }
            let item = list.entry(number.cast_signed()).map_err(|error| misfit(error.to_string()))?;
            write(ruby, item, out, depth).map_err(|mut misfit| {
                misfit.path.push(format!("[{number}]"));
                misfit
            })?;
            number += 1;
        }
        out.push(']');
        return Ok(());
    }
    let pairs = if let Some(hash) = RHash::from_value(value) {
        values::pairs_of_hash(ruby, hash)
    } else if let Some(fields) = RStruct::from_value(value).filter(|_| values::is_struct(ruby, value)) {
        values::pairs_of_struct(ruby, fields)
    } else {
        return Err(misfit(format!("JSON has no {}", values::class_name(value))));
    };
    let pairs = pairs.map_err(|error| misfit(error.to_string()))?;
    out.push('{');
    for number in 0..pairs.len() / 2 {
        let at = |offset: usize| pairs.entry::<Value>((2 * number + offset).cast_signed()).map_err(|error| misfit(error.to_string()));
        let (key, value) = (at(0)?, at(1)?);
        if number > 0 {
            out.push(',');
        }
        let start = out.len();
        if let Some(name) = RString::from_value(key) {
            write_string(name, out)?;
        } else if let Some(name) = Symbol::from_value(key) {
            quote(&name.name().map_err(|_| misfit("the symbol is not valid UTF-8"))?, out);
        } else {
            return Err(misfit("the keys of a JSON object must be strings"));
        }
        let end = out.len();
        out.push(':');
        write(ruby, value, out, depth).map_err(|misfit| in_member(misfit, &out[start..end]))?;
    }
    out.push('}');
    Ok(())
}

/// `quoted` is the member's name as JSON has it.
fn in_member(mut misfit: Misfit, quoted: &str) -> Misfit {
    let name = &quoted[1..quoted.len() - 1];
    let is_plain = !name.is_empty() && name.chars().all(|c| c == '_' || c.is_ascii_alphanumeric());
    misfit.path.push(if is_plain { format!(".{name}") } else { format!("[{quoted}]") });
    misfit
}

fn write_string(text: RString, out: &mut String) -> std::result::Result<(), Misfit> {
    let text = values::text_of(&text).ok_or_else(|| misfit("JSON has no bytes: give text"))?;
    quote(&text, out);
    Ok(())
}

fn quote(text: &str, out: &mut String) {
    out.push('"');
    let mut rest = text;
    while let Some(at) = rest.find(|c| matches!(c, '"' | '\\' | '\0'..='\x1f')) {
        out.push_str(&rest[..at]);
        match rest.as_bytes()[at] {
            byte @ (b'"' | b'\\') => out.extend(['\\', char::from(byte)]),
            byte => out.push_str(&format!("\\u{byte:04x}")),
        }
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
    out.push('"');
}
