//! A plugin that serves HTTP.
//!
//! The core answers requests on threads of its own, which can't run Ruby's code. Threads of Ruby's
//! wait for what has to be done there: host functions, and telling of failed requests. There is
//! always one that waits, until there are as many as requests can need at once.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use magnus::error::ErrorType;
use magnus::prelude::*;
use magnus::typed_data::Obj;
use magnus::value::Opaque;
use magnus::{DataTypeFunctions, Error, RModule, Ruby, TypedData, Value, gc, method};
use undergo::host::{Home, Job};
use undergo::{CallOptions, ErrorKind, ErrorSink, ServeOptions};

use crate::config::seconds;
use crate::imports::HostTable;
use crate::{errors, lock, records};

/// What a thread of Ruby's has to do.
enum Work {
    /// A step of a request, which calls a host function.
    Step(Job),
    /// A request has failed.
    Failure(undergo::Error),
}

/// What a wait has come to.
enum Found {
    Work {
        work: Work,
        /// Whether nobody waits now, so that another thread has to.
        is_last: bool,
    },
    Interrupt,
    End,
}

/// The threads of Ruby's that a server has.
struct Workers {
    state: Mutex<Waiting>,
    told: Condvar,
    /// How many threads there may be.
    most: usize,
}

#[derive(Default)]
struct Waiting {
    work: VecDeque<Work>,
    threads: usize,
    waiting: usize,
    is_over: bool,
}

impl Workers {
    fn new(most: usize) -> Workers {
        Workers { state: Mutex::new(Waiting { threads: 1, ..Waiting::default() }), told: Condvar::new(), most }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn give(&self, work: Work) {
        let mut state = self.lock();
        if state.is_over {
            // What it would have gone on with ends with it, which needs the lock no more.
            drop(state);
            return drop(work);
        }
        state.work.push_back(work);
        drop(state);
        self.told.notify_one();
    }

    /// Waits for something to do.
    fn find(&self, is_interrupted: &AtomicBool) -> Found {
        let mut state = self.lock();
        state.waiting += 1;
        loop {
            let found = if let Some(work) = state.work.pop_front() {
                let is_last = state.waiting == 1 && state.threads < self.most;
                state.threads += usize::from(is_last);
                Some(Found::Work { work, is_last })
            } else if state.is_over {
                Some(Found::End)
            } else {
                is_interrupted.load(Ordering::Acquire).then_some(Found::Interrupt)
            };
            if let Some(found) = found {
                state.waiting -= 1;
                return found;
            }
            state = self.told.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The same without Ruby's lock.
    fn wait(&self) -> Result<Found, Error> {
        let is_interrupted = AtomicBool::new(false);
        let wake = || {
            is_interrupted.store(true, Ordering::Release);
            // A thread that has looked before waits by then.
            drop(self.lock());
            self.told.notify_all();
        };
        lock::waiting(|| self.find(&is_interrupted), &wake)
    }

    /// A thread has ended. Returns whether another one has to take its place.
    fn left(&self) -> bool {
        let mut state = self.lock();
        let is_needed = state.threads == 1 && !state.is_over;
        state.threads -= usize::from(!is_needed);
        is_needed
    }

    /// The threads may end.
    fn end(&self) {
        self.lock().is_over = true;
        self.told.notify_all();
    }
}

impl Home for Workers {
    fn schedule(&self, job: Job) {
        self.give(Work::Step(job));
    }

    fn own_stack(&self) -> bool {
        true
    }
}

/// A plugin that serves HTTP. The gem has its documentation.
#[derive(TypedData)]
#[magnus(class = "Undergo::Server", mark)]
pub(crate) struct Server {
    core: undergo::Server,
    workers: Arc<Workers>,
    plugin: Opaque<Value>,
    host: HostTable,
}

impl DataTypeFunctions for Server {
    fn mark(&self, marker: &gc::Marker) {
        marker.mark(self.plugin);
        self.host.mark(marker);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if !self.core.is_closed() {
            self.workers.end();
        }
    }
}

impl Server {
    pub(crate) fn make(
        ruby: &Ruby,
        plugin: Value,
        core: &undergo::Plugin,
        host: HostTable,
        address: &str,
        options: ServeOptions,
    ) -> Result<Obj<Server>, Error> {
        // Each request may be in a host function, while others have failed.
        let workers = Arc::new(Workers::new(options.pool.size.saturating_add(1)));
        let told = workers.clone();
        let options = ServeOptions { errors: Some(ErrorSink::new(move |error| told.give(Work::Failure(error.clone())))), ..options };
        let home = workers.clone();
        let core = lock::detached(ruby, || core.serve_at_home(address, options, home, CallOptions::default()))?;
        Ok(ruby.obj_wrap(Server { core, workers, plugin: plugin.into(), host }))
    }

    /// Does what there is to do, until the server is over. `_start_worker` makes another thread do
    /// so, too.
    fn work(ruby: &Ruby, this: Obj<Server>) -> Result<(), Error> {
        loop {
            let work = match this.workers.wait()? {
                Found::Work { work, is_last } => {
                    if is_last {
                        this.funcall::<_, _, Value>("_start_worker", ())?;
                    }
                    work
                }
                Found::Interrupt => {
                    lock::check()?;
                    continue;
                }
                Found::End => return Ok(()),
            };
            match work {
                Work::Step(job) => lock::without(|| job.run())?,
                Work::Failure(error) => {
                    if let ErrorType::Exception(exception) = errors::to_ruby(ruby, &error).error_type() {
                        this.funcall::<_, _, Value>("_failed", (*exception,))?;
                    }
                }
            }
        }
    }

    fn left(&self) -> bool {
        self.workers.left()
    }

    fn plugin(ruby: &Ruby, this: &Server) -> Value {
        ruby.get_inner(this.plugin)
    }

    fn address(&self) -> String {
        self.core.address().to_string()
    }

    fn stats(&self) -> records::ServerStats {
        records::server_stats(&self.core.stats())
    }

    fn close(ruby: &Ruby, this: &Server, timeout: Option<f64>) -> Result<(), Error> {
        let closed = lock::without(|| this.core.close(timeout.map(seconds)));
        let runs_on = matches!(&closed, Ok(Err(error)) if matches!(error.kind(), ErrorKind::Busy | ErrorKind::DeadInstance));
        if !runs_on {
            this.workers.end();
        }
        closed?.map_err(|error| lock::to_ruby(ruby, &error))
    }

    fn is_closed(&self) -> bool {
        self.core.is_closed()
    }
}

pub(crate) fn define(ruby: &Ruby, module: RModule) -> Result<(), Error> {
    let class = module.define_class("Server", ruby.class_object())?;
    class.undef_default_alloc_func();
    class.define_private_method("_work", method!(Server::work, 0))?;
    class.define_private_method("_left", method!(Server::left, 0))?;
    class.define_private_method("_plugin", method!(Server::plugin, 0))?;
    class.define_private_method("_address", method!(Server::address, 0))?;
    class.define_private_method("_stats", method!(Server::stats, 0))?;
    class.define_private_method("_close", method!(Server::close, 1))?;
    class.define_private_method("_closed", method!(Server::is_closed, 0))
}
