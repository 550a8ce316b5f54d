//! Interchangeable instances, for the package's class Pool.

use std::sync::Arc;

use undergo::{AsyncPool, Error, ErrorKind, PoolStats, Result};

use crate::config;
use crate::function::{Callee, Loan, Target, Way};
use crate::home::waiting;
use crate::js::{Env, Js, Made};
use crate::native::{Call, Handle};
use crate::plugin::is_sync;
use crate::promise;

fn pool<'c>(call: &'c Call<'_>) -> Result<&'c AsyncPool> {
    match &call.callee(0)?.target {
        Target::Pool(pool) => Ok(pool),
        Target::Instance(_) | Target::Lent(_) => Err(Error::new(ErrorKind::TypeMismatch, "it is an instance, not a pool")),
    }
}

/// `take(pool, timeout, token, sync)`: an instance, or a promise of it.
pub(crate) fn take(call: &Call<'_>) -> Result<Js> {
    let (core, callee) = (pool(call)?.clone(), call.callee(0)?);
    let mut options = call.made(config::call(call.arg(1)?, call.arg(2)?))?;
    let (home, table) = (callee.home.clone(), callee.table.clone());
    let lend = move |env, pooled| {
        let target = Target::Lent(Arc::new(Loan::new(pooled)));
        Handle::Callee(Callee { home, target, table, _charge: None }).into_js(env)
    };
    if is_sync(call, 3)? {
        options.caller = Some(Arc::new(Way::Sync));
        let pooled = waiting(call.env, || core.take_here(&options))?;
        return call.made(lend(call.env, pooled));
    }
    options.caller = Some(Arc::new(Way::Promise));
    options.cancel.get_or_insert_with(|| call.home.cancel.clone());
    options.within = call.home.lease();
    let work = async move { core.take(&options).await };
    call.made(promise::of(call.home, call.env, Some(callee.table.array()), work, lend))
}

/// `stats(pool)`
pub(crate) fn stats(call: &Call<'_>) -> Result<Js> {
    call.made(counted(call.env, &pool(call)?.stats()))
}

/// What a pool has done, as an object.
pub(crate) fn counted(env: Env, stats: &PoolStats) -> Made {
    let counts = [
        ("busy", stats.busy as u64),
        ("idle", stats.idle as u64),
        ("waiting", stats.waiting as u64),
        ("calls", stats.calls),
        ("made", stats.made),
        ("died", stats.died),
        ("retired", stats.retired),
        ("shrunk", stats.shrunk),
    ];
    let object = env.object()?;
    for (name, count) in counts {
        object.set_named(name, env.number(count as f64)?)?;
    }
    Ok(object)
}

/// `size(pool)`
pub(crate) fn size(call: &Call<'_>) -> Result<Js> {
    call.made(call.env.number(pool(call)?.size() as f64))
}

/// `closed(pool)`
pub(crate) fn closed(call: &Call<'_>) -> Result<Js> {
    call.made(call.env.bool(pool(call)?.is_closed()))
}

/// `warmUp(pool, instances)`: a promise.
pub(crate) fn warm_up(call: &Call<'_>) -> Result<Js> {
    let wanted = call.made(config::whole(call.arg(1)?))?.unwrap_or_default();
    let core = pool(call)?.clone();
    let work = async move { core.warm_up(usize::try_from(wanted).unwrap_or(usize::MAX)).await };
    call.made(promise::of(call.home, call.env, Some(call.callee(0)?.table.array()), work, |env, ()| env.undefined()))
}

/// `close(pool, timeout)`: a promise.
pub(crate) fn close(call: &Call<'_>) -> Result<Js> {
    let timeout = call.made(config::milliseconds(call.arg(1)?))?;
    let core = pool(call)?.clone();
    let work = async move { core.close(timeout).await };
    call.made(promise::of(call.home, call.env, None, work, |env, ()| env.undefined()))
}
