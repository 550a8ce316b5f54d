//! Values of the realm in which the package's JavaScript runs: a context of module `vm` has classes of its own, and programs there expect them.

use std::sync::Arc;

use undergo::Result;

use crate::errors;
use crate::home::EventLoop;
use crate::js::{Env, Js, Made};
use crate::kept::Kept;

/// The classes of a realm that is not the one in which Node-API makes values: an array of `Object`, `Array`, `Date`, and the typed arrays in
/// the order of Node-API's numbers.
pub(crate) struct Realm(Kept);

const OBJECT: u32 = 0;
const ARRAY: u32 = 1;
const DATE: u32 = 2;
const TYPED: u32 = 3;

impl Realm {
    /// That of these classes; `None` when Node-API makes their values anyway.
    pub(crate) fn of(env: Env, home: &Arc<EventLoop>, classes: Js) -> Made<Option<Realm>> {
        let usual = env.global()?.get_named("Object")?;
        let is_usual = env.same(usual, classes.element(OBJECT)?) && env.same(env.object()?.get_named("constructor")?, usual);
        if is_usual { Ok(None) } else { Kept::new(home, classes).map(|kept| Some(Realm(kept))) }
    }
}

/// Makes a value by its class, or as Node-API does.
fn made(home: &Arc<EventLoop>, env: Env, class: u32, args: impl FnOnce() -> Made<Vec<Js>>, usual: impl FnOnce() -> Made) -> Result<Js> {
    let realm = home.realm().map(|realm| realm.0.get()).transpose()?;
    let value = match realm {
        None => usual(),
        Some(classes) => classes.element(class).and_then(|class| env.construct(class, &args()?)),
    };
    value.map_err(errors::unmade(home, env))
}

/// An object without properties.
pub(crate) fn object(home: &Arc<EventLoop>, env: Env) -> Result<Js> {
    made(home, env, OBJECT, || Ok(Vec::new()), || env.object())
}

/// An array of that length.
pub(crate) fn array(home: &Arc<EventLoop>, env: Env, len: usize) -> Result<Js> {
    made(home, env, ARRAY, || Ok(vec![env.number(len as f64)?]), || env.array(len))
}

/// A Date.
pub(crate) fn date(home: &Arc<EventLoop>, env: Env, milliseconds: f64) -> Result<Js> {
    made(home, env, DATE, || Ok(vec![env.number(milliseconds)?]), || env.date(milliseconds))
}

/// A typed array of that type with a copy of the bytes.
pub(crate) fn typed_array(home: &Arc<EventLoop>, env: Env, array: i32, bytes: &[u8], item: usize) -> Result<Js> {
    // The numbers of Node-API begin at 0.
    made(home, env, TYPED + array as u32, || Ok(vec![env.buffer(bytes)?]), || env.typed_array(array, bytes, item))
}
