//! Converts the core's errors to those of the other languages, and back.

use std::sync::Arc;

use undergo::interface::{Choice, RecordType, TypeKind, VariantType};
use undergo::{ChainedError, Error, ErrorFields};

use crate::passed::HostObject;
use crate::threads;
use crate::value::Value;
use crate::values::{Borrowed, Given, ToValue, number_of};

/// What went wrong, as one word; the same in every language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum ErrorKind {
    /// The module is not WebAssembly, is damaged, or was built in a way that can't be called.
    InvalidPlugin,
    /// The plugin needs functions that were not given.
    MissingImport,
    /// The plugin has no export of that name.
    UnknownExport,
    /// A given function has another signature than the plugin needs.
    SignatureMismatch,
    /// A value does not fit its type.
    TypeMismatch,
    /// The Go function returned an error. The instance lives on.
    GuestError,
    /// The Go code panicked, or its runtime gave up.
    Panic,
    /// The Go code called `os.Exit`.
    Exit,
    /// The guest did what WebAssembly forbids, or its stack overflowed.
    Trap,
    /// The call took longer than its timeout.
    Timeout,
    /// The call was cancelled.
    Cancelled,
    /// The fuel was used up.
    OutOfFuel,
    /// The guest wanted more memory than its limit.
    OutOfMemory,
    /// A host function failed.
    HostError,
    /// The sandbox forbids it, or can't be made as requested.
    Denied,
    /// The instance has ended, and answers no further call.
    DeadInstance,
    /// The instance is in the middle of another call.
    Busy,
}

impl From<undergo::ErrorKind> for ErrorKind {
    // All kinds, by the compiler's word.
    fn from(kind: undergo::ErrorKind) -> ErrorKind {
        match kind {
            undergo::ErrorKind::InvalidPlugin => ErrorKind::InvalidPlugin,
            undergo::ErrorKind::MissingImport => ErrorKind::MissingImport,
            undergo::ErrorKind::UnknownExport => ErrorKind::UnknownExport,
            undergo::ErrorKind::SignatureMismatch => ErrorKind::SignatureMismatch,
            undergo::ErrorKind::TypeMismatch => ErrorKind::TypeMismatch,
            undergo::ErrorKind::GuestError => ErrorKind::GuestError,
            undergo::ErrorKind::Panic => ErrorKind::Panic,
            undergo::ErrorKind::Exit => ErrorKind::Exit,
            undergo::ErrorKind::Trap => ErrorKind::Trap,
            undergo::ErrorKind::Timeout => ErrorKind::Timeout,
            undergo::ErrorKind::Cancelled => ErrorKind::Cancelled,
            undergo::ErrorKind::OutOfFuel => ErrorKind::OutOfFuel,
            undergo::ErrorKind::OutOfMemory => ErrorKind::OutOfMemory,
            undergo::ErrorKind::HostError => ErrorKind::HostError,
            undergo::ErrorKind::Denied => ErrorKind::Denied,
            undergo::ErrorKind::DeadInstance => ErrorKind::DeadInstance,
            undergo::ErrorKind::Busy => ErrorKind::Busy,
        }
    }
}

/// A frame of a Go traceback.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Frame {
    /// The function with its package: `main.Greet`.
    pub function: String,
    /// The source file as the Go toolchain names it; empty where it is not known.
    pub file: String,
    /// The line in it, from 1; 0 where it is not known.
    pub line: u32,
}

/// All that is known of an error.
#[derive(Clone, Debug, uniffi::Record)]
pub struct ErrorDetails {
    /// What went wrong.
    pub kind: ErrorKind,
    /// The kind's name in every language: `type-mismatch`.
    pub kind_name: String,
    /// The path and the sentence.
    pub text: String,
    /// The sentence alone.
    pub message: String,
    /// Which part of a value is wrong: `greet(p.tags[3])`; empty when the error is not about a
    /// value.
    pub path: String,
    /// The Go traceback, innermost call first.
    pub frames: Vec<Frame>,
    /// The number of the first of `frames` that is not of Go's runtime.
    pub origin: Option<u32>,
    /// The code of `os.Exit`.
    pub exit_code: Option<i32>,
    /// The end of what the plugin wrote to its standard error during the call.
    pub stderr: String,
    /// What the sandbox denied the plugin during the call, and the rule that would allow it:
    /// perhaps why the call failed.
    pub denied: Option<String>,
    /// The errors of which it consists, each of which wraps the next, if the plugin has errors with
    /// fields. The first is the error itself.
    pub chain: Vec<ErrorLink>,
}

/// One of the errors in a chain.
#[derive(Clone, Debug, uniffi::Record)]
pub struct ErrorLink {
    /// What it says.
    pub text: String,
    /// Its name in WIT, if it has fields.
    pub name: Option<String>,
    /// Its fields, as a record.
    pub fields: Option<Value>,
}

/// A call that did not return.
#[derive(Debug, uniffi::Error)]
pub enum CallError {
    /// It failed.
    Failed {
        /// Why.
        details: ErrorDetails,
        /// What a host function has raised, where that is the cause.
        raised: Option<Arc<dyn HostObject>>,
    },
}

impl std::fmt::Display for CallError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let CallError::Failed { details, .. } = self;
        f.write_str(&details.text)
    }
}

impl From<Error> for CallError {
    fn from(error: Error) -> CallError {
        let frames = error.frames().iter();
        let frames = frames.map(|frame| Frame { function: frame.function.clone(), file: frame.file.clone(), line: frame.line }).collect();
        let origin = error.frames().iter().position(|frame| !frame.is_runtime());
        let chain = match error.chain().iter().map(link).collect() {
            Ok(chain) => chain,
            // It has no chain itself.
            Err(unreadable) => return CallError::from(unreadable),
        };
        let details = ErrorDetails {
            kind: error.kind().into(),
            kind_name: error.kind().as_str().to_owned(),
            text: error.to_string(),
            message: error.message().to_owned(),
            path: error.path(),
            frames,
            origin: origin.and_then(|origin| u32::try_from(origin).ok()),
            exit_code: error.exit_code(),
            stderr: error.stderr().to_owned(),
            denied: error.denied().map(str::to_owned),
            chain,
        };
        let raised = error.host().and_then(|host| host.downcast_ref::<Raised>()).and_then(|raised| raised.0.clone());
        CallError::Failed { details, raised }
    }
}

fn link(error: &ChainedError) -> undergo::Result<ErrorLink> {
    let fields = error.fields().map(|fields| fields.lift(&ToValue::default())).transpose()?;
    Ok(ErrorLink { text: error.text().to_owned(), name: error.fields().map(|fields| fields.record().name.clone()), fields })
}

/// What a host function raises.
#[derive(Debug, uniffi::Error)]
pub enum HostFailure {
    /// Its code has failed.
    Raised {
        /// What the Go code gets as the text of its `error`.
        text: String,
        /// Whether Go code may handle it; else it ends the call.
        is_error: bool,
        /// The exception and its causes, for a function that can return errors with fields. Those
        /// that are none of the plugin's count as their texts.
        chain: Vec<ErrorLink>,
        /// The exception itself.
        raised: Arc<dyn HostObject>,
    },
    /// The binding has failed.
    Unexpected {
        /// How.
        reason: String,
    },
}

impl std::fmt::Display for HostFailure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            HostFailure::Raised { text, .. } => f.write_str(text),
            HostFailure::Unexpected { reason } => f.write_str(reason),
        }
    }
}

impl From<uniffi::UnexpectedUniFFICallbackError> for HostFailure {
    fn from(error: uniffi::UnexpectedUniFFICallbackError) -> HostFailure {
        HostFailure::Unexpected { reason: error.reason }
    }
}

impl HostFailure {
    /// The error of a function that returns errors of these sorts, if it has any with fields; a
    /// misfit, if a field does not fit.
    // Out of line, since the frames of host functions that call back lie on one stack.
    #[cold]
    #[inline(never)]
    pub(crate) fn error(self, errors: Option<&VariantType>) -> Error {
        match self {
            HostFailure::Raised { text, is_error, chain, raised } => {
                let kind = if is_error { undergo::ErrorKind::HostError } else { undergo::ErrorKind::Cancelled };
                let error = Error::new(kind, text).with_host(Arc::new(Raised(Some(raised))));
                match errors.filter(|_| is_error).map(|errors| chain.iter().map(|link| link.lower(errors)).collect()) {
                    None => error,
                    Some(Ok(chain)) => error.with_chain(chain),
                    Some(Err(misfit)) => misfit,
                }
            }
            HostFailure::Unexpected { reason } => Error::new(undergo::ErrorKind::HostError, reason),
        }
    }
}

impl ErrorLink {
    fn lower(&self, errors: &VariantType) -> undergo::Result<ChainedError> {
        let fields = match (&self.name, &self.fields) {
            (Some(name), Some(fields)) => record(errors, name).filter(|record| has_fields(record, fields)).map(|record| (record, fields)),
            _ => None,
        };
        let fields = fields.map(|(record, fields)| ErrorFields::lower(record, &Given::<Borrowed>::new(fields))).transpose()?;
        Ok(ChainedError::new(self.text.clone(), fields))
    }
}

/// The record with the fields of an error.
fn record<'e>(errors: &'e VariantType, name: &str) -> Option<&'e Arc<RecordType>> {
    let case = errors.case(name)?;
    match &errors.cases[case as usize].ty.as_ref()?.kind {
        TypeKind::Tuple(both) => match &both.items.get(1)?.kind {
            TypeKind::Record(record) => Some(record),
            _ => None,
        },
        _ => None,
    }
}

/// Whether the fields are those of a record: another plugin's error may have the same name.
fn has_fields(record: &RecordType, value: &Value) -> bool {
    let names: Vec<&str> = match value {
        Value::Fields { fields } => fields.iter().map(|field| field.name.as_str()).collect(),
        Value::Entries { entries } => entries.iter().map(|entry| if let Value::Text { value } = &entry.key { value } else { "" }).collect(),
        _ => return false,
    };
    let mut is_given = vec![false; record.fields.len()];
    names.iter().all(|name| number_of(&record.fields, name).map(|number| is_given[number] = true).is_some())
        && record.fields.iter().zip(is_given).all(|(field, is_given)| is_given || matches!(field.ty.kind, TypeKind::Option(_)))
}

/// An exception on its way through the guest.
struct Raised(Option<Arc<dyn HostObject>>);

impl Drop for Raised {
    fn drop(&mut self) {
        // The last one to go tells the other language, which wants a stack that it knows.
        if let Some(raised) = self.0.take() {
            threads::dropped(raised);
        }
    }
}
