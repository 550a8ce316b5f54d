//! Who waits for which instance, so that calls between instances end as `busy` where they would
//! wait for each other.
//!
//! Callers have numbers (see `lock.rs`). A call that is made on behalf of another, by a link or
//! with the lease of a host function, is its *child*: the other goes on only when this one is over.
//! A caller is blocked by another if that one, or a child of it, waits for a lock which the caller,
//! or one of its ancestors, has.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use crate::error::{Error, ErrorKind, Result};
use crate::guest::lock::Lock;
use crate::platform::fork::PerProcess;

#[derive(Default)]
struct Waits {
    /// By the number of the caller, that for which it waits. Weakly, because a future that was
    /// polled may be forgotten.
    waiting: HashMap<u64, Weak<Lock>>,
    /// By the number of the child.
    parents: HashMap<u64, u64>,
}

impl Waits {
    /// A caller, its parent, and so on.
    fn ancestry(&self, caller: u64) -> Vec<u64> {
        let mut found = vec![caller];
        let mut last = caller;
        while let Some(parent) = self.parents.get(&last).copied()
            && !found.contains(&parent)
        {
            found.push(parent);
            last = parent;
        }
        found
    }

    /// Whether that owner of a lock can't go on before one of these callers does.
    fn is_blocked(&self, owner: u64, callers: &[u64]) -> bool {
        let (mut open, mut seen) = (vec![owner], vec![owner]);
        while let Some(owner) = open.pop() {
            if callers.contains(&owner) {
                return true;
            }
            for (waiter, lock) in &self.waiting {
                let next = lock.upgrade().map_or(0, |lock| lock.owner());
                if next != 0 && !seen.contains(&next) && self.ancestry(*waiter).contains(&owner) {
                    seen.push(next);
                    open.push(next);
                }
            }
        }
        false
    }
}

static WAITS: PerProcess<Mutex<Waits>> = PerProcess::new();

fn waits() -> MutexGuard<'static, Waits> {
    WAITS.get_or_make(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner)
}

/// A caller that waits for a lock, while this lives.
pub(super) struct Waiting(u64);

impl Waiting {
    /// # Errors
    ///
    /// `busy` if the owner of the lock waits for this caller.
    pub(super) fn begin(caller: u64, lock: &Arc<Lock>) -> Result<Waiting> {
        let mut waits = waits();
        // Entered before the others are looked at, so that the last one of a circle sees all of it.
        waits.waiting.insert(caller, Arc::downgrade(lock));
        let waiting = Waiting(caller);
        let is_blocked = waits.is_blocked(lock.owner(), &waits.ancestry(caller));
        drop(waits);
        // Its turn may have come meanwhile.
        let is_blocked = is_blocked && lock.owner() != caller;
        if is_blocked { Err(in_a_circle()) } else { Ok(waiting) }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        waits().waiting.remove(&self.0);
    }
}

/// A call on behalf of another, while this lives.
pub(crate) struct Child(u64);

impl Child {
    /// `None` for a call without a parent.
    pub(crate) fn new(caller: u64, parent: u64) -> Option<Child> {
        if parent == 0 || parent == caller {
            return None;
        }
        waits().parents.insert(caller, parent);
        Some(Child(caller))
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        waits().parents.remove(&self.0);
    }
}

#[cold]
pub(crate) fn in_a_circle() -> Error {
    let text =
        "the instance is in the middle of a call that waits for this one: instances that are linked can't call each other in a circle";
    Error::new(ErrorKind::Busy, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_waits_for_whom() {
        // No lock has these numbers.
        let [a, b, child, other] = [1, 2, 3, 4].map(|n| 1 << 62 | n);
        let [of_a, of_b, of_other] = [a, b, other].map(|owner| {
            let lock = Arc::new(Lock::new());
            assert!(lock.try_enter(owner));
            lock
        });
        assert!(Waiting::begin(other, &of_a).is_ok());
        let first = Waiting::begin(a, &of_b).ok();
        assert!(first.is_some());
        assert!(Waiting::begin(other, &of_b).is_ok());
        assert_eq!(Waiting::begin(b, &of_a).map(drop).expect_err("a waits for b").kind(), ErrorKind::Busy);
        // On its behalf.
        let kin = Child::new(child, b);
        assert!(kin.is_some() && Waiting::begin(child, &of_a).is_err() && Waiting::begin(child, &of_b).is_err());
        drop(first);
        assert!(Waiting::begin(child, &of_a).is_ok() && Waiting::begin(child, &of_other).is_ok());
        drop(kin);
        assert!(Waiting::begin(child, &of_b).is_ok());
        assert!(Child::new(child, 0).is_none());
    }
}
