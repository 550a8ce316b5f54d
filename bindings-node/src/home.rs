//! The event loop of an environment as the home of calls: the one thread on which its JavaScript
//! runs.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::ffi::c_void;
use std::ptr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use napi::sys::{self, Status, ThreadsafeFunctionCallMode, ThreadsafeFunctionReleaseMode};
use undergo::host::{Home, Job};
use undergo::{CancelToken, Error, ErrorKind, Lease};

use crate::js::{Env, Js, Made, get, node};
use crate::reference::Reference;

/// How long the loop runs our turns before it gets one itself.
const TURN: Duration = Duration::from_millis(1);

/// Something to do on the loop's thread.
type Code = Box<dyn FnOnce(Env) + Send>;

enum Turn {
    Task(Job),
    Code(Code),
}

/// An environment of Node (the main thread, or a worker), and its event loop.
pub(crate) struct EventLoop {
    env: Env,
    /// See [`thread_token`].
    thread: usize,
    queue: Mutex<Queue>,
    /// Ends all calls of the environment when it ends.
    pub(crate) cancel: CancelToken,
    mine: Mine,
}

#[derive(Default)]
struct Queue {
    turns: VecDeque<Turn>,
    /// Whether the loop was asked to run them.
    asked: bool,
    /// Null before the loop is known, and once the environment has ended.
    function: Function,
    closed: bool,
}

/// What wakes the loop.
struct Function(sys::napi_threadsafe_function);

impl Default for Function {
    fn default() -> Function {
        Function(ptr::null_mut())
    }
}

// SAFETY: such a function is made to be called from any thread; the queue's lock keeps it from
// being used once it is gone.
unsafe impl Send for Function {}

/// What only the loop's own thread touches.
#[derive(Default)]
struct Mine {
    /// Calls under way: while there are some, the loop goes on.
    calls: Cell<usize>,
    /// The rights of host functions that run, by the numbers that JavaScript knows them by.
    leases: RefCell<HashMap<u32, Lease>>,
    next_lease: Cell<u32>,
    helpers: OnceCell<Helpers>,
}

/// Functions of the package's own JavaScript.
pub(crate) struct Helpers {
    pub(crate) make_error: Reference,
    pub(crate) chain: Reference,
    pub(crate) parse: Reference,
    pub(crate) stringify: Reference,
    pub(crate) entries: Reference,
    pub(crate) map: Reference,
    pub(crate) run: Reference,
    pub(crate) current: Reference,
    pub(crate) settle: Reference,
    pub(crate) later: Reference,
    pub(crate) intact: Reference,
    pub(crate) wrap: Reference,
    pub(crate) lend: Reference,
    /// The classes of the realm in which the package's JavaScript runs, if that is not Node's own.
    pub(crate) realm: Option<Reference>,
}

// SAFETY: `mine` and `env` are used through `here` and `mine()` only, which look at the thread; the
// rest is Send and Sync.
unsafe impl Send for EventLoop {}
// SAFETY: as above.
unsafe impl Sync for EventLoop {}

impl EventLoop {
    /// Makes the one of an environment, and has it end with it.
    pub(crate) fn open(env: Env) -> Made<Arc<EventLoop>> {
        let this =
            Arc::new(EventLoop { env, thread: thread_token(), queue: Mutex::default(), cancel: CancelToken::new(), mine: Mine::default() });
        unsafe extern "C" fn free(_env: sys::napi_env, data: *mut c_void, _hint: *mut c_void) {
            // SAFETY: the reference that was leaked for Node, which gives it back once.
            drop(unsafe { Arc::from_raw(data.cast::<EventLoop>()) });
        }
        let leak = || Arc::into_raw(this.clone()).cast_mut().cast::<c_void>();
        let name = env.string("undergo")?;
        let context = leak();
        let function = get!(ptr::null_mut(); napi_create_threadsafe_function(
            env, ptr::null_mut(), ptr::null_mut(), name.raw, 0, 1, context, Some(free), context, Some(turn)
        ))?;
        this.queue().function = Function(function);
        // It holds the loop only while calls are under way.
        // SAFETY: the function was made by the lines above, on this thread.
        let _ = unsafe { sys::napi_unref_threadsafe_function(env.0, function) };
        unsafe extern "C" fn ended(data: *mut c_void) {
            // SAFETY: the reference that was leaked for this hook, which runs once.
            unsafe { Arc::from_raw(data.cast::<EventLoop>()) }.close();
        }
        // Hooks run in reverse order, so that this one comes before the function's own.
        node!(napi_add_env_cleanup_hook(env, Some(ended), leak()))?;
        Ok(this)
    }

    /// The environment, if this is its thread and JavaScript can still run.
    #[inline]
    pub(crate) fn here(&self) -> Option<Env> {
        if thread_token() != self.thread || self.cancel.is_cancelled() {
            return None;
        }
        Some(self.env)
    }

    /// The same, for what can't do without.
    pub(crate) fn env(&self) -> undergo::Result<Env> {
        self.here().ok_or_else(ended)
    }

    /// What belongs to the thread of the loop, if this is it.
    #[inline]
    fn mine(&self) -> Option<(Env, &Mine)> {
        self.here().map(|env| (env, &self.mine))
    }

    pub(crate) fn set_helpers(&self, helpers: Helpers) {
        if let Some((_, mine)) = self.mine() {
            // Set once, by the package, when it is loaded.
            let _ = mine.helpers.set(helpers);
        }
    }

    /// The classes of the realm in which the package's JavaScript runs, if that is not Node's own.
    pub(crate) fn realm(&self) -> Option<Js> {
        let (env, mine) = self.mine()?;
        mine.helpers.get()?.realm?.get(env)
    }

    /// A function of the package's JavaScript. Called on the loop's thread.
    pub(crate) fn helper(&self, which: impl FnOnce(&Helpers) -> &Reference) -> undergo::Result<Js> {
        let (env, mine) = self.mine().ok_or_else(ended)?;
        let unloaded = || Error::new(ErrorKind::HostError, "the package undergo is not loaded");
        which(mine.helpers.get().ok_or_else(unloaded)?).get(env).ok_or_else(unloaded)
    }

    /// Notes the right of a host function that begins to run; gives its number.
    pub(crate) fn open_lease(&self, lease: Lease) -> Option<u32> {
        let (_, mine) = self.mine()?;
        let number = mine.next_lease.get().wrapping_add(1);
        mine.next_lease.set(number);
        mine.leases.borrow_mut().insert(number, lease);
        Some(number)
    }

    pub(crate) fn close_lease(&self, number: u32) {
        if let Some((_, mine)) = self.mine() {
            mine.leases.borrow_mut().remove(&number);
        }
    }

    /// The right of the code that runs now, if it is that of a host function.
    pub(crate) fn lease(&self) -> Option<Lease> {
        let (env, mine) = self.mine()?;
        // Most calls come from no host function, and should not pay for the question.
        if mine.leases.borrow().is_empty() {
            return None;
        }
        let current = self.helper(|helpers| &helpers.current).ok()?;
        let number = env.call(current, env.undefined().ok()?, &[]).and_then(Js::f64).ok()?;
        mine.leases.borrow().get(&(number as u32)).copied()
    }

    /// Counts a call that begins. The loop goes on until all are over.
    pub(crate) fn call_begins(&self) {
        if let Some((env, mine)) = self.mine() {
            let calls = mine.calls.get();
            mine.calls.set(calls + 1);
            if calls == 0 {
                self.hold(env, true);
            }
        }
    }

    /// Counts a call that is over.
    pub(crate) fn call_ends(&self) {
        if let Some((env, mine)) = self.mine() {
            let calls = mine.calls.get().saturating_sub(1);
            mine.calls.set(calls);
            if calls == 0 {
                self.hold(env, false);
            }
        }
    }

    fn hold(&self, env: Env, hold: bool) {
        let queue = self.queue();
        if queue.closed {
            return;
        }
        // SAFETY: this is the loop's thread, and the function is there until the queue is closed.
        // Neither call can fail then.
        let _ = unsafe {
            if hold {
                sys::napi_ref_threadsafe_function(env.0, queue.function.0)
            } else {
                sys::napi_unref_threadsafe_function(env.0, queue.function.0)
            }
        };
    }

    /// Runs code on the loop's thread, soon, or never when the loop has ended.
    pub(crate) fn run_soon(&self, code: impl FnOnce(Env) + Send + 'static) {
        self.push(Turn::Code(Box::new(code)));
    }

    fn push(&self, turn: Turn) {
        let mut queue = self.queue();
        if queue.closed {
            drop(queue);
            // A task that nobody will run any more ends here; code is forgotten.
            drop(turn);
            return;
        }
        queue.turns.push_back(turn);
        if !std::mem::replace(&mut queue.asked, true) {
            // SAFETY: the function is there until the queue is closed, and the lock keeps it from
            // being closed now. It can't be full: it has no bound.
            let _ =
                unsafe { sys::napi_call_threadsafe_function(queue.function.0, ptr::null_mut(), ThreadsafeFunctionCallMode::nonblocking) };
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs what is to be done, for a while.
    pub(crate) fn turn(&self) {
        let Some(env) = self.here() else { return };
        let began = Instant::now();
        loop {
            let mut queue = self.queue();
            let Some(turn) = queue.turns.pop_front() else {
                queue.asked = false;
                return;
            };
            drop(queue);
            env.scope(|| match turn {
                Turn::Task(job) => job.run(),
                Turn::Code(code) => code(env),
            });
            // Nothing of ours leaves an exception behind, but one would be taken for that of
            // whatever runs next.
            let _ = env.take_exception();
            if began.elapsed() >= TURN {
                break;
            }
        }
        // The loop has other things to do as well: timers, input.
        let asked = self
            .helper(|helpers| &helpers.later)
            .and_then(|later| env.undefined().and_then(|this| env.call(later, this, &[])).map_err(|_| ended()));
        if asked.is_err() {
            let _ = env.take_exception();
        }
    }

    /// The environment ends.
    fn close(&self) {
        let mut queue = self.queue();
        queue.closed = true;
        let function = std::mem::take(&mut queue.function);
        let turns = std::mem::take(&mut queue.turns);
        drop(queue);
        // What runs elsewhere ends soon, and finds no loop any more.
        self.cancel.cancel();
        for turn in turns {
            if let Turn::Task(job) = turn {
                drop(job);
            }
        }
        // SAFETY: made by `open`, and not used again, as the queue is closed.
        let _ = unsafe { sys::napi_release_threadsafe_function(function.0, ThreadsafeFunctionReleaseMode::abort) };
    }
}

/// The loop asks for its turn.
unsafe extern "C" fn turn(env: sys::napi_env, _function: sys::napi_value, context: *mut c_void, _data: *mut c_void) {
    // Without an environment the function is being torn down.
    if env.is_null() || context.is_null() {
        return;
    }
    // SAFETY: the context is the reference that `open` gave to the function, which has it until it
    // is freed.
    unsafe { &*context.cast::<EventLoop>() }.turn();
}

/// A number that no other thread has at the same time.
fn thread_token() -> usize {
    thread_local!(static TOKEN: Cell<u8> = const { Cell::new(0) });
    TOKEN.with(|token| ptr::from_ref(token).addr())
}

/// What a call is told whose environment has ended.
pub(crate) fn ended() -> Error {
    Error::new(ErrorKind::Cancelled, "the thread of JavaScript from which the call came has ended")
}

impl Home for EventLoop {
    fn schedule(&self, job: Job) {
        self.push(Turn::Task(job));
    }

    fn own_stack(&self) -> bool {
        // V8 looks where its thread's stack ends, and takes any other for one that has overflowed.
        true
    }
}

/// Whether a thread's JavaScript was asked to end (`worker.terminate()`), which ends the calls for
/// which it waits. Asked by the core, on that thread, every few milliseconds.
pub(crate) fn look() -> undergo::Result<()> {
    let Some(env) = WAITS.get() else { return Ok(()) };
    let now = Instant::now();
    if LOOKED.get().is_some_and(|looked| now.duration_since(looked) < LOOK) {
        return Ok(());
    }
    LOOKED.set(Some(now));
    if is_terminating(env) { Err(ended()) } else { Ok(()) }
}

/// How often Node is asked.
const LOOK: Duration = Duration::from_millis(20);

thread_local! {
    /// The environment whose JavaScript waits for a call on this thread.
    static WAITS: Cell<Option<Env>> = const { Cell::new(None) };
    static LOOKED: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Runs a call for which the JavaScript of the environment waits.
pub(crate) fn waiting<R>(env: Env, call: impl FnOnce() -> R) -> R {
    let outer = WAITS.replace(Some(env));
    let result = call();
    WAITS.set(outer);
    result
}

/// Asks something that Node answers only while JavaScript may run.
fn is_terminating(env: Env) -> bool {
    env.scope(|| {
        let asked = env.global().and_then(|global| {
            let key = env.string("undefined")?;
            get!(false; napi_has_property(env, global.raw, key.raw))
        });
        match asked {
            Ok(_) => false,
            Err(failed) => {
                let pending = env.take_exception().is_some();
                pending || failed.is(Status::napi_cannot_run_js) || failed.is(Status::napi_pending_exception)
            }
        }
    })
}
