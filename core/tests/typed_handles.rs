//! Handles with types of Rust: objects of the guest, functions and objects of the program.

use std::collections::HashMap;
use std::io::{self, Write};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use crate::common::host::Hosted;
use crate::common::{self, conformance, expect, quiet};
use undergo::host::{HostCall, HostFunction};
use undergo::{
    AsyncInstance, Call, CallOptions, Callback, ErrorKind, Function, GuestItems, GuestType, HandleCounts, HostItems, HostObject,
    HostReader, HostWriter, Instance, Method, Result, Value,
};

const PLAIN: &CallOptions = &common::PLAIN;

/// A tally of the guest's.
#[undergo::resource]
trait Tally {
    fn value(&self) -> Result<i64>;
    fn add(&self, n: i64) -> Result<i64>;
    fn write(&self, lines: &[&str]) -> Result<i32>;
    #[guest(name = "compare")]
    fn order(&self, with: &Tally) -> Result<i32>;
    fn itself(&self) -> Result<Tally>;
}

impl Tally {
    fn new(instance: &Instance, start: i64) -> Result<Tally> {
        Function::<(i64,), Tally>::constructor(instance.clone(), "tally")?.call((start,))
    }
}

#[derive(Debug, GuestType)]
struct Couple {
    first: Tally,
    second: Tally,
}

fn hosted() -> Hosted {
    Hosted::new(conformance(), quiet()).expect("an instance")
}

#[test]
fn objects_have_methods() {
    let hosted = hosted();
    let instance = &hosted.instance;
    let tally = Tally::new(instance, 3).expect("a tally");
    assert_eq!((tally.value().expect("a value"), tally.add(4).expect("a sum")), (3, 7));
    assert_eq!(tally.write(&["a", "b"]).expect("a count"), 2);
    let other = Tally::new(instance, 1).expect("a tally");
    assert_eq!((tally.order(&other).expect("an order"), other.order(&tally).expect("an order")), (1, -1));
    expect(&Tally::new(instance, -1).expect_err("below zero"), ErrorKind::GuestError, &["can't start below zero"]);
    let same = tally.itself().expect("another handle");
    assert_ne!(same, tally);
    tally.0.close().expect("it is closed");
    expect(&tally.value().expect_err("closed"), ErrorKind::TypeMismatch, &["tally.value", "the tally is closed"]);
    assert_eq!(same.value().expect("its own handle"), 7);
    assert_eq!(instance.handles(), HandleCounts { held: 0, given: 2 });
    drop((tally, same, other));
    assert_eq!(instance.handles(), HandleCounts::default());
}

#[test]
fn objects_are_in_lists_options_and_records() {
    let hosted = hosted();
    let instance = &hosted.instance;
    let all = instance.function::<(i64,), Vec<Tally>>("count-up").expect("the types").call((3,)).expect("tallies");
    let add = instance.function::<(&[Tally], Option<&Tally>, i64), ()>("add-all").expect("the types");
    add.call((&all, Some(&all[2]), 10)).expect("a call");
    add.call((&[], None, 10)).expect("a call");
    let values: Vec<i64> = all.iter().map(|tally| tally.value().expect("a value")).collect();
    assert_eq!(values, [10, 11, 22]);

    let first = instance.function::<(&Couple,), Tally>("first-of").expect("the types");
    let couple = Couple { first: all[0].clone(), second: all[1].clone() };
    assert_eq!(first.call((&couple,)).expect("the first").value().expect("a value"), 10);
    assert!(!all[0].0.handle().is_open(), "what is in a record is given away");
    expect(&first.call((&couple,)).expect_err("it is given away"), ErrorKind::TypeMismatch, &["first-of", "given away"]);
    assert!(all[2].0.handle().is_open());
    let maybe = instance.function::<(i64,), Option<Tally>>("maybe-tally").expect("the types");
    assert!(maybe.call((0,)).expect("none").is_none());
    assert_eq!(maybe.call((5,)).expect("one").expect("a tally").value().expect("a value"), 5);
    expect(
        &instance.function::<(), Tally>("no-tally").expect("the types").call(()).expect_err("nothing"),
        ErrorKind::TypeMismatch,
        &["no-tally -> result"],
    );
}

#[test]
fn other_types_are_refused() {
    let hosted = hosted();
    let instance = &hosted.instance;
    expect(&instance.function::<(), Tally>("closed-tallies").expect_err("a number"), ErrorKind::SignatureMismatch, &["s32"]);
    expect(&instance.function::<(i64,), String>("maybe-tally").expect_err("a handle"), ErrorKind::SignatureMismatch, &["option<tally>"]);
    let wrong = Function::<(i64,), Tally>::constructor(instance.clone(), "lamp").expect_err("no parameters");
    expect(&wrong, ErrorKind::SignatureMismatch, &["0 parameters"]);
    expect(&Function::<(), Tally>::constructor(instance.clone(), "lamp").expect_err("a lamp"), ErrorKind::SignatureMismatch, &["lamp"]);
    let tally = Tally::new(instance, 1).expect("a tally");
    static WRONG: Method<(i64,), String> = Method::new("add");
    expect(&WRONG.call(&tally.0, (1,), PLAIN).expect_err("a number"), ErrorKind::SignatureMismatch, &["tally.add -> result"]);
    static NONE: Method<(), ()> = Method::new("subtract");
    expect(&NONE.call(&tally.0, (), PLAIN).expect_err("no such method"), ErrorKind::UnknownExport, &["subtract"]);
    let wrong = instance.function::<(&[i64], Callback<fn(String) -> i64>), Vec<i64>>("apply-plain").expect_err("a string");
    expect(&wrong, ErrorKind::SignatureMismatch, &["apply-plain", "s64"]);
    let wrong = instance.function::<(&[i64], HostItems<i64>), Vec<i64>>("apply-plain").expect_err("an iterator");
    expect(&wrong, ErrorKind::SignatureMismatch, &["HostItems"]);
    // Objects of another instance.
    let another = self::hosted();
    let other = Tally::new(&another.instance, 1).expect("a tally");
    expect(&tally.order(&other).expect_err("another's"), ErrorKind::TypeMismatch, &["belongs to another instance"]);
}

/// A callback that takes its argument in the plain way, as bindings do.
struct Doubling;

impl HostFunction for Doubling {
    fn call(&self, call: &mut HostCall<'_>) -> Result<()> {
        assert!(call.function().takes_plain() && !call.function().is_plain());
        let n = call.plain_args(|args| args.number())?;
        call.answer_number(n.wrapping_mul(2))
    }
}

#[test]
fn a_callback_has_plain_arguments() {
    let hosted = hosted();
    let double = Value::Object(HostObject::new([Arc::new(Doubling) as Arc<dyn HostFunction>]));
    let given = Value::List(vec![Value::Int(1), Value::Int(-2)]);
    let doubled = hosted.instance.call("apply-plain", &[given, double], PLAIN).expect("numbers");
    assert_eq!(doubled, Value::List(vec![Value::Int(2), Value::Int(-4)]));
}

#[test]
fn closures_are_callbacks() {
    let hosted = hosted();
    let instance = &hosted.instance;
    let plain = instance.function::<(&[i64], Callback<fn(i64) -> i64>), Vec<i64>>("apply-plain").expect("the types");
    assert_eq!(plain.call((&[1, 2, 3], Callback::new(|n| 2 * n))).expect("numbers"), [2, 4, 6]);
    let apply = instance.function::<(&[i64], Callback<fn(i64) -> Result<i64, String>>), Vec<i64>>("apply").expect("the types");
    let failing = Callback::new(|n: i64| if n == 2 { Err("two".to_owned()) } else { Ok(n) });
    expect(&apply.call((&[1, 2], failing)).expect_err("two"), ErrorKind::GuestError, &["item 1: two"]);
    // A callback that calls the instance, and its objects.
    let tally = Tally::new(instance, 0).expect("a tally");
    let adding = tally.clone();
    let nested = Callback::new(move |n: i64| adding.add(n));
    let nested =
        instance.function::<(&[i64], Callback<fn(i64) -> Result<i64>>), Vec<i64>>("apply").expect("the types").call((&[1, 2], nested));
    assert_eq!(nested.expect("sums"), [1, 3]);
    // One that is kept.
    let kept = Arc::new(AtomicI64::new(0));
    let counting = kept.clone();
    let keep = instance.function::<(Callback<fn(i64) -> Result<i64, String>>,), i32>("keep-op").expect("the types");
    keep.call((Callback::new(move |n| Ok(counting.fetch_add(n, Ordering::SeqCst))),)).expect("it is kept");
    let call = instance.function::<(i64,), i64>("call-kept").expect("the types");
    assert_eq!((call.call((5,)).expect("a call"), call.call((2,)).expect("a call")), (0, 5));
    assert_eq!((kept.load(Ordering::SeqCst), instance.handles().held), (7, 1));
}

/// A store of texts.
#[undergo::object]
trait Store {
    fn get(&self, key: String) -> Result<String, String>;
    fn put(&self, key: String, value: String);
    fn size(&self) -> i64;
    fn child(&self, name: String) -> StoreObject;
}

/// One of the program's, which counts how many there are.
#[derive(Debug)]
struct Texts(Mutex<HashMap<String, String>>);

impl Store for Texts {
    fn get(&self, key: String) -> Result<String, String> {
        self.0.lock().expect("no panic").get(&key).cloned().ok_or_else(|| format!("no {key}"))
    }

    fn put(&self, key: String, value: String) {
        self.0.lock().expect("no panic").insert(key, value);
    }

    fn size(&self) -> i64 {
        self.0.lock().expect("no panic").len() as i64
    }

    fn child(&self, name: String) -> StoreObject {
        store(&name)
    }
}

fn store(name: &str) -> StoreObject {
    StoreObject::new(Texts(Mutex::new(HashMap::from([("name".to_owned(), name.to_owned())]))))
}

/// The same, whose methods are awaited.
impl AsyncStore for Texts {
    async fn get(&self, _: Call, key: String) -> Result<String, String> {
        Store::get(self, key)
    }

    async fn put(&self, _: Call, key: String, value: String) {
        Store::put(self, key, value);
    }

    async fn size(&self, call: Call) -> i64 {
        assert!(call.is_async());
        Store::size(self)
    }

    async fn child(&self, _: Call, name: String) -> StoreObject {
        StoreObject::awaited(Texts(Mutex::new(HashMap::from([("name".to_owned(), name)]))))
    }
}

/// A store that lacks a method, and one whose method has another type.
mod unlike {
    #![allow(dead_code, reason = "only their types are looked at")]

    #[undergo::object(name = "store")]
    pub(crate) trait Small {
        fn get(&self, key: String) -> Result<String, String>;
    }

    #[undergo::object(name = "store", class = Wrong, awaited = AwaitedWrong)]
    pub(crate) trait Store {
        fn get(&self, key: String) -> Result<String, String>;
        fn put(&self, key: String, value: i64);
        fn size(&self) -> i64;
        fn child(&self, name: String) -> super::StoreObject;
    }
}

#[test]
fn objects_of_the_program_have_methods() {
    let hosted = hosted();
    let instance = &hosted.instance;
    let store = store("one");
    let get = instance.function::<(&StoreObject, &str), String>("store-get").expect("the types");
    assert_eq!(get.call((&store, "name")).expect("a text"), "one");
    expect(&get.call((&store, "age")).expect_err("no age"), ErrorKind::GuestError, &["no age"]);
    instance.function::<(&StoreObject, &str, &str), ()>("store-put").expect("the types").call((&store, "age", "5")).expect("it is put");
    assert_eq!(get.call((&store, "age")).expect("a text"), "5");
    let sum = instance.function::<(&[StoreObject], Option<&StoreObject>), i64>("sum-sizes").expect("the types");
    assert_eq!(sum.call((&[store.clone(), self::store("two")], Some(&store))).expect("a sum"), 5);
    let child = instance.function::<(&StoreObject, &str), String>("child-of-store").expect("the types");
    assert_eq!(child.call((&store, "little")).expect("a name"), "little");
    let open =
        instance.function::<(&str, &str, Callback<fn(String) -> Result<StoreObject, String>>), String>("open-and-get").expect("the types");
    assert_eq!(open.call(("three", "name", Callback::new(|name: String| Ok(self::store(&name))))).expect("a name"), "three");
    let wrong = instance.function::<(&Tally, &str), String>("store-get").expect_err("another side");
    expect(&wrong, ErrorKind::SignatureMismatch, &["store", "Tally"]);
    let wrong = instance.function::<(&unlike::SmallObject, &str), String>("store-get").expect_err("few methods");
    expect(&wrong, ErrorKind::SignatureMismatch, &["the methods of store are, in this order, get, put, size, child"]);
    let wrong = instance.function::<(&unlike::Wrong, &str), String>("store-get").expect_err("a number");
    expect(&wrong, ErrorKind::SignatureMismatch, &["store.put", "value", "string"]);
}

#[test]
fn iterators_go_both_ways() {
    let hosted = hosted();
    let instance = &hosted.instance;
    let numbers = instance.function::<(i64,), GuestItems<i64>>("numbers").expect("the types");
    let all: Vec<i64> = numbers.call((3000,)).expect("an iterator").map(|n| n.expect("a number")).collect();
    assert!(all.iter().copied().eq(0..3000));
    // One that is left early ends in the guest, too.
    let mut forever = instance.function::<(), GuestItems<i64>>("count-forever").expect("the types").call(()).expect("an iterator");
    assert_eq!(forever.next().expect("there are more").expect("a number"), 0);
    assert_eq!(instance.handles().given, 1);
    drop(forever);
    assert_eq!(instance.handles().given, 0);
    let pairs = instance.function::<(i32,), GuestItems<(i32, f64)>>("squares").expect("the types").call((4,)).expect("an iterator");
    assert_eq!(pairs.last().expect("the last").expect("a pair"), (3, 9.0));
    let panics = instance.function::<(i64, &str), GuestItems<i64>>("count-then-panic").expect("the types").call((2, "enough"));
    let came: Vec<Result<i64>> = panics.expect("an iterator").collect();
    assert_eq!((came.len(), came[0].is_ok(), came[1].is_ok()), (3, true, true));
    expect(came[2].as_ref().expect_err("a panic"), ErrorKind::Panic, &["enough"]);

    let hosted = self::hosted();
    let sum = hosted.instance.function::<(HostItems<i64>,), i64>("sum-items").expect("the types");
    assert_eq!(sum.call((HostItems::new(1..=10_000),)).expect("a sum"), 50_005_000);
    let first = hosted.instance.function::<(HostItems<i64>, i32), Vec<i64>>("first-items").expect("the types");
    assert_eq!(first.call((HostItems::new(0..), 3)).expect("the first"), [0, 1, 2]);
    // Those of another instance, which may fail.
    let other = self::hosted();
    let numbers = other.instance.function::<(i64,), GuestItems<i64>>("numbers").expect("the types").call((5,)).expect("an iterator");
    assert_eq!(sum.call((HostItems::results(numbers),)).expect("a sum"), 10);
    let broken = HostItems::results([Ok(1), Err("no more"), Ok(2)]);
    expect(&sum.call((broken,)).expect_err("it fails"), ErrorKind::HostError, &["no more"]);
    hosted.instance.reset(PLAIN).expect("a reset");
    let wrong = hosted.instance.function::<(HostItems<String>,), i64>("sum-items").expect_err("strings");
    expect(&wrong, ErrorKind::SignatureMismatch, &["sum-items", "s64"]);
    assert_eq!(hosted.instance.handles(), HandleCounts::default());
}

/// What was written.
#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no panic").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn streams_of_the_program_are_read_and_written() {
    let hosted = hosted();
    let copy = hosted.instance.function::<(HostWriter, HostReader), i64>("copy-stream").expect("the types");
    let (sink, data) = (Sink::default(), vec![7; 3_000_000]);
    let copied = copy.call((HostWriter::new(sink.clone()), HostReader::new(io::Cursor::new(data.clone()))));
    assert_eq!((copied.expect("a number"), *sink.0.lock().expect("no panic") == data), (3_000_000, true));
    let full = copy.call((HostWriter::new(&mut [][..]), HostReader::new(&b"text"[..])));
    expect(&full.expect_err("no room"), ErrorKind::GuestError, &["failed to write whole buffer"]);
    assert_eq!(hosted.instance.handles(), HandleCounts::default());
}

#[test]
fn methods_of_objects_are_awaited() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().expect("a runtime");
    runtime.block_on(async {
        let mut options = quiet();
        for (module, function) in conformance().imports() {
            options.imports.func(module, &function.name, |_| Err(common::host::fail("not of this test")));
        }
        let instance = conformance().instantiate_async(options, PLAIN).await.expect("an instance");
        let new = Function::<(i64,), Tally, AsyncInstance>::constructor(instance.clone(), "tally").expect("the types");
        let (tally, other) = (new.call_async((3,)).await.expect("a tally"), new.call_async((1,)).await.expect("a tally"));
        assert_eq!((tally.add_async(4).await.expect("a sum"), tally.order_async(&other).await.expect("an order")), (7, 1));
        expect(&tally.value().expect_err("awaited"), ErrorKind::SignatureMismatch, &["asynchronous"]);
        tally.close_async().await.expect("it is closed");
        expect(&tally.value_async().await.expect_err("closed"), ErrorKind::TypeMismatch, &["the tally is closed"]);

        let get = instance.function::<(StoreObject, String), String>("store-get").expect("the types");
        let texts = Texts(Mutex::new(HashMap::from([("name".to_owned(), "one".to_owned())])));
        assert_eq!(get.call_async((StoreObject::awaited(texts), "name".to_owned())).await.expect("a text"), "one");
    });
}
