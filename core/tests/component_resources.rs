//! Resources of components: their objects in the hands of a program, those of the program in
//! theirs, and what hostile ones do with them.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::common::{component, expect, expect_dead, expect_kept, failure, quiet};
use undergo::{
    CallOptions, ErrorKind, Function, GuestType, HandleCounts, HostObject, Instance, InstanceOptions, Plugin, PoolOptions, Result, Value,
};

const WIT: &str = "package test:counters;
interface api {
  resource counter {
    constructor(start: u32);
    value: func() -> u32;
    add: func(n: u32) -> u32;
    fork: static func(other: borrow<counter>) -> counter;
    merge: static func(a: counter, b: counter) -> counter;
  }
  record pair { first: counter, second: counter }
  up-to: func(n: u32) -> list<counter>;
  total: func(all: list<borrow<counter>>) -> u32;
  swap: func(p: pair) -> pair;
  maybe: func(n: u32) -> option<counter>;
  live: func() -> u32;
  hostile: func(mode: u32);
  forged: func(handle: u32) -> counter;
  twice: func() -> pair;
  flood: func();
}
world w {
  import ping: func();
  export api;
}
";

/// An object's representation is the address of its value. The destructor does what `hostile` has
/// said.
const CORE: &str = r#"
    (import "[export]test:counters/api" "[resource-new]counter" (func $new (param i32) (result i32)))
    (import "[export]test:counters/api" "[resource-rep]counter" (func $rep (param i32) (result i32)))
    (import "[export]test:counters/api" "[resource-drop]counter" (func $drop (param i32)))
    (import "$root" "ping" (func $ping))
    (global $next_rep (mut i32) (i32.const 1024))
    (global $live (mut i32) (i32.const 0))
    (global $mode (mut i32) (i32.const 0))
    (func $make (param i32) (result i32)
        (global.set $next_rep (i32.add (global.get $next_rep) (i32.const 4)))
        (if (i32.gt_u (global.get $next_rep) (i32.const 4000)) (then (global.set $next_rep (i32.const 1024))))
        (i32.store (global.get $next_rep) (local.get 0))
        (global.set $live (i32.add (global.get $live) (i32.const 1)))
        (call $new (global.get $next_rep)))
    (func (export "test:counters/api#[dtor]counter") (param i32)
        (global.set $live (i32.sub (global.get $live) (i32.const 1)))
        (if (i32.eq (global.get $mode) (i32.const 1)) (then unreachable))
        (if (i32.eq (global.get $mode) (i32.const 2)) (then (loop $again (br $again))))
        (if (i32.eq (global.get $mode) (i32.const 3)) (then (call $ping))))
    (func (export "test:counters/api#[constructor]counter") (param i32) (result i32) (call $make (local.get 0)))
    (func (export "test:counters/api#[method]counter.value") (param i32) (result i32) (i32.load (local.get 0)))
    (func (export "test:counters/api#[method]counter.add") (param i32 i32) (result i32)
        (i32.store (local.get 0) (i32.add (i32.load (local.get 0)) (local.get 1)))
        (i32.load (local.get 0)))
    (func (export "test:counters/api#[static]counter.fork") (param i32) (result i32) (call $make (i32.load (local.get 0))))
    (func (export "test:counters/api#[static]counter.merge") (param i32 i32) (result i32) (local $sum i32)
        (local.set $sum (i32.add (i32.load (call $rep (local.get 0))) (i32.load (call $rep (local.get 1)))))
        (call $drop (local.get 0))
        (call $drop (local.get 1))
        (call $make (local.get $sum)))
    (func (export "test:counters/api#up-to") (param i32) (result i32) (local $i i32)
        (block $done
            (loop $again
                (br_if $done (i32.ge_u (local.get $i) (local.get 0)))
                (i32.store (i32.add (i32.const 64) (i32.mul (local.get $i) (i32.const 4))) (call $make (local.get $i)))
                (local.set $i (i32.add (local.get $i) (i32.const 1)))
                (br $again)))
        (i32.store (i32.const 16) (i32.const 64))
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
    (func (export "test:counters/api#swap") (param i32 i32) (result i32)
        (i32.store (i32.const 16) (local.get 1))
        (i32.store (i32.const 20) (local.get 0))
        (i32.const 16))
    (func (export "test:counters/api#maybe") (param i32) (result i32)
        (i32.store (i32.const 16) (i32.const 0))
        (if (local.get 0) (then
            (i32.store (i32.const 16) (i32.const 1))
            (i32.store (i32.const 20) (call $make (local.get 0)))))
        (i32.const 16))
    (func (export "test:counters/api#live") (result i32) (global.get $live))
    (func (export "test:counters/api#hostile") (param i32) (global.set $mode (local.get 0)))
    (func (export "test:counters/api#forged") (param i32) (result i32) (local.get 0))
    (func (export "test:counters/api#twice") (result i32) (local $handle i32)
        (local.set $handle (call $make (i32.const 7)))
        (i32.store (i32.const 16) (local.get $handle))
        (i32.store (i32.const 20) (local.get $handle))
        (i32.const 16))
    (func (export "test:counters/api#flood") (loop $again (drop (call $make (i32.const 1))) (br $again)))
"#;

/// A counter of the guest's.
#[undergo::resource]
trait Counter {
    fn value(&self) -> Result<u32>;
    fn add(&self, n: u32) -> Result<u32>;
}

impl Counter {
    fn new(instance: &Instance, start: u32) -> Result<Counter> {
        Function::<(u32,), Counter>::constructor(instance.clone(), "counter")?.call((start,))
    }
}

#[derive(Debug, GuestType)]
struct Pair {
    first: Counter,
    second: Counter,
}

fn counters() -> Plugin {
    component(WIT, CORE)
}

fn with_ping(options: InstanceOptions) -> InstanceOptions {
    let mut options = options;
    options.imports.func("world", "ping", |_| Ok(Value::None));
    options
}

fn started() -> Instance {
    counters().instantiate(with_ping(quiet())).unwrap_or_else(|error| panic!("{error}"))
}

fn live(instance: &Instance) -> u32 {
    instance.function::<(), u32>("live").expect("its types").call(()).expect("a count")
}

fn hostile(instance: &Instance, mode: u32) {
    instance.function::<(u32,), ()>("hostile").expect("its types").call((mode,)).expect("a mode");
}

#[test]
fn objects_have_methods_and_end() {
    let instance = started();
    let counter = Counter::new(&instance, 3).expect("a counter");
    assert_eq!((counter.value().expect("a value"), counter.add(4).expect("a sum")), (3, 7));
    assert_eq!(live(&instance), 1);
    let again = counter.clone();
    drop(counter);
    assert_eq!(again.value().expect("it lives with its last clone"), 7);
    again.0.close().expect("it is closed");
    assert_eq!((live(&instance), instance.handles()), (0, HandleCounts::default()));
    expect(&again.value().expect_err("closed"), ErrorKind::TypeMismatch, &["counter.value", "the counter is closed"]);
    again.0.close().expect("closing it again does nothing");
    drop(Counter::new(&instance, 1).expect("a counter"));
    assert_eq!(live(&instance), 0);
    assert!(instance.dead().is_none());
}

#[test]
fn they_cross_by_functions_lists_options_and_records() {
    let instance = started();
    let all = instance.function::<(u32,), Vec<Counter>>("up-to").expect("its types").call((4,)).expect("counters");
    let total = instance.function::<(&[Counter],), u32>("total").expect("its types");
    assert_eq!(total.call((&all,)).expect("a sum"), 6);
    assert_eq!(total.call((&[],)).expect("a sum"), 0);
    let fork = instance.function::<(&Counter,), Counter>("counter-fork").expect("its types").call((&all[3],)).expect("a counter");
    assert_eq!((fork.add(1).expect("a sum"), all[3].value().expect("a value")), (4, 3));
    let merge = instance.function::<(&Counter, &Counter), Counter>("counter-merge").expect("its types");
    let merged = merge.call((&fork, &all[2])).expect("a counter");
    assert_eq!(merged.value().expect("a value"), 6);
    // Given away.
    expect(&fork.value().expect_err("given away"), ErrorKind::TypeMismatch, &["was given away"]);
    expect(&merge.call((&merged, &merged)).expect_err("twice"), ErrorKind::TypeMismatch, &["counter"]);
    let pair = Pair { first: merged, second: all[1].clone() };
    let swapped = instance.function::<(&Pair,), Pair>("swap").expect("its types").call((&pair,)).expect("a pair");
    assert_eq!((swapped.first.value().expect("a value"), swapped.second.value().expect("a value")), (1, 6));
    let maybe = instance.function::<(u32,), Option<Counter>>("maybe").expect("its types");
    assert!(maybe.call((0,)).expect("none").is_none());
    assert_eq!(maybe.call((9,)).expect("one").expect("one").value().expect("a value"), 9);
    drop((pair, all, swapped, fork));
    assert_eq!((live(&instance), instance.handles()), (0, HandleCounts::default()));
}

/// An object is known to the guest by the same number again.
#[test]
fn an_object_goes_to_and_fro() {
    let instance = started();
    let swap = instance.function::<(&Pair,), Pair>("swap").expect("its types");
    let mut pair = Pair { first: Counter::new(&instance, 1).expect("a counter"), second: Counter::new(&instance, 2).expect("a counter") };
    for _ in 0..100 {
        pair = swap.call((&pair,)).expect("a pair");
    }
    assert_eq!((pair.first.value().expect("a value"), pair.second.value().expect("a value")), (1, 2));
    drop(pair);
    assert_eq!((live(&instance), instance.handles()), (0, HandleCounts::default()));
}

#[test]
fn those_of_another_instance_or_life_are_refused() {
    let (one, other) = (started(), started());
    let counter = Counter::new(&one, 1).expect("a counter");
    let fork = other.function::<(&Counter,), Counter>("counter-fork").expect("its types");
    expect(&fork.call((&counter,)).expect_err("another's"), ErrorKind::TypeMismatch, &["counter"]);
    let same = counters();
    let (first, second) = (same.instantiate(with_ping(quiet())), same.instantiate(with_ping(quiet())));
    let (first, second) = (first.expect("an instance"), second.expect("an instance"));
    let of_first = Counter::new(&first, 1).expect("a counter");
    let fork = second.function::<(&Counter,), Counter>("counter-fork").expect("its types");
    expect(&fork.call((&of_first,)).expect_err("another's"), ErrorKind::TypeMismatch, &["the counter belongs to another instance"]);
    first.reset(CallOptions::NONE).expect("a new guest");
    expect(&of_first.value().expect_err("of an earlier life"), ErrorKind::TypeMismatch, &["its instance was reset"]);
    let anew = Counter::new(&first, 5).expect("a counter");
    drop(of_first);
    assert_eq!((anew.value().expect("a value"), live(&first)), (5, 1));
    hostile(&first, 1);
    Counter::new(&first, 1).expect("a counter").0.close().expect_err("a trap");
    expect(&anew.value().expect_err("it has ended"), ErrorKind::DeadInstance, &["unreachable"]);
    drop(anew);
}

#[test]
fn a_pool_gives_none_and_lends_an_instance() {
    let pool = counters().pool(PoolOptions::new(1, with_ping(quiet()))).expect("a pool");
    let refused = pool.call("up-to", &[Value::Int(1)], CallOptions::NONE).expect_err("a handle");
    expect(&refused, ErrorKind::SignatureMismatch, &["up-to"]);
    let kept = {
        let lent = pool.take(CallOptions::NONE).expect("an instance");
        let counter = Counter::new(&lent, 2).expect("a counter");
        assert_eq!(counter.value().expect("a value"), 2);
        counter
    };
    expect(&kept.value().expect_err("returned"), ErrorKind::TypeMismatch, &["returned to its pool"]);
    assert_eq!(pool.call("live", &[], CallOptions::NONE).expect("a count"), Value::Int(0));
}

#[test]
fn forged_handles_end_the_instance() {
    for handle in [0, 1, 2, 12345, u32::MAX] {
        let instance = started();
        let ended = failure(&instance, "forged", &[Value::Int(handle.into())]);
        expect(&ended, ErrorKind::Trap, &["handle"]);
        expect_dead(&instance, ErrorKind::Trap);
    }
    let instance = started();
    expect(&failure(&instance, "twice", &[]), ErrorKind::Trap, &["handle"]);
}

#[test]
fn a_destructor_that_traps_or_loops_ends_the_instance_alone() {
    let instance = started();
    let counter = Counter::new(&instance, 1).expect("a counter");
    hostile(&instance, 1);
    expect(&counter.0.close().expect_err("a trap"), ErrorKind::Trap, &["unreachable"]);
    expect_dead(&instance, ErrorKind::Trap);

    let mut options = with_ping(quiet());
    options.limits.timeout = Some(Duration::from_millis(100));
    let instance = counters().instantiate(options).expect("an instance");
    let counter = Counter::new(&instance, 1).expect("a counter");
    hostile(&instance, 2);
    let begun = Instant::now();
    expect(&counter.0.close().expect_err("it loops"), ErrorKind::Timeout, &[]);
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());

    // Where the program lets go of it, the next call ends it.
    let instance = started();
    drop({
        let counter = Counter::new(&instance, 1).expect("a counter");
        hostile(&instance, 1);
        counter
    });
    expect(&failure(&instance, "live", &[]), ErrorKind::Trap, &["unreachable"]);
}

#[test]
fn a_destructor_may_call_its_host() {
    static INSTANCE: Mutex<Option<Instance>> = Mutex::new(None);
    let pings = Arc::new(AtomicU32::new(0));
    let counted = pings.clone();
    let mut options = quiet();
    options.imports.func("world", "ping", move |_| {
        counted.fetch_add(1, Ordering::SeqCst);
        let instance = INSTANCE.lock().expect("no panic").clone().expect("an instance");
        expect(&failure(&instance, "live", &[]), ErrorKind::Busy, &[]);
        Ok(Value::None)
    });
    let instance = counters().instantiate(options).expect("an instance");
    *INSTANCE.lock().expect("no panic") = Some(instance.clone());
    let counter = Counter::new(&instance, 1).expect("a counter");
    hostile(&instance, 3);
    counter.0.close().expect("it is closed");
    assert_eq!((pings.load(Ordering::SeqCst), live(&instance)), (1, 0));
}

#[test]
fn handles_are_limited() {
    let mut options = with_ping(quiet());
    options.limits.handles = Some(100);
    let instance = counters().instantiate(options).expect("an instance");
    // What the program has does not count.
    let kept: Vec<Counter> = (0..300).map(|n| Counter::new(&instance, n).expect("a counter")).collect();
    assert_eq!(instance.handles(), HandleCounts { held: 0, given: 300 });
    drop(kept);
    assert_eq!(live(&instance), 0);
    expect(&failure(&instance, "flood", &[]), ErrorKind::OutOfMemory, &["100 handles", "(handles)"]);
    expect_dead(&instance, ErrorKind::OutOfMemory);
}

/// A value that is larger than its limit ends the guest, and with it the objects in it.
#[test]
fn the_limit_of_values_counts_handles() {
    let mut options = with_ping(quiet());
    options.limits.value = Some(200);
    let instance = counters().instantiate(options).expect("an instance");
    expect(&failure(&instance, "up-to", &[Value::Int(200)]), ErrorKind::OutOfMemory, &["200 bytes", "the limit for one value"]);
    assert_eq!(instance.handles().given, 0);
}

const ITEMS: &str = "package test:items;
interface host {
  resource item {
    constructor(name: string);
    open: static func(n: u32) -> item;
    rank: func() -> u32;
  }
  compare: func(a: borrow<item>, b: borrow<item>) -> u32;
  store: func(i: item);
}
interface api {
  use host.{item};
  peek: func(i: borrow<item>) -> u32;
  take: func(i: item) -> u32;
  back: func(i: item) -> item;
  hold: func(i: item);
  held: func() -> u32;
  let-go: func();
  made: func(opened: bool) -> u32;
  order: func(a: borrow<item>, b: borrow<item>) -> u32;
  pass-on: func(i: item);
  keep: func(i: borrow<item>);
  forge: func(handle: u32) -> u32;
  drop-twice: func(i: item);
  all: func(items: list<item>) -> u32;
}
world w { import host; export api; }
";

const TAKES: &str = r#"
    (import "test:items/host" "[constructor]item" (func $construct (param i32 i32) (result i32)))
    (import "test:items/host" "[static]item.open" (func $open (param i32) (result i32)))
    (import "test:items/host" "[method]item.rank" (func $rank (param i32) (result i32)))
    (import "test:items/host" "[resource-drop]item" (func $drop (param i32)))
    (import "test:items/host" "compare" (func $compare (param i32 i32) (result i32)))
    (import "test:items/host" "store" (func $store (param i32)))
    (global $held (mut i32) (i32.const 0))
    (data (i32.const 512) "named")
    (func $peek (export "test:items/api#peek") (export "test:items/api#take") (param i32) (result i32)
        (call $rank (local.get 0))
        (call $drop (local.get 0)))
    (func (export "test:items/api#back") (param i32) (result i32) (local.get 0))
    (func (export "test:items/api#hold") (param i32) (global.set $held (local.get 0)))
    (func (export "test:items/api#held") (result i32) (call $rank (global.get $held)))
    (func (export "test:items/api#let-go") (call $drop (global.get $held)))
    (func (export "test:items/api#made") (param i32) (result i32)
        (if (result i32) (local.get 0)
            (then (call $peek (call $open (i32.const 20))))
            (else (call $peek (call $construct (i32.const 512) (i32.const 5))))))
    (func (export "test:items/api#order") (param i32 i32) (result i32)
        (call $compare (local.get 0) (local.get 1))
        (call $drop (local.get 0))
        (call $drop (local.get 1)))
    (func (export "test:items/api#pass-on") (param i32) (call $store (local.get 0)))
    (func (export "test:items/api#keep") (param i32))
    (func (export "test:items/api#forge") (param i32) (result i32) (call $rank (local.get 0)))
    (func (export "test:items/api#drop-twice") (param i32)
        (call $drop (local.get 0))
        (call $drop (local.get 0)))
    (func (export "test:items/api#all") (param i32 i32) (result i32) (local $sum i32)
        (block $done
            (loop $again
                (br_if $done (i32.eqz (local.get 1)))
                (local.set $sum (i32.add (local.get $sum) (call $peek (i32.load (local.get 0)))))
                (local.set 0 (i32.add (local.get 0) (i32.const 4)))
                (local.set 1 (i32.sub (local.get 1) (i32.const 1)))
                (br $again)))
        (local.get $sum))
"#;

/// An object of the program, which counts those that live.
fn item(rank: u32, living: &Arc<()>) -> HostObject {
    let living = living.clone();
    HostObject::func(move |_| {
        let _ = &living;
        Ok(Value::Int(rank.into()))
    })
    .standing_for(rank)
}

fn takes(living: &Arc<()>, stored: &Arc<Mutex<Vec<HostObject>>>) -> InstanceOptions {
    let mut options = quiet();
    let of = living.clone();
    options.imports.func("test:items/host", "item", move |args| {
        assert_eq!(args, ["named".into()]);
        Ok(Value::Object(item(10, &of)))
    });
    let of = living.clone();
    options.imports.func("test:items/host", "item-open", move |args| match args {
        [Value::Int(n)] => Ok(Value::Object(item(*n as u32, &of))),
        other => panic!("{other:?}"),
    });
    options.imports.func("test:items/host", "compare", |args| match args {
        [Value::Object(a), Value::Object(b)] => Ok(Value::Int(i64::from(a.value::<u32>() < b.value::<u32>()))),
        other => panic!("{other:?}"),
    });
    let stored = stored.clone();
    options.imports.func("test:items/host", "store", move |args| match args {
        [Value::Object(object)] => {
            stored.lock().expect("no panic").push(object.clone());
            Ok(Value::None)
        }
        other => panic!("{other:?}"),
    });
    options
}

struct Taking {
    instance: Instance,
    living: Arc<()>,
    stored: Arc<Mutex<Vec<HostObject>>>,
}

impl Taking {
    fn new() -> Taking {
        let (living, stored) = (Arc::new(()), Arc::default());
        let instance = component(ITEMS, TAKES).instantiate(takes(&living, &stored)).unwrap_or_else(|error| panic!("{error}"));
        Taking { instance, living, stored }
    }

    fn item(&self, rank: u32) -> Value {
        Value::Object(item(rank, &self.living))
    }

    fn call(&self, name: &str, args: &[Value]) -> Value {
        self.instance.call(name, args, CallOptions::NONE).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// How many objects of the program live, beside the program's own functions that make them.
    fn living(&self) -> usize {
        Arc::strong_count(&self.living) - 3
    }
}

#[test]
fn objects_of_the_program_are_lent_and_given() {
    let taking = Taking::new();
    assert_eq!(taking.call("peek", &[taking.item(3)]), Value::Int(3));
    assert_eq!(taking.call("take", &[taking.item(4)]), Value::Int(4));
    assert_eq!(taking.living(), 0);
    taking.call("hold", &[taking.item(5)]);
    assert_eq!((taking.call("held", &[]), taking.living()), (Value::Int(5), 1));
    assert_eq!(taking.instance.handles().held, 1);
    taking.call("let-go", &[]);
    assert_eq!((taking.living(), taking.instance.handles()), (0, HandleCounts::default()));
    let list = Value::List((1..=4).map(|rank| taking.item(rank)).collect());
    assert_eq!(taking.call("all", &[list]), Value::Int(10));
    assert_eq!((taking.living(), taking.instance.handles()), (0, HandleCounts::default()));
}

#[test]
fn components_make_them_and_pass_them_back() {
    let taking = Taking::new();
    assert_eq!(taking.call("made", &[Value::Bool(false)]), Value::Int(10));
    assert_eq!(taking.call("made", &[Value::Bool(true)]), Value::Int(20));
    assert_eq!(taking.call("order", &[taking.item(1), taking.item(2)]), Value::Int(1));
    assert_eq!(taking.call("order", &[taking.item(2), taking.item(1)]), Value::Int(0));
    let Value::Object(back) = taking.call("back", &[taking.item(6)]) else { panic!("no object") };
    assert_eq!(back.value::<u32>(), Some(&6));
    taking.call("pass-on", &[taking.item(7)]);
    assert_eq!(taking.stored.lock().expect("no panic")[0].value::<u32>(), Some(&7));
    assert_eq!(taking.instance.handles(), HandleCounts::default());
    drop(back);
    taking.stored.lock().expect("no panic").clear();
    assert_eq!(taking.living(), 0);
}

#[test]
fn what_is_borrowed_can_not_be_kept_and_what_is_forged_is_nothing() {
    for (name, args, part) in [
        ("keep", vec![None], "borrow"),
        ("forge", vec![Some(Value::Int(12345))], "handle"),
        ("forge", vec![Some(Value::Int(0))], "handle"),
        ("drop-twice", vec![None], "handle"),
        ("held", vec![], "handle"),
    ] {
        let taking = Taking::new();
        let args: Vec<Value> = args.into_iter().map(|arg| arg.unwrap_or_else(|| taking.item(1))).collect();
        let ended = failure(&taking.instance, name, &args);
        expect(&ended, ErrorKind::Trap, &[part]);
        drop(args);
        expect_dead(&taking.instance, ErrorKind::Trap);
        taking.instance.reset(CallOptions::NONE).expect("a new guest");
        assert_eq!(taking.living(), 0, "{name}");
    }
}

#[test]
fn a_reset_lets_go_of_them() {
    let taking = Taking::new();
    taking.call("hold", &[taking.item(5)]);
    taking.instance.reset(CallOptions::NONE).expect("a new guest");
    assert_eq!((taking.living(), taking.instance.handles()), (0, HandleCounts::default()));
    assert_eq!(taking.call("peek", &[taking.item(3)]), Value::Int(3));
}

#[test]
fn other_hosts_test_the_same() {
    expect_kept("counters.wasm", WIT, CORE);
    expect_kept("items.wasm", ITEMS, TAKES);
}
