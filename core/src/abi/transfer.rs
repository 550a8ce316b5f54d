//! From one guest's memory to another's, by way of a block of the host's: no value of the host's is
//! made in between.

use super::block::Block;
use super::lift::{lift_bool, lift_case, lift_json, lift_list, lift_some, lift_time, utf8};
use super::memory::GuestMemory;
use super::quota::Quota;
use crate::error::{Error, ErrorKind, Result};
use crate::interface::{MapType, TupleType, Type, TypeKind, VariantType};

/// A walk over what one guest gives, which checks it as a [`Lift`](crate::host::Lift) for a host
/// would, and copies it for another guest with the same types.
pub(crate) struct Transfer<'m, 'q> {
    memory: GuestMemory<'m>,
    quota: &'q Quota<'q>,
}

impl<'m, 'q> Transfer<'m, 'q> {
    pub(crate) fn new(memory: GuestMemory<'m>, quota: &'q Quota<'q>) -> Self {
        Transfer { memory, quota }
    }

    /// Copies the value at `at` in `bytes`, which lies within by the type's layout, to the place
    /// `to` of the block.
    pub(crate) fn value(&self, ty: &Type, bytes: &[u8], at: u32, block: &mut Block<'static>, to: u32) -> Result<()> {
        match &ty.kind {
            TypeKind::Bool => {
                lift_bool(bytes, at)?;
                copy(ty, bytes, at, block, to);
            }
            TypeKind::Scalar(_) | TypeKind::Duration => copy(ty, bytes, at, block, to),
            TypeKind::Time => {
                lift_time(bytes, at)?;
                copy(ty, bytes, at, block, to);
            }
            TypeKind::Enum(cases) => {
                lift_case(ty.size, cases.cases.len(), bytes, at)?;
                copy(ty, bytes, at, block, to);
            }
            TypeKind::String => block.put_str(to, self.text(bytes, at)?)?,
            TypeKind::Json => {
                let text = lift_json(self.text(bytes, at)?)?;
                block.put_str(to, text)?;
            }
            TypeKind::Variant(variant) => self.variant(variant, bytes, at, block, to)?,
            TypeKind::Option(inner) => {
                if lift_some(bytes, at)? {
                    block.put(to, [1]);
                    let offset = inner.some_offset();
                    self.value(inner, bytes, at + offset, block, to + offset)?;
                }
            }
            TypeKind::List(item) => self.list(ty, item, bytes, at, block, to)?,
            TypeKind::Map(map) => self.map(map, bytes, at, block, to)?,
            TypeKind::Tuple(tuple) => self.tuple(tuple, bytes, at, block, to)?,
            TypeKind::Record(record) => {
                for (field, offset) in record.fields.iter().zip(&record.layout.offsets) {
                    self.value(&field.ty, bytes, at + offset, block, to + offset).map_err(|error| error.at(format!(".{}", field.name)))?;
                }
            }
            // Whoever links functions refuses those with handles.
            TypeKind::Own(_) | TypeKind::Borrow(_) => {
                return Err(Error::new(ErrorKind::TypeMismatch, "a handle belongs to one instance, and can't be passed to another"));
            }
        }
        Ok(())
    }

    /// The elements of a list, which count as so many bytes of the host's: overlapping lists of a
    /// guest may be far more than its memory.
    fn elements(&self, size: u32, align: u32, bytes: &[u8], at: u32) -> Result<(&'m [u8], usize)> {
        let (items, len) = lift_list(self.memory, size, align, bytes, at)?;
        self.quota.note_read(items.len());
        // Items without a size take time.
        self.quota.charge(items.len().max(len) as u64)?;
        Ok((items, len))
    }

    fn text(&self, bytes: &[u8], at: u32) -> Result<&'m str> {
        utf8(self.elements(1, 1, bytes, at)?.0)
    }

    fn list(&self, ty: &Type, item: &Type, bytes: &[u8], at: u32, block: &mut Block<'static>, to: u32) -> Result<()> {
        let (items, len) = self.elements(item.size, item.align, bytes, at)?;
        if !ty.takes(len) {
            return Err(Error::new(ErrorKind::TypeMismatch, format!("the guest gave a list of {len} items for {ty}")));
        }
        let target = block.reserve(len, item.size, item.align)?;
        if let TypeKind::Scalar(_) | TypeKind::Duration = item.kind {
            block.put_bytes(target, items);
        } else {
            for i in 0..len {
                self.step(i)?;
                let place = i as u32 * item.size;
                self.value(item, items, place, block, target + place).map_err(|error| error.at(format!("[{i}]")))?;
            }
        }
        block.put_list(to, target, len);
        Ok(())
    }

    fn map(&self, map: &MapType, bytes: &[u8], at: u32, block: &mut Block<'static>, to: u32) -> Result<()> {
        let (entries, len) = self.elements(map.entry.size, map.entry.align, bytes, at)?;
        let target = block.reserve(len, map.entry.size, map.entry.align)?;
        for i in 0..len {
            self.step(i)?;
            let place = i as u32 * map.entry.size;
            self.tuple(&map.entry, entries, place, block, target + place).map_err(|error| error.at(format!("[entry {i}]")))?;
        }
        block.put_list(to, target, len);
        Ok(())
    }

    fn tuple(&self, tuple: &TupleType, bytes: &[u8], at: u32, block: &mut Block<'static>, to: u32) -> Result<()> {
        for (i, (item, offset)) in tuple.items.iter().zip(&tuple.offsets).enumerate() {
            self.value(item, bytes, at + offset, block, to + offset).map_err(|error| error.at(format!("[{i}]")))?;
        }
        Ok(())
    }

    fn variant(&self, variant: &VariantType, bytes: &[u8], at: u32, block: &mut Block<'static>, to: u32) -> Result<()> {
        let number = lift_case(variant.tag, variant.cases.len(), bytes, at)?;
        let case = &variant.cases[number as usize];
        block.put_case(to, variant.tag, number);
        let Some(ty) = &case.ty else { return Ok(()) };
        let offset = variant.payload;
        self.value(ty, bytes, at + offset, block, to + offset).map_err(|error| error.at(format!(".{}", case.name)))
    }

    /// Checks now and then whether the call should go on.
    fn step(&self, i: usize) -> Result<()> {
        const LOOK_EVERY: usize = 4096;
        if i % LOOK_EVERY == LOOK_EVERY - 1 { self.quota.look() } else { Ok(()) }
    }
}

/// Copies a value that has no nested data.
fn copy(ty: &Type, bytes: &[u8], at: u32, block: &mut Block<'static>, to: u32) {
    let at = at as usize;
    block.put_bytes(to, &bytes[at..at + ty.size as usize]);
}
