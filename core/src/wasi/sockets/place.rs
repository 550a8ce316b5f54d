//! Where an address is in this machine. A Unix socket is found in the directory that was opened with the sandbox: a guest that may change what is around it
//! changes nothing about which directory that is, and a link that it puts in the socket's place is not followed.

use std::fs::File;

use socket2::SockAddr;

use crate::wasi::call::Failed;
use crate::wasi::errno;
use crate::wasi::sockets::address::Address;
use crate::wasi::sockets::table::Sockets;

/// An address as the system takes it.
pub(crate) struct Place {
    pub(crate) address: SockAddr,
    /// What the address goes through.
    _held: Option<File>,
}

impl Place {
    fn of(address: SockAddr) -> Place {
        Place { address, _held: None }
    }
}

impl Sockets {
    /// Where to connect, or to send to.
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

    /// Where to bind a socket; of a Unix socket, that is where its file is made.
    pub(crate) fn settle(&self, address: &Address, is_stream: bool) -> Result<Place, Failed> {
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
        // It was not there when the sandbox was given.
        let is_named = self.network.unix_paths().any(|named| named.as_bytes() == path);
        if is_named { Err(Failed::Number(errno::NOENT)) } else { Ok(None) }
    }
}

#[cfg(unix)]
mod unix {
    use std::ffi::OsStr;
    use std::fs::File;
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::fs::MetadataExt as _;
    use std::path::Path;

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

    /// The socket itself is found, and then connected to, whatever its name leads to by then.
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
        Ok(Place { address, _held: Some(found) })
    }

    /// Nothing leads from a descriptor to a socket there: what the path leads to is compared with what was opened.
    #[cfg(not(target_os = "linux"))]
    pub(super) fn reach(dir: &File, path: &[u8]) -> Result<Place, Failed> {
        let found = cap_primitives::fs::stat(dir, name(path)?, FollowSymlinks::No).map_err(|error| Failed::Number(number(&error)))?;
        if found.is_symlink() {
            return Err(Failed::Number(errno::LOOP));
        }
        check(dir, path)?;
        Ok(Place::of(address(path)?))
    }

    /// Datagrams are answered by the name that the socket is bound to, so that has to be the path itself.
    pub(super) fn settle(dir: &File, path: &[u8], is_stream: bool) -> Result<Place, Failed> {
        #[cfg(target_os = "linux")]
        if is_stream {
            use std::os::fd::AsRawFd as _;
            let through = Path::new("/proc/self/fd").join(dir.as_raw_fd().to_string()).join(name(path)?);
            // One that is too long may be shorter as the path that it is.
            if let Ok(address) = SockAddr::unix(through) {
                return Ok(Place::of(address));
            }
        }
        let _ = is_stream;
        check(dir, path)?;
        Ok(Place::of(address(path)?))
    }

    /// Whether the path of a socket still goes through the directory that was opened.
    fn check(dir: &File, path: &[u8]) -> Result<(), Failed> {
        let parent = Path::new(OsStr::from_bytes(path)).parent().ok_or(errno::NOENT)?;
        let (was, is) = (dir.metadata()?, std::fs::metadata(parent)?);
        if (was.dev(), was.ino()) == (is.dev(), is.ino()) { Ok(()) } else { Err(Failed::Number(errno::ACCES)) }
    }
}
