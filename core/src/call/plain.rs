//! Host functions whose arguments and result are numbers, text and lists of numbers, which are read
//! from the guest, and written to it, without lifting and lowering: the reverse of
//! [`PlainCall`](crate::host::PlainCall).

use std::slice;

use wasmtime::ValRaw;

use crate::abi::block::Block;
use crate::abi::flat::{flatten, unflatten};
use crate::abi::lift::{lift_json, utf8};
use crate::call::host_call::raw_u64;
use crate::error::{Error, ErrorKind, Result};
use crate::guest::host::HostCall;
use crate::guest::memory_cache::MemoryCache;
use crate::interface::{Function, Plain, Scalar};

/// The arguments of a host function, which are taken one after another. They lie in the guest's
/// memory.
pub struct PlainArgs<'h, 'c> {
    call: &'h HostCall<'c>,
    left: slice::Iter<'h, Plain>,
    /// How many core values were taken.
    values: usize,
    /// Bytes of nested data that were taken.
    size: u64,
}

impl<'h> PlainArgs<'h, '_> {
    /// Takes a bool, a number or a duration: it is in the lowest bytes, with zeros above.
    ///
    /// # Errors
    ///
    /// `type-mismatch` if the next argument is none of these.
    #[inline]
    pub fn number(&mut self) -> Result<u64> {
        match self.left.next() {
            Some(Plain::Number(kind)) => Ok(unflatten(*kind, self.word())),
            _ => Err(other("a number")),
        }
    }

    /// Takes text, which may be JSON.
    ///
    /// # Errors
    ///
    /// `type-mismatch` if the next argument is no text, or none in UTF-8; `trap` if it lies outside
    /// the guest's memory; `out-of-memory` if it is larger than a value may be.
    #[inline]
    pub fn text(&mut self) -> Result<&'h str> {
        match self.left.next() {
            Some(Plain::Text) => self.nested(1).and_then(utf8).map_err(|error| self.in_param(error)),
            Some(Plain::Json) => self.nested(1).and_then(utf8).and_then(lift_json).map_err(|error| self.in_param(error)),
            _ => Err(other("text")),
        }
    }

    /// Takes a list of such numbers, as its little-endian bytes.
    ///
    /// # Errors
    ///
    /// As [`text`](PlainArgs::text).
    #[inline]
    pub fn list(&mut self, scalar: Scalar) -> Result<&'h [u8]> {
        match self.left.next() {
            Some(Plain::List(found)) if *found == scalar => self.nested(scalar.size()).map_err(|error| self.in_param(error)),
            _ => Err(other("such a list")),
        }
    }

    /// What a pointer and a length refer to.
    #[inline]
    fn nested(&mut self, size: u32) -> Result<&'h [u8]> {
        let (pointer, len) = (self.word() as u32, self.word() as u32);
        let bytes = self.call.guest_memory().slice(pointer, len, size, size)?;
        self.size += bytes.len() as u64;
        // That of all arguments together.
        self.call.quota().charge(self.size)?;
        Ok(bytes)
    }

    /// The next core value.
    #[inline]
    fn word(&mut self) -> u64 {
        self.values += 1;
        raw_u64(self.call.raw, self.values - 1)
    }

    /// Names the parameter that was just taken.
    #[cold]
    fn in_param(&self, error: Error) -> Error {
        let params = &self.call.import.function.params;
        error.at(params[params.len() - self.left.len() - 1].name.clone())
    }
}

impl Function {
    /// Whether a host function can take its arguments by [`HostCall::plain_args`]: they are as
    /// those of a [plain](Function::is_plain) function, but for the object of a method.
    #[must_use]
    pub fn takes_plain(&self) -> bool {
        self.abi.plain.as_ref().is_some_and(|params| {
            let own = params.strip_prefix(&[Plain::HostObject]).filter(|_| self.is_method).unwrap_or(params);
            !own.iter().any(|param| matches!(param, Plain::Object | Plain::HostObject))
        })
    }
}

impl HostCall<'_> {
    /// Passes the arguments of a function that [has plain ones](Function::takes_plain) to what
    /// takes all of them.
    ///
    /// # Errors
    ///
    /// Those of the code, as of [`args`](HostCall::args); `type-mismatch` for a function that is
    /// not plain.
    #[inline]
    pub fn plain_args<R>(&mut self, take: impl FnOnce(&mut PlainArgs<'_, '_>) -> Result<R>) -> Result<R> {
        let Some(plain) = &self.import.function.abi.plain else { return Err(other("a plain argument")) };
        if let Some(memory) = self.store.data().guest.memory {
            // For its place, of which each argument asks.
            MemoryCache::write(memory, &mut self.store);
        }
        // Small, and without what each argument makes for itself: to move more would cost as much
        // as to take a number.
        let (left, values) = match &**plain {
            // The object of a method, which the host knows.
            [Plain::HostObject, own @ ..] => (own.iter(), 1),
            all => (all.iter(), 0),
        };
        match take(&mut PlainArgs { call: self, left, values, size: 0 }) {
            Ok(taken) => Ok(taken),
            Err(error) => Err(self.misfit(error)),
        }
    }

    /// Answers with a bool, a number or a duration, as [`PlainCall::number`] takes it.
    ///
    /// # Errors
    ///
    /// `type-mismatch` for a function with another result.
    ///
    /// [`PlainCall::number`]: crate::host::PlainCall::number
    #[inline]
    pub fn answer_number(&mut self, bytes: u64) -> Result<()> {
        let result = &self.import.function.abi.result;
        let Some(Plain::Number(kind)) = result.plain else { return Err(other("a number").at(" -> result")) };
        let value = flatten(kind, bytes);
        if result.flat.is_some() {
            self.raw[0].write(ValRaw::u64(value));
            self.later.answered = true;
            return Ok(());
        }
        self.answer_in_area(&value.to_le_bytes()[..kind.size()])
    }

    /// Answers with text.
    ///
    /// # Errors
    ///
    /// `type-mismatch` for a function with another result, or with JSON, which has to be checked.
    #[inline]
    pub fn answer_text(&mut self, text: &str) -> Result<()> {
        let Some(Plain::Text) = self.import.function.abi.result.plain else { return Err(other("text").at(" -> result")) };
        let Some(address) = self.place_text(text)? else {
            return self.answer_text_in_block(text);
        };
        let mut words = [0; 8];
        words[..4].copy_from_slice(&address.to_le_bytes());
        // It has been placed, so that it has fewer than 2³² bytes.
        words[4..].copy_from_slice(&(text.len() as u32).to_le_bytes());
        self.answer_in_area(&words)
    }

    /// The same where guest code has to find room for it.
    #[cold]
    #[inline(never)]
    fn answer_text_in_block(&mut self, text: &str) -> Result<()> {
        self.answer_by(|_, block: &mut Block<'_>, at| block.put_str(at, text))
    }

    /// Copies text to the guest, if no guest code has to run to find room; returns its address.
    #[inline]
    fn place_text(&mut self, text: &str) -> Result<Option<u32>> {
        let Ok(size) = u32::try_from(text.len()) else { return Ok(None) };
        if size == 0 {
            return Ok(Some(0));
        }
        let guest = self.store.data().guest;
        let memory = MemoryCache::write(guest.memory()?, &mut self.store);
        let address = guest.take_from_arena(memory, size)?;
        if let Some(address) = address {
            let at = address as usize;
            memory[at..at + text.len()].copy_from_slice(text.as_bytes());
        }
        Ok(address)
    }

    /// Answers with a value in the guest's return area, as the success of a function that can fail.
    #[inline]
    fn answer_in_area(&mut self, value: &[u8]) -> Result<()> {
        /// A discriminant and a text.
        const MOST: usize = 16;
        let result = &self.import.function.abi.result;
        let (at, mut head) = (result.value_offset as usize, [0; MOST]);
        head[at..at + value.len()].copy_from_slice(value);
        self.put_result(&head[..result.size as usize])?;
        self.later.answered = true;
        Ok(())
    }
}

#[cold]
fn other(wanted: &str) -> Error {
    Error::new(ErrorKind::TypeMismatch, format!("the function has no {wanted} there"))
}
