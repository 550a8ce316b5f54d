//! The arguments of functions for files: paths, lists of buffers, places for results.

use std::io;

use crate::wasi::call::Call;
use crate::wasi::call::Failed;
use crate::wasi::errno;
use crate::wasi::files::table::Found;
use crate::wasi::files::{failed, trap};

/// The longest path; no system accepts longer ones.
const MOST_PATH: u32 = 1 << 16;

/// A pointer outside the guest's memory ends the guest: the specification has no error number for
/// it.
fn outside(_: Failed) -> Failed {
    trap("a pointer to what lies outside its memory")
}

impl Call<'_> {
    pub(crate) fn text(&self, at: i32, len: i32) -> Result<String, Failed> {
        if len as u32 > MOST_PATH {
            self.memory.bytes(at, len as u32).map_err(outside)?;
            return Err(Failed::Number(errno::NAMETOOLONG));
        }
        let bytes = self.memory.bytes(at, len as u32).map_err(outside)?;
        let text = std::str::from_utf8(bytes).map_err(|_| Failed::Number(errno::ILSEQ))?;
        // No system has such a name, and none should see only the part before the zero.
        if text.contains('\0') { Err(Failed::Number(errno::INVAL)) } else { Ok(text.to_owned()) }
    }

    /// Resolves the path at an address, from the directory at a number.
    pub(crate) fn look_up(&self, dir: i32, at: i32, len: i32) -> Result<Found, Failed> {
        let text = self.text(at, len)?;
        Ok(self.wasi.files.look_up(dir, &text)?)
    }

    /// Checks that the memory has room for a result.
    pub(crate) fn place(&self, at: i32, len: u32) -> Result<(), Failed> {
        self.memory.bytes(at, len).map(drop).map_err(outside)
    }

    pub(crate) fn result(&mut self, at: i32, bytes: &[u8]) -> Result<(), Failed> {
        self.memory.bytes_mut(at, bytes.len() as u32).map_err(outside)?.copy_from_slice(bytes);
        Ok(())
    }

    pub(crate) fn long(&mut self, at: i32, number: u64) -> Result<(), Failed> {
        self.result(at, &number.to_le_bytes())
    }

    /// The first buffer of a list that is not empty, up to as many bytes as one call transfers.
    pub(crate) fn first(&self, buffers: i32, count: i32) -> Result<(usize, usize), Failed> {
        let pieces = self.memory.pieces(buffers, count).map_err(|wrong| match wrong {
            Failed::Number(errno::FAULT) => outside(wrong),
            wrong => wrong,
        })?;
        Ok(pieces.first().copied().unwrap_or_default())
    }

    /// Runs a system call that is expected to return at once: see `Driver::blocking`.
    pub(crate) fn ask<R: Send + 'static, W: FnOnce() -> io::Result<R> + Send + 'static>(
        &self,
        work: W,
    ) -> impl Future<Output = Result<R, Failed>> + Send + use<R, W> {
        let driver = self.driver;
        async move { driver.blocking(work).await.map_err(|error| failed(&error)) }
    }

    /// Runs a system call that may take long: see `Driver::aside`.
    pub(crate) fn ask_slowly<R: Send + 'static>(
        &self,
        work: impl FnOnce() -> io::Result<R> + Send + 'static,
    ) -> impl Future<Output = Result<R, Failed>> + Send {
        let (driver, budget) = (self.driver, &self.wasi.budget);
        async move { driver.aside(budget, work).await?.map_err(|error| failed(&error)) }
    }
}
