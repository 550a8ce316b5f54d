//! What an engine runs: a core module, or a component.

use std::fs::File;
use std::io::Read as _;

use wasmtime::component::Component;
use wasmtime::{Engine, Module, Result};

/// Compiled code. Cheap to clone.
#[derive(Clone)]
pub(crate) enum Program {
    Module(Module),
    Component(Component),
}

/// Whether the bytes are a component of any version, by their preamble.
#[must_use]
pub fn is_component(bytes: &[u8]) -> bool {
    // The Component Model, Binary.md: version 0xd for now, and layer 1.
    matches!(bytes, [0, b'a', b's', b'm', _, _, 1, 0, ..])
}

impl Program {
    /// Compiles a module or a component to native code.
    pub(crate) fn precompile(engine: &Engine, bytes: &[u8]) -> Result<Vec<u8>> {
        if is_component(bytes) { engine.precompile_component(bytes) } else { engine.precompile_module(bytes) }
    }

    /// The native code.
    pub(crate) fn serialize(&self) -> Result<Vec<u8>> {
        match self {
            Program::Module(module) => module.serialize(),
            Program::Component(component) => component.serialize(),
        }
    }

    /// Loads native code.
    ///
    /// # Safety
    ///
    /// An engine of the same flavor has made it of these bytes' kind, and nobody has changed it.
    pub(crate) unsafe fn deserialize(engine: &Engine, is_component: bool, code: impl AsRef<[u8]>) -> Result<Program> {
        if is_component {
            // SAFETY: the caller's promise.
            unsafe { Component::deserialize(engine, code) }.map(Program::Component)
        } else {
            // SAFETY: as above.
            unsafe { Module::deserialize(engine, code) }.map(Program::Module)
        }
    }

    /// The same from a file that is open at its beginning, which is mapped for a module.
    ///
    /// # Safety
    ///
    /// As [`deserialize`](Program::deserialize), and the file does not change while the program
    /// lives.
    pub(crate) unsafe fn deserialize_open_file(engine: &Engine, is_component: bool, mut file: File) -> Result<Program> {
        if is_component {
            // The engine maps components by their paths only.
            let mut code = Vec::new();
            file.read_to_end(&mut code)?;
            // SAFETY: the caller's promise.
            unsafe { Component::deserialize(engine, code) }.map(Program::Component)
        } else {
            // SAFETY: as above.
            unsafe { Module::deserialize_open_file(engine, file) }.map(Program::Module)
        }
    }
}
