//! The parts of a module, as they are counted.

use wasmparser::{CompositeInnerType, ElementItems, ExternalKind, Payload, SubType, TypeRef};

use crate::compile::bounds::function::{Function, Walk};
use crate::compile::bounds::{MAX_PASSIVE, PARTS};

const FUNCTIONS: usize = 0;
const TYPES: usize = 1;
const TYPE_VALUES: usize = 2;
const IMPORTS: usize = 3;
const EXPORTS: usize = 4;
const GLOBALS: usize = 5;
const TABLES: usize = 6;
const ELEMENTS: usize = 7;
const SEGMENTS: usize = 8;
const SIGNATURES: usize = 9;

/// What a module asks of the compilers. A unit of work takes at most about a microsecond.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Measure {
    pub(super) parts: [u64; PARTS.len()],
    pub(super) passive: u64,
    /// Bytes of all functions.
    pub(super) code: u64,
    pub(super) work: u64,
    /// The maximum of each quantity in one function.
    pub(super) largest: Function,
}

#[derive(Default)]
pub(super) struct Measuring {
    /// Whether to read the functions as well.
    code: bool,
    pub(super) measure: Measure,
    types: Vec<SubType>,
    /// The type of each function.
    functions: Vec<u32>,
    imported: usize,
    /// How many bodies have been read.
    bodies: usize,
    walk: Walk,
}

impl Measuring {
    pub(super) fn new(code: bool) -> Measuring {
        Measuring { code, ..Measuring::default() }
    }

    fn add(&mut self, part: usize, count: u64) {
        self.measure.parts[part] = self.measure.parts[part].saturating_add(count);
    }

    /// The number of a function's parameters and results.
    fn arity(&self, ty: u32) -> u64 {
        self.types.get(ty as usize).map_or(0, values)
    }

    pub(super) fn payload(&mut self, payload: &Payload<'_>) -> wasmparser::Result<()> {
        match payload {
            Payload::TypeSection(groups) => {
                for group in groups.clone() {
                    for ty in group?.into_types() {
                        self.add(TYPES, 1);
                        self.add(TYPE_VALUES, values(&ty));
                        self.types.push(ty);
                    }
                }
            }
            Payload::ImportSection(imports) => {
                self.add(IMPORTS, imports.count().into());
                for import in imports.clone().into_imports() {
                    if let TypeRef::Func(ty) | TypeRef::FuncExact(ty) = import?.ty {
                        self.add(SIGNATURES, self.arity(ty));
                        self.functions.push(ty);
                        self.imported += 1;
                    }
                }
            }
            Payload::FunctionSection(functions) => {
                self.add(FUNCTIONS, functions.count().into());
                for ty in functions.clone() {
                    self.functions.push(ty?);
                }
            }
            Payload::ExportSection(exports) => {
                self.add(EXPORTS, exports.count().into());
                for export in exports.clone() {
                    let export = export?;
                    if let ExternalKind::Func | ExternalKind::FuncExact = export.kind
                        && let Some(&ty) = self.functions.get(export.index as usize)
                    {
                        self.add(SIGNATURES, self.arity(ty));
                    }
                }
            }
            Payload::GlobalSection(globals) => self.add(GLOBALS, globals.count().into()),
            Payload::TableSection(tables) => self.add(TABLES, tables.count().into()),
            Payload::ElementSection(segments) => {
                self.add(SEGMENTS, segments.count().into());
                for segment in segments.clone() {
                    let count = match segment?.items {
                        ElementItems::Functions(items) => items.count(),
                        ElementItems::Expressions(_, items) => items.count(),
                    };
                    self.add(ELEMENTS, count.into());
                }
            }
            Payload::DataSection(segments) => {
                self.add(SEGMENTS, segments.count().into());
                // Go writes tens of thousands, and to read each takes longer than all the rest.
                if segments.range().len() as u64 <= MAX_PASSIVE {
                    return Ok(());
                }
                for segment in segments.clone() {
                    let segment = segment?;
                    if matches!(segment.kind, wasmparser::DataKind::Passive) {
                        self.measure.passive += segment.data.len() as u64;
                    }
                }
            }
            Payload::CodeSectionEntry(body) if self.code => {
                let index = self.functions.get(self.imported + self.bodies).copied();
                self.bodies += 1;
                let found = self.walk.function(&self.types, &self.functions, index.unwrap_or(u32::MAX), body)?;
                let largest = &mut self.measure.largest;
                self.measure.code += found.body;
                self.measure.work = self.measure.work.saturating_add(found.work);
                largest.body = largest.body.max(found.body);
                largest.loops = largest.loops.max(found.loops);
                largest.work = largest.work.max(found.work);
            }
            _ => {}
        }
        Ok(())
    }
}

fn values(ty: &SubType) -> u64 {
    match &ty.composite_type.inner {
        CompositeInnerType::Func(f) => (f.params().len() + f.results().len()) as u64,
        _ => 1,
    }
}
