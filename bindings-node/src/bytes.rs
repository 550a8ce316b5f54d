//! Buffers' bytes, as arguments.

use std::cell::RefCell;
use std::sync::{Arc, OnceLock, Weak};

use undergo::host::Lend;

use crate::home::EventLoop;
use crate::js::{Bytes, Js};

/// A copy, because JavaScript may change the buffer, or give it to a worker, before the bytes are
/// used.
pub(crate) struct Copied(Vec<u8>);

impl Copied {
    pub(crate) fn new(bytes: &Bytes) -> Copied {
        let mut copy = vec![0; bytes.len];
        bytes.copy_to(&mut copy);
        Copied(copy)
    }

    pub(crate) fn into_vec(self) -> Vec<u8> {
        self.0
    }
}

impl AsRef<[u8]> for Copied {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// The buffer's own bytes, for a call that begins at once. They are asked for anew each time:
/// JavaScript that runs while other arguments are read may take them away (a getter that transfers
/// the buffer), which the core notices by their number. A call that has to wait gets a copy before
/// JavaScript goes on.
pub(crate) struct Lent(Arc<Loan>);

struct Loan {
    home: Arc<EventLoop>,
    buffer: Js,
    len: usize,
    copy: OnceLock<Copied>,
}

// SAFETY: the handle is used on the thread of its loop only, and within the native function that it
// was given to: until there is a copy, other threads wait for that, and it is made before the
// function returns.
unsafe impl Send for Loan {}
// SAFETY: as above.
unsafe impl Sync for Loan {}

impl Loan {
    /// The bytes as they are now, on the thread of the loop. A buffer that grew has more than were
    /// lent.
    fn now(&self) -> Option<Bytes> {
        self.buffer.bytes().map(|bytes| Bytes { len: bytes.len.min(self.len), ..bytes })
    }

    /// The copy, where there is one, or must be.
    fn copy(&self) -> Option<&Copied> {
        if self.home.here().is_none() { Some(self.copy.wait()) } else { self.copy.get() }
    }
}

impl Lend for Lent {
    fn size(&self) -> usize {
        let loan = &*self.0;
        loan.copy().map_or_else(|| loan.now().map_or(0, |bytes| bytes.len), |copy| copy.0.len())
    }

    fn copy_to(&self, target: &mut [u8]) {
        let loan = &*self.0;
        if let Some(copy) = loan.copy() {
            copy.0.copy_to(target);
        } else if let Some(bytes) = loan.now() {
            bytes.copy_to(target);
        }
    }
}

/// What the arguments of a call have been lent.
#[derive(Default)]
pub(crate) struct Loans(RefCell<Vec<Weak<Loan>>>);

impl Loans {
    pub(crate) fn lend(&self, home: &Arc<EventLoop>, buffer: Js, len: usize) -> Lent {
        let loan = Arc::new(Loan { home: home.clone(), buffer, len, copy: OnceLock::new() });
        self.0.borrow_mut().push(Arc::downgrade(&loan));
        Lent(loan)
    }
}

/// The native function returns, and its handles end. A call that has not taken its arguments by now
/// gets a copy.
impl Drop for Loans {
    fn drop(&mut self) {
        for loan in self.0.get_mut().drain(..) {
            if let Some(loan) = loan.upgrade() {
                loan.copy.get_or_init(|| loan.now().map_or_else(|| Copied(Vec::new()), |bytes| Copied::new(&bytes)));
            }
        }
    }
}
