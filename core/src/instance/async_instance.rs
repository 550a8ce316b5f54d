//! A running copy of a plugin whose calls suspend instead of holding a thread.

use std::fmt;
use std::future::ready;
use std::sync::Arc;

use tokio::sync::oneshot::Sender;

use crate::abi::access;
use crate::abi::handles::{Handle, HandleCounts};
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
    /// Creates an instance whose calls are futures, and runs its `_initialize` under the limits.
    /// `call` applies to the initialisation.
    ///
    /// Run the future, and those of its calls, on any executor of Rust, or as a task with a home
    /// (see [`spawn`](crate::host::spawn)).
    ///
    /// # Errors
    ///
    /// As [`instantiate`](Plugin::instantiate).
    pub async fn instantiate_async(&self, options: InstanceOptions, call: &CallOptions) -> Result<AsyncInstance> {
        self.check_callable()?;
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

/// A running copy of a plugin whose calls suspend instead of holding a thread. Cheap to clone;
/// clones are the same instance.
///
/// One call runs at a time, and others wait: first come, first served. A call's future may be
/// dropped at any time; if its guest had begun, the instance is dead then.
#[derive(Clone)]
pub struct AsyncInstance(pub(crate) Arc<Running>);

impl AsyncInstance {
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

    /// Which compiler made its code.
    #[must_use]
    pub fn tier(&self) -> Tier {
        self.0.seed.life.tier()
    }

    /// Closes a handle of this instance, and releases the guest's object when no call is running.
    ///
    /// # Errors
    ///
    /// Whatever ends the guest while the object is released.
    pub async fn close_handle(&self, handle: &Handle) -> Result<()> {
        handle.close();
        self.0.release_objects(Wait::Task, self.0.budget(CallOptions::NONE)).await
    }

    /// The same, on this thread: see [`call_here`](AsyncInstance::call_here). Leaves the release to
    /// a call that is running.
    ///
    /// # Errors
    ///
    /// As [`close_handle`](AsyncInstance::close_handle).
    pub fn close_handle_here(&self, handle: &Handle) -> Result<()> {
        handle.close();
        self.0.hold(self.0.release_objects(Wait::Never, self.0.budget(CallOptions::NONE)))
    }

    /// How many handles there are.
    #[must_use]
    pub fn handles(&self) -> HandleCounts {
        self.0.seed.handles.counts()
    }

    /// What the last call used.
    #[must_use]
    pub fn usage(&self) -> Usage {
        self.0.seed.life.usage()
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

    /// Calls an export. `then` lifts the result, at home.
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
            let parent = lease.map_or(0, |lease| lease.caller);
            return self.0.call_for(parent, Wait::Task, &mut arguments, budget, then).await;
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
                    // A caller that has stopped waiting does not need it.
                    drop(sender.send(result));
                })
            })
        })
        .await
    }

    /// Calls an export, and blocks this thread, which must be the instance's home, until the call
    /// is over. Its host functions can't be awaited, because nothing runs the loop meanwhile.
    /// `then` lifts the result.
    ///
    /// # Errors
    ///
    /// As [`call_then`](AsyncInstance::call_then), and `busy` during another call, unless this
    /// comes from the host function that it runs.
    pub fn call_here<R>(
        &self,
        mut arguments: Arguments<'_, '_>,
        options: &CallOptions,
        then: impl FnOnce(Outcome<'_, '_>) -> Result<R>,
    ) -> Result<R> {
        self.0.call_within(Wait::Never, &mut arguments, self.0.budget(options), then)
    }

    /// Lets the guest's background goroutines run, which otherwise run only during calls. Does
    /// nothing for a guest without the SDK.
    ///
    /// # Errors
    ///
    /// `dead-instance`, and whatever ends the guest.
    pub async fn poll(&self, options: &CallOptions) -> Result<()> {
        self.0.poll(Wait::Task, self.0.budget(options)).await
    }

    /// As [`poll`](AsyncInstance::poll), on this thread: see
    /// [`call_here`](AsyncInstance::call_here).
    ///
    /// # Errors
    ///
    /// As [`poll`](AsyncInstance::poll), and `busy` during a call.
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
    /// As [`reset`](AsyncInstance::reset), and `busy` during a call.
    pub fn reset_here(&self, options: &CallOptions) -> Result<()> {
        self.0.hold(self.0.reset(Wait::Never, self.0.budget(options)))
    }

    /// Frees the guest and its memory, for hosts whose collector would do so late. Later calls get
    /// `dead-instance`; a [`reset`](AsyncInstance::reset) makes it anew.
    ///
    /// # Errors
    ///
    /// `busy` during a call.
    pub fn close(&self) -> Result<()> {
        self.0.hold(self.0.close(Wait::Never))
    }

    /// Reads guest memory: see [`Instance::read_memory`](crate::Instance::read_memory).
    ///
    /// # Errors
    ///
    /// `type-mismatch` if the bytes are not within the memory; `busy` during a call, unless this
    /// comes from the host function that it runs; `dead-instance`.
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

    /// The size of guest memory in bytes.
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

    /// Reads guest memory when no call is running, or from within an awaited host function by its
    /// lease in `options`.
    ///
    /// # Errors
    ///
    /// `type-mismatch` if the bytes are not within the memory; `dead-instance`, `timeout`,
    /// `cancelled`.
    pub async fn read_memory_then(&self, address: u32, len: u32, options: &CallOptions) -> Result<Vec<u8>> {
        self.memory(options, move |memory| access::read(memory, address, len)).await
    }

    /// Writes guest memory under the same conditions.
    ///
    /// # Errors
    ///
    /// As [`read_memory_then`](AsyncInstance::read_memory_then).
    pub async fn write_memory_then(&self, address: u32, bytes: Vec<u8>, options: &CallOptions) -> Result<()> {
        self.memory(options, move |memory| access::write(memory, address, &bytes)).await
    }

    /// The size of guest memory in bytes, under the same conditions.
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
                // A caller that has stopped waiting does not need it.
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
