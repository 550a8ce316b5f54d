//! The one error type, and its kinds.

pub mod escape;
pub(crate) mod go_panic;

use std::any::Any;
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// What this crate's functions return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// What went wrong, as one word. Each host has its own form of each kind.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[cfg_attr(not(feature = "host"), non_exhaustive)]
        pub enum ErrorKind {
            $($(#[$doc])* $name,)*
        }

        impl ErrorKind {
            /// Every kind, so that a host can prove that it has a form of each.
            pub const ALL: &[ErrorKind] = &[$(ErrorKind::$name,)*];

            /// The kind's name in every host, such as `type-mismatch`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(ErrorKind::$name => $text,)*
                }
            }
        }
    };
}

kinds! {
    /// Not a WebAssembly module, a damaged one, or one that was built in a way that can't be
    /// called.
    InvalidPlugin = "invalid-plugin",
    /// The host has not given what the plugin imports.
    MissingImport = "missing-import",
    /// The plugin has no export of that name.
    UnknownExport = "unknown-export",
    /// The program has another signature of a function than the plugin.
    SignatureMismatch = "signature-mismatch",
    /// A value does not fit its type.
    TypeMismatch = "type-mismatch",
    /// The Go function returned an error. The instance lives on.
    GuestError = "guest-error",
    /// The Go code panicked, or its runtime gave up.
    Panic = "panic",
    /// The guest ended itself (`os.Exit`).
    Exit = "exit",
    /// The guest did what WebAssembly forbids, or its stack overflowed.
    Trap = "trap",
    /// A deadline passed.
    Timeout = "timeout",
    /// The call was cancelled.
    Cancelled = "cancelled",
    /// The fuel was used up.
    OutOfFuel = "out-of-fuel",
    /// The guest wanted more memory than its limit.
    OutOfMemory = "out-of-memory",
    /// A host function failed.
    HostError = "host-error",
    /// The sandbox forbids it.
    Denied = "denied",
    /// The instance has ended, and answers no further call.
    DeadInstance = "dead-instance",
    /// The instance is in the middle of another call.
    Busy = "busy",
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A frame of a Go traceback.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The function with its package: `main.Greet`.
    pub function: String,
    /// The source file as the Go toolchain names it; empty if it is not known.
    pub file: String,
    /// The line in it, from 1; 0 if it is not known.
    pub line: u32,
}

impl Frame {
    /// Whether the function belongs to Go's runtime, or is one that calls block or panic in:
    /// `panic`, `runtime.throw`, `sync.(*Mutex).Lock`.
    #[must_use]
    pub fn is_runtime(&self) -> bool {
        // A package's path may have dots before its last slash; the function follows the first dot
        // after it.
        let slash = self.function.rfind('/').map_or(0, |at| at + 1);
        let dot = self.function[slash..].find('.');
        let package = dot.map_or(&*self.function, |dot| &self.function[..slash + dot]);
        matches!(package, "panic" | "runtime" | "sync" | "syscall" | "reflect")
            || package.starts_with("internal/")
            || package.starts_with("runtime/")
    }
}

/// The host's own error object (an exception, for example), carried through the guest and returned
/// unchanged.
pub type HostError = Arc<dyn Any + Send + Sync>;

/// One of the errors in a chain: each wraps the next, as `fmt.Errorf("…: %w", err)` does in Go.
#[derive(Clone)]
pub struct ChainedError {
    pub(crate) text: String,
    /// What belongs to a higher level.
    pub(crate) fields: Option<HostError>,
}

impl ChainedError {
    /// What the error says, which may contain what those say that it wraps.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for ChainedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChainedError").field("text", &self.text).finish_non_exhaustive()
    }
}

/// What went wrong. Cheap to move.
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    message: String,
    /// Where in a value, innermost first: `[3]`, `.tags`, `p`.
    path: Vec<String>,
    /// The function whose argument or result `path` is in.
    function: Option<String>,
    frames: Vec<Frame>,
    exit_code: Option<i32>,
    stderr: String,
    host: Option<HostError>,
    denied: Option<String>,
    chain: Vec<ChainedError>,
    is_of_no_value: bool,
}

impl Error {
    /// An error of a kind, with a sentence for people.
    ///
    /// Undergo's own sentences quote names and texts of strangers, so what is not plain in them is
    /// [escaped](escape::text), and they have at most 64 KiB. What others say (the guest in a
    /// returned error, in a panic, the host in its own errors) is not changed.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        let mut message = message.into();
        if !matches!(kind, ErrorKind::GuestError | ErrorKind::Panic | ErrorKind::HostError) {
            message = sentence(message);
        }
        Error(Box::new(Inner {
            kind,
            message,
            path: Vec::new(),
            function: None,
            frames: Vec::new(),
            exit_code: None,
            stderr: String::new(),
            host: None,
            denied: None,
            chain: Vec::new(),
            is_of_no_value: false,
        }))
    }

    /// A [`HostError`](ErrorKind::HostError) that carries the host's own object.
    pub fn from_host(message: impl Into<String>, host: HostError) -> Self {
        Error::new(ErrorKind::HostError, message).with_host(host)
    }

    /// A [`HostError`](ErrorKind::HostError) for a panic of the host's code.
    pub(crate) fn from_panic(what: &str, panic: &(dyn Any + Send)) -> Self {
        let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
        Error::new(ErrorKind::HostError, format!("{what} panicked: {}", text.unwrap_or_default()))
    }

    /// Adds the host's own object, which the caller gets back.
    #[must_use]
    pub fn with_host(mut self, host: HostError) -> Self {
        self.0.host = Some(host);
        self
    }

    /// What went wrong, as one word.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The sentence, without kind and path.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The path of the value that does not fit: `greet(p.tags[3])`. Empty if the error is not about
    /// a value.
    #[must_use]
    pub fn path(&self) -> String {
        let inner: String = self.0.path.iter().rev().map(String::as_str).collect();
        match &self.0.function {
            Some(function) if inner.starts_with(" ->") => format!("{function}{inner}"),
            Some(function) if !inner.is_empty() => format!("{function}({inner})"),
            Some(function) if self.0.kind == ErrorKind::TypeMismatch => format!("{function}()"),
            _ => inner,
        }
    }

    /// The Go traceback of a [`Panic`](ErrorKind::Panic), innermost frame first; for a
    /// [`Trap`](ErrorKind::Trap) or a [`Timeout`](ErrorKind::Timeout) in guest code the functions
    /// on the stack, without files and lines.
    #[must_use]
    pub fn frames(&self) -> &[Frame] {
        &self.0.frames
    }

    /// The frame of [`frames`](Error::frames) to show first: the innermost one that is not of [Go's
    /// runtime](Frame::is_runtime).
    #[must_use]
    pub fn origin(&self) -> Option<&Frame> {
        self.0.frames.iter().find(|frame| !frame.is_runtime())
    }

    /// The code of an [`Exit`](ErrorKind::Exit).
    #[must_use]
    pub fn exit_code(&self) -> Option<i32> {
        self.0.exit_code
    }

    /// What the guest wrote to its standard error during the call that failed, or the end of it.
    #[must_use]
    pub fn stderr(&self) -> &str {
        &self.0.stderr
    }

    /// The host's own error object, if a host function failed with one.
    #[must_use]
    pub fn host(&self) -> Option<&HostError> {
        self.0.host.as_ref()
    }

    /// What the sandbox denied the guest in the call that failed, and the rule that would allow it:
    /// possibly the reason of the failure. If there were several denials, the last one. The
    /// messages of a [`Panic`](ErrorKind::Panic) and an [`Exit`](ErrorKind::Exit) contain it; that
    /// of a [`GuestError`](ErrorKind::GuestError) is the guest's own.
    #[must_use]
    pub fn denied(&self) -> Option<&str> {
        self.0.denied.as_deref()
    }

    /// The errors of which this one consists, outermost first, if the interface of the plugin
    /// declares [errors with fields](ChainedError::fields). The first has this error's message.
    #[must_use]
    pub fn chain(&self) -> &[ChainedError] {
        &self.0.chain
    }

    /// Adds the errors of which this one consists, outermost first: the guest gets them from a host
    /// function that fails in this way.
    #[must_use]
    pub fn with_chain(mut self, chain: Vec<ChainedError>) -> Self {
        self.0.chain = chain;
        self
    }

    /// Adds what the guest was denied before.
    pub(crate) fn with_denied(mut self, denied: Option<String>) -> Self {
        if let (Some(denied), ErrorKind::Panic | ErrorKind::Exit) = (&denied, self.kind()) {
            self.0.message = format!("{} ({denied})", self.0.message);
        }
        self.0.denied = denied;
        self
    }

    pub(crate) fn with_frames(mut self, frames: Vec<Frame>) -> Self {
        self.0.frames = frames;
        self
    }

    pub(crate) fn with_exit_code(mut self, code: i32) -> Self {
        self.0.exit_code = Some(code);
        self
    }

    /// Says what follows from it.
    pub(crate) fn with_note(mut self, note: &str) -> Self {
        self.0.message = format!("{}: {note}", self.0.message);
        self
    }

    pub(crate) fn with_stderr(mut self, stderr: String) -> Self {
        self.0.stderr = stderr;
        self
    }

    /// Adds one step on the way out from the value to the argument: `.name`, `[3]` or the
    /// parameter's name.
    pub(crate) fn at(mut self, step: impl Into<String>) -> Self {
        let step = step.into();
        // The key of a map can be any text.
        self.0.path.push(escape::bounded(&escape::line(&step), LONGEST_STEP).into_owned());
        self
    }

    /// Marks an error about the marker that a guest passes for a value which it refuses to carry.
    pub(crate) fn of_no_value(mut self) -> Self {
        self.0.is_of_no_value = true;
        self
    }

    pub(crate) fn is_of_no_value(&self) -> bool {
        self.0.is_of_no_value
    }

    /// The same with the guest's explanation: `why` there is no value, and the path from here to
    /// the cause.
    pub(crate) fn explained(mut self, why: String, path: String) -> Self {
        self.0.kind = ErrorKind::TypeMismatch;
        self.0.message = why;
        self.0.path.insert(0, path);
        self
    }

    /// Names the function. The first name is kept, which is the innermost one.
    pub(crate) fn in_function(mut self, name: &str) -> Self {
        if self.0.function.is_none() {
            self.0.function = Some(name.to_owned());
        }
        self
    }

    /// The error for later calls of a dead instance: it names the first cause, and carries what
    /// that one carried.
    pub(crate) fn as_dead(&self) -> Self {
        let mut dead = self.clone();
        dead.0.kind = ErrorKind::DeadInstance;
        dead.0.message = format!("this instance has ended and answers no further call; its end was {}: {}", self.kind(), self.message());
        dead.0.path.clear();
        dead.0.function = None;
        dead.0.host = None;
        dead
    }

    /// Takes the host's own object.
    pub(crate) fn take_host(&mut self) -> Option<HostError> {
        self.0.host.take()
    }

    /// Wraps it for Wasmtime, which passes any error of a host function on to the caller.
    pub(crate) fn into_wasmtime(self) -> wasmtime::Error {
        wasmtime::Error::new(Carried(self))
    }

    pub(crate) fn from_wasmtime(error: &wasmtime::Error) -> Option<Error> {
        error.downcast_ref::<Carried>().map(|carried| carried.0.clone())
    }
}

/// Bytes of one of Undergo's own messages: enough for a list of all that a plugin misses.
const LONGEST: usize = 64 << 10;

/// Bytes of one step of a path.
const LONGEST_STEP: usize = 1 << 10;

/// One of Undergo's own messages, which may quote others.
fn sentence(message: String) -> String {
    match escape::bounded(&escape::text(&message), LONGEST) {
        Cow::Borrowed(same) if same.len() == message.len() => message,
        changed => changed.into_owned(),
    }
}

#[derive(Debug)]
struct Carried(Error);

impl fmt::Display for Carried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Carried {}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path();
        if !path.is_empty() {
            write!(f, "{path}: ")?;
        }
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("message", &self.to_string())
            .field("frames", &self.0.frames)
            .field("stderr", &self.0.stderr)
            .finish_non_exhaustive()
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn others_are_quoted_in_plain_text() {
        let error = Error::new(ErrorKind::UnknownExport, "there is no export 'a\x1b[2J\u{202e}'\n\tand so on");
        assert_eq!(error.message(), "there is no export 'a\\u{1b}[2J\\u{202e}'\n\tand so on");
        assert_eq!(Error::new(ErrorKind::GuestError, "\x1b[31mred").message(), "\x1b[31mred");
        // Miri takes a quarter of an hour for 10 MiB.
        let long = Error::new(ErrorKind::InvalidPlugin, "x".repeat(if cfg!(miri) { LONGEST + 1000 } else { 10 << 20 }));
        assert!(long.message().len() < LONGEST + 100 && long.message().ends_with("bytes more)"), "{}", long.message().len());
    }

    #[test]
    fn what_belongs_to_the_runtime() {
        let is_runtime = |function: &str| Frame { function: function.to_owned(), file: String::new(), line: 0 }.is_runtime();
        for function in ["panic", "runtime.throw", "internal/sync.(*Mutex).Lock", "sync.(*WaitGroup).Wait", "internal/runtime/maps.fatal"] {
            assert!(is_runtime(function), "{function}");
        }
        for function in
            ["main.panic", "example.com/runtime.F", "runtimes.F", "github.com/a/b.c/internal/x.F", "main.(*sync).F", "my/sync.F"]
        {
            assert!(!is_runtime(function), "{function}");
        }
    }
}
