//! The work of one operator.

use wasmparser::Operator;

pub(super) fn cheap(operator: &Operator<'_>) -> Option<(u32, u32)> {
    match operator {
        Operator::LocalGet { .. } | Operator::I32Const { .. } | Operator::I64Const { .. } | Operator::GlobalGet { .. } => Some((0, 1)),
        Operator::LocalSet { .. } | Operator::GlobalSet { .. } => Some((1, 0)),
        _ => None,
    }
}

/// The work of one operator. Operators that take a byte and become several instructions weigh most.
pub(super) fn weight(operator: &Operator<'_>) -> u64 {
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
        // A dozen instructions and more, which an optimiser looks for simpler forms of.
        O::I32x4DotI16x8S
        | O::I64x2ExtMulHighI32x4S
        | O::I64x2ExtMulHighI32x4U
        | O::I64x2ExtMulLowI32x4S
        | O::I64x2ExtMulLowI32x4U
        | O::I16x8ExtAddPairwiseI8x16S
        | O::I16x8ExtAddPairwiseI8x16U
        | O::I32x4ExtAddPairwiseI16x8S
        | O::I32x4ExtAddPairwiseI16x8U
        | O::I32x4TruncSatF64x2SZero
        | O::I32x4TruncSatF64x2UZero => 64,
        operator if is_vector(operator) => 16,
        _ => 8,
    }
}

/// Whether it is an operator of SIMD.
fn is_vector(operator: &Operator<'_>) -> bool {
    macro_rules! among {
        ($( @$proposal:ident $op:ident $({ $($arg:ident: $ty:ty),* })? => $visit:ident ($($arity:tt)*) )*) => {
            matches!(operator, $( Operator::$op { .. } )|*)
        };
    }
    wasmparser::for_each_visit_simd_operator!(among)
}

pub(super) fn branches(operator: &Operator<'_>) -> u64 {
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
pub(super) fn is_producer(operator: &Operator<'_>) -> bool {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_becomes_many_instructions_weighs_more() {
        let weights = [
            Operator::I32Add,
            Operator::I32Popcnt,
            Operator::I32x4Add,
            Operator::I8x16Shuffle { lanes: [0; 16] },
            Operator::I32x4DotI16x8S,
        ];
        assert_eq!(weights.map(|operator| weight(&operator)), [3, 8, 16, 16, 64]);
    }

    /// Calls into the engine: some hundred instructions for a few bytes.
    #[test]
    fn operations_on_whole_tables_and_memories_weigh_most() {
        let (elem_index, table) = (0, 0);
        assert_eq!(weight(&Operator::TableInit { elem_index, table }), 500);
        assert_eq!(weight(&Operator::TableCopy { dst_table: 0, src_table: 0 }), 500);
        assert_eq!(weight(&Operator::TableFill { table }), 500);
        assert_eq!(weight(&Operator::CallIndirect { type_index: 0, table_index: 0 }), 200);
        assert_eq!(weight(&Operator::MemoryFill { mem: 0 }), 100);
        assert_eq!((branches(&Operator::TableCopy { dst_table: 0, src_table: 0 }), branches(&Operator::TableFill { table })), (32, 12));
    }
}
