//! Rust's own types: functions whose types are checked once, and closures as host functions.

use std::cell::Cell;
use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;
use std::time::{Duration, SystemTime};

use crate::common::host::Hosted;
use crate::common::{self, PLAIN, conformance, expect, quiet, start, typed};
use undergo::interface::Type;
use undergo::typed::Reader;
use undergo::{
    Call, CallOptions, CancelToken, Error, ErrorKind, FromGuest, Function, GuestType, Imports, Instance, InstanceOptions, Json,
    Nanoseconds, Params, Plugin, PoolOptions, Result, Target, Time, ToGuest, Value,
};

#[derive(Clone, Debug, PartialEq, GuestType)]
struct Address {
    street: String,
    zip: Option<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, GuestType)]
enum Color {
    Red,
    Green,
    #[guest(name = "dark-blue")]
    Navy,
}

#[derive(Clone, Copy, Debug, PartialEq, GuestType)]
enum Level {
    Low,
    High,
}

#[derive(Clone, Debug, PartialEq, GuestType)]
struct Person {
    name: String,
    email: Option<String>,
    age: u8,
    tags: Vec<String>,
    home: Address,
    others: Vec<Address>,
    scores: BTreeMap<String, f64>,
    favorite: Color,
    level: Option<Level>,
    born: Time,
    nap: Nanoseconds,
    user_id: u32,
}

fn ada() -> Person {
    let home = Address { street: "Main".into(), zip: Some(12345) };
    Person {
        name: "Ada".into(),
        email: None,
        age: 36,
        tags: vec!["math".into(), String::new()],
        others: vec![home.clone(), Address { street: String::new(), zip: None }],
        home,
        scores: BTreeMap::from([("chess".into(), 1.5), ("go".into(), -0.5)]),
        favorite: Color::Navy,
        level: Some(Level::High),
        born: Time { seconds: -488_160_000, nanoseconds: 999_999_999, offset: 3600 },
        nap: Nanoseconds(-1),
        user_id: u32::MAX,
    }
}

fn guest() -> Hosted {
    Hosted::new(conformance(), quiet()).expect("the guest starts")
}

/// Passes a value there and back.
#[track_caller]
fn echoed<A: ToGuest, R: FromGuest>(guest: &Instance, name: &str, value: A) -> R {
    let function: Function<(A,), R> = guest.function(name).unwrap_or_else(|error| panic!("{name}: {error}"));
    function.call((value,)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn values_of_every_type_come_back() {
    let hosted = guest();
    let guest = &hosted.instance;
    assert_eq!(echoed::<_, Person>(guest, "echo-person", &ada()), ada());
    assert_eq!(echoed::<_, Vec<Person>>(guest, "echo-people", &[ada(), ada()][..]), [ada(), ada()]);
    assert_eq!(guest.function::<(i64, i64), (i64, i64)>("divmod").expect("it is").call((7, 2)).expect("two results"), (3, 1));
    assert_eq!(echoed::<_, Option<i32>>(guest, "maybe-int", Some(5)), Some(5));
    assert_eq!(echoed::<_, Option<i32>>(guest, "maybe-int", None::<i32>), None);
    assert_eq!(echoed::<_, u64>(guest, "echo-uint64", u64::MAX), u64::MAX);
    assert_eq!(echoed::<_, i8>(guest, "echo-int8", i8::MIN), i8::MIN);
    assert_eq!(echoed::<_, [i32; 3]>(guest, "echo-triple", [1, 2, 3]), [1, 2, 3]);
    assert_eq!(echoed::<_, Vec<u8>>(guest, "echo-bytes", &[0_u8, 255][..]), [0, 255]);
    let labels = BTreeMap::from([(-1, "a".to_owned()), (7, String::new())]);
    assert_eq!(echoed::<_, BTreeMap<i32, String>>(guest, "echo-labels", &labels), labels);
    let hashed: HashMap<i32, String> = echoed(guest, "echo-labels", HashMap::<i32, String>::from_iter(labels.clone()));
    assert_eq!(BTreeMap::from_iter(hashed), labels);
    assert_eq!(echoed::<_, Json>(guest, "echo-raw", Json("[1,2]".into())), Json("[1,2]".into()));
    assert!(echoed::<_, f32>(guest, "echo-float32", f32::NAN).is_nan());
    assert!(echoed::<_, bool>(guest, "echo-bool", true));
    guest.function::<(), ()>("nothing").expect("it is").call(()).expect("nothing");
    let colors = [Color::Red, Color::Green, Color::Navy];
    assert_eq!(echoed::<_, Vec<Color>>(guest, "echo-colors", colors.to_vec()), colors);
    let day = SystemTime::UNIX_EPOCH - Duration::from_millis(1500);
    assert_eq!(echoed::<_, SystemTime>(guest, "echo-time", day), day);
    assert_eq!(echoed::<_, Duration>(guest, "echo-duration", Duration::from_micros(3)), Duration::from_micros(3));
    assert_eq!(echoed::<_, Nanoseconds>(guest, "echo-duration", Nanoseconds(-7)), Nanoseconds(-7));
    for len in [0, 1, 100, 5000] {
        let text = "ü".repeat(len);
        assert_eq!(echoed::<_, String>(guest, "echo-string", text.as_str()), text);
    }
}

#[derive(Clone, Debug, PartialEq, GuestType)]
struct Circle {
    radius: f64,
}

#[derive(Clone, Debug, PartialEq, GuestType)]
struct Point {
    x: f64,
    y: f64,
    tag: u8,
}

#[derive(Clone, Debug, PartialEq, GuestType)]
struct Polygon {
    points: Vec<Point>,
    name: String,
    fill: Option<Color>,
}

#[derive(Clone, Debug, PartialEq, GuestType)]
struct Tile {
    row: i64,
    weight: f32,
}

#[derive(Clone, Debug, PartialEq, GuestType)]
enum Shape {
    Circle(Circle),
    Label(String),
    Polygon(Box<Polygon>),
    Triangle([f32; 3]),
    Tile(Tile),
    Tags(BTreeMap<String, String>),
    Empty,
}

#[derive(Clone, Debug, PartialEq, GuestType)]
enum Mixed {
    Single(f32),
    Long(i64),
    Text(String),
    Flag(bool),
    Blank,
}

#[test]
fn variants_come_back() {
    let hosted = guest();
    let guest = &hosted.instance;
    let polygon = Polygon { points: vec![Point { x: 1.0, y: -0.5, tag: 255 }], name: "ü".into(), fill: Some(Color::Navy) };
    let shapes = [
        Shape::Circle(Circle { radius: 1.5 }),
        Shape::Label("a".repeat(2000)),
        Shape::Polygon(Box::new(polygon)),
        Shape::Triangle([1.0, 2.0, -3.5]),
        Shape::Tile(Tile { row: i64::MIN, weight: 0.25 }),
        Shape::Tags(BTreeMap::from([("k".into(), "v".into())])),
        Shape::Empty,
    ];
    assert_eq!(echoed::<_, Vec<Shape>>(guest, "echo-shapes", &shapes[..]), shapes);
    for shape in &shapes {
        assert_eq!(&echoed::<_, Shape>(guest, "echo-shape", shape), shape);
        assert_eq!(&echoed::<_, Shape>(guest, "shape-through-host", shape), shape);
        assert_eq!(echoed::<_, Option<Shape>>(guest, "echo-maybe-shape", Some(shape)).as_ref(), Some(shape));
    }
    assert_eq!(echoed::<_, Option<Shape>>(guest, "echo-maybe-shape", None::<&Shape>), None);
    // What shares the flat values of other cases, and what follows them.
    type Four = (Mixed, i32, Mixed, f32);
    let mixed = guest.function::<Four, Four>("echo-mixed").expect("it is");
    let each = [Mixed::Single(-0.5), Mixed::Long(i64::MIN), Mixed::Text("ü".into()), Mixed::Flag(true), Mixed::Blank];
    for (a, b) in each.iter().zip(each.iter().cycle().skip(1)) {
        let given = (a.clone(), -7, b.clone(), 2.5);
        assert_eq!(mixed.call(given.clone()).expect("four values"), given);
    }
    let bad = guest.function::<(&str,), Shape>("bad-shape").expect("it is");
    expect(&bad.call(("nil",)).expect_err("nil is no case"), ErrorKind::TypeMismatch, &["bad-shape -> result"]);
    assert!(guest.dead().is_none());
}

/// Borrowed arguments of any lifetime, in a struct that keeps the functions.
struct Kept {
    echo: Function<(&'static str,), String>,
}

impl Kept {
    fn echo(&self, text: &str) -> Result<String> {
        self.echo.call((text,))
    }
}

#[test]
fn a_kept_function_takes_what_is_borrowed() {
    let hosted = guest();
    let kept = Kept { echo: hosted.instance.function("echo-string").expect("it is") };
    let text = String::from("short-lived");
    assert_eq!(kept.echo(&text).expect("text"), text);
    assert_eq!(format!("{:?}", kept.echo.clone()), "Function(echo-string(s: string) -> string)");
}

#[track_caller]
fn mismatched<A: Params, R: FromGuest>(instance: &Instance, name: &str, path: &str, text: &str) {
    let error = instance.function::<A, R>(name).expect_err("its types are others");
    expect(&error, ErrorKind::SignatureMismatch, &[text]);
    assert_eq!(error.path(), path, "{error}");
}

#[test]
fn types_that_differ_are_found_once_with_their_path() {
    #[derive(Debug, GuestType)]
    struct Misspelt {
        street: String,
        zipp: Option<u32>,
    }
    #[derive(Debug, GuestType)]
    struct Wrong {
        street: String,
        zip: Option<String>,
    }
    #[derive(Debug, GuestType)]
    enum Few {
        Red,
    }

    let hosted = guest();
    let guest = &hosted.instance;
    mismatched::<(i32,), i64>(guest, "echo-int", "echo-int(v)", "the plugin has s64 here, and the program has i32");
    mismatched::<(i64,), i32>(guest, "echo-int", "echo-int -> result", "the program has i32");
    mismatched::<(i64,), ()>(guest, "echo-int", "echo-int -> result", "the program has ()");
    mismatched::<(), i64>(guest, "nothing", "nothing -> result", "the plugin has no result here");
    mismatched::<(i64,), (i64, i64)>(guest, "divmod", "", "has 2 parameters, and the program's 1: divmod(");
    mismatched::<(Option<Misspelt>,), ()>(
        guest,
        "maybe-address",
        "maybe-address(v)",
        "the fields of address are, in this order, street, zip",
    );
    mismatched::<(Option<Wrong>,), ()>(guest, "maybe-address", "maybe-address(v.zip)", "the plugin has u32 here");
    mismatched::<(Few,), Few>(guest, "echo-color", "echo-color(v)", "the cases of color are, in this order, red");
    mismatched::<(Vec<i64>,), ()>(guest, "echo-strings", "echo-strings(v[])", "the plugin has string here");
    mismatched::<(Vec<i32>,), [i32; 3]>(guest, "echo-triple", "echo-triple(v)", "the plugin has list<s32, 3> here");
    mismatched::<([i32; 3],), [i32; 2]>(guest, "echo-triple", "echo-triple -> result", "the program has [i32; 2]");
    expect(&guest.function::<(), ()>("nuthing").expect_err("no such"), ErrorKind::UnknownExport, &["did you mean 'nothing'?"]);
}

#[test]
fn values_that_do_not_fit_are_the_callers_mistake() {
    let hosted = guest();
    let guest = &hosted.instance;
    let raw = guest.function::<(Json,), Json>("echo-raw").expect("it is");
    expect(&raw.call((Json("{".into()),)).expect_err("no JSON"), ErrorKind::TypeMismatch, &["the text is not JSON"]);
    let time = guest.function::<(Time,), Time>("echo-time").expect("it is");
    let never = Time { seconds: 0, nanoseconds: 1_000_000_000, offset: 0 };
    expect(&time.call((never,)).expect_err("no time"), ErrorKind::TypeMismatch, &["0 to 999999999 nanoseconds"]);
    let duration = guest.function::<(Duration,), Duration>("echo-duration").expect("it is");
    expect(&duration.call((Duration::MAX,)).expect_err("too long"), ErrorKind::TypeMismatch, &["out of range for a duration"]);
    let negative = guest.function::<(Nanoseconds,), Duration>("echo-duration").expect("it is");
    expect(&negative.call((Nanoseconds(-1),)).expect_err("negative"), ErrorKind::TypeMismatch, &["a negative duration"]);
    let pair = guest.function::<([i32; 3],), [i32; 2]>("echo-int32s").expect("it is");
    expect(&pair.call(([1, 2, 3],)).expect_err("three"), ErrorKind::TypeMismatch, &["a list of 3 items"]);
    let fail = guest.function::<(&str,), ()>("fail").expect("it is");
    expect(&fail.call(("no",)).expect_err("a Go error"), ErrorKind::GuestError, &["no"]);
    assert!(guest.dead().is_none());
    let options = PLAIN.cancel({
        let token = CancelToken::new();
        token.cancel();
        token
    });
    expect(&fail.call_with(("no",), &options).expect_err("cancelled"), ErrorKind::Cancelled, &[]);
}

#[test]
fn pools_and_tasks_have_the_same_functions() {
    let plugin = asking();
    let options = || {
        let mut imports = Imports::default();
        imports.function("host", "ask", |n: i32| n * 10);
        quiet().imports(imports)
    };
    let pool = plugin.pool(PoolOptions::new(2, options())).expect("a pool");
    let twice = pool.function::<(i32,), i32>("twice").expect("it is");
    std::thread::scope(|scope| {
        for n in 0..4 {
            let twice = &twice;
            scope.spawn(move || assert_eq!(twice.call((n,)).expect("a number"), n * 11));
        }
    });

    // Futures of calls move between threads.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().expect("a runtime");
    let pool = plugin.async_pool(PoolOptions::new(2, options())).expect("a pool");
    let twice = pool.function::<(i32,), i32>("twice").expect("it is");
    let tasks: Vec<_> = (0..4)
        .map(|n| {
            let twice = twice.clone();
            runtime.spawn(async move { twice.call_async((n,)).await })
        })
        .collect();
    for (n, task) in (0..).zip(tasks) {
        assert_eq!(runtime.block_on(task).expect("no panic").expect("a number"), n * 11);
    }
}

/// `twice(n)` asks the host for a number, and gives that and n together; `one(n)` gives n + 1.
fn asking() -> Plugin {
    common::plugin(
        r#"(module (import "host" "ask" (func $ask (param i32) (result i32))) (memory (export "memory") 1) (func (export "_initialize"))
    (func (export "twice") (param $n i32) (result i32) (i32.add (local.get $n) (call $ask (local.get $n))))
    (func (export "one") (param $n i32) (result i32) (i32.add (local.get $n) (i32.const 1))))"#,
    )
    .expect("a plugin")
}

#[test]
fn awaited_closures_call_back() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    runtime.block_on(async {
        let own: std::sync::Arc<std::sync::OnceLock<undergo::AsyncInstance>> = std::sync::Arc::default();
        let inner = own.clone();
        let mut imports = Imports::default();
        imports.async_function("host", "ask", move |call: Call, n: i32| {
            let inner = inner.clone();
            async move {
                assert!(call.is_async());
                tokio::task::yield_now().await;
                let instance = inner.get().ok_or_else(|| Error::new(ErrorKind::HostError, "not yet"))?;
                // Arguments may be borrowed from the task.
                instance.function::<(&i32,), i32>("one")?.call_async_with((&n,), &call.options()).await
            }
        });
        let instance = asking().instantiate_async(quiet().imports(imports), &PLAIN).await.expect("an instance");
        own.set(instance.clone()).expect("once");
        let twice = instance.function::<(i32,), i32>("twice").expect("it is");
        assert_eq!(twice.call_async((3,)).await.expect("a number"), 7);
    });
}

#[derive(Debug, PartialEq)]
struct NotFound(String);

impl std::fmt::Display for NotFound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "nobody is called {}", self.0)
    }
}

/// A plugin whose export `forward` passes its text to the import `lookup`, and `sum` its list to
/// the import `sum`.
fn forwarding(fallible: bool) -> Plugin {
    let result = if fallible { "result<string, string>" } else { "string" };
    let items = format!(
        "world w {{ import directory: interface {{ lookup: func(name: string) -> {result}; sum: func(of: list<s32>) -> s64; }}\n\
         export forward: func(name: string) -> {result}; export sum: func(of: list<s32>) -> s64; }}"
    );
    typed(
        &items,
        r#"(import "directory" "lookup" (func $lookup (param i32 i32 i32)))
           (import "directory" "sum" (func $sum (param i32 i32) (result i64)))
           (func (export "forward") (param i32 i32) (result i32)
             (call $lookup (local.get 0) (local.get 1) (i32.const 1024)) (i32.const 1024))
           (func (export "sum") (param i32 i32) (result i64) (call $sum (local.get 0) (local.get 1)))"#,
    )
    .expect("a plugin")
}

fn with_directory(lookup: impl FnOnce(&mut Imports)) -> InstanceOptions {
    let mut imports = Imports::default();
    imports.function("directory", "sum", |of: Vec<i32>| of.iter().map(|n| i64::from(*n)).sum::<i64>());
    lookup(&mut imports);
    quiet().imports(imports)
}

#[test]
fn closures_have_their_own_types() {
    let options = with_directory(|imports| imports.function("directory", "lookup", |name: String| name.to_uppercase()));
    let instance = forwarding(false).instantiate(options).expect("an instance");
    assert_eq!(instance.function::<(&str,), String>("forward").expect("it is").call(("ada",)).expect("text"), "ADA");
    assert_eq!(instance.function::<(&[i32],), i64>("sum").expect("it is").call((&[1, -5, 9],)).expect("a sum"), 5);
}

#[test]
fn errors_of_closures_are_go_errors_or_the_callers() {
    let lookup = |name: String| -> Result<String, NotFound> { Err(NotFound(name)) };
    let options = with_directory(|imports| imports.function("directory", "lookup", lookup));
    let instance = forwarding(true).instantiate(options).expect("an instance");
    let forward = instance.function::<(&str,), String>("forward").expect("it is");
    expect(&forward.call(("Bob",)).expect_err("a Go error"), ErrorKind::GuestError, &["nobody is called Bob"]);
    assert!(instance.dead().is_none());

    let options = with_directory(|imports| imports.function("directory", "lookup", lookup));
    let instance = forwarding(false).instantiate(options).expect("an instance");
    let error = instance.function::<(&str,), String>("forward").expect("it is").call(("Bob",)).expect_err("it can't be told");
    expect(&error, ErrorKind::HostError, &["nobody is called Bob"]);
    let own = error.host().and_then(|own| own.downcast_ref::<NotFound>());
    assert_eq!(own, Some(&NotFound("Bob".into())));
}

#[track_caller]
fn refused(lookup: impl FnOnce(&mut Imports), path: &str, text: &str) {
    let error = forwarding(false).instantiate(with_directory(lookup)).expect_err("its types are others");
    expect(&error, ErrorKind::SignatureMismatch, &[text]);
    assert_eq!(error.path(), path, "{error}");
}

#[test]
fn closures_are_checked_when_an_instance_is_created() {
    let wrong = |imports: &mut Imports| imports.function("directory", "lookup", |_: i32| String::new());
    refused(wrong, "directory.lookup(name)", "the plugin has string here, and the program has i32");
    let wrong = |imports: &mut Imports| imports.function("directory", "lookup", |_: String| 1_u8);
    refused(wrong, "directory.lookup -> result", "the program has u8");
    let wrong = |imports: &mut Imports| imports.function("directory", "lookup", |_: Call, _: String, _: String| String::new());
    refused(wrong, "", "has 1 parameters, and the program's 2");
    let wrong = |imports: &mut Imports| imports.async_function("directory", "lookup", |_: String| async {});
    refused(wrong, "directory.lookup -> result", "the program has ()");
}

/// What says of its size what is not so.
struct Liar;

impl GuestType for Liar {
    const SIZE: u32 = 4;
    const ALIGN: u32 = 4;

    fn check(_: &Type) -> Result<()> {
        Ok(())
    }
}

impl FromGuest for Liar {
    fn lift(_: Reader<'_>, _: u32) -> Result<Liar> {
        Ok(Liar)
    }
}

#[test]
fn sizes_are_compared_with_the_interface() {
    let instance =
        start(&typed("world w { export one: func() -> s64; }", r#"(func (export "one") (result i64) (i64.const 1))"#).expect("a plugin"));
    assert!(instance.function::<(), Liar>("one").is_err());
    assert_eq!(instance.function::<(), i64>("one").expect("it is").call(()).expect("one"), 1);
    fn plugin_of(target: &impl Target) -> &Plugin {
        target.plugin()
    }
    assert_eq!(plugin_of(&instance).name(), "test.wasm");
    assert!(matches!(instance.call("one", &[], &PLAIN), Ok(Value::Int(1))));
}

/// What the guest gives is checked as for other hosts.
#[test]
fn hostile_results_are_traps() {
    fn lifted<R: FromGuest + Debug>(result: &str, bytes: &str) -> Error {
        let body = format!(
            "(func (export \"get\") (result i32) (i32.const 1024)) (data (i32.const 1024) \"{}\")",
            common::escape(&bytes.split(' ').map(|byte| u8::from_str_radix(byte, 16).expect("hex")).collect::<Vec<_>>())
        );
        let instance = start(&typed(&format!("world w {{ export get: func() -> {result}; }}"), &body).expect("a plugin"));
        instance.function::<(), R>("get").expect("its types").call(()).expect_err("it is damaged")
    }
    expect(&lifted::<String>("string", "f0 ff ff 7f 20 00 00 00"), ErrorKind::Trap, &["outside its memory"]);
    expect(&lifted::<Vec<u64>>("list<u64>", "01 04 00 00 01 00 00 00"), ErrorKind::Trap, &["not a multiple of 8"]);
    expect(&lifted::<Option<u32>>("option<u32>", "02 00 00 00 00 00 00 00"), ErrorKind::Trap, &["discriminant 2"]);
    expect(&lifted::<(bool, u32)>("tuple<bool, u32>", "07 00 00 00 00 00 00 00"), ErrorKind::Trap, &["the bool 7"]);
    expect(&lifted::<String>("string", "08 04 00 00 01 00 00 00 ff"), ErrorKind::TypeMismatch, &["not UTF-8"]);
    // A list of 16 Mi texts that are all the same one.
    expect(&lifted::<Vec<String>>("list<string>", "00 00 00 00 ff ff ff 00"), ErrorKind::Trap, &["outside its memory"]);
}

thread_local! {
    static LIFTED: Cell<usize> = const { Cell::new(0) };
    static TOKEN: CancelToken = CancelToken::new();
}

/// A number whose hundredth value cancels the call.
struct Fateful;

impl GuestType for Fateful {
    const SIZE: u32 = u64::SIZE;
    const ALIGN: u32 = u64::ALIGN;

    fn check(ty: &Type) -> Result<()> {
        u64::check(ty)
    }
}

impl FromGuest for Fateful {
    fn lift(_: Reader<'_>, _: u32) -> Result<Fateful> {
        LIFTED.set(LIFTED.get() + 1);
        if LIFTED.get() == 100 {
            TOKEN.with(CancelToken::cancel);
        }
        Ok(Fateful)
    }
}

#[test]
fn a_list_is_read_no_further_once_the_call_must_end() {
    let body = r#"(memory (export "memory") 40)
        (func (export "f") (result i32)
          (i32.store (i32.const 8) (i32.const 131072)) (i32.store (i32.const 12) (i32.const 300000)) (i32.const 8))"#;
    let instance = start(&typed("world w { export f: func() -> list<u64>; }", body).expect("a plugin"));
    let f = instance.function::<(), Vec<Fateful>>("f").expect("the type");
    let options = CallOptions::default().cancel(TOKEN.with(CancelToken::clone));
    let ended = f.call_with((), &options).map(|list| list.len());
    expect(&ended.expect_err("it was cancelled"), ErrorKind::Cancelled, &[]);
    assert!(LIFTED.get() < 2000, "{}", LIFTED.get());
}
