//! Calls with numbers, text and lists of numbers, which go to the guest without a block in between:
//! the same as all others.

use crate::common::host::Hosted;
use crate::common::{PLAIN, conformance, expect, expect_dead, quiet, start, typed};
use undergo::host::{Outcome, ToValue};
use undergo::interface::Scalar;
use undergo::{ErrorKind, Instance, Result, Value};

/// An argument for the call.
#[derive(Clone, Copy)]
enum Argument<'a> {
    Number(u64),
    Text(&'a str),
    List(Scalar, &'a [u8]),
}

fn guest() -> Hosted {
    Hosted::new(conformance(), quiet()).expect("an instance")
}

fn export(guest: &Instance, name: &str) -> usize {
    guest.plugin().export(name).expect("an export")
}

fn call<R>(guest: &Instance, name: &str, args: &[Argument<'_>], then: impl FnOnce(Outcome<'_, '_>) -> Result<R>) -> Result<R> {
    let mut call = guest.plain_call(export(guest, name))?;
    for arg in args {
        match *arg {
            Argument::Number(bytes) => call.number(bytes)?,
            Argument::Text(text) => call.text(text)?,
            Argument::List(scalar, bytes) => call.list(scalar, bytes)?,
        }
    }
    call.run(&PLAIN, then)
}

fn value(guest: &Instance, name: &str, args: &[Argument<'_>]) -> Result<Value> {
    call(guest, name, args, |outcome| outcome.lift(&ToValue))
}

fn number(guest: &Instance, name: &str, bytes: u64) -> Option<u64> {
    call(guest, name, &[Argument::Number(bytes)], |outcome| Ok(outcome.number())).expect("a result")
}

fn text(guest: &Instance, name: &str, args: &[Argument<'_>]) -> Result<String> {
    call(guest, name, args, |outcome| outcome.text(|text| Ok(text.to_owned())))
}

#[test]
fn numbers_travel_as_their_bytes() {
    let hosted = guest();
    for (name, given, got) in [
        ("echo-bool", 2, 1),
        ("echo-bool", 0x100, 0),
        ("echo-int8", i8::MIN as u8 as u64 | 0xab00, 0x80),
        ("echo-int16", i16::MIN as u16 as u64, 0x8000),
        ("echo-int32", -5_i32 as u32 as u64, 0xffff_fffb),
        ("echo-int64", i64::MIN as u64, i64::MIN as u64),
        ("echo-uint8", 0x1ff, 0xff),
        ("echo-uint16", 0x1_ffff, 0xffff),
        ("echo-uint32", u64::MAX, 0xffff_ffff),
        ("echo-uint64", u64::MAX, u64::MAX),
        ("echo-float32", u64::from(1.5_f32.to_bits()), u64::from(1.5_f32.to_bits())),
        ("echo-float64", f64::MIN_POSITIVE.to_bits(), f64::MIN_POSITIVE.to_bits()),
        ("echo-duration", -1_i64 as u64, u64::MAX),
    ] {
        assert_eq!(number(&hosted.instance, name, given), Some(got), "{name}({given:#x})");
    }
    // What is no number, or can fail, has none.
    for (name, args) in [("echo-string", [Argument::Text("x")]), ("fail", [Argument::Text("")])] {
        let none = call(&hosted.instance, name, &args, |outcome| Ok(outcome.number()));
        assert_eq!(none.expect("a result"), None, "{name}");
    }
}

#[test]
fn text_and_lists_of_any_size_arrive() {
    let hosted = guest();
    let guest = &hosted.instance;
    // The last ones have no room in what the guest has announced.
    for len in [0, 1, 7, 8, 300, 2_000, 9_000, 100_000] {
        let long = "\u{e9}".repeat(len / 2) + &"x".repeat(len % 2);
        assert_eq!(text(guest, "echo-string", &[Argument::Text(&long)]).expect("text"), long, "{len}");
        assert_eq!(value(guest, "echo-string", &[Argument::Text(&long)]).expect("text"), Value::from(long.as_str()));
        let floats: Vec<u8> = (0..len).flat_map(|i| (i as f64 / 4.0).to_le_bytes()).collect();
        let sum = value(guest, "sum-float64s", &[Argument::List(Scalar::F64, &floats)]).expect("a sum");
        assert_eq!(sum, Value::Float((0..len).map(|i| i as f64 / 4.0).sum()), "{len}");
    }
    // Of two lists the second is aligned, too.
    let numbers: Vec<u8> = [1, -2, 3_i32].iter().flat_map(|n| n.to_le_bytes()).collect();
    let appended = value(guest, "append-int32", &[Argument::List(Scalar::S32, &numbers), Argument::Number(9)]).expect("two lists");
    let list = |numbers: &[i64]| Value::List(numbers.iter().map(|n| Value::Int(*n)).collect());
    assert_eq!(
        format!("{appended:?}"),
        format!("{:?}", guest.call("append-int32", &[list(&[1, -2, 3]), Value::Int(9)], &PLAIN).expect("the same"))
    );
    // 300,000 bytes a call: what the guest was given is let go of.
    let size = guest.memory_size().expect("a size");
    let long = "y".repeat(300_000);
    for _ in 0..200 {
        assert_eq!(text(guest, "echo-string", &[Argument::Text(&long)]).expect("text").len(), long.len());
    }
    assert!(guest.memory_size().expect("a size") < size + (20 << 20));
}

#[test]
fn errors_are_those_of_other_calls() {
    let hosted = guest();
    let guest = &hosted.instance;
    let failed = text(guest, "split", &[Argument::Text("")]).expect_err("an error, or no text");
    assert!(matches!(failed.kind(), ErrorKind::GuestError | ErrorKind::TypeMismatch), "{failed}");
    expect(&value(guest, "fail", &[Argument::Text("no")]).expect_err("an error"), ErrorKind::GuestError, &["no"]);
    expect(&text(guest, "bad-string", &[]).expect_err("no UTF-8"), ErrorKind::TypeMismatch, &["bad-string", "UTF-8", "byte 2"]);
    expect(&text(guest, "echo-int32", &[Argument::Number(1)]).expect_err("no text"), ErrorKind::TypeMismatch, &["no text"]);
    let misfits: [(&str, &[Argument<'_>], &[&str]); 7] = [
        ("echo-string", &[Argument::Number(1)], &["echo-string", "expected string, got a number"]),
        ("echo-int32", &[Argument::Text("1")], &["echo-int32", "expected s32, got text"]),
        ("sum-float64s", &[Argument::List(Scalar::F32, &[0; 8])], &["sum-float64s", "list<f64>"]),
        ("sum-float64s", &[Argument::List(Scalar::F64, &[0; 7])], &["sum-float64s", "list<f64>"]),
        ("echo-string", &[], &["takes 1 argument, got 0"]),
        ("append-int32", &[Argument::List(Scalar::S32, &[0; 4])], &["takes 2 arguments, got 1"]),
        ("echo-string", &[Argument::Text("a"), Argument::Text("b")], &["takes 1 argument, got 2"]),
    ];
    for (name, args, parts) in misfits {
        expect(&value(guest, name, args).expect_err("a misfit"), ErrorKind::TypeMismatch, parts);
    }
    for (name, is_plain) in [("sixteen", false), ("echo-strings", false), ("append-int32", true)] {
        let number = export(guest, name);
        let function = guest.plugin().exports().nth(number).expect("an export");
        assert_eq!(function.is_plain(), is_plain, "{name}");
        match guest.plain_call(number).err() {
            Some(error) => expect(&error, ErrorKind::TypeMismatch, &[name, "can't be called in this way"]),
            None => assert!(is_plain, "{name}"),
        }
    }
    expect(&guest.plain_call(usize::MAX).err().expect("no export"), ErrorKind::UnknownExport, &["there is no export number"]);
    assert!(guest.dead().is_none());
    expect(&value(guest, "panic", &[Argument::Text("gone")]).expect_err("a panic"), ErrorKind::Panic, &["gone"]);
    expect_dead(guest, ErrorKind::Panic);
    expect(&value(guest, "echo-int32", &[Argument::Number(1)]).expect_err("dead"), ErrorKind::DeadInstance, &["panic"]);
}

#[test]
fn a_guest_that_finds_no_room_is_ended() {
    for (address, part) in [("4", "misaligned"), ("1048576", "outside"), ("-8", "outside")] {
        let body = format!(
            r#"(func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const {address}))
            (func (export "take") (param i32 i32))"#
        );
        let guest = start(&typed("world test { export take: func(text: string); }", &body).expect("a plugin"));
        expect(&value(&guest, "take", &[Argument::Text("text")]).expect_err("no room"), ErrorKind::Trap, &["cabi_realloc", part]);
        expect_dead(&guest, ErrorKind::Trap);
    }
}

#[test]
fn memory_that_grows_during_a_call_is_found() {
    let body = r#"(func (export "grow") (param $at i32) (param $len i32) (result i32) (local $page i32)
          (local.set $page (i32.mul (memory.grow (i32.const 1)) (i32.const 65536)))
          (memory.copy (i32.add (local.get $page) (i32.const 16)) (local.get $at) (local.get $len))
          (i32.store (local.get $page) (i32.add (local.get $page) (i32.const 16)))
          (i32.store offset=4 (local.get $page) (local.get $len))
          (local.get $page))"#;
    let guest = start(&typed("world test { export grow: func(text: string) -> string; }", body).expect("a plugin"));
    // Each result lies behind all that was there before the call; the arguments go to what was
    // there already.
    for round in 0..40 {
        let given = format!("text of round {round}");
        let pages = guest.memory_size().expect("a size");
        assert_eq!(text(&guest, "grow", &[Argument::Text(&given)]).expect("text"), given);
        assert_eq!(guest.memory_size().expect("a size"), pages + (64 << 10));
        assert_eq!(value(&guest, "grow", &[Argument::Text(&given)]).expect("text"), Value::from(given.as_str()));
    }
    // After a reset it is another memory.
    guest.reset(&PLAIN).expect("a reset");
    assert_eq!(guest.memory_size().expect("a size"), 128 << 10);
    assert_eq!(text(&guest, "grow", &[Argument::Text("anew")]).expect("text"), "anew");
}

#[test]
fn its_time_is_measured() {
    let hosted = guest();
    let guest = &hosted.instance;
    assert_eq!(number(guest, "sleep", 20), None);
    let slept = guest.usage().time;
    assert!((20..5_000).contains(&slept.as_millis()), "{slept:?}");
    assert_eq!(number(guest, "echo-int32", 1), Some(1));
    let brief = guest.usage().time;
    assert!(brief > std::time::Duration::ZERO && brief < slept, "{brief:?}");
}
