//! What an instance may reach and use, and how plugins are compiled.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use undergo::{CallOptions, CodeCache, Error, ErrorKind, PluginOptions, Result};

use crate::cancel::CancelToken;
use crate::errors::HostFailure;
use crate::lease::Lease;
use crate::threads;

/// What an instance may use. Where nothing is said, there is no limit but those of WebAssembly and
/// of one value.
#[derive(Clone, Debug, Default, uniffi::Record)]
pub struct Limits {
    /// Bytes of guest memory.
    #[uniffi(default = None)]
    pub memory: Option<u64>,
    /// Seconds that a call may take, and that the initialisation may: computing, sleeping, host
    /// functions and waiting for the instance.
    #[uniffi(default = None)]
    pub timeout: Option<f64>,
    /// Bytes that one value from the guest may take on this side, as objects; 1 GiB by default.
    #[uniffi(default = None)]
    pub value: Option<u64>,
    /// Bytes that the guest may write to each of its two outputs over its life; the rest is
    /// dropped.
    #[uniffi(default = None)]
    pub output: Option<u64>,
    /// Elements of the guest's tables, all together.
    #[uniffi(default = None)]
    pub table: Option<u32>,
    /// Bytes of guest stack of one call, from 64 KiB to 512 MiB, rounded up to a power of two; 4
    /// MiB by default.
    #[uniffi(default = None)]
    pub stack: Option<u64>,
    /// How much each call may compute, in units of about one instruction of WebAssembly.
    #[uniffi(default = None)]
    pub fuel: Option<u64>,
    /// Descriptors of this process that the guest may hold at once: files, directories, sockets,
    /// connections that it accepted, and pipes; 128 by default.
    #[uniffi(default = None)]
    pub descriptors: Option<u32>,
    /// Handles that the guest may hold at once, of objects of the host and of its own; 10,000 by
    /// default.
    #[uniffi(default = None)]
    pub handles: Option<u32>,
}

impl Limits {
    pub(crate) fn core(&self) -> Result<undergo::Limits> {
        let Limits { memory, timeout, value, output, table, stack, fuel, descriptors, handles } = *self;
        let timeout = timeout.map(seconds).transpose()?;
        Ok(undergo::Limits { memory, timeout, value, output, table, stack, fuel, descriptors, handles })
    }
}

/// A directory of the host, given to the guest.
#[derive(Clone, Debug, uniffi::Record)]
pub struct Dir {
    /// The path at which the guest sees it.
    pub guest: String,
    /// Its path on the host.
    pub path: String,
    /// Whether the guest may only read.
    pub readonly: bool,
}

/// Where a guest's standard input comes from.
#[derive(Clone, Debug, uniffi::Enum)]
pub enum Input {
    /// From these bytes.
    Content {
        /// The bytes.
        bytes: Vec<u8>,
    },
    /// From a file, which each instance reads from its beginning.
    File {
        /// Its path.
        path: String,
    },
    /// From the standard input of the process.
    Inherit,
}

/// A function that gets a guest's output line by line.
#[uniffi::export(with_foreign)]
pub trait LineSink: Send + Sync {
    /// Takes a line without its newline; what is not UTF-8 is replaced. What it raises ends the
    /// call and the instance, and reaches the caller.
    ///
    /// # Errors
    ///
    /// What the other language's code raises.
    fn line(&self, text: String) -> std::result::Result<(), HostFailure>;
}

/// Where a guest's output goes.
#[derive(Clone, uniffi::Enum)]
pub enum Output {
    /// As is usual: that of a command which is run is captured for its result, that of an instance
    /// goes to the same stream of the process.
    Usual {
        /// Bytes that are kept; the rest is dropped.
        limit: u64,
    },
    /// To the same stream of the process.
    Inherit,
    /// Nowhere.
    Discard,
    /// Into a buffer, to be taken from the instance.
    Capture {
        /// Bytes that are kept; the rest is dropped.
        limit: u64,
    },
    /// To a function, line by line.
    Lines {
        /// The function.
        sink: Arc<dyn LineSink>,
    },
}

/// What an instance may reach. An empty one may reach nothing but the standard output and error of
/// the process.
#[derive(Clone, uniffi::Record)]
pub struct Sandbox {
    /// `os.Args` after the program's name.
    pub args: Vec<String>,
    /// Environment variables.
    pub env: HashMap<String, String>,
    /// Directories of the host.
    pub dirs: Vec<Dir>,
    /// Whether it gets a folder for temporary files at `/tmp`, of its own: gone when the guest is.
    pub temp: bool,
    /// What the guest reads from its standard input.
    pub stdin: Input,
    /// Where its standard output goes.
    pub stdout: Output,
    /// Where its standard error goes.
    pub stderr: Output,
    /// When its clock begins, if that is not the host's: for runs that can be repeated.
    pub clock: Option<SystemTime>,
    /// What its random numbers follow from, if they are not the host's.
    pub seed: Option<u64>,
    /// What it may reach over the network: rules, as the core's `Network` has them.
    pub network: Vec<String>,
    /// Addresses such as `127.0.0.1:8080` at which the host listens for the guest. They name their
    /// ports.
    pub listeners: Vec<String>,
}

impl Sandbox {
    /// `on_fiber`: whether the guest runs on a stack that the other language does not know.
    ///
    /// # Errors
    ///
    /// `type-mismatch` for a rule or an address that is none; `denied` when the system refuses to
    /// listen there.
    pub(crate) fn core(self, on_fiber: bool) -> Result<undergo::Sandbox> {
        let mut network = undergo::Network::new(self.network)?;
        for address in &self.listeners {
            if address.ends_with(":0") {
                let text = format!("a listener at '{address}' has a port that nobody would know; write one that is free");
                return Err(Error::new(ErrorKind::TypeMismatch, text));
            }
            network.open(address)?;
        }
        let mut env: Vec<_> = self.env.into_iter().collect();
        env.sort();
        Ok(undergo::Sandbox {
            args: self.args,
            env,
            dirs: self.dirs.into_iter().map(|dir| (dir.guest, undergo::Dir { path: dir.path.into(), readonly: dir.readonly })).collect(),
            temp: self.temp,
            stdin: match self.stdin {
                Input::Content { bytes } => undergo::Input::Bytes(bytes),
                Input::File { path } => undergo::Input::File(path.into()),
                Input::Inherit => undergo::Input::Inherit,
            },
            stdout: output(self.stdout, on_fiber),
            stderr: output(self.stderr, on_fiber),
            clock: self.clock.map_or(undergo::Clock::Host, undergo::Clock::simulated),
            random: self.seed.map_or(undergo::Random::Host, undergo::Random::Seed),
            network,
        })
    }
}

fn output(output: Output, on_fiber: bool) -> undergo::Output {
    match output {
        Output::Usual { limit } => undergo::Output::Usual(size(limit)),
        Output::Inherit => undergo::Output::Inherit,
        Output::Discard => undergo::Output::Discard,
        Output::Capture { limit } => undergo::Output::Capture(size(limit)),
        Output::Lines { sink } => undergo::Output::lines(move |line| {
            let text = String::from_utf8_lossy(line).into_owned();
            if on_fiber {
                let sink = sink.clone();
                return threads::elsewhere(move || sink.line(text).map_err(|failure| failure.error(None)));
            }
            sink.line(text).map_err(|failure| failure.error(None))
        }),
    }
}

fn size(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}

/// Which compiler a plugin's code comes from.
#[derive(Clone, Copy, Debug, uniffi::Enum)]
pub enum Compile {
    /// A quick one first, the better one meanwhile in the background.
    Tiered,
    /// The quick one.
    Fast,
    /// The better one, which loading waits for.
    Best,
}

/// Where compiled code is kept for the next process.
#[derive(Clone, Debug, uniffi::Enum)]
pub enum Cache {
    /// In the folder that `UNDERGO_CACHE_DIR` names, or in the user's cache folder.
    User,
    /// Nowhere.
    Off,
    /// In that folder.
    Folder {
        /// Its path.
        path: String,
    },
}

/// What loading may cost, and what ends it.
#[derive(Clone, uniffi::Record)]
pub struct Loading {
    /// How many times as much as usual the module may ask of the compilers. A compilation can't be
    /// stopped, so a module that asks for more is refused.
    #[uniffi(default = 1)]
    pub bounds: u32,
    /// Seconds that it may take. A compilation that has begun goes on in the background, within the
    /// bounds.
    #[uniffi(default = None)]
    pub timeout: Option<f64>,
    /// What can end it before that.
    #[uniffi(default = None)]
    pub cancel: Option<Arc<CancelToken>>,
    /// The path of the program `undergo`, of this version, which compiles in a separate process
    /// with limited time and memory: for modules that you don't trust.
    #[uniffi(default = None)]
    pub compiler: Option<String>,
    /// Whether the jumps of Go's code are written as nested blocks and loops before it is compiled,
    /// which makes it faster.
    #[uniffi(default = true)]
    pub optimize: bool,
}

pub(crate) fn plugin_options(compile: Compile, cache: Cache, loading: Loading) -> Result<PluginOptions> {
    let compile = match compile {
        Compile::Tiered => undergo::Compile::Tiered,
        Compile::Fast => undergo::Compile::Fast,
        Compile::Best => undergo::Compile::Best,
    };
    let cache = match cache {
        Cache::User => CodeCache::User,
        Cache::Off => CodeCache::Off,
        Cache::Folder { path } => CodeCache::Folder(path.into()),
    };
    Ok(PluginOptions {
        compile,
        cache,
        bounds: loading.bounds,
        timeout: loading.timeout.map(seconds).transpose()?,
        cancel: loading.cancel.map(|token| token.core.clone()),
        compiler: loading.compiler.map(Into::into),
        optimize: loading.optimize,
        wasi_0_3: false,
    })
}

/// The options of a call.
pub(crate) fn call_options(timeout: Option<f64>, cancel: Option<&CancelToken>, within: Option<&Lease>) -> Result<CallOptions> {
    Ok(CallOptions {
        timeout: timeout.map(seconds).transpose()?,
        cancel: cancel.map(|token| token.core.clone()),
        within: within.map(|lease| lease.0),
        caller: None,
    })
}

/// More seconds than a Duration can hold are as good as the most it can.
pub(crate) fn seconds(given: f64) -> Result<Duration> {
    if given.is_nan() || given < 0.0 {
        let text = format!("a time of {given} seconds can't be: give a number of seconds that is not negative");
        return Err(Error::new(ErrorKind::TypeMismatch, text));
    }
    Ok(Duration::try_from_secs_f64(given).unwrap_or(Duration::MAX))
}
