//! One request and its response.
//!
//! The guest runs within the task of its connection. Most often it is done when it has been polled
//! once, and all of the response is written at once.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::StatusCode;
use tokio::io::AsyncWriteExt as _;
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::sync::mpsc::Sender;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::config::budget::Budget;
use crate::config::cancel::CancelToken;
use crate::error::{Error, ErrorKind, Result};
use crate::instance::running::Wait;
use crate::sched::task;
use crate::serve::State;
use crate::serve::output::{Asked, Over, Sent, put, refuse, send};
use crate::wasi::http::ErrorCode;
use crate::wasi::http::fields::Fields;
use crate::wasi::http::head::{Framing, RequestHead};
use crate::wasi::http::incoming::{IncomingBody, Piece};
use crate::wasi::http::message::{IncomingRequest, ResponseOutparam};
use crate::wasi::http::reader::{Body, Reader, Unread};

/// What is read of a body before an instance is taken for the request, so that a slow client does
/// not hold one; and how long that may take.
const AHEAD: usize = 64 << 10;
const AHEAD_TIME: Duration = Duration::from_secs(30);
/// How long a client may send nothing of a body.
const STALLED: Duration = Duration::from_secs(30);
/// What is read in vain of a body that the guest did not want, so that the connection can go on.
const UNWANTED: usize = 256 << 10;
/// How long a guest may go on whose client is gone. Then its instance ends.
const GRACE: Duration = Duration::from_secs(1);

/// How a request has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// Another one may follow.
    Kept,
    /// The connection is to be closed.
    Last,
    /// The client is gone.
    Gone,
}

/// Answers a request.
pub(super) async fn exchange(state: &Arc<State>, reader: &mut Reader<ReadHalf<'_>>, write: &mut WriteHalf<'_>, head: RequestHead) -> Ended {
    State::count(&state.requests);
    let asked = Asked { method: head.method.clone(), is_1_1: head.is_1_1, keeps: head.keeps && !state.stopping.is_cancelled() };
    // Nothing of its body is unread when the server answers by itself.
    let keeps = asked.keeps && head.framing.is_empty();
    if matches!(head.framing, Framing::Length(length) if length > state.body) {
        return refused(write, StatusCode::PAYLOAD_TOO_LARGE, false).await;
    }
    let instances = state.members.queue.stats();
    if instances.busy >= state.members.options.size && instances.waiting >= state.queue {
        State::count(&state.refused);
        return refused(write, StatusCode::SERVICE_UNAVAILABLE, keeps).await;
    }
    if head.expects_continue && put(write, b"HTTP/1.1 100 Continue\r\n\r\n").await.is_err() {
        return Ended::Gone;
    }
    let mut body = Body::new(head.framing);
    let ahead = match timeout(AHEAD_TIME, read_ahead(reader, &mut body, state.body)).await {
        Ok(Ok(ahead)) => ahead,
        Ok(Err(Some(status))) => return refused(write, status, false).await,
        Ok(Err(None)) => return Ended::Gone,
        Err(_) => return refused(write, StatusCode::REQUEST_TIMEOUT, false).await,
    };
    let count = ahead.len() as u64;
    let (incoming, to) = give(ahead, &mut body);
    let budget = state.members.budget(&state.call);
    let (outparam, answer) = oneshot::channel();
    let request = IncomingRequest {
        method: head.method,
        path_with_query: head.path.map(|path| path.as_str().to_owned()),
        authority: head.authority.map(|authority| authority.as_str().to_owned()),
        headers: Fields::received(head.headers),
        body: Some(incoming),
    };
    let (begun, over) = (Arc::new(CancelToken::new()), Over::default());
    let ended = {
        let mut guest = pin!(run(state, request, ResponseOutparam(outparam), budget, begun.clone()));
        let mut client = pin!(feed(reader, &mut body, count, to, state.body));
        let mut answer = pin!(answer);
        let mut guest_result = None;
        // The guest comes first: what it has answered is there when it is done.
        let response = tokio::select! {
            biased;
            done = &mut guest => {
                guest_result = Some(done);
                over.tell();
                answer.try_recv().ok()
            }
            response = &mut answer => match response {
                Ok(response) => Some(response),
                // It will never answer, but goes on.
                Err(_) => {
                    guest_result = Some(guest.as_mut().await);
                    None
                }
            },
            () = &mut client => {
                if begun.is_cancelled() {
                    report(state, timeout(GRACE, &mut guest).await.unwrap_or_else(|_| Err(gone())));
                }
                return Ended::Gone;
            }
        };
        let Some(Ok(response)) = response else {
            let status = failed(state, guest_result, begun.is_cancelled());
            return refused(write, status, keeps).await;
        };
        let sent = {
            let mut sending = pin!(send(write, &asked, response, &over));
            loop {
                tokio::select! {
                    biased;
                    done = &mut guest, if guest_result.is_none() => {
                        guest_result = Some(done);
                        over.tell();
                    }
                    sent = &mut sending => break sent,
                    () = &mut client => break Some(Sent::Broken),
                }
            }
        };
        let ended = match sent {
            Some(Sent::Whole) => Ended::Kept,
            Some(Sent::Last) => Ended::Last,
            Some(Sent::Incomplete | Sent::Broken) => Ended::Gone,
            None => {
                let text = "the guest's response can't be sent: its status is an interim one, or its length is not that of its body";
                state.fail(&Error::new(ErrorKind::TypeMismatch, text));
                refused(write, StatusCode::INTERNAL_SERVER_ERROR, false).await
            }
        };
        if ended == Ended::Last {
            // The client need not wait for what the guest does behind its answer.
            let _ = write.shutdown().await;
        }
        let result = match guest_result {
            Some(done) => done,
            None if ended == Ended::Gone => timeout(GRACE, &mut guest).await.unwrap_or_else(|_| Err(gone())),
            None => guest.await,
        };
        match result {
            Ok(()) if sent == Some(Sent::Incomplete) => {
                state.fail(&Error::new(ErrorKind::Trap, "the guest has ended without the end of its response"));
            }
            result => report(state, result),
        }
        ended
    };
    match ended {
        Ended::Kept if !body.is_done() => Ended::Last,
        ended => ended,
    }
}

/// Answers with a status of the server's own.
pub(super) async fn refused(write: &mut WriteHalf<'_>, status: StatusCode, keeps: bool) -> Ended {
    match refuse(write, status, keeps).await {
        Ok(()) if keeps => Ended::Kept,
        Ok(()) => Ended::Last,
        Err(_) => Ended::Gone,
    }
}

fn gone() -> Error {
    Error::new(ErrorKind::Cancelled, "the client was gone before the guest was done")
}

fn report(state: &State, result: Result<()>) {
    if let Err(error) = result
        && error.kind() != ErrorKind::Cancelled
    {
        state.fail(&error);
    }
}

/// The status for a request that the guest has not answered.
fn failed(state: &State, result: Option<Result<()>>, has_begun: bool) -> StatusCode {
    let error = match result {
        Some(Err(error)) => error,
        _ => Error::new(ErrorKind::Trap, "the guest has not answered a request"),
    };
    match error.kind() {
        ErrorKind::Timeout | ErrorKind::DeadInstance | ErrorKind::Busy if !has_begun => {
            State::count(&state.refused);
            return StatusCode::SERVICE_UNAVAILABLE;
        }
        _ => state.fail(&error),
    }
    if error.kind() == ErrorKind::Timeout { StatusCode::GATEWAY_TIMEOUT } else { StatusCode::INTERNAL_SERVER_ERROR }
}

/// Lets an instance answer. `begun` tells when one is there.
async fn run(
    state: &Arc<State>,
    request: IncomingRequest,
    answer: ResponseOutparam,
    mut budget: Budget,
    begun: Arc<CancelToken>,
) -> Result<()> {
    let Some(home) = &state.home else {
        // The host's functions need a thread's own stack.
        let work = run_here(state.clone(), request, answer, budget, begun);
        return task::with_errands(|errand| state.in_host(errand), work).await;
    };
    // Whoever drops this ends the task.
    let ended = Cancelling(CancelToken::new());
    budget.cancel.push(ended.0.clone());
    let (done, result) = oneshot::channel();
    let work = run_here(state.clone(), request, answer, budget, begun);
    task::spawn_away(home.clone(), async move { drop(done.send(work.await)) });
    result.await.unwrap_or_else(|_| Err(Error::new(ErrorKind::Trap, "a panic of the host has ended a request")))
}

async fn run_here(
    state: Arc<State>,
    request: IncomingRequest,
    answer: ResponseOutparam,
    budget: Budget,
    begun: Arc<CancelToken>,
) -> Result<()> {
    let taken = state.members.take(Wait::Task, &budget, false).await?;
    begun.cancel();
    taken.running().serve(request, answer, budget).await
}

/// Cancels when it is dropped.
struct Cancelling(CancelToken);

impl Drop for Cancelling {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// Reads the beginning of a body, or all of a small one. The error is the status for a wrong one,
/// or `None` if the client is gone.
async fn read_ahead(reader: &mut Reader<ReadHalf<'_>>, body: &mut Body, most: u64) -> Result<Bytes, Option<StatusCode>> {
    let mut ahead = BytesMut::new();
    while ahead.len() < AHEAD {
        match reader.piece(body).await {
            Ok(None) => break,
            Ok(Some(bytes)) => ahead.extend_from_slice(&bytes),
            Err(Unread::Gone) => return Err(None),
            Err(Unread::TooLarge) => return Err(Some(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE)),
            Err(Unread::Malformed) => return Err(Some(StatusCode::BAD_REQUEST)),
        }
        if ahead.len() as u64 > most {
            return Err(Some(StatusCode::PAYLOAD_TOO_LARGE));
        }
    }
    Ok(ahead.freeze())
}

/// The body for the guest, with what was read of it, and what the rest is sent to.
fn give(ahead: Bytes, body: &mut Body) -> (IncomingBody, Option<Sender<Piece>>) {
    if ahead.is_empty() && body.is_done() {
        return (IncomingBody::empty(), None);
    }
    let (incoming, to) = IncomingBody::new();
    // There is room for both.
    let _ = to.try_send(Piece::Data(ahead));
    if !body.is_done() {
        return (incoming, Some(to));
    }
    let _ = to.try_send(Piece::End(body.take_trailers()));
    (incoming, None)
}

/// Gives the guest the rest of a body, of which so many bytes were read, and returns when the
/// client is gone.
async fn feed(reader: &mut Reader<ReadHalf<'_>>, body: &mut Body, mut count: u64, mut to: Option<Sender<Piece>>, most: u64) {
    let mut unwanted = 0;
    while !body.is_done() || to.is_some() {
        let read = timeout(STALLED, reader.piece(body)).await;
        let (piece, is_last) = match read {
            Ok(Ok(Some(bytes))) => {
                count += bytes.len() as u64;
                if to.is_none() {
                    unwanted += bytes.len();
                }
                match count {
                    count if count > most => (Piece::Failed(ErrorCode::HttpRequestBodySize(Some(count))), true),
                    _ => (Piece::Data(bytes), false),
                }
            }
            Ok(Ok(None)) => (Piece::End(body.take_trailers()), true),
            Ok(Err(Unread::Gone)) => {
                if let Some(guest) = &to {
                    let _ = guest.send(Piece::Failed(ErrorCode::ConnectionTerminated)).await;
                }
                return;
            }
            Ok(Err(_)) => (Piece::Failed(ErrorCode::HttpProtocolError), true),
            Err(_) => (Piece::Failed(ErrorCode::ConnectionReadTimeout), true),
        };
        let is_complete = matches!(piece, Piece::End(_));
        if let Some(guest) = &to
            && guest.send(piece).await.is_err()
        {
            to = None;
        }
        if is_last {
            to = None;
            if is_complete {
                break;
            }
        }
        if (is_last && !is_complete) || unwanted > UNWANTED {
            // Nothing of the connection can be used any more but for the response.
            return std::future::pending().await;
        }
    }
    reader.closed().await;
}
