//! How a guest comes to be: its store, its handles, its initialisation.

use std::sync::Arc;

use wasmtime::{AsContext, AsContextMut, Func, Store, UpdateDeadline, ValRaw};

use crate::abi::quota::DEFAULT_MAX_VALUE;
use crate::call::host_call::HostFunction;
use crate::call::reentry::Doors;
use crate::compile::engine::Stack;
use crate::config::CallOptions;
use crate::config::budget::Budget;
use crate::error::{Error, ErrorKind, Result};
use crate::guest::lifecycle::Lifecycle;
use crate::guest::limiter::Limiter;
use crate::guest::lock::Gate;
use crate::guest::memory_cache::MemoryCache;
use crate::guest::options::InstanceOptions;
use crate::guest::refusal::Refusals;
use crate::guest::state::{Guest, State, classify, enter, native_stack, on_large_stack};
use crate::platform::fork;
use crate::platform::stack;
use crate::plugin::{Compiled, Plugin};
use crate::sched::fairness::Turn;
use crate::wasi::context::{Parts, Wasi};
use crate::wasi::files::given::Given;
use crate::wasi::sockets::denials::Denials;
use crate::wasi::stdio::streams::Streams;

/// What a guest is made of, and made of anew when it is reset.
pub(crate) struct Seed {
    pub(crate) plugin: Plugin,
    pub(crate) options: InstanceOptions,
    pub(crate) given: Arc<Given>,
    pub(crate) host: Vec<Arc<dyn HostFunction>>,
    pub(crate) streams: Arc<Streams>,
    pub(crate) denials: Arc<Denials>,
    pub(crate) gate: Arc<Gate>,
    pub(crate) life: Arc<Lifecycle>,
    pub(crate) doors: Arc<Doors>,
    /// The number of its pool, where that matters.
    pub(crate) pool: u64,
    stack: Stack,
}

impl Seed {
    /// # Errors
    ///
    /// `missing-import` with all that is missing.
    pub(crate) fn new(plugin: &Plugin, options: InstanceOptions) -> Result<Seed> {
        let given = Given::open(&options.sandbox)?;
        Seed::with(plugin, options, given)
    }

    /// The same for one of several instances, which are given the same.
    pub(crate) fn with(plugin: &Plugin, options: InstanceOptions, given: Arc<Given>) -> Result<Seed> {
        let host = host_functions(plugin, &options)?;
        plugin.note(&options);
        let streams = Arc::new(Streams::new(&options.sandbox, &options.limits, plugin.info().kind));
        let stack = Stack::new(options.limits.stack)?;
        Ok(Seed {
            plugin: plugin.clone(),
            options,
            given,
            host,
            streams,
            denials: Arc::default(),
            gate: Arc::new(Gate::new()),
            life: Arc::new(Lifecycle::new()),
            doors: Arc::default(),
            pool: 0,
            stack,
        })
    }

    /// Checks that the guest finds enough stack here, where that may not be one of its own.
    #[inline]
    pub(crate) fn check_stack(&self) -> Result<()> {
        // Also without imports: functions for lines and for interrupts are code of the host's, which may switch stacks.
        stack::check_stack(native_stack(self.stack))
    }

    /// A store without an instance in it yet.
    pub(crate) fn store(&self) -> Result<Store<State>> {
        let (compiled, options) = (self.plugin.compiled(), &self.options);
        self.streams.begin();
        // A guest that is made anew gets the better code that may have come since.
        let ready = compiled.ready(options.limits.fuel.is_some(), self.stack, &Budget::of(CallOptions::NONE, &options.limits))?;
        let wasi = Wasi::new(&Parts {
            name: &compiled.name,
            is_go: compiled.info.go_version.is_some(),
            sandbox: &options.sandbox,
            limits: &options.limits,
            given: &self.given,
            streams: &self.streams,
            denials: &self.denials,
            share: &compiled.share,
        })?;
        let state = State {
            ready: ready.clone(),
            // Code that came compiled may count although nobody asked for it.
            fuel: options.limits.fuel.or_else(|| ready.settings.flavor.fuel.then_some(u64::MAX)),
            wasi,
            memory_cache: MemoryCache::NONE,
            limiter: Limiter::new(&options.limits),
            guest: Guest::default(),
            exports: Vec::new(),
            turn: Turn::new(compiled.cpu_history.clone()),
            words: Vec::new(),
            poll: None,
            host: self.host.clone(),
            gate: self.gate.clone(),
            life: self.life.clone(),
            doors: self.doors.clone(),
            pool: self.pool,
            release: None,
            max_value: options.limits.value.unwrap_or(DEFAULT_MAX_VALUE),
            refusals: Refusals::default(),
            depth: 0,
            is_linked: false,
        };
        let mut store = Store::new(ready.engine, state);
        store.limiter(|state| &mut state.limiter);
        store.set_epoch_deadline(1);
        Ok(store)
    }

    /// Instantiates the module in its store, and runs its `_initialize`; of a command, all of it. The caller is through the gate, and has set the store's budget and the clock ticking.
    pub(crate) fn bring_up(&self, store: &mut Store<State>) -> Result<()> {
        let compiled = self.plugin.compiled();
        store.epoch_deadline_callback(|store| match store.data().wasi.budget.check() {
            Ok(()) => Ok(UpdateDeadline::Continue(1)),
            Err(ended) => Err(ended.into_wasmtime()),
        });
        refuel(&mut *store)?;
        let ready = store.data().ready.clone();
        let held = fork::hold()?;
        // A start section is rare, but guest code.
        let linked = on_large_stack(ready.settings.stack, || ready.pre.instantiate(&mut *store));
        drop(held);
        let instance = linked.map_err(|error| not_linked(&error, &*store))?;
        let start = handles(store, &instance, compiled)?;
        let mut store = store.as_context_mut();
        if let Some(begin) = start.begin {
            enter(&mut store, begin, &mut [])?;
        }
        if let Some(arena) = start.arena {
            let mut raw = [ValRaw::u32(0)];
            enter(&mut store, arena, &mut raw)?;
            store.data_mut().guest.arena = Some(raw[0].get_u32());
        }
        Ok(())
    }
}

/// Gives a call that begins its fuel, if that is counted.
pub(crate) fn refuel(mut store: impl AsContextMut<Data = State>) -> Result<()> {
    let mut store = store.as_context_mut();
    let Some(fuel) = store.data().fuel else { return Ok(()) };
    store.set_fuel(fuel).map_err(|error| Error::new(ErrorKind::OutOfFuel, format!("fuel can't be limited: {error:#}")))
}

/// Notes what the call used of its fuel, where there is a limit.
pub(crate) fn note_fuel(store: impl AsContext<Data = State>) {
    let store = store.as_context();
    if let (Some(fuel), Ok(left)) = (store.data().fuel.filter(|fuel| *fuel < u64::MAX), store.get_fuel()) {
        store.data().life.burnt(fuel.saturating_sub(left));
    }
}

/// The functions that are called once.
pub(crate) struct Start {
    /// `_initialize`, or a command's `_start`.
    pub(crate) begin: Option<Func>,
    /// Gives the address of the arena.
    pub(crate) arena: Option<Func>,
}

/// Finds what every call needs.
pub(crate) fn handles(store: &mut Store<State>, instance: &wasmtime::Instance, compiled: &Compiled) -> Result<Start> {
    let memory = instance.get_memory(&mut *store, "memory");
    let mut find = |name: &str| instance.get_func(&mut *store, name);
    let mut exports = Vec::with_capacity(compiled.exports.len());
    for export in &compiled.exports {
        let func = find(&export.function.name)
            .ok_or_else(|| Error::new(ErrorKind::InvalidPlugin, format!("the export {} is gone", export.function.name)))?;
        exports.push((func, export.post.as_deref().and_then(&mut find)));
    }
    let start = Start { begin: find(compiled.info.kind.begin()), arena: find("undergo_arena") };
    // An init function of Go may call the host, and be given strings: `realloc` is needed before the arena is there.
    let (realloc, poll) = (find("cabi_realloc"), find("undergo_poll"));
    let state = store.data_mut();
    state.guest = Guest { memory, realloc, arena: None };
    state.exports = exports;
    state.poll = poll;
    state.is_linked = true;
    Ok(start)
}

/// Why a module could not be instantiated.
pub(crate) fn not_linked(error: &wasmtime::Error, store: impl AsContext<Data = State>) -> Error {
    match store.as_context().data().limiter.exceeded() {
        Some(exceeded) => exceeded,
        None if error.is::<wasmtime::Trap>() || error.is::<wasmtime_wasi::I32Exit>() => classify(error, store, 0),
        None => Error::from_wasmtime(error)
            .unwrap_or_else(|| Error::new(ErrorKind::InvalidPlugin, format!("the module can't be instantiated: {error:#}"))),
    }
}

fn host_functions(plugin: &Plugin, options: &InstanceOptions) -> Result<Vec<Arc<dyn HostFunction>>> {
    let mut found = Vec::new();
    let mut missing = Vec::new();
    for import in plugin.compiled().imports.iter() {
        match import.provided.as_ref().or_else(|| options.imports.get(&import.module, &import.name)) {
            Some(function) => found.push(function.clone()),
            None => missing.push(format!("{}.{}", import.module, import.function)),
        }
    }
    if missing.is_empty() {
        return Ok(found);
    }
    let given: Vec<String> = options.imports.names().collect();
    let given = if given.is_empty() { "none were given".to_owned() } else { format!("given were {}", given.join(", ")) };
    let text = format!("{} needs these functions of the host, and {given}: {}", plugin.name(), missing.join("; "));
    Err(Error::new(ErrorKind::MissingImport, text))
}
