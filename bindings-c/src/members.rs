//! Calls of the guest's resources: constructors and methods.

use std::ffi::{c_char, c_void};
use std::ptr;
use std::sync::Arc;

use undergo::host::Outcome;
use undergo::interface::{Function, Resource, Side, names};
use undergo::{CallOptions, Error, ErrorKind, Plugin, Result, Value};

use crate::arena::Arena;
use crate::boundary::{borrow, give, null, text};
use crate::config::{CallOptionsValue, call_options};
use crate::errors::ErrorHandle;
use crate::exports::{self, SignatureValue, Target};
use crate::guard::guard;
use crate::handles::ResourceHandle;
use crate::instance::{self, InstanceHandle};
use crate::shape::Shape;
use crate::values::ValueHandle;

/// Creates an object by the constructor of a resource of the guest's, whose WIT name is given.
/// `args` is an array of `count` values, which stay the caller's, and `options` may be NULL.
/// `*handle` is set to a handle that the caller frees with `undergo_handle_delete`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_instance_construct(
    instance: *const InstanceHandle,
    resource: *const c_char,
    args: *const *const ValueHandle,
    count: usize,
    options: *const CallOptionsValue,
    handle: *mut *mut ResourceHandle,
) -> *mut ErrorHandle {
    // SAFETY: C's promise.
    guard(|| unsafe {
        if handle.is_null() {
            return Err(null("handle"));
        }
        handle.write(ptr::null_mut());
        let instance = borrow(instance, "instance")?;
        let name = text(resource, "resource")?;
        let constructor = guests(instance.core.plugin(), name)?.constructor.as_ref();
        let constructor = constructor.ok_or_else(|| unknown(&format!("{name} has no constructor")))?;
        let args = exports::values(args, count)?;
        call(&instance.core, constructor, args.into_iter(), &call_options(options), |outcome| {
            match outcome.lift(&undergo::host::ToValue)? {
                Value::Handle(core) => handle.write(give(ResourceHandle::new(core, &instance.alive))),
                _ => return Err(unknown(&format!("the constructor of {name} gives no object"))),
            }
            Ok(())
        })
    })
}

/// Calls a method of an object of the guest's by its WIT name. Otherwise as
/// `undergo_instance_call`. May be called on any thread, and within host functions that the
/// instance has called.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_handle_call(
    handle: *const ResourceHandle,
    name: *const c_char,
    args: *const *const ValueHandle,
    count: usize,
    options: *const CallOptionsValue,
    result: *mut *mut ValueHandle,
) -> *mut ErrorHandle {
    // SAFETY: C's promise.
    guard(|| unsafe {
        if !result.is_null() {
            result.write(ptr::null_mut());
        }
        let (handle, name) = (borrow(handle, "handle")?, text(name, "name")?);
        let args = exports::values(args, count)?;
        invoke(handle, name, &args, &call_options(options), |outcome| exports::lift_value(outcome, result))
    })
}

/// Calls a method of an object of the guest's with structs: for generated headers. The handle is
/// the first field of `args`. Otherwise as `undergo_instance_invoke`; may be called as
/// `undergo_handle_call`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_handle_invoke(
    signature: *const SignatureValue,
    args: *const c_void,
    options: *const CallOptionsValue,
    result: *mut c_void,
    arena: *mut *mut Arena,
) -> *mut ErrorHandle {
    // SAFETY: C's promise.
    guard(|| unsafe {
        let wanted = borrow(signature, "signature")?;
        let handle = borrow(*borrow(args.cast::<*const ResourceHandle>(), "args")?, "the handle")?;
        let alive = handle.instance()?;
        let (export, shape) = exports::find(alive.core.plugin(), wanted)?;
        let given;
        let options = if options.is_null() {
            CallOptions::NONE
        } else {
            given = call_options(options);
            &given
        };
        let target = Target::new(shape, result, arena)?.with_handles_of(Some(&alive));
        instance::invoke(&alive.core, export, shape, args, options, &target)
    })
}

/// Sets a handle for the object that a value of this instance's is, which the caller frees with
/// `undergo_handle_delete`. Returns whether it is one; if not, `handle` is unchanged. The handle is
/// the value's: both are closed at once.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_value_get_handle(
    value: *const ValueHandle,
    instance: *const InstanceHandle,
    handle: *mut *mut ResourceHandle,
) -> bool {
    // SAFETY: C's promise.
    let (value, instance, out) = unsafe { (value.as_ref(), instance.as_ref(), handle.as_mut()) };
    let (Some(ValueHandle(Value::Handle(core))), Some(instance), Some(out)) = (value, instance, out) else { return false };
    *out = give(ResourceHandle::new(core.clone(), &instance.alive));
    true
}

/// The same for a value that a method of an object, or an iterator, has given: its instance is that
/// of the `giver`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_value_get_handle_of(
    value: *const ValueHandle,
    giver: *const ResourceHandle,
    handle: *mut *mut ResourceHandle,
) -> bool {
    // SAFETY: C's promise.
    let (value, giver, out) = unsafe { (value.as_ref(), giver.as_ref(), handle.as_mut()) };
    let (Some(ValueHandle(Value::Handle(core))), Some(giver), Some(out)) = (value, giver, out) else { return false };
    let Ok(instance) = giver.instance() else { return false };
    *out = give(ResourceHandle::new(core.clone(), &instance));
    true
}

/// Calls a method with values.
pub(crate) fn invoke<R>(
    handle: &ResourceHandle,
    name: &str,
    args: &[&Value],
    options: &CallOptions,
    then: impl FnOnce(Outcome<'_, '_>) -> Result<R>,
) -> Result<R> {
    let alive = handle.instance()?;
    let core = &alive.core;
    let method = method(core.plugin(), handle, name)?;
    let this = Value::Handle(handle.core.clone());
    call(core, method, std::iter::once(&this).chain(args.iter().copied()).collect::<Vec<_>>().into_iter(), options, then)
}

/// The method of an object.
pub(crate) fn method<'p>(plugin: &'p Plugin, handle: &ResourceHandle, name: &str) -> Result<&'p Arc<Function>> {
    let resource = guests(plugin, &handle.core.ty().name)?;
    let method = resource.method(name).or_else(|| resource.method(&names::kebab(name)));
    method.ok_or_else(|| unknown(&format!("{} has no method '{name}'", resource.ty.name)))
}

/// The number of a function of a resource, and how it lies in C.
pub(crate) fn place<'p>(plugin: &Plugin, function: &'p Arc<Function>) -> Result<(usize, &'p Shape)> {
    let number = plugin.member(function).ok_or_else(|| unknown(&format!("the plugin has no {}", function.name)))?;
    Ok((number, Shape::of(function).ok_or_else(exports::foreign)?))
}

fn call<'a, R>(
    core: &undergo::Instance,
    function: &Arc<Function>,
    args: impl ExactSizeIterator<Item = &'a Value>,
    options: &CallOptions,
    then: impl FnOnce(Outcome<'_, '_>) -> Result<R>,
) -> Result<R> {
    let (number, _) = place(core.plugin(), function)?;
    core.call_with(number, options, |arguments| arguments.lower_all(args), then)
}

/// The resource of the guest's of that name.
fn guests<'p>(plugin: &'p Plugin, name: &str) -> Result<&'p Resource> {
    let all = plugin.interface().map_or(&[][..], |interface| &interface.resources);
    let found = all.iter().find(|resource| resource.ty.side == Side::Guest && resource.ty.name == name);
    found.ok_or_else(|| unknown(&format!("{} has no resource '{name}'", plugin.name())))
}

#[cold]
fn unknown(text: &str) -> Error {
    Error::new(ErrorKind::UnknownExport, text)
}
