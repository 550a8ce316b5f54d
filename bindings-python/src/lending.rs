//! Instances of pools that are lent, for calls that belong together.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use undergo::{AsyncPooled, CallOptions, Pooled};

use crate::async_function::options_of;
use crate::async_instance::AsyncInstance;
use crate::coroutine::Call;
use crate::handle::Lent;
use crate::instance::Instance;
use crate::parts::Origin;
use crate::{errors, raised};

thread_local! {
    /// What this thread has taken from pools, by number: it has to be returned by the same thread.
    static TAKEN: RefCell<HashMap<u64, Pooled>> = RefCell::default();
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn used() -> PyErr {
    PyRuntimeError::new_err("this was entered before: call instance() again for another one")
}

/// An instance that a pool lends within `with`.
#[pyclass(frozen, module = "undergo")]
pub(crate) struct Lending {
    pool: undergo::Pool,
    options: CallOptions,
    origin: Origin,
    state: Mutex<State>,
}

enum State {
    New,
    Lent { number: u64, thread: ThreadId, lent: Arc<Lent<undergo::Instance>> },
    Over,
}

impl Lending {
    pub(crate) fn new(pool: undergo::Pool, options: CallOptions, origin: Origin) -> Lending {
        Lending { pool, options, origin, state: Mutex::new(State::New) }
    }

    /// Takes an instance, which stays with this thread.
    fn take(&self) -> undergo::Result<(u64, undergo::Instance)> {
        static LAST: AtomicU64 = AtomicU64::new(0);
        let pooled = self.pool.take(&self.options)?;
        let instance = undergo::Instance::clone(&pooled);
        let number = LAST.fetch_add(1, Ordering::Relaxed);
        TAKEN.with_borrow_mut(|taken| taken.insert(number, pooled));
        Ok((number, instance))
    }
}

/// Returns what this thread has taken. A thread that has ended returned it then.
fn give_back(number: u64) {
    let pooled = TAKEN.try_with(|taken| taken.borrow_mut().remove(&number));
    drop(pooled);
}

#[pymethods]
impl Lending {
    fn __enter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, Instance>> {
        {
            let mut state = lock(&self.state);
            if !matches!(*state, State::New) {
                return Err(used());
            }
            *state = State::Over;
        }
        let (number, instance) = py.detach(|| self.take()).map_err(|error| errors::to_python(py, &error))?;
        let lent = Arc::new(Lent::new(instance));
        *lock(&self.state) = State::Lent { number, thread: thread::current().id(), lent: lent.clone() };
        Instance::lent(py, self.origin.clone_ref(py), &lent)
    }

    #[pyo3(signature = (*_raised))]
    fn __exit__(&self, py: Python<'_>, _raised: &Bound<'_, PyTuple>) -> PyResult<()> {
        let state = std::mem::replace(&mut *lock(&self.state), State::Over);
        let State::Lent { number, thread, lent } = state else { return Ok(()) };
        if thread != thread::current().id() {
            *lock(&self.state) = State::Lent { number, thread, lent };
            return Err(PyRuntimeError::new_err("the instance was taken by another thread, which has to return it"));
        }
        lent.end();
        py.detach(|| give_back(number));
        Ok(())
    }

    fn __traverse__(&self, visit: pyo3::PyVisit<'_>) -> Result<(), pyo3::PyTraverseError> {
        self.origin.visit(&visit)
    }
}

impl Drop for Lending {
    fn drop(&mut self) {
        if let State::Lent { number, thread, lent } = &*lock(&self.state)
            && *thread == thread::current().id()
        {
            lent.end();
            give_back(*number);
        }
    }
}

/// An instance that a pool lends within `async with`.
#[pyclass(frozen, module = "undergo")]
pub(crate) struct AsyncLending {
    pool: undergo::AsyncPool,
    options: CallOptions,
    origin: Mutex<Option<Origin>>,
    taken: Arc<Mutex<Option<Taken>>>,
}

struct Taken {
    pooled: AsyncPooled,
    lent: Arc<Lent<undergo::AsyncInstance>>,
}

impl AsyncLending {
    pub(crate) fn new(pool: undergo::AsyncPool, options: CallOptions, origin: Origin) -> AsyncLending {
        AsyncLending { pool, options, origin: Mutex::new(Some(origin)), taken: Arc::default() }
    }
}

#[pymethods]
impl AsyncLending {
    fn __aenter__(&self) -> PyResult<Call> {
        let origin = lock(&self.origin).take().ok_or_else(used)?;
        let (pool, options, place) = (self.pool.clone(), self.options.clone(), self.taken.clone());
        Ok(Call::new("instance", options.cancel.clone(), move |start| {
            Box::pin(async move {
                let pooled = pool.take(&options_of(&options, start)).await?;
                undergo::host::go_home().await;
                let lent = Arc::new(Lent::new(undergo::AsyncInstance::clone(&pooled)));
                *lock(&place) = Some(Taken { pooled, lent: lent.clone() });
                Python::attach(|py| {
                    let made = AsyncInstance::lent(py, origin, &lent);
                    made.map(|made| made.into_any().unbind()).map_err(|raised| raised::from_host(py, raised))
                })
            })
        }))
    }

    #[pyo3(signature = (*_raised))]
    fn __aexit__(&self, _raised: &Bound<'_, PyTuple>) -> Call {
        let taken = lock(&self.taken).take();
        Call::new("instance", None, move |_| {
            Box::pin(async move {
                if let Some(Taken { pooled, lent }) = taken {
                    lent.end();
                    drop(pooled);
                }
                Ok(Python::attach(|py| py.None()))
            })
        })
    }

    fn __traverse__(&self, visit: pyo3::PyVisit<'_>) -> Result<(), pyo3::PyTraverseError> {
        lock(&self.origin).as_ref().map_or(Ok(()), |origin| origin.visit(&visit))
    }
}
