//! The block that holds all nested data of a call, on its way to the guest.

use std::sync::Arc;

use smallvec::SmallVec;

use super::blob::Blob;
use super::buffer::Buffer;
use super::flat::{flatten, unflatten};
use super::handles::{self, Handle, Handles, Passed, Typed};
use super::lift::no_case;
use super::memory;
use crate::config::budget::Budget;
use crate::error::{Error, ErrorKind, Result};
use crate::interface::{Function, Slot, SlotKind};

/// Lowered values, at first in the host's memory: host code (a conversion that a user wrote) may
/// run while it is filled, may fail half-way and may even call the plugin, while the guest has not
/// been touched yet. A complete block has one size, is placed once, and copied once.
///
/// Layout: the *head* (the record of all parameters, or a result), then nested data. Offsets count
/// from the head's beginning. Large runs of bytes are not copied here, but kept as [`Blob`]s and
/// copied from the host's memory straight into the guest's.
pub(crate) struct Block<'a> {
    /// What has been copied so far.
    bytes: Buffer,
    head: u32,
    /// The places in `bytes` that hold pointers. Those are offsets until the block has an address.
    pointers: SmallVec<[u32; 4]>,
    blobs: Vec<Lent<'a>>,
    /// A handle that is borrowed, such as the object of a method, with its place in `bytes`.
    object: Option<(u32, Handle)>,
    /// The other handles.
    passed: Vec<(u32, Passed)>,
    /// The bounds of the call in which the block is filled, and how many items were lowered in it.
    budget: Option<Box<Budget>>,
    items: u32,
    /// The parameter that a type of Rust is being lowered for; `None` for a result.
    param: Option<u32>,
}

/// Bytes that are copied along with the block; the item at `at` points to them.
struct Lent<'a> {
    at: u32,
    /// Their number when the item was lowered.
    size: usize,
    blob: Blob<'a>,
}

/// From this size on, bytes are copied straight from the host's memory.
const BLOB_MIN: usize = 1024;

/// How many items of lists and maps are lowered between two checks of the deadline.
const LOOK_EVERY: u32 = 1024;

/// A block must be addressable, and a guest's memory has at most 4 GiB.
const MAX_BLOCK: usize = u32::MAX as usize / 2;

impl<'a> Block<'a> {
    /// Begins with a head of `size` bytes, all zero.
    #[inline]
    pub(crate) fn begin(size: u32) -> Block<'a> {
        // Nested data begins at a multiple of 8, whether or not the head travels with it.
        let head = crate::interface::round_up(size, 8);
        Block {
            bytes: Buffer::zeroed(head as usize),
            head,
            pointers: SmallVec::new(),
            blobs: Vec::new(),
            object: None,
            passed: Vec::new(),
            budget: None,
            items: 0,
            param: None,
        }
    }

    /// Makes the lowering of many items check whether the call should go on.
    pub(crate) fn bound(&mut self, budget: &Budget) {
        if budget.is_limited() {
            self.budget = Some(Box::new(budget.clone()));
        }
    }

    /// Counts an item.
    #[inline]
    pub(crate) fn step(&mut self) -> Result<()> {
        self.items = self.items.wrapping_add(1);
        if self.items.is_multiple_of(LOOK_EVERY) { self.budget.as_ref().map_or(Ok(()), |budget| budget.check_limits()) } else { Ok(()) }
    }

    /// The block with copies of what the host lends.
    pub(crate) fn into_owned(self) -> Block<'static> {
        let owned = |lent: Lent<'a>| Lent { at: lent.at, size: lent.size, blob: Blob::Guarded(Box::new(lent.blob.to_vec())) };
        let blobs = self.blobs.into_iter().map(owned).collect();
        Block {
            bytes: self.bytes,
            head: self.head,
            pointers: self.pointers,
            blobs,
            object: self.object,
            passed: self.passed,
            budget: None,
            items: 0,
            param: None,
        }
    }

    /// Says which parameter is lowered next.
    #[inline]
    pub(crate) fn begin_param(&mut self, number: usize) {
        // There are at most 16 or 17 of them.
        self.param = Some(number as u32);
    }

    /// Notes a handle of a type of Rust.
    pub(crate) fn pass_typed(&mut self, at: u32, object: Typed) {
        self.pass(at, Passed::Typed { param: self.param.map(|number| number as usize), object });
    }

    /// Notes a handle, which gets its number when it is known which instance is called.
    pub(crate) fn pass(&mut self, at: u32, passed: Passed) {
        match passed {
            Passed::Borrow(handle) if self.object.is_none() => self.object = Some((at, handle)),
            other => self.passed.push((at, other)),
        }
    }

    /// Whether handles are passed.
    #[inline]
    pub(crate) fn passes_handles(&self) -> bool {
        self.object.is_some() || !self.passed.is_empty()
    }

    /// Gives the instance the handles that are passed, and writes their numbers. Returns those that
    /// are borrowed, and end with the call.
    pub(crate) fn settle(&mut self, function: &Function, handles: &Arc<Handles>) -> Result<Option<handles::Lent>> {
        if let Some((at, handle)) = self.object.take() {
            self.put(at, handle.rep(handles)?.to_le_bytes());
        }
        if self.passed.is_empty() {
            return Ok(None);
        }
        let passed = std::mem::take(&mut self.passed);
        let passed = passed.into_iter().map(|(at, passed)| Ok((at, passed.resolve(function)?))).collect::<Result<Vec<_>>>()?;
        handles.pass(&passed, |at, number| self.put(at, number.to_le_bytes()))
    }

    pub(crate) fn put<const N: usize>(&mut self, at: u32, raw: [u8; N]) {
        let at = at as usize;
        self.bytes[at..at + N].copy_from_slice(&raw);
    }

    /// Writes bytes to a place that was reserved for them.
    pub(super) fn put_bytes(&mut self, at: u32, bytes: &[u8]) {
        let at = at as usize;
        self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
    }

    /// Reserves bytes for nested data, all zero; returns their offset.
    pub(crate) fn reserve(&mut self, count: usize, size: u32, align: u32) -> Result<u32> {
        let start = self.bytes.len().next_multiple_of(align as usize);
        let end = count.checked_mul(size as usize).and_then(|bytes| bytes.checked_add(start));
        match end {
            Some(end) if end <= MAX_BLOCK => {
                self.bytes.extend_zeroed(end);
                Ok(start as u32)
            }
            _ => Err(Error::new(ErrorKind::TypeMismatch, "the value is too large for a guest's memory of at most 4 GiB")),
        }
    }

    /// Writes the pointer and the length of `count` elements at the offset `target`.
    pub(crate) fn put_list(&mut self, at: u32, target: u32, count: usize) {
        self.put(at, target.to_le_bytes());
        // The elements were reserved, so there are fewer than 2³².
        self.put(at + 4, (count as u32).to_le_bytes());
        self.pointers.push(at);
    }

    /// Places text at the end and its pointer and length at `at`.
    pub(crate) fn put_str(&mut self, at: u32, text: &str) -> Result<()> {
        let start = self.reserve(0, 0, 1)?;
        if text.len() > MAX_BLOCK - start as usize {
            return Err(Error::new(ErrorKind::TypeMismatch, "the value is too large for a guest's memory of at most 4 GiB"));
        }
        self.bytes.extend(text.as_bytes());
        self.put_list(at, start, text.len());
        Ok(())
    }

    /// Places the bytes of `count` scalars of `size` bytes each, and their pointer and length at
    /// `at`.
    pub(crate) fn put_blob(&mut self, at: u32, blob: Blob<'a>, size: u32) -> Result<()> {
        let bytes = blob.size();
        let count = bytes / size as usize;
        if bytes < BLOB_MIN {
            let start = self.reserve(bytes, 1, size)?;
            blob.copy_to(&mut self.bytes[start as usize..start as usize + bytes]);
            self.put_list(at, start, count);
            return Ok(());
        }
        if bytes > MAX_BLOCK {
            return Err(Error::new(ErrorKind::TypeMismatch, "the value is too large for a guest's memory of at most 4 GiB"));
        }
        self.put(at + 4, (count as u32).to_le_bytes());
        self.blobs.push(Lent { at, size: bytes, blob });
        Ok(())
    }

    /// How many bytes the guest must allocate, with the head or without; 0 when there is nothing to
    /// place. Fails when a buffer that was lent has changed its size: host code that ran while
    /// other arguments were read has changed it.
    pub(crate) fn placed_size(&self, with_head: bool) -> Result<u32> {
        let mut size = self.bytes.len() - if with_head { 0 } else { self.head as usize };
        for lent in &self.blobs {
            if lent.blob.size() != lent.size {
                return Err(changed());
            }
            size = size.next_multiple_of(8) + lent.size;
        }
        if size > MAX_BLOCK {
            return Err(Error::new(ErrorKind::OutOfMemory, format!("the arguments have {size} bytes; a guest's memory has at most 4 GiB")));
        }
        Ok(size as u32)
    }

    /// Copies the block to `address` in the guest's memory, where `placed_size` bytes were
    /// allocated for it.
    pub(crate) fn write(&mut self, target: &mut [u8], address: u32, with_head: bool) -> Result<()> {
        let skipped = if with_head { 0 } else { self.head };
        let base = address.wrapping_sub(skipped);
        let bytes = &mut *self.bytes;
        for &at in &self.pointers {
            let offset = memory::read_u32(bytes, at);
            let at = at as usize;
            bytes[at..at + 4].copy_from_slice(&base.wrapping_add(offset).to_le_bytes());
        }
        let mut end = self.bytes.len();
        let place = |from: usize, len: usize| {
            // `from` counts from the head's beginning, as the pointers do.
            let start = (address as usize).checked_add(from - skipped as usize)?;
            Some(start..start.checked_add(len)?)
        };
        let outside = || Error::new(ErrorKind::Trap, format!("the guest gave address {address:#x} for arguments, outside its memory"));
        for Lent { at, size, blob } in &self.blobs {
            if blob.size() != *size {
                return Err(changed());
            }
            end = end.next_multiple_of(8);
            let range = place(end, *size).ok_or_else(outside)?;
            blob.copy_to(target.get_mut(range).ok_or_else(outside)?);
            let at = *at as usize;
            self.bytes[at..at + 4].copy_from_slice(&base.wrapping_add(end as u32).to_le_bytes());
            end += size;
        }
        let placed = &self.bytes[skipped as usize..];
        let range = place(skipped as usize, placed.len()).ok_or_else(outside)?;
        target.get_mut(range).ok_or_else(outside)?.copy_from_slice(placed);
        // The pointers are addresses now, and must not be relocated again. The blobs stay with the
        // caller, which may need its own lock to drop them.
        self.pointers.clear();
        Ok(())
    }

    /// The head's bytes, once written.
    pub(crate) fn head(&self) -> &[u8] {
        &self.bytes[..self.head as usize]
    }

    /// The flat value of a slot of the head, as the 64 bits of a core value.
    #[inline]
    pub(crate) fn load(&self, slot: Slot) -> u64 {
        load(&self.bytes, slot)
    }
}

/// The flat value of a slot of these bytes, as the 64 bits of a core value.
#[inline]
pub(crate) fn load(bytes: &[u8], slot: Slot) -> u64 {
    let at = slot.offset;
    let number = match slot.kind.size() {
        1 => u64::from(memory::read_u8(bytes, at)),
        2 => u64::from(memory::read_u16(bytes, at)),
        4 => u64::from(memory::read_u32(bytes, at)),
        _ => memory::read_u64(bytes, at),
    };
    flatten(slot.kind, number)
}

#[cold]
pub(super) fn changed() -> Error {
    Error::new(ErrorKind::TypeMismatch, "the value changed its size while it was read; don't change an argument during a call")
}

/// Stores a flat core value to its place: the reverse of [`load`], for what a guest passes. The
/// canonical ABI traps on a discriminant without a case.
pub(crate) fn store(bytes: &mut [u8], slot: Slot, raw: u64) -> Result<()> {
    let value = unflatten(slot.kind, raw);
    if matches!(slot.kind, SlotKind::Case8 | SlotKind::Case16) && value != raw & u64::from(u32::MAX) {
        return Err(no_case(raw as u32).of_no_value());
    }
    let (at, size) = (slot.offset as usize, slot.kind.size());
    bytes[at..at + size].copy_from_slice(&value.to_le_bytes()[..size]);
    Ok(())
}
