//! The functions that every host provides: see docs/abi.md, sections 7 and 9.

use std::sync::Arc;

use crate::abi::value::{ToValue, Value};
use crate::error::{Error, ErrorKind, Result};
use crate::guest::host::{HostCall, HostFunction};
use crate::guest::refusal::{NoValue, Refusals};
use crate::guest::state::State;
use crate::interface::{CONTEXT_INTERFACE, REFUSAL_INTERFACE};

/// The functions that every host provides; see docs/abi.md, section 7.
pub(crate) fn provided(module: &str, name: &str) -> Option<Arc<dyn HostFunction>> {
    match module {
        CONTEXT_INTERFACE if name == "deadline" => Some(Arc::new(TimeLeft)),
        REFUSAL_INTERFACE => Some(refusing(name)),
        _ => None,
    }
}

struct TimeLeft;

impl HostFunction for TimeLeft {
    fn at_home(&self) -> bool {
        false
    }

    fn call(&self, call: &mut HostCall<'_>) -> Result<()> {
        let left = call
            .store
            .data()
            .wasi
            .budget
            .deadline
            .map_or(-1, |deadline| i64::try_from(deadline.left_for_guest().as_nanos()).unwrap_or(i64::MAX));
        call.answer(&&Value::Int(left))
    }
}

/// The functions of `undergo:go/refusal`. Calling another function of that interface is an error
/// that says so.
fn refusing(name: &str) -> Arc<dyn HostFunction> {
    Arc::new(match name {
        "value" => Refuse::Value,
        "arguments" => Refuse::Arguments,
        "answer" => Refuse::Answer,
        _ => Refuse::Nothing,
    })
}

enum Refuse {
    Value,
    Arguments,
    Answer,
    Nothing,
}

impl HostFunction for Refuse {
    fn at_home(&self) -> bool {
        false
    }

    fn call(&self, call: &mut HostCall<'_>) -> Result<()> {
        let mut words = call.args(&ToValue)?.into_iter().map(|value| match value {
            Value::String(text) => Ok(shortened(text)),
            _ => Err(unknown()),
        });
        let mut next = || words.next().unwrap_or_else(|| Err(unknown()));
        match self {
            Refuse::Value => {
                let (path, why) = (next()?, next()?);
                refusals(call).value.get_or_insert_with(|| Box::new(NoValue { path, why }));
            }
            Refuse::Arguments => {
                let (path, why) = (next()?, next()?);
                refusals(call).arguments.get_or_insert_with(|| Error::new(ErrorKind::TypeMismatch, why).at(path));
            }
            Refuse::Answer => {
                let (function, path, why) = (next()?, next()?, next()?);
                return Err(Error::new(ErrorKind::TypeMismatch, why).at(path).in_function(&function));
            }
            Refuse::Nothing => return Err(unknown()),
        }
        call.answer(&&Value::None)
    }
}

fn unknown() -> Error {
    let text = "the plugin wants a function of undergo:go/refusal that this host does not know: build the plugin anew";
    Error::new(ErrorKind::InvalidPlugin, text)
}

fn refusals<'c>(call: &'c mut HostCall<'_>) -> &'c mut Refusals {
    let state: &mut State = call.store.data_mut();
    &mut state.refusals
}

/// The beginning of a guest's text; the rest is not needed.
fn shortened(mut text: String) -> String {
    const MOST: usize = 4096;
    if text.len() > MOST {
        text.truncate(text.floor_char_boundary(MOST));
        text.push('…');
    }
    text
}
