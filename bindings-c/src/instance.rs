//! A running copy of a plugin.

use std::ffi::{c_char, c_void};
use std::ptr;
use std::sync::Arc;

use undergo::{CallOptions, Error, ErrorKind, Result, Tier, Value};

use crate::arena::Arena;
use crate::boundary::{borrow, borrow_mut, bytes, delete, give, null, quietly, text};
use crate::config::{CallOptionsValue, UsageValue, call_options};
use crate::errors::{self, ErrorHandle};
use crate::exports::{self, SignatureValue, Target};
use crate::guard::guard;
use crate::handles::Alive;
use crate::imports::ImportsHandle;
use crate::loaded::{Loaded, PluginHandle};
use crate::plain;
use crate::shape::Shape;
use crate::values::{ValueHandle, texts};

/// A running copy of a plugin. Threads may share it: one call runs at a time, and others wait. When
/// a call ends in any other way than by a return or a returned Go error, the instance is dead, and
/// each later call fails with dead-instance.
pub struct InstanceHandle {
    pub(crate) core: undergo::Instance,
    /// What handles of its objects ask whether it lives.
    pub(crate) alive: Arc<Alive>,
    pub(crate) plugin: Arc<Loaded>,
}

impl InstanceHandle {
    pub(crate) fn new(alive: Arc<Alive>, plugin: &Arc<Loaded>) -> InstanceHandle {
        InstanceHandle { core: alive.core.clone(), alive, plugin: plugin.clone() }
    }
}

/// How many handles there are.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct HandleCountsValue {
    /// Those that the guest has: of objects of the host, and of its own on their way.
    pub held: u32,
    /// Those that the program has of the guest's objects.
    pub given: u32,
}

/// Frees an instance, which no thread may be calling. NULL is accepted. Handles of its objects
/// can't be used any more, and what its guest holds of the program's is freed. One of a pool
/// returns to it; one that `undergo_pool_take` gave is freed on the thread that took it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_instance_delete(instance: *mut InstanceHandle) {
    // SAFETY: C's promise.
    unsafe { delete(instance) };
}

/// Adds the exports of an instance as the functions of an interface: a plugin that calls a plugin.
/// They replace functions that were added before, and may be replaced by others. Exports that the
/// plugin does not import are ignored; where it imports one with other types, no instance of it is
/// created, for a signature-mismatch.
///
/// The call goes from guest to guest, within the bounds of the call around it. Whatever ends this
/// instance is an error of the import: the Go code gets it if the import returns one. Calls in a
/// circle are busy. What was created with the imports keeps the instance alive, whose handle may be
/// freed. It must not be one of a pool.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_imports_link(
    imports: *mut ImportsHandle,
    interface: *const c_char,
    instance: *const InstanceHandle,
) -> *mut ErrorHandle {
    guard(|| {
        // SAFETY: C's promise.
        let (imports, interface, instance) =
            unsafe { (borrow_mut(imports, "imports")?, text(interface, "interface")?, borrow(instance, "instance")?) };
        if instance.alive.is_of_pool() {
            let text = format!("the instance for {interface} is one of a pool, to which it returns: make one for the link");
            return Err(Error::new(ErrorKind::TypeMismatch, text));
        }
        imports.link(interface, &instance.core);
        Ok(())
    })
}

/// Calls an export by its WIT name. `args` is an array of `count` values, which stay the caller's,
/// and `options` may be NULL. `*result` is set to a value that the caller frees with
/// `undergo_value_delete`; `result` may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_instance_call(
    instance: *const InstanceHandle,
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
        let core = &borrow(instance, "instance")?.core;
        let export = core.plugin().export(text(name, "name")?)?;
        let args = exports::values(args, count)?;
        core.call_with(
            export,
            &call_options(options),
            |arguments| arguments.lower_all(args.into_iter()),
            |outcome| exports::lift_value(outcome, result),
        )
    })
}

/// Calls an export with structs: for generated headers, which know the signature and the structs
/// that belong to it.
///
/// `args` points to the struct of the arguments, `result` to a place for the result, which must not
/// be read when this fails. Everything that the result points to is in `*arena`, which the caller
/// frees with `undergo_arena_delete`; `arena` may be NULL for a result without pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_instance_invoke(
    instance: *const InstanceHandle,
    signature: *const SignatureValue,
    args: *const c_void,
    options: *const CallOptionsValue,
    result: *mut c_void,
    arena: *mut *mut Arena,
) -> *mut ErrorHandle {
    // SAFETY: C's promise.
    guard(|| unsafe {
        let (InstanceHandle { core, alive, .. }, wanted) = (borrow(instance, "instance")?, borrow(signature, "signature")?);
        let (export, shape) = exports::find(core.plugin(), wanted)?;
        let given;
        let options = if options.is_null() {
            CallOptions::NONE
        } else {
            given = call_options(options);
            &given
        };
        invoke(core, export, shape, args, options, &Target::new(shape, result, arena)?.with_handles_of(Some(alive)))
    })
}

/// Calls an export with structs.
///
/// # Safety
///
/// `args` points to the struct of the function's arguments, or is NULL for a function without; the
/// target is for its result.
#[inline]
pub(crate) unsafe fn invoke(
    core: &undergo::Instance,
    export: usize,
    shape: &Shape,
    args: *const c_void,
    options: &CallOptions,
    target: &Target<'_>,
) -> Result<()> {
    if let Some(params) = &shape.plain {
        let mut call = core.plain_call(export)?;
        // SAFETY: the caller's promise.
        if unsafe { plain::fill(&mut call, params, args) }.is_some() {
            return call.run(options, |outcome| target.lift(outcome));
        }
    }
    // SAFETY: the caller's promise.
    core.call_with(export, options, |arguments| unsafe { exports::lower_struct(arguments, shape, args) }, |outcome| target.lift(outcome))
}

/// The plugin of this instance, as a handle that the caller frees. NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_instance_plugin(instance: *const InstanceHandle) -> *mut PluginHandle {
    // SAFETY: C's promise.
    unsafe { instance.as_ref() }.map_or(ptr::null_mut(), |instance| give(PluginHandle(instance.plugin.clone())))
}

/// Whether the instance answers calls.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_instance_is_alive(instance: *const InstanceHandle) -> bool {
    // SAFETY: C's promise.
    quietly(false, || unsafe { instance.as_ref() }.is_some_and(|instance| instance.core.dead().is_none()))
}

/// The error that calls of a dead instance get: dead-instance, with the first cause. NULL while it
/// lives.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_instance_end(instance: *const InstanceHandle) -> *mut ErrorHandle {
    // SAFETY: C's promise.
    let dead = quietly(None, || unsafe { instance.as_ref() }.and_then(|instance| instance.core.dead()));
    dead.map_or(ptr::null_mut(), errors::handle)
}

/// Sets what the last call used, or the initialisation before the first. Can be read during a call
/// and after the instance has ended.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_instance_usage(instance: *const InstanceHandle, usage: *mut UsageValue) -> *mut ErrorHandle {
    guard(|| {
        // SAFETY: C's promise.
        let (instance, out) = unsafe { (borrow(instance, "instance")?, borrow_mut(usage, "usage")?) };
        *out = instance.core.usage().into();
        Ok(())
    })
}

/// Sets how many handles the instance has now. Can be read during a call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_instance_handles(instance: *const InstanceHandle, counts: *mut HandleCountsValue) -> *mut ErrorHandle {
    guard(|| {
        // SAFETY: C's promise.
        let (instance, out) = unsafe { (borrow(instance, "instance")?, borrow_mut(counts, "counts")?) };
        let undergo::HandleCounts { held, given } = instance.core.handles();
        *out = HandleCountsValue { held, given };
        Ok(())
    })
}

/// Whether its code is that of the better compiler.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_instance_is_best(instance: *const InstanceHandle) -> bool {
    // SAFETY: C's promise.
    unsafe { instance.as_ref() }.is_some_and(|instance| instance.core.tier() == Tier::Best)
}

/// Makes the guest anew: memory, goroutines and globals are as after the first initialisation, and
/// a dead instance lives again.
///
/// Nothing is compiled. Host functions, sandbox and limits stay, and so does captured output that
/// was not taken. Waits for a running call; busy from within a host function that this instance has
/// called. `options`, which may be NULL, apply to the wait and the initialisation.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_instance_reset(instance: *const InstanceHandle, options: *const CallOptionsValue) -> *mut ErrorHandle {
    // SAFETY: C's promise.
    guard(|| unsafe { borrow(instance, "instance")?.core.reset(&call_options(options)) })
}

/// Lets the guest's background goroutines run, which otherwise run only during calls. `options` may
/// be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_instance_poll(instance: *const InstanceHandle, options: *const CallOptionsValue) -> *mut ErrorHandle {
    // SAFETY: C's promise.
    guard(|| unsafe { borrow(instance, "instance")?.core.poll(&call_options(options)) })
}

/// Takes what the guest wrote to a captured standard output: bytes, which the caller frees with
/// `undergo_value_delete`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_instance_take_stdout(instance: *const InstanceHandle) -> *mut ValueHandle {
    // SAFETY: C's promise.
    unsafe { taken(instance, undergo::Instance::take_stdout) }
}

/// Takes what the guest wrote to a captured standard error, in the same way.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_instance_take_stderr(instance: *const InstanceHandle) -> *mut ValueHandle {
    // SAFETY: C's promise.
    unsafe { taken(instance, undergo::Instance::take_stderr) }
}

/// SAFETY: NULL, or a live instance.
unsafe fn taken(instance: *const InstanceHandle, take: fn(&undergo::Instance) -> Vec<u8>) -> *mut ValueHandle {
    // SAFETY: the caller's promise.
    let bytes = quietly(Vec::new(), || unsafe { instance.as_ref() }.map_or_else(Vec::new, |instance| take(&instance.core)));
    give(ValueHandle(Value::Bytes(bytes)))
}

/// What the sandbox has denied this instance so far of the network, each denial once, with the rule
/// that would allow it; at most 64. A list of strings, which the caller frees with
/// `undergo_value_delete`. Can be read during a call and after the instance has ended.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_instance_denied(instance: *const InstanceHandle) -> *mut ValueHandle {
    // SAFETY: C's promise.
    texts(quietly(Vec::new(), || unsafe { instance.as_ref() }.map_or_else(Vec::new, |instance| instance.core.denied())))
}

/// Copies `len` bytes of guest memory, starting at `address`, to `buffer`. Addresses are the
/// guest's, and every access is checked.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_instance_read_memory(
    instance: *const InstanceHandle,
    address: u32,
    buffer: *mut c_void,
    len: usize,
) -> *mut ErrorHandle {
    guard(|| {
        // SAFETY: C's promise.
        let instance = unsafe { borrow(instance, "instance") }?;
        let size = u32::try_from(len).map_err(|_| too_long(len))?;
        let found = instance.core.read_memory(address, size)?;
        if found.is_empty() {
            return Ok(());
        }
        if buffer.is_null() {
            return Err(null("buffer"));
        }
        // SAFETY: C's promise: there is room for so many bytes, which need not have been written
        // before.
        unsafe { ptr::copy_nonoverlapping(found.as_ptr(), buffer.cast::<u8>(), found.len()) };
        Ok(())
    })
}

/// Copies `len` bytes to guest memory, starting at `address`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_instance_write_memory(
    instance: *const InstanceHandle,
    address: u32,
    data: *const c_void,
    len: usize,
) -> *mut ErrorHandle {
    guard(|| {
        // SAFETY: C's promise.
        let (instance, data) = unsafe { (borrow(instance, "instance")?, bytes(data.cast(), len)) };
        instance.core.write_memory(address, data.map_err(|text| Error::new(ErrorKind::TypeMismatch, text))?)
    })
}

/// Sets the size of guest memory in bytes, which never shrinks.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_instance_memory_size(instance: *const InstanceHandle, size: *mut u64) -> *mut ErrorHandle {
    guard(|| {
        // SAFETY: C's promise.
        let (instance, size) = unsafe { (borrow(instance, "instance")?, borrow_mut(size, "size")?) };
        *size = instance.core.memory_size()?;
        Result::Ok(())
    })
}

fn too_long(len: usize) -> Error {
    Error::new(ErrorKind::TypeMismatch, format!("{len} bytes are more than a guest's memory has"))
}
