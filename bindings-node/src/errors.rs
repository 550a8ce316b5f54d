//! What JavaScript throws as the core's errors.

use std::sync::Arc;

use undergo::{Error, ErrorKind};

use crate::home::{EventLoop, ended};
use crate::js::{Env, Failed, Js, Kind};
use crate::kept::Kept;

/// What a function of JavaScript threw, on its way through the guest, or `cancelled` when
/// JavaScript can't run any more.
pub(crate) fn thrown(home: &Arc<EventLoop>, env: Env) -> Error {
    env.take_exception().map_or_else(ended, |exception| from_host(home, exception))
}

/// The same for what a host function threw, or rejected with.
pub(crate) fn from_host(home: &Arc<EventLoop>, exception: Js) -> Error {
    carrying(home, exception, ErrorKind::HostError)
}

/// The same for code of the user's that ran during a conversion.
pub(crate) fn from_conversion(home: &Arc<EventLoop>, env: Env) -> Error {
    env.take_exception().map_or_else(ended, |exception| carrying(home, exception, ErrorKind::TypeMismatch))
}

fn carrying(home: &Arc<EventLoop>, exception: Js, kind: ErrorKind) -> Error {
    let error = Error::new(kind, text(exception));
    match Kept::any(home, exception) {
        Ok(kept) => error.with_host(Arc::new(kept)),
        Err(_) => error,
    }
}

/// What an exception says: its message, or its name where it has none, or what it is as a string.
pub(crate) fn text(exception: Js) -> String {
    let property = |name| {
        let found = exception.get_named(name).and_then(|found| if found.is(Kind::String) { found.string() } else { Ok(String::new()) });
        found.unwrap_or_else(|_| {
            drop_exception(exception.env);
            String::new()
        })
    };
    if exception.is_error() {
        let message = property("message");
        return if message.is_empty() { property("name") } else { message };
    }
    exception.shown()
}

/// When making a value for JavaScript fails: it can't run any more, most likely.
pub(crate) fn unmade(home: &Arc<EventLoop>, env: Env) -> impl FnOnce(Failed) -> Error {
    move |_| from_conversion(home, env)
}

pub(crate) fn drop_exception(env: Env) {
    let _ = env.take_exception();
}
