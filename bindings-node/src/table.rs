//! The functions of the host that a guest may call.

use std::sync::{Arc, Mutex, PoisonError};

use undergo::Result;
use undergo::host::HostFunction;

use crate::errors;
use crate::home::EventLoop;
use crate::js::{Env, Js, Made};
use crate::kept::Kept;

/// The array of an instance's host functions, each with its `this` behind it. The array belongs to
/// JavaScript, whose collector so sees the cycle of a function that refers to its instance.
pub(crate) struct Table {
    array: Arc<Kept>,
    places: Mutex<Places>,
    /// Whether integers of 64 bits become bigints.
    pub(crate) bigint: bool,
    callable: Callable,
}

/// Makes of a place what a guest calls.
pub(crate) type Callable = fn(Place) -> Arc<dyn HostFunction>;

struct Places {
    len: u32,
    free: Vec<u32>,
}

/// A function's place there, which is free again when this is dropped.
pub(crate) struct Place {
    pub(crate) table: Arc<Table>,
    number: u32,
}

impl Table {
    /// The table of an array, which may have functions already.
    pub(crate) fn new(home: &Arc<EventLoop>, array: Js, bigint: bool, callable: Callable) -> Made<Arc<Table>> {
        let len = array.array_len()? / 2;
        let places = Mutex::new(Places { len, free: Vec::new() });
        Ok(Arc::new(Table { array: Arc::new(Kept::weak(home, array)?), places, bigint, callable }))
    }

    pub(crate) fn home(&self) -> &Arc<EventLoop> {
        self.array.home()
    }

    /// The array, for those who keep it alive for a time.
    pub(crate) fn array(&self) -> &Arc<Kept> {
        &self.array
    }

    /// A function that it had from the beginning.
    pub(crate) fn given(self: &Arc<Self>, number: u32) -> Place {
        Place { table: self.clone(), number }
    }

    /// What a guest calls, for one of its functions.
    pub(crate) fn callable(&self, place: Place) -> Arc<dyn HostFunction> {
        (self.callable)(place)
    }

    /// Adds a function.
    pub(crate) fn add(self: &Arc<Self>, function: Js, this: Js) -> Result<Place> {
        let array = self.array.get()?;
        let number = {
            let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
            places.free.pop().unwrap_or_else(|| {
                places.len += 1;
                places.len - 1
            })
        };
        let place = Place { table: self.clone(), number };
        fill(array, number, function, this).map_err(errors::unmade(self.home(), function.env))?;
        Ok(place)
    }

    fn free(&self, env: Env, number: u32) {
        // Without the array nobody needs its places any more.
        if let Ok(array) = self.array.get() {
            let _ = env.undefined().and_then(|nothing| fill(array, number, nothing, nothing));
        }
        self.places.lock().unwrap_or_else(PoisonError::into_inner).free.push(number);
    }
}

fn fill(array: Js, number: u32, function: Js, this: Js) -> Made<()> {
    array.set_element(2 * number, function)?;
    array.set_element(2 * number + 1, this)
}

impl Place {
    /// The function, and its `this`.
    pub(crate) fn get(&self) -> Result<(Js, Js)> {
        let array = self.table.array.get()?;
        let both = array.element(2 * self.number).and_then(|function| Ok((function, array.element(2 * self.number + 1)?)));
        both.map_err(errors::unmade(self.table.home(), array.env))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let (table, number) = (self.table.clone(), self.number);
        match table.home().here() {
            Some(env) => env.scope(|| table.free(env, number)),
            None => table.home().clone().run_soon(move |env| table.free(env, number)),
        }
    }
}
