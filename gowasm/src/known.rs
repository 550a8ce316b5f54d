//! Functions of Go's assembly that are slower than they have to be.
//!
//! They are recognised by their whole code, so that names don't matter, and a version of Go that
//! has another one keeps it.

use wasmparser::{FuncType, ValType};

use crate::assemble::assemble;
use crate::leb;

/// A function with its type, as Go has it, and as it is written instead.
struct Known {
    params: &'static [ValType],
    result: ValType,
    /// The declared locals, in groups, and the code.
    original: (&'static [(u32, ValType)], &'static str),
    better: (&'static [(u32, ValType)], &'static str),
}

const I32: ValType = ValType::I32;
const I64: ValType = ValType::I64;

/// `memeqbody` in `internal/bytealg/equal_wasm.s` compares byte by byte. Here it is by words, the
/// last of which may overlap the one before, and is looked at first: keys are more often equal at
/// their beginnings.
const EQUAL: Known = Known {
    params: &[I64, I64, I64],
    result: I64,
    original: (
        &[],
        "local.get 0 local.get 1 i64.eq if i64.const 1 return end
        loop
            local.get 2 i64.eqz if i64.const 1 return end
            local.get 0 i32.wrap_i64 i64.load8_u local.get 1 i32.wrap_i64 i64.load8_u i64.ne if i64.const 0 return end
            local.get 0 i64.const 1 i64.add local.set 0
            local.get 1 i64.const 1 i64.add local.set 1
            local.get 2 i64.const 1 i64.sub local.set 2
            br 0
        end
        unreachable unreachable end",
    ),
    // Locals: both places, and that of the last word of the first.
    better: (
        &[(3, I32)],
        "local.get 0 local.get 1 i64.eq if i64.const 1 return end
        local.get 0 i32.wrap_i64 local.set 3
        local.get 1 i32.wrap_i64 local.set 4
        local.get 2 i64.const 8 i64.ge_u if
            local.get 3 local.get 2 i32.wrap_i64 i32.add i32.const 8 i32.sub local.tee 5 i64.load
            local.get 4 local.get 2 i32.wrap_i64 i32.add i32.const 8 i32.sub i64.load
            i64.ne if i64.const 0 return end
            loop
                local.get 3 local.get 5 i32.lt_u if
                    local.get 3 i64.load local.get 4 i64.load i64.ne if i64.const 0 return end
                    local.get 3 i32.const 8 i32.add local.set 3
                    local.get 4 i32.const 8 i32.add local.set 4
                    br 1
                end
            end
            i64.const 1 return
        end
        local.get 2 i64.const 4 i64.ge_u if
            local.get 3 i32.load local.get 4 i32.load i32.eq
            local.get 3 local.get 2 i32.wrap_i64 i32.add i32.const 4 i32.sub i32.load
            local.get 4 local.get 2 i32.wrap_i64 i32.add i32.const 4 i32.sub i32.load i32.eq
            i32.and i64.extend_i32_u return
        end
        loop
            local.get 2 i64.eqz if i64.const 1 return end
            local.get 3 i32.load8_u local.get 4 i32.load8_u i32.ne if i64.const 0 return end
            local.get 3 i32.const 1 i32.add local.set 3
            local.get 4 i32.const 1 i32.add local.set 4
            local.get 2 i64.const 1 i64.sub local.set 2
            br 0
        end
        unreachable end",
    ),
};

/// `memcmp` in `internal/bytealg/compare_wasm.s` gives the difference of the first two bytes that
/// are not equal.
const COMPARE: Known = Known {
    params: &[I32, I32, I32],
    result: I32,
    original: (
        &[(2, I32)],
        "local.get 2 if i32
            loop
                local.get 0 i32.load8_s local.tee 3 local.get 1 i32.load8_s local.tee 4 i32.eq if
                    local.get 0 i32.const 1 i32.add local.set 0
                    local.get 1 i32.const 1 i32.add local.set 1
                    i32.const 0 local.get 2 i32.const -1 i32.add local.tee 2 i32.eqz br_if 3 drop br 1
                end
            end
            local.get 3 i32.const 255 i32.and local.get 4 i32.const 255 i32.and i32.sub
        else
            i32.const 0
        end
        return unreachable end",
    ),
    // Locals: the place of the last word, two words, and where they differ.
    better: (
        &[(1, I32), (3, I64)],
        "block
            local.get 2 i32.const 8 i32.ge_u if
                local.get 0 local.get 2 i32.add i32.const 8 i32.sub local.set 3
                loop
                    local.get 0 i64.load local.tee 4 local.get 1 i64.load local.tee 5 i64.ne br_if 2
                    local.get 0 local.get 3 i32.eq if i32.const 0 return end
                    local.get 0 i32.const 8 i32.add local.set 0
                    local.get 1 i32.const 8 i32.add local.set 1
                    local.get 0 local.get 3 i32.gt_u if
                        local.get 1 local.get 0 local.get 3 i32.sub i32.sub local.set 1
                        local.get 3 local.set 0
                    end
                    br 0
                end
            end
            loop
                local.get 2 i32.eqz if i32.const 0 return end
                local.get 0 i64.load8_u local.tee 4 local.get 1 i64.load8_u local.tee 5 i64.ne br_if 1
                local.get 0 i32.const 1 i32.add local.set 0
                local.get 1 i32.const 1 i32.add local.set 1
                local.get 2 i32.const 1 i32.sub local.set 2
                br 0
            end
        end
        local.get 4 local.get 5 i64.xor i64.ctz i64.const 56 i64.and local.set 6
        local.get 4 local.get 6 i64.shr_u i32.wrap_i64 i32.const 255 i32.and
        local.get 5 local.get 6 i64.shr_u i32.wrap_i64 i32.const 255 i32.and
        i32.sub end",
    ),
};

/// `runtime.wasmDiv` in `runtime/sys_wasm.s` divides the least number by -1, too.
const DIVIDE: (&[ValType], &str) = (
    &[I64, I64],
    "local.get 0 i64.const -9223372036854775808 i64.eq if
        local.get 1 i64.const -1 i64.eq if i64.const -9223372036854775808 return end
    end
    local.get 0 local.get 1 i64.div_s return unreachable end",
);

/// The known functions as bytes.
pub(crate) struct Library {
    functions: Vec<(&'static Known, Vec<u8>)>,
    divide: Vec<u8>,
}

impl Library {
    pub(crate) fn new() -> Library {
        let functions = [&EQUAL, &COMPARE].map(|known| (known, body(known.original))).to_vec();
        Library { functions, divide: body((&[], DIVIDE.1)) }
    }

    /// What is written in the place of a function with that type, locals and code.
    pub(crate) fn better(&self, ty: &FuncType, original: &[u8]) -> Option<Vec<u8>> {
        let is_it = |(known, code): &&(&Known, Vec<u8>)| ty.params() == known.params && ty.results() == [known.result] && code == original;
        self.functions.iter().find(is_it).map(|(known, _)| body(known.better))
    }

    /// Whether that is the function that divides.
    pub(crate) fn is_division(&self, ty: &FuncType, original: &[u8]) -> bool {
        ty.params() == DIVIDE.0 && ty.results() == [I64] && original == self.divide
    }
}

fn body((locals, code): (&[(u32, ValType)], &str)) -> Vec<u8> {
    let mut out = Vec::new();
    leb::unsigned(&mut out, locals.len() as u64);
    for (many, ty) in locals {
        leb::unsigned(&mut out, u64::from(*many));
        out.push(if *ty == I32 { 0x7F } else { 0x7E });
    }
    out.extend(assemble(code).unwrap_or_default());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_assembled() {
        for known in [&EQUAL, &COMPARE] {
            for (locals, code) in [known.original, known.better] {
                assert!(assemble(code).is_some() && body((locals, code)).ends_with(&[crate::operator::code::END]));
            }
        }
        assert!(assemble(DIVIDE.1).is_some());
    }

    #[test]
    fn another_type_is_another_function() {
        let library = Library::new();
        let ty = |params: &[ValType]| FuncType::new(params.to_vec(), [I64]);
        let original = body(EQUAL.original);
        assert_eq!(library.better(&ty(EQUAL.params), &original), Some(body(EQUAL.better)));
        assert_eq!(library.better(&ty(&[I64, I64, I64, I64]), &original), None);
        assert_eq!(library.better(&ty(EQUAL.params), &original[1..]), None);
    }
}
