//! Text, which is UTF-8 on both sides.

use std::str::{self, Utf8Error};

/// Bytes as text.
///
/// # Errors
///
/// The offset of the first byte that is not UTF-8.
#[inline]
pub fn text(bytes: &[u8]) -> Result<&str, Utf8Error> {
    // Most text is ASCII, which is checked many bytes at a time. Other text is only read twice up
    // to its first non-ASCII character.
    if bytes.is_ascii() {
        // SAFETY: ASCII is UTF-8.
        return Ok(unsafe { str::from_utf8_unchecked(bytes) });
    }
    str::from_utf8(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_what_the_standard_library_says() {
        let mut bytes = b"an ASCII text of some length, longer than a word of the processor: ".repeat(3);
        for insert in [&b""[..], "\u{e9}".as_bytes(), "\u{1f600}".as_bytes(), b"\x80", b"\xff", b"\xed\xa0\x80", b"\xc3"] {
            for at in [0, 1, 7, 8, 9, 31, 64, bytes.len()] {
                bytes.splice(at..at, insert.iter().copied());
                for from in 0..9 {
                    assert_eq!(text(&bytes[from..]), str::from_utf8(&bytes[from..]), "{insert:?} at {at}, from {from}");
                }
                bytes.drain(at..at + insert.len());
            }
        }
        assert_eq!(text(b""), Ok(""));
    }
}
