//! What a value may cost the host: memory, by an allocator that counts, and time.

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::fmt::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use undergo::{CallOptions, CancelToken, ErrorKind, Imports, Instance, InstanceOptions, Limits, Plugin, Result, Value};

use common::{PLAIN, expect, expect_dead, typed};

/// Counts what is allocated, and the most that ever was since it was last asked.
struct Counting;

static NOW: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

// SAFETY: the system's allocator, and numbers beside it.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let now = NOW.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        MOST.fetch_max(now, Ordering::Relaxed);
        // SAFETY: as the caller says.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as the caller says.
        unsafe { System.dealloc(place, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// One test at a time: the allocator counts for all of them.
static ALONE: Mutex<()> = Mutex::new(());

const LIMIT: u64 = 4 << 20;

/// A record of one bool within so many others, and what else has many objects for few bytes.
fn types() -> String {
    let mut items = String::from("interface types { record r0 { a: bool } enum color { red, green }");
    for i in 1..60 {
        let _ = write!(items, " record r{i} {{ a: r{} }}", i - 1);
    }
    items + " }"
}

/// A guest whose export `f` takes the number of a list's items, which are zeros, and those of lists
/// within it none.
fn guest(ty: &str) -> Plugin {
    let items = format!(
        "{}\nworld w {{ use undergo:go/types.{{json, time, duration}}; use types.{{r59, color}}; export f: func(n: u32) -> {ty}; \
         export ok: func() -> s32; }}",
        types()
    );
    let body = r#"(memory (export "memory") 256)
        (func (export "f") (param i32) (result i32)
          (i32.store (i32.const 8) (i32.const 131072)) (i32.store (i32.const 12) (local.get 0)) (i32.const 8))
        (func (export "ok") (result i32) (i32.const 7))"#;
    typed(&items, body).unwrap_or_else(|error| panic!("{ty}: {error}"))
}

fn limited(plugin: &Plugin) -> Instance {
    let mut options: InstanceOptions = common::quiet();
    options.limits = Limits { value: Some(LIMIT), ..Limits::default() };
    plugin.instantiate(options).expect("an instance")
}

/// The most that a call allocates, and what it gives.
fn measured<T>(call: impl FnOnce() -> T) -> (usize, T) {
    let before = NOW.load(Ordering::Relaxed);
    MOST.store(before, Ordering::Relaxed);
    let result = call();
    (MOST.load(Ordering::Relaxed).saturating_sub(before), result)
}

#[test]
fn a_value_costs_the_host_no_more_than_twice_the_limit() {
    let _alone = ALONE.lock();
    for ty in [
        "list<option<bool>>",
        "list<bool>",
        "list<u8>",
        "list<u16>",
        "list<f64>",
        "list<string>",
        "list<list<u8>>",
        "list<list<list<bool>>>",
        "list<color>",
        "list<time>",
        "list<r59>",
        "list<tuple<bool, bool, bool, bool, bool, bool, bool, bool>>",
        "list<map<string, bool>>",
        "map<bool, option<bool>>",
    ] {
        let plugin = guest(ty);
        let instance = limited(&plugin);
        // As many items as fit: by halves, from more than the guest has room for.
        let (mut least, mut beyond) = (0, 200_000_i64);
        let (mut most, mut refused) = (0, 0);
        while beyond - least > 1 {
            let count = i64::midpoint(least, beyond);
            let (cost, result) = measured(|| instance.call("f", &[Value::Int(count)], &PLAIN));
            match result {
                Ok(_) => (least, most) = (count, most.max(cost)),
                Err(error) => {
                    assert!(matches!(error.kind(), ErrorKind::OutOfMemory | ErrorKind::Trap), "{ty}: {error}");
                    refused = refused.max(cost);
                    beyond = count;
                }
            }
        }
        let bound = 2 * LIMIT as usize + (64 << 10);
        assert!(most <= bound && refused <= bound, "{ty}: {least} items cost {most} bytes, and more of them {refused}");
        assert_eq!(instance.call("ok", &[], &PLAIN).expect("it lives"), Value::Int(7), "{ty}");
    }
}

#[test]
fn items_without_bytes_are_refused_when_the_module_is_loaded() {
    for (types, ty) in [("", "list<tuple<>>"), ("interface types { record empty {} }", "list<empty>")] {
        let uses = if types.is_empty() { "" } else { "use types.{empty};" };
        let body = r#"(func (export "f") (result i32) (i32.const 8))"#;
        let error = typed(&format!("{types} world w {{ {uses} export f: func() -> {ty}; }}"), body).expect_err("no size");
        assert_eq!(error.kind(), ErrorKind::InvalidPlugin, "{error}");
    }
}

/// A guest that gives `count` texts which are all the same bytes, to its caller and to a host
/// function.
fn aliases(count: u32, len: u32) -> Plugin {
    let items = "world w { import host: interface { take: func(texts: list<string>) -> s32; } export f: func() -> list<string>; export g: func() -> s32; }";
    let body = format!(
        r#"(func $fill (local $i i32)
          (loop $next
            (i32.store offset=1024 (local.get $i) (i32.const 131072))
            (i32.store offset=1028 (local.get $i) (i32.const {len}))
            (local.set $i (i32.add (local.get $i) (i32.const 8)))
            (br_if $next (i32.lt_u (local.get $i) (i32.const {})))))
        (memory (export "memory") 8)
        (func (export "f") (result i32) (call $fill)
          (i32.store (i32.const 8) (i32.const 1024)) (i32.store (i32.const 12) (i32.const {count})) (i32.const 8))
        (func (export "g") (result i32) (call $fill) (call $take (i32.const 1024) (i32.const {count})))"#,
        count * 8
    );
    let import = r#"(import "host" "take" (func $take (param i32 i32) (result i32)))"#;
    typed(items, &format!("{import} {body}")).expect("a plugin")
}

fn taking(plugin: &Plugin, limits: Limits) -> (Instance, Arc<AtomicUsize>) {
    let taken = Arc::new(AtomicUsize::new(0));
    let seen = taken.clone();
    let mut options = common::quiet();
    let mut imports = Imports::default();
    imports.func("host", "take", move |_: &[Value]| -> Result<Value> {
        seen.fetch_add(1, Ordering::Relaxed);
        Ok(Value::Int(1))
    });
    options.imports = imports;
    options.limits = limits;
    (plugin.instantiate(options).expect("an instance"), taken)
}

#[test]
fn each_copy_of_a_text_counts_in_both_directions() {
    let _alone = ALONE.lock();
    let plugin = aliases(2000, 60_000);
    let limits = Limits { value: Some(LIMIT), ..Limits::default() };
    let (instance, taken) = taking(&plugin, limits.clone());
    for export in ["f", "g"] {
        let (cost, result) = measured(|| instance.call(export, &[], &PLAIN));
        expect(&result.expect_err("120 MB"), ErrorKind::OutOfMemory, &["limit for one value"]);
        assert!(cost < 2 * LIMIT as usize, "{export}: {cost}");
    }
    assert_eq!(taken.load(Ordering::Relaxed), 0);
    let (instance, taken) = taking(&aliases(60, 60_000), limits);
    assert!(instance.call("f", &[], &PLAIN).is_ok());
    assert_eq!(instance.call("g", &[], &PLAIN).expect("3.6 MB"), Value::Int(1));
    assert_eq!(taken.load(Ordering::Relaxed), 1);
}

#[test]
fn a_deadline_and_a_token_hold_while_a_value_is_lifted() {
    let _alone = ALONE.lock();
    // Lists of 8000 lists each, all the same bytes, down to empty texts: years of work.
    let items = "world w { export f: func() -> list<list<list<list<string>>>>; export ok: func() -> s32; }";
    let body = r#"(func (export "f") (result i32) (local $i i32)
          (loop $next
            (i32.store offset=4 (local.get $i) (i32.const 8000))
            (local.set $i (i32.add (local.get $i) (i32.const 8)))
            (br_if $next (i32.lt_u (local.get $i) (i32.const 64000))))
          (i32.const 0))
        (func (export "ok") (result i32) (i32.const 7))"#;
    let plugin = typed(items, body).expect("a plugin");
    let huge = Limits { value: Some(1 << 40), ..Limits::default() };
    let make = || {
        let mut options = common::quiet();
        options.limits = huge.clone();
        plugin.instantiate(options).expect("an instance")
    };
    let instance = make();
    let began = Instant::now();
    let call = CallOptions { timeout: Some(Duration::from_millis(100)), ..CallOptions::default() };
    let error = instance.call("f", &[], &call).expect_err("no end of it");
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    expect(&error, ErrorKind::Timeout, &["100ms"]);
    expect_dead(&instance, ErrorKind::Timeout);
    let token = CancelToken::new();
    let instance = make();
    let call = CallOptions { cancel: Some(token.clone()), ..CallOptions::default() };
    let later = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(50));
        token.cancel();
    });
    let began = Instant::now();
    expect(&instance.call("f", &[], &call).expect_err("no end of it"), ErrorKind::Cancelled, &[]);
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    later.join().expect("it cancelled");
}
