//! What a module says of itself.

use undergo::interface::{Function, Interface, Resource, Side};
use undergo::{CoreImport, ModuleInfo, ModuleKind, Result};

use super::description::{Description, Kept, Member, Shown};
use crate::parts::Parts;
use crate::plugin::{self, bare_exports};

pub(super) fn describe(bytes: &[u8]) -> Result<Description> {
    let info = ModuleInfo::parse(bytes)?;
    let interface = info.wit.as_deref().map(Interface::parse).transpose()?;
    let title = match (info.kind, &info.wit) {
        (ModuleKind::Command, _) if info.is_callable() => "command whose functions can be called, after its main",
        (ModuleKind::Command, _) => "command: built without -buildmode=c-shared, so no function of it can be called",
        (_, Some(_)) => "plugin (reactor)",
        (_, None) => "bare plugin (reactor without an interface)",
    };
    let wasi: Vec<String> = info.imports.iter().filter(|import| import.module == plugin::WASI).map(|import| import.name.clone()).collect();
    Ok(Description {
        kind: info.kind.as_str(),
        title,
        callable: info.is_callable(),
        // Without an overlay or a package for it, Go programs import no function that opens a
        // socket.
        opens_sockets: wasi.iter().any(|name| name == "sock_open"),
        exports: exports(&info, interface.as_ref()),
        imports: imports(&info, interface.as_ref()),
        resources: interface.iter().flat_map(|interface| &interface.resources).map(kept).collect(),
        wasi,
        nested: Vec::new(),
        producers: Parts::read(bytes)?.producers,
        world: interface.map(|interface| interface.name),
        go: info.go_version,
        size: info.size,
        sections: info.sections,
        wit: info.wit,
    })
}

fn typed(module: Option<&str>, function: &Function) -> Shown {
    Shown {
        module: module.map(str::to_owned),
        name: function.name.clone(),
        signature: function.to_string(),
        docs: function.docs.clone(),
        typed: true,
    }
}

fn bare(module: Option<&str>, name: &str, ty: &impl ToString) -> Shown {
    let signature = format!("{name}{}", ty.to_string());
    Shown { module: module.map(str::to_owned), name: name.to_owned(), signature, docs: String::new(), typed: false }
}

fn exports(info: &ModuleInfo, interface: Option<&Interface>) -> Vec<Shown> {
    let typed = interface.into_iter().flat_map(|interface| &interface.exports).map(|function| typed(None, function));
    typed.chain(bare_exports(info, interface).map(|export| bare(None, &export.name, &export.ty))).collect()
}

fn imports(info: &ModuleInfo, interface: Option<&Interface>) -> Vec<Shown> {
    let one = |import: &CoreImport| match interface.and_then(|interface| interface.import(&import.module, &import.name)) {
        Some(function) => typed(Some(&import.module), function),
        None => bare(Some(&import.module), &import.name, &import.ty),
    };
    plugin::host_imports(info, interface).map(one).collect()
}

fn kept(resource: &Resource) -> Kept {
    let member = |name: &str, function: &Function| Member {
        name: name.to_owned(),
        signature: member_signature(name, function),
        docs: function.docs.clone(),
    };
    Kept {
        module: None,
        name: resource.ty.name.clone(),
        of_guest: resource.ty.side == Side::Guest,
        docs: resource.ty.docs.clone(),
        constructor: resource.constructor.as_deref().map(|constructor| member("constructor", constructor)),
        methods: resource.ty.methods.iter().zip(&resource.methods).map(|(name, method)| member(name, method)).collect(),
    }
}

/// A function of a resource, as WIT has it there: without the object.
fn member_signature(name: &str, function: &Function) -> String {
    let params: Vec<String> = function.own_params().iter().map(|param| format!("{}: {}", param.name, param.ty)).collect();
    let whole = function.to_string();
    let result = whole.split_once(')').map_or("", |(_, result)| result);
    format!("{name}({}){result}", params.join(", "))
}
