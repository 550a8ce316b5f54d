//! From C structs to guest memory.

use std::borrow::Cow;
use std::ptr;
use std::slice;
use std::sync::Arc;

use undergo::host::{Blob, Lower, Reject};
use undergo::interface::{EnumType, RecordType, ResourceType, Scalar, VariantType};
use undergo::{Handle, HostObject, Time};

use crate::boundary::bytes;
use crate::handles::ResourceHandle;
use crate::layout::{Kind, Layout};
use crate::object::ObjectHandle;
use crate::types::{List, TimeValue};

/// A value in C's memory, with its layout.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    at: *const u8,
    layout: &'a Layout,
}

type Lowered<T> = Result<T, Reject>;

impl<'a> Place<'a> {
    /// # Safety
    ///
    /// A value of that layout lies there, with all that it points to, for as long as `'a`.
    pub(crate) unsafe fn new(at: *const u8, layout: &'a Layout) -> Place<'a> {
        Place { at, layout }
    }

    /// The value itself, where it is optional; the core has seen that it is there.
    fn value(self) -> Lowered<Place<'a>> {
        let mut place = self;
        while let Kind::Option(inner) = &place.layout.kind {
            // SAFETY: an option is a pointer.
            let at = unsafe { place.read::<*const u8>() };
            if at.is_null() {
                return Err(Reject::Type);
            }
            place = Place { at, layout: inner };
        }
        Ok(place)
    }

    /// # Safety
    ///
    /// The layout is that of a `T`.
    unsafe fn read<T: Copy>(self) -> T {
        // SAFETY: the promise of `new`, and the caller's.
        unsafe { self.at.cast::<T>().read_unaligned() }
    }

    pub(crate) fn text(self) -> Lowered<&'a str> {
        let place = self.value()?;
        let Kind::Text = place.layout.kind else { return Err(Reject::Type) };
        // SAFETY: a text lies there, and what it points to does for as long as `'a`.
        let text = unsafe {
            let List { ptr, len } = place.read();
            bytes(ptr, len)
        };
        let not_utf8 = |error: std::str::Utf8Error| Reject::Value(format!("the text is not UTF-8, from byte {} on", error.valid_up_to()));
        undergo::host::text(text.map_err(Reject::Value)?).map_err(not_utf8)
    }

    /// The elements of a list, as their bytes and their number.
    pub(crate) fn elements(self, size: usize) -> Lowered<(&'a [u8], usize)> {
        // SAFETY: the caller has seen that a list lies there, and its elements do for as long as
        // `'a`.
        unsafe {
            let List { ptr, len } = self.read();
            let all = len.checked_mul(size).ok_or_else(|| Reject::Value(format!("{len} elements are more than there can be")))?;
            Ok((bytes(ptr, all).map_err(Reject::Value)?, len))
        }
    }
}

impl Place<'_> {
    /// Passes each handle and object to `with` that is in the value, and not NULL. What can't be
    /// read, because it is invalid, is skipped.
    pub(crate) fn each_handle(self, with: &mut dyn FnMut(*mut u8, &Kind)) {
        if !self.layout.has_handles() || self.is_none() {
            return;
        }
        match &self.layout.kind {
            // SAFETY: they are pointers.
            kind @ (Kind::Handle | Kind::Object) => with(unsafe { self.read::<*mut u8>() }, kind),
            // SAFETY: an option is a pointer, and it is not NULL.
            Kind::Option(inner) => Place { at: unsafe { self.read() }, layout: inner }.each_handle(with),
            Kind::List(item) => {
                let Ok((bytes, len)) = self.elements(item.size) else { return };
                let at = |i: usize| bytes.as_ptr().wrapping_add(i * item.size);
                (0..len).for_each(|i| Place { at: at(i), layout: item }.each_handle(with));
            }
            Kind::Map(entry) => {
                let Ok((bytes, len)) = self.elements(entry.size) else { return };
                for at in (0..len).map(|i| bytes.as_ptr().wrapping_add(i * entry.size)) {
                    entry.items.iter().for_each(|(offset, layout)| Place { at: at.wrapping_add(*offset), layout }.each_handle(with));
                }
            }
            Kind::Struct(fields) => {
                fields.items.iter().for_each(|(offset, layout)| Place { at: self.at.wrapping_add(*offset), layout }.each_handle(with));
            }
            Kind::Variant(cases) => {
                // SAFETY: a variant begins with an int32_t.
                let number = usize::try_from(unsafe { self.read::<i32>() });
                if let Some(layout) = number.ok().and_then(|number| cases.values.get(number)?.as_ref()) {
                    Place { at: self.at.wrapping_add(cases.union), layout }.each_handle(with);
                }
            }
            _ => {}
        }
    }
}

/// Numbers of any width, by their scalar.
fn integer(place: Place<'_>) -> Lowered<i128> {
    let place = place.value()?;
    // SAFETY: each arm reads what the layout says.
    unsafe {
        Ok(match place.layout.kind {
            Kind::Scalar(scalar) => match scalar {
                Scalar::S8 => place.read::<i8>().into(),
                Scalar::U8 => place.read::<u8>().into(),
                Scalar::S16 => place.read::<i16>().into(),
                Scalar::U16 => place.read::<u16>().into(),
                Scalar::S32 | Scalar::WasmI32 => place.read::<i32>().into(),
                Scalar::U32 => place.read::<u32>().into(),
                Scalar::S64 | Scalar::WasmI64 => place.read::<i64>().into(),
                Scalar::U64 => place.read::<u64>().into(),
                Scalar::F32 | Scalar::F64 => return Err(Reject::Type),
            },
            _ => return Err(Reject::Type),
        })
    }
}

/// The number of a case, if the type of that name has so many.
fn case(number: i32, name: &str, cases: usize) -> Lowered<u32> {
    let found = u32::try_from(number).ok().filter(|&number| (number as usize) < cases);
    found.ok_or_else(|| Reject::Value(format!("{number} is not a case of {name}, whose cases are 0 to {}", cases.saturating_sub(1))))
}

impl<'a> Lower<'a> for Place<'a> {
    fn type_name(&self) -> Cow<'static, str> {
        Cow::Borrowed(match &self.layout.kind {
            Kind::Bool => "bool",
            Kind::Scalar(scalar) => scalar.as_str(),
            Kind::Text => "text",
            Kind::Duration => "duration",
            Kind::Time => "time",
            Kind::Enum => "enum",
            Kind::Option(_) => "NULL",
            Kind::List(_) => "list",
            Kind::Map(_) => "map",
            Kind::Struct(_) | Kind::Nothing => "struct",
            Kind::Variant(_) => "variant",
            Kind::Handle => "handle",
            Kind::Object => "object",
        })
    }

    fn as_bool(&self) -> Lowered<bool> {
        let place = self.value()?;
        let Kind::Bool = place.layout.kind else { return Err(Reject::Type) };
        // SAFETY: a bool lies there; it is read as a byte, which may be any.
        Ok(unsafe { place.read::<u8>() } != 0)
    }

    fn as_s64(&self) -> Lowered<i64> {
        i64::try_from(integer(*self)?).map_err(|_| Reject::Type)
    }

    fn as_u64(&self) -> Lowered<u64> {
        u64::try_from(integer(*self)?).map_err(|_| Reject::Type)
    }

    fn as_f64(&self) -> Lowered<f64> {
        let place = self.value()?;
        match place.layout.kind {
            // SAFETY: the layout says so.
            Kind::Scalar(Scalar::F64) => Ok(unsafe { place.read() }),
            Kind::Scalar(Scalar::F32) => Ok(self.as_f32()?.into()),
            _ => Err(Reject::Type),
        }
    }

    fn as_f32(&self) -> Lowered<f32> {
        let place = self.value()?;
        let Kind::Scalar(Scalar::F32) = place.layout.kind else { return Err(Reject::Type) };
        // SAFETY: a float lies there.
        Ok(unsafe { place.read() })
    }

    fn as_str(&self) -> Lowered<Cow<'_, str>> {
        self.text().map(Cow::Borrowed)
    }

    fn as_scalars(&self, scalar: Scalar) -> Lowered<Option<Blob<'a>>> {
        let place = self.value()?;
        match &place.layout.kind {
            Kind::List(item) if matches!(item.kind, Kind::Scalar(own) if own == scalar) => {
                Ok(Some(Blob::Borrowed(place.elements(item.size)?.0)))
            }
            _ => Ok(None),
        }
    }

    fn as_list(&self) -> Lowered<impl ExactSizeIterator<Item = Lowered<Self>>> {
        let place = self.value()?;
        match &place.layout.kind {
            Kind::List(item) => {
                let (bytes, len) = place.elements(item.size)?;
                Ok(Items::List { at: bytes.as_ptr(), left: len, item })
            }
            Kind::Struct(fields) => Ok(Items::Struct { at: place.at, fields: fields.items.iter() }),
            Kind::Nothing => Ok(Items::Struct { at: place.at, fields: [].iter() }),
            _ => Err(Reject::Type),
        }
    }

    fn as_map(&self) -> Lowered<impl ExactSizeIterator<Item = Lowered<(Self, Self)>>> {
        let place = self.value()?;
        let Kind::Map(entry) = &place.layout.kind else { return Err(Reject::Type) };
        let [(key_at, key), (value_at, value)] = entry.items.as_slice() else { return Err(Reject::Type) };
        let (bytes, len) = place.elements(entry.size)?;
        let start = bytes.as_ptr();
        Ok((0..len).map(move |i| {
            let at = start.wrapping_add(i * entry.size);
            Ok((Place { at: at.wrapping_add(*key_at), layout: key }, Place { at: at.wrapping_add(*value_at), layout: value }))
        }))
    }

    fn as_record(&self, _record: &RecordType) -> Lowered<Vec<Option<Self>>> {
        let place = self.value()?;
        let Kind::Struct(fields) = &place.layout.kind else { return Err(Reject::Type) };
        Ok(fields.items.iter().map(|(offset, layout)| Some(Place { at: place.at.wrapping_add(*offset), layout })).collect())
    }

    fn is_none(&self) -> bool {
        // SAFETY: an option is a pointer, and so are handles, which may be optional.
        matches!(self.layout.kind, Kind::Option(_) | Kind::Handle | Kind::Object) && unsafe { self.read::<*const u8>() }.is_null()
    }

    fn as_enum(&self, cases: &EnumType) -> Lowered<u32> {
        let place = self.value()?;
        let Kind::Enum = place.layout.kind else { return Err(Reject::Type) };
        // SAFETY: an enum is an int32_t.
        let number = unsafe { place.read::<i32>() };
        case(number, &cases.name, cases.cases.len())
    }

    fn as_variant(&self, variant: &VariantType) -> Lowered<(u32, Option<Self>)> {
        let place = self.value()?;
        let Kind::Variant(cases) = &place.layout.kind else { return Err(Reject::Type) };
        // SAFETY: a variant begins with an int32_t.
        let number = case(unsafe { place.read::<i32>() }, &variant.name, cases.values.len())?;
        let value = cases.values[number as usize].as_ref();
        Ok((number, value.map(|layout| Place { at: place.at.wrapping_add(cases.union), layout })))
    }

    fn as_json(&self) -> Lowered<Cow<'_, str>> {
        self.text().map(Cow::Borrowed)
    }

    fn as_duration(&self) -> Lowered<i64> {
        let place = self.value()?;
        let Kind::Duration = place.layout.kind else { return Err(Reject::Type) };
        // SAFETY: a duration is an int64_t.
        Ok(unsafe { place.read() })
    }

    fn as_time(&self) -> Lowered<Time> {
        let place = self.value()?;
        let Kind::Time = place.layout.kind else { return Err(Reject::Type) };
        // SAFETY: a time lies there.
        let TimeValue { seconds, nanoseconds, offset } = unsafe { place.read() };
        Ok(Time { seconds, nanoseconds, offset })
    }

    fn as_handle(&self, _resource: &ResourceType) -> Lowered<Handle> {
        let place = self.value()?;
        let Kind::Handle = place.layout.kind else { return Err(Reject::Type) };
        // SAFETY: a pointer to a live handle lies there, or NULL.
        let handle = unsafe { place.read::<*const ResourceHandle>().as_ref() };
        handle.map(|handle| handle.core.clone()).ok_or_else(|| Reject::Value("the handle is NULL".to_owned()))
    }

    fn as_object(&self, resource: &Arc<ResourceType>) -> Lowered<HostObject> {
        let place = self.value()?;
        let Kind::Object = place.layout.kind else { return Err(Reject::Type) };
        // SAFETY: a pointer to a live object lies there, or NULL.
        let object = unsafe { place.read::<*const ObjectHandle>().as_ref() };
        object.ok_or_else(|| Reject::Value(format!("the {} is NULL", resource.name)))?.of(resource).map_err(Reject::Value)
    }
}

/// What a list or a tuple has.
enum Items<'a> {
    List { at: *const u8, left: usize, item: &'a Layout },
    Struct { at: *const u8, fields: slice::Iter<'a, (usize, Layout)> },
}

impl<'a> Iterator for Items<'a> {
    type Item = Lowered<Place<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Items::List { at, left, item } => {
                *left = left.checked_sub(1)?;
                let place = Place { at: *at, layout: item };
                *at = at.wrapping_add(item.size);
                Some(Ok(place))
            }
            Items::Struct { at, fields } => fields.next().map(|(offset, layout)| Ok(Place { at: at.wrapping_add(*offset), layout })),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = match self {
            Items::List { left, .. } => *left,
            Items::Struct { fields, .. } => fields.len(),
        };
        (left, Some(left))
    }
}

impl ExactSizeIterator for Items<'_> {}

/// The result of a function without a result.
pub(crate) fn nothing() -> Place<'static> {
    const NOTHING: &Layout = &Layout { size: 1, align: 1, kind: Kind::Nothing };
    Place { at: ptr::null(), layout: NOTHING }
}
