//! The functions of a plugin by their names, and the arguments of their calls.

use std::sync::Arc;

use undergo::host::Arguments;
use undergo::interface::{Resource, names};
use undergo::{Error, ErrorKind, Plugin, Result};

use crate::value::Value;
use crate::values::{Borrowed, Copied, Given};

/// The number of the export of that name, or of a constructor: `new-document`.
///
/// # Errors
///
/// `unknown-export`, with similar names.
pub(crate) fn number(plugin: &Plugin, name: &str) -> Result<usize> {
    plugin.export(name).or_else(|unknown| constructor(plugin, name).ok_or(unknown))
}

fn constructor(plugin: &Plugin, name: &str) -> Option<usize> {
    let resources = &plugin.interface()?.resources;
    let found = resources.iter().find(|resource| names::means(name, &format!("new-{}", resource.ty.name)))?;
    plugin.member(found.constructor.as_ref()?)
}

/// The number of a method of the objects of that resource.
///
/// # Errors
///
/// `unknown-export`, with similar names.
pub(crate) fn method(plugin: &Plugin, resource: &Resource, name: &str) -> Result<usize> {
    let methods = resource.ty.methods.iter().zip(&resource.methods);
    let found = methods.clone().find(|(own, _)| names::means(name, own)).and_then(|(_, function)| plugin.member(function));
    found.ok_or_else(|| {
        let hint = names::did_you_mean(name, resource.ty.methods.iter().map(String::as_str));
        Error::new(ErrorKind::UnknownExport, format!("{} has no method '{name}'{hint}", resource.ty.name))
    })
}

/// Lowers arguments for a call that is over before they are dropped.
pub(crate) fn lend<'v>(arguments: &mut Arguments<'_, 'v>, object: Option<&'v Value>, args: &'v [Value]) -> Result<()> {
    arguments.expect(args.len() + usize::from(object.is_some()))?;
    let mut all = object.into_iter().chain(args).enumerate();
    all.try_for_each(|(number, value)| arguments.lower(number, &Given::<Borrowed>::new(value)))
}

/// Lowers arguments for a call that goes on by itself.
pub(crate) fn copied(plugin: &Plugin, export: usize, object: Option<&Value>, args: &[Value]) -> Result<Arguments<'static, 'static>> {
    let mut arguments = plugin.owned_arguments(export)?;
    arguments.expect(args.len() + usize::from(object.is_some()))?;
    let mut all = object.into_iter().chain(args).enumerate();
    all.try_for_each(|(number, value)| arguments.lower(number, &Given::<Copied>::new(value)))?;
    Ok(arguments)
}

/// The resource of that number, with its functions.
///
/// # Errors
///
/// `unknown-export` when the plugin has no such resource, which its handles don't allow.
pub(crate) fn resource<'p>(plugin: &'p Plugin, ty: &Arc<undergo::interface::ResourceType>) -> Result<&'p Resource> {
    let found = plugin.interface().and_then(|interface| interface.resources.get(ty.number));
    found.ok_or_else(|| Error::new(ErrorKind::UnknownExport, format!("the plugin has no resource {}", ty.name)))
}
