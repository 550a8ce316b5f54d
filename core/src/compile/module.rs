//! What a module says of itself, read without compiling it.

use std::collections::HashSet;
use std::fmt;

use memchr::memmem;
use wasmparser::{CompositeInnerType, ExternalKind, Parser, Payload, TypeRef, ValType};

use crate::compile::component;
use crate::compile::program::is_component;
use crate::compile::proposals;
use crate::error::{Error, ErrorKind, Result};
use crate::interface::{Interface, names};

/// A module's parts.
#[cfg_attr(not(feature = "host"), non_exhaustive)]
#[derive(Clone, Debug)]
pub struct ModuleInfo {
    /// How it is to be run.
    pub kind: ModuleKind,
    /// The WIT text that it carries, if any.
    pub wit: Option<String>,
    /// The functions that it imports, each once.
    pub imports: Vec<CoreImport>,
    /// The functions that it exports.
    pub exports: Vec<CoreFunction>,
    /// Whether it exports a memory of the name `memory`.
    pub has_memory: bool,
    /// The interfaces of WASI that a component exports, such as `wasi:cli/run@0.2.6`.
    pub wasi_exports: Vec<String>,
    /// Whether a component exports anything else.
    pub has_own_exports: bool,
    /// The version of Go that compiled it: `go1.26.8`, say.
    pub go_version: Option<String>,
    /// Its sections with their sizes in bytes, in order.
    pub sections: Vec<Section>,
    /// Its size in bytes.
    pub size: usize,
}

/// How a module is to be run.
#[cfg_attr(not(feature = "host"), non_exhaustive)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModuleKind {
    /// `_initialize`, then any export.
    Reactor,
    /// `_start`, and that is all, unless [`is_callable`](ModuleInfo::is_callable) says otherwise.
    Command,
    /// A component, whose exported functions may be called.
    Component,
}

impl ModuleKind {
    /// `reactor`, `command` or `component`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            ModuleKind::Reactor => "reactor",
            ModuleKind::Command => "command",
            ModuleKind::Component => "component",
        }
    }

    /// The function that runs first.
    pub(crate) const fn begin(self) -> &'static str {
        match self {
            // Components have no function that runs first: their modules' start functions do.
            ModuleKind::Reactor | ModuleKind::Component => "_initialize",
            ModuleKind::Command => "_start",
        }
    }
}

/// A function's core signature under its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoreFunction {
    /// The name.
    pub name: String,
    /// The signature.
    pub ty: CoreType,
}

/// An imported function.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CoreImport {
    /// The module that it is imported from.
    pub module: String,
    /// Its name there.
    pub name: String,
    /// The signature.
    pub ty: CoreType,
}

/// A core signature.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CoreType {
    /// The parameters.
    pub params: Vec<ValType>,
    /// The results.
    pub results: Vec<ValType>,
}

impl fmt::Display for CoreType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |types: &[ValType]| types.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        write!(f, "({})", list(&self.params))?;
        match self.results.as_slice() {
            [] => Ok(()),
            [one] => write!(f, " -> {one}"),
            more => write!(f, " -> ({})", list(more)),
        }
    }
}

/// A section of a module.
#[derive(Clone, Debug)]
pub struct Section {
    /// `code`, `data`, or the name of a custom section.
    pub name: String,
    /// Its size in bytes.
    pub size: usize,
}

impl ModuleInfo {
    /// The interface that it carries, if any.
    ///
    /// # Errors
    ///
    /// `invalid-plugin` for one that can't be read.
    pub fn interface(&self) -> Result<Option<Interface>> {
        let parse = if self.kind == ModuleKind::Component { Interface::parse_component } else { Interface::parse };
        self.wit.as_deref().map(parse).transpose()
    }

    /// Reads a module, or a component.
    ///
    /// # Errors
    ///
    /// `invalid-plugin` when the bytes are neither a core WebAssembly module nor a component, or
    /// carry an interface that this version can't read.
    pub fn parse(bytes: &[u8]) -> Result<ModuleInfo> {
        ModuleInfo::parse_for(bytes, cfg!(feature = "wasi-0-3"))
    }

    /// The same, where functions of components may suspend or not.
    pub(crate) fn parse_for(bytes: &[u8], suspends: bool) -> Result<ModuleInfo> {
        ModuleInfo::read(bytes, Some(proposals::Sections::of(bytes, suspends)))
    }

    /// The same for bytes that were valid when they were compiled. To validate the data of a module
    /// of Go takes longer than the rest of loading it.
    pub(crate) fn parse_valid(bytes: &[u8]) -> Result<ModuleInfo> {
        ModuleInfo::read(bytes, None)
    }

    fn read(bytes: &[u8], mut sections: Option<proposals::Sections>) -> Result<ModuleInfo> {
        if is_component(bytes) {
            return component::parse(bytes, sections);
        }
        check_preamble(bytes)?;
        let mut reader = ModuleReader::default();
        for payload in Parser::new(0).parse_all(bytes) {
            let read = payload.and_then(|payload| {
                sections.as_mut().map_or(Ok(()), |sections| sections.check(&payload))?;
                reader.payload(&payload, bytes)
            });
            read.map_err(|error| {
                let damaged = || invalid(format!("the module is damaged: {} (at byte {})", error.message(), error.offset()));
                proposals::refused(&error).unwrap_or_else(damaged)
            })?;
        }
        reader.finish(bytes.len())
    }

    /// The export of that name.
    #[must_use]
    pub fn export(&self, name: &str) -> Option<&CoreFunction> {
        self.exports.iter().find(|export| export.name == name)
    }

    /// Whether it is a program: a command, or a component that exports `wasi:cli/run`.
    #[must_use]
    pub fn is_program(&self) -> bool {
        self.kind == ModuleKind::Command || self.wasi_export(RUN).is_some()
    }

    /// The whole name of an interface of WASI that a component exports: that of 0.3, or else of
    /// 0.2, which Rust's standard library exports beside the program's own.
    pub(crate) fn wasi_export(&self, interface: &str) -> Option<&str> {
        let of = |version: &str| {
            let is_it = |name: &&String| name.strip_prefix(interface).is_some_and(|rest| rest.starts_with(version));
            self.wasi_exports.iter().find(is_it).map(String::as_str)
        };
        of("@0.3.").or_else(|| of("@0.2."))
    }

    /// Whether its functions can be called: those of a reactor; those of a component, unless it
    /// exports interfaces of WASI alone; and those that a command of another compiler than Go's own
    /// has besides its `main`, which `_start` runs first. Go's own ends the program when `main`
    /// returns.
    #[must_use]
    pub fn is_callable(&self) -> bool {
        match self.kind {
            ModuleKind::Reactor => true,
            ModuleKind::Component => self.has_own_exports || self.wasi_exports.is_empty(),
            ModuleKind::Command => self.go_version.is_none() && self.exports.iter().any(|export| !is_of_runtime(&export.name)),
        }
    }
}

/// The interface of WASI that a component which is a program exports.
pub(crate) const RUN: &str = "wasi:cli/run";

/// Whether a command's export belongs to the compiler's runtime: TinyGo and the linkers of LLVM
/// give these to programs in which nothing is exported.
fn is_of_runtime(name: &str) -> bool {
    matches!(name, "_start" | "malloc" | "free" | "calloc" | "realloc")
        || ["__", "asyncify_", "cabi_", "undergo_"].iter().any(|prefix| name.starts_with(prefix))
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidPlugin, message)
}

fn check_preamble(bytes: &[u8]) -> Result<()> {
    let what = match bytes {
        [] => "the file is empty",
        [0, b'a', b's', b'm', 1, 0, 0, 0, ..] => return Ok(()),
        [0, b'a', b's', b'm', ..] => "it is not a module of WebAssembly version 1",
        [0x7F, b'E', b'L', b'F', ..] => "it is a native binary, not WebAssembly: set GOOS=wasip1 GOARCH=wasm, or use 'undergo build'",
        [b'/', b'/', ..] | [b'p', b'a', b'c', b'k', ..] => "it is Go source, not WebAssembly: build it first, with 'undergo build'",
        _ => "it is not WebAssembly: build it with 'undergo build'",
    };
    Err(invalid(what))
}

#[derive(Default)]
struct ModuleReader {
    types: Vec<Option<CoreType>>,
    functions: Vec<u32>,
    imports: Vec<CoreImport>,
    known: HashSet<CoreImport>,
    imported_functions: usize,
    exports: Vec<(String, u32)>,
    has_memory: bool,
    go_version: Option<String>,
    sections: Vec<Section>,
    texts: Vec<String>,
    newer: Option<u32>,
    /// Whether it carries the world of a component that is yet to be made of it.
    is_for_component: bool,
    /// Bytes that were checksummed.
    summed: usize,
    /// The first name that is not acceptable.
    unfit: Option<Error>,
}

/// The version of docs/abi.md that this host implements: a plugin may need an earlier one, but no
/// later one.
const CONTRACT: u32 = 5;

/// Far more than any plugin has in interfaces and in data that resembles one.
const MAX_SUMMED: usize = 256 << 20;

impl ModuleReader {
    fn payload(&mut self, payload: &Payload<'_>, bytes: &[u8]) -> wasmparser::Result<()> {
        if let Some((id, range)) = payload.as_section() {
            let name = match payload {
                Payload::CustomSection(custom) => {
                    self.check("a section", custom.name());
                    custom.name().to_owned()
                }
                _ => section_name(id).to_owned(),
            };
            self.sections.push(Section { name, size: range.len() });
        }
        match payload {
            Payload::TypeSection(types) => {
                for group in types.clone() {
                    self.types.extend(group?.types().map(|ty| match &ty.composite_type.inner {
                        CompositeInnerType::Func(f) => Some(CoreType { params: f.params().to_vec(), results: f.results().to_vec() }),
                        _ => None,
                    }));
                }
            }
            Payload::ImportSection(imports) => {
                for import in imports.clone().into_imports() {
                    let import = import?;
                    self.check("the module of an import", import.module);
                    self.check("an import", import.name);
                    if let TypeRef::Func(index) | TypeRef::FuncExact(index) = import.ty {
                        self.imported_functions += 1;
                        self.functions.push(index);
                        let Some(ty) = self.signature(index) else { continue };
                        let import = CoreImport { module: import.module.to_owned(), name: import.name.to_owned(), ty };
                        // Go lists some imports twice.
                        if self.known.insert(import.clone()) {
                            self.imports.push(import);
                        }
                    }
                }
            }
            Payload::FunctionSection(functions) => {
                for index in functions.clone() {
                    self.functions.push(index?);
                }
            }
            Payload::ExportSection(exports) => {
                for export in exports.clone() {
                    let export = export?;
                    self.check("an export", export.name);
                    match export.kind {
                        ExternalKind::Func | ExternalKind::FuncExact => self.exports.push((export.name.to_owned(), export.index)),
                        ExternalKind::Memory => self.has_memory |= export.name == "memory",
                        _ => {}
                    }
                }
            }
            // Searched as a whole: Go has thousands of segments. A checksum tells an interface from
            // data that resembles one.
            Payload::DataSection(segments) => self.find_interface(bytes.get(segments.range()).unwrap_or_default()),
            Payload::CustomSection(custom) if custom.name() == "producers" => {
                self.go_version = go_version(custom.data(), custom.data_offset());
            }
            Payload::CustomSection(custom) if custom.name().starts_with("component-type") => self.is_for_component = true,
            _ => {}
        }
        Ok(())
    }

    fn check(&mut self, what: &str, name: &str) {
        if self.unfit.is_none() {
            self.unfit = names::unfit(what, name);
        }
    }

    fn signature(&self, index: u32) -> Option<CoreType> {
        self.types.get(index as usize)?.clone()
    }

    /// The header is described in docs/abi.md, section 3.
    fn find_interface(&mut self, data: &[u8]) {
        const MAGIC: &[u8] = b"\xFFundergo:interface:";
        /// Two are an error already; comparing each with all others would take quadratic time.
        const MOST: usize = 8;
        let mut rest = data;
        while let Some(at) = memmem::find(rest, MAGIC) {
            if self.texts.len() >= MOST {
                return;
            }
            rest = &rest[at + MAGIC.len()..];
            let Some(line) = rest.iter().take(40).position(|&byte| byte == b'\n') else { continue };
            let Ok(header) = str::from_utf8(&rest[..line]) else { continue };
            let mut parts = header.split(':');
            let (Some(Ok(version)), Some(length), Some(crc)) = (parts.next().map(str::parse::<u32>), parts.next(), parts.next()) else {
                continue;
            };
            if !(1..=CONTRACT).contains(&version) {
                self.newer = self.newer.max((version > CONTRACT).then_some(version));
                continue;
            }
            let hex = |text| u32::from_str_radix(text, 16).ok();
            let (Some(length), Some(crc)) = (hex(length), hex(crc)) else { continue };
            let Some(text) = rest[line + 1..].get(..length as usize) else { continue };
            // A hostile module may have a million headers, each of which claims all bytes that
            // follow.
            self.summed = self.summed.saturating_add(text.len());
            if self.summed > MAX_SUMMED || crc32fast::hash(text) != crc {
                continue;
            }
            if let Ok(text) = str::from_utf8(text)
                && !self.texts.iter().any(|known| known == text)
            {
                self.texts.push(text.to_owned());
            }
        }
    }

    fn finish(mut self, size: usize) -> Result<ModuleInfo> {
        if let Some(error) = self.unfit {
            return Err(error);
        }
        let wit = match (self.texts.len(), self.newer) {
            (0, Some(version)) => {
                return Err(invalid(format!(
                    "it was built for version {version} of the plugin interface, and this host knows versions up to {CONTRACT}: use a newer undergo, or \
                     rebuild the plugin with an older one"
                )));
            }
            (0, None) => None,
            (1, _) => self.texts.pop(),
            (n, _) => return Err(invalid(format!("it carries {n} different interfaces; link one plugin only"))),
        };
        let exports: Vec<CoreFunction> = self
            .exports
            .iter()
            .filter_map(|(name, index)| {
                let ty = self.signature(*self.functions.get(*index as usize)?)?;
                Some(CoreFunction { name: name.clone(), ty })
            })
            .collect();
        let has = |name: &str| exports.iter().any(|export| export.name == name);
        let kind = if has("_initialize") {
            ModuleKind::Reactor
        } else if has("_start") {
            ModuleKind::Command
        } else if self.is_for_component {
            // Rust's compiler makes such modules, whose exports initialize what there is.
            ModuleKind::Reactor
        } else {
            return Err(invalid(
                "it exports neither _initialize nor _start, so it is not built as a plugin: add -buildmode=c-shared to 'go build', or use 'undergo build'",
            ));
        };
        Ok(ModuleInfo {
            kind,
            wit,
            imports: self.imports,
            exports,
            has_memory: self.has_memory,
            wasi_exports: Vec::new(),
            has_own_exports: false,
            go_version: self.go_version,
            sections: self.sections,
            size,
        })
    }
}

fn section_name(id: u8) -> &'static str {
    const NAMES: [&str; 14] = [
        "custom",
        "type",
        "import",
        "function",
        "table",
        "memory",
        "global",
        "export",
        "start",
        "element",
        "code",
        "data",
        "data count",
        "tag",
    ];
    NAMES.get(usize::from(id)).copied().unwrap_or("unknown")
}

fn go_version(data: &[u8], offset: usize) -> Option<String> {
    let section = wasmparser::ProducersSectionReader::new(wasmparser::BinaryReader::new(data, offset)).ok()?;
    for field in section.into_iter().flatten() {
        for value in field.values.into_iter().flatten() {
            if value.name == "Go" || value.name == "Go cmd/compile" {
                let version = value.version.split_whitespace().next().unwrap_or_default();
                // Like go1.26.8, go1.27rc1 or devel; a longer text, or one with other characters,
                // is no version of Go.
                let is_version = version.len() < 64 && version.chars().all(|c| c.is_ascii_graphic());
                return is_version.then(|| version.to_owned());
            }
        }
    }
    None
}
