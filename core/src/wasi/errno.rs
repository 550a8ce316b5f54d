//! The error numbers of preview 1.

use std::io;

macro_rules! numbers {
    ($($name:ident = $number:literal $(from $host:ident)? $(or $($windows:literal)+)?,)*) => {
        $(
            #[cfg_attr(not(unix), allow(dead_code, reason = "some are of errors that only Unix has"))]
            pub(crate) const $name: i32 = $number;
        )*

        /// The guest's number for an error of the system; `IO` where preview 1 has none.
        pub(crate) fn from_system(error: &io::Error) -> i32 {
            match error.raw_os_error() {
                #[cfg(unix)]
                Some(code) => from_code(code),
                // What Windows says, and its sockets, of which Rust has no kind.
                $($($(#[cfg(windows)] Some($windows) => $name,)+)?)*
                _ => from_kind(error.kind()),
            }
        }

        /// The same for the system's own number; 0 is no error.
        #[cfg(unix)]
        pub(crate) fn from_code(code: i32) -> i32 {
            match code {
                0 => SUCCESS,
                $($(libc::$host => $name,)?)*
                _ => IO,
            }
        }
    };
}

numbers! {
    SUCCESS = 0,
    ACCES = 2 from EACCES,
    ADDRINUSE = 3 from EADDRINUSE,
    ADDRNOTAVAIL = 4 from EADDRNOTAVAIL,
    AFNOSUPPORT = 5 from EAFNOSUPPORT or 10046 10047,
    AGAIN = 6 from EAGAIN,
    ALREADY = 7 from EALREADY or 10037,
    BADF = 8 from EBADF or 6 10009,
    BUSY = 10 from EBUSY or 21 32 33,
    CONNABORTED = 13 from ECONNABORTED,
    CONNREFUSED = 14 from ECONNREFUSED,
    CONNRESET = 15 from ECONNRESET,
    DESTADDRREQ = 17 from EDESTADDRREQ or 10039,
    DQUOT = 19 from EDQUOT,
    EXIST = 20 from EEXIST,
    FAULT = 21 or 10014,
    FBIG = 22 from EFBIG,
    HOSTUNREACH = 23 from EHOSTUNREACH,
    ILSEQ = 25 from EILSEQ,
    INPROGRESS = 26 from EINPROGRESS or 10036,
    INTR = 27 from EINTR or 10004,
    INVAL = 28 from EINVAL or 131 4390,
    IO = 29,
    ISCONN = 30 from EISCONN or 10056,
    ISDIR = 31 from EISDIR,
    LOOP = 32 from ELOOP or 681 1921 10062,
    MFILE = 33 from EMFILE or 4 10024,
    MLINK = 34 from EMLINK,
    MSGSIZE = 35 from EMSGSIZE or 10040,
    NAMETOOLONG = 37 from ENAMETOOLONG or 111 206 10063,
    NETDOWN = 38 from ENETDOWN,
    NETRESET = 39 from ENETRESET or 10052,
    NETUNREACH = 40 from ENETUNREACH,
    NFILE = 41 from ENFILE,
    NOBUFS = 42 from ENOBUFS or 10055,
    NODEV = 43 from ENODEV,
    NOENT = 44 from ENOENT or 123 161,
    NOMEM = 48 from ENOMEM,
    NOPROTOOPT = 50 from ENOPROTOOPT or 10042,
    NOSPC = 51 from ENOSPC,
    NOTCONN = 53 from ENOTCONN,
    NOTDIR = 54 from ENOTDIR,
    NOTEMPTY = 55 from ENOTEMPTY,
    NOTSOCK = 57 from ENOTSOCK or 10038,
    NOTSUP = 58 from EOPNOTSUPP or 50 10045,
    NXIO = 60 from ENXIO,
    OVERFLOW = 61 from EOVERFLOW,
    PERM = 63 from EPERM or 1314,
    PIPE = 64 from EPIPE or 10058,
    PROTO = 65 from EPROTO,
    PROTONOSUPPORT = 66 from EPROTONOSUPPORT or 10043,
    PROTOTYPE = 67 from EPROTOTYPE or 10041,
    ROFS = 69 from EROFS,
    SPIPE = 70 from ESPIPE,
    TIMEDOUT = 73 from ETIMEDOUT,
    TXTBSY = 74 from ETXTBSY,
    XDEV = 75 from EXDEV,
}

/// For systems whose own numbers are not known.
fn from_kind(kind: io::ErrorKind) -> i32 {
    use io::ErrorKind as Kind;
    match kind {
        Kind::AddrInUse => ADDRINUSE,
        Kind::AddrNotAvailable => ADDRNOTAVAIL,
        Kind::AlreadyExists => EXIST,
        Kind::BrokenPipe => PIPE,
        Kind::ConnectionAborted => CONNABORTED,
        Kind::ConnectionRefused => CONNREFUSED,
        Kind::ConnectionReset => CONNRESET,
        Kind::CrossesDevices => XDEV,
        Kind::DirectoryNotEmpty => NOTEMPTY,
        Kind::ExecutableFileBusy => TXTBSY,
        Kind::FileTooLarge => FBIG,
        Kind::HostUnreachable => HOSTUNREACH,
        Kind::Interrupted => INTR,
        Kind::InvalidFilename => NAMETOOLONG,
        Kind::InvalidInput => INVAL,
        Kind::IsADirectory => ISDIR,
        Kind::NetworkDown => NETDOWN,
        Kind::NetworkUnreachable => NETUNREACH,
        Kind::NotADirectory => NOTDIR,
        Kind::NotConnected => NOTCONN,
        Kind::NotFound => NOENT,
        Kind::NotSeekable => SPIPE,
        Kind::OutOfMemory => NOMEM,
        Kind::PermissionDenied => ACCES,
        Kind::QuotaExceeded => DQUOT,
        Kind::ReadOnlyFilesystem => ROFS,
        Kind::ResourceBusy => BUSY,
        Kind::StorageFull => NOSPC,
        Kind::TimedOut => TIMEDOUT,
        Kind::TooManyLinks => MLINK,
        Kind::Unsupported => NOTSUP,
        Kind::WouldBlock => AGAIN,
        _ => IO,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where a system's number has a kind, both ways lead to the same number of the guest.
    #[cfg(unix)]
    #[test]
    fn kinds_are_what_numbers_are() {
        // Kinds that stand for several numbers, and those of which Rust names no kind.
        let (mut same, mut several) = (0, Vec::new());
        for code in 1..140 {
            let error = io::Error::from_raw_os_error(code);
            let (by_code, by_kind) = (from_code(code), from_kind(error.kind()));
            if by_code == by_kind {
                same += 1;
            } else if by_kind != IO {
                several.push(code);
            }
        }
        assert!(same > 30, "{same}");
        // PermissionDenied is either of two, and Unsupported too.
        assert!(several.iter().all(|code| [libc::EPERM, libc::ENOSYS].contains(code)), "{several:?}");
    }
}
