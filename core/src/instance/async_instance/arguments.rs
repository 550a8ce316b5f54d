//! The arguments of a call that suspends.

use std::sync::Arc;

use crate::abi::block::Block;
use crate::abi::lower::Lower;
use crate::abi::value::Value;
use crate::error::Result;
use crate::instance::call::{expect_count, lower_param, no_export};
use crate::interface::Function;
use crate::plugin::Plugin;

impl Plugin {
    /// Begins an asynchronous call of the export of that number (see [`export`](Plugin::export)).
    ///
    /// # Errors
    ///
    /// `unknown-export` for a number that is none.
    pub fn async_arguments(&self, export: usize) -> Result<AsyncArguments> {
        let found = self.compiled().exports.get(export);
        let found = found.ok_or_else(|| no_export(export))?;
        let block = Box::new(Block::begin(found.function.abi.params.size));
        Ok(AsyncArguments { plugin: self.clone(), export, function: found.function.clone(), block })
    }
}

/// The arguments of an asynchronous call, lowered one by one into memory of the host. They own, or keep alive, what they lend.
pub struct AsyncArguments {
    pub(super) plugin: Plugin,
    pub(super) export: usize,
    pub(super) function: Arc<Function>,
    /// In a box, since it is moved from future to future.
    pub(super) block: Box<Block<'static>>,
}

impl AsyncArguments {
    /// The function that will be called.
    #[must_use]
    pub fn function(&self) -> &Function {
        &self.function
    }

    /// Checks the number of arguments.
    ///
    /// # Errors
    ///
    /// `type-mismatch` that shows the signature.
    pub fn expect(&self, given: usize) -> Result<()> {
        expect_count(&self.function, given)
    }

    /// Lowers the argument of that number: see [`Arguments::lower`](crate::Arguments::lower).
    ///
    /// # Errors
    ///
    /// `type-mismatch` with the path of the value that does not fit.
    pub fn lower<V: Lower<'static>>(&mut self, number: usize, value: &V) -> Result<()> {
        lower_param(&self.function, &mut self.block, number, value)
    }

    /// Those of an export of that name, with copies of the values.
    pub(crate) fn of_values(plugin: &Plugin, name: &str, values: &[Value]) -> Result<AsyncArguments> {
        let AsyncArguments { plugin, export, function, block } = plugin.async_arguments(plugin.export(name)?)?;
        expect_count(&function, values.len())?;
        let mut block: Block<'_> = *block;
        for (i, value) in values.iter().enumerate() {
            lower_param(&function, &mut block, i, &value)?;
        }
        Ok(AsyncArguments { plugin, export, function, block: Box::new(block.into_owned()) })
    }
}
