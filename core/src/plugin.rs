//! A compiled module with its interface.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use wasmparser::ValType;

use crate::artifact::{self, Artifact};
use crate::cache::Cache;
use crate::code::Code;
use crate::config::{Compile, PluginOptions};
use crate::engine::{Flavor, Settings, Stack, Tier};
use crate::error::{Error, ErrorKind, Result};
use crate::fork;
use crate::imports::{self, Import};
use crate::interface::{Field, Function, Interface, Scalar, SlotKind, Type, TypeKind, names};
use crate::module::{CoreType, ModuleInfo, ModuleKind};
use crate::ready::Ready;
use crate::wasi;

/// A compiled plugin. Cheap to clone; may be used from any thread.
#[derive(Clone)]
pub struct Plugin(Arc<Compiled>);

pub(crate) struct Compiled {
    pub(crate) name: String,
    pub(crate) info: ModuleInfo,
    pub(crate) interface: Option<Interface>,
    pub(crate) exports: Vec<Export>,
    pub(crate) imports: Arc<[Import]>,
    compile: Compile,
    code: Arc<Code>,
    /// The code that instances are made of, for each of the settings that were asked for.
    ready: Mutex<Vec<Arc<Ready>>>,
    diagnostics: Vec<String>,
}

impl Compiled {
    /// Reads what the module says of itself, and sees to its code.
    fn new(name: &str, bytes: &[u8], options: &PluginOptions, code: Option<Arc<Code>>) -> Result<Compiled> {
        let info = ModuleInfo::parse(bytes)?;
        let interface = info.wit.as_deref().map(Interface::parse).transpose()?;
        let exports = exports(&info, interface.as_ref())?;
        let imports = imports(&info, interface.as_ref())?;
        let mut diagnostics = Vec::new();
        let code = match code {
            Some(code) => code,
            None => Code::of(bytes, Cache::choose(&options.cache).map_err(|text| diagnostics.push(text)).ok().flatten())?,
        };
        let (name, ready) = (name.to_owned(), Mutex::default());
        let compiled = Compiled { name, info, interface, exports, imports, compile: options.compile, code, ready, diagnostics };
        // So that a damaged module is told of now.
        compiled.ready(false, Stack::DEFAULT)?;
        Ok(compiled)
    }

    /// The best code there is now for these limits; compiles it if there is none.
    pub(crate) fn ready(&self, fuel: bool, stack: Stack) -> Result<Arc<Ready>> {
        let settings = Settings { flavor: self.code.flavor(self.compile, fuel)?, stack };
        if let Some(ready) = self.find(settings)? {
            return Ok(ready);
        }
        let module = self.code.module(settings)?;
        let _held = fork::hold()?;
        let ready = Arc::new(Ready::new(settings, &module, &self.imports)?);
        self.ready.lock().unwrap_or_else(PoisonError::into_inner).push(ready.clone());
        Ok(ready)
    }

    fn find(&self, settings: Settings) -> Result<Option<Arc<Ready>>> {
        let _held = fork::hold()?;
        let ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(ready.iter().find(|ready| ready.settings == settings).cloned())
    }
}

/// An export that can be called.
pub(crate) struct Export {
    pub(crate) function: Arc<Function>,
    /// The name of its post-return function, if it has one.
    pub(crate) post: Option<String>,
}

impl Plugin {
    /// Reads and compiles a module.
    ///
    /// # Errors
    ///
    /// `invalid-plugin` when the file can't be read, or for the reasons of [`from_bytes`](Plugin::from_bytes).
    pub fn from_file(path: impl AsRef<Path>) -> Result<Plugin> {
        Plugin::from_file_with(path, &PluginOptions::default())
    }

    /// As [`from_file`](Plugin::from_file), with a say in how it is compiled.
    ///
    /// # Errors
    ///
    /// As [`from_file`](Plugin::from_file).
    pub fn from_file_with(path: impl AsRef<Path>, options: &PluginOptions) -> Result<Plugin> {
        let path = path.as_ref();
        read(path, |name, bytes| Plugin::from_bytes_with(name, bytes, options))
    }

    /// Compiles a module, or finds its code in the user's cache. `name` is what its `os.Args[0]` will be.
    ///
    /// # Errors
    ///
    /// `invalid-plugin` when the bytes are not a core module, are damaged, or carry an interface that the module does not keep.
    pub fn from_bytes(name: &str, bytes: &[u8]) -> Result<Plugin> {
        Plugin::from_bytes_with(name, bytes, &PluginOptions::default())
    }

    /// As [`from_bytes`](Plugin::from_bytes), with a say in how it is compiled.
    ///
    /// # Errors
    ///
    /// As [`from_bytes`](Plugin::from_bytes).
    pub fn from_bytes_with(name: &str, bytes: &[u8], options: &PluginOptions) -> Result<Plugin> {
        if artifact::is_artifact(bytes) {
            let text = "it is a compiled plugin, whose native code is run as it is: load it with load_compiled, if you trust who made it";
            return Err(Error::new(ErrorKind::InvalidPlugin, text));
        }
        Ok(Plugin(Arc::new(Compiled::new(name, bytes, options, None)?)))
    }

    /// Compiles a module to a file that can be shipped, for [`load_compiled`](Plugin::load_compiled) on machines like this one. With `fuel` its
    /// instances can have a limit of fuel, which costs about a tenth of the speed.
    ///
    /// # Errors
    ///
    /// `invalid-plugin`, as for [`from_bytes`](Plugin::from_bytes).
    pub fn compile(bytes: &[u8], fuel: bool) -> Result<Vec<u8>> {
        let info = ModuleInfo::parse(bytes)?;
        let interface = info.wit.as_deref().map(Interface::parse).transpose()?;
        exports(&info, interface.as_ref())?;
        imports(&info, interface.as_ref())?;
        artifact::compile(bytes, fuel)
    }

    /// Loads a compiled plugin: the bytes that [`compile`](Plugin::compile) gave, from a file.
    ///
    /// # Safety
    ///
    /// Native code is loaded and run as it is, outside the sandbox. Damage is noticed, malice is not: the file must come from
    /// [`compile`](Plugin::compile), through hands that you trust, and must not be changed before this returns.
    ///
    /// # Errors
    ///
    /// `invalid-plugin` when the file can't be read, is damaged, or was made by another version or for another machine.
    pub unsafe fn load_compiled(path: impl AsRef<Path>) -> Result<Plugin> {
        read(path.as_ref(), |name, bytes| {
            let artifact = Artifact::parse(bytes)?;
            // SAFETY: the caller's promise.
            let module = unsafe { artifact.load() }?;
            let code = Code::given(artifact.module, artifact.flavor, module);
            Ok(Plugin(Arc::new(Compiled::new(name, artifact.module, &PluginOptions::default(), Some(code))?)))
        })
    }

    /// What went wrong when it was loaded and did no harm, as sentences: that its code can't be cached, say.
    #[must_use]
    pub fn diagnostics(&self) -> &[String] {
        &self.0.diagnostics
    }

    /// The compiler whose code the next instance would have.
    ///
    /// # Errors
    ///
    /// `dead-instance` in a forked child that can't use plugins.
    pub fn tier(&self) -> Result<Tier> {
        Ok(self.0.code.flavor(self.0.compile, false)?.tier)
    }

    /// Waits until nothing of it is being compiled in the background, so that new instances have the best code.
    ///
    /// # Errors
    ///
    /// `invalid-plugin` when the better compiler has failed; what the host's interrupt function says.
    pub fn wait_compiled(&self) -> Result<()> {
        let wait = |fuel| self.0.code.wait(Flavor { tier: Tier::Best, fuel });
        wait(false).and_then(|()| wait(true))
    }

    /// The name that it was given: the file's.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// What the module says of itself.
    #[must_use]
    pub fn info(&self) -> &ModuleInfo {
        &self.0.info
    }

    /// The interface that it carries; `None` for a bare module.
    #[must_use]
    pub fn interface(&self) -> Option<&Interface> {
        self.0.interface.as_ref()
    }

    /// The functions that can be called: those of the interface, then the bare scalar exports. Their places are their numbers.
    pub fn exports(&self) -> impl ExactSizeIterator<Item = &Arc<Function>> {
        self.0.exports.iter().map(|export| &export.function)
    }

    /// The functions that the host has to give, each with its module.
    pub fn imports(&self) -> impl Iterator<Item = (&str, &Arc<Function>)> {
        self.0.imports.iter().filter(|import| import.provided.is_none()).map(|import| (import.module.as_str(), &import.function))
    }

    /// The number of the export of that name, for [`Instance::arguments`](crate::Instance::arguments).
    ///
    /// # Errors
    ///
    /// `unknown-export`, with the names that are near.
    pub fn export(&self, name: &str) -> Result<usize> {
        self.0.exports.iter().position(|export| export.function.name == name).ok_or_else(|| {
            let hint = names::did_you_mean(name, self.exports().map(|function| function.name.as_str()));
            Error::new(ErrorKind::UnknownExport, format!("{} has no export '{name}'{hint}", self.name()))
        })
    }

    /// Whether it can be instantiated.
    pub(crate) fn check_reactor(&self) -> Result<()> {
        if self.0.info.kind == ModuleKind::Command {
            let text = format!(
                "{} is a command, not a plugin: it was built without -buildmode=c-shared; add that flag, or use 'undergo build'",
                self.name()
            );
            return Err(Error::new(ErrorKind::InvalidPlugin, text));
        }
        Ok(())
    }

    pub(crate) fn compiled(&self) -> &Compiled {
        &self.0
    }
}

impl fmt::Debug for Plugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Plugin({}, {} exports)", self.name(), self.0.exports.len())
    }
}

/// Reads a file, and has its name in the errors.
fn read(path: &Path, load: impl FnOnce(&str, &[u8]) -> Result<Plugin>) -> Result<Plugin> {
    let bytes =
        std::fs::read(path).map_err(|error| Error::new(ErrorKind::InvalidPlugin, format!("{} can't be read: {error}", path.display())))?;
    let name = path.file_name().map_or_else(|| "plugin.wasm".into(), |name| name.to_string_lossy());
    load(&name, &bytes).map_err(|error| Error::new(error.kind(), format!("{} is no plugin: {}", path.display(), error.message())))
}

fn exports(info: &ModuleInfo, interface: Option<&Interface>) -> Result<Vec<Export>> {
    let mut exports = Vec::new();
    // These the host calls of its own accord, and without a look at their signatures, whether or not there is an interface.
    let own: [(&str, &[ValType], Option<ValType>); 4] = [
        ("_initialize", &[], None),
        ("undergo_arena", &[], Some(I32)),
        ("undergo_poll", &[], None),
        ("cabi_realloc", &[I32, I32, I32, I32], Some(I32)),
    ];
    for (name, params, result) in own {
        if let Some(export) = info.export(name) {
            let wanted = CoreType { params: params.to_vec(), results: result.into_iter().collect() };
            if export.ty != wanted {
                let text = format!("the export {name} has the signature {}, and it must be {wanted}", export.ty);
                return Err(Error::new(ErrorKind::InvalidPlugin, text));
            }
        }
    }
    if let Some(interface) = interface {
        if !info.has_memory {
            return Err(Error::new(ErrorKind::InvalidPlugin, "it carries an interface, but exports no memory"));
        }
        check(info, "cabi_realloc", &[I32, I32, I32, I32], Some(I32))?;
        for function in &interface.exports {
            let (params, result) = core_export(function);
            check(info, &function.name, &params, result)?;
            let post = format!("cabi_post_{}", function.name);
            let post = if info.export(&post).is_some() {
                check(info, &post, &result.into_iter().collect::<Vec<_>>(), None)?;
                Some(post)
            } else {
                None
            };
            exports.push(Export { function: function.clone(), post });
        }
    }
    for export in &info.exports {
        let typed = interface.is_some_and(|interface| interface.export(&export.name).is_some());
        let reserved = matches!(export.name.as_str(), "_initialize" | "_start" | "cabi_realloc" | "undergo_arena" | "undergo_poll")
            || export.name.starts_with("cabi_post_");
        if !typed
            && !reserved
            && let Some(function) = bare(&export.name, &export.ty)
        {
            exports.push(Export { function: Arc::new(function), post: None });
        }
    }
    Ok(exports)
}

fn imports(info: &ModuleInfo, interface: Option<&Interface>) -> Result<Arc<[Import]>> {
    let mut imports = Vec::new();
    for import in &info.imports {
        if import.module == wasi::MODULE && wasi::FUNCTIONS.contains(&import.name.as_str()) {
            continue;
        }
        let typed = interface.and_then(|interface| interface.import(&import.module, &import.name));
        let function = match typed {
            Some(function) => {
                let (params, result) = core_import(function);
                compare(&format!("the import {} of {}", import.name, import.module), &import.ty, &params, result)?;
                function.clone()
            }
            None => Arc::new(bare(&import.name, &import.ty).ok_or_else(|| {
                let text =
                    format!("the import {} of {} has the signature {}, which no host can give", import.name, import.module, import.ty);
                Error::new(ErrorKind::InvalidPlugin, text)
            })?),
        };
        let provided = imports::provided(&import.module, &import.name);
        imports.push(Import { module: import.module.clone(), name: import.name.clone(), function, provided });
    }
    Ok(imports.into())
}

const I32: ValType = ValType::I32;

/// The core signature of an export by the canonical ABI ("lift").
fn core_export(function: &Function) -> (Vec<ValType>, Option<ValType>) {
    let result = match (&function.abi.result.flat, function.abi.result.size) {
        (Some(slot), _) => Some(core_type(slot.kind)),
        (None, 0) => None,
        (None, _) => Some(I32),
    };
    (core_params(function), result)
}

/// The core signature of an import by the canonical ABI ("lower").
fn core_import(function: &Function) -> (Vec<ValType>, Option<ValType>) {
    let mut params = core_params(function);
    if function.abi.returns_by_pointer() {
        params.push(I32);
    }
    (params, function.abi.result.flat.map(|slot| core_type(slot.kind)))
}

fn core_params(function: &Function) -> Vec<ValType> {
    if function.abi.spilled {
        return vec![I32];
    }
    function.abi.slots.iter().map(|slot| core_type(slot.kind)).collect()
}

fn core_type(kind: SlotKind) -> ValType {
    match kind {
        SlotKind::I64 => ValType::I64,
        SlotKind::F32 => ValType::F32,
        SlotKind::F64 => ValType::F64,
        SlotKind::Bool
        | SlotKind::Case8
        | SlotKind::Case16
        | SlotKind::S8
        | SlotKind::U8
        | SlotKind::S16
        | SlotKind::U16
        | SlotKind::I32 => ValType::I32,
    }
}

fn check(info: &ModuleInfo, name: &str, params: &[ValType], result: Option<ValType>) -> Result<()> {
    let Some(export) = info.export(name) else {
        let text = format!(
            "its interface needs the export {name}, which the module lacks: the generated code and the interface differ; build it anew"
        );
        return Err(Error::new(ErrorKind::InvalidPlugin, text));
    };
    compare(&format!("the export {name}"), &export.ty, params, result)
}

fn compare(what: &str, found: &CoreType, params: &[ValType], result: Option<ValType>) -> Result<()> {
    let wanted = CoreType { params: params.to_vec(), results: result.into_iter().collect() };
    if *found == wanted {
        return Ok(());
    }
    let text = format!("{what} has the signature {found}, and its interface says {wanted}: build the plugin anew");
    Err(Error::new(ErrorKind::InvalidPlugin, text))
}

/// A function of a module that says nothing but core types. `None` where these are not numbers.
fn bare(name: &str, ty: &CoreType) -> Option<Function> {
    let scalar = |ty: &ValType| {
        let scalar = match ty {
            ValType::I32 => Scalar::WasmI32,
            ValType::I64 => Scalar::WasmI64,
            ValType::F32 => Scalar::F32,
            ValType::F64 => Scalar::F64,
            ValType::V128 | ValType::Ref(_) => return None,
        };
        Some(Type::new(TypeKind::Scalar(scalar)))
    };
    let mut params = Vec::with_capacity(ty.params.len());
    for (i, param) in ty.params.iter().enumerate() {
        params.push(Field { name: format!("arg{i}"), docs: String::new(), ty: scalar(param)? });
    }
    let result = match ty.results.as_slice() {
        [] => None,
        [one] => Some(scalar(one)?),
        _ => return None,
    };
    Some(Function::bare(name.to_owned(), params, result))
}
