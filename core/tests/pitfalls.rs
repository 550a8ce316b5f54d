//! What goes wrong when Go runs as a reactor, or went wrong elsewhere: docs/pitfalls.md says which
//! test shows what.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::common::host::Hosted;
use crate::common::hostile_guest::{ENOUGH, LIMIT, MEMORY, bystander, options, plugin, reentrant};
use crate::common::{self, PLAIN, conformance, expect, expect_dead, quiet};
use undergo::{CallOptions, CancelToken, Error, ErrorKind, Instance, ModuleInfo, PoolOptions, Result, Value};

fn start() -> Instance {
    plugin().instantiate(options(None)).expect("an instance")
}

fn misbehave(instance: &Instance, what: &str, n: i64, options: &CallOptions) -> Result<Value> {
    instance.call("do", &[what.into(), Value::Int(n)], options)
}

fn fails(instance: &Instance, what: &str, n: i64) -> Error {
    misbehave(instance, what, n, &PLAIN).expect_err(what)
}

fn works(instance: &Instance) {
    assert_eq!(instance.call("work", &[Value::Int(100)], &PLAIN).expect("a well-behaved call"), Value::Int(338_350));
}

fn within(timeout: Duration) -> CallOptions {
    CallOptions { timeout: Some(timeout), ..PLAIN }
}

#[test]
fn goroutines_run_during_calls_and_polls_only() {
    let hosted = Hosted::new(conformance(), quiet()).expect("an instance");
    let turns = || match hosted.call("background", &[]).expect("a call") {
        Value::Int(turns) => turns,
        other => panic!("no number: {other:?}"),
    };
    hosted.call("start-background", &[]).expect("a call");
    let before = turns();
    // However long the host waits.
    thread::sleep(Duration::from_millis(20));
    assert_eq!(turns(), before);
    hosted.instance.poll(&PLAIN).expect("a poll");
    assert!(turns() > before);
}

#[test]
fn after_its_end_not_even_a_scalar_export_answers() {
    for (what, n, kind) in [
        ("panic-string", 0, ErrorKind::Panic),
        ("deadlock-select", 0, ErrorKind::Panic),
        ("exit", 0, ErrorKind::Exit),
        ("one-slice", 400_000_000, ErrorKind::OutOfMemory),
    ] {
        let instance = start();
        let ended = fails(&instance, what, n);
        assert_eq!(ended.kind(), kind, "{what}: {ended:?}");
        // On other runtimes this one, which touches nothing of Go's, returns true.
        expect(&instance.call("ready", &[], &PLAIN).expect_err("a dead instance"), ErrorKind::DeadInstance, &[kind.as_str()]);
        expect(&instance.poll(&PLAIN).expect_err("a dead instance"), ErrorKind::DeadInstance, &[kind.as_str()]);
        expect(&instance.read_memory(0, 1).expect_err("a dead instance"), ErrorKind::DeadInstance, &[kind.as_str()]);
        expect_dead(&instance, kind);
    }
}

#[test]
fn a_call_within_a_call_ends_before_it_though_goroutines_switch() {
    let instance = reentrant(Some(ENOUGH), false);
    assert_eq!(instance.call("through", &["recovered".into(), Value::Int(0)], &PLAIN).expect("a call"), "done".into());
    // Two goroutines are in the host, and each calls back and yields to the other there.
    for _ in 0..20 {
        assert_eq!(misbehave(&instance, "park-outer", 0, &PLAIN).expect("a call"), "done".into());
    }
    works(&instance);
}

#[test]
fn a_call_around_another_does_not_end_before_it_though_it_is_ready_to() {
    let instance = reentrant(Some(ENOUGH), false);
    for n in 0..20 {
        // By the function that is called within it, too, and by another one.
        assert_eq!(misbehave(&instance, "overtake", n, &PLAIN).expect("a call"), "done".into());
        assert_eq!(instance.call("overtake", &[Value::Int(n)], &PLAIN).expect("a call"), Value::Int(n));
    }
    works(&instance);
}

#[test]
fn a_host_function_cannot_swallow_the_end_of_its_guest() {
    for (what, n, kind) in [
        ("panic-string", 0, ErrorKind::Panic),
        ("exit", 7, ErrorKind::Exit),
        ("recursion", 0, ErrorKind::Trap),
        ("deadlock-channel", 0, ErrorKind::Panic),
    ] {
        let instance = reentrant(Some(ENOUGH), true);
        let outer = instance.call("through", &[what.into(), Value::Int(n)], &PLAIN).expect_err(what);
        assert_eq!(outer.kind(), kind, "{what}: {outer:?}");
        expect_dead(&instance, kind);
    }
}

#[test]
fn a_loop_within_a_host_function_ends_with_the_outer_deadline() {
    for swallow in [false, true] {
        for (what, n) in [("loop", 0), ("sleep", 600_000), ("loop-allocating", 0)] {
            let instance = reentrant(None, swallow);
            let began = Instant::now();
            let ended = instance.call("through", &[what.into(), Value::Int(n)], &within(LIMIT)).expect_err(what);
            expect(&ended, ErrorKind::Timeout, &["300ms"]);
            assert!(began.elapsed() >= LIMIT && began.elapsed() < ENOUGH, "{what}: {:?}", began.elapsed());
            expect_dead(&instance, ErrorKind::Timeout);
        }
    }
}

#[test]
fn fifty_deadlines_end_fifty_calls_each_at_its_own_time() {
    let others_run = AtomicBool::new(true);
    thread::scope(|scope| {
        // Well-behaved calls without any deadline, all the while: the epoch that ends the others is
        // theirs too.
        let honest = scope.spawn(|| {
            let instance = start();
            let mut calls = 0_u32;
            while others_run.load(Ordering::SeqCst) {
                works(&instance);
                calls += 1;
            }
            calls
        });
        let calls: Vec<_> = (0..50)
            .map(|i| {
                let limit = Duration::from_millis(100 + 20 * i);
                scope.spawn(move || {
                    let instance = start();
                    let began = Instant::now();
                    let what = if i % 2 == 0 { "loop" } else { "sleep" };
                    let ended = misbehave(&instance, what, 600_000, &within(limit)).expect_err(what);
                    (limit, began.elapsed(), ended, instance)
                })
            })
            .collect();
        for call in calls {
            let (limit, took, ended, instance) = call.join().expect("no panic");
            expect(&ended, ErrorKind::Timeout, &[&format!("{limit:?}")]);
            assert!(took >= limit && took < limit + ENOUGH, "{limit:?}: {took:?}");
            expect_dead(&instance, ErrorKind::Timeout);
        }
        others_run.store(false, Ordering::SeqCst);
        assert!(honest.join().expect("no panic") > 0);
    });
}

#[test]
fn cancelling_one_call_touches_no_other() {
    let plugin = plugin();
    let tokens: Vec<CancelToken> = (0..4).map(|_| CancelToken::new()).collect();
    thread::scope(|scope| {
        let calls: Vec<_> = tokens
            .iter()
            .map(|token| {
                scope.spawn(move || {
                    let instance = plugin.instantiate(options(None)).expect("an instance");
                    misbehave(&instance, "loop", 0, &CallOptions { cancel: Some(token.clone()), ..within(ENOUGH) }).expect_err("a loop")
                })
            })
            .collect();
        for (token, call) in tokens.iter().zip(calls) {
            assert!(!call.is_finished(), "an earlier cancel has ended it");
            token.cancel();
            expect(&call.join().expect("no panic"), ErrorKind::Cancelled, &["cancelled"]);
        }
    });
}

#[test]
fn a_pool_never_hands_out_what_has_ended() {
    let pool = plugin().pool(PoolOptions::new(2, options(None))).expect("a pool");
    for what in ["panic-string", "exit", "loop", "many-slices", "recursion", "deadlock-mutex", "wreck-memory"] {
        let n = if what == "wreck-memory" { 100_000_000 } else { 0 };
        pool.call("do", &[what.into(), Value::Int(n)], &within(LIMIT * 10)).expect_err(what);
        for _ in 0..4 {
            let sum = pool.call("work", &[Value::Int(100)], &PLAIN).expect("a well-behaved call");
            assert_eq!(sum, Value::Int(338_350), "after {what}");
        }
    }
}

#[test]
fn a_reset_undoes_every_end() {
    let instance = start();
    for (what, n) in
        [("panic-string", 0), ("exit", 1), ("recursion", 0), ("many-slices", 0), ("wreck-memory", 100_000_000), ("unlock-of-unlocked", 0)]
    {
        fails(&instance, what, n);
        instance.reset(&PLAIN).expect("a reset");
        works(&instance);
        assert!(instance.memory_size().expect("a memory") < MEMORY, "{what}");
    }
}

#[test]
fn memory_that_go_gave_up_is_used_again() {
    let instance = start();
    misbehave(&instance, "churn", 100, &PLAIN).expect("a call");
    let size = instance.memory_size().expect("a memory");
    // Ten times what there is.
    misbehave(&instance, "churn", 640, &PLAIN).expect("a call");
    let after = instance.memory_size().expect("a memory");
    assert!(after <= MEMORY && after <= 2 * size, "{size} bytes became {after}");
}

#[test]
fn go_hears_of_the_memory_limit() {
    let read = |limit: Option<u64>| {
        let mut options = quiet();
        options.limits.memory = limit;
        let hosted = Hosted::new(conformance(), options).expect("an instance");
        hosted.call("env", &["GOMEMLIMIT".into()]).expect("a call")
    };
    assert_eq!(read(Some(100 << 20)), Value::String(((100_u64 << 20) / 10 * 9).to_string()));
    assert_eq!(read(None), Value::None);
}

/// Runs on a thread with hardly any stack, as hosts have them.
fn on_a_small_stack(code: impl FnOnce() + Send + 'static) {
    thread::Builder::new().stack_size(128 << 10).spawn(code).expect("a thread").join().expect("the thread ends as it should");
}

#[test]
fn deep_recursion_works_and_endless_recursion_ends_on_any_thread() {
    on_a_small_stack(|| {
        let instance = start();
        assert_eq!(misbehave(&instance, "finite-recursion", 10_000, &PLAIN).expect("a call"), "done".into());
        for what in ["recursion", "mutual-recursion", "recursion-in-defer"] {
            let instance = start();
            expect(&fails(&instance, what, 0), ErrorKind::Trap, &["stack", "overflowed"]);
            expect_dead(&instance, ErrorKind::Trap);
        }
        let ended = plugin().instantiate(options(Some(("recursion", 0)))).expect_err("a recursion in init");
        expect(&ended, ErrorKind::Trap, &["stack", "overflowed"]);
    });
    works(bystander());
}

#[test]
fn instances_share_no_seed() {
    let random = |instance: &Instance| instance.call("random", &[], &PLAIN).expect("a call");
    let (a, b) = (start(), start());
    let first = random(&a);
    assert_ne!(first, random(&b));
    a.reset(&PLAIN).expect("a reset");
    assert_ne!(first, random(&a));
}

#[test]
fn there_is_a_program_name() {
    let Value::String(name) = start().call("program", &[], &PLAIN).expect("a call") else { panic!("not a string") };
    assert!(!name.is_empty());
}

#[test]
fn a_module_may_list_an_import_twice() {
    let twice = r#"(import "wasi_snapshot_preview1" "sched_yield" (func $a (result i32)))
        (import "wasi_snapshot_preview1" "sched_yield" (func $b (result i32)))
        (import "host" "one" (func $c (result i32))) (import "host" "one" (func $d (result i32)))
        (func (export "f") (result i32) (i32.add (i32.add (call $a) (call $b)) (i32.add (call $c) (call $d))))"#;
    let text = format!("(module {twice} (memory (export \"memory\") 1) (func (export \"_initialize\")))");
    let info = ModuleInfo::parse(&common::assemble(&text)).expect("a module");
    assert!(info.imports.iter().filter(|import| import.name == "one").count() == 1);
    let mut options = quiet();
    options.imports.func("host", "one", |_| Ok(Value::Int(4)));
    let instance = common::plugin(&text).expect("a plugin").instantiate(options).expect("an instance");
    assert_eq!(instance.call("f", &[], &PLAIN).expect("a call"), Value::Int(8));
}

#[test]
fn a_context_has_the_deadline_of_its_call() {
    let instance = start();
    let remaining = |options: &CallOptions| instance.call("remaining", &[], options).expect("a call");
    assert_eq!(remaining(&PLAIN), Value::Int(-1));
    let Value::Int(left) = remaining(&within(ENOUGH)) else { panic!("not a number") };
    assert!(left > 0 && u128::try_from(left).expect("milliseconds") <= ENOUGH.as_millis(), "{left}");
    // A function that heeds it returns before it is ended.
    let grace = ENOUGH - Duration::from_millis(200);
    let waited = instance.call("wait-for-context", &[Value::Int(i64::try_from(grace.as_millis()).expect("milliseconds"))], &within(ENOUGH));
    assert_eq!(waited.expect("a call"), "context deadline exceeded".into());
}

#[test]
fn what_a_plugin_prints_is_no_panic() {
    let instance = start();
    // It matters not at all when the call returns, nor for a later end of another kind.
    assert_eq!(misbehave(&instance, "imitate-panic", 0, &PLAIN).expect("a call"), "done".into());
    let ended = fails(&instance, "exit", 2);
    assert_eq!((ended.kind(), ended.exit_code()), (ErrorKind::Exit, Some(2)));
    assert!(ended.frames().is_empty() && ended.origin().is_none());
    let ended = fails(&start(), "exit-after-imitation", 2);
    assert_eq!((ended.kind(), ended.exit_code()), (ErrorKind::Exit, Some(2)));
    assert!(ended.stderr().contains("panic: an imitation"));
    let ended = fails(&start(), "panic-after-imitation", 0);
    expect(&ended, ErrorKind::Panic, &["the real one"]);
    // The only way left: to print one, and to do what Go does at the end of one. It is the plugin's
    // own end that it lies about.
    expect(&fails(&start(), "breakpoint", 1), ErrorKind::Panic, &["an imitation"]);
    expect(&fails(&start(), "breakpoint", 0), ErrorKind::Trap, &["unreachable"]);
}

#[test]
fn a_timer_of_an_earlier_call_fires_in_a_later_one() {
    let instance = start();
    misbehave(&instance, "timer-later", 1, &PLAIN).expect("a call");
    thread::sleep(Duration::from_millis(5));
    // The call that is running then ends by it, and no other.
    let ended = misbehave(&instance, "sleep", 600_000, &within(ENOUGH)).expect_err("the timer's panic");
    expect(&ended, ErrorKind::Panic, &["a timer of an earlier call"]);
    assert_eq!(ended.origin().map(|frame| frame.function.as_str()), Some("main.timerLater.func1"));
    works(bystander());
}

#[test]
fn output_without_an_end_takes_no_memory_of_the_host() {
    for (what, n) in [("print-stdout", 0), ("print-stderr", 0), ("print-line", 0), ("print-line", 1)] {
        let mut options = options(None);
        options.sandbox.stdout = undergo::Output::Capture(1000);
        options.sandbox.stderr = undergo::Output::Capture(1000);
        let instance = plugin().instantiate(options).expect("an instance");
        let ended = misbehave(&instance, what, n, &within(LIMIT)).expect_err(what);
        assert_eq!(ended.kind(), ErrorKind::Timeout, "{ended:?}");
        assert!(ended.stderr().len() <= 128 << 10, "{} bytes are kept", ended.stderr().len());
        assert!(instance.take_stdout().len() <= 1000 && instance.take_stderr().len() <= 1000);
    }
}

#[test]
fn an_error_of_a_host_function_is_never_swallowed() {
    let ended = fails(&start(), "host-fail", 0);
    expect(&ended, ErrorKind::HostError, &["refused by the host"]);
    let mut options = options(None);
    options.imports.func("host", "fail", |_| panic!("the host panics"));
    let instance = Arc::new(plugin().instantiate(options).expect("an instance"));
    expect(&fails(&instance, "host-fail", 0), ErrorKind::HostError, &["the host panics"]);
    expect_dead(&instance, ErrorKind::HostError);
}

#[test]
fn a_dead_instance_keeps_no_object_of_the_host() {
    let raised = Arc::new(42_u32);
    let mut options = options(None);
    let inner = raised.clone();
    options.imports.func("host", "fail", move |_| Err(Error::from_host("no luck", inner.clone())));
    let instance = plugin().instantiate(options).expect("an instance");
    let ended = fails(&instance, "host-fail", 0);
    assert!(ended.host().is_some());
    // One is here, one in the host function, and one in the error.
    assert_eq!(Arc::strong_count(&raised), 3);
    drop(ended);
    expect_dead(&instance, ErrorKind::HostError);
    assert_eq!(Arc::strong_count(&raised), 2);
}
