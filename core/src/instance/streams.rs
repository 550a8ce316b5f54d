//! Streams of a guest.

use std::io::{self, Read, Write};

use crate::abi::typed::{FromGuest, GuestType, Reader, check_handle};
use crate::config::CallOptions;
use crate::error::Result;
use crate::instance::items::ended;
use crate::instance::object::Object;
use crate::interface::{Shape, Side, Type};

/// The most bytes that cross at once.
const CHUNK: usize = 256 << 10;

/// What a plugin's function of type `io.Reader` or `io.ReadCloser` gives. Dropping it closes the
/// Go stream; the error of that is lost.
///
/// Errors of the calls are those of [`io::Error::other`], and downcast to [`Error`](crate::Error).
#[derive(Debug)]
pub struct GuestReader(Stream);

/// What a plugin's function of type `io.Writer` or `io.WriteCloser` gives. Dropping it closes the
/// Go stream; [`close`](GuestWriter::close) gives the error of that.
#[derive(Debug)]
pub struct GuestWriter(Stream);

/// A stream, and the numbers of its methods.
#[derive(Debug)]
struct Stream {
    object: Object,
    transfer: usize,
    close: usize,
    options: CallOptions,
}

impl Stream {
    fn lift(reader: Reader<'_>, shape: Shape, at: u32) -> Result<Stream> {
        let object = Object::of(reader.handle_of(&|resource| resource.shape == shape, at)?)?;
        let export = |number| object.export(&object.ty().function(number).ok_or_else(ended)?);
        let (transfer, close) = (export(0)?, export(1)?);
        Ok(Stream { object, transfer, close, options: CallOptions::default() })
    }

    fn close(self) -> Result<()> {
        let closed = self.object.call(self.close, &(), &self.options);
        self.object.close()?;
        closed
    }

    async fn close_async(self) -> Result<()> {
        let closed = self.object.call_async(self.close, (), &self.options).await;
        self.object.close_async().await?;
        closed
    }
}

impl GuestReader {
    /// The next bytes of a stream of an asynchronous instance, at most that many; none at the end.
    ///
    /// # Errors
    ///
    /// Those of the call; `guest-error` for an error of the Go code.
    pub async fn read_async(&mut self, most: u32) -> Result<Vec<u8>> {
        self.0.object.call_async(self.0.transfer, (most.min(CHUNK as u32),), &self.0.options).await
    }
}

impl Read for GuestReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let most = buffer.len().min(CHUNK);
        let bytes: Vec<u8> = self.0.object.call(self.0.transfer, &(most as u32,), &self.0.options).map_err(io::Error::other)?;
        let target = buffer.get_mut(..bytes.len()).ok_or_else(|| io::Error::other("the guest gave more bytes than it was asked for"))?;
        target.copy_from_slice(&bytes);
        Ok(bytes.len())
    }
}

impl GuestWriter {
    /// Writes all of the bytes to a stream of an asynchronous instance.
    ///
    /// # Errors
    ///
    /// Those of the call; `guest-error` for an error of the Go code.
    pub async fn write_async(&mut self, bytes: &[u8]) -> Result<()> {
        for chunk in bytes.chunks(CHUNK) {
            self.0.object.call_async::<()>(self.0.transfer, (chunk,), &self.0.options).await?;
        }
        Ok(())
    }
}

impl Write for GuestWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let chunk = &bytes[..bytes.len().min(CHUNK)];
        if !chunk.is_empty() {
            self.0.object.call::<()>(self.0.transfer, &(chunk,), &self.0.options).map_err(io::Error::other)?;
        }
        Ok(chunk.len())
    }

    /// Does nothing: what is written has arrived.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

macro_rules! streams {
    ($($name:ident $shape:ident),*) => {$(
        impl $name {
            /// The same with these options for its calls.
            #[must_use]
            pub fn with(self, options: CallOptions) -> Self {
                $name(Stream { options, ..self.0 })
            }

            /// Closes it.
            ///
            /// # Errors
            ///
            /// `guest-error` for an error of the Go code's own `Close`.
            pub fn close(self) -> Result<()> {
                self.0.close()
            }

            /// Closes a stream of an asynchronous instance.
            ///
            /// # Errors
            ///
            /// As [`close`](Self::close).
            pub async fn close_async(self) -> Result<()> {
                self.0.close_async().await
            }
        }

        // Their methods have the same types in every interface, which is read only if they do.
        impl GuestType for $name {
            const SIZE: u32 = 4;
            const ALIGN: u32 = 4;

            fn check(ty: &Type) -> Result<()> {
                check_handle::<Self>(ty, Side::Guest, Shape::$shape).map(drop)
            }
        }

        impl FromGuest for $name {
            fn lift(reader: Reader<'_>, at: u32) -> Result<Self> {
                Stream::lift(reader, Shape::$shape, at).map($name)
            }
        }
    )*};
}

streams!(GuestReader Reader, GuestWriter Writer);
