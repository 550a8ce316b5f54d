//! What of `wasi:sockets` 0.2 wasmtime-wasi does not do by the rules of the sandbox: look-ups of
//! names, of which a process has a bounded number at a time, and whose datagrams a socket receives.

use std::collections::HashSet;
use std::future::{Future, poll_fn};
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::vec;

use wasmtime::component::{Linker, Resource, ResourceType};
use wasmtime_wasi::WasiView;
use wasmtime_wasi::p2::bindings::sockets::network::{ErrorCode, IpAddress, IpSocketAddress};
use wasmtime_wasi::p2::bindings::sockets::udp::{
    HostIncomingDatagramStream as _, HostUdpSocket as _, IncomingDatagram, IncomingDatagramStream, OutgoingDatagramStream,
};
use wasmtime_wasi::p2::{DynPollable, Network, Pollable, SocketResult, UdpSocket, subscribe};
use wasmtime_wasi::sockets::WasiSocketsView as _;

use crate::config::budget::Budget;
use crate::sched::driver::Driver;
use crate::wasi::call::Failed;
use crate::wasi::context::{Host, Wasi};
use crate::wasi::errno;
use crate::wasi::sockets::access::Access;
use crate::wasi::sockets::rules::{self, Action};

/// As wasmtime-wasi names them.
const NAMES: &str = "wasi:sockets/ip-name-lookup@0.2.12";
const DATAGRAMS: &str = "wasi:sockets/udp@0.2.12";

/// The streams of datagrams of sockets that are bound by a rule for listening, by their numbers.
#[derive(Default)]
pub(crate) struct Listening(HashSet<u32>);

/// What the guest is answered, unless it is ended.
type Told<T> = wasmtime::Result<(Result<T, ErrorCode>,)>;

fn told<T>(result: SocketResult<T>) -> Told<T> {
    match result {
        Ok(value) => Ok((Ok(value),)),
        Err(error) => Ok((Err(error.downcast()?),)),
    }
}

/// Puts these functions in the place of wasmtime-wasi's.
pub(crate) fn link<T: Host + WasiView>(linker: &mut Linker<T>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    define(linker)?;
    linker.allow_shadowing(false);
    Ok(())
}

fn define<T: Host + WasiView>(linker: &mut Linker<T>) -> wasmtime::Result<()> {
    let mut names = linker.instance(NAMES)?;
    names.resource("resolve-address-stream", ResourceType::host::<Lookup>(), |mut store, number| {
        store.data_mut().ctx().table.delete(Resource::<Lookup>::new_own(number))?;
        Ok(())
    })?;
    names.func_wrap("resolve-addresses", |mut store, (network, name): (Resource<Network>, String)| {
        told(look_up(store.data_mut().wasi(), &network, &name))
    })?;
    names.func_wrap("[method]resolve-address-stream.resolve-next-address", |mut store, (lookup,): (Resource<Lookup>,)| {
        told(store.data_mut().ctx().table.get_mut(&lookup).map_err(Into::into).and_then(Lookup::next))
    })?;
    names.func_wrap("[method]resolve-address-stream.subscribe", |mut store, (lookup,): (Resource<Lookup>,)| {
        let pollable: Resource<DynPollable> = subscribe(store.data_mut().ctx().table, lookup)?;
        Ok((pollable,))
    })?;
    let mut datagrams = linker.instance(DATAGRAMS)?;
    datagrams.func_wrap_async(
        "[method]udp-socket.stream",
        |mut store, (socket, remote): (Resource<UdpSocket>, Option<IpSocketAddress>)| {
            Box::new(async move { told(stream(store.data_mut(), socket, remote).await) })
        },
    )?;
    datagrams.func_wrap("[method]incoming-datagram-stream.receive", |mut store, (from, most): (Resource<IncomingDatagramStream>, u64)| {
        told(receive(store.data_mut(), &from, most))
    })
}

/// A look-up, and the addresses that it has found.
enum Lookup {
    Waits(Pin<Box<dyn Future<Output = Result<Vec<IpAddr>, Failed>> + Send>>),
    Done(Result<vec::IntoIter<IpAddr>, ErrorCode>),
}

impl Lookup {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let Lookup::Waits(future) = self else { return Poll::Ready(()) };
        let Poll::Ready(found) = future.as_mut().poll(context) else { return Poll::Pending };
        *self = Lookup::Done(
            found
                .map(Vec::into_iter)
                .map_err(|failed| if is_unknown(&failed) { ErrorCode::NameUnresolvable } else { ErrorCode::TemporaryResolverFailure }),
        );
        Poll::Ready(())
    }

    fn next(&mut self) -> SocketResult<Option<IpAddress>> {
        let _ = self.poll(&mut Context::from_waker(Waker::noop()));
        match self {
            Lookup::Waits(_) => Err(ErrorCode::WouldBlock.into()),
            Lookup::Done(Ok(found)) => Ok(found.next().map(|ip| ip.to_canonical().into())),
            Lookup::Done(Err(code)) => Err((*code).into()),
        }
    }
}

impl Pollable for Lookup {
    fn ready<'s, 'f>(&'s mut self) -> Pin<Box<dyn Future<Output = ()> + Send + 'f>>
    where
        's: 'f,
        Self: 'f,
    {
        Box::pin(poll_fn(|context| self.poll(context)))
    }
}

/// Begins to look up a name, if the rules allow it.
fn look_up(wasi: &mut Wasi, network: &Resource<Network>, name: &str) -> SocketResult<Resource<Lookup>> {
    let (table, access) = (wasi.p1.ctx().table, wasi.sockets.access.clone());
    table.get(network)?;
    let lookup = match wanted(&access, name) {
        Ok(Wanted::Address(ip)) => Lookup::Done(Ok(vec![ip].into_iter())),
        // Whatever ends the call drops this future.
        Ok(Wanted::Name(name)) => Lookup::Waits(Box::pin(async move { access.look_up(&name, Driver::Fiber, &Budget::default()).await })),
        Err(Unwanted::Invalid) => return Err(ErrorCode::InvalidArgument.into()),
        Err(Unwanted::Denied) => return Err(ErrorCode::AccessDenied.into()),
    };
    Ok(table.push(lookup)?)
}

/// What is to be looked up: an address, which is its own answer, or a name that the rules allow.
pub(crate) enum Wanted {
    Address(IpAddr),
    Name(String),
}

/// Why nothing is looked up.
pub(crate) enum Unwanted {
    Invalid,
    Denied,
}

pub(crate) fn wanted(access: &Access, name: &str) -> Result<Wanted, Unwanted> {
    let literal = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name).parse();
    if let Ok(ip) = literal {
        return Ok(Wanted::Address(ip));
    }
    let name = rules::name(name).ok_or(Unwanted::Invalid)?;
    access.permit_name(&name).map_err(|_| Unwanted::Denied)?;
    Ok(Wanted::Name(name))
}

/// Whether nothing has the name that was looked up.
pub(crate) fn is_unknown(failed: &Failed) -> bool {
    matches!(failed, Failed::Number(errno::NOENT))
}

/// Makes the streams of a socket, and notes whether everybody may send to it.
async fn stream<T: Host + WasiView>(
    state: &mut T,
    socket: Resource<UdpSocket>,
    remote: Option<IpSocketAddress>,
) -> SocketResult<(Resource<IncomingDatagramStream>, Resource<OutgoingDatagramStream>)> {
    let mut sockets = state.sockets();
    let again = Resource::new_borrow(socket.rep());
    let (incoming, outgoing) = sockets.stream(socket, remote).await?;
    let local = SocketAddr::from(sockets.local_address(again)?);
    let wasi = state.wasi();
    if may_listen(&wasi.sockets.access, local) {
        wasi.listening.0.insert(incoming.rep());
    } else {
        wasi.listening.0.remove(&incoming.rep());
    }
    Ok((incoming, outgoing))
}

/// Whether the guest may receive from everybody at an address: by its port, or by a rule for
/// whatever port the system chooses.
pub(crate) fn may_listen(access: &Access, local: SocketAddr) -> bool {
    [local.port(), 0].into_iter().any(|port| access.network.allows_ip(Action::Listen, local.ip().to_canonical(), port))
}

/// Receives datagrams of those from whom the guest may have them: see `Sockets::admits`.
fn receive<T: Host + WasiView>(state: &mut T, from: &Resource<IncomingDatagramStream>, most: u64) -> SocketResult<Vec<IncomingDatagram>> {
    for _ in 0..MOST_BATCHES {
        let mut found = state.sockets().receive(Resource::new_borrow(from.rep()), most)?;
        let (wasi, count) = (state.wasi(), found.len());
        if !wasi.listening.0.contains(&from.rep()) {
            found.retain(|datagram| wasi.sockets.access.admits(datagram.remote_address.into()));
        }
        if !found.is_empty() || count == 0 {
            return Ok(found);
        }
    }
    Ok(Vec::new())
}

/// How many times a call receives, if it gets nothing but what the guest may not have: strangers
/// may send for ever.
const MOST_BATCHES: usize = 16;

#[cfg(test)]
mod tests {
    use wasmtime::Engine;

    use super::*;
    use crate::wasi::context::tests::Unused;

    /// wasmtime-wasi may name another version some day.
    #[test]
    fn the_functions_replace_those_of_wasmtime_wasi() {
        let mut linker = Linker::<Unused>::new(&Engine::default());
        wasmtime_wasi::p2::add_to_linker_async(&mut linker).expect("it is empty");
        let error = define(&mut linker).expect_err("they are there already");
        assert!(error.to_string().contains("defined twice"), "{error:#}");
        link(&mut linker).expect("they are replaced");
    }
}
