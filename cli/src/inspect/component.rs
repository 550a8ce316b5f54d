//! What a component says of itself.

use undergo::host::escape;
use undergo::{Error, ErrorKind, Result};
use wit_component::WitPrinter;
use wit_parser::{Function, FunctionKind, Interface, Resolve, Type, TypeDefKind, TypeId, WorldId, WorldItem};

use super::description::{Description, Kept, Member, Shown};
use crate::parts::Parts;
use crate::worlds::Worlds;

/// The namespace of the interfaces that a host's WASI gives.
const WASI: &str = "wasi:";

pub(super) fn describe(bytes: &[u8]) -> Result<Description> {
    let worlds = Worlds::of_component(bytes)?;
    let wit = worlds.text(None).map_err(|error| Error::new(ErrorKind::InvalidPlugin, format!("{error:#}")))?;
    let parts = Parts::read(bytes)?;
    let mut items = Items::default();
    let own = worlds.own();
    if let Some(world) = own {
        items.of_world(&worlds.resolve, world);
    }
    Ok(Description {
        kind: if own.is_some() { "component" } else { "package" },
        callable: own.is_some(),
        title: if own.is_some() { "component" } else { "package of interfaces, without code" },
        opens_sockets: items.wasi.iter().any(|name| name.starts_with("wasi:sockets/")),
        go: parts.go(),
        size: bytes.len(),
        world: own.map(|world| worlds.resolve.worlds[world].name.clone()),
        wit: Some(wit),
        exports: items.exports,
        imports: items.imports,
        resources: items.resources,
        wasi: items.wasi,
        sections: parts.sections,
        nested: parts.nested,
        producers: parts.producers,
    })
}

/// What is in a world.
#[derive(Default)]
struct Items {
    exports: Vec<Shown>,
    imports: Vec<Shown>,
    resources: Vec<Kept>,
    wasi: Vec<String>,
}

impl Items {
    fn of_world(&mut self, resolve: &Resolve, world: WorldId) {
        let world = &resolve.worlds[world];
        let sides = world.imports.iter().map(|item| (item, false)).chain(world.exports.iter().map(|item| (item, true)));
        for ((key, item), of_guest) in sides {
            let name = resolve.name_world_key(key);
            let functions = if of_guest { &mut self.exports } else { &mut self.imports };
            match item {
                WorldItem::Interface { .. } if !of_guest && name.starts_with(WASI) => self.wasi.push(name),
                WorldItem::Interface { id, .. } => {
                    let interface = &resolve.interfaces[*id];
                    let own = interface.functions.values().filter(|function| function.kind.resource().is_none());
                    functions.extend(own.map(|function| shown(resolve, Some(&name), function)));
                    self.resources.extend(of_interface(resolve, &name, interface, of_guest));
                }
                // Those of a resource stand in the world like others.
                WorldItem::Function(function) => functions.push(shown(resolve, None, function)),
                WorldItem::Type { id, .. } if is_resource(resolve, *id) => {
                    self.resources.push(kept(resolve, None, *id, of_guest, Vec::new()));
                }
                WorldItem::Type { .. } => {}
            }
        }
    }
}

fn is_resource(resolve: &Resolve, id: TypeId) -> bool {
    matches!(resolve.types[id].kind, TypeDefKind::Resource)
}

fn shown(resolve: &Resolve, module: Option<&str>, function: &Function) -> Shown {
    Shown {
        module: module.map(str::to_owned),
        name: function.name.clone(),
        signature: signature(resolve, &function.name, function, 0),
        docs: docs(&function.docs),
        typed: true,
    }
}

fn of_interface(resolve: &Resolve, name: &str, interface: &Interface, of_guest: bool) -> Vec<Kept> {
    let resources = interface.types.values().filter(|id| is_resource(resolve, **id));
    let mut found: Vec<Kept> = resources.map(|id| kept(resolve, Some(name), *id, of_guest, Vec::new())).collect();
    for function in interface.functions.values() {
        let Some(resource) = function.kind.resource().and_then(|id| resolve.types[id].name.as_deref()) else { continue };
        let Some(kept) = found.iter_mut().find(|kept| kept.name == resource) else { continue };
        if let FunctionKind::Constructor(_) = function.kind {
            kept.constructor = Some(member(resolve, "constructor", function));
        } else {
            kept.methods.push(member(resolve, function.item_name(), function));
        }
    }
    found
}

fn kept(resolve: &Resolve, module: Option<&str>, id: TypeId, of_guest: bool, methods: Vec<Member>) -> Kept {
    let def = &resolve.types[id];
    Kept {
        module: module.map(str::to_owned),
        name: def.name.clone().unwrap_or_default(),
        of_guest,
        docs: docs(&def.docs),
        constructor: None,
        methods,
    }
}

fn member(resolve: &Resolve, name: &str, function: &Function) -> Member {
    let skipped = usize::from(matches!(function.kind, FunctionKind::Method(_) | FunctionKind::AsyncMethod(_)));
    Member { name: name.to_owned(), signature: signature(resolve, name, function, skipped), docs: docs(&function.docs) }
}

/// As in WIT, without the first parameters.
fn signature(resolve: &Resolve, name: &str, function: &Function, skipped: usize) -> String {
    let params: Vec<String> =
        function.params.iter().skip(skipped).map(|param| format!("{}: {}", param.name, type_name(resolve, &param.ty))).collect();
    let result = match &function.result {
        // A constructor's is its resource, unless it can fail.
        Some(Type::Id(id)) if matches!(function.kind, FunctionKind::Constructor(_)) && is_own(resolve, *id) => String::new(),
        Some(ty) => format!(" -> {}", type_name(resolve, ty)),
        None => String::new(),
    };
    let prefix = match function.kind {
        FunctionKind::Static(_) => "static ",
        FunctionKind::AsyncStatic(_) => "static async ",
        FunctionKind::AsyncFreestanding | FunctionKind::AsyncMethod(_) => "async ",
        FunctionKind::Freestanding | FunctionKind::Method(_) | FunctionKind::Constructor(_) => "",
    };
    format!("{prefix}{name}({}){result}", params.join(", "))
}

fn is_own(resolve: &Resolve, id: TypeId) -> bool {
    matches!(resolve.types[id].kind, TypeDefKind::Handle(_))
}

fn type_name(resolve: &Resolve, ty: &Type) -> String {
    let mut printer = WitPrinter::default();
    match printer.print_type_name(resolve, ty) {
        Ok(()) => printer.output.to_string(),
        Err(_) => "?".to_owned(),
    }
}

fn docs(docs: &wit_parser::Docs) -> String {
    docs.contents.as_deref().map(escape::docs).unwrap_or_default()
}
