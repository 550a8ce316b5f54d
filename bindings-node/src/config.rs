//! Converts options, which the package's JavaScript has checked, to the core's.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use undergo::{
    CallOptions, Clock, CodeCache, Compile, Dir, Imports, Input, InstanceOptions, Limits, Network, Output, PluginOptions, PoolOptions,
    Random, Result, Sandbox,
};

use crate::bytes::Copied;
use crate::function::Target;
use crate::home::EventLoop;
use crate::imports::Callable;
use crate::js::{Js, Kind, Made};
use crate::native::{Call, Handle};
use crate::table::Table;

/// What an instance is made with, and what holds its host functions.
pub(crate) struct Given {
    pub(crate) options: InstanceOptions,
    pub(crate) table: Arc<Table>,
}

/// Reads `{ imports, links, functions, sandbox, limits, bigint }` as `lib/options.cjs` makes it.
pub(crate) fn instance(call: &Call<'_>, given: Js) -> Result<Given> {
    let mut read = call.made(without_network(call.home, given))?;
    read.options.sandbox.network = network(call, given)?;
    Ok(read)
}

fn without_network(home: &Arc<EventLoop>, given: Js) -> Made<Given> {
    let functions = given.get_named("functions")?;
    let table = Table::new(home, functions, given.get_named("bigint")?.bool()?, Callable::host_function)?;
    let callable = |number: u32| Callable::new(table.given(number));
    let mut imports = Imports::default();
    for (number, import) in (0..).zip(items(given.get_named("imports")?)?) {
        imports.set(import.element(0)?.string()?, import.element(1)?.string()?, Arc::new(callable(number)));
    }
    for link in items(given.get_named("links")?)? {
        match Handle::of(link.element(1)?) {
            Some(Handle::Callee(callee)) => {
                if let Target::Instance(instance) = &callee.target {
                    imports.link(link.element(0)?.string()?, instance);
                }
            }
            Some(Handle::KeyValue(stores)) => imports.keyvalue(stores),
            _ => {}
        }
    }
    let sandbox = sandbox(given.get_named("sandbox")?, callable)?;
    let limits = limits(given.get_named("limits")?)?;
    Ok(Given { options: InstanceOptions { imports, sandbox, limits }, table })
}

fn sandbox(given: Js, callable: impl Fn(u32) -> Callable) -> Made<Sandbox> {
    let args = strings(given.get_named("args")?)?;
    let mut env = Vec::new();
    for pair in items(given.get_named("env")?)? {
        env.push((pair.element(0)?.string()?, pair.element(1)?.string()?));
    }
    let mut dirs = Vec::new();
    for dir in items(given.get_named("dirs")?)? {
        let path = PathBuf::from(dir.element(1)?.string()?);
        dirs.push((dir.element(0)?.string()?, Dir { path, readonly: dir.element(2)?.bool()? }));
    }
    let temp = given.get_named("temp")?.bool()?;
    let input = given.get_named("stdin")?;
    let stdin = match input.kind()? {
        Kind::Null => Input::Inherit,
        Kind::String => Input::File(PathBuf::from(input.string()?)),
        _ => Input::Bytes(input.bytes().map_or_else(Vec::new, |bytes| Copied::new(&bytes).into_vec())),
    };
    let capture = whole(given.get_named("captureLimit")?)?.unwrap_or(1 << 20);
    let clock = milliseconds(given.get_named("clock")?)?.map_or(Clock::Host, |start| Clock::simulated(UNIX_EPOCH + start));
    let seed = given.get_named("seed")?;
    let random = if seed.is_nothing() {
        Random::Host
    } else {
        let half = |number| seed.element(number).and_then(whole).map(Option::unwrap_or_default);
        Random::Seed(half(0)? << 32 | half(1)?)
    };
    let capture = usize::try_from(capture).unwrap_or(usize::MAX);
    let output = |name| -> Made<Output> {
        let given = given.get_named(name)?;
        // A function is given by its number in the table.
        if given.is(Kind::Number) {
            return Ok(callable(given.f64()? as u32).lines());
        }
        Ok(match &*given.string()? {
            "discard" => Output::Discard,
            "capture" => Output::Capture(capture),
            "inherit" => Output::Inherit,
            _ => Output::Usual(capture),
        })
    };
    Ok(Sandbox { args, env, dirs, temp, stdin, stdout: output("stdout")?, stderr: output("stderr")?, clock, random, ..Sandbox::default() })
}

/// Reads the rules, and opens the listeners.
fn network(call: &Call<'_>, given: Js) -> Result<Network> {
    let texts = |name| call.made(given.get_named("sandbox").and_then(|sandbox| sandbox.get_named(name)).and_then(strings));
    let mut network = Network::new(texts("network")?)?;
    for address in texts("listeners")? {
        network.open(&address)?;
    }
    Ok(network)
}

fn limits(given: Js) -> Made<Limits> {
    let number = |name| given.get_named(name).and_then(whole);
    Ok(Limits {
        memory: number("memory")?,
        timeout: milliseconds(given.get_named("timeout")?)?,
        stack: number("stack")?,
        fuel: number("fuel")?,
        table: number("table")?.map(|table| u32::try_from(table).unwrap_or(u32::MAX)),
        value: number("value")?,
        output: number("output")?,
        descriptors: number("descriptors")?.map(|most| u32::try_from(most).unwrap_or(u32::MAX)),
        handles: number("handles")?.map(|most| u32::try_from(most).unwrap_or(u32::MAX)),
    })
}

/// `parseSize(text, name)`: a number of bytes, or the text of the error.
pub(crate) fn parsed(call: &Call<'_>, parse: fn(&str, &str) -> Result<u64>) -> Result<Js> {
    let text = |number| call.arg(number).and_then(|text| call.made(text.string()));
    call.made(match parse(&text(0)?, &text(1)?) {
        Ok(bytes) => call.env.number(bytes as f64),
        Err(error) => call.env.string(error.message()),
    })
}

/// Reads `{ size, maxCalls, idle }`.
pub(crate) fn pool(given: Js, usual_size: usize, instance: InstanceOptions) -> Made<PoolOptions> {
    let size = whole(given.get_named("size")?)?;
    Ok(PoolOptions {
        size: size.map_or(usual_size, |size| usize::try_from(size).unwrap_or(usize::MAX)),
        max_calls: whole(given.get_named("maxCalls")?)?,
        idle: milliseconds(given.get_named("idle")?)?,
        instance,
    })
}

/// Reads the timeout, and the token, of calls.
pub(crate) fn call(timeout: Js, token: Js) -> Made<CallOptions> {
    let cancel = match Handle::of(token) {
        Some(Handle::Token(token)) => Some(token.clone()),
        _ => None,
    };
    Ok(CallOptions { timeout: milliseconds(timeout)?, cancel, ..CallOptions::default() })
}

/// Reads `{ compile, cache, bounds, timeout, token, compiler, optimize }`: the cache is a path,
/// false, or undefined for the user's own.
pub(crate) fn plugin(given: Js) -> Made<PluginOptions> {
    let compile = match &*given.get_named("compile")?.string()? {
        "fast" => Compile::Fast,
        "best" => Compile::Best,
        _ => Compile::Tiered,
    };
    let cache = given.get_named("cache")?;
    let cache = match cache.kind()? {
        Kind::String => CodeCache::Folder(PathBuf::from(cache.string()?)),
        Kind::Boolean => CodeCache::Off,
        _ => CodeCache::User,
    };
    let call = call(given.get_named("timeout")?, given.get_named("token")?)?;
    let bounds = whole(given.get_named("bounds")?)?.map_or(1, |times| u32::try_from(times).unwrap_or(u32::MAX));
    let compiler = given.get_named("compiler")?;
    let compiler = if compiler.is_nothing() { None } else { Some(PathBuf::from(compiler.string()?)) };
    // Compiled plugins are loaded by other options, which don't have it.
    let optimize = given.get_named("optimize")?;
    let optimize = optimize.is_nothing() || optimize.bool()?;
    Ok(PluginOptions { compile, cache, bounds, timeout: call.timeout, cancel: call.cancel, compiler, optimize, wasi_0_3: false })
}

/// More milliseconds than a Duration can hold are as good as the most it can.
pub(crate) fn milliseconds(given: Js) -> Made<Option<Duration>> {
    if given.is_nothing() {
        return Ok(None);
    }
    Ok(Some(Duration::try_from_secs_f64(given.f64()? / 1000.0).unwrap_or(Duration::MAX)))
}

/// A number that is not negative and has no fraction, as JavaScript has seen to.
pub(crate) fn whole(given: Js) -> Made<Option<u64>> {
    if given.is_nothing() { Ok(None) } else { given.f64().map(|number| Some(number as u64)) }
}

fn items(array: Js) -> Made<Vec<Js>> {
    (0..array.array_len()?).map(|i| array.element(i)).collect()
}

pub(crate) fn strings(array: Js) -> Made<Vec<String>> {
    items(array)?.into_iter().map(Js::string).collect()
}
