//! The lock of an instance: its owner, its waiters, and the loans of its store to host functions.
//!
//! One caller at a time has an instance. While its guest has called a host function, the store is
//! on *loan*, and code of that function may call the same instance: it takes the store from the
//! innermost loan, and returns it. Loans end in the reverse order of their beginnings, as calls do.

use std::cell::{Cell, UnsafeCell};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use wasmtime::StoreContextMut;

use crate::config::budget::Budget;
use crate::error::{Error, ErrorKind, Result};
use crate::guest::state::State;
use crate::guest::waits;
use crate::platform::stack::thread_id;
use crate::platform::{fork, membarrier, window};
use crate::sched::driver::Driver;
use crate::sched::handoff::Handoff;
use crate::sched::task;

/// A re-entrant lock: one caller at a time has the instance, and nested calls enter from within
/// host functions that its guest has called.
pub(crate) struct Lock {
    /// The number of the caller that has the instance, a thread's or a call's; 0 for none.
    owner: AtomicU64,
    waiters: AtomicUsize,
    queue: Mutex<VecDeque<Arc<Waiter>>>,
    loans: Loans,
    /// The process that created it: see `fork.rs`.
    generation: u64,
}

/// A waiting caller, by its number.
struct Waiter {
    owner: u64,
    turn: Handoff<()>,
}

/// A number for a call that may move between threads. No thread has the same number.
pub(crate) fn call_id() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed) | 1 << 63
}

impl Lock {
    pub(crate) fn new() -> Lock {
        membarrier::prepare();
        Lock {
            owner: AtomicU64::new(0),
            waiters: AtomicUsize::new(0),
            queue: Mutex::default(),
            loans: Loans::default(),
            generation: fork::generation(),
        }
    }

    /// Enters if nobody has the instance.
    #[inline]
    pub(crate) fn try_enter(&self, caller: u64) -> bool {
        self.owner.compare_exchange(0, caller, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }

    /// Enters, or waits for it as long as the budget lasts. Waiters enter in the order of their
    /// arrival. Who has it may be waiting for this caller: that is `busy`.
    pub(crate) async fn enter(self: &Arc<Self>, driver: Driver, caller: u64, budget: &Budget) -> Result<()> {
        if self.try_enter(caller) {
            return Ok(());
        }
        if self.generation != fork::generation() {
            // The owner may be a thread of the parent process, which never leaves.
            return Err(fork::left_behind("instance"));
        }
        let waiter = Arc::new(Waiter { owner: caller, turn: Handoff::new() });
        {
            let mut queue = self.queue();
            // Counted before checking again: a leaving owner either sees the count, or has left
            // before the check.
            self.waiters.fetch_add(1, Ordering::SeqCst);
            membarrier::heavy();
            if self.try_enter(caller) {
                self.waiters.fetch_sub(1, Ordering::SeqCst);
                return Ok(());
            }
            queue.push_back(waiter.clone());
        }
        let waiting = Waiting { lock: self, waiter: &waiter };
        let _known = waits::Waiting::begin(caller, self)?;
        let turn = waiter.turn.wait(driver, budget).await;
        match turn {
            Ok(()) => {
                std::mem::forget(waiting);
                self.waiters.fetch_sub(1, Ordering::SeqCst);
                Ok(())
            }
            Err(ended) if ended.kind() == ErrorKind::Timeout => Err(Error::new(
                ErrorKind::Timeout,
                format!("the instance was busy with another call for the whole time: {}", ended.message()),
            )),
            Err(ended) => Err(ended),
        }
    }

    /// Leaves, after an outer entry.
    #[inline]
    pub(crate) fn leave(&self) {
        self.owner.store(0, Ordering::Release);
        membarrier::light();
        if self.waiters.load(Ordering::Relaxed) > 0 {
            self.hand_over();
        }
    }

    /// Passes the instance to the caller that has waited longest, unless somebody has entered
    /// since.
    #[cold]
    fn hand_over(&self) {
        let mut queue = self.queue();
        if let Some(next) = queue.front()
            && self.try_enter(next.owner)
            && let Some(next) = queue.pop_front()
        {
            next.turn.give(());
        }
    }

    fn queue(&self) -> MutexGuard<'_, VecDeque<Arc<Waiter>>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The number of the caller that has the instance; 0 for none.
    pub(crate) fn owner(&self) -> u64 {
        self.owner.load(Ordering::SeqCst)
    }

    /// Whether that caller has the instance.
    pub(crate) fn is_owned_by(&self, caller: u64) -> bool {
        self.owner.load(Ordering::SeqCst) == caller
    }
}

/// Leaves the queue when a caller stops waiting. A turn that has come meanwhile passes to the next
/// caller.
struct Waiting<'l> {
    lock: &'l Lock,
    waiter: &'l Arc<Waiter>,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.lock.queue().retain(|other| !Arc::ptr_eq(other, self.waiter));
        self.lock.waiters.fetch_sub(1, Ordering::SeqCst);
        if self.waiter.turn.take().is_some() {
            self.lock.leave();
        }
    }
}

/// The loans of an instance's store, one within the other.
#[derive(Default)]
struct Loans {
    /// The innermost is the last. Only the thread that runs its host function uses it.
    all: UnsafeCell<Vec<Loan>>,
    /// How many loans there have been. Used as `all` is.
    count: Cell<u64>,
    /// The number of the innermost loan; 0 for none.
    lease: AtomicU64,
    /// The thread that runs its host function; 0 for none.
    borrower: AtomicU64,
}

// SAFETY: the cells are touched only by the thread whose number is in `borrower`, or that is about
// to put it there with the store in its hands, which nobody else has then. What they hold is Send.
unsafe impl Sync for Loans where StoreContextMut<'static, State>: Send {}

/// A loan of the store to a host function.
struct Loan {
    number: u64,
    borrower: u64,
    /// Present unless a nested call has it.
    store: Option<StoreContextMut<'static, State>>,
    /// For a guest on a fiber: the coroutine of the host's language in which the function runs.
    /// Guests on their caller's stack use windows: see `platform::window`.
    coroutine: Option<u64>,
    /// The task that runs the function.
    task: usize,
}

impl Lock {
    /// Runs a host function's code, to which the store is lent meanwhile. Also returns whether the
    /// loan has ended in order: if not, it is unknown who has what of the instance, which therefore
    /// has to end.
    pub(crate) fn lend<R>(&self, driver: Driver, store: StoreContextMut<'_, State>, code: impl FnOnce() -> R) -> (R, bool) {
        // SAFETY: only the lifetime changes. The loan ends before this returns, also when `code`
        // panics, and the caller has lent the store until then. Who has taken it from the loan and
        // has not given it back by then finds out that the loan has ended: see `is_current`.
        let store = unsafe { std::mem::transmute::<StoreContextMut<'_, State>, StoreContextMut<'static, State>>(store) };
        let (coroutine, task) = match driver {
            Driver::Direct => (None, 0),
            Driver::Fiber => (Some(window::coroutine()), task::current()),
        };
        // This thread has the store, so it is the only one that may touch the cells.
        let number = self.loans.count.get() + 1;
        self.loans.count.set(number);
        let loan = Loan { number, borrower: thread_id(), store: Some(store), coroutine, task };
        let lent = Lent { loans: &self.loans, number: loan.number };
        self.loans.publish(Some(&loan));
        // Not kept on the stack, because a coroutine's stack may be elsewhere while others run.
        // SAFETY: as above.
        unsafe { &mut *self.loans.all.get() }.push(loan);
        let result = code();
        (result, lent.end())
    }

    /// Whether this thread runs a host function to which the store is lent.
    #[inline]
    pub(crate) fn is_lent_here(&self) -> bool {
        self.loans.borrower.load(Ordering::Acquire) == thread_id()
    }

    /// The store, for a call of the same instance from within the host function to which it is
    /// lent. `None` while another call has it, and for another coroutine of this thread.
    pub(crate) fn borrow(&self) -> Option<StoreContextMut<'static, State>> {
        // Called before the loan is used, because this is the host's code.
        let here = self.with_loan(|loan| loan.coroutine.is_some())?.then(window::coroutine);
        self.with_loan(|loan| if loan.coroutine == here { loan.store.take() } else { None })?
    }

    /// Returns it.
    pub(crate) fn give_back(&self, store: StoreContextMut<'static, State>) {
        self.with_loan(|loan| loan.store = Some(store));
    }

    /// Whether a caller that waits here for the instance would wait for itself: if this is polled
    /// by a host function that the instance has called, and not by a separate task, which would go
    /// on after the function has returned.
    pub(crate) fn would_wait_for_itself(&self) -> bool {
        self.with_loan(|loan| loan.coroutine.is_some() && loan.task == task::current()).unwrap_or(false)
    }

    fn with_loan<R>(&self, code: impl FnOnce(&mut Loan) -> R) -> Option<R> {
        if !self.is_lent_here() {
            return None;
        }
        // SAFETY: this thread is the borrower, and `code` does not come here again.
        unsafe { &mut *self.loans.all.get() }.last_mut().map(code)
    }

    /// The number of the current loan; 0 for none.
    #[inline]
    pub(crate) fn lease(&self) -> u64 {
        self.loans.lease.load(Ordering::Acquire)
    }
}

impl Loans {
    /// Publishes the innermost loan to other threads. What these ask is whether it is their own, or
    /// one that they have known since they got the call from this thread, so that no thread depends
    /// on a total order of what several have stored.
    #[inline]
    fn publish(&self, innermost: Option<&Loan>) {
        self.lease.store(innermost.map_or(0, |loan| loan.number), Ordering::Release);
        self.borrower.store(innermost.map_or(0, |loan| loan.borrower), Ordering::Release);
    }
}

/// Ends a loan.
struct Lent<'l> {
    loans: &'l Loans,
    number: u64,
}

impl Lent<'_> {
    /// Also returns whether it was the innermost one, with its store returned.
    fn end(self) -> bool {
        // SAFETY: this thread is the borrower.
        let innermost = unsafe { &*self.loans.all.get() }.last();
        innermost.is_some_and(|loan| loan.number == self.number && loan.store.is_some())
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        // SAFETY: as in `end`.
        let all = unsafe { &mut *self.loans.all.get() };
        // Numbers grow inwards. A loan within this one that has not ended is removed with it; a
        // loan around this one that has ended before has removed this one.
        let left = all.iter().position(|loan| loan.number >= self.number).unwrap_or(all.len());
        all.truncate(left);
        self.loans.publish(all.last());
    }
}

#[cfg(test)]
mod tests {
    use std::thread;
    use std::time::Duration;

    use super::*;
    use crate::config::budget::Deadline;
    use crate::config::cancel::CancelToken;
    use crate::sched::driver::at_once;

    /// Test data that only the owner of the lock may use.
    struct Guarded {
        lock: Arc<Lock>,
        touched: UnsafeCell<u32>,
    }

    // SAFETY: `touched` is used by the lock's owner alone. That this holds is what the test shows,
    // under Miri above all.
    unsafe impl Sync for Guarded {}

    impl Guarded {
        fn touch(&self) {
            // SAFETY: as above.
            unsafe { *self.touched.get() += 1 };
        }
    }

    fn enter(lock: &Arc<Lock>, budget: &Budget) -> Result<()> {
        at_once(lock.enter(Driver::Direct, thread_id(), budget))
    }

    #[test]
    fn one_thread_at_a_time_is_in() {
        const ROUNDS: u32 = if cfg!(miri) { 20 } else { 2000 };
        let guarded = Guarded { lock: Arc::new(Lock::new()), touched: UnsafeCell::new(0) };
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    for _ in 0..ROUNDS {
                        let lock = &guarded.lock;
                        assert!(enter(lock, &Budget::default()).is_ok());
                        assert!(lock.is_owned_by(thread_id()));
                        guarded.touch();
                        assert!(!lock.is_lent_here() && lock.borrow().is_none());
                        assert_eq!(lock.lease(), 0);
                        lock.leave();
                    }
                });
            }
        });
        assert_eq!(guarded.touched.into_inner(), 3 * ROUNDS);
    }

    #[test]
    fn tasks_and_threads_wait_in_one_queue() {
        let (lock, order) = (Arc::new(Lock::new()), Arc::new(Mutex::new(Vec::new())));
        assert!(enter(&lock, &Budget::default()).is_ok());
        // A caller that is counted but not yet queued may still enter before the others.
        let waits_for = |count| {
            while lock.queue().len() < count {
                thread::yield_now();
            }
        };
        thread::scope(|scope| {
            for number in 0..4 {
                let (lock, order) = (&lock, &order);
                scope.spawn(move || {
                    let budget = Budget::default();
                    let entered = if number % 2 == 0 {
                        enter(lock, &budget)
                    } else {
                        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
                        runtime.block_on(lock.enter(Driver::Fiber, call_id(), &budget))
                    };
                    assert!(entered.is_ok());
                    order.lock().expect("no panic").push(number);
                    lock.leave();
                });
                waits_for(number + 1);
            }
            lock.leave();
        });
        assert_eq!(*order.lock().expect("no panic"), [0, 1, 2, 3]);
        assert_eq!(lock.waiters.load(Ordering::SeqCst), 0);
    }

    #[test]
    fn who_waits_in_vain_leaves_no_trace() {
        let lock = Arc::new(Lock::new());
        assert!(enter(&lock, &Budget::default()).is_ok());
        let token = CancelToken::new();
        token.cancel();
        let deadline = Budget { deadline: Some(Deadline::after(Duration::from_millis(1))), ..Budget::default() };
        let cancelled = Budget { cancel: vec![token], ..Budget::default() };
        for (budget, kind) in [(deadline, ErrorKind::Timeout), (cancelled, ErrorKind::Cancelled)] {
            let ended = thread::scope(|scope| scope.spawn(|| enter(&lock, &budget)).join().expect("no panic"));
            assert_eq!(ended.expect_err("the lock is taken").kind(), kind);
        }
        assert_eq!(lock.waiters.load(Ordering::SeqCst), 0);
        lock.leave();
        assert!(thread::scope(|scope| scope.spawn(|| enter(&lock, &Budget::default())).join().expect("no panic")).is_ok());
    }
}
