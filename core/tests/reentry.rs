//! Host functions that answer nothing, that come back when nothing is there yet, or that wait for
//! themselves.

use std::pin::pin;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use crate::common::{PLAIN, expect, plugin, quiet, typed};
use undergo::host::{HostCall, HostFunction, ToValue};
use undergo::{AsyncInstance, AsyncPool, Error, ErrorKind, Instance, InstanceOptions, Plugin, PoolOptions, Value};

/// A host function that returns without an answer.
struct Silent;

impl HostFunction for Silent {
    fn call(&self, _: &mut HostCall<'_>) -> Result<(), Error> {
        Ok(())
    }
}

fn on_a_thread<T: Send + 'static>(code: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, result) = channel();
    thread::spawn(move || drop(done.send(code())));
    result.recv_timeout(Duration::from_secs(60)).expect("it ends")
}

/// Blocks the thread, as any executor of Rust does.
fn wait<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(thread::Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(result) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return result;
        }
        thread::park();
    }
}

#[test]
fn without_an_answer_the_guest_gets_zero() {
    let world = "world w {
        import host: interface {
            number: func(n: s32) -> s32; wide: func(n: s64) -> s64; real: func(x: f64) -> f64; flag: func(b: bool) -> bool;
            text: func(s: string) -> string; bytes: func(n: list<u8>) -> list<u8>; either: func(n: s32) -> result<s32, string>; nothing: func(n: s32);
            check: func(n: s32) -> result<_, string>;
        }
        export number: func(n: s32) -> s32; export wide: func(n: s64) -> s64; export real: func(x: f64) -> f64; export flag: func(b: bool) -> bool;
        export text: func(s: string) -> string; export bytes: func(n: list<u8>) -> list<u8>; export either: func(n: s32) -> result<s32, string>;
        export nothing: func(n: s32); export check: func(n: s32) -> result<_, string>;
    }";
    // Each export passes its arguments on. Where a result lies in memory, what lay there before
    // looks like one.
    let body = r#"
        (import "host" "number" (func $number (param i32) (result i32))) (import "host" "wide" (func $wide (param i64) (result i64)))
        (import "host" "real" (func $real (param f64) (result f64))) (import "host" "flag" (func $flag (param i32) (result i32)))
        (import "host" "text" (func $text (param i32 i32 i32))) (import "host" "bytes" (func $bytes (param i32 i32 i32)))
        (import "host" "either" (func $either (param i32 i32))) (import "host" "nothing" (func $nothing (param i32)))
        (import "host" "check" (func $check (param i32 i32)))
        (func $old (memory.fill (i32.const 512) (i32.const 1) (i32.const 64)))
        (func (export "number") (param i32) (result i32) (call $number (local.get 0)))
        (func (export "wide") (param i64) (result i64) (call $wide (local.get 0)))
        (func (export "real") (param f64) (result f64) (call $real (local.get 0)))
        (func (export "flag") (param i32) (result i32) (call $flag (local.get 0)))
        (func (export "text") (param i32 i32) (result i32) (call $old) (call $text (local.get 0) (local.get 1) (i32.const 512)) (i32.const 512))
        (func (export "bytes") (param i32 i32) (result i32) (call $old) (call $bytes (local.get 0) (local.get 1) (i32.const 512)) (i32.const 512))
        (func (export "either") (param i32) (result i32) (call $old) (call $either (local.get 0) (i32.const 512)) (i32.const 512))
        (func (export "nothing") (param i32) (call $nothing (local.get 0)))
        (func (export "check") (param i32) (result i32) (call $old) (call $check (local.get 0) (i32.const 512)) (i32.const 512))"#;
    let plugin = typed(world, body).expect("a plugin");
    let options = || {
        let mut options = quiet();
        for (interface, function) in plugin.imports() {
            options.imports.set(interface, function.name.clone(), Arc::new(Silent));
        }
        options
    };
    let cases = [
        ("number", Value::Int(7), Value::Int(0)),
        ("wide", Value::Int(1 << 40), Value::Int(0)),
        ("real", Value::Float(2.5), Value::Float(0.0)),
        ("flag", Value::Bool(true), Value::Bool(false)),
        ("text", "hello".into(), "".into()),
        ("bytes", Value::Bytes(vec![1, 2, 3]), Value::Bytes(vec![])),
        ("either", Value::Int(7), Value::Int(0)),
        ("nothing", Value::Int(7), Value::None),
        ("check", Value::Int(7), Value::None),
    ];
    let instance = plugin.instantiate(options()).expect("an instance");
    let suspending = plugin.instantiate_here(options(), &PLAIN).expect("an instance");
    for (name, given, zero) in cases {
        assert_eq!(instance.call(name, std::slice::from_ref(&given), &PLAIN).expect(name), zero, "{name}");
        assert_eq!(wait(suspending.call(name, std::slice::from_ref(&given), &PLAIN)).expect(name), zero, "{name}, on a fiber");
    }
}

/// A module whose start section calls the host.
fn starting() -> Plugin {
    plugin(
        r#"(module (import "h" "f" (func $f (param i32) (result i32))) (memory (export "memory") 1)
             (func $s (drop (call $f (i32.const 7)))) (start $s) (func (export "_initialize"))
             (func (export "add") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1))))"#,
    )
    .expect("a plugin")
}

#[test]
fn what_a_start_section_calls_finds_no_exports() {
    let inner: Arc<Mutex<Option<Instance>>> = Arc::default();
    let seen: Arc<Mutex<Vec<Error>>> = Arc::default();
    let (shared, noted) = (inner.clone(), seen.clone());
    let mut options = quiet();
    options.imports.func("h", "f", move |_| {
        let Some(instance) = shared.lock().expect("no panic").clone() else { return Ok(Value::Int(1)) };
        let mut noted = noted.lock().expect("no panic");
        noted.push(instance.call("add", &[Value::Int(1)], &PLAIN).expect_err("no exports"));
        noted.push(instance.read_memory(0, 4).expect_err("no memory"));
        noted.push(instance.write_memory(0, &[1]).expect_err("no memory"));
        noted.push(instance.memory_size().expect_err("no memory"));
        noted.push(instance.poll(&PLAIN).expect_err("no exports"));
        noted.push(instance.reset(&PLAIN).expect_err("it is being reset"));
        let mut plain = instance.plain_call(instance.plugin().export("add")?)?;
        plain.number(1)?;
        noted.push(plain.run(&PLAIN, |_| Ok(())).expect_err("no exports"));
        Ok(Value::Int(1))
    });
    let instance = starting().instantiate(options).expect("an instance");
    *inner.lock().expect("no panic") = Some(instance.clone());
    assert_eq!(instance.call("add", &[Value::Int(1)], &PLAIN).expect("a call"), Value::Int(2));
    for _ in 0..2 {
        instance.reset(&PLAIN).expect("a reset");
        let seen = std::mem::take(&mut *seen.lock().expect("no panic"));
        assert_eq!(seen.len(), 7);
        for error in &seen {
            assert_eq!(error.kind(), ErrorKind::Busy, "{error:?}");
        }
        expect(&seen[0], ErrorKind::Busy, &["start section", "exports"]);
        assert_eq!(instance.call("add", &[Value::Int(1)], &PLAIN).expect("a call"), Value::Int(2));
    }
    inner.lock().expect("no panic").take();
}

#[test]
fn what_a_start_section_on_a_fiber_calls_finds_no_exports() {
    let inner: Arc<Mutex<Option<AsyncInstance>>> = Arc::default();
    let seen: Arc<Mutex<Vec<Error>>> = Arc::default();
    let (shared, noted) = (inner.clone(), seen.clone());
    let mut options = quiet();
    options.imports.func("h", "f", move |_| {
        let Some(instance) = shared.lock().expect("no panic").clone() else { return Ok(Value::Int(1)) };
        let mut noted = noted.lock().expect("no panic");
        noted.push(instance.read_memory(0, 4).expect_err("no memory"));
        noted.push(instance.memory_size().expect_err("no memory"));
        noted.push(wait(instance.call("add", &[Value::Int(1)], &PLAIN)).expect_err("it would wait for itself"));
        noted.push(wait(instance.poll(&PLAIN)).expect_err("it would wait for itself"));
        noted.push(wait(instance.reset(&PLAIN)).expect_err("it would wait for itself"));
        Ok(Value::Int(1))
    });
    let instance = starting().instantiate_here(options, &PLAIN).expect("an instance");
    *inner.lock().expect("no panic") = Some(instance.clone());
    let (seen, instance) = on_a_thread(move || {
        instance.reset_here(&PLAIN).expect("a reset");
        (seen, instance)
    });
    let seen = std::mem::take(&mut *seen.lock().expect("no panic"));
    assert_eq!(seen.len(), 5);
    for error in &seen {
        assert_eq!(error.kind(), ErrorKind::Busy, "{error:?}");
    }
    assert_eq!(wait(instance.call("add", &[Value::Int(1)], &PLAIN)).expect("a call"), Value::Int(2));
    inner.lock().expect("no panic").take();
}

/// A plugin whose export calls the host, and one that does not.
fn asking() -> Plugin {
    plugin(
        r#"(module (import "h" "f" (func $f (result i32))) (memory (export "memory") 1) (func (export "_initialize"))
             (func (export "ask") (result i32) (call $f)) (func (export "seven") (result i32) (i32.const 7)))"#,
    )
    .expect("a plugin")
}

fn asked(answer: impl Fn() -> Result<Value, Error> + Send + Sync + 'static) -> InstanceOptions {
    let mut options = quiet();
    options.imports.func("h", "f", move |_| answer());
    options
}

fn call_here(instance: &AsyncInstance, name: &str) -> Result<Value, Error> {
    let plugin = instance.plugin();
    instance.call_here(plugin.arguments(plugin.export(name)?)?, &PLAIN, |returned| returned.lift(&ToValue))
}

/// A host function that blocks its thread until a call of the instance that called it is over.
#[test]
fn whoever_would_wait_for_itself_is_told() {
    let inner: Arc<Mutex<Option<AsyncInstance>>> = Arc::default();
    let shared = inner.clone();
    let options = asked(move || {
        let instance = shared.lock().expect("no panic").clone().expect("the instance");
        let error = wait(instance.call("seven", &[], &PLAIN)).expect_err("it would wait for itself");
        expect(&error, ErrorKind::Busy, &["wait for itself", "call_here"]);
        let error = wait(instance.memory_size_then(&PLAIN)).expect_err("it would wait for itself");
        expect(&error, ErrorKind::Busy, &["wait for itself"]);
        // The way that there is.
        call_here(&instance, "seven")
    });
    let instance = asking().instantiate_here(options, &PLAIN).expect("an instance");
    *inner.lock().expect("no panic") = Some(instance.clone());
    let results = on_a_thread(move || [call_here(&instance, "ask"), wait(instance.call("ask", &[], &PLAIN))]);
    for result in results {
        assert_eq!(result.expect("a call"), Value::Int(7));
    }
    inner.lock().expect("no panic").take();
}

#[test]
fn whoever_would_wait_for_its_own_pool_is_told() {
    let inner: Arc<Mutex<Option<AsyncPool>>> = Arc::default();
    let shared = inner.clone();
    let options = asked(move || {
        let pool = shared.lock().expect("no panic").clone().expect("the pool");
        let error = wait(pool.call("seven", &[], &PLAIN)).expect_err("it would wait for itself");
        expect(&error, ErrorKind::Busy, &["needs a larger one"]);
        Ok(Value::Int(7))
    });
    let pool = asking().async_pool(PoolOptions::new(1, options)).expect("a pool");
    *inner.lock().expect("no panic") = Some(pool.clone());
    let result = on_a_thread(move || wait(pool.call("ask", &[], &PLAIN)));
    assert_eq!(result.expect("a call"), Value::Int(7));
    inner.lock().expect("no panic").take();
}
