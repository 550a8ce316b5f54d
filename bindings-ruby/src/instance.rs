//! A running copy of a plugin, and its memory.

use magnus::prelude::*;
use magnus::typed_data::Obj;
use magnus::value::Opaque;
use magnus::{DataTypeFunctions, Error, RArray, RModule, RString, Ruby, TryConvert, TypedData, Value, gc, method};
use undergo::Imports;

use crate::config::call_options;
use crate::exports::Exports;
use crate::function::Target;
use crate::handle::Access;
use crate::imports::HostTable;
use crate::{lock, records};

/// A running copy of a plugin. The gem has its documentation.
#[derive(TypedData)]
#[magnus(class = "Undergo::Instance", mark)]
pub(crate) struct Instance {
    pub(crate) access: Access,
    pub(crate) plugin: Opaque<Value>,
    pub(crate) exports: Exports,
    pub(crate) host: HostTable,
}

impl DataTypeFunctions for Instance {
    fn mark(&self, marker: &gc::Marker) {
        marker.mark(self.plugin);
        self.host.mark(marker);
    }
}

impl Instance {
    fn plugin(ruby: &Ruby, this: &Instance) -> Value {
        ruby.get_inner(this.plugin)
    }

    fn core(&self, ruby: &Ruby) -> Result<&undergo::Instance, Error> {
        self.access.check().map_err(|error| lock::to_ruby(ruby, &error))
    }

    /// Links an interface to an instance.
    pub(crate) fn link(ruby: &Ruby, imports: &mut Imports, interface: &str, given: Value) -> Result<(), Error> {
        let this: Obj<Instance> = TryConvert::try_convert(given)?;
        if this.host.is_lent() {
            let text = format!("the instance for {interface} is one of a pool, to which it returns: make one for the link");
            return Err(Error::new(ruby.exception_type_error(), text));
        }
        imports.link(interface, this.core(ruby)?);
        Ok(())
    }

    /// What calls the exports, and the methods of objects.
    pub(crate) fn target(this: &Obj<Instance>) -> Target<'_> {
        Target::instance(&this.access, &this.host, this.as_value())
    }

    /// The method for an export.
    pub(crate) fn export(ruby: &Ruby, this: Obj<Instance>, args: &[Value]) -> Result<Value, Error> {
        this.exports.call_this(ruby, Instance::target(&this), args)
    }

    fn call_export(ruby: &Ruby, this: Obj<Instance>, called: RArray) -> Result<Value, Error> {
        this.exports.call(ruby, Instance::target(&this), TryConvert::try_convert(called.as_value())?)
    }

    /// Closes an object's handle, and has the guest release the object.
    pub(crate) fn close_handle(&self, ruby: &Ruby, handle: &undergo::Handle) -> Result<(), Error> {
        match self.access.check() {
            Ok(core) => lock::detached(ruby, || core.close_handle(handle)),
            // It was closed as the instance was returned.
            Err(_) => Ok(()),
        }
    }

    fn is_alive(&self) -> bool {
        self.access.check().is_ok_and(|core| core.dead().is_none())
    }

    fn usage(ruby: &Ruby, this: &Instance) -> Result<records::Usage, Error> {
        Ok(records::usage(&this.core(ruby)?.usage()))
    }

    fn handles(ruby: &Ruby, this: &Instance) -> Result<(u32, u32), Error> {
        let undergo::HandleCounts { held, given } = this.core(ruby)?.handles();
        Ok((held, given))
    }

    fn denied(ruby: &Ruby, this: &Instance) -> Result<RArray, Error> {
        Ok(ruby.ary_from_iter(this.core(ruby)?.denied().iter().map(|text| ruby.str_new(text))))
    }

    fn reset(ruby: &Ruby, this: &Instance, timeout: Option<f64>) -> Result<(), Error> {
        let core = this.core(ruby)?;
        lock::detached(ruby, || core.reset(&call_options(timeout, None)))
    }

    fn poll(ruby: &Ruby, this: &Instance, timeout: Option<f64>) -> Result<(), Error> {
        let core = this.core(ruby)?;
        lock::detached(ruby, || core.poll(&call_options(timeout, None)))
    }

    fn take_stdout(ruby: &Ruby, this: &Instance) -> Result<RString, Error> {
        Ok(ruby.str_from_slice(&this.core(ruby)?.take_stdout()))
    }

    fn take_stderr(ruby: &Ruby, this: &Instance) -> Result<RString, Error> {
        Ok(ruby.str_from_slice(&this.core(ruby)?.take_stderr()))
    }

    fn read_memory(ruby: &Ruby, this: &Instance, address: u32, length: u32) -> Result<RString, Error> {
        let core = this.core(ruby)?;
        let bytes = lock::detached(ruby, || core.read_memory(address, length))?;
        Ok(ruby.str_from_slice(&bytes))
    }

    fn write_memory(ruby: &Ruby, this: &Instance, address: u32, bytes: RString) -> Result<(), Error> {
        // SAFETY: they are copied before any other code runs.
        let bytes = unsafe { bytes.as_slice() }.to_vec();
        let core = this.core(ruby)?;
        lock::detached(ruby, || core.write_memory(address, &bytes))
    }

    fn memory_size(ruby: &Ruby, this: &Instance) -> Result<u64, Error> {
        let core = this.core(ruby)?;
        lock::detached(ruby, || core.memory_size())
    }
}

pub(crate) fn define(ruby: &Ruby, module: RModule) -> Result<(), Error> {
    let class = module.define_class("Instance", ruby.class_object())?;
    class.undef_default_alloc_func();
    class.define_private_method("_plugin", method!(Instance::plugin, 0))?;
    class.define_method("call_export", method!(Instance::call_export, 1))?;
    class.define_private_method("_alive", method!(Instance::is_alive, 0))?;
    class.define_private_method("_usage", method!(Instance::usage, 0))?;
    class.define_private_method("_handles", method!(Instance::handles, 0))?;
    class.define_private_method("_denied", method!(Instance::denied, 0))?;
    class.define_private_method("_reset", method!(Instance::reset, 1))?;
    class.define_private_method("_poll", method!(Instance::poll, 1))?;
    class.define_private_method("_take_stdout", method!(Instance::take_stdout, 0))?;
    class.define_private_method("_take_stderr", method!(Instance::take_stderr, 0))?;
    class.define_method("read_memory", method!(Instance::read_memory, 2))?;
    class.define_method("write_memory", method!(Instance::write_memory, 2))?;
    class.define_method("memory_size", method!(Instance::memory_size, 0))
}
