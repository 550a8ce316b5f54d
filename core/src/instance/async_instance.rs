//! A running copy of a plugin whose calls suspend instead of holding a thread.

use std::fmt;
use std::future::ready;
use std::sync::Arc;

use tokio::sync::oneshot::Sender;

use crate::abi::access;
use crate::abi::value::{ToValue, Value};
use crate::call::outcome::Outcome;
use crate::config::budget::Budget;
use crate::config::{CallOptions, Lease, Tier};
use crate::error::{Error, Result};
use crate::guest::lifecycle::Usage;
use crate::guest::options::InstanceOptions;
use crate::guest::reentry::{Reentry, reenter};
use crate::instance::arguments::Arguments;
use crate::instance::running::{Running, Wait, in_the_middle};
use crate::instance::seed::{Kind, Seed};
use crate::plugin::Plugin;

impl Plugin {
    /// Makes an instance whose calls are futures, and runs its `_initialize` under the limits. Those of `call` are about the initialisation.
    ///
    /// Run the future, and those of its calls, as a task with a home (see [`spawn`](crate::spawn)), or on any executor of Rust.
    ///
    /// # Errors
    ///
    /// As [`instantiate`](Plugin::instantiate).
    pub async fn instantiate_async(&self, options: InstanceOptions, call: &CallOptions) -> Result<AsyncInstance> {
        self.check_reactor()?;
        let budget = Budget::of(call, &options.limits);
        let seed = Seed::new(self, options, Kind::SUSPENDING)?;
        Ok(AsyncInstance(Running::instantiate(seed, budget).await?))
    }

    /// The same, on this thread: see [`AsyncInstance::call_here`].
    ///
    /// # Errors
    ///
    /// As [`instantiate`](Plugin::instantiate).
    pub fn instantiate_here(&self, options: InstanceOptions, call: &CallOptions) -> Result<AsyncInstance> {
        crate::instance::running::hold(Kind::SUSPENDING.driver, self.instantiate_async(options, call))
    }
}

/// A running copy of a plugin whose calls suspend instead of holding a thread. Cheap to clone; clones are the same instance.
///
/// One call runs at a time, and others wait: first come, first served. What a call awaits may be dropped at any moment; a guest that had begun is
/// dead then.
#[derive(Clone)]
pub struct AsyncInstance(pub(crate) Arc<Running>);

impl AsyncInstance {
    /// The plugin that it is a copy of.
    #[must_use]
    pub fn plugin(&self) -> &Plugin {
        &self.0.seed.plugin
    }

    /// The error that calls get once the instance has ended; `None` while it lives.
    #[must_use]
    pub fn dead(&self) -> Option<Error> {
        self.0.seed.life.dead()
    }

    /// The compiler that its code is from.
    #[must_use]
    pub fn tier(&self) -> Tier {
        self.0.seed.life.tier()
    }

    /// What the last call used.
    #[must_use]
    pub fn usage(&self) -> Usage {
        self.0.seed.life.usage()
    }

    /// What the sandbox has denied this instance so far of the network, each thing once with the rule that would allow it; 64 of them at the most.
    #[must_use]
    pub fn denied(&self) -> Vec<String> {
        self.0.seed.denials.all()
    }

    /// Takes what the guest wrote to a captured standard output.
    #[must_use]
    pub fn take_stdout(&self) -> Vec<u8> {
        self.0.seed.streams.stdout.take()
    }

    /// Takes what the guest wrote to a captured standard error.
    #[must_use]
    pub fn take_stderr(&self) -> Vec<u8> {
        self.0.seed.streams.stderr.take()
    }

    /// Calls an export with [`Value`]s.
    ///
    /// # Errors
    ///
    /// As [`Instance::call`](crate::Instance::call).
    pub async fn call(&self, name: &str, args: &[Value], options: &CallOptions) -> Result<Value> {
        let mut arguments = self.plugin().arguments(self.plugin().export(name)?)?;
        arguments.lower_all(args.iter())?;
        self.call_then(arguments, options, |outcome| outcome.lift(&ToValue)).await
    }

    /// Calls an export. Its result is given to `then`, at home, which lifts it.
    ///
    /// # Errors
    ///
    /// As [`Arguments::call`], and those of `then`.
    pub async fn call_then<R: Send + 'static>(
        &self,
        arguments: Arguments<'_, '_>,
        options: &CallOptions,
        then: impl FnOnce(Outcome<'_, '_>) -> Result<R> + Send + 'static,
    ) -> Result<R> {
        self.call_within(arguments, self.0.budget(options), options.within, then).await
    }

    pub(crate) async fn call_within<R: Send + 'static>(
        &self,
        mut arguments: Arguments<'_, '_>,
        budget: Budget,
        lease: Option<Lease>,
        then: impl FnOnce(Outcome<'_, '_>) -> Result<R> + Send + 'static,
    ) -> Result<R> {
        let Some(channel) = lease.and_then(|lease| self.0.seed.channels.find(lease)) else {
            return self.0.call(Wait::Task, &mut arguments, budget, then).await;
        };
        arguments.check(self.plugin().compiled())?;
        self.0.seed.life.check()?;
        let (running, mut arguments) = (self.0.clone(), arguments.into_owned(self.plugin()));
        reenter(channel, |sender| -> Reentry {
            Box::new(move |store| {
                Box::pin(async move {
                    let result = match running.reenter(store, budget) {
                        Ok(entered) => arguments.run_in(entered, running.driver(), then).await,
                        Err(error) => Err(error),
                    };
                    // Who does not wait any more does not need it.
                    drop(sender.send(result));
                })
            })
        })
        .await
    }

    /// Calls an export, and does not return before the call is over: it runs on this thread, which must be the instance's home. A host function that wants to be
    /// awaited can't be here: nobody would run the loop. `then` lifts the result.
    ///
    /// # Errors
    ///
    /// As [`call_then`](AsyncInstance::call_then), and `busy` while another call is under way, unless this comes from the host function that it runs.
    pub fn call_here<R>(
        &self,
        mut arguments: Arguments<'_, '_>,
        options: &CallOptions,
        then: impl FnOnce(Outcome<'_, '_>) -> Result<R>,
    ) -> Result<R> {
        self.0.call_within(Wait::Never, &mut arguments, self.0.budget(options), then)
    }

    /// Gives the guest's background goroutines a turn: they run only while a call does. Does nothing for a guest without the SDK.
    ///
    /// # Errors
    ///
    /// `dead-instance`, and whatever ends the guest.
    pub async fn poll(&self, options: &CallOptions) -> Result<()> {
        self.0.poll(Wait::Task, self.0.budget(options)).await
    }

    /// As [`poll`](AsyncInstance::poll), on this thread: see [`call_here`](AsyncInstance::call_here).
    ///
    /// # Errors
    ///
    /// As of [`poll`](AsyncInstance::poll), and `busy` while a call is under way.
    pub fn poll_here(&self, options: &CallOptions) -> Result<()> {
        self.0.hold(self.0.poll(Wait::Never, self.0.budget(options)))
    }

    /// Makes the guest anew: see [`Instance::reset`](crate::Instance::reset).
    ///
    /// # Errors
    ///
    /// Whatever ends the initialisation, after which the instance is dead.
    pub async fn reset(&self, options: &CallOptions) -> Result<()> {
        if options.within.is_some_and(|lease| self.0.seed.channels.find(lease).is_some()) {
            return Err(in_the_middle());
        }
        self.0.reset(Wait::Task, self.0.budget(options)).await
    }

    /// As [`reset`](AsyncInstance::reset), on this thread.
    ///
    /// # Errors
    ///
    /// As of [`reset`](AsyncInstance::reset), and `busy` while a call is under way.
    pub fn reset_here(&self, options: &CallOptions) -> Result<()> {
        self.0.hold(self.0.reset(Wait::Never, self.0.budget(options)))
    }

    /// Lets go of the guest and its memory, for hosts whose collector would be late to do so. Later calls get `dead-instance`; a [`reset`](AsyncInstance::reset)
    /// brings it back.
    ///
    /// # Errors
    ///
    /// `busy` while a call is under way.
    pub fn close(&self) -> Result<()> {
        self.0.hold(self.0.close(Wait::Never))
    }

    /// Reads guest memory: see [`Instance::read_memory`](crate::Instance::read_memory).
    ///
    /// # Errors
    ///
    /// `type-mismatch` when the bytes do not lie within the memory; `busy` while a call is under way, unless this comes from the host function that it runs;
    /// `dead-instance`.
    pub fn read_memory(&self, address: u32, len: u32) -> Result<Vec<u8>> {
        self.memory_here(|memory| access::read(memory, address, len))
    }

    /// Writes guest memory.
    ///
    /// # Errors
    ///
    /// As [`read_memory`](AsyncInstance::read_memory).
    pub fn write_memory(&self, address: u32, bytes: &[u8]) -> Result<()> {
        self.memory_here(|memory| access::write(memory, address, bytes))
    }

    /// Bytes of guest memory now.
    ///
    /// # Errors
    ///
    /// `busy`, `dead-instance`.
    pub fn memory_size(&self) -> Result<u64> {
        self.memory_here(|memory| Ok(memory.len() as u64))
    }

    fn memory_here<R>(&self, code: impl FnOnce(&mut [u8]) -> Result<R>) -> Result<R> {
        self.0.hold(self.0.memory(Wait::Never, Budget::default(), code))
    }

    /// Reads guest memory when no call is under way; from within a host function that is awaited, by its lease in `options`.
    ///
    /// # Errors
    ///
    /// `type-mismatch` when the bytes do not lie within the memory; `dead-instance`, `timeout`, `cancelled`.
    pub async fn read_memory_then(&self, address: u32, len: u32, options: &CallOptions) -> Result<Vec<u8>> {
        self.memory(options, move |memory| access::read(memory, address, len)).await
    }

    /// Writes guest memory likewise.
    ///
    /// # Errors
    ///
    /// As [`read_memory_then`](AsyncInstance::read_memory_then).
    pub async fn write_memory_then(&self, address: u32, bytes: Vec<u8>, options: &CallOptions) -> Result<()> {
        self.memory(options, move |memory| access::write(memory, address, &bytes)).await
    }

    /// Bytes of guest memory, asked likewise.
    ///
    /// # Errors
    ///
    /// `dead-instance`, `timeout`, `cancelled`.
    pub async fn memory_size_then(&self, options: &CallOptions) -> Result<u64> {
        self.memory(options, |memory| Ok(memory.len() as u64)).await
    }

    async fn memory<R: Send + 'static>(
        &self,
        options: &CallOptions,
        code: impl FnOnce(&mut [u8]) -> Result<R> + Send + 'static,
    ) -> Result<R> {
        let budget = self.0.budget(options);
        let Some(channel) = options.within.and_then(|lease| self.0.seed.channels.find(lease)) else {
            return self.0.memory(Wait::Task, budget, code).await;
        };
        self.0.seed.life.check()?;
        let running = self.0.clone();
        reenter(channel, |sender: Sender<Result<R>>| -> Reentry {
            Box::new(move |store| {
                let result = running.reenter(store, budget).and_then(|mut entered| code(entered.memory()?));
                // Who does not wait any more does not need it.
                drop(sender.send(result));
                Box::pin(ready(()))
            })
        })
        .await
    }
}

impl fmt::Debug for AsyncInstance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AsyncInstance({}{})", self.plugin().name(), if self.0.seed.life.cause().is_some() { ", dead" } else { "" })
    }
}
