//! The files that a sandbox gives, opened once, before any guest can change where a path leads.
//! Resets and the other instances of a pool use the same descriptors.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::{Error, ErrorKind, Result};
use crate::platform::descriptor::{self, Descriptor};
use crate::wasi::sandbox::Dir;
use crate::wasi::sandbox::Sandbox;
use crate::wasi::stdio::input::Input;

/// The directories, the file for standard input, and the directories of Unix sockets.
pub(crate) struct Given {
    pub(crate) dirs: Vec<GivenDir>,
    stdin: Option<(PathBuf, File)>,
    /// By their paths in the rules; only those whose directory existed.
    #[cfg_attr(not(unix), allow(dead_code, reason = "Unix sockets alone lie in directories"))]
    sockets: Vec<(String, Arc<File>)>,
}

/// A directory of the host, and the name that the guest knows it by.
#[derive(Clone)]
pub(crate) struct GivenDir {
    pub(crate) name: Arc<str>,
    pub(crate) file: Arc<File>,
    pub(crate) readonly: bool,
}

impl Given {
    /// Opens all of it. Links in the host's paths are followed now, and never again.
    ///
    /// # Errors
    ///
    /// `denied` for what can't be opened, and for two directories of one name.
    pub(crate) fn open(sandbox: &Sandbox) -> Result<Arc<Given>> {
        let mut dirs: Vec<GivenDir> = Vec::with_capacity(sandbox.dirs.len());
        for (name, dir) in &sandbox.dirs {
            dirs.push(GivenDir { name: name.as_str().into(), file: Arc::new(open_dir(name, dir)?), readonly: dir.readonly });
        }
        if sandbox.temp && dirs.iter().any(|dir| components(&dir.name).eq(["tmp"])) {
            return Err(Error::new(
                ErrorKind::Denied,
                "a temporary folder is asked for, and /tmp is a given directory: choose one of them",
            ));
        }
        let stdin = match &sandbox.stdin {
            Input::File(path) => {
                let open = descriptor::open_file(path).map_err(|error| not_read(path, &error))?;
                Some((path.clone(), open))
            }
            _ => None,
        };
        let mut sockets: Vec<(String, Arc<File>)> = Vec::new();
        for path in sandbox.network.unix_paths() {
            // A guest that connects to a socket without a directory gets an error then.
            if let Some(parent) = Path::new(path).parent()
                && !sockets.iter().any(|(known, _)| known == path)
                && let Ok(file) = open_path(parent)
            {
                sockets.push((path.to_owned(), Arc::new(file)));
            }
        }
        Ok(Arc::new(Given { dirs, stdin, sockets }))
    }

    /// The file for standard input, at its beginning; `None` where that is no file.
    ///
    /// # Errors
    ///
    /// `denied` when it can't be opened again.
    pub(crate) fn stdin(&self) -> Result<Option<Descriptor>> {
        let Some((path, file)) = &self.stdin else { return Ok(None) };
        descriptor::reopen(file, path).map(|file| Some(Descriptor::File(file))).map_err(|error| not_read(path, &error))
    }

    /// The directory of a Unix socket that a rule names.
    #[cfg_attr(not(unix), allow(dead_code, reason = "Unix sockets alone lie in directories"))]
    pub(crate) fn socket_dir(&self, path: &[u8]) -> Option<&Arc<File>> {
        self.sockets.iter().find(|(known, _)| known.as_bytes() == path).map(|(_, file)| file)
    }
}

/// The names in a guest's path.
pub(crate) fn components(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|name| !name.is_empty() && *name != ".")
}

fn open_dir(name: &str, dir: &Dir) -> Result<File> {
    open_readable(&dir.path).map_err(|error| {
        let text = format!("the directory {} can't be given to the guest as {name}: {error}", dir.path.display());
        Error::new(ErrorKind::Denied, text)
    })
}

fn not_read(path: &Path, error: &io::Error) -> Error {
    Error::new(ErrorKind::Denied, format!("{} can't be given to the guest as its standard input: {error}", path.display()))
}

/// Opens a directory that the guest may list, if the system permits.
pub(crate) fn open_readable(path: &Path) -> io::Result<File> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        let opened = std::fs::OpenOptions::new().read(true).custom_flags(libc::O_DIRECTORY).open(path);
        if !opened.as_ref().is_err_and(|error| error.raw_os_error() == Some(libc::EACCES)) {
            return opened;
        }
    }
    open_path(path)
}

/// Opens a directory for looking up names in it.
fn open_path(path: &Path) -> io::Result<File> {
    cap_primitives::fs::open_ambient_dir(path, cap_primitives::ambient_authority())
}
