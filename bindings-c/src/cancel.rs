//! Cancellation of calls.

use undergo::CancelToken;

use crate::boundary::{delete, give};

/// Ends calls from another thread, within milliseconds of `undergo_cancel_cancel`, whether the
/// guest computes, sleeps, or waits for its turn. Code of a host function is not interrupted. One
/// token may serve many calls on any threads; a cancelled token stays cancelled.
pub struct Cancel(pub(crate) CancelToken);

/// A token that is not cancelled. Free it with `undergo_cancel_delete`.
#[unsafe(no_mangle)]
pub extern "C" fn undergo_cancel_new() -> *mut Cancel {
    give(Cancel(CancelToken::new()))
}

/// Cancels all current and later calls with this token. Does not wait for them to end; may be
/// called from any thread, and more than once.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_cancel_cancel(cancel: *const Cancel) {
    // SAFETY: C's promise.
    if let Some(cancel) = unsafe { cancel.as_ref() } {
        cancel.0.cancel();
    }
}

/// Whether it is cancelled.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_cancel_is_cancelled(cancel: *const Cancel) -> bool {
    // SAFETY: C's promise.
    unsafe { cancel.as_ref() }.is_some_and(|cancel| cancel.0.is_cancelled())
}

/// Frees a token. NULL is accepted. Calls with this token go on.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_cancel_delete(cancel: *mut Cancel) {
    // SAFETY: C's promise.
    unsafe { delete(cancel) };
}
