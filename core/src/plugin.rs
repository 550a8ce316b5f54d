//! A compiled module with its interface.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use wasmparser::ValType;
use wasmtime::{Engine, FuncType, InstancePre, Linker, Module};

use crate::async_imports;
use crate::engine::engine;
use crate::error::{Error, ErrorKind, Result};
use crate::imports::{self, HostFunction};
use crate::interface::{Field, Function, Interface, Scalar, SlotKind, Type, TypeKind, names};
use crate::module::{CoreType, ModuleInfo, ModuleKind};
use crate::state::State;
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
    pub(crate) pre: InstancePre<State>,
    async_pre: OnceLock<Result<InstancePre<State>>>,
    pub(crate) engine: &'static Engine,
}

impl Compiled {
    /// For instances on fibers.
    pub(crate) fn async_pre(&self) -> Result<&InstancePre<State>> {
        let made = self.async_pre.get_or_init(|| {
            let mut linker = Linker::new(self.engine);
            wasi::link_async(&mut linker).map_err(|error| damaged(&error))?;
            link_async(&mut linker, &self.imports, self.pre.module())?;
            linker.instantiate_pre(self.pre.module()).map_err(|error| damaged(&error))
        });
        made.as_ref().map_err(Clone::clone)
    }
}

/// An export that can be called.
pub(crate) struct Export {
    pub(crate) function: Arc<Function>,
    /// The name of its post-return function, if it has one.
    pub(crate) post: Option<String>,
}

/// A function that the plugin imports, other than WASI's.
pub(crate) struct Import {
    pub(crate) module: String,
    pub(crate) name: String,
    pub(crate) function: Arc<Function>,
    /// What the host itself gives, whatever the user does.
    pub(crate) provided: Option<Arc<dyn HostFunction>>,
}

impl Plugin {
    /// Reads and compiles a module.
    ///
    /// # Errors
    ///
    /// `invalid-plugin` when the file can't be read, or for the reasons of [`from_bytes`](Plugin::from_bytes).
    pub fn from_file(path: impl AsRef<Path>) -> Result<Plugin> {
        let path = path.as_ref();
        let bytes = std::fs::read(path)
            .map_err(|error| Error::new(ErrorKind::InvalidPlugin, format!("{} can't be read: {error}", path.display())))?;
        let name = path.file_name().map_or_else(|| "plugin.wasm".into(), |name| name.to_string_lossy());
        Plugin::from_bytes(&name, &bytes)
            .map_err(|error| Error::new(error.kind(), format!("{} is no plugin: {}", path.display(), error.message())))
    }

    /// Compiles a module. `name` is what its `os.Args[0]` will be.
    ///
    /// # Errors
    ///
    /// `invalid-plugin` when the bytes are not a core module, are damaged, or carry an interface that the module does not keep.
    pub fn from_bytes(name: &str, bytes: &[u8]) -> Result<Plugin> {
        let info = ModuleInfo::parse(bytes)?;
        let interface = info.wit.as_deref().map(Interface::parse).transpose()?;
        let engine = engine()?;
        let module = Module::from_binary(engine, bytes).map_err(|error| damaged(&error))?;
        let exports = exports(&info, interface.as_ref())?;
        let mut linker = Linker::new(engine);
        wasi::link(&mut linker).map_err(|error| damaged(&error))?;
        let imports = imports(&info, interface.as_ref())?;
        link(&mut linker, &imports, &module)?;
        let pre = linker.instantiate_pre(&module).map_err(|error| damaged(&error))?;
        Ok(Plugin(Arc::new(Compiled { name: name.to_owned(), info, interface, exports, imports, pre, async_pre: OnceLock::new(), engine })))
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

    /// The number of the export of that name, for [`Instance::arguments`].
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

fn damaged(error: &wasmtime::Error) -> Error {
    Error::new(ErrorKind::InvalidPlugin, format!("the module can't be compiled: {error:#}"))
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

/// Gives the linker each import once: it goes to the host function that the instance's state names by the same number.
fn link(linker: &mut Linker<State>, imports: &Arc<[Import]>, module: &Module) -> Result<()> {
    for (i, import) in imports.iter().enumerate() {
        let Some(ty) = declared(module, import) else { continue };
        let all = imports.clone();
        let call = move |caller: wasmtime::Caller<'_, State>, raw: &mut [std::mem::MaybeUninit<wasmtime::ValRaw>]| {
            imports::dispatch(&all[i], i, caller, raw).map_err(Error::into_wasmtime)
        };
        // SAFETY: the function reads as many parameters and writes the result of the type that `imports` compared with `ty`.
        unsafe { linker.func_new_unchecked(&import.module, &import.name, ty, call) }.map_err(|error| damaged(&error))?;
    }
    Ok(())
}

/// The same for instances on fibers.
fn link_async(linker: &mut Linker<State>, imports: &Arc<[Import]>, module: &Module) -> Result<()> {
    for (i, import) in imports.iter().enumerate() {
        let Some(ty) = declared(module, import) else { continue };
        let all = imports.clone();
        let linked = linker.func_new_async(&import.module, &import.name, ty, move |caller, params, results| {
            let all = all.clone();
            Box::new(async move { async_imports::dispatch(&all[i], i, caller, params, results).await.map_err(Error::into_wasmtime) })
        });
        linked.map_err(|error| damaged(&error))?;
    }
    Ok(())
}

fn declared(module: &Module, import: &Import) -> Option<FuncType> {
    let found = module.imports().find(|known| known.module() == import.module && known.name() == import.name)?;
    found.ty().func().cloned()
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
