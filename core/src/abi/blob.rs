//! Contiguous bytes of a host.

use std::fmt;

/// Contiguous bytes that a host lends for the time of a call, to be copied into guest memory once.
pub enum Blob<'a> {
    /// Bytes that live as long as the arguments.
    Borrowed(&'a [u8]),
    /// Bytes behind a guard that keeps them in place (an exported buffer, say).
    Guarded(Box<dyn AsRef<[u8]> + Send + Sync + 'a>),
}

impl Blob<'_> {
    /// The bytes.
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        match self {
            Blob::Borrowed(bytes) => bytes,
            Blob::Guarded(guard) => (**guard).as_ref(),
        }
    }
}

impl fmt::Debug for Blob<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Blob({} bytes)", self.as_slice().len())
    }
}
