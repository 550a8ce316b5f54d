//! Lists and texts of components, which are copied as bytes: of any shape, however they are passed,
//! and what hostile results do.

use crate::common::{component, expect, failure, quiet};
use undergo::{CallOptions, ErrorKind, GuestType, Instance, Value};

const WIT: &str = "package test:lists;
interface api {
  record point { x: f64, y: s16, name: string, tags: list<string> }
  enum color { red, green }
  variant shape { dot(point), many(list<u16>), none }
  bytes: func(data: list<u8>) -> list<u8>;
  floats: func(data: list<f64>) -> list<f64>;
  colors: func(data: list<color>) -> list<color>;
  texts: func(data: list<string>) -> list<string>;
  nested: func(data: list<list<list<u32>>>) -> list<list<list<u32>>>;
  points: func(data: list<point>) -> list<point>;
  shapes: func(data: list<shape>) -> list<shape>;
  pairs: func(data: list<tuple<option<string>, bool>>) -> list<tuple<option<string>, bool>>;
  shape-of: func(s: shape) -> tuple<shape>;
  spilled: func(a: list<u8>, b: u64, c: string, d: point, e: list<u16>, f: list<string>, g: u8, h: u8, i: u8) -> list<string>;
  fails: func(text: string) -> result<u32, string>;
  answer: func(pointer: u32, len: u32) -> list<u16>;
  answers: func(pointer: u32, len: u32) -> list<list<u16>>;
  case-of: func(case: u32) -> list<shape>;
  text-of: func(pointer: u32, len: u32) -> string;
}
world w { export api; }
";

/// Gives back what it got, where it got it.
const CORE: &str = r#"
    (data (i32.const 512) "\00\01\02\ff\fe\fd")
    (func $pair (param i32 i32) (result i32)
        (i32.store (i32.const 16) (local.get 0))
        (i32.store (i32.const 20) (local.get 1))
        (i32.const 16))
    (export "test:lists/api#bytes" (func $pair))
    (export "test:lists/api#floats" (func $pair))
    (export "test:lists/api#colors" (func $pair))
    (export "test:lists/api#texts" (func $pair))
    (export "test:lists/api#nested" (func $pair))
    (export "test:lists/api#points" (func $pair))
    (export "test:lists/api#shapes" (func $pair))
    (export "test:lists/api#pairs" (func $pair))
    (export "test:lists/api#answer" (func $pair))
    (export "test:lists/api#answers" (func $pair))
    (export "test:lists/api#text-of" (func $pair))
    (func (export "test:lists/api#shape-of") (param i32 i64 i32 i32 i32 i32 i32) (result i32)
        (i32.store (i32.const 64) (local.get 0))
        (i64.store (i32.const 72) (local.get 1))
        (i32.store (i32.const 80) (local.get 2))
        (i32.store (i32.const 84) (local.get 3))
        (i32.store (i32.const 88) (local.get 4))
        (i32.store (i32.const 92) (local.get 5))
        (i32.store (i32.const 96) (local.get 6))
        (if (i32.eq (local.get 0) (i32.const 1)) (then (i32.store (i32.const 76) (local.get 2))))
        (i32.const 64))
    (func (export "test:lists/api#spilled") (param i32) (result i32)
        (i32.add (local.get 0) (i32.const 64)))
    (func (export "test:lists/api#fails") (param i32 i32) (result i32)
        (i32.store (i32.const 16) (i32.const 1))
        (i32.store (i32.const 20) (local.get 0))
        (i32.store (i32.const 24) (local.get 1))
        (i32.const 16))
    (func (export "test:lists/api#case-of") (param i32) (result i32)
        (i32.store (i32.const 128) (local.get 0))
        (call $pair (i32.const 128) (i32.const 1)))
"#;

#[derive(Debug, PartialEq, GuestType)]
struct Point {
    x: f64,
    y: i16,
    name: String,
    tags: Vec<String>,
}

fn lists() -> Instance {
    component(WIT, CORE).instantiate(quiet()).unwrap_or_else(|error| panic!("{error}"))
}

fn point(name: &str, tags: &[&str]) -> Point {
    Point { x: 0.5, y: -3, name: name.to_owned(), tags: tags.iter().map(|tag| (*tag).to_owned()).collect() }
}

#[track_caller]
fn same(instance: &Instance, name: &str, value: &Value) {
    assert_eq!(instance.call(name, std::slice::from_ref(value), CallOptions::NONE).unwrap_or_else(|error| panic!("{error}")), *value);
}

fn texts(texts: &[&str]) -> Value {
    Value::List(texts.iter().map(|text| Value::from(*text)).collect())
}

#[test]
fn they_come_back_as_they_were() {
    let instance = lists();
    for len in [0, 1, 1000, 100_000] {
        same(&instance, "bytes", &Value::Bytes((0..len).map(|n| n as u8).collect()));
        same(&instance, "floats", &Value::List((0..len).map(|n| Value::Float(n as f64 / 2.0)).collect()));
        same(&instance, "colors", &Value::List((0..len).map(|n| ["red", "green"][n % 2].into()).collect()));
    }
    for all in [&[][..], &[""], &["a", "", "übermut", "\u{1f600}"]] {
        same(&instance, "texts", &texts(all));
    }
    let numbers = |count: i64| Value::List((0..count).map(Value::Int).collect());
    same(
        &instance,
        "nested",
        &Value::List(vec![Value::List(vec![numbers(3), numbers(0)]), Value::List(vec![]), Value::List(vec![numbers(9)])]),
    );
    let pair = |text: Option<&str>, is: bool| Value::List(vec![text.map_or(Value::None, Value::from), Value::Bool(is)]);
    same(&instance, "pairs", &Value::List(vec![pair(Some("a"), true), pair(None, false), pair(Some("b"), false)]));
    let points = vec![point("a", &["x", "yy"]), point("", &[]), point("c", &["z"])];
    let echo = instance.function::<(&[Point],), Vec<Point>>("points").expect("its types");
    assert_eq!(echo.call((&points,)).expect("points"), points);
}

#[test]
fn variants_point_to_what_their_case_has() {
    let instance = lists();
    let dot = Value::Variant(
        "dot".into(),
        Some(Box::new(Value::Record(vec![
            ("x".into(), Value::Float(2.5)),
            ("y".into(), Value::Int(-1)),
            ("name".into(), "n".into()),
            ("tags".into(), texts(&["t", "u"])),
        ]))),
    );
    let many = Value::Variant("many".into(), Some(Box::new(Value::List(vec![Value::Int(7), Value::Int(65535)]))));
    let none = Value::Variant("none".into(), None);
    same(&instance, "shapes", &Value::List(vec![dot.clone(), many.clone(), none.clone(), many.clone()]));
    for shape in [dot, many, none] {
        let wanted = Value::List(vec![shape.clone()]);
        assert_eq!(instance.call("shape-of", &[shape], CallOptions::NONE).expect("a shape"), wanted);
    }
}

#[test]
fn parameters_may_travel_by_pointer() {
    let instance = lists();
    let dot = Value::Record(vec![
        ("x".into(), Value::Float(2.5)),
        ("y".into(), Value::Int(-1)),
        ("name".into(), "n".into()),
        ("tags".into(), texts(&[])),
    ]);
    let mut args =
        vec![Value::Bytes(vec![1; 10]), Value::Int(5), "c".into(), dot, Value::List(vec![Value::Int(1)]), texts(&["one", "two"])];
    args.extend([1, 2, 3].map(Value::Int));
    assert_eq!(instance.call("spilled", &args, CallOptions::NONE).expect("texts"), texts(&["one", "two"]));
    let failed = failure(&instance, "fails", &["why".into()]);
    expect(&failed, ErrorKind::GuestError, &["why"]);
    assert!(instance.dead().is_none());
}

/// The guest's memory does, since its allocator frees nothing.
#[test]
fn many_calls_pass_large_lists() {
    let instance = lists();
    let data = Value::Bytes(vec![7; 60_000]);
    for _ in 0..200 {
        same(&instance, "bytes", &data);
    }
    assert!(instance.dead().is_none());
}

#[test]
fn hostile_results_end_the_instance() {
    const SIZE: i64 = 64 << 10;
    for (name, pointer, len) in [
        ("answer", 513, 1),
        ("answer", SIZE, 1),
        ("answer", SIZE - 2, 2),
        ("answer", 0xffff_fffe, 1),
        ("answer", 0, 0x7fff_ffff),
        ("answers", 512, 1),
        ("answers", SIZE - 8, 2),
        ("text-of", SIZE - 1, 2),
    ] {
        let instance = lists();
        let ended = failure(&instance, name, &[Value::Int(pointer), Value::Int(len)]);
        assert!(matches!(ended.kind(), ErrorKind::Trap | ErrorKind::OutOfMemory), "{name} {pointer} {len}: {ended}");
        assert!(instance.dead().is_some());
    }
    let instance = lists();
    expect(&failure(&instance, "case-of", &[Value::Int(3)]), ErrorKind::Trap, &["3"]);
    let instance = lists();
    expect(&failure(&instance, "text-of", &[Value::Int(515), Value::Int(3)]), ErrorKind::TypeMismatch, &["not UTF-8"]);
    same(&instance, "texts", &texts(&["it lives"]));
}

/// Lists that overlap are far larger than the guest's memory.
#[test]
fn what_a_result_may_cost_is_limited() {
    let mut options = quiet();
    options.limits.value = Some(1 << 20);
    let instance = component(WIT, CORE).instantiate(options).expect("an instance");
    let large = Value::Bytes(vec![0; 600_000]);
    same(&instance, "bytes", &large);
    let larger = Value::Bytes(vec![0; 2_000_000]);
    expect(&failure(&instance, "bytes", &[larger]), ErrorKind::OutOfMemory, &["1048576 bytes", "limit for one value"]);
}
