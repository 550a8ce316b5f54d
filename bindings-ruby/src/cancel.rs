//! Cancellation of calls.

use magnus::prelude::*;
use magnus::{Error, RModule, Ruby, function, method};

/// Ends calls from another thread.
#[magnus::wrap(class = "Undergo::CancelToken", free_immediately)]
#[derive(Default)]
pub(crate) struct CancelToken {
    pub(crate) core: undergo::CancelToken,
}

impl CancelToken {
    fn cancel(&self) {
        self.core.cancel();
    }

    fn is_cancelled(&self) -> bool {
        self.core.is_cancelled()
    }
}

pub(crate) fn define(ruby: &Ruby, module: RModule) -> Result<(), Error> {
    let class = module.define_class("CancelToken", ruby.class_object())?;
    class.define_singleton_method("new", function!(CancelToken::default, 0))?;
    class.define_private_method("_cancel", method!(CancelToken::cancel, 0))?;
    class.define_private_method("_cancelled", method!(CancelToken::is_cancelled, 0))
}
