//! Modules that do not keep what they say, or say what can't be.

use undergo::interface::Interface;
use undergo::{CoreType, Error, ErrorKind, ModuleInfo, Value};

use crate::common::{self, expect, plugin, start, typed};

const F: &str = "world w { export f: func(s: string) -> s64; }";

#[track_caller]
fn invalid(made: Result<undergo::Plugin, Error>, parts: &[&str]) {
    expect(&made.expect_err("an invalid plugin"), ErrorKind::InvalidPlugin, parts);
}

#[test]
fn exports_that_the_interface_promises() {
    invalid(typed(F, ""), &["needs the export f", "lacks"]);
    invalid(typed(F, r#"(func (export "f") (param i32) (result i64) (i64.const 0))"#), &["f", "(i32) -> i64", "(i32, i32) -> i64"]);
    invalid(typed(F, r#"(func (export "f") (param i32 i32))"#), &["(i32, i32)", "(i32, i32) -> i64"]);
    let post = r#"(func (export "f") (param i32 i32) (result i64) (i64.const 0)) (func (export "cabi_post_f"))"#;
    invalid(typed(F, post), &["cabi_post_f", "()", "(i64)"]);
    let import = "world w { import host: interface { a: func(x: s64); } export f: func(); }";
    invalid(typed(import, r#"(import "host" "a" (func (param i32))) (func (export "f"))"#), &["import a of host", "(i32)", "(i64)"]);
}

#[test]
fn an_interface_without_what_it_takes() {
    let f = r#"(func (export "f") (param i32 i32) (result i64) (i64.const 0)) (func (export "_initialize"))"#;
    let text = common::data(&common::world(F));
    invalid(plugin(&format!(r#"(module {f} (memory 2) (data (i32.const 0) "{text}"))"#)), &["exports no memory"]);
    invalid(plugin(&format!(r#"(module {f} (memory (export "memory") 2) (data (i32.const 0) "{text}"))"#)), &["cabi_realloc"]);
}

/// A module with these bytes as data, and a scalar export.
fn carrying(data: &[u8]) -> Vec<u8> {
    let text = format!(
        r#"(module (memory (export "memory") 64) (func (export "_initialize")) (func (export "f") (result i32) (i32.const 7))
        (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0)) (data (i32.const 0) "{}"))"#,
        common::escape(data)
    );
    common::assemble(&text)
}

fn world_f(docs: &str) -> String {
    common::world(&format!("/// {docs}\nworld w {{ export f: func() -> s32; }}"))
}

#[test]
fn headers_that_count_and_headers_that_do_not() {
    let wit = |data: &[u8]| ModuleInfo::parse(&carrying(data)).map(|info| info.wit);
    let good = common::header(&world_f("good"));
    assert_eq!(wit(&good).expect("a module"), Some(world_f("good")));
    // The same text twice is one.
    assert_eq!(wit(&[&good[..], &good[..]].concat()).expect("a module"), Some(world_f("good")));
    // Two texts are none.
    let other = common::header(&world_f("other"));
    expect(&wit(&[&good[..], &other[..]].concat()).expect_err("two interfaces"), ErrorKind::InvalidPlugin, &["2 different interfaces"]);
    // A wrong checksum may be someone's constant.
    let mut spoilt = good.clone();
    *spoilt.last_mut().expect("bytes") ^= 1;
    assert_eq!(wit(&spoilt).expect("a module"), None);
    assert_eq!(wit(&[&spoilt[..], &other[..]].concat()).expect("a module"), Some(world_f("other")));
    let newer = b"\xFFundergo:interface:6:00000001:00000000\nx";
    expect(&wit(newer).expect_err("a newer version"), ErrorKind::InvalidPlugin, &["version 6", "up to 5", "newer undergo"]);
    for ignored in [
        &b"\xFFundergo:interface:"[..],
        b"\xFFundergo:interface:1",
        b"\xFFundergo:interface:1:",
        b"\xFFundergo:interface:1:00000001\n",
        b"\xFFundergo:interface:1:ffffffff:00000000\nshort",
        b"\xFFundergo:interface:1:fffffffff:00000000\nshort",
        b"\xFFundergo:interface:1:zzzzzzzz:00000000\nshort",
        b"\xFFundergo:interface::00000000:00000000\n",
        b"\xFFundergo:interface:99999999999:00000000:00000000\n",
        b"\xFFundergo:interface:1:00000001:00000001 and no end of the line for a long while yet\n",
        &good[..good.len() - 1],
        &good[1..],
    ] {
        assert_eq!(wit(ignored).expect("a module"), None, "{}", String::from_utf8_lossy(ignored));
    }
}

#[test]
fn a_million_headers_take_no_time() {
    // Each claims all bytes behind it: together their checksums would take minutes.
    let header = b"\xFFundergo:interface:1:00200000:00000000\n";
    let data = header.repeat((4 << 20) / header.len());
    let began = std::time::Instant::now();
    let info = ModuleInfo::parse(&carrying(&data)).expect("a module");
    assert_eq!(info.wit, None);
    assert!(began.elapsed().as_secs() < 60, "{:?}", began.elapsed());
}

#[test]
fn interfaces_that_explode() {
    let parse = |items: &str| Interface::parse(&common::world(items)).map(|interface| interface.exports.len());
    // Each type has the next twice: the text is short, and the type has 2³⁰ parts.
    let doubled: String = (1..30).map(|i| format!("type t{i} = tuple<list<t{}>, list<t{}>>;\n", i - 1, i - 1)).collect();
    let items = format!("interface types {{ type t0 = u8;\n{doubled} }} world w {{ use types.{{t29}}; export f: func(x: t29); }}");
    expect(&parse(&items).expect_err("too many parts"), ErrorKind::InvalidPlugin, &["nested too deeply"]);
    // Each record has the next one, and each is reached from the one before: no use of it is deep,
    // but the type is.
    let chain: String = (1..2000).map(|i| format!("record r{i} {{ x: list<r{}> }}\n", i - 1)).collect();
    let used: String = (0..2000).map(|i| format!("export call{i}: func(x: r{i});\n")).collect();
    let names: Vec<String> = (0..2000).map(|i| format!("r{i}")).collect();
    let items = format!("interface types {{ record r0 {{ x: u8 }}\n{chain} }} world w {{ use types.{{{}}};\n{used} }}", names.join(", "));
    expect(&parse(&items).expect_err("too deep"), ErrorKind::InvalidPlugin, &["nested too deeply"]);
    // A million flat values, a thousand times over.
    let large: String = (1..6).map(|i| format!("type b{i} = tuple<{}>;\n", vec![format!("b{}", i - 1); 10].join(", "))).collect();
    let params: Vec<String> = (0..10_000).map(|i| format!("p{i}: b5")).collect();
    let items =
        format!("interface types {{ type b0 = bool;\n{large} }} world w {{ use types.{{b5}}; export f: func({}); }}", params.join(", "));
    expect(&parse(&items).expect_err("too large"), ErrorKind::InvalidPlugin, &[]);
    // As deep as it may be.
    let deep = format!("world w {{ export f: func(x: {}u8{}); }}", "list<".repeat(60), ">".repeat(60));
    assert_eq!(parse(&deep).expect("an interface"), 1);
}

#[test]
fn imports_that_no_host_gives() {
    for (import, name) in [
        (r#"(import "env" "memory" (memory 1))"#, "memory"),
        (r#"(import "env" "table" (table 1 funcref))"#, "table"),
        (r#"(import "env" "base" (global i32))"#, "base"),
        (r#"(import "env" "wide" (func (param v128)))"#, "wide"),
        (r#"(import "env" "many" (func (result i32 i32)))"#, "many"),
        (r#"(import "env" "ref" (func (param externref)))"#, "garbage collection"),
        (r#"(import "env" "twice" (func)) (import "env" "twice" (func (param i32)))"#, "twice"),
        (r#"(import "wasi_snapshot_preview1" "fd_write" (func (param i64)))"#, "fd_write"),
    ] {
        invalid(plugin(&format!(r#"(module {import} (func (export "_initialize")))"#)), &[name]);
    }
}

#[test]
fn commands_and_what_is_neither() {
    let command = plugin(r#"(module (memory (export "memory") 1) (func (export "_start")))"#).expect("a command");
    expect(&command.instantiate(common::quiet()).expect_err("a command"), ErrorKind::InvalidPlugin, &["command", "-buildmode=c-shared"]);
    invalid(plugin(r#"(module (func (export "f")))"#), &["neither _initialize nor _start", "-buildmode=c-shared"]);
    invalid(plugin("(module)"), &["neither _initialize nor _start"]);
}

#[test]
fn a_module_without_memory() {
    let instance =
        start(&plugin(r#"(module (func (export "_initialize")) (func (export "f") (result i32) (i32.const 7)))"#).expect("a plugin"));
    assert_eq!(instance.call("f", &[], &common::PLAIN).expect("a call"), Value::Int(7));
    expect(&instance.memory_size().expect_err("no memory"), ErrorKind::InvalidPlugin, &["no memory"]);
    expect(&instance.read_memory(0, 1).expect_err("no memory"), ErrorKind::InvalidPlugin, &["no memory"]);
    assert!(instance.dead().is_none());
}

#[test]
fn signatures_are_shown_as_webassembly_has_them() {
    let bytes = common::assemble(r#"(module (func (export "_start") (param i32 f64) (result i64) (i64.const 0)))"#);
    let info = ModuleInfo::parse(&bytes).expect("a module");
    assert_eq!(info.export("_start").map(|export| export.ty.to_string()).as_deref(), Some("(i32, f64) -> i64"));
    assert_eq!(CoreType { params: vec![], results: vec![] }.to_string(), "()");
}
