//! An asyncio event loop as the home of calls: the one thread on which Python's own code runs for
//! them.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use pyo3::prelude::*;
use undergo::host::{Home, Job};

use crate::cached::Cached;

/// How long the loop runs our jobs before it gets a turn itself.
const TURN: Duration = Duration::from_millis(1);

/// The jobs of one loop.
pub(crate) struct EventLoop {
    event_loop: Py<PyAny>,
    queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    /// Whether the loop was asked to run them.
    asked: bool,
}

thread_local! {
    /// The loop that this thread ran last.
    static LAST: RefCell<Option<Arc<EventLoop>>> = const { RefCell::new(None) };
}

impl EventLoop {
    /// The loop that runs on this thread.
    pub(crate) fn running(py: Python<'_>) -> PyResult<Arc<EventLoop>> {
        static GET: Cached = Cached::new();
        let running = GET.get_or_import(py, "asyncio", "get_running_loop")?.call0()?;
        LAST.with_borrow_mut(|last| {
            if let Some(known) = last
                && known.event_loop.is(&running)
            {
                return Ok(known.clone());
            }
            let found = Arc::new(EventLoop { event_loop: running.unbind(), queue: Mutex::default() });
            *last = Some(found.clone());
            Ok(found)
        })
    }

    pub(crate) fn event_loop<'py>(&self, py: Python<'py>) -> &Bound<'py, PyAny> {
        self.event_loop.bind(py)
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks the loop to run the jobs. One that is closed will not, so they are dropped, and their
    /// calls with them.
    fn ask(this: &Arc<Self>, py: Python<'_>) {
        let asked = Py::new(py, Turn(this.clone())).and_then(|turn| this.event_loop.bind(py).call_method1("call_soon_threadsafe", (turn,)));
        if asked.is_err() {
            this.abandon();
        }
    }

    fn abandon(&self) {
        let mut queue = self.queue();
        queue.asked = false;
        let jobs = std::mem::take(&mut queue.jobs);
        drop(queue);
        drop(jobs);
    }
}

/// The same loop, as the core knows it.
pub(crate) struct AsHome(pub(crate) Arc<EventLoop>);

impl Home for AsHome {
    fn schedule(&self, job: Job) {
        let mut queue = self.0.queue();
        queue.jobs.push_back(job);
        if std::mem::replace(&mut queue.asked, true) {
            return;
        }
        drop(queue);
        // Without an interpreter there is no loop either.
        if Python::try_attach(|py| EventLoop::ask(&self.0, py)).is_none() {
            self.0.abandon();
        }
    }
}

/// A turn of the jobs, as the loop calls it.
#[pyclass(frozen, module = "undergo")]
struct Turn(Arc<EventLoop>);

#[pymethods]
impl Turn {
    fn __call__(&self, py: Python<'_>) {
        let began = Instant::now();
        loop {
            let mut queue = self.0.queue();
            let Some(job) = queue.jobs.pop_front() else {
                queue.asked = false;
                return;
            };
            drop(queue);
            py.detach(|| job.run());
            if began.elapsed() >= TURN {
                break;
            }
        }
        // The loop has other things to do as well.
        EventLoop::ask(&self.0, py);
    }
}
