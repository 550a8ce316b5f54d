//! A guest whose memory grows, or fails to, around calls of all sorts: what the host reads is what
//! is there.

use std::sync::Mutex;

use crate::common::{PLAIN, expect, failure, quiet, start, typed};
use undergo::{ErrorKind, Instance, Value};

const PAGE: u64 = 64 << 10;

/// Memory that grows within calls: by as many pages as it is told, or as `cabi_realloc` is called.
const GROWING: &str = r#"
    (memory (export "memory") 2)
    (global $heap (mut i32) (i32.const 1024))
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
      (local $at i32)
      (local.set $at (i32.mul (memory.size) (i32.const 65536)))
      (if (i32.eq (memory.grow (i32.add (i32.div_u (local.get 3) (i32.const 65536)) (i32.const 1))) (i32.const -1)) (then unreachable))
      (local.get $at))
    (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
    (func (export "grow-often") (param i32 i32) (result i32)
      (loop $again
        (drop (memory.grow (local.get 0)))
        (br_if $again (local.tee 1 (i32.sub (local.get 1) (i32.const 1)))))
      (memory.size))
    (func (export "echo") (param i32 i32) (result i32)
      (local $at i32)
      ;; The result lies in the last bytes of a memory that has just grown.
      (drop (memory.grow (i32.const 1)))
      (local.set $at (i32.sub (i32.mul (memory.size) (i32.const 65536)) (i32.const 8)))
      (i32.store (local.get $at) (local.get 0))
      (i32.store offset=4 (local.get $at) (local.get 1))
      (local.get $at))"#;

const WORLD: &str = "world w {
    export grow: func(pages: u32) -> s32;
    export grow-often: func(pages: u32, times: u32) -> u32;
    export echo: func(text: string) -> string;
}";

fn growing(memory: Option<u64>) -> Instance {
    let mut options = quiet();
    options.limits.memory = memory;
    typed(WORLD, GROWING).expect("a plugin").instantiate(options).expect("an instance")
}

fn echo(instance: &Instance, size: usize) {
    let text = "x".repeat(size);
    assert_eq!(instance.call("echo", &[text.as_str().into()], &PLAIN).expect("a call"), Value::String(text));
}

fn grow(instance: &Instance, pages: u32) -> Value {
    instance.call("grow", &[Value::Int(pages.into())], &PLAIN).expect("a call")
}

#[test]
fn memory_that_grows_within_each_call_is_read_where_it_is() {
    let instance = growing(None);
    for size in [0, 1, 100, 70_000, 1, 200_000, 5] {
        echo(&instance, size);
        assert_eq!(grow(&instance, 3), Value::Int(instance.usage().memory.cast_signed() / PAGE as i64 - 3));
        let end = instance.usage().memory;
        assert!(instance.read_memory((end - 1) as u32, 1).is_ok());
        assert!(instance.read_memory((end - 1) as u32, 2).is_err());
        assert!(instance.write_memory((end - 1) as u32, &[7]).is_ok());
    }
}

/// The numbers that saturate or wrap somewhere: none of them may stand for another size.
#[test]
fn growth_that_is_refused_changes_nothing() {
    for limit in [None, Some(100 * PAGE), Some(u64::MAX)] {
        let instance = growing(limit);
        echo(&instance, 10);
        for pages in [65_535, 65_536, 65_537, u32::MAX, u32::MAX - 1, 1 << 31, 1 << 16, 0xFFFF_0000] {
            let before = instance.usage().memory;
            assert_eq!(grow(&instance, pages), Value::Int(-1));
            assert_eq!(instance.usage().memory, before);
            echo(&instance, 10);
        }
        assert_eq!(
            instance.call("grow-often", &[Value::Int(0xFFFF), Value::Int(10_000)], &PLAIN).expect("a call"),
            Value::Int((instance.usage().memory / PAGE) as i64)
        );
        echo(&instance, 10);
    }
}

#[test]
fn a_limit_holds_to_the_page() {
    let instance = growing(Some(10 * PAGE));
    assert_eq!(grow(&instance, 9), Value::Int(-1));
    assert_eq!(grow(&instance, 8), Value::Int(2));
    assert_eq!(grow(&instance, 1), Value::Int(-1));
    assert_eq!(instance.usage().memory, 10 * PAGE);
    let error = failure(&instance, "echo", &["x".into()]);
    expect(&error, ErrorKind::Trap, &["unreachable"]);
}

/// Host functions read and write memory, and call the guest, while it grows around them.
#[test]
fn host_functions_see_the_memory_as_it_is() {
    let body = r#"
        (import "host" "ask" (func $ask (param i32 i32 i32)))
        (memory (export "memory") 2)
        (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
          (local $at i32)
          (local.set $at (i32.mul (memory.size) (i32.const 65536)))
          (drop (memory.grow (i32.const 1)))
          (local.get $at))
        (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
        (func (export "f") (param i32 i32) (result i32)
          (drop (memory.grow (i32.const 1)))
          (call $ask (local.get 0) (local.get 1) (i32.const 512))
          (drop (memory.grow (i32.const 1)))
          (i32.const 512))"#;
    let world = "world w { import host: interface { ask: func(text: string) -> string; } export grow: func(pages: u32) -> s32; \
                 export f: func(text: string) -> string; }";
    let plugin = typed(world, body).expect("a plugin");
    let inner: std::sync::Arc<Mutex<Option<Instance>>> = std::sync::Arc::default();
    let mut options = quiet();
    let shared = inner.clone();
    options.imports.func("host", "ask", move |args| {
        let instance = shared.lock().expect("no panic").clone().expect("the instance");
        grow(&instance, 1);
        let end = instance.usage().memory.max(1);
        assert!(instance.read_memory((end - 1) as u32, 1).is_ok());
        Ok(args[0].clone())
    });
    let instance = plugin.instantiate(options).expect("an instance");
    *inner.lock().expect("no panic") = Some(instance.clone());
    for size in [0, 3, 60_000, 3] {
        let text = "y".repeat(size);
        assert_eq!(instance.call("f", &[text.as_str().into()], &PLAIN).expect("a call"), Value::String(text));
    }
    inner.lock().expect("no panic").take();
}

#[test]
fn tables_that_fail_to_grow_are_not_counted() {
    let plugin = typed(
        "world w { export grow: func(by: u32) -> s32; }",
        r#"(table $t 1 1000 funcref) (func (export "grow") (param i32) (result i32) (table.grow $t (ref.null func) (local.get 0)))"#,
    )
    .expect("a plugin");
    let mut options = quiet();
    options.limits.table = Some(500);
    let instance = plugin.instantiate(options).expect("an instance");
    for by in [u32::MAX, 1000, 500, u32::MAX] {
        assert_eq!(grow(&instance, by), Value::Int(-1));
    }
    assert_eq!(grow(&instance, 499), Value::Int(1));
    assert_eq!(grow(&instance, 1), Value::Int(-1));
    // By the table's own maximum.
    let own = start(&plugin);
    for _ in 0..1000 {
        assert_eq!(grow(&own, 1000), Value::Int(-1));
    }
    assert_eq!(grow(&own, 999), Value::Int(1));
}
