//! Servers: components that export `wasi:http/incoming-handler` behind a listener, with a pool of
//! instances.
//!
//! From the bottom up: `registry`, `output`, `exchange`, `connection`.

mod connection;
mod exchange;
mod output;
mod registry;

use std::fmt;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::available_parallelism;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};

use crate::config::budget::Budget;
use crate::config::cancel::CancelToken;
use crate::config::{CallOptions, Limits, setters};
use crate::error::{Error, ErrorKind, Result};
use crate::guest::options::InstanceOptions;
use crate::platform::fork;
use crate::plugin::Plugin;
use crate::pool::PoolOptions;
use crate::pool::members::Members;
use crate::pool::wait_queue::PoolStats;
use crate::sched::driver::{Driver, at_once};
use crate::sched::task::Home;
use crate::serve::registry::Registry;
use crate::wasi::http::HANDLER;
use crate::wasi::sockets::network;

/// How a plugin serves HTTP.
///
/// ```
/// use undergo::{InstanceOptions, PoolOptions, ServeOptions};
///
/// let pool = PoolOptions::new(8, InstanceOptions::default());
/// let options = ServeOptions::new(pool).queue(1000).body(1 << 20);
/// ```
#[cfg_attr(not(feature = "host"), non_exhaustive)]
#[derive(Clone, Debug)]
pub struct ServeOptions {
    /// The instances that answer requests, one at a time each. The time limit of their
    /// [limits](Limits::timeout) is that of a request, from when its head and the first 64 KiB of
    /// its body are there; 30 seconds when `None`.
    pub pool: PoolOptions,
    /// Requests that wait for an instance, if none is free; others are refused with status 503.
    pub queue: usize,
    /// Connections at a time. One more ends that which was unused for the longest time, or is
    /// refused.
    pub connections: usize,
    /// Bytes of a request's body; a longer one is refused with status 413.
    pub body: u64,
    /// What is told of requests that failed.
    pub errors: Option<ErrorSink>,
}

setters!(ServeOptions {
    queue: usize,
    connections: usize,
    body: u64,
    errors ? ErrorSink,
});

impl ServeOptions {
    /// A server of these instances.
    #[must_use]
    pub fn new(pool: PoolOptions) -> ServeOptions {
        ServeOptions { pool, queue: 256, connections: 1024, body: 32 << 20, errors: None }
    }
}

/// Four instances for each processor, since many requests wait.
impl Default for ServeOptions {
    fn default() -> ServeOptions {
        let processors = available_parallelism().map_or(2, usize::from);
        ServeOptions::new(PoolOptions::new(4 * processors, InstanceOptions::default()))
    }
}

/// The time of a request, unless the limits say otherwise.
const REQUEST: Duration = Duration::from_secs(30);

/// A host function that is told of failed requests. Clones are the same function.
#[derive(Clone)]
pub struct ErrorSink(Arc<dyn Fn(&Error) + Send + Sync>);

impl ErrorSink {
    /// The function is called on a thread of the server, which waits for it.
    pub fn new(function: impl Fn(&Error) + Send + Sync + 'static) -> ErrorSink {
        ErrorSink(Arc::new(function))
    }
}

impl fmt::Debug for ErrorSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ErrorSink")
    }
}

/// What a server has done so far, and what it has now.
#[cfg_attr(not(feature = "host"), non_exhaustive)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ServerStats {
    /// Connections that are open.
    pub connections: usize,
    /// Requests that were read.
    pub requests: u64,
    /// Those that no instance was free for: status 503.
    pub refused: u64,
    /// Those whose instance failed, or did not answer in time: status 500 or 504, or an answer that
    /// ended early.
    pub failed: u64,
    /// Its instances.
    pub pool: PoolStats,
}

/// Everything that the connections of a server have in common.
struct State {
    members: Arc<Members>,
    queue: usize,
    body: u64,
    errors: Option<ErrorSink>,
    home: Option<Arc<dyn Home>>,
    /// The options of each request.
    call: CallOptions,
    registry: Registry,
    /// Each connection ends behind its current request.
    stopping: CancelToken,
    requests: AtomicU64,
    refused: AtomicU64,
    failed: AtomicU64,
}

impl State {
    fn count(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a request that has failed, and tells of it.
    fn fail(&self, error: &Error) {
        State::count(&self.failed);
        if let Some(ErrorSink(told)) = &self.errors {
            self.in_host(|| told(error));
        }
    }

    /// Runs the host's code, which may hold its thread for long: others go on with what the thread
    /// had to do.
    fn in_host<R>(&self, code: impl FnOnce() -> R) -> R {
        let _host = self.members.enter_host();
        tokio::task::block_in_place(code)
    }
}

/// A plugin that serves HTTP. Cheap to clone; clones are the same server, which ends at once when
/// the last one is dropped.
#[derive(Clone)]
pub struct Server(Arc<Serving>);

struct Serving {
    state: Arc<State>,
    address: SocketAddr,
    /// The process in which it runs: see `fork.rs`.
    generation: u64,
    /// Present until it is dropped.
    runtime: Option<Runtime>,
}

impl Drop for Serving {
    fn drop(&mut self) {
        let Some(runtime) = self.runtime.take() else { return };
        if self.generation != fork::generation() {
            // Its threads are the parent's.
            std::mem::forget(runtime);
            return;
        }
        self.state.stopping.cancel();
        self.state.members.close();
        runtime.shutdown_background();
    }
}

impl Plugin {
    /// Serves HTTP/1.1 at an address such as `127.0.0.1:8080`; port 0 is one that the system
    /// chooses. Each request is answered by an instance of a pool, which keeps its state for the
    /// next one unless [`max_calls`](PoolOptions::max_calls) says otherwise.
    ///
    /// ```no_run
    /// # fn main() -> undergo::Result<()> {
    /// use std::time::Duration;
    /// use undergo::{Plugin, ServeOptions};
    ///
    /// let plugin = Plugin::from_file("app.wasm")?;
    /// let server = plugin.serve("127.0.0.1:8080", ServeOptions::default())?;
    /// println!("http://{}", server.address());
    /// // …
    /// server.close(Some(Duration::from_secs(10)))?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// `invalid-plugin` for what is no component that exports `wasi:http/incoming-handler`;
    /// `type-mismatch` for what is no address, and for wrong numbers; `denied` when the system
    /// refuses to listen there; `missing-import`.
    pub fn serve(&self, address: &str, options: ServeOptions) -> Result<Server> {
        let (listener, _) = network::listen(address)?;
        self.serve_on(listener, options, None, CallOptions::default())
    }

    /// The same for a host with an event loop, on whose thread its functions run. `call` is for
    /// each request.
    ///
    /// # Errors
    ///
    /// As [`serve`](Plugin::serve).
    #[cfg(feature = "host")]
    pub fn serve_at_home(&self, address: &str, options: ServeOptions, home: Arc<dyn Home>, call: CallOptions) -> Result<Server> {
        let (listener, _) = network::listen(address)?;
        self.serve_on(listener, options, Some(home), call)
    }

    fn serve_on(&self, listener: TcpListener, options: ServeOptions, home: Option<Arc<dyn Home>>, call: CallOptions) -> Result<Server> {
        if self.info().wasi_export(HANDLER).is_none() {
            let text = format!("{} does not serve HTTP: it is no component that exports {HANDLER}", self.name());
            return Err(Error::new(ErrorKind::InvalidPlugin, text));
        }
        let ServeOptions { mut pool, queue, connections, body, errors } = options;
        if connections == 0 {
            return Err(Error::new(ErrorKind::TypeMismatch, "a server has at least one connection: connections can't be 0"));
        }
        pool.instance.limits.timeout.get_or_insert(REQUEST);
        let refused = |error| Error::new(ErrorKind::Denied, format!("the system gives no listener: {error}"));
        let address = listener.local_addr().map_err(refused)?;
        let state = Arc::new(State {
            members: Members::serving(self, pool)?,
            queue,
            body,
            errors,
            home,
            call,
            registry: Registry::new(connections),
            stopping: CancelToken::new(),
            requests: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            failed: AtomicU64::new(0),
        });
        let threads = available_parallelism().map_or(2, usize::from);
        let runtime = Builder::new_multi_thread().worker_threads(threads).thread_name("undergo-serve").enable_all().build();
        let runtime =
            runtime.map_err(|error| Error::new(ErrorKind::Denied, format!("the system gives no threads for a server: {error}")))?;
        let listener = {
            let _within = runtime.enter();
            tokio::net::TcpListener::from_std(listener).map_err(refused)?
        };
        runtime.spawn(connection::accept(state.clone(), listener));
        Ok(Server(Arc::new(Serving { state, address, generation: fork::generation(), runtime: Some(runtime) })))
    }
}

impl Server {
    /// Where it listens, with the port that the system chose for 0.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.0.address
    }

    /// What it has done so far, and what it has now.
    #[must_use]
    pub fn stats(&self) -> ServerStats {
        let state = &self.0.state;
        ServerStats {
            connections: state.registry.len(),
            requests: state.requests.load(Ordering::Relaxed),
            refused: state.refused.load(Ordering::Relaxed),
            failed: state.failed.load(Ordering::Relaxed),
            pool: state.members.queue.stats(),
        }
    }

    /// Accepts no more connections, lets running requests finish, and ends those that are left when
    /// the time is over. Closing again has no further effect.
    ///
    /// # Errors
    ///
    /// `timeout` if requests were still running then; `busy` from within a function of the host
    /// that one of its requests has called, for which it can't wait: the server ends behind them
    /// all the same; what the host's interrupt function returns.
    pub fn close(&self, timeout: Option<Duration>) -> Result<()> {
        at_once(self.finish(Driver::Direct, timeout))
    }

    /// The same as a future.
    ///
    /// # Errors
    ///
    /// As [`close`](Server::close).
    pub async fn close_async(&self, timeout: Option<Duration>) -> Result<()> {
        self.finish(Driver::Fiber, timeout).await
    }

    async fn finish(&self, driver: Driver, timeout: Option<Duration>) -> Result<()> {
        if self.0.generation != fork::generation() {
            return Err(fork::left_behind("server"));
        }
        let state = &self.0.state;
        state.stopping.cancel();
        state.registry.end_idle();
        if state.members.is_within(None) {
            return Err(is_its_own());
        }
        let options = CallOptions { timeout, ..CallOptions::default() };
        let emptied = state.registry.empty(driver, &Budget::of(&options, &Limits::default())).await;
        state.members.close();
        if emptied.is_err() {
            state.registry.end_all();
        }
        emptied.map_err(|error| if error.kind() == ErrorKind::Timeout { unfinished(&error) } else { error })
    }

    /// Whether it was closed.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.0.generation != fork::generation() || self.0.state.stopping.is_cancelled()
    }
}

fn is_its_own() -> Error {
    let text = "the server takes no more requests, but the one from which this comes is its own, and can't be waited for";
    Error::new(ErrorKind::Busy, text)
}

fn unfinished(error: &Error) -> Error {
    Error::new(ErrorKind::Timeout, format!("requests were still running, and were ended: {}", error.message()))
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Server({} at {}{})", self.0.state.members.plugin.name(), self.0.address, if self.is_closed() { ", closed" } else { "" })
    }
}
