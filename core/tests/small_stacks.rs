//! Threads whose stacks are too small for a guest: it runs on another one, and host functions on
//! the thread's own.
#![cfg(not(miri))]

use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use crate::common::{PLAIN, expect, plugin, quiet};
use undergo::{CallOptions, Error, ErrorKind, Instance, Plugin, PoolOptions, Result, Value};

/// That of a thread of the JVM.
const STACK: usize = 1 << 20;

fn on_a_small_thread<R: Send>(code: impl FnOnce() -> R + Send) -> R {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, code);
        thread.expect("a thread").join().expect("no panic")
    })
}

/// About where the stack ends.
fn here() -> usize {
    let mark = 0_u8;
    std::hint::black_box(&raw const mark).addr()
}

fn asking() -> Plugin {
    plugin(
        r#"(module (import "h" "f" (func $f (param i32) (result i32))) (memory (export "memory") 1) (func (export "_initialize"))
             (func (export "ask") (param i32) (result i32) (call $f (local.get 0)))
             (func (export "spin") (loop $on (br $on)))
             (func (export "fall") (param i32) (result i32) unreachable)
             (func $deep (export "deep") (param i32) (result i32)
               (if (result i32) (local.get 0) (then (i32.add (i32.const 1) (call $deep (i32.sub (local.get 0) (i32.const 1))))) (else (i32.const 0)))))"#,
    )
    .expect("a plugin")
}

fn answering(plugin: &Plugin, answer: impl Fn(i64) -> Result<i64> + Send + Sync + 'static) -> Instance {
    let mut options = quiet();
    options.imports.func("h", "f", move |args| match args {
        [Value::Int(n)] => answer(*n).map(Value::Int),
        _ => panic!("f wants a number, got {args:?}"),
    });
    plugin.instantiate(options).expect("an instance")
}

fn call(instance: &Instance, name: &str, n: i64) -> Result<i64> {
    match instance.call(name, &[Value::Int(n)], &PLAIN)? {
        Value::Int(n) => Ok(n),
        other => panic!("{name} gave {other:?}"),
    }
}

#[test]
fn a_guest_has_its_own_stack_and_host_functions_their_callers() {
    let (plugin, places) = (asking(), Arc::new(Mutex::new(Vec::new())));
    let noted = places.clone();
    let instance = answering(&plugin, move |n| {
        noted.lock().expect("no panic").push(here());
        Ok(n + 1)
    });
    for _ in 0..2 {
        let caller = on_a_small_thread(|| {
            assert_eq!(call(&instance, "deep", 50_000).expect("it is deep enough"), 50_000);
            assert_eq!(call(&instance, "ask", 6).expect("a call"), 7);
            here()
        });
        let place = places.lock().expect("no panic").pop().expect("it was called");
        assert!(place.abs_diff(caller) < STACK, "{place:#x} is not on the stack of {caller:#x}");
    }
}

/// What an instance's host function calls.
type Within = Arc<OnceLock<Box<dyn Fn(i64) -> Result<i64> + Send + Sync>>>;

fn calling(plugin: &Plugin) -> (Instance, Within) {
    let within = Within::default();
    let own = within.clone();
    (answering(plugin, move |n| own.get().map_or(Ok(n), |within| within(n))), within)
}

#[test]
fn instances_call_each_other_from_their_host_functions() {
    let plugin = asking();
    let ((a, in_a), (b, in_b)) = (calling(&plugin), calling(&plugin));
    let (other, own) = (b.clone(), a.clone());
    // Down to the first one again, through the second and in itself.
    let set = in_a.set(Box::new(move |n| match n {
        0 => call(&own, "deep", 1000),
        n if n % 2 == 0 => call(&other, "ask", n - 1),
        n => call(&own, "ask", n - 1),
    }));
    assert!(set.is_ok());
    let first = a.clone();
    assert!(in_b.set(Box::new(move |n| Ok(call(&first, "ask", n)? + call(&first, "deep", 20_000)?))).is_ok());
    for _ in 0..3 {
        assert_eq!(on_a_small_thread(|| call(&a, "ask", 6)).expect("a call"), 61_000);
    }
}

#[test]
fn calls_back_and_forth_without_end_are_a_trap() {
    let plugin = asking();
    let (instance, within) = calling(&plugin);
    let own = instance.clone();
    assert!(within.set(Box::new(move |n| call(&own, "ask", n + 1))).is_ok());
    for _ in 0..2 {
        let error = on_a_small_thread(|| call(&instance, "ask", 0)).expect_err("it has no end");
        expect(&error, ErrorKind::Trap, &["overflowed"]);
        on_a_small_thread(|| instance.reset(&PLAIN)).expect("a reset");
    }
}

#[test]
fn what_ends_a_call_on_another_stack_ends_it_alone() {
    let plugin = asking();
    let (instance, within) = calling(&plugin);
    let own = instance.clone();
    let set = within.set(Box::new(move |n| match n {
        0 => panic!("for the test"),
        1 => Err(Error::new(ErrorKind::HostError, "no")),
        2 => call(&own, "fall", 0),
        3 => call(&own, "deep", 10_000_000),
        n => Ok(n),
    }));
    assert!(set.is_ok());
    on_a_small_thread(|| {
        for (n, kind) in [(0, ErrorKind::HostError), (1, ErrorKind::HostError), (2, ErrorKind::Trap), (3, ErrorKind::Trap)] {
            assert_eq!(call(&instance, "ask", n).expect_err("it ends").kind(), kind, "{n}");
            instance.reset(&PLAIN).expect("a reset");
            assert_eq!(call(&instance, "ask", 4).expect("a call"), 4);
        }
        expect(&call(&instance, "deep", 10_000_000).expect_err("too deep"), ErrorKind::Trap, &["overflowed"]);
        instance.reset(&PLAIN).expect("a reset");
        let brief = CallOptions { timeout: Some(Duration::from_millis(30)), ..PLAIN };
        expect(&instance.call("spin", &[], &brief).expect_err("it never ends"), ErrorKind::Timeout, &["30ms"]);
        instance.reset(&PLAIN).expect("a reset");
        assert_eq!(call(&instance, "ask", 4).expect("a call"), 4);
    });
}

#[test]
fn many_small_threads_share_a_pool() {
    let plugin = asking();
    let mut options = quiet();
    options.imports.func("h", "f", |args| Ok(args[0].clone()));
    let pool = plugin.pool(PoolOptions::new(2, options)).expect("a pool");
    let sum: i64 = std::thread::scope(|scope| {
        let call = |n| {
            let pool = &pool;
            let call = move || (0..50).map(|_| pool.call("ask", &[Value::Int(n)], &PLAIN).expect("a call")).next_back();
            std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, call).expect("a thread")
        };
        let threads: Vec<_> = (0..20).map(call).collect();
        let results = threads.into_iter().map(|thread| thread.join().expect("no panic"));
        results.map(|last| if let Some(Value::Int(n)) = last { n } else { panic!("no number") }).sum()
    });
    assert_eq!(sum, 190);
}
