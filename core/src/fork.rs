//! Processes that fork: what a child may still use of what its parent made.
//!
//! Only the thread that forks lives on in the child. Whatever the others held stays held, and what they did stays half done. So
//! everything that belongs to threads is made anew in a child ([`PerProcess`]), instances end ([`generation`]), and if a thread was
//! changing the engine's tables at that moment ([`hold`]), then the child is told so at once, and never hangs.

use std::mem::ManuallyDrop;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, AtomicUsize, Ordering};

use crate::error::{Error, ErrorKind, Result};

/// How often this process, and those before it, forked.
static GENERATION: AtomicU64 = AtomicU64::new(0);
/// How many threads are where they may hold locks of the engine.
static HOLDING: AtomicUsize = AtomicUsize::new(0);
/// Whether a thread was there when this process was forked.
static BROKEN: AtomicBool = AtomicBool::new(false);

/// The number of the process in its line of forks. What was made under another number was made before a fork.
#[inline]
pub(crate) fn generation() -> u64 {
    GENERATION.load(Ordering::Relaxed)
}

/// Runs in the child, on its only thread, before `fork` returns: atomics are all it may touch.
#[cfg(all(unix, not(miri)))]
extern "C" fn in_child() {
    GENERATION.fetch_add(1, Ordering::SeqCst);
    if HOLDING.swap(0, Ordering::SeqCst) > 0 {
        BROKEN.store(true, Ordering::SeqCst);
    }
}

/// Notices forks from now on. Called before anything is made that a fork could harm.
pub(crate) fn watch() {
    // Miri knows no forks.
    #[cfg(all(unix, not(miri)))]
    {
        // No `Once`: a fork in the middle of one leaves it waiting for ever.
        static WATCHED: AtomicBool = AtomicBool::new(false);
        if !WATCHED.swap(true, Ordering::SeqCst) {
            // SAFETY: the handler is a function of this program with the right signature. A failure (out of memory) leaves forks unnoticed.
            unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
        }
    }
}

/// Whether the engine can't be touched in this process, not even to free what belongs to it.
pub(crate) fn is_broken() -> bool {
    BROKEN.load(Ordering::SeqCst)
}

/// While one of these lives, the thread may hold locks of the engine, or of plugins.
pub(crate) struct Held(u64);

/// Announces that the thread will change tables of the engine: when it compiles, instantiates, or frees.
///
/// # Errors
///
/// `dead-instance` in a child that was forked while another thread did so: the locks are held for ever.
pub(crate) fn hold() -> Result<Held> {
    if is_broken() {
        return Err(broken());
    }
    HOLDING.fetch_add(1, Ordering::SeqCst);
    Ok(Held(generation()))
}

impl Drop for Held {
    fn drop(&mut self) {
        // In a child the count began anew.
        if self.0 == generation() {
            HOLDING.fetch_sub(1, Ordering::SeqCst);
        }
    }
}

#[cold]
fn broken() -> Error {
    let text = "this process was forked while another thread was loading a plugin or making an instance, so no plugin can be used in it: \
                fork before plugins are used, or start processes by 'spawn' or 'forkserver' instead of 'fork'";
    Error::new(ErrorKind::DeadInstance, text)
}

/// The error for an instance, or a pool, that was made before a fork.
#[cold]
pub(crate) fn left_behind(what: &str) -> Error {
    let text =
        format!("this {what} was made before this process forked, and belongs to the parent process; make a new one from the plugin");
    Error::new(ErrorKind::DeadInstance, text)
}

/// A static value that a forked child makes anew, because it has threads or locks. There is no lock around its making: of two that are made
/// at once one is dropped. Those of parents are left as they are.
pub(crate) struct PerProcess<T>(AtomicPtr<(u64, T)>);

impl<T> PerProcess<T> {
    pub(crate) const fn new() -> Self {
        PerProcess(AtomicPtr::new(std::ptr::null_mut()))
    }

    /// The value of this process, if it was made.
    pub(crate) fn get(&'static self) -> Option<&'static T> {
        // SAFETY: the pointer is null, or came from a box that was leaked in `get_or_make`, and is never freed.
        let made = unsafe { self.0.load(Ordering::Acquire).as_ref() }?;
        (made.0 == generation()).then_some(&made.1)
    }

    /// The value of this process.
    pub(crate) fn get_or_make(&'static self, make: impl FnOnce() -> T) -> &'static T {
        let before = self.0.load(Ordering::Acquire);
        if let Some(made) = self.get() {
            return made;
        }
        watch();
        let new = Box::into_raw(Box::new((generation(), make())));
        match self.0.compare_exchange(before, new, Ordering::AcqRel, Ordering::Acquire) {
            // SAFETY: the box was leaked by the line above, and nobody frees it now that it is stored.
            Ok(_) => unsafe { &(*new).1 },
            Err(other) => {
                // SAFETY: `new` was not stored, so this is its only owner; `other` is a box that was leaked here before.
                unsafe {
                    drop(Box::from_raw(new));
                    &(*other).1
                }
            }
        }
    }
}

/// What takes locks of the engine when it is freed: a store, or code. In a process that can't touch the engine it is left to the process's end.
pub(crate) struct Kept<T>(ManuallyDrop<T>);

impl<T> Kept<T> {
    pub(crate) fn new(value: T) -> Kept<T> {
        Kept(ManuallyDrop::new(value))
    }
}

impl<T> Deref for Kept<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for Kept<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

impl<T> Drop for Kept<T> {
    fn drop(&mut self) {
        if let Ok(_held) = hold() {
            // SAFETY: the value is dropped here and nowhere else, and this is the end of what it lives in.
            unsafe { ManuallyDrop::drop(&mut self.0) };
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Barrier};
    use std::thread;

    use super::*;

    #[test]
    fn of_values_made_at_once_one_remains() {
        static MADE: PerProcess<String> = PerProcess::new();
        assert!(MADE.get().is_none());
        let barrier = Barrier::new(4);
        let values: Vec<&'static String> = thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|n| {
                    let barrier = &barrier;
                    scope.spawn(move || {
                        barrier.wait();
                        MADE.get_or_make(|| format!("made by {n}"))
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
        });
        assert!(values.iter().all(|value| std::ptr::eq(*value, values[0]) && value.starts_with("made by ")), "{values:?}");
        assert!(MADE.get().is_some_and(|made| std::ptr::eq(made, values[0])));
    }

    #[test]
    fn what_is_kept_is_dropped_once() {
        let counted = Arc::new(());
        let mut kept = Kept::new(vec![counted.clone()]);
        kept.push(counted.clone());
        assert_eq!((kept.len(), Arc::strong_count(&counted)), (2, 3));
        drop(kept);
        assert_eq!(Arc::strong_count(&counted), 1);
    }
}
