//! A guest's files: the directories that the sandbox gives, what the guest opens in them, and an
//! empty root where none is given.
//!
//! Directories are opened once, when the sandbox is given to a plugin (`given`). Everything else is
//! resolved from there by descriptor: no path of the host is resolved again, whatever a guest does
//! to it meanwhile. The resolution never leaves its directory (`cap-primitives`), and opening never
//! blocks: pipes and devices are opened in non-blocking mode, and the call waits for them as long
//! as its budget lasts.
//!
//! From the bottom up: `changes`, `given`, `root`, `table`, `guest`, `status`, `temporary`,
//! `listing`, `open`, `names`, `content`.

use std::fs::File;
use std::io;

use crate::error::{Error, ErrorKind};
use crate::wasi::call::Failed;
use crate::wasi::errno;

pub(crate) mod changes;
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

/// The guest's number for an error of a directory operation.
pub(crate) fn number(error: &io::Error) -> i32 {
    match (error.raw_os_error(), error.kind()) {
        // The path leads out of the directory; the system was not asked.
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

/// An argument for which the specification has no error number, and which no toolchain's library
/// passes: the guest ends.
fn trap(what: &str) -> Failed {
    Failed::Ended(Error::new(ErrorKind::Trap, format!("the guest gave WASI {what}")))
}

/// Flags, all of which must be known.
fn flags(given: i32, known: i32) -> Result<i32, Failed> {
    if given & !known == 0 { Ok(given) } else { Err(trap(&format!("the flags {given:#x}, which have no meaning"))) }
}

/// Reads and writes at an offset of a file.
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
