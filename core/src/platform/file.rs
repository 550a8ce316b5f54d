//! Files that are read as a whole: opening and reading them waits for nobody.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _};
use std::path::Path;

/// Opens a regular file for reading, and says how many bytes it has. A FIFO would be waited for,
/// and a device may have no end.
///
/// # Errors
///
/// When it can't be opened, or is no regular file.
pub(crate) fn open_regular(path: &Path) -> io::Result<(File, u64)> {
    let mut options = OpenOptions::new();
    options.read(true);
    // Without it, opening a FIFO would block before anything is known of it.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, libc::O_NONBLOCK);
    let file = options.open(path)?;
    let about = file.metadata()?;
    if about.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if !about.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    Ok((file, about.len()))
}

/// Reads a file to its end. One that grows meanwhile is no reason to read more than `most` bytes.
///
/// # Errors
///
/// When it can't be read, has more bytes than that, or does not fit into memory.
pub(crate) fn read_all(file: File, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let expected = file.metadata()?.len().min(most);
    bytes.try_reserve_exact(usize::try_from(expected).unwrap_or(usize::MAX)).map_err(io::Error::other)?;
    file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(io::Error::other(format!("it has more than {most} bytes")));
    }
    Ok(bytes)
}

/// Reads a regular file that has at most so many bytes.
///
/// # Errors
///
/// When it can't be read, is no regular file, or is larger.
pub fn read_regular(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    read_all(open_regular(path)?.0, most)
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    #[cfg_attr(miri, ignore = "uses files")]
    fn only_regular_files_are_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let (file, link, pipe) = (folder.path().join("file"), folder.path().join("link"), folder.path().join("pipe"));
        std::fs::write(&file, "text").expect("a file");
        symlink(&file, &link).expect("a link");
        for path in [&file, &link] {
            assert_eq!(read_regular(path, 4).expect("its text"), b"text");
            assert!(read_regular(path, 3).is_err_and(|error| error.to_string().contains("more than 3 bytes")));
        }
        let name = std::ffi::CString::new(pipe.to_str().expect("a path")).expect("no NUL");
        // SAFETY: the path is a string that ends in NUL.
        assert_eq!(unsafe { libc::mkfifo(name.as_ptr(), 0o600) }, 0);
        let socket = folder.path().join("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).expect("a socket");
        for path in [&pipe, Path::new("/dev/zero"), Path::new("/dev/null"), folder.path(), &socket, &folder.path().join("none")] {
            assert!(read_regular(path, 1 << 20).is_err(), "{}", path.display());
        }
    }
}
