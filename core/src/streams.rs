//! A guest's standard streams, and the numbers that it knows them by.

use crate::config::{Limits, Sandbox};
use crate::error::Result;
use crate::input::{Input, Source};
use crate::output::Stream;

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
    pub(crate) fn new(sandbox: &Sandbox, limits: &Limits) -> Streams {
        Streams { stdout: Stream::new(&sandbox.stdout, false, limits.output), stderr: Stream::new(&sandbox.stderr, true, limits.output) }
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
}

impl Standards {
    /// # Errors
    ///
    /// `denied` when the file for standard input can't be opened.
    pub(crate) fn new(stdin: &Input) -> Result<Standards> {
        Ok(Standards { stdin: Source::new(stdin)?, numbers: [0, 1, 2].map(Some) })
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
