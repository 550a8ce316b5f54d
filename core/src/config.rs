//! What an instance may reach (its sandbox), and what it may use (its limits).

use std::any::Any;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::cancel::CancelToken;
use crate::imports::Imports;
use crate::streams::{Input, Output};
use crate::visit::Lease;

/// What an instance may reach. By default: nothing but the standard output and error of the process.
#[derive(Clone, Debug, Default)]
pub struct Sandbox {
    /// `os.Args` behind the program's name, which is always there.
    pub args: Vec<String>,
    /// Environment variables. Nothing is taken from the host's own environment.
    pub env: Vec<(String, String)>,
    /// Directories of the host, by the path at which the guest sees them.
    pub dirs: Vec<(String, Dir)>,
    /// What the guest reads from its standard input.
    pub stdin: Input,
    /// Where the guest's standard output goes.
    pub stdout: Output,
    /// Where the guest's standard error goes. Its end is kept for the text of a panic in any case.
    pub stderr: Output,
}

/// A directory of the host.
#[derive(Clone, Debug)]
pub struct Dir {
    /// Its path on the host.
    pub path: PathBuf,
    /// Whether the guest may only read.
    pub readonly: bool,
}

/// What an instance may use. The defaults set no limit but those of WebAssembly and of one value.
#[derive(Clone, Debug, Default)]
pub struct Limits {
    /// Bytes of guest memory. Sets `GOMEMLIMIT` to nine tenths of it, so that Go's collector works harder before the limit is hit,
    /// unless the sandbox's environment sets it.
    pub memory: Option<u64>,
    /// How long a call may take, and how long the initialisation may: computing, sleeping, host functions and waiting for the instance.
    pub timeout: Option<Duration>,
    /// Elements of the guest's tables, all together; 4 Mi when `None`. Go's table has one for each function, and never grows.
    pub table: Option<u32>,
    /// Bytes that a single value from the guest may have on the host's side, where an element that is no number counts 32 at the least; 1 GiB when
    /// `None`.
    pub value: Option<u64>,
    /// Bytes that the guest may write to each of its two outputs over its life; what is beyond is dropped. That is no error for the guest: a plugin whose
    /// log has become too long should not fail where one that logs less works, and Go programs hardly ever look whether printing has failed. The end of
    /// standard error is kept for the text of a panic in any case.
    pub output: Option<u64>,
}

/// What a host wants to know, in its functions, of the call from which they come: see [`HostCall::caller`](crate::HostCall::caller).
pub type Caller = Arc<dyn Any + Send + Sync>;

/// Options of one call.
#[derive(Clone, Default)]
pub struct CallOptions {
    /// How long the call may take; the instance's limit when `None`.
    pub timeout: Option<Duration>,
    /// What can end the call before.
    pub cancel: Option<CancelToken>,
    /// Of an asynchronous call from within a host function: the right to call back into the instance that called that.
    pub within: Option<Lease>,
    /// Of an asynchronous call: what the host's functions are told of it.
    pub caller: Option<Caller>,
}

/// What it takes to make an instance.
#[derive(Clone, Debug, Default)]
pub struct InstanceOptions {
    /// The functions that the host gives.
    pub imports: Imports,
    /// What the instance may reach.
    pub sandbox: Sandbox,
    /// What it may use.
    pub limits: Limits,
}
