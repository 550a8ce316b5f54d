//! A running copy of a plugin.

pub(crate) mod arguments;
pub(crate) mod async_instance;
pub(crate) mod entry;
pub(crate) mod function;
pub(crate) mod items;
pub(crate) mod link;
mod link_types;
pub(crate) mod object;
pub(crate) mod plain;
pub(crate) mod running;
pub(crate) mod seed;
pub(crate) mod streams;

use std::fmt;
use std::sync::Arc;

use crate::abi::access;
use crate::abi::handles::{Handle, HandleCounts};
use crate::abi::value::{ToValue, Value};
use crate::call::outcome::Outcome;
use crate::config::budget::Budget;
use crate::config::{CallOptions, Tier};
use crate::error::{Error, Result};
use crate::guest::lifecycle::Usage;
use crate::guest::options::InstanceOptions;
use crate::instance::arguments::{Arguments, no_export};
use crate::instance::running::{Running, Wait, hold};
use crate::instance::seed::{Kind, Seed};
use crate::plugin::Plugin;

impl Plugin {
    /// Creates an instance, and runs its `_initialize` under the limits.
    ///
    /// # Errors
    ///
    /// `missing-import`, naming all missing functions; `invalid-plugin` for a command; `denied` for
    /// a directory that can't be opened; and whatever ends the initialisation.
    pub fn instantiate(&self, options: InstanceOptions) -> Result<Instance> {
        self.instantiate_with(options, CallOptions::NONE)
    }

    /// The same with options for the initialisation: a timeout, and a token.
    ///
    /// # Errors
    ///
    /// As [`instantiate`](Plugin::instantiate).
    pub fn instantiate_with(&self, options: InstanceOptions, call: &CallOptions) -> Result<Instance> {
        self.check_callable()?;
        let (kind, budget) = (Kind::holding(self), Budget::of(call, &options.limits));
        let seed = Seed::new(self, options, kind)?;
        Ok(Instance(hold(kind.driver, Running::instantiate(seed, budget))?))
    }
}

/// A running copy of a plugin, with its own memory, goroutines and globals. Cheap to clone; clones
/// are the same instance.
///
/// Threads may share it: one call runs at a time, and others wait. A host function may call back
/// into the instance that has called it. When a call ends in any other way than by a return or a
/// returned Go error, the instance is dead, and each later call gets `dead-instance`.
#[derive(Clone)]
pub struct Instance(pub(crate) Arc<Running>);

impl Instance {
    #[inline]
    pub(crate) fn running(&self) -> &Running {
        &self.0
    }

    /// The plugin of this instance.
    #[must_use]
    pub fn plugin(&self) -> &Plugin {
        &self.0.seed.plugin
    }

    /// The error that calls of a dead instance get; `None` while it lives.
    #[must_use]
    pub fn dead(&self) -> Option<Error> {
        self.0.seed.life.dead()
    }

    /// Calls an export with [`Value`]s.
    ///
    /// # Errors
    ///
    /// `unknown-export`, `type-mismatch`, and whatever the call ends with: see
    /// [`ErrorKind`](crate::ErrorKind).
    pub fn call(&self, name: &str, args: &[Value], options: &CallOptions) -> Result<Value> {
        let export = self.0.seed.plugin.export(name)?;
        self.call_with(export, options, |arguments| arguments.lower_all(args.iter()), |outcome| outcome.lift(&ToValue))
    }

    /// Calls the export of that number (see [`Plugin::export`]): `lower` lowers the arguments,
    /// before anything is locked and before the guest is used, and `then` gets the result. This is
    /// the quickest way for hosts with their own values; [`arguments`](Instance::arguments) is for
    /// hosts that have to do something in between.
    ///
    /// # Errors
    ///
    /// Those of [`arguments`](Instance::arguments), of [`Arguments::call`], and of the two
    /// functions.
    #[inline]
    pub fn call_with<'a, R>(
        &self,
        export: usize,
        options: &CallOptions,
        lower: impl FnOnce(&mut Arguments<'_, 'a>) -> Result<()>,
        then: impl FnOnce(Outcome<'_, '_>) -> Result<R>,
    ) -> Result<R> {
        let running = self.running();
        running.seed.life.check()?;
        let plugin = running.seed.plugin.compiled();
        let Some(found) = plugin.exports.get(export) else { return Err(no_export(export)) };
        let mut arguments = Arguments::of(plugin, export, &found.function);
        lower(&mut arguments)?;
        running.call_here(&mut arguments, options, then)
    }

    /// Begins a call of the export of that number (see [`Plugin::export`]). Nothing is locked, and
    /// the guest is not used, until [`Arguments::call`].
    ///
    /// # Errors
    ///
    /// `unknown-export` for an invalid number; `dead-instance`.
    #[inline]
    pub fn arguments<'a>(&self, export: usize) -> Result<Arguments<'_, 'a>> {
        self.0.seed.life.check()?;
        self.0.seed.plugin.arguments(export)
    }

    /// Lets the guest's background goroutines run, which otherwise run only during calls. Does
    /// nothing for a guest without the SDK.
    ///
    /// # Errors
    ///
    /// `busy`, `dead-instance`, and whatever ends the guest.
    pub fn poll(&self, options: &CallOptions) -> Result<()> {
        self.0.hold(self.0.poll(Wait::Thread, self.0.budget(options)))
    }

    /// Makes the guest anew: memory, goroutines and globals are as after its first initialisation,
    /// a dead instance lives again, and nothing is compiled. Host functions, sandbox and limits
    /// stay; standard input starts over. Waits for a running call. The options apply to the wait
    /// and the initialisation.
    ///
    /// # Errors
    ///
    /// `busy` from within a host function that the instance has called; whatever ends the
    /// initialisation, after which the instance is dead.
    pub fn reset(&self, options: &CallOptions) -> Result<()> {
        self.0.hold(self.0.reset(Wait::Thread, self.0.budget(options)))
    }

    /// Closes a handle of this instance, and releases the guest's object at once if no call is
    /// running. Otherwise the next call does so.
    ///
    /// # Errors
    ///
    /// Whatever ends the guest while the object is released.
    pub fn close_handle(&self, handle: &Handle) -> Result<()> {
        handle.close();
        self.0.hold(self.0.release_objects(Wait::Never, self.0.budget(CallOptions::NONE)))
    }

    /// How many handles there are.
    #[must_use]
    pub fn handles(&self) -> HandleCounts {
        self.0.seed.handles.counts()
    }

    /// What the last call used. Can be read during another call, and of a dead instance.
    #[must_use]
    pub fn usage(&self) -> Usage {
        self.0.seed.life.usage()
    }

    /// Which compiler made its code.
    #[must_use]
    pub fn tier(&self) -> Tier {
        self.0.seed.life.tier()
    }

    /// Reads guest memory: `len` bytes at `address`.
    ///
    /// # Errors
    ///
    /// `type-mismatch` if they are not within the memory; `busy`, `dead-instance`.
    pub fn read_memory(&self, address: u32, len: u32) -> Result<Vec<u8>> {
        self.memory(|memory| access::read(memory, address, len))
    }

    /// Writes guest memory.
    ///
    /// # Errors
    ///
    /// As [`read_memory`](Instance::read_memory).
    pub fn write_memory(&self, address: u32, bytes: &[u8]) -> Result<()> {
        self.memory(|memory| access::write(memory, address, bytes))
    }

    /// The size of guest memory in bytes.
    ///
    /// # Errors
    ///
    /// `busy`, `dead-instance`.
    pub fn memory_size(&self) -> Result<u64> {
        self.memory(|memory| Ok(memory.len() as u64))
    }

    fn memory<R>(&self, code: impl FnOnce(&mut [u8]) -> Result<R>) -> Result<R> {
        self.0.hold(self.0.memory(Wait::Thread, self.0.budget(CallOptions::NONE), code))
    }

    /// What the sandbox has denied this instance so far of the network: each denial once, with the
    /// rule that would allow it; at most 64.
    #[must_use]
    pub fn denied(&self) -> Vec<String> {
        self.0.seed.denials.all()
    }

    /// Takes what the guest has written to its captured standard output.
    #[must_use]
    pub fn take_stdout(&self) -> Vec<u8> {
        self.0.seed.streams.stdout.take()
    }

    /// Takes what the guest has written to its captured standard error.
    #[must_use]
    pub fn take_stderr(&self) -> Vec<u8> {
        self.0.seed.streams.stderr.take()
    }
}

impl Arguments<'_, '_> {
    /// Runs the call: waits for the instance, places the arguments, runs the guest, and passes the
    /// result to `then`, which lifts it. Arguments serve for one call; dropping them releases what
    /// they have borrowed from the host.
    ///
    /// # Errors
    ///
    /// `busy`, `dead-instance`, and whatever ends the guest; `unknown-export` for an instance of
    /// another plugin; the errors of `then`.
    #[inline]
    pub fn call<R>(&mut self, instance: &Instance, options: &CallOptions, then: impl FnOnce(Outcome<'_, '_>) -> Result<R>) -> Result<R> {
        instance.running().call_here(self, options, then)
    }
}

impl fmt::Debug for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Instance({}{})", self.0.seed.plugin.name(), if self.0.seed.life.cause().is_some() { ", dead" } else { "" })
    }
}
