//! Go's code made faster before it is compiled: what the crate `gowasm` makes of a module, within the bounds of loading.

use crate::compile::bounds;

/// What is compiled in place of a module.
pub(crate) enum Rewritten {
    /// This module, which has the same functions.
    As(Vec<u8>),
    /// It as it is: it is not Go's, or went through this before, or would ask for more than the bounds allow.
    AsItIs,
    /// Nothing: nobody wants it any more.
    Unwanted,
}

/// Rewrites a module that keeps `times` the usual bounds.
///
/// Its digest, and what is told of it, stay those of the original. No safety rests on this: the engine validates what it compiles.
pub(crate) fn rewrite(module: &[u8], times: u32, wanted: impl Fn() -> bool) -> Rewritten {
    match gowasm::optimize_while(module, wanted) {
        // The estimate grows with loops within each other, and the original may have had them hidden in a table of jumps.
        Ok(done) if bounds::check_work(&done.module, times).is_ok() => Rewritten::As(done.module),
        Err(gowasm::Unchanged::Stopped) => Rewritten::Unwanted,
        Ok(_) | Err(_) => Rewritten::AsItIs,
    }
}
