//! Values of the realm in which the package's JavaScript runs: a context of module `vm` has its own
//! classes, which programs there expect.

use std::sync::Arc;

use undergo::Result;

use crate::errors;
use crate::home::EventLoop;
use crate::js::{Env, Js, Made};

// The classes of a realm are an array of `Object`, `Array`, `Date`, and the typed arrays in the
// order of Node-API's numbers.
const OBJECT: u32 = 0;
const ARRAY: u32 = 1;
const DATE: u32 = 2;
const TYPED: u32 = 3;

/// Whether these classes are those of a realm in which Node-API does not make values.
pub(crate) fn is_other(env: Env, classes: Js) -> Made<bool> {
    let usual = env.global()?.get_named("Object")?;
    Ok(!env.same(usual, classes.element(OBJECT)?) || !env.same(env.object()?.get_named("constructor")?, usual))
}

/// Makes a value by its class, or as Node-API does.
fn made(home: &Arc<EventLoop>, env: Env, class: u32, args: impl FnOnce() -> Made<Vec<Js>>, usual: impl FnOnce() -> Made) -> Result<Js> {
    let value = match home.realm() {
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
