//! The classification of instructions: their control flow, and their effect on the operand stack.

use wasmparser::Operator;

/// An instruction, as far as this crate looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Block,
    Loop,
    If,
    Else,
    End,
    Br(u32),
    BrIf(u32),
    BrTable,
    Call(u32),
    CallIndirect,
    Return,
    Unreachable,
    LocalGet(u32),
    LocalSet(u32),
    LocalTee(u32),
    GlobalGet(u32),
    GlobalSet(u32),
    I32Const(i32),
    I64Const(i64),
    WrapI64,
    Load,
    Store,
    MemoryCopy,
    MemoryFill,
    /// Takes and gives that many values, and does nothing that is of interest.
    Plain {
        pops: u8,
        pushes: u8,
    },
    /// Directs no control. How many values it takes is not known here.
    Opaque,
    /// Directs control in a way that Go's back end does not use.
    Foreign,
    /// There is no instruction at that place.
    Nothing,
}

/// Opcodes that this crate looks for or writes.
pub(crate) mod code {
    pub(crate) const UNREACHABLE: u8 = 0x00;
    pub(crate) const BLOCK: u8 = 0x02;
    pub(crate) const LOOP: u8 = 0x03;
    pub(crate) const IF: u8 = 0x04;
    pub(crate) const ELSE: u8 = 0x05;
    pub(crate) const END: u8 = 0x0B;
    pub(crate) const BR: u8 = 0x0C;
    pub(crate) const BR_IF: u8 = 0x0D;
    pub(crate) const BR_TABLE: u8 = 0x0E;
    pub(crate) const RETURN: u8 = 0x0F;
    pub(crate) const CALL: u8 = 0x10;
    pub(crate) const DROP: u8 = 0x1A;
    pub(crate) const LOCAL_GET: u8 = 0x20;
    pub(crate) const LOCAL_SET: u8 = 0x21;
    pub(crate) const LOCAL_TEE: u8 = 0x22;
    pub(crate) const GLOBAL_GET: u8 = 0x23;
    pub(crate) const GLOBAL_SET: u8 = 0x24;
    pub(crate) const I64_STORE: u8 = 0x37;
    pub(crate) const I32_CONST: u8 = 0x41;
    pub(crate) const I64_CONST: u8 = 0x42;
    pub(crate) const I32_ADD: u8 = 0x6A;
    pub(crate) const I32_SUB: u8 = 0x6B;
    pub(crate) const I64_DIV_S: u8 = 0x7F;
    pub(crate) const I64_ADD: u8 = 0x7C;
    pub(crate) const I64_OR: u8 = 0x84;
    pub(crate) const I32_WRAP_I64: u8 = 0xA7;
    pub(crate) const I64_EXTEND_I32_U: u8 = 0xAD;
    /// The type of a block without parameters and results.
    pub(crate) const EMPTY: u8 = 0x40;
}

impl Kind {
    /// The kind of an operator whose first byte is `opcode`.
    pub(crate) fn of(operator: &Operator<'_>, opcode: u8) -> Kind {
        match operator {
            Operator::Block { .. } => Kind::Block,
            Operator::Loop { .. } => Kind::Loop,
            Operator::If { .. } => Kind::If,
            Operator::Else => Kind::Else,
            Operator::End => Kind::End,
            Operator::Br { relative_depth } => Kind::Br(*relative_depth),
            Operator::BrIf { relative_depth } => Kind::BrIf(*relative_depth),
            Operator::BrTable { .. } => Kind::BrTable,
            Operator::Call { function_index } => Kind::Call(*function_index),
            Operator::CallIndirect { .. } => Kind::CallIndirect,
            Operator::Return => Kind::Return,
            Operator::Unreachable => Kind::Unreachable,
            Operator::LocalGet { local_index } => Kind::LocalGet(*local_index),
            Operator::LocalSet { local_index } => Kind::LocalSet(*local_index),
            Operator::LocalTee { local_index } => Kind::LocalTee(*local_index),
            Operator::GlobalGet { global_index } => Kind::GlobalGet(*global_index),
            Operator::GlobalSet { global_index } => Kind::GlobalSet(*global_index),
            Operator::I32Const { value } => Kind::I32Const(*value),
            Operator::I64Const { value } => Kind::I64Const(*value),
            Operator::I32WrapI64 => Kind::WrapI64,
            Operator::MemoryCopy { dst_mem: 0, src_mem: 0 } => Kind::MemoryCopy,
            Operator::MemoryFill { mem: 0 } => Kind::MemoryFill,
            _ => Kind::by_opcode(opcode),
        }
    }

    /// By the opcode (core specification, section 5.4), for what is neither control nor a variable.
    fn by_opcode(opcode: u8) -> Kind {
        match opcode {
            0x01 => Kind::Plain { pops: 0, pushes: 0 },
            code::DROP => Kind::Plain { pops: 1, pushes: 0 },
            0x1B => Kind::Plain { pops: 3, pushes: 1 },
            0x28..=0x35 => Kind::Load,
            0x36..=0x3E => Kind::Store,
            // memory.size, memory.grow, f32.const, f64.const
            0x3F | 0x43 | 0x44 => Kind::Plain { pops: 0, pushes: 1 },
            0x40 => Kind::Plain { pops: 1, pushes: 1 },
            // Tests, then comparisons; unary, then binary arithmetic, for each of the four types.
            0x45 | 0x50 | 0x67..=0x69 | 0x79..=0x7B | 0x8B..=0x91 | 0x99..=0x9F | 0xA7..=0xC4 => Kind::Plain { pops: 1, pushes: 1 },
            0x46..=0x4F | 0x51..=0x66 | 0x6A..=0x78 | 0x7C..=0x8A | 0x92..=0x98 | 0xA0..=0xA6 => Kind::Plain { pops: 2, pushes: 1 },
            // What is behind a prefix of numbers, of memory and tables, or of SIMD; tables.
            0x25 | 0x26 | 0xFC | 0xFD => Kind::Opaque,
            _ => Kind::Foreign,
        }
    }
}
