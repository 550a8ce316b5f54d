//! Guest memory with checked access.

use crate::error::{Error, ErrorKind, Result};

/// A view of a guest's memory while the guest does not run. All addresses and lengths come from the
/// guest, and are not trusted.
#[derive(Clone, Copy)]
pub struct GuestMemory<'m>(&'m [u8]);

impl<'m> GuestMemory<'m> {
    /// A view of these bytes as a guest's memory.
    #[must_use]
    pub fn new(bytes: &'m [u8]) -> Self {
        GuestMemory(bytes)
    }

    /// `count` elements of `size` bytes at `address`, which must be a multiple of `align`.
    ///
    /// # Errors
    ///
    /// `trap` when any of it lies outside the memory, or the address is misaligned.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "some comparisons, whose outcome would be written to memory and read again")]
    pub fn slice(self, address: u32, count: u32, size: u32, align: u32) -> Result<&'m [u8]> {
        let bytes = u64::from(count) * u64::from(size);
        if bytes == 0 {
            return Ok(&[]);
        }
        let start = u64::from(address);
        if start + bytes > self.0.len() as u64 {
            return Err(self.out_of_bounds(address, bytes));
        }
        if address & (align - 1) != 0 {
            return Err(misaligned(address, align));
        }
        // Within the memory, and so within usize.
        let start = address as usize;
        Ok(&self.0[start..start + bytes as usize])
    }

    #[cold]
    fn out_of_bounds(self, address: u32, bytes: u64) -> Error {
        Error::new(
            ErrorKind::Trap,
            format!("the guest gave {bytes} bytes at address {address:#x}, which lie outside its memory of {} bytes", self.0.len()),
        )
    }
}

#[cold]
fn misaligned(address: u32, align: u32) -> Error {
    Error::new(ErrorKind::Trap, format!("the guest gave address {address:#x}, which is not a multiple of {align} as its type needs"))
}

/// Reads a little-endian number at an offset within `bytes`: offsets come from layouts, and the
/// slice from [`GuestMemory::slice`].
macro_rules! readers {
    ($($name:ident -> $ty:ty;)*) => {
        $(#[inline]
        pub(crate) fn $name(bytes: &[u8], offset: u32) -> $ty {
            const SIZE: usize = size_of::<$ty>();
            let at = offset as usize;
            let mut raw = [0; SIZE];
            raw.copy_from_slice(&bytes[at..at + SIZE]);
            <$ty>::from_le_bytes(raw)
        })*
    };
}

readers! {
    read_u8 -> u8;
    read_i8 -> i8;
    read_u16 -> u16;
    read_i16 -> i16;
    read_u32 -> u32;
    read_i32 -> i32;
    read_u64 -> u64;
    read_i64 -> i64;
    read_f32 -> f32;
    read_f64 -> f64;
}
