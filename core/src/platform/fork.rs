//! Support for processes that fork: what a child may still use of what its parent made.
//!
//! Only the forking thread survives in the child. Locks that other threads held stay held, and what
//! they did stays half done. Therefore values with threads or locks are made anew in each child
//! ([`PerProcess`]), others are made without a lock ([`Lasting`]), and instances end
//! ([`generation`]). If a thread was changing the engine's tables at that moment ([`hold`]), the
//! child gets an error at once, and never hangs.

use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ops::{Deref, DerefMut};
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, AtomicUsize, Ordering};

use crate::error::{Error, ErrorKind, Result};

/// How often this process and its ancestors forked.
static GENERATION: AtomicU64 = AtomicU64::new(0);
/// How many threads may hold locks of the engine.
static HOLDING: AtomicUsize = AtomicUsize::new(0);
/// Whether a thread may have held such a lock when this process was forked.
static BROKEN: AtomicBool = AtomicBool::new(false);

/// The process's number in its line of forks. A value that was made under another number was made
/// before a fork.
#[inline]
pub(crate) fn generation() -> u64 {
    GENERATION.load(Ordering::Relaxed)
}

/// Runs in the child, on its only thread, before `fork` returns: it may touch nothing but atomics.
#[cfg(all(unix, not(miri)))]
extern "C" fn in_child() {
    GENERATION.fetch_add(1, Ordering::SeqCst);
    if HOLDING.swap(0, Ordering::SeqCst) > 0 {
        BROKEN.store(true, Ordering::SeqCst);
    }
}

/// Registers the fork handler. Called before anything is made that a fork could harm.
pub(crate) fn watch() {
    // Miri does not support forks.
    #[cfg(all(unix, not(miri)))]
    {
        // Not a `Once`: a fork in the middle of its initialisation would leave it locked for ever.
        // Two threads that get here at once both register the handler; it then runs twice for each
        // fork, which has the same effect.
        static WATCHED: AtomicBool = AtomicBool::new(false);
        if !WATCHED.load(Ordering::SeqCst) {
            // SAFETY: the handler is a function of this program with the right signature. A failure
            // (out of memory) leaves forks undetected.
            unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
            WATCHED.store(true, Ordering::SeqCst);
        }
    }
}

/// Whether the engine can't be used in this process, not even to free what belongs to it.
pub(crate) fn is_broken() -> bool {
    BROKEN.load(Ordering::SeqCst)
}

/// While one of these lives, the thread may hold locks of the engine or of plugins.
pub(crate) struct Held(u64);

/// Announces that the thread will change the engine's tables: that it compiles, instantiates, or
/// frees.
///
/// # Errors
///
/// `dead-instance` in a child that was forked while another thread did so: those locks are held for
/// ever.
pub(crate) fn hold() -> Result<Held> {
    if is_broken() {
        return Err(broken());
    }
    HOLDING.fetch_add(1, Ordering::SeqCst);
    Ok(Held(generation()))
}

impl Drop for Held {
    fn drop(&mut self) {
        // In a child the count starts anew.
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

/// A value that is made once, at its first use, and that a forked child keeps: it has neither
/// threads nor locks.
///
/// A `Once` makes other threads wait while the value is made. If another thread of the parent was
/// making it at the fork, the child would wait for ever, because that thread does not exist there.
/// Here no thread waits: if two threads make a value at once, one of the two values is dropped.
///
/// ```compile_fail
/// // A `Cell` is not for several threads.
/// static SHARED: undergo::Lasting<std::cell::Cell<u8>> = undergo::Lasting::new();
/// ```
pub struct Lasting<T> {
    made: AtomicPtr<T>,
    /// Owns a `T`, and gives references to it to any thread.
    owns: PhantomData<T>,
}

impl<T> Lasting<T> {
    /// No value yet.
    #[must_use]
    pub const fn new() -> Self {
        Lasting { made: AtomicPtr::new(ptr::null_mut()), owns: PhantomData }
    }

    /// The value, if it was made.
    #[inline]
    pub fn get(&self) -> Option<&T> {
        // SAFETY: the pointer is null, or came from a box in `get_or_make`, which is freed by
        // `drop` alone.
        unsafe { self.made.load(Ordering::Acquire).as_ref() }
    }

    /// The value, which is made if need be. `make` may run even though the value of another thread
    /// is kept.
    pub fn get_or_make(&self, make: impl FnOnce() -> T) -> &T {
        if let Some(made) = self.get() {
            return made;
        }
        let new = Box::into_raw(Box::new(make()));
        match self.made.compare_exchange(ptr::null_mut(), new, Ordering::AcqRel, Ordering::Acquire) {
            // SAFETY: the box was leaked by the line above, and is freed by `drop` alone, now that
            // it is stored.
            Ok(_) => unsafe { &*new },
            Err(other) => {
                // SAFETY: `new` was not stored, so this is its only owner; `other` is a box that
                // was stored before, and is never freed while this lives.
                unsafe {
                    drop(Box::from_raw(new));
                    &*other
                }
            }
        }
    }
}

impl<T> Default for Lasting<T> {
    fn default() -> Self {
        Lasting::new()
    }
}

impl<T> Drop for Lasting<T> {
    fn drop(&mut self) {
        let made = *self.made.get_mut();
        if !made.is_null() {
            // SAFETY: the pointer came from a box in `get_or_make`, and no reference to it is left.
            drop(unsafe { Box::from_raw(made) });
        }
    }
}

/// A static value that each forked child makes anew, because it has threads or locks. No lock
/// guards its making either: see [`Lasting`]. The values of parents are never freed.
///
/// ```compile_fail
/// // A `Cell` is not for several threads.
/// static SHARED: undergo::PerProcess<std::cell::Cell<u8>> = undergo::PerProcess::new();
/// ```
pub struct PerProcess<T> {
    made: AtomicPtr<(u64, T)>,
    owns: PhantomData<T>,
}

impl<T> PerProcess<T> {
    /// No value yet.
    #[must_use]
    pub const fn new() -> Self {
        PerProcess { made: AtomicPtr::new(ptr::null_mut()), owns: PhantomData }
    }

    /// The value of this process, if it was made.
    pub fn get(&'static self) -> Option<&'static T> {
        // SAFETY: the pointer is null, or came from a box that was leaked in `get_or_make`, and is
        // never freed.
        let made = unsafe { self.made.load(Ordering::Acquire).as_ref() }?;
        (made.0 == generation()).then_some(&made.1)
    }

    /// The value of this process, which is made if need be. `make` may run even though the value of
    /// another thread is kept.
    pub fn get_or_make(&'static self, make: impl FnOnce() -> T) -> &'static T {
        let before = self.made.load(Ordering::Acquire);
        if let Some(made) = self.get() {
            return made;
        }
        watch();
        let new = Box::into_raw(Box::new((generation(), make())));
        match self.made.compare_exchange(before, new, Ordering::AcqRel, Ordering::Acquire) {
            // SAFETY: the box was leaked by the line above, and is never freed once it is stored.
            Ok(_) => unsafe { &(*new).1 },
            Err(other) => {
                // SAFETY: `new` was not stored, so this is its only owner; `other` is a box that
                // was leaked here before.
                unsafe {
                    drop(Box::from_raw(new));
                    &(*other).1
                }
            }
        }
    }
}

impl<T> Default for PerProcess<T> {
    fn default() -> Self {
        PerProcess::new()
    }
}

/// A value whose drop takes locks of the engine: a store, or code. In a process that can't use the
/// engine it is leaked.
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
            // SAFETY: the value is dropped here and nowhere else, and its owner ends here.
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
        assert!(values.iter().all(|value| ptr::eq(*value, values[0]) && value.starts_with("made by ")), "{values:?}");
        assert!(MADE.get().is_some_and(|made| ptr::eq(made, values[0])));
    }

    #[test]
    fn what_lasts_is_made_once_and_dropped_once() {
        let counted = Arc::new(());
        let lasting = Lasting::new();
        assert!(lasting.get().is_none());
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| assert!(Arc::ptr_eq(lasting.get_or_make(|| counted.clone()), &counted)));
            }
        });
        assert_eq!(Arc::strong_count(&counted), 2);
        drop(lasting);
        assert_eq!(Arc::strong_count(&counted), 1);
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
