//! What the rules have denied a guest. The guest gets a number, of which nobody can tell what it lacks; the host is told.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::error::escape;

/// Different ones that are kept.
const MOST: usize = 64;

/// What an instance was denied. It outlasts the guest.
#[derive(Default)]
pub(crate) struct Denials {
    kept: Mutex<Kept>,
    /// Whether there is a last one. Beside the lock, because each call reads it.
    has_last: AtomicBool,
}

#[derive(Default)]
struct Kept {
    /// Each once, in the order in which they came.
    all: Vec<String>,
    /// The last one of this call.
    last: Option<String>,
}

impl Denials {
    fn lock(&self) -> MutexGuard<'_, Kept> {
        // Consistent after each statement.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes note of what was denied, and of the rule that would allow it.
    pub(crate) fn note(&self, what: &str, rule: &str) {
        // The guest has said what it wanted, a name of any length perhaps.
        let text = format!("the sandbox denied {what}; it takes the rule {rule}");
        let text = escape::bounded(&escape::line(&text), 1 << 10).into_owned();
        let mut kept = self.lock();
        if kept.all.len() < MOST && !kept.all.contains(&text) {
            kept.all.push(text.clone());
        }
        kept.last = Some(text);
        self.has_last.store(true, Ordering::Relaxed);
    }

    /// Another call begins.
    #[inline]
    pub(crate) fn begin(&self) {
        if self.has_last.load(Ordering::Relaxed) {
            self.take_last();
        }
    }

    /// All of them, each once.
    pub(crate) fn all(&self) -> Vec<String> {
        self.lock().all.clone()
    }

    /// The last one of this call.
    pub(crate) fn take_last(&self) -> Option<String> {
        let mut kept = self.lock();
        self.has_last.store(false, Ordering::Relaxed);
        kept.last.take()
    }
}
