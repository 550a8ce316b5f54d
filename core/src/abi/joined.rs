//! Flat values of what holds a variant: the cases share them, so that it depends on the
//! discriminant what each of them is, and where it lies in memory (canonical ABI, "Flattening").
//!
//! As 64 bits, a core value is the same whether it has its own type or the wider one that the cases
//! share. So nothing has to be converted, and what is not used is zero.

use super::block::{load as load_slot, store as store_slot};
use super::lift::{lift_case, no_case};
use super::memory;
use crate::error::Result;
use crate::interface::{Slot, SlotKind, Slots, Type, TypeKind, VariantType};

/// Loads the flat values of the value at `at`, whose discriminants are those of cases, and passes
/// them on in order.
pub(crate) fn load(ty: &Type, bytes: &[u8], at: u32, give: &mut dyn FnMut(u64)) {
    match &ty.kind {
        TypeKind::Variant(variant) => {
            let case = lift_case(variant.tag, variant.cases.len(), bytes, at).unwrap_or_default();
            give(case.into());
            let mut left = variant.joined.len();
            if let Some(ty) = &variant.cases[case as usize].ty {
                load(ty, bytes, at + variant.payload, &mut |value| {
                    left = left.saturating_sub(1);
                    give(value);
                });
            }
            (0..left).for_each(|_| give(0));
        }
        TypeKind::Option(inner) if ty.is_joined => {
            give(memory::read_u8(bytes, at).into());
            load(inner, bytes, at + inner.some_offset(), give);
        }
        TypeKind::Tuple(tuple) if ty.is_joined => load_all(&tuple.items, &tuple.offsets, bytes, at, give),
        TypeKind::Record(record) if ty.is_joined => load_all(&record.layout.items, &record.layout.offsets, bytes, at, give),
        _ => slots(ty, at).iter().for_each(|slot| give(load_slot(bytes, *slot))),
    }
}

/// The same for values that lie at these offsets.
pub(crate) fn load_all(types: &[Type], offsets: &[u32], bytes: &[u8], at: u32, give: &mut dyn FnMut(u64)) {
    for (ty, offset) in types.iter().zip(offsets) {
        load(ty, bytes, at + offset, give);
    }
}

/// Stores flat values, of which `take` gives the next, as the value at `at`, where all is zero.
///
/// # Errors
///
/// `trap` for a discriminant that has no case, with the path of its value.
pub(crate) fn store(ty: &Type, bytes: &mut [u8], at: u32, take: &mut dyn FnMut() -> u64) -> Result<()> {
    match &ty.kind {
        TypeKind::Variant(variant) => store_case(variant, bytes, at, take),
        TypeKind::Option(inner) if ty.is_joined => {
            let some = take();
            store_slot(bytes, Slot { offset: at, kind: SlotKind::Case8 }, some)?;
            if some as u32 == 0 {
                skip(slots(inner, 0).len(), take);
                return Ok(());
            }
            // The lifter checks that it is 1.
            store(inner, bytes, at + inner.some_offset(), take)
        }
        TypeKind::Tuple(tuple) if ty.is_joined => {
            for (i, (item, offset)) in tuple.items.iter().zip(&tuple.offsets).enumerate() {
                store(item, bytes, at + offset, take).map_err(|error| error.at(format!("[{i}]")))?;
            }
            Ok(())
        }
        TypeKind::Record(record) if ty.is_joined => {
            for (field, offset) in record.fields.iter().zip(&record.layout.offsets) {
                store(&field.ty, bytes, at + offset, take).map_err(|error| error.at(format!(".{}", field.name)))?;
            }
            Ok(())
        }
        _ => slots(ty, at).iter().try_for_each(|slot| store_slot(bytes, *slot, take())),
    }
}

fn store_case(variant: &VariantType, bytes: &mut [u8], at: u32, take: &mut dyn FnMut() -> u64) -> Result<()> {
    let number = take() as u32;
    let Some(case) = variant.cases.get(number as usize) else { return Err(no_case(number).of_no_value()) };
    store_slot(bytes, Slot { offset: at, kind: SlotKind::of_tag(variant.tag) }, number.into())?;
    let mut left = variant.joined.len();
    if let Some(ty) = &case.ty {
        let mut take = || {
            left = left.saturating_sub(1);
            take()
        };
        store(ty, bytes, at + variant.payload, &mut take).map_err(|error| error.at(format!(".{}", case.name)))?;
    }
    skip(left, take);
    Ok(())
}

/// Takes values that mean nothing.
fn skip(count: usize, take: &mut dyn FnMut() -> u64) {
    for _ in 0..count {
        take();
    }
}

/// The flat values of a type that has none which cases share, or only their number.
fn slots(ty: &Type, at: u32) -> Slots {
    let mut slots = Slots::new();
    // The parameters are flat as a whole, so that there are few.
    ty.slots(at, usize::MAX, &mut slots);
    slots
}
