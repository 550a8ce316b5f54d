//! The shape that Go's back end gives a function: its instructions, what stands before its
//! segments, and how it calls.

use std::ops::Range;

use wasmparser::{FunctionBody, Operator, ValType};

use crate::operator::{Kind, code};

/// Why a function is copied as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Copied(pub(crate) &'static str);

/// The code of an instruction, or of several that follow each other.
#[derive(Clone, Debug)]
pub(crate) enum Code {
    /// As it is in the module, at these bytes.
    Original(Range<usize>),
    /// Written anew.
    New(Vec<u8>),
}

/// An instruction of a body.
pub(crate) struct Instruction {
    pub(crate) kind: Kind,
    pub(crate) code: Code,
}

/// `funcValueOffset` of Go's linker: the PC_F of the first function that is not imported.
pub(crate) const FIRST_PC: i64 = 0x1000;

/// Locals of a function, of which WebAssembly's engines allow 50,000.
const MOST_LOCALS: u32 = 40_000;

pub(crate) const STACK_POINTER: u32 = 0;
pub(crate) const LOCAL_PC: u32 = 0;
pub(crate) const LOCAL_SP: u32 = 1;

/// The declared locals in groups, and the index behind them.
pub(crate) fn locals(function: &FunctionBody<'_>) -> Result<(Vec<(u32, u8)>, u32), Copied> {
    let mut groups = Vec::new();
    let mut count = 1_u32;
    let reader = function.get_locals_reader().map_err(|_| Copied("its locals are damaged"))?;
    for group in reader {
        let (many, ty) = group.map_err(|_| Copied("its locals are damaged"))?;
        count = count.checked_add(many).filter(|count| *count < MOST_LOCALS).ok_or(Copied("it has too many locals"))?;
        let byte = match ty {
            ValType::I32 => 0x7F,
            ValType::I64 => 0x7E,
            ValType::F32 => 0x7D,
            ValType::F64 => 0x7C,
            ValType::V128 => 0x7B,
            ValType::Ref(_) => return Err(Copied("it has locals of a type that Go does not use")),
        };
        groups.push((many, byte));
    }
    Ok((groups, count))
}

/// The instructions, and the targets of the first `br_table`, the default last.
pub(crate) fn instructions(module: &[u8], function: &FunctionBody<'_>) -> Result<(Vec<Instruction>, Vec<usize>), Copied> {
    let damaged = |_| Copied("its code is damaged");
    let mut reader = function.get_operators_reader().map_err(damaged)?;
    // An instruction has two bytes and a half, on average.
    let (mut instructions, mut table) = (Vec::with_capacity(function.range().len() / 2), Vec::new());
    while !reader.eof() {
        let start = reader.original_position();
        let operator = reader.read().map_err(damaged)?;
        let bytes = start..reader.original_position();
        if let Operator::BrTable { targets } = &operator
            && table.is_empty()
        {
            for target in targets.targets() {
                table.push(target.map_err(damaged)? as usize);
            }
            table.push(targets.default() as usize);
        }
        let opcode = module.get(start).copied().unwrap_or(code::UNREACHABLE);
        instructions.push(Instruction { kind: Kind::of(&operator, opcode), code: Code::Original(bytes) });
    }
    Ok((instructions, table))
}

pub(crate) fn kind(instructions: &[Instruction], at: usize) -> Kind {
    instructions.get(at).map_or(Kind::Nothing, |instruction| instruction.kind)
}

/// What stands before the first segment.
#[derive(Clone, Copy)]
pub(crate) struct Head {
    /// Where the first segment begins.
    pub(crate) end: usize,
    pub(crate) segments: usize,
    /// Whether there is a `br_table`, and blocks for it.
    pub(crate) is_table: bool,
    pub(crate) has_loop: bool,
    pub(crate) may_unwind: bool,
}

impl Head {
    pub(crate) fn read(instructions: &[Instruction], table: &[usize]) -> Result<Head, Copied> {
        let kind = |at: usize| kind(instructions, at);
        let (mut at, mut blocks, mut has_loop, mut may_unwind) = (2, 0, false, false);
        loop {
            match kind(at) {
                Kind::Loop if !has_loop && blocks <= 1 => {
                    has_loop = true;
                    may_unwind = blocks == 1;
                    blocks = 0;
                }
                Kind::Block => blocks += 1,
                _ => break,
            }
            at += 1;
        }
        let is_table = blocks > 0 && kind(at) == Kind::LocalGet(LOCAL_PC) && kind(at + 1) == Kind::BrTable && kind(at + 2) == Kind::End;
        if is_table {
            let last = *table.last().ok_or(Copied("its table has no targets"))?;
            if table.iter().any(|target| *target > last) {
                return Err(Copied("its table leads elsewhere"));
            }
            if !has_loop && blocks == last + 2 {
                may_unwind = true;
            } else if blocks != last + 1 {
                return Err(Copied("its table has not as many targets as there are blocks"));
            }
            return Ok(Head { end: at + 3, segments: last + 1, is_table, has_loop, may_unwind });
        }
        if has_loop || blocks > 1 {
            return Err(Copied("its blocks have no table"));
        }
        let count = instructions.len();
        let ends_as_unwinding =
            count >= 3 && kind(count - 2) == Kind::I32Const(1) && kind(count - 3) == Kind::End && kind(count - 1) == Kind::End;
        if blocks == 1 && !ends_as_unwinding {
            return Err(Copied("its block is none that calls unwind to"));
        }
        Ok(Head { end: 2 + blocks, segments: 1, is_table, has_loop, may_unwind: blocks == 1 })
    }
}

/// How many instructions a call has.
pub(crate) const CALL: usize = 13;

/// The callee, and the PC to return to, of a call that begins there, with the test of whether it
/// unwound: `SP -= 8; *SP = PC; callee(0); SP = global; br_if`.
pub(crate) fn call_at(instructions: &[Instruction], at: usize, unwinding: usize) -> Option<(u32, i64)> {
    let kind = |ahead: usize| kind(instructions, at + ahead);
    let (Kind::I64Const(pc), Kind::Call(callee)) = (kind(6), kind(9)) else { return None };
    let is_call = kind(0) == Kind::LocalGet(LOCAL_SP)
        && kind(1) == Kind::I32Const(8)
        && kind(3) == Kind::LocalTee(LOCAL_SP)
        && kind(4) == Kind::GlobalSet(STACK_POINTER)
        && kind(5) == Kind::LocalGet(LOCAL_SP)
        && kind(7) == Kind::Store
        && kind(8) == Kind::I32Const(0)
        && kind(10) == Kind::GlobalGet(STACK_POINTER)
        && kind(11) == Kind::LocalSet(LOCAL_SP)
        && matches!(kind(12), Kind::BrIf(to) if to as usize == unwinding);
    is_call.then_some((callee, pc))
}
