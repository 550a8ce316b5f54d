//! How modules are compiled, and what the code depends on.

use std::path::PathBuf;

use wasmtime::Engine;

use crate::compile::cache::Cache;
use crate::compile::engine::{self, Flavor};
use crate::compile::optimize::{self, Rewritten};
use crate::compile::program::{Program, is_component};
use crate::compile::proposals;
use crate::compile::queue::{self, PoolKind};
use crate::config::Tier;
use crate::error::{Error, ErrorKind, Result};

/// How modules are compiled: part of the key of a [`Code`](crate::compile::tiering::Code).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct How {
    pub(crate) cache: Option<Cache>,
    pub(crate) bounds: u32,
    pub(crate) compiler: Option<PathBuf>,
    pub(crate) optimize: bool,
    /// Whether it is a component that may be of WASI 0.3.
    pub(crate) wasi_0_3: bool,
}

impl How {
    /// Whether Go's jumps are rewritten before the flavor is compiled.
    pub(super) fn rewrites(&self, flavor: Flavor) -> bool {
        self.optimize && is_worth_rewriting(flavor)
    }
}

/// Whether rewriting Go's jumps saves time. The quick compiler translates each operator by itself,
/// so that it does not save what the rewriting costs.
pub(crate) fn is_worth_rewriting(flavor: Flavor) -> bool {
    flavor.tier == Tier::Best
}

/// Whether the functions of a program may suspend: those of a component that may be of WASI 0.3,
/// where this crate was built for them.
pub(crate) fn suspends(bytes: &[u8], wasi_0_3: bool) -> bool {
    wasi_0_3 && cfg!(feature = "wasi-0-3") && is_component(bytes)
}

/// Compiles a module to the code of that flavor, on all cores.
pub(crate) fn compile(flavor: Flavor, bytes: &[u8], kind: PoolKind) -> Result<Vec<u8>> {
    let engine = engine::compiler(flavor)?;
    let compiled = queue::pool(kind)?.install(|| Program::precompile(engine, bytes));
    // The engine's error does not name the proposal that a function uses.
    compiled.map_err(|error| proposals::validate(bytes, flavor.suspends).err().unwrap_or_else(|| failed(&error)))
}

/// As [`compile`], after Go's jumps were rewritten. `None` when nobody wants the code any more.
pub(crate) fn compile_faster(
    flavor: Flavor,
    bytes: &[u8],
    times: u32,
    kind: PoolKind,
    wanted: impl Fn() -> bool,
) -> Result<Option<Vec<u8>>> {
    match optimize::rewrite(bytes, times, wanted) {
        Rewritten::Unwanted => return Ok(None),
        // If the engine rejects the result, it may accept the original.
        Rewritten::As(module) => {
            if let Ok(code) = compile(flavor, &module, kind) {
                return Ok(Some(code));
            }
        }
        Rewritten::AsItIs => {}
    }
    compile(flavor, bytes, kind).map(Some)
}

/// What code depends on besides the module: the compiler, its version and settings, and this
/// machine.
pub(crate) fn compatibility(engine: &Engine) -> blake3::Hash {
    struct Digest(blake3::Hasher);
    impl std::hash::Hasher for Digest {
        fn write(&mut self, bytes: &[u8]) {
            self.0.update(bytes);
        }
        fn finish(&self) -> u64 {
            0 // All of the digest is wanted, not these bytes of it.
        }
    }
    let mut digest = Digest(blake3::Hasher::new());
    std::hash::Hash::hash(&engine.precompile_compatibility_hash(), &mut digest);
    digest.0.finalize()
}

/// The error if the engine refuses a module.
pub(super) fn failed(error: &wasmtime::Error) -> Error {
    Error::new(ErrorKind::InvalidPlugin, format!("the module can't be compiled: {error:#}"))
}
