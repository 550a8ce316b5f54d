//! The protocol of Redis (RESP2), as far as a client has to know it.

use std::io::{self, BufRead, ErrorKind, Read, Write};

/// What a server answers.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reply {
    Text(String),
    Error(String),
    Int(i64),
    Bulk(Vec<u8>),
    Nil,
    List(Vec<Reply>),
}

/// Bytes of a line.
const MAX_LINE: u64 = 64 << 10;
/// Lists within lists.
const MAX_DEPTH: usize = 4;

/// Writes a command.
pub(super) fn write(to: &mut impl Write, words: &[&[u8]]) -> io::Result<()> {
    let mut text = format!("*{}\r\n", words.len()).into_bytes();
    for word in words {
        text.extend(format!("${}\r\n", word.len()).into_bytes());
        text.extend_from_slice(word);
        text.extend_from_slice(b"\r\n");
    }
    to.write_all(&text)
}

/// Reads an answer, which takes no more room than that.
pub(super) fn read(from: &mut impl BufRead, room: &mut usize) -> io::Result<Reply> {
    reply(from, room, MAX_DEPTH)
}

fn reply(from: &mut impl BufRead, room: &mut usize, depth: usize) -> io::Result<Reply> {
    let mut line = Vec::new();
    from.take(MAX_LINE).read_until(b'\n', &mut line)?;
    let Some(line) = line.strip_suffix(b"\r\n") else {
        return Err(if line.is_empty() { ErrorKind::UnexpectedEof.into() } else { garbled() });
    };
    let (kind, rest) = line.split_first().ok_or_else(garbled)?;
    let text = std::str::from_utf8(rest).map_err(|_| garbled())?;
    let number = || text.parse::<i64>().map_err(|_| garbled());
    take(room, line.len())?;
    Ok(match kind {
        b'+' => Reply::Text(text.to_owned()),
        b'-' => Reply::Error(text.to_owned()),
        b':' => Reply::Int(number()?),
        b'$' | b'*' if number()? == -1 => Reply::Nil,
        b'$' => {
            let len = usize::try_from(number()?).map_err(|_| garbled())?;
            take(room, len)?;
            let mut bytes = vec![0; len + 2];
            from.read_exact(&mut bytes)?;
            if bytes.split_off(len) != b"\r\n" {
                return Err(garbled());
            }
            Reply::Bulk(bytes)
        }
        b'*' => {
            let len = usize::try_from(number()?).map_err(|_| garbled())?;
            take(room, len.saturating_mul(size_of::<Reply>()))?;
            let depth = depth.checked_sub(1).ok_or_else(garbled)?;
            Reply::List((0..len).map(|_| reply(from, room, depth)).collect::<io::Result<_>>()?)
        }
        _ => return Err(garbled()),
    })
}

fn take(room: &mut usize, bytes: usize) -> io::Result<()> {
    *room = room.checked_sub(bytes).ok_or_else(|| io::Error::new(ErrorKind::OutOfMemory, "its answer is too long"))?;
    Ok(())
}

fn garbled() -> io::Error {
    io::Error::new(ErrorKind::InvalidData, "it does not speak the protocol of Redis")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &[u8]) -> io::Result<Reply> {
        read(&mut &*text, &mut 1000)
    }

    #[test]
    fn answers_are_read() {
        let bulk = |text: &str| Reply::Bulk(text.as_bytes().to_vec());
        assert_eq!(of(b"+OK\r\n").ok(), Some(Reply::Text("OK".into())));
        assert_eq!(of(b"-ERR no\r\n").ok(), Some(Reply::Error("ERR no".into())));
        assert_eq!(of(b":-5\r\n").ok(), Some(Reply::Int(-5)));
        assert_eq!((of(b"$-1\r\n").ok(), of(b"*-1\r\n").ok()), (Some(Reply::Nil), Some(Reply::Nil)));
        assert_eq!(
            of(b"*2\r\n$1\r\n0\r\n*1\r\n$3\r\na\r\n\r\n").ok(),
            Some(Reply::List(vec![bulk("0"), Reply::List(vec![bulk("a\r\n")])]))
        );
    }

    #[test]
    fn what_is_no_answer_is_refused() {
        let nested = b"*1\r\n".repeat(100);
        for text in [&b""[..], b"+OK", b"?\r\n", b"$2\r\nabc\r\n", b"$-2\r\n", b":x\r\n", b"*1\r\n", b"\r\n", b"$1\r\na\n\r", &nested] {
            assert!(of(text).is_err(), "{text:?}");
        }
        for text in ["$100000000000\r\n", "$9223372036854775807\r\n", "*1000000000\r\n", &format!("+{}\r\n", "x".repeat(2000))] {
            assert!(of(text.as_bytes()).is_err_and(|error| error.kind() == ErrorKind::OutOfMemory), "{text}");
        }
    }

    #[test]
    fn commands_are_written() {
        let mut out = Vec::new();
        assert!(write(&mut out, &[b"SET", b"k\r\n", b""]).is_ok());
        assert_eq!(out, b"*3\r\n$3\r\nSET\r\n$3\r\nk\r\n\r\n$0\r\n\r\n");
    }
}
