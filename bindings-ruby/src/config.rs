//! Converts the gem's `Sandbox`, `Limits` and options, which have checked them, to the core's.

use std::time::{Duration, UNIX_EPOCH};

use magnus::prelude::*;
use magnus::{Error, RArray, RModule, RString, Ruby, Symbol, TryConvert, Value, function};
use undergo::{CallOptions, Clock, CodeCache, Compile, Dir, Input, Limits, Network, Output, PluginOptions, Random, Sandbox};

use crate::cancel::CancelToken;
use crate::imports::Filling;
use crate::lock;

/// More seconds than a Duration can hold are as good as the most it can.
pub(crate) fn seconds(given: f64) -> Duration {
    Duration::try_from_secs_f64(given).unwrap_or(Duration::MAX)
}

pub(crate) fn call_options(timeout: Option<f64>, cancel: Option<&CancelToken>) -> CallOptions {
    CallOptions { timeout: timeout.map(seconds), cancel: cancel.map(|token| token.core.clone()), ..CallOptions::default() }
}

fn bytes(text: RString) -> Vec<u8> {
    // SAFETY: they are copied before any other code runs.
    unsafe { text.as_slice() }.to_vec()
}

fn texts(list: Value) -> Result<Vec<String>, Error> {
    Vec::try_convert(list)
}

/// Reads a sandbox. The table holds the functions that get lines of output.
pub(crate) fn sandbox(ruby: &Ruby, given: RArray, table: &mut Filling) -> Result<Sandbox, Error> {
    let part = |number: isize| given.entry::<Value>(number);
    let env: Vec<(String, String)> = Vec::try_convert(part(1)?)?;
    let dirs: Vec<(String, String, bool)> = Vec::try_convert(part(2)?)?;
    let limit = usize::try_convert(part(7)?)?;
    let stdin: (Symbol, Value) = TryConvert::try_convert(part(4)?)?;
    let stdin = match &*stdin.0.name()? {
        "content" => Input::Bytes(bytes(RString::try_convert(stdin.1)?)),
        "file" => Input::File(String::try_convert(stdin.1)?.into()),
        _ => Input::Inherit,
    };
    let mut output = |given: Value| {
        if given.is_nil() {
            return Ok(Output::Usual(limit));
        }
        let Some(word) = Symbol::from_value(given) else { return Ok(table.lines(given)) };
        Ok::<_, Error>(match &*word.name()? {
            "discard" => Output::Discard,
            "capture" => Output::Capture(limit),
            _ => Output::Inherit,
        })
    };
    let (stdout, stderr) = (output(part(5)?)?, output(part(6)?)?);
    let clock: Option<(u64, u32)> = Option::try_convert(part(8)?)?;
    let random: Option<u64> = Option::try_convert(part(9)?)?;
    let fail = |error: undergo::Error| lock::to_ruby(ruby, &error);
    let mut network = Network::new(texts(part(10)?)?).map_err(fail)?;
    for address in texts(part(11)?)? {
        network.open(&address).map_err(fail)?;
    }
    Ok(Sandbox {
        args: texts(part(0)?)?,
        env,
        dirs: dirs.into_iter().map(|(guest, path, readonly)| (guest, Dir { path: path.into(), readonly })).collect(),
        temp: bool::try_convert(part(3)?)?,
        stdin,
        stdout,
        stderr,
        clock: clock.map_or(Clock::Host, |(seconds, nanoseconds)| Clock::simulated(UNIX_EPOCH + Duration::new(seconds, nanoseconds))),
        random: random.map_or(Random::Host, Random::Seed),
        network,
    })
}

type LimitsParts = (Option<u64>, Option<f64>, Option<u64>, Option<u64>, Option<u32>, Option<u64>, Option<u64>, Option<u32>, Option<u32>);

pub(crate) fn limits(given: RArray) -> Result<Limits, Error> {
    let (memory, timeout, value, output, table, stack, fuel, descriptors, handles): LimitsParts =
        TryConvert::try_convert(given.as_value())?;
    Ok(Limits { memory, timeout: timeout.map(seconds), value, output, table, stack, fuel, descriptors, handles })
}

/// Reads what `Plugin.load` takes: compilers, cache, bounds, seconds, token, compiler, optimize.
pub(crate) fn plugin_options(given: RArray) -> Result<PluginOptions, Error> {
    let part = |number: isize| given.entry::<Value>(number);
    let compile = match &*Symbol::try_convert(part(0)?)?.name()? {
        "fast" => Compile::Fast,
        "best" => Compile::Best,
        _ => Compile::Tiered,
    };
    let cache = match Option::<String>::try_convert(part(1)?)? {
        None => CodeCache::User,
        Some(path) if path.is_empty() => CodeCache::Off,
        Some(path) => CodeCache::Folder(path.into()),
    };
    let call = call_options(Option::try_convert(part(3)?)?, Option::try_convert(part(4)?)?);
    Ok(PluginOptions {
        compile,
        cache,
        bounds: u32::try_convert(part(2)?)?,
        timeout: call.timeout,
        cancel: call.cancel,
        compiler: Option::<String>::try_convert(part(5)?)?.map(Into::into),
        optimize: bool::try_convert(part(6)?)?,
        wasi_0_3: false,
    })
}

fn size(ruby: &Ruby, parsed: undergo::Result<u64>) -> Result<u64, Error> {
    parsed.map_err(|error| Error::new(ruby.exception_arg_error(), error.message().to_owned()))
}

fn parse_size(ruby: &Ruby, text: String, name: String) -> Result<u64, Error> {
    size(ruby, if name == "stack" { undergo::host::parse_stack_size(&text, &name) } else { undergo::host::parse_size(&text, &name) })
}

pub(crate) fn define(module: RModule) -> Result<(), Error> {
    module.define_module_function("_parse_size", function!(parse_size, 2))
}
