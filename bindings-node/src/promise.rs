//! Calls as JavaScript promises.

use std::future::Future;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicPtr, Ordering};

use napi::sys;
use undergo::Error;
use undergo::host::{go_home, spawn};

use crate::errors;
use crate::exceptions;
use crate::home::{EventLoop, ended};
use crate::js::{Env, Js, Made, get, node};
use crate::kept::Kept;
use crate::under_way::UnderWay;

/// The other end of a promise, which is settled once, on the thread of its loop.
pub(crate) struct Settle {
    home: Arc<EventLoop>,
    /// Null once it is settled.
    deferred: AtomicPtr<sys::napi_deferred__>,
    /// Whether integers of 64 bits in an error become bigints.
    bigint: bool,
}

impl Settle {
    /// Makes a promise.
    pub(crate) fn new(home: &Arc<EventLoop>, env: Env, bigint: bool) -> Made<(Arc<Settle>, Js)> {
        let mut deferred = ptr::null_mut();
        let raw = get!(ptr::null_mut(); napi_create_promise(env, &mut deferred))?;
        Ok((Arc::new(Settle { home: home.clone(), deferred: AtomicPtr::new(deferred), bigint }), env.value(raw)))
    }

    pub(crate) fn resolve(&self, value: Js) {
        if let Some(deferred) = self.take() {
            // In an environment that ends nobody waits any more.
            let _ = node!(napi_resolve_deferred(value.env, deferred, value.raw));
        }
    }

    /// Rejects it, from wherever this is.
    pub(crate) fn reject(&self, error: Error) {
        let Some(deferred) = self.take() else { return };
        if self.home.here().is_some() {
            reject(&self.home, deferred, &error, self.bigint);
            return;
        }
        let (home, deferred, bigint) = (self.home.clone(), Deferred(deferred), self.bigint);
        self.home.run_soon(move |_| {
            let deferred = deferred;
            reject(&home, deferred.0, &error, bigint);
        });
    }

    fn take(&self) -> Option<sys::napi_deferred> {
        let deferred = self.deferred.swap(ptr::null_mut(), Ordering::AcqRel);
        (!deferred.is_null()).then_some(deferred)
    }
}

impl Drop for Settle {
    fn drop(&mut self) {
        // A task that is dropped leaves nobody waiting.
        self.reject(ended());
    }
}

struct Deferred(sys::napi_deferred);

// SAFETY: only carried to the thread of its loop.
unsafe impl Send for Deferred {}

fn reject(home: &Arc<EventLoop>, deferred: sys::napi_deferred, error: &Error, bigint: bool) {
    if let Some(exception) = exceptions::to_js(home, error, bigint) {
        let _ = node!(napi_reject_deferred(exception.env, deferred, exception.raw));
    }
}

/// Runs a future as a task of the loop, and gives the promise of what `convert` makes of its
/// outcome. `needs` is kept alive meanwhile.
pub(crate) fn of<T: Send + 'static>(
    home: &Arc<EventLoop>,
    env: Env,
    needs: Option<&Arc<Kept>>,
    future: impl Future<Output = undergo::Result<T>> + Send + 'static,
    convert: impl FnOnce(Env, T) -> Made + Send + 'static,
) -> Made {
    // Only exports fail with fields.
    let (settle, promise) = Settle::new(home, env, false)?;
    let under_way = UnderWay::begin(home, needs);
    let at = home.clone();
    spawn(home.clone(), async move {
        let _under_way = under_way;
        let outcome = future.await;
        go_home().await;
        let made = outcome.and_then(|value| {
            let env = at.env()?;
            convert(env, value).map_err(errors::unmade(&at, env))
        });
        match made {
            Ok(value) => settle.resolve(value),
            Err(error) => settle.reject(error),
        }
    });
    Ok(promise)
}
