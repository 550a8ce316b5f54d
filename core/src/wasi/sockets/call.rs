//! A function of the extension as it is called: the guest's memory, whose every address is distrusted, and all else that is the guest's.

use std::io::IoSlice;

use wasmtime::Caller;

use crate::abi::memory::{self, GuestMemory};
use crate::guest::state::State;
use crate::wasi::descriptor::Waiting;
use crate::wasi::errno;
use crate::wasi::preview1::{MOST, MOST_BUFFERS, buffer, parts};
use crate::wasi::sockets::Failed;
use crate::wasi::sockets::address::Address;
use crate::wasi::sockets::socket::Socket;

/// What a function works with.
pub(crate) struct Call<'c> {
    pub(crate) memory: Memory<'c>,
    pub(crate) state: &'c mut State,
    pub(crate) waiting: Waiting,
}

impl<'c> Call<'c> {
    pub(crate) fn new(waiting: Waiting, caller: &'c mut Caller<'_, State>) -> wasmtime::Result<Call<'c>> {
        let (memory, state) = parts(caller)?;
        Ok(Call { memory: Memory(memory), state, waiting })
    }

    /// The socket at a number.
    ///
    /// # Errors
    ///
    /// `NOTSOCK` for a descriptor of another kind, `BADF` for none.
    pub(crate) async fn socket(&mut self, number: i32) -> Result<&mut Socket, Failed> {
        if self.state.sockets.find(number).is_none() {
            let is_open = self.state.pipes.find(number).is_some() || self.state.files.find(number).is_some();
            return Err(Failed::Number(if is_open { errno::NOTSOCK } else { errno::BADF }));
        }
        // It was there just now.
        self.state.sockets.find_mut(number).ok_or(Failed::Number(errno::BADF))
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
        // Nothing lies at any address, also at one beyond the end.
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
        // Longer ones are none, and not looked at.
        if len > 128 {
            return Err(Failed::Number(errno::INVAL));
        }
        Ok(Address::decode(self.bytes(at, len)?, port as u32)?)
    }

    /// Writes an address to where the guest wants it, and gives its port.
    pub(crate) fn set_address(&mut self, at: i32, address: Option<&Address>) -> Result<u16, Failed> {
        let (at, len) = self.span(at)?;
        if len > 128 {
            return Err(Failed::Number(errno::INVAL));
        }
        Ok(Address::encode(address, self.bytes_mut(at, len)?)?)
    }

    /// The pieces of memory that a list of buffers names, as many bytes of them as one call carries; those that have no bytes are left out.
    pub(crate) fn pieces(&self, list: i32, count: i32) -> Result<Vec<(usize, usize)>, Failed> {
        let count = count as u32;
        if count > MOST_BUFFERS {
            return Err(Failed::Number(errno::INVAL));
        }
        let bytes = GuestMemory::new(self.0).slice(list as u32, count, 8, 1).map_err(|_| Failed::Number(errno::FAULT))?;
        let (mut pieces, mut total) = (Vec::with_capacity(count as usize), 0);
        for number in 0..count {
            let (at, len) = buffer(self.0, bytes, number).map_err(|_| Failed::Number(errno::FAULT))?;
            let len = len.min(MOST - total);
            total += len;
            if len > 0 {
                pieces.push((at, len));
            }
        }
        Ok(pieces)
    }

    /// The same to read from, for the system.
    pub(crate) fn slices(&self, pieces: &[(usize, usize)]) -> Vec<IoSlice<'_>> {
        pieces.iter().map(|(at, len)| IoSlice::new(&self.0[*at..at + len])).collect()
    }
}
