//! Converts the core's errors to JavaScript's, and back.

use std::sync::Arc;

use undergo::{Error, ErrorKind};

use crate::home::{EventLoop, ended};
use crate::js::{Env, Failed, Js, Kind, Made};
use crate::kept::Kept;

/// The `UndergoError` for an error. What a host function threw is its `cause`, as the same object.
/// `None` when JavaScript can't run any more.
pub(crate) fn to_js(home: &EventLoop, error: &Error) -> Option<Js> {
    let env = home.here()?;
    let made = home
        .helper(|helpers| &helpers.make_error)
        .ok()
        .and_then(|make| details(env, error).and_then(|args| env.call(make, env.undefined()?, &args)).ok());
    if made.is_none() {
        // Without the package's own class the sentence alone has to do.
        drop_exception(env);
        return env.string(&error.to_string()).ok();
    }
    made
}

fn details(env: Env, error: &Error) -> Made<[Js; 10]> {
    let frames = env.array(error.frames().len() * 3)?;
    for (i, frame) in (0..).step_by(3).zip(error.frames()) {
        frames.set_element(i, env.string(&frame.function)?)?;
        frames.set_element(i + 1, env.string(&frame.file)?)?;
        frames.set_element(i + 2, env.number(frame.line.into())?)?;
    }
    let origin = error.frames().iter().position(|frame| !frame.is_runtime());
    let cause = error.host().and_then(|host| host.downcast_ref::<Kept>()).and_then(|kept| kept.inner().ok());
    let undefined = env.undefined()?;
    Ok([
        env.string(error.kind().as_str())?,
        env.string(&error.to_string())?,
        env.string(error.message())?,
        env.string(&error.path())?,
        frames,
        origin.map_or(Ok(undefined), |at| env.number(at as f64))?,
        error.exit_code().map_or(Ok(undefined), |code| env.int32(code))?,
        env.string(error.stderr())?,
        error.denied().map_or(Ok(undefined), |denied| env.string(denied))?,
        // An array of it, so that a host function may throw `undefined`.
        match cause {
            Some(cause) => {
                let one = env.array(1)?;
                one.set_element(0, cause)?;
                one
            }
            None => undefined,
        },
    ])
}

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
fn text(exception: Js) -> String {
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
