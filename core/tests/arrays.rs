//! Lists of a fixed length, which is checked in both directions, whatever the guest does.

use crate::common::{PLAIN, data, expect, expect_dead, failure, plugin, quiet};
use undergo::{ErrorKind, Instance, Value};

const WIT: &str = r"
package test:plugin;
interface types {
  type array3-s32 = list<s32>;
  record row { cells: array3-s32 }
}
world w {
  use types.{row};
  import host: interface {
    use types.{array3-s32};
    give: func() -> array3-s32;
    take: func(v: array3-s32);
  }
  export enter: func(rows: list<row>);
  export entered: func() -> s32;
  export right: func() -> row;
  export wrong: func() -> row;
  export pass: func(n: s32);
  export ask: func() -> s32;
}
";

/// At 64 and at 72: a row of two cells, and one of three.
const BODY: &str = r#"
    (import "host" "give" (func $give (param i32)))
    (import "host" "take" (func $take (param i32 i32)))
    (memory (export "memory") 3)
    (data (i32.const 64) "\80\00\00\00\02\00\00\00\80\00\00\00\03\00\00\00")
    (data (i32.const 128) "\01\00\00\00\02\00\00\00\03\00\00\00\04\00\00\00")
    (global $entered (mut i32) (i32.const 0))
    (func (export "enter") (param i32 i32) (global.set $entered (i32.add (global.get $entered) (i32.const 1))))
    (func (export "entered") (result i32) (global.get $entered))
    (func (export "right") (result i32) (i32.const 72))
    (func (export "wrong") (result i32) (i32.const 64))
    (func (export "pass") (param i32) (call $take (i32.const 128) (local.get 0)))
    (func (export "ask") (result i32) (call $give (i32.const 256)) (i32.load (i32.const 260)))
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 32768))
    (func (export "_initialize"))"#;

fn numbers(count: i64) -> Value {
    Value::List((1..=count).map(Value::Int).collect())
}

fn row(count: i64) -> Value {
    Value::Record(vec![("cells".into(), numbers(count))])
}

/// An instance whose host gives that many items.
fn instance(given: i64) -> Instance {
    let mut options = quiet();
    options.imports.func("host", "give", move |_| Ok(numbers(given)));
    options.imports.func("host", "take", |_| Ok(Value::None));
    let guest = plugin(&format!("(module {BODY} (data (i32.const 65536) \"{}\"))", data(WIT))).expect("it loads");
    guest.instantiate(options).expect("it runs")
}

#[test]
fn an_argument_of_another_length_does_not_enter_the_guest() {
    let instance = instance(3);
    for (rows, path) in [(vec![row(2)], "enter(rows[0].cells)"), (vec![row(3), row(4)], "enter(rows[1].cells)"), (vec![row(0)], "cells")] {
        expect(&failure(&instance, "enter", &[Value::List(rows)]), ErrorKind::TypeMismatch, &[path, "expected list<s32, 3>, got"]);
    }
    assert_eq!(instance.call("entered", &[], &PLAIN).expect("it lives"), Value::Int(0));
    instance.call("enter", &[Value::List(vec![row(3), row(3)])], &PLAIN).expect("they fit");
    assert_eq!(instance.call("entered", &[], &PLAIN).expect("it lives"), Value::Int(1));
}

#[test]
fn a_result_of_another_length_is_none_and_the_instance_lives() {
    let instance = instance(3);
    let wrong = failure(&instance, "wrong", &[]);
    expect(&wrong, ErrorKind::TypeMismatch, &["wrong -> result.cells: the guest gave a list of 2 items for list<s32, 3>"]);
    assert_eq!(instance.call("right", &[], &PLAIN).expect("it lives"), row(3));
}

#[test]
fn what_crosses_to_the_host_and_back_is_checked_too() {
    let fits = instance(3);
    assert_eq!(fits.call("ask", &[], &PLAIN).expect("three"), Value::Int(3));
    fits.call("pass", &[Value::Int(3)], &PLAIN).expect("three");
    expect(&failure(&fits, "pass", &[Value::Int(4)]), ErrorKind::TypeMismatch, &["host.take(v)", "a list of 4 items for list<s32, 3>"]);
    expect_dead(&fits, ErrorKind::TypeMismatch);
    let other = instance(2);
    expect(&failure(&other, "ask", &[]), ErrorKind::TypeMismatch, &["host.give -> result", "expected list<s32, 3>, got 2 items"]);
    expect_dead(&other, ErrorKind::TypeMismatch);
}
