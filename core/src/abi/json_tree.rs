//! JSON as values of a host: with all digits of its numbers, and no deeper than the stack has room
//! for.

use std::fmt::Display;

use memchr::memchr2;

use crate::abi::json;
use crate::error::{Error, ErrorKind};
use crate::platform::stack;

/// Digits of a number. Many hosts take nearly the square of them to read it, and no deadline ends
/// that. Python reads as many.
const MAX_DIGITS: usize = 4300;

/// What a host makes of JSON.
pub trait FromJson: Sized {
    /// `null`.
    fn null() -> Self;
    /// `true` or `false`.
    fn bool(value: bool) -> Self;
    /// A number, as it is written.
    fn number(digits: &str) -> Self;
    /// A string.
    fn string(text: String) -> Self;
    /// A list.
    fn list(items: Vec<Self>) -> Self;
    /// An object: its members in the order in which they are written. A name may occur several
    /// times.
    fn object(members: Vec<(String, Self)>) -> Self;
}

/// The value that a text of JSON holds. Lists and objects may be nested `most` deep, and need
/// `each` bytes of stack a level wherever the host goes down them.
///
/// # Errors
///
/// What is wrong with the text.
pub fn read_json<V: FromJson>(text: &str, most: usize, each: usize) -> Result<V, String> {
    if let Some(fault) = json::fault(text) {
        return Err(fault);
    }
    check_json_depth(text, most, each)?;
    Ok(Reader { text, at: 0 }.value())
}

/// Checks a text that is known to be JSON: whether it is nested no more than `most` deep, and no
/// deeper than the stack has room for with `each` bytes a level. For hosts whose own reader calls
/// itself for what is nested.
///
/// # Errors
///
/// What is wrong with it.
pub fn check_json_depth(text: &str, most: usize, each: usize) -> Result<(), String> {
    // What is nested so deep has that many brackets at either end.
    if text.len() / 2 <= 16 {
        return Ok(());
    }
    let (depth, room) = (depth(text), stack::nesting_room(most, each));
    if depth <= room {
        return Ok(());
    }
    Err(if room == most {
        format!("it is nested {depth} deep, and {most} is the most")
    } else {
        format!("it is nested {depth} deep, and the stack of this thread has room for {room}")
    })
}

/// How deep lists and objects are nested in a text that is JSON.
fn depth(text: &str) -> usize {
    let (bytes, mut at, mut depth, mut deepest) = (text.as_bytes(), 0, 0_usize, 0);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => at = end_of_string(bytes, at),
            b'[' | b'{' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        at += 1;
    }
    deepest
}

/// Checks a text that is known to be JSON: whether its numbers have no more digits than a host
/// reads in a reasonable time. For hosts that make values of any number.
///
/// # Errors
///
/// What is wrong with it.
pub fn check_json_digits(text: &str) -> Result<(), String> {
    let longest = longest_number(text);
    if longest <= MAX_DIGITS {
        return Ok(());
    }
    Err(format!("a number has {longest} digits, and {MAX_DIGITS} is the most"))
}

/// The error for JSON of a plugin that a host has no value for.
#[cold]
#[must_use]
pub fn unreadable_json(why: impl Display) -> Error {
    Error::new(ErrorKind::TypeMismatch, format!("the plugin gave JSON that can't be read: {why}"))
}

/// The most characters that a number has in a text that is JSON.
fn longest_number(text: &str) -> usize {
    let (bytes, mut at, mut longest, mut begin) = (text.as_bytes(), 0, 0, 0);
    while let Some(byte) = bytes.get(at) {
        if !matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E') {
            longest = longest.max(at - begin);
            if *byte == b'"' {
                at = end_of_string(bytes, at);
            }
            begin = at + 1;
        }
        at += 1;
    }
    longest.max(bytes.len().saturating_sub(begin))
}

/// Where the quote is that ends the string which begins there.
fn end_of_string(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(found) = bytes.get(at..).and_then(|rest| memchr2(b'"', b'\\', rest)) {
        at += found;
        if bytes[at] == b'"' {
            return at;
        }
        at += 2;
    }
    bytes.len()
}

/// Reads what [`json::fault`] finds nothing wrong with.
struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl Reader<'_> {
    fn value<V: FromJson>(&mut self) -> V {
        match self.peek() {
            b'[' => {
                let mut items = Vec::new();
                while self.more(b']') {
                    items.push(self.value());
                }
                V::list(items)
            }
            b'{' => {
                let mut members = Vec::new();
                while self.more(b'}') {
                    self.peek();
                    let name = self.string();
                    self.peek();
                    // The colon.
                    self.at += 1;
                    members.push((name, self.value()));
                }
                V::object(members)
            }
            b'"' => V::string(self.string()),
            b't' => self.word("true", V::bool(true)),
            b'f' => self.word("false", V::bool(false)),
            b'n' => self.word("null", V::null()),
            _ => {
                let rest = &self.text[self.at..];
                let end = rest.find(|c: char| !matches!(c, '0'..='9' | '-' | '+' | '.' | 'e' | 'E')).unwrap_or(rest.len());
                self.at += end;
                V::number(&rest[..end])
            }
        }
    }

    /// Steps behind the bracket or the comma that it stands at, or behind the end. Says whether
    /// something comes.
    fn more(&mut self, end: u8) -> bool {
        let first = self.peek();
        self.at += 1;
        if first == end {
            return false;
        }
        if first != b',' && self.peek() == end {
            self.at += 1;
            return false;
        }
        self.at < self.text.len()
    }

    fn word<V>(&mut self, word: &str, value: V) -> V {
        self.at += word.len();
        value
    }

    fn string(&mut self) -> String {
        let end = end_of_string(self.text.as_bytes(), self.at);
        let quoted = self.text.get(self.at + 1..end).unwrap_or_default();
        self.at = end + 1;
        unescape(quoted)
    }

    /// The first byte that is no space; 0 at the end.
    fn peek(&mut self) -> u8 {
        let rest = &self.text.as_bytes()[self.at.min(self.text.len())..];
        let spaces = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')).count();
        self.at += spaces;
        rest.get(spaces).copied().unwrap_or(0)
    }
}

fn unescape(quoted: &str) -> String {
    let mut text = String::with_capacity(quoted.len());
    let mut rest = quoted;
    while let Some(at) = rest.find('\\') {
        text.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let unit = |rest: &str| rest.get(1..5).and_then(|digits| u32::from_str_radix(digits, 16).ok()).unwrap_or(0);
        let escaped = rest.chars().next().unwrap_or_default();
        let mut len = escaped.len_utf8().min(rest.len());
        text.push(match escaped {
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let mut code = unit(rest);
                len = 5;
                if (0xD800..0xDC00).contains(&code) {
                    // The other half follows, or it would not be JSON.
                    let low = rest.get(6..).map_or(0, unit);
                    code = 0x10000 + ((code - 0xD800) << 10) + (low & 0x3FF);
                    len = 11;
                }
                char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
            }
            other => other,
        });
        rest = rest.get(len..).unwrap_or_default();
    }
    text.push_str(rest);
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    const EACH: usize = 8 << 10;

    impl FromJson for Value {
        fn null() -> Value {
            Value::Null
        }
        fn bool(value: bool) -> Value {
            Value::Bool(value)
        }
        fn number(digits: &str) -> Value {
            serde_json::from_str(digits).unwrap_or_else(|_| Value::from(digits))
        }
        fn string(text: String) -> Value {
            Value::String(text)
        }
        fn list(items: Vec<Value>) -> Value {
            Value::Array(items)
        }
        fn object(members: Vec<(String, Value)>) -> Value {
            Value::Object(members.into_iter().collect())
        }
    }

    #[test]
    fn the_longest_number_is_found() {
        for (text, longest) in [
            ("", 0),
            ("0", 1),
            ("-1.5e+10", 8),
            ("[1,22,333]", 3),
            ("[22, 1]", 2),
            (r#"{"12345\"678": 12}"#, 2),
            (r#"["1234567890"]"#, 0),
            (r#""1234567890"#, 0),
        ] {
            assert_eq!(longest_number(text), longest, "{text}");
        }
        assert_eq!(check_json_digits(&format!("[\"{0}7\",{0}]", "7".repeat(MAX_DIGITS))), Ok(()));
        let refused = check_json_digits(&format!("0.{}", "7".repeat(MAX_DIGITS)));
        assert_eq!(refused, Err("a number has 4302 digits, and 4300 is the most".to_owned()));
    }

    #[test]
    #[cfg_attr(miri, ignore = "is about the machine's stack")]
    fn it_is_read_no_deeper_than_there_is_stack_for() {
        fn read(n: usize, most: usize) -> Result<(), String> {
            let text = format!("{}\"[[\\\"[\"{}", "[".repeat(n), "]".repeat(n));
            read_json::<Value>(&text, most, EACH).map(drop)
        }
        let on =
            |stack: usize, n: usize| std::thread::Builder::new().stack_size(stack).spawn(move || read(n, 10_000)).expect("a thread").join();
        assert_eq!(read(20, 20), Ok(()));
        assert_eq!(read(21, 20), Err("it is nested 21 deep, and 20 is the most".to_owned()));
        assert!(on(1 << 20, 100).expect("no panic").is_ok());
        let refused = on(1 << 20, 1000).expect("no panic").expect_err("no room");
        assert!(refused.starts_with("it is nested 1000 deep, and the stack of this thread has room for "), "{refused}");
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 16 } else { 256 }, failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn it_is_what_a_parser_reads(text in r#"[\[\]{}:,"\\ub80-9eE.+\-a \n]{0,12}"#) {
            check(&text)?;
        }

        #[test]
        #[cfg_attr(miri, ignore = "any text takes Miri minutes to make up")]
        fn what_is_written_is_read(parts in prop::collection::vec(any::<String>(), 0..8), number in any::<f64>()) {
            let list: Vec<Value> = parts.iter().map(|part| Value::from(part.as_str())).chain([number.into(), Value::Null]).collect();
            let object: Value = Value::Object(parts.iter().map(|part| (part.clone(), Value::from(list.clone()))).collect());
            for text in [object.to_string(), serde_json::to_string_pretty(&object).expect("text")] {
                prop_assert_eq!(read_json::<Value>(&text, 100, EACH), Ok(object.clone()));
            }
        }
    }

    fn check(text: &str) -> Result<(), TestCaseError> {
        if let Ok(value) = serde_json::from_str::<Value>(text) {
            prop_assert_eq!(read_json::<Value>(text, 100, EACH), Ok(value));
        }
        Ok(())
    }

    #[test]
    fn escapes_and_spaces() {
        for text in [
            r#""\u00fc\ud83d\ude00\"\\\/\b\f\n\r\t\u0000""#,
            " [ 1 , [ ] , { } , { \"a\" : [ true , false , null ] } ]\n",
            r#"{"a":{"b":"c,]}"},"d":[-0.5e3,"[{"]}"#,
        ] {
            check(text).expect("the same");
        }
    }
}
