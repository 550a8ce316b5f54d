//! A compiled plugin.

use std::ffi::{CString, c_char, c_void};
use std::ptr;

use undergo::{Error, ErrorKind, Tier};

use crate::boundary::{borrow, borrow_mut, bytes, delete, path, quietly, text};
use crate::config::{self, CallOptionsValue, LimitsValue, PluginOptionsValue, PoolOptionsValue};
use crate::errors::ErrorHandle;
use crate::exports::{Described, FunctionValue, SignatureValue, mismatch, mismatched};
use crate::guard::{guard, put};
use crate::handles::Alive;
use crate::imports::ImportsHandle;
use crate::instance::InstanceHandle;
use crate::loaded::{self, Loaded, PluginHandle};
use crate::pool::PoolHandle;
use crate::sandbox::SandboxHandle;

/// Loads a `.wasm` file. The caller frees the plugin with `undergo_plugin_delete`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_plugin_load(
    file: *const c_char,
    options: *const PluginOptionsValue,
    plugin: *mut *mut PluginHandle,
) -> *mut ErrorHandle {
    // SAFETY: C's promise.
    guard(|| unsafe {
        put(plugin, "plugin", || {
            let (file, options) = (path(file, "file")?, config::plugin_options(options)?);
            Ok(PluginHandle::new(undergo::Plugin::from_file_with(file, &options)?))
        })
    })
}

/// Loads a plugin from the content of a `.wasm` file, which is not needed any more afterwards.
/// `name` becomes its os.Args[0]; `"plugin.wasm"` for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_plugin_from_bytes(
    content: *const c_void,
    len: usize,
    name: *const c_char,
    options: *const PluginOptionsValue,
    plugin: *mut *mut PluginHandle,
) -> *mut ErrorHandle {
    // SAFETY: C's promise.
    guard(|| unsafe {
        put(plugin, "plugin", || {
            let name = if name.is_null() { "plugin.wasm" } else { text(name, "name")? };
            let content = bytes(content.cast(), len).map_err(|text| Error::new(ErrorKind::TypeMismatch, text))?;
            Ok(PluginHandle::new(undergo::Plugin::from_bytes_with(name, content, &config::plugin_options(options)?)?))
        })
    })
}

/// Loads a plugin that `undergo compile` has compiled: native code, which runs outside the sandbox.
/// `trusted` must be true, to confirm that the file comes from there and that nobody has changed
/// it. Damage is detected; malice is not.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_plugin_load_compiled(
    file: *const c_char,
    trusted: bool,
    plugin: *mut *mut PluginHandle,
) -> *mut ErrorHandle {
    // SAFETY: C's promise.
    guard(|| unsafe {
        put(plugin, "plugin", || {
            if !trusted {
                let text = "a compiled plugin is native code, which runs outside the sandbox: pass true for trusted if you trust who made it, or else load the .wasm file";
                return Err(Error::new(ErrorKind::Denied, text));
            }
            // The caller has said that the file is what `undergo compile` made, and that nobody
            // tampered with it.
            Ok(PluginHandle::new(undergo::Plugin::load_compiled(path(file, "file")?)?))
        })
    })
}

/// Frees a plugin. NULL is accepted. Instances and pools of it live on.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_plugin_delete(plugin: *mut PluginHandle) {
    // SAFETY: C's promise.
    unsafe { delete(plugin) };
}

/// Creates an instance, which has its own memory, goroutines and globals. The caller frees it with
/// `undergo_instance_delete`.
///
/// `imports` are the functions that the plugin needs, `sandbox` is what it may reach, and `limits`
/// what it may use; each may be NULL, and all stay the caller's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_plugin_instantiate(
    plugin: *const PluginHandle,
    imports: *const ImportsHandle,
    sandbox: *const SandboxHandle,
    limits: *const LimitsValue,
    instance: *mut *mut InstanceHandle,
) -> *mut ErrorHandle {
    // SAFETY: C's promise.
    unsafe { undergo_plugin_instantiate_with(plugin, imports, sandbox, limits, ptr::null(), instance) }
}

/// The same with options for the initialisation, which may be NULL: a timeout, which replaces that
/// of the limits, and a token.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_plugin_instantiate_with(
    plugin: *const PluginHandle,
    imports: *const ImportsHandle,
    sandbox: *const SandboxHandle,
    limits: *const LimitsValue,
    options: *const CallOptionsValue,
    instance: *mut *mut InstanceHandle,
) -> *mut ErrorHandle {
    // SAFETY: C's promise.
    guard(|| unsafe {
        put(instance, "instance", || {
            let plugin = borrow(plugin, "plugin")?;
            let wanted = loaded::options(plugin, imports, sandbox, limits)?;
            let core = plugin.0.core.instantiate_with(wanted, &config::call_options(options))?;
            Ok(InstanceHandle::new(Alive::own(core), &plugin.0))
        })
    })
}

/// Creates a pool of interchangeable instances, so that many threads can call at once. The caller
/// frees it with `undergo_pool_delete`.
///
/// Otherwise like `undergo_plugin_instantiate`. All instances share the host functions, which run
/// on the threads of the calls, several at once.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_plugin_pool(
    plugin: *const PluginHandle,
    pool_options: *const PoolOptionsValue,
    imports: *const ImportsHandle,
    sandbox: *const SandboxHandle,
    limits: *const LimitsValue,
    pool: *mut *mut PoolHandle,
) -> *mut ErrorHandle {
    // SAFETY: C's promise.
    guard(|| unsafe {
        put(pool, "pool", || {
            let (plugin, wanted) = (borrow(plugin, "plugin")?, borrow(pool_options, "options")?);
            let core = plugin.0.core.pool(config::pool_options(wanted, loaded::options(plugin, imports, sandbox, limits)?))?;
            core.warm_up(wanted.warm)?;
            Ok(PoolHandle { core, plugin: plugin.0.clone() })
        })
    })
}

/// Fails with signature-mismatch, listing all differences, unless the plugin has these functions:
/// exports, and imports, which name an interface. Other exports of the plugin do not matter; other
/// imports do. A generated header has a function that calls this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_plugin_expect(
    plugin: *const PluginHandle,
    signatures: *const SignatureValue,
    count: usize,
) -> *mut ErrorHandle {
    guard(|| {
        // SAFETY: C's promise.
        let plugin = unsafe { borrow(plugin, "plugin") }?;
        let mut wrong = Vec::new();
        for i in 0..count {
            // SAFETY: C's promise: an array of so many signatures.
            let wanted = unsafe { borrow(signatures.wrapping_add(i), "signatures") }?;
            // SAFETY: a signature of a generated header has texts.
            let name = unsafe { text(wanted.name, "the name of a signature") }?;
            let core = &plugin.0.core;
            let found = if wanted.interface.is_null() {
                let all = (0..).map_while(|number| core.function(number));
                { all }.find(|function| function.name == name)
            } else {
                // SAFETY: as above.
                let interface = unsafe { text(wanted.interface, "the interface of a signature") }?;
                core.imports().find(|(found, function)| *found == interface && function.name == name).map(|(_, function)| function)
            };
            if found.is_none_or(|function| function.digest() != wanted.digest) {
                wrong.push(mismatched(wanted, found.map(|function| &**function))?);
            }
        }
        if wrong.is_empty() { Ok(()) } else { Err(mismatch(&wrong.join("; "))) }
    })
}

/// Waits until nothing of it is being compiled in the background; new instances then have the best
/// code.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_plugin_wait_compiled(plugin: *const PluginHandle) -> *mut ErrorHandle {
    // SAFETY: C's promise.
    guard(|| unsafe { borrow(plugin, "plugin") }?.0.core.wait_compiled())
}

/// Returns whether the next instance will have the better compiler's code.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_plugin_is_best(plugin: *const PluginHandle, best: *mut bool) -> *mut ErrorHandle {
    guard(|| {
        // SAFETY: C's promise.
        let (plugin, best) = unsafe { (borrow(plugin, "plugin")?, borrow_mut(best, "best")?) };
        *best = plugin.0.core.tier()? == Tier::Best;
        Ok(())
    })
}

fn maybe(text: Option<&CString>) -> *const c_char {
    text.map_or(ptr::null(), |text| text.as_ptr())
}

/// SAFETY: NULL, or a live plugin.
unsafe fn read<'a>(plugin: *const PluginHandle, get: impl FnOnce(&'a Loaded) -> Option<&'a CString>) -> *const c_char {
    // SAFETY: the caller's promise.
    maybe(unsafe { plugin.as_ref() }.and_then(|plugin| get(&plugin.0)))
}

/// The name of its file. All texts of a plugin live as long as its handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_plugin_name(plugin: *const PluginHandle) -> *const c_char {
    // SAFETY: C's promise.
    unsafe { read(plugin, |plugin| Some(&plugin.name)) }
}

/// `"reactor"`, which has exports to call, or `"command"`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_plugin_kind(plugin: *const PluginHandle) -> *const c_char {
    // SAFETY: C's promise.
    unsafe { read(plugin, |plugin| Some(&plugin.kind)) }
}

/// The interface as WIT text; NULL for a module without one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_plugin_interface(plugin: *const PluginHandle) -> *const c_char {
    // SAFETY: C's promise.
    unsafe { read(plugin, |plugin| plugin.interface.as_ref()) }
}

/// The version of Go that compiled it; NULL if the module does not say so.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_plugin_go_version(plugin: *const PluginHandle) -> *const c_char {
    // SAFETY: C's promise.
    unsafe { read(plugin, |plugin| plugin.go_version.as_ref()) }
}

/// The warning of this index about loading it, or about options of its instances without effect, as
/// a sentence, or NULL. Examples: its code can't be cached, or there are rules for the network
/// although it opens no sockets.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_plugin_diagnostic(plugin: *const PluginHandle, index: usize) -> *const c_char {
    // SAFETY: C's promise.
    unsafe { read(plugin, |plugin| plugin.diagnostic(index)) }
}

/// The types of its functions as lines of words, for hosts that read and write the structs of
/// arguments and results by what the types are. A line `record NAME SIZE ALIGN`, `enum NAME` or
/// `variant NAME SIZE ALIGN OFFSET` begins a type, and those before it are numbered from 0 each;
/// `field NAME OFFSET TYPE` of a record, `case NAME` of an enum, and `case NAME TYPE` of a variant
/// follow it, whose value lies at OFFSET and whose TYPE may be `none`. A line `error N DIGEST` says
/// that record N has the fields of an error, which `undergo_chained_t` knows by its digest. A line
/// `export DIGEST SIZE FALLIBLE RESULT` begins an export, and `import …` an import, in the order of
/// `undergo_plugin_export` and `undergo_plugin_import`; `param NAME OFFSET TYPE` follow it. A line
/// `resource NAME SIDE SHAPE` is a resource; they are numbered from 0, and stand before all other
/// lines. Its SIDE is `guest` or `host`, its SHAPE `object`, `callback`, `iterator`, `reader` or
/// `writer`. A line `constructor N NUMBER NAME DIGEST SIZE FALLIBLE RESULT` begins the constructor
/// of resource N, and `method N NUMBER NAME DIGEST SIZE FALLIBLE RESULT` one of its methods, with
/// their `param` lines. NUMBER is that of `undergo_entry_t` for the guest's, whose methods have the
/// object as their first parameter, and the method's of `undergo_dispatch_t` for the host's, whose
/// methods have none. A TYPE is `own N` or `borrow N`, which are an `undergo_handle_t *` of the
/// guest's or an `undergo_object_t *` of the host's, and may be NULL where they are of an `option`,
/// which is no pointer to them; `bool`, `s8` … `f64`, `i32` or `i64` (of a bare module), `string`,
/// `json`, `duration`, `time`, `option T`, `list T`, `map SIZE K OFFSET V`, `tuple COUNT SIZE
/// ALIGN` with `OFFSET T` for each, `record N`, `enum N`, `variant N`; a RESULT may be `none`. It
/// lives as long as the plugin's handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_plugin_describe(plugin: *const PluginHandle) -> *const c_char {
    // SAFETY: C's promise.
    quietly(ptr::null(), || unsafe { read(plugin, |plugin| Some(plugin.description())) })
}

/// Writes the texts of a function. Returns whether there is one.
///
/// SAFETY: `out` is NULL, or a place for them.
unsafe fn describe(found: Option<&Described>, out: *mut FunctionValue) -> bool {
    if let (Some(found), false) = (found, out.is_null()) {
        // SAFETY: the caller's promise.
        unsafe { out.write(found.value()) };
    }
    found.is_some()
}

/// How many exports the plugin has.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_plugin_export_count(plugin: *const PluginHandle) -> usize {
    // SAFETY: C's promise.
    unsafe { plugin.as_ref() }.map_or(0, |plugin| plugin.0.exports.len())
}

/// Sets the export of that number. Returns whether there is one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_plugin_export(plugin: *const PluginHandle, number: usize, function: *mut FunctionValue) -> bool {
    // SAFETY: C's promise.
    unsafe { describe(plugin.as_ref().and_then(|plugin| plugin.0.exports.get(number)), function) }
}

/// Sets the number of the export of that name, in WIT or in a language's spelling: `echoPerson`.
/// Fails with unknown-export, and similar names, if there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_plugin_find(plugin: *const PluginHandle, name: *const c_char, number: *mut usize) -> *mut ErrorHandle {
    guard(|| {
        // SAFETY: C's promise.
        let (plugin, name, number) = unsafe { (borrow(plugin, "plugin")?, text(name, "name")?, borrow_mut(number, "number")?) };
        *number = plugin.0.core.export(name)?;
        Ok(())
    })
}

/// How many functions the host has to provide.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_plugin_import_count(plugin: *const PluginHandle) -> usize {
    // SAFETY: C's promise.
    unsafe { plugin.as_ref() }.map_or(0, |plugin| plugin.0.imports.len())
}

/// Sets the import of that index. Returns whether there is one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_plugin_import(plugin: *const PluginHandle, index: usize, function: *mut FunctionValue) -> bool {
    // SAFETY: C's promise.
    unsafe { describe(plugin.as_ref().and_then(|plugin| plugin.0.imports.get(index)), function) }
}
