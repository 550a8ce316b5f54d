//! Options and limits, as structs. Zeros are the defaults, so that
//! `(undergo_limits_t){.memory = 64 << 20}` is complete.

use std::ffi::c_char;
use std::time::Duration;

use undergo::{
    CallOptions, CodeCache, Compile, Error, ErrorKind, InstanceOptions, Limits, PluginOptions, PoolOptions, PoolStats, Result, Usage,
};

use crate::boundary::path;
use crate::cancel::Cancel;

/// Compile quickly first, and better in the background, for instances that are created later.
pub const UNDERGO_COMPILE_TIERED: u32 = 0;
/// Compile quickly, to code that takes two to three times as long.
pub const UNDERGO_COMPILE_FAST: u32 = 1;
/// Compile well, and wait for it.
pub const UNDERGO_COMPILE_BEST: u32 = 2;

/// How a plugin is compiled. NULL means the defaults, which are zeros.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct PluginOptionsValue {
    /// One of `UNDERGO_COMPILE_TIERED`, `_FAST`, `_BEST`.
    pub compile: u32,
    /// Whether compiled code is kept nowhere.
    pub no_cache: bool,
    /// The folder where compiled code is kept for the next process; NULL: the one that
    /// UNDERGO_CACHE_DIR names, or the user's cache folder.
    pub cache: *const c_char,
    /// How many times as much as usual the module may ask of the compilers. A compilation can't be
    /// stopped, so a module that asks for more is refused. 0 is 1.
    pub bounds: u32,
    /// Nanoseconds that loading may take; 0: without limit. A compilation that has begun goes on in
    /// the background, within the bounds.
    pub timeout: u64,
    /// Can end the loading earlier, from any thread; may be NULL. It must live until the plugin is
    /// loaded.
    pub cancel: *const Cancel,
    /// The path of an `undergo` program of this version, which compiles in a separate process with
    /// limited time and memory: for modules that you don't trust. NULL: this process compiles.
    pub compiler: *const c_char,
    /// Whether Go's code is compiled as its compiler wrote it. By default it is rewritten with
    /// structured control flow first, which makes it faster.
    pub no_optimize: bool,
}

/// Options of one call. NULL means the defaults, which are zeros.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct CallOptionsValue {
    /// Nanoseconds that the call may take, including the wait for the instance; 0: the limit of the
    /// instance.
    pub timeout: u64,
    /// Can end the call earlier, from any thread; may be NULL. It must live until the call has
    /// begun.
    pub cancel: *const Cancel,
}

/// What an instance may use. NULL means the defaults, which are zeros: only the limits of
/// WebAssembly (4 GiB of memory) and of one value.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct LimitsValue {
    /// Bytes of guest memory.
    pub memory: u64,
    /// Nanoseconds that a call, or the initialisation, may take: computing, sleeping, host
    /// functions and waiting for the instance.
    pub timeout: u64,
    /// Bytes that one value from the guest may take on this side, as objects, 1 GiB by default.
    pub value: u64,
    /// Bytes that the guest may write to each of its two outputs over its life; the rest is
    /// dropped, which is not an error for the guest.
    pub output: u64,
    /// Bytes of guest stack of one call, from 64 KiB to 512 MiB, rounded up to a power of two; 4
    /// MiB by default.
    pub stack: u64,
    /// How much each call, and the initialisation, may compute, in units of about one WebAssembly
    /// instruction. It costs about a tenth of the speed.
    pub fuel: u64,
    /// Elements of the guest's tables, all together, 4,194,304 by default.
    pub table: u32,
    /// Descriptors of this process that the guest may hold at once, 128 by default: files,
    /// directories, sockets, accepted connections, and pipes. Beyond it the guest gets the error
    /// "too many open files".
    pub descriptors: u32,
    /// Handles that the guest may hold at once, 10,000 by default: of objects, functions,
    /// iterables and streams of the host, and of its own objects on their way. Beyond it the call
    /// ends with out-of-memory.
    pub handles: u32,
}

/// How many instances a pool has, and for how long.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct PoolOptionsValue {
    /// The maximum number of instances, at least 1. They are created when calls need them.
    pub size: usize,
    /// An instance is replaced after this many calls; 1 gives each call a fresh instance. 0: it
    /// serves as long as it lives.
    pub max_calls: u64,
    /// Nanoseconds after which an unused instance is dropped. 0: it is kept.
    pub idle: u64,
    /// How many instances are created at once.
    pub warm: usize,
}

/// What an instance used.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct UsageValue {
    /// Nanoseconds that the last call took, or the initialisation before the first: host functions
    /// included.
    pub time: u64,
    /// Bytes of guest memory after it, which never shrinks.
    pub memory: u64,
    /// Fuel that the last call used, where `has_fuel`.
    pub fuel: u64,
    /// Whether fuel is limited, and so counted.
    pub has_fuel: bool,
}

impl From<Usage> for UsageValue {
    fn from(usage: Usage) -> UsageValue {
        UsageValue {
            time: u64::try_from(usage.time.as_nanos()).unwrap_or(u64::MAX),
            memory: usage.memory,
            fuel: usage.fuel.unwrap_or(0),
            has_fuel: usage.fuel.is_some(),
        }
    }
}

/// What a pool has done so far, and what it has now.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct PoolStatsValue {
    /// Instances that a call has, or that are being made for one.
    pub busy: usize,
    /// Instances that wait for a call.
    pub idle: usize,
    /// Callers that wait for an instance.
    pub waiting: usize,
    /// Calls that were given an instance.
    pub calls: u64,
    /// Instances that were made.
    pub made: u64,
    /// Instances that were dropped because a call had ended them.
    pub died: u64,
    /// Instances that were dropped because they had answered as many calls as they should.
    pub retired: u64,
    /// Instances that were dropped because nobody had called them for long.
    pub shrunk: u64,
}

impl From<PoolStats> for PoolStatsValue {
    fn from(stats: PoolStats) -> PoolStatsValue {
        let PoolStats { busy, idle, waiting, calls, made, died, retired, shrunk } = stats;
        PoolStatsValue { busy, idle, waiting, calls, made, died, retired, shrunk }
    }
}

/// A number that is 0 for none.
pub(crate) fn given(number: u64) -> Option<u64> {
    (number != 0).then_some(number)
}

pub(crate) fn duration(nanoseconds: u64) -> Option<Duration> {
    given(nanoseconds).map(Duration::from_nanos)
}

/// SAFETY: as `undergo.h` says of the struct.
pub(crate) unsafe fn plugin_options(options: *const PluginOptionsValue) -> Result<PluginOptions> {
    // SAFETY: the caller's promise.
    let Some(options) = (unsafe { options.as_ref() }) else { return Ok(PluginOptions::default()) };
    let compile = match options.compile {
        UNDERGO_COMPILE_TIERED => Compile::Tiered,
        UNDERGO_COMPILE_FAST => Compile::Fast,
        UNDERGO_COMPILE_BEST => Compile::Best,
        other => {
            let text = format!("compile is {other}; it must be UNDERGO_COMPILE_TIERED, UNDERGO_COMPILE_FAST or UNDERGO_COMPILE_BEST");
            return Err(Error::new(ErrorKind::TypeMismatch, text));
        }
    };
    let cache = if options.no_cache {
        CodeCache::Off
    } else if options.cache.is_null() {
        CodeCache::User
    } else {
        // SAFETY: the caller's promise.
        CodeCache::Folder(unsafe { path(options.cache, "cache") }?)
    };
    // SAFETY: the caller's promise.
    let compiler = if options.compiler.is_null() { None } else { Some(unsafe { path(options.compiler, "compiler") }?) };
    // SAFETY: the caller's promise.
    let cancel = unsafe { options.cancel.as_ref() }.map(|token| token.0.clone());
    let (bounds, timeout, optimize) = (options.bounds, duration(options.timeout), !options.no_optimize);
    Ok(PluginOptions { compile, cache, bounds, timeout, cancel, compiler, optimize, wasi_0_3: false })
}

/// SAFETY: as `undergo.h` says of the struct.
#[inline]
pub(crate) unsafe fn call_options(options: *const CallOptionsValue) -> CallOptions {
    // SAFETY: the caller's promise.
    let Some(options) = (unsafe { options.as_ref() }) else { return CallOptions::default() };
    // SAFETY: the caller's promise.
    let cancel = unsafe { options.cancel.as_ref() }.map(|token| token.0.clone());
    CallOptions { timeout: duration(options.timeout), cancel, ..CallOptions::default() }
}

/// SAFETY: as `undergo.h` says of the struct.
pub(crate) unsafe fn limits(limits: *const LimitsValue) -> Result<Limits> {
    // SAFETY: the caller's promise.
    let Some(limits) = (unsafe { limits.as_ref() }) else { return Ok(Limits::default()) };
    Ok(Limits {
        memory: given(limits.memory),
        timeout: duration(limits.timeout),
        stack: given(limits.stack),
        fuel: given(limits.fuel),
        table: (limits.table != 0).then_some(limits.table),
        value: given(limits.value),
        output: given(limits.output),
        descriptors: (limits.descriptors != 0).then_some(limits.descriptors),
        handles: (limits.handles != 0).then_some(limits.handles),
    })
}

pub(crate) fn pool_options(options: &PoolOptionsValue, instance: InstanceOptions) -> PoolOptions {
    PoolOptions { size: options.size, max_calls: given(options.max_calls), idle: duration(options.idle), instance }
}
