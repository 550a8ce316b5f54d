//! wasi:http/outgoing-handler: requests of guests. Each has a connection of its own, to an address
//! that the rules allow: whoever follows a redirection makes another request, which is checked like
//! the first one.

use std::net::IpAddr;
use std::pin::pin;
use std::time::Duration;

use http::header::{self, HeaderMap};
use http::uri::Authority;
use http::{Method, StatusCode};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::mpsc::Receiver;
use tokio::sync::oneshot::{self, Sender};
use tokio::time::timeout;
use wasmtime::Result as Trapped;
use wasmtime::component::Resource;

use crate::wasi::http::Requests;
use crate::wasi::http::bindings::outgoing_handler::Host;
use crate::wasi::http::bindings::types::{DnsErrorPayload, ErrorCode, Scheme};
use crate::wasi::http::fields::Fields;
use crate::wasi::http::head::{self, ResponseHead};
use crate::wasi::http::incoming::{IncomingBody, Piece};
use crate::wasi::http::message::{Awaited, FutureResponse, IncomingResponse, OutgoingRequest, RequestOptions};
use crate::wasi::http::reader::{Body, Reader, Unread};
use crate::wasi::http::transfer::Transfer;
use crate::wasi::http::types::{View, host_method, parse_path};
use crate::wasi::sockets::access::{Destination, Unresolved};
use crate::wasi::sockets::rules;

/// How long a guest waits that does not say it. Its call may end before that.
const CONNECT: Duration = Duration::from_secs(30);
const ANSWER: Duration = Duration::from_secs(600);

/// What a connection is written and read by.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// A request that can be sent.
struct Prepared {
    method: Method,
    is_tls: bool,
    destination: Destination,
    port: u16,
    /// The head, up to what says how long the body is.
    head: Vec<u8>,
    body: Option<Receiver<Piece>>,
    has_length: bool,
}

impl Host for View<'_> {
    fn handle(
        &mut self,
        request: Resource<OutgoingRequest>,
        options: Option<Resource<RequestOptions>>,
    ) -> Trapped<Result<Resource<FutureResponse>, ErrorCode>> {
        let options = options.map(|options| self.table.delete(options)).transpose()?.unwrap_or_default();
        let prepared = match Prepared::new(self.table.delete(request)?) {
            Ok(prepared) => prepared,
            Err(error) => return Ok(Err(error)),
        };
        let (sender, answer) = oneshot::channel();
        let requests = self.requests.clone();
        let transfer = Transfer::begin(async move {
            tokio::select! {
                () = requests.send(prepared, options, sender) => {}
                () = requests.closed.cancelled() => {}
            }
        });
        Ok(Ok(self.table.push(FutureResponse { state: Awaited::Pending(answer), transfer })?))
    }
}

impl Prepared {
    fn new(request: OutgoingRequest) -> Result<Prepared, ErrorCode> {
        let OutgoingRequest { method, scheme, authority, path_with_query, headers, body } = request;
        let method = host_method(&method).filter(|method| *method != Method::CONNECT).ok_or(ErrorCode::HttpRequestMethodInvalid)?;
        let is_tls = match scheme {
            Some(Scheme::Http) => false,
            Some(Scheme::Https) | None => true,
            Some(Scheme::Other(_)) => return Err(ErrorCode::HttpProtocolError),
        };
        let invalid = || ErrorCode::HttpRequestUriInvalid;
        let authority: Authority = authority.unwrap_or_default().parse().map_err(|_| invalid())?;
        if authority.as_str().contains('@') {
            return Err(invalid());
        }
        let host = authority.host();
        let destination = match host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
            Ok(ip) => Destination::Ip(ip),
            Err(_) => Destination::Name(rules::name(host).ok_or_else(invalid)?),
        };
        let port = match authority.port() {
            Some(port) => port.as_u16(),
            None if authority.as_str().ends_with(':') => return Err(invalid()),
            None if is_tls => 443,
            None => 80,
        };
        let path = parse_path(path_with_query.as_deref().unwrap_or("/")).ok_or_else(invalid)?;
        let length = headers.content_length();
        if body.is_none() && length.is_some_and(|length| length > 0) {
            return Err(ErrorCode::HttpRequestBodySize(Some(0)));
        }
        let mut head = format!("{method} {path} HTTP/1.1\r\nhost: {authority}\r\nconnection: close\r\n").into_bytes();
        write_fields(&mut head, headers.map());
        Ok(Prepared { method, is_tls, destination, port, head, body, has_length: length.is_some() })
    }
}

/// Writes headers or trailers.
pub(crate) fn write_fields(to: &mut Vec<u8>, fields: &HeaderMap) {
    for (name, value) in fields {
        to.extend_from_slice(name.as_str().as_bytes());
        to.extend_from_slice(b": ");
        to.extend_from_slice(value.as_bytes());
        to.extend_from_slice(b"\r\n");
    }
}

impl Requests {
    async fn send(&self, prepared: Prepared, options: RequestOptions, answer: Sender<Result<IncomingResponse, ErrorCode>>) {
        let Some(_open) = self.open() else {
            return drop(answer.send(Err(ErrorCode::ConnectionLimitReached)));
        };
        let connected = timeout(options.connect.unwrap_or(CONNECT), self.connect(&prepared)).await;
        let stream = match connected.unwrap_or(Err(ErrorCode::ConnectionTimeout)) {
            Ok(stream) => stream,
            Err(error) => return drop(answer.send(Err(error))),
        };
        let (read, write) = tokio::io::split(stream);
        let method = prepared.method.clone();
        let mut receiving = pin!(receive(Reader::new(read), &method, options, answer));
        tokio::select! {
            () = &mut receiving => return,
            sent = transmit(write, prepared) => match sent {
                // The answer may have come all the same, such as that the body is too large.
                Ok(()) | Err(Unsent::Broken) => {}
                Err(Unsent::Incomplete) => return,
            },
        }
        receiving.await;
    }

    /// Connects to an address of the destination that the rules allow. It is looked up once: what
    /// was checked is what is connected to.
    async fn connect(&self, prepared: &Prepared) -> Result<Box<dyn Stream>, ErrorCode> {
        let addresses = self.access.resolve(&prepared.destination, prepared.port).await.map_err(|unresolved| match unresolved {
            Unresolved::Denied => ErrorCode::HttpRequestDenied,
            Unresolved::Prohibited => ErrorCode::DestinationIpProhibited,
            Unresolved::Unknown => {
                ErrorCode::DnsError(DnsErrorPayload { rcode: Some("address not available".to_owned()), info_code: None })
            }
        })?;
        let mut failed = ErrorCode::DestinationNotFound;
        for address in addresses {
            match TcpStream::connect(address).await {
                Ok(stream) => {
                    let _ = stream.set_nodelay(true);
                    return if prepared.is_tls { secured(stream, &prepared.destination).await } else { Ok(Box::new(stream)) };
                }
                Err(error) => {
                    failed = match error.kind() {
                        std::io::ErrorKind::TimedOut => ErrorCode::ConnectionTimeout,
                        std::io::ErrorKind::HostUnreachable | std::io::ErrorKind::NetworkUnreachable => ErrorCode::DestinationUnavailable,
                        _ => ErrorCode::ConnectionRefused,
                    };
                }
            }
        }
        Err(failed)
    }
}

#[cfg(feature = "tls")]
async fn secured(stream: TcpStream, destination: &Destination) -> Result<Box<dyn Stream>, ErrorCode> {
    crate::wasi::http::tls::connect(stream, destination).await
}

#[cfg(not(feature = "tls"))]
async fn secured(_: TcpStream, _: &Destination) -> Result<Box<dyn Stream>, ErrorCode> {
    Err(ErrorCode::InternalError(Some("this host was built without TLS".to_owned())))
}

/// Why a request was not sent as a whole.
enum Unsent {
    /// The connection takes no more.
    Broken,
    /// The guest has given up.
    Incomplete,
}

impl From<std::io::Error> for Unsent {
    fn from(_: std::io::Error) -> Unsent {
        Unsent::Broken
    }
}

async fn transmit(mut to: impl AsyncWrite + Unpin, prepared: Prepared) -> Result<(), Unsent> {
    let Prepared { method, mut head, body, has_length, .. } = prepared;
    let wants_length = matches!(method, Method::POST | Method::PUT | Method::PATCH);
    let nothing = |head: &mut Vec<u8>| {
        if wants_length && !has_length {
            head.extend_from_slice(b"content-length: 0\r\n");
        }
        head.extend_from_slice(b"\r\n");
    };
    let Some(mut body) = body else {
        nothing(&mut head);
        return Ok(to.write_all(&head).await?);
    };
    // Most of these have no body, although their guests have made one.
    let mut first = if wants_length { None } else { Some(body.recv().await.ok_or(Unsent::Incomplete)?) };
    if matches!(first, Some(Piece::End(None))) {
        nothing(&mut head);
        return Ok(to.write_all(&head).await?);
    }
    head.extend_from_slice(if has_length { b"\r\n".as_slice() } else { b"transfer-encoding: chunked\r\n\r\n" });
    to.write_all(&head).await?;
    loop {
        let piece = match first.take() {
            Some(piece) => piece,
            None => body.recv().await.ok_or(Unsent::Incomplete)?,
        };
        match piece {
            Piece::Data(bytes) if has_length => to.write_all(&bytes).await?,
            Piece::Data(bytes) => {
                to.write_all(format!("{:x}\r\n", bytes.len()).as_bytes()).await?;
                to.write_all(&bytes).await?;
                to.write_all(b"\r\n").await?;
            }
            Piece::End(trailers) => {
                if !has_length {
                    let mut end = b"0\r\n".to_vec();
                    write_fields(&mut end, &trailers.unwrap_or_default());
                    end.extend_from_slice(b"\r\n");
                    to.write_all(&end).await?;
                }
                return Ok(to.flush().await?);
            }
            Piece::Failed(_) => return Err(Unsent::Incomplete),
        }
    }
}

/// Receives the response, and then its body, as long as the guest wants it.
async fn receive(
    mut reader: Reader<impl AsyncRead + Unpin>,
    method: &Method,
    options: RequestOptions,
    answer: Sender<Result<IncomingResponse, ErrorCode>>,
) {
    let awaited = timeout(options.first_byte.unwrap_or(ANSWER), final_head(&mut reader, method)).await;
    let head = match awaited.unwrap_or(Err(ErrorCode::ConnectionReadTimeout)) {
        Ok(head) => head,
        Err(error) => return drop(answer.send(Err(error))),
    };
    let ResponseHead { status, mut headers, framing } = head;
    headers.remove(header::TRAILER);
    let mut respond = |body| {
        let headers = Fields::received(std::mem::take(&mut headers));
        IncomingResponse { status: status.as_u16(), headers, body: Some(body) }
    };
    if framing.is_empty() {
        return drop(answer.send(Ok(respond(IncomingBody::empty()))));
    }
    let (incoming, to) = IncomingBody::new();
    if answer.send(Ok(respond(incoming))).is_err() {
        return;
    }
    let mut body = Body::new(framing);
    loop {
        let read = timeout(options.between_bytes.unwrap_or(ANSWER), reader.piece(&mut body)).await;
        let (piece, is_last) = match read {
            Ok(Ok(Some(bytes))) => (Piece::Data(bytes), false),
            Ok(Ok(None)) => (Piece::End(body.take_trailers()), true),
            Ok(Err(unread)) => (Piece::Failed(failure(&unread)), true),
            Err(_) => (Piece::Failed(ErrorCode::ConnectionReadTimeout), true),
        };
        if to.send(piece).await.is_err() || is_last {
            return;
        }
    }
}

/// The head that is not an interim one.
async fn final_head(reader: &mut Reader<impl AsyncRead + Unpin>, method: &Method) -> Result<ResponseHead, ErrorCode> {
    const MOST_INTERIM: usize = 16;
    for _ in 0..MOST_INTERIM {
        let bytes = reader.head().await.map_err(|unread| failure(&unread))?;
        let head = head::response(&bytes, method).ok_or(ErrorCode::HttpProtocolError)?;
        match head.status {
            StatusCode::SWITCHING_PROTOCOLS => return Err(ErrorCode::HttpUpgradeFailed),
            status if status.is_informational() => {}
            _ => return Ok(head),
        }
    }
    Err(ErrorCode::HttpProtocolError)
}

fn failure(unread: &Unread) -> ErrorCode {
    match unread {
        Unread::Gone => ErrorCode::HttpResponseIncomplete,
        Unread::TooLarge => ErrorCode::HttpResponseHeaderSectionSize(None),
        Unread::Malformed => ErrorCode::HttpProtocolError,
    }
}
