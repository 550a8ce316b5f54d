//! Changes that guests make to names, and what must not meet one: a path that is looked at, and
//! then used, has to lead to the same place both times.

use std::sync::{PoisonError, RwLock, TryLockError};

use crate::platform::fork::PerProcess;

/// Held by each change, and alone by what must not meet one. A forked child has neither.
static NAMES: PerProcess<RwLock<()>> = PerProcess::new();

/// Changes a name so that a path may lead elsewhere: a rename, a link, a new directory.
pub(crate) fn change<R>(work: impl FnOnce() -> R) -> R {
    let _held = NAMES.get_or_make(RwLock::default).read().unwrap_or_else(PoisonError::into_inner);
    work()
}

/// Does something while no guest of this process changes a name. `None` while one does, without
/// waiting for it: a change may take longer than a call has.
#[cfg_attr(not(unix), allow(dead_code, reason = "Unix sockets alone lie in directories"))]
pub(crate) fn between<R>(work: impl FnOnce() -> R) -> Option<R> {
    let _held = match NAMES.get_or_make(RwLock::default).try_write() {
        Ok(held) => held,
        Err(TryLockError::Poisoned(error)) => error.into_inner(),
        Err(TryLockError::WouldBlock) => return None,
    };
    Some(work())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_go_on_at_once_and_nothing_comes_between_them() {
        change(|| {
            assert_eq!(std::thread::scope(|scope| scope.spawn(|| change(|| 1)).join().ok()), Some(1));
            assert_eq!(between(|| ()), None);
        });
        // Other tests change names, too.
        while between(|| ()).is_none() {
            std::thread::yield_now();
        }
    }
}
