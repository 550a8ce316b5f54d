//! An instance that begins anew, and what it says that it used.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::common::{self, PLAIN, conformance, expect, expect_dead, plugin, quiet};
use undergo::host::{HostCall, HostFunction};
use undergo::{CallOptions, ErrorKind, Instance, Result, Value};

#[test]
fn a_reset_takes_a_guest_back_to_its_beginning() {
    let hosted = common::host::Hosted::new(conformance(), quiet()).expect("an instance");
    let guest = &hosted.instance;
    let count = || guest.call("counter", &[], &PLAIN);
    assert_eq!([count().expect("1"), count().expect("2")], [Value::Int(1), Value::Int(2)]);
    guest.reset(&PLAIN).expect("a reset");
    assert_eq!(count().expect("a fresh guest"), Value::Int(1));
    expect(&guest.call("panic", &["gone".into()], &PLAIN).expect_err("a panic"), ErrorKind::Panic, &["gone"]);
    expect_dead(guest, ErrorKind::Panic);
    guest.reset(&PLAIN).expect("a reset");
    assert!(guest.dead().is_none());
    assert_eq!(count().expect("it lives again"), Value::Int(1));
    assert_eq!(guest.call("reenter", &[Value::Int(3)], &PLAIN).expect("host functions are still there"), Value::Int(3));
}

#[test]
fn a_reset_that_fails_says_why_and_can_be_tried_again() {
    // The first initialisation returns, the second sleeps for ever, the third returns.
    let starts = plugin(
        r#"(module (import "host" "turn" (func $turn (result i32))) (func (export "_initialize") (if (call $turn) (then (loop $on (br $on)))))
        (func (export "ok") (result i32) (i32.const 7)))"#,
    )
    .expect("a plugin");
    let turn = std::sync::atomic::AtomicI64::new(0);
    let mut options = quiet();
    options.imports.func("host", "turn", move |_| Ok(Value::Int(turn.fetch_add(1, Ordering::SeqCst) % 2)));
    let instance = starts.instantiate(options).expect("an instance");
    let brief = CallOptions { timeout: Some(Duration::from_millis(20)), ..PLAIN };
    expect(&instance.reset(&brief).expect_err("a loop"), ErrorKind::Timeout, &["20ms"]);
    expect_dead(&instance, ErrorKind::Timeout);
    instance.reset(&brief).expect("the third");
    assert_eq!(instance.call("ok", &[], &PLAIN).expect("a call"), Value::Int(7));
}

#[test]
fn a_guest_can_not_be_reset_from_within_its_own_call() {
    let calls = plugin(r#"(module (import "host" "reset" (func $reset)) (func (export "_initialize")) (func (export "f") (call $reset)))"#);
    let calls = calls.expect("a plugin");
    let own = Arc::new(std::sync::OnceLock::<Instance>::new());
    let mut options = quiet();
    let found = own.clone();
    options.imports.func("host", "reset", move |_| found.get().map_or(Ok(Value::None), |own| own.reset(&PLAIN).map(|()| Value::None)));
    let instance = calls.instantiate(options).expect("an instance");
    assert!(own.set(instance.clone()).is_ok());
    expect(&instance.call("f", &[], &PLAIN).expect_err("busy"), ErrorKind::Busy, &["can't be reset from within"]);
}

/// A host function with something of its own, in which its instance is reset, and dropped.
struct Resetting {
    own: Arc<Mutex<Option<Instance>>>,
    thread: Arc<Mutex<Option<JoinHandle<Result<()>>>>>,
    text: String,
    dropped: Arc<AtomicBool>,
}

impl HostFunction for Resetting {
    fn call(&self, call: &mut HostCall<'_>) -> Result<()> {
        call.outside(|| {
            // From now on the caller's reference is the only one, besides the thread's.
            let own = self.own.lock().unwrap_or_else(PoisonError::into_inner).take();
            let Some(own) = own else { return };
            expect(&own.reset(&PLAIN).expect_err("its own call"), ErrorKind::Busy, &["can't be reset from within"]);
            let thread = thread::spawn(move || own.reset(&PLAIN));
            thread::sleep(Duration::from_millis(50));
            assert!(!thread.is_finished(), "the call is not over");
            assert!(self.text == "its own" && !self.dropped.load(Ordering::SeqCst));
            *self.thread.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread);
        });
        call.answer(&&Value::Int(self.text.len() as i64))
    }
}

impl Drop for Resetting {
    fn drop(&mut self) {
        self.text.clear();
        self.dropped.store(true, Ordering::SeqCst);
    }
}

#[test]
fn a_host_function_lives_through_a_reset_by_another_thread() {
    let asks = plugin(
        r#"(module (import "host" "ask" (func $ask (result i32))) (func (export "_initialize"))
        (func (export "f") (result i32) (i32.add (call $ask) (call $ask))))"#,
    )
    .expect("a plugin");
    let (own, thread, dropped) = (Arc::default(), Arc::default(), Arc::default());
    let function = Resetting { own: Arc::clone(&own), thread: Arc::clone(&thread), text: "its own".into(), dropped: Arc::clone(&dropped) };
    let mut options = quiet();
    options.imports.set("host", "ask", Arc::new(function));
    let instance = asks.instantiate(options).expect("an instance");
    *own.lock().expect("no panic") = Some(instance.clone());
    assert_eq!(instance.call("f", &[], &PLAIN).expect("a call"), Value::Int(14));
    let thread = thread.lock().expect("no panic").take().expect("it was called");
    thread.join().expect("no panic").expect("a reset");
    assert_eq!(instance.call("f", &[], &PLAIN).expect("the functions are still there"), Value::Int(14));
    assert!(!dropped.load(Ordering::SeqCst));
    drop(instance);
    assert!(dropped.load(Ordering::SeqCst));
}

#[test]
fn usage_is_of_the_last_call() {
    let hosted = common::host::Hosted::new(conformance(), quiet()).expect("an instance");
    let guest = &hosted.instance;
    let started = guest.usage();
    assert!(started.memory >= 1 << 20 && started.time > Duration::ZERO, "{started:?}");
    let brief = CallOptions { timeout: Some(Duration::from_millis(50)), ..PLAIN };
    expect(&guest.call("spin", &[], &brief).expect_err("a loop"), ErrorKind::Timeout, &[]);
    assert!(guest.usage().time >= Duration::from_millis(50), "{:?}", guest.usage());
    assert!(guest.usage().memory >= started.memory);
}
