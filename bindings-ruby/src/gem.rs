//! Functions of the gem's own Ruby.

use magnus::prelude::*;
use magnus::{ArgList, Error, RModule, Ruby, TryConvert};

/// Calls a function of the gem's module `Native`.
pub(crate) fn call<A: ArgList, T: TryConvert>(ruby: &Ruby, function: &str, args: A) -> Result<T, Error> {
    let module: RModule = ruby.class_object().const_get("Undergo")?;
    let native: RModule = module.const_get("Native")?;
    native.funcall(function, args)
}
