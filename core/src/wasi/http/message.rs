//! Requests and responses, as guests have them.

use std::pin::Pin;
use std::time::Duration;

use http::{HeaderMap, Method, StatusCode};
use tokio::sync::oneshot::error::TryRecvError;
use tokio::sync::{mpsc, oneshot};
use wasmtime_wasi::p2::Pollable;

use crate::wasi::http::bindings::types::{self, ErrorCode, Scheme};
use crate::wasi::http::fields::Fields;
use crate::wasi::http::incoming::{IncomingBody, Piece};
use crate::wasi::http::transfer::Transfer;

/// A request that a guest answers.
#[allow(unreachable_pub, reason = "bindings.rs exports it")]
pub struct IncomingRequest {
    pub(crate) method: Method,
    pub(crate) path_with_query: Option<String>,
    pub(crate) authority: Option<String>,
    pub(crate) headers: Fields,
    /// Until the guest takes it.
    pub(crate) body: Option<IncomingBody>,
}

/// What a guest answers by, once.
#[allow(unreachable_pub, reason = "bindings.rs exports it")]
pub struct ResponseOutparam(pub(crate) oneshot::Sender<Result<Response, ErrorCode>>);

/// A response that a guest makes.
#[allow(unreachable_pub, reason = "bindings.rs exports it")]
pub struct OutgoingResponse {
    pub(crate) status: StatusCode,
    pub(crate) headers: Fields,
    pub(crate) body: Option<mpsc::Receiver<Piece>>,
}

/// A response, to be sent.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    /// `None` where it has no bytes.
    pub(crate) body: Option<mpsc::Receiver<Piece>>,
}

/// A request that a guest makes.
#[allow(unreachable_pub, reason = "bindings.rs exports it")]
pub struct OutgoingRequest {
    pub(crate) method: types::Method,
    pub(crate) scheme: Option<Scheme>,
    pub(crate) authority: Option<String>,
    pub(crate) path_with_query: Option<String>,
    pub(crate) headers: Fields,
    pub(crate) body: Option<mpsc::Receiver<Piece>>,
}

/// How long a request may take.
#[derive(Clone, Copy, Default)]
#[allow(unreachable_pub, reason = "bindings.rs exports it")]
pub struct RequestOptions {
    pub(crate) connect: Option<Duration>,
    pub(crate) first_byte: Option<Duration>,
    pub(crate) between_bytes: Option<Duration>,
}

/// A response that a guest reads.
#[allow(unreachable_pub, reason = "bindings.rs exports it")]
pub struct IncomingResponse {
    pub(crate) status: u16,
    pub(crate) headers: Fields,
    /// Until the guest takes it.
    pub(crate) body: Option<IncomingBody>,
}

/// The response to a request of a guest's.
#[allow(unreachable_pub, reason = "bindings.rs exports it")]
pub struct FutureResponse {
    pub(crate) state: Awaited,
    /// What brings it.
    pub(crate) transfer: Transfer,
}

/// Whether a response has come.
pub(crate) enum Awaited {
    Pending(oneshot::Receiver<Result<IncomingResponse, ErrorCode>>),
    Ready(Result<IncomingResponse, ErrorCode>),
    Taken,
}

impl FutureResponse {
    /// The response: `None` while it has not come, an error within after it was had once.
    pub(crate) fn get(&mut self) -> Option<Result<Result<IncomingResponse, ErrorCode>, ()>> {
        if let Awaited::Pending(answer) = &mut self.state {
            let answer = match answer.try_recv() {
                Ok(answer) => answer,
                Err(TryRecvError::Empty) => return None,
                Err(TryRecvError::Closed) => Err(ErrorCode::ConnectionTerminated),
            };
            self.state = Awaited::Ready(answer);
        }
        match std::mem::replace(&mut self.state, Awaited::Taken) {
            Awaited::Ready(Ok(response)) => {
                if let Some(body) = &response.body {
                    body.keep(self.transfer.clone());
                }
                Some(Ok(Ok(response)))
            }
            Awaited::Ready(Err(error)) => Some(Ok(Err(error))),
            Awaited::Pending(_) | Awaited::Taken => Some(Err(())),
        }
    }
}

impl Pollable for FutureResponse {
    fn ready<'s, 'f>(&'s mut self) -> Pin<Box<dyn Future<Output = ()> + Send + 'f>>
    where
        's: 'f,
        Self: 'f,
    {
        Box::pin(async move {
            if let Awaited::Pending(answer) = &mut self.state {
                let answer = answer.await.unwrap_or(Err(ErrorCode::ConnectionTerminated));
                self.state = Awaited::Ready(answer);
            }
        })
    }
}
