//! A compiled module with its interface.

pub(crate) mod components;
pub(crate) mod linked;
pub(crate) mod signatures;

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use crate::compile::artifact::{self, Artifact};
use crate::compile::bounds;
use crate::compile::cache::Cache;
use crate::compile::engine::{Flavor, Settings, Stack};
use crate::compile::how::{self, How};
use crate::compile::module::{ModuleInfo, ModuleKind};
use crate::compile::proposals;
use crate::compile::tiering::{Code, given_up};
use crate::config::Tier;
use crate::config::budget::{Budget, Deadline};
use crate::config::{Compile, CompileOptions, PluginOptions};
use crate::error::{Error, ErrorKind, Result};
use crate::guest::host::Import;
use crate::guest::options::InstanceOptions;
use crate::interface::{Function, Interface, names};
use crate::platform::{file, fork};
use crate::plugin::linked::Linked;
use crate::plugin::signatures::{Export, Exports};
use crate::sched::fairness::CpuHistory;
use crate::wasi::linker::MODULE;
use crate::wasi::sockets::lookups::Share;

/// A compiled plugin. Cheap to clone; may be used from any thread.
#[derive(Clone)]
pub struct Plugin(Arc<Compiled>);

pub(crate) struct Compiled {
    pub(crate) name: String,
    pub(crate) info: ModuleInfo,
    pub(crate) interface: Option<Interface>,
    pub(crate) exports: Vec<Export>,
    /// How many of them come before the functions of resources.
    named: usize,
    /// The numbers of the functions of resources, by their addresses.
    members: HashMap<usize, usize>,
    pub(crate) imports: Arc<[Import]>,
    pub(crate) cpu_history: Arc<CpuHistory>,
    /// The share of the process's look-up threads that its instances have.
    pub(crate) share: Arc<Share>,
    compile: Compile,
    code: Arc<Code>,
    /// Linked code, for each combination of settings that was requested.
    linked: Mutex<Vec<Arc<Linked>>>,
    diagnostics: Mutex<Vec<String>>,
}

impl Compiled {
    /// Reads the module's declarations, and starts compiling its code.
    fn new(name: &str, bytes: Cow<'_, [u8]>, options: &PluginOptions, code: Option<Arc<Code>>) -> Result<Compiled> {
        let deadline = options.timeout.map(Deadline::after);
        let budget = Budget { deadline, cancel: options.cancel.iter().cloned().collect(), ..Budget::default() };
        budget.check().map_err(given_up)?;
        let mut diagnostics = Vec::new();
        let code = match code {
            Some(code) => code,
            None => {
                bounds::check_size(bytes.len() as u64, options.bounds)?;
                let cache = Cache::choose(&options.cache).map_err(|text| diagnostics.push(text)).ok().flatten();
                let (bounds, compiler, optimize) = (options.bounds.max(1), options.compiler.clone(), options.optimize);
                Code::of(bytes, How { cache, bounds, compiler, optimize, wasi_0_3: options.wasi_0_3 })?
            }
        };
        let info = if code.is_known(options.compile)? {
            ModuleInfo::parse_valid(code.bytes())?
        } else {
            bounds::check_parts(code.bytes(), options.bounds)?;
            ModuleInfo::parse_for(code.bytes(), code.suspends())?
        };
        let interface = info.interface()?;
        let Exports { all: exports, named } = signatures::exports(&info, interface.as_ref())?;
        let number = |(number, export): (usize, &Export)| (Arc::as_ptr(&export.function).addr(), number);
        let members = exports.iter().enumerate().skip(named).map(number).collect();
        let imports = signatures::imports(&info, interface.as_ref())?;
        let (name, linked, cpu_history) = (name.to_owned(), Mutex::default(), Arc::new(CpuHistory::new(exports.len())));
        let (share, diagnostics) = (Arc::default(), Mutex::new(diagnostics));
        let compiled = Compiled {
            name,
            info,
            interface,
            exports,
            named,
            members,
            imports,
            cpu_history,
            share,
            compile: options.compile,
            code,
            linked,
            diagnostics,
        };
        // So that a damaged module is reported now.
        compiled.linked(false, Stack::DEFAULT, &budget)?.check()?;
        Ok(compiled)
    }

    /// The best available code for these limits; compiles it if there is none.
    pub(crate) fn linked(&self, fuel: bool, stack: Stack, budget: &Budget) -> Result<Arc<Linked>> {
        let settings = Settings { flavor: self.code.flavor(self.compile, fuel, budget)?, stack };
        if let Some(linked) = self.find(settings)? {
            return Ok(linked);
        }
        let program = self.code.program(settings, budget)?;
        let _held = fork::hold()?;
        let linked = Arc::new(Linked::new(settings, program, &self.imports, self.interface.as_ref())?);
        self.linked.lock().unwrap_or_else(PoisonError::into_inner).push(linked.clone());
        Ok(linked)
    }

    fn find(&self, settings: Settings) -> Result<Option<Arc<Linked>>> {
        let _held = fork::hold()?;
        let linked = self.linked.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(linked.iter().find(|linked| linked.settings == settings).cloned())
    }
}

impl Plugin {
    /// Reads and compiles a module.
    ///
    /// # Errors
    ///
    /// `invalid-plugin` if the file can't be read, or for the reasons of
    /// [`from_bytes`](Plugin::from_bytes).
    pub fn from_file(path: impl AsRef<Path>) -> Result<Plugin> {
        Plugin::from_file_with(path, &PluginOptions::default())
    }

    /// As [`from_file`](Plugin::from_file), with options.
    ///
    /// # Errors
    ///
    /// As [`from_file`](Plugin::from_file).
    pub fn from_file_with(path: impl AsRef<Path>, options: &PluginOptions) -> Result<Plugin> {
        let size = |bytes| bounds::check_size(bytes, options.bounds);
        read(path.as_ref(), size, |name, bytes| Plugin::of(name, Cow::Owned(bytes), options))
    }

    /// Compiles a module, or takes its code from the user's cache. `name` becomes its `os.Args[0]`.
    ///
    /// # Errors
    ///
    /// `invalid-plugin` if the bytes are neither a module nor a component, are damaged, or have an
    /// interface that does not match the module's functions.
    pub fn from_bytes(name: &str, bytes: &[u8]) -> Result<Plugin> {
        Plugin::from_bytes_with(name, bytes, &PluginOptions::default())
    }

    /// As [`from_bytes`](Plugin::from_bytes), with options.
    ///
    /// # Errors
    ///
    /// As [`from_bytes`](Plugin::from_bytes).
    pub fn from_bytes_with(name: &str, bytes: &[u8], options: &PluginOptions) -> Result<Plugin> {
        Plugin::of(name, Cow::Borrowed(bytes), options)
    }

    fn of(name: &str, bytes: Cow<'_, [u8]>, options: &PluginOptions) -> Result<Plugin> {
        if artifact::is_artifact(&bytes) {
            let text = "it is a compiled plugin, whose native code is run as it is: load it with load_compiled, if you trust who made it";
            return Err(Error::new(ErrorKind::InvalidPlugin, text));
        }
        Ok(Plugin(Arc::new(Compiled::new(name, bytes, options, None)?)))
    }

    /// Checks a module without compiling it: that it is valid WebAssembly, has the functions of its
    /// interface, and keeps within the default bounds of loading.
    ///
    /// # Errors
    ///
    /// `invalid-plugin`, as for [`from_bytes`](Plugin::from_bytes).
    pub fn validate(bytes: &[u8]) -> Result<ModuleInfo> {
        Plugin::validate_with(bytes, PluginOptions::default().bounds)
    }

    /// As [`validate`](Plugin::validate), with the [`bounds`](PluginOptions::bounds) of loading.
    ///
    /// # Errors
    ///
    /// As [`validate`](Plugin::validate).
    pub fn validate_with(bytes: &[u8], bounds: u32) -> Result<ModuleInfo> {
        bounds::check_parts(bytes, bounds)?;
        let info = checked(bytes, false)?;
        proposals::validate(bytes, false)?;
        bounds::check_work(bytes, bounds)?;
        Ok(info)
    }

    /// Compiles a module to a file that can be shipped, for
    /// [`load_compiled`](Plugin::load_compiled) on machines like this one. With `fuel`, its
    /// instances can have a limit of fuel, which costs about a tenth of the speed.
    ///
    /// # Errors
    ///
    /// `invalid-plugin`, as for [`from_bytes`](Plugin::from_bytes).
    pub fn compile(bytes: &[u8], fuel: bool) -> Result<Vec<u8>> {
        Plugin::compile_with(bytes, CompileOptions { fuel, ..CompileOptions::default() })
    }

    /// As [`compile`](Plugin::compile), with options.
    ///
    /// # Errors
    ///
    /// As [`compile`](Plugin::compile).
    pub fn compile_with(bytes: &[u8], options: CompileOptions) -> Result<Vec<u8>> {
        bounds::check_parts(bytes, options.bounds)?;
        checked(bytes, how::suspends(bytes, options.wasi_0_3))?;
        bounds::check_work(bytes, options.bounds)?;
        artifact::compile(bytes, options)
    }

    /// Loads a compiled plugin from a file that [`compile`](Plugin::compile) has made.
    ///
    /// # Safety
    ///
    /// The native code runs outside the sandbox. Damage is detected; malice is not. The file must
    /// come from [`compile`](Plugin::compile), nobody may have changed it, and it must not change
    /// before this returns.
    ///
    /// # Errors
    ///
    /// `invalid-plugin` if the file can't be read, is damaged, or was made by another version or
    /// for another machine.
    pub unsafe fn load_compiled(path: impl AsRef<Path>) -> Result<Plugin> {
        // Whoever trusts its code trusts its size.
        let any_size = |_| Ok(());
        read(path.as_ref(), any_size, |name, bytes| {
            let artifact = Artifact::parse(&bytes)?;
            // SAFETY: the caller's promise.
            let program = unsafe { artifact.load() }?;
            let code = Code::given(artifact.module, artifact.flavor, program);
            Ok(Plugin(Arc::new(Compiled::new(name, Cow::Borrowed(artifact.module), &PluginOptions::default(), Some(code))?)))
        })
    }

    /// Warnings about loading it, and about options of its instances, as sentences, each once: for
    /// example that its code can't be cached, or what [`diagnose`](Plugin::diagnose) returns.
    #[must_use]
    pub fn diagnostics(&self) -> Vec<String> {
        self.0.diagnostics.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Which of these options have no effect for this plugin, as sentences: for example rules for
    /// the network if it opens no sockets. A host with warnings emits these when it creates an
    /// instance.
    #[must_use]
    pub fn diagnose(&self, options: &InstanceOptions) -> Vec<String> {
        let info = self.info();
        let has = |function: &str| match info.kind {
            // A component takes no listeners. What it connects by is in its world.
            ModuleKind::Component => function == "sock_open" && info.wit.as_deref().is_some_and(connects),
            _ => info.imports.iter().any(|import| import.module == MODULE && import.name == function),
        };
        options.sandbox.network.unused_by(self.name(), has)
    }

    /// The same for instances that are being created; adds the warnings to the diagnostics.
    pub(crate) fn note(&self, options: &InstanceOptions) {
        for text in self.diagnose(options) {
            let mut diagnostics = self.0.diagnostics.lock().unwrap_or_else(PoisonError::into_inner);
            if !diagnostics.contains(&text) {
                diagnostics.push(text);
            }
        }
    }

    /// The compiler whose code the next instance would have.
    ///
    /// # Errors
    ///
    /// `dead-instance` in a forked child that can't use plugins.
    pub fn tier(&self) -> Result<Tier> {
        Ok(self.0.code.flavor(self.0.compile, false, &Budget::default())?.tier)
    }

    /// Whether the cache had code of it, which means that a process has used the module before.
    #[must_use]
    pub fn was_cached(&self) -> bool {
        self.0.code.was_cached()
    }

    /// Waits until nothing of it is being compiled in the background. New instances then have the
    /// best code.
    ///
    /// # Errors
    ///
    /// `invalid-plugin` if the better compiler has failed; the error of the host's interrupt
    /// function.
    pub fn wait_compiled(&self) -> Result<()> {
        let wait = |fuel| self.0.code.wait(Flavor { tier: Tier::Best, fuel, suspends: self.0.code.suspends() }, &Budget::default());
        wait(false).and_then(|()| wait(true))
    }

    /// The name that it was loaded with: the file's.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The bytes of its module, which are kept for compiling them in other ways.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.0.code.bytes()
    }

    /// The digest of its module's bytes, as hexadecimal text: two plugins with the same digest have
    /// the same module.
    #[must_use]
    pub fn digest(&self) -> String {
        self.0.code.digest().to_hex().to_string()
    }

    /// The module's declarations.
    #[must_use]
    pub fn info(&self) -> &ModuleInfo {
        &self.0.info
    }

    /// Its interface; `None` for a bare module.
    #[must_use]
    pub fn interface(&self) -> Option<&Interface> {
        self.0.interface.as_ref()
    }

    /// The functions that can be called: those of the interface, then the bare scalar exports. The
    /// index of each is its number.
    #[inline]
    pub fn exports(&self) -> impl ExactSizeIterator<Item = &Arc<Function>> {
        self.0.exports[..self.0.named].iter().map(|export| &export.function)
    }

    /// The number of a function of one of the guest's resources (see
    /// [`Interface::resources`](crate::interface::Interface::resources)), for
    /// [`arguments`](Plugin::arguments). `None` if it is of another plugin.
    #[must_use]
    pub fn member(&self, function: &Arc<Function>) -> Option<usize> {
        self.0.members.get(&Arc::as_ptr(function).addr()).copied()
    }

    /// The function of that number, of the exports or of a resource.
    #[inline]
    #[must_use]
    pub fn function(&self, number: usize) -> Option<&Arc<Function>> {
        self.0.exports.get(number).map(|export| &export.function)
    }

    /// The exports, and then the functions of the guest's resources, each at its number.
    pub(crate) fn functions(&self) -> impl Iterator<Item = &Arc<Function>> {
        self.0.exports.iter().map(|export| &export.function)
    }

    /// The functions that the host has to provide, each with its module.
    pub fn imports(&self) -> impl Iterator<Item = (&str, &Arc<Function>)> {
        self.0.imports.iter().filter(|import| import.provided.is_none()).map(|import| (import.module.as_str(), &import.function))
    }

    /// The number of the export of that name, for
    /// [`Instance::arguments`](crate::Instance::arguments).
    ///
    /// # Errors
    ///
    /// `unknown-export`, with similar names.
    pub fn export(&self, name: &str) -> Result<usize> {
        let named = |name: &str| self.exports().position(|function| function.name == name);
        named(name).or_else(|| named(&names::kebab(name))).ok_or_else(|| {
            let hint = names::did_you_mean(name, self.exports().map(|function| function.name.as_str()));
            Error::new(ErrorKind::UnknownExport, format!("{} has no export '{name}'{hint}", self.name()))
        })
    }

    /// Fails if nothing of it can be called.
    pub(crate) fn check_callable(&self) -> Result<()> {
        if self.0.info.is_callable() {
            return Ok(());
        }
        if self.0.info.kind == ModuleKind::Component {
            let exported = self.0.info.wasi_exports.join(", ");
            let text = format!("{} has no functions to call: it exports {exported}, and is run or served as a whole", self.name());
            return Err(Error::new(ErrorKind::InvalidPlugin, text));
        }
        let text = format!(
            "{} is a command, not a plugin: it was built without -buildmode=c-shared; add that flag, or use 'undergo build'",
            self.name()
        );
        Err(Error::new(ErrorKind::InvalidPlugin, text))
    }

    pub(crate) fn compiled(&self) -> &Compiled {
        &self.0
    }
}

impl fmt::Debug for Plugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Plugin({}, {} exports)", self.name(), self.0.named)
    }
}

/// Whether a component's world has what connects to others.
fn connects(wit: &str) -> bool {
    ["import wasi:sockets/tcp", "import wasi:sockets/types@0.3", "import wasi:http/outgoing-handler"]
        .iter()
        .any(|import| wit.contains(import))
}

/// The declarations of a module, whose functions may suspend or not, after they were compared with
/// its functions.
fn checked(bytes: &[u8], suspends: bool) -> Result<ModuleInfo> {
    let info = ModuleInfo::parse_for(bytes, suspends)?;
    let interface = info.interface()?;
    signatures::exports(&info, interface.as_ref())?;
    signatures::imports(&info, interface.as_ref())?;
    Ok(info)
}

/// Reads a file of an accepted size; errors contain its name.
fn read(path: &Path, accept: impl FnOnce(u64) -> Result<()>, load: impl FnOnce(&str, Vec<u8>) -> Result<Plugin>) -> Result<Plugin> {
    let unreadable = |error| Error::new(ErrorKind::InvalidPlugin, format!("{} can't be read: {error}", path.display()));
    let no_plugin = |error: Error| Error::new(error.kind(), format!("{} is no plugin: {}", path.display(), error.message()));
    let (file, size) = file::open_regular(path).map_err(unreadable)?;
    accept(size).map_err(no_plugin)?;
    let bytes = file::read_all(file, size).map_err(unreadable)?;
    let name = path.file_name().map_or_else(|| "plugin.wasm".into(), |name| name.to_string_lossy());
    load(&name, bytes).map_err(no_plugin)
}
