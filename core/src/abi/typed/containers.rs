//! Values with parts: references, options, lists, maps and tuples.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, Hash};
use std::rc::Rc;
use std::sync::Arc;

use crate::abi::blob::Blob;
use crate::abi::block::Block;
use crate::abi::lift;
use crate::error::{Error, ErrorKind, Result};
use crate::interface::{Type, TypeKind, round_up};

use super::{FromGuest, GuestType, Layout, PlainValue, Reader, ToGuest, Writer, mismatch};

/// What stands for the same as what it points to.
macro_rules! pointers {
    ($($ty:ty)*) => {$(
        impl<T: GuestType + ?Sized> GuestType for $ty {
            const SIZE: u32 = T::SIZE;
            const ALIGN: u32 = T::ALIGN;

            fn check(ty: &Type) -> Result<()> {
                T::check(ty)
            }
        }

        impl<T: ToGuest + ?Sized> ToGuest for $ty {
            #[inline]
            fn lower<'a>(&'a self, writer: &mut Writer<'_, 'a>, at: u32) -> Result<()> {
                (**self).lower(writer, at)
            }

            #[inline]
            fn as_plain(&self) -> Option<PlainValue<'_>> {
                (**self).as_plain()
            }
        }
    )*};
}

pointers! { &T Box<T> Rc<T> Arc<T> }

impl<T: FromGuest> FromGuest for Box<T> {
    fn lift(reader: Reader<'_>, at: u32) -> Result<Box<T>> {
        reader.quota().charge(size_of::<T>() as u64)?;
        T::lift(reader, at).map(Box::new)
    }
}

impl<T: GuestType> GuestType for Option<T> {
    const SIZE: u32 = round_up(round_up(1, T::ALIGN) + T::SIZE, T::ALIGN);
    const ALIGN: u32 = T::ALIGN;

    fn check(ty: &Type) -> Result<()> {
        if let TypeKind::Option(inner) = &ty.kind { T::check(inner) } else { Err(mismatch::<Self>(ty)) }
    }
}

impl<T: ToGuest> ToGuest for Option<T> {
    #[inline]
    fn lower<'a>(&'a self, writer: &mut Writer<'_, 'a>, at: u32) -> Result<()> {
        let Some(value) = self else { return Ok(()) };
        writer.put(at, [1]);
        value.lower(writer, at + round_up(1, T::ALIGN))
    }
}

impl<T: FromGuest> FromGuest for Option<T> {
    #[inline]
    fn lift(reader: Reader<'_>, at: u32) -> Result<Option<T>> {
        if lift::lift_some(reader.bytes(), at)? { T::lift(reader, at + round_up(1, T::ALIGN)).map(Some) } else { Ok(None) }
    }
}

/// Checks a list of `T` for the type `L`, which always has that many items if it is an array.
fn check_list<L: ?Sized, T: GuestType>(ty: &Type, length: Option<usize>) -> Result<()> {
    match &ty.kind {
        TypeKind::List(item) if ty.length().is_none_or(|wanted| length == Some(wanted)) => T::check(item).map_err(|error| error.at("[]")),
        _ => Err(mismatch::<L>(ty)),
    }
}

impl<T: GuestType> GuestType for [T] {
    const SIZE: u32 = 8;
    const ALIGN: u32 = 4;

    fn check(ty: &Type) -> Result<()> {
        check_list::<Self, T>(ty, None)
    }
}

impl<T: ToGuest> ToGuest for [T] {
    #[inline]
    fn lower<'a>(&'a self, writer: &mut Writer<'_, 'a>, at: u32) -> Result<()> {
        if let Some((scalar, bytes)) = T::as_scalars(self) {
            return writer.block().put_blob(at, Blob::Borrowed(bytes), scalar.size());
        }
        lower_items(writer.block(), at, self.len(), (T::SIZE, T::ALIGN), self, |block, value, at| value.lower(&mut Writer::new(block), at))
    }

    #[inline]
    fn as_plain(&self) -> Option<PlainValue<'_>> {
        T::as_scalars(self).map(|(scalar, bytes)| PlainValue::List(scalar, bytes))
    }
}

/// Lowers the items of a list or a map, and their pointer and length.
fn lower_items<'a, V>(
    block: &mut Block<'a>,
    at: u32,
    len: usize,
    (size, align): (u32, u32),
    items: impl IntoIterator<Item = V>,
    lower: impl Fn(&mut Block<'a>, V, u32) -> Result<()>,
) -> Result<()> {
    let target = block.reserve(len, size, align)?;
    for (i, item) in items.into_iter().take(len).enumerate() {
        block.step()?;
        // Room for all of them was reserved, so that this fits.
        lower(block, item, target + i as u32 * size).map_err(|error| error.at(format!("[{i}]")))?;
    }
    block.put_list(at, target, len);
    Ok(())
}

/// Lists that own their items.
macro_rules! lists {
    ($([$($param:tt)*] $ty:ty, $length:expr;)*) => {$(
        impl<T: GuestType, $($param)*> GuestType for $ty {
            const SIZE: u32 = <[T]>::SIZE;
            const ALIGN: u32 = <[T]>::ALIGN;

            fn check(ty: &Type) -> Result<()> {
                check_list::<Self, T>(ty, $length)
            }
        }

        impl<T: ToGuest, $($param)*> ToGuest for $ty {
            #[inline]
            fn lower<'a>(&'a self, writer: &mut Writer<'_, 'a>, at: u32) -> Result<()> {
                self.as_slice().lower(writer, at)
            }

            #[inline]
            fn as_plain(&self) -> Option<PlainValue<'_>> {
                self.as_slice().as_plain()
            }
        }
    )*};
}

lists! {
    [] Vec<T>, None;
    [const N: usize] [T; N], Some(N);
}

impl<T: FromGuest> FromGuest for Vec<T> {
    fn lift(reader: Reader<'_>, at: u32) -> Result<Vec<T>> {
        let (items, len) = reader.elements(T::SIZE, T::ALIGN, at)?;
        reader.quota().charge((len as u64).saturating_mul(size_of::<T>() as u64))?;
        T::lift_list(items, len)
    }
}

impl<T: FromGuest, const N: usize> FromGuest for [T; N] {
    fn lift(reader: Reader<'_>, at: u32) -> Result<[T; N]> {
        Vec::lift(reader, at)?.try_into().map_err(|items: Vec<T>| {
            let text = format!("the guest gave a list of {} items, and the program has an array of {N}", items.len());
            Error::new(ErrorKind::TypeMismatch, text)
        })
    }
}

/// The layout of a map's entry.
const fn entry<K: GuestType, V: GuestType>() -> Layout<2> {
    Layout::of([(K::SIZE, K::ALIGN), (V::SIZE, V::ALIGN)])
}

fn check_map<M, K: GuestType, V: GuestType>(ty: &Type) -> Result<()> {
    let TypeKind::Map(map) = &ty.kind else { return Err(mismatch::<M>(ty)) };
    K::check(&map.key).map_err(|error| error.at("[key]"))?;
    V::check(&map.value).map_err(|error| error.at("[]"))
}

fn lower_map<'a, K: ToGuest + 'a, V: ToGuest + 'a>(
    entries: impl ExactSizeIterator<Item = (&'a K, &'a V)>,
    writer: &mut Writer<'_, 'a>,
    at: u32,
) -> Result<()> {
    let layout = const { entry::<K, V>() };
    let len = entries.len();
    lower_items(writer.block(), at, len, (layout.size, layout.align), entries, |block, (key, value), at| {
        let mut writer = Writer::new(block);
        key.lower(&mut writer, at)?;
        value.lower(&mut writer, at + layout.offsets[1])
    })
}

/// How many keys of a map are lifted between two checks of the deadline: a guest may choose keys
/// that collide in a hash table, so that each takes time proportional to the others.
const LOOK_AT_KEYS: usize = 16;

fn lift_map<K: FromGuest, V: FromGuest>(reader: Reader<'_>, at: u32, mut add: impl FnMut(K, V)) -> Result<()> {
    let layout = const { entry::<K, V>() };
    let (entries, len) = reader.elements(layout.size, layout.align, at)?;
    // A table has free places, and a tree has nodes.
    reader.quota().charge((len as u64).saturating_mul(2 * size_of::<(K, V)>() as u64))?;
    for i in 0..len {
        if i % LOOK_AT_KEYS == 0 {
            reader.quota().look()?;
        }
        let at = i as u32 * layout.size;
        let entry = |error: Error| error.at(format!("[entry {i}]"));
        add(K::lift(entries, at).map_err(entry)?, V::lift(entries, at + layout.offsets[1]).map_err(entry)?);
    }
    Ok(())
}

impl<K: GuestType, V: GuestType> GuestType for BTreeMap<K, V> {
    const SIZE: u32 = 8;
    const ALIGN: u32 = 4;

    fn check(ty: &Type) -> Result<()> {
        check_map::<Self, K, V>(ty)
    }
}

impl<K: ToGuest, V: ToGuest> ToGuest for BTreeMap<K, V> {
    fn lower<'a>(&'a self, writer: &mut Writer<'_, 'a>, at: u32) -> Result<()> {
        lower_map(self.iter(), writer, at)
    }
}

impl<K: FromGuest + Ord, V: FromGuest> FromGuest for BTreeMap<K, V> {
    fn lift(reader: Reader<'_>, at: u32) -> Result<BTreeMap<K, V>> {
        let mut map = BTreeMap::new();
        lift_map(reader, at, |key, value| drop(map.insert(key, value)))?;
        Ok(map)
    }
}

impl<K: GuestType, V: GuestType, S> GuestType for HashMap<K, V, S> {
    const SIZE: u32 = 8;
    const ALIGN: u32 = 4;

    fn check(ty: &Type) -> Result<()> {
        check_map::<Self, K, V>(ty)
    }
}

impl<K: ToGuest, V: ToGuest, S> ToGuest for HashMap<K, V, S> {
    fn lower<'a>(&'a self, writer: &mut Writer<'_, 'a>, at: u32) -> Result<()> {
        lower_map(self.iter(), writer, at)
    }
}

impl<K: FromGuest + Eq + Hash, V: FromGuest, S: BuildHasher + Default> FromGuest for HashMap<K, V, S> {
    fn lift(reader: Reader<'_>, at: u32) -> Result<HashMap<K, V, S>> {
        let mut map = HashMap::default();
        lift_map(reader, at, |key, value| drop(map.insert(key, value)))?;
        Ok(map)
    }
}

macro_rules! tuples {
    ($($($name:ident $i:tt),+;)*) => {$(
        impl<$($name: GuestType),+> GuestType for ($($name,)+) {
            const SIZE: u32 = Layout::of([$(($name::SIZE, $name::ALIGN)),+]).size;
            const ALIGN: u32 = Layout::of([$(($name::SIZE, $name::ALIGN)),+]).align;

            fn check(ty: &Type) -> Result<()> {
                const LEN: usize = [$($i),+].len();
                let TypeKind::Tuple(tuple) = &ty.kind else { return Err(mismatch::<Self>(ty)) };
                if tuple.items.len() != LEN {
                    return Err(mismatch::<Self>(ty));
                }
                $($name::check(&tuple.items[$i]).map_err(|error| error.at(concat!("[", $i, "]")))?;)+
                Ok(())
            }
        }

        impl<$($name: ToGuest),+> ToGuest for ($($name,)+) {
            fn lower<'a>(&'a self, writer: &mut Writer<'_, 'a>, at: u32) -> Result<()> {
                let layout = const { Layout::of([$(($name::SIZE, $name::ALIGN)),+]) };
                $(self.$i.lower(writer, at + layout.offsets[$i]).map_err(|error| error.at(concat!("[", $i, "]")))?;)+
                Ok(())
            }
        }

        impl<$($name: FromGuest),+> FromGuest for ($($name,)+) {
            fn lift(reader: Reader<'_>, at: u32) -> Result<Self> {
                let layout = const { Layout::of([$(($name::SIZE, $name::ALIGN)),+]) };
                Ok(($($name::lift(reader, at + layout.offsets[$i]).map_err(|error| error.at(concat!("[", $i, "]")))?,)+))
            }
        }
    )*};
}

tuples! {
    A 0;
    A 0, B 1;
    A 0, B 1, C 2;
    A 0, B 1, C 2, D 3;
    A 0, B 1, C 2, D 3, E 4;
    A 0, B 1, C 2, D 3, E 4, F 5;
    A 0, B 1, C 2, D 3, E 4, F 5, G 6;
    A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7;
    A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8;
    A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9;
    A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10;
    A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11;
}
