//! The bytes of buffers, on their way to the guest.

use std::cell::RefCell;
use std::sync::{Arc, OnceLock, Weak};

use crate::home::EventLoop;
use crate::js::{Bytes, Js};

/// A copy, because JavaScript may change the buffer, or give it to a worker, before the bytes are used.
pub(crate) struct Copied(Vec<u8>);

impl Copied {
    pub(crate) fn new(bytes: &Bytes) -> Copied {
        let mut copy = Vec::with_capacity(bytes.len);
        if bytes.len > 0 {
            // SAFETY: Node says that so many bytes are there, no JavaScript of this thread runs meanwhile, and the copy has room for them. (Another thread may
            // write to a SharedArrayBuffer, of which then any mixture is copied.)
            unsafe {
                std::ptr::copy_nonoverlapping(bytes.data, copy.as_mut_ptr(), bytes.len);
                copy.set_len(bytes.len);
            }
        }
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

/// The buffer's own bytes, for a call that begins at once. They are asked for anew each time: JavaScript that runs while other arguments are read may take them
/// away (a getter that transfers the buffer), and they are none then. A call that has to wait gets a copy before JavaScript goes on.
pub(crate) struct Lent(Arc<Loan>);

struct Loan {
    home: Arc<EventLoop>,
    buffer: Js,
    len: usize,
    copy: OnceLock<Copied>,
}

// SAFETY: the handle is used on the thread of its loop only, and within the native function that it was given to: until there is a copy, other threads wait
// for that, and it is made before the function returns.
unsafe impl Send for Loan {}
// SAFETY: as above.
unsafe impl Sync for Loan {}

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        let loan = &*self.0;
        if let Some(copy) = loan.copy.get() {
            return copy.as_ref();
        }
        if loan.home.here().is_none() {
            return loan.copy.wait().as_ref();
        }
        match loan.buffer.bytes() {
            // SAFETY: the bytes are there now, and no JavaScript runs while the core copies them.
            Some(bytes) if bytes.len >= loan.len && loan.len > 0 => unsafe { std::slice::from_raw_parts(bytes.data, loan.len) },
            _ => &[],
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

/// The native function returns, and its handles end. A call that has not taken its arguments by now gets a copy.
impl Drop for Loans {
    fn drop(&mut self) {
        for loan in self.0.get_mut().drain(..) {
            if let Some(loan) = loan.upgrade() {
                loan.copy.get_or_init(|| loan.buffer.bytes().map_or_else(|| Copied(Vec::new()), |bytes| Copied::new(&bytes)));
            }
        }
    }
}
