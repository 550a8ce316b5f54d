//! Reads messages of HTTP/1.1 from a connection.

use std::io;

use bytes::{Buf as _, Bytes, BytesMut};
use http::HeaderMap;
use memchr::memmem;
use tokio::io::{AsyncRead, AsyncReadExt as _};

use crate::wasi::http::fields::MOST_FIELDS;
use crate::wasi::http::head::{self, Framing};

/// The longest head.
const MOST_HEAD: usize = 64 << 10;
/// The longest line before a chunk, and the longest trailers.
const MOST_LINE: usize = 256;
const MOST_TRAILERS: usize = 8 << 10;
/// What is read at once.
const PIECE: usize = 16 << 10;

/// Why a message can't be read.
#[derive(Debug)]
pub(crate) enum Unread {
    /// The connection has ended in the middle, or failed.
    Gone,
    /// It is longer than a head may be.
    TooLarge,
    /// It is not as it has to be.
    Malformed,
}

impl From<io::Error> for Unread {
    fn from(_: io::Error) -> Unread {
        Unread::Gone
    }
}

/// The end of a connection that is read.
pub(crate) struct Reader<R> {
    from: R,
    buffer: BytesMut,
}

impl<R: AsyncRead + Unpin> Reader<R> {
    pub(crate) fn new(from: R) -> Reader<R> {
        Reader { from, buffer: BytesMut::new() }
    }

    /// Whether something was read that belongs to what follows.
    pub(crate) fn has_more(&self) -> bool {
        !self.buffer.is_empty()
    }

    /// Reads some bytes; `false` at the end. May be dropped while it waits.
    pub(crate) async fn fill(&mut self) -> io::Result<bool> {
        self.buffer.reserve(PIECE);
        Ok(self.from.read_buf(&mut self.buffer).await? > 0)
    }

    /// Reads some bytes that nobody needs; 0 at the end.
    pub(crate) async fn skip(&mut self) -> io::Result<usize> {
        if self.buffer.is_empty() {
            self.fill().await?;
        }
        let count = self.buffer.len();
        self.buffer.clear();
        Ok(count)
    }

    /// Waits until the other side has closed the connection, or has sent more than it should before
    /// it has the answer.
    pub(crate) async fn closed(&mut self) {
        while self.buffer.len() <= MOST_HEAD {
            match self.fill().await {
                Ok(true) => {}
                Ok(false) | Err(_) => return,
            }
        }
    }

    /// Reads the head of a message, with its empty line.
    pub(crate) async fn head(&mut self) -> Result<Bytes, Unread> {
        let mut seen = 0;
        loop {
            // Old clients send an empty line behind a body.
            if seen == 0 && self.buffer.starts_with(b"\r\n") {
                self.buffer.advance(2);
                continue;
            }
            if let Some(at) = memmem::find(&self.buffer[seen..], b"\r\n\r\n") {
                return Ok(self.buffer.split_to(seen + at + 4).freeze());
            }
            if self.buffer.len() >= MOST_HEAD {
                return Err(Unread::TooLarge);
            }
            // A line may end with the next bytes, unless it has begun with a lone newline.
            if self.buffer.len() > 1 && memmem::find(&self.buffer[seen..], b"\n\n").is_some() {
                return Err(Unread::Malformed);
            }
            seen = if self.buffer.len() > 1 { self.buffer.len().saturating_sub(3) } else { 0 };
            if !self.fill().await? {
                return Err(Unread::Gone);
            }
        }
    }

    /// Reads some bytes of a body; `None` at its end.
    pub(crate) async fn piece(&mut self, body: &mut Body) -> Result<Option<Bytes>, Unread> {
        loop {
            match &mut body.0 {
                State::Done => return Ok(None),
                State::Length(0) => body.0 = State::Done,
                State::Length(left) => {
                    let piece = self.some(*left).await?;
                    *left -= piece.len() as u64;
                    return Ok(Some(piece));
                }
                State::Close if self.buffer.is_empty() && !self.fill().await? => body.0 = State::Done,
                State::Close => return Ok(Some(self.buffer.split().freeze())),
                State::Size => {
                    let line = self.line(MOST_LINE).await?;
                    let size = chunk_size(&line).ok_or(Unread::Malformed)?;
                    body.0 = if size == 0 { State::Trailers } else { State::Chunk(size) };
                }
                State::Chunk(left) => {
                    let piece = self.some(*left).await?;
                    *left -= piece.len() as u64;
                    if *left == 0 {
                        body.0 = State::Behind;
                    }
                    return Ok(Some(piece));
                }
                State::Behind => {
                    if !self.line(0).await?.is_empty() {
                        return Err(Unread::Malformed);
                    }
                    body.0 = State::Size;
                }
                State::Trailers => {
                    body.1 = self.trailers().await?;
                    body.0 = State::Done;
                }
            }
        }
    }

    /// Some bytes, but no more than that many.
    async fn some(&mut self, most: u64) -> Result<Bytes, Unread> {
        if self.buffer.is_empty() && !self.fill().await? {
            return Err(Unread::Gone);
        }
        let count = self.buffer.len().min(usize::try_from(most).unwrap_or(usize::MAX));
        Ok(self.buffer.split_to(count).freeze())
    }

    /// A line without its end.
    async fn line(&mut self, most: usize) -> Result<Bytes, Unread> {
        loop {
            let end = memchr::memchr(b'\n', &self.buffer);
            if let Some(end) = end {
                let line = self.buffer.split_to(end + 1).freeze();
                let line = line.slice_ref(line.strip_suffix(b"\r\n").ok_or(Unread::Malformed)?);
                return if line.len() > most || line.contains(&b'\r') { Err(Unread::Malformed) } else { Ok(line) };
            }
            if self.buffer.len() > most + 2 {
                return Err(Unread::Malformed);
            }
            if !self.fill().await? {
                return Err(Unread::Gone);
            }
        }
    }

    async fn trailers(&mut self) -> Result<Option<HeaderMap>, Unread> {
        let mut all = Vec::new();
        loop {
            let line = self.line(MOST_TRAILERS).await?;
            all.extend_from_slice(&line);
            all.extend_from_slice(b"\r\n");
            if all.len() > MOST_TRAILERS {
                return Err(Unread::TooLarge);
            }
            if line.is_empty() {
                break;
            }
        }
        if all.len() == 2 {
            return Ok(None);
        }
        let mut fields = [httparse::EMPTY_HEADER; MOST_FIELDS];
        match httparse::parse_headers(&all, &mut fields) {
            Ok(httparse::Status::Complete((_, fields))) => head::headers(fields).map(Some).ok_or(Unread::Malformed),
            _ => Err(Unread::Malformed),
        }
    }
}

/// A body that is being read, and its trailers once it is.
pub(crate) struct Body(State, Option<HeaderMap>);

enum State {
    Length(u64),
    Close,
    /// A line with the size of a chunk is next.
    Size,
    Chunk(u64),
    /// The end of a chunk's line is next.
    Behind,
    Trailers,
    Done,
}

impl Body {
    pub(crate) fn new(framing: Framing) -> Body {
        let state = match framing {
            Framing::Length(length) => State::Length(length),
            Framing::Chunked => State::Size,
            Framing::Close => State::Close,
        };
        Body(state, None)
    }

    /// Whether it was read as a whole.
    pub(crate) fn is_done(&self) -> bool {
        matches!(self.0, State::Done | State::Length(0))
    }

    pub(crate) fn take_trailers(&mut self) -> Option<HeaderMap> {
        self.1.take()
    }
}

/// The size in a chunk's line, whose extensions nobody uses.
fn chunk_size(line: &[u8]) -> Option<u64> {
    let end = line.iter().position(|byte| !byte.is_ascii_hexdigit()).unwrap_or(line.len());
    let rest = line.get(end..)?.trim_ascii_start();
    if end == 0 || end > 15 || !(rest.is_empty() || rest.starts_with(b";")) {
        return None;
    }
    u64::from_str_radix(std::str::from_utf8(line.get(..end)?).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sched::driver::at_once;

    /// A body, its trailers, and what follows.
    type Read = (Vec<u8>, Option<HeaderMap>, Vec<u8>);

    fn body(bytes: &[u8], framing: Framing) -> Result<Read, Unread> {
        let (mut reader, mut body, mut all) = (Reader::new(bytes), Body::new(framing), Vec::new());
        at_once(async {
            while let Some(piece) = reader.piece(&mut body).await? {
                all.extend_from_slice(&piece);
            }
            let trailers = body.take_trailers();
            let _ = reader.fill().await;
            Ok((all, trailers, reader.buffer.to_vec()))
        })
    }

    #[test]
    fn bodies_end_where_they_should() {
        let (all, _, rest) = body(b"helloGET", Framing::Length(5)).expect("a body");
        assert_eq!((all.as_slice(), rest.as_slice()), (&b"hello"[..], &b"GET"[..]));
        let (all, trailers, rest) = body(b"5\r\nhello\r\n1;x=y\r\n!\r\n0\r\n\r\nGET", Framing::Chunked).expect("a body");
        assert_eq!((all.as_slice(), rest.as_slice(), trailers.is_none()), (&b"hello!"[..], &b"GET"[..], true));
        let (all, trailers, _) = body(b"A \r\n0123456789\r\n0\r\nX-Sum: 1\r\n\r\n", Framing::Chunked).expect("a body");
        assert_eq!((all.len(), trailers.expect("trailers")["x-sum"].as_bytes()), (10, &b"1"[..]));
        assert_eq!(body(b"rest", Framing::Close).expect("a body").0, b"rest");
    }

    #[test]
    fn chunks_that_others_might_read_otherwise_are_refused() {
        for wrong in [
            "5\nhello\r\n0\r\n\r\n",
            "+5\r\nhello\r\n0\r\n\r\n",
            "0x5\r\nhello\r\n0\r\n\r\n",
            " 5\r\nhello\r\n0\r\n\r\n",
            "5\r\nhelloX\r\n0\r\n\r\n",
            "5\r\nhello\n0\r\n\r\n",
            "5 6\r\nhello\r\n0\r\n\r\n",
            "5;a\rb\r\nhello\r\n0\r\n\r\n",
            "\r\nhello",
            "FFFFFFFFFFFFFFFFF\r\nhello",
            "0\r\nno field\r\n\r\n",
            "0\r\nX : y\r\n\r\n",
        ] {
            assert!(matches!(body(wrong.as_bytes(), Framing::Chunked), Err(Unread::Malformed)), "{wrong:?}");
        }
        let long = format!("5;{}\r\nhello\r\n0\r\n\r\n", "x".repeat(MOST_LINE));
        assert!(matches!(body(long.as_bytes(), Framing::Chunked), Err(Unread::Malformed)));
        let many = format!("0\r\n{}\r\n", "x: y\r\n".repeat(MOST_TRAILERS));
        assert!(body(many.as_bytes(), Framing::Chunked).is_err());
        for cut in ["5\r\nhel", "5", "5\r\nhello\r\n", "5\r\nhello\r\n0\r\n"] {
            assert!(matches!(body(cut.as_bytes(), Framing::Chunked), Err(Unread::Gone)), "{cut:?}");
        }
        assert!(matches!(body(b"hell", Framing::Length(5)), Err(Unread::Gone)));
    }

    #[test]
    fn heads_end_with_an_empty_line() {
        let head = |bytes: &[u8]| {
            let mut reader = Reader::new(bytes);
            at_once(reader.head()).map(|head| (head.to_vec(), reader.buffer.to_vec()))
        };
        let (one, rest) = head(b"\r\nGET / HTTP/1.1\r\n\r\nGET").expect("a head");
        assert_eq!((one.as_slice(), rest.as_slice()), (&b"GET / HTTP/1.1\r\n\r\n"[..], &b"GET"[..]));
        assert!(matches!(head(b"GET / HTTP/1.1\n\n"), Err(Unread::Malformed)));
        assert!(matches!(head(&vec![b'x'; 2 * MOST_HEAD]), Err(Unread::TooLarge)));
        assert!(matches!(head(b"GET / HTTP/1.1\r\n"), Err(Unread::Gone)));
    }
}
