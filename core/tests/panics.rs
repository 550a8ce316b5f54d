//! Panics of the host in the middle of guest code end the instance, and nothing else. The interrupt
//! function is the whole process's, so this program has one test.

mod common;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};

use common::{PLAIN, expect, quiet, typed};
use undergo::{ErrorKind, Value};

static PANICS: AtomicBool = AtomicBool::new(false);
static SPINS: AtomicBool = AtomicBool::new(false);

#[test]
fn a_panic_out_of_a_call_ends_the_instance() {
    undergo::host::set_interrupt(|| {
        assert!(!PANICS.load(Ordering::SeqCst), "for the test");
        Ok(())
    });
    let plugin = typed(
        "world w { import host: interface { back: func(n: s32) -> s32; spins: func() -> s32; } export spin: func(); export seven: func() -> s32; export nested: func(n: s32) -> s32; }",
        r#"(import "host" "back" (func $back (param i32) (result i32)))
           (import "host" "spins" (func $spins (result i32)))
           (func (export "_initialize") (if (call $spins) (then (loop (br 0)))))
           (func (export "spin") (loop (br 0)))
           (func (export "seven") (result i32) (i32.const 7))
           (func (export "nested") (param i32) (result i32) (call $back (local.get 0)))"#,
    )
    .expect("a plugin");
    let inner: std::sync::Arc<std::sync::Mutex<Option<undergo::Instance>>> = std::sync::Arc::default();
    let shared = inner.clone();
    let mut options = quiet();
    options.imports.func("host", "back", move |args| {
        let instance = shared.lock().expect("no panic").clone().expect("the instance");
        let Value::Int(depth) = args[0] else { panic!("a number") };
        instance.call(if depth == 0 { "spin" } else { "nested" }, &[Value::Int(depth - 1)][..usize::from(depth > 0)], &PLAIN)
    });
    options.imports.func("host", "spins", |_| Ok(Value::Int(SPINS.load(Ordering::SeqCst).into())));
    let instance = plugin.instantiate(options).expect("an instance");
    *inner.lock().expect("no panic") = Some(instance.clone());
    let panicking = |name: &str, args: &[Value]| {
        PANICS.store(true, Ordering::SeqCst);
        let ended = catch_unwind(AssertUnwindSafe(|| instance.call(name, args, &PLAIN)));
        PANICS.store(false, Ordering::SeqCst);
        ended
    };
    for (name, args) in [("spin", vec![]), ("nested", vec![Value::Int(0)]), ("nested", vec![Value::Int(3)])] {
        match panicking(name, &args) {
            // One within a host function is caught there.
            Ok(ended) => expect(&ended.expect_err("a panic"), ErrorKind::HostError, &["panicked", "for the test"]),
            Err(_) => assert_eq!(name, "spin"),
        }
        let dead = instance.call("seven", &[], &PLAIN).expect_err("it is dead");
        expect(&dead, ErrorKind::DeadInstance, &["panic"]);
        // Nothing is left of the calls that the panic has ended.
        instance.reset(&PLAIN).expect("a reset");
        assert_eq!(instance.call("seven", &[], &PLAIN).expect("a call"), Value::Int(7));
    }
    // In a reset: the guest that was there does not come back.
    PANICS.store(true, Ordering::SeqCst);
    SPINS.store(true, Ordering::SeqCst);
    let ended = catch_unwind(AssertUnwindSafe(|| instance.reset(&PLAIN)));
    SPINS.store(false, Ordering::SeqCst);
    PANICS.store(false, Ordering::SeqCst);
    assert!(ended.is_err());
    expect(&instance.call("seven", &[], &PLAIN).expect_err("it is dead"), ErrorKind::DeadInstance, &["panic"]);
    instance.reset(&PLAIN).expect("a reset");
    assert_eq!(instance.call("seven", &[], &PLAIN).expect("a call"), Value::Int(7));
    inner.lock().expect("no panic").take();
}
