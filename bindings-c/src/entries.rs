//! Calls that take one pointer: for hosts that call C cheaply only in that way, such as Go without
//! cgo.

use std::ffi::c_void;
use std::ptr;
use std::sync::Arc;

use undergo::{CallOptions, Error, ErrorKind, Plugin, Result};

use crate::arena::Arena;
use crate::boundary::borrow;
use crate::cancel::Cancel;
use crate::config::{CallOptionsValue, call_options};
use crate::dispatch::Calling;
use crate::errors::ErrorHandle;
use crate::exports::{self, Target};
use crate::guard::guard;
use crate::handles::Alive;
use crate::instance::{self, InstanceHandle};
use crate::pool::PoolHandle;
use crate::shape::Shape;

/// A call of an export with structs.
#[repr(C)]
pub struct EntryValue {
    /// The `undergo_instance_t` of `undergo_instance_enter`, or the `undergo_pool_t` of
    /// `undergo_pool_enter`.
    pub target: *const c_void,
    /// That of the export, from `undergo_plugin_describe` or a generated file.
    pub digest: u64,
    /// The number of the export, or of the constructor or the method of a resource, whose object is
    /// the first field of the arguments. Unless the plugin has a function of that digest there, the
    /// call fails with signature-mismatch, and nothing has been read.
    pub number: u32,
    /// The struct of the arguments; NULL for a function without.
    pub args: *const c_void,
    /// A place for the result; NULL for a function without.
    pub result: *mut c_void,
    /// Some room, aligned to 16 bytes, in which what the result points to lies as far as there is
    /// enough of it; may be NULL.
    pub scratch: *mut c_void,
    /// Bytes of it.
    pub scratch_len: usize,
    /// As of `undergo_call_options_t`: nanoseconds, 0 for the limit of the instance.
    pub timeout: u64,
    /// As of `undergo_call_options_t`; may be NULL.
    pub cancel: *const Cancel,
    /// What a dispatcher gets as `undergo_dispatch_t.caller` when it is called on this thread
    /// during the call.
    pub caller: *mut c_void,
    /// Set to what the caller frees with `undergo_arena_delete`: memory for what had no room. NULL
    /// when there is nothing to free.
    pub arena: *mut Arena,
    /// Set to an error, which the caller frees; NULL when the call has a result.
    pub error: *mut ErrorHandle,
}

impl EntryValue {
    /// The shape of the export that is called.
    #[inline]
    fn shape<'p>(&self, plugin: &'p Plugin) -> Result<&'p Shape> {
        match plugin.function(self.number as usize).and_then(|function| Shape::of(function)) {
            Some(shape) if shape.digest == self.digest => Ok(shape),
            _ => Err(other(self.number)),
        }
    }

    /// # Safety
    ///
    /// The entry is as the header says.
    #[inline]
    unsafe fn target<'s>(&mut self, shape: &'s Shape) -> Result<Target<'s>> {
        // SAFETY: the caller's promise.
        unsafe { Ok(Target::new(shape, self.result, &raw mut self.arena)?.with_scratch(self.scratch, self.scratch_len)) }
    }

    /// # Safety
    ///
    /// As above.
    #[inline]
    unsafe fn options(&self) -> Option<CallOptions> {
        if self.timeout == 0 && self.cancel.is_null() {
            return None;
        }
        let options = CallOptionsValue { timeout: self.timeout, cancel: self.cancel };
        // SAFETY: the caller's promise.
        Some(unsafe { call_options(&raw const options) })
    }
}

#[cold]
fn other(number: u32) -> Error {
    Error::new(
        ErrorKind::SignatureMismatch,
        format!("the plugin has another export {number} than the caller knows; generate the client again"),
    )
}

/// What can be entered.
trait Callee {
    fn plugin(&self) -> &Plugin;

    /// The instance that gives handles.
    fn giver(&self) -> Option<&Arc<Alive>>;

    /// # Safety
    ///
    /// `args` points to the struct of the function's arguments, or is NULL for a function without;
    /// the target is for its result.
    unsafe fn call(&self, export: usize, shape: &Shape, args: *const c_void, options: &CallOptions, target: &Target<'_>) -> Result<()>;
}

impl Callee for InstanceHandle {
    #[inline]
    fn plugin(&self) -> &Plugin {
        self.core.plugin()
    }

    #[inline]
    fn giver(&self) -> Option<&Arc<Alive>> {
        Some(&self.alive)
    }

    #[inline]
    unsafe fn call(&self, export: usize, shape: &Shape, args: *const c_void, options: &CallOptions, target: &Target<'_>) -> Result<()> {
        // SAFETY: the caller's promise.
        unsafe { instance::invoke(&self.core, export, shape, args, options, target) }
    }
}

impl Callee for PoolHandle {
    #[inline]
    fn plugin(&self) -> &Plugin {
        self.core.plugin()
    }

    #[inline]
    fn giver(&self) -> Option<&Arc<Alive>> {
        None
    }

    #[inline]
    unsafe fn call(&self, export: usize, shape: &Shape, args: *const c_void, options: &CallOptions, target: &Target<'_>) -> Result<()> {
        let mut arguments = self.core.plugin().arguments(export)?;
        // SAFETY: the caller's promise.
        unsafe { exports::lower_struct(&mut arguments, shape, args) }?;
        self.core.call_then(&mut arguments, options, |outcome| target.lift(outcome))
    }
}

/// # Safety
///
/// NULL, or an entry as the header says, whose target is a handle of that type.
#[inline]
unsafe fn enter<C: Callee>(entry: *mut EntryValue) {
    // SAFETY: the caller's promise.
    let Some(entry) = (unsafe { entry.as_mut() }) else { return };
    entry.arena = ptr::null_mut();
    // SAFETY: the caller's promise.
    entry.error = guard(|| unsafe {
        let callee = borrow(entry.target.cast::<C>(), "target")?;
        let shape = entry.shape(callee.plugin())?;
        let (target, options) = (entry.target(shape)?.with_handles_of(callee.giver()), entry.options());
        let _calling = Calling::enter(entry.caller);
        callee.call(entry.number as usize, shape, entry.args, options.as_ref().unwrap_or(CallOptions::NONE), &target)
    });
}

/// Calls an export of an instance. NULL does nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_instance_enter(entry: *mut EntryValue) {
    // SAFETY: C's promise.
    unsafe { enter::<InstanceHandle>(entry) };
}

/// Calls an export of any free instance of a pool. NULL does nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_pool_enter(entry: *mut EntryValue) {
    // SAFETY: C's promise.
    unsafe { enter::<PoolHandle>(entry) };
}
