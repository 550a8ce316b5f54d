//! Calls whose arguments are numbers, text and lists of numbers: they go to the guest without a block in between.

use wasmtime::ValRaw;

use crate::abi::lift::{lift_list, too_large, utf8};
use crate::call::{Outcome, Returned, expect_count, no_export};
use crate::config::CallOptions;
use crate::error::{Error, ErrorKind, Result};
use crate::instance::Instance;
use crate::interface::{Function, Scalar, SlotKind, Type, TypeKind, round_up};
use crate::running::Entered;
use crate::state::enter;

/// The most parameters of a function that is called in this way. More are rare, and clearing room for them would cost the others.
pub const MAX_PLAIN_PARAMS: usize = 4;

/// Text and lists are two core values, a pointer and a length. The result takes the place of the first.
const MOST_VALUES: usize = 2 * MAX_PLAIN_PARAMS;

/// The most bytes of nested data: a guest's memory has at most 4 GiB, and the sum of two such numbers fits.
const MOST_BYTES: u32 = u32::MAX / 2 - 16;

/// An argument as it lies in the host's memory.
#[derive(Clone, Copy, Debug)]
pub enum Argument<'a> {
    /// A bool, a number or a duration: its own bytes as they lie in little-endian memory, in the lowest bytes of this number. Those above are ignored. A bool is
    /// true unless it is 0.
    Number(u64),
    /// Text, also of JSON.
    Text(&'a str),
    /// A list of such numbers, little-endian, as its bytes.
    List(Scalar, &'a [u8]),
}

impl<'a> Argument<'a> {
    /// The nested bytes, what they are aligned to, and the size of an element.
    #[inline]
    fn nested(self) -> Option<(&'a [u8], u32)> {
        match self {
            Argument::Number(_) => None,
            Argument::Text(text) => Some((text.as_bytes(), 1)),
            Argument::List(scalar, bytes) => Some((bytes, scalar.size())),
        }
    }

    /// Whether a parameter of that type takes it.
    #[inline]
    fn fits(self, ty: &Type) -> bool {
        match (self, &ty.kind) {
            (Argument::Number(_), TypeKind::Bool | TypeKind::Scalar(_) | TypeKind::Duration)
            | (Argument::Text(_), TypeKind::String | TypeKind::Json) => true,
            (Argument::List(scalar, bytes), TypeKind::List(item)) => {
                matches!(item.kind, TypeKind::Scalar(wanted) if wanted == scalar) && bytes.len().is_multiple_of(scalar.size() as usize)
            }
            _ => false,
        }
    }
}

impl Function {
    /// Whether [`Instance::call_plain`] can call it: its parameters, [`MAX_PLAIN_PARAMS`] at most, are bools, numbers, durations, text, JSON and lists of numbers.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.params.len() <= MAX_PLAIN_PARAMS
            && self.params.iter().all(|param| match &param.ty.kind {
                TypeKind::Bool | TypeKind::Scalar(_) | TypeKind::Duration | TypeKind::String | TypeKind::Json => true,
                TypeKind::List(item) => matches!(item.kind, TypeKind::Scalar(_)),
                _ => false,
            })
    }
}

impl Instance {
    /// Calls an export with such arguments: see [`Function::is_plain`]. `then` gets the result.
    ///
    /// # Errors
    ///
    /// `unknown-export` for a number that is none; `type-mismatch` for arguments that are not those of the function; `busy`, `dead-instance`, whatever ends the guest, and the errors of
    /// `then`.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "what was called is then not moved")]
    pub fn call_plain<R>(
        &self,
        export: usize,
        args: &[Argument<'_>],
        options: &CallOptions,
        then: impl FnOnce(Outcome<'_, '_>) -> Result<R>,
    ) -> Result<R> {
        let running = self.running();
        let Some(found) = running.seed.plugin.compiled().exports.get(export) else { return Err(no_export(export)) };
        let function = &*found.function;
        let Some(size) = nested_size(function, args) else { return Err(misfit(function, args)) };
        let mut returned = Returned { entered: running.enter(options)?, function, export, result: ValRaw::u64(0) };
        let called = returned.entered.call_plain(export, function, args, size);
        returned.result = called.inspect_err(|error| running.life.kill(error))?;
        then(Outcome(&mut returned))
    }
}

impl Outcome<'_, '_> {
    /// The result of a function that gives a number, a bool or a duration, and can't fail: its bytes in the lowest bytes of a number, zeros above. `None` for any other function.
    #[must_use]
    #[inline]
    pub fn number(&self) -> Option<u64> {
        let slot = self.0.function.abi.result.flat?;
        let is_number = matches!(self.0.function.result.as_ref()?.kind, TypeKind::Bool | TypeKind::Scalar(_) | TypeKind::Duration);
        (is_number && !self.0.entered.is_stale()).then(|| lift(slot.kind, self.0.result.get_u64()))
    }

    /// Whether [`text`](Outcome::text) lifts the result.
    #[must_use]
    #[inline]
    pub fn is_text(&self) -> bool {
        self.0.function.result.as_ref().is_some_and(|ty| matches!(ty.kind, TypeKind::String | TypeKind::Json))
    }

    /// Lifts the result of a function that gives text: lends it to `then`, while it lies in the guest's memory. As [`lift`](Outcome::lift), for hosts that do nothing else with it than to copy it.
    ///
    /// # Errors
    ///
    /// Those of [`lift`](Outcome::lift), and of `then`; `type-mismatch` for a function that gives something else.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "what was called is then not moved")]
    pub fn text<R>(self, then: impl FnOnce(&str) -> Result<R>) -> Result<R> {
        let is_text = self.is_text();
        self.0.lift_with(|function, memory, bytes, max| {
            if !is_text {
                return (Err(Error::new(ErrorKind::TypeMismatch, "the result is no text")), 0);
            }
            let found = lift_list(memory, 1, 1, bytes, function.abi.result.value_offset);
            let (text, len) = match found {
                Ok((_, len)) if len as u64 > max => return (Err(too_large(max)), 0),
                Ok((bytes, len)) => (utf8(bytes), len as u64),
                Err(error) => return (Err(error), 0),
            };
            (text.and_then(then), len)
        })
    }
}

impl Entered<'_> {
    /// `size` is that of the nested data.
    #[inline]
    fn call_plain(&mut self, export: usize, function: &Function, args: &[Argument<'_>], size: u32) -> Result<ValRaw> {
        let store = self.store();
        let (func, guest) = (store.data().exports[export].0, store.data().guest);
        let slots = &function.abi.slots;
        // Room for what there is: to clear it for the most would cost as much as to fill it.
        let (mut few, mut most);
        let raw = if slots.len() <= 4 {
            few = [ValRaw::u64(0); 4];
            &mut few[..slots.len().max(1)]
        } else {
            most = [ValRaw::u64(0); MOST_VALUES];
            &mut most[..slots.len()]
        };
        let mut fill = |base: u32, target: &mut [u8]| {
            let (mut end, mut core) = (0, 0);
            for arg in args {
                if let Argument::Number(bytes) = *arg {
                    raw[core] = ValRaw::u64(lower(slots[core].kind, bytes));
                    core += 1;
                } else if let Some((bytes, unit)) = arg.nested() {
                    // `nested_size` counts the same.
                    let start = round_up(end, unit);
                    end = start + bytes.len() as u32;
                    target[start as usize..end as usize].copy_from_slice(bytes);
                    raw[core] = ValRaw::u32(base + start);
                    raw[core + 1] = ValRaw::u32(bytes.len() as u32 / unit);
                    core += 2;
                }
            }
        };
        if size == 0 {
            fill(0, &mut []);
        } else {
            guest.fill_room(store, size, fill)?;
        }
        enter(store, func, raw)?;
        Ok(raw[0])
    }
}

/// The bytes that nested data takes. `None` when the arguments are not those of the function, or too large.
#[inline]
fn nested_size(function: &Function, args: &[Argument<'_>]) -> Option<u32> {
    if args.len() != function.params.len() || args.len() > MAX_PLAIN_PARAMS {
        return None;
    }
    let mut size = 0;
    for (arg, param) in args.iter().zip(&function.params) {
        if !arg.fits(&param.ty) {
            return None;
        }
        if let Some((bytes, unit)) = arg.nested() {
            let len = u32::try_from(bytes.len()).ok().filter(|&len| len <= MOST_BYTES)?;
            size = round_up(size, unit) + len;
            if size > MOST_BYTES {
                return None;
            }
        }
    }
    Some(size)
}

/// Why [`nested_size`] gave none.
#[cold]
fn misfit(function: &Function, args: &[Argument<'_>]) -> Error {
    if let Err(error) = expect_count(function, args.len()) {
        return error;
    }
    let misfit = args.iter().zip(&function.params).find(|(arg, param)| !arg.fits(&param.ty));
    let error = match misfit {
        Some((arg, param)) => {
            let found = match arg {
                Argument::Number(_) => "a number",
                Argument::Text(_) => "text",
                Argument::List(..) => "a list of numbers",
            };
            Error::new(ErrorKind::TypeMismatch, format!("expected {}, got {found}", param.ty)).at(param.name.clone())
        }
        None if args.len() > MAX_PLAIN_PARAMS => {
            Error::new(ErrorKind::TypeMismatch, format!("has more than {MAX_PLAIN_PARAMS} parameters, and can't be called in this way"))
        }
        None => Error::new(ErrorKind::TypeMismatch, "the arguments are too large: together they have 2 GiB at most"),
    };
    error.in_function(&function.name)
}

/// Bytes in memory as a core value: canonical flattening extends narrow numbers to 32 bits.
#[inline]
fn lower(kind: SlotKind, bytes: u64) -> u64 {
    match kind {
        SlotKind::Bool => u64::from(bytes as u8 != 0),
        SlotKind::S8 => u64::from(i32::from(bytes as i8) as u32),
        SlotKind::S16 => u64::from(i32::from(bytes as i16) as u32),
        SlotKind::U8 | SlotKind::Case8 => u64::from(bytes as u8),
        SlotKind::U16 | SlotKind::Case16 => u64::from(bytes as u16),
        SlotKind::I32 | SlotKind::F32 => u64::from(bytes as u32),
        SlotKind::I64 | SlotKind::F64 => bytes,
    }
}

/// The reverse. What a guest gives above a number's own bits is ignored, as the canonical ABI has it.
#[inline]
fn lift(kind: SlotKind, raw: u64) -> u64 {
    match kind {
        SlotKind::Bool => u64::from(raw as u32 != 0),
        SlotKind::S8 | SlotKind::U8 | SlotKind::Case8 => u64::from(raw as u8),
        SlotKind::S16 | SlotKind::U16 | SlotKind::Case16 => u64::from(raw as u16),
        SlotKind::I32 | SlotKind::F32 => u64::from(raw as u32),
        SlotKind::I64 | SlotKind::F64 => raw,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn narrow_numbers_are_extended_and_cut_off() {
        for (kind, bytes, raw) in [
            (SlotKind::Bool, 0x1_00, 0),
            (SlotKind::Bool, 2, 1),
            (SlotKind::S8, 0xff, 0xffff_ffff),
            (SlotKind::U8, 0x7_ff, 0xff),
            (SlotKind::S16, 0x1_8000, 0xffff_8000),
            (SlotKind::U16, 0x1_8000, 0x8000),
            (SlotKind::I32, 0x5_0000_0001, 1),
            (SlotKind::F64, u64::MAX, u64::MAX),
        ] {
            assert_eq!(lower(kind, bytes), raw, "{kind:?}");
        }
        for (kind, raw, bytes) in [
            (SlotKind::Bool, 1 << 40 | 6, 1),
            (SlotKind::Bool, 1 << 40, 0),
            (SlotKind::S8, 0xffff_ffff, 0xff),
            (SlotKind::U16, 0x1_8000, 0x8000),
            (SlotKind::F32, u64::MAX, 0xffff_ffff),
            (SlotKind::I64, u64::MAX, u64::MAX),
        ] {
            assert_eq!(lift(kind, raw), bytes, "{kind:?}");
        }
    }
}
