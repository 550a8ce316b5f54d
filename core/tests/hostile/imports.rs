//! Calls of host functions with what can't be.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use undergo::{Error, ErrorKind, Imports, Instance, Value};

use crate::common::{self, expect, expect_dead, failure, typed};

/// A guest whose export `f` runs `code`, with these imports of the interface `host`; how often a
/// host function ran; each returns `answer`.
fn calling(functions: &str, imports: &str, code: &str, answer: &Value) -> (Instance, Arc<AtomicU32>) {
    let items = format!(
        "interface types {{ enum color {{ red, green }} }}\n\
         world w {{ import host: interface {{ use types.{{color}}; {functions} }} export f: func() -> s32; }}"
    );
    let body = format!(
        r#"{imports} (func (export "f") (result i32) {code} (i32.const 7))
        (data (i32.const 1024) "\10\04\00\00\02\00\00\00") (data (i32.const 1040) "\ff\fe")"#
    );
    let plugin = typed(&items, &body).expect("a plugin");
    let ran = Arc::new(AtomicU32::new(0));
    let mut options = common::quiet();
    let names: Vec<String> = plugin.imports().map(|(_, function)| function.name.clone()).collect();
    for name in names {
        let (ran, answer) = (ran.clone(), answer.clone());
        options.imports.func("host", name, move |_| {
            ran.fetch_add(1, Ordering::SeqCst);
            Ok(answer.clone())
        });
    }
    (plugin.instantiate(options).expect("an instance"), ran)
}

/// The host function must not run, and the call ends like this.
#[track_caller]
fn refused(functions: &str, imports: &str, code: &str, kind: ErrorKind, parts: &[&str]) {
    let (instance, ran) = calling(functions, imports, code, &Value::None);
    expect(&failure(&instance, "f", &[]), kind, parts);
    assert_eq!(ran.load(Ordering::SeqCst), 0);
    // Whatever it is, the guest was stopped in the middle of its call.
    expect_dead(&instance, kind);
    let others = calling(functions, imports, "", &Value::None).0;
    assert_eq!(others.call("f", &[], &common::PLAIN).expect("another instance lives"), Value::Int(7));
}

#[test]
fn pointers_of_flat_arguments() {
    let take = r#"(import "host" "take" (func $take (param i32 i32)))"#;
    let traps = |ty: &str, pointer: i64, length: i64, part: &str| {
        let code = format!("(call $take (i32.const {pointer}) (i32.const {length}))");
        refused(&format!("take: func(s: {ty});"), take, &code, ErrorKind::Trap, &["host.take(s", part]);
    };
    traps("string", -16, 17, "17 bytes at address 0xfffffff0");
    traps("string", 0, -1, "4294967295 bytes at address 0x0");
    traps("list<u8>", 131_072, 1, "outside its memory");
    traps("list<string>", 131_060, 2, "outside its memory");
    traps("list<s64>", 4, 1, "not a multiple of 8");
    traps("list<string>", 0, 0x2000_0000, "4294967296 bytes");
    refused(
        "take: func(s: string);",
        take,
        "(call $take (i32.const 1040) (i32.const 2))",
        ErrorKind::TypeMismatch,
        &["host.take(s)", "not UTF-8"],
    );
    refused(
        "take: func(s: list<string>);",
        take,
        "(call $take (i32.const 1024) (i32.const 1))",
        ErrorKind::TypeMismatch,
        &["host.take(s[0])"],
    );
}

#[test]
fn discriminants_of_flat_arguments() {
    let take = r#"(import "host" "take" (func $take (param i32)))"#;
    let code = "(call $take (i32.const 2))";
    refused("take: func(c: color);", take, code, ErrorKind::Trap, &["host.take(c)", "discriminant 2"]);
    // The high bits of a discriminant count: 256 is not case 0.
    refused("take: func(c: color);", take, "(call $take (i32.const 256))", ErrorKind::Trap, &["discriminant 256"]);
    let take = r#"(import "host" "take" (func $take (param i32 i64)))"#;
    let code = "(call $take (i32.const 3) (i64.const 0))";
    refused("take: func(o: option<s64>);", take, code, ErrorKind::Trap, &["host.take(o)", "discriminant 3"]);
}

#[test]
fn arguments_by_pointer() {
    let take = r#"(import "host" "take" (func $take (param i32)))"#;
    let params: String = (0..9).map(|i| format!("p{i}: string, ")).collect();
    let functions = format!("take: func({params});");
    for (address, text) in
        [("131072", "outside its memory"), ("131004", "outside its memory"), ("-4", "outside its memory"), ("1026", "not a multiple")]
    {
        refused(&functions, take, &format!("(call $take (i32.const {address}))"), ErrorKind::Trap, &[text]);
    }
    // All parameters are read as text at address 0 but the first, which is at 1024.
    refused(&functions, take, "(call $take (i32.const 1024))", ErrorKind::TypeMismatch, &["host.take(p0)", "not UTF-8"]);
}

#[test]
fn return_areas() {
    let give = r#"(import "host" "give" (func $give (param i32)))"#;
    for (address, text) in
        [("131072", "outside its memory"), ("131068", "outside its memory"), ("-8", "outside its memory"), ("1026", "not a multiple of 4")]
    {
        let code = format!("(call $give (i32.const {address}))");
        let (instance, ran) = calling("give: func() -> string;", give, &code, &"text".into());
        expect(&failure(&instance, "f", &[]), ErrorKind::Trap, &[text]);
        assert_eq!(ran.load(Ordering::SeqCst), 1);
        expect_dead(&instance, ErrorKind::Trap);
    }
}

#[test]
fn a_return_area_may_lie_on_the_result_itself() {
    // The guest's own memory to spoil: the host's is not touched.
    let give = r#"(import "host" "give" (func $give (param i32)))"#;
    let (instance, _) = calling("give: func() -> string;", give, "(call $give (i32.const 32768))", &"a text that is overwritten".into());
    assert_eq!(instance.call("f", &[], &common::PLAIN).expect("a call"), Value::Int(7));
}

#[test]
fn a_recursion_through_the_host_ends_in_a_trap() {
    let body = r#"(import "host" "again" (func $again)) (func (export "f") (call $again))"#;
    let plugin = typed("world w { import host: interface { again: func(); } export f: func(); }", body).expect("a plugin");
    let run = move || {
        let slot = Arc::new(std::sync::Mutex::new(None::<Instance>));
        let mut options = common::quiet();
        let inner = slot.clone();
        options.imports.func("host", "again", move |_| {
            let instance = inner.lock().map_err(|error| common::host::fail(&error.to_string()))?.clone();
            instance.ok_or_else(|| common::host::fail("no instance"))?.call("f", &[], &common::PLAIN)
        });
        let instance = plugin.instantiate(options).expect("an instance");
        *slot.lock().expect("the slot") = Some(instance.clone());
        let error = failure(&instance, "f", &[]);
        *slot.lock().expect("the slot") = None;
        expect(&error, ErrorKind::Trap, &["stack"]);
        expect_dead(&instance, ErrorKind::Trap);
    };
    run();
}

#[test]
fn host_functions_that_fail_or_panic() {
    let body = r#"(import "host" "a" (func $a)) (func (export "f") (call $a))"#;
    let plugin = typed("world w { import host: interface { a: func(); } export f: func(); }", body).expect("a plugin");
    let with = |function: fn() -> Result<Value, Error>| {
        let mut options = common::quiet();
        options.imports.func("host", "a", move |_| function());
        plugin.instantiate(options).expect("an instance")
    };
    let instance = with(|| panic!("the host is {}", "confused"));
    expect(&failure(&instance, "f", &[]), ErrorKind::HostError, &["the host function panicked: the host is confused"]);
    expect_dead(&instance, ErrorKind::HostError);
    let instance = with(|| Err(Error::from_host("no luck", Arc::new(42_u32))));
    let error = failure(&instance, "f", &[]);
    expect(&error, ErrorKind::HostError, &["no luck"]);
    assert_eq!(error.host().and_then(|host| host.downcast_ref::<u32>()), Some(&42));
    assert_eq!(with(|| Ok(Value::None)).call("f", &[], &common::PLAIN).expect("a call"), Value::None);
}

#[test]
fn all_that_is_missing_is_told_at_once() {
    let body = r#"(import "host" "one" (func)) (import "host" "two" (func (param i32 i32))) (import "other" "three" (func (param i64)))
        (import "wasi_snapshot_preview1" "no_such_thing" (func)) (import "host" "one" (func)) (func (export "f"))"#;
    let items = "world w { import host: interface { one: func(); two: func(s: string); } export f: func(); }";
    let plugin = typed(items, body).expect("a plugin");
    let parts = ["host.one(", "host.two(s: string)", "other.three(", "wasi_snapshot_preview1.no_such_thing", "none were given"];
    expect(&plugin.instantiate(common::quiet()).expect_err("imports are missing"), ErrorKind::MissingImport, &parts);
    let mut options = common::quiet();
    let mut imports = Imports::default();
    imports.func("host", "on", |_| Ok(Value::None));
    imports.func("other", "three", |_| Ok(Value::None));
    options.imports = imports;
    let error = plugin.instantiate(options).expect_err("imports are missing");
    expect(&error, ErrorKind::MissingImport, &["host.one(", "given were host.on, other.three"]);
    assert!(!error.message().contains("other.three("), "{error}");
}

#[test]
fn a_guest_may_call_the_host_while_it_is_initialized() {
    let body = r#"(import "host" "give" (func $give (param i32))) (func (export "_initialize") (call $give (i32.const 1024)))
        (func (export "f") (result i32) (i32.const 1024))"#;
    let plugin =
        typed("world w { import host: interface { give: func() -> string; } export f: func() -> string; }", body).expect("a plugin");
    let mut options = common::quiet();
    options.imports.func("host", "give", |_| Ok("at the start".into()));
    let instance = plugin.instantiate(options).expect("an instance");
    assert_eq!(instance.call("f", &[], &common::PLAIN).expect("a call"), "at the start".into());
}
