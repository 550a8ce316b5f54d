//! Commands that export functions, as TinyGo made plugins before it had `-buildmode=c-shared`:
//! their `main` runs first, within the limits of an initialisation.

use std::time::Duration;

use undergo::{CallOptions, ErrorKind, InstanceOptions, ModuleInfo, Plugin, PoolOptions, Value};

use crate::common::{self, PLAIN, expect, failure, plugin, quiet, start};

/// A command with these contents and that `main`, which exports `f`, the number of its runs.
fn command(main: &str, more: &str) -> Plugin {
    plugin(&format!(
        r#"(module
            (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
            (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
            (memory (export "memory") 1)
            (global $runs (mut i32) (i32.const 0))
            (func (export "_start") {main})
            (func (export "f") (result i32) (global.get $runs))
            {more})"#
    ))
    .expect("a plugin")
}

const RUN: &str = "(global.set $runs (i32.add (global.get $runs) (i32.const 1)))";

fn f(instance: &undergo::Instance) -> Value {
    instance.call("f", &[], &PLAIN).expect("a call")
}

#[test]
fn main_runs_once_for_each_instance() {
    let plugin = command(RUN, "");
    let instance = start(&plugin);
    assert_eq!(f(&instance), Value::Int(1));
    instance.reset(&PLAIN).expect("a reset");
    assert_eq!(f(&instance), Value::Int(1));
    expect(&failure(&instance, "_start", &[]), ErrorKind::UnknownExport, &["_start"]);
    assert!(instance.dead().is_none());
    let pool = plugin.pool(PoolOptions::new(1, quiet())).expect("a pool");
    for _ in 0..3 {
        assert_eq!(pool.call("f", &[], &PLAIN).expect("a call"), Value::Int(1));
    }
    // It is a program as well.
    assert_eq!(plugin.run(quiet(), &PLAIN).expect("an end").code, 0);
}

#[test]
fn a_main_without_an_end_is_limited() {
    let endless = command("(loop (br 0))", "");
    let within = CallOptions { timeout: Some(Duration::from_millis(50)), ..PLAIN };
    expect(&endless.instantiate_with(quiet(), &within).expect_err("a timeout"), ErrorKind::Timeout, &[]);
    let mut options: InstanceOptions = quiet();
    options.limits.fuel = Some(10_000);
    expect(&endless.instantiate(options).expect_err("no fuel"), ErrorKind::OutOfFuel, &[]);
    let mut options = PoolOptions::new(1, quiet());
    options.instance.limits.timeout = Some(Duration::from_millis(50));
    let pool = endless.pool(options);
    let failed = pool.and_then(|pool| pool.call("f", &[], &PLAIN)).expect_err("a timeout");
    expect(&failed, ErrorKind::Timeout, &[]);
}

#[test]
fn a_main_that_fails_leaves_nothing_to_call() {
    expect(&command("unreachable", "").instantiate(quiet()).expect_err("a trap"), ErrorKind::Trap, &["unreachable"]);
    for code in [0, 7] {
        let exits = command(&format!("(call $exit (i32.const {code}))"), "");
        let error = exits.instantiate(quiet()).expect_err("an exit");
        expect(&error, ErrorKind::Exit, &["its main has ended the program", "-buildmode=c-shared", "wasi-legacy"]);
        assert_eq!(error.exit_code(), Some(code));
        // As a program it is what it was.
        assert_eq!(exits.run(quiet(), &PLAIN).expect("an end").code, code);
    }
    // An exit later on is an ordinary one.
    let later = start(&command(RUN, r#"(func (export "g") (call $exit (i32.const 3)))"#));
    let error = failure(&later, "g", &[]);
    assert!(error.exit_code() == Some(3) && !error.message().contains("main"), "{error:?}");
    expect(&failure(&later, "f", &[]), ErrorKind::DeadInstance, &[]);
}

/// A plugin is not told that nobody reads its output, and a program is: it is a plugin here.
#[test]
fn its_output_is_that_of_a_plugin() {
    let line = r#"(i32.store (i32.const 0) (i32.const 16)) (i32.store (i32.const 4) (i32.const 3))
        (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))"#;
    let plugin = command(line, r#"(data (i32.const 16) "hi\n")"#);
    let mut options = quiet();
    options.sandbox.stdout = undergo::Output::Capture(100);
    assert_eq!(plugin.instantiate(options).expect("an instance").take_stdout(), b"hi\n");
}

#[test]
fn what_the_runtime_exports_is_no_plugin() {
    for export in ["malloc", "free", "calloc", "realloc", "asyncify_get_state", "__main_void", "cabi_realloc"] {
        let ty = if export == "cabi_realloc" { "(param i32 i32 i32 i32) (result i32) i32.const 0" } else { "" };
        let made = plugin(&format!(r#"(module (func (export "_start")) (func (export "{export}") {ty}))"#)).expect("a command");
        expect(&made.instantiate(quiet()).expect_err("a command"), ErrorKind::InvalidPlugin, &["is a command", "-buildmode=c-shared"]);
    }
    // Go's own compiler ends the program after main, whatever it exports.
    let go = r#"(module (func (export "_start")) (func (export "f")) (@custom "producers" "\01\08language\01\02Go\08go1.26.8"))"#;
    expect(&plugin(go).expect("a command").instantiate(quiet()).expect_err("a command"), ErrorKind::InvalidPlugin, &["is a command"]);
    let both = r#"(module (func (export "_start") unreachable) (func (export "_initialize")) (func (export "f")))"#;
    assert_eq!(start(&plugin(both).expect("a reactor")).call("f", &[], &PLAIN).expect("a call"), Value::None);
    assert!(ModuleInfo::parse(&common::assemble(both)).expect("a module").is_callable());
}

#[test]
fn the_same_names_with_other_contents() {
    let starts = plugin(r#"(module (func (export "_start") (param i32)) (func (export "f")))"#).expect_err("a wrong signature");
    expect(&starts, ErrorKind::InvalidPlugin, &["the export _start has the signature (i32)"]);
    // These are functions like any other: nobody but the guest itself calls them.
    let odd = command(
        RUN,
        r#"(func (export "asyncify_start_unwind") (param f64) (result i64) (i64.const 5)) (global (export "malloc") i32 (i32.const 1))"#,
    );
    let instance = start(&odd);
    assert_eq!(instance.call("asyncify_start_unwind", &[Value::Float(0.5)], &PLAIN).expect("a call"), Value::Int(5));
    expect(&failure(&instance, "malloc", &[Value::Int(1)]), ErrorKind::UnknownExport, &["malloc"]);
    let bare = plugin(r#"(module (func (export "_start")) (func (export "f") (result i32) (i32.const 7)))"#).expect("a plugin");
    let instance = start(&bare);
    expect(&instance.read_memory(0, 1).expect_err("no memory"), ErrorKind::InvalidPlugin, &["no memory"]);
    assert_eq!(f(&instance), Value::Int(7));
}
