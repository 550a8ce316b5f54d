//! Calls of functions whose parameters are numbers, text and lists of numbers, which are copied
//! straight between the struct of the arguments and the guest.

use std::ffi::c_void;
use std::ptr;

use undergo::Result;
use undergo::host::{PlainArgs, PlainCall};
use undergo::interface::{Function, Scalar};

use crate::arena::{Arena, copy_text};
use crate::boundary::bytes;
use crate::handles::ResourceHandle;
use crate::layout::{Kind, Layout};
use crate::types::{List, Text};

/// A parameter, and its offset in the struct of the arguments.
pub(crate) struct Param {
    offset: usize,
    way: Way,
    /// Of a list.
    scalar: Scalar,
}

/// How a parameter is read.
#[derive(Clone, Copy)]
enum Way {
    /// A number of that many bits.
    Bits8,
    Bits16,
    Bits32,
    Bits64,
    Text,
    List,
    Handle,
}

/// The parameters of a function that can be called in this way. `None` for others.
pub(crate) fn params(function: &Function, items: &[(usize, Layout)]) -> Option<Vec<Param>> {
    let param = |(offset, layout): &(usize, Layout)| {
        let (way, scalar) = match &layout.kind {
            Kind::Bool | Kind::Scalar(_) | Kind::Duration => (Way::number(layout)?, Scalar::U8),
            Kind::Text => (Way::Text, Scalar::U8),
            Kind::Handle => (Way::Handle, Scalar::U8),
            Kind::List(item) => match item.kind {
                Kind::Scalar(scalar) => (Way::List, scalar),
                _ => return None,
            },
            _ => return None,
        };
        Some(Param { offset: *offset, way, scalar })
    };
    if function.is_plain_with_objects() || function.takes_plain() { items.iter().map(param).collect() } else { None }
}

impl Way {
    fn number(layout: &Layout) -> Option<Way> {
        Some(match layout.size {
            1 => Way::Bits8,
            2 => Way::Bits16,
            4 => Way::Bits32,
            8 => Way::Bits64,
            _ => return None,
        })
    }
}

/// Passes the arguments to the call. `None` if one is invalid: the general way then reports why.
///
/// # Safety
///
/// `args` points to the struct of the function's arguments, or is NULL.
#[inline]
pub(crate) unsafe fn fill<'a>(call: &mut PlainCall<'_, 'a>, params: &'a [Param], args: *const c_void) -> Option<()> {
    if args.is_null() && !params.is_empty() {
        return None;
    }
    for param in params {
        let at = args.cast::<u8>().wrapping_add(param.offset);
        // SAFETY: the caller's promise; structs are aligned, and those of a caller who packed them
        // are read as well.
        let given = unsafe {
            match param.way {
                Way::Bits8 => call.number(at.read().into()),
                Way::Bits16 => call.number(at.cast::<u16>().read_unaligned().into()),
                Way::Bits32 => call.number(at.cast::<u32>().read_unaligned().into()),
                Way::Bits64 => call.number(at.cast::<u64>().read_unaligned()),
                Way::Text => {
                    let List { ptr, len } = at.cast::<List>().read_unaligned();
                    call.text(undergo::host::text(bytes(ptr, len).ok()?).ok()?)
                }
                Way::Handle => call.object(&at.cast::<*const ResourceHandle>().read_unaligned().as_ref()?.core),
                Way::List => {
                    let List { ptr, len } = at.cast::<List>().read_unaligned();
                    call.list(param.scalar, bytes(ptr, len.checked_mul(param.scalar.size() as usize)?).ok()?)
                }
            }
        };
        given.ok()?;
    }
    Some(())
}

/// Fills the struct of a host function's arguments, whose texts and lists are copied to the arena.
///
/// # Safety
///
/// There is room for the struct whose fields `params` describes.
#[inline]
pub(crate) unsafe fn take(args: &mut PlainArgs<'_, '_>, params: &[Param], at: *mut u8, arena: &mut Arena) -> Result<()> {
    for param in params {
        let at = at.wrapping_add(param.offset);
        match param.way {
            Way::Text => {
                let text = copy_text(arena, args.text()?.as_bytes())?;
                // SAFETY: the caller's promise.
                unsafe { at.cast::<Text>().write(text) };
            }
            Way::List => {
                let list = copy_list(arena, args.list(param.scalar)?, param.scalar.size() as usize)?;
                // SAFETY: as above.
                unsafe { at.cast::<List>().write(list) };
            }
            // SAFETY: as above.
            number => unsafe { Number(number).write(at, args.number()?) },
        }
    }
    Ok(())
}

/// Copies elements of that size, which is also their alignment.
fn copy_list(arena: &mut Arena, elements: &[u8], size: usize) -> Result<List> {
    if elements.is_empty() {
        return Ok(List { ptr: ptr::null(), len: 0 });
    }
    let copy = arena.alloc(elements.len(), size)?.as_ptr();
    // SAFETY: there is room for as many bytes, and it is new.
    unsafe { ptr::copy_nonoverlapping(elements.as_ptr(), copy, elements.len()) };
    Ok(List { ptr: copy, len: elements.len() / size })
}

/// How a result is written.
#[derive(Clone, Copy)]
pub(crate) struct Number(Way);

impl Number {
    /// Of a result that is a number. `None` for others.
    pub(crate) fn of(layout: &Layout) -> Option<Number> {
        match layout.kind {
            Kind::Bool | Kind::Scalar(_) | Kind::Duration => Way::number(layout).map(Number),
            _ => None,
        }
    }

    /// Writes a result: the lowest bytes of a number.
    ///
    /// # Safety
    ///
    /// There is room for a value of the layout that this is of.
    #[inline]
    pub(crate) unsafe fn write(self, at: *mut u8, number: u64) {
        // SAFETY: the caller's promise.
        unsafe {
            match self.0 {
                Way::Bits8 => at.write(number as u8),
                Way::Bits16 => at.cast::<u16>().write_unaligned(number as u16),
                Way::Bits32 => at.cast::<u32>().write_unaligned(number as u32),
                _ => at.cast::<u64>().write_unaligned(number),
            }
        }
    }

    /// Reads the result of a host function.
    ///
    /// # Safety
    ///
    /// A value of the layout lies there that this is of.
    #[inline]
    pub(crate) unsafe fn read(self, at: *const u8) -> u64 {
        // SAFETY: the caller's promise.
        unsafe {
            match self.0 {
                Way::Bits8 => at.read().into(),
                Way::Bits16 => at.cast::<u16>().read_unaligned().into(),
                Way::Bits32 => at.cast::<u32>().read_unaligned().into(),
                _ => at.cast::<u64>().read_unaligned(),
            }
        }
    }
}
