//! Exports and imports: describing and calling them.

use std::cell::RefCell;
use std::ffi::{CString, c_char, c_void};
use std::ptr;
use std::sync::Arc;

use undergo::host::{Arguments, Outcome, ToValue};
use undergo::interface::Function;
use undergo::{Error, ErrorKind, Result, Value};

use crate::arena::{Arena, copy_text, text_alone};
use crate::boundary::{borrow, c_text, give, null};
use crate::handles::Alive;
use crate::layout::{Kind, Layout};
use crate::lift::Filling;
use crate::lower::Place;
use crate::shape::Shape;
use crate::types::Text;
use crate::values::ValueHandle;

/// An export or an import of a plugin, as texts, which live as long as the plugin's handle.
#[repr(C)]
pub struct FunctionValue {
    /// The interface that an import belongs to; NULL for an export.
    pub interface: *const c_char,
    /// The name in WIT.
    pub name: *const c_char,
    /// The signature in WIT: `greet(p: person, shout: bool) -> result<string, string>`.
    pub signature: *const c_char,
    /// The doc comment of the Go source; may be empty.
    pub docs: *const c_char,
}

/// A function as a generated header knows it, for calls with structs. Undergo compares the digest
/// before it reads a struct.
#[repr(C)]
pub struct SignatureValue {
    /// The interface that an import belongs to; NULL for an export.
    pub interface: *const c_char,
    /// The name in WIT.
    pub name: *const c_char,
    /// The signature in WIT.
    pub signature: *const c_char,
    /// The digest of the signature and the types in it.
    pub digest: u64,
    /// The number of the export when the header was generated. If it differs by now, each call has
    /// to search for it.
    pub number: u32,
}

/// The texts of a function.
pub(crate) struct Described {
    interface: Option<CString>,
    name: CString,
    signature: CString,
    docs: CString,
}

impl Described {
    pub(crate) fn new(interface: Option<&str>, function: &Function) -> Described {
        Described {
            interface: interface.map(c_text),
            name: c_text(&function.name),
            signature: c_text(&function.to_string()),
            docs: c_text(&function.docs),
        }
    }

    pub(crate) fn value(&self) -> FunctionValue {
        let interface = self.interface.as_ref().map_or(ptr::null(), |name| name.as_ptr());
        FunctionValue { interface, name: self.name.as_ptr(), signature: self.signature.as_ptr(), docs: self.docs.as_ptr() }
    }
}

/// Finds the export, or the member of a resource, that a header means, by its number, or by its
/// name where the plugin has got more exports since: its number, and how it lies in C.
#[inline]
pub(crate) fn find<'p>(plugin: &'p undergo::Plugin, wanted: &SignatureValue) -> Result<(usize, &'p Shape)> {
    let number = wanted.number as usize;
    match plugin.function(number).and_then(|function| Shape::of(function)) {
        Some(shape) if shape.digest == wanted.digest => Ok((number, shape)),
        _ => search(plugin, wanted),
    }
}

#[cold]
fn search<'p>(plugin: &'p undergo::Plugin, wanted: &SignatureValue) -> Result<(usize, &'p Shape)> {
    // SAFETY: a signature of a generated header has texts.
    let name = unsafe { crate::boundary::text(wanted.name, "the name of a signature") }?;
    let all = (0..).map_while(|number| Some((number, plugin.function(number)?)));
    let found = { all }.find(|(_, function)| function.name == name);
    match found {
        Some((number, function)) if function.digest() == wanted.digest => Ok((number, Shape::of(function).ok_or_else(foreign)?)),
        found => Err(mismatch(&mismatched(wanted, found.map(|(_, function)| &**function))?)),
    }
}

/// What to say of a function that is not the one of the header.
pub(crate) fn mismatched(wanted: &SignatureValue, found: Option<&Function>) -> Result<String> {
    // SAFETY: a signature of a generated header has texts.
    let (name, signature) = unsafe {
        (crate::boundary::text(wanted.name, "the name of a signature")?, crate::boundary::text(wanted.signature, "a signature")?)
    };
    Ok(match found.map(ToString::to_string) {
        None => format!("it has no {name}, which the header has as {signature}"),
        Some(found) if found == signature => format!("the types of {signature} are others than in the header"),
        Some(found) => format!("it has {found}, and the header has {signature}"),
    })
}

/// The error for what does not fit the header.
#[cold]
pub(crate) fn mismatch(what: &str) -> Error {
    Error::new(ErrorKind::SignatureMismatch, format!("the header was generated for another plugin: {what}; run 'undergo bindgen' again"))
}

/// Lowers the struct of a function's arguments.
///
/// # Safety
///
/// `args` points to the struct of the arguments of the function, or is NULL for a function without.
#[inline]
pub(crate) unsafe fn lower_struct<'a>(arguments: &mut Arguments<'_, 'a>, shape: &'a Shape, args: *const c_void) -> Result<()> {
    if args.is_null() && !shape.params.items.is_empty() {
        return Err(null("args"));
    }
    for (i, (offset, layout)) in shape.params.items.iter().enumerate() {
        // SAFETY: the caller's promise.
        let place = unsafe { Place::new(args.cast::<u8>().wrapping_add(*offset), layout) };
        arguments.lower(i, &place)?;
    }
    Ok(())
}

#[cold]
pub(crate) fn foreign() -> Error {
    Error::new(ErrorKind::HostError, "the plugin is in use by another host of this process")
}

/// Where the result of a call goes.
pub(crate) struct Target<'s> {
    shape: &'s Shape,
    at: *mut u8,
    arena: *mut *mut Arena,
    /// Where nested data goes first.
    scratch: *mut u8,
    scratch_len: usize,
    /// The instance that gives handles.
    giver: Option<&'s Arc<Alive>>,
}

impl<'s> Target<'s> {
    /// # Safety
    ///
    /// `result` is a place for the function's result, `arena` NULL or a place for a pointer.
    #[inline]
    pub(crate) unsafe fn new(shape: &'s Shape, result: *mut c_void, arena: *mut *mut Arena) -> Result<Target<'s>> {
        if !arena.is_null() {
            // SAFETY: the caller's promise.
            unsafe { arena.write(ptr::null_mut()) };
        }
        if shape.result.is_some() && result.is_null() {
            return Err(null("result"));
        }
        if shape.has_nested && arena.is_null() {
            return Err(null("arena"));
        }
        Ok(Target { shape, at: result.cast(), arena, scratch: ptr::null_mut(), scratch_len: 0, giver: None })
    }

    /// Takes handles of the objects of that instance.
    #[inline]
    pub(crate) fn with_handles_of(self, giver: Option<&'s Arc<Alive>>) -> Target<'s> {
        Target { giver, ..self }
    }

    /// Has nested data lie in a place of the caller's as far as it has room.
    ///
    /// # Safety
    ///
    /// `scratch` is NULL, or there is room for `len` bytes, which nobody else uses until the result
    /// was read.
    #[inline]
    pub(crate) unsafe fn with_scratch(self, scratch: *mut c_void, len: usize) -> Target<'s> {
        let (scratch, scratch_len) = if scratch.is_null() { (ptr::null_mut(), 0) } else { (scratch.cast(), len) };
        Target { scratch, scratch_len, ..self }
    }

    /// Fills a result that is a text.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "what was called is then not moved")]
    fn lift_text(&self, outcome: Outcome<'_, '_>) -> Result<()> {
        let lifted = outcome.text(|text| {
            let (text, arena) = if text.len() < self.scratch_len {
                // SAFETY: the promise of `with_scratch`.
                (copy_text(&mut unsafe { Arena::over(self.scratch, self.scratch_len) }, text.as_bytes())?, ptr::null_mut())
            } else {
                text_alone(text.as_bytes())?
            };
            // SAFETY: the promise of `new`; a result that points to something has a place for its
            // arena.
            unsafe {
                self.at.cast::<Text>().write(text);
                self.arena.write(arena);
            }
            Ok(())
        });
        if lifted.is_err() {
            // SAFETY: as above.
            unsafe { self.at.cast::<Text>().write(Text { ptr: ptr::null(), len: 0 }) };
        }
        lifted
    }

    /// Fills the result.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "what was called is then not moved")]
    pub(crate) fn lift(&self, outcome: Outcome<'_, '_>) -> Result<()> {
        if let Some(way) = self.shape.number
            && let Some(number) = outcome.number()
        {
            // SAFETY: the promise of `new`; the result is a number.
            unsafe { way.write(self.at, number) };
            return Ok(());
        }
        let layout = self.shape.result.as_ref();
        if let Some(Layout { kind: Kind::Text, .. }) = layout {
            return self.lift_text(outcome);
        }
        const NOTHING: &Layout = &Layout { size: 1, align: 1, kind: Kind::Bool };
        // SAFETY: the promise of `with_scratch`.
        let arena = RefCell::new(unsafe { Arena::over(self.scratch, self.scratch_len) });
        // SAFETY: the promise of `new`; where there is no result, nothing is written.
        let filling = unsafe { Filling::value(layout.unwrap_or(NOTHING), self.at, &arena) }.with_handles_of(self.giver);
        let filled = outcome.lift(&filling);
        match (filled, layout) {
            (Ok(()), _) => {
                if !self.arena.is_null() {
                    // SAFETY: the promise of `new`.
                    unsafe { self.arena.write(arena.into_inner().into_handle()) };
                }
                Ok(())
            }
            (Err(error), layout) => {
                filling.take_back();
                if let Some(layout) = layout {
                    // What was filled so far points to memory that is gone.
                    // SAFETY: the promise of `new`.
                    unsafe { self.at.write_bytes(0, layout.size) };
                }
                Err(error)
            }
        }
    }
}

/// Reads an array of values.
///
/// # Safety
///
/// `args` points to `count` pointers to live values.
pub(crate) unsafe fn values<'a>(args: *const *const ValueHandle, count: usize) -> Result<Vec<&'a Value>> {
    if count == 0 {
        return Ok(Vec::new());
    }
    if args.is_null() {
        return Err(null("args"));
    }
    // SAFETY: the caller's promise.
    (0..count).map(|i| unsafe { borrow(*args.add(i), &format!("args[{i}]")) }.map(|value: &ValueHandle| &value.0)).collect()
}

/// Lifts a result to a value, for C to own.
///
/// # Safety
///
/// `result` is NULL, or a place for a pointer.
pub(crate) unsafe fn lift_value(outcome: Outcome<'_, '_>, result: *mut *mut ValueHandle) -> Result<()> {
    let value = outcome.lift(&ToValue)?;
    if !result.is_null() {
        // SAFETY: the caller's promise.
        unsafe { result.write(give(ValueHandle(value))) };
    }
    Ok(())
}
