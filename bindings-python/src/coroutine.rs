//! A call as a Python awaitable, and a Python coroutine for which a guest waits.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pyo3::exceptions::{PyRuntimeError, PyRuntimeWarning, PyStopIteration};
use pyo3::prelude::*;
use pyo3::types::{PyInt, PyString, PyTuple};
use undergo::host::{Answer, Caller, HostCall, go_home, spawn};
use undergo::{CancelToken, Error, ErrorKind, Lease};

use crate::cached::Cached;
use crate::errors;
use crate::event_loop::{AsHome, EventLoop};
use crate::lower::{Keeper, Object};
use crate::raised;

/// What a call comes to.
pub(crate) type Outcome = undergo::Result<Py<PyAny>>;

/// Where a call is made: its loop, and the context variables that its host functions see.
pub(crate) struct Place {
    event_loop: Arc<EventLoop>,
    context: Py<PyAny>,
}

impl Place {
    /// That of the caller.
    fn here(py: Python<'_>) -> PyResult<Place> {
        static COPY: Cached = Cached::new();
        let copy = COPY.get_or_import(py, "contextvars", "copy_context")?;
        Ok(Place { event_loop: EventLoop::running(py)?, context: copy.call0()?.unbind() })
    }
}

/// What a call is told when it starts.
pub(crate) struct Start {
    pub(crate) caller: Caller,
    pub(crate) cancel: CancelToken,
    /// The right of whoever awaits it, which need not be who made it.
    pub(crate) within: Option<Lease>,
}

type Begin = Box<dyn FnOnce(Start) -> Pin<Box<dyn Future<Output = Outcome> + Send>> + Send>;

/// A call that can be awaited.
///
/// To asyncio it is a coroutine: it starts when it is awaited, and cancelling its task cancels
/// it.
#[pyclass(frozen, module = "undergo")]
pub(crate) struct Call {
    name: String,
    /// What can cancel it besides its task.
    parent: Option<CancelToken>,
    state: Mutex<State>,
}

enum State {
    /// Not awaited yet.
    New(Begin),
    Running {
        cancel: CancelToken,
        /// What the loop waits for: the iterator of an asyncio future.
        waiting: Py<PyAny>,
    },
    Over,
}

/// Where the outcome comes in.
#[derive(Default)]
struct Slot {
    outcome: Mutex<Option<Outcome>>,
    /// Made when the outcome was not there at once.
    future: Mutex<Option<Py<PyAny>>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Slot {
    /// On the loop's thread.
    fn fill(&self, py: Python<'_>, outcome: Outcome) {
        let future = lock(&self.future).take();
        let Some(future) = future else {
            *lock(&self.outcome) = Some(outcome);
            return;
        };
        let future = future.bind(py);
        let told = match outcome {
            Ok(value) => future.call_method1("set_result", (value,)),
            Err(error) => future.call_method1("set_exception", (errors::to_python(py, &error).into_value(py),)),
        };
        // One that was cancelled meanwhile takes no outcome, and needs none.
        drop(told);
    }
}

/// Fills the slot of a call whose task is dropped: its loop is closed, or its code panicked.
struct Filled(Arc<Slot>, bool);

impl Drop for Filled {
    fn drop(&mut self) {
        if self.1 {
            return;
        }
        Python::try_attach(|py| {
            self.0.fill(py, Err(Error::new(ErrorKind::Cancelled, "the event loop of the call was closed before the call was over")));
        });
    }
}

impl Call {
    pub(crate) fn new(
        name: &str,
        parent: Option<CancelToken>,
        begin: impl FnOnce(Start) -> Pin<Box<dyn Future<Output = Outcome> + Send>> + Send + 'static,
    ) -> Call {
        Call { name: name.to_owned(), parent, state: Mutex::new(State::New(Box::new(begin))) }
    }

    /// Starts the call, or goes on waiting: what the loop waits for, or the result as a
    /// StopIteration.
    fn step<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let mut state = lock(&self.state);
        match std::mem::replace(&mut *state, State::Over) {
            State::New(begin) => {
                drop(state);
                self.start(py, begin)
            }
            State::Running { cancel, waiting } => {
                drop(state);
                let next = waiting.bind(py).call_method0("__next__");
                if next.is_ok() {
                    *lock(&self.state) = State::Running { cancel, waiting };
                }
                next
            }
            State::Over => Err(PyRuntimeError::new_err(format!("the call of {} was awaited before; call it again", self.name))),
        }
    }

    fn start<'py>(&self, py: Python<'py>, begin: Begin) -> PyResult<Bound<'py, PyAny>> {
        let place = Arc::new(Place::here(py)?);
        let cancel = self.parent.as_ref().map_or_else(CancelToken::new, CancelToken::child);
        let slot = Arc::new(Slot::default());
        let home = Arc::new(AsHome(place.event_loop.clone()));
        let future = begin(Start { caller: place.clone(), cancel: cancel.clone(), within: lease(py)? });
        let mut filled = Filled(slot.clone(), false);
        py.detach(|| {
            spawn(home, async move {
                let outcome = future.await;
                go_home().await;
                filled.1 = true;
                Python::try_attach(|py| filled.0.fill(py, outcome));
            });
        });
        if let Some(outcome) = lock(&slot.outcome).take() {
            return match outcome {
                Ok(value) => Err(PyStopIteration::new_err((value,))),
                Err(error) => Err(errors::to_python(py, &error)),
            };
        }
        let future = place.event_loop.event_loop(py).call_method0("create_future")?;
        // This is the loop's thread, on which alone the slot is filled: nothing came in between.
        *lock(&slot.future) = Some(future.clone().unbind());
        let waiting = future.call_method0("__await__")?;
        let first = waiting.call_method0("__next__")?;
        *lock(&self.state) = State::Running { cancel, waiting: waiting.unbind() };
        Ok(first)
    }

    /// Cancels a call that runs; gives what the loop waited for.
    fn cancel(&self) -> Option<Py<PyAny>> {
        let state = std::mem::replace(&mut *lock(&self.state), State::Over);
        match state {
            State::Running { cancel, waiting } => {
                cancel.cancel();
                Some(waiting)
            }
            State::New(_) | State::Over => None,
        }
    }
}

#[pymethods]
impl Call {
    fn __await__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.step(py)
    }

    /// Like `send` of a coroutine.
    fn send<'py>(&self, py: Python<'py>, _value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        self.step(py)
    }

    /// Like `throw` of a coroutine: any exception cancels the call.
    #[pyo3(signature = (*exception))]
    fn throw<'py>(&self, py: Python<'py>, exception: &Bound<'py, PyTuple>) -> PyResult<Bound<'py, PyAny>> {
        match self.cancel() {
            Some(waiting) => waiting.bind(py).call_method1("throw", exception.clone()),
            None => {
                let first = exception.get_item(0)?;
                let raised = if first.is_instance_of::<pyo3::types::PyType>() { first.call0()? } else { first };
                Err(PyErr::from_value(raised))
            }
        }
    }

    /// Like `close` of a coroutine.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        match self.cancel() {
            Some(waiting) => waiting.bind(py).call_method0("close").map(drop),
            None => Ok(()),
        }
    }

    fn __repr__(&self) -> String {
        format!("<undergo call of {}>", self.name)
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        match self.state.get_mut().unwrap_or_else(PoisonError::into_inner) {
            // Nobody awaits it any more.
            State::Running { cancel, .. } => cancel.cancel(),
            State::New(_) => forgotten(&self.name),
            State::Over => {}
        }
    }
}

/// Warns of a call that nobody awaited, and that never began, in the words that Python has for its
/// own coroutines.
fn forgotten(name: &str) {
    Python::try_attach(|py| {
        // An object may end while an exception is on its way.
        let pending = PyErr::take(py);
        let text = std::ffi::CString::new(format!("coroutine '{name}' was never awaited"));
        if let Ok(text) = text
            && let Err(raised) = PyErr::warn(py, &py.get_type::<PyRuntimeWarning>(), &text, 1)
        {
            // A filter has made an error of it, which has nowhere to go.
            raised.write_unraisable(py, None);
        }
        if let Some(pending) = pending {
            pending.restore(py);
        }
    });
}

/// The right to call back into an instance, in the context variable of a host function's task.
#[pyclass(frozen, module = "undergo")]
struct Within(Lease);

/// The context variable that holds it.
fn lease_variable(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    static VARIABLE: Cached = Cached::new();
    VARIABLE.get_or_find(py, || py.import("contextvars")?.getattr("ContextVar")?.call1(("undergo_lease",)))
}

/// The right of the code that runs now, if it is that of a host function.
fn lease(py: Python<'_>) -> PyResult<Option<Lease>> {
    let found = lease_variable(py)?.call_method1("get", (py.None(),))?;
    Ok(found.cast::<Within>().ok().map(|within| within.get().0))
}

/// Calls a host function as the asynchronous call from which it comes would: on its loop, with its
/// context variables.
pub(crate) fn call_host<'py>(call: &HostCall<'_>, function: &Bound<'py, PyAny>, args: Bound<'py, PyTuple>) -> PyResult<Bound<'py, PyAny>> {
    let py = function.py();
    let Some(place) = call.caller().and_then(|caller| caller.downcast_ref::<Place>()) else { return function.call1(args) };
    let mut all = vec![function.clone()];
    all.extend(args.iter());
    place.context.bind(py).call_method0("copy")?.call_method1("run", PyTuple::new(py, all)?)
}

/// Has the guest wait for an awaitable that a host function gave; `None` when it is not one. The
/// keeper has what it gives of objects.
pub(crate) fn defer<K>(call: &mut HostCall<'_>, awaitable: &Bound<'_, PyAny>, keeper: &K) -> Option<undergo::Result<()>>
where
    K: Keeper + Clone + Send + Sync + 'static,
{
    let py = awaitable.py();
    // Most functions give what can't be awaited, and should not pay for the question.
    let is_plain = awaitable.is_none() || awaitable.is_exact_instance_of::<PyString>() || awaitable.is_exact_instance_of::<PyInt>();
    // As for Python's own `await`, what its class has counts.
    if is_plain || !awaitable.get_type().hasattr("__await__").unwrap_or(false) {
        return None;
    }
    let place = call.caller().and_then(|caller| caller.downcast_ref::<Place>());
    let (Some(place), Some(lease)) = (place, call.lease()) else {
        // Python warns of a coroutine that was never awaited, and this one will not be.
        drop(awaitable.call_method0("close"));
        return Some(call.defer(Box::pin(std::future::pending())));
    };
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let task = match run_task(py, place, lease, awaitable, Done(Mutex::new(Some(sender)))) {
        Ok(task) => task,
        Err(raised) => return Some(Err(raised::from_host(py, raised))),
    };
    let event_loop = place.event_loop.clone();
    let (errors, keeper) = (call.function().errors.clone(), keeper.clone());
    Some(call.defer(Box::pin(async move {
        let mut running = Running { task: Some(task), event_loop };
        let outcome = receiver.await;
        running.task = None;
        let closed = || Error::new(ErrorKind::Cancelled, "the event loop of the host function was closed");
        let value =
            outcome.map_err(|_| closed())?.map_err(|raised| Python::attach(|py| errors::from_function(py, raised, errors.as_deref())))?;
        let answer = move |call: &mut HostCall<'_>| Python::attach(|py| call.answer(&Object::of(value.into_bound(py), &keeper)));
        Ok(Box::new(answer) as Answer)
    })))
}

/// Makes a task of the awaitable, in the context of the call that it comes from.
fn run_task(py: Python<'_>, place: &Place, lease: Lease, awaitable: &Bound<'_, PyAny>, done: Done) -> PyResult<Py<PyAny>> {
    static ENSURE: Cached = Cached::new();
    let ensure = ENSURE.get_or_import(py, "asyncio", "ensure_future")?;
    let context = place.context.bind(py).call_method0("copy")?;
    context.call_method1("run", (lease_variable(py)?.getattr("set")?, Within(lease)))?;
    let task = context.call_method1("run", (ensure, awaitable))?;
    task.call_method1("add_done_callback", (done,))?;
    Ok(task.unbind())
}

/// A task of a host function. Cancelled when the guest does not wait for it any more.
struct Running {
    task: Option<Py<PyAny>>,
    event_loop: Arc<EventLoop>,
}

impl Drop for Running {
    fn drop(&mut self) {
        let Some(task) = self.task.take() else { return };
        Python::try_attach(|py| {
            let cancel = task.bind(py).getattr("cancel")?;
            // A loop that is closed has let go of its tasks itself.
            self.event_loop.event_loop(py).call_method1("call_soon_threadsafe", (cancel,)).map(drop)
        });
    }
}

/// What the loop calls when such a task is over.
#[pyclass(frozen, module = "undergo")]
struct Done(Mutex<Option<tokio::sync::oneshot::Sender<PyResult<Py<PyAny>>>>>);

#[pymethods]
impl Done {
    fn __call__(&self, py: Python<'_>, task: &Bound<'_, PyAny>) {
        let Some(sender) = lock(&self.0).take() else { return };
        let outcome = task.call_method0("result").map(Bound::unbind);
        // Who waited may have given up; the send wakes them otherwise, for which the interpreter's
        // lock is not needed.
        py.detach(|| drop(sender.send(outcome)));
    }
}
