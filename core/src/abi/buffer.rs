//! A growing sequence of bytes that costs no allocation while it is short.

use std::cell::RefCell;
use std::ops::{Deref, DerefMut};

/// Enough for most calls: these bytes are part of the buffer itself.
const SMALL: usize = 128;

/// Spare vectors with more capacity than this are freed.
const LARGE: usize = 256 << 10;

/// Spare vectors that a thread keeps.
const KEPT: usize = 4;

thread_local! {
    /// Vectors of earlier buffers of this thread.
    static SPARE: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// A growing sequence of bytes, in place while it is short.
pub(super) struct Buffer {
    /// Zero from `len` on.
    small: [u8; SMALL],
    len: usize,
    /// All the bytes, if they don't fit `small`.
    large: Option<Vec<u8>>,
}

impl Buffer {
    /// That many bytes, all zero.
    #[inline]
    pub(super) fn zeroed(len: usize) -> Buffer {
        let mut buffer = Buffer { small: [0; SMALL], len: 0, large: None };
        buffer.extend_zeroed(len);
        buffer
    }

    /// Appends zeros up to that length, which is not below the present one.
    #[inline]
    pub(super) fn extend_zeroed(&mut self, len: usize) {
        if len <= SMALL && self.large.is_none() {
            self.len = len;
        } else {
            self.large().resize(len, 0);
        }
    }

    /// Appends these bytes.
    #[inline]
    pub(super) fn extend(&mut self, bytes: &[u8]) {
        if self.large.is_none()
            && let Some(room) = self.small.get_mut(self.len..self.len.saturating_add(bytes.len()))
        {
            room.copy_from_slice(bytes);
            self.len += bytes.len();
        } else {
            self.large().extend_from_slice(bytes);
        }
    }

    /// Moves the bytes to a vector.
    #[cold]
    fn large(&mut self) -> &mut Vec<u8> {
        self.large.get_or_insert_with(|| {
            let mut large = SPARE.try_with(|spare| spare.borrow_mut().pop()).ok().flatten().unwrap_or_default();
            large.extend_from_slice(&self.small[..self.len]);
            large
        })
    }
}

impl Deref for Buffer {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        match &self.large {
            None => &self.small[..self.len],
            Some(large) => large,
        }
    }
}

impl DerefMut for Buffer {
    #[inline]
    fn deref_mut(&mut self) -> &mut [u8] {
        match &mut self.large {
            None => &mut self.small[..self.len],
            Some(large) => large,
        }
    }
}

impl Drop for Buffer {
    #[inline]
    fn drop(&mut self) {
        if let Some(large) = self.large.take() {
            recycle(large);
        }
    }
}

/// Keeps a vector for a later buffer of this thread, unless it is large.
#[cold]
fn recycle(mut large: Vec<u8>) {
    if large.capacity() > LARGE {
        return;
    }
    large.clear();
    // A thread that exits has no later buffer.
    let _ = SPARE.try_with(|spare| {
        let mut spare = spare.borrow_mut();
        if spare.len() < KEPT {
            spare.push(large);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_holds_what_was_added() {
        for head in [0, 8, SMALL - 1, SMALL, SMALL + 1, 3 * SMALL] {
            let mut buffer = Buffer::zeroed(head);
            let mut wanted = vec![0; head];
            for len in 0..60 {
                let bytes = vec![len as u8 + 1; len];
                buffer.extend(&bytes);
                wanted.extend_from_slice(&bytes);
                buffer.extend_zeroed(wanted.len() + len % 3);
                wanted.resize(wanted.len() + len % 3, 0);
                assert_eq!(&*buffer, wanted);
            }
            if let Some(last) = buffer.last_mut() {
                *last = 7;
            }
            assert_eq!(buffer.last(), Some(&7));
        }
    }

    #[test]
    fn what_it_grew_into_serves_again() {
        let mut first = Buffer::zeroed(0);
        first.extend(&[1; 1000]);
        let place = first.as_ptr();
        drop(first);
        let mut second = Buffer::zeroed(SMALL);
        second.extend(&[2; 500]);
        assert_eq!(second.as_ptr(), place);
        assert_eq!(*second, [[0; SMALL].as_slice(), &[2; 500]].concat());
    }
}
