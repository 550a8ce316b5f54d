//! What a program gives to a guest, or fails with, ends in the middle of the guest's call. Its own
//! code runs then, which has to be on the stack that the program has called from: a virtual machine
//! or Go knows no other.
#![cfg(not(miri))]

use std::sync::{Arc, Mutex};

use crate::common::{PLAIN, component, quiet, typed};
use undergo::{Error, HostObject, InstanceOptions, Plugin, Value};

/// That of a thread of the JVM, which is too small for a guest.
const STACK: usize = 1 << 20;

/// More than a call takes, and less than what lies between two stacks.
const NEAR: usize = STACK / 2;

const WORLD: &str = "package test:items;
interface host {
  resource item { rank: func() -> u32; }
  fails: func() -> result<u32, string>;
}
interface api {
  use host.{item};
  hold: func(i: item) -> u32;
  let-go: func() -> u32;
  fail: func() -> u32;
}
world w { import host; export api; }
";

const CORE: &str = r#"
    (import "test:items/host" "[resource-drop]item" (func $drop (param i32)))
    (import "test:items/host" "fails" (func $fails (param i32)))
    (global $held (mut i32) (i32.const 0))
    (func (export "test:items/api#hold") (param i32) (result i32)
        (global.set $held (local.get 0))
        (i32.const 1))
    (func (export "test:items/api#let-go") (result i32)
        (call $drop (global.get $held))
        (i32.const 1))
    (func (export "test:items/api#fail") (result i32)
        (call $fails (i32.const 16))
        (i32.load8_u (i32.const 16)))
"#;

/// About where the stack ends.
fn here() -> usize {
    let mark = 0_u8;
    std::hint::black_box(&raw const mark).addr()
}

type Places = Arc<Mutex<Vec<usize>>>;

/// Notes where it is dropped.
struct Ending(Places);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.lock().expect("no panic").push(here());
    }
}

fn failing(interface: &str, places: &Places) -> InstanceOptions {
    let (mut options, places) = (quiet(), places.clone());
    options.imports.func(interface, "fails", move |_| Err(Error::from_host("it fails", Arc::new(Ending(places.clone())))));
    options
}

/// Makes calls on a thread with a small stack, and checks that what has ended did so there.
fn expect_near(plugin: &Plugin, options: InstanceOptions, calls: Vec<(&str, Option<HostObject>)>, places: &Places) {
    let run = || {
        let instance = plugin.instantiate(options).unwrap_or_else(|error| panic!("{error}"));
        for (export, object) in calls {
            // Nobody but the guest has the object after the call.
            let args: Vec<_> = object.into_iter().map(Value::Object).collect();
            let result = instance.call(export, &args, &PLAIN).unwrap_or_else(|error| panic!("{export}: {error}"));
            assert_eq!(result, Value::Int(1), "{export}");
        }
        (here(), places.lock().expect("no panic").clone())
    };
    let (caller, ended) = std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, run);
        thread.expect("a thread").join().expect("no panic")
    });
    assert_eq!(ended.len(), 1);
    assert!(caller.abs_diff(ended[0]) < NEAR, "{:#x} is not on the stack of {caller:#x}", ended[0]);
    places.lock().expect("no panic").clear();
}

#[test]
fn an_error_ends_on_its_callers_stack() {
    let places = Places::default();
    let items = "interface host { fails: func() -> result<u32, string>; } world plugin { import host; export fail: func() -> u32; }";
    let body = r#"(import "test:plugin/host" "fails" (func $fails (param i32)))
        (func (export "fail") (result i32) (call $fails (i32.const 16)) (i32.load8_u (i32.const 16)))"#;
    let module = typed(items, body).expect("a plugin");
    expect_near(&module, failing("test:plugin/host", &places), vec![("fail", None)], &places);
    expect_near(&component(WORLD, CORE), failing("test:items/host", &places), vec![("fail", None)], &places);
}

#[test]
fn an_object_that_a_component_drops_ends_on_its_callers_stack() {
    let places = Places::default();
    let ending = Ending(places.clone());
    let given = HostObject::func(move |_| {
        let _ = &ending;
        Ok(Value::Int(1))
    });
    expect_near(&component(WORLD, CORE), failing("test:items/host", &places), vec![("hold", Some(given)), ("let-go", None)], &places);
}
