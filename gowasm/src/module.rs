//! A module: finds Go's code in it, and rewrites it.

use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;

use wasmparser::{CompositeInnerType, FuncType, FunctionBody, KnownCustom, Parser, Payload, TypeRef};

use crate::body::Body;
use crate::known::Library;
use crate::leaf::{self, Function, Leaves};
use crate::names::{self, Runtime};
use crate::resume::Flow;
use crate::shape::Copied;
use crate::{emit, leb, stack_pointer};

/// The version of what this crate does to code: part of the key of whatever is kept of it.
pub const VERSION: u32 = 3;

/// The custom section that marks a module which went through [`optimize`].
const MARK: &str = "gowasm";

/// The minor versions of Go whose code this crate was tried with.
const KNOWN: std::ops::RangeInclusive<u32> = 24..=27;

/// Steps that the search for dominators may take, for each byte of a function.
const STEPS_PER_BYTE: usize = 32;

/// A module with its code rewritten.
#[derive(Clone, Debug)]
pub struct Optimized {
    /// The module.
    pub module: Vec<u8>,
    /// How many functions were rewritten.
    pub rewritten: usize,
    /// How many were copied, by the reason, as part of a sentence: "it is too large".
    pub copied: BTreeMap<&'static str, usize>,
}

/// Why a module was left as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unchanged {
    /// It is no core module of WebAssembly, or a damaged one.
    Damaged,
    /// Go's compiler did not write it.
    NotGo,
    /// It is of a version of Go that this crate does not know: 1.x.
    UnknownVersion(u32),
    /// Go's runtime was not found in it: it has neither a name section nor the runtime's own table.
    NoRuntime,
    /// It went through [`optimize`] before.
    AlreadyOptimized,
    /// Nobody wanted it any more: see [`optimize_while`].
    Stopped,
}

impl fmt::Display for Unchanged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unchanged::Damaged => f.write_str("it is not a WebAssembly module, or a damaged one"),
            Unchanged::NotGo => f.write_str("it was not compiled by Go"),
            Unchanged::UnknownVersion(minor) => {
                write!(f, "it was compiled by Go 1.{minor}; the versions from 1.{} to 1.{} are known", KNOWN.start(), KNOWN.end())
            }
            Unchanged::NoRuntime => f.write_str("the functions of Go's runtime were not found in it"),
            Unchanged::AlreadyOptimized => f.write_str("it has been optimized before"),
            Unchanged::Stopped => f.write_str("the work was stopped"),
        }
    }
}

impl std::error::Error for Unchanged {}

/// Rewrites the functions of a Go module as structured control flow.
///
/// The result does what the module does. It exports and imports the same, and its functions have
/// the same numbers, so that names and tables stay right. It takes time and memory that are linear
/// in the module's size.
///
/// # Errors
///
/// Why the module was left as it is. It may be run all the same.
pub fn optimize(module: &[u8]) -> Result<Optimized, Unchanged> {
    optimize_while(module, || true)
}

/// As [`optimize`], for as long as it is wanted, which is asked before each function.
///
/// # Errors
///
/// As [`optimize`]; [`Unchanged::Stopped`] when it was not wanted any more.
pub fn optimize_while(module: &[u8], wanted: impl Fn() -> bool) -> Result<Optimized, Unchanged> {
    let parts = Parts::read(module)?;
    let library = Library::new();
    let leaves = parts.leaves(module, &library);
    let mut code = Vec::with_capacity(module.len());
    leb::unsigned(&mut code, parts.bodies.len() as u64);
    let mut rewritten = 0;
    let mut copied = BTreeMap::new();
    for (number, body) in parts.bodies.iter().enumerate() {
        if !wanted() {
            return Err(Unchanged::Stopped);
        }
        let original = module.get(body.range()).unwrap_or_default();
        let better = parts.types[number].as_ref().and_then(|ty| library.better(ty, original));
        match better.map_or_else(|| parts.rewrite(module, number, body, &leaves), Ok) {
            Ok(function) => {
                rewritten += 1;
                leb::unsigned(&mut code, function.len() as u64);
                code.extend_from_slice(&function);
            }
            Err(Copied(reason)) => {
                *copied.entry(reason).or_insert(0) += 1;
                leb::unsigned(&mut code, original.len() as u64);
                code.extend_from_slice(original);
            }
        }
    }
    Ok(Optimized { module: write(module, &code)?, rewritten, copied })
}

/// What has to be known of a module.
struct Parts<'m> {
    imported: u32,
    /// The type of each function that is not imported. A module may have one large type, and very
    /// many functions of it.
    types: Vec<Option<Rc<FuncType>>>,
    bodies: Vec<FunctionBody<'m>>,
    runtime: Runtime,
}

impl<'m> Parts<'m> {
    fn read(module: &'m [u8]) -> Result<Parts<'m>, Unchanged> {
        let (mut imported, mut types, mut functions, mut bodies) = (0_u32, Vec::new(), Vec::new(), Vec::new());
        let (mut named, mut data, mut version) = (None, None, None);
        for payload in Parser::new(0).parse_all(module) {
            match payload.map_err(|_| Unchanged::Damaged)? {
                Payload::Version { encoding: wasmparser::Encoding::Component, .. } => return Err(Unchanged::Damaged),
                Payload::TypeSection(section) => {
                    for group in section {
                        let group = group.map_err(|_| Unchanged::Damaged)?;
                        types.extend(group.types().map(|ty| match &ty.composite_type.inner {
                            CompositeInnerType::Func(ty) => Some(Rc::new(ty.clone())),
                            _ => None,
                        }));
                    }
                }
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        let import = import.map_err(|_| Unchanged::Damaged)?;
                        imported += u32::from(matches!(import.ty, TypeRef::Func(_) | TypeRef::FuncExact(_)));
                    }
                }
                Payload::FunctionSection(section) => {
                    for ty in section {
                        let ty = ty.map_err(|_| Unchanged::Damaged)?;
                        functions.push(types.get(ty as usize).cloned().flatten());
                    }
                }
                Payload::CodeSectionEntry(body) => bodies.push(body),
                Payload::DataSection(section) => data = Some(section),
                Payload::CustomSection(section) => match section.as_known() {
                    KnownCustom::Name(names) => named = Some(Runtime::from_section(names)),
                    _ if section.name() == MARK => return Err(Unchanged::AlreadyOptimized),
                    _ if section.name() == "producers" => version = version.or(names::go_minor(section.data())),
                    _ => {}
                },
                _ => {}
            }
        }
        let minor = version.ok_or(Unchanged::NotGo)?;
        if !KNOWN.contains(&minor) {
            return Err(Unchanged::UnknownVersion(minor));
        }
        if functions.len() != bodies.len() {
            return Err(Unchanged::Damaged);
        }
        let runtime = named
            .filter(Runtime::is_known)
            .or_else(|| data.map(|section| Runtime::from_data(section, imported)))
            .filter(Runtime::is_known)
            .ok_or(Unchanged::NoRuntime)?;
        Ok(Parts { imported, types: functions, bodies, runtime })
    }

    /// What is known of the functions that others call.
    fn leaves(&self, module: &[u8], library: &Library) -> Leaves {
        let functions: Vec<Function<'_>> =
            self.bodies.iter().zip(&self.types).map(|(body, ty)| Function { body, ty: ty.as_deref() }).collect();
        let mut leaves = Leaves::find(module, &functions, self.imported, &self.runtime);
        let is_division = |(ty, body): (&Option<Rc<FuncType>>, &FunctionBody<'_>)| {
            ty.as_ref().is_some_and(|ty| library.is_division(ty, module.get(body.range()).unwrap_or_default()))
        };
        let found = self.types.iter().zip(&self.bodies).position(is_division);
        leaves.divide = found.and_then(|at| u32::try_from(at).ok()).and_then(|at| self.imported.checked_add(at));
        leaves
    }

    fn rewrite(&self, module: &[u8], number: usize, function: &FunctionBody<'_>, leaves: &Leaves) -> Result<Vec<u8>, Copied> {
        if !self.types[number].as_deref().is_some_and(leaf::is_go) {
            return Err(Copied("it is no function of Go's own type"));
        }
        let index =
            u32::try_from(number).ok().and_then(|number| self.imported.checked_add(number)).ok_or(Copied("it has too high a number"))?;
        let length = function.range().len();
        let mut body = Body::read(module, function, index, self.imported, &self.runtime, leaves)?;
        let flow = Flow::of(&body, STEPS_PER_BYTE * length)?;
        stack_pointer::mark_dead_stores(&mut body, &flow);
        emit::emit(module, &body, &flow, self.runtime.sigpanic, 2 * length + body.added + 256)
    }
}

/// The module with that code section, and the mark.
fn write(module: &[u8], code: &[u8]) -> Result<Vec<u8>, Unchanged> {
    const CODE: u8 = 10;
    const PREAMBLE: usize = 8;
    let mut out = module.get(..PREAMBLE).ok_or(Unchanged::Damaged)?.to_vec();
    out.reserve(module.len());
    for payload in Parser::new(0).parse_all(module) {
        let payload = payload.map_err(|_| Unchanged::Damaged)?;
        if let Some((id, range)) = payload.as_section() {
            let section = if id == CODE { code } else { module.get(range).ok_or(Unchanged::Damaged)? };
            out.push(id);
            leb::unsigned(&mut out, section.len() as u64);
            out.extend_from_slice(section);
        }
    }
    let mut mark = Vec::new();
    leb::unsigned(&mut mark, MARK.len() as u64);
    mark.extend_from_slice(MARK.as_bytes());
    leb::unsigned(&mut mark, u64::from(VERSION));
    out.push(0);
    leb::unsigned(&mut out, mark.len() as u64);
    out.extend_from_slice(&mark);
    Ok(out)
}
