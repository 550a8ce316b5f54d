//! Responses, as they are written to a connection.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderValue};
use http::{Method, StatusCode};
use tokio::net::tcp::WriteHalf;
use tokio::sync::Notify;
use tokio::sync::mpsc::Receiver;
use tokio::sync::mpsc::error::TryRecvError;
use tokio::time::timeout;

use crate::wasi::http::fields::digits;
use crate::wasi::http::head::has_no_body;
use crate::wasi::http::incoming::Piece;
use crate::wasi::http::message::Response;
use crate::wasi::http::write_fields;

/// How long a client may take nothing of a response.
const STALLED: Duration = Duration::from_secs(30);
/// What is gathered to be written at once.
const GATHERED: usize = 64 << 10;

/// Writes all of the bytes, if the client takes them in time.
pub(super) async fn put(to: &mut WriteHalf<'_>, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match to.try_write(bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => bytes = &bytes[count..],
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => timeout(STALLED, to.writable()).await??,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Writes an answer that no guest has given.
pub(super) async fn refuse(to: &mut WriteHalf<'_>, status: StatusCode, keeps: bool) -> io::Result<()> {
    put(to, &refusal(status, keeps)).await
}

pub(super) fn refusal(status: StatusCode, keeps: bool) -> Vec<u8> {
    let reason = status.canonical_reason().unwrap_or_default();
    let mut text = begin(status, if keeps { "" } else { CLOSE });
    date(&mut text);
    let retry = if status == StatusCode::SERVICE_UNAVAILABLE { "retry-after: 1\r\n" } else { "" };
    text.extend_from_slice(format!("{retry}content-type: text/plain\r\ncontent-length: {}\r\n\r\n{reason}\n", reason.len() + 1).as_bytes());
    text
}

const CLOSE: &str = "connection: close\r\n";
/// What a client of HTTP/1.0 has to be told.
const KEEP: &str = "connection: keep-alive\r\n";

/// The first line, and what is said of the connection.
fn begin(status: StatusCode, connection: &str) -> Vec<u8> {
    let reason = status.canonical_reason().unwrap_or("Unknown");
    format!("HTTP/1.1 {} {reason}\r\n{connection}", status.as_u16()).into_bytes()
}

fn date(to: &mut Vec<u8>) {
    to.extend_from_slice(format!("date: {}\r\n", httpdate::HttpDate::from(SystemTime::now())).as_bytes());
}

/// Whether the guest that writes a body has ended.
#[derive(Default)]
pub(super) struct Over {
    is_over: AtomicBool,
    told: Notify,
}

impl Over {
    pub(super) fn tell(&self) {
        self.is_over.store(true, Ordering::SeqCst);
        self.told.notify_one();
    }

    /// The next piece. A guest that has ended writes no more, even if its body is still there.
    async fn piece(&self, body: &mut Receiver<Piece>) -> Option<Piece> {
        loop {
            // Before the look, so that what was written before the end is seen.
            let is_over = self.is_over.load(Ordering::SeqCst);
            match body.try_recv() {
                Ok(piece) => return Some(piece),
                Err(TryRecvError::Disconnected) => return None,
                Err(TryRecvError::Empty) if is_over => return None,
                Err(TryRecvError::Empty) => {}
            }
            tokio::select! {
                biased;
                piece = body.recv() => return piece,
                () = self.told.notified() => {}
            }
        }
    }
}

/// How a response has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sent {
    /// As a whole. Another one may follow.
    Whole,
    /// As a whole, and the end of the connection is its end.
    Last,
    /// The guest has not finished it, which the client sees by the end of the connection.
    Incomplete,
    /// The client is gone, or takes nothing.
    Broken,
}

/// What it answers to.
pub(super) struct Asked {
    pub(super) method: Method,
    pub(super) is_1_1: bool,
    pub(super) keeps: bool,
}

/// How the client sees where a body ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Framed {
    /// There is none.
    None,
    Length(u64),
    Chunked,
    Close,
}

/// Writes a response, and returns when the client has all of it. `None` if it is none that can be
/// sent.
pub(super) async fn send(to: &mut WriteHalf<'_>, asked: &Asked, response: Response, over: &Over) -> Option<Sent> {
    let Response { status, mut headers, mut body } = response;
    if status.is_informational() {
        return None;
    }
    // What there is by now: mostly all of it.
    let (mut ready, mut size, mut end) = (Vec::new(), 0, None);
    match &mut body {
        None => end = Some(None),
        Some(body) => {
            while size < GATHERED {
                match body.try_recv() {
                    Ok(Piece::Data(bytes)) => {
                        size += bytes.len();
                        ready.push(bytes);
                    }
                    Ok(Piece::End(trailers)) => {
                        end = Some(trailers);
                        break;
                    }
                    Ok(Piece::Failed(_)) | Err(_) => break,
                }
            }
        }
    }
    let said = headers.get(header::CONTENT_LENGTH).and_then(|length| digits(length.as_bytes()));
    let framed = if asked.method == Method::HEAD || has_no_body(status) {
        Framed::None
    } else if let Some(length) = said {
        // A body without that many bytes is noticed by the guest's end of it, but none is not.
        if body.is_none() && length > 0 {
            return None;
        }
        Framed::Length(length)
    } else if matches!(end, Some(None)) {
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(size));
        Framed::Length(size as u64)
    } else if asked.is_1_1 {
        headers.insert(header::TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
        Framed::Chunked
    } else {
        Framed::Close
    };
    let keeps = asked.keeps && framed != Framed::Close;
    let connection = match (keeps, asked.is_1_1) {
        (true, true) => "",
        (true, false) => KEEP,
        (false, _) => CLOSE,
    };
    let mut out = begin(status, connection);
    if !headers.contains_key(header::DATE) {
        date(&mut out);
    }
    write_fields(&mut out, &headers);
    out.extend_from_slice(b"\r\n");
    let whole = if keeps { Sent::Whole } else { Sent::Last };
    if framed == Framed::None {
        return Some(if put(to, &out).await.is_ok() { whole } else { Sent::Broken });
    }
    let mut left = if let Framed::Length(length) = framed { length } else { u64::MAX };
    for bytes in ready {
        left = left.saturating_sub(bytes.len() as u64);
        append(&mut out, framed, &bytes);
    }
    Some(match rest(to, framed, out, left, body, end, over).await {
        Ok(true) => whole,
        Ok(false) => Sent::Incomplete,
        Err(_) => Sent::Broken,
    })
}

fn append(out: &mut Vec<u8>, framed: Framed, bytes: &Bytes) {
    if framed == Framed::Chunked {
        out.extend_from_slice(format!("{:x}\r\n", bytes.len()).as_bytes());
    }
    out.extend_from_slice(bytes);
    if framed == Framed::Chunked {
        out.extend_from_slice(b"\r\n");
    }
}

/// Writes what was gathered, and then the rest of a body. Returns whether that is complete.
async fn rest(
    to: &mut WriteHalf<'_>,
    framed: Framed,
    mut out: Vec<u8>,
    mut left: u64,
    body: Option<Receiver<Piece>>,
    mut end: Option<Option<HeaderMap>>,
    over: &Over,
) -> io::Result<bool> {
    let mut body = body;
    while end.is_none() {
        put(to, &out).await?;
        out.clear();
        let Some(body) = &mut body else { break };
        let mut next = over.piece(body).await;
        loop {
            match next {
                Some(Piece::Data(bytes)) => {
                    left = left.saturating_sub(bytes.len() as u64);
                    append(&mut out, framed, &bytes);
                }
                Some(Piece::End(trailers)) => {
                    end = Some(trailers);
                    break;
                }
                // It ends early: what there is may still be of use.
                Some(Piece::Failed(_)) | None => {
                    put(to, &out).await?;
                    return Ok(false);
                }
            }
            match body.try_recv() {
                Ok(piece) if out.len() < GATHERED => next = Some(piece),
                Ok(piece) => {
                    put(to, &out).await?;
                    out.clear();
                    next = Some(piece);
                }
                Err(_) => break,
            }
        }
    }
    if framed == Framed::Chunked {
        out.extend_from_slice(b"0\r\n");
        write_fields(&mut out, &end.flatten().unwrap_or_default());
        out.extend_from_slice(b"\r\n");
    }
    put(to, &out).await?;
    Ok(!matches!(framed, Framed::Length(_)) || left == 0)
}
