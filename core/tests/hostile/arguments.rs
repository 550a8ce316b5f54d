//! Guests that give the arguments no honest place: `cabi_realloc` and the arena.

use undergo::{Error, ErrorKind, Value};

use crate::common::{self, expect, expect_dead, failure, start, typed};

const ITEMS: &str = "world w { export f: func(s: string) -> s32; }";

/// Calls `f` with text, in a guest with this `cabi_realloc`.
#[track_caller]
fn with_realloc(realloc: &str, length: usize) -> Error {
    let body = format!(
        r#"(func (export "f") (param i32 i32) (result i32) (local.get 1))
        (func $realloc (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) {realloc})"#
    );
    let instance = start(&typed(ITEMS, &body).expect("a plugin"));
    let error = failure(&instance, "f", &[Value::String("x".repeat(length))]);
    expect_dead(&instance, ErrorKind::Trap);
    assert!(start(instance.plugin()).dead().is_none());
    error
}

#[test]
fn a_realloc_that_gives_what_cannot_be() {
    for (address, shown) in
        [("4", "0x4"), ("1", "0x1"), ("131072", "0x20000"), ("131064", "0x1fff8"), ("-8", "0xfffffff8"), ("-1", "0xffffffff")]
    {
        let error = with_realloc(&format!("(i32.const {address})"), 9);
        expect(&error, ErrorKind::Trap, &["cabi_realloc", shown, "9 bytes", "misaligned or outside its memory"]);
    }
    // Large arguments are copied from where the host has them, on another path.
    expect(&with_realloc("(i32.const 65536)", 1 << 20), ErrorKind::Trap, &["cabi_realloc", "1048576 bytes"]);
}

#[test]
fn a_realloc_that_traps_or_never_ends() {
    expect(&with_realloc("unreachable", 9), ErrorKind::Trap, &["unreachable"]);
    let deep = "(call $realloc (local.get 0) (local.get 1) (local.get 2) (local.get 3))";
    expect(&with_realloc(deep, 9), ErrorKind::Trap, &["stack", "overflowed"]);
}

#[test]
fn a_realloc_may_give_the_same_place_twice() {
    // Also where the interface lies: it is the guest's own memory to spoil.
    let body = r#"(func (export "f") (param i32 i32) (result i32) (i32.load8_u (local.get 0)))
        (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 65536))"#;
    let instance = start(&typed(ITEMS, body).expect("a plugin"));
    for text in ["ab", "ba"] {
        let first = Value::Int(i64::from(text.as_bytes()[0]));
        assert_eq!(instance.call("f", &[text.into()], &common::PLAIN).expect("a call"), first);
    }
}

/// Calls `f` twice, in a guest whose arena has these words at that address; says what came.
fn with_arena(address: i64, next: u32, end: u32) -> Result<Value, Error> {
    let words: Vec<u8> = [next, end].iter().flat_map(|word| word.to_le_bytes()).collect();
    let body = format!(
        r#"(func (export "f") (param i32 i32) (result i32) (local.get 0))
        (func (export "undergo_arena") (result i32) (i32.const {address})) (data (i32.const 1024) "{}")"#,
        common::escape(&words)
    );
    let instance = start(&typed(ITEMS, &body).expect("a plugin"));
    let first = instance.call("f", &["hello".into()], &common::PLAIN)?;
    instance.call("f", &["hello".into()], &common::PLAIN)?;
    Ok(first)
}

/// Where the tests' own `cabi_realloc` begins.
const HEAP: Value = Value::Int(32_768);

#[test]
fn an_arena_is_used_when_it_can_be() {
    assert_eq!(with_arena(1024, 2048, 4096).expect("a call"), Value::Int(2048));
    assert_eq!(with_arena(1024, 2041, 4096).expect("a call"), Value::Int(2048));
    // Room for the one and no byte more.
    assert_eq!(with_arena(1024, 2048, 2053).expect("a call"), Value::Int(2048));
    assert_eq!(with_arena(1024, 2048, 2052).expect("a call"), HEAP);
}

#[test]
fn an_arena_of_garbage_is_passed_over() {
    for (next, end) in [
        (4096, 2048),
        (0, 0),
        (0xFFFF_FFFF, 0xFFFF_FFFF),
        (0xFFFF_FFF8, 0xFFFF_FFFF),
        (0xFFFF_FFFF, 0),
        (2048, 0xFFFF_FFFF),
        (131_072, 131_080),
        (131_064, 131_073),
    ] {
        assert_eq!(with_arena(1024, next, end).expect("a call"), HEAP, "{next:#x} to {end:#x}");
    }
}

#[test]
fn an_arena_whose_address_cannot_be_is_a_trap() {
    for (address, text) in
        [(131_072, "outside its memory"), (131_068, "outside its memory"), (-4, "outside its memory"), (1026, "not a multiple of 4")]
    {
        expect(
            &with_arena(address, 0, 0).expect_err("an arena that can't be"),
            ErrorKind::Trap,
            &["8 bytes", text][usize::from(address == 1026)..],
        );
    }
}

#[test]
fn an_arena_or_realloc_of_another_signature_is_refused() {
    for (export, shown) in [
        (r#"(func (export "undergo_arena") (param i64 i64) (result i32) (i32.const 0))"#, "undergo_arena"),
        (r#"(func (export "undergo_arena") (result i64) (i64.const 0))"#, "undergo_arena"),
        (r#"(func (export "cabi_realloc") (param i32) (result i32) (i32.const 0))"#, "cabi_realloc"),
        (r#"(func (export "_initialize") (param i64 i64 i64))"#, "_initialize"),
        (r#"(func (export "_initialize") (result i32) (i32.const 0))"#, "_initialize"),
    ] {
        let initialize = if shown == "_initialize" { "" } else { r#"(func (export "_initialize"))"# };
        let bare = common::plugin(&format!("(module {export} {initialize})")).expect_err("a wrong signature in a bare module");
        expect(&bare, ErrorKind::InvalidPlugin, &[shown, "has the signature"]);
        let body = format!(r#"(func (export "f") (param i32 i32) (result i32) (i32.const 0)) {export}"#);
        expect(&typed(ITEMS, &body).expect_err("a wrong signature"), ErrorKind::InvalidPlugin, &[shown, "has the signature"]);
    }
}
