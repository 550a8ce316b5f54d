//! Iterators of a guest, with items that are types of Rust.

use std::fmt;
use std::time::Instant;
use std::vec;

use crate::abi::typed::{FromGuest, GuestType, Reader, check_handle, check_method};
use crate::call::given::check_batch;
use crate::call::read_ahead::ReadAhead;
use crate::config::CallOptions;
use crate::error::{Error, ErrorKind, Result};
use crate::instance::object::Object;
use crate::interface::{Shape, Side, Type};

/// What a plugin's function of type `iter.Seq[T]` gives; of `iter.Seq2`, items are pairs. The Go
/// function is ended when this is dropped.
///
/// It is asked for more items at once while they come quickly, so it may run ahead. Items that were
/// given before an error come first; after the error there are none.
pub struct GuestItems<T> {
    object: Object,
    export: usize,
    ahead: ReadAhead,
    ready: vec::IntoIter<T>,
    is_over: bool,
    options: CallOptions,
}

impl<T> GuestItems<T> {
    /// The same with these options for its calls.
    #[must_use]
    pub fn with(self, options: CallOptions) -> Self {
        GuestItems { options, ..self }
    }

    /// Takes note of a batch, and gives its first item.
    fn take(&mut self, begun: Instant, batch: Result<(Vec<T>, bool)>) -> Option<Result<T>> {
        match batch.and_then(check) {
            Ok((items, is_over)) => {
                self.ahead.note(begun.elapsed(), items.len());
                self.ready = items.into_iter();
                self.is_over = is_over;
                self.ready.next().map(Ok)
            }
            Err(error) => {
                self.is_over = true;
                self.object.handle().close();
                Some(Err(error))
            }
        }
    }

    /// Whether all items were given. The guest's iterator is released then.
    fn is_done(&self) -> bool {
        if self.is_over {
            self.object.handle().close();
        }
        self.is_over
    }
}

impl<T: FromGuest> Iterator for GuestItems<T> {
    type Item = Result<T>;

    fn next(&mut self) -> Option<Result<T>> {
        loop {
            if let Some(item) = self.ready.next() {
                return Some(Ok(item));
            }
            if self.is_done() {
                return None;
            }
            let (begun, most) = (Instant::now(), self.ahead.most());
            let batch = self.object.call(self.export, &(most,), &self.options);
            if let Some(item) = self.take(begun, batch) {
                return Some(item);
            }
        }
    }
}

impl<T: FromGuest + Send + 'static> GuestItems<T> {
    /// The next item of an iterator of an asynchronous instance.
    pub async fn next_async(&mut self) -> Option<Result<T>> {
        loop {
            if let Some(item) = self.ready.next() {
                return Some(Ok(item));
            }
            if self.is_done() {
                return None;
            }
            let (begun, most) = (Instant::now(), self.ahead.most());
            let batch = self.object.call_async(self.export, (most,), &self.options).await;
            if let Some(item) = self.take(begun, batch) {
                return Some(item);
            }
        }
    }
}

impl<T: FromGuest> GuestType for GuestItems<T> {
    const SIZE: u32 = 4;
    const ALIGN: u32 = 4;

    fn check(ty: &Type) -> Result<()> {
        check_method(check_handle::<Self>(ty, Side::Guest, Shape::Iterator)?, 0, check_batch::<T>)
    }
}

impl<T: FromGuest> FromGuest for GuestItems<T> {
    fn lift(reader: Reader<'_>, at: u32) -> Result<Self> {
        let object = Object::of(reader.handle_of(&|resource| resource.shape == Shape::Iterator, at)?)?;
        let next = object.ty().function(0).ok_or_else(ended)?;
        let (export, ahead) = (object.export(&next)?, ReadAhead::of(&next));
        Ok(GuestItems { object, export, ahead, ready: Vec::new().into_iter(), is_over: false, options: CallOptions::default() })
    }
}

/// Checks that a batch brings the caller further: it would ask for ever otherwise.
fn check<T>(batch: (Vec<T>, bool)) -> Result<(Vec<T>, bool)> {
    if batch.0.is_empty() && !batch.1 {
        return Err(Error::new(ErrorKind::Trap, "the guest's iterator gave neither an item nor its end"));
    }
    Ok(batch)
}

/// The error of an interface that nobody has any more: whoever lifts a value has it.
#[cold]
pub(super) fn ended() -> Error {
    Error::new(ErrorKind::DeadInstance, "the plugin has ended")
}

impl<T> fmt::Debug for GuestItems<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GuestItems({})", self.object.ty().name)
    }
}
