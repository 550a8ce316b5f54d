//! Memory for the nested data of one result, which is freed at once.

use std::alloc::{Layout, alloc, dealloc};
use std::cell::Cell;
use std::ffi::{c_char, c_void};
use std::ptr::{self, NonNull};

use undergo::{Error, ErrorKind, Result};

use crate::boundary::{bytes, quietly};
use crate::types::Text;

/// The memory of a result: everything that its pointers point to. The receiver of the result owns
/// it, and frees it with `undergo_arena_delete`. In a host function it is the memory for the
/// function's own result, and belongs to Undergo. Not thread-safe.
pub struct Arena {
    newest: *mut Chunk,
    at: *mut u8,
    left: usize,
    /// What has a destructor.
    kept: *mut Kept,
}

/// The head of a value that the arena destroys.
struct Kept {
    before: *mut Kept,
    destroy: unsafe fn(*mut Kept),
}

/// A value behind its head.
#[repr(C)]
struct Owned<T> {
    head: Kept,
    value: T,
}

/// The beginning of each chunk. The last one of a finished arena holds the arena itself, so that a
/// text costs one allocation.
#[repr(C, align(16))]
struct Chunk {
    before: *mut Chunk,
    layout: Layout,
    arena: Arena,
}

/// The alignment of allocations; no value of an interface needs more.
const ALIGN: usize = 16;
/// The smallest chunk, and the size at which chunks stop growing.
const LEAST: usize = 256;
const MOST: usize = 64 << 10;

thread_local! {
    /// A smallest chunk that an arena of this thread has released: most results need one, and this
    /// is quicker than an allocator.
    static SPARE: Spare = const { Spare(Cell::new(ptr::null_mut())) };
}

/// A chunk that nobody uses, or NULL.
struct Spare(Cell<*mut Chunk>);

impl Drop for Spare {
    fn drop(&mut self) {
        let chunk = self.0.get();
        if !chunk.is_null() {
            // SAFETY: `give_back` has put it here, and nobody else has it.
            unsafe { dealloc(chunk.cast(), Chunk::SMALL) };
        }
    }
}

impl Chunk {
    const SMALL: Layout = match Layout::from_size_align(LEAST, ALIGN) {
        Ok(layout) => layout,
        Err(_) => panic!("16 is a power of two"),
    };

    /// The spare chunk, if there is one, or one that is allocated.
    #[inline]
    fn take(layout: Layout) -> *mut Chunk {
        let spare = if layout.size() == LEAST {
            SPARE.try_with(|spare| spare.0.replace(ptr::null_mut())).unwrap_or(ptr::null_mut())
        } else {
            ptr::null_mut()
        };
        if spare.is_null() {
            // SAFETY: the layout has a size, that of `Chunk` at the least.
            unsafe { alloc(layout) }.cast()
        } else {
            spare
        }
    }

    /// Keeps a chunk as the spare one, or frees it.
    ///
    /// # Safety
    ///
    /// It is of `take`, with that layout, and nobody uses it.
    #[inline]
    unsafe fn give_back(chunk: *mut Chunk, layout: Layout) {
        let kept = layout.size() == LEAST
            && SPARE
                .try_with(|spare| {
                    spare.0.get().is_null() && {
                        spare.0.set(chunk);
                        true
                    }
                })
                .unwrap_or(false);
        if !kept {
            // SAFETY: the caller's promise.
            unsafe { dealloc(chunk.cast(), layout) };
        }
    }
}

impl Arena {
    pub(crate) const fn new() -> Arena {
        Arena { newest: ptr::null_mut(), at: ptr::null_mut(), left: 0, kept: ptr::null_mut() }
    }

    /// An arena that begins with a place of somebody else's, which is not freed with it.
    ///
    /// # Safety
    ///
    /// There is room for so many bytes, which nobody else uses as long as what lies in the arena is
    /// used.
    pub(crate) unsafe fn over(at: *mut u8, left: usize) -> Arena {
        Arena { newest: ptr::null_mut(), at, left, kept: ptr::null_mut() }
    }

    /// Room for `size` bytes at a multiple of `align`, up to 16. Not cleared.
    #[inline]
    pub(crate) fn alloc(&mut self, size: usize, align: usize) -> Result<NonNull<u8>> {
        let skip = self.at.align_offset(align);
        if let Some(needed) = size.checked_add(skip)
            && needed <= self.left
            && let Some(found) = NonNull::new(self.at.wrapping_add(skip))
        {
            self.at = self.at.wrapping_add(needed);
            self.left -= needed;
            return Ok(found);
        }
        self.grow(size)
    }

    /// Keeps a value, which is dropped with the arena.
    pub(crate) fn keep<T>(&mut self, value: T) -> Result<*mut T> {
        unsafe fn destroy<T>(kept: *mut Kept) {
            // SAFETY: it is the head of such a value, which is not used any more.
            unsafe { ptr::drop_in_place(&raw mut (*kept.cast::<Owned<T>>()).value) };
        }
        const { assert!(align_of::<Owned<T>>() <= ALIGN) };
        let size = size_of::<Owned<T>>();
        // Not in a place of somebody else's, which leaves no handle by which it would be dropped.
        let place = if self.newest.is_null() { self.grow(size) } else { self.alloc(size, align_of::<Owned<T>>()) };
        let place = place?.cast::<Owned<T>>().as_ptr();
        // SAFETY: there is room, which is aligned.
        unsafe {
            place.write(Owned { head: Kept { before: self.kept, destroy: destroy::<T> }, value });
            self.kept = place.cast();
            Ok(&raw mut (*place).value)
        }
    }

    #[inline]
    fn grow(&mut self, size: usize) -> Result<NonNull<u8>> {
        // SAFETY: a chunk that is there was written by this function.
        let last = unsafe { self.newest.as_ref() }.map_or(0, |chunk| chunk.layout.size());
        let room = size.max((last * 2).clamp(LEAST, MOST) - size_of::<Chunk>());
        let layout = room.checked_add(size_of::<Chunk>()).and_then(|all| Layout::from_size_align(all, ALIGN).ok()).ok_or_else(full)?;
        let chunk = Chunk::take(layout);
        if chunk.is_null() {
            return Err(full());
        }
        // SAFETY: nobody else has it, it is large enough, and aligned.
        let start = unsafe {
            chunk.write(Chunk { before: self.newest, layout, arena: Arena::new() });
            NonNull::new_unchecked(chunk.add(1).cast::<u8>())
        };
        self.newest = chunk;
        self.at = start.as_ptr().wrapping_add(size);
        self.left = room - size;
        Ok(start)
    }

    /// Passes the memory to the caller; NULL if there is none.
    pub(crate) fn into_handle(self) -> *mut Arena {
        let mut this = std::mem::ManuallyDrop::new(self);
        if this.newest.is_null() {
            return ptr::null_mut();
        }
        // SAFETY: a live chunk, which nobody else refers to; what is written has no destructor that
        // counts, since its chunks are freed through the handle.
        unsafe {
            let place = &raw mut (*this.newest).arena;
            place.write(Arena { newest: this.newest, at: this.at, left: this.left, kept: this.kept });
            place
        }
    }
}

impl Drop for Arena {
    fn drop(&mut self) {
        while !self.kept.is_null() {
            // SAFETY: `keep` has put it there, in a chunk that still lives.
            unsafe {
                let (kept, destroy) = (self.kept, (*self.kept).destroy);
                self.kept = (*kept).before;
                quietly((), || destroy(kept));
            }
        }
        let mut next = self.newest;
        self.newest = ptr::null_mut();
        while !next.is_null() {
            // SAFETY: a chunk that `grow` has taken and nobody has given back.
            unsafe {
                let (before, layout) = ((*next).before, (*next).layout);
                Chunk::give_back(next, layout);
                next = before;
            }
        }
    }
}

#[cold]
fn full() -> Error {
    Error::new(ErrorKind::OutOfMemory, "there is no memory for the result on the host's side")
}

/// Frees the memory of a result, and everything that the result points to. NULL is accepted: a
/// result without nested data has no arena.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_arena_delete(arena: *mut Arena) {
    if !arena.is_null() {
        // SAFETY: C's promise: it is a handle that `into_handle` or `text_alone` gave, and not used
        // again. What counts is moved out of its chunk before that is freed; what does not is not
        // read, because it may have been written in other pieces just now, for which processors
        // wait.
        let (newest, kept) = unsafe { ((*arena).newest, (*arena).kept) };
        drop(Arena { newest, at: ptr::null_mut(), left: 0, kept });
    }
}

/// Allocates `size` bytes, aligned for any type, in the arena of a host function, for its result.
/// NULL if there is no memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_arena_alloc(arena: *mut Arena, size: usize) -> *mut c_void {
    quietly(ptr::null_mut(), || {
        // SAFETY: C's promise.
        let found = unsafe { arena.as_mut() }.and_then(|arena| arena.alloc(size.max(1), ALIGN).ok());
        found.map_or(ptr::null_mut(), |found| found.as_ptr().cast())
    })
}

/// Copies a text to the arena of a host function, for its result. `text` need not end with a NUL;
/// the copy does. Empty if there is no memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_arena_copy(arena: *mut Arena, text: *const c_char, len: usize) -> Text {
    let empty = Text { ptr: ptr::null(), len: 0 };
    quietly(empty, || {
        // SAFETY: C's promise.
        let (arena, text) = unsafe { (arena.as_mut(), bytes(text.cast(), len)) };
        let (Some(arena), Ok(text)) = (arena, text) else { return empty };
        copy_text(arena, text).unwrap_or(empty)
    })
}

/// Text followed by a NUL.
#[inline(always)]
#[expect(clippy::inline_always, reason = "most calls with a text end here")]
pub(crate) fn copy_text(arena: &mut Arena, text: &[u8]) -> Result<Text> {
    let copy = arena.alloc(text.len() + 1, 1)?.as_ptr();
    // SAFETY: there is room for the text and the NUL, and it is new.
    unsafe {
        ptr::copy_nonoverlapping(text.as_ptr(), copy, text.len());
        copy.add(text.len()).write(0);
    }
    Ok(Text { ptr: copy.cast(), len: text.len() })
}

/// Text followed by a NUL, in a separate arena, as most results are; returns the arena as a handle.
#[inline]
pub(crate) fn text_alone(text: &[u8]) -> Result<(Text, *mut Arena)> {
    let needed = text.len() + 1;
    if needed > LEAST - size_of::<Chunk>() {
        let mut arena = Arena::new();
        let text = copy_text(&mut arena, text)?;
        return Ok((text, arena.into_handle()));
    }
    let chunk = Chunk::take(Chunk::SMALL);
    if chunk.is_null() {
        return Err(full());
    }
    // SAFETY: nobody else has the chunk, which is aligned, and large enough for its head, the text
    // and the NUL. The rest is as in `grow` and `into_handle`.
    unsafe {
        let copy = chunk.add(1).cast::<u8>();
        let left = LEAST - size_of::<Chunk>() - needed;
        chunk.write(Chunk {
            before: ptr::null_mut(),
            layout: Chunk::SMALL,
            arena: Arena { newest: chunk, at: copy.add(needed), left, kept: ptr::null_mut() },
        });
        ptr::copy_nonoverlapping(text.as_ptr(), copy, text.len());
        copy.add(text.len()).write(0);
        Ok((Text { ptr: copy.cast(), len: text.len() }, &raw mut (*chunk).arena))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_aligned_and_apart() {
        let mut arena = Arena::new();
        let mut pieces = Vec::new();
        for size in (0..200_usize).chain([1 << 20, 3]) {
            for align in [1, 2, 4, 8, 16] {
                let piece = arena.alloc(size, align).expect("there is memory").as_ptr();
                assert!(piece.align_offset(align) == 0);
                // SAFETY: the arena gave that room.
                unsafe { piece.write_bytes(size as u8, size) };
                pieces.push((piece, size));
            }
        }
        for (piece, size) in pieces {
            // SAFETY: written above, and the arena lives.
            assert!(unsafe { std::slice::from_raw_parts(piece, size) }.iter().all(|&byte| byte == size as u8));
        }
        let handle = arena.into_handle();
        // SAFETY: the handle is live until it is deleted.
        unsafe {
            assert!(!undergo_arena_alloc(handle, 10).is_null());
            undergo_arena_delete(handle);
        }
        assert!(Arena::new().into_handle().is_null());
    }

    #[test]
    fn a_chunk_serves_one_arena_after_the_other() {
        let mut first = Arena::new();
        let place = first.alloc(10, 1).expect("there is memory");
        // Two at a time have one each.
        let mut second = Arena::new();
        assert_ne!(second.alloc(10, 1).expect("there is memory"), place);
        drop(first);
        drop(second);
        let mut third = Arena::new();
        assert_eq!(third.alloc(10, 1).expect("there is memory"), place);
        // A larger one is not mistaken for it.
        let mut large = Arena::new();
        large.alloc(10_000, 1).expect("there is memory");
        drop(large);
        assert_eq!(third.alloc(1, 1).expect("there is memory").as_ptr(), place.as_ptr().wrapping_add(10));
    }

    #[test]
    fn a_text_alone_has_an_arena() {
        for len in [0, 1, 11, LEAST - size_of::<Chunk>() - 1, LEAST - size_of::<Chunk>(), 10_000] {
            let given = vec![b'x'; len];
            let (text, arena) = text_alone(&given).expect("there is memory");
            // SAFETY: the text lies in the arena, which lives until it is deleted; the NUL is
            // behind it.
            unsafe {
                assert_eq!(std::slice::from_raw_parts(text.ptr.cast::<u8>(), text.len), given);
                assert_eq!(*text.ptr.add(len), 0);
                // What is added does not touch it.
                undergo_arena_alloc(arena, 64).cast::<u8>().write_bytes(b'y', 64);
                assert_eq!(std::slice::from_raw_parts(text.ptr.cast::<u8>(), text.len), given);
                undergo_arena_delete(arena);
            }
        }
    }

    #[test]
    fn a_given_place_is_used_first() {
        let mut place = [0_u64; 8];
        let start = place.as_mut_ptr().cast::<u8>();
        // SAFETY: the place outlives the arena.
        let mut arena = unsafe { Arena::over(start, 64) };
        assert_eq!(arena.alloc(10, 1).expect("there is room").as_ptr(), start);
        assert_eq!(arena.alloc(8, 8).expect("there is room").as_ptr(), start.wrapping_add(16));
        let beyond = arena.alloc(60, 1).expect("there is memory").as_ptr();
        assert!(beyond < start || beyond >= start.wrapping_add(64));
        let handle = arena.into_handle();
        assert!(!handle.is_null());
        // SAFETY: the handle is live until it is deleted.
        unsafe { undergo_arena_delete(handle) };
        // SAFETY: as above. Nothing has to be freed where the place was enough.
        assert!(unsafe { Arena::over(start, 64) }.into_handle().is_null());
    }

    #[test]
    fn what_is_kept_is_dropped() {
        let value = std::rc::Rc::new(());
        let mut place = [0_u64; 32];
        // SAFETY: the place outlives the arena.
        let mut arena = unsafe { Arena::over(place.as_mut_ptr().cast(), 256) };
        for _ in 0..100 {
            arena.keep(value.clone()).expect("there is memory");
        }
        assert_eq!(std::rc::Rc::strong_count(&value), 101);
        let handle = arena.into_handle();
        // SAFETY: the handle is live until it is deleted.
        unsafe { undergo_arena_delete(handle) };
        assert_eq!(std::rc::Rc::strong_count(&value), 1);
        let mut arena = Arena::new();
        arena.alloc(10, 1).expect("there is memory");
        let kept = arena.keep(value.clone()).expect("there is memory");
        // SAFETY: the arena lives.
        assert!(std::rc::Rc::ptr_eq(unsafe { &*kept }, &value));
        drop(arena);
        assert_eq!(std::rc::Rc::strong_count(&value), 1);
    }

    #[test]
    fn what_is_too_large_is_an_error() {
        assert!(Arena::new().alloc(usize::MAX, 8).is_err());
        assert!(Arena::new().alloc(isize::MAX as usize, 1).is_err());
    }
}
