//! Components with every type of WIT: what modules have no form for crosses as well.

use std::fmt;

use crate::common::{component, expect, expect_kept, failure, quiet};
use undergo::interface::TypeKind;
use undergo::{CallOptions, Error, ErrorKind, GuestType, Instance, InstanceOptions, Plugin, Value};

const WIT: &str = "package test:types;
interface api {
  flags permissions { read, write, execute }
  enum error-code { missing, denied }
  record fault { code: u32, text: string }
  variant reason { lost, other(string) }
  variant token { letter(char), number(f32), end }
  record line { first: char, rest: list<char>, may: permissions }
  letter: func(c: char) -> char;
  allow: func(p: permissions) -> permissions;
  outcome: func(r: result<u32, string>) -> tuple<result<u32, string>>;
  nested: func(o: option<option<u32>>) -> option<option<u32>>;
  parse: func(t: token) -> token;
  keep: func(l: line) -> line;
  code: func(which: u32) -> result<u32, error-code>;
  record-of: func() -> result<_, fault>;
  reason-of: func(other: bool) -> result<string, reason>;
  nothing: func(fails: bool) -> result;
  beyond: func() -> char;
}
world w { export api; }
";

const CORE: &str = r#"
    (data (i32.const 512) "gone")
    (func $same (export "test:types/api#letter") (export "test:types/api#allow") (param i32) (result i32) (local.get 0))
    (func (export "test:types/api#outcome") (export "test:types/api#nested") (param i32 i32 i32) (result i32)
        (i32.store (i32.const 16) (local.get 0))
        (i32.store (i32.const 20) (local.get 1))
        (i32.store (i32.const 24) (local.get 2))
        (i32.const 16))
    (func (export "test:types/api#parse") (param i32 i32) (result i32)
        (i32.store (i32.const 16) (local.get 0))
        (i32.store (i32.const 20) (local.get 1))
        (i32.const 16))
    (func (export "test:types/api#keep") (param i32 i32 i32 i32) (result i32)
        (i32.store (i32.const 16) (local.get 0))
        (i32.store (i32.const 20) (local.get 1))
        (i32.store (i32.const 24) (local.get 2))
        (i32.store (i32.const 28) (local.get 3))
        (i32.const 16))
    (func (export "test:types/api#code") (param i32) (result i32)
        (i32.store (i32.const 16) (i32.ne (local.get 0) (i32.const 0)))
        (i32.store (i32.const 20) (i32.sub (local.get 0) (i32.const 1)))
        (i32.const 16))
    (func (export "test:types/api#record-of") (result i32)
        (i32.store (i32.const 16) (i32.const 1))
        (i32.store (i32.const 20) (i32.const 410))
        (i32.store (i32.const 24) (i32.const 512))
        (i32.store (i32.const 28) (i32.const 4))
        (i32.const 16))
    (func (export "test:types/api#reason-of") (param i32) (result i32)
        (i32.store (i32.const 16) (i32.const 1))
        (i32.store (i32.const 20) (local.get 0))
        (i32.store (i32.const 24) (i32.const 512))
        (i32.store (i32.const 28) (i32.const 4))
        (i32.const 16))
    (func (export "test:types/api#nothing") (param i32) (result i32) (local.get 0))
    (func (export "test:types/api#beyond") (result i32) (i32.const 0xd800))
"#;

fn types() -> Instance {
    component(WIT, CORE).instantiate(quiet()).unwrap_or_else(|error| panic!("{error}"))
}

fn call(instance: &Instance, name: &str, args: &[Value]) -> Result<Value, Error> {
    instance.call(name, args, CallOptions::NONE)
}

fn flags(set: &[&str]) -> Value {
    Value::Record(["read", "write", "execute"].map(|flag| (flag.to_owned(), Value::Bool(set.contains(&flag)))).into())
}

fn variant(case: &str, value: impl Into<Option<Value>>) -> Value {
    Value::Variant(case.to_owned(), value.into().map(Box::new))
}

#[test]
fn a_char_is_text_of_one_character() {
    let instance = types();
    for letter in ["a", "ü", "\u{1f600}", "\0"] {
        assert_eq!(call(&instance, "letter", &[letter.into()]).expect("a char"), letter.into());
    }
    for text in ["", "ab", "e\u{301}"] {
        expect(&failure(&instance, "letter", &[text.into()]), ErrorKind::TypeMismatch, &["letter(c): expected one character, got"]);
    }
    expect(&failure(&instance, "letter", &[Value::Int(97)]), ErrorKind::TypeMismatch, &["expected char, got integer"]);
    assert!(instance.dead().is_none());
    // A surrogate is no character, whoever says so.
    expect(&failure(&instance, "beyond", &[]), ErrorKind::Trap, &["char"]);
}

#[test]
fn flags_are_a_record_of_bools() {
    let instance = types();
    for set in [&[][..], &["read"], &["read", "execute"], &["read", "write", "execute"]] {
        assert_eq!(call(&instance, "allow", &[flags(set)]).expect("flags"), flags(set));
    }
    // What is left out is not set.
    let write = Value::Record(vec![("write".to_owned(), Value::Bool(true))]);
    assert_eq!(call(&instance, "allow", &[write]).expect("flags"), flags(&["write"]));
    let unknown = Value::Record(vec![("delete".to_owned(), Value::Bool(true))]);
    expect(
        &failure(&instance, "allow", &[unknown]),
        ErrorKind::TypeMismatch,
        &["permissions has no field 'delete'", "read, write, execute"],
    );
}

#[test]
fn results_and_nested_options_are_variants() {
    let instance = types();
    for value in [variant("ok", Value::Int(7)), variant("err", Value::from("no"))] {
        let wanted = Value::List(vec![value.clone()]);
        assert_eq!(call(&instance, "outcome", &[value]).expect("a result"), wanted);
    }
    for value in [variant("none", None), variant("some", Value::None), variant("some", Value::Int(7))] {
        assert_eq!(call(&instance, "nested", std::slice::from_ref(&value)).expect("an option"), value);
    }
    let unknown = failure(&instance, "outcome", &[variant("maybe", None)]);
    expect(&unknown, ErrorKind::TypeMismatch, &["is not a case of result-u32-string: ok, err"]);
}

#[test]
fn they_are_within_each_other() {
    let instance = types();
    for value in [variant("letter", Value::from("ß")), variant("number", Value::Float(0.5)), variant("end", None)] {
        assert_eq!(call(&instance, "parse", std::slice::from_ref(&value)).expect("a token"), value);
    }
    let line = Value::Record(vec![
        ("first".into(), "a".into()),
        ("rest".into(), Value::List(vec!["b".into(), "ü".into()])),
        ("may".into(), flags(&["write"])),
    ]);
    assert_eq!(call(&instance, "keep", std::slice::from_ref(&line)).expect("a line"), line);
    let long = Value::Record(vec![
        ("first".into(), "a".into()),
        ("rest".into(), Value::List(vec!["b".into(), "cd".into()])),
        ("may".into(), flags(&[])),
    ]);
    expect(&failure(&instance, "keep", &[long]), ErrorKind::TypeMismatch, &["l.rest[1]", "one character, got 2"]);
}

#[test]
fn errors_of_any_type_are_fields_of_an_error() {
    let instance = types();
    let fields = |error: &Error| {
        let fields = error.chain()[0].fields().expect("fields");
        (fields.record().name.clone(), fields.value().clone())
    };
    let value = |value: Value| Value::Record(vec![("value".to_owned(), value)]);
    let denied = failure(&instance, "code", &[Value::Int(2)]);
    expect(&denied, ErrorKind::GuestError, &["denied"]);
    assert_eq!(fields(&denied), ("error-code-failure".to_owned(), value("denied".into())));
    let record = failure(&instance, "record-of", &[]);
    expect(&record, ErrorKind::GuestError, &["code: 410, text: gone"]);
    let fault = Value::Record(vec![("code".into(), Value::Int(410)), ("text".into(), "gone".into())]);
    assert_eq!(fields(&record), ("fault".to_owned(), fault));
    let other = failure(&instance, "reason-of", &[Value::Bool(true)]);
    expect(&other, ErrorKind::GuestError, &["other: gone"]);
    assert_eq!(fields(&other), ("reason-failure".to_owned(), value(variant("other", Value::from("gone")))));
    assert_eq!(fields(&failure(&instance, "reason-of", &[Value::Bool(false)])).1, value(variant("lost", None)));
    expect(&failure(&instance, "nothing", &[Value::Bool(true)]), ErrorKind::GuestError, &["the function failed"]);
    assert_eq!(call(&instance, "nothing", &[Value::Bool(false)]).expect("no error"), Value::None);
    assert!(instance.dead().is_none());
}

#[test]
fn the_interface_names_them() {
    let plugin = component(WIT, CORE);
    let interface = plugin.interface().expect("an interface");
    let shown = |name: &str| interface.export(name).expect("an export").to_string();
    assert_eq!(shown("letter"), "letter(c: char) -> char");
    assert_eq!(shown("outcome"), "outcome(r: result-u32-string) -> tuple<result-u32-string>");
    assert_eq!(shown("nested"), "nested(o: option-option-u32) -> option-option-u32");
    assert_eq!(shown("code"), "code(which: u32) -> result<u32, error-code>");
    assert_eq!(shown("nothing"), "nothing(fails: bool) -> result");
    let errors: Vec<_> = interface.types.iter().filter(|ty| matches!(&ty.kind, TypeKind::Record(record) if record.is_error)).collect();
    assert_eq!(errors.iter().map(ToString::to_string).collect::<Vec<_>>(), ["error-code-failure", "fault", "reason-failure"]);
}

const HOST: &str = "package test:host;
interface store {
  variant problem { missing, other(string) }
  flags options { quick, quiet }
  record full { used: u32 }
  get: func(key: char, how: options) -> result<list<char>, problem>;
  put: func() -> result<_, full>;
  sync: func() -> result;
}
world w {
  import store;
  import print: func(text: string);
  export get: func(key: char) -> u32;
  export put: func() -> u32;
  export sync: func() -> u32;
}
";

/// Returns which case of a result its host has given, and what is there.
const ASKS: &str = r#"
    (import "test:host/store" "get" (func $get (param i32 i32 i32)))
    (import "test:host/store" "put" (func $put (param i32)))
    (import "test:host/store" "sync" (func $sync (result i32)))
    (import "$root" "print" (func $print (param i32 i32)))
    (data (i32.const 512) "asked")
    (func (export "get") (param i32) (result i32)
        (call $print (i32.const 512) (i32.const 5))
        (call $get (local.get 0) (i32.const 2) (i32.const 16))
        (i32.add (i32.mul (i32.load8_u (i32.const 16)) (i32.const 100)) (i32.load8_u (i32.const 20))))
    (func (export "put") (result i32)
        (call $put (i32.const 16))
        (i32.add (i32.mul (i32.load8_u (i32.const 16)) (i32.const 100)) (i32.load (i32.const 20))))
    (func (export "sync") (result i32) (call $sync))
"#;

fn asking() -> Plugin {
    component(HOST, ASKS)
}

fn options(print: impl Fn(&[Value]) + Send + Sync + 'static) -> InstanceOptions {
    let mut options = quiet();
    options.imports.func("test:host/store", "get", |args| {
        assert_eq!(args[1], Value::Record(vec![("quick".into(), Value::Bool(false)), ("quiet".into(), Value::Bool(true))]));
        match &args[0] {
            Value::String(key) if key == "ü" => Ok(Value::List(vec!["a".into()])),
            _ => Err(Error::new(ErrorKind::HostError, "missing")),
        }
    });
    options.imports.func("test:host/store", "put", |_| Err(Error::new(ErrorKind::HostError, "full")));
    options.imports.func("test:host/store", "sync", |_| Err(Error::new(ErrorKind::HostError, "it failed")));
    options.imports.func("world", "print", move |args| {
        print(args);
        Ok(Value::None)
    });
    options
}

#[test]
fn a_host_takes_and_gives_them() {
    let printed = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let lines = printed.clone();
    let instance = asking().instantiate(options(move |args| lines.lock().expect("no panic").extend_from_slice(args))).expect("an instance");
    assert!(matches!(call(&instance, "get", &["ü".into()]).expect("an answer"), Value::Int(_)));
    assert_eq!(*printed.lock().expect("no panic"), ["asked".into()]);
    assert_eq!(call(&instance, "sync", &[]).expect("an answer"), Value::Int(1));
}

#[derive(Clone, Debug, PartialEq, GuestType)]
#[guest(error)]
struct Full {
    used: u32,
}

impl fmt::Display for Full {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "full: {}", self.used)
    }
}

impl std::error::Error for Full {}

#[test]
fn a_host_fails_with_the_component_s_own_errors() {
    let mut options = options(|_| ());
    options.imports.error::<Full>();
    options.imports.function("test:host/store", "put", || -> Result<(), Full> { Err(Full { used: 42 }) });
    let instance = asking().instantiate(options).expect("an instance");
    assert_eq!(call(&instance, "put", &[]).expect("the error within"), Value::Int(142));
}

#[test]
fn a_host_s_error_without_the_fields_ends_the_call() {
    let instance = asking().instantiate(options(|_| ())).expect("an instance");
    let failed = failure(&instance, "put", &[]);
    expect(&failed, ErrorKind::HostError, &["full", "takes no other error than full"]);
    assert!(instance.dead().is_some());
}

#[test]
fn other_hosts_test_the_same() {
    expect_kept("types.wasm", WIT, CORE);
}

#[test]
fn interfaces_without_a_package_are_called_and_told_apart() {
    let wit = "package test:apart;
        world w {
          export setup: interface { init: func(n: u32) -> u32; }
          export init: func(n: u32) -> u32;
        }";
    let core = r#"
        (func (export "init") (param i32) (result i32) (local.get 0))
        (func (export "setup#init") (param i32) (result i32) (i32.mul (local.get 0) (i32.const 2)))"#;
    let instance = component(wit, core).instantiate(quiet()).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(call(&instance, "init", &[Value::Int(4)]).expect("the number"), Value::Int(4));
    assert_eq!(call(&instance, "setup-init", &[Value::Int(4)]).expect("twice as much"), Value::Int(8));
}
