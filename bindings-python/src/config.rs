//! The package's `Sandbox` and `Limits`, as the core's.

use std::time::Duration;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use undergo::{CallOptions, Dir, Limits, Output, Sandbox};

type SandboxParts = (Vec<String>, Vec<(String, String)>, Vec<(String, String, bool)>, Vec<u8>, String, String, usize);

pub(crate) fn sandbox(given: Option<&Bound<'_, PyAny>>) -> PyResult<Sandbox> {
    let Some(given) = given else { return Ok(Sandbox::default()) };
    let (args, env, dirs, stdin, stdout, stderr, limit): SandboxParts = parts(given, "sandbox", "undergo.Sandbox")?.extract()?;
    let dirs = dirs.into_iter().map(|(guest, path, readonly)| (guest, Dir { path: path.into(), readonly })).collect();
    let output = |name: &str| match name {
        "discard" => Output::Discard,
        "capture" => Output::Capture(limit),
        _ => Output::Inherit,
    };
    Ok(Sandbox { args, env, dirs, stdin, stdout: output(&stdout), stderr: output(&stderr) })
}

pub(crate) fn limits(given: Option<&Bound<'_, PyAny>>) -> PyResult<Limits> {
    let Some(given) = given else { return Ok(Limits::default()) };
    let (memory, timeout, value): (Option<u64>, Option<f64>, Option<u64>) = parts(given, "limits", "undergo.Limits")?.extract()?;
    Ok(Limits { memory, timeout: timeout.map(seconds), value, ..Limits::default() })
}

pub(crate) fn call_options(py: Python<'_>, timeout: Option<Bound<'_, PyAny>>) -> PyResult<CallOptions> {
    let timeout = py.import("undergo._config")?.getattr("seconds")?.call1((timeout,))?.extract::<Option<f64>>()?;
    Ok(CallOptions { timeout: timeout.map(seconds), ..CallOptions::default() })
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
