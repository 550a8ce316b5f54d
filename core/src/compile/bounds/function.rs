//! The walk over one function: its blocks, and the values that live across them.

use wasmparser::{BlockType, CompositeInnerType, ContType, FrameKind, FuncType, FunctionBody, ModuleArity, Operator, RefType, SubType};

use crate::compile::bounds::tally::{Chain, Tally};
use crate::compile::bounds::weight::{branches, cheap, is_producer, weight};

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Function {
    pub(super) body: u64,
    pub(super) loops: u64,
    pub(super) work: u64,
}

/// The walk over one function; reused for the next one, with its allocations.
#[derive(Default)]
pub(super) struct Walk {
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
    pub(super) fn function(
        &mut self,
        types: &[SubType],
        functions: &[u32],
        index: u32,
        body: &FunctionBody<'_>,
    ) -> wasmparser::Result<Function> {
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
        let mut tally = Tally::new(locals);
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
