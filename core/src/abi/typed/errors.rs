//! Errors with fields as Rust's own types.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use crate::abi::chain::ErrorFields;
use crate::error::{ChainedError, Error, HostError, Result};
use crate::interface::{Function, Type, TypeKind, VariantType, names};

use super::{FromGuest, ToGuest, checked};

/// A Rust type that stands for an error with fields: one that the Go code marks with
/// `//undergo:error`.
///
/// `#[guest(error)]` beside the derive of [`GuestType`](crate::GuestType) implements it for a
/// struct that is a [`std::error::Error`]. The struct has the name of the error in the interface;
/// `#[guest(error, name = "…")]` gives that name where the one in Rust differs by more than its
/// spelling.
///
/// - [`Error::find`] gives such an error back that a Go function has returned, or wrapped.
/// - A host function that fails with one reaches Go as that error, for which `errors.As` looks. A
///   closure may return it as [`Error`] (`?` and `into` convert it), or, where
///   [`Imports::error`](crate::Imports::error) has named the type, by itself or among the sources
///   of a boxed error.
///
/// ```
/// use std::fmt;
///
/// use undergo::{GuestType, Imports};
///
/// #[derive(Debug, GuestType)]
/// #[guest(error)]
/// struct NotFound {
///     key: String,
///     code: i64,
/// }
///
/// impl fmt::Display for NotFound {
///     fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
///         write!(f, "not found: {}", self.key)
///     }
/// }
///
/// impl std::error::Error for NotFound {}
///
/// fn lookup(key: String) -> undergo::Result<String> {
///     Err(NotFound { key, code: 404 }.into())
/// }
///
/// let mut imports = Imports::default();
/// imports.function("directory", "lookup", lookup);
///
/// // Of a call that failed: the fields, wherever in the chain they are.
/// fn is_missing(error: &undergo::Error) -> bool {
///     error.find::<NotFound>().is_some_and(|found| found.code == 404)
/// }
/// ```
pub trait GuestError: StdError + ToGuest + FromGuest + Send + Sync + 'static {
    /// The error's name in the interface, or the same in the spelling of Rust.
    const NAME: &'static str;
}

impl Error {
    /// The first error of that type in the [chain](Error::chain): the one that the Go function
    /// returned, or one that it wraps. `None` if there is none, or if the plugin's error of that
    /// name has other fields.
    ///
    /// ```
    /// # use std::fmt;
    /// # use undergo::{Function, GuestType};
    /// #[derive(Debug, GuestType)]
    /// #[guest(error)]
    /// struct NotFound {
    ///     key: String,
    ///     code: i64,
    /// }
    /// # impl fmt::Display for NotFound {
    /// #     fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    /// #         write!(f, "not found: {}", self.key)
    /// #     }
    /// # }
    /// # impl std::error::Error for NotFound {}
    ///
    /// type Load = Function<(&'static str,), String>;
    ///
    /// fn load(load: &Load, key: &str) -> undergo::Result<Option<String>> {
    ///     match load.call((key,)) {
    ///         Ok(text) => Ok(Some(text)),
    ///         Err(error) if error.find::<NotFound>().is_some() => Ok(None),
    ///         Err(error) => Err(error),
    ///     }
    /// }
    /// ```
    #[must_use]
    pub fn find<E: GuestError>(&self) -> Option<E> {
        self.chain().iter().find_map(ChainedError::get)
    }
}

impl ChainedError {
    /// The error as that type, if it is one: see [`Error::find`].
    #[must_use]
    pub fn get<E: GuestError>(&self) -> Option<E> {
        let fields = self.fields()?;
        if names::means(E::NAME, &fields.record().name) { fields.get() } else { None }
    }
}

/// The error of a host function that Go gets as that type. [`Error::host`] is the value itself.
impl<E: GuestError> From<E> for Error {
    fn from(error: E) -> Error {
        let text = error.to_string();
        let typed = ChainedError { text: text.clone(), fields: Some(Arc::new(ErrorType::of::<E>())) };
        Error::from_host(text, Arc::new(error)).with_chain(vec![typed])
    }
}

/// A type of errors that a program has. As the fields of a [`ChainedError`] it says of which type
/// the host's own object is: its fields are read once it is known for which interface.
#[derive(Clone, Copy)]
pub(crate) struct ErrorType {
    name: &'static str,
    check: fn(&Type) -> Result<()>,
    pub(crate) of_host: fn(&HostError) -> Option<&(dyn StdError + 'static)>,
    lower: fn(&(dyn StdError + 'static), &Type) -> Option<Result<ErrorFields>>,
}

impl ErrorType {
    pub(crate) fn of<E: GuestError>() -> ErrorType {
        ErrorType {
            name: E::NAME,
            check: checked::<E>,
            of_host: |host| host.downcast_ref::<E>().map(|error| error as _),
            lower: |error, record| {
                let error = error.downcast_ref::<E>()?;
                Some(checked::<E>(record).and_then(|()| ErrorFields::of(record, error)))
            },
        }
    }

    /// The fields of an error that is of this type, if the interface declares it.
    pub(crate) fn fields(&self, error: &(dyn StdError + 'static), errors: &VariantType) -> Option<Result<ErrorFields>> {
        (self.lower)(error, self.declared_in(errors)?)
    }

    /// The record of this type's fields.
    fn declared_in<'t>(&self, errors: &'t VariantType) -> Option<&'t Type> {
        let case = errors.cases.iter().find(|case| names::means(self.name, &case.name))?;
        match &case.ty.as_ref()?.kind {
            TypeKind::Tuple(both) => both.items.get(1),
            _ => None,
        }
    }

    /// Checks it for a function that a plugin imports.
    ///
    /// # Errors
    ///
    /// `signature-mismatch` if the interface declares an error of that name with other fields.
    pub(crate) fn check_for(&self, function: &Function) -> Result<()> {
        match function.errors.as_ref().and_then(|errors| self.declared_in(errors)) {
            Some(record) => (self.check)(record).map_err(|error| error.at(format!(" -> {record}"))),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for ErrorType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}
