//! Descriptors of the host process that may block. Each one is polled before it is used, so that a
//! wait can be interrupted.

use std::fs::File;
use std::io;
use std::path::Path;
use std::task::{Context, Poll};
use std::time::Duration;

pub(crate) use sys::Descriptor;
#[cfg(unix)]
pub(crate) use sys::is_ready;

/// What to wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Wants {
    Read,
    Write,
}

/// Something that can be waited for.
pub(crate) trait Awaited: Sync {
    /// Its descriptor in this process.
    #[cfg(unix)]
    fn raw(&self) -> std::os::fd::RawFd;

    /// Whether it is ready now; if not, the task is woken when it is. `None` where there is no
    /// event queue: then the caller has to poll.
    fn poll_ready(&self, _wants: Wants, _context: &mut Context<'_>) -> Option<Poll<()>> {
        None
    }
}

/// Something to wait for, and the operation that it should be ready for.
pub(crate) type Wanted<'w> = (&'w dyn Awaited, Wants);

/// The result of a look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) is_ready: bool,
    /// Hung up: no read or write will ever transfer anything again.
    pub(crate) is_over: bool,
}

/// Polls all of them with one call of the system.
pub(crate) fn look(wanted: &[Wanted<'_>]) -> Vec<Found> {
    sys::look(wanted)
}

/// Blocks until one of them is ready or the time has passed; may return early. Returns whether one
/// is reported to be ready.
pub(crate) fn wait(wanted: &[Wanted<'_>], time: Duration) -> bool {
    sys::wait(wanted, time)
}

/// How often to look at what the system can't wait for.
const LOOK: Duration = Duration::from_millis(5);

/// Opens a file for reading. Neither opening nor reading it blocks, even if it is a FIFO.
pub(crate) fn open_file(path: &Path) -> io::Result<File> {
    let file = sys::open(path)?;
    if file.metadata()?.is_dir() {
        return Err(io::Error::from(io::ErrorKind::IsADirectory));
    }
    Ok(file)
}

/// Opens a file again, to read it from its beginning. It is the same file, whatever its path leads
/// to now.
pub(crate) fn reopen(file: &File, path: &Path) -> io::Result<File> {
    #[cfg(target_os = "linux")]
    {
        use std::os::fd::AsRawFd as _;
        let again = sys::open(Path::new(&format!("/proc/self/fd/{}", file.as_raw_fd())));
        // There is no `/proc` here.
        if !again.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
            return again;
        }
    }
    let again = sys::open(path)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        let (was, is) = (file.metadata()?, again.metadata()?);
        if (was.dev(), was.ino()) != (is.dev(), is.ino()) {
            return Err(io::Error::other("another file is at that path by now"));
        }
    }
    let _ = file;
    Ok(again)
}

/// The standard input of the process.
pub(crate) fn stdin() -> Descriptor {
    sys::terminal().map_or(Descriptor::Stdin, Descriptor::File)
}

#[cfg(unix)]
mod sys {
    use std::fs::{File, OpenOptions};
    use std::io;
    use std::os::fd::{AsRawFd as _, RawFd};
    use std::os::unix::fs::OpenOptionsExt as _;
    use std::path::Path;
    use std::time::Duration;

    use super::{Awaited, Found, Wanted, Wants};

    /// A pipe that is ready takes this many bytes without blocking.
    const PIECE: usize = libc::PIPE_BUF;

    /// A descriptor of the host process.
    #[derive(Debug)]
    pub(crate) enum Descriptor {
        Stdin,
        Stdout,
        Stderr,
        File(File),
    }

    impl Awaited for Descriptor {
        fn raw(&self) -> RawFd {
            match self {
                Descriptor::Stdin => libc::STDIN_FILENO,
                Descriptor::Stdout => libc::STDOUT_FILENO,
                Descriptor::Stderr => libc::STDERR_FILENO,
                Descriptor::File(file) => file.as_raw_fd(),
            }
        }
    }

    /// Whether a read or write would not block now. An error counts as ready: the next use reports
    /// it.
    pub(crate) fn is_ready(awaited: &dyn Awaited, wants: Wants) -> bool {
        revents(awaited, wants) != 0
    }

    fn revents(awaited: &dyn Awaited, wants: Wants) -> libc::c_short {
        let mut asked = [asked(awaited, wants)];
        look_at(&mut asked);
        asked[0].revents
    }

    impl Descriptor {
        /// Whether a read or write would not block now. An error counts as ready: the next use
        /// reports it.
        pub(crate) fn is_ready(&self, wants: Wants) -> bool {
            is_ready(self, wants)
        }

        /// Whether its use may wait for another party, as with pipes, terminals and sockets.
        pub(crate) fn may_wait(&self) -> bool {
            kind(self.raw()).is_some_and(|kind| matches!(kind, libc::S_IFIFO | libc::S_IFSOCK | libc::S_IFCHR))
        }

        /// Reads what is available; `None` if there is nothing yet.
        pub(crate) fn read(&self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
            if !self.is_ready(Wants::Read) {
                return Ok(None);
            }
            read_now(self.raw(), buffer)
        }

        /// Writes some of the bytes; `None` if there is no room yet. A pipe without a reader is an
        /// error here, because the write itself would raise a signal that may end this process.
        pub(crate) fn write(&self, bytes: &[u8]) -> io::Result<Option<usize>> {
            match revents(self, Wants::Write) {
                0 => return Ok(None),
                said if said & (libc::POLLERR | libc::POLLHUP) != 0 => return Err(io::ErrorKind::BrokenPipe.into()),
                _ => {}
            }
            write_now(self.raw(), &bytes[..bytes.len().min(PIECE)])
        }
    }

    /// Another instance or process may take the data, or the room, between the look and the use.
    /// Linux can do a single non-blocking operation on a blocking descriptor. The flags of the
    /// descriptor stay as they are, because other processes share them.
    #[cfg(target_os = "linux")]
    fn read_now(fd: RawFd, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        if is_stream(fd) {
            let piece = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
            // SAFETY: one iovec, whose pointer and length are those of the buffer, which nobody
            // else has.
            let done = outcome(unsafe { at_once(libc::SYS_preadv2, fd, &piece) });
            if !is_unknown(&done) {
                return done;
            }
        }
        read_plain(fd, buffer)
    }

    #[cfg(target_os = "linux")]
    fn write_now(fd: RawFd, bytes: &[u8]) -> io::Result<Option<usize>> {
        if is_stream(fd) {
            let piece = libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() };
            // SAFETY: one iovec, whose pointer and length are those of the bytes; they are only
            // read.
            let done = outcome(unsafe { at_once(libc::SYS_pwritev2, fd, &piece) });
            if !is_unknown(&done) {
                return done;
            }
        }
        write_plain(fd, bytes)
    }

    /// Calls `preadv2` or `pwritev2`, by number: glibc has functions for them only since 2.26, and
    /// musl's are not declared by the crate. An offset of -1 is the file's own position.
    ///
    /// # Safety
    ///
    /// As for these calls: the piece is memory that may be written or read.
    #[cfg(target_os = "linux")]
    unsafe fn at_once(number: libc::c_long, fd: RawFd, piece: &libc::iovec) -> isize {
        // Each argument fills a register, as the kernel reads it.
        let (fd, flags, offset) = (libc::c_long::from(fd), libc::c_long::from(libc::RWF_NOWAIT), -1 as libc::c_long);
        // SAFETY: one iovec, which outlives the call, and the kernel's own types (preadv2(2)): the
        // offset is in two halves.
        unsafe { libc::syscall(number, fd, std::ptr::from_ref(piece), 1_usize, offset, offset, flags) as isize }
    }

    /// Whether the kernel or the file's waiting does not support it.
    #[cfg(target_os = "linux")]
    fn is_unknown(done: &io::Result<Option<usize>>) -> bool {
        matches!(done, Err(error) if matches!(error.raw_os_error(), Some(libc::EOPNOTSUPP | libc::ENOSYS)))
    }

    #[cfg(not(target_os = "linux"))]
    use {read_plain as read_now, write_plain as write_now};

    fn read_plain(fd: RawFd, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        // SAFETY: the pointer and the length are those of the buffer, which nobody else has.
        outcome(unsafe { libc::read(fd, buffer.as_mut_ptr().cast(), buffer.len()) })
    }

    fn write_plain(fd: RawFd, bytes: &[u8]) -> io::Result<Option<usize>> {
        // SAFETY: the pointer and the length are those of the bytes.
        outcome(unsafe { libc::write(fd, bytes.as_ptr().cast(), bytes.len()) })
    }

    /// Whether it is a pipe or a socket. Asked each time: a program may replace the file behind its
    /// standard output.
    #[cfg(target_os = "linux")]
    fn is_stream(fd: RawFd) -> bool {
        matches!(kind(fd), Some(libc::S_IFIFO | libc::S_IFSOCK))
    }

    /// The type of the file.
    fn kind(fd: RawFd) -> Option<libc::mode_t> {
        let mut stat = std::mem::MaybeUninit::<libc::stat>::uninit();
        // SAFETY: the structure is fully written when the call succeeds, and read only then.
        let mode = unsafe {
            if libc::fstat(fd, stat.as_mut_ptr()) != 0 {
                return None;
            }
            stat.assume_init().st_mode
        };
        Some(mode & libc::S_IFMT)
    }

    fn outcome(done: isize) -> io::Result<Option<usize>> {
        usize::try_from(done).map(Some).or_else(|_| {
            let error = io::Error::last_os_error();
            match error.kind() {
                io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted => Ok(None),
                _ => Err(error),
            }
        })
    }

    /// Opens the terminal behind standard input again, if there is one. Other readers may take a
    /// line between the look and the read, and the flag that would keep the read from blocking is
    /// shared with them, unless the terminal is opened separately.
    pub(super) fn terminal() -> Option<File> {
        // SAFETY: any descriptor number is allowed.
        if !cfg!(target_os = "linux") || unsafe { libc::isatty(libc::STDIN_FILENO) } == 0 {
            return None;
        }
        OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open("/proc/self/fd/0").ok()
    }

    pub(super) fn open(path: &Path) -> io::Result<File> {
        OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path)
    }

    /// Waits until one of them is ready, for at most that long; a signal ends the wait too. Returns
    /// whether one is ready.
    pub(super) fn wait(wanted: &[Wanted<'_>], time: Duration) -> bool {
        let mut asked: Vec<_> = wanted.iter().map(|(awaited, wants)| asked(*awaited, *wants)).collect();
        match poll(&mut asked, time) {
            Ok(ready) => ready > 0,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => false,
            // The system can't wait for these: poll.
            Err(_) => {
                std::thread::sleep(time.min(super::LOOK));
                false
            }
        }
    }

    pub(super) fn look(wanted: &[Wanted<'_>]) -> Vec<Found> {
        let mut asked: Vec<_> = wanted.iter().map(|(awaited, wants)| asked(*awaited, *wants)).collect();
        look_at(&mut asked);
        let found =
            |asked: &libc::pollfd| Found { is_ready: asked.revents != 0, is_over: asked.revents & (libc::POLLHUP | libc::POLLNVAL) != 0 };
        asked.iter().map(found).collect()
    }

    /// Polls all of them. The system refuses more descriptors than this process may have open; then
    /// they are polled in parts.
    fn look_at(asked: &mut [libc::pollfd]) {
        if asked.is_empty() || poll(asked, Duration::ZERO).is_ok() || asked.len() == 1 {
            return;
        }
        let (first, second) = asked.split_at_mut(asked.len() / 2);
        look_at(first);
        look_at(second);
    }

    fn asked(awaited: &dyn Awaited, wants: Wants) -> libc::pollfd {
        let events = match wants {
            Wants::Read => libc::POLLIN,
            Wants::Write => libc::POLLOUT,
        };
        libc::pollfd { fd: awaited.raw(), events, revents: 0 }
    }

    /// Returns how many are ready. After a failure `revents` is unchanged, which says that nothing
    /// is ready.
    #[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
    fn poll(asked: &mut [libc::pollfd], time: Duration) -> io::Result<usize> {
        // Longer than anybody waits.
        // The field says how wide a second is: the type's own name is deprecated on musl.
        let time = libc::timespec { tv_sec: time.as_secs().try_into().unwrap_or(i32::MAX.into()), tv_nsec: time.subsec_nanos().into() };
        // SAFETY: the pointer and the count are those of the slice, the time outlives the call, and
        // there is no signal mask.
        let ready = unsafe { libc::ppoll(asked.as_mut_ptr(), asked.len() as libc::nfds_t, &raw const time, std::ptr::null()) };
        usize::try_from(ready).map_err(|_| io::Error::last_os_error())
    }

    /// For systems whose waits have whole milliseconds. Rounded up, so that the last fraction of
    /// one is not spent in calls that don't wait.
    #[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
    fn poll(asked: &mut [libc::pollfd], time: Duration) -> io::Result<usize> {
        let milliseconds = i32::try_from(time.as_nanos().div_ceil(1_000_000)).unwrap_or(i32::MAX);
        // SAFETY: the pointer and the count are those of the slice.
        let ready = unsafe { libc::poll(asked.as_mut_ptr(), asked.len() as libc::nfds_t, milliseconds) };
        usize::try_from(ready).map_err(|_| io::Error::last_os_error())
    }
}

/// Without a way to poll, descriptors are used directly, and may block.
#[cfg(not(unix))]
mod sys {
    use std::fs::File;
    use std::io::{self, Read as _, Write as _};
    use std::path::Path;
    use std::time::Duration;

    use super::{Awaited, Found, Wanted, Wants};

    /// A descriptor of the host process.
    #[derive(Debug)]
    pub(crate) enum Descriptor {
        Stdin,
        Stdout,
        Stderr,
        File(File),
    }

    impl Awaited for Descriptor {}

    impl Descriptor {
        pub(crate) fn is_ready(&self, _: Wants) -> bool {
            true
        }

        pub(crate) fn may_wait(&self) -> bool {
            false
        }

        pub(crate) fn read(&self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
            match self {
                Descriptor::File(file) => (&*file).read(buffer).map(Some),
                _ => io::stdin().read(buffer).map(Some),
            }
        }

        pub(crate) fn write(&self, bytes: &[u8]) -> io::Result<Option<usize>> {
            match self {
                Descriptor::Stderr => io::stderr().write(bytes).map(Some),
                _ => io::stdout().write(bytes).map(Some),
            }
        }
    }

    pub(super) fn terminal() -> Option<File> {
        None
    }

    pub(super) fn open(path: &Path) -> io::Result<File> {
        File::open(path)
    }

    pub(super) fn wait(_: &[Wanted<'_>], time: Duration) -> bool {
        std::thread::sleep(time.min(super::LOOK));
        false
    }

    pub(super) fn look(wanted: &[Wanted<'_>]) -> Vec<Found> {
        vec![Found { is_ready: true, is_over: false }; wanted.len()]
    }
}
