//! Times in the format of RFC 3339: `2026-02-03T04:05:06.789+01:00`.

use jiff::SignedDuration;
use jiff::civil::{self, DateTime};
use jiff::fmt::temporal::DateTimeParser;
use undergo::Time;

const EPOCH: DateTime = civil::date(1970, 1, 1).at(0, 0, 0, 0);

/// Reads a time: a date, a time of day, and an offset from UTC.
pub(crate) fn parse(text: &str) -> Option<Time> {
    let pieces = DateTimeParser::new().parse_pieces(text).ok()?;
    let offset = pieces.to_numeric_offset()?.seconds();
    let local = pieces.date().to_datetime(pieces.time()?);
    if pieces.time_zone_annotation().is_some() || !can_be_said(local, offset) {
        return None;
    }
    let since = local.duration_since(EPOCH);
    // Nanoseconds count from the second before.
    let before = i64::from(since.subsec_nanos() < 0);
    let nanoseconds = since.subsec_nanos() + 1_000_000_000 * before as i32;
    Some(Time { seconds: since.as_secs() - before - i64::from(offset), nanoseconds: u32::try_from(nanoseconds).ok()?, offset })
}

/// Writes a time. `None` for one outside of the years 0 to 9999, or with an offset that RFC 3339
/// can't say.
pub(crate) fn format(time: Time) -> Option<String> {
    let nanoseconds = i32::try_from(time.nanoseconds).ok().filter(|n| *n < 1_000_000_000)?;
    let since = SignedDuration::new(time.seconds.checked_add(time.offset.into())?, nanoseconds);
    let local = EPOCH.checked_add(since).ok()?;
    if !can_be_said(local, time.offset) {
        return None;
    }
    let (sign, minutes) = (if time.offset < 0 { '-' } else { '+' }, time.offset.abs() / 60);
    Some(if minutes == 0 { format!("{local}Z") } else { format!("{local}{sign}{:02}:{:02}", minutes / 60, minutes % 60) })
}

/// Whether RFC 3339 can say it: years have four digits, and offsets are whole minutes of less than
/// a day.
fn can_be_said(local: DateTime, offset: i32) -> bool {
    (0..=9999).contains(&local.year()) && offset % 60 == 0 && offset.unsigned_abs() < 86_400
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
            "2026-02-03T04:05:06Z[UTC]",
            "2026-02-03T04:05:06-00:00:30",
            "-000001-02-03T04:05:06Z",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!(parse("2026-02-03 04:05:06z"), parse("2026-02-03T04:05:06Z"));
        for (seconds, nanoseconds, offset) in [
            (i64::MAX, 0, 60),
            (0, 0, 30),
            (0, 0, 86_400),
            (0, u32::MAX, 0),
            (253_402_300_800, 0, 0),
            (253_402_300_799, 0, 60),
            (-62_167_219_201, 0, 0),
        ] {
            assert_eq!(format(Time { seconds, nanoseconds, offset }), None, "{seconds} {nanoseconds} {offset}");
        }
    }
}
