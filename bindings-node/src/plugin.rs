//! A compiled plugin, for the package's class of that name.

use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

use tokio::sync::oneshot;
use undergo::interface::{Function, RecordType, Resource, Side, TypeKind, names};
use undergo::{AsyncInstance, CallOptions, Error, ErrorKind, Plugin, PluginOptions, Result};

use crate::bytes::Copied;
use crate::config;
use crate::function::{Callee, Charge, Target, Way};
use crate::home::{EventLoop, waiting};
use crate::js::{Env, Js, Kind, Made};
use crate::native::{Call, Handle};
use crate::object;
use crate::promise;
use crate::table::Table;
use crate::types;

/// What a plugin is loaded from.
enum Source {
    File(PathBuf),
    Bytes(Vec<u8>),
    /// One that came compiled, and is trusted.
    Compiled(PathBuf),
}

impl Source {
    fn load(self, options: &PluginOptions) -> Result<Plugin> {
        match self {
            Source::File(path) => Plugin::from_file_with(path, options),
            Source::Bytes(bytes) => Plugin::from_bytes_with("plugin.wasm", &bytes, options),
            // SAFETY: the caller has said that the file is what `undergo compile` made, and that
            // nobody tampered with it: `lib/plugin.cjs` asks for that.
            Source::Compiled(path) => unsafe { Plugin::load_compiled(path) },
        }
    }
}

/// `load(source, { compile, cache, compiled }, sync)`: the plugin, or a promise of it. A source is
/// a path or bytes.
pub(crate) fn load(call: &Call<'_>) -> Result<Js> {
    let (source, given) = (call.arg(0)?, call.arg(1)?);
    let options = call.made(config::plugin(given))?;
    let compiled = call.made(given.get_named("compiled").and_then(Js::bool))?;
    let source = if source.is(Kind::String) {
        let path = PathBuf::from(call.made(source.string())?);
        if compiled { Source::Compiled(path) } else { Source::File(path) }
    } else {
        let bytes = source.bytes().ok_or_else(|| Error::new(ErrorKind::TypeMismatch, "a plugin is compiled from bytes"))?;
        Source::Bytes(Copied::new(&bytes).into_vec())
    };
    if is_sync(call, 2)? {
        return call.made(Handle::Plugin(source.load(&options)?).into_js(call.env));
    }
    blocking(call, move || source.load(&options), |env, plugin| Handle::Plugin(plugin).into_js(env))
}

pub(crate) fn is_sync(call: &Call<'_>, number: usize) -> Result<bool> {
    let given = call.arg(number)?;
    Ok(given.is(Kind::Boolean) && call.made(given.bool())?)
}

/// Runs work that takes a while on a thread of its own; gives a promise.
fn blocking<T: Send + 'static>(
    call: &Call<'_>,
    work: impl FnOnce() -> Result<T> + Send + 'static,
    convert: impl FnOnce(Env, T) -> Made + Send + 'static,
) -> Result<Js> {
    let (sender, receiver) = oneshot::channel();
    let spawned = thread::Builder::new().name("undergo-load".into()).spawn(move || drop(sender.send(work())));
    spawned.map_err(|error| Error::new(ErrorKind::Busy, format!("the system gives no thread to load a plugin: {error}")))?;
    let future = async move { receiver.await.map_err(|_| Error::new(ErrorKind::HostError, "loading the plugin panicked"))? };
    call.made(promise::of(call.home, call.env, None, future, convert))
}

/// `waitCompiled(plugin)`: a promise.
pub(crate) fn wait_compiled(call: &Call<'_>) -> Result<Js> {
    let plugin = call.plugin(0)?.clone();
    blocking(call, move || plugin.wait_compiled(), |env, ()| env.undefined())
}

/// `pluginTier(plugin)`
pub(crate) fn tier(call: &Call<'_>) -> Result<Js> {
    call.made(call.env.string(call.plugin(0)?.tier()?.as_str()))
}

/// `describe(plugin)`: what it says of itself.
pub(crate) fn describe(call: &Call<'_>) -> Result<Js> {
    let plugin = call.plugin(0)?;
    call.made(description(call, plugin))
}

fn description(call: &Call<'_>, plugin: &Plugin) -> Made {
    let env = call.env;
    let optional = |text: Option<&str>| text.map_or_else(|| env.undefined(), |text| env.string(text));
    let object = env.object()?;
    object.set_named("name", env.string(plugin.name())?)?;
    object.set_named("kind", env.string(plugin.info().kind.as_str())?)?;
    object.set_named("interface", optional(plugin.interface().map(|interface| interface.wit.as_str()))?)?;
    object.set_named("goVersion", optional(plugin.info().go_version.as_deref())?)?;
    let function = |function: &Function| {
        let described = env.object()?;
        described.set_named("name", env.string(&types::function_name(function))?)?;
        described.set_named("witName", env.string(&function.name)?)?;
        described.set_named("signature", env.string(&types::signature(function))?)?;
        described.set_named("docs", env.string(&function.docs)?)?;
        Made::Ok(described)
    };
    let exports = env.array(0)?;
    for (i, export) in (0..).zip(plugin.exports()) {
        exports.set_element(i, function(export)?)?;
    }
    object.set_named("exports", exports)?;
    let imports = env.array(0)?;
    for (i, (interface, import)) in (0..).zip(plugin.imports()) {
        let described = function(import)?;
        described.set_named("interface", env.string(interface)?)?;
        imports.set_element(i, described)?;
    }
    object.set_named("imports", imports)?;
    object.set_named("resources", resources(env, plugin, function)?)?;
    let errors = env.array(0)?;
    for (i, (world, record)) in (0..).zip(errors_of(plugin)) {
        let described = env.object()?;
        described.set_named("name", env.string(&names::pascal(&record.name))?)?;
        described.set_named("type", env.string(&types::error_type(world, record))?)?;
        errors.set_element(i, described)?;
    }
    object.set_named("errors", errors)?;
    Ok(object)
}

/// Its resources by their numbers, each with its methods and those of its functions that can be
/// called.
fn resources(env: Env, plugin: &Plugin, describe: impl Fn(&Function) -> Made) -> Made {
    let array = env.array(0)?;
    for (i, Resource { ty, constructor, methods }) in (0..).zip(plugin.interface().map_or(&[][..], |interface| &interface.resources)) {
        let member = |function: &Arc<Function>| -> Made {
            let described = describe(function)?;
            if let Some(number) = plugin.member(function) {
                described.set_named("number", env.number(number as f64)?)?;
            }
            Ok(described)
        };
        let described = env.object()?;
        described.set_named("name", env.string(&names::pascal(&ty.name))?)?;
        described.set_named("witName", env.string(&ty.name)?)?;
        described.set_named("docs", env.string(&ty.docs)?)?;
        described.set_named("shape", env.string(object::shape_name(ty.shape))?)?;
        described.set_named("isGuests", env.bool(ty.side == Side::Guest)?)?;
        if let Some(constructor) = constructor {
            described.set_named("constructs", member(constructor)?)?;
        }
        let all = env.array(0)?;
        for (at, method) in (0..).zip(methods) {
            all.set_element(at, member(method)?)?;
        }
        described.set_named("methods", all)?;
        array.set_element(i, described)?;
    }
    Ok(array)
}

/// The records with the fields of its errors, each with the name of its interface.
fn errors_of(plugin: &Plugin) -> impl Iterator<Item = (&str, &RecordType)> {
    plugin.interface().into_iter().flat_map(|interface| {
        interface.types.iter().filter_map(|ty| match &ty.kind {
            TypeKind::Record(record) if record.is_error => Some((&*interface.name, &**record)),
            _ => None,
        })
    })
}

/// `declare(plugin, classes)`: those of its errors, in the order in which they are described.
pub(crate) fn declare(call: &Call<'_>) -> Result<Js> {
    let classes = call.arg(1)?;
    for (i, (_, record)) in (0..).zip(errors_of(call.plugin(0)?)) {
        types::declare(call.home, call.env, record, call.made(classes.element(i))?)?;
    }
    call.undefined()
}

/// `diagnostics(plugin)`: what did no harm so far, as sentences; there may be more of them later.
pub(crate) fn diagnostics(call: &Call<'_>) -> Result<Js> {
    let texts = call.plugin(0)?.diagnostics();
    call.made((|| {
        let list = call.env.array(0)?;
        for (i, text) in (0..).zip(&texts) {
            list.set_element(i, call.env.string(text)?)?;
        }
        Ok(list)
    })())
}

/// `unknownExport(plugin, name)`: throws the error for a name that is none.
pub(crate) fn unknown_export(call: &Call<'_>) -> Result<Js> {
    let (plugin, name) = (call.plugin(0)?, call.made(call.arg(1)?.string())?);
    let known: Vec<String> = plugin.exports().map(|function| names::camel(&function.name)).collect();
    let hint = names::did_you_mean(&name, known.iter().map(String::as_str));
    Err(Error::new(ErrorKind::UnknownExport, format!("{} has no export '{name}'{hint}", plugin.name())))
}

/// `instantiate(plugin, options, sync)`: an instance, or a promise of it.
pub(crate) fn instantiate(call: &Call<'_>) -> Result<Js> {
    let plugin = call.plugin(0)?.clone();
    let config::Given { options, table } = config::instance(call, call.arg(1)?)?;
    let home = call.home.clone();
    let way = |way| CallOptions { caller: Some(Arc::new(way)), ..CallOptions::default() };
    if is_sync(call, 2)? {
        let of = way(Way::Sync);
        let made = waiting(call.env, || plugin.instantiate_here(options, &of))?;
        return call.made(of_instance(home, made, table).into_js(call.env));
    }
    let of = CallOptions { cancel: Some(home.cancel.clone()), ..way(Way::Promise) };
    let needs = table.array().clone();
    let making = async move { plugin.instantiate_async(options, &of).await };
    let convert = move |env, made| of_instance(home, made, table).into_js(env);
    call.made(promise::of(call.home, call.env, Some(&needs), making, convert))
}

fn of_instance(home: Arc<EventLoop>, made: AsyncInstance, table: Arc<Table>) -> Handle {
    let charge = Some(Charge::new(&home, made.usage().memory));
    Handle::Callee(Callee { home, target: Target::Instance(made), table, _charge: charge })
}

/// `pool(plugin, options)`
pub(crate) fn pool(call: &Call<'_>) -> Result<Js> {
    let config::Given { options, table } = config::instance(call, call.arg(1)?)?;
    let options = call.made(config::pool(call.arg(1)?, 1, options))?;
    let made = call.plugin(0)?.async_pool(options)?;
    let callee = Callee { home: call.home.clone(), target: Target::Pool(made), table, _charge: None };
    call.made(Handle::Callee(callee).into_js(call.env))
}
