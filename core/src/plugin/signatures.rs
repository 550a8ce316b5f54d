//! Checks that a module matches its interface: the core signature of each export and import by the
//! canonical ABI.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use wasmparser::ValType;

use crate::call::provided::provided;
use crate::call::resources;
use crate::compile::module::{CoreType, ModuleInfo, ModuleKind};
use crate::error::{Error, ErrorKind, Result};
use crate::guest::host::Import;
use crate::interface::{Field, Function, ImportedInterface, Interface, Scalar, Side, SlotKind, Type, TypeKind};
use crate::wasi::linker;

/// An export that can be called.
pub(crate) struct Export {
    pub(crate) function: Arc<Function>,
    /// The name of its post-return function, if it has one.
    pub(crate) post: Option<String>,
}

/// What a plugin exports.
pub(crate) struct Exports {
    /// The functions that can be called: those of the interface, bare ones, and then the functions
    /// of the guest's resources.
    pub(crate) all: Vec<Export>,
    /// How many of them come before those of resources.
    pub(crate) named: usize,
}

/// The functions that can be called, each with its signature by the interface.
pub(crate) fn exports(info: &ModuleInfo, interface: Option<&Interface>) -> Result<Exports> {
    if info.kind == ModuleKind::Component {
        return Ok(of_component(interface));
    }
    if info.kind == ModuleKind::Reactor && info.export("_initialize").is_none() {
        let text = "it was built to become a component: make one of it, by 'undergo component'";
        return Err(Error::new(ErrorKind::InvalidPlugin, text));
    }
    let (mut exports, mut members) = (Vec::new(), Vec::new());
    let mut promised = HashSet::new();
    // The host calls these by itself, without checking their signatures, with or without an
    // interface.
    let own: [(&str, &[ValType], Option<ValType>); 5] = [
        ("_initialize", &[], None),
        ("_start", &[], None),
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
    // A hostile module may have as many of both as the bounds allow.
    let found: HashMap<&str, &CoreType> = info.exports.iter().rev().map(|export| (export.name.as_str(), &export.ty)).collect();
    if let Some(interface) = interface {
        if !info.has_memory {
            return Err(Error::new(ErrorKind::InvalidPlugin, "it carries an interface, but exports no memory"));
        }
        check(&found, "cabi_realloc", &[I32, I32, I32, I32], Some(I32))?;
        let typed = |function: &Arc<Function>| {
            let (params, result) = core_export(function);
            check(&found, &function.core_name, &params, result)?;
            let post = format!("cabi_post_{}", function.core_name);
            let post = if found.contains_key(post.as_str()) {
                check(&found, &post, &result.into_iter().collect::<Vec<_>>(), None)?;
                Some(post)
            } else {
                None
            };
            Ok(Export { function: function.clone(), post })
        };
        exports = interface.exports.iter().map(typed).collect::<Result<_>>()?;
        members = interface.members().map(typed).collect::<Result<_>>()?;
        promised.extend(exports.iter().chain(&members).map(|export| export.function.core_name.clone()));
        for resource in interface.resources.iter().filter(|resource| resource.ty.side == Side::Guest) {
            let destructor = resource.ty.destructor();
            check(&found, &destructor, &[I32], None)?;
            promised.insert(destructor);
        }
    }
    for export in &info.exports {
        let typed = promised.contains(export.name.as_str());
        let reserved = matches!(export.name.as_str(), "_initialize" | "_start" | "cabi_realloc" | "undergo_arena" | "undergo_poll")
            || export.name.starts_with("cabi_post_");
        if !typed
            && !reserved
            && let Some(function) = bare(&export.name, &export.ty)
        {
            exports.push(Export { function: Arc::new(function), post: None });
        }
    }
    let named = exports.len();
    exports.append(&mut members);
    Ok(Exports { all: exports, named })
}

/// What a component exports, whose functions the engine has compared with their types.
fn of_component(interface: Option<&Interface>) -> Exports {
    let one = |function: &Arc<Function>| Export { function: function.clone(), post: None };
    let mut all: Vec<_> = interface.iter().flat_map(|interface| &interface.exports).map(one).collect();
    let named = all.len();
    all.extend(interface.into_iter().flat_map(Interface::members).map(one));
    Exports { all, named }
}

/// The functions that the host has to provide, and those that it always provides.
pub(crate) fn imports(info: &ModuleInfo, interface: Option<&Interface>) -> Result<Arc<[Import]>> {
    if info.kind == ModuleKind::Component {
        let all = interface.iter().flat_map(|interface| &interface.imports);
        let one = |from: &ImportedInterface, function: &Arc<Function>| Import {
            module: from.name.clone(),
            name: function.name.clone(),
            function: function.clone(),
            provided: provided(&from.name, &function.name),
        };
        let functions = all.flat_map(|from| from.functions.iter().map(move |function| one(from, function)));
        let methods = interface.into_iter().flat_map(resources::methods).map(|method| Import {
            module: method.module,
            name: method.name,
            function: method.function,
            provided: Some(method.provided),
        });
        return Ok(functions.chain(methods).collect());
    }
    let mut imports = Vec::new();
    let of_resources = interface.map(resources::imports).unwrap_or_default();
    let all = interface.iter().flat_map(|interface| &interface.imports);
    let promised: HashMap<(&str, &str), &Arc<Function>> =
        all.flat_map(|from| from.functions.iter().map(|function| ((from.name.as_str(), function.core_name.as_str()), function))).collect();
    let of_resources: HashMap<_, _> = of_resources.iter().map(|import| ((import.module.as_str(), import.name.as_str()), import)).collect();
    for import in &info.imports {
        if import.module == linker::MODULE && linker::FUNCTIONS.contains(&import.name.as_str()) {
            continue;
        }
        let key = (import.module.as_str(), import.name.as_str());
        let of_resources = of_resources.get(&key).copied();
        let typed = of_resources.map(|found| &found.function).or_else(|| promised.get(&key).copied());
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
        let provided = match of_resources {
            Some(found) => Some(found.provided.clone()),
            None => provided(&import.module, &import.name),
        };
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

fn check(exports: &HashMap<&str, &CoreType>, name: &str, params: &[ValType], result: Option<ValType>) -> Result<()> {
    let Some(found) = exports.get(name) else {
        let text = format!(
            "its interface needs the export {name}, which the module lacks: the generated code and the interface differ; build it anew"
        );
        return Err(Error::new(ErrorKind::InvalidPlugin, text));
    };
    compare(&format!("the export {name}"), found, params, result)
}

fn compare(what: &str, found: &CoreType, params: &[ValType], result: Option<ValType>) -> Result<()> {
    let wanted = CoreType { params: params.to_vec(), results: result.into_iter().collect() };
    if *found == wanted {
        return Ok(());
    }
    let text = format!("{what} has the signature {found}, and its interface says {wanted}: build the plugin anew");
    Err(Error::new(ErrorKind::InvalidPlugin, text))
}

/// A function of which only the core types are known. `None` if these are not numbers.
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
