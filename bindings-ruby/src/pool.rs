//! Interchangeable instances of a plugin.

use magnus::prelude::*;
use magnus::typed_data::Obj;
use magnus::value::Opaque;
use magnus::{DataTypeFunctions, Error, RArray, RModule, Ruby, TryConvert, TypedData, Value, gc, method};

use crate::config::{call_options, seconds};
use crate::exports::Exports;
use crate::function::Target;
use crate::handle::Access;
use crate::imports::HostTable;
use crate::instance::Instance;
use crate::{lock, records};

/// Interchangeable instances of one plugin. The gem has its documentation.
#[derive(TypedData)]
#[magnus(class = "Undergo::Pool", mark)]
pub(crate) struct Pool {
    pub(crate) core: undergo::Pool,
    pub(crate) plugin: Opaque<Value>,
    pub(crate) exports: Exports,
    pub(crate) host: HostTable,
}

impl DataTypeFunctions for Pool {
    fn mark(&self, marker: &gc::Marker) {
        marker.mark(self.plugin);
        self.host.mark(marker);
    }
}

impl Pool {
    fn plugin(ruby: &Ruby, this: &Pool) -> Value {
        ruby.get_inner(this.plugin)
    }

    fn target(this: &Obj<Pool>) -> Target<'_> {
        Target::pool(&this.core, &this.host, this.as_value())
    }

    /// The method for an export.
    pub(crate) fn export(ruby: &Ruby, this: Obj<Pool>, args: &[Value]) -> Result<Value, Error> {
        this.exports.call_this(ruby, Pool::target(&this), args)
    }

    fn call_export(ruby: &Ruby, this: Obj<Pool>, called: RArray) -> Result<Value, Error> {
        this.exports.call(ruby, Pool::target(&this), TryConvert::try_convert(called.as_value())?)
    }

    /// Gives the function an instance that nobody else has meanwhile.
    fn lend(ruby: &Ruby, this: Obj<Pool>, function: Value, timeout: Option<f64>) -> Result<Value, Error> {
        // It stays with this thread.
        let pooled = lock::detached(ruby, || this.core.take(&call_options(timeout, None)))?;
        let access = Access::new(undergo::Instance::clone(&pooled));
        let instance = ruby.obj_wrap(Instance { access, plugin: this.plugin, exports: this.exports.clone(), host: this.host.lent() });
        let result = function.funcall("call", (instance,));
        instance.access.end();
        lock::without(|| drop(pooled))?;
        result
    }

    fn size(&self) -> usize {
        self.core.size()
    }

    fn stats(&self) -> records::PoolStats {
        records::pool_stats(&self.core.stats())
    }

    fn warm_up(ruby: &Ruby, this: &Pool, instances: usize) -> Result<(), Error> {
        lock::detached(ruby, || this.core.warm_up(instances))
    }

    fn close(ruby: &Ruby, this: &Pool, timeout: Option<f64>) -> Result<(), Error> {
        lock::detached(ruby, || this.core.close(timeout.map(seconds)))
    }

    fn is_closed(&self) -> bool {
        self.core.is_closed()
    }
}

pub(crate) fn define(ruby: &Ruby, module: RModule) -> Result<(), Error> {
    let class = module.define_class("Pool", ruby.class_object())?;
    class.undef_default_alloc_func();
    class.define_private_method("_plugin", method!(Pool::plugin, 0))?;
    class.define_method("call_export", method!(Pool::call_export, 1))?;
    class.define_private_method("_lend", method!(Pool::lend, 2))?;
    class.define_private_method("_size", method!(Pool::size, 0))?;
    class.define_private_method("_stats", method!(Pool::stats, 0))?;
    class.define_private_method("_warm_up", method!(Pool::warm_up, 1))?;
    class.define_private_method("_close", method!(Pool::close, 1))?;
    class.define_private_method("_closed", method!(Pool::is_closed, 0))
}
