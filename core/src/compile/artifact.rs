//! Compiled plugins as files to ship: native code, the module that it was made from, and the target
//! that it was made for.
//!
//! The code comes first, so that the file can be mapped. The module's bytes follow, then a text
//! that describes both, the length of that text, and a magic number.

use std::fmt::Write as _;

use crate::compile;
use crate::compile::engine::{self, Flavor, Settings, Stack};
use crate::compile::how;
use crate::compile::program::{Program, is_component};
use crate::compile::queue::PoolKind;
use crate::config::{CompileOptions, Tier};
use crate::error::{Error, ErrorKind, Result};
use crate::platform::fork;

const MAGIC: &[u8; 16] = b"undergo compiled";
const VERSION: &str = "3";
/// Bytes of the text's length and of the magic number.
const FOOT: usize = 4 + MAGIC.len();

/// Whether the bytes are a compiled plugin, whole or not.
pub(crate) fn is_artifact(bytes: &[u8]) -> bool {
    bytes.ends_with(MAGIC)
}

/// A parsed artifact. Its code has not been loaded yet.
pub(crate) struct Artifact<'b> {
    pub(crate) code: &'b [u8],
    /// The module that it was made from.
    pub(crate) module: &'b [u8],
    pub(crate) flavor: Flavor,
}

impl<'b> Artifact<'b> {
    /// Parses an artifact, and checks that it is complete and was made for this program and
    /// machine.
    pub(crate) fn parse(bytes: &'b [u8]) -> Result<Artifact<'b>> {
        let no_artifact = || invalid("it is no compiled plugin: 'undergo compile' makes one of a plugin");
        let damaged = || invalid("the compiled plugin is damaged: compile it anew with 'undergo compile'");
        let rest = bytes.strip_suffix(MAGIC).ok_or_else(no_artifact)?;
        let (rest, length) = rest.split_last_chunk().ok_or_else(damaged)?;
        let at = rest.len().checked_sub(u32::from_le_bytes(*length) as usize).ok_or_else(damaged)?;
        let (rest, text) = rest.split_at(at);
        let text = str::from_utf8(text).map_err(|_| damaged())?;
        let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')).unwrap_or_default();
        if field("undergo").is_empty() {
            return Err(damaged());
        }
        if field("format") != VERSION || field("undergo") != compile::VERSION {
            let by = field("undergo");
            let text = format!("it was compiled by version {by} of undergo, and this is {}: compile it anew", compile::VERSION);
            return Err(invalid(text));
        }
        if field("target") != target() {
            let text = format!("it was compiled for {}, and this machine is {}: compile it for this one", field("target"), target());
            return Err(invalid(text));
        }
        let size = field("code").parse::<usize>().map_err(|_| damaged())?;
        let (code, module) = rest.split_at_checked(size).ok_or_else(damaged)?;
        let fuel = field("fuel") == "yes";
        let tier = Tier::named(field("tier")).ok_or_else(damaged)?;
        let flavor = Flavor { tier, fuel, suspends: field("suspends") == "yes" };
        if text != describe(code, module, flavor, field("engine")) {
            return Err(damaged());
        }
        if field("engine") != engine_name(flavor)? {
            return Err(invalid("it was compiled for another engine or processor than this one: compile it anew, on this machine"));
        }
        Ok(Artifact { code, module, flavor })
    }

    /// Loads the code.
    ///
    /// # Safety
    ///
    /// The artifact must have been made by [`compile`], and not been changed since: its code is
    /// executed without checks.
    pub(crate) unsafe fn load(&self) -> Result<Program> {
        let engine = engine::engine(Settings { flavor: self.flavor, stack: Stack::DEFAULT })?;
        let _held = fork::hold()?;
        // SAFETY: the caller's promise.
        unsafe { Program::deserialize(engine, is_component(self.module), self.code) }
            .map_err(|error| invalid(format!("the compiled plugin can't be loaded: {error:#}")))
    }
}

/// Compiles a module to an artifact.
pub(crate) fn compile(module: &[u8], options: CompileOptions) -> Result<Vec<u8>> {
    let flavor = Flavor { tier: options.tier, fuel: options.fuel, suspends: how::suspends(module, options.wasi_0_3) };
    let mut bytes = match options.optimize && how::is_worth_rewriting(flavor) {
        true => how::compile_faster(flavor, module, options.bounds, PoolKind::Urgent, || true)?.unwrap_or_default(),
        false => how::compile(flavor, module, PoolKind::Urgent)?,
    };
    let text = describe(&bytes, module, flavor, &engine_name(flavor)?);
    bytes.reserve_exact(module.len() + text.len() + FOOT);
    bytes.extend_from_slice(module);
    bytes.extend_from_slice(text.as_bytes());
    bytes.extend_from_slice(&(text.len() as u32).to_le_bytes());
    bytes.extend_from_slice(MAGIC);
    Ok(bytes)
}

/// The text of an artifact: a name and a value in each line; the last line has the digest of all
/// that precedes it.
fn describe(code: &[u8], module: &[u8], flavor: Flavor, engine: &str) -> String {
    let mut text = format!("format {VERSION}\nundergo {}\ntarget {}\nengine {engine}\n", compile::VERSION, target());
    let word = |is_so| if is_so { "yes" } else { "no" };
    let _ = writeln!(text, "tier {}\nfuel {}\nsuspends {}", flavor.tier.as_str(), word(flavor.fuel), word(flavor.suspends));
    let _ = writeln!(text, "code {}\nmodule {}", code.len(), module.len());
    let mut digest = blake3::Hasher::new();
    digest.update(code).update(module).update(text.as_bytes());
    let _ = writeln!(text, "digest {}", digest.finalize());
    text
}

fn engine_name(flavor: Flavor) -> Result<String> {
    Ok(how::compatibility(engine::compiler(flavor)?).to_string())
}

fn target() -> String {
    format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS)
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidPlugin, message)
}
