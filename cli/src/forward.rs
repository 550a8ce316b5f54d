//! Passes on the guest's output as it is written: all to standard error, because standard output is
//! for the result.

use std::borrow::Cow;
use std::io::Write as _;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use undergo::host::escape;
use undergo::{Error, ErrorKind, Instance, Result};

use crate::plugin;

const INTERVAL: Duration = Duration::from_millis(50);

/// Writes to standard error what a plugin prints, up to a length.
pub(crate) struct Printer {
    most: usize,
    written: usize,
    /// Whether control characters reach the terminal.
    raw: bool,
    is_cut: bool,
}

impl Printer {
    pub(crate) fn new(most: usize, raw: bool) -> Printer {
        Printer { most, written: 0, raw, is_cut: false }
    }

    fn write(&mut self, text: &[u8]) {
        let left = self.most - self.written;
        let (shown, cut) = if self.raw {
            (Cow::Borrowed(&text[..text.len().min(left)]), text.len() > left)
        } else {
            // No more is escaped than can be written.
            let escaped = escape::bytes(&text[..text.len().min(left + 4)]);
            let end = escaped.floor_char_boundary(left);
            (Cow::Owned(escaped[..end].as_bytes().to_vec()), text.len() > left || end < escaped.len())
        };
        self.written += shown.len();
        self.is_cut |= cut;
        // A closed standard error is no reason to fail.
        let _ = std::io::stderr().write_all(&shown);
    }

    fn finish(&self) {
        if self.is_cut {
            let most = plugin::bytes(self.most);
            eprintln!("\nundergo: the plugin printed more than {most}, and the rest is left out: give a larger --max-output, such as 1GiB");
        }
    }
}

/// Runs `call` while the instance's output is passed on. Go's own report of a panic is left out:
/// the error has what it says.
pub(crate) fn during<R>(instance: &Instance, mut printer: Printer, call: impl FnOnce() -> Result<R>) -> Result<R> {
    let (running, ended) = mpsc::channel::<()>();
    let watched = instance.clone();
    let watcher = thread::spawn(move || {
        let (mut whole, mut filter) = (Whole::default(), Filter::new(printer.most));
        loop {
            let over = !matches!(ended.recv_timeout(INTERVAL), Err(RecvTimeoutError::Timeout));
            printer.write(&whole.pass(watched.take_stdout()));
            printer.write(&filter.pass(&watched.take_stderr()));
            if over {
                printer.write(&whole.0);
                return (printer, filter);
            }
        }
    });
    let result = call();
    drop(running);
    if let Ok((printer, filter)) = watcher.join() {
        end(printer, &filter, result.as_ref().err());
    }
    result
}

/// Passes on what a guest printed that ended before it was ready.
pub(crate) fn after(error: &Error, mut printer: Printer) {
    let mut filter = Filter::new(printer.most);
    printer.write(&filter.pass(error.stderr().as_bytes()));
    end(printer, &filter, Some(error));
}

fn end(mut printer: Printer, filter: &Filter, error: Option<&Error>) {
    if let Some(rest) = filter.rest(error) {
        printer.write(rest);
        printer.is_cut |= filter.is_full;
    }
    printer.finish();
}

/// Holds back the bytes of a character that is not complete yet.
#[derive(Default)]
struct Whole(Vec<u8>);

impl Whole {
    fn pass(&mut self, text: Vec<u8>) -> Vec<u8> {
        self.0.extend(text);
        let invalid = self.0.utf8_chunks().last().map_or(&[][..], |chunk| chunk.invalid());
        let is_begun = matches!(str::from_utf8(invalid), Err(error) if error.error_len().is_none());
        let begun = if is_begun { invalid.len() } else { 0 };
        let rest = self.0.split_off(self.0.len() - begun);
        std::mem::replace(&mut self.0, rest)
    }
}

/// What Go's report of its own end begins with, at the beginning of a line.
const REPORTS: [&[u8]; 2] = [b"panic: ", b"fatal error: "];

/// Holds back what may be a report.
struct Filter {
    held: Vec<u8>,
    most: usize,
    /// Whether there was more to be held.
    is_full: bool,
}

impl Filter {
    fn new(most: usize) -> Filter {
        Filter { held: Vec::new(), most, is_full: false }
    }

    /// Takes new text, and gives what is surely no report.
    fn pass(&mut self, text: &[u8]) -> Vec<u8> {
        let is_held = self.is_report();
        let room = if is_held { self.most.saturating_sub(self.held.len()) } else { text.len() };
        self.is_full |= text.len() > room;
        self.held.extend_from_slice(&text[..text.len().min(room)]);
        if is_held {
            return Vec::new();
        }
        let mut at = 0;
        for line in self.held.split_inclusive(|byte| *byte == b'\n') {
            if REPORTS.iter().any(|mark| line.starts_with(mark) || mark.starts_with(line)) {
                break;
            }
            if !line.ends_with(b"\n") {
                // Not to be taken for the beginning of a line when the rest comes.
                break;
            }
            at += line.len();
        }
        self.held.drain(..at).collect()
    }

    fn is_report(&self) -> bool {
        REPORTS.iter().any(|mark| self.held.starts_with(mark))
    }

    /// What is still held back and is no report after all, once it is known how the call ended.
    fn rest(&self, error: Option<&Error>) -> Option<&[u8]> {
        let is_of_go = |error: &Error| matches!(error.kind(), ErrorKind::Panic | ErrorKind::OutOfMemory) && !error.frames().is_empty();
        let told = error.is_some_and(is_of_go) && self.is_report();
        (!told).then_some(&self.held)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_report_is_held_back() {
        let mut filter = Filter::new(100);
        assert_eq!(filter.pass(b"one\ntwo"), b"one\n");
        assert_eq!(filter.pass(b" panic: no\npan"), b"two panic: no\n");
        assert_eq!(filter.pass(b"el\nfatal"), b"panel\n");
        assert_eq!(filter.pass(b" error: x\n\ngoroutine 1\n"), b"");
        assert_eq!(filter.rest(None), Some(&b"fatal error: x\n\ngoroutine 1\n"[..]));
        assert!(!filter.is_full);
        assert_eq!(filter.pass(&[b'.'; 1000]), b"");
        assert!(filter.is_full && filter.held.len() == 100);
    }

    #[test]
    fn a_character_is_held_back_until_it_is_whole() {
        let mut whole = Whole::default();
        assert_eq!(whole.pass(b"a\xc3".to_vec()), b"a");
        assert_eq!(whole.pass(b"\xbc\xff".to_vec()), b"\xc3\xbc\xff");
        assert_eq!(whole.pass(b"\xe2\x82".to_vec()), b"");
        assert_eq!(whole.0, b"\xe2\x82");
    }
}
