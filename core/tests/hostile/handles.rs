//! Guests that forge handles, end them twice, make too many, or go on where they should not.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use undergo::host::ToValue;
use undergo::{Error, ErrorKind, Handle, HandleCounts, HostObject, Instance, InstanceOptions, Limits, Plugin, PoolOptions, Result, Value};

use crate::common::{PLAIN, expect, expect_dead, failure, quiet, typed};

const ITEMS: &str = "
interface callbacks { resource f-g { call: func(n: s32) -> s32; } }
interface api {
  resource other { }
  resource thing {
    constructor(rep: s32);
    value: func() -> s32;
    many: func(a: s64, b: s64, c: s64, d: s64, e: s64, f: s64, g: s64, h: s64, i: s64, j: s64, k: s64, l: s64, m: s64, n: s64, o: s64,
      p: f64) -> s64;
  }
  record pair { first: thing, second: thing }
  variant choice { number(f64), thing(thing), nothing }
  forge: func(handle: u32) -> thing;
  of-other: func() -> thing;
  same-twice: func() -> list<thing>;
  end-twice: func();
  end: func(handle: u32);
  end-given: func();
  look-at-given: func();
  make: func(count: u32);
  make-and-end: func(count: u32);
  take-pair: func(p: pair) -> s32;
  choose: func(c: choice) -> s32;
  lend: func(t: borrow<thing>, u: option<borrow<thing>>) -> s32;
}
world w {
  use callbacks.{f-g};
  import host: interface { seen: func(rep: s32); }
  export api;
  export ask: func(g: borrow<f-g>, n: s32) -> s32;
  export end-asked: func(g: borrow<f-g>);
  export ask-later: func() -> s32;
  export ask-another: func(g: borrow<f-g>) -> s32;
  export keep: func(g: f-g);
}";

/// The representation of a thing is a number that says what its end does: 13 is a trap, 14 an
/// endless loop; 15 and up are told to the host.
const BODY: &str = r#"
(import "host" "seen" (func $seen (param i32)))
(import "[export]test:plugin/api" "[resource-new]thing" (func $new (param i32) (result i32)))
(import "[export]test:plugin/api" "[resource-rep]thing" (func $rep (param i32) (result i32)))
(import "[export]test:plugin/api" "[resource-drop]thing" (func $drop (param i32)))
(import "[export]test:plugin/api" "[resource-new]other" (func $new_other (param i32) (result i32)))
(import "test:plugin/callbacks" "[method]f-g.call" (func $call (param i32 i32) (result i32)))
(import "test:plugin/callbacks" "[resource-drop]f-g" (func $drop_g (param i32)))
(global $last (mut i32) (i32.const 0))
(func (export "test:plugin/api#[dtor]thing") (param i32)
  (if (i32.eq (local.get 0) (i32.const 13)) (then unreachable))
  (if (i32.eq (local.get 0) (i32.const 14)) (then (loop $on (br $on))))
  (if (i32.ge_s (local.get 0) (i32.const 15)) (then (call $seen (local.get 0)))))
(func (export "test:plugin/api#[dtor]other") (param i32))
(func $make (export "test:plugin/api#[constructor]thing") (param i32) (result i32)
  (global.set $last (call $new (local.get 0))) (global.get $last))
(func (export "test:plugin/api#[method]thing.value") (param i32) (result i32) (local.get 0))
(func (export "test:plugin/api#[method]thing.many") (param i32) (result i64)
  (i64.add (i64.extend_i32_s (i32.load (local.get 0)))
    (i64.add (i64.load offset=120 (local.get 0)) (i64.trunc_f64_s (f64.load offset=128 (local.get 0))))))
(func (export "test:plugin/api#forge") (param i32) (result i32) (local.get 0))
(func (export "test:plugin/api#of-other") (result i32) (call $new_other (i32.const 1)))
(func (export "test:plugin/api#same-twice") (result i32)
  (i32.store (i32.const 2048) (call $make (i32.const 1)))
  (i32.store (i32.const 2052) (global.get $last))
  (i32.store (i32.const 1024) (i32.const 2048))
  (i32.store (i32.const 1028) (i32.const 2))
  (i32.const 1024))
(func (export "test:plugin/api#end-twice") (call $drop (call $make (i32.const 1))) (call $drop (global.get $last)))
(func (export "test:plugin/api#end") (param i32) (call $drop (local.get 0)))
(func (export "test:plugin/api#end-given") (call $drop (global.get $last)))
(func (export "test:plugin/api#look-at-given") (drop (call $rep (global.get $last))))
(func (export "test:plugin/api#make") (param i32)
  (loop $on (drop (call $make (i32.const 1))) (br_if $on (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))
(func (export "test:plugin/api#make-and-end") (param i32)
  (loop $on (call $drop (call $make (i32.const 1))) (br_if $on (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))
(func (export "test:plugin/api#take-pair") (param i32 i32) (result i32)
  (i32.add (call $rep (local.get 0)) (call $rep (local.get 1)))
  (call $drop (local.get 0)) (call $drop (local.get 1)))
(func (export "test:plugin/api#choose") (param i32 i64) (result i32)
  (if (result i32) (i32.eq (local.get 0) (i32.const 1)) (then (call $rep (i32.wrap_i64 (local.get 1)))) (else (i32.const -1))))
(func (export "test:plugin/api#lend") (param i32 i32 i32) (result i32) (i32.add (local.get 0) (local.get 2)))
(func (export "ask") (param i32 i32) (result i32) (global.set $last (local.get 0)) (call $call (local.get 0) (local.get 1)))
(func (export "end-asked") (param i32) (call $drop_g (local.get 0)))
(func (export "ask-later") (result i32) (call $call (global.get $last) (i32.const 1)))
(func (export "ask-another") (param i32) (result i32) (call $call (i32.add (local.get 0) (i32.const 1)) (i32.const 1)))
(func (export "keep") (param i32) (global.set $last (local.get 0)))"#;

fn guest() -> Plugin {
    typed(ITEMS, BODY).expect("a plugin")
}

/// An instance, and what it has told the host.
struct Told {
    instance: Instance,
    told: Arc<Mutex<Vec<i64>>>,
}

fn options(limits: Limits) -> (InstanceOptions, Arc<Mutex<Vec<i64>>>) {
    let told = Arc::new(Mutex::new(Vec::new()));
    let kept = told.clone();
    let mut options = quiet().limits(limits);
    options.imports.func("host", "seen", move |args| {
        if let [Value::Int(rep)] = args {
            kept.lock().expect("no panic").push(*rep);
        }
        Ok(Value::None)
    });
    (options, told)
}

fn start_with(limits: Limits) -> Told {
    let (options, told) = options(limits);
    Told { instance: guest().instantiate(options).expect("an instance"), told }
}

fn start() -> Told {
    start_with(Limits::default())
}

fn member(instance: &Instance, resource: &str, method: Option<&str>, args: &[Value]) -> Result<Value> {
    let all = instance.plugin().interface().expect("an interface");
    let resource = all.resources.iter().find(|found| found.ty.name == resource).expect("the resource");
    let function = method.map_or(resource.constructor.as_ref(), |name| resource.method(name)).expect("the function");
    let number = instance.plugin().member(function).expect("its number");
    instance.call_with(number, &PLAIN, |arguments| arguments.lower_all(args.iter()), |outcome| outcome.lift(&ToValue))
}

fn thing(instance: &Instance, rep: i64) -> Handle {
    match member(instance, "thing", None, &[Value::Int(rep)]).expect("a thing") {
        Value::Handle(handle) => handle,
        other => panic!("{other:?}"),
    }
}

fn value(instance: &Instance, thing: &Handle) -> Result<Value> {
    member(instance, "thing", Some("value"), &[Value::Handle(thing.clone())])
}

fn pair(first: &Handle, second: &Handle) -> Value {
    let field = |name: &str, handle: &Handle| (name.to_owned(), Value::Handle(handle.clone()));
    Value::Record(vec![field("first", first), field("second", second)])
}

/// The call ends as a trap, and the instance with it.
#[track_caller]
fn traps(name: &str, args: &[Value], parts: &[&str]) {
    let Told { instance, .. } = start();
    // Another handle, which is not to be mistaken for any.
    let _kept = thing(&instance, 1);
    expect(&failure(&instance, name, args), ErrorKind::Trap, parts);
    expect_dead(&instance, ErrorKind::Trap);
}

#[test]
fn handles_that_the_guest_does_not_have() {
    for forged in [0, 1, 2, 0xFFFF_FFFF, 0x8000_0001, 1 << 20, (1 << 20) | 1] {
        traps("forge", &[Value::Int(forged)], &["handle"]);
        traps("end", &[Value::Int(forged)], &["handle", "of thing, which it does not have"]);
    }
    traps("of-other", &[], &["of thing, which it does not have"]);
    traps("same-twice", &[], &["same-twice -> result[1]", "which it does not have"]);
    traps("end-twice", &[], &["which it does not have"]);
    traps("end-given", &[], &["which it does not have"]);
    traps("look-at-given", &[], &["which it does not have"]);
}

#[test]
fn too_many_handles_end_the_call() {
    let Told { instance, .. } = start_with(Limits::default().handles(100));
    instance.call("make", &[Value::Int(100)], &PLAIN).expect("so many it may have");
    assert_eq!(instance.handles(), HandleCounts { held: 100, given: 0 });
    expect(&failure(&instance, "make", &[Value::Int(1)]), ErrorKind::OutOfMemory, &["100 handles", "(handles)"]);
    expect_dead(&instance, ErrorKind::OutOfMemory);
    instance.reset(&PLAIN).expect("it lives again");
    assert_eq!(instance.handles(), HandleCounts::default());
    // What it has ended waits for its release, and would otherwise grow without bound.
    for _ in 0..3 {
        instance.call("make-and-end", &[Value::Int(100)], &PLAIN).expect("so many it may end");
    }
    expect(&failure(&instance, "make-and-end", &[Value::Int(1 << 30)]), ErrorKind::OutOfMemory, &["100 handles"]);
}

#[test]
fn a_million_handles_fit() {
    let Told { instance, .. } = start_with(Limits::default().handles(1 << 20));
    instance.call("make", &[Value::Int((1 << 20) - 1)], &PLAIN).expect("so many have numbers");
    expect(&failure(&instance, "make", &[Value::Int(1)]), ErrorKind::OutOfMemory, &["1048575 handles"]);
}

#[test]
fn a_start_section_may_make_handles() {
    let body = format!("{BODY}\n(func $begin (drop (call $make (i32.const 9)))) (start $begin)");
    let (options, _) = options(Limits::default());
    let instance = typed(ITEMS, &body).expect("a plugin").instantiate(options).expect("an instance");
    assert_eq!(instance.handles(), HandleCounts { held: 1, given: 0 });
    expect(&failure(&instance, "end", &[Value::Int(2)]), ErrorKind::Trap, &["the handle 2"]);
}

#[test]
fn handles_where_cases_share_their_flat_values() {
    let Told { instance, told } = start();
    let thing = thing(&instance, 21);
    let case = |name: &str, value: Option<Value>| [Value::Variant(name.into(), value.map(Box::new))];
    assert_eq!(instance.call("choose", &case("number", Some(Value::Float(2.5))), &PLAIN).expect("a call"), Value::Int(-1));
    let given = case("thing", Some(Value::Handle(thing.clone())));
    assert_eq!(instance.call("choose", &given, &PLAIN).expect("a call"), Value::Int(21));
    assert!(!thing.is_open(), "it was given away");
    expect(&failure(&instance, "choose", &given), ErrorKind::TypeMismatch, &["c.thing", "given away"]);
    assert_eq!(instance.handles(), HandleCounts { held: 1, given: 0 });
    assert_eq!(*told.lock().expect("no panic"), [0_i64; 0]);
}

#[test]
fn a_method_with_more_parameters_than_are_flat() {
    let Told { instance, .. } = start();
    let thing = thing(&instance, 1000);
    let mut args = vec![Value::Handle(thing.clone())];
    args.extend((1..=15).map(Value::Int));
    args.push(Value::Float(100.0));
    assert_eq!(member(&instance, "thing", Some("many"), &args).expect("a call"), Value::Int(1115));
    thing.close();
    expect(&member(&instance, "thing", Some("many"), &args).expect_err("closed"), ErrorKind::TypeMismatch, &["the thing is closed"]);
}

#[test]
fn one_handle_given_away_twice_is_given_not_at_all() {
    let Told { instance, .. } = start();
    let (one, other) = (thing(&instance, 3), thing(&instance, 4));
    expect(&failure(&instance, "take-pair", &[pair(&one, &one)]), ErrorKind::TypeMismatch, &["take-pair", "given away"]);
    assert!(one.is_open(), "all is undone");
    assert_eq!(instance.handles(), HandleCounts { held: 0, given: 2 });
    assert_eq!(instance.call("take-pair", &[pair(&one, &other)], &PLAIN).expect("two of them"), Value::Int(7));
    assert_eq!(instance.handles(), HandleCounts::default());
}

#[test]
fn handles_of_others_are_refused() {
    let (one, another) = (start().instance, start().instance);
    let thing = thing(&one, 3);
    expect(&value(&another, &thing).expect_err("another's"), ErrorKind::TypeMismatch, &["another"]);
    let sibling = one.plugin().instantiate(options(Limits::default()).0).expect("an instance");
    expect(&value(&sibling, &thing).expect_err("another's"), ErrorKind::TypeMismatch, &["belongs to another instance"]);
    assert_eq!(value(&one, &thing).expect("its own"), Value::Int(3));
}

#[test]
fn what_ends_is_released_once() {
    let Told { instance, told } = start();
    let (one, other) = (thing(&instance, 31), thing(&instance, 32));
    instance.close_handle(&one).expect("it is closed");
    instance.close_handle(&one).expect("it was closed");
    assert_eq!(*told.lock().expect("no panic"), [31]);
    drop(one);
    // From another thread, the next call releases it.
    thread::spawn(move || drop(other)).join().expect("no panic");
    assert_eq!(*told.lock().expect("no panic"), [31]);
    instance.call("make", &[Value::Int(1)], &PLAIN).expect("a call");
    assert_eq!(*told.lock().expect("no panic"), [31, 32]);
}

#[test]
fn destructors_that_trap_or_never_end() {
    let Told { instance, .. } = start();
    let thing_13 = thing(&instance, 13);
    expect(&instance.close_handle(&thing_13).expect_err("a trap"), ErrorKind::Trap, &["unreachable"]);
    expect_dead(&instance, ErrorKind::Trap);
    instance.close_handle(&thing_13).expect("nothing is left to close");

    let Told { instance, .. } = start_with(Limits::default().timeout(Duration::from_millis(100)));
    let thing_14 = thing(&instance, 14);
    expect(&instance.close_handle(&thing_14).expect_err("an endless loop"), ErrorKind::Timeout, &["100ms"]);
    expect_dead(&instance, ErrorKind::Timeout);

    // The deadline is that of the call that comes upon it.
    let Told { instance, .. } = start();
    thing(&instance, 14).close();
    let brief = undergo::CallOptions { timeout: Some(Duration::from_millis(50)), ..PLAIN };
    expect(&instance.call("make", &[Value::Int(1)], &brief).expect_err("an endless loop"), ErrorKind::Timeout, &["50ms"]);
}

#[test]
fn a_handle_that_closes_during_its_call_stays_valid_until_then() {
    let Told { instance, told } = start();
    let lent = thing(&instance, 40);
    let closing = lent.clone();
    let counted = instance.clone();
    let object = HostObject::func(move |_| {
        let closing = closing.clone();
        thread::spawn(move || closing.close()).join().expect("no panic");
        // A nested call releases nothing.
        counted.call("make", &[Value::Int(1)], &PLAIN)?;
        Ok(Value::Int(1))
    });
    assert_eq!(instance.call("ask", &[Value::Object(object), Value::Int(1)], &PLAIN).expect("a call"), Value::Int(1));
    assert_eq!(*told.lock().expect("no panic"), [0_i64; 0]);
    expect(&value(&instance, &lent).expect_err("closed"), ErrorKind::TypeMismatch, &["the thing is closed"]);
    instance.call("make", &[Value::Int(1)], &PLAIN).expect("a call");
    assert_eq!(*told.lock().expect("no panic"), [40]);
}

fn adds(n: i64) -> Value {
    Value::Object(HostObject::func(move |args| match args {
        [Value::Int(other)] => Ok(Value::Int(n + other)),
        _ => Err(Error::new(ErrorKind::HostError, "no number")),
    }))
}

#[test]
fn a_borrowed_function_ends_with_its_call() {
    for name in ["ask-later", "keep"] {
        let Told { instance, .. } = start();
        assert_eq!(instance.call("ask", &[adds(1), Value::Int(2)], &PLAIN).expect("a call"), Value::Int(3));
        assert_eq!(instance.handles(), HandleCounts::default());
        if name == "keep" {
            instance.call("keep", &[adds(5)], &PLAIN).expect("a call");
            assert_eq!(instance.call("ask-later", &[], &PLAIN).expect("it was kept"), Value::Int(6));
            assert_eq!(instance.handles(), HandleCounts { held: 1, given: 0 });
        } else {
            expect(&failure(&instance, name, &[]), ErrorKind::Trap, &["of f-g, which it does not have"]);
            expect_dead(&instance, ErrorKind::Trap);
        }
    }
    traps("end-asked", &[adds(1)], &["of f-g, which it has borrowed"]);
    traps("ask-another", &[adds(1)], &["of f-g, which it does not have"]);
}

/// Counts how many of it there are.
struct Counted(Arc<AtomicU32>);

impl Counted {
    fn new(count: &Arc<AtomicU32>) -> Counted {
        count.fetch_add(1, Ordering::SeqCst);
        Counted(count.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[test]
fn what_the_guest_keeps_ends_with_it() {
    let count = Arc::new(AtomicU32::new(0));
    let counted = || {
        let one = Counted::new(&count);
        Value::Object(HostObject::func(move |_| Ok(Value::Int(one.0.load(Ordering::SeqCst).into()))))
    };
    let Told { instance, .. } = start();
    let held = thing(&instance, 50);
    for _ in 0..3 {
        instance.call("keep", &[counted()], &PLAIN).expect("a call");
    }
    assert_eq!((instance.handles(), count.load(Ordering::SeqCst)), (HandleCounts { held: 3, given: 1 }, 3));
    instance.reset(&PLAIN).expect("a reset");
    assert_eq!((instance.handles(), count.load(Ordering::SeqCst)), (HandleCounts::default(), 0));
    assert!(!held.is_open());
    expect(&value(&instance, &held).expect_err("of the guest before"), ErrorKind::TypeMismatch, &["its instance was reset"]);
    instance.call("keep", &[counted()], &PLAIN).expect("a call");
    drop(instance);
    assert_eq!(count.load(Ordering::SeqCst), 0);
    held.close();
}

#[test]
fn a_pool_ends_the_handles_of_what_returns() {
    let (options, told) = options(Limits::default());
    let pool = guest().pool(PoolOptions::new(1, options)).expect("a pool");
    let taken = pool.take(&PLAIN).expect("an instance");
    let held = thing(&taken, 60);
    drop(taken);
    assert!(!held.is_open());
    let taken = pool.take(&PLAIN).expect("the same instance");
    expect(&value(&taken, &held).expect_err("it was returned"), ErrorKind::TypeMismatch, &["returned to its pool"]);
    let new = thing(&taken, 61);
    drop(held);
    assert_eq!((value(&taken, &new).expect("its own"), taken.handles().given), (Value::Int(61), 1));
    assert_eq!(*told.lock().expect("no panic"), [60]);
    expect(&pool.call("forge", &[Value::Int(1)], &PLAIN).expect_err("a handle"), ErrorKind::SignatureMismatch, &["forge", "take one"]);
}

#[test]
fn many_threads_close_while_calls_run() {
    let Told { instance, told } = start();
    thread::scope(|scope| {
        for n in 0..4 {
            let instance = &instance;
            scope.spawn(move || {
                for i in 0..200 {
                    let handle = thing(instance, 100 + n * 200 + i);
                    scope.spawn(move || handle.close());
                }
            });
        }
    });
    instance.call("make", &[Value::Int(1)], &PLAIN).expect("a call");
    let mut all = told.lock().expect("no panic").clone();
    all.sort_unstable();
    assert!(all.iter().copied().eq(100..900), "each is released once: {}", all.len());
    assert_eq!(instance.handles().given, 0);
}

#[test]
fn worlds_that_no_plugin_may_have() {
    for (items, text) in [
        ("interface api { resource t { m: static func(); } } world w { export api; }", "static"),
        ("interface api { resource t { } } world w { import api; export api; }", "imported and exported"),
        ("interface api { resource t { } resource t-o { } f: func(x: borrow<t>) -> borrow<t-o>; } world w { export api; }", ""),
        ("interface host { resource t { } } world w { use host.{t}; export f: func() -> t; }", "an object of the host"),
    ] {
        let error = typed(items, "").expect_err(items);
        assert_eq!(error.kind(), ErrorKind::InvalidPlugin, "{error}");
        assert!(error.to_string().contains(text), "{error}");
    }
}
