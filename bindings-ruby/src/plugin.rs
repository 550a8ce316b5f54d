//! A compiled plugin.

use std::sync::Arc;

use magnus::prelude::*;
use magnus::typed_data::Obj;
use magnus::{DataTypeFunctions, Error, RArray, RClass, RModule, RString, Ruby, TryConvert, TypedData, function, method};
use undergo::interface::{Case, Function, Shape, Side, TypeKind};
use undergo::{InstanceOptions, PoolOptions, ServeOptions};

use crate::cancel::CancelToken;
use crate::exports::{Exports, constructors};
use crate::handle::Access;
use crate::imports::{Filling, HostTable};
use crate::instance::Instance;
use crate::pool::Pool;
use crate::server::Server;
use crate::services::KeyValue;
use crate::types::Stands;
use crate::{config, lock, records, resource, types};

/// A compiled plugin. The gem has its documentation.
#[derive(TypedData)]
#[magnus(class = "Undergo::Plugin")]
pub(crate) struct Plugin {
    core: undergo::Plugin,
    exports: Exports,
}

impl DataTypeFunctions for Plugin {}

/// The names of a function's parameters, each with its type, and its own name, signature and
/// documentation.
fn describe(ruby: &Ruby, name: &str, function: &Function) -> Result<RArray, Error> {
    let described = ruby.ary_new();
    described.push(name)?;
    described.push(ruby.ary_from_iter(function.params.iter().map(|param| ruby.str_new(&param.name))))?;
    described.push(ruby.ary_from_iter(function.params.iter().map(|param| ruby.str_new(&param.ty.to_string()))))?;
    described.push(function.to_string())?;
    described.push(function.docs.as_str())?;
    Ok(described)
}

type Parts = (RArray, RArray, RArray);

impl Plugin {
    fn load(ruby: &Ruby, path: String, options: RArray) -> Result<Obj<Plugin>, Error> {
        let options = config::plugin_options(options)?;
        Ok(Plugin::make(ruby, lock::detached(ruby, || undergo::Plugin::from_file_with(&path, &options))?))
    }

    fn compile(ruby: &Ruby, name: String, bytes: RString, options: RArray) -> Result<Obj<Plugin>, Error> {
        let options = config::plugin_options(options)?;
        // SAFETY: they are copied before any other code runs.
        let bytes = unsafe { bytes.as_slice() }.to_vec();
        Ok(Plugin::make(ruby, lock::detached(ruby, || undergo::Plugin::from_bytes_with(&name, &bytes, &options))?))
    }

    fn load_trusted(ruby: &Ruby, path: String) -> Result<Obj<Plugin>, Error> {
        // SAFETY: the caller has said that the file is what `undergo compile` made, and that nobody
        // tampered with it.
        Ok(Plugin::make(ruby, lock::detached(ruby, || unsafe { undergo::Plugin::load_compiled(&path) })?))
    }

    fn make(ruby: &Ruby, core: undergo::Plugin) -> Obj<Plugin> {
        let exports = Exports::new(ruby, &core);
        ruby.obj_wrap(Plugin { core, exports })
    }

    fn options(ruby: &Ruby, parts: Parts) -> Result<(InstanceOptions, HostTable), Error> {
        let (functions, sandbox, limits) = parts;
        let mut table = Filling::new();
        let imports = table.imports(functions, |imports, interface, given| match Obj::<KeyValue>::try_convert(given) {
            Ok(stores) => {
                imports.keyvalue(&stores.core);
                Ok(())
            }
            Err(_) => Instance::link(ruby, imports, interface, given),
        })?;
        let options = InstanceOptions { imports, sandbox: config::sandbox(ruby, sandbox, &mut table)?, limits: config::limits(limits)? };
        Ok((options, table.finish()))
    }

    fn instantiate(ruby: &Ruby, this: Obj<Plugin>, functions: RArray, sandbox: RArray, limits: RArray) -> Result<Obj<Instance>, Error> {
        let (options, host) = Plugin::options(ruby, (functions, sandbox, limits))?;
        let core = lock::detached(ruby, || this.core.instantiate(options))?;
        // The functions are on the stack of Ruby's code until the object shows them.
        Ok(ruby.obj_wrap(Instance { access: Access::new(core), plugin: this.as_value().into(), exports: this.exports.clone(), host }))
    }

    fn pool(
        ruby: &Ruby,
        this: Obj<Plugin>,
        parts: RArray,
        size: u64,
        max_calls: Option<u64>,
        idle: Option<f64>,
    ) -> Result<Obj<Pool>, Error> {
        let (instance, host) = Plugin::options(ruby, TryConvert::try_convert(parts.as_value())?)?;
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        let options = PoolOptions { size, max_calls, idle: idle.map(config::seconds), instance };
        let core = lock::detached(ruby, || this.core.pool(options))?;
        Ok(ruby.obj_wrap(Pool { core, plugin: this.as_value().into(), exports: this.exports.clone(), host }))
    }

    /// `numbers`: instances, queue, connections and body, each `nil` for the usual one.
    fn serve(
        ruby: &Ruby,
        this: Obj<Plugin>,
        parts: RArray,
        address: String,
        numbers: (Option<usize>, Option<usize>, Option<usize>, Option<u64>),
        max_calls: Option<u64>,
        idle: Option<f64>,
    ) -> Result<Obj<Server>, Error> {
        let (instance, host) = Plugin::options(ruby, TryConvert::try_convert(parts.as_value())?)?;
        let usual = ServeOptions::default();
        let (instances, queue, connections, body) = numbers;
        let size = instances.unwrap_or(usual.pool.size);
        let options = ServeOptions {
            pool: PoolOptions { size, max_calls, idle: idle.map(config::seconds), instance },
            queue: queue.unwrap_or(usual.queue),
            connections: connections.unwrap_or(usual.connections),
            body: body.unwrap_or(usual.body),
            errors: None,
        };
        Server::make(ruby, this.as_value(), &this.core, host, &address, options)
    }

    fn run(
        ruby: &Ruby,
        this: &Plugin,
        parts: RArray,
        timeout: Option<f64>,
        cancel: Option<&CancelToken>,
    ) -> Result<records::Completed, Error> {
        let (options, _host) = Plugin::options(ruby, TryConvert::try_convert(parts.as_value())?)?;
        let call = config::call_options(timeout, cancel);
        let completed = lock::detached(ruby, || this.core.run(options, &call))?;
        Ok(records::completed(ruby, completed))
    }

    fn name(&self) -> String {
        self.core.name().to_owned()
    }

    fn kind(&self) -> &'static str {
        self.core.info().kind.as_str()
    }

    fn tier(ruby: &Ruby, this: &Plugin) -> Result<&'static str, Error> {
        lock::detached(ruby, || this.core.tier()).map(undergo::Tier::as_str)
    }

    fn interface(&self) -> Option<String> {
        self.core.interface().map(|interface| interface.wit.clone())
    }

    fn go_version(&self) -> Option<String> {
        self.core.info().go_version.clone()
    }

    fn diagnostics(ruby: &Ruby, this: &Plugin) -> RArray {
        ruby.ary_from_iter(this.core.diagnostics().iter().map(|text| ruby.str_new(text)))
    }

    fn wait_compiled(ruby: &Ruby, this: &Plugin) -> Result<(), Error> {
        lock::detached(ruby, || this.core.wait_compiled())
    }

    fn check_export(ruby: &Ruby, this: &Plugin, name: String) -> Result<(), Error> {
        this.core.export(&name).map(drop).map_err(|error| lock::to_ruby(ruby, &error))
    }

    /// The exports and the constructors.
    fn exports(ruby: &Ruby, this: &Plugin) -> Result<RArray, Error> {
        let exports = ruby.ary_new();
        this.core.exports().try_for_each(|function: &Arc<Function>| exports.push(describe(ruby, &function.name, function)?))?;
        for (name, function) in constructors(&this.core) {
            exports.push(describe(ruby, &name, function)?)?;
        }
        Ok(exports)
    }

    /// The guest's resources, each with its number, its name, whether it has objects (and is no
    /// iterator and no stream), and its documentation.
    fn resources(ruby: &Ruby, this: &Plugin) -> Result<RArray, Error> {
        let resources = ruby.ary_new();
        let all = this.core.interface().into_iter().flat_map(|interface| &interface.resources);
        for resource in all.filter(|resource| resource.ty.side == Side::Guest) {
            let ty = &resource.ty;
            resources.push((ty.number, ty.name.as_str(), ty.shape == Shape::Object, ty.docs.as_str()))?;
        }
        Ok(resources)
    }

    fn give_resource(this: &Plugin, number: usize, class: RClass) -> Result<(), Error> {
        match this.core.interface().and_then(|interface| interface.resources.get(number)) {
            Some(found) => resource::give(found, &this.exports, class),
            None => Ok(()),
        }
    }

    fn imports(ruby: &Ruby, this: &Plugin) -> Result<RArray, Error> {
        let imports = ruby.ary_new();
        for (interface, function) in this.core.imports() {
            imports.push((interface, function.name.as_str(), function.to_string()))?;
        }
        Ok(imports)
    }

    /// The named types, each with its number, its name, what it is, and the names of its fields or
    /// cases; those of a variant's cases with what stands for them.
    fn types(ruby: &Ruby, this: &Plugin) -> Result<RArray, Error> {
        let types = ruby.ary_new();
        let all = this.core.interface().map_or(&[][..], |interface| &interface.types);
        for (number, ty) in all.iter().enumerate() {
            let (name, kind, members) = match &ty.kind {
                TypeKind::Record(record) => {
                    let kind = if record.is_error { "error" } else { "record" };
                    (&record.name, kind, ruby.ary_from_iter(record.fields.iter().map(|field| ruby.str_new(&field.name))))
                }
                TypeKind::Enum(cases) => (&cases.name, "enum", ruby.ary_from_iter(cases.cases.iter().map(|(case, _)| ruby.str_new(case)))),
                TypeKind::Variant(variant) => {
                    let case = |case: &Case| (ruby.str_new(&case.name), Stands::of(case).as_str());
                    (&variant.name, "variant", ruby.ary_from_iter(variant.cases.iter().map(case)))
                }
                _ => continue,
            };
            types.push((number, name.as_str(), kind, members))?;
        }
        Ok(types)
    }

    fn give_class(ruby: &Ruby, this: &Plugin, number: usize, class: RClass) {
        if let Some(record) = this.core.interface().and_then(|interface| types::record(interface, number)) {
            types::give(ruby, record, class);
        }
    }

    fn give_cases(ruby: &Ruby, this: &Plugin, number: usize, classes: Option<RArray>) -> Result<(), Error> {
        match this.core.interface().and_then(|interface| types::variant(interface, number)) {
            Some(variant) => types::give_cases(ruby, variant, classes),
            None => Ok(()),
        }
    }

    fn instance_methods(ruby: &Ruby, this: &Plugin, class: RClass) -> Result<RModule, Error> {
        this.exports.methods(ruby, class, |module, name| module.define_method(name, method!(Instance::export, -1)))
    }

    fn pool_methods(ruby: &Ruby, this: &Plugin, class: RClass) -> Result<RModule, Error> {
        this.exports.methods(ruby, class, |module, name| module.define_method(name, method!(Pool::export, -1)))
    }
}

pub(crate) fn define(ruby: &Ruby, module: RModule) -> Result<(), Error> {
    let class = module.define_class("Plugin", ruby.class_object())?;
    class.undef_default_alloc_func();
    class.define_singleton_method("_load", function!(Plugin::load, 2))?;
    class.define_singleton_method("_compile", function!(Plugin::compile, 3))?;
    class.define_singleton_method("_load_trusted", function!(Plugin::load_trusted, 1))?;
    class.define_private_method("_instantiate", method!(Plugin::instantiate, 3))?;
    class.define_private_method("_pool", method!(Plugin::pool, 4))?;
    class.define_private_method("_run", method!(Plugin::run, 3))?;
    class.define_private_method("_serve", method!(Plugin::serve, 5))?;
    class.define_private_method("_name", method!(Plugin::name, 0))?;
    class.define_private_method("_kind", method!(Plugin::kind, 0))?;
    class.define_private_method("_tier", method!(Plugin::tier, 0))?;
    class.define_private_method("_interface", method!(Plugin::interface, 0))?;
    class.define_private_method("_go_version", method!(Plugin::go_version, 0))?;
    class.define_private_method("_diagnostics", method!(Plugin::diagnostics, 0))?;
    class.define_private_method("_wait_compiled", method!(Plugin::wait_compiled, 0))?;
    class.define_method("check_export", method!(Plugin::check_export, 1))?;
    class.define_private_method("_exports", method!(Plugin::exports, 0))?;
    class.define_private_method("_imports", method!(Plugin::imports, 0))?;
    class.define_private_method("_types", method!(Plugin::types, 0))?;
    class.define_private_method("_resources", method!(Plugin::resources, 0))?;
    class.define_private_method("_give_resource", method!(Plugin::give_resource, 2))?;
    class.define_private_method("_give_class", method!(Plugin::give_class, 2))?;
    class.define_private_method("_give_cases", method!(Plugin::give_cases, 2))?;
    class.define_private_method("_instance_methods", method!(Plugin::instance_methods, 1))?;
    class.define_private_method("_pool_methods", method!(Plugin::pool_methods, 1))
}
