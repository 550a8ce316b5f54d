//! Addresses relative to the stack pointer.
//!
//! The back end computes `SP + C` in 64 bits, of a stack pointer of 32:
//! `local.get 1; i64.extend_i32_u; i64.const C; i64.add; i32.wrap_i64`. A load or a store at that
//! address has an offset that C can be added to. Go's stacks end within the memory, so no address
//! in them wraps around.

use wasmparser::BinaryReader;

use crate::leb;
use crate::operator::{Kind, code};
use crate::shape::{Code, Instruction};

/// Frames of Go are smaller; what is larger is no offset in one.
const LARGEST_OFFSET: i64 = 1 << 20;

/// How many instructions compute the value that is stored, at most. What is longer is left alone.
const FAR: usize = 64;

/// Folds the constants into the loads and stores, or into one addition of 32 bits.
pub(crate) fn fold(module: &[u8], instructions: &mut [Instruction], start: usize) {
    let mut at = start;
    while at + 4 < instructions.len() {
        let Some(constant) = offset_at(module, &instructions[at..at + 5]) else {
            at += 1;
            continue;
        };
        let access = access_of(instructions, at + 5, |_| None);
        let folded = access.and_then(|access| Some((access, with_offset(module, &instructions[access], constant)?)));
        let mut addition = Vec::new();
        match folded {
            Some((access, code)) => instructions[access].code = Code::New(code),
            None => {
                addition.push(code::I32_CONST);
                leb::signed(&mut addition, constant);
                addition.push(code::I32_ADD);
            }
        }
        instructions[at + 1] = Instruction { kind: Kind::Plain { pops: 1, pushes: 1 }, code: Code::New(addition) };
        for instruction in &mut instructions[at + 2..at + 5] {
            *instruction = Instruction { kind: Kind::Plain { pops: 0, pushes: 0 }, code: Code::New(Vec::new()) };
        }
        at += 5;
    }
}

/// The constant C, where the five instructions compute `SP + C`.
fn offset_at(module: &[u8], five: &[Instruction]) -> Option<i64> {
    let opcode = |at: usize| match &five.get(at)?.code {
        Code::Original(bytes) => module.get(bytes.start).copied(),
        Code::New(_) => None,
    };
    let is_sum = five.first()?.kind == Kind::LocalGet(1)
        && opcode(1) == Some(code::I64_EXTEND_I32_U)
        && opcode(3) == Some(code::I64_ADD)
        && opcode(4) == Some(code::I32_WRAP_I64);
    match five.get(2)?.kind {
        Kind::I64Const(constant) if is_sum && (1..LARGEST_OFFSET).contains(&constant) => Some(constant),
        _ => None,
    }
}

/// The load or the store that uses the address on top of the operand stack, and nothing else does.
/// In between are at most calls of functions for which it is given how many values they take and
/// give.
pub(crate) fn access_of(instructions: &[Instruction], start: usize, arity: impl Fn(u32) -> Option<(usize, usize)>) -> Option<usize> {
    let mut above = 0_usize;
    for (at, instruction) in instructions.iter().enumerate().skip(start).take(FAR) {
        let (pops, pushes) = match instruction.kind {
            Kind::Load if above == 0 => return Some(at),
            Kind::Store if above == 1 => return Some(at),
            Kind::Load | Kind::LocalTee(_) | Kind::WrapI64 => (1, 1),
            Kind::Store => (2, 0),
            Kind::MemoryCopy | Kind::MemoryFill => (3, 0),
            Kind::LocalGet(_) | Kind::GlobalGet(_) | Kind::I32Const(_) | Kind::I64Const(_) => (0, 1),
            Kind::LocalSet(_) | Kind::GlobalSet(_) => (1, 0),
            Kind::Call(callee) => arity(callee)?,
            Kind::Plain { pops, pushes } => (usize::from(pops), usize::from(pushes)),
            _ => return None,
        };
        above = above.checked_sub(pops)? + pushes;
    }
    None
}

/// The code of a load or a store with a larger offset.
pub(crate) fn with_offset(module: &[u8], access: &Instruction, more: i64) -> Option<Vec<u8>> {
    let code = match &access.code {
        Code::Original(bytes) => module.get(bytes.clone())?,
        Code::New(bytes) => bytes,
    };
    let mut reader = BinaryReader::new(code.get(1..)?, 0);
    let (align, offset) = (reader.read_var_u32().ok()?, reader.read_var_u32().ok()?);
    let offset = i64::from(offset).checked_add(more).and_then(|offset| u32::try_from(offset).ok())?;
    let mut written = vec![code[0]];
    leb::unsigned(&mut written, u64::from(align));
    leb::unsigned(&mut written, u64::from(offset));
    Some(written)
}
