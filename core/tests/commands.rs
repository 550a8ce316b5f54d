//! Commands: programs that begin, end, and answer with their exit code.

use std::time::Duration;

use crate::common::expect;
use undergo::{CallOptions, CancelToken, Completed, ErrorKind, InstanceOptions, Output, Plugin, Result};

/// A command whose `_start` is that code.
fn command(body: &str) -> Plugin {
    let text = format!(
        r#"(module
        (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "args_sizes_get" (func $sizes (param i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "args_get" (func $args (param i32 i32) (result i32)))
        (memory (export "memory") 1)
        (data (i32.const 64) "\20\00\00\00\06\00\00\00")
        (data (i32.const 32) "hello\0a")
        (func $say (param i32) (drop (call $write (local.get 0) (i32.const 64) (i32.const 1) (i32.const 80))))
        (func (export "_start") {body}))"#
    );
    Plugin::from_bytes("app.wasm", &wat::parse_str(text).expect("a module")).expect("a command")
}

fn captured() -> InstanceOptions {
    let mut options = InstanceOptions::default();
    (options.sandbox.stdout, options.sandbox.stderr) = (Output::Capture(1 << 10), Output::Capture(1 << 10));
    options
}

/// Runs it in each way there is, which must come to the same.
fn each_way(plugin: &Plugin, options: &InstanceOptions, call: &CallOptions) -> Result<Completed> {
    let blocking = plugin.run(options.clone(), call);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let awaited = runtime.block_on(plugin.run_async(options.clone(), call));
    for other in [awaited, plugin.run_here(options.clone(), call)] {
        match (&blocking, &other) {
            (Ok(a), Ok(b)) => assert_eq!((a.code, &a.stdout, &a.stderr), (b.code, &b.stdout, &b.stderr)),
            (Err(a), Err(b)) => assert_eq!((a.kind(), a.message()), (b.kind(), b.message())),
            _ => panic!("{blocking:?} here, {other:?} there"),
        }
    }
    blocking
}

#[test]
fn a_return_is_code_0_and_an_exit_is_its_code() {
    let done = each_way(&command("(call $say (i32.const 1))"), &captured(), &CallOptions::default()).expect("it ends");
    assert_eq!((done.code, done.stdout.as_slice(), done.stderr.as_slice()), (0, b"hello\n".as_slice(), b"".as_slice()));
    assert!(done.usage.memory >= 65536, "{:?}", done.usage);
    for code in [0, 1, 3, 125, 126, 255, 256, -1] {
        let plugin = command(&format!("(call $say (i32.const 2)) (call $exit (i32.const {code})) (call $say (i32.const 1))"));
        let done = each_way(&plugin, &captured(), &CallOptions::default()).expect("it ends");
        assert_eq!((done.code, done.stdout.as_slice(), done.stderr.as_slice()), (code, b"".as_slice(), b"hello\n".as_slice()));
    }
}

#[test]
fn output_is_captured_unless_the_sandbox_says_something_else() {
    let plugin = command("(call $say (i32.const 1)) (call $say (i32.const 2)) (call $say (i32.const 2))");
    let run = |options: &InstanceOptions| each_way(&plugin, options, &CallOptions::default()).expect("it ends");
    let done = run(&InstanceOptions::default());
    assert_eq!((done.stdout.as_slice(), done.stderr.as_slice(), done.truncated), (&b"hello\n"[..], &b"hello\nhello\n"[..], false));
    let mut options = InstanceOptions::default();
    options.sandbox.stderr = Output::Discard;
    let done = run(&options);
    assert_eq!((done.stdout.as_slice(), done.stderr.as_slice(), done.truncated), (&b"hello\n"[..], &b""[..], false));
    // What is beyond is dropped, which the result says: what is captured, and what may be written.
    options.sandbox.stderr = Output::Usual(8);
    let done = run(&options);
    assert_eq!((done.stdout.as_slice(), done.stderr.as_slice(), done.truncated), (&b"hello\n"[..], &b"hello\nhe"[..], true));
    (options.sandbox.stderr, options.limits.output) = (Output::Discard, Some(5));
    let done = run(&options);
    assert_eq!((done.stdout.as_slice(), done.truncated), (&b"hello"[..], true));
}

#[test]
fn a_trap_is_an_error() {
    let error = each_way(&command("unreachable"), &captured(), &CallOptions::default()).expect_err("a trap");
    expect(&error, ErrorKind::Trap, &["unreachable"]);
}

#[test]
fn each_run_begins_anew() {
    let plugin =
        command("(i32.store (i32.const 200) (i32.add (i32.load (i32.const 200)) (i32.const 7))) (call $exit (i32.load (i32.const 200)))");
    for _ in 0..3 {
        assert_eq!(plugin.run(captured(), &CallOptions::default()).expect("it ends").code, 7);
    }
}

#[test]
fn the_name_comes_before_the_arguments() {
    let plugin = command("(drop (call $sizes (i32.const 100) (i32.const 104))) (call $exit (i32.load (i32.const 100)))");
    let mut options = captured();
    assert_eq!(each_way(&plugin, &options, &CallOptions::default()).expect("it ends").code, 1);
    options.sandbox.args = vec!["-v".to_owned(), "two words".to_owned()];
    assert_eq!(each_way(&plugin, &options, &CallOptions::default()).expect("it ends").code, 3);
    // The first byte of the first one: of "app.wasm".
    let first = command("(drop (call $args (i32.const 400) (i32.const 500))) (call $exit (i32.load8_u (i32.load (i32.const 400))))");
    assert_eq!(each_way(&first, &options, &CallOptions::default()).expect("it ends").code, i32::from(b'a'));
}

#[test]
fn what_has_no_end_is_ended() {
    let plugin = command("(loop (br 0))");
    let timeout = CallOptions { timeout: Some(Duration::from_millis(50)), ..CallOptions::default() };
    expect(&each_way(&plugin, &captured(), &timeout).expect_err("too long"), ErrorKind::Timeout, &["50ms"]);
    let cancel = CancelToken::new();
    cancel.cancel();
    let cancelled = CallOptions { cancel: Some(cancel), ..CallOptions::default() };
    expect(&each_way(&plugin, &captured(), &cancelled).expect_err("unwanted"), ErrorKind::Cancelled, &[]);
    let mut options = captured();
    options.limits.fuel = Some(10_000);
    expect(&each_way(&plugin, &options, &CallOptions::default()).expect_err("too much"), ErrorKind::OutOfFuel, &["10000"]);
}

#[test]
fn commands_and_plugins_are_not_mixed_up() {
    let plugin = command("nop");
    expect(&plugin.instantiate(captured()).expect_err("a command"), ErrorKind::InvalidPlugin, &["is a command"]);
    let text = wat::parse_str(r#"(module (func (export "_initialize")))"#).expect("a module");
    let reactor = Plugin::from_bytes("r.wasm", &text).expect("a plugin");
    expect(&each_way(&reactor, &captured(), &CallOptions::default()).expect_err("a plugin"), ErrorKind::InvalidPlugin, &["instantiate it"]);
    let odd = wat::parse_str(r#"(module (func (export "_start") (param i32)))"#).expect("a module");
    expect(&Plugin::from_bytes("odd.wasm", &odd).expect_err("odd"), ErrorKind::InvalidPlugin, &["_start", "(i32)"]);
}
