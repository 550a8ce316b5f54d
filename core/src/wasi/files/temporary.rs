//! A guest's own folder for temporary files, at `/tmp`: made with the guest, and removed with it.

use std::env;
use std::fs::{DirBuilder, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;

use cap_primitives::fs::{FollowSymlinks, OpenOptions, open, read_base_dir, remove_dir, remove_file, rename, stat};

use crate::error::{Error, ErrorKind, Result};
use crate::platform::fork;
use crate::wasi::files::given::{GivenDir, open_readable};

/// The guest's path for it, which is where Go looks for temporary files.
const NAME: &str = "/tmp";

/// A folder that is private to this user, until it is dropped.
pub(crate) struct Temporary {
    /// Taken when it is dropped.
    folder: Option<Folder>,
    /// The process that made it: a forked child must not remove it.
    generation: u64,
}

struct Folder {
    parent: File,
    name: PathBuf,
    file: Arc<File>,
}

/// How many files and folders the thread removes that drops the guest. A guest can create them far
/// faster than they can be removed, so the rest is left to a background thread.
const AT_ONCE: usize = 256;

/// How many such threads there are at most. Beyond that, the thread that drops a guest removes all
/// of its files.
const THREADS: usize = 4;

impl Temporary {
    /// # Errors
    ///
    /// `denied` where no folder can be made.
    pub(crate) fn new() -> Result<Temporary> {
        fork::watch();
        Temporary::within(&env::temp_dir()).map_err(|error| {
            let text = format!("the guest's folder for temporary files can't be made in {}: {error}", env::temp_dir().display());
            Error::new(ErrorKind::Denied, text)
        })
    }

    fn within(path: &Path) -> io::Result<Temporary> {
        static MADE: AtomicU64 = AtomicU64::new(0);
        let parent = open_readable(path)?;
        let builder = private();
        loop {
            let name = PathBuf::from(format!("undergo-{}-{}", process::id(), MADE.fetch_add(1, Ordering::Relaxed)));
            match builder.create(path.join(&name)) {
                Ok(()) => {
                    let file = open_folder(&parent, &name)?;
                    let folder = Some(Folder { parent, name, file: Arc::new(file) });
                    return Ok(Temporary { folder, generation: fork::generation() });
                }
                // A process with this number was killed.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }

    pub(crate) fn dir(&self) -> Option<GivenDir> {
        let file = self.folder.as_ref()?.file.clone();
        Some(GivenDir { name: NAME.into(), file, readonly: false })
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if self.generation == fork::generation()
            && let Some(folder) = self.folder.take()
        {
            folder.drop_all();
        }
    }
}

impl Folder {
    /// Removes it with at most `left` removals, and returns it if that is not enough. What can't be
    /// removed stays, as it does when a process is killed.
    fn remove(self, left: &mut usize) -> io::Result<Option<Folder>> {
        if !empty(&self.file, left)? {
            return Ok(Some(self));
        }
        let Folder { parent, name, file } = self;
        // Windows removes no folder that is open.
        drop(file);
        // By its name in its parent, and only if it is empty: another user's folder is never
        // removed in its place.
        remove_dir(&parent, &name).map(|()| None)
    }

    fn drop_all(self) {
        static REMOVING: AtomicUsize = AtomicUsize::new(0);
        let Ok(Some(folder)) = self.remove(&mut { AT_ONCE }) else { return };
        let rest = move || {
            let _ = folder.remove(&mut { usize::MAX });
        };
        if REMOVING.fetch_add(1, Ordering::Relaxed) < THREADS {
            let on_thread = move || {
                rest();
                REMOVING.fetch_sub(1, Ordering::Relaxed);
            };
            // If there can be no thread the folder stays, as it does when a process is killed.
            if thread::Builder::new().name("undergo temp".into()).spawn(on_thread).is_err() {
                REMOVING.fetch_sub(1, Ordering::Relaxed);
            }
        } else {
            rest();
            REMOVING.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// Makes folders for this user alone, as they are on Windows by themselves.
fn private() -> DirBuilder {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "there is no mode to set"))]
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
}

/// Opens a folder by its name in another one, and no link.
fn open_folder(dir: &File, name: &Path) -> io::Result<File> {
    open(dir, name, OpenOptions::new().read(true)._cap_fs_ext_maybe_dir(true)._cap_fs_ext_follow(FollowSymlinks::No))
}

/// Empties a directory with at most `left` removals and moves; returns whether it is empty. However
/// deep the tree is, this takes two descriptors: the content of a folder is moved up before it is
/// removed.
fn empty(dir: &File, left: &mut usize) -> io::Result<bool> {
    let mut moved = 0_u64;
    let mut may = || {
        *left = left.saturating_sub(1);
        *left > 0
    };
    loop {
        let mut folders = Vec::new();
        for entry in read_base_dir(dir)? {
            let name = entry?.file_name();
            let name = Path::new(&name);
            if !may() {
                return Ok(false);
            }
            if stat(dir, name, FollowSymlinks::No)?.is_dir() { folders.push(name.to_owned()) } else { remove_file(dir, name)? }
        }
        if folders.is_empty() {
            return Ok(true);
        }
        for folder in folders {
            let inner = open_folder(dir, &folder)?;
            for entry in read_base_dir(&inner)? {
                let name = entry?.file_name();
                let name = Path::new(&name);
                if !may() {
                    return Ok(false);
                }
                if !stat(&inner, name, FollowSymlinks::No)?.is_dir() {
                    remove_file(&inner, name)?;
                    continue;
                }
                loop {
                    moved += 1;
                    match rename(&inner, name, dir, Path::new(&format!("{moved}"))) {
                        // The guest had a file of that name.
                        Err(error) if matches!(error.kind(), io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::NotADirectory) => {}
                        done => break done?,
                    }
                }
            }
            drop(inner);
            match remove_dir(dir, &folder) {
                // Some systems skip entries of a directory while others are moved out of it.
                Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => {}
                done => done?,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    #[cfg_attr(miri, ignore = "uses files")]
    fn it_is_gone_with_all_that_is_in_it() {
        let around = tempfile::tempdir().expect("a folder");
        let outside = around.path().join("outside");
        fs::write(&outside, "kept").expect("a file");
        let mut made = Temporary::within(around.path()).expect("a folder");
        let folder = made.folder.take().expect("it is there");
        let path = around.path().join(&folder.name);
        // Deeper than a process has descriptors, and with the names that moving things up would
        // use.
        let mut inner = folder.file.clone();
        for depth in 0..3000 {
            let name = Path::new(if depth % 2 == 0 { "1" } else { "deep" });
            cap_primitives::fs::create_dir(&inner, name, &cap_primitives::fs::DirOptions::new()).expect("a folder");
            inner = Arc::new(open(&inner, name, OpenOptions::new().read(true)).expect("a folder"));
        }
        fs::create_dir_all(path.join("2/3")).expect("a folder");
        fs::write(path.join("3"), "file").expect("a file");
        #[cfg(unix)]
        std::os::unix::fs::symlink(&outside, path.join("2/link")).expect("a link");
        #[cfg(unix)]
        std::os::unix::fs::symlink(around.path(), path.join("4")).expect("a link");
        drop(inner);
        let folder = folder.remove(&mut { AT_ONCE }).expect("removed").expect("it is too much for once");
        assert!(folder.remove(&mut { usize::MAX }).expect("removed").is_none());
        assert!(!path.exists());
        assert_eq!(fs::read_to_string(outside).expect("it is kept"), "kept");
    }

    #[test]
    #[cfg_attr(miri, ignore = "uses files")]
    fn many_files_are_removed_when_nobody_waits_for_them() {
        let around = tempfile::tempdir().expect("a folder");
        // More at once than there are threads for it.
        let made: Vec<Temporary> = (0..THREADS + 2).map(|_| Temporary::within(around.path()).expect("a folder")).collect();
        for one in &made {
            let path = around.path().join(&one.folder.as_ref().expect("it is there").name);
            for number in 0..4 * AT_ONCE {
                fs::write(path.join(number.to_string()), "").expect("a file");
            }
        }
        drop(made);
        let left = || fs::read_dir(around.path()).expect("the folder").count();
        for _ in 0..6000 {
            if left() == 0 {
                return;
            }
            thread::sleep(std::time::Duration::from_millis(10));
        }
        panic!("{} folders are left", left());
    }
}
