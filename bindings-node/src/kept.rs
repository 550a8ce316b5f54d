//! JavaScript objects that other threads may hold and return, but not use.

use std::sync::Arc;

use undergo::{Error, ErrorKind};

use crate::home::EventLoop;
use crate::js::{Env, Js, Made};
use crate::reference::Reference;

/// A reference to an object or a function.
pub(crate) struct Kept {
    home: Arc<EventLoop>,
    reference: Reference,
}

// SAFETY: the reference is used on the thread of its loop only, which `EventLoop::here` sees to;
// elsewhere it is only carried.
unsafe impl Send for Kept {}
// SAFETY: as above.
unsafe impl Sync for Kept {}

impl Kept {
    /// Keeps an object, or a function, alive.
    pub(crate) fn new(home: &Arc<EventLoop>, object: Js) -> Made<Kept> {
        Ok(Kept { home: home.clone(), reference: Reference::new(object, 1)? })
    }

    /// Knows an object while something else keeps it alive; see [`hold`](Kept::hold).
    pub(crate) fn weak(home: &Arc<EventLoop>, object: Js) -> Made<Kept> {
        Ok(Kept { home: home.clone(), reference: Reference::new(object, 0)? })
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
        self.reference.get(env).ok_or_else(gone)
    }

    /// Keeps the object alive for a time; undone by [`release`](Kept::release). On the thread of
    /// its loop.
    pub(crate) fn hold(&self, env: Env) {
        self.reference.hold(env);
    }

    /// See [`hold`](Kept::hold).
    pub(crate) fn release(&self, env: Env) {
        self.reference.release(env);
    }

    pub(crate) fn home(&self) -> &Arc<EventLoop> {
        &self.home
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        let reference = self.reference;
        match self.home.here() {
            Some(env) => reference.delete(env),
            // Where the environment has ended, its references ended with it.
            None => self.home.run_soon(move |env| reference.delete(env)),
        }
    }
}

fn gone() -> Error {
    Error::new(ErrorKind::HostError, "the host function is gone with the instance that it was given to")
}
