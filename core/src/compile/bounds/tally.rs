//! What a function's operators add up to.

use wasmparser::Operator;

/// Chains of operations with constants, each on the result of the one before. An optimiser looks
/// for a simpler form of each, through the whole chain.
#[derive(Default)]
pub(super) struct Chain {
    follows_constant: bool,
    length: u64,
}

impl Chain {
    /// The work of an operator because of its position in a chain.
    pub(super) fn weight(&mut self, operator: &Operator<'_>) -> u64 {
        use Operator as O;
        match operator {
            O::I32Const { .. } | O::I64Const { .. } => self.follows_constant = true,
            O::LocalGet { .. } | O::LocalSet { .. } | O::LocalTee { .. } => self.follows_constant = false,
            O::I32Add
            | O::I32Sub
            | O::I32Mul
            | O::I32And
            | O::I32Or
            | O::I32Xor
            | O::I32Shl
            | O::I32ShrS
            | O::I32ShrU
            | O::I32Rotl
            | O::I32Rotr
            | O::I64Add
            | O::I64Sub
            | O::I64Mul
            | O::I64And
            | O::I64Or
            | O::I64Xor
            | O::I64Shl
            | O::I64ShrS
            | O::I64ShrU
            | O::I64Rotl
            | O::I64Rotr
                if self.follows_constant =>
            {
                self.follows_constant = false;
                self.length += 1;
                // Go's compiler computes addresses in this way, in one or two steps.
                return if self.length > 2 { CHAINED } else { 0 };
            }
            _ => *self = Chain::default(),
        }
        0
    }
}

/// The work of each further operation of a chain.
const CHAINED: u64 = 40;

/// The work of a function regardless of its body.
const FUNCTION_WORK: u64 = 100;

#[derive(Default)]
pub(super) struct Tally {
    pub(super) linear: u64,
    /// Values that are live across block boundaries, counted at each boundary.
    pub(super) live: u64,
    /// The maximum number of them on the stack.
    highest: u64,
    /// Locals that are read in another block than the one that wrote them.
    pub(super) exposed: u64,
    /// Values since the last boundary that have to be computed in place.
    pub(super) produced: u64,
    /// The sum of the squares of these.
    squares: u64,
    /// Loops at any depth: register allocation takes time quadratic in their number.
    pub(super) headers: u64,
}

impl Tally {
    pub(super) fn new(locals: u64) -> Tally {
        Tally { linear: FUNCTION_WORK + locals, ..Tally::default() }
    }

    pub(super) fn boundary(&mut self, edges: u64, height: u64) {
        self.live = self.live.saturating_add(edges.saturating_mul(height));
        self.highest = self.highest.max(height);
        self.squares = self.squares.saturating_add(self.produced.saturating_mul(self.produced));
        self.produced = 0;
        self.linear = self.linear.saturating_add(edges * 2);
    }

    pub(super) fn work(&self, loops: u64) -> u64 {
        let wide = self.highest + self.exposed;
        let live = self.live.saturating_mul(4 + wide / 12 + loops);
        let headers = self.headers.saturating_mul(self.headers);
        self.linear.saturating_add(live).saturating_add(self.squares / 16).saturating_add(headers / 16)
    }
}
