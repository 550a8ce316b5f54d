//! Asynchronous instances, called by a thread that waits for them; and the stack on which the
//! host's code runs.

use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use crate::common::{PLAIN, conformance, expect, plugin, quiet};
use undergo::host::{Home, Job, ToValue, go_home, spawn};
use undergo::{AsyncInstance, CallOptions, CancelToken, ErrorKind, InstanceOptions, Plugin, PoolOptions, Result, Value};

/// `twice(n)` asks the host for a number, and gives that and n together; `one(n)` gives n + 1;
/// `spin` never ends.
const GUEST: &str = r#"(module (import "host" "ask" (func $ask (param i32) (result i32))) (memory (export "memory") 1) (func (export "_initialize"))
    (func (export "twice") (param $n i32) (result i32) (i32.add (local.get $n) (call $ask (local.get $n))))
    (func (export "one") (param $n i32) (result i32) (i32.add (local.get $n) (i32.const 1)))
    (func (export "spin") (loop $on (br $on))))"#;

fn guest() -> Plugin {
    plugin(GUEST).expect("a plugin")
}

fn asking(ask: impl Fn(i64) -> Result<i64> + Send + Sync + 'static) -> InstanceOptions {
    let mut options = quiet();
    options.imports.func("host", "ask", move |args| match args {
        [Value::Int(n)] => ask(*n).map(Value::Int),
        _ => panic!("ask wants a number, got {args:?}"),
    });
    options
}

/// Calls an export with a number, as a thread does that waits.
fn call(instance: &AsyncInstance, name: &str, n: i64) -> Result<Value> {
    call_with(instance, name, n, &PLAIN)
}

fn call_with(instance: &AsyncInstance, name: &str, n: i64, options: &CallOptions) -> Result<Value> {
    let plugin = instance.plugin();
    let n = Value::Int(n);
    let mut arguments = plugin.arguments(plugin.export(name)?)?;
    if !arguments.function().params.is_empty() {
        arguments.lower(0, &&n)?;
    }
    instance.call_here(arguments, options, |returned| returned.lift(&ToValue))
}

#[test]
fn a_call_is_over_when_it_returns() {
    let instance = guest().instantiate_here(asking(|n| Ok(n * 10)), &PLAIN).expect("an instance");
    for n in 0..100 {
        assert!(matches!(call(&instance, "twice", n), Ok(Value::Int(found)) if found == n * 11));
    }
    let brief = CallOptions { timeout: Some(Duration::from_millis(30)), ..PLAIN };
    expect(&call_with(&instance, "spin", 0, &brief).expect_err("it never ends"), ErrorKind::Timeout, &["30ms"]);
    expect(&call(&instance, "one", 1).expect_err("dead"), ErrorKind::DeadInstance, &["timeout"]);
    instance.reset_here(&PLAIN).expect("a reset");
    instance.poll_here(&PLAIN).expect("a turn");
    assert!(matches!(call(&instance, "one", 1), Ok(Value::Int(2))));
}

#[test]
fn a_host_function_calls_back_on_its_own_thread() {
    let own: Arc<OnceLock<AsyncInstance>> = Arc::default();
    let inner = own.clone();
    let options = asking(move |n| {
        let instance = inner.get().expect("it is set");
        let found = if n == 0 { "one" } else { "twice" };
        let size = instance.memory_size()?;
        assert_eq!(instance.read_memory(0, 4)?.len(), 4);
        instance.write_memory(u32::try_from(size - 4).expect("small"), &[1, 2, 3, 4])?;
        match call(instance, found, n - i64::from(n > 0))? {
            Value::Int(n) => Ok(n),
            other => panic!("{other:?}"),
        }
    });
    let instance = guest().instantiate_here(options, &PLAIN).expect("an instance");
    own.set(instance.clone()).expect("set once");
    assert!(matches!(call(&instance, "twice", 3), Ok(Value::Int(7))));
    assert!(matches!(call(&instance, "one", 3), Ok(Value::Int(4))));
}

/// An event loop of the test's thread, for code that needs the thread's own stack.
struct OwnStack(Mutex<Sender<Job>>);

impl Home for OwnStack {
    fn schedule(&self, job: Job) {
        // When the loop is gone, its jobs go too.
        drop(self.0.lock().expect("no panic").send(job));
    }

    fn own_stack(&self) -> bool {
        true
    }
}

fn address_of<T>(local: &T) -> usize {
    std::ptr::from_ref(local) as usize
}

#[test]
fn the_hosts_code_runs_on_the_stack_that_it_needs() {
    let (sender, jobs) = channel();
    let home = Arc::new(OwnStack(Mutex::new(sender)));
    let seen = Arc::new(Mutex::new(Vec::new()));
    let noted = seen.clone();
    let options = asking(move |n| {
        noted.lock().expect("no panic").push(address_of(&n));
        if n == 7 { panic!("of the host's own") } else { Ok(n) }
    });
    let (done, result) = channel();
    spawn(home, async move {
        let instance = guest().instantiate_async(options, &PLAIN).await.expect("an instance");
        let first = instance.call("twice", &[Value::Int(2)], &PLAIN).await;
        let second = instance.call("twice", &[Value::Int(7)], &PLAIN).await;
        go_home().await;
        done.send((first, second)).expect("the test waits");
    });
    let (first, second) = loop {
        if let Ok(found) = result.try_recv() {
            break found;
        }
        jobs.recv_timeout(Duration::from_secs(60)).expect("the task goes on").run();
    };
    assert!(matches!(first, Ok(Value::Int(4))));
    expect(&second.expect_err("a panic"), ErrorKind::HostError, &["of the host's own"]);
    let here = address_of(&seen);
    let seen = seen.lock().expect("no panic");
    assert_eq!(seen.len(), 2);
    assert!(seen.iter().all(|address| address.abs_diff(here) < 1 << 20), "{seen:x?} are not near {here:x}");
}

#[test]
fn a_thread_does_not_wait_for_what_needs_it() {
    let (sender, jobs) = channel();
    let home = Arc::new(OwnStack(Mutex::new(sender)));
    let mut options = quiet();
    options.imports.async_func("host", "ask", |_, _| std::future::pending());
    let instance = guest().instantiate_here(options, &PLAIN).expect("an instance");
    let (token, waits) = (CancelToken::new(), instance.clone());
    let options = CallOptions { cancel: Some(token.clone()), ..PLAIN };
    let (done, ended) = channel();
    spawn(home, async move {
        let result = waits.call("twice", &[Value::Int(1)], &options).await;
        drop(done.send(result));
    });
    for error in
        [call(&instance, "one", 1).err(), instance.poll_here(&PLAIN).err(), instance.reset_here(&PLAIN).err(), instance.close().err()]
    {
        expect(&error.expect("it is taken"), ErrorKind::Busy, &["await that one first"]);
    }
    expect(&instance.memory_size().expect_err("taken"), ErrorKind::Busy, &[]);
    token.cancel();
    while let Ok(job) = jobs.recv_timeout(Duration::from_millis(200)) {
        job.run();
    }
    expect(&ended.recv_timeout(Duration::from_secs(60)).expect("it ended").expect_err("cancelled"), ErrorKind::Cancelled, &[]);
}

#[test]
fn what_was_cancelled_before_does_not_begin() {
    let token = CancelToken::new();
    token.cancel();
    let options = CallOptions { cancel: Some(token), ..PLAIN };
    let instance = guest().instantiate_here(asking(Ok), &PLAIN).expect("an instance");
    expect(&call_with(&instance, "one", 1, &options).expect_err("cancelled"), ErrorKind::Cancelled, &[]);
    let awaited = tokio::runtime::Builder::new_current_thread().build().expect("an executor").block_on(instance.call(
        "one",
        &[Value::Int(1)],
        &options,
    ));
    expect(&awaited.expect_err("cancelled"), ErrorKind::Cancelled, &[]);
    assert!(instance.dead().is_none());
}

#[test]
fn what_is_closed_has_ended_until_it_is_reset() {
    let instance = conformance().instantiate_here(with_every_import(), &PLAIN).expect("an instance");
    instance.close().expect("nobody has it");
    expect(&call(&instance, "counter", 0).expect_err("closed"), ErrorKind::DeadInstance, &["it was closed"]);
    instance.close().expect("closing twice does no harm");
    instance.reset_here(&PLAIN).expect("a reset");
    assert!(matches!(call(&instance, "counter", 0), Ok(Value::Int(1))));
}

fn with_every_import() -> InstanceOptions {
    let mut options = quiet();
    for (module, function) in conformance().imports() {
        options.imports.func(module, &function.name, |args| Ok(args.first().cloned().unwrap_or(Value::None)));
    }
    options
}

#[test]
fn a_pool_gives_what_is_free() {
    let pool = guest().async_pool(PoolOptions::new(1, asking(Ok))).expect("a pool");
    let call = || {
        let n = Value::Int(1);
        let mut arguments = pool.plugin().arguments(pool.plugin().export("one")?)?;
        arguments.lower(0, &&n)?;
        pool.call_here(arguments, &PLAIN, |returned| returned.lift(&ToValue))
    };
    assert!(matches!(call(), Ok(Value::Int(2))));
    assert!(matches!(call(), Ok(Value::Int(2))));
    assert_eq!((pool.stats().made, pool.stats().calls), (1, 2));
}
