//! Options for what a plugin may reach and use.

use std::env::{self, VarError};
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use undergo::{Clock, Dir, Input, Limits, Network, Output, PluginOptions, Random, Sandbox};

use crate::{duration, rfc3339};

/// The guest's output goes through a buffer, which is emptied continuously.
const STREAM_BUFFER: usize = 16 << 20;

#[derive(clap::Args)]
#[command(next_help_heading = "What the plugin may reach and use")]
pub(crate) struct Options {
    /// Make a directory of the host visible at that path; ':ro' for reading only
    #[arg(long = "dir", value_name = "HOST::GUEST[:ro]", value_parser = dir)]
    dirs: Vec<(String, Dir)>,
    /// Create an empty folder at /tmp, which is removed afterwards
    #[arg(long)]
    temp: bool,
    /// Set an environment variable; without a value, pass it on. Nothing else is in the environment
    #[arg(long = "env", value_name = "NAME[=VALUE]", value_parser = variable)]
    env: Vec<(String, String)>,
    /// Add an argument to os.Args
    #[arg(long = "arg", value_name = "TEXT", allow_hyphen_values = true)]
    guest_args: Vec<String>,
    /// Simulate a clock that starts at that time (RFC 3339) and advances only when the program
    /// reads it or waits
    #[arg(long, value_name = "TIME", value_parser = time)]
    clock: Option<SystemTime>,
    /// Derive all random numbers from that seed
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,
    #[command(flatten)]
    reach: Reach,
    /// Limit the time of its start and of the call: 500ms, 2s
    #[arg(long, value_name = "DURATION", value_parser = timeout)]
    timeout: Option<Duration>,
    /// Limit its memory: 64MiB
    #[arg(long, value_name = "SIZE", value_parser = size)]
    memory: Option<u64>,
    /// Set the stack for nested calls: 64MiB
    #[arg(long, value_name = "SIZE", value_parser = size)]
    stack: Option<u64>,
    /// Limit how much its start and the call compute; a unit is about one instruction
    #[arg(long, value_name = "UNITS")]
    fuel: Option<u64>,
    /// Limit how many files, directories, sockets and pipes it holds at once; 128 by default
    #[arg(long, value_name = "NUMBER")]
    descriptors: Option<u32>,
}

/// What a module may ask of the compilers.
#[derive(clap::Args, Clone, Copy)]
pub(crate) struct Bounds {
    /// Multiply the bounds of loading, for a very large module that you trust
    #[arg(long = "bounds", value_name = "TIMES", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) times: u32,
}

impl Bounds {
    /// The options for loading a plugin within these bounds.
    pub(crate) fn plugin(self) -> PluginOptions {
        PluginOptions { bounds: self.times, ..PluginOptions::default() }
    }
}

/// How Go's code is compiled.
#[derive(clap::Args)]
pub(crate) struct Code {
    /// Do not optimise Go's code, which is then slower
    #[arg(long)]
    no_optimize: bool,
}

impl Code {
    /// Whether it is optimised.
    pub(crate) fn optimize(&self) -> bool {
        !self.no_optimize
    }
}

/// How a module is loaded, to be run.
#[derive(clap::Args)]
pub(crate) struct Loading {
    #[command(flatten)]
    pub(crate) code: Code,
    #[command(flatten)]
    pub(crate) bounds: Bounds,
    /// Accept a component of WASI 0.3, if this program was built for them: docs/wasi-0.3.md
    #[arg(long = "wasi-0.3")]
    pub(crate) wasi_0_3: bool,
}

impl Loading {
    pub(crate) fn plugin(&self) -> PluginOptions {
        PluginOptions { optimize: self.code.optimize(), wasi_0_3: self.wasi_0_3, ..self.bounds.plugin() }
    }
}

/// What a program may reach over the network.
#[derive(clap::Args)]
pub(crate) struct Reach {
    /// Allow it to use the network by a rule: connect=HOST:PORT, listen=ADDRESS:PORT, any
    #[arg(long = "net", value_name = "RULE", value_parser = rule)]
    rules: Vec<String>,
    /// Listen there, and pass the listener to it, as the first descriptor after its directories
    // With the name that Wasmtime has for it: Go's own tests use that.
    #[arg(long = "listener", alias = "tcplisten", value_name = "ADDRESS:PORT")]
    listeners: Vec<String>,
}

impl Reach {
    /// Opens the listeners.
    pub(crate) fn network(&self) -> undergo::Result<Network> {
        let mut network = Network::new(&self.rules)?;
        for address in &self.listeners {
            network.open(address)?;
        }
        Ok(network)
    }
}

impl Options {
    pub(crate) fn sandbox(&self) -> undergo::Result<Sandbox> {
        Ok(Sandbox {
            args: self.guest_args.clone(),
            env: self.env.clone(),
            dirs: self.dirs.clone(),
            temp: self.temp,
            stdin: Input::default(),
            stdout: Output::Capture(STREAM_BUFFER),
            stderr: Output::Capture(STREAM_BUFFER),
            clock: self.clock.map_or(Clock::Host, Clock::simulated),
            random: self.seed.map_or(Random::Host, Random::Seed),
            network: self.reach.network()?,
        })
    }

    /// That of a program, which has the streams of this process.
    pub(crate) fn program(&self) -> undergo::Result<Sandbox> {
        Ok(Sandbox { stdin: Input::Inherit, stdout: Output::Inherit, stderr: Output::Inherit, ..self.sandbox()? })
    }

    /// That of a server, which writes where this process does.
    pub(crate) fn server(&self) -> undergo::Result<Sandbox> {
        Ok(Sandbox { stdout: Output::Inherit, stderr: Output::Inherit, ..self.sandbox()? })
    }

    pub(crate) fn limits(&self) -> Limits {
        Limits {
            memory: self.memory,
            timeout: self.timeout,
            stack: self.stack,
            fuel: self.fuel,
            descriptors: self.descriptors,
            ..Limits::default()
        }
    }
}

fn dir(text: &str) -> Result<(String, Dir), String> {
    const FORM: &str = "write it as HOST::GUEST, for example ./data::/data, or ./data::/data:ro";
    let (host, guest) = text.split_once("::").ok_or(FORM)?;
    let (guest, readonly) = match guest.rsplit_once(':') {
        None => (guest, false),
        Some((guest, end)) if end.eq_ignore_ascii_case("ro") => (guest, true),
        Some((guest, end)) if end.eq_ignore_ascii_case("rw") => (guest, false),
        Some((_, end)) => {
            return Err(format!("':{end}' says nothing about a directory: ':ro' is for reading only, and ':rw' is as without it"));
        }
    };
    if host.is_empty() || guest.is_empty() {
        return Err("both paths are needed: HOST::GUEST, for example ./data::/data".to_owned());
    }
    // What else stands there may be a mistake, and what was meant for reading only would be given
    // for writing.
    if !guest.starts_with('/') || guest.contains(':') || guest.trim() != guest {
        return Err(format!(
            "'{guest}' is no path at which the guest can see a directory: it begins with a slash, and has no colon; {FORM}"
        ));
    }
    Ok((guest.to_owned(), Dir { path: PathBuf::from(host), readonly }))
}

fn rule(text: &str) -> Result<String, String> {
    Network::new([text]).map(|_| text.to_owned()).map_err(|error| error.message().to_owned())
}

/// `NAME=VALUE`, or `NAME` for a variable to be passed on.
pub(crate) fn variable(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').map_or((text, None), |(name, value)| (name, Some(value)));
    if name.is_empty() {
        return Err("write it as NAME=VALUE, or as NAME to pass that variable on".to_owned());
    }
    let value = match (value, env::var(name)) {
        (Some(value), _) => value.to_owned(),
        (None, Ok(value)) => value,
        (None, Err(VarError::NotPresent)) => return Err(format!("{name} is not set here: write {name}=VALUE")),
        (None, Err(VarError::NotUnicode(_))) => return Err(format!("{name} is not UTF-8 here, and WASI can't carry it")),
    };
    Ok((name.to_owned(), value))
}

fn time(text: &str) -> Result<SystemTime, String> {
    let found = rfc3339::parse(text).and_then(|time| Some(Duration::new(u64::try_from(time.seconds).ok()?, time.nanoseconds)));
    found.map(|since| UNIX_EPOCH + since).ok_or_else(|| "write a time from 1970 on: 2026-02-03T04:05:06Z".to_owned())
}

fn timeout(text: &str) -> Result<Duration, String> {
    match duration::parse(text).map(u64::try_from) {
        Some(Ok(nanoseconds)) if nanoseconds > 0 => Ok(Duration::from_nanos(nanoseconds)),
        _ => Err("write a duration with its unit: 500ms, 2s, 1m30s".to_owned()),
    }
}

pub(crate) fn size(text: &str) -> Result<u64, String> {
    match undergo::host::parse_size(text, "the size") {
        Ok(0) => Err("the size must be more than 0".to_owned()),
        Ok(bytes) => Ok(bytes),
        Err(error) => Err(error.message().to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read() {
        assert_eq!(size("64MiB"), Ok(64 << 20));
        assert_eq!(size("1000"), Ok(1000));
        assert_eq!(size("1.5 GB"), Ok(1_500_000_000));
        assert_eq!(size("64M"), Ok(64 << 20));
        assert!(size("lots").is_err());
        assert!(size("0").is_err());
        assert_eq!(timeout("1.5s"), Ok(Duration::from_millis(1500)));
        assert!(timeout("-1s").is_err());
        assert!(timeout("2").is_err());
        assert_eq!(time("1970-01-01T00:00:02.5Z"), Ok(UNIX_EPOCH + Duration::from_millis(2500)));
        assert!(time("1969-12-31T23:59:59Z").is_err());
        assert!(time("now").is_err());
        assert_eq!(variable("A=b=c"), Ok(("A".to_owned(), "b=c".to_owned())));
        assert!(variable("A").is_err());
        let (guest, host) = dir("./data::/data:ro").expect("valid");
        assert_eq!((guest.as_str(), host.path.to_str(), host.readonly), ("/data", Some("./data"), true));
        for (text, readonly) in [("a::/b:RO", true), ("a::/b:Ro", true), ("a::/b", false), ("a::/b:rw", false), ("C:/a b::/b", false)] {
            assert_eq!(dir(text).map(|(guest, dir)| (guest, dir.readonly)), Ok(("/b".to_owned(), readonly)), "{text}");
        }
        // Nothing is taken for a directory that may be written to because of a slip.
        for wrong in [
            "./data",
            "a:/b:ro",
            "a::",
            "::/b",
            "a:::ro",
            "a::/b:",
            "a::/b:r",
            "a::/b:r o",
            "a::/b:ro ",
            "a::/b: ro",
            "a::/b:readonly",
            "a::/b:ro:ro",
            "a::/b:ro,nodev",
            "a::/b::ro",
            "a::b:ro",
            "a::b",
            "a::.",
            "a:: /b",
            "a::/b:rO\u{200b}",
            "a::/b:write",
        ] {
            assert!(dir(wrong).is_err(), "{wrong}");
        }
    }
}
