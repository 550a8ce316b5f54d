//! The command's own files in the user's cache: its sources, and what it has made of them.
//!
//! Native code is built from them and run, so only this user may be able to write to the folder.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use anyhow::{Context, Result, anyhow};
use tempfile::TempDir;
use undergo::host::{private_file, private_folder};

/// The directory, which is there and private to the user.
///
/// # Errors
///
/// When there is no place for it, or others may write to it.
pub(crate) fn dir() -> Result<PathBuf> {
    let dir = place()?;
    private(&dir)?;
    Ok(dir)
}

/// A directory of that name in it, which is there and private to the user, too.
pub(crate) fn folder(name: &str) -> Result<PathBuf> {
    let folder = dir()?.join(name);
    private(&folder)?;
    Ok(folder)
}

fn place() -> Result<PathBuf> {
    // Empty means no cache of compiled code; the sources have to be somewhere.
    if let Some(dir) = env::var_os("UNDERGO_CACHE_DIR").filter(|dir| !dir.is_empty()) {
        return std::path::absolute(dir).context("UNDERGO_CACHE_DIR is no path");
    }
    let dirs = directories::ProjectDirs::from("", "", "undergo");
    Ok(dirs.context("there is no home directory for a cache: set UNDERGO_CACHE_DIR to a directory")?.cache_dir().to_owned())
}

fn private(folder: &Path) -> Result<()> {
    private_folder(folder).map_err(|why| anyhow!("the cache {} {why}. UNDERGO_CACHE_DIR names another place", folder.display()))
}

/// A new directory for temporary files, which nobody else can look into; in `parent`, or where the
/// system has them.
pub(crate) fn scratch(parent: Option<&Path>) -> Result<TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix("undergo-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
    let made = parent.map_or_else(|| builder.tempdir(), |parent| builder.tempdir_in(parent));
    made.context("there is no room for temporary files")
}

/// A link in the cache to a directory elsewhere. Its name begins with `name`, and differs for each
/// directory.
pub(crate) fn link(name: &str, parent: &str, target: &Path) -> Result<PathBuf> {
    let parent = folder(parent)?;
    let mut hasher = DefaultHasher::new();
    target.hash(&mut hasher);
    let link = parent.join(format!("{name}-{:016x}", hasher.finish()));
    if fs::read_link(&link).is_ok_and(|found| found == target) {
        return Ok(link);
    }
    let fresh = scratch(Some(&parent))?;
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

/// Sees to it that a directory has these files, whose names have slashes, with these texts. A new
/// one gets its name at the end: nobody ever sees half of it. One that was changed is replaced.
pub(crate) fn lay(dir: &Path, files: &[(&str, &str)]) -> Result<()> {
    if is_laid(dir, files) {
        return Ok(());
    }
    let parent = dir.parent().unwrap_or(Path::new("."));
    let scratch = scratch(Some(parent))?;
    let fresh = scratch.path().join("fresh");
    write(&fresh, files)?;
    // Whatever is there goes away with the scratch.
    let _ = fs::rename(dir, scratch.path().join("old"));
    match fs::rename(&fresh, dir) {
        // Another process was quicker.
        Err(_) if is_laid(dir, files) => Ok(()),
        done => done.with_context(|| format!("{} can't be written", dir.display())),
    }
}

/// Writes files, whose names have slashes, to a directory.
pub(crate) fn write(dir: &Path, files: &[(&str, &str)]) -> Result<()> {
    let write = || -> io::Result<()> {
        for (name, text) in files {
            let file = dir.join(name);
            fs::create_dir_all(file.parent().unwrap_or(dir))?;
            fs::write(file, text)?;
        }
        Ok(())
    };
    write().with_context(|| format!("{} can't be written; UNDERGO_CACHE_DIR names another place", dir.display()))
}

fn is_laid(dir: &Path, files: &[(&str, &str)]) -> bool {
    files.iter().all(|(name, text)| {
        let file = dir.join(name);
        private_file(&file) && fs::read(&file).is_ok_and(|found| found == text.as_bytes())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_changed_in_a_folder_is_replaced() {
        let parent = scratch(None).expect("a folder");
        let dir = parent.path().join("laid");
        let files = [("a.go", "package a\n"), ("b/b.go", "package b\n")];
        for change in ["b/b.go", "a.go", "nothing"] {
            lay(&dir, &files).expect("laid");
            assert!(is_laid(&dir, &files), "{change}");
            fs::write(dir.join(change), "package evil\n").expect("written");
        }
        lay(&dir, &files).expect("laid");
        assert_eq!(fs::read_dir(parent.path()).expect("read").count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_in_place_of_a_file_is_replaced() {
        let parent = scratch(None).expect("a folder");
        let dir = parent.path().join("laid");
        lay(&dir, &[("a.go", "package a\n")]).expect("laid");
        fs::rename(dir.join("a.go"), parent.path().join("a.go")).expect("moved");
        symlink(&parent.path().join("a.go"), &dir.join("a.go")).expect("a link");
        lay(&dir, &[("a.go", "package a\n")]).expect("laid");
        assert!(private_file(&dir.join("a.go")));
    }
}
