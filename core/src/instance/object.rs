//! Objects of a guest, and their methods with types of Rust.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::abi::handles::{Handle, Passed};
use crate::abi::typed::{FromGuest, Params, Reader, Writer};
use crate::config::CallOptions;
use crate::error::{Error, ErrorKind, Result};
use crate::instance::Instance;
use crate::instance::arguments::Arguments;
use crate::instance::async_instance::AsyncInstance;
use crate::instance::function::{checked_result, lift};
use crate::instance::running::Running;
use crate::interface::{self, ResourceType};

/// An object of a guest: a handle of it, and the instance, which it keeps alive. Clones are the
/// same object. It ends with the last of them, or when it is closed; on any thread.
///
/// A type of its own for each resource, which [`resource`](macro@crate::resource) makes, has one of
/// these, and a [`Method`] for each of its methods.
#[derive(Clone)]
pub struct Object {
    handle: Handle,
    running: Arc<Running>,
}

impl Object {
    /// Reads one of the resource of that name.
    ///
    /// # Errors
    ///
    /// As [`Reader::handle`].
    pub fn lift(reader: Reader<'_>, name: &str, at: u32) -> Result<Object> {
        Object::of(reader.handle(name, at)?)
    }

    pub(super) fn of(handle: Handle) -> Result<Object> {
        let running = handle.home().and_then(|home| home.downcast::<Running>().ok());
        let running = running.ok_or_else(|| Error::new(ErrorKind::DeadInstance, "the instance of the object has ended"))?;
        Ok(Object { handle, running })
    }

    /// Its handle.
    #[must_use]
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Closes it, and releases the guest's object at once if no call is running.
    ///
    /// # Errors
    ///
    /// Whatever ends the guest while the object is released.
    pub fn close(&self) -> Result<()> {
        if self.running.seed.kind.suspends {
            // The next call releases it: this thread may be the one that runs the loop.
            self.handle.close();
            return Ok(());
        }
        Instance(self.running.clone()).close_handle(&self.handle)
    }

    /// The same for an object of an asynchronous instance.
    ///
    /// # Errors
    ///
    /// As [`close`](Object::close).
    pub async fn close_async(&self) -> Result<()> {
        AsyncInstance(self.running.clone()).close_handle(&self.handle).await
    }

    pub(super) fn ty(&self) -> &Arc<ResourceType> {
        self.handle.ty()
    }

    /// The number of a method for its instance's plugin.
    pub(super) fn export(&self, function: &Arc<interface::Function>) -> Result<usize> {
        self.running.seed.plugin.member(function).ok_or_else(|| {
            let text = format!("the plugin has no function {}", function.name);
            Error::new(ErrorKind::UnknownExport, text)
        })
    }

    /// Begins a call of that method.
    #[inline]
    fn arguments<'a>(&self, export: usize, args: &'a impl Params) -> Result<Arguments<'_, 'a>> {
        let mut arguments = self.running.seed.plugin.arguments(export)?;
        let (function, block) = arguments.parts();
        block.pass(function.abi.params.offsets[0], Passed::Borrow(self.handle.clone()));
        args.lower_params(function, &mut Writer::new(block))?;
        Ok(arguments)
    }

    /// Calls the method of that number, whose types were checked.
    pub(super) fn call<Ret: FromGuest>(&self, export: usize, args: &impl Params, options: &CallOptions) -> Result<Ret> {
        if self.running.seed.kind.suspends {
            let text = "the instance is asynchronous, and so are the calls of its objects: await those that are";
            return Err(Error::new(ErrorKind::SignatureMismatch, text));
        }
        self.running.call_here(&mut self.arguments(export, args)?, options, lift)
    }

    /// The same for an asynchronous instance.
    pub(super) async fn call_async<Ret>(&self, export: usize, args: impl Params, options: &CallOptions) -> Result<Ret>
    where
        Ret: FromGuest + Send + 'static,
    {
        if !self.running.seed.kind.suspends {
            let text = "the instance is no asynchronous one, and neither are the calls of its objects";
            return Err(Error::new(ErrorKind::SignatureMismatch, text));
        }
        let arguments = self.arguments(export, &args)?;
        AsyncInstance(self.running.clone()).call_within(arguments, self.running.budget(options), options.within, lift).await
    }
}

impl PartialEq for Object {
    fn eq(&self, other: &Object) -> bool {
        self.handle == other.handle
    }
}

impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.handle.fmt(f)
    }
}

/// A method of a resource, with its types in Rust. It compares them with the plugin's when it is
/// called first; so it is a `static`.
///
/// This is what [`resource`](macro@crate::resource) writes:
///
/// ```
/// use undergo::interface::Type;
/// use undergo::typed::{Reader, Writer, check_resource};
/// use undergo::{CallOptions, FromGuest, GuestType, Method, Object, Result, ToGuest};
///
/// struct Document(Object);
///
/// impl Document {
///     fn title(&self) -> Result<String> {
///         static TITLE: Method<(), String> = Method::new("title");
///         TITLE.call(&self.0, (), &CallOptions::default())
///     }
/// }
///
/// impl GuestType for Document {
///     const SIZE: u32 = 4;
///     const ALIGN: u32 = 4;
///
///     fn check(ty: &Type) -> Result<()> {
///         check_resource::<Self>(ty, "document")
///     }
/// }
///
/// impl ToGuest for Document {
///     fn lower<'a>(&'a self, writer: &mut Writer<'_, 'a>, at: u32) -> Result<()> {
///         writer.handle(self.0.handle(), at);
///         Ok(())
///     }
/// }
///
/// impl FromGuest for Document {
///     fn lift(reader: Reader<'_>, at: u32) -> Result<Document> {
///         Object::lift(reader, "document", at).map(Document)
///     }
/// }
/// ```
pub struct Method<Args, Ret> {
    name: &'static str,
    /// The resource for which it was checked, and the number of its function there.
    known: AtomicU64,
    types: PhantomData<fn() -> (Args, Ret)>,
}

/// Nothing was checked: no plugin has so many functions.
const UNKNOWN: u64 = u64::MAX;

impl<Args, Ret> Method<Args, Ret> {
    /// The method of that name.
    #[must_use]
    pub const fn new(name: &'static str) -> Method<Args, Ret> {
        Method { name, known: AtomicU64::new(UNKNOWN), types: PhantomData }
    }
}

impl<Args: Params, Ret: FromGuest> Method<Args, Ret> {
    /// Calls it, and waits for the result on this thread.
    ///
    /// # Errors
    ///
    /// As [`Function::call`](crate::Function::call); `signature-mismatch` if the method has other
    /// types, or the instance is asynchronous; `type-mismatch` if the object is closed.
    #[allow(clippy::needless_pass_by_value, reason = "as `Function::call`")]
    pub fn call(&self, object: &Object, args: Args, options: &CallOptions) -> Result<Ret> {
        object.call(self.export(object)?, &args, options)
    }

    /// Calls that of an asynchronous instance.
    ///
    /// # Errors
    ///
    /// As [`call`](Method::call).
    pub async fn call_async(&self, object: &Object, args: Args, options: &CallOptions) -> Result<Ret>
    where
        Ret: Send + 'static,
    {
        object.call_async(self.export(object)?, args, options).await
    }

    #[inline]
    fn export(&self, object: &Object) -> Result<usize> {
        let known = self.known.load(Ordering::Relaxed);
        if known >> 32 == u64::from(object.ty().id) && known != UNKNOWN { Ok(known as u32 as usize) } else { self.check(object) }
    }

    #[cold]
    fn check(&self, object: &Object) -> Result<usize> {
        let resource = object.ty();
        let number = resource.methods.iter().position(|method| method == self.name);
        let Some(function) = number.and_then(|number| resource.function(number)) else {
            let text = format!("the plugin's {} has no method {}", resource.name, self.name);
            return Err(Error::new(ErrorKind::UnknownExport, text));
        };
        Args::check_params(&function)?;
        checked_result::<Ret>(&function)?;
        let export = object.export(&function)?;
        self.known.store(u64::from(resource.id) << 32 | export as u64, Ordering::Relaxed);
        Ok(export)
    }
}

impl<Args, Ret> fmt::Debug for Method<Args, Ret> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Method({})", self.name)
    }
}
