//! Rust types as types of the interface: checked once, then lowered and lifted without a look at
//! the interface, because a Rust type alone says how it lies in memory.

mod containers;
mod errors;
mod once;
mod params;
mod parts;
mod scalars;

use std::any::type_name;

pub(crate) use errors::ErrorType;
pub use errors::GuestError;
pub use params::Params;
pub(crate) use params::miscounted;
pub use parts::{
    Cases, Layout, MethodCheck, Reader, Writer, check_enum, check_object, check_record, check_resource, check_variant, no_case, no_object,
};
pub(crate) use parts::{check_handle, check_method};
pub use scalars::{Json, Nanoseconds};

use crate::error::{Error, ErrorKind, Result};
use crate::interface::{Scalar, Type};

/// A Rust type that stands for a type of the interface.
///
/// | in the interface | in Rust |
/// | --- | --- |
/// | `bool`, `s8` … `u64`, `f32`, `f64` | `bool`, `i8` … `u64`, `f32`, `f64` |
/// | `string` | `String`, `&str`, `Box<str>`, `Arc<str>` |
/// | `list<T>` | `Vec<T>`, `&[T]`, `[T; N]` |
/// | `list<T, N>` | `[T; N]` |
/// | `map<K, V>` | `BTreeMap<K, V>`, `HashMap<K, V>` |
/// | `option<T>` | `Option<T>` |
/// | `tuple<A, B>` | `(A, B)` |
/// | a record, an enum, a variant | a struct, an enum that derives `GuestType` |
/// | `duration` | [`Nanoseconds`]; [`Duration`](std::time::Duration), which is never negative |
/// | `time` | [`Time`](crate::interface::Time); [`SystemTime`](std::time::SystemTime), as UTC |
/// | `json` | [`Json`] |
///
/// References and boxes of these stand for the same. What is borrowed can be passed to the guest
/// ([`ToGuest`]), and what is owned also comes from it ([`FromGuest`]).
///
/// Derive it for structs and enums. A struct stands for a record with the same fields in the same
/// order, and an enum for an enum or a variant with the same cases in the same order; a case has
/// one value, or none. `#[guest(name = "…")]` gives the name of a field or case in the interface
/// where the one in Rust differs by more than its spelling. The derive also implements [`ToGuest`]
/// and, unless the type has a lifetime, [`FromGuest`]; with `#[guest(error)]` it also implements
/// [`GuestError`].
///
/// ```no_run
/// use undergo::{GuestType, InstanceOptions, Plugin};
///
/// #[derive(Debug, GuestType)]
/// struct Person {
///     name: String,
///     tags: Vec<String>,
///     mood: Option<Mood>,
/// }
///
/// #[derive(Debug, GuestType)]
/// enum Mood {
///     Fine,
///     SoSo,
/// }
///
/// # fn main() -> undergo::Result<()> {
/// let greeter = Plugin::from_file("greeter.wasm")?.instantiate(InstanceOptions::default())?;
/// let greet = greeter.function::<(&Person, bool), String>("greet")?;
/// let ada = Person { name: "Ada".into(), tags: vec![], mood: Some(Mood::Fine) };
/// println!("{}", greet.call((&ada, true))?);
/// # Ok(())
/// # }
/// ```
///
/// A Go interface that is marked with `//undergo:variant`, and a value that is only passed:
///
/// ```
/// use undergo::GuestType;
///
/// #[derive(Debug, GuestType)]
/// enum Shape {
///     Circle(Circle),
///     Label(String),
///     Empty,
/// }
///
/// #[derive(Debug, GuestType)]
/// struct Circle {
///     radius: f64,
/// }
///
/// #[derive(GuestType)]
/// enum ShapeRef<'a> {
///     Circle(&'a Circle),
///     Label(&'a str),
///     Empty,
/// }
/// ```
pub trait GuestType {
    /// Bytes in memory.
    const SIZE: u32;
    /// Its alignment: 1, 2, 4 or 8.
    const ALIGN: u32;

    /// Checks that it stands for that type of the interface.
    ///
    /// # Errors
    ///
    /// `signature-mismatch`, with the path of the part that differs.
    fn check(ty: &Type) -> Result<()>;

    /// The same for the result of a function, which may have none: `()` stands for that.
    ///
    /// # Errors
    ///
    /// As [`check`](GuestType::check).
    fn check_result(ty: Option<&Type>) -> Result<()> {
        match ty {
            Some(ty) => checked::<Self>(ty),
            None => Err(differs::<Self>("no result")),
        }
    }
}

/// Rust values that can be passed to a guest. See [`GuestType`], whose derive implements it.
pub trait ToGuest: GuestType {
    /// Writes the value to that place.
    ///
    /// # Errors
    ///
    /// `type-mismatch` for a value that the type of the interface does not have, such as a text
    /// that is no JSON, and for more data than a guest's memory may have.
    fn lower<'a>(&'a self, writer: &mut Writer<'_, 'a>, at: u32) -> Result<()>;

    /// The value as one that needs no block, if it is one.
    #[doc(hidden)]
    #[inline]
    fn as_plain(&self) -> Option<PlainValue<'_>> {
        None
    }

    /// A list of such values as the bytes of scalars, if they lie in memory as in the guest's.
    #[doc(hidden)]
    #[inline]
    fn as_scalars(list: &[Self]) -> Option<(Scalar, &[u8])>
    where
        Self: Sized,
    {
        let _ = list;
        None
    }
}

/// Rust values that can come from a guest. See [`GuestType`], whose derive implements it.
pub trait FromGuest: GuestType + Sized {
    /// Makes the value of what is at that place. All that is there comes from the guest, and is
    /// checked.
    ///
    /// # Errors
    ///
    /// `trap` for an invalid representation, `type-mismatch` for text that is not UTF-8,
    /// `out-of-memory` for more data than [`Limits::value`](crate::Limits::value) allows.
    fn lift(reader: Reader<'_>, at: u32) -> Result<Self>;

    /// Makes a list of values that are one behind the other.
    #[doc(hidden)]
    fn lift_list(reader: Reader<'_>, len: usize) -> Result<Vec<Self>> {
        let mut items = Vec::with_capacity(len);
        for i in 0..len {
            if i % LOOK_AT_ITEMS == 0 {
                reader.quota().look()?;
            }
            // The guest's memory holds all of them, so that this fits.
            items.push(Self::lift(reader, i as u32 * Self::SIZE).map_err(|error| error.at(format!("[{i}]")))?);
        }
        Ok(items)
    }
}

/// How many items of a list are lifted between two checks of the deadline.
const LOOK_AT_ITEMS: usize = 1024;

/// A value that is copied as it lies in the host's memory.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub enum PlainValue<'a> {
    /// The lowest bytes of this number.
    Number(u64),
    Text(&'a str),
    List(Scalar, &'a [u8]),
}

/// Checks a type, and that it says of its layout what the interface says. What is implemented by
/// hand may be wrong.
pub(crate) fn checked<T: GuestType + ?Sized>(ty: &Type) -> Result<()> {
    T::check(ty)?;
    if (T::SIZE, T::ALIGN) == (ty.size, ty.align) { Ok(()) } else { Err(mismatch::<T>(ty)) }
}

/// The error for a Rust type that does not stand for that type of the interface.
#[cold]
pub(crate) fn mismatch<T: ?Sized>(ty: &Type) -> Error {
    differs::<T>(&ty.to_string())
}

#[cold]
fn differs<T: ?Sized>(wanted: &str) -> Error {
    let text = format!("the plugin has {wanted} here, and the program has {}", type_name::<T>());
    Error::new(ErrorKind::SignatureMismatch, text)
}

impl GuestType for () {
    const SIZE: u32 = 0;
    const ALIGN: u32 = 1;

    fn check(ty: &Type) -> Result<()> {
        Err(mismatch::<Self>(ty))
    }

    fn check_result(ty: Option<&Type>) -> Result<()> {
        ty.map_or(Ok(()), Self::check)
    }
}

impl ToGuest for () {
    fn lower<'a>(&'a self, _: &mut Writer<'_, 'a>, _: u32) -> Result<()> {
        Ok(())
    }
}

impl FromGuest for () {
    fn lift(_: Reader<'_>, _: u32) -> Result<()> {
        Ok(())
    }
}
