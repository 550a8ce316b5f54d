//! A guest's own folder for temporary files, at `/tmp`: made with the guest, and gone with it.

use std::env;
use std::fs::{DirBuilder, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use cap_primitives::fs::{FollowSymlinks, OpenOptions, open, read_base_dir, remove_dir, remove_file, rename, stat};

use crate::error::{Error, ErrorKind, Result};
use crate::files::given::{GivenDir, open_readable};
use crate::fork;

/// Where the guest sees it, which is where Go looks for temporary files.
const NAME: &str = "/tmp";

/// A folder of this user's alone, until it is dropped.
pub(crate) struct Temporary {
    parent: File,
    name: PathBuf,
    file: Arc<File>,
    /// The process that made it: a forked one has no part in it.
    generation: u64,
}

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
        let mut builder = DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        loop {
            let name = PathBuf::from(format!("undergo-{}-{}", process::id(), MADE.fetch_add(1, Ordering::Relaxed)));
            match builder.create(path.join(&name)) {
                Ok(()) => {
                    let file = open(&parent, &name, OpenOptions::new().read(true)._cap_fs_ext_follow(FollowSymlinks::No))?;
                    return Ok(Temporary { parent, name, file: Arc::new(file), generation: fork::generation() });
                }
                // Another process had this number, and was killed.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }

    pub(crate) fn dir(&self) -> GivenDir {
        GivenDir { name: NAME.into(), file: self.file.clone(), readonly: false }
    }

    fn remove(&self) -> io::Result<()> {
        empty(&self.file)?;
        // Only where it still is: nobody else's folder is taken for it, and one that is not empty stays.
        remove_dir(&self.parent, &self.name)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if self.generation == fork::generation() {
            // What can't be removed stays, as it does when a process is killed.
            let _ = self.remove();
        }
    }
}

/// Removes all that is in a directory. However deep the guest has made it, this takes two descriptors: what is in a folder is moved up before that is removed.
fn empty(dir: &File) -> io::Result<()> {
    let mut moved = 0_u64;
    loop {
        let mut folders = Vec::new();
        for entry in read_base_dir(dir)? {
            let name = entry?.file_name();
            let name = Path::new(&name);
            if stat(dir, name, FollowSymlinks::No)?.is_dir() { folders.push(name.to_owned()) } else { remove_file(dir, name)? }
        }
        if folders.is_empty() {
            return Ok(());
        }
        for folder in folders {
            let inner = open(dir, &folder, OpenOptions::new().read(true)._cap_fs_ext_follow(FollowSymlinks::No))?;
            for entry in read_base_dir(&inner)? {
                let name = entry?.file_name();
                let name = Path::new(&name);
                if !stat(&inner, name, FollowSymlinks::No)?.is_dir() {
                    remove_file(&inner, name)?;
                    continue;
                }
                loop {
                    moved += 1;
                    match rename(&inner, name, dir, Path::new(&format!("{moved}"))) {
                        // The guest had one of that name.
                        Err(error) if matches!(error.kind(), io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::NotADirectory) => {}
                        done => break done?,
                    }
                }
            }
            match remove_dir(dir, &folder) {
                // Some systems leave out what was there while others were moved.
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
        let made = Temporary::within(around.path()).expect("a folder");
        let path = around.path().join(&made.name);
        // Deeper than a process has descriptors, and with names that moving things up would use.
        let mut inner = made.file.clone();
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
        drop(made);
        assert!(!path.exists());
        assert_eq!(fs::read_to_string(outside).expect("it is kept"), "kept");
    }
}
