//! Proposals of WebAssembly: those that no plugin needs are refused by name, those that compilers
//! use work.

use crate::common::{PLAIN, assemble, component_bytes, expect, start};
use undergo::{CodeCache, Compile, ErrorKind, ModuleInfo, Plugin, PluginOptions, Value};

/// A proposal, and a module that uses it.
type Case = (&'static str, &'static str);

/// Seen as soon as a module is read, before anything is compiled.
const IN_SECTIONS: &[Case] = &[
    ("memory64", r#"(memory (export "memory") i64 1)"#),
    ("memory64", "(memory i64 1)"),
    ("memory64", r#"(import "env" "memory" (memory i64 1))"#),
    ("memory64", "(table i64 1 funcref)"),
    ("multi-memory", r#"(memory (export "memory") 1) (memory 1)"#),
    ("multi-memory", r#"(import "env" "memory" (memory 1)) (memory (export "memory") 1)"#),
    ("multi-memory", r#"(import "env" "a" (memory 1)) (import "env" "b" (memory 1))"#),
    ("custom page sizes", r#"(memory (export "memory") 1 (pagesize 1))"#),
    ("threads", r#"(memory (export "memory") 1 2 shared)"#),
    ("threads", r#"(import "env" "memory" (memory 1 2 shared))"#),
    ("shared-everything threads", "(global (shared mut i32) (i32.const 0))"),
    ("garbage collection", "(type (struct (field i32)))"),
    ("garbage collection", "(type (array i8))"),
    ("garbage collection", "(rec (type (func)) (type (func)))"),
    ("garbage collection", "(table 1 externref)"),
    ("garbage collection", "(global externref (ref.null extern))"),
    ("typed function references", "(type $f (func)) (func (param (ref $f)))"),
    ("typed function references", "(func $f) (table 1 (ref func) (ref.func $f))"),
    ("exceptions", "(tag (param i32))"),
    ("exceptions", r#"(import "env" "tag" (tag (param i32)))"#),
    ("stack switching", "(type $f (func)) (type (cont $f))"),
    ("extended constant expressions", "(global i32 (i32.add (i32.const 1) (i32.const 2)))"),
    ("extended constant expressions", r#"(memory (export "memory") 1) (data (i32.sub (i32.const 3) (i32.const 2)) "x")"#),
];

/// Seen in the bodies of functions, when they are compiled.
const IN_BODIES: &[Case] = &[
    ("garbage collection", "(func (local externref))"),
    ("exceptions", "(func (block $b (try_table (catch_all $b))))"),
    ("tail calls", "(func $f (return_call $f))"),
    ("tail calls", "(table 1 funcref) (func (return_call_indirect (i32.const 0)))"),
    ("typed function references", "(type $f (func)) (func (local (ref null $f)))"),
    ("relaxed SIMD", "(func (param v128) (result v128) (i8x16.relaxed_swizzle (local.get 0) (local.get 0)))"),
    ("wide arithmetic", "(func (param i64) (result i64 i64) (i64.add128 (local.get 0) (local.get 0) (local.get 0) (local.get 0)))"),
    ("threads", "(memory 1) (func (result i32) (i32.atomic.load (i32.const 0)))"),
    ("threads", "(func (atomic.fence))"),
];

fn module(body: &str) -> Vec<u8> {
    assemble(&format!(r#"(module {body} (func (export "_initialize")))"#))
}

#[test]
fn what_no_plugin_needs_is_refused_by_name() {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, body) in IN_SECTIONS.iter().chain(IN_BODIES) {
        let bytes = module(body);
        let words = [&*format!("uses {name}, a proposal"), "turned off", "build it without"];
        for compile in [Compile::Best, Compile::Fast, Compile::Tiered] {
            // The second time, whatever the first left in the cache.
            for _ in 0..2 {
                let options = PluginOptions { compile, cache: CodeCache::Folder(folder.path().to_owned()), ..PluginOptions::default() };
                let error = Plugin::from_bytes_with("test.wasm", &bytes, &options).expect_err(body);
                expect(&error, ErrorKind::InvalidPlugin, &words);
            }
        }
        expect(&Plugin::validate(&bytes).expect_err(body), ErrorKind::InvalidPlugin, &words);
        expect(&Plugin::compile(&bytes, false).expect_err(body), ErrorKind::InvalidPlugin, &words);
    }
}

#[test]
fn what_changes_memory_is_seen_when_the_module_is_read() {
    for (name, body) in IN_SECTIONS {
        let error = ModuleInfo::parse(&module(body)).expect_err(body);
        expect(&error, ErrorKind::InvalidPlugin, &[name]);
    }
}

#[test]
fn what_compilers_use_works() {
    let text = r#"
        (memory (export "memory") 1) (table $t 200 funcref) (global $g (export "g") (mut i32) (i32.const 0))
        (elem (i32.const 199) $pair) (type $two (func (result i32 i32))) (data $d "\07")
        (func $pair (result i32 i32) (i32.const 1) (i32.const 2))
        (func (export "f") (result i32)
          (memory.fill (i32.const 64) (i32.const 5) (i32.const 16))
          (memory.copy (i32.const 128) (i32.const 64) (i32.const 16))
          (memory.init $d (i32.const 0) (i32.const 0) (i32.const 1))
          (drop (table.grow $t (ref.null func) (i32.const 1)))
          (global.set $g (i32.add (call_indirect $t (type $two) (i32.const 199))))
          (global.get $g)
          (i32.add (i32.trunc_sat_f64_s (f64.const 10.5)))
          (i32.add (i32.extend8_s (i32.const 255)))
          (i32.add (i32x4.extract_lane 2 (i32x4.splat (i32.const 100))))
          (i32.add (i32.load8_u (i32.const 143)))
          (i32.add (i32.load8_u (i32.const 0))))"#;
    assert_eq!(run(&module(text)), Value::Int(124));
}

/// LLVM writes the number of a table in five bytes, for its linker to fill in.
#[test]
fn the_number_of_a_table_may_be_long() {
    let short = module(
        r#"(table 1 funcref) (elem (i32.const 0) $seven) (type $one (func (result i32)))
        (func $seven (result i32) (i32.const 7)) (func (export "f") (result i32) (call_indirect (type $one) (i32.const 0)))"#,
    );
    assert_eq!(run(&short), Value::Int(7));
    // The body `i32.const 0; call_indirect 0 0; end`, with its size and that of the section around
    // it.
    let body = [7, 0, 0x41, 0, 0x11, 0, 0, 0x0b];
    let at = short.windows(body.len()).position(|window| window == body).expect("the body");
    let mut long = short.clone();
    long.splice(at + 6..=at + 6, [0x80, 0x80, 0x80, 0x80, 0]);
    long[at] += 4;
    // Three functions: the section of code begins with its size and their number.
    let section = short.windows(3).position(|window| window[0] == 10 && window[2] == 3).expect("the section");
    long[section + 1] += 4;
    assert_eq!(run(&long), Value::Int(7));
}

fn run(bytes: &[u8]) -> Value {
    Plugin::validate(bytes).expect("it is valid");
    start(&Plugin::from_bytes("test.wasm", bytes).expect("a plugin")).call("f", &[], &PLAIN).expect("a call")
}

/// How they run where this crate is built for them is in `wasi_0_3.rs`.
#[test]
fn components_of_wasi_0_3_are_refused_with_the_way_to_run_them() {
    let bytes = component_bytes("package a:b; world w { export f: async func(); }", r#"(func (export "f"))"#);
    let way = if cfg!(feature = "wasi-0-3") { "--wasi-0.3" } else { "the feature 'wasi-0-3'" };
    for options in [PluginOptions::default(), PluginOptions::default().wasi_0_3(!cfg!(feature = "wasi-0-3"))] {
        let refused = Plugin::from_bytes_with("f.wasm", &bytes, &options).expect_err("it suspends");
        expect(&refused, ErrorKind::InvalidPlugin, &["functions that suspend", "WASI 0.3", way]);
    }
}
