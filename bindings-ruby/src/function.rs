//! An export: its names, and its call.

use std::cell::Cell;
use std::sync::Arc;

use magnus::block::Proc;
use magnus::prelude::*;
use magnus::r_hash::ForEach;
use magnus::rb_sys::AsRawValue;
use magnus::value::Opaque;
use magnus::{RHash, Ruby, StaticSymbol, Symbol, Value};
use undergo::CallOptions;
use undergo::host::{Outcome, Parameters};
use undergo::interface::{Shape as Form, TypeKind, names};

use crate::handle::Access;
use crate::imports::HostTable;
use crate::keep::Reading;
use crate::lift::{self, ToRuby};
use crate::{chain, gem, lock, lower};

/// What runs the calls, and what they need meanwhile.
#[derive(Clone, Copy)]
pub(crate) struct Target<'c> {
    runs: Runs<'c>,
    host: &'c HostTable,
    /// The object of Ruby that has it.
    owner: Value,
}

#[derive(Clone, Copy)]
enum Runs<'c> {
    Instance(&'c Access),
    Pool(&'c undergo::Pool),
}

impl<'c> Target<'c> {
    pub(crate) fn instance(access: &'c Access, host: &'c HostTable, owner: Value) -> Target<'c> {
        Target { runs: Runs::Instance(access), host, owner }
    }

    pub(crate) fn pool(pool: &'c undergo::Pool, host: &'c HostTable, owner: Value) -> Target<'c> {
        Target { runs: Runs::Pool(pool), host, owner }
    }
}

impl<'c> Runs<'c> {
    fn arguments<'a>(self, export: usize) -> undergo::Result<undergo::host::Arguments<'c, 'a>> {
        match self {
            // A dead instance says so before any argument is looked at.
            Runs::Instance(access) => access.check()?.arguments(export),
            Runs::Pool(pool) => pool.plugin().arguments(export),
        }
    }

    fn call<R>(
        self,
        arguments: &mut undergo::host::Arguments<'_, '_>,
        options: &CallOptions,
        then: impl FnOnce(Outcome<'_, '_>) -> undergo::Result<R>,
    ) -> undergo::Result<R> {
        match self {
            Runs::Instance(access) => arguments.call(access.check()?, options, then),
            Runs::Pool(pool) => pool.call_then(arguments, options, then),
        }
    }
}

/// The arguments of a call.
#[derive(Clone, Copy)]
pub(crate) struct Given<'a> {
    /// The object of a method.
    pub(crate) object: Option<Value>,
    pub(crate) args: &'a [Value],
    /// Those that are given by name.
    pub(crate) keywords: Option<RHash>,
    /// A block of the caller's.
    pub(crate) block: Option<Proc>,
}

/// What is known of an export, a method or a constructor.
pub(crate) struct Shape {
    export: usize,
    pub(crate) name: String,
    params: Parameters,
    names: Vec<Opaque<StaticSymbol>>,
    /// The type of a result that comes as a number.
    number: Option<TypeKind>,
    /// The number of the parameter that takes a block: the last one that takes a function.
    block: Option<usize>,
    is_constructor: bool,
}

impl Shape {
    pub(crate) fn new(ruby: &Ruby, export: usize, function: &Arc<undergo::interface::Function>, name: String) -> Shape {
        let number = function.result.as_ref().map(|ty| &ty.kind).filter(|kind| lift::is_number(kind));
        Shape {
            export,
            name,
            names: function.params.iter().map(|param| ruby.sym_new(names::snake(&param.name).as_str()).into()).collect(),
            params: Parameters::new(function.clone(), names::snake, ToString::to_string),
            number: number.cloned(),
            block: function.params.iter().rposition(|param| is_callback(&param.ty.kind)),
            is_constructor: false,
        }
    }

    /// That of a constructor, which gives a block the object, and closes it at the block's end.
    pub(crate) fn of_constructor(ruby: &Ruby, export: usize, function: &Arc<undergo::interface::Function>, name: String) -> Shape {
        Shape { is_constructor: true, ..Shape::new(ruby, export, function, name) }
    }

    /// Calls it.
    pub(crate) fn call(&self, ruby: &Ruby, target: Target<'_>, given: Given<'_>, options: &CallOptions) -> Result<Value, magnus::Error> {
        let fail = |error: undergo::Error| lock::to_ruby(ruby, &error);
        let Target { runs, host, owner } = target;
        let mut arguments = runs.arguments(self.export).map_err(fail)?;
        let reading = Reading::begin();
        self.lower(ruby, given, |number, value| arguments.lower(number, &lower::Given::with(ruby, value, host))).map_err(fail)?;
        drop(reading);
        // On this stack, where the collector finds it while the thread does not have Ruby's lock.
        let result = Cell::new(ruby.qnil().as_value());
        let place = std::hint::black_box(&result);
        let number = lock::without(|| {
            runs.call(&mut arguments, options, |outcome| match (&self.number, outcome.number()) {
                (Some(_), Some(bits)) => Ok(Some(bits)),
                _ => lock::with(|ruby| {
                    place.set(outcome.lift(&ToRuby::new(ruby).of(owner))?);
                    Ok(None)
                }),
            })
        })?;
        let number = number.map_err(|error| chain::to_ruby(ruby, &error))?;
        match (&self.number, number) {
            (Some(kind), Some(bits)) => lift::number(ruby, kind, bits).map_err(fail),
            _ => match given.block.filter(|_| self.is_constructor && self.block.is_none()) {
                Some(block) => gem::call(ruby, "within", (place.get(), block)),
                None => Ok(place.get()),
            },
        }
    }

    /// Gives `put` each argument with the number of its parameter.
    fn lower(&self, ruby: &Ruby, given: Given<'_>, mut put: impl FnMut(usize, Value) -> undergo::Result<()>) -> undergo::Result<()> {
        let Given { object, args, keywords, block } = given;
        let block = block.and_then(|block| Some((self.block?, block)));
        let count = args.len() + usize::from(object.is_some());
        let positional = object.iter().chain(args).enumerate();
        if keywords.is_none() && block.is_none() {
            self.params.check(count)?;
            return positional.into_iter().try_for_each(|(number, arg)| put(number, *arg));
        }
        let mut places = self.params.keywords(count)?;
        positional.into_iter().try_for_each(|(number, arg)| put(number, *arg))?;
        if let Some(keywords) = keywords {
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
        }
        if let Some((number, block)) = block {
            put(places.place_at(number)?, block.as_value())?;
        }
        places.finish()
    }
}

fn is_callback(kind: &TypeKind) -> bool {
    match kind {
        TypeKind::Own(resource) | TypeKind::Borrow(resource) => resource.shape == Form::Callback,
        TypeKind::Option(inner) => is_callback(&inner.kind),
        _ => false,
    }
}
