//! A plugin that serves HTTP.

use std::ffi::{CString, c_char, c_void};
use std::io::Write as _;
use std::sync::Arc;
use std::{io, ptr};

use undergo::{Error, ErrorSink, InstanceOptions, Result, ServeOptions, Server};

use crate::boundary::{Destroy, UserData, borrow, borrow_mut, c_text, delete, give, quietly, text};
use crate::config::{LimitsValue, PoolStatsValue, duration, given};
use crate::dispatch::{self, DispatcherValue};
use crate::errors::{self, ErrorHandle};
use crate::guard::{guard, put};
use crate::imports::ImportsHandle;
use crate::loaded::{self, Loaded, PluginHandle};
use crate::sandbox::SandboxHandle;

/// What is told of a request that has failed. The error stays Undergo's, and lives until the
/// function returns. It is called on threads of the server, several at once, and must not unwind or
/// longjmp.
pub type FailureFn = Option<unsafe extern "C" fn(user_data: *mut c_void, error: *const ErrorHandle)>;

/// How a plugin serves HTTP. NULL means the defaults, which are zeros.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ServeOptionsValue {
    /// Where to listen: `"127.0.0.1:8080"` if it is NULL. Port 0 is one that the system chooses.
    pub address: *const c_char,
    /// The maximum number of instances, each of which answers one request at a time; 0: four for
    /// each processor.
    pub instances: usize,
    /// An instance is replaced after this many requests; 1 gives each request a fresh instance. 0:
    /// it serves as long as it lives.
    pub max_calls: u64,
    /// Nanoseconds after which an unused instance is dropped. 0: it is kept.
    pub idle: u64,
    /// How many requests may wait for an instance, 256 by default; others are refused with status
    /// 503.
    pub queue: usize,
    /// Whether no request may wait: each for which no instance is free is refused.
    pub no_queue: bool,
    /// How many connections there may be at a time, 1024 by default. One more ends that which was
    /// unused for the longest time, or is refused.
    pub connections: usize,
    /// Bytes of a request's body, 32 MiB by default; a longer one is refused with status 413.
    pub body: u64,
    /// Whether no request may have a body.
    pub no_body: bool,
    /// What is told of requests that failed. NULL: they are written to standard error.
    pub failed: FailureFn,
    /// What it is called with.
    pub user_data: *mut c_void,
    /// Called once with the user data, when nobody can call the function any more, or at once if
    /// the plugin does not serve; may be NULL.
    pub destroy: Destroy,
    /// In place of the function, for hosts with a dispatcher: it gets `UNDERGO_DISPATCH_FAILURE`
    /// with the number below, and `UNDERGO_DISPATCH_RELEASE` as of all numbers. Else NULL.
    pub dispatcher: *const DispatcherValue,
    /// The number that it gets.
    pub id: u64,
}

/// What a server has done so far, and what it has now.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ServerStatsValue {
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
    pub pool: PoolStatsValue,
}

/// A plugin that serves HTTP, on threads of its own. It may be used from any thread, and closed in
/// a host function.
pub struct ServerHandle {
    core: Server,
    plugin: Arc<Loaded>,
    address: CString,
}

/// Serves HTTP/1.1 by a component that exports `wasi:http/incoming-handler`. Each request is
/// answered by an instance of a pool. The caller frees the server with `undergo_server_delete`.
///
/// Otherwise like `undergo_plugin_pool`, but the host functions run on threads of the server,
/// several at once. The timeout of the limits is that of a request, 30 seconds by default. Fails
/// with invalid-plugin for a plugin that does not serve HTTP; with type-mismatch for an address
/// that is none; with denied if the system refuses to listen there; with missing-import.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_plugin_serve(
    plugin: *const PluginHandle,
    options: *const ServeOptionsValue,
    imports: *const ImportsHandle,
    sandbox: *const SandboxHandle,
    limits: *const LimitsValue,
    server: *mut *mut ServerHandle,
) -> *mut ErrorHandle {
    // SAFETY: C's promise.
    guard(|| unsafe {
        let options = options.as_ref();
        // First, so that whatever fails lets go of what the function is called with.
        let failures = failures(options)?;
        put(server, "server", || {
            let plugin = borrow(plugin, "plugin")?;
            let (address, options) = serve_options(options, loaded::options(plugin, imports, sandbox, limits)?)?;
            let core = plugin.0.core.serve(address, ServeOptions { errors: Some(failures), ..options })?;
            Ok(ServerHandle { address: c_text(&core.address().to_string()), core, plugin: plugin.0.clone() })
        })
    })
}

/// What is told of requests that failed.
///
/// # Safety
///
/// The options are as the header says.
unsafe fn failures(options: Option<&ServeOptionsValue>) -> Result<ErrorSink> {
    let Some(options) = options else { return Ok(ErrorSink::new(write)) };
    if !options.dispatcher.is_null() {
        // SAFETY: the caller's promise.
        return unsafe { dispatch::failures(options.dispatcher, options.id) };
    }
    let user_data = UserData { data: options.user_data, destroy: options.destroy };
    let Some(failed) = options.failed else { return Ok(ErrorSink::new(write)) };
    Ok(ErrorSink::new(move |error| {
        let (data, given) = (&user_data, errors::handle(error.clone()));
        // SAFETY: C's promise: the function may be called so, with its own data.
        unsafe { failed(data.data, given) };
        // SAFETY: the error is this function's.
        drop(unsafe { errors::take(given) });
    }))
}

/// Tells of a request that has failed, as the command does.
fn write(error: &Error) {
    let _ = writeln!(io::stderr(), "undergo: a request failed: {error}");
}

/// # Safety
///
/// The options are as the header says.
unsafe fn serve_options(options: Option<&ServeOptionsValue>, instance: InstanceOptions) -> Result<(&str, ServeOptions)> {
    let mut wanted = ServeOptions::default();
    wanted.pool.instance = instance;
    let mut address = "127.0.0.1:8080";
    if let Some(options) = options {
        if !options.address.is_null() {
            // SAFETY: the caller's promise.
            address = unsafe { text(options.address, "address") }?;
        }
        let or = |number: usize, usual: usize| if number == 0 { usual } else { number };
        wanted.pool.size = or(options.instances, wanted.pool.size);
        wanted.pool.max_calls = given(options.max_calls);
        wanted.pool.idle = duration(options.idle);
        wanted.queue = if options.no_queue { 0 } else { or(options.queue, wanted.queue) };
        wanted.connections = or(options.connections, wanted.connections);
        wanted.body = if options.no_body { 0 } else { given(options.body).unwrap_or(wanted.body) };
    }
    Ok((address, wanted))
}

/// Frees a server, which ends at once: requests that are running are cut off, unless
/// `undergo_server_close` has waited for them. A host function that is running goes on until it
/// returns. NULL is accepted.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_server_delete(server: *mut ServerHandle) {
    // SAFETY: C's promise.
    unsafe { delete(server) };
}

/// Where it listens: `"127.0.0.1:8080"`, with the port that the system chose for 0. It lives as
/// long as the server's handle. NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_server_address(server: *const ServerHandle) -> *const c_char {
    // SAFETY: C's promise.
    unsafe { server.as_ref() }.map_or(ptr::null(), |server| server.address.as_ptr())
}

/// The plugin that serves, as a handle that the caller frees. NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_server_plugin(server: *const ServerHandle) -> *mut PluginHandle {
    // SAFETY: C's promise.
    unsafe { server.as_ref() }.map_or(ptr::null_mut(), |server| give(PluginHandle(server.plugin.clone())))
}

/// Sets what the server has done so far, and what it has now.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_server_stats(server: *const ServerHandle, stats: *mut ServerStatsValue) -> *mut ErrorHandle {
    guard(|| {
        // SAFETY: C's promise.
        let (server, out) = unsafe { (borrow(server, "server")?, borrow_mut(stats, "stats")?) };
        let undergo::ServerStats { connections, requests, refused, failed, pool } = server.core.stats();
        *out = ServerStatsValue { connections, requests, refused, failed, pool: pool.into() };
        Ok(())
    })
}

/// Accepts no more connections, and waits for running requests for so many nanoseconds; 0: without
/// limit. Closing again waits again.
///
/// Fails with timeout if requests are still running then, which are ended, and with busy from
/// within a host function that a request of this server has called. The server is closed in both
/// cases.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_server_close(server: *const ServerHandle, timeout: u64) -> *mut ErrorHandle {
    // SAFETY: C's promise.
    guard(|| unsafe { borrow(server, "server") }?.core.close(duration(timeout)))
}

/// Whether it is closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_server_is_closed(server: *const ServerHandle) -> bool {
    // SAFETY: C's promise.
    quietly(true, || unsafe { server.as_ref() }.is_none_or(|server| server.core.is_closed()))
}
