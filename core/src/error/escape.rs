//! Text that a stranger wrote, in a form that can be shown: on a terminal, in a log, in a message.
//!
//! What a plugin says of itself, and what it says while it runs, may hold characters that do more
//! than take their place in a line: they move a terminal's cursor, end a line, or let text look
//! like what it is not. The functions here go by a list of what is allowed: the standard library's
//! table of printable characters.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Whether a character takes its place in a line, and does nothing else. Those that do not are
/// control characters (a tab and a newline too), line separators, those that change the direction
/// of text or have no width, and those that Unicode has not assigned.
#[must_use]
pub fn is_plain(c: char) -> bool {
    if c.is_ascii() {
        return matches!(c, ' '..='~');
    }
    // Letters without a glyph, which the standard library counts as printable.
    if matches!(c, '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{3164}' | '\u{ffa0}') {
        return false;
    }
    // A combining mark is escaped at the beginning of a text only, so put a letter before it.
    let mut text = [b'a', 0, 0, 0, 0];
    let length = c.encode_utf8(&mut text[1..]).len();
    str::from_utf8(&text[..=length]).is_ok_and(|text| text.escape_debug().nth(2).is_none())
}

/// The text with all that is not [plain](is_plain) escaped, as in `\u{1b}`, so that it is one line.
#[must_use]
pub fn line(text: &str) -> Cow<'_, str> {
    escaped(text, is_plain)
}

/// The same for a text of several lines: its tabs and newlines stay.
#[must_use]
pub fn text(text: &str) -> Cow<'_, str> {
    escaped(text, |c| is_plain(c) || matches!(c, '\n' | '\t'))
}

/// The same for text that should be UTF-8: other bytes are escaped as in `\xff`.
#[must_use]
pub fn bytes(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(valid) = str::from_utf8(bytes) {
        return text(valid);
    }
    let mut out = String::with_capacity(bytes.len() + 16);
    for chunk in bytes.utf8_chunks() {
        out += &text(chunk.valid());
        for byte in chunk.invalid() {
            // Writing to a String can't fail.
            let _ = write!(out, "\\x{byte:02x}");
        }
    }
    Cow::Owned(out)
}

/// A doc comment: lines of plain characters and tabs. Every kind of line break becomes a newline,
/// and what is not plain becomes U+FFFD.
#[must_use]
pub fn docs(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    while let Some(c) = letters.next() {
        out.push(match c {
            '\r' if letters.peek() == Some(&'\n') => continue,
            '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{1c}'..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}' => '\n',
            // Joiners are part of how some languages, and emoji, are written.
            '\t' | '\u{200c}' | '\u{200d}' => c,
            c if is_plain(c) => c,
            // A space of another width.
            c if c.is_whitespace() => ' ',
            _ => char::REPLACEMENT_CHARACTER,
        });
    }
    out
}

/// The text, truncated to that many bytes, with a note on how much is missing.
#[must_use]
pub fn bounded(text: &str, most: usize) -> Cow<'_, str> {
    if text.len() <= most {
        return Cow::Borrowed(text);
    }
    let cut = text.floor_char_boundary(most);
    Cow::Owned(format!("{}… ({} bytes more)", &text[..cut], text.len() - cut))
}

fn escaped(text: &str, stays: impl Fn(char) -> bool) -> Cow<'_, str> {
    let Some(first) = text.find(|c| !stays(c)) else { return Cow::Borrowed(text) };
    let mut out = String::with_capacity(text.len() + 16);
    out += &text[..first];
    for c in text[first..].chars() {
        if stays(c) {
            out.push(c);
        } else {
            out.extend(c.escape_default());
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_its_place_in_a_line_is_plain() {
        for c in ['a', '~', ' ', 'ü', 'é', '語', 'ש', '\u{301}', '\u{fe0f}', '🙂', '\u{fffd}'] {
            assert!(is_plain(c), "{c:?}");
        }
        let odd = [
            '\0',
            '\t',
            '\n',
            '\r',
            '\x1b',
            '\x7f',
            '\u{80}',
            '\u{85}',
            '\u{9b}',
            '\u{a0}',
            '\u{ad}',
            '\u{61c}',
            '\u{200b}',
            '\u{200e}',
            '\u{2028}',
            '\u{2029}',
            '\u{202e}',
            '\u{2060}',
            '\u{2066}',
            '\u{feff}',
            '\u{fff9}',
            '\u{3164}',
            '\u{e000}',
            '\u{e0041}',
        ];
        for c in odd {
            assert!(!is_plain(c), "{c:?}");
        }
    }

    #[test]
    fn text_is_escaped_where_it_must_be() {
        assert!(matches!(line("größer"), Cow::Borrowed("größer")));
        assert_eq!(line("a\x1b[2J\nb\u{9b}31m\u{202e}"), "a\\u{1b}[2J\\nb\\u{9b}31m\\u{202e}");
        assert_eq!(text("a\n\tb\r\u{7f}"), "a\n\tb\\r\\u{7f}");
        assert_eq!(bytes(b"a\xff\x1b\nb"), "a\\xff\\u{1b}\nb");
    }

    #[test]
    fn docs_are_lines_of_plain_characters() {
        assert_eq!(docs("a\r\nb\rc\u{2028}d\u{85}e"), "a\nb\nc\nd\ne");
        assert_eq!(docs("a\tb\x1b\u{202e}c\u{a0}d\u{200d}"), "a\tb\u{fffd}\u{fffd}c d\u{200d}");
    }

    #[test]
    fn text_is_cut_between_characters() {
        assert_eq!(bounded("short", 5), "short");
        assert_eq!(bounded("über", 1), "… (5 bytes more)");
        assert_eq!(bounded("abcdef", 4), "abcd… (2 bytes more)");
    }
}
