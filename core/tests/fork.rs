//! A forked child: what is refused there, and what works.
#![cfg(unix)]

mod common;

use std::time::{Duration, Instant};

use common::host::Hosted;
use common::{PLAIN, conformance, expect, quiet};
use undergo::{ErrorKind, PoolOptions, Value};

/// Runs code in a child, and fails when it panics or hangs.
fn in_child(code: impl FnOnce()) {
    // SAFETY: this program's other threads hold no lock that the child takes: there is one test,
    // and what the crate itself holds is what is tested.
    let pid = unsafe { libc::fork() };
    if pid == 0 {
        let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(code));
        // SAFETY: it ends the child, without what the parent has registered for its own end.
        unsafe { libc::_exit(i32::from(ended.is_err())) };
    }
    let deadline = Instant::now() + Duration::from_secs(60);
    let mut status = 0;
    // SAFETY: the status is a place for the status.
    while unsafe { libc::waitpid(pid, &raw mut status, libc::WNOHANG) } == 0 {
        if Instant::now() > deadline {
            // SAFETY: it is the child's number, which was not waited for yet.
            unsafe { libc::kill(pid, libc::SIGKILL) };
            panic!("the child hangs");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(status, 0, "the child failed");
}

#[test]
fn a_child_has_the_plugins_and_nothing_that_runs() {
    let plugin = conformance();
    plugin.wait_compiled().expect("it compiles");
    let hosted = Hosted::new(plugin, quiet()).expect("an instance");
    let mut options = quiet();
    for (module, function) in plugin.imports() {
        options.imports.func(module, function.name.clone(), |_| Ok(Value::None));
    }
    let pool = plugin.pool(PoolOptions::new(2, options)).expect("a pool");
    assert_eq!(pool.call("counter", &[], &PLAIN).expect("a call"), Value::Int(1));
    in_child(|| {
        let words = ["made before this process forked", "make a new one"];
        for error in [
            hosted.call("counter", &[]).expect_err("it is the parent's"),
            hosted.instance.reset(&PLAIN).expect_err("it is the parent's"),
            hosted.instance.read_memory(0, 1).expect_err("it is the parent's"),
            pool.call("counter", &[], &PLAIN).expect_err("it is the parent's"),
            pool.warm_up(2).expect_err("it is the parent's"),
        ] {
            expect(&error, ErrorKind::DeadInstance, &words);
        }
        assert!(hosted.instance.dead().is_some());
        assert_eq!(pool.stats().busy, 0);
        let mine = Hosted::new(plugin, quiet()).expect("an instance");
        assert_eq!(mine.call("counter", &[]).expect("a call"), Value::Int(1));
        let brief = undergo::CallOptions { timeout: Some(Duration::from_millis(100)), ..PLAIN };
        expect(&mine.instance.call("spin", &[], &brief).expect_err("too long"), ErrorKind::Timeout, &["100ms"]);
        // A child of the child stands to it as it does to its parent.
        let mine = Hosted::new(plugin, quiet()).expect("an instance");
        in_child(|| expect(&mine.call("counter", &[]).expect_err("it is the parent's"), ErrorKind::DeadInstance, &words));
        assert_eq!(mine.call("counter", &[]).expect("a call"), Value::Int(1));
    });
    assert_eq!(hosted.call("counter", &[]).expect("a call"), Value::Int(1));
    assert_eq!(pool.call("counter", &[], &PLAIN).expect("a call"), Value::Int(2));
}
