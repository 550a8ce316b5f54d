//! Descriptors of the host process that may block. Each is asked whether it is ready before it is used, so that what waits for it can be ended.

use std::fs::File;
use std::io;
use std::path::Path;
use std::task::{Context, Poll};
use std::time::Duration;

pub(crate) use sys::Descriptor;
#[cfg(unix)]
pub(crate) use sys::is_ready;

/// What a wait is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Wants {
    Read,
    Write,
}

/// What can be waited for.
pub(crate) trait Awaited: Sync {
    /// Its number in this process.
    #[cfg(unix)]
    fn raw(&self) -> std::os::fd::RawFd;

    /// Whether it is ready now; if not, the task is woken when it is. `None` for what has no event queue: those who wait have to look again and again.
    fn poll_ready(&self, _wants: Wants, _context: &mut Context<'_>) -> Option<Poll<()>> {
        None
    }
}

/// Something to wait for, and what it should be ready for.
pub(crate) type Wanted<'w> = (&'w dyn Awaited, Wants);

/// What a look at something found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) is_ready: bool,
    /// Nobody will ever read from it, nor write to it.
    pub(crate) is_over: bool,
}

/// Looks at all of them at once.
pub(crate) fn look(wanted: &[Wanted<'_>]) -> Vec<Found> {
    sys::look(wanted)
}

/// Waits on this thread until one of them is ready, or the time has passed. It may come back early. Returns whether one is said to be ready.
pub(crate) fn wait(wanted: &[Wanted<'_>], time: Duration) -> bool {
    sys::wait(wanted, time)
}

/// How often to look at what the system can't wait for.
const LOOK: Duration = Duration::from_millis(5);

/// Opens a file for reading, so that neither opening a FIFO nor reading it blocks.
pub(crate) fn open_file(path: &Path) -> io::Result<File> {
    let file = sys::open(path)?;
    if file.metadata()?.is_dir() {
        return Err(io::Error::from(io::ErrorKind::IsADirectory));
    }
    Ok(file)
}

/// Opens a file once more, to read it from its beginning. It is the same one, whatever its path leads to by now.
pub(crate) fn reopen(file: &File, path: &Path) -> io::Result<File> {
    #[cfg(target_os = "linux")]
    {
        use std::os::fd::AsRawFd as _;
        let again = sys::open(Path::new(&format!("/proc/self/fd/{}", file.as_raw_fd())));
        // No `/proc` is there.
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

    /// Bytes that a pipe takes without blocking when it is ready for any.
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

    /// Whether reading or writing would not block now. An error counts as ready: the next use tells it.
    pub(crate) fn is_ready(awaited: &dyn Awaited, wants: Wants) -> bool {
        revents(awaited, wants) != 0
    }

    fn revents(awaited: &dyn Awaited, wants: Wants) -> libc::c_short {
        let mut asked = [asked(awaited, wants)];
        look_at(&mut asked);
        asked[0].revents
    }

    impl Descriptor {
        /// Whether reading or writing would not block now. An error counts as ready: the next use tells it.
        pub(crate) fn is_ready(&self, wants: Wants) -> bool {
            is_ready(self, wants)
        }

        /// Whether who uses it may have to wait for somebody, as with pipes, terminals and sockets.
        pub(crate) fn may_wait(&self) -> bool {
            kind(self.raw()).is_some_and(|kind| matches!(kind, libc::S_IFIFO | libc::S_IFSOCK | libc::S_IFCHR))
        }

        /// Reads what is there; `None` when there is nothing yet.
        pub(crate) fn read(&self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
            if !self.is_ready(Wants::Read) {
                return Ok(None);
            }
            read_now(self.raw(), buffer)
        }

        /// Writes some of the bytes; `None` when there is no room yet. Where nobody will ever read, it is an error; to write would be a signal, which may be the
        /// end of this process.
        pub(crate) fn write(&self, bytes: &[u8]) -> io::Result<Option<usize>> {
            match revents(self, Wants::Write) {
                0 => return Ok(None),
                said if said & (libc::POLLERR | libc::POLLHUP) != 0 => return Err(io::ErrorKind::BrokenPipe.into()),
                _ => {}
            }
            write_now(self.raw(), &bytes[..bytes.len().min(PIECE)])
        }
    }

    /// Another instance, or another process, may take what is there between the look and the use. Linux can use a descriptor that blocks without
    /// blocking; the descriptor's flags are shared with other processes, so they stay as they are.
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    fn read_now(fd: RawFd, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        if is_stream(fd) {
            let piece = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
            // SAFETY: one iovec, whose pointer and length are those of the buffer, which nobody else has.
            let done = outcome(unsafe { libc::preadv2(fd, &raw const piece, 1, -1, libc::RWF_NOWAIT) });
            if !is_unknown(&done) {
                return done;
            }
        }
        read_plain(fd, buffer)
    }

    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    fn write_now(fd: RawFd, bytes: &[u8]) -> io::Result<Option<usize>> {
        if is_stream(fd) {
            let piece = libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() };
            // SAFETY: one iovec, whose pointer and length are those of the bytes; they are only read.
            let done = outcome(unsafe { libc::pwritev2(fd, &raw const piece, 1, -1, libc::RWF_NOWAIT) });
            if !is_unknown(&done) {
                return done;
            }
        }
        write_plain(fd, bytes)
    }

    /// Whether the kernel, or the file's driver, does not know how.
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    fn is_unknown(done: &io::Result<Option<usize>>) -> bool {
        matches!(done, Err(error) if matches!(error.raw_os_error(), Some(libc::EOPNOTSUPP | libc::ENOSYS)))
    }

    #[cfg(not(all(target_os = "linux", target_env = "gnu")))]
    use {read_plain as read_now, write_plain as write_now};

    fn read_plain(fd: RawFd, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        // SAFETY: the pointer and the length are those of the buffer, which nobody else has.
        outcome(unsafe { libc::read(fd, buffer.as_mut_ptr().cast(), buffer.len()) })
    }

    fn write_plain(fd: RawFd, bytes: &[u8]) -> io::Result<Option<usize>> {
        // SAFETY: the pointer and the length are those of the bytes.
        outcome(unsafe { libc::write(fd, bytes.as_ptr().cast(), bytes.len()) })
    }

    /// Whether it is a pipe or a socket. Asked each time: a program may put another file at the number of its standard output.
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    fn is_stream(fd: RawFd) -> bool {
        matches!(kind(fd), Some(libc::S_IFIFO | libc::S_IFSOCK))
    }

    /// What kind of file it is.
    fn kind(fd: RawFd) -> Option<libc::mode_t> {
        let mut stat = std::mem::MaybeUninit::<libc::stat>::uninit();
        // SAFETY: the structure is written whole when the call succeeds, and read only then.
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

    /// The terminal that is the standard input, if one is, opened anew: its other readers may take a line between the look and the use, and the flag that keeps the use
    /// from waiting then is theirs too, unless it is opened by itself.
    pub(super) fn terminal() -> Option<File> {
        // SAFETY: any number may be asked about.
        if !cfg!(target_os = "linux") || unsafe { libc::isatty(libc::STDIN_FILENO) } == 0 {
            return None;
        }
        OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open("/proc/self/fd/0").ok()
    }

    pub(super) fn open(path: &Path) -> io::Result<File> {
        OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path)
    }

    /// Waits until one of them is ready, at most that long; a signal ends it as well. Gives whether one is.
    pub(super) fn wait(wanted: &[Wanted<'_>], time: Duration) -> bool {
        let mut asked: Vec<_> = wanted.iter().map(|(awaited, wants)| asked(*awaited, *wants)).collect();
        match poll(&mut asked, time) {
            Ok(ready) => ready > 0,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => false,
            // What the system can't wait for is looked at now and then.
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

    /// Looks at all of them. The system refuses to at once where they are more than this process may open by now, so they are asked in parts then.
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

    /// Gives how many are ready. A failure leaves all as it was, which says that nothing is.
    #[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
    fn poll(asked: &mut [libc::pollfd], time: Duration) -> io::Result<usize> {
        // Of such a length there is no end to be seen.
        let seconds = libc::time_t::try_from(time.as_secs()).unwrap_or(libc::time_t::MAX);
        let time = libc::timespec { tv_sec: seconds, tv_nsec: time.subsec_nanos().into() };
        // SAFETY: the pointer and the count are those of the slice, the time lives as long as the call, and no mask of signals is given.
        let ready = unsafe { libc::ppoll(asked.as_mut_ptr(), asked.len() as libc::nfds_t, &raw const time, std::ptr::null()) };
        usize::try_from(ready).map_err(|_| io::Error::last_os_error())
    }

    /// The same where waits are of whole milliseconds: rounded up, so that the end of one is not spent in looks that don't wait.
    #[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
    fn poll(asked: &mut [libc::pollfd], time: Duration) -> io::Result<usize> {
        let milliseconds = i32::try_from(time.as_nanos().div_ceil(1_000_000)).unwrap_or(i32::MAX);
        // SAFETY: the pointer and the count are those of the slice.
        let ready = unsafe { libc::poll(asked.as_mut_ptr(), asked.len() as libc::nfds_t, milliseconds) };
        usize::try_from(ready).map_err(|_| io::Error::last_os_error())
    }
}

/// Where nothing can be asked, descriptors are used as they are, and may block.
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
