//! A progress spinner.

use std::io::Write as _;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use undergo::host::escape;

/// Shows what is going on, on standard error, where that is a terminal. It goes away when dropped.
pub(crate) struct Progress(ProgressBar);

impl Progress {
    pub(crate) fn start(what: impl Into<String>) -> Progress {
        // Hidden by itself when standard error is no terminal.
        let bar = ProgressBar::new_spinner().with_message(what.into());
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(100));
        Progress(bar)
    }

    /// Writes another program's text to standard error, past the spinner.
    pub(crate) fn pass_on(&self, text: &[u8]) {
        self.pause(|| {
            // A closed standard error is no reason to fail.
            let _ = std::io::stderr().write_all(escape::bytes(text).as_bytes());
        });
    }

    /// Hides the spinner while something else writes.
    pub(crate) fn pause(&self, write: impl FnOnce()) {
        self.0.suspend(write);
    }

    pub(crate) fn say(&self, what: impl Into<String>) {
        self.0.set_message(what.into());
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
