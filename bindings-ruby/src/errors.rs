//! Converts the core's errors to exceptions, and back.

use std::sync::Arc;

use magnus::error::ErrorType;
use magnus::prelude::*;
use magnus::{Error, Exception, RArray, Ruby, Value};
use undergo::ErrorKind;

use crate::gem;
use crate::keep::Kept;
use crate::values::class_name;

/// An exception of Ruby's code, on its way through the guest.
struct Raised(Kept);

/// The exception for an error: the one that Ruby's code raised, if that is the cause, as the same
/// object.
pub(crate) fn to_ruby(ruby: &Ruby, error: &undergo::Error) -> Error {
    let raised = error.host().and_then(|host| host.downcast_ref::<Raised>());
    let exception = raised.and_then(|Raised(kept)| Exception::from_value(kept.value(ruby)));
    exception.map_or_else(|| make(ruby, error).map_or_else(|failed| failed, Error::from), Error::from)
}

fn make(ruby: &Ruby, error: &undergo::Error) -> Result<Exception, Error> {
    let frames: RArray = ruby.ary_new();
    for frame in error.frames() {
        frames.push((frame.function.as_str(), frame.file.as_str(), frame.line))?;
    }
    let origin = error.frames().iter().position(|frame| !frame.is_runtime());
    let details = ruby.ary_new();
    details.push(error.message())?;
    details.push(error.path())?;
    details.push(frames)?;
    details.push(origin)?;
    details.push(error.exit_code())?;
    details.push(error.stderr())?;
    details.push(error.denied())?;
    gem::call(ruby, "error", (error.kind().as_str(), error.to_string(), details))
}

/// An exception of a host function, on its way through the guest. A `StandardError` becomes a Go
/// error where the import returns one; what asks the program to end (`Interrupt`, `SystemExit`)
/// does not.
///
/// # Errors
///
/// The jump that leaves the exception's own code, which is asked for its text.
pub(crate) fn from_host(ruby: &Ruby, exception: Value) -> Result<undergo::Error, Error> {
    let is_error = exception.is_kind_of(ruby.exception_standard_error());
    let kind = if is_error { ErrorKind::HostError } else { ErrorKind::Cancelled };
    let text = match gem::call(ruby, "text", (exception,)) {
        Err(jump) if matches!(jump.error_type(), ErrorType::Jump(_)) => return Err(jump),
        text => text.unwrap_or_else(|_| class_name(exception)),
    };
    Ok(undergo::Error::new(kind, text).with_host(Arc::new(Raised(Kept::new(exception)))))
}

/// What an interrupt has raised, which ends a call whatever it is.
pub(crate) fn interrupted(error: &undergo::Error) -> undergo::Error {
    let ended = undergo::Error::new(ErrorKind::Cancelled, error.message());
    match error.host() {
        Some(host) => ended.with_host(host.clone()),
        None => ended,
    }
}
