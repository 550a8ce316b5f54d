//! Limits of stack and of fuel, with code of both compilers.

use std::thread;

use crate::common::host::Hosted;
use crate::common::{self, conformance_path, expect, expect_dead, quiet};
use undergo::{CodeCache, Compile, ErrorKind, InstanceOptions, Plugin, PluginOptions, Value};

fn both() -> [Plugin; 2] {
    let path = conformance_path().unwrap_or_else(|text| panic!("{text}"));
    let load = |compile| {
        Plugin::from_file_with(&path, &PluginOptions { compile, cache: CodeCache::User, ..PluginOptions::default() }).expect("a plugin")
    };
    [load(Compile::Fast), load(Compile::Best)]
}

fn with_stack(bytes: u64) -> InstanceOptions {
    let mut options = quiet();
    options.limits.stack = Some(bytes);
    options
}

fn with_fuel(fuel: u64) -> InstanceOptions {
    let mut options = quiet();
    options.limits.fuel = Some(fuel);
    options
}

fn recurse(hosted: &Hosted, depth: i64) -> undergo::Result<Value> {
    hosted.call("recurse", &[Value::Int(depth)])
}

#[test]
fn a_hundred_thousand_calls_within_each_other_fit_on_any_thread() {
    for plugin in both() {
        let call = || recurse(&Hosted::new(&plugin, quiet()).expect("an instance"), 100_000).expect("it fits");
        assert_eq!(call(), Value::Int(100_000));
        thread::scope(|scope| {
            let small = thread::Builder::new().stack_size(128 << 10);
            let called = small.spawn_scoped(scope, call).expect("a thread").join().expect("it lives");
            assert_eq!(called, Value::Int(100_000));
        });
    }
}

#[test]
fn the_limit_of_the_stack_can_be_moved() {
    for plugin in both() {
        let hosted = Hosted::new(&plugin, quiet()).expect("an instance");
        let overflow = recurse(&hosted, 1_000_000).expect_err("too deep");
        expect(&overflow, ErrorKind::Trap, &["4096 KiB overflowed", "limit of the stack can be raised"]);
        expect_dead(&hosted.instance, ErrorKind::Trap);
        let large = Hosted::new(&plugin, with_stack(64 << 20)).expect("an instance");
        assert_eq!(recurse(&large, 1_000_000).expect("it fits"), Value::Int(1_000_000));
        let small = Hosted::new(&plugin, with_stack(100_000)).expect("an instance");
        expect(&recurse(&small, 20_000).expect_err("too deep"), ErrorKind::Trap, &["128 KiB"]);
    }
}

#[test]
fn a_stack_has_bounds() {
    let [_, plugin] = both();
    for bytes in [0, 1, 65_535, (512 << 20) + 1, u64::MAX] {
        let error = Hosted::new(&plugin, with_stack(bytes)).map(drop).expect_err("no such stack");
        expect(&error, ErrorKind::TypeMismatch, &[&bytes.to_string(), "64 KiB", "512 MiB"]);
        // Whatever is missing besides.
        let error = plugin.instantiate(with_stack(bytes)).map(drop).expect_err("no such stack");
        expect(&error, ErrorKind::TypeMismatch, &["64 KiB"]);
    }
    for bytes in [65_536, 512 << 20] {
        assert!(Hosted::new(&plugin, with_stack(bytes)).is_ok());
    }
}

#[test]
fn fuel_bounds_each_call() {
    for plugin in both() {
        let hosted = Hosted::new(&plugin, with_fuel(100_000_000)).expect("an instance");
        let initialisation = hosted.instance.usage().fuel.expect("it is counted");
        assert!(initialisation > 1_000, "{initialisation}");
        let burnt = |depth| {
            recurse(&hosted, depth).expect("a call");
            hosted.instance.usage().fuel.expect("it is counted")
        };
        // Each call has all of it, and the same work costs the same: the first calls make Go's
        // stack grow.
        burnt(10_000);
        let few = burnt(1_000);
        assert_eq!(burnt(1_000), few);
        assert!(burnt(10_000) > 5 * few);
        let spent = hosted.call("spin", &[]).expect_err("a loop without end");
        expect(&spent, ErrorKind::OutOfFuel, &["100000000"]);
        expect_dead(&hosted.instance, ErrorKind::OutOfFuel);
        assert_eq!(hosted.instance.usage().fuel, Some(100_000_000));
        // The initialisation has no more than a call has.
        expect(&Hosted::new(&plugin, with_fuel(1_000)).map(drop).expect_err("too little"), ErrorKind::OutOfFuel, &["1000"]);
        assert_eq!(Hosted::new(&plugin, quiet()).expect("an instance").instance.usage().fuel, None);
    }
}

/// Each of these is one instruction: the deadline is noticed behind it, not in the middle.
#[test]
fn steps_that_take_long_end_soon_after_the_deadline() {
    let plugin = common::plugin(
        r#"(module (memory (export "memory") 4096) (table $t 1000000 funcref) (table $u 1000000 funcref) (func (export "_initialize"))
            (func (export "fill") (loop (memory.fill (i32.const 0) (i32.const 1) (i32.const 0x10000000)) (br 0)))
            (func (export "copy") (loop (memory.copy (i32.const 0x8000000) (i32.const 0) (i32.const 0x8000000)) (br 0)))
            (func (export "tables") (loop (table.fill $t (i32.const 0) (ref.null func) (i32.const 1000000))
              (table.copy $t $u (i32.const 0) (i32.const 0) (i32.const 1000000)) (br 0))))"#,
    )
    .expect("a plugin");
    for name in ["fill", "copy", "tables"] {
        let mut options = quiet();
        options.limits.memory = Some(512 << 20);
        let instance = plugin.instantiate(options).expect("an instance");
        let began = std::time::Instant::now();
        let brief = undergo::CallOptions { timeout: Some(std::time::Duration::from_millis(50)), ..undergo::CallOptions::default() };
        let error = instance.call(name, &[], &brief).expect_err("it never ends");
        assert_eq!(error.kind(), ErrorKind::Timeout, "{name}: {error}");
        assert!(began.elapsed().as_secs() < 60, "{name}: {:?}", began.elapsed());
    }
}
