//! Options as plain data: limits, how a plugin is compiled, what a call may take.

pub(crate) mod budget;
pub(crate) mod cancel;
pub(crate) mod size;

use std::path::PathBuf;
use std::time::Duration;

use crate::config::budget::Caller;
use crate::config::cancel::CancelToken;

/// Methods that set one field each, for chains. A field with a question mark is optional, and is
/// set by a value as well as by an option.
macro_rules! setters {
    ($options:ident { $($field:ident $kind:tt $ty:ty),* $(,)? }) => {
        impl $options {$(
            setters!(@one $options $field $kind $ty);
        )*}
    };
    (@one $options:ident $field:ident : $ty:ty) => {
        #[doc = concat!("Sets [`", stringify!($field), "`](", stringify!($options), "#structfield.", stringify!($field), ").")]
        #[must_use]
        pub fn $field(mut self, $field: $ty) -> Self {
            self.$field = $field;
            self
        }
    };
    (@one $options:ident $field:ident ? $ty:ty) => {
        #[doc = concat!("Sets [`", stringify!($field), "`](", stringify!($options), "#structfield.", stringify!($field), ").")]
        #[must_use]
        pub fn $field(mut self, $field: impl Into<Option<$ty>>) -> Self {
            self.$field = $field.into();
            self
        }
    };
}
pub(crate) use setters;

/// What an instance may use. By default there are no limits but those of WebAssembly and of a
/// single value.
///
/// ```
/// use std::time::Duration;
/// use undergo::Limits;
///
/// let limits = Limits::default().memory(64 << 20).timeout(Duration::from_secs(1));
/// assert_eq!(limits.memory, Some(64 << 20));
/// ```
#[cfg_attr(not(feature = "host"), non_exhaustive)]
#[derive(Clone, Debug, Default)]
pub struct Limits {
    /// Bytes of guest memory, of all memories together; 4 GiB when `None`, which is all that 32
    /// bits address. Sets `GOMEMLIMIT` to nine tenths of it, so that Go's collector works harder
    /// before the limit is hit, unless the sandbox's environment sets it.
    pub memory: Option<u64>,
    /// How long a call may take, and how long the initialisation may: computing, sleeping, host
    /// functions and waiting for the instance.
    pub timeout: Option<Duration>,
    /// Bytes of stack for guest code in one call, from 64 KiB to 512 MiB, rounded up to a power of
    /// two; 4 MiB when `None`, which is enough for a hundred thousand nested Go calls. Each new
    /// size costs some milliseconds the first time.
    pub stack: Option<u64>,
    /// How much each call may compute, and the initialisation may, in units of about one
    /// instruction of WebAssembly: a limit that does not depend on the machine. Counting costs
    /// about a tenth of the speed, and the plugin is compiled once more for it.
    pub fuel: Option<u64>,
    /// Elements of the guest's tables, all together; 4 Mi when `None`. Go's table has one for each
    /// function, and never grows.
    pub table: Option<u32>,
    /// Bytes of the host's memory that a single value from the guest may take: what the host makes
    /// of it, to within a factor of two. All arguments of a host function count together. 1 GiB
    /// when `None`.
    pub value: Option<u64>,
    /// Bytes that the guest may write to each of its two outputs over its life; the rest is
    /// dropped. That is no error for the guest: a plugin with a long log should not fail where one
    /// with a short log works, and Go programs hardly ever check whether printing has failed. The
    /// end of standard error is kept for the text of a panic in any case.
    pub output: Option<u64>,
    /// Descriptors of the host that the guest may hold at once: files, directories, sockets,
    /// connections that it accepted and pipes; 128 when `None`. Beyond that, opening fails
    /// (`EMFILE`). What the host gives does not count: the sandbox's directories, the standard
    /// streams, and listeners that are handed in.
    pub descriptors: Option<u32>,
    /// Handles that the guest may have at once: of the host's objects, functions, iterators and
    /// streams, and of its own objects before they are passed to the host; 10,000 when `None`.
    /// Beyond that, the call that would make one ends with `out-of-memory`.
    pub handles: Option<u32>,
}

setters!(Limits {
    memory ? u64,
    timeout ? Duration,
    stack ? u64,
    fuel ? u64,
    table ? u32,
    value ? u64,
    output ? u64,
    descriptors ? u32,
    handles ? u32,
});

/// Which compiler makes a plugin's code.
#[cfg_attr(not(feature = "host"), non_exhaustive)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compile {
    /// A quick compiler first, and the better one in the background: instances that are made after
    /// that has finished run its code.
    #[default]
    Tiered,
    /// The quick compiler: it takes a third of the time, and its code two to three times as long.
    Fast,
    /// For what runs once in a process, such as a command: the better compiler's code if the cache
    /// has it, and the quick compiler's if not. Nothing is compiled in the background, because that
    /// would end with the process.
    Once,
    /// The better compiler, which loading waits for.
    Best,
}

/// Where compiled code is kept, so that the next process need not compile it.
#[cfg_attr(not(feature = "host"), non_exhaustive)]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum CodeCache {
    /// In the folder `code` within the one that `UNDERGO_CACHE_DIR` names, or else within the
    /// user's folder for caches. Nowhere if the variable is empty.
    #[default]
    User,
    /// Nowhere.
    Off,
    /// In that folder. It is created if it is missing, and has to be private to the user.
    Folder(PathBuf),
}

/// How a plugin is compiled.
///
/// ```
/// use undergo::{CodeCache, Compile, PluginOptions};
///
/// let options = PluginOptions::default().compile(Compile::Best).cache(CodeCache::Off);
/// ```
#[cfg_attr(not(feature = "host"), non_exhaustive)]
#[derive(Clone, Debug)]
pub struct PluginOptions {
    /// By which compiler.
    pub compile: Compile,
    /// Where the code is kept.
    pub cache: CodeCache,
    /// How many times the usual amount a module may ask of the compilers, since no compilation can
    /// be stopped: docs/loading.md has the bounds. 0 and 1 are the usual ones, within which twice
    /// the largest modules of Go are.
    pub bounds: u32,
    /// How long loading may take. After that the caller gets an error, and a compilation under way
    /// continues in the background.
    pub timeout: Option<Duration>,
    /// What can cancel the loading.
    pub cancel: Option<CancelToken>,
    /// An `undergo` program that compiles in a separate process, whose time and memory are limited,
    /// and which ends with the loading that needs it: for modules from strangers. It has to be of
    /// this version.
    pub compiler: Option<PathBuf>,
    /// Whether the jumps of Go's code are written as nested blocks and loops before the better
    /// compiler gets it, which makes it faster: docs/go-code.md. Modules that Go's compiler did not
    /// write are compiled as they are in any case.
    pub optimize: bool,
    /// Whether a component may be of WASI 0.3, whose functions suspend. Calls of components then
    /// cost more. Needs the feature `wasi-0-3`: docs/wasi-0.3.md.
    pub wasi_0_3: bool,
}

impl Default for PluginOptions {
    fn default() -> PluginOptions {
        let (compile, cache) = (Compile::default(), CodeCache::default());
        PluginOptions { compile, cache, bounds: 1, timeout: None, cancel: None, compiler: None, optimize: true, wasi_0_3: false }
    }
}

setters!(PluginOptions {
    compile: Compile,
    cache: CodeCache,
    bounds: u32,
    timeout ? Duration,
    cancel ? CancelToken,
    compiler ? PathBuf,
    optimize: bool,
    wasi_0_3: bool,
});

/// How a plugin is compiled to be shipped.
#[cfg_attr(not(feature = "host"), non_exhaustive)]
#[derive(Clone, Copy, Debug)]
pub struct CompileOptions {
    /// Whether its instances can have a limit of fuel, which costs about a tenth of the speed.
    pub fuel: bool,
    /// By which compiler.
    pub tier: Tier,
    /// As in [`PluginOptions`].
    pub bounds: u32,
    /// As in [`PluginOptions`].
    pub optimize: bool,
    /// As in [`PluginOptions`].
    pub wasi_0_3: bool,
}

impl Default for CompileOptions {
    fn default() -> CompileOptions {
        CompileOptions { fuel: false, tier: Tier::Best, bounds: 1, optimize: true, wasi_0_3: false }
    }
}

setters!(CompileOptions { fuel: bool, tier: Tier, bounds: u32, optimize: bool, wasi_0_3: bool });

/// Which compiler made a plugin's code.
#[cfg_attr(not(feature = "host"), non_exhaustive)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tier {
    /// Winch: it compiles some three times as fast as Cranelift, and its code takes some two to
    /// three times as long.
    Fast,
    /// Cranelift.
    Best,
}

impl Tier {
    /// `fast` or `best`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Tier::Fast => "fast",
            Tier::Best => "best",
        }
    }

    /// The tier of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Tier> {
        [Tier::Fast, Tier::Best].into_iter().find(|tier| tier.as_str() == name)
    }
}

/// The right to call back into the instance that called a host function, while that function runs:
/// see [`HostCall::lease`](crate::host::HostCall::lease).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    pub(crate) id: u64,
    /// The pool of the instance, or of one that has called it by a link; 0 for none.
    pub(crate) pool: u64,
    /// The number of the call from which it comes, as the instance's lock knows it; 0 for none.
    pub(crate) caller: u64,
}

/// Options of one call.
///
/// ```
/// use std::time::Duration;
/// use undergo::{CallOptions, CancelToken};
///
/// let token = CancelToken::new();
/// let options = CallOptions::default().timeout(Duration::from_secs(1)).cancel(token.clone());
/// // Some other thread may call `token.cancel()`.
/// ```
#[cfg_attr(not(feature = "host"), non_exhaustive)]
#[derive(Clone, Debug, Default)]
pub struct CallOptions {
    /// How long the call may take; the instance's limit when `None`.
    pub timeout: Option<Duration>,
    /// What can cancel the call.
    pub cancel: Option<CancelToken>,
    /// For an asynchronous call from within a host function: the right to call back into the
    /// instance that called that function.
    pub within: Option<Lease>,
    /// For an asynchronous call: what the host's functions are told of the caller.
    pub caller: Option<Caller>,
}

setters!(CallOptions {
    timeout ? Duration,
    cancel ? CancelToken,
    within ? Lease,
});

impl CallOptions {
    /// No options.
    pub const NONE: &'static CallOptions = &CallOptions { timeout: None, cancel: None, within: None, caller: None };

    /// Whether nothing is set.
    #[inline]
    pub(crate) fn are_default(&self) -> bool {
        self.timeout.is_none() && self.cancel.is_none() && self.within.is_none() && self.caller.is_none()
    }
}
