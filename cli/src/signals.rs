//! The wish that a server ends: Ctrl-C, and the signal that service managers send.

#[cfg(unix)]
pub(crate) use unix::catch;
#[cfg(not(unix))]
pub(crate) use without::catch;

#[cfg(unix)]
mod unix {
    use std::fs::File;
    use std::io::{self, Read as _};
    use std::os::fd::{AsRawFd as _, FromRawFd as _};
    use std::sync::atomic::{AtomicI32, Ordering};

    /// What the handler writes to; -1 before there is something.
    static WISHES: AtomicI32 = AtomicI32::new(-1);

    /// Signals that have come since this was made.
    pub(crate) struct Signals {
        wishes: File,
        /// Kept open for the handler.
        _handler: File,
    }

    /// From now on the first of these signals is waited for, and the next one ends this process.
    pub(crate) fn catch() -> io::Result<Signals> {
        let mut ends = [0; 2];
        // SAFETY: room for two descriptors, which are open and nobody else's when it succeeds.
        let [wishes, handler] = unsafe {
            if libc::pipe(ends.as_mut_ptr()) != 0 {
                return Err(io::Error::last_os_error());
            }
            ends.map(|end| File::from_raw_fd(end))
        };
        WISHES.store(handler.as_raw_fd(), Ordering::SeqCst);
        for signal in [libc::SIGINT, libc::SIGTERM] {
            let handler: extern "C" fn(libc::c_int) = wish;
            // SAFETY: the handler does only what a handler may do.
            unsafe { libc::signal(signal, handler as libc::sighandler_t) };
        }
        Ok(Signals { wishes, _handler: handler })
    }

    extern "C" fn wish(signal: libc::c_int) {
        // SAFETY: both may be called in a handler. The next signal has its usual effect.
        unsafe {
            libc::signal(signal, libc::SIG_DFL);
            libc::write(WISHES.load(Ordering::SeqCst), [0_u8].as_ptr().cast(), 1);
        }
    }

    impl Signals {
        /// Waits for the first one.
        pub(crate) fn wait(mut self) {
            let mut byte = [0];
            // Interrupted by the signal itself, it is tried again.
            let _ = self.wishes.read_exact(&mut byte);
        }
    }
}

/// Where Ctrl-C ends the process.
#[cfg(not(unix))]
mod without {
    use std::io;

    pub(crate) struct Signals;

    pub(crate) fn catch() -> io::Result<Signals> {
        Ok(Signals)
    }

    impl Signals {
        pub(crate) fn wait(self) {
            loop {
                std::thread::park();
            }
        }
    }
}
