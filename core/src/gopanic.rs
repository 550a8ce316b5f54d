//! What the Go runtime writes to standard error before it gives up, as an error.

use crate::error::{Error, ErrorKind, Frame};

/// Finds a panic or a fatal error in what the guest wrote during the call. Go gives no other sign of one: the module ends in `unreachable`.
pub(crate) fn parse(stderr: &str) -> Option<Error> {
    let start = report_start(stderr)?;
    let report = &stderr[start..];
    let (heading, trace) = match report.find("\ngoroutine ") {
        Some(at) => (&report[..at], &report[at + 1..]),
        None => (report, ""),
    };
    let heading = heading.trim_end();
    let message = heading.strip_prefix("panic: ").or_else(|| heading.strip_prefix("fatal error: ")).unwrap_or(heading);
    let kind =
        if message.contains("out of memory") && heading.starts_with("fatal error: ") { ErrorKind::OutOfMemory } else { ErrorKind::Panic };
    Some(Error::new(kind, message).with_frames(frames(trace)))
}

/// Where the report begins: a panic while panicking adds `panic: …` lines to it.
fn report_start(stderr: &str) -> Option<usize> {
    let mut found = None;
    let mut at = 0;
    for line in stderr.split_inclusive('\n') {
        if found.is_none() && (line.starts_with("panic: ") || line.starts_with("fatal error: ")) {
            found = Some(at);
        }
        at += line.len();
    }
    found
}

/// The frames of the first goroutine of a traceback: a line with the function, then an indented one with `file:line`.
fn frames(trace: &str) -> Vec<Frame> {
    let mut frames = Vec::new();
    let mut lines = trace.lines().skip(1).peekable();
    while let Some(line) = lines.next() {
        if line.is_empty() || line.starts_with("goroutine ") {
            break;
        }
        let Some(place) = lines.next_if(|next| next.starts_with('\t')) else { continue };
        let place = place.trim_start().split(" +0x").next().unwrap_or_default();
        let (file, number) = place.rsplit_once(':').unwrap_or((place, "0"));
        let function = line.strip_prefix("created by ").unwrap_or(line);
        // `main.Greet(0x1, {0x2, 0x3})`: the arguments begin at the last parenthesis that opens, but for `(*T).Method(...)`.
        let function = function.rfind('(').filter(|at| *at > 0).map_or(function, |at| &function[..at]);
        frames.push(Frame { function: function.to_owned(), file: file.to_owned(), line: number.parse().unwrap_or(0) });
    }
    frames
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_read_with_its_frames() {
        let text = "hello\npanic: boom [recovered]\n\tpanic: again\n\ngoroutine 1 [running]:\nmain.(*T).Panic({0x1, 0x2})\n\t/src/main.go:12 +0x2\n\
                    main.undergoExportPanic(...)\n\t/src/undergo_gen.go:40\n\ngoroutine 2 [sleep]:\ntime.Sleep(0x1)\n\t/go/time.go:1 +0x1\n";
        let error = parse(text).expect("a panic");
        assert_eq!(error.kind(), ErrorKind::Panic);
        assert_eq!(error.message(), "boom [recovered]\n\tpanic: again");
        let functions: Vec<_> = error.frames().iter().map(|f| (f.function.as_str(), f.file.as_str(), f.line)).collect();
        assert_eq!(functions, [("main.(*T).Panic", "/src/main.go", 12), ("main.undergoExportPanic", "/src/undergo_gen.go", 40)]);
    }

    #[test]
    fn fatal_errors_are_told_apart() {
        let error = parse("fatal error: all goroutines are asleep - deadlock!\n\ngoroutine 1 [select (no cases)]:\n").expect("fatal");
        assert_eq!((error.kind(), error.message()), (ErrorKind::Panic, "all goroutines are asleep - deadlock!"));
        assert_eq!(parse("fatal error: out of memory\n").expect("fatal").kind(), ErrorKind::OutOfMemory);
        assert!(parse("a panic: not at the beginning of a line\n").is_none());
    }
}
