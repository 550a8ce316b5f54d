//! Links components: WASI 0.2, and the functions that the host provides.

use std::collections::HashMap;
use std::sync::Arc;

use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, InstancePre, Linker};
use wasmtime::{AsContextMut as _, Engine};

use crate::call::component::answer;
use crate::error::{Error, Result};
use crate::guest::host::Import;
use crate::guest::state::State;
use crate::plugin::linked::unlinked;
use crate::wasi::preview2;

/// Links a component. An import calls the host function with the same number in the instance's
/// state.
pub(crate) fn link(engine: &Engine, component: &Component, imports: &Arc<[Import]>) -> Result<InstancePre<State>> {
    let linked = define(engine, component, imports).and_then(|linker| linker.instantiate_pre(component));
    linked.map_err(|error| unlinked(&error))
}

fn define(engine: &Engine, component: &Component, imports: &Arc<[Import]>) -> wasmtime::Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    preview2::link(&mut linker)?;
    let numbers: HashMap<(&str, &str), usize> =
        imports.iter().enumerate().map(|(number, import)| ((import.module.as_str(), import.name.as_str()), number)).collect();
    for (interface, item) in component.component_type().imports(engine) {
        let ComponentItem::ComponentInstance(instance) = item.ty else { continue };
        let functions: Vec<_> = instance.exports(engine).filter_map(|(name, _)| Some((name, *numbers.get(&(interface, name))?))).collect();
        if functions.is_empty() && preview2::provides(interface) {
            continue;
        }
        // An interface that has only types has to be there, too.
        let mut linked = linker.instance(interface)?;
        for (name, number) in functions {
            let all = imports.clone();
            linked.func_new_async(name, move |mut store, _, params, results| {
                let all = all.clone();
                Box::new(async move {
                    let answered = answer(&all[number], number, store.as_context_mut(), params, results).await;
                    answered.map_err(Error::into_wasmtime)
                })
            })?;
        }
    }
    Ok(linker)
}
