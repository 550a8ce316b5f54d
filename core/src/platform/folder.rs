//! Folders and files that only this user can write, and that are trusted for that reason: native
//! code, and what it is made from.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::Path;

/// Creates the folder if it is missing, private to this user, and checks an existing one.
///
/// # Errors
///
/// What is wrong with it, as the rest of a sentence that begins with its path.
pub fn private_folder(folder: &Path) -> Result<(), String> {
    make(folder).map_err(|error| format!("can't be made: {error}"))?;
    let unreadable = |error: io::Error| format!("can't be read: {error}");
    // A link of another user could lead to any folder of this user.
    let place = fs::symlink_metadata(folder).map_err(unreadable)?;
    let target = fs::metadata(folder).map_err(unreadable)?;
    if !target.is_dir() {
        return Err("is no folder".to_owned());
    }
    if !is_mine(&place) || !is_private(&target) {
        return Err("belongs to another user, or others may write to it; make it private to you (chmod 700)".to_owned());
    }
    Ok(())
}

/// Whether the file exists, belongs to this user, is writable by nobody else, and is no link.
#[must_use]
pub fn private_file(file: &Path) -> bool {
    fs::symlink_metadata(file).is_ok_and(|metadata| metadata.is_file() && is_private(&metadata))
}

/// Opens a file to be locked, and creates it if it is missing. It is never written, and a link in
/// its place is refused.
///
/// # Errors
///
/// When it can't be opened, is a link, or belongs to another user.
pub fn open_lock(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    // Without the last flag, opening a FIFO would block.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, libc::O_NOFOLLOW | libc::O_NONBLOCK);
    let lock = options.open(path)?;
    let metadata = lock.metadata()?;
    if !metadata.is_file() || !is_private(&metadata) {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, "the lock belongs to another user, or others may write to it"));
    }
    Ok(lock)
}

#[cfg(unix)]
fn is_mine(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    // SAFETY: the function has no preconditions.
    let me = unsafe { libc::geteuid() };
    metadata.uid() == me
}

#[cfg(not(unix))]
fn is_mine(_: &fs::Metadata) -> bool {
    // There a user's folders are private by default.
    true
}

/// Whether it belongs to this user, and nobody else may write it.
pub(crate) fn is_private(metadata: &fs::Metadata) -> bool {
    #[cfg(unix)]
    if std::os::unix::fs::MetadataExt::mode(metadata) & 0o022 != 0 {
        return false;
    }
    is_mine(metadata)
}

fn make(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    #[test]
    #[cfg_attr(miri, ignore = "uses files")]
    fn a_folder_that_others_may_write_is_refused() {
        let parent = tempfile::tempdir().expect("a folder");
        let folder = parent.path().join("cache/within");
        assert_eq!(private_folder(&folder), Ok(()));
        assert_eq!(fs::metadata(&folder).expect("its mode").permissions().mode() & 0o777, 0o700);
        for mode in [0o770, 0o707, 0o1777] {
            fs::set_permissions(&folder, fs::Permissions::from_mode(mode)).expect("set");
            assert!(private_folder(&folder).is_err_and(|why| why.contains("chmod 700")), "{mode:o}");
        }
        fs::write(parent.path().join("file"), "").expect("written");
        assert!(private_folder(&parent.path().join("file")).is_err());
        // A link that the user made is as good as the folder.
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).expect("set");
        symlink(&folder, parent.path().join("link")).expect("a link");
        assert_eq!(private_folder(&parent.path().join("link")), Ok(()));
    }

    #[test]
    #[cfg_attr(miri, ignore = "uses files")]
    fn a_lock_is_no_link_and_no_pipe_and_is_not_emptied() {
        let parent = tempfile::tempdir().expect("a folder");
        let (lock, file, link) = (parent.path().join("lock"), parent.path().join("file"), parent.path().join("link"));
        open_lock(&lock).expect("a new lock");
        assert!(private_file(&lock));
        fs::write(&file, "text").expect("written");
        open_lock(&file).expect("one that is there");
        symlink(&file, &link).expect("a link");
        assert!(open_lock(&link).is_err() && !private_file(&link));
        symlink(parent.path().join("new"), parent.path().join("dangling")).expect("a link");
        assert!(open_lock(&parent.path().join("dangling")).is_err() && !parent.path().join("new").exists());
        assert_eq!(fs::read(&file).expect("read"), b"text");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).expect("set");
        assert!(open_lock(&file).is_err() && !private_file(&file));
        let pipe = std::ffi::CString::new(parent.path().join("pipe").to_str().expect("a path")).expect("no NUL");
        // SAFETY: the path is a string that ends in NUL.
        assert_eq!(unsafe { libc::mkfifo(pipe.as_ptr(), 0o600) }, 0);
        assert!(open_lock(&parent.path().join("pipe")).is_err());
    }
}
