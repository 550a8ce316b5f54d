//! Measurements, as the package's immutable records.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

fn make<'py>(py: Python<'py>, class: &str, fields: &Bound<'py, PyDict>) -> PyResult<Bound<'py, PyAny>> {
    py.import("undergo._records")?.getattr(class)?.call((), Some(fields))
}

pub(crate) fn usage(py: Python<'_>, usage: undergo::Usage) -> PyResult<Bound<'_, PyAny>> {
    let fields = PyDict::new(py);
    fields.set_item("time", usage.time.as_secs_f64())?;
    fields.set_item("memory", usage.memory)?;
    fields.set_item("fuel", usage.fuel)?;
    make(py, "Usage", &fields)
}

pub(crate) fn completed(py: Python<'_>, completed: undergo::Completed) -> PyResult<Bound<'_, PyAny>> {
    // All fields, by the compiler's word.
    let undergo::Completed { code, stdout, stderr, truncated, usage, denied } = completed;
    let fields = PyDict::new(py);
    fields.set_item("code", code)?;
    fields.set_item("stdout", PyBytes::new(py, &stdout))?;
    fields.set_item("stderr", PyBytes::new(py, &stderr))?;
    fields.set_item("truncated", truncated)?;
    fields.set_item("denied", denied)?;
    fields.set_item("usage", self::usage(py, usage)?)?;
    make(py, "Completed", &fields)
}

pub(crate) fn server_stats(py: Python<'_>, stats: undergo::ServerStats) -> PyResult<Bound<'_, PyAny>> {
    // All fields, by the compiler's word.
    let undergo::ServerStats { connections, requests, refused, failed, pool } = stats;
    let fields = PyDict::new(py);
    fields.set_item("connections", connections)?;
    for (name, value) in [("requests", requests), ("refused", refused), ("failed", failed)] {
        fields.set_item(name, value)?;
    }
    fields.set_item("pool", pool_stats(py, pool)?)?;
    make(py, "ServerStats", &fields)
}

pub(crate) fn pool_stats(py: Python<'_>, stats: undergo::PoolStats) -> PyResult<Bound<'_, PyAny>> {
    // All fields, by the compiler's word.
    let undergo::PoolStats { busy, idle, waiting, calls, made, died, retired, shrunk } = stats;
    let fields = PyDict::new(py);
    for (name, value) in [("busy", busy), ("idle", idle), ("waiting", waiting)] {
        fields.set_item(name, value)?;
    }
    for (name, value) in [("calls", calls), ("made", made), ("died", died), ("retired", retired), ("shrunk", shrunk)] {
        fields.set_item(name, value)?;
    }
    make(py, "PoolStats", &fields)
}
