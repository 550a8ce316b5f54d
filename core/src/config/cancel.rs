//! Cancellation of calls, from anywhere.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

/// Cancels calls from another thread or task. Clones are the same token; one token may serve many
/// calls.
///
/// A cancelled call ends within some milliseconds with `cancelled`, whether the guest computes,
/// sleeps, reads, waits for its turn, or is in a host function that returns; its instance is dead,
/// unless the call had not begun. Cancelling cannot be undone: later calls with the token end at
/// once.
#[derive(Clone, Default)]
pub struct CancelToken(Arc<Shared>);

#[derive(Default)]
struct Shared {
    cancelled: AtomicBool,
    notify: Notify,
    parent: Option<CancelToken>,
}

impl CancelToken {
    /// A token that is not cancelled.
    #[must_use]
    pub fn new() -> CancelToken {
        CancelToken::default()
    }

    /// A token that is cancelled when this one is, and that can be cancelled alone.
    #[must_use]
    pub fn child(&self) -> CancelToken {
        CancelToken(Arc::new(Shared { parent: Some(self.clone()), ..Shared::default() }))
    }

    /// Cancels all calls that have the token, now and later. Does not wait for them to end.
    pub fn cancel(&self) {
        self.0.cancelled.store(true, Ordering::SeqCst);
        self.0.notify.notify_waiters();
    }

    /// Whether it was cancelled.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.cancelled.load(Ordering::SeqCst) || self.0.parent.as_ref().is_some_and(CancelToken::is_cancelled)
    }

    /// Waits until it is cancelled.
    pub async fn cancelled(&self) {
        let mut notified = std::pin::pin!(self.0.notify.notified());
        // Registered before the check, so that a cancellation in between is seen by one of the two.
        notified.as_mut().enable();
        if self.is_cancelled() {
            return;
        }
        match &self.0.parent {
            None => notified.await,
            Some(parent) => {
                tokio::select! {
                    () = notified => {}
                    () = Box::pin(parent.cancelled()) => {}
                }
            }
        }
    }
}

impl fmt::Debug for CancelToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CancelToken({})", if self.is_cancelled() { "cancelled" } else { "not cancelled" })
    }
}
