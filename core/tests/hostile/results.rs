//! Results that can't be.

use std::time::{Duration, Instant};

use undergo::{ErrorKind, Instance, Value};

use crate::common::{self, expect, expect_dead, failure, start, typed};

/// A guest whose export `f` returns what lies at 1024, where `words` are; and `ok`, which is sound.
fn returning(ty: &str, words: &[u32]) -> Instance {
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    let items = format!(
        "interface types {{ enum color {{ red, green, blue }} record point {{ x: s32, on: bool, name: string }} }}\n\
         world w {{ use undergo:go/types.{{json, time}}; use types.{{color, point}}; export f: func() -> {ty}; export ok: func() -> s32; }}"
    );
    let body = format!(
        r#"(func (export "f") (result i32) (i32.const 1024)) (func (export "ok") (result i32) (i32.const 7))
        (data (i32.const 1024) "{}")"#,
        common::escape(&bytes)
    );
    start(&typed(&items, &body).expect("a plugin"))
}

/// The result is a trap with these parts in its text; the instance is dead, and another one is not.
#[track_caller]
fn traps(ty: &str, words: &[u32], parts: &[&str]) {
    let instance = returning(ty, words);
    expect(&failure(&instance, "f", &[]), ErrorKind::Trap, parts);
    expect_dead(&instance, ErrorKind::Trap);
    let other = start(instance.plugin());
    assert_eq!(other.call("ok", &[], &common::PLAIN).expect("another instance lives"), Value::Int(7));
}

#[test]
fn lists_and_strings_outside_the_memory() {
    traps("string", &[0xFFFF_FFF0, 5], &["f -> result", "5 bytes at address 0xfffffff0", "outside its memory of 131072 bytes"]);
    traps("string", &[0, 0xFFFF_FFFF], &["4294967295 bytes at address 0x0"]);
    traps("string", &[0xFFFF_FFFF, 0xFFFF_FFFF], &["outside its memory"]);
    traps("list<u8>", &[131_072, 1], &["1 bytes at address 0x20000"]);
    traps("list<u8>", &[131_071, 2], &["2 bytes at address 0x1ffff"]);
    traps("list<s64>", &[0, 0x2000_0000], &["4294967296 bytes"]);
    traps("list<s64>", &[8, 0xFFFF_FFFF], &["34359738360 bytes"]);
    traps("list<string>", &[0, 0xFFFF_FFFF], &["34359738360 bytes"]);
    traps("list<string>", &[1032, 2, 0, 0, 0xFFFF_0000, 9], &["f -> result[1]", "9 bytes at address 0xffff0000"]);
    traps("map<string, s32>", &[8, 0x1000_0000], &["3221225472 bytes"]);
    traps("map<string, s32>", &[1032, 1, 0xFFFF_0000, 1, 0], &["f -> result[entry 0]", "outside"]);
    traps("json", &[0, 0xFFFF_FFFF], &["outside"]);
}

#[test]
fn what_is_misaligned() {
    traps("list<s64>", &[4, 1], &["address 0x4, which is not a multiple of 8"]);
    traps("list<u16>", &[1025, 1], &["not a multiple of 2"]);
    traps("list<f64>", &[1028, 3], &["not a multiple of 8"]);
    traps("list<string>", &[1026, 1], &["not a multiple of 4"]);
    let items = "world w { export f: func() -> string; export g: func() -> time-like; type time-like = tuple<s64, s64>; }";
    let body = r#"(func (export "f") (result i32) (i32.const 1026)) (func (export "g") (result i32) (i32.const 1028))"#;
    let plugin = typed(items, body).expect("a plugin");
    for (name, text) in [("f", "address 0x402, which is not a multiple of 4"), ("g", "address 0x404, which is not a multiple of 8")] {
        let instance = start(&plugin);
        expect(&failure(&instance, name, &[]), ErrorKind::Trap, &[text]);
        expect_dead(&instance, ErrorKind::Trap);
    }
}

#[test]
fn return_areas_outside_the_memory() {
    for address in ["131072", "131068", "-4", "-2147483648"] {
        let body = format!(r#"(func (export "f") (result i32) (i32.const {address}))"#);
        let instance = start(&typed("world w { export f: func() -> string; }", &body).expect("a plugin"));
        expect(&failure(&instance, "f", &[]), ErrorKind::Trap, &["f", "8 bytes at address", "outside its memory"]);
        expect_dead(&instance, ErrorKind::Trap);
    }
}

#[test]
fn discriminants_and_bools_without_a_meaning() {
    traps("option<string>", &[2, 0, 0], &["f -> result", "discriminant 2"]);
    traps("option<string>", &[255, 0, 0], &["discriminant 255"]);
    traps("result<string, string>", &[3, 0, 0], &["discriminant 3"]);
    traps("result<_, string>", &[128, 0, 0], &["discriminant 128"]);
    traps("list<color>", &[1032, 2, 0x0300], &["f -> result[1]", "discriminant 3"]);
    traps("list<bool>", &[1032, 3, 0x0002_0100], &["f -> result[2]", "the bool 2"]);
    traps("tuple<s32, bool>", &[1, 7], &["f -> result[1]", "the bool 7"]);
    traps("list<point>", &[1032, 1, 5, 9, 0, 0], &["f -> result[0].on", "the bool 9"]);
}

#[test]
fn flat_results_without_a_meaning() {
    let items = "interface types { enum color { red, green } }\nworld w { use types.{color}; export f: func() -> color; export g: func() -> bool; }";
    let body = r#"(func (export "f") (result i32) (i32.const 256)) (func (export "g") (result i32) (i32.const 256))"#;
    let plugin = typed(items, body).expect("a plugin");
    let instance = start(&plugin);
    // The canonical ABI takes any flat number but 0 as true.
    assert_eq!(instance.call("g", &[], &common::PLAIN).expect("a bool"), Value::Bool(true));
    expect(&failure(&instance, "f", &[]), ErrorKind::Trap, &["discriminant 256"]);
    expect_dead(&instance, ErrorKind::Trap);
}

#[test]
fn text_that_is_not_utf_8_and_times_that_are_none_leave_the_instance_alive() {
    let utf8 = "not UTF-8";
    for (ty, words, path, text) in [
        ("string", vec![1032, 4, 0xFF6B_6F6F], "f -> result", utf8),
        ("list<string>", vec![1032, 2, 1048, 1, 1048, 2, 0x0000_FF61], "f -> result[1]", utf8),
        ("list<point>", vec![1032, 1, 5, 1, 1048, 1, 0xFF], "f -> result[0].name", utf8),
        ("time", vec![0, 0, 1_000_000_000, 0], "f -> result", "1000000000 nanoseconds"),
    ] {
        let instance = returning(ty, &words);
        expect(&failure(&instance, "f", &[]), ErrorKind::TypeMismatch, &[path, text]);
        assert!(instance.dead().is_none(), "{ty}");
        assert_eq!(instance.call("ok", &[], &common::PLAIN).expect("it lives"), Value::Int(7));
    }
}

#[test]
fn empty_lists_may_point_anywhere() {
    let instance = returning("tuple<string, list<s64>, list<u8>>", &[0xFFFF_FFFF, 0, 3, 0, 0x8000_0001, 0]);
    let empty = Value::List(vec!["".into(), Value::List(vec![]), Value::Bytes(vec![])]);
    assert_eq!(instance.call("f", &[], &common::PLAIN).expect("empty values"), empty);
}

#[test]
fn lists_that_overlap_mean_no_more_than_the_limit() {
    // 8000 lists of 8000 lists each, all the same bytes, down to text: terabytes, within 128 KiB of
    // memory.
    let items = "world w { export f: func() -> list<list<list<list<string>>>>; export ok: func() -> s32; }";
    let body = r#"(func (export "f") (result i32) (local $i i32)
          (loop $next
            (i32.store (local.get $i) (i32.const 0))
            (i32.store offset=4 (local.get $i) (i32.const 8000))
            (local.set $i (i32.add (local.get $i) (i32.const 8)))
            (br_if $next (i32.lt_u (local.get $i) (i32.const 64000))))
          (i32.const 0))
        (func (export "ok") (result i32) (i32.const 7))"#;
    let plugin = typed(items, body).expect("a plugin");
    let mut options = common::quiet();
    options.limits.value = Some(1 << 20);
    let instance = plugin.instantiate(options).expect("an instance");
    let began = Instant::now();
    expect(&failure(&instance, "f", &[]), ErrorKind::OutOfMemory, &["f -> result[0]", "more than 1048576 bytes", "limit for one value"]);
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    assert_eq!(instance.call("ok", &[], &common::PLAIN).expect("it lives"), Value::Int(7));
}

#[test]
fn a_post_return_function_that_traps_ends_the_instance() {
    let body = r#"(func (export "f") (result i32) (i32.const 1024)) (func (export "cabi_post_f") (param i32) unreachable)
        (data (i32.const 1024) "\00\00\00\00\00\00\01\00")"#;
    let instance = start(&typed("world w { export f: func() -> list<u8>; }", body).expect("a plugin"));
    expect(&failure(&instance, "f", &[]), ErrorKind::Trap, &["unreachable"]);
    expect_dead(&instance, ErrorKind::Trap);
}
