//! The functions that a host gives to a plugin.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;

use wasmtime::{AsContextMut, StoreContextMut, ValRaw};

use crate::abi::block::{self, Block};
use crate::abi::lift::{Lift, Lifting};
use crate::abi::lower::Lower;
use crate::abi::memory::GuestMemory;
use crate::abi::quota::Quota;
use crate::abi::value::{ToValue, Value};
use crate::call::reentry::IsOutside;
use crate::config::Lease;
use crate::config::budget::Budget;
use crate::config::budget::Caller;
use crate::error::{Error, ErrorKind, Result};
use crate::guest::lock::{Entry, Gate, Loan};
use crate::guest::state::State;
use crate::interface::Function;
use crate::platform::stack::Window;

/// A function of the host. Implemented by each host for its own callables.
pub trait HostFunction: Send + Sync {
    /// Runs it: take the arguments with [`HostCall::args`], run the host's code within [`HostCall::outside`], and
    /// [`answer`](HostCall::answer).
    ///
    /// # Errors
    ///
    /// A `host-error` becomes the Go error where the import returns one; any other error, and a `host-error` elsewhere, ends the
    /// guest's call and the instance, and is what the caller gets.
    fn call(&self, call: &mut HostCall<'_>) -> Result<()>;

    /// Whether an asynchronous call must be on the thread of its [`Home`](crate::Home) for it.
    fn at_home(&self) -> bool {
        true
    }
}

/// A function that a plugin imports, other than WASI's.
pub(crate) struct Import {
    pub(crate) module: String,
    pub(crate) name: String,
    pub(crate) function: Arc<Function>,
    /// What the host itself gives, whatever the user does.
    pub(crate) provided: Option<Arc<dyn HostFunction>>,
}

/// The functions that a host gives, by interface and name, both as in WIT (kebab-case).
#[derive(Clone, Default)]
pub struct Imports(BTreeMap<(String, String), Arc<dyn HostFunction>>);

impl Imports {
    /// Gives a function.
    pub fn set(&mut self, interface: impl Into<String>, name: impl Into<String>, function: Arc<dyn HostFunction>) {
        self.0.insert((interface.into(), name.into()), function);
    }

    /// Gives a closure over [`Value`]s. An error of kind `host-error` is one that the Go code may handle.
    pub fn func<F>(&mut self, interface: impl Into<String>, name: impl Into<String>, function: F)
    where
        F: Fn(&[Value]) -> Result<Value> + Send + Sync + 'static,
    {
        self.set(interface, name, Arc::new(Closure(function)));
    }

    /// Gives an asynchronous closure over [`Value`]s, for asynchronous instances. Of what it is given, the lease is the right to call back into the instance.
    pub fn async_func<F, Fut>(&mut self, interface: impl Into<String>, name: impl Into<String>, function: F)
    where
        F: Fn(Vec<Value>, Option<Lease>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Value>> + Send + 'static,
    {
        self.set(interface, name, Arc::new(AsyncClosure(function)));
    }

    pub(crate) fn get(&self, interface: &str, name: &str) -> Option<&Arc<dyn HostFunction>> {
        // Few functions, and looked up once an instance: the copies of the names don't matter.
        self.0.get(&(interface.to_owned(), name.to_owned()))
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = String> {
        self.0.keys().map(|(interface, name)| format!("{interface}.{name}"))
    }
}

impl fmt::Debug for Imports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}

struct Closure<F>(F);

impl<F> HostFunction for Closure<F>
where
    F: Fn(&[Value]) -> Result<Value> + Send + Sync,
{
    fn call(&self, call: &mut HostCall<'_>) -> Result<()> {
        let args = call.args(&ToValue)?;
        let result = call.outside(|| (self.0)(&args))?;
        call.answer(&&result)
    }
}

struct AsyncClosure<F>(F);

impl<F, Fut> HostFunction for AsyncClosure<F>
where
    F: Fn(Vec<Value>, Option<Lease>) -> Fut + Send + Sync,
    Fut: Future<Output = Result<Value>> + Send + 'static,
{
    fn call(&self, call: &mut HostCall<'_>) -> Result<()> {
        let args = call.args(&ToValue)?;
        let future = (self.0)(args, call.lease());
        call.defer(Box::pin(async move {
            let result = future.await?;
            Ok(Box::new(move |call: &mut HostCall<'_>| call.answer(&&result)) as Answer)
        }))
    }
}

/// What a host function waits for: code that then answers, or an error as of [`HostFunction::call`].
pub type Deferred = Pin<Box<dyn Future<Output = Result<Answer>> + Send>>;

/// Answers a call of the guest: see [`HostCall::answer`].
pub type Answer = Box<dyn FnOnce(&mut HostCall<'_>) -> Result<()> + Send>;

/// What is left to do for a call on a fiber when the host's code has returned.
#[derive(Default)]
pub(crate) struct Later {
    pub(crate) deferred: Option<Deferred>,
    /// A result for which the guest has to find room.
    pub(crate) block: Option<Block<'static>>,
    /// Whether the guest has its result, or will have it once there is room for it.
    pub(crate) answered: bool,
}

/// One call of a host function by the guest.
pub struct HostCall<'c> {
    pub(crate) import: &'c Import,
    pub(crate) store: StoreContextMut<'c, State>,
    pub(crate) raw: &'c mut [MaybeUninit<ValRaw>],
    pub(crate) within: Within<'c>,
    /// Whether the guest has its result.
    pub(crate) answered: bool,
    /// Only the thread that is in the instance may call back into it.
    pub(crate) _not_send: PhantomData<*mut ()>,
}

/// What the guest runs on.
pub(crate) enum Within<'c> {
    /// Its caller's stack.
    Thread(Arc<Gate>),
    /// A fiber, which can wait.
    Fiber { later: &'c mut Later, lease: Lease },
}

impl HostCall<'_> {
    /// The function that was called.
    #[must_use]
    pub fn function(&self) -> &Function {
        &self.import.function
    }

    /// Lifts the arguments.
    ///
    /// # Errors
    ///
    /// Those of [`lift_bytes`](crate::lift_bytes), with the parameter's name in the path.
    pub fn args<L: Lift>(&mut self, lift: &L) -> Result<Vec<L::Value>> {
        let function = &*self.import.function;
        let abi = &function.abi;
        let guest = self.store.data().guest;
        let max = self.store.data().max_value;
        let data = guest.memory.map_or(&[][..], |memory| memory.data(&self.store));
        let memory = GuestMemory::new(data);
        // Room for flat parameters in memory form: on the stack for all but very long lists of them.
        let (mut few, mut many) = ([0; 256], Vec::new());
        let bytes = if abi.spilled {
            memory.slice(raw_u64(self.raw, 0) as u32, 1, abi.params.size, abi.params.align)?
        } else {
            let size = abi.params.size as usize;
            let buffer = if size <= few.len() {
                &mut few[..size]
            } else {
                many.resize(size, 0);
                &mut many[..]
            };
            for (i, slot) in abi.slots.iter().enumerate() {
                if let Err(error) = block::store(buffer, *slot, raw_u64(self.raw, i)) {
                    return Err(self.misfit(error.at(function.param_at(slot.offset))));
                }
            }
            buffer
        };
        let budget = &self.store.data().wasi.budget;
        let quota = match self.within {
            Within::Thread(_) => Quota::within(max, budget),
            Within::Fiber { .. } => Quota::within_limits(max, budget),
        };
        let lifting = Lifting::new(memory, lift, &quota);
        let one = |(param, offset): (&crate::interface::Field, &u32)| {
            lifting.value(&param.ty, bytes, *offset).map_err(|error| error.at(param.name.clone()))
        };
        let lifted: Result<_> = function.params.iter().zip(&abi.params.offsets).map(one).collect();
        lifted.map_err(|error| self.misfit(error))
    }

    /// What becomes of an argument that can't be lifted. Where the import returns an error, the guest's code hears of a value that does not fit in this way.
    #[cold]
    fn misfit(&mut self, error: Error) -> Error {
        let error = self.store.data_mut().refusals.explain(error);
        if error.kind() != ErrorKind::TypeMismatch || !self.import.function.fallible {
            return error;
        }
        let error = error.in_function(&format!("{}.{}", self.import.module, self.import.function.name));
        Error::new(ErrorKind::HostError, error.to_string())
    }

    /// Runs the host's own code. Meanwhile, and only then, it may call the same instance.
    ///
    /// Of an asynchronous instance only the thread that runs this may, by [`call_here`](crate::AsyncInstance::call_here); what is to be awaited waits until the
    /// host function has deferred its answer.
    pub fn outside<R>(&mut self, code: impl FnOnce() -> R) -> R {
        let own;
        let mut is_outside = None;
        let (gate, leaves) = match &self.within {
            Within::Thread(gate) => (gate, false),
            Within::Fiber { .. } => {
                own = self.store.data().gate.clone();
                // Who is in an instance on fibers has its lock, and nobody waits at its gate.
                let Ok(entry) = own.enter(&Budget::default()) else { return code() };
                is_outside = Some(IsOutside::of(&own, self.store.data().pool));
                (&own, entry == Entry::Outer)
            }
        };
        let store = self.store.as_context_mut();
        // SAFETY: only the lifetime changes. The store is lent to the gate for the time of `code`, during which this method's own borrow of
        // it is not used, and `Lent` takes it back, also when `code` panics.
        let store = unsafe { std::mem::transmute::<StoreContextMut<'_, State>, StoreContextMut<'static, State>>(store) };
        let lent = Lent { gate, loan: gate.begin_lease(), leaves };
        gate.put_inner(store);
        let result = code();
        drop(is_outside);
        if !lent.end() {
            let text = "its host functions have returned in another order than they were called in";
            self.store.data().life.kill(&Error::new(ErrorKind::Busy, text));
        }
        result
    }

    /// Whether this call can [`defer`](HostCall::defer) its answer.
    #[must_use]
    pub fn is_async(&self) -> bool {
        matches!(self.within, Within::Fiber { .. })
    }

    /// The right to call back into the instance while the host function runs: for [`CallOptions::within`](crate::CallOptions). `None` for a call that runs on its
    /// caller's stack, whose thread has that right.
    #[must_use]
    pub fn lease(&self) -> Option<Lease> {
        match &self.within {
            Within::Thread(_) => None,
            Within::Fiber { lease, .. } => Some(*lease),
        }
    }

    /// What the asynchronous call from which this one comes was given for the host's functions.
    #[must_use]
    pub fn caller(&self) -> Option<&Caller> {
        self.store.data().wasi.budget.caller.as_ref()
    }

    /// Has the guest wait, without a thread, until the future is done; what it gives then answers, at home. The host function returns meanwhile.
    ///
    /// # Errors
    ///
    /// `host-error` for a call that runs on its caller's stack.
    pub fn defer(&mut self, future: Deferred) -> Result<()> {
        let Within::Fiber { later, .. } = &mut self.within else {
            let text = "the host function is asynchronous, and the call is not: make the instance, or the pool, an asynchronous one";
            return Err(Error::new(ErrorKind::HostError, text));
        };
        later.deferred = Some(future);
        Ok(())
    }

    /// Lowers the result. Without it the guest gets zero values.
    ///
    /// # Errors
    ///
    /// `type-mismatch` when the value does not fit the result's type. Nothing happens for a function without a result.
    pub fn answer<'a, V: Lower<'a>>(&mut self, value: &V) -> Result<()> {
        let function = &self.import.function;
        let mut block = Block::begin(function.abi.result.size);
        block.bound(&self.store.data().wasi.budget);
        if let Some(ty) = &function.result {
            block.lower(ty, value, function.abi.result.value_offset).map_err(|error| error.at(" -> result"))?;
        }
        self.give(block)
    }

    /// Lowers the error of a function that can fail.
    fn fail(&mut self, message: &str) -> Result<()> {
        let layout = &self.import.function.abi.result;
        let mut block = Block::begin(layout.size);
        block.put(0, [1]);
        block.put_str(layout.value_offset, message)?;
        self.give(block)
    }

    fn give(&mut self, mut block: Block<'_>) -> Result<()> {
        self.answered = true;
        let abi = &self.import.function.abi;
        if let Some(slot) = abi.result.flat {
            self.raw[0].write(ValRaw::u64(block.load(slot)));
            if block.placed_size(false)? == 0 {
                return Ok(());
            }
        }
        if !abi.returns_by_pointer() {
            return Ok(());
        }
        let guest = self.store.data().guest;
        match &mut self.within {
            Within::Thread(_) => drop(guest.place(&mut self.store, &mut block, false)?),
            Within::Fiber { later, .. } => {
                if guest.place_at_once(&mut self.store, &mut block, false)?.is_none() {
                    later.block = Some(block.into_owned());
                    return Ok(());
                }
            }
        }
        let target = raw_u64(self.raw, abi.core_values() - 1) as u32;
        put_result(self.import, &mut self.store, &block, target)
    }
}

/// Copies a result, whose nested data is in its place, to where the guest wants it.
pub(crate) fn put_result(import: &Import, store: &mut StoreContextMut<'_, State>, block: &Block<'_>, target: u32) -> Result<()> {
    let abi = &import.function.abi;
    let memory = store.data().guest.memory()?;
    let data = memory.data_mut(store);
    let size = abi.result.size;
    GuestMemory::new(data).slice(target, 1, size, abi.result.align)?;
    // Checked by the line above.
    let at = target as usize;
    data[at..at + size as usize].copy_from_slice(&block.head()[..size as usize]);
    Ok(())
}

/// Takes the store back from the gate. A result of a nested call that a host function kept beyond its end is cut off from it.
struct Lent<'g> {
    gate: &'g Gate,
    loan: Loan,
    leaves: bool,
}

impl Lent<'_> {
    /// Gives whether the loan was the innermost one. A panic ends the instance in any case.
    fn end(self) -> bool {
        let in_order = self.gate.is_innermost(self.loan);
        drop(self);
        in_order
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        self.gate.end_lease(self.loan);
        if self.leaves {
            self.gate.leave();
        }
    }
}

pub(crate) fn raw_u64(raw: &[MaybeUninit<ValRaw>], i: usize) -> u64 {
    // SAFETY: Wasmtime has written as many parameters as the signature has, which `signatures.rs` compared with the interface; a core value is
    // 16 bytes of plain data, of which the low bytes hold the number, little-endian, whatever its type.
    unsafe { raw[i].assume_init_ref() }.get_u64()
}

/// What every import comes to.
pub(crate) fn dispatch(
    import: &Import,
    number: usize,
    mut caller: wasmtime::Caller<'_, State>,
    raw: &mut [MaybeUninit<ValRaw>],
) -> Result<()> {
    let host = caller.data().host[number].clone();
    let within = Within::Thread(caller.data().gate.clone());
    let mut call = HostCall { import, store: caller.as_context_mut(), raw, within, answered: false, _not_send: PhantomData };
    let result = {
        let _window = Window::open();
        guarded(|| host.call(&mut call))
    };
    call.conclude(result)
}

/// Runs code of the host, whose panic must not unwind through the guest's frames.
pub(crate) fn guarded(code: impl FnOnce() -> Result<()>) -> Result<()> {
    catch_unwind(AssertUnwindSafe(code)).unwrap_or_else(|panic| Err(Error::from_panic("the host function", &*panic)))
}

impl HostCall<'_> {
    /// What the guest gets, or what ends it, when the host's code has returned.
    pub(crate) fn conclude(&mut self, result: Result<()>) -> Result<()> {
        // A host function that swallows the end of the instance it called back into must not bring it back to life.
        if let Some(cause) = self.store.data().life.cause() {
            return Err(result.err().unwrap_or(cause));
        }
        match result {
            Err(error) if error.kind() == ErrorKind::HostError && self.import.function.fallible => self.fail(error.message())?,
            Err(error) => return Err(error.in_function(&format!("{}.{}", self.import.module, self.import.function.name))),
            // Zero bytes: else the guest would take its own argument for the result, or what lies on its stack.
            Ok(()) if !self.answered => self.give(Block::begin(self.import.function.abi.result.size))?,
            Ok(()) => {}
        }
        let budget = &self.store.data().wasi.budget;
        if budget.is_limited() { budget.check() } else { Ok(()) }
    }
}

/// The functions that every host gives; see docs/abi.md, section 7.
pub(crate) fn provided(module: &str, name: &str) -> Option<Arc<dyn HostFunction>> {
    match module {
        crate::interface::CONTEXT_INTERFACE if name == "deadline" => Some(Arc::new(TimeLeft)),
        crate::interface::REFUSAL_INTERFACE => Some(crate::guest::refusal::function(name)),
        _ => None,
    }
}

struct TimeLeft;

impl HostFunction for TimeLeft {
    fn at_home(&self) -> bool {
        false
    }

    fn call(&self, call: &mut HostCall<'_>) -> Result<()> {
        let left = call
            .store
            .data()
            .wasi
            .budget
            .deadline
            .map_or(-1, |deadline| i64::try_from(deadline.left_for_guest().as_nanos()).unwrap_or(i64::MAX));
        call.answer(&&Value::Int(left))
    }
}
