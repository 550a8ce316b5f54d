//! From host values to guest memory: a walk over the type that asks the host's value for what the
//! type wants.

use std::borrow::Cow;
use std::sync::Arc;

use super::blob::Blob;
use super::block::{Block, changed};
use super::handles::{Handle, HostObject, Passed};
use super::json;
use crate::error::{Error, ErrorKind, Result};
use crate::interface::{EnumType, MapType, RecordType, ResourceType, Scalar, Side, Time, TupleType, Type, TypeKind, VariantType};

/// Why a host value does not fit.
#[derive(Debug)]
pub enum Reject {
    /// It has another type; the core names the expected type, and asks the value for its own.
    Type,
    /// It has the right type, but does not fit, for this reason.
    Value(String),
    /// A part of it does not fit: the path of the part (`[2].name`), and the reason. For values
    /// that the host traverses itself, such as JSON.
    Within(String, String),
    /// The host's own code failed (a conversion that a user wrote, for example).
    Error(Error),
}

impl Reject {
    /// For a string that is no text: hosts whose strings are UTF-16, or any code points, have such.
    #[cold]
    #[must_use]
    pub fn lone_surrogate() -> Reject {
        Reject::Value("the string holds a lone surrogate, which UTF-8 has no form for".to_owned())
    }
}

/// A host value, as the core sees it: the core asks it for what the type of the parameter wants,
/// and copies that into guest memory.
///
/// Each host implements it for its own values. `'a` is the lifetime of the data that the value
/// lends: the duration of the call. The core calls these methods before it touches the guest, and
/// without holding it.
pub trait Lower<'a>: Sized {
    /// The type's name for the host's users, as in "expected string, got int".
    fn type_name(&self) -> Cow<'static, str>;

    /// The value as a bool.
    ///
    /// # Errors
    ///
    /// As all of these: why the value is not one.
    fn as_bool(&self) -> Result<bool, Reject>;

    /// The value as a signed integer. The core checks narrower ranges.
    fn as_s64(&self) -> Result<i64, Reject>;

    /// The value as an unsigned integer of 64 bits.
    fn as_u64(&self) -> Result<u64, Reject>;

    /// The value as a float. Integers may be accepted.
    fn as_f64(&self) -> Result<f64, Reject>;

    /// The value as a 32-bit float; differs from [`as_f64`](Lower::as_f64) for hosts that have such
    /// floats.
    fn as_f32(&self) -> Result<f32, Reject> {
        let wide = self.as_f64()?;
        let narrow = wide as f32;
        if narrow.is_infinite() && wide.is_finite() {
            return Err(Reject::Value(format!("{wide} is out of range for f32")));
        }
        Ok(narrow)
    }

    /// The value as text.
    fn as_str(&self) -> Result<Cow<'_, str>, Reject>;

    /// The value as contiguous little-endian scalars of that type, if it lies in memory like that.
    /// With `None` the core calls [`as_list`](Lower::as_list).
    fn as_scalars(&self, scalar: Scalar) -> Result<Option<Blob<'a>>, Reject>;

    /// The items of a list or tuple. The core reserves room for as many as the iterator announces;
    /// one that yields fewer is an error.
    fn as_list(&self) -> Result<impl ExactSizeIterator<Item = Result<Self, Reject>>, Reject>;

    /// The entries of a map.
    fn as_map(&self) -> Result<impl ExactSizeIterator<Item = Result<(Self, Self), Reject>>, Reject>;

    /// The values of a record's fields, in the record's order; `None` for a field that the value
    /// lacks.
    fn as_record(&self, record: &RecordType) -> Result<Vec<Option<Self>>, Reject>;

    /// Whether the value stands for an absent one, where an option is wanted.
    fn is_none(&self) -> bool;

    /// The number of the enum's case.
    fn as_enum(&self, cases: &EnumType) -> Result<u32, Reject>;

    /// The number of the variant's case, and its value. The core checks that the case has one.
    fn as_variant(&self, variant: &VariantType) -> Result<(u32, Option<Self>), Reject>;

    /// The value as a text that holds one JSON value.
    fn as_json(&self) -> Result<Cow<'_, str>, Reject>;

    /// The value as nanoseconds.
    fn as_duration(&self) -> Result<i64, Reject>;

    /// The value as an instant.
    fn as_time(&self) -> Result<Time, Reject>;

    /// The value as a handle of an object of the guest. The core checks the resource, and that the
    /// handle is open and of the instance that is called.
    fn as_handle(&self, resource: &ResourceType) -> Result<Handle, Reject>;

    /// The value as an object of the host, with the functions that the guest calls by its handle:
    /// see [`ResourceType::methods`] and [`ResourceType::shape`].
    fn as_object(&self, resource: &Arc<ResourceType>) -> Result<HostObject, Reject>;
}

/// Lowers a value: returns its own bytes, and a memory that holds its nested data from `address`
/// on, a multiple of 8 (all below is zero).
///
/// The reverse of [`lift_bytes`](crate::host::lift_bytes), for code that inspects or tests what a
/// call writes.
///
/// # Errors
///
/// `type-mismatch`, with the path of what does not fit.
pub fn lower_bytes<'a, V: Lower<'a>>(ty: &Type, value: &V, address: u32) -> Result<(Vec<u8>, Vec<u8>)> {
    let address = crate::interface::round_up(address, 8);
    let mut block = Block::begin(ty.size);
    block.lower(ty, value, 0)?;
    block.apart(ty.size, address)
}

impl<'a> Block<'a> {
    /// The head's first bytes, and a memory of the host's own that holds the rest from `address`
    /// on, a multiple of 8.
    pub(super) fn apart(mut self, size: u32, address: u32) -> Result<(Vec<u8>, Vec<u8>)> {
        let placed = self.placed_size(false)?;
        let mut memory = vec![0; address as usize + placed as usize];
        self.write(&mut memory, address, false)?;
        Ok((self.head()[..size as usize].to_owned(), memory))
    }

    /// Lowers one value into its place.
    pub(crate) fn lower<V: Lower<'a>>(&mut self, ty: &Type, value: &V, at: u32) -> Result<()> {
        let reject = |reason| rejected(ty, value, reason);
        match &ty.kind {
            TypeKind::Bool => self.put(at, [u8::from(value.as_bool().map_err(reject)?)]),
            TypeKind::Scalar(scalar) => self.lower_scalar(*scalar, value, at).map_err(reject)?,
            TypeKind::String => {
                let text = value.as_str().map_err(reject)?;
                if ty.is_char {
                    check_char(&text).map_err(reject)?;
                }
                self.put_str(at, &text)?;
            }
            TypeKind::Json => {
                let text = value.as_json().map_err(reject)?;
                check_json(&text).map_err(reject)?;
                self.put_str(at, &text)?;
            }
            TypeKind::Duration => self.put(at, value.as_duration().map_err(reject)?.to_le_bytes()),
            TypeKind::Time => self.lower_time(value.as_time().map_err(reject)?, at).map_err(reject)?,
            TypeKind::Enum(cases) => {
                let case = value.as_enum(cases).map_err(reject)?;
                self.put_case(at, ty.size, case);
            }
            TypeKind::Variant(variant) => self.lower_variant(ty, variant, value, at)?,
            TypeKind::Option(inner) => {
                if !value.is_none() {
                    self.put(at, [1]);
                    self.lower(inner, value, at + inner.some_offset())?;
                }
            }
            TypeKind::Own(resource) => self.lower_handle(ty, resource, value, at, true)?,
            TypeKind::Borrow(resource) => self.lower_handle(ty, resource, value, at, false)?,
            TypeKind::List(item) => self.lower_list(ty, item, value, at)?,
            TypeKind::Map(map) => self.lower_map(ty, map, value, at)?,
            TypeKind::Tuple(tuple) => self.lower_tuple(ty, tuple, value, at)?,
            TypeKind::Record(record) => self.lower_record(ty, record, value, at)?,
        }
        Ok(())
    }

    fn lower_scalar<V: Lower<'a>>(&mut self, scalar: Scalar, value: &V, at: u32) -> Result<(), Reject> {
        macro_rules! narrow {
            ($ty:ty) => {{
                let wide = value.as_s64()?;
                let narrow = <$ty>::try_from(wide).map_err(|_| out_of_range(wide, scalar, <$ty>::MIN.into(), <$ty>::MAX.into()))?;
                self.put(at, narrow.to_le_bytes());
            }};
        }
        match scalar {
            Scalar::S8 => narrow!(i8),
            Scalar::U8 => narrow!(u8),
            Scalar::S16 => narrow!(i16),
            Scalar::U16 => narrow!(u16),
            Scalar::S32 => narrow!(i32),
            Scalar::U32 => narrow!(u32),
            Scalar::S64 => self.put(at, value.as_s64()?.to_le_bytes()),
            Scalar::U64 => self.put(at, value.as_u64()?.to_le_bytes()),
            Scalar::F32 => self.put(at, value.as_f32()?.to_le_bytes()),
            Scalar::F64 => self.put(at, value.as_f64()?.to_le_bytes()),
            Scalar::WasmI32 => {
                let wide = value.as_s64()?;
                let (min, max) = (i64::from(i32::MIN), i64::from(u32::MAX));
                if !(min..=max).contains(&wide) {
                    return Err(out_of_range(wide, scalar, min, max));
                }
                self.put(at, (wide as u32).to_le_bytes());
            }
            Scalar::WasmI64 => match value.as_s64() {
                Ok(signed) => self.put(at, signed.to_le_bytes()),
                Err(_) => self.put(at, value.as_u64()?.to_le_bytes()),
            },
        }
        Ok(())
    }

    pub(super) fn lower_time(&mut self, time: Time, at: u32) -> Result<(), Reject> {
        if time.nanoseconds > 999_999_999 {
            return Err(Reject::Value(format!("a time has 0 to 999999999 nanoseconds, not {}", time.nanoseconds)));
        }
        self.put(at, time.seconds.to_le_bytes());
        self.put(at + 8, time.nanoseconds.to_le_bytes());
        self.put(at + 12, time.offset.to_le_bytes());
        Ok(())
    }

    fn lower_list<V: Lower<'a>>(&mut self, ty: &Type, item: &Type, value: &V, at: u32) -> Result<()> {
        let reject = |reason| rejected(ty, value, reason);
        let check = |count| if ty.takes(count) { Ok(()) } else { Err(reject(Reject::Value(format!("expected {ty}, got {count} items")))) };
        if let TypeKind::Scalar(scalar) = item.kind
            && let Some(blob) = value.as_scalars(scalar).map_err(reject)?
        {
            check(blob.size() / scalar.size() as usize)?;
            return self.put_blob(at, blob, scalar.size());
        }
        let items = value.as_list().map_err(reject)?;
        let count = items.len();
        check(count)?;
        let target = self.reserve(count, item.size, item.align)?;
        let mut seen = 0;
        for (i, value) in items.take(count).enumerate() {
            self.step()?;
            value
                .map_err(|reason| rejected_item(item, reason))
                .and_then(|value| self.lower(item, &value, target + i as u32 * item.size))
                .map_err(|error| error.at(format!("[{i}]")))?;
            seen += 1;
        }
        if seen != count {
            return Err(changed());
        }
        self.put_list(at, target, count);
        Ok(())
    }

    fn lower_map<V: Lower<'a>>(&mut self, ty: &Type, map: &MapType, value: &V, at: u32) -> Result<()> {
        let entries = value.as_map().map_err(|reason| rejected(ty, value, reason))?;
        let count = entries.len();
        let target = self.reserve(count, map.entry.size, map.entry.align)?;
        let mut seen = 0;
        for (i, entry) in entries.take(count).enumerate() {
            self.step()?;
            let (key, value) = entry.map_err(|reason| rejected_item(ty, reason))?;
            let place = target + i as u32 * map.entry.size;
            self.lower(&map.key, &key, place).map_err(|error| error.at(format!("[key {i}]")))?;
            self.lower(&map.value, &value, place + map.entry.offsets[1]).map_err(|error| {
                let shown = key.as_str().map_or_else(|_| format!("entry {i}"), |text| format!("{text:?}"));
                error.at(format!("[{shown}]"))
            })?;
            seen += 1;
        }
        if seen != count {
            return Err(changed());
        }
        self.put_list(at, target, count);
        Ok(())
    }

    fn lower_tuple<V: Lower<'a>>(&mut self, ty: &Type, tuple: &TupleType, value: &V, at: u32) -> Result<()> {
        let reject = |reason| rejected(ty, value, reason);
        let items = value.as_list().map_err(reject)?;
        if items.len() != tuple.items.len() {
            let text = format!("expected {ty} with {} values, got {}", tuple.items.len(), items.len());
            return Err(reject(Reject::Value(text)));
        }
        let mut seen = 0;
        for (i, (value, (item, offset))) in items.zip(tuple.items.iter().zip(&tuple.offsets)).enumerate() {
            value
                .map_err(|reason| rejected_item(item, reason))
                .and_then(|value| self.lower(item, &value, at + offset))
                .map_err(|error| error.at(format!("[{i}]")))?;
            seen += 1;
        }
        if seen == tuple.items.len() { Ok(()) } else { Err(changed()) }
    }

    fn lower_variant<V: Lower<'a>>(&mut self, ty: &Type, variant: &VariantType, value: &V, at: u32) -> Result<()> {
        let reject = |reason| rejected(ty, value, reason);
        let (number, inner) = value.as_variant(variant).map_err(reject)?;
        let Some(case) = variant.cases.get(number as usize) else { return Err(reject(Reject::Type)) };
        self.put_case(at, variant.tag, number);
        match (&case.ty, inner) {
            (Some(ty), Some(inner)) => self.lower(ty, &inner, at + variant.payload).map_err(|error| error.at(format!(".{}", case.name))),
            (None, None) => Ok(()),
            (Some(ty), None) => Err(reject(Reject::Value(format!("the case {} of {} needs a value: {ty}", case.name, variant.name)))),
            (None, Some(_)) => Err(reject(Reject::Value(format!("the case {} of {} has no value", case.name, variant.name)))),
        }
    }

    fn lower_handle<V: Lower<'a>>(&mut self, ty: &Type, resource: &Arc<ResourceType>, value: &V, at: u32, is_own: bool) -> Result<()> {
        let reject = |reason| rejected(ty, value, reason);
        let passed = match resource.side {
            Side::Guest => {
                let handle = value.as_handle(resource).map_err(reject)?;
                handle.check(resource)?;
                if is_own { Passed::Own(handle) } else { Passed::Borrow(handle) }
            }
            Side::Host => Passed::Host { ty: resource.clone(), object: value.as_object(resource).map_err(reject)?, is_own },
        };
        self.pass(at, passed);
        Ok(())
    }

    /// Writes a discriminant of `size` bytes.
    pub(crate) fn put_case(&mut self, at: u32, size: u32, case: u32) {
        match size {
            1 => self.put(at, [case as u8]),
            2 => self.put(at, (case as u16).to_le_bytes()),
            _ => self.put(at, case.to_le_bytes()),
        }
    }

    fn lower_record<V: Lower<'a>>(&mut self, ty: &Type, record: &RecordType, value: &V, at: u32) -> Result<()> {
        let values = value.as_record(record).map_err(|reason| rejected(ty, value, reason))?;
        for ((field, offset), value) in record.fields.iter().zip(&record.layout.offsets).zip(values) {
            match value {
                Some(value) => self.lower(&field.ty, &value, at + offset).map_err(|error| error.at(format!(".{}", field.name)))?,
                // An option without a value is all zero, as the block is from the beginning; and so
                // is false.
                None if record.is_flags || matches!(field.ty.kind, TypeKind::Option(_)) => {}
                None => {
                    let text = format!("the field '{}' of {} is missing", field.name, record.name);
                    return Err(Error::new(ErrorKind::TypeMismatch, text));
                }
            }
        }
        Ok(())
    }
}

/// Checks that a text is JSON.
pub(crate) fn check_json(text: &str) -> Result<(), Reject> {
    json::fault(text).map_or(Ok(()), |fault| Err(Reject::Value(format!("the text is not JSON: {fault}"))))
}

/// Checks that a text is one character.
pub(crate) fn check_char(text: &str) -> Result<(), Reject> {
    match text.chars().count() {
        1 => Ok(()),
        count => Err(Reject::Value(format!("expected one character, got {count}"))),
    }
}

fn out_of_range(value: i64, scalar: Scalar, min: i64, max: i64) -> Reject {
    Reject::Value(format!("{value} is out of range for {} ({min} to {max})", scalar.as_str()))
}

#[cold]
fn rejected<'a, V: Lower<'a>>(ty: &Type, value: &V, reason: Reject) -> Error {
    match reason {
        Reject::Type => Error::new(ErrorKind::TypeMismatch, format!("expected {ty}, got {}", value.type_name())),
        other => rejected_item(ty, other),
    }
}

#[cold]
fn rejected_item(ty: &Type, reason: Reject) -> Error {
    match reason {
        Reject::Type => Error::new(ErrorKind::TypeMismatch, format!("expected {ty}")),
        Reject::Value(text) => Error::new(ErrorKind::TypeMismatch, text),
        Reject::Within(path, text) => Error::new(ErrorKind::TypeMismatch, text).at(path),
        Reject::Error(error) => error,
    }
}
