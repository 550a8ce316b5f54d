//! Small functions that switch no goroutines: what is known of them where they are called.
//!
//! Go's compiler writes no calls of others inline that are written in assembly or marked
//! `noinline`, as those of `internal/runtime/atomic` are. A call costs a return address in memory,
//! the engine's prologue with its checks of the stack and of the epoch, and a test for unwinding.
//!
//! A leaf is written where it is called if it has no frame and no calls, but for that of `sigpanic`
//! before it has changed anything: there the original call is made, so that the panic finds on the
//! stack what it always finds. Nobody else can look at the stack in between.

use std::collections::{HashMap, HashSet};

use wasmparser::{FuncType, FunctionBody, ValType};

use crate::address;
use crate::leb;
use crate::names::Runtime;
use crate::operator::{Kind, code};
use crate::shape::{self, CALL, Code, FIRST_PC, Head, Instruction, LOCAL_SP, STACK_POINTER};

/// Bytes of the largest function that is looked at, of the largest code that is written inline, and
/// locals of the function.
const LARGEST: usize = 512;
const MOST_CODE: usize = 48;
const MOST_LOCALS: usize = 8;

/// A function of a module, with its type.
pub(crate) struct Function<'a> {
    pub(crate) body: &'a FunctionBody<'a>,
    pub(crate) ty: Option<&'a FuncType>,
}

/// Whether that is the type of Go's own functions.
pub(crate) fn is_go(ty: &FuncType) -> bool {
    ty.params() == [ValType::I32] && ty.results() == [ValType::I32]
}

/// What is known of the functions that are called.
#[derive(Default)]
pub(crate) struct Leaves {
    inline: HashMap<u32, Leaf>,
    /// Those that never make their caller unwind, of Go's own type.
    steady: HashSet<u32>,
    /// Those that make their caller unwind only by a panic, so that they never come back to it.
    final_only: HashSet<u32>,
    /// Functions of other types, which read memory and their parameters alone: how many they have,
    /// and how many results.
    plain: HashMap<u32, (usize, usize)>,
    /// Functions that pass a constant to another one, as `gcWriteBarrier1` to `gcWriteBarrier8` do.
    passing: HashMap<u32, (i64, u32)>,
    /// `runtime.wasmDiv`.
    pub(crate) divide: Option<u32>,
}

/// A function that can be written where it is called.
pub(crate) struct Leaf {
    parts: Vec<Part>,
    /// The types of its locals behind the stack pointer.
    pub(crate) locals: Vec<u8>,
    /// Whether it may have to be called after all.
    pub(crate) may_panic: bool,
}

enum Part {
    Code(Vec<u8>),
    /// An instruction on a local of its own.
    Local(u8, usize),
    /// A branch to where it is called, or behind its end, from within that many blocks.
    Slow(u8, usize),
    Done(usize),
}

impl Leaves {
    /// Looks at the functions behind those that are imported.
    pub(crate) fn find(module: &[u8], functions: &[Function<'_>], imported: u32, runtime: &Runtime) -> Leaves {
        let mut leaves = Leaves::default();
        let small = || (imported..).zip(functions).filter(|(_, function)| function.body.range().len() <= LARGEST);
        let others = || small().filter_map(|(index, function)| Some((index, function, function.ty.filter(|ty| !is_go(ty))?)));
        // One of those calls another one, which may be behind it.
        for _ in 0..2 {
            for (index, function, ty) in others() {
                if !leaves.plain.contains_key(&index) && is_plain(module, function.body, &leaves.plain) {
                    leaves.plain.insert(index, (ty.params().len(), ty.results().len()));
                }
            }
        }
        let type_of = |index: u32| index.checked_sub(imported).and_then(|at| functions.get(at as usize)?.ty);
        for (index, function, ty) in others() {
            let Ok((instructions, _)) = shape::instructions(module, function.body) else { continue };
            let kinds: Vec<Kind> = instructions.iter().take(6).map(|instruction| instruction.kind).collect();
            if let [Kind::I64Const(constant), Kind::Call(callee), Kind::Return, Kind::Unreachable, Kind::End] = kinds[..]
                && ty.params().is_empty()
                && type_of(callee).is_some_and(|to| to.params() == [ValType::I64] && to.results() == ty.results())
            {
                leaves.passing.insert(index, (constant, callee));
            }
        }
        for (index, function) in small().filter(|(_, function)| function.ty.is_some_and(is_go)) {
            leaves.look_at(module, function.body, index, imported, runtime);
        }
        leaves
    }

    fn look_at(&mut self, module: &[u8], function: &FunctionBody<'_>, index: u32, imported: u32, runtime: &Runtime) {
        let (Ok((groups, count)), Ok((mut instructions, table))) = (shape::locals(function), shape::instructions(module, function)) else {
            return;
        };
        let Ok(head) = Head::read(&instructions, &table) else { return };
        let kind = |at: usize| shape::kind(&instructions, at);
        if kind(0) != Kind::GlobalGet(STACK_POINTER) || kind(1) != Kind::LocalSet(LOCAL_SP) {
            return;
        }
        let function_pc = FIRST_PC + i64::from(index) - i64::from(imported);
        match unwinding(&instructions, runtime, &self.plain) {
            Some(false) => drop(self.steady.insert(index)),
            Some(true) => drop(self.final_only.insert(index)),
            None => return,
        }
        if count as usize > MOST_LOCALS || head.has_loop {
            return;
        }
        address::fold(module, &mut instructions, head.end);
        let locals: Vec<u8> = groups.iter().flat_map(|(many, ty)| std::iter::repeat_n(*ty, *many as usize)).skip(1).collect();
        let reader = Reader {
            module,
            instructions: &instructions,
            head,
            sigpanic: runtime.sigpanic,
            plain: &self.plain,
            function_pc,
            parts: Vec::new(),
            is_set: vec![Vec::new()],
            accesses: HashSet::new(),
            has_stored: false,
            may_panic: false,
            size: 0,
        };
        if let Some((parts, may_panic)) = reader.read() {
            self.inline.insert(index, Leaf { parts, locals, may_panic });
        }
    }

    /// The constant that this function passes on, and to which one.
    pub(crate) fn passes(&self, index: u32) -> Option<(i64, u32)> {
        self.passing.get(&index).copied()
    }

    pub(crate) fn inline(&self, index: u32) -> Option<&Leaf> {
        self.inline.get(&index)
    }

    /// Whether a call of this function always returns 0.
    pub(crate) fn is_steady(&self, index: u32) -> bool {
        self.steady.contains(&index)
    }

    /// Whether no frame is resumed behind a call of this function.
    pub(crate) fn never_comes_back(&self, index: u32) -> bool {
        self.final_only.contains(&index)
    }
}

/// Whether a function unwinds by panics; nothing where it may unwind for another reason, such as to
/// switch goroutines or to grow the stack.
fn unwinding(instructions: &[Instruction], runtime: &Runtime, plain: &HashMap<u32, (usize, usize)>) -> Option<bool> {
    let kind = |at: usize| shape::kind(instructions, at);
    let before = |at: usize, back: usize| at.checked_sub(back).map_or(Kind::Nothing, kind);
    let is_panic = |kind: Kind| matches!(kind, Kind::Call(function) if runtime.panics.contains(&function));
    let mut panics = false;
    for at in 0..instructions.len() {
        match kind(at) {
            Kind::Return if before(at, 1) != Kind::I32Const(0) => return None,
            Kind::BrIf(_) if !is_panic(before(at, 3)) => return None,
            Kind::Call(function) => {
                let is_known = is_panic(kind(at));
                panics |= is_known;
                if !is_known && !plain.contains_key(&function) {
                    return None;
                }
            }
            Kind::CallIndirect | Kind::Foreign => return None,
            _ => {}
        }
    }
    // Behind the last segment, nothing else is returned.
    let count = instructions.len();
    let end = if panics && before(count, 2) == Kind::I32Const(1) { 3 } else { 1 };
    let is_end = before(count, 1) == Kind::End && before(count, end) == Kind::End && before(count, end + 1) == Kind::Unreachable;
    is_end.then_some(panics)
}

/// Whether a function of another type than Go's own reads memory and its parameters alone.
fn is_plain(module: &[u8], function: &FunctionBody<'_>, plain: &HashMap<u32, (usize, usize)>) -> bool {
    let Ok((instructions, table)) = shape::instructions(module, function) else { return false };
    table.is_empty()
        && instructions.iter().all(|instruction| match instruction.kind {
            Kind::Call(function) => plain.contains_key(&function),
            Kind::CallIndirect | Kind::Foreign | Kind::Opaque | Kind::Store | Kind::MemoryCopy | Kind::MemoryFill => false,
            Kind::GlobalGet(_) | Kind::GlobalSet(_) => false,
            Kind::Plain { .. } => !is_growth(module, &instruction.code),
            _ => true,
        })
}

/// Whether that is `memory.grow`.
fn is_growth(module: &[u8], code: &Code) -> bool {
    matches!(code, Code::Original(bytes) if module.get(bytes.start) == Some(&0x40))
}

/// Goes over the code of a leaf.
struct Reader<'a> {
    module: &'a [u8],
    instructions: &'a [Instruction],
    head: Head,
    sigpanic: Option<u32>,
    plain: &'a HashMap<u32, (usize, usize)>,
    function_pc: i64,
    parts: Vec<Part>,
    /// The locals that were set, in each block that is open.
    is_set: Vec<Vec<u32>>,
    /// The loads and stores that are relative to the stack pointer.
    accesses: HashSet<usize>,
    has_stored: bool,
    may_panic: bool,
    size: usize,
}

impl Reader<'_> {
    fn kind(&self, at: usize) -> Kind {
        shape::kind(self.instructions, at)
    }

    fn read(mut self) -> Option<(Vec<Part>, bool)> {
        let mut at = self.head.end;
        let mut dead = None;
        loop {
            let depth = self.is_set.len() - 1;
            let kind = self.kind(at);
            if kind == Kind::End && depth == 0 {
                break;
            }
            if let Some(since) = dead {
                match kind {
                    Kind::Else | Kind::End if since == depth => dead = None,
                    Kind::Unreachable => {
                        at += 1;
                        continue;
                    }
                    _ => return None,
                }
            }
            let next = self.step(at, kind)?;
            if kind == Kind::Unreachable || matches!(self.parts.last(), Some(Part::Done(_))) {
                dead = Some(depth);
            }
            at = next;
            if self.size > MOST_CODE {
                return None;
            }
        }
        // The segments behind it have no code.
        let is_empty = |kind: Kind| matches!(kind, Kind::Unreachable | Kind::End | Kind::I32Const(1));
        let rest = self.instructions.get(at..)?;
        (dead == Some(0) && rest.iter().all(|instruction| is_empty(instruction.kind))).then_some((self.parts, self.may_panic))
    }

    /// Goes over an instruction, or several that belong together; gives where the next one is.
    fn step(&mut self, at: usize, kind: Kind) -> Option<usize> {
        let depth = self.is_set.len() - 1;
        match kind {
            Kind::If => {
                let segments = self.head.segments - 1;
                if self.is_panic(at + 1, depth + 1 + segments)? && self.kind(at + 1 + CALL) == Kind::End {
                    self.slow(code::BR_IF, depth)?;
                    return Some(at + CALL + 2);
                }
                self.is_set.push(Vec::new());
                let code = self.original(at)?.to_vec();
                (code == [code::IF, code::EMPTY]).then_some(())?;
                self.push(code);
            }
            Kind::Else => {
                self.is_set.last_mut()?.clear();
                self.push(vec![code::ELSE]);
            }
            Kind::End => {
                self.is_set.pop();
                self.push(vec![code::END]);
            }
            Kind::LocalGet(LOCAL_SP) if self.is_return(at) => {
                self.parts.push(Part::Done(depth));
                self.size += 3;
                return Some(at + 7);
            }
            Kind::LocalGet(LOCAL_SP) => {
                self.push(vec![code::LOCAL_GET, 1]);
                // What was folded into the offset is left without code.
                let is_empty = |instruction: &&Instruction| matches!(&instruction.code, Code::New(code) if code.is_empty());
                let folded = self.instructions.iter().skip(at + 1).take_while(is_empty).count();
                self.accesses.insert(address::access_of(self.instructions, at + 1 + folded, |callee| self.plain.get(&callee).copied())?);
            }
            Kind::GlobalGet(STACK_POINTER) if self.kind(at + 1) == Kind::LocalSet(LOCAL_SP) => {
                matches!(self.kind(at.checked_sub(1)?), Kind::Call(_)).then_some(())?;
                return Some(at + 2);
            }
            Kind::GlobalGet(global) if global != STACK_POINTER => self.copy(at)?,
            Kind::LocalGet(local) if local > LOCAL_SP => {
                self.is_set.iter().flatten().any(|set| *set == local).then_some(())?;
                self.local(code::LOCAL_GET, local);
            }
            Kind::LocalSet(local) if local > LOCAL_SP => {
                self.local(code::LOCAL_SET, local);
                self.is_set.last_mut()?.push(local);
            }
            Kind::LocalTee(local) if local > LOCAL_SP => {
                self.local(code::LOCAL_TEE, local);
                self.is_set.last_mut()?.push(local);
            }
            Kind::Load | Kind::Store => {
                self.has_stored |= kind == Kind::Store;
                if self.accesses.remove(&at) {
                    let code = address::with_offset(self.module, &self.instructions[at], -8)?;
                    self.push(code);
                } else {
                    self.copy(at)?;
                }
            }
            Kind::Call(function) if self.plain.contains_key(&function) => self.copy(at)?,
            Kind::Unreachable => self.copy(at)?,
            Kind::I32Const(_) | Kind::I64Const(_) | Kind::WrapI64 => self.copy(at)?,
            Kind::Plain { .. } => {
                (!is_growth(self.module, &self.instructions.get(at)?.code)).then_some(())?;
                self.copy(at)?;
            }
            _ => return None,
        }
        Some(at + 1)
    }

    fn original(&self, at: usize) -> Option<&[u8]> {
        match &self.instructions.get(at)?.code {
            Code::Original(bytes) => self.module.get(bytes.clone()),
            Code::New(bytes) => Some(bytes),
        }
    }

    fn copy(&mut self, at: usize) -> Option<()> {
        let code = self.original(at)?.to_vec();
        self.push(code);
        Some(())
    }

    fn push(&mut self, code: Vec<u8>) {
        self.size += code.len();
        if let Some(Part::Code(before)) = self.parts.last_mut() {
            before.extend(code);
        } else {
            self.parts.push(Part::Code(code));
        }
    }

    fn local(&mut self, opcode: u8, local: u32) {
        self.size += 2;
        self.parts.push(Part::Local(opcode, (local - LOCAL_SP - 1) as usize));
    }

    fn slow(&mut self, opcode: u8, depth: usize) -> Option<()> {
        self.may_panic = true;
        self.size += 2;
        self.parts.push(Part::Slow(opcode, depth));
        (!self.has_stored).then_some(())
    }

    /// Whether the call of `sigpanic` is there.
    fn is_panic(&self, at: usize, unwinding: usize) -> Option<bool> {
        let call = shape::call_at(self.instructions, at, unwinding + usize::from(self.head.has_loop));
        Some(call.is_some_and(|(callee, pc)| Some(callee) == self.sigpanic && pc >> 16 == self.function_pc))
    }

    /// `SP += 8; return 0`.
    fn is_return(&self, at: usize) -> bool {
        let is_add = self.original(at + 2) == Some(&[code::I32_ADD]);
        is_add
            && self.kind(at + 1) == Kind::I32Const(8)
            && self.kind(at + 3) == Kind::LocalTee(LOCAL_SP)
            && self.kind(at + 4) == Kind::GlobalSet(STACK_POINTER)
            && self.kind(at + 5) == Kind::I32Const(0)
            && self.kind(at + 6) == Kind::Return
    }
}

impl Leaf {
    /// The code, with its locals as these: up to where the original call has to be made, if it may
    /// have to be. Its block is closed, and one around that is open then.
    pub(crate) fn write(&self, locals: &[u32]) -> Vec<u8> {
        let mut out = Vec::new();
        let is_straight = !self.may_panic && matches!(self.parts.as_slice(), [.., Part::Done(0)]) && self.dones() == 1;
        let blocks = if self.may_panic { 2 } else { usize::from(!is_straight) };
        out.extend([code::BLOCK, code::EMPTY].repeat(blocks));
        for part in &self.parts {
            match part {
                Part::Code(code) => out.extend(code),
                Part::Local(opcode, local) => {
                    out.push(*opcode);
                    leb::unsigned(&mut out, locals.get(*local).map_or(0, |local| u64::from(*local)));
                }
                Part::Slow(opcode, depth) => {
                    out.push(*opcode);
                    leb::unsigned(&mut out, *depth as u64);
                }
                Part::Done(_) if is_straight => {}
                Part::Done(depth) => {
                    out.push(code::BR);
                    leb::unsigned(&mut out, (depth + blocks - 1) as u64);
                }
            }
        }
        if blocks > 0 {
            out.push(code::END);
        }
        out
    }

    fn dones(&self) -> usize {
        self.parts.iter().filter(|part| matches!(part, Part::Done(_))).count()
    }
}
