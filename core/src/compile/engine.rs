//! The engines of the process, one for each combination of settings, because Wasmtime's settings
//! belong to an engine.

use wasmtime::{Config, Engine, Strategy};

use crate::compile::proposals;
use crate::config::Tier;
use crate::config::size::check_stack;
use crate::error::{Error, ErrorKind, Result};
use crate::platform::fork::{self, Lasting, PerProcess};
use crate::platform::tsc;

/// What an engine is made for. Code that one engine compiled serves all engines of the same
/// [`Flavor`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) flavor: Flavor,
    pub(crate) stack: Stack,
}

/// The settings that change the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Flavor {
    pub(crate) tier: Tier,
    /// Whether the code counts its instructions, which costs about a tenth.
    pub(crate) fuel: bool,
    /// Whether the functions of a component may suspend, as those of WASI 0.3 do.
    pub(crate) suspends: bool,
}

impl Flavor {
    pub(crate) const COUNT: usize = 8;

    pub(crate) fn index(self) -> usize {
        4 * usize::from(self.suspends) + 2 * usize::from(self.tier == Tier::Best) + usize::from(self.fuel)
    }
}

/// Bytes of stack for guest code in one call: a power of two, so that there are few engines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stack(u32);

impl Stack {
    /// Native stack that a call needs for such a guest: some for the host functions that it calls,
    /// on top of its own.
    pub(crate) fn native(self) -> usize {
        self.bytes() + (1 << 20)
    }

    const LEAST: u32 = 16;
    const MOST: u32 = 29;

    /// The default, without a limit.
    pub(crate) const DEFAULT: Stack = Stack(22);

    /// The next power of two from 64 KiB to 512 MiB.
    ///
    /// # Errors
    ///
    /// `type-mismatch` for less or more than that.
    pub(crate) fn new(bytes: Option<u64>) -> Result<Stack> {
        let Some(bytes) = bytes else { return Ok(Stack::DEFAULT) };
        check_stack(bytes, "Limits.stack")?;
        Ok(Stack(bytes.next_power_of_two().trailing_zeros()))
    }

    pub(crate) const fn bytes(self) -> usize {
        1 << self.0
    }

    fn index(self) -> usize {
        (self.0 - Stack::LEAST) as usize
    }
}

const STACKS: usize = (Stack::MOST - Stack::LEAST + 1) as usize;

static ENGINES: [Lasting<Result<Engine, String>>; Flavor::COUNT * STACKS] = [const { Lasting::new() }; Flavor::COUNT * STACKS];

/// The engine of these settings. Made at the first use, and kept, because compiled modules belong
/// to it.
pub(crate) fn engine(settings: Settings) -> Result<&'static Engine> {
    fork::watch();
    tsc::anchor();
    let slot = &ENGINES[settings.flavor.index() * STACKS + settings.stack.index()];
    if let Some(engine) = slot.get() {
        return made(engine);
    }
    let _held = fork::hold()?;
    made(slot.get_or_make(|| make(settings)))
}

/// The engine that compiles for all engines of the flavor. A forked child has its own: the compiler
/// has locks, and a compilation takes so long that forks in the middle of it are likely.
pub(crate) fn compiler(flavor: Flavor) -> Result<&'static Engine> {
    static COMPILERS: [PerProcess<Result<Engine, String>>; Flavor::COUNT] = [const { PerProcess::new() }; Flavor::COUNT];
    made(COMPILERS[flavor.index()].get_or_make(|| make(Settings { flavor, stack: Stack::DEFAULT })))
}

/// All engines that were made so far.
pub(crate) fn all() -> impl Iterator<Item = &'static Engine> {
    ENGINES.iter().filter_map(|slot| slot.get()?.as_ref().ok())
}

fn made(engine: &'static Result<Engine, String>) -> Result<&'static Engine> {
    engine.as_ref().map_err(|error| Error::new(ErrorKind::InvalidPlugin, format!("the engine can't start on this machine: {error}")))
}

fn make(settings: Settings) -> Result<Engine, String> {
    let mut config = Config::new();
    proposals::configure(&mut config, settings.flavor.suspends);
    // Without it, calls of components are cheaper.
    #[cfg(feature = "wasi-0-3")]
    config.concurrency_support(settings.flavor.suspends);
    config.strategy(match settings.flavor.tier {
        Tier::Fast => Strategy::Winch,
        Tier::Best => Strategy::Cranelift,
    });
    // Interruption by epoch costs Go code up to a tenth. Fuel costs as much again, so it is there
    // on request only.
    config.epoch_interruption(true);
    config.consume_fuel(settings.flavor.fuel);
    config.max_wasm_stack(settings.stack.bytes());
    // Host functions run on the fiber too.
    config.async_stack_size(settings.stack.bytes() + (1 << 20));
    Engine::new(&config).map_err(|error| format!("{error:#}"))
}
