//! Closures over Rust's own types as host functions.

use std::any::Any;
use std::fmt::Display;
use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;

use crate::abi::typed::{ErrorType, FromGuest, GuestError, Reader, ToGuest, Writer, checked, miscounted};
use crate::config::{CallOptions, Lease};
use crate::error::{Error, ErrorKind, Result};
use crate::guest::host::{Answer, HostCall, HostFunction, Imports};
use crate::interface::Function;

impl Imports {
    /// Adds a closure over Rust's own types. Its signature is compared with the import's when an
    /// instance is created.
    ///
    /// It returns a value that is [`ToGuest`], or a result with one. An error becomes the Go error
    /// if the import returns one, with its text, and with its fields if its type is [named
    /// here](Imports::error); otherwise it ends the guest's call, and the caller finds it in
    /// [`Error::host`].
    ///
    /// ```
    /// use std::io;
    /// use undergo::Imports;
    ///
    /// fn lookup(name: String) -> Result<Vec<String>, io::Error> {
    ///     if name.is_empty() { Err(io::ErrorKind::NotFound.into()) } else { Ok(vec![name]) }
    /// }
    ///
    /// let mut imports = Imports::default();
    /// imports.function("directory", "lookup", lookup);
    /// imports.function("directory", "size", || 42_u32);
    /// ```
    pub fn function<S: 'static>(&mut self, interface: impl Into<String>, name: impl Into<String>, closure: impl HostClosure<S>) {
        self.set(interface, name, Arc::new(Typed(closure, PhantomData)));
    }

    /// Names a type of errors with fields. Where a closure fails with one, the Go code gets it as
    /// its own type of that name; and also where it fails with a `Box<dyn Error + Send + Sync>`
    /// that is one, or that has one among its [sources](std::error::Error::source).
    ///
    /// If the plugin declares an error of that name with other fields, no instance is created. If
    /// it declares none, it gets the text.
    ///
    /// ```
    /// use std::error::Error;
    /// use std::fmt;
    ///
    /// use undergo::{GuestType, Imports};
    ///
    /// #[derive(Debug, GuestType)]
    /// #[guest(error)]
    /// struct NotFound {
    ///     key: String,
    /// }
    ///
    /// impl fmt::Display for NotFound {
    ///     fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    ///         write!(f, "not found: {}", self.key)
    ///     }
    /// }
    ///
    /// impl Error for NotFound {}
    ///
    /// fn lookup(key: String) -> Result<String, NotFound> {
    ///     Err(NotFound { key })
    /// }
    ///
    /// fn count(key: String) -> Result<u32, Box<dyn Error + Send + Sync>> {
    ///     Ok(lookup(key)?.parse()?)
    /// }
    ///
    /// let mut imports = Imports::default();
    /// imports.error::<NotFound>();
    /// imports.function("directory", "lookup", lookup);
    /// imports.function("directory", "count", count);
    /// ```
    pub fn error<E: GuestError>(&mut self) {
        self.errors.push(ErrorType::of::<E>());
    }

    /// Adds a closure that returns a future, for asynchronous instances: the guest waits for it
    /// without a thread. As [`function`](Imports::function) otherwise.
    ///
    /// With a [`Call`] as its first parameter it can call back into the instance.
    ///
    /// ```
    /// use undergo::{Call, Imports};
    ///
    /// async fn lookup(name: String) -> Vec<String> {
    ///     vec![name]
    /// }
    ///
    /// let mut imports = Imports::default();
    /// imports.async_function("directory", "lookup", lookup);
    /// imports.async_function("directory", "waits", |call: Call| async move { call.is_async() });
    /// ```
    pub fn async_function<S: 'static>(&mut self, interface: impl Into<String>, name: impl Into<String>, closure: impl AsyncHostClosure<S>) {
        self.set(interface, name, Arc::new(AsyncTyped(closure, PhantomData)));
    }
}

/// A call by the guest, for closures that ask for it by their first parameter.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    lease: Option<Lease>,
}

impl Call {
    /// Options with the right to call back into the instance that makes the call, for its
    /// asynchronous calls while the closure's future runs.
    #[must_use]
    pub fn options(&self) -> CallOptions {
        CallOptions { within: self.lease, ..CallOptions::default() }
    }

    /// Whether the instance is an asynchronous one.
    #[must_use]
    pub fn is_async(&self) -> bool {
        self.lease.is_some()
    }
}

/// Closures that can be host functions: of up to 12 parameters that are [`FromGuest`], possibly
/// behind a [`Call`]. `S` is the signature, which the compiler finds. See
/// [`Imports::function`].
pub trait HostClosure<S>: Send + Sync + 'static {
    #[doc(hidden)]
    fn check(function: &Function) -> Result<()>;
    #[doc(hidden)]
    fn run(&self, call: &mut HostCall<'_>) -> Result<()>;
}

/// The same for closures that return a future. See [`Imports::async_function`].
pub trait AsyncHostClosure<S>: Send + Sync + 'static {
    #[doc(hidden)]
    fn check(function: &Function) -> Result<()>;
    #[doc(hidden)]
    fn begin(&self, call: &mut HostCall<'_>) -> Result<()>;
}

/// What a host closure may return: a value that is [`ToGuest`], or a result with one.
pub trait Reply {
    #[doc(hidden)]
    fn check(function: &Function) -> Result<()>;
    #[doc(hidden)]
    fn give(self, call: &mut HostCall<'_>) -> Result<()>;
}

impl<T: ToGuest> Reply for T {
    fn check(function: &Function) -> Result<()> {
        T::check_result(function.result.as_ref()).map_err(|error| error.at(" -> result"))
    }

    fn give(self, call: &mut HostCall<'_>) -> Result<()> {
        call.answer_by(|_, block, at| self.lower(&mut Writer::new(block), at))
    }
}

impl<T: ToGuest, E: Display + Any + Send + Sync> Reply for Result<T, E> {
    fn check(function: &Function) -> Result<()> {
        <T as Reply>::check(function)
    }

    fn give(self, call: &mut HostCall<'_>) -> Result<()> {
        self.map_err(failed)?.give(call)
    }
}

/// The error of a host's closure. One of this crate, as of a call back, is passed on as it is.
pub(super) fn failed<E: Display + Any + Send + Sync>(error: E) -> Error {
    let any = &error as &dyn Any;
    let boxed = || any.downcast_ref::<Box<dyn std::error::Error + Send + Sync>>()?.downcast_ref::<Error>();
    match any.downcast_ref::<Error>().or_else(boxed) {
        Some(own) if own.kind() != ErrorKind::GuestError => own.clone(),
        _ => Error::from_host(error.to_string(), Arc::new(error)),
    }
}

pub(super) struct Typed<C, S>(pub(super) C, pub(super) PhantomData<fn() -> S>);

impl<S, C: HostClosure<S>> HostFunction for Typed<C, S> {
    fn call(&self, call: &mut HostCall<'_>) -> Result<()> {
        self.0.run(call)
    }

    fn check(&self, function: &Function) -> Result<()> {
        C::check(function)
    }
}

pub(super) struct AsyncTyped<C, S>(pub(super) C, pub(super) PhantomData<fn() -> S>);

impl<S, C: AsyncHostClosure<S>> HostFunction for AsyncTyped<C, S> {
    fn call(&self, call: &mut HostCall<'_>) -> Result<()> {
        self.0.begin(call)
    }

    fn check(&self, function: &Function) -> Result<()> {
        C::check(function)
    }
}

/// Checks the type of one parameter.
fn check_param<T: FromGuest>(function: &Function, i: usize) -> Result<()> {
    let param = &function.own_params()[i];
    checked::<T>(&param.ty).map_err(|error| error.at(param.name.clone()))
}

/// Lifts one argument.
fn lift<T: FromGuest>(function: &Function, reader: Reader<'_>, i: usize) -> Result<T> {
    let i = i + usize::from(function.is_method);
    T::lift(reader, function.abi.params.offsets[i]).map_err(|error| error.at(function.params[i].name.clone()))
}

/// Lets the guest wait for a closure's future.
fn defer(call: &mut HostCall<'_>, future: impl Future<Output: Reply + Send> + Send + 'static) -> Result<()> {
    call.defer(Box::pin(async move {
        let reply = future.await;
        Ok(Box::new(move |call: &mut HostCall<'_>| reply.give(call)) as Answer)
    }))
}

macro_rules! closures {
    ($($name:ident $i:tt),*) => {
        closures!(@of fn($($name),*) -> Ret, [] [$($name $i),*]);
        closures!(@of (Call, fn($($name),*) -> Ret), [Call] [$($name $i),*]);
    };
    (@of $signature:ty, [$($call:ident)?] [$($name:ident $i:tt),*]) => {
        impl<Closure, Ret, $($name),*> HostClosure<$signature> for Closure
        where
            Closure: Fn($($call,)? $($name),*) -> Ret + Send + Sync + 'static,
            Ret: Reply,
            $($name: FromGuest,)*
        {
            fn check(function: &Function) -> Result<()> {
                closures!(@check function, $($name $i),*);
                Ret::check(function)
            }

            #[allow(non_snake_case, unused_variables, clippy::let_unit_value, reason = "an argument has the name of its type")]
            fn run(&self, call: &mut HostCall<'_>) -> Result<()> {
                let ($($name,)*) = closures!(@lift call, $($name $i),*);
                let lease = call.lease();
                let reply = call.outside(|| self($($call { lease },)? $($name),*));
                reply.give(call)
            }
        }

        impl<Closure, Fut, Ret, $($name),*> AsyncHostClosure<$signature> for Closure
        where
            Closure: Fn($($call,)? $($name),*) -> Fut + Send + Sync + 'static,
            Fut: Future<Output = Ret> + Send + 'static,
            Ret: Reply + Send + 'static,
            $($name: FromGuest,)*
        {
            fn check(function: &Function) -> Result<()> {
                closures!(@check function, $($name $i),*);
                Ret::check(function)
            }

            #[allow(non_snake_case, unused_variables, clippy::let_unit_value, reason = "an argument has the name of its type")]
            fn begin(&self, call: &mut HostCall<'_>) -> Result<()> {
                let ($($name,)*) = closures!(@lift call, $($name $i),*);
                let lease = call.lease();
                defer(call, self($($call { lease },)? $($name),*))
            }
        }
    };
    (@check $function:ident, $($name:ident $i:tt),*) => {
        const NUMBERS: &[usize] = &[$($i),*];
        if $function.own_params().len() != NUMBERS.len() {
            return Err(miscounted($function, NUMBERS.len()));
        }
        $(check_param::<$name>($function, $i)?;)*
    };
    (@lift $call:ident, $($name:ident $i:tt),*) => {
        $call.read_args(|function, memory, bytes, quota| {
            let reader = Reader::new(memory, bytes, quota);
            Ok(($(lift::<$name>(function, reader, $i)?,)*))
        })?
    };
}

closures!();
closures!(A 0);
closures!(A 0, B 1);
closures!(A 0, B 1, C 2);
closures!(A 0, B 1, C 2, D 3);
closures!(A 0, B 1, C 2, D 3, E 4);
closures!(A 0, B 1, C 2, D 3, E 4, F 5);
closures!(A 0, B 1, C 2, D 3, E 4, F 5, G 6);
closures!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);
closures!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8);
closures!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9);
closures!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10);
closures!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11);
