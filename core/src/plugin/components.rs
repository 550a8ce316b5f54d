//! Links components: WASI 0.2, and the functions and resources that the host provides.

use std::collections::HashMap;
use std::sync::Arc;

use wasmtime::component::types::{ComponentFunc, ComponentItem};
use wasmtime::component::{Component, InstancePre, Linker, LinkerInstance, ResourceType as EngineType};
use wasmtime::{AsContextMut as _, Engine};

use crate::call::component::{answer, drop_object};
#[cfg(feature = "wasi-0-3")]
use crate::call::concurrent;
use crate::error::{Error, Result};
use crate::guest::host::Import;
use crate::guest::state::State;
use crate::interface::{ResourceType, Side, WORLD};
use crate::plugin::linked::unlinked;
#[cfg(feature = "wasi-0-3")]
use crate::wasi::preview3;
use crate::wasi::{http, preview2};

/// Links a component. An import calls the host function with the same number in the instance's
/// state.
pub(crate) fn link(
    engine: &Engine,
    component: &Component,
    imports: &Arc<[Import]>,
    resources: &[Arc<ResourceType>],
) -> Result<InstancePre<State>> {
    let linked = define(engine, component, imports, resources).and_then(|linker| linker.instantiate_pre(component));
    linked.map_err(|error| unlinked(&error))
}

fn define(
    engine: &Engine,
    component: &Component,
    imports: &Arc<[Import]>,
    resources: &[Arc<ResourceType>],
) -> wasmtime::Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    preview2::link(&mut linker)?;
    #[cfg(feature = "wasi-0-3")]
    if engine.get_concurrency_support() {
        preview3::link(&mut linker)?;
    }
    http::link(&mut linker)?;
    let number = |(number, import): (usize, &Import)| ((import.module.clone(), import.function.core_name.clone()), number);
    let numbers: HashMap<(String, String), usize> = imports.iter().enumerate().map(number).collect();
    let mut known = Known { resources, aliases: Vec::new() };
    for (name, item) in component.component_type().imports(engine) {
        let number = |interface: &str, name: &str| numbers.get(&(interface.to_owned(), name.to_owned())).copied();
        match item.ty {
            ComponentItem::ComponentFunc(function) => {
                if let Some(number) = number(WORLD, name) {
                    define_function(&mut linker.root(), name, imports, number, &function)?;
                }
            }
            ComponentItem::ComponentInstance(instance) => {
                let items: Vec<_> = instance.exports(engine).collect();
                let functions: Vec<_> = items.iter().filter_map(|(item, ty)| Some((*item, number(name, item)?, &ty.ty))).collect();
                if functions.is_empty() && preview2::provides(name) {
                    continue;
                }
                // An interface that has only types has to be there, too.
                let mut linked = linker.instance(name)?;
                for (item, ty) in &items {
                    if let ComponentItem::Resource(ty) = ty.ty
                        && let Some(resource) = known.resource(name, item, ty)
                    {
                        linked.resource_async(item, EngineType::host_dynamic(resource.id), move |store, number| {
                            let resource = resource.clone();
                            Box::new(async move { drop_object(store, &resource, number).await.map_err(Error::into_wasmtime) })
                        })?;
                    }
                }
                for (item, number, ty) in functions {
                    if let ComponentItem::ComponentFunc(function) = ty {
                        define_function(&mut linked, item, imports, number, function)?;
                    }
                }
            }
            _ => {}
        }
    }
    Ok(linker)
}

/// The resources that the host implements. An interface may have another's, by whatever name.
struct Known<'r> {
    resources: &'r [Arc<ResourceType>],
    aliases: Vec<(EngineType, Arc<ResourceType>)>,
}

impl Known<'_> {
    fn resource(&mut self, interface: &str, name: &str, ty: EngineType) -> Option<Arc<ResourceType>> {
        if let Some((_, resource)) = self.aliases.iter().find(|(known, _)| *known == ty) {
            return Some(resource.clone());
        }
        let is_it =
            |resource: &&Arc<ResourceType>| resource.side == Side::Host && resource.interface == interface && resource.core_name == name;
        let resource = self.resources.iter().find(is_it)?;
        self.aliases.push((ty, resource.clone()));
        Some(resource.clone())
    }
}

fn define_function(
    linked: &mut LinkerInstance<'_, State>,
    name: &str,
    imports: &Arc<[Import]>,
    number: usize,
    function: &ComponentFunc,
) -> wasmtime::Result<()> {
    #[cfg(feature = "wasi-0-3")]
    if function.async_() {
        return concurrent::define(linked, name, imports, number);
    }
    let _ = function;
    let all = imports.clone();
    linked.func_new_async(name, move |mut store, _, params, results| {
        let all = all.clone();
        Box::new(async move {
            let answered = answer(&all[number], number, store.as_context_mut(), params, results).await;
            answered.map_err(Error::into_wasmtime)
        })
    })
}
