//! Calls that suspend instead of holding a thread.

use std::future::Future;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use crate::common::host::fail;
use crate::common::{PLAIN, conformance, expect, plugin, quiet};
use tokio::sync::oneshot;
use undergo::host::{Home, Job, ToValue, go_home, spawn};
use undergo::{AsyncInstance, AsyncPool, CallOptions, CancelToken, ErrorKind, InstanceOptions, Lease, Plugin, PoolOptions, Result, Value};

/// An event loop of a thread: the test's own.
struct Loop {
    sender: Mutex<Sender<Job>>,
    thread: ThreadId,
    turns: AtomicU64,
}

impl Home for Loop {
    fn schedule(&self, job: Job) {
        // When the loop is gone, its jobs go too.
        drop(self.sender.lock().expect("no panic").send(job));
    }
}

fn event_loop() -> (Arc<Loop>, Receiver<Job>) {
    let (sender, jobs) = channel();
    (Arc::new(Loop { sender: Mutex::new(sender), thread: thread::current().id(), turns: AtomicU64::new(0) }), jobs)
}

/// Runs a future with this thread as its home.
fn at_home<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> T {
    let (home, jobs) = event_loop();
    run(&home, &jobs, future)
}

fn run<T: Send + 'static>(home: &Arc<Loop>, jobs: &Receiver<Job>, future: impl Future<Output = T> + Send + 'static) -> T {
    let (done, result) = channel();
    spawn(home.clone(), async move {
        let result = future.await;
        go_home().await;
        drop(done.send(result));
    });
    loop {
        if let Ok(result) = result.try_recv() {
            return result;
        }
        let job = jobs.recv_timeout(Duration::from_secs(60)).expect("the task goes on");
        home.turns.fetch_add(1, Ordering::Relaxed);
        job.run();
    }
}

/// The conformance plugin's host, all of whose functions wait a little.
fn options() -> InstanceOptions {
    with_reenter(|_, _| async { Err(fail("nobody reenters")) })
}

fn with_reenter<F: Future<Output = Result<Value>> + Send + 'static>(
    reenter: impl Fn(i64, Lease) -> F + Send + Sync + 'static,
) -> InstanceOptions {
    let mut options = quiet();
    for (module, function) in conformance().imports() {
        let name = function.name.clone();
        options.imports.async_func(module, &function.name, move |mut args, _| {
            let name = name.clone();
            async move {
                tokio::task::yield_now().await;
                match &*name {
                    "divmod" => match args[..] {
                        [Value::Int(a), Value::Int(b)] => Ok(Value::List(vec![Value::Int(a / b), Value::Int(a % b)])),
                        _ => Err(fail("divmod wants two numbers")),
                    },
                    "fail" | "crash" => Err(fail(if let Value::String(text) = &args[0] { text } else { "" })),
                    _ => Ok(args.swap_remove(0)),
                }
            }
        });
    }
    options.imports.async_func("host", "reenter", move |args, lease| {
        let reentered = match (&args[..], lease) {
            ([Value::Int(depth)], Some(lease)) => Ok(reenter(*depth, lease)),
            _ => Err(fail("reenter wants a number, and a lease")),
        };
        async move { reentered?.await }
    });
    options
}

fn brief(ms: u64) -> CallOptions {
    CallOptions { timeout: Some(Duration::from_millis(ms)), ..PLAIN }
}

fn int(result: Result<Value>) -> i64 {
    match result.expect("a result") {
        Value::Int(n) => n,
        other => panic!("{other:?} is no number"),
    }
}

#[test]
fn a_short_call_is_over_before_it_could_be_waited_for() {
    let (home, jobs) = event_loop();
    let instance = run(&home, &jobs, async { conformance().instantiate_async(options(), &PLAIN).await }).expect("an instance");
    home.turns.store(0, Ordering::Relaxed);
    // A tick may fall into a call, but not into a thousand.
    for i in 0..1000 {
        let instance = instance.clone();
        assert_eq!(run(&home, &jobs, async move { int(instance.call("echo-int", &[Value::Int(i)], &PLAIN).await) }), i);
    }
    assert!(home.turns.load(Ordering::Relaxed) < 500, "{:?}", home.turns);
}

#[test]
fn host_functions_are_awaited_and_answer() {
    at_home(async {
        let guest = conformance().instantiate_async(options(), &PLAIN).await.expect("an instance");
        let divmod = guest.call("divmod-through-host", &[Value::Int(17), Value::Int(5)], &PLAIN).await.expect("a pair");
        assert_eq!(divmod, Value::List(vec![Value::Int(3), Value::Int(2)]));
        // More than the arena holds: the guest finds room for the answers while it waits.
        for size in [10, 5_000, 300_000] {
            let text = "ä".repeat(size);
            let args = [
                text.as_str().into(),
                Value::Bytes(vec![7; size]),
                Value::Int(5),
                Value::List(vec!["x".into(); size / 10]),
                Value::List(vec![]),
            ];
            let through = guest.call("through-host", &args, &PLAIN).await.expect("all of it");
            assert_eq!(through, Value::List(args.to_vec()));
        }
        let caught = guest.call("catch-failure", &["not today".into()], &PLAIN).await.expect("Go handles it");
        assert!(matches!(&caught, Value::String(text) if text.contains("not today")), "{caught:?}");
        expect(&guest.call("crash", &["too bad".into()], &PLAIN).await.expect_err("a failure"), ErrorKind::HostError, &["too bad"]);
        expect(&guest.call("echo-int", &[Value::Int(1)], &PLAIN).await.expect_err("dead"), ErrorKind::DeadInstance, &["too bad"]);
        guest.reset(&PLAIN).await.expect("a reset");
        assert_eq!(int(guest.call("counter", &[], &PLAIN).await), 1);
        guest.poll(&PLAIN).await.expect("a turn for goroutines");
        assert!(guest.usage().memory > 0 && guest.dead().is_none());
    });
}

#[test]
fn a_guest_that_computes_leaves_the_loop_alone_and_comes_home() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let noted = seen.clone();
    let mut options = quiet();
    options.imports.func("host", "note", move |_| {
        noted.lock().expect("no panic").push(thread::current().id());
        Ok(Value::None)
    });
    let plugin = plugin(
        r#"(module (import "host" "note" (func $note)) (memory (export "memory") 1) (func (export "_initialize"))
        (func (export "f") (param $n i64) (call $note)
          (loop $on (local.set $n (i64.sub (local.get $n) (i64.const 1))) (br_if $on (i64.ne (local.get $n) (i64.const 0)))) (call $note)))"#,
    )
    .expect("a plugin");
    let (home, jobs) = event_loop();
    let instance = run(&home, &jobs, async move { plugin.instantiate_async(options, &PLAIN).await }).expect("an instance");
    let computing = Arc::new(AtomicUsize::new(1));
    let done = computing.clone();
    spawn(home.clone(), async move {
        // Some hundred milliseconds.
        instance.call("f", &[Value::Int(400_000_000)], &PLAIN).await.expect("a call");
        done.store(0, Ordering::SeqCst);
    });
    assert_eq!(computing.load(Ordering::SeqCst), 1, "it came back while it computed");
    while computing.load(Ordering::SeqCst) > 0 {
        jobs.recv_timeout(Duration::from_secs(60)).expect("it comes home").run();
    }
    assert_eq!(*seen.lock().expect("no panic"), [home.thread; 2]);
}

/// Runs calls of `f(n)` one after the other; gives how many turns of the loop each took.
fn turns(home: &Arc<Loop>, jobs: &Receiver<Job>, instance: &AsyncInstance, calls: &[i64]) -> Vec<u64> {
    let one = |n: &i64| {
        let (instance, n) = (instance.clone(), *n);
        home.turns.store(0, Ordering::Relaxed);
        run(home, jobs, async move { instance.call("f", &[Value::Int(n)], &PLAIN).await }).expect("a call");
        home.turns.load(Ordering::Relaxed)
    };
    calls.iter().map(one).collect()
}

#[test]
fn calls_of_a_function_that_was_found_computing_begin_away_from_the_loop() {
    let plugin = plugin(
        r#"(module (func (export "_initialize")) (func (export "f") (param $n i64)
          (loop $on (local.set $n (i64.sub (local.get $n) (i64.const 1))) (br_if $on (i64.gt_s (local.get $n) (i64.const 0))))))"#,
    )
    .expect("a plugin");
    let (home, jobs) = event_loop();
    let made = async move { (plugin.instantiate_async(quiet(), &PLAIN).await, plugin.instantiate_async(quiet(), &PLAIN).await) };
    let (first, second) = run(&home, &jobs, made);
    let (first, second) = (first.expect("an instance"), second.expect("an instance"));
    // Some hundred milliseconds, and then none at all: that begins away, as the clock's ticks have
    // taught, and another one at home again. All instances of the plugin learn from each other.
    assert!(turns(&home, &jobs, &first, &[400_000_000])[0] > 0, "it computed at home");
    assert!(turns(&home, &jobs, &second, &[1])[0] > 0, "it began at home");
    let short = turns(&home, &jobs, &first, &[1; 100]);
    assert!(short.iter().sum::<u64>() < 50, "they began away: {short:?}");
}

#[test]
fn a_chain_of_short_calls_lets_the_loop_have_its_turns() {
    static SEVEN: Value = Value::Int(7);
    let (home, jobs) = event_loop();
    let instance = run(&home, &jobs, async { conformance().instantiate_async(options(), &PLAIN).await }).expect("an instance");
    let (enough, calls, results) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let (seen, called, read) = (enough.clone(), calls.clone(), results.clone());
    spawn(home.clone(), async move {
        while seen.load(Ordering::SeqCst) == 0 {
            let mut arguments = conformance().owned_arguments(conformance().export("echo-int").expect("an export")).expect("arguments");
            arguments.lower(0, &&SEVEN).expect("a number");
            let counted = read.clone();
            let result = instance.call_then(arguments, &PLAIN, move |returned| {
                counted.fetch_add(1, Ordering::SeqCst);
                returned.lift(&ToValue)
            });
            assert_eq!(int(result.await), 7);
            called.fetch_add(1, Ordering::SeqCst);
        }
    });
    // None of the calls waits for anything, and still the loop is here again and again. No call is
    // over then whose result was read: whoever has one may call the instance at once.
    for _ in 0..20 {
        let before = calls.load(Ordering::SeqCst);
        assert_eq!(results.load(Ordering::SeqCst), before);
        jobs.recv_timeout(Duration::from_secs(60)).expect("the chain goes on").run();
        assert!(calls.load(Ordering::SeqCst) > before);
    }
    enough.store(1, Ordering::SeqCst);
    while Arc::strong_count(&enough) > 1 {
        jobs.recv_timeout(Duration::from_secs(60)).expect("the chain ends").run();
    }
}

#[test]
fn a_guest_that_waits_is_not_taken_for_one_that_computes() {
    let mut options = quiet();
    options.imports.async_func("host", "wait", |_, _| async {
        // Longer than the clock takes to tick.
        let (sender, done) = oneshot::channel();
        thread::spawn(move || {
            thread::sleep(Duration::from_millis(10));
            sender.send(Value::None)
        });
        done.await.map_err(|_| fail("nobody answered"))
    });
    let plugin = plugin(
        r#"(module (import "host" "wait" (func $wait))
        (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32))) (memory (export "memory") 1)
        (func (export "_initialize"))
        (func (export "f") (param $waits i64)
          (i32.store (i32.const 16) (i32.const 1)) (i64.store (i32.const 24) (i64.const 10000000))
          (if (i64.ne (local.get $waits) (i64.const 0))
            (then
              (call $wait) (call $compute)
              (drop (call $poll (i32.const 0) (i32.const 64) (i32.const 1) (i32.const 128))) (call $compute))))
        (func $compute))"#,
    )
    .expect("a plugin");
    let (home, jobs) = event_loop();
    let instance = run(&home, &jobs, async move { plugin.instantiate_async(options, &PLAIN).await }).expect("an instance");
    // What waits has nothing to do away from home, and nor has the next call. Now and then a tick
    // may fall into the little that they compute.
    let after: u64 = (0..20).map(|_| turns(&home, &jobs, &instance, &[1, 0])[1]).sum();
    assert!(after < 10, "{after} of 20 calls began away");
}

#[test]
fn deadlines_and_tokens_end_whatever_an_asynchronous_call_does() {
    let never = with_reenter(|_, _| std::future::pending());
    at_home(async move {
        let guest = conformance().instantiate_async(never, &PLAIN).await.expect("an instance");
        for (name, args) in [("spin", vec![]), ("sleep", vec![Value::Int(600_000)]), ("reenter", vec![Value::Int(1)])] {
            let began = Instant::now();
            expect(&guest.call(name, &args, &brief(30)).await.expect_err(name), ErrorKind::Timeout, &["30ms"]);
            assert!(began.elapsed() >= Duration::from_millis(30) && began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
            expect(&guest.call("counter", &[], &PLAIN).await.expect_err("dead"), ErrorKind::DeadInstance, &["timeout", "30ms"]);
            guest.reset(&PLAIN).await.expect("a reset");
            let token = CancelToken::new();
            let options = CallOptions { cancel: Some(token.clone()), ..PLAIN };
            let (ended, ()) = tokio::join!(guest.call(name, &args, &options), async {
                tokio::task::yield_now().await;
                token.cancel();
            });
            expect(&ended.expect_err(name), ErrorKind::Cancelled, &["cancelled"]);
            guest.reset(&PLAIN).await.expect("a reset");
        }
        // Waiting for the instance.
        let (long, short) = (brief(200), brief(20));
        let (spun, waited) = tokio::join!(guest.call("spin", &[], &long), guest.call("counter", &[], &short));
        expect(&spun.expect_err("a loop"), ErrorKind::Timeout, &["200ms"]);
        expect(&waited.expect_err("busy"), ErrorKind::Timeout, &["busy", "20ms"]);
    });
}

#[test]
fn an_initialisation_has_a_deadline_and_may_wait_for_the_host() {
    at_home(async {
        let endless = plugin(r#"(module (func (export "_initialize") (loop $on (br $on))))"#).expect("a plugin");
        let mut limited = quiet();
        limited.limits.timeout = Some(Duration::from_millis(30));
        expect(&endless.instantiate_async(limited, &PLAIN).await.expect_err("a loop"), ErrorKind::Timeout, &["30ms"]);
        let asks = r#"(module (import "host" "ask" (func $ask (result i32))) (global $got (mut i32) (i32.const 0))
            (func (export "_initialize") (global.set $got (call $ask))) (func (export "got") (result i32) (global.get $got)))"#;
        let mut options = quiet();
        options.imports.async_func("host", "ask", |_, _| async {
            tokio::task::yield_now().await;
            Ok(Value::Int(42))
        });
        let asked = plugin(asks).expect("a plugin").instantiate_async(options, &PLAIN).await.expect("an instance");
        assert_eq!(int(asked.call("got", &[], &PLAIN).await), 42);
    });
}

#[test]
fn a_host_function_calls_back_into_its_instance() {
    let own = Arc::new(OnceLock::<AsyncInstance>::new());
    let found = own.clone();
    let options = with_reenter(move |depth, lease| {
        let own = found.get().cloned();
        async move {
            let own = own.ok_or_else(|| fail("too early"))?;
            let within = CallOptions { within: Some(lease), ..PLAIN };
            // Two at a time come in one after the other.
            let args = [Value::Int(depth - 1)];
            let (a, b) = tokio::join!(own.call("reenter", &args, &within), own.call("echo-int", &[Value::Int(7)], &within));
            assert_eq!(int(b), 7);
            Ok(Value::Int(int(a) + 1))
        }
    });
    at_home(async move {
        let guest = conformance().instantiate_async(options, &PLAIN).await.expect("an instance");
        assert!(own.set(guest.clone()).is_ok());
        assert_eq!(int(guest.call("reenter", &[Value::Int(5)], &PLAIN).await), 5);
        assert_eq!(int(guest.call("counter", &[], &PLAIN).await), 1);
    });
}

#[test]
fn what_ends_a_call_within_ends_the_call_around_it() {
    let own = Arc::new(OnceLock::<AsyncInstance>::new());
    let found = own.clone();
    let options = with_reenter(move |_, lease| {
        let own = found.get().cloned();
        async move {
            let own = own.ok_or_else(|| fail("too early"))?;
            let within = CallOptions { within: Some(lease), timeout: Some(Duration::from_millis(30)), ..PLAIN };
            expect(&own.call("spin", &[], &within).await.expect_err("a loop"), ErrorKind::Timeout, &["30ms"]);
            // Swallowed, but the instance is dead.
            Ok(Value::Int(1))
        }
    });
    at_home(async move {
        let guest = conformance().instantiate_async(options, &PLAIN).await.expect("an instance");
        assert!(own.set(guest.clone()).is_ok());
        expect(&guest.call("reenter", &[Value::Int(1)], &PLAIN).await.expect_err("dead"), ErrorKind::Timeout, &["30ms"]);
        expect(&guest.call("counter", &[], &PLAIN).await.expect_err("dead"), ErrorKind::DeadInstance, &["timeout"]);
    });
}

#[test]
fn a_job_that_its_loop_drops_ends_its_task() {
    let (home, jobs) = event_loop();
    let guest = run(&home, &jobs, async { conformance().instantiate_async(with_reenter(|_, _| std::future::pending()), &PLAIN).await });
    let guest = guest.expect("an instance");
    let (open, closed) = oneshot::channel::<()>();
    let called = guest.clone();
    let token = CancelToken::new();
    let options = CallOptions { cancel: Some(token.clone()), ..PLAIN };
    spawn(home.clone(), async move {
        let _open = open;
        drop(called.call("reenter", &[Value::Int(1)], &options).await);
    });
    // The loop ends, and what would go on then can't.
    drop(jobs);
    token.cancel();
    assert!(closed.blocking_recv().is_err(), "the task is gone");
    expect(&guest.dead().expect("dead"), ErrorKind::DeadInstance, &["cancelled"]);
}

fn pool(size: usize, options: InstanceOptions) -> AsyncPool {
    conformance().async_pool(PoolOptions::new(size, options)).expect("a pool")
}

#[test]
fn a_pool_serves_many_tasks_with_few_instances() {
    let (home, jobs) = event_loop();
    let pool = pool(8, options());
    let left = Arc::new(AtomicUsize::new(500));
    for i in 0..500 {
        let (pool, left) = (pool.clone(), left.clone());
        spawn(home.clone(), async move {
            let pair = pool.call("divmod-through-host", &[Value::Int(i), Value::Int(7)], &PLAIN).await.expect("a pair");
            assert_eq!(pair, Value::List(vec![Value::Int(i / 7), Value::Int(i % 7)]));
            left.fetch_sub(1, Ordering::SeqCst);
        });
    }
    while left.load(Ordering::SeqCst) > 0 {
        jobs.recv_timeout(Duration::from_secs(60)).expect("a call goes on").run();
    }
    let stats = pool.stats();
    assert_eq!((stats.made, stats.calls, stats.waiting, stats.died), (8, 500, 0, 0));
}

#[test]
fn a_pool_replaces_retires_and_closes() {
    at_home(async {
        let one = pool(1, options());
        one.warm_up(5).await.expect("warm");
        assert_eq!((one.stats().made, one.stats().idle, one.stats().calls), (1, 1, 0));
        expect(&one.call("panic", &["dead".into()], &PLAIN).await.expect_err("a panic"), ErrorKind::Panic, &["dead"]);
        assert_eq!(int(one.call("counter", &[], &PLAIN).await), 1);
        let (long, short) = (brief(200), brief(20));
        let (spun, waited) = tokio::join!(one.call("spin", &[], &long), one.call("counter", &[], &short));
        expect(&spun.expect_err("a loop"), ErrorKind::Timeout, &["200ms"]);
        expect(&waited.expect_err("none is free"), ErrorKind::Timeout, &["the pool's one instance was busy", "20ms"]);
        assert_eq!((one.stats().waiting, one.stats().died, one.stats().busy), (0, 2, 0));
        let mut fresh = PoolOptions::new(2, options());
        fresh.max_calls = Some(1);
        let fresh = conformance().async_pool(fresh).expect("a pool");
        for _ in 0..3 {
            assert_eq!(int(fresh.call("counter", &[], &PLAIN).await), 1);
        }
        assert_eq!((fresh.stats().retired, fresh.stats().made), (3, 3));
        let (slept, closed) = tokio::join!(one.call("sleep", &[Value::Int(50)], &PLAIN), async {
            tokio::task::yield_now().await;
            one.close(None).await
        });
        slept.expect("a call that runs is let finish");
        closed.expect("all came back");
        expect(&one.call("counter", &[], &PLAIN).await.expect_err("closed"), ErrorKind::DeadInstance, &["the pool is closed"]);
    });
}

#[test]
fn a_pool_lends_an_instance_for_several_calls() {
    at_home(async {
        let pool = pool(1, options());
        let taken = pool.take(&PLAIN).await.expect("an instance");
        for n in 1..=3 {
            assert_eq!(int(taken.call("counter", &[], &PLAIN).await), n);
        }
        let waited = pool.take(&brief(20)).await.expect_err("it is lent");
        expect(&waited, ErrorKind::Timeout, &["the pool's one instance was busy", "20ms"]);
        expect(&pool.take_here(&PLAIN).expect_err("it is lent"), ErrorKind::Busy, &["await them first"]);
        assert_eq!((pool.stats().busy, pool.stats().calls), (1, 1));
        drop(taken);
        assert_eq!((pool.stats().idle, pool.stats().calls), (1, 1));
        let taken = pool.take_here(&PLAIN).expect("it is back");
        expect(&taken.call("panic", &["dead".into()], &PLAIN).await.expect_err("a panic"), ErrorKind::Panic, &["dead"]);
        drop(taken);
        assert_eq!((pool.stats().died, pool.stats().busy), (1, 0));
        assert_eq!(int(pool.take(&PLAIN).await.expect("a new one").call("counter", &[], &PLAIN).await), 1);
    });
}

#[test]
fn a_host_function_that_needs_its_own_pool_never_waits_for_itself() {
    let own = Arc::new(OnceLock::<AsyncPool>::new());
    let found = own.clone();
    let pool = pool(
        2,
        with_reenter(move |depth, lease| {
            let own = found.get().cloned();
            async move {
                let own = own.ok_or_else(|| fail("too early"))?;
                let within = CallOptions { within: Some(lease), ..PLAIN };
                match own.call("reenter", &[Value::Int(depth - 1)], &within).await {
                    Ok(Value::Int(n)) => Ok(Value::Int(n + 1)),
                    other => {
                        expect(&other.expect_err("none is free"), ErrorKind::Busy, &["needs a larger one"]);
                        Ok(Value::Int(0))
                    }
                }
            }
        }),
    );
    assert!(own.set(pool.clone()).is_ok());
    assert_eq!(at_home(async move { int(pool.call("reenter", &[Value::Int(9)], &PLAIN).await) }), 1);
}

#[test]
fn any_executor_will_do() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        let pool = pool(3, options());
        let mut calls = Vec::new();
        for i in 0..20 {
            let pool = pool.clone();
            calls.push(tokio::spawn(async move { pool.call("divmod-through-host", &[Value::Int(i), Value::Int(3)], &PLAIN).await }));
        }
        for (i, call) in (0_i64..).zip(calls) {
            let pair = call.await.expect("no panic").expect("a pair");
            assert_eq!(pair, Value::List(vec![Value::Int(i / 3), Value::Int(i % 3)]));
        }
        expect(&pool.call("spin", &[], &brief(30)).await.expect_err("a loop"), ErrorKind::Timeout, &["30ms"]);
    });
}

#[test]
fn an_asynchronous_function_needs_an_asynchronous_call() {
    let instance = conformance().instantiate(options()).expect("nothing is called yet");
    let error = instance.call("divmod-through-host", &[Value::Int(1), Value::Int(1)], &PLAIN).expect_err("nobody can wait");
    expect(&error, ErrorKind::HostError, &["make the instance, or the pool, an asynchronous one"]);
    let other: Plugin = plugin(r#"(module (func (export "_initialize")))"#).expect("a plugin");
    expect(&other.owned_arguments(3).err().expect("none"), ErrorKind::UnknownExport, &["3"]);
}

#[test]
fn a_fiber_has_as_much_stack_as_a_thread() {
    at_home(async {
        let guest = conformance().instantiate_async(options(), &PLAIN).await.expect("an instance");
        assert_eq!(int(guest.call("recurse", &[Value::Int(100_000)], &PLAIN).await), 100_000);
        let endless = guest.call("recurse", &[Value::Int(1_000_000)], &PLAIN).await.expect_err("too deep");
        expect(&endless, ErrorKind::Trap, &["stack", "overflowed"]);
        let mut deeper = options();
        deeper.limits.stack = Some(64 << 20);
        let guest = conformance().instantiate_async(deeper, &PLAIN).await.expect("an instance");
        assert_eq!(int(guest.call("recurse", &[Value::Int(1_000_000)], &PLAIN).await), 1_000_000);
    });
}
