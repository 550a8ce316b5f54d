//! Variants as Rust's enums.

use std::fmt::Debug;
use std::time::Duration;

use crate::common::{self, expect, quiet, start, typed};
use undergo::{ErrorKind, FromGuest, Function, GuestType, Imports, Instance, Nanoseconds, Plugin, Result, ToGuest};

#[derive(Clone, Debug, PartialEq, GuestType)]
struct Circle {
    radius: f64,
}

#[derive(Clone, Debug, PartialEq, GuestType)]
enum Shape {
    Circle(Circle),
    Label(String),
    Empty,
    #[guest(name = "how-long")]
    Lasting(Box<Nanoseconds>),
}

/// The same, borrowed.
#[derive(GuestType)]
enum Lent<'a> {
    Circle(&'a Circle),
    Label(&'a str),
    Empty,
    HowLong(Nanoseconds),
}

#[derive(Clone, Debug, PartialEq, GuestType)]
struct Drawing {
    title: String,
    front: Option<Shape>,
    all: Vec<(Shape, u8)>,
}

#[derive(Clone, Copy, Debug, PartialEq, GuestType)]
enum Side {
    Left,
    Right,
}

const TYPES: &str = "interface types {
  use undergo:go/types.{duration};
  record circle { radius: f64 }
  variant shape { circle(circle), label(string), empty, how-long(duration) }
  record drawing { title: string, front: option<shape>, all: list<tuple<shape, u8>> }
  variant side { left, right }
  enum hand { left, right }
}";

const USED: &str = "use types.{shape, drawing, side, hand};";

/// A plugin whose exports pass their arguments to the imports of the same names, and give back what
/// these give.
fn forwarding() -> Plugin {
    let functions = [
        "draw: func(s: shape) -> shape;",
        "maybe: func(s: option<shape>, n: u8) -> option<shape>;",
        "frame: func(d: drawing) -> drawing;",
        "turn: func(s: side) -> side;",
        "give: func(h: hand) -> hand;",
    ];
    let exports: String = functions.iter().map(|function| format!("export {function} ")).collect();
    let items = format!("{TYPES}\nworld w {{ {USED} import host: interface {{ {USED} {} }} {exports} }}", functions.concat());
    let forward = |name: &str, params: &[&str]| {
        let typed = params.join(" ");
        let given: String = (0..params.len()).map(|i| format!("(local.get {i}) ")).collect();
        (
            format!("(import \"host\" \"{name}\" (func ${name} (param {typed} i32)))"),
            format!("(func (export \"{name}\") (param {typed}) (result i32) (call ${name} {given} (i32.const 1024)) (i32.const 1024))"),
        )
    };
    let (mut body, mut after) = (String::new(), String::new());
    for (name, params) in [
        ("draw", &["i32", "i64", "i32"][..]),
        ("maybe", &["i32", "i32", "i64", "i32", "i32"]),
        ("frame", &["i32", "i32", "i32", "i32", "i64", "i32", "i32", "i32"]),
    ] {
        let (import, export) = forward(name, params);
        body += &import;
        after += &export;
    }
    // One byte, which is flat.
    for name in ["turn", "give"] {
        body += &format!("(import \"host\" \"{name}\" (func ${name} (param i32) (result i32)))");
        after += &format!("(func (export \"{name}\") (param i32) (result i32) (call ${name} (local.get 0)))");
    }
    typed(&items, &(body + &after)).expect("a plugin")
}

fn hosted() -> Instance {
    let mut imports = Imports::default();
    imports.function("host", "draw", |shape: Shape| shape);
    imports.function("host", "maybe", |shape: Option<Shape>, n: u8| {
        assert_eq!(n, 200, "what follows a variant is where it was");
        shape
    });
    imports.function("host", "frame", |drawing: Drawing| drawing);
    imports.function("host", "turn", |side: Side| side);
    imports.function("host", "give", |side: Side| side);
    forwarding().instantiate(quiet().imports(imports)).expect("an instance")
}

fn shapes() -> [Shape; 6] {
    [
        Shape::Circle(Circle { radius: -1.5 }),
        Shape::Label("ü".repeat(3000)),
        Shape::Label(String::new()),
        Shape::Empty,
        Shape::Lasting(Box::new(Nanoseconds(i64::MIN))),
        Shape::Lasting(Box::new(Nanoseconds(7))),
    ]
}

#[track_caller]
fn called<A: ToGuest, R: FromGuest>(instance: &Instance, name: &str, value: A) -> R {
    let function: Function<(A,), R> = instance.function(name).unwrap_or_else(|error| panic!("{name}: {error}"));
    function.call((value,)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn each_case_comes_back() {
    let instance = hosted();
    for shape in shapes() {
        assert_eq!(called::<_, Shape>(&instance, "draw", &shape), shape);
        let maybe = instance.function::<(Option<&Shape>, u8), Option<Shape>>("maybe").expect("it is");
        assert_eq!(maybe.call((Some(&shape), 200)).expect("a shape"), Some(shape));
        assert_eq!(maybe.call((None, 200)).expect("none"), None);
    }
    let drawing = Drawing { title: "all".into(), front: Some(shapes()[0].clone()), all: shapes().into_iter().zip(0..).collect() };
    assert_eq!(called::<_, Drawing>(&instance, "frame", &drawing), drawing);
    let circle = Circle { radius: 2.0 };
    for (lent, shape) in [
        (Lent::Circle(&circle), Shape::Circle(circle.clone())),
        (Lent::Label("lent"), Shape::Label("lent".into())),
        (Lent::Empty, Shape::Empty),
        (Lent::HowLong(Nanoseconds(-1)), Shape::Lasting(Box::new(Nanoseconds(-1)))),
    ] {
        assert_eq!(called::<_, Shape>(&instance, "draw", lent), shape);
    }
}

/// An enum of Rust without values stands for both.
#[test]
fn a_variant_without_values_is_an_enum() {
    let instance = hosted();
    for side in [Side::Left, Side::Right] {
        assert_eq!(called::<_, Side>(&instance, "turn", side), side);
        assert_eq!(called::<_, Side>(&instance, "give", side), side);
    }
}

#[track_caller]
fn mismatched<T: FromGuest + ToGuest>(instance: &Instance, name: &str, path: &str, text: &str) {
    let error = instance.function::<(T,), T>(name).map(drop).expect_err("its types are others");
    expect(&error, ErrorKind::SignatureMismatch, &[text]);
    assert_eq!(error.path(), path, "{error}");
}

#[test]
fn types_that_differ_are_found_with_their_path() {
    #[derive(GuestType)]
    enum Few {
        Circle(Circle),
        Empty,
    }
    #[derive(GuestType)]
    enum Ordered {
        Label(String),
        Circle(Circle),
        Empty,
        HowLong(Nanoseconds),
    }
    #[derive(GuestType)]
    enum Bare {
        Circle,
        Label(String),
        Empty,
        HowLong(Nanoseconds),
    }
    #[derive(GuestType)]
    enum Unit {
        Circle,
        Label,
        Empty,
        HowLong,
    }
    #[derive(GuestType)]
    enum Full {
        Circle(Circle),
        Label(String),
        Empty(bool),
        HowLong(Nanoseconds),
    }
    #[derive(GuestType)]
    struct Round {
        radius: f32,
    }
    #[derive(GuestType)]
    enum Other {
        Circle(Round),
        Label(String),
        Empty,
        HowLong(Nanoseconds),
    }
    #[derive(GuestType)]
    enum Valued {
        Left,
        Right(u32),
    }
    #[derive(GuestType)]
    enum Hands {
        Left,
        Right,
        Both,
    }

    let instance = hosted();
    let instance = &instance;
    let cases = "the cases of shape are, in this order, circle, label, empty, how-long; those of main::typed_variants::";
    mismatched::<Few>(instance, "draw", "draw(s)", &format!("{cases}types_that_differ_are_found_with_their_path::Few are Circle, Empty"));
    mismatched::<Ordered>(instance, "draw", "draw(s)", cases);
    mismatched::<Bare>(instance, "draw", "draw(s.circle)", "the plugin has circle here, and this case of main::typed_variants::");
    mismatched::<Unit>(instance, "draw", "draw(s.circle)", "Unit has no value");
    mismatched::<Full>(instance, "draw", "draw(s.empty)", "the plugin has no value here, and this case of main::typed_variants::");
    mismatched::<Other>(instance, "draw", "draw(s.circle.radius)", "the plugin has f64 here, and the program has f32");
    mismatched::<Valued>(instance, "turn", "turn(s.right)", "the plugin has no value here");
    mismatched::<Valued>(instance, "give", "give(h.right)", "hand is an enum, and this case of main::typed_variants::");
    mismatched::<Hands>(instance, "turn", "turn(s)", "the cases of side are, in this order, left, right; those of");
    mismatched::<Side>(instance, "frame", "frame(d)", "the plugin has drawing here, and the program has main::typed_variants::Side");
    mismatched::<Shape>(instance, "frame", "frame(d)", "the plugin has drawing here, and the program has main::typed_variants::Shape");
    mismatched::<String>(instance, "draw", "draw(s)", "the plugin has shape here, and the program has alloc::string::String");

    let mut imports = Imports::default();
    imports.function("host", "draw", |shape: Few| shape);
    let error = forwarding().instantiate(quiet().imports(imports)).expect_err("its types are others");
    expect(&error, ErrorKind::SignatureMismatch, &["host.draw(s): the cases of shape are"]);
}

#[test]
fn values_that_do_not_fit_are_named() {
    #[derive(GuestType)]
    enum Precise {
        Circle(Circle),
        Label(String),
        Empty,
        HowLong(Duration),
    }
    let instance = hosted();
    let call = |value: Precise| -> Result<Precise> { instance.function::<(Precise,), Precise>("draw")?.call((value,)) };
    let error = call(Precise::HowLong(Duration::MAX)).map(drop).expect_err("too long");
    expect(&error, ErrorKind::TypeMismatch, &["draw(s.how-long): ", "out of range for a duration"]);
    let shape = instance.function::<(&Shape,), Precise>("draw").expect("it is");
    let error = shape.call((&Shape::Lasting(Box::new(Nanoseconds(-1))),)).map(drop).expect_err("negative");
    expect(&error, ErrorKind::TypeMismatch, &["draw -> result.how-long: ", "a negative duration"]);
    assert!(instance.dead().is_none());
}

/// What the guest gives is checked as for other hosts.
#[test]
fn hostile_cases_are_traps() {
    fn lifted<R: FromGuest + Debug>(result: &str, bytes: &str) -> undergo::Error {
        let bytes: Vec<u8> = bytes.split(' ').map(|byte| u8::from_str_radix(byte, 16).expect("hex")).collect();
        let body = format!("(func (export \"get\") (result i32) (i32.const 1024)) (data (i32.const 1024) \"{}\")", common::escape(&bytes));
        let items = format!("{TYPES}\nworld w {{ {USED} export get: func() -> {result}; }}");
        let instance = start(&typed(&items, &body).expect("a plugin"));
        let error = instance.function::<(), R>("get").expect("its types").call(()).expect_err("it is damaged");
        assert_eq!(instance.dead().is_some(), error.kind() == ErrorKind::Trap);
        error
    }
    let error = lifted::<Shape>("shape", "04 00 00 00 00 00 00 00 00");
    expect(&error, ErrorKind::Trap, &["get -> result: the guest gave the discriminant 4, which has no case"]);
    let error = lifted::<Shape>("shape", "01 00 00 00 00 00 00 00 ff ff ff ff 01 00 00 00");
    expect(&error, ErrorKind::Trap, &["get -> result.label: ", "outside its memory"]);
    let error = lifted::<Vec<Shape>>("list<shape>", "00 08 00 00 01 00 00 10");
    expect(&error, ErrorKind::Trap, &["outside its memory"]);
    let error = lifted::<(Option<Shape>, u8)>("tuple<option<shape>, u8>", "01 00 00 00 00 00 00 00 ff");
    expect(&error, ErrorKind::Trap, &["get -> result[0]: the guest gave the discriminant 255"]);
    let error = lifted::<Shape>("shape", "01 ff 00 00 00 00 00 00 01 04 00 00 01 00 00 00");
    expect(&error, ErrorKind::TypeMismatch, &["get -> result.label: ", "not UTF-8"]);
}
