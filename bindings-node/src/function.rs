//! An export as a JavaScript function.

use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::{Arc, Mutex, PoisonError};

use napi::sys;
use undergo::host::{Arguments, Caller, Outcome, Parameters, give_turn, spawn};
use undergo::interface::{Function, Shape, names};
use undergo::{AsyncInstance, AsyncPool, AsyncPooled, CallOptions, Error, ErrorKind, Plugin, Result};

use crate::bytes::Loans;
use crate::errors;
use crate::exceptions;
use crate::home::{EventLoop, waiting};
use crate::js::{Env, Js, Kind, Made, get, node};
use crate::kept::Kept;
use crate::lift::ToJs;
use crate::lower::Given;
use crate::promise::Settle;
use crate::table::Table;
use crate::types;
use crate::under_way::UnderWay;

/// What is called.
#[derive(Clone)]
pub(crate) enum Target {
    Instance(AsyncInstance),
    /// An instance of a pool.
    Lent(Arc<Loan>),
    Pool(AsyncPool),
}

/// An instance of a pool, until it is returned.
pub(crate) struct Loan {
    plugin: Plugin,
    /// Calls have it, too: it returns when the last of them is over.
    pooled: Mutex<Option<Arc<AsyncPooled>>>,
}

impl Loan {
    pub(crate) fn new(pooled: AsyncPooled) -> Loan {
        Loan { plugin: pooled.plugin().clone(), pooled: Mutex::new(Some(Arc::new(pooled))) }
    }

    pub(crate) fn get(&self) -> Result<Arc<AsyncPooled>> {
        let pooled = self.pooled.lock().unwrap_or_else(PoisonError::into_inner).clone();
        pooled.ok_or_else(|| Error::new(ErrorKind::DeadInstance, "the instance was returned to its pool"))
    }

    /// Returns it. Once more does nothing.
    pub(crate) fn end(&self) {
        let pooled = self.pooled.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(pooled);
    }
}

impl Target {
    pub(crate) fn plugin(&self) -> &Plugin {
        match self {
            Target::Instance(instance) => instance.plugin(),
            Target::Lent(loan) => &loan.plugin,
            Target::Pool(pool) => pool.plugin(),
        }
    }

    /// What a call that begins now has until it is over, and what keeps that from its pool.
    fn begin(self) -> Result<(Target, Option<Arc<AsyncPooled>>)> {
        let Target::Lent(loan) = self else { return Ok((self, None)) };
        let pooled = loan.get()?;
        Ok((Target::Instance(AsyncInstance::clone(&pooled)), Some(pooled)))
    }

    /// A dead instance says so before any argument is looked at.
    fn check(&self) -> Result<()> {
        match self {
            Target::Instance(instance) => instance.dead().map_or(Ok(()), Err),
            Target::Lent(loan) => loan.get()?.dead().map_or(Ok(()), Err),
            Target::Pool(_) => Ok(()),
        }
    }

    async fn call(
        &self,
        arguments: Arguments<'static, 'static>,
        options: &CallOptions,
        then: impl FnOnce(Outcome<'_, '_>) -> Result<()> + Send + 'static,
    ) -> Result<()> {
        match self {
            Target::Instance(instance) => instance.call_then(arguments, options, then).await,
            Target::Lent(loan) => loan.get()?.call_then(arguments, options, then).await,
            Target::Pool(pool) => pool.call_then(arguments, options, then).await,
        }
    }

    fn call_here<R>(
        &self,
        arguments: Arguments<'static, 'static>,
        options: &CallOptions,
        then: impl FnOnce(Outcome<'_, '_>) -> Result<R>,
    ) -> Result<R> {
        match self {
            Target::Instance(instance) => instance.call_here(arguments, options, then),
            Target::Lent(loan) => loan.get()?.call_here(arguments, options, then),
            Target::Pool(pool) => pool.call_here(arguments, options, then),
        }
    }
}

/// How a call is made, for the host functions that it calls.
pub(crate) enum Way {
    /// Its JavaScript goes on meanwhile, so that a host function may be awaited.
    Promise,
    /// Its JavaScript waits.
    Sync,
}

/// What an instance or a pool is, for those who call it.
#[derive(Clone)]
pub(crate) struct Callee {
    pub(crate) home: Arc<EventLoop>,
    pub(crate) target: Target,
    /// Its host functions, for the time of calls: otherwise what JavaScript has of the instance
    /// keeps them alive.
    pub(crate) table: Arc<Table>,
    /// Of an instance: what the garbage collector is told of its memory.
    pub(crate) _charge: Option<Arc<Charge>>,
}

/// Bytes that JavaScript's objects keep alive, and that V8 does not see: with them it collects in
/// time.
pub(crate) struct Charge {
    home: Arc<EventLoop>,
    bytes: i64,
}

impl Charge {
    pub(crate) fn new(home: &Arc<EventLoop>, bytes: u64) -> Arc<Charge> {
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        if let Some(env) = home.here() {
            adjust(env, bytes);
        }
        Arc::new(Charge { home: home.clone(), bytes })
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        let bytes = -self.bytes;
        match self.home.here() {
            Some(env) => adjust(env, bytes),
            None => self.home.run_soon(move |env| adjust(env, bytes)),
        }
    }
}

fn adjust(env: Env, bytes: i64) {
    // Only a hint, which can't fail.
    let _ = get!(0; napi_adjust_external_memory(env, bytes));
}

/// An export of it.
struct Export {
    callee: Callee,
    number: usize,
    params: Parameters,
    options: CallOptions,
    is_sync: bool,
    /// What JavaScript has of calls with these options: it makes the objects that they give.
    calls: Arc<Kept>,
    /// Whether it gives items of an iterator.
    is_batch: bool,
}

/// Makes the function for an export, or for a method, whose `this` is the object. The function owns
/// `calls` in JavaScript's sense, and that the host functions, so that the collector sees one which
/// refers to its instance.
pub(crate) fn make(env: Env, callee: &Callee, number: usize, options: &CallOptions, is_sync: bool, calls: Js) -> Result<Js> {
    let plugin = callee.target.plugin();
    let named = || plugin.exports().nth(number).cloned();
    let found = named().map(|function| (function, false)).or_else(|| member(plugin, number));
    let (function, is_batch) = found.ok_or_else(|| Error::new(ErrorKind::UnknownExport, format!("there is no export number {number}")))?;
    let way: Caller = Arc::new(if is_sync { Way::Sync } else { Way::Promise });
    let cancel = match &options.cancel {
        Some(token) => Some(token.clone()),
        // A call for which JavaScript waits can't outlive it.
        None if is_sync => None,
        None => Some(callee.home.cancel.clone()),
    };
    let options = CallOptions { caller: Some(way), cancel, ..options.clone() };
    let name = types::function_name(&function);
    let params = Parameters::new(function, names::camel, types::signature);
    let make = || {
        let calls = Arc::new(Kept::weak(&callee.home, calls)?);
        wrap(env, &name, Export { callee: callee.clone(), number, params, options, is_sync, calls, is_batch })
    };
    make().map_err(errors::unmade(&callee.home, env))
}

/// The function of a resource with that number, and whether it gives items of an iterator.
fn member(plugin: &Plugin, number: usize) -> Option<(Arc<Function>, bool)> {
    let resources = &plugin.interface()?.resources;
    let members = resources.iter().flat_map(|resource| {
        let all = resource.constructor.iter().chain(&resource.methods);
        all.map(|function| (function, resource.ty.shape == Shape::Iterator))
    });
    members.into_iter().find(|(function, _)| plugin.member(function) == Some(number)).map(|(function, is)| (function.clone(), is))
}

fn wrap(env: Env, name: &str, export: Export) -> Made {
    unsafe extern "C" fn free(_env: sys::napi_env, data: *mut c_void, _hint: *mut c_void) {
        // SAFETY: the box that was leaked for the function; Node calls this once.
        drop(unsafe { Box::from_raw(data.cast::<Export>()) });
    }
    let data = Box::into_raw(Box::new(export));
    let made = get!(ptr::null_mut(); napi_create_function(env, name.as_ptr().cast(), name.len().cast_signed(), Some(invoke), data.cast()));
    let made =
        made.and_then(|raw| node!(napi_add_finalizer(env, raw, data.cast(), Some(free), ptr::null_mut(), ptr::null_mut())).map(|()| raw));
    if made.is_err() {
        // SAFETY: nobody will free it otherwise; a function that was made nevertheless was given to
        // nobody.
        drop(unsafe { Box::from_raw(data) });
    }
    made.map(|raw| env.value(raw))
}

/// What JavaScript calls.
unsafe extern "C" fn invoke(raw: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    let env = Env(raw);
    // With `this` before the arguments.
    let mut few = [ptr::null_mut(); 9];
    let mut len = few.len() - 1;
    let mut this = ptr::null_mut();
    let mut data = ptr::null_mut();
    if node!(napi_get_cb_info(env, info, &mut len, few[1..].as_mut_ptr(), &mut this, &mut data)).is_err() {
        return ptr::null_mut();
    }
    let mut many = Vec::new();
    let all = if len < few.len() {
        &mut few[..=len]
    } else {
        many.resize(len + 1, ptr::null_mut());
        if node!(napi_get_cb_info(env, info, &mut len, many[1..].as_mut_ptr(), ptr::null_mut(), &mut data)).is_err() {
            return ptr::null_mut();
        }
        &mut many[..]
    };
    all[0] = this;
    // SAFETY: what `wrap` gave to the function, which is being called, and so is alive.
    let export = unsafe { &*data.cast::<Export>() };
    let given = if export.params.function().is_method { &*all } else { &all[1..] };
    let outcome = catch_unwind(AssertUnwindSafe(|| if export.is_sync { export.call_here(env, given) } else { export.call(env, given) }));
    let outcome = outcome.unwrap_or_else(|_| Err(Error::new(ErrorKind::HostError, "the binding of Undergo panicked; please report it")));
    match outcome {
        Ok(value) => value.raw,
        Err(error) => {
            if let Some(exception) = exceptions::to_js(&export.callee.home, &error, export.callee.table.bigint) {
                env.throw(exception);
            }
            ptr::null_mut()
        }
    }
}

impl Export {
    /// Lowers what was given.
    fn arguments(&self, env: Env, given: &[sys::napi_value], loans: &Loans) -> Result<Arguments<'static, 'static>> {
        self.callee.target.check()?;
        let mut arguments = self.callee.target.plugin().owned_arguments(self.number)?;
        let wanted = self.params.function().params.len();
        let mut count = given.len();
        while count > wanted && env.value(given[count - 1]).is(Kind::Undefined) {
            count -= 1;
        }
        self.params.check(count)?;
        for (i, raw) in given[..count].iter().enumerate() {
            let Callee { home, table, .. } = &self.callee;
            arguments.lower(i, &Given { js: env.value(*raw), home, loans, table: Some(table) })?;
        }
        Ok(arguments)
    }

    /// Runs the call, while JavaScript waits.
    fn call_here(&self, env: Env, given: &[sys::napi_value]) -> Result<Js> {
        let Callee { home, target, table, .. } = &self.callee;
        let loans = Loans::default();
        let arguments = self.arguments(env, given, &loans)?;
        let lift = ToJs { env, home, bigint: table.bigint, objects: Some(&self.calls), is_batch: self.is_batch };
        waiting(env, || target.call_here(arguments, &self.options, |returned| returned.lift(&lift)))
    }

    /// Begins the call, and gives its promise.
    fn call(&self, env: Env, given: &[sys::napi_value]) -> Result<Js> {
        let Callee { home, target, table, .. } = self.callee.clone();
        let (bigint, is_batch) = (table.bigint, self.is_batch);
        let (settle, promise) = Settle::new(&home, env, bigint).map_err(errors::unmade(&home, env))?;
        // Dropped at the end of this function, when the call has begun, or waits.
        let loans = Loans::default();
        let begun = self.arguments(env, given, &loans).and_then(|arguments| Ok((arguments, target.begin()?)));
        let (arguments, (target, lent)) = match begun {
            Ok(begun) => begun,
            Err(error) => {
                settle.reject(error);
                return Ok(promise);
            }
        };
        let calls = self.calls.clone();
        let under_way = UnderWay::begin(&home, Some(&calls));
        let within = home.lease();
        let options = CallOptions { within, ..self.options.clone() };
        spawn(home.clone(), async move {
            let (_under_way, _lent) = (under_way, lent);
            if within.is_some() {
                // The host function from which this comes lets it in only when it has returned its
                // own promise.
                give_turn().await;
            }
            let done = settle.clone();
            let lift = move |returned: Outcome<'_, '_>| {
                let env = home.env()?;
                done.resolve(returned.lift(&ToJs { env, home: &home, bigint, objects: Some(&calls), is_batch })?);
                Ok(())
            };
            if let Err(error) = target.call(arguments, &options, lift).await {
                settle.reject(error);
            }
        });
        Ok(promise)
    }
}
