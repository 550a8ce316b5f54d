//! `wasi:logging`: a plugin's log.

use std::fmt;
use std::sync::Arc;

use crate::abi::value::{ToValue, Value};
use crate::error::{Error, ErrorKind, Result, escape};
use crate::guest::host::{HostCall, HostFunction, Imports};
use crate::interface::Function;

/// Bytes of a text that are logged.
const LONGEST: usize = 64 << 10;

/// A line that a plugin logs. Its texts have no control characters and no ends of lines: these are
/// escaped. Of a longer text, the first 64 KiB are there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// How much it matters.
    pub level: LogLevel,
    /// What it belongs to; may be empty.
    pub context: String,
    /// What it says.
    pub message: String,
}

/// How much a line matters, least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names are WASI's")]
pub enum LogLevel {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
    Critical,
}

impl LogLevel {
    /// Every level, least first.
    pub const ALL: [LogLevel; 6] = [LogLevel::Trace, LogLevel::Debug, LogLevel::Info, LogLevel::Warn, LogLevel::Error, LogLevel::Critical];

    /// Its name in WASI.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            LogLevel::Trace => "trace",
            LogLevel::Debug => "debug",
            LogLevel::Info => "info",
            LogLevel::Warn => "warn",
            LogLevel::Error => "error",
            LogLevel::Critical => "critical",
        }
    }
}

impl fmt::Display for LogLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Imports {
    /// Gives plugins `wasi:logging`: what they log goes to the closure, on the thread of the call.
    ///
    /// ```
    /// use undergo::{Imports, LogLevel};
    ///
    /// let mut imports = Imports::default();
    /// imports.logging(|line| {
    ///     if line.level >= LogLevel::Info {
    ///         eprintln!("{} {}: {}", line.level, line.context, line.message);
    ///     }
    /// });
    /// ```
    pub fn logging(&mut self, log: impl Fn(&LogLine) + Send + Sync + 'static) {
        self.set("wasi:logging/logging", "log", Arc::new(Log(log)));
    }
}

struct Log<F>(F);

impl<F: Fn(&LogLine) + Send + Sync> HostFunction for Log<F> {
    fn check(&self, function: &Function) -> Result<()> {
        if function.params.len() == 3 && function.result.is_none() {
            return Ok(());
        }
        Err(Error::new(ErrorKind::SignatureMismatch, format!("the plugin has another wasi:logging than this host: {function}")))
    }

    fn call(&self, call: &mut HostCall<'_>) -> Result<()> {
        let args = call.args(&ToValue)?;
        if let [Value::String(level), Value::String(context), Value::String(message)] = &args[..] {
            let level = LogLevel::ALL.into_iter().find(|known| known.as_str() == level).unwrap_or(LogLevel::Info);
            let line = LogLine { level, context: plain(context), message: plain(message) };
            call.outside(|| (self.0)(&line));
        }
        call.answer(&&Value::None)
    }
}

fn plain(text: &str) -> String {
    escape::line(&escape::bounded(text, LONGEST)).into_owned()
}
