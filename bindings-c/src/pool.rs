//! Interchangeable instances.

use std::ffi::{c_char, c_void};
use std::ptr;
use std::sync::Arc;

use undergo::{CallOptions, Pool, Result};

use crate::arena::Arena;
use crate::boundary::{borrow, borrow_mut, delete, give, quietly, text};
use crate::config::{CallOptionsValue, PoolStatsValue, call_options, duration};
use crate::errors::ErrorHandle;
use crate::exports::{self, SignatureValue, Target};
use crate::guard::{guard, put};
use crate::handles::Alive;
use crate::instance::InstanceHandle;
use crate::loaded::{Loaded, PluginHandle};
use crate::values::ValueHandle;

/// Interchangeable instances of one plugin. Any number of threads may call it: a call takes a free
/// instance, creates one, or waits for its turn, first come, first served. An instance that a call
/// has killed is replaced. Which instance answers is not defined, so calls must not rely on state
/// in a guest.
pub struct PoolHandle {
    pub(crate) core: Pool,
    pub(crate) plugin: Arc<Loaded>,
}

/// Frees a pool, which no thread may be calling. NULL is accepted.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_pool_delete(pool: *mut PoolHandle) {
    // SAFETY: C's promise.
    unsafe { delete(pool) };
}

/// Calls an export of any free instance; otherwise like `undergo_instance_call`. The timeout
/// includes waiting for an instance and creating one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_pool_call(
    pool: *const PoolHandle,
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
        let core = &borrow(pool, "pool")?.core;
        let mut arguments = core.plugin().arguments(core.plugin().export(text(name, "name")?)?)?;
        arguments.lower_all(exports::values(args, count)?.into_iter())?;
        core.call_then(&mut arguments, &call_options(options), |outcome| exports::lift_value(outcome, result))
    })
}

/// Calls an export with structs, like `undergo_instance_invoke`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_pool_invoke(
    pool: *const PoolHandle,
    signature: *const SignatureValue,
    args: *const c_void,
    options: *const CallOptionsValue,
    result: *mut c_void,
    arena: *mut *mut Arena,
) -> *mut ErrorHandle {
    // SAFETY: C's promise.
    guard(|| unsafe {
        let (core, wanted) = (&borrow(pool, "pool")?.core, borrow(signature, "signature")?);
        let (export, shape) = exports::find(core.plugin(), wanted)?;
        let target = Target::new(shape, result, arena)?;
        let mut arguments = core.plugin().arguments(export)?;
        exports::lower_struct(&mut arguments, shape, args)?;
        core.call_then(&mut arguments, &call_options(options), |outcome| target.lift(outcome))
    })
}

/// Takes an instance out of a pool, for one caller who needs its state: calls of a pool can't give
/// handles. It returns to the pool with `undergo_instance_delete`, on the same thread, which closes
/// all handles of its objects. `options`, which may be NULL, apply to the wait for it. A pool is
/// freed after the instances that were taken.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_pool_take(
    pool: *const PoolHandle,
    options: *const CallOptionsValue,
    instance: *mut *mut InstanceHandle,
) -> *mut ErrorHandle {
    // SAFETY: C's promise.
    unsafe { take_out(pool, options, instance, |core, options| core.take(options).map(Alive::taken)) }
}

/// The same for hosts whose callers move between threads: the instance returns with
/// `undergo_instance_delete` on any thread. A thread that waits for an instance while it has the
/// last one of the pool waits in vain, and is not told so.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_pool_lend(
    pool: *const PoolHandle,
    options: *const CallOptionsValue,
    instance: *mut *mut InstanceHandle,
) -> *mut ErrorHandle {
    // SAFETY: C's promise.
    unsafe { take_out(pool, options, instance, |core, options| core.lend(options).map(Alive::lent)) }
}

/// Takes an instance out in one of these ways.
///
/// # Safety
///
/// As of these functions: the pointers are valid or NULL.
unsafe fn take_out(
    pool: *const PoolHandle,
    options: *const CallOptionsValue,
    instance: *mut *mut InstanceHandle,
    take: impl FnOnce(&Pool, &CallOptions) -> Result<Arc<Alive>>,
) -> *mut ErrorHandle {
    // SAFETY: the caller's promise.
    guard(|| unsafe {
        put(instance, "instance", || {
            let pool = borrow(pool, "pool")?;
            Ok(InstanceHandle::new(take(&pool.core, &call_options(options))?, &pool.plugin))
        })
    })
}

/// The plugin of these instances, as a handle that the caller frees. NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_pool_plugin(pool: *const PoolHandle) -> *mut PluginHandle {
    // SAFETY: C's promise.
    unsafe { pool.as_ref() }.map_or(ptr::null_mut(), |pool| give(PluginHandle(pool.plugin.clone())))
}

/// The maximum number of instances.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_pool_size(pool: *const PoolHandle) -> usize {
    // SAFETY: C's promise.
    unsafe { pool.as_ref() }.map_or(0, |pool| pool.core.size())
}

/// Sets what the pool has done so far, and what it has now.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_pool_stats(pool: *const PoolHandle, stats: *mut PoolStatsValue) -> *mut ErrorHandle {
    guard(|| {
        // SAFETY: C's promise.
        let (pool, out) = unsafe { (borrow(pool, "pool")?, borrow_mut(stats, "stats")?) };
        *out = pool.core.stats().into();
        Ok(())
    })
}

/// Creates instances until there are that many, or as many as the pool may have, so that the first
/// calls need not create them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_pool_warm_up(pool: *const PoolHandle, instances: usize) -> *mut ErrorHandle {
    // SAFETY: C's promise.
    guard(|| unsafe { borrow(pool, "pool") }?.core.warm_up(instances))
}

/// Refuses new and waiting calls, which fail with dead-instance, and waits for running calls for so
/// many nanoseconds; 0: without limit.
///
/// Fails with timeout if calls are still running then, and with busy from within a host function
/// that this pool has called. The pool is closed in both cases.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_pool_close(pool: *const PoolHandle, timeout: u64) -> *mut ErrorHandle {
    // SAFETY: C's promise.
    guard(|| unsafe { borrow(pool, "pool") }?.core.close(duration(timeout)))
}

/// Whether it is closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_pool_is_closed(pool: *const PoolHandle) -> bool {
    // SAFETY: C's promise.
    quietly(true, || unsafe { pool.as_ref() }.is_none_or(|pool| pool.core.is_closed()))
}
