//! Numbers as WebAssembly writes them (core specification, section 5.2.2).

/// Appends an unsigned number.
pub(crate) fn unsigned(out: &mut Vec<u8>, mut value: u64) {
    loop {
        let byte = (value & 0x7F) as u8;
        value >>= 7;
        if value == 0 {
            out.push(byte);
            return;
        }
        out.push(byte | 0x80);
    }
}

/// Appends a signed number.
pub(crate) fn signed(out: &mut Vec<u8>, mut value: i64) {
    loop {
        let byte = (value & 0x7F) as u8;
        value >>= 7;
        let is_sign = byte & 0x40 != 0;
        if (value == 0 && !is_sign) || (value == -1 && is_sign) {
            out.push(byte);
            return;
        }
        out.push(byte | 0x80);
    }
}

#[cfg(test)]
mod tests {
    use wasmparser::BinaryReader;

    use super::*;

    #[test]
    fn numbers_are_read_as_they_were_written() {
        for value in [0_i64, 1, -1, 63, 64, -64, -65, 127, 128, 1 << 31, -(1 << 31), i64::MAX, i64::MIN] {
            let (mut a, mut b) = (Vec::new(), Vec::new());
            signed(&mut a, value);
            unsigned(&mut b, value as u64);
            assert_eq!(BinaryReader::new(&a, 0).read_var_i64().ok(), Some(value));
            assert_eq!(BinaryReader::new(&b, 0).read_var_u64().ok(), Some(value as u64));
        }
    }
}
