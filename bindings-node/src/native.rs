//! Native functions, as the package's JavaScript calls them.

use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::Arc;

use napi::sys;
use undergo::{CancelToken, Error, ErrorKind, KeyValue, Plugin, Result};

use crate::errors;
use crate::exceptions;
use crate::function::Callee;
use crate::home::EventLoop;
use crate::js::{Env, Failed, Js, Made, Tagged, get, node};
use crate::serving::Serving;

/// What a native function is given.
pub(crate) struct Call<'c> {
    pub(crate) home: &'c Arc<EventLoop>,
    pub(crate) env: Env,
    args: &'c [Js],
}

impl Call<'_> {
    /// An argument; undefined where there is none.
    pub(crate) fn arg(&self, number: usize) -> Result<Js> {
        match self.args.get(number) {
            Some(arg) => Ok(*arg),
            None => self.undefined(),
        }
    }

    pub(crate) fn args(&self) -> &[Js] {
        self.args
    }

    pub(crate) fn undefined(&self) -> Result<Js> {
        self.made(self.env.undefined())
    }

    /// What is needed for JavaScript can be made, unless it ends.
    pub(crate) fn made<T>(&self, made: std::result::Result<T, Failed>) -> Result<T> {
        made.map_err(errors::unmade(self.home, self.env))
    }

    pub(crate) fn plugin(&self, number: usize) -> Result<&Plugin> {
        match self.args.get(number).copied().and_then(Handle::of) {
            Some(Handle::Plugin(plugin)) => Ok(plugin),
            _ => Err(wrong(number, "a plugin")),
        }
    }

    pub(crate) fn callee(&self, number: usize) -> Result<&Callee> {
        match self.args.get(number).copied().and_then(Handle::of) {
            Some(Handle::Callee(callee)) => Ok(callee),
            _ => Err(wrong(number, "an instance or a pool")),
        }
    }

    pub(crate) fn keyvalue(&self, number: usize) -> Result<&KeyValue> {
        match self.args.get(number).copied().and_then(Handle::of) {
            Some(Handle::KeyValue(stores)) => Ok(stores),
            _ => Err(wrong(number, "stores of keys and values")),
        }
    }

    pub(crate) fn server(&self, number: usize) -> Result<&Serving> {
        match self.args.get(number).copied().and_then(Handle::of) {
            Some(Handle::Server(serving)) => Ok(serving),
            _ => Err(wrong(number, "a server")),
        }
    }

    pub(crate) fn token(&self, number: usize) -> Result<&CancelToken> {
        match self.args.get(number).copied().and_then(Handle::of) {
            Some(Handle::Token(token)) => Ok(token),
            _ => Err(wrong(number, "a token")),
        }
    }
}

#[cold]
fn wrong(number: usize, wanted: &str) -> Error {
    Error::new(
        ErrorKind::TypeMismatch,
        format!("argument {number} of a native function is not {wanted}: is the object made by this package?"),
    )
}

/// What the package's objects have inside.
pub(crate) enum Handle {
    Plugin(Plugin),
    Callee(Callee),
    Token(CancelToken),
    KeyValue(KeyValue),
    Server(Serving),
}

impl Tagged for Handle {
    const TAG: sys::napi_type_tag = sys::napi_type_tag { lower: 0x9d2e_61b0_c47a_4f35, upper: 0x5b8c_0e3f_27d9_86a1 };
}

impl Handle {
    pub(crate) fn into_js(self, env: Env) -> Made {
        Js::owner(env, self)
    }

    /// What an object has inside, if it is one of ours.
    pub(crate) fn of<'v>(js: Js) -> Option<&'v Handle> {
        js.owned::<Handle>()
    }
}

/// A native function.
pub(crate) type Native = fn(&Call<'_>) -> Result<Js>;

/// A native function for one copy of the package's JavaScript.
struct Bound {
    home: Arc<EventLoop>,
    function: Native,
}

/// Makes it a property of the object.
pub(crate) fn export(env: Env, object: Js, home: &Arc<EventLoop>, name: &str, function: Native) -> Made<()> {
    unsafe extern "C" fn free(_env: sys::napi_env, data: *mut c_void, _hint: *mut c_void) {
        // SAFETY: the box that was leaked for the function; Node calls this once.
        drop(unsafe { Box::from_raw(data.cast::<Bound>()) });
    }
    let data: *mut c_void = Box::into_raw(Box::new(Bound { home: home.clone(), function })).cast();
    let made = get!(ptr::null_mut(); napi_create_function(env, name.as_ptr().cast(), name.len().cast_signed(), Some(invoke), data));
    let made = made.and_then(|raw| node!(napi_add_finalizer(env, raw, data, Some(free), ptr::null_mut(), ptr::null_mut())).map(|()| raw));
    if made.is_err() {
        // SAFETY: nobody will free it otherwise; a function that was made nevertheless was given to
        // nobody.
        drop(unsafe { Box::from_raw(data.cast::<Bound>()) });
    }
    object.set_named(name, env.value(made?))
}

unsafe extern "C" fn invoke(raw: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    let env = Env(raw);
    let mut given = [ptr::null_mut(); 8];
    let mut len = given.len();
    let mut data = ptr::null_mut();
    if node!(napi_get_cb_info(env, info, &mut len, given.as_mut_ptr(), ptr::null_mut(), &mut data)).is_err() {
        return ptr::null_mut();
    }
    // SAFETY: what `export` gave to the function, which is being called, and so is alive.
    let Bound { home, function } = unsafe { &*data.cast::<Bound>() };
    let args = given.map(|raw| env.value(raw));
    let call = Call { home, env, args: &args[..len.min(given.len())] };
    let outcome = catch_unwind(AssertUnwindSafe(|| function(&call)));
    let outcome = outcome.unwrap_or_else(|_| Err(Error::new(ErrorKind::HostError, "the binding of Undergo panicked; please report it")));
    match outcome {
        Ok(value) => value.raw,
        Err(error) => {
            // Only exports fail with fields.
            if let Some(exception) = exceptions::to_js(home, &error, false) {
                env.throw(exception);
            }
            ptr::null_mut()
        }
    }
}
