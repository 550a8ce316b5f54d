//! Functions of preview 1 for an open file or directory.

use std::sync::Arc;

use cap_primitives::fs::Metadata;

use crate::sched::driver::Driver;
use crate::wasi::call::Call;
use crate::wasi::call::Failed;
use crate::wasi::errno;
use crate::wasi::files::names::{Times, checked_advice};
use crate::wasi::files::open::{APPEND, DESCRIPTOR_FLAGS, NONBLOCK};
use crate::wasi::files::status;
use crate::wasi::files::table::{Entry, Files, OpenFile, Place};
use crate::wasi::files::{flags, read_at, write_at};
use crate::wasi::stdio::streams::Standard;

/// Rights of preview 1 that are reported. The core does not restrict descriptors by rights.
const ALL_RIGHTS: u64 = (1 << 30) - 1;
const READ: u64 = 1 << 1;
const SEEK: u64 = 1 << 2;
const WRITE: u64 = 1 << 6;
const READDIR: u64 = 1 << 14;
const PATH_SET_SIZE: u64 = 1 << 19;
const SET_SIZE: u64 = 1 << 22;
/// Rights that only files have.
const OF_FILES: u64 = READ | SEEK | WRITE | 1 | 1 << 3 | 1 << 4 | 1 << 5 | 1 << 7 | 1 << 8 | SET_SIZE | 1 << 27;
/// Rights that many programs expect of a directory that the sandbox gives.
const OF_DIRS: u64 = 1 << 9
    | 1 << 10
    | 1 << 11
    | 1 << 12
    | 1 << 13
    | READDIR
    | 1 << 15
    | 1 << 16
    | 1 << 17
    | 1 << 18
    | 1 << 20
    | 1 << 21
    | 1 << 23
    | 1 << 24
    | 1 << 25
    | 1 << 26;

/// Reads at an offset, or at the current one.
pub(crate) async fn read(mut call: Call<'_>, (fd, buffers, count, done): (i32, i32, i32, i32), at: Option<u64>) -> Result<(), Failed> {
    let (start, len) = call.first(buffers, count)?;
    call.place(done, 4)?;
    let count = match call.wasi.files.find(fd) {
        Some(Entry::Null(null)) if null.reads => 0,
        Some(Entry::File(open)) => {
            let (file, at) = (open.file.clone(), at.unwrap_or(open.at));
            match call.driver {
                Driver::Direct => read_at(&file, &mut call.memory.0[start..start + len], at).map_err(|error| super::failed(&error))?,
                Driver::Fiber => {
                    let work = move || {
                        let mut bytes = vec![0; len];
                        let count = read_at(&file, &mut bytes, at)?;
                        bytes.truncate(count);
                        Ok(bytes)
                    };
                    let bytes = call.ask(work).await?;
                    call.memory.0[start..start + bytes.len()].copy_from_slice(&bytes);
                    bytes.len()
                }
            }
        }
        // The error that `os.ReadFile` of a directory has on other systems.
        Some(Entry::Dir(_)) if at.is_none() => return Err(Failed::Number(errno::ISDIR)),
        Some(Entry::Kept) if at.is_some() => return Err(Failed::Number(errno::SPIPE)),
        _ => return Err(Failed::Number(errno::BADF)),
    };
    if at.is_none() {
        advance(&mut call, fd, count)?;
    }
    call.result(done, &(count as u32).to_le_bytes())
}

/// Writes at an offset, or at the current one.
pub(crate) async fn write(mut call: Call<'_>, (fd, buffers, count, done): (i32, i32, i32, i32), at: Option<u64>) -> Result<(), Failed> {
    let (start, len) = call.first(buffers, count)?;
    call.place(done, 4)?;
    let count = match call.wasi.files.find(fd) {
        Some(Entry::Null(null)) if null.writes => len,
        Some(Entry::File(open)) => {
            let (file, to, appends) = (open.file.clone(), at.unwrap_or(open.at), open.appends);
            let bytes = &call.memory.0[start..start + len];
            match call.driver {
                Driver::Direct => put(&file, bytes, to, appends).map_err(|error| super::failed(&error))?,
                Driver::Fiber => {
                    let bytes = bytes.to_vec();
                    call.ask(move || put(&file, &bytes, to, appends)).await?
                }
            }
        }
        Some(Entry::Kept) if at.is_some() => return Err(Failed::Number(errno::SPIPE)),
        _ => return Err(Failed::Number(errno::BADF)),
    };
    if at.is_none() {
        advance(&mut call, fd, count)?;
    }
    call.result(done, &(count as u32).to_le_bytes())
}

/// For a file in append mode the system finds the end, since others may write there too.
fn put(file: &std::fs::File, bytes: &[u8], at: u64, appends: bool) -> std::io::Result<usize> {
    if !appends {
        return write_at(file, bytes, at);
    }
    #[cfg(unix)]
    return std::io::Write::write(&mut &*file, bytes);
    #[cfg(not(unix))]
    return write_at(file, bytes, file.metadata()?.len());
}

fn advance(call: &mut Call<'_>, fd: i32, count: usize) -> Result<(), Failed> {
    if let Some(Entry::File(open)) = call.wasi.files.find_mut(fd) {
        open.at = match open.appends {
            true => open.file.metadata().map_err(|error| super::failed(&error))?.len(),
            false => open.at.saturating_add(count as u64),
        };
    }
    Ok(())
}

pub(crate) async fn fd_seek(mut call: Call<'_>, (fd, offset, whence, to): (i32, i64, i32, i32)) -> Result<(), Failed> {
    call.place(to, 8)?;
    let moved = match call.wasi.files.find(fd) {
        Some(Entry::Kept) => return Err(Failed::Number(errno::SPIPE)),
        Some(Entry::Null(_)) => 0,
        Some(Entry::File(open)) => {
            let from = match whence {
                0 => 0,
                1 => open.at,
                2 => {
                    let file = open.file.clone();
                    call.ask(move || file.metadata()).await?.len()
                }
                // Go passes on what a program gives.
                _ => return Err(Failed::Number(errno::INVAL)),
            };
            from.checked_add_signed(offset).filter(|at| i64::try_from(*at).is_ok()).ok_or(errno::INVAL)?
        }
        _ => return Err(Failed::Number(errno::BADF)),
    };
    if let Some(Entry::File(open)) = call.wasi.files.find_mut(fd) {
        open.at = moved;
    }
    call.long(to, moved)
}

pub(crate) fn fd_tell(mut call: Call<'_>, fd: i32, to: i32) -> Result<(), Failed> {
    let at = match call.wasi.files.find(fd) {
        Some(Entry::Kept) => return Err(Failed::Number(errno::SPIPE)),
        Some(Entry::Null(_)) => 0,
        Some(Entry::File(open)) => open.at,
        _ => return Err(Failed::Number(errno::BADF)),
    };
    call.long(to, at)
}

pub(crate) async fn fd_filestat_set_size(call: Call<'_>, fd: i32, size: i64) -> Result<(), Failed> {
    let open = match call.wasi.files.find(fd) {
        Some(Entry::Null(_)) => return Err(Failed::Number(errno::INVAL)),
        _ => call.wasi.files.file(fd)?,
    };
    if open.readonly {
        return Err(Failed::Number(errno::PERM));
    }
    let size = u64::try_from(size).map_err(|_| errno::INVAL)?;
    let file = open.file.clone();
    call.ask_slowly(move || file.set_len(size)).await
}

pub(crate) async fn fd_filestat_set_times(call: Call<'_>, fd: i32, access: i64, change: i64, given: i32) -> Result<(), Failed> {
    let times = Times::new(access, change, given)?;
    let (file, readonly) = match call.wasi.files.find(fd) {
        Some(Entry::File(open)) => (open.file.clone(), open.readonly),
        Some(Entry::Dir(dir)) => match &dir.place {
            Place::Host(file) => (file.clone(), dir.readonly),
            Place::Root(_) => return Err(Failed::Number(errno::PERM)),
        },
        Some(Entry::Null(_)) => return Err(Failed::Number(errno::PERM)),
        _ => return Err(Failed::Number(errno::BADF)),
    };
    if readonly {
        return Err(Failed::Number(errno::PERM));
    }
    call.ask(move || times.set(&file)).await
}

/// Flushes to the disk: all of it, or the content only.
pub(crate) async fn fd_sync(call: Call<'_>, fd: i32, all: bool) -> Result<(), Failed> {
    let file = match call.wasi.files.find(fd) {
        Some(Entry::Null(_)) => return Err(Failed::Number(errno::INVAL)),
        Some(Entry::Dir(dir)) => match &dir.place {
            Place::Host(file) => file.clone(),
            Place::Root(_) => return Ok(()),
        },
        _ => call.wasi.files.file(fd)?.file.clone(),
    };
    call.ask_slowly(move || if all { file.sync_all() } else { file.sync_data() }).await
}

pub(crate) fn fd_advise(call: &Call<'_>, fd: i32, from: i64, count: i64, advice: i32) -> Result<(), Failed> {
    checked_advice(advice)?;
    call.wasi.files.file(fd)?;
    if from < 0 || count < 0 { Err(Failed::Number(errno::INVAL)) } else { Ok(()) }
}

/// Systems differ too much in it; libraries then write zeros, or do without.
pub(crate) fn fd_allocate(call: &Call<'_>, fd: i32) -> Result<(), Failed> {
    call.wasi.files.file(fd)?;
    Err(Failed::Number(errno::NOTSUP))
}

pub(crate) fn fd_fdstat_set_rights(call: &Call<'_>, fd: i32) -> Result<(), Failed> {
    match call.wasi.files.find(fd) {
        None | Some(Entry::Kept) => Err(Failed::Number(errno::BADF)),
        _ => Err(Failed::Number(errno::NOTSUP)),
    }
}

pub(crate) fn fd_fdstat_set_flags(files: &mut Files, fd: i32, given: i32) -> Result<(), Failed> {
    let given = flags(given, DESCRIPTOR_FLAGS)?;
    let open = match files.find_mut(fd) {
        Some(Entry::File(open)) => open,
        Some(Entry::Null(_)) => return Ok(()),
        _ => return Err(Failed::Number(errno::BADF)),
    };
    if given & !(APPEND | NONBLOCK) != 0 {
        return Err(Failed::Number(errno::INVAL));
    }
    set_append(&open.file, given & APPEND != 0).map_err(|error| super::failed(&error))?;
    (open.appends, open.nonblocking) = (given & APPEND != 0, given & NONBLOCK != 0);
    Ok(())
}

#[cfg(unix)]
fn set_append(file: &std::fs::File, appends: bool) -> std::io::Result<()> {
    use std::os::fd::AsRawFd as _;
    let flags = libc::O_NONBLOCK | if appends { libc::O_APPEND } else { 0 };
    // SAFETY: the file keeps the descriptor open, and nothing else uses this open file description.
    match unsafe { libc::fcntl(file.as_raw_fd(), libc::F_SETFL, flags) } {
        -1 => Err(std::io::Error::last_os_error()),
        _ => Ok(()),
    }
}

#[cfg(not(unix))]
fn set_append(_: &std::fs::File, _: bool) -> std::io::Result<()> {
    Ok(())
}

/// The type, flags and rights of a descriptor.
pub(crate) fn fd_fdstat_get(mut call: Call<'_>, fd: i32, to: i32) -> Result<(), Failed> {
    let of_file = |reads: bool, writes: bool| ALL_RIGHTS & !if reads { 0 } else { READ | READDIR } & !if writes { 0 } else { WRITE };
    let (kind, flags, rights, inherited) = match call.wasi.files.find(fd) {
        Some(Entry::Dir(dir)) if dir.name.is_some() => (status::DIRECTORY, 0, OF_DIRS, OF_DIRS | OF_FILES),
        Some(Entry::Dir(_)) => {
            let rights = ALL_RIGHTS & !(SEEK | SET_SIZE | PATH_SET_SIZE | WRITE);
            (status::DIRECTORY, 0, rights, rights)
        }
        Some(Entry::File(OpenFile { reads, writes, appends, nonblocking, .. })) => {
            let flags = if *appends { APPEND } else { 0 } | if *nonblocking { NONBLOCK } else { 0 };
            (status::REGULAR, flags, of_file(*reads, *writes), of_file(*reads, *writes))
        }
        Some(Entry::Null(null)) => (status::CHARACTERS, 0, of_file(null.reads, null.writes), of_file(null.reads, null.writes)),
        Some(Entry::Kept) => {
            let standard = call.wasi.standards.find(fd);
            let is_nonblocking = standard.is_some_and(|standard| call.wasi.standards.is_nonblocking(standard));
            let rights = if standard == Some(Standard::Input) { READ } else { WRITE };
            (status::UNKNOWN, if is_nonblocking { NONBLOCK } else { 0 }, rights, rights)
        }
        None => return Err(Failed::Number(errno::BADF)),
    };
    let mut bytes = [0; 24];
    (bytes[0], bytes[2]) = (kind, flags as u8);
    bytes[8..16].copy_from_slice(&rights.to_le_bytes());
    bytes[16..].copy_from_slice(&inherited.to_le_bytes());
    call.result(to, &bytes)
}

pub(crate) async fn fd_filestat_get(mut call: Call<'_>, fd: i32, to: i32) -> Result<(), Failed> {
    call.place(to, status::SIZE)?;
    let file = match call.wasi.files.find(fd) {
        Some(Entry::File(open)) => open.file.clone(),
        Some(Entry::Dir(dir)) => match &dir.place {
            Place::Host(file) => Arc::clone(file),
            Place::Root(_) => return call.result(to, &status::made_up(status::DIRECTORY)),
        },
        Some(Entry::Null(_)) => return call.result(to, &status::made_up(status::CHARACTERS)),
        Some(Entry::Kept) => return call.result(to, &[0; status::SIZE as usize]),
        None => return Err(Failed::Number(errno::BADF)),
    };
    let found = call.ask(move || Metadata::from_file(&file)).await?;
    call.result(to, &status::of(&found))
}
