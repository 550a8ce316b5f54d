//! Named pipes in a guest's directories. wasmtime-wasi reads files by place, which a pipe has none of, and opens them as they are, which waits in the system for
//! somebody at the other end: nothing could end that. So a pipe is found out before it is opened, and opened here.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cap_primitives::fs::{OpenOptions, open};
use wasmtime_wasi::p1::wasi_snapshot_preview1 as preview1;
use wiggle::GuestMemory;

use crate::config::Sandbox;
use crate::descriptor::{Descriptor, Waiting, Wants};
use crate::errno;
use crate::patience::Patience;
use crate::sockets::Failed;
use crate::state::State;

/// The first number of a pipe: behind those of files, before those of sockets.
const FIRST: i32 = 1 << 29;

/// Numbers that there are for pipes: more than any guest has.
const MOST: usize = 1 << 20;

/// Longest path that is looked at; a longer one is none to any system.
const MOST_PATH: u32 = 4096;

/// How often a pipe is looked at whose other end nobody has open.
const LOOK: Duration = Duration::from_millis(5);

/// Flags of preview 1: for opening, rights, and descriptors.
pub(crate) const CREATE: i32 = 1;
const DIRECTORY: i32 = 2;
pub(crate) const EXCLUSIVE: i32 = 4;
pub(crate) const TRUNCATE: i32 = 8;
const READ: i64 = 1 << 1;
pub(crate) const WRITE: i64 = 1 << 6;
const NONBLOCK: i32 = 4;

/// The pipes of a guest, by their numbers.
pub(crate) struct Pipes {
    /// The sandbox's directories, of which the first has the number 3; `None` for what the guest has closed.
    dirs: Vec<Option<(PathBuf, bool)>>,
    /// From [`FIRST`] on.
    open: Vec<Option<Pipe>>,
}

/// An open pipe.
pub(crate) struct Pipe {
    pub(crate) descriptor: Descriptor,
    /// Whether what can't be done at once waits.
    pub(crate) blocks: bool,
}

/// What `path_open` is asked.
#[derive(Clone, Copy)]
pub(crate) struct Wanted<'p> {
    pub(crate) dir: i32,
    pub(crate) look_up: i32,
    pub(crate) path: &'p str,
    pub(crate) rights: i64,
    pub(crate) flags: i32,
}

impl Pipes {
    pub(crate) fn new(sandbox: &Sandbox) -> Pipes {
        Pipes { dirs: sandbox.dirs.iter().map(|(_, dir)| Some((dir.path.clone(), dir.readonly))).collect(), open: Vec::new() }
    }

    pub(crate) fn find(&self, number: i32) -> Option<&Pipe> {
        self.open.get(place(number)?)?.as_ref()
    }

    pub(crate) fn find_mut(&mut self, number: i32) -> Option<&mut Pipe> {
        self.open.get_mut(place(number)?)?.as_mut()
    }

    /// How many are open.
    pub(crate) fn count(&self) -> usize {
        self.open.iter().flatten().count()
    }

    /// Whether the number is for pipes only, whether or not there is one.
    pub(crate) fn is_own(number: i32) -> bool {
        place(number).is_some()
    }

    /// Takes note that a descriptor has another number: neither is a directory of the sandbox's own then, as far as is known here.
    pub(crate) fn renumbered(&mut self, from: i32, to: i32) {
        if from != to {
            for number in [from, to] {
                if let Some(dir) = self.dir_mut(number) {
                    *dir = None;
                }
            }
        }
    }

    /// Takes note that the guest closes a descriptor. Gives whether it was a pipe.
    pub(crate) fn close(&mut self, number: i32) -> bool {
        if let Some(dir) = self.dir_mut(number) {
            *dir = None;
        }
        place(number).and_then(|place| self.open.get_mut(place)?.take()).is_some()
    }

    /// Where one of the sandbox's directories is, for as long as the guest has it.
    pub(crate) fn dir(&self, number: i32) -> Option<&Path> {
        self.dirs.get(usize::try_from(number.checked_sub(3)?).ok()?)?.as_ref().map(|(path, _)| path.as_path())
    }

    fn dir_mut(&mut self, number: i32) -> Option<&mut Option<(PathBuf, bool)>> {
        self.dirs.get_mut(usize::try_from(number.checked_sub(3)?).ok()?)
    }

    fn add(&mut self, pipe: Pipe) -> Result<i32, Failed> {
        let place = self.open.iter().position(Option::is_none).unwrap_or(self.open.len());
        if place == MOST {
            return Err(Failed::Number(errno::MFILE));
        }
        if place == self.open.len() {
            self.open.push(None);
        }
        self.open[place] = Some(pipe);
        // Bounded by MOST.
        Ok(FIRST + place as i32)
    }
}

fn place(number: i32) -> Option<usize> {
    number.checked_sub(FIRST).and_then(|place| usize::try_from(place).ok()).filter(|place| *place < MOST)
}

/// Whether `path_open` may be about a pipe, and has to be looked at.
pub(crate) fn may_be(state: &State, how: i32, path_len: u32) -> bool {
    let makes = how & (CREATE | EXCLUSIVE) == CREATE | EXCLUSIVE;
    cfg!(unix) && !state.pipes.dirs.is_empty() && !makes && how & DIRECTORY == 0 && path_len <= MOST_PATH
}

/// Opens a pipe, and gives its number; `None` for what is none, which wasmtime-wasi opens. It waits for the other end as the system would, but no longer than the
/// call's patience.
///
/// # Errors
///
/// `NOTSUP` for a pipe in a directory that is not the sandbox's own.
pub(crate) async fn open_pipe(wanted: Wanted<'_>, state: &mut State, waiting: Waiting) -> Result<Option<i32>, Failed> {
    if !is_strange(wanted, state, waiting).await {
        return Ok(None);
    }
    let State { pipes, patience, .. } = state;
    let (dir, readonly) = pipes.dir_mut(wanted.dir).cloned().flatten().ok_or(errno::NOTSUP)?;
    let writes = wanted.rights & WRITE != 0;
    if writes && readonly {
        return Err(Failed::Number(errno::PERM));
    }
    // Nobody waits here, whatever it is that stands there by now.
    let mut options = OpenOptions::new();
    options.read(wanted.rights & READ != 0 || !writes).write(writes);
    #[cfg(unix)]
    cap_primitives::fs::OpenOptionsExt::custom_flags(&mut options, libc::O_NONBLOCK);
    let dir = File::open(dir)?;
    let file = loop {
        match open(&dir, Path::new(wanted.path), &options) {
            Err(error) if is_lonely(&error) && wanted.flags & NONBLOCK == 0 => {
                waiting.check(patience)?;
                waiting.pause(&[], patience, Some(LOOK)).await;
            }
            opened => break opened?,
        }
    };
    if !is_pipe(&file)? {
        return Ok(None);
    }
    pipes.add(Pipe { descriptor: Descriptor::File(file), blocks: wanted.flags & NONBLOCK == 0 }).map(Some)
}

/// Whether the path leads to what preview 1 has no name for, as pipes are. What can't be found out is not.
async fn is_strange(wanted: Wanted<'_>, state: &mut State, waiting: Waiting) -> bool {
    const STAT: u32 = 64;
    let mut bytes = [&[0xFF; STAT as usize][..], wanted.path.as_bytes()].concat();
    let mut memory = GuestMemory::Unshared(&mut bytes);
    let len = wanted.path.len() as i32;
    let found = preview1::path_filestat_get(&mut state.wasi, &mut memory, wanted.dir, wanted.look_up, STAT as i32, len, 0);
    waiting.run(found).await.is_ok_and(|said| said == errno::SUCCESS) && bytes[16] == 0
}

/// Nobody reads at the other end, which who only writes has to wait for.
fn is_lonely(error: &io::Error) -> bool {
    #[cfg(unix)]
    return error.raw_os_error() == Some(libc::ENXIO);
    #[cfg(not(unix))]
    return {
        let _ = error;
        false
    };
}

fn is_pipe(file: &File) -> io::Result<bool> {
    let kind = file.metadata()?.file_type();
    #[cfg(unix)]
    return Ok(std::os::unix::fs::FileTypeExt::is_fifo(&kind));
    #[cfg(not(unix))]
    return {
        let _ = kind;
        Ok(false)
    };
}

impl Pipe {
    /// Reads what is there, and waits for it as long as the patience lasts; 0 at the end.
    pub(crate) async fn read(&self, buffer: &mut [u8], waiting: Waiting, patience: &Patience) -> Result<usize, Failed> {
        loop {
            if let Some(count) = self.descriptor.read(buffer)? {
                return Ok(count);
            }
            self.wait(Wants::Read, waiting, patience).await?;
        }
    }

    /// Writes some of the bytes, and waits until there is room for any.
    pub(crate) async fn write(&self, bytes: &[u8], waiting: Waiting, patience: &Patience) -> Result<usize, Failed> {
        loop {
            if let Some(count) = self.descriptor.write(bytes)? {
                return Ok(count);
            }
            self.wait(Wants::Write, waiting, patience).await?;
        }
    }

    async fn wait(&self, wants: Wants, waiting: Waiting, patience: &Patience) -> Result<(), Failed> {
        if !self.blocks {
            return Err(Failed::Number(errno::AGAIN));
        }
        waiting.check(patience)?;
        waiting.pause(&[(&self.descriptor, wants)], patience, None).await;
        Ok(())
    }
}
