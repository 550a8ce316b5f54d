//! Bodies that guests write.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use http::HeaderMap;
use tokio::sync::mpsc::{self, Receiver, Sender};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamError, StreamResult};

use crate::wasi::http::bindings::types::ErrorCode;
use crate::wasi::http::incoming::Piece;

/// The largest piece, and how many of them wait to be sent before the guest has to wait: a guest
/// should be done with a small response even if its receiver is slow.
const LARGEST: usize = 64 << 10;
const AHEAD: usize = 32;

/// Whose body it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Request,
    Response,
}

impl Side {
    fn wrong_size(self, size: u64) -> ErrorCode {
        match self {
            Side::Request => ErrorCode::HttpRequestBodySize(Some(size)),
            Side::Response => ErrorCode::HttpResponseBodySize(Some(size)),
        }
    }
}

/// A body that a guest writes. One that is dropped without [`finish`](OutgoingBody::finish) is
/// incomplete, which its receiver is told.
#[allow(unreachable_pub, reason = "bindings.rs exports it")]
pub struct OutgoingBody {
    side: Side,
    sender: Sender<Piece>,
    /// The length that the headers say.
    expected: Option<u64>,
    written: Arc<AtomicU64>,
    is_taken: bool,
}

impl OutgoingBody {
    pub(crate) fn new(side: Side, expected: Option<u64>) -> (OutgoingBody, Receiver<Piece>) {
        // There is always room for the end.
        let (sender, receiver) = mpsc::channel(AHEAD + 1);
        (OutgoingBody { side, sender, expected, written: Arc::default(), is_taken: false }, receiver)
    }

    /// Its stream, which can be had once.
    pub(crate) fn stream(&mut self) -> Option<OutgoingStream> {
        if std::mem::replace(&mut self.is_taken, true) {
            return None;
        }
        let OutgoingBody { side, sender, expected, written, .. } = self;
        Some(OutgoingStream { side: *side, sender: sender.clone(), expected: *expected, written: written.clone() })
    }

    /// # Errors
    ///
    /// If it has another length than its headers say; it is incomplete then.
    pub(crate) fn finish(self, trailers: Option<HeaderMap>) -> Result<(), ErrorCode> {
        let written = self.written.load(Ordering::Relaxed);
        if self.expected.is_some_and(|expected| expected != written) {
            return Err(self.side.wrong_size(written));
        }
        // Whoever has stopped reading does not miss it.
        let _ = self.sender.try_send(Piece::End(trailers));
        Ok(())
    }
}

/// The bytes of a body.
pub(crate) struct OutgoingStream {
    side: Side,
    sender: Sender<Piece>,
    expected: Option<u64>,
    written: Arc<AtomicU64>,
}

impl OutputStream for OutgoingStream {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        let too_much = || StreamError::trap("more was written than the stream has room for");
        if bytes.len() > LARGEST {
            return Err(too_much());
        }
        let written = self.written.load(Ordering::Relaxed) + bytes.len() as u64;
        if self.expected.is_some_and(|expected| written > expected) {
            return Err(StreamError::LastOperationFailed(wasmtime::Error::new(self.side.wrong_size(written))));
        }
        if bytes.is_empty() {
            return Ok(());
        }
        if self.sender.capacity() < 2 && !self.sender.is_closed() {
            return Err(too_much());
        }
        self.sender.try_send(Piece::Data(bytes)).map_err(|_| StreamError::Closed)?;
        self.written.store(written, Ordering::Relaxed);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        if self.sender.is_closed() { Err(StreamError::Closed) } else { Ok(()) }
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        match self.sender.capacity() {
            _ if self.sender.is_closed() => Err(StreamError::Closed),
            0 | 1 => Ok(0),
            _ => Ok(LARGEST),
        }
    }
}

impl Pollable for OutgoingStream {
    fn ready<'s, 'f>(&'s mut self) -> Pin<Box<dyn Future<Output = ()> + Send + 'f>>
    where
        's: 'f,
        Self: 'f,
    {
        // Room for a piece and for the end; or nobody reads any more.
        Box::pin(async move { drop(self.sender.reserve_many(2).await) })
    }
}
