//! Maps whose keys collide: equal ones, and those that a guest has chosen to take the host long.

use std::cell::Cell;
use std::sync::Arc;

use crate::common::host::Hosted;
use crate::common::{PLAIN, conformance, expect, expect_dead, quiet, start, typed};
use undergo::host::{Lift, Piece};
use undergo::interface::{EnumType, RecordType, ResourceType, Scalar, VariantType};
use undergo::{CallOptions, CancelToken, ErrorKind, Handle, Result, Time, Value};

fn entry(key: impl Into<Value>, value: impl Into<Value>) -> (Value, Value) {
    (key.into(), value.into())
}

#[test]
fn of_equal_keys_the_last_counts_in_the_guest() {
    let hosted = Hosted::new(conformance(), quiet()).expect("an instance");
    let int = Value::Int;
    for (export, given, kept) in [
        ("echo-counts", vec![entry("a", int(1)), entry("b", int(2)), entry("a", int(3))], vec![entry("a", int(3)), entry("b", int(2))]),
        ("echo-counts", vec![entry("", int(1)), entry("", int(2))], vec![entry("", int(2))]),
        ("echo-labels", vec![entry(int(7), "first"), entry(Value::Uint(7), "last")], vec![entry(int(7), "last")]),
        ("echo-flags", vec![entry(Value::Bool(true), Value::Map(vec![])); 3], vec![entry(Value::Bool(true), Value::Map(vec![]))]),
    ] {
        match hosted.call(export, &[Value::Map(given)]).expect("a map") {
            Value::Map(mut found) => {
                found.sort_by_key(|(key, _)| format!("{key:?}"));
                assert_eq!(found, kept, "{export}");
            }
            other => panic!("{other:?}"),
        }
    }
}

/// A guest whose `f(n)` gives a map of so many entries, with keys that are all 0, and whose values
/// count up to 255 and begin again.
fn repeating() -> undergo::Plugin {
    let items = "world w { export f: func(n: u32) -> map<u64, u8>; }";
    let body = r#"(memory (export "memory") 40)
        (func (export "f") (param $n i32) (result i32) (local $i i32)
          (loop $next
            (i32.store8 (i32.add (i32.const 131080) (i32.shl (local.get $i) (i32.const 4))) (local.get $i))
            (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))
          (i32.store (i32.const 8) (i32.const 131072)) (i32.store (i32.const 12) (local.get $n)) (i32.const 8))"#;
    typed(items, body).expect("a plugin")
}

#[test]
fn equal_keys_of_a_guest_arrive_in_their_order() {
    let instance = start(&repeating());
    let given = instance.call("f", &[Value::Int(3)], &PLAIN).expect("a map");
    assert_eq!(given, Value::Map((0..3).map(|i| entry(Value::Int(0), Value::Int(i))).collect()));
}

/// A host whose table takes long, and which needs no memory for what it makes: nothing but its keys
/// tells it that the time is over.
struct Slow {
    token: CancelToken,
    keys: Cell<usize>,
}

impl Lift for Slow {
    type Value = ();

    fn cost(&self, _: Piece<'_>) -> u64 {
        0
    }
    fn bool(&self, _: bool) -> Result<()> {
        Ok(())
    }
    fn s64(&self, _: i64) -> Result<()> {
        Ok(())
    }
    fn u64(&self, _: u64) -> Result<()> {
        self.keys.set(self.keys.get() + 1);
        if self.keys.get() == 100 {
            self.token.cancel();
        }
        Ok(())
    }
    fn f32(&self, _: f32) -> Result<()> {
        Ok(())
    }
    fn f64(&self, _: f64) -> Result<()> {
        Ok(())
    }
    fn string(&self, _: &str) -> Result<()> {
        Ok(())
    }
    fn json(&self, _: &str) -> Result<()> {
        Ok(())
    }
    fn scalars(&self, _: Scalar, _: &[u8]) -> Result<()> {
        Ok(())
    }
    fn duration(&self, _: i64) -> Result<()> {
        Ok(())
    }
    fn time(&self, _: Time) -> Result<()> {
        Ok(())
    }
    fn none(&self) -> Result<()> {
        Ok(())
    }
    fn case(&self, _: &EnumType, _: u32) -> Result<()> {
        Ok(())
    }
    fn variant(&self, _: &VariantType, _: u32, _: Option<()>) -> Result<()> {
        Ok(())
    }
    fn list(&self, len: usize, item: impl FnMut(usize) -> Result<()>) -> Result<()> {
        (0..len).try_for_each(item)
    }
    fn tuple(&self, len: usize, item: impl FnMut(usize) -> Result<()>) -> Result<()> {
        self.list(len, item)
    }
    fn map(&self, len: usize, mut entry: impl FnMut(usize) -> Result<((), ())>) -> Result<()> {
        (0..len).try_for_each(|i| entry(i).map(drop))
    }
    fn record(&self, record: &RecordType, field: impl FnMut(usize) -> Result<()>) -> Result<()> {
        (0..record.fields.len()).try_for_each(field)
    }
    fn handle(&self, _: &Arc<ResourceType>, _: Handle) -> Result<()> {
        Ok(())
    }
}

#[test]
fn a_map_is_read_no_further_once_the_call_must_end() {
    let instance = start(&repeating());
    let token = CancelToken::new();
    let slow = Slow { token: token.clone(), keys: Cell::new(0) };
    let options = CallOptions { cancel: Some(token), ..CallOptions::default() };
    let export = instance.plugin().export("f").expect("it is there");
    let lower = |arguments: &mut undergo::host::Arguments<'_, '_>| arguments.lower_all([&Value::Int(100_000)].into_iter());
    let error = instance.call_with(export, &options, lower, |outcome| outcome.lift(&slow)).expect_err("cancelled");
    expect(&error, ErrorKind::Cancelled, &[]);
    // A few keys lie between two looks, however little they cost.
    assert!((100..150).contains(&slow.keys.get()), "{}", slow.keys.get());
    expect_dead(&instance, ErrorKind::Cancelled);
}
