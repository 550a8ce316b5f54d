//! Running a command, for the package's class of plugins.

use std::sync::Arc;

use napi::sys::TypedarrayType;
use undergo::{CallOptions, Completed, Result};

use crate::config;
use crate::function::Way;
use crate::home::waiting;
use crate::instance;
use crate::js::{Env, Js, Made};
use crate::native::Call;
use crate::plugin::is_sync;
use crate::promise;

/// `run(plugin, options, timeout, token, sync)`:
/// `{ code, stdout, stderr, truncated, denied, usage }`, or a promise of it.
pub(crate) fn run(call: &Call<'_>) -> Result<Js> {
    let plugin = call.plugin(0)?.clone();
    let config::Given { options, table, .. } = config::instance(call, call.arg(1)?)?;
    let mut of = call.made(config::call(call.arg(2)?, call.arg(3)?))?;
    if is_sync(call, 4)? {
        of.caller = Some(Arc::new(Way::Sync));
        let completed = waiting(call.env, || plugin.run_here(options, &of))?;
        return call.made(object(call.env, &completed));
    }
    let cancel = of.cancel.unwrap_or_else(|| call.home.cancel.clone());
    let of = CallOptions { cancel: Some(cancel), caller: Some(Arc::new(Way::Promise)), ..of };
    let running = async move { plugin.run_async(options, &of).await };
    call.made(promise::of(call.home, call.env, Some(table.array()), running, |env, completed| object(env, &completed)))
}

fn object(env: Env, completed: &Completed) -> Made {
    let object = env.object()?;
    object.set_named("code", env.number(completed.code.into())?)?;
    object.set_named("stdout", env.typed_array(TypedarrayType::uint8_array, &completed.stdout, 1)?)?;
    object.set_named("stderr", env.typed_array(TypedarrayType::uint8_array, &completed.stderr, 1)?)?;
    object.set_named("truncated", env.bool(completed.truncated)?)?;
    object.set_named("denied", env.strings(&completed.denied)?)?;
    object.set_named("usage", instance::usage_object(env, completed.usage)?)?;
    Ok(object)
}
