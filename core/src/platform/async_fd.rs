//! A socket that belongs to one guest alone: a task that waits for it is woken by the system's event queue, where others have to look again and again.

use std::sync::Arc;
use std::task::{Context, Poll};

use socket2::Socket;

use crate::platform::descriptor::{Awaited, Wants};

/// A socket of the host's, which never blocks.
pub(crate) struct AsyncFd {
    /// Before the socket, which has to leave the queue before it is closed.
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

    /// The socket's place in the event queue, once a task has waited for it. `None` where the system has no room for it.
    pub(super) struct Queue(OnceLock<Option<unix::AsyncFd<Arc<Socket>>>>);

    impl Queue {
        pub(super) fn new() -> Queue {
            Queue(OnceLock::new())
        }

        pub(super) fn poll_ready(&self, watched: &AsyncFd, wants: Wants, context: &mut Context<'_>) -> Option<Poll<()>> {
            let place = self.0.get_or_init(|| {
                let _within = runtime::clock().enter();
                // SAFETY: the socket has the same descriptor for as long as it lives, which is at least as long as it is registered: nobody takes it out of the `Arc`.
                unsafe { unix::AsyncFd::register(watched.socket.clone()) }.ok()
            });
            let place = place.as_ref()?;
            // Once for what the queue has told before, and once more to be in it.
            for _ in 0..2 {
                let polled = match wants {
                    Wants::Read => place.poll_read_ready(context),
                    Wants::Write => place.poll_write_ready(context),
                };
                let mut ready = match polled {
                    Poll::Pending => return Some(Poll::Pending),
                    Poll::Ready(Ok(ready)) => ready,
                    // The queue is gone, as in a process that ends.
                    Poll::Ready(Err(_)) => return None,
                };
                // The queue tells what was so once; an event since then is told anew.
                if is_ready(watched, wants) {
                    return Some(Poll::Ready(()));
                }
                ready.clear_ready();
            }
            // For the queue, what was closed is closed for ever. A socket whose connection was refused may begin another.
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
