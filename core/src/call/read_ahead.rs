//! How many items an iterator of a guest is asked for at once.

use std::time::Duration;

use crate::interface::{Function, TypeKind};

/// A batch that takes longer was too large: nobody should wait for items that are not needed yet.
const PATIENCE: Duration = Duration::from_millis(1);

/// How many items to ask an iterator of a guest for next: one at first, and then as many as it
/// gives quickly.
///
/// The guest gives what is ready, so a batch holds no item back. But it does run ahead of its
/// caller by so many items, which is why a slow iterator is asked for one.
#[derive(Clone, Debug)]
pub struct ReadAhead {
    most: u32,
    limit: u32,
}

impl ReadAhead {
    /// For the method `next` of an iterator: up to 1024 numbers, or 256 of anything else, which
    /// is in memory all at once.
    #[must_use]
    pub fn of(next: &Function) -> ReadAhead {
        let is_scalar = match next.result.as_ref().map(|result| &result.kind) {
            Some(TypeKind::Tuple(batch)) => {
                matches!(batch.items.first().map(|items| &items.kind), Some(TypeKind::List(item)) if matches!(item.kind, TypeKind::Scalar(_) | TypeKind::Bool))
            }
            _ => false,
        };
        ReadAhead { most: 1, limit: if is_scalar { 1024 } else { 256 } }
    }

    /// How many to ask for next.
    #[must_use]
    pub fn most(&self) -> u32 {
        self.most
    }

    /// Takes note of a batch: how long it took, and how many items it had.
    pub fn note(&mut self, elapsed: Duration, items: usize) {
        if elapsed > PATIENCE {
            // As many as would have come in time.
            let quick = items as u128 * PATIENCE.as_nanos() / elapsed.as_nanos();
            self.most = u32::try_from(quick).unwrap_or(u32::MAX).clamp(1, self.most);
        } else if items >= self.most as usize {
            self.most = self.most.saturating_mul(2).min(self.limit);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUICK: Duration = Duration::from_micros(10);

    #[test]
    fn grows_while_whole_batches_are_quick() {
        let mut ahead = ReadAhead { most: 1, limit: 256 };
        for most in [1, 2, 4, 8, 16, 32, 64, 128, 256, 256] {
            assert_eq!(ahead.most(), most);
            ahead.note(QUICK, most as usize);
        }
    }

    #[test]
    fn stays_while_the_guest_has_fewer() {
        let mut ahead = ReadAhead { most: 8, limit: 256 };
        ahead.note(QUICK, 7);
        assert_eq!(ahead.most(), 8);
        ahead.note(QUICK, 0);
        assert_eq!(ahead.most(), 8);
    }

    #[test]
    fn asks_for_what_comes_in_time() {
        let mut ahead = ReadAhead { most: 256, limit: 256 };
        ahead.note(Duration::from_millis(2), 256);
        assert_eq!(ahead.most(), 128);
        ahead.note(Duration::from_secs(1), 128);
        assert_eq!(ahead.most(), 1);
        ahead.note(Duration::MAX, 0);
        assert_eq!(ahead.most(), 1);
    }
}
