//! Native functions, as the package's JavaScript calls them.

use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::Arc;

use napi::sys;
use undergo::{CancelToken, Error, ErrorKind, Plugin, Result};

use crate::errors;
use crate::function::Callee;
use crate::home::EventLoop;
use crate::js::{Env, Failed, Js, Kind, Made, get, node};

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
}

impl Handle {
    pub(crate) fn into_js(self, env: Env) -> Made {
        Js::external(env, self)
    }

    /// What an object has inside, if it is one of ours.
    pub(crate) fn of<'v>(js: Js) -> Option<&'v Handle> {
        if !js.is(Kind::External) {
            return None;
        }
        // SAFETY: the package's JavaScript keeps its externals to itself, in private fields, and passes no other's; all but those of host functions that are
        // awaited, which go to `settle` alone, have a `Handle`.
        unsafe { js.of_external::<Handle>() }.ok()
    }
}

/// A native function.
pub(crate) type Native = fn(&Call<'_>) -> Result<Js>;

/// Makes it a property of the object.
pub(crate) fn export(env: Env, object: Js, name: &str, function: Native) -> Made<()> {
    // A function pointer has the size of a pointer, and lives for ever.
    let data = function as *mut c_void;
    let made = get!(ptr::null_mut(); napi_create_function(env, name.as_ptr().cast(), name.len().cast_signed(), Some(invoke), data))?;
    object.set_named(name, env.value(made))
}

unsafe extern "C" fn invoke(raw: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    let env = Env(raw);
    let mut given = [ptr::null_mut(); 8];
    let mut len = given.len();
    let mut data = ptr::null_mut();
    if node!(napi_get_cb_info(env, info, &mut len, given.as_mut_ptr(), ptr::null_mut(), &mut data)).is_err() {
        return ptr::null_mut();
    }
    let Some(home) = EventLoop::of(env) else { return ptr::null_mut() };
    // SAFETY: what `export` gave.
    let function = unsafe { std::mem::transmute::<*mut c_void, Native>(data) };
    let args = given.map(|raw| env.value(raw));
    let call = Call { home: &home, env, args: &args[..len.min(given.len())] };
    let outcome = catch_unwind(AssertUnwindSafe(|| function(&call)));
    let outcome = outcome.unwrap_or_else(|_| Err(Error::new(ErrorKind::HostError, "the binding of Undergo panicked; please report it")));
    match outcome {
        Ok(value) => value.raw,
        Err(error) => {
            if let Some(exception) = errors::to_js(&home, &error) {
                env.throw(exception);
            }
            ptr::null_mut()
        }
    }
}
