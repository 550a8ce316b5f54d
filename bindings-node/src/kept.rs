//! JavaScript's objects, as other threads may have them: to be given back, never to be looked at.

use std::ptr;
use std::sync::Arc;

use napi::sys;
use undergo::{Error, ErrorKind};

use crate::home::EventLoop;
use crate::js::{Env, Js, Made, get, node};

/// A reference to an object or a function.
pub(crate) struct Kept {
    home: Arc<EventLoop>,
    reference: sys::napi_ref,
}

// SAFETY: the reference is used on the thread of its loop only, which `EventLoop::here` sees to; elsewhere it is only carried.
unsafe impl Send for Kept {}
// SAFETY: as above.
unsafe impl Sync for Kept {}

impl Kept {
    /// Keeps an object, or a function, alive.
    pub(crate) fn new(home: &Arc<EventLoop>, object: Js) -> Made<Kept> {
        Ok(Kept { home: home.clone(), reference: get!(ptr::null_mut(); napi_create_reference(object.env, object.raw, 1))? })
    }

    /// Knows an object while something else keeps it alive; see [`hold`](Kept::hold).
    pub(crate) fn weak(home: &Arc<EventLoop>, object: Js) -> Made<Kept> {
        Ok(Kept { home: home.clone(), reference: get!(ptr::null_mut(); napi_create_reference(object.env, object.raw, 0))? })
    }

    /// Keeps any value: within an array.
    pub(crate) fn any(home: &Arc<EventLoop>, value: Js) -> Made<Kept> {
        let array = value.env.array(1)?;
        array.set_element(0, value)?;
        Kept::new(home, array)
    }

    /// The value that [`any`](Kept::any) keeps.
    pub(crate) fn inner(&self) -> undergo::Result<Js> {
        self.get()?.element(0).map_err(|_| gone())
    }

    /// The object, on the thread of its loop.
    pub(crate) fn get(&self) -> undergo::Result<Js> {
        let env = self.home.env()?;
        let raw = get!(ptr::null_mut(); napi_get_reference_value(env, self.reference)).map_err(|_| gone())?;
        if raw.is_null() { Err(gone()) } else { Ok(env.value(raw)) }
    }

    /// Keeps the object alive for a time; undone by [`release`](Kept::release). On the thread of its loop.
    pub(crate) fn hold(&self, env: Env) {
        let _ = get!(0; napi_reference_ref(env, self.reference));
    }

    /// See [`hold`](Kept::hold).
    pub(crate) fn release(&self, env: Env) {
        let _ = get!(0; napi_reference_unref(env, self.reference));
    }

    pub(crate) fn home(&self) -> &Arc<EventLoop> {
        &self.home
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        let reference = Reference(self.reference);
        match self.home.here() {
            Some(env) => reference.delete(env),
            // Where the environment has ended, its references ended with it.
            None => self.home.run_soon(move |env| reference.delete(env)),
        }
    }
}

struct Reference(sys::napi_ref);

// SAFETY: only carried to the thread of its loop.
unsafe impl Send for Reference {}

impl Reference {
    fn delete(self, env: Env) {
        // A reference of this environment, which nobody has any more: this can't fail.
        let _ = node!(napi_delete_reference(env, self.0));
    }
}

fn gone() -> Error {
    Error::new(ErrorKind::HostError, "the host function is gone with the instance that it was given to")
}
