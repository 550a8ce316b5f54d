//! The command's own files in the user's cache: sources that it carries, and what it made of them.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use anyhow::{Context, Result};

/// The directory; nothing says that it is there.
pub(crate) fn dir() -> Result<PathBuf> {
    // Empty means no cache of compiled code; the sources have to be somewhere.
    if let Some(dir) = env::var_os("UNDERGO_CACHE_DIR").filter(|dir| !dir.is_empty()) {
        return std::path::absolute(dir).context("UNDERGO_CACHE_DIR is no path");
    }
    let dirs = directories::ProjectDirs::from("", "", "undergo");
    Ok(dirs.context("there is no home directory for a cache: set UNDERGO_CACHE_DIR to a directory")?.cache_dir().to_owned())
}

/// A link in the cache to a directory elsewhere. Its name begins with `name`, and differs for each directory.
pub(crate) fn link(folder: &str, name: &str, target: &Path) -> Result<PathBuf> {
    let parent = dir()?.join(folder);
    let mut hasher = DefaultHasher::new();
    target.hash(&mut hasher);
    let link = parent.join(format!("{name}-{:016x}", hasher.finish()));
    if fs::read_link(&link).is_ok_and(|found| found == target) {
        return Ok(link);
    }
    fs::create_dir_all(&parent).with_context(|| format!("{} can't be made", parent.display()))?;
    let fresh = tempfile::Builder::new().prefix("linking-").tempdir_in(&parent)?;
    let made = fresh.path().join("link");
    symlink(target, &made)?;
    fs::rename(&made, &link).with_context(|| format!("{} can't be made", link.display()))?;
    Ok(link)
}

#[cfg(unix)]
fn symlink(target: &Path, link: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, link)
}

#[cfg(windows)]
fn symlink(target: &Path, link: &Path) -> io::Result<()> {
    std::os::windows::fs::symlink_dir(target, link)
}

/// Writes files, whose names have slashes, to a new directory beside `dir`, and gives it its name at the end: nobody ever sees half of them.
pub(crate) fn write_folder<'a>(dir: &Path, files: impl IntoIterator<Item = (&'a str, &'a str)>) -> io::Result<()> {
    let parent = dir.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(parent)?;
    let fresh = tempfile::Builder::new().prefix("writing-").tempdir_in(parent)?;
    for (name, text) in files {
        let file = fresh.path().join(name);
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(file, text)?;
    }
    match fs::rename(fresh.path(), dir) {
        Err(_) if dir.is_dir() => Ok(()),
        Err(error) => Err(error),
        Ok(()) => {
            // It has moved, so there is nothing left to clean up.
            drop(fresh.keep());
            Ok(())
        }
    }
}
