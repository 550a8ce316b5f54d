//! A guest's standard streams, and the numbers that it knows them by.

use crate::compile::module::ModuleKind;
use crate::config::Limits;
use crate::error::Result;
use crate::platform::descriptor::Descriptor;
use crate::wasi::files::given::Given;
use crate::wasi::sandbox::Sandbox;
use crate::wasi::stdio::input::{Input, Source};
use crate::wasi::stdio::output::Stream;

/// One of the three, whatever its number is by now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standard {
    Input,
    Output,
    Error,
}

/// A guest's output, which outlasts it: the host may read what a guest that has ended printed, and a reset begins another.
pub(crate) struct Streams {
    pub(crate) stdout: Stream,
    pub(crate) stderr: Stream,
}

impl Streams {
    /// A program is told that nobody reads what it writes. A plugin is not: what it logs should not end what it does for its host.
    pub(crate) fn new(sandbox: &Sandbox, limits: &Limits, kind: ModuleKind) -> Streams {
        let new = |output, is_stderr| Stream::new(output, is_stderr, limits.output, kind == ModuleKind::Command);
        Streams { stdout: new(&sandbox.stdout, false), stderr: new(&sandbox.stderr, true) }
    }

    /// Another guest begins, which may print as much as the last one.
    pub(crate) fn begin(&self) {
        self.stdout.begin();
        self.stderr.begin();
    }

    /// The one of them that is no input.
    pub(crate) fn output(&self, standard: Standard) -> Option<&Stream> {
        match standard {
            Standard::Input => None,
            Standard::Output => Some(&self.stdout),
            Standard::Error => Some(&self.stderr),
        }
    }

    /// Whether there is work for [`finish`](Streams::finish).
    pub(crate) fn are_unfinished(&self) -> bool {
        [&self.stdout, &self.stderr].iter().any(|stream| stream.is_unfinished())
    }

    /// Gives the lines that have no end yet to their functions: the call is over.
    #[inline]
    pub(crate) fn finish(&self) -> Result<()> {
        let out = self.stdout.finish();
        let err = self.stderr.finish();
        out.and(err)
    }
}

/// What a guest has at its descriptors 0, 1 and 2, until it changes that.
pub(crate) struct Standards {
    pub(crate) stdin: Source,
    /// The numbers that the guest knows them by; `None` for what it closed.
    numbers: [Option<i32>; 3],
    /// Whether what would wait says so instead (`EAGAIN`).
    nonblocking: [bool; 3],
    /// Whether the guest was told that nobody reads it.
    broken: [bool; 3],
}

impl Standards {
    /// A program of Go finds its input and its output not to block, where they are pipes or terminals: then it lets other goroutines run while it waits for them, and
    /// deadlines hold. Others would take the number for an error. Go's runtime writes to standard error what it has to say before it ends, and looks at no number.
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

    /// The flag is the guest's alone: the host's own descriptor is as it was, since others have it too.
    pub(crate) fn set_nonblocking(&mut self, standard: Standard, nonblocking: bool) {
        self.nonblocking[standard as usize] = nonblocking;
    }

    /// Takes note that the guest is told that nobody reads a stream. Gives whether it was before.
    pub(crate) fn note_broken(&mut self, standard: Standard) -> bool {
        std::mem::replace(&mut self.broken[standard as usize], true)
    }

    /// What a descriptor of the guest is; `None` for all but standard streams.
    pub(crate) fn find(&self, number: i32) -> Option<Standard> {
        let place = self.numbers.iter().position(|known| *known == Some(number))?;
        Some([Standard::Input, Standard::Output, Standard::Error][place])
    }

    /// Takes note that the guest has closed a descriptor.
    pub(crate) fn close(&mut self, number: i32) {
        if let Some(closed) = self.find(number) {
            self.numbers[closed as usize] = None;
        }
    }

    /// Takes note that a descriptor has another number, and that what had that one is closed.
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
