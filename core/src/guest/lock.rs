//! The gate of an instance: who is in it.

use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};

use wasmtime::StoreContextMut;

use crate::config::budget::Budget;
use crate::error::{Error, ErrorKind, Result};
use crate::guest::state::State;
use crate::platform::fork;
use crate::platform::membarrier;
use crate::platform::stack::thread_id;

/// Who may enter an instance: one thread at a time, and that thread again only from within a host function.
pub(crate) struct Gate {
    /// The number of the thread that is in the instance; 0 when none is.
    owner: AtomicU64,
    waiters: AtomicUsize,
    lock: Mutex<()>,
    left: Condvar,
    /// Set while the owner runs a host function: the store, for a call back into it.
    inner: Inner,
    /// The number of the loan under which `inner` is, or was, lent; 0 when no host function runs.
    lease: AtomicU64,
    leases: AtomicU64,
    /// The process that it was made in: see `fork.rs`.
    generation: u64,
}

/// The store, while it is lent.
struct Inner(UnsafeCell<Option<StoreContextMut<'static, State>>>);

// SAFETY: it is touched only by the thread whose number is in `owner` (see `take_inner`, `put_inner`), after the one before has left, and what it holds is Send.
unsafe impl Sync for Inner where StoreContextMut<'static, State>: Send {}

/// A loan of the store, and the one around it: numbers, 0 where there is none.
#[derive(Clone, Copy)]
pub(crate) struct Loan {
    lease: u64,
    around: u64,
}

/// How a thread came in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Entry {
    /// The instance was free.
    Outer,
    /// From within a host function that the same thread runs.
    Nested,
}

impl Gate {
    pub(crate) fn new() -> Gate {
        membarrier::prepare();
        Gate {
            owner: AtomicU64::new(0),
            waiters: AtomicUsize::new(0),
            lock: Mutex::new(()),
            left: Condvar::new(),
            inner: Inner(UnsafeCell::new(None)),
            lease: AtomicU64::new(0),
            leases: AtomicU64::new(0),
            generation: fork::generation(),
        }
    }

    /// Comes in if nobody is.
    #[inline]
    pub(crate) fn enter_at_once(&self) -> bool {
        self.owner.compare_exchange(0, thread_id(), Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }

    /// Comes in, or waits for it as long as the budget lasts.
    pub(crate) fn enter(&self, budget: &Budget) -> Result<Entry> {
        let me = thread_id();
        if self.enter_at_once() {
            return Ok(Entry::Outer);
        }
        if self.owner.load(Ordering::SeqCst) == me {
            return Ok(Entry::Nested);
        }
        self.wait(me, budget)
    }

    #[cold]
    fn wait(&self, me: u64, budget: &Budget) -> Result<Entry> {
        if self.generation != fork::generation() {
            // The owner may be a thread of the parent, which never leaves.
            return Err(fork::left_behind("instance"));
        }
        let mut guard = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        // Counted before looking again: who leaves either sees the count, or left before the look.
        self.waiters.fetch_add(1, Ordering::SeqCst);
        membarrier::heavy();
        let entered = loop {
            if self.owner.compare_exchange(0, me, Ordering::SeqCst, Ordering::SeqCst).is_ok() {
                break Ok(Entry::Outer);
            }
            if let Some(deadline) = budget.deadline
                && deadline.is_past()
            {
                let text = format!("the instance was busy with another call for the whole timeout of {:?}", deadline.limit);
                break Err(Error::new(ErrorKind::Timeout, text));
            }
            // The host's interrupt function may take long, or call another instance: it is asked without the lock.
            drop(guard);
            let looked = budget.check();
            guard = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
            if let Err(ended) = looked {
                break Err(ended);
            }
            if self.owner.load(Ordering::SeqCst) == 0 {
                continue;
            }
            guard = match budget.pause() {
                None => self.left.wait(guard).unwrap_or_else(PoisonError::into_inner),
                Some(pause) => self.left.wait_timeout(guard, pause).unwrap_or_else(PoisonError::into_inner).0,
            };
        };
        self.waiters.fetch_sub(1, Ordering::SeqCst);
        entered
    }

    /// Goes out, after an outer entry.
    #[inline]
    pub(crate) fn leave(&self) {
        self.owner.store(0, Ordering::Release);
        membarrier::light();
        if self.waiters.load(Ordering::Relaxed) > 0 {
            self.wake();
        }
    }

    #[cold]
    fn wake(&self) {
        drop(self.lock.lock().unwrap_or_else(PoisonError::into_inner));
        self.left.notify_one();
    }

    /// Whether this thread is in, or within a host function that the instance called.
    pub(crate) fn is_mine(&self) -> bool {
        self.owner.load(Ordering::SeqCst) == thread_id()
    }

    /// The store, for a nested entry. `None` while guest code or a conversion runs: then the instance is busy.
    pub(crate) fn take_inner(&self) -> Option<StoreContextMut<'static, State>> {
        debug_assert_eq!(self.owner.load(Ordering::SeqCst), thread_id());
        // SAFETY: only the owning thread comes here, which entered before, and no reference into the cell outlives a statement.
        unsafe { (*self.inner.0.get()).take() }
    }

    /// Lends the store to calls back into the instance, until it is taken back with [`take_inner`](Gate::take_inner).
    pub(crate) fn put_inner(&self, store: StoreContextMut<'static, State>) {
        debug_assert_eq!(self.owner.load(Ordering::SeqCst), thread_id());
        // SAFETY: as in `take_inner`.
        unsafe { *self.inner.0.get() = Some(store) };
    }

    /// Begins a loan of the store to a host function.
    pub(crate) fn begin_lease(&self) -> Loan {
        let lease = self.leases.fetch_add(1, Ordering::Relaxed) + 1;
        Loan { lease, around: self.lease.swap(lease, Ordering::SeqCst) }
    }

    /// Whether no loan that began after this one is left: if there is, the instance is not what its holder takes it for.
    pub(crate) fn is_innermost(&self, loan: Loan) -> bool {
        self.lease() == loan.lease
    }

    /// Ends a loan. Whoever still has the store from it has it no more, which [`lease`](Gate::lease) tells.
    pub(crate) fn end_lease(&self, loan: Loan) {
        let _store = self.take_inner();
        self.lease.store(loan.around, Ordering::SeqCst);
    }

    /// The number of the present loan.
    #[inline]
    pub(crate) fn lease(&self) -> u64 {
        self.lease.load(Ordering::SeqCst)
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    /// What an instance has besides: something that only who is through the gate may touch.
    struct Guarded {
        gate: Gate,
        touched: UnsafeCell<u32>,
    }

    // SAFETY: `touched` is used by the gate's owner alone. That this holds is what the test shows, under Miri above all.
    unsafe impl Sync for Guarded {}

    impl Guarded {
        fn touch(&self) {
            // SAFETY: as above.
            unsafe { *self.touched.get() += 1 };
        }
    }

    #[test]
    fn one_thread_at_a_time_is_in() {
        const ROUNDS: u32 = if cfg!(miri) { 20 } else { 2000 };
        let guarded = Guarded { gate: Gate::new(), touched: UnsafeCell::new(0) };
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    for _ in 0..ROUNDS {
                        let gate = &guarded.gate;
                        assert!(gate.enter(&Budget::default()).is_ok_and(|entry| entry == Entry::Outer));
                        guarded.touch();
                        // A host function, which calls back and finds that nobody lent the store.
                        let around = gate.begin_lease();
                        assert!(gate.enter(&Budget::default()).is_ok_and(|entry| entry == Entry::Nested));
                        assert!(gate.take_inner().is_none());
                        guarded.touch();
                        assert!(gate.is_innermost(around));
                        gate.end_lease(around);
                        assert_eq!(gate.lease(), 0);
                        gate.leave();
                    }
                });
            }
        });
        assert_eq!(guarded.touched.into_inner(), 3 * 2 * ROUNDS);
    }

    #[test]
    fn loans_end_in_their_order() {
        let gate = Gate::new();
        assert!(gate.enter(&Budget::default()).is_ok());
        let (outer, inner) = (gate.begin_lease(), gate.begin_lease());
        assert!(!gate.is_innermost(outer));
        assert!(gate.is_innermost(inner));
        gate.end_lease(inner);
        assert!(gate.is_innermost(outer));
        gate.end_lease(outer);
        assert_eq!(gate.lease(), 0);
    }

    #[test]
    fn who_waits_in_vain_leaves_no_trace() {
        use crate::config::budget::Deadline;
        use crate::config::cancel::CancelToken;

        let gate = Gate::new();
        assert!(gate.enter(&Budget::default()).is_ok());
        let token = CancelToken::new();
        token.cancel();
        let deadline = Budget { deadline: Some(Deadline::after(std::time::Duration::from_millis(1))), ..Budget::default() };
        let cancelled = Budget { cancel: vec![token], ..Budget::default() };
        for (budget, kind) in [(deadline, ErrorKind::Timeout), (cancelled, ErrorKind::Cancelled)] {
            let ended = thread::scope(|scope| scope.spawn(|| gate.enter(&budget).map(|_| ())).join().expect("no panic"));
            assert_eq!(ended.expect_err("the gate is taken").kind(), kind);
        }
        assert_eq!(gate.waiters.load(Ordering::SeqCst), 0);
        gate.leave();
        let entry = thread::scope(|scope| scope.spawn(|| gate.enter(&Budget::default())).join().expect("no panic"));
        assert!(entry.is_ok_and(|entry| entry == Entry::Outer));
    }
}
