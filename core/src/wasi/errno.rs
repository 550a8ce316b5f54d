//! The error numbers of preview 1.

use std::io;

macro_rules! numbers {
    ($($name:ident = $number:literal $(from $host:ident)?,)*) => {
        $(pub(crate) const $name: i32 = $number;)*

        /// The guest's number for an error of the system; `IO` where preview 1 has none.
        pub(crate) fn from_system(error: &io::Error) -> i32 {
            match error.raw_os_error() {
                #[cfg(unix)]
                Some(code) => from_code(code),
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
    AFNOSUPPORT = 5 from EAFNOSUPPORT,
    AGAIN = 6 from EAGAIN,
    ALREADY = 7 from EALREADY,
    BADF = 8 from EBADF,
    BUSY = 10 from EBUSY,
    CONNABORTED = 13 from ECONNABORTED,
    CONNREFUSED = 14 from ECONNREFUSED,
    CONNRESET = 15 from ECONNRESET,
    DESTADDRREQ = 17 from EDESTADDRREQ,
    DQUOT = 19 from EDQUOT,
    EXIST = 20 from EEXIST,
    FAULT = 21,
    FBIG = 22 from EFBIG,
    HOSTUNREACH = 23 from EHOSTUNREACH,
    ILSEQ = 25 from EILSEQ,
    INPROGRESS = 26 from EINPROGRESS,
    INTR = 27 from EINTR,
    INVAL = 28 from EINVAL,
    IO = 29,
    ISCONN = 30 from EISCONN,
    ISDIR = 31 from EISDIR,
    LOOP = 32 from ELOOP,
    MFILE = 33 from EMFILE,
    MLINK = 34 from EMLINK,
    MSGSIZE = 35 from EMSGSIZE,
    NAMETOOLONG = 37 from ENAMETOOLONG,
    NETDOWN = 38 from ENETDOWN,
    NETRESET = 39 from ENETRESET,
    NETUNREACH = 40 from ENETUNREACH,
    NFILE = 41 from ENFILE,
    NOBUFS = 42 from ENOBUFS,
    NODEV = 43 from ENODEV,
    NOENT = 44 from ENOENT,
    NOMEM = 48 from ENOMEM,
    NOPROTOOPT = 50 from ENOPROTOOPT,
    NOSPC = 51 from ENOSPC,
    NOTCONN = 53 from ENOTCONN,
    NOTDIR = 54 from ENOTDIR,
    NOTEMPTY = 55 from ENOTEMPTY,
    NOTSOCK = 57 from ENOTSOCK,
    NOTSUP = 58 from EOPNOTSUPP,
    NXIO = 60 from ENXIO,
    OVERFLOW = 61 from EOVERFLOW,
    PERM = 63 from EPERM,
    PIPE = 64 from EPIPE,
    PROTO = 65 from EPROTO,
    PROTONOSUPPORT = 66 from EPROTONOSUPPORT,
    PROTOTYPE = 67 from EPROTOTYPE,
    ROFS = 69 from EROFS,
    SPIPE = 70 from ESPIPE,
    TIMEDOUT = 73 from ETIMEDOUT,
    TXTBSY = 74 from ETXTBSY,
    XDEV = 75 from EXDEV,
}

/// For systems whose own numbers are not known.
fn from_kind(kind: io::ErrorKind) -> i32 {
    match kind {
        io::ErrorKind::AddrInUse => ADDRINUSE,
        io::ErrorKind::AddrNotAvailable => ADDRNOTAVAIL,
        io::ErrorKind::ConnectionAborted => CONNABORTED,
        io::ErrorKind::ConnectionRefused => CONNREFUSED,
        io::ErrorKind::ConnectionReset => CONNRESET,
        io::ErrorKind::InvalidInput => INVAL,
        io::ErrorKind::NotConnected => NOTCONN,
        io::ErrorKind::PermissionDenied => ACCES,
        io::ErrorKind::BrokenPipe => PIPE,
        io::ErrorKind::TimedOut => TIMEDOUT,
        io::ErrorKind::WouldBlock => AGAIN,
        _ => IO,
    }
}
