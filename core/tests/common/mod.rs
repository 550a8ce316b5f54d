//! What the tests share: the conformance guest, the host functions that it wants, and modules
//! written as text.
#![allow(dead_code, reason = "each test crate uses its own part of this")]
#![allow(unreachable_pub, reason = "this is a module of several crates")]

pub mod host;
pub mod hostile_guest;

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use undergo::{CallOptions, Error, ErrorKind, Instance, InstanceOptions, Output, Plugin, Value};

/// The options of a call without any.
pub const PLAIN: CallOptions = CallOptions { timeout: None, cancel: None, within: None, caller: None };

/// Where the conformance guest lies.
pub fn conformance_path() -> Result<PathBuf, String> {
    guest_path("UNDERGO_CONFORMANCE_WASM", "conformance.wasm")
}

/// Where a guest of the tests lies: at the path that a variable of the environment names, or in the
/// folder of the build.
pub fn guest_path(variable: &str, file: &str) -> Result<PathBuf, String> {
    let path = match std::env::var_os(variable) {
        Some(path) => PathBuf::from(path),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../build").join(file),
    };
    if path.is_file() {
        return Ok(path);
    }
    Err(format!("the guest is not at {}: make it with 'make guest', or name it in {variable}", path.display()))
}

/// The conformance guest, compiled once in each test program.
pub fn conformance() -> &'static Plugin {
    static PLUGIN: OnceLock<Plugin> = OnceLock::new();
    PLUGIN.get_or_init(|| {
        let path = conformance_path().unwrap_or_else(|text| panic!("{text}"));
        Plugin::from_file(path).expect("the conformance guest is a plugin")
    })
}

/// Options that keep the guest's output out of the tests' own.
pub fn quiet() -> InstanceOptions {
    let mut options = InstanceOptions::default();
    options.sandbox.stdout = Output::Discard;
    options.sandbox.stderr = Output::Discard;
    options
}

/// A FIFO in that folder.
#[cfg(unix)]
pub fn fifo(folder: &Path) -> PathBuf {
    let path = folder.join("fifo");
    let name = std::ffi::CString::new(path.to_str().expect("text")).expect("no zero");
    // SAFETY: a string that ends with a zero.
    assert_eq!(unsafe { libc::mkfifo(name.as_ptr(), 0o600) }, 0);
    path
}

/// A module in text form, as a plugin.
pub fn plugin(wat: &str) -> Result<Plugin, Error> {
    Plugin::from_bytes("test.wasm", &assemble(wat))
}

/// A component of that world, by a core module in text form with the names that tools give its
/// functions.
pub fn component(wit: &str, core: &str) -> Plugin {
    Plugin::from_bytes("component.wasm", &component_bytes(wit, core)).unwrap_or_else(|error| panic!("{error}"))
}

/// The bytes of [`component`].
pub fn component_bytes(wit: &str, core: &str) -> Vec<u8> {
    let mut resolve = wit_parser::Resolve::default();
    let package = resolve.push_source("test.wit", wit).unwrap_or_else(|error| panic!("{error:#}"));
    let world = resolve.select_world(&[package], None).unwrap_or_else(|error| panic!("{error:#}"));
    let mut module = assemble(&format!("(module {core} {ALLOCATOR})"));
    let embedded = wit_component::embed_component_metadata(&mut module, &resolve, world, wit_component::StringEncoding::UTF8);
    embedded.unwrap_or_else(|error| panic!("{error:#}"));
    let encoder = wit_component::ComponentEncoder::default().module(&module);
    encoder.and_then(|encoder| encoder.validate(true).encode()).unwrap_or_else(|error| panic!("{error:#}"))
}

/// Checks that the file of that name in `conformance/components`, which other hosts load, is that
/// component; or writes it, if `UNDERGO_WRITE_COMPONENTS` is set.
pub fn expect_kept(name: &str, wit: &str, core: &str) {
    let bytes = component_bytes(wit, core);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../conformance/components").join(name);
    if std::env::var_os("UNDERGO_WRITE_COMPONENTS").is_some() {
        std::fs::write(&path, &bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }
    // The tools that made it note their versions, which may be others by now.
    let shown = |plugin: undergo::Result<Plugin>| {
        let info = plugin.unwrap_or_else(|error| panic!("{error}")).info().clone();
        let modules = info.sections.into_iter().filter(|section| section.name == "core module").map(|section| section.size);
        (info.wit, modules.collect::<Vec<_>>())
    };
    let (kept, made) = (shown(Plugin::from_file(&path)), shown(Plugin::from_bytes(name, &bytes)));
    assert_eq!(kept, made, "{name} is not what the test has: write it anew by UNDERGO_WRITE_COMPONENTS=1");
}

/// A memory, and an allocator that gives what it never gets back.
const ALLOCATOR: &str = r#"
    (memory (export "memory") 1)
    (global $next (mut i32) (i32.const 4096))
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (local $at i32)
        (local.set $at (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
        (global.set $next (i32.add (local.get $at) (local.get 3)))
        (block $fits
            (br_if $fits (i32.lt_u (global.get $next) (i32.mul (memory.size) (i32.const 65536))))
            (drop (memory.grow (i32.add (i32.div_u (local.get 3) (i32.const 65536)) (i32.const 1)))))
        (local.get $at))
"#;

/// A module in text form, as bytes.
pub fn assemble(wat: &str) -> Vec<u8> {
    wat::parse_str(wat).unwrap_or_else(|error| panic!("the test's module is wrong: {error}"))
}

/// An interface with its header (docs/abi.md, section 3), as the text of a data segment.
pub fn data(wit: &str) -> String {
    escape(&header(wit))
}

/// An interface with its header, as bytes.
pub fn header(wit: &str) -> Vec<u8> {
    let mut bytes = b"\xFFundergo:interface:".to_vec();
    bytes.extend(format!("1:{:08x}:{:08x}\n{wit}", wit.len(), crc32fast::hash(wit.as_bytes())).bytes());
    bytes
}

/// Bytes as they stand in a string of the text format.
pub fn escape(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("\\{byte:02x}")).collect()
}

/// A world with these items, in a package with the types that are not WIT's own.
pub fn world(items: &str) -> String {
    format!(
        "package test:plugin;\n{items}\npackage undergo:go {{\n  interface types {{ type duration = s64; type json = string; \
         record time {{ seconds: s64, nanoseconds: u32, offset: s32 }} }}\n  interface context {{ deadline: func() -> s64; }}\n}}\n"
    )
}

/// A plugin of one memory of two pages whose interface is at 64 KiB, behind all that the tests put
/// there.
pub fn typed(items: &str, body: &str) -> Result<Plugin, Error> {
    plugin(&typed_text(items, body))
}

/// The text of [`typed`].
pub fn typed_text(items: &str, body: &str) -> String {
    let realloc = if body.contains("\"cabi_realloc\"") {
        ""
    } else {
        r#"(global $heap (mut i32) (i32.const 32768))
        (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
          (global.get $heap)
          (global.set $heap (i32.and (i32.add (i32.add (global.get $heap) (local.get 3)) (i32.const 7)) (i32.const -8))))"#
    };
    let memory = if body.contains("\"memory\"") { "" } else { r#"(memory (export "memory") 2)"# };
    let start = if body.contains("\"_initialize\"") { "" } else { r#"(func (export "_initialize"))"# };
    // Imports come first in a module, so the body does.
    format!("(module {body} {memory} {realloc} {start} (data (i32.const 65536) \"{}\"))", data(&world(items)))
}

/// An instance with nothing but its defaults.
pub fn start(plugin: &Plugin) -> Instance {
    plugin.instantiate(quiet()).expect("an instance")
}

/// Calls an export, for its error.
pub fn failure(instance: &Instance, name: &str, args: &[Value]) -> Error {
    match instance.call(name, args, &PLAIN) {
        Ok(value) => panic!("{name} returned {value:?}, and should have failed"),
        Err(error) => error,
    }
}

/// Checks an error's kind, and that its text has all these parts.
#[track_caller]
pub fn expect(error: &Error, kind: ErrorKind, parts: &[&str]) {
    assert_eq!(error.kind(), kind, "{error:?}");
    let text = error.to_string();
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in {text:?}");
    }
}

/// Checks that the instance is dead of a cause with this text.
#[track_caller]
pub fn expect_dead(instance: &Instance, cause: ErrorKind) {
    let dead = instance.dead().expect("the instance is dead");
    expect(&dead, ErrorKind::DeadInstance, &[cause.as_str()]);
    let first = instance.plugin().exports().next().map(|function| function.name.clone()).expect("an export");
    let export = instance.plugin().export(&first).expect("the export");
    let again = instance.arguments(export).err().expect("a dead instance takes no call");
    expect(&again, ErrorKind::DeadInstance, &[cause.as_str()]);
}

/// Numbers that look random, the same in each run (xorshift64*).
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| (self.next() >> 56) as u8).collect()
    }

    /// Changes a few bytes, or cuts some out, or doubles some.
    pub fn damage(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..=self.below(4) {
            let at = self.below(bytes.len());
            let end = (at + self.below(40)).min(bytes.len());
            match self.below(4) {
                0 => bytes[at] ^= 1 << self.below(8),
                1 => bytes[at] = (self.next() >> 56) as u8,
                2 => drop(bytes.drain(at..end)),
                _ => bytes.extend_from_within(at..end),
            }
            if bytes.is_empty() {
                bytes.push(0);
            }
        }
    }
}
