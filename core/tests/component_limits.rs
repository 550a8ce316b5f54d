//! What a component has used up, by the words of the engine: an update of it that changes these
//! words fails here.

use crate::common::{component, expect, expect_dead, failure, quiet};
use undergo::{ErrorKind, HostObject, Instance, InstanceOptions, Value};

const WIT: &str = "package test:limits;
interface host {
  resource item {
    constructor();
    rank: func() -> u32;
  }
  say: func(text: string);
}
interface api {
  resource thing { }
  make: func();
  lend: func(first: u32);
  talk: func(bytes: u32);
  fall: func();
}
world w { import host; export api; }
";

/// The name of the function that traps is what the engine says of handles.
const CORE: &str = r#"
    (import "test:limits/host" "[constructor]item" (func $item (result i32)))
    (import "test:limits/host" "[method]item.rank" (func $rank (param i32) (result i32)))
    (import "test:limits/host" "[resource-drop]item" (func $drop (param i32)))
    (import "test:limits/host" "say" (func $say (param i32 i32)))
    (import "[export]test:limits/api" "[resource-new]thing" (func $new (param i32) (result i32)))
    (func (export "test:limits/api#make") (loop $again (drop (call $new (i32.const 1))) (br $again)))
    (func (export "test:limits/api#lend") (param i32) (local $item i32)
        (local.set $item (call $item))
        (if (local.get 0) (then (drop (call $new (i32.const 1)))))
        (loop $again
            (drop (call $new (i32.const 1)))
            (drop (call $new (i32.const 1)))
            (drop (call $rank (local.get $item)))
            (br $again)))
    (func (export "test:limits/api#talk") (param i32)
        (drop (memory.grow (i32.const 100)))
        (call $say (i32.const 0) (local.get 0)))
    (func $"cannot allocate another handle: store handle limit exceeded" (export "test:limits/api#fall") unreachable)
"#;

fn started(change: impl FnOnce(&mut InstanceOptions)) -> Instance {
    let mut options = quiet();
    options.imports.func("test:limits/host", "item", |_| Ok(Value::Object(HostObject::func(|_| Ok(Value::Int(7))))));
    options.imports.function("test:limits/host", "say", |text: String| assert!(text.len() <= 100_000));
    change(&mut options);
    component(WIT, CORE).instantiate(options).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn handles_that_are_made_or_lent_are_limited() {
    // To lend takes two: one of these two has but one left then.
    for (name, args) in [("make", &[][..]), ("lend", &[Value::Int(0)]), ("lend", &[Value::Int(1)])] {
        let instance = started(|options| options.limits.handles = Some(100));
        expect(&failure(&instance, name, args), ErrorKind::OutOfMemory, &["100 handles", "(handles)"]);
        expect_dead(&instance, ErrorKind::OutOfMemory);
    }
}

#[test]
fn what_a_host_function_is_given_is_limited() {
    let instance = started(|options| options.limits.value = Some(200_000));
    instance.call("talk", &[Value::Int(100_000)], undergo::CallOptions::NONE).unwrap_or_else(|error| panic!("{error}"));
    let refused = failure(&instance, "talk", &[Value::Int(1_000_000)]);
    expect(&refused, ErrorKind::OutOfMemory, &["200000 bytes", "the limit for one value"]);
    expect_dead(&instance, ErrorKind::OutOfMemory);
}

#[test]
fn what_a_guest_calls_its_functions_says_nothing() {
    let instance = started(|_| {});
    expect(&failure(&instance, "fall", &[]), ErrorKind::Trap, &["unreachable"]);
}
