//! The native functions of the package, all in one place.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::Arc;

use napi::sys;
use undergo::{ErrorKind, Result};

use crate::home::{EventLoop, Helpers};
use crate::js::{Env, Js, Made, get, node};
use crate::native::{Call, Native};
use crate::reference::Reference;
use crate::{cancel, command, config, imports, instance, native, plugin, pool, realm, server, services};

const FUNCTIONS: &[(&str, Native)] = &[
    ("settle", |call| imports::settle(call.home, call.env, call.args())),
    ("turn", turn),
    ("load", plugin::load),
    ("describe", plugin::describe),
    ("declare", plugin::declare),
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
    ("readAhead", instance::read_ahead),
    ("noteBatch", instance::note_batch),
    ("release", instance::release),
    ("end", instance::end),
    ("closeHandle", instance::close_handle),
    ("isOpen", instance::is_open),
    ("share", instance::share),
    ("handles", instance::handles),
    ("dead", instance::dead),
    ("usage", instance::usage),
    ("tier", instance::tier),
    ("takeStdout", instance::take_stdout),
    ("takeStderr", instance::take_stderr),
    ("denied", instance::denied),
    ("readMemory", instance::read_memory),
    ("writeMemory", instance::write_memory),
    ("memorySize", instance::memory_size),
    ("take", pool::take),
    ("stats", pool::stats),
    ("size", pool::size),
    ("closed", pool::closed),
    ("warmUp", pool::warm_up),
    ("close", pool::close),
    ("serve", server::serve),
    ("serverAddress", server::address),
    ("serverStats", server::stats),
    ("serverClosed", server::closed),
    ("serverClose", server::close),
    ("token", cancel::token),
    ("cancel", cancel::cancel),
    ("keyvalue", services::keyvalue),
    ("storedValue", services::stored_value),
    ("storeValue", services::store_value),
    ("parseSize", |call| config::parsed(call, undergo::host::parse_size)),
    ("parseStackSize", |call| config::parsed(call, undergo::host::parse_stack_size)),
];

/// The function `open`, which is all that the library itself exports.
pub(crate) fn opener(env: Env) -> Made {
    unsafe extern "C" fn called(raw: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
        let env = Env(raw);
        let (mut given, mut len) = ([ptr::null_mut(); 1], 1);
        let asked = node!(napi_get_cb_info(env, info, &mut len, given.as_mut_ptr(), ptr::null_mut(), ptr::null_mut()));
        let outcome = catch_unwind(AssertUnwindSafe(|| asked.and_then(|()| open(env, env.value(given[0])))));
        // What failed has thrown an exception: the helpers were not those of the package.
        outcome.ok().and_then(std::result::Result::ok).map_or(ptr::null_mut(), |made| made.raw)
    }
    let made = get!(ptr::null_mut(); napi_create_function(env, c"open".as_ptr(), 4, Some(called), ptr::null_mut()))?;
    Ok(env.value(made))
}

/// `open(helpers)`: the native functions, for a package with these functions of its own.
fn open(env: Env, given: Js) -> Made {
    let home = EventLoop::open(env)?;
    let helper = |name| given.get_named(name).and_then(|function| Reference::new(function, 1));
    let classes = given.get_named("classes")?;
    let helpers = Helpers {
        make_error: helper("makeError")?,
        chain: helper("chain")?,
        parse: helper("parse")?,
        stringify: helper("stringify")?,
        entries: helper("entries")?,
        map: helper("map")?,
        run: helper("run")?,
        current: helper("current")?,
        settle: helper("settle")?,
        later: helper("later")?,
        intact: helper("intact")?,
        wrap: helper("wrap")?,
        lend: helper("lend")?,
        realm: if realm::is_other(env, classes)? { Some(Reference::new(classes, 1)?) } else { None },
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
