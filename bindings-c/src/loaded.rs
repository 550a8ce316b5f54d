//! A compiled plugin with its texts, and what its instances are made with.

use std::ffi::CString;
use std::sync::Arc;

use undergo::host::Lasting;
use undergo::{InstanceOptions, Result};

use crate::boundary::c_text;
use crate::config::{self, LimitsValue};
use crate::describe::describe;
use crate::exports::Described;
use crate::imports::{self, ImportsHandle};
use crate::sandbox::{self, SandboxHandle};

/// A compiled plugin: load it once and instantiate it as often as needed. May be used from any
/// thread, and deleted before its instances.
pub struct PluginHandle(pub(crate) Arc<Loaded>);

/// A plugin with its texts.
pub(crate) struct Loaded {
    pub(crate) core: undergo::Plugin,
    pub(crate) name: CString,
    pub(crate) interface: Option<CString>,
    pub(crate) go_version: Option<CString>,
    pub(crate) kind: CString,
    /// Made when they are asked for: there may be more of them later. The places of those that
    /// there are stay.
    diagnostics: [Lasting<CString>; MOST_DIAGNOSTICS],
    /// As above.
    description: Lasting<CString>,
    pub(crate) exports: Vec<Described>,
    pub(crate) imports: Vec<Described>,
}

/// More than there are.
const MOST_DIAGNOSTICS: usize = 16;

impl Loaded {
    pub(crate) fn diagnostic(&self, index: usize) -> Option<&CString> {
        let text = self.core.diagnostics().into_iter().nth(index)?;
        Some(self.diagnostics.get(index)?.get_or_make(|| c_text(&text)))
    }

    pub(crate) fn description(&self) -> &CString {
        self.description.get_or_make(|| c_text(&describe(&self.core)))
    }
}

impl PluginHandle {
    pub(crate) fn new(core: undergo::Plugin) -> PluginHandle {
        PluginHandle(Arc::new(Loaded {
            name: c_text(core.name()),
            interface: core.interface().map(|interface| c_text(&interface.wit)),
            go_version: core.info().go_version.as_deref().map(c_text),
            kind: c_text(core.info().kind.as_str()),
            diagnostics: Default::default(),
            description: Lasting::new(),
            exports: core.exports().map(|function| Described::new(None, function)).collect(),
            imports: core.imports().map(|(interface, function)| Described::new(Some(interface), function)).collect(),
            core,
        }))
    }
}

/// SAFETY: as for `undergo_plugin_instantiate`.
pub(crate) unsafe fn options(
    plugin: &PluginHandle,
    imports: *const ImportsHandle,
    sandbox: *const SandboxHandle,
    limits: *const LimitsValue,
) -> Result<InstanceOptions> {
    // SAFETY: the caller's promise.
    unsafe {
        Ok(InstanceOptions {
            imports: imports::imports(imports, &plugin.0.core)?,
            sandbox: sandbox::sandbox(sandbox),
            limits: config::limits(limits)?,
        })
    }
}
