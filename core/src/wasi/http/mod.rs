//! HTTP for components: wasi:http, whose requests keep to the rules of the sandbox, and HTTP/1.1 on
//! the wire.
//!
//! From the bottom up: `bindings`, `fields`, `head`, `reader`, `transfer`, `incoming`, `outgoing`,
//! `message`, `tls`, `client`, `types`.

mod bindings;
mod client;
pub(crate) mod fields;
pub(crate) mod head;
pub(crate) mod incoming;
pub(crate) mod message;
pub(crate) mod outgoing;
pub(crate) mod reader;
#[cfg(feature = "tls")]
mod tls;
mod transfer;
mod types;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use wasmtime::component::{HasData, Linker, Resource};
use wasmtime_wasi::WasiView as _;

use crate::config::Limits;
use crate::config::cancel::CancelToken;
use crate::wasi::context::{Host, Wasi};
use crate::wasi::files::table::DESCRIPTORS;
use crate::wasi::http::bindings::outgoing_handler;
pub(crate) use crate::wasi::http::bindings::types::ErrorCode;
pub(crate) use crate::wasi::http::client::write_fields;
use crate::wasi::http::message::{IncomingRequest, ResponseOutparam};
use crate::wasi::http::types::View;
use crate::wasi::sockets::access::Access;

/// The interfaces of wasi:http 0.2, as the text of a package without worlds.
pub const WIT: &str = include_str!("../../../wit/http.wit");

/// The interface that a component which is a server exports.
pub(crate) const HANDLER: &str = "wasi:http/incoming-handler";

/// What the requests of a guest have in common.
#[derive(Clone)]
pub(crate) struct Requests {
    access: Access,
    open: Arc<AtomicUsize>,
    /// How many may be under way.
    most: usize,
    /// Ends those that are.
    closed: CancelToken,
}

impl Requests {
    pub(crate) fn new(access: Access, limits: &Limits) -> Requests {
        let most = limits.descriptors.unwrap_or(DESCRIPTORS) as usize;
        Requests { access, open: Arc::default(), most, closed: CancelToken::new() }
    }

    /// The guest has ended, and needs no answers any more.
    pub(crate) fn close(&self) {
        self.closed.cancel();
    }

    /// Counts a connection, if there may be one more.
    fn open(&self) -> Option<Open> {
        let counted = self.open.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |open| (open < self.most).then_some(open + 1));
        counted.ok().map(|_| Open(self.open.clone()))
    }
}

/// A connection, which counts while this lives.
struct Open(Arc<AtomicUsize>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

struct HasHttp;

impl HasData for HasHttp {
    type Data<'a> = View<'a>;
}

/// Gives the linker wasi:http.
pub(crate) fn link<T: Host>(linker: &mut Linker<T>) -> wasmtime::Result<()> {
    bindings::types::add_to_linker::<T, HasHttp>(linker, |state| state.wasi().http())?;
    outgoing_handler::add_to_linker::<T, HasHttp>(linker, |state| state.wasi().http())
}

impl Wasi {
    fn http(&mut self) -> View<'_> {
        View { table: self.p1.ctx().table, requests: &self.requests }
    }

    /// Gives the guest a request, and what it answers by.
    pub(crate) fn give_request(
        &mut self,
        request: IncomingRequest,
        answer: ResponseOutparam,
    ) -> wasmtime::Result<(Resource<IncomingRequest>, Resource<ResponseOutparam>)> {
        let table = self.p1.ctx().table;
        Ok((table.push(request)?, table.push(answer)?))
    }

    /// Closes what the guest has of the network: it has ended.
    pub(crate) fn close(&mut self) {
        self.sockets.close();
        self.requests.close();
    }
}
