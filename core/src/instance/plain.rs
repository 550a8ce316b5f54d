//! Calls whose arguments are numbers, text and lists of numbers, which are copied to the guest
//! without a block.

use wasmtime::ValRaw;

use crate::abi::flat::{flatten, unflatten};
use crate::abi::handles::Handle;
use crate::abi::json;
use crate::abi::lift::{lift_json, lift_list, utf8};
use crate::abi::quota::Quota;
use crate::call::flat::Flat;
use crate::call::invoke::Work;
use crate::call::outcome::{Outcome, find_result};
use crate::config::CallOptions;
use crate::error::{Error, ErrorKind, Result};
use crate::instance::Instance;
use crate::instance::arguments::{expect_count, no_export};
use crate::instance::running::{Running, Wait};
use crate::interface::{Function, MAX_PLAIN_PARAMS, Plain, Scalar, TypeKind, round_up};
use crate::sched::driver::{Driver, at_once};

/// Text and lists are two core values, a pointer and a length. The result takes the place of the
/// first.
const MOST_VALUES: usize = 2 * MAX_PLAIN_PARAMS;

/// The maximum size of nested data: a guest's memory has at most 4 GiB, and the sum of two such
/// numbers does not overflow.
const MOST_BYTES: u32 = u32::MAX / 2 - 16;

impl Function {
    /// Whether a [`PlainCall`] can call it: it has at most 4 parameters, which are bools, numbers,
    /// durations, text, JSON and lists of numbers.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.abi.plain.as_ref().is_some_and(|params| !params.iter().any(|param| matches!(param, Plain::Object | Plain::HostObject)))
    }

    /// The same, where objects of the guest's may be among the parameters, as in methods.
    #[must_use]
    pub fn is_plain_with_objects(&self) -> bool {
        self.abi.plain.as_ref().is_some_and(|params| !params.contains(&Plain::HostObject))
    }
}

impl Instance {
    /// Begins a call of the export of that number, whose arguments are lent from the host's memory.
    /// See [`Function::is_plain`].
    ///
    /// # Errors
    ///
    /// `unknown-export` for an invalid number; `type-mismatch` for a function that can't be called
    /// in this way.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "it is made in its place; to move it costs as much as to fill it")]
    pub fn plain_call<'a>(&self, export: usize) -> Result<PlainCall<'_, 'a>> {
        let running = self.running();
        let Some(found) = running.seed.plugin.compiled().exports.get(export) else { return Err(no_export(export)) };
        let function = &*found.function;
        let Some(plain) = &function.abi.plain else { return Err(not_plain(function)) };
        Ok(PlainCall {
            running,
            function,
            plain,
            export,
            raw: [ValRaw::u64(0); MOST_VALUES],
            nested: [&[]; MAX_PLAIN_PARAMS],
            places: [0; MAX_PLAIN_PARAMS],
            objects: [None; MAX_PLAIN_PARAMS],
            has_objects: false,
            params: 0,
            values: 0,
            lists: 0,
            size: 0,
        })
    }
}

/// A call in preparation: its arguments are given one after another, and then it runs.
pub struct PlainCall<'i, 'a> {
    running: &'i Running,
    function: &'i Function,
    plain: &'i [Plain],
    export: usize,
    /// The core values; for a text or a list, its offset in the nested data.
    raw: [ValRaw; MOST_VALUES],
    /// Texts and lists, each with the index of the core value that points to it.
    nested: [&'a [u8]; MAX_PLAIN_PARAMS],
    places: [u8; MAX_PLAIN_PARAMS],
    /// The parameters that are objects. Their core values are written when the call has begun:
    /// until then they may be closed.
    objects: [Option<&'a Handle>; MAX_PLAIN_PARAMS],
    has_objects: bool,
    /// How many there are of each.
    params: usize,
    values: usize,
    lists: usize,
    /// The bytes of the nested data.
    size: u32,
}

impl<'a> PlainCall<'_, 'a> {
    /// Adds a bool, a number or a duration, whose little-endian bytes are the lowest bytes of this
    /// number. Higher bytes are ignored. A bool is true unless it is 0.
    ///
    /// # Errors
    ///
    /// `type-mismatch` if the next parameter is none of these.
    #[inline]
    pub fn number(&mut self, bytes: u64) -> Result<()> {
        match (self.plain.get(self.params), self.raw.get_mut(self.values)) {
            (Some(Plain::Number(kind)), Some(raw)) => {
                *raw = ValRaw::u64(flatten(*kind, bytes));
                self.params += 1;
                self.values += 1;
                Ok(())
            }
            _ => Err(self.misfit("a number")),
        }
    }

    /// Adds an object of the guest's, which is borrowed.
    ///
    /// # Errors
    ///
    /// `type-mismatch` if the next parameter takes no object of this resource, or if its handle is
    /// closed.
    #[inline]
    pub fn object(&mut self, handle: &'a Handle) -> Result<()> {
        let param = self.function.params.get(self.params).map(|param| &param.ty.kind);
        let (Some(Plain::Object), Some(TypeKind::Borrow(resource))) = (self.plain.get(self.params), param) else {
            return Err(self.misfit("an object"));
        };
        handle.check(resource)?;
        self.objects[self.params] = Some(handle);
        self.has_objects = true;
        self.params += 1;
        self.values += 1;
        Ok(())
    }

    /// Writes the representations of the objects, whose passing has begun.
    #[inline]
    fn borrow_objects(&mut self) -> Result<()> {
        let mut value = 0;
        for (plain, object) in self.plain.iter().zip(self.objects) {
            if let Some(handle) = object {
                self.raw[value] = ValRaw::u32(handle.rep(&self.running.seed.handles)?);
            }
            value += if let Plain::Number(_) | Plain::Object | Plain::HostObject = plain { 1 } else { 2 };
        }
        Ok(())
    }

    /// Adds text, which may be JSON.
    ///
    /// # Errors
    ///
    /// `type-mismatch` if the next parameter takes no text, or if all arguments together have more
    /// than 2 GiB.
    #[inline]
    pub fn text(&mut self, text: &'a str) -> Result<()> {
        match self.plain.get(self.params) {
            Some(Plain::Text) => self.nest(text.as_bytes(), 1),
            Some(Plain::Json) => self.json(text),
            _ => Err(self.misfit("text")),
        }
    }

    fn json(&mut self, text: &'a str) -> Result<()> {
        match json::fault(text) {
            None => self.nest(text.as_bytes(), 1),
            Some(fault) => {
                let error = Error::new(ErrorKind::TypeMismatch, format!("the text is not JSON: {fault}"));
                Err(error.at(self.function.params[self.params].name.clone()).in_function(&self.function.name))
            }
        }
    }

    /// Adds a list of such numbers as its little-endian bytes.
    ///
    /// # Errors
    ///
    /// As [`text`](PlainCall::text); also for a number of bytes that is not a multiple of the size
    /// of one number.
    #[inline]
    pub fn list(&mut self, scalar: Scalar, bytes: &'a [u8]) -> Result<()> {
        match self.plain.get(self.params) {
            Some(Plain::List(wanted)) if *wanted == scalar && bytes.len().is_multiple_of(scalar.size() as usize) => {
                self.nest(bytes, scalar.size())
            }
            _ => Err(self.misfit("a list of numbers")),
        }
    }

    #[inline]
    fn nest(&mut self, bytes: &'a [u8], unit: u32) -> Result<()> {
        let start = round_up(self.size, unit);
        let len = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        let end = start.saturating_add(len);
        let value = self.values;
        let (Some([pointer, count, ..]), true) = (self.raw.get_mut(value..), end <= MOST_BYTES) else {
            return Err(too_large(self.function));
        };
        *pointer = ValRaw::u32(start);
        *count = ValRaw::u32(len / unit);
        self.nested[self.lists] = bytes;
        // One of eight.
        self.places[self.lists] = value as u8;
        self.size = end;
        self.params += 1;
        self.values += 2;
        self.lists += 1;
        Ok(())
    }

    /// Runs the call. `then` gets the result.
    ///
    /// # Errors
    ///
    /// `type-mismatch` if arguments are missing; `busy`, `dead-instance`, whatever ends the guest,
    /// and the errors of `then`.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "what was called is then not moved")]
    pub fn run<R>(&mut self, options: &CallOptions, then: impl FnOnce(Outcome<'_, '_>) -> Result<R>) -> Result<R> {
        if self.params != self.plain.len() {
            return expect_count(self.function, self.params).and(Err(too_large(self.function)));
        }
        match self.running.admit(options) {
            // Constructed in place: waiting for an entry would move it.
            Some(admitted) => {
                let (export, function) = (self.export, self.function);
                let mut entered = admitted.enter();
                if self.has_objects {
                    at_once(entered.begin_passing(Driver::Direct))?;
                    self.borrow_objects()?;
                }
                entered.call_here(export, function, self.work(), then)
            }
            None => self.run_slowly(options, then),
        }
    }

    #[cold]
    fn run_slowly<R>(&mut self, options: &CallOptions, then: impl FnOnce(Outcome<'_, '_>) -> Result<R>) -> Result<R> {
        let running = self.running;
        running.hold(async {
            let mut entered = running.enter(Wait::Thread, running.budget(options)).await?;
            if self.has_objects {
                entered.begin_passing(running.driver()).await?;
                self.borrow_objects()?;
            }
            let (export, function) = (self.export, self.function);
            entered.call(running.driver(), export, function, self.work(), then).await
        })
    }

    #[inline(always)]
    #[expect(clippy::inline_always, reason = "as `run`")]
    fn work(&mut self) -> Work<'_, 'static> {
        let raw = &mut self.raw[..self.values.max(1)];
        let flat = Flat { raw, nested: &self.nested[..self.lists], places: &self.places[..self.lists], size: self.size };
        Work::Flat(self.export, self.function, flat)
    }

    /// Why the next parameter does not take such a value.
    #[cold]
    fn misfit(&self, found: &str) -> Error {
        match self.function.params.get(self.params) {
            Some(param) => Error::new(ErrorKind::TypeMismatch, format!("expected {}, got {found}", param.ty))
                .at(param.name.clone())
                .in_function(&self.function.name),
            None => expect_count(self.function, self.params + 1).err().unwrap_or_else(|| too_large(self.function)),
        }
    }
}

#[cold]
fn not_plain(function: &Function) -> Error {
    let text = format!(
        "has more than {MAX_PLAIN_PARAMS} parameters, or some that are not numbers, text or lists of numbers, and can't be called in this way"
    );
    Error::new(ErrorKind::TypeMismatch, text).in_function(&function.name)
}

#[cold]
fn too_large(function: &Function) -> Error {
    Error::new(ErrorKind::TypeMismatch, "the arguments are too large: together they have 2 GiB at most").in_function(&function.name)
}

/// The position of a text that a call has returned.
#[inline(always)]
#[expect(clippy::inline_always, reason = "as `Outcome::text`")]
fn find_text<'r>(outcome: &'r Outcome<'_, '_>, quota: &Quota<'_>) -> Result<&'r str> {
    let function = outcome.function;
    let (memory, bytes) = find_result(function, || outcome.memory(), outcome.raw, quota)?;
    let (text, len) = lift_list(memory, 1, 1, bytes, function.abi.result.value_offset)?;
    quota.note_read(len);
    quota.charge(len as u64)?;
    let text = utf8(text)?;
    if function.result.as_ref().is_some_and(|ty| matches!(ty.kind, TypeKind::Json)) { lift_json(text) } else { Ok(text) }
}

impl Outcome<'_, '_> {
    /// The result of a function that returns a number, a bool or a duration, and can't fail, in the
    /// lowest bytes of a number, with zeros above. `None` for any other function.
    #[must_use]
    #[inline]
    pub fn number(&self) -> Option<u64> {
        self.function.abi.result.number.map(|kind| unflatten(kind, self.raw))
    }

    /// Lifts the result of a function that returns text, by lending it to `then` while it is in the
    /// guest's memory. As [`lift`](Outcome::lift), for hosts that only copy it.
    ///
    /// # Errors
    ///
    /// Those of [`lift`](Outcome::lift), and of `then`; `type-mismatch` for a function that returns
    /// something else.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "what was called is then not moved")]
    pub fn text<R>(self, then: impl FnOnce(&str) -> Result<R>) -> Result<R> {
        if !self.function.result.as_ref().is_some_and(|ty| matches!(ty.kind, TypeKind::String | TypeKind::Json)) {
            return Err(Error::new(ErrorKind::TypeMismatch, "the result is no text").at(" -> result").in_function(&self.function.name));
        }
        let quota = self.quota();
        let lifted = match find_text(&self, &quota) {
            Ok(text) => then(text),
            Err(error) => Err(error),
        };
        let read = quota.read();
        self.finish(lifted, read)
    }
}
