//! Functions of preview 1 for the names in directories.

use std::fs::{File, FileTimes};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use cap_primitives::fs::{
    DirOptions, FollowSymlinks, OpenOptions, SystemTimeSpec, create_dir, hard_link, open, read_link, remove_dir, remove_file, rename, stat,
};

use crate::wasi::call::Call;
use crate::wasi::call::Failed;
use crate::wasi::errno;
use crate::wasi::files::changes::change;
use crate::wasi::files::open::FOLLOW;
use crate::wasi::files::status;
use crate::wasi::files::table::Found;
use crate::wasi::files::{flags, trap};

/// A directory of the host, and the path in it.
type There = (Arc<File>, String);

/// Where to create something.
fn to_make(found: Found) -> Result<There, i32> {
    match found {
        Found::Host { dir, readonly: false, path } => Ok((dir, path)),
        Found::Host { .. } | Found::Missing { parent: true } => Err(errno::PERM),
        Found::Root(_) | Found::Null => Err(errno::EXIST),
        Found::Missing { .. } => Err(errno::NOENT),
    }
}

/// Where to change or remove something that exists.
fn to_change(found: Found) -> Result<There, i32> {
    match found {
        Found::Host { dir, readonly: false, path } => Ok((dir, path)),
        Found::Host { .. } | Found::Root(_) | Found::Null => Err(errno::PERM),
        Found::Missing { .. } => Err(errno::NOENT),
    }
}

pub(crate) async fn path_create_directory(call: Call<'_>, (dir, at, len): (i32, i32, i32)) -> Result<(), Failed> {
    let (dir, path) = to_make(call.look_up(dir, at, len)?)?;
    call.ask(move || change(|| create_dir(&dir, path.as_ref(), &DirOptions::new()))).await
}

pub(crate) async fn path_remove_directory(call: Call<'_>, (dir, at, len): (i32, i32, i32)) -> Result<(), Failed> {
    let (dir, path) = to_change(call.look_up(dir, at, len)?)?;
    call.ask(move || remove_dir(&dir, path.as_ref())).await
}

pub(crate) async fn path_unlink_file(call: Call<'_>, (dir, at, len): (i32, i32, i32)) -> Result<(), Failed> {
    let (dir, path) = to_change(call.look_up(dir, at, len)?)?;
    // Freeing a large file takes a while.
    call.ask_slowly(move || remove_file(&dir, path.as_ref())).await
}

pub(crate) async fn path_rename(
    call: Call<'_>,
    (dir, at, len, new_dir, new_at, new_len): (i32, i32, i32, i32, i32, i32),
) -> Result<(), Failed> {
    let (from, to) = (call.look_up(dir, at, len)?, call.look_up(new_dir, new_at, new_len)?);
    let (dir, path) = to_change(from)?;
    let (new_dir, new_path) = to_make(to)?;
    // The target is replaced, and freeing a large file takes a while.
    call.ask_slowly(move || change(|| rename(&dir, path.as_ref(), &new_dir, new_path.as_ref()))).await
}

pub(crate) async fn path_link(
    call: Call<'_>,
    (dir, look_up, at, len, new_dir, new_at, new_len): (i32, i32, i32, i32, i32, i32, i32),
) -> Result<(), Failed> {
    let (from, to) = (call.look_up(dir, at, len)?, call.look_up(new_dir, new_at, new_len)?);
    let (dir, path) = to_change(from)?;
    let (new_dir, new_path) = to_make(to)?;
    if flags(look_up, FOLLOW)? != 0 {
        return Err(Failed::Number(errno::INVAL));
    }
    call.ask(move || change(|| hard_link(&dir, path.as_ref(), &new_dir, new_path.as_ref()))).await
}

pub(crate) async fn path_symlink(call: Call<'_>, (target, target_len, dir, at, len): (i32, i32, i32, i32, i32)) -> Result<(), Failed> {
    let target = call.text(target, target_len)?;
    let (dir, path) = to_make(call.look_up(dir, at, len)?)?;
    call.ask(move || change(|| point_to(target.as_ref(), &dir, path.as_ref()))).await
}

#[cfg(not(windows))]
fn point_to(target: &Path, dir: &File, path: &Path) -> io::Result<()> {
    cap_primitives::fs::symlink(target, dir, path)
}

/// Windows distinguishes links to files from links to directories.
#[cfg(windows)]
fn point_to(target: &Path, dir: &File, path: &Path) -> io::Result<()> {
    match stat(dir, target, FollowSymlinks::Yes) {
        Ok(found) if found.is_dir() => cap_primitives::fs::symlink_dir(target, dir, path),
        _ => cap_primitives::fs::symlink_file(target, dir, path),
    }
}

pub(crate) async fn path_readlink(
    mut call: Call<'_>,
    (dir, at, len, buffer, room, done): (i32, i32, i32, i32, i32, i32),
) -> Result<(), Failed> {
    call.place(done, 4)?;
    call.place(buffer, room as u32)?;
    let target = match call.look_up(dir, at, len)? {
        Found::Host { dir, path, .. } => call.ask(move || read_link(&dir, path.as_ref())).await?,
        Found::Root(_) | Found::Null => return Err(Failed::Number(errno::INVAL)),
        Found::Missing { .. } => return Err(Failed::Number(errno::NOENT)),
    };
    let target = target.into_os_string().into_encoded_bytes();
    let count = target.len().min(room as u32 as usize);
    call.result(buffer, &target[..count])?;
    call.result(done, &(count as u32).to_le_bytes())
}

pub(crate) async fn path_filestat_get(mut call: Call<'_>, (dir, look_up, at, len, to): (i32, i32, i32, i32, i32)) -> Result<(), Failed> {
    call.place(to, status::SIZE)?;
    let follow = if flags(look_up, FOLLOW)? != 0 { FollowSymlinks::Yes } else { FollowSymlinks::No };
    let bytes = match call.look_up(dir, at, len)? {
        Found::Host { dir, path, .. } => call.ask(move || stat(&dir, path.as_ref(), follow).map(|found| status::of(&found))).await?,
        Found::Root(_) => status::made_up(status::DIRECTORY),
        Found::Null => status::made_up(status::CHARACTERS),
        Found::Missing { .. } => return Err(Failed::Number(errno::NOENT)),
    };
    call.result(to, &bytes)
}

/// Times to set: of the last access, and of the last change.
#[derive(Clone, Copy)]
pub(crate) struct Times([Option<SystemTime>; 2]);

impl Times {
    pub(crate) fn new(access: i64, change: i64, given: i32) -> Result<Times, Failed> {
        /// All flags: for each time, one to set it to a given value, and one to set it to the
        /// present.
        const ALL: i32 = 15;
        let given = flags(given, ALL)?;
        let one = |time: i64, flags: i32| match flags & 3 {
            0 => Ok(None),
            1 => Ok(Some(UNIX_EPOCH + Duration::from_nanos(time as u64))),
            2 => Ok(Some(SystemTime::now())),
            _ => Err(Failed::Number(errno::INVAL)),
        };
        Ok(Times([one(access, given)?, one(change, given >> 2)?]))
    }

    pub(crate) fn set(self, file: &File) -> io::Result<()> {
        let mut times = FileTimes::new();
        if let Some(access) = self.0[0] {
            times = times.set_accessed(access);
        }
        if let Some(change) = self.0[1] {
            times = times.set_modified(change);
        }
        file.set_times(times)
    }

    fn specs(self) -> [Option<SystemTimeSpec>; 2] {
        self.0.map(|time| time.map(|time| SystemTimeSpec::Absolute(cap_primitives::time::SystemTime::from_std(time))))
    }
}

pub(crate) async fn path_filestat_set_times(
    call: Call<'_>,
    (dir, look_up, at, len, access, change, given): (i32, i32, i32, i32, i64, i64, i32),
) -> Result<(), Failed> {
    let times = Times::new(access, change, given)?;
    let follow = flags(look_up, FOLLOW)? != 0;
    let (dir, path) = to_change(call.look_up(dir, at, len)?)?;
    call.ask(move || {
        if follow {
            return set_times(&dir, path.as_ref(), times);
        }
        let [access, change] = times.specs();
        cap_primitives::fs::set_times_nofollow(&dir, path.as_ref(), access, change)
    })
    .await
}

/// Sets the times of the file at a path. Opening it neither blocks nor has an effect on the file,
/// such as a pipe.
fn set_times(dir: &File, path: &Path, times: Times) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    {
        let mut options = OpenOptions::new();
        cap_primitives::fs::OpenOptionsExt::custom_flags(options.read(true), libc::O_PATH);
        let found = open(dir, path, &options)?;
        match through_proc(&found, times) {
            // There is no `/proc` here.
            Err(error) if matches!(error.raw_os_error(), Some(libc::ENOENT | libc::ENOTDIR)) => {}
            done => return done,
        }
    }
    let mut options = OpenOptions::new();
    options._cap_fs_ext_maybe_dir(true);
    #[cfg(unix)]
    cap_primitives::fs::OpenOptionsExt::custom_flags(&mut options, libc::O_NONBLOCK | libc::O_NOCTTY);
    let readable = open(dir, path, options.read(true));
    let file = readable.or_else(|_| open(dir, path, options.read(false).write(true)))?;
    times.set(&file)
}

#[cfg(target_os = "linux")]
fn through_proc(found: &File, times: Times) -> io::Result<()> {
    use std::os::fd::AsRawFd as _;
    let spec = |time: Option<SystemTime>| match time.map(|time| time.duration_since(UNIX_EPOCH).unwrap_or_default()) {
        None => libc::timespec { tv_sec: 0, tv_nsec: libc::UTIME_OMIT },
        Some(since) => {
            libc::timespec { tv_sec: since.as_secs().try_into().unwrap_or(i32::MAX.into()), tv_nsec: since.subsec_nanos().into() }
        }
    };
    let path = std::ffi::CString::new(format!("/proc/self/fd/{}", found.as_raw_fd()))?;
    let times = times.0.map(spec);
    // SAFETY: the string ends with a zero; it and the two times outlive the call.
    match unsafe { libc::utimensat(libc::AT_FDCWD, path.as_ptr(), times.as_ptr(), 0) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// The name of a directory that the sandbox gives.
pub(crate) fn fd_prestat_get(mut call: Call<'_>, number: i32, to: i32) -> Result<(), Failed> {
    let len = call.wasi.files.given(number)?.len() as u64;
    // The only type there is, and then the length.
    call.long(to, len << 32)
}

pub(crate) fn fd_prestat_dir_name(mut call: Call<'_>, number: i32, to: i32, room: i32) -> Result<(), Failed> {
    if call.wasi.files.find(number).is_none() {
        return Err(Failed::Number(errno::BADF));
    }
    let name = call.wasi.files.given(number).map_err(|_| errno::NOTDIR)?.clone();
    if name.len() > room as u32 as usize {
        return Err(Failed::Number(errno::NAMETOOLONG));
    }
    call.result(to, name.as_bytes())
}

/// Advice of preview 1, which has no effect here.
pub(crate) fn checked_advice(advice: i32) -> Result<(), Failed> {
    if (0..=5).contains(&advice) { Ok(()) } else { Err(trap(&format!("the advice {advice}, which has no meaning"))) }
}
