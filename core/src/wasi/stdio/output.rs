//! Where a guest's output goes.

use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::config::budget::Budget;
use crate::error::go_panic;
use crate::error::{Error, Result};
use crate::platform::descriptor::{Descriptor, Wants};
use crate::platform::window;
use crate::sched::driver::Driver;

/// Where a guest's output goes.
#[cfg_attr(not(feature = "host"), non_exhaustive)]
#[derive(Clone, Debug)]
pub enum Output {
    /// The default: the output of a command that is [run](crate::Plugin::run) is captured for its
    /// result, up to that many bytes; that of an instance goes to the host process, as with
    /// [`Inherit`](Output::Inherit).
    Usual(usize),
    /// To the same stream of the host process, by its descriptor: what the host itself has buffered
    /// comes later. While a pipe there is full, the guest waits, as long as its call may. If nobody
    /// reads the stream any more, a command is told (`EPIPE`); if it goes on writing, it ends with
    /// the exit code 141, as in shells. What a plugin writes there is dropped.
    Inherit,
    /// Nowhere.
    Discard,
    /// Into a buffer of at most that many bytes, to be read from the instance; the rest is dropped.
    Capture(usize),
    /// To a function of the host, line by line.
    Lines(LineSink),
}

/// [`Output::Usual`], with 1 MiB where it is captured.
impl Default for Output {
    fn default() -> Output {
        Output::Usual(1 << 20)
    }
}

impl Output {
    /// The default for a command, where nothing else was chosen.
    pub(crate) fn of_command(&self) -> Output {
        match self {
            Output::Usual(most) => Output::Capture(*most),
            said => said.clone(),
        }
    }

    /// Calls a function with each line; see [`LineSink::new`].
    pub fn lines(function: impl Fn(&[u8]) -> Result<()> + Send + Sync + 'static) -> Output {
        Output::Lines(LineSink::new(function))
    }
}

/// A host function that gets a guest's output line by line. Clones are the same function.
#[derive(Clone)]
pub struct LineSink(Arc<LineFunction>);

type LineFunction = dyn Fn(&[u8]) -> Result<()> + Send + Sync;

impl LineSink {
    /// The function is called with each line without its newline, on the thread of the call (for
    /// asynchronous calls: on the thread of the host's event loop), while the guest waits. A line
    /// of more than 64 KiB is split between characters of UTF-8. A last line without a newline is
    /// given when the call ends. An error from the function, or a panic, ends the call and the
    /// instance, and is what the caller gets. The function can't call the instance whose output it
    /// gets: that is `busy`.
    pub fn new(function: impl Fn(&[u8]) -> Result<()> + Send + Sync + 'static) -> LineSink {
        LineSink(Arc::new(function))
    }

    fn give(&self, line: &[u8], driver: Driver) -> Result<()> {
        // A panic of the host's code must not unwind through the guest's frames.
        let call = || catch_unwind(AssertUnwindSafe(|| (self.0)(line)));
        let called = match driver {
            Driver::Direct => window::outside(call),
            // The guest has left the stack, so coroutines may go on in any order.
            Driver::Fiber => call(),
        };
        called.unwrap_or_else(|panic| Err(Error::from_panic("the function for output", &*panic)))
    }
}

impl fmt::Debug for LineSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LineSink")
    }
}

/// Bytes of standard error that are kept for the text of a panic: a goroutine trace is rarely
/// longer.
const TAIL: usize = 64 << 10;

/// The longest piece of a line. Shorter under Miri, where a test that fills it takes minutes.
const LINE: usize = if cfg!(miri) { 1 << 10 } else { 64 << 10 };

/// One of the guest's output streams.
pub(crate) struct Stream {
    sink: Sink,
    is_stderr: bool,
    /// How its guest is run.
    driver: Driver,
    /// Bytes that are passed on to the sink over a guest's life.
    limit: u64,
    /// Whether the guest gets the errors of the host's stream.
    tells: bool,
    /// The total when the present guest began.
    begun: AtomicU64,
    kept: Mutex<Kept>,
    /// Bytes written in all. Outside the lock, because each call reads it.
    total: AtomicU64,
    /// Whether there is a line without a newline. Outside the lock for the same reason.
    unfinished: AtomicBool,
    /// Whether output of the present guest was dropped, because of a limit or a full buffer.
    cut: AtomicBool,
}

enum Sink {
    Host(Descriptor),
    Discard,
    Capture(usize),
    Lines(LineSink),
}

#[derive(Default)]
struct Kept {
    captured: Vec<u8>,
    /// The last bytes written; of standard error only.
    tail: Vec<u8>,
    /// Recognises the report of a dying Go runtime; in standard error only.
    watch: go_panic::Watch,
    /// A line whose newline has not come yet.
    line: Vec<u8>,
}

impl Stream {
    pub(crate) fn new(output: &Output, is_stderr: bool, limit: Option<u64>, tells: bool, driver: Driver) -> Stream {
        let sink = match output {
            Output::Usual(_) | Output::Inherit if is_stderr => Sink::Host(Descriptor::Stderr),
            Output::Usual(_) | Output::Inherit => Sink::Host(Descriptor::Stdout),
            Output::Discard => Sink::Discard,
            Output::Capture(most) => Sink::Capture(*most),
            Output::Lines(function) => Sink::Lines(function.clone()),
        };
        Stream {
            sink,
            is_stderr,
            driver,
            limit: limit.unwrap_or(u64::MAX),
            tells,
            begun: AtomicU64::new(0),
            kept: Mutex::default(),
            total: AtomicU64::new(0),
            unfinished: AtomicBool::new(false),
            cut: AtomicBool::new(false),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        // The state is consistent after each statement, so a panic of another thread does no harm.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Another guest begins.
    pub(crate) fn begin(&self) {
        self.begun.store(self.total(), Ordering::Relaxed);
        self.cut.store(false, Ordering::Relaxed);
    }

    /// Whether output of the present guest was dropped, because of a limit or a full buffer.
    pub(crate) fn is_cut(&self) -> bool {
        self.cut.load(Ordering::Relaxed)
    }

    /// Takes the captured output.
    pub(crate) fn take(&self) -> Vec<u8> {
        std::mem::take(&mut self.lock().captured)
    }

    /// Bytes written so far: a mark for [`since`](Stream::since).
    #[inline]
    pub(crate) fn total(&self) -> u64 {
        self.total.load(Ordering::Relaxed)
    }

    /// What was written since that mark, or the end of it.
    pub(crate) fn since(&self, mark: u64) -> String {
        let kept = self.lock();
        let written = usize::try_from(self.total() - mark).unwrap_or(usize::MAX);
        let from = kept.tail.len().saturating_sub(written);
        String::from_utf8_lossy(&kept.tail[from..]).into_owned()
    }

    /// The report of a dying Go runtime since that mark.
    pub(crate) fn report(&self, mark: u64) -> Option<String> {
        self.lock().watch.report(mark)
    }

    /// Accepts the guest's output, and returns how many bytes: all of them, if it `blocks`. An
    /// error ends the call; the inner one is for the guest.
    pub(crate) async fn write(&self, bytes: &[u8], blocks: bool, driver: Driver, budget: &Budget) -> Result<io::Result<usize>> {
        let all = bytes.len();
        let before = self.total.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        if self.is_stderr {
            let mut kept = self.lock();
            kept.watch.accept(bytes);
            kept.keep_tail(bytes);
        }
        let room = usize::try_from(self.limit.saturating_sub(before - self.begun.load(Ordering::Relaxed))).unwrap_or(usize::MAX);
        if room < bytes.len() {
            self.cut.store(true, Ordering::Relaxed);
        }
        let bytes = &bytes[..bytes.len().min(room)];
        match &self.sink {
            Sink::Discard => {}
            Sink::Capture(most) => {
                let mut kept = self.lock();
                let room = most.saturating_sub(kept.captured.len()).min(bytes.len());
                kept.captured.extend_from_slice(&bytes[..room]);
                if room < bytes.len() {
                    self.cut.store(true, Ordering::Relaxed);
                }
            }
            Sink::Lines(function) => self.give_lines(function, bytes, driver, budget).await?,
            // The report of a panic is kept as a whole, so it is passed on as a whole.
            Sink::Host(descriptor) => match pass_on(descriptor, bytes, blocks || self.is_stderr, driver, budget).await? {
                Ok(written) if written < bytes.len() => {
                    self.total.fetch_sub((all - written) as u64, Ordering::Relaxed);
                    return Ok(Ok(written));
                }
                Err(error) if self.tells || error.kind() == io::ErrorKind::WouldBlock => {
                    if !self.is_stderr {
                        self.total.fetch_sub(all as u64, Ordering::Relaxed);
                    }
                    return Ok(Err(error));
                }
                _ => {}
            },
        }
        Ok(Ok(all))
    }

    async fn give_lines(&self, function: &LineSink, mut bytes: &[u8], driver: Driver, budget: &Budget) -> Result<()> {
        while !bytes.is_empty() {
            // The function runs without the lock, because it may ask for the instance's output.
            let (taken, line) = self.lock().next_line(bytes);
            bytes = &bytes[taken..];
            if let Some(line) = line {
                driver.host(|| function.give(&line, driver)).await?;
                if budget.is_limited() {
                    budget.look(driver)?;
                }
            }
        }
        self.unfinished.store(!self.lock().line.is_empty(), Ordering::Relaxed);
        Ok(())
    }

    /// Whether there is a line without a newline.
    #[inline]
    pub(crate) fn is_unfinished(&self) -> bool {
        self.unfinished.load(Ordering::Relaxed)
    }

    /// Gives a line without a newline to its function.
    #[inline]
    pub(crate) fn finish(&self) -> Result<()> {
        if self.is_unfinished() { self.give_unfinished() } else { Ok(()) }
    }

    #[cold]
    fn give_unfinished(&self) -> Result<()> {
        self.unfinished.store(false, Ordering::Relaxed);
        let line = std::mem::take(&mut self.lock().line);
        match &self.sink {
            Sink::Lines(function) => function.give(&line, self.driver),
            _ => Ok(()),
        }
    }

    /// What to wait for, if a write may wait.
    pub(crate) fn descriptor(&self) -> Option<&Descriptor> {
        match &self.sink {
            Sink::Host(descriptor) => Some(descriptor),
            _ => None,
        }
    }
}

impl Kept {
    fn keep_tail(&mut self, bytes: &[u8]) {
        let excess = (self.tail.len() + bytes.len()).saturating_sub(2 * TAIL);
        if excess > 0 {
            // Cut by a whole tail at a time, not byte by byte.
            let cut = self.tail.len().min(excess + TAIL);
            self.tail.drain(..cut);
        }
        let from = bytes.len().saturating_sub(TAIL);
        self.tail.extend_from_slice(&bytes[from..]);
    }

    /// Takes bytes up to the end of a line. Returns their number, and the line or a piece of it, if
    /// it is complete.
    fn next_line(&mut self, bytes: &[u8]) -> (usize, Option<Vec<u8>>) {
        // One more than a piece, so that a newline right after it does not become an empty line.
        let window = &bytes[..bytes.len().min(LINE + 1 - self.line.len())];
        let taken = window.iter().position(|byte| *byte == b'\n').map_or(window.len(), |end| end + 1);
        self.line.extend_from_slice(&window[..taken]);
        let line = if self.line.last() == Some(&b'\n') {
            self.line.pop();
            Some(std::mem::take(&mut self.line))
        } else if self.line.len() > LINE {
            let is_inside = |at: &usize| self.line[*at] & 0xC0 == 0x80;
            // A character has at most three such bytes. If there are more, this is not UTF-8, and
            // may be cut anywhere.
            let end = (LINE - 3..=LINE).rev().find(|at| !is_inside(at)).unwrap_or(LINE);
            let rest = self.line.split_off(end);
            Some(std::mem::replace(&mut self.line, rest))
        } else {
            None
        };
        (taken, line)
    }
}

/// Writes to a stream of the host, and waits while it is full, if it `blocks`. Returns how many
/// bytes were written; an error if there were none.
async fn pass_on(descriptor: &Descriptor, bytes: &[u8], blocks: bool, driver: Driver, budget: &Budget) -> Result<io::Result<usize>> {
    let mut written = 0;
    while written < bytes.len() {
        let refused = match descriptor.write(&bytes[written..]) {
            Ok(Some(0)) => io::ErrorKind::WriteZero.into(),
            Ok(Some(more)) => {
                written += more;
                continue;
            }
            Ok(None) if !blocks => io::ErrorKind::WouldBlock.into(),
            Err(error) => error,
            Ok(None) => {
                budget.look(driver)?;
                driver.pause(&[(descriptor, Wants::Write)], budget, None).await;
                continue;
            }
        };
        // Written bytes are reported first; the next write reports the error.
        return Ok(if written > 0 { Ok(written) } else { Err(refused) });
    }
    Ok(Ok(written))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(writes: &[&[u8]]) -> (Vec<Vec<u8>>, Vec<u8>) {
        let (mut kept, mut lines) = (Kept::default(), Vec::new());
        for write in writes {
            let mut rest = *write;
            while !rest.is_empty() {
                let (taken, line) = kept.next_line(rest);
                rest = &rest[taken..];
                lines.extend(line);
            }
        }
        (lines, kept.line)
    }

    #[test]
    fn output_is_cut_into_lines() {
        let (given, rest) = lines(&[b"a\nb", b"c\n\n", b"\r\nd"]);
        assert_eq!(given, [&b"a"[..], b"bc", b"", b"\r"]);
        assert_eq!(rest, b"d");
    }

    #[test]
    fn a_long_line_comes_in_pieces_between_characters() {
        let exact = [&[b'x'; LINE][..], b"\n"].concat();
        assert_eq!(lines(&[&exact]), (vec![exact[..LINE].to_vec()], Vec::new()));
        let text = format!("x{}\n", "ü".repeat(LINE));
        for step in [1, 1000, usize::MAX] {
            let writes: Vec<&[u8]> = text.as_bytes().chunks(step).collect();
            let (given, rest) = lines(&writes);
            assert_eq!((given.len(), rest.len()), (3, 0));
            assert!(given.iter().all(|piece| piece.len() <= LINE && std::str::from_utf8(piece).is_ok()));
            assert_eq!(given.concat(), text.trim_end().as_bytes());
        }
        // Bytes that are not text are cut somewhere.
        let (given, rest) = lines(&[&[0x80; 2 * LINE + 2]]);
        assert_eq!((given.len(), given.concat().len() + rest.len()), (2, 2 * LINE + 2));
    }
}
