//! The arguments of a function as a tuple.

use crate::error::{Error, ErrorKind, Result};
use crate::interface::{Field, Function};

use super::{PlainValue, ToGuest, Writer, checked};

/// Tuples that can be the arguments of a [`Function`](crate::Function): of up to 16 values that are
/// [`ToGuest`].
pub trait Params {
    /// Checks them against the parameters.
    #[doc(hidden)]
    fn check_params(function: &Function) -> Result<()>;

    /// Lowers them to their places.
    #[doc(hidden)]
    fn lower_params<'a>(&'a self, function: &Function, writer: &mut Writer<'_, 'a>) -> Result<()>;

    /// Gives them one after another, as values that need no block. Returns whether all of them are
    /// such.
    #[doc(hidden)]
    fn plain_params<'a>(&'a self, give: impl FnMut(PlainValue<'a>) -> Result<()>) -> Result<bool>;
}

/// The error for another number of arguments.
#[cold]
pub(crate) fn miscounted(function: &Function, given: usize) -> Error {
    let text = format!("the plugin's function has {} parameters, and the program's {given}: {function}", function.own_params().len());
    Error::new(ErrorKind::SignatureMismatch, text).in_function(&function.name)
}

impl Params for () {
    fn check_params(function: &Function) -> Result<()> {
        if function.own_params().is_empty() { Ok(()) } else { Err(miscounted(function, 0)) }
    }

    #[inline]
    fn lower_params<'a>(&'a self, _: &Function, _: &mut Writer<'_, 'a>) -> Result<()> {
        Ok(())
    }

    #[inline]
    fn plain_params<'a>(&'a self, _: impl FnMut(PlainValue<'a>) -> Result<()>) -> Result<bool> {
        Ok(true)
    }
}

macro_rules! params {
    ($($($name:ident $i:tt),+;)*) => {$(
        impl<$($name: ToGuest),+> Params for ($($name,)+) {
            fn check_params(function: &Function) -> Result<()> {
                const LEN: usize = [$($i),+].len();
                let params = function.own_params();
                if params.len() != LEN {
                    return Err(miscounted(function, LEN));
                }
                $(check_param::<$name>(&params[$i]).map_err(|error| named(error, &params[$i]).in_function(&function.name))?;)+
                Ok(())
            }

            #[inline]
            fn lower_params<'a>(&'a self, function: &Function, writer: &mut Writer<'_, 'a>) -> Result<()> {
                // The object of a method is passed by its caller.
                let first = usize::from(function.is_method);
                $({
                    let at = function.abi.params.offsets[first + $i];
                    writer.block().begin_param(first + $i);
                    self.$i.lower(writer, at).map_err(|error| named(error, &function.params[first + $i]).in_function(&function.name))?;
                })+
                Ok(())
            }

            // What kind of value each is, is then known.
            #[inline(always)]
            fn plain_params<'a>(&'a self, mut give: impl FnMut(PlainValue<'a>) -> Result<()>) -> Result<bool> {
                $(
                    let Some(value) = self.$i.as_plain() else { return Ok(false) };
                    give(value)?;
                )+
                Ok(true)
            }
        }
    )*};
}

/// Checks the type of a parameter.
fn check_param<T: ToGuest>(param: &Field) -> Result<()> {
    checked::<T>(&param.ty)?;
    if !param.ty.mixes_handles() {
        return Ok(());
    }
    let text = format!("{} has handles that are given away, and others that are lent, which types of Rust do not tell apart", param.ty);
    Err(Error::new(ErrorKind::SignatureMismatch, text))
}

#[cold]
fn named(error: Error, param: &Field) -> Error {
    error.at(param.name.clone())
}

params! {
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
    A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11, M 12;
    A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11, M 12, N 13;
    A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11, M 12, N 13, O 14;
    A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11, M 12, N 13, O 14, P 15;
}
