//! A running copy of a plugin.

use std::cell::{RefCell, UnsafeCell};
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use wasmtime::{AsContextMut, Func, Store, StoreContextMut, UpdateDeadline, ValRaw};

use crate::abi::block::{Block, Bytes};
use crate::abi::lift::{DEFAULT_MAX_VALUE, Lift, Lifting, lift_str};
use crate::abi::lower::Lower;
use crate::abi::memory::{self, GuestMemory};
use crate::config::{CallOptions, InstanceOptions};
use crate::engine::Ticking;
use crate::error::{Error, ErrorKind, Result};
use crate::interface::Function;
use crate::plugin::{Compiled, Plugin};
use crate::state::{Deadline, Entry, Gate, Guest, Limiter, State, classify, enter, on_large_stack};
use crate::value::{ToValue, Value};
use crate::wasi::{self, Streams};

/// A running copy of a plugin: its own memory, goroutines and globals. Cheap to clone; clones are the same instance.
///
/// Threads may share it: one call runs at a time, and others wait. A host function may call back into the instance that called it. After
/// anything but a return or a returned Go error, the instance is dead, and each later call gets `dead-instance`.
#[derive(Clone)]
pub struct Instance(Arc<Running>);

struct Running {
    plugin: Plugin,
    gate: Arc<Gate>,
    /// Touched only by who is through the gate.
    store: UnsafeCell<Store<State>>,
    exports: Vec<(Func, Option<Func>)>,
    poll: Option<Func>,
    streams: Arc<Streams>,
    timeout: Option<Duration>,
}

// SAFETY: the store is reached only through `Entered`, which exists once at a time for outer entries (the gate's owner) and hands the
// same store on for nested ones, on the same thread. Everything else in it is Sync.
unsafe impl Sync for Running {}

/// A result of more bytes than this is released as soon as it is lifted; a smaller one when the export is called again.
const RELEASE_FROM: u64 = 16 << 10;

impl Instance {
    pub(crate) fn new(plugin: &Plugin, options: &InstanceOptions) -> Result<Instance> {
        let compiled = plugin.compiled();
        let host = host_functions(plugin, options)?;
        let streams = Arc::new(Streams::new(&options.sandbox));
        let gate = Arc::new(Gate::new());
        let state = State {
            wasi: wasi::context(&compiled.name, &options.sandbox, &options.limits, &streams)?,
            streams: streams.clone(),
            limiter: Limiter { max_memory: options.limits.memory, refused: None, memory: 0, table: 0 },
            deadline: None,
            guest: Guest::default(),
            host,
            gate: gate.clone(),
            max_value: options.limits.value.unwrap_or(DEFAULT_MAX_VALUE),
            depth: 0,
        };
        let mut store = Store::new(compiled.engine, state);
        store.limiter(|state| &mut state.limiter);
        store.epoch_deadline_callback(|store| match store.data().deadline {
            Some(deadline) if deadline.is_past() => Err(deadline.passed().into_wasmtime()),
            _ => Ok(UpdateDeadline::Continue(1)),
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
    pub fn call(&self, name: &str, args: &[Value], options: CallOptions) -> Result<Value> {
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
        let block = Block::begin(BLOCKS.with_borrow_mut(Vec::pop).unwrap_or_default(), function.abi.params.size);
        Ok(Arguments { running: &self.0, export, function, block: Some(block) })
    }

    /// Gives the guest's background goroutines a turn: they run only while a call does. Does nothing for a guest without the SDK.
    ///
    /// # Errors
    ///
    /// `busy`, `dead-instance`, and whatever ends the guest.
    pub fn poll(&self, options: CallOptions) -> Result<()> {
        let mut entered = self.0.enter(options.timeout)?;
        let Some(poll) = self.0.poll else { return Ok(()) };
        enter(entered.store(), poll, &mut []).inspect_err(|error| self.0.gate.kill(error))
    }

    /// Reads guest memory: `len` bytes at `address`.
    ///
    /// # Errors
    ///
    /// `type-mismatch` when they do not lie within the memory; `busy`, `dead-instance`.
    pub fn read_memory(&self, address: u32, len: u32) -> Result<Vec<u8>> {
        let entered = self.0.enter(None)?;
        let data = entered.data()?;
        GuestMemory::new(data).slice(address, len, 1, 1).map(<[u8]>::to_owned).map_err(|_| outside(address, len.into(), data.len()))
    }

    /// Writes guest memory.
    ///
    /// # Errors
    ///
    /// As [`read_memory`](Instance::read_memory).
    pub fn write_memory(&self, address: u32, bytes: &[u8]) -> Result<()> {
        let mut entered = self.0.enter(None)?;
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
        Ok(self.0.enter(None)?.data()?.len() as u64)
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

/// Instantiates the module, which runs its start section: rare, but guest code, and under the same limits as a call.
fn link(gate: &Gate, compiled: &Compiled, store: &mut Store<State>, timeout: Option<Duration>) -> Result<wasmtime::Instance> {
    let deadline = timeout.map(Deadline::after);
    let ticking = deadline.map(|_| Ticking::start(compiled.engine)).transpose()?;
    store.data_mut().deadline = deadline;
    // Nobody else knows the instance yet, so this does not wait; host functions expect it.
    gate.enter(None)?;
    let linked = on_large_stack(|| compiled.pre.instantiate(&mut *store));
    gate.leave();
    drop(ticking);
    store.data_mut().deadline = None;
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

thread_local! {
    /// What former calls were lowered into, for the allocations.
    #[expect(clippy::vec_box, reason = "a call takes a box and gives it back, and would else move its contents")]
    static BLOCKS: RefCell<Vec<Box<Bytes>>> = const { RefCell::new(Vec::new()) };
}

/// The arguments of a call, lowered one by one into memory of the host.
///
/// `'i` is the instance's, `'a` that of the data which the arguments lend.
pub struct Arguments<'i, 'a> {
    running: &'i Running,
    export: usize,
    function: &'i Function,
    /// There until the arguments are dropped.
    block: Option<Block<'a>>,
}

impl<'i, 'a> Arguments<'i, 'a> {
    /// The function that will be called.
    #[must_use]
    pub fn function(&self) -> &'i Function {
        self.function
    }

    /// Checks the number of arguments.
    ///
    /// # Errors
    ///
    /// `type-mismatch` that shows the signature.
    pub fn expect(&self, given: usize) -> Result<()> {
        let wanted = self.function.params.len();
        if given == wanted {
            return Ok(());
        }
        let text = format!("takes {wanted} argument{}, got {given}: {}", if wanted == 1 { "" } else { "s" }, self.function);
        Err(Error::new(ErrorKind::TypeMismatch, text).in_function(&self.function.name))
    }

    /// Lowers the argument of that number. One that is left out is what zero bytes mean: an option without a value, an empty string.
    ///
    /// # Errors
    ///
    /// `type-mismatch` with the path of the value that does not fit.
    pub fn lower<V: Lower<'a>>(&mut self, number: usize, value: &V) -> Result<()> {
        let Some(param) = self.function.params.get(number) else { return self.expect(number + 1) };
        let offset = self.function.abi.params.offsets[number];
        self.block().lower(&param.ty, value, offset).map_err(|error| error.at(param.name.clone()).in_function(&self.function.name))
    }

    pub(crate) fn block(&mut self) -> &mut Block<'a> {
        self.block.as_mut().unwrap_or_else(|| unreachable!("the block is there until the end"))
    }

    /// Runs the call: waits for the instance, places the arguments, and runs the guest. Arguments serve for one call; what they
    /// borrowed from the host is let go when they are dropped.
    ///
    /// # Errors
    ///
    /// `busy`, `dead-instance`, and whatever ends the guest.
    pub fn call(&mut self, options: CallOptions) -> Result<Returned<'i>> {
        // What can't be placed in any guest is the caller's mistake, and does the instance no harm.
        let with_head = self.function.abi.spilled;
        self.block().placed_size(with_head)?;
        let mut entered = self.running.enter(options.timeout)?;
        let called = entered.call(self.export, self.function, self.block());
        let result = called.inspect_err(|error| self.running.gate.kill(error))?;
        Ok(Returned { entered, function: self.function, export: self.export, result })
    }
}

impl Drop for Arguments<'_, '_> {
    fn drop(&mut self) {
        const KEPT: usize = 4;
        let Some(bytes) = self.block.take().and_then(Block::recycle) else { return };
        BLOCKS.with_borrow_mut(|blocks| {
            if blocks.len() < KEPT {
                blocks.push(bytes);
            }
        });
    }
}

/// A result that still lies in the guest. The instance is held, by this thread, until it is lifted or dropped.
pub struct Returned<'i> {
    entered: Entered<'i>,
    function: &'i Function,
    export: usize,
    result: ValRaw,
}

impl Returned<'_> {
    /// Lifts the result.
    ///
    /// # Errors
    ///
    /// `guest-error` when the Go function returned an error; `trap` when the guest gave what can't be, after which it is dead;
    /// `type-mismatch` for text that is not UTF-8, and whatever the host's own code says.
    pub fn lift<L: Lift>(self, lift: &L) -> Result<L::Value> {
        self.lift_with(|function, memory, bytes, max| {
            let lifting = Lifting::new(memory, lift, max);
            let value = match &function.result {
                None => lift.none(),
                Some(ty) => lifting.value(ty, bytes, function.abi.result.value_offset),
            };
            (value, lifting.lifted())
        })
    }

    pub(crate) fn lift_with<R>(mut self, lift: impl FnOnce(&Function, GuestMemory<'_>, &[u8], u64) -> (Result<R>, u64)) -> Result<R> {
        if self.entered.is_stale() {
            return Err(stale());
        }
        let (value, lifted) = self.read(lift);
        let value = value.map_err(|error| match error.kind() {
            ErrorKind::GuestError => error,
            _ => error.at(" -> result").in_function(&self.function.name),
        });
        if let Err(error) = &value
            && error.kind() == ErrorKind::Trap
        {
            // A guest that gives what can't be is not to be trusted with another call.
            self.entered.running.gate.kill(error);
        } else if lifted >= RELEASE_FROM
            && let Some(post) = self.entered.running.exports[self.export].1
        {
            let mut raw = [self.result];
            enter(self.entered.store(), post, &mut raw).inspect_err(|error| self.entered.running.gate.kill(error))?;
        }
        value
    }

    fn read<R>(&self, lift: impl FnOnce(&Function, GuestMemory<'_>, &[u8], u64) -> (Result<R>, u64)) -> (Result<R>, u64) {
        let layout = &self.function.abi.result;
        let max = self.entered.store_ref().data().max_value;
        if layout.size == 0 {
            return lift(self.function, GuestMemory::new(&[]), &[], max);
        }
        if let Some(slot) = layout.flat {
            let mut bytes = [0; 8];
            return match crate::abi::block::store(&mut bytes, slot, self.result.get_u64()) {
                Ok(()) => lift(self.function, GuestMemory::new(&[]), &bytes, max),
                Err(error) => (Err(error), 0),
            };
        }
        let found = self.entered.data().and_then(|data| {
            let memory = GuestMemory::new(data);
            Ok((memory, memory.slice(self.result.get_u32(), 1, layout.size, layout.align)?))
        });
        let (memory, bytes) = match found {
            Ok(found) => found,
            Err(error) => return (Err(error), 0),
        };
        if self.function.fallible {
            match memory::read_u8(bytes, 0) {
                0 => {}
                1 => {
                    let text = lift_str(memory, bytes, layout.value_offset);
                    return (text.and_then(|text| Err(Error::new(ErrorKind::GuestError, text))), 0);
                }
                other => {
                    return (Err(Error::new(ErrorKind::Trap, format!("the guest gave the discriminant {other}, which has no case"))), 0);
                }
            }
        }
        lift(self.function, memory, bytes, max)
    }
}

/// Being in the instance: the right to use its store. Small, because each call moves it.
struct Entered<'i> {
    running: &'i Running,
    store: Option<StoreContextMut<'static, State>>,
    entry: Entry,
    /// What only a call with a deadline, or within one, needs.
    timed: Option<Box<Timed>>,
    /// Of a nested entry: the loan that it has the store from.
    lease: u64,
    /// The gate's owner is a thread, so this stays on it.
    _not_send: PhantomData<*mut ()>,
}

/// A call under a deadline.
struct Timed {
    /// The deadline of the call around this one.
    outer: Option<Deadline>,
    _ticking: Ticking,
}

impl Running {
    #[inline]
    fn enter(&self, timeout: Option<Duration>) -> Result<Entered<'_>> {
        let deadline = timeout.or(self.timeout).map(Deadline::after);
        let entry = self.gate.enter(deadline)?;
        let store = match entry {
            Entry::Outer => {
                // SAFETY: this thread has just become the gate's owner, so nobody else has a reference to the store; the lifetime is
                // that of `Entered` in truth, which borrows `self` and gives the store up when it is dropped.
                let store = unsafe { &mut *self.store.get() };
                Some(store.as_context_mut())
            }
            Entry::Nested => self.gate.take_inner(),
        };
        if store.is_none() {
            return Err(busy());
        }
        let mut entered = Entered { running: self, store, entry, timed: None, lease: self.gate.lease(), _not_send: PhantomData };
        if let Some(dead) = self.gate.dead() {
            return Err(dead);
        }
        if let Some(deadline) = deadline {
            entered.limit(deadline)?;
        }
        Ok(entered)
    }

    fn initialize(&self, initialize: Option<Func>, realloc: Option<Func>, arena: Option<Func>) -> Result<()> {
        let mut entered = self.enter(None)?;
        let store = entered.store();
        // An init function of Go may call the host, and be given strings.
        store.data_mut().guest.realloc = realloc;
        if let Some(initialize) = initialize {
            enter(store, initialize, &mut [])?;
        }
        if let Some(arena) = arena {
            let mut raw = [ValRaw::u32(0)];
            enter(store, arena, &mut raw)?;
            store.data_mut().guest.arena = Some(raw[0].get_u32());
        }
        Ok(())
    }
}

#[cold]
fn busy() -> Error {
    let text = "the instance is in the middle of a call of this thread, and can be called from within a host function only";
    Error::new(ErrorKind::Busy, text)
}

#[cold]
fn stale() -> Error {
    Error::new(ErrorKind::Busy, "the result of a call from within a host function can be read only until that function returns")
}

impl Entered<'_> {
    /// Whether the host function that a nested entry belongs to has returned, and the store with it.
    fn is_stale(&self) -> bool {
        self.entry == Entry::Nested && self.running.gate.lease() != self.lease
    }

    /// Puts the call under a deadline, unless the call around it has a nearer one.
    #[cold]
    fn limit(&mut self, deadline: Deadline) -> Result<()> {
        let ticking = Ticking::start(self.running.plugin.compiled().engine)?;
        let store = self.store();
        let outer = store.data().deadline;
        store.data_mut().deadline = Deadline::min(outer, Some(deadline));
        store.set_epoch_deadline(1);
        self.timed = Some(Box::new(Timed { outer, _ticking: ticking }));
        Ok(())
    }

    fn store(&mut self) -> &mut StoreContextMut<'static, State> {
        // Taken in `drop` only.
        self.store.as_mut().unwrap_or_else(|| unreachable!("the store is there until the end"))
    }

    fn store_ref(&self) -> &StoreContextMut<'static, State> {
        self.store.as_ref().unwrap_or_else(|| unreachable!("the store is there until the end"))
    }

    fn data(&self) -> Result<&[u8]> {
        let store = self.store_ref();
        let memory = store.data().guest.memory;
        memory.map(|memory| memory.data(store)).ok_or_else(no_memory)
    }

    fn data_mut(&mut self) -> Result<&mut [u8]> {
        let store = self.store();
        let memory = store.data().guest.memory;
        memory.map(|memory| memory.data_mut(store)).ok_or_else(no_memory)
    }

    fn call(&mut self, export: usize, function: &Function, block: &mut Block<'_>) -> Result<ValRaw> {
        let func = self.running.exports[export].0;
        let store = self.store();
        let guest = store.data().guest;
        let abi = &function.abi;
        let address = guest.place(store, block, abi.spilled)?;
        // Room for what there is: to clear an array for the longest signature would cost as much as the rest of a small call.
        let (mut few, mut some, mut many);
        let raw = match abi.core_values() {
            n @ ..=4 => {
                few = [ValRaw::u64(0); 4];
                &mut few[..n]
            }
            n @ ..=17 => {
                some = [ValRaw::u64(0); 17];
                &mut some[..n]
            }
            n => {
                many = vec![ValRaw::u64(0); n];
                &mut many[..]
            }
        };
        if abi.spilled {
            raw[0] = ValRaw::u32(address);
        } else {
            for (raw, slot) in raw.iter_mut().zip(&abi.slots) {
                *raw = ValRaw::u64(block.load(*slot));
            }
        }
        enter(store, func, raw)?;
        Ok(raw[0])
    }
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        if self.is_stale() {
            return;
        }
        if let (Some(timed), Some(store)) = (&self.timed, &mut self.store) {
            store.data_mut().deadline = timed.outer;
        }
        match self.entry {
            Entry::Outer => {
                self.store = None;
                self.running.gate.leave();
            }
            Entry::Nested => {
                if let Some(store) = self.store.take() {
                    self.running.gate.put_inner(store);
                }
            }
        }
    }
}

fn no_memory() -> Error {
    Error::new(ErrorKind::InvalidPlugin, "the module exports no memory")
}
