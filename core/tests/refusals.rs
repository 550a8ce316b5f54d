//! What a guest refuses to carry, by the interface `undergo:go/refusal`: also from guests that use
//! it as they please.

use std::time::Duration;

use crate::common::{self, PLAIN, conformance_path, data, expect, expect_dead, failure, plugin, quiet, start};
use undergo::{CallOptions, Error, ErrorKind, Instance, Plugin, Value};

const WIT: &str = r"
package test:plugin;
interface types {
  enum state { open, done }
  record job { name: string, state: state, extra: json }
  use undergo:go/types.{json};
}
world w {
  use types.{state, job};
  use undergo:go/types.{json};
  import undergo:go/refusal;
  import host: interface {
    use types.{state};
    tell: func(s: state) -> result<_, string>;
    say: func(s: state);
    give: func();
  }
  export flat: func() -> state;
  export area: func() -> job;
  export told: func() -> s32;
  export said: func();
  export quiet: func() -> s32;
  export nothing: func(n: s32);
  export twice: func() -> s32;
  export outer: func() -> s32;
  export trapped: func() -> job;
  export answered: func() -> s32;
}
package undergo:go {
  interface types { type duration = s64; type json = string; record time { seconds: s64, nanoseconds: u32, offset: s32 } }
  interface refusal {
    value: func(path: string, why: string);
    arguments: func(path: string, why: string);
    answer: func(function: string, path: string, why: string);
  }
}
";

/// At 8: `.x`, at 16: `because`, at 24: `host.give`, at 64: a job whose state is 255 and whose JSON
/// is empty.
const BODY: &str = r#"
    (import "undergo:go/refusal" "value" (func $value (param i32 i32 i32 i32)))
    (import "undergo:go/refusal" "arguments" (func $arguments (param i32 i32 i32 i32)))
    (import "undergo:go/refusal" "answer" (func $answer (param i32 i32 i32 i32 i32 i32)))
    (import "host" "tell" (func $tell (param i32 i32)))
    (import "host" "say" (func $say (param i32)))
    (import "host" "give" (func $give))
    (memory (export "memory") 3)
    (data (i32.const 8) ".x") (data (i32.const 16) "because") (data (i32.const 24) "host.give")
    (data (i32.const 64) "\10\00\00\00\07\00\00\00\ff")
    (func $refuse (call $value (i32.const 8) (i32.const 2) (i32.const 16) (i32.const 7)))
    (func $spurn (call $arguments (i32.const 8) (i32.const 2) (i32.const 16) (i32.const 7)))
    (func (export "flat") (result i32) (call $refuse) (i32.const -1))
    (func (export "area") (result i32) (call $refuse) (i32.const 64))
    (func (export "trapped") (result i32) (i32.const 64))
    (func (export "told") (result i32) (call $refuse) (call $tell (i32.const -1) (i32.const 128)) (i32.load8_u (i32.const 128)))
    (func (export "said") (call $refuse) (call $say (i32.const -1)))
    (func (export "quiet") (result i32) (call $refuse) (i32.const 7))
    (func (export "nothing") (param i32) (if (local.get 0) (then (call $spurn))))
    (func (export "twice") (result i32) (call $spurn) (call $spurn) (i32.const 7))
    (func (export "outer") (result i32) (call $give) (i32.const 7))
    (func (export "answered") (result i32)
      (call $answer (i32.const 24) (i32.const 9) (i32.const 8) (i32.const 2) (i32.const 16) (i32.const 7)) (i32.const 7))
    (global $heap (mut i32) (i32.const 32768))
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
      (global.get $heap)
      (global.set $heap (i32.and (i32.add (i32.add (global.get $heap) (local.get 3)) (i32.const 7)) (i32.const -8))))
    (func (export "_initialize"))"#;

fn guest() -> Plugin {
    plugin(&format!("(module {BODY} (data (i32.const 65536) \"{}\"))", data(WIT))).expect("it loads")
}

fn options() -> undergo::InstanceOptions {
    let mut options = quiet();
    for name in ["tell", "say", "give"] {
        options.imports.func("host", name, |_| Ok(Value::None));
    }
    options
}

fn instance() -> Instance {
    guest().instantiate(options()).expect("it runs")
}

fn call(instance: &Instance, name: &str) -> Value {
    instance.call(name, &[], &PLAIN).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn a_value_is_explained_and_the_instance_lives() {
    let instance = instance();
    for _ in 0..3 {
        let flat = failure(&instance, "flat", &[]);
        expect(&flat, ErrorKind::TypeMismatch, &["flat -> result.x: because"]);
        let area = failure(&instance, "area", &[]);
        expect(&area, ErrorKind::TypeMismatch, &["area -> result.state.x: because"]);
    }
    assert!(instance.dead().is_none());
}

#[test]
fn without_a_word_a_discriminant_without_a_case_is_a_trap() {
    let instance = instance();
    // What was said of another value, and that the host has heard of, explains nothing.
    failure(&instance, "area", &[]);
    expect(&failure(&instance, "trapped", &[]), ErrorKind::Trap, &["trapped -> result.state", "has no case"]);
    expect_dead(&instance, ErrorKind::Trap);
}

/// A guest may say why there is no value, and then give one: it has said nothing of what a later
/// call gives.
#[test]
fn what_is_said_of_no_value_is_forgotten_with_its_call() {
    let instance = instance();
    assert_eq!(call(&instance, "quiet"), Value::Int(7));
    let trapped = failure(&instance, "trapped", &[]);
    expect(&trapped, ErrorKind::Trap, &["trapped -> result.state", "has no case"]);
    assert!(!trapped.message().contains("because"), "{trapped}");
    expect_dead(&instance, ErrorKind::Trap);
    // Nor of what it gives once it is made anew.
    instance.reset(&PLAIN).expect("a reset");
    assert_eq!(call(&instance, "quiet"), Value::Int(7));
    instance.reset(&PLAIN).expect("a reset");
    assert!(!failure(&instance, "trapped", &[]).message().contains("because"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let instance = guest().instantiate_here(options(), &PLAIN).expect("it runs");
    let call = |name: &str| runtime.block_on(instance.call(name, &[], &PLAIN));
    assert_eq!(call("quiet").expect("a number"), Value::Int(7));
    expect(&call("trapped").expect_err("no case"), ErrorKind::Trap, &["has no case"]);
}

#[test]
fn an_import_that_returns_an_error_tells_the_guest_and_another_ends_the_call() {
    let instance = instance();
    assert_eq!(call(&instance, "told"), Value::Int(1));
    assert!(instance.dead().is_none());
    expect(&failure(&instance, "said", &[]), ErrorKind::TypeMismatch, &["host.say(s.x): because"]);
    expect_dead(&instance, ErrorKind::TypeMismatch);
}

#[test]
fn refused_arguments_end_the_call_only() {
    let instance = instance();
    for _ in 0..3 {
        let refused = failure(&instance, "nothing", &[Value::Int(1)]);
        expect(&refused, ErrorKind::TypeMismatch, &["nothing(.x): because"]);
        instance.call("nothing", &[Value::Int(0)], &PLAIN).expect("it takes that");
        expect(&failure(&instance, "twice", &[]), ErrorKind::TypeMismatch, &["twice(.x): because"]);
        assert_eq!(call(&instance, "quiet"), Value::Int(7));
    }
}

#[test]
fn a_nested_call_is_refused_by_itself() {
    let guest = guest();
    let mut options = options();
    let inner: std::sync::Arc<std::sync::OnceLock<Instance>> = std::sync::Arc::default();
    let own = inner.clone();
    options.imports.func("host", "give", move |_| {
        let instance = own.get().expect("it is there");
        expect(&failure(instance, "nothing", &[Value::Int(1)]), ErrorKind::TypeMismatch, &["nothing(.x)"]);
        expect(&failure(instance, "area", &[]), ErrorKind::TypeMismatch, &["area -> result.state.x"]);
        Ok(Value::None)
    });
    let instance = inner.get_or_init(|| guest.instantiate(options).expect("it runs"));
    assert_eq!(call(instance, "outer"), Value::Int(7));
}

#[test]
fn an_answer_that_is_refused_ends_the_instance() {
    let instance = instance();
    expect(&failure(&instance, "answered", &[]), ErrorKind::TypeMismatch, &["host.give", ".x", "because"]);
    expect_dead(&instance, ErrorKind::TypeMismatch);
}

#[test]
fn an_asynchronous_instance_hears_the_same() {
    let instance = guest().instantiate_here(options(), &PLAIN).expect("it runs");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let call = |name: &str, args: &[Value]| runtime.block_on(instance.call(name, args, &PLAIN));
    for _ in 0..2 {
        expect(&call("area", &[]).expect_err("refused"), ErrorKind::TypeMismatch, &["area -> result.state.x: because"]);
        expect(&call("nothing", &[Value::Int(1)]).expect_err("refused"), ErrorKind::TypeMismatch, &["nothing(.x): because"]);
        assert_eq!(call("told", &[]).expect("an answer"), Value::Int(1));
    }
    assert!(instance.dead().is_none());
}

#[test]
fn other_functions_of_that_name_do_no_harm() {
    let bare = |import: &str, call: &str| {
        let wat = format!(
            r#"(module (import "undergo:go/refusal" {import}) (memory (export "memory") 1) (func (export "_initialize")) (func (export "f") {call}))"#
        );
        failure(&start(&plugin(&wat).expect("it loads")), "f", &[])
    };
    for (import, call) in [
        (r#""value" (func $f (param i32))"#, "(call $f (i32.const 1))"),
        (r#""arguments" (func $f)"#, "(call $f)"),
        (r#""answer" (func $f (result i64))"#, "(drop (call $f))"),
        (r#""other" (func $f)"#, "(call $f)"),
    ] {
        expect(&bare(import, call), ErrorKind::InvalidPlugin, &["undergo:go/refusal", "build the plugin anew"]);
    }
}

#[test]
fn a_guest_hears_of_the_deadline_before_it_passes() {
    let guest = Plugin::from_file(conformance_path().unwrap_or_else(|text| panic!("{text}"))).expect("a plugin");
    let hosted = common::host::Hosted::new(&guest, quiet()).expect("an instance");
    let left = |timeout: u64| {
        let limited = CallOptions { timeout: Some(Duration::from_millis(timeout)), ..PLAIN };
        let Value::Int(left) = hosted.instance.call("remaining", &[], &limited).expect("an answer") else { panic!("no number") };
        left
    };
    // A quarter of a short timeout, and 50 ms of a long one.
    assert!(left(60_000) <= 59_950, "{}", left(60_000));
    assert!(left(60_000) > 50_000, "{}", left(60_000));
    let limited = CallOptions { timeout: Some(Duration::from_secs(1)), ..PLAIN };
    for _ in 0..3 {
        let ended: Error = hosted.instance.call("wait", &[Value::Int(60_000)], &limited).expect_err("it waits for the deadline");
        expect(&ended, ErrorKind::GuestError, &["context deadline exceeded"]);
    }
    assert!(hosted.instance.dead().is_none());
}

/// Of a call within another, each hears what was said in it.
#[test]
fn what_is_said_in_a_call_within_another_is_its_own() {
    let guest = guest();
    let mut options = options();
    let inner: std::sync::Arc<std::sync::OnceLock<Instance>> = std::sync::Arc::default();
    let own = inner.clone();
    options.imports.func("host", "give", move |_| {
        let instance = own.get().expect("it is there");
        assert_eq!(call(instance, "quiet"), Value::Int(7));
        expect(&failure(instance, "trapped", &[]), ErrorKind::Trap, &["trapped -> result.state", "has no case"]);
        Ok(Value::None)
    });
    let instance = inner.get_or_init(|| guest.instantiate(options).expect("it runs"));
    // The trap within has ended the instance, and so the call around it.
    expect(&failure(instance, "outer", &[]), ErrorKind::Trap, &["has no case"]);
    expect_dead(instance, ErrorKind::Trap);
}
