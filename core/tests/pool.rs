//! Pools: who gets an instance, when, and for how long.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use crate::common::{self, PLAIN, expect, plugin, quiet};
use undergo::{CallOptions, CancelToken, ErrorKind, InstanceOptions, Plugin, Pool, PoolOptions, PoolStats, Value};

/// `count` says how often an instance was called; `wait` calls the host; `die` ends its instance;
/// `spin` never returns.
fn counter() -> Plugin {
    plugin(
        r#"(module (import "host" "wait" (func $wait (param i32) (result i32))) (memory (export "memory") 1)
        (global $count (mut i32) (i32.const 0))
        (func (export "_initialize"))
        (func (export "count") (result i32) (global.set $count (i32.add (global.get $count) (i32.const 1))) (global.get $count))
        (func (export "wait") (param i32) (result i32) (call $wait (local.get 0)))
        (func (export "die") unreachable)
        (func (export "spin") (loop $on (br $on))))"#,
    )
    .expect("a plugin")
}

fn with_wait(wait: impl Fn(i64) -> i64 + Send + Sync + 'static) -> InstanceOptions {
    let mut options = quiet();
    options.imports.func("host", "wait", move |args| match args {
        [Value::Int(n)] => Ok(Value::Int(wait(*n))),
        _ => Err(common::host::fail("wait takes a number")),
    });
    options
}

fn pool(options: PoolOptions) -> Pool {
    counter().pool(options).expect("a pool")
}

fn simple(size: usize) -> Pool {
    pool(PoolOptions::new(size, with_wait(|n| n)))
}

fn int(pool: &Pool, name: &str, args: &[Value]) -> i64 {
    match pool.call(name, args, &PLAIN).expect(name) {
        Value::Int(n) => n,
        other => panic!("{name} gave {other:?}"),
    }
}

fn brief(timeout: Duration) -> CallOptions {
    CallOptions { timeout: Some(timeout), ..PLAIN }
}

/// A pool whose calls of `wait` say that they run, and go on when they are let.
struct Held {
    pool: Pool,
    runs: Mutex<Receiver<i64>>,
    go: Sender<()>,
}

fn held(size: usize) -> Held {
    let ((run, runs), (go, going)) = (channel(), channel());
    let (run, going) = (Mutex::new(run), Mutex::new(going));
    let wait = move |n| {
        run.lock().expect("no panic").send(n).expect("somebody listens");
        going.lock().expect("no panic").recv().map_or(-1, |()| n)
    };
    Held { pool: pool(PoolOptions::new(size, with_wait(wait))), runs: Mutex::new(runs), go }
}

impl Held {
    fn next(&self) -> i64 {
        self.runs.lock().expect("no panic").recv().expect("a call")
    }

    fn wait_for(&self, what: impl Fn(PoolStats) -> bool) {
        while !what(self.pool.stats()) {
            thread::yield_now();
        }
    }
}

#[test]
fn instances_are_made_when_they_are_needed_and_used_again() {
    let pool = simple(4);
    assert_eq!(pool.stats(), PoolStats::default());
    assert_eq!([(); 3].map(|()| int(&pool, "count", &[])), [1, 2, 3]);
    let stats = pool.stats();
    assert_eq!((stats.made, stats.idle, stats.busy, stats.calls), (1, 1, 0, 3));
    pool.warm_up(3).expect("warm");
    assert_eq!((pool.stats().made, pool.stats().idle), (3, 3));
    pool.warm_up(100).expect("warm");
    assert_eq!((pool.stats().made, pool.stats().idle), (4, 4));
    assert_eq!(int(&pool, "wait", &[Value::Int(7)]), 7);
}

#[test]
fn who_waits_longest_is_next() {
    let held = held(1);
    let order = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for n in 0..5 {
            scope.spawn({
                let (held, order) = (&held, &order);
                move || {
                    assert_eq!(int(&held.pool, "wait", &[Value::Int(n)]), n);
                    order.lock().expect("no panic").push(n);
                }
            });
            // One has the instance, and the others come one after the other.
            held.wait_for(|stats| stats.busy == 1 && stats.waiting == n as usize);
        }
        for n in 0..5 {
            assert_eq!(held.next(), n);
            held.go.send(()).expect("a call");
        }
    });
    assert_eq!(order.into_inner().expect("no panic").len(), 5);
    assert_eq!(held.pool.stats().made, 1);
}

#[test]
fn waiting_ends_with_the_deadline_or_the_token() {
    let held = held(1);
    let token = CancelToken::new();
    let options = CallOptions { cancel: Some(token.clone()), ..PLAIN };
    thread::scope(|scope| {
        let call = scope.spawn(|| int(&held.pool, "wait", &[Value::Int(1)]));
        held.next();
        let late = held.pool.call("count", &[], &brief(Duration::from_millis(30))).expect_err("no instance is free");
        expect(&late, ErrorKind::Timeout, &["the pool's one instance was busy", "30ms"]);
        let waiting = scope.spawn(|| held.pool.call("count", &[], &options));
        held.wait_for(|stats| stats.waiting == 1);
        token.cancel();
        expect(&waiting.join().expect("no panic").expect_err("cancelled"), ErrorKind::Cancelled, &[]);
        held.go.send(()).expect("a call");
        assert_eq!(call.join().expect("no panic"), 1);
    });
    assert_eq!(held.pool.stats().waiting, 0);
    assert_eq!(int(&held.pool, "count", &[]), 1);
}

#[test]
fn the_dead_are_replaced() {
    let pool = simple(1);
    assert_eq!(int(&pool, "count", &[]), 1);
    for _ in 0..3 {
        expect(&pool.call("die", &[], &PLAIN).expect_err("a trap"), ErrorKind::Trap, &["unreachable"]);
    }
    expect(&pool.call("spin", &[], &brief(Duration::from_millis(20))).expect_err("a loop"), ErrorKind::Timeout, &["20ms"]);
    assert_eq!(int(&pool, "count", &[]), 1);
    let stats = pool.stats();
    assert_eq!((stats.died, stats.made, stats.busy, stats.idle), (4, 5, 0, 1));
}

#[test]
fn an_instance_that_can_not_be_made_leaves_its_place() {
    let failing =
        plugin(r#"(module (import "host" "start" (func $start)) (func (export "_initialize") (call $start)) (func (export "ok")))"#);
    let failing = failing.expect("a plugin");
    let tries = Arc::new(AtomicU64::new(0));
    let mut options = quiet();
    let counted = tries.clone();
    options.imports.func("host", "start", move |_| match counted.fetch_add(1, Ordering::SeqCst) {
        0 | 1 => Err(common::host::fail("not yet")),
        _ => Ok(Value::None),
    });
    let pool = failing.pool(PoolOptions::new(1, options)).expect("a pool");
    for _ in 0..2 {
        expect(&pool.call("ok", &[], &PLAIN).expect_err("not yet"), ErrorKind::HostError, &["not yet"]);
    }
    pool.call("ok", &[], &PLAIN).expect("at last");
    assert_eq!((pool.stats().made, pool.stats().busy), (1, 0));
    // What is missing is said before the first call.
    let missing = failing.pool(PoolOptions::new(1, quiet())).expect_err("a function is missing");
    expect(&missing, ErrorKind::MissingImport, &["host.start"]);
    expect(&failing.pool(PoolOptions::new(0, quiet())).expect_err("none"), ErrorKind::TypeMismatch, &["size can't be 0"]);
}

#[test]
fn instances_retire() {
    let mut options = PoolOptions::new(2, with_wait(|n| n));
    options.max_calls = Some(2);
    let two = pool(options.clone());
    assert_eq!([(); 5].map(|()| int(&two, "count", &[])), [1, 2, 1, 2, 1]);
    assert_eq!((two.stats().retired, two.stats().made), (2, 3));
    options.max_calls = Some(1);
    let fresh = pool(options.clone());
    assert_eq!([(); 3].map(|()| int(&fresh, "count", &[])), [1, 1, 1]);
    options.max_calls = Some(0);
    expect(&counter().pool(options).expect_err("none"), ErrorKind::TypeMismatch, &["max_calls can't be 0"]);
}

#[test]
fn what_is_not_used_for_long_is_dropped() {
    let mut options = PoolOptions::new(4, with_wait(|n| n));
    options.idle = Some(Duration::from_millis(20));
    let pool = pool(options);
    pool.warm_up(3).expect("warm");
    let began = Instant::now();
    while pool.stats().idle > 0 {
        assert!(began.elapsed() < Duration::from_secs(20), "{:?}", pool.stats());
        thread::yield_now();
    }
    assert_eq!(pool.stats().shrunk, 3);
    assert_eq!(int(&pool, "count", &[]), 1);
}

#[test]
fn a_host_function_that_needs_its_own_pool_never_waits_for_itself() {
    let pool = Arc::new(OnceLock::<Pool>::new());
    let own = pool.clone();
    let options = with_wait(move |n| match own.get().expect("the pool").call("wait", &[Value::Int(n - 1)], &PLAIN) {
        _ if n == 0 => 0,
        Ok(Value::Int(m)) => m + 1,
        other => {
            expect(&other.expect_err("none is free"), ErrorKind::Busy, &["needs a larger one"]);
            0
        }
    });
    // Each level needs one more instance, and there are three.
    let made = counter().pool(PoolOptions::new(3, options)).expect("a pool");
    assert!(pool.set(made.clone()).is_ok());
    assert_eq!(int(&made, "wait", &[Value::Int(10)]), 2);
    assert_eq!((made.stats().made, made.stats().busy, made.stats().idle), (3, 0, 3));
}

#[test]
fn closing_lets_calls_finish_and_turns_others_away() {
    let held = held(1);
    thread::scope(|scope| {
        let running = scope.spawn(|| int(&held.pool, "wait", &[Value::Int(5)]));
        held.next();
        let waiting = scope.spawn(|| held.pool.call("count", &[], &PLAIN));
        held.wait_for(|stats| stats.waiting == 1);
        expect(&held.pool.close(Some(Duration::from_millis(20))).expect_err("one still runs"), ErrorKind::Timeout, &["20ms"]);
        expect(&waiting.join().expect("no panic").expect_err("turned away"), ErrorKind::DeadInstance, &["the pool is closed"]);
        expect(&held.pool.call("count", &[], &PLAIN).expect_err("closed"), ErrorKind::DeadInstance, &["the pool is closed"]);
        held.go.send(()).expect("a call");
        held.pool.close(None).expect("all came back");
        assert_eq!(running.join().expect("no panic"), 5);
    });
    assert_eq!((held.pool.stats().busy, held.pool.stats().idle), (0, 0));
    assert!(held.pool.is_closed());
}

#[test]
fn many_threads_get_what_they_asked_for() {
    let pool = simple(3);
    thread::scope(|scope| {
        for t in 0..8 {
            let pool = &pool;
            scope.spawn(move || {
                for i in 0..200 {
                    let n = t * 1000 + i;
                    if i % 50 == 49 {
                        expect(&pool.call("die", &[], &PLAIN).expect_err("a trap"), ErrorKind::Trap, &[]);
                    }
                    assert_eq!(int(pool, "wait", &[Value::Int(n)]), n);
                }
            });
        }
    });
    let stats = pool.stats();
    assert_eq!((stats.busy, stats.waiting, stats.died, stats.calls), (0, 0, 32, 8 * 200 + 32));
    assert!(stats.idle <= 3 && stats.made == stats.died + stats.idle as u64);
}

#[test]
fn arguments_are_for_instances_of_their_plugin() {
    let (one, other) = (counter(), counter());
    let instance = one.instantiate(with_wait(|n| n)).expect("an instance");
    let mut arguments = other.arguments(other.export("count").expect("an export")).expect("arguments");
    let error = arguments.call(&instance, &PLAIN, |_| Ok(())).expect_err("another plugin");
    expect(&error, ErrorKind::UnknownExport, &["the instance is one of"]);
    expect(&other.arguments(99).err().expect("no such export"), ErrorKind::UnknownExport, &["99"]);
}
