//! Cancellation of calls.

use std::sync::Arc;

/// Ends calls from another thread. One token may serve many calls; a cancelled token stays
/// cancelled.
#[derive(Debug, Default, uniffi::Object)]
pub struct CancelToken {
    pub(crate) core: undergo::CancelToken,
}

#[uniffi::export]
impl CancelToken {
    /// A token that is not cancelled.
    #[uniffi::constructor]
    pub fn new() -> Arc<CancelToken> {
        Arc::default()
    }

    /// Cancels all calls that have the token, now and later. Does not wait for them to end.
    pub fn cancel(&self) {
        self.core.cancel();
    }

    /// Whether it is cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.core.is_cancelled()
    }
}
