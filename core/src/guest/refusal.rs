//! Values that a guest refuses, by the interface `undergo:go/refusal`. It lives on. See
//! docs/abi.md, section 9.

use crate::error::{Error, Result};
use crate::interface::Function;

/// Why there is no value where the host finds an invalid one.
pub(crate) struct NoValue {
    pub(crate) path: String,
    pub(crate) why: String,
}

/// Refusals that have not been reported yet.
#[derive(Default)]
pub(crate) struct Refusals {
    /// The first value that the guest has refused to lower.
    pub(crate) value: Option<Box<NoValue>>,
    /// The arguments of the call that is about to return.
    pub(crate) arguments: Option<Error>,
}

impl Refusals {
    /// Forgets a refused value that nobody has asked for: it was about another call.
    #[inline]
    pub(crate) fn begin(&mut self) {
        if self.value.is_some() {
            self.value = None;
        }
    }

    /// Fails if the call that has just returned did nothing because the guest refused its
    /// arguments.
    #[inline]
    pub(crate) fn check(&mut self, function: &Function) -> Result<()> {
        match self.arguments {
            None => Ok(()),
            Some(_) => self.refused(function),
        }
    }

    #[cold]
    fn refused(&mut self, function: &Function) -> Result<()> {
        self.arguments.take().map_or(Ok(()), |error| Err(error.in_function(&function.name)))
    }

    /// The error for a value that can't be lifted: the guest's reason, if it has given one.
    #[cold]
    pub(crate) fn explain(&mut self, error: Error) -> Error {
        match self.value.take() {
            Some(said) if error.is_of_no_value() => error.explained(said.why, said.path),
            _ => error,
        }
    }
}
