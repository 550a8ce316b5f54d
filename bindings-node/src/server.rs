//! Servers of HTTP, for the package's class Server.

use std::sync::Arc;

use undergo::{CallOptions, ErrorSink, InstanceOptions, Result, ServeOptions};

use crate::config;
use crate::exceptions;
use crate::function::Way;
use crate::js::{Js, Made};
use crate::kept::Kept;
use crate::native::{Call, Handle};
use crate::promise;
use crate::serving::Serving;
use crate::under_way::UnderWay;

/// `serve(plugin, address, options)`: the options are those of a pool, with `queue`, `connections`,
/// `body` and `onError`.
pub(crate) fn serve(call: &Call<'_>) -> Result<Js> {
    let address = call.made(call.arg(1)?.string())?;
    let given = call.arg(2)?;
    let config::Given { options, table } = config::instance(call, given)?;
    let mut options = call.made(server(given, options))?;
    let told = call.made(given.get_named("onError"))?;
    if !told.is_nothing() {
        options.errors = Some(teller(Arc::new(call.made(Kept::new(call.home, told))?)));
    }
    let of = CallOptions { cancel: Some(call.home.cancel.clone()), caller: Some(Arc::new(Way::Promise)), ..CallOptions::default() };
    let core = call.plugin(0)?.serve_at_home(&address, options, call.home.clone(), of)?;
    let under_way = UnderWay::begin(call.home, Some(table.array()));
    call.made(Handle::Server(Serving::new(core, under_way)).into_js(call.env))
}

fn server(given: Js, instance: InstanceOptions) -> Made<ServeOptions> {
    let mut options = ServeOptions::default();
    options.pool = config::pool(given, options.pool.size, instance)?;
    let number = |name| given.get_named(name).and_then(config::whole);
    if let Some(queue) = number("queue")? {
        options.queue = usize::try_from(queue).unwrap_or(usize::MAX);
    }
    if let Some(connections) = number("connections")? {
        options.connections = usize::try_from(connections).unwrap_or(usize::MAX);
    }
    if let Some(body) = number("body")? {
        options.body = body;
    }
    Ok(options)
}

/// Tells a function of JavaScript, on the thread of its loop.
fn teller(told: Arc<Kept>) -> ErrorSink {
    ErrorSink::new(move |error| {
        let (told, error) = (told.clone(), error.clone());
        let home = told.home().clone();
        home.clone().run_soon(move |env| {
            let Some(exception) = exceptions::to_js(&home, &error, false) else { return };
            if let (Ok(function), Ok(this)) = (told.get(), env.undefined()) {
                // What it throws concerns nobody.
                let _ = env.call(function, this, &[exception]);
            }
        });
    })
}

/// `serverAddress(server)`
pub(crate) fn address(call: &Call<'_>) -> Result<Js> {
    call.made(call.env.string(&call.server(0)?.core.address().to_string()))
}

/// `serverStats(server)`
pub(crate) fn stats(call: &Call<'_>) -> Result<Js> {
    let stats = call.server(0)?.core.stats();
    let env = call.env;
    let counts =
        [("connections", stats.connections as u64), ("requests", stats.requests), ("refused", stats.refused), ("failed", stats.failed)];
    let make = || {
        let object = env.object()?;
        for (name, count) in counts {
            object.set_named(name, env.number(count as f64)?)?;
        }
        object.set_named("pool", crate::pool::counted(env, &stats.pool)?)?;
        Ok(object)
    };
    call.made(make())
}

/// `serverClosed(server)`
pub(crate) fn closed(call: &Call<'_>) -> Result<Js> {
    call.made(call.env.bool(call.server(0)?.core.is_closed()))
}

/// `serverClose(server, timeout)`: a promise.
pub(crate) fn close(call: &Call<'_>) -> Result<Js> {
    let timeout = call.made(config::milliseconds(call.arg(1)?))?;
    let serving = call.server(0)?;
    let core = serving.core.clone();
    // The promise keeps the loop going from now on.
    let under_way = serving.end();
    let work = async move {
        let _under_way = under_way;
        core.close_async(timeout).await
    };
    call.made(promise::of(call.home, call.env, None, work, |env, ()| env.undefined()))
}
