//! Parses what the Go runtime writes to standard error before it gives up.
//!
//! Go reports a panic in text only, and then executes `unreachable`. So the text counts only after
//! that trap (`guest/`): what a plugin itself prints, in whatever form, turns neither a return nor
//! an exit nor another trap into a panic.

use crate::error::{Error, ErrorKind, Frame};

/// How a report begins, at the start of a line.
const HEADINGS: [&[u8]; 2] = [b"panic: ", b"fatal error: "];

/// Bytes of a report that are kept. The trace of its goroutine is followed by those of others,
/// which may be many thousands. Less under Miri, where a test that fills this takes minutes.
const MOST: usize = if cfg!(miri) { 1 << 10 } else { 64 << 10 };

/// Finds the last report in a stream while it is written. Later, a buffer may have only the end of
/// it: the traces of all goroutines can be megabytes.
#[derive(Default)]
pub(crate) struct Watch {
    /// The first bytes of the present line, at most as many as the longest heading has.
    line: Vec<u8>,
    report: Vec<u8>,
    /// The offset in the stream at which the heading ends; 0 if there was no report.
    began: u64,
    /// Bytes of the stream so far.
    total: u64,
}

impl Watch {
    /// Takes the bytes of one write of the guest.
    pub(crate) fn accept(&mut self, bytes: &[u8]) {
        // Go writes a heading in a write of its own, in the middle of a line if the plugin has
        // begun one. Further panics, and the lines of a message, come after a tab.
        let within = self.line.first().is_some_and(|first| *first != b'\t') && !starts_with_heading(&self.line);
        if within && starts_with_heading(bytes) {
            self.line.clear();
        }
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.accept_part(part);
        }
    }

    /// Takes a line, or a part of one. Go writes a heading and its message separately.
    fn accept_part(&mut self, part: &[u8]) {
        let longest = HEADINGS[1].len();
        let mut rest = part;
        if self.line.len() < longest {
            let (head, behind) = part.split_at(part.len().min(longest - self.line.len()));
            let known = self.line.len();
            self.line.extend_from_slice(head);
            let heading = HEADINGS.into_iter().find(|heading| known < heading.len() && self.line.starts_with(heading));
            if heading.is_some() {
                self.report.clear();
                self.report.extend_from_slice(&self.line);
                self.began = self.total + head.len() as u64;
                rest = behind;
            }
        }
        self.total += part.len() as u64;
        if self.began > 0 {
            let room = MOST.saturating_sub(self.report.len());
            self.report.extend_from_slice(&rest[..rest.len().min(room)]);
        }
        if part.ends_with(b"\n") {
            self.line.clear();
        }
    }

    /// The last report that began after that offset.
    pub(crate) fn report(&self, mark: u64) -> Option<String> {
        (self.began > mark).then(|| String::from_utf8_lossy(&self.report).into_owned())
    }
}

fn starts_with_heading(bytes: &[u8]) -> bool {
    HEADINGS.iter().any(|heading| bytes.starts_with(heading))
}

/// Parses a report. `tail` is the end of the stream, which has the trace if the message is so long
/// that the report ends within it.
pub(crate) fn parse(report: &str, tail: &str) -> Error {
    let (heading, rest) = match (report.split_once("\n\n"), tail.find("\n\ngoroutine ")) {
        (Some(parts), _) => parts,
        (None, Some(trace)) => (report, &tail[trace + 2..]),
        (None, None) => (report, ""),
    };
    // Lines of a message, and panics in deferred functions, are indented; the signal of a nil
    // pointer is not, and adds nothing.
    let mut lines = heading.lines();
    let first = lines.next().unwrap_or_default();
    let fatal = first.strip_prefix("fatal error: ");
    let mut message = fatal.or_else(|| first.strip_prefix("panic: ")).unwrap_or(first).to_owned();
    for line in lines.filter(|line| !line.starts_with("[signal ")) {
        message.push('\n');
        message.push_str(line);
    }
    let is_memory = fatal.is_some_and(|text| text.contains("out of memory") || text.contains("cannot allocate memory"));
    let kind = if is_memory { ErrorKind::OutOfMemory } else { ErrorKind::Panic };
    Error::new(kind, message.trim_end()).with_frames(frames(rest))
}

/// The frames of the first goroutine: for each a line with the function, then an indented one with
/// `file:line`.
fn frames(trace: &str) -> Vec<Frame> {
    let mut frames = Vec::new();
    // The stack of the runtime itself may come first.
    let mut lines = trace.lines().skip_while(|line| !is_goroutine(line)).skip(1).peekable();
    while let Some(line) = lines.next() {
        if line.is_empty() {
            break;
        }
        let Some(place) = lines.next_if(|next| next.starts_with('\t')) else { continue };
        let place = place.trim_start().split(" +0x").next().unwrap_or_default();
        let (file, number) = place.rsplit_once(':').unwrap_or((place, "0"));
        frames.push(Frame { function: function(line).to_owned(), file: file.to_owned(), line: number.parse().unwrap_or(0) });
    }
    frames
}

/// `goroutine 7 [running]:`
fn is_goroutine(line: &str) -> bool {
    line.strip_prefix("goroutine ").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

/// The function of a line: `main.Greet(0x1, {0x2, 0x3})`, `main.(*T).Method(...)`, `created by
/// main.Greet in goroutine 1`.
fn function(line: &str) -> &str {
    if let Some(creator) = line.strip_prefix("created by ") {
        return creator.rsplit_once(" in goroutine ").map_or(creator, |(function, _)| function);
    }
    // The arguments begin at the last opening parenthesis.
    line.rfind('(').filter(|at| *at > 0).map_or(line, |at| &line[..at])
}

#[cfg(test)]
mod tests {
    use proptest::test_runner::Config as ProptestConfig;

    use super::*;

    /// The report in a text that is written in pieces of that size.
    fn watch(text: &str, piece: usize) -> Option<String> {
        let mut watch = Watch::default();
        text.as_bytes().chunks(piece).for_each(|bytes| watch.accept(bytes));
        watch.report(0)
    }

    fn read(text: &str) -> Option<Error> {
        let whole = watch(text, text.len().max(1));
        for piece in 1..30 {
            assert_eq!(watch(text, piece), whole, "in pieces of {piece}");
        }
        whole.map(|report| parse(&report, text))
    }

    fn places(error: &Error) -> Vec<(&str, &str, u32)> {
        error.frames().iter().map(|f| (f.function.as_str(), f.file.as_str(), f.line)).collect()
    }

    #[test]
    fn a_panic_is_read_with_its_frames() {
        let text = "hello\npanic: boom [recovered]\n\tpanic: again\n\ngoroutine 1 [running]:\nmain.(*T).Panic({0x1, 0x2})\n\t/src/main.go:12 +0x2\n\
                    ...3 frames elided...\nmain.undergoExportPanic(...)\n\t/src/undergo_gen.go:40\n\
                    \ngoroutine 2 [sleep]:\ntime.Sleep(0x1)\n\t/go/time.go:1 +0x1\n";
        let error = read(text).expect("a panic");
        assert_eq!(error.kind(), ErrorKind::Panic);
        assert_eq!(error.message(), "boom [recovered]\n\tpanic: again");
        assert_eq!(places(&error), [("main.(*T).Panic", "/src/main.go", 12), ("main.undergoExportPanic", "/src/undergo_gen.go", 40)]);
    }

    #[test]
    fn a_long_message_does_not_hide_the_trace() {
        let text = format!("panic: {}\n\ngoroutine 1 [running]:\nmain.f()\n\t/f.go:1 +0x1\n", "long ".repeat(MOST));
        let error = parse(&watch(&text, 1 << 10).expect("a report"), &text[text.len() - 1000..]);
        assert_eq!((error.message().len(), places(&error)), (MOST - "panic: ".len(), vec![("main.f", "/f.go", 1)]));
    }

    #[test]
    fn the_last_report_is_the_one() {
        let text = "panic: told\n\ngoroutine 1 [running]:\nmain.told()\n\t/told.go:1\n\npanic: real\n[signal 0xb code=0x0 addr=0x0 pc=0x0]\n\n\
                    goroutine 6 [running]:\nmain.real.func1()\n\t/real.go:2 +0x1\ncreated by main.real in goroutine 1\n\t/real.go:1 +0x2\n";
        let error = read(text).expect("a panic");
        assert_eq!(error.message(), "real");
        assert_eq!(places(&error), [("main.real.func1", "/real.go", 2), ("main.real", "/real.go", 1)]);
    }

    #[test]
    fn fatal_errors_are_told_apart() {
        let error = read("fatal error: all goroutines are asleep - deadlock!\n\ngoroutine 1 [select (no cases)]:\n").expect("fatal");
        assert_eq!((error.kind(), error.message()), (ErrorKind::Panic, "all goroutines are asleep - deadlock!"));
        let text = "runtime: out of memory: cannot allocate 9-byte block (8 in use)\nfatal error: out of memory\n\nruntime stack:\nruntime.throw({0x1, 0x2})\n\
                    \truntime/panic.go:1 +0x3 fp=0x1 sp=0x2 pc=0x3\n\ngoroutine 1 gp=0x1 m=0 mp=0x2 [running]:\nmain.f(0x1)\n\t/f.go:3 +0x1 fp=0x1\n";
        let error = read(text).expect("fatal");
        assert_eq!((error.kind(), error.message()), (ErrorKind::OutOfMemory, "out of memory"));
        assert_eq!(places(&error), [("main.f", "/f.go", 3)]);
        let text = "runtime: goroutine stack exceeds 1000000000-byte limit\nfatal error: stack overflow\n\nruntime stack:\nruntime.throw({0x1, 0x2})\n";
        assert_eq!(read(text).expect("fatal").message(), "stack overflow");
        let mut watch = Watch::default();
        for write in ["no end", "panic: ", "panic: a", "\n", "\t", "panic: b", "\n"] {
            watch.accept(write.as_bytes());
        }
        assert_eq!(parse(&watch.report(0).expect("a report"), "").message(), "panic: a\n\tpanic: b");
        for none in ["", "a panic: not at the beginning of a line\n", "panic", "panic:\n", "fatal error:", "\tpanic: indented\n"] {
            assert!(read(none).is_none(), "{none:?}");
        }
    }

    #[test]
    fn a_report_survives_what_comes_behind_it() {
        let mut watch = Watch::default();
        watch.accept(b"before\npanic: ");
        let mark = watch.total;
        watch.accept(b"boom\n\ngoroutine 1 [running]:\nmain.f()\n\t/f.go:1\n\n");
        // More than a report has room for.
        for _ in 0..MOST / 16 {
            watch.accept(b"goroutine 2 [chan receive]:\nmain.g()\n\t/g.go:1\n\n");
        }
        let report = watch.report(0).expect("a report");
        assert_eq!(report.len(), MOST);
        let error = parse(&report, "");
        assert_eq!((error.message(), places(&error)), ("boom", vec![("main.f", "/f.go", 1)]));
        assert!(watch.report(mark).is_none(), "it began before the mark");
    }

    /// Parts of reports, and what may resemble them.
    const PARTS: [&str; 16] = [
        "panic: ",
        "fatal error: ",
        "goroutine 1 [running]:",
        "\n",
        "\n\n",
        "\t",
        "main.f(0x1)",
        "(",
        ")",
        ":",
        "/f.go:12 +0x1",
        "created by ",
        " in goroutine ",
        "[signal ",
        "ü\u{ff}",
        "99999999999",
    ];

    proptest::proptest! {
        #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 16 } else { 256 }, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_text_is_read(parts in proptest::collection::vec(0..PARTS.len(), 0..40), cut in 1..64_usize) {
            let text: String = parts.iter().map(|part| PARTS[*part]).collect();
            let mut watch = Watch::default();
            // Not only at the ends of characters.
            text.as_bytes().chunks(cut).for_each(|bytes| watch.accept(bytes));
            assert_eq!(watch.total, text.len() as u64);
            if let Some(report) = watch.report(0) {
                assert!(starts_with_heading(report.as_bytes()) && text.contains("panic: ") | text.contains("fatal error: "));
                let error = parse(&report, &text);
                assert!(error.message().len() <= report.len(), "{error:?}");
            }
        }
    }
}
