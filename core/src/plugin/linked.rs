//! A plugin's code, linked: what an instance is made of at once.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use wasmtime::{Engine, FuncType, InstancePre, Linker, Module};

use crate::call::async_host_call;
use crate::call::host_call::{self, Import};
use crate::compile::engine::{self, Settings};
use crate::error::{Error, ErrorKind, Result};
use crate::guest::state::State;
use crate::platform::fork::{self, Kept};
use crate::wasi::linker;
use crate::wasi::sockets::versions::Versions;
use crate::wasi::waiting::Waiting;

/// A module for the engine of some settings, with its imports resolved.
pub(crate) struct Ready {
    pub(crate) settings: Settings,
    pub(crate) engine: &'static Engine,
    pub(crate) pre: Kept<InstancePre<State>>,
    /// How many functions the module imports, each as often as it does so: the others are numbered behind these.
    pub(crate) imported: u32,
    imports: Arc<[Import]>,
    async_pre: OnceLock<Result<Kept<InstancePre<State>>>>,
}

impl Ready {
    pub(crate) fn new(settings: Settings, module: &Module, all: &Arc<[Import]>) -> Result<Ready> {
        let engine = engine::engine(settings)?;
        let mut linker = Linker::new(engine);
        linker::link(&mut linker, Waiting::Thread, Versions::of(module)).map_err(|error| unlinked(&error))?;
        let pre = Kept::new(link(linker, module, all)?);
        let imported = module.imports().filter(|import| import.ty().func().is_some()).count() as u32;
        Ok(Ready { settings, engine, pre, imported, imports: all.clone(), async_pre: OnceLock::new() })
    }

    /// For instances on fibers.
    pub(crate) fn async_pre(&self) -> Result<&InstancePre<State>> {
        let _held = fork::hold()?;
        let made = self.async_pre.get_or_init(|| {
            let mut linker = Linker::new(self.engine);
            linker::link(&mut linker, Waiting::Task, Versions::of(self.pre.module())).map_err(|error| unlinked(&error))?;
            link_async(linker, self.pre.module(), &self.imports).map(Kept::new)
        });
        made.as_deref().map_err(Clone::clone)
    }
}

/// Gives the linker, which has WASI already, each import once: it goes to the host function that the instance's state names by the same number.
pub(crate) fn link(mut linker: Linker<State>, module: &Module, imports: &Arc<[Import]>) -> Result<InstancePre<State>> {
    let declared = declared(module);
    for (i, import) in imports.iter().enumerate() {
        let Some(ty) = declared.get(&(import.module.as_str(), import.name.as_str())).cloned() else { continue };
        let all = imports.clone();
        let call = move |caller: wasmtime::Caller<'_, State>, raw: &mut [std::mem::MaybeUninit<wasmtime::ValRaw>]| {
            host_call::dispatch(&all[i], i, caller, raw).map_err(Error::into_wasmtime)
        };
        // SAFETY: the function reads as many parameters and writes the result of the type that `signatures.rs` compared with `ty`.
        unsafe { linker.func_new_unchecked(&import.module, &import.name, ty, call) }.map_err(|error| unlinked(&error))?;
    }
    linker.instantiate_pre(module).map_err(|error| unlinked(&error))
}

/// The same for instances on fibers.
fn link_async(mut linker: Linker<State>, module: &Module, imports: &Arc<[Import]>) -> Result<InstancePre<State>> {
    let declared = declared(module);
    for (i, import) in imports.iter().enumerate() {
        let Some(ty) = declared.get(&(import.module.as_str(), import.name.as_str())).cloned() else { continue };
        let all = imports.clone();
        let linked = linker.func_new_async(&import.module, &import.name, ty, move |caller, params, results| {
            let all = all.clone();
            Box::new(async move { async_host_call::dispatch(&all[i], i, caller, params, results).await.map_err(Error::into_wasmtime) })
        });
        linked.map_err(|error| unlinked(&error))?;
    }
    linker.instantiate_pre(module).map_err(|error| unlinked(&error))
}

/// The functions that the module imports, each with the type that it has there.
fn declared(module: &Module) -> HashMap<(&str, &str), FuncType> {
    module.imports().filter_map(|import| Some(((import.module(), import.name()), import.ty().func()?.clone()))).collect()
}

fn unlinked(error: &wasmtime::Error) -> Error {
    Error::new(ErrorKind::InvalidPlugin, format!("the module can't be linked: {error:#}"))
}
