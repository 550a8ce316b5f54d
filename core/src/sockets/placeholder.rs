//! What keeps the numbers of listeners that were handed in from files, whose numbers wasmtime-wasi gives: it takes a folder for each that is empty, and gone.

use std::env;
use std::fs::{self, DirBuilder};
use std::io;
use std::path::PathBuf;
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

use wasmtime_wasi::{FsPerms, WasiCtxBuilder};

use crate::error::{Error, ErrorKind, Result};

/// Takes so many numbers behind those of the directories. No function that a guest has comes to these folders, as the numbers are those of sockets; should one do
/// so all the same, there is nothing in them, and nothing can be put there.
///
/// # Errors
///
/// `denied` where no folder can be made.
pub(crate) fn keep_numbers(builder: &mut WasiCtxBuilder, count: usize) -> Result<()> {
    if count == 0 {
        return Ok(());
    }
    let refused = |error: &dyn std::fmt::Display| {
        let text = format!("listeners need a folder for a moment, which can't be made in {}: {error}", env::temp_dir().display());
        Error::new(ErrorKind::Denied, text)
    };
    let folder = Folder::new().map_err(|error| refused(&error))?;
    for _ in 0..count {
        builder.preopened_dir(&folder.0, "", FsPerms::ReadOnly).map_err(|error| refused(&error))?;
    }
    Ok(())
}

/// A folder of this user's alone, until it is dropped.
struct Folder(PathBuf);

impl Folder {
    fn new() -> io::Result<Folder> {
        static MADE: AtomicU64 = AtomicU64::new(0);
        let mut builder = DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o500);
        loop {
            let name = format!("undergo-{}-{}", process::id(), MADE.fetch_add(1, Ordering::Relaxed));
            let path = env::temp_dir().join(name);
            match builder.create(&path) {
                Ok(()) => return Ok(Folder(path)),
                // Another process had this number, and was killed.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A folder that stays is empty, and does no harm.
        let _ = fs::remove_dir(&self.0);
    }
}
