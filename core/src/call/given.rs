//! What a program gives to a guest by types of Rust: closures, iterators, streams, and objects with
//! methods.

use std::any::Any;
use std::convert::Infallible;
use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::marker::PhantomData;
use std::mem::replace;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::abi::handles::HostObject;
use crate::abi::typed::{self, GuestType, ToGuest, Writer, check_handle};
use crate::call::batches::Batches;
use crate::call::typed::{AsyncHostClosure, AsyncTyped, HostClosure, Typed, failed};
use crate::error::Result;
use crate::guest::host::HostFunction;
use crate::interface::{Function, Shape, Side, Type};

/// A method of an object of the program's, for [`HostObject`].
pub struct HostMethod(Arc<dyn HostFunction>);

impl HostMethod {
    /// A closure.
    pub fn new<S: 'static>(closure: impl HostClosure<S>) -> HostMethod {
        HostMethod(Arc::new(Typed(closure, PhantomData)))
    }

    /// A closure that returns a future.
    pub fn awaited<S: 'static>(closure: impl AsyncHostClosure<S>) -> HostMethod {
        HostMethod(Arc::new(AsyncTyped(closure, PhantomData)))
    }

    /// An object with these methods, in the order of the resource.
    pub fn object(methods: impl IntoIterator<Item = HostMethod>) -> HostObject {
        HostObject::new(methods.into_iter().map(|HostMethod(function)| function))
    }
}

impl fmt::Debug for HostMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HostMethod")
    }
}

/// The check of a method with the types of a function, such as `fn(String) -> bool`.
///
/// # Errors
///
/// `signature-mismatch`, which says what differs.
pub fn check_method<S: HostClosure<S>>(function: &Function) -> Result<()> {
    S::check(function)
}

/// A closure for a parameter of a func type. `S` is its types: `Callback<fn(i64) -> i64>`. It may
/// return a result, whose error becomes that of the Go code.
///
/// ```no_run
/// use undergo::{Callback, InstanceOptions, Plugin};
///
/// # fn main() -> undergo::Result<()> {
/// let instance = Plugin::from_file("lists.wasm")?.instantiate(InstanceOptions::default())?;
/// let apply = instance.function::<(&[i64], Callback<fn(i64) -> i64>), Vec<i64>>("apply")?;
/// assert_eq!(apply.call((&[1, 2, 3], Callback::new(|n| 2 * n)))?, [2, 4, 6]);
/// # Ok(())
/// # }
/// ```
pub struct Callback<S> {
    object: HostObject,
    types: PhantomData<fn() -> S>,
}

impl<S: 'static> Callback<S> {
    /// A closure. The plugin may keep it beyond the call if the function says so.
    pub fn new(closure: impl HostClosure<S>) -> Callback<S> {
        Callback { object: HostMethod::object([HostMethod::new(closure)]), types: PhantomData }
    }

    /// A closure that returns a future, for asynchronous instances.
    pub fn awaited(closure: impl AsyncHostClosure<S>) -> Callback<S> {
        Callback { object: HostMethod::object([HostMethod::awaited(closure)]), types: PhantomData }
    }
}

impl<S> Clone for Callback<S> {
    fn clone(&self) -> Self {
        Callback { object: self.object.clone(), types: PhantomData }
    }
}

impl<S> fmt::Debug for Callback<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Callback")
    }
}

impl<S: HostClosure<S>> GuestType for Callback<S> {
    const SIZE: u32 = 4;
    const ALIGN: u32 = 4;

    fn check(ty: &Type) -> Result<()> {
        typed::check_method(check_handle::<Self>(ty, Side::Host, Shape::Callback)?, 0, S::check)
    }
}

impl<S: HostClosure<S>> ToGuest for Callback<S> {
    fn lower<'a>(&'a self, writer: &mut Writer<'_, 'a>, at: u32) -> Result<()> {
        writer.object_of(&self.object, Shape::Callback, None, at);
        Ok(())
    }
}

/// What a guest uses by calls, and may close. It is taken out while its own code runs: that may
/// call the instance, whose guest may come back to it.
enum Slot<T> {
    Here(T),
    InUse,
    Closed,
}

struct Used<T>(Mutex<Slot<T>>);

impl<T> Used<T> {
    fn new(value: T) -> Used<T> {
        Used(Mutex::new(Slot::Here(value)))
    }

    fn slot(&self) -> MutexGuard<'_, Slot<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs code with it.
    fn with<R>(&self, code: impl FnOnce(&mut T) -> R) -> io::Result<R> {
        let mut slot = self.slot();
        match replace(&mut *slot, Slot::InUse) {
            Slot::Here(mut value) => {
                drop(slot);
                let result = code(&mut value);
                let mut slot = self.slot();
                if matches!(*slot, Slot::InUse) {
                    *slot = Slot::Here(value);
                }
                Ok(result)
            }
            Slot::InUse => Err(io::Error::new(ErrorKind::ResourceBusy, "it is in the middle of a call of its own code")),
            Slot::Closed => {
                *slot = Slot::Closed;
                Err(io::Error::new(ErrorKind::BrokenPipe, "the stream is closed"))
            }
        }
    }

    /// Closes it. Gives it back, unless its own code is running, which then ends it.
    fn close(&self) -> Option<T> {
        match replace(&mut *self.slot(), Slot::Closed) {
            Slot::Here(value) => Some(value),
            Slot::InUse | Slot::Closed => None,
        }
    }
}

/// An iterator for a parameter of type `iter.Seq[T]`; one of pairs for `iter.Seq2`. The plugin
/// takes no more items than it asks for; what it has taken is gone when it stops.
pub struct HostItems<T> {
    object: HostObject,
    items: PhantomData<fn() -> T>,
}

impl<T: ToGuest + 'static> HostItems<T> {
    /// The items of that iterator.
    pub fn new<I>(items: I) -> HostItems<T>
    where
        I: IntoIterator<Item = T>,
        I::IntoIter: Send + 'static,
    {
        HostItems::results(items.into_iter().map(Ok::<T, Infallible>))
    }

    /// The same of an iterator that may fail, such as a [`GuestItems`](crate::GuestItems), also of
    /// another instance. An error comes after the items before it, and is as that of a closure.
    pub fn results<I, E>(items: I) -> HostItems<T>
    where
        I: IntoIterator<Item = std::result::Result<T, E>>,
        I::IntoIter: Send + 'static,
        E: fmt::Display + Any + Send + Sync,
    {
        let (items, batches) = (Used::new(items.into_iter()), Batches::default());
        let next = move |most: u32| -> Result<(Vec<T>, bool)> {
            let gathered = items.with(|items| {
                let mut batch = Vec::new();
                let has_ended = batches.gather(most, || {
                    let item = items.next().transpose().map_err(failed)?;
                    let is_there = item.is_some();
                    batch.extend(item);
                    Ok(is_there)
                })?;
                Ok((batch, has_ended))
            });
            gathered.map_err(failed)?
        };
        HostItems { object: HostMethod::object([HostMethod::new(next)]), items: PhantomData }
    }
}

impl<T> fmt::Debug for HostItems<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HostItems")
    }
}

impl<T: ToGuest> GuestType for HostItems<T> {
    const SIZE: u32 = 4;
    const ALIGN: u32 = 4;

    fn check(ty: &Type) -> Result<()> {
        typed::check_method(check_handle::<Self>(ty, Side::Host, Shape::Iterator)?, 0, check_batch::<T>)
    }
}

impl<T: ToGuest> ToGuest for HostItems<T> {
    fn lower<'a>(&'a self, writer: &mut Writer<'_, 'a>, at: u32) -> Result<()> {
        writer.object_of(&self.object, Shape::Iterator, None, at);
        Ok(())
    }
}

/// Checks what the method `next` of an iterator gives.
pub(crate) fn check_batch<T: GuestType>(next: &Function) -> Result<()> {
    <(Vec<T>, bool)>::check_result(next.result.as_ref()).map_err(|error| error.at(" -> result"))
}

/// What to [read](Read) from, for a parameter of type `io.Reader` or `io.ReadCloser`.
#[derive(Clone)]
pub struct HostReader(HostObject);

/// The most bytes that are read for a guest at once.
const CHUNK: usize = 256 << 10;

impl HostReader {
    /// Reads from there. The plugin's `Close` drops it.
    pub fn new(reader: impl Read + Send + 'static) -> HostReader {
        let reader = Arc::new(Used::new(reader));
        let closed = reader.clone();
        let read = move |most: u32| -> io::Result<Vec<u8>> {
            let mut bytes = vec![0; CHUNK.min(most as usize)];
            let len = reader.with(|reader| {
                loop {
                    match reader.read(&mut bytes) {
                        Err(error) if error.kind() == ErrorKind::Interrupted => {}
                        other => break other,
                    }
                }
            })??;
            bytes.truncate(len);
            Ok(bytes)
        };
        let close = move || drop(closed.close());
        HostReader(HostMethod::object([HostMethod::new(read), HostMethod::new(close)]))
    }
}

/// What to [write](Write) to, for a parameter of type `io.Writer` or `io.WriteCloser`.
#[derive(Clone)]
pub struct HostWriter(HostObject);

impl HostWriter {
    /// Writes to there. The plugin's `Close` flushes and drops it.
    pub fn new(writer: impl Write + Send + 'static) -> HostWriter {
        let writer = Arc::new(Used::new(writer));
        let closed = writer.clone();
        let write = move |bytes: Vec<u8>| writer.with(|writer| writer.write_all(&bytes))?;
        let close = move || closed.close().map_or(Ok(()), |mut writer| writer.flush());
        HostWriter(HostMethod::object([HostMethod::new(write), HostMethod::new(close)]))
    }
}

// The types of their methods are the same in every interface, which is read only if they are.
macro_rules! streams {
    ($($name:ident $shape:ident),*) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(stringify!($name))
            }
        }

        impl GuestType for $name {
            const SIZE: u32 = 4;
            const ALIGN: u32 = 4;

            fn check(ty: &Type) -> Result<()> {
                check_handle::<Self>(ty, Side::Host, Shape::$shape).map(drop)
            }
        }

        impl ToGuest for $name {
            fn lower<'a>(&'a self, writer: &mut Writer<'_, 'a>, at: u32) -> Result<()> {
                writer.object_of(&self.0, Shape::$shape, None, at);
                Ok(())
            }
        }
    )*};
}

streams!(HostReader Reader, HostWriter Writer);

#[cfg(test)]
mod tests {
    use super::*;

    /// A guest may come back to what it uses, by way of the host's own code.
    #[test]
    fn what_is_in_use_is_busy_and_does_not_wait_for_itself() {
        let used = Used::new(5);
        let inner = used.with(|n| {
            *n += 1;
            used.with(|n| *n).map_err(|error| error.kind())
        });
        assert_eq!(inner.expect("it was there"), Err(ErrorKind::ResourceBusy));
        assert_eq!(used.with(|n| *n).expect("it is there again"), 6);
        assert_eq!(used.close(), Some(6));
        assert_eq!(used.close(), None);
        assert_eq!(used.with(|n| *n).expect_err("it is closed").kind(), ErrorKind::BrokenPipe);
    }

    #[test]
    fn what_is_closed_by_its_own_code_stays_closed() {
        let used = Used::new(5);
        assert_eq!(used.with(|_| used.close()).expect("it was there"), None);
        assert_eq!(used.with(|n| *n).expect_err("it is closed").kind(), ErrorKind::BrokenPipe);
    }
}
