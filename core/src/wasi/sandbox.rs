//! What an instance may reach.

use std::path::PathBuf;

use crate::config::setters;
use crate::wasi::clock::Clock;
use crate::wasi::random::Random;
use crate::wasi::sockets::network::Network;
use crate::wasi::stdio::input::Input;
use crate::wasi::stdio::output::Output;

/// What an instance may reach. By default: nothing but the standard output and error of the
/// process.
///
/// ```
/// use undergo::{Dir, Network, Sandbox};
///
/// # fn main() -> undergo::Result<()> {
/// let sandbox = Sandbox::default()
///     .args(["-v"])
///     .env("LANG", "C")
///     .dir("/data", Dir { path: "/srv/data".into(), readonly: true })
///     .network(Network::new(["example.com:443"])?);
/// # Ok(())
/// # }
/// ```
#[cfg_attr(not(feature = "host"), non_exhaustive)]
#[derive(Clone, Debug, Default)]
pub struct Sandbox {
    /// `os.Args` after the program's name, which is always there.
    pub args: Vec<String>,
    /// Environment variables. Nothing is inherited from the host.
    pub env: Vec<(String, String)>,
    /// Directories of the host, by the path at which the guest sees them. They are opened once,
    /// when an instance or a pool is made with the sandbox. If none is given at `/`, the guest sees
    /// an empty, read-only root.
    pub dirs: Vec<(String, Dir)>,
    /// Whether the guest gets a temporary folder of its own at `/tmp`. It is empty at first, lies
    /// in the host's folder for temporary files, and is removed when the guest is reset or dropped.
    /// Only the host's disk bounds what the guest writes there.
    pub temp: bool,
    /// What the guest reads from its standard input.
    pub stdin: Input,
    /// Where the guest's standard output goes. By default to that of the process; for a command
    /// that is run, into its result.
    pub stdout: Output,
    /// Where the guest's standard error goes. Its end is kept for the text of a panic in any case.
    pub stderr: Output,
    /// The clock that the guest reads.
    pub clock: Clock,
    /// Where its random numbers come from.
    pub random: Random,
    /// What it may reach over the network.
    pub network: Network,
}

setters!(Sandbox { temp: bool, stdin: Input, stdout: Output, stderr: Output, clock: Clock, random: Random, network: Network });

impl Sandbox {
    /// Adds arguments.
    #[must_use]
    pub fn args<S: Into<String>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Adds an environment variable.
    #[must_use]
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    /// Adds a directory, at the path at which the guest sees it.
    #[must_use]
    pub fn dir(mut self, at: impl Into<String>, dir: Dir) -> Self {
        self.dirs.push((at.into(), dir));
        self
    }
}

/// A directory of the host.
#[derive(Clone, Debug)]
pub struct Dir {
    /// Its path on the host.
    pub path: PathBuf,
    /// Whether the guest may only read.
    pub readonly: bool,
}
