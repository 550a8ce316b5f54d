//! References to JavaScript objects, for code that knows the environment.

use std::ptr;

use napi::sys;

use crate::js::{Env, Js, Made, get, node};

/// A reference to an object or a function. It ends with its environment, or by
/// [`delete`](Reference::delete).
#[derive(Clone, Copy)]
pub(crate) struct Reference(sys::napi_ref);

// SAFETY: the reference is used by functions that take its environment only, and so on the
// environment's thread; elsewhere it is only carried.
unsafe impl Send for Reference {}
// SAFETY: as above.
unsafe impl Sync for Reference {}

impl Reference {
    /// A reference that keeps the object alive while its count is above 0.
    pub(crate) fn new(object: Js, count: u32) -> Made<Reference> {
        get!(ptr::null_mut(); napi_create_reference(object.env, object.raw, count)).map(Reference)
    }

    /// The object, if it is still there.
    pub(crate) fn get(self, env: Env) -> Option<Js> {
        let raw = get!(ptr::null_mut(); napi_get_reference_value(env, self.0)).ok()?;
        (!raw.is_null()).then(|| env.value(raw))
    }

    /// Counts one more.
    pub(crate) fn hold(self, env: Env) {
        let _ = get!(0; napi_reference_ref(env, self.0));
    }

    /// Counts one less.
    pub(crate) fn release(self, env: Env) {
        let _ = get!(0; napi_reference_unref(env, self.0));
    }

    /// Ends the reference, which nobody has any more.
    pub(crate) fn delete(self, env: Env) {
        // A reference of this environment: this can't fail.
        let _ = node!(napi_delete_reference(env, self.0));
    }
}
