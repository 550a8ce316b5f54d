//! Errors with fields, and the chains that errors make by wrapping one another: those of a plugin
//! as exceptions with their causes, and the other way.

use std::sync::Arc;

use magnus::error::ErrorType;
use magnus::{Exception, RArray, Ruby, Value};
use undergo::interface::{Function, RecordType, TypeKind, VariantType};
use undergo::{ChainedError, Error, ErrorFields, ErrorKind, Result};

use crate::keep::Reading;
use crate::lift::ToRuby;
use crate::lower::Given;
use crate::types::RecordClass;
use crate::{gem, lock};

/// The exception for the error of a call, whose causes are what the error wraps.
pub(crate) fn to_ruby(ruby: &Ruby, error: &Error) -> magnus::Error {
    let made = lock::to_ruby(ruby, error);
    let (ErrorKind::GuestError, ErrorType::Exception(outermost)) = (error.kind(), made.error_type()) else { return made };
    if error.chain().is_empty() {
        return made;
    }
    chained(ruby, *outermost, error.chain()).map_or_else(|failed| lock::to_ruby(ruby, &failed), magnus::Error::from)
}

fn chained(ruby: &Ruby, outermost: Exception, chain: &[ChainedError]) -> Result<Exception> {
    let raised = |error| lock::raised(ruby, error);
    let links = ruby.ary_new_capa(chain.len());
    for link in chain {
        let fields = link.fields().map(|fields| fields.lift(&ToRuby::new(ruby))).transpose()?;
        links.push((link.text(), fields)).map_err(raised)?;
    }
    gem::call(ruby, "chained", (outermost, links)).map_err(raised)
}

/// The error for what a host function has raised, with those that it wraps, if the function can
/// return errors with fields.
pub(crate) fn raised(ruby: &Ruby, raised: magnus::Error, function: &Function) -> Error {
    let exception = match (&function.errors, raised.error_type()) {
        (Some(errors), ErrorType::Exception(exception)) => Some((errors, *exception)),
        _ => None,
    };
    let error = lock::raised(ruby, raised);
    match exception {
        Some((errors, exception)) if error.kind() == ErrorKind::HostError => match links(ruby, exception, errors) {
            Ok(chain) => error.with_chain(chain),
            Err(misfit) => misfit,
        },
        _ => error,
    }
}

/// An exception and its causes. One that is of a class of the plugin's has its fields.
fn links(ruby: &Ruby, exception: Exception, errors: &VariantType) -> Result<Vec<ChainedError>> {
    let raised = |error| lock::raised(ruby, error);
    let found: RArray = gem::call(ruby, "chain", (exception,)).map_err(raised)?;
    let _reading = Reading::begin();
    let mut chain = Vec::with_capacity(found.len());
    for number in 0..found.len() {
        let (text, exception): (String, Value) = found.entry(number.cast_signed()).map_err(raised)?;
        let record = records(errors).find(|record| is_of(ruby, record, exception));
        let fields = record.map(|record| ErrorFields::lower(record, &Given::new(ruby, exception))).transpose()?;
        chain.push(ChainedError::new(text, fields));
    }
    Ok(chain)
}

/// The records with the fields of errors.
fn records(errors: &VariantType) -> impl Iterator<Item = &Arc<RecordType>> {
    errors.cases.iter().filter_map(|case| match &case.ty.as_ref()?.kind {
        TypeKind::Tuple(both) => match &both.items.get(1)?.kind {
            TypeKind::Record(record) => Some(record),
            _ => None,
        },
        _ => None,
    })
}

fn is_of(ruby: &Ruby, record: &RecordType, exception: Value) -> bool {
    record.extension.get::<RecordClass>().is_some_and(|class| class.is_kind_of(ruby, exception))
}
