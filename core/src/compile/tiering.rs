//! The machine code of a module: which compiler makes it, when, and for which engines.
//!
//! There are two compilers, four flavors of code (with and without fuel), and any number of engines
//! that share a flavor. Each flavor is compiled at most once in a process, however many plugins are
//! made from the same bytes and however many threads ask for it.

use std::borrow::Cow;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use crate::compile;
use crate::compile::apart;
use crate::compile::bounds;
use crate::compile::engine::{self, Flavor, Settings, Stack};
use crate::compile::how::{How, compatibility, compile, compile_faster, failed, suspends};
use crate::compile::program::{Program, is_component};
use crate::compile::queue::{self, PoolKind};
use crate::config::Compile;
use crate::config::Tier;
use crate::config::budget::Budget;
use crate::error::{Error, ErrorKind, Result};
use crate::platform::fork::{self, Kept, PerProcess};

/// Cranelift compiles a module of that size in some tens of milliseconds, so neither Winch nor the
/// cache would gain anything. A module of Go has at least a megabyte.
const SMALL: usize = 64 << 10;

/// Whether a module takes the quick compiler so long that the better one should not run in the
/// background: what is slow for the former is usually far slower for the latter. Modules of Go take
/// a quarter of a second for a mebibyte on one core.
fn is_slow(elapsed: Duration, size: usize) -> bool {
    elapsed > Duration::from_secs(2) + Duration::from_secs(2) * (size >> 20) as u32
}

/// A module's bytes, and the code that was made from them so far.
pub(crate) struct Code {
    bytes: Box<[u8]>,
    digest: blake3::Hash,
    how: How,
    /// Set for code that was shipped compiled: it has this flavor, and no other is made.
    given: Option<Flavor>,
    /// Separate from the rest, so that a compiling thread can drop the rest before others see its
    /// result.
    flavors: Arc<[Mutex<Progress>; Flavor::COUNT]>,
    /// Whether any of it came from the cache.
    was_cached: AtomicBool,
    /// How many callers wait for each flavor: a compilation that nobody waits for is not begun.
    waiting: [AtomicUsize; Flavor::COUNT],
    /// Whether the quick compiler took too long for the better one to be tried.
    is_slow: AtomicBool,
}

enum Progress {
    Nothing,
    /// A thread of the process of that generation compiles it.
    UnderWay(u64),
    /// A program for each engine that wanted one, by its stack size; at least one.
    Done(Vec<(Stack, Kept<Program>)>),
    Failed(Error),
}

impl Code {
    /// The code of these bytes: the same object for all callers that have it at the same time.
    pub(crate) fn of(bytes: Cow<'_, [u8]>, mut how: How) -> Result<Arc<Code>> {
        type Key = (blake3::Hash, How);
        static ALL: Mutex<Option<HashMap<Key, Weak<Code>>>> = Mutex::new(None);
        let digest = blake3::hash(&bytes);
        let _held = fork::hold()?;
        let mut all = lock(&ALL);
        let all = all.get_or_insert_default();
        all.retain(|_, code| code.strong_count() > 0);
        how.cache = how.cache.filter(|_| bytes.len() > SMALL);
        how.wasi_0_3 = suspends(&bytes, how.wasi_0_3);
        let key = (digest, how);
        if let Some(known) = all.get(&key).and_then(Weak::upgrade) {
            return Ok(known);
        }
        let made = Arc::new(Code::new(bytes.into_owned().into(), digest, key.1.clone()));
        all.insert(key, Arc::downgrade(&made));
        Ok(made)
    }

    /// Code that was shipped compiled, as a module of the flavor's default engine.
    pub(crate) fn given(bytes: &[u8], flavor: Flavor, program: Program) -> Arc<Code> {
        let mut code = Code::new(bytes.into(), blake3::hash(bytes), How::default());
        code.given = Some(flavor);
        *code.lock(flavor) = Progress::Done(vec![(Stack::DEFAULT, Kept::new(program))]);
        Arc::new(code)
    }

    fn new(bytes: Box<[u8]>, digest: blake3::Hash, how: How) -> Code {
        Code {
            bytes,
            digest,
            how,
            given: None,
            flavors: Arc::new([const { Mutex::new(Progress::Nothing) }; Flavor::COUNT]),
            was_cached: AtomicBool::new(false),
            waiting: [const { AtomicUsize::new(0) }; Flavor::COUNT],
            is_slow: AtomicBool::new(false),
        }
    }

    /// The module's bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether its functions may suspend.
    pub(crate) fn suspends(&self) -> bool {
        self.given.map_or(self.how.wasi_0_3, |given| given.suspends)
    }

    /// The digest of the bytes.
    pub(crate) fn digest(&self) -> &blake3::Hash {
        &self.digest
    }

    /// The flavor that an instance should run now. Compiles one if none will do, and starts the
    /// better one in the background.
    pub(crate) fn flavor(self: &Arc<Self>, compile: Compile, fuel: bool, budget: &Budget) -> Result<Flavor> {
        let suspends = self.suspends();
        let (fast, best) = (Flavor { tier: Tier::Fast, fuel, suspends }, Flavor { tier: Tier::Best, fuel, suspends });
        if let Some(given) = self.given {
            if fuel && !given.fuel {
                let text = "it was compiled without fuel, so fuel can't be limited: compile it with fuel ('undergo compile --fuel')";
                return Err(Error::new(ErrorKind::InvalidPlugin, text));
            }
            return Ok(given);
        }
        match compile {
            // A component has several modules, which the quick compiler was never tried with.
            _ if is_component(&self.bytes) => self.obtain(best, budget)?,
            Compile::Best => self.obtain(best, budget)?,
            Compile::Tiered | Compile::Once if self.bytes.len() <= SMALL || self.is_done(best)? || self.load(best)? => {
                self.obtain(best, budget)?;
            }
            Compile::Fast | Compile::Tiered | Compile::Once => {
                // Winch can't compile some modules. If this one is damaged, Cranelift says what is
                // wrong with it.
                match self.obtain(fast, budget) {
                    Err(error) if error.kind() == ErrorKind::InvalidPlugin => {
                        self.obtain(best, budget)?;
                        return Ok(best);
                    }
                    obtained => obtained?,
                }
                if compile == Compile::Tiered {
                    self.begin(best)?;
                }
                return Ok(fast);
            }
        }
        Ok(best)
    }

    /// Whether the module was compiled before, by this process or by one that has left its code in
    /// the cache, or shipped compiled: then it is valid, and within its bounds.
    pub(crate) fn is_known(&self, compile: Compile) -> Result<bool> {
        if self.given.is_some() {
            return Ok(true);
        }
        let tier = if compile == Compile::Fast && !is_component(&self.bytes) { Tier::Fast } else { Tier::Best };
        let flavor = Flavor { tier, fuel: false, suspends: self.suspends() };
        Ok(self.is_done(flavor)? || self.load(flavor)?)
    }

    /// The program of an engine, which is compiled if need be.
    pub(crate) fn program(self: &Arc<Self>, settings: Settings, budget: &Budget) -> Result<Program> {
        self.obtain(settings.flavor, budget)?;
        let engine = engine::engine(settings)?;
        let _held = fork::hold()?;
        let mut progress = self.lock(settings.flavor);
        let Progress::Done(modules) = &mut *progress else { unreachable!("what was obtained stays") };
        if let Some((_, module)) = modules.iter().find(|(stack, _)| *stack == settings.stack) {
            return Ok((**module).clone());
        }
        // The stack size belongs to the engine, not to the code.
        let code = modules[0].1.serialize().map_err(|error| failed(&error))?;
        // SAFETY: these bytes are of a module of this process, and were compiled by an engine of
        // the same flavor.
        let module = unsafe { Program::deserialize(engine, is_component(&self.bytes), code) }.map_err(|error| failed(&error))?;
        modules.push((settings.stack, Kept::new(module.clone())));
        Ok(module)
    }

    /// Whether the flavor is available now.
    pub(crate) fn is_done(&self, flavor: Flavor) -> Result<bool> {
        let _held = fork::hold()?;
        Ok(matches!(*self.lock(flavor), Progress::Done(_)))
    }

    /// Whether any of it came from the cache.
    pub(crate) fn was_cached(&self) -> bool {
        self.was_cached.load(Ordering::Relaxed)
    }

    /// Waits for the flavor if it is being compiled; returns its error if that failed.
    pub(crate) fn wait(&self, flavor: Flavor, budget: &Budget) -> Result<()> {
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
            let pause = budget.pause().unwrap_or(PAUSE).min(PAUSE);
            drop(bell.1.wait_timeout(rung, pause).unwrap_or_else(PoisonError::into_inner));
            // The user may interrupt the program meanwhile.
            budget.check().map_err(given_up)?;
        }
    }

    /// Makes the flavor available: takes it from the cache, or has it compiled and waits for it.
    /// The calling thread does not compile, because then nothing could end its wait.
    fn obtain(self: &Arc<Self>, flavor: Flavor, budget: &Budget) -> Result<()> {
        let waiting = &self.waiting[flavor.index()];
        waiting.fetch_add(1, Ordering::SeqCst); // before it is submitted, so that it is begun
        let _left = Waiting(waiting);
        while !self.is_done(flavor)? {
            if !self.load(flavor)? && self.claim(flavor)? {
                self.submit(flavor, PoolKind::Urgent)?;
            }
            self.wait(flavor, budget)?;
        }
        Ok(())
    }

    /// Queues the compilation of a flavor that was claimed.
    fn submit(self: &Arc<Self>, flavor: Flavor, kind: PoolKind) -> Result<()> {
        let code = self.clone();
        let submitted = queue::submit(kind, move || {
            let progress = match code.make(flavor, kind) {
                Ok(None) => Progress::Nothing,
                Ok(Some(module)) => Progress::Done(vec![(Stack::DEFAULT, Kept::new(module))]),
                Err(error) => Progress::Failed(error),
            };
            let flavors = code.flavors.clone();
            drop(code);
            set(&flavors[flavor.index()], progress);
        });
        submitted.inspect_err(|_| self.set(flavor, Progress::Nothing))
    }

    /// Takes the flavor from the cache, if it is there. Does not wait for a thread that compiles
    /// it.
    fn load(&self, flavor: Flavor) -> Result<bool> {
        if self.how.cache.is_none() || !self.claim(flavor)? {
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

    /// Compiles the flavor in the background, unless it is available, under way, or known to fail.
    fn begin(self: &Arc<Self>, flavor: Flavor) -> Result<()> {
        if !self.is_slow.load(Ordering::Relaxed) && self.claim(flavor)? {
            // Without threads for it the quick code has to do.
            let _ = self.submit(flavor, PoolKind::Background);
        }
        Ok(())
    }

    /// Whether the caller is to make the flavor now. If so, it must [`set`](Code::set) the result.
    fn claim(&self, flavor: Flavor) -> Result<bool> {
        let _held = fork::hold()?;
        let mut progress = self.lock(flavor);
        let free = match *progress {
            Progress::Nothing => true,
            // A thread of the parent process, which does not exist in this one.
            Progress::UnderWay(generation) => generation != fork::generation(),
            Progress::Done(_) | Progress::Failed(_) => false,
        };
        if free {
            *progress = Progress::UnderWay(fork::generation());
        }
        Ok(free)
    }

    fn set(&self, flavor: Flavor, progress: Progress) {
        set(&self.flavors[flavor.index()], progress);
    }

    fn lock(&self, flavor: Flavor) -> MutexGuard<'_, Progress> {
        lock(&self.flavors[flavor.index()])
    }

    fn cached(&self, flavor: Flavor) -> Result<Option<Program>> {
        let Some(cache) = &self.how.cache else { return Ok(None) };
        let engine = engine::engine(Settings { flavor, stack: Stack::DEFAULT })?;
        let key = self.cache_key(flavor)?;
        let found = cache.open(&key).and_then(|file| {
            let _held = fork::hold().ok()?;
            // SAFETY: the file has the digest of what this version of this program wrote for this
            // flavor, in a folder that only this user can write: see `cache.rs`.
            let module = unsafe { Program::deserialize_open_file(engine, is_component(&self.bytes), file) };
            module.inspect_err(|_| cache.remove(&key)).ok()
        });
        self.was_cached.fetch_or(found.is_some(), Ordering::Relaxed);
        Ok(found)
    }

    /// A module that was compiled within wider bounds is not found by callers with the usual ones.
    fn cache_key(&self, flavor: Flavor) -> Result<blake3::Hash> {
        let mut key = blake3::Hasher::new();
        key.update(self.digest.as_bytes()).update(compatibility(engine::compiler(flavor)?).as_bytes());
        key.update(&[u8::from(flavor.fuel)]).update(flavor.tier.as_str().as_bytes()).update(compile::VERSION.as_bytes());
        if self.how.bounds > 1 {
            key.update(&self.how.bounds.to_le_bytes());
        }
        if self.how.rewrites(flavor) {
            key.update(b"optimize").update(&gowasm::VERSION.to_le_bytes());
        }
        Ok(key.finalize())
    }

    /// Compiles the flavor. `None` when nobody waits for it any more.
    fn make(&self, flavor: Flavor, kind: PoolKind) -> Result<Option<Program>> {
        let wanted = || kind == PoolKind::Background || self.waiting[flavor.index()].load(Ordering::SeqCst) > 0;
        // After a panic the waiting threads must be told, too.
        let made = catch_unwind(AssertUnwindSafe(|| {
            if !wanted() {
                return Ok(None);
            }
            // Another process may have compiled it meanwhile.
            if let Some(module) = self.cached(flavor)? {
                return Ok(Some(module));
            }
            bounds::check_work(&self.bytes, self.how.bounds)?;
            let began = Instant::now();
            let code = match &self.how.compiler {
                None if self.how.rewrites(flavor) => compile_faster(flavor, &self.bytes, self.how.bounds, kind, wanted)?,
                None => Some(compile(flavor, &self.bytes, kind)?),
                Some(program) => apart::compile(program, flavor, &self.bytes, &self.how, wanted)?,
            };
            let Some(code) = code else { return Ok(None) };
            if flavor.tier == Tier::Fast && is_slow(began.elapsed(), self.bytes.len()) {
                self.is_slow.store(true, Ordering::Relaxed);
            }
            if let Some(cache) = &self.how.cache {
                cache.store(&self.cache_key(flavor)?, &code);
            }
            let engine = engine::engine(Settings { flavor, stack: Stack::DEFAULT })?;
            let _held = fork::hold()?;
            // SAFETY: the lines above compiled these bytes for engines of this flavor, or a program
            // did that the host trusts.
            unsafe { Program::deserialize(engine, is_component(&self.bytes), code) }.map(Some).map_err(|error| failed(&error))
        }));
        made.unwrap_or_else(|_| Err(Error::new(ErrorKind::InvalidPlugin, "the module can't be compiled: the compiler panicked")))
    }
}

/// Stores the result for a flavor, and wakes the callers that wait for it.
fn set(flavor: &Mutex<Progress>, progress: Progress) {
    // In a process that can't use the engine it is of no use.
    let Ok(held) = fork::hold() else { return };
    *lock(flavor) = progress;
    drop(held);
    let bell = BELL.get_or_make(Bell::default);
    drop(lock(&bell.0));
    bell.1.notify_all();
}

/// The error of a caller that loads a plugin no further: the usual words are for calls.
pub(crate) fn given_up(error: Error) -> Error {
    match error.kind() {
        ErrorKind::Timeout => Error::new(ErrorKind::Timeout, "the plugin was not compiled within the timeout of loading it"),
        // An error that the host's interrupt function raised is passed on.
        ErrorKind::Cancelled if error.host().is_none() => Error::new(ErrorKind::Cancelled, "the loading was cancelled"),
        _ => error,
    }
}

/// A caller that is counted as waiting.
struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// The longest sleep between two checks, for a caller without limits.
const PAUSE: Duration = Duration::from_millis(50);

/// Signals that a compilation has ended. One mutex and condition for the whole process, since each
/// process needs its own.
type Bell = (Mutex<()>, Condvar);
static BELL: PerProcess<Bell> = PerProcess::new();

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // The state behind these locks is consistent after each statement, so a panic of another thread
    // does no harm.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg_attr(miri, ignore = "makes an engine")]
    fn optimized_code_has_a_key_of_its_own() {
        let code = |how: &How| Code::new(b"module".as_slice().into(), blake3::hash(b"module"), how.clone());
        let key = |how: &How, tier| code(how).cache_key(Flavor { tier, fuel: false, suspends: false }).expect("an engine");
        let (as_it_is, optimized) = (How::default(), How { optimize: true, ..How::default() });
        assert_ne!(key(&as_it_is, Tier::Best), key(&optimized, Tier::Best));
        assert_eq!(key(&optimized, Tier::Best), key(&optimized.clone(), Tier::Best));
        // The quick compiler gets the same module in both cases.
        assert_eq!(key(&as_it_is, Tier::Fast), key(&optimized, Tier::Fast));
    }

    #[test]
    fn what_is_slow_for_its_size_is_not_compiled_again() {
        let seconds = Duration::from_secs_f64;
        assert!(!is_slow(seconds(0.7), 3 << 20));
        // A large module of Go, on a slow machine.
        assert!(!is_slow(seconds(60.0), 48 << 20));
        assert!(is_slow(seconds(3.0), 60_000));
        assert!(is_slow(seconds(9.0), 3 << 20));
    }
}
