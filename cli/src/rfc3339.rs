//! Times in the format of RFC 3339: `2026-02-03T04:05:06.789+01:00`.

use undergo::Time;

const DAY: i64 = 86_400;

/// Reads a time. The letters may be small, and a space may stand for the `T`.
pub(crate) fn parse(text: &str) -> Option<Time> {
    let bytes = text.as_bytes();
    let number = |from: usize, len: usize| -> Option<i64> {
        let digits = bytes.get(from..from + len)?;
        digits.iter().try_fold(0, |n, digit| digit.is_ascii_digit().then(|| n * 10 + i64::from(digit - b'0')))
    };
    let mark = |at: usize, marks: &[u8]| bytes.get(at).is_some_and(|byte| marks.contains(byte)).then_some(());
    let (year, month, day) = (number(0, 4)?, number(5, 2)?, number(8, 2)?);
    let (hour, minute, second) = (number(11, 2)?, number(14, 2)?, number(17, 2)?);
    mark(4, b"-")?;
    mark(7, b"-")?;
    mark(10, b"Tt ")?;
    mark(13, b":")?;
    mark(16, b":")?;
    if !(1..=12).contains(&month) || !(1..=days_in(year, month)).contains(&day) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let mut at = 19;
    let mut nanoseconds = 0;
    if mark(at, b".").is_some() {
        let digits = bytes[at + 1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        if digits == 0 {
            return None;
        }
        nanoseconds = number(at + 1, digits.min(9))? * 10_i64.pow(9 - u32::try_from(digits.min(9)).ok()?);
        at += 1 + digits;
    }
    let offset = match bytes.get(at)? {
        b'Z' | b'z' => {
            at += 1;
            0
        }
        sign @ (b'+' | b'-') => {
            let (hours, minutes) = (number(at + 1, 2)?, number(at + 4, 2)?);
            mark(at + 3, b":")?;
            if hours > 23 || minutes > 59 {
                return None;
            }
            at += 6;
            (hours * 3600 + minutes * 60) * if *sign == b'-' { -1 } else { 1 }
        }
        _ => return None,
    };
    if at != bytes.len() {
        return None;
    }
    let seconds = days_from_epoch(year, month, day) * DAY + hour * 3600 + minute * 60 + second - offset;
    Some(Time { seconds, nanoseconds: u32::try_from(nanoseconds).ok()?, offset: i32::try_from(offset).ok()? })
}

/// Writes a time. `None` for one outside of the years 0 to 9999, or with an offset that RFC 3339
/// can't say.
pub(crate) fn format(time: Time) -> Option<String> {
    let offset = i64::from(time.offset);
    if offset % 60 != 0 || offset.abs() >= DAY {
        return None;
    }
    let local = time.seconds.checked_add(offset)?;
    let (year, month, day) = date(local.div_euclid(DAY));
    if !(0..=9999).contains(&year) {
        return None;
    }
    let second = local.rem_euclid(DAY);
    let mut text = format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60);
    if time.nanoseconds > 0 {
        text.push_str(format!(".{:09}", time.nanoseconds).trim_end_matches('0'));
    }
    if offset == 0 {
        text.push('Z');
    } else {
        let sign = if offset < 0 { '-' } else { '+' };
        text.push_str(&format!("{sign}{:02}:{:02}", offset.abs() / 3600, offset.abs() / 60 % 60));
    }
    Some(text)
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01. Years begin in March here, so that the leap day is a year's last.
fn days_from_epoch(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + of_year - 719_468
}

fn date(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, of_year - (153 * shifted + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_and_written() {
        for (text, seconds, nanoseconds, offset) in [
            ("1970-01-01T00:00:00Z", 0, 0, 0),
            ("2026-02-03T04:05:06.789+01:00", 1_770_087_906, 789_000_000, 3600),
            ("2000-02-29T23:59:59-05:30", 951_888_599, 0, -19_800),
            ("0001-01-01T00:00:00Z", -62_135_596_800, 0, 0),
            ("1969-12-31T23:59:59.000000001Z", -1, 1, 0),
            ("9999-12-31T23:59:59Z", 253_402_300_799, 0, 0),
        ] {
            let time = Time { seconds, nanoseconds, offset };
            assert_eq!(parse(text), Some(time), "{text}");
            assert_eq!(format(time).as_deref(), Some(text));
        }
        for text in [
            "",
            "2026-02-03",
            "2026-02-30T00:00:00Z",
            "2026-02-03T24:00:00Z",
            "2026-02-03T04:05:06",
            "2026-02-03T04:05:06.Z",
            "2026-02-03T04:05:06Zx",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!(format(Time { seconds: i64::MAX, nanoseconds: 0, offset: 60 }), None);
    }

    #[test]
    fn every_day_is_its_own() {
        for day in -800_000..100_000 {
            let (y, m, d) = date(day);
            assert_eq!(days_from_epoch(y, m, d), day);
        }
    }
}
