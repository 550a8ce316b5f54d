//! Components of WASI 0.3, whose functions suspend. Needs the feature `wasi-0-3`.

mod common;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use common::{PLAIN, component_bytes, expect, expect_dead, failure, quiet};
use undergo::{
    CallOptions, CancelToken, CompileOptions, Error, ErrorKind, Input, Instance, InstanceOptions, Output, Plugin, PluginOptions, Value,
};

const WIT: &str = "package test:suspends;
interface host {
  ask: async func(n: u32) -> u32;
  told: func(n: u32) -> u32;
  say: async func(text: string);
}
world w {
  import host;
  import wasi:clocks/monotonic-clock@0.3.0;
  import wasi:cli/stdin@0.3.0;
  import wasi:cli/stdout@0.3.0;
  export both: async func(a: u32, b: u32) -> u32;
  export text: async func(text: string) -> tuple<string, u32>;
  export one: func(n: u32) -> u32;
  export spin: async func();
  export idle: async func();
  export sleep: async func();
  export leave: async func() -> u32;
  export streams: async func();
  export tasks: async func();
  export unread: async func();
  export print: async func(n: u32);
  export pour: async func();
  export flood: async func(n: u32, bytes: u32);
}
package wasi:clocks@0.3.0 {
  interface types { type duration = u64; }
  interface monotonic-clock { use types.{duration}; wait-for: async func(how-long: duration); }
}
package wasi:cli@0.3.0 {
  interface types { enum error-code { io, illegal-byte-sequence, pipe } }
  interface stdin { use types.{error-code}; read-via-stream: func() -> tuple<stream<u8>, future<result<_, error-code>>>; }
  interface stdout { use types.{error-code}; write-via-stream: func(data: stream<u8>) -> future<result<_, error-code>>; }
}
";

/// An async-lifted function returns 0 when it is over, or 1 to be called back.
const CORE: &str = r#"
    (import "test:suspends/host" "[async-lower]ask" (func $ask (param i32 i32) (result i32)))
    (import "test:suspends/host" "told" (func $told (param i32) (result i32)))
    (import "test:suspends/host" "[async-lower]say" (func $say (param i32 i32) (result i32)))
    (import "wasi:cli/stdin@0.3.0" "read-via-stream" (func $read-via (param i32)))
    (import "wasi:clocks/monotonic-clock@0.3.0" "[async-lower]wait-for" (func $wait-for (param i64) (result i32)))
    (import "wasi:cli/stdout@0.3.0" "write-via-stream" (func $write-via (param i32) (result i32)))
    (import "wasi:cli/stdout@0.3.0" "[stream-new-0]write-via-stream" (func $stream (result i64)))
    (import "wasi:cli/stdout@0.3.0" "[async-lower][stream-write-0]write-via-stream" (func $begin-write (param i32 i32 i32) (result i32)))
    (import "wasi:cli/stdout@0.3.0" "[stream-drop-writable-0]write-via-stream" (func $end (param i32)))
    (import "wasi:cli/stdout@0.3.0" "[future-drop-readable-1]write-via-stream" (func $forget (param i32)))
    (import "$root" "[waitable-set-new]" (func $set (result i32)))
    (import "$root" "[waitable-set-wait]" (func $wait (param i32 i32) (result i32)))
    (import "$root" "[waitable-set-drop]" (func $drop-set (param i32)))
    (import "$root" "[waitable-join]" (func $join (param i32 i32)))
    (import "$root" "[subtask-drop]" (func $drop-task (param i32)))
    (import "[export]$root" "[task-return]both" (func $both (param i32)))
    (import "[export]$root" "[task-return]text" (func $text (param i32 i32 i32)))
    (import "[export]$root" "[task-return]spin" (func $spin))
    (import "[export]$root" "[task-return]idle" (func $idle))
    (import "[export]$root" "[task-return]sleep" (func $sleep))
    (import "[export]$root" "[task-return]leave" (func $leave (param i32)))
    (import "[export]$root" "[task-return]streams" (func $streams))
    (import "[export]$root" "[task-return]tasks" (func $tasks))
    (import "[export]$root" "[task-return]unread" (func $unread))
    (import "[export]$root" "[task-return]print" (func $print))
    (import "[export]$root" "[task-return]pour" (func $pour))
    (import "[export]$root" "[task-return]flood" (func $flood))
    ;; Adds a call to the set, unless it has returned. Returns how many calls are to be waited for.
    (func $add (param $set i32) (param $begun i32) (result i32)
        (if (i32.eq (i32.and (local.get $begun) (i32.const 15)) (i32.const 2)) (then (return (i32.const 0))))
        (call $join (i32.shr_u (local.get $begun) (i32.const 4)) (local.get $set))
        (i32.const 1))
    ;; Waits until that many calls have returned.
    (func $all (param $set i32) (param $left i32)
        (loop $again
            (if (local.get $left) (then
                (drop (call $wait (local.get $set) (i32.const 1024)))
                (if (i32.eq (i32.load (i32.const 1028)) (i32.const 2)) (then
                    (call $join (i32.load (i32.const 1024)) (i32.const 0))
                    (call $drop-task (i32.load (i32.const 1024)))
                    (local.set $left (i32.sub (local.get $left) (i32.const 1)))))
                (br $again))))
        (call $drop-set (local.get $set)))
    ;; Writes to a stream, and waits until somebody has read that.
    (func $write (param $stream i32) (param $at i32) (param $len i32) (local $set i32)
        (if (i32.eq (call $begin-write (local.get $stream) (local.get $at) (local.get $len)) (i32.const -1)) (then
            (local.set $set (call $set))
            (call $join (local.get $stream) (local.get $set))
            (drop (call $wait (local.get $set) (i32.const 1024)))
            (call $join (local.get $stream) (i32.const 0))
            (call $drop-set (local.get $set)))))
    (func (export "[async-lift]both") (param $a i32) (param $b i32) (result i32) (local $set i32) (local $left i32)
        (local.set $set (call $set))
        (local.set $left (call $add (local.get $set) (call $ask (local.get $a) (i32.const 1000))))
        (local.set $left (i32.add (local.get $left) (call $add (local.get $set) (call $ask (local.get $b) (i32.const 1004)))))
        (call $all (local.get $set) (local.get $left))
        (call $both (i32.add (i32.load (i32.const 1000)) (i32.load (i32.const 1004))))
        (i32.const 0))
    (func (export "[async-lift]text") (param i32 i32) (result i32)
        (call $text (local.get 0) (local.get 1) (local.get 1)) (i32.const 0))
    (func (export "one") (param i32) (result i32) (i32.add (call $told (local.get 0)) (i32.const 1)))
    (func (export "[async-lift]spin") (result i32) (drop (call $told (i32.const 0))) (i32.const 1))
    (func (export "[callback][async-lift]spin") (param i32 i32 i32) (result i32) (loop $again (br $again)) (unreachable))
    (func (export "[async-lift]idle") (result i32) (drop (call $wait (call $set) (i32.const 1024))) (unreachable))
    (func (export "[async-lift]sleep") (result i32) (local $set i32)
        (drop (call $told (i32.const 0)))
        (local.set $set (call $set))
        (call $all (local.get $set) (call $add (local.get $set) (call $wait-for (i64.const 0x7000000000000000))))
        (unreachable))
    (func (export "[async-lift]leave") (result i32) (call $leave (i32.const 7)) (i32.const 1))
    (func (export "[callback][async-lift]leave") (param i32 i32 i32) (result i32) (i32.const 1))
    (func (export "[async-lift]streams") (result i32) (loop $again (drop (call $stream)) (br $again)) (unreachable))
    (func (export "[async-lift]tasks") (result i32)
        (loop $again (drop (call $wait-for (i64.const 0x7000000000000000))) (br $again)) (unreachable))
    (func (export "[async-lift]unread") (result i32) (local $ends i64)
        (local.set $ends (call $stream))
        (call $write (i32.wrap_i64 (i64.shr_u (local.get $ends) (i64.const 32))) (i32.const 0) (i32.const 8))
        (unreachable))
    (func (export "[async-lift]print") (param $n i32) (result i32) (local $ends i64) (local $writable i32)
        (local.set $ends (call $stream))
        (local.set $writable (i32.wrap_i64 (i64.shr_u (local.get $ends) (i64.const 32))))
        (call $forget (call $write-via (i32.wrap_i64 (local.get $ends))))
        (i32.store (i32.const 2000) (i32.const 0x0A696821)) ;; "!hi\n"
        (loop $again
            (call $write (local.get $writable) (i32.const 2000) (i32.const 4))
            (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
        (call $end (local.get $writable))
        (call $print)
        (i32.const 0))
    ;; From one stream of the host's to another.
    (func (export "[async-lift]pour") (result i32)
        (call $read-via (i32.const 1100))
        (call $forget (call $write-via (i32.load (i32.const 1100))))
        (drop (call $wait (call $set) (i32.const 1024)))
        (unreachable))
    (func (export "[async-lift]flood") (param $n i32) (param $bytes i32) (result i32) (local $set i32) (local $left i32)
        (drop (memory.grow (i32.const 100)))
        (local.set $set (call $set))
        (loop $again
            (local.set $left (i32.add (local.get $left) (call $add (local.get $set) (call $say (i32.const 0) (local.get $bytes)))))
            (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
        (call $all (local.get $set) (local.get $left))
        (call $flood)
        (i32.const 0))
    (func $never (param i32 i32 i32) (result i32) unreachable)
    (export "[callback][async-lift]both" (func $never))
    (export "[callback][async-lift]text" (func $never))
    (export "[callback][async-lift]idle" (func $never))
    (export "[callback][async-lift]sleep" (func $never))
    (export "[callback][async-lift]streams" (func $never))
    (export "[callback][async-lift]tasks" (func $never))
    (export "[callback][async-lift]unread" (func $never))
    (export "[callback][async-lift]print" (func $never))
    (export "[callback][async-lift]pour" (func $never))
    (export "[callback][async-lift]flood" (func $never))
"#;

fn accepted() -> PluginOptions {
    PluginOptions::default().wasi_0_3(true)
}

fn plugin() -> Plugin {
    Plugin::from_bytes_with("suspends.wasm", &component_bytes(WIT, CORE), &accepted()).unwrap_or_else(|error| panic!("{error}"))
}

/// With host functions that answer at once.
fn options() -> InstanceOptions {
    let mut options = quiet();
    options.imports.function("test:suspends/host", "ask", |n: u32| n);
    options.imports.function("test:suspends/host", "told", |n: u32| n);
    options.imports.function("test:suspends/host", "say", |text: String| assert!(!text.is_empty()));
    options
}

fn instance() -> Instance {
    plugin().instantiate(options()).unwrap_or_else(|error| panic!("{error}"))
}

fn within(time: Duration) -> CallOptions {
    CallOptions { timeout: Some(time), ..PLAIN }
}

/// Runs a future as an executor of Rust does.
fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(future)
}

#[test]
fn they_are_refused_without_the_option() {
    let bytes = component_bytes(WIT, CORE);
    let refused = Plugin::from_bytes("suspends.wasm", &bytes).expect_err("it is of WASI 0.3");
    expect(&refused, ErrorKind::InvalidPlugin, &["WASI 0.3", "wasi_0_3", "--wasi-0.3"]);
    let refused = Plugin::compile_with(&bytes, CompileOptions::default()).expect_err("it is of WASI 0.3");
    expect(&refused, ErrorKind::InvalidPlugin, &["WASI 0.3", "--wasi-0.3"]);
}

#[test]
fn their_functions_are_called_as_others_are() {
    let instance = instance();
    assert_eq!(instance.call("both", &[Value::Int(3), Value::Int(4)], &PLAIN).expect("a sum"), Value::Int(7));
    assert_eq!(instance.call("one", &[Value::Int(3)], &PLAIN).expect("a number"), Value::Int(4));
    let text = "suspended ".repeat(1000);
    let both = Value::List(vec![text.as_str().into(), Value::Int(10_000)]);
    assert_eq!(instance.call("text", &[text.as_str().into()], &PLAIN).expect("a text"), both);
}

#[test]
fn compiled_ones_are_loaded_again() {
    let bytes = component_bytes(WIT, CORE);
    let compiled = Plugin::compile_with(&bytes, CompileOptions::default().wasi_0_3(true)).expect("it is compiled");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("suspends.cwasm");
    std::fs::write(&path, compiled).expect("written");
    // SAFETY: this test has compiled it.
    let plugin = unsafe { Plugin::load_compiled(&path) }.expect("a plugin");
    let instance = plugin.instantiate(options()).expect("an instance");
    assert_eq!(instance.call("both", &[Value::Int(3), Value::Int(4)], &PLAIN).expect("a sum"), Value::Int(7));
}

#[test]
fn a_guest_asks_again_before_it_is_answered() {
    let (answer, answered) = tokio::sync::oneshot::channel::<u32>();
    let (answer, answered) = (Mutex::new(Some(answer)), Mutex::new(Some(answered)));
    let mut options = options();
    // The first question is answered by the second one.
    options.imports.async_func("test:suspends/host", "ask", move |args, _| {
        let Value::Int(n) = args[0] else { panic!("{args:?}") };
        let (answer, answered) =
            (answer.lock().expect("no panic").take_if(|_| n == 2), answered.lock().expect("no panic").take_if(|_| n == 1));
        async move {
            if let Some(answer) = answer {
                answer.send(40).expect("somebody waits");
            }
            match answered {
                Some(answered) => Ok(Value::Int(answered.await.expect("an answer").into())),
                None => Ok(Value::Int(n)),
            }
        }
    });
    wait(async {
        let instance = plugin().instantiate_async(options, &PLAIN).await.expect("an instance");
        let done = instance.call("both", &[Value::Int(1), Value::Int(2)], &within(Duration::from_secs(20))).await;
        assert_eq!(done.expect("a sum"), Value::Int(42));
    });
}

#[test]
fn what_the_host_fails_with_ends_the_call() {
    let mut options = options();
    options.imports.func("test:suspends/host", "ask", |_| Err(Error::new(ErrorKind::HostError, "no such number")));
    let instance = plugin().instantiate(options).expect("an instance");
    expect(&failure(&instance, "both", &[Value::Int(1), Value::Int(2)]), ErrorKind::HostError, &["no such number"]);
    expect_dead(&instance, ErrorKind::HostError);
}

#[test]
fn a_host_function_can_not_reenter() {
    let inner: Arc<Mutex<Option<Instance>>> = Arc::default();
    let (shared, refused) = (inner.clone(), Arc::new(Mutex::new(None::<Error>)));
    let noted = refused.clone();
    let mut options = options();
    options.imports.func("test:suspends/host", "ask", move |args| {
        if let Some(instance) = &*shared.lock().expect("no panic") {
            *noted.lock().expect("no panic") = instance.call("one", &[Value::Int(1)], &PLAIN).err();
        }
        Ok(args[0].clone())
    });
    let instance = plugin().instantiate(options).expect("an instance");
    *inner.lock().expect("no panic") = Some(instance.clone());
    assert_eq!(instance.call("both", &[Value::Int(3), Value::Int(4)], &PLAIN).expect("a sum"), Value::Int(7));
    let refused = refused.lock().expect("no panic").take().expect("it was refused");
    expect(&refused, ErrorKind::Busy, &[]);
}

#[test]
fn those_that_do_not_end_are_ended() {
    for name in ["spin", "sleep"] {
        let instance = instance();
        let begun = Instant::now();
        let error = instance.call(name, &[], &within(Duration::from_millis(200))).expect_err("it does not end");
        assert_eq!(error.kind(), ErrorKind::Timeout, "{name}: {error}");
        assert!(begun.elapsed() < Duration::from_secs(20), "{name}");
        expect_dead(&instance, ErrorKind::Timeout);
    }
    for name in ["idle", "unread"] {
        let error = failure(&instance(), name, &[]);
        expect(&error, ErrorKind::Trap, &["deadlock"]);
    }
}

#[test]
fn those_that_wait_are_cancelled() {
    for name in ["spin", "sleep"] {
        let (token, (begun, begins)) = (CancelToken::new(), mpsc::channel());
        let mut options = options();
        options.imports.func("test:suspends/host", "told", move |args| {
            begun.send(()).expect("somebody waits for it");
            Ok(args[0].clone())
        });
        let instance = plugin().instantiate(options).expect("an instance");
        let canceller = thread::spawn({
            let token = token.clone();
            move || {
                begins.recv().expect("it begins");
                token.cancel();
            }
        });
        let error =
            instance.call(name, &[], &CallOptions { cancel: Some(token), ..within(Duration::from_secs(20)) }).expect_err("cancelled");
        assert_eq!(error.kind(), ErrorKind::Cancelled, "{name}: {error}");
        canceller.join().expect("no panic");
    }
}

#[test]
fn a_call_that_is_dropped_ends_the_instance() {
    wait(async {
        let instance = plugin().instantiate_async(options(), &PLAIN).await.expect("an instance");
        let left = tokio::time::timeout(Duration::from_millis(50), instance.call("sleep", &[], &PLAIN)).await;
        left.expect_err("it sleeps on");
        instance.dead().expect("its call was left in the middle");
    });
}

#[test]
fn streams_and_tasks_are_limited() {
    for name in ["streams", "tasks"] {
        let mut options = options();
        options.limits.descriptors = Some(16);
        let instance = plugin().instantiate(options).expect("an instance");
        let error = instance.call(name, &[], &within(Duration::from_secs(20))).expect_err("there are too many");
        expect(&error, ErrorKind::OutOfMemory, &["(handles, descriptors)"]);
        expect_dead(&instance, ErrorKind::OutOfMemory);
    }
}

#[test]
fn what_is_not_answered_is_limited_together() {
    let mut options = options();
    options.limits.value = Some(4 << 20);
    let instance = plugin().instantiate(options).expect("an instance");
    // One after another they may be that large, and at once they may not.
    for _ in 0..8 {
        instance.call("flood", &[Value::Int(1), Value::Int(1 << 20)], &within(Duration::from_secs(20))).expect("one");
    }
    let args = [Value::Int(8), Value::Int(1 << 20)];
    let error = instance.call("flood", &args, &within(Duration::from_secs(20))).expect_err("eight");
    expect(&error, ErrorKind::OutOfMemory, &["the limit for one value"]);
}

#[cfg(unix)]
#[test]
fn a_stream_of_the_host_that_leads_to_another_ends_with_the_call() {
    let mut options = options();
    options.sandbox.stdin = Input::File("/dev/zero".into());
    let instance = plugin().instantiate(options).expect("an instance");
    let begun = Instant::now();
    let error = instance.call("pour", &[], &within(Duration::from_millis(200))).expect_err("it does not end");
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
    assert!(begun.elapsed() < Duration::from_secs(20));
}

/// The task of each call goes on for ever after its function has returned.
#[test]
fn tasks_that_functions_leave_behind_are_limited() {
    let mut options = options();
    options.limits.descriptors = Some(16);
    let instance = plugin().instantiate(options).expect("an instance");
    let mut calls = 0;
    let error = loop {
        match instance.call("leave", &[], &within(Duration::from_secs(20))) {
            Ok(value) => assert_eq!(value, Value::Int(7)),
            Err(error) => break error,
        }
        calls += 1;
        assert!(calls < 1000, "nothing bounds them");
    };
    assert!(calls > 10, "{calls} calls");
    expect(&error, ErrorKind::OutOfMemory, &["(handles, descriptors)"]);
}

#[test]
fn what_they_print_arrives_whole() {
    let lines = Arc::new(AtomicUsize::new(0));
    let counted = lines.clone();
    let mut options = options();
    options.sandbox.stdout = Output::lines(move |line| {
        assert_eq!(line, b"!hi");
        counted.fetch_add(1, Ordering::Relaxed);
        Ok(())
    });
    let instance = plugin().instantiate(options).expect("an instance");
    instance.call("print", &[Value::Int(5000)], &PLAIN).expect("it prints");
    assert_eq!(lines.load(Ordering::Relaxed), 5000);
}

#[test]
fn what_the_hosts_stream_fails_with_ends_the_call() {
    let mut options = options();
    options.sandbox.stdout = Output::lines(|_| Err(Error::new(ErrorKind::HostError, "the log is full")));
    let instance = plugin().instantiate(options).expect("an instance");
    expect(&failure(&instance, "print", &[Value::Int(3)]), ErrorKind::HostError, &["the log is full"]);
}

#[test]
fn linked_ones_are_busy_in_a_circle() {
    let inner: Arc<Mutex<Option<Instance>>> = Arc::default();
    let shared = inner.clone();
    let mut far = options();
    far.imports.func("test:suspends/host", "told", move |args| match &*shared.lock().expect("no panic") {
        Some(near) => near.call("one", args, &PLAIN),
        None => Ok(Value::Int(1)),
    });
    let far = plugin().instantiate(far).expect("an instance");
    let mut near = options();
    near.imports.func("test:suspends/host", "told", move |args| far.call("one", args, &PLAIN));
    let near = plugin().instantiate(near).expect("an instance");
    assert_eq!(near.call("one", &[Value::Int(3)], &PLAIN).expect("a number"), Value::Int(3));
    *inner.lock().expect("no panic") = Some(near.clone());
    let error = failure(&near, "one", &[Value::Int(3)]);
    assert!(error.to_string().contains("busy") || error.kind() == ErrorKind::Busy, "{error:?}");
}

/// The engine has one event loop at a time on a thread.
#[test]
fn the_answer_of_an_async_import_waits_for_no_other_component() {
    let far = instance();
    let mut near = options();
    near.imports.func("test:suspends/host", "ask", move |args| far.call("one", args, &PLAIN));
    let near = plugin().instantiate(near).expect("an instance");
    expect(&failure(&near, "both", &[Value::Int(3), Value::Int(4)]), ErrorKind::Busy, &["an asynchronous instance"]);
}

#[test]
fn asynchronous_instances_answer_each_other() {
    wait(async {
        let far = plugin().instantiate_async(options(), &PLAIN).await.expect("an instance");
        for import in ["ask", "told"] {
            let (far, mut near) = (far.clone(), options());
            near.imports.async_func("test:suspends/host", import, move |args, _| {
                let far = far.clone();
                async move { far.call("both", &[args[0].clone(), Value::Int(1)], &within(Duration::from_secs(20))).await }
            });
            let near = plugin().instantiate_async(near, &PLAIN).await.expect("an instance");
            let calls = [("both", vec![Value::Int(3), Value::Int(4)], [9, 7]), ("one", vec![Value::Int(3)], [4, 5])];
            for (name, args, expected) in calls {
                let sum = near.call(name, &args, &within(Duration::from_secs(20))).await.expect("a sum");
                assert_eq!(sum, Value::Int(expected[usize::from(import == "told")]), "{name} by {import}");
            }
        }
    });
}
