//! Linked instances: the exports of one as the imports of another.

use std::sync::{Arc, Barrier, Mutex, OnceLock, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use crate::common::host::Hosted;
use crate::common::{PLAIN, conformance, expect, failure, plugin, quiet, start, typed};
use undergo::{
    AsyncInstance, Call, CallOptions, CancelToken, Error, ErrorKind, Imports, Instance, InstanceOptions, Plugin, PoolOptions, Time, Value,
};

/// Runs a future as an executor of Rust does.
fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(future)
}

fn linked(to: &impl undergo::Linkable) -> InstanceOptions {
    let mut options = quiet();
    options.imports.link("far", to);
    options
}

/// What both sides of the links of these tests have.
const FUNCTIONS: [&str; 5] = [
    "number: func(n: s32) -> s32",
    "text: func(s: string) -> string",
    "either: func(n: s32) -> result<s32, string>",
    "spin: func(n: s32) -> result<s32, string>",
    "back: func(n: s32) -> result<s32, string>",
];

fn exports() -> String {
    FUNCTIONS.map(|function| format!("export {function};")).concat()
}

/// A plugin that calls its import `far` for each of its exports.
fn near() -> &'static Plugin {
    static PLUGIN: OnceLock<Plugin> = OnceLock::new();
    PLUGIN.get_or_init(|| {
        let world = format!("world w {{ import far: interface {{ {}; }} {} }}", FUNCTIONS.join("; "), exports());
        let body = r#"
            (import "far" "number" (func $number (param i32) (result i32)))
            (import "far" "text" (func $text (param i32 i32 i32)))
            (import "far" "either" (func $either (param i32 i32)))
            (import "far" "spin" (func $spin (param i32 i32)))
            (import "far" "back" (func $back (param i32 i32)))
            (func (export "number") (param i32) (result i32) (i32.add (i32.const 1) (call $number (local.get 0))))
            (func (export "text") (param i32 i32) (result i32) (call $text (local.get 0) (local.get 1) (i32.const 512)) (i32.const 512))
            (func (export "either") (param i32) (result i32) (call $either (local.get 0) (i32.const 512)) (i32.const 512))
            (func (export "spin") (param i32) (result i32) (call $spin (local.get 0) (i32.const 512)) (i32.const 512))
            (func (export "back") (param i32) (result i32) (call $back (local.get 0) (i32.const 512)) (i32.const 512))"#;
        typed(&world, body).expect("a plugin")
    })
}

/// A plugin that does what the exports say: `either` fails with "no" for 0, traps for a negative
/// number and adds one to others; `spin` does not end; `back` calls the host.
fn far() -> &'static Plugin {
    static PLUGIN: OnceLock<Plugin> = OnceLock::new();
    PLUGIN.get_or_init(|| {
        let world = format!("world w {{ import host: interface {{ f: func(n: s32) -> result<s32, string>; }} {} }}", exports());
        let body = r#"
            (import "host" "f" (func $f (param i32 i32)))
            (global $calls (mut i32) (i32.const 0))
            (func (export "number") (param i32) (result i32)
              (global.set $calls (i32.add (global.get $calls) (local.get 0))) (global.get $calls))
            (func (export "text") (param i32 i32) (result i32)
              (i32.store (i32.const 512) (local.get 0)) (i32.store (i32.const 516) (local.get 1)) (i32.const 512))
            (func (export "either") (param i32) (result i32)
              (if (i32.lt_s (local.get 0) (i32.const 0)) (then unreachable))
              (i32.store (i32.const 512) (i32.eqz (local.get 0)))
              (if (local.get 0)
                (then (i32.store (i32.const 516) (i32.add (i32.const 1) (local.get 0))))
                (else (i32.store (i32.const 516) (i32.const 640)) (i32.store (i32.const 520) (i32.const 2))))
              (i32.const 512))
            (func (export "spin") (param i32) (result i32) (loop $l (br $l)) (i32.const 512))
            (func (export "back") (param i32) (result i32) (call $f (local.get 0) (i32.const 512)) (i32.const 512))
            (data (i32.const 640) "no")"#;
        typed(&world, body).expect("a plugin")
    })
}

fn host(f: impl Fn(i32) -> Result<i32, Error> + Send + Sync + 'static) -> InstanceOptions {
    let mut options = quiet();
    options.imports.function("host", "f", f);
    options
}

/// The far end of a link, whose host function answers with its argument.
fn end() -> Instance {
    far().instantiate(host(Ok)).expect("an instance")
}

fn async_end(options: InstanceOptions) -> AsyncInstance {
    wait(far().instantiate_async(options, &PLAIN)).expect("an instance")
}

fn async_near(to: &AsyncInstance) -> AsyncInstance {
    wait(near().instantiate_async(linked(to), &PLAIN)).expect("an instance")
}

fn int(n: i64) -> [Value; 1] {
    [Value::Int(n)]
}

#[test]
fn calls_go_from_guest_to_guest() {
    let end = end();
    let instance = near().instantiate(linked(&end)).expect("an instance");
    assert_eq!(instance.call("number", &int(41), &PLAIN).expect("a call"), Value::Int(42));
    // It has one state, whoever calls it.
    assert_eq!(end.call("number", &int(1), &PLAIN).expect("a call"), Value::Int(42));
    for text in ["", "hello", "päivää", &"x".repeat(10_000)] {
        assert_eq!(instance.call("text", &[text.into()], &PLAIN).expect("a call"), text.into());
    }
    assert_eq!(instance.call("either", &int(1), &PLAIN).expect("a call"), Value::Int(2));
    expect(&failure(&instance, "either", &int(0)), ErrorKind::GuestError, &["no"]);
    assert_eq!(instance.call("back", &int(5), &PLAIN).expect("a call"), Value::Int(5));
    assert!(instance.dead().is_none() && end.dead().is_none());
}

#[test]
fn asynchronous_calls_go_from_guest_to_guest() {
    let mut options = quiet();
    options.imports.async_function("host", "f", |n: i32| async move {
        tokio::time::sleep(Duration::from_millis(5)).await;
        n
    });
    let end = async_end(options);
    let instance = async_near(&end);
    wait(async {
        assert_eq!(instance.call("number", &int(41), &PLAIN).await.expect("a call"), Value::Int(42));
        assert_eq!(instance.call("text", &["hello".into()], &PLAIN).await.expect("a call"), "hello".into());
        expect(&instance.call("either", &int(0), &PLAIN).await.expect_err("no"), ErrorKind::GuestError, &["no"]);
        // Two instances wait for one, and their host function for a timer.
        let other = near().instantiate_async(linked(&end), &PLAIN).await.expect("an instance");
        let (five, six) = (int(5), int(6));
        let both = tokio::join!(instance.call("back", &five, &PLAIN), other.call("back", &six, &PLAIN));
        assert_eq!((both.0.expect("a call"), both.1.expect("a call")), (Value::Int(5), Value::Int(6)));
        // One that waits on its thread can be called too, and one that suspends can't from there.
        let blocking = near().instantiate_async(linked(&self::end()), &PLAIN).await.expect("an instance");
        assert_eq!(blocking.call("back", &int(7), &PLAIN).await.expect("a call"), Value::Int(7));
    });
    let instance = near().instantiate(linked(&end)).expect("an instance");
    expect(&failure(&instance, "back", &int(1)), ErrorKind::GuestError, &["asynchronous"]);
}

const ALL: &str = "
  enum color { red, green }
  record inner { name: string, tags: list<string>, maybe: option<list<u8>> }
  variant shape { none, circle(f64), named(inner) }
  record all {
    flag: bool, a: s8, b: u16, c: u64, d: f32, e: f64, color: color, shape: shape, text: string, json: json, time: time, took: duration,
    inner: inner, many: list<inner>, words: map<string, list<s64>>, pair: tuple<u8, string>, grid: list<list<f64>>, when: list<time>,
    bytes: list<u8>, colors: list<color>, either: option<option<string>>
  }";

/// A value with something of everything.
fn all() -> Value {
    let text = |text: &str| Value::String(text.to_owned());
    let inner = |name: &str, maybe: Option<Vec<u8>>| {
        let tags = Value::List((0..name.len()).map(|i| text(&name[i..])).collect());
        let maybe = maybe.map_or(Value::None, Value::Bytes);
        Value::Record(vec![("name".into(), text(name)), ("tags".into(), tags), ("maybe".into(), maybe)])
    };
    let floats = |all: &[f64]| Value::List(all.iter().map(|x| Value::Float(*x)).collect());
    let time = Value::Time(Time { seconds: -5, nanoseconds: 999, offset: 3600 });
    let fields = [
        ("flag", Value::Bool(true)),
        ("a", Value::Int(-128)),
        ("b", Value::Int(65_535)),
        ("c", Value::Uint(u64::MAX)),
        ("d", Value::Float(1.5)),
        ("e", Value::Float(f64::MIN_POSITIVE)),
        ("color", text("green")),
        ("shape", Value::Variant("named".into(), Some(Box::new(inner("shape", None))))),
        ("text", text("päivää")),
        ("json", Value::Json(r#"{"a":[1,2]}"#.into())),
        ("time", time.clone()),
        ("took", Value::Duration(-7)),
        ("inner", inner("in", Some(vec![0, 255]))),
        ("many", Value::List(vec![inner("", None), inner("one", Some(vec![])), inner("two", Some(vec![1]))])),
        ("words", Value::Map(vec![(text("x"), Value::List(vec![Value::Int(1)])), (text(""), Value::List(vec![]))])),
        ("pair", Value::List(vec![Value::Int(9), text("nine")])),
        ("grid", Value::List(vec![floats(&[1.0, 2.0]), floats(&[]), floats(&[3.0])])),
        ("when", Value::List(vec![time.clone(), time])),
        ("bytes", Value::Bytes((0..=255).collect())),
        ("colors", Value::List(vec![text("red"), text("green")])),
        ("either", text("deep")),
    ];
    Value::Record(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

#[test]
fn every_type_goes_over() {
    let types = format!("interface types {{ use undergo:go/types.{{json, time, duration}}; {ALL} }}");
    let inner = format!("{types} world w {{ use types.{{all}}; export echo: func(v: all) -> all; }}");
    // The arguments are so many that they lie in memory, as the result does.
    let end = start(&typed(&inner, r#"(func (export "echo") (param i32) (result i32) (local.get 0))"#).expect("a plugin"));
    let outer = format!(
        "{types} world w {{ use types.{{all}}; import far: interface {{ use types.{{all}}; echo: func(v: all) -> all; }} export echo: func(v: all) -> all; }}"
    );
    let body = r#"(import "far" "echo" (func $echo (param i32 i32)))
        (func (export "echo") (param i32) (result i32) (call $echo (local.get 0) (i32.const 4096)) (i32.const 4096))"#;
    let outer = typed(&outer, body).expect("a plugin");
    let instance = outer.instantiate(linked(&end)).expect("an instance");
    let value = end.call("echo", &[all()], &PLAIN).expect("a call");
    for _ in 0..3 {
        assert_eq!(instance.call("echo", &[all()], &PLAIN).expect("a call"), value);
    }
}

/// A plugin whose import `far.f`, and one whose export `f`, has that signature.
fn with_signature(signature: &str, types: &str) -> (Result<Plugin, Error>, Result<Plugin, Error>) {
    let types = format!("interface types {{ use undergo:go/types.{{json, time, duration}}; {types} }}");
    let used = ["q30", "r30", "q"].into_iter().find(|name| signature.ends_with(&format!(" {name})"))).unwrap_or("r");
    let names = format!("use types.{{{used}}};");
    let import = format!("{types} world w {{ import far: interface {{ {names} f: func{signature}; }} export g: func(); }}");
    let export = format!("{types} world w {{ {names} export f: func{signature}; }}");
    let core = |flat: &str| flat.to_owned();
    let flat = core(match signature {
        "(a: s32)" | "(b: s32)" | "(a: u32)" | "(a: r)" | "(a: q)" => "(param i32)",
        "(a: r30)" | "(a: q30)" => "(param i32 i32 i32 i32)",
        "(a: s64)" => "(param i64)",
        "(a: s32, b: s32)" => "(param i32 i32)",
        "()" => "",
        "() -> s32" => "(result i32)",
        "(a: s32) -> result<_, string>" => "(param i32) (result i32)",
        other => panic!("{other}"),
    });
    let of_import = flat.replace("(param i32) (result i32)", "(param i32 i32)");
    let result = if flat.contains("result") { "(i32.const 0)" } else { "" };
    (
        typed(&import, &format!(r#"(import "far" "f" (func {of_import})) (func (export "g"))"#)),
        typed(&export, &format!(r#"(func (export "f") {flat} {result})"#)),
    )
}

/// Links a plugin that imports a function of the one signature to one that exports it by the other;
/// each with the types that it uses.
fn link(import: (&str, &str), export: (&str, &str)) -> undergo::Result<()> {
    let (import, export) =
        (with_signature(import.0, import.1).0.expect("a plugin"), with_signature(export.0, export.1).1.expect("a plugin"));
    import.instantiate(linked(&start(&export))).map(drop)
}

/// A world may give a type a name of its own.
#[test]
fn types_fit_by_what_they_consist_of() {
    link(("(a: r)", "record r { x: s32 }"), ("(a: q)", "record q { x: s32 }")).expect("the same but for its name");
    // Compared part by part, one has as many as two to the power of its length.
    let began = Instant::now();
    let chain = |name: &str| {
        let next = |n: u32| format!("record {name}{n} {{ a: list<{name}{0}>, b: list<{name}{0}> }}", n - 1);
        format!("record {name}0 {{ x: s32 }} {}", (1..=30).map(next).collect::<String>())
    };
    link(("(a: r30)", &chain("r")), ("(a: q30)", &chain("q"))).expect("the same but for their names");
    assert!(began.elapsed() < Duration::from_secs(10));
}

#[test]
fn other_types_are_refused_by_both_signatures() {
    let record = "record r { x: s32 }";
    assert!(link(("(a: s32)", record), ("(b: s32)", record)).is_ok());
    assert!(link(("(a: r)", record), ("(a: r)", record)).is_ok());
    for (import, export, parts) in [
        (("(a: s32)", record), ("(a: u32)", record), ["f(a: s32)", "f(a: u32)", "the types of a differ"]),
        (("(a: s32)", record), ("(a: s64)", record), ["f(a: s32)", "f(a: s64)", "the types of a differ"]),
        (("(a: s32)", record), ("(a: s32, b: s32)", record), ["f(a: s32)", "f(a: s32, b: s32)", "different numbers"]),
        (("()", record), ("() -> s32", record), ["f()", "f() -> s32", "no result"]),
        (("(a: s32)", record), ("(a: s32) -> result<_, string>", record), ["f(a: s32)", "result<_, string>", "no error"]),
        (("(a: r)", record), ("(a: r)", "record r { y: s32 }"), ["f(a: r)", "far.f", "in what they consist of"]),
    ] {
        expect(&link(import, export).expect_err("they differ"), ErrorKind::SignatureMismatch, &parts);
    }
    let lacking = with_signature("()", record).0.expect("a plugin").instantiate(linked(&end())).expect_err("it has no f");
    expect(&lacking, ErrorKind::MissingImport, &["far.f()", "far.number"]);
}

#[test]
fn bare_modules_are_linked_by_their_numbers() {
    let end = start(
        &plugin(r#"(module (func (export "f") (param i32 i64) (result i32) (local.get 0)) (func (export "_initialize")))"#)
            .expect("a plugin"),
    );
    let outer = plugin(
        r#"(module (import "far" "f" (func $f (param i32 i64) (result i32))) (func (export "_initialize"))
             (func (export "g") (param i32) (result i32) (call $f (local.get 0) (i64.const 1))))"#,
    );
    let instance = outer.expect("a plugin").instantiate(linked(&end)).expect("an instance");
    assert_eq!(instance.call("g", &int(-3), &PLAIN).expect("a call"), Value::Int(-3));
}

#[test]
fn the_end_of_the_linked_instance_is_an_error_of_the_import() {
    let end = end();
    let instance = near().instantiate(linked(&end)).expect("an instance");
    expect(&failure(&instance, "either", &int(-1)), ErrorKind::GuestError, &["test.wasm, which is linked", "trap"]);
    assert!(instance.dead().is_none() && end.dead().is_some());
    expect(&failure(&instance, "either", &int(1)), ErrorKind::GuestError, &["dead-instance", "trap"]);
    end.reset(&PLAIN).expect("a reset");
    assert_eq!(instance.call("either", &int(1), &PLAIN).expect("a call"), Value::Int(2));
    // An import that returns no error has no other way than to end the instance.
    expect(&failure(&end, "either", &int(-1)), ErrorKind::Trap, &[]);
    let ended = failure(&instance, "number", &int(1));
    expect(&ended, ErrorKind::HostError, &["dead-instance"]);
    let original = ended.host().and_then(|host| host.downcast_ref::<Error>()).expect("the original error");
    assert_eq!(original.kind(), ErrorKind::DeadInstance);
    assert!(instance.dead().is_some());
}

/// Options that end a call soon, by a deadline or by a token that a thread cancels.
fn ending(kind: ErrorKind) -> CallOptions {
    const SOON: Duration = Duration::from_millis(100);
    let mut options = CallOptions::default();
    if kind == ErrorKind::Timeout {
        options.timeout = Some(SOON);
    } else {
        let token = CancelToken::new();
        options.cancel = Some(token.clone());
        thread::spawn(move || {
            thread::sleep(SOON);
            token.cancel();
        });
    }
    options
}

#[test]
fn deadline_and_cancellation_pass_through() {
    let began = Instant::now();
    for kind in [ErrorKind::Timeout, ErrorKind::Cancelled] {
        let end = end();
        let instance = near().instantiate(linked(&end)).expect("an instance");
        expect(&instance.call("spin", &int(1), &ending(kind)).expect_err("it is over"), kind, &[]);
        assert!(instance.dead().is_some() && end.dead().is_some());
        let end = async_end(host(Ok));
        let instance = async_near(&end);
        expect(&wait(instance.call("spin", &int(1), &ending(kind))).expect_err("it is over"), kind, &[]);
        assert!(instance.dead().is_some() && end.dead().is_some());
        // While it waits for the other one, which is in a host function until it may return.
        let (inside, entered) = mpsc::channel();
        let (release, released) = mpsc::channel::<()>();
        let released = Mutex::new(released);
        let stays = move |n: i32| {
            inside.send(()).expect("the test waits");
            // The end of the test is as good.
            let _ = released.lock().expect("no panic").recv();
            Ok(n)
        };
        let end = far().instantiate(host(stays)).expect("an instance");
        let instance = near().instantiate(linked(&end)).expect("an instance");
        thread::scope(|scope| {
            let _release = release;
            scope.spawn(|| end.call("back", &int(1), &PLAIN));
            entered.recv().expect("a call");
            let busy = Instant::now();
            expect(&instance.call("either", &int(1), &ending(kind)).expect_err("it is over"), kind, &[]);
            assert!(busy.elapsed() < Duration::from_millis(400));
        });
    }
    assert!(began.elapsed() < Duration::from_secs(30));
}

#[test]
fn each_keeps_its_own_limits() {
    let mut options = host(Ok);
    options.limits.timeout = Some(Duration::from_millis(30));
    let end = far().instantiate(options).expect("an instance");
    let instance = near().instantiate(linked(&end)).expect("an instance");
    expect(&failure(&instance, "spin", &int(1)), ErrorKind::GuestError, &["which is linked", "timeout", "30ms"]);
    assert!(instance.dead().is_none() && end.dead().is_some());
    let mut options = linked(&self::end());
    options.limits.value = Some(1000);
    let instance = near().instantiate(options).expect("an instance");
    expect(&failure(&instance, "text", &["x".repeat(5000).as_str().into()]), ErrorKind::OutOfMemory, &[]);
}

#[test]
fn circles_are_busy() {
    let first: Arc<OnceLock<Instance>> = Arc::default();
    let shared = first.clone();
    let call = move |n: i32| shared.get().expect("an instance").call("either", &int(n.into()), &PLAIN).map(|_| n);
    let end = far().instantiate(host(call)).expect("an instance");
    let instance = first.get_or_init(|| near().instantiate(linked(&end)).expect("an instance"));
    // The linked instance has ended of it, which is an error of the import.
    expect(&failure(instance, "back", &int(1)), ErrorKind::GuestError, &["busy", "in the middle of a call"]);
    assert!(instance.dead().is_none() && end.dead().is_some());
    instance.reset(&PLAIN).expect("a reset");
    end.reset(&PLAIN).expect("a reset");
    assert_eq!(instance.call("either", &int(1), &PLAIN).expect("a call"), Value::Int(2));
}

#[test]
fn a_link_to_an_instance_that_is_in_a_call_of_this_thread_is_busy() {
    // The host function of `end` calls `between`, which is linked to `end`.
    let between: Arc<OnceLock<Instance>> = Arc::default();
    let shared = between.clone();
    let call = move |n: i32| match shared.get().expect("an instance").call("either", &int(n.into()), &PLAIN) {
        Err(error) if error.kind() == ErrorKind::GuestError && error.message().contains("busy") => Ok(-1),
        other => panic!("{other:?}"),
    };
    let end = far().instantiate(host(call)).expect("an instance");
    let _ = between.set(near().instantiate(linked(&end)).expect("an instance"));
    assert_eq!(end.call("back", &int(1), &PLAIN).expect("a call"), Value::Int(-1));
}

#[test]
fn circles_of_asynchronous_calls_are_busy() {
    let first: Arc<OnceLock<AsyncInstance>> = Arc::default();
    let shared = first.clone();
    let mut options = quiet();
    options.imports.async_function("host", "f", move |call: Call, n: i32| {
        let first = shared.get().expect("an instance").clone();
        async move { first.call("either", &int(n.into()), &call.options()).await.map(|_| n) }
    });
    let end = async_end(options);
    // Through another one.
    let instance = first.get_or_init(|| async_near(&async_near(&end)));
    let busy = wait(async { tokio::time::timeout(Duration::from_secs(20), instance.call("back", &int(1), &PLAIN)).await });
    expect(&busy.expect("no deadlock").expect_err("it is busy"), ErrorKind::GuestError, &["busy", "in a circle"]);
}

#[test]
fn threads_that_would_wait_for_each_other_are_busy() {
    let first: Arc<OnceLock<Instance>> = Arc::default();
    let both = Arc::new(Barrier::new(2));
    let (shared, here) = (first.clone(), both.clone());
    let call = move |n: i32| {
        here.wait();
        // Until the other thread waits for this instance.
        thread::sleep(Duration::from_millis(100));
        shared.get().expect("an instance").call("either", &int(n.into()), &PLAIN).map(|_| n)
    };
    let end = far().instantiate(host(call)).expect("an instance");
    let instance = first.get_or_init(|| near().instantiate(linked(&end)).expect("an instance"));
    thread::scope(|scope| {
        let one = scope.spawn(|| end.call("back", &int(1), &PLAIN));
        both.wait();
        let other = instance.call("either", &int(1), &PLAIN);
        let errors = [one.join().expect("no panic").err(), other.err()];
        assert!(errors.iter().flatten().any(|error| error.to_string().contains("in a circle")), "{errors:?}");
    });
}

#[test]
fn long_chains_end_in_an_error_or_work() {
    for (length, size) in [(10, 1 << 20), (1000, 2 << 20), (1000, 512 << 10)] {
        let chain = move || {
            let mut last = end();
            for _ in 0..length {
                last = near().instantiate(linked(&last)).expect("an instance");
            }
            let done = last.call("number", &int(1), &PLAIN);
            match done {
                Ok(done) => assert_eq!(done, Value::Int(1 + length)),
                Err(error) => {
                    assert!(length > 10, "{error}");
                    expect(&error, ErrorKind::HostError, &["too little stack"]);
                }
            }
        };
        thread::Builder::new().stack_size(size).spawn(chain).expect("a thread").join().expect("no panic");
    }
}

#[test]
fn long_chains_of_asynchronous_instances_work() {
    const LENGTH: i64 = 300;
    let mut last = async_end(host(Ok));
    for _ in 0..LENGTH {
        last = async_near(&last);
    }
    assert_eq!(wait(last.call("number", &int(1), &PLAIN)).expect("a call"), Value::Int(1 + LENGTH));
}

#[test]
fn the_instances_of_a_pool_share_one() {
    let end = end();
    let pool = near().pool(PoolOptions::new(3, linked(&end))).expect("a pool");
    thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                for _ in 0..50 {
                    pool.call("number", &int(1), &PLAIN).expect("a call");
                }
            });
        }
    });
    assert_eq!(end.call("number", &int(0), &PLAIN).expect("a call"), Value::Int(300));
}

#[test]
fn a_pool_is_not_waited_for_from_within() {
    let pool: Arc<OnceLock<undergo::AsyncPool>> = Arc::default();
    let shared = pool.clone();
    let mut options = quiet();
    options.imports.async_function("host", "f", move |call: Call, n: i32| {
        let pool = shared.get().expect("a pool").clone();
        async move { pool.call("either", &int(n.into()), &call.options()).await.map(|_| n) }
    });
    let end = async_end(options);
    let pool = pool.get_or_init(|| near().async_pool(PoolOptions::new(1, linked(&end))).expect("a pool"));
    let busy = wait(async { tokio::time::timeout(Duration::from_secs(20), pool.call("back", &int(1), &PLAIN)).await });
    expect(&busy.expect("no deadlock").expect_err("it is busy"), ErrorKind::GuestError, &["busy", "its own pool"]);
}

#[test]
fn the_linked_instance_is_reset_and_closed_in_any_order() {
    let itself: Arc<OnceLock<AsyncInstance>> = Arc::default();
    let shared = itself.clone();
    let call = move |n: i32| {
        let itself = shared.get().expect("an instance");
        let errors = [itself.close(), itself.reset_here(&PLAIN)].map(|done| done.expect_err("it is in a call").kind());
        assert_eq!(errors, [ErrorKind::Busy; 2]);
        Ok(n)
    };
    let end = itself.get_or_init(|| async_end(host(call)));
    let instance = async_near(end);
    assert_eq!(wait(instance.call("back", &int(3), &PLAIN)).expect("a call"), Value::Int(3));
    end.close().expect("it is free");
    let closed = wait(instance.call("either", &int(3), &PLAIN)).expect_err("it is closed");
    expect(&closed, ErrorKind::GuestError, &["dead-instance", "it was closed"]);
    wait(end.reset(&PLAIN)).expect("a reset");
    assert_eq!(wait(instance.call("either", &int(3), &PLAIN)).expect("a call"), Value::Int(4));
}

#[test]
fn the_importing_instance_keeps_the_other_one() {
    let instance = near().instantiate(linked(&end())).expect("an instance");
    assert_eq!(instance.call("number", &int(1), &PLAIN).expect("a call"), Value::Int(2));
    instance.reset(&PLAIN).expect("a reset");
    assert_eq!(instance.call("number", &int(1), &PLAIN).expect("a call"), Value::Int(3));
}

/// The conformance guest, linked to another instance of itself: what one imports by the same name
/// and types as the other exports.
#[test]
fn go_plugins_are_linked() {
    let inner = Hosted::new(conformance(), quiet()).expect("an instance");
    let mut options = quiet();
    let own = |name: String| move |_: &[Value]| Err(Error::new(ErrorKind::HostError, format!("{name} is not linked")));
    for (interface, function) in conformance().imports() {
        options.imports.func(interface, function.name.clone(), own(function.name.clone()));
    }
    options.imports.link("host", &inner.instance);
    for other in ["many", "notes", "fail"] {
        options.imports.func("host", other, own(other.to_owned()));
    }
    let outer = conformance().instantiate(options).expect("an instance");
    let numbers = |all: &[i64]| all.iter().map(|n| Value::Int(*n)).collect::<Vec<_>>();
    assert_eq!(outer.call("divmod-through-host", &numbers(&[17, 5]), &PLAIN).expect("a call"), Value::List(numbers(&[3, 2])));
    let times = [Value::Time(Time { seconds: 1, nanoseconds: 2, offset: 3600 }), Value::Duration(5)];
    assert_eq!(outer.call("times-through-host", &times, &PLAIN).expect("a call"), Value::List(times.to_vec()));
    // An error with fields goes through both of them.
    let Value::List(said) = outer.call("looked", &["kü".into()], &PLAIN).expect("a call") else { panic!("a list") };
    assert!(said.contains(&"looking up: not found: kü".into()) && said.contains(&"kü 404".into()), "{said:?}");
    let failed = failure(&outer, "lookup-wrapped", &["kü".into()]);
    let fields = failed.chain().iter().find_map(|link| link.fields()).expect("fields");
    assert_eq!(fields.record().name, "not-found");
    // Ends the inner one, whose import returns no error, and so the outer one.
    expect(&failure(&outer, "crash", &["boom".into()]), ErrorKind::HostError, &["boom"]);
    assert!(inner.instance.dead().is_some() && outer.dead().is_some());
}

/// A component that exports `number`, which gives its argument or does not end for 0, and `text`.
const COMPONENT: &str = r#"(component
    (core module $code
        (memory (export "memory") 1)
        (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
        (func (export "number") (param i32) (result i32) (loop $l (br_if $l (i32.eqz (local.get 0)))) (local.get 0))
        (func (export "text") (param i32 i32) (result i32)
            (i32.store (i32.const 16) (local.get 0)) (i32.store (i32.const 20) (local.get 1)) (i32.const 16)))
    (core instance $i (instantiate $code))
    (alias core export $i "memory" (core memory $memory))
    (alias core export $i "realloc" (core func $realloc))
    (func (export "number") (param "n" s32) (result s32) (canon lift (core func $i "number")))
    (func (export "text") (param "s" string) (result string)
        (canon lift (core func $i "text") (memory $memory) (realloc $realloc))))"#;

/// A component that calls the function `number` of its import `far`.
const CALLING_COMPONENT: &str = r#"(component
    (import "far" (instance $far (export "number" (func (param "n" s32) (result s32)))))
    (core func $number (canon lower (func $far "number")))
    (core module $code
        (import "far" "number" (func $number (param i32) (result i32)))
        (func (export "number") (param i32) (result i32) (i32.add (i32.const 1) (call $number (local.get 0)))))
    (core instance $i (instantiate $code (with "far" (instance (export "number" (func $number))))))
    (func (export "number") (param "n" s32) (result s32) (canon lift (core func $i "number"))))"#;

#[test]
fn components_are_linked_with_modules_and_with_each_other() {
    let items = "number: func(n: s32) -> s32; text: func(s: string) -> string;";
    let world = format!(
        "world w {{ import far: interface {{ {items} }} export number: func(n: s32) -> s32; export text: func(s: string) -> string; }}"
    );
    let body = r#"(import "far" "number" (func $number (param i32) (result i32))) (import "far" "text" (func $text (param i32 i32 i32)))
        (func (export "number") (param i32) (result i32) (i32.add (i32.const 1) (call $number (local.get 0))))
        (func (export "text") (param i32 i32) (result i32) (call $text (local.get 0) (local.get 1) (i32.const 512)) (i32.const 512))"#;
    let module = typed(&world, body).expect("a plugin");
    let component = start(&plugin(COMPONENT).expect("a component"));
    let calling = plugin(CALLING_COMPONENT).expect("a component");
    let first = module.instantiate(linked(&component)).expect("an instance");
    assert_eq!(first.call("text", &["through a component".into()], &PLAIN).expect("a call"), "through a component".into());
    let second = calling.instantiate(linked(&first)).expect("an instance");
    let third = calling.instantiate(linked(&second)).expect("an instance");
    assert_eq!(third.call("number", &int(5), &PLAIN).expect("a call"), Value::Int(8));
    expect(&third.call("number", &int(0), &ending(ErrorKind::Timeout)).expect_err("it is over"), ErrorKind::Timeout, &[]);
    assert!([component, first, second, third].iter().all(|instance| instance.dead().is_some()));
}

#[test]
fn the_last_that_is_given_counts() {
    let mut imports = Imports::default();
    imports.function("far", "number", |_: i32| 0);
    imports.link("far", &end());
    imports.function("far", "either", |_: i32| 77);
    let instance = near().instantiate(quiet().imports(imports)).expect("an instance");
    assert_eq!(instance.call("number", &int(1), &PLAIN).expect("a call"), Value::Int(2));
    assert_eq!(instance.call("either", &int(0), &PLAIN).expect("a call"), Value::Int(77));
}
