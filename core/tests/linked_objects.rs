//! Objects that go over links: those of the linked instance are those of the resource that another
//! one imports.

use crate::common::{PLAIN, component, expect, failure, quiet, start, typed};
use undergo::{ErrorKind, Instance, InstanceOptions, Linkable, Plugin, Value};

const API: &str = "package test:counters;
interface api {
  resource counter {
    constructor(start: u32);
    add: func(n: u32) -> u32;
    merge: static func(a: counter, b: counter) -> counter;
  }
  record pair { first: counter, second: counter }
  swap: func(p: pair) -> pair;
  total: func(all: list<borrow<counter>>) -> u32;
  live: func() -> u32;
}
interface other {
  use api.{counter};
  pass: func(c: counter) -> counter;
  look: func(c: borrow<counter>) -> u32;
  count: func(c: borrow<counter>) -> u32;
  live: func() -> u32;
}";

/// An object's representation is the address of its value.
const COUNTING: &str = r#"
    (import "[export]test:counters/api" "[resource-new]counter" (func $new (param i32) (result i32)))
    (import "[export]test:counters/api" "[resource-rep]counter" (func $rep (param i32) (result i32)))
    (import "[export]test:counters/api" "[resource-drop]counter" (func $drop (param i32)))
    (global $next_rep (mut i32) (i32.const 1024))
    (global $live (mut i32) (i32.const 0))
    (func $make (param i32) (result i32)
        (global.set $next_rep (i32.add (global.get $next_rep) (i32.const 4)))
        (i32.store (global.get $next_rep) (local.get 0))
        (global.set $live (i32.add (global.get $live) (i32.const 1)))
        (call $new (global.get $next_rep)))
    (func (export "test:counters/api#[dtor]counter") (param i32) (global.set $live (i32.sub (global.get $live) (i32.const 1))))
    (func (export "test:counters/api#[constructor]counter") (param i32) (result i32) (call $make (local.get 0)))
    (func (export "test:counters/api#[method]counter.add") (param i32 i32) (result i32)
        (i32.store (local.get 0) (i32.add (i32.load (local.get 0)) (local.get 1)))
        (i32.load (local.get 0)))
    (func (export "test:counters/api#[static]counter.merge") (param i32 i32) (result i32) (local $sum i32)
        (local.set $sum (i32.add (i32.load (call $rep (local.get 0))) (i32.load (call $rep (local.get 1)))))
        (call $drop (local.get 0))
        (call $drop (local.get 1))
        (call $make (local.get $sum)))
    (func (export "test:counters/api#swap") (param i32 i32) (result i32)
        (i32.store (i32.const 16) (local.get 1))
        (i32.store (i32.const 20) (local.get 0))
        (i32.const 16))
    (func (export "test:counters/api#total") (param i32 i32) (result i32) (local $sum i32)
        (block $done
            (loop $again
                (br_if $done (i32.eqz (local.get 1)))
                (local.set $sum (i32.add (local.get $sum) (i32.load (i32.load (local.get 0)))))
                (local.set 0 (i32.add (local.get 0) (i32.const 4)))
                (local.set 1 (i32.sub (local.get 1) (i32.const 1)))
                (br $again)))
        (local.get $sum))
    (func (export "test:counters/api#live") (result i32) (global.get $live))"#;

const IMPORTS: &str = r#"
    (import "test:counters/api" "[constructor]counter" (func $counter (param i32) (result i32)))
    (import "test:counters/api" "[method]counter.add" (func $add (param i32 i32) (result i32)))
    (import "test:counters/api" "[static]counter.merge" (func $merge (param i32 i32) (result i32)))
    (import "test:counters/api" "[resource-drop]counter" (func $drop (param i32)))
    (import "test:counters/api" "swap" (func $swap (param i32 i32 i32)))
    (import "test:counters/api" "total" (func $total (param i32 i32) (result i32)))"#;

fn counting() -> Plugin {
    component(&format!("{API} world w {{ export api; }}"), COUNTING)
}

/// A component whose `run` makes counters, changes and merges them, and lends one. Its `keep` keeps
/// one, to which `kept` adds one.
fn using() -> Plugin {
    let body = r#"
        (global $kept (mut i32) (i32.const 0))
        (func (export "run") (param i32) (result i32) (local $one i32) (local $sum i32)
            (local.set $one (call $counter (local.get 0)))
            (drop (call $add (local.get $one) (i32.const 5)))
            (call $swap (local.get $one) (call $counter (i32.const 100)) (i32.const 64))
            (local.set $one (call $merge (i32.load (i32.const 64)) (i32.load (i32.const 68))))
            (i32.store (i32.const 80) (local.get $one))
            (i32.store (i32.const 84) (local.get $one))
            (local.set $sum (call $total (i32.const 80) (i32.const 2)))
            (call $drop (local.get $one))
            (local.get $sum))
        (func (export "keep") (global.set $kept (call $counter (i32.const 1))))
        (func (export "kept") (result i32) (call $add (global.get $kept) (i32.const 1)))"#;
    let world = "world w { import api; export run: func(n: u32) -> u32; export keep: func(); export kept: func() -> u32; }";
    component(&format!("{API} {world}"), &format!("{IMPORTS} {body}"))
}

/// A component that takes and gives objects of another one.
fn passing() -> Plugin {
    let body = r#"
        (func (export "test:counters/other#pass") (param i32) (result i32) (drop (call $add (local.get 0) (i32.const 1))) (local.get 0))
        (func (export "test:counters/other#look") (param i32) (result i32) (local $seen i32)
            (local.set $seen (call $add (local.get 0) (i32.const 0)))
            (call $drop (local.get 0))
            (local.get $seen))
        (func (export "test:counters/other#count") (param i32) (result i32) (local $seen i32)
            (i32.store (i32.const 64) (local.get 0))
            (local.set $seen (call $total (i32.const 64) (i32.const 1)))
            (call $drop (local.get 0))
            (local.get $seen))
        (func (export "test:counters/other#live") (result i32) (i32.const -1))"#;
    component(&format!("{API} world w {{ import api; export other; }}"), &format!("{IMPORTS} {body}"))
}

/// A component that passes a counter through another one, and back.
fn through() -> Plugin {
    let body = r#"
        (import "test:counters/other" "pass" (func $pass (param i32) (result i32)))
        (import "test:counters/other" "look" (func $look (param i32) (result i32)))
        (import "test:counters/other" "count" (func $count (param i32) (result i32)))
        (func $passed (param i32) (result i32) (call $pass (call $counter (local.get 0))))
        (func (export "run") (param i32) (result i32) (local $one i32) (local $seen i32)
            (local.set $one (call $passed (local.get 0)))
            (local.set $seen (i32.add (call $look (local.get $one)) (call $add (local.get $one) (i32.const 0))))
            (call $drop (local.get $one))
            (local.get $seen))
        (func (export "count") (param i32) (result i32) (call $count (call $passed (local.get 0))))"#;
    let world = "world w { import api; import other; export run: func(n: u32) -> u32; export count: func(n: u32) -> u32; }";
    component(&format!("{API} {world}"), &format!("{IMPORTS} {body}"))
}

fn linked(links: &[(&str, &Instance)]) -> InstanceOptions {
    let mut options = quiet();
    for (interface, to) in links {
        options.imports.link(*interface, *to);
    }
    options
}

fn to(instance: &impl Linkable) -> InstanceOptions {
    let mut options = quiet();
    options.imports.link("test:counters/api", instance);
    options
}

fn live(instance: &Instance) -> Value {
    instance.call("live", &[], &PLAIN).expect("a count")
}

#[test]
fn objects_go_from_guest_to_guest() {
    let end = start(&counting());
    let instance = using().instantiate(to(&end)).expect("an instance");
    for n in 0..100 {
        assert_eq!(instance.call("run", &[Value::Int(n)], &PLAIN).expect("a call"), Value::Int(2 * (n + 105)));
        assert_eq!((live(&end), end.handles().given), (Value::Int(0), 0));
    }
    instance.call("keep", &[], &PLAIN).expect("a call");
    assert_eq!(instance.call("kept", &[], &PLAIN).expect("a call"), Value::Int(2));
    assert_eq!((live(&end), end.handles().given), (Value::Int(1), 1));
    // It ends with the instance that has it.
    drop(instance);
    assert_eq!((live(&end), end.handles().given), (Value::Int(0), 0));
}

#[test]
fn objects_of_asynchronous_instances_go_over_as_well() {
    let wait = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    wait.block_on(async {
        let end = counting().instantiate_async(quiet(), &PLAIN).await.expect("an instance");
        let instance = using().instantiate_async(to(&end), &PLAIN).await.expect("an instance");
        assert_eq!(instance.call("run", &[Value::Int(7)], &PLAIN).await.expect("a call"), Value::Int(224));
        assert_eq!(end.call("live", &[], &PLAIN).await.expect("a call"), Value::Int(0));
    });
}

#[test]
fn an_instance_passes_on_objects_of_another() {
    let end = start(&counting());
    let middle = passing().instantiate(to(&end)).expect("an instance");
    let links = [("test:counters/api", &end), ("test:counters/other", &middle)];
    let instance = through().instantiate(linked(&links)).expect("an instance");
    assert_eq!(instance.call("run", &[Value::Int(20)], &PLAIN).expect("a call"), Value::Int(42));
    assert_eq!((live(&end), end.handles().given), (Value::Int(0), 0));
    // Their own instance alone knows what they are.
    let stranger = start(&counting());
    let middle = passing().instantiate(to(&stranger)).expect("an instance");
    let links = [("test:counters/api", &end), ("test:counters/other", &middle)];
    let instance = through().instantiate(linked(&links)).expect("an instance");
    assert_eq!(instance.call("run", &[Value::Int(20)], &PLAIN).expect("a call"), Value::Int(42));
    let error = failure(&instance, "count", &[Value::Int(1)]);
    expect(&error, ErrorKind::HostError, &["another"]);
}

#[test]
fn objects_end_with_their_instance() {
    let end = start(&counting());
    let instance = using().instantiate(to(&end)).expect("an instance");
    instance.call("keep", &[], &PLAIN).expect("a call");
    end.reset(&PLAIN).expect("it starts anew");
    expect(&failure(&instance, "kept", &[]), ErrorKind::TypeMismatch, &["closed", "reset"]);
}

#[test]
fn other_objects_are_refused() {
    let differs = |from: &str, to: &str, parts: &[&str]| {
        let wit = API.replace(from, to);
        let body = COUNTING.replace(
            "(param i32 i32) (result i32)\n        (i32.store (local.get 0)",
            "(param i32 i64) (result i32)\n        (i32.store (local.get 0)",
        );
        let core = if to.contains("u64") {
            body.replace(
                "(local.get 1)))\n        (i32.load (local.get 0)))",
                "(i32.wrap_i64 (local.get 1))))\n        (i32.load (local.get 0)))",
            )
        } else {
            COUNTING.to_owned()
        };
        let end = start(&component(&format!("{wit} world w {{ export api; }}"), &core));
        expect(&using().instantiate(self::to(&end)).expect_err("they differ"), ErrorKind::SignatureMismatch, parts);
    };
    differs("add: func(n: u32)", "add: func(n: u64)", &["the method add of counter", "the types of n differ"]);
    differs("first: counter", "one: counter", &["the types of p differ in what they consist of"]);
}

/// Modules have no constructors of what they import.
#[test]
fn objects_of_modules_go_over_as_well() {
    let interface =
        "interface api { resource counter { add: func(n: u32) -> u32; } open: func(n: u32) -> counter; close: func(c: counter) -> u32; }";
    let end = typed(
        &format!("{interface} world w {{ export api; }}"),
        r#"(import "[export]test:plugin/api" "[resource-new]counter" (func $new (param i32) (result i32)))
        (import "[export]test:plugin/api" "[resource-rep]counter" (func $rep (param i32) (result i32)))
        (import "[export]test:plugin/api" "[resource-drop]counter" (func $drop (param i32)))
        (func (export "test:plugin/api#[dtor]counter") (param i32))
        (func (export "test:plugin/api#[method]counter.add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
        (func (export "test:plugin/api#open") (param i32) (result i32) (call $new (local.get 0)))
        (func (export "test:plugin/api#close") (param i32) (result i32) (local $rep i32)
            (local.set $rep (call $rep (local.get 0))) (call $drop (local.get 0)) (local.get $rep))"#,
    );
    let instance = typed(
        &format!("{interface} world w {{ import api; export run: func(n: u32) -> u32; }}"),
        r#"(import "test:plugin/api" "open" (func $open (param i32) (result i32)))
        (import "test:plugin/api" "close" (func $close (param i32) (result i32)))
        (import "test:plugin/api" "[method]counter.add" (func $add (param i32 i32) (result i32)))
        (import "test:plugin/api" "[resource-drop]counter" (func $drop (param i32)))
        (func (export "run") (param i32) (result i32) (local $one i32) (local $sum i32)
            (local.set $one (call $open (local.get 0)))
            (local.set $sum (call $add (local.get $one) (i32.const 1)))
            (call $drop (call $open (i32.const 9)))
            (i32.add (local.get $sum) (call $close (local.get $one))))"#,
    );
    let end = start(&end.expect("a plugin"));
    let mut options = quiet();
    options.imports.link("test:plugin/api", &end);
    let instance = instance.expect("a plugin").instantiate(options).expect("an instance");
    assert_eq!(instance.call("run", &[Value::Int(20)], &PLAIN).expect("a call"), Value::Int(41));
    assert_eq!(end.handles().given, 0);
}

#[test]
fn of_functions_with_one_name_the_interface_says_which() {
    let wit = "package test:names; interface a { f: func() -> u32; } interface b { f: func() -> u32; }";
    let end = component(
        &format!("{wit} world w {{ export a; export b; }}"),
        r#"(func (export "test:names/a#f") (result i32) (i32.const 1)) (func (export "test:names/b#f") (result i32) (i32.const 2))"#,
    );
    let plugin = component(
        &format!("{wit} world w {{ import a; import b; export run: func() -> u32; }}"),
        r#"(import "test:names/a" "f" (func $a (result i32))) (import "test:names/b" "f" (func $b (result i32)))
        (func (export "run") (result i32) (i32.add (i32.mul (i32.const 10) (call $a)) (call $b)))"#,
    );
    let end = start(&end);
    let instance = plugin.instantiate(linked(&[("test:names/a", &end), ("test:names/b", &end)])).expect("an instance");
    assert_eq!(instance.call("run", &[], &PLAIN).expect("a call"), Value::Int(12));
}

#[test]
fn resources_with_one_name_are_told_apart_by_their_interfaces() {
    let x = "resource x { constructor(n: u32); get: func() -> u32; }";
    let wit = format!("package test:names; interface a {{ {x} }} interface b {{ {x} }}");
    let new = |interface: &str| {
        format!(r#"(import "[export]test:names/{interface}" "[resource-new]x" (func $new-{interface} (param i32) (result i32)))"#)
    };
    // An object of the second is twice what it was made of.
    let of = |interface: &str, times: u32| {
        format!(
            r#"(func (export "test:names/{interface}#[constructor]x") (param i32) (result i32)
                (call $new-{interface} (i32.mul (i32.const {times}) (local.get 0))))
            (func (export "test:names/{interface}#[method]x.get") (param i32) (result i32) (local.get 0))"#
        )
    };
    let core = [new("a"), new("b"), of("a", 1), of("b", 2)].concat();
    let end = component(&format!("{wit} world w {{ export a; export b; }}"), &core);
    let named: Vec<_> = end.interface().expect("an interface").resources.iter().map(|resource| resource.ty.name.clone()).collect();
    assert_eq!(named, ["names-a-x", "names-b-x"]);
    let import = |interface: &str| {
        format!(
            r#"(import "test:names/{interface}" "[constructor]x" (func $make-{interface} (param i32) (result i32)))
            (import "test:names/{interface}" "[method]x.get" (func $get-{interface} (param i32) (result i32)))"#
        )
    };
    let run = r#"(func (export "run") (result i32)
        (i32.add (i32.mul (i32.const 10) (call $get-a (call $make-a (i32.const 1)))) (call $get-b (call $make-b (i32.const 1)))))"#;
    let both = format!("{}{}{run}", import("a"), import("b"));
    let plugin = component(&format!("{wit} world w {{ import a; import b; export run: func() -> u32; }}"), &both);
    let end = start(&end);
    let instance = plugin.instantiate(linked(&[("test:names/a", &end), ("test:names/b", &end)])).expect("an instance");
    assert_eq!(instance.call("run", &[], &PLAIN).expect("a call"), Value::Int(12));
    // Where one of them is imported alone, it has no other name.
    let run = r#"(func (export "run") (result i32) (call $get-b (call $make-b (i32.const 4))))"#;
    let plugin = component(&format!("{wit} world w {{ import b; export run: func() -> u32; }}"), &format!("{}{run}", import("b")));
    let instance = plugin.instantiate(linked(&[("test:names/b", &end)])).expect("an instance");
    assert_eq!(instance.call("run", &[], &PLAIN).expect("a call"), Value::Int(8));
}

#[test]
fn versions_of_an_interface_are_told_apart() {
    let packages =
        "package test:dep@0.1.0 { interface t { f: func() -> u32; } } package test:dep@0.2.0 { interface t { f: func() -> u32; } }";
    let world = |items: &str| format!("package test:w; world w {{ {items} }} {packages}");
    let end = component(
        &world("export test:dep/t@0.1.0; export test:dep/t@0.2.0;"),
        r#"(func (export "test:dep/t@0.1.0#f") (result i32) (i32.const 1)) (func (export "test:dep/t@0.2.0#f") (result i32) (i32.const 2))"#,
    );
    let named: Vec<_> = end.exports().map(|function| function.name.clone()).collect();
    assert_eq!(named, ["dep-t-v0-1-0-f", "dep-t-v0-2-0-f"]);
    let plugin = component(
        &world("import test:dep/t@0.1.0; import test:dep/t@0.2.0; export run: func() -> u32;"),
        r#"(import "test:dep/t@0.1.0" "f" (func $one (result i32))) (import "test:dep/t@0.2.0" "f" (func $two (result i32)))
        (func (export "run") (result i32) (i32.add (i32.mul (i32.const 10) (call $one)) (call $two)))"#,
    );
    let end = start(&end);
    let instance = plugin.instantiate(linked(&[("test:dep/t@0.1.0", &end), ("test:dep/t@0.2.0", &end)])).expect("an instance");
    assert_eq!(instance.call("run", &[], &PLAIN).expect("a call"), Value::Int(12));
}
