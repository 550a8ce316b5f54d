//! The machine code of a module: which compiler makes it, when, and for which engines.
//!
//! Two compilers, four flavors of code (with and without fuel), any number of engines that share a flavor. Each flavor is compiled once at most in a
//! process, however many plugins are made of the same bytes and however many threads ask for it.

use std::borrow::Cow;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use rayon::{ThreadPool, ThreadPoolBuilder};
use wasmtime::{Engine, Module};

use crate::cache::Cache;
use crate::config::Compile;
use crate::engine::{self, Flavor, Settings, Stack, Tier};
use crate::error::{Error, ErrorKind, Result};
use crate::fork::{self, Kept, PerProcess};
use crate::patience::Patience;
use crate::proposals;

/// Cranelift compiles a module of that size in some tens of milliseconds, so that there is nothing to gain from Winch, nor from the cache. A module of
/// Go has a megabyte at least.
const SMALL: usize = 64 << 10;

/// A module's bytes, and what became of them so far.
pub(crate) struct Code {
    bytes: Box<[u8]>,
    digest: blake3::Hash,
    cache: Option<Cache>,
    /// Set for code that came compiled: there is this flavor, and no other is made.
    given: Option<Flavor>,
    flavors: [Mutex<Progress>; Flavor::COUNT],
    /// Whether any of it came from the cache.
    was_cached: AtomicBool,
}

enum Progress {
    Nothing,
    /// A thread of the process of that generation compiles it.
    UnderWay(u64),
    /// For each engine that wanted it, by its size of stack; the first one at least.
    Done(Vec<(Stack, Kept<Module>)>),
    Failed(Error),
}

impl Code {
    /// The code of these bytes: the same for all who ask at the same time.
    pub(crate) fn of(bytes: Cow<'_, [u8]>, cache: Option<Cache>) -> Result<Arc<Code>> {
        type Key = (blake3::Hash, Option<Cache>);
        static ALL: Mutex<Option<HashMap<Key, Weak<Code>>>> = Mutex::new(None);
        let digest = blake3::hash(&bytes);
        let _held = fork::hold()?;
        let mut all = lock(&ALL);
        let all = all.get_or_insert_default();
        all.retain(|_, code| code.strong_count() > 0);
        let key = (digest, cache.filter(|_| bytes.len() > SMALL));
        if let Some(known) = all.get(&key).and_then(Weak::upgrade) {
            return Ok(known);
        }
        let flavors = [const { Mutex::new(Progress::Nothing) }; Flavor::COUNT];
        let made = Arc::new(Code {
            bytes: bytes.into_owned().into(),
            digest,
            cache: key.1.clone(),
            given: None,
            flavors,
            was_cached: AtomicBool::new(false),
        });
        all.insert(key, Arc::downgrade(&made));
        Ok(made)
    }

    /// Code that came compiled, as a module of the default engine of the flavor.
    pub(crate) fn given(bytes: &[u8], flavor: Flavor, module: Module) -> Arc<Code> {
        let flavors = [const { Mutex::new(Progress::Nothing) }; Flavor::COUNT];
        *lock(&flavors[flavor.index()]) = Progress::Done(vec![(Stack::DEFAULT, Kept::new(module))]);
        Arc::new(Code {
            bytes: bytes.into(),
            digest: blake3::hash(bytes),
            cache: None,
            given: Some(flavor),
            flavors,
            was_cached: AtomicBool::new(false),
        })
    }

    /// The flavor that an instance should run now. Compiles where there is none that will do, and begins the better one where there is time for it.
    pub(crate) fn flavor(self: &Arc<Self>, compile: Compile, fuel: bool) -> Result<Flavor> {
        let (fast, best) = (Flavor { tier: Tier::Fast, fuel }, Flavor { tier: Tier::Best, fuel });
        if let Some(given) = self.given {
            if fuel && !given.fuel {
                let text = "it was compiled without fuel, so fuel can't be limited: compile it with fuel ('undergo compile --fuel')";
                return Err(Error::new(ErrorKind::InvalidPlugin, text));
            }
            return Ok(given);
        }
        match compile {
            Compile::Best => self.obtain(best)?,
            Compile::Tiered | Compile::Once if self.bytes.len() <= SMALL || self.is_done(best)? || self.load(best)? => self.obtain(best)?,
            Compile::Fast | Compile::Tiered | Compile::Once => {
                // There are modules that Winch can't compile; should this be a damaged one, Cranelift says what is wrong with it.
                if self.obtain(fast).is_err_and(|error| error.kind() == ErrorKind::InvalidPlugin) {
                    self.obtain(best)?;
                    return Ok(best);
                }
                if compile == Compile::Tiered {
                    self.begin(best)?;
                }
                return Ok(fast);
            }
        }
        Ok(best)
    }

    /// The module of an engine. Compiles it where it has to.
    pub(crate) fn module(&self, settings: Settings) -> Result<Module> {
        self.obtain(settings.flavor)?;
        let engine = engine::engine(settings)?;
        let _held = fork::hold()?;
        let mut progress = self.lock(settings.flavor);
        let Progress::Done(modules) = &mut *progress else { unreachable!("what was obtained stays") };
        if let Some((_, module)) = modules.iter().find(|(stack, _)| *stack == settings.stack) {
            return Ok((**module).clone());
        }
        // The size of the stack is the engine's, not the code's.
        let code = modules[0].1.serialize().map_err(|error| failed(&error))?;
        // SAFETY: these bytes are of a module of this process, and were compiled by an engine of the same flavor.
        let module = unsafe { Module::deserialize(engine, code) }.map_err(|error| failed(&error))?;
        modules.push((settings.stack, Kept::new(module.clone())));
        Ok(module)
    }

    /// Whether the flavor can be had at once.
    pub(crate) fn is_done(&self, flavor: Flavor) -> Result<bool> {
        let _held = fork::hold()?;
        Ok(matches!(*self.lock(flavor), Progress::Done(_)))
    }

    /// Whether any of it came from the cache.
    pub(crate) fn was_cached(&self) -> bool {
        self.was_cached.load(Ordering::Relaxed)
    }

    /// Waits for the flavor if it is being compiled; gives its error if that failed.
    pub(crate) fn wait(&self, flavor: Flavor) -> Result<()> {
        let bell = BELL.get_or_make(Bell::default);
        loop {
            let rung = lock(&bell.0);
            {
                let _held = fork::hold()?;
                match &*self.lock(flavor) {
                    Progress::UnderWay(generation) if *generation == fork::generation() => {}
                    Progress::Failed(error) => return Err(error.clone()),
                    _ => return Ok(()),
                }
            }
            drop(bell.1.wait_timeout(rung, Duration::from_millis(50)).unwrap_or_else(PoisonError::into_inner));
            // The user may wish to interrupt the program meanwhile.
            Patience::default().check()?;
        }
    }

    /// Sees to it that the flavor is there: takes it from the cache, waits for it, or compiles it.
    fn obtain(&self, flavor: Flavor) -> Result<()> {
        while !self.is_done(flavor)? {
            if self.claim(flavor)? {
                self.settle(flavor, self.make(flavor, PoolKind::Urgent));
            }
            self.wait(flavor)?;
        }
        Ok(())
    }

    /// Takes the flavor from the cache, if it is there. Does not wait for a thread that compiles it.
    fn load(&self, flavor: Flavor) -> Result<bool> {
        if self.cache.is_none() || !self.claim(flavor)? {
            return Ok(false);
        }
        let found = self.cached(flavor);
        let is_found = matches!(found, Ok(Some(_)));
        let progress = match found {
            Ok(Some(module)) => Progress::Done(vec![(Stack::DEFAULT, Kept::new(module))]),
            Ok(None) => Progress::Nothing,
            Err(error) => Progress::Failed(error),
        };
        self.set(flavor, progress);
        Ok(is_found)
    }

    /// Compiles the flavor in the background, unless it is there, under way, or known to fail.
    fn begin(self: &Arc<Self>, flavor: Flavor) -> Result<()> {
        // Without threads for it the quick code has to do.
        let Ok(pool) = pool(PoolKind::Background) else { return Ok(()) };
        if self.claim(flavor)? {
            let code = self.clone();
            pool.spawn(move || code.settle(flavor, code.make(flavor, PoolKind::Background)));
        }
        Ok(())
    }

    /// Whether the caller is to make the flavor now: who got a yes has to [`set`](Code::set) what became of it.
    fn claim(&self, flavor: Flavor) -> Result<bool> {
        let _held = fork::hold()?;
        let mut progress = self.lock(flavor);
        let free = match *progress {
            Progress::Nothing => true,
            // A thread of the parent process, which is not in this one.
            Progress::UnderWay(generation) => generation != fork::generation(),
            Progress::Done(_) | Progress::Failed(_) => false,
        };
        if free {
            *progress = Progress::UnderWay(fork::generation());
        }
        Ok(free)
    }

    fn settle(&self, flavor: Flavor, made: Result<Module>) {
        self.set(flavor, made.map_or_else(Progress::Failed, |module| Progress::Done(vec![(Stack::DEFAULT, Kept::new(module))])));
    }

    fn set(&self, flavor: Flavor, progress: Progress) {
        // Broken processes have no use for it.
        let Ok(held) = fork::hold() else { return };
        *self.lock(flavor) = progress;
        drop(held);
        let bell = BELL.get_or_make(Bell::default);
        drop(lock(&bell.0));
        bell.1.notify_all();
    }

    fn lock(&self, flavor: Flavor) -> MutexGuard<'_, Progress> {
        lock(&self.flavors[flavor.index()])
    }

    fn cached(&self, flavor: Flavor) -> Result<Option<Module>> {
        let Some(cache) = &self.cache else { return Ok(None) };
        let engine = engine::engine(Settings { flavor, stack: Stack::DEFAULT })?;
        let key = cache_key(self.digest, flavor, engine::compiler(flavor)?);
        let found = cache.open(&key).and_then(|file| {
            let _held = fork::hold().ok()?;
            // SAFETY: the file has the digest of what this version of this program wrote for this flavor, in a folder that only this user may
            // write: see `cache.rs`.
            let module = unsafe { Module::deserialize_open_file(engine, file) };
            module.inspect_err(|_| cache.remove(&key)).ok()
        });
        self.was_cached.fetch_or(found.is_some(), Ordering::Relaxed);
        Ok(found)
    }

    /// Loads or compiles the flavor.
    fn make(&self, flavor: Flavor, kind: PoolKind) -> Result<Module> {
        // A panic must not leave others waiting for what never comes.
        let made = catch_unwind(AssertUnwindSafe(|| {
            if let Some(module) = self.cached(flavor)? {
                return Ok(module);
            }
            let code = compile(flavor, &self.bytes, kind)?;
            if let Some(cache) = &self.cache {
                cache.store(&cache_key(self.digest, flavor, engine::compiler(flavor)?), &code);
            }
            let engine = engine::engine(Settings { flavor, stack: Stack::DEFAULT })?;
            let _held = fork::hold()?;
            // SAFETY: the lines above compiled these bytes, for engines of this flavor.
            unsafe { Module::deserialize(engine, code) }.map_err(|error| failed(&error))
        }));
        made.unwrap_or_else(|_| Err(Error::new(ErrorKind::InvalidPlugin, "the module can't be compiled: the compiler panicked")))
    }
}

/// Compiles a module to the code of that flavor, on all cores.
pub(crate) fn compile(flavor: Flavor, bytes: &[u8], kind: PoolKind) -> Result<Vec<u8>> {
    let engine = engine::compiler(flavor)?;
    let compiled = pool(kind)?.install(|| engine.precompile_module(bytes));
    // The engine's error does not say which proposal a function uses.
    compiled.map_err(|error| proposals::validate(bytes).err().unwrap_or_else(|| failed(&error)))
}

/// What else than the bytes code depends on: the compiler, its version and settings, and this machine.
pub(crate) fn compatibility(engine: &Engine) -> blake3::Hash {
    struct Digest(blake3::Hasher);
    impl std::hash::Hasher for Digest {
        fn write(&mut self, bytes: &[u8]) {
            self.0.update(bytes);
        }
        fn finish(&self) -> u64 {
            0 // All of the digest is wanted, not these bytes of it.
        }
    }
    let mut digest = Digest(blake3::Hasher::new());
    std::hash::Hash::hash(&engine.precompile_compatibility_hash(), &mut digest);
    digest.0.finalize()
}

fn cache_key(digest: blake3::Hash, flavor: Flavor, engine: &Engine) -> blake3::Hash {
    let mut key = blake3::Hasher::new();
    key.update(digest.as_bytes()).update(compatibility(engine).as_bytes());
    key.update(&[u8::from(flavor.fuel)]).update(flavor.tier.as_str().as_bytes()).update(crate::VERSION.as_bytes());
    key.finalize()
}

fn failed(error: &wasmtime::Error) -> Error {
    Error::new(ErrorKind::InvalidPlugin, format!("the module can't be compiled: {error:#}"))
}

/// Rings when something has been compiled. A mutex and a condition for the whole process, because each process needs its own.
type Bell = (Mutex<()>, Condvar);
static BELL: PerProcess<Bell> = PerProcess::new();

#[derive(Clone, Copy)]
pub(crate) enum PoolKind {
    /// Somebody waits for it.
    Urgent,
    /// Half of the cores, so that the program has the others.
    Background,
}

/// The threads that compile. They are not rayon's global ones: those don't survive a fork. They don't hold the process's exit.
fn pool(kind: PoolKind) -> Result<&'static ThreadPool> {
    static POOLS: [PerProcess<Result<ThreadPool, String>>; 2] = [const { PerProcess::new() }; 2];
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let (slot, threads, name) = match kind {
        PoolKind::Urgent => (0, cores, "undergo-compile"),
        PoolKind::Background => (1, (cores / 2).max(1), "undergo-tier"),
    };
    let made = POOLS[slot].get_or_make(|| {
        let builder = ThreadPoolBuilder::new().thread_name(move |i| format!("{name}-{i}")).stack_size(8 << 20);
        builder.num_threads(threads).build().map_err(|error| error.to_string())
    });
    made.as_ref().map_err(|error| Error::new(ErrorKind::InvalidPlugin, format!("the system gave no threads to compile on: {error}")))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is behind these locks is consistent after each statement, so a panic of another thread harms nothing.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
