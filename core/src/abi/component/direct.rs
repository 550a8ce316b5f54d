//! Values of components that lie in a block as they do in the guest's memory: they are copied as
//! bytes, list by list, without a value of the engine's in between.
//!
//! The engine has no such way for types that are known at run time only. What it has for Rust's own
//! types is a trait, [`Lower`], of which its macro writes the implementations: it is given the
//! types of a function, its memory, and its allocator. So is the one for [`Arguments`], and
//! [`Lift`] for [`Returned`]. Both have as many flat values as there are at most, so that the
//! engine passes flat values only, and they decide by themselves what travels by pointer.

use std::borrow::Cow;
use std::collections::HashMap;
use std::mem::MaybeUninit;

use wasmtime::component::__internal::wasmtime_environ::component::StringEncoding;
use wasmtime::component::__internal::{CanonicalAbiInfo, ComponentTypes, InstanceType, InterfaceType, LiftContext, LowerContext};
use wasmtime::component::{ComponentNamedList, ComponentType, Lift, Lower};
use wasmtime::{Result, ValRaw, bail};

use crate::abi::block;
use crate::abi::joined;
use crate::abi::lift::{lift_case, lift_list, lift_some, utf8};
use crate::abi::memory::{self, GuestMemory};
use crate::error::Error;
use crate::interface::{Function, Type, TypeKind};

/// The most flat parameters.
const MAX_FLAT: usize = 16;

/// The arguments of a call, in the host's buffer.
pub(crate) struct Arguments<'a> {
    function: &'a Function,
    /// The record of all parameters.
    record: &'a [u8],
    memory: GuestMemory<'a>,
}

impl<'a> Arguments<'a> {
    pub(crate) fn new(function: &'a Function, record: &'a [u8], memory: GuestMemory<'a>) -> Arguments<'a> {
        Arguments { function, record, memory }
    }
}

// SAFETY: `Lower` is what the engine passes on as an array of core values, of which a function with
// fewer reads fewer.
unsafe impl ComponentType for Arguments<'_> {
    const ABI: CanonicalAbiInfo = CanonicalAbiInfo::ZERO;
    type Lower = [ValRaw; MAX_FLAT];

    fn typecheck(_: &InterfaceType, _: &InstanceType<'_>) -> Result<()> {
        bail!("arguments are made for the function that is called");
    }
}

// SAFETY: it stands for the parameters of any function.
unsafe impl ComponentNamedList for Arguments<'_> {}

// SAFETY: what it writes are numbers; and memory only where the guest's allocator has given it, as
// the engine has checked.
unsafe impl Lower for Arguments<'_> {
    fn linear_lower_to_flat<T>(&self, cx: &mut LowerContext<'_, T>, _: InterfaceType, dst: &mut MaybeUninit<Self::Lower>) -> Result<()> {
        let abi = &self.function.abi;
        let mut record = Cow::Borrowed(self.record);
        for (param, at) in self.function.params.iter().zip(&abi.params.offsets) {
            if param.ty.points {
                self.place(cx, &param.ty, record.to_mut(), *at)?;
            }
        }
        // SAFETY: an array of what may be uninitialised has no state of its own.
        let dst = unsafe { &mut *std::ptr::from_mut(dst).cast::<[MaybeUninit<ValRaw>; MAX_FLAT]>() };
        let mut dst = dst.iter_mut();
        let mut push = |value: u64| {
            if let Some(slot) = dst.next() {
                slot.write(ValRaw::u64(value));
            }
        };
        if abi.spilled {
            push(put(cx, &record, abi.params.align)?.into());
        } else if abi.joined {
            joined::load_all(&abi.params.items, &abi.params.offsets, &record, 0, &mut push);
        } else {
            abi.slots.iter().for_each(|slot| push(block::load(&record, *slot)));
        }
        Ok(())
    }

    fn linear_lower_to_memory<T>(&self, _: &mut LowerContext<'_, T>, _: InterfaceType, _: usize) -> Result<()> {
        bail!("parameters are passed as flat values");
    }
}

impl Arguments<'_> {
    /// Copies what a value points to, and sets the pointers in `bytes` to the copies.
    fn place<T>(&self, cx: &mut LowerContext<'_, T>, ty: &Type, bytes: &mut [u8], at: u32) -> Result<()> {
        if !ty.points {
            return Ok(());
        }
        match &ty.kind {
            TypeKind::String | TypeKind::Json => {
                let text = lift_list(self.memory, 1, 1, bytes, at).and_then(|(text, _)| utf8(text)).map_err(Error::into_wasmtime)?;
                let mut pair = MaybeUninit::<[ValRaw; 2]>::uninit();
                // In the guest's encoding.
                text.linear_lower_to_flat(cx, InterfaceType::String, &mut pair)?;
                // SAFETY: the engine has written both.
                let pair = unsafe { pair.assume_init() };
                set(bytes, at, pair[0].get_u32());
                set(bytes, at + 4, pair[1].get_u32());
            }
            TypeKind::List(item) => {
                let (items, _) = lift_list(self.memory, item.size, item.align, bytes, at).map_err(Error::into_wasmtime)?;
                let address = if item.points {
                    let mut items = items.to_vec();
                    for i in (0..items.len() as u32).step_by(item.size as usize) {
                        self.place(cx, item, &mut items, i)?;
                    }
                    put(cx, &items, item.align)?
                } else {
                    put(cx, items, item.align)?
                };
                set(bytes, at, address);
            }
            TypeKind::Option(inner) if lift_some(bytes, at).map_err(Error::into_wasmtime)? => {
                self.place(cx, inner, bytes, at + inner.some_offset())?;
            }
            TypeKind::Variant(variant) => {
                let case = lift_case(variant.tag, variant.cases.len(), bytes, at).map_err(Error::into_wasmtime)?;
                if let Some(ty) = &variant.cases[case as usize].ty {
                    self.place(cx, ty, bytes, at + variant.payload)?;
                }
            }
            TypeKind::Tuple(tuple) => {
                for (item, offset) in tuple.items.iter().zip(&tuple.offsets) {
                    self.place(cx, item, bytes, at + offset)?;
                }
            }
            TypeKind::Record(record) => {
                for (field, offset) in record.fields.iter().zip(&record.layout.offsets) {
                    self.place(cx, &field.ty, bytes, at + offset)?;
                }
            }
            // They point to nothing, or are passed otherwise.
            _ => {}
        }
        Ok(())
    }
}

/// Copies bytes to a place of the guest's; returns the address.
fn put<T>(cx: &mut LowerContext<'_, T>, bytes: &[u8], align: u32) -> Result<u32> {
    let at = cx.realloc(0, 0, align, bytes.len())?;
    match cx.as_slice_mut().get_mut(at..at + bytes.len()) {
        Some(target) => target.copy_from_slice(bytes),
        None => bail!("the guest's allocator gave memory that it does not have"),
    }
    Ok(at as u32)
}

fn set(bytes: &mut [u8], at: u32, word: u32) {
    let at = at as usize;
    bytes[at..at + 4].copy_from_slice(&word.to_le_bytes());
}

/// What a call has returned, copied from the guest's memory.
pub(crate) struct Returned {
    /// The core value.
    pub(crate) raw: ValRaw,
    /// The return area, and behind it all that it points to. Empty if the result is a core value.
    bytes: Vec<u8>,
    /// The places of the pointers, which count from the beginning.
    pointers: Vec<u32>,
}

impl Returned {
    /// How many bytes are to be placed.
    pub(crate) fn size(&self) -> u32 {
        self.bytes.len() as u32
    }

    /// Copies them to the place that has this address.
    pub(crate) fn place(mut self, address: u32, target: &mut [u8]) {
        for at in self.pointers {
            let offset = memory::read_u32(&self.bytes, at);
            set(&mut self.bytes, at, address.wrapping_add(offset));
        }
        target.copy_from_slice(&self.bytes);
    }
}

// SAFETY: `Lower` is one core value, of which each function has room for one.
unsafe impl ComponentType for Returned {
    const ABI: CanonicalAbiInfo = CanonicalAbiInfo::ZERO;
    type Lower = [ValRaw; 1];

    fn typecheck(_: &InterfaceType, _: &InstanceType<'_>) -> Result<()> {
        bail!("results are read for the function that was called");
    }
}

// SAFETY: it stands for the result of any function.
unsafe impl ComponentNamedList for Returned {}

// SAFETY: it reads numbers, and memory within its bounds.
unsafe impl Lift for Returned {
    fn linear_lift_from_flat(cx: &mut LiftContext<'_>, ty: InterfaceType, src: &Self::Lower) -> Result<Returned> {
        let types: &ComponentTypes = cx.types;
        let InterfaceType::Tuple(results) = ty else { bail!("results are a tuple") };
        let results = &types[results];
        let mut copying = Copying { bytes: Vec::new(), pointers: Vec::new(), points: HashMap::new(), types, cx };
        if let [ty] = results.types[..]
            && results.abi.flat_count(1).is_none()
        {
            let abi = types.canonical_abi(&ty);
            copying.run(src[0].get_u32(), 1, abi.size32, abi.align32)?;
            copying.value(ty, 0)?;
        }
        Ok(Returned { raw: src[0], bytes: copying.bytes, pointers: copying.pointers })
    }

    fn linear_lift_from_memory(_: &mut LiftContext<'_>, _: InterfaceType, _: &[u8]) -> Result<Returned> {
        bail!("results are passed as a flat value");
    }
}

/// A walk over a result, which copies it. Whoever reads the copy checks what is in it.
struct Copying<'c, 'a> {
    bytes: Vec<u8>,
    pointers: Vec<u32>,
    /// The types that have pointers in them, and those that don't.
    points: HashMap<InterfaceType, bool>,
    types: &'c ComponentTypes,
    cx: &'c mut LiftContext<'a>,
}

impl Copying<'_, '_> {
    /// Appends a run of the guest's memory; returns where it is now.
    fn run(&mut self, address: u32, count: usize, size: u32, align: u32) -> Result<u32> {
        self.cx.consume_fuel_array(count, size as usize)?;
        if !address.is_multiple_of(align) {
            bail!("the guest gave the address {address:#x}, which is not aligned to {align}");
        }
        let Some(run) = self.cx.memory().get(address as usize..).and_then(|rest| rest.get(..count.checked_mul(size as usize)?)) else {
            bail!("the guest gave {count} items at {address:#x}, which are outside of its memory");
        };
        self.append(run)
    }

    fn append(&mut self, run: &[u8]) -> Result<u32> {
        let at = self.bytes.len().next_multiple_of(8);
        if at + run.len() > u32::MAX as usize / 2 {
            bail!("the guest gave a value that is too large");
        }
        self.bytes.resize(at, 0);
        self.bytes.extend_from_slice(run);
        Ok(at as u32)
    }

    /// Copies what the value at that place points to.
    fn value(&mut self, ty: InterfaceType, at: u32) -> Result<()> {
        if !self.points(ty) {
            return Ok(());
        }
        match ty {
            InterfaceType::String => self.text(at)?,
            InterfaceType::List(list) => {
                let types = self.types;
                let item = types[list].element;
                let abi = types.canonical_abi(&item);
                let (address, count) = (memory::read_u32(&self.bytes, at), memory::read_u32(&self.bytes, at + 4));
                let start = self.run(address, count as usize, abi.size32, abi.align32)?;
                self.point(at, start);
                if self.points(item) {
                    for i in 0..count {
                        self.value(item, start + i * abi.size32)?;
                    }
                }
            }
            InterfaceType::Record(record) => {
                let types = self.types;
                self.fields(types[record].fields.iter().map(|field| field.ty), at)?;
            }
            InterfaceType::Tuple(tuple) => {
                let types = self.types;
                self.fields(types[tuple].types.iter().copied(), at)?;
            }
            InterfaceType::Option(option) => {
                let types = self.types;
                let option = &types[option];
                if self.case(option.info.size.into(), at) == 1 {
                    self.value(option.ty, at + option.info.payload_offset32)?;
                }
            }
            InterfaceType::Result(result) => {
                let types = self.types;
                let result = &types[result];
                let value = match self.case(result.info.size.into(), at) {
                    0 => result.ok,
                    1 => result.err,
                    _ => None,
                };
                if let Some(ty) = value {
                    self.value(ty, at + result.info.payload_offset32)?;
                }
            }
            InterfaceType::Variant(variant) => {
                let types = self.types;
                let variant = &types[variant];
                let case = self.case(variant.info.size.into(), at);
                if let Some((_, Some(ty))) = variant.cases.get_index(case as usize) {
                    self.value(*ty, at + variant.info.payload_offset32)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn fields(&mut self, fields: impl Iterator<Item = InterfaceType>, at: u32) -> Result<()> {
        let mut end = 0;
        for ty in fields {
            let offset = self.types.canonical_abi(&ty).next_field32_size(&mut end);
            self.value(ty, at + offset as u32)?;
        }
        Ok(())
    }

    fn text(&mut self, at: u32) -> Result<()> {
        let (address, len) = (memory::read_u32(&self.bytes, at), memory::read_u32(&self.bytes, at + 4));
        let start = if self.cx.options().string_encoding == StringEncoding::Utf8 {
            self.run(address, len as usize, 1, 1)?
        } else {
            let mut pair = [0; 8];
            pair.copy_from_slice(&self.bytes[at as usize..at as usize + 8]);
            let text = String::linear_lift_from_memory(self.cx, InterfaceType::String, &pair)?;
            set(&mut self.bytes, at + 4, text.len() as u32);
            self.append(text.as_bytes())?
        };
        self.point(at, start);
        Ok(())
    }

    fn point(&mut self, at: u32, start: u32) {
        set(&mut self.bytes, at, start);
        self.pointers.push(at);
    }

    /// The discriminant of so many bytes.
    fn case(&self, size: u32, at: u32) -> u32 {
        match size {
            1 => memory::read_u8(&self.bytes, at).into(),
            2 => memory::read_u16(&self.bytes, at).into(),
            _ => memory::read_u32(&self.bytes, at),
        }
    }

    /// Whether values of that type point to others.
    fn points(&mut self, ty: InterfaceType) -> bool {
        let types = self.types;
        match ty {
            InterfaceType::String | InterfaceType::List(_) => return true,
            InterfaceType::Record(_)
            | InterfaceType::Tuple(_)
            | InterfaceType::Option(_)
            | InterfaceType::Result(_)
            | InterfaceType::Variant(_) => {}
            _ => return false,
        }
        if let Some(known) = self.points.get(&ty) {
            return *known;
        }
        let points = match ty {
            InterfaceType::Record(record) => types[record].fields.iter().any(|field| self.points(field.ty)),
            InterfaceType::Tuple(tuple) => types[tuple].types.iter().any(|ty| self.points(*ty)),
            InterfaceType::Option(option) => self.points(types[option].ty),
            InterfaceType::Result(result) => [types[result].ok, types[result].err].into_iter().flatten().any(|ty| self.points(ty)),
            InterfaceType::Variant(variant) => types[variant].cases.values().flatten().any(|ty| self.points(*ty)),
            _ => false,
        };
        self.points.insert(ty, points);
        points
    }
}
