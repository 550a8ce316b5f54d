//! What a component says of itself, read without compiling it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use wasmparser::{Encoding, Parser, Payload};
use wit_component::{DecodedWasm, WitPrinter};
use wit_parser::{Resolve, WorldId, WorldItem, WorldKey};

use crate::compile::module::{ModuleInfo, ModuleKind, Section};
use crate::compile::proposals;
use crate::error::{Error, ErrorKind, Result};
use crate::interface::names;
use crate::platform::fiber;

/// The core modules within a component that may be in one: those of other languages have a few
/// tens, of which one is large.
pub(crate) const MAX_MODULES: usize = 128;
/// Components and types within each other: the decoder calls itself for what is nested.
const MAX_DEPTH: usize = 16;
/// Types of components and instances in one section. The parser calls itself for those within each
/// other, for up to 3 kB of stack, and a level takes three bytes.
const MAX_SCOPES: usize = 256;
/// Sections of types, instances, aliases, imports and exports.
const MAX_SECTIONS: usize = 10_000;

/// The core modules within a component, at any depth.
///
/// # Errors
///
/// `invalid-plugin` for a damaged component, or one with too many parts.
pub(crate) fn modules(bytes: &[u8]) -> Result<Vec<&[u8]>> {
    let (mut modules, mut depth, mut sections) = (Vec::new(), 0_usize, 0_usize);
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.map_err(|error| damaged(&error))? {
            Payload::ModuleSection { unchecked_range, .. } => {
                modules.push(bytes.get(unchecked_range).unwrap_or_default());
                if modules.len() > MAX_MODULES {
                    return Err(invalid(format!("it has more than {MAX_MODULES} core modules")));
                }
            }
            Payload::ComponentTypeSection(types) => {
                sections += 1;
                // What is within another is a declaration (1) of a component (0x41) or an instance
                // (0x42). A few other bytes are the same, so this may count too many.
                let types = bytes.get(types.range()).unwrap_or_default();
                if types.windows(2).filter(|pair| matches!(pair, [1, 0x41 | 0x42])).count() > MAX_SCOPES {
                    return Err(invalid(format!("it has more than {MAX_SCOPES} types of components and instances in a section")));
                }
            }
            Payload::Version { encoding: Encoding::Component, .. } => {
                depth += 1;
                sections += 1;
            }
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::Version { encoding: Encoding::Module, .. } => depth += 1,
            // Of the modules within: Python's have ten thousands.
            Payload::CodeSectionEntry(_) => {}
            _ => sections += 1,
        }
        if depth > MAX_DEPTH {
            return Err(invalid(format!("its components are nested deeper than {MAX_DEPTH}")));
        }
        if sections > MAX_SECTIONS {
            return Err(invalid(format!("it has more than {MAX_SECTIONS} sections")));
        }
    }
    Ok(modules)
}

/// Reads a component: its sections, and its world as WIT text. `unchecked` validates one that was
/// not compiled before.
///
/// # Errors
///
/// `invalid-plugin` for a damaged component, and for one whose world can't be read.
pub(crate) fn parse(bytes: &[u8], mut unchecked: Option<proposals::Sections>) -> Result<ModuleInfo> {
    modules(bytes)?;
    let sections = sections(bytes)?;
    // The validator and the decoder call themselves for what is nested, and this may be a thread
    // with a small stack.
    const NEEDED: usize = 2 << 20;
    let mut read = || {
        unchecked.as_mut().map_or(Ok(()), |unchecked| validate(bytes, unchecked))?;
        let wit = catch_unwind(AssertUnwindSafe(|| world(bytes))).unwrap_or_else(|_| Err("it is not as tools make it".to_owned()));
        wit.map_err(|reason| invalid(format!("the component's world can't be read: {reason}")))
    };
    let World { wit, wasi_exports, has_own_exports } = fiber::with_stack(NEEDED, |_| read())
        .unwrap_or_else(|error| Err(invalid(format!("no stack to read the component on: {error}"))))?;
    Ok(ModuleInfo {
        kind: ModuleKind::Component,
        wit: Some(wit),
        imports: Vec::new(),
        exports: Vec::new(),
        has_memory: false,
        go_version: None,
        wasi_exports,
        has_own_exports,
        sections,
        size: bytes.len(),
    })
}

/// Validates all but the bodies of functions, which the engine validates when it compiles them.
fn validate(bytes: &[u8], sections: &mut proposals::Sections) -> Result<()> {
    let mut payloads = Parser::new(0).parse_all(bytes);
    payloads.try_for_each(|payload| sections.check(&payload?)).map_err(|error| proposals::invalid(bytes, &error))
}

/// What a component says of its world.
struct World {
    /// As the text of a package.
    wit: String,
    wasi_exports: Vec<String>,
    has_own_exports: bool,
}

fn world(bytes: &[u8]) -> Result<World, String> {
    let decoded = wit_component::decode(bytes).map_err(|error| format!("{error:#}"))?;
    let DecodedWasm::Component(resolve, world) = decoded else {
        return Err("it is a package of WIT, which has no code".to_owned());
    };
    let package = resolve.worlds[world].package.ok_or("its world is in no package")?;
    let others: Vec<_> = resolve.packages.iter().map(|(id, _)| id).filter(|id| *id != package).collect();
    let mut printer = WitPrinter::default();
    printer.print(&resolve, package, &others).map_err(|error| format!("{error:#}"))?;
    let wasi_exports = wasi_exports(&resolve, world);
    let has_own_exports = resolve.worlds[world].exports.len() > wasi_exports.len();
    Ok(World { wit: printer.output.to_string(), wasi_exports, has_own_exports })
}

fn wasi_exports(resolve: &Resolve, world: WorldId) -> Vec<String> {
    let exported = resolve.worlds[world].exports.iter().filter_map(|(key, item)| match (key, item) {
        (WorldKey::Interface(id), WorldItem::Interface { .. }) => resolve.id_of(*id),
        _ => None,
    });
    exported.filter(|name| name.starts_with("wasi:")).collect()
}

/// The outermost sections.
fn sections(bytes: &[u8]) -> Result<Vec<Section>> {
    let (mut parser, mut rest, mut sections) = (Parser::new(0), bytes, Vec::new());
    loop {
        let parsed = parser.parse(rest, true).map_err(|error| damaged(&error))?;
        let wasmparser::Chunk::Parsed { consumed, payload } = parsed else { return Ok(sections) };
        rest = rest.get(consumed..).unwrap_or_default();
        let (name, range) = match &payload {
            Payload::End(_) => return Ok(sections),
            Payload::ModuleSection { unchecked_range, .. } => ("core module", unchecked_range.clone()),
            Payload::ComponentSection { unchecked_range, .. } => ("component", unchecked_range.clone()),
            Payload::CustomSection(custom) => {
                if let Some(error) = names::unfit("a section", custom.name()) {
                    return Err(error);
                }
                (custom.name(), custom.range())
            }
            other => match other.as_section() {
                Some((id, range)) => (component_section(id), range),
                None => continue,
            },
        };
        sections.push(Section { name: name.to_owned(), size: range.len() });
        if matches!(payload, Payload::ModuleSection { .. } | Payload::ComponentSection { .. }) {
            // Left unread: the parser goes on behind it.
            rest = rest.get(range.len()..).unwrap_or_default();
        }
    }
}

/// The name of a section of a component, by the Component Model's Binary.md.
#[must_use]
pub fn component_section(id: u8) -> &'static str {
    const NAMES: [&str; 12] = [
        "custom",
        "core module",
        "core instance",
        "core type",
        "component",
        "instance",
        "alias",
        "type",
        "canonical",
        "start",
        "import",
        "export",
    ];
    NAMES.get(usize::from(id)).copied().unwrap_or("unknown")
}

fn damaged(error: &wasmparser::Error) -> Error {
    invalid(format!("the component is damaged: {} (at byte {})", error.message(), error.offset()))
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidPlugin, message)
}
