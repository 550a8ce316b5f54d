//! The process's one engine, and the thread that makes its deadlines come true.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, Thread};
use std::time::Duration;

use wasmtime::{Config, Engine};

use crate::error::{Error, ErrorKind, Result};

/// Bytes of stack for guest code in one call. Go asks for no more than its own exec script does; this is some 130,000 trivial frames.
pub(crate) const WASM_STACK: usize = 2 << 20;

/// How often running calls with a deadline look at the clock.
const TICK: Duration = Duration::from_millis(2);

/// After so many ticks without such a call the ticker's thread rests.
const IDLE_TICKS: u32 = 100;

/// The engine. Made at the first use, and kept: compiled modules belong to it.
pub(crate) fn engine() -> Result<&'static Engine> {
    static ENGINE: OnceLock<Result<Engine, String>> = OnceLock::new();
    let made = ENGINE.get_or_init(|| {
        let mut config = Config::new();
        // Interruption by epoch costs Go code up to a tenth; fuel would cost as much again.
        config.epoch_interruption(true);
        config.max_wasm_stack(WASM_STACK);
        config.async_stack_size(WASM_STACK + (1 << 20));
        Engine::new(&config).map_err(|error| format!("{error:#}"))
    });
    made.as_ref().map_err(|error| Error::new(ErrorKind::InvalidPlugin, format!("the engine can't start on this machine: {error}")))
}

/// While one of these lives, the engine's epoch advances every 2 ms.
pub(crate) struct Ticking(());

impl Ticking {
    /// # Errors
    ///
    /// `timeout` when the thread can't be made: then no deadline would hold, and nothing should start.
    pub(crate) fn start(engine: &'static Engine) -> Result<Ticking> {
        TICKER.active.fetch_add(1, Ordering::SeqCst);
        let ticking = Ticking(());
        let thread = TICKER.thread.get_or_init(|| {
            let spawned = thread::Builder::new().name("undergo-ticker".into()).spawn(move || tick(engine));
            spawned.map(|handle| handle.thread().clone()).ok()
        });
        let Some(thread) = thread else {
            return Err(Error::new(
                ErrorKind::Timeout,
                "the system gave no thread to watch deadlines, so a call with a timeout can't start",
            ));
        };
        if TICKER.resting.load(Ordering::SeqCst) && TICKER.resting.swap(false, Ordering::SeqCst) {
            thread.unpark();
        }
        Ok(ticking)
    }
}

impl Drop for Ticking {
    fn drop(&mut self) {
        TICKER.active.fetch_sub(1, Ordering::SeqCst);
    }
}

struct Ticker {
    active: AtomicUsize,
    resting: AtomicBool,
    thread: OnceLock<Option<Thread>>,
}

static TICKER: Ticker = Ticker { active: AtomicUsize::new(0), resting: AtomicBool::new(false), thread: OnceLock::new() };

fn tick(engine: &Engine) {
    let mut idle = 0;
    loop {
        thread::sleep(TICK);
        engine.increment_epoch();
        idle = if TICKER.active.load(Ordering::SeqCst) == 0 { idle + 1 } else { 0 };
        if idle < IDLE_TICKS {
            continue;
        }
        // Announce the rest before looking once more: a call that starts in between sees one or the other.
        TICKER.resting.store(true, Ordering::SeqCst);
        while TICKER.active.load(Ordering::SeqCst) == 0 && TICKER.resting.load(Ordering::SeqCst) {
            thread::park();
        }
        TICKER.resting.store(false, Ordering::SeqCst);
        idle = 0;
    }
}
