//! A call on its way: its arguments until it runs, its result until it is lifted.

use std::ptr;

use wasmtime::ValRaw;

use crate::abi::block::Block;
use crate::abi::lift::{Lift, Lifting, lift_list};
use crate::abi::lower::Lower;
use crate::abi::memory::{self, GuestMemory};
use crate::abi::quota::Quota;
use crate::error::{Error, ErrorKind, Result};
use crate::guest::state::enter;
use crate::instance::running::{Entered, Running, stale};
use crate::interface::Function;
use crate::plugin::{Compiled, Plugin};
use crate::wasi::sockets::denials::Denials;

/// A result of more bytes than this is released as soon as it is lifted; a smaller one when the export is called again.
pub(crate) const RELEASE_FROM: u64 = 16 << 10;

impl Plugin {
    /// Begins a call of the export of that number (see [`export`](Plugin::export)), of any instance of this plugin.
    ///
    /// # Errors
    ///
    /// `unknown-export` for a number that is none.
    #[inline]
    pub fn arguments<'a>(&self, export: usize) -> Result<Arguments<'_, 'a>> {
        Arguments::begin(self.compiled(), export)
    }
}

/// The arguments of a call, lowered one by one into memory of the host.
///
/// `'p` is the plugin's, `'a` that of the data which the arguments lend.
pub struct Arguments<'p, 'a> {
    plugin: &'p Compiled,
    export: usize,
    function: &'p Function,
    pub(crate) block: Block<'a>,
}

impl<'p, 'a> Arguments<'p, 'a> {
    #[inline]
    pub(crate) fn begin(plugin: &'p Compiled, export: usize) -> Result<Self> {
        let found = plugin.exports.get(export);
        let Some(found) = found else { return Err(no_export(export)) };
        Ok(Arguments::of(plugin, export, &found.function))
    }

    #[inline(always)]
    #[expect(clippy::inline_always, reason = "arguments are then made in their place: to move them costs as much as to lower them")]
    pub(crate) fn of(plugin: &'p Compiled, export: usize, function: &'p Function) -> Self {
        Arguments { plugin, export, function, block: Block::begin(function.abi.params.size) }
    }

    /// The function that will be called.
    #[must_use]
    pub fn function(&self) -> &'p Function {
        self.function
    }

    /// Checks the number of arguments.
    ///
    /// # Errors
    ///
    /// `type-mismatch` that shows the signature.
    pub fn expect(&self, given: usize) -> Result<()> {
        expect_count(self.function, given)
    }

    /// Lowers the argument of that number. One that is left out is what zero bytes mean: an option without a value, an empty string.
    ///
    /// # Errors
    ///
    /// `type-mismatch` with the path of the value that does not fit.
    #[inline]
    pub fn lower<V: Lower<'a>>(&mut self, number: usize, value: &V) -> Result<()> {
        lower_param(self.function, &mut self.block, number, value)
    }

    /// Lowers all of them.
    ///
    /// # Errors
    ///
    /// `type-mismatch` when they are too many or too few, or one does not fit.
    pub fn lower_all<V: Lower<'a>>(&mut self, values: impl ExactSizeIterator<Item = V>) -> Result<()> {
        self.expect(values.len())?;
        values.enumerate().try_for_each(|(i, value)| self.lower(i, &value))
    }

    /// Runs the call on an instance that `enter` waits for.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "what was called is then not moved")]
    pub(crate) fn call_in<'i>(&mut self, running: &'i Running, enter: impl FnOnce() -> Result<Entered<'i>>) -> Result<Returned<'i>> {
        let plugin = running.seed.plugin.compiled();
        if !ptr::eq(plugin, self.plugin) {
            return Err(foreign(self.plugin, plugin));
        }
        // What can't be placed in any guest is the caller's mistake, and does the instance no harm.
        let with_head = self.function.abi.spilled;
        self.block.placed_size(with_head)?;
        let (export, function) = (self.export, &*plugin.exports[self.export].function);
        let mut returned = Returned { entered: enter()?, function, export, result: 0 };
        let called = returned.entered.call(export, function, &mut self.block);
        returned.result = called.inspect_err(|error| running.life.kill(error))?;
        returned.entered.store().data_mut().refusals.check(function)?;
        Ok(returned)
    }
}

#[cold]
pub(crate) fn no_export(export: usize) -> Error {
    Error::new(ErrorKind::UnknownExport, format!("there is no export number {export}"))
}

#[cold]
fn foreign(wanted: &Compiled, found: &Compiled) -> Error {
    let text = format!("the arguments are for a call of {}, and the instance is one of {}", wanted.name, found.name);
    Error::new(ErrorKind::UnknownExport, text)
}

/// Checks the number of arguments.
pub(crate) fn expect_count(function: &Function, given: usize) -> Result<()> {
    let wanted = function.params.len();
    if given == wanted {
        return Ok(());
    }
    let text = format!("takes {wanted} argument{}, got {given}: {function}", if wanted == 1 { "" } else { "s" });
    Err(Error::new(ErrorKind::TypeMismatch, text).in_function(&function.name))
}

/// Lowers the argument of that number into its place.
#[inline]
pub(crate) fn lower_param<'a, V: Lower<'a>>(function: &Function, block: &mut Block<'a>, number: usize, value: &V) -> Result<()> {
    let Some(param) = function.params.get(number) else { return expect_count(function, number + 1) };
    let offset = function.abi.params.offsets[number];
    block.lower(&param.ty, value, offset).map_err(|error| error.at(param.name.clone()).in_function(&function.name))
}

/// A result that still lies in the guest. The instance is held, by this thread, until it is lifted or dropped.
pub struct Returned<'i> {
    pub(crate) entered: Entered<'i>,
    pub(crate) function: &'i Function,
    pub(crate) export: usize,
    /// The core value.
    pub(crate) result: u64,
}

impl<'i> Returned<'i> {
    /// Lifts the result.
    ///
    /// # Errors
    ///
    /// `guest-error` when the Go function returned an error; `trap` when the guest gave what can't be, after which it is dead;
    /// `type-mismatch` for text that is not UTF-8, and whatever the host's own code says.
    #[inline]
    pub fn lift<L: Lift>(mut self, lift: &L) -> Result<L::Value> {
        self.outcome().lift(lift)
    }

    /// The result, to be lifted where it is.
    #[inline]
    pub fn outcome(&mut self) -> Outcome<'_, 'i> {
        Outcome(self)
    }

    #[inline(always)]
    #[expect(clippy::inline_always, reason = "what was called is then not moved")]
    pub(crate) fn lift_with<R>(&mut self, lift: impl FnOnce(&Function, GuestMemory<'_>, &[u8], &Quota<'_>) -> Result<R>) -> Result<R> {
        if self.entered.is_stale() {
            return Err(stale());
        }
        let state = self.entered.store_ref().data();
        let quota = Quota::within(state.max_value, &state.wasi.budget);
        let lifted = read_result(self.function, || self.entered.data(), self.result, &quota, lift);
        let read = quota.read();
        self.finish(lifted, read)
    }

    /// Does what remains when a result was lifted, or could not be. So many bytes of nested data were read.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "two tests")]
    pub(crate) fn finish<R>(&mut self, lifted: Result<R>, read: u64) -> Result<R> {
        match lifted {
            Ok(value) => {
                if read >= RELEASE_FROM {
                    self.release()?;
                }
                Ok(value)
            }
            Err(error) => Err(self.failed(error, read)),
        }
    }

    /// What became of a result that can't be lifted.
    #[cold]
    fn failed(&mut self, error: Error, read: u64) -> Error {
        let error = self.entered.store().data_mut().refusals.explain(error);
        let error = in_result(error, self.function, &self.entered.running.seed.denials);
        if ends(&error) {
            self.entered.running.life.kill(&error);
        } else if read >= RELEASE_FROM
            && let Err(ended) = self.release()
        {
            return ended;
        }
        error
    }

    /// Lets the guest free the result.
    #[cold]
    fn release(&mut self) -> Result<()> {
        let Some(post) = self.entered.store_ref().data().exports[self.export].1 else { return Ok(()) };
        let mut raw = [ValRaw::u64(self.result)];
        enter(self.entered.store(), post, &mut raw).inspect_err(|error| self.entered.running.life.kill(error))
    }
}

/// Whether an error in reading a result ends the instance. A guest that gives what can't be is not to be trusted with another call; and one
/// whose time is over can't be told any more that its result may go.
pub(crate) fn ends(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Trap | ErrorKind::Timeout | ErrorKind::Cancelled)
}

/// The result of a call, on loan: to hand it over costs nothing.
pub struct Outcome<'r, 'i>(pub(crate) &'r mut Returned<'i>);

impl Outcome<'_, '_> {
    /// Lifts the result: see [`Returned::lift`].
    ///
    /// # Errors
    ///
    /// As there.
    #[inline]
    pub fn lift<L: Lift>(self, lift: &L) -> Result<L::Value> {
        self.0.lift_with(|function, memory, bytes, quota| lift_value(lift, function, memory, bytes, quota))
    }
}

/// Reads what a call gave: `raw` is the core result, and `data` the guest's memory.
#[inline(always)]
#[expect(clippy::inline_always, reason = "as `lift_with`, for which it is most of the work")]
pub(crate) fn read_result<'m, R>(
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
        crate::abi::block::store(&mut bytes, slot, raw).map_err(|error| match &function.result {
            Some(ty) => error.at(ty.step_to(slot.offset - layout.value_offset)),
            None => error,
        })?;
        return lift(function, GuestMemory::new(&[]), &bytes, quota);
    }
    let (memory, bytes) = find_result(function, data, raw, quota)?;
    lift(function, memory, bytes, quota)
}

/// The return area of a call that did not fail, and the memory that it lies in.
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
            1 => return Err(guest_error(memory, bytes, layout.value_offset, quota).unwrap_or_else(|error| error)),
            other => return Err(no_case(other)),
        }
    }
    Ok((memory, bytes))
}

#[cold]
fn no_case(discriminant: u8) -> Error {
    Error::new(ErrorKind::Trap, format!("the guest gave the discriminant {discriminant}, which has no case"))
}

/// The error that the Go function returned. What is not UTF-8 in its text is replaced: who looks for the error should not find another one.
#[cold]
fn guest_error(memory: GuestMemory<'_>, bytes: &[u8], at: u32, quota: &Quota<'_>) -> Result<Error> {
    let (text, len) = lift_list(memory, 1, 1, bytes, at)?;
    quota.note_read(len);
    // An error's text is kept once here, and once by the host.
    quota.charge(2 * len as u64)?;
    Ok(Error::new(ErrorKind::GuestError, String::from_utf8_lossy(text)))
}

/// Lifts a result with the host's own conversion.
#[inline]
pub(crate) fn lift_value<L: Lift>(
    lift: &L,
    function: &Function,
    memory: GuestMemory<'_>,
    bytes: &[u8],
    quota: &Quota<'_>,
) -> Result<L::Value> {
    match &function.result {
        None => lift.none(),
        Some(ty) => Lifting::new(memory, lift, quota).value(ty, bytes, function.abi.result.value_offset),
    }
}

/// Says which function gave a result that can't be read; and of an error of the guest's own, what it was denied before.
pub(crate) fn in_result(error: Error, function: &Function, denials: &Denials) -> Error {
    match error.kind() {
        ErrorKind::GuestError => error.with_denied(denials.take_last()),
        _ => error.at(" -> result").in_function(&function.name),
    }
}
