//! Bodies that guests read.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use bytes::Bytes;
use http::HeaderMap;
use tokio::sync::mpsc::{self, Receiver, Sender};
use wasmtime_wasi::p2::{InputStream, Pollable, StreamError, StreamResult};

use crate::wasi::http::bindings::types::ErrorCode;
use crate::wasi::http::transfer::Transfer;

/// A part of a body on its way.
#[derive(Debug)]
pub(crate) enum Piece {
    Data(Bytes),
    /// The end, with trailers if there are any. A body that ends otherwise is incomplete.
    End(Option<HeaderMap>),
    Failed(ErrorCode),
}

/// How many pieces may be on their way to a guest.
const AHEAD: usize = 8;

/// A body that a guest reads. Clones are the same body.
#[derive(Clone)]
#[allow(unreachable_pub, reason = "bindings.rs exports it")]
pub struct IncomingBody(Arc<Body>);

struct Body {
    state: Mutex<State>,
    is_taken: AtomicBool,
    /// What brings it, which ends when nobody has the body any more.
    transfer: OnceLock<Transfer>,
}

struct State {
    receiver: Receiver<Piece>,
    next: Bytes,
    /// How it has ended.
    end: Option<Result<Option<HeaderMap>, ErrorCode>>,
}

impl State {
    /// Waits for bytes, or for the end.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        while self.next.is_empty() && self.end.is_none() {
            match ready!(self.receiver.poll_recv(context)) {
                Some(Piece::Data(bytes)) => self.next = bytes,
                Some(Piece::End(trailers)) => self.end = Some(Ok(trailers)),
                Some(Piece::Failed(error)) => self.end = Some(Err(error)),
                None => self.end = Some(Err(ErrorCode::ConnectionTerminated)),
            }
        }
        Poll::Ready(())
    }
}

impl IncomingBody {
    /// A body, and what its pieces are sent to.
    pub(crate) fn new() -> (IncomingBody, Sender<Piece>) {
        let (sender, receiver) = mpsc::channel(AHEAD);
        (IncomingBody::of(State { receiver, next: Bytes::new(), end: None }), sender)
    }

    /// A body without bytes.
    pub(crate) fn empty() -> IncomingBody {
        let (_, receiver) = mpsc::channel(1);
        IncomingBody::of(State { receiver, next: Bytes::new(), end: Some(Ok(None)) })
    }

    fn of(state: State) -> IncomingBody {
        IncomingBody(Arc::new(Body { state: Mutex::new(state), is_taken: AtomicBool::new(false), transfer: OnceLock::new() }))
    }

    /// Says what brings it.
    pub(crate) fn keep(&self, transfer: Transfer) {
        let _ = self.0.transfer.set(transfer);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Its stream, which can be had once.
    pub(crate) fn stream(&self) -> Option<IncomingStream> {
        (!self.0.is_taken.swap(true, Ordering::Relaxed)).then(|| IncomingStream(self.clone()))
    }
}

/// The bytes of a body.
pub(crate) struct IncomingStream(IncomingBody);

impl InputStream for IncomingStream {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        let mut state = self.0.state();
        let _ = state.poll(&mut Context::from_waker(Waker::noop()));
        if !state.next.is_empty() {
            let count = size.min(state.next.len());
            return Ok(state.next.split_to(count));
        }
        match &state.end {
            None => Ok(Bytes::new()),
            Some(Ok(_)) => Err(StreamError::Closed),
            Some(Err(error)) => Err(StreamError::LastOperationFailed(wasmtime::Error::new(error.clone()))),
        }
    }
}

impl Pollable for IncomingStream {
    fn ready<'s, 'f>(&'s mut self) -> Pin<Box<dyn Future<Output = ()> + Send + 'f>>
    where
        's: 'f,
        Self: 'f,
    {
        Box::pin(std::future::poll_fn(|context| self.0.state().poll(context)))
    }
}

/// The trailers of a body, for which all of it is awaited.
#[allow(unreachable_pub, reason = "bindings.rs exports it")]
pub struct FutureTrailers {
    body: IncomingBody,
    is_taken: bool,
}

impl FutureTrailers {
    pub(crate) fn new(body: IncomingBody) -> FutureTrailers {
        FutureTrailers { body, is_taken: false }
    }

    fn poll(&self, context: &mut Context<'_>) -> Poll<()> {
        let mut state = self.body.state();
        loop {
            ready!(state.poll(context));
            if state.end.is_some() {
                return Poll::Ready(());
            }
            // What the guest has not read.
            state.next = Bytes::new();
        }
    }

    /// How the body has ended: `None` while it has not, an error within after the first call.
    pub(crate) fn get(&mut self) -> Option<Result<Result<Option<HeaderMap>, ErrorCode>, ()>> {
        if self.is_taken {
            return Some(Err(()));
        }
        let _ = self.poll(&mut Context::from_waker(Waker::noop()));
        let end = self.body.state().end.clone()?;
        self.is_taken = true;
        Some(Ok(end))
    }
}

impl Pollable for FutureTrailers {
    fn ready<'s, 'f>(&'s mut self) -> Pin<Box<dyn Future<Output = ()> + Send + 'f>>
    where
        's: 'f,
        Self: 'f,
    {
        Box::pin(std::future::poll_fn(|context| self.poll(context)))
    }
}
