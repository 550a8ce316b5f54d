//! What an instance may reach (its sandbox), and what it may use (its limits).

use std::any::Any;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::cancel::CancelToken;
use crate::clock::Clock;
use crate::engine::Tier;
use crate::imports::Imports;
use crate::input::Input;
use crate::output::Output;
use crate::random::Random;
use crate::sockets::network::Network;
use crate::visit::Lease;

/// What an instance may reach. By default: nothing but the standard output and error of the process.
#[derive(Clone, Debug, Default)]
pub struct Sandbox {
    /// `os.Args` behind the program's name, which is always there.
    pub args: Vec<String>,
    /// Environment variables. Nothing is taken from the host's own environment.
    pub env: Vec<(String, String)>,
    /// Directories of the host, by the path at which the guest sees them. They are opened once, when an instance or a pool is made of the sandbox. Where none
    /// is given at `/`, the guest sees an empty root that it can only read.
    pub dirs: Vec<(String, Dir)>,
    /// Whether the guest gets a folder for temporary files at `/tmp`, of its own and empty: made with it, on the host's own folder for such files, and gone
    /// when it is reset or dropped. Only the host's disk bounds what it writes there.
    pub temp: bool,
    /// What the guest reads from its standard input.
    pub stdin: Input,
    /// Where the guest's standard output goes. By default to that of the process; of a command that is run, into its result.
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
    /// Bytes of guest memory, of all memories together; 4 GiB when `None`, which is all that 32 bits address. Sets `GOMEMLIMIT` to nine tenths of it, so that Go's collector works harder before the limit is hit,
    /// unless the sandbox's environment sets it.
    pub memory: Option<u64>,
    /// How long a call may take, and how long the initialisation may: computing, sleeping, host functions and waiting for the instance.
    pub timeout: Option<Duration>,
    /// Bytes of stack for guest code in one call, from 64 KiB to 512 MiB, rounded up to a power of two; 4 MiB when `None`, which is enough for
    /// a hundred thousand Go calls, one within the other. Each new size costs some milliseconds the first time.
    pub stack: Option<u64>,
    /// How much each call may compute, and the initialisation may, in units of about one instruction of WebAssembly: a limit that does not
    /// depend on the machine. Counting costs about a tenth of the speed, and the plugin is compiled once more for it.
    pub fuel: Option<u64>,
    /// Elements of the guest's tables, all together; 4 Mi when `None`. Go's table has one for each function, and never grows.
    pub table: Option<u32>,
    /// Bytes of the host's memory that a single value from the guest may take: what the host makes of it, by the costs that its
    /// [`Lift`](crate::Lift) states, to within a factor of two. All arguments of a host function count together. 1 GiB when `None`.
    pub value: Option<u64>,
    /// Bytes that the guest may write to each of its two outputs over its life; what is beyond is dropped. That is no error for the guest: a plugin whose
    /// log has become too long should not fail where one that logs less works, and Go programs hardly ever look whether printing has failed. The end of
    /// standard error is kept for the text of a panic in any case.
    pub output: Option<u64>,
    /// Descriptors of the host that the guest may hold at once: files, directories, sockets, connections that it accepted and pipes; 128 when `None`. Beyond
    /// it the guest is refused more (`EMFILE`). What the host needs for it does not count: the sandbox's directories, the standard streams, and listeners
    /// that are handed in.
    pub descriptors: Option<u32>,
}

/// What a host wants to know, in its functions, of the call from which they come: see [`HostCall::caller`](crate::HostCall::caller).
pub type Caller = Arc<dyn Any + Send + Sync>;

/// Which compiler a plugin's code comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compile {
    /// A quick compiler first, the better one meanwhile in the background: instances that are made once it is done have its code.
    #[default]
    Tiered,
    /// The quick compiler: a third of the time to compile, two to three times as long to run.
    Fast,
    /// For what runs once in a process, such as a command: the better compiler's code where the cache has it, and the quick compiler's where not. Nothing is compiled
    /// in the background, which would end with the process.
    Once,
    /// The better compiler, which loading waits for.
    Best,
}

/// Where compiled code is kept, so that the next process need not compile it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum CodeCache {
    /// In the folder `code` within the one that `UNDERGO_CACHE_DIR` names, or else within the user's folder for caches. Nowhere when the variable is
    /// empty.
    #[default]
    User,
    /// Nowhere.
    Off,
    /// In that folder. It is made where it is missing, and has to be private to the user.
    Folder(PathBuf),
}

/// How a plugin is compiled.
#[derive(Clone, Debug, Default)]
pub struct PluginOptions {
    /// By which compiler.
    pub compile: Compile,
    /// Where the code is kept.
    pub cache: CodeCache,
    /// How many times as much as usual a module may ask of the compilers, since no compilation can be stopped: docs/loading.md has the bounds. 0 and
    /// 1 are the usual ones, which twice the largest modules of Go keep.
    pub bounds: u32,
    /// How long loading may take. When it is over, the caller has its error, and a compilation under way goes on behind.
    pub timeout: Option<Duration>,
    /// What can end the loading before.
    pub cancel: Option<CancelToken>,
    /// An `undergo` program that compiles in a process of its own, whose time and memory are limited, and which ends with the loading that wants it:
    /// for modules of strangers. It has to be of this version.
    pub compiler: Option<PathBuf>,
}

/// How a plugin is compiled to be shipped.
#[derive(Clone, Copy, Debug)]
pub struct CompileOptions {
    /// Whether its instances can have a limit of fuel, which costs about a tenth of the speed.
    pub fuel: bool,
    /// By which compiler.
    pub tier: Tier,
    /// As those of [`PluginOptions`].
    pub bounds: u32,
}

impl Default for CompileOptions {
    fn default() -> CompileOptions {
        CompileOptions { fuel: false, tier: Tier::Best, bounds: 1 }
    }
}

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

impl CallOptions {
    /// Those that say nothing.
    pub const NONE: &'static CallOptions = &CallOptions { timeout: None, cancel: None, within: None, caller: None };

    /// Whether they say nothing.
    #[inline]
    pub(crate) fn are_default(&self) -> bool {
        self.timeout.is_none() && self.cancel.is_none() && self.within.is_none() && self.caller.is_none()
    }
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

/// Reads a number of bytes: `65536`, `64KiB`, `1GB`.
pub(crate) fn parse_size(text: &str) -> Option<u64> {
    const UNITS: [(&str, u64); 7] =
        [("kib", 1 << 10), ("mib", 1 << 20), ("gib", 1 << 30), ("kb", 1_000), ("mb", 1_000_000), ("gb", 1_000_000_000), ("b", 1)];
    let text = text.trim().to_ascii_lowercase();
    let found = UNITS.iter().find_map(|(name, unit)| Some((text.strip_suffix(name)?, *unit)));
    let (number, unit) = found.unwrap_or((&text, 1));
    number.trim().parse::<u64>().ok()?.checked_mul(unit)
}
