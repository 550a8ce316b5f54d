//! Reports failures of a command.

use std::fmt;
use std::process::ExitCode;

use undergo::host::escape;
use undergo::{Error, ErrorKind};

/// A failure with an exit code of its own.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Another program has told the user what is wrong already; its text stays as it is.
    Told,
    /// The plugin could not be called, or its function did not return.
    Call(Error),
    /// A program did not end by itself, or did not begin.
    Run(Error, u8),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Told => f.write_str("a program that was run failed"),
            Failure::Call(error) | Failure::Run(error, _) => error.fmt(f),
        }
    }
}

impl std::error::Error for Failure {}

/// Writes a line to standard error. It may quote a plugin, or be its own words: those don't get at
/// the terminal.
fn tell(text: &str) {
    eprintln!("{}", escape::text(text));
}

/// Writes the error to standard error, and gives the exit code: 1, but 2 for a call that ended
/// otherwise than by a return, and a program's own.
pub(crate) fn report(error: &anyhow::Error) -> ExitCode {
    match error.downcast_ref::<Failure>() {
        Some(Failure::Told) => ExitCode::FAILURE,
        Some(Failure::Call(error)) if error.kind() == ErrorKind::GuestError => {
            tell(error.message());
            tell_last(error);
            ExitCode::FAILURE
        }
        Some(Failure::Call(error)) => {
            tell(&describe(error));
            tell_last(error);
            ExitCode::from(2)
        }
        Some(Failure::Run(error, code)) => {
            tell(&describe(error));
            tell_last(error);
            ExitCode::from(*code)
        }
        None => {
            match error.downcast_ref::<Error>() {
                Some(error) => tell(&describe(error)),
                None => tell(&format!("error: {error:#}")),
            }
            ExitCode::FAILURE
        }
    }
}

/// The same for what an error carries; the messages of some have it already.
fn tell_last(error: &Error) {
    if let Some(denied) = error.denied().filter(|denied| !error.message().contains(denied)) {
        tell_denied(&[denied.to_owned()]);
    }
}

/// Writes to standard error what a program was denied, whose own words can't say why.
pub(crate) fn tell_denied(denied: &[String]) {
    for text in denied {
        tell(&format!("undergo: {text} (option --net)"));
    }
}

/// Writes to standard error why a request of HTTP has failed.
pub(crate) fn tell_request(error: &Error) {
    tell(&format!("undergo: a request failed: {}", describe(error)));
    tell_last(error);
}

/// Writes to standard error what was given in vain.
pub(crate) fn warn(texts: &[String]) {
    for text in texts {
        eprintln!("undergo: warning: {text}");
    }
}

/// `error[panic]: boom`, and the Go frames below it, from the plugin's own function on.
fn describe(error: &Error) -> String {
    let mut text = format!("error[{}]: {error}", error.kind());
    let first = error.frames().iter().position(|frame| !frame.is_runtime()).unwrap_or(0);
    for frame in &error.frames()[first..] {
        text.push_str("\n  at ");
        text.push_str(&frame.function);
        if !frame.file.is_empty() {
            text.push_str(&format!(" ({}:{})", frame.file, frame.line));
        }
    }
    text
}
