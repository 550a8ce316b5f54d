//! A component's standard input.

use std::io::{self, ErrorKind, stdin};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::io::AsyncRead;
use wasmtime_wasi::cli::{IsTerminal, StdinStream};
use wasmtime_wasi::p2::{InputStream, Pollable, StreamError, StreamResult};

use crate::config::budget::{Budget, LOOK};
use crate::error::Result;
use crate::sched::driver::{Driver, at_once};
use crate::wasi::files::given::Given;
#[cfg(feature = "wasi-0-3")]
use crate::wasi::stdio::concurrent::Reading;
use crate::wasi::stdio::input::{Input, Source};

/// The host's end of a component's standard input. Clones read from the same source.
#[derive(Clone)]
pub(crate) struct ComponentInput {
    source: Arc<Mutex<Source>>,
    is_terminal: bool,
}

/// The most bytes of one read.
const PIECE: usize = 64 << 10;

impl ComponentInput {
    /// # Errors
    ///
    /// `denied` when the file can't be opened.
    pub(crate) fn new(input: &Input, given: &Given) -> Result<ComponentInput> {
        let source = Arc::new(Mutex::new(Source::new(input, given)?));
        Ok(ComponentInput { source, is_terminal: *input == Input::Inherit && io::IsTerminal::is_terminal(&stdin()) })
    }

    fn source(&self) -> MutexGuard<'_, Source> {
        self.source.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl IsTerminal for ComponentInput {
    fn is_terminal(&self) -> bool {
        self.is_terminal
    }
}

impl StdinStream for ComponentInput {
    fn p2_stream(&self) -> Box<dyn InputStream> {
        Box::new(self.clone())
    }

    fn async_stream(&self) -> Box<dyn AsyncRead + Send + Sync> {
        #[cfg(feature = "wasi-0-3")]
        return Box::new(Reading::new(self));
        #[cfg(not(feature = "wasi-0-3"))]
        Box::new(tokio::io::empty())
    }
}

impl InputStream for ComponentInput {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        let mut buffer = vec![0; size.min(PIECE)];
        if buffer.is_empty() {
            return Ok(Bytes::new());
        }
        // It does not wait, so its future is ready at once.
        let read = at_once(self.source().read(&mut buffer, false, Driver::Fiber, &Budget::default()));
        match read.map_err(|error| StreamError::Trap(error.into_wasmtime()))? {
            Ok(0) => Err(StreamError::Closed),
            Ok(count) => {
                buffer.truncate(count);
                Ok(buffer.into())
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(Bytes::new()),
            Err(error) => Err(StreamError::LastOperationFailed(error.into())),
        }
    }
}

impl Pollable for ComponentInput {
    fn ready<'s, 'f>(&'s mut self) -> Pin<Box<dyn Future<Output = ()> + Send + 'f>>
    where
        's: 'f,
        Self: 'f,
    {
        Box::pin(async move {
            // The host's own streams are shared with others, so there is no event to wait for. The
            // whole call is bounded from outside: see `Driver::bounded`.
            while self.source().ready().is_none() {
                Driver::Fiber.pause(&[], &Budget::default(), Some(LOOK)).await;
            }
        })
    }
}
