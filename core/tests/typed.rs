//! Rust's own types, through serde, against the conformance guest.

mod common;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use undergo::{CallOptions, Error, ErrorKind, Instance, Result};

use common::host::Hosted;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Address {
    street: String,
    zip: Option<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
enum Color {
    Red,
    Green,
    DarkBlue,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Time {
    seconds: i64,
    nanoseconds: u32,
    offset: i32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Person {
    name: String,
    email: Option<String>,
    age: u8,
    tags: Vec<String>,
    home: Address,
    others: Vec<Address>,
    scores: BTreeMap<String, f64>,
    favorite: Color,
    level: Option<String>,
    born: Time,
    nap: i64,
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
        favorite: Color::DarkBlue,
        level: Some("high".into()),
        born: Time { seconds: -488_160_000, nanoseconds: 999_999_999, offset: 3600 },
        nap: -1,
        user_id: u32::MAX,
    }
}

fn start() -> Hosted {
    Hosted::new(common::conformance(), common::quiet()).expect("the guest starts")
}

fn call<R: serde::de::DeserializeOwned>(guest: &Instance, name: &str, args: &impl Serialize) -> Result<R> {
    guest.call_typed(name, args, &CallOptions::default())
}

#[test]
fn values_of_every_type_come_back() {
    let hosted = start();
    let guest = &hosted.instance;
    let person: Person = call(guest, "echo-person", &(ada(),)).expect("a person");
    assert_eq!(person, ada());
    assert_eq!(call::<Vec<Person>>(guest, "echo-people", &(vec![ada(), ada()],)).expect("people"), [ada(), ada()]);
    assert_eq!(call::<(i64, i64)>(guest, "divmod", &(7, 2)).expect("two results"), (3, 1));
    assert_eq!(call::<Option<i32>>(guest, "maybe-int", &(Some(5),)).expect("some"), Some(5));
    assert_eq!(call::<Option<i32>>(guest, "maybe-int", &(None::<i32>,)).expect("none"), None);
    assert_eq!(call::<u64>(guest, "echo-uint64", &(u64::MAX,)).expect("the greatest"), u64::MAX);
    assert_eq!(call::<[i32; 3]>(guest, "echo-triple", &([1, 2, 3],)).expect("an array"), [1, 2, 3]);
    assert_eq!(call::<Vec<u8>>(guest, "echo-bytes", &(vec![0_u8, 255],)).expect("bytes"), [0, 255]);
    let labels = BTreeMap::from([(-1, "a".to_owned()), (7, String::new())]);
    assert_eq!(call::<BTreeMap<i32, String>>(guest, "echo-labels", &(&labels,)).expect("a map"), labels);
    assert_eq!(call::<String>(guest, "echo-raw", &("[1,2]",)).expect("json"), "[1,2]");
    assert!(call::<f32>(guest, "echo-float32", &(f32::NAN,)).expect("a float").is_nan());
    call::<()>(guest, "nothing", &()).expect("nothing");
    let colors = [Color::Red, Color::Green, Color::DarkBlue];
    assert_eq!(call::<Vec<Color>>(guest, "echo-colors", &(colors,)).expect("enums"), colors);
}

#[track_caller]
fn refused(result: Result<impl std::fmt::Debug>, path: &str, text: &str) {
    let error: Error = result.expect_err("it does not fit");
    assert_eq!(error.kind(), ErrorKind::TypeMismatch, "{error}");
    assert_eq!(error.path(), path, "{error}");
    assert!(error.message().contains(text), "{error}");
}

#[test]
fn what_does_not_fit_has_a_path() {
    #[derive(Serialize)]
    struct Misspelt {
        street: &'static str,
        zipp: u32,
    }
    #[derive(Serialize)]
    struct Short {
        x: f64,
        y: f64,
    }
    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only its shape matters")]
    struct Wrong {
        street: u32,
    }

    let hosted = start();
    let guest = &hosted.instance;
    refused(call::<i8>(guest, "echo-int8", &(300,)), "echo-int8([0])", "300 is out of range for s8");
    refused(call::<Vec<String>>(guest, "echo-strings", &(("a", 5),)), "echo-strings([0][1])", "expected string, got integer");
    refused(call::<(i64, i64)>(guest, "divmod", &(1,)), "divmod()", "expected 2 values, got 1");
    refused(call::<(i64, i64)>(guest, "divmod", &(1, 2, 3)), "divmod()", "expected 2 values, got more");
    refused(call::<()>(guest, "maybe-address", &(Misspelt { street: "", zipp: 1 },)), "maybe-address([0])", "did you mean 'zip'?");
    refused(call::<()>(guest, "echo-point", &(Short { x: 0.0, y: 0.0 },)), "echo-point([0])", "the field 'tag' of point is missing");
    refused(call::<Color>(guest, "echo-color", &("blue",)), "echo-color([0])", "not a case of color");
    refused(call::<Option<Wrong>>(guest, "maybe-address", &(ada().home,)), "maybe-address -> result.street", "invalid type: string");
    assert_eq!(call::<()>(guest, "fail", &("no",)).expect_err("a Go error").kind(), ErrorKind::GuestError);
    assert!(guest.dead().is_none());
}
