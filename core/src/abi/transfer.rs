//! From one guest's memory to another's, by way of a block of the host's: no value of the host's is
//! made in between.

use std::sync::Arc;

use super::block::Block;
use super::handles::{Handle, Handles, HostObject, Passed};
use super::lift::{lift_bool, lift_case, lift_json, lift_list, lift_some, lift_time, utf8};
use super::memory::{GuestMemory, read_u32};
use super::quota::Quota;
use crate::error::{Error, ErrorKind, Result};
use crate::interface::{MapType, ResourceType, Side, TupleType, Type, TypeKind, VariantType};

/// A walk over what one guest gives, which checks it as a [`Lift`](crate::host::Lift) for a host
/// would, and copies it for another guest.
///
/// That one's types are the same, but for the resources: an object of the one is an object of the
/// host for the other.
pub(crate) struct Transfer<'m, 'q> {
    memory: GuestMemory<'m>,
    quota: &'q Quota<'q>,
    /// Those of the guest that gives.
    handles: &'q Arc<Handles>,
    stand_in: StandIn,
}

/// Makes of an object of a guest one of the host, of a resource that another guest imports.
pub(crate) type StandIn = fn(Handle, &ResourceType) -> Result<HostObject>;

impl<'m, 'q> Transfer<'m, 'q> {
    pub(crate) fn new(memory: GuestMemory<'m>, quota: &'q Quota<'q>, handles: &'q Arc<Handles>, stand_in: StandIn) -> Self {
        Transfer { memory, quota, handles, stand_in }
    }

    /// Copies the value at `at` in `bytes`, which lies within by the type's layout, to the place
    /// `to` of the block. `taken` is its type for the guest that takes it.
    pub(crate) fn value(&self, ty: &Type, taken: &Type, bytes: &[u8], at: u32, block: &mut Block<'static>, to: u32) -> Result<()> {
        match (&ty.kind, &taken.kind) {
            (TypeKind::Bool, _) => {
                lift_bool(bytes, at)?;
                copy(ty, bytes, at, block, to);
            }
            (TypeKind::Scalar(_) | TypeKind::Duration, _) => copy(ty, bytes, at, block, to),
            (TypeKind::Time, _) => {
                lift_time(bytes, at)?;
                copy(ty, bytes, at, block, to);
            }
            (TypeKind::Enum(cases), _) => {
                lift_case(ty.size, cases.cases.len(), bytes, at)?;
                copy(ty, bytes, at, block, to);
            }
            (TypeKind::String, _) => block.put_str(to, self.text(bytes, at)?)?,
            (TypeKind::Json, _) => {
                let text = lift_json(self.text(bytes, at)?)?;
                block.put_str(to, text)?;
            }
            (TypeKind::Variant(variant), TypeKind::Variant(taken)) => self.variant(variant, taken, bytes, at, block, to)?,
            (TypeKind::Option(inner), TypeKind::Option(taken)) => {
                if lift_some(bytes, at)? {
                    block.put(to, [1]);
                    let offset = inner.some_offset();
                    self.value(inner, taken, bytes, at + offset, block, to + offset)?;
                }
            }
            (TypeKind::List(item), TypeKind::List(taken)) => self.list(ty, item, taken, bytes, at, block, to)?,
            (TypeKind::Map(map), TypeKind::Map(taken)) => self.map(map, taken, bytes, at, block, to)?,
            (TypeKind::Tuple(tuple), TypeKind::Tuple(taken)) => self.tuple(tuple, taken, bytes, at, block, to)?,
            (TypeKind::Record(record), TypeKind::Record(taken)) => {
                for ((field, taken), offset) in record.fields.iter().zip(&taken.fields).zip(&record.layout.offsets) {
                    let done = self.value(&field.ty, &taken.ty, bytes, at + offset, block, to + offset);
                    done.map_err(|error| error.at(format!(".{}", field.name)))?;
                }
            }
            (TypeKind::Own(resource), TypeKind::Own(taken)) => block.pass(to, self.own(resource, taken, read_u32(bytes, at))?),
            (TypeKind::Borrow(resource), TypeKind::Borrow(taken)) => block.pass(to, self.borrowed(resource, taken, read_u32(bytes, at))?),
            // Whoever links functions has compared their types.
            _ => return Err(Error::new(ErrorKind::TypeMismatch, format!("the other instance takes {taken} for {ty}"))),
        }
        Ok(())
    }

    /// An object that is given away.
    fn own(&self, resource: &Arc<ResourceType>, taken: &Arc<ResourceType>, number: u32) -> Result<Passed> {
        let handle = match resource.side {
            Side::Guest => self.handles.give(resource, number)?,
            Side::Host => linked(resource, &self.handles.take_object(resource, number)?)?,
        };
        match taken.side {
            Side::Guest => handle.check(taken).map(|()| Passed::Own(handle)),
            Side::Host => Ok(Passed::Host { ty: taken.clone(), object: (self.stand_in)(handle, taken)?, is_own: true }),
        }
    }

    /// An object that is lent for a call: of a parameter, so it is one of the host's for the guest
    /// that calls.
    fn borrowed(&self, resource: &Arc<ResourceType>, taken: &Arc<ResourceType>, number: u32) -> Result<Passed> {
        let handle = linked(resource, &self.handles.object(resource, number)?)?;
        match taken.side {
            Side::Guest => handle.check(taken).map(|()| Passed::Borrow(handle)),
            Side::Host => Ok(Passed::Host { ty: taken.clone(), object: (self.stand_in)(handle, taken)?, is_own: false }),
        }
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

    #[expect(clippy::too_many_arguments, reason = "where it lies, and where it goes")]
    fn list(&self, ty: &Type, item: &Type, taken: &Type, bytes: &[u8], at: u32, block: &mut Block<'static>, to: u32) -> Result<()> {
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
                self.value(item, taken, items, place, block, target + place).map_err(|error| error.at(format!("[{i}]")))?;
            }
        }
        block.put_list(to, target, len);
        Ok(())
    }

    fn map(&self, map: &MapType, taken: &MapType, bytes: &[u8], at: u32, block: &mut Block<'static>, to: u32) -> Result<()> {
        let (entries, len) = self.elements(map.entry.size, map.entry.align, bytes, at)?;
        let target = block.reserve(len, map.entry.size, map.entry.align)?;
        for i in 0..len {
            self.step(i)?;
            let place = i as u32 * map.entry.size;
            self.tuple(&map.entry, &taken.entry, entries, place, block, target + place)
                .map_err(|error| error.at(format!("[entry {i}]")))?;
        }
        block.put_list(to, target, len);
        Ok(())
    }

    fn tuple(&self, tuple: &TupleType, taken: &TupleType, bytes: &[u8], at: u32, block: &mut Block<'static>, to: u32) -> Result<()> {
        for (i, ((item, taken), offset)) in tuple.items.iter().zip(&taken.items).zip(&tuple.offsets).enumerate() {
            self.value(item, taken, bytes, at + offset, block, to + offset).map_err(|error| error.at(format!("[{i}]")))?;
        }
        Ok(())
    }

    fn variant(
        &self,
        variant: &VariantType,
        taken: &VariantType,
        bytes: &[u8],
        at: u32,
        block: &mut Block<'static>,
        to: u32,
    ) -> Result<()> {
        let number = lift_case(variant.tag, variant.cases.len(), bytes, at)?;
        let case = &variant.cases[number as usize];
        block.put_case(to, variant.tag, number);
        let (Some(ty), Some(taken)) = (&case.ty, taken.cases.get(number as usize).and_then(|case| case.ty.as_ref())) else { return Ok(()) };
        let offset = variant.payload;
        self.value(ty, taken, bytes, at + offset, block, to + offset).map_err(|error| error.at(format!(".{}", case.name)))
    }

    /// Checks now and then whether the call should go on.
    fn step(&self, i: usize) -> Result<()> {
        const LOOK_EVERY: usize = 4096;
        if i % LOOK_EVERY == LOOK_EVERY - 1 { self.quota.look() } else { Ok(()) }
    }
}

/// The object of a linked instance that an object of the host's stands for.
fn linked(resource: &ResourceType, object: &HostObject) -> Result<Handle> {
    object.value::<Handle>().cloned().ok_or_else(|| {
        let text = format!("the {} is an object of the program's, and can't be passed to a linked instance", resource.name);
        Error::new(ErrorKind::TypeMismatch, text)
    })
}

/// Copies a value that has no nested data.
fn copy(ty: &Type, bytes: &[u8], at: u32, block: &mut Block<'static>, to: u32) {
    let at = at as usize;
    block.put_bytes(to, &bytes[at..at + ty.size as usize]);
}
