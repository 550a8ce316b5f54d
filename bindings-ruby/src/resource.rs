//! Objects of a guest, with the methods of their resources.

use std::time::Instant;

use magnus::prelude::*;
use magnus::typed_data::Obj;
use magnus::{Error, IntoValue, RArray, RClass, RModule, RString, Ruby, TryConvert, Value, method};
use undergo::host::ReadAhead;
use undergo::interface::{Resource, Shape};

use crate::exports::Exports;
use crate::handle::{Handle, ResourceClass};
use crate::instance::Instance;

/// The instance of an object.
fn instance(ruby: &Ruby, this: &Handle) -> Result<Obj<Instance>, Error> {
    TryConvert::try_convert(ruby.get_inner(this.owner))
}

/// A method of the resource.
fn call(ruby: &Ruby, this: Obj<Handle>, args: &[Value]) -> Result<Value, Error> {
    let instance = instance(ruby, &this)?;
    instance.exports.call_method(ruby, Instance::target(&instance), this.core.ty().number, this.as_value(), args)
}

/// The next items of an iterator: as many as are ready, and whether there are no more.
fn batch(ruby: &Ruby, this: Obj<Handle>) -> Result<RArray, Error> {
    let instance = instance(ruby, &this)?;
    let target = Instance::target(&instance);
    let ty = this.core.ty();
    let most = this.ahead.borrow().as_ref().map_or(1, ReadAhead::most);
    let begun = Instant::now();
    let batch = instance.exports.call_next(ruby, target, ty.number, this.as_value(), most.into_value_with(ruby))?;
    let batch: RArray = TryConvert::try_convert(batch)?;
    let items: Value = batch.entry(0)?;
    // Those of bytes are a String.
    let len = RArray::from_value(items).map(|items| items.len()).or_else(|| RString::from_value(items).map(|bytes| bytes.len()));
    if let Some(ahead) = &mut *this.ahead.borrow_mut() {
        ahead.note(begun.elapsed(), len.unwrap_or(0));
    }
    Ok(batch)
}

fn close(ruby: &Ruby, this: Obj<Handle>) -> Result<(), Error> {
    instance(ruby, &this)?.close_handle(ruby, &this.core)
}

fn is_closed(this: Obj<Handle>) -> bool {
    !this.core.is_open()
}

/// Makes the class of a resource's objects stand for it.
pub(crate) fn give(resource: &Resource, exports: &Exports, class: RClass) -> Result<(), Error> {
    let around = match resource.ty.shape {
        Shape::Object | Shape::Callback => None,
        Shape::Iterator => Some("enumerator"),
        Shape::Reader => Some("reader"),
        Shape::Writer => Some("writer"),
    };
    for name in exports.methods_of(resource.ty.number) {
        class.define_method(name, method!(call, -1))?;
    }
    let next = (resource.ty.shape == Shape::Iterator).then(|| resource.methods.first().cloned()).flatten();
    resource.ty.extension.get_or_init(|| ResourceClass::new(class, around, next));
    Ok(())
}

pub(crate) fn define(ruby: &Ruby, module: RModule) -> Result<(), Error> {
    let class = module.define_class("Resource", ruby.class_object())?;
    class.undef_default_alloc_func();
    class.define_private_method("_batch", method!(batch, 0))?;
    class.define_method("close", method!(close, 0))?;
    class.define_method("closed?", method!(is_closed, 0))
}
