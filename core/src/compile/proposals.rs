//! Which proposals of WebAssembly a module may use: one list, which configures the engine and the
//! validator alike.
//!
//! A proposal that is off is engine code that no plugin needs and that a hostile module could
//! reach. The list is for core modules.

use wasmparser::{Payload, Validator, WasmFeatures};
use wasmtime::Config;

use crate::compile::program::is_component;
use crate::error::{Error, ErrorKind};

/// A proposal, and why it is on or off.
struct Proposal {
    name: &'static str,
    features: WasmFeatures,
    reason: &'static str,
}

const fn proposal(name: &'static str, features: WasmFeatures, reason: &'static str) -> Proposal {
    Proposal { name, features, reason }
}

/// What modules of Go, TinyGo, zig cc and Rust use.
const ON: &[Proposal] = &[
    proposal("mutable globals", WasmFeatures::MUTABLE_GLOBAL, "the linkers of LLVM export them"),
    proposal("saturating float to int", WasmFeatures::SATURATING_FLOAT_TO_INT, "Go uses it"),
    proposal("sign extension", WasmFeatures::SIGN_EXTENSION, "Go uses it"),
    proposal("multi-value", WasmFeatures::MULTI_VALUE, "Rust and C modules name it as used"),
    proposal("bulk memory", WasmFeatures::BULK_MEMORY, "Go uses it"),
    proposal(
        "reference types",
        WasmFeatures::REFERENCE_TYPES,
        "LLVM writes the table of an indirect call in several bytes; references themselves need garbage collection, which is off",
    ),
    proposal("SIMD", WasmFeatures::SIMD, "Go uses it from 1.27 on"),
    proposal("floating point", WasmFeatures::FLOATS, "part of WebAssembly 1.0"),
];

/// All others. The reason follows "the module uses …, which is turned off: ".
const OFF: &[Proposal] = &[
    proposal("memory64", WasmFeatures::MEMORY64, "plugins have 32-bit addresses"),
    proposal("multi-memory", WasmFeatures::MULTI_MEMORY, "a plugin has one memory, which the host reads and limits"),
    proposal("custom page sizes", WasmFeatures::CUSTOM_PAGE_SIZES, "memory grows by pages of 64 KiB"),
    proposal("memory control", WasmFeatures::MEMORY_CONTROL, "memory changes by growth alone"),
    proposal("threads", WasmFeatures::THREADS, "an instance runs on one thread, and shares no memory"),
    proposal("shared-everything threads", WasmFeatures::SHARED_EVERYTHING_THREADS, "an instance runs on one thread, and shares nothing"),
    proposal("garbage collection", WasmFeatures::GC.union(WasmFeatures::GC_TYPES), "plugins collect their own garbage in linear memory"),
    proposal("typed function references", WasmFeatures::FUNCTION_REFERENCES, "the compilers of plugins call through untyped tables"),
    proposal("custom descriptors", WasmFeatures::CUSTOM_DESCRIPTORS, "they belong to garbage collection, which is off"),
    proposal("exceptions", WasmFeatures::EXCEPTIONS, "a panic of a plugin ends its instance"),
    proposal("legacy exceptions", WasmFeatures::LEGACY_EXCEPTIONS, "a panic of a plugin ends its instance"),
    proposal("stack switching", WasmFeatures::STACK_SWITCHING, "goroutines need none"),
    proposal("tail calls", WasmFeatures::TAIL_CALL, "the compilers of plugins make none unless they are told to"),
    proposal("extended constant expressions", WasmFeatures::EXTENDED_CONST, "only dynamic linking needs them, and a plugin is one module"),
    proposal("relaxed SIMD", WasmFeatures::RELAXED_SIMD, "its results differ from processor to processor"),
    proposal("wide arithmetic", WasmFeatures::WIDE_ARITHMETIC, "the compilers of plugins don't use it"),
    proposal("compact imports", WasmFeatures::COMPACT_IMPORTS, "the compilers of plugins don't use it"),
    proposal(
        "extensions of the component model",
        WasmFeatures::CM_VALUES
            .union(WasmFeatures::CM_NESTED_NAMES)
            .union(WasmFeatures::CM_ASYNC_STACKFUL)
            .union(WasmFeatures::CM_MORE_ASYNC_BUILTINS)
            .union(WasmFeatures::CM_THREADING)
            .union(WasmFeatures::CM_ERROR_CONTEXT)
            .union(WasmFeatures::CM_FIXED_LENGTH_LISTS)
            .union(WasmFeatures::CM_GC)
            .union(WasmFeatures::CM_MAP)
            .union(WasmFeatures::CM64)
            .union(WasmFeatures::CM_IMPLEMENTS)
            .union(WasmFeatures::CM_CANON_NAMES),
        "components are of WASI 0.2",
    ),
    proposal("functions that suspend", WasmFeatures::CM_ASYNC, WASI_0_3),
    proposal("component model", WasmFeatures::COMPONENT_MODEL, "this is a core module, and it uses what only components have"),
];

/// Why components of WASI 0.3 are refused.
const WASI_0_3: &str = if cfg!(feature = "wasi-0-3") {
    "they are of WASI 0.3, and are loaded by the option for it (wasi_0_3, or --wasi-0.3)"
} else {
    "they are of WASI 0.3, for which this program was built without the feature 'wasi-0-3' of the crate"
};

fn allowed() -> WasmFeatures {
    ON.iter().fold(WasmFeatures::empty(), |all, proposal| all | proposal.features)
}

/// Turns on what is on the list, and nothing else. `suspends` is for components of WASI 0.3.
pub(crate) fn configure(config: &mut Config, suspends: bool) {
    // In this order, because a feature that is off may be part of one that is on.
    config.wasm_features(WasmFeatures::all(), false);
    // Core modules, which are validated by the list alone, can't use what components have beyond
    // it.
    config.wasm_features(allowed() | of_components(suspends), true);
}

/// What a component may use beyond the list: components themselves, without their values; what
/// links the modules within one, as Python's are; and functions that suspend, where it may be of
/// WASI 0.3, of which this is all that WASI 0.3.0 needs.
fn of_components(suspends: bool) -> WasmFeatures {
    let all = WasmFeatures::COMPONENT_MODEL | WasmFeatures::EXTENDED_CONST;
    if suspends { all | WasmFeatures::CM_ASYNC } else { all }
}

fn features(bytes: &[u8], suspends: bool) -> WasmFeatures {
    if is_component(bytes) { allowed() | of_components(suspends) } else { allowed() }
}

/// Validates the sections of a module or a component as they are read, except for the bodies of
/// functions, which the engine validates when it compiles them.
pub(crate) struct Sections(Validator);

impl Sections {
    /// For these bytes, whose functions may suspend or not.
    pub(crate) fn of(bytes: &[u8], suspends: bool) -> Sections {
        Sections(Validator::new_with_features(features(bytes, suspends)))
    }

    pub(crate) fn check(&mut self, payload: &Payload<'_>) -> wasmparser::Result<()> {
        self.0.payload(payload).map(drop)
    }
}

/// Validates a whole module, or a component, whose functions may suspend or not.
pub(crate) fn validate(bytes: &[u8], suspends: bool) -> Result<(), Error> {
    Validator::new_with_features(features(bytes, suspends)).validate_all(bytes).map(drop).map_err(|error| invalid(bytes, &error))
}

/// The error for a module or a component that is not valid.
pub(crate) fn invalid(bytes: &[u8], error: &wasmparser::Error) -> Error {
    let what = if is_component(bytes) { "component" } else { "module" };
    refused(error).unwrap_or_else(|| Error::new(ErrorKind::InvalidPlugin, format!("the {what} is not valid: {error}")))
}

/// The error for a module that uses a proposal which is off, if that is the reason.
pub(crate) fn refused(error: &wasmparser::Error) -> Option<Error> {
    let missing = match error.missing_wasm_feature() {
        Some(missing) => missing,
        // For this proposal alone the validator reports a limit.
        None if error.message() == "multiple memories" => WasmFeatures::MULTI_MEMORY,
        None => return None,
    };
    let Proposal { name, reason, .. } = OFF.iter().find(|proposal| proposal.features.intersects(missing))?;
    let text = format!("the module uses {name}, a proposal of WebAssembly which is turned off: {reason}; build it without that ({error})");
    Some(Error::new(ErrorKind::InvalidPlugin, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A newer validator knows more proposals, which then have to be added to the list.
    #[test]
    fn each_proposal_is_on_one_list() {
        let mut seen = WasmFeatures::empty();
        for Proposal { name, features, reason } in ON.iter().chain(OFF) {
            assert!(!features.is_empty() && !seen.intersects(*features), "{name} is listed twice");
            assert!(!reason.is_empty(), "{name} has no reason");
            seen |= *features;
        }
        let missing: Vec<&str> = (!seen).iter_names().map(|(name, _)| name).collect();
        assert!(missing.is_empty(), "not on a list: {missing:?}");
    }
}
