//! Linked code, from which instances are created quickly.

use std::collections::HashMap;
use std::mem::MaybeUninit;
use std::sync::{Arc, OnceLock};

use wasmtime::{AsContextMut, Caller, Engine, FuncType, InstancePre, Linker, Module, Val, ValRaw, component};

use crate::call::host_call::{dispatch, dispatch_here};
use crate::call::invoke::{raw, value};
use crate::compile::engine::{self, Settings};
use crate::compile::program::Program;
use crate::error::{Error, ErrorKind, Result};
use crate::guest::host::Import;
use crate::guest::state::State;
use crate::interface::{Interface, ResourceType, Side, SlotKind};
use crate::platform::fork::{self, Kept};
use crate::plugin::components;
use crate::sched::driver::Driver;
use crate::wasi::linker;
use crate::wasi::sockets::versions::Versions;

/// A program for an engine, with its imports resolved.
pub(crate) struct Linked {
    pub(crate) settings: Settings,
    pub(crate) engine: &'static Engine,
    program: Kept<Program>,
    /// How many functions the module imports, counted with repetitions: its own functions are
    /// numbered after these.
    pub(crate) imported: u32,
    imports: Arc<[Import]>,
    /// The resources that the host implements, for a component.
    resources: Box<[Arc<ResourceType>]>,
    direct: OnceLock<Result<Kept<InstancePre<State>>>>,
    on_fibers: OnceLock<Result<Kept<InstancePre<State>>>>,
    component: OnceLock<Result<Kept<component::InstancePre<State>>>>,
}

/// What an instance is made from.
pub(crate) enum Pre<'l> {
    Module(&'l InstancePre<State>),
    Component(&'l component::InstancePre<State>),
}

impl Linked {
    pub(crate) fn new(settings: Settings, program: Program, imports: &Arc<[Import]>, interface: Option<&Interface>) -> Result<Linked> {
        let imported = match &program {
            Program::Module(module) => module.imports().filter(|import| import.ty().func().is_some()).count() as u32,
            Program::Component(_) => 0,
        };
        let engine = engine::engine(settings)?;
        let (direct, on_fibers, component) = (OnceLock::new(), OnceLock::new(), OnceLock::new());
        let (program, imports) = (Kept::new(program), imports.clone());
        let all = interface.iter().flat_map(|interface| &interface.resources);
        let resources = all.filter(|resource| resource.ty.side == Side::Host).map(|resource| resource.ty.clone()).collect();
        Ok(Linked { settings, engine, program, imported, imports, resources, direct, on_fibers, component })
    }

    /// Links it, so that a damaged program is reported before the first instance is made.
    pub(crate) fn check(&self) -> Result<()> {
        self.pre(Driver::Direct).map(drop)
    }

    /// Links for instances with that driver. Those of components are always on fibers.
    pub(crate) fn pre(&self, driver: Driver) -> Result<Pre<'_>> {
        let _held = fork::hold()?;
        let module = match &*self.program {
            Program::Module(module) => module,
            Program::Component(program) => {
                let link = || components::link(self.engine, program, &self.imports, &self.resources).map(Kept::new);
                let linked = self.component.get_or_init(link);
                return linked.as_deref().map(Pre::Component).map_err(Clone::clone);
            }
        };
        let place = match driver {
            Driver::Direct => &self.direct,
            Driver::Fiber => &self.on_fibers,
        };
        place.get_or_init(|| self.link(module, driver).map(Kept::new)).as_deref().map(Pre::Module).map_err(Clone::clone)
    }

    /// Links WASI, and each import once: an import calls the host function with the same number in
    /// the instance's state.
    fn link(&self, module: &Module, driver: Driver) -> Result<InstancePre<State>> {
        let versions = Versions::of(module);
        let mut linker = Linker::new(self.engine);
        linker::link(&mut linker, driver, versions).map_err(|error| unlinked(&error))?;
        let declared = declared(module);
        for (number, import) in self.imports.iter().enumerate() {
            if let Some(ty) = declared.get(&(import.module.as_str(), import.name.as_str())) {
                define(&mut linker, driver, &self.imports, number, ty.clone()).map_err(|error| unlinked(&error))?;
            }
        }
        linker.instantiate_pre(module).map_err(|error| unlinked(&error))
    }
}

/// Defines the import of that number.
fn define(linker: &mut Linker<State>, driver: Driver, imports: &Arc<[Import]>, number: usize, ty: FuncType) -> wasmtime::Result<()> {
    let (import, all) = (&imports[number], imports.clone());
    match driver {
        Driver::Direct => {
            let call = move |mut caller: Caller<'_, State>, raw: &mut [MaybeUninit<ValRaw>]| {
                dispatch_here(&all[number], number, caller.as_context_mut(), raw).map_err(Error::into_wasmtime)
            };
            // SAFETY: the function reads the parameters and writes the result of the types that
            // `signatures.rs` has compared with `ty`.
            unsafe { linker.func_new_unchecked(&import.module, &import.name, ty, call) }.map(drop)
        }
        Driver::Fiber => linker
            .func_new_async(&import.module, &import.name, ty, move |caller, params, results| {
                let all = all.clone();
                Box::new(async move { on_fiber(&all[number], number, caller, params, results).await.map_err(Error::into_wasmtime) })
            })
            .map(drop),
    }
}

async fn on_fiber(import: &Import, number: usize, mut caller: Caller<'_, State>, params: &[Val], results: &mut [Val]) -> Result<()> {
    let mut values: Vec<MaybeUninit<ValRaw>> = params.iter().map(|param| MaybeUninit::new(raw(param))).collect();
    // Room for the result, which overwrites the parameters.
    values.resize(values.len().max(1), MaybeUninit::new(ValRaw::u64(0)));
    dispatch(import, number, caller.as_context_mut(), &mut values).await?;
    if let (Some(result), Some(given)) = (results.first_mut(), values.first()) {
        let kind = import.function.abi.result.flat.map_or(SlotKind::I32, |slot| slot.kind);
        // SAFETY: all of them were written above, and `dispatch` writes whole values.
        *result = value(kind, unsafe { given.assume_init() });
    }
    Ok(())
}

/// The functions that the module imports, each with its type there.
fn declared(module: &Module) -> HashMap<(&str, &str), FuncType> {
    module.imports().filter_map(|import| Some(((import.module(), import.name()), import.ty().func()?.clone()))).collect()
}

pub(crate) fn unlinked(error: &wasmtime::Error) -> Error {
    Error::new(ErrorKind::InvalidPlugin, format!("it can't be linked: {error:#}"))
}
