//! Options for creating an instance.

use crate::config::Limits;
use crate::guest::host::Imports;
use crate::wasi::sandbox::Sandbox;

/// Options for creating an instance.
#[derive(Clone, Debug, Default)]
pub struct InstanceOptions {
    /// The functions that the host provides.
    pub imports: Imports,
    /// What the instance may reach.
    pub sandbox: Sandbox,
    /// What it may use.
    pub limits: Limits,
}
