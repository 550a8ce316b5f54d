//! Checks that a text holds one JSON value. Each JSON text that crosses the boundary is checked, in
//! either direction, so that no host and no guest has to guess what the other side meant.

use memchr::memchr2;

use crate::error::{Error, ErrorKind, Result};

/// How deep arrays and objects may be nested: Go's own decoder accepts no more.
const MAX_DEPTH: usize = 10_000;

/// Checks a text from a guest.
pub(crate) fn check_lifted(text: &str) -> Result<()> {
    match fault(text) {
        None => Ok(()),
        Some(fault) => {
            let error = Error::new(ErrorKind::TypeMismatch, format!("the guest gave text that is not JSON: {fault}"));
            // What a guest passes in place of a value that it refused to carry.
            Err(if text.is_empty() { error.of_no_value() } else { error })
        }
    }
}

/// What is wrong with a text that should hold one JSON value.
pub(crate) fn fault(text: &str) -> Option<String> {
    let mut reader = Reader { bytes: text.as_bytes(), at: 0 };
    let what = reader.text().err()?;
    Some(if reader.at < text.len() { format!("{what} at byte {}", reader.at) } else { format!("{what} at its end") })
}

struct Reader<'t> {
    bytes: &'t [u8],
    at: usize,
}

type Fault = &'static str;

impl Reader<'_> {
    fn text(&mut self) -> Result<(), Fault> {
        // The open brackets: false for an array, true for an object.
        let mut open = Vec::new();
        self.skip_space();
        loop {
            match self.peek() {
                Some(b'[' | b'{') => {
                    let is_object = self.next() == Some(b'{');
                    self.skip_space();
                    if self.peek() == Some(if is_object { b'}' } else { b']' }) {
                        self.at += 1;
                    } else {
                        if open.len() == MAX_DEPTH {
                            return Err("it is nested more than 10,000 deep");
                        }
                        open.push(is_object);
                        if is_object {
                            self.name()?;
                        }
                        continue;
                    }
                }
                _ => self.scalar()?,
            }
            // After a value.
            loop {
                self.skip_space();
                let Some(is_object) = open.last().copied() else {
                    return if self.at == self.bytes.len() { Ok(()) } else { Err("there is something behind the value") };
                };
                match self.peek() {
                    Some(b',') => {
                        self.at += 1;
                        self.skip_space();
                        if is_object {
                            self.name()?;
                        }
                        break;
                    }
                    Some(b']') if !is_object => self.at += 1,
                    Some(b'}') if is_object => self.at += 1,
                    _ => return Err(if is_object { "a comma or } is missing" } else { "a comma or ] is missing" }),
                }
                open.pop();
            }
        }
    }

    fn name(&mut self) -> Result<(), Fault> {
        if self.peek() != Some(b'"') {
            return Err("the name of a member is missing");
        }
        self.string()?;
        self.skip_space();
        if self.peek() != Some(b':') {
            return Err("a colon is missing");
        }
        self.at += 1;
        self.skip_space();
        Ok(())
    }

    fn scalar(&mut self) -> Result<(), Fault> {
        match self.peek() {
            Some(b'"') => self.string(),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => {
                let rest = &self.bytes[self.at..];
                let word = ["true", "false", "null"].into_iter().find(|word| rest.starts_with(word.as_bytes()));
                self.at += word.ok_or("a value is missing")?.len();
                Ok(())
            }
        }
    }

    fn number(&mut self) -> Result<(), Fault> {
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), Fault> {
        let count = self.bytes[self.at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += count;
        if count > 0 { Ok(()) } else { Err("a digit is missing") }
    }

    fn string(&mut self) -> Result<(), Fault> {
        self.at += 1;
        loop {
            let rest = &self.bytes[self.at..];
            let run = memchr2(b'"', b'\\', rest).unwrap_or(rest.len());
            if let Some(control) = rest[..run].iter().position(|byte| *byte < b' ') {
                self.at += control;
                return Err("a string has a control character");
            }
            self.at += run;
            match self.next() {
                Some(b'"') => return Ok(()),
                Some(_) => self.escape()?,
                None => return Err("a string has no end"),
            }
        }
    }

    fn escape(&mut self) -> Result<(), Fault> {
        match self.next() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(()),
            Some(b'u') => match self.unit()? {
                0xD800..=0xDBFF if self.next() == Some(b'\\') && self.next() == Some(b'u') && matches!(self.unit()?, 0xDC00..=0xDFFF) => {
                    Ok(())
                }
                0xD800..=0xDFFF => Err("a string has one half of a surrogate pair"),
                _ => Ok(()),
            },
            _ => Err("a string has an unknown escape"),
        }
    }

    fn unit(&mut self) -> Result<u32, Fault> {
        let digits = self.bytes.get(self.at..self.at + 4).unwrap_or_default();
        let unit = digits.iter().try_fold(0, |unit, digit| Some(unit * 16 + char::from(*digit).to_digit(16)?));
        let unit = unit.filter(|_| !digits.is_empty()).ok_or("a string has an unknown escape")?;
        self.at += 4;
        Ok(unit)
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_json() {
        for text in [
            "null",
            " true ",
            "-0",
            "1e400",
            "-12.5E+3",
            "18446744073709551616",
            "\"\"",
            "\"\u{7f}ü\\u00fc\\ud83d\\ude00\\n\"",
            "[]",
            "[ ]",
            "{ }",
            "[1,[],{}]",
            " { \"a\" : [ 1 , 2 ] , \"a\" : { \"\" : null } }\r\n",
        ] {
            assert_eq!(fault(text), None, "{text}");
        }
        let deep = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        assert_eq!(fault(&deep(MAX_DEPTH)), None);
        for (text, what) in [
            ("", "a value is missing at its end"),
            ("nul", "a value is missing at byte 0"),
            ("NaN", "a value is missing at byte 0"),
            ("-Infinity", "a digit is missing at byte 1"),
            ("01", "behind the value at byte 1"),
            ("1.", "a digit is missing at its end"),
            ("+1", "a value is missing"),
            ("1 2", "behind the value"),
            ("[1,]", "a value is missing at byte 3"),
            ("[1", "a comma or ] is missing at its end"),
            ("[1}", "a comma or ] is missing"),
            ("{\"a\":1,}", "the name of a member is missing"),
            ("{a:1}", "the name of a member is missing"),
            ("{\"a\" 1}", "a colon is missing"),
            ("{\"a\":1]", "a comma or } is missing"),
            ("\"", "no end"),
            ("\"\\", "an unknown escape"),
            ("\"\\x\"", "an unknown escape"),
            ("\"\\u12\"", "an unknown escape"),
            ("\"a\nb\"", "a control character at byte 2"),
            ("\"\\ud800\"", "half of a surrogate pair"),
            ("\"\\ud800\\n\"", "half of a surrogate pair"),
            ("\"\\udc00\"", "half of a surrogate pair"),
            (&deep(MAX_DEPTH + 2), "more than 10,000 deep"),
        ] {
            assert!(fault(text).is_some_and(|said| said.contains(what)), "{text:.20}: {:?}", fault(text));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 16 } else { 256 }, failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn it_is_what_a_parser_says(text in r#"[\[\]{}:,"\\0-9eE.+\-a-z \n]{0,12}"#) {
            let parsed = serde_json::from_str::<serde_json::Value>(&text);
            let is_range = parsed.as_ref().is_err_and(|error| error.to_string().contains("out of range"));
            prop_assert_eq!(fault(&text).is_none(), parsed.is_ok() || is_range, "{}", text);
        }
    }
}
