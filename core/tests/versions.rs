//! How versions of the contract meet: a plugin of version 1 in this host, and one of a version that
//! nobody knows yet.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::common::{PLAIN, escape, expect, header, plugin, quiet};
use undergo::{CallOptions, Error, ErrorKind, Instance, ModuleInfo, Plugin, Value};

/// A plugin as the SDK built it when the contract had one version. Its source lies beside it.
fn version_1() -> Vec<u8> {
    let packed = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/guests/version1/plugin.wasm.gz");
    let unpacked = Command::new("gzip").arg("-dc").arg(packed).output().expect("gzip runs");
    assert!(unpacked.status.success(), "{}", String::from_utf8_lossy(&unpacked.stderr));
    unpacked.stdout
}

fn instance() -> Instance {
    let mut options = quiet();
    options.imports.func("directory", "find", |_| Ok("done".into()));
    options.imports.func("directory", "word", |args| match &args[0] {
        Value::String(name) if name.is_empty() => Err(Error::new(ErrorKind::HostError, "no name")),
        name => Ok(name.clone()),
    });
    options.imports.func("log", "note", |_| Ok(Value::None));
    Plugin::from_bytes("version1.wasm", &version_1()).expect("it loads").instantiate(options).expect("it runs")
}

fn job(name: &str) -> Value {
    let field = |name: &str, value| (name.to_owned(), value);
    Value::Record(vec![
        field("name", name.into()),
        field("state", "open".into()),
        field("due", Value::Time(undergo::Time { seconds: 1_700_000_000, nanoseconds: 5, offset: 3600 })),
        field("took", Value::Duration(-7)),
        field("tags", Value::List(vec!["a".into(), "ü".into()])),
        field("scores", Value::List(vec![Value::Float(0.5)])),
        field("place", Value::Record(vec![field("x", Value::Int(-1)), field("y", Value::Int(2))])),
        field("counts", Value::Map(vec![("n".into(), Value::Int(255))])),
        field("details", Value::Json("{\"a\":[1,null]}".into())),
        field("raw", Value::Json("[true]".into())),
    ])
}

#[test]
fn a_plugin_of_version_1_answers() {
    let instance = instance();
    let call = |name: &str, args: &[Value]| instance.call(name, args, &PLAIN);
    assert_eq!(call("add", &[Value::Int(1), Value::Int(i64::MAX - 1)]).expect("it adds"), Value::Int(i64::MAX));
    assert_eq!(call("greet", &["Ada".into()]).expect("it greets"), "Hello, Ada!".into());
    assert_eq!(call("echo", &[job("x")]).expect("it echoes"), job("x"));
    let Value::List(jobs) = call("jobs", &[Value::List(vec!["a".into(), "b".into()])]).expect("it lists") else { panic!("no list") };
    assert_eq!(jobs.len(), 2);
    expect(&call("jobs", &[Value::List(vec![])]).expect_err("no names"), ErrorKind::GuestError, &["no names"]);
    let blob = Value::Bytes(vec![7; 100_000]);
    assert_eq!(call("pair", std::slice::from_ref(&blob)).expect("a pair"), Value::List(vec![Value::Int(100_000), blob]));
    assert_eq!(call("ask", &["Ada".into()]).expect("a state"), "done".into());
    expect(&call("ask", &["".into()]).expect_err("no name"), ErrorKind::GuestError, &["no name"]);
    assert_eq!(call("left", &[]).expect("no deadline"), Value::Int(-1));
    let hour = CallOptions { timeout: Some(Duration::from_secs(3600)), ..PLAIN };
    let Value::Int(left) = instance.call("left", &[], &hour).expect("a deadline") else { panic!("no number") };
    assert!(left > 3_000_000_000_000, "{left}");
}

#[test]
fn what_a_plugin_of_version_1_cannot_carry_ends_it_as_before() {
    let instance = instance();
    let bad = instance.call("bad", &[], &PLAIN).expect_err("no constant");
    expect(&bad, ErrorKind::Panic, &["is not a constant of enum State"]);
    assert!(instance.dead().is_some());
}

#[test]
fn the_header_says_what_a_plugin_needs() {
    let info = ModuleInfo::parse(&version_1()).expect("a module");
    assert!(info.wit.is_some_and(|wit| wit.contains("world version1") && !wit.contains("refusal")));
    let of = |version: u8| {
        let mut header = header("package a:b; world w { export f: func(); }");
        header[b"\xFFundergo:interface:".len()] = version;
        escape(&header)
    };
    let module = |data: &str| {
        format!(
            r#"(module (memory (export "memory") 1) (func (export "_initialize")) (func (export "f"))
               (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) i32.const 0) (data (i32.const 0) "{data}"))"#
        )
    };
    for version in *b"12345" {
        assert!(plugin(&module(&of(version))).expect("it loads").interface().is_some(), "version {version}");
    }
    let newer = plugin(&module(&of(b'6'))).expect_err("it is of the future");
    expect(&newer, ErrorKind::InvalidPlugin, &["version 6 of the plugin interface", "versions up to 5", "use a newer undergo"]);
}
