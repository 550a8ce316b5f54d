//! Converts the package's `Sandbox` and `Limits` to the core's.

use std::net::TcpListener;
use std::time::{Duration, UNIX_EPOCH};

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};
use undergo::{CallOptions, Clock, Dir, Input, InstanceOptions, Limits, Network, Output, PoolOptions, Random, Sandbox};

use crate::cancel::CancelToken;
use crate::errors;
use crate::imports::Table;
use crate::package;

type Any<'py> = Bound<'py, PyAny>;
type SandboxParts<'py> = (
    Vec<String>,
    Vec<(String, String)>,
    Vec<(String, String, bool)>,
    bool,
    Any<'py>,
    Any<'py>,
    Any<'py>,
    usize,
    Option<u64>,
    Option<u64>,
    Vec<String>,
    Vec<Any<'py>>,
);
type LimitsParts = (Option<u64>, Option<f64>, Option<u64>, Option<u64>, Option<u32>, Option<u64>, Option<u64>, Option<u32>, Option<u32>);

/// Reads a sandbox. The functions that get lines of output are held by the table.
pub(crate) fn sandbox<'py>(given: Option<&Bound<'py, PyAny>>, table: &Table<'py>) -> PyResult<Sandbox> {
    let Some(given) = given else { return Ok(Sandbox::default()) };
    let (args, env, dirs, temp, stdin, stdout, stderr, limit, clock, seed, rules, listeners): SandboxParts =
        parts(given, "sandbox", "undergo.Sandbox")?.extract()?;
    let dirs = dirs.into_iter().map(|(guest, path, readonly)| (guest, Dir { path: path.into(), readonly })).collect();
    let stdin = if stdin.is_none() {
        Input::Inherit
    } else if let Ok(bytes) = stdin.cast::<PyBytes>() {
        Input::Bytes(bytes.as_bytes().to_owned())
    } else {
        Input::File(stdin.extract()?)
    };
    let output = |name: &'static str, given: &Any<'py>| {
        if given.is_none() {
            return Ok(Output::Usual(limit));
        }
        let Ok(word) = given.cast::<PyString>() else { return Ok(table.lines(name, given)) };
        PyResult::Ok(match word.to_str()? {
            "discard" => Output::Discard,
            "capture" => Output::Capture(limit),
            _ => Output::Inherit,
        })
    };
    let (stdout, stderr) = (output("stdout", &stdout)?, output("stderr", &stderr)?);
    let clock = clock.map_or(Clock::Host, |start| Clock::simulated(UNIX_EPOCH + Duration::from_micros(start)));
    let random = seed.map_or(Random::Host, Random::Seed);
    let network = network(given.py(), &rules, &listeners)?;
    Ok(Sandbox { args, env, dirs, temp, stdin, stdout, stderr, clock, random, network })
}

/// Listeners are addresses, or descriptors of sockets that listen.
fn network(py: Python<'_>, rules: &[String], listeners: &[Any<'_>]) -> PyResult<Network> {
    let mut network = Network::new(rules).map_err(|error| errors::to_python(py, &error))?;
    for listener in listeners {
        match listener.cast::<PyString>() {
            Ok(address) => network.open(address.to_str()?).map(drop),
            Err(_) => network.give(same_listener(listener.extract()?)?),
        }
        .map_err(|error| errors::to_python(py, &error))?;
    }
    Ok(network)
}

/// A listener of its own for a socket that Python has.
#[cfg(unix)]
fn same_listener(descriptor: std::os::fd::RawFd) -> PyResult<TcpListener> {
    if descriptor < 0 {
        return Err(PyValueError::new_err("the descriptor of a listener is negative"));
    }
    // SAFETY: the number is no -1, and of a socket that the sandbox holds. Nothing is done with it
    // here but to have the system copy it, which fails when the socket has been closed since.
    let socket = unsafe { std::os::fd::BorrowedFd::borrow_raw(descriptor) };
    Ok(socket.try_clone_to_owned()?.into())
}

#[cfg(windows)]
fn same_listener(socket: std::os::windows::io::RawSocket) -> PyResult<TcpListener> {
    // SAFETY: as above.
    let socket = unsafe { std::os::windows::io::BorrowedSocket::borrow_raw(socket) };
    Ok(socket.try_clone_to_owned()?.into())
}

/// The sandbox of one run: what is given for the run alone is in place of the sandbox's own.
pub(crate) fn sandbox_of_run<'py>(
    py: Python<'py>,
    sandbox: Option<&Any<'py>>,
    args: Option<&Any<'py>>,
    env: Option<&Any<'py>>,
    stdin: Option<&Any<'py>>,
) -> PyResult<Any<'py>> {
    package::config(py, "sandbox_of_run")?.call1((sandbox, args, env, stdin))
}

pub(crate) fn limits(given: Option<&Bound<'_, PyAny>>) -> PyResult<Limits> {
    let Some(given) = given else { return Ok(Limits::default()) };
    let (memory, timeout, value, output, table, stack, fuel, descriptors, handles): LimitsParts =
        parts(given, "limits", "undergo.Limits")?.extract()?;
    Ok(Limits { memory, timeout: timeout.map(seconds), value, output, table, stack, fuel, descriptors, handles })
}

pub(crate) fn call_options(
    py: Python<'_>,
    timeout: Option<Bound<'_, PyAny>>,
    cancel: Option<&Bound<'_, CancelToken>>,
) -> PyResult<CallOptions> {
    let timeout = match timeout {
        Some(given) => package::config(py, "seconds")?.call1((given,))?.extract::<Option<f64>>()?,
        None => None,
    };
    Ok(CallOptions { timeout: timeout.map(seconds), cancel: cancel.map(|token| token.get().core.clone()), ..CallOptions::default() })
}

/// Parse a number of bytes: a number, or a text such as `'64 MiB'`.
#[pyfunction]
pub(crate) fn parse_size(text: &str, name: &str) -> PyResult<u64> {
    undergo::host::parse_size(text, name).map_err(|error| PyValueError::new_err(error.message().to_owned()))
}

/// Parse the size of a guest's stack, like `parse_size`, and check its bounds.
#[pyfunction]
pub(crate) fn parse_stack_size(text: &str, name: &str) -> PyResult<u64> {
    undergo::host::parse_stack_size(text, name).map_err(|error| PyValueError::new_err(error.message().to_owned()))
}

/// The numbers of a pool, checked. Its size is the argument of that name.
pub(crate) fn pool_options(
    (name, size): (&str, &Bound<'_, PyAny>),
    max_calls: Option<&Bound<'_, PyAny>>,
    idle: Option<&Bound<'_, PyAny>>,
    instance: InstanceOptions,
) -> PyResult<PoolOptions> {
    let py = size.py();
    let size = usize::try_from(count(size, name, 1)?).unwrap_or(usize::MAX);
    let max_calls = max_calls.map(|given| count(given, "max_calls", 1)).transpose()?;
    let idle: Option<f64> = package::config(py, "idle_seconds")?.call1((idle,))?.extract()?;
    Ok(PoolOptions { size, max_calls, idle: idle.map(seconds), instance })
}

/// A number of something, `least` at the least.
pub(crate) fn count(given: &Bound<'_, PyAny>, name: &str, least: u64) -> PyResult<u64> {
    package::config(given.py(), "count")?.call1((given, name, least))?.extract()
}

fn parts<'py>(given: &Bound<'py, PyAny>, name: &str, class: &str) -> PyResult<Bound<'py, PyAny>> {
    match given.getattr_opt("_parts")? {
        Some(method) => method.call0(),
        None => Err(PyTypeError::new_err(format!("{name} must be an {class}, got {}", given.get_type().name()?))),
    }
}

/// More seconds than a Duration can hold are as good as the most it can.
fn seconds(given: f64) -> Duration {
    Duration::try_from_secs_f64(given).unwrap_or(Duration::MAX)
}
