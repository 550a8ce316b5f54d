//! Compiled plugins: files with native code, to be shipped.

use std::fs;
use std::path::Path;

use crate::common::{PLAIN, Random, assemble, expect, quiet, start};
use undergo::{Error, ErrorKind, Plugin, Tier, Value};

fn module() -> Vec<u8> {
    assemble(
        r#"(module (func (export "_initialize")) (func (export "spin") (loop (br 0))) (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))"#,
    )
}

fn load(path: &Path) -> Result<Plugin, Error> {
    // SAFETY: the tests made the file, and what they damaged is refused before its code is looked
    // at: that is what they show.
    unsafe { Plugin::load_compiled(path) }
}

fn add(plugin: &Plugin) -> Value {
    start(plugin).call("add", &[Value::Int(2), Value::Int(3)], &PLAIN).expect("a call")
}

#[test]
fn a_compiled_plugin_is_the_plugin() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("adder.undergo");
    fs::write(&path, Plugin::compile(&module(), false).expect("it compiles")).expect("a file");
    let plugin = load(&path).expect("it loads");
    assert_eq!((plugin.name(), plugin.tier().expect("a tier")), ("adder.undergo", Tier::Best));
    assert_eq!(plugin.info().size, module().len());
    assert_eq!(add(&plugin), Value::Int(5));
    // The code serves any size of stack, but does not count.
    let mut options = quiet();
    options.limits.stack = Some(1 << 20);
    assert!(plugin.instantiate(options.clone()).is_ok());
    options.limits.fuel = Some(1_000);
    expect(&plugin.instantiate(options).expect_err("no fuel"), ErrorKind::InvalidPlugin, &["without fuel", "--fuel"]);
}

#[test]
fn with_fuel_it_counts_when_it_is_asked_to() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("adder.undergo");
    fs::write(&path, Plugin::compile(&module(), true).expect("it compiles")).expect("a file");
    let plugin = load(&path).expect("it loads");
    assert_eq!(add(&plugin), Value::Int(5));
    assert_eq!(start(&plugin).usage().fuel, None);
    let mut options = quiet();
    options.limits.fuel = Some(1_000);
    let instance = plugin.instantiate(options).expect("an instance");
    let spent = instance.call("spin", &[], &PLAIN).expect_err("a loop without end");
    expect(&spent, ErrorKind::OutOfFuel, &["of which it had 1000"]);
}

#[test]
fn native_code_is_not_loaded_by_accident() {
    let compiled = Plugin::compile(&module(), false).expect("it compiles");
    let error = Plugin::from_bytes("adder.undergo", &compiled).expect_err("it is native code");
    expect(&error, ErrorKind::InvalidPlugin, &["compiled plugin", "load_compiled", "trust"]);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("adder.wasm");
    fs::write(&path, module()).expect("a file");
    expect(&load(&path).expect_err("a module"), ErrorKind::InvalidPlugin, &["adder.wasm", "no compiled plugin", "undergo compile"]);
}

#[test]
fn what_is_damaged_or_made_elsewhere_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("adder.undergo");
    let good = Plugin::compile(&module(), false).expect("it compiles");
    let refused = |bytes: &[u8], parts: &[&str]| {
        fs::write(&path, bytes).expect("a file");
        expect(&load(&path).expect_err("not whole"), ErrorKind::InvalidPlugin, parts);
    };
    let replaced = |from: &str, to: &str| {
        let at = good.windows(from.len()).rposition(|part| part == from.as_bytes()).expect("the text");
        let mut bytes = good.clone();
        bytes.splice(at..at + from.len(), to.bytes());
        bytes
    };
    let version = format!("undergo {}\n", undergo::VERSION);
    refused(&replaced(&version, "undergo 9.9.9\n"), &["version 9.9.9", "compile it anew"]);
    let target = format!("target {}", std::env::consts::ARCH);
    refused(&replaced(&target, &format!("target z{}", &std::env::consts::ARCH[1..])), &["compiled for z", "this machine is"]);
    refused(&replaced("fuel no", "fuel ok"), &["damaged"]);
    refused(&good[1..], &["damaged"]);
    refused(&good[..good.len() - 1], &["no compiled plugin"]);
    refused(b"undergo compiled", &["damaged"]);
    refused(b"", &["no compiled plugin"]);
    let mut random = Random::new(21);
    for _ in 0..300 {
        let mut bytes = good.clone();
        let at = random.below(bytes.len());
        bytes[at] ^= 1 << random.below(8);
        refused(&bytes, &["adder.undergo"]);
    }
}
