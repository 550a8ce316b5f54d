//! What implementations of the traits use: places in memory, and checks of records, enums and
//! variants.

use std::any::type_name;
use std::ptr;
use std::sync::Arc;

use crate::abi::block::Block;
use crate::abi::handles::{Handle, HostObject, Typed};
use crate::abi::lift::{self, lift_list};
use crate::abi::memory::{self, GuestMemory};
use crate::abi::quota::Quota;
use crate::error::{Error, ErrorKind, Result};
use crate::interface::{Case, Function, ResourceType, Shape, Side, Type, TypeKind, discriminant_size, names, round_up};

use super::once::once;
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

/// How the cases of an enum or a variant lie in memory: a number, and behind it the value of one of
/// them.
#[derive(Clone, Copy, Debug)]
pub struct Cases {
    /// Bytes of the largest.
    pub size: u32,
    /// Their alignment.
    pub align: u32,
    /// Bytes of the number.
    pub number: u32,
    /// Where a value begins.
    pub value: u32,
}

impl Cases {
    /// The layout of so many cases, of which some have values with these sizes and alignments.
    #[must_use]
    pub const fn of<const N: usize>(count: usize, values: [(u32, u32); N]) -> Cases {
        let number = discriminant_size(count);
        let (mut size, mut align) = (0, 1);
        let mut i = 0;
        while i < N {
            if values[i].0 > size {
                size = values[i].0;
            }
            if values[i].1 > align {
                align = values[i].1;
            }
            i += 1;
        }
        let value = round_up(number, align);
        if number > align {
            align = number;
        }
        Cases { size: round_up(value + size, align), align, number, value }
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

    /// Writes the value of the case of that name to its place.
    ///
    /// # Errors
    ///
    /// Those of [`ToGuest::lower`], with the name in their path.
    #[inline]
    pub fn value<T: ToGuest + ?Sized>(&mut self, case: &str, value: &'a T, at: u32) -> Result<()> {
        value.lower(self, at).map_err(|error| in_case(error, case))
    }

    /// Writes a handle of an object of the guest.
    pub fn handle(&mut self, handle: &Handle, at: u32) {
        self.block.pass_typed(at, Typed::Guest(handle.clone()));
    }

    /// Writes a handle of an object of the program's, for a resource of that name.
    pub fn object(&mut self, object: &HostObject, name: &'static str, at: u32) {
        self.object_of(object, Shape::Object, Some(name), at);
    }

    pub(crate) fn object_of(&mut self, object: &HostObject, shape: Shape, name: Option<&'static str>, at: u32) {
        self.block.pass_typed(at, Typed::Host(object.clone(), shape, name));
    }

    /// Writes the number of a case.
    #[inline]
    pub fn case(&mut self, cases: Cases, case: u32, at: u32) {
        self.block.put_case(at, cases.number, case);
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

    /// Reads the value of the case of that name at its place.
    ///
    /// # Errors
    ///
    /// Those of [`FromGuest::lift`], with the name in their path.
    #[inline]
    pub fn value<T: FromGuest>(&self, case: &str, at: u32) -> Result<T> {
        T::lift(*self, at).map_err(|error| in_case(error, case))
    }

    /// Reads a handle of an object of the guest, for a resource of that name. It is the reader's
    /// then.
    ///
    /// # Errors
    ///
    /// `trap` for a handle that the guest does not have.
    pub fn handle(&self, name: &str, at: u32) -> Result<Handle> {
        self.handle_of(&|resource| resource.shape == Shape::Object && names::means(name, &resource.name), at)
    }

    pub(crate) fn handle_of(&self, fits: &dyn Fn(&ResourceType) -> bool, at: u32) -> Result<Handle> {
        let number = memory::read_u32(self.bytes, at);
        let found = self.quota.handles().and_then(|(handles, ty)| Some((handles, ty.handle(fits)?.0)));
        let Some((handles, resource)) = found else {
            return Err(Error::new(ErrorKind::Trap, format!("the guest gave the handle {number} where it can give none")));
        };
        self.quota.charge(size_of::<Handle>() as u64)?;
        handles.give(resource, number)
    }

    /// Reads the number of a case.
    #[inline]
    #[must_use]
    pub fn case(&self, cases: Cases, at: u32) -> u32 {
        match cases.number {
            1 => memory::read_u8(self.bytes, at).into(),
            2 => memory::read_u16(self.bytes, at).into(),
            _ => memory::read_u32(self.bytes, at),
        }
    }
}

/// Adds a case to the path of an error, in the interface's spelling.
#[cold]
fn in_case(error: Error, case: &str) -> Error {
    error.at(format!(".{}", names::kebab(case)))
}

/// The error for a number that is no case of an enum or a variant.
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
pub fn check_record<T: GuestType + ?Sized>(ty: &Type, fields: &[(&str, Check)]) -> Result<()> {
    let TypeKind::Record(record) = &ty.kind else { return Err(mismatch::<T>(ty)) };
    let wanted = record.fields.iter().map(|field| field.name.as_str());
    same_names::<T>(&record.name, "fields", wanted, fields.iter().map(|(name, _)| *name))?;
    once::<T>(ty, Arc::as_ptr(record).addr(), || {
        let mut fields = record.fields.iter().zip(fields);
        fields.try_for_each(|(field, (_, check))| check(&field.ty).map_err(|error| error.at(format!(".{}", field.name))))
    })
}

/// Checks that the enum `T`, whose cases have no values, stands for a type, by the names of its
/// cases: for an enum, or for a variant whose cases have no values either.
///
/// # Errors
///
/// As [`check_record`].
pub fn check_enum<T: ?Sized>(ty: &Type, cases: &[&str]) -> Result<()> {
    match &ty.kind {
        TypeKind::Enum(found) => {
            same_names::<T>(&found.name, "cases", found.cases.iter().map(|(name, _)| name.as_str()), cases.iter().copied())
        }
        TypeKind::Variant(found) => {
            same_names::<T>(&found.name, "cases", found.cases.iter().map(|case| case.name.as_str()), cases.iter().copied())?;
            found.cases.iter().try_for_each(|case| check_case::<T>(case, None))
        }
        _ => Err(mismatch::<T>(ty)),
    }
}

/// Checks that the enum `T` stands for a type, by the names of its cases and the checks of their
/// values.
///
/// # Errors
///
/// As [`check_record`].
pub fn check_variant<T: GuestType + ?Sized>(ty: &Type, cases: &[(&str, Option<Check>)]) -> Result<()> {
    let names = cases.iter().map(|(name, _)| *name);
    match &ty.kind {
        TypeKind::Variant(found) => {
            same_names::<T>(&found.name, "cases", found.cases.iter().map(|case| case.name.as_str()), names)?;
            once::<T>(ty, Arc::as_ptr(found).addr(), || {
                found.cases.iter().zip(cases).try_for_each(|(case, (_, check))| check_case::<T>(case, *check))
            })
        }
        TypeKind::Enum(found) => {
            same_names::<T>(&found.name, "cases", found.cases.iter().map(|(name, _)| name.as_str()), names)?;
            match cases.iter().zip(&found.cases).find(|((_, check), _)| check.is_some()) {
                Some((_, (name, _))) => {
                    Err(differs(format!("{} is an enum, and this case of {} has a value", found.name, type_name::<T>()))
                        .at(format!(".{name}")))
                }
                None => Ok(()),
            }
        }
        _ => Err(mismatch::<T>(ty)),
    }
}

/// Checks that a type is a handle of a resource of that side and shape, and gives the resource.
pub(crate) fn check_handle<T: ?Sized>(ty: &Type, side: Side, shape: Shape) -> Result<&ResourceType> {
    match &ty.kind {
        TypeKind::Own(resource) | TypeKind::Borrow(resource) if resource.side == side && resource.shape == shape => Ok(resource),
        _ => Err(mismatch::<T>(ty)),
    }
}

/// Checks that `T` stands for the plugin's resource of that name.
///
/// # Errors
///
/// As [`check_record`].
pub fn check_resource<T: ?Sized>(ty: &Type, name: &str) -> Result<()> {
    let resource = check_handle::<T>(ty, Side::Guest, Shape::Object)?;
    if names::means(name, &resource.name) { Ok(()) } else { Err(mismatch::<T>(ty)) }
}

/// Checks that `T` stands for the resource of that name whose objects are the program's, by the
/// names and the checks of its methods.
///
/// # Errors
///
/// As [`check_record`].
pub fn check_object<T: GuestType + ?Sized>(ty: &Type, name: &str, methods: &[(&str, MethodCheck)]) -> Result<()> {
    let resource = check_handle::<T>(ty, Side::Host, Shape::Object)?;
    if !names::means(name, &resource.name) {
        return Err(mismatch::<T>(ty));
    }
    let wanted = resource.methods.iter().map(String::as_str);
    same_names::<T>(&resource.name, "methods", wanted, methods.iter().map(|(name, _)| *name))?;
    once::<T>(ty, ptr::from_ref(resource).addr(), || {
        methods.iter().enumerate().try_for_each(|(number, (_, check))| check_method(resource, number, *check))
    })
}

/// The error of a type that stands for objects of the program: no guest gives one.
#[cold]
#[must_use]
pub fn no_object() -> Error {
    Error::new(ErrorKind::Trap, "a plugin gives no objects of the program")
}

/// A check of a method.
pub type MethodCheck = fn(&Function) -> Result<()>;

/// Checks the method of that number.
pub(crate) fn check_method(resource: &ResourceType, number: usize, check: MethodCheck) -> Result<()> {
    match resource.function(number) {
        Some(function) => check(&function).map_err(|error| error.in_function(&function.name)),
        // Whoever checks has the interface.
        None => Err(differs(format!("the interface of {} has ended", resource.name))),
    }
}

/// Checks the value of a case.
fn check_case<T: ?Sized>(case: &Case, check: Option<Check>) -> Result<()> {
    let checked = match (&case.ty, check) {
        (Some(ty), Some(check)) => check(ty),
        (None, None) => Ok(()),
        (Some(ty), None) => Err(differs(format!("the plugin has {ty} here, and this case of {} has no value", type_name::<T>()))),
        (None, Some(_)) => Err(differs(format!("the plugin has no value here, and this case of {} has one", type_name::<T>()))),
    };
    checked.map_err(|error| error.at(format!(".{}", case.name)))
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
    Err(differs(format!("the {what} of {name} are, in this order, {wanted}; those of {} are {given}", type_name::<T>())))
}

#[cold]
fn differs(text: String) -> Error {
    Error::new(ErrorKind::SignatureMismatch, text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interface::{Scalar, VariantType};

    #[test]
    fn cases_lie_as_those_of_the_interface() {
        let scalar = |scalar| Type::new(TypeKind::Scalar(scalar));
        let (small, wide) = (scalar(Scalar::U16), scalar(Scalar::F64));
        for count in [1, 2, 256, 257, 65_536, 65_537] {
            for types in [[None, None], [Some(&small), None], [Some(&small), Some(&wide)], [Some(&Type::new(TypeKind::Time)), Some(&small)]]
            {
                let case = |ty: Option<&Type>| Case { name: String::new(), docs: String::new(), ty: ty.cloned() };
                let given = types.iter().copied().chain(std::iter::repeat(None)).take(count.max(2)).map(case);
                let variant = VariantType::new(String::new(), String::new(), given.collect());
                let cases = Cases::of(count.max(2), types.map(|ty| ty.map_or((0, 1), |ty| (ty.size, ty.align))));
                let found = (cases.number, cases.value, cases.size, cases.align);
                assert_eq!(found, (variant.tag, variant.payload, variant.size, variant.align), "{count} {types:?}");
            }
        }
        assert_eq!(Cases::of(300, []).size, 2);
    }
}
