//! A guest's files: the directories that it is given, what it opens in them, and an empty root where it is given none.
//!
//! Directories are opened once, when the sandbox is given to a plugin (`given`), and everything else is looked up from there by descriptor: no path
//! of the host is looked at again, whatever a guest does to it meanwhile. The lookups never leave their directory (`cap-primitives`), and no open
//! waits: pipes and devices are opened without blocking, and the call waits for them as long as its budget lasts.
//!
//! Downwards: `given`, `root`, `table`, `guest`, `status`, `temporary`, `listing`, `open`, `names`, `content`.

use std::fs::File;
use std::io;

use crate::error::{Error, ErrorKind};
use crate::wasi::call::Failed;
use crate::wasi::errno;

pub(crate) mod content;
pub(crate) mod given;
pub(crate) mod guest;
pub(crate) mod listing;
pub(crate) mod names;
pub(crate) mod open;
mod root;
mod status;
pub(crate) mod table;
pub(crate) mod temporary;

/// The guest's number for what went wrong in a directory.
pub(crate) fn number(error: &io::Error) -> i32 {
    match (error.raw_os_error(), error.kind()) {
        // What would leave the directory: the system was not asked.
        (None, io::ErrorKind::PermissionDenied) => errno::PERM,
        (None, io::ErrorKind::NotFound) => errno::NOENT,
        (None, io::ErrorKind::AlreadyExists) => errno::EXIST,
        (None, io::ErrorKind::NotADirectory) => errno::NOTDIR,
        (None, io::ErrorKind::IsADirectory) => errno::ISDIR,
        (None, io::ErrorKind::Unsupported) => errno::NOTSUP,
        _ => errno::from_system(error),
    }
}

fn failed(error: &io::Error) -> Failed {
    Failed::Number(number(error))
}

/// What the specification has no number for, and no toolchain's library passes on: the guest ends.
fn trap(what: &str) -> Failed {
    Failed::Ended(Error::new(ErrorKind::Trap, format!("the guest gave WASI {what}")))
}

/// Flags of which it knows all.
fn flags(given: i32, known: i32) -> Result<i32, Failed> {
    if given & !known == 0 { Ok(given) } else { Err(trap(&format!("the flags {given:#x}, which have no meaning"))) }
}

/// Bytes of the host's memory and of the guest's, at a place in a file.
#[cfg(unix)]
use std::os::unix::fs::FileExt;

#[cfg(unix)]
fn read_at(file: &File, bytes: &mut [u8], at: u64) -> io::Result<usize> {
    file.read_at(bytes, at)
}

#[cfg(unix)]
fn write_at(file: &File, bytes: &[u8], at: u64) -> io::Result<usize> {
    file.write_at(bytes, at)
}

#[cfg(windows)]
fn read_at(file: &File, bytes: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, bytes, at)
}

#[cfg(windows)]
fn write_at(file: &File, bytes: &[u8], at: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_write(file, bytes, at)
}
