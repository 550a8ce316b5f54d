//! The bytes of buffers, on their way to the guest.

use crate::js::{Bytes, Js};

/// A copy, because the call may begin later, when JavaScript has changed the buffer, or given it to a worker.
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
/// away (a getter that transfers the buffer), and they are none then.
pub(crate) struct Lent {
    buffer: Js,
    len: usize,
}

// SAFETY: made and used within one native function, which calls the core and waits: always on the thread of the handle. The core asks for it because other hosts
// send theirs.
unsafe impl Send for Lent {}
// SAFETY: as above.
unsafe impl Sync for Lent {}

impl Lent {
    pub(crate) fn new(buffer: Js, len: usize) -> Lent {
        Lent { buffer, len }
    }
}

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        match self.buffer.bytes() {
            // SAFETY: the bytes are there now, and no JavaScript runs while the core copies them.
            Some(bytes) if bytes.len >= self.len && self.len > 0 => unsafe { std::slice::from_raw_parts(bytes.data, self.len) },
            _ => &[],
        }
    }
}
