//! A running copy of a plugin.

use std::cell::UnsafeCell;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use wasmtime::{Store, UpdateDeadline};

use crate::abi::lift::DEFAULT_MAX_VALUE;
use crate::abi::memory::GuestMemory;
use crate::call::Arguments;
use crate::config::{CallOptions, InstanceOptions};
use crate::engine::Ticking;
use crate::error::{Error, ErrorKind, Result};
use crate::gate::Gate;
use crate::patience::{Deadline, Patience};
use crate::plugin::{Compiled, Plugin};
use crate::running::Running;
use crate::state::{Guest, Limiter, State, classify, enter, on_large_stack};
use crate::value::{ToValue, Value};
use crate::wasi::{self, Streams};

/// A running copy of a plugin: its own memory, goroutines and globals. Cheap to clone; clones are the same instance.
///
/// Threads may share it: one call runs at a time, and others wait. A host function may call back into the instance that called it. After
/// anything but a return or a returned Go error, the instance is dead, and each later call gets `dead-instance`.
#[derive(Clone)]
pub struct Instance(Arc<Running>);

impl Instance {
    pub(crate) fn new(plugin: &Plugin, options: &InstanceOptions) -> Result<Instance> {
        let compiled = plugin.compiled();
        let host = host_functions(plugin, options)?;
        let streams = Arc::new(Streams::new(&options.sandbox));
        let gate = Arc::new(Gate::new());
        let state = State {
            wasi: wasi::context(&compiled.name, &options.sandbox, &options.limits, &streams)?,
            streams: streams.clone(),
            limiter: Limiter {
                max_memory: options.limits.memory,
                max_table: options.limits.table.map_or(MAX_TABLE, |most| most as usize),
                refused: None,
                memory: 0,
                table: 0,
            },
            patience: Patience::default(),
            guest: Guest::default(),
            host,
            gate: gate.clone(),
            max_value: options.limits.value.unwrap_or(DEFAULT_MAX_VALUE),
            depth: 0,
        };
        let mut store = Store::new(compiled.engine, state);
        store.limiter(|state| &mut state.limiter);
        store.epoch_deadline_callback(|store| match store.data().patience.check() {
            Ok(()) => Ok(UpdateDeadline::Continue(1)),
            Err(ended) => Err(ended.into_wasmtime()),
        });
        store.set_epoch_deadline(1);
        let instance = link(&gate, compiled, &mut store, options.limits.timeout)?;
        store.data_mut().guest.memory = instance.get_memory(&mut store, "memory");
        let mut find = |name: &str| instance.get_func(&mut store, name);
        let mut exports = Vec::with_capacity(compiled.exports.len());
        for export in &compiled.exports {
            let func = find(&export.function.name)
                .ok_or_else(|| Error::new(ErrorKind::InvalidPlugin, format!("the export {} is gone", export.function.name)))?;
            exports.push((func, export.post.as_deref().and_then(&mut find)));
        }
        let (initialize, realloc, arena) = (find("_initialize"), find("cabi_realloc"), find("undergo_arena"));
        let poll = find("undergo_poll");
        let made = Running {
            plugin: plugin.clone(),
            gate,
            store: UnsafeCell::new(store),
            exports,
            poll,
            streams,
            timeout: options.limits.timeout,
        };
        made.initialize(initialize, realloc, arena)?;
        Ok(Instance(Arc::new(made)))
    }

    /// The plugin that it is a copy of.
    #[must_use]
    pub fn plugin(&self) -> &Plugin {
        &self.0.plugin
    }

    /// The error that calls get once the instance has ended; `None` while it lives.
    #[must_use]
    pub fn dead(&self) -> Option<Error> {
        self.0.gate.dead()
    }

    /// Calls an export with [`Value`]s.
    ///
    /// # Errors
    ///
    /// `unknown-export`, `type-mismatch`, and whatever the call ends with: see [`ErrorKind`].
    pub fn call(&self, name: &str, args: &[Value], options: &CallOptions) -> Result<Value> {
        let mut arguments = self.arguments(self.0.plugin.export(name)?)?;
        arguments.expect(args.len())?;
        for (i, arg) in args.iter().enumerate() {
            arguments.lower(i, &arg)?;
        }
        arguments.call(options)?.lift(&ToValue)
    }

    /// Begins a call of the export of that number (see [`Plugin::export`]). Nothing is locked, and the guest is not touched, until
    /// [`Arguments::call`].
    ///
    /// # Errors
    ///
    /// `unknown-export` for a number that is none; `dead-instance`.
    pub fn arguments<'a>(&self, export: usize) -> Result<Arguments<'_, 'a>> {
        if let Some(dead) = self.0.gate.dead() {
            return Err(dead);
        }
        let found = self.0.plugin.compiled().exports.get(export);
        let found = found.ok_or_else(|| Error::new(ErrorKind::UnknownExport, format!("there is no export number {export}")))?;
        let function = &*found.function;
        Ok(Arguments::begin(&self.0, export, function))
    }

    /// Gives the guest's background goroutines a turn: they run only while a call does. Does nothing for a guest without the SDK.
    ///
    /// # Errors
    ///
    /// `busy`, `dead-instance`, and whatever ends the guest.
    pub fn poll(&self, options: &CallOptions) -> Result<()> {
        let mut entered = self.0.enter(options)?;
        let Some(poll) = self.0.poll else { return Ok(()) };
        enter(entered.store(), poll, &mut []).inspect_err(|error| self.0.gate.kill(error))
    }

    /// Reads guest memory: `len` bytes at `address`.
    ///
    /// # Errors
    ///
    /// `type-mismatch` when they do not lie within the memory; `busy`, `dead-instance`.
    pub fn read_memory(&self, address: u32, len: u32) -> Result<Vec<u8>> {
        let entered = self.0.enter(&CallOptions::default())?;
        let data = entered.data()?;
        GuestMemory::new(data).slice(address, len, 1, 1).map(<[u8]>::to_owned).map_err(|_| outside(address, len.into(), data.len()))
    }

    /// Writes guest memory.
    ///
    /// # Errors
    ///
    /// As [`read_memory`](Instance::read_memory).
    pub fn write_memory(&self, address: u32, bytes: &[u8]) -> Result<()> {
        let mut entered = self.0.enter(&CallOptions::default())?;
        let data = entered.data_mut()?;
        let size = data.len();
        let start = address as usize;
        let target = start.checked_add(bytes.len()).and_then(|end| data.get_mut(start..end));
        target.ok_or_else(|| outside(address, bytes.len() as u64, size))?.copy_from_slice(bytes);
        Ok(())
    }

    /// Bytes of guest memory now.
    ///
    /// # Errors
    ///
    /// `busy`, `dead-instance`.
    pub fn memory_size(&self) -> Result<u64> {
        Ok(self.0.enter(&CallOptions::default())?.data()?.len() as u64)
    }

    /// Takes what the guest wrote to a captured standard output.
    #[must_use]
    pub fn take_stdout(&self) -> Vec<u8> {
        self.0.streams.stdout.take()
    }

    /// Takes what the guest wrote to a captured standard error.
    #[must_use]
    pub fn take_stderr(&self) -> Vec<u8> {
        self.0.streams.stderr.take()
    }
}

impl fmt::Debug for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Instance({}{})", self.0.plugin.name(), if self.0.gate.cause().is_some() { ", dead" } else { "" })
    }
}

/// Elements of tables, unless the limits say otherwise.
const MAX_TABLE: usize = 4 << 20;

/// Instantiates the module, which runs its start section: rare, but guest code, and under the same limits as a call.
fn link(gate: &Gate, compiled: &Compiled, store: &mut Store<State>, timeout: Option<Duration>) -> Result<wasmtime::Instance> {
    let patience = Patience::new(timeout.map(Deadline::after), None);
    let ticking = Ticking::start(compiled.engine)?;
    // Nobody else knows the instance yet, so this does not wait; host functions expect it.
    gate.enter(&patience)?;
    store.data_mut().patience = patience;
    let linked = on_large_stack(|| compiled.pre.instantiate(&mut *store));
    gate.leave();
    drop(ticking);
    store.data_mut().patience = Patience::default();
    linked.map_err(|error| match store.data().limiter.exceeded() {
        Some(exceeded) => exceeded,
        None if error.is::<wasmtime::Trap>() || error.is::<wasmtime_wasi::I32Exit>() => classify(&error, store.data(), 0),
        None => Error::from_wasmtime(&error)
            .unwrap_or_else(|| Error::new(ErrorKind::InvalidPlugin, format!("the module can't be instantiated: {error:#}"))),
    })
}

fn outside(address: u32, len: u64, size: usize) -> Error {
    Error::new(ErrorKind::TypeMismatch, format!("{len} bytes at address {address:#x} lie outside the guest's memory of {size} bytes"))
}

fn host_functions(plugin: &Plugin, options: &InstanceOptions) -> Result<Vec<Arc<dyn crate::imports::HostFunction>>> {
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
