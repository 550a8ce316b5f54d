//! Host functions that take and give numbers, text and lists of numbers without lifting and
//! lowering: the same as all others.

use std::sync::{Arc, Mutex};

use crate::common::{PLAIN, expect, quiet, typed};
use undergo::host::{HostCall, HostFunction, PlainArgs, ToValue};
use undergo::interface::{Function, Scalar, TypeKind};
use undergo::{Error, ErrorKind, Instance, Plugin, Result, Value};

/// What a host function got.
#[derive(Clone, Debug, PartialEq)]
enum Taken {
    Number(u64),
    Text(String),
    List(Vec<u8>),
}

/// Takes all its arguments in the plain way, notes them, and answers with the first.
struct Plainly(Arc<Mutex<Vec<Taken>>>);

impl HostFunction for Plainly {
    fn call(&self, call: &mut HostCall<'_>) -> Result<()> {
        let function = call.function();
        let taken = call.plain_args(|args| function.params.iter().map(|param| take(args, &param.ty.kind)).collect::<Result<Vec<_>>>())?;
        *self.0.lock().expect("no panic") = taken.clone();
        match &taken[0] {
            Taken::Number(bytes) => call.answer_number(*bytes),
            Taken::Text(text) => call.answer_text(text),
            Taken::List(_) => Ok(()),
        }
    }
}

fn take(args: &mut PlainArgs<'_, '_>, kind: &TypeKind) -> Result<Taken> {
    Ok(match kind {
        TypeKind::String | TypeKind::Json => Taken::Text(args.text()?.to_owned()),
        TypeKind::List(item) => match item.kind {
            TypeKind::Scalar(scalar) => Taken::List(args.list(scalar)?.to_vec()),
            _ => unreachable!("the list is of numbers"),
        },
        _ => Taken::Number(args.number()?),
    })
}

/// The same in the general way.
struct Generally;

impl HostFunction for Generally {
    fn call(&self, call: &mut HostCall<'_>) -> Result<()> {
        let args = call.args(&ToValue)?;
        call.answer(&&args[0])
    }
}

/// Exports that pass what they get on to the import of their name.
const WORLD: &str = "world w {
    import host: interface {
        use undergo:go/types.{json};
        small: func(n: s8) -> s8; wide: func(n: u64) -> u64; real: func(x: f32) -> f32; flag: func(b: bool) -> bool;
        text: func(s: string) -> string; either: func(n: s64) -> result<s64, string>; said: func(s: string) -> result<string, string>;
        parsed: func(j: json) -> s32; all: func(n: u16, s: string, l: list<s32>, x: f64) -> u16;
    }
    export small: func(n: s32) -> s32; export wide: func(n: u64) -> u64; export real: func(x: f32) -> f32; export flag: func(n: s32) -> s32;
    export text: func(s: string) -> string; export either: func(n: s64) -> result<s64, string>;
    export said: func(s: string) -> result<string, string>; export all: func(s: string, l: list<s32>, x: f64) -> s32;
    export anywhere: func(at: s32, len: s32, area: s32); export list-anywhere: func(at: s32, len: s32); export parsed: func(s: string) -> s32;
}";

/// The numbers of narrow types have bits that are not theirs.
const BODY: &str = r#"
    (import "host" "small" (func $small (param i32) (result i32))) (import "host" "wide" (func $wide (param i64) (result i64)))
    (import "host" "real" (func $real (param f32) (result f32))) (import "host" "flag" (func $flag (param i32) (result i32)))
    (import "host" "text" (func $text (param i32 i32 i32))) (import "host" "either" (func $either (param i64 i32)))
    (import "host" "said" (func $said (param i32 i32 i32))) (import "host" "parsed" (func $parsed (param i32 i32) (result i32)))
    (import "host" "all" (func $all (param i32 i32 i32 i32 i32 f64) (result i32)))
    (func $old (memory.fill (i32.const 512) (i32.const 1) (i32.const 64)))
    (func (export "small") (param i32) (result i32) (call $small (local.get 0)))
    (func (export "wide") (param i64) (result i64) (call $wide (local.get 0)))
    (func (export "real") (param f32) (result f32) (call $real (local.get 0)))
    (func (export "flag") (param i32) (result i32) (call $flag (local.get 0)))
    (func (export "text") (param i32 i32) (result i32) (call $old) (call $text (local.get 0) (local.get 1) (i32.const 512)) (i32.const 512))
    (func (export "either") (param i64) (result i32) (call $old) (call $either (local.get 0) (i32.const 512)) (i32.const 512))
    (func (export "said") (param i32 i32) (result i32) (call $old) (call $said (local.get 0) (local.get 1) (i32.const 512)) (i32.const 512))
    (func (export "parsed") (param i32 i32) (result i32) (call $parsed (local.get 0) (local.get 1)))
    (func (export "all") (param i32 i32 i32 i32 f64) (result i32)
      (call $all (i32.const 0xabcd1234) (local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get 4)))
    (func (export "anywhere") (param i32 i32 i32) (call $text (local.get 0) (local.get 1) (local.get 2)))
    (func (export "list-anywhere") (param i32 i32)
      (drop (call $all (i32.const 0) (i32.const 0) (i32.const 0) (local.get 0) (local.get 1) (f64.const 0))))"#;

const NAMES: [&str; 9] = ["small", "wide", "real", "flag", "text", "either", "said", "parsed", "all"];

fn guest(plugin: &Plugin, function: &Arc<dyn HostFunction>) -> Instance {
    let mut options = quiet();
    for name in NAMES {
        options.imports.set("host", name, function.clone());
    }
    plugin.instantiate(options).expect("an instance")
}

/// An instance whose host functions are plain, what they took, and one whose are not.
fn both() -> (Instance, Arc<Mutex<Vec<Taken>>>, Instance) {
    let plugin = typed(WORLD, BODY).expect("a plugin");
    let taken = Arc::default();
    let plainly: Arc<dyn HostFunction> = Arc::new(Plainly(Arc::clone(&taken)));
    (guest(&plugin, &plainly), taken, guest(&plugin, &(Arc::new(Generally) as Arc<dyn HostFunction>)))
}

fn call(guest: &Instance, name: &str, args: &[Value]) -> Result<Value> {
    guest.call(name, args, &PLAIN)
}

#[test]
fn numbers_and_texts_are_as_in_the_general_way() {
    let (plain, taken, general) = both();
    let cases = [
        ("small", Value::Int(0x7f80), Taken::Number(0x80)),
        ("small", Value::Int(-1), Taken::Number(0xff)),
        ("wide", Value::Uint(u64::MAX), Taken::Number(u64::MAX)),
        ("real", Value::Float(-1.5), Taken::Number((-1.5_f32).to_bits().into())),
        ("flag", Value::Int(0x200), Taken::Number(1)),
        ("flag", Value::Int(0), Taken::Number(0)),
        ("text", "\u{e9}t\u{e9}".into(), Taken::Text("\u{e9}t\u{e9}".to_owned())),
        ("text", "".into(), Taken::Text(String::new())),
        ("either", Value::Int(i64::MIN), Taken::Number(1 << 63)),
        ("said", "said".into(), Taken::Text("said".to_owned())),
    ];
    for (name, given, expected) in cases {
        let answer = call(&plain, name, std::slice::from_ref(&given)).expect("an answer");
        assert_eq!(*taken.lock().expect("no panic"), [expected], "{name}({given:?})");
        assert_eq!(answer, call(&general, name, &[given]).expect("an answer"), "{name}");
    }
    let list = |numbers: &[i64]| Value::List(numbers.iter().map(|n| Value::Int(*n)).collect());
    let given = ["two".into(), list(&[1, -2]), Value::Float(0.5)];
    assert_eq!(call(&plain, "all", &given).expect("an answer"), call(&general, "all", &given).expect("an answer"));
    let bytes = [1_i32, -2].iter().flat_map(|n| n.to_le_bytes()).collect();
    let half = Taken::Number(0.5_f64.to_bits());
    assert_eq!(*taken.lock().expect("no panic"), [Taken::Number(0x1234), Taken::Text("two".to_owned()), Taken::List(bytes), half]);
}

#[test]
fn text_of_any_size_finds_room() {
    let (plain, _, general) = both();
    // What the guest has announced is nothing, so that its code has to find room for all of them.
    for len in [1, 7, 8, 300, 9_000] {
        let text = Value::from("x".repeat(len).as_str());
        for name in ["text", "said"] {
            let args = std::slice::from_ref(&text);
            assert_eq!(call(&plain, name, args).expect("an answer"), text, "{name}, {len}");
            assert_eq!(call(&general, name, args).expect("an answer"), text, "{name}, {len}");
        }
    }
}

#[test]
fn what_the_guest_gives_is_checked() {
    let place = |at: i64, len: i64, area: i64| [Value::Int(at), Value::Int(len), Value::Int(area)];
    let cases: [(&str, &[Value], ErrorKind, &[&str]); 5] = [
        ("anywhere", &place(131_070, 3, 512), ErrorKind::Trap, &["host.text(s)", "3 bytes at address 0x1fffe"]),
        ("anywhere", &place(-1, -1, 512), ErrorKind::Trap, &["outside its memory"]),
        ("anywhere", &place(0, 1, 131_068), ErrorKind::Trap, &["8 bytes at address 0x1fffc"]),
        ("anywhere", &place(0, 1, 513), ErrorKind::Trap, &["not a multiple of 4"]),
        ("list-anywhere", &[Value::Int(2), Value::Int(1)], ErrorKind::Trap, &["host.all(l)", "not a multiple of 4"]),
    ];
    for (name, args, kind, parts) in cases {
        let (plain, _, general) = both();
        let (error, same) = (call(&plain, name, args).expect_err("an error"), call(&general, name, args).expect_err("an error"));
        expect(&error, kind, parts);
        assert_eq!(error.to_string(), same.to_string(), "{name}");
        assert!(plain.dead().is_some());
    }
    let (plain, taken, _) = both();
    assert_eq!(call(&plain, "parsed", &["{\"a\": [1]}".into()]).expect_err("no number").kind(), ErrorKind::TypeMismatch);
    assert_eq!(*taken.lock().expect("no panic"), [Taken::Text("{\"a\": [1]}".to_owned())]);
    let (plain, ..) = both();
    expect(&call(&plain, "parsed", &["{".into()]).expect_err("no JSON"), ErrorKind::TypeMismatch, &["host.parsed(j)"]);
}

#[test]
fn a_text_that_is_too_large_is_refused() {
    let plugin = typed(WORLD, BODY).expect("a plugin");
    let mut options = quiet();
    options.limits.value = Some(1000);
    let plainly: Arc<dyn HostFunction> = Arc::new(Plainly(Arc::default()));
    for name in NAMES {
        options.imports.set("host", name, plainly.clone());
    }
    let guest = plugin.instantiate(options).expect("an instance");
    expect(&call(&guest, "text", &["x".repeat(1001).as_str().into()]).expect_err("too large"), ErrorKind::OutOfMemory, &["1000 bytes"]);
}

/// A host function that asks for what is not there.
struct Wrongly(fn(&mut HostCall<'_>, &Function) -> Result<()>);

impl HostFunction for Wrongly {
    fn call(&self, call: &mut HostCall<'_>) -> Result<()> {
        let function = call.function();
        (self.0)(call, function)
    }
}

#[test]
fn who_asks_for_something_else_gets_an_error() {
    let plugin = typed(WORLD, BODY).expect("a plugin");
    let wrong: [fn(&mut HostCall<'_>, &Function) -> Result<()>; 6] = [
        |call, _| call.plain_args(|args| args.number().map(drop)),
        |call, _| call.plain_args(|args| args.list(Scalar::U8).map(drop)),
        |call, _| call.plain_args(|args| args.text().and(args.text()).map(drop)),
        |call, _| call.answer_number(1),
        |call, _| call.plain_args(|_| Err(Error::new(ErrorKind::TypeMismatch, "as I say"))),
        |_, function| function.is_plain().then_some(()).ok_or_else(|| Error::new(ErrorKind::Trap, "not plain")),
    ];
    for (i, way) in wrong.into_iter().enumerate() {
        let guest = guest(&plugin, &(Arc::new(Wrongly(way)) as Arc<dyn HostFunction>));
        let called = call(&guest, "text", &["x".into()]);
        // The last one is right.
        assert_eq!(called.map_err(|error| error.kind()).err(), (i < 5).then_some(ErrorKind::TypeMismatch), "{i}");
    }
}
