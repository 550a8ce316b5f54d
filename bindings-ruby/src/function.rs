//! An export: its names, and its call.

use std::cell::Cell;
use std::sync::Arc;

use magnus::prelude::*;
use magnus::r_hash::ForEach;
use magnus::rb_sys::AsRawValue;
use magnus::value::Opaque;
use magnus::{RHash, Ruby, StaticSymbol, Symbol, Value};
use undergo::CallOptions;
use undergo::host::{Outcome, Parameters};
use undergo::interface::{TypeKind, names};

use crate::chain;
use crate::keep::Reading;
use crate::lift::{self, ToRuby};
use crate::lock;
use crate::lower::Given;

/// What runs the calls.
#[derive(Clone, Copy)]
pub(crate) enum Target<'c> {
    Instance(&'c undergo::Instance),
    Pool(&'c undergo::Pool),
}

impl Target<'_> {
    fn arguments<'a>(&self, export: usize) -> undergo::Result<undergo::host::Arguments<'_, 'a>> {
        match self {
            // A dead instance says so before any argument is looked at.
            Target::Instance(instance) => instance.arguments(export),
            Target::Pool(pool) => pool.plugin().arguments(export),
        }
    }

    fn call<R>(
        &self,
        arguments: &mut undergo::host::Arguments<'_, '_>,
        options: &CallOptions,
        then: impl FnOnce(Outcome<'_, '_>) -> undergo::Result<R>,
    ) -> undergo::Result<R> {
        match self {
            Target::Instance(instance) => arguments.call(instance, options, then),
            Target::Pool(pool) => pool.call_then(arguments, options, then),
        }
    }
}

/// What is known of an export.
pub(crate) struct Shape {
    export: usize,
    pub(crate) name: String,
    params: Parameters,
    names: Vec<Opaque<StaticSymbol>>,
    /// The type of a result that comes as a number.
    number: Option<TypeKind>,
}

impl Shape {
    pub(crate) fn new(ruby: &Ruby, export: usize, function: &Arc<undergo::interface::Function>) -> Shape {
        let number = function.result.as_ref().map(|ty| &ty.kind).filter(|kind| lift::is_number(kind));
        Shape {
            export,
            name: names::snake(&function.name),
            names: function.params.iter().map(|param| ruby.sym_new(names::snake(&param.name).as_str()).into()).collect(),
            params: Parameters::new(function.clone(), names::snake, ToString::to_string),
            number: number.cloned(),
        }
    }

    /// Calls it. `keywords` are the arguments that are given by name.
    pub(crate) fn call(
        &self,
        ruby: &Ruby,
        target: Target<'_>,
        args: &[Value],
        keywords: Option<RHash>,
        options: &CallOptions,
    ) -> Result<Value, magnus::Error> {
        let fail = |error: undergo::Error| lock::to_ruby(ruby, &error);
        let mut arguments = target.arguments(self.export).map_err(fail)?;
        let reading = Reading::begin();
        self.lower(ruby, args, keywords, |number, value| arguments.lower(number, &Given::new(ruby, value))).map_err(fail)?;
        drop(reading);
        // On this stack, where the collector finds it while the thread does not have Ruby's lock.
        let result = Cell::new(ruby.qnil().as_value());
        let place = std::hint::black_box(&result);
        let number = lock::without(|| {
            target.call(&mut arguments, options, |outcome| match (&self.number, outcome.number()) {
                (Some(_), Some(bits)) => Ok(Some(bits)),
                _ => lock::with(|ruby| {
                    place.set(outcome.lift(&ToRuby::new(ruby))?);
                    Ok(None)
                }),
            })
        })?;
        let number = number.map_err(|error| chain::to_ruby(ruby, &error))?;
        match (&self.number, number) {
            (Some(kind), Some(bits)) => lift::number(ruby, kind, bits).map_err(fail),
            _ => Ok(place.get()),
        }
    }

    /// Gives `put` each argument with the number of its parameter.
    fn lower(
        &self,
        ruby: &Ruby,
        args: &[Value],
        keywords: Option<RHash>,
        mut put: impl FnMut(usize, Value) -> undergo::Result<()>,
    ) -> undergo::Result<()> {
        let Some(keywords) = keywords else {
            self.params.check(args.len())?;
            return args.iter().enumerate().try_for_each(|(number, arg)| put(number, *arg));
        };
        let mut places = self.params.keywords(args.len())?;
        args.iter().enumerate().try_for_each(|(number, arg)| put(number, *arg))?;
        let mut placed = Ok(());
        let all = keywords.foreach(|key: Symbol, value: Value| {
            let is_it = |name: &Opaque<StaticSymbol>| ruby.get_inner(*name).as_raw() == key.as_raw();
            let place = match self.names.iter().position(is_it) {
                Some(number) => places.place_at(number),
                None => key.name().map_or_else(|_| Err(self.params.wrong("takes names as keywords")), |name| places.place(&name)),
            };
            placed = place.and_then(|number| put(number, value));
            Ok(if placed.is_ok() { ForEach::Continue } else { ForEach::Stop })
        });
        all.map_err(|error| lock::raised(ruby, error))?;
        placed?;
        places.finish()
    }
}
