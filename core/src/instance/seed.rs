//! Creating a guest: its store, its handles, its initialisation.

use std::sync::Arc;

use wasmtime::component::InstancePre;
use wasmtime::{AsContext, AsContextMut, Func, Store, UpdateDeadline, ValRaw};

use crate::abi::handles::{DEFAULT_MAX_HANDLES, Handles};
use crate::abi::quota::DEFAULT_MAX_VALUE;
use crate::call::component::bound_handles;
use crate::call::invoke::{Callee, enter, no_stack};
use crate::compile::engine::Stack;
use crate::compile::module::{ModuleKind, RUN};
use crate::config::CallOptions;
use crate::config::budget::{Budget, cancelled};
use crate::error::{Error, ErrorKind, Result};
use crate::guest::ended::classify;
use crate::guest::handles::Guest;
use crate::guest::host::HostFunctions;
use crate::guest::lifecycle::Lifecycle;
use crate::guest::limiter::Limiter;
use crate::guest::lock::Lock;
use crate::guest::memory_cache::{MemoryCache, Values};
use crate::guest::options::InstanceOptions;
use crate::guest::reentry::Channels;
use crate::guest::refusal::Refusals;
use crate::guest::state::State;
use crate::interface::{Resource, Side};
use crate::platform::tsc::Stopwatch;
use crate::platform::{fiber, fork, window};
use crate::plugin::linked::{Linked, Pre};
use crate::plugin::{Compiled, Plugin};
use crate::sched::driver::Driver;
use crate::sched::fairness::Fairness;
use crate::sched::task;
use crate::sched::ticker::Ticking;
use crate::wasi::context::{Parts, Wasi};
use crate::wasi::files::given::Given;
use crate::wasi::http::HANDLER;
use crate::wasi::preview2::most_resources;
use crate::wasi::sockets::denials::Denials;
use crate::wasi::stdio::streams::Streams;

/// Everything from which a guest is created, and created again by a reset.
pub(crate) struct Seed {
    pub(crate) plugin: Plugin,
    pub(crate) options: InstanceOptions,
    pub(crate) given: Arc<Given>,
    pub(crate) host: HostFunctions,
    pub(crate) streams: Arc<Streams>,
    pub(crate) denials: Arc<Denials>,
    pub(crate) lock: Arc<Lock>,
    pub(crate) life: Arc<Lifecycle>,
    pub(crate) channels: Arc<Channels>,
    pub(crate) kind: Kind,
    pub(crate) handles: Arc<Handles>,
    stack: Stack,
}

impl Drop for Seed {
    fn drop(&mut self) {
        // The host's program may still have handles, by which the table lives on.
        self.handles.forget();
    }
}

/// How callers use an instance.
#[derive(Clone, Copy)]
pub(crate) struct Kind {
    /// How its guest is run.
    pub(crate) driver: Driver,
    /// Whether its calls suspend, so that its host functions may be awaited.
    pub(crate) suspends: bool,
    /// The number of its pool; 0 if that does not matter.
    pub(crate) pool: u64,
    /// What its guest is run as. A command whose functions are called is run as a reactor.
    pub(crate) role: ModuleKind,
}

impl Kind {
    /// For callers that wait on their threads. Coroutines that share their thread's stack may leave
    /// a host function in the middle and enter another guest. Wasmtime chains the guests of a
    /// thread through its stack, so only guests on fibers may be left in any order.
    pub(crate) fn holding(plugin: &Plugin) -> Kind {
        // What WASI 0.2 waits for is a future.
        let is_component = plugin.info().kind == ModuleKind::Component;
        let driver = if is_component || window::has_coroutines() { Driver::Fiber } else { Driver::Direct };
        Kind { driver, suspends: false, pool: 0, role: ModuleKind::Reactor }
    }

    /// For callers that are suspended.
    pub(crate) const SUSPENDING: Kind = Kind { driver: Driver::Fiber, suspends: true, pool: 0, role: ModuleKind::Reactor };
}

/// A guest that has not begun: its store, and the module to be instantiated there.
struct Fresh {
    store: Store<State>,
    linked: Arc<Linked>,
}

impl Seed {
    /// # Errors
    ///
    /// `missing-import`, naming all missing functions.
    pub(crate) fn new(plugin: &Plugin, options: InstanceOptions, kind: Kind) -> Result<Seed> {
        let given = Given::open(&options.sandbox)?;
        Seed::with(plugin, options, given, kind)
    }

    /// The same for one of several instances with the same options.
    pub(crate) fn with(plugin: &Plugin, options: InstanceOptions, given: Arc<Given>, kind: Kind) -> Result<Seed> {
        // Wrong options are reported before missing functions.
        let stack = Stack::new(options.limits.stack)?;
        let host = host_functions(plugin, &options)?;
        plugin.note(&options);
        let streams = Arc::new(Streams::new(&options.sandbox, &options.limits, kind.role, kind.driver));
        let handles = Arc::new(Handles::new(options.limits.handles.unwrap_or(DEFAULT_MAX_HANDLES)));
        Ok(Seed {
            plugin: plugin.clone(),
            options,
            given,
            host,
            streams,
            denials: Arc::default(),
            lock: Arc::new(Lock::new()),
            life: Arc::new(Lifecycle::new()),
            channels: Arc::default(),
            kind,
            handles,
            stack,
        })
    }

    /// Creates a guest and starts it, within that budget: runs its `_initialize`, or the whole
    /// command. Returns its store, and what has ended it.
    pub(crate) async fn begin(&self, budget: Budget) -> Result<(Store<State>, Result<()>)> {
        window::check()?;
        let driver = self.kind.driver;
        if driver == Driver::Fiber {
            // Creating a guest takes a while, which should not block a loop.
            task::away().await;
        }
        let Fresh { mut store, linked } = self.fresh()?;
        // A guest that is made anew lives again from here on.
        self.life.begin();
        let unmade = Unmade(&self.life);
        let begun = self.begin_in(&mut store, &linked, budget).await;
        std::mem::forget(unmade);
        Ok((store, begun))
    }

    async fn begin_in(&self, store: &mut Store<State>, linked: &Linked, budget: Budget) -> Result<()> {
        let driver = self.kind.driver;
        let _ticking = Ticking::start()?;
        let watch = Stopwatch::start();
        budget.look(driver)?;
        store.data_mut().wasi.budget = budget.clone();
        self.life.set_tier(linked.settings.flavor.tier);
        let begun = driver.bounded(&budget, bring_up(driver, self, store, linked)).await;
        store.data_mut().wasi.budget = Budget::default();
        self.life.used(watch.ticks(), store.data().limiter.memory);
        note_fuel(&*store);
        begun
    }

    /// A store without a guest, for a closed instance.
    pub(crate) fn empty(&self) -> Result<Store<State>> {
        self.fresh().map(|fresh| fresh.store)
    }

    /// Whether functions of a command are to be called after its `main`.
    fn wants_more(&self) -> bool {
        self.kind.role == ModuleKind::Reactor && self.plugin.info().kind == ModuleKind::Command
    }

    /// A store without an instance yet.
    fn fresh(&self) -> Result<Fresh> {
        let (compiled, options) = (self.plugin.compiled(), &self.options);
        self.streams.begin();
        self.handles.forget();
        // A guest that is made anew gets better code, if there is any by now.
        let linked = compiled.linked(options.limits.fuel.is_some(), self.stack, &Budget::of(CallOptions::NONE, &options.limits))?;
        let is_component = compiled.info.kind == ModuleKind::Component;
        let wasi = Wasi::new(&Parts {
            name: &compiled.name,
            is_go: compiled.info.go_version.is_some(),
            is_component,
            suspends: linked.settings.flavor.suspends,
            sandbox: &options.sandbox,
            limits: &options.limits,
            given: &self.given,
            streams: &self.streams,
            denials: &self.denials,
            share: &compiled.share,
        })?;
        let state = State {
            settings: linked.settings,
            imported: linked.imported,
            // Precompiled code may count fuel although no limit was requested.
            fuel: options.limits.fuel.or_else(|| linked.settings.flavor.fuel.then_some(u64::MAX)),
            wasi,
            memory_cache: MemoryCache::NONE,
            limiter: if is_component { Limiter::new(&options.limits).of_component() } else { Limiter::new(&options.limits) },
            guest: Guest::default(),
            component: None,
            exports: Vec::new(),
            fairness: Fairness::new(compiled.cpu_history.clone()),
            words: Vec::new(),
            poll: None,
            host: self.host.clone(),
            errors: self.options.imports.errors.clone(),
            lock: self.lock.clone(),
            life: self.life.clone(),
            suspends: self.kind.suspends,
            channels: self.channels.clone(),
            pool: self.kind.pool,
            release: None,
            max_value: options.limits.value.unwrap_or(DEFAULT_MAX_VALUE),
            refusals: Refusals::default(),
            handles: self.handles.clone(),
            max_wasi: most_resources(&options.limits),
            destructors: Vec::new(),
            fiber: None,
            depth: 0,
            is_linked: false,
        };
        let mut store = Store::new(linked.engine, state);
        store.limiter(|state| &mut state.limiter);
        store.set_epoch_deadline(1);
        Ok(Fresh { store, linked })
    }
}

/// TinyGo's default for commands from 0.35 on, and what Go's own compiler always does.
const ENDED_BY_MAIN: &str = "its main has ended the program, so that none of its functions can be called; build it with \
    -buildmode=c-shared, or by TinyGo with -buildmode=wasi-legacy";

async fn bring_up(driver: Driver, seed: &Seed, store: &mut Store<State>, linked: &Linked) -> Result<()> {
    store.epoch_deadline_callback(move |mut store| {
        store.data().wasi.budget.look(driver).map_err(Error::into_wasmtime)?;
        if driver == Driver::Direct || store.data_mut().fairness.stays() {
            return Ok(UpdateDeadline::Continue(1));
        }
        Ok(UpdateDeadline::YieldCustom(1, Box::pin(task::give_way())))
    });
    refuel(&mut *store)?;
    let pre = match linked.pre(driver)? {
        Pre::Module(pre) => pre,
        Pre::Component(pre) => return bring_up_component(driver, seed, store, pre).await,
    };
    let held = fork::hold()?;
    let made = match driver {
        // A start section is rare, but it is guest code.
        Driver::Direct => fiber::with_stack(seed.stack.native(), |_| pre.instantiate(&mut *store)).map_err(|error| no_stack(&error))?,
        Driver::Fiber => pre.instantiate_async(&mut *store).await,
    };
    drop(held);
    let instance = made.map_err(|error| not_linked(&error, &*store))?;
    let start = handles(store, &instance, seed.plugin.compiled())?;
    let mut store = store.as_context_mut();
    if let Some(begin) = start.begin {
        let begun = enter(driver, &mut store, Callee::plain(begin), &mut []).await;
        begun.map_err(|error| if seed.wants_more() && error.kind() == ErrorKind::Exit { error.with_note(ENDED_BY_MAIN) } else { error })?;
    }
    if let Some(arena) = start.arena {
        let mut raw = [ValRaw::u32(0)];
        enter(driver, &mut store, Callee::Contract { func: arena, params: 0, has_result: true }, &mut raw).await?;
        store.data_mut().guest.arena = Some(raw[0].get_u32());
    }
    Ok(())
}

/// Instantiates a component, and finds its exports. Runs it, if it is run as a program.
async fn bring_up_component(driver: Driver, seed: &Seed, store: &mut Store<State>, pre: &InstancePre<State>) -> Result<()> {
    let compiled = seed.plugin.compiled();
    let value_limit = usize::try_from(store.data().max_value).unwrap_or(usize::MAX);
    // What the engine may lift for one call, on the host's side.
    store.set_hostcall_fuel(value_limit);
    // Its initialisation may call the host.
    let state = store.data_mut();
    state.guest.memory = Some(Values::Buffer);
    state.component = Some(Box::default());
    bound_handles(&mut store.as_context_mut());
    let instance = pre.instantiate_async(&mut *store).await.map_err(|error| not_linked(&error, &*store))?;
    let mut exports = Vec::with_capacity(compiled.exports.len());
    let find = |store: &mut Store<State>, interface: Option<&str>, name: &str| {
        let within = interface.and_then(|interface| instance.get_export_index(&mut *store, None, interface));
        let index = instance.get_export_index(&mut *store, within.as_ref(), name)?;
        instance.get_func(&mut *store, index)
    };
    let gone = |name: &str| Error::new(ErrorKind::InvalidPlugin, format!("the export {name} is gone"));
    for export in &compiled.exports {
        let name = export.function.core_name.as_str();
        let (interface, name) = name.split_once('#').map_or((None, name), |(interface, name)| (Some(interface), name));
        exports.push(find(store, interface, name).ok_or_else(|| gone(&export.function.name))?);
    }
    let run = match compiled.info.wasi_export(RUN) {
        Some(interface) if seed.kind.role == ModuleKind::Command => Some(find(store, Some(interface), "run").ok_or_else(|| gone(RUN))?),
        _ => None,
    };
    let handler = match compiled.info.wasi_export(HANDLER) {
        Some(interface) => {
            let handle = find(store, Some(interface), "handle").ok_or_else(|| gone(HANDLER))?;
            let wrong =
                |error| Error::new(ErrorKind::InvalidPlugin, format!("the component's {HANDLER} is not that of WASI 0.2: {error:#}"));
            Some(handle.typed(&*store).map_err(wrong)?)
        }
        None => None,
    };
    let state = store.data_mut();
    if let Some(component) = &mut state.component {
        (component.exports, component.handler) = (exports, handler);
    }
    state.is_linked = true;
    match run {
        Some(run) => enter(driver, &mut store.as_context_mut(), Callee::Program(run), &mut []).await,
        None => Ok(()),
    }
}

/// Ends an instance whose guest was not made anew, because of a panic or because the future was
/// dropped: it still has the old store.
struct Unmade<'l>(&'l Lifecycle);

impl Drop for Unmade<'_> {
    fn drop(&mut self) {
        self.0.kill(&if std::thread::panicking() {
            Error::new(ErrorKind::Trap, "a panic of the host has ended the initialisation")
        } else {
            cancelled()
        });
    }
}

/// Sets the fuel of a call that begins, if it is limited.
pub(crate) fn refuel(mut store: impl AsContextMut<Data = State>) -> Result<()> {
    let mut store = store.as_context_mut();
    let Some(fuel) = store.data().fuel else { return Ok(()) };
    store.set_fuel(fuel).map_err(|error| Error::new(ErrorKind::OutOfFuel, format!("fuel can't be limited: {error:#}")))
}

/// Records how much fuel the call has used, if it is limited.
pub(crate) fn note_fuel(store: impl AsContext<Data = State>) {
    let store = store.as_context();
    if let (Some(fuel), Ok(left)) = (store.data().fuel.filter(|fuel| *fuel < u64::MAX), store.get_fuel()) {
        store.data().life.burnt(fuel.saturating_sub(left));
    }
}

/// The functions that are called once.
pub(crate) struct Start {
    /// `_initialize`, or a command's `_start`: its whole `main`.
    pub(crate) begin: Option<Func>,
    /// Returns the address of the arena.
    pub(crate) arena: Option<Func>,
}

/// Finds the exports that every call needs.
pub(crate) fn handles(store: &mut Store<State>, instance: &wasmtime::Instance, compiled: &Compiled) -> Result<Start> {
    let memory = instance.get_memory(&mut *store, "memory");
    let mut find = |name: &str| instance.get_func(&mut *store, name);
    let mut exports = Vec::with_capacity(compiled.exports.len());
    for export in &compiled.exports {
        let func = find(&export.function.core_name)
            .ok_or_else(|| Error::new(ErrorKind::InvalidPlugin, format!("the export {} is gone", export.function.name)))?;
        exports.push((func, export.post.as_deref().and_then(&mut find)));
    }
    let start = Start { begin: find(compiled.info.kind.begin()), arena: find("undergo_arena") };
    // Go's init functions may call the host and get strings, which need `realloc` before the arena
    // exists.
    let destructor = |resource: &Resource| (resource.ty.side == Side::Guest).then(|| resource.ty.destructor());
    let destructors = compiled.interface.iter().flat_map(|interface| &interface.resources);
    let destructors = destructors.map(|resource| destructor(resource).and_then(|name| find(&name))).collect();
    let (realloc, poll) = (find("cabi_realloc"), find("undergo_poll"));
    let state = store.data_mut();
    state.guest = Guest { memory: memory.map(Values::Memory), realloc, arena: None };
    state.exports = exports;
    state.poll = poll;
    state.destructors = destructors;
    state.is_linked = true;
    Ok(start)
}

/// Why a module could not be instantiated.
pub(crate) fn not_linked(error: &wasmtime::Error, store: impl AsContext<Data = State>) -> Error {
    if error.is::<wasmtime::Trap>() || error.is::<wasmtime_wasi::I32Exit>() {
        return classify(error, store, 0);
    }
    match store.as_context().data().limiter.exceeded() {
        Some(exceeded) => exceeded,
        None => Error::from_wasmtime(error)
            .unwrap_or_else(|| Error::new(ErrorKind::InvalidPlugin, format!("the module can't be instantiated: {error:#}"))),
    }
}

fn host_functions(plugin: &Plugin, options: &InstanceOptions) -> Result<HostFunctions> {
    let mut found = Vec::new();
    let mut missing = Vec::new();
    for import in plugin.compiled().imports.iter() {
        match import.provided.as_ref().or_else(|| options.imports.get(import)) {
            Some(function) => {
                let errors = &options.imports.errors;
                let checked =
                    function.check(&import.function).and_then(|()| errors.iter().try_for_each(|ty| ty.check_for(&import.function)));
                checked.map_err(|error| error.in_function(&format!("{}.{}", import.module, import.name)))?;
                found.push(function.clone());
            }
            None => missing.push(format!("{}.{}", import.module, import.function)),
        }
    }
    if missing.is_empty() {
        return Ok(HostFunctions::new(found));
    }
    let given: Vec<String> = options.imports.names().collect();
    let given = if given.is_empty() { "none were given".to_owned() } else { format!("given were {}", given.join(", ")) };
    let text = format!("{} needs these functions of the host, and {given}: {}", plugin.name(), missing.join("; "));
    Err(Error::new(ErrorKind::MissingImport, text))
}
