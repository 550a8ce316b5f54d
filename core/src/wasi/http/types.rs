//! wasi:http/types, for guests.

use std::time::Duration;

use http::uri::{Authority, PathAndQuery, Scheme as UriScheme};
use http::{Method, StatusCode};
use wasmtime::Result;
use wasmtime::component::{Resource, ResourceTable};
use wasmtime_wasi::p2::bindings::io::error::Error as IoError;
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, DynPollable, subscribe};

use crate::wasi::http::Requests;
use crate::wasi::http::bindings::types::{
    self, ErrorCode, HeaderError, Host, HostFields, HostFutureIncomingResponse, HostFutureTrailers, HostIncomingBody, HostIncomingRequest,
    HostIncomingResponse, HostOutgoingBody, HostOutgoingRequest, HostOutgoingResponse, HostRequestOptions, HostResponseOutparam, Scheme,
};
use crate::wasi::http::fields::{Fields, Refused};
use crate::wasi::http::incoming::{FutureTrailers, IncomingBody};
use crate::wasi::http::message::{
    FutureResponse, IncomingRequest, IncomingResponse, OutgoingRequest, OutgoingResponse, RequestOptions, Response, ResponseOutparam,
};
use crate::wasi::http::outgoing::{OutgoingBody, Side};

/// What wasi:http has of a guest while one of its functions runs.
pub(crate) struct View<'a> {
    pub(crate) table: &'a mut ResourceTable,
    pub(crate) requests: &'a Requests,
}

/// What WASI has an answer for.
type Told<T = (), E = ()> = Result<Result<T, E>>;

/// A refusal of a field, as the guest is told.
fn told(refused: Result<(), Refused>) -> Told<(), HeaderError> {
    match refused.err() {
        None => Ok(Ok(())),
        Some(Refused::Told(reason)) => Ok(Err(reason.into())),
        Some(Refused::TooMany) => Err(wasmtime::Error::msg("the guest made larger headers than it may")),
    }
}

impl Host for View<'_> {
    fn http_error_code(&mut self, error: Resource<IoError>) -> Result<Option<ErrorCode>> {
        Ok(self.table.get(&error)?.downcast_ref::<ErrorCode>().cloned())
    }
}

impl HostFields for View<'_> {
    fn new(&mut self) -> Result<Resource<Fields>> {
        Ok(self.table.push(Fields::default())?)
    }

    fn from_list(&mut self, entries: Vec<(String, Vec<u8>)>) -> Told<Resource<Fields>, HeaderError> {
        let mut fields = Fields::default();
        for (name, value) in entries {
            if let Err(error) = told(fields.append(&name, value))? {
                return Ok(Err(error));
            }
        }
        Ok(Ok(self.table.push(fields)?))
    }

    fn get(&mut self, fields: Resource<Fields>, name: String) -> Result<Vec<Vec<u8>>> {
        Ok(self.table.get(&fields)?.get(&name))
    }

    fn has(&mut self, fields: Resource<Fields>, name: String) -> Result<bool> {
        Ok(self.table.get(&fields)?.has(&name))
    }

    fn set(&mut self, fields: Resource<Fields>, name: String, values: Vec<Vec<u8>>) -> Told<(), HeaderError> {
        told(self.table.get_mut(&fields)?.set(&name, values))
    }

    fn delete(&mut self, fields: Resource<Fields>, name: String) -> Told<(), HeaderError> {
        told(self.table.get_mut(&fields)?.delete(&name))
    }

    fn append(&mut self, fields: Resource<Fields>, name: String, value: Vec<u8>) -> Told<(), HeaderError> {
        told(self.table.get_mut(&fields)?.append(&name, value))
    }

    fn entries(&mut self, fields: Resource<Fields>) -> Result<Vec<(String, Vec<u8>)>> {
        Ok(self.table.get(&fields)?.entries())
    }

    fn clone(&mut self, fields: Resource<Fields>) -> Result<Resource<Fields>> {
        let copied = self.table.get(&fields)?.copied();
        Ok(self.table.push(copied)?)
    }

    fn drop(&mut self, fields: Resource<Fields>) -> Result<()> {
        self.table.delete(fields)?;
        Ok(())
    }
}

impl HostIncomingRequest for View<'_> {
    fn method(&mut self, request: Resource<IncomingRequest>) -> Result<types::Method> {
        Ok(guest_method(&self.table.get(&request)?.method))
    }

    fn path_with_query(&mut self, request: Resource<IncomingRequest>) -> Result<Option<String>> {
        Ok(self.table.get(&request)?.path_with_query.clone())
    }

    fn scheme(&mut self, request: Resource<IncomingRequest>) -> Result<Option<Scheme>> {
        self.table.get(&request)?;
        Ok(Some(Scheme::Http))
    }

    fn authority(&mut self, request: Resource<IncomingRequest>) -> Result<Option<String>> {
        Ok(self.table.get(&request)?.authority.clone())
    }

    fn headers(&mut self, request: Resource<IncomingRequest>) -> Result<Resource<Fields>> {
        let headers = self.table.get(&request)?.headers.clone();
        Ok(self.table.push(headers)?)
    }

    fn consume(&mut self, request: Resource<IncomingRequest>) -> Told<Resource<IncomingBody>> {
        match self.table.get_mut(&request)?.body.take() {
            Some(body) => Ok(Ok(self.table.push(body)?)),
            None => Ok(Err(())),
        }
    }

    fn drop(&mut self, request: Resource<IncomingRequest>) -> Result<()> {
        self.table.delete(request)?;
        Ok(())
    }
}

impl HostResponseOutparam for View<'_> {
    fn set(&mut self, param: Resource<ResponseOutparam>, response: Result<Resource<OutgoingResponse>, ErrorCode>) -> Result<()> {
        let ResponseOutparam(sender) = self.table.delete(param)?;
        let response = match response {
            Ok(response) => {
                let OutgoingResponse { status, headers, body } = self.table.delete(response)?;
                Ok(Response { status, headers: headers.into_map(), body })
            }
            Err(error) => Err(error),
        };
        // Whoever asked may be gone.
        let _ = sender.send(response);
        Ok(())
    }

    fn drop(&mut self, param: Resource<ResponseOutparam>) -> Result<()> {
        self.table.delete(param)?;
        Ok(())
    }
}

impl HostOutgoingResponse for View<'_> {
    fn new(&mut self, headers: Resource<Fields>) -> Result<Resource<OutgoingResponse>> {
        let headers = self.table.delete(headers)?.fixed();
        Ok(self.table.push(OutgoingResponse { status: StatusCode::OK, headers, body: None })?)
    }

    fn status_code(&mut self, response: Resource<OutgoingResponse>) -> Result<u16> {
        Ok(self.table.get(&response)?.status.as_u16())
    }

    fn set_status_code(&mut self, response: Resource<OutgoingResponse>, status: u16) -> Told {
        let response = self.table.get_mut(&response)?;
        let Ok(status) = StatusCode::from_u16(status) else { return Ok(Err(())) };
        response.status = status;
        Ok(Ok(()))
    }

    fn headers(&mut self, response: Resource<OutgoingResponse>) -> Result<Resource<Fields>> {
        let headers = self.table.get(&response)?.headers.clone();
        Ok(self.table.push(headers)?)
    }

    fn body(&mut self, response: Resource<OutgoingResponse>) -> Told<Resource<OutgoingBody>> {
        let response = self.table.get_mut(&response)?;
        if response.body.is_some() {
            return Ok(Err(()));
        }
        let (body, receiver) = OutgoingBody::new(Side::Response, response.headers.content_length());
        response.body = Some(receiver);
        Ok(Ok(self.table.push(body)?))
    }

    fn drop(&mut self, response: Resource<OutgoingResponse>) -> Result<()> {
        self.table.delete(response)?;
        Ok(())
    }
}

impl HostOutgoingBody for View<'_> {
    fn write(&mut self, body: Resource<OutgoingBody>) -> Told<Resource<DynOutputStream>> {
        match self.table.get_mut(&body)?.stream() {
            Some(stream) => {
                let stream: DynOutputStream = Box::new(stream);
                Ok(Ok(self.table.push_child(stream, &body)?))
            }
            None => Ok(Err(())),
        }
    }

    fn finish(&mut self, body: Resource<OutgoingBody>, trailers: Option<Resource<Fields>>) -> Told<(), ErrorCode> {
        let body = self.table.delete(body)?;
        let trailers = trailers.map(|trailers| self.table.delete(trailers)).transpose()?;
        Ok(body.finish(trailers.map(Fields::into_map)))
    }

    fn drop(&mut self, body: Resource<OutgoingBody>) -> Result<()> {
        self.table.delete(body)?;
        Ok(())
    }
}

impl HostOutgoingRequest for View<'_> {
    fn new(&mut self, headers: Resource<Fields>) -> Result<Resource<OutgoingRequest>> {
        let headers = self.table.delete(headers)?.fixed();
        let request =
            OutgoingRequest { method: types::Method::Get, scheme: None, authority: None, path_with_query: None, headers, body: None };
        Ok(self.table.push(request)?)
    }

    fn body(&mut self, request: Resource<OutgoingRequest>) -> Told<Resource<OutgoingBody>> {
        let request = self.table.get_mut(&request)?;
        if request.body.is_some() {
            return Ok(Err(()));
        }
        let (body, receiver) = OutgoingBody::new(Side::Request, request.headers.content_length());
        request.body = Some(receiver);
        Ok(Ok(self.table.push(body)?))
    }

    fn method(&mut self, request: Resource<OutgoingRequest>) -> Result<types::Method> {
        Ok(self.table.get(&request)?.method.clone())
    }

    fn set_method(&mut self, request: Resource<OutgoingRequest>, method: types::Method) -> Told {
        let request = self.table.get_mut(&request)?;
        if host_method(&method).is_none() {
            return Ok(Err(()));
        }
        request.method = method;
        Ok(Ok(()))
    }

    fn path_with_query(&mut self, request: Resource<OutgoingRequest>) -> Result<Option<String>> {
        Ok(self.table.get(&request)?.path_with_query.clone())
    }

    fn set_path_with_query(&mut self, request: Resource<OutgoingRequest>, path: Option<String>) -> Told {
        let request = self.table.get_mut(&request)?;
        if path.as_deref().is_some_and(|path| parse_path(path).is_none()) {
            return Ok(Err(()));
        }
        request.path_with_query = path;
        Ok(Ok(()))
    }

    fn scheme(&mut self, request: Resource<OutgoingRequest>) -> Result<Option<Scheme>> {
        Ok(self.table.get(&request)?.scheme.clone())
    }

    fn set_scheme(&mut self, request: Resource<OutgoingRequest>, scheme: Option<Scheme>) -> Told {
        let request = self.table.get_mut(&request)?;
        if matches!(&scheme, Some(Scheme::Other(name)) if name.parse::<UriScheme>().is_err()) {
            return Ok(Err(()));
        }
        request.scheme = scheme;
        Ok(Ok(()))
    }

    fn authority(&mut self, request: Resource<OutgoingRequest>) -> Result<Option<String>> {
        Ok(self.table.get(&request)?.authority.clone())
    }

    fn set_authority(&mut self, request: Resource<OutgoingRequest>, authority: Option<String>) -> Told {
        let request = self.table.get_mut(&request)?;
        if authority.as_deref().is_some_and(|authority| authority.parse::<Authority>().is_err()) {
            return Ok(Err(()));
        }
        request.authority = authority;
        Ok(Ok(()))
    }

    fn headers(&mut self, request: Resource<OutgoingRequest>) -> Result<Resource<Fields>> {
        let headers = self.table.get(&request)?.headers.clone();
        Ok(self.table.push(headers)?)
    }

    fn drop(&mut self, request: Resource<OutgoingRequest>) -> Result<()> {
        self.table.delete(request)?;
        Ok(())
    }
}

impl HostRequestOptions for View<'_> {
    fn new(&mut self) -> Result<Resource<RequestOptions>> {
        Ok(self.table.push(RequestOptions::default())?)
    }

    fn connect_timeout(&mut self, options: Resource<RequestOptions>) -> Result<Option<u64>> {
        Ok(self.table.get(&options)?.connect.map(nanoseconds))
    }

    fn set_connect_timeout(&mut self, options: Resource<RequestOptions>, duration: Option<u64>) -> Told {
        self.table.get_mut(&options)?.connect = duration.map(Duration::from_nanos);
        Ok(Ok(()))
    }

    fn first_byte_timeout(&mut self, options: Resource<RequestOptions>) -> Result<Option<u64>> {
        Ok(self.table.get(&options)?.first_byte.map(nanoseconds))
    }

    fn set_first_byte_timeout(&mut self, options: Resource<RequestOptions>, duration: Option<u64>) -> Told {
        self.table.get_mut(&options)?.first_byte = duration.map(Duration::from_nanos);
        Ok(Ok(()))
    }

    fn between_bytes_timeout(&mut self, options: Resource<RequestOptions>) -> Result<Option<u64>> {
        Ok(self.table.get(&options)?.between_bytes.map(nanoseconds))
    }

    fn set_between_bytes_timeout(&mut self, options: Resource<RequestOptions>, duration: Option<u64>) -> Told {
        self.table.get_mut(&options)?.between_bytes = duration.map(Duration::from_nanos);
        Ok(Ok(()))
    }

    fn drop(&mut self, options: Resource<RequestOptions>) -> Result<()> {
        self.table.delete(options)?;
        Ok(())
    }
}

impl HostIncomingResponse for View<'_> {
    fn status(&mut self, response: Resource<IncomingResponse>) -> Result<u16> {
        Ok(self.table.get(&response)?.status)
    }

    fn headers(&mut self, response: Resource<IncomingResponse>) -> Result<Resource<Fields>> {
        let headers = self.table.get(&response)?.headers.clone();
        Ok(self.table.push(headers)?)
    }

    fn consume(&mut self, response: Resource<IncomingResponse>) -> Told<Resource<IncomingBody>> {
        match self.table.get_mut(&response)?.body.take() {
            Some(body) => Ok(Ok(self.table.push(body)?)),
            None => Ok(Err(())),
        }
    }

    fn drop(&mut self, response: Resource<IncomingResponse>) -> Result<()> {
        self.table.delete(response)?;
        Ok(())
    }
}

impl HostIncomingBody for View<'_> {
    fn stream(&mut self, body: Resource<IncomingBody>) -> Told<Resource<DynInputStream>> {
        match self.table.get(&body)?.stream() {
            Some(stream) => {
                let stream: DynInputStream = Box::new(stream);
                Ok(Ok(self.table.push_child(stream, &body)?))
            }
            None => Ok(Err(())),
        }
    }

    fn finish(&mut self, body: Resource<IncomingBody>) -> Result<Resource<FutureTrailers>> {
        let body = self.table.delete(body)?;
        Ok(self.table.push(FutureTrailers::new(body))?)
    }

    fn drop(&mut self, body: Resource<IncomingBody>) -> Result<()> {
        self.table.delete(body)?;
        Ok(())
    }
}

impl HostFutureTrailers for View<'_> {
    fn subscribe(&mut self, trailers: Resource<FutureTrailers>) -> Result<Resource<DynPollable>> {
        subscribe(self.table, trailers)
    }

    fn get(&mut self, trailers: Resource<FutureTrailers>) -> Result<Option<Result<Result<Option<Resource<Fields>>, ErrorCode>, ()>>> {
        let found = match self.table.get_mut(&trailers)?.get() {
            Some(Ok(Ok(Some(map)))) => Some(self.table.push(Fields::received(map))?),
            Some(Ok(Ok(None))) => None,
            Some(Ok(Err(error))) => return Ok(Some(Ok(Err(error)))),
            Some(Err(())) => return Ok(Some(Err(()))),
            None => return Ok(None),
        };
        Ok(Some(Ok(Ok(found))))
    }

    fn drop(&mut self, trailers: Resource<FutureTrailers>) -> Result<()> {
        self.table.delete(trailers)?;
        Ok(())
    }
}

impl HostFutureIncomingResponse for View<'_> {
    fn subscribe(&mut self, response: Resource<FutureResponse>) -> Result<Resource<DynPollable>> {
        subscribe(self.table, response)
    }

    fn get(&mut self, response: Resource<FutureResponse>) -> Result<Option<Result<Result<Resource<IncomingResponse>, ErrorCode>, ()>>> {
        Ok(match self.table.get_mut(&response)?.get() {
            Some(Ok(Ok(response))) => Some(Ok(Ok(self.table.push(response)?))),
            Some(Ok(Err(error))) => Some(Ok(Err(error))),
            Some(Err(())) => Some(Err(())),
            None => None,
        })
    }

    fn drop(&mut self, response: Resource<FutureResponse>) -> Result<()> {
        self.table.delete(response)?;
        Ok(())
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

fn guest_method(method: &Method) -> types::Method {
    match *method {
        Method::GET => types::Method::Get,
        Method::HEAD => types::Method::Head,
        Method::POST => types::Method::Post,
        Method::PUT => types::Method::Put,
        Method::DELETE => types::Method::Delete,
        Method::CONNECT => types::Method::Connect,
        Method::OPTIONS => types::Method::Options,
        Method::TRACE => types::Method::Trace,
        Method::PATCH => types::Method::Patch,
        ref other => types::Method::Other(other.to_string()),
    }
}

/// `None` for what is no method.
pub(crate) fn host_method(method: &types::Method) -> Option<Method> {
    Some(match method {
        types::Method::Get => Method::GET,
        types::Method::Head => Method::HEAD,
        types::Method::Post => Method::POST,
        types::Method::Put => Method::PUT,
        types::Method::Delete => Method::DELETE,
        types::Method::Connect => Method::CONNECT,
        types::Method::Options => Method::OPTIONS,
        types::Method::Trace => Method::TRACE,
        types::Method::Patch => Method::PATCH,
        types::Method::Other(name) => name.parse().ok()?,
    })
}

/// The path of a request. One that names another host than the request is for would go to it
/// through a proxy, so each begins with a slash.
pub(crate) fn parse_path(path: &str) -> Option<PathAndQuery> {
    match path {
        "" => Some(PathAndQuery::from_static("/")),
        _ if path.starts_with('/') => path.parse().ok(),
        _ if path.starts_with('?') => format!("/{path}").parse().ok(),
        _ => None,
    }
}
