//! The exports of a plugin: as methods of its instances and pools, and by their numbers.

use std::sync::Arc;

use magnus::prelude::*;
use magnus::rb_sys::AsRawId;
use magnus::{Error, RArray, RClass, RHash, RModule, Ruby, Value};
use undergo::{CallOptions, ErrorKind};

use crate::cancel::CancelToken;
use crate::config;
use crate::function::{Shape, Target};
use crate::lock;

/// All exports of a plugin.
#[derive(Clone)]
pub(crate) struct Exports(Arc<Inner>);

struct Inner {
    shapes: Vec<Shape>,
    /// The numbers of the exports by Ruby's number of their names, in order.
    by_name: Vec<(rb_sys::ID, usize)>,
}

/// An export by its number, its arguments by position and by name, seconds, and a token.
pub(crate) type Called<'t> = (usize, RArray, RHash, Option<f64>, Option<&'t CancelToken>);

impl Exports {
    pub(crate) fn new(ruby: &Ruby, plugin: &undergo::Plugin) -> Exports {
        let shapes: Vec<Shape> = plugin.exports().enumerate().map(|(number, function)| Shape::new(ruby, number, function)).collect();
        let mut by_name: Vec<_> = shapes.iter().enumerate().map(|(number, shape)| (ruby.intern(&shape.name).as_raw(), number)).collect();
        by_name.sort_unstable();
        Exports(Arc::new(Inner { shapes, by_name }))
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
        for shape in &self.0.shapes {
            let is_taken: bool = class.funcall("method_defined?", (shape.name.as_str(),))?;
            if !is_taken {
                define(module, &shape.name)?;
            }
        }
        Ok(module)
    }

    /// Calls the export whose name the running method of Ruby has.
    pub(crate) fn call_this(&self, ruby: &Ruby, target: Target<'_>, args: &[Value]) -> Result<Value, Error> {
        // SAFETY: both only ask Ruby for the method that runs.
        let (name, has_keywords) = unsafe { (rb_sys::rb_frame_this_func(), rb_sys::rb_keyword_given_p() != 0) };
        let found = self.0.by_name.binary_search_by_key(&name, |(name, _)| *name);
        let shape = found.ok().and_then(|at| self.0.shapes.get(self.0.by_name[at].1)).ok_or_else(|| unknown(ruby))?;
        let (args, keywords) = match args.split_last() {
            Some((last, args)) if has_keywords => (args, RHash::from_value(*last)),
            _ => (args, None),
        };
        shape.call(ruby, target, args, keywords, &CallOptions::default())
    }

    /// Calls the export of that number.
    pub(crate) fn call(&self, ruby: &Ruby, target: Target<'_>, called: Called<'_>) -> Result<Value, Error> {
        let (number, args, keywords, timeout, cancel) = called;
        let shape = self.0.shapes.get(number).ok_or_else(|| unknown(ruby))?;
        let options = config::call_options(timeout, cancel);
        // A copy, which nobody else can change.
        let args: RArray = args.dup();
        // SAFETY: the array is this function's own, which has it to its end.
        let items = unsafe { args.as_slice() };
        let result = shape.call(ruby, target, items, Some(keywords).filter(|keywords| !keywords.is_empty()), &options);
        std::hint::black_box(&args);
        result
    }
}

#[cold]
fn unknown(ruby: &Ruby) -> Error {
    lock::to_ruby(ruby, &undergo::Error::new(ErrorKind::UnknownExport, "there is no such export"))
}
