//! Options for creating an instance.

use crate::config::{Limits, setters};
use crate::guest::host::Imports;
use crate::wasi::sandbox::Sandbox;

/// Options for creating an instance.
///
/// ```
/// use std::time::Duration;
/// use undergo::{Imports, InstanceOptions, Limits, Output, Sandbox};
///
/// let mut imports = Imports::default();
/// imports.function("host", "log", |line: String| println!("{line}"));
/// let options = InstanceOptions::default()
///     .imports(imports)
///     .sandbox(Sandbox::default().env("LANG", "C").stdout(Output::Discard))
///     .limits(Limits::default().timeout(Duration::from_secs(1)));
/// ```
#[cfg_attr(not(feature = "host"), non_exhaustive)]
#[derive(Clone, Debug, Default)]
pub struct InstanceOptions {
    /// The functions that the host provides.
    pub imports: Imports,
    /// What the instance may reach.
    pub sandbox: Sandbox,
    /// What it may use.
    pub limits: Limits,
}

setters!(InstanceOptions { imports: Imports, sandbox: Sandbox, limits: Limits });
