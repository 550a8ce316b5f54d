//! WASI 0.2, for components: what wasmtime-wasi serves, with the sandbox's rules.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime::component::Linker;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamError, StreamResult};
use wasmtime_wasi::random::Deterministic;
use wasmtime_wasi::sockets::SocketAddrUse;
use wasmtime_wasi::{FsPerms, I32Exit, WasiCtxBuilder, WasiView};

use crate::config::Limits;
use crate::config::budget::Budget;
use crate::error::{Error, ErrorKind, Result};
use crate::sched::driver::Driver;
use crate::wasi::context::Host;
use crate::wasi::fd::BROKEN_PIPE;
use crate::wasi::files::given::{Given, GivenDir};
use crate::wasi::files::table::DESCRIPTORS;
use crate::wasi::random::Seeded;
use crate::wasi::sandbox::Sandbox;
use crate::wasi::sockets::access::Access;
use crate::wasi::sockets::component;
use crate::wasi::stdio::component::ComponentInput;
#[cfg(feature = "wasi-0-3")]
use crate::wasi::stdio::concurrent::Writing;
use crate::wasi::stdio::streams::{Standard, Streams};

/// Whether WASI provides an interface of that name.
pub(crate) fn provides(interface: &str) -> bool {
    interface.starts_with("wasi:")
}

/// Gives the linker all of WASI 0.2 for guests on fibers.
pub(crate) fn link<T: Host + WasiView>(linker: &mut Linker<T>) -> wasmtime::Result<()> {
    wasmtime_wasi::p2::add_to_linker_async(linker)?;
    component::link(linker)
}

/// How many resources of WASI 0.2 a component may have at once: each open file or socket is one at
/// least, beside the streams and what is waited for.
pub(crate) fn most_resources(limits: &Limits) -> usize {
    /// Standard streams, what a call of WASI needs for itself, and what a request of HTTP consists
    /// of.
    const OTHERS: usize = 64;
    limits.descriptors.unwrap_or(DESCRIPTORS) as usize + OTHERS
}

/// Gives a component what the sandbox has: streams, directories, addresses, random numbers.
/// Returns its outputs.
///
/// # Errors
///
/// `denied` for what can't be given.
pub(crate) fn give(
    builder: &mut WasiCtxBuilder,
    sandbox: &Sandbox,
    given: &Given,
    dirs: impl Iterator<Item = GivenDir>,
    streams: &Arc<Streams>,
    access: &Access,
) -> Result<[Output; 2]> {
    builder.stdin(ComponentInput::new(&sandbox.stdin, given)?);
    let outputs = [Standard::Output, Standard::Error].map(|standard| Output::new(streams, standard));
    builder.stdout(outputs[0].clone()).stderr(outputs[1].clone());
    for dir in dirs {
        let perms = if dir.readonly { FsPerms::ReadOnly } else { FsPerms::ReadWrite };
        let preopened = open_again(&dir).and_then(|path| builder.preopened_dir(path, &*dir.name, perms).map(drop));
        preopened.map_err(|error| {
            Error::new(ErrorKind::Denied, format!("the directory {} can't be given to a component: {error:#}", dir.name))
        })?;
    }
    let (has_network, access) = (!access.network.is_off(), access.clone());
    // Names are looked up in `sockets::component`, within its bounds.
    builder.allow_tcp(has_network).allow_udp(has_network).allow_ip_name_lookup(false);
    builder.socket_addr_check(move |address, wanted| {
        let access = access.clone();
        Box::pin(async move { is_allowed(&access, address, wanted).await })
    });
    if let Some(mut seeded) = Seeded::of(sandbox.random) {
        // They repeat after that many.
        let mut bytes = vec![0; 64 << 10];
        seeded.fill(&mut bytes);
        builder.secure_random(Deterministic::new(bytes));
    }
    Ok(outputs)
}

/// Whether a component may use an address so.
async fn is_allowed(access: &Access, address: SocketAddr, wanted: SocketAddrUse) -> bool {
    match wanted {
        SocketAddrUse::TcpConnect | SocketAddrUse::UdpSend => {
            // Whatever ends the call drops this future.
            access.permit_connect(address, Driver::Fiber, &Budget::default()).await.is_ok()
        }
        // Which the system does for each connection; and nobody's datagrams are received there but
        // those of whom the component may send to.
        SocketAddrUse::TcpBind | SocketAddrUse::UdpBind if address.port() == 0 && address.ip().is_unspecified() => true,
        SocketAddrUse::TcpBind | SocketAddrUse::TcpListen | SocketAddrUse::UdpBind => access.permit_listen(address).is_ok(),
        // Whoever connects to a port that the component may listen on. For whom it may receive
        // from, `sockets::component` knows the socket.
        SocketAddrUse::TcpAccept | SocketAddrUse::UdpReceive => true,
    }
}

/// A path by which the directory's own descriptor is opened again: the path that it once had may
/// lead elsewhere by now.
fn open_again(dir: &GivenDir) -> wasmtime::Result<PathBuf> {
    #[cfg(unix)]
    {
        let folder = if cfg!(target_os = "linux") { "/proc/self/fd" } else { "/dev/fd" };
        Ok(PathBuf::from(folder).join(std::os::fd::AsRawFd::as_raw_fd(&*dir.file).to_string()))
    }
    #[cfg(not(unix))]
    {
        let _ = dir;
        Err(wasmtime::format_err!("this system can't open it again"))
    }
}

/// The host's end of a component's standard output or error.
#[derive(Clone)]
pub(crate) struct Output(Arc<Unwritten>);

struct Unwritten {
    streams: Arc<Streams>,
    standard: Standard,
    state: Mutex<Pending>,
}

#[derive(Default)]
struct Pending {
    bytes: Vec<u8>,
    /// What the host's function for the stream has failed with.
    failed: Option<Error>,
    broken: Broken,
}

/// Whether anybody reads a stream of the host, which programs are told.
#[derive(Clone, Copy, Default)]
enum Broken {
    #[default]
    No,
    Yes,
    /// The program was told so once, as by `EPIPE`.
    Told,
}

/// What a component may write before the stream has to be waited for.
const AT_ONCE: usize = 64 << 10;

impl Output {
    fn new(streams: &Arc<Streams>, standard: Standard) -> Output {
        Output(Arc::new(Unwritten { streams: streams.clone(), standard, state: Mutex::default() }))
    }

    fn pending(&self) -> MutexGuard<'_, Pending> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether there is something to [pass on](Output::pass_on).
    pub(crate) fn has_more(&self) -> bool {
        let pending = self.pending();
        !pending.bytes.is_empty() || pending.failed.is_some()
    }

    /// Passes on what the component has written. What the host can't write is dropped; only a
    /// program is told.
    ///
    /// # Errors
    ///
    /// That of the host's function for the stream.
    pub(crate) async fn pass_on(&self) -> Result<()> {
        let (bytes, failed) = {
            let mut pending = self.pending();
            (std::mem::take(&mut pending.bytes), pending.failed.take())
        };
        failed.map_or(Ok(()), Err)?;
        let Some(stream) = self.0.streams.output(self.0.standard) else { return Ok(()) };
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            // The whole call is bounded from outside: see `Driver::bounded`.
            match stream.write(rest, true, Driver::Fiber, &Budget::default()).await? {
                Ok(0) => break,
                Err(error) => {
                    let mut pending = self.pending();
                    if error.kind() == io::ErrorKind::BrokenPipe && matches!(pending.broken, Broken::No) {
                        pending.broken = Broken::Yes;
                    }
                    break;
                }
                Ok(count) => rest = rest.get(count..).unwrap_or_default(),
            }
        }
        Ok(())
    }
}

/// For streams of WASI 0.3, which pass on each write before the next.
#[cfg(feature = "wasi-0-3")]
impl Output {
    pub(crate) fn is_flushed(&self) -> bool {
        let pending = self.pending();
        pending.bytes.is_empty() || pending.failed.is_some()
    }

    /// Takes what there is room for. What the host's function for the stream has failed with ends
    /// the call later on.
    pub(crate) fn take(&self, bytes: &[u8]) -> io::Result<usize> {
        let mut pending = self.pending();
        if pending.failed.is_some() {
            return Err(io::ErrorKind::Other.into());
        }
        if !matches!(pending.broken, Broken::No) {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let count = bytes.len().min(AT_ONCE.saturating_sub(pending.bytes.len()));
        pending.bytes.extend_from_slice(&bytes[..count]);
        Ok(count)
    }
}

impl IsTerminal for Output {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Output {
    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }

    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        #[cfg(feature = "wasi-0-3")]
        return Box::new(Writing::new(self));
        #[cfg(not(feature = "wasi-0-3"))]
        Box::new(tokio::io::sink())
    }
}

impl OutputStream for Output {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        let mut pending = self.pending();
        if pending.bytes.len() + bytes.len() > AT_ONCE {
            return Err(StreamError::trap("more was written than the stream has room for"));
        }
        pending.bytes.extend_from_slice(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        let mut pending = self.pending();
        match pending.broken {
            Broken::No => {}
            Broken::Yes => {
                pending.broken = Broken::Told;
                return Err(StreamError::Closed);
            }
            // Elsewhere a signal ends it: see `fd.rs`.
            Broken::Told => return Err(StreamError::Trap(wasmtime::Error::new(I32Exit(BROKEN_PIPE)))),
        }
        match pending.failed.take() {
            Some(error) => Err(StreamError::Trap(error.into_wasmtime())),
            // Not before it is passed on, so that nothing is lost and no order is changed.
            None if pending.bytes.is_empty() => Ok(AT_ONCE),
            None => Ok(0),
        }
    }
}

impl Pollable for Output {
    fn ready<'s, 'f>(&'s mut self) -> Pin<Box<dyn Future<Output = ()> + Send + 'f>>
    where
        's: 'f,
        Self: 'f,
    {
        Box::pin(async move {
            if let Err(error) = self.pass_on().await {
                self.pending().failed = Some(error);
            }
        })
    }
}
