//! A module becomes a component, or the reason is said why it does not.

use anyhow::{Context, Result, bail};
use undergo::{ModuleInfo, ModuleKind};
use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER as COMMAND, WASI_SNAPSHOT_PREVIEW1_PROXY_ADAPTER as PROXY,
    WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER as REACTOR,
};
use wasmparser::{KnownCustom, Parser, Payload, Validator};
use wit_component::ComponentEncoder;

use super::target::{Declared, Target};
use super::{Features, memory, world};
use crate::plugin::WASI;

/// The custom section with a world, as tools of the Component Model write it. More of the name may
/// follow.
const WORLD_SECTION: &str = "component-type";

/// What servers export, and programs that want their environment import.
const HANDLER: &str = "wasi:http/incoming-handler";
const ENVIRONMENT: &str = "wasi:cli/environment";

/// The component of a module.
pub(crate) fn component(module: &[u8], features: &Features) -> Result<Vec<u8>> {
    let info = check(module)?;
    let has_world = info.kind == ModuleKind::Reactor && info.wit.is_some() || has_world_section(module)?;
    check_exports(&info, has_world)?;
    if info.kind == ModuleKind::Command {
        check_imports(&info, COMMAND, has_world)?;
        return encode(&with_memory(module, &info)?, COMMAND);
    }
    check_imports(&info, REACTOR, has_world)?;
    let mut module = with_memory(module, &info)?;
    if let Some(wit) = &info.wit {
        let (resolve, world) = world::read(wit, features)?;
        world::embed(&mut module, &resolve, world).context("its interface can't be that of a component")?;
    }
    encode(&module, REACTOR)
}

/// The component of a module that was built from Go source, for the world that is asked for, or for
/// that of its own interface and of what it uses of WASI.
pub(crate) fn built(module: &[u8], features: &Features, target: Option<&Target>, declared: &Declared) -> Result<Vec<u8>> {
    let info = check(module)?;
    let own;
    let target = match target {
        Some(target) => target,
        None => {
            let wit = info.wit.as_deref().filter(|_| info.kind == ModuleKind::Reactor);
            let raw = world::Raw::of(&info, wit)?;
            if raw.is_empty() {
                return component(module, features);
            }
            let (resolve, world) = raw.world(wit, features).context("its interface can't be that of a component")?;
            own = Target::of(resolve, world);
            &own
        }
    };
    check_exports(&info, true)?;
    if info.kind == ModuleKind::Command {
        check_imports(&info, COMMAND, true)?;
        return encode(&target.give_program(with_memory(module, &info)?, &info, declared)?, COMMAND);
    }
    // That a server needs nothing else of WASI makes it run wherever servers do.
    let is_server = target.exports(HANDLER) && target.has_one_export() && !target.imports(ENVIRONMENT);
    let adapter = if is_server { PROXY } else { REACTOR };
    check_imports(&info, adapter, true)?;
    let module = target.give(&with_memory(module, &info)?, &info, features, declared)?;
    encode(&module, adapter)
}

/// Refuses what is no module that can be adapted.
fn check(module: &[u8]) -> Result<ModuleInfo> {
    if Parser::is_component(module) {
        bail!("it is a component already: use it as it is");
    }
    let info = ModuleInfo::parse(module)?;
    Validator::new().validate_all(module).context("the module is damaged")?;
    if info.export("cabi_realloc").is_none() && is_of_tinygo(module)? {
        bail!(
            "TinyGo's runtime takes all memory that is added for its own, the adapter's with it: build a component by TinyGo itself, by \
             'tinygo build -target=wasip2'"
        );
    }
    Ok(info)
}

/// The module, with memory for the adapter if it is one of Go.
fn with_memory(module: &[u8], info: &ModuleInfo) -> Result<Vec<u8>> {
    if info.go_version.is_some() { memory::reserve(module) } else { Ok(module.to_vec()) }
}

fn encode(module: &[u8], adapter: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = ComponentEncoder::default().validate(true).module(module)?.adapter(WASI, adapter)?;
    encoder.encode().context("its functions and its interface don't fit each other")
}

/// Refuses what lacks an interface, or has one by a contract that components don't have.
fn check_exports(info: &ModuleInfo, has_world: bool) -> Result<()> {
    if !info.has_memory {
        bail!("it exports no memory of the name 'memory', which WASI needs");
    }
    if info.kind == ModuleKind::Command {
        return Ok(());
    }
    if info.export("undergo_arena").is_some() {
        bail!(
            "it is a plugin for Undergo's hosts, whose memory for arguments is in Go's heap, and a component's can't be: \
             build it from its source, by 'undergo build --component', with the guest SDK of undergo {} or newer",
            undergo::VERSION
        );
    }
    if !has_world {
        bail!(
            "it is no program, and has no interface: of Go source, write //undergo:export above each function that can be called, and build it by \
             'undergo build --component'; for a module of another language, wit-bindgen makes an interface, and 'wasm-tools component embed' adds one"
        );
    }
    Ok(())
}

fn has_world_section(module: &[u8]) -> Result<bool> {
    for payload in Parser::new(0).parse_all(module) {
        if let Payload::CustomSection(section) = payload?
            && section.name().starts_with(WORLD_SECTION)
        {
            return Ok(true);
        }
    }
    Ok(false)
}

fn is_of_tinygo(module: &[u8]) -> Result<bool> {
    for payload in Parser::new(0).parse_all(module) {
        let Payload::CustomSection(section) = payload? else { continue };
        let KnownCustom::Producers(fields) = section.as_known() else { continue };
        for field in fields {
            for value in field?.values {
                if value?.name == "TinyGo" {
                    return Ok(true);
                }
            }
        }
    }
    Ok(false)
}

/// Refuses imports that no component can have.
fn check_imports(info: &ModuleInfo, adapter: &[u8], has_world: bool) -> Result<()> {
    let known = exports(adapter)?;
    for import in &info.imports {
        match import.module.as_str() {
            WASI if known.contains(&import.name.as_str()) => {}
            WASI if import.name.starts_with("sock_") => {
                bail!("it uses Undergo's sockets for package net ({}), which components don't have: build it without --net", import.name)
            }
            WASI => bail!("it imports {} of WASI preview 1, which no engine has", import.name),
            "wasi_unstable" => bail!("it was built for an older WASI than preview 1 (wasi_unstable): build it for wasip1"),
            "gojs" | "go" => bail!("it was built for a browser: set GOOS=wasip1 instead of js"),
            module if world::GIVEN.contains(&module) => bail!(
                "it imports {} from {}, which only Undergo's hosts give: build it from its source, by 'undergo build --component'",
                import.name,
                import.module
            ),
            _ if !has_world => bail!(
                "it imports {} from the module '{}', and a component has only what its interface names: link what defines that function, \
                 or add an interface that declares it, by 'wasm-tools component embed'",
                import.name,
                import.module
            ),
            _ => {}
        }
    }
    Ok(())
}

/// The names of what a module exports.
fn exports(module: &[u8]) -> Result<Vec<&str>> {
    let mut names = Vec::new();
    for payload in Parser::new(0).parse_all(module) {
        if let Payload::ExportSection(section) = payload? {
            for export in section {
                names.push(export?.name);
            }
        }
    }
    Ok(names)
}
