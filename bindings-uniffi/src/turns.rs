//! Calls that their caller's thread runs itself, turn by turn: how Ruby calls.
//!
//! Ruby's code runs on the stacks of its own threads only, with Ruby's lock, and may leave a method
//! in the middle (`throw`, `break`, `Thread#raise`), which must not cross a frame of Rust. So
//! nothing here calls Ruby. A guest runs on a fiber, polled by the thread that wants its result,
//! which Ruby has let go of its lock for; whenever the guest wants a host function, or a while has
//! gone by, the turn is over, and Ruby goes on: it runs the function, sees to its signals, and
//! begins the next turn.
//!
//! A call from within a host function is a visit to the guest of the call around it, which makes
//! progress only where that call is polled: so a turn polls the calls around it, too.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use undergo::{CallOptions, Error, Result};

use crate::async_instance::AsyncInstance;
use crate::async_pool::AsyncPool;
use crate::cancel::CancelToken;
use crate::config::{Limits, Sandbox, seconds};
use crate::errors::CallError;
use crate::imports::Imports;
use crate::plugin::Plugin;
use crate::records::Completed;
use crate::threads;
use crate::wire::{self, Given, Packing};
use crate::wish::{Current, Exception, Wishes, lock};

/// How long a turn takes at most: what a user who presses Ctrl-C waits.
const TURN: Duration = Duration::from_millis(20);

/// How a turn ended.
#[derive(uniffi::Enum)]
pub enum Turn {
    /// The call has returned.
    Returned {
        /// The value, or nothing for what returns none: see `wire`.
        packed: Vec<u8>,
    },
    /// The instance is there.
    Made {
        /// The instance.
        instance: Arc<AsyncInstance>,
    },
    /// The command is over.
    Completed {
        /// What became of it.
        completed: Completed,
    },
    /// The guest calls a host function: give `answer` or `fail`.
    Wanted {
        /// Its number: see [`Imports::give_number`].
        function: u32,
        /// The arguments.
        packed: Vec<u8>,
    },
    /// An exception of a host function has ended the call.
    Raised {
        /// The number that `fail` was given for it.
        number: u64,
    },
    /// Nothing yet: `resume`.
    Again,
}

/// One call after the other, by one thread at a time.
#[derive(Default, uniffi::Object)]
pub struct Turns {
    work: Mutex<Work>,
    wish: Wishes,
    /// The call from whose host function the present one comes, and its right to call back.
    around: Mutex<Option<Arc<Turns>>>,
    lease: Mutex<Option<undergo::Lease>>,
}

#[derive(Default)]
enum Work {
    #[default]
    None,
    Running(Pin<Box<dyn Future<Output = Result<Turn>> + Send>>),
    Over(Result<Turn>),
}

#[uniffi::export]
impl Turns {
    /// For calls that come from no host function.
    #[uniffi::constructor]
    pub fn new() -> Arc<Turns> {
        Arc::default()
    }

    /// For one call that comes from a host function of the call `around`. `lender` is the call
    /// around it, or around that, whose guest is called.
    #[uniffi::constructor]
    pub fn within(around: Arc<Turns>, lender: Option<Arc<Turns>>) -> Arc<Turns> {
        let lease = lender.and_then(|lender| lock(&lender.wish).as_ref().and_then(|wish| wish.lease));
        Arc::new(Turns { around: Mutex::new(Some(around)), lease: Mutex::new(lease), ..Turns::default() })
    }

    /// Begins to make an instance.
    ///
    /// # Errors
    ///
    /// As of [`Plugin::instantiate_async`].
    pub fn instantiate(
        self: Arc<Self>,
        plugin: Arc<Plugin>,
        imports: Arc<Imports>,
        sandbox: Sandbox,
        limits: Limits,
    ) -> Result<Turn, CallError> {
        let options = plugin.options(&imports, sandbox, &limits, true)?;
        self.begin(None, None, move |call| async move {
            let core = plugin.core.instantiate_async(options, &call).await?;
            Ok(Turn::Made { instance: Arc::new(AsyncInstance { core }) })
        })
    }

    /// Begins to run a command.
    ///
    /// # Errors
    ///
    /// As of [`Plugin::run`].
    pub fn run_command(
        self: Arc<Self>,
        plugin: Arc<Plugin>,
        imports: Arc<Imports>,
        sandbox: Sandbox,
        limits: Limits,
        timeout: Option<f64>,
        cancel: Option<Arc<CancelToken>>,
    ) -> Result<Turn, CallError> {
        let options = plugin.options(&imports, sandbox, &limits, true)?;
        self.begin(timeout, cancel, move |call| async move {
            let completed = plugin.core.run_async(options, &call).await?;
            Ok(Turn::Completed { completed: completed.into() })
        })
    }

    /// Begins to call the export of that number.
    ///
    /// # Errors
    ///
    /// As of [`AsyncInstance::call`].
    pub fn call_instance(
        self: Arc<Self>,
        instance: Arc<AsyncInstance>,
        export: u32,
        packed: Vec<u8>,
        timeout: Option<f64>,
        cancel: Option<Arc<CancelToken>>,
    ) -> Result<Turn, CallError> {
        let core = instance.core.clone();
        let arguments = arguments(core.plugin(), export, &packed)?;
        self.begin(timeout, cancel, move |call| async move {
            let packing = Packing::new(core.plugin().clone());
            let then = move |returned: undergo::Outcome<'_, '_>| returned.lift(&packing).map(|()| packing.finish());
            Ok(Turn::Returned { packed: core.call_then(arguments, &call, then).await? })
        })
    }

    /// The same for an instance of a pool.
    ///
    /// # Errors
    ///
    /// As of [`AsyncPool::call`].
    pub fn call_pool(
        self: Arc<Self>,
        pool: Arc<AsyncPool>,
        export: u32,
        packed: Vec<u8>,
        timeout: Option<f64>,
        cancel: Option<Arc<CancelToken>>,
    ) -> Result<Turn, CallError> {
        let core = pool.core.clone();
        let arguments = arguments(core.plugin(), export, &packed)?;
        self.begin(timeout, cancel, move |call| async move {
            let packing = Packing::new(core.plugin().clone());
            let then = move |returned: undergo::Outcome<'_, '_>| returned.lift(&packing).map(|()| packing.finish());
            Ok(Turn::Returned { packed: core.call_then(arguments, &call, then).await? })
        })
    }

    /// Begins to give the guest's background goroutines a turn.
    ///
    /// # Errors
    ///
    /// As of [`AsyncInstance::poll`].
    pub fn poll(self: Arc<Self>, instance: Arc<AsyncInstance>, timeout: Option<f64>) -> Result<Turn, CallError> {
        let core = instance.core.clone();
        self.begin(timeout, None, move |call| async move { core.poll(&call).await.map(nothing) })
    }

    /// Begins to take the guest back to where it was after its first initialisation.
    ///
    /// # Errors
    ///
    /// As of [`AsyncInstance::reset`].
    pub fn reset(self: Arc<Self>, instance: Arc<AsyncInstance>, timeout: Option<f64>) -> Result<Turn, CallError> {
        let core = instance.core.clone();
        self.begin(timeout, None, move |call| async move { core.reset(&call).await.map(nothing) })
    }

    /// Begins to read guest memory. What is returned is bytes.
    ///
    /// # Errors
    ///
    /// `type-mismatch` when the bytes do not lie within the memory; `dead-instance`.
    pub fn read_memory(self: Arc<Self>, instance: Arc<AsyncInstance>, address: u32, length: u32) -> Result<Turn, CallError> {
        let core = instance.core.clone();
        self.begin(
            None,
            None,
            move |call| async move { Ok(Turn::Returned { packed: core.read_memory_then(address, length, &call).await? }) },
        )
    }

    /// Begins to write guest memory.
    ///
    /// # Errors
    ///
    /// As of [`read_memory`](Turns::read_memory).
    pub fn write_memory(self: Arc<Self>, instance: Arc<AsyncInstance>, address: u32, bytes: Vec<u8>) -> Result<Turn, CallError> {
        let core = instance.core.clone();
        self.begin(None, None, move |call| async move { core.write_memory_then(address, bytes, &call).await.map(nothing) })
    }

    /// Begins to ask how large guest memory is. What is returned is an integer.
    ///
    /// # Errors
    ///
    /// `dead-instance`.
    pub fn memory_size(self: Arc<Self>, instance: Arc<AsyncInstance>) -> Result<Turn, CallError> {
        let core = instance.core.clone();
        self.begin(None, None, move |call| async move {
            let size = core.memory_size_then(&call).await?;
            let packed = [b"u".as_slice(), &size.to_le_bytes()].concat();
            Ok(Turn::Returned { packed })
        })
    }

    /// Begins to make instances of a pool.
    ///
    /// # Errors
    ///
    /// As of [`AsyncPool::warm_up`].
    pub fn warm_up(self: Arc<Self>, pool: Arc<AsyncPool>, instances: u64) -> Result<Turn, CallError> {
        let (core, instances) = (pool.core.clone(), usize::try_from(instances).unwrap_or(usize::MAX));
        self.begin(None, None, move |_| async move { core.warm_up(instances).await.map(nothing) })
    }

    /// Begins to close a pool, and waits for the calls that run.
    ///
    /// # Errors
    ///
    /// As of [`AsyncPool::shut_down`]; `busy` from within a host function of the pool, which is
    /// closed all the same.
    pub fn shut_down(self: Arc<Self>, pool: Arc<AsyncPool>, timeout: Option<f64>) -> Result<Turn, CallError> {
        let (core, timeout) = (pool.core.clone(), timeout.map(seconds).transpose()?);
        self.begin(None, None, move |_| async move { core.close(timeout).await.map(nothing) })
    }

    /// Gives what a host function returned, packed, and goes on.
    ///
    /// # Errors
    ///
    /// What the call ends with.
    pub fn answer(self: Arc<Self>, packed: Vec<u8>) -> Result<Turn, CallError> {
        self.reply(Ok(packed))
    }

    /// Says that a host function has failed, and goes on. The number stands for the exception.
    ///
    /// # Errors
    ///
    /// What the call ends with.
    pub fn fail(self: Arc<Self>, message: String, number: u64) -> Result<Turn, CallError> {
        self.reply(Err(Error::from_host(message, Arc::new(Exception(number)))))
    }

    /// Goes on.
    ///
    /// # Errors
    ///
    /// What the call ends with.
    pub fn resume(self: Arc<Self>) -> Result<Turn, CallError> {
        self.run()
    }

    /// Gives the call up. A guest that had begun is dead then.
    pub fn stop(&self) {
        drop(lock(&self.wish).take());
        let work = std::mem::take(&mut *lock(&self.work));
        let _within = threads::enter();
        drop(work);
        drop(lock(&self.around).take());
    }
}

fn nothing(_: ()) -> Turn {
    Turn::Returned { packed: Vec::new() }
}

fn arguments(plugin: &undergo::Plugin, export: u32, packed: &[u8]) -> Result<undergo::Arguments<'static, 'static>> {
    let mut arguments = plugin.owned_arguments(export as usize)?;
    let nodes = wire::read(packed)?;
    arguments.expect(nodes.len())?;
    nodes.iter().enumerate().try_for_each(|(number, node)| arguments.lower(number, &Given(node)))?;
    Ok(arguments)
}

impl Turns {
    fn begin<F: Future<Output = Result<Turn>> + Send + 'static>(
        self: Arc<Self>,
        timeout: Option<f64>,
        cancel: Option<Arc<CancelToken>>,
        work: impl FnOnce(CallOptions) -> F,
    ) -> Result<Turn, CallError> {
        let options = CallOptions {
            timeout: timeout.map(seconds).transpose()?,
            cancel: cancel.map(|token| token.core.clone()),
            within: *lock(&self.lease),
            caller: None,
        };
        *lock(&self.work) = Work::Running(Box::pin(work(options)));
        self.run()
    }

    fn reply(self: Arc<Self>, answer: Result<Vec<u8>>) -> Result<Turn, CallError> {
        if let Some(wish) = lock(&self.wish).take() {
            // A call that is over needs no answer.
            drop(wish.answer.send(answer));
        }
        self.run()
    }

    /// A turn.
    fn run(self: Arc<Self>) -> Result<Turn, CallError> {
        let _current = Current::set(self.wish.clone());
        let _within = threads::enter();
        let waker = Waker::from(Arc::new(Unpark(thread::current())));
        let mut context = Context::from_waker(&waker);
        let until = Instant::now() + TURN;
        loop {
            self.advance(&mut context);
            if let Some(ended) = self.ended() {
                return ended;
            }
            let mut around = lock(&self.around).clone();
            while let Some(turns) = around {
                turns.advance(&mut context);
                if let Some(ended) = self.ended() {
                    return ended;
                }
                around = lock(&turns.around).clone();
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(Turn::Again);
            }
            thread::park_timeout(left);
        }
    }

    fn advance(&self, context: &mut Context<'_>) {
        let mut work = lock(&self.work);
        if let Work::Running(future) = &mut *work
            && let Poll::Ready(result) = future.as_mut().poll(context)
        {
            *work = Work::Over(result);
        }
    }

    /// How the turn ended, if it did.
    fn ended(&self) -> Option<Result<Turn, CallError>> {
        let mut work = lock(&self.work);
        if let Work::Over(_) = &*work {
            let Work::Over(result) = std::mem::take(&mut *work) else { return None };
            drop(lock(&self.around).take());
            drop(lock(&self.wish).take());
            return Some(result.or_else(|error| match error.host().and_then(|host| host.downcast_ref()) {
                Some(Exception(number)) => Ok(Turn::Raised { number: *number }),
                None => Err(error.into()),
            }));
        }
        let mut wish = lock(&self.wish);
        let wish = wish.as_mut()?;
        wish.packed.take().map(|packed| Ok(Turn::Wanted { function: wish.function, packed }))
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}
