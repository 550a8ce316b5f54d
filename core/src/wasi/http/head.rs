//! The heads of messages of HTTP/1.1, as they are on the wire. Nothing from a peer is trusted: what
//! two readers could understand differently is refused.

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{Method, StatusCode, Uri};

use crate::wasi::http::fields::{MOST_FIELDS, digits, tokens};

/// The head of a request.
#[derive(Debug)]
pub(crate) struct RequestHead {
    pub(crate) method: Method,
    pub(crate) path: Option<PathAndQuery>,
    pub(crate) authority: Option<Authority>,
    pub(crate) headers: HeaderMap,
    pub(crate) framing: Framing,
    /// Whether the sender waits for a `100 Continue` before it sends the body.
    pub(crate) expects_continue: bool,
    /// Whether another request may follow.
    pub(crate) keeps: bool,
    /// Whether the sender knows chunks.
    pub(crate) is_1_1: bool,
}

/// The head of a response.
#[derive(Debug)]
pub(crate) struct ResponseHead {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) framing: Framing,
}

/// How long a body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    Length(u64),
    Chunked,
    /// Until the connection ends; only that of a response.
    Close,
}

impl Framing {
    pub(crate) fn is_empty(self) -> bool {
        self == Framing::Length(0)
    }
}

/// Reads the head of a request. The error is the status that its sender gets.
pub(crate) fn request(bytes: &[u8]) -> Result<RequestHead, StatusCode> {
    const BAD: StatusCode = StatusCode::BAD_REQUEST;
    check_lines(bytes).ok_or(BAD)?;
    let mut fields = [httparse::EMPTY_HEADER; MOST_FIELDS];
    let mut head = httparse::Request::new(&mut fields);
    match head.parse(bytes) {
        Ok(httparse::Status::Complete(_)) => {}
        Err(httparse::Error::TooManyHeaders) => return Err(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE),
        Err(httparse::Error::Version) => return Err(StatusCode::HTTP_VERSION_NOT_SUPPORTED),
        _ => return Err(BAD),
    }
    let method: Method = head.method.and_then(|name| name.parse().ok()).ok_or(BAD)?;
    let is_1_1 = head.version == Some(1);
    let headers = headers(head.headers).ok_or(BAD)?;
    let (path, authority) = target(&method, head.path.unwrap_or_default(), &headers, is_1_1)?;
    let framing = match framing(&headers, is_1_1) {
        Ok(framing) => framing.unwrap_or(Framing::Length(0)),
        Err(Unframed::Coding) => return Err(StatusCode::NOT_IMPLEMENTED),
        Err(Unframed::Ambiguous) => return Err(BAD),
    };
    let expects_continue = match headers.get(header::EXPECT).map(HeaderValue::as_bytes) {
        Some(wanted) if wanted.eq_ignore_ascii_case(b"100-continue") => is_1_1 && !framing.is_empty(),
        Some(_) => return Err(StatusCode::EXPECTATION_FAILED),
        None => false,
    };
    let keeps = if is_1_1 { !says(&headers, "close") } else { says(&headers, "keep-alive") };
    Ok(RequestHead { method, path, authority, headers, framing, expects_continue, keeps, is_1_1 })
}

/// Reads the head of the response to a request with that method. `None` for one that is wrong.
pub(crate) fn response(bytes: &[u8], method: &Method) -> Option<ResponseHead> {
    check_lines(bytes)?;
    let mut fields = [httparse::EMPTY_HEADER; MOST_FIELDS];
    let mut head = httparse::Response::new(&mut fields);
    if !matches!(head.parse(bytes), Ok(httparse::Status::Complete(_))) {
        return None;
    }
    let status = StatusCode::from_u16(head.code?).ok()?;
    let headers = headers(head.headers)?;
    let framing = if *method == Method::HEAD || has_no_body(status) {
        Framing::Length(0)
    } else {
        framing(&headers, head.version == Some(1)).ok()?.unwrap_or(Framing::Close)
    };
    Some(ResponseHead { status, headers, framing })
}

/// Whether responses with that status have no body.
pub(crate) fn has_no_body(status: StatusCode) -> bool {
    status.is_informational() || status == StatusCode::NO_CONTENT || status == StatusCode::NOT_MODIFIED
}

/// Whether each line ends with both characters, and neither of them is anywhere else.
fn check_lines(bytes: &[u8]) -> Option<()> {
    let mut ends = memchr::memchr2_iter(b'\r', b'\n', bytes);
    while let Some(at) = ends.next() {
        if bytes[at] != b'\r' || ends.next() != Some(at + 1) || bytes.get(at + 1) != Some(&b'\n') {
            return None;
        }
    }
    Some(())
}

/// The fields of a head, or of trailers.
pub(crate) fn headers(fields: &[httparse::Header<'_>]) -> Option<HeaderMap> {
    let mut map = HeaderMap::with_capacity(fields.len());
    for field in fields {
        let name = HeaderName::from_bytes(field.name.as_bytes()).ok()?;
        map.try_append(name, HeaderValue::from_bytes(field.value).ok()?).ok()?;
    }
    Some(map)
}

fn says(headers: &HeaderMap, word: &str) -> bool {
    headers.get_all(header::CONNECTION).iter().flat_map(tokens).any(|token| token.eq_ignore_ascii_case(word))
}

/// The path of a request, and the host that it is for.
fn target(
    method: &Method,
    target: &str,
    headers: &HeaderMap,
    is_1_1: bool,
) -> Result<(Option<PathAndQuery>, Option<Authority>), StatusCode> {
    const BAD: StatusCode = StatusCode::BAD_REQUEST;
    if *method == Method::CONNECT {
        return Err(StatusCode::NOT_IMPLEMENTED);
    }
    let mut hosts = headers.get_all(header::HOST).iter();
    let host = match (hosts.next(), hosts.next()) {
        (None, None) if !is_1_1 => None,
        (Some(host), None) => {
            let host: Authority = host.to_str().ok().and_then(|host| host.parse().ok()).ok_or(BAD)?;
            Some(host)
        }
        _ => return Err(BAD),
    };
    let (path, authority) = if target.starts_with('/') {
        (Some(target.parse().map_err(|_| BAD)?), host)
    } else if target == "*" {
        let path = (*method == Method::OPTIONS).then(|| PathAndQuery::from_static("*")).ok_or(BAD)?;
        (Some(path), host)
    } else {
        let uri: Uri = target.parse().map_err(|_| BAD)?;
        if uri.scheme() != Some(&Scheme::HTTP) && uri.scheme() != Some(&Scheme::HTTPS) {
            return Err(BAD);
        }
        let parts = uri.into_parts();
        (parts.path_and_query, parts.authority)
    };
    // Whoever reads this as a host should find nothing else.
    if authority.as_ref().is_some_and(|authority| authority.as_str().contains('@')) {
        return Err(BAD);
    }
    Ok((path, authority))
}

/// Why the length of a body is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unframed {
    /// Because of a coding that nobody here knows.
    Coding,
    /// Because it is said twice, or not as it has to be.
    Ambiguous,
}

/// How long the body is, if the headers say it.
fn framing(headers: &HeaderMap, is_1_1: bool) -> Result<Option<Framing>, Unframed> {
    let mut codings = headers.get_all(header::TRANSFER_ENCODING).iter();
    let mut lengths = headers.get_all(header::CONTENT_LENGTH).iter();
    match (codings.next(), lengths.next()) {
        (None, None) => Ok(None),
        (Some(_), _) if !is_1_1 => Err(Unframed::Ambiguous),
        (Some(_), Some(_)) => Err(Unframed::Ambiguous),
        (Some(coding), None) if codings.next().is_none() => {
            if coding.as_bytes().eq_ignore_ascii_case(b"chunked") {
                Ok(Some(Framing::Chunked))
            } else {
                Err(Unframed::Coding)
            }
        }
        (None, Some(length)) if lengths.next().is_none() => {
            digits(length.as_bytes()).map(|length| Some(Framing::Length(length))).ok_or(Unframed::Ambiguous)
        }
        _ => Err(Unframed::Ambiguous),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<RequestHead, u16> {
        request(text.replace('\n', "\r\n").as_bytes()).map_err(|status| status.as_u16())
    }

    #[test]
    fn requests_are_read() {
        let head = read("GET /a?b=c HTTP/1.1\nHost: example.org:80\nX-One: 1\n\n").expect("a request");
        assert_eq!(head.path.map(|path| path.to_string()).as_deref(), Some("/a?b=c"));
        assert_eq!(head.authority.map(|host| host.to_string()).as_deref(), Some("example.org:80"));
        assert!(head.keeps && head.is_1_1 && head.framing.is_empty() && !head.expects_continue);
        let head =
            read("POST http://example.org/x HTTP/1.1\nHost: other.org\nContent-Length: 5\nExpect: 100-continue\nConnection: close\n\n")
                .expect("a request");
        assert_eq!(head.authority.map(|host| host.to_string()).as_deref(), Some("example.org"));
        assert!(!head.keeps && head.expects_continue && head.framing == Framing::Length(5));
        let head = read("GET / HTTP/1.0\n\n").expect("a request");
        assert!(!head.keeps && !head.is_1_1 && head.authority.is_none());
        assert!(read("GET / HTTP/1.0\nConnection: keep-alive\n\n").expect("a request").keeps);
        assert_eq!(read("POST / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n").expect("a request").framing, Framing::Chunked);
        assert!(read("OPTIONS * HTTP/1.1\nHost: a\n\n").is_ok());
    }

    /// What two readers could understand differently, which is how requests are smuggled.
    #[test]
    fn what_is_ambiguous_is_refused() {
        for (head, status) in [
            ("POST / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\nContent-Length: 5\n\n", 400),
            ("POST / HTTP/1.1\nHost: a\nContent-Length: 5\nTransfer-Encoding: chunked\n\n", 400),
            ("POST / HTTP/1.1\nHost: a\nContent-Length: 5\nContent-Length: 5\n\n", 400),
            ("POST / HTTP/1.1\nHost: a\nContent-Length: 5, 5\n\n", 400),
            ("POST / HTTP/1.1\nHost: a\nContent-Length: +5\n\n", 400),
            ("POST / HTTP/1.1\nHost: a\nContent-Length: 0x5\n\n", 400),
            ("POST / HTTP/1.1\nHost: a\nContent-Length: 99999999999999999999\n\n", 400),
            ("POST / HTTP/1.1\nHost: a\nContent-Length : 5\n\n", 400),
            ("POST / HTTP/1.1\nHost: a\n Content-Length: 5\n\n", 400),
            ("POST / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked, chunked\n\n", 501),
            ("POST / HTTP/1.1\nHost: a\nTransfer-Encoding: gzip, chunked\n\n", 501),
            ("POST / HTTP/1.1\nHost: a\nTransfer-Encoding: xchunked\n\n", 501),
            ("POST / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\nTransfer-Encoding: identity\n\n", 400),
            ("POST / HTTP/1.0\nHost: a\nTransfer-Encoding: chunked\n\n", 400),
            ("GET / HTTP/1.1\n\n", 400),
            ("GET / HTTP/1.1\nHost: a\nHost: b\n\n", 400),
            ("GET / HTTP/1.1\nHost: a b\n\n", 400),
            ("GET / HTTP/1.1\nHost: user@a\n\n", 400),
            ("GET http://user@a/ HTTP/1.1\nHost: a\n\n", 400),
            ("GET ftp://a/ HTTP/1.1\nHost: a\n\n", 400),
            ("GET a HTTP/1.1\nHost: a\n\n", 400),
            ("GET * HTTP/1.1\nHost: a\n\n", 400),
            ("GET / HTTP/2.0\nHost: a\n\n", 505),
            ("GET /\n\n", 400),
            ("CONNECT a:443 HTTP/1.1\nHost: a\n\n", 501),
            ("GET / HTTP/1.1\nHost: a\nExpect: magic\n\n", 417),
            ("GET / HTTP/1.1\nHost: a\nX: a\u{0}b\n\n", 400),
        ] {
            assert_eq!(read(head).map(|head| head.framing), Err(status), "{head}");
        }
        for raw in ["GET / HTTP/1.1\nHost: a\n\n", "GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n"] {
            assert!(request(raw.as_bytes()).is_err(), "{raw:?}");
        }
        let many: String = (0..MOST_FIELDS).map(|n| format!("x-{n}: 1\n")).collect();
        assert_eq!(read(&format!("GET / HTTP/1.1\nHost: a\n{many}\n")).map(|head| head.framing), Err(431));
    }

    #[test]
    fn responses_are_read() {
        let read = |text: &str, method| response(text.replace('\n', "\r\n").as_bytes(), &method);
        let framing = |text: &str, method| read(text, method).map(|head| head.framing);
        assert_eq!(framing("HTTP/1.1 200 OK\nContent-Length: 3\n\n", Method::GET), Some(Framing::Length(3)));
        assert_eq!(framing("HTTP/1.1 200 OK\nContent-Length: 3\n\n", Method::HEAD), Some(Framing::Length(0)));
        assert_eq!(framing("HTTP/1.1 204 None\n\n", Method::GET), Some(Framing::Length(0)));
        assert_eq!(framing("HTTP/1.1 200 OK\n\n", Method::GET), Some(Framing::Close));
        assert_eq!(framing("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n", Method::GET), Some(Framing::Chunked));
        assert_eq!(framing("HTTP/1.1 200 OK\nTransfer-Encoding: gzip\n\n", Method::GET), None);
        assert_eq!(framing("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\nContent-Length: 3\n\n", Method::GET), None);
        assert_eq!(framing("HTTP/1.1 2000 OK\n\n", Method::GET), None);
    }
}
