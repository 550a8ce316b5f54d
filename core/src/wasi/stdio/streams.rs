//! A guest's standard streams, and the numbers that it has for them.

use crate::compile::module::ModuleKind;
use crate::config::Limits;
use crate::error::Result;
use crate::platform::descriptor::Descriptor;
use crate::sched::driver::Driver;
use crate::wasi::files::given::Given;
use crate::wasi::sandbox::Sandbox;
use crate::wasi::stdio::input::{Input, Source};
use crate::wasi::stdio::output::Stream;

/// One of the three, whatever its number is now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standard {
    Input,
    Output,
    Error,
}

/// A guest's output. It outlives the guest: the host may read what a guest printed before it ended,
/// and the next guest after a reset continues it.
pub(crate) struct Streams {
    pub(crate) stdout: Stream,
    pub(crate) stderr: Stream,
}

impl Streams {
    /// A program is told that nobody reads its output. A plugin is not: a failure to log should not
    /// end its work for the host.
    pub(crate) fn new(sandbox: &Sandbox, limits: &Limits, kind: ModuleKind, driver: Driver) -> Streams {
        let new = |output, is_stderr| Stream::new(output, is_stderr, limits.output, kind == ModuleKind::Command, driver);
        Streams { stdout: new(&sandbox.stdout, false), stderr: new(&sandbox.stderr, true) }
    }

    /// Another guest begins, with the full limits.
    pub(crate) fn begin(&self) {
        self.stdout.begin();
        self.stderr.begin();
    }

    /// The stream, if it is one for output.
    pub(crate) fn output(&self, standard: Standard) -> Option<&Stream> {
        match standard {
            Standard::Input => None,
            Standard::Output => Some(&self.stdout),
            Standard::Error => Some(&self.stderr),
        }
    }

    /// Whether [`finish`](Streams::finish) has something to do.
    #[inline]
    pub(crate) fn are_unfinished(&self) -> bool {
        self.stdout.is_unfinished() || self.stderr.is_unfinished()
    }

    /// Gives lines without a newline to their functions: the call is over.
    #[cold]
    pub(crate) fn finish(&self) -> Result<()> {
        let out = self.stdout.finish();
        let err = self.stderr.finish();
        out.and(err)
    }
}

/// The guest's descriptors 0, 1 and 2, until the guest changes them.
pub(crate) struct Standards {
    pub(crate) stdin: Source,
    /// The guest's numbers; `None` for what it closed.
    numbers: [Option<i32>; 3],
    /// Whether the guest gets `EAGAIN` instead of waiting.
    nonblocking: [bool; 3],
    /// Whether the guest was told that nobody reads the stream.
    broken: [bool; 3],
}

impl Standards {
    /// For Go, input and output that are pipes or terminals are in non-blocking mode: then other
    /// goroutines run while one waits for them, and deadlines hold. Other libraries would take
    /// `EAGAIN` for an error. Standard error blocks, because Go's runtime ignores errors when it
    /// writes its last report.
    ///
    /// # Errors
    ///
    /// `denied` when the file for standard input can't be opened.
    pub(crate) fn new(stdin: &Input, given: &Given, streams: &Streams, is_go: bool) -> Result<Standards> {
        let stdin = Source::new(stdin, given)?;
        let may_wait = |descriptor: Option<&Descriptor>| is_go && descriptor.is_some_and(Descriptor::may_wait);
        let nonblocking = [may_wait(stdin.descriptor()), may_wait(streams.stdout.descriptor()), false];
        Ok(Standards { stdin, numbers: [0, 1, 2].map(Some), nonblocking, broken: [false; 3] })
    }

    pub(crate) fn is_nonblocking(&self, standard: Standard) -> bool {
        self.nonblocking[standard as usize]
    }

    /// The flag is the guest's alone. The host's descriptor keeps its flags, because others share
    /// it.
    pub(crate) fn set_nonblocking(&mut self, standard: Standard, nonblocking: bool) {
        self.nonblocking[standard as usize] = nonblocking;
    }

    /// The guest is told that nobody reads a stream. Returns whether it was told before.
    pub(crate) fn note_broken(&mut self, standard: Standard) -> bool {
        std::mem::replace(&mut self.broken[standard as usize], true)
    }

    /// The standard stream at a descriptor of the guest, if it is one.
    pub(crate) fn find(&self, number: i32) -> Option<Standard> {
        let place = self.numbers.iter().position(|known| *known == Some(number))?;
        Some([Standard::Input, Standard::Output, Standard::Error][place])
    }

    /// The guest has closed a descriptor.
    pub(crate) fn close(&mut self, number: i32) {
        if let Some(closed) = self.find(number) {
            self.numbers[closed as usize] = None;
        }
    }

    /// The guest has moved a descriptor to another number, and what had that number is closed.
    pub(crate) fn renumber(&mut self, from: i32, to: i32) {
        let moved = self.find(from);
        if from != to {
            self.close(to);
        }
        if let Some(moved) = moved {
            self.numbers[moved as usize] = Some(to);
        }
    }
}
