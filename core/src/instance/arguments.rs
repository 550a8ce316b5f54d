//! The arguments of a call, until it runs.

use std::ptr;
use std::sync::Arc;

use crate::abi::block::Block;
use crate::abi::lower::Lower;
use crate::call::invoke::Work;
use crate::call::outcome::Outcome;
use crate::error::{Error, ErrorKind, Result};
use crate::instance::entry::Entered;
use crate::interface::Function;
use crate::plugin::signatures::Export;
use crate::plugin::{Compiled, Plugin};
use crate::sched::driver::{Driver, at_once};

impl Plugin {
    /// Begins a call of the export of that number (see [`export`](Plugin::export)), of any instance
    /// or pool of this plugin.
    ///
    /// # Errors
    ///
    /// `unknown-export` for an invalid number.
    #[inline]
    pub fn arguments<'a>(&self, export: usize) -> Result<Arguments<'_, 'a>> {
        let found = self.find(export)?;
        Ok(Arguments::of(self.compiled(), export, &found.function))
    }

    /// The same for a call that may outlive the caller's plugin, as a task may: the arguments keep
    /// it alive.
    ///
    /// # Errors
    ///
    /// As [`arguments`](Plugin::arguments).
    pub fn owned_arguments<'a>(&self, export: usize) -> Result<Arguments<'static, 'a>> {
        let function = self.find(export)?.function.clone();
        let block = Block::begin(function.abi.params.size);
        Ok(Arguments { of: Of::Kept(self.clone(), function), export, block })
    }

    fn find(&self, export: usize) -> Result<&Export> {
        self.compiled().exports.get(export).ok_or_else(|| no_export(export))
    }
}

/// The arguments of a call, lowered one by one into memory of the host.
///
/// `'p` is the lifetime of the plugin, `'a` that of the data that the arguments lend.
pub struct Arguments<'p, 'a> {
    of: Of<'p>,
    pub(crate) export: usize,
    pub(crate) block: Block<'a>,
}

/// What they are arguments of.
enum Of<'p> {
    Lent(&'p Compiled, &'p Function),
    Kept(Plugin, Arc<Function>),
}

impl<'p, 'a> Arguments<'p, 'a> {
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "arguments are then made in their place: to move them costs as much as to lower them")]
    pub(crate) fn of(plugin: &'p Compiled, export: usize, function: &'p Function) -> Self {
        Arguments { of: Of::Lent(plugin, function), export, block: Block::begin(function.abi.params.size) }
    }

    /// The function that will be called.
    #[inline]
    #[must_use]
    pub fn function(&self) -> &Function {
        match &self.of {
            Of::Lent(_, function) => function,
            Of::Kept(_, function) => function,
        }
    }

    /// The function, and the block for its arguments.
    #[inline]
    pub(crate) fn parts(&mut self) -> (&Function, &mut Block<'a>) {
        let function = match &self.of {
            Of::Lent(_, function) => *function,
            Of::Kept(_, function) => function,
        };
        (function, &mut self.block)
    }

    /// Checks the number of arguments.
    ///
    /// # Errors
    ///
    /// `type-mismatch`, which shows the signature.
    pub fn expect(&self, given: usize) -> Result<()> {
        expect_count(self.function(), given)
    }

    /// Lowers the argument of that number. An omitted argument has zero bytes: an option without a
    /// value, an empty string.
    ///
    /// # Errors
    ///
    /// `type-mismatch` with the path of the value that does not fit.
    #[inline]
    pub fn lower<V: Lower<'a>>(&mut self, number: usize, value: &V) -> Result<()> {
        let (function, block) = self.parts();
        let Some(param) = function.params.get(number) else { return expect_count(function, number + 1) };
        let offset = function.abi.params.offsets[number];
        block.lower(&param.ty, value, offset).map_err(|error| error.at(param.name.clone()).in_function(&function.name))
    }

    /// Lowers all of them.
    ///
    /// # Errors
    ///
    /// `type-mismatch` if there are too many or too few, or one does not fit.
    pub fn lower_all<V: Lower<'a>>(&mut self, values: impl ExactSizeIterator<Item = V>) -> Result<()> {
        self.expect(values.len())?;
        values.enumerate().try_for_each(|(i, value)| self.lower(i, &value))
    }
}

impl Arguments<'_, '_> {
    /// Checks that they belong to that plugin, and fit into some guest's memory. Otherwise it is
    /// the caller's mistake, and the instance lives.
    #[inline]
    pub(crate) fn check(&self, plugin: &Compiled) -> Result<()> {
        let wanted = match &self.of {
            Of::Lent(wanted, _) => *wanted,
            Of::Kept(wanted, _) => wanted.compiled(),
        };
        if !ptr::eq(plugin, wanted) {
            return Err(foreign(wanted, plugin));
        }
        self.block.placed_size(self.function().abi.spilled).map(drop)
    }
}

impl Arguments<'_, '_> {
    /// Checks that the function can be called on any instance of a pool: what it gives belongs to
    /// no instance.
    pub(crate) fn check_pooled(&self) -> Result<()> {
        let function = self.function();
        if !function.gives_handles() {
            return Ok(());
        }
        let text =
            format!("{} gives handles, which belong to one instance: take one from the pool for as long as they are needed", function.name);
        Err(Error::new(ErrorKind::SignatureMismatch, text).in_function(&function.name))
    }

    /// Copies what the host lends, for a call that another task runs.
    pub(crate) fn into_owned(self, plugin: &Plugin) -> Arguments<'static, 'static> {
        let function = plugin.compiled().exports[self.export].function.clone();
        Arguments { of: Of::Kept(plugin.clone(), function), export: self.export, block: self.block.into_owned() }
    }

    /// Runs the call within an instance whose guest is on its caller's stack.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "what was called is then not moved")]
    pub(crate) fn run_here<R>(&mut self, mut entered: Entered<'_>, then: impl FnOnce(Outcome<'_, '_>) -> Result<R>) -> Result<R> {
        if self.block.passes_handles() {
            return self.run_passing(entered, then);
        }
        let export = self.export;
        let (function, block) = self.parts();
        entered.call_here(export, function, Work::Export(export, function, block), then)
    }

    /// The same with handles among the arguments.
    fn run_passing<R>(&mut self, mut entered: Entered<'_>, then: impl FnOnce(Outcome<'_, '_>) -> Result<R>) -> Result<R> {
        let export = self.export;
        let (function, block) = self.parts();
        let lent = at_once(entered.pass(Driver::Direct, function, block))?;
        let result = entered.call_here(export, function, Work::Export(export, function, block), then);
        // The host's objects may have code that runs when they are dropped.
        drop(entered);
        drop(lent);
        result
    }

    /// Runs the call within the instance.
    pub(crate) async fn run_in<R>(
        &mut self,
        mut entered: Entered<'_>,
        driver: Driver,
        then: impl FnOnce(Outcome<'_, '_>) -> Result<R>,
    ) -> Result<R> {
        let export = self.export;
        let (function, block) = self.parts();
        let lent = entered.pass(driver, function, block).await?;
        let result = entered.call(driver, export, function, Work::Export(export, function, block), then).await;
        drop(entered);
        drop(lent);
        result
    }
}

#[cold]
pub(crate) fn no_export(export: usize) -> Error {
    Error::new(ErrorKind::UnknownExport, format!("there is no export number {export}"))
}

#[cold]
fn foreign(wanted: &Compiled, found: &Compiled) -> Error {
    let text = format!("the arguments are for a call of {}, and the instance is one of {}", wanted.name, found.name);
    Error::new(ErrorKind::UnknownExport, text)
}

/// Checks the number of arguments.
pub(crate) fn expect_count(function: &Function, given: usize) -> Result<()> {
    let wanted = function.params.len();
    if given == wanted {
        return Ok(());
    }
    let text = format!("takes {wanted} argument{}, got {given}: {function}", if wanted == 1 { "" } else { "s" });
    Err(Error::new(ErrorKind::TypeMismatch, text).in_function(&function.name))
}
