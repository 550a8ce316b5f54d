//! A function of Go as segments of straight-line code, with the jumps between them.
//!
//! What the back end writes (`preprocess` and `assemble` in `cmd/internal/obj/wasm/wasmobj.go`):
//!
//! ```text
//! global.get SP; local.set 1
//! block                      ;; only where a call may unwind: its end returns 1
//!   loop                     ;; only where there are jumps
//!     block … block          ;; one for each segment
//!     local.get 0; br_table  ;; by the number of the basic block (PC_B) to its segment
//!     end
//!     the first segment
//!     end
//!     the second one …
//! ```
//!
//! A jump is `i32.const k; local.set 0; br` to the loop. A call that may switch goroutines stores
//! the PC to return to on Go's own stack, and is followed by `br_if` to the outermost block. Every
//! segment begins and ends with an empty operand stack.

use std::collections::BTreeSet;

use wasmparser::FunctionBody;

use crate::leaf::Leaves;
use crate::names::Runtime;
use crate::operator::{Kind, code};
use crate::shape::{self, CALL, Code, Copied, FIRST_PC, Head, Instruction, LOCAL_PC, LOCAL_SP, STACK_POINTER};
use crate::{address, bulk, leb};

/// A part of a segment.
#[derive(Debug)]
pub(crate) enum Item {
    /// Code that does not look at the global stack pointer.
    Code(Code),
    /// Code that may: calls, loads of the global, branches within the segment.
    Observing(Code),
    /// `local.tee L; global.set SP`. Where nobody looks at the global before it is set again, the
    /// second half is dead.
    SetStackPointer {
        local: u32,
        is_dead: bool,
    },
    /// What a leaf does, written where it is called. If it may panic, two blocks are around that:
    /// it branches out of the first one to be called after all, with that PC to return to.
    Inlined {
        code: Vec<u8>,
        call: Option<(u32, i64)>,
    },
    /// `local.get SP; global.set SP`, as a leaf did at its end.
    PublishStackPointer {
        is_dead: bool,
    },
    /// The beginning of a block within the segment, almost always an `if`.
    Open(Code),
    Else,
    Close,
    /// A jump to a segment.
    Jump(usize),
    /// `br_if` out of the function after a call that unwound.
    UnwindIf,
    /// Out of the function, after a call that never returns but by unwinding.
    Unwind,
    /// The panic of a nil dereference, in the basic block with this number.
    Sigpanic(u32),
    Return,
}

/// Straight-line code between two of the outermost `end`s.
#[derive(Debug, Default)]
pub(crate) struct Segment {
    pub(crate) items: Vec<Item>,
    pub(crate) successors: Vec<usize>,
    /// The number of a basic block that begins with it, other than that of the function's entry.
    pub(crate) block: Option<u32>,
}

/// A function that has the shape which Go's back end gives it.
pub(crate) struct Body {
    /// The declared locals, in groups, without the parameter.
    pub(crate) locals: Vec<(u32, u8)>,
    /// The index of a local of type i32 that is added.
    pub(crate) scratch: u32,
    /// The types of further locals behind it.
    pub(crate) more_locals: Vec<u8>,
    /// Bytes of code that was added to make it faster.
    pub(crate) added: usize,
    pub(crate) segments: Vec<Segment>,
    /// The basic blocks in which a frame can be resumed, each with its segment.
    pub(crate) resumptions: Vec<(u32, usize)>,
    pub(crate) may_unwind: bool,
    pub(crate) has_sigpanic: bool,
    /// Whether a segment has blocks and loops of its own, other than `if`.
    pub(crate) has_inner_blocks: bool,
    /// PC_F: the part of a PC that tells the function.
    pub(crate) function_pc: i64,
}

/// Bytes of the largest function that is taken apart; the rest of a module's code is in smaller
/// ones.
const LARGEST: usize = 4 << 20;

impl Body {
    /// Takes the function with that index apart, in a module that imports so many functions.
    pub(crate) fn read(
        module: &[u8],
        function: &FunctionBody<'_>,
        index: u32,
        imported: u32,
        runtime: &Runtime,
        leaves: &Leaves,
    ) -> Result<Body, Copied> {
        if function.range().len() > LARGEST {
            return Err(Copied("it is too large"));
        }
        let (locals, scratch) = shape::locals(function)?;
        let (mut instructions, table) = shape::instructions(module, function)?;
        let kind = |at: usize| shape::kind(&instructions, at);
        if kind(0) != Kind::GlobalGet(STACK_POINTER) || kind(1) != Kind::LocalSet(LOCAL_SP) {
            return Err(Copied("it does not begin with its stack pointer"));
        }
        let head = Head::read(&instructions, &table)?;
        address::fold(module, &mut instructions, head.end);
        let added = bulk::shorten(&mut instructions, head.end);
        let reader = Reader {
            instructions: &instructions,
            table: if head.is_table { table } else { vec![0] },
            head,
            runtime,
            leaves,
            scratch,
            more_locals: Vec::new(),
            added,
            function_pc: FIRST_PC + i64::from(index) - i64::from(imported),
            at: head.end,
            segment: 0,
            depth: 0,
            dead: None,
            return_pc: None,
            callee: None,
            items: Vec::new(),
            successors: Vec::new(),
            resumed: BTreeSet::new(),
            has_sigpanic: false,
            has_inner_blocks: false,
        };
        reader.read(locals, runtime.goexit == Some(index))
    }
}

/// Walks over the instructions of the segments.
struct Reader<'a> {
    instructions: &'a [Instruction],
    table: Vec<usize>,
    head: Head,
    runtime: &'a Runtime,
    leaves: &'a Leaves,
    scratch: u32,
    /// The types of the locals of leaves, behind the scratch local.
    more_locals: Vec<u8>,
    added: usize,
    function_pc: i64,
    at: usize,
    segment: usize,
    /// How many blocks of the segment's own are open.
    depth: usize,
    /// At which depth code became dead.
    dead: Option<usize>,
    /// The last PC of this function that was stored: where the next call returns to.
    return_pc: Option<i64>,
    /// What was called last in this segment; `Some(None)` where that is known at run time only.
    callee: Option<Option<u32>>,
    items: Vec<Item>,
    successors: Vec<usize>,
    /// The basic blocks in which a frame can be resumed.
    resumed: BTreeSet<u32>,
    has_sigpanic: bool,
    has_inner_blocks: bool,
}

impl Reader<'_> {
    fn read(mut self, locals: Vec<(u32, u8)>, is_goexit: bool) -> Result<Body, Copied> {
        let mut segments = Vec::new();
        loop {
            let kind = self.kind(0);
            if kind == Kind::Nothing {
                return Err(Copied("it ends in the middle"));
            }
            if kind == Kind::End && self.depth == 0 {
                segments.push(self.end_segment());
                self.at += 1;
                if segments.len() == self.head.segments {
                    break;
                }
            } else if let Some(dead) = self.dead {
                self.skip(kind, dead);
            } else {
                self.step(kind)?;
            }
        }
        self.tail()?;
        if is_goexit {
            // `newproc` has the first frame of a goroutine return there.
            self.resumed.insert(1);
        }
        for (block, &segment) in (0..).zip(&self.table).skip(1) {
            if let Some(segment) = segments.get_mut(segment) {
                segment.block.get_or_insert(block);
            }
        }
        let last = *self.table.last().unwrap_or(&0);
        let segment_of = |pc: u32| self.table.get(pc as usize).copied().unwrap_or(last);
        let resumptions = self.resumed.iter().filter(|pc| **pc != 0).map(|pc| (*pc, segment_of(*pc))).collect();
        Ok(Body {
            locals,
            scratch: self.scratch,
            more_locals: self.more_locals,
            added: self.added,
            segments,
            resumptions,
            may_unwind: self.head.may_unwind,
            has_sigpanic: self.has_sigpanic,
            has_inner_blocks: self.has_inner_blocks,
            function_pc: self.function_pc,
        })
    }

    fn kind(&self, ahead: usize) -> Kind {
        shape::kind(self.instructions, self.at + ahead)
    }

    fn end_segment(&mut self) -> Segment {
        let falls = self.dead.take().is_none();
        let mut successors = std::mem::take(&mut self.successors);
        successors.reverse();
        self.segment += 1;
        if falls && self.segment < self.head.segments {
            self.items.push(Item::Jump(self.segment));
            successors.push(self.segment);
        } else if falls {
            self.push_code(Code::New(vec![code::UNREACHABLE]));
        }
        self.return_pc = None;
        self.callee = None;
        Segment { items: std::mem::take(&mut self.items), successors, block: None }
    }

    /// Passes over code that is never run.
    fn skip(&mut self, kind: Kind, dead: usize) {
        match kind {
            Kind::Block | Kind::Loop | Kind::If => self.depth += 1,
            Kind::Else if self.depth == dead => {
                self.dead = None;
                self.items.push(Item::Else);
            }
            Kind::End => {
                if self.depth == dead {
                    self.dead = None;
                    self.items.push(Item::Close);
                }
                self.depth -= 1;
            }
            _ => {}
        }
        self.at += 1;
    }

    /// Goes over an instruction that may be run, or over several that belong together.
    fn step(&mut self, kind: Kind) -> Result<(), Copied> {
        if self.jump(kind) || self.sigpanic() || self.leaf() {
            return Ok(());
        }
        let code = self.instructions[self.at].code.clone();
        match kind {
            Kind::Block | Kind::Loop | Kind::If => {
                self.depth += 1;
                self.has_inner_blocks |= kind != Kind::If;
                self.items.push(Item::Open(code));
            }
            Kind::Else => self.items.push(Item::Else),
            Kind::End => {
                self.depth -= 1;
                self.items.push(Item::Close);
            }
            Kind::BrIf(to) if self.head.may_unwind && to as usize == self.depth_of_unwinding() => {
                let callee = self.callee.ok_or(Copied("it unwinds without a call"))?;
                if callee.is_some_and(|callee| self.leaves.is_steady(callee)) {
                    self.push_code(Code::New(vec![code::DROP]));
                    self.at += 1;
                    return Ok(());
                }
                let is_sigpanic = callee.is_some() && callee == self.runtime.sigpanic;
                let never_comes_back = callee.is_some_and(|callee| self.leaves.never_comes_back(callee));
                if (self.depth == 0 || !is_sigpanic) && !never_comes_back {
                    self.resume_behind(callee)?;
                }
                self.items.push(Item::UnwindIf);
            }
            Kind::Br(to) | Kind::BrIf(to) if (to as usize) < self.depth => {
                self.has_inner_blocks = true;
                self.items.push(Item::Observing(code));
            }
            Kind::Br(_) | Kind::BrIf(_) => return Err(Copied("it branches out of a segment")),
            Kind::BrTable => return Err(Copied("it has a table within a segment")),
            Kind::Foreign => return Err(Copied("it has an instruction that Go does not use")),
            Kind::Call(function) if Some(function) == self.leaves.divide && self.is_divisor() => {
                self.push_code(Code::New(vec![code::I64_DIV_S]));
            }
            Kind::Call(function) => {
                let (code, function) = match self.leaves.passes(function) {
                    Some((constant, callee)) => (pass(constant, callee), callee),
                    None => (code, function),
                };
                self.items.push(Item::Observing(code));
                self.callee = Some(Some(function));
                if self.runtime.never_return.contains(&function) && self.is_unwinding_next() {
                    self.items.push(Item::Unwind);
                    self.dead = Some(self.depth);
                    self.at += 3;
                }
            }
            Kind::CallIndirect => {
                self.items.push(Item::Observing(code));
                self.callee = Some(None);
            }
            Kind::Return => {
                self.items.push(Item::Return);
                self.dead = Some(self.depth);
            }
            Kind::Unreachable => {
                self.push_code(code);
                self.dead = Some(self.depth);
            }
            // The number of the block is free to be used in between, as the back end does.
            Kind::LocalGet(LOCAL_PC) => self.push_scratch(code::LOCAL_GET),
            Kind::LocalSet(LOCAL_PC) => self.push_scratch(code::LOCAL_SET),
            Kind::LocalTee(LOCAL_PC) => self.push_scratch(code::LOCAL_TEE),
            Kind::LocalTee(LOCAL_SP) if self.kind(1) == Kind::GlobalSet(STACK_POINTER) => {
                self.items.push(Item::SetStackPointer { local: LOCAL_SP, is_dead: false });
                self.at += 1;
            }
            Kind::GlobalGet(STACK_POINTER) | Kind::GlobalSet(STACK_POINTER) => self.items.push(Item::Observing(code)),
            Kind::Store => {
                if let Some(Kind::I64Const(pc)) = self.at.checked_sub(1).map(|at| shape::kind(self.instructions, at))
                    && pc >> 16 == self.function_pc
                {
                    self.return_pc = Some(pc);
                }
                self.push_code(code);
            }
            _ => self.push_code(code),
        }
        self.at += 1;
        Ok(())
    }

    /// `i32.const k; local.set 0; br` to the loop around all segments.
    fn jump(&mut self, kind: Kind) -> bool {
        let Kind::I32Const(block) = kind else { return false };
        let to_loop = u32::try_from(self.depth + self.blocks_left()).map(Kind::Br);
        let is_jump = self.head.has_loop && self.kind(1) == Kind::LocalSet(LOCAL_PC) && Ok(self.kind(2)) == to_loop;
        if !is_jump {
            return false;
        }
        let last = *self.table.last().unwrap_or(&0);
        let target = usize::try_from(block).ok().and_then(|block| self.table.get(block)).copied().unwrap_or(last);
        self.items.push(Item::Jump(target));
        self.successors.push(target);
        self.dead = Some(self.depth);
        self.at += 3;
        true
    }

    /// The call of `sigpanic` behind the check of a pointer, of which each has one of its own.
    fn sigpanic(&mut self) -> bool {
        let call = self.call().filter(|(callee, _)| Some(*callee) == self.runtime.sigpanic);
        let Some((_, pc)) = call else { return false };
        self.has_sigpanic = true;
        self.items.push(Item::Sigpanic((pc & 0xFFFF) as u32));
        self.dead = Some(self.depth);
        self.at += CALL;
        true
    }

    /// The call of a leaf that is written here.
    fn leaf(&mut self) -> bool {
        let Some((callee, pc)) = self.call() else { return false };
        let Some(leaf) = self.leaves.inline(callee) else { return false };
        let mut locals = Vec::with_capacity(leaf.locals.len());
        for (at, ty) in leaf.locals.iter().enumerate() {
            let wanted = 1 + leaf.locals[..at].iter().filter(|before| *before == ty).count();
            let found = self.more_locals.iter().enumerate().filter(|(_, other)| *other == ty).nth(wanted - 1);
            let place = found.map_or(self.more_locals.len(), |(place, _)| place);
            if place == self.more_locals.len() {
                self.more_locals.push(*ty);
            }
            locals.push(self.scratch + 1 + place as u32);
        }
        let code = leaf.write(&locals);
        self.added += code.len();
        self.items.push(Item::Inlined { code, call: leaf.may_panic.then_some((callee, pc)) });
        self.items.push(Item::PublishStackPointer { is_dead: false });
        self.return_pc = None;
        self.callee = None;
        self.at += CALL;
        true
    }

    /// The callee, and the PC to return to, of a call that may unwind and begins here.
    fn call(&self) -> Option<(u32, i64)> {
        let unwinding = self.head.may_unwind.then(|| self.depth_of_unwinding())?;
        shape::call_at(self.instructions, self.at, unwinding).filter(|(_, pc)| pc >> 16 == self.function_pc)
    }

    /// Whether `global.get SP; local.set 1; br_if` out of the function follows.
    fn is_unwinding_next(&self) -> bool {
        self.head.may_unwind
            && self.kind(1) == Kind::GlobalGet(STACK_POINTER)
            && self.kind(2) == Kind::LocalSet(LOCAL_SP)
            && matches!(self.kind(3), Kind::BrIf(to) if to as usize == self.depth_of_unwinding())
    }

    /// Notes that a frame may be resumed behind the call whose return PC was stored.
    fn resume_behind(&mut self, callee: Option<u32>) -> Result<(), Copied> {
        let pc = self.return_pc.ok_or(Copied("it calls without a PC to return to"))?;
        let block = (pc & 0xFFFF) as u32;
        self.resumed.insert(block);
        if callee.is_some() && callee == self.runtime.deferreturn {
            self.resumed.insert(block.checked_sub(1).ok_or(Copied("it runs deferred calls in its first block"))?);
        }
        Ok(())
    }

    fn push_scratch(&mut self, opcode: u8) {
        let mut code = vec![opcode];
        leb::unsigned(&mut code, u64::from(self.scratch));
        self.push_code(Code::New(code));
    }

    fn push_code(&mut self, code: Code) {
        match (self.items.last_mut(), code) {
            (Some(Item::Code(Code::Original(before))), Code::Original(bytes)) if before.end == bytes.start => before.end = bytes.end,
            (Some(Item::Code(Code::New(before))), Code::New(bytes)) => before.extend_from_slice(&bytes),
            (_, Code::New(bytes)) if bytes.is_empty() => {}
            (_, code) => self.items.push(Item::Code(code)),
        }
    }

    /// Whether a constant is on top of the operand stack that anything can be divided by.
    fn is_divisor(&self) -> bool {
        let before = self.at.checked_sub(1).map_or(Kind::Nothing, |at| shape::kind(self.instructions, at));
        matches!(before, Kind::I64Const(divisor) if divisor != 0 && divisor != -1)
    }

    /// How many of the head's blocks are still open.
    fn blocks_left(&self) -> usize {
        if self.head.is_table { self.head.segments - 1 - self.segment } else { 0 }
    }

    fn depth_of_unwinding(&self) -> usize {
        self.depth + self.blocks_left() + usize::from(self.head.has_loop)
    }

    /// Checks what stands behind the last segment.
    fn tail(&mut self) -> Result<(), Copied> {
        let mut wanted = Vec::new();
        if self.head.has_loop {
            wanted.extend([Kind::Unreachable, Kind::End]);
        }
        if self.head.may_unwind {
            wanted.extend([Kind::I32Const(1), Kind::End]);
        }
        for kind in wanted {
            if self.kind(0) != kind {
                return Err(Copied("it does not end as Go's functions do"));
            }
            self.at += 1;
        }
        if self.kind(0) == Kind::Nothing { Ok(()) } else { Err(Copied("it goes on behind its end")) }
    }
}

/// The call of a function with a constant.
fn pass(constant: i64, callee: u32) -> Code {
    let mut code = vec![code::I64_CONST];
    leb::signed(&mut code, constant);
    code.push(code::CALL);
    leb::unsigned(&mut code, u64::from(callee));
    Code::New(code)
}
