//! Copies and fills of a few bytes, without a call of the engine.
//!
//! `memory.copy` and `memory.fill` call the engine: that takes longer than to move a few bytes, and
//! they are few most of the time. The length is known at run time only in `memmove` and
//! `memclrNoHeapPointers` of Go's runtime, which have loaded their arguments into locals.

use crate::assemble::assemble;
use crate::operator::Kind;
use crate::shape::{Code, Instruction};

/// Copies up to 64 bytes, by words that may overlap each other. All are loaded before any is
/// stored, since the areas may overlap, too.
const COPY: &str = "
    local.get N i64.const 16 i64.le_u if
        local.get N i64.const 8 i64.ge_u if
            TO FROM i64.load TO_8 FROM_8 i64.load i64.store i64.store
        else
            local.get N i64.const 4 i64.ge_u if
                TO FROM i32.load TO_4 FROM_4 i32.load i32.store i32.store
            else
                local.get N i64.eqz i32.eqz if
                    TO FROM i32.load8_u TO_HALF FROM_HALF i32.load8_u TO_1 FROM_1 i32.load8_u
                    i32.store8 i32.store8 i32.store8
                end
            end
        end
    else
        local.get N i64.const 32 i64.le_u if
            TO FROM i64.load TO FROM i64.load 8 TO_16 FROM_16 i64.load TO_16 FROM_16 i64.load 8
            i64.store 8 i64.store i64.store 8 i64.store
        else
            local.get N i64.const 64 i64.le_u if
                TO FROM i64.load TO FROM i64.load 8 TO FROM i64.load 16 TO FROM i64.load 24
                TO_32 FROM_32 i64.load TO_32 FROM_32 i64.load 8 TO_32 FROM_32 i64.load 16 TO_32 FROM_32 i64.load 24
                i64.store 24 i64.store 16 i64.store 8 i64.store i64.store 24 i64.store 16 i64.store 8 i64.store
            else
                TO FROM local.get N i32.wrap_i64 memory.copy
            end
        end
    end";

/// Clears up to 64 bytes.
const CLEAR: &str = "
    local.get N i64.const 16 i64.le_u if
        local.get N i64.const 8 i64.ge_u if
            TO i64.const 0 i64.store TO_8 i64.const 0 i64.store
        else
            local.get N i64.const 4 i64.ge_u if
                TO i32.const 0 i32.store TO_4 i32.const 0 i32.store
            else
                local.get N i64.eqz i32.eqz if
                    TO i32.const 0 i32.store8 TO_HALF i32.const 0 i32.store8 TO_1 i32.const 0 i32.store8
                end
            end
        end
    else
        local.get N i64.const 32 i64.le_u if
            TO i64.const 0 i64.store TO i64.const 0 i64.store 8
            TO_16 i64.const 0 i64.store TO_16 i64.const 0 i64.store 8
        else
            local.get N i64.const 64 i64.le_u if
                TO i64.const 0 i64.store TO i64.const 0 i64.store 8
                TO i64.const 0 i64.store 16 TO i64.const 0 i64.store 24
                TO_32 i64.const 0 i64.store TO_32 i64.const 0 i64.store 8
                TO_32 i64.const 0 i64.store 16 TO_32 i64.const 0 i64.store 24
            else
                TO i32.const 0 local.get N i32.wrap_i64 memory.fill
            end
        end
    end";

/// Bytes that a function may have got before it gets no more: Go's have one copy or fill each, and
/// each takes some hundreds.
const MOST_ADDED: usize = 1024;

/// Puts the code for few bytes in front of copies and fills by locals. Gives how many bytes that
/// takes.
pub(crate) fn shorten(instructions: &mut [Instruction], start: usize) -> usize {
    let mut added = 0;
    for at in start..instructions.len() {
        if added > MOST_ADDED {
            break;
        }
        let kind = |ahead: usize| instructions.get(at + ahead).map_or(Kind::Nothing, |instruction| instruction.kind);
        let (count, written) = match (kind(0), kind(2), kind(3), kind(4), kind(6)) {
            (Kind::LocalGet(to), Kind::LocalGet(from), Kind::WrapI64, Kind::LocalGet(many), Kind::MemoryCopy)
                if kind(1) == Kind::WrapI64 && kind(5) == Kind::WrapI64 =>
            {
                (7, with(COPY, to, from, many))
            }
            (Kind::LocalGet(to), Kind::I32Const(0), Kind::LocalGet(many), Kind::WrapI64, _)
                if kind(1) == Kind::WrapI64 && kind(5) == Kind::MemoryFill =>
            {
                (6, with(CLEAR, to, to, many))
            }
            _ => continue,
        };
        let Some(written) = written else { continue };
        for instruction in &mut instructions[at..at + count] {
            *instruction = Instruction { kind: Kind::Plain { pops: 0, pushes: 0 }, code: Code::New(Vec::new()) };
        }
        added += written.len();
        instructions[at].code = Code::New(written);
    }
    added
}

/// The code of that text, for an area at `to`, another one at `from`, and `many` bytes: locals, of
/// type i64.
fn with(text: &str, to: u32, from: u32, many: u32) -> Option<Vec<u8>> {
    let mut whole = String::new();
    for word in text.split_ascii_whitespace() {
        let (area, place) = word.split_once('_').unwrap_or((word, ""));
        let local = match area {
            "TO" => to,
            "FROM" => from,
            "N" => {
                whole.push_str(&format!(" {many}"));
                continue;
            }
            _ => {
                whole.push(' ');
                whole.push_str(word);
                continue;
            }
        };
        whole.push_str(&format!(" local.get {local}"));
        match place {
            "" => {}
            "HALF" => whole.push_str(&format!(" local.get {many} i64.const 1 i64.shr_u i64.add")),
            before_end => whole.push_str(&format!(" local.get {many} i64.add i64.const {before_end} i64.sub")),
        }
        whole.push_str(" i32.wrap_i64");
    }
    assemble(&whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_are_assembled() {
        assert!([COPY, CLEAR].into_iter().all(|text| with(text, 2, 3, 4).is_some_and(|code| code.ends_with(&[0x0B]))));
    }

    #[test]
    fn a_function_of_many_copies_does_not_grow_with_each() {
        let copy = [Kind::LocalGet(2), Kind::WrapI64, Kind::LocalGet(3), Kind::WrapI64, Kind::LocalGet(4), Kind::WrapI64, Kind::MemoryCopy];
        let mut instructions: Vec<Instruction> =
            copy.iter().cycle().take(100 * copy.len()).map(|kind| Instruction { kind: *kind, code: Code::New(Vec::new()) }).collect();
        let added = shorten(&mut instructions, 0);
        assert!((1..2 * MOST_ADDED).contains(&added), "{added}");
    }
}
