//! Interchangeable instances, for the package's class Pool.

use undergo::{AsyncPool, Error, ErrorKind, Result};

use crate::config;
use crate::function::Target;
use crate::js::Js;
use crate::native::Call;
use crate::promise;

fn pool<'c>(call: &'c Call<'_>) -> Result<&'c AsyncPool> {
    match &call.callee(0)?.target {
        Target::Pool(pool) => Ok(pool),
        Target::Instance(_) => Err(Error::new(ErrorKind::TypeMismatch, "it is an instance, not a pool")),
    }
}

/// `stats(pool)`
pub(crate) fn stats(call: &Call<'_>) -> Result<Js> {
    let stats = pool(call)?.stats();
    let env = call.env;
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
    let make = || {
        let object = env.object()?;
        for (name, count) in counts {
            object.set_named(name, env.number(count as f64)?)?;
        }
        Ok(object)
    };
    call.made(make())
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
