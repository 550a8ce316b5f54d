//! Flat values: from memory to core values, and back (canonical ABI, "Flattening").

use crate::interface::SlotKind;

/// Loads a number from the lowest of these bytes as a core value: narrow numbers are extended to 32
/// bits.
#[inline]
pub(crate) fn flatten(kind: SlotKind, bytes: u64) -> u64 {
    match kind {
        SlotKind::Bool => u64::from(bytes as u8 != 0),
        SlotKind::S8 => u64::from(i32::from(bytes as i8) as u32),
        SlotKind::S16 => u64::from(i32::from(bytes as i16) as u32),
        SlotKind::U8 | SlotKind::Case8 => u64::from(bytes as u8),
        SlotKind::U16 | SlotKind::Case16 => u64::from(bytes as u16),
        SlotKind::I32 | SlotKind::F32 => u64::from(bytes as u32),
        SlotKind::I64 | SlotKind::F64 => bytes,
    }
}

/// The reverse. Bits above the number's width are ignored, and any number but 0 is true. For
/// discriminants the caller checks those bits first.
#[inline]
pub(crate) fn unflatten(kind: SlotKind, raw: u64) -> u64 {
    match kind {
        SlotKind::Bool => u64::from(raw as u32 != 0),
        SlotKind::S8 | SlotKind::U8 | SlotKind::Case8 => u64::from(raw as u8),
        SlotKind::S16 | SlotKind::U16 | SlotKind::Case16 => u64::from(raw as u16),
        SlotKind::I32 | SlotKind::F32 => u64::from(raw as u32),
        SlotKind::I64 | SlotKind::F64 => raw,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn narrow_numbers_are_extended_and_cut_off() {
        for (kind, bytes, raw) in [
            (SlotKind::Bool, 0x1_00, 0),
            (SlotKind::Bool, 2, 1),
            (SlotKind::S8, 0xff, 0xffff_ffff),
            (SlotKind::U8, 0x7_ff, 0xff),
            (SlotKind::S16, 0x1_8000, 0xffff_8000),
            (SlotKind::U16, 0x1_8000, 0x8000),
            (SlotKind::I32, 0x5_0000_0001, 1),
            (SlotKind::F64, u64::MAX, u64::MAX),
        ] {
            assert_eq!(flatten(kind, bytes), raw, "{kind:?}");
        }
        for (kind, raw, bytes) in [
            (SlotKind::Bool, 1 << 40 | 6, 1),
            (SlotKind::Bool, 1 << 40, 0),
            (SlotKind::S8, 0xffff_ffff, 0xff),
            (SlotKind::U16, 0x1_8000, 0x8000),
            (SlotKind::F32, u64::MAX, 0xffff_ffff),
            (SlotKind::I64, u64::MAX, u64::MAX),
        ] {
            assert_eq!(unflatten(kind, raw), bytes, "{kind:?}");
        }
    }
}
