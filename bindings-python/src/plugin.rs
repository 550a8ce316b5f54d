//! A compiled plugin, as a Python object.

use std::path::PathBuf;
use std::sync::Arc;

use pyo3::exceptions::{PyRuntimeWarning, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyType};
use undergo::{CodeCache, Compile, InstanceOptions, PluginOptions};

use crate::async_function::options_of;
use crate::async_instance::AsyncInstance;
use crate::async_pool::AsyncPool;
use crate::cancel::CancelToken;
use crate::coroutine::Call;
use crate::errors;
use crate::function::Shape;
use crate::imports::{HostTable, Table};
use crate::instance::Instance;
use crate::names::python_name;
use crate::parts::Origin;
use crate::pool::Pool;
use crate::server::{self, Server};
use crate::{config, imports, linked, package, raised, records, resource, services, signature, types};

/// A compiled plugin: load it once and instantiate it as often as needed, from any thread.
///
/// Args:
///     source: the path of a `.wasm` file, or its bytes.
///     types: classes that stand for the plugin's types, by name, instead of classes
///         made at run time.
///     compile: `"tiered"`: quickly first and better in the background, for instances that are
///         made later; `"fast"`: quickly, to code that takes two to three times as long;
///         `"best"`: well, and wait for it.
///     cache: where compiled code is kept for the next process. None: in the folder that
///         `UNDERGO_CACHE_DIR` names, or the user's cache folder; a path: in that folder;
///         False: nowhere.
///     bounds: how many times as much as usual the module may ask of the compilers; None: once.
///         A compilation can't be stopped, so a module that asks for more is refused.
///     timeout: seconds that loading may take; None: without limit. A compilation that has
///         begun goes on in the background, within the bounds.
///     cancel: a token that can end the loading earlier. Ctrl-C does so, too.
///     compiler: the path of an `undergo` program of this version, which compiles in a separate
///         process with limited time and memory: for modules that you don't trust.
///     optimize: whether Go's code is rewritten with structured control flow before it is
///         compiled, which makes it faster.
///     name: the name of a module that is given as bytes: in messages, and as its `os.Args[0]`. A
///         file has its own.
///     pickle: what a pickle of it has besides its digest. `"bytes"`: the module; `"path"`: the
///         path of the module, for processes that see the same file there.
///
/// Raises:
///     InvalidPluginError: if the module is not a plugin; the message says what to do.
///     TimeoutError: if it was not compiled in time.
///     CancelledError: if the token was cancelled.
#[pyclass(frozen, weakref, module = "undergo")]
pub(crate) struct Plugin {
    core: undergo::Plugin,
    shapes: Arc<[Arc<Shape>]>,
    types: Py<PyAny>,
    /// What it was made with besides its module, as keyword arguments, for its pickle.
    options: Py<PyDict>,
    /// The path of its module, if its pickle is to have that instead of the bytes.
    path: Option<PathBuf>,
}

/// Warns of what did no harm.
fn warn(py: Python<'_>, texts: &[String]) -> PyResult<()> {
    let warn = |text: &String| PyErr::warn(py, &py.get_type::<PyRuntimeWarning>(), &std::ffi::CString::new(text.as_str())?, 1);
    texts.iter().try_for_each(warn)
}

impl Plugin {
    /// What it takes to make instances, and what holds the functions among it.
    fn options<'py>(
        &self,
        py: Python<'py>,
        imports: Option<&Bound<'py, PyAny>>,
        sandbox: Option<&Bound<'py, PyAny>>,
        limits: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<(InstanceOptions, Py<HostTable>)> {
        let table = Table::new(py)?;
        let whole = |found: &mut undergo::Imports, interface: &str, given: &Bound<'_, PyAny>| {
            if services::add(found, given) { Ok(true) } else { linked::link(found, interface, given) }
        };
        let imports = table.imports(&self.core, imports, whole)?;
        let options = InstanceOptions { imports, sandbox: config::sandbox(sandbox, &table)?, limits: config::limits(limits)? };
        warn(py, &self.core.diagnose(&options))?;
        Ok((options, table.finish()))
    }

    /// The same, and what instances and pools are made from.
    fn origin<'py>(
        slf: &Bound<'py, Self>,
        imports: Option<&Bound<'py, PyAny>>,
        sandbox: Option<&Bound<'py, PyAny>>,
        limits: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<(InstanceOptions, Origin)> {
        let (options, host) = slf.get().options(slf.py(), imports, sandbox, limits)?;
        Ok((options, Origin { plugin: slf.clone().into_any().unbind(), shapes: slf.get().shapes.clone(), host }))
    }

    fn make(
        py: Python<'_>,
        core: undergo::Plugin,
        types: Option<&Bound<'_, PyDict>>,
        options: &Bound<'_, PyDict>,
        path: Option<PathBuf>,
    ) -> PyResult<Plugin> {
        options.set_item("types", types)?;
        let classes = match core.interface() {
            Some(interface) => types::make_classes(py, interface, types)?,
            None => PyDict::new(py),
        };
        resource::make_classes(py, &core, &classes)?;
        let shapes = shapes(py, &core).map(Arc::new).collect();
        let types = types::namespace(py, &classes)?.unbind();
        Ok(Plugin { core, shapes, types, options: options.clone().unbind(), path })
    }
}

#[pymethods]
impl Plugin {
    #[new]
    #[pyo3(signature = (source, *, types = None, compile = "tiered", cache = None, bounds = None, timeout = None, cancel = None, compiler = None, optimize = true, name = None, pickle = "bytes"))]
    #[expect(clippy::too_many_arguments, reason = "they are Python's keyword arguments")]
    fn new<'py>(
        py: Python<'py>,
        source: &Bound<'py, PyAny>,
        types: Option<&Bound<'py, PyDict>>,
        compile: &str,
        cache: Option<&Bound<'py, PyAny>>,
        bounds: Option<&Bound<'py, PyAny>>,
        timeout: Option<Bound<'py, PyAny>>,
        cancel: Option<&Bound<'py, CancelToken>>,
        compiler: Option<PathBuf>,
        optimize: bool,
        name: Option<&str>,
        pickle: &str,
    ) -> PyResult<Plugin> {
        let kept = PyDict::new(py);
        kept.set_item("compile", compile)?;
        kept.set_item("cache", cache)?;
        kept.set_item("bounds", bounds)?;
        kept.set_item("timeout", &timeout)?;
        kept.set_item("compiler", compiler.as_ref().map(|path| path.as_os_str()))?;
        kept.set_item("optimize", optimize)?;
        let bounds = bounds.map_or(Ok(1), |given| config::count(given, "bounds", 1))?;
        let call = config::call_options(py, timeout, cancel)?;
        let options = PluginOptions {
            compile: tiers(compile)?,
            cache: code_cache(cache)?,
            bounds: u32::try_from(bounds).unwrap_or(u32::MAX),
            timeout: call.timeout,
            cancel: call.cancel,
            compiler,
            optimize,
            wasi_0_3: false,
        };
        let in_pickle = in_pickle(pickle)?;
        let (core, path) = if let Ok(bytes) = source.cast::<PyBytes>() {
            if in_pickle == InPickle::Path {
                return Err(PyValueError::new_err("pickle is 'path', but a plugin that is made from bytes has none: leave it out"));
            }
            let bytes = bytes.as_bytes();
            (py.detach(|| undergo::Plugin::from_bytes_with(name.unwrap_or("plugin.wasm"), bytes, &options)), None)
        } else {
            let path: PathBuf = source.extract()?;
            if name.is_some() {
                return Err(PyValueError::new_err("name is for a module that is given as bytes; a file has its own"));
            }
            let whole = if in_pickle == InPickle::Path { Some(std::path::absolute(&path)?) } else { None };
            (py.detach(|| undergo::Plugin::from_file_with(path, &options)), whole)
        };
        let core = core.map_err(|error| errors::to_python(py, &error))?;
        warn(py, &core.diagnostics())?;
        Plugin::make(py, core, types, &kept, path)
    }

    /// Load a plugin that `undergo compile` has compiled.
    ///
    /// It is native code and runs outside the sandbox.
    ///
    /// Args:
    ///     path: the file.
    ///     trusted: must be True, to confirm that the file comes from `undergo compile` and that
    ///         nobody has changed it. Damage is detected; malice is not.
    ///     types: as for `Plugin`.
    ///
    /// Raises:
    ///     InvalidPluginError: if it is not a compiled plugin, is damaged, or was made by another
    ///         version or for another machine.
    ///     ValueError: if `trusted` is not True.
    #[classmethod]
    #[pyo3(signature = (path, *, trusted, types = None))]
    fn load_compiled<'py>(
        _class: &Bound<'py, PyType>,
        py: Python<'py>,
        path: PathBuf,
        trusted: bool,
        types: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Plugin> {
        if !trusted {
            return Err(PyValueError::new_err(
                "a compiled plugin is native code, which runs outside the sandbox: pass trusted=True if you trust who made it, or else load the .wasm file",
            ));
        }
        // SAFETY: the caller has said that the file is what `undergo compile` made, and that nobody
        // tampered with it.
        let core = py.detach(|| unsafe { undergo::Plugin::load_compiled(path) }).map_err(|error| errors::to_python(py, &error))?;
        // Its pickle has the module and no native code, which is compiled where it arrives.
        Plugin::make(py, core, types, &PyDict::new(py), None)
    }

    /// Wait until nothing of the plugin is being compiled in the background.
    ///
    /// New instances then have the best code.
    fn wait_compiled(&self, py: Python<'_>) -> PyResult<()> {
        py.detach(|| self.core.wait_compiled()).map_err(|error| errors::to_python(py, &error))
    }

    /// Which code the next instance will have: `"fast"` or `"best"`.
    #[getter]
    fn tier(&self, py: Python<'_>) -> PyResult<&'static str> {
        py.detach(|| self.core.tier()).map(undergo::Tier::as_str).map_err(|error| errors::to_python(py, &error))
    }

    /// Create an instance, which has its own memory, goroutines and globals.
    ///
    /// Args:
    ///     imports: the functions that the plugin needs, `{interface: {name: callable}}`. An object
    ///         with methods may take the place of the inner dict, and so may another instance,
    ///         whose exports are then called straight from this one's guest.
    ///     sandbox: what the instance may reach; nothing by default.
    ///     limits: what it may use.
    ///
    /// Raises:
    ///     MissingImportError: if functions are missing; it names all of them.
    ///     Error: whatever ended the initialisation.
    #[pyo3(signature = (*, imports = None, sandbox = None, limits = None))]
    fn instantiate<'py>(
        slf: &Bound<'py, Self>,
        imports: Option<&Bound<'py, PyAny>>,
        sandbox: Option<&Bound<'py, PyAny>>,
        limits: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, Instance>> {
        let py = slf.py();
        let core = &slf.get().core;
        let (options, origin) = Self::origin(slf, imports, sandbox, limits)?;
        let instance = py.detach(|| core.instantiate(options)).map_err(|error| errors::to_python(py, &error))?;
        Instance::make(py, origin, instance)
    }

    /// Create a pool of interchangeable instances, so that many threads can call at once.
    ///
    /// Args:
    ///     size: the maximum number of instances. They are created when calls need them.
    ///     imports: as for `instantiate`. All instances share the functions, which run on the
    ///         threads of the calls, several at once.
    ///     sandbox: what each instance may reach; nothing by default.
    ///     limits: what each instance may use. The timeout includes waiting for an instance and
    ///         creating one.
    ///     max_calls: an instance is replaced after this many calls; 1 gives each call a fresh
    ///         instance. None: it serves as long as it lives.
    ///     idle: seconds after which an unused instance is dropped. None: it is kept.
    ///     warm: how many instances are created at once.
    ///
    /// Raises:
    ///     MissingImportError: if functions are missing; it names all of them.
    #[pyo3(signature = (size, *, imports = None, sandbox = None, limits = None, max_calls = None, idle = None, warm = None))]
    #[pyo3(text_signature = "($self, size, *, imports=None, sandbox=None, limits=None, max_calls=None, idle=None, warm=0)")]
    #[expect(clippy::too_many_arguments, reason = "they are keywords, and Python's")]
    fn pool<'py>(
        slf: &Bound<'py, Self>,
        size: &Bound<'py, PyAny>,
        imports: Option<&Bound<'py, PyAny>>,
        sandbox: Option<&Bound<'py, PyAny>>,
        limits: Option<&Bound<'py, PyAny>>,
        max_calls: Option<&Bound<'py, PyAny>>,
        idle: Option<&Bound<'py, PyAny>>,
        warm: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, Pool>> {
        let py = slf.py();
        let core = &slf.get().core;
        let (instance, origin) = Self::origin(slf, imports, sandbox, limits)?;
        let options = config::pool_options(("size", size), max_calls, idle, instance)?;
        let warm = warm.map(|given| config::count(given, "warm", 0)).transpose()?;
        let pool = py.detach(|| core.pool(options)).map_err(|error| errors::to_python(py, &error))?;
        let pool = Pool::make(py, origin, pool)?;
        if let Some(warm) = warm {
            pool.get().warm(py, usize::try_from(warm).unwrap_or(usize::MAX))?;
        }
        Ok(pool)
    }

    /// Serve HTTP by a component that exports `wasi:http/incoming-handler`.
    ///
    /// Each request is answered by an instance of a pool, which keeps its state for the next one.
    /// The server runs on threads of its own until it is closed, or collected.
    ///
    /// Args:
    ///     address: where to listen; port 0 is one that the system chooses.
    ///     instances: the maximum number of instances, each of which answers one request at a time.
    ///         None: four for each processor.
    ///     imports: as for `instantiate`. The functions run on the threads of the server.
    ///     sandbox: what each instance may reach; nothing by default.
    ///     limits: what each instance may use. The timeout is that of a request, 30 seconds if
    ///         there is none.
    ///     max_calls: an instance is replaced after this many requests; 1 gives each one a fresh
    ///         instance. None: it serves as long as it lives.
    ///     idle: seconds after which an unused instance is dropped. None: it is kept.
    ///     queue: how many requests may wait for an instance; others are refused with status 503.
    ///     connections: how many connections there may be at a time.
    ///     body: the most bytes of a request's body; a longer one is refused with status 413.
    ///
    /// Raises:
    ///     InvalidPluginError: if the plugin does not serve HTTP.
    ///     DeniedError: if the system refuses to listen there.
    ///     MissingImportError: if functions are missing; it names all of them.
    #[pyo3(signature = (address = "127.0.0.1:8080", *, instances = None, imports = None, sandbox = None, limits = None, max_calls = None, idle = None, queue = None, connections = None, body = None))]
    #[expect(clippy::too_many_arguments, reason = "they are keywords, and Python's")]
    fn serve<'py>(
        slf: &Bound<'py, Self>,
        address: &str,
        instances: Option<&Bound<'py, PyAny>>,
        imports: Option<&Bound<'py, PyAny>>,
        sandbox: Option<&Bound<'py, PyAny>>,
        limits: Option<&Bound<'py, PyAny>>,
        max_calls: Option<&Bound<'py, PyAny>>,
        idle: Option<&Bound<'py, PyAny>>,
        queue: Option<&Bound<'py, PyAny>>,
        connections: Option<&Bound<'py, PyAny>>,
        body: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, Server>> {
        let py = slf.py();
        let (instance, origin) = Self::origin(slf, imports, sandbox, limits)?;
        let options = server::options(py, instances, max_calls, idle, [queue, connections, body], instance)?;
        Server::make(py, &slf.get().core, origin, address, options)
    }

    /// Create an instance whose exports are awaited, by `await plugin.instantiate_async(...)`.
    ///
    /// Args:
    ///     imports: as for `instantiate`; the functions may be coroutine functions.
    ///     sandbox: what the instance may reach; nothing by default.
    ///     limits: what it may use.
    ///
    /// Raises:
    ///     MissingImportError: if functions are missing; it names all of them.
    ///     Error: whatever ended the initialisation.
    #[pyo3(signature = (*, imports = None, sandbox = None, limits = None))]
    fn instantiate_async<'py>(
        slf: &Bound<'py, Self>,
        imports: Option<&Bound<'py, PyAny>>,
        sandbox: Option<&Bound<'py, PyAny>>,
        limits: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Call> {
        let (options, origin) = Self::origin(slf, imports, sandbox, limits)?;
        Ok(AsyncInstance::make(slf.get().core.clone(), options, origin))
    }

    /// Create a pool of instances whose exports are awaited. It has no instances yet.
    ///
    /// Args:
    ///     size: the maximum number of instances.
    ///     imports: as for `instantiate`; the functions may be coroutine functions.
    ///     sandbox: what each instance may reach; nothing by default.
    ///     limits: what each instance may use.
    ///     max_calls: an instance is replaced after this many calls; 1 gives each call a fresh
    ///         instance.
    ///     idle: seconds after which an unused instance is dropped.
    ///
    /// Raises:
    ///     MissingImportError: if functions are missing; it names all of them.
    #[pyo3(signature = (size, *, imports = None, sandbox = None, limits = None, max_calls = None, idle = None))]
    fn async_pool<'py>(
        slf: &Bound<'py, Self>,
        size: &Bound<'py, PyAny>,
        imports: Option<&Bound<'py, PyAny>>,
        sandbox: Option<&Bound<'py, PyAny>>,
        limits: Option<&Bound<'py, PyAny>>,
        max_calls: Option<&Bound<'py, PyAny>>,
        idle: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, AsyncPool>> {
        let py = slf.py();
        let (instance, origin) = Self::origin(slf, imports, sandbox, limits)?;
        AsyncPool::make(py, &slf.get().core, config::pool_options(("size", size), max_calls, idle, instance)?, origin)
    }

    /// Run a command to completion, and return its exit code and output.
    ///
    /// Args:
    ///     args: `os.Args` after the program's name. `args`, `env` and `stdin` replace the
    ///         sandbox's own.
    ///     env: its environment variables.
    ///     stdin: its standard input, as for `Sandbox`.
    ///     imports: as for `instantiate`, for a command that needs functions of the host.
    ///     sandbox: what else it may reach. Its output is captured for the result, up to the
    ///         sandbox's `capture_limit`, unless the sandbox says where it goes.
    ///     limits: what the whole run may use.
    ///     timeout: seconds that it may take, instead of the limits' timeout.
    ///     cancel: a token that can end it earlier, from any thread.
    ///
    /// Returns:
    ///     The exit code and the output. Any exit code is a result, not an error.
    ///
    /// Raises:
    ///     InvalidPluginError: if the plugin is a reactor, whose exports are to be called.
    ///     TrapError, TimeoutError, CancelledError, OutOfFuelError: if anything but an exit ended
    ///         it.
    ///     KeyboardInterrupt: if Ctrl-C ended it, on the main thread.
    #[pyo3(signature = (*, args = None, env = None, stdin = None, imports = None, sandbox = None, limits = None, timeout = None, cancel = None))]
    #[expect(clippy::too_many_arguments, reason = "they are keywords, and Python's")]
    fn run<'py>(
        &self,
        py: Python<'py>,
        args: Option<&Bound<'py, PyAny>>,
        env: Option<&Bound<'py, PyAny>>,
        stdin: Option<&Bound<'py, PyAny>>,
        imports: Option<&Bound<'py, PyAny>>,
        sandbox: Option<&Bound<'py, PyAny>>,
        limits: Option<&Bound<'py, PyAny>>,
        timeout: Option<Bound<'py, PyAny>>,
        cancel: Option<&Bound<'py, CancelToken>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let sandbox = config::sandbox_of_run(py, sandbox, args, env, stdin)?;
        let (options, host) = self.options(py, imports, Some(&sandbox), limits)?;
        let call = config::call_options(py, timeout, cancel)?;
        let completed = py.detach(|| self.core.run(options, &call)).map_err(|error| errors::to_python(py, &error));
        // The host functions are needed until the end.
        drop(host);
        records::completed(py, completed?)
    }

    /// Run a command like `run`, but awaited: `done = await plugin.run_async(...)`.
    ///
    /// The event loop goes on meanwhile, host functions may be coroutine functions, and cancelling
    /// the task ends the command.
    #[pyo3(signature = (*, args = None, env = None, stdin = None, imports = None, sandbox = None, limits = None, timeout = None, cancel = None))]
    #[expect(clippy::too_many_arguments, reason = "they are keywords, and Python's")]
    fn run_async<'py>(
        &self,
        py: Python<'py>,
        args: Option<&Bound<'py, PyAny>>,
        env: Option<&Bound<'py, PyAny>>,
        stdin: Option<&Bound<'py, PyAny>>,
        imports: Option<&Bound<'py, PyAny>>,
        sandbox: Option<&Bound<'py, PyAny>>,
        limits: Option<&Bound<'py, PyAny>>,
        timeout: Option<Bound<'py, PyAny>>,
        cancel: Option<&Bound<'py, CancelToken>>,
    ) -> PyResult<Call> {
        let sandbox = config::sandbox_of_run(py, sandbox, args, env, stdin)?;
        let (options, host) = self.options(py, imports, Some(&sandbox), limits)?;
        let call = config::call_options(py, timeout, cancel)?;
        let core = self.core.clone();
        Ok(Call::new("run_async", call.cancel.clone(), move |start| {
            Box::pin(async move {
                // The host functions are needed until the end.
                let _host = host;
                let completed = core.run_async(options, &options_of(&call, start)).await?;
                Python::attach(|py| records::completed(py, completed).map(Bound::unbind).map_err(|raised| raised::from_host(py, raised)))
            })
        }))
    }

    /// Bind what instances get, for functions that can be sent to other processes.
    ///
    /// A plugin, what `bind` returns, and its functions can be pickled; instances and pools can't.
    /// The functions run in whichever process calls them, by a pool that each process creates for
    /// itself when it first calls one.
    ///
    /// Args:
    ///     imports: as for `instantiate`. They are pickled with the functions.
    ///     sandbox: what each instance may reach, in the process where it runs; nothing by default.
    ///     limits: what each instance may use.
    ///     size: the maximum number of instances in each process. None: one for each processor.
    ///     max_calls: as for `pool`.
    ///     idle: seconds after which an unused instance is dropped. None: it is kept.
    ///
    /// Raises:
    ///     MissingImportError: if functions are missing; it names all of them.
    #[pyo3(signature = (*, imports = None, sandbox = None, limits = None, size = None, max_calls = None, idle = Some(60.0)))]
    #[pyo3(text_signature = "($self, *, imports=None, sandbox=None, limits=None, size=None, max_calls=None, idle=60.0)")]
    fn bind<'py>(
        slf: &Bound<'py, Self>,
        imports: Option<Bound<'py, PyAny>>,
        sandbox: Option<Bound<'py, PyAny>>,
        limits: Option<Bound<'py, PyAny>>,
        size: Option<Bound<'py, PyAny>>,
        max_calls: Option<Bound<'py, PyAny>>,
        idle: Option<f64>,
    ) -> PyResult<Bound<'py, PyAny>> {
        package::bound(slf.py(), "bind")?.call1((slf, imports, sandbox, limits, size, max_calls, idle))
    }

    /// The digest of the module's bytes: two plugins with the same digest have the same module.
    #[getter]
    fn digest(&self) -> String {
        self.core.digest()
    }

    fn __reduce_ex__<'py>(slf: &Bound<'py, Self>, protocol: i32) -> PyResult<Bound<'py, PyAny>> {
        let (py, this) = (slf.py(), slf.get());
        let options = this.options.bind(py).copy()?;
        let source = match &this.path {
            Some(path) => path.as_os_str().into_pyobject(py)?.into_any(),
            None => {
                options.set_item("name", this.core.name())?;
                PyBytes::new(py, this.core.bytes()).into_any()
            }
        };
        package::pickling(py, "reduce_plugin")?.call1((slf, protocol, source, options))
    }

    /// The name of the plugin's file.
    #[getter]
    fn name(&self) -> &str {
        self.core.name()
    }

    /// `"reactor"`, which has exports to call, or `"command"`.
    #[getter]
    fn kind(&self) -> &'static str {
        self.core.info().kind.as_str()
    }

    /// The interface as WIT text; None for a module without one.
    #[getter]
    fn interface(&self) -> Option<&str> {
        self.core.interface().map(|interface| interface.wit.as_str())
    }

    /// The version of Go that compiled the plugin, if the module says so.
    #[getter]
    fn go_version(&self) -> Option<&str> {
        self.core.info().go_version.as_deref()
    }

    /// The classes of the plugin's types: `plugin.types.Person`.
    ///
    /// The name of a variant is the union of the classes of its cases.
    #[getter]
    fn types(&self, py: Python<'_>) -> Py<PyAny> {
        self.types.clone_ref(py)
    }

    /// The signatures of the exports, by name.
    #[getter]
    fn exports<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let all = PyDict::new(py);
        for shape in self.shapes.iter() {
            all.set_item(&shape.name, shape.text())?;
        }
        Ok(all)
    }

    /// The signatures of the functions that the plugin needs, by interface and name.
    #[getter]
    fn imports<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        imports::describe(py, &self.core)
    }

    fn __repr__(&self) -> String {
        format!("<undergo.Plugin {}: {} exports>", self.core.name(), self.shapes.len())
    }

    fn __str__(&self) -> String {
        let mut text = format!("{} ({}", self.core.name(), self.kind());
        if let Some(go) = self.go_version() {
            text += &format!(", {go}");
        }
        text += ")\n";
        for shape in self.shapes.iter() {
            text += &format!("  {}\n", shape.text());
        }
        for (interface, function) in self.core.imports() {
            text += &format!("  needs {interface}.{}\n", signature::text(function));
        }
        text
    }

    fn __traverse__(&self, visit: pyo3::PyVisit<'_>) -> Result<(), pyo3::PyTraverseError> {
        visit.call(&self.types)?;
        visit.call(&self.options)
    }
}

/// The exports, and the constructors of resources.
fn shapes<'c>(py: Python<'c>, core: &'c undergo::Plugin) -> impl Iterator<Item = Shape> + 'c {
    let exports = core.exports().enumerate().map(move |(i, function)| Shape::new(py, i, function, python_name(&function.name)));
    let constructors = core.interface().into_iter().flat_map(|interface| &interface.resources).filter_map(move |resource| {
        let function = resource.constructor.as_ref()?;
        Some(Shape::of_constructor(py, core.member(function)?, function, &resource.ty))
    });
    exports.chain(constructors)
}

fn tiers(name: &str) -> PyResult<Compile> {
    match name {
        "tiered" => Ok(Compile::Tiered),
        "fast" => Ok(Compile::Fast),
        "best" => Ok(Compile::Best),
        _ => Err(PyValueError::new_err(format!("compile is '{name}'; it must be 'tiered', 'fast' or 'best'"))),
    }
}

/// What a plugin's pickle has besides the digest.
#[derive(PartialEq, Eq)]
enum InPickle {
    Bytes,
    Path,
}

fn in_pickle(name: &str) -> PyResult<InPickle> {
    match name {
        "bytes" => Ok(InPickle::Bytes),
        "path" => Ok(InPickle::Path),
        _ => Err(PyValueError::new_err(format!("pickle is '{name}'; it must be 'bytes' or 'path'"))),
    }
}

fn code_cache(given: Option<&Bound<'_, PyAny>>) -> PyResult<CodeCache> {
    let Some(given) = given else { return Ok(CodeCache::User) };
    if let Ok(wanted) = given.cast::<PyBool>() {
        return Ok(if wanted.is_true() { CodeCache::User } else { CodeCache::Off });
    }
    let folder: PathBuf = given
        .extract()
        .map_err(|_| PyTypeError::new_err("cache must be a path of a folder, False for no cache, or None for the user's own"))?;
    Ok(CodeCache::Folder(folder))
}
