//! Components, written as text: values, host functions, limits, and what hostile ones do.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::common::{self, assemble, expect, expect_dead, quiet};
use undergo::{CallOptions, Error, ErrorKind, Instance, InstanceOptions, Plugin, PoolOptions, Value};

/// A component with these items of a world, whose core module has a memory and an allocator.
fn component(parts: &str, core: &str, lifted: &str) -> String {
    format!(
        r#"(component
            {parts}
            (core module $code
                (memory (export "memory") 1)
                (global $next (mut i32) (i32.const 1024))
                (func (export "realloc") (param i32 i32 i32 i32) (result i32) (local $at i32)
                    (local.set $at (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
                    (global.set $next (i32.add (local.get $at) (local.get 3)))
                    (block $fits
                        (br_if $fits (i32.lt_u (global.get $next) (i32.mul (memory.size) (i32.const 65536))))
                        (drop (memory.grow (i32.add (i32.div_u (local.get 3) (i32.const 65536)) (i32.const 1)))))
                    (local.get $at))
                {core})
            {lifted})"#
    )
}

const ECHO: &str = r#"
    (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
    (func (export "echo") (param i32 i32) (result i32)
        (i32.store (i32.const 16) (local.get 0))
        (i32.store (i32.const 20) (local.get 1))
        (i32.const 16))
    (func (export "spin") (loop $again (br $again)))
    (func (export "trap") unreachable)
    (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
    (func (export "long") (result i32)
        (i32.store (i32.const 16) (i32.const 0))
        (i32.store (i32.const 20) (i32.const 50000000))
        (drop (memory.grow (i32.const 1000)))
        (i32.const 16))
"#;

const LIFTED: &str = r#"
    (core instance $i (instantiate $code))
    (alias core export $i "memory" (core memory $memory))
    (alias core export $i "realloc" (core func $realloc))
    (func (export "add") (param "a" s32) (param "b" s32) (result s32) (canon lift (core func $i "add")))
    (func (export "echo") (param "text" string) (result string)
        (canon lift (core func $i "echo") (memory $memory) (realloc $realloc)))
    (func (export "copy") (param "bytes" (list u8)) (result (list u8))
        (canon lift (core func $i "echo") (memory $memory) (realloc $realloc)))
    (func (export "spin") (canon lift (core func $i "spin")))
    (func (export "trap") (canon lift (core func $i "trap")))
    (func (export "grow") (param "pages" u32) (result s32) (canon lift (core func $i "grow")))
    (func (export "long") (result (list u8)) (canon lift (core func $i "long") (memory $memory)))
"#;

fn echo() -> Plugin {
    let text = component("", ECHO, LIFTED);
    Plugin::from_bytes("echo", &assemble(&text)).unwrap_or_else(|error| panic!("{error}"))
}

fn started(options: InstanceOptions) -> Instance {
    echo().instantiate(options).unwrap_or_else(|error| panic!("{error}"))
}

fn call(instance: &Instance, name: &str, args: &[Value]) -> Result<Value, Error> {
    instance.call(name, args, CallOptions::NONE)
}

fn text(text: &str) -> Value {
    Value::String(text.to_owned())
}

#[test]
fn values_cross_there_and_back() {
    let instance = started(quiet());
    assert_eq!(call(&instance, "add", &[Value::Int(2), Value::Int(3)]).expect("a sum"), Value::Int(5));
    for length in [0, 1, 11, 70_000, 200_000] {
        let long = text(&"ä".repeat(length));
        assert_eq!(call(&instance, "echo", std::slice::from_ref(&long)).expect("the text"), long);
        let bytes = Value::Bytes(vec![7; length]);
        assert_eq!(call(&instance, "copy", std::slice::from_ref(&bytes)).expect("the bytes"), bytes);
    }
    let refused = call(&instance, "add", &[text("2"), Value::Int(3)]).expect_err("no number");
    expect(&refused, ErrorKind::TypeMismatch, &["a"]);
    assert!(instance.dead().is_none());
}

#[test]
fn pools_run_components_on_several_threads() {
    let pool = echo().pool(PoolOptions::new(2, quiet())).expect("a pool");
    std::thread::scope(|scope| {
        for number in 0..4 {
            let pool = &pool;
            scope.spawn(move || {
                for round in 0..200 {
                    let sum = pool.call("add", &[Value::Int(number), Value::Int(round)], CallOptions::NONE);
                    assert_eq!(sum.expect("a sum"), Value::Int(number + round));
                }
            });
        }
    });
}

#[test]
fn a_trap_ends_the_instance_and_a_reset_revives_it() {
    let instance = started(quiet());
    expect(&call(&instance, "trap", &[]).expect_err("a trap"), ErrorKind::Trap, &["unreachable"]);
    expect_dead(&instance, ErrorKind::Trap);
    instance.reset(CallOptions::NONE).expect("a new guest");
    assert_eq!(call(&instance, "add", &[Value::Int(1), Value::Int(1)]).expect("a sum"), Value::Int(2));
}

#[test]
fn a_deadline_ends_a_component_that_computes() {
    let instance = started(quiet());
    let begun = Instant::now();
    let options = CallOptions::default().timeout(Duration::from_millis(50));
    expect(&instance.call("spin", &[], &options).expect_err("too long"), ErrorKind::Timeout, &[]);
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[test]
fn memory_and_values_are_limited() {
    let mut options = quiet();
    options.limits.memory = Some(1 << 20);
    let instance = started(options);
    assert_eq!(call(&instance, "grow", &[Value::Int(1000)]).expect("refused within"), Value::Int(-1));
    let mut options = quiet();
    options.limits.value = Some(1 << 20);
    let instance = started(options);
    let refused = call(&instance, "long", &[]).expect_err("50 MB");
    assert!(matches!(refused.kind(), ErrorKind::Trap | ErrorKind::OutOfMemory | ErrorKind::TypeMismatch), "{refused}");
}

const IMPORTED: &str =
    r#"(import "directory" (instance $directory (export "lookup" (func (param "name" string) (result (list string))))))"#;

/// Calls its host, and returns how many names that gave.
fn asking() -> Plugin {
    let core = r#"
        (import "host" "lookup" (func $lookup (param i32 i32 i32)))
        (func (export "ask") (param i32 i32) (result i32)
            (call $lookup (local.get 0) (local.get 1) (i32.const 32))
            (i32.load (i32.const 36)))
    "#;
    // The allocator has to be there before the import that needs it is lowered.
    let text = format!(
        r#"(component
            {IMPORTED}
            (core module $libc
                (memory (export "memory") 1)
                (global $next (mut i32) (i32.const 1024))
                (func (export "realloc") (param i32 i32 i32 i32) (result i32) (local $at i32)
                    (local.set $at (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
                    (global.set $next (i32.add (local.get $at) (local.get 3)))
                    (local.get $at)))
            (core module $code (import "libc" "memory" (memory 1)) {core})
            (core instance $libc (instantiate $libc))
            (alias core export $libc "memory" (core memory $memory))
            (alias core export $libc "realloc" (core func $realloc))
            (core func $lookup (canon lower (func $directory "lookup") (memory $memory) (realloc $realloc)))
            (core instance $i (instantiate $code
                (with "libc" (instance $libc))
                (with "host" (instance (export "lookup" (func $lookup))))))
            (func (export "ask") (param "name" string) (result u32)
                (canon lift (core func $i "ask") (memory $memory) (realloc $realloc))))"#
    );
    Plugin::from_bytes("asking", &assemble(&text)).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn a_component_calls_its_host() {
    let mut options = quiet();
    options.imports.function("directory", "lookup", |name: String| vec![name.clone(), name]);
    let instance = asking().instantiate(options).unwrap_or_else(|error| panic!("{error}"));
    for _ in 0..3 {
        assert_eq!(call(&instance, "ask", &[text("Ada")]).expect("a number"), Value::Int(2));
    }
    let missing = asking().instantiate(quiet()).expect_err("no function");
    expect(&missing, ErrorKind::MissingImport, &["directory.lookup"]);
}

#[test]
fn a_host_function_can_not_call_the_component_again() {
    static INSTANCE: Mutex<Option<Instance>> = Mutex::new(None);
    let mut options = quiet();
    options.imports.function("directory", "lookup", |_: String| {
        let instance = INSTANCE.lock().expect("no panic").clone().expect("an instance");
        let again = call(&instance, "ask", &[text("again")]).expect_err("it is busy");
        expect(&again, ErrorKind::Busy, &["a component can't be called again"]);
        vec!["one".to_owned()]
    });
    let instance = asking().instantiate(options).expect("an instance");
    *INSTANCE.lock().expect("no panic") = Some(instance.clone());
    assert_eq!(call(&instance, "ask", &[text("Ada")]).expect("a number"), Value::Int(1));
    assert!(instance.dead().is_none());
}

#[test]
fn a_host_function_s_panic_ends_the_call_alone() {
    let mut options = quiet();
    options.imports.function("directory", "lookup", |_: String| -> Vec<String> { panic!("a mistake of the host") });
    let instance = asking().instantiate(options).expect("an instance");
    let failed = call(&instance, "ask", &[text("Ada")]).expect_err("the panic");
    expect(&failed, ErrorKind::HostError, &["a mistake of the host"]);
}

/// Asks WASI for a pollable again and again, and never lets go of one.
#[test]
fn resources_of_wasi_are_limited() {
    let text = r#"(component
        (import "wasi:io/poll@0.2.0" (instance $poll (export "pollable" (type (sub resource)))))
        (alias export $poll "pollable" (type $pollable))
        (import "wasi:clocks/monotonic-clock@0.2.0" (instance $clock
            (alias outer 1 $pollable (type $outer))
            (export "pollable" (type $own (eq $outer)))
            (export "subscribe-duration" (func (param "when" u64) (result (own $own))))))
        (core func $subscribe (canon lower (func $clock "subscribe-duration")))
        (core module $code
            (import "clock" "subscribe" (func $subscribe (param i64) (result i32)))
            (func (export "flood") (loop $again (drop (call $subscribe (i64.const 1000000))) (br $again))))
        (core instance $i (instantiate $code (with "clock" (instance (export "subscribe" (func $subscribe))))))
        (func (export "flood") (canon lift (core func $i "flood"))))"#;
    let plugin = Plugin::from_bytes("flood", &assemble(text)).unwrap_or_else(|error| panic!("{error}"));
    let instance = plugin.instantiate(quiet()).unwrap_or_else(|error| panic!("{error}"));
    let options = CallOptions::default().timeout(Duration::from_secs(60));
    let ended = instance.call("flood", &[], &options).expect_err("too many");
    expect(&ended, ErrorKind::Trap, &["table"]);
}

#[test]
fn components_that_are_damaged_or_too_large_are_refused() {
    let whole = assemble(&component("", ECHO, LIFTED));
    for length in (8..whole.len()).step_by(7) {
        match Plugin::from_bytes("cut", &whole[..length]) {
            Err(refused) => assert_eq!(refused.kind(), ErrorKind::InvalidPlugin, "{refused}"),
            // Cut behind a section, it is a smaller component.
            Ok(plugin) => assert!(plugin.exports().len() < 7, "{length}"),
        }
    }
    let mut random = common::Random::new(7);
    for _ in 0..300 {
        let mut bytes = whole.clone();
        random.damage(&mut bytes);
        // Whatever it is now, the host lives.
        if let Ok(plugin) = Plugin::from_bytes("damaged", &bytes) {
            drop(plugin.instantiate(quiet()));
        }
    }
    let nested = format!("(component {} {})", "(component ".repeat(20), ")".repeat(20));
    expect(&Plugin::from_bytes("deep", &assemble(&nested)).expect_err("too deep"), ErrorKind::InvalidPlugin, &["nested deeper"]);
    let many = format!("(component {})", "(core module)".repeat(1000));
    expect(&Plugin::from_bytes("many", &assemble(&many)).expect_err("too many"), ErrorKind::InvalidPlugin, &["core modules"]);
    let functions = format!("(component (core module {}))", "(func)".repeat(20_000));
    Plugin::from_bytes("functions", &assemble(&functions)).unwrap_or_else(|error| panic!("functions are no sections: {error}"));
    let linked = "(component (core module (global i32 (i32.add (i32.const 1) (i32.const 2)))))";
    Plugin::from_bytes("linked", &assemble(linked)).unwrap_or_else(|error| panic!("{error}"));
    // A type of 100,000 others within each other, for which the parser has no stack.
    let types = [&[1][..], &[0x41, 1, 1].repeat(100_000), &[0x40, 0, 1, 0]].concat();
    let scopes = [&b"\0asm\x0d\0\x01\0\x07\xe5\xa7\x12"[..], &types].concat();
    let refused = Plugin::from_bytes("scopes", &scopes).expect_err("too many types");
    expect(&refused, ErrorKind::InvalidPlugin, &["256 types of components and instances"]);
}
