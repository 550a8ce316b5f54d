//! Resolves addresses of this machine. A Unix socket is looked up in the directory that was opened
//! with the sandbox. A guest that can change what surrounds that directory can't replace it, and a
//! link that it puts in the socket's place is not followed.

use std::fs::File;
use std::io;

use socket2::SockAddr;

use crate::wasi::call::Failed;
use crate::wasi::errno;
#[cfg(unix)]
use crate::wasi::files::changes;
use crate::wasi::sockets::address::Address;
use crate::wasi::sockets::table::Sockets;

/// An address in the system's form.
pub(crate) struct Place {
    pub(crate) address: SockAddr,
    /// Keeps the descriptor open that the address refers to.
    _held: Option<File>,
    /// Where it has to lead, if it is a path that a guest may change.
    #[cfg(unix)]
    way: Option<unix::Way>,
}

impl Place {
    fn of(address: SockAddr) -> Place {
        Place {
            address,
            _held: None,
            #[cfg(unix)]
            way: None,
        }
    }

    /// Binds a socket there. `None` while a guest of this process changes names, so that the path
    /// may lead elsewhere: try again.
    pub(crate) fn bind(&self, bind: impl FnOnce(&SockAddr) -> io::Result<()>) -> Option<Result<(), Failed>> {
        #[cfg(unix)]
        if let Some(way) = &self.way {
            return changes::between(|| way.bind(|| bind(&self.address)));
        }
        Some(bind(&self.address).map_err(Failed::from))
    }
}

impl Sockets {
    /// The address to connect or send to.
    pub(crate) fn reach(&self, address: &Address) -> Result<Place, Failed> {
        match address {
            Address::Ip(ip) => Ok(Place::of(SockAddr::from(*ip))),
            #[cfg(unix)]
            Address::Unix(path) => match self.dir(path)? {
                None => Ok(Place::of(unix::address(path)?)),
                Some(dir) => unix::reach(dir, path),
            },
            #[cfg(not(unix))]
            Address::Unix(_) => Err(Failed::Number(errno::AFNOSUPPORT)),
        }
    }

    /// The address to bind to; for a Unix socket, its file is created there.
    pub(crate) fn settle(&self, address: &Address, is_stream: bool) -> Result<Place, Failed> {
        let _ = is_stream;
        match address {
            #[cfg(unix)]
            Address::Unix(path) => match self.dir(path)? {
                None => Ok(Place::of(unix::address(path)?)),
                Some(dir) => unix::settle(dir, path, is_stream),
            },
            _ => self.reach(address),
        }
    }

    /// The directory of a Unix socket; `None` where the rules allow every path.
    #[cfg(unix)]
    fn dir(&self, path: &[u8]) -> Result<Option<&File>, Failed> {
        if let Some(dir) = self.given.socket_dir(path) {
            return Ok(Some(dir));
        }
        // It did not exist when the sandbox was given.
        let is_named = self.access.network.unix_paths().any(|named| named.as_bytes() == path);
        if is_named { Err(Failed::Number(errno::NOENT)) } else { Ok(None) }
    }
}

#[cfg(unix)]
mod unix {
    use std::ffi::OsStr;
    use std::fs::File;
    use std::io;
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::fs::MetadataExt as _;
    use std::path::{Path, PathBuf};

    use cap_primitives::fs::FollowSymlinks;
    use socket2::SockAddr;

    use super::Place;
    use crate::wasi::call::Failed;
    use crate::wasi::errno;
    use crate::wasi::files::number;

    pub(super) fn address(path: &[u8]) -> Result<SockAddr, Failed> {
        Ok(SockAddr::unix(OsStr::from_bytes(path))?)
    }

    fn name(path: &[u8]) -> Result<&Path, Failed> {
        Path::new(OsStr::from_bytes(path)).file_name().map(Path::new).ok_or(Failed::Number(errno::NOENT))
    }

    /// The socket itself is opened, and then connected to, wherever its name leads by then.
    #[cfg(target_os = "linux")]
    pub(super) fn reach(dir: &File, path: &[u8]) -> Result<Place, Failed> {
        use std::os::fd::AsRawFd as _;
        use std::os::unix::fs::FileTypeExt as _;

        use cap_primitives::fs::{OpenOptions, OpenOptionsExt as _, open};

        let mut options = OpenOptions::new();
        options.read(true).custom_flags(libc::O_PATH)._cap_fs_ext_follow(FollowSymlinks::No);
        let found = open(dir, name(path)?, &options).map_err(|error| Failed::Number(number(&error)))?;
        let kind = found.metadata()?.file_type();
        if kind.is_symlink() {
            return Err(Failed::Number(errno::LOOP));
        }
        if !kind.is_socket() {
            return Err(Failed::Number(errno::CONNREFUSED));
        }
        let address = SockAddr::unix(format!("/proc/self/fd/{}", found.as_raw_fd()))?;
        Ok(Place { _held: Some(found), ..Place::of(address) })
    }

    /// There no path leads from a descriptor to a socket: the target of the path is compared with
    /// what was opened.
    #[cfg(not(target_os = "linux"))]
    pub(super) fn reach(dir: &File, path: &[u8]) -> Result<Place, Failed> {
        let found = cap_primitives::fs::stat(dir, name(path)?, FollowSymlinks::No).map_err(|error| Failed::Number(number(&error)))?;
        if found.is_symlink() {
            return Err(Failed::Number(errno::LOOP));
        }
        check(dir, path)?;
        Ok(Place::of(address(path)?))
    }

    /// Datagrams are answered at the bound address, so that must be the path itself.
    pub(super) fn settle(dir: &File, path: &[u8], is_stream: bool) -> Result<Place, Failed> {
        #[cfg(target_os = "linux")]
        if is_stream {
            use std::os::fd::AsRawFd as _;
            let through = Path::new("/proc/self/fd").join(dir.as_raw_fd().to_string()).join(name(path)?);
            // If this is too long, the path itself may be shorter.
            if let Ok(address) = SockAddr::unix(through) {
                return Ok(Place::of(address));
            }
        }
        let _ = is_stream;
        let way = Way { dir: dir.try_clone()?, path: Path::new(OsStr::from_bytes(path)).to_owned() };
        Ok(Place { way: Some(way), ..Place::of(address(path)?) })
    }

    /// A path, and the directory that it goes through as long as nobody has changed that.
    pub(super) struct Way {
        dir: File,
        path: PathBuf,
    }

    impl Way {
        /// Binds a socket at the path. Guests of other processes may change it in the middle: then
        /// the socket lies elsewhere, and is not used.
        pub(super) fn bind(&self, bind: impl FnOnce() -> io::Result<()>) -> Result<(), Failed> {
            let bytes = self.path.as_os_str().as_bytes();
            check(&self.dir, bytes)?;
            bind()?;
            check(&self.dir, bytes)?;
            let made = cap_primitives::fs::stat(&self.dir, name(bytes)?, FollowSymlinks::No);
            // The directory may have been elsewhere only while the socket was made.
            let made = made.map_err(|_| Failed::Number(errno::ACCES))?;
            let is = std::fs::symlink_metadata(&self.path)?;
            let made = (cap_primitives::fs::MetadataExt::dev(&made), cap_primitives::fs::MetadataExt::ino(&made));
            if made == (is.dev(), is.ino()) { Ok(()) } else { Err(Failed::Number(errno::ACCES)) }
        }
    }

    /// Whether the path of a socket still goes through the directory that was opened.
    fn check(dir: &File, path: &[u8]) -> Result<(), Failed> {
        let parent = Path::new(OsStr::from_bytes(path)).parent().ok_or(errno::NOENT)?;
        let (was, is) = (dir.metadata()?, std::fs::metadata(parent)?);
        if (was.dev(), was.ino()) == (is.dev(), is.ino()) { Ok(()) } else { Err(Failed::Number(errno::ACCES)) }
    }

    #[cfg(test)]
    mod tests {
        use std::fs;
        use std::os::unix::fs::symlink;
        use std::os::unix::net::UnixDatagram;

        use super::*;

        /// What another process could do at that moment.
        #[test]
        fn a_path_that_leads_elsewhere_while_a_socket_is_bound_is_refused() {
            let base = tempfile::tempdir().expect("a folder");
            let [run, gone, etc] = ["run", "gone", "etc"].map(|name| base.path().join(name));
            let path = run.join("own.sock");
            let refused = |done| matches!(done, Err(Failed::Number(errno::ACCES)));
            let aside = || {
                fs::rename(&run, &gone)?;
                symlink("etc", &run)
            };
            let back = || {
                fs::remove_file(&run)?;
                fs::rename(&gone, &run)
            };
            for folder in [&run, &etc] {
                fs::create_dir(folder).expect("a folder");
            }
            let bind = || UnixDatagram::bind(&path).map(drop);
            let way = Way { dir: File::open(&run).expect("a folder"), path: path.clone() };
            assert!(way.bind(bind).is_ok());
            fs::remove_file(&path).expect("a socket");
            // To and fro again, so that before and afterwards all is as it was.
            assert!(refused(way.bind(|| aside().and_then(|()| bind()).and_then(|()| back()))));
            fs::remove_file(etc.join("own.sock")).expect("a socket");
            assert!(refused(way.bind(|| aside().and_then(|()| bind()))));
            assert!(refused(way.bind(bind)), "it leads elsewhere already");
        }
    }
}
