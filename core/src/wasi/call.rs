//! One call of a function of WASI: the guest's memory, where no address is trusted, and what WASI
//! has of the guest.

use std::io::{self, IoSlice};

use wasmtime::{AsContextMut as _, Caller};
use wasmtime_wasi::p1::wasi_snapshot_preview1::WasiSnapshotPreview1 as _;

use crate::abi::memory::{self, GuestMemory};
use crate::error::{Error, ErrorKind};
use crate::sched::driver::Driver;
use crate::wasi::context::{Host, Wasi};
use crate::wasi::errno;
use crate::wasi::sockets::address::Address;
use crate::wasi::sockets::socket::Socket;

/// Bytes that one call transfers at most: between two calls the guest checks whether it should go
/// on.
pub(crate) const MOST: usize = 1 << 20;

/// Buffers in one list. POSIX has the same limit.
const MOST_BUFFERS: u32 = 1024;

/// Why a function failed.
pub(crate) enum Failed {
    /// An error number for the guest.
    Number(i32),
    /// The call has to end.
    Ended(Error),
    /// The same, with an error that Wasmtime gets unchanged.
    Trapped(wasmtime::Error),
}

impl From<i32> for Failed {
    fn from(number: i32) -> Failed {
        Failed::Number(number)
    }
}

impl From<Error> for Failed {
    fn from(error: Error) -> Failed {
        Failed::Ended(error)
    }
}

impl From<wasmtime::Error> for Failed {
    fn from(error: wasmtime::Error) -> Failed {
        Failed::Trapped(error)
    }
}

impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Failed {
        Failed::Number(errno::from_system(&error))
    }
}

/// The result for Wasmtime, and thus for the guest.
pub(crate) fn said(done: Result<(), Failed>) -> wasmtime::Result<i32> {
    match done {
        Ok(()) => Ok(errno::SUCCESS),
        Err(Failed::Number(number)) => Ok(number),
        Err(Failed::Ended(error)) => Err(error.into_wasmtime()),
        Err(Failed::Trapped(error)) => Err(error),
    }
}

/// What a function of WASI works with.
pub(crate) struct Call<'c> {
    pub(crate) memory: Memory<'c>,
    pub(crate) wasi: &'c mut Wasi,
    pub(crate) driver: Driver,
}

impl<'c> Call<'c> {
    /// # Errors
    ///
    /// A trap for a guest that exports no memory.
    pub(crate) fn new<T: Host>(driver: Driver, caller: &'c mut Caller<'_, T>) -> wasmtime::Result<Call<'c>> {
        // During the start section the host does not know the memory yet.
        match caller.data().memory().or_else(|| caller.get_export("memory")?.into_memory()) {
            Some(memory) => {
                // Bounds what one call copies into the host, as the wrappers of wasmtime-wasi do.
                let fuel = caller.as_context_mut().hostcall_fuel();
                let (memory, host) = memory.data_and_store_mut(caller);
                let wasi = host.wasi();
                wasi.p1.set_hostcall_fuel(fuel);
                Ok(Call { memory: Memory(memory), wasi, driver })
            }
            None => Err(Error::new(ErrorKind::Trap, "the guest calls WASI, but exports no memory").into_wasmtime()),
        }
    }

    /// The socket at a number.
    ///
    /// # Errors
    ///
    /// `NOTSOCK` for a descriptor of another kind, `BADF` for none.
    pub(crate) fn socket(&mut self, number: i32) -> Result<&mut Socket, Failed> {
        if self.wasi.sockets.find(number).is_none() {
            let is_open = self.wasi.pipes.find(number).is_some() || self.wasi.files.find(number).is_some();
            return Err(Failed::Number(if is_open { errno::NOTSOCK } else { errno::BADF }));
        }
        // It existed just now.
        self.wasi.sockets.find_mut(number).ok_or(Failed::Number(errno::BADF))
    }
}

/// The guest's memory.
pub(crate) struct Memory<'c>(pub(crate) &'c mut [u8]);

impl Memory<'_> {
    pub(crate) fn bytes(&self, at: i32, len: u32) -> Result<&[u8], Failed> {
        GuestMemory::new(self.0).slice(at as u32, len, 1, 1).map_err(|_| Failed::Number(errno::FAULT))
    }

    pub(crate) fn bytes_mut(&mut self, at: i32, len: u32) -> Result<&mut [u8], Failed> {
        self.bytes(at, len)?;
        let at = at as u32 as usize;
        // An empty range may have any address, even one beyond the end.
        Ok(if len == 0 { &mut [] } else { &mut self.0[at..at + len as usize] })
    }

    pub(crate) fn word(&self, at: i32) -> Result<u32, Failed> {
        Ok(memory::read_u32(self.bytes(at, 4)?, 0))
    }

    pub(crate) fn set_word(&mut self, at: i32, word: u32) -> Result<(), Failed> {
        self.bytes_mut(at, 4)?.copy_from_slice(&word.to_le_bytes());
        Ok(())
    }

    /// The pointer and the length at an address.
    pub(crate) fn span(&self, at: i32) -> Result<(i32, u32), Failed> {
        let words = self.bytes(at, 8)?;
        Ok((memory::read_u32(words, 0) as i32, memory::read_u32(words, 4)))
    }

    pub(crate) fn address(&self, at: i32, port: i32) -> Result<Address, Failed> {
        let (at, len) = self.span(at)?;
        // No address is longer.
        if len > 128 {
            return Err(Failed::Number(errno::INVAL));
        }
        Ok(Address::decode(self.bytes(at, len)?, port as u32)?)
    }

    /// Writes an address to where the guest wants it, and returns its port.
    pub(crate) fn set_address(&mut self, at: i32, address: Option<&Address>) -> Result<u16, Failed> {
        let (at, len) = self.span(at)?;
        if len > 128 {
            return Err(Failed::Number(errno::INVAL));
        }
        Ok(Address::encode(address, self.bytes_mut(at, len)?)?)
    }

    /// Writes the count that a function returns, to an address that must be a multiple of 4.
    pub(crate) fn answer(&mut self, at: i32, count: usize) -> Result<(), Failed> {
        GuestMemory::new(self.0).slice(at as u32, 1, 4, 4).map_err(|_| Failed::Number(errno::FAULT))?;
        // At most MOST.
        self.set_word(at, count as u32)
    }

    /// A list of buffers, of 8 bytes each, at an address that must be a multiple of `align`.
    pub(crate) fn list(&self, at: i32, count: i32, align: u32) -> Result<&[u8], Failed> {
        if count as u32 > MOST_BUFFERS {
            return Err(Failed::Number(errno::INVAL));
        }
        GuestMemory::new(self.0).slice(at as u32, count as u32, 8, align).map_err(|_| Failed::Number(errno::FAULT))
    }

    /// The position and length of a buffer in a list; it lies within the memory.
    pub(crate) fn buffer(&self, list: &[u8], number: usize) -> Result<(usize, usize), Failed> {
        let at = number as u32 * 8;
        let (at, len) = (memory::read_u32(list, at), memory::read_u32(list, at + 4));
        GuestMemory::new(self.0).slice(at, 1, len, 1).map_err(|_| Failed::Number(errno::FAULT))?;
        // An empty buffer may have any address, even outside the memory.
        Ok(if len == 0 { (0, 0) } else { (at as usize, len as usize) })
    }

    /// The buffers of a list as positions and lengths, up to as many bytes as one call transfers;
    /// without the empty ones.
    pub(crate) fn pieces(&self, list: i32, count: i32) -> Result<Vec<(usize, usize)>, Failed> {
        let bytes = self.list(list, count, 1)?;
        let count = bytes.len() / 8;
        let (mut pieces, mut total) = (Vec::with_capacity(count), 0);
        for number in 0..count {
            let (at, len) = self.buffer(bytes, number)?;
            let len = len.min(MOST - total);
            total += len;
            if len > 0 {
                pieces.push((at, len));
            }
        }
        Ok(pieces)
    }

    /// The same as slices for the system to read from.
    pub(crate) fn slices(&self, pieces: &[(usize, usize)]) -> Vec<IoSlice<'_>> {
        pieces.iter().map(|(at, len)| IoSlice::new(&self.0[*at..at + len])).collect()
    }
}
