//! Passes on what the guest prints, while it prints it: all to standard error, because standard output is for the result.

use std::io::Write as _;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use undergo::{Error, Instance, Result};

const INTERVAL: Duration = Duration::from_millis(50);

/// Runs `call` while the instance's output is passed on. Go's own report of a panic is left out: the error has what it says.
pub(crate) fn during<R>(instance: &Instance, call: impl FnOnce() -> Result<R>) -> Result<R> {
    let (running, ended) = mpsc::channel::<()>();
    let watched = instance.clone();
    let watcher = thread::spawn(move || {
        let mut filter = Filter::default();
        loop {
            let over = !matches!(ended.recv_timeout(INTERVAL), Err(RecvTimeoutError::Timeout));
            write(&watched.take_stdout());
            write(&filter.pass(&watched.take_stderr()));
            if over {
                return filter;
            }
        }
    });
    let result = call();
    drop(running);
    if let Ok(filter) = watcher.join() {
        write(filter.rest(result.as_ref().err()));
    }
    result
}

/// Passes on what a guest printed that ended before it was ready.
pub(crate) fn after(error: &Error) {
    let mut filter = Filter::default();
    write(&filter.pass(error.stderr().as_bytes()));
    write(filter.rest(Some(error)));
}

fn write(text: &[u8]) {
    // A closed standard error is no reason to fail.
    let _ = std::io::stderr().write_all(text);
}

/// What Go's report of its own end begins with, at the beginning of a line.
const REPORTS: [&[u8]; 2] = [b"panic: ", b"fatal error: "];

/// Holds back what may be a report.
#[derive(Default)]
struct Filter {
    held: Vec<u8>,
}

impl Filter {
    /// Takes new text, and gives what is surely no report.
    fn pass(&mut self, text: &[u8]) -> Vec<u8> {
        self.held.extend_from_slice(text);
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

    /// What is still held back, once it is known how the call ended.
    fn rest(&self, error: Option<&Error>) -> &[u8] {
        if error.is_some_and(|error| !error.frames().is_empty()) && REPORTS.iter().any(|mark| self.held.starts_with(mark)) {
            return &[];
        }
        &self.held
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_report_is_held_back() {
        let mut filter = Filter::default();
        assert_eq!(filter.pass(b"one\ntwo"), b"one\n");
        assert_eq!(filter.pass(b" panic: no\npan"), b"two panic: no\n");
        assert_eq!(filter.pass(b"el\nfatal"), b"panel\n");
        assert_eq!(filter.pass(b" error: x\n\ngoroutine 1\n"), b"");
        assert_eq!(filter.rest(None), b"fatal error: x\n\ngoroutine 1\n");
    }
}
