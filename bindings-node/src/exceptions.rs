//! The core's errors as JavaScript's exceptions, and what host functions throw, both with the
//! fields that a plugin declares.

use std::sync::Arc;

use undergo::interface::{Case, RecordType, TypeKind, VariantType};
use undergo::{ChainedError, Error, ErrorFields, ErrorKind, Result};

use crate::bytes::Loans;
use crate::errors;
use crate::home::{EventLoop, ended};
use crate::js::{Env, Js, Made};
use crate::kept::Kept;
use crate::lift::ToJs;
use crate::lower::Given;
use crate::types;

/// The `UndergoError` for an error. What a host function threw is its `cause`, as the same object.
/// `None` when JavaScript can't run any more. `bigint` is the option of the instance, for fields.
pub(crate) fn to_js(home: &Arc<EventLoop>, error: &Error, bigint: bool) -> Option<Js> {
    let env = home.here()?;
    let nothing = |env: Env| env.array(0).ok();
    match links(error, &ToJs { env, home, bigint, objects: None, is_batch: false }) {
        Ok(links) => {
            let cause = error.host().and_then(|host| host.downcast_ref::<Kept>()).and_then(|kept| kept.inner().ok());
            make(home, env, error, links, cause)
        }
        // A field that JavaScript has no value for hides neither itself nor the error.
        Err(misfit) => {
            let plain = make(home, env, error, nothing(env)?, None);
            make(home, env, &misfit, nothing(env)?, plain)
        }
    }
}

/// Calls the package for it.
fn make(home: &EventLoop, env: Env, error: &Error, links: Js, cause: Option<Js>) -> Option<Js> {
    let made = home
        .helper(|helpers| &helpers.make_error)
        .ok()
        .and_then(|make| details(env, error, links, cause).and_then(|args| env.call(make, env.undefined()?, &args)).ok());
    if made.is_none() {
        // Without the package's own class the sentence alone has to do.
        errors::drop_exception(env);
        return env.string(&error.to_string()).ok();
    }
    made
}

fn details(env: Env, error: &Error, links: Js, cause: Option<Js>) -> Made<[Js; 11]> {
    let frames = env.array(error.frames().len() * 3)?;
    for (i, frame) in (0..).step_by(3).zip(error.frames()) {
        frames.set_element(i, env.string(&frame.function)?)?;
        frames.set_element(i + 1, env.string(&frame.file)?)?;
        frames.set_element(i + 2, env.number(frame.line.into())?)?;
    }
    let origin = error.frames().iter().position(|frame| !frame.is_runtime());
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
        links,
    ])
}

/// The errors of which one of a plugin's consists: the text of each, its class and its fields.
fn links(error: &Error, to_js: &ToJs<'_>) -> Result<Js> {
    let ToJs { env, home, .. } = *to_js;
    let made = |made: Made<()>| made.map_err(errors::unmade(home, env));
    let chain = if error.kind() == ErrorKind::GuestError { error.chain() } else { &[] };
    let links = env.array(3 * chain.len()).map_err(errors::unmade(home, env))?;
    for (i, link) in (0..).step_by(3).zip(chain) {
        made(env.string(link.text()).and_then(|text| links.set_element(i, text)))?;
        let Some(fields) = link.fields() else { continue };
        let Some(class) = types::class(fields.record()) else { continue };
        let values = fields.lift(to_js).map_err(|error| {
            let text = format!("the error {}{}: {}", fields.record().name, error.path(), error.message());
            Error::new(error.kind(), text)
        })?;
        made(links.set_element(i + 1, class).and_then(|()| links.set_element(i + 2, values)))?;
    }
    Ok(links)
}

/// What a host function threw on its way to the guest, which gets those errors with their fields
/// that its functions declare, or `cancelled` when JavaScript can't run any more.
pub(crate) fn thrown(home: &Arc<EventLoop>, env: Env, declared: Option<&VariantType>) -> Error {
    env.take_exception().map_or_else(ended, |exception| from_host(home, exception, declared))
}

/// The same for what a host function threw, or rejected with.
pub(crate) fn from_host(home: &Arc<EventLoop>, exception: Js, declared: Option<&VariantType>) -> Error {
    let error = errors::from_host(home, exception);
    let Some(declared) = declared else { return error };
    match chain(home, exception, declared) {
        Ok(chain) => error.with_chain(chain),
        // As a result that does not fit.
        Err(misfit) => misfit,
    }
}

/// An exception and its causes.
fn chain(home: &Arc<EventLoop>, exception: Js, declared: &VariantType) -> Result<Vec<ChainedError>> {
    let env = exception.env;
    let walk = home.helper(|helpers| &helpers.chain)?;
    let known: Vec<_> = declared.cases.iter().filter_map(fields_of).filter_map(|record| Some((record, types::class(record)?))).collect();
    let walked = || {
        let classes = env.array(known.len())?;
        for (i, (_, class)) in (0..).zip(&known) {
            classes.set_element(i, *class)?;
        }
        let flat = env.call(walk, env.undefined()?, &[exception, classes])?;
        let link = |i| Ok((flat.element(i)?, flat.element(i + 1)?.f64()?));
        (0..flat.array_len()?).step_by(2).map(link).collect::<Made<Vec<_>>>()
    };
    let links = walked().map_err(errors::unmade(home, env))?;
    let chained = |(link, number): (Js, f64)| {
        // There is none of number -1.
        let fields = match (number >= 0.0).then(|| known.get(number as usize)).flatten() {
            Some((record, _)) => {
                let given = Given { js: link, home, loans: &Loans::default(), table: None };
                Some(ErrorFields::lower(record, &given)?)
            }
            None => None,
        };
        Ok(ChainedError::new(errors::text(link), fields))
    };
    links.into_iter().map(chained).collect()
}

/// The record of an error that has fields.
fn fields_of(case: &Case) -> Option<&Arc<RecordType>> {
    let TypeKind::Tuple(both) = &case.ty.as_ref()?.kind else { return None };
    match &both.items.get(1)?.kind {
        TypeKind::Record(record) => Some(record),
        _ => None,
    }
}
