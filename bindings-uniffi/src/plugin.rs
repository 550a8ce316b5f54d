//! A compiled plugin.

use std::sync::Arc;

use undergo::InstanceOptions;

use crate::async_instance::AsyncInstance;
use crate::async_pool::AsyncPool;
use crate::cancel::CancelToken;
use crate::config::{Cache, Compile, Limits, Loading, Sandbox, call_options, plugin_options, seconds};
use crate::errors::CallError;
use crate::imports::Imports;
use crate::instance::Instance;
use crate::pool::Pool;
use crate::records::{Completed, FunctionInfo, ImportInfo, TypeInfo};
use crate::threads;

/// A compiled plugin: load it once and instantiate it as often as needed, from any thread.
#[derive(uniffi::Object)]
pub struct Plugin {
    pub(crate) core: undergo::Plugin,
}

#[uniffi::export]
impl Plugin {
    /// Compiles a file, or finds its code in the cache.
    ///
    /// # Errors
    ///
    /// `invalid-plugin`, with what to do about it.
    #[uniffi::constructor]
    pub fn from_file(path: String, compile: Compile, cache: Cache, loading: Loading) -> Result<Arc<Plugin>, CallError> {
        let core = undergo::Plugin::from_file_with(path, &plugin_options(compile, cache, loading)?)?;
        Ok(Arc::new(Plugin { core }))
    }

    /// Compiles a module. The name is what its `os.Args[0]` will be.
    ///
    /// # Errors
    ///
    /// As of [`from_file`](Plugin::from_file).
    #[uniffi::constructor]
    pub fn from_bytes(name: String, bytes: Vec<u8>, compile: Compile, cache: Cache, loading: Loading) -> Result<Arc<Plugin>, CallError> {
        let core = undergo::Plugin::from_bytes_with(&name, &bytes, &plugin_options(compile, cache, loading)?)?;
        Ok(Arc::new(Plugin { core }))
    }

    /// Loads what `undergo compile` made: native code, which runs outside the sandbox. Whoever
    /// calls this says that the file comes from there through hands that they trust.
    ///
    /// # Errors
    ///
    /// `invalid-plugin` when it is no compiled plugin, is damaged, or was made by another version
    /// or for another machine.
    #[uniffi::constructor]
    pub fn load_trusted(path: String) -> Result<Arc<Plugin>, CallError> {
        // SAFETY: the caller has said that the file is what `undergo compile` made, and that nobody
        // tampered with it.
        let core = unsafe { undergo::Plugin::load_compiled(path) }?;
        Ok(Arc::new(Plugin { core }))
    }

    /// The name that it was given: the file's.
    pub fn name(&self) -> String {
        self.core.name().to_owned()
    }

    /// `reactor`, `command` or `component`.
    pub fn kind(&self) -> String {
        self.core.info().kind.as_str().to_owned()
    }

    /// Which code the next instance will have: `fast` or `best`.
    ///
    /// # Errors
    ///
    /// `dead-instance` in a forked child that can't use plugins.
    pub fn tier(&self) -> Result<String, CallError> {
        Ok(self.core.tier()?.as_str().to_owned())
    }

    /// The interface that it carries, as WIT; none for a bare module.
    pub fn wit(&self) -> Option<String> {
        self.core.interface().map(|interface| interface.wit.clone())
    }

    /// The version of Go that built it, if the module says so.
    pub fn go_version(&self) -> Option<String> {
        self.core.info().go_version.clone()
    }

    /// What went wrong when it was loaded and did no harm, as sentences.
    pub fn diagnostics(&self) -> Vec<String> {
        self.core.diagnostics()
    }

    /// The functions that can be called.
    pub fn exports(&self) -> Vec<FunctionInfo> {
        self.core.exports().map(|function| FunctionInfo::from(&**function)).collect()
    }

    /// The functions that the host has to provide.
    pub fn imports(&self) -> Vec<ImportInfo> {
        let one = |(interface, function): (&str, &Arc<undergo::interface::Function>)| ImportInfo {
            interface: interface.to_owned(),
            function: FunctionInfo::from(&**function),
        };
        self.core.imports().map(one).collect()
    }

    /// The named types of the interface, in its order.
    pub fn types(&self) -> Vec<TypeInfo> {
        let types = self.core.interface().map_or(&[][..], |interface| &interface.types);
        types.iter().filter_map(TypeInfo::of).collect()
    }

    /// Waits until nothing of it is being compiled in the background; new instances then have the
    /// best code.
    ///
    /// # Errors
    ///
    /// `invalid-plugin` when the better compiler has failed.
    pub fn wait_compiled(&self) -> Result<(), CallError> {
        Ok(self.core.wait_compiled()?)
    }

    /// Makes an instance.
    ///
    /// # Errors
    ///
    /// `missing-import` with all that is missing; `denied`; whatever ends the initialisation.
    pub fn instantiate(&self, imports: &Imports, sandbox: Sandbox, limits: Limits) -> Result<Arc<Instance>, CallError> {
        let options = self.options(imports, sandbox, &limits, false)?;
        Ok(Instance::new(self.core.instantiate(options)?))
    }

    /// Makes an instance whose calls are awaited.
    ///
    /// # Errors
    ///
    /// As of [`instantiate`](Plugin::instantiate).
    pub async fn instantiate_async(
        &self,
        imports: Arc<Imports>,
        sandbox: Sandbox,
        limits: Limits,
    ) -> Result<Arc<AsyncInstance>, CallError> {
        let options = self.options(&imports, sandbox, &limits, true)?;
        let plugin = self.core.clone();
        let none = call_options(None, None, None)?;
        let core = threads::task(async move { plugin.instantiate_async(options, &none).await }).await?;
        Ok(AsyncInstance::new(core))
    }

    /// Makes a pool of at most `size` instances, none of which is made yet.
    ///
    /// # Errors
    ///
    /// `type-mismatch` for numbers that make no pool; `missing-import`.
    pub fn pool(
        &self,
        size: u64,
        imports: &Imports,
        sandbox: Sandbox,
        limits: Limits,
        max_calls: Option<u64>,
        idle: Option<f64>,
    ) -> Result<Arc<Pool>, CallError> {
        let instance = self.options(imports, sandbox, &limits, false)?;
        let core = self.core.pool(pool_options(size, max_calls, idle, instance)?)?;
        Ok(Arc::new(Pool { core }))
    }

    /// The same for calls that are awaited.
    ///
    /// # Errors
    ///
    /// As of [`pool`](Plugin::pool).
    pub fn async_pool(
        &self,
        size: u64,
        imports: &Imports,
        sandbox: Sandbox,
        limits: Limits,
        max_calls: Option<u64>,
        idle: Option<f64>,
    ) -> Result<Arc<AsyncPool>, CallError> {
        let instance = self.options(imports, sandbox, &limits, true)?;
        let core = self.core.async_pool(pool_options(size, max_calls, idle, instance)?)?;
        Ok(Arc::new(AsyncPool { core }))
    }

    /// Runs a command to completion.
    ///
    /// # Errors
    ///
    /// `invalid-plugin` for a reactor, whose exports are to be called; `missing-import`; `denied`;
    /// what else than an exit ends it.
    pub fn run(
        &self,
        imports: &Imports,
        sandbox: Sandbox,
        limits: Limits,
        timeout: Option<f64>,
        cancel: Option<Arc<CancelToken>>,
    ) -> Result<Completed, CallError> {
        let (options, call) = (self.options(imports, sandbox, &limits, false)?, call_options(timeout, cancel.as_deref(), None)?);
        Ok(self.core.run(options, &call)?.into())
    }

    /// The same, awaited.
    ///
    /// # Errors
    ///
    /// As of [`run`](Plugin::run).
    pub async fn run_async(
        &self,
        imports: Arc<Imports>,
        sandbox: Sandbox,
        limits: Limits,
        timeout: Option<f64>,
        cancel: Option<Arc<CancelToken>>,
    ) -> Result<Completed, CallError> {
        let (options, call) = (self.options(&imports, sandbox, &limits, true)?, call_options(timeout, cancel.as_deref(), None)?);
        let plugin = self.core.clone();
        Ok(threads::task(async move { plugin.run_async(options, &call).await }).await?.into())
    }
}

impl Plugin {
    pub(crate) fn options(&self, imports: &Imports, sandbox: Sandbox, limits: &Limits, on_fiber: bool) -> undergo::Result<InstanceOptions> {
        Ok(InstanceOptions { imports: imports.core(&self.core), sandbox: sandbox.core(on_fiber)?, limits: limits.core()? })
    }
}

fn pool_options(size: u64, max_calls: Option<u64>, idle: Option<f64>, instance: InstanceOptions) -> undergo::Result<undergo::PoolOptions> {
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    Ok(undergo::PoolOptions { size, max_calls, idle: idle.map(seconds).transpose()?, instance })
}
