//! Cancellation tokens, the native side of an AbortSignal.

use undergo::{CancelToken, Result};

use crate::js::Js;
use crate::native::{Call, Handle};

/// `token()`
pub(crate) fn token(call: &Call<'_>) -> Result<Js> {
    // A call that has it ends with the environment, too.
    call.made(Handle::Token(call.home.cancel.child()).into_js(call.env))
}

/// `cancel(token)`
pub(crate) fn cancel(call: &Call<'_>) -> Result<Js> {
    CancelToken::cancel(call.token(0)?);
    call.undefined()
}
