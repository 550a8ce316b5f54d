//! What implementations of the traits use: places in memory, and checks of records and enums.

use crate::abi::block::Block;
use crate::abi::lift::{self, lift_list};
use crate::abi::memory::{self, GuestMemory};
use crate::abi::quota::Quota;
use crate::error::{Error, ErrorKind, Result};
use crate::interface::{Type, TypeKind, names, round_up};

use super::{FromGuest, GuestType, ToGuest, mismatch};

/// How several values lie one behind the other, as the fields of a record do.
#[derive(Clone, Copy, Debug)]
pub struct Layout<const N: usize> {
    /// Bytes of all of them.
    pub size: u32,
    /// Their alignment.
    pub align: u32,
    /// Where each begins.
    pub offsets: [u32; N],
}

impl<const N: usize> Layout<N> {
    /// The layout of parts with these sizes and alignments.
    #[must_use]
    pub const fn of(parts: [(u32, u32); N]) -> Layout<N> {
        let mut layout = Layout { size: 0, align: 1, offsets: [0; N] };
        let mut i = 0;
        while i < N {
            let (size, align) = parts[i];
            layout.offsets[i] = round_up(layout.size, align);
            layout.size = layout.offsets[i] + size;
            if align > layout.align {
                layout.align = align;
            }
            i += 1;
        }
        layout.size = round_up(layout.size, layout.align);
        layout
    }
}

/// Where values are written: memory of the host that is copied to the guest as a whole.
pub struct Writer<'b, 'a> {
    block: &'b mut Block<'a>,
}

impl<'b, 'a> Writer<'b, 'a> {
    #[inline]
    pub(crate) fn new(block: &'b mut Block<'a>) -> Self {
        Writer { block }
    }

    #[inline]
    pub(super) fn block(&mut self) -> &mut Block<'a> {
        self.block
    }

    /// Writes a number's little-endian bytes.
    #[inline]
    pub fn put<const N: usize>(&mut self, at: u32, bytes: [u8; N]) {
        self.block.put(at, bytes);
    }

    /// Writes the field of that name to its place.
    ///
    /// # Errors
    ///
    /// Those of [`ToGuest::lower`], with the name in their path.
    #[inline]
    pub fn field<T: ToGuest + ?Sized>(&mut self, name: &str, value: &'a T, at: u32) -> Result<()> {
        value.lower(self, at).map_err(|error| error.at(format!(".{name}")))
    }

    /// Writes the number of a case of the enum `T`.
    #[inline]
    pub fn case<T: GuestType>(&mut self, case: u32, at: u32) {
        let bytes = case.to_le_bytes();
        match T::SIZE {
            1 => self.put(at, [bytes[0]]),
            2 => self.put(at, [bytes[0], bytes[1]]),
            _ => self.put(at, bytes),
        }
    }
}

/// Where values are read: the guest's memory, while the guest does not run.
#[derive(Clone, Copy)]
pub struct Reader<'m> {
    memory: GuestMemory<'m>,
    quota: &'m Quota<'m>,
    bytes: &'m [u8],
}

impl<'m> Reader<'m> {
    #[inline]
    pub(crate) fn new(memory: GuestMemory<'m>, bytes: &'m [u8], quota: &'m Quota<'m>) -> Self {
        Reader { memory, quota, bytes }
    }

    #[inline]
    pub(super) fn bytes(&self) -> &'m [u8] {
        self.bytes
    }

    #[inline]
    pub(super) fn quota(&self) -> &'m Quota<'m> {
        self.quota
    }

    /// The elements that the pointer and the length at that place denote, and their number.
    #[inline]
    pub(super) fn elements(&self, size: u32, align: u32, at: u32) -> Result<(Reader<'m>, usize)> {
        let (bytes, len) = lift_list(self.memory, size, align, self.bytes, at)?;
        self.quota.note_read(bytes.len());
        Ok((Reader { bytes, ..*self }, len))
    }

    /// The text at that place, which lies in the guest's memory.
    ///
    /// # Errors
    ///
    /// `trap` for an invalid place, `type-mismatch` for text that is not UTF-8, `out-of-memory` for
    /// more than one value may have.
    #[inline]
    pub fn text(&self, at: u32) -> Result<&'m str> {
        let (text, len) = self.elements(1, 1, at)?;
        self.quota.charge(len as u64)?;
        lift::utf8(text.bytes)
    }

    /// Reads the field of that name at its place.
    ///
    /// # Errors
    ///
    /// Those of [`FromGuest::lift`], with the name in their path.
    #[inline]
    pub fn field<T: FromGuest>(&self, name: &str, at: u32) -> Result<T> {
        T::lift(*self, at).map_err(|error| error.at(format!(".{name}")))
    }

    /// The number of a case of the enum `T`.
    #[inline]
    #[must_use]
    pub fn case<T: GuestType>(&self, at: u32) -> u32 {
        match T::SIZE {
            1 => memory::read_u8(self.bytes, at).into(),
            2 => memory::read_u16(self.bytes, at).into(),
            _ => memory::read_u32(self.bytes, at),
        }
    }
}

/// The error for a number that is no case of an enum.
#[cold]
#[must_use]
pub fn no_case(case: u32) -> Error {
    lift::no_case(case).of_no_value()
}

/// A check of a part's type.
type Check = fn(&Type) -> Result<()>;

/// Checks that the struct `T` stands for a type, by the names and the checks of its fields.
///
/// # Errors
///
/// `signature-mismatch`, which says what differs.
pub fn check_record<T: ?Sized>(ty: &Type, fields: &[(&str, Check)]) -> Result<()> {
    let TypeKind::Record(record) = &ty.kind else { return Err(mismatch::<T>(ty)) };
    let wanted = record.fields.iter().map(|field| field.name.as_str());
    same_names::<T>(&record.name, "fields", wanted, fields.iter().map(|(name, _)| *name))?;
    for (field, (_, check)) in record.fields.iter().zip(fields) {
        check(&field.ty).map_err(|error| error.at(format!(".{}", field.name)))?;
    }
    Ok(())
}

/// Checks that the enum `T` stands for a type, by the names of its cases.
///
/// # Errors
///
/// As [`check_record`].
pub fn check_enum<T: ?Sized>(ty: &Type, cases: &[&str]) -> Result<()> {
    let TypeKind::Enum(found) = &ty.kind else { return Err(mismatch::<T>(ty)) };
    same_names::<T>(&found.name, "cases", found.cases.iter().map(|(name, _)| name.as_str()), cases.iter().copied())
}

fn same_names<'a, T: ?Sized>(
    name: &str,
    what: &str,
    wanted: impl ExactSizeIterator<Item = &'a str> + Clone,
    given: impl ExactSizeIterator<Item = &'a str> + Clone,
) -> Result<()> {
    let is_same = wanted.len() == given.len() && wanted.clone().zip(given.clone()).all(|(wanted, given)| names::means(given, wanted));
    if is_same {
        return Ok(());
    }
    let (wanted, given) = (names::listed(wanted), names::listed(given));
    let text = format!("the {what} of {name} are, in this order, {wanted}; those of {} are {given}", std::any::type_name::<T>());
    Err(Error::new(ErrorKind::SignatureMismatch, text))
}
