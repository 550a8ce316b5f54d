//! Opening files. Nothing blocks here: files are opened in non-blocking mode, and their type is
//! checked afterwards.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use cap_primitives::fs::{FollowSymlinks, Metadata, OpenOptions, open};

use crate::platform::descriptor::Descriptor;
use crate::wasi::call::Call;
use crate::wasi::call::Failed;
use crate::wasi::errno;
use crate::wasi::files::number;
use crate::wasi::files::status;
use crate::wasi::files::table::{Dir, Entry, Found, Null, OpenFile, Place};
use crate::wasi::files::{failed, flags};
use crate::wasi::owned_fd;
use crate::wasi::pipes::Pipe;

/// How often to try to open a pipe without a reader.
const LOOK: Duration = Duration::from_millis(5);

/// Flags of preview 1: for looking up, for opening, rights, and descriptors.
pub(crate) const FOLLOW: i32 = 1;
const CREATE: i32 = 1;
const DIRECTORY: i32 = 2;
const EXCLUSIVE: i32 = 4;
const TRUNCATE: i32 = 8;
const READ: i64 = 1 << 1;
const WRITE: i64 = 1 << 6;
pub(crate) const APPEND: i32 = 1;
pub(crate) const NONBLOCK: i32 = 4;
/// All flags for descriptors; those beside APPEND and NONBLOCK are about flushing to the disk.
pub(crate) const DESCRIPTOR_FLAGS: i32 = 31;

/// The parameters of `path_open`: directory, lookup flags, the path and its length, open flags,
/// rights and inherited rights, descriptor flags, and the place for the new number.
pub(crate) type PathOpen = (i32, i32, i32, i32, i32, i64, i64, i32, i32);

/// What the guest asks for.
#[derive(Clone, Copy)]
struct Wanted {
    follow: bool,
    how: i32,
    reads: bool,
    writes: bool,
    appends: bool,
}

impl Wanted {
    fn has(self, flag: i32) -> bool {
        self.how & flag != 0
    }

    /// Creates or truncates through custom flags, because the options can't do that for a file that
    /// is opened for reading only.
    fn options(self) -> OpenOptions {
        let mut options = OpenOptions::new();
        options.read(self.reads).write(self.writes);
        options._cap_fs_ext_follow(if self.follow { FollowSymlinks::Yes } else { FollowSymlinks::No });
        #[cfg(unix)]
        {
            let mut custom = libc::O_NONBLOCK | libc::O_NOCTTY;
            for (flag, own) in [
                (CREATE, libc::O_CREAT),
                (DIRECTORY, libc::O_DIRECTORY),
                (CREATE | EXCLUSIVE, libc::O_CREAT | libc::O_EXCL),
                (TRUNCATE, libc::O_TRUNC),
            ] {
                custom |= if self.how & flag == flag { own } else { 0 };
            }
            custom |= if self.appends { libc::O_APPEND } else { 0 };
            cap_primitives::fs::OpenOptionsExt::custom_flags(&mut options, custom);
        }
        #[cfg(windows)]
        {
            let makes = self.has(CREATE | TRUNCATE);
            options.write(self.writes || makes).create(self.has(CREATE)).truncate(self.has(TRUNCATE));
            options.create_new(self.has(CREATE) && self.has(EXCLUSIVE))._cap_fs_ext_maybe_dir(true);
        }
        options
    }
}

pub(crate) async fn path_open(mut call: Call<'_>, args: PathOpen) -> Result<(), Failed> {
    let (dir, look_up, at, len, how, rights, _, state, to) = args;
    // The guest could not close a file whose number it does not get.
    call.memory.bytes(to, 4)?;
    if to % 4 != 0 {
        return Err(Failed::Number(errno::FAULT));
    }
    let follow = flags(look_up, FOLLOW)? != 0;
    let (how, state) = (flags(how, CREATE | DIRECTORY | EXCLUSIVE | TRUNCATE)?, flags(state, DESCRIPTOR_FLAGS)?);
    let path = call.text(at, len)?;
    if matches!(call.wasi.files.find(dir), Some(Entry::File(_) | Entry::Null(_))) {
        return Err(Failed::Number(errno::NOTDIR));
    }
    let found = call.wasi.files.look_up(dir, &path)?;
    owned_fd::has_room(call.wasi)?;
    if state & !(APPEND | NONBLOCK) != 0 {
        return Err(Failed::Number(errno::NOTSUP));
    }
    if how & DIRECTORY != 0 && how != DIRECTORY {
        return Err(Failed::Number(errno::INVAL));
    }
    let writes = rights & WRITE != 0;
    let wanted = Wanted { follow, how, reads: rights & READ != 0 || !writes, writes, appends: state & APPEND != 0 };
    let number = match found {
        Found::Host { dir, readonly, path } => open_there(&mut call, dir, readonly, path, wanted, state & NONBLOCK == 0).await?,
        found => {
            let entry = open_in_root(found, wanted)?;
            call.wasi.files.add(entry)
        }
    };
    call.result(to, &number.to_le_bytes())
}

/// Opens what is not in a directory of the host.
fn open_in_root(found: Found, wanted: Wanted) -> Result<Entry, i32> {
    match found {
        _ if wanted.has(EXCLUSIVE) && wanted.has(CREATE) && !matches!(found, Found::Missing { .. }) => Err(errno::EXIST),
        Found::Null if wanted.has(DIRECTORY) => Err(errno::NOTDIR),
        Found::Null => Ok(Entry::Null(Null { reads: wanted.reads, writes: wanted.writes })),
        Found::Root(_) if wanted.writes || wanted.has(TRUNCATE | CREATE) => Err(errno::ISDIR),
        Found::Root(names) => Ok(Entry::Dir(Dir { place: Place::Root(names), readonly: true, name: None })),
        Found::Missing { parent: true } if wanted.has(CREATE) => Err(errno::PERM),
        Found::Missing { .. } | Found::Host { .. } => Err(errno::NOENT),
    }
}

async fn open_there(
    call: &mut Call<'_>,
    dir: Arc<File>,
    readonly: bool,
    path: String,
    mut wanted: Wanted,
    blocks: bool,
) -> Result<i32, Failed> {
    let mut makes = false;
    if readonly {
        if wanted.writes || wanted.has(TRUNCATE) || wanted.has(CREATE) && wanted.has(EXCLUSIVE) {
            return Err(Failed::Number(errno::PERM));
        }
        // An existing file may still be opened.
        makes = wanted.has(CREATE);
        wanted.how &= !CREATE;
    }
    let path: Arc<str> = path.into();
    let (file, kind) = loop {
        let (dir, path) = (dir.clone(), path.clone());
        let work = move || {
            let file = open(&dir, Path::new(&*path), &wanted.options()).map_err(|error| missed(error, &dir, Path::new(&*path)))?;
            let found = Metadata::from_file(&file)?;
            Ok((file, found.file_type()))
        };
        // Truncating a large file takes a while.
        let opened = match wanted.has(TRUNCATE) {
            true => call.driver.aside(&call.wasi.budget, work).await?,
            false => call.driver.blocking(work).await,
        };
        match opened {
            Err(error) if waits(&error, wanted.writes && blocks) => {
                call.wasi.budget.look(call.driver)?;
                call.driver.pause(&[], &call.wasi.budget, Some(LOOK)).await;
            }
            Err(error) if makes && number(&error) == errno::NOENT => return Err(Failed::Number(errno::PERM)),
            opened => break opened.map_err(|error| failed(&error))?,
        }
    };
    match status::kind(kind) {
        status::DIRECTORY => {
            let place = Place::Host(Arc::new(file));
            Ok(call.wasi.files.add(Entry::Dir(Dir { place, readonly, name: None })))
        }
        status::REGULAR => {
            let Wanted { reads, writes, appends, .. } = wanted;
            let open = OpenFile { file: Arc::new(file), readonly, reads, writes, at: 0, appends, nonblocking: !blocks };
            Ok(call.wasi.files.add(Entry::File(open)))
        }
        // Pipes, terminals and other devices have no position, and may have nothing to read for a
        // while.
        kind => call.wasi.pipes.add(Pipe { descriptor: Descriptor::File(file), blocks, kind }),
    }
}

/// Distinguishes a pipe without a reader, so far, from what can't be opened at all, such as a
/// socket.
fn missed(error: io::Error, dir: &File, path: &Path) -> io::Error {
    #[cfg(unix)]
    if error.raw_os_error() == Some(libc::ENXIO) {
        use cap_primitives::fs::FileTypeExt as _;
        let found = cap_primitives::fs::stat(dir, path, FollowSymlinks::Yes);
        if !found.is_ok_and(|found| found.file_type().is_fifo()) {
            return io::Error::from_raw_os_error(libc::ENODEV);
        }
    }
    let _ = (dir, path);
    error
}

/// Whether to try again soon: a writer waits for a reader of its pipe, or another process holds the
/// file.
fn waits(error: &io::Error, for_reader: bool) -> bool {
    #[cfg(unix)]
    return match error.raw_os_error() {
        Some(libc::ENXIO) => for_reader,
        Some(libc::EWOULDBLOCK | libc::EINTR) => true,
        _ => false,
    };
    #[cfg(not(unix))]
    return {
        let _ = (error, for_reader);
        false
    };
}
