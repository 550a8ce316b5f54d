//! What a store carries: the guest's handles, its limits, its host functions, and what WASI has of it.

use std::sync::Arc;

use wasmtime::{Func, Memory};

use crate::compile::engine::Settings;
use crate::guest::handles::Guest;
use crate::guest::host::HostFunction;
use crate::guest::lifecycle::Lifecycle;
use crate::guest::limiter::Limiter;
use crate::guest::lock::Lock;
use crate::guest::memory_cache::MemoryCache;
use crate::guest::reentry::Channels;
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
    /// By the number of the plugin's export: the function, and its post-return function.
    pub(crate) exports: Vec<(Func, Option<Func>)>,
    /// Whether its calls suspend their caller, so that host functions may be awaited.
    pub(crate) suspends: bool,
    /// Where calls from host functions that are awaited come in.
    pub(crate) channels: Arc<Channels>,
    /// The number of its pool; 0 where that does not matter.
    pub(crate) pool: u64,
    /// A large result that the guest may let go of, and the function that tells it.
    pub(crate) release: Option<(Func, u64)>,
    /// Of an instance on fibers.
    pub(crate) fairness: Fairness,
    /// By the number of the plugin's export, those of words that were called on a fiber.
    pub(crate) words: Vec<Option<Arc<Words>>>,
    /// What gives goroutines a turn.
    pub(crate) poll: Option<Func>,
    /// By the number of the plugin's import.
    pub(crate) host: Vec<Arc<dyn HostFunction>>,
    pub(crate) lock: Arc<Lock>,
    pub(crate) life: Arc<Lifecycle>,
    pub(crate) max_value: u64,
    /// The engine's, for which its code is compiled.
    pub(crate) settings: Settings,
    /// How many functions the module imports, each as often as it does so: the others are numbered behind these.
    pub(crate) imported: u32,
    /// What each call may use, if it is counted.
    pub(crate) fuel: Option<u64>,
    pub(crate) refusals: Refusals,
    /// What the outermost call runs on, where its caller's stack is too small.
    pub(crate) fiber: Option<FiberRef>,
    /// How many calls into the guest are under way, one within the other.
    pub(crate) depth: u32,
    /// Whether the guest's handles are there. Before that, only its start section runs.
    pub(crate) is_linked: bool,
}

impl Host for State {
    fn wasi(&mut self) -> &mut Wasi {
        &mut self.wasi
    }

    fn memory(&self) -> Option<Memory> {
        self.guest.memory
    }

    fn resume(&mut self) {
        self.fairness.resume();
    }
}
