//! A host that has no more memory for a guest. It bounds the whole process, so this program has one
//! test.
#![cfg(target_os = "linux")]

mod common;

use common::{PLAIN, quiet, typed};
use undergo::{Instance, Value};

const PAGE: u64 = 64 << 10;

/// Bounds what the process may write to; gives the bound before.
fn bound(bytes: libc::rlim_t) -> libc::rlim_t {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the limit is a place for the limit.
    assert_eq!(unsafe { libc::getrlimit(libc::RLIMIT_DATA, &raw mut limit) }, 0);
    let before = std::mem::replace(&mut limit.rlim_cur, bytes);
    // SAFETY: the limit is one, which stays below the hard one.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_DATA, &raw const limit) }, 0);
    before
}

/// Bytes that the process may write to.
fn data() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("the status");
    let line = status.lines().find_map(|line| line.strip_prefix("VmData:")).expect("its data");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") << 10
}

fn call(instance: &Instance, name: &str, args: &[Value]) -> Value {
    instance.call(name, args, &PLAIN).expect("a call")
}

#[test]
fn growth_that_the_host_has_no_memory_for_is_not_counted() {
    let plugin = typed(
        "world w { export grow-often: func(pages: u32, times: u32) -> u32; export echo: func(text: string) -> string; }",
        r#"(func (export "grow-often") (param i32 i32) (result i32)
             (loop $again
               (drop (memory.grow (local.get 0)))
               (br_if $again (local.tee 1 (i32.sub (local.get 1) (i32.const 1)))))
             (memory.size))
           (func (export "echo") (param i32 i32) (result i32)
             (i32.store (i32.const 64) (local.get 0)) (i32.store (i32.const 68) (local.get 1)) (i32.const 64))"#,
    )
    .expect("a plugin");
    let mut options = quiet();
    // Room for the growth below once, and for no two of them.
    options.limits.memory = Some(2500 * PAGE);
    let instance = plugin.instantiate(options).expect("an instance");
    let echo = |text: &str| assert_eq!(call(&instance, "echo", &[text.into()]), Value::String(text.to_owned()));
    echo("before");
    let before = bound(data() + (64 << 20));
    for _ in 0..10 {
        let pages = call(&instance, "grow-often", &[Value::Int(2000), Value::Int(1000)]);
        assert_eq!((pages, instance.usage().memory), (Value::Int(2), 2 * PAGE));
        echo("meanwhile");
    }
    bound(before);
    assert_eq!(call(&instance, "grow-often", &[Value::Int(2000), Value::Int(1000)]), Value::Int(2002));
    assert_eq!(instance.usage().memory, 2002 * PAGE);
    echo("after");
}
