//! Functions of an interface.

use std::fmt;
use std::sync::Arc;

use super::{Extension, Field, Type, VariantType};
use crate::interface::layout::Signature;

/// A function of the interface.
#[derive(Debug)]
pub struct Function {
    /// Its name, in kebab-case.
    pub name: String,
    /// The doc comment; may be empty.
    pub docs: String,
    /// The parameters.
    pub params: Vec<Field>,
    /// The result without its error; `None` when there is none.
    pub result: Option<Type>,
    /// Whether it can return an error: the result is a `result<T, string>`, or a `result<T,
    /// list<E>>` with `errors`.
    pub fallible: bool,
    /// The sorts of errors that it returns chains of, if the interface has errors with fields.
    pub errors: Option<Arc<VariantType>>,
    /// What the error is in the component that has the function.
    pub(crate) failure: Failure,
    /// Whether its first parameter is the object whose method it is.
    pub is_method: bool,
    /// What a host caches for this function.
    pub extension: Extension,
    /// Its name in the module.
    pub(crate) core_name: String,
    pub(crate) abi: Signature,
}

/// What the error of a function is in its guest.
#[derive(Clone, Debug, Default)]
pub(crate) enum Failure {
    /// As [`Function::errors`] says: a text, or a chain of errors.
    #[default]
    Error,
    /// A value of a component's own type, which is the fields of the one error in a chain.
    Value(Type),
    /// Nothing.
    Nothing,
}

impl Function {
    /// The parameters but for the object of a method.
    #[must_use]
    pub fn own_params(&self) -> &[Field] {
        &self.params[usize::from(self.is_method)..]
    }

    /// Whether all its values lie in the host's blocks as they do in a component's memory.
    pub(crate) fn is_alike(&self) -> bool {
        let mut all = self.params.iter().map(|param| &param.ty).chain(&self.result);
        matches!(self.failure, Failure::Error) && all.all(|ty| ty.is_alike) && self.errors.as_ref().is_none_or(|errors| errors.is_alike())
    }

    /// Whether a parameter or the result is, or has, a handle.
    #[must_use]
    pub fn holds_handles(&self) -> bool {
        self.gives_handles() || self.params.iter().any(|param| param.ty.holds_handles())
    }

    /// Whether its result has handles, which belong to one instance.
    #[must_use]
    pub fn gives_handles(&self) -> bool {
        self.result.as_ref().is_some_and(Type::holds_handles)
    }
}

impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}(", self.name)?;
        for (i, param) in self.params.iter().enumerate() {
            write!(f, "{}{}: {}", if i == 0 { "" } else { ", " }, param.name, param.ty)?;
        }
        f.write_str(")")?;
        let error = match (&self.failure, &self.errors) {
            (Failure::Value(ty), _) => format!(", {ty}"),
            (Failure::Nothing, _) => String::new(),
            (Failure::Error, Some(errors)) => format!(", list<{}>", errors.name),
            (Failure::Error, None) => ", string".to_owned(),
        };
        match (&self.result, self.fallible) {
            (Some(result), false) => write!(f, " -> {result}"),
            (Some(result), true) => write!(f, " -> result<{result}{error}>"),
            (None, true) if error.is_empty() => f.write_str(" -> result"),
            (None, true) => write!(f, " -> result<_{error}>"),
            (None, false) => Ok(()),
        }
    }
}
