//! Guest memory by address, as hosts read and write it.

use crate::abi::memory::GuestMemory;
use crate::error::{Error, ErrorKind, Result};

/// A copy of `len` bytes.
///
/// # Errors
///
/// `type-mismatch` when they do not lie within the memory.
pub(crate) fn read(memory: &[u8], address: u32, len: u32) -> Result<Vec<u8>> {
    let found = GuestMemory::new(memory).slice(address, len, 1, 1).map(<[u8]>::to_owned);
    found.map_err(|_| outside(address, len.into(), memory.len()))
}

/// Copies bytes there.
///
/// # Errors
///
/// As [`read`].
pub(crate) fn write(memory: &mut [u8], address: u32, bytes: &[u8]) -> Result<()> {
    let (start, size) = (address as usize, memory.len());
    let target = start.checked_add(bytes.len()).and_then(|end| memory.get_mut(start..end));
    target.ok_or_else(|| outside(address, bytes.len() as u64, size))?.copy_from_slice(bytes);
    Ok(())
}

fn outside(address: u32, len: u64, size: usize) -> Error {
    Error::new(ErrorKind::TypeMismatch, format!("{len} bytes at address {address:#x} lie outside the guest's memory of {size} bytes"))
}
