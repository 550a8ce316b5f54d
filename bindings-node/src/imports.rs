//! The host functions of a program.

use std::sync::{Arc, Mutex, PoisonError};

use napi::sys;
use tokio::sync::oneshot;
use undergo::host::{Answer, HostCall, HostFunction};
use undergo::interface::{VariantType, names};
use undergo::{Error, ErrorKind, Output, Result};

use crate::bytes::Loans;
use crate::errors;
use crate::exceptions;
use crate::function::Way;
use crate::home::EventLoop;
use crate::js::{Env, Js, Kind, Made, Tagged};
use crate::kept::Kept;
use crate::lift::ToJs;
use crate::lower::Given;
use crate::table::Place;

/// A function of the host, as a guest calls it.
#[derive(Clone)]
pub(crate) struct Callable(Arc<Place>);

impl Callable {
    pub(crate) fn new(place: Place) -> Callable {
        Callable(Arc::new(place))
    }

    /// The same, for a [`Table`](crate::table::Table).
    pub(crate) fn host_function(place: Place) -> Arc<dyn HostFunction> {
        Arc::new(Callable::new(place))
    }

    /// An output whose lines go to the function.
    pub(crate) fn lines(self) -> Output {
        Output::lines(move |line| {
            let home = self.0.table.home();
            let env = home.env()?;
            env.scope(|| {
                let (function, this) = self.0.get()?;
                let text = env.string(&String::from_utf8_lossy(line)).map_err(errors::unmade(home, env))?;
                env.call(function, this, &[text]).map(drop).map_err(|_| errors::thrown(home, env))
            })
        })
    }

    fn run(&self, call: &mut HostCall<'_>, home: &Arc<EventLoop>, env: Env) -> Result<()> {
        let (function, this) = self.0.get()?;
        let table = &self.0.table;
        let args = call.args(&ToJs { env, home, bigint: table.bigint, objects: None, is_batch: false })?;
        let is_sync = call.caller().and_then(|caller| caller.downcast_ref::<Way>()).is_some_and(|way| matches!(way, Way::Sync));
        let lease = match call.lease() {
            Some(lease) if !is_sync => home.open_lease(lease).map(|number| Lease { number, home: home.clone() }),
            _ => None,
        };
        let result = call.outside(|| match &lease {
            None => env.call(function, this, &args),
            // What the function calls, now and after it has awaited something, is known to come
            // from it.
            Some(lease) => {
                let run = home.helper(|helpers| &helpers.run);
                run.map_err(|_| crate::js::Failed(0)).and_then(|run| {
                    let mut all = vec![env.number(lease.number.into())?, function, this];
                    all.extend(&args);
                    env.call(run, env.undefined()?, &all)
                })
            }
        });
        let declared = call.function().errors.as_ref();
        let result = result.map_err(|_| exceptions::thrown(home, env, declared.map(|errors| &**errors)))?;
        if !is_thenable(result) {
            return call.answer(&Given { js: result, home, loans: &Loans::default(), table: Some(table) });
        }
        let (sender, receiver) = oneshot::channel();
        // In any case: a rejection should never be one that nobody handles.
        let settled = Settled { sender: Mutex::new(Some(sender)), declared: declared.cloned() };
        let settled = wait(home, env, result, settled).map_err(|_| errors::thrown(home, env))?;
        if is_sync {
            let name = names::camel(&call.function().name);
            let text = format!(
                "the host function {name} gave a promise, and the call for which it ran is synchronous: call the export itself, not through 'sync'"
            );
            return Err(Error::new(ErrorKind::HostError, text));
        }
        let (home, table) = (home.clone(), table.clone());
        call.defer(Box::pin(async move {
            let _lease = lease;
            // A promise that nobody can settle any more is collected, and what waits for it with
            // it; the guest waits nevertheless.
            let _settled = settled;
            let outcome: Outcome = receiver.await.map_err(|_| crate::home::ended())?;
            let value = outcome?;
            Ok(Box::new(move |call: &mut HostCall<'_>| {
                call.answer(&Given { js: value.inner()?, home: &home, loans: &Loans::default(), table: Some(&table) })
            }) as Answer)
        }))
    }
}

impl HostFunction for Callable {
    fn call(&self, call: &mut HostCall<'_>) -> Result<()> {
        let home = self.0.table.home().clone();
        let env = home.env()?;
        env.scope(|| self.run(call, &home, env))
    }
}

/// The right of a host function that runs.
struct Lease {
    home: Arc<EventLoop>,
    number: u32,
}

impl Drop for Lease {
    fn drop(&mut self) {
        if self.home.here().is_some() {
            self.home.close_lease(self.number);
        } else {
            let (home, number) = (self.home.clone(), self.number);
            self.home.run_soon(move |_| home.close_lease(number));
        }
    }
}

type Outcome = Result<Kept>;

/// Whether it is a promise, or behaves like one.
fn is_thenable(value: Js) -> bool {
    if !value.is(Kind::Object) {
        return false;
    }
    value.is_promise()
        || value.get_named("then").map_or_else(
            |_| {
                errors::drop_exception(value.env);
                false
            },
            |then| then.is(Kind::Function),
        )
}

/// Has the promise's outcome sent. Gives what keeps the sender alive.
fn wait(home: &Arc<EventLoop>, env: Env, promise: Js, settled: Settled) -> Made<Kept> {
    let settled = Js::owner(env, settled)?;
    let settle = home.helper(|helpers| &helpers.settle).map_err(|_| crate::js::Failed(0))?;
    env.call(settle, env.undefined()?, &[promise, settled])?;
    Kept::new(home, settled)
}

/// Who waits for a promise.
pub(crate) struct Settled {
    sender: Mutex<Option<oneshot::Sender<Outcome>>>,
    /// The errors with fields that the guest knows.
    declared: Option<Arc<VariantType>>,
}

impl Tagged for Settled {
    const TAG: sys::napi_type_tag = sys::napi_type_tag { lower: 0x31f7_a85e_0c92_4db6, upper: 0xa6e4_13d8_7b50_c29f };
}

/// What the package calls when such a promise is settled: with what waits for it, whether it was
/// fulfilled, and the value.
pub(crate) fn settle(home: &Arc<EventLoop>, env: Env, args: &[Js]) -> Result<Js> {
    let [settled, fulfilled, value] = args else { return Err(Error::new(ErrorKind::HostError, "settle takes three arguments")) };
    let settled = settled.owned::<Settled>().ok_or_else(|| Error::new(ErrorKind::TypeMismatch, "nobody waits for that promise"))?;
    let sender = settled.sender.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(sender) = sender {
        let outcome = match fulfilled.bool() {
            Ok(true) => Kept::any(home, *value).map_err(errors::unmade(home, env)),
            _ => Err(exceptions::from_host(home, *value, settled.declared.as_deref())),
        };
        // Who waited may have given up.
        drop(sender.send(outcome));
    }
    env.undefined().map_err(errors::unmade(home, env))
}
