//! Functions of a plugin with their types in Rust: checked once, and then called.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;

use crate::abi::memory::GuestMemory;
use crate::abi::quota::Quota;
use crate::abi::typed::{FromGuest, Params, PlainValue, Reader, Writer};
use crate::call::outcome::Outcome;
use crate::config::CallOptions;
use crate::error::{Error, ErrorKind, Result};
use crate::instance::Instance;
use crate::instance::arguments::Arguments;
use crate::instance::async_instance::AsyncInstance;
use crate::interface;
use crate::plugin::Plugin;

/// A function of a plugin, with its types in Rust: of an [`Instance`], or of what else is a
/// [`Target`]. Making it compares the types with the plugin's interface; a call then looks nothing
/// up, and needs no description of the types. Cheap to clone, and may outlive what it was made of.
///
/// `Args` is a tuple; [`GuestType`](crate::GuestType) has the types. Arguments may be borrowed:
/// a `Function<(&'static str,), String>`, as a struct would keep it, takes any `&str`.
///
/// ```no_run
/// use undergo::{Function, Instance, InstanceOptions, Plugin, Result};
///
/// struct Calculator {
///     add: Function<(i64, i64), i64>,
///     join: Function<(&'static [String], &'static str), String>,
/// }
///
/// impl Calculator {
///     fn new(instance: &Instance) -> Result<Calculator> {
///         Ok(Calculator { add: instance.function("add")?, join: instance.function("join")? })
///     }
/// }
///
/// # fn main() -> Result<()> {
/// let plugin = Plugin::from_file("calculator.wasm")?;
/// let calculator = Calculator::new(&plugin.instantiate(InstanceOptions::default())?)?;
/// assert_eq!(calculator.add.call((1, 2))?, 3);
/// let words = ["a".to_owned(), "b".to_owned()];
/// assert_eq!(calculator.join.call((&words, ", "))?, "a, b");
/// # Ok(())
/// # }
/// ```
pub struct Function<Args, Ret, On = Instance> {
    on: On,
    export: usize,
    /// Whether its arguments need no block, whatever their types in Rust.
    is_plain: bool,
    /// It takes arguments, and is nevertheless covariant in them: a function of borrowed arguments
    /// reads them during the call only, whatever their lifetime is.
    types: PhantomData<fn() -> (Args, Ret)>,
}

impl<Args: Params, Ret: FromGuest, On: Target> Function<Args, Ret, On> {
    /// The export of that name, if it has these types.
    ///
    /// # Errors
    ///
    /// `unknown-export`; `signature-mismatch`, with the path of the type that differs.
    pub fn new(on: On, name: &str) -> Result<Self> {
        let export = on.plugin().export(name)?;
        Self::of(on, export)
    }

    /// The constructor of the plugin's resource of that name, if it has these types.
    ///
    /// # Errors
    ///
    /// As [`new`](Function::new).
    pub fn constructor(on: On, resource: &str) -> Result<Self> {
        let plugin = on.plugin();
        let found = plugin.interface().and_then(|all| {
            let guests = all.resources.iter().filter(|found| found.ty.side == interface::Side::Guest);
            guests.filter(|found| interface::names::means(resource, &found.ty.name)).find_map(|found| found.constructor.as_ref())
        });
        let Some(export) = found.and_then(|constructor| plugin.member(constructor)) else {
            return Err(Error::new(ErrorKind::UnknownExport, format!("the plugin has no constructor of {resource}")));
        };
        Self::of(on, export)
    }

    fn of(on: On, export: usize) -> Result<Self> {
        let function = &on.plugin().compiled().exports[export].function;
        Args::check_params(function)?;
        checked_result::<Ret>(function)?;
        let is_plain = function.is_plain();
        Ok(Function { on, export, is_plain, types: PhantomData })
    }
}

impl<Args: Params, Ret: FromGuest, On: Blocking> Function<Args, Ret, On> {
    /// Calls it, and waits for the result on this thread.
    ///
    /// # Errors
    ///
    /// `type-mismatch` for an argument that the type of the interface does not have; `guest-error`
    /// if the Go function returned an error; `busy`, `dead-instance`, and whatever ends the guest:
    /// see [`ErrorKind`](crate::ErrorKind).
    #[inline]
    pub fn call(&self, args: Args) -> Result<Ret> {
        self.call_with(args, CallOptions::NONE)
    }

    /// The same with options: a timeout, and a token.
    ///
    /// # Errors
    ///
    /// As [`call`](Function::call).
    #[inline]
    #[allow(clippy::needless_pass_by_value, reason = "as `call`; most of them are numbers and references")]
    pub fn call_with(&self, args: Args, options: &CallOptions) -> Result<Ret> {
        if self.is_plain
            && let Some(result) = self.on.call_plain(self.export, &args, options)
        {
            return result;
        }
        let mut arguments = self.on.plugin().arguments(self.export)?;
        let (function, block) = arguments.parts();
        args.lower_params(function, &mut Writer::new(block))?;
        self.on.call_block(&mut arguments, options)
    }
}

impl<Args: Params, Ret: FromGuest + Send + 'static, On: Suspending> Function<Args, Ret, On> {
    /// Calls it, without holding a thread while the guest waits.
    ///
    /// ```no_run
    /// # async fn run(plugin: undergo::Plugin) -> undergo::Result<()> {
    /// use undergo::{PoolOptions, InstanceOptions};
    ///
    /// let pool = plugin.async_pool(PoolOptions::new(4, InstanceOptions::default()))?;
    /// let fetch = pool.function::<(&str,), String>("fetch")?;
    /// println!("{}", fetch.call_async(("http://localhost/",)).await?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`call`](Function::call).
    pub async fn call_async(&self, args: Args) -> Result<Ret> {
        self.call_async_with(args, CallOptions::NONE).await
    }

    /// The same with options.
    ///
    /// # Errors
    ///
    /// As [`call`](Function::call).
    #[allow(clippy::needless_pass_by_value, reason = "as `call_async`")]
    pub async fn call_async_with(&self, args: Args, options: &CallOptions) -> Result<Ret> {
        let mut arguments = self.on.plugin().arguments(self.export)?;
        let (function, block) = arguments.parts();
        args.lower_params(function, &mut Writer::new(block))?;
        self.on.call_suspending(arguments, options).await
    }
}

impl<Args, Ret, On: Clone> Clone for Function<Args, Ret, On> {
    fn clone(&self) -> Self {
        Function { on: self.on.clone(), ..*self }
    }
}

impl<Args, Ret, On: Target> fmt::Debug for Function<Args, Ret, On> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Function({})", self.on.plugin().compiled().exports[self.export].function)
    }
}

/// What has functions: [`Instance`], [`Pool`](crate::Pool), [`AsyncInstance`] and
/// [`AsyncPool`](crate::AsyncPool).
pub trait Target: Clone {
    /// The plugin.
    fn plugin(&self) -> &Plugin;
}

/// What is called by a thread that waits: [`Instance`] and [`Pool`](crate::Pool).
pub trait Blocking: Target {
    #[doc(hidden)]
    fn call_block<R: FromGuest>(&self, arguments: &mut Arguments<'_, '_>, options: &CallOptions) -> Result<R>;

    /// Calls an export whose parameters are plain, if the arguments are.
    #[doc(hidden)]
    #[inline]
    fn call_plain<A: Params, R: FromGuest>(&self, export: usize, args: &A, options: &CallOptions) -> Option<Result<R>> {
        let _ = (export, args, options);
        None
    }
}

/// What is called by tasks that suspend: [`AsyncInstance`] and [`AsyncPool`](crate::AsyncPool).
pub trait Suspending: Target {
    #[doc(hidden)]
    fn call_suspending<R: FromGuest + Send + 'static>(
        &self,
        arguments: Arguments<'_, '_>,
        options: &CallOptions,
    ) -> impl Future<Output = Result<R>> + Send;
}

impl Target for Instance {
    fn plugin(&self) -> &Plugin {
        Instance::plugin(self)
    }
}

impl Blocking for Instance {
    #[inline]
    fn call_block<R: FromGuest>(&self, arguments: &mut Arguments<'_, '_>, options: &CallOptions) -> Result<R> {
        arguments.call(self, options, lift)
    }

    #[inline]
    fn call_plain<A: Params, R: FromGuest>(&self, export: usize, args: &A, options: &CallOptions) -> Option<Result<R>> {
        let mut call = match self.plain_call(export) {
            Ok(call) => call,
            Err(error) => return Some(Err(error)),
        };
        let given = args.plain_params(|value| match value {
            PlainValue::Number(bits) => call.number(bits),
            PlainValue::Text(text) => call.text(text),
            PlainValue::List(scalar, bytes) => call.list(scalar, bytes),
        });
        match given {
            Ok(true) => Some(call.run(options, lift)),
            Ok(false) => None,
            Err(error) => Some(Err(error)),
        }
    }
}

impl Target for AsyncInstance {
    fn plugin(&self) -> &Plugin {
        AsyncInstance::plugin(self)
    }
}

impl Suspending for AsyncInstance {
    fn call_suspending<R: FromGuest + Send + 'static>(
        &self,
        arguments: Arguments<'_, '_>,
        options: &CallOptions,
    ) -> impl Future<Output = Result<R>> + Send {
        self.call_then(arguments, options, lift)
    }
}

impl Instance {
    /// The export of that name, as a function of these types.
    ///
    /// ```no_run
    /// # fn main() -> undergo::Result<()> {
    /// # let instance = undergo::Plugin::from_file("greeter.wasm")?.instantiate(Default::default())?;
    /// let greet = instance.function::<(&str, bool), String>("greet")?;
    /// println!("{}", greet.call(("Ada", true))?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Function::new`].
    pub fn function<Args: Params, Ret: FromGuest>(&self, name: &str) -> Result<Function<Args, Ret>> {
        Function::new(self.clone(), name)
    }
}

impl AsyncInstance {
    /// The export of that name, as a function of these types: see
    /// [`Function::call_async`].
    ///
    /// # Errors
    ///
    /// As [`Function::new`].
    pub fn function<Args: Params, Ret: FromGuest>(&self, name: &str) -> Result<Function<Args, Ret, AsyncInstance>> {
        Function::new(self.clone(), name)
    }
}

/// Checks the type of a result.
pub(super) fn checked_result<Ret: FromGuest>(function: &interface::Function) -> Result<()> {
    Ret::check_result(function.result.as_ref()).map_err(|error| error.at(" -> result").in_function(&function.name))
}

/// Lifts the result of a call.
#[inline(always)]
#[expect(clippy::inline_always, reason = "what was called is then not moved")]
pub(crate) fn lift<R: FromGuest>(outcome: Outcome<'_, '_>) -> Result<R> {
    outcome.lift_with(lift_value)
}

#[inline(always)]
#[expect(clippy::inline_always, reason = "as `lift`")]
fn lift_value<R: FromGuest>(function: &interface::Function, memory: GuestMemory<'_>, bytes: &[u8], quota: &Quota<'_>) -> Result<R> {
    R::lift(Reader::new(memory, bytes, quota), function.abi.result.value_offset)
}
