//! What the system refuses, and with which number: to who may not, across devices, and on file
//! systems that are only read. Rows as those of `errnos.rs`.

use std::ffi::CString;
use std::fs::{self, Permissions};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::panic::resume_unwind;
use std::path::Path;
use std::{env, io, ptr, thread};

use undergo::Dir;

use crate::args;
use crate::errnos::{EXIST, NOENT, OK, Row, expect, rows};
use crate::guest::{BUFFER, CREATE, DATA, DIRECTORY, EXCLUSIVE, FOLLOW, Guest, OUT, READ_ONLY, RIGHT_READ, RIGHT_WRITE, TRUNCATE};

const ACCES: i64 = 2;
const ROFS: i64 = 69;
const XDEV: i64 = 75;
/// A directory that a test puts in place of the second one.
const OTHER: i64 = READ_ONLY;

/// What the system does not permit who runs the guest, in folders as [`restrict`] leaves them.
#[rustfmt::skip]
fn of_permissions() -> Vec<Row> {
    let open = RIGHT_READ;
    let write = RIGHT_READ | RIGHT_WRITE;
    rows! {
        path_open(DATA, FOLLOW, "link", 0, open, 0, 0, OUT) => OK;
        path_open(DATA, FOLLOW, "link", CREATE, open, 0, 0, OUT) => OK;
        path_open(DATA, FOLLOW, "link", 0, write, 0, 0, OUT) => ACCES;
        path_open(DATA, FOLLOW, "link", CREATE, write, 0, 0, OUT) => ACCES;
        path_open(DATA, FOLLOW, "link", TRUNCATE, open, 0, 0, OUT) => ACCES;
        path_open(DATA, FOLLOW, "empty", DIRECTORY, open, 0, 0, OUT) => ACCES;
        path_open(DATA, FOLLOW, "empty/none", 0, open, 0, 0, OUT) => ACCES;
        path_open(DATA, FOLLOW, "sub/inner.txt", 0, open, 0, 0, OUT) => ACCES;
        path_open(DATA, FOLLOW, "sub/inner.txt", CREATE, open, 0, 0, OUT) => ACCES;
        path_open(DATA, FOLLOW, "sub/new.txt", CREATE, write, 0, 0, OUT) => ACCES;
        path_open(DATA, FOLLOW, "sub/new.txt", CREATE, open, 0, 0, OUT) => ACCES;
        path_open(DATA, FOLLOW, "sub/none", 0, open, 0, 0, OUT) => NOENT;
        path_create_directory(DATA, "sub/new") => ACCES;
        path_create_directory(DATA, "sub/inner.txt") => EXIST;
        path_remove_directory(DATA, "sub/kept") => ACCES;
        path_unlink_file(DATA, "sub/inner.txt") => ACCES;
        path_rename(DATA, "sub/inner.txt", DATA, "new.txt") => ACCES;
        path_rename(DATA, "file.txt", DATA, "sub/new.txt") => ACCES;
        path_link(DATA, 0, "file.txt", DATA, "sub/new.txt") => ACCES;
        path_symlink("file.txt", DATA, "sub/new") => ACCES;
        path_readlink(DATA, "empty/none", BUFFER, 100, OUT) => ACCES;
        path_filestat_get(DATA, FOLLOW, "sub/inner.txt", OUT) => OK;
        path_filestat_get(DATA, FOLLOW, "empty/none", OUT) => ACCES;
        path_filestat_set_times(DATA, FOLLOW, "empty/none", 5, 5, 5) => ACCES;
    }
}

/// Where the second directory is on another device than the first.
#[rustfmt::skip]
fn of_devices() -> Vec<Row> {
    rows! {
        path_rename(DATA, "file.txt", OTHER, "new.txt") => XDEV;
        path_rename(DATA, "sub", OTHER, "new") => XDEV;
        path_rename(OTHER, "there.txt", DATA, "new.txt") => XDEV;
        path_link(DATA, 0, "file.txt", OTHER, "new.txt") => XDEV;
        path_link(OTHER, 0, "there.txt", DATA, "new.txt") => XDEV;
        path_rename(OTHER, "there.txt", OTHER, "moved.txt") => OK;
    }
}

/// Where the second directory is on a file system that is only read.
#[rustfmt::skip]
fn of_read_only_systems() -> Vec<Row> {
    let open = RIGHT_READ;
    let write = RIGHT_READ | RIGHT_WRITE;
    rows! {
        path_open(OTHER, FOLLOW, "there.txt", 0, open, 0, 0, OUT) => OK;
        path_open(OTHER, FOLLOW, "there.txt", CREATE, open, 0, 0, OUT) => OK;
        path_open(OTHER, FOLLOW, "there.txt", 0, write, 0, 0, OUT) => ROFS;
        path_open(OTHER, FOLLOW, "there.txt", TRUNCATE, open, 0, 0, OUT) => ROFS;
        path_open(OTHER, FOLLOW, "new.txt", CREATE, write, 0, 0, OUT) => ROFS;
        path_open(OTHER, FOLLOW, "new.txt", CREATE | EXCLUSIVE, open, 0, 0, OUT) => ROFS;
        path_create_directory(OTHER, "new") => ROFS;
        path_remove_directory(OTHER, "empty") => ROFS;
        path_unlink_file(OTHER, "there.txt") => ROFS;
        path_rename(OTHER, "there.txt", OTHER, "new.txt") => ROFS;
        path_link(OTHER, 0, "there.txt", OTHER, "new.txt") => ROFS;
        path_symlink("there.txt", OTHER, "new") => ROFS;
    }
}

/// Takes the permission to write to `file.txt`, to read `sub/inner.txt`, to change what `sub` has,
/// and to do anything in `empty`.
fn restrict(guest: &Guest) {
    let data = guest.folder.path().join("data");
    fs::create_dir(data.join("sub/kept")).expect("a folder");
    for (name, mode) in [("file.txt", 0o444), ("sub/inner.txt", 0), ("sub", 0o555), ("empty", 0)] {
        fs::set_permissions(data.join(name), Permissions::from_mode(mode)).expect("a file of one's own");
    }
}

/// Runs this on a thread that the system permits no more than what files say. To root it would
/// permit all.
fn without_privileges(test: impl FnOnce() + Send) {
    const NOBODY: libc::uid_t = 65534;
    let unprivileged = || {
        // SAFETY: these change nothing but the identity of this thread, and of those that it
        // starts, with which the system compares files.
        unsafe {
            if libc::geteuid() == 0 {
                libc::setfsuid(NOBODY);
            }
        }
        test();
    };
    thread::scope(|scope| scope.spawn(unprivileged).join().unwrap_or_else(|panic| resume_unwind(panic)));
}

#[test]
fn what_the_system_does_not_permit_has_its_number() {
    without_privileges(|| {
        expect(&of_permissions(), |on_fiber| {
            let guest = Guest::new(on_fiber);
            restrict(&guest);
            guest
        });
    });
}

#[test]
fn what_would_cross_devices_has_its_number() {
    let device = |path: &Path| fs::metadata(path).map(|found| found.dev()).ok();
    let (here, other) = (env::temp_dir(), Path::new("/dev/shm"));
    if device(other).is_none_or(|found| Some(found) == device(&here)) {
        return eprintln!("skipped: {} is no other device than {}", other.display(), here.display());
    }
    let folder = tempfile::tempdir_in(other).expect("a folder");
    expect(&of_devices(), |on_fiber| {
        fs::write(folder.path().join("there.txt"), "there").expect("a file");
        Guest::with(on_fiber, |options| options.sandbox.dirs[1].1 = Dir { path: folder.path().into(), readonly: false })
    });
}

/// Mounts a file system of this thread's own there, or makes one that is there read-only. Needs
/// root.
fn mount(folder: &Path, flags: libc::c_ulong) -> io::Result<()> {
    let target = CString::new(folder.as_os_str().as_bytes())?;
    // SAFETY: strings that end with a zero.
    match unsafe { libc::mount(c"tmpfs".as_ptr(), target.as_ptr(), c"tmpfs".as_ptr(), flags, ptr::null()) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

#[test]
fn what_a_file_system_does_not_let_change_has_its_number() {
    let folder = tempfile::tempdir().expect("a folder");
    let apart = || {
        // SAFETY: this thread, and those that it starts, have their own view of what is mounted. It
        // ends with them.
        if unsafe { libc::unshare(libc::CLONE_NEWNS) } != 0 {
            return Err(io::Error::last_os_error());
        }
        mount(Path::new("/"), libc::MS_REC | libc::MS_PRIVATE)?;
        mount(folder.path(), 0)?;
        fs::write(folder.path().join("there.txt"), "there")?;
        fs::create_dir(folder.path().join("empty"))?;
        mount(folder.path(), libc::MS_REMOUNT | libc::MS_RDONLY)?;
        expect(&of_read_only_systems(), |on_fiber| {
            Guest::with(on_fiber, |options| options.sandbox.dirs[1].1 = Dir { path: folder.path().into(), readonly: false })
        });
        Ok(())
    };
    if let Err(error) = thread::scope(|scope| scope.spawn(apart).join().unwrap_or_else(|panic| resume_unwind(panic))) {
        eprintln!("skipped: only root mounts a file system: {error}");
    }
}
