//! Optimises Go's code before it is compiled, with the crate `gowasm`, within the bounds of
//! loading.

use crate::compile::bounds;

/// What is compiled in place of a module.
pub(crate) enum Rewritten {
    /// This module, which has the same functions.
    As(Vec<u8>),
    /// The module itself: it is not Go's, was optimised before, or would exceed the bounds.
    AsItIs,
    /// Nothing: the code is no longer wanted.
    Unwanted,
}

/// Rewrites a module that is within `times` the usual bounds.
///
/// The digest of the module, and what is reported of it, stay those of the original. No safety
/// rests on this: the engine validates what it compiles.
pub(crate) fn rewrite(module: &[u8], times: u32, wanted: impl Fn() -> bool) -> Rewritten {
    match gowasm::optimize_while(module, wanted) {
        // The estimate grows with nested loops, which the original may have hidden in a jump table.
        Ok(done) if bounds::check_work(&done.module, times).is_ok() => Rewritten::As(done.module),
        Err(gowasm::Unchanged::Stopped) => Rewritten::Unwanted,
        Ok(_) | Err(_) => Rewritten::AsItIs,
    }
}
