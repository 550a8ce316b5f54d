//! Where a guest's standard input comes from.

use std::io;
use std::path::PathBuf;

use crate::config::budget::Budget;
use crate::error::Result;
use crate::platform::descriptor::{self, Descriptor, Wants};
use crate::sched::driver::Driver;
use crate::wasi::files::given::Given;

/// Where a guest's standard input comes from.
#[cfg_attr(not(feature = "host"), non_exhaustive)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// From these bytes.
    Bytes(Vec<u8>),
    /// From a file, which each instance reads from its beginning. It is opened once, when an
    /// instance or a pool is made with the sandbox. It may be a FIFO: the guest then waits for a
    /// writer, as long as its call may.
    File(PathBuf),
    /// From the standard input of the process, which all its readers share.
    Inherit,
}

/// Nothing.
impl Default for Input {
    fn default() -> Input {
        Input::Bytes(Vec::new())
    }
}

impl From<Vec<u8>> for Input {
    fn from(bytes: Vec<u8>) -> Input {
        Input::Bytes(bytes)
    }
}

/// An open source of input.
pub(crate) enum Source {
    Bytes { bytes: Vec<u8>, read: usize },
    Host(Descriptor),
}

impl Source {
    /// # Errors
    ///
    /// `denied` when the file can't be opened.
    pub(crate) fn new(input: &Input, given: &Given) -> Result<Source> {
        if let Some(file) = given.stdin()? {
            return Ok(Source::Host(file));
        }
        Ok(match input {
            Input::Bytes(bytes) => Source::Bytes { bytes: bytes.clone(), read: 0 },
            Input::Inherit | Input::File(_) => Source::Host(descriptor::stdin()),
        })
    }

    /// Reads some bytes, and waits for them as long as the budget lasts, if it `blocks`; 0 at the
    /// end. The inner error is for the guest.
    pub(crate) async fn read(&mut self, buffer: &mut [u8], blocks: bool, driver: Driver, budget: &Budget) -> Result<io::Result<usize>> {
        let descriptor = match self {
            Source::Bytes { bytes, read } => {
                let rest = &bytes[*read..];
                let count = rest.len().min(buffer.len());
                buffer[..count].copy_from_slice(&rest[..count]);
                *read += count;
                return Ok(Ok(count));
            }
            Source::Host(descriptor) => descriptor,
        };
        loop {
            match descriptor.read(buffer).transpose() {
                Some(done) => return Ok(done),
                None if !blocks => return Ok(Err(io::ErrorKind::WouldBlock.into())),
                None => {
                    budget.look(driver)?;
                    driver.pause(&[(descriptor, Wants::Read)], budget, None).await;
                }
            }
        }
    }

    /// How many bytes can be read without waiting, as far as is known: `Some(0)` at the end, `None`
    /// if a read would wait.
    pub(crate) fn ready(&self) -> Option<u64> {
        match self {
            Source::Bytes { bytes, read } => Some((bytes.len() - read) as u64),
            Source::Host(descriptor) => descriptor.is_ready(Wants::Read).then_some(1),
        }
    }

    /// What to wait for, if a read may wait.
    pub(crate) fn descriptor(&self) -> Option<&Descriptor> {
        match self {
            Source::Bytes { .. } => None,
            Source::Host(descriptor) => Some(descriptor),
        }
    }
}
