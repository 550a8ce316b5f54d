//! The items of a guest's iterator that have come and were not taken.

use std::collections::VecDeque;
use std::ffi::c_void;
use std::time::{Duration, Instant};

use undergo::Value;

use crate::arena::Arena;
use crate::boundary::delete;
use crate::handles::ResourceHandle;

/// The most items that come at once.
const MOST: u32 = 256;
/// The same of numbers and other items that are small and point to nothing.
const MOST_SMALL: u32 = 1024;
/// Batches grow while they come in less than this.
const QUICK: Duration = Duration::from_millis(1);

/// What an iterator has read ahead.
#[derive(Default)]
pub(crate) struct Batch {
    /// How many to ask for; 0 is 1.
    next: u32,
    pub(crate) has_ended: bool,
    /// As values.
    pub(crate) values: VecDeque<Value>,
    /// As structs.
    pub(crate) structs: Structs,
}

/// Items as structs, one after another.
pub(crate) struct Structs {
    pub(crate) at: *const u8,
    pub(crate) left: usize,
    /// Bytes of one.
    pub(crate) size: usize,
    /// Of the function that has given them.
    pub(crate) digest: u64,
    /// What they lie in, with all that they point to.
    pub(crate) _arena: Arena,
    /// The handles in each of them, if they have any.
    pub(crate) handles: VecDeque<Vec<*mut ResourceHandle>>,
}

impl Drop for Structs {
    fn drop(&mut self) {
        for handle in self.handles.drain(..).flatten() {
            // SAFETY: its item was not taken, so nobody else has it.
            unsafe { delete(handle) };
        }
    }
}

// SAFETY: they belong to whoever has the batch.
unsafe impl Send for Structs {}

impl Default for Structs {
    fn default() -> Structs {
        Structs { at: std::ptr::null(), left: 0, size: 0, digest: 0, _arena: Arena::new(), handles: VecDeque::new() }
    }
}

impl Batch {
    /// How many items to ask for now.
    pub(crate) fn most(&self) -> u32 {
        self.next.max(1)
    }

    /// Notes how many have come of those that were asked for, and since when.
    pub(crate) fn note(&mut self, came: usize, begun: Instant, are_small: bool) {
        let most = self.most();
        let is_quick = came == most as usize && begun.elapsed() < QUICK;
        self.next = if is_quick { (most * 2).min(if are_small { MOST_SMALL } else { MOST }) } else { 1 };
    }
}

/// The struct of the result of `next` of an iterator.
#[repr(C)]
pub(crate) struct NextResult {
    pub(crate) items: *const c_void,
    pub(crate) len: usize,
    pub(crate) has_ended: bool,
}
