//! What a module may ask of the compilers, checked in one pass over its bytes before they see it.
//!
//! A compilation can't be stopped, and Cranelift's time and memory grow faster than a function
//! does: with the values that are live across its blocks, and with those within one block. So the
//! work is estimated here, and a module that asks for more than Go's compiler ever does is refused.
//! docs/loading.md has the measurements.

use wasmparser::{
    BlockType, CompositeInnerType, ContType, ElementItems, ExternalKind, FrameKind, FuncType, FunctionBody, ModuleArity, Operator,
};
use wasmparser::{Parser, Payload, RefType, SubType, TypeRef};

use crate::error::{Error, ErrorKind, Result};

/// The parts of a module that are bounded one by one: their names, and their maximum counts. Each
/// maximum is at least four times what the largest measured module of Go has, where that is more
/// than a handful.
const PARTS: [(&str, u64); 10] = [
    ("functions", 100_000),
    ("types", 2_000),
    ("values in types", 20_000),
    ("imports", 2_000),
    ("exports", 20_000),
    ("globals", 10_000),
    ("tables", 16),
    ("table elements", 400_000),
    // Go's linker writes at most 100,000 of either kind, which is also what the engine accepts.
    ("segments", 200_000),
    // The host describes each of them.
    ("values in the signatures of imports and exports", 100_000),
];
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

/// Bytes of a module.
const MAX_SIZE: u64 = 128 << 20;
/// Bytes of the passive segments, which stay in memory as long as the module does.
const MAX_PASSIVE: u64 = 32 << 20;
/// Bytes of one function.
const MAX_BODY: u64 = 2 << 20;
/// Nested loops. Go's compiler writes one.
const MAX_LOOPS: u64 = 40;
/// Work in one function.
const MAX_FUNCTION: u64 = 9_000_000;
/// Work in all functions of a module, however large it is.
const MAX_WORK: u64 = 400_000_000;
/// Work in all functions of a small module; each byte of code allows that much more.
const BASE_WORK: u64 = 8_000_000;
const WORK_PER_BYTE: u64 = 10;

/// What a module asks of the compilers. A unit of work takes at most about a microsecond.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Measure {
    parts: [u64; PARTS.len()],
    passive: u64,
    /// Bytes of all functions.
    code: u64,
    work: u64,
    /// The maximum of each quantity in one function.
    largest: Function,
}

#[derive(Clone, Copy, Debug, Default)]
struct Function {
    body: u64,
    loops: u64,
    work: u64,
}

/// Refuses a module that has more parts than `times` the usual bounds. Reads no code.
///
/// # Errors
///
/// `invalid-plugin`, with the name of the part.
pub(crate) fn check_parts(bytes: &[u8], times: u32) -> Result<()> {
    check(bytes, times, false)
}

/// Refuses a module that asks for more work than `times` the usual bounds.
///
/// # Errors
///
/// As [`check_parts`].
pub(crate) fn check_work(bytes: &[u8], times: u32) -> Result<()> {
    check(bytes, times, true)
}

fn check(bytes: &[u8], times: u32, code: bool) -> Result<()> {
    let times = u64::from(times.max(1));
    let at_most = |what: &str, found: u64, bound: u64| {
        let most = bound.saturating_mul(times);
        if found <= most {
            return Ok(());
        }
        let text = format!(
            "it has {found} {what}, and {most} are accepted, since a compilation can't be stopped: where it comes from hands that you trust, load it \
             with bounds = {}",
            found.div_ceil(bound)
        );
        Err(Error::new(ErrorKind::InvalidPlugin, text))
    };
    at_most("bytes", bytes.len() as u64, MAX_SIZE)?;
    let mut measuring = Measuring { code, ..Measuring::default() };
    for payload in Parser::new(0).parse_all(bytes) {
        // Damaged modules are reported elsewhere: the engine stops there, too.
        let Ok(payload) = payload else { break };
        let read = measuring.payload(&payload);
        let measure = &measuring.measure;
        // Checked within the loop, so that a module with far too much is not read to its end.
        for ((what, bound), found) in PARTS.iter().zip(measure.parts) {
            at_most(what, found, *bound)?;
        }
        at_most("bytes in passive segments", measure.passive, MAX_PASSIVE)?;
        at_most("bytes in one function", measure.largest.body, MAX_BODY)?;
        at_most("loops within each other in one function", measure.largest.loops, MAX_LOOPS)?;
        at_most("units of work for a compiler in one function", measure.largest.work, MAX_FUNCTION)?;
        if read.is_err() {
            break;
        }
    }
    let measure = measuring.measure;
    at_most("units of work for a compiler", measure.work, MAX_WORK.min(BASE_WORK + WORK_PER_BYTE * measure.code))
}

#[derive(Default)]
struct Measuring {
    /// Whether to read the functions as well.
    code: bool,
    measure: Measure,
    types: Vec<SubType>,
    /// The type of each function.
    functions: Vec<u32>,
    imported: usize,
    /// How many bodies have been read.
    bodies: usize,
    walk: Walk,
}

impl Measuring {
    fn add(&mut self, part: usize, count: u64) {
        self.measure.parts[part] = self.measure.parts[part].saturating_add(count);
    }

    /// The number of a function's parameters and results.
    fn arity(&self, ty: u32) -> u64 {
        self.types.get(ty as usize).map_or(0, values)
    }

    fn payload(&mut self, payload: &Payload<'_>) -> wasmparser::Result<()> {
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

/// The walk over one function; reused for the next one, with its allocations.
#[derive(Default)]
struct Walk {
    frames: Vec<Frame>,
    loops: Vec<Loop>,
    locals: Vec<Local>,
}

#[derive(Clone, Copy, Default)]
struct Local {
    /// The block that wrote it last.
    written: u32,
    /// The block that has read it last since then; 0 for none.
    read: u32,
    /// Whether another block ever read it.
    exposed: bool,
}

struct Frame {
    block: BlockType,
    kind: FrameKind,
    /// The height of the stack below the block's own values.
    height: u64,
}

struct Loop {
    start: u32,
    /// Locals that the loop reads before it writes them.
    carried: u64,
}

/// In how many enclosing loops a read is counted.
const LOOPS_COUNTED: usize = 64;

/// Engines accept no more.
const MOST_LOCALS: u64 = 50_000;

impl Walk {
    fn function(&mut self, types: &[SubType], functions: &[u32], index: u32, body: &FunctionBody<'_>) -> wasmparser::Result<Function> {
        let mut found = Function { body: body.range().len() as u64, ..Function::default() };
        let mut locals = types.get(index as usize).map_or(0, |ty| match &ty.composite_type.inner {
            CompositeInnerType::Func(f) => f.params().len() as u64,
            _ => 0,
        });
        for group in body.get_locals_reader()? {
            locals = locals.saturating_add(group?.0.into());
        }
        self.frames.clear();
        self.loops.clear();
        self.locals.clear();
        self.locals.resize(locals.min(MOST_LOCALS) as usize, Local::default());
        self.frames.push(Frame { block: BlockType::FuncType(index), kind: FrameKind::Block, height: 0 });
        let mut tally = Tally { linear: FUNCTION_WORK + locals, ..Tally::default() };
        let (mut height, mut block) = (0_u64, 1_u32);
        let mut chain = Chain::default();
        let mut operators = body.get_operators_reader()?;
        while !operators.eof() {
            let operator = operators.read()?;
            let (pops, pushes) = match cheap(&operator) {
                Some(arity) => arity,
                None => operator.operator_arity(&Types { types, functions, frames: &self.frames }).unwrap_or_default(),
            };
            let (pops, pushes) = (u64::from(pops), u64::from(pushes));
            let base = self.frames.last().map_or(0, |frame| frame.height);
            tally.linear += weight(&operator) + chain.weight(&operator) + (pops + pushes) / 4;
            // The number of edges or new blocks here.
            let mut edges = 1;
            match &operator {
                Operator::LocalGet { local_index } => {
                    self.read(*local_index, block, &mut tally);
                    edges = 0;
                }
                Operator::LocalSet { local_index } | Operator::LocalTee { local_index } => {
                    if let Some(local) = self.locals.get_mut(*local_index as usize) {
                        (local.written, local.read) = (block, 0);
                    }
                    edges = 0;
                }
                Operator::Block { blockty } | Operator::Loop { blockty } | Operator::If { blockty } => {
                    let kind = match operator {
                        Operator::Loop { .. } => FrameKind::Loop,
                        Operator::If { .. } => FrameKind::If,
                        _ => FrameKind::Block,
                    };
                    height = height.saturating_sub(pops).max(base);
                    self.frames.push(Frame { block: *blockty, kind, height });
                    if kind == FrameKind::Loop {
                        tally.headers += 1;
                        self.loops.push(Loop { start: block + 1, carried: 0 });
                        found.loops = found.loops.max(self.loops.len() as u64);
                    }
                }
                Operator::Else => {
                    height = base;
                    if let Some(frame) = self.frames.last_mut() {
                        frame.kind = FrameKind::Else;
                    }
                }
                Operator::End => {
                    height = base;
                    if self.frames.pop().is_some_and(|frame| frame.kind == FrameKind::Loop)
                        && let Some(ended) = self.loops.pop()
                    {
                        tally.live += ended.carried * u64::from(block - ended.start + 1);
                    }
                }
                other => {
                    edges = branches(other);
                    tally.produced += u64::from(is_producer(other)) * pushes.max(1);
                    height = height.saturating_sub(pops).max(base);
                }
            }
            height += pushes;
            if edges > 0 {
                block = block.saturating_add(1);
                tally.boundary(edges, height + pops);
            }
        }
        tally.boundary(0, 0);
        found.work = tally.work(found.loops);
        Ok(found)
    }

    /// A read of a local: it is live since its last write, or since its last read.
    fn read(&mut self, index: u32, block: u32, tally: &mut Tally) {
        let Some(local) = self.locals.get_mut(index as usize) else { return };
        if local.written == block || local.read == block {
            return;
        }
        let since = local.written.max(local.read);
        tally.live += u64::from(block - since);
        tally.exposed += u64::from(!local.exposed);
        // Deeper nests of loops are refused anyway; counting for all of them would take quadratic
        // time.
        for outer in self.loops.iter_mut().rev().take(LOOPS_COUNTED).take_while(|outer| outer.start > since) {
            outer.carried += 1;
        }
        (local.read, local.exposed) = (block, true);
    }
}

/// Chains of operations with constants, each on the result of the one before. An optimiser looks
/// for a simpler form of each, through the whole chain.
#[derive(Default)]
struct Chain {
    follows_constant: bool,
    length: u64,
}

impl Chain {
    /// The work of an operator because of its position in a chain.
    fn weight(&mut self, operator: &Operator<'_>) -> u64 {
        use Operator as O;
        match operator {
            O::I32Const { .. } | O::I64Const { .. } => self.follows_constant = true,
            O::LocalGet { .. } | O::LocalSet { .. } | O::LocalTee { .. } => self.follows_constant = false,
            O::I32Add
            | O::I32Sub
            | O::I32Mul
            | O::I32And
            | O::I32Or
            | O::I32Xor
            | O::I32Shl
            | O::I32ShrS
            | O::I32ShrU
            | O::I32Rotl
            | O::I32Rotr
            | O::I64Add
            | O::I64Sub
            | O::I64Mul
            | O::I64And
            | O::I64Or
            | O::I64Xor
            | O::I64Shl
            | O::I64ShrS
            | O::I64ShrU
            | O::I64Rotl
            | O::I64Rotr
                if self.follows_constant =>
            {
                self.follows_constant = false;
                self.length += 1;
                // Go's compiler computes addresses in this way, in one or two steps.
                return if self.length > 2 { CHAINED } else { 0 };
            }
            _ => *self = Chain::default(),
        }
        0
    }
}

/// The work of each further operation of a chain.
const CHAINED: u64 = 40;

/// The work of a function regardless of its body.
const FUNCTION_WORK: u64 = 100;

#[derive(Default)]
struct Tally {
    linear: u64,
    /// Values that are live across block boundaries, counted at each boundary.
    live: u64,
    /// The maximum number of them on the stack.
    highest: u64,
    /// Locals that are read in another block than the one that wrote them.
    exposed: u64,
    /// Values since the last boundary that have to be computed in place.
    produced: u64,
    /// The sum of the squares of these.
    squares: u64,
    /// Loops at any depth: register allocation takes time quadratic in their number.
    headers: u64,
}

impl Tally {
    fn boundary(&mut self, edges: u64, height: u64) {
        self.live = self.live.saturating_add(edges.saturating_mul(height));
        self.highest = self.highest.max(height);
        self.squares = self.squares.saturating_add(self.produced.saturating_mul(self.produced));
        self.produced = 0;
        self.linear = self.linear.saturating_add(edges * 2);
    }

    fn work(&self, loops: u64) -> u64 {
        let wide = self.highest + self.exposed;
        let live = self.live.saturating_mul(4 + wide / 12 + loops);
        let headers = self.headers.saturating_mul(self.headers);
        self.linear.saturating_add(live).saturating_add(self.squares / 16).saturating_add(headers / 16)
    }
}

fn cheap(operator: &Operator<'_>) -> Option<(u32, u32)> {
    match operator {
        Operator::LocalGet { .. } | Operator::I32Const { .. } | Operator::I64Const { .. } | Operator::GlobalGet { .. } => Some((0, 1)),
        Operator::LocalSet { .. } | Operator::GlobalSet { .. } => Some((1, 0)),
        _ => None,
    }
}

/// The work of one operator. Operators that take a byte and become several instructions weigh most.
fn weight(operator: &Operator<'_>) -> u64 {
    use Operator as O;
    match operator {
        O::LocalGet { .. } | O::LocalSet { .. } | O::LocalTee { .. } | O::I32Const { .. } | O::I64Const { .. } | O::Drop | O::Nop => 1,
        O::Block { .. } | O::Loop { .. } | O::End | O::Br { .. } | O::BrIf { .. } | O::GlobalGet { .. } | O::GlobalSet { .. } => 2,
        O::I32Add | O::I32Sub | O::I64Add | O::I64Sub | O::I32Eqz | O::I64Eqz | O::I32WrapI64 | O::I64ExtendI32U => 3,
        // Calls into the engine, with many instructions around them.
        O::TableInit { .. } | O::TableCopy { .. } | O::TableFill { .. } => 500,
        O::TableGrow { .. } | O::CallIndirect { .. } | O::ReturnCallIndirect { .. } => 200,
        O::MemoryGrow { .. }
        | O::MemoryFill { .. }
        | O::MemoryCopy { .. }
        | O::MemoryInit { .. }
        | O::TableGet { .. }
        | O::TableSet { .. } => 100,
        O::I32Load { .. } | O::I64Load { .. } | O::I32Store { .. } | O::I64Store { .. } | O::Call { .. } => 3,
        _ => 8,
    }
}

fn branches(operator: &Operator<'_>) -> u64 {
    match operator {
        Operator::Br { .. } | Operator::BrIf { .. } | Operator::Return | Operator::Unreachable => 1,
        Operator::BrTable { targets } => u64::from(targets.len()) + 1,
        // These make blocks of their own: a table lookup, a call of the host, a check of the
        // deadline.
        Operator::CallIndirect { .. } | Operator::ReturnCallIndirect { .. } | Operator::MemoryGrow { .. } | Operator::MemoryFill { .. } => {
            4
        }
        Operator::MemoryCopy { .. } | Operator::MemoryInit { .. } | Operator::TableGet { .. } | Operator::TableSet { .. } => 4,
        Operator::TableGrow { .. } | Operator::TableInit { .. } => 4,
        Operator::TableFill { .. } => 12,
        Operator::TableCopy { .. } => 32,
        _ => 0,
    }
}

/// Whether its value is computed in place, and kept until it is used.
fn is_producer(operator: &Operator<'_>) -> bool {
    use Operator as O;
    matches!(
        operator,
        O::Call { .. }
            | O::CallIndirect { .. }
            | O::GlobalGet { .. }
            | O::I32Load { .. }
            | O::I64Load { .. }
            | O::F32Load { .. }
            | O::F64Load { .. }
            | O::I32Load8S { .. }
            | O::I32Load8U { .. }
            | O::I32Load16S { .. }
            | O::I32Load16U { .. }
            | O::I64Load8S { .. }
            | O::I64Load8U { .. }
            | O::I64Load16S { .. }
            | O::I64Load16U { .. }
            | O::I64Load32S { .. }
            | O::I64Load32U { .. }
            | O::V128Load { .. }
            | O::V128Load8x8S { .. }
            | O::V128Load8x8U { .. }
            | O::V128Load16x4S { .. }
            | O::V128Load16x4U { .. }
            | O::V128Load32x2S { .. }
            | O::V128Load32x2U { .. }
            | O::V128Load8Splat { .. }
            | O::V128Load16Splat { .. }
            | O::V128Load32Splat { .. }
            | O::V128Load64Splat { .. }
            | O::V128Load32Zero { .. }
            | O::V128Load64Zero { .. }
            | O::V128Load8Lane { .. }
            | O::V128Load16Lane { .. }
            | O::V128Load32Lane { .. }
            | O::V128Load64Lane { .. }
            | O::MemorySize { .. }
            | O::TableSize { .. }
            | O::I32DivS
            | O::I32DivU
            | O::I32RemS
            | O::I32RemU
            | O::I64DivS
            | O::I64DivU
            | O::I64RemS
            | O::I64RemU
            | O::I32TruncF32S
            | O::I32TruncF32U
            | O::I32TruncF64S
            | O::I32TruncF64U
            | O::I64TruncF32S
            | O::I64TruncF32U
            | O::I64TruncF64S
            | O::I64TruncF64U
            | O::RefFunc { .. }
    )
}

struct Types<'a> {
    types: &'a [SubType],
    functions: &'a [u32],
    frames: &'a [Frame],
}

impl ModuleArity for Types<'_> {
    fn sub_type_at(&self, index: u32) -> Option<&SubType> {
        self.types.get(index as usize)
    }

    fn tag_type_arity(&self, _: u32) -> Option<(u32, u32)> {
        None
    }

    fn type_index_of_function(&self, index: u32) -> Option<u32> {
        self.functions.get(index as usize).copied()
    }

    fn func_type_of_cont_type(&self, _: &ContType) -> Option<&FuncType> {
        None
    }

    fn sub_type_of_ref_type(&self, _: &RefType) -> Option<&SubType> {
        None
    }

    fn control_stack_height(&self) -> u32 {
        self.frames.len() as u32
    }

    fn label_block(&self, depth: u32) -> Option<(BlockType, FrameKind)> {
        let at = self.frames.len().checked_sub(1 + depth as usize)?;
        self.frames.get(at).map(|frame| (frame.block, frame.kind))
    }
}
