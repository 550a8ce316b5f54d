//! The thread behind deadlines: it advances the epoch of every engine while a call has to be
//! checked.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, Thread};
use std::time::Duration;

use crate::compile::engine;
use crate::error::{Error, ErrorKind, Result};
use crate::platform::fork::PerProcess;

/// How often running calls with a deadline are checked.
const TICK: Duration = Duration::from_millis(2);

/// After that many ticks without such a call the thread parks.
const IDLE_TICKS: u32 = 100;

/// While one of these lives, the epochs of all engines advance every 2 ms.
pub(crate) struct Ticking(&'static Ticker);

impl Ticking {
    /// # Errors
    ///
    /// `timeout` when the system gives no thread: then no deadline would hold, and nothing should
    /// start.
    pub(crate) fn start() -> Result<Ticking> {
        let ticker = TICKER.get_or_make(Ticker::default);
        ticker.active.fetch_add(1, Ordering::SeqCst);
        let ticking = Ticking(ticker);
        let thread = ticker.thread.get_or_init(|| {
            let spawned = thread::Builder::new().name("undergo-ticker".into()).spawn(|| tick(ticker));
            spawned.map(|handle| handle.thread().clone()).ok()
        });
        let Some(thread) = thread else {
            return Err(Error::new(
                ErrorKind::Timeout,
                "the system gave no thread to watch deadlines, so a call with a timeout can't start",
            ));
        };
        if ticker.resting.load(Ordering::SeqCst) && ticker.resting.swap(false, Ordering::SeqCst) {
            thread.unpark();
        }
        Ok(ticking)
    }
}

impl Drop for Ticking {
    fn drop(&mut self) {
        self.0.active.fetch_sub(1, Ordering::SeqCst);
    }
}

#[derive(Default)]
struct Ticker {
    active: AtomicUsize,
    resting: AtomicBool,
    thread: OnceLock<Option<Thread>>,
}

/// A forked child has none of its parent's threads, so it starts its own.
static TICKER: PerProcess<Ticker> = PerProcess::new();

fn tick(ticker: &Ticker) {
    let mut idle = 0;
    loop {
        thread::sleep(TICK);
        engine::all().for_each(wasmtime::Engine::increment_epoch);
        idle = if ticker.active.load(Ordering::SeqCst) == 0 { idle + 1 } else { 0 };
        if idle < IDLE_TICKS {
            continue;
        }
        // Announce the rest before checking once more: a call that starts in between sees one or
        // the other.
        ticker.resting.store(true, Ordering::SeqCst);
        while ticker.active.load(Ordering::SeqCst) == 0 && ticker.resting.load(Ordering::SeqCst) {
            thread::park();
        }
        ticker.resting.store(false, Ordering::SeqCst);
        idle = 0;
    }
}
