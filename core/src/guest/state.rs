//! The data of a store: the guest's handles, its limits, its host functions, and its part of WASI.

use std::sync::Arc;

use wasmtime::{Func, Memory};
use wasmtime_wasi::{WasiCtxView, WasiView};

use crate::abi::handles::Handles;
use crate::abi::typed::ErrorType;
use crate::compile::engine::Settings;
use crate::config::Lease;
use crate::guest::component::Component;
use crate::guest::handles::Guest;
use crate::guest::host::HostFunctions;
use crate::guest::lifecycle::Lifecycle;
use crate::guest::limiter::Limiter;
use crate::guest::lock::Lock;
use crate::guest::memory_cache::{MemoryCache, Values};
use crate::guest::reentry::{self, Channels};
use crate::guest::refusal::Refusals;
use crate::guest::words::Words;
use crate::platform::fiber::FiberRef;
use crate::sched::fairness::Fairness;
use crate::wasi::context::{Host, Wasi};

/// The data of a store.
pub(crate) struct State {
    pub(crate) wasi: Wasi,
    pub(crate) limiter: Limiter,
    pub(crate) memory_cache: MemoryCache,
    pub(crate) guest: Guest,
    /// For a guest that is a component.
    pub(crate) component: Option<Box<Component>>,
    /// By the number of the plugin's export: the function, and its post-return function.
    pub(crate) exports: Vec<(Func, Option<Func>)>,
    /// Whether its calls suspend, so that host functions may be awaited.
    pub(crate) suspends: bool,
    /// The channels for calls from awaited host functions.
    pub(crate) channels: Arc<Channels>,
    /// The number of its pool; 0 if that does not matter.
    pub(crate) pool: u64,
    /// A large result that the guest may release, and the function that does so.
    pub(crate) release: Option<(Func, u64)>,
    /// For an instance on fibers.
    pub(crate) fairness: Fairness,
    /// By the number of the plugin's export, those of words that were called on a fiber.
    pub(crate) words: Vec<Option<Arc<Words>>>,
    /// Lets goroutines run.
    pub(crate) poll: Option<Func>,
    pub(crate) host: HostFunctions,
    /// The types of errors with which these may fail.
    pub(crate) errors: Vec<ErrorType>,
    pub(crate) lock: Arc<Lock>,
    pub(crate) life: Arc<Lifecycle>,
    pub(crate) max_value: u64,
    /// The engine's, for which its code is compiled.
    pub(crate) settings: Settings,
    /// How many functions the module imports, counted with repetitions: its own functions are
    /// numbered after these.
    pub(crate) imported: u32,
    /// The fuel of each call, if it is limited.
    pub(crate) fuel: Option<u64>,
    pub(crate) refusals: Refusals,
    pub(crate) handles: Arc<Handles>,
    /// How many handles of WASI 0.2 it may have beside these.
    pub(crate) max_wasi: usize,
    /// The destructors, by the number of the resource.
    pub(crate) destructors: Vec<Option<Func>>,
    /// The fiber of the outermost call, if its caller's stack is too small.
    pub(crate) fiber: Option<FiberRef>,
    /// How many nested calls into the guest are running.
    pub(crate) depth: u32,
    /// Whether the guest's handles exist. Before that, only its start section runs.
    pub(crate) is_linked: bool,
}

impl State {
    /// The pool from which a call of a host function comes: its own, or that of an instance which
    /// has called it by a link.
    pub(crate) fn pool_of_call(&self) -> u64 {
        if self.pool == 0 { self.wasi.budget.pool } else { self.pool }
    }

    /// How many handles the engine may have for a component: its own, and those of WASI.
    pub(crate) fn max_handles(&self) -> usize {
        (self.handles.most() as usize).saturating_add(self.max_wasi)
    }

    /// A lease for a host function that is being called, if its answer may be awaited.
    pub(crate) fn lease(&self) -> Option<Lease> {
        self.suspends.then(|| Lease { id: reentry::unique(), pool: self.pool_of_call(), caller: self.lock.owner() })
    }
}

impl Host for State {
    fn wasi(&mut self) -> &mut Wasi {
        &mut self.wasi
    }

    fn memory(&self) -> Option<Memory> {
        self.guest.memory.and_then(Values::memory)
    }

    fn resume(&mut self) {
        self.fairness.resume();
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        self.wasi.p1.ctx()
    }
}
