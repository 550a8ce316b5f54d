//! Numbers of bytes as people write them.

use crate::error::{Error, ErrorKind, Result, escape};

/// The sizes of a guest's stack that can be asked for.
pub(crate) const STACKS: std::ops::RangeInclusive<u64> = 64 << 10..=512 << 20;

/// A unit by its name in lower case. Letters alone are powers of 1024, as they are for `docker`,
/// `dd` and the JVM; so is Python's and Go's practice for what ends in `iB`.
fn unit(name: &str) -> Option<u64> {
    Some(match name {
        "" | "b" => 1,
        "k" | "kib" => 1 << 10,
        "m" | "mib" => 1 << 20,
        "g" | "gib" => 1 << 30,
        "t" | "tib" => 1 << 40,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "tb" => 1_000_000_000_000,
        _ => return None,
    })
}

/// Parses a number of bytes: `65536`, `64KiB`, `64 MiB`, `1.5 GB`, `64M`. `name` is what the error
/// calls it.
///
/// # Errors
///
/// `type-mismatch` for anything else, for a fraction of a byte without a unit, and for what 64 bits
/// can't hold.
pub fn parse_size(text: &str, name: &str) -> Result<u64> {
    read(text).ok_or_else(|| {
        let shown = escape::bounded(&escape::line(text), 100).to_string();
        let text = format!("{name} is '{shown}'; write a number of bytes, or a text such as '64 MiB', '1.5 GB' or '64M'");
        Error::new(ErrorKind::TypeMismatch, text)
    })
}

/// The same for the stack of a guest.
///
/// # Errors
///
/// As of [`parse_size`], and `type-mismatch` for a size that no stack can have.
pub fn parse_stack_size(text: &str, name: &str) -> Result<u64> {
    let bytes = parse_size(text, name)?;
    check_stack(bytes, name)?;
    Ok(bytes)
}

pub(crate) fn check_stack(bytes: u64, name: &str) -> Result<()> {
    if STACKS.contains(&bytes) {
        return Ok(());
    }
    Err(Error::new(ErrorKind::TypeMismatch, format!("{name} is {bytes} bytes; it must be from 64 KiB to 512 MiB")))
}

fn read(text: &str) -> Option<u64> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, name) = text.split_at(end);
    let unit = unit(&name.trim_start().to_ascii_lowercase())?;
    let (whole, fraction) = match number.split_once('.') {
        Some((whole, fraction)) if unit > 1 && !fraction.is_empty() => (whole, fraction),
        Some(_) => return None,
        None => (number, ""),
    };
    let bytes = whole.parse::<u64>().ok()?.checked_mul(unit)?;
    // More digits than these are less than a byte of the largest unit.
    let digits = fraction.get(..fraction.len().min(18))?;
    if fraction.contains('.') {
        return None;
    }
    let part = if digits.is_empty() { 0 } else { u128::from(digits.parse::<u64>().ok()?) * u128::from(unit) };
    bytes.checked_add(u64::try_from(part / 10_u128.pow(u32::try_from(digits.len()).ok()?)).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_by_one_grammar() {
        for (text, bytes) in [
            ("0", 0),
            ("65536", 65_536),
            ("18446744073709551615", u64::MAX),
            ("9007199254740993 B", 9_007_199_254_740_993),
            ("64KiB", 64 << 10),
            ("64 MiB", 64 << 20),
            (" 64\u{a0}mib\n", 64 << 20),
            ("64M", 64 << 20),
            ("64m", 64 << 20),
            ("2k", 2048),
            ("1G", 1 << 30),
            ("2 kB", 2_000),
            ("1.5 GB", 1_500_000_000),
            ("0.1 GB", 100_000_000),
            ("1.5GiB", 3 << 29),
            ("1.0000000000000000000000001 KiB", 1024),
            ("1TB", 1_000_000_000_000),
            ("16777215TiB", 16_777_215 << 40),
        ] {
            assert_eq!(parse_size(text, "memory").ok(), Some(bytes), "{text}");
        }
        for text in [
            "",
            " ",
            "lots",
            "MiB",
            "-1",
            "+1",
            "1.5",
            "1.5B",
            "1.MiB",
            ".5MiB",
            "1.2.3MB",
            "1..2MB",
            "1e3",
            "1_000",
            "64 MiBs",
            "64 Mi B",
            "6 4MiB",
            "18446744073709551616",
            "16777216TiB",
            "99999999999999999999GB",
            "True",
            "nan",
            "1,5 GB",
            "٣MB",
        ] {
            let error = parse_size(text, "memory").expect_err(text);
            let start = format!("memory is '{}'; write a number of bytes, or a text such as '64 MiB'", escape::line(text));
            assert!(error.kind() == ErrorKind::TypeMismatch && error.message().starts_with(&start), "{text}: {error}");
        }
        let long = parse_size(&"9".repeat(10_000), "memory").expect_err("it is too large");
        assert!(long.message().len() < 300, "{long}");
    }

    #[test]
    fn stacks_have_bounds() {
        for (text, bytes) in [("64KiB", 64 << 10), ("5 MiB", 5 << 20), ("512M", 512 << 20)] {
            assert_eq!(parse_stack_size(text, "stack").ok(), Some(bytes));
        }
        for text in ["0", "65535", "536870913"] {
            let error = parse_stack_size(text, "limits.stack").expect_err("it is out of bounds");
            assert_eq!(error.message(), format!("limits.stack is {text} bytes; it must be from 64 KiB to 512 MiB"));
        }
    }
}
