//! The Node binding: own the inputs, leave the event loop, call the core, convert, map the error.
//!
//! One file per noun, as in the core: `plugin`, `instance`, `pool`, `command`, `function`, `imports`, `cancel`, `config`, `errors`; `lower` and `lift` are the conversion,
//! `types` the names, `bytes` the buffers. `home` is Node's event loop as the core knows it, `promise` a call as JavaScript awaits it, `kept` what threads may have
//! of JavaScript, and `js` is Node-API. What needs no speed is JavaScript: `lib/`.

mod bytes;
mod cancel;
mod command;
mod config;
mod errors;
mod function;
mod home;
mod imports;
mod instance;
mod js;
mod kept;
mod lift;
mod lower;
mod native;
mod plugin;
mod pool;
mod promise;
mod realm;
mod types;

use std::sync::Arc;

use napi::bindgen_prelude::Object;
use napi::{JsValue as _, Status};
use napi_derive::napi;
use undergo::{ErrorKind, Result};

use crate::home::{EventLoop, Helpers};
use crate::js::{Env, Js, Made};
use crate::kept::Kept;
use crate::native::{Call, Native};

const FUNCTIONS: &[(&str, Native)] = &[
    ("settle", |call| imports::settle(call.home, call.env, call.args())),
    ("turn", turn),
    ("load", plugin::load),
    ("describe", plugin::describe),
    ("waitCompiled", plugin::wait_compiled),
    ("pluginTier", plugin::tier),
    ("unknownExport", plugin::unknown_export),
    ("diagnostics", plugin::diagnostics),
    ("instantiate", plugin::instantiate),
    ("pool", plugin::pool),
    ("run", command::run),
    ("bind", instance::bind),
    ("poll", instance::poll),
    ("reset", instance::reset),
    ("end", instance::end),
    ("dead", instance::dead),
    ("usage", instance::usage),
    ("tier", instance::tier),
    ("takeStdout", instance::take_stdout),
    ("takeStderr", instance::take_stderr),
    ("denied", instance::denied),
    ("readMemory", instance::read_memory),
    ("writeMemory", instance::write_memory),
    ("memorySize", instance::memory_size),
    ("stats", pool::stats),
    ("size", pool::size),
    ("closed", pool::closed),
    ("warmUp", pool::warm_up),
    ("close", pool::close),
    ("token", cancel::token),
    ("cancel", cancel::cancel),
];

/// What Node gets when it loads the library: once for the main thread, and once for each worker that asks for it. It has one function,
/// `open(helpers)`, which each copy of the package's JavaScript calls for native functions of its own: a program may have several, when it
/// loads the package anew, or in contexts of module `vm`, as Jest does.
#[napi(module_exports)]
pub fn init(exports: Object<'_>, env: napi::Env) -> napi::Result<()> {
    undergo::set_interrupt(home::look);
    let env = Env(env.raw());
    let exports = env.value(exports.value().value);
    let made = native::opener(env).and_then(|open| exports.set_named("open", open));
    made.map_err(|failed| napi::Error::new(Status::from(failed.0), "the native half of the package undergo can't be set up"))
}

/// `open(helpers)`: the native functions, for a package with these functions of its own.
pub(crate) fn open(env: Env, given: Js) -> Made {
    let home = EventLoop::open(env)?;
    let helper = |name| given.get_named(name).and_then(|function| Kept::new(&home, function));
    let helpers = Helpers {
        make_error: helper("makeError")?,
        parse: helper("parse")?,
        stringify: helper("stringify")?,
        entries: helper("entries")?,
        map: helper("map")?,
        run: helper("run")?,
        current: helper("current")?,
        settle: helper("settle")?,
        later: helper("later")?,
        intact: helper("intact")?,
        realm: realm::Realm::of(env, &home, given.get_named("classes")?)?,
    };
    home.set_helpers(helpers);
    let exports = env.object()?;
    for (name, function) in FUNCTIONS {
        native::export(env, exports, &home, name, *function)?;
    }
    exports.set_named("version", env.string(undergo::VERSION)?)?;
    let kinds = env.array(ErrorKind::ALL.len())?;
    for (i, kind) in (0..).zip(ErrorKind::ALL) {
        kinds.set_element(i, env.string(kind.as_str())?)?;
    }
    exports.set_named("kinds", kinds)?;
    Ok(exports)
}

/// `turn()`: what the loop calls when it has had its own.
fn turn(call: &Call<'_>) -> Result<Js> {
    let home: &Arc<EventLoop> = call.home;
    home.turn();
    call.undefined()
}
