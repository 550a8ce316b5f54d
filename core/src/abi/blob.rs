//! Contiguous bytes of a host.

use std::fmt;

/// Contiguous bytes that a host lends for the duration of a call, to be copied into guest memory
/// once.
pub enum Blob<'a> {
    /// Bytes that live as long as the arguments.
    Borrowed(&'a [u8]),
    /// Bytes behind a guard that keeps them in place (an exported buffer, for example).
    Guarded(Box<dyn Lend + Send + Sync + 'a>),
}

/// Bytes that are copied out, and never accessed in place: other threads of the host may write to
/// them meanwhile, so there must be no `&[u8]` to them. A host that owns its bytes, or whose bytes
/// do not change, lends them as [`Blob::Borrowed`].
pub trait Lend {
    /// How many there are now.
    fn size(&self) -> usize;

    /// Copies as many bytes as [`size`](Lend::size) returned last.
    fn copy_to(&self, target: &mut [u8]);
}

impl<T: AsRef<[u8]>> Lend for T {
    fn size(&self) -> usize {
        self.as_ref().len()
    }

    fn copy_to(&self, target: &mut [u8]) {
        target.copy_from_slice(self.as_ref());
    }
}

impl Blob<'_> {
    /// How many bytes there are now.
    #[must_use]
    pub fn size(&self) -> usize {
        match self {
            Blob::Borrowed(bytes) => bytes.len(),
            Blob::Guarded(guard) => guard.size(),
        }
    }

    /// Copies all of them.
    pub fn copy_to(&self, target: &mut [u8]) {
        match self {
            Blob::Borrowed(bytes) => target.copy_from_slice(bytes),
            Blob::Guarded(guard) => guard.copy_to(target),
        }
    }

    /// A copy of them.
    #[must_use]
    pub fn to_vec(&self) -> Vec<u8> {
        let mut copy = vec![0; self.size()];
        self.copy_to(&mut copy);
        copy
    }
}

impl fmt::Debug for Blob<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Blob({} bytes)", self.size())
    }
}
