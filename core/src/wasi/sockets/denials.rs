//! What the rules have denied a guest. The guest gets an error number, which does not tell what is
//! missing; the host gets a sentence that does.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::error::escape;

/// How many different denials are kept.
const MOST: usize = 64;

/// The denials of an instance. They outlive the guest.
#[derive(Default)]
pub(crate) struct Denials {
    kept: Mutex<Kept>,
    /// Whether there is a last one. Outside the lock, because each call reads it.
    has_last: AtomicBool,
}

#[derive(Default)]
struct Kept {
    /// Each denial once, in the order in which they occurred.
    all: Vec<String>,
    /// The last denial of the current call.
    last: Option<String>,
}

impl Denials {
    fn lock(&self) -> MutexGuard<'_, Kept> {
        // Consistent after each statement.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records what was denied, and the rule that would allow it.
    pub(crate) fn note(&self, what: &str, rule: &str) {
        // `what` comes from the guest: a name of any length, for example.
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

    /// All denials, each once.
    pub(crate) fn all(&self) -> Vec<String> {
        self.lock().all.clone()
    }

    /// The last denial of the current call.
    pub(crate) fn take_last(&self) -> Option<String> {
        let mut kept = self.lock();
        self.has_last.store(false, Ordering::Relaxed);
        kept.last.take()
    }
}
