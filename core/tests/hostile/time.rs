//! Guests that want more time, memory or stack than they may have.

use std::thread;
use std::time::{Duration, Instant};

use undergo::{CallOptions, CancelToken, Error, ErrorKind, InstanceOptions, Plugin, Value};

use crate::common::{self, PLAIN, expect, expect_dead, failure, plugin, start};

const LIMIT: Duration = Duration::from_millis(100);

/// Far more than any of these takes, and far less than for ever.
const SOON: Duration = Duration::from_secs(20);

fn limited(memory: Option<u64>) -> InstanceOptions {
    let mut options = common::quiet();
    options.limits.timeout = Some(LIMIT);
    options.limits.memory = memory;
    options
}

/// A bare module with an export `ok`.
fn bare(body: &str) -> Plugin {
    let initialize = if body.contains("_initialize") { "" } else { r#"(func (export "_initialize"))"# };
    plugin(&format!(r#"(module {body} {initialize} (func (export "ok") (result i32) (i32.const 7)))"#)).expect("a plugin")
}

#[test]
fn an_endless_loop_anywhere() {
    let endless = "(loop $on (br $on))";
    for body in [
        format!("(func $f {endless}) (start $f)"),
        format!(r#"(func (export "_initialize") {endless})"#),
        format!(r#"(func (export "undergo_arena") (result i32) {endless} (i32.const 0))"#),
    ] {
        let plugin = bare(&body);
        let began = Instant::now();
        let error = plugin.instantiate(limited(None)).expect_err("an endless start");
        expect(&error, ErrorKind::Timeout, &["100ms"]);
        assert!(began.elapsed() >= LIMIT && began.elapsed() < SOON, "{body}: {:?}", began.elapsed());
    }
    let plugin = bare(&format!(r#"(func (export "f") {endless})"#));
    let instance = plugin.instantiate(limited(None)).expect("an instance");
    expect(&failure(&instance, "f", &[]), ErrorKind::Timeout, &["100ms"]);
    expect_dead(&instance, ErrorKind::Timeout);
    // One instance's deadline is not another's.
    let other = start(&plugin);
    assert_eq!(other.call("ok", &[], &PLAIN).expect("a call"), Value::Int(7));
    let brief = CallOptions { timeout: Some(Duration::from_millis(50)), ..PLAIN };
    expect(&other.call("f", &[], &brief).expect_err("an endless loop"), ErrorKind::Timeout, &["50ms"]);
}

/// Exports `f`, which waits ten minutes: a subscription to the monotonic clock.
const SLEEPS: &str = r#"(import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (func $sleep (export "f") (i32.store (i32.const 16) (i32.const 1)) (i64.store (i32.const 24) (i64.const 600000000000))
      (drop (call $poll (i32.const 0) (i32.const 64) (i32.const 1) (i32.const 128))))"#;

#[test]
fn sleep_beyond_the_deadline() {
    let plugin = bare(SLEEPS);
    let instance = plugin.instantiate(limited(None)).expect("an instance");
    let began = Instant::now();
    expect(&failure(&instance, "f", &[]), ErrorKind::Timeout, &["100ms"]);
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
    expect_dead(&instance, ErrorKind::Timeout);
    let began = Instant::now();
    let sleeping = bare(&SLEEPS.replace(r#"(func $sleep (export "f")"#, r#"(func $sleep (export "_initialize")"#));
    expect(&sleeping.instantiate(limited(None)).expect_err("a sleep"), ErrorKind::Timeout, &["100ms"]);
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
}

#[test]
fn wasi_with_pointers_that_cannot_be() {
    let body = r#"(import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
        (memory (export "memory") 1) (data (i32.const 0) "\00\00\00\00\ff\ff\ff\ff")
        (func (export "write") (result i32) (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 64)))
        (func (export "write-far") (result i32) (call $write (i32.const 1) (i32.const -8) (i32.const -1) (i32.const -4)))
        (func (export "write-nothing") (result i32) (i64.store (i32.const 0) (i64.const 0xffffffff))
          (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 64)))
        (func (export "random") (result i32) (call $random (i32.const 16) (i32.const -1)))
        (func (export "poll") (result i32) (call $poll (i32.const 0) (i32.const 0) (i32.const -1) (i32.const 0)))"#;
    let plugin = bare(body);
    for name in ["write", "write-far", "random", "poll"] {
        let instance = plugin.instantiate(limited(None)).expect("an instance");
        // An error number for the guest or a trap: what WASI's implementation says.
        match instance.call(name, &[], &PLAIN) {
            Ok(errno) => assert_ne!(errno, Value::Int(0), "{name}"),
            Err(error) => assert_eq!(error.kind(), ErrorKind::Trap, "{name}: {error:?}"),
        }
    }
    // No bytes may lie anywhere.
    let instance = plugin.instantiate(limited(None)).expect("an instance");
    assert_eq!(instance.call("write-nothing", &[], &PLAIN).expect("an answer"), Value::Int(0));
}

/// Runs on a thread with hardly any stack, as hosts have them.
fn on_a_small_stack<R: Send + 'static>(code: impl FnOnce() -> R + Send + 'static) -> R {
    let spawned = thread::Builder::new().stack_size(256 << 10).spawn(code).expect("a thread");
    spawned.join().expect("the thread ends as it should")
}

#[test]
fn deep_recursion_on_a_small_stack_is_a_trap() {
    let deep = "(local i64 i64 i64 i64) (call $f)";
    let plugin = bare(&format!(r#"(func $f (export "f") {deep})"#));
    on_a_small_stack(move || {
        let instance = start(&plugin);
        let error = failure(&instance, "f", &[]);
        expect(&error, ErrorKind::Trap, &["stack", "overflowed"]);
        assert!(!error.frames().is_empty());
        expect_dead(&instance, ErrorKind::Trap);
        assert_eq!(start(&plugin).call("ok", &[], &PLAIN).expect("a call"), Value::Int(7));
    });
    for body in [format!("(func $f {deep}) (start $f)"), format!(r#"(func $f (export "_initialize") {deep})"#)] {
        let plugin = bare(&body);
        let error: Error = on_a_small_stack(move || plugin.instantiate(common::quiet()).expect_err("a deep start"));
        expect(&error, ErrorKind::Trap, &["stack", "overflowed"]);
    }
}

#[test]
fn memory_beyond_the_limit() {
    let grow = r#"(func (export "f") (param i32) (result i32) (memory.grow (local.get 0)))"#;
    let plugin = bare(&format!(r#"(memory (export "memory") 1) {grow}"#));
    let instance = plugin.instantiate(limited(Some(1 << 20))).expect("an instance");
    let f = |pages: i64| instance.call("f", &[Value::Int(pages)], &PLAIN).expect("a call");
    // What is refused is the guest's to handle: memory.grow says -1.
    assert_eq!([f(16), f(65_535), f(-1), f(15), f(1), f(0)], [-1, -1, -1, 1, -1, 16].map(Value::Int));
    assert_eq!(instance.memory_size().expect("a memory"), 1 << 20);
    assert!(instance.dead().is_none());
    let error = bare(r#"(memory (export "memory") 17)"#).instantiate(limited(Some(1 << 20))).expect_err("too much at once");
    expect(&error, ErrorKind::OutOfMemory, &["1114112 bytes", "limit is 1048576 bytes"]);
}

#[test]
fn a_memory_is_bounded_and_tables_count_together() {
    let memory = r#"(memory (export "memory") 17)"#;
    expect(&bare(memory).instantiate(limited(Some(1 << 20))).expect_err("17 pages"), ErrorKind::OutOfMemory, &["1048576 bytes"]);
    let grow = r#"(memory (export "memory") 1) (func (export "f") (result i32) (memory.grow (i32.const 16)))"#;
    let instance = bare(grow).instantiate(limited(Some(1 << 20))).expect("an instance");
    assert_eq!(instance.call("f", &[], &PLAIN).expect("a call"), Value::Int(-1));
    let tables = format!(
        r#"{} (func (export "f") (result i32) (table.grow 0 (ref.null func) (i32.const 3000000)))
        (func (export "g") (result i32) (table.grow 1 (ref.null func) (i32.const 3000000)))"#,
        "(table 1 funcref)".repeat(2)
    );
    let instance = start(&bare(&tables));
    assert_eq!(instance.call("f", &[], &PLAIN).expect("a call"), Value::Int(1));
    assert_eq!(instance.call("g", &[], &PLAIN).expect("a call"), Value::Int(-1));
}

#[test]
fn a_shared_memory_to_wait_on_for_ever_is_refused() {
    let body = r#"(memory (export "memory") 1 1 shared)
        (func (export "f") (result i32) (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const -1)))"#;
    let text = format!(r#"(module {body} (func (export "_initialize")))"#);
    let made = plugin(&text).and_then(|plugin| plugin.instantiate(limited(None)));
    expect(&made.expect_err("a shared memory"), ErrorKind::InvalidPlugin, &["shared"]);
}

#[test]
fn a_token_ends_what_computes_sleeps_and_waits() {
    let endless = bare(r#"(func (export "f") (loop $on (br $on)))"#);
    let sleeper = bare(SLEEPS);
    for plugin in [&endless, &sleeper] {
        let instance = plugin.instantiate(common::quiet()).expect("an instance");
        let token = CancelToken::new();
        let options = CallOptions { cancel: Some(token.clone()), ..PLAIN };
        thread::scope(|scope| {
            // One of them is in the guest, the other waits for it; nobody knows which.
            let calls = [(); 2].map(|()| scope.spawn(|| instance.call("f", &[], &options)));
            assert!(calls.iter().all(|call| !call.is_finished()));
            token.cancel();
            let ended = calls.map(|call| call.join().expect("no panic").expect_err("cancelled"));
            // A thread that begins late may find the instance already ended by the other's call.
            assert!(ended.iter().any(|error| error.kind() == ErrorKind::Cancelled), "{ended:?}");
            for error in &ended {
                let kind = if error.kind() == ErrorKind::DeadInstance { ErrorKind::DeadInstance } else { ErrorKind::Cancelled };
                expect(error, kind, &["cancelled"]);
            }
        });
        let late = plugin.instantiate(common::quiet()).expect("an instance");
        expect(&late.call("f", &[], &options).expect_err("cancelled before"), ErrorKind::Cancelled, &["cancelled"]);
        assert_eq!(late.call("ok", &[], &PLAIN).expect("it had not begun"), Value::Int(7));
    }
}
