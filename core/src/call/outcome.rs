//! The result of a call, which is still in the guest's memory.

use wasmtime::StoreContextMut;

use crate::abi::block;
use crate::abi::chain::{lift_chain, lift_text};
use crate::abi::lift::{Lift, Lifting};
use crate::abi::memory::{self, GuestMemory};
use crate::abi::quota::Quota;
use crate::error::{Error, ErrorKind, Result};
use crate::guest::memory_cache::MemoryCache;
use crate::guest::state::State;
use crate::interface::Function;
use crate::sched::driver::Driver;
use crate::wasi::sockets::denials::Denials;

/// A result of more bytes than this is released as soon as it is lifted; a smaller one by the next
/// call of the export.
const RELEASE_FROM: u64 = 16 << 10;

/// The result of a call, borrowed by what lifts it. The instance stays locked meanwhile.
pub struct Outcome<'r, 'c> {
    pub(crate) driver: Driver,
    pub(crate) store: &'r mut StoreContextMut<'c, State>,
    pub(crate) function: &'r Function,
    pub(crate) export: usize,
    /// The core value.
    pub(crate) raw: u64,
}

impl Outcome<'_, '_> {
    /// Lifts the result.
    ///
    /// # Errors
    ///
    /// `guest-error` if the Go function returned an error; `trap` for an invalid representation,
    /// after which the guest is dead; `type-mismatch` for text that is not UTF-8; and the errors of
    /// the host's own code.
    #[inline]
    pub fn lift<L: Lift>(self, lift: &L) -> Result<L::Value> {
        self.lift_with(|function, memory, bytes, quota| match &function.result {
            None => lift.none(),
            Some(ty) => {
                let lifting = Lifting::new(memory, lift, quota);
                lifting.value(ty, bytes, function.abi.result.value_offset)
            }
        })
    }

    #[inline(always)]
    #[expect(clippy::inline_always, reason = "what was called is then not moved")]
    pub(crate) fn lift_with<R>(self, lift: impl FnOnce(&Function, GuestMemory<'_>, &[u8], &Quota<'_>) -> Result<R>) -> Result<R> {
        let quota = self.quota();
        let lifted = read_result(self.function, || self.memory(), self.raw, &quota, lift);
        let read = quota.read();
        self.finish(lifted, read)
    }

    /// What it may cost the host.
    #[inline]
    pub(crate) fn quota(&self) -> Quota<'_> {
        let state = self.store.data();
        let quota = match self.driver {
            Driver::Direct => Quota::within(state.max_value, &state.wasi.budget),
            Driver::Fiber => Quota::within_limits(state.max_value, &state.wasi.budget),
        };
        quota.with_handles(&state.handles, self.function.result.as_ref())
    }

    /// The guest's memory.
    #[inline]
    pub(crate) fn memory(&self) -> Result<&[u8]> {
        Ok(MemoryCache::read(self.store.data().guest.memory()?, &*self.store))
    }

    /// Finishes after a result was lifted, or could not be. `read` bytes of nested data were read.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "two tests")]
    pub(crate) fn finish<R>(self, lifted: Result<R>, read: u64) -> Result<R> {
        if read >= RELEASE_FROM {
            self.store.data_mut().release =
                self.store.data().exports.get(self.export).and_then(|export| export.1).map(|post| (post, self.raw));
        }
        match lifted {
            Ok(value) => Ok(value),
            Err(error) => Err(self.failed(error)),
        }
    }

    /// How a call ends whose result can't be lifted.
    #[cold]
    fn failed(self, error: Error) -> Error {
        let state = self.store.data_mut();
        let error = state.refusals.explain(error);
        let error = in_result(error, self.function, &state.wasi.sockets.access.denials);
        if ends(&error) {
            state.release = None;
            state.life.kill(&error);
        }
        error
    }
}

/// Whether an error in reading a result ends the instance. A guest with an invalid result can't be
/// trusted with another call, and one whose time is over can't be told any more to release its
/// result.
fn ends(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Trap | ErrorKind::Timeout | ErrorKind::Cancelled)
}

/// Reads the result of a call: `raw` is the core result, and `data` the guest's memory.
#[inline(always)]
#[expect(clippy::inline_always, reason = "as `lift_with`, for which it is most of the work")]
fn read_result<'m, R>(
    function: &Function,
    data: impl FnOnce() -> Result<&'m [u8]>,
    raw: u64,
    quota: &Quota<'_>,
    lift: impl FnOnce(&Function, GuestMemory<'_>, &[u8], &Quota<'_>) -> Result<R>,
) -> Result<R> {
    let layout = &function.abi.result;
    if layout.size == 0 {
        return lift(function, GuestMemory::new(&[]), &[], quota);
    }
    if let Some(slot) = layout.flat {
        let mut bytes = [0; 8];
        block::store(&mut bytes, slot, raw).map_err(|error| match &function.result {
            Some(ty) => error.at(ty.step_to(slot.offset - layout.value_offset)),
            None => error,
        })?;
        return lift(function, GuestMemory::new(&[]), &bytes, quota);
    }
    let (memory, bytes) = find_result(function, data, raw, quota)?;
    lift(function, memory, bytes, quota)
}

/// The return area of a call that did not fail, and the memory that contains it.
#[inline(always)]
#[expect(clippy::inline_always, reason = "as `read_result`")]
pub(crate) fn find_result<'m>(
    function: &Function,
    data: impl FnOnce() -> Result<&'m [u8]>,
    raw: u64,
    quota: &Quota<'_>,
) -> Result<(GuestMemory<'m>, &'m [u8])> {
    let layout = &function.abi.result;
    let memory = GuestMemory::new(data()?);
    let bytes = memory.slice(raw as u32, 1, layout.size, layout.align)?;
    if function.fallible {
        match memory::read_u8(bytes, 0) {
            0 => {}
            1 => return Err(guest_error(function, memory, bytes, quota).unwrap_or_else(|error| error)),
            other => return Err(no_case(other)),
        }
    }
    Ok((memory, bytes))
}

#[cold]
fn no_case(discriminant: u8) -> Error {
    Error::new(ErrorKind::Trap, format!("the guest gave the discriminant {discriminant}, which has no case"))
}

/// The error that the Go function returned.
#[cold]
fn guest_error(function: &Function, memory: GuestMemory<'_>, bytes: &[u8], quota: &Quota<'_>) -> Result<Error> {
    let at = function.abi.result.value_offset;
    match &function.errors {
        Some(errors) => lift_chain(errors, memory, bytes, at, quota),
        None => Ok(Error::new(ErrorKind::GuestError, lift_text(memory, bytes, at, quota)?)),
    }
}

/// Adds the function whose result can't be read and, to the guest's own error, what it was denied
/// before.
fn in_result(error: Error, function: &Function, denials: &Denials) -> Error {
    match error.kind() {
        ErrorKind::GuestError => error.with_denied(denials.take_last()),
        _ => error.at(" -> result").in_function(&function.name),
    }
}
