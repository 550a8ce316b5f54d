//! Calls of functions whose parameters are numbers, text and lists of numbers: straight from the struct of the arguments to the guest.

use std::ffi::c_void;

use undergo::{Argument, MAX_PLAIN_PARAMS};

use crate::layout::{Kind, Layout, Shape};
use crate::lower::Place;

/// Room for the arguments of such a call.
pub(crate) type Room<'a> = [Argument<'a>; MAX_PLAIN_PARAMS];

/// Room that nothing is in yet.
pub(crate) const EMPTY: Room<'static> = [Argument::Number(0); MAX_PLAIN_PARAMS];

/// Reads the struct of the arguments. `None` for other functions, and where an argument is not what it should be: the way of all functions says why.
///
/// # Safety
///
/// `args` points to the struct of the function's arguments, or is NULL.
#[inline]
pub(crate) unsafe fn arguments<'r, 'a>(shape: &'a Shape, args: *const c_void, room: &'r mut Room<'a>) -> Option<&'r [Argument<'a>]> {
    let params = &*shape.params.items;
    if !shape.is_plain || args.is_null() && !params.is_empty() {
        return None;
    }
    let given = room.get_mut(..params.len())?;
    for (argument, (offset, layout)) in given.iter_mut().zip(params) {
        // SAFETY: the caller's promise.
        *argument = unsafe { read(args.cast::<u8>().wrapping_add(*offset), layout) }?;
    }
    Some(given)
}

/// # Safety
///
/// A value of that layout lies there.
#[inline]
unsafe fn read<'a>(at: *const u8, layout: &'a Layout) -> Option<Argument<'a>> {
    // SAFETY: the caller's promise; structs are aligned, and those of a caller who packed them are read as well.
    unsafe {
        Some(match &layout.kind {
            Kind::Bool | Kind::Scalar(_) | Kind::Duration => Argument::Number(match layout.size {
                1 => at.read().into(),
                2 => at.cast::<u16>().read_unaligned().into(),
                4 => at.cast::<u32>().read_unaligned().into(),
                _ => at.cast::<u64>().read_unaligned(),
            }),
            Kind::Text => Argument::Text(Place::new(at, layout).text().ok()?),
            Kind::List(item) => match item.kind {
                Kind::Scalar(scalar) => Argument::List(scalar, Place::new(at, layout).elements(item.size).ok()?.0),
                _ => return None,
            },
            _ => return None,
        })
    }
}

/// Writes a result: the lowest bytes of a number.
///
/// # Safety
///
/// There is room for a value of that layout, whose bytes are those of a number.
#[inline]
pub(crate) unsafe fn write(at: *mut u8, layout: &Layout, number: u64) {
    // SAFETY: the caller's promise.
    unsafe {
        match layout.size {
            1 => at.write(number as u8),
            2 => at.cast::<u16>().write_unaligned(number as u16),
            4 => at.cast::<u32>().write_unaligned(number as u32),
            _ => at.cast::<u64>().write_unaligned(number),
        }
    }
}
