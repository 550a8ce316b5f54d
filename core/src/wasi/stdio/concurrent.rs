//! The standard streams of a component of WASI 0.3. The engine polls them beside the guest's tasks.

use std::future::Future;
use std::io::{Error, Result};
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use wasmtime_wasi::p2::{InputStream as _, Pollable as _, StreamError};

use crate::sched::task;
use crate::wasi::preview2::Output;
use crate::wasi::stdio::component::ComponentInput;

/// What a stream waits for. Nobody else has it, so the lock, which makes it `Sync`, is never held.
#[derive(Default)]
struct Wait(Option<Mutex<Pin<Box<dyn Future<Output = ()> + Send>>>>);

impl Wait {
    fn begin(&mut self, wait: impl Future<Output = ()> + Send + 'static) {
        self.0 = Some(Mutex::new(Box::pin(wait)));
    }

    /// Lets others have a turn after each piece. The engine copies one stream of the host's to
    /// another for as long as neither waits, and nothing could end that.
    fn begin_turn(&mut self) {
        self.begin(task::give_turn());
    }

    /// Ready if there is nothing to wait for.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if let Some(wait) = &mut self.0 {
            ready!(wait.get_mut().unwrap_or_else(PoisonError::into_inner).as_mut().poll(context));
            self.0 = None;
        }
        Poll::Ready(())
    }
}

/// Standard input.
pub(crate) struct Reading {
    input: ComponentInput,
    wait: Wait,
}

impl Reading {
    pub(crate) fn new(input: &ComponentInput) -> Reading {
        Reading { input: input.clone(), wait: Wait::default() }
    }
}

impl AsyncRead for Reading {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        let Reading { input, wait } = &mut *self;
        while buffer.remaining() > 0 {
            ready!(wait.poll(context));
            match input.read(buffer.remaining()) {
                Ok(bytes) if bytes.is_empty() => {
                    let mut input = input.clone();
                    wait.begin(async move { input.ready().await });
                }
                Ok(bytes) => {
                    buffer.put_slice(&bytes);
                    wait.begin_turn();
                    break;
                }
                Err(StreamError::Closed) => break,
                Err(StreamError::LastOperationFailed(error) | StreamError::Trap(error)) => {
                    return Poll::Ready(Err(error.downcast().unwrap_or_else(Error::other)));
                }
            }
        }
        Poll::Ready(Ok(()))
    }
}

/// Standard output or error.
pub(crate) struct Writing {
    output: Output,
    wait: Wait,
    turn: Wait,
}

impl Writing {
    pub(crate) fn new(output: &Output) -> Writing {
        Writing { output: output.clone(), wait: Wait::default(), turn: Wait::default() }
    }
}

impl AsyncWrite for Writing {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize>> {
        ready!(self.as_mut().poll_flush(context))?;
        ready!(self.turn.poll(context));
        self.turn.begin_turn();
        Poll::Ready(self.output.take(bytes))
    }

    /// Passes on what was written.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        let Writing { output, wait, .. } = &mut *self;
        loop {
            ready!(wait.poll(context));
            // It may have failed, with which the call ends.
            if output.is_flushed() {
                return Poll::Ready(Ok(()));
            }
            let mut output = output.clone();
            wait.begin(async move { output.ready().await });
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        self.poll_flush(context)
    }
}
