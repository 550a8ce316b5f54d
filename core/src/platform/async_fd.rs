//! A socket of a single guest. The system's event queue wakes the task that waits for it; for
//! descriptors that are shared, tasks have to poll.

use std::sync::Arc;
use std::task::{Context, Poll};

use socket2::Socket;

use crate::platform::descriptor::{Awaited, Wants};

/// A host socket in non-blocking mode.
pub(crate) struct AsyncFd {
    /// Declared before the socket, so that it leaves the queue before the socket is closed.
    queue: sys::Queue,
    socket: Arc<Socket>,
}

impl AsyncFd {
    pub(crate) fn new(socket: Socket) -> AsyncFd {
        AsyncFd { queue: sys::Queue::new(), socket: Arc::new(socket) }
    }

    pub(crate) fn socket(&self) -> &Socket {
        &self.socket
    }
}

impl Awaited for AsyncFd {
    #[cfg(unix)]
    fn raw(&self) -> std::os::fd::RawFd {
        use std::os::fd::AsRawFd as _;
        self.socket.as_raw_fd()
    }

    fn poll_ready(&self, wants: Wants, context: &mut Context<'_>) -> Option<Poll<()>> {
        self.queue.poll_ready(self, wants, context)
    }
}

#[cfg(unix)]
mod sys {
    use std::sync::{Arc, OnceLock};
    use std::task::{Context, Poll};

    use socket2::Socket;
    use tokio::io::unix;

    use super::AsyncFd;
    use crate::platform::descriptor::{Wants, is_ready};
    use crate::platform::runtime;

    /// The socket's registration in the event queue, made when a task first waits for it. `None` if
    /// the system refused.
    pub(super) struct Queue(OnceLock<Option<unix::AsyncFd<Arc<Socket>>>>);

    impl Queue {
        pub(super) fn new() -> Queue {
            Queue(OnceLock::new())
        }

        pub(super) fn poll_ready(&self, watched: &AsyncFd, wants: Wants, context: &mut Context<'_>) -> Option<Poll<()>> {
            let place = self.0.get_or_init(|| {
                let _within = runtime::clock().enter();
                // SAFETY: the socket keeps its descriptor for as long as it lives, and the `Arc`
                // keeps it alive at least as long as it is registered: nothing takes it out of the
                // `Arc`.
                unsafe { unix::AsyncFd::register(watched.socket.clone()) }.ok()
            });
            let place = place.as_ref()?;
            // The first round reads what the queue has reported before; the second one registers
            // the task.
            for _ in 0..2 {
                let polled = match wants {
                    Wants::Read => place.poll_read_ready(context),
                    Wants::Write => place.poll_write_ready(context),
                };
                let mut ready = match polled {
                    Poll::Pending => return Some(Poll::Pending),
                    Poll::Ready(Ok(ready)) => ready,
                    // The queue no longer exists, as in a process that exits.
                    Poll::Ready(Err(_)) => return None,
                };
                // The event may be stale: check, and clear it if so. A later event is reported
                // anew.
                if is_ready(watched, wants) {
                    return Some(Poll::Ready(()));
                }
                ready.clear_ready();
            }
            // For the queue a closed socket stays closed, but a socket whose connection was refused
            // may connect again.
            None
        }
    }
}

#[cfg(not(unix))]
mod sys {
    use std::task::{Context, Poll};

    use super::AsyncFd;
    use crate::platform::descriptor::Wants;

    pub(super) struct Queue;

    impl Queue {
        pub(super) fn new() -> Queue {
            Queue
        }

        pub(super) fn poll_ready(&self, _: &AsyncFd, _: Wants, _: &mut Context<'_>) -> Option<Poll<()>> {
            None
        }
    }
}
