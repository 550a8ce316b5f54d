//! What a guest refuses to carry: it says so by the interface `undergo:go/refusal`, and lives on. See docs/abi.md, section 9.

use crate::error::{Error, Result};
use crate::interface::Function;

/// Why there is no value where the host finds none.
pub(crate) struct NoValue {
    pub(crate) path: String,
    pub(crate) why: String,
}

/// What a guest refused, and nobody has heard of yet.
#[derive(Default)]
pub(crate) struct Refusals {
    /// The first value that it has not laid out.
    pub(crate) value: Option<Box<NoValue>>,
    /// The arguments of the call that is about to return.
    pub(crate) arguments: Option<Error>,
}

impl Refusals {
    /// Forgets what was said of a value that nobody has asked for: it was about another call.
    #[inline]
    pub(crate) fn begin(&mut self) {
        if self.value.is_some() {
            self.value = None;
        }
    }

    /// Fails when the call that has just returned did nothing, because the guest refused its arguments.
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

    /// What became of a value that can't be lifted: perhaps the guest has said why there is none.
    #[cold]
    pub(crate) fn explain(&mut self, error: Error) -> Error {
        match self.value.take() {
            Some(said) if error.is_of_no_value() => error.explained(said.why, said.path),
            _ => error,
        }
    }
}
