//! A guest's socket, over a host socket in non-blocking mode: the call waits for it, as long as its
//! budget lasts.

use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpListener};
use std::time::{Duration, Instant};

use socket2::{Domain, MaybeUninitSlice, SockAddr, Type};

use crate::config::budget::{Budget, LOOK};
use crate::platform::async_fd::AsyncFd;
use crate::platform::descriptor::{Awaited, Wants, look};
use crate::sched::driver::Driver;
use crate::wasi::call::Failed;
use crate::wasi::errno;
use crate::wasi::sockets::address::{Address, UNIX, V4, V6};
use crate::wasi::sockets::peers::Peers;
use crate::wasi::sockets::place::Place;

/// A socket at one of the guest's descriptors.
pub(crate) struct Socket {
    host: AsyncFd,
    /// The family's number in addresses.
    pub(crate) family: u16,
    /// Whether it carries a stream, not datagrams.
    pub(crate) is_stream: bool,
    /// Whether the guest waits for what can't be done at once, which is the default.
    pub(crate) blocks: bool,
    /// Whether the guest has bound it.
    pub(crate) is_bound: bool,
    /// Whether the host and other instances have it too: then what the guest sets affects the guest
    /// alone.
    is_shared: bool,
    /// Whether the guest has stopped accepting connections at a shared listener.
    is_shut: bool,
    /// The addresses that it has sent datagrams to.
    pub(crate) peers: Peers,
    /// The addresses that the guest has bound it to, and connected it to. The system may have been
    /// given another form.
    own: Option<Address>,
    pub(crate) peer: Option<Address>,
    /// Timeouts for receiving and for sending, which the guest sets by options.
    pub(crate) budget: [Option<Duration>; 2],
}

/// Suppresses the signal for a broken connection, which the host may not expect. Where there is no
/// such flag, `socket2` sets an option.
#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
const QUIETLY: i32 = libc::MSG_NOSIGNAL;
#[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
const QUIETLY: i32 = 0;

/// The result of a receive.
pub(crate) struct Received {
    pub(crate) count: usize,
    /// Whether the datagram was longer than the buffer.
    pub(crate) is_cut: bool,
    pub(crate) from: Option<Address>,
}

impl Socket {
    /// # Errors
    ///
    /// The system's error.
    pub(crate) fn open(family: u16, is_stream: bool) -> io::Result<Socket> {
        let domain = match family {
            V4 => Domain::IPV4,
            V6 => Domain::IPV6,
            _ => Domain::UNIX,
        };
        let host = socket2::Socket::new(domain, if is_stream { Type::STREAM } else { Type::DGRAM }, None)?;
        Socket::of(host, family, is_stream)
    }

    fn of(host: socket2::Socket, family: u16, is_stream: bool) -> io::Result<Socket> {
        host.set_nonblocking(true)?;
        if is_stream && family != UNIX {
            // Go does this on every other system, but can't on this one. The guest may still change
            // it. It fails for a connection that is already broken.
            let _ = host.set_tcp_nodelay(true);
        }
        Ok(Socket::new(host, family, is_stream))
    }

    fn new(host: socket2::Socket, family: u16, is_stream: bool) -> Socket {
        Socket {
            host: AsyncFd::new(host),
            family,
            is_stream,
            blocks: true,
            is_bound: false,
            is_shared: false,
            is_shut: false,
            peers: Peers::default(),
            own: None,
            peer: None,
            budget: [None; 2],
        }
    }

    /// A listener that the host has handed in. None of its options are set, because others share
    /// it.
    pub(crate) fn listener(listener: &TcpListener) -> io::Result<Socket> {
        let family = if listener.local_addr()?.is_ipv4() { V4 } else { V6 };
        Ok(Socket { is_bound: true, is_shared: true, ..Socket::new(listener.try_clone()?.into(), family, true) })
    }

    /// Whether the host has it too.
    pub(crate) fn is_shared(&self) -> bool {
        self.is_shared
    }

    /// Whether the guest has stopped accepting connections at a shared listener.
    pub(crate) fn is_shut(&self) -> bool {
        self.is_shut
    }

    pub(crate) fn host(&self) -> &socket2::Socket {
        self.host.socket()
    }

    pub(crate) fn awaited(&self) -> &dyn Awaited {
        &self.host
    }

    /// Does something with the socket once that is possible.
    ///
    /// # Errors
    ///
    /// The guest's number for an error of the system, `AGAIN` where it does not wait; what ends the
    /// call.
    pub(crate) async fn when_ready<T>(
        &self,
        wants: Wants,
        driver: Driver,
        budget: &Budget,
        mut work: impl FnMut(&socket2::Socket) -> io::Result<T>,
    ) -> Result<T, Failed> {
        let limit = self.budget[usize::from(wants == Wants::Write)].map(|limit| Instant::now() + limit);
        let mut in_vain = 0_u32;
        loop {
            if in_vain > 1 {
                // Reported as ready, but not ready for this: a socket that may send, to a peer
                // without room. No event will follow, so poll now and then.
                budget.look(driver)?;
                driver.pause(&[], budget, Some(LOOK)).await;
            }
            match work(self.host()) {
                Ok(done) => return Ok(done),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock && self.blocks => {
                    self.wait(wants, driver, budget, limit).await?;
                    in_vain += 1;
                }
                Err(error) => return Err(Failed::from(error)),
            }
        }
    }

    async fn wait(&self, wants: Wants, driver: Driver, budget: &Budget, limit: Option<Instant>) -> Result<(), Failed> {
        let wanted = [(self.awaited(), wants)];
        loop {
            budget.look(driver)?;
            let left = limit.map(|limit| limit.saturating_duration_since(Instant::now()));
            if left == Some(Duration::ZERO) {
                return Err(Failed::Number(errno::AGAIN));
            }
            driver.pause(&wanted, budget, left).await;
            if look(&wanted)[0].is_ready {
                return Ok(());
            }
        }
    }

    /// Gives whether it is bound; if not, that may be tried again.
    pub(crate) fn bind(&mut self, address: &Address, place: &Place) -> Result<bool, Failed> {
        if self.is_shared {
            return Err(Failed::Number(errno::INVAL));
        }
        let Some(bound) = place.bind(|at| self.host().bind(at)) else { return Ok(false) };
        if let Err(failed) = bound {
            #[cfg(unix)]
            if self.family == UNIX && !self.is_bound && self.host().local_addr()?.as_pathname().is_some() {
                // It lies where it must not, which can't be undone: nobody has it from now on.
                *self = Socket { blocks: self.blocks, ..Socket::open(self.family, self.is_stream)? };
            }
            return Err(failed);
        }
        self.is_bound = true;
        self.own = Some(address.clone());
        Ok(true)
    }

    pub(crate) fn listen(&mut self, backlog: i32) -> Result<(), Failed> {
        if self.is_shared {
            // A shared listener listens already, and its backlog is the host's choice.
            return if self.is_shut { Err(Failed::Number(errno::INVAL)) } else { Ok(()) };
        }
        // No system's backlog is larger; a negative one would be rejected.
        self.host().listen(backlog.clamp(0, 4096))?;
        self.is_bound = true;
        Ok(())
    }

    pub(crate) async fn accept(&self, driver: Driver, budget: &Budget) -> Result<Socket, Failed> {
        if self.is_shut {
            return Err(Failed::Number(errno::INVAL));
        }
        let accepted = self.when_ready(Wants::Read, driver, budget, |host| match host.accept() {
            // The peer was gone before the connection was accepted, which is no error of the guest.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => Err(io::ErrorKind::Interrupted.into()),
            accepted => accepted,
        });
        let (host, _) = accepted.await?;
        Ok(Socket { is_bound: true, own: self.own.clone(), ..Socket::of(host, self.family, self.is_stream)? })
    }

    /// Connects. A socket in non-blocking mode only starts to, and reports `INPROGRESS`.
    pub(crate) async fn connect(&self, place: &Place, driver: Driver, budget: &Budget) -> Result<(), Failed> {
        if self.is_shared {
            return Err(Failed::Number(errno::ISCONN));
        }
        match self.host().connect(&place.address) {
            Ok(()) => return Ok(()),
            Err(error) if is_under_way(&error) => {}
            Err(error) => return Err(Failed::from(error)),
        }
        if !self.blocks {
            return Err(Failed::Number(errno::INPROGRESS));
        }
        self.wait(Wants::Write, driver, budget, self.budget[1].map(|limit| Instant::now() + limit)).await?;
        match self.host().take_error()? {
            None => Ok(()),
            Some(error) => Err(Failed::from(error)),
        }
    }

    /// Receives into one buffer.
    pub(crate) async fn receive(
        &self,
        buffer: &mut [u8],
        flags: i32,
        wants_address: bool,
        driver: Driver,
        budget: &Budget,
    ) -> Result<Received, Failed> {
        self.when_ready(Wants::Read, driver, budget, |host| {
            let mut pieces = [MaybeUninitSlice::new(uninit(buffer))];
            // Streams carry no addresses.
            if wants_address && !self.is_stream {
                let (count, said, from) = host.recv_from_vectored_with_flags(&mut pieces, flags)?;
                return Ok(Received { count, is_cut: said.is_truncated(), from: guest_address(&from) });
            }
            let (count, said) = host.recv_vectored_with_flags(&mut pieces, flags)?;
            Ok(Received { count, is_cut: said.is_truncated() && !self.is_stream, from: None })
        })
        .await
    }

    /// Sends the bytes, or the first of them.
    pub(crate) async fn send(&self, pieces: &[IoSlice<'_>], to: Option<&Place>, driver: Driver, budget: &Budget) -> Result<usize, Failed> {
        let done = self.when_ready(Wants::Write, driver, budget, |host| match to {
            Some(to) => host.send_to_vectored_with_flags(pieces, &to.address, QUIETLY),
            None => host.send_vectored_with_flags(pieces, QUIETLY),
        });
        done.await
    }

    /// As with the system, shutting down the receiving side ends a listener.
    pub(crate) fn shutdown(&mut self, how: Shutdown) -> Result<(), Failed> {
        if self.is_shared {
            self.is_shut |= how != Shutdown::Write;
            return Ok(());
        }
        Ok(self.host().shutdown(how)?)
    }

    pub(crate) fn local(&self) -> Result<Option<Address>, Failed> {
        let found = guest_address(&self.host().local_addr()?);
        Ok(if self.family == UNIX { self.own.clone().or(found) } else { found })
    }

    pub(crate) fn peer(&self) -> Result<Option<Address>, Failed> {
        let found = guest_address(&self.host().peer_addr()?);
        Ok(if self.family == UNIX { self.peer.clone().or(found) } else { found })
    }
}

/// Whether a connection is being established.
fn is_under_way(error: &io::Error) -> bool {
    #[cfg(unix)]
    return matches!(error.raw_os_error(), Some(libc::EINPROGRESS));
    #[cfg(not(unix))]
    return error.kind() == io::ErrorKind::WouldBlock;
}

/// A buffer in the form that `socket2` takes.
fn uninit(buffer: &mut [u8]) -> &mut [MaybeUninit<u8>] {
    // SAFETY: an initialised byte may be viewed as possibly uninitialised as long as nobody
    // uninitialises it: a receive only writes bytes.
    unsafe { &mut *(std::ptr::from_mut(buffer) as *mut [MaybeUninit<u8>]) }
}

/// `None` for an address that guests can't represent, such as that of a socket without a name.
fn guest_address(address: &SockAddr) -> Option<Address> {
    if let Some(ip) = address.as_socket() {
        return Some(Address::Ip(ip));
    }
    #[cfg(unix)]
    if address.is_unix() {
        use std::os::unix::ffi::OsStrExt as _;
        // A path that a guest of this process has bound means nothing to another guest: such a
        // socket has no name.
        let path = address.as_pathname().filter(|path| !path.starts_with("/proc/self/fd"));
        let path = path.map(|path| path.as_os_str().as_bytes().to_vec());
        return Some(Address::Unix(path.unwrap_or_default()));
    }
    None
}

/// The effective address: IPv4-mapped ones are IPv4, and the unspecified address is this machine.
pub(crate) fn meant(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    }
}

/// The address to connect to: the effective one, in the form for a socket of that family.
pub(crate) fn destination(address: SocketAddr) -> SocketAddr {
    match (address, meant(address.ip())) {
        (SocketAddr::V6(_), IpAddr::V4(ip)) => SocketAddr::new(IpAddr::V6(ip.to_ipv6_mapped()), address.port()),
        (_, ip) => SocketAddr::new(ip, address.port()),
    }
}
