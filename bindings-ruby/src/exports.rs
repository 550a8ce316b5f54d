//! The exports of a plugin: as methods of its instances and pools, and by their numbers; and the
//! methods of its objects.

use std::sync::Arc;

use magnus::block::Proc;
use magnus::prelude::*;
use magnus::rb_sys::AsRawId;
use magnus::{Error, RArray, RClass, RHash, RModule, Ruby, Value};
use undergo::interface::{Resource, names};
use undergo::{CallOptions, ErrorKind};

use crate::cancel::CancelToken;
use crate::config;
use crate::function::{Given, Shape, Target};
use crate::lock;

/// All exports of a plugin, with the constructors of its resources.
#[derive(Clone)]
pub(crate) struct Exports(Arc<Inner>);

struct Inner {
    exports: Methods,
    /// The methods of each resource, by the resource's number.
    resources: Vec<Methods>,
}

/// What Ruby calls by methods.
struct Methods {
    shapes: Vec<Shape>,
    /// Their numbers by Ruby's number of their names, in order.
    by_name: Vec<(rb_sys::ID, usize)>,
}

/// An export by its number, its arguments by position and by name, a block, seconds, and a token.
pub(crate) type Called<'t> = (usize, RArray, RHash, Option<Proc>, Option<f64>, Option<&'t CancelToken>);

/// What every object of Ruby has as methods, and those of a resource have, whatever a program adds.
/// `undergo bindgen` has the same list.
#[rustfmt::skip]
const TAKEN: [&str; 41] = [
    "class", "clone", "close", "define_singleton_method", "display", "dup", "enum_for", "extend", "freeze", "hash", "initialize", "initialize_clone",
    "initialize_copy", "initialize_dup", "inspect", "instance_eval", "instance_exec", "instance_variable_get", "instance_variable_set",
    "instance_variables", "itself", "method", "method_missing", "methods", "object_id", "private_methods", "protected_methods", "public_method",
    "public_methods", "public_send", "raise", "remove_instance_variable", "respond_to_missing", "send", "singleton_class", "singleton_method",
    "singleton_methods", "tap", "then", "to_enum", "to_s",
];

/// The name of a method of an object. What every object has keeps its name.
fn method_name(method: &str) -> String {
    let name = names::snake(method);
    if TAKEN.contains(&name.as_str()) { format!("{name}_") } else { name }
}

/// The constructors of a plugin, each with its name in Ruby, which is Go's: `new_document`.
pub(crate) fn constructors(plugin: &undergo::Plugin) -> impl Iterator<Item = (String, &Arc<undergo::interface::Function>)> {
    let resources = plugin.interface().into_iter().flat_map(|interface| &interface.resources);
    resources.filter_map(|resource| Some((format!("new-{}", resource.ty.name), resource.constructor.as_ref()?)))
}

impl Exports {
    pub(crate) fn new(ruby: &Ruby, plugin: &undergo::Plugin) -> Exports {
        let mut shapes: Vec<Shape> = Vec::new();
        for (number, function) in plugin.exports().enumerate() {
            shapes.push(Shape::new(ruby, number, function, names::snake(&function.name)));
        }
        for (name, function) in constructors(plugin) {
            shapes.extend(plugin.member(function).map(|number| Shape::of_constructor(ruby, number, function, names::snake(&name))));
        }
        let methods = |resource: &Resource| {
            let methods = resource.ty.methods.iter().zip(&resource.methods);
            // The plugin has none for the host's objects.
            let known =
                methods.filter_map(|(name, function)| Some(Shape::new(ruby, plugin.member(function)?, function, method_name(name))));
            Methods::new(ruby, known.collect())
        };
        let resources = plugin.interface().into_iter().flat_map(|interface| &interface.resources);
        let resources = resources.map(methods).collect();
        Exports(Arc::new(Inner { exports: Methods::new(ruby, shapes), resources }))
    }

    /// A module with a method for each export, but for the public methods of the class. `define`
    /// defines one, which calls [`call_this`](Exports::call_this).
    pub(crate) fn methods(
        &self,
        ruby: &Ruby,
        class: RClass,
        define: impl Fn(RModule, &str) -> Result<(), Error>,
    ) -> Result<RModule, Error> {
        let module = ruby.module_new();
        for shape in &self.0.exports.shapes {
            let is_taken: bool = class.funcall("method_defined?", (shape.name.as_str(),))?;
            if !is_taken {
                define(module, &shape.name)?;
            }
        }
        Ok(module)
    }

    /// The names of the methods that the objects of a resource have.
    pub(crate) fn methods_of(&self, resource: usize) -> impl Iterator<Item = &str> {
        self.0.resources[resource].shapes.iter().map(|shape| shape.name.as_str())
    }

    /// Calls the export whose name the running method of Ruby has.
    pub(crate) fn call_this(&self, ruby: &Ruby, target: Target<'_>, args: &[Value]) -> Result<Value, Error> {
        self.0.exports.running(ruby)?.call(ruby, target, given(ruby, None, args), &CallOptions::default())
    }

    /// Calls the method of an object of that resource whose name the running method of Ruby has.
    pub(crate) fn call_method(
        &self,
        ruby: &Ruby,
        target: Target<'_>,
        resource: usize,
        object: Value,
        args: &[Value],
    ) -> Result<Value, Error> {
        self.0.resources[resource].running(ruby)?.call(ruby, target, given(ruby, Some(object), args), &CallOptions::default())
    }

    /// Asks an iterator, an object of that resource, for its next items.
    pub(crate) fn call_next(&self, ruby: &Ruby, target: Target<'_>, resource: usize, object: Value, most: Value) -> Result<Value, Error> {
        let next = self.0.resources[resource].shapes.first().ok_or_else(|| unknown(ruby))?;
        next.call(ruby, target, Given { object: Some(object), args: &[most], keywords: None, block: None }, &CallOptions::default())
    }

    /// Calls the export of that number.
    pub(crate) fn call(&self, ruby: &Ruby, target: Target<'_>, called: Called<'_>) -> Result<Value, Error> {
        let (number, args, keywords, block, timeout, cancel) = called;
        let shape = self.0.exports.shapes.get(number).ok_or_else(|| unknown(ruby))?;
        let options = config::call_options(timeout, cancel);
        // A copy, which nobody else can change.
        let args: RArray = args.dup();
        // SAFETY: the array is this function's own, which has it to its end.
        let items = unsafe { args.as_slice() };
        let keywords = Some(keywords).filter(|keywords| !keywords.is_empty());
        let result = shape.call(ruby, target, Given { object: None, args: items, keywords, block }, &options);
        std::hint::black_box(&args);
        result
    }
}

impl Methods {
    fn new(ruby: &Ruby, shapes: Vec<Shape>) -> Methods {
        let mut by_name: Vec<_> = shapes.iter().enumerate().map(|(number, shape)| (ruby.intern(&shape.name).as_raw(), number)).collect();
        // Of two with one name the first.
        by_name.sort_unstable();
        by_name.dedup_by_key(|(name, _)| *name);
        Methods { shapes, by_name }
    }

    /// What has the name of the running method of Ruby.
    fn running(&self, ruby: &Ruby) -> Result<&Shape, Error> {
        // SAFETY: it only asks Ruby for the method that runs.
        let name = unsafe { rb_sys::rb_frame_this_func() };
        let found = self.by_name.binary_search_by_key(&name, |(name, _)| *name);
        found.ok().and_then(|at| self.shapes.get(self.by_name[at].1)).ok_or_else(|| unknown(ruby))
    }
}

/// What the running method of Ruby was given.
fn given<'a>(ruby: &Ruby, object: Option<Value>, args: &'a [Value]) -> Given<'a> {
    // SAFETY: it only asks Ruby for the method that runs.
    let has_keywords = unsafe { rb_sys::rb_keyword_given_p() != 0 };
    let (args, keywords) = match args.split_last() {
        Some((last, args)) if has_keywords => (args, RHash::from_value(*last)),
        _ => (args, None),
    };
    let block = if ruby.block_given() { ruby.block_proc().ok() } else { None };
    Given { object, args, keywords, block }
}

#[cold]
fn unknown(ruby: &Ruby) -> Error {
    lock::to_ruby(ruby, &undergo::Error::new(ErrorKind::UnknownExport, "there is no such export"))
}
