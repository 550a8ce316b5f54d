//! Code written as text, for what is put in the place of code of Go's.
//!
//! The text has the instructions of the text format, one after the other, without parentheses:
//! labels and locals are numbers, a block has no type or `i32`, and a load or a store may have an
//! offset behind it. Alignments are those that Go's assembler writes: the natural ones.

use crate::leb;
use crate::operator::code;

/// What stands behind an opcode.
#[derive(Clone, Copy)]
enum Immediate {
    None,
    /// The type of a block: the empty one, if it is left out.
    Block,
    /// A label, a local, or a global.
    Index,
    /// A constant.
    Signed,
    /// The alignment, and an offset which may be left out.
    Access(u8),
    /// A second byte of the opcode, and that many memories.
    Bulk(u8, u8),
}

use Immediate::{Access, Block, Bulk, Index, None as Nothing, Signed};

/// The instructions that are used, by their names.
const INSTRUCTIONS: [(&str, u8, Immediate); 66] = [
    ("unreachable", code::UNREACHABLE, Nothing),
    ("block", code::BLOCK, Block),
    ("loop", code::LOOP, Block),
    ("if", code::IF, Block),
    ("else", code::ELSE, Nothing),
    ("end", code::END, Nothing),
    ("br", code::BR, Index),
    ("br_if", code::BR_IF, Index),
    ("return", code::RETURN, Nothing),
    ("call", code::CALL, Index),
    ("drop", code::DROP, Nothing),
    ("select", 0x1B, Nothing),
    ("local.get", code::LOCAL_GET, Index),
    ("local.set", code::LOCAL_SET, Index),
    ("local.tee", code::LOCAL_TEE, Index),
    ("global.get", code::GLOBAL_GET, Index),
    ("global.set", code::GLOBAL_SET, Index),
    ("i32.load", 0x28, Access(2)),
    ("i64.load", 0x29, Access(3)),
    ("i32.load8_s", 0x2C, Access(0)),
    ("i32.load8_u", 0x2D, Access(0)),
    ("i32.load16_u", 0x2F, Access(1)),
    ("i64.load8_u", 0x31, Access(0)),
    ("i64.load16_u", 0x33, Access(1)),
    ("i64.load32_u", 0x35, Access(2)),
    ("i32.store", 0x36, Access(2)),
    ("i64.store", 0x37, Access(3)),
    ("i32.store8", 0x3A, Access(0)),
    ("i32.store16", 0x3B, Access(1)),
    ("i32.const", code::I32_CONST, Signed),
    ("i64.const", code::I64_CONST, Signed),
    ("i32.eqz", 0x45, Nothing),
    ("i32.eq", 0x46, Nothing),
    ("i32.ne", 0x47, Nothing),
    ("i32.lt_u", 0x49, Nothing),
    ("i32.gt_u", 0x4B, Nothing),
    ("i32.le_u", 0x4D, Nothing),
    ("i32.ge_u", 0x4F, Nothing),
    ("i64.eqz", 0x50, Nothing),
    ("i64.eq", 0x51, Nothing),
    ("i64.ne", 0x52, Nothing),
    ("i64.lt_u", 0x54, Nothing),
    ("i64.le_u", 0x58, Nothing),
    ("i64.ge_u", 0x5A, Nothing),
    ("i32.ctz", 0x68, Nothing),
    ("i32.add", code::I32_ADD, Nothing),
    ("i32.sub", code::I32_SUB, Nothing),
    ("i32.mul", 0x6C, Nothing),
    ("i32.and", 0x71, Nothing),
    ("i32.or", 0x72, Nothing),
    ("i32.xor", 0x73, Nothing),
    ("i32.shl", 0x74, Nothing),
    ("i32.shr_u", 0x76, Nothing),
    ("i64.ctz", 0x7A, Nothing),
    ("i64.add", code::I64_ADD, Nothing),
    ("i64.sub", 0x7D, Nothing),
    ("i64.mul", 0x7E, Nothing),
    ("i64.div_s", 0x7F, Nothing),
    ("i64.and", 0x83, Nothing),
    ("i64.or", code::I64_OR, Nothing),
    ("i64.xor", 0x85, Nothing),
    ("i64.shr_u", 0x88, Nothing),
    ("i32.wrap_i64", code::I32_WRAP_I64, Nothing),
    ("i64.extend_i32_u", code::I64_EXTEND_I32_U, Nothing),
    ("memory.copy", 0xFC, Bulk(10, 2)),
    ("memory.fill", 0xFC, Bulk(11, 1)),
];

/// The bytes of these instructions. Gives nothing for text that is wrong.
pub(crate) fn assemble(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut words = text.split_ascii_whitespace().peekable();
    while let Some(word) = words.next() {
        let &(_, opcode, immediate) = INSTRUCTIONS.iter().find(|(name, ..)| *name == word)?;
        out.push(opcode);
        match immediate {
            Nothing => {}
            Block => out.push(if words.next_if_eq(&"i32").is_some() { 0x7F } else { code::EMPTY }),
            Index => leb::unsigned(&mut out, words.next()?.parse().ok()?),
            Signed => leb::signed(&mut out, words.next()?.parse().ok()?),
            Access(align) => {
                let offset = words.next_if(|word| word.starts_with(|c: char| c.is_ascii_digit()));
                out.push(align);
                leb::unsigned(&mut out, offset.map_or(Some(0), |offset| offset.parse().ok())?);
            }
            Bulk(second, memories) => {
                out.push(second);
                out.extend((0..memories).map(|_| 0));
            }
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_becomes_code() {
        let text = "block if i32 local.get 300 i64.load 8 i32.load8_u i64.const -1 memory.copy end br 1";
        let code = [0x02, 0x40, 0x04, 0x7F, 0x20, 0xAC, 0x02, 0x29, 3, 8, 0x2D, 0, 0, 0x42, 0x7F, 0xFC, 10, 0, 0, 0x0B, 0x0C, 1];
        assert_eq!(assemble(text).as_deref(), Some(&code[..]));
        assert_eq!((assemble("i64.load x"), assemble("local.get"), assemble("nothing")), (None, None, None));
    }
}
