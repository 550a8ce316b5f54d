//! What a guest refuses to carry: it says so by the interface `undergo:go/refusal`, and lives on. See docs/abi.md, section 9.

use std::sync::Arc;

use crate::abi::value::{ToValue, Value};
use crate::call::host_call::{HostCall, HostFunction};
use crate::error::{Error, ErrorKind, Result};
use crate::guest::state::State;
use crate::interface::Function;

/// Why there is no value where the host finds none.
pub(crate) struct NoValue {
    path: String,
    why: String,
}

/// What a guest refused, and nobody has heard of yet.
#[derive(Default)]
pub(crate) struct Refusals {
    /// The first value that it has not laid out.
    value: Option<Box<NoValue>>,
    /// The arguments of the call that is about to return.
    arguments: Option<Error>,
}

impl Refusals {
    /// Forgets what was said of a value that nobody has asked for: it was about another call.
    #[inline]
    pub(crate) fn begin(&mut self) {
        if self.value.is_some() {
            self.value = None;
        }
    }

    /// Fails when the call that has just returned did nothing, because the guest refused its arguments.
    #[inline]
    pub(crate) fn check(&mut self, function: &Function) -> Result<()> {
        match self.arguments {
            None => Ok(()),
            Some(_) => self.refused(function),
        }
    }

    #[cold]
    fn refused(&mut self, function: &Function) -> Result<()> {
        self.arguments.take().map_or(Ok(()), |error| Err(error.in_function(&function.name)))
    }

    /// What became of a value that can't be lifted: perhaps the guest has said why there is none.
    #[cold]
    pub(crate) fn explain(&mut self, error: Error) -> Error {
        match self.value.take() {
            Some(said) if error.is_of_no_value() => error.explained(said.why, said.path),
            _ => error,
        }
    }
}

/// The functions of the interface. A plugin that has another of its name gets what says so.
pub(crate) fn function(name: &str) -> Arc<dyn HostFunction> {
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

/// A guest's words, of which nobody reads more.
fn shortened(mut text: String) -> String {
    const MOST: usize = 4096;
    if text.len() > MOST {
        text.truncate(text.floor_char_boundary(MOST));
        text.push('…');
    }
    text
}
