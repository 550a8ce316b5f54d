//! Values without parts: bools, numbers, text, durations and times.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::abi::lift;
use crate::abi::lower::Reject;
use crate::abi::lower::check_json;
use crate::abi::memory;
use crate::error::{Error, ErrorKind, Result};
use crate::interface::{Scalar, Time, Type, TypeKind};

use super::{FromGuest, GuestType, PlainValue, Reader, ToGuest, Writer, mismatch};

macro_rules! scalars {
    ($($ty:ty: $kind:ident $(| $bare:ident)?, $read:ident, $bits:expr;)*) => {$(
        impl GuestType for $ty {
            const SIZE: u32 = size_of::<$ty>() as u32;
            const ALIGN: u32 = Self::SIZE;

            fn check(ty: &Type) -> Result<()> {
                match ty.kind {
                    TypeKind::Scalar(Scalar::$kind $(| Scalar::$bare)?) => Ok(()),
                    _ => Err(mismatch::<Self>(ty)),
                }
            }
        }

        impl ToGuest for $ty {
            #[inline]
            fn lower<'a>(&'a self, writer: &mut Writer<'_, 'a>, at: u32) -> Result<()> {
                writer.put(at, self.to_le_bytes());
                Ok(())
            }

            #[inline]
            fn as_plain(&self) -> Option<PlainValue<'_>> {
                let bits: fn($ty) -> u64 = $bits;
                Some(PlainValue::Number(bits(*self)))
            }

            #[inline]
            fn as_scalars(list: &[Self]) -> Option<(Scalar, &[u8])> {
                if cfg!(target_endian = "big") {
                    return None;
                }
                // SAFETY: any number is as many bytes as it is wide, without padding, and they lie
                // where the numbers do.
                let bytes = unsafe { std::slice::from_raw_parts(list.as_ptr().cast::<u8>(), size_of_val(list)) };
                Some((Scalar::$kind, bytes))
            }
        }

        impl FromGuest for $ty {
            #[inline]
            fn lift(reader: Reader<'_>, at: u32) -> Result<Self> {
                Ok(memory::$read(reader.bytes(), at))
            }

            fn lift_list(reader: Reader<'_>, _: usize) -> Result<Vec<Self>> {
                let numbers = reader.bytes().chunks_exact(size_of::<$ty>());
                Ok(numbers.map(|bytes| memory::$read(bytes, 0)).collect())
            }
        }
    )*};
}

scalars! {
    i8: S8, read_i8, |n| n as u64;
    u8: U8, read_u8, u64::from;
    i16: S16, read_i16, |n| n as u64;
    u16: U16, read_u16, u64::from;
    i32: S32 | WasmI32, read_i32, |n| n as u64;
    u32: U32 | WasmI32, read_u32, u64::from;
    i64: S64 | WasmI64, read_i64, |n| n as u64;
    u64: U64 | WasmI64, read_u64, |n| n;
    f32: F32, read_f32, |n| n.to_bits().into();
    f64: F64, read_f64, f64::to_bits;
}

impl GuestType for bool {
    const SIZE: u32 = 1;
    const ALIGN: u32 = 1;

    fn check(ty: &Type) -> Result<()> {
        if matches!(ty.kind, TypeKind::Bool) { Ok(()) } else { Err(mismatch::<Self>(ty)) }
    }
}

impl ToGuest for bool {
    #[inline]
    fn lower<'a>(&'a self, writer: &mut Writer<'_, 'a>, at: u32) -> Result<()> {
        writer.put(at, [u8::from(*self)]);
        Ok(())
    }

    #[inline]
    fn as_plain(&self) -> Option<PlainValue<'_>> {
        Some(PlainValue::Number((*self).into()))
    }
}

impl FromGuest for bool {
    #[inline]
    fn lift(reader: Reader<'_>, at: u32) -> Result<bool> {
        lift::lift_bool(reader.bytes(), at)
    }
}

/// Text of the interface's type `string`.
macro_rules! texts {
    ($($ty:ty)*) => {$(
        impl GuestType for $ty {
            const SIZE: u32 = 8;
            const ALIGN: u32 = 4;

            fn check(ty: &Type) -> Result<()> {
                if matches!(ty.kind, TypeKind::String) { Ok(()) } else { Err(mismatch::<Self>(ty)) }
            }
        }

        impl ToGuest for $ty {
            #[inline]
            fn lower<'a>(&'a self, writer: &mut Writer<'_, 'a>, at: u32) -> Result<()> {
                writer.block().put_str(at, self)
            }

            #[inline]
            fn as_plain(&self) -> Option<PlainValue<'_>> {
                Some(PlainValue::Text(self))
            }
        }
    )*};
}

texts! { str String }

impl FromGuest for String {
    #[inline]
    fn lift(reader: Reader<'_>, at: u32) -> Result<String> {
        reader.text(at).map(str::to_owned)
    }
}

impl FromGuest for Box<str> {
    fn lift(reader: Reader<'_>, at: u32) -> Result<Box<str>> {
        reader.text(at).map(Into::into)
    }
}

impl FromGuest for Arc<str> {
    fn lift(reader: Reader<'_>, at: u32) -> Result<Arc<str>> {
        reader.text(at).map(Into::into)
    }
}

/// Text that holds one JSON value: a `json.RawMessage` in Go. Each JSON library of Rust reads and
/// writes it.
///
/// ```
/// let answer = undergo::Json(r#"{"found": 3}"#.to_owned());
/// assert_eq!(answer.to_string(), r#"{"found": 3}"#);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Json(pub String);

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl GuestType for Json {
    const SIZE: u32 = 8;
    const ALIGN: u32 = 4;

    fn check(ty: &Type) -> Result<()> {
        if matches!(ty.kind, TypeKind::Json) { Ok(()) } else { Err(mismatch::<Self>(ty)) }
    }
}

impl ToGuest for Json {
    fn lower<'a>(&'a self, writer: &mut Writer<'_, 'a>, at: u32) -> Result<()> {
        check_json(&self.0).map_err(invalid)?;
        writer.block().put_str(at, &self.0)
    }

    #[inline]
    fn as_plain(&self) -> Option<PlainValue<'_>> {
        Some(PlainValue::Text(&self.0))
    }
}

impl FromGuest for Json {
    fn lift(reader: Reader<'_>, at: u32) -> Result<Json> {
        lift::lift_json(reader.text(at)?).map(|text| Json(text.to_owned()))
    }
}

#[cold]
fn invalid(reason: Reject) -> Error {
    match reason {
        Reject::Value(text) | Reject::Within(_, text) => Error::new(ErrorKind::TypeMismatch, text),
        Reject::Error(error) => error,
        Reject::Type => Error::new(ErrorKind::TypeMismatch, "the text is not JSON"),
    }
}

/// A duration as Go has it: a signed number of nanoseconds. [`Duration`], which is never negative,
/// stands for the same type of the interface.
///
/// ```
/// use std::time::Duration;
/// use undergo::Nanoseconds;
///
/// assert_eq!(Nanoseconds::try_from(Duration::from_micros(2)), Ok(Nanoseconds(2000)));
/// assert!(Duration::try_from(Nanoseconds(-1)).is_err());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Nanoseconds(pub i64);

impl TryFrom<Duration> for Nanoseconds {
    type Error = std::num::TryFromIntError;

    fn try_from(duration: Duration) -> Result<Nanoseconds, Self::Error> {
        i64::try_from(duration.as_nanos()).map(Nanoseconds)
    }
}

impl TryFrom<Nanoseconds> for Duration {
    type Error = std::num::TryFromIntError;

    fn try_from(Nanoseconds(count): Nanoseconds) -> Result<Duration, Self::Error> {
        u64::try_from(count).map(Duration::from_nanos)
    }
}

fn check_duration<T>(ty: &Type) -> Result<()> {
    if matches!(ty.kind, TypeKind::Duration) { Ok(()) } else { Err(mismatch::<T>(ty)) }
}

impl GuestType for Nanoseconds {
    const SIZE: u32 = 8;
    const ALIGN: u32 = 8;

    fn check(ty: &Type) -> Result<()> {
        check_duration::<Self>(ty)
    }
}

impl ToGuest for Nanoseconds {
    fn lower<'a>(&'a self, writer: &mut Writer<'_, 'a>, at: u32) -> Result<()> {
        self.0.lower(writer, at)
    }

    #[inline]
    fn as_plain(&self) -> Option<PlainValue<'_>> {
        self.0.as_plain()
    }
}

impl FromGuest for Nanoseconds {
    fn lift(reader: Reader<'_>, at: u32) -> Result<Nanoseconds> {
        i64::lift(reader, at).map(Nanoseconds)
    }
}

impl GuestType for Duration {
    const SIZE: u32 = 8;
    const ALIGN: u32 = 8;

    fn check(ty: &Type) -> Result<()> {
        check_duration::<Self>(ty)
    }
}

impl ToGuest for Duration {
    fn lower<'a>(&'a self, writer: &mut Writer<'_, 'a>, at: u32) -> Result<()> {
        let count = Nanoseconds::try_from(*self).map_err(|_| {
            let text = format!("{self:?} is out of range for a duration of 64 bits of nanoseconds");
            Error::new(ErrorKind::TypeMismatch, text)
        })?;
        writer.put(at, count.0.to_le_bytes());
        Ok(())
    }
}

impl FromGuest for Duration {
    fn lift(reader: Reader<'_>, at: u32) -> Result<Duration> {
        let count = Nanoseconds::lift(reader, at)?;
        count.try_into().map_err(|_| {
            let text = format!("the guest gave a negative duration, {} ns: take it as Nanoseconds", count.0);
            Error::new(ErrorKind::TypeMismatch, text)
        })
    }
}

fn check_time<T>(ty: &Type) -> Result<()> {
    if matches!(ty.kind, TypeKind::Time) { Ok(()) } else { Err(mismatch::<T>(ty)) }
}

impl GuestType for Time {
    const SIZE: u32 = 16;
    const ALIGN: u32 = 8;

    fn check(ty: &Type) -> Result<()> {
        check_time::<Self>(ty)
    }
}

impl ToGuest for Time {
    fn lower<'a>(&'a self, writer: &mut Writer<'_, 'a>, at: u32) -> Result<()> {
        writer.block().lower_time(*self, at).map_err(invalid)
    }
}

impl FromGuest for Time {
    fn lift(reader: Reader<'_>, at: u32) -> Result<Time> {
        lift::lift_time(reader.bytes(), at)
    }
}

impl GuestType for SystemTime {
    const SIZE: u32 = 16;
    const ALIGN: u32 = 8;

    fn check(ty: &Type) -> Result<()> {
        check_time::<Self>(ty)
    }
}

impl ToGuest for SystemTime {
    fn lower<'a>(&'a self, writer: &mut Writer<'_, 'a>, at: u32) -> Result<()> {
        let time = Time::try_from(*self)?;
        writer.block().lower_time(time, at).map_err(invalid)
    }
}

impl FromGuest for SystemTime {
    fn lift(reader: Reader<'_>, at: u32) -> Result<SystemTime> {
        Time::lift(reader, at)?.try_into()
    }
}

impl TryFrom<SystemTime> for Time {
    type Error = Error;

    /// The instant in UTC.
    fn try_from(time: SystemTime) -> Result<Time> {
        let too_far = |_| Error::new(ErrorKind::TypeMismatch, "the time is too far from 1970 for 64 bits of seconds");
        let (seconds, nanoseconds) = match time.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(after) => (i64::try_from(after.as_secs()).map_err(too_far)?, after.subsec_nanos()),
            Err(error) => {
                let before = error.duration();
                let seconds = -i64::try_from(before.as_secs()).map_err(too_far)?;
                // The nanoseconds count upwards from the second before.
                if before.subsec_nanos() == 0 { (seconds, 0) } else { (seconds - 1, 1_000_000_000 - before.subsec_nanos()) }
            }
        };
        Ok(Time { seconds, nanoseconds, offset: 0 })
    }
}

impl TryFrom<Time> for SystemTime {
    type Error = Error;

    /// The instant, without its offset.
    fn try_from(time: Time) -> Result<SystemTime> {
        let (epoch, distance) = (SystemTime::UNIX_EPOCH, Duration::from_secs(time.seconds.unsigned_abs()));
        let second = if time.seconds < 0 { epoch.checked_sub(distance) } else { epoch.checked_add(distance) };
        second
            .and_then(|second| second.checked_add(Duration::from_nanos(time.nanoseconds.into())))
            .ok_or_else(|| Error::new(ErrorKind::TypeMismatch, "the time is too far from 1970 for this system: take it as Time"))
    }
}
